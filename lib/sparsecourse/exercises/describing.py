"""Values in a few words: small ones in full, large ones by their shape."""

import numpy as np

from sparsecourse.arrays import from_tensor


def describe(value):
    """A value in a few words; whatever it is, there are some."""
    try:
        return _description(value)
    except BaseException:  # it can't be shown
        return f"a value of the type {type(value).__name__}"


def call(exercise, case):
    """The call that a message speaks of, short enough to read."""
    if not exercise.asks_for_a_function:
        return f"`{exercise.answer}`"
    return f"`{exercise.answer}({', '.join(describe(argument) for argument in case)})`"


def _description(value):
    if hasattr(value, "named_parameters"):
        text = repr(value)
        return text if "\n" not in text else f"a module of the type {type(value).__name__}"
    if callable(value):
        return "a function"
    value = from_tensor(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if hasattr(value, "columns"):
        return f"a table of {len(value)} rows with the columns {', '.join(map(str, value.columns))}"
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size > 16:
            return f"array of shape {value.shape}"
        return np.array2string(value, precision=4, separator=", ").replace("\n", "")
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return f"{value:.6g}" if isinstance(value, (float, np.floating)) else f"{value}"
    if isinstance(value, list) and value and all(isinstance(item, np.ndarray) for item in value):
        text = f"[{', '.join(map(describe, value))}]"
        return text if len(text) <= 80 else f"arrays of shape {', '.join(str(item.shape) for item in value)}"
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
        text = "{" + ", ".join(map(repr, value)) + "}"
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."

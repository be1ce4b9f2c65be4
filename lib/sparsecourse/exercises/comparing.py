"""Results side by side: what an answer gave, in whatever style, and what was expected."""

import itertools
from collections.abc import Iterator, KeysView, Sequence, ValuesView
from decimal import Decimal
from fractions import Fraction

import numpy as np

from sparsecourse.arrays import from_tensor
from sparsecourse.exercises.describing import describe

MOST = 100_000  # items that are taken of what may have no end
TOLERANCE = 1e-6  # of the largest number expected: float32 arithmetic passes, a wrong formula does not


def plain(value, inside=False):
    """A result as all exercises take it, copied, so that what happens to it later is no concern.

    Tensors and tables become arrays, whatever gives one item after another becomes a list (of ``MOST`` items at most),
    and true and false become 1 and 0 wherever there are several of them, as in a mask.

    Args:
        value: the result.
        inside: whether it is an item of a list.
    """
    if isinstance(value, (Iterator, KeysView, ValuesView)):
        value = list(itertools.islice(value, MOST))
    if isinstance(value, (Fraction, Decimal)):
        return float(value)
    if hasattr(value, "to_numpy"):  # a table
        value = value.to_numpy()
    value = value.toarray() if hasattr(value, "toarray") else from_tensor(value)  # a sparse matrix of SciPy's
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        value = list(value)
    if isinstance(value, np.ndarray):
        return value.astype(int) if value.dtype == bool and (value.ndim or inside) else value.copy()
    if inside and isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, range)):
        items = [plain(item, inside=True) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return set(value) if isinstance(value, (set, frozenset)) else value


def same(value, other):
    """Whether two arguments are alike. What is neither number, text nor a collection of them is not compared."""
    value, other = from_tensor(value), from_tensor(other)
    if hasattr(other, "parameters"):  # a layer may become another, if that is asked for
        return True
    if type(value) is not type(other):
        return False
    if isinstance(value, np.ndarray):
        return value.shape == other.shape and bool(((value == other) | ((value != value) & (other != other))).all())
    if hasattr(value, "equals"):  # a table
        return value.equals(other)
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(same(item, other[key]) for key, item in value.items())
    return not isinstance(value, (int, float, str, set)) or value == other


def difference(result, expected):
    """Words for how a result differs from the expected one, or None where they agree.

    Args:
        result: as :func:`plain` gives it.
        expected: what is right, in the form that the words ask for.
    """
    if result is None or result is ...:
        return "gave no result. Does every path through the function end with `return`, and are all dots replaced?"
    if isinstance(expected, (bool, np.bool_, str, set, frozenset)):
        return _different_value(result, expected)
    if isinstance(expected, dict):
        return _different_mapping(result, expected)
    if isinstance(expected, list) and expected and all(isinstance(item, np.ndarray) for item in expected):
        return _different_arrays(result, expected)
    return _different_numbers(result, expected)


def _different_value(result, expected):
    if isinstance(result, np.ndarray) and result.ndim == 0:
        result = result.item()
    if isinstance(expected, (set, frozenset)) and isinstance(result, (list, tuple, np.ndarray)):
        result = set(map(str, result))
    same_kind = isinstance(result, (bool, np.bool_)) == isinstance(expected, (bool, np.bool_))
    if same_kind and type(result == expected) in (bool, np.bool_) and result == expected:
        return None
    return f"gave {describe(result)}, expected {describe(expected)}."


def _different_mapping(result, expected):
    if not isinstance(result, dict):
        return f"gave {describe(result)}, expected a dictionary with the keys {', '.join(map(str, expected))}."
    if set(result) != set(expected):
        return f"gave the keys {', '.join(map(str, result))}, expected {', '.join(map(str, expected))}."
    for key, value in expected.items():
        if words := difference(result[key], value):
            return f"under {key!r} {words}"
    return None


def _different_arrays(result, expected):
    if not isinstance(result, (list, tuple)) or len(result) != len(expected):
        many = f"{len(result)} items" if isinstance(result, (list, tuple)) else describe(result)
        return f"gave {many}, expected a list of {len(expected)} arrays."
    for k, (item, right) in enumerate(zip(result, expected, strict=True)):
        if words := difference(item, right):
            return f"item {k} of the list: {words}"
    return None


def _different_numbers(result, expected):
    right, expected = expected, np.asarray(expected)
    if expected.dtype.kind not in "iuf":  # a module, say, which only its exercise knows how to judge
        return None if result is right else f"gave {describe(result)}."
    kind = _kind(expected.shape)
    try:
        found = np.asarray(result)
    except BaseException:  # ragged lists, objects that refuse to be an array
        return f"gave {describe(result)}, expected {kind}."
    if found.dtype.kind not in "iuf":
        return f"gave {describe(result)}, expected {kind}."
    if found.shape != expected.shape:
        return f"gave {_kind(found.shape)}, expected {kind}."
    if not np.isfinite(found).all():
        return f"gave {describe(result)}, which is not finite everywhere; expected {describe(expected)}."
    close = np.isclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE * (np.abs(expected).max(initial=0) or 1))
    if close.all():
        return None
    if expected.size > 16:
        place = np.argwhere(~close)[0]
        first, right = (describe(array[tuple(place)]) for array in (found, expected))
        where = ", ".join(map(str, place))
        return f"gave {_kind(found.shape)}, {(~close).sum():,} of them wrong; at [{where}] {first}, expected {right}."
    shown, asked = describe(found), describe(expected)
    apart = f" Largest difference: {np.abs(found - expected).max():.4g}." if expected.ndim or shown == asked else ""
    return f"gave {shown}, expected {asked}.{apart}"


def _kind(shape):
    if len(shape) == 0:
        return "a single number"
    if len(shape) == 1:
        return f"a list of {shape[0]} number{'s' if shape[0] != 1 else ''}"
    return f"an array of {' × '.join(map(str, shape))} numbers"

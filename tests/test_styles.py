"""One rule for all exercises: what is understood is accepted, in whatever style it is written."""

import numpy as np
import pytest
import torch

from sparsecourse.exercises import checking, exercises

ALL = exercises()
TRAIN = {"6.4", "7.5", "8.4", "11.5"}  # the answer is trained, for seconds


def nested(value):
    return tuple(map(nested, value)) if isinstance(value, list) else value


STYLES = {
    "torch": lambda array: torch.tensor(array),
    "list": lambda array: array.tolist(),
    "nested tuple": lambda array: nested(array.tolist()),
    "list of arrays": lambda array: list(array) if array.ndim else array,
    "list of tensors": lambda array: list(torch.tensor(array)) if array.ndim else torch.tensor(array),
    "NumPy's number": lambda array: array[()],
    "0-d array": lambda array: np.asarray(array),
    "float32": lambda array: array if array.dtype == bool else array.astype(np.float32),
    "float32 of torch": lambda array: torch.tensor(array) if array.dtype == bool else torch.tensor(array).float(),
    "floats": lambda array: array if array.dtype == bool else array.astype(float),
    "with a gradient": lambda array: torch.tensor(array, dtype=torch.float64, requires_grad=True),
    "true and false": lambda array: array.astype(bool),
    "true and false of torch": lambda array: torch.tensor(array).bool(),
    "true and false in lists": lambda array: array.astype(bool).tolist(),
    "generator": lambda array: (item for item in array) if array.ndim else array,
    "map": lambda array: map(np.asarray, array) if array.ndim else array,
}
NOT_FOR_TRUTHS = {"with a gradient"}


def in_style(result, style):
    """A result in a style, or None where the style makes no sense for it."""
    if isinstance(result, (set, frozenset)):
        return {"list": sorted, "nested tuple": lambda s: tuple(sorted(s)), "generator": iter}.get(style, list)(result)
    if isinstance(result, (list, tuple)) and any(np.ndim(item) for item in result):
        items = [in_style(item, style) for item in result]
        return iter(items) if style in ("generator", "map") else tuple(items) if style == "nested tuple" else items
    return STYLES[style](np.asarray(result))


def makes_sense(exercise, style):
    """Whether an exercise's answers can be written in a style."""
    results = [checking.attempt(exercise.reference, case).result for case in exercise.cases]
    if exercise.number in ("9.2", "9.4", "10.4") or isinstance(results[0], str):  # layers and letters have no style
        return False
    kinds = [np.asarray(item) for result in results for item in (result if isinstance(result, list) else [result])]
    if any(kind.dtype == bool for kind in kinds):
        return style not in NOT_FOR_TRUTHS
    if "true" in style:  # a mask
        return all(kind.dtype.kind in "iuf" and kind.ndim and np.isin(kind, (0, 1)).all() for kind in kinds)
    return True


@pytest.mark.parametrize(
    ("number", "style"),
    [
        pytest.param(number, style, marks=[pytest.mark.slow] if number in TRAIN else [])
        for number in ALL
        for style in STYLES
        if makes_sense(ALL[number], style)
    ],
)
def test_a_right_answer_is_right_in_any_style(number, style):
    exercise = ALL[number]
    if exercise.asks_for_a_function:
        answer = lambda *arguments: in_style(exercise.reference(*arguments), style)  # noqa: E731
    else:
        answer = in_style(exercise.reference, style)
    verdict = checking.verdict(exercise, answer)
    assert verdict.solved, verdict.words

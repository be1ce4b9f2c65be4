"""Slips that any answer may make, told by how its numbers stand to the right ones on every case."""

import numpy as np

from sparsecourse.arrays import from_tensor

TOLERANCE = 1e-6  # relative and absolute: float32 arithmetic passes, a wrong formula does not
SLIPS = (
    (lambda right: right.T, "That is right, but transposed: what should stand in rows stands in columns."),
    (
        np.trunc,
        "What stands behind the point is lost. Is there an array of whole numbers on the way, as `dtype=int` makes?",
    ),
    (lambda right: -right, "The size is right, the sign is not."),
    (lambda right: right + 1, "That is one too many."),
    (lambda right: right - 1, "That is one too few."),
    (lambda right: 1 - right, "That is one minus the answer: it counts the other part."),
    (np.square, "That is the square of the answer: a root is missing."),
    (lambda right: np.sqrt(np.abs(right)), "That is the root of the answer: there is a root too many."),
)


def slip(results, expected):
    """The sentence for a slip that explains every result, or None.

    Args:
        results: what an answer gave on each case, whatever it is.
        expected: what is right on each.
    """
    try:
        pairs = [(_numbers(result), _numbers(right)) for result, right in zip(results, expected, strict=True)]
    except BaseException:  # not numbers, or what refuses to be any: there is nothing to say about them in general
        return None
    for change, sentence in SLIPS:
        if all(_same(result, change(right)) for result, right in pairs):
            return sentence
    return None


def _numbers(value):
    array = np.asarray(from_tensor(value))
    if array.dtype.kind not in "iuf":
        raise TypeError("true, false, words and complex numbers have slips of their own")
    return array.astype(float)


def _same(result, other):
    return result.shape == other.shape and np.allclose(result, other, rtol=TOLERANCE, atol=TOLERANCE)

"""Slips that any answer may make, told by how its result stands to the right one."""

import numpy as np

NO_RESULT = object()  # what no answer gives
NUMBERS = (
    (lambda right: right.T, "That is right, but transposed: what should stand in rows stands in columns."),
    (
        np.trunc,
        "The digits after the decimal point are lost. Is there an array of whole numbers on the way (`dtype=int`)?",
    ),
    (lambda right: -right, "The size is right, the sign is not."),
    (lambda right: right + 1, "That is one too many."),
    (lambda right: right - 1, "That is one too few."),
    (lambda right: 1 - right, "That is one minus the answer: it counts the other part."),
    (np.square, "That is the square of the answer: a root is missing."),
    (lambda right: np.sqrt(np.abs(right)), "That is the root of the answer: there is a root too many."),
    (np.abs, "A sign is lost: some of the right numbers are negative."),
    (lambda right: 100 * right, "That is in per cent."),
    (lambda right: np.round(right, 2), "It is right, but rounded. Return the number as it is."),
    (lambda right: np.round(right, 1), "It is right, but rounded. Return the number as it is."),
    (lambda right: np.round(right, 3), "It is right, but rounded. Return the number as it is."),
    (np.rint, "It is right, but rounded to whole numbers. Return the number as it is."),
    (np.ceil, "It is right, but rounded up. Return the number as it is."),
    (lambda right: 2 * right, "That is twice the answer."),
    (lambda right: right / 2, "That is half the answer."),
    (lambda right: 1 / right, "The fraction is upside down: that is one divided by the answer."),
    (lambda right: right[:1], "Only the first part is there. Does `return` stand inside the loop?"),
    (lambda right: right[0], "Only the first part is there. Collect all of them, then return the collection."),
    (lambda right: right[:-1], "The last part is missing: does a loop or a slice end too early?"),
    (lambda right: right[1:], "The first part is missing: does a loop or a slice begin too late?"),
    (lambda right: right[::-1], "The order is reversed."),
    (lambda right: _only(right.ndim > 1, right.reshape(-1)), "The numbers are right, but in one long row."),
    (lambda right: _only(right.ndim == 0, right.reshape(1)), "That is one number in a list. Take it out: `[0]`."),
    (lambda right: right.sum(), "Everything was added up to one number. Asked for are several."),
    (lambda right: right.mean(), "Everything was averaged to one number. Asked for are several."),
    (lambda right: 0 * right, "Nothing but zeros: the result is prepared, but never filled."),
)
TRUTHS = ((np.logical_not, "It is the other way round: it says True where False is right."),)


def _only(makes_sense, changed):
    if not makes_sense:
        raise IndexError
    return changed


def slipped(right):
    """What each slip makes of a right result: [(sentence, result), ...], empty where it is not made of numbers."""
    try:
        right = np.asarray(right)
        kinds = NUMBERS if right.dtype.kind in "iuf" else TRUTHS if right.dtype.kind == "b" else ()
    except ValueError:  # a ragged list
        return []
    found = []
    for change, sentence in kinds:
        try:
            with np.errstate(all="ignore"):
                found.append((sentence, change(right.astype(float) if kinds is NUMBERS else right)[()]))
        except (IndexError, ValueError):  # a single number has no first part
            found.append((sentence, NO_RESULT))
    return found

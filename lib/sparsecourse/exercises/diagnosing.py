"""Which sentence helps: what explains most of the cases that failed, and contradicts none that passed."""

import contextlib
import functools
import io
import warnings
from dataclasses import dataclass

import numpy as np

from sparsecourse.exercises.attempts import LIMIT, Outcome, TimeUp, attempt, outcome_of, supervised
from sparsecourse.exercises.comparing import TOLERANCE, difference
from sparsecourse.exercises.describing import describe
from sparsecourse.exercises.reading import calls, returns_at_once, unused_argument, wrong_ways
from sparsecourse.exercises.slips import slipped

AT_ONCE = "`return` stands inside a loop and ends it at its first turn: move it to the left, below the loop."
TWO_ANSWERS = (
    "Called twice with the same arguments, it gives two answers: it keeps something from call to call (in a global, a "
    "list outside of it, a default argument), takes `np.empty` for zeros, or draws at random."
)
ALWAYS_THE_SAME = "It gives the same answer whatever it is given, {} in every case. Does it use its arguments?"
NOT_FINITE = "Somewhere it divides by zero, or takes the root or the logarithm of what is not positive."
UNFILLED = "`np.empty` holds whatever lay in memory. Begin with `np.zeros`."
ERRORS = (  # type, a word of its message, and what to do
    (
        "NameError",
        "",
        "A name is used that has no value here. Is it spelled right, and did the cells above run?",
    ),
    ("UnboundLocalError", "", "A name is used before it has a value on this way through the function."),
    ("IndexError", "out of", "An index runs past the end: the last of n items has the index n - 1."),
    ("IndexError", "", "That is no index for this object: print its `.shape`, and the `type` of the index."),
    ("KeyError", "", "That key does not exist. Print what there is: `.keys()`, or `.columns` of a table."),
    ("ZeroDivisionError", "", "It divides by zero. Which of the numbers can be zero?"),
    ("AttributeError", "module", "That module has no such function. Is it spelled right?"),
    ("AttributeError", "", "An object lacks this method. Print its `type`: is it a list, an array, a number?"),
    ("TypeError", "argument", "It is called with other arguments than it takes. Leave its first line as it was given."),
    ("TypeError", "", "Two things do not go together here. Print their types: is one a list, a number, a function?"),
    ("ValueError", "", "Some shapes or values do not fit. Print them on the way: `.shape`."),
    ("RuntimeError", "", "Some shapes or types do not fit. Print them on the way: `.shape`, `.dtype`."),
    ("AxisError", "", "That axis does not exist: a matrix has the axes 0, down the columns, and 1, along the rows."),
    ("LinAlgError", "", "The shapes do not fit what is to be solved. Print them on the way: `.shape`."),
    ("RecursionError", "", "Something calls itself, or holds itself, without end."),
)


@dataclass(frozen=True)
class Trial:
    """An answer tried on one case.

    Attributes:
        case: the arguments.
        outcome: what came out.
        complaint: what is wrong with it, or None.
        expected: outcome of the reference, found before the answer ran.
    """

    case: tuple
    outcome: Outcome
    complaint: str | None
    expected: Outcome


def diagnosis(exercise, answer, trials, judge):
    """A sentence for an answer that is wrong, or None, and the trial that shows it.

    Args:
        exercise: what was asked.
        answer: the answer.
        trials: of the answer, one a case; at least one of them has a complaint.
        judge: called with the number of a case and an outcome, says what is wrong with it, or None.
    """
    failed = [trial for trial in trials if trial.complaint]
    if trials[-1].outcome.last:
        return None, trials[-1]
    if returns_at_once(answer):
        return AT_ONCE, failed[0]
    if exercise.asks_for_a_function and gives_two_answers(answer, trials):
        return TWO_ANSWERS, failed[0]
    best = None
    for explain in (_mistake, _general) if exercise.asks_for_a_function else (_mistake,):
        with contextlib.suppress(TimeUp), warnings.catch_warnings(action="ignore"):  # of our own wrong answers
            best = supervised(lambda explain=explain, best=best: explain(exercise, trials, judge, best), LIMIT)
    if best:
        return best[0], trials[best[1][0]]
    if failed[0].outcome.error:
        return error_sentence(failed[0].outcome), failed[0]
    if exercise.asks_for_a_function and (name := unused_argument(answer, exercise.reference)):
        return f"It never uses its argument `{name}`.", failed[0]
    if "not finite" in failed[0].complaint:
        return NOT_FINITE, failed[0]
    return (UNFILLED if calls(answer, "empty", "empty_like") else None), failed[0]


def error_sentence(outcome):
    """What to do about an error, or None."""
    return next((sentence for name, word, sentence in ERRORS if name == outcome.error and word in outcome.words), None)


def gives_two_answers(answer, trials):
    """Whether a function gives another result than before when it is called with the first case once more."""
    first = trials[0].outcome
    if first.error or not _is_comparable(first.result):
        return False
    with contextlib.redirect_stdout(io.StringIO()):  # what it prints was seen
        return not agree(attempt(answer, trials[0].case), first)


def _is_comparable(result):
    """Whether a result is made of numbers or of words, and not a layer, say, or a function."""
    try:
        return np.asarray(result).dtype.kind in "biufU"
    except ValueError:  # a ragged list
        return isinstance(result, list) and all(map(_is_comparable, result))
    except TimeUp:
        raise
    except BaseException:  # an object that refuses to be an array
        return False


def _mistake(exercise, trials, judge, _):
    """The catalogue's sentence that explains the most failed cases, more than half of them, and their places; or None.

    No mistake is named that a passed case contradicts.
    """
    failed = [k for k, trial in enumerate(trials) if trial.complaint]
    best, most = None, len(failed) // 2
    for mistake in exercise.mistakes:
        gives = functools.cache(lambda k, wrong=mistake.wrong: outcome_of(wrong, trials[k].case))
        places = [k for k in failed if agree(trials[k].outcome, gives(k))]
        evidence = any(is_evidence(trials[k].outcome, gives(k)) for k in places)
        if evidence and len(places) > most and _is_possible(gives, trials, judge):
            best, most = (mistake.sentence, places), len(places)
    return best


def _general(exercise, trials, judge, best):
    """The sentence of a slip or a mutant that explains all failed cases, and their places, where nothing did so yet."""
    failed = [k for k, trial in enumerate(trials) if trial.complaint]
    told = (best and len(best[1]) == len(failed)) or "not finite" in trials[failed[0]].complaint
    if told or all(trials[k].outcome.error for k in failed):
        return best
    if len(trials) > 2 and all(agree(trial.outcome, trials[0].outcome) for trial in trials):
        return ALWAYS_THE_SAME.format(describe(trials[0].outcome.result)), failed
    for sentence, gives in (*_slips(trials), *_mutants(exercise, trials)):
        if all(agree(trials[k].outcome, gives(k)) for k in failed) and _is_possible(gives, trials, judge):
            return sentence, failed
    return best


def _is_possible(gives, trials, judge):
    """Whether something that goes wrong is right where the answer was."""
    return not any(judge(k, gives(k)) for k, trial in enumerate(trials) if not trial.complaint)


def is_evidence(outcome, other):
    """Whether two outcomes that agree say much: errors do so only if they have the same words."""
    return not outcome.error or outcome.words == other.words


def agree(outcome, other):
    """Whether two outcomes are the same result, or errors of the same type."""
    if outcome.error or other.error:
        return outcome.error == other.error
    return alike(outcome.result, other.result)


def alike(result, other):
    """Whether two results are the same, item by item; what can't be compared is not."""
    if isinstance(result, (list, tuple)) and isinstance(other, (list, tuple)) and len(result) == len(other):
        if not all(isinstance(item, (int, float)) for item in result):
            return all(map(alike, result, other))
    if isinstance(result, str) or result is None:
        return isinstance(other, type(result)) and result == other
    try:
        if not difference(result, other):
            return True
        pair = np.asarray(result, dtype=float), np.asarray(other, dtype=float)
    except TimeUp:
        raise
    except BaseException:  # objects that refuse to be an array
        return False
    infinite = any(not np.isfinite(array).all() for array in pair)  # which difference never calls right
    return infinite and pair[0].shape == pair[1].shape and np.allclose(*pair, TOLERANCE, TOLERANCE, equal_nan=True)


def _slips(trials):
    """[(sentence, what the slip gives on a case), ...] for the slips that make sense in every case."""
    made = [slipped(trial.expected.result) for trial in trials]
    for row in zip(*made, strict=True) if all(map(len, made)) else ():
        yield row[0][0], lambda k, row=row: Outcome(row[k][1])


def _mutants(exercise, trials):
    """[(sentence, what a mutant of the right answer gives on a case), ...], each made when it is asked for."""
    for sentence, function in wrong_ways(exercise.reference):
        yield sentence, functools.cache(lambda k, function=function: outcome_of(function, trials[k].case))

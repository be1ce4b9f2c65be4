"""Which sentence helps: what explains most of the cases that failed, and contradicts none that passed."""

import contextlib
import functools
import warnings
from dataclasses import dataclass

import numpy as np

from sparsecourse.exercises.attempts import LIMIT, Outcome, TimeUp, attempt, outcome_of, supervised
from sparsecourse.exercises.comparing import TOLERANCE, difference
from sparsecourse.exercises.reading import returns_at_once, unused_argument, wrong_ways
from sparsecourse.exercises.slips import slipped

AT_ONCE = "`return` stands inside a loop and ends it at its first turn: move it to the left, below the loop."
FORGETS_NOTHING = (
    "Called twice with the same arguments, it gives two answers: it keeps something from call to call, in a global, in "
    "a list outside of it or in a default argument."
)
ALWAYS_THE_SAME = "It gives the same answer whatever it is given. Does it use its arguments?"
ERRORS = {
    "NameError": "A name is used that has no value here: is it spelled as it was given, and did the cells above run?",
    "UnboundLocalError": "A name is used before it has a value. Give it one before the loop.",
    "IndexError": "An index runs past the end: the last of n items has the index n - 1.",
    "KeyError": "That key does not exist. Print what there is: `.keys()`, or `.columns` of a table.",
    "ZeroDivisionError": "It divides by zero. Which of the numbers can be zero?",
    "AttributeError": "An object lacks this method. Print its `type`: is it a list, an array, a number?",
    "TypeError": "Two things do not go together here. Print their types: is one a list, a number, a function?",
    "ValueError": "Some shapes or values do not fit. Print the shapes on the way: `.shape`.",
    "RuntimeError": "Some shapes or types do not fit. Print them on the way: `.shape`, `.dtype`.",
    "AxisError": "That axis does not exist: a matrix has the axes 0, down the columns, and 1, along the rows.",
    "LinAlgError": "The shapes do not fit what is to be solved. Print them on the way: `.shape`.",
    "RecursionError": "The function calls itself without end.",
}


@dataclass(frozen=True)
class Trial:
    """An answer tried on one case.

    Attributes:
        case: the arguments.
        outcome: what came out.
        complaint: what is wrong with it, or None.
    """

    case: tuple
    outcome: Outcome
    complaint: str | None


def diagnosis(exercise, answer, trials, judge):
    """A sentence for an answer that is wrong, or None, and the trial that shows it.

    Args:
        exercise: what was asked.
        answer: the answer.
        trials: of the answer, one a case; at least one of them has a complaint.
        judge: called with a case and an outcome, says what is wrong with it, or None.
    """
    failed = [trial for trial in trials if trial.complaint]
    if returns_at_once(answer):
        return AT_ONCE, failed[0]
    if exercise.asks_for_a_function and keeps_something(answer, trials):
        return FORGETS_NOTHING, failed[0]
    found = None
    with contextlib.suppress(TimeUp), warnings.catch_warnings(action="ignore"):  # of our own wrong answers
        found = supervised(lambda: _explanation(exercise, trials, judge), seconds=LIMIT)
    if found:
        return found
    if failed[0].outcome.error:
        return ERRORS.get(failed[0].outcome.error), failed[0]
    if exercise.asks_for_a_function and (name := unused_argument(answer, exercise.reference)):
        return f"It never uses its argument `{name}`.", failed[0]
    constant = len(trials) > 2 and all(agree(trial.outcome, trials[0].outcome) for trial in trials)
    return (ALWAYS_THE_SAME if constant else None), failed[0]


def keeps_something(answer, trials):
    """Whether a function gives another result than before when it is called with the first case once more."""
    first = trials[0].outcome
    if trials[-1].outcome.last or hasattr(first.result, "parameters"):  # layers are compared by nobody
        return False
    with contextlib.redirect_stdout(None):  # what it prints was seen
        return not agree(attempt(answer, trials[0].case), first)


def _explanation(exercise, trials, judge):
    """The sentence that explains the most failed cases, and the first of them; None where nothing explains enough.

    A mistake of the catalogue must explain more than half of them; of slips and mutants, which are many, all.
    """
    failed = [k for k, trial in enumerate(trials) if trial.complaint]
    passed = [k for k, trial in enumerate(trials) if not trial.complaint]

    def explained(gives):
        places = [k for k in failed if agree(trials[k].outcome, gives(k))]
        return places if any(is_evidence(trials[k].outcome, gives(k)) for k in places) else []

    def possible(gives):
        return not any(judge(trials[k].case, gives(k)) for k in passed)

    best, most = None, len(failed) // 2
    for mistake in exercise.mistakes:
        gives = functools.cache(lambda k, wrong=mistake.wrong: outcome_of(wrong, trials[k].case))
        places = explained(gives)
        if len(places) > most and possible(gives):
            best, most = (mistake.sentence, trials[places[0]]), len(places)
    results = [k for k in failed if not trials[k].outcome.error]
    if exercise.asks_for_a_function and results and most < len(failed):
        for sentence, gives in (*_slips(exercise, trials), *_mutants(exercise, trials)):
            if all(agree(trials[k].outcome, gives(k)) for k in failed) and possible(gives):
                return sentence, trials[failed[0]]
    return best


def is_evidence(outcome, other):
    """Whether two outcomes that agree say much: errors do so only if they have the same words."""
    return not outcome.error or outcome.words == other.words


def agree(outcome, other):
    """Whether two outcomes are the same result, or errors of the same type."""
    if outcome.error or other.error:
        return outcome.error == other.error
    try:
        if not difference(outcome.result, other.result):
            return True
        pair = np.asarray(outcome.result, dtype=float), np.asarray(other.result, dtype=float)
    except TimeUp:
        raise
    except BaseException:  # objects that refuse to be an array
        return False
    infinite = any(not np.isfinite(array).all() for array in pair)  # which difference never calls right
    return infinite and pair[0].shape == pair[1].shape and np.allclose(*pair, TOLERANCE, TOLERANCE, equal_nan=True)


def _slips(exercise, trials):
    """[(sentence, what the slip gives on a case), ...] for the slips that make sense in every case."""
    made = [slipped(outcome_of(exercise.reference, trial.case).result) for trial in trials]
    for row in zip(*made, strict=True) if all(map(len, made)) else ():
        yield row[0][0], lambda k, row=row: Outcome(row[k][1])


def _mutants(exercise, trials):
    """[(sentence, what a mutant of the right answer gives on a case), ...], each made when it is asked for."""
    for sentence, function in wrong_ways(exercise.reference):
        yield sentence, functools.cache(lambda k, function=function: outcome_of(function, trials[k].case))

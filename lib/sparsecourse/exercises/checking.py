"""Compare a learner's answer with a reference and say in words what came out. ``check`` never raises.

An exercise is a reference, some cases from small to large, and a catalogue of mistakes: wrong implementations, each
with the sentence that helps the one who wrote it. Where an answer does on every case what a catalogued mistake does,
its author gets that sentence.
"""

import copy
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sparsecourse.arrays import from_tensor
from sparsecourse.exercises.notes import note
from sparsecourse.exercises.slips import TOLERANCE, slip


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and what to say to it.

    Attributes:
        wrong: the answer itself: a function for an exercise that asks for one, else a value.
        sentence: what it is and what to do instead.
    """

    wrong: object
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """What ``check`` needs to know about one exercise.

    Attributes:
        number: lesson and place in it, for example "2.1".
        answer: the name that the learner gives a value to.
        reference: a right answer: a function, or a value for an exercise that asks for no function.
        cases: argument tuples to try a function on, the smallest first.
        mistakes: the catalogue.
        accept: for a question with many right answers, what is wrong with a result: called with the result and the
            case's arguments, it returns a sentence, or None for a result that will do.
        praise: what to add to "correct"; called with the result on the last case.
    """

    number: str
    answer: str
    reference: object
    cases: tuple = ((),)
    mistakes: tuple = field(default=())
    accept: Callable | None = None
    praise: Callable | None = None

    @property
    def asks_for_a_function(self):
        return callable(self.reference)


def exercises():
    """All exercises of the course as {number: Exercise}, from the modules ``lessonNN`` of this package."""
    found = {}
    package = importlib.import_module("sparsecourse.exercises")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name.startswith("lesson")):
        for exercise in importlib.import_module(f"sparsecourse.exercises.{module}").EXERCISES:
            if exercise.number in found:
                raise ValueError(f"exercise {exercise.number} is defined twice")
            found[exercise.number] = exercise
    return found


def check(number, answer):
    """Print what became of an answer: not answered yet, correct, or what came out against what was expected.

    A right or wrong answer is noted in the learner's own file, see ``sparsecourse.exercises.notes``.

    Args:
        number: number of the exercise, for example "2.1".
        answer: the function or value that the exercise asks for.
    """
    known = exercises()
    if str(number) not in known:
        print(f"There is no exercise {number}. The exercises are {', '.join(known)}.")
        return
    found = verdict(known[str(number)], answer)
    print(found.words)
    if found.solved is not None:
        note(str(number), found.solved)


@dataclass(frozen=True)
class Verdict:
    """What ``check`` says.

    Attributes:
        words: the sentence or sentences that it prints.
        solved: whether the answer is right; None where there is none yet.
    """

    words: str
    solved: bool | None


def verdict(exercise, answer):
    """:class:`Verdict` on an answer."""
    if answer is ...:
        return Verdict(f"{exercise.number} not answered yet. Replace the dots, then run the cell again.", None)
    if exercise.asks_for_a_function and not callable(answer):
        return Verdict(f"{exercise.number} needs the function `{exercise.answer}`, got {describe(answer)}.", False)
    if callable(answer) and not exercise.asks_for_a_function:
        words = f"{exercise.number} needs a value in `{exercise.answer}`, got a function. Write its result instead."
        return Verdict(words, False)
    outcomes = [attempt(answer, case) for case in exercise.cases]
    if outcomes[0].error is None and (outcomes[0].result is None or outcomes[0].result is ...):
        words = (
            f"{exercise.number} not answered yet: `{exercise.answer}` returned {outcomes[0].result}. "
            "Replace the dots; if you have, end with `return`. Then run the cell again."
        )
        return Verdict(words, None)
    complaints = [complaint(exercise, case, outcome) for case, outcome in zip(exercise.cases, outcomes, strict=True)]
    if not any(complaints):
        praise = f" {exercise.praise(outcomes[-1].result)}" if exercise.praise else ""
        cases = f", over {len(exercise.cases)} cases" if len(exercise.cases) > 1 else ""
        return Verdict(f"{exercise.number} correct{cases}.{praise}", True)
    case, words = next((case, words) for case, words in zip(exercise.cases, complaints, strict=True) if words)
    lines = [f"{exercise.number} not yet: {call(exercise, case)} {words}"]
    sentences = [mistake.sentence for mistake in exercise.mistakes if makes(mistake, exercise, outcomes)]
    if not sentences and not exercise.accept and not any(outcome.error for outcome in outcomes):
        right = [attempt(exercise.reference, case).result for case in exercise.cases]
        sentences = [found] if (found := slip([outcome.result for outcome in outcomes], right)) else []
    lines += [f"  {sentence}" for sentence in sentences[:1] if sentence not in words]
    return Verdict("\n".join(lines), False)


@dataclass(frozen=True)
class Outcome:
    """What came of an answer on one case: a result, or the error that stopped it.

    Attributes:
        result: what the answer returned, or None.
        error: name of the error's type and its first line, or None.
    """

    result: object = None
    error: str | None = None


def attempt(answer, case):
    """Outcome of an answer on one case; the case's own arguments stay as they are."""
    if not callable(answer):
        return Outcome(answer)
    try:
        return Outcome(answer(*copy.deepcopy(case)))
    except KeyboardInterrupt:
        return Outcome(error="an interrupt from you: does a loop never end?")
    except BaseException as error:  # also SystemExit: whatever an answer does, its author gets a sentence
        text = str(error).splitlines()
        return Outcome(error=f"{type(error).__name__}: {text[0]}" if text else type(error).__name__)


def complaint(exercise, case, outcome):
    """What is wrong with an outcome, or None."""
    if outcome.error:
        return f"stopped with {outcome.error}."
    if exercise.accept:
        try:
            return exercise.accept(outcome.result, *copy.deepcopy(case))
        except BaseException:  # the result is of a kind that the exercise does not foresee
            return f"gave {describe(outcome.result)}, which is not the kind of answer asked for."
    expected = attempt(exercise.reference, case)
    if expected.error:
        raise ValueError(f"the reference of exercise {exercise.number} stopped with {expected.error}")
    return difference(outcome.result, expected.result)


def makes(mistake, exercise, outcomes):
    """Does the mistake have these same outcomes, results and errors, on every case?"""
    for case, outcome in zip(exercise.cases, outcomes, strict=True):
        wrong = attempt(mistake.wrong, case)
        if outcome.error or wrong.error:
            if (outcome.error or "").split(":")[0] != (wrong.error or "").split(":")[0]:
                return False
        elif difference(outcome.result, wrong.result):
            return False
    return True


def difference(result, expected):
    """Words for how a result differs from the expected one, or None where they agree."""
    if isinstance(expected, (bool, np.bool_, str, set, frozenset)):
        return different_value(result, expected)
    if isinstance(expected, dict):
        return different_mapping(result, expected)
    if isinstance(expected, list) and all(isinstance(item, np.ndarray) for item in expected):
        return different_arrays(result, expected)
    return different_numbers(result, expected)


def different_value(result, expected):
    if isinstance(expected, (set, frozenset)) and isinstance(result, (list, tuple)):
        result = set(result) if all(isinstance(item, str) for item in result) else result
    same_kind = isinstance(result, (bool, np.bool_)) == isinstance(expected, (bool, np.bool_))
    if same_kind and type(result == expected) in (bool, np.bool_) and result == expected:
        return None
    return f"gave {describe(result)}, expected {describe(expected)}."


def different_mapping(result, expected):
    if not isinstance(result, dict):
        return f"gave {describe(result)}, expected a dictionary with the keys {', '.join(map(str, expected))}."
    if set(result) != set(expected):
        return f"gave the keys {', '.join(map(str, result))}, expected {', '.join(map(str, expected))}."
    for key, value in expected.items():
        if words := difference(result[key], value):
            return f"under {key!r} {words}"
    return None


def different_arrays(result, expected):
    if not isinstance(result, (list, tuple)) or len(result) != len(expected):
        many = f"{len(result)} items" if isinstance(result, (list, tuple)) else describe(result)
        return f"gave {many}, expected a list of {len(expected)} arrays."
    for k, (item, right) in enumerate(zip(result, expected, strict=True)):
        if words := difference(item, right):
            return f"item {k} of the list: {words}"
    return None


def different_numbers(result, expected):
    right, expected = expected, np.asarray(expected)
    if not np.issubdtype(expected.dtype, np.number):  # a module, say, which only its exercise knows how to judge
        return None if result is right else f"gave {describe(result)}."
    kind = f"an array of shape {expected.shape}"
    if expected.ndim < 2:
        kind = "a number" if expected.ndim == 0 else f"{len(expected)} number{'s' if len(expected) != 1 else ''}"
    try:
        found = np.asarray(from_tensor(result))
    except BaseException:  # ragged lists, objects that refuse to be an array
        return f"gave {describe(result)}, expected {kind}."
    if found.dtype == bool and expected.ndim:
        return f"gave true and false, expected {kind} with numbers: `.astype(int)` turns them into 1 and 0."
    if found.dtype == bool or not np.issubdtype(found.dtype, np.number):
        return f"gave {describe(result)}, expected {kind}."
    if found.shape != expected.shape:
        shape = "a single number" if found.ndim == 0 else f"an array of shape {found.shape}"
        return f"gave {shape}, expected {kind}."
    if not np.isfinite(found).all():
        return f"gave {describe(result)}, which is not finite everywhere; expected {describe(expected)}."
    if np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE):
        return None
    words = f"gave {describe(found)}, expected {describe(expected)}."
    return f"{words} Largest difference: {np.abs(found - expected).max():.4g}." if expected.ndim else words


def call(exercise, case):
    """The call that a message speaks of, short enough to read."""
    if not exercise.asks_for_a_function:
        return f"`{exercise.answer}`"
    return f"`{exercise.answer}({', '.join(describe(argument) for argument in case)})`"


def describe(value):
    """A value in a few words: small ones in full, large ones by their shape."""
    try:
        return _description(value)
    except BaseException:  # whatever it is, it can't be shown
        return f"a value of the type {type(value).__name__}"


def _description(value):
    if hasattr(value, "named_parameters"):
        text = repr(value)
        return text if "\n" not in text else f"a module of the type {type(value).__name__}"
    if callable(value):
        return "a function"
    value = from_tensor(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
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
    return text if len(text) <= 80 else f"{text[:77]}..."

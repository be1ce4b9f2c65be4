"""Compare a learner's answer with a reference and say in words what came out. ``check`` never raises.

An exercise is a reference, some cases from small to large, and a catalogue of mistakes: wrong implementations, each
with the sentence that helps the one who wrote it. Beside the catalogue stand slips that any answer may make, and the
mutants of the reference, which every exercise has by itself.
"""

import copy
import importlib
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sparsecourse.exercises.attempts import (
    LIMIT,
    LONGEST,
    NO_END,
    Outcome,
    TimeUp,
    attempt,
    error_words,
    outcome_of,
    supervised,
    within,
)
from sparsecourse.exercises.comparing import difference
from sparsecourse.exercises.describing import call, describe
from sparsecourse.exercises.diagnosing import Trial, diagnosis
from sparsecourse.exercises.notes import note
from sparsecourse.exercises.showing import show


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
        trains: whether ``accept`` trains networks, and may take its time.
        section: for a question of the self-test, the lesson and the heading of the section that teaches it.
    """

    number: str
    answer: str
    reference: object
    cases: tuple = ((),)
    mistakes: tuple = field(default=())
    accept: Callable | None = None
    praise: Callable | None = None
    trains: bool = False
    section: str = ""

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
    """Show what became of an answer: not answered yet, correct, or what came out against what was expected.

    A right or wrong answer is noted in the learner's own file, see ``sparsecourse.exercises.notes``.

    Args:
        number: number of the exercise, for example "2.1".
        answer: the function or value that the exercise asks for.
    """
    try:
        known = exercises()
        if str(number) not in known:
            print(f"There is no exercise {number}. The exercises are {', '.join(known)}.")
            return
        found = verdict(known[str(number)], answer)
    except KeyboardInterrupt:
        found = Verdict(f"{number} was stopped by you, and is not judged.", None)
    except Exception as error:  # something that the checker itself needs is no longer what it was
        words = f"{number} can't be judged: {error_words(error)}. Was something of NumPy's or Python's overwritten?"
        found = Verdict(f"{words} Restart the kernel, and run the lesson from the top.", None)
    show(found.words, found.solved)
    if found.solved is not None:
        note(str(number), found.solved)


@dataclass(frozen=True)
class Verdict:
    """What ``check`` says.

    Attributes:
        words: the sentence or sentences that it prints.
        solved: whether the answer is right; None where there is none yet.
        helped: whether the words say what went wrong, and not only what came out.
    """

    words: str
    solved: bool | None
    helped: bool = False


def verdict(exercise, answer):
    """:class:`Verdict` on an answer."""
    number = exercise.number
    if answer is ...:
        return Verdict(f"{number} not answered yet. Replace the dots, then run the cell again.", None)
    if exercise.asks_for_a_function and not callable(answer):
        return Verdict(f"{number} needs the function `{exercise.answer}`, got {describe(answer)}.", False, True)
    if callable(answer) and not exercise.asks_for_a_function and not isinstance(exercise.reference, tuple):
        words = f"{number} needs a value in `{exercise.answer}`, got a function. Write its result instead."
        return Verdict(words, False, True)
    if exercise.trains:
        return judgement(exercise, answer)
    try:
        return within(2 * LONGEST - LIMIT, lambda: judgement(exercise, answer))  # a result may hang when it is shown
    except TimeUp:
        return Verdict(f"{number} not yet: `{exercise.answer}` {NO_END}", False)


def judgement(exercise, answer):
    """:class:`Verdict` on an answer that is there and of the right kind."""
    number = exercise.number
    # What is right is known before the answer runs, which may overwrite what the reference needs. A judge looks at it,
    # too: so whatever must be loaded for judging is loaded, and takes nothing from the answer's time.
    reference = exercise.reference if exercise.asks_for_a_function else lambda: exercise.reference
    expected = supervised(lambda: [outcome_of(reference, case) for case in exercise.cases])
    if exercise.accept and not exercise.trains:
        supervised(lambda: complaint(exercise, 0, expected[0], None))

    def judge(k, outcome):
        return complaint(exercise, k, outcome, expected[k])

    trials = tried(exercise, answer, judge, expected)
    outcomes = [trial.outcome for trial in trials]
    if all(outcome.error is None and (outcome.result is None or outcome.result is ...) for outcome in outcomes):
        how = "returned None" if exercise.asks_for_a_function else "is None"
        words = f"{number} not answered yet: `{exercise.answer}` {how}. Replace the dots"
        words += "; if you have, end with `return`. Then run the cell again." if exercise.asks_for_a_function else "."
        return Verdict(words, None)
    if any(trial.complaint for trial in trials):
        return rejection(exercise, answer, trials, judge)
    changed = next((trial for trial in trials if trial.outcome.changed), None)
    if not changed:
        praise = f" {supervised(lambda: exercise.praise(outcomes[-1].result))}" if exercise.praise else ""
        cases = f", over {len(exercise.cases)} cases" if len(exercise.cases) > 1 else ""
        return Verdict(f"{number} correct{cases}.{praise}", True)
    words = (
        f"gives what is asked for, but changes its argument `{changed.outcome.changed}`: whoever calls it finds "
        "something else there than before. Work on a copy."
    )
    return Verdict(f"{number} not yet: {call(exercise, changed.case)} {words}", False, True)


def rejection(exercise, answer, trials, judge):
    """:class:`Verdict` on an answer some of whose trials have a complaint."""
    sentence, shown = diagnosis(exercise, answer, trials, judge)
    words = f"{exercise.number} not yet: {call(exercise, shown.case)} {shown.complaint}"
    if sentence and sentence not in words:
        words += f"\n  {sentence}"
    if exercise.section:
        lesson, _, heading = exercise.section.partition(" · ")
        words += f"\n  Read in lesson {lesson}: {heading}"
    told = shown.outcome.last or (exercise.accept and not shown.outcome.error)  # what is wrong is said
    return Verdict(words, False, bool(sentence or told))


def tried(exercise, answer, judge, expected):
    """An answer's trials, one a case; none after the one that shows that it makes no sense to go on."""
    trials, began = [], time.monotonic()
    function = answer if exercise.asks_for_a_function else lambda: answer
    for k, case in enumerate(exercise.cases):
        outcome = attempt(function, case, seconds=min(LIMIT, max(LONGEST - (time.monotonic() - began), 0.1)))
        try:
            # what was written by a learner gets a limited time; a value is judged by trainings of our own
            words = supervised(lambda k=k, outcome=outcome: judge(k, outcome), None if exercise.trains else LIMIT)
        except TimeUp:  # of a layer, say, that does not answer
            words, outcome = NO_END, Outcome(outcome.result, last=True)
        trials.append(Trial(case, outcome, words, expected[k]))
        if outcome.last:
            break
    return trials


def complaint(exercise, k, outcome, expected):
    """What is wrong with an outcome on the case number k, or None."""
    if outcome.words:
        return outcome.words
    if not exercise.accept:
        if expected.error:
            raise ValueError(f"the reference of exercise {exercise.number} {expected.words}")
        return difference(outcome.result, expected.result)
    try:
        return exercise.accept(outcome.result, *copy.deepcopy(exercise.cases[k]))
    except (TimeUp, KeyboardInterrupt):
        raise
    except BaseException as error:  # the result is of a kind that the exercise does not foresee
        return f"gave {describe(outcome.result)}, which is not the kind of answer asked for ({error_words(error)})."

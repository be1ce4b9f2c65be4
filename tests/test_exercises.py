"""The contract that every exercise keeps, and the sentences of ``check``."""

import _thread
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from sparsecourse.exercises import Exercise, Mistake, check, checking, exercises, showing
from sparsecourse.exercises.comparing import TOLERANCE

ALL = exercises()
TRAIN = {"6.4", "7.5", "8.4", "11.5"}  # the answer is trained, for seconds


def each(rows):
    """Parameters whose first is an exercise's number; where an answer is trained, they are slow."""
    return [pytest.param(*row, marks=[pytest.mark.slow] if row[0] in TRAIN else []) for row in rows]


def verdict(exercise, answer):
    """The words of a verdict."""
    return checking.verdict(exercise, answer).words


def said(capsys, number, answer):
    check(number, answer)
    return capsys.readouterr().out


class Unshowable:
    """An object that refuses to be shown or to become an array."""

    def __repr__(self):
        raise RuntimeError

    def __array__(self, *_arguments, **_options):
        raise SystemExit


def bad_answers(exercise):
    """Answers that are not even of the right kind, by name."""
    values = {
        "nan": float("nan"),
        "infinity": np.inf,
        "text": "eighty per cent",
        "object": object(),
        "ragged": [[1.0, 2.0], [3.0]],
        "wrong shape": np.zeros((7, 1, 3)),
        "empty": [],
        "dictionary": {"a": 1},
        "itself": np.array([object(), None]),
        "complex": 1j,
        "tensor of NaN": torch.full((2, 2), torch.nan),
        "a type": float,
        "sparse tensor": torch.eye(3).to_sparse(),
        "bfloat16": torch.ones(2, dtype=torch.bfloat16),
        "can't be shown": Unshowable(),
    }
    if not exercise.asks_for_a_function:
        return values | {"a function": lambda: exercise.reference}

    def raises(*_arguments):
        raise RuntimeError("two\nlines")

    def leaves(*_arguments):
        raise SystemExit

    def empty_error(*_arguments):
        raise AssertionError

    functions = {name: (lambda *_arguments, value=value: value) for name, value in values.items()}
    return functions | {
        "raises": raises,
        "leaves": leaves,
        "says nothing": empty_error,
        "wrong number of arguments": lambda a, b, c, d, e, f: None,
        "no function": 3,
    }


@pytest.mark.parametrize("number", ALL)
def test_stub_is_not_answered(number, capsys):
    stub = (lambda *_arguments: None) if ALL[number].asks_for_a_function else ...
    assert said(capsys, number, stub).startswith(f"{number} not answered yet")
    dots = (lambda *_arguments: ...) if ALL[number].asks_for_a_function else ...
    assert said(capsys, number, dots).startswith(f"{number} not answered yet")


@pytest.mark.parametrize("number", [number for number in ALL if number not in TRAIN])  # those in the lessons' own runs
def test_reference_is_correct(number, capsys):
    assert said(capsys, number, ALL[number].reference).startswith(f"{number} correct")


@pytest.mark.parametrize("number", ALL)
def test_at_least_two_mistakes_with_sentences_of_their_own(number):
    sentences = [mistake.sentence for mistake in ALL[number].mistakes]
    assert len(sentences) >= 2
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    ("number", "place"), each((number, place) for number in ALL for place in range(len(ALL[number].mistakes)))
)
def test_every_mistake_gets_its_own_sentence(number, place, capsys):
    mistake = ALL[number].mistakes[place]
    out = said(capsys, number, mistake.wrong)
    assert out.startswith(f"{number} not yet"), f"mistake {place} passes, or the reference fails: {out}"
    assert mistake.sentence in out, f"mistake {place} is answered with another's sentence: {out}"


@pytest.mark.parametrize(("number", "kind"), [(number, kind) for number in ALL for kind in bad_answers(ALL[number])])
def test_a_bad_answer_gets_a_sentence(number, kind, capsys):
    out = said(capsys, number, bad_answers(ALL[number])[kind])
    assert out.startswith((f"{number} not yet", f"{number} needs the function", f"{number} needs a value"))
    assert "Traceback" not in out
    assert len(out) < 600


@pytest.mark.parametrize("number", [number for number in ALL if ALL[number].asks_for_a_function])
def test_an_answer_that_changes_its_arguments_is_told_so_and_spoils_no_later_one(number):
    exercise = ALL[number]
    arrays = [argument for case in exercise.cases for argument in case if isinstance(argument, np.ndarray)]

    def careless(*arguments):
        result = exercise.reference(*arguments)
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument[...] = 7
        return result

    if any((array != 7).any() for array in arrays):
        assert "changes its argument" in verdict(exercise, careless)
    assert verdict(exercise, exercise.reference).startswith(f"{number} correct")


# -------------------------------------------------------------------------------------- the sentences themselves

DOUBLE = Exercise(
    number="9.9",
    answer="double",
    reference=lambda W: 2 * np.asarray(W),
    cases=((np.array([1.0]),), (np.array([1.0, 2.0]),), (np.array([[3.0]]),)),
    mistakes=(Mistake(lambda W: W**2, "That is the square."), Mistake(lambda W: W, "That is W itself.")),
)


def test_smallest_failing_case_and_largest_difference():
    wrong_from_the_second_case = lambda W: 2 * W if W.size == 1 else 2 * W + np.arange(W.size)  # noqa: E731
    assert verdict(DOUBLE, wrong_from_the_second_case) == (
        "9.9 not yet: `double([1., 2.])` gave [2., 5.], expected [2., 4.]. Largest difference: 1."
    )


def test_the_smallest_failing_case_is_shown_even_if_a_later_one_raises():
    def answer(W):
        if W.ndim == 2:
            raise IndexError("too far")
        return 0 * W

    assert verdict(DOUBLE, answer).startswith("9.9 not yet: `double([1.])` gave [0.], expected [2.].")


def test_a_mistake_that_raises_is_named_when_it_raises_on_the_same_cases():
    exercise = Exercise(
        number="9.7",
        answer="product",
        reference=lambda A, B: A @ B.T,
        cases=((np.ones((2, 2)), np.eye(2)), (np.ones((2, 3)), np.ones((1, 3)))),
        mistakes=(Mistake(lambda A, B: A @ B, "Transpose."), Mistake(lambda A, B: A, "That is A.")),
    )
    words = verdict(exercise, lambda A, B: np.matmul(A, B))
    assert "`product(array" not in words
    assert words.splitlines()[1] == "  Transpose."
    assert "Transpose" not in verdict(exercise, lambda A, B: A @ B if len(A) == len(B) else 0 * A)


def test_a_forgotten_return_is_thought_of():
    assert "end with `return`" in verdict(DOUBLE, lambda W: print(end=""))


def test_no_mistake_is_named_that_was_not_made():
    assert "square" not in verdict(DOUBLE, lambda W: W**2 + 1)


SLIPPED = Exercise(
    number="9.6",
    answer="half",
    reference=lambda W: np.asarray(W) / 2,
    cases=((np.array([[1.0, 3.0]]),), (np.array([[0.5, 4.0], [3.0, 9.0]]),)),
    mistakes=(Mistake(lambda W: W, "That is W itself."), Mistake(lambda W: 2 * W, "That is twice W.")),
)


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda W: (W / 2).T, "transposed"),
        (lambda W: (W / 2).astype(int), "decimal point are lost"),
        (lambda W: -W / 2, "the sign is not"),
        (lambda W: W / 2 + 1, "one too many"),
        (lambda W: W / 2 - 1, "one too few"),
        (lambda W: 1 - W / 2, "counts the other part"),
        (lambda W: (W / 2) ** 2, "a root is missing"),
        (lambda W: np.sqrt(W / 2), "a root too many"),
    ],
)
def test_a_slip_that_any_answer_may_make_has_a_sentence(slip, words):
    first, *more = verdict(SLIPPED, slip).splitlines()
    assert first.startswith("9.6 not yet")
    assert len(more) == 1
    assert words in more[0]
    assert "\n" not in verdict(SLIPPED, lambda W: slip(W) + (W > 8))  # on one case it is something else


def test_tensors_lists_and_float32_pass():
    for answer in (
        lambda W: torch.tensor(2 * W),
        lambda W: (2 * W).tolist(),
        lambda W: (2 * W).astype("float32"),
        lambda W: 2 * W * (1 + TOLERANCE / 10),
    ):
        assert verdict(DOUBLE, answer) == "9.9 correct, over 3 cases."


def test_one_interrupt_ends_the_whole_check(monkeypatch, tmp_path, capsys):
    """As the stop button sends it, while an answer runs that never ends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPARSECOURSE_PROGRESS", raising=False)
    calls = []

    def endless(cut, weights):
        calls.append(cut)
        _thread.interrupt_main()
        while True:
            pass

    check("0.1", endless)
    assert capsys.readouterr().out == "0.1 was stopped by you, and is not judged.\n"
    assert len(calls) == 1
    assert not (tmp_path / "progress.jsonl").exists()


@pytest.mark.parametrize(("answer", "sign", "words"), [(6, "✓", "9.5 correct."), (7, "✗", "9.5 not yet: `n` gave 7")])
def test_a_notebook_shows_a_verdict_with_a_sign_beside_the_same_words(answer, sign, words, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(showing, "get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(showing, "display", lambda data, raw: shown.append(data))
    monkeypatch.setattr(checking, "exercises", lambda: {"9.5": Exercise("9.5", "n", reference=6)})
    check("9.5", answer)
    (data,) = shown
    assert data["text/plain"].startswith(words)
    block = BeautifulSoup(data["text/html"], "html.parser").div
    mark = block.span.extract()
    assert (mark.text, mark["aria-hidden"], block["role"]) == (sign, "true", "status")
    assert block.text == data["text/plain"]
    assert capsys.readouterr().out == ""


def test_a_stub_in_a_notebook_is_plain_text(monkeypatch, capsys):
    monkeypatch.setattr(showing, "get_ipython", lambda: SimpleNamespace(kernel=True))
    assert said(capsys, "2.1", ...).startswith("2.1 not answered yet")


def test_a_learner_s_markup_is_shown_as_it_is_written():
    assert "gave &lt;b&gt;" in showing.verdict_html("gave <b>", False)


def test_unknown_number(capsys):
    assert said(capsys, "77.1", None).startswith("There is no exercise 77.1. The exercises are 0.1")


def test_two_exercises_with_one_number_are_refused(monkeypatch):
    from sparsecourse.exercises import lesson00

    monkeypatch.setattr(lesson00, "EXERCISES", lesson00.EXERCISES * 2)
    with pytest.raises(ValueError, match=r"0\.1 is defined twice"):
        exercises()


def test_true_is_no_number():
    assert verdict(Exercise("9.8", "n", reference=1), True) == "9.8 not yet: `n` gave True, expected a single number."
    assert verdict(Exercise("9.8", "n", reference=True), 1) == "9.8 not yet: `n` gave 1, expected True."

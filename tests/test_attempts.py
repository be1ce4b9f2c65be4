"""``check`` never raises, never hangs, and leaves everything as it was, whatever an answer does."""

import _thread
import builtins
import random
import time

import numpy as np
import pytest
import torch

from sparsecourse import training
from sparsecourse.exercises import attempts, check, checking, exercises, lesson06, lesson07, lesson08, lesson11

ALL = exercises()
SOON = 15  # seconds; on a calm machine it takes half of that


def said(capsys, answer, number="0.1"):
    check(number, answer)
    return capsys.readouterr().out


def endless(weights, cut):
    while True:
        pass


def endless_and_holding_on(weights, cut):
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass


def asleep(weights, cut):
    time.sleep(60)


@pytest.mark.parametrize("answer", [endless, endless_and_holding_on, asleep])
def test_a_hang_is_ended_within_ten_seconds(answer, capsys):
    began = time.monotonic()
    assert "gave no answer in time" in said(capsys, answer)
    assert time.monotonic() - began < SOON


def test_of_what_has_no_end_a_part_is_taken(capsys):
    assert "gave a list of 100000 numbers" in said(capsys, lambda weights, cut: iter(int, 1))


def test_a_layer_that_does_not_answer_is_ended_too(capsys):
    class Hanging(torch.nn.Linear):
        def forward(self, x):
            while True:
                pass

    began = time.monotonic()
    assert "gave no answer in time" in said(capsys, lambda n_in, n_out, S: Hanging(n_in, n_out), "9.2")
    assert time.monotonic() - began < SOON


def test_many_slow_calls_are_ended_together(monkeypatch):
    monkeypatch.setattr(checking, "LONGEST", 1.0)

    def slow(*arguments):
        time.sleep(0.4)
        return ALL["7.4"].reference(*arguments)

    began = time.monotonic()
    assert "gave no answer in time" in checking.verdict(ALL["7.4"], slow).words
    assert time.monotonic() - began < 5


def test_what_was_ended_runs_no_longer():
    turns = []

    def counting(weights, cut):
        while True:
            turns.append(0)
            time.sleep(0.001)

    attempts.attempt(counting, (1, 1), seconds=0.2)
    then = len(turns)
    time.sleep(0.3)
    assert len(turns) == then


def test_an_interrupt_during_a_training_ends_the_check(monkeypatch, capsys):
    def train(*_arguments, **_options):
        _thread.interrupt_main()
        time.sleep(5)

    monkeypatch.setattr(training, "train", train)
    lesson06._trained.cache_clear()
    assert said(capsys, [0.3, 0.75, 0.31], "6.4") == "6.4 was stopped by you, and is not judged.\n"


def test_nothing_is_read_from_the_keyboard_and_it_is_said_once(capsys):
    out = said(capsys, lambda weights, cut: int(input("How many? ")))
    assert out.count("waits for something to be typed") == 1
    assert builtins.input is attempts.builtins.input


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MuteError(), "stopped with MuteError."),
        (ValueError("\n\n  late words\nmore"), "stopped with ValueError: late words."),
        (SystemExit(), "stopped with SystemExit."),
        (KeyError("a"), "stopped with KeyError: 'a'."),
    ],
)
def test_an_error_is_named_whatever_it_says(error, words, capsys):
    def answer(weights, cut):
        raise error

    assert words in said(capsys, answer)


def test_an_error_of_a_judge_is_named(capsys):
    assert "(TypeError:" in said(capsys, [object()] * 3, "6.4")


def test_results_in_one_list_that_is_filled_anew_are_taken_as_they_came():
    kept = []

    def answer(n_out, n_in, fan_in):
        kept[:] = ALL["7.3"].reference(n_out, n_in, fan_in).tolist()
        return kept

    assert checking.verdict(ALL["7.3"], answer).solved


@pytest.fixture
def notebook_state():
    """A notebook that has set everything otherwise."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    yield
    torch.set_grad_enabled(True)
    torch.set_default_dtype(dtype)


def test_what_a_notebook_has_set_does_no_harm_and_stays(notebook_state):
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    for number in ("9.2", "9.4", "5.1"):
        assert checking.verdict(ALL[number], ALL[number].reference).solved, number
    assert torch.get_default_dtype() == torch.float64
    assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]


def test_the_verdict_on_random_weights_is_no_toss_of_a_coin():
    verdicts = set()
    for seed in range(5):
        torch.manual_seed(seed)
        verdicts.add(checking.verdict(ALL["9.2"], ALL["9.2"].reference).words)
    assert len(verdicts) == 1


BROKEN = [
    ("6.4", [0.1, 0.1, 0.1], "must go"),
    ("6.4", [0.6, 0.6], "three sparsities"),
    ("7.5", [np.ones(shape) for shape in lesson07.SHAPES], "budget"),
    ("7.5", [np.ones((2, 2))] * 3, "shapes"),
    ("7.5", [np.zeros(shape) for shape in lesson07.SHAPES], "no path"),
    ("8.4", (0.05, 0.5, 20.5), "whole number"),
    ("8.4", (0.5, 0.05, 20), "refused"),
    ("8.4", (0.05, 0.5, 400), "no more than one a step"),
    ("11.5", np.ones(lesson11.SHAPE), "At most 12"),
    ("11.5", np.zeros(lesson11.SHAPE), "blindly"),
]


@pytest.mark.parametrize(("number", "answer", "words"), BROKEN)
def test_cheap_rules_come_before_any_training(number, answer, words, monkeypatch):
    def no_training(*_arguments, **_options):
        raise AssertionError("it was trained")

    for module in (lesson06, lesson07, lesson08, lesson11):
        monkeypatch.setattr(module.training, "train", no_training)
    lesson06._trained.cache_clear()
    verdict = checking.verdict(ALL[number], answer)
    assert words in verdict.words
    assert "trained" not in verdict.words


def test_a_budget_is_told_in_weights_where_per_cent_would_look_alike():
    words = checking.verdict(ALL["6.4"], [0.5, 0.699, 0.009]).words
    assert "cuts 8,999 of 15,000 weights. At least 60% must go: 9,000, 1 more." in words


def test_an_answer_written_for_tensors_is_understood():
    """The lesson's own soft threshold takes tensors."""

    def soft(a, lam):
        return a.sign() * (a.abs() - lam).clamp(min=0)

    assert checking.verdict(ALL["5.1"], lambda a, lam: soft(torch.as_tensor(a), lam)).solved
    assert checking.verdict(ALL["5.2"], lambda w, gradient, rate, lam: soft(w - rate * gradient, rate * lam)).solved


def test_a_function_that_keeps_something_between_calls_is_told_so():
    seen = []

    def answer(weights, cut):
        seen.append(cut)
        return weights - sum(seen)

    assert "two answers" in checking.verdict(ALL["0.1"], answer).words


class Looping:
    """A result that never becomes an array, and is never shown."""

    def __array__(self, *_arguments, **_options):
        while True:
            pass

    def __repr__(self):
        while True:
            pass


def test_a_result_that_hangs_when_it_is_looked_at_is_ended():
    began = time.monotonic()
    assert "gave no answer in time" in checking.verdict(ALL["2.1"], lambda W: Looping()).words
    assert time.monotonic() - began < SOON


def test_functions_that_are_handed_over_have_a_limited_time_too():
    def pack(W):
        while True:
            pass

    began = time.monotonic()
    assert "gave no answer in time" in checking.verdict(ALL["10.4"], (pack, pack)).words
    assert time.monotonic() - began < SOON


def test_what_an_answer_overwrites_does_not_make_it_right(monkeypatch):
    monkeypatch.setattr(np, "mean", np.mean)  # put back afterwards

    def answer(W):
        np.mean = lambda *_arguments, **_options: 0.5
        return 0.5

    assert checking.verdict(ALL["2.1"], answer).solved is False


def test_a_broken_notebook_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(np.random, "seed", 42)
    assert "can't be judged: TypeError" in said(capsys, lambda weights, cut: weights - cut)


@pytest.mark.parametrize("item", [None, np.int64(3), {"a": 1}, 0.5])
def test_items_of_a_list_that_were_replaced_are_noticed(item):
    def answer(layers):
        right = ALL["2.3"].reference(layers)
        layers[0] = item
        return right

    words = checking.verdict(ALL["2.3"], answer).words
    assert "changes its argument `layers`" in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("number", "answer", "words"),
    [
        ("2.1", lambda W: 0, "same answer whatever"),
        ("2.1", lambda W: np.mean(W) * np.nan, "divides by zero"),
        ("2.1", lambda W: lambda: 3, "gave a function"),
        ("2.1", lambda W: [np.mean(W == 0)], "one number in a list"),
        ("1.3", lambda sizes: ("parameters", 5), "parameters"),
        ("2.1", lambda: 3, "other arguments than it takes"),
    ],
)
def test_odd_results_get_a_sentence_that_is_true(number, answer, words):
    found = checking.verdict(ALL[number], answer).words
    assert words in found
    assert "two answers" not in found


def test_tensors_in_lists_are_understood():
    answer = lambda layers: sum((W == 0).sum().item() for W in layers) / sum(W.numel() for W in layers)  # noqa: E731
    assert checking.verdict(ALL["2.3"], answer).solved


def test_an_argument_without_a_use_is_named():
    assert "never uses its argument `tau`" in checking.verdict(ALL["2.4"], _without_tau).words


def _without_tau(W, tau):
    return np.mean(np.abs(W) < 0.1 * np.sqrt(np.mean(W**2)))

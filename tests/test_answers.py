"""Answers that learners gave: none that is wrong is called correct, and each gets a sentence that fits.

wrong_answers.jsonl holds them, one a line: exercise, source, and a regular expression for the sentence.
"""

import json
import re
from pathlib import Path

import pytest

from tools import mutants

NAMES = {exercise.number: (exercise, names) for exercise, _, names in mutants.answers(trained=True)}
WRONG = [json.loads(line) for line in (Path(__file__).parent / "wrong_answers.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("answer", WRONG, ids=[f"{k}-{answer['exercise']}" for k, answer in enumerate(WRONG, 1)])
def test_a_wrong_answer_is_not_called_correct_and_gets_a_sentence_that_fits(answer):
    exercise, names = NAMES[answer["exercise"]]
    verdict = mutants.verdict(exercise, answer["source"], names)
    assert verdict.solved is False, verdict.words
    if answer["sentence"]:
        assert re.search(answer["sentence"], verdict.words), verdict.words

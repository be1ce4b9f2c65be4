"""The Python examples of the pages run, each page from its top to its end.

What an example takes for granted, and what must come of it, stands beside it in a comment that no reader sees:
`<!-- invisible-code-block: python`, then lines of Python, then `-->`.
"""

import functools
import re
import runpy

import numpy as np
import pytest
from PIL import Image
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser

from sparsecourse import training
from sparsecourse.exercises import exercises
from tools import lessons

PAGES = ("*.md", "data/**/*.md", "docs/**/*.md", "workshop/**/*.md")


def examples(path):
    """The examples of a page. They share one namespace, so a later one can use what an earlier one made."""
    return list(Document.parse(str(path), PythonCodeBlockParser(), encoding="utf-8").examples())


@pytest.mark.parametrize(
    "page",
    [
        path.relative_to(lessons.ROOT).as_posix()
        for pattern in PAGES
        for path in sorted(lessons.ROOT.glob(pattern))
        if examples(path)
    ],
)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what an example writes is no one's
    monkeypatch.setattr(training, "train", functools.partial(training.train, steps=100))  # in a second, not in ten
    for example in examples(lessons.ROOT / page):
        example.evaluate()


# --------------------------------------------------------------------------------------------------------- the README


README = (lessons.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short_and_its_picture_comes_before_its_commands():
    assert len(README.splitlines()) < 80
    assert README.index("docs/drive.gif") < README.index("## Two commands") < README.index("## The course")


def test_the_readme_counts_the_exercises_of_the_lessons():
    taught = [number for number in exercises() if not number.startswith(lessons.SELF_TEST[:2])]
    assert re.search(r"^(\d+) exercises are checked", README, re.MULTILINE)[1] == str(len(taught))


def test_the_moving_picture_is_what_its_script_draws():
    script = runpy.run_path(str(lessons.ROOT / "docs" / "drive.py"))
    with Image.open(lessons.ROOT / "docs" / "drive.gif") as picture:
        assert picture.n_frames == len(script["MOMENTS"])
        assert "loop" not in picture.info  # it comes to rest
        first = np.asarray(picture.convert("RGB"), dtype=float)
    drawn = np.asarray(script["frame"](script["MOMENTS"][0]), dtype=float)
    assert np.abs(first - drawn).mean() < 6  # of 255: the picture has few colours

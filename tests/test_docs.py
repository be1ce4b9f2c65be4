"""The Python examples of the pages run, each page from its top to its end.

What an example takes for granted, and what must come of it, stands beside it in a comment that no reader sees:
`<!-- invisible-code-block: python`, then lines of Python, then `-->`.
"""

import functools

import pytest
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser

from sparsecourse import training
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

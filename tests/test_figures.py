"""Figures saved as PNG: nbval, slides and site find in them what they find in figures saved as HTML."""

import re
import subprocess
import sys

import pytest

from tools import lessons, repository, run
from workshop import slides

pytestmark = pytest.mark.slow

QUICK = ("00_start_here", "02_what_sparse_means")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course in which two quick lessons were run with their figures as PNG."""
    folder = tmp_path_factory.mktemp("png") / "course"
    repository.copy(lessons.ROOT, folder)
    for name in QUICK:
        run.execute(folder / "notebooks" / f"{name}.ipynb", "png")
    return folder


def test_strict_nbval_compares_them(course):
    paths = [f"notebooks/{name}.ipynb" for name in QUICK]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", *paths]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", QUICK)
def test_slides_have_the_same_pictures_with_their_words(course, name):
    as_png, as_html = (lessons.read(root / "notebooks" / f"{name}.ipynb") for root in (course, lessons.ROOT))
    assert lessons.figures_form(as_png) == "png"
    shown = [
        re.findall("<img [^>]+>", re.sub('base64,[^"]+', "", slides.deck("", [slides.lesson_chapter(notebook, 1)])))
        for notebook in (as_png, as_html)
    ]
    assert shown[0] == shown[1]
    assert shown[0][0].startswith('<img alt="')


def test_the_site_shows_them_with_their_words(course, tmp_path):
    command = [sys.executable, "site/build.py", "--still", "--output", str(tmp_path), "--address", ""]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in QUICK:
        page = (tmp_path / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        outputs = [
            output
            for cell in lessons.read(course / "notebooks" / f"{name}.ipynb").cells
            for output in cell.get("outputs", [])
        ]
        saved = [
            re.search('alt="[^"]+" width="[0-9]+"', figure)[0] for figure in map(lessons.figure, outputs) if figure
        ]
        assert re.findall('<img (alt="[^"]+" width="[0-9]+") height', page) == saved

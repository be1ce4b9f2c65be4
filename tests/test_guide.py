"""The instructor's guide agrees with the notebooks: notes for each lesson, and run sheets."""

import itertools
import re
from dataclasses import dataclass

import nbformat
import pytest

from sparsecourse.exercises import exercises
from tools import lessons, minutes

WORKSHOP = lessons.ROOT / "workshop"
NOTEBOOKS = {path.name[:2]: lessons.read(path) for path in lessons.paths()}
GUIDE = (WORKSHOP / "README.md").read_text(encoding="utf-8")
NOTES = {
    note[:2]: note for note in re.split(r"^## ", (WORKSHOP / "lessons.md").read_text(encoding="utf-8"), flags=re.M)[1:]
}
PARTS = (
    "Aim.",
    "They leave with",
    "Where they get stuck",
    "Ask the room",
    "Panel.",
    "May be skipped",
    "For the whole room.",
)
SLANTED = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
AT_A_STRETCH = 105  # minutes without a break

each_lesson = pytest.mark.parametrize("number", NOTEBOOKS)


def sections(number):
    """Headings within a lesson."""
    return {block.text for block in lessons.blocks(NOTEBOOKS[number]) if block.role == "section"}


def panel_sections(number):
    """Headings of a lesson below which a panel stands."""
    found, heading = set(), None
    for block in lessons.blocks(NOTEBOOKS[number]):
        heading = block.text if block.role == "section" else heading
        found |= {heading} if block.role == "panel" else set()
    return found


def numbers(text):
    """The numbers of a text that are measured: with a decimal point, a thousands separator, or per cent."""
    found = set(re.findall(r"\d+(?:[.,]\d+)+", text)) | set(re.findall(r"(\d+(?:\.\d+)?) ?%", text))
    return found - set(exercises())


# ---------------------------------------------------------------------------------------------------- lesson notes


def test_every_lesson_has_notes_in_order():
    titles = [note.splitlines()[0] for note in NOTES.values()]
    assert titles == [lessons.title(notebook) for notebook in NOTEBOOKS.values()]


@each_lesson
def test_notes_name_minutes_and_exercises_of_the_lesson(number):
    words = minutes.in_words(lessons.minutes(NOTEBOOKS[number]))
    cards = "; ".join(
        f"{card.number} {card.title} ({card.minutes}{', deeper' if card.deeper else ''})"
        for card in lessons.cards(NOTEBOOKS[number])
    )
    assert NOTES[number].splitlines()[2] == f"{words[0].upper()}{words[1:]} · {cards}"


@each_lesson
def test_notes_have_all_parts(number):
    assert re.findall(r"^\*\*([A-Z].+?)\*\*", NOTES[number], flags=re.M) == list(PARTS)
    asked = NOTES[number].split("**Ask the room**")[1].split("**Panel.**")[0]
    questions = re.findall(r"^\d\. .+", asked, flags=re.M)
    assert 2 <= len(questions) <= 3
    assert all(" → " in question for question in questions), "a question needs its answer after an arrow"


@each_lesson
def test_notes_name_headings_and_exercises_that_exist(number):
    assert set(SLANTED.findall(NOTES[number])) <= sections(number)
    assert set(re.findall(r"\*\*(\d+\.\d+)\*\*", NOTES[number])) <= set(exercises())
    shown = NOTES[number].split("**Panel.**")[1].split("**May be skipped")[0]
    assert set(SLANTED.findall(shown)) & panel_sections(number), "the panel stands in another section"


@each_lesson
def test_quoted_sentences_are_what_the_checker_says(number):
    stuck = NOTES[number].split("**Where they get stuck**")[1].split("**Ask the room**")[0]
    quoted = re.findall(r'^- \*\*(\d+\.\d+)\*\* .*?→ "(.+)"$', stuck, flags=re.M)
    assert quoted, "no mistake is quoted"
    for exercise, sentence in quoted:
        assert sentence in [mistake.sentence for mistake in exercises()[exercise].mistakes], exercise


@each_lesson
def test_measured_numbers_are_those_of_the_lesson(number):
    outputs = [output for cell in NOTEBOOKS[number].cells for output in cell.get("outputs", [])]
    printed = [output for output in outputs if "<img" not in output.get("data", {}).get("text/html", "")]
    page = "\n".join([*(cell.source for cell in NOTEBOOKS[number].cells), lessons.said(printed)])
    known = set(re.findall(r"\d+(?:[.,]\d+)*", page))
    assert numbers(NOTES[number].split("\n", 3)[3]) <= known


# ------------------------------------------------------------------------------------------------------ run sheets


@dataclass(frozen=True)
class Row:
    """A line of a run sheet."""

    at: str
    minutes: int
    lesson: str
    what: str


def sheet(markdown):
    """The rows of a run sheet."""
    rows = []
    for line in re.findall(r"^\| (\d+:\d\d .+) \|$", markdown, flags=re.M):
        at, minutes, lesson, what = (cell.strip() for cell in line.split("|"))
        rows.append(Row(at, int(minutes), lesson, what))
    return rows


def held(row):
    """The part of a lesson that a row holds: all of it, or the core with the deeper sections that it names."""
    notebook = NOTEBOOKS[row.lesson]
    if row.what == "All of it":
        return notebook
    assert row.what.startswith("The core"), row
    wanted, section, kept = set(SLANTED.findall(row.what)), "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            section = cell.source.splitlines()[0].removeprefix("## ").removeprefix(lessons.DEEPER)
        if "deeper" not in lessons.tags(cell) or section in wanted:
            kept.append(cell)
    return nbformat.from_dict({**notebook, "cells": kept})


SHEETS = {
    name: (int(minutes), sheet(body))
    for name, minutes, body in re.findall(r"^### ([^\n]+): (\d+) minutes\n(.*?)(?=^##|\Z)", GUIDE, flags=re.M | re.S)
}
FIRST, SECOND = "Two days, the first", "Two days, the second"
COURSES = {name: rows for name, (_, rows) in SHEETS.items() if name not in (FIRST, SECOND)}
COURSES["Two days"] = SHEETS[FIRST][1] + SHEETS[SECOND][1]


def test_there_are_three_sheets():
    assert list(COURSES) == ["Half a day", "A full day", "Two days"]


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_adds_up(name):
    length, rows = SHEETS[name]
    starts = itertools.accumulate((row.minutes for row in rows), initial=0)
    assert [row.at for row in rows] == [f"{start // 60}:{start % 60:02}" for start in list(starts)[:-1]]
    assert sum(row.minutes for row in rows) == length


@pytest.mark.parametrize("name", SHEETS)
def test_nobody_sits_too_long(name):
    pauses = itertools.groupby(SHEETS[name][1], key=lambda row: row.what in ("Break", "Lunch"))
    stretches = [sum(row.minutes for row in rows) for is_pause, rows in pauses if not is_pause]
    assert len(stretches) > 1
    assert max(stretches) <= AT_A_STRETCH


@pytest.mark.parametrize("name", COURSES)
def test_a_sheet_takes_the_minutes_that_are_counted(name):
    for row in COURSES[name]:
        if row.lesson and not row.what.startswith("Told from"):
            assert row.minutes == 5 * round(minutes.minutes(held(row)) / 5), row


@pytest.mark.parametrize("name", COURSES)
def test_a_sheet_has_slack(name):
    assert sum(row.minutes for row in COURSES[name] if row.what.startswith("Slack")) >= 10


@pytest.mark.parametrize("name", COURSES)
def test_no_lesson_comes_before_what_it_builds_on(name):
    order = [row.lesson for row in COURSES[name] if row.lesson]
    assert order == sorted(order)
    for number in order:
        needed = re.findall(r"\[(\d\d) · ", lessons.builds_on(NOTEBOOKS[number]))
        assert set(needed) <= set(order[: order.index(number)]), number


@pytest.mark.parametrize("name", COURSES)
def test_a_sheet_names_deeper_sections_that_exist(name):
    for row in COURSES[name]:
        deeper = (
            {block.text for block in lessons.blocks(NOTEBOOKS[row.lesson]) if block.deeper} if row.lesson else set()
        )
        assert set(SLANTED.findall(row.what)) <= deeper, row


def test_links_of_the_guide_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", GUIDE):
        assert (WORKSHOP / target).exists(), target

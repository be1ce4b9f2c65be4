"""The run sheets of workshop/sheets.md as data, and the minutes that a room takes for what a row of them holds.

A row of a lesson says what of it is held: "All of it", or "The core", which may name deeper sections that are added, or
else only the sections that it names ("Of the core", and "Told" where nobody types). Its column of exercises names those
that the room does, its column of votes how many of the predictions it votes on.
"""

import copy
import math
import re
from dataclasses import dataclass

from tools import lessons, minutes

PAGE = lessons.ROOT / "workshop" / "sheets.md"

# What a room takes beyond reading, which goes as fast as at a desk. They follow from how README.md runs a lesson, and
# no room has been timed yet; the last column of the sheets is there for that.
VOTE = 2  # minutes: half of one in silence, hands and counts, and the counts again after the run
PANEL = 3  # minutes: one in front, two for everybody
CELL = 1 / 6  # minute: to find a cell and run it, where the room types
TOGETHER = 1  # minute after each exercise, for what the checker said to many

SLANTED = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
SHEET = re.compile(
    r"^## (?P<title>[^\n]+): (?P<minutes>\d+) minutes\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
PAUSES = ("Break", "Lunch")
NOTEBOOKS = {path.name[:2]: lessons.read(path) for path in lessons.paths()}


@dataclass(frozen=True)
class Row:
    """A line of a run sheet.

    Attributes:
        at: when it begins, as in 1:05.
        minutes: what it is given.
        lesson: two digits, or nothing.
        what: what happens.
        votes: how many predictions the room votes on.
        exercises: the numbers of those that the room does.
        took: what it took, for the instructor's pen.
    """

    at: str
    minutes: int
    lesson: str
    what: str
    votes: int
    exercises: tuple
    took: str

    @property
    def named(self):
        """The sections that it names."""
        return SLANTED.findall(self.what)

    @property
    def above(self):
        """The section before which the room runs all that stands above it; None where it need not."""
        found = re.search(r"\*([^*]+)\* \(run all above\)", self.what)
        return found and found[1]


@dataclass(frozen=True)
class Sheet:
    """A run sheet.

    Attributes:
        title: as in "Half a day".
        minutes: how long it is.
        rows: its lines.
    """

    title: str
    minutes: int
    rows: tuple


def read(path=PAGE):
    """The run sheets of a page, {name that ``make slides SHEET=`` takes: Sheet}.

    Args:
        path: where the page lies.
    """
    found = {}
    for match in SHEET.finditer(path.read_text(encoding="utf-8")):
        name = re.search(r"`make slides SHEET=([\w-]+)`", match["body"])[1]
        lines = re.findall(r"^\| (\d+:\d\d .*) \|$", match["body"], flags=re.MULTILINE)
        found[name] = Sheet(match["title"], int(match["minutes"]), tuple(row(line) for line in lines))
    return found


def row(line):
    """A row from its line of the table, without the bars at its ends."""
    at, given, lesson, what, votes, done, took = (cell.strip() for cell in line.split("|"))
    return Row(at, int(given), lesson, what, int(votes or 0), tuple(re.findall(r"\d+\.\d+", done)), took)


def held(row):
    """The part of its lesson that a row holds, as a notebook: its sections, and the exercises that the room does.

    Args:
        row: of a lesson.

    Raises:
        ValueError: it names a section or an exercise that the lesson has not.
    """
    notebook = copy.deepcopy(NOTEBOOKS[row.lesson])
    cards = lessons.cards(notebook)
    known = {block.text for block in lessons.blocks(notebook) if block.role == "section"} | {c.number for c in cards}
    if missing := [name for name in (*row.named, *row.exercises) if name not in known]:
        raise ValueError(f"lesson {row.lesson} has no {', '.join(missing)}, which its row at {row.at} names")
    exercise = {cell: card.number for card in cards for cell in range(card.stub - 1, card.stub + 2)}
    cells, section = notebook.cells[:2], ""  # head and setup
    for place, cell in enumerate(notebook.cells[2:], start=2):
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            section = cell.source.splitlines()[0].removeprefix("## ").removeprefix(lessons.DEEPER)
        if place in exercise:
            kept = exercise[place] in row.exercises
        else:
            kept = section in row.named or (row.what.startswith("The core") and "deeper" not in lessons.tags(cell))
        if kept or row.what == "All of it":
            cells.append(cell)
    notebook.cells = cells
    return notebook


def needed(row):
    """Minutes that a row of a lesson needs in a room, as a number that is not rounded.

    A prediction without a vote is asked aloud and answered, as at a desk.

    Args:
        row: of a lesson.
    """
    part = held(row)
    asked = minutes.predictions(part)
    cells = 0 if row.what.startswith("Told") else sum(block.role == "code" for block in lessons.blocks(part))
    return (
        minutes.reading(part)
        + (asked - row.votes) / minutes.PREDICTIONS_A_MINUTE
        + row.votes * VOTE
        + cells * CELL
        + sum("panel" in lessons.tags(cell) for cell in part.cells) * PANEL
        + sum(card.minutes + TOGETHER for card in lessons.cards(part))
    )


def given(row):
    """The minutes that a sheet gives to a row of a lesson: what it needs, to the next five above."""
    return 5 * math.ceil(needed(row) / 5)

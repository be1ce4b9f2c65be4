"""The instructor's guide agrees with the notebooks: notes for each lesson, run sheets, the short form, forms."""

import ast
import builtins
import dataclasses
import functools
import itertools
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from sparsecourse.exercises import exercises
from sparsecourse.exercises.lesson12 import SHORT_FORM
from tools import fresh, lessons, minutes
from workshop import sheets
from workshop.sheets import NOTEBOOKS, SLANTED

WORKSHOP = lessons.ROOT / "workshop"
GUIDE = (WORKSHOP / "README.md").read_text(encoding="utf-8")
NOTES = {
    note[:2]: note for note in re.split(r"^## ", (WORKSHOP / "lessons.md").read_text(encoding="utf-8"), flags=re.M)[1:]
}
PARTS = (
    "Aim.",
    "They leave with",
    "Must, next, stretch.",
    "Where they get stuck",
    "Ask the room",
    "Panel.",
    "May be skipped",
    "For the whole room.",
)
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


def known_numbers(number):
    """The numbers in a lesson's text, code and printed results."""
    outputs = [output for cell in NOTEBOOKS[number].cells for output in cell.get("outputs", [])]
    printed = [output for output in outputs if "<img" not in output.get("data", {}).get("text/html", "")]
    page = "\n".join([*(cell.source for cell in NOTEBOOKS[number].cells), lessons.said(printed)])
    return set(re.findall(r"\d+(?:[.,]\d+)*", page))


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
    assert numbers(NOTES[number].split("\n", 3)[3]) <= known_numbers(number)


def must(number):
    """The exercises of a lesson's notes that are must, next and stretch: three lists."""
    line = re.search(r"^\*\*Must, next, stretch\.\*\* (.+)\.$", NOTES[number], flags=re.M)[1]
    words = dict(part.lower().split(" ", 1) for part in line.split("; "))
    return [re.findall(r"\d+\.\d+", words.get(word, "")) for word in ("must", "next", "stretch")]


@each_lesson
def test_must_next_stretch_sort_all_exercises_from_easy_to_hard(number):
    cards = {card.number: card for card in lessons.cards(NOTEBOOKS[number])}
    first, then, last = must(number)
    assert len(first) == 1
    assert sorted(first + then + last) == sorted(cards)
    assert set(last) == {number for number, card in cards.items() if card.deeper}
    for row in (first + then, last):
        circles = [cards[number].difficulty.count("●") for number in row]
        assert circles == sorted(circles)


@pytest.mark.parametrize("page", ["lessons.md", "sheets.md"])
def test_circles_beside_an_exercise_are_those_of_its_card(page):
    cards = {card.number: card.difficulty for notebook in NOTEBOOKS.values() for card in lessons.cards(notebook)}
    named = re.findall(r"(\d+\.\d+) ([●○]+)", (WORKSHOP / page).read_text(encoding="utf-8"))
    assert len(named) > 20
    assert {(number, circles) for number, circles in named if cards[number] != circles} == set()


# ------------------------------------------------------------------------------------------------------ run sheets


SHEETS = sheets.read()
COURSES = {name: SHEETS[name].rows for name in ("half-day", "full-day")}
COURSES["two-days"] = SHEETS["first-day"].rows + SHEETS["second-day"].rows

each_sheet = pytest.mark.parametrize("name", SHEETS)
each_course = pytest.mark.parametrize("name", COURSES)


def taught(rows):
    """The rows of lessons."""
    return [row for row in rows if row.lesson]


@functools.cache
def section_of(exercise):
    """The heading that an exercise stands below in its lesson."""
    section = None
    for block in lessons.blocks(NOTEBOOKS[f"{int(exercise.split('.')[0]):02}"]):
        section = block.text if block.role == "section" else section
        if block.role == "exercise" and block.text.startswith(f"#### Exercise {exercise} "):
            return section
    raise KeyError(exercise)


def held_sections(row):
    """Headings of what a row holds."""
    return {block.text for block in lessons.blocks(sheets.held(row)) if block.role == "section"}


def test_there_is_a_sheet_for_half_a_day_a_day_and_two_days():
    assert list(SHEETS) == ["half-day", "full-day", "first-day", "second-day"]


@each_sheet
def test_a_sheet_adds_up(name):
    rows = SHEETS[name].rows
    starts = itertools.accumulate((row.minutes for row in rows), initial=0)
    assert [row.at for row in rows] == [f"{start // 60}:{start % 60:02}" for start in list(starts)[:-1]]
    assert sum(row.minutes for row in rows) == SHEETS[name].minutes


@each_sheet
def test_nobody_sits_too_long(name):
    pauses = itertools.groupby(SHEETS[name].rows, key=lambda row: row.what in sheets.PAUSES)
    stretches = [sum(row.minutes for row in rows) for is_pause, rows in pauses if not is_pause]
    assert len(stretches) > 1
    assert max(stretches) <= AT_A_STRETCH


@each_sheet
def test_a_sheet_gives_each_lesson_the_minutes_that_it_needs(name):
    for row in taught(SHEETS[name].rows):
        assert row.minutes == sheets.given(row), row
        assert row.votes <= minutes.predictions(sheets.held(row)), row


def test_what_a_room_needs_counts_votes_panel_and_exercises():
    row = next(row for row in SHEETS["full-day"].rows if row.lesson == "03")
    needed = sheets.needed(row)
    silent = sheets.needed(dataclasses.replace(row, votes=0))
    assert needed - silent == pytest.approx(row.votes * (sheets.VOTE - 1 / minutes.PREDICTIONS_A_MINUTE))
    less = dataclasses.replace(row, exercises=())
    card = next(card for card in lessons.cards(NOTEBOOKS["03"]) if (card.number,) == row.exercises)
    words = minutes.reading(sheets.held(row)) - minutes.reading(sheets.held(less))
    assert needed - sheets.needed(less) == pytest.approx(card.minutes + sheets.TOGETHER + words)
    whole = sheets.Row("0:00", 0, "02", "The core", 0, (), "")
    named = ", ".join(f"*{section}*" for section in held_sections(whole) - {"Paint a mask"})
    without = dataclasses.replace(whole, what=f"Of the core: {named}")
    gone = minutes.reading(sheets.held(whole)) - minutes.reading(sheets.held(without))
    still = sheets.CELL  # of the picture below the panel
    assert sheets.needed(whole) - sheets.needed(without) == pytest.approx(sheets.PANEL + gone + still)


@each_sheet
def test_a_tenth_of_what_is_taught_is_slack(name):
    slack = sum(row.minutes for row in SHEETS[name].rows if row.what == "Slack")
    assert slack >= sum(row.minutes for row in taught(SHEETS[name].rows)) / 10


@each_sheet
def test_a_sheet_says_that_no_room_has_tried_it(name):
    """Until a number stands in its last column."""
    if not any(row.took for row in SHEETS[name].rows):
        assert "**Not yet tried in a room.**" in sheets.PAGE.read_text(encoding="utf-8")


@each_course
def test_no_lesson_comes_before_what_it_builds_on(name):
    order = [row.lesson for row in taught(COURSES[name])]
    assert order == sorted(order)
    for number in order:
        needed = re.findall(r"\[(\d\d) · ", lessons.builds_on(NOTEBOOKS[number]))
        assert set(needed) <= set(order[: order.index(number)]), number


@each_sheet
def test_what_a_row_names_is_core_or_deeper_as_it_says(name):
    for row in taught(SHEETS[name].rows):
        blocks = [block for block in lessons.blocks(NOTEBOOKS[row.lesson]) if block.role == "section"]
        named = {block.deeper for block in blocks if block.text in row.named}
        assert row.what.split(":")[0] in ("All of it", "The core", "The core; deeper", "Of the core", "Told"), row
        assert named <= {row.what.startswith("The core; deeper")}, row


@each_sheet
def test_the_room_does_what_it_must_and_where_it_stands(name):
    for row in taught(SHEETS[name].rows):
        assert {section_of(exercise) for exercise in row.exercises} <= held_sections(row), row
        if row.what.startswith("Told"):
            assert not row.exercises, row
        else:
            assert set(must(row.lesson)[0]) <= set(row.exercises), row


@each_sheet
def test_the_room_has_run_what_its_cells_need(name):
    """Where a row leaves out a cell that gives a name, it says before which section the room runs all above."""
    for row in taught(SHEETS[name].rows):
        if not row.what.startswith("Told"):
            assert names_that_nobody_gave(row) == {}, row


def names_that_nobody_gave(row):
    """Of the cells that a row holds: {first line: names it uses that neither it nor one before it gives}."""
    known, missing = {*dir(builtins), "get_ipython"}, {}
    for cell in sheets.held(row).cells:
        if row.above and cell.source.splitlines()[0] in (f"## {row.above}", f"## {lessons.DEEPER}{row.above}"):
            whole = NOTEBOOKS[row.lesson].cells
            before = whole[: [each.id for each in whole].index(cell.id)]
            known = known.union(*(given_by(each) for each in before if each.cell_type == "code"))
        if cell.cell_type == "code":
            known |= given_by(cell)
            if lacking := lessons.names(parsed(cell), ast.Load) - known:
                missing[cell.source.splitlines()[0]] = lacking
    return missing


def parsed(cell):
    """The syntax tree of a cell, its magics made plain Python."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def given_by(cell):
    """Names that a cell defines anywhere, arguments of its functions included."""
    found = lessons.names(parsed(cell), ast.Store)
    for node in ast.walk(parsed(cell)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def test_a_row_that_names_what_is_not_there_is_refused():
    for what, done in (("Told: *A section of dreams*", ()), ("The core", ("2.9",))):
        with pytest.raises(ValueError, match=r"lesson 02 has no (A section of dreams|2\.9), which its row at 0:50"):
            sheets.held(sheets.Row("0:50", 5, "02", what, 0, done, ""))


def test_what_is_said_in_place_of_a_section_has_the_numbers_of_its_lesson():
    said = re.findall(r"^- \*\*.+ (\d\d)\*\*, from lesson (\d\d): (.+)$", sheets.PAGE.read_text("utf-8"), flags=re.M)
    assert [before for before, _, _ in said] == ["02", "04", "06", "08"]
    for _, lesson, sentences in said:
        assert numbers(sentences) <= known_numbers(lesson), sentences


# -------------------------------------------------------------------------------------------------- the short form


def test_the_short_form_is_the_same_everywhere():
    notebook = lessons.read(lessons.NOTEBOOKS / f"{lessons.SELF_TEST}.ipynb")
    listed = next(block.text for block in lessons.blocks(notebook) if block.text.startswith("- 12."))
    assert tuple(re.findall(r"^- (12\.\d+): ", listed, flags=re.M)) == SHORT_FORM
    assert tuple(re.findall(r"^\| (12\.\d+) \|", GUIDE, flags=re.M)) == SHORT_FORM
    cards = [card for card in lessons.cards(notebook) if card.number in SHORT_FORM]
    assert [card.minutes for card in cards] == [1] * len(SHORT_FORM)


@each_course
def test_a_course_teaches_what_the_short_form_asks(name):
    """But for the question of lesson 09 in half a day, as the sheet says."""
    taught_here = {f"{row.lesson} · {section}" for row in taught(COURSES[name]) for section in held_sections(row)}
    left = {number for number in SHORT_FORM if exercises()[number].section not in taught_here}
    assert left == ({"12.19"} if name == "half-day" else set())
    assert [row.what for row in COURSES[name] if "short form" in row.what]


# ------------------------------------------------------------------------------------------ forms, links, homework


def test_the_hub_takes_the_names_and_passwords_that_the_guide_asks_for():
    hub = pytest.importorskip("firstuseauthenticator").FirstUseAuthenticator()
    assert "small letters and digits" in GUIDE
    assert all(hub.validate_username(name) and hub.normalize_username(name) == name for name in ("ada", "ben7"))
    assert not hub.validate_username("ada l")
    assert hub.min_password_length == 7
    assert "a password of seven characters or more" in GUIDE


@pytest.mark.parametrize("name", ["invitation", "conduct", "feedback", "certificate"])
def test_every_gap_of_a_form_is_marked_and_listed(name):
    text = (WORKSHOP / "forms" / f"{name}.md").read_text(encoding="utf-8")
    title, listed, body = text.split("\n\n", 2)
    assert title.startswith("# ")
    assert listed.startswith("*Gaps: ")
    gaps = re.findall(r"\[([^\]]+)\]", listed)
    assert gaps
    assert len(gaps) == len(set(gaps))
    assert set(gaps) == set(re.findall(r"\[([^\]]+)\](?!\()", body))
    assert not re.search(r"_{2,}|\.{3}|…|\bX{2,}|TODO|TBA|CHANGE|<[^>]*>|[‹⟨{]|\b20\d\d\b|@", body), (
        "a gap without a mark"
    )
    assert len(body.split()) <= 200, "half a page"


@pytest.mark.parametrize("page", sorted(WORKSHOP.glob("**/*.md")), ids=lambda page: page.name)
def test_links_of_the_guide_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["workshop/README.md", "docs/install.md"])
def test_work_goes_home_by_the_commands_of_the_page(page, tmp_path):
    """Packed on the server, unpacked at home, its answers and its record go into a fresh copy."""
    command = re.search(r"^    !python (-m zipfile .+)$", (lessons.ROOT / page).read_text(encoding="utf-8"), re.M)[1]
    on_server, at_home = tmp_path / "server" / "notebooks", tmp_path / "home" / "notebooks"
    for folder in (on_server, at_home):
        folder.mkdir(parents=True)
        shutil.copy(
            next(path for path in lessons.paths() if path.name.startswith("00")), folder / "00_start_here.ipynb"
        )
    own = json.loads((on_server / "00_start_here.ipynb").read_text(encoding="utf-8"))
    stub = next(cell for cell in own["cells"] if "exercise" in cell["metadata"].get("tags", []))
    stub["source"] = [line.replace("...", "return 'mine'") for line in stub["source"]]
    (on_server / "00_start_here.ipynb").write_text(json.dumps(own), encoding="utf-8")
    (on_server / "progress.jsonl").write_text("{}\n", encoding="utf-8")
    subprocess.run([sys.executable, *command.split()], cwd=on_server, check=True)
    zipfile.ZipFile(tmp_path / "server" / "my-work.zip").extractall(tmp_path / "my-work")
    assert fresh.bring_answers(tmp_path / "my-work", at_home.parent) == ["00_start_here.ipynb: carried over: 0.1."]
    assert "return 'mine'" in (at_home / "00_start_here.ipynb").read_text(encoding="utf-8")
    assert (at_home / "progress.jsonl").exists()

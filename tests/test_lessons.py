"""Every lesson with its exercises solved, and the form that all lessons keep."""

import ast
import itertools
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from sparsecourse import doctor
from sparsecourse.exercises import exercises
from tools import lessons, minutes
from tools.run import WIDGET, read_map

NAMES = [path.name for path in lessons.pages()]
TAUGHT = [path.name for path in lessons.paths()]
NOTEBOOKS = {path.name: lessons.read(path) for path in lessons.pages()}
SETUP = next(cell for cell in NOTEBOOKS[NAMES[0]].cells if "setup" in lessons.tags(cell))

every_page = pytest.mark.parametrize("name", NAMES)
every_lesson = pytest.mark.parametrize("name", TAUGHT)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    """The words of a lesson, without code, formulas and the insides of tags."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for noise in (r"```.*?```", r"`[^`]*`", r"\$\$.*?\$\$", r"\$[^$]*\$", r"<[^>]*>"):
        text = re.sub(noise, " ", text, flags=re.DOTALL)
    return text


# ---------------------------------------------------------------------------------------------------- running


def test_nbval_runs_every_cell_and_every_solution():
    """What pytest collects of the lessons, as conftest.py in the course's folder has it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "notebooks"]
    done = subprocess.run(command, cwd=lessons.ROOT, capture_output=True, text=True, check=True)
    items = [line.partition("::")[::2] for line in done.stdout.splitlines() if "::" in line]
    whole = [item for file, item in items if not file.endswith(" (core)")]
    assert len([item for item in whole if item.startswith("Cell ")]) == sum(
        len(code_cells(notebook)) for notebook in NOTEBOOKS.values()
    )
    assert [item for item in whole if "Solution" in item] == [f"Solution {number}" for number in exercises()]
    assert "After 7.5, 1" in whole  # a cell reads that answer, so it runs with the solution, then the stub again
    core = [item for file, item in items if file.endswith(" (core)")]
    assert len([item for item in core if item.startswith("Cell ")]) == sum(
        len(code_cells(lessons.core(NOTEBOOKS[name])))
        for name in TAUGHT
        if lessons.core(NOTEBOOKS[name]) != NOTEBOOKS[name]
    )
    cards = [card for name in TAUGHT[1:] for card in lessons.cards(NOTEBOOKS[name]) if not card.deeper]
    assert [item for item in core if "Solution" in item] == [f"Solution {card.number}" for card in cards]


@pytest.mark.slow
def test_a_wrong_solution_a_changed_output_and_a_network_are_found(tmp_path):
    """A lesson with one of each, in a course of its own: these cells fail, and no other."""
    for name in ("conftest.py", "tools", "tests/offline"):
        copy = shutil.copytree if (lessons.ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(lessons.ROOT / name, tmp_path / name)
    lesson = lessons.read(lessons.paths()[0])
    (card,) = lessons.cards(lesson)
    heading, stub, folded = lesson.cells[card.stub - 1 : card.stub + 2]
    folded.source = folded.source.replace("weights - cut", "cut")
    codes = [
        "from sparsecourse.exercises import check",
        "import random; random.random()",
        "import urllib.request; urllib.request.urlopen('https://example.org')",
        "assert weights_left(3, 1) is None",  # it reads the answer, so it runs with the solution too, and fails there
    ]
    first, *others = [nbformat.v4.new_code_cell(code, execution_count=1) for code in codes]
    lesson.cells = [lesson.cells[0], first, heading, stub, folded, *others]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(lesson, tmp_path / "notebooks" / NAMES[0])
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-rf", "notebooks"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    failed = re.findall(r"^FAILED \S+::(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    assert failed == ["Solution 0.1", "After 0.1, 0", "Cell 2", "Cell 3"], done.stdout


@every_page
def test_committed_outputs_are_of_one_clean_run(name):
    counts = [cell.execution_count for cell in code_cells(NOTEBOOKS[name])]
    assert counts
    assert counts == list(range(1, len(counts) + 1)), f"run `make execute LESSON={name[:2]}`"
    outputs = [output for cell in code_cells(NOTEBOOKS[name]) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]


@every_page
def test_a_stub_is_not_answered(name):
    """As committed, no exercise is answered: a check that passes on its stub would be worth nothing."""
    for card in lessons.cards(NOTEBOOKS[name]):
        assert lessons.said(NOTEBOOKS[name].cells[card.stub].outputs).startswith(f"{card.number} not answered yet")


# What says how fast, or how large, or how new a machine is.
OF_A_MACHINE = (
    r"\b(doctor|timeit|perf_counter|measure_machine|measure_layouts|time_in_turn|time_layouts|time_training"
    r"|best_layout|for_inference)\b"
)


@every_page
def test_what_depends_on_the_machine_is_marked_so(name):
    """An output without this mark is compared by nbval, on every machine; so is the text of a figure."""
    for cell in code_cells(NOTEBOOKS[name]):
        if re.search(OF_A_MACHINE, cell.source) and cell.outputs and "exercise" not in lessons.tags(cell):
            assert "nbval-ignore-output" in lessons.tags(cell), cell.source


def test_the_doctor_s_saved_lines_are_those_of_this_course():
    """nbval does not compare them, but how many tables there are does not depend on the machine."""
    (examined,) = [cell for cell in NOTEBOOKS[NAMES[0]].cells if "examine()" in cell.source and cell.get("outputs")]
    fine, sentence = doctor.check_data()
    assert fine
    assert sentence in lessons.said(examined.outputs), f"run `make execute LESSON={NAMES[0][:2]}`"


# ------------------------------------------------------------------------------------------------------- form


@every_page
def test_head(name):
    head = NOTEBOOKS[name].cells[0].source
    assert re.match(rf"# {name[:2]} · \S", head)
    assert 3 <= len(lessons.goals(NOTEBOOKS[name])) <= 5
    assert lessons.builds_on(NOTEBOOKS[name])
    opening = head.partition("\n\n")[2].partition("\n\n")[0]
    assert len(opening.split()) > 15, "the first lines say why one should care, and what was found in the last lesson"
    assert not opening.startswith("After this")


@every_page
def test_setup_cell(name):
    setup = [cell for cell in NOTEBOOKS[name].cells if "setup" in lessons.tags(cell)]
    assert [cell.source for cell in setup] == [SETUP.source]
    assert code_cells(NOTEBOOKS[name])[0] is setup[0]
    assert setup[0].metadata["jupyter"] == {"source_hidden": True}
    assert setup[0].metadata["cellView"] == "form"
    assert "hide-input" in lessons.tags(setup[0])


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("", "choose the course's kernel in the menu Kernel, or start the course with `make lab` in its folder."),
        ("google.colab", "see that COURSE above is the course's address, owner/name, then run this cell again."),
    ],
    ids=["a stranger's kernel", "Colab without an address"],
)
def test_the_setup_cell_says_what_to_do_where_the_library_is_missing(where, advice):
    """One sentence in place of a traceback; and what comes after it is not run."""
    hidden = f"import sys; sys.modules |= {{'sparsecourse': None, {where!r}: sys}}"
    cells = [nbformat.v4.new_code_cell(code) for code in (hidden, SETUP.source, "print('went on')")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3").execute()
    assert cells[1].outputs[0].traceback == [f"This kernel has no module 'sparsecourse': {advice}"]
    assert not cells[2].outputs


@every_page
def test_figures_have_alt_text(name):
    for cell in code_cells(NOTEBOOKS[name]):
        for output in cell.outputs:
            data = output.get("data", {})
            assert not {"image/jpeg", "image/svg+xml"} & set(data), "use plots.show"
            for image in re.findall(r"<img[^>]*>", lessons.figure(output)):
                alt = re.search(r'alt="([^"]*)"', image)
                assert alt
                assert len(alt[1]) > 30
    for image in re.findall(r"!\[(.*?)\]\(", prose(NOTEBOOKS[name])):
        assert image


def gaps(lines):
    """How many gaps of blanks, with padding in some line, part these lines all at the same place."""
    blank = "".join(" " if set(letters) == {" "} else "x" for letters in zip(*lines, strict=False))
    found = [match.span() for match in re.finditer(r"(?<=x) +(?=x)", blank)]
    return sum(any("  " in line[start - 1 : end + 1] for line in lines) for start, end in found)


def columns_of_text(text):
    """Three lines one after another that stand in three columns or more; None where there are none such."""
    lines = [line for line in text.splitlines() if line.strip()]
    threes = zip(lines, lines[1:], lines[2:], strict=False)
    no_array = (three for three in threes if not any(line.lstrip().startswith(("[", "tensor(")) for line in three))
    return next((three for three in no_array if gaps(three) >= 2), None)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("zeros   dense   CSR\n   0%   1.39  6.06\n  50%   1.37  3.03", True),
        ("       mean  runs\nmethod\nrandom   0.1     10\nL1      0.25     10\ndense      1     10", True),
        ("median 3\n\n at least  kept\n   1  3,709  95.9%\n  20    226  99.8%\n 100      3 100.0%", True),
        ("[[0 2 0]\n [0 0 0]\n [3 0 0]]\nvalues  [2, 3]\ncolumns [1, 0]\nstarts  [0, 1]", False),
        ("0%: 60 of 60 weights kept\n50%: 30 of 60 weights kept\n80%: 12 of 60 weights kept", False),
        ("loss: 1.5 1.4 1.3\nloss: 1.2 1.1 1.0\nloss: 0.9 0.8 0.7", False),
    ],
)
def test_columns_of_text_are_told_from_lines(text, columns):
    assert bool(columns_of_text(text)) == columns


@every_page
def test_tables_are_tables(name):
    """Columns of text wrap on a small screen, and a screen reader does not know what belongs together."""
    for cell in code_cells(NOTEBOOKS[name]):
        for output in cell.outputs:
            page = output.get("data", {}).get("text/html", "")
            text = lessons.said([output])
            if "<table" not in page:
                assert not columns_of_text(text), f"show it by tables.show:\n{text}"
                continue
            table = BeautifulSoup(page, "html.parser").table
            assert len(table.caption.text) > 10, "a caption says what the table shows"
            assert all(head.get("scope") and head.text for head in table.find_all("th"))
            assert all(line.find("th", scope="row") for line in table.select("tbody tr")), "each row has a name"
            assert all(cell.text in text for cell in table.find_all(["caption", "th", "td"])), "nbval compares its text"


@every_lesson
def test_panels_have_a_still_picture(name):
    """The page must lose nothing where no kernel runs: near each panel stands a figure at fixed settings."""
    cells = NOTEBOOKS[name].cells
    panels = [index for index, cell in enumerate(cells) if "panel" in lessons.tags(cell)]
    assert panels
    for index in panels:
        assert cells[index].outputs == []
        nearby = [output for cell in cells[index + 1 : index + 4] for output in cell.get("outputs", [])]
        assert any(map(lessons.figure, nearby)), (
            f"cell {index} is a panel: within three cells below it must stand a figure, by plots.show"
        )
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            widget = WIDGET in output.get("data", {})
            assert not widget, f"cell {index} shows a widget: tag it `panel` and `nbval-ignore-output`"


def test_the_self_test_asks_twice_of_each_lesson_and_names_a_section_of_its_core():
    notebook = NOTEBOOKS[f"{lessons.SELF_TEST}.ipynb"]
    asked = [exercises()[card.number].section for card in lessons.cards(notebook)]
    assert [section[:2] for section in asked] == [name[:2] for name in TAUGHT for _ in range(2)]
    for card, section in zip(lessons.cards(notebook), asked, strict=True):
        lesson, _, heading = section.partition(" · ")
        taught = next(NOTEBOOKS[name] for name in TAUGHT if name.startswith(lesson))
        assert heading in [block.text for block in lessons.blocks(lessons.core(taught)) if block.role == "section"]
        assert card.hint == f"Lesson {lesson} teaches it: *{heading}*."
        assert not card.deeper


def test_exercises_in_lessons_are_those_in_the_library():
    in_lessons = [card.number for notebook in NOTEBOOKS.values() for card in lessons.cards(notebook)]
    assert not set(exercises()) - set(in_lessons), "in the library, but in no lesson"
    assert not set(in_lessons) - set(exercises()), "in a lesson, but not in the library"
    assert in_lessons == list(exercises())


@every_lesson
def test_exercise_cards(name):
    cards = lessons.cards(NOTEBOOKS[name])
    assert (1 if name.startswith("00") else 3) <= len(cards) <= 5
    assert [card.number for card in cards] == [f"{int(name[:2])}.{k}" for k in range(1, len(cards) + 1)]
    for card in cards:
        source = NOTEBOOKS[name].cells[card.stub].source
        answer = exercises()[card.number].answer
        assert source.splitlines()[-1] == f'check("{card.number}", {answer})'
        assert "..." in source
        assert card.difficulty in ("●○○", "●●○", "●●●")
    headings = lessons.CARD.findall("\n".join(cell.source for cell in NOTEBOOKS[name].cells))
    assert len(headings) == len(cards)


@every_page
def test_details_are_closed_and_leave_blank_lines(name):
    for cell in NOTEBOOKS[name].cells:
        if cell.cell_type == "markdown" and "<details" in cell.source:
            folded = lessons.DETAILS.findall(cell.source)
            assert len(folded) == cell.source.count("<details") == cell.source.count("</details>")


@every_page
def test_a_guess_is_answered_by_the_first_words_of_the_folded_answer(name):
    for block in lessons.blocks(NOTEBOOKS[name]):
        for folded in lessons.DETAILS.finditer(block.cell.source if block.role == "answer" else ""):
            if not folded["guess"]:
                continue
            choices = [choice for choice in lessons.GUESS.fullmatch(folded["guess"])["choices"].split(" | ") if choice]
            if choices:
                right = [
                    choice
                    for choice in choices
                    if re.match(rf"{re.escape(choice)}(?!\w)", folded["text"], re.IGNORECASE)
                ]
                assert len(choices) > 1
                assert len(right) == 1, f"the answer must begin with one of {choices}: {folded['text']}"
            else:
                assert re.match(r"[^\d$.]*\d", folded["text"]), f"a number in its first sentence: {folded['text']}"


@every_page
def test_tags_are_known(name):
    known = {"setup", "hide-input", "exercise", "panel", "deeper", "nbval-ignore-output"}
    for cell in NOTEBOOKS[name].cells:
        assert lessons.tags(cell) <= known
        if "panel" in lessons.tags(cell):
            assert "nbval-ignore-output" in lessons.tags(cell)


@every_page
def test_metadata_is_minimal(name):
    notebook = NOTEBOOKS[name]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter", "cellView"}


@every_page
def test_cell_ids_are_there_and_differ(name):
    raw = json.loads((lessons.NOTEBOOKS / name).read_text(encoding="utf-8"))
    ids = [cell["id"] for cell in raw["cells"]]
    assert len(set(ids)) == len(ids)
    assert (raw["nbformat"], raw["nbformat_minor"]) >= (4, 5)


@every_page
def test_no_paths_of_a_machine(name):
    text = (lessons.NOTEBOOKS / name).read_text(encoding="utf-8")
    assert not re.findall(r"(?:/(?:home|root|tmp|work|Users)/|[A-Z]:\\\\)\w+", text)


@every_page
def test_size_is_moderate(name):
    assert (lessons.NOTEBOOKS / name).stat().st_size < 2_000_000


@every_page
def test_links_resolve(name):
    text = "\n".join(cell.source for cell in NOTEBOOKS[name].cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = lessons.NOTEBOOKS / file if file else lessons.NOTEBOOKS / name
        assert path.is_file(), f"{target} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", "\n".join(c.source for c in lessons.read(path).cells), re.MULTILINE)
            assert anchor in [heading.strip().replace(" ", "-") for heading in headings]


@every_page
def test_neighbours_are_linked(name):
    """The head and the last line lead on to the next lesson that exists; the head leads back to the one before."""
    place = NAMES.index(name)
    first, last = NOTEBOOKS[name].cells[0].source, NOTEBOOKS[name].cells[-1].source
    if place > 0:
        before = NAMES[place - 1]
        assert re.search(rf"\*\*Previous:\*\* \[{before[:2]} · [^]]+\]\({before}\)", first)
    if place + 1 < len(NAMES):
        after = NAMES[place + 1]
        for text in (first, last):
            assert re.search(rf"\*\*Next:\*\* \[{after[:2]} · [^]]+\]\({after}\)", text)


@every_page
def test_the_readme_lists_the_lesson(name):
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    core, every = lessons.minutes(NOTEBOOKS[name])
    row = f"| [{lessons.title(NOTEBOOKS[name])}](notebooks/{name}) | {core} min | {every} min |"
    assert row in readme, "run `python -m tools.run minutes`"


@every_page
def test_words(name):
    """Plain words: no exclamation mark, none of the words that make a reader feel slow."""
    text = prose(NOTEBOOKS[name])
    assert "!" not in text.replace("![", "[")
    assert not re.findall(r"\b(simply|just|obviously|trivially|of course|easily)\b", text, re.IGNORECASE)


STILTED = (
    "reckon",
    "whole weights",
    "good for a room",
    "it is another thing",
    "living network",
    "gentler to",
    "carry no news",
    "be had faster",
)


@every_page
def test_nobody_talks_like_that(name):
    text = prose(NOTEBOOKS[name])
    assert [words for words in STILTED if words in text] == []


@every_page
def test_a_paragraph_has_few_numbers(name):
    for block in lessons.blocks(NOTEBOOKS[name]):
        if block.role in ("text", "lead", "predict", "answer", "run", "read", "exercise"):
            for paragraph in lessons.paragraphs(block.text):
                if not lessons.LIST_OR_TABLE.match(paragraph):
                    assert len(numbers(paragraph)) <= 5, paragraph


def numbers(text):
    """The numbers of a text in digits, but for those in code, formulas and links, and of lessons and exercises."""
    for other in (
        r"```.*?```",
        r"`[^`]*`",
        r"\$\$.*?\$\$",
        r"\$[^$]*\$",
        r"\]\([^)]*\)",
        r"[Ll]essons? \d+",
        r"\*\*[^*]+\*\*",
    ):
        text = re.sub(other, " ", text, flags=re.DOTALL)
    text = re.sub(r"\b(?:19|20)\d\d\b|LeNet-300-100|784-300-100-10|MNIST-1D|[Ee]xercise \d+\.\d", " ", text)
    return re.findall(r"\d+(?:[.,:]\d+)*", text)


@every_page
def test_a_cell_to_read_is_short(name):
    for cell in code_cells(NOTEBOOKS[name]):
        if "exercise" not in lessons.tags(cell) and minutes.lines_to_read(cell):
            assert len(cell.source.splitlines()) <= 20, f"fold it, or move its plumbing: {cell.source[:200]}"


@every_page
def test_a_folded_cell_is_folded_everywhere(name):
    for cell in code_cells(NOTEBOOKS[name]):
        folded = [
            cell.metadata.get("jupyter") == {"source_hidden": True},
            cell.metadata.get("cellView") == "form",
            "hide-input" in lessons.tags(cell),
        ]
        assert all(folded) or not any(folded), cell.source[:200]


@every_lesson
def test_every_prediction_has_its_folded_answer(name):
    row = [block for block in lessons.blocks(NOTEBOOKS[name]) if not (block.role == "predict" and block.follows)]
    for block, after in itertools.pairwise(row):
        if block.role == "predict":
            assert after.role == "answer", block.text


# ------------------------------------------------------------------------------------------------ core and deeper


@every_page
def test_tags_say_what_headings_say(name):
    marked = lessons.tagged(NOTEBOOKS[name])
    assert [cell.metadata for cell in NOTEBOOKS[name].cells] == [cell.metadata for cell in marked.cells]


@every_lesson
def test_the_core_is_short(name):
    notebook = NOTEBOOKS[name]
    counted = minutes.core_and_all(notebook, read_map()[name].seconds)
    assert counted.core <= 35
    assert lessons.minutes(notebook) == minutes.rounded(counted), "run `python -m tools.run minutes`"
    exercises_of_core = [card for card in lessons.cards(notebook) if not card.deeper]
    assert len(exercises_of_core) in ((1,) if name.startswith("00") else (2, 3))


def test_all_cores_fit_into_six_hours():
    measured = read_map()
    assert sum(minutes.core_and_all(NOTEBOOKS[name], measured[name].seconds).core for name in TAUGHT) <= 360


@every_lesson
def test_the_core_points_to_nothing_deeper(name):
    """Of all lessons: to no deeper exercise or section, and to no name that only deeper code of this one gives."""
    core = texts(lessons.core(NOTEBOOKS[name]))
    for notebook in NOTEBOOKS.values():
        for card in lessons.cards(notebook):
            if card.deeper:
                assert not re.search(rf"(?:[Ee]xercise |\*\*){re.escape(card.number)}\b", core), card.number
        for block in lessons.blocks(notebook):
            if block.role == "section" and block.deeper:
                assert block.text not in core, block.text
    kept = defined(lessons.core(NOTEBOOKS[name]))
    for only_deeper in defined(NOTEBOOKS[name]) - kept:
        assert not re.search(rf"`{re.escape(only_deeper)}\b", core), only_deeper


def texts(notebook):
    """The text cells of a lesson, code in them included."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def defined(notebook):
    """Names that the code of a lesson defines."""
    found = set()
    for cell in code_cells(notebook)[1:]:  # the setup cell is no plain Python
        tree = ast.parse(cell.source)
        found |= lessons.names(tree, ast.Store)
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return found


@every_lesson
def test_lesson_has_its_parts(name):
    text = prose(NOTEBOOKS[name])
    assert "**Predict.**" in text
    assert "**Read.**" in text
    assert "## Recap" in text
    if not name.startswith("00"):
        assert "| term | meaning |" in text
        assert "**Sources.**" in text
        assert "doi.org/" in text

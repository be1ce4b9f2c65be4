"""What commands and tests share: reading lessons, running them, watching memory, and the pages that commands write."""

import re
import subprocess
import sys
import threading

import nbformat
import psutil
import pytest

from tools import lessons, marked, memory, minutes, run

CARD = "Some words.\n\n#### Exercise 2.1 · Count the zeros   ●○○ · 4 min\n\nHow many?"
BELOW = (
    "<details>\n<summary>Hint</summary>\n\nCount.\n\n</details>\n\n"
    "<details>\n<summary>Solution</summary>\n\nSo:\n\n```python\nzeros = 3\n```\n\n</details>"
)


def lesson(above, below):
    """A lesson with one exercise, and the texts above and below its stub."""
    stub = nbformat.v4.new_code_cell('zeros = ...\n\ncheck("2.1", zeros)', metadata={"tags": ["exercise"]})
    head = nbformat.v4.new_markdown_cell("# 02 · A title")
    cells = [head, nbformat.v4.new_markdown_cell(above), stub, nbformat.v4.new_markdown_cell(below)]
    return nbformat.v4.new_notebook(cells=cells)


# --------------------------------------------------------------------------------------------------------- lessons


def test_an_exercise_is_read_the_same_as_a_card_and_as_blocks():
    notebook = lesson(CARD, BELOW)
    assert lessons.cards(notebook) == [
        lessons.Card("2.1", "Count the zeros", "●○○", 4, deeper=False, stub=2, hint="Count.", solution="zeros = 3")
    ]
    assert [(block.role, block.text) for block in lessons.blocks(notebook)] == [
        ("text", "Some words."),
        ("exercise", "#### Exercise 2.1 · Count the zeros   ●○○ · 4 min"),
        ("exercise", "How many?"),
        ("stub", 'zeros = ...\n\ncheck("2.1", zeros)'),
        ("hint", "Count."),
        ("solution", "So:\n\n```python\nzeros = 3\n```"),
    ]
    assert lessons.solved(notebook).cells[2].source == 'zeros = 3\n\ncheck("2.1", zeros)'
    assert "..." in notebook.cells[2].source


@pytest.mark.parametrize(
    ("above", "below", "words"),
    [
        (CARD.replace("   ", " "), BELOW, r"cell 2 is an exercise; the cell above it must hold its card"),
        (CARD, BELOW.replace("Hint", "A hint"), "exercise 2.1 needs Hint and Solution"),
        (CARD, BELOW.replace("```python", "```"), "exercise 2.1 needs Hint and Solution"),
    ],
)
def test_a_malformed_card_is_named(above, below, words):
    with pytest.raises(ValueError, match=words):
        lessons.cards(lesson(above, below))


@pytest.mark.parametrize(
    ("above", "below", "words"),
    [
        (CARD.replace("   ", " "), BELOW, "with three spaces, got:\n#### Exercise 2.1 · Count"),
        (CARD, BELOW.replace("\n\nCount.", "\nCount."), "blank lines around the content.*, got:\n<details>"),
        (CARD, BELOW.removesuffix("</details>"), "and </details>, got:\n<details>"),
    ],
)
def test_a_malformed_text_is_shown(above, below, words):
    with pytest.raises(ValueError, match=words):
        lessons.blocks(lesson(above, below))


@pytest.mark.parametrize(
    ("ask", "form"),
    [
        (lessons.minutes, "'**Time:** core 20 minutes, all 40 minutes'"),
        (lessons.goals, "'After this lesson you will be able to'"),
        (lessons.builds_on, "'**Builds on:**'"),
    ],
)
def test_a_head_that_lacks_something_says_what(ask, form):
    with pytest.raises(ValueError, match=rf"must hold {re.escape(form)}.*, got:\n# 02 · A title"):
        ask(lesson(CARD, BELOW))


# ------------------------------------------------------------------------------------------------- core and minutes


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, **metadata):
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def test_what_is_deeper_is_told_from_headings_and_cards():
    """A deeper section ends at the next one; of a deeper exercise, what follows its solution is core again."""
    _, _, stub, folded = lesson(CARD, BELOW).cells
    card = CARD.partition("\n\n")[2]
    cells = {
        "head": text("# 02 · A title"),
        "core": text("## Core\n\nWords."),
        "card": text(card.replace("4 min", "4 min · deeper")),
        "stub": stub,
        "folded": folded,
        "after": text("More words."),
        "section": text("## Deeper · Why?"),
        "code": code("x = 1", tags=["hide-input", "nbval-ignore-output"]),
        "recap": text("## Recap"),
    }
    notebook = nbformat.v4.new_notebook(cells=list(cells.values()))
    tagged = lessons.tagged(notebook)
    deeper = [name for name, cell in zip(cells, tagged.cells, strict=True) if "deeper" in lessons.tags(cell)]
    assert deeper == ["card", "stub", "folded", "section", "code"]
    assert lessons.tags(tagged.cells[7]) == {"hide-input", "nbval-ignore-output", "deeper"}
    assert lessons.tagged(tagged) == tagged
    assert [cell.source for cell in lessons.core(tagged).cells] == [
        cells[name].source for name in ("head", "core", "after", "recap")
    ]
    assert [block.text for block in lessons.blocks(tagged) if block.role == "section"] == ["Core", "Why?", "Recap"]
    assert lessons.cards(tagged)[0].deeper
    assert lessons.tagged(nbformat.v4.new_notebook(cells=[cells["section"], text("## Core")])).cells[1].metadata == {}


@pytest.mark.parametrize("inner", ["Words.\n\n## A section", CARD])
def test_a_heading_within_a_cell_is_refused(inner):
    with pytest.raises(ValueError, match=r"must begin a cell of their own:\n##"):
        lessons.tagged(nbformat.v4.new_notebook(cells=[text("# 02 · A title"), text(inner)]))


def test_minutes_are_those_of_words_lines_predictions_exercises_and_seconds():
    """Nothing else counts: no hint, no solution, no stub, no sources, no code that is folded."""
    head = text("one two three")
    notebook = lesson(CARD, BELOW)
    only_card = (3 + 2 + len("#### Exercise 2.1 · Count the zeros ●○○ · 4 min How many?".split())) / 200 + 4
    notebook.cells[0] = head
    assert minutes.minutes(notebook) == pytest.approx(only_card)
    notebook.cells += [
        code("x = 1\n\ny = 2"),
        code("z = 3", jupyter={"source_hidden": True}),
        text("**Predict.** How?\n\n- a\n- b\n\n**Sources.**\nA book."),
    ]
    assert minutes.minutes(notebook, seconds=30) == pytest.approx(only_card + 2 / 5 + 5 / 200 + 0.75 + 0.5)


def test_minutes_are_written_into_the_head_and_nothing_else_changes():
    head = "# 02 · A\n\n**Time:** core 1 minutes, all 2 minutes · **Next:** [03](03.ipynb)\nlast"
    notebook = nbformat.v4.new_notebook(cells=[text(head), text("## Core\n\n" + "word " * 2000)])
    assert minutes.written(notebook) == head.replace("core 1 minutes, all 2 minutes", "10 minutes")
    notebook.cells.append(text("More. " * 2000))
    notebook.cells[2].metadata["tags"] = ["deeper"]
    assert minutes.written(notebook) == head.replace("core 1 minutes, all 2 minutes", "core 10 minutes, all 20 minutes")
    notebook.cells[0].source = minutes.written(notebook)
    assert lessons.minutes(notebook) == (10, 20)
    assert minutes.rounded((2, 12.4)) == (5, 10)


# --------------------------------------------------------------------------------------------------------- running


def test_a_notebook_runs_in_a_kernel_that_keeps_no_progress():
    code = "import os; print(os.environ['SPARSECOURSE_PROGRESS'], os.getcwd())\nsome = bytearray(10**8)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    done = run.run_notebook(notebook)
    assert done.notebook.cells[0].outputs[0].text == f"off {lessons.NOTEBOOKS}\n"
    assert not notebook.cells[0].outputs
    assert 1e8 < done.peak < 1e9
    assert done.seconds > 0


def test_what_is_written_is_kind_to_diffs(tmp_path):
    """No trace of the machine, of the time or of widgets."""
    widget = {run.WIDGET: {"model_id": "1", "version_major": 2, "version_minor": 0}, "text/plain": "a slider"}
    code = f"from IPython.display import display\ndisplay({widget}, raw=True)\nprint('seen')"
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["panel"], "scrolled": True})
    path = tmp_path / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"machine": "mine"}), path)
    run.execute(path)
    written = lessons.read(path)
    assert set(written.metadata) == {"kernelspec", "language_info"}
    assert written.cells[0].metadata == {"tags": ["panel"]}
    assert [output.get("text") for output in written.cells[0].outputs] == ["seen\n"]


# ---------------------------------------------------------------------------------------------------------- memory


def test_the_peak_is_the_most_of_each():
    seen, looked = [{"a": 1, "b": 5}, {"a": 3}, {"a": 2, "c": 4}], threading.Event()

    def look():
        if seen:
            return seen.pop(0)
        looked.set()
        return {}

    with memory.peak(look, seconds=0.001) as largest:
        assert looked.wait(10)
    assert largest == {"a": 3, "b": 5, "c": 4}


def test_a_block_that_ends_at_once_has_been_looked_at():
    with memory.peak(lambda: {"me": memory.resident(psutil.Process().pid)}, seconds=60) as largest:
        pass
    assert largest["me"] > 1e6


def test_what_goes_wrong_while_looking_is_raised():
    with pytest.raises(ZeroDivisionError), memory.peak(lambda: 1 / 0):
        pass


def test_a_process_that_is_gone_takes_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert memory.resident(process.pid) == 0


# ----------------------------------------------------------------------------------------------------------- pages


def test_a_command_writes_between_its_marks_only(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("above\nBEGIN\n\nold\n\nEND\nbelow\n", encoding="utf-8")
    marked.write(page, "BEGIN", "END", ["new", "lines"])
    assert page.read_text(encoding="utf-8") == "above\nBEGIN\n\nnew\nlines\n\nEND\nbelow\n"


@pytest.mark.parametrize("text", ["nothing", "BEGIN only", "END and BEGIN", "BEGIN END END", "BEGIN BEGIN END"])
def test_a_page_without_its_marks_stays_as_it_is(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md must hold 'BEGIN', and below it 'END', once each"):
        marked.write(page, "BEGIN", "END", [])
    assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("command", [["tools.address"], ["workshop.hub.link", "--help"]])
def test_address_and_link_need_no_environment(command):
    done = subprocess.run([sys.executable, "-S", "-m", *command], cwd=lessons.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""The lessons as data: what tests, slides, answer book and site read from the notebooks.

A lesson is a row of blocks in the order of the page. A block knows its role: the heading of a section, a prediction
and its answer, what is read off a result, an exercise with hint and solution, a cell of code. The roles follow from the
form that every lesson has, so the notebooks need no mark of their own. A section or an exercise whose heading says that
it is deeper can be left out: what is left is the core.
"""

import ast
import copy
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"

SELF_TEST = "12_test_yourself"
CARD = re.compile(
    r"^#### Exercise (?P<number>\d+\.\d+) · (?P<title>.+?)   (?P<difficulty>[●○]{3}) · (?P<minutes>\d+) min"
    r"(?P<deeper> · deeper)?$",
    re.MULTILINE,
)
DETAILS = re.compile(
    r'<details(?: data-guess="(?P<guess>[^"]+)")?>\n<summary>(?P<summary>[^<]+)</summary>\n\n'
    r"(?P<text>.+?)\n\n</details>",
    re.DOTALL,
)
GUESS = re.compile(r"(?:(?P<ask>.+?[:?])(?: |$))?(?P<choices>.*)")  # what is asked, and choices; none for a number
CARD_FORM = "'#### Exercise 2.1 · Count the zeros   ●○○ · 4 min' with three spaces"
DETAILS_FORM = "<details>, <summary>Hint</summary> on the next line, blank lines around the content, and </details>"

# A paragraph is a folded part, a fence, or whatever stands between blank lines.
PARAGRAPH = re.compile(r"<details.*?</details>|^```.*?^```|\S.*?(?=\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)
DEEPER = "Deeper · "  # a section's heading begins with it where the core does without the section
MARKS = {"**Predict.**": "predict", "**Run.**": "run", "**Read.**": "read", "**Sources.**": "sources"}
LIST_OR_TABLE = re.compile(r"([-*|]|\d+\.) ")


def pages(root=ROOT):
    """The notebooks in their order: the lessons, then the self-test.

    Args:
        root: the course's folder.

    Returns:
        A list of paths.
    """
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def paths(root=ROOT):
    """The lessons in their order, as a list of paths.

    Args:
        root: the course's folder.
    """
    return [path for path in pages(root) if path.stem != SELF_TEST]


def read(path):
    """A lesson as a notebook node.

    Args:
        path: where the notebook lies.
    """
    import nbformat  # here: what needs no more than paths must run without the environment

    return nbformat.read(path, as_version=4)


def said(outputs):
    """What outputs of a cell say in words: what was printed, and the text of what was shown.

    Args:
        outputs: as a notebook has them.
    """
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") + "\n" for output in outputs)


def figure(output):
    """The figure that an output shows, as an ``<img>`` element with alternative text; "" where it shows none.

    A figure is saved as such an element, or as PNG with the alternative text in its plain text.

    Args:
        output: as a notebook has it.

    Raises:
        ValueError: an image has no alternative text, since it was not shown by ``plots.show``.
    """
    from sparsecourse import plots  # here, as in ``read``

    data = output.get("data", {})
    if "image/png" not in data:
        return found if "<img" in (found := data.get("text/html", "")) else ""
    words = re.fullmatch(r"\[figure: (.+)\]", data["text/plain"], re.DOTALL)
    if not words:
        raise ValueError(f"a figure must be shown by plots.show, which gives it alternative text, got {data!r:.200}")
    return plots.img(data["image/png"], words[1], output["metadata"]["image/png"]["width"])


def figures_form(notebook):
    """How a lesson's figures are saved: "png" or "html"."""
    saved = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return "png" if any("image/png" in data for data in saved) else "html"


def tags(cell):
    """A cell's tags, as a set."""
    return set(cell.metadata.get("tags", []))


# ------------------------------------------------------------------------------------------------------------ head


class Minutes(NamedTuple):
    """What a lesson takes."""

    core: float
    all: float


def title(notebook):
    """The text of a lesson's first heading.

    Raises:
        ValueError: the lesson has none.
    """
    return in_head(notebook, r"^# (.+)$", "'# ' and a title")


def minutes(notebook):
    """The minutes that a lesson says it takes: its core, and all of it.

    Raises:
        ValueError: it does not say.
    """
    pattern = r"\*\*Time:\*\* ((?:core \d+ minutes, all )?\d+ minutes)"
    found = re.findall(r"\d+", in_head(notebook, pattern, "'**Time:** core 20 minutes, all 40 minutes'"))
    return Minutes(int(found[0]), int(found[-1]))


def goals(notebook):
    """What a lesson promises.

    Returns:
        The items of the list in its head, each as it is written, the comma or full stop at its end included.

    Raises:
        ValueError: the head has no such list.
    """
    promise = r"After this (?:lesson|page) you will be able to\n\n((?:- .+\n)+)\n"
    items = in_head(notebook, promise, "'After this lesson you will be able to' and a list between blank lines")
    return [item.removeprefix("- ") for item in items.splitlines()]


def builds_on(notebook):
    """What a lesson builds on, as it is written in its head, with links.

    Raises:
        ValueError: it does not say.
    """
    return in_head(notebook, r"\*\*Builds on:\*\* (.+)", "'**Builds on:**' and what the lesson builds on")


def in_head(notebook, pattern, form):
    """What a pattern's group finds in a lesson's first cell.

    Args:
        notebook: a lesson.
        pattern: a regular expression with one group.
        form: how what is sought is written, for the message.

    Raises:
        ValueError: it finds nothing.
    """
    head = notebook.cells[0].source
    found = re.search(pattern, head, re.MULTILINE)
    if not found:
        raise ValueError(f"a lesson's first cell must hold {form}, got:\n{head}")
    return found[1]


# ---------------------------------------------------------------------------------------------------------- blocks


@dataclass(frozen=True)
class Block:
    """A piece of a lesson.

    Attributes:
        role: section, text, lead (what stands directly before a prediction), predict, answer, run, read, exercise,
            hint, solution, sources; or, for a cell of code, code, panel, stub.
        text: its markdown, without the mark that told its role; for the heading of an exercise, the whole line, which
            ``CARD`` reads; for code, the source.
        cell: the cell it comes from.
        follows: it has no mark of its own, its role is that of the paragraph before it.
    """

    role: str
    text: str
    cell: object
    follows: bool = False

    @property
    def deeper(self):
        """Whether the core does without it."""
        return "deeper" in tags(self.cell)


def blocks(notebook):
    """The blocks of a lesson after its head and its setup cell.

    Args:
        notebook: a lesson, from ``read``.

    Returns:
        A list of blocks in the order of the page.

    Raises:
        ValueError: an exercise's heading or a folded part is written in another form than all others.
    """
    found = []
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            found += text_blocks(cell)
        elif "setup" not in tags(cell):
            kinds = {"panel": "panel", "exercise": "stub"}
            role = next((kinds[tag] for tag in kinds if tag in tags(cell)), "code")
            found.append(Block(role, cell.source, cell))
    return found


def text_blocks(cell):
    """The blocks of one text cell. A paragraph without a mark has the role of the one before it."""
    found, role = [], "text"
    for paragraph in paragraphs(cell.source):
        mark = next((mark for mark in MARKS if paragraph.startswith(mark)), None)
        if paragraph.startswith("#### Exercise "):
            role = "exercise"
            found.append(Block(role, matched(CARD, paragraph, CARD_FORM)[0], cell))
        elif heading := re.match(r"##+ (.+)", paragraph):
            role = "text"
            found.append(Block("section", heading[1].removeprefix(DEEPER), cell))
        elif paragraph.startswith("<details"):
            role = "text"
            folded = matched(DETAILS, paragraph, DETAILS_FORM)
            found.append(Block(folded["summary"].lower(), folded["text"], cell))
        elif mark:
            role = MARKS[mark]
            found.append(Block(role, paragraph.removeprefix(mark).strip(), cell))
        elif not paragraph.startswith("**Next:**"):
            if role in ("predict", "run") and not LIST_OR_TABLE.match(paragraph):
                role = "text"  # a prediction is one paragraph, and a list where it needs one
            found.append(Block(role, paragraph, cell, follows=True))
    for place, after in enumerate(found[1:]):
        if after.role == "predict" and found[place].follows and found[place].role in ("text", "read"):
            found[place] = replace(found[place], role="lead")
    return found


def paragraphs(markdown):
    """The paragraphs of a text as a list; a folded part or a fence is one."""
    return PARAGRAPH.findall(markdown)


def matched(pattern, paragraph, form):
    """The match of a paragraph that must have a form.

    Args:
        pattern: the form, as a compiled regular expression.
        paragraph: markdown.
        form: the form in words, for the message.

    Raises:
        ValueError: it is written in another.
    """
    found = pattern.match(paragraph)
    if not found:
        raise ValueError(f"this must be written as {form}, got:\n{paragraph}")
    return found


# --------------------------------------------------------------------------------------------------- core and deeper


def tagged(notebook):
    """A copy of a lesson in which exactly the cells of what is deeper have the tag that says so.

    Deeper is a section whose heading begins with ``DEEPER``, and an exercise, heading, stub and folded parts, whose
    card ends with "· deeper".

    Args:
        notebook: a lesson, from ``read``.

    Raises:
        ValueError: a heading stands in the middle of a cell, which can't be left out in part.
    """
    notebook, section, exercise = copy.deepcopy(notebook), False, 0
    for place, cell in enumerate(notebook.cells):
        exercise -= 1  # cells of a deeper exercise that are still to come
        if cell.cell_type == "markdown" and place:
            first, *others = paragraphs(cell.source) or [""]
            if inner := [text for text in others if re.match(r"## |#### Exercise ", text)]:
                raise ValueError(f"a section and an exercise must begin a cell of their own:\n{inner[0]}")
            if first.startswith("## "):
                section = first.startswith(f"## {DEEPER}")
            elif (card := CARD.match(first)) and card["deeper"]:
                exercise = 3
        kept = [tag for tag in cell.metadata.get("tags", []) if tag != "deeper"]
        if section or exercise > 0:
            kept.append("deeper")
        if kept:
            cell.metadata["tags"] = kept
        else:
            cell.metadata.pop("tags", None)
    return notebook


def core(notebook):
    """A copy of a lesson without what is deeper.

    Args:
        notebook: a lesson, from ``read``.
    """
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if "deeper" not in tags(cell)]
    return notebook


# ------------------------------------------------------------------------------------------------------- exercises


@dataclass(frozen=True)
class Card:
    """One exercise as it stands in a lesson.

    Attributes:
        number: as in 2.1.
        title: what it is called.
        difficulty: three circles, one to three of them filled.
        minutes: what it takes.
        deeper: whether it is left out of the core.
        stub: index of its code cell.
        hint: the folded hint, as markdown.
        solution: the solution's code.
    """

    number: str
    title: str
    difficulty: str
    minutes: int
    deeper: bool
    stub: int
    hint: str
    solution: str


def cards(notebook):
    """The exercises of a lesson: heading, then the code cell tagged `exercise`, then hint and solution.

    Args:
        notebook: a lesson, from ``read``.

    Returns:
        A list of cards in the order of the page.

    Raises:
        ValueError: a part of a card is missing or stands in the wrong place.
    """
    found = []
    for index, cell in enumerate(notebook.cells):
        if "exercise" not in tags(cell):
            continue
        heading = CARD.search(notebook.cells[index - 1].source)
        if not heading:
            raise ValueError(
                f"cell {index} is an exercise; the cell above it must hold its card, as in {CARD_FORM}:\n{cell.source}"
            )
        folded = details(notebook.cells[index + 1].source)
        fence = re.search(r"```python\n(.*?)\n```", folded.get("Solution", ""), re.DOTALL)
        if "Hint" not in folded or not fence:
            raise ValueError(
                f"exercise {heading['number']} needs Hint and Solution in the one cell below it, each in <details> "
                "with blank lines around its content, the solution as a Python fence"
            )
        words = heading.groupdict() | {"minutes": int(heading["minutes"]), "deeper": "deeper" in tags(cell)}
        found.append(Card(**words, stub=index, hint=folded["Hint"], solution=fence[1]))
    return found


def details(markdown):
    """The folded parts of a text, {summary: what is folded}."""
    return {folded["summary"]: folded["text"] for folded in DETAILS.finditer(markdown)}


def built_on(notebook, card):
    """The cells of code below an exercise that read what it defines, modules aside.

    Args:
        notebook: a lesson, from ``read``.
        card: one of its exercises.

    Returns:
        A list of cells.
    """
    defined = set()
    for statement in ast.parse(f"{notebook.cells[card.stub].source}\n{card.solution}").body:
        function = isinstance(statement, ast.FunctionDef | ast.ClassDef)  # what it names inside is its own
        defined |= {statement.name} if function else names(statement, ast.Store)
    code = [cell for cell in notebook.cells[card.stub + 1 :] if cell.cell_type == "code"]
    return [cell for cell in code if defined & names(ast.parse(cell.source), ast.Load)]


def names(tree, context):
    """The names that code stores or loads, as a set."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def answered(cell, card):
    """A copy of an exercise's cell with the solution in place of the stub; the last line, the check, stays.

    Args:
        cell: the cell of the stub.
        card: its exercise.
    """
    cell = copy.deepcopy(cell)
    cell.source = f"{card.solution}\n\n{cell.source.splitlines()[-1]}"
    return cell


def solved(notebook):
    """A copy of a lesson with each exercise answered by its solution.

    Args:
        notebook: a lesson, from ``read``.

    Raises:
        ValueError: as in ``cards``.
    """
    notebook = copy.deepcopy(notebook)
    for card in cards(notebook):
        notebook.cells[card.stub] = answered(notebook.cells[card.stub], card)
    return notebook

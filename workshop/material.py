"""A lesson as a row of blocks, in the order of the page: what slides and answer book are made of.

A block knows its role: the heading of a section, a prediction and its answer, what is read off a result, an exercise
with hint and solution, a cell of code. The roles follow from the form that every lesson has, so the notebooks need no
mark of their own.
"""

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
import nbformat
from nbconvert.filters.markdown_mistune import markdown2html_mistune

ROOT = Path(__file__).parent.parent
TEMPLATES = Path(__file__).parent / "templates"
BUILD = ROOT / "build"
sys.path.insert(0, str(ROOT / "tests"))  # the lessons' reader lives beside the tests

import lessons  # noqa: E402

# What a page needs beyond its own text: {name there: (distribution that carries it, path inside)}.
REVEAL = {
    name: ("sphinx-revealjs", f"sphinx_revealjs/_static/revealjs/{path}")
    for name, path in {
        "reset.css": "dist/reset.css",
        "reveal.css": "dist/reveal.css",
        "reveal.js": "dist/reveal.js",
        "notes.js": "plugin/notes/notes.js",
        "reveal-LICENSE": "LICENSE",
    }.items()
}
MATHJAX = {"tex-svg.js": ("sphinx-mathjax-offline", "sphinx-mathjax-offline/static/mathjax/tex-svg.js")}

# A paragraph is a folded part, a fence, or whatever stands between blank lines.
PARAGRAPH = re.compile(r"<details>.*?</details>|^```.*?^```|\S.*?(?=\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)
MARKS = {"**Predict.**": "predict", "**Run.**": "run", "**Read.**": "read", "**Sources.**": "sources"}
LIST_OR_TABLE = re.compile(r"([-*|]|\d+\.) ")


@dataclass(frozen=True)
class Block:
    """A piece of a lesson.

    Attributes:
        role: section, text, lead (what stands directly before a prediction), predict, answer, run, read, exercise,
            hint, solution, sources; or, for a cell of code, code, panel, stub.
        text: its markdown, without the mark that told its role; for code, the source.
        cell: the cell it comes from.
        follows: it has no mark of its own, its role is that of the paragraph before it.
    """

    role: str
    text: str
    cell: nbformat.NotebookNode
    follows: bool = False


def blocks(notebook):
    """The blocks of a lesson after its head and its setup cell.

    Args:
        notebook: a lesson, from ``lessons.read``.
    """
    found = []
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            found += text_blocks(cell)
        elif not lessons.tags(cell) & {"setup"}:
            kinds = {"panel": "panel", "exercise": "stub"}
            role = next((kinds[tag] for tag in kinds if tag in lessons.tags(cell)), "code")
            found.append(Block(role, cell.source, cell))
    return found


def text_blocks(cell):
    """The blocks of one text cell. A paragraph without a mark has the role of the one before it."""
    found, role = [], "text"
    for paragraph in PARAGRAPH.findall(cell.source):
        mark = next((mark for mark in MARKS if paragraph.startswith(mark)), None)
        if heading := re.match(r"##+ (.+)", paragraph):
            role = "exercise" if heading[1].startswith("Exercise ") else "text"
            found.append(Block("exercise" if role == "exercise" else "section", heading[1], cell))
        elif folded := re.match(r"<details>\s*<summary>(.+?)</summary>\n+(.*?)\s*</details>", paragraph, re.DOTALL):
            role = "text"
            found.append(Block(folded[1].lower(), folded[2], cell))
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


def goals(notebook):
    """What a lesson's head promises, as markdown list, and the line that says what it builds on."""
    head = notebook.cells[0].source
    promised = re.search(r"After this (?:lesson|page) you will be able to\n\n(.*?)\n\n", head, re.DOTALL)
    return promised[1], re.search(r"\*\*Builds on:\*\* (.+)", head)[1]


def html(markdown):
    """Markdown as HTML, code in colours, maths left for MathJax. Links to notebooks become their text."""
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\.(?:ipynb|md)\)", r"\1", markdown)
    return markdown2html_mistune(plain)


def inline(markdown):
    """One line of markdown as HTML without the paragraph around it."""
    return re.sub(r"^<p>(.*)</p>$", r"\1", html(markdown).strip(), flags=re.DOTALL)


def template(name):
    """A page to fill in; what it is given is HTML already."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def write(path, text):
    """Write a page, and say so."""
    path.write_text(text, encoding="utf-8", newline="\n")
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path, flush=True)


def copy_assets(folder, packaged, own):
    """Put scripts and styles beside the pages, so that no page asks another host for anything.

    Args:
        folder: where to.
        packaged: {name: (distribution, path inside)}, such as REVEAL.
        own: names of files of our own, from templates/.

    Raises:
        SystemExit: a package that carries the files is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, (distribution, path) in packaged.items():
        try:
            source = importlib.metadata.distribution(distribution).locate_file(path)
        except importlib.metadata.PackageNotFoundError:
            raise SystemExit(
                f"{distribution} is not installed; it carries {name}. `make slides` and `make answers` install it, "
                'or do it by hand: python -m pip install -c constraints.txt -e ".[workshop]"'
            ) from None
        shutil.copyfile(source, folder / name)
    for name in own:
        shutil.copyfile(TEMPLATES / name, folder / name)

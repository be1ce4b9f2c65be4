"""Slides of every lesson, made from the notebooks as they stand: python workshop/slides.py [part of a name]
python workshop/slides.py --sheet half-day    one deck of what a run sheet holds, in its order, pauses included

The rules: brief paragraphs, formulas, lists and tables are shown in full, and so is what leads to a prediction. A
longer paragraph shows its first two sentences and those that define a term. The answer to a prediction comes with the
next key. A cell that draws shows its picture; another shows what it printed, with its code above where both fit. What
the lesson reads off a result comes with the next key. A panel is its still picture. An exercise is its card and its
stub. All that a slide leaves out stands in the speaker's notes (key S), hints and solutions too. Setup cells and
sources are left out. A second deck of each lesson holds its core alone; in the first, slides of what is deeper say so.
"""

import argparse
from dataclasses import dataclass, field, replace

from sparsecourse.exercises.lesson12 import SHORT_FORM
from tools import lessons
from workshop import material, sheets
from workshop.material import html, inline
from workshop.parts import HEIGHT, code, gist, output, paragraph, paragraphs, picture, shown

RESULTS = ("run", "panel")  # kinds of scene that show what came out
COURSE = "Sparse Neural Networks, from y = Wx to the worm"
HOW_WE_WORK = """
- **Predict** before you run. A wrong prediction is worth more than none.
- **Run** with Shift + Enter. Then say what you see.
- **Exercises** in pairs: one types, then you swap. Each puts the pair's answer into their own lesson and checks it.
- On your lid: the note **DONE**, or the note **COME**.
- We let others finish, and touch no keyboard but our own. If something happens, the code of conduct says whom to tell.
"""
KEPT = """
- No marks. The checker notes which exercise, right or wrong, and when, not what you wrote.
- It stays where the notebook runs: on your machine, or on the workshop's server, with all that you write.
- On our server we see your name there, your files and when you were last active. A table shows us what you solved,
  how often you checked and when last, and how the self-test went.
- On Colab and Binder your files lie with others: Colab's with Google, and Binder forgets them.
- This is not recorded. On the day that the invitation names, all on our server is deleted.
"""
SHORT = f"""
Open *12 · Test yourself* and run its first two cells. Six questions, everybody alone:

**{" · ".join(SHORT_FORM)}**

Then run the last cell of that page. On paper: one letter or number for each question.
"""
CLEAN = """
Your first answers are still in lesson 12. Save it and close it, then lay it anew. What was noted of them stays.

- On the workshop's server: rename it, follow the workshop's link again, and open *12 · Test yourself*.
- On your own machine, in the course's folder: `make fresh LESSON=12`, or `python -m tools.fresh 12`.
- On paper: the boxes called *after*.
"""
HOW_WE_CLOSE = """
- One thing that you will count from now on: say it, or write it down.
- Take your work home. In a cell of any lesson: `!python -m zipfile -c ../my-work.zip ../notebooks`
- Then download `my-work.zip`, in the folder above. *Other ways to install the course* says what to do at home.
- Two notes for us: what you will **USE**, and where you were **LOST**.
"""


@dataclass
class Scene:
    """One step of a lesson, which may take several slides."""

    kind: str
    label: str
    heading: str
    deeper: bool
    parts: list = field(default_factory=list)
    notes: list = field(default_factory=list)


# ---------------------------------------------------------------------------------------------------------- scenes


def scenes(notebook):
    """The steps of a lesson in order.

    Args:
        notebook: a lesson, from ``lessons.read``.
    """
    telling = Telling()
    for block in lessons.blocks(notebook):
        telling.deeper = block.deeper
        getattr(telling, block.role)(block)
    return joined([scene for scene in telling.scenes if scene.parts])


class Telling:
    """A lesson as it is told: each method takes a block of the role that it is named after."""

    def __init__(self):
        self.scenes = []
        self.heading = ""
        self.deeper = False
        self.panel_is_open = False  # its still picture comes next

    def begin(self, kind, label="", heading=None):
        self.scenes.append(Scene(kind, label, heading or self.heading, self.deeper))

    @property
    def scene(self):
        return self.scenes[-1]

    def section(self, block):
        self.heading = inline(block.text)
        self.begin("recap" if block.text == "Recap" else "text")

    def text(self, block):
        if self.panel_is_open:  # "the same picture, for those who read this page without running it"
            return
        if self.scene.kind not in ("text", "recap"):
            self.begin("text")
        self.scene.parts += gist(block.text)
        self.scene.notes.append(block.text)

    def lead(self, block):
        if self.scene.kind != "text":
            self.begin("text")
        self.scene.parts += paragraph(block.text)

    def predict(self, block):
        if not block.follows:
            self.begin("predict", "Predict")
        self.scene.parts += [replace(part, looks="question") for part in paragraph(block.text)]

    def answer(self, block):
        self.scene.parts += [replace(part, looks="fragment") for part in paragraphs(block.text)]
        self.scene.notes.append(f"**Answer.**\n\n{block.text}")

    def run(self, block):
        self.begin("panel", "Now open the panel")
        self.scene.parts += gist(block.text)
        self.scene.notes.append(block.text)

    def panel(self, block):
        if self.scene.kind != "panel":
            self.begin("panel", "Now open the panel")
        self.panel_is_open = True

    def code(self, block):
        if not self.panel_is_open:
            self.begin("run", "Run")
        self.panel_is_open = False
        show_cell(self.scene, block.cell)

    def read(self, block):
        self.scene.parts += [replace(part, looks="fragment") for part in gist(block.text)]
        self.scene.notes.append(block.text)

    def exercise(self, block):
        if block.follows:
            self.scene.parts += paragraph(block.text)
            return
        card = lessons.CARD.match(block.text)
        label = f"Exercise {card['number']} · {card['difficulty']} · {card['minutes']} min"
        self.begin("exercise", label, inline(card["title"]))

    def stub(self, block):
        left = HEIGHT - sum(part.height for part in self.scene.parts)
        self.scene.parts.append(code(block.text, left) or code(block.text, HEIGHT))

    def hint(self, block):
        self.scene.notes.append(f"**{block.role.title()}.**\n\n{block.text}")

    solution = hint

    def sources(self, block):
        """Sources are for the page."""


def joined(found):
    """The same scenes, but a short text stands on the slide of what it leads to."""
    kept = []
    for scene in found:
        before = kept[-1] if kept else None
        leads = before and before.kind == "text" and (before.heading, before.deeper) == (scene.heading, scene.deeper)
        if leads and sum(part.height for part in before.parts + scene.parts) <= HEIGHT:
            scene.parts, scene.notes = before.parts + scene.parts, before.notes + scene.notes
            kept.pop()
        kept.append(scene)
    return kept


def show_cell(scene, cell):
    """Add a cell of code to a scene: its pictures, or its code, and what it printed."""
    pictures, printed = outputs(cell)
    above = code(cell.source, HEIGHT - sum(part.height for part in printed))
    if above and not pictures:
        scene.parts.append(above)
    elif scene.kind == "run":
        begins = "\n".join(cell.source.splitlines()[:3])
        scene.notes.append(f"The code of this cell is left out. It begins:\n\n```python\n{begins}\n```")
    scene.parts += [*map(picture, pictures), *printed]


def outputs(cell):
    """Pictures of a cell, as img elements, and parts for what it printed and for its tables, in their order."""
    pictures, printed = [], []
    for found in cell.outputs:
        markup = found.get("data", {}).get("text/html", "")
        if figure := lessons.figure(found):
            pictures.append(figure)
        elif "<table" in markup:
            printed += shown(markup)
        else:
            printed.append(output((found.get("text") or found["data"]["text/plain"]).rstrip()))
    return pictures, printed


# ---------------------------------------------------------------------------------------------------------- slides


def pages(scene):
    """The scene as slides: its parts are dealt out over as many as they need."""
    dealt, height = [[]], 0.0
    for part in scene.parts:
        if dealt[-1] and height + part.height > HEIGHT:
            dealt.append([])
            height = 0.0
        dealt[-1].append(part)
        height += part.height
    found = []
    for parts in dealt:
        reads = scene.kind in RESULTS and all("fragment" in part.looks for part in parts)
        first = replace(parts[0], looks=parts[0].looks.replace("fragment", ""))  # no slide begins empty
        kind, label = ("read", "Read") if reads else (scene.kind, scene.label)
        notes = scene.notes if parts is dealt[0] else []
        found.append(replace(scene, kind=kind, label=label, parts=[first, *parts[1:]], notes=notes))
    return found


@dataclass
class Chapter:
    """A slide with a title, and the slides that follow it. Text and notes are markdown."""

    label: str
    heading: str
    text: str
    foot: str = ""
    notes: str = ""
    slides: list = field(default_factory=list)


def lesson_chapter(notebook, minutes):
    """A lesson, or its core, that takes so many minutes."""
    goals = "\n".join(f"- {goal}" for goal in lessons.goals(notebook))
    return Chapter(
        COURSE,
        lessons.title(notebook),
        f"After this you will be able to\n\n{goals}",
        f"{minutes} minutes",
        f"**Builds on:** {lessons.builds_on(notebook)}",
        [page for scene in scenes(notebook) for page in pages(scene)],
    )


def sheet_chapters(sheet):
    """The chapters of a run sheet: its lessons, and slides for welcome, short form, breaks and close."""
    for row, after in zip(sheet.rows, (*sheet.rows[1:], None), strict=True):
        if row.lesson:
            chapter = lesson_chapter(sheets.held(row), row.minutes)
            if row.named and not row.what.startswith("The core"):
                chapter.text = f"{row.what.split(':')[0]}:\n\n" + "\n".join(f"- {section}" for section in row.named)
            if row.above:
                chapter.text += f"\n\nAt *{row.above}*: click its heading, then *Run*, *Run All Above Selected Cell*."
            votes = f"{row.votes} votes" if row.votes != 1 else "1 vote"
            chapter.notes = f"**{row.at}** {row.what}\n\n{votes}. {', '.join(row.exercises) or 'No exercise'}."
            yield chapter
        elif row.what in sheets.PAUSES:
            following = lessons.title(sheets.NOTEBOOKS[after.lesson])
            yield Chapter(COURSE, row.what, f"{row.minutes} minutes, then {following}", notes=f"**{row.at}**")
        elif row.what != "Slack":
            yield from opening_or_close(sheet, row)


def opening_or_close(sheet, row):
    """The chapters of a row in which the room comes, goes, or takes the short form."""
    notes = f"**{row.at}** {row.what}"
    short = Chapter(COURSE, "The short form", SHORT, "5 minutes", notes)
    match row.what.split(":")[0]:
        case "Welcome":
            return [
                Chapter(COURSE, sheet.title, HOW_WE_WORK, notes=notes),
                Chapter(COURSE, "What is kept of you", KEPT, notes=notes),
            ]
        case "Close":
            return [
                Chapter(COURSE, "A clean lesson 12", CLEAN, notes=notes),
                short,
                Chapter(COURSE, "What will you count from now on?", HOW_WE_CLOSE, notes=notes),
            ]
        case "The short form, everybody alone":
            return [short]
    return [Chapter(COURSE, row.what, "", notes=notes)]


def deck(title, chapters):
    """The page of slides of some chapters."""
    return material.template("deck.html").render(title=title, chapters=chapters, html=html)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lesson", nargs="?", default="", help="part of a notebook's name")
    parser.add_argument("--sheet", choices=sheets.read(), help="a run sheet of workshop/sheets.md")
    chosen = parser.parse_args()
    if chosen.sheet:
        build_sheet(chosen.sheet, material.BUILD / "slides")
    else:
        build([path for path in lessons.paths() if chosen.lesson in path.name], material.BUILD / "slides")


def build_sheet(name, folder):
    """Write the one deck of a run sheet.

    Args:
        name: of the sheet, as in half-day.
        folder: where to.
    """
    sheet = sheets.read()[name]
    copy_assets(folder)
    material.write(folder / f"{name}.html", deck(sheet.title, sheet_chapters(sheet)))


def copy_assets(folder):
    """Put what decks need beside them."""
    material.copy_assets(folder / "assets", material.REVEAL | material.MATHJAX, ("deck.css", "code.css"))


def build(paths, folder):
    """Write the decks of these lessons and a page that lists them.

    Args:
        paths: notebooks.
        folder: where to.
    """
    copy_assets(folder)
    decks = []
    for path in paths:
        notebook = lessons.read(path)
        core, every = lessons.minutes(notebook)
        names = f"{path.stem}-core.html", f"{path.stem}.html"
        for name, told, minutes in zip(names, (lessons.core(notebook), notebook), (core, every), strict=True):
            material.write(folder / name, deck(lessons.title(told), [lesson_chapter(told, minutes)]))
        decks.append((lessons.title(notebook), *names, core, every))
    material.write(folder / "index.html", material.template("decks.html").render(decks=decks))


if __name__ == "__main__":
    main()

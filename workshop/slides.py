"""Slides of every lesson, made from the notebooks as they stand: python workshop/slides.py [part of a name]

The rules: brief paragraphs, formulas, lists and tables are shown in full, and so is what leads to a prediction. A
longer paragraph shows its first two sentences and those that define a term. The answer to a prediction comes with the
next key. A cell that draws shows its picture; another shows what it printed, with its code above where both fit. What
the lesson reads off a result comes with the next key. A panel is its still picture. An exercise is its card and its
stub. All that a slide leaves out stands in the speaker's notes (key S), hints and solutions too. Setup cells and
sources are left out.
"""

import argparse
import base64
import re
import struct
import textwrap
from dataclasses import dataclass, field, replace

import material
from material import html, inline, lessons

# A slide is 1280 × 720; these are what its style (templates/deck.css) leaves for the parts below the heading.
WIDTH, HEIGHT = 1160, 545
LINE, CHARACTERS, GAP = 42, 68, 14  # a line of text, what fits on it, the space between two parts
BRIEF = 300  # a paragraph of so many characters is shown in full
PICTURE = 340  # the height that a picture claims; it grows into what is left
CODE_WIDTH = 1115
GLYPH, ROW = 0.603, 1.3  # width of a character of code, and height of its line, by the size of its letters
LARGEST, SMALLEST = 24, 18  # letters of code
# A sentence ends before a capital, a formula or a code; an initial such as "M." ends none.
SENTENCE_END = re.compile(r"((?<!\b[A-Z])[.?!](?:\*\*|[\")])*) (?=[A-Z*(`$\"0-9])")
RESULTS = ("run", "panel")  # kinds of scene that show what came out


@dataclass(frozen=True)
class Part:
    """A piece of a slide that stays whole.

    Attributes:
        html: what it shows.
        height: what it takes of a slide, in pixels.
        looks: classes for its style: "fragment" waits for a key, "question" is large, "grows" fills what is left.
    """

    html: str
    height: float
    looks: str = ""


@dataclass
class Scene:
    """One step of a lesson, which may take several slides."""

    kind: str
    label: str
    heading: str
    parts: list = field(default_factory=list)
    notes: list = field(default_factory=list)


# ---------------------------------------------------------------------------------------------------------- scenes


def scenes(notebook):
    """The steps of a lesson in order.

    Args:
        notebook: a lesson, from ``lessons.read``.
    """
    telling = Telling()
    for block in material.blocks(notebook):
        getattr(telling, block.role)(block)
    return joined([scene for scene in telling.scenes if scene.parts])


class Telling:
    """A lesson as it is told: each method takes a block of the role that it is named after."""

    def __init__(self):
        self.scenes = []
        self.heading = ""
        self.panel_is_open = False  # its still picture comes next

    def begin(self, kind, label="", heading=None):
        self.scenes.append(Scene(kind, label, heading or self.heading))

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
        card = lessons.CARD.match(f"#### {block.text}")
        label = f"Exercise {card['number']} · {card['difficulty']} · {card['minutes']} min"
        self.begin("exercise", label, inline(card["title"]))

    def stub(self, block):
        left = HEIGHT - sum(part.height for part in self.scene.parts)
        self.scene.parts.append(code(block.text, left) or code(block.text))

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
        leads = before and before.kind == "text" and before.heading == scene.heading
        if leads and sum(part.height for part in before.parts + scene.parts) <= HEIGHT:
            scene.parts, scene.notes = before.parts + scene.parts, before.notes + scene.notes
            kept.pop()
        kept.append(scene)
    return kept


def show_cell(scene, cell):
    """Add a cell of code to a scene: its pictures, or its code, and what it printed."""
    pictures, printed = outputs(cell)
    printed = [output(text) for text in printed]
    above = code(cell.source, HEIGHT - sum(part.height for part in printed))
    if above and not pictures:
        scene.parts.append(above)
    elif scene.kind == "run":
        begins = "\n".join(cell.source.splitlines()[:3])
        scene.notes.append(f"The code of this cell is left out. It begins:\n\n```python\n{begins}\n```")
    scene.parts += [*map(picture, pictures), *printed]


def outputs(cell):
    """Pictures of a cell, as img elements, and the texts that it printed."""
    pictures, printed = [], []
    for found in cell.outputs:
        markup = found.get("data", {}).get("text/html", "")
        if "<img" in markup:
            pictures.append(markup)
        else:
            printed.append(found.get("text") or found["data"]["text/plain"])
    return pictures, [text.rstrip() for text in printed]


# ----------------------------------------------------------------------------------------------------------- parts


def gist(markdown):
    """Parts of what is brief, a list, a table, a formula; of a longer paragraph two sentences and definitions."""
    if len(markdown) <= BRIEF or material.LIST_OR_TABLE.match(markdown) or markdown.startswith(("```", "$$")):
        return paragraph(markdown)
    sentences = SENTENCE_END.sub(r"\1\n", markdown.replace("\n", " ")).split("\n")
    kept = [s for k, s in enumerate(sentences) if k < 2 or "**" in s or s.endswith(":")]
    return paragraph(" ".join(kept))


def paragraphs(markdown):
    """Parts of a text of several paragraphs, in full."""
    return [part for found in material.PARAGRAPH.findall(markdown) for part in paragraph(found)]


def paragraph(markdown):
    """Parts of one paragraph in full: a list comes as its items, a table in pieces that fit."""
    if markdown.startswith("|"):
        return table(markdown.splitlines())
    if re.match(r"- |\d+\. ", markdown):
        items = re.split(r"\n(?=- |\d+\. )", markdown)
        return [Part(html(item), LINE * rows(item, CHARACTERS - 4) + GAP) for item in items]
    if markdown.startswith("```"):
        return [code(re.sub(r"^```\w*\n|\n```$", "", markdown))]
    if markdown.startswith("$$"):
        return [Part(html(markdown), 2.5 * LINE + GAP)]
    return [Part(html(markdown), LINE * rows(markdown, CHARACTERS) + GAP)]


def plain(markdown):
    """Markdown about as long as it will look: a link counts as its words, maths without its commands."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"\\(?:text|mathrm|big[lr]|lVert|rVert|left|right|,|!|;)|[{}$*`]|\\(?=[a-z])", "", text)


def rows(markdown, characters):
    """Lines that a paragraph takes."""
    return wrapped(plain(markdown).replace("\n", " "), characters)


def wrapped(text, characters):
    """Lines that a text takes where a line ends after so many characters."""
    return sum(max(1, len(textwrap.wrap(line, characters))) for line in text.splitlines())


def table(lines):
    """A table in pieces that fit on a slide, each with the head and the same widths of columns."""
    head, body = lines[:2], lines[2:]
    cells = [[plain(cell).strip() for cell in line.strip("|").split("|")] for line in [lines[0], *body]]
    longest = [min(60, max(len(row[k]) for row in cells)) for k in range(len(cells[0]))]
    share = [max(8, 84 * width // max(84, sum(longest))) for width in longest]
    heights = [31 * max(rows(cell, wide) for cell, wide in zip(row, share, strict=True)) + 11 for row in cells]
    columns = "".join(f'<col style="width: {13 * wide + 30}px">' for wide in share)
    pieces, taken = [[]], heights[0]
    for line, tall in zip(body, heights[1:], strict=True):
        if taken + tall > HEIGHT - GAP:
            pieces.append([])
            taken = heights[0]
        pieces[-1].append((line, tall))
        taken += tall
    found = []
    for piece in pieces:
        markup = html("\n".join([*head, *(line for line, _ in piece)]))
        height = heights[0] + sum(tall for _, tall in piece) + GAP
        found.append(Part(markup.replace("<table>", f"<table><colgroup>{columns}</colgroup>"), height))
    return found


def picture(markup):
    """A figure of the notebook, alternative text included; it takes the room that the other parts leave."""
    source = re.search(r'src="data:image/png;base64,([^"]+)"', markup)[1]
    width, height = struct.unpack(">II", base64.b64decode(source[:64])[16:24])
    alone = re.sub(r' (?:width|style)="[^"]*"', "", markup)
    return Part(f'<div class="picture">{alone}</div>', min(PICTURE, WIDTH * height / width) + GAP, "grows")


def code(source, room=HEIGHT):
    """Python in colours, in the largest letters with which it fits into so much height; None where none does."""
    for size in range(LARGEST, SMALLEST - 1, -1):
        across = int(CODE_WIDTH / (GLYPH * size))
        height = ROW * size * wrapped(source, across) + 24 + GAP
        if height <= room and (size == SMALLEST or max(map(len, source.splitlines())) <= across):
            colours = html(f"```python\n{source}\n```").strip()
            return Part(f'<div class="code" style="font-size: {size}px">{colours}</div>', height)
    return None


def output(text):
    """What a cell printed, in letters with which its lines fit: one or two lines as prose, many in two columns."""
    lines = text.splitlines()
    longest, many = max(map(len, lines)), HEIGHT / (ROW * SMALLEST)
    columns = 2 if len(lines) > many and 2 * (longest + 3) * GLYPH * SMALLEST < CODE_WIDTH else 1
    across, down = CODE_WIDTH / (GLYPH * columns * (longest + columns)), columns * (HEIGHT - 60) / (ROW * len(lines))
    size = LARGEST if len(lines) <= 2 else min(LARGEST, max(SMALLEST, int(min(across, down))))
    height = ROW * size * wrapped(text, int(CODE_WIDTH / (GLYPH * size))) / columns + 20
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    style = f"font-size: {size}px" + ("; columns: 2" if columns == 2 else "")
    markup = f'<pre class="output" tabindex="0" style="{style}">{safe}</pre>'
    return Part(markup, min(height, HEIGHT - GAP) + GAP)


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
        found.append(Scene(kind, label, scene.heading, [first, *parts[1:]], scene.notes if parts is dealt[0] else []))
    return found


def deck(path):
    """The page of one lesson's slides."""
    notebook = lessons.read(path)
    promised, builds_on = material.goals(notebook)
    slides = [page for scene in scenes(notebook) for page in pages(scene)]
    return material.template("deck.html").render(
        title=lessons.title(notebook),
        minutes=lessons.minutes(notebook),
        promised=html(promised),
        builds_on=html(f"**Builds on:** {builds_on}"),
        slides=slides,
        html=html,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lesson", nargs="?", default="", help="part of a notebook's name")
    chosen = [path for path in lessons.paths() if parser.parse_args().lesson in path.name]
    build(chosen, material.BUILD / "slides")


def build(paths, folder):
    """Write the decks of these lessons and a page that lists them.

    Args:
        paths: notebooks.
        folder: where to.
    """
    material.copy_assets(folder / "assets", material.REVEAL | material.MATHJAX, ("deck.css", "code.css"))
    for path in paths:
        material.write(folder / f"{path.stem}.html", deck(path))
    decks = [
        (f"{path.stem}.html", lessons.title(lessons.read(path)), lessons.minutes(lessons.read(path)))
        for path in lessons.paths()
        if (folder / f"{path.stem}.html").exists()
    ]
    material.write(folder / "index.html", material.template("decks.html").render(decks=decks))


if __name__ == "__main__":
    main()

"""The parts of a slide, from markdown, code, outputs and pictures: each with its HTML and the height that it takes."""

import base64
import re
import struct
import textwrap
from dataclasses import dataclass

from tools import lessons
from workshop.material import html

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


def gist(markdown):
    """Parts of what is brief, a list, a table, a formula; of a longer paragraph two sentences and definitions."""
    if len(markdown) <= BRIEF or lessons.LIST_OR_TABLE.match(markdown) or markdown.startswith(("```", "$$")):
        return paragraph(markdown)
    sentences = SENTENCE_END.sub(r"\1\n", markdown.replace("\n", " ")).split("\n")
    kept = [s for k, s in enumerate(sentences) if k < 2 or "**" in s or s.endswith(":")]
    return paragraph(" ".join(kept))


def paragraphs(markdown):
    """Parts of a text of several paragraphs, in full."""
    return [part for found in lessons.paragraphs(markdown) for part in paragraph(found)]


def paragraph(markdown):
    """Parts of one paragraph in full: a list comes as its items, a table in pieces that fit."""
    if markdown.startswith("|"):
        return table(markdown.splitlines())
    if re.match(r"- |\d+\. ", markdown):
        items = re.split(r"\n(?=- |\d+\. )", markdown)
        return [Part(html(item), LINE * rows(item, CHARACTERS - 4) + GAP) for item in items]
    if markdown.startswith("```"):
        return [code(re.sub(r"^```\w*\n|\n```$", "", markdown), HEIGHT)]
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


def shown(markup):
    """A table of the notebook in pieces that fit on a slide, each with caption and head; groups of rows stay whole.

    A small one has large letters.
    """
    opening, bodies = re.split(r"(?=<tbody>)", markup, maxsplit=1)
    lines = re.findall(r"<tr>.*?</tr>", markup)
    across = max(GLYPH * LARGEST * len(re.sub(r"<[^>]+>", "", line)) + 24 * line.count("</t") for line in lines)
    size, row = (LARGEST, 35) if len(lines) <= 8 and across <= WIDTH else (19, 29)
    groups = re.findall(r"<tbody>.*?</tbody>", bodies, re.DOTALL)
    if len(groups) == 1:
        groups = [f"<tbody>{line}</tbody>" for line in re.findall(r"<tr>.*?</tr>", bodies)]
    above = 30 + row * (1 + opening.count("<tr>"))  # the caption; names of columns may take two lines
    pieces, taken = [[]], above
    for group in groups:
        tall = row * group.count("<tr>")
        if pieces[-1] and taken + tall > HEIGHT - GAP:
            pieces.append([])
            taken = above
        pieces[-1].append(group)
        taken += tall
    whole = [f'<div style="font-size: {size}px">{opening}{"".join(piece)}</table></div>' for piece in pieces]
    return [Part(piece, above + row * (piece.count("<tr>") - opening.count("<tr>")) + GAP) for piece in whole]


def picture(markup):
    """A figure of the notebook, alternative text included; it takes the room that the other parts leave."""
    source = re.search(r'src="data:image/png;base64,([^"]+)"', markup)[1]
    width, height = struct.unpack(">II", base64.b64decode(source[:64])[16:24])
    alone = re.sub(r' (?:width|style)="[^"]*"', "", markup)
    return Part(f'<div class="picture">{alone}</div>', min(PICTURE, WIDTH * height / width) + GAP, "grows")


def code(source, room):
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

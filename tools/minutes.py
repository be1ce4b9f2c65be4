"""How long a lesson takes, from what is in it: words, lines of code, predictions, exercises, and its running."""

import re

from tools import lessons

# Reading to learn goes at about 200 words a minute: R. Carver, "Reading rate: theory, research, and practical
# implications", Journal of Reading 36 (1992); 238 for pleasure: M. Brysbaert, Journal of Memory and Language 109
# (2019). No such figure is known for code in lessons. The other two fit twelve readings of the lessons as they were
# before they had a core: 906 minutes in all, with a root mean square error of 12 minutes a lesson.
WORDS_A_MINUTE = 200
LINES_A_MINUTE = 5
PREDICTIONS_A_MINUTE = 4 / 3

UNREAD = ("hint", "solution", "sources")  # roles of blocks for whoever wants them


def minutes(notebook, seconds=0):
    """Minutes that a lesson takes, as a number that is not rounded.

    Args:
        notebook: a lesson, or its core.
        seconds: that its cells run.
    """
    return (
        reading(notebook)
        + predictions(notebook) / PREDICTIONS_A_MINUTE
        + sum(card.minutes for card in lessons.cards(notebook))
        + seconds / 60
    )


def reading(notebook):
    """Minutes that the words and the code of a lesson take."""
    read = [block for block in lessons.blocks(notebook) if block.role not in UNREAD]
    words = sum(len(text.split()) for text in [notebook.cells[0].source, *(b.text for b in read if is_prose(b))])
    lines = sum(len(lines_to_read(block.cell)) for block in read if block.role in ("code", "panel"))
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE


def predictions(notebook):
    """How many predictions a lesson asks for."""
    return sum(block.role == "predict" and not block.follows for block in lessons.blocks(notebook))


def is_prose(block):
    """Whether a block is text."""
    return block.role not in ("code", "panel", "stub")


def lines_to_read(cell):
    """The lines of a cell of code that a reader meets: none of a cell that is folded."""
    folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    return [] if folded else [line for line in cell.source.splitlines() if line.strip()]


def core_and_all(notebook, seconds=0):
    """``lessons.Minutes`` of a lesson, not rounded. Its core is taken to run as long as all of it.

    Args:
        notebook: a lesson, from ``lessons.read``.
        seconds: that its cells run.
    """
    return lessons.Minutes(minutes(lessons.core(notebook), seconds), minutes(notebook, seconds))


def rounded(found):
    """Minutes to the next five, as heads and README say them, at least five."""
    return lessons.Minutes(*(max(5, 5 * round(number / 5)) for number in found))


def in_words(found):
    """How a lesson's head says its minutes."""
    core, every = rounded(found)
    return f"{every} minutes" if core == every else f"core {core} minutes, all {every} minutes"


def written(notebook, seconds=0):
    """The lesson's first cell with its minutes in it.

    Args:
        notebook: a lesson, from ``lessons.read``.
        seconds: that its cells run.
    """
    time = f"**Time:** {in_words(core_and_all(notebook, seconds))}"
    return re.sub(r"^\*\*Time:\*\* [\w ,]+?(?= ·|$)", time, notebook.cells[0].source, flags=re.MULTILINE)

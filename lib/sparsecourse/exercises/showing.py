"""How a verdict is shown: as text; in a notebook with a sign and a colour, which say nothing that the text doesn't."""

import html

from IPython import get_ipython
from IPython.display import display

# white on either, and either on a light or dark page, can be told apart: 4.7:1 and 3.8:1 at least
LOOKS = {True: ("✓", "#008060"), False: ("✗", "#c94a00")}


def show(words, solved):
    """Show a verdict.

    Args:
        words: what it says.
        solved: whether it is right; None for what is neither right nor wrong, which has no sign.
    """
    in_notebook = getattr(get_ipython(), "kernel", None) is not None
    if solved is None or not in_notebook:
        print(words)
    else:
        display({"text/html": verdict_html(words, solved), "text/plain": words}, raw=True)


def verdict_html(words, solved):
    """A verdict that is right or wrong as HTML, in the letters that print has; a screen reader reads it as it comes."""
    sign, colour = LOOKS[solved]
    mark = f"background: {colour}; color: #fff; padding: 0 6px; margin-right: 8px; border-radius: 3px"
    block = f"border-left: 4px solid {colour}; padding-left: 8px; white-space: pre-wrap; overflow-wrap: anywhere"
    font = "font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px)"
    return (
        f'<div role="status" style="{block}; {font}"><span aria-hidden="true" style="{mark}">{sign}</span>'
        f"{html.escape(words)}</div>"
    )

"""Figures and their words: made, turned into HTML, shown; and what the pictures share."""

import base64
import html
import io

import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image  # matplotlib brings it

from sparsecourse import palette

SCREEN_DPI = 96
SHARPNESS = 2  # pixels drawn for each pixel shown, so that figures stay sharp on fine screens
LIGHT = {"colours": 256, "sharpness": 1.5}  # for a picture that moves: a sixth of the bytes, drawn sooner
HALO = [withStroke(linewidth=3, foreground=palette.PAPER)]  # around text that lies on lines or points
# the look of a name above or below a point; how far away, in points, is its ``xytext``
NAME = {"textcoords": "offset points", "ha": "center", "fontsize": 9, "path_effects": HALO}


def figure(width=6.0, height=3.5, columns=1, rows=1, margins=None, **options):
    """A figure and its Axes, in the course's style and outside pyplot's memory.

    Args:
        width, height: size in inches.
        columns, rows: grid of Axes.
        margins: options of ``Figure.subplots_adjust``, fractions of the figure; None fits them to what is drawn, which
            takes longer.
        **options: passed on to ``Figure.subplots``, for example ``sharey=True``.

    Returns:
        (figure, Axes), or (figure, array of Axes) for a grid.
    """
    fig = Figure(figsize=(width, height), layout=None if margins else "constrained", facecolor=palette.PAPER)
    axes = fig.subplots(rows, columns, **options)
    if margins:
        fig.subplots_adjust(**margins)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def image_html(fig, alt, colours=None, sharpness=None):
    """A figure as an ``<img>`` element that holds the picture, with alternative text.

    Args:
        fig: a matplotlib figure.
        alt: what the figure shows, in a sentence or two.
        colours: how many the picture may have; None keeps all.
        sharpness: pixels drawn for each pixel shown; None takes :data:`SHARPNESS`.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError(f"alt must say what the figure shows, got {alt!r}")
    png = io.BytesIO()
    fig.set_dpi(SCREEN_DPI * (sharpness or SHARPNESS))
    canvas = FigureCanvasAgg(fig)
    if colours:
        canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        picture.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(png, "png")
    else:
        canvas.print_png(png)  # draws once, where savefig draws twice
    data = base64.b64encode(png.getvalue()).decode()
    width = round(fig.get_figwidth() * SCREEN_DPI)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" style="max-width: 100%; height: auto" '
        f'src="data:image/png;base64,{data}">'
    )


def show(fig, alt):
    """Show a figure in the notebook with alternative text, both as for :func:`image_html`.

    JupyterLab drops the alternative text of a plain image, so the figure is sent as HTML.
    """
    display({"text/html": image_html(fig, alt), "text/plain": f"[figure: {alt}]"}, raw=True)


def subscript(number):
    """A number in subscript digits; plain text, because matplotlib takes 4 ms to set a formula."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))

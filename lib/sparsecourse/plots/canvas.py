"""Figures and their words: made, turned into HTML, shown; and what the pictures share."""

import base64
import html
import io
import os

import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image

from sparsecourse import palette

SCREEN_DPI = 96
FIGURES = "SPARSECOURSE_FIGURES"  # in the environment, "png": :func:`show` sends plain images
STILL = "still"  # a mark, matplotlib's gid, of what stays where it is while a picture moves
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
    return img(png(fig, colours, sharpness), alt, shown_width(fig))


def img(data, alt, width):
    """An ``<img>`` element.

    Args:
        data: a PNG file in base64.
        alt: what the picture shows, in a sentence or two.
        width: pixels of the page.

    Raises:
        ValueError: alt is empty.
    """
    if not alt.strip():
        raise ValueError(f"alt must say what the figure shows, got {alt!r}")
    look = f'width="{width}" style="max-width: 100%; height: auto"'
    return f'<img alt="{html.escape(alt)}" {look} src="data:image/png;base64,{data}">'


def shown_width(fig):
    """How wide a figure is shown, in pixels of the page."""
    return round(fig.get_figwidth() * SCREEN_DPI)


def png(fig, colours=None, sharpness=None, only=None):
    """A figure as a PNG file in base64, or ``only`` some of its artists; the rest is as for :func:`image_html`."""
    file = io.BytesIO()
    fig.set_dpi(SCREEN_DPI * (sharpness or SHARPNESS))
    canvas = FigureCanvasAgg(fig)
    if colours:
        for artist in only or [fig]:
            artist.draw(canvas.get_renderer())
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))
        picture.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    else:
        canvas.print_png(file)  # draws once, where savefig draws twice
    return base64.b64encode(file.getvalue()).decode()


def show(fig, alt):
    """Show a figure in the notebook with alternative text, both as for :func:`image_html`.

    JupyterLab gives a plain image no alternative text, so the figure is sent as HTML; where the environment variable
    :data:`FIGURES` says png, as an image that viewers without HTML show too. The words stand in its text either way.
    """
    data, width = png(fig), shown_width(fig)
    shown, metadata = {"text/html": img(data, alt, width)}, {}
    if os.environ.get(FIGURES) == "png":
        shown, metadata = {"image/png": data}, {"image/png": {"width": width}}
    display(shown | {"text/plain": f"[figure: {alt}]"}, metadata=metadata, raw=True)


def subscript(number):
    """A number in subscript digits; plain text, because matplotlib takes 4 ms to set a formula."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))

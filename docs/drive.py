"""The README's moving picture, a circuit of nineteen neurons that drives: python docs/drive.py writes drive.gif."""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from sparsecourse.panels import lesson11

MOMENTS = range(40, 160, 3)  # tenths of a second: twelve seconds, three times as fast


def frame(moment):
    """One moment of the drive as an image."""
    fig, _, _ = lesson11.picture(moment, "NCP", 0.1)
    png = io.BytesIO()
    FigureCanvasAgg(fig).print_png(png)
    return Image.open(png).convert("RGB")


def main():
    drawn = [frame(moment) for moment in MOMENTS]
    few = drawn[0].quantize(64)  # colours, the same in all: what does not move is then stored once
    first, *others = (image.quantize(palette=few, dither=Image.Dither.NONE) for image in drawn)
    # played once: what moves for ever beside a text keeps its reader from reading
    first.save(Path(__file__).with_name("drive.gif"), save_all=True, append_images=others, duration=90, optimize=True)


if __name__ == "__main__":
    main()

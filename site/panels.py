"""The lessons' panels, drawn beforehand, so that they move on a page that has no kernel.

A panel's own function draws it at every setting of its controls, or at some where they are too many. The pictures of a
panel share most of their lines. So they are kept as pieces of SVG, each once, and a picture is runs of pieces.
"""

import difflib
import importlib
import io
import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import ipywidgets
import jinja2
import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG

from sparsecourse import storage
from sparsecourse.panels import lesson02

TEMPLATE = Path(__file__).parent / "panel.html.jinja"
PIXELS = 96 / 72  # in a point, which is the unit of matplotlib's SVG
# neurons that lesson 04 names, and a few that accounts of how the worm moves and feels begin with
NEURONS = ("ADAL", "AIBL", "ASEL", "ASHL", "AVAL", "AVBL", "CANL", "DVA", "HSNL", "M1", "RIPL", "RIPR")
DRAWN = {  # of controls that have too many values, those that are drawn: {lesson: {control: values}}
    "01": dict.fromkeys(("x1", "x2", "x3", "x4"), range(-1, 3)),
    "04": {"neuron": NEURONS, "threshold": (1, 3, 10, 30)},
    "07": {"moved": (0, 10, 25, 50, 75, 100)},
    "09": {"steps": range(0, 101, 10)},
    "10": {"units": (128, 256, 512, *range(1024, 4097, 512)), "batch": [2**k for k in range(9)]},
    "11": {"moment": range(0, 300, 6), "kind": ("NCP", "one"), "noise": (0.1, 1.0)},
}
# rates that lesson 10 has measured once; the machine that builds the site is nobody's
MACHINE = storage.Machine(bandwidth=17.1e9, dense=92.7e9, sparse=21.8e9, turn=0.91e9, call=28e-6)
OPTIONS = {"10": {"machine": MACHINE}}
REMARKS = {"10": "The times are those of a machine that reads 17 billion bytes a second, and not of yours."}

matplotlib.rcParams["svg.hashsalt"] = "panels"  # what is the same in two pictures then has the same id


def panel(lesson):
    """A lesson's panel as it is drawn for the site.

    Args:
        lesson: two digits, "04".
    """
    return importlib.import_module(f"sparsecourse.panels.lesson{lesson}").panel(**OPTIONS.get(lesson, {}))


def draw(lesson):
    """Draw a lesson's panel.

    Args:
        lesson: two digits, "04".

    Returns:
        (the panel as HTML, all its pictures and sentences as a script). The HTML has the name "FRAMES" for the script.
    """
    shown = panel(lesson)
    grid = {
        name: [(label, value) for label, value in choices(control) if value in DRAWN.get(lesson, {}).get(name, [value])]
        for name, control in shown.controls.items()
    }
    axes = [[value for _, value in found] for found in grid.values()]
    settings = [dict(zip(grid, values, strict=True)) for values in itertools.product(*axes)]
    artist = Artist(shown.draw)
    seen = painted(artist, settings) if lesson == "02" else map(artist.picture, settings)
    pieces = {}
    frames = [
        [runs(pieces, parts), runs(pieces, clauses(alt)), runs(pieces, clauses(words))] for parts, alt, words in seen
    ]
    data = {"shared": "".join(artist.shared.values()), "pieces": list(pieces), "frames": frames}
    script = f"document.currentScript.drawn = {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n"
    return markup(lesson, shown, grid, artist), script


def choices(control):
    """What a control can be set to, a list of (name, value)."""
    if isinstance(control, ipywidgets.ToggleButton):
        return [("cut", False), ("kept", True)]
    if isinstance(control, ipywidgets.Dropdown):
        return [option if isinstance(option, tuple) else (option, option) for option in control.options]
    steps = round((control.max - control.min) / control.step)
    values = sorted({control.value, *(round(control.min + step * control.step, 10) for step in range(steps + 1))})
    return [(f"{value:g}", value) for value in values]


class Artist:
    """Draws one panel, as pieces of SVG.

    Attributes:
        shared: {id: definition} of all pictures: letters, markers, and what is cut off at the edges.
        size: width and height of the pictures, in points.
    """

    def __init__(self, draw):
        self.draw = draw
        self.shared, self.size, self.places = {}, None, None

    def picture(self, setting):
        """The panel at one setting.

        Args:
            setting: {control: value}.

        Returns:
            (pieces of SVG, alternative text, sentence).
        """
        fig, alt, words = self.draw(**setting)
        if self.places:  # where the first picture's axes have come to lie; to find it takes longer than to draw
            fig.set_layout_engine("none")
            for ax, place in zip(fig.axes, self.places, strict=True):
                ax.set_position(place)
        text = io.StringIO()
        FigureCanvasSVG(fig).print_svg(text)
        self.places = [ax.get_position(original=True) for ax in fig.axes]
        self.size = 72 * fig.get_size_inches()
        root = ElementTree.fromstring(text.getvalue())
        for element in root.findall(".//{*}defs"):
            self.shared |= {one.get("id"): "".join(pieces_of(one, named=True)) for one in element if one.get("id")}
        return pieces_of(root), alt, words


def pieces_of(element, named=False):
    """What an SVG element draws, as a list of texts.

    Args:
        element: of ``xml.etree``. Groups are taken apart, but for lines of text.
        named: keep the element's id.
    """
    tag = element.tag.rpartition("}")[2]
    if tag in ("metadata", "defs"):
        return []
    look = {key.rpartition("}")[2]: rounded(value) for key, value in element.items() if named or key != "id"}
    opening = tag + "".join(f" {key}={quoteattr(value)}" for key, value in look.items())
    opening = " ".join(opening.replace('"', "'").split())  # JSON would have to mark double quotes and line ends
    inside = [part for child in element for part in pieces_of(child)]
    if not inside:
        return [] if tag == "g" else [f"<{opening}/>"]
    if tag == "svg" or not look:
        return inside
    if tag != "g" or "transform" in look:
        return [f"<{opening}>{''.join(inside)}</{tag}>"]
    inside[0], inside[-1] = f"<{opening}>{inside[0]}", f"{inside[-1]}</{tag}>"
    return inside


def rounded(text):
    """A text whose numbers have four digits, which is a tenth of a pixel or less."""
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.4g}", text)


def clauses(text):
    """A text cut after its sentences."""
    return re.split(r"(?<=[.:] )", text)


def runs(pieces, parts):
    """Where parts stand in a table, as a flat list: from, to, from, to.

    Args:
        pieces: {piece: its place}; parts that are new to it are added.
        parts: a list of pieces.
    """
    found = []
    for place in (pieces.setdefault(part, len(pieces)) for part in parts):
        if found and found[-1] == place:
            found[-1] += 1
        else:
            found += [place, place + 1]
    return found


def painted(artist, settings):
    """Every mask of lesson 02, put together from a picture of all weights and one without each of them.

    Thousands of masks would take minutes to draw. A weight's line, cell and number are its own: what its cut changes
    in the picture of all, it changes in every picture.

    Args:
        artist: of the panel.
        settings: all settings of its buttons.

    Yields:
        As ``Artist.picture`` returns, for each setting.
    """
    whole, *_ = artist.picture(dict.fromkeys(settings[0], True))
    changes = {}
    for name in settings[0]:
        without, *_ = artist.picture({each: each != name for each in settings[0]})
        matched = difflib.SequenceMatcher(None, whole, without, autojunk=False).get_opcodes()
        changes[name] = {
            place: without[there:until] if place == first else []
            for kind, first, last, there, until in matched
            if kind != "equal"
            for place in range(first, last)
        }
    for setting in settings:
        cut = [changes[name] for name, kept in setting.items() if not kept]
        changed = {place: parts for change in cut for place, parts in change.items()}
        parts = [part for place, one in enumerate(whole) for part in changed.get(place, [one])]
        yield parts, *lesson02.described(np.array(list(setting.values()), dtype=int).reshape(lesson02.SHAPE))


def markup(lesson, shown, grid, artist):
    """A panel as HTML, its controls where they stand at first.

    Args:
        lesson: two digits, "04".
        shown: the panel.
        grid: {control: its values on the page, as (name, value)}.
        artist: who has drawn it.
    """
    controls, drawn = [], {}
    for name, control in shown.controls.items():
        start = [value for _, value in grid[name]].index(control.value)
        kind = type(control).__name__.removeprefix("Int").removeprefix("Float")
        names = [label for label, _ in grid[name]]
        label = control.description.removesuffix(" kept")  # the page's buttons say by themselves that they are pressed
        controls.append({"kind": kind, "label": label, "tip": control.tooltip, "names": names, "start": start})
        if len(names) < (many := len(choices(control))):
            drawn.setdefault(f"{len(names)} of {many} values of ", []).append(f"“{control.description}”")
    template = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    within = list(widgets(shown.children[0]))
    _, alt, words = shown.draw(**{name: control.value for name, control in shown.controls.items()})
    return template.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        controls=controls,
        alt=alt,
        words=words,
        heading=next((re.sub("<.*?>", "", each.value) for each in within if isinstance(each, ipywidgets.HTML)), ""),
        columns=lesson02.SHAPE[1],
        plays=any(isinstance(each, ipywidgets.Play) for each in within),
        size=artist.size,
        pixels=[round(PIXELS * side) for side in artist.size],
        drawn=[count + ", ".join(names) for count, names in drawn.items()],
        remark=REMARKS.get(lesson, ""),
    )


def widgets(widget):
    """A widget and all that are inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets(child)

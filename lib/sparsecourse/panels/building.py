"""What panels are built of: controls, and a box in which a picture and a sentence follow them."""

import html

import ipywidgets
import traitlets

from sparsecourse import plots

FONT = "font-size: 14px; line-height: 1.5"
TEXT_BOXES = {ipywidgets.IntSlider: ipywidgets.BoundedIntText, ipywidgets.FloatSlider: ipywidgets.BoundedFloatText}


def build(controls, draw, layout=None):
    """A panel that redraws whenever one of its controls changes.

    Args:
        controls: {argument of draw: widget with a ``value``}.
        draw: called with the controls' values; returns (figure, alternative text, sentence to show below).
        layout: widget that shows the controls; None puts them into a row.

    Returns:
        An ``ipywidgets.VBox``; its attributes ``controls`` and ``draw`` are what was given.
    """
    picture, sentence = ipywidgets.HTML(), ipywidgets.HTML()

    def redraw(_change=None):
        fig, alt, words = draw(**{name: control.value for name, control in controls.items()})
        picture.value = plots.image_html(fig, alt)
        sentence.value = f'<div role="status" style="{FONT}">{html.escape(words)}</div>'

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    if layout is None:
        row = [with_text_box(control) for control in controls.values()]
        layout = ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
    box = ipywidgets.VBox([layout, picture, sentence])
    box.controls, box.draw = controls, draw
    return box


def slider(label, value, low, high, step):
    """A slider without its own read-out; :func:`build` sets a text box beside it, which a keyboard reaches.

    Args:
        label: name that stands before it.
        value: where it stands at first.
        low, high: its ends.
        step: distance of neighbouring values. With whole numbers everywhere its values are whole numbers.
    """
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    look = {"readout": False, "style": {"description_width": "initial"}, "layout": {"width": "300px"}}
    return kind(value=value, min=low, max=high, step=step, description=label, **look)


def dropdown(label, options, value, width=200):
    """A list to choose from.

    Args:
        label: name that stands before it.
        options: values, or (name, value) of each.
        value: the one that is chosen at first.
        width: pixels.
    """
    layout = {"width": f"{width}px"}
    return ipywidgets.Dropdown(options=list(options), value=value, description=label, layout=layout)


def with_text_box(control):
    """A slider together with a text box of the same value; any other widget as it is."""
    if type(control) not in TEXT_BOXES:
        return control
    same = {"value": control.value, "min": control.min, "max": control.max, "step": control.step}
    box = TEXT_BOXES[type(control)](**same, layout={"width": "80px"})
    traitlets.link((control, "value"), (box, "value"))
    return ipywidgets.HBox([control, box])

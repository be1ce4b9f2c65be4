"""What panels are built of: controls, and a box in which a picture and a sentence follow them."""

import html
import uuid

import ipywidgets

from sparsecourse import plots

FONT = "font-size: 14px; line-height: 1.5"
NO_LABEL = {"description_width": "0px"}


class Panel(ipywidgets.VBox):
    """Controls, and below them a picture and a sentence.

    Attributes:
        controls, draw: as they were given to :func:`build`.
        redraw: draws again; called without arguments at every change of a control.
    """

    def __repr__(self):
        """What a page shows where no kernel runs."""
        return "Run this cell to see the panel."


def build(controls, draw, layout=None, moving=None):
    """A panel that redraws whenever one of its controls changes.

    Args:
        controls: {argument of draw: widget with a ``value``}.
        draw: called with the controls' values; returns (figure, alternative text, sentence to show below).
        layout: widget that shows the controls; None puts them into a row.
        moving: name of a control that moves only a part of the picture. What is marked ``plots.canvas.STILL`` is then
            sent when another control changes, and lies below the rest: many learners may share a network.

    Returns:
        A :class:`Panel`.
    """
    picture, sentence, below, sent = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML(), None
    place = f"picture-{uuid.uuid4()}"

    def redraw(_change=None):
        nonlocal sent
        settings = {name: control.value for name, control in controls.items()}
        fig, alt, words = draw(**settings)
        if moving:
            del settings[moving]
            parts = [part for ax in fig.axes for part in ax.collections]
            still = [fig.patch, *(part for part in parts if part.get_gid() == plots.STILL)]
            if settings != sent:
                data, sent = plots.png(fig, **plots.LIGHT, only=still), settings
                below.value = (
                    f"<style>.{place} img {{ background: 0 0 / 100% url(data:image/png;base64,{data}) }}</style>"
                )
            for artist in still:
                artist.set_visible(False)
        picture.value = plots.image_html(fig, alt, **plots.LIGHT)
        sentence.value = f'<div role="status" style="{FONT}">{html.escape(words)}</div>'

    for control in controls.values():
        control.observe(redraw, names="value")
    picture.add_class(place)
    redraw()
    panel = Panel([layout or row(controls.values()), picture, sentence, *([below] if moving else [])])
    panel.controls, panel.draw, panel.redraw = controls, draw, redraw
    return panel


def row(controls):
    """Controls side by side, each slider with its text box."""
    return ipywidgets.HBox([with_text_box(control) for control in controls], layout={"flex_flow": "row wrap"})


def slider(label, value, low, high, step, width=300):
    """A slider without a label and a read-out of its own; the text box beside it has both.

    Args:
        label: its name.
        value: where it stands at first.
        low, high: its ends.
        step: distance of neighbouring values. With whole numbers everywhere its values are whole numbers.
        width: pixels.
    """
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    look = {"readout": False, "style": NO_LABEL, "layout": {"width": f"{width}px"}}
    return titled(kind(value=value, min=low, max=high, step=step, description=label, **look))


def dropdown(label, options, value, width=200):
    """A list to choose from.

    Args:
        label: name that stands before it.
        options: values, or (name, value) of each.
        value: the one that is chosen at first.
        width: pixels.
    """
    layout = {"width": f"{width}px"}
    return titled(ipywidgets.Dropdown(options=list(options), value=value, description=label, layout=layout))


def with_text_box(control):
    """A slider after a text box of the same value, which has its name; any other widget as it is.

    ipywidgets ties a label to a text box but not to the handle of a slider. So the box comes first: who hears the page
    has heard what the slider is when they reach it. A typed number becomes the nearest that the slider has. The box
    takes fractions for whole numbers too, because one for whole numbers alone reads 12.5 as 125.
    """
    if not isinstance(control, (ipywidgets.IntSlider, ipywidgets.FloatSlider)):
        return control
    range_ = {"value": control.value, "min": control.min, "max": control.max, "step": control.step}
    look = {"style": {"description_width": "initial"}, "layout": {"width": "max-content"}}
    box = titled(ipywidgets.BoundedFloatText(**range_, description=control.description, **look))

    def typed(change):
        steps = round((change["new"] - control.min) / control.step)
        control.value = type(control.value)(round(control.min + steps * control.step, 10))
        box.value = control.value

    box.observe(typed, names="value")
    control.observe(lambda change: setattr(box, "value", change["new"]), names="value")
    return ipywidgets.HBox([box, control])


def titled(control):
    """A control whose title is its name: one without a title has the title "null"."""
    control.tooltip = control.description
    return control


def playing(play):
    """The name of the trait that says whether a ``Play`` plays; ipywidgets 7 kept it to itself."""
    return "playing" if play.has_trait("playing") else "_playing"

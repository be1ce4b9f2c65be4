"""Panel of lesson 02: paint a mask."""

import ipywidgets
import numpy as np

from sparsecourse import measure, plots
from sparsecourse.panels.building import FONT, build

SHAPE = (3, 4)


def panel():
    """Click the entries of a mask: the diagram loses edges and the numbers follow."""
    W = np.random.default_rng(1).normal(size=SHAPE)
    controls = {}
    for i, j in np.ndindex(SHAPE):
        tip = f"weight from input {j + 1} to output {i + 1}"
        button = ipywidgets.ToggleButton(value=True, tooltip=tip, layout={"width": "96px"})
        tell_state(button, plots.brief(W[i, j]))
        controls[f"{i},{j}"] = button
    columns = {"grid_template_columns": f"repeat({SHAPE[1]}, 100px)"}
    grid = ipywidgets.GridBox(list(controls.values()), layout=columns)
    words = "Rows are outputs, columns are inputs. A pressed button keeps its weight."
    heading = ipywidgets.HTML(f'<div style="{FONT}">{words}</div>')

    def draw(**pressed):
        return picture(W, np.array(list(pressed.values()), dtype=int).reshape(SHAPE))

    return build(controls, draw, ipywidgets.VBox([heading, grid]))


def tell_state(button, name):
    """Name a button, and have the name say whether it is pressed: ipywidgets says it by a shade alone."""

    def describe(_change=None):
        button.description = f"{name} {'kept' if button.value else 'cut'}"

    button.observe(describe, names="value")
    describe()


def picture(W, S):
    """A layer as diagram and matrix, with what its mask amounts to.

    Args:
        W: weights, (out, in).
        S: mask of the same shape.
    """
    return plots.layer(W, S), *described(S)


def described(S):
    """What a mask amounts to.

    Args:
        S: mask, (out, in).

    Returns:
        (alternative text of its picture, sentence).
    """
    kept, n = int(S.sum()), S.size
    compression = measure.compression(S)
    words = (
        f"{kept} of {n} kept: sparsity {measure.sparsity(S):.1%}, density {measure.density(S):.1%}, "
        f"compression {f'{compression:.1f}×' if kept else 'infinite'}."
    )
    idle = {"Inputs that nothing uses": measure.unused_inputs(S), "Dead outputs": measure.dead_outputs(S)}
    for what, units in idle.items():
        if units:
            words += f" {what}: {', '.join(str(unit + 1) for unit in units)}."
    return f"A layer of {S.shape[1]} inputs and {S.shape[0]} outputs. {words}", words

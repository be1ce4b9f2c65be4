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
        tip = f"weight from input {j + 1} to output {i + 1}: pressed is kept"
        controls[f"{i},{j}"] = ipywidgets.ToggleButton(
            value=True, description=f"{W[i, j]:.1f}", tooltip=tip, layout={"width": "56px"}
        )
    columns = {"grid_template_columns": f"repeat({SHAPE[1]}, 60px)"}
    grid = ipywidgets.GridBox(list(controls.values()), layout=columns)
    words = "Rows are outputs, columns are inputs. A pressed button keeps its weight."
    heading = ipywidgets.HTML(f'<div style="{FONT}">{words}</div>')

    def draw(**pressed):
        return picture(W, np.array(list(pressed.values()), dtype=int).reshape(SHAPE))

    return build(controls, draw, ipywidgets.VBox([heading, grid]))


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

"""Panel of lesson 07: layers whose outputs hear neighbouring inputs."""

import numpy as np

from sparsecourse import masks, measure, plots
from sparsecourse.panels.building import build, slider

SHAPE = (12, 18)


def panel():
    """Widen the windows of a local layer, and move some of its connections to random places."""
    controls = {
        "fan_in": slider("inputs of each output", 4, 1, SHAPE[1] - 2, 1),
        "moved": slider("connections moved, %", 0, 0, 100, 5),
    }
    return build(controls, picture)


def picture(fan_in, moved):
    """A layer whose outputs hear ``fan_in`` neighbouring inputs each, ``moved`` per cent of its connections moved."""
    S = masks.small_world(SHAPE, fan_in, moved / 100, seed=0)
    W = np.random.default_rng(1).normal(size=SHAPE)
    n_out, n_in = SHAPE
    words = (
        f"{n_out} outputs hear {fan_in} of {n_in} inputs each: sparsity {measure.sparsity(S):.1%}. "
        f"{int((S * masks.local(SHAPE, fan_in)).sum())} of {int(S.sum())} connections lie in their window."
    )
    if idle := measure.unused_inputs(S):
        words += f" Inputs that nobody hears: {', '.join(str(unit + 1) for unit in idle)}."
    margins = {"left": 0.02, "right": 0.99, "top": 0.97, "bottom": 0.14, "wspace": 0.12}
    fig, (left, right) = plots.figure(8.0, 4.2, columns=2, margins=margins)
    scale = plots.weight_scale([W])
    plots.network(left, [W], [S], labels=False, scale=scale)
    plots.matrix(right, W, S, numbers=False, scale=scale)
    return fig, f"A layer whose outputs hear neighbouring inputs, as a diagram and as a matrix. {words}", words

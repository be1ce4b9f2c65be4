"""Panel of lesson 01: the terms of one layer."""

import numpy as np

from sparsecourse import plots
from sparsecourse.panels.building import build, slider

W_OF_THE_LESSON = np.array([[0.9, -0.5, 0.0, 0.4], [0.3, 0.8, -0.7, 0.0], [-0.6, 0.2, 0.5, 1.0]])


def panel():
    """Move the inputs of one layer and watch every term of every output."""
    reach = 2.0
    controls = {f"x{j + 1}": slider(f"x{j + 1}", 1.0, -reach, reach, 0.1) for j in range(W_OF_THE_LESSON.shape[1])}
    return build(controls, lambda **x: picture(W_OF_THE_LESSON, np.array(list(x.values())), reach))


def picture(W, x, reach=None):
    """Diagram of a layer with its values, and the terms W[i, j] x[j] of each output.

    Args:
        W: weights, (out, in).
        x: inputs, (in,).
        reach: the largest magnitude an input may have, or None, as for ``plots.terms``.
    """
    y = W @ x
    fig, (left, right) = plots.figure(8.0, 3.0, columns=2, width_ratios=(1, 1.25))
    plots.network(left, [W], values=[x, y])
    plots.terms(right, W, x, reach)
    words = "; ".join(f"y{i + 1} = {value:.2f}" for i, value in enumerate(y))
    inputs = ", ".join(f"x{j + 1} = {value:.1f}" for j, value in enumerate(x))
    return fig, f"A layer with inputs {inputs}. {words}.", f"{words}."

"""Panel of lesson 09: what lies behind the mask."""

import functools

import numpy as np
import torch

from sparsecourse import layers, masks, palette, plots
from sparsecourse.panels.building import build, dropdown, slider

STEPS = 100
OPTIMISERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "SGD, momentum and decay": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=0.01),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    "Adam with L2": lambda parameters: torch.optim.Adam(parameters, lr=0.01, weight_decay=0.01),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.01),
}


@functools.cache
def trained(optimiser):
    """W of a small sparse layer at the start and after each of 100 steps, (101, out, in), and its mask.

    Args:
        optimiser: a key of ``OPTIMISERS``.
    """
    generator = torch.Generator().manual_seed(0)
    x, wanted = torch.randn(64, 8, generator=generator), torch.randn(64, 6, generator=generator)
    (layer,) = layers.mlp((8, 6), seed=0, masks=[masks.random((6, 8), 0.5, seed=0)])
    step, history = OPTIMISERS[optimiser](layer.parameters()), [layer.W.detach().clone()]
    for _ in range(STEPS):
        step.zero_grad()
        (layer(x) - wanted).square().mean().backward()
        step.step()
        history.append(layer.W.detach().clone())
    return torch.stack(history).numpy(), layer.mask.numpy()


def hidden_sizes(optimiser):
    """Root mean square of the weights behind the mask, (101,) as in :func:`trained`, in per cent of the start's.

    Args:
        optimiser: a key of ``OPTIMISERS``.
    """
    W, S = trained(optimiser)
    size = np.sqrt((W[:, S == 0] ** 2).mean(axis=1))
    return 100 * size / size[0]


def panel():
    """Train a small sparse layer and watch what its W holds where the mask is zero."""
    controls = {
        "steps": slider("steps", 20, 0, STEPS, 5),
        "optimiser": dropdown("optimiser", OPTIMISERS, "Adam with L2", width=300),
    }
    return build(controls, picture)


def picture(steps, optimiser):
    """W with the entries behind its mask marked, and their size along the steps.

    Args:
        steps: from 0 to 100.
        optimiser: a key of ``OPTIMISERS``.
    """
    margins = {"left": 0.06, "right": 0.85, "top": 0.96, "bottom": 0.17, "wspace": 0.22}
    fig, (left, right) = plots.figure(8.4, 3.0, columns=2, margins=margins, width_ratios=(1, 1.05))
    heights = {}  # names of the lines that end at each
    for name in OPTIMISERS:
        sizes = hidden_sizes(name)
        chosen = {"color": palette.BLUE, "linewidth": 2.4, "zorder": 3}
        others = {"color": palette.QUIET, "linewidth": 0.9, "zorder": 2}
        right.plot(sizes, **(chosen if name == optimiser else others))
        heights.setdefault(round(sizes[-1], -1), []).append(name)
    for height, names in heights.items():
        label = "\n".join(names).replace(", ", ",\n").replace(" and ", "\nand ")
        right.text(STEPS + 2, height, label, va="center", fontsize=8)
    left_over = hidden_sizes(optimiser)[steps]
    right.plot(steps, left_over, "o", color=palette.INK, markersize=7, zorder=4, clip_on=False)
    right.set(xlim=(0, STEPS), ylim=(0, 110), xlabel="step", ylabel="hidden weights, % of start")
    W, S = trained(optimiser)
    plots.hidden(left, W[steps], S)
    behind = W[steps][S == 0]
    words = (
        f"{optimiser}, {steps} steps: behind the mask lie {(behind != 0).sum()} of {behind.size} "
        f"weights that are not zero; their root mean square is {left_over:.1f}% of what it was."
    )
    ends = "; ".join(f"{name}: {hidden_sizes(name)[-1]:.0f}%" for name in OPTIMISERS)
    alt = (
        "A weight matrix with the entries behind its mask marked, and their size along the steps. What is left of it "
        f"after {STEPS} steps: {ends}. {words}"
    )
    return fig, alt, words

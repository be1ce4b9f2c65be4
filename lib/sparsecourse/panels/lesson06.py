"""Panel of lesson 06: cut a trained network."""

import functools

import numpy as np

from sparsecourse import layers, masks, methods, palette, plots, tasks, training
from sparsecourse.arrays import as_array
from sparsecourse.panels.building import build, slider

CUTS = range(0, 100, 4)  # per cent


@functools.cache
def small_network():
    """A network 40-100-100-10 trained on MNIST-1D on the spot, which takes a second or two, and its accuracies.

    Returns:
        (weights of all layers as one array, {per cent of weights cut: validation accuracy}).
    """
    task = tasks.mnist1d()
    (network,) = training.train([layers.mlp((40, 100, 100, 10), seed=0)], task, steps=800).networks
    weights = np.concatenate([as_array(W).ravel() for W in layers.masked_weights(network).values()])
    accuracy = {}
    for cut in CUTS:
        methods.cut(network, cut / 100)
        (accuracy[cut],) = training.evaluate([network], task, "validation")
    return weights, accuracy


def panel():
    """Cut a trained network's smallest weights and watch its accuracy, without training it again."""
    return build({"cut": slider("weights cut, %", 60, CUTS[0], CUTS[-1], CUTS.step)}, picture)


def picture(cut):
    """A histogram of the network's weights, ``cut`` per cent of them cut (one of ``CUTS``), and its accuracy."""
    weights, accuracy = small_network()
    margins = {"left": 0.09, "right": 0.98, "top": 0.96, "bottom": 0.17, "wspace": 0.25}
    fig, (left, right) = plots.figure(8.0, 3.0, columns=2, margins=margins)
    plots.cut_histogram(left, weights, masks.magnitude(weights, cut / 100))
    colour, marker = palette.METHOD_STYLES["one-shot"]
    right.plot(list(accuracy), [100 * value for value in accuracy.values()], color=colour, linewidth=1.6)
    right.plot(cut, 100 * accuracy[cut], marker=marker, color=palette.INK, markersize=9)
    right.set(xlabel="weights cut, %", ylabel="validation accuracy, %", xlim=(-2, 100), ylim=(0, 70))
    words = f"{cut} % of the weights cut: accuracy {accuracy[cut]:.1%}. Nothing cut: {accuracy[0]:.1%}."
    return fig, f"A histogram of a network's weights with the small ones cut, and its accuracy. {words}", words

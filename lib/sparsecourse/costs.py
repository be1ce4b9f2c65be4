"""What a network costs to use and to train, counted in multiply-adds, as if zeros cost nothing."""

import numpy as np

from sparsecourse.layers import masked_weights
from sparsecourse.masks import layer_shapes


def parameters(sizes):
    """Weights and biases of a fully connected network.

    Args:
        sizes: units of each layer from input to output, for example (784, 300, 100, 10).
    """
    return sum(n_out * n_in + n_out for n_out, n_in in layer_shapes(sizes))


def macs(sizes):
    """Multiply-adds of one example through a fully connected network without zeros: one a weight.

    Args:
        sizes: units of each layer from input to output.
    """
    return sum(n_out * n_in for n_out, n_in in layer_shapes(sizes))


def sparse_macs(network):
    """Multiply-adds of one example through a fully connected network: one for each weight that is not zero.

    A layer that the network uses twice counts once.

    Args:
        network: an ``nn.Module``.
    """
    return sum(int(W.count_nonzero()) for W in masked_weights(network).values())


def training(sparsities):
    """What a training that begins dense costs, in trainings of the dense network.

    Args:
        sparsities: sparsity at the end of each of several equally long parts of the training. Each part is counted
            with the sparsity at which it begins.
    """
    return float(1 - np.mean([0.0, *list(sparsities)[:-1]]))


def training_with(method, sparsities, steps):
    """What a training with a method costs, as :func:`training` does, also where it is sparse from the start.

    Args:
        method: a method from ``methods``.
        sparsities: as in :func:`training`.
        steps: of the training.
    """
    # sparse from the start, it has as many connections to the end, also while some of them move
    paid = 1 - method.sparsity if method.starts_sparse else training(sparsities)
    # a step goes forward, back to the inputs, and to the gradients of the weights: only the last is of all entries
    looks = sum((1 + 2 * density) / 3 for density in method.gradient_densities)
    return float(paid + looks / steps)

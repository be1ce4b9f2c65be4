"""What a network costs to use and to train."""

import numpy as np
import pytest

from sparsecourse import costs, layers, masks, methods


def test_lenet():
    assert costs.parameters((784, 300, 100, 10)) == 266_610
    assert costs.macs((784, 300, 100, 10)) == 266_200


@pytest.mark.parametrize("count", [costs.parameters, costs.macs])
@pytest.mark.parametrize("sizes", [(3,), (3, 2.5), (3, 0)])
def test_sizes_are_positive_whole_numbers(count, sizes):
    with pytest.raises(ValueError, match="sizes must be two or more positive whole numbers"):
        count(sizes)


def test_a_zero_costs_nothing():
    network = layers.mlp((8, 6, 4), 0, [masks.random((6, 8), 0.5, 0), masks.random((4, 6), 0.25, 0)])
    assert costs.sparse_macs(network) == 24 + 18
    network[0].W.data[:] = 0
    assert costs.sparse_macs(network) == 18


def test_a_training_that_begins_dense_pays_for_what_was_there_when_a_part_began():
    assert costs.training([0]) == 1
    assert costs.training([0.5, 0.5, 0.9, 0.9]) == pytest.approx((1 + 0.5 + 0.5 + 0.1) / 4)


def test_what_a_sparse_training_costs():
    S = [np.ones((2, 2)), np.eye(2)]
    assert costs.training_with(methods.Fixed(S), [0.25] * 4, 100) == 0.75
    # what has just grown weighs zero, and is counted
    assert costs.training_with(methods.SET(S), [0.5] * 4, 100) == 0.75
    rigl = methods.RigL(S, None, num_updates=10)
    assert costs.training_with(rigl, [0.25] * 4, 100) == pytest.approx(0.75 + 0.1 * 2.5 / 3)
    assert costs.training_with(methods.SNIP(0.25, None), [0.25] * 4, 100) == pytest.approx(0.75 + 0.01)
    assert costs.training_with(methods.Gradual(0.5), [0, 0.5, 0.5, 0.5], 100) == 0.75

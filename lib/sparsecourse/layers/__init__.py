"""The sparse layer, y = (W ⊙ S) x + b, and networks made of it."""

from sparsecourse.layers.linear import SparseLinear
from sparsecourse.layers.networks import (
    fold,
    masked_weights,
    matrices,
    mlp,
    replaced,
    shared_parameters,
    sparse_layers,
)
from sparsecourse.layers.places import give_hooks, take_place

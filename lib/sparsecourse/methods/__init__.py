"""Methods: what is done to the weights besides the training steps, so that few of them are left.

A method that cuts is composed: a *schedule* says when and how far, a *score* what counts least, a *scope* how much of
it each layer bears; the calculator in ``masks`` makes masks of that. A method holds settings only; what it remembers of
one network's training is that training's state.
"""

from sparsecourse.masks import DivergedError
from sparsecourse.methods.base import Dense, Method, check_realised, realised_sparsity
from sparsecourse.methods.pruning import SCOPES, SNIP, Gradual, Iterative, OneShot, Pruning, cut
from sparsecourse.methods.registry import METHODS, named
from sparsecourse.methods.schedules import (
    BEGINNING,
    Clock,
    Cubic,
    Geometric,
    MultiStep,
    Periodic,
    after_first_round,
    before_training,
    cosine,
)
from sparsecourse.methods.scores import gradients, magnitude, saliency
from sparsecourse.methods.shrinkage import L1, L1Subgradient
from sparsecourse.methods.sparse_training import SET, Fixed, RigL, SparseTraining

"""Asking for zeros: a price on every weight."""

import math

import torch
from torch import nn

from sparsecourse.layers import matrices
from sparsecourse.methods.base import Method


class L1(Method):
    """Shrink every weight a little after every step, and stop at zero: a proximal step for the penalty λ Σ |w|.

    Biases cost nothing.

    Args:
        strength: λ, not negative; a step with learning rate η takes η λ off every magnitude.

    Source: Parikh and Boyd, "Proximal algorithms", 2014, section 6.5.2, doi:10.1561/2400000003.
    """

    label = "L1"

    def __init__(self, strength):
        if not (strength >= 0 and math.isfinite(strength)):
            raise ValueError(f"the strength of L1 must be a number from 0 up, got {strength}")
        self.strength = strength

    def before(self, network):
        for name, module, _ in matrices(network):
            if not any(W.ndim >= 2 for W in module.parameters()):
                raise ValueError(f"{name} is not kept as a matrix: L1 can't shrink it")

    @torch.no_grad()
    def after_step(self, network, clock, state):
        for W in network.parameters():
            if W.ndim >= 2 and W.requires_grad:
                self.shrink(W, clock.learning_rate * self.strength)

    def shrink(self, W, step):
        """Take a step off every magnitude in W, in place."""
        W.copy_(nn.functional.softshrink(W, step))


class L1Subgradient(L1):
    """The same penalty without the stop at zero: a weight is pushed through zero and back, and rests there never."""

    label = "L1, subgradient"

    def shrink(self, W, step):
        W.sub_(W.sign(), alpha=step)

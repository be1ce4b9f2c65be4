"""The sparse layer, y = (W ⊙ S) x + b, and networks made of it."""

import itertools

import torch
from torch import nn

from sparselab.masks import check_mask


class SparseLinear(nn.Module):
    """A linear layer some of whose weights are cut: y = (W ⊙ S) x + b.

    The mask S is a buffer: it is saved, moved and copied with the layer, and no optimiser sees it. What lies in W
    behind a zero of S has no effect and gets no gradient.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        bias: whether there is a b.
        S: mask, (out, in), of zeros and ones of any type; None keeps every weight.

    Raises:
        ValueError: S is not a mask or not of shape (out, in).
    """

    def __init__(self, in_features, out_features, bias=True, S=None):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        self.register_buffer("S", torch.ones(out_features, in_features))
        if S is not None:
            self.set_mask(S)
        self.reset_parameters()

    def set_mask(self, S):
        """Put another mask in place; the weights stay as they are."""
        S = check_mask(S, self.weight.shape)
        with torch.no_grad():
            self.S.copy_(torch.as_tensor(S))

    def fan_in(self):
        """How many inputs each output hears: the kept weights of its row, (out,)."""
        return self.S.sum(dim=1)

    @torch.no_grad()
    def reset_parameters(self):
        """Draw weights and biases as ``nn.Linear`` does for a layer with as many inputs as the mask leaves.

        Each row is uniform up to 1 / sqrt(kept weights of the row), so that sums do not shrink with the density.

        Source: Evci et al., "Gradient flow in sparse neural networks", AAAI 2022, doi:10.48550/arXiv.2010.03533.
        """
        bound = self.fan_in().clamp(min=1).rsqrt()
        self.weight.uniform_(-1, 1).mul_(bound[:, None])
        if self.bias is not None:
            self.bias.uniform_(-1, 1).mul_(bound)

    @property
    def used_weight(self):
        """W ⊙ S, what the layer computes with."""
        return self.weight * self.S

    def forward(self, x):
        return nn.functional.linear(x, self.weight * self.S, self.bias)

    def extra_repr(self):
        n_out, n_in = self.weight.shape
        sparsity = 1 - self.S.mean().item()
        return f"in_features={n_in}, out_features={n_out}, bias={self.bias is not None}, sparsity={sparsity:.3f}"


def mlp(sizes, seed, S=None):
    """A fully connected network of sparse layers with ReLU between them.

    Args:
        sizes: units of each layer from input to output, for example (40, 100, 100, 10).
        seed: seed of weights and biases. The global generator is left as it was.
        S: one mask (out, in) a layer; None keeps every weight.

    Returns:
        An ``nn.Sequential``.
    """
    shapes = list(itertools.pairwise(sizes))
    S = [None] * len(shapes) if S is None else list(S)
    if len(S) != len(shapes):
        raise ValueError(f"a network with layers {tuple(sizes)} has {len(shapes)} weight matrices, got {len(S)} masks")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        linear = [SparseLinear(n_in, n_out, S=mask) for (n_in, n_out), mask in zip(shapes, S, strict=True)]
    between = itertools.chain.from_iterable((layer, nn.ReLU()) for layer in linear)
    return nn.Sequential(*list(between)[:-1])


def sparse_layers(network):
    """The layers of a network that carry a mask, in order."""
    return [module for module in network.modules() if isinstance(module, SparseLinear)]

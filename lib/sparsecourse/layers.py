"""The sparse layer, y = (W ⊙ S) x + b, and networks made of it."""

import copy
import itertools

import torch
from torch import nn

from sparsecourse.masks import check_mask


class SparseLinear(nn.Module):
    """A linear layer some of whose weights are cut: y = (W ⊙ S) x + b.

    The mask S is a buffer: it is saved, moved and copied with the layer, and no optimiser sees it. What lies in W
    behind a zero of S has no effect and gets no gradient.

    Args:
        in_features: number of inputs.
        out_features: number of outputs.
        bias: whether there is a b.
        S: mask, (out, in), of zeros and ones of any type; None keeps every weight.
        device, dtype: where the layer lies and what its numbers are, as for ``nn.Linear``.

    Raises:
        ValueError: S is not a mask or not of shape (out, in).
    """

    def __init__(self, in_features, out_features, bias=True, S=None, device=None, dtype=None):
        super().__init__()
        like = {"device": device, "dtype": dtype}
        self.weight = nn.Parameter(torch.empty(out_features, in_features, **like))
        self.bias = nn.Parameter(torch.empty(out_features, **like)) if bias else None
        self.register_buffer("S", torch.ones(out_features, in_features, **like))
        if S is not None:
            self.set_mask(S)
        self.reset_parameters()

    @classmethod
    @torch.no_grad()
    def from_linear(cls, linear, S=None):
        """A sparse layer with a copy of the weights and biases of an ``nn.Linear``.

        Args:
            linear: the layer to copy.
            S: mask, (out, in); None keeps the weights that are not zero.
        """
        n_out, n_in = linear.weight.shape
        like = {"device": linear.weight.device, "dtype": linear.weight.dtype}
        layer = nn.utils.skip_init(cls, n_in, n_out, bias=linear.bias is not None, **like)
        layer.set_mask(linear.weight != 0 if S is None else S)
        layer.weight.copy_(linear.weight)
        if linear.bias is not None:
            layer.bias.copy_(linear.bias)
        return layer

    @torch.no_grad()
    def to_linear(self):
        """An ``nn.Linear`` that computes the same: it holds W ⊙ S, and forgets what W holds behind the mask."""
        n_out, n_in = self.weight.shape
        like = {"device": self.weight.device, "dtype": self.weight.dtype}
        linear = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=self.bias is not None, **like)
        linear.weight.copy_(self.used_weight)
        if self.bias is not None:
            linear.bias.copy_(self.bias)
        return linear

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


def replaced(network, replacement):
    """A copy of a network in which every sparse layer has been replaced.

    Args:
        network: any module; itself a sparse layer, it is replaced as a whole.
        replacement: called with each sparse layer, returns the module to put in its place.
    """
    if isinstance(network, SparseLinear):
        return replacement(network)
    network, made = copy.deepcopy(network), {}
    for name, module in list(network.named_modules(remove_duplicate=False)):
        if isinstance(module, SparseLinear):
            if module not in made:  # a layer that is used in two places stays one
                made[module] = replacement(module)
            network.set_submodule(name, made[module])
    return network


def fold(network):
    """A copy of a network for inference: every sparse layer becomes an ``nn.Linear`` that holds W ⊙ S.

    The product with the mask is then paid once and not at every call. Trained on, the copy does not stay sparse.
    """
    return replaced(network, SparseLinear.to_linear)

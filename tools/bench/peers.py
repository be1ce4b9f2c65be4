"""Sparse layers that train, side by side: the course's two, torch.sparse as it comes, and another library's.

The other library is sparselab, https://github.com/DarshanFofadiya/sparselab, with AVX2 and NEON kernels of its own for
the processor. It is in the extra "peers"; where that is not installed, its column is missing and a line says so.
"""

import copy
import functools
import importlib.util
import itertools
import statistics

import numpy as np
import torch
from torch import nn

from sparsecourse import layers, masks, storage

SHAPES = ((784, 300), (1280, 1280), (2048, 2048))  # inputs and outputs
SPARSITIES, BATCHES, REPEATS = (0.8, 0.9, 0.95, 0.98), (32, 128), 9
PEER = "sparselab"


class TorchSparse(nn.Module):
    """y = W x + b with W a CSR tensor made of a list of values, and the gradient that PyTorch finds."""

    def __init__(self, layer):
        super().__init__()
        stored = storage.SparseInference(layer, "csr")
        self.values, self.bias = nn.Parameter(stored.values), nn.Parameter(stored.bias)
        self.starts, self.columns, self.shape = stored.starts, stored.columns, stored.shape

    def forward(self, x):
        W = torch.sparse_csr_tensor(self.starts, self.columns, self.values, self.shape, check_invariants=False)
        return torch.sparse.mm(W, x.T).T + self.bias


def of_peer(layer):
    """The other library's layer with the weights, bias and mask of a ``layers.SparseLinear``.

    It draws its mask itself and offers no way to give it one, so its matrix is replaced as it makes it.
    """
    import sparselab

    # its transposed matrices are kept by id(), which Python gives again: a new matrix could be taken for a freed one
    sparselab.ops._clear_transpose_cache()
    module = sparselab.SparseLinear(layer.in_features, layer.out_features)
    module._csr = sparselab.PaddedCSR.from_dense(layer.weight.detach())
    module._values = nn.Parameter(torch.from_numpy(np.asarray(module._csr.values)))  # one memory, seen by both
    module.bias = nn.Parameter(layer.bias.detach().clone())
    return module


def contenders(layer):
    """{name: module} of layers that compute what a ``layers.SparseLinear`` computes, and train."""
    found = {
        "nn.Linear": layer.to_linear(),
        "SparseLinear": copy.deepcopy(layer),
        "CSRLinear": storage.CSRLinear(layer),
        "torch.sparse": TorchSparse(layer),
    }
    return found | {PEER: of_peer(layer)} if importlib.util.find_spec(PEER) else found


def times(layer, batch):
    """Milliseconds of each contender's forward, backward and whole step with Adam, all taken in turn.

    Args:
        layer: a ``layers.SparseLinear``.
        batch: examples a step.

    Returns:
        {name: (forward, backward, step)}, medians.
    """
    x, dy = torch.randn(batch, layer.in_features, requires_grad=True), torch.randn(batch, layer.out_features)

    def step(module, optimiser):
        x.grad = None
        optimiser.zero_grad()
        module(x).backward(dy)
        optimiser.step()

    calls = {}
    for name, module in contenders(layer).items():
        calls[name, "forward"] = functools.partial(module, x)
        learned = [x, *module.parameters()]
        calls[name, "backward"] = functools.partial(torch.autograd.grad, module(x), learned, dy, retain_graph=True)
    for name, module in contenders(layer).items():  # others than above: a step changes what a backward has kept
        calls[name, "step"] = functools.partial(step, module, torch.optim.Adam(module.parameters(), fused=True))
    found = {key: 1e3 * statistics.median(each) for key, each in storage.time_in_turn(calls, REPEATS).items()}
    return {name: tuple(found[name, part] for part in ("forward", "backward", "step")) for name, _ in calls}


def lines():
    """Lines of the table of training steps."""
    yield (
        "Layers that train: milliseconds of forward · backward · whole step with fused Adam; then the step of "
        f"CSRLinear divided by that of others. Random masks, {torch.get_num_threads()} threads."
    )
    if importlib.util.find_spec(PEER) is None:
        yield f"{PEER} is not installed here: pip install -e '.[peers]' adds it."
    yield ""
    header = None
    for shape, batch, sparsity in itertools.product(SHAPES, BATCHES, SPARSITIES):
        layer = layers.SparseLinear(*shape, mask=masks.random(shape[::-1], sparsity, seed=0))
        found = times(layer, batch)
        others = [name for name in found if name != "CSRLinear"]
        if header is None:
            header = ["layer", "batch", "cut", *found, *(f"/ {name}" for name in others)]
            yield f"| {' | '.join(header)} |"
            yield "|---" * len(header) + "|"
        cells = [" · ".join(f"{value:.2f}" for value in parts) for parts in found.values()]
        ratios = [f"{found['CSRLinear'][-1] / found[name][-1]:.2f}" for name in others]
        yield f"| {shape[0]} → {shape[1]} | {batch} | {sparsity:.0%} | {' | '.join([*cells, *ratios])} |"

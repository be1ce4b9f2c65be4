"""One sparse layer: a training step against other ways to mask, and inference in every storage."""

import copy
import functools
import itertools
import statistics

import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from sparsecourse import layers, masks, storage
from tools.bench import peers

N_IN, N_OUT, BATCH, STEP_REPEATS = 784, 300, 128, 301  # the training step
N, BATCHES, SPARSITIES, REPEATS = 2048, (1, 64), (0.8, 0.9, 0.95, 0.99), 25  # inference, of a square layer
SHOWN = ("dense", "masked", "folded", "csr", "coo", "bsr")


class Masking(nn.Module):
    """A parametrization: the weight times a mask."""

    def __init__(self, S):
        super().__init__()
        self.register_buffer("S", S)

    def forward(self, W):
        return W * self.S


def masked_in_four_ways():
    """The same layer without a mask, as a SparseLinear, pruned, parametrized: {name: module}."""
    S = torch.as_tensor(masks.random((N_OUT, N_IN), 0.9, seed=0)).float()
    torch.manual_seed(0)
    dense = nn.Linear(N_IN, N_OUT)
    pruned, parametrized = copy.deepcopy(dense), copy.deepcopy(dense)
    prune.custom_from_mask(pruned, "weight", S)
    parametrize.register_parametrization(parametrized, "weight", Masking(S))
    return {
        "nn.Linear": dense,
        "SparseLinear": layers.SparseLinear.from_linear(dense, S),
        "torch.nn.utils.prune": pruned,
        "parametrization": parametrized,
    }


def training_step_rows():
    """Lines of the table of training steps."""
    yield (
        f"A training step of one layer, {N_IN} → {N_OUT}, batch {BATCH}, 90 % cut: milliseconds, and as a multiple of "
        "nn.Linear."
    )
    yield ""
    x, wanted = torch.randn(BATCH, N_IN), torch.randn(BATCH, N_OUT)

    def step(module, optimiser):
        optimiser.zero_grad()
        (module(x) * wanted).mean().backward()
        optimiser.step()

    optimisers = {
        "SGD": lambda module: torch.optim.SGD(module.parameters(), lr=1e-3),
        "Adam, fused": lambda module: torch.optim.Adam(module.parameters(), lr=1e-3, fused=True),
    }
    found = {}
    for name, optimiser_of in optimisers.items():
        modules = masked_in_four_ways()
        optimiser = {kind: optimiser_of(module) for kind, module in modules.items()}
        calls = {kind: functools.partial(step, modules[kind], optimiser[kind]) for kind in modules}
        times = storage.time_in_turn(calls, STEP_REPEATS)
        found[name] = {kind: statistics.median(values) for kind, values in times.items()}
    yield f"| optimiser | {' | '.join(found['SGD'])} |"
    yield "|---|---|---|---|---|"
    for name, times in found.items():
        cells = [f"{1e3 * value:.2f} ({value / times['nn.Linear']:.2f}×)" for value in times.values()]
        yield f"| {name} | {' | '.join(cells)} |"


@torch.no_grad()
def inference_rows():
    """Lines of the table of inference."""
    yield f"Inference of one layer, {N} × {N}: milliseconds, and how many times faster than the dense layer."
    yield ""
    yield "| batch | sparsity | dense | W ⊙ S | folded | CSR | COO | BSR, in blocks | best_layout |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for sparsity, batch in itertools.product(SPARSITIES, BATCHES):
        table = storage.measure_layouts([N], [sparsity], [batch], SHOWN, repeats=REPEATS).set_index("layout")
        layer = layers.SparseLinear(N, N, mask=masks.random((N, N), sparsity, seed=0))
        dense = table.loc["dense", "seconds"]
        cells = [
            f"{1e3 * table.loc[kind, 'seconds']:.2f} ({dense / table.loc[kind, 'seconds']:.1f}×)" for kind in SHOWN
        ]
        yield f"| {batch} | {sparsity:.0%} | {' | '.join(cells)} | {storage.best_layout(layer, batch)} |"


def lines(machine):
    """Lines of the layers' page, as they are measured.

    Args:
        machine: the sentence on where and when, which comes first.
    """
    yield f"{machine} Medians, taken in turn."
    yield ""
    yield from training_step_rows()
    yield ""
    yield from inference_rows()
    yield ""
    yield from peers.lines()

"""The clock: times of sparse layers in several layouts, where they pay, and which layout is fastest here."""

import copy
import functools
import itertools
import math
import timeit

import numpy as np
import pandas as pd
import torch
from torch import nn

from sparsecourse import layers, masks
from sparsecourse.arrays import as_array
from sparsecourse.storage.formats import BLOCK
from sparsecourse.storage.modules import LAYOUTS, CSRLinear, SparseInference, stored_bytes

CONTENDERS = ("dense", "masked", *LAYOUTS)
SAMPLE_SECONDS = 1e-3  # a short call is repeated until the clock can tell it from nothing


def time_in_turn(calls, repeats=9):
    """Time several calls, each in its turn, so that whatever slows the machine slows all of them.

    Args:
        calls: {name: function without arguments}.
        repeats: how often each is timed, after calls to warm up; a short one is repeated within each timing.

    Returns:
        {name: array of seconds a call}.
    """
    # where there are CUDA's tools and no card, as in many a session on Colab, this import warns: so not in every lesson
    from torch.utils import benchmark

    # torch's timer waits for a graphics card, which returns from a call before it has done it
    clocks = {name: timeit.Timer(call, timer=benchmark.timer) for name, call in calls.items()}
    loops, seconds = dict.fromkeys(calls, 1), {name: [] for name in calls}
    for name, clock in clocks.items():
        clock.timeit(1)  # the first call pays for things that later ones find ready
        while clock.timeit(loops[name]) < SAMPLE_SECONDS:
            loops[name] *= 2
    for _ in range(repeats):
        for name, clock in clocks.items():
            seconds[name].append(clock.timeit(loops[name]) / loops[name])
    return {name: np.array(times) for name, times in seconds.items()}


@torch.no_grad()
def time_layouts(layer, batch, layouts=LAYOUTS, repeats=9):
    """Time one sparse layer in several layouts.

    Args:
        layer: a ``layers.SparseLinear``, on the device to measure.
        batch: examples a call.
        layouts: some of ``CONTENDERS``: the layouts of :class:`SparseInference`, and "dense": the full W in an
            ``nn.Linear``, and "masked": the layer itself, W ⊙ S at every call.
        repeats: timings of each.

    Returns:
        A data frame with a row a layout: layout, seconds (median), low and high (quartiles), bytes.
    """
    x = torch.randn(batch, layer.in_features).to(layer.weight)
    modules = {name: _in_layout(layer, name) for name in layouts}
    return _timed(modules, lambda module: module(x), repeats)


def time_training(layer, batch, others=None, repeats=9):
    """Time a training step of one layer: forward, backward to weights, bias and input, and a step of plain SGD.

    Args:
        layer: a ``layers.SparseLinear``, on the device to measure.
        batch: examples a step.
        others: further modules of the same shape to time, {name: module}; they are trained.
        repeats: timings of each.

    Returns:
        A data frame with a row a kind of layer: "dense" (``nn.Linear``), "masked" (``layers.SparseLinear``), "csr"
        (:class:`CSRLinear`), and the others; its columns are those of :func:`time_layouts`.
    """
    x = torch.randn(batch, layer.in_features).to(layer.weight).requires_grad_()
    wanted = torch.randn(batch, layer.out_features).to(layer.weight)
    modules = {"dense": _in_layout(layer, "dense"), "masked": copy.deepcopy(layer), "csr": CSRLinear(layer)}
    modules |= others or {}
    optimisers = {module: torch.optim.SGD(module.parameters(), lr=1e-3) for module in modules.values()}

    def step(module):
        optimisers[module].zero_grad()
        x.grad = None
        (module(x) * wanted).mean().backward()
        optimisers[module].step()

    return _timed(modules, step, repeats)


def _timed(modules, call, repeats):
    """A row a module: the median time of calling it, the quartiles around that, and the bytes it stores."""
    rows, calls = [], {name: functools.partial(call, module) for name, module in modules.items()}
    for name, times in time_in_turn(calls, repeats).items():
        low, seconds, high = np.quantile(times, [0.25, 0.5, 0.75])
        size = stored_bytes(modules[name])
        rows.append({"layout": name, "seconds": seconds, "low": low, "high": high, "bytes": size})
    return pd.DataFrame(rows)


def _in_layout(layer, layout):
    if layout == "dense":
        return layers.SparseLinear.from_linear(layer, mask=torch.ones_like(layer.mask)).to_linear()
    return layer if layout == "masked" else SparseInference(layer, layout)


def measure_layouts(sizes, sparsities, batches, layouts=CONTENDERS, device="cpu", repeats=9):
    """Time square sparse layers over size, sparsity and batch.

    "bsr" gets a mask of whole blocks, as sparse as the random mask of the others: blocks can't pay otherwise. Where
    the sizes or the sparsity leave no room for blocks it is left out.

    Args:
        sizes: units in and out.
        sparsities: from 0 to below 1.
        batches: examples a call.
        device: where to measure.
        layouts, repeats: as for :func:`time_layouts`.

    Returns:
        A data frame with a row a setting and layout: size, sparsity (realised), batch, layout, seconds, low, high,
        bytes.
    """
    tables = []
    for n, sparsity in itertools.product(sizes, sparsities):
        blocks = ["bsr"] if "bsr" in layouts and not np.mod(n, BLOCK).any() else []
        for block, chosen in (((1, 1), [name for name in layouts if name != "bsr"]), (BLOCK, blocks)):
            grid = (n // block[0], n // block[1])
            if not chosen or round(sparsity * math.prod(grid)) == math.prod(grid):
                continue
            S = np.kron(masks.random(grid, sparsity, seed=0), np.ones(block, dtype=int))
            layer = layers.SparseLinear(n, n, mask=S, device=device)
            for batch in batches:
                found = time_layouts(layer, batch, chosen, repeats)
                tables.append(found.assign(size=n, sparsity=1 - S.mean(), batch=batch))
    columns = ["size", "sparsity", "batch", "layout", "seconds", "low", "high", "bytes"]
    return pd.concat(tables, ignore_index=True)[columns]


def relative_to_dense(table):
    """Times as multiples of the dense layer's time in the same setting, measured in turn with them.

    Args:
        table: data frame of :func:`measure_layouts`, perhaps with a column machine or product too.

    Returns:
        The data frame with the columns ratio, and low and high as ratios; sparsities are rounded to 1 %.
    """
    table = table.assign(sparsity=table["sparsity"].round(2))
    keys = [name for name in ("machine", "product", "size", "sparsity", "batch") if name in table]
    dense = table.loc[table["layout"] == "dense", [*keys, "seconds"]].rename(columns={"seconds": "dense"})
    table = table.merge(dense, on=keys, validate="many_to_one")
    dense = table.pop("dense")
    return table.assign(ratio=table["seconds"] / dense, low=table["low"] / dense, high=table["high"] / dense)


def pays_from(sparsities, ratios):
    """The sparsity from which on a layout is faster than the dense one.

    Args:
        sparsities: where it was measured, rising.
        ratios: its time divided by that of the dense one, at each.

    Returns:
        The place where the ratio falls below 1 for good, by a straight line between two measurements; the first
        sparsity where it is always below, NaN where it is not below at the last.
    """
    sparsities, ratios = (
        as_array(numbers, name).astype(float) for numbers, name in ((sparsities, "sparsities"), (ratios, "ratios"))
    )
    if ratios[-1] >= 1:
        return np.nan
    slower = np.flatnonzero(ratios >= 1)
    if not slower.size:
        return float(sparsities[0])
    k = slower[-1]
    part = (ratios[k] - 1) / (ratios[k] - ratios[k + 1])
    return float(sparsities[k] + part * (sparsities[k + 1] - sparsities[k]))


def best_layout(layer, batch, repeats=15):
    """The layout in which a sparse layer is fastest on this machine, by the clock.

    A sparse layout is chosen only where it beats the folded one beyond the noise of the timings, and tried only where
    it takes fewer bytes: what moves more has never been faster. A layout that can't run here, as some can't in half
    precision, loses.

    Args:
        layer: a ``layers.SparseLinear``.
        batch: examples a call.
        repeats: timings of each layout.

    Returns:
        One of ``LAYOUTS``.
    """
    folded = SparseInference(layer, "folded")
    # blocks are tried only where they tile the matrix
    sparse = ["csr", "coo"] if np.mod(layer.mask.shape, BLOCK).any() else ["csr", "coo", "bsr"]
    x = torch.randn(batch, layer.in_features).to(layer.W)
    stored = {name: SparseInference(layer, name) for name in sparse}
    smaller = [name for name, module in stored.items() if module.nbytes < folded.nbytes and _runs(module, x)]
    return fastest(time_layouts(layer, batch, ["folded", *smaller], repeats)) if smaller else "folded"


def _runs(module, x):
    """Whether a module can compute at all what it is given: torch has not every sparse product for every type."""
    try:
        module(x)
    except RuntimeError:
        return False
    return True


def fastest(table):
    """The layout with the smallest median in a table of :func:`time_layouts`, or "folded" where that is not certain.

    Certain: three quarters of its timings lie below three quarters of those of "folded".

    Args:
        table: data frame with the columns layout, seconds, low and high, "folded" among its layouts.
    """
    table = table.set_index("layout")
    certain = table[table["high"] < table.loc["folded", "low"]]
    return "folded" if certain.empty else certain["seconds"].idxmin()


@torch.no_grad()
def for_inference(network, x, repeats=15):
    """A copy of a network with every sparse layer in the layout that is fastest here.

    What is fastest alone need not be so among other layers. So the whole copy is timed against a folded one, and where
    it does not win beyond the noise, every layer is folded.

    Args:
        network: any module with sparse layers.
        x: examples as the network will get them, (batch, ...).
        repeats: timings of each candidate.

    Returns:
        The copy, in evaluation mode; its sparse layers have become :class:`SparseInference` modules.
    """
    layouts = [best_layout(layer, len(x), repeats) for layer in layers.sparse_layers(network)]

    def stored(layouts):
        layouts = iter(layouts)
        return layers.replaced(network, lambda layer: SparseInference(layer, next(layouts))).eval()

    contenders = {"chosen": layouts, "folded": ["folded"] * len(layouts)}
    silent = {name: _without_hooks(stored(each)) for name, each in contenders.items()}
    silent["folded"](x)  # an x that does not fit is told of here
    if not _runs(silent["chosen"], x):
        return stored(contenders["folded"])
    return stored(contenders[fastest(_timed(silent, lambda module: module(x), repeats))])


def _without_hooks(network):
    """A network whose stored layers have no hooks: what listens to a layer is not to hear the timings."""
    for module in network.modules():
        if isinstance(module, SparseInference):
            layers.give_hooks(module, nn.Module())
    return network

"""How a sparse matrix is stored, what that costs in bytes and in time, and what is fastest on this machine.

First the three common layouts by hand, small and for reading; then the same ones in torch, as modules; then the
clock, and a model that predicts what it will show.
"""

import copy
import itertools
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from sparsecourse import layers, masks
from sparsecourse.measure import as_matrix

BLOCK = (16, 16)  # (rows, columns) of a block of BSR
SAMPLE_SECONDS = 1e-3  # a short call is repeated until the clock can tell it from nothing

# torch says so once in every process; there is nothing that a reader could do about it
warnings.filterwarnings("ignore", "Sparse (CSR|BSR) tensor support is in beta state")


# ---------------------------------------------------------------------------------------------- layouts by hand


@dataclass(frozen=True)
class COO:
    """Coordinates: every value with its row and its column."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W, index=np.int32):
        """The layout of a matrix W, (out, in); indices of the type ``index``."""
        W = as_matrix(W)
        rows, columns = np.nonzero(W)
        return cls(W[rows, columns].astype(np.float32), rows.astype(index), columns.astype(index), W.shape)

    def dense(self):
        """The matrix, zeros included."""
        W = np.zeros(self.shape, dtype=np.float32)
        W[self.rows, self.columns] = self.values
        return W

    @property
    def nbytes(self):
        """Bytes of the lists."""
        return self.values.nbytes + self.rows.nbytes + self.columns.nbytes


@dataclass(frozen=True)
class CSR:
    """Compressed sparse rows: every value with its column, and for each row the place where it starts."""

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W, index=np.int32):
        """The layout of a matrix W, (out, in); indices of the type ``index``."""
        W = as_matrix(W)
        rows, columns = np.nonzero(W)
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(W)))])
        return cls(W[rows, columns].astype(np.float32), columns.astype(index), starts.astype(index), W.shape)

    def dense(self):
        """The matrix, zeros included."""
        W = np.zeros(self.shape, dtype=np.float32)
        W[np.repeat(np.arange(len(W)), np.diff(self.starts)), self.columns] = self.values
        return W

    @property
    def nbytes(self):
        """Bytes of the lists."""
        return self.values.nbytes + self.columns.nbytes + self.starts.nbytes


@dataclass(frozen=True)
class BSR:
    """Block sparse rows: CSR whose entries are blocks. A block is stored whole if any of its entries is not zero."""

    blocks: np.ndarray  # (blocks kept, rows of a block, columns of a block)
    columns: np.ndarray  # counted in blocks
    starts: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W, block=BLOCK, index=np.int32):
        """The layout of a matrix W, (out, in), in blocks of the shape ``block``; indices of the type ``index``."""
        W = as_matrix(W)
        height, width = _check_block(W.shape, block)
        tiles = W.reshape(W.shape[0] // height, height, W.shape[1] // width, width).swapaxes(1, 2)
        plan = CSR.of(tiles.any(axis=(2, 3)), index)
        rows = np.repeat(np.arange(len(tiles)), np.diff(plan.starts))
        return cls(tiles[rows, plan.columns].astype(np.float32), plan.columns, plan.starts, W.shape)

    def dense(self):
        """The matrix, zeros included."""
        _, height, width = self.blocks.shape
        tiles = np.zeros((self.shape[0] // height, self.shape[1] // width, height, width), dtype=np.float32)
        tiles[np.repeat(np.arange(len(tiles)), np.diff(self.starts)), self.columns] = self.blocks
        return tiles.swapaxes(1, 2).reshape(self.shape)

    @property
    def nbytes(self):
        """Bytes of the lists."""
        return self.blocks.nbytes + self.columns.nbytes + self.starts.nbytes


def _check_block(shape, block):
    """The block's height and width, after checking that blocks of that shape tile the matrix."""
    height, width = block
    if height < 1 or width < 1 or shape[0] % height or shape[1] % width:
        raise ValueError(f"blocks of {height} × {width} do not tile a matrix of {shape[0]} × {shape[1]}")
    return height, width


# ------------------------------------------------------------------------------------------ layouts in torch


def _split(W, layout, block):
    """The tensors that a layout keeps of a dense W, by name."""
    if layout == "folded":
        return {"values": W}
    if layout == "coo":
        packed = W.to_sparse_coo().coalesce()
        return {"values": packed.values(), "places": packed.indices()}
    if layout == "bsr":
        packed = W.to_sparse_bsr(_check_block(W.shape, block))
    else:
        packed = W.to_sparse_csr()
    index = torch.int64 if layout == "csr int64" else torch.int32
    return {
        "values": packed.values(),
        "columns": packed.col_indices().to(index),
        "starts": packed.crow_indices().to(index),
    }


class SparseInference(nn.Module):
    """A trained sparse layer, stored in one of several layouts, for inference: y = W x + b with nothing to learn.

    What is stored lies in buffers, so the module is saved, copied and moved like any other.

    Args:
        layer: a ``layers.SparseLinear``.
        layout: "folded" (dense, zeros and all), "csr" (32-bit indices), "csr int64", "coo" (torch keeps its indices
            in 64 bits) or "bsr".
        block: (rows, columns) of a block of "bsr"; other layouts have none.

    Raises:
        ValueError: there is no such layout, or the blocks do not tile the matrix.
    """

    LAYOUTS = ("folded", "csr", "csr int64", "coo", "bsr")

    def __init__(self, layer, layout="csr", block=BLOCK):
        super().__init__()
        if layout not in self.LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(self.LAYOUTS)}, got {layout!r}")
        self.layout, self.shape = layout, tuple(layer.weight.shape)
        for name, part in _split(layer.used_weight.detach(), layout, block).items():
            self.register_buffer(name, part.clone())
        bias = torch.zeros(self.shape[0]).to(layer.weight) if layer.bias is None else layer.bias.detach().clone()
        self.register_buffer("bias", bias)

    def weight(self):
        """The matrix as a torch tensor in its layout. It is put together from the buffers, which copies nothing."""
        if self.layout == "folded":
            return self.values
        if self.layout == "coo":
            return torch.sparse_coo_tensor(
                self.places, self.values, self.shape, is_coalesced=True, check_invariants=False
            )
        make = torch.sparse_bsr_tensor if self.layout == "bsr" else torch.sparse_csr_tensor
        return make(self.starts, self.columns, self.values, self.shape, check_invariants=False)

    def forward(self, x):
        if self.layout == "folded":
            return nn.functional.linear(x, self.values, self.bias)
        # The sparse matrix stands on the left: torch's product with one on the right is several times slower. For a
        # single example there is a product of its own, twice as fast.
        flat = x.reshape(-1, self.shape[1])
        if len(flat) == 1 and self.layout.startswith("csr"):
            y = torch.addmv(self.bias, self.weight(), flat[0])
        else:
            y = torch.addmm(self.bias[:, None], self.weight(), flat.T).T
        return y.reshape(*x.shape[:-1], self.shape[0])

    @property
    def nbytes(self):
        """Bytes of everything that is stored, the bias included."""
        return sum(part.nbytes for part in self.buffers())

    def extra_repr(self):
        return f"in_features={self.shape[1]}, out_features={self.shape[0]}, layout={self.layout!r}, bytes={self.nbytes}"


def _csr(starts, columns, values, shape):
    return torch.sparse_csr_tensor(starts, columns, values, shape, check_invariants=False)


class _CSRProduct(torch.autograd.Function):
    """y = x Wᵀ with gradients for the stored values only, about twice as fast as PyTorch's own backward."""

    @staticmethod
    def forward(ctx, x, values, layer):
        ctx.save_for_backward(x, values)
        ctx.layer = layer
        return torch.sparse.mm(_csr(layer.starts, layer.columns, values, layer.shape), x.T).T

    @staticmethod
    def backward(ctx, dy):
        x, values = ctx.saved_tensors
        layer, dx, dvalues = ctx.layer, None, None
        if ctx.needs_input_grad[0]:
            transposed = (layer.shape[1], layer.shape[0])
            W_T = _csr(layer.starts_T, layer.columns_T, values[layer.order_T], transposed)
            dx = torch.sparse.mm(W_T, dy.T).T
        if ctx.needs_input_grad[1]:
            nothing = _csr(layer.starts, layer.columns, torch.zeros_like(values), layer.shape)
            dvalues = torch.sparse.sampled_addmm(nothing, dy.T.contiguous(), x).values()
        return dx, dvalues, None


class CSRLinear(nn.Module):
    """A sparse layer that stores, and trains, only the weights that its mask keeps.

    What it computes is what a ``layers.SparseLinear`` computes, gradients included. The places of the weights are
    fixed. To find the gradient of its input fast it also keeps the places of the transposed matrix.

    Args:
        layer: the ``layers.SparseLinear`` to start from.
    """

    def __init__(self, layer):
        super().__init__()
        W, S = layer.weight.detach(), layer.S
        self.shape = tuple(W.shape)
        rows, columns = S.nonzero(as_tuple=True)
        order = torch.argsort(columns, stable=True)  # row by row becomes column by column
        self.values = nn.Parameter(W[rows, columns])
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone())
        for name, places, lines, n in (("", columns, rows, W.shape[0]), ("_T", rows[order], columns, W.shape[1])):
            starts = nn.functional.pad(lines.bincount(minlength=n).cumsum(0), (1, 0))
            self.register_buffer(f"columns{name}", places.int())
            self.register_buffer(f"starts{name}", starts.int())
        self.register_buffer("order_T", order)

    def forward(self, x):
        y = _CSRProduct.apply(x.reshape(-1, self.shape[1]), self.values, self)
        y = y if self.bias is None else y + self.bias
        return y.reshape(*x.shape[:-1], self.shape[0])

    def extra_repr(self):
        return f"in_features={self.shape[1]}, out_features={self.shape[0]}, weights={self.values.numel()}"


# ------------------------------------------------------------------------------------------------- the clock


LAYOUTS = ("dense", "masked", *SparseInference.LAYOUTS)


def time_in_turn(calls, repeats=9):
    """Time several calls, each in its turn, so that whatever slows the machine slows all of them.

    Args:
        calls: {name: function without arguments}.
        repeats: how often each is timed, after calls to warm up; a short one is repeated within each timing.

    Returns:
        {name: array of seconds a call}.
    """
    loops, seconds = {}, {name: [] for name in calls}
    for name, call in calls.items():
        call()
        loops[name] = 1
        while loops[name] * _seconds(call, loops[name]) < SAMPLE_SECONDS:
            loops[name] *= 2
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name].append(_seconds(call, loops[name]))
    return {name: np.array(times) for name, times in seconds.items()}


def _seconds(call, times):
    _finish()
    start = time.perf_counter()
    for _ in range(times):
        call()
    _finish()
    return (time.perf_counter() - start) / times


def _finish():
    """Wait for a graphics card; it returns from a call before it has done it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@torch.no_grad()
def time_layouts(layer, batch, layouts=SparseInference.LAYOUTS, block=BLOCK, repeats=9):
    """Time one sparse layer in several layouts.

    Args:
        layer: a ``layers.SparseLinear``, on the device to measure.
        batch: examples a call.
        layouts: some of ``SparseInference.LAYOUTS``, and "dense": the full W in an ``nn.Linear``, and "masked": the
            layer itself, W ⊙ S at every call.
        block: of "bsr".
        repeats: timings of each.

    Returns:
        A data frame with a row a layout: layout, seconds (median), low and high (quartiles), bytes.
    """
    x = torch.randn(batch, layer.weight.shape[1]).to(layer.weight)
    modules = {name: _in_layout(layer, name, block) for name in layouts}
    return _timed(modules, {name: lambda module=module: module(x) for name, module in modules.items()}, repeats)


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
    x = torch.randn(batch, layer.weight.shape[1]).to(layer.weight).requires_grad_()
    wanted = torch.randn(batch, layer.weight.shape[0]).to(layer.weight)
    modules = {"dense": _in_layout(layer, "dense", BLOCK), "masked": copy.deepcopy(layer), "csr": CSRLinear(layer)}
    modules |= others or {}

    def step(module, optimiser):
        optimiser.zero_grad()
        x.grad = None
        (module(x) * wanted).mean().backward()
        optimiser.step()

    optimisers = {name: torch.optim.SGD(module.parameters(), lr=1e-3) for name, module in modules.items()}
    calls = {name: lambda name=name: step(modules[name], optimisers[name]) for name in modules}
    return _timed(modules, calls, repeats)


def _timed(modules, calls, repeats):
    """A row a module: its median time, the quartiles around it, and its bytes."""
    rows = []
    for name, times in time_in_turn(calls, repeats).items():
        low, seconds, high = np.quantile(times, [0.25, 0.5, 0.75])
        stored = sum(part.nbytes for part in itertools.chain(modules[name].parameters(), modules[name].buffers()))
        rows.append({"layout": name, "seconds": seconds, "low": low, "high": high, "bytes": stored})
    return pd.DataFrame(rows)


def _in_layout(layer, layout, block):
    if layout == "dense":
        return layers.SparseLinear.from_linear(layer, S=torch.ones_like(layer.S)).to_linear()
    return layer if layout == "masked" else SparseInference(layer, layout, block)


def measure_layouts(sizes, sparsities, batches, layouts=LAYOUTS, block=BLOCK, device="cpu", **options):
    """Time square sparse layers over size, sparsity and batch.

    "bsr" gets a mask of whole blocks, as sparse as the random mask of the others: blocks can't pay otherwise. Where
    the sizes or the sparsity leave no room for blocks it is left out.

    Args:
        sizes: units in and out.
        sparsities: from 0 to below 1.
        batches: examples a call.
        device: where to measure.
        layouts, block, options: as for :func:`time_layouts`.

    Returns:
        A data frame with a row a setting and layout: size, sparsity (realised), batch, layout, seconds, low, high,
        bytes.
    """
    tables = []
    for n, sparsity in itertools.product(sizes, sparsities):
        scattered = [name for name in layouts if name != "bsr"]
        tries = [(masks.random((n, n), sparsity, seed=0), scattered)]
        if "bsr" in layouts and n % block[0] == n % block[1] == 0:
            whole_blocks = masks.random((n // block[0], n // block[1]), sparsity, seed=0)
            tries.append((np.kron(whole_blocks, np.ones(block, dtype=int)), ["bsr"]))
        for S, chosen in tries:
            if not S.any():
                continue
            layer = layers.SparseLinear(n, n, S=S, device=device)
            for batch in batches:
                found = time_layouts(layer, batch, chosen, block, **options)
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
    table = table.merge(dense, on=keys)
    ratios = {"ratio": "seconds", "low": "low", "high": "high"}
    return table.assign(**{name: table[column] / table["dense"] for name, column in ratios.items()}).drop(
        columns="dense"
    )


def pays_from(sparsities, ratios):
    """The sparsity from which on a layout is faster than the dense one.

    Args:
        sparsities: where it was measured, rising.
        ratios: its time divided by that of the dense one, at each.

    Returns:
        The place where the ratio falls below 1 for good, by a straight line between two measurements; the first
        sparsity where it is always below, NaN where it is not below at the last.
    """
    sparsities, ratios = np.asarray(sparsities, dtype=float), np.asarray(ratios, dtype=float)
    if ratios[-1] >= 1:
        return np.nan
    slower = np.flatnonzero(ratios >= 1)
    if not slower.size:
        return float(sparsities[0])
    k = slower[-1]
    part = (ratios[k] - 1) / (ratios[k] - ratios[k + 1])
    return float(sparsities[k] + part * (sparsities[k + 1] - sparsities[k]))


def best_layout(layer, batch, block=BLOCK, repeats=15):
    """The layout in which a sparse layer is fastest on this machine, by the clock.

    A sparse layout is chosen only where it beats the folded one beyond the noise of the timings, and tried only where
    it takes fewer bytes: what moves more has never been faster.

    Args:
        layer: a ``layers.SparseLinear``.
        batch: examples a call.
        block: of "bsr".
        repeats: timings of each layout.

    Returns:
        One of ``SparseInference.LAYOUTS``.
    """
    folded = SparseInference(layer, "folded")
    candidates = ["folded"]
    for name in ("csr", "coo", "bsr"):
        tiles = layer.weight.shape[0] % block[0] == layer.weight.shape[1] % block[1] == 0
        if (name != "bsr" or tiles) and SparseInference(layer, name, block).nbytes < folded.nbytes:
            candidates.append(name)
    return fastest(time_layouts(layer, batch, candidates, block, repeats)) if candidates[1:] else "folded"


def fastest(table):
    """The layout with the smallest median in a table of :func:`time_layouts`, or "folded" where that is not certain.

    Certain: three quarters of its timings lie below three quarters of those of "folded".
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
        The copy; its sparse layers have become :class:`SparseInference` modules.
    """
    chosen = layers.replaced(network, lambda layer: SparseInference(layer, best_layout(layer, len(x), repeats=repeats)))
    folded = layers.replaced(network, lambda layer: SparseInference(layer, "folded"))
    times = time_in_turn({"chosen": lambda: chosen(x), "folded": lambda: folded(x)}, repeats)
    return chosen if np.quantile(times["chosen"], 0.75) < np.quantile(times["folded"], 0.25) else folded


# ------------------------------------------------------------------------------------------------- the model


@dataclass(frozen=True)
class Machine:
    """What a machine can do, as far as a sparse product asks for it.

    Attributes:
        bandwidth: bytes of a matrix read, a second.
        dense: multiply-adds of a large dense product, a second.
        sparse: multiply-adds of a CSR product with many examples, a second.
        turn: numbers transposed, a second: CSR wants an example in each column, and torch has it in a row.
        call: seconds that a CSR product takes before it does anything.
    """

    bandwidth: float
    dense: float
    sparse: float
    turn: float
    call: float


@torch.no_grad()
def measure_machine(repeats=9):
    """Measure the five numbers of a :class:`Machine` on this one, in half a second."""
    large, square, one = torch.randn(2048, 2048), torch.randn(1024, 1024), torch.randn(2048)
    half, tiny = (
        SparseInference(layers.SparseLinear(n, n, S=masks.random((n, n), sparsity, seed=0)), "csr")
        for n, sparsity in ((1024, 0.5), (8, 0.9))
    )
    x, small = torch.randn(64, 1024), torch.randn(2, 8)
    calls = {
        "bandwidth": lambda: large @ one,  # two operations a number: all the time goes into reading
        "dense": lambda: square @ square,
        "sparse": lambda: half(x),
        "turn": lambda: square.T.contiguous(),
        "call": lambda: tiny(small),
    }
    seconds = {name: float(np.median(times)) for name, times in time_in_turn(calls, repeats).items()}
    bandwidth, turn = large.nbytes / seconds["bandwidth"], square.numel() / seconds["turn"]
    overhead = seconds["call"] + 2 * x.numel() / turn + half.nbytes / bandwidth
    return Machine(
        bandwidth=bandwidth,
        dense=1024**3 / seconds["dense"],
        sparse=64 * half.get_buffer("values").numel() / (seconds["sparse"] - overhead),
        turn=turn,
        call=seconds["call"],
    )


def predict(machine, n_out, n_in, sparsity, batch):
    """Seconds that a layer takes stored densely and as CSR, from bytes, multiply-adds and a machine's rates.

    Both read the matrix and do their multiply-adds. CSR also pays for the call and, with more than one example, for
    turning its input and output round.

    Args:
        machine: a :class:`Machine`.
        n_out, n_in: shape of the layer.
        sparsity: from 0 to 1.
        batch: examples a call.

    Returns:
        (seconds dense, seconds CSR).
    """
    kept = (1 - sparsity) * n_out * n_in
    dense = 4 * n_out * n_in / machine.bandwidth + n_out * n_in * batch / machine.dense
    turned = (n_in + n_out) * batch if batch > 1 else 0
    packed = (8 * kept + 4 * (n_out + 1)) / machine.bandwidth + kept * batch / machine.sparse
    return dense, machine.call + turned / machine.turn + packed


def predicted_to_pay_from(machine, n_out, n_in, batch):
    """The sparsity from which on :func:`predict` has CSR faster than dense; NaN where that is nowhere.

    Args:
        machine, n_out, n_in, batch: as for :func:`predict`.
    """
    dense, nothing = predict(machine, n_out, n_in, 1.0, batch)
    _, everything = predict(machine, n_out, n_in, 0.0, batch)
    if nothing >= dense:
        return np.nan
    return max(0.0, 1 - (dense - nothing) / (everything - nothing))

"""A model that predicts what a sparse product takes, from bytes, multiply-adds and what a machine can do."""

from dataclasses import dataclass

import numpy as np
import torch

from sparsecourse import layers, masks
from sparsecourse.storage.modules import SparseInference
from sparsecourse.storage.timing import time_in_turn


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
def measure_machine():
    """Measure the five numbers of a :class:`Machine` on this one, in half a second."""
    large, square, one = torch.randn(2048, 2048), torch.randn(1024, 1024), torch.randn(2048)
    half, tiny = (
        SparseInference(layers.SparseLinear(n, n, mask=masks.random((n, n), sparsity, seed=0)), "csr")
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
    seconds = {name: float(np.median(times)) for name, times in time_in_turn(calls).items()}
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
    transposing its input and output.

    Args:
        machine: a :class:`Machine`.
        n_out, n_in, sparsity: of the layer; the sparsity from 0 to 1.
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
    """The sparsity, 0 to 1, from which on :func:`predict` has CSR faster than dense; NaN where it nowhere is."""
    dense, nothing = predict(machine, n_out, n_in, 1.0, batch)
    _, everything = predict(machine, n_out, n_in, 0.0, batch)
    if nothing >= dense:
        return np.nan
    return max(0.0, 1 - (dense - nothing) / (everything - nothing))

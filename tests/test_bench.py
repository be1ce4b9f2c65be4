"""What `make bench` compares computes the same; how fast is measured, never asserted."""

import sys

import pytest
import torch

from sparsecourse import layers, masks
from tools.bench import peers

ALL = ("nn.Linear", "SparseLinear", "CSRLinear", "torch.sparse", peers.PEER)


def weight_gradients(module, kept):
    """Gradients of the weights at the places of a mask, row by row, whatever a module stores."""
    if hasattr(module, "weight"):
        return module.weight.grad[kept]
    if hasattr(module, "values"):
        return module.values.grad
    with torch.no_grad():  # the peer pads its rows: let it place the gradients itself
        module._values.copy_(module._values.grad)
    return module._csr.to_dense()[kept]


@pytest.mark.parametrize("name", ALL)
def test_what_is_compared_computes_the_same(name):
    if name == peers.PEER:
        pytest.importorskip(name)
    torch.manual_seed(0)
    layer = layers.SparseLinear(48, 32, mask=masks.random((32, 48), 0.8, seed=0))
    dy, found = torch.randn(5, 32), []
    for module in (layer, peers.contenders(layer)[name]):
        x = torch.linspace(-1, 1, 5 * 48).reshape(5, 48).requires_grad_()
        y = module(x)
        y.backward(dy)
        found.append((y.detach(), x.grad, module.bias.grad, weight_gradients(module, layer.mask == 1)))
    for wanted, given in zip(*found, strict=True):
        assert torch.allclose(wanted, given, atol=1e-5)


def test_without_the_extra_the_bench_says_so_and_goes_on(monkeypatch):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, peers.PEER, None)  # importing it would fail
    for name, value in {"SHAPES": ((12, 8),), "SPARSITIES": (0.5,), "BATCHES": (4,), "REPEATS": 1}.items():
        monkeypatch.setattr(peers, name, value)
    said, _, header, _, row = list(peers.lines())[-5:]
    assert said == "sparselab is not installed here: pip install -e '.[peers]' adds it."
    assert peers.PEER not in header
    assert row.startswith("| 12 → 8 | 4 | 50% |")

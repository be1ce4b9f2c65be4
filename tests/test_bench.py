"""What `make bench` compares computes the same; how fast is measured, never asserted."""

import importlib.util
import os
import sys

import pandas as pd
import pytest
import torch

from sparsecourse import layers, masks
from tools import lessons
from tools.bench import cuda, peers

ALL = ("nn.Linear", "SparseLinear", "CSRLinear", "torch.sparse", peers.PEER)


def weight_gradients(module, kept):
    """Gradients of the weights at the places of a mask, row by row, whatever a module stores."""
    if isinstance(module, torch.nn.Linear):
        return next(module.parameters()).grad[kept]
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


# ------------------------------------------------------------------------------------------------- a graphics card


def test_a_part_that_fails_or_hangs_is_recorded_and_the_others_go_on(tmp_path, monkeypatch):
    codes = {"sound": "print('fine')", "broken": "import sys; sys.exit('no such card')", "endless": "while True: pass"}
    parts = {name: ([sys.executable, "-c", code], os.environ) for name, code in codes.items()}
    monkeypatch.setattr(cuda, "parts", lambda folder: parts | {"last": parts["sound"]})
    monkeypatch.setattr(cuda, "BOUNDS", {"sound": 60, "broken": 60, "endless": 0.5, "last": 60})
    said = "\n".join(cuda.report(tmp_path))
    for words in ("sound: done", "fine", "broken: failed with 1", "no such card", "endless: stopped", "last: done"):
        assert words in said
        said = said.partition(words)[2]


@pytest.fixture
def layouts(monkeypatch):
    """The script data/results/layouts.py, as a module that measures the processor."""
    spec = importlib.util.spec_from_file_location("layouts", lessons.ROOT / "data" / "results" / "layouts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DEVICE", "cpu")
    return module


def test_two_of_four_is_timed_beside_a_dense_layer_of_its_own(layouts, monkeypatch):
    """The packing itself needs a card; here the weights stay dense."""
    monkeypatch.setattr(torch.sparse, "to_sparse_semi_structured", lambda W: W)
    found = layouts.two_of_four(layouts.Grid((64,), (8,), ()))
    assert found["layout"].tolist() == ["dense", "2:4"]
    assert found["bytes"].tolist() == [2 * 64 * 64 + 128, 64 * 64 * 9 // 8 + 128]


def test_a_table_keeps_other_machines_and_other_products(layouts, monkeypatch, tmp_path):
    row = {"size": 8, "sparsity": 0.5, "batch": 1, "layout": "csr", "low": 1.0, "high": 3.0, "bytes": 9}
    path = tmp_path / "layouts.csv"
    for processor, product, seconds in (("a", "inference", 1), ("b", "inference", 2), ("b", "training", 3)):
        monkeypatch.setattr(layouts.doctor, "processor", lambda name=processor: name)
        layouts.record(path, product, pd.DataFrame([row | {"seconds": seconds}]))
    layouts.record(path, "inference", pd.DataFrame([row | {"seconds": 4}]))
    assert sorted(pd.read_csv(path)["seconds"]) == [1, 3, 4]

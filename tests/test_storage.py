"""How sparse matrices are stored: the same product in every layout, and bytes counted exactly."""

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsecourse import layers, masks, storage
from sparsecourse.storage import timing

W = np.array([[0, 2, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4], [0, 0, 5, 0]], dtype=float)


def sparse_layer(n_in=32, n_out=16, sparsity=0.8, bias=True):
    torch.manual_seed(0)
    return layers.SparseLinear(n_in, n_out, bias=bias, mask=masks.random((n_out, n_in), sparsity, seed=0))


# ----------------------------------------------------------------------------------------------------- by hand


def test_the_lists_of_a_small_matrix():
    coo, csr, bsr = storage.COO.of(W), storage.CSR.of(W), storage.BSR.of(W, block=(2, 2))
    assert coo.values.tolist() == csr.values.tolist() == [2, 3, 4, 5]
    assert coo.rows.tolist() == [0, 2, 2, 3]
    assert coo.columns.tolist() == csr.columns.tolist() == [1, 0, 3, 2]
    assert csr.starts.tolist() == [0, 1, 1, 3, 4]
    assert bsr.blocks.tolist() == [[[0, 2], [0, 0]], [[3, 0], [0, 0]], [[0, 4], [5, 0]]]
    assert bsr.columns.tolist() == [0, 0, 1]
    assert bsr.starts.tolist() == [0, 1, 3]


@given(rows=st.integers(1, 6), columns=st.integers(1, 6), sparsity=st.floats(0, 0.99), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_layout_gives_the_matrix_back(rows, columns, sparsity, seed):
    shape = (2 * rows, 3 * columns)
    W = np.random.default_rng(seed).normal(size=shape)
    W[np.random.default_rng(seed + 1).random(shape) < sparsity] = 0
    for stored in (storage.COO.of(W), storage.CSR.of(W), storage.BSR.of(W, block=(2, 3))):
        assert np.array_equal(stored.dense(), W.astype(np.float32))


def test_bytes_by_hand_are_those_of_torch():
    layer = sparse_layer(64, 48, 0.997)  # nine weights in twelve blocks: some blocks are empty
    W, kept = layer.weight.detach().numpy(), int(layer.mask.sum())
    stored = {layout: storage.SparseInference(layer, layout).nbytes - layer.bias.nbytes for layout in storage.LAYOUTS}
    assert storage.COO.of(W).nbytes == 12 * kept
    assert stored["coo"] == 20 * kept
    assert storage.CSR.of(W).nbytes == stored["csr"] == 4 * kept + 4 * (kept + 49)
    assert stored["csr int64"] == 4 * kept + 8 * (kept + 49)
    assert storage.BSR.of(W).nbytes == stored["bsr"] < stored["folded"] == 4 * W.size


@pytest.mark.parametrize("block", [(3, 4), (4, 5), (0, 4)])
def test_blocks_that_do_not_tile_are_refused(block):
    with pytest.raises(ValueError, match=rf"blocks of {block[0]} × {block[1]} do not tile a matrix of 16 × 32"):
        storage.BSR.of(np.ones((16, 32)), block)


def test_a_layer_that_blocks_do_not_tile_is_not_stored_in_blocks():
    with pytest.raises(ValueError, match="blocks of 16 × 16 do not tile a matrix of 16 × 30"):
        storage.SparseInference(sparse_layer(30), "bsr")


# ----------------------------------------------------------------------------------------------------- in torch


@pytest.mark.parametrize("layout", storage.LAYOUTS)
@pytest.mark.parametrize("bias", [True, False])
def test_every_layout_computes_the_same(layout, bias):
    layer = sparse_layer(64, 48, 0.997, bias=bias)
    stored = storage.SparseInference(layer, layout)
    for shape in ((64,), (1, 64), (7, 64), (2, 3, 64)):
        x = torch.randn(shape)
        assert stored(x).shape == layer(x).shape
        assert torch.allclose(stored(x), layer(x), atol=1e-5)
    torch.testing.assert_close(stored.weight.to_dense(), layer.weight)
    assert not list(stored.parameters())


@pytest.mark.parametrize("layout", storage.LAYOUTS)
def test_stored_layers_are_copied_saved_and_moved(layout):
    stored, x = storage.SparseInference(sparse_layer(), layout), torch.randn(3, 32)
    other = storage.SparseInference(sparse_layer(), layout)
    for part in other.buffers():
        if part.is_floating_point():
            part.zero_()
    other.load_state_dict(stored.state_dict())
    for twin in (copy.deepcopy(stored), pickle.loads(pickle.dumps(stored)), other):
        assert torch.equal(twin(x), stored(x))
    assert stored.double()(x.double()).dtype == torch.float64


def test_a_layer_with_nothing_left_gives_its_bias():
    layer = layers.SparseLinear(8, 4, mask=np.zeros((4, 8)))
    for layout in ("csr", "coo"):
        torch.testing.assert_close(storage.SparseInference(layer, layout)(torch.randn(3, 8)), layer.bias.expand(3, 4))


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout must be one of folded, csr, csr int64, coo, bsr, got 'csc'"):
        storage.SparseInference(sparse_layer(), "csc")


# ----------------------------------------------------------------------------------------------------- in training


@pytest.mark.parametrize("bias", [True, False])
def test_csr_linear_trains_like_a_sparse_layer(bias):
    layer = sparse_layer(bias=bias)
    packed = storage.CSRLinear(layer)
    results = []
    for module in (layer, packed):
        torch.manual_seed(1)
        x, optimiser = torch.randn(5, 32, requires_grad=True), torch.optim.Adam(module.parameters(), lr=0.01)
        for _ in range(3):
            x.grad = None
            optimiser.zero_grad()
            module(x).square().mean().backward()
            optimiser.step()
        results.append((x.grad, module(x), module.W if module is layer else module.values))
    (grad, y, W), (grad_packed, y_packed, values) = results
    assert torch.allclose(grad, grad_packed, atol=1e-6)
    assert torch.allclose(y, y_packed, atol=1e-5)
    assert torch.allclose(W[layer.mask == 1], values, atol=1e-6)


def test_csr_linear_passes_gradcheck():
    packed = storage.CSRLinear(sparse_layer(6, 4, 0.5).double())
    x = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(packed, (x,))
    assert packed(x[0]).shape == (4,)


def test_csr_linear_keeps_a_weight_that_is_zero_and_stores_no_other():
    layer = sparse_layer(6, 4, 0.5)
    with torch.no_grad():
        layer.W.zero_()
    packed = storage.CSRLinear(layer)
    assert packed.values.numel() == int(layer.mask.sum())
    packed(torch.ones(1, 6)).sum().backward()
    assert (packed.values.grad == 1).all()


# ----------------------------------------------------------------------------------------------------- the clock


def test_calls_are_timed_in_turn(monkeypatch):
    now, made = [0.0], []

    def takes(name, seconds):
        made.append(name)
        now[0] += seconds

    monkeypatch.setattr("torch.utils.benchmark.timer", lambda: now[0])
    calls = {"short": lambda: takes("short", 1e-5), "long": lambda: takes("long", 3e-3)}
    times = storage.time_in_turn(calls, repeats=3)
    assert times["short"] == pytest.approx([1e-5] * 3)
    assert times["long"] == pytest.approx([3e-3] * 3)
    turns = [(name, len(list(run))) for name, run in itertools.groupby(made)]
    # a call to warm up; doubled until a millisecond is full; then the same number in each turn
    assert turns == [("short", 1 + 255), ("long", 1 + 1)] + 3 * [("short", 128), ("long", 1)]


def test_what_is_timed():
    table = storage.measure_layouts([32], [0.5, 0.9], [4], repeats=2)
    assert len(table) == 2 * len(storage.CONTENDERS) - 1
    assert (table["low"] <= table["seconds"]).all()
    assert (table["seconds"] <= table["high"]).all()
    assert (table["seconds"] > 0).all()
    folded = table[table["layout"] == "folded"]
    assert (folded["bytes"] == 4 * (32 * 32 + 32)).all()
    blocks = table[table["layout"] == "bsr"]
    assert blocks["sparsity"].tolist() == [0.5]  # of four blocks of 16 × 16, nine tenths would be all
    assert "bsr" not in set(storage.measure_layouts([30], [0.5], [4], repeats=1)["layout"])


def times(**quartiles):
    rows = [
        {"layout": name, "low": low, "seconds": middle, "high": high} for name, (low, middle, high) in quartiles.items()
    ]
    return pd.DataFrame(rows)


def test_a_layout_is_chosen_only_where_it_is_certainly_faster():
    folded = (10, 11, 12)
    assert storage.fastest(times(folded=folded, csr=(5, 6, 7), coo=(3, 8, 9))) == "csr"
    assert storage.fastest(times(folded=folded, csr=(5, 6, 10.5))) == "folded"
    assert storage.fastest(times(folded=folded, csr=(20, 21, 22))) == "folded"
    assert storage.fastest(times(folded=folded)) == "folded"


def test_best_layout_tries_only_what_is_smaller(monkeypatch):
    tried = []

    def fake(layer, batch, layouts, repeats):
        tried.append(layouts)
        return times(**{name: (1, 1, 1) if name == "folded" else (0.1, 0.1, 0.1) for name in layouts})

    monkeypatch.setattr(timing, "time_layouts", fake)
    assert storage.best_layout(sparse_layer(sparsity=0.2), batch=1) == "folded"
    assert tried == []
    assert storage.best_layout(sparse_layer(sparsity=0.7), batch=1) == "csr"
    assert storage.best_layout(sparse_layer(sparsity=0.9), batch=1) in ("csr", "coo")
    assert tried == [["folded", "csr"], ["folded", "csr", "coo"]]


@pytest.fixture
def network():
    return layers.mlp((64, 48, 32, 10), seed=0, masks=[masks.random(s, 0.9, 0) for s in ((48, 64), (32, 48), (10, 32))])


def stored_layouts(module):
    return [part.layout for part in module.modules() if isinstance(part, storage.SparseInference)]


@pytest.mark.parametrize(
    ("seconds", "layouts"), [((1, 2), ["csr"] * 3), ((2, 1), ["folded"] * 3), ((1, 1), ["folded"] * 3)]
)
def test_a_network_is_stored_sparsely_only_if_it_is_faster_as_a_whole(network, monkeypatch, seconds, layouts):
    monkeypatch.setattr(timing, "best_layout", lambda layer, batch, repeats: "csr")
    monkeypatch.setattr(
        timing, "time_in_turn", lambda calls, repeats: dict(zip(("chosen", "folded"), seconds, strict=True))
    )
    x = torch.randn(4, 64)
    stored = storage.for_inference(network, x)
    assert stored_layouts(stored) == layouts
    assert torch.allclose(stored(x), network(x), atol=1e-5)
    assert len(layers.sparse_layers(network)) == 3


def test_a_network_is_stored_by_the_clock(network):
    x = torch.randn(4, 64)
    stored = storage.for_inference(network, x, repeats=2)
    assert len(stored_layouts(stored)) == 3
    assert torch.allclose(stored(x), network(x), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_a_layout_that_can_not_run_loses(network, dtype):
    """Of torch's sparse products there is not one for every type, and not one in every build."""
    x, network = torch.randn(4, 64).to(dtype), network.to(dtype)
    stored = storage.for_inference(network, x, repeats=1)
    assert torch.allclose(stored(x), network(x), atol=0.05)
    assert storage.best_layout(network[0], 4, repeats=1) in storage.LAYOUTS


def test_a_layout_that_can_not_run_under_autocast_loses(network):
    x = torch.randn(4, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        stored = storage.for_inference(network, x, repeats=1)
        assert torch.allclose(stored(x).float(), network(x).float(), atol=0.05)


def test_where_no_sparse_product_runs_every_layer_is_folded(network, monkeypatch):
    def unable(*_, **__):
        raise RuntimeError("this build has no sparse product")

    for name in ("addmm", "addmv"):
        monkeypatch.setattr(torch, name, unable)
    x = torch.randn(4, 64)
    assert stored_layouts(storage.for_inference(network, x, repeats=1)) == ["folded"] * 3
    monkeypatch.setattr(timing, "best_layout", lambda layer, batch, repeats: "csr")
    assert stored_layouts(storage.for_inference(network, x, repeats=1)) == ["folded"] * 3


@pytest.mark.parametrize("is_training", [True, False])
def test_timing_moves_no_statistics(network, is_training):
    """A batch norm in training counts every call; the timings are none of its business."""
    whole = torch.nn.Sequential(torch.nn.BatchNorm1d(64), *network).train(is_training)
    before = copy.deepcopy(whole.state_dict())
    stored = storage.for_inference(whole, torch.randn(8, 64) + 5, repeats=1)
    assert whole.training is is_training
    assert not stored.training
    for name, value in before.items():
        assert torch.equal(whole.state_dict()[name], value), name
    assert torch.equal(stored[0].running_mean, before["0.running_mean"])
    assert stored[0].num_batches_tracked == before["0.num_batches_tracked"]


# ----------------------------------------------------------------------------------------------------- the model

MACHINE = storage.Machine(bandwidth=4e10, dense=1e11, sparse=2e10, turn=1e9, call=2e-5)


def test_the_model_counts_bytes_and_multiply_adds():
    dense, csr = storage.predict(MACHINE, 1000, 1000, 0.9, batch=100)
    assert dense == pytest.approx(4e6 / 4e10 + 1e8 / 1e11)
    assert csr == pytest.approx(2e-5 + 2000 * 100 / 1e9 + (8e5 + 4004) / 4e10 + 1e7 / 2e10)
    _, csr = storage.predict(MACHINE, 1000, 1000, 0.9, batch=1)
    assert csr == pytest.approx(2e-5 + (8e5 + 4004) / 4e10 + 1e5 / 2e10)


def test_this_machine_can_be_measured():
    machine = storage.measure_machine()
    assert all(value > 0 for value in vars(machine).values())
    assert machine.dense > machine.sparse


def test_times_relative_to_the_dense_layer():
    rows = [("a", "dense", 0.5, 2.0), ("a", "csr", 0.5, 3.0), ("a", "dense", 0.9, 4.0), ("a", "csr", 0.9004, 1.0)]
    rows += [("b", "csr", 0.5, 5.0), ("b", "dense", 0.5, 1.0)]
    table = pd.DataFrame(rows, columns=["machine", "layout", "sparsity", "seconds"]).assign(size=8, batch=1)
    found = storage.relative_to_dense(table.assign(low=table["seconds"] / 2, high=2 * table["seconds"]))
    csr = found[found["layout"] == "csr"]
    assert csr["ratio"].tolist() == [1.5, 0.25, 5.0]
    assert csr["low"].tolist() == [0.75, 0.125, 2.5]
    assert csr["high"].tolist() == [3.0, 0.5, 10.0]


def test_where_zeros_begin_to_pay():
    assert storage.pays_from([0.5, 0.8, 0.9], [2, 1.2, 0.7]) == pytest.approx(0.84)
    assert storage.pays_from([0.5, 0.8, 0.9], [0.9, 1.2, 0.7]) == pytest.approx(0.84)
    assert storage.pays_from([0.5, 0.8], [0.9, 0.8]) == 0.5
    assert np.isnan(storage.pays_from([0.5, 0.8], [0.9, 1.0]))
    with pytest.raises(ValueError, match="ratios holds nan"):
        storage.pays_from([0.5, 0.9], [0.5, np.nan])


def test_the_predicted_crossing_is_where_the_predictions_cross():
    for batch in (1, 64):
        sparsity = storage.predicted_to_pay_from(MACHINE, 1000, 1000, batch)
        dense, csr = storage.predict(MACHINE, 1000, 1000, sparsity, batch)
        assert dense == pytest.approx(csr)
    assert np.isnan(storage.predicted_to_pay_from(MACHINE, 16, 16, batch=1))  # the call alone takes longer


def test_a_training_step_is_timed_and_trains_no_layer_of_the_caller():
    layer = sparse_layer()
    before = layer.W.clone()
    table = storage.time_training(layer, batch=4, others={"mine": sparse_layer()}, repeats=2)
    assert table["layout"].tolist() == ["dense", "masked", "csr", "mine"]
    assert (table["seconds"] > 0).all()
    assert torch.equal(layer.W, before)
    assert layer.W.grad is None

"""Measures of sparsity: what must hold for every array, and what they say to bad input."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.utils.prune
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, from_dtype

from sparsecourse import masks, measure

# few different values, so that zeros and ties are common
values = st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, -2.0, 1e-9, 1e9])
tensors = arrays(float, array_shapes(min_dims=1, max_dims=3, max_side=6), elements=values)
matrices = arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=values)
levels = st.floats(0, 0.99)


@given(tensors)
def test_sparsity_is_counted(W):
    zeros = sum(1 for w in W.ravel().tolist() if w == 0)
    assert measure.sparsity(W) == pytest.approx(zeros / W.size)
    assert measure.sparsity(W) + measure.density(W) == pytest.approx(1)


@given(tensors)
def test_compression_is_one_over_density(W):
    if W.any():
        assert measure.compression(W) * measure.density(W) == pytest.approx(1)
    else:
        assert measure.compression(W) == math.inf


@given(tensors)
def test_arrays_lists_and_tensors_agree(W):
    for same in (W.tolist(), torch.tensor(W, requires_grad=True)):
        assert measure.sparsity(same) == measure.sparsity(W)


narrow = st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "float32"])
of_finite_numbers = {"allow_nan": False, "allow_infinity": False}


@given(st.data(), narrow.map(np.dtype))
def test_the_type_of_the_numbers_does_not_matter(data, dtype):
    """In 64 bits every sum, square and sign of these numbers fits; in their own types they do not."""
    elements = from_dtype(dtype, **of_finite_numbers if dtype.kind == "f" else {})
    W = data.draw(arrays(dtype, array_shapes(min_dims=1, max_dims=2, max_side=6, min_side=2), elements=elements))
    assume(W.any())
    for measured in (measure.sparsity, measure.gini, measure.hoyer, lambda W: measure.near_zero(W, 0.5)):
        assert measured(W) == measured(W.astype(float))


def test_known_numbers_of_eight_bits():
    W = np.array([-128, 127, 5, 0], dtype=np.int8)
    assert measure.gini(W) == pytest.approx(0.4865, abs=1e-4)
    assert measure.hoyer(W) == pytest.approx(0.559, abs=1e-3)
    assert measure.near_zero(W, 0.1) == 0.5


@given(tensors, st.sampled_from([0.25, 3.0, 1024.0]))
def test_scale_does_not_matter(W, factor):
    assume(W.any())
    assert measure.sparsity(factor * W) == measure.sparsity(W)
    assert measure.gini(factor * W) == pytest.approx(measure.gini(W))
    if W.size > 1:
        assert measure.hoyer(factor * W) == pytest.approx(measure.hoyer(W), abs=1e-9)


@given(tensors)
def test_threshold_free_measures_lie_between_their_ends(W):
    assume(W.any() and W.size > 1)
    assert 0 <= measure.hoyer(W) <= 1
    assert 0 <= measure.gini(W) <= 1 - 1 / W.size + 1e-9


@pytest.mark.parametrize("n", [2, 5, 100])
def test_ends_of_the_threshold_free_measures(n):
    single = np.eye(1, n)
    assert measure.hoyer(np.ones(n)) == pytest.approx(0, abs=1e-9)
    assert measure.gini(np.ones(n)) == pytest.approx(0, abs=1e-9)
    assert measure.hoyer(single) == pytest.approx(1)
    assert measure.gini(single) == pytest.approx(1 - 1 / n)


@given(tensors)
def test_gini_keeps_the_wishes_for_cloning_and_babies(W):
    assume(W.any())
    assert measure.gini(np.concatenate([W.ravel(), W.ravel()])) == pytest.approx(measure.gini(W))
    assert measure.gini(np.append(W, 0.0)) > measure.gini(W) - 1e-12


def test_hoyer_fails_the_wish_for_cloning():
    w = np.array([4.0, 2.0, 1.0, 1.0])
    assert measure.hoyer(np.tile(w, 2)) < measure.hoyer(w) - 0.05


@given(tensors, st.floats(0, 3), st.floats(0, 3))
def test_near_zero_grows_with_the_threshold(W, a, b):
    low, high = sorted((a, b))
    assert measure.near_zero(W, low) <= measure.near_zero(W, high)


def test_near_zero_is_relative():
    W = np.random.default_rng(0).normal(size=1000)
    assert measure.near_zero(W, 0.1) == measure.near_zero(1000 * W, 0.1) > 0


def test_layers_add_up_before_they_divide():
    table = measure.layers({"large": np.zeros((10, 10)), "small": np.ones((2, 5))})
    assert table.loc["all", "sparsity"] == pytest.approx(100 / 110)
    assert table.loc["all", "entries"] == 110


def test_layers_of_a_module_leave_biases_out():
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    table = measure.layers(network)
    assert table["entries"].tolist() == [12, 6, 18]
    assert table["shape"].tolist()[:2] == ["3 × 4", "2 × 3"]


def test_layers_sees_what_pruning_left():
    """PyTorch's pruning keeps the full matrix beside the mask; what counts is what the layer uses."""
    layer = torch.nn.Linear(10, 10)
    network = torch.nn.Sequential(layer)
    torch.nn.utils.prune.l1_unstructured(layer, "weight", 0.8)
    assert measure.layers(network).loc["0.weight", "sparsity"] == pytest.approx(0.8)


def test_layers_sees_what_a_parametrization_makes():
    class Half(torch.nn.Module):
        def forward(self, W):
            return W * (torch.arange(W.numel()).reshape(W.shape) % 2)

    layer = torch.nn.Linear(10, 10)
    torch.nn.utils.parametrize.register_parametrization(layer, "weight", Half())
    assert measure.layers(layer).loc["weight", "sparsity"] == pytest.approx(0.5)
    network = torch.nn.ModuleDict({"original": torch.nn.Sequential(layer), "plain": torch.nn.Linear(2, 2)})
    assert list(measure.layers(network).index) == ["original.0.weight", "plain.weight", "all"]


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("turn", [torch.Tensor.to_sparse, torch.Tensor.to_sparse_csr, torch.Tensor.bfloat16])
def test_tensors_of_every_layout_and_type(turn):
    assert measure.sparsity(turn(torch.eye(4))) == 0.75


def test_lenet_by_han():
    """Han et al. 2015, table 2: 8, 9 and 26 % kept of each layer are 8 % of all."""
    kept = {(300, 784): 0.08, (100, 300): 0.09, (10, 100): 0.26}
    layers = {str(shape): masks.random(shape, 1 - part, seed=0) for shape, part in kept.items()}
    assert measure.layers(layers).loc["all", "sparsity"] == pytest.approx(0.918, abs=0.001)


@given(matrices)
def test_unused_inputs_and_dead_outputs(W):
    assert measure.unused_inputs(W) == [j for j in range(W.shape[1]) if not any(W[:, j])]
    assert measure.dead_outputs(W) == measure.unused_inputs(W.T)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measure.sparsity([]), "W is empty"),
        (lambda: measure.sparsity([[1, 2], [3]]), "rows have different lengths"),
        (lambda: measure.sparsity("dense"), "array of numbers, got str"),
        (lambda: measure.sparsity([1.0, float("nan")]), r"holds nan at \[1\]"),
        (lambda: measure.sparsity([[1.0], [float("inf")]]), r"holds inf at \[1, 0\]"),
        (lambda: measure.near_zero([1.0], -1), "tau must not be negative, got -1"),
        (lambda: measure.hoyer([3.0]), "at least two entries"),
        (lambda: measure.hoyer([0.0, 0.0]), "not defined for an array of zeros"),
        (lambda: measure.gini([0.0]), "not defined for an array of zeros"),
        (lambda: measure.layers({}), "no weight matrix"),
        (lambda: measure.layers({"all": [1.0]}), "can't be named 'all'"),
        (lambda: measure.layers({"fc1": [[float("nan")]]}), "fc1 holds nan"),
        (lambda: measure.unused_inputs([1.0, 0.0]), r"matrix of shape \(out, in\), got shape \(2,\)"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ----------------------------------------------------------------------------------------- paths through a network

SMALL = [np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]]), np.array([[1, 1, 0], [0, 1, 0]])]


def test_paths_are_counted():
    assert measure.paths(SMALL).tolist() == [[1, 1, 0], [0, 0, 0]]
    assert measure.paths([2.5 * SMALL[0], -SMALL[1]]).tolist() == [[1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("layers", [62, 63, 64, 65, 1100])
def test_no_number_of_paths_is_too_large(layers):
    assert measure.paths([np.ones((2, 2))] * layers).tolist() == [[2 ** (layers - 1)] * 2] * 2


def test_effective_weights_lie_on_a_path():
    first, second = measure.effective(SMALL)
    assert first.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert second.tolist() == [[1, 0, 0], [0, 0, 0]]


networks = st.lists(st.integers(1, 5), min_size=2, max_size=4).flatmap(
    lambda sizes: st.tuples(*(arrays(int, shape[::-1], elements=st.integers(0, 1)) for shape in pairwise(sizes)))
)


@given(networks)
def test_weights_that_are_not_effective_change_no_path(network):
    kept = measure.effective(network)
    assert (measure.paths(kept) == measure.paths(network)).all()
    for layer, S in enumerate(kept):
        assert (S <= network[layer]).all()
        for place in np.argwhere(S):  # and each that is effective is on one
            without = [copy.copy() for copy in kept]
            without[layer][tuple(place)] = 0
            assert (measure.paths(without) < measure.paths(kept)).any()


def test_the_wiring_of_a_network_names_its_idle_units():
    table = measure.wiring(SMALL)
    assert table["kept"].tolist() == [3, 3, 6]
    assert table["sparsity"].tolist() == pytest.approx([1 - 3 / 9, 1 - 3 / 6, 1 - 6 / 15])
    assert table["unused_inputs"].tolist() == [0, 1, 1]
    assert table["dead_outputs"].tolist() == [1, 0, 1]
    assert table["effective"].tolist() == [2, 1, 3]


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a layer of 3 outputs is followed by one of 2 inputs"):
        measure.paths([np.ones((3, 2)), np.ones((1, 2))])


# ------------------------------------------------------------------------------------------------ repeated runs


def test_intervals_are_students():
    table = pd.DataFrame({"method": ["a"] * 4 + ["b"] * 2, "value": [1.0, 2.0, 3.0, 4.0, 5.0, 5.0]})
    summary = measure.intervals(table, "method", "value").set_index("method")
    assert summary.loc["a", "mean"] == 2.5
    reach = 3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2  # t of 3 degrees of freedom at 97.5 %
    assert summary.loc["a", "low"] == pytest.approx(2.5 - reach)
    assert summary.loc["a", "high"] == pytest.approx(2.5 + reach)
    assert summary.loc["b", ["low", "high"]].tolist() == [5, 5]
    assert summary["runs"].tolist() == [4, 2]


def test_intervals_hold_the_truth_as_often_as_they_say():
    runs = np.random.default_rng(0).normal(1.0, 3.0, size=(2000, 5))
    table = pd.DataFrame({"experiment": np.repeat(np.arange(2000), 5), "value": runs.ravel()})
    summary = measure.intervals(table, "experiment", "value")
    assert ((summary["low"] < 1) & (summary["high"] > 1)).mean() == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("values", "words"),
    [([1.0, math.nan, 2.0], "1 of 3 runs have no value"), ([1.0], "at least two runs of every setting")],
)
def test_intervals_refuse_what_has_no_interval(values, words):
    with pytest.raises(ValueError, match=words):
        measure.intervals(pd.DataFrame({"method": "a", "value": values}), "method", "value")


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1, 1e200, 1e300])
def test_near_zero_does_not_see_the_scale(scale):
    W = np.array([1.0, 2.0, 0.1, 0.0])
    assert measure.near_zero(W * scale, 0.5) == measure.near_zero(W, 0.5) == 0.5
    assert measure.near_zero([0.0, 0.0], 0.5) == 0


def test_an_infinite_run_is_a_run_without_a_value():
    table = pd.DataFrame({"method": "a", "loss": [1.0, np.inf, 2.0]})
    with pytest.raises(ValueError, match="1 of 3 runs have no loss"):
        measure.intervals(table, "method", "loss")

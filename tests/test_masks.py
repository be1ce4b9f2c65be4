"""Masks: the number of zeros is exact, the largest stay, and every pattern keeps its form."""

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, from_dtype

from sparsecourse import connectome, masks, measure

shapes = st.tuples(st.integers(1, 8), st.integers(1, 8))
levels = st.floats(0, 0.999)
seeds = st.integers(0, 2**16)
weights = shapes.flatmap(lambda shape: arrays(float, shape, elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, -3.0])))
wirings = shapes.flatmap(lambda shape: arrays(int, shape, elements=st.integers(0, 1)))


def leaves_something(level, n):
    """Whether a sparsity leaves any of n entries; where it does not, it is refused."""
    return round(level * n) < n


@given(shapes, levels, seeds)
def test_random_cuts_an_exact_number(shape, level, seed):
    assume(leaves_something(level, shape[0] * shape[1]))
    S = masks.random(shape, level, seed)
    assert S.shape == shape
    assert set(np.unique(S)) <= {0, 1}
    assert (S == 0).sum() == round(level * S.size)


@given(shapes, levels, levels, seeds)
def test_random_masks_of_one_seed_are_nested(shape, a, b, seed):
    low, high = sorted((a, b))
    assume(leaves_something(high, shape[0] * shape[1]))
    assert (masks.random(shape, high, seed) <= masks.random(shape, low, seed)).all()


def test_random_masks_are_fair():
    """Every entry is cut about as often as every other."""
    kept = np.mean([masks.random((4, 5), 0.5, seed) for seed in range(2000)], axis=0)
    assert np.abs(kept - 0.5).max() < 0.06  # five standard deviations


@given(weights, levels)
def test_magnitude_keeps_the_largest(W, level):
    assume(leaves_something(level, W.size))
    S = masks.magnitude(W, level)
    assert (S == 0).sum() == round(level * W.size)
    if S.any() and not S.all():
        assert np.abs(W[S == 1]).min() >= np.abs(W[S == 0]).max()


@given(weights, levels)
def test_rows_and_columns_go_as_a_whole(W, level):
    assume(leaves_something(level, len(W)))
    S = masks.rows(W, level)
    assert (S == S[:, :1]).all()
    assert len(measure.dead_outputs(S)) == round(level * len(W))
    assert (masks.columns(W.T, level) == S.T).all()


@given(seeds, levels, st.sampled_from([(1, 1), (2, 3), (4, 3), (4, 6)]))
def test_blocks_go_as_a_whole(seed, level, block):
    assume(leaves_something(level, 24 // (block[0] * block[1])))
    W = np.random.default_rng(seed).normal(size=(4, 6))
    S = masks.blocks(W, level, block)
    tiles = S.reshape(4 // block[0], block[0], 6 // block[1], block[1]).mean(axis=(1, 3))
    assert set(np.unique(tiles)) <= {0, 1}
    assert (tiles == 0).sum() == round(level * tiles.size)


@given(seeds, st.sampled_from([(1, 2), (2, 4), (1, 4), (4, 4)]))
def test_n_of_m_keeps_the_n_largest_of_each_group(seed, pattern):
    n, m = pattern
    W = np.random.default_rng(seed).normal(size=(3, 8))
    S = masks.n_of_m(W, n, m)
    groups, kept = np.abs(W).reshape(-1, m), S.reshape(-1, m)
    assert (kept.sum(axis=1) == n).all()
    for magnitudes, keep in zip(groups, kept, strict=True):
        assert set(np.flatnonzero(keep)) == set(np.argsort(magnitudes)[m - n :])


@given(wirings, seeds)
def test_rewired_keeps_every_fan_in_and_fan_out(S, seed):
    R = masks.rewired(S, seed)
    assert set(np.unique(R)) <= {0, 1}
    assert (R.sum(axis=0) == S.sum(axis=0)).all()
    assert (R.sum(axis=1) == S.sum(axis=1)).all()


def rewired_plainly(S, seed):
    """The rewiring as its description says it: one attempt after the other, ten for each connection."""
    wires = [tuple(wire) for wire in np.argwhere(S).tolist()]
    for a, b in np.random.default_rng(seed).integers(len(wires), size=(10 * len(wires), 2)).tolist():
        (i, j), (k, n) = wires[a], wires[b]  # from j to i, and from n to k
        if (k, j) not in wires and (i, n) not in wires:
            wires[a], wires[b] = (k, j), (i, n)
    R = np.zeros_like(S)
    R[tuple(np.transpose(wires))] = 1
    return R


@given(wirings.filter(np.any), seeds)
def test_rewired_is_what_a_plain_loop_gives(S, seed):
    assert (masks.rewired(S, seed) == rewired_plainly(S, seed)).all()
    assert (masks.rewired(S.T, seed) == rewired_plainly(S.T, seed)).all()  # the same numbers, otherwise in memory


def test_rewired_forgets_the_old_wiring():
    S = np.kron(np.eye(10, dtype=int), np.ones((5, 5), dtype=int))  # ten blocks of five
    R = masks.rewired(S, seed=0)
    assert (R * S).sum() / S.sum() < 0.2  # chance: 5 of 50
    assert (R == masks.rewired(S, seed=0)).all()


windows = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(st.just(shape), st.integers(1, shape[1]))
)


@given(windows, seeds)
def test_fixed_fan_in_is_fixed(window, seed):
    shape, fan_in = window
    S = masks.fixed_fan_in(shape, fan_in, seed)
    assert S.shape == shape
    assert (S.sum(axis=1) == fan_in).all()


def test_fixed_fan_in_is_fair():
    kept = np.mean([masks.fixed_fan_in((3, 5), 2, seed) for seed in range(2000)], axis=0)
    assert np.abs(kept - 0.4).max() < 0.06


@given(windows)
def test_local_windows_are_neighbours_in_order(window):
    shape, fan_in = window
    S = masks.local(shape, fan_in)
    assert (S.sum(axis=1) == fan_in).all()
    first = S.argmax(axis=1)
    for row, start in zip(S, first, strict=True):
        assert row[start : start + fan_in].all()  # one window without a gap
    assert (np.diff(first) >= 0).all()
    assert (S == S[::-1, ::-1]).all() or fan_in != shape[1]  # a full window is symmetric
    if shape[0] * fan_in >= 2 * shape[1]:  # enough windows to reach everything
        assert not measure.unused_inputs(S)


@given(windows)
def test_wrapped_windows_treat_all_inputs_alike(window):
    (n_out, n_in), fan_in = window
    S = masks.local((n_out, n_in), fan_in, wrap=True)
    assert (S.sum(axis=1) == fan_in).all()
    for row in S:
        starts = np.flatnonzero((row == 1) & (np.roll(row, 1) == 0))
        assert len(starts) == (fan_in < n_in)  # one window on the ring
    if n_out % n_in == 0:
        assert len(set(S.sum(axis=0))) == 1


def test_a_local_mask_is_centred():
    assert masks.local((3, 9), 3).tolist() == [
        [1, 1, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 1, 1],
    ]
    assert masks.local((3, 3), 2, wrap=True).sum(axis=0).tolist() == [2, 2, 2]


@given(windows, st.floats(0, 1), seeds)
def test_small_worlds_keep_every_fan_in(window, moved, seed):
    shape, fan_in = window
    S = masks.small_world(shape, fan_in, moved, seed)
    assert (S.sum(axis=1) == fan_in).all()
    new = ((S == 1) & (masks.local(shape, fan_in) == 0)).sum()
    assert new <= round(moved * shape[0] * fan_in)


def test_small_worlds_lie_between_local_and_random():
    old = masks.local((50, 100), 10)
    kept = [(old * masks.small_world((50, 100), 10, moved, seed=0)).sum() / old.sum() for moved in (0, 0.2, 1)]
    assert kept[0] == 1
    assert 0.8 <= kept[1] < 0.85  # a moved connection may come back to a place that has become free
    assert kept[2] < 0.3


several = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=4)


@given(several, levels, st.sampled_from([masks.uniform, masks.erk]))
def test_layers_together_cut_the_exact_number_or_say_that_one_would_be_empty(layers, level, spread):
    parts = np.array([n_out + n_in if spread is masks.erk else n_out * n_in for n_out, n_in in layers])
    total = sum(n_out * n_in for n_out, n_in in layers)
    if (1 - level) * total * parts.min() / parts.sum() < 1:  # then the smallest may be left with nothing
        with contextlib.suppress(ValueError):
            assert all(sparsity < 1 for sparsity in spread(layers, level))
        return
    sparsities = spread(layers, level)
    S = [masks.random(shape, sparsity, 0) for shape, sparsity in zip(layers, sparsities, strict=True)]
    assert sum((mask == 0).sum() for mask in S) == round(level * total)
    assert all(mask.any() for mask in S)


def test_uniform_and_erk_of_a_known_network():
    lenet = [(300, 784), (100, 300), (10, 100)]
    assert masks.uniform(lenet, 0.9) == pytest.approx([0.9] * 3)
    kept = [(1 - s) * n_out * n_in for s, (n_out, n_in) in zip(masks.erk(lenet, 0.9), lenet, strict=True)]
    assert kept[2] == pytest.approx(1000)  # the last layer would keep more than it has
    assert kept[0] / kept[1] == pytest.approx(1084 / 400, rel=1e-3)
    assert sum(kept) == pytest.approx(26_620)


@given(st.floats(0, 0.9))
def test_windows_spread_a_sparsity_over_the_hidden_layers(level):
    sizes = (40, 100, 100, 10)
    fan_in = masks.windows(masks.layer_shapes(sizes), level)
    assert fan_in[-1] == 100
    kept = sum(k * n_out for k, n_out in zip(fan_in, sizes[1:], strict=True))
    assert abs(kept - (1 - level) * 15_000) <= 100  # half a connection for each of the 200 hidden units
    assert abs(fan_in[0] / 40 - fan_in[1] / 100) < 1 / 40


def test_windows_of_a_network_without_hidden_layers():
    assert masks.windows([(3, 4)], 0) == [4]


score_lists = st.lists(arrays(float, shapes, elements=st.sampled_from([0.0, 1.0, -1.0, 0.5])), min_size=1, max_size=4)


@given(score_lists, levels)
def test_one_ranking_over_several_layers_is_a_ranking_of_all(scores, level):
    assume(leaves_something(level, sum(layer.size for layer in scores)))
    kept = masks.keep_largest(scores, level)
    assert [tuple(S.shape) for S in kept] == [layer.shape for layer in scores]
    together = masks.keep_largest([np.concatenate([layer.ravel() for layer in scores])], level)[0]
    assert np.concatenate([S.numpy().ravel() for S in kept]).tolist() == together.tolist()


@given(score_lists, levels)
def test_each_layer_gets_what_the_distribution_gives_it(scores, level):
    assume(all(leaves_something(level, layer.size) for layer in scores))
    layer_by_layer = [masks.keep_largest([layer], level)[0] for layer in scores]
    alike = masks.keep_largest(scores, level, masks.alike)
    assert all((S == other).all() for S, other in zip(alike, layer_by_layer, strict=True))
    total = sum(layer.size for layer in scores)
    assume((1 - level) * min(layer.size for layer in scores) >= 1)
    exact = masks.keep_largest(scores, level, masks.uniform)
    assert sum(int((~S).sum()) for S in exact) == round(level * total)


ties = arrays(float, array_shapes(min_dims=1, max_dims=2, max_side=9), elements=st.sampled_from([0.0, -0.0, 1.0, 2.0]))
number_types = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool])


@given(ties, st.floats(0, 1), number_types)
def test_the_largest_are_the_last_of_a_stable_order(scores, part, dtype):
    scores = torch.tensor(scores).to(dtype)
    n = round(part * scores.numel())
    kept = masks.largest(scores, n)
    assert kept.shape == scores.shape
    order = scores.flatten().argsort(stable=True).tolist()
    assert kept.flatten().nonzero().flatten().tolist() == sorted(order[len(order) - n :])


def test_of_equal_scores_the_last_stay():
    assert masks.largest(torch.tensor([1.0, 2.0, 1.0, 1.0]), 3).tolist() == [False, True, True, True]
    assert masks.largest(torch.zeros(2, 2), 0).tolist() == [[False, False], [False, False]]


def test_what_is_not_finite_can_not_be_ranked():
    with pytest.raises(masks.DivergedError, match="a score is not finite: nan; none of them is the smallest"):
        masks.keep_largest([[1.0, 2.0], [3.0, np.nan]], 0.5)
    with pytest.raises(masks.DivergedError, match="a score is not finite: inf"):
        masks.keep_largest([[[1.0, np.inf], [3.0, 2.0]]], 0.5, masks.uniform)


# ------------------------------------------------------------------------------------------- numbers of other types

narrow = st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "float32"])
by_weight = {
    "magnitude": lambda W: masks.magnitude(W, 0.5),
    "rows": lambda W: masks.rows(W, 0.5),
    "columns": lambda W: masks.columns(W, 0.5),
    "blocks": lambda W: masks.blocks(W, 0.5, (1, 2)),
    "n_of_m": lambda W: masks.n_of_m(W, 1, 2),
}


@pytest.mark.parametrize("name", by_weight)
@given(st.data())
def test_a_mask_does_not_depend_on_the_type_of_the_numbers(name, data):
    """In 64 bits every sum, square and sign of these numbers fits; in their own types they do not."""
    shape = data.draw(st.tuples(st.integers(1, 4), st.sampled_from([2, 4])))
    dtype = np.dtype(data.draw(narrow))
    finite = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else {}
    W = data.draw(arrays(dtype, shape, elements=from_dtype(dtype, **finite)))
    assert (by_weight[name](W) == by_weight[name](W.astype(float))).all()


def test_the_magnitude_of_a_complex_number_is_its_modulus():
    assert masks.magnitude([3j, 2.0, 1 + 1j], 2 / 3).tolist() == [1, 0, 0]
    assert masks.rows([[3j, 0], [1, 1]], 0.5).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize("name", masks.WIRINGS)
def test_every_wiring_meets_its_sparsity(name):
    settings = {"rewiring_probability": 0.5} if name == "small world" else {}
    S = masks.wiring(name, (40, 100, 100, 10), 0.8, seed=3, **settings)
    assert [mask.shape for mask in S] == [(100, 40), (100, 100), (10, 100)]
    assert 1 - sum(mask.sum() for mask in S) / 15_000 == pytest.approx(0.8, abs=0.01)


def test_an_unknown_wiring():
    with pytest.raises(ValueError, match=r"wiring must be one of random; local;.* got 'lokal'"):
        masks.wiring("lokal", (4, 3), 0.5, seed=0)


def test_the_worm_as_a_mask():
    worm = connectome.load("cook2019")
    S = masks.from_connectome(worm, "sensory", "inter")
    assert S.shape == (81, 83)
    assert masks.from_connectome(worm, ["AVAL", "ASHL"], ["AVBL"]).tolist() == [
        [int(worm.adjacency()[worm.index("AVBL"), worm.index(name)]) for name in ("AVAL", "ASHL")]
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: masks.random((2, 2), 1.2, 0), r"sparsity must lie in \[0, 1\), got 1.2"),
        (lambda: masks.random((3, 3), 0.95, 0), "a sparsity of 0.95 leaves nothing of 9"),
        (lambda: masks.rows(np.ones((2, 2)), 0.8), "a sparsity of 0.8 leaves nothing of 2"),
        (lambda: masks.uniform([(300, 784), (10, 3)], 0.99), "0.99 leaves nothing of a layer of 30 weights"),
        (lambda: masks.erk([(300, 784), (10, 3)], 0.99995), "0.99995 leaves nothing of a layer of 30 weights"),
        (lambda: masks.keep_largest([np.eye(9), np.eye(2)], 0.9, masks.alike), "0.9 leaves nothing of 4"),
        (lambda: masks.fixed_fan_in((3, 4), 3.0, 0), r"fan_in must be a whole number from 1 to 4, got 3\.0"),
        (lambda: masks.layer_shapes((4, 3.0)), r"positive whole numbers, got \[4, 3\.0\]"),
        (lambda: masks.from_connectome(connectome.load("cook2019"), [], ["AVAL"]), "a group has at least one neuron"),
        (lambda: masks.random((2, 2), 1, 0), r"sparsity must lie in \[0, 1\), got 1"),
        (lambda: masks.random((0, 5), 0.5, 0), "a length of a mask must be a whole number from 1 up, got 0"),
        (lambda: masks.fixed_fan_in((0, 4), 2, 0), "a length of a mask must be a whole number from 1 up, got 0"),
        (lambda: masks.local((3, 0), 2), "a length of a mask must be a whole number from 1 up, got 0"),
        (lambda: masks.magnitude([[1.0]], -0.1), "got -0.1"),
        (lambda: masks.magnitude([[1.0]], float("nan")), "got nan"),
        (lambda: masks.magnitude([[float("nan")]], 0.5), "holds nan"),
        (lambda: masks.rows([1.0, 2.0], 0.5), r"matrix of shape \(out, in\), got shape \(2,\)"),
        (lambda: masks.blocks(np.ones((4, 6)), 0.5, (3, 3)), "blocks of 3 × 3 do not tile a matrix of 4 × 6"),
        (lambda: masks.blocks(np.ones((4, 6)), 0.5, (0, 2)), "blocks of 0 × 2 do not tile a matrix of 4 × 6"),
        (lambda: masks.blocks(np.ones(4), 0.5, (2, 2)), r"matrix of shape \(out, in\)"),
        (lambda: masks.n_of_m(np.ones((2, 6)), 2, 4), "groups of 4 do not fit into rows of 6"),
        (lambda: masks.n_of_m(np.ones((2, 4)), 5, 4), "n must be a whole number from 1 to 4, got 5"),
        (lambda: masks.n_of_m(np.ones(4), 2, 4), r"matrix of shape \(out, in\)"),
        (lambda: masks.fixed_fan_in((3, 4), 5, 0), "fan_in must be a whole number from 1 to 4, got 5"),
        (lambda: masks.local((3, 4), 0), "fan_in must be a whole number from 1 to 4, got 0"),
        (lambda: masks.local((3, 4), 1.5), "got 1.5"),
        (lambda: masks.small_world((3, 4), 2, 1.5, 0), "between 0 and 1, got 1.5"),
        (lambda: masks.erk([(3, 4)], 1), r"sparsity must lie in \[0, 1\), got 1"),
        (lambda: masks.uniform([(3, 4)], -1), "got -1"),
        (lambda: masks.alike([(3, 4)], 1.2), r"sparsity must lie in \[0, 1\), got 1.2"),
        (lambda: masks.keep_largest([], 0.5), "there is no layer to cut"),
        (
            lambda: masks.keep_largest([np.ones((4, 3)), np.ones((2, 4))], 0.3, masks.windows),
            r"a distribution gives each of 2 layers a sparsity in \[0, 1\), got \[2, 4\]",
        ),
        (lambda: masks.keep_largest([[1.0]], 0.5, lambda *_: [0.5, 0.5]), "each of 1 layers a sparsity"),
        (lambda: masks.keep_largest([[1.0]], 0.5, lambda *_: [np.nan]), r"got \[nan\]"),
        (
            lambda: masks.windows(masks.layer_shapes((40, 100, 100, 10)), 0.95),
            r"last layer stays whole can be cut to 92.0% at most, got 95.0%",
        ),
        (
            lambda: masks.windows([(3, 4)], 0.2),
            r"layers \(4, 3\) whose last layer stays whole can be cut to 0.0% at most",
        ),
        (
            lambda: masks.from_connectome(connectome.load("cook2019"), "sensry", "inter"),
            "unknown type of neuron 'sensry'; did you mean sensory",
        ),
        (
            lambda: masks.from_connectome(connectome.load("cook2019"), ["AVAl"], "inter"),
            "unknown neuron 'AVAl'; did you mean AVAL",
        ),
        (
            lambda: masks.from_connectome(connectome.load("varshney2011"), "pharyngeal", "inter"),
            "varshney2011 has no neurons of the type 'pharyngeal'",
        ),
        (lambda: masks.rewired([[0.5]], 0), r"a mask holds only 0 and 1, got 0.5 at \[0, 0\]"),
        (
            lambda: masks.check_mask(np.ones((2, 3)), (3, 2)),
            r"\(2, 3\), the weights have shape \(3, 2\)",
        ),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()

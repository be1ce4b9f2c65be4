"""Exercises of lesson 06: pruning."""

import functools
import math

import numpy as np
import torch

from sparsecourse import layers, masks, measure, tasks, training
from sparsecourse.exercises.checking import Exercise, Mistake
from sparsecourse.exercises.describing import describe


def _by_magnitude(W, sparsity, keep_smallest=False, use_sign=False, count=round):
    """Mask that cuts ``count(sparsity × entries)`` entries of W; the options are what learners get wrong."""
    W = np.asarray(W)
    scores = W if use_sign else np.abs(W)
    order = np.argsort(-scores if keep_smallest else scores, axis=None, kind="stable")
    S = np.ones(W.size, dtype=int)
    S[order[: count(sparsity * W.size)]] = 0
    return S.reshape(W.shape)


def _kept_from_the_end(W, sparsity):
    S = np.zeros(W.size, dtype=int)
    S[np.argsort(np.abs(W), axis=None)[-(W.size - round(sparsity * W.size)) :]] = 1
    return S.reshape(W.shape)


def _kept_as_many(W, sparsity):
    S = np.zeros(W.size, dtype=int)
    S[np.argsort(-np.abs(W), axis=None)[: round((1 - sparsity) * W.size)]] = 1
    return S.reshape(W.shape)


def _by_threshold_in_the_ranking(W, sparsity):
    return (np.abs(W) > np.sort(np.abs(W), axis=None)[round(sparsity * W.size) - 1]).astype(int)


def _matrix(shape, seed):
    return np.random.default_rng(seed).normal(size=shape).round(2)


def _wrong_mask(S, W, sparsity):
    """What is wrong with a mask that should cut the smallest magnitudes, or None. Ties may be cut in any order."""
    S = np.asarray(S)
    if S.dtype == bool:
        S = S.astype(int)
    if S.shape != W.shape:
        return f"gave an array of shape {S.shape}, expected a mask of shape {W.shape}."
    if not np.isin(S, (0, 1)).all():
        return "gave other numbers than 0 and 1."
    asked, cut = round(sparsity * W.size), int((S == 0).sum())
    if cut != asked:
        return f"gave a mask that cuts {cut} of {W.size} entries, expected {asked}."
    if 0 < cut < W.size and np.abs(W[S == 0]).max() > np.abs(W[S == 1]).min():
        largest, smallest = np.abs(W[S == 0]).max(), np.abs(W[S == 1]).min()
        return f"gave a mask that cuts a weight of magnitude {largest:g} and keeps one of {smallest:g}."
    return None


def _cubic(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return final * (1 - (1 - t) ** 3)


def _cubic_unclipped(step, begin, end, final):
    return final * (1 - (1 - (step - begin) / (end - begin)) ** 3)


def _cubic_clipped_above(step, begin, end, final):
    return final * (1 - (1 - min((step - begin) / (end - begin), 1)) ** 3)


def _cubic_clipped_below(step, begin, end, final):
    return final * (1 - (1 - max((step - begin) / (end - begin), 0)) ** 3)


def _linear(step, begin, end, final):
    return final * min(max((step - begin) / (end - begin), 0), 1)


def _slow_start(step, begin, end, final):
    return final * min(max((step - begin) / (end - begin), 0), 1) ** 3


def _remaining(step, begin, end, final):
    return 1 - _cubic(step, begin, end, final)


def _cubic_from_zero(step, begin, end, final):
    return final * (1 - (1 - min(step / end, 1)) ** 3)


def _network(shapes, seed):
    return [_matrix(shape, seed + k) * (k + 1) for k, shape in enumerate(shapes)]


def _cut_at_the_threshold(matrices, sparsity, level=None, keeps=np.greater):
    sizes = np.sort(np.concatenate([np.abs(W).ravel() for W in matrices]))
    threshold = level(sizes, sparsity) if level else sizes[round(sparsity * len(sizes)) - 1]
    return [keeps(np.abs(W), threshold).astype(int) for W in matrices]


def _global(matrices, sparsity, **options):
    together = _by_magnitude(np.concatenate([W.ravel() for W in matrices]), sparsity, **options)
    parts = np.split(together, np.cumsum([W.size for W in matrices])[:-1])
    return [part.reshape(W.shape) for part, W in zip(parts, matrices, strict=True)]


def _wrong_masks(masks_of_all, matrices, sparsity):
    """What is wrong with masks that should cut the smallest magnitudes of all matrices together, or None."""
    if not isinstance(masks_of_all, (list, tuple)) or len(masks_of_all) != len(matrices):
        return f"gave {describe(masks_of_all)}, expected a list of {len(matrices)} masks."
    for S, W in zip(masks_of_all, matrices, strict=True):
        if np.shape(S) != W.shape:
            return f"gave a mask of shape {np.shape(S)} for a matrix of shape {W.shape}."
    S, W = (np.concatenate([np.ravel(part) for part in parts]) for parts in (masks_of_all, matrices))
    return _wrong_mask(S, W, sparsity)


def _rounded_apart(matrices, sparsity):
    together = np.concatenate([W.ravel() for W in matrices])
    cut = sum(round(sparsity * W.size) for W in matrices)
    return _global(matrices, cut / together.size)


def _scaled_first(matrices, sparsity):
    return _global([W / np.abs(W).max() for W in matrices], sparsity)


# --------------------------------------------------------------- 6.4, a question with many right answers: a budget

SIZES, BUDGET = (40, 100, 100, 10), 0.6
SHAPES = masks.layer_shapes(SIZES)
MARGIN = 0.03  # accuracy by which the same level everywhere must be beaten


@functools.cache
def _trained():
    """Three networks, trained briefly: what the answers are tried on."""
    networks = [layers.mlp(SIZES, seed) for seed in range(3)]
    return training.train(networks, tasks.mnist1d(), steps=600).networks


@functools.cache
def _accuracy(levels):
    """Mean validation accuracy when each layer of the trained networks is cut at its own level, without retraining."""
    kept = [layers.mlp(SIZES, seed=0) for _ in _trained()]
    for copy, network in zip(kept, _trained(), strict=True):
        copy.load_state_dict(network.state_dict())
        for layer, level in zip(layers.sparse_layers(copy), levels, strict=True):
            layer.set_mask(masks.magnitude(layer.weight, level))
    return float(np.mean(training.evaluate(kept, tasks.mnist1d(), "validation")))


def _total(levels):
    kept = [masks.magnitude(torch.ones(shape), level) for shape, level in zip(SHAPES, levels, strict=True)]
    return measure.sparsity(np.concatenate([S.ravel() for S in kept]))


def _judge_levels(levels):
    """What is wrong with three sparsities, or None."""
    levels = tuple(float(level) for level in levels)
    if len(levels) != 3 or not all(0 <= level < 1 for level in levels):
        return f"holds {', '.join(f'{level:g}' for level in levels)}; three sparsities from 0 to below 1 are asked for."
    weights = sum(n_out * n_in for n_out, n_in in SHAPES)
    cut, asked = round(_total(levels) * weights), math.ceil(BUDGET * weights)
    if cut < asked:
        return f"cuts {cut:,} of {weights:,} weights. At least {BUDGET:.0%} must go: {asked:,}, {asked - cut:,} more."
    found, uniform = _accuracy(levels), _accuracy((BUDGET,) * 3)
    if found < uniform + MARGIN:
        return (
            f"leaves an accuracy of {found:.1%}. The same level everywhere leaves {uniform:.1%}: beat it by 3 points."
        )
    return None


def _praise(levels):
    levels = tuple(float(level) for level in levels)
    found, uniform = _accuracy(levels), _accuracy((BUDGET,) * 3)
    return f"Accuracy {found:.1%} at {_total(levels):.1%} sparsity; the same level everywhere leaves {uniform:.1%}."


EXERCISES = [
    Exercise(
        number="6.1",
        answer="magnitude_mask",
        reference=_by_magnitude,
        accept=_wrong_mask,
        cases=(
            (np.array([[0.3, -2.0], [0.1, 0.7]]), 0.5),
            (_matrix((3, 4), seed=1), 0.25),
            (np.array([[0.5, -0.5, -0.5], [0.5, 0.2, 1.0]]), 0.5),
            (_matrix((3, 3), seed=5), 0.25),  # of 9, a quarter is 2.25
            (_matrix((4, 5), seed=2), 0.0),
            (_matrix((2, 5), seed=6), 0.96),  # of 10, 9.6: all of them go
            (_matrix((1, 7), seed=8), 0.5),  # of 7, 3.5: rounded to 4, so 3 are kept
            (_matrix((1, 5), seed=9), 0.5),
            (_matrix((10, 10), seed=4), 0.29),
            (_matrix((3, 7), seed=7).round(1), 0.48),
            (_matrix((6, 10), seed=3), 0.9),
        ),
        mistakes=(
            Mistake(
                lambda W, sparsity: _by_magnitude(W, sparsity, use_sign=True),
                "That cuts the most negative weights. Small means small in magnitude: `np.abs(W)`.",
            ),
            Mistake(
                lambda W, sparsity: _by_magnitude(W, sparsity, keep_smallest=True),
                "That cuts the largest and keeps the smallest.",
            ),
            Mistake(
                lambda W, sparsity: 1 - _by_magnitude(W, sparsity),
                "Zeros and ones are swapped: in a mask, 1 keeps.",
            ),
            Mistake(
                lambda W, sparsity: (np.abs(W) > np.quantile(np.abs(W), sparsity)).astype(int),
                "A threshold cuts all weights that tie with it, or none, and the count is off. Rank them and cut the "
                "first so many.",
            ),
            Mistake(
                lambda W, sparsity: (np.abs(W) >= np.quantile(np.abs(W), sparsity)).astype(int),
                "With a threshold, weights that tie with it all stay or all go, and the count is off. Rank them and "
                "cut the first so many.",
            ),
            Mistake(
                lambda W, sparsity: _by_magnitude(W, sparsity, count=int),
                "`int` cuts off the fraction: 28.999… becomes 28. Use `round`.",
            ),
            Mistake(
                lambda W, sparsity: _by_magnitude(W, sparsity, count=math.ceil),
                "That rounds up. The text says `round`, to the nearest whole number.",
            ),
            Mistake(
                lambda W, sparsity: _by_magnitude(W, sparsity).ravel(),
                "The mask lies in one long row. Give it the shape of W: `.reshape(W.shape)`.",
            ),
            Mistake(
                _kept_from_the_end,
                "Where nothing is to be kept, `[-0:]` takes everything. Cut the first so many instead.",
            ),
            Mistake(
                _by_threshold_in_the_ranking,
                "A threshold taken from the ranking cuts all that tie with it; and with nothing to cut, the index -1 "
                "means the last. Cut by place in the ranking, not by value.",
            ),
            Mistake(
                lambda W, sparsity: (np.abs(W) > sparsity).astype(int),
                "`sparsity` is a fraction of the entries, not a magnitude to compare with.",
            ),
            Mistake(
                lambda W, sparsity: np.stack([_by_magnitude(row, sparsity) for row in W]),
                "That cuts the same number in every row. Rank all the entries together.",
            ),
            Mistake(
                lambda W, sparsity: W * _by_magnitude(W, sparsity),
                "That is the pruned matrix. Return the mask, zeros and ones.",
            ),
            Mistake(
                lambda W, sparsity: _by_magnitude(W, 1 - sparsity),
                "That keeps the fraction `sparsity`. Sparsity is the fraction cut.",
            ),
            Mistake(
                _kept_as_many, "The number to cut is rounded, not that to keep: with halves they do not fit together."
            ),
        ),
    ),
    Exercise(
        number="6.2",
        answer="cubic",
        reference=_cubic,
        cases=(
            (200, 100, 300, 0.8),
            (0, 100, 300, 0.8),
            (100, 100, 300, 0.9),
            (300, 0, 300, 0.9),
            (500, 100, 300, 0.9),
            (150, 100, 300, 0.8),
            (40, 100, 300, 0.7),
            (99, 100, 300, 0.6),
            (310, 100, 300, 0.5),
            (1000, 100, 300, 0.95),
            (273, 100, 300, 0.95),
        ),
        mistakes=(
            Mistake(
                _cubic_unclipped,
                "Before `begin` the sparsity is 0, and after `end` it stays at `final`: keep t between 0 and 1.",
            ),
            Mistake(
                _cubic_clipped_above,
                "Before `begin` the sparsity is 0: t must not fall below 0.",
            ),
            Mistake(
                _cubic_clipped_below,
                "After `end` the sparsity stays at `final`: t must not rise above 1.",
            ),
            Mistake(
                lambda step, begin, end, final: _cubic(step, begin, end, final) / final,
                "That ends at 1. It must end at `final`: multiply by it.",
            ),
            Mistake(
                lambda step, begin, end, final: final * (1 - (1 - _linear(step, begin, end, 1)) ** 2),
                "That is a square. The cubic has the power 3.",
            ),
            Mistake(_linear, "That is a straight line. The cubic is fast at first and slow towards the end."),
            Mistake(_slow_start, "That is slow at first and fast at the end: turned round. It is 1 - (1 - t)³."),
            Mistake(_remaining, "That is the density. Asked for is the sparsity."),
            Mistake(
                lambda step, begin, end, final: _cubic(step, begin, end, 1) - 1 + final,
                "That begins below 0. `final` is a factor.",
            ),
            Mistake(_cubic_from_zero, "t goes from 0 at `begin` to 1 at `end`: (step - begin) / (end - begin)."),
            Mistake(
                lambda step, begin, end, final: 1 if step > end else _cubic(step, begin, end, final),
                "After `end` the sparsity stays at `final`, not at 1.",
            ),
            Mistake(
                lambda step, begin, end, final: min(_cubic_clipped_below(step, begin, end, final), 1),
                "Keep t within 0 and 1, not the result.",
            ),
            Mistake(
                lambda step, begin, end, final: 0 if step < begin else _cubic_from_zero(step, begin, end, final),
                "t is 0 at `begin`, not at step 0: (step - begin) / (end - begin).",
            ),
        ),
    ),
    Exercise(
        number="6.3",
        answer="global_masks",
        reference=_global,
        accept=_wrong_masks,
        cases=(
            ([np.array([[1.0, 4.0]]), np.array([[2.0], [3.0]])], 0.5),
            ([np.array([[0.5, -0.5], [0.5, 1.0]]), np.array([[-0.5], [2.0]])], 0.5),  # three of four that tie
            (_network([(3, 3), (1, 2)], seed=6), 0.6),  # of 11, 6.6
            (_network([(3, 4), (2, 3)], seed=5), 0.5),
            (_network([(2, 4), (3, 2), (1, 3), (2, 1)], seed=8), 0.0),
            (_network([(6, 8), (5, 6), (3, 5)], seed=7), 0.8),
            *((_network([(4, 5), (3, 4), (2, 3)], seed=10 * k), 0.15 + 0.2 * k) for k in range(1, 5)),
            (_network([(2, 2), (1, 2)], seed=9), 0.95),  # of 6, 5.7: all of them go
        ),
        mistakes=(
            Mistake(
                lambda matrices, sparsity: [_by_magnitude(W, sparsity) for W in matrices],
                "That cuts the same fraction of each matrix. Rank the weights of all of them together.",
            ),
            Mistake(
                _scaled_first,
                "That divides each matrix by its largest weight first. Compare the weights as they are.",
            ),
            Mistake(
                lambda matrices, sparsity: _by_magnitude(np.concatenate([W.ravel() for W in matrices]), sparsity),
                "That is one long mask. Cut it into pieces and give each the shape of its matrix.",
            ),
            Mistake(
                _cut_at_the_threshold,
                "A threshold taken from the ranking cuts all that tie with it, and where nothing is to be cut, the "
                "index -1 is the largest of all. Cut by place in the ranking.",
            ),
            Mistake(
                lambda matrices, sparsity: _cut_at_the_threshold(matrices, sparsity, np.quantile),
                "A quantile lies between two weights or on one: the count comes out wrong. Rank all and cut the first "
                "so many.",
            ),
            Mistake(
                lambda matrices, sparsity: _cut_at_the_threshold(matrices, sparsity, np.quantile, np.greater_equal),
                "With a quantile for a threshold the count comes out wrong. Rank all and cut the first so many.",
            ),
            Mistake(
                lambda matrices, sparsity: _global(matrices, sparsity, count=int),
                "`int` cuts off the fraction. Use `round`.",
            ),
            Mistake(
                lambda matrices, sparsity: _global(matrices, sparsity, count=math.ceil),
                "That rounds up. Use `round`, to the nearest whole number.",
            ),
            Mistake(
                lambda matrices, sparsity: _global(matrices, sparsity, use_sign=True),
                "That cuts the most negative weights. Small means small in magnitude: `np.abs`.",
            ),
            Mistake(
                lambda matrices, sparsity: _global(matrices, sparsity, keep_smallest=True),
                "That cuts the largest and keeps the smallest.",
            ),
            Mistake(
                lambda matrices, sparsity: [W * S for W, S in zip(matrices, _global(matrices, sparsity), strict=True)],
                "Those are the pruned matrices. Return the masks, zeros and ones.",
            ),
            Mistake(
                lambda matrices, sparsity: [1 - S for S in _global(matrices, sparsity)],
                "Zeros and ones are swapped: in a mask, 1 keeps.",
            ),
            Mistake(
                lambda matrices, sparsity: [S.ravel() for S in _global(matrices, sparsity)],
                "The pieces have lost their shapes: give each the shape of its matrix.",
            ),
            Mistake(_rounded_apart, "The number to cut is rounded once, for all matrices together."),
        ),
    ),
    Exercise(
        number="6.4",
        answer="levels",
        reference=[0.3, 0.75, 0.3],
        accept=_judge_levels,
        trains=True,
        praise=_praise,
        mistakes=(
            Mistake([0.6, 0.6, 0.6], "The same level everywhere leaves"),
            Mistake([0.5, 0.5, 0.5], "At least 60% must go: 9,000, 1,500 more."),
            Mistake([1.0, 0.5, 0.0], "three sparsities from 0 to below 1 are asked for."),
        ),
    ),
    Exercise(
        number="6.5",
        answer="amount",
        reference=lambda sparsity, calls: 1 - (1 - sparsity) ** (1 / calls),
        cases=((0.75, 2), (0.5, 1), (0.8, 5), (0.99, 10), (0.0, 3)),
        mistakes=(
            Mistake(
                lambda sparsity, calls: sparsity / calls,
                "Amounts do not add up: each is a fraction of what the calls before have left.",
            ),
            Mistake(
                lambda sparsity, calls: sparsity ** (1 / calls),
                "It is the density that multiplies from call to call, not the sparsity.",
            ),
            Mistake(
                lambda sparsity, calls: (1 - sparsity) ** (1 / calls),
                "That is the fraction that each call keeps. The amount is what it cuts.",
            ),
            Mistake(
                lambda sparsity, calls: 1 - (1 - sparsity) ** calls,
                "That is where `calls` calls with the amount `sparsity` lead. Asked for is the way back.",
            ),
            Mistake(lambda sparsity, calls: sparsity, "That is right for one call. Each further call cuts again."),
            Mistake(
                lambda sparsity, calls: -np.log(1 - sparsity) / calls, "That is an approximation for small amounts."
            ),
            Mistake(
                lambda sparsity, calls: 1 - np.sqrt(1 - sparsity),
                "That is right for two calls. What is it for `calls`?",
            ),
        ),
    ),
]

"""Exercises of lesson 02: what "sparse" means."""

import numpy as np

from sparsecourse import masks, measure
from sparsecourse.exercises.checking import Exercise, Mistake


def _sparse(shape, cut, seed):
    """A matrix of small whole numbers without a zero, then ``cut`` entries set to zero."""
    rng = np.random.default_rng(seed)
    W = rng.integers(1, 5, size=shape) * rng.choice([-1.0, 1.0], size=shape)
    W.ravel()[rng.choice(W.size, size=cut, replace=False)] = 0.0
    return W


def _cut_fraction(number, how):
    if how == "sparsity":
        return number
    if how == "kept":
        return 1 - number
    return 1 - 1 / number


def _overall(layers):
    zeros = sum(np.sum(W == 0) for W in layers)
    entries = sum(W.size for W in layers)
    return zeros / entries


def _near_zero(W, tau):
    rms = np.sqrt(np.mean(W**2))
    return np.mean(np.abs(W) < tau * rms)


# ------------------------------------------------------------------------- 2.5, a question with many right answers

SHAPE, ZEROS = (6, 10), 48  # 80 % of sixty weights


def _judge_wiring(S):
    """What is wrong with a wiring of 6 outputs and 10 inputs at 80 % sparsity, or None."""
    S = np.asarray(S)
    if S.shape != SHAPE:
        return f"has the shape {S.shape}, expected {SHAPE}: 6 outputs, 10 inputs."
    if not np.isin(S, (0, 1)).all():
        return "holds other numbers than 0 and 1."
    cut = int((S == 0).sum())
    if cut == S.size - ZEROS:
        return f"keeps {ZEROS} of 60 weights and cuts {cut}. Zeros and ones are swapped: in a mask, 1 keeps."
    if cut != ZEROS:
        return f"cuts {cut} of 60 weights, a sparsity of {cut / 60:.1%}. Exactly 80 % means {ZEROS} cut, 12 kept."
    if unused := measure.unused_inputs(S):
        return f"has the right sparsity, but nothing uses these inputs (columns, counted from 0): {unused}."
    if dead := measure.dead_outputs(S):
        return f"has the right sparsity, but these outputs (rows, counted from 0) hear nothing: {dead}."
    if len({tuple(row) for row in S.tolist()}) < len(S):
        return "has two outputs that hear the same inputs. Give each output a set of its own."
    return None


def _wiring():
    S = np.zeros(SHAPE, dtype=int)
    for step in range(12):
        S[step % 6, step % 10] = 1
    return S


def _only_some_columns():
    S = np.zeros(SHAPE, dtype=int)
    S[:, :2] = 1
    return S


def _diagonal_and_one_full_row():
    S = np.zeros(SHAPE, dtype=int)
    S[0] = 1
    S[1, 0] = S[2, 1] = 1
    return S


def _praise(S):
    fan_in = np.asarray(S).sum(axis=1)
    spread = f"{fan_in.min()}" if fan_in.min() == fan_in.max() else f"{fan_in.min()} to {fan_in.max()}"
    return f"Each of your outputs hears {spread} inputs."


EXERCISES = [
    Exercise(
        number="2.1",
        answer="sparsity",
        reference=lambda W: np.mean(W == 0),
        cases=(
            (np.array([[0.0, 2.0, -1.0, 3.0]]),),
            (_sparse((2, 3), 4, seed=1),),
            (_sparse((3, 3), 0, seed=2),),
            (_sparse((4, 5), 15, seed=3),),
            (np.array([[1e-9, 0.0], [0.0, -1e-9]]),),
            (np.array([[1e-300, 0.0, 0.0], [0.0, -1e-300, 0.0]]),),
            (np.zeros((2, 2)),),
        ),
        mistakes=(
            Mistake(
                lambda W: np.mean(W != 0),
                "That is the density, the fraction kept; sparsity is the fraction cut.",
            ),
            Mistake(
                lambda W: np.sum(W == 0),
                "That is the number of zeros. Divide it by the number of entries.",
            ),
            Mistake(
                lambda W: np.sum(W == 0) / len(W),
                "You divided by the number of rows: `len(W)` counts rows. `W.size` counts entries.",
            ),
            Mistake(
                lambda W: np.mean(np.abs(W) < 1e-6),
                "Numbers near zero were counted too. Only an exact zero saves anything.",
            ),
            Mistake(
                lambda W: np.mean(np.abs(W) < 1e-12),
                "Numbers very near zero were counted too. Only an exact zero, `W == 0`, saves anything.",
            ),
            Mistake(
                lambda W: np.count_nonzero(W),
                "That is how many entries are not zero. The question is which fraction is zero.",
            ),
            Mistake(
                lambda W: np.mean(W == 0, axis=1),
                "That is a fraction for every row. Give one for all entries together.",
            ),
            Mistake(
                lambda W: np.mean(W == 0, axis=0),
                "That is a fraction for every column. Give one for all entries together.",
            ),
            Mistake(lambda W: np.mean(W), "That is the mean of the entries themselves. Which of them are zero?"),
            Mistake(
                lambda W: np.sum(W == 0) / max(np.sum(W != 0), 1),
                "You divided by the number of entries that are not zero. Divide by the number of all entries.",
            ),
            Mistake(lambda W: np.mean(W <= 0), "Negative entries were counted too. Only `W == 0` is zero."),
            Mistake(
                lambda W: 100 * np.mean(W == 0),
                "That is in per cent. Give a fraction between 0 and 1.",
            ),
            Mistake(lambda W: np.mean(~W.any(axis=1)), "That counts rows that are zero as a whole. Count entries."),
            Mistake(
                lambda W: 1 - np.sign(W).mean(),
                "Negative entries count against the positive ones here. `W == 0` asks for zero alone.",
            ),
        ),
    ),
    Exercise(
        number="2.2",
        answer="cut_fraction",
        reference=_cut_fraction,
        cases=(
            (0.75, "sparsity"),
            (0.9, "kept"),
            (4, "compression"),
            (0.0825, "kept"),
            (12.5, "compression"),
            (3, "compression"),
            (0.1234, "sparsity"),
            (1.0, "compression"),
            (1.0, "kept"),
            (0.0, "sparsity"),
            (1.25, "compression"),
        ),
        mistakes=(
            Mistake(
                lambda number, how: number if how != "compression" else 1 - 1 / number,
                'With "kept", the number is the fraction that is left. The cut part is the rest.',
            ),
            Mistake(
                lambda number, how: {"sparsity": number, "kept": 1 - number, "compression": 1 / number}[how],
                "1 / compression is the density: compression 4 means that one weight in four is left.",
            ),
            Mistake(
                lambda number, how: number if how == "sparsity" else 1 - number,
                "Compression is a factor, not a fraction: with compression 4, a quarter is left.",
            ),
            Mistake(
                lambda number, how: number,
                "You return the number as it is, whatever `how` says. (`how == a or b` is always true: write "
                "`how == a or how == b`.)",
            ),
            Mistake(
                lambda number, how: {"sparsity": number, "kept": 1 - number, "compression": number}[how],
                "Compression 4 is a factor: one weight in four is left. What fraction is cut then?",
            ),
            Mistake(
                lambda number, how: {"sparsity": number, "kept": 1 / number, "compression": 1 - 1 / number}[how],
                'With "kept" 0.9, the cut part is the rest: 1 - 0.9.',
            ),
            Mistake(
                lambda number, how: number if how == "sparsity" else 100 - number,
                "The numbers are fractions, not per cent: kept 0.9 means that 0.1 is cut.",
            ),
            Mistake(
                lambda number, how: {"sparsity": 1 - number, "kept": number, "compression": 1 / number}[how],
                "Everything is reversed: you gave the fraction kept.",
            ),
            Mistake(
                lambda number, how: 1 - (1 / number if how == "compression" else number),
                'With "sparsity" the number is the answer already.',
            ),
            Mistake(
                lambda number, how: {"sparsity": number, "kept": 1 - number, "compression": 1 - number / 100}[how],
                "Compression is a factor, not per cent: with 4, one weight in four is left.",
            ),
            Mistake(
                lambda number, how: {"sparsity": number, "kept": 1 - number, "compression": 1 - 1 / int(number)}[how],
                "A compression need not be a whole number: leave it as it is.",
            ),
            Mistake(
                lambda number, how: {"sparsity": 1 - number, "kept": number, "compression": 1 - 1 / number}[how],
                "Cut and kept are mixed up. The question is which fraction is cut.",
            ),
        ),
    ),
    Exercise(
        number="2.3",
        answer="overall_sparsity",
        reference=_overall,
        cases=(
            ([_sparse((1, 2), 1, seed=4), _sparse((2, 5), 2, seed=5)],),
            ([_sparse((4, 6), 18, seed=6), _sparse((2, 4), 2, seed=7)],),
            ([np.array([[1e-300, 0.0], [1.0, -1e-9]]), np.array([[0.0, 2.0]])],),
            ([_sparse((3, 4), 5, seed=11)],),
            ([_sparse((3, 4), 2, seed=12), _sparse((5, 3), 9, seed=13), _sparse((4, 5), 7, seed=14)],),
            ([_sparse((10, 20), 190, seed=8), _sparse((5, 10), 25, seed=9), _sparse((2, 5), 0, seed=10)],),
        ),
        mistakes=(
            Mistake(
                lambda layers: np.mean([np.mean(W == 0) for W in layers]),
                "That is the average of the layers' sparsities. A small layer then weighs as much as a large one: "
                "add up the zeros and the entries first.",
            ),
            Mistake(
                lambda layers: sum(np.sum(W == 0) for W in layers),
                "That is the number of zeros. Divide it by the number of entries.",
            ),
            Mistake(
                lambda layers: sum(np.mean(W == 0) for W in layers),
                "Fractions of layers of different sizes can't be added. Add up the zeros and the entries, then divide.",
            ),
            Mistake(
                lambda layers: 1 - _overall(layers),
                "That is the overall density, the fraction kept.",
            ),
            Mistake(
                lambda layers: np.mean(layers[0] == 0),
                "Only the first layer was counted.",
            ),
            Mistake(
                lambda layers: np.mean(layers[-1] == 0),
                "Only the last layer is left: add up over the layers, with `+=`.",
            ),
            Mistake(
                lambda layers: max(np.mean(W == 0) for W in layers),
                "That is the sparsity of the sparsest layer. Add up the zeros and the entries of all layers.",
            ),
            Mistake(
                lambda layers: np.median([np.mean(W == 0) for W in layers]),
                "That is the median of the layers' sparsities. Add up the zeros and the entries first.",
            ),
            Mistake(
                lambda layers: sum(np.sum(np.abs(W) < 1e-6) for W in layers) / sum(W.size for W in layers),
                "Numbers near zero were counted too. Only an exact zero is one.",
            ),
            Mistake(
                lambda layers: sum(np.sum(W == 0) for W in layers) / sum(len(W) for W in layers),
                "You divided by the number of rows: `len(W)` counts rows, `W.size` entries.",
            ),
            Mistake(
                lambda layers: sum(np.sum(W == 0) for W in layers) / len(layers),
                "You divided by the number of layers. Divide by the number of all entries.",
            ),
            Mistake(lambda layers: [np.mean(W == 0) for W in layers], "That is one sparsity a layer, not one for all."),
            Mistake(
                lambda layers: np.average([np.mean(W == 0) for W in layers], weights=[len(W) for W in layers]),
                "You weigh the layers by their rows. Weigh them by their entries, `W.size`.",
            ),
            Mistake(
                lambda layers: 1 - np.prod([np.mean(W != 0) for W in layers]),
                "Densities of layers do not multiply here. Add up the zeros and the entries.",
            ),
        ),
    ),
    Exercise(
        number="2.4",
        answer="near_zero",
        reference=_near_zero,
        cases=(
            (np.array([[1.0, 0.1]]), 0.5),
            (np.array([[1.0, -0.3, 0.25, 4.0]]), 0.1),
            (np.array([[3.0, 0.3, 0.0], [-2.0, 0.1, -0.4]]), 0.2),
            (np.array([[4.0, 3.0, 2.2, 1.8, -1.0, 0.5]]), 1.0),
            (np.array([[2.0, -2.0], [-2.0, 2.0]]), 1.0),  # all of them exactly at the threshold
            (10 * np.array([[3.0, 0.3, 0.0], [-2.0, 0.1, -0.4]]), 0.2),
            (0.001 * np.array([[3.0, 0.3, 0.0], [-2.0, 0.1, -0.4]]), 0.2),
            *((np.random.default_rng(k).normal(0.3, 1, size=(4, 5)).round(2), 0.3 + 0.2 * k) for k in range(3)),
        ),
        mistakes=(
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau),
                "The threshold is absolute, so W and 10 W get different answers. Multiply tau by the RMS of W.",
            ),
            Mistake(
                lambda W, tau: np.mean(tau * np.sqrt(np.mean(np.square(W))) > W),
                "Negative weights count as small here. Compare magnitudes: `np.abs(W)`.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.max(np.abs(W))),
                "That threshold is relative to the largest weight. Take the root mean square.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.sqrt(np.sum(np.square(W)))),
                "You took the root of the sum of squares. The root mean square takes the mean of the squares.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.mean(np.square(W))),
                "That is the mean square: its root is missing.",
            ),
            Mistake(
                lambda W, tau: np.sum(np.abs(W) < tau * np.sqrt(np.mean(np.square(W)))),
                "That is how many entries are small. Divide by the number of entries.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.std(W)),
                "`np.std` takes the mean off first. The root mean square does not.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.mean(np.abs(W))),
                "That threshold is relative to the mean magnitude. Take the root mean square.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) > tau * np.sqrt(np.mean(np.square(W)))),
                "The comparison is reversed: those are the entries that are large.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < np.sqrt(np.mean(np.square(W)))),
                "`tau` is missing: multiply the root mean square by it.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.mean(W)),
                "That threshold is relative to the mean, where signs cancel. Take the root mean square.",
            ),
            Mistake(
                lambda W, tau: np.mean(W**2 < tau * np.mean(W**2)), "If you compare squares, tau must be squared, too."
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W) < tau * np.sqrt(np.mean(W**2, axis=1, keepdims=True))),
                "That takes a root mean square for each row. Take the one of the whole matrix.",
            ),
            Mistake(
                lambda W, tau: np.mean(np.abs(W[W != 0]) < tau * np.sqrt(np.mean(W[W != 0] ** 2))),
                "You left the exact zeros out. They are entries like the others.",
            ),
        ),
    ),
    Exercise(
        number="2.5",
        answer="wiring",
        reference=_wiring(),
        accept=_judge_wiring,
        praise=_praise,
        mistakes=(
            Mistake(_only_some_columns(), "nothing uses these inputs (columns, counted from 0): [2, 3, 4,"),
            Mistake(_diagonal_and_one_full_row(), "these outputs (rows, counted from 0) hear nothing: [3, 4, 5]."),
            Mistake(1 - _wiring(), "Zeros and ones are swapped: in a mask, 1 keeps."),
            Mistake(masks.random(SHAPE, 0.5, seed=0), "cuts 30 of 60 weights, a sparsity of 50.0%."),
        ),
    ),
]

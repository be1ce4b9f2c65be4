"""Exercises of lesson 07: fixed masks."""

import functools
import hashlib

import numpy as np
import pandas as pd

from sparsecourse import layers, masks, measure, methods, tasks, training
from sparsecourse.exercises.checking import Exercise, Mistake


def _windows(n_out, n_in, fan_in, start=None):
    start = start or (lambda i: round(i * (n_in - fan_in) / (n_out - 1)))
    S = np.zeros((n_out, n_in), dtype=int)
    for i in range(n_out):
        S[i, start(i) : start(i) + fan_in] = 1
    return S


def _windows_around_the_end(n_out, n_in, fan_in):
    S = np.zeros((n_out, n_in), dtype=int)
    for i in range(n_out):
        S[i, (round(i * n_in / n_out) + np.arange(fan_in)) % n_in] = 1
    return S


def _growth(S):
    left = S.sum(axis=1)
    return np.where(left > 0, np.sqrt(S.shape[1] / np.maximum(left, 1)), 1.0)


def _growth_of_columns(S):
    kept = np.asarray(S).sum(axis=0)
    return np.sqrt(np.shape(S)[0] / np.maximum(kept, 1)) * (kept > 0) + (kept == 0)


def _erk_kept(shapes, total):
    sums = [n_out + n_in for n_out, n_in in shapes]
    return [total * s / sum(sums) for s in sums]


def _kept(shapes, total, share=sum):
    shares = np.array([share(shape) for shape in shapes], dtype=float)
    return (total * shares / shares.sum()).tolist()


def _is_fair(S, R):
    fan_ins = (S.sum(axis=1) == R.sum(axis=1)).all()
    fan_outs = (S.sum(axis=0) == R.sum(axis=0)).all()
    return bool(fan_ins and fan_outs)


_SQUARE = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
_PAIRS = (
    (_SQUARE, np.array([[1, 1, 0], [0, 0, 1], [0, 1, 0]])),  # the same fan-ins and fan-outs
    (_SQUARE, np.array([[1, 0, 0], [0, 1, 1], [0, 1, 0]])),  # rows in another order
    (_SQUARE, np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])),  # columns in another order
    (_SQUARE, np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]])),  # fan-ins the same, fan-outs not
    (_SQUARE, np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1]])),  # fan-outs the same, fan-ins not
    (_SQUARE, np.array([[1, 1, 1], [0, 1, 0], [0, 0, 0]])),  # the same, and one output is left without inputs
    (_SQUARE, np.array([[0, 1, 0], [1, 0, 1], [0, 0, 1]])),  # neither the same, but the same numbers in another order
    (_SQUARE, np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0]])),  # neither, and other numbers
    (_SQUARE, np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])),  # one connection is missing
    (_SQUARE, _SQUARE),  # a mask keeps what it keeps
    (_SQUARE, _SQUARE.T),
    (masks.random((6, 8), 0.6, seed=1), masks.rewired(masks.random((6, 8), 0.6, seed=1), seed=2)),
)


# --------------------------------------------------------------- 7.5, a question with many right answers: a wiring

SIZES, STEPS, SEEDS = (40, 100, 100, 10), 800, range(3)
SHAPES = masks.layer_shapes(SIZES)
BUDGET = 1500  # a tenth of all weights
JUDGED = 2000  # fresh examples
MARGIN = 0.05  # accuracy by which the random masks must be beaten


def references():
    """{name: masks} of what a wiring is compared with: random and local with the same budget, and the dense network."""
    return {
        "random": [masks.random(shape, 0.9, seed=layer) for layer, shape in enumerate(SHAPES)],
        "local": masks.wiring("local", SIZES, 0.9, seed=0),
        "dense": [np.ones(shape, dtype=int) for shape in SHAPES],
    }


def _train(wirings):
    """Networks with each of the wirings, one a seed, trained together on the training part: [[networks], ...]."""
    plan = [(seed, methods.Fixed(S)) for S in wirings for seed in SEEDS]
    networks = [layers.mlp(SIZES, seed) for seed, _ in plan]
    chosen, seeds = [method for _, method in plan], [seed for seed, _ in plan]
    trained = training.train(networks, tasks.mnist1d(), chosen, seeds=seeds, steps=STEPS).networks
    return [trained[k : k + len(SEEDS)] for k in range(0, len(trained), len(SEEDS))]


@functools.cache
def _trained_references():
    """{name: networks} of the references."""
    return dict(zip(references(), _train(references().values()), strict=True))


@functools.lru_cache(maxsize=20)
def _trained(key):
    """Networks with the masks that lie packed in the key."""
    return _train([_unpacked(key)])[0]


def _packed(S):
    return b"".join(np.packbits(np.asarray(mask, dtype=bool)).tobytes() for mask in S)


def _unpacked(key):
    bits = np.unpackbits(np.frombuffer(key, dtype=np.uint8)).astype(int)
    pieces = np.split(bits, np.cumsum([n_out * n_in for n_out, n_in in SHAPES]))
    return [piece.reshape(shape) for piece, shape in zip(pieces, SHAPES, strict=False)]


def standing(network=None):
    """Accuracy of a wiring among the references, on examples that nobody has seen: they are drawn for this wiring.

    Args:
        network: masks of the three layers, or None for the references alone.

    Returns:
        A data frame with a row a network: wiring, kept, seed, accuracy.
    """
    key = b"" if network is None else _packed(network)
    fresh = tasks.fresh_mnist1d(JUDGED, seed=int.from_bytes(hashlib.sha256(key).digest()[:4], "big"))
    wirings, trained = references(), dict(_trained_references())
    if network is not None:
        wirings, trained = {"yours": network, **wirings}, {"yours": _trained(key), **trained}
    rows = []
    for name, S in wirings.items():
        kept = int(sum(np.sum(mask) for mask in S))
        rows += [
            (name, kept, seed, number)
            for seed, number in zip(SEEDS, training.evaluate(trained[name], fresh), strict=True)
        ]
    return pd.DataFrame(rows, columns=["wiring", "kept", "seed", "accuracy"])


def follows_the_rules(network):
    """Whether an answer is a wiring within the budget that :func:`standing` can train."""
    try:
        return _broken_rule(network) is None
    except Exception:  # whatever it is, it is no wiring
        return False


def _broken_rule(network):
    """Which rule of the exercise a wiring breaks, or None."""
    network = [np.asarray(S) for S in network]
    shapes = [S.shape for S in network]
    if shapes != SHAPES:
        return f"has masks of the shapes {', '.join(map(str, shapes))}; (100, 40), (100, 100) and (10, 100) are needed."
    if not all(np.isin(S, (0, 1)).all() for S in network):
        return "holds other numbers than 0 and 1."
    kept = int(sum(S.sum() for S in network))
    if kept > BUDGET:
        return f"keeps {kept:,} weights. The budget is {BUDGET:,}."
    if not measure.paths(network).any():
        return f"keeps {kept:,} weights, but no path leads from an input to an output."
    return None


def _judge(network):
    """What is wrong with a wiring, or None."""
    if broken := _broken_rule(network):
        return broken
    means = standing(network).groupby("wiring")["accuracy"].mean()
    if means["yours"] >= means["random"] + MARGIN:
        return None
    kept = int(sum(np.sum(S) for S in network))
    idle = kept - int(sum(S.sum() for S in measure.effective(network)))
    waste = f" {idle:,} of its weights lie on no path from an input to an output." if idle else ""
    return (
        f"reaches {means['yours']:.1%} with {kept:,} weights. Random masks with {BUDGET:,} reach "
        f"{means['random']:.1%}: beat them by {100 * MARGIN:.0f} points.{waste}"
    )


def _praise(network):
    means = standing(network).groupby("wiring")["accuracy"].mean()
    kept = int(sum(np.sum(S) for S in network))
    others = ", ".join(f"{name} {means[name]:.1%}" for name in ("random", "local", "dense"))
    return f"{means['yours']:.1%} with {kept:,} weights. For comparison: {others}."


def _narrow():
    """Few hidden units, each of them well connected, in the corner of the wide network; the others stay idle."""
    S = [np.zeros(shape, dtype=int) for shape in SHAPES]
    S[0][:60] = masks.local((60, 40), 8)
    S[1][:30, :60] = masks.local((30, 60), 24)
    S[2][:, :30] = 1
    return S


EXERCISES = [
    Exercise(
        number="7.1",
        answer="growth",
        reference=_growth,
        cases=(
            (np.array([[1, 0, 0, 0]]),),
            (np.array([[1, 1, 0, 0], [1, 1, 1, 1]]),),
            (np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0]]),),
            (masks.random((5, 12), 0.7, seed=1),),
        ),
        mistakes=(
            Mistake(
                lambda S: _growth(S) ** 2,  # with the guard that the hint recommends
                "The spread of a sum grows with the square root of the number of its terms: a root is missing.",
            ),
            Mistake(lambda S: 1 / _growth(S), "That makes the weights smaller still: turn the fraction round."),
            Mistake(
                _growth_of_columns,
                "That counts the outputs of each input. Count the inputs of each output: the ones in its row.",
            ),
            Mistake(
                lambda S: np.full(len(S), np.sqrt(S.size / S.sum())),
                "That is one factor for the whole layer, from its density. Each output has its own number of inputs.",
            ),
            Mistake(
                lambda S: np.sqrt(S.shape[1] / np.maximum(S.sum(axis=1), 1)),
                "An output without inputs has nothing to grow: its factor is 1.",
            ),
            Mistake(
                lambda S: np.sqrt(
                    np.divide(S.shape[1], S.sum(axis=1), out=np.full(len(S), np.inf), where=S.any(axis=1))
                ),
                "It divides by zero where an output has no inputs. There the factor is 1.",
            ),
        ),
    ),
    Exercise(
        number="7.2",
        answer="erk_kept",
        reference=_erk_kept,
        cases=(
            ([(3, 5)], 6),
            ([(4, 8), (2, 4)], 9),
            ([(100, 40), (100, 100), (10, 100)], 750),
            ([(300, 784), (100, 300), (10, 100)], 13310),
        ),
        mistakes=(
            Mistake(
                lambda shapes, total: _kept(shapes, total, share=np.prod),
                "That is uniform: shares in proportion to the number of weights. ERK counts units, out + in.",
            ),
            Mistake(
                lambda shapes, total: [total / len(shapes) for _ in shapes],
                "That gives every layer the same number. The share grows with out + in.",
            ),
            Mistake(
                lambda shapes, total: [
                    kept / (n_out * n_in) for kept, (n_out, n_in) in zip(_kept(shapes, total), shapes, strict=True)
                ],
                "Those are the densities. Asked for are the numbers of weights.",
            ),
            Mistake(
                lambda shapes, total: _kept(shapes, 1),
                "Those are the shares. Multiply them by the total.",
            ),
            Mistake(
                lambda shapes, total: _kept(shapes, total, share=lambda shape: sum(shape) / np.prod(shape)),
                "(out + in) / (out × in) is proportional to the density. The number of weights is density × size.",
            ),
            Mistake(
                lambda shapes, total: [
                    total * sum(shape) / (shapes[0][1] + sum(n_out for n_out, _ in shapes)) for shape in shapes
                ],
                "Hidden units count in both their layers: divide by the sum of out + in over all layers.",
            ),
            Mistake(
                lambda shapes, total: [total for _ in shapes],
                "Every layer got the whole total. Divide by the sum over all layers.",
            ),
        ),
    ),
    Exercise(
        number="7.3",
        answer="windows",
        reference=_windows,
        cases=((2, 4, 2), (3, 9, 3), (4, 6, 3), (5, 5, 5), (3, 8, 3), (12, 40, 8)),  # of 3, 8, 3 a start of 2.5
        mistakes=(
            Mistake(
                lambda n_out, n_in, fan_in: (
                    _windows(n_in, n_out, fan_in) if n_out >= fan_in else _windows(n_out, n_in, 1)
                ),
                "Rows and columns are swapped: the mask has a row for every output.",
            ),
            Mistake(
                lambda n_out, n_in, fan_in: _windows(n_out, n_in, fan_in, start=lambda i: i),
                "Those windows move on by one input for each output. They should spread over all inputs.",
            ),
            Mistake(
                lambda n_out, n_in, fan_in: _windows(
                    n_out, n_in, fan_in, start=lambda i: i * (n_in - fan_in) // (n_out - 1)
                ),
                "The fraction is cut off, as `//` and `int` do. Use `round`.",
            ),
            Mistake(
                lambda n_out, n_in, fan_in: _windows(n_out, n_in, fan_in, start=lambda i: round(i * n_in / n_out)),
                "The last windows run out of inputs. The last start is n_in - fan_in.",
            ),
            Mistake(
                lambda n_out, n_in, fan_in: _windows(
                    n_out, n_in, fan_in, start=lambda i: i * round((n_in - fan_in) / (n_out - 1))
                ),
                "Round each start, not the step from one to the next: its error adds up.",
            ),
            Mistake(
                lambda n_out, n_in, fan_in: _windows(n_out, n_in, fan_in, start=lambda i: i * fan_in),
                "Those windows lie side by side. They should spread evenly over all inputs.",
            ),
            Mistake(_windows_around_the_end, "The windows go round the end. The last one must end at the last input."),
        ),
    ),
    Exercise(
        number="7.4",
        answer="is_fair",
        reference=_is_fair,
        cases=_PAIRS,
        mistakes=(
            Mistake(
                lambda S, R: bool(S.sum() == R.sum()),
                "That compares the number of connections in all. Each unit must keep its own.",
            ),
            Mistake(
                lambda S, R: bool((S.sum(axis=1) == R.sum(axis=1)).all()),
                "That compares the fan-ins alone. The columns count too.",
            ),
            Mistake(
                lambda S, R: bool((S.sum(axis=0) == R.sum(axis=0)).all()),
                "That compares the fan-outs alone. The rows count too.",
            ),
            Mistake(
                lambda S, R: all(sorted(S.sum(axis=k)) == sorted(R.sum(axis=k)) for k in (0, 1)),
                "That allows units to trade places: the same numbers, but for other units.",
            ),
            Mistake(
                lambda S, R: bool((S == R).all()),
                "That asks for the same mask. A null model has other partners.",
            ),
            Mistake(
                lambda S, R: _is_fair(S, R) and bool((S != R).any()),
                "You refuse the same mask. It keeps every fan-in and fan-out, and that is all that is asked here.",
            ),
            Mistake(
                lambda S, R: bool((S.sum(axis=0) == R.sum(axis=1)).all() and (S.sum(axis=1) == R.sum(axis=0)).all()),
                "The axes are swapped: the rows of one mask are compared with the columns of the other.",
            ),
            Mistake(
                lambda S, R: bool((S.sum(axis=0) == R.sum(axis=0)).all() or (S.sum(axis=1) == R.sum(axis=1)).all()),
                "One of the two is not enough: fan-ins and fan-outs must both agree.",
            ),
        ),
    ),
    Exercise(
        number="7.5",
        answer="wiring",
        reference=_narrow(),
        accept=_judge,
        trains=True,
        praise=_praise,
        mistakes=(
            Mistake(references()["dense"], "keeps 15,000 weights. The budget is 1,500."),
            Mistake([np.zeros(shape, dtype=int) for shape in SHAPES], "no path leads from an input to an output."),
            Mistake(references()["random"], "beat them by 5 points."),
            Mistake([S.T for S in references()["random"]], "(100, 40), (100, 100) and (10, 100) are needed."),
        ),
    ),
]

"""Exercises of lesson 01: one layer, y = Wx."""

import numpy as np

from sparsecourse.exercises.checking import Exercise, Mistake


def _layer(n_out, n_in, n_examples=None, seed=0):
    """A weight matrix and one input, or a batch of them, of whole numbers that are easy to check by hand."""
    rng = np.random.default_rng(seed)
    W = rng.integers(-3, 4, size=(n_out, n_in)).astype(float)
    shape = n_in if n_examples is None else (n_examples, n_in)
    return W, rng.integers(-3, 4, size=shape).astype(float)


def _matvec(W, x):
    y = []
    for row in W:
        total = 0.0
        for weight, value in zip(row, x, strict=True):
            total += weight * value
        y.append(total)
    return y


def _batch_case(*shape, seed):
    W, X = _layer(*shape, seed=seed)
    return X, W


def _count(sizes):
    weights = sum(n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=False))  # noqa: RUF007 as learners do
    return weights + sum(sizes[1:]), weights


# The diagram that exercise 1.4 asks to read; the lesson draws it.
DIAGRAM = np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 1.0]])


def _judge_reading(W):
    """What is wrong with what was read off the diagram, or None; the numbers themselves are not given away."""
    W = np.asarray(W)
    if W.dtype.kind not in "iuf":
        return "holds other things than numbers."
    if W.shape != DIAGRAM.shape:
        return f"has the shape {W.shape}. Two outputs hear three inputs: two rows of three numbers."
    if np.array_equal(W, DIAGRAM):
        return None
    i, j = np.argwhere(W != DIAGRAM)[0]
    wrong = f"holds {W[i, j]:g} in row {i}, column {j}"
    if DIAGRAM[i, j] == 0:
        return f"{wrong}, but no line leads from input {j + 1} to output {i + 1}. An absent line is a weight of 0."
    return f"{wrong}. That is the line from input {j + 1} to output {i + 1}: which number stands on it?"


EXERCISES = [
    Exercise(
        number="1.1",
        answer="matvec",
        reference=_matvec,
        cases=(
            (np.array([[1.0, 2.0]]), np.array([3.0, 4.0])),
            _layer(2, 3, seed=1),
            _layer(3, 3, seed=2),
            _layer(5, 2, seed=3),
            _layer(4, 4, seed=4),
            (np.array([[0.5, -1.25, 0.3], [2.0, 0.125, -0.7]]), np.array([0.75, 0.25, -1.5])),
        ),
        mistakes=(
            Mistake(
                lambda W, x: W * x,
                "Those are the single terms. An output is the sum of its row of terms.",
            ),
            Mistake(
                lambda W, x: (W * x).ravel(),
                "Those are the single terms in one long list. An output is the sum of its row of terms.",
            ),
            Mistake(
                lambda W, x: W.T @ x,
                "W is the other way round: a row belongs to an output, so take it as it is, not transposed.",
            ),
            Mistake(
                lambda W, x: np.asarray([value for value in x]),
                "Those are the inputs. An output is the sum of its row of W times the inputs.",
            ),
            Mistake(
                lambda W, x: W.sum(axis=1),
                "Those are the sums of the weights alone. Multiply each weight by its input first.",
            ),
            Mistake(
                lambda W, x: np.full(len(W), (W @ x)[0]),
                "Every output got the sum of the first row. Each output has a row of its own.",
            ),
            Mistake(
                lambda W, x: np.cumsum(W @ x),
                "The sum goes on from one output to the next. Set it back to zero for each row.",
            ),
            Mistake(
                lambda W, x: (W @ x)[0],
                "That is the first output alone. Collect the outputs in a list, one for each row, and return the list.",
            ),
            Mistake(
                lambda W, x: (W @ x)[:1],
                "Only the first output is there. `return` stands inside the loop and ends it: move it to the left.",
            ),
            Mistake(
                lambda W, x: (W @ x).sum(),
                "That is one sum over everything. Start a new sum for each row.",
            ),
            Mistake(
                lambda W, x: (W * x)[:, -1],
                "Only the last term of each row is left: add to the sum instead of replacing it.",
            ),
            Mistake(
                lambda W, x: (W * x).sum(axis=0),
                "That adds up over the outputs. An output is the sum over the inputs, along its row.",
            ),
            Mistake(lambda W, x: (W * x).mean(axis=1), "That is the mean of the terms. An output is their sum."),
            Mistake(
                lambda W, x: np.cumsum(W * x, axis=1).ravel(),
                "Every step of the sum is in the list. Append after the inner loop, not in it.",
            ),
            Mistake(
                lambda W, x: W.T @ np.resize(x, len(W)),
                "That goes down the columns. An output belongs to a row: go along the row.",
            ),
        ),
    ),
    Exercise(
        number="1.2",
        answer="batch",
        reference=lambda X, W: X @ W.T,
        cases=(
            _batch_case(2, 3, 1, seed=5),
            _batch_case(2, 3, 4, seed=6),
            _batch_case(3, 3, 3, seed=7),
            _batch_case(5, 2, 7, seed=8),
            (np.array([[0.5, -1.25], [2.0, 0.125], [0.3, 0.7]]), np.array([[0.75, 0.25], [-1.5, 0.375]])),
            _batch_case(4, 4, 4, seed=9),
        ),
        mistakes=(
            Mistake(
                lambda X, W: W @ X.T,
                "The numbers are right, but the examples stand in columns. Examples belong in rows: transpose.",
            ),
            Mistake(
                lambda X, W: W @ X,
                "W x is for one example. In a batch the examples stand in rows, on the left: X times W transposed.",
            ),
            Mistake(
                lambda X, W: X @ W,
                "W must be transposed: the columns of X are inputs, so the other matrix needs inputs as rows.",
            ),
            Mistake(
                lambda X, W: X * W,
                "`*` multiplies entry by entry. The matrix product is `@`.",
            ),
            Mistake(
                lambda X, W: X @ W[0],
                "That is only the first output of each example.",
            ),
            Mistake(
                lambda X, W: (X @ W.T)[:1],
                "That is only the first example of the batch.",
            ),
            Mistake(
                lambda X, W: X @ W.reshape(W.shape[1], W.shape[0]),
                "`reshape` puts the numbers into other places. Transpose instead: `W.T`.",
            ),
            Mistake(
                lambda X, W: (W @ X.T).reshape(len(X), len(W)),
                "`reshape` puts the numbers into other places. Transpose the result instead: `.T`.",
            ),
            Mistake(
                lambda X, W: X @ W if X.shape[1] == W.shape[0] else X @ W.T,
                "Where W is square, X @ W exists too, but it is another product. Always transpose.",
            ),
            Mistake(lambda X, W: np.array([W @ X[0] for _ in X]), "Every example got the outputs of the first one."),
            Mistake(lambda X, W: X @ W.T / X.shape[1], "That is the mean of the terms. An output is their sum."),
        ),
    ),
    Exercise(
        number="1.3",
        answer="count",
        reference=_count,
        cases=(((2, 1),), ((3, 2),), ((4, 3, 2),), ((784, 300, 100, 10),)),
        mistakes=(
            Mistake(
                lambda sizes: (_count(sizes)[1], _count(sizes)[1]),
                "The biases are missing from the parameters: each output has one.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[0], _count(sizes)[0]),
                "A bias costs an addition and no multiplication: count one multiply-add for each weight.",
            ),
            Mistake(
                lambda sizes: _count(sizes)[0],
                "That is the number of parameters alone. Return two numbers: parameters, then multiply-adds.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[1] + len(sizes) - 1, _count(sizes)[1]),
                "You counted one bias a layer. Every output of a layer has one of its own.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[1], sum(sizes[1:])),
                "Those are the weights and the biases. Their sum is the parameters; multiply-adds come second.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[1] + sum(sizes), _count(sizes)[1]),
                "The inputs got biases too. Only units that compute something have one.",
            ),
            Mistake(
                lambda sizes: _count(sizes)[::-1],
                "The two numbers are in the other order: parameters first, then multiply-adds.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[0], 2 * _count(sizes)[1]),
                "A multiplication together with its addition counts as one multiply-add, not two.",
            ),
            Mistake(
                lambda sizes: (int(np.prod(sizes)) + sum(sizes[1:]), int(np.prod(sizes))),
                "You multiplied all the sizes. Every two neighbours make a matrix: multiply those two, then add up.",
            ),
            Mistake(
                lambda sizes: (_count(sizes)[1] + sum(sizes[1:-1]), _count(sizes)[1]),
                "The outputs of the last layer have biases, too.",
            ),
        ),
    ),
    Exercise(
        number="1.4",
        answer="W_read",
        reference=DIAGRAM,
        accept=_judge_reading,
        mistakes=(
            Mistake(
                DIAGRAM.T,
                "Rows and columns are swapped: a row belongs to an output, a column to an input.",
            ),
            Mistake(
                DIAGRAM[::-1],
                "The outputs are in the other order: the top output is the first row.",
            ),
            Mistake(
                -DIAGRAM,
                "Every sign is reversed.",
            ),
            Mistake(
                np.array([[2.0, -1.0, 0.0], [3.0, 1.0, 0.0]]),
                "The numbers are pushed to the left. Where no line is, write 0 in that input's place.",
            ),
            Mistake(
                np.abs(DIAGRAM),
                "A sign is lost: one number on the lines is negative.",
            ),
        ),
    ),
]

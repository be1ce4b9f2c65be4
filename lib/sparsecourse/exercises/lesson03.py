"""Exercises of lesson 03: why sparse?"""

import functools

import numpy as np

from sparsecourse import masks, measure
from sparsecourse.exercises.checking import Exercise, Mistake


def _csr(W):
    """The three lists of a matrix: values, columns, starts."""
    rows, columns = np.nonzero(W)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(W)))])
    return W[rows, columns].tolist(), columns.tolist(), starts.tolist()


def _matrix(shape, sparsity, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 6, size=shape) * masks.random(shape, sparsity, seed).astype(float)


def _product_case(shape, sparsity, seed):
    x = np.random.default_rng(seed + 100).integers(-3, 4, size=shape[1]).astype(float)
    return (*_csr(_matrix(shape, sparsity, seed)), x)


def _product(values, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i], starts[i + 1]):
            y[i] += values[k] * x[columns[k]]
    return y


def _product_with(first, last):
    """The product with other places where each row begins and ends, functions of the starts and the row."""

    def product(values, columns, starts, x):
        y = np.zeros(len(starts) - 1)
        for i in range(len(y)):
            for k in range(first(starts, i), last(starts, i)):
                y[i] += values[k] * x[columns[k]]
        return y

    return product


def _product_with_a_place_too_many(values, columns, starts, x):
    return np.append(_product(values, columns, starts, x), 0)


def _product_transposed(values, columns, starts, x):
    y = np.zeros(len(x))
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            y[columns[k]] += values[k] * x[min(i, len(x) - 1)]
    return y


def _product_of_filled_rows(values, columns, starts, x):
    y = _product(values, columns, starts, x)
    return y[np.diff(starts) > 0]


def _product_without_columns(values, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i], starts[i + 1]):
            y[i] += values[k] * x[k - starts[i]]
    return y


def _product_without_the_column_list(values, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i], starts[i + 1]):
            y[i] += values[k] * x[k]
    return y


def _product_of_the_last_value(values, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i], starts[i + 1]):
            y[i] = values[k] * x[columns[k]]
    return y


def _product_with_restarting_values(values, columns, starts, x):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        for k in range(starts[i + 1] - starts[i]):
            y[i] += values[k] * x[columns[k]]
    return y


def _paths(layers):
    ways = layers[0]
    for S in layers[1:]:
        ways = S @ ways
    return ways


def _paths_through_three_at_most(layers):
    return _paths(layers[:3])


def _paths_in_reverse(layers):
    result = layers[0]
    for S in layers[1:]:
        result = result @ S
    return result


# ------------------------------------------------------------------------- 3.4, a question with many right answers

SHAPES, WEIGHTS = ((6, 8), (3, 6)), 24


def _judge_network(network):
    """What is wrong with a wiring 8 to 6 to 3 of 24 weights, or None."""
    network = [np.asarray(S) for S in network]
    shapes = tuple(S.shape for S in network)
    if shapes != SHAPES:
        return f"has masks of the shapes {shapes}, expected {SHAPES}: first (6, 8), then (3, 6)."
    if not all(np.isin(S, (0, 1)).all() for S in network):
        return "holds other numbers than 0 and 1."
    total = int(sum(S.sum() for S in network))
    if total != WEIGHTS:
        return f"keeps {total} weights, {int(network[0].sum())} and {int(network[1].sum())}. Exactly 24 are asked for."
    useful = int(sum(S.sum() for S in measure.effective(network)))
    if useful < total:
        return f"has 24 weights, but {total - useful} of them lead nowhere: a hidden unit lacks inputs or outputs."
    missing = int((measure.paths(network) == 0).sum())
    if missing:
        return f"has 24 useful weights, but {missing} of the 24 pairs of input and output have no path."
    return None


def _network():
    first, second = np.zeros((6, 8), dtype=int), np.zeros((3, 6), dtype=int)
    first[0, :4] = first[1, 4:] = first[2, :7] = 1
    second[:, :3] = 1
    return [first, second]


def _one_relay():
    first, second = np.zeros((6, 8), dtype=int), np.zeros((3, 6), dtype=int)
    first[0], second[:, 0] = 1, 1
    first[1], second[0, 1] = 1, 1
    first[2, :4] = 1
    return [first, second]


def _one_input_each():
    first, second = np.zeros((6, 8), dtype=int), np.ones((3, 6), dtype=int)
    for k in range(6):
        first[k, k] = 1
    return [first, second]


def _praise(network):
    ways = measure.paths(network)
    return f"Between an input and an output lie {ways.min()} to {ways.max()} paths, {ways.sum()} in all."


EXERCISES = [
    Exercise(
        number="3.1",
        answer="csr_product",
        reference=_product,
        cases=(
            ([2.0], [1], [0, 1], np.array([1.0, 3.0])),
            _product_case((2, 4), 0.5, seed=1),
            _product_case((3, 3), 0.0, seed=2),
            _product_case((6, 8), 0.8, seed=3),
            _product_case((5, 9), 0.95, seed=4),
            ([0.5, -1.25, 0.3], [1, 0, 2], [0, 1, 1, 3], np.array([0.75, 0.25, -1.5])),
        ),
        mistakes=(
            Mistake(
                _product_without_columns,
                "The k-th value of a row does not belong to the k-th input: `columns[k]` says to which.",
            ),
            Mistake(
                _product_without_the_column_list,
                "`x[k]` takes the k-th input. The input that belongs to the k-th value is `x[columns[k]]`.",
            ),
            Mistake(
                _product_of_the_last_value,
                "Each term replaces the one before: add them up with `+=`.",
            ),
            Mistake(
                _product_with_restarting_values,
                "Row i begins at `starts[i]`, but every row here takes the first values again.",
            ),
            Mistake(
                _product_with(lambda starts, i: starts[i], lambda starts, i: starts[i + 1] - 1),
                "The last value of each row is missing: `range(a, b)` already ends before b.",
            ),
            Mistake(
                _product_with(lambda starts, i: starts[0], lambda starts, i: starts[i + 1]),
                "Each row also adds up all the rows before it: begin at `starts[i]`.",
            ),
            Mistake(
                _product_with(lambda starts, i: starts[i], lambda starts, i: starts[i + 1] + 1),
                "Each row takes one value too many: `range(a, b)` ends before b, row i before `starts[i + 1]`.",
            ),
            Mistake(
                _product_of_filled_rows,
                "Rows without weights are left out. Their output is 0, and it must stand in its place.",
            ),
            Mistake(
                lambda values, columns, starts, x: [
                    sum(values[starts[i] : starts[i + 1]]) for i in range(len(starts) - 1)
                ],
                "The inputs are missing: each value is multiplied by `x[columns[k]]`.",
            ),
            Mistake(
                lambda values, columns, starts, x: _product(values, columns, starts, x).sum(),
                "That is one sum over everything. Each row has an output of its own.",
            ),
            Mistake(
                _product_with_a_place_too_many,
                "There is one output for each row, and one start more than there are rows.",
            ),
            Mistake(
                _product_transposed,
                "Rows and columns are mixed up: `columns[k]` says which input a value is multiplied by.",
            ),
        ),
    ),
    Exercise(
        number="3.2",
        answer="csr_bytes",
        reference=lambda n_out, n_in, kept: 4 * (kept + kept + n_out + 1),
        cases=((1, 2, 1), (6, 8, 12), (300, 784, 18816), (10, 100, 0), (100, 300, 30000)),
        mistakes=(
            Mistake(
                lambda n_out, n_in, kept: 4 * kept,
                "Those are the values alone. Each one needs its column too, and each row its start.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 8 * kept,
                "The starts are missing: one a row, and one more for the end.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 8 * kept + 4 * n_out,
                "There is one start more than there are rows: the last one says where the last row ends.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 2 * kept + n_out + 1,
                "That is how many numbers are stored. Each takes 4 bytes.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 8 * kept + 4 * (n_in + 1),
                "The starts belong to the rows, and rows are outputs.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 8 * kept + n_out + 1,
                "The starts take 4 bytes each, too.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 4 * kept + kept + n_out + 1,
                "Only the values are counted with 4 bytes. Columns and starts take as many each.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 4 * (kept + n_out + 1),
                "The columns are missing: each value needs its own.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 4 * n_out * n_in,
                "That is the dense matrix. CSR stores the kept weights, their columns and the starts.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 4 * (kept + n_in + n_out + 1),
                "There is a column for each kept weight, not for each input.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 16 * kept + 8 * (n_out + 1),
                "Each number takes 4 bytes here, not 8.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 12 * kept,
                "That stores the row of every value. CSR stores one start a row instead.",
            ),
            Mistake(lambda n_out, n_in, kept: 4 * (2 * kept + n_out) + 1, "The last start takes 4 bytes, too."),
            Mistake(
                lambda n_out, n_in, kept: min(4 * n_out * n_in, 4 * (2 * kept + n_out + 1)),
                "CSR may take more than the dense matrix. Count what it takes.",
            ),
            Mistake(
                lambda n_out, n_in, kept: 4 * (2 * kept + min(kept, n_out) + 1),
                "A row without weights has a start, too.",
            ),
        ),
    ),
    Exercise(
        number="3.3",
        answer="paths",
        reference=_paths,
        cases=(
            ([np.array([[1, 0], [1, 1]])],),
            ([np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]])],),
            ([masks.random((5, 5), 0.4, seed=1), masks.random((5, 5), 0.4, seed=2)],),
            (
                [
                    masks.random((4, 6), 0.4, seed=3),
                    masks.random((3, 4), 0.3, seed=4),
                    masks.random((2, 3), 0.2, seed=5),
                ],
            ),
            ([masks.random((4, 4), 0.3, seed=seed) for seed in range(6, 10)],),
            ([masks.random((3, 3), 0.2, seed=seed) for seed in range(10, 15)],),
            ([np.ones((12, 12), dtype=int)] * 4,),
        ),
        mistakes=(
            Mistake(
                _paths_in_reverse,
                "The order is reversed. The first layer acts first, so it stands rightmost: S2 @ S1.",
            ),
            Mistake(
                lambda layers: (_paths(layers) > 0).astype(int),
                "That says whether there is a path. How many are there?",
            ),
            Mistake(
                lambda layers: _paths(layers).T,
                "Rows and columns are swapped: rows are outputs, columns are inputs.",
            ),
            Mistake(
                lambda layers: _paths(layers).sum(),
                "That is the number of all paths together. Give a table, a number for each output and input.",
            ),
            Mistake(
                lambda layers: layers[1] @ layers[0],
                "That is right for two layers. The list may hold any number of layers, one or four: use a loop.",
            ),
            Mistake(
                _paths_through_three_at_most,
                "That works up to a certain number of layers. The list may hold any number: use a loop.",
            ),
            Mistake(
                lambda layers: functools.reduce(np.multiply, layers),
                "`*` multiplies entry by entry. The sum over the hidden units is the matrix product `@`.",
            ),
            Mistake(
                lambda layers: sum(S.sum() for S in layers),
                "That is the number of connections. A path goes through all the layers: multiply the matrices.",
            ),
            Mistake(lambda layers: layers[0], "Those are the paths through the first layer alone."),
            Mistake(
                lambda layers: layers[-1] @ layers[0],
                "The layers between the first and the last are missing: use a loop.",
            ),
            Mistake(
                lambda layers: functools.reduce(lambda ways, S: S @ ways, layers, np.ones(layers[0].shape[1])),
                "That counts the paths from all inputs together. Give a column for each input.",
            ),
        ),
    ),
    Exercise(
        number="3.4",
        answer="network",
        reference=_network(),
        accept=_judge_network,
        praise=_praise,
        mistakes=(
            Mistake(_one_relay(), "a hidden unit lacks inputs or outputs."),
            Mistake(_one_input_each(), "of the 24 pairs of input and output have no path."),
            Mistake([np.ones((6, 8), dtype=int), np.ones((3, 6), dtype=int)], "keeps 66 weights, 48 and 18."),
        ),
    ),
]

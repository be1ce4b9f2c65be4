"""Small changes to every solution: what is no longer right is not called correct."""

import functools

import numpy as np
import pytest

from sparsecourse.exercises import attempts
from tools import mutants

ANSWERS = {exercise.number: (exercise, *rest) for exercise, *rest in mutants.answers()}
WHOLE = {
    "0.1",
    "1.3",
    "3.2",
    "3.3",
    "4.2",
    "4.3",
    "4.4",
    "6.1",
    "7.3",
    "8.2",
    "10.1",
    "11.2",
    "12.4",
}  # the results, by nature
SYMMETRIC = "the two may stand in either order"
ALIKE = "of zeros and ones, as of false and true, the sum is the count"
NEVER_BAD = "no bad mask is handed over"
EQUIVALENT = {
    ("1.1", "arguments swapped, in zip(row, x)"): SYMMETRIC,
    ("1.3", "arguments swapped, in zip(sizes[:-1], sizes[1:])"): SYMMETRIC,
    ("1.3", "upper dropped, in :-1"): "zip stops at the shorter one",
    ("2.2", "Eq to GtE, in how == 'sparsity'"): "no other of the three words comes after it in the alphabet",
    ("2.2", "Eq to GtE, in how == 'kept'"): "the only word after it was asked for before",
    ("2.3", "sum to count_nonzero, in np.sum(W == 0)"): ALIKE,
    ("4.3", "sum to count_nonzero, in (A > 0).sum(axis=1)"): ALIKE,
    ("7.1", "sum to count_nonzero, in S.sum(axis=1)"): ALIKE,
    ("7.4", "sum to count_nonzero, in S.sum(axis=1)"): ALIKE,
    ("7.4", "sum to count_nonzero, in R.sum(axis=1)"): ALIKE,
    ("7.4", "sum to count_nonzero, in S.sum(axis=0)"): ALIKE,
    ("7.4", "sum to count_nonzero, in R.sum(axis=0)"): ALIKE,
    ("2.5", "dtype dropped, in np.zeros((6, 10), dtype=int)"): "a mask may be of floats",
    ("3.4", "dtype dropped, in np.zeros((6, 8), dtype=int)"): "a mask may be of floats",
    ("3.4", "dtype dropped, in np.zeros((3, 6), dtype=int)"): "a mask may be of floats",
    ("5.1", "arguments swapped, in np.maximum(np.abs(a) - lam, 0)"): SYMMETRIC,
    ("5.2", "arguments swapped, in np.maximum(np.abs(a) - rate * lam, 0)"): SYMMETRIC,
    ("5.3", "right transposed, in X.T @ y"): "a vector has no transpose",
    ("5.5", "order swapped, in ['sparsity', 'validation_accuracy']"): "columns are asked for by name",
    ("6.1", "dtype dropped, in np.ones(W.size, dtype=int)"): "a mask may be of floats",
    ("6.2", "arguments swapped, in min(max((step - begin) / (end - begin), 0), 1)"): SYMMETRIC,
    ("6.2", "arguments swapped, in max((step - begin) / (end - begin), 0)"): SYMMETRIC,
    ("6.3", "dtype dropped, in np.ones(together.size, dtype=int)"): "a mask may be of floats",
    ("6.3", "upper dropped, in :-1"): "the empty piece at the end finds no matrix",
    ("7.1", "maximum dropped, in np.maximum(left, 1)"): "np.where takes nothing from the rows that divide by zero",
    ("7.1", "arguments swapped, in np.maximum(left, 1)"): SYMMETRIC,
    ("7.1", "1 to 0, in 1 (2)"): "np.where takes nothing from the rows that divide by zero",
    ("7.3", "dtype dropped, in np.zeros((n_out, n_in), dtype=int)"): "a mask may be of floats",
    ("7.4", "bool dropped, in bool(fan_ins and fan_outs)"): "NumPy has a true and a false of its own",
    ("7.4", "Eq to LtE, in S.sum(axis=1) == R.sum(axis=1)"): "where all columns agree, so do the sums over all rows",
    ("7.4", "Eq to GtE, in S.sum(axis=1) == R.sum(axis=1)"): "where all columns agree, so do the sums over all rows",
    ("7.4", "Eq to LtE, in S.sum(axis=0) == R.sum(axis=0)"): "where all rows agree, so do the sums over all columns",
    ("7.4", "Eq to GtE, in S.sum(axis=0) == R.sum(axis=0)"): "where all rows agree, so do the sums over all columns",
    ("9.2", "NotEq to Lt, in np.shape(S) != (n_out, n_in)"): NEVER_BAD,
    ("9.2", "NotEq to Gt, in np.shape(S) != (n_out, n_in)"): NEVER_BAD,
    ("9.2", "always False, in if np.shape(S) != (n_out, n_in) or not np.isin(S, (0, 1))..."): NEVER_BAD,
    ("9.2", "or to and, in np.shape(S) != (n_out, n_in) or not np.isin(S, (0, 1)).all()"): NEVER_BAD,
    ("9.2", "condition 0 dropped, in np.shape(S) != (n_out, n_in) or not np.isin(S, (0, 1)).all()"): NEVER_BAD,
    ("9.2", "condition 1 dropped, in np.shape(S) != (n_out, n_in) or not np.isin(S, (0, 1)).all()"): NEVER_BAD,
    ("9.2", "all to any, in np.isin(S, (0, 1)).all()"): NEVER_BAD,
    ("9.2", "arguments swapped, in np.isin(S, (0, 1))"): NEVER_BAD,
    ("9.2", "order swapped, in (n_out, n_in) (2)"): NEVER_BAD,
    ("9.2", "order swapped, in (0, 1)"): NEVER_BAD,
    ("9.2", "sum to count_nonzero, in self.S.sum(dim=1)"): ALIKE,
    ("9.2", "operands swapped, in 2 * torch.rand(n_out, n_in) - 1"): "the range has zero in its middle",
    ("9.2", "operands swapped, in 2 * torch.rand(n_out) - 1"): "the range has zero in its middle",
    ("9.2", "1 to 2, in 1"): "twice the bound is a choice of first weights, too: between PyTorch's and He's",
    ("9.2", "1 to 2, in 1 (4)"): "only a row with less than two inputs has another bound",
    ("10.1", "int dropped, in int(S[i:i + height, j:j + width].any())"): "true counts as one",
    ("10.1", "FloorDiv to Div, in rows // height"): "the blocks tile the rows",
    ("10.4", "Eq to GtE, in np.unpackbits(bits, count=shape[0] * shape[1]).reshape(sh..."): "a bit is no more than 1",
    ("10.4", "dtype dropped, in np.zeros(shape, dtype=np.float32)"): "64 bits hold what 32 hold",
    ("10.4", "0 to 1, in 0 (3)"): "the matrices are square",
    ("10.4", "0 to -1, in 0 (3)"): "the matrices are square",
    ("10.4", "1 to 0, in 1 (2)"): "the matrices are square",
    ("11.2", "dtype dropped, in np.zeros((neurons, inputs + neurons), dtype=int)"): "a mask may be of floats",
    ("11.2", "lower -1, in last:"): "the row before hears the command neurons already",
    ("11.3", "float dropped, in float(np.mean(J[S == 0] != 0))"): "NumPy's numbers are numbers",
    ("11.3", "Eq to LtE, in S == 0"): "a mask holds nothing below 0",
    ("11.3", "zero to near zero, in S == 0"): "a mask holds nothing near 0",
    ("11.4", "left transposed, in direct @ A"): "a vector has no transpose",
}


@functools.cache
def accepted(number):
    """Names of the mutants of an exercise's solution that are called correct."""
    exercise, solution, names = ANSWERS[number]
    said = [(name, mutants.verdict(exercise, source, names)) for name, source in mutants.mutants(solution)]
    return [name for name, verdict in said if verdict and verdict.solved]


def is_equivalent(exercise, name):
    """Whether a mutant is as right as the solution."""
    if name.startswith(("result cut to whole numbers", "result rounded")) and exercise.number in WHOLE:
        return True
    if name.startswith("result transposed"):
        return all(np.ndim(attempts.attempt(exercise.reference, case).result) < 2 for case in exercise.cases)
    return (exercise.number, name) in EQUIVALENT


@pytest.mark.parametrize("number", ANSWERS)
def test_the_solution_is_right_in_the_scope_of_its_lesson(number):
    exercise, solution, names = ANSWERS[number]
    assert mutants.verdict(exercise, solution, names).solved


@pytest.mark.parametrize("number", ANSWERS)
def test_a_mutant_that_is_no_longer_right_is_not_called_correct(number):
    exercise, _, _ = ANSWERS[number]
    assert not [name for name in accepted(number) if not is_equivalent(exercise, name)]


def test_every_mutant_that_is_listed_as_equivalent_is_made_and_accepted():
    """A list that holds what no longer happens would hide what comes."""
    for number in {number for number, _ in EQUIVALENT}:
        assert {name for listed, name in EQUIVALENT if listed == number} <= set(accepted(number))

"""Exercises of lesson 05: L1, asking for zeros."""

import numpy as np
import pandas as pd

from sparsecourse.exercises.checking import Exercise, Mistake


def _soft(a, lam):
    return np.sign(a) * np.maximum(np.abs(a) - lam, 0)


def _proximal_step(w, gradient, rate, lam):
    a = w - rate * gradient
    return np.sign(a) * np.maximum(np.abs(a) - rate * lam, 0)


def _hard(a, lam):
    return np.where(np.abs(a) > lam, a, 0)


def _data(n, d, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ np.round(rng.normal(size=d), 1) + 0.1 * rng.normal(size=n)


def _least_squares(X, y):
    return np.linalg.lstsq(X, y, rcond=None)[0]


def _refit(X, y, w):
    kept = w != 0
    fresh = np.zeros(len(w))
    fresh[kept] = np.linalg.lstsq(X[:, kept], y, rcond=None)[0]
    return fresh


def _refit_with_the_whole_answer(X, y, w):
    fresh = np.zeros(len(w))
    fresh[w != 0] = np.linalg.lstsq(X[:, w != 0], y, rcond=None)
    return fresh


def _refit_at_the_front(X, y, w):
    kept = np.flatnonzero(w)
    return np.append(_least_squares(X[:, kept], y), np.zeros(len(w) - len(kept)))


def _refit_of_the_kept_alone(X, y, w):
    return _least_squares(X[:, np.asarray(w) != 0], y)


def _refit_cut_afterwards(X, y, w):
    return _least_squares(X, y) * (np.asarray(w) != 0)


def _refit_case(n, d, kept, seed, smallest=0.1):
    X, y = _data(n, d, seed)
    w = np.zeros(d)
    w[kept] = smallest * (np.arange(len(kept)) + 1) * (-1.0) ** np.arange(len(kept))
    return X, y, w


# ----------------------------------------------------------------------------------------------- 5.5, choosing λ


def _runs(rows):
    """A table of runs from rows (strength, seed, sparsity, validation_accuracy, test_accuracy)."""
    columns = ["strength", "seed", "sparsity", "validation_accuracy", "test_accuracy"]
    return pd.DataFrame(rows, columns=columns)


_SMALL = _runs(
    [
        (0.0, 0, 0.00, 0.60, 0.60),
        (0.0, 1, 0.00, 0.62, 0.61),
        (0.1, 0, 0.30, 0.66, 0.55),  # the best single run, on validation
        (0.1, 1, 0.32, 0.56, 0.57),
        (0.2, 0, 0.50, 0.60, 0.58),
        (0.2, 1, 0.56, 0.63, 0.58),  # the best mean, on validation
        (0.4, 0, 0.80, 0.58, 0.65),
        (0.4, 1, 0.82, 0.58, 0.65),  # the best on test
        (0.8, 0, 0.94, 0.30, 0.31),
        (0.8, 1, 0.96, 0.31, 0.30),
    ]
)


def _random_runs(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for strength, sparsity, level in zip((0.01, 0.03, 0.1, 0.3), (0.1, 0.3, 0.6, 0.9), rng.permutation(4), strict=True):
        for run in range(5):
            validation, test = 0.5 + 0.02 * level + rng.normal(0, 0.05, size=2)
            rows.append((strength, run, sparsity + 0.02 * run, round(validation, 4), round(test, 4)))
    return _runs(rows)


def _best(runs, sparsity):
    means = runs.groupby("strength")[["sparsity", "validation_accuracy"]].mean()
    return means.loc[means["sparsity"] >= sparsity, "validation_accuracy"].idxmax()


def _choose(runs, sparsity, value="validation_accuracy", how="mean", constraint="mean"):
    table = runs.groupby("strength")[["sparsity", "validation_accuracy", "test_accuracy"]]
    best = table.agg(how)[value]
    if constraint:
        best = best[table.agg(constraint)["sparsity"] >= sparsity]
    return best.idxmax()


def _choose_by(constraint):
    return lambda runs, sparsity: _choose(runs, sparsity, constraint=constraint)


def _means(runs, sparsity):
    means = runs.groupby("strength")[["sparsity", "validation_accuracy"]].mean()
    return means[means["sparsity"] >= sparsity]


def _choose_among(runs, sparsity, allowed):
    means = runs.groupby("strength")[["sparsity", "validation_accuracy"]].mean()
    return means.loc[allowed(means["sparsity"]), "validation_accuracy"].idxmax()


# One seed of three is lucky: by the mean 0.0125 is best, by the median 0.0375. And 0.0125 is exactly half sparse.
_SKEWED = _runs(
    [
        (strength, seed, sparsity, accuracy, accuracy)
        for strength, sparsity, accuracies in (
            (0.005, 0.25, (0.3, 0.3, 0.2)),
            (0.0125, 0.5, (0.9, 0.1, 0.2)),
            (0.0375, 0.75, (0.3, 0.3, 0.3)),
        )
        for seed, accuracy in enumerate(accuracies)
    ]
)
# On the mean over the seeds only 0.4 is sparse enough; of the others, one seed is.
_UNEVEN = _runs(
    [
        (0.1, 0, 0.5, 0.3, 0.3),
        (0.1, 1, 0.9, 0.7, 0.7),
        (0.2, 0, 0.6, 0.8, 0.8),
        (0.2, 1, 0.85, 0.3, 0.3),
        (0.4, 0, 0.9, 0.2, 0.2),
        (0.4, 1, 0.95, 0.1, 0.1),
    ]
)
_CHOICES = (
    (_SMALL, 0.0),
    (_SMALL, 0.4),
    (_SMALL, 0.55),
    (_SMALL, 0.7),
    (_SKEWED, 0.5),
    (_UNEVEN, 0.8),
    (_UNEVEN, 0.726),  # a near miss of the best is a miss
    *((_random_runs(seed), sparsity) for seed, sparsity in enumerate((0.35, 0.33, 0.62, 0.2, 0.5, 0.68, 0.1), 1)),
)


EXERCISES = [
    Exercise(
        number="5.1",
        answer="soft_threshold",
        reference=_soft,
        cases=(
            (0.8, 0.3),
            (0.2, 0.3),
            (-0.8, 0.3),
            (0.12345, 0.02),
            (np.array([-1.5, -0.2, 0.0, 0.4, 2.0]), 0.4),
            (np.array([[0.5, -3.0], [1.0, -0.1]]), 1.0),
        ),
        mistakes=(
            Mistake(
                lambda a, lam: a - lam,
                "That goes on below zero. A weight stops at 0: take λ off its magnitude, down to 0 and no further.",
            ),
            Mistake(
                lambda a, lam: np.maximum(a - lam, 0),
                "Negative weights are lost. Shrink the magnitude `np.abs(a)`, then give the sign back.",
            ),
            Mistake(
                _hard,
                "That cuts the small ones and leaves the others whole: a hard threshold. A price makes every weight "
                "smaller by λ.",
            ),
            Mistake(
                lambda a, lam: np.maximum(np.abs(a) - lam, 0),
                "The magnitudes are right, the signs are missing: multiply by `np.sign(a)`.",
            ),
            Mistake(lambda a, lam: a / (1 + lam), "That is the answer under L2. It never reaches zero."),
            Mistake(
                lambda a, lam: a - lam * np.sign(a),
                "That goes through zero: where λ is larger than the weight, its sign turns. Stop at 0.",
            ),
            Mistake(
                lambda a, lam: np.sign(a) * max(abs(a) - lam, 0),
                "`max` and `if` work on single numbers. For arrays take `np.maximum`, which goes entry by entry.",
            ),
            Mistake(
                lambda a, lam: np.where(np.abs(a) <= lam, 0, a - lam),
                "A negative weight moves up towards zero, not down: its magnitude becomes smaller.",
            ),
        ),
    ),
    Exercise(
        number="5.2",
        answer="proximal_step",
        reference=_proximal_step,
        cases=(
            (np.array([1.0]), np.array([2.0]), 0.1, 0.5),
            (np.array([0.02, -0.5, 0.3]), np.array([0.1, -1.0, 0.5]), 0.1, 0.5),
            (np.array([0.0, 0.0, 0.04]), np.array([0.3, -2.0, 0.4]), 0.05, 1.0),
            (np.array([0.12345, -0.2]), np.array([0.5, 0.25]), 0.01, 0.3),
        ),
        mistakes=(
            Mistake(
                lambda w, gradient, rate, lam: _soft(w - rate * gradient, lam),
                "The threshold is too large: in a step of length η the price takes off η λ.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w, rate * lam) - rate * gradient,
                "The order is reversed. Step down the error first, then shrink: the shrinking must come last, "
                "or the step undoes its zeros.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: w - rate * (gradient + lam * np.sign(w)),
                "That is the plain step on error and price together. It jumps over zero.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w + rate * gradient, rate * lam),
                "That climbs. The gradient points uphill: subtract it.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w - rate * gradient, lam / rate),
                "A shorter step must shrink less: multiply λ by the rate instead of dividing.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w - gradient, rate * lam),
                "The gradient needs the learning rate too.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: w - rate * gradient,
                "That is the step down the error alone. The price is missing: the soft threshold comes after it.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _hard(w - rate * gradient, rate * lam),
                "That cuts the small ones and leaves the others whole: a hard threshold. The soft one shrinks all.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w, rate * lam),
                "That shrinks the weights alone. The step down the error comes before it.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: _soft(w - rate * gradient, rate),
                "The threshold is η λ: λ is missing.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: np.maximum(w - rate * gradient - rate * lam, 0),
                "Negative weights are lost. Shrink the magnitude, then give the sign back.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: np.maximum(np.abs(w - rate * gradient) - rate * lam, 0),
                "The magnitudes are right, the signs are missing.",
            ),
            Mistake(
                lambda w, gradient, rate, lam: np.sign(w) * np.maximum(np.abs(w - rate * gradient) - rate * lam, 0),
                "The sign must be that of the stepped weight: the step down the error may have turned it.",
            ),
        ),
    ),
    Exercise(
        number="5.3",
        answer="lambda_max",
        reference=lambda X, y: np.abs(X.T @ y).max() / len(y),
        cases=(
            (np.array([[1.0], [3.0]]), np.array([2.0, -4.0])),
            _data(8, 3, seed=1),
            _data(20, 5, seed=2),
            _data(5, 9, seed=4),
        ),
        mistakes=(
            Mistake(
                lambda X, y: (X.T @ y).max() / len(y),
                "A weight can want to be negative as well: take magnitudes before the largest.",
            ),
            Mistake(lambda X, y: np.abs(X.T @ y).max(), "The error is a mean: divide by the number of examples."),
            Mistake(
                lambda X, y: np.abs(X.T @ y).sum() / len(y),
                "The price is on each weight by itself: the largest slope decides, not the sum.",
            ),
            Mistake(
                lambda X, y: 2 * np.abs(X.T @ y).max() / len(y),
                "That is the slope of the mean square. The error here is half of it.",
            ),
            Mistake(
                lambda X, y: np.abs(X.T @ y) / len(y),
                "Those are the slopes of all weights. The largest of them decides.",
            ),
            Mistake(
                lambda X, y: np.abs(X.T @ y).min() / len(y),
                "At the smallest slope only one weight is held at zero. All must be: take the largest.",
            ),
            Mistake(
                lambda X, y: np.abs(X.T @ y).max() / X.shape[1],
                "That divides by the number of inputs. The mean is over the examples.",
            ),
            Mistake(
                lambda X, y: np.abs(_least_squares(X, y)).max(),
                "That is the largest weight without a price. Asked for is the largest slope of the error at w = 0.",
            ),
            Mistake(
                lambda X, y: np.abs(X * y[:, None]).sum(axis=0).max() / len(y),
                "Magnitudes come after the sum: the products of the examples may cancel.",
            ),
            Mistake(
                lambda X, y: np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / len(y),
                "Nothing is centred here: take X and y as they are.",
            ),
        ),
    ),
    Exercise(
        number="5.4",
        answer="refit",
        reference=_refit,
        cases=(
            _refit_case(8, 2, kept=[1], seed=1),
            _refit_case(12, 4, kept=[0, 3], seed=2),
            _refit_case(12, 4, kept=[1, 2], seed=4, smallest=1e-9),  # small, but not zero
            _refit_case(30, 10, kept=[2, 4, 5, 9], seed=3),
        ),
        mistakes=(
            Mistake(
                _refit_of_the_kept_alone,
                "Those are the weights that were kept. Put them back into a vector as long as w, zeros elsewhere.",
            ),
            Mistake(
                _refit_cut_afterwards,
                "That fits all weights and then cuts. Fit with the kept inputs only: the others must not have taken "
                "part.",
            ),
            Mistake(
                lambda X, y, w: _least_squares(X, y),
                "That fits every weight again. Those that are zero must stay zero.",
            ),
            Mistake(
                _refit_with_the_whole_answer,
                "`lstsq` returns four things. The weights are the first: `[0]`.",
            ),
            Mistake(lambda X, y, w: w, "Those are the shrunken weights themselves. Fit the kept ones again."),
            Mistake(
                lambda X, y, w: _refit(X, y, np.maximum(w, 0)),
                "Negative weights are lost. A weight is kept where `w != 0`.",
            ),
            Mistake(
                lambda X, y, w: w * ((X @ w) @ y) / ((X @ w) @ (X @ w)),
                "That scales all weights by one factor. Fit each kept one anew, with `lstsq`.",
            ),
            Mistake(
                lambda X, y, w: np.where(w != 0, X.T @ y / np.square(X).sum(axis=0), 0),
                "That fits each input by itself. Fit the kept ones together.",
            ),
            Mistake(_refit_at_the_front, "The numbers are right, but at the front. Each belongs in its own place."),
            Mistake(
                lambda X, y, w: _refit(X, y, np.where(np.abs(w) > 1e-3, w, 0)),
                "Small weights were taken for zero. A weight is kept where `w != 0`.",
            ),
        ),
    ),
    Exercise(
        number="5.5",
        answer="choose",
        reference=_best,
        cases=_CHOICES,
        mistakes=(
            Mistake(
                lambda runs, sparsity: _choose(runs, sparsity, value="test_accuracy"),
                "That looks at the test accuracy. What is used to choose can't be used to judge.",
            ),
            Mistake(
                lambda runs, sparsity: _choose(runs, sparsity, how="max"),
                "That is the λ of the luckiest seed. Compare means over the seeds.",
            ),
            Mistake(
                lambda runs, sparsity: _choose(runs, sparsity, how="median"),
                "That compares medians. Asked for are the means over the seeds.",
            ),
            Mistake(
                _choose_by("max"),
                "Here one seed that is sparse enough lets a strength in. The condition is on the mean over the seeds.",
            ),
            Mistake(
                _choose_by("min"),
                "Here every seed must be sparse enough to let a strength in. The condition is on the mean over the "
                "seeds.",
            ),
            Mistake(
                lambda runs, sparsity: _choose_among(runs, sparsity, lambda mean: mean > sparsity),
                "At least that sparse: the sparsity itself is allowed, too.",
            ),
            Mistake(
                lambda runs, sparsity: runs.loc[runs["validation_accuracy"].idxmax(), "strength"],
                "That is the strength of the best single run. Compare means over the seeds, of those sparse enough.",
            ),
            Mistake(
                lambda runs, sparsity: runs.loc[
                    runs[runs["sparsity"] >= sparsity]["validation_accuracy"].idxmax(), "strength"
                ],
                "That is the strength of the best single run among those sparse enough. Compare means over the seeds.",
            ),
            Mistake(
                lambda runs, sparsity: _choose(runs, sparsity, constraint=None),
                "That forgets the condition: only strengths whose mean sparsity is at least the one asked for.",
            ),
            Mistake(
                lambda runs, sparsity: _choose(runs, sparsity, value="sparsity"),
                "That takes the sparsest one, whatever its accuracy.",
            ),
            Mistake(
                lambda runs, sparsity: _means(runs, sparsity)["validation_accuracy"].max(),
                "That is the accuracy. Asked for is the strength that reaches it: `idxmax` instead of `max`.",
            ),
            Mistake(
                lambda runs, sparsity: _means(runs, sparsity).index.min(),
                "That is the weakest price that is sparse enough. Asked for is the one with the best accuracy.",
            ),
            Mistake(
                lambda runs, sparsity: _choose_among(runs, sparsity, lambda mean: mean <= sparsity),
                "That takes those that are at most that sparse. At least is asked for.",
            ),
            Mistake(
                lambda runs, sparsity: _choose(runs[runs["sparsity"] >= sparsity], sparsity),
                "That drops single runs that are not sparse enough and averages the rest, so that some means rest on "
                "fewer seeds. The condition is on the mean sparsity of a strength.",
            ),
            Mistake(
                lambda runs, sparsity: _means(runs, sparsity).reset_index()["validation_accuracy"].idxmax(),
                "That is the number of a row. Asked for is the strength: keep it as the index.",
            ),
        ),
    ),
]

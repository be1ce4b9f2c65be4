"""Exercises of lesson 08: three ways, one table."""

import functools
import math

import numpy as np

from sparsecourse import costs, layers, methods, tasks, training
from sparsecourse.exercises.checking import Exercise, Mistake


def _interval(a, b, t):
    gains = a - b
    reach = t * gains.std(ddof=1) / np.sqrt(len(gains))
    return [gains.mean(), gains.mean() - reach, gains.mean() + reach]


def _around(mean, reach):
    return np.array([mean, mean - reach, mean + reach])


def _unpaired(a, b, t):
    a, b = np.asarray(a), np.asarray(b)
    return _around(a.mean() - b.mean(), t * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))


def _of_deviations(a, b, t):
    gains = np.asarray(a) - np.asarray(b)
    return _around(gains.mean(), t * gains.std(ddof=1))


def _of_the_population(a, b, t):
    gains = np.asarray(a) - np.asarray(b)
    return _around(gains.mean(), t * gains.std() / np.sqrt(len(gains)))


def _without_t(a, b, t):
    return _interval(a, b, 1)


def _dense_width(weights, n_in, n_out):
    s = n_in + n_out
    return round((-s + np.sqrt(s**2 + 4 * weights)) / 2)


def _width(weights, n_in, n_out, nearest=round):
    s = n_in + n_out
    return nearest((-s + np.sqrt(s**2 + 4 * weights)) / 2)


def _cost(schedule):
    steps = sum(steps for steps, _ in schedule)
    return sum(steps * density for steps, density in schedule) / steps


# ----------------------------------------------------------------- 8.4, a question with many right answers: a schedule

SIZES, STEPS, SEEDS = (40, 100, 100, 10), 800, range(3)
SPARSITY, COST = 0.9, 0.28  # asked for in the end; dense trainings that may be spent
MARGIN = 0.1  # accuracy by which a random mask must be beaten


@functools.lru_cache(maxsize=20)
def _outcome(begin, end, cuts):
    """Mean validation accuracy and cost of gradual pruning on three networks; begin None is a random mask."""
    networks, task = [layers.mlp(SIZES, seed) for seed in SEEDS], tasks.mnist1d()
    if begin is None:
        chosen = [methods.named("random, uniform", SPARSITY, sizes=SIZES, seed=seed, task=task) for seed in SEEDS]
    else:
        chosen = [methods.Gradual(SPARSITY, begin=begin, end=end, num_updates=cuts)] * len(networks)
    result = training.train(networks, task, chosen, seeds=list(SEEDS), steps=STEPS, records=80)
    histories = result.history.groupby("network")["sparsity"]
    spent = [costs.training_with(chosen[k], on_the_way, STEPS) for k, on_the_way in histories]
    return float(result.table["validation_accuracy"].mean()), sum(spent) / len(spent)


def _schedule(answer):
    if isinstance(answer, dict):
        answer = (answer["begin"], answer["end"], answer["cuts"])
    begin, end, cuts = map(float, answer)
    return begin, end, cuts


def _judge(answer):
    """What is wrong with a schedule, or None."""
    begin, end, cuts = _schedule(answer)
    if cuts != round(cuts) or cuts < 1:
        return f"asks for {cuts:g} cuts. Their number is a whole number, 1 or more."
    steps = round((end - begin) * STEPS)
    if 0 < steps < cuts:
        return f"asks for {cuts:,.0f} cuts in {steps} steps. There can be no more than one a step."
    try:
        methods.Gradual(SPARSITY, begin=begin, end=end, num_updates=int(cuts))
    except ValueError as error:
        return f"is refused: {error}."
    accuracy, cost = _outcome(begin, end, int(cuts))
    if cost > COST:
        return f"spends {cost:.2f} dense trainings. The budget is {COST:.2f}: cut earlier."
    chance, _ = _outcome(None, None, None)
    if accuracy < chance + MARGIN:
        return (
            f"reaches {accuracy:.1%} for {cost:.2f} dense trainings. A random mask reaches {chance:.1%} for "
            f"{1 - SPARSITY:.2f}: beat it by {100 * MARGIN:.0f} points."
        )
    return None


def _praise(answer):
    begin, end, cuts = _schedule(answer)
    accuracy, cost = _outcome(begin, end, int(cuts))
    chance, _ = _outcome(None, None, None)
    usual, price = _outcome(0.2, 0.7, 20)
    return (
        f"{accuracy:.1%} for {cost:.2f} dense trainings. The usual schedule: {usual:.1%} for {price:.2f}. "
        f"A random mask: {chance:.1%} for {1 - SPARSITY:.2f}."
    )


_RUNS = np.random.default_rng(0).normal(0.6, 0.02, size=(3, 10)).round(3)

EXERCISES = [
    Exercise(
        number="8.1",
        answer="paired_interval",
        reference=_interval,
        cases=(
            (np.array([0.7, 0.6]), np.array([0.5, 0.5]), 12.7062),
            (np.array([0.61, 0.64, 0.58, 0.6, 0.63]), np.array([0.6, 0.62, 0.57, 0.6, 0.6]), 2.7764),
            (_RUNS[0], _RUNS[1], 2.2622),
            (_RUNS[0], _RUNS[0] - 0.02 + 0.1 * (_RUNS[2] - 0.6), 2.2622),
        ),
        mistakes=(
            Mistake(
                _unpaired,
                "That treats the two lists as independent. The same seed stands in both: take the differences first.",
            ),
            Mistake(_of_deviations, "That is the spread of single runs. That of their mean is smaller by √n."),
            Mistake(
                _of_the_population,
                "`np.std` divides by n. From a sample the spread needs n - 1: `ddof=1`.",
            ),
            Mistake(_without_t, "That is one standard error to each side. Multiply it by t."),
            Mistake(
                lambda a, b, t: _interval(b, a, t),
                "The sign is reversed: it is a less b.",
            ),
            Mistake(lambda a, b, t: _interval(a, b, 1.96), "The factor is given as t."),
            Mistake(
                lambda a, b, t: _interval(np.sort(a), np.sort(b), t),
                "Sorting pairs results of different seeds. Leave them in their places.",
            ),
            Mistake(
                lambda a, b, t: [(a - b).mean(), *np.percentile(a - b, [2.5, 97.5])],
                "Those are quantiles of the differences. The interval is about their mean.",
            ),
            Mistake(
                lambda a, b, t: _around(np.mean(a - b), t * np.std(a - b, ddof=1) / np.sqrt(len(a) - 1)),
                "n - 1 belongs in the spread alone. The root is of n.",
            ),
            Mistake(lambda a, b, t: _interval(np.abs(a - b), 0 * b, t), "The differences keep their signs."),
            Mistake(
                lambda a, b, t: [_interval(a, b, t)[k] for k in (0, 2, 1)], "The lower end comes before the upper one."
            ),
            Mistake(
                lambda a, b, t: [
                    (a - b).mean(),
                    -(_interval(a, b, t)[2] - (a - b).mean()),
                    _interval(a, b, t)[2] - (a - b).mean(),
                ],
                "That is how far the interval reaches. Its ends lie so far below and above the mean.",
            ),
            Mistake(
                lambda a, b, t: _interval(a, b, 2.776),
                "The factor for five seeds is not right for others: it is given as t.",
            ),
        ),
    ),
    Exercise(
        number="8.2",
        answer="dense_width",
        reference=_dense_width,
        cases=((104, 4, 4), (15000, 40, 10), (7834, 40, 10), (3917, 40, 10), (266200, 784, 10)),
        mistakes=(
            Mistake(
                lambda weights, n_in, n_out: _width(weights, n_in, n_out, nearest=int),
                "`int` cuts off the fraction. Use `round`.",
            ),
            Mistake(
                lambda weights, n_in, n_out: int(np.sqrt(weights)),
                "That counts the middle layer only, and cuts off the fraction. The first and the last layer have "
                "width × n_in and width × n_out.",
            ),
            Mistake(
                lambda weights, n_in, n_out: _width(weights, n_in, n_out, nearest=math.ceil),
                "That rounds up. The nearest whole number is asked for: `round`.",
            ),
            Mistake(
                lambda weights, n_in, n_out: _width(weights, n_in, n_out, nearest=float),
                "Units are whole: round the result.",
            ),
            Mistake(
                lambda weights, n_in, n_out: round(np.sqrt(weights)),
                "That counts the middle layer only. The first and the last have width × n_in and width × n_out.",
            ),
            Mistake(
                lambda weights, n_in, n_out: round(weights / (n_in + n_out)),
                "That leaves the middle layer out: it has width × width weights.",
            ),
            Mistake(
                lambda weights, n_in, n_out: _width(weights, n_in, 0),
                "The last layer is missing: width × n_out weights.",
            ),
            Mistake(
                lambda weights, n_in, n_out: round(-n_in - n_out + np.sqrt((n_in + n_out) ** 2 + 4 * weights) / 2),
                "The whole bracket is halved, not the root alone.",
            ),
        ),
    ),
    Exercise(
        number="8.3",
        answer="cost",
        reference=_cost,
        cases=(
            ([(400, 1.0), (400, 0.5)],),
            ([(100, 1.0)],),
            ([(160, 1.0), (400, 0.4), (240, 0.1)],),
            ([(10, 0.2), (990, 0.1)],),
        ),
        mistakes=(
            Mistake(
                lambda schedule: float(np.mean([density for _, density in schedule])),
                "That averages the phases as if all were equally long. Weight each by its steps.",
            ),
            Mistake(
                lambda schedule: sum(steps * density for steps, density in schedule),
                "Those are steps of a dense network. Divide by the number of all steps.",
            ),
            Mistake(lambda schedule: schedule[-1][1], "That is the final density: the cost of using the network."),
            Mistake(lambda schedule: 1 - _cost(schedule), "That is what is saved. Asked for is what is spent."),
            Mistake(
                lambda schedule: sum(steps * density for steps, density in schedule) / len(schedule),
                "You divided by the number of phases. Divide by the number of all steps.",
            ),
            Mistake(
                lambda schedule: _cost(list(dict(schedule).items())),
                "A dictionary has each key once: two phases with as many steps become one.",
            ),
        ),
    ),
    Exercise(
        number="8.4",
        answer="schedule",
        reference=(0.05, 0.5, 20),
        accept=_judge,
        trains=True,
        praise=_praise,
        mistakes=(
            Mistake((0.2, 0.7, 20), "The budget is 0.28: cut earlier."),
            Mistake((0.0, 0.01, 1), "beat it by 10 points."),
            Mistake((0.7, 0.2, 20), "is refused: cutting must begin before it ends"),
            Mistake((0.05, 0.5, 20.5), "asks for 20.5 cuts. Their number is a whole number"),
            Mistake((0.05, 0.5, 10**9), "asks for 1,000,000,000 cuts in 360 steps."),
        ),
    ),
]

"""Lottery tickets and their controls on MNIST-1D and its shuffled twin, ten seeds: writes lottery_256.csv.

From the course's folder: ``make results``. It takes about 25 minutes on two cores.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import layers, masks, methods, tables, tasks, training

SIZES = (40, 256, 256, 10)
SEEDS = range(10)
STEPS = 1500
ROUNDS = (8, 12)  # each but the last ends with cutting a fifth of what is left
FRESH = [seed + 1000 for seed in SEEDS]  # for other first weights
HERE = Path(__file__).parent


def train(task, method, first_weights, name, found_on):
    """Networks trained with one method each, and a table of their results."""
    networks = [layers.mlp(SIZES, seed) for seed in first_weights]
    result = training.train(networks, task, method, seeds=list(SEEDS), steps=STEPS, strict=True)
    test = training.evaluate(result.networks, task, "test")
    table = result.table.assign(method=name, task=task.name, found_on=found_on, test_accuracy=test)
    print(task.name, name, flush=True)
    return result.networks, table.drop(columns=["strength", "seconds", "failure"])


def like(S, seed):
    """Random masks that keep as many weights in each layer as the given ones."""
    return [masks.random(tuple(s.shape), 1 - s.mean().item(), 10 * seed + layer) for layer, s in enumerate(S)]


def tickets_and_controls(task, twin, rounds):
    """Tickets found on a task; what their masks and first weights are worth there and on the task's twin."""
    networks, table = train(
        task, methods.Iterative(1 - 0.8 ** (rounds - 1), rounds), SEEDS, name="ticket", found_on=task.name
    )
    found = [[layer.mask for layer in layers.sparse_layers(network)] for network in networks]
    keep = [methods.Fixed(S, rescale=False) for S in found]
    chance = [methods.Fixed(like(S, seed), rescale=False) for S, seed in zip(found, SEEDS, strict=True)]
    yield table
    yield train(task, keep, FRESH, name="new weights", found_on=task.name)[1]
    yield train(task, chance, SEEDS, name="random mask", found_on=task.name)[1]
    yield train(twin, keep, SEEDS, name="ticket", found_on=task.name)[1]
    yield train(twin, keep, FRESH, name="new weights", found_on=task.name)[1]
    one_cut = methods.Iterative(1 - 0.8 ** (rounds - 1), rounds=2)
    yield train(task, one_cut, SEEDS, name="ticket, one cut", found_on=task.name)[1]


def main():
    ordered, shuffled = tasks.mnist1d(), tasks.mnist1d(shuffled=True)
    pieces = []
    for task, twin in ((ordered, shuffled), (shuffled, ordered)):
        pieces.append(train(task, methods.Dense(), SEEDS, name="dense", found_on="")[1])
        for rounds in ROUNDS:
            pieces += tickets_and_controls(task, twin, rounds)
    pd.concat(pieces).round(6).to_csv(HERE / "lottery_256.csv", index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

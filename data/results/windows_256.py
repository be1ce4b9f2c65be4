"""Do pruning and rewiring find windows? Pairs of inputs that a unit of the first layer hears, over chance, ten seeds.

Writes windows_256.csv: gradual pruning, RigL and SET at 90 % on MNIST-1D and on its shuffled twin, two hidden layers of
256 units, 1,500 steps. From the course's folder: ``make results``. It takes about nine minutes on two busy cores.
Killed on the way, it goes on where it was.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sparsecourse import layers, masks, sweep, tables, tasks, training

SEEDS = range(10)
WIDTH, STEPS, LEVEL = 256, 1500, 0.9
DISTANCES = range(1, 11)
DRAWS = 20  # rewired masks whose mean is chance
HERE = Path(__file__).parent


def plan():
    """Every network of the sweep, a row each."""
    return pd.concat(
        [
            sweep.plan(name, [LEVEL], SEEDS, WIDTH, shuffled)
            for shuffled in (False, True)
            for name in ("gradual", "RigL", "SET")
        ],
        ignore_index=True,
    )


def pairs(S):
    """How often one output hears two inputs at each of the distances."""
    return np.array([(S[:, d:] * S[:, :-d]).sum() for d in DISTANCES])


def over_chance(S):
    """The same over its mean in masks whose units, inputs and outputs alike, have as many connections."""
    return pairs(S) / np.mean([pairs(masks.rewired(S, seed)) for seed in range(DRAWS)], axis=0)


def over_fan_in(S):
    """Neighbours heard by one output over what is to be expected where only the fan-ins are kept."""
    n_in, fan_in = S.shape[1], S.sum(axis=1)
    return pairs(S)[0] / ((fan_in * (fan_in - 1)).sum() / n_in)


def places_on_the_curve():
    """Where along the curve each input of the twin lies."""
    X, twin = (tasks.mnist1d(shuffled).train[0] for shuffled in (False, True))
    return [int((X == column[:, None]).all(dim=0).nonzero()) for column in twin.T]


def counted(S, shuffled):
    """The numbers of one first mask: its inputs in the order of the vector, and in that of the curve."""
    along = S[:, np.argsort(places_on_the_curve())] if shuffled else S
    found = {"first_sparsity": 1 - S.mean()}
    for name, each in (("place", S), ("curve", along)):
        found |= {f"{name}_{d}": ratio for d, ratio in zip(DISTANCES, over_chance(each), strict=True)}
        found[f"{name}_fan_in"] = over_fan_in(each)
    return found


def run(rows):
    """Results of some rows, the test part included; nothing is chosen by it."""
    table, networks = sweep.train(rows, STEPS)
    test = training.evaluate(networks, [tasks.mnist1d(shuffled) for shuffled in rows["shuffled"]], "test")
    first = [layers.sparse_layers(network)[0].mask.numpy().astype(int) for network in networks]
    found = pd.DataFrame([counted(S, shuffled) for S, shuffled in zip(first, rows["shuffled"], strict=True)])
    return table.assign(test_accuracy=test).join(found).round(6)


def main():
    sweep.resume(plan(), run, HERE / "windows_256.csv", together="shuffled")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

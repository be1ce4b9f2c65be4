"""Dense networks, L1 and weight decay under SGD on MNIST-1D, two hidden layers of 256, ten seeds: writes price_256.csv.

From the course's folder: ``make results``. It takes about 8 minutes on two cores.
"""

import functools
from pathlib import Path

import pandas as pd
import torch

from sparsecourse import layers, methods, tables, tasks, training

SIZES = (40, 256, 256, 10)
SEEDS = range(10)
LINE = 1e-3  # a weight of smaller magnitude counts as near zero
HERE = Path(__file__).parent


def settings():
    """(name in the table, strength, learning rate) of every setting."""
    for rate in (0.1, 0.2, 0.4):
        yield "dense", 0, rate
    for strength in (0.001, 0.002, 0.003, 0.005, 0.01):
        yield "L1", strength, 0.4
    for rate in (0.2, 0.4):
        for strength in (3e-4, 1e-3, 3e-3):
            yield "weight decay", strength, rate


def run(name, strength, rate, task):
    """A row a seed; ``near_zero`` is the sparsity if weights below LINE are cut, ``cut_...`` the accuracy then."""
    decay = strength if name == "weight decay" else 0.0
    result = training.train(
        [layers.mlp(SIZES, seed) for seed in SEEDS],
        task,
        methods.L1(strength) if name == "L1" else methods.Dense(),
        seeds=list(SEEDS),
        steps=1500,
        learning_rate=rate,
        optimizer=functools.partial(torch.optim.SGD, momentum=0.9, weight_decay=decay),
        strict=True,
    )
    table = result.table.assign(method=name, strength=strength, learning_rate=rate)
    table["test_accuracy"] = training.evaluate(result.networks, task, "test")
    for network in result.networks:
        for layer in layers.sparse_layers(network):
            layer.set_mask(layer.weight.abs() >= LINE)
    table["near_zero"] = [methods.realised_sparsity(network) for network in result.networks]
    table["cut_validation_accuracy"] = training.evaluate(result.networks, task, "validation")
    return table.drop(columns=["requested_sparsity", "macs", "seconds", "diverged", "failure"])


def main():
    task = tasks.mnist1d()
    pieces = []
    for setting in settings():
        pieces.append(run(*setting, task))
        print(*setting, flush=True)
    pd.concat(pieces).round(6).to_csv(HERE / "price_256.csv", index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

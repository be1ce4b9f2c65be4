"""Dense, L1, pruned and random networks on MNIST-1D, two hidden layers of 256, ten seeds: writes mnist1d_256.csv.

From the course's folder: ``make results``. It takes about 25 minutes on two cores.
"""

from pathlib import Path

import pandas as pd

from sparsecourse import layers, masks, methods, tables, tasks, training

SIZES = (40, 256, 256, 10)
SEEDS = range(10)
SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
STRENGTHS = (0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4)
AT_ONCE = 40  # networks; more would need more memory and be no faster
HERE = Path(__file__).parent


def random_masks(sparsity, seed):
    """A mask for each layer, the same fraction cut from each."""
    shapes = [(256, 40), (256, 256), (10, 256)]
    return [masks.random(shape, sparsity, seed=10 * seed + layer) for layer, shape in enumerate(shapes)]


def settings():
    """(name, a function from seed to method) of every setting."""
    yield "dense", lambda seed: methods.Dense()
    for strength in STRENGTHS:
        yield "L1", lambda seed, strength=strength: methods.L1(strength)
    for s in SPARSITIES:
        yield "random", lambda seed, s=s: methods.Fixed(random_masks(s, seed))
        yield "random, dense start", lambda seed, s=s: methods.Fixed(random_masks(s, seed), rescale=False)
        yield "one-shot, not retrained", lambda seed, s=s: methods.OneShot(s, retrain=False)
        for scope in methods.SCOPES:
            yield f"one-shot, {scope}", lambda seed, s=s, scope=scope: methods.OneShot(s, scope=scope)
            yield f"gradual, {scope}", lambda seed, s=s, scope=scope: methods.Gradual(s, scope=scope)


def main():
    task = tasks.mnist1d()
    plan = [(name, seed, method(seed)) for name, method in settings() for seed in SEEDS]
    pieces = []
    for first in range(0, len(plan), AT_ONCE):
        names, seeds, chosen = (list(column) for column in zip(*plan[first : first + AT_ONCE], strict=True))
        networks = [layers.mlp(SIZES, seed) for seed in seeds]
        result = training.train(networks, task, chosen, seeds=seeds, steps=1500)
        test = training.score(result.networks, task, "test")
        pieces.append(result.table.assign(method=names, test_accuracy=test).drop(columns=["seconds", "diverged"]))
        print(f"{first + len(names)} of {len(plan)} networks", flush=True)
    pd.concat(pieces).round(6).to_csv(HERE / "mnist1d_256.csv", index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

"""Sweeps: many methods, levels and seeds side by side, planned as a table and trained in batches.

A plan is a data frame with a row a network. ``train`` turns a part of a plan into results. ``resume`` does so for a
long plan and writes each finished batch to disk, so that a sweep which was stopped goes on where it was.
"""

import contextlib
import io
import itertools
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import connection
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sparsecourse import costs, layers, methods, tasks, training

DIGITS = 9  # to which numbers of a plan must agree with those read back from a file
KEYS = ["method", "level", "seed", "width", "shuffled"]
TURN = threading.Lock()  # of the batches that threads of one process train
RECORDS = 40  # of sparsities in a round, for the cost; the cuts of gradual pruning lie on their borders


def plan(name, levels, seeds, width=100, shuffled=False):
    """A plan for one method: a row for every level and seed.

    Args:
        name: of the method, one of those in ``methods.METHODS`` that need no more than a level.
        levels: sparsities to ask for, in [0, 1); for L1, strengths; for dense, [0].
        seeds: seed of first weights, masks and data order.
        width: units of each of the two hidden layers.
        shuffled: whether to learn MNIST-1D's shuffled twin.

    Raises:
        ValueError: there is no such method, or it can't be built for one of the levels, or needs more than a level.
    """
    levels, seeds = list(levels), list(seeds)
    if name == "dense" and any(levels):
        raise ValueError(f"the dense network has no level but 0, got {levels}")
    for level in levels:
        method(name, level, 0, width, shuffled)  # refuses what can't be built
    rows = [(name, float(level), seed, width, shuffled) for level in levels for seed in seeds]
    return pd.DataFrame(rows, columns=KEYS)


def sizes(width):
    """Units of each layer of a sweep's networks."""
    return (40, width, width, 10)


def dense_width(weights):
    """Width at which a dense network of this shape has nearest to so many weights."""
    return next(
        width for width in itertools.count(1) if costs.macs(sizes(width + 1)) + costs.macs(sizes(width)) >= 2 * weights
    )


def method(name, level, seed, width, shuffled=False):
    """The method that a row of a plan asks for."""
    return methods.named(name, level, sizes=sizes(width), seed=seed, task=tasks.mnist1d(shuffled))


def train(part, steps, count_cost=False, **how):
    """Train the networks of a plan, all with the same number of steps in all.

    A method with several rounds shares them out evenly: one-shot pruning spends half of them after its cut.

    Args:
        part: a plan, or some of its rows, with one width.
        steps: steps of the optimiser, a multiple of the rounds of every method.
        count_cost: whether to add what the training costs; it takes some more time.
        how: learning_rate, optimizer, batch and schedule, as ``training.train`` takes them.

    Returns:
        The plan with the columns sparsity, train_accuracy, validation_accuracy, macs and, where asked for,
        ``costs.training_with``. And the trained networks.

    Raises:
        AssertionError: a network is not as was asked.
    """
    part = part.reset_index(drop=True)
    chosen = pd.Series([method(*row) for row in part[KEYS].itertuples(index=False)])
    rounds = chosen.map(lambda each: each.rounds)
    misfits = chosen[steps % rounds != 0]
    if len(misfits):
        first = misfits.iloc[0]
        raise ValueError(f"steps must be a multiple of {first.rounds}, the rounds of {first.label!r}, got {steps}")
    (width,) = part["width"].unique()
    pieces, networks = [], [None] * len(part)
    for count, rows in part.groupby(rounds):
        result = training.train(
            [layers.mlp(sizes(width), seed) for seed in rows["seed"]],
            [tasks.mnist1d(shuffled) for shuffled in rows["shuffled"]],
            chosen[rows.index].tolist(),
            seeds=rows["seed"].tolist(),
            steps=steps // count,
            records=RECORDS if count_cost else 1,
            strict=True,
            **how,
        )
        found = result.table[["sparsity", "train_accuracy", "validation_accuracy", "macs"]]
        if count_cost:
            ways = zip(chosen[rows.index], result.history.groupby("network")["sparsity"], strict=True)
            found = found.assign(cost=[costs.training_with(each, way, steps) for each, (_, way) in ways])
        pieces.append(found.set_index(rows.index))
        for place, network in zip(rows.index, result.networks, strict=True):
            networks[place] = network
    return part.join(pd.concat(pieces)), networks


def resume(whole, run, path, together="width", at_once=40, workers=1, executor=None):
    """Train what a plan asks for and its file does not hold yet.

    After each batch the file is replaced as a whole, in one move of the file system. So whenever the sweep is killed,
    the file holds what was finished, each network once, and the next call goes on from there.

    Args:
        whole: a plan, or any data frame whose columns tell its networks apart.
        run: called with some rows of the plan, returns them with columns of results added.
        path: CSV file to write.
        together: column, or list of columns, in which all rows of a batch are equal, because only networks of one shape
            and one length of training train together.
        at_once: networks in a batch, at most.
        workers: batches that are trained side by side, each in a process and on a processor core of its own; for
            networks that are too large to gain from being trained together. ``run`` must then stand in a module.
        executor: any ``concurrent.futures.Executor`` to train the batches instead, for example that of a Dask cluster.
            It is left running. Threads of one process take turns, because they share torch's random numbers.

    Returns:
        The results in the order of the plan.

    Raises:
        ValueError: the plan asks for a network twice, or for what a CSV file can't hold; the file holds one that the
            plan does not ask for, or there is no folder for it. All this is found before anything is trained.
    """
    path, keys, asked = Path(path), list(whole.columns), whole
    whole = whole.round(DIGITS)
    numbers = whole.select_dtypes("number").columns
    exact, rounded = (table[numbers].to_numpy(float, na_value=np.nan) for table in (asked, whole))
    if not np.allclose(rounded, exact, rtol=1e-6, atol=0, equal_nan=True):
        raise ValueError(f"a number of the plan has no {DIGITS} decimals that tell it from others: take another unit")
    if whole.duplicated().any():
        raise ValueError("the plan asks for a network twice")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} into")
    written = _read(io.StringIO(whole.to_csv(index=False)))
    for key in keys:
        column = whole[key].reset_index(drop=True)
        if not ((written[key] == column) | (written[key].isna() & column.isna())).astype("boolean").fillna(False).all():
            raise ValueError(f"the column {key!r} of the plan does not come back from a CSV file as it is")
    done = _read(path) if path.exists() else whole.head(0)
    done = done.round(dict.fromkeys(whole.select_dtypes("float"), DIGITS))
    wanted, held = (pd.MultiIndex.from_frame(table[keys]) for table in (whole, done))
    if not held.isin(wanted).all():
        raise ValueError(f"{path.name} holds networks that the plan does not ask for: give it another name")
    batches = [
        missing.iloc[first : first + at_once]
        for _, missing in whole[~wanted.isin(held)].groupby(together, sort=False, dropna=False)
        for first in range(0, len(missing), at_once)
    ]
    with contextlib.ExitStack() as stack:
        if executor is None and workers > 1:
            executor = stack.enter_context(_processes(workers))
        results = stack.enter_context(contextlib.closing(_results(run, batches, executor)))
        for batch in results:
            done = batch if done.empty else pd.concat([done, batch])
            done = whole.merge(done, on=keys)  # in the order of the plan
            fresh = path.with_suffix(".new")
            done.to_csv(fresh, index=False, lineterminator="\n")
            os.replace(fresh, path)
            print(f"{len(done)} of {len(whole)} networks", flush=True)
    return done


def _read(file):
    """The table in a CSV file; of texts only the empty one stands for nothing: "NA" may be a name."""
    return pd.read_csv(file, keep_default_na=False, na_values=[""])


def _results(run, batches, executor):
    """Results of batches as they are finished, by an executor or, without one, here."""
    if executor is None:
        yield from (_in_turn(run, batch) for batch in batches)
        return
    futures = [executor.submit(_in_turn, run, batch) for batch in batches]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:  # after an error or an interrupt nothing more is begun
        for future in futures:
            future.cancel()


def _in_turn(run, batch):
    """Results of a batch; of several threads in a process, one at a time."""
    with TURN:
        found = run(batch)
    keys = list(batch.columns)
    complete = set(keys) <= set(found)
    if not complete or not len(batch) == len(found) == len(batch.merge(found[keys].round(DIGITS), on=keys)):
        raise ValueError("run must return each of its rows once, with the columns of the plan as they were")
    return found


@contextlib.contextmanager
def _processes(workers):
    """An executor of several processes on this machine."""
    fresh = multiprocessing.get_context("spawn")  # a copy of this process could not use torch's threads
    with ProcessPoolExecutor(workers, mp_context=fresh, initializer=_prepare_worker) as pool:
        yield pool


def _prepare_worker():
    """Take one core, and end as soon as the process that asked for the work is gone."""
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process().sentinel
    threading.Thread(target=lambda: connection.wait([parent]) and os._exit(1), daemon=True).start()

"""Where zeros pay: times of sparse layers in several layouts, over sparsity, size and batch, on the machine it runs on.

Writes layouts.csv. From the course's folder: ``python data/results/layouts.py``. It takes about six minutes on two
cores. Rows of other machines stay; rows of the same machine are replaced. Where there is a graphics card, it is
measured instead of the processor, and 2:4 in half precision too, which only cards multiply: its rows stand under
"inference, float16", with a dense layer of their own. ``python data/results/layouts.py --quick FOLDER`` measures a few
settings and writes there.
"""

import argparse
import copy
import datetime
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from sparsecourse import doctor, layers, masks, storage, tables

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
REPEATS = 9
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Grid:
    """Settings to measure: units of square layers, examples a call, sparsities."""

    sizes: tuple
    batches: tuple
    sparsities: tuple


INFERENCE = Grid((256, 512, 1024, 2048, 4096), (1, 16, 64, 256), (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99))
TRAINING = Grid((256, 512, 1024, 2048), (128,), (0.5, 0.8, 0.9, 0.95, 0.98, 0.99))
QUICK = Grid((512, 2048), (1, 128), (0.5, 0.9, 0.98))


def inference(grid):
    """Times of a forward pass in every layout but COO, which is tens of times slower than the others."""
    chosen = [layout for layout in storage.CONTENDERS if layout != "coo"]
    settings = list(itertools.product(grid.sizes, grid.sparsities))
    return pd.concat(
        storage.measure_layouts([size], [sparsity], grid.batches, chosen, device=DEVICE, repeats=REPEATS)
        for size, sparsity in tqdm(settings, desc="inference")
    )


def training(grid):
    """Times of a training step."""
    found = []
    for size, batch, sparsity in tqdm(list(itertools.product(grid.sizes, grid.batches, grid.sparsities)), "training"):
        layer = layers.SparseLinear(size, size, mask=masks.random((size, size), sparsity, seed=0), device=DEVICE)
        times = storage.time_training(layer, batch)
        found.append(times.assign(size=size, sparsity=1 - layer.mask.mean().item(), batch=batch))
    return pd.concat(found)


@torch.inference_mode()
def two_of_four(grid):
    """Times of a forward pass in half precision, dense and with two of every four neighbours cut."""
    rows = []
    for size, batch in tqdm(list(itertools.product(grid.sizes, grid.batches)), desc="2:4"):
        S = masks.n_of_m(np.random.default_rng(0).normal(size=(size, size)), 2, 4)
        dense = layers.SparseLinear(size, size, mask=S, device=DEVICE, dtype=torch.float16).to_linear()
        sparse = copy.deepcopy(dense)
        sparse.weight = nn.Parameter(torch.sparse.to_sparse_semi_structured(dense.weight), requires_grad=False)
        x = torch.randn(batch, size, device=DEVICE, dtype=torch.float16)
        calls = {"dense": lambda x=x, layer=dense: layer(x), "2:4": lambda x=x, layer=sparse: layer(x)}
        stored = {"dense": 2 * size * size, "2:4": size * size + size * size // 8}  # half the numbers, 2 bits for each
        for layout, times in storage.time_in_turn(calls, REPEATS).items():
            low, seconds, high = np.quantile(times, [0.25, 0.5, 0.75])
            setting = {"size": size, "sparsity": 0.5, "batch": batch, "layout": layout}
            rows.append(setting | {"seconds": seconds, "low": low, "high": high, "bytes": stored[layout] + 2 * size})
    return pd.DataFrame(rows)


def record(path, product, found):
    """Put what was measured into a table, in place of what this machine had there of the same product."""
    cuda = DEVICE == "cuda"
    machine = torch.cuda.get_device_name() if cuda else f"{doctor.processor()}, {torch.get_num_threads()} threads"
    found = found.assign(product=product, machine=machine, torch=torch.__version__)
    found = found.assign(made_on=f"{datetime.date.today():%Y-%m-%d}", sparsity=found["sparsity"].round(4))
    times = ["seconds", "low", "high"]
    found[times] = found[times].map(lambda seconds: float(f"{seconds:.4g}"))
    columns = ["machine", "torch", "made_on", "product", "size", "sparsity", "batch", "layout", *times, "bytes"]
    if path.exists():
        before = pd.read_csv(path)
        found = pd.concat([before[(before["machine"] != machine) | (before["product"] != product)], found])
    found[columns].to_csv(path, index=False, lineterminator="\n")
    tables.write_checksums(path.parent)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", metavar="FOLDER", type=Path, help="measure a few settings; write there")
    quick = parser.parse_args().quick
    path = (quick or HERE) / "layouts.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    record(path, "inference", inference(QUICK if quick else INFERENCE))
    record(path, "training", training(QUICK if quick else TRAINING))
    if DEVICE == "cuda":
        record(path, "inference, float16", two_of_four(QUICK if quick else INFERENCE))


if __name__ == "__main__":
    main()

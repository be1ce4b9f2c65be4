"""Where zeros pay: times of sparse layers in several layouts, over sparsity, size and batch, on the machine it runs on.

Writes layouts.csv. From the course's folder: ``python data/results/layouts.py``. It takes about six minutes on two
cores. Rows of other machines stay; rows of the same machine are replaced. Where there is a graphics card, it is
measured instead of the processor.
"""

import datetime
import itertools
from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from sparsecourse import doctor, layers, masks, storage, tables

SIZES = (256, 512, 1024, 2048, 4096)
BATCHES = (1, 16, 64, 256)
SPARSITIES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
TRAINING = {"sizes": (256, 512, 1024, 2048), "batches": (128,), "sparsities": (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
HERE = Path(__file__).parent


def inference():
    """Times of a forward pass in every layout but COO, which is tens of times slower than the others."""
    chosen = [layout for layout in storage.CONTENDERS if layout != "coo"]
    settings = list(itertools.product(SIZES, SPARSITIES))
    return pd.concat(
        storage.measure_layouts([size], [sparsity], BATCHES, chosen, device=DEVICE, repeats=9)
        for size, sparsity in tqdm(settings, desc="inference")
    )


def training():
    """Times of a training step."""
    found = []
    for size, batch, sparsity in tqdm(list(itertools.product(*TRAINING.values())), desc="training"):
        layer = layers.SparseLinear(size, size, mask=masks.random((size, size), sparsity, seed=0), device=DEVICE)
        times = storage.time_training(layer, batch)
        found.append(times.assign(size=size, sparsity=1 - layer.mask.mean().item(), batch=batch))
    return pd.concat(found)


def main():
    cuda = DEVICE == "cuda"
    machine = torch.cuda.get_device_name() if cuda else f"{doctor.processor()}, {torch.get_num_threads()} threads"
    found = pd.concat({"inference": inference(), "training": training()}, names=["product"]).reset_index("product")
    found = found.assign(machine=machine, torch=torch.__version__, made_on=f"{datetime.date.today():%Y-%m-%d}")
    path = HERE / "layouts.csv"
    if path.exists():
        before = pd.read_csv(path)
        found = pd.concat([before[before["machine"] != machine], found])
    columns = ["machine", "torch", "made_on", "product", "size", "sparsity", "batch", "layout"]
    times = ["seconds", "low", "high"]
    found[times] = found[times].map(lambda seconds: float(f"{seconds:.4g}"))
    found["sparsity"] = found["sparsity"].round(4)
    found[[*columns, *times, "bytes"]].to_csv(path, index=False, lineterminator="\n")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

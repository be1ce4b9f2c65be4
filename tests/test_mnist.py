"""MNIST: the published images, in three parts."""

import gzip
import hashlib
import importlib.util
import shutil

import pytest
import torch

from sparsecourse import tables, tasks
from tools import lessons

FOLDER = lessons.ROOT / "data" / "mnist"


def test_the_files_are_the_published_ones():
    spec = importlib.util.spec_from_file_location("build_mnist", FOLDER / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert len(build.PUBLISHED) == 4
    for name, digest in build.PUBLISHED.items():
        packed = tables.verified("mnist", f"{name}.gz")
        assert hashlib.sha256(gzip.decompress(packed.read_bytes())).hexdigest() == digest
    assert sum(path.stat().st_size for path in FOLDER.glob("*.gz")) < 12e6


def test_the_parts_are_apart():
    task = tasks.mnist()
    assert [len(getattr(task, part)[1]) for part in tasks.PARTS] == [55_000, 5_000, 10_000]
    X, y = task.train
    assert X.shape == (55_000, 784)
    assert X.dtype == torch.float32
    assert X.mean().item() == pytest.approx(0, abs=1e-4)
    assert X.std().item() == pytest.approx(1, abs=1e-4)
    assert y[:5].tolist() == [5, 0, 4, 1, 9]  # as everyone knows it
    assert task.test[1][:5].tolist() == [7, 2, 1, 0, 4]
    # a zero is dark in the middle and light on a ring around it
    zero = X[1].reshape(28, 28)
    assert zero[14, 13] == X.min()
    assert (zero > 2).sum() > 50


def test_a_part_of_mnist_for_a_quick_try():
    task = tasks.mnist(1_200)
    assert [len(getattr(task, part)[1]) for part in tasks.PARTS] == [1_100, 100, 10_000]
    with pytest.raises(ValueError, match="at least 12 must be taken, got 3"):
        tasks.mnist(3)


def test_damaged_files_are_found(tmp_path, monkeypatch):
    copy = shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    damaged = bytearray((copy / "t10k-labels-idx1-ubyte.gz").read_bytes())
    damaged[100] ^= 1
    (copy / "t10k-labels-idx1-ubyte.gz").write_bytes(damaged)
    monkeypatch.setattr(tables, "folder", lambda collection: copy)
    with pytest.raises(
        tables.DamagedDataError, match=r"t10k-labels-idx1-ubyte\.gz .* changed.*git checkout -- data/mnist"
    ):
        tasks.mnist(1_212)
    (copy / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(tables.DamagedDataError, match="an installed package does not carry it"):
        tasks.mnist(1_224)

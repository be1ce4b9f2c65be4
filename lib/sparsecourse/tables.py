"""The course's data: files under ``data/``, each checked against its published checksum before it is read."""

import hashlib
from importlib import resources
from pathlib import Path

import pandas as pd

TABLES = ("celegans", "results")
COLLECTIONS = (*TABLES, "mnist")
SUFFIXES = (".csv", ".gz", ".safetensors")  # ends of the names of files that have a checksum


class DamagedDataError(RuntimeError):
    """A table of the course is missing or is not the one that was published with it."""


def folder(collection):
    """Folder of a collection: inside an installed package, or ``data/`` of a checkout.

    Args:
        collection: "celegans", the worm's wiring; "results", what took too long to compute in a lesson; or "mnist",
            which an installed package does not carry.
    """
    if collection not in COLLECTIONS:
        raise ValueError(f"collection must be one of {', '.join(COLLECTIONS)}, got {collection!r}")
    packaged = Path(str(resources.files("sparsecourse"))) / "data" / collection
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / collection


def checksums(place):
    """Published sha256 of each file of data in a folder, as {file name: hexadecimal digest}."""
    lines = (Path(place) / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def write_checksums(place):
    """Write the sha256 of every file of data in a folder into its ``SHA256SUMS``; for the scripts that make them."""
    paths = sorted(path for path in Path(place).iterdir() if path.suffix in SUFFIXES)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    (Path(place) / "SHA256SUMS").write_bytes("".join(lines).encode())


def read(collection, name, **options):
    """Read a table into a data frame after checking, as :func:`verified` does, that it is the published one.

    Args:
        collection: "celegans" or "results".
        name: file name without ``.csv``, for example ``"cook2019_gap"``.
        **options: passed on to ``pandas.read_csv``.
    """
    return pd.read_csv(verified(collection, f"{name}.csv"), **options)


def verified(collection, name):
    """Path of a file, for example ``"cook2019_gap.csv"``, after checking that it is the published one.

    Raises:
        DamagedDataError: the file is missing, or its checksum is not the published one.
    """
    place = folder(collection)
    path = place / name
    mend = f"Restore it with `git checkout -- data/{collection}/{name}` in the course's folder"
    if collection == "mnist":
        mend += "; an installed package does not carry it."
    else:
        mend += ", or install sparsecourse again with `pip install --force-reinstall --no-deps`."
    if not path.is_file():
        raise DamagedDataError(f"{name} is missing from {place}. {mend}")
    content = path.read_bytes()
    if path.suffix == ".csv":  # a checkout on Windows may have turned the line ends; that is no damage
        content = content.replace(b"\r\n", b"\n")
    if name not in checksums(place):
        raise DamagedDataError(f"{name} in {place} has no checksum in SHA256SUMS. The script that makes it writes one.")
    if hashlib.sha256(content).hexdigest() != checksums(place)[name]:
        raise DamagedDataError(f"{name} in {place} has been changed: its checksum is not the published one. {mend}")
    return path

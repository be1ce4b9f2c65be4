"""The course's data: files under ``data/``, each checked against its published checksum before it is read."""

import hashlib
from importlib import resources
from pathlib import Path

import pandas as pd

TABLES = ("celegans", "results")
COLLECTIONS = (*TABLES, "mnist")


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
    """Published sha256 of each table in a folder, as {file name: hexadecimal digest}."""
    lines = (Path(place) / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def names(collection):
    """Names of a collection's tables."""
    return [name.removesuffix(".csv") for name in checksums(folder(collection))]


def write_checksums(place, pattern="*.csv"):
    """Write the sha256 of every table in a folder into its ``SHA256SUMS``; for the scripts that make the tables."""
    digests = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in Path(place).glob(pattern)]
    (Path(place) / "SHA256SUMS").write_bytes("".join(sorted(digests, key=lambda line: line.split()[1])).encode())


def read(collection, name, place=None, **options):
    """Read a table after checking that it is the published one.

    Args:
        collection: "celegans" or "results".
        name: file name without ``.csv``, for example ``"cook2019_gap"``.
        place: where to look instead of the collection's :func:`folder`.
        **options: passed on to ``pandas.read_csv``.

    Returns:
        A data frame.

    Raises:
        DamagedDataError: the file is missing, or its checksum is not the published one.
    """
    return pd.read_csv(verified(collection, f"{name}.csv", place), **options)


def verified(collection, name, place=None):
    """Path of a file after checking that it is the published one.

    Args:
        collection: one of ``COLLECTIONS``.
        name: file name, for example ``"cook2019_gap.csv"``.
        place: where to look instead of the collection's :func:`folder`.

    Raises:
        DamagedDataError: the file is missing, or its checksum is not the published one.
    """
    place = Path(place or folder(collection))
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

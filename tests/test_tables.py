"""The course's tables: found, checked, and mended in words."""

import shutil

import pytest

from sparsecourse import tables


def copied(collection, place, monkeypatch):
    """A copy of a collection that may be damaged, and is read in its stead."""
    shutil.copytree(tables.folder(collection), place, dirs_exist_ok=True)
    monkeypatch.setattr(tables, "folder", lambda _collection: place)
    return place


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the worm's tables."""
    return copied("celegans", tmp_path, monkeypatch)


@pytest.mark.parametrize("collection", tables.TABLES)
def test_every_table_reads_and_none_is_forgotten(collection):
    place = tables.folder(collection)
    assert set(tables.checksums(place)) == {path.name for path in place.iterdir() if path.suffix in tables.SUFFIXES}
    assert all(len(tables.read(collection, path.stem)) for path in place.glob("*.csv"))


def test_the_circuits_on_file_are_checked_too(tmp_path, monkeypatch):
    copy = copied("results", tmp_path, monkeypatch)
    assert tables.verified("results", "circuits_19.safetensors").is_file()
    path = copy / "circuits_19.safetensors"
    path.write_bytes(path.read_bytes().replace(b"NCP", b"ncp", 1))
    with pytest.raises(
        tables.DamagedDataError, match=r"circuits_19\.safetensors.*changed.*git checkout -- data/results"
    ):
        tables.verified("results", "circuits_19.safetensors")


def test_an_unknown_collection():
    with pytest.raises(ValueError, match="one of celegans, results, mnist, got 'worms'"):
        tables.folder("worms")


def test_a_changed_table_is_named_with_its_remedy(copy):
    table = copy / "cook2019_gap.csv"
    table.write_text(table.read_text().replace("ADAL", "ADAX", 1))
    with pytest.raises(tables.DamagedDataError, match=r"cook2019_gap\.csv.*changed.*git checkout -- data/celegans"):
        tables.read("celegans", "cook2019_gap")


def test_a_missing_table(copy):
    (copy / "cook2019_gap.csv").unlink()
    with pytest.raises(tables.DamagedDataError, match=r"cook2019_gap\.csv is missing.*git checkout"):
        tables.read("celegans", "cook2019_gap")


def test_a_table_without_a_checksum(copy):
    (copy / "new.csv").write_text("pre,post,synapses\n")
    with pytest.raises(tables.DamagedDataError, match=r"new\.csv .* has no checksum"):
        tables.read("celegans", "new")
    tables.write_checksums(copy)
    assert list(tables.read("celegans", "new")) == ["pre", "post", "synapses"]


@pytest.mark.parametrize("collection", tables.COLLECTIONS)
def test_the_checksums_that_are_there_are_those_that_would_be_written(collection, tmp_path):
    copy = shutil.copytree(tables.folder(collection), tmp_path, dirs_exist_ok=True)
    published = (copy / "SHA256SUMS").read_bytes()
    tables.write_checksums(copy)
    assert (copy / "SHA256SUMS").read_bytes() == published


def test_windows_line_ends_are_no_damage(copy):
    table = copy / "cook2019_gap.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    assert len(tables.read("celegans", "cook2019_gap")) == 1_105

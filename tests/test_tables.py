"""The course's tables: found, checked, and mended in words."""

import shutil

import pytest

from sparsecourse import tables


@pytest.fixture
def copy(tmp_path):
    """A copy of the worm's tables that may be damaged."""
    return shutil.copytree(tables.folder("celegans"), tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize("collection", tables.TABLES)
def test_every_table_reads_and_none_is_forgotten(collection):
    files = {path.stem for path in tables.folder(collection).glob("*.csv")}
    assert files == set(tables.names(collection))
    assert all(len(tables.read(collection, name)) for name in files)


def test_an_unknown_collection():
    with pytest.raises(ValueError, match="one of celegans, results, mnist, got 'worms'"):
        tables.folder("worms")


def test_a_changed_table_is_named_with_its_remedy(copy):
    table = copy / "cook2019_gap.csv"
    table.write_text(table.read_text().replace("ADAL", "ADAX", 1))
    with pytest.raises(tables.DamagedDataError, match=r"cook2019_gap\.csv.*changed.*git checkout -- data/celegans"):
        tables.read("celegans", "cook2019_gap", copy)


def test_a_missing_table(copy):
    (copy / "cook2019_gap.csv").unlink()
    with pytest.raises(tables.DamagedDataError, match=r"cook2019_gap\.csv is missing.*git checkout"):
        tables.read("celegans", "cook2019_gap", copy)


def test_a_table_without_a_checksum(copy):
    (copy / "new.csv").write_text("pre,post,synapses\n")
    with pytest.raises(tables.DamagedDataError, match=r"new\.csv .* has no checksum"):
        tables.read("celegans", "new", copy)
    tables.write_checksums(copy)
    assert list(tables.read("celegans", "new", copy)) == ["pre", "post", "synapses"]


def test_the_checksums_that_are_there_are_those_that_would_be_written(copy):
    published = (copy / "SHA256SUMS").read_bytes()
    tables.write_checksums(copy)
    assert (copy / "SHA256SUMS").read_bytes() == published


def test_windows_line_ends_are_no_damage(copy):
    table = copy / "cook2019_gap.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    assert len(tables.read("celegans", "cook2019_gap", copy)) == 1_105

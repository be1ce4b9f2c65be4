"""The doctor tells a healthy machine from each kind of ailing one, and says what to do."""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from sparsecourse import doctor, tables


def test_this_machine_is_ready(capsys):
    assert doctor.examine()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[3:-1]] == ["ok"] * 5
    assert lines[-1] == "This machine is ready."


def test_an_ailing_machine_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "check_memory", lambda: (False, "0.1 GB of memory free: close other programs."))
    doctor.check_memory.__name__ = "check_memory"
    assert not doctor.examine()
    out = capsys.readouterr().out
    assert re.search(r"^memory +FIX +0.1 GB", out, re.MULTILINE)
    assert "See to the rows marked FIX" in out


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    assert not doctor.check_python()[0]


def ask_for(monkeypatch, *needed, **installed):
    """Let the course need some packages, and let these versions be installed."""

    def version(name):
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "requires", lambda name: list(needed))
    monkeypatch.setattr(metadata, "version", version)


def test_every_package_that_the_course_needs_is_looked_for(monkeypatch):
    fine, words = doctor.check_packages()
    assert fine
    needed = [Requirement(line) for line in metadata.requires("sparsecourse")]
    named = [package.split()[0] for package in words.replace(",\n", ", ").split(", ")]
    assert named == [package.name for package in needed if "extra ==" not in str(package.marker)]
    assert {"torch", "keras", "tqdm"} <= set(named)


def test_packages_that_are_missing_or_out_of_range(monkeypatch):
    needed = ["networkx>=3.4", "numpy>=2.1", "ipywidgets<9,>=7.7", "torch>=2.11", "pandas>=2.2"]
    needed += ["jupyterlab>=4.4; extra == 'lab'", "colorama; sys_platform == 'none'"]
    ask_for(monkeypatch, *needed, numpy="1.26.4", ipywidgets="9.0", torch="2.13.0+cpu", pandas="3.0.0rc1")
    fine, words = doctor.check_packages()
    assert not fine
    assert words == (
        "networkx is not installed, numpy 1.26.4 is installed where >=2.1 is needed, "
        "ipywidgets 9.0 is installed where <9,>=7.7 is needed. "
        'Install with `pip install "networkx>=3.4" "numpy>=2.1" "ipywidgets<9,>=7.7"`.'
    )


def test_a_course_that_is_not_installed_is_told_so(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    fine, words = doctor.check_packages()
    assert not fine
    assert words.startswith("sparsecourse itself is not installed")


def test_missing_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    fine, words = doctor.check_threads()
    assert not fine
    assert "torch can't be imported" in words


def test_spinning_threads(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    fine, words = doctor.check_threads()
    assert not fine
    assert "OMP_WAIT_POLICY is ACTIVE" in words


def test_little_memory(monkeypatch):
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: SimpleNamespace(available=2**28))
    fine, words = doctor.check_memory()
    assert not fine
    assert words.startswith("0.2 GB of memory free: a lesson may need 0.8 GB")


def test_damaged_data(monkeypatch, tmp_path):
    shutil.copytree(tables.folder("celegans"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "neurons.csv").write_text("name\n")
    monkeypatch.setattr(tables, "folder", lambda _collection: tmp_path)
    fine, words = doctor.check_data()
    assert not fine
    assert "neurons.csv" in words
    assert "git checkout" in words


def test_a_damaged_circuit(monkeypatch, tmp_path):
    shutil.copytree(tables.folder("results"), tmp_path, dirs_exist_ok=True)
    with (tmp_path / "circuits_19.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        (last,) = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    monkeypatch.setattr(tables, "folder", lambda _collection: tmp_path)
    fine, words = doctor.check_data()
    assert not fine
    assert "circuits_19.safetensors" in words


@pytest.mark.parametrize(
    ("order", "fine"),
    [("import sparsecourse, torch", True), ("import torch, sparsecourse", False)],
    ids=["first", "late"],
)
def test_the_order_of_imports(order, fine):
    """OpenMP reads its policy when torch loads it, so sparsecourse must come first; each order in a fresh process."""
    code = f"import os; os.environ.pop('OMP_WAIT_POLICY', None); {order}; from sparsecourse import doctor; "
    result = subprocess.run(
        [sys.executable, "-c", code + "print(*doctor.check_threads())"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(str(fine))
    assert ("Restart the kernel" in result.stdout) is not fine


@pytest.mark.parametrize(("policy", "spins"), [(None, "1000"), ("passive", "1000"), ("ACTIVE", None)])
def test_waiting_threads_look_a_few_times_before_they_sleep(policy, spins):
    environment = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    if policy:
        environment["OMP_WAIT_POLICY"] = policy
    code = "import os, sparsecourse; print(os.environ.get('GOMP_SPINCOUNT'))"
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == str(spins)

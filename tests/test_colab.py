"""A lesson on Colab: the notebook alone, away from the checkout, in an environment with the versions found there.

``make colab`` makes that environment and runs this. The setup cell installs the course from a git address on this
machine, to which git sends whatever asks for GitHub.
"""

import json
import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tools import address, lessons, release, repository

PYTHON = os.environ.get("COLAB_PYTHON")
COURSE = "owner/course"

pytestmark = pytest.mark.skipif(not PYTHON, reason="needs an environment like Colab's: make colab")


def installed():
    """Packages of the environment, {name: version}."""
    listed = subprocess.run([PYTHON, "-m", "pip", "list", "--format=json"], capture_output=True, check=True).stdout
    return {package["name"].lower(): package["version"] for package in json.loads(listed)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The course as it would be fetched from its address, with that address set."""
    folder = tmp_path_factory.mktemp("github") / COURSE
    repository.copy(lessons.ROOT, folder)
    address.write(COURSE, folder)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=course"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    if tag := release.stamp(folder):  # what the setup cells install
        subprocess.run([*git, "tag", tag], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def colab(checkout, tmp_path_factory):
    """Environment variables for a kernel that thinks it is on Colab; the kernel is called colab."""
    home = tmp_path_factory.mktemp("colab")
    (home / "google" / "colab").mkdir(parents=True)
    (home / "google" / "colab" / "__init__.py").touch()
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import google.colab")
    (home / "gitconfig").write_text(
        f'[url "{checkout.parents[1].as_uri()}/"]\n\tinsteadOf = https://github.com/\n[safe]\n\tdirectory = *\n'
    )
    kernel = home / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = [PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "colab", "language": "python"}))
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PIP_CONSTRAINT"}
    return {name: value for name, value in os.environ.items() if name not in hidden} | {
        "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "JUPYTER_PATH": str(home),
    }


def test_the_environment_is_like_colabs():
    pins = (lessons.ROOT / "tests" / "colab.txt").read_text(encoding="utf-8").splitlines()
    found = installed()
    for name, version in (line.split("==") for line in pins if not line.startswith("#")):
        assert found[name] == version


@pytest.mark.parametrize("lesson", lessons.pages(), ids=lambda path: path.stem)
def test_a_lone_notebook_runs(lesson, checkout, colab, tmp_path, monkeypatch):
    before = installed()
    notebook = nbformat.read(checkout / "notebooks" / lesson.name, as_version=4)
    monkeypatch.setenv("JUPYTER_PATH", colab["JUPYTER_PATH"])
    client = NotebookClient(
        notebook, timeout=300, kernel_name="colab", resources={"metadata": {"path": str(tmp_path)}}, record_timing=False
    )
    client.execute(env=colab)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    setup = next(cell for cell in code if "setup" in lessons.tags(cell))
    assert "does not know the course's address" not in str(setup.outputs)
    after = installed()
    assert "sparsecourse" in after
    assert {name: after[name] for name in before} == before, "the setup cell changed what Colab had installed"

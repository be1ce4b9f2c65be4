"""The two commands' rules, without running them, and the workflow that runs them elsewhere."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tools import lessons

NEW, OLD = 4_000_000_000, 1  # seconds since 1970: younger and older than every file


def plan(target, environment=None):
    """The commands that make would run, in an environment other than the target's own."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    command = ["make", "--dry-run", "--no-print-directory", target]
    if environment:
        command.append(f"VENV={environment.as_posix()}")
    outer = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}  # what the make that runs the tests was told
    free = {name: value for name, value in os.environ.items() if name not in outer}
    result = subprocess.run(command, cwd=lessons.ROOT, env=free, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def ready(environment, time):
    mark = environment / "ready"
    mark.touch()
    os.utime(mark, (time, time))


@pytest.mark.parametrize("target", ["lab", "test"])
def test_an_interrupted_install_is_redone_from_nothing(target, tmp_path):
    """Everything may be there but the last step's mark: then nothing is trusted."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert "-m venv --clear" in plan(target, tmp_path)[0]


def test_a_finished_install_is_used_as_it_is(tmp_path):
    ready(tmp_path, NEW)
    commands = plan("lab", tmp_path)
    assert len(commands) == 1
    assert re.search(r"jupyter lab .*00_start_here\.ipynb", commands[0])


def test_an_install_older_than_its_constraints_is_redone(tmp_path):
    ready(tmp_path, OLD)
    assert "-m venv --clear" in plan("test", tmp_path)[0]


def test_torch_comes_first_and_pinned_and_the_mark_comes_last(tmp_path):
    commands = plan("lab", tmp_path)
    assert re.search(r"--retries 0 torch==[\d.]+$", commands[1])
    assert [" torch" in command for command in commands].count(True) == 1
    assert "--extra-index-url" not in "".join(commands[2:])
    assert "ready" in commands[3]


def test_the_workflows_are_valid():
    workflows = sorted((lessons.ROOT / ".github" / "workflows").glob("*.yml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]
    result = subprocess.run(command, capture_output=True, text=True)
    assert len(workflows) == 2
    assert result.returncode == 0, result.stdout


def test_the_workflow_asks_for_what_exists():
    workflow = (lessons.ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    asked = re.findall(r"run: (?:make (\w+)|(\.ci/\w+))", workflow)
    assert {("versions", ""), ("test", ""), ("", ".ci/run")} <= set(asked)
    for target, script in asked:
        assert plan(target) if target else (lessons.ROOT / script).is_file()


def test_other_versions_are_tried_in_an_environment_of_their_own():
    """With the torch that was resolved, not the pinned one."""
    commands = plan("versions")
    assert commands[0].endswith("-m venv --clear build/versions")
    assert not any(re.search(r"\.venv|torch==\d", command) for command in commands)
    assert "tests/test_layers.py" in commands[-1]
    assert "tests/test_hub.py" not in commands[-1]

"""The two commands' rules, without running them, and the workflow that runs them elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
import yaml

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
    assert re.search(r"jupyter\"? lab .*00_start_here\.ipynb", commands[0])


def test_an_install_older_than_its_constraints_is_redone(tmp_path):
    ready(tmp_path, OLD)
    assert "-m venv --clear" in plan("test", tmp_path)[0]


def test_torch_comes_first_and_pinned_and_the_mark_comes_last(tmp_path):
    commands = plan("lab", tmp_path)
    assert re.search(r"--retries 0 torch==[\d.]+$", commands[1])
    assert [" torch" in command for command in commands].count(True) == 1
    assert "--extra-index-url" not in "".join(commands[2:])
    assert "ready" in commands[3]


STUB = """#!/bin/sh
printf '%s\\n' "$0 $*" >> "$LOG"
case "$*" in
*"-m venv --clear "*) mkdir -p "$4/bin" && for name in python jupyter ruff; do cp "$0" "$4/bin/$name"; done ;;
*/ready*) touch "$MARKS/ready" ;;
*/tested*) touch "$MARKS/tested" ;;
esac
"""


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
@pytest.mark.parametrize("environment", [".venv", "eine Umgebung"])
@pytest.mark.parametrize("target", ["lab", "test", "colab"])
def test_a_folder_may_have_blanks_and_any_letters_in_its_name(tmp_path, target, environment):
    """The commands themselves run, with a stand-in for Python that notes what it is asked."""
    folder, stub = tmp_path / "ein Kurs für Zoë", tmp_path / "Program Files" / "python"
    folder.mkdir()
    stub.parent.mkdir()
    stub.write_text(STUB)
    stub.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(lessons.ROOT / name, folder)
    noted = {"LOG": str(tmp_path / "log"), "MARKS": str(folder / environment)}
    free = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", target, f"PYTHON={stub}", f"VENV={environment}"]
    done = subprocess.run(command, cwd=folder, env=free | noted, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = (tmp_path / "log").read_text().splitlines()
    assert asked[0] == f"{stub} -m venv --clear {environment}"
    last = {"lab": f"{environment}/bin/jupyter lab", "test": f"{environment}/bin/python -m pytest"}
    assert asked[-1].startswith(last.get(target, f"{environment}/bin/python -m pytest tests/test_colab.py"))
    again = subprocess.run([*command, "--dry-run"], cwd=folder, env=free, capture_output=True, text=True, check=True)
    assert ("venv --clear" in again.stdout) == (target == "colab")  # what is ready is not made again


def test_the_workflows_are_valid():
    workflows = sorted((lessons.ROOT / ".github" / "workflows").glob("*.yml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]
    result = subprocess.run(command, capture_output=True, text=True)
    assert len(workflows) == 2
    assert result.returncode == 0, result.stdout


WORKFLOWS = sorted((lessons.ROOT / ".github" / "workflows").glob("*.yml"))


def test_actions_are_pinned_by_commit_and_say_their_version():
    """A tag can be moved to other code, a commit can't."""
    lines = [line for path in WORKFLOWS for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    found = [re.search(r"- uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) # v(\d+\.\d+\.\d+)$", line) for line in lines]
    assert len(lines) >= 8
    assert all(found), [line for line, pin in zip(lines, found, strict=True) if not pin]
    assert len({pin.groups() for pin in found}) == len({pin[1] for pin in found})  # each action in one version


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_no_more_than_it_must(path):
    """Only what publishes the site may write, and nothing that it checks out holds the token."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert granted == ({"publish": {"pages": "write", "id-token": "write"}} if path.stem == "site" else {})
    assert "pull_request_target" not in path.read_text(encoding="utf-8")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for id is a shell script")
@pytest.mark.parametrize("user", [0, 1000, 10])
def test_the_lab_runs_as_root_only_where_the_user_is(tmp_path, monkeypatch, user):
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (tmp_path / "id").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ("--allow-root" in plan("lab")[-1]) == (user == 0)


def test_root_is_let_in_only_where_somebody_asks_who_it_is():
    """The line or the one above it looks at the user, or hands on what the caller has said."""
    asked = re.compile(r"id -u|geteuid\(\)|ALLOW_ROOT|add_argument")
    folders = (".ci", ".github", "docs", "lib", "notebooks", "site", "tools", "workshop")
    paths = [*lessons.ROOT.iterdir(), *(path for folder in folders for path in (lessons.ROOT / folder).rglob("*"))]
    found = set()
    for path in paths:
        if path.suffix != ".pyc" and path.is_file() and b"--allow-root" in (content := path.read_bytes()):
            found.add(path.name)
            for before, line in pairwise(["", *content.decode().splitlines()]):
                assert "--allow-root" not in line or asked.search(before + line), f"{path.name}: {line}"
    assert {"Makefile", "loopback_config.py"} <= found


def test_the_workflow_asks_for_what_exists():
    workflow = (lessons.ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    asked = re.findall(r"run: (?:make (\w+)|(\.ci/\w+))", workflow)
    assert {("versions", ""), ("test", ""), ("", ".ci/run")} <= set(asked)
    for target, script in asked:
        assert plan(target) if target else (lessons.ROOT / script).is_file()


def test_other_versions_are_tried_in_an_environment_of_their_own():
    """With the torch that was resolved, not the pinned one."""
    commands = plan("versions")
    assert commands[0].endswith('-m venv --clear "build/versions"')
    assert not any(re.search(r"\.venv|torch==\d", command) for command in commands)
    assert "tests/test_layers.py" in commands[-1]
    assert "tests/test_hub.py" not in commands[-1]

"""One source of dependencies: pyproject.toml. The other files that name packages agree with it."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata

import lessons
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from rattler import MatchSpec

PROJECT = tomllib.loads((lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((lessons.ROOT / "environment.yml").read_text(encoding="utf-8"))
CONSTRAINTS = {
    requirement.name: requirement
    for line in (lessons.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for requirement in [Requirement(line)]
}
PIP_SECTION = next(line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch"}  # what conda-forge calls them
COLAB = {  # preinstalled there; its widgets must not be upgraded
    requirement.name: next(iter(requirement.specifier)).version
    for line in ["torch==2.11.0", *(lessons.ROOT / "tests" / "colab.txt").read_text(encoding="utf-8").splitlines()]
    if not line.startswith("#")
    for requirement in [Requirement(line)]
}
NOT_ON_COLAB = {"mnist1d", "ncps"}  # small, pure Python, and installed there by the setup cell


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(lines):
    return {normal(requirement.name): requirement.specifier for requirement in map(Requirement, lines)}


def test_environment_yml_names_the_same_packages_in_the_same_ranges():
    conda = {}
    for line in CONDA["dependencies"]:
        if isinstance(line, str) and not line.startswith(("python=", "pip")):
            name = re.match(r"[\w-]+", line)[0]
            conda |= requirements([CONDA_NAMES.get(name, name) + line[len(name) :]])
    conda |= requirements(line for line in PIP_SECTION if line != "-e .")
    assert conda == requirements(PROJECT["dependencies"] + EXTRAS["lab"])


def test_environment_yml_installs_the_course_itself():
    assert PIP_SECTION[-1] == "-e ."
    assert CONDA["variables"] == {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
    assert CONDA["channels"][0] == "conda-forge"


def test_environment_yml_pins_python():
    python = next(line for line in CONDA["dependencies"] if isinstance(line, str) and line.startswith("python="))
    assert Version(python.removeprefix("python=")) in Requirement(f"python{PROJECT['requires-python']}").specifier


@pytest.mark.skipif(sys.platform == "win32", reason="Binder's builder does not run on Windows")
def test_binder_builds_with_conda_from_environment_yml():
    """The Dockerfile that Binder would use; building it needs Docker and a network."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(lessons.ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "Building conda environment for python=3.12" in said
    assert re.search(r'env update .*--file "environment.yml"', said)


def test_conda_reads_every_name_and_range():
    """Whether conda-forge has them can't be asked without a network."""
    for line in CONDA["dependencies"]:
        if isinstance(line, str):
            assert MatchSpec(line, strict=True).name is not None


def test_every_lesson_fits_into_a_small_binder_session():
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    megabytes = [int(found) for found in re.findall(r"\| \d+ s \| (\d+) MB \|", readme)]
    assert len(megabytes) == len(lessons.paths())
    assert max(megabytes) < 1000


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_constraints_are_exact_and_within_the_ranges(extra):
    exact = {normal(name): next(iter(requirement.specifier)) for name, requirement in CONSTRAINTS.items()}
    for name, allowed in requirements(EXTRAS[extra] if extra else PROJECT["dependencies"]).items():
        assert exact[name].operator == "=="
        assert exact[name].version in allowed, f"{name}=={exact[name].version} is not in {allowed}"


def test_constraints_hold_no_build_of_a_platform():
    """`torch==…+cpu` exists on Linux only."""
    assert not [name for name, requirement in CONSTRAINTS.items() if "+" in str(requirement.specifier)]


@pytest.mark.parametrize("name", sorted(requirements(PROJECT["dependencies"]).keys() - NOT_ON_COLAB))
def test_colab_needs_no_upgrade(name):
    assert COLAB[name] in requirements(PROJECT["dependencies"])[name]


def test_the_readme_installs_the_constrained_torch():
    readme = (lessons.ROOT / "README.md").read_text(encoding="utf-8")
    assert f"torch{CONSTRAINTS['torch'].specifier}" in readme


def test_what_is_installed_is_what_is_constrained():
    """This environment is the one that the constraints describe, so what passes here is what they promise."""
    here = ("lab", "test", "site", "workshop", "hub")
    for name in requirements(PROJECT["dependencies"] + [line for extra in here for line in EXTRAS[extra]]):
        constrained = {normal(key): value for key, value in CONSTRAINTS.items()}[name]
        assert Version(metadata.version(name)).public in constrained.specifier

"""One source of dependencies: pyproject.toml. The other files that name packages agree with it."""

import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

from tools import lessons

PROJECT = tomllib.loads((lessons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((lessons.ROOT / "environment.yml").read_text(encoding="utf-8"))
CONSTRAINTS = (lessons.ROOT / "constraints.txt").read_text(encoding="utf-8")
PINS = [Requirement(line) for line in CONSTRAINTS.splitlines() if line[0] not in " #"]  # below each: who asks for it
HERE = {}  # this Python on this system
SYSTEMS = [
    {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system, "os_name": kind}
    for python in ("3.11", "3.13")  # the oldest and the newest that the course promises
    for system, kind in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
]
PIP_SECTION = next(line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch"}  # what conda-forge calls them
COLAB = {  # preinstalled there; its widgets must not be upgraded
    requirement.name: next(iter(requirement.specifier)).version
    for line in ["torch==2.11.0", *(lessons.ROOT / "tests" / "colab.txt").read_text(encoding="utf-8").splitlines()]
    if not line.startswith("#")
    for requirement in [Requirement(line)]
}
NOT_ON_COLAB = {"mnist1d", "ncps"}  # small, pure Python, and installed there by the setup cell


def requirements(lines):
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in map(Requirement, lines)}


def pins(environment):
    """What is pinned on a system: [(name, specifier)]."""
    return [(pin.name, pin.specifier) for pin in PINS if pin.marker is None or pin.marker.evaluate(environment)]


def asked(*extras):
    """What the course asks for, alone and with extras."""
    return requirements(PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]])


def test_environment_yml_names_the_same_packages_in_the_same_ranges():
    conda = {}
    for line in CONDA["dependencies"]:
        if isinstance(line, str) and not line.startswith(("python=", "pip")):
            name = re.match(r"[\w-]+", line)[0]
            conda |= requirements([CONDA_NAMES.get(name, name) + line[len(name) :]])
    conda |= requirements(line for line in PIP_SECTION if line != "-e .")
    lessons_as_tests = {name: asked("test")[name] for name in ("nbval", "pytest")}  # pytest --nbval notebooks
    assert conda == asked("lab") | lessons_as_tests


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
    assert len(megabytes) == len(lessons.pages())
    assert max(megabytes) < 1000


@pytest.mark.parametrize("environment", [HERE, *SYSTEMS], ids=lambda system: "-".join(system.values()) or "here")
def test_on_every_system_constraints_hold_one_version_of_each_package_within_its_ranges(environment):
    exact = dict(pins(environment))
    assert len(exact) == len(pins(environment))
    for name, specifier in exact.items():
        assert [only.operator for only in specifier] == ["=="], f"{name}{specifier} is not exact"
    for extra in EXTRAS:
        for name, allowed in asked(extra).items():
            (only,) = exact[name]
            assert only.version in allowed, f"{name}=={only.version} is not in {allowed}"


def test_constraints_are_compiled_from_pyproject():
    """A package that is no longer asked for shows as one too many: then it is time for `make constraints`."""
    blocks = re.split(r"\n(?=\w)", CONSTRAINTS)
    direct = {block.partition("==")[0] for block in blocks if f"{PROJECT['name']} (pyproject.toml)" in block}
    assert direct == set(asked(*EXTRAS))


def test_constraints_hold_no_address_and_no_build_of_a_platform():
    """`torch==…+cpu` exists on Linux only."""
    assert not re.search(r"://|\+", CONSTRAINTS)


@pytest.mark.parametrize("name", sorted(asked().keys() - NOT_ON_COLAB))
def test_colab_needs_no_upgrade(name):
    assert COLAB[name] in asked()[name]


def test_who_installs_by_hand_gets_the_constrained_torch():
    """`make` and the hub take the pin as it stands, so it needs a line of its own without a marker."""
    page = (lessons.ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    pin = re.search(r"^torch==[\d.]+$", CONSTRAINTS, re.MULTILINE)[0]
    assert f"{pin}\n" in page


def test_what_is_installed_is_what_is_constrained():
    """This environment is the one that the constraints describe, so what passes here is what they promise."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}  # and not what a package carries inside
    found = metadata.distributions(path=list(places))
    installed = {canonicalize_name(package.name): package.version for package in found}
    assert set(asked("lab", "test", "site", "workshop", "hub", "cluster")) <= set(installed)
    for name, constrained in pins(HERE):
        if name in installed:
            assert Version(installed[name]).public in constrained, f"{name} is {installed[name]}, not {constrained}"

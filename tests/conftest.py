"""Import sparsecourse before anything imports torch, as every lesson does, and leave a learner's progress alone."""

import functools
import os
import subprocess
import sys

import hypothesis
import pytest

import sparsecourse  # noqa: F401
import tools.browser
from tools.lessons import ROOT

os.environ["SPARSECOURSE_PROGRESS"] = "off"  # kernels inherit it
hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("course")


def pytest_runtest_setup(item):
    """Where there is no browser, skip what drives one; with REQUIRE_BROWSER set, it fails instead."""
    drives = item.get_closest_marker("browser")
    if drives and tools.browser.PATH is None and not os.environ.get("REQUIRE_BROWSER"):
        pytest.skip(f"no browser found: {tools.browser.MISSING}")


@pytest.fixture(scope="module")
def browser():
    """A running browser."""
    with tools.browser.launched() as running:
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Function that builds the site for an address, once for each, and returns its folder."""

    @functools.cache
    def build(address):
        folder = tmp_path_factory.mktemp("site") / "site"
        command = [sys.executable, str(ROOT / "site" / "build.py"), "--output", str(folder), "--address", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return build

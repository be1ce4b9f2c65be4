"""What several files of tests share: a browser, the built site, and what a hub needs."""

import functools
import importlib.util
import os
import shutil
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
import torch

import tools.browser
from tools.lessons import ROOT

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("course")


def pytest_runtest_setup(item):
    """Random numbers without a seed are the same in every run, so what fails once fails again.

    Where there is no browser, skip what drives one; with REQUIRE_BROWSER set, it fails instead.
    """
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - a generator of its own would not reach the code that is tested
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
    """Function that builds the site for an address, its panels still or drawn, once each, and returns its folder."""

    @functools.cache
    def build(address="", still=True):
        folder = tmp_path_factory.mktemp("site") / "site"
        command = [sys.executable, ROOT / "site" / "build.py", "--output", folder, "--address", address]
        done = subprocess.run(command + ["--still"] * still, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return build


@pytest.fixture(scope="module")
def folder(built):
    """The site without an address, its panels still."""
    return built()


@pytest.fixture(scope="module")
def host(folder):
    """Where the site is served."""
    with tools.browser.served(folder) as address:
        yield address


@pytest.fixture(scope="session")
def needs():
    """A function that skips where packages or git are missing; with REQUIRE_HUB set, that is a failure."""

    def check(*packages, also=()):
        missing = [name for name in packages if not importlib.util.find_spec(name)]
        missing += [] if shutil.which("git") else ["git"]
        missing += also
        if missing and os.environ.get("REQUIRE_HUB"):
            pytest.fail(f"REQUIRE_HUB is set, and this is missing: {', '.join(missing)}")
        if missing:
            pytest.skip(f"missing: {', '.join(missing)}")

    return check


@pytest.fixture(scope="session")
def real_hub(needs):
    """Skip where a JupyterHub can't run."""
    needs("jupyterhub", "nbgitpuller", "aiohttp")
    from workshop.hub.loopback import proxy

    try:
        proxy()
    except RuntimeError as error:
        needs(also=[str(error)])

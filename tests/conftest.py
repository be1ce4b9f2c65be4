"""What several files of tests share: a browser."""

import os

import hypothesis
import pytest

import tools.browser

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

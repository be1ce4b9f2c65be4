"""The browser of the browser tests, and when they may be skipped."""

import contextlib
import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)

in_a_browser = pytest.mark.skipif(
    BROWSER is None and not os.environ.get("REQUIRE_BROWSER"),
    reason=f"no browser found: none of {', '.join(NAMES)} is installed",
)


@contextlib.contextmanager
def launched():
    """A running browser."""
    from playwright.sync_api import sync_playwright  # here, so that the other tests run without it

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield chromium
        chromium.close()

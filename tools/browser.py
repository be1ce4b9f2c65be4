"""The browser that tests the pages and prints the answer book."""

import contextlib
import functools
import http.server
import os
import shutil
import threading

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATH = next((path for name in NAMES if (path := shutil.which(name))), None)
MISSING = f"none of {', '.join(NAMES)} is installed"


@contextlib.contextmanager
def launched():
    """Start the browser for a `with` block.

    Yields:
        A running browser, as Playwright has it.
    """
    from playwright.sync_api import sync_playwright  # here, so that tests without a browser run without it

    # as root, in a container say, Chromium runs without its sandbox or not at all
    rootless = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=PATH, args=[*rootless, "--disable-dev-shm-usage", "--disable-gpu"]
        )
        try:
            yield running
        finally:
            running.close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder):
    """Serve the files of a folder for a `with` block.

    Yields:
        The folder's address.
    """
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()

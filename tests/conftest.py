"""Import sparsecourse before anything imports torch, as every lesson does, and leave a learner's progress alone."""

import os

import browsers
import pytest

import sparsecourse  # noqa: F401

os.environ["SPARSECOURSE_PROGRESS"] = "off"  # kernels inherit it


@pytest.fixture(scope="module")
def browser():
    """A running browser."""
    with browsers.launched() as running:
        yield running

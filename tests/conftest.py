"""Import sparselab before anything imports torch, as every lesson does, and leave a learner's progress alone."""

import os

import sparselab  # noqa: F401

os.environ["SPARSELAB_PROGRESS"] = "off"  # kernels inherit it

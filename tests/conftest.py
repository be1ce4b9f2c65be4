"""Import sparselab before anything imports torch, as every lesson does."""

import sparselab  # noqa: F401

"""The three common layouts by hand, small and for reading."""

from dataclasses import dataclass

import numpy as np

from sparsecourse.arrays import as_matrix
from sparsecourse.masks import check_block

BLOCK = (16, 16)  # (rows, columns) of a block of BSR


class _Lists:
    """What the layouts have in common: they are lists of numbers, and know the shape of their matrix."""

    @property
    def nbytes(self):
        """Bytes of the lists."""
        return sum(part.nbytes for part in vars(self).values() if isinstance(part, np.ndarray))

    def dense(self):
        """The matrix, (out, in), zeros included."""
        return self._put(self.values, self.shape)

    def _put(self, entries, shape):
        """Zeros of a shape, with the entries in their rows and columns."""
        W = np.zeros(shape, dtype=np.float32)
        W[self.rows, self.columns] = entries
        return W


class _Compressed(_Lists):
    """Lists that hold for each row the place where it starts."""

    @property
    def rows(self):
        """The row of each entry, which the lists themselves do not hold."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


@dataclass(frozen=True)
class COO(_Lists):
    """Coordinates: every value with its row and its column."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W):
        """The layout of a matrix W, (out, in), with indices of 32 bits."""
        W = as_matrix(W)
        rows, columns = np.nonzero(W)
        return cls(W[rows, columns].astype(np.float32), rows.astype(np.int32), columns.astype(np.int32), W.shape)


@dataclass(frozen=True)
class CSR(_Compressed):
    """Compressed sparse rows: every value with its column, and for each row the place where it starts."""

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W):
        """The layout of a matrix W, (out, in), with indices of 32 bits."""
        coo = COO.of(W)
        starts = np.searchsorted(coo.rows, np.arange(coo.shape[0] + 1))  # the entries that earlier rows hold
        return cls(coo.values, coo.columns, starts.astype(np.int32), coo.shape)


@dataclass(frozen=True)
class BSR(_Compressed):
    """Block sparse rows: CSR whose entries are blocks. A block is stored whole if any of its entries is not zero."""

    blocks: np.ndarray  # (blocks kept, rows of a block, columns of a block)
    columns: np.ndarray  # counted in blocks
    starts: np.ndarray
    shape: tuple

    @classmethod
    def of(cls, W, block=BLOCK):
        """The layout of a matrix W, (out, in), in blocks of (rows, columns); a ValueError if they do not tile it."""
        W = as_matrix(W)
        check_block(W.shape, block)
        height, width = block
        tiles = W.reshape(W.shape[0] // height, height, W.shape[1] // width, width).swapaxes(1, 2)
        plan = CSR.of(tiles.any(axis=(2, 3)))
        return cls(tiles[plan.rows, plan.columns].astype(np.float32), plan.columns, plan.starts, W.shape)

    def dense(self):
        """The matrix, (out, in), zeros included."""
        (n_out, n_in), (height, width) = self.shape, self.blocks.shape[1:]
        tiles = self._put(self.blocks, (n_out // height, n_in // width, height, width))
        return tiles.swapaxes(1, 2).reshape(self.shape)

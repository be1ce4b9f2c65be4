"""Layers that store a sparse matrix in a layout of torch: one for inference, one that trains."""

import warnings

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from sparsecourse.layers import give_hooks, take_place
from sparsecourse.masks import check_block
from sparsecourse.storage.formats import BLOCK

LAYOUTS = ("folded", "csr", "csr int64", "coo", "bsr")

# torch says so once in every process; there is nothing that a reader could do about it
warnings.filterwarnings("ignore", "Sparse (CSR|BSR) tensor support is in beta state")


def stored_bytes(module):
    """Bytes of everything that a module stores, parameters and buffers."""
    return sum(part.nbytes for part in (*module.parameters(), *module.buffers()))


class SparseInference(nn.Module):
    """A trained sparse layer, stored in one of several layouts, for inference: y = W x + b with nothing to learn.

    What is stored lies in buffers, so the module is saved, copied and moved like any other.

    Args:
        layer: a ``layers.SparseLinear``.
        layout: one of ``LAYOUTS``: "folded" (dense, zeros and all), "csr" (32-bit indices), "csr int64", "coo" (torch
            keeps its indices in 64 bits) or "bsr", in blocks of ``BLOCK``.

    Raises:
        ValueError: there is no such layout, or the blocks do not tile the matrix.
    """

    def __init__(self, layer, layout="csr"):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
        self.layout, self.shape = layout, tuple(layer.weight.shape)
        for name, part in _split(layer.weight.detach(), layout).items():
            self.register_buffer(name, part.clone())
        bias = torch.zeros(self.shape[0]).to(layer.W) if layer.bias is None else layer.bias.detach().clone()
        self.register_buffer("bias", bias)
        take_place(self, layer)

    @property
    def weight(self):
        """The matrix as a torch tensor in its layout. It is put together from the buffers, which copies nothing."""
        if self.layout == "folded":
            return self.values
        if self.layout == "coo":
            return torch.sparse_coo_tensor(
                self.places, self.values, self.shape, is_coalesced=True, check_invariants=False
            )
        return _compressed(self.starts, self.columns, self.values, self.shape)

    def forward(self, x):
        if self.layout == "folded":
            return nn.functional.linear(x, self.values, self.bias)
        # The sparse matrix stands on the left: torch's product with one on the right is several times slower. For a
        # single example there is a product of its own, twice as fast.
        flat = x.reshape(-1, self.shape[1])
        if len(flat) == 1 and self.layout.startswith("csr"):
            y = torch.addmv(self.bias, self.weight, flat[0])
        else:
            y = torch.addmm(self.bias[:, None], self.weight, flat.T).T
        return y.reshape(*x.shape[:-1], self.shape[0])

    @property
    def nbytes(self):
        """Bytes of everything that is stored, the bias included."""
        return stored_bytes(self)

    def extra_repr(self):
        return f"in_features={self.shape[1]}, out_features={self.shape[0]}, layout={self.layout!r}, bytes={self.nbytes}"


def _split(W, layout):
    """The tensors that a layout keeps of a dense W, by name."""
    if layout == "folded":
        return {"values": W}
    if layout == "coo":
        packed = W.to_sparse_coo().coalesce()
        return {"values": packed.values(), "places": packed.indices()}
    if layout == "bsr":
        check_block(W.shape, BLOCK)
        packed = W.to_sparse_bsr(BLOCK)
    else:
        packed = W.to_sparse_csr()
    index = torch.int64 if layout == "csr int64" else torch.int32
    return {
        "values": packed.values(),
        "columns": packed.col_indices().to(index),
        "starts": packed.crow_indices().to(index),
    }


def _compressed(starts, columns, values, shape):
    """A CSR tensor of these parts, or a BSR tensor where the values are blocks."""
    layout = torch.sparse_csr if values.ndim == 1 else torch.sparse_bsr
    return torch.sparse_compressed_tensor(starts, columns, values, shape, layout=layout, check_invariants=False)


class _CSRProduct(torch.autograd.Function):
    """y = x Wᵀ + b with gradients for the stored values only; PyTorch's own backward takes longer, up to several times.

    PyTorch's lays Wᵀ out anew at every step. And the products want an example in a column: here x and dy are turned
    once, and what is turned serves every product.
    """

    @staticmethod
    def forward(ctx, x, values, bias, layer):
        x_T = x.T.contiguous()
        ctx.save_for_backward(x_T, values)
        ctx.layer = layer
        W = _compressed(layer.starts, layer.columns, values, layer.shape)
        return (torch.sparse.mm(W, x_T) if bias is None else torch.addmm(bias[:, None], W, x_T)).T

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        x_T, values = ctx.saved_tensors
        layer, dx, dvalues, dbias = ctx.layer, None, None, None
        dy_T = dy.T.contiguous()
        if ctx.needs_input_grad[0]:
            # index_select takes a fraction of the time of values[order_T]
            values_T = values.index_select(0, layer.order_T)
            W_T = _compressed(layer.starts_T, layer.columns_T, values_T, layer.shape[::-1])
            dx = torch.sparse.mm(W_T, dy_T).T
        if ctx.needs_input_grad[1]:
            dW = _compressed(layer.starts, layer.columns, torch.zeros_like(values), layer.shape)
            dvalues = torch.sparse.sampled_addmm(dW, dy_T, x_T.T, out=dW).values()
        if ctx.needs_input_grad[2]:
            dbias = dy.sum(dim=0)
        return dx, dvalues, dbias, None


class CSRLinear(nn.Module):
    """A sparse layer that stores, and trains, only the weights that its mask keeps.

    What it computes is what a ``layers.SparseLinear`` computes, gradients included, but not gradients of gradients. The
    places of the weights are
    fixed. To find the gradient of its input fast it also keeps the places of the transposed matrix.

    Args:
        layer: the ``layers.SparseLinear`` to start from.
    """

    def __init__(self, layer):
        super().__init__()
        W, S = layer.W.detach(), layer.mask
        self.shape = tuple(W.shape)
        rows, columns = S.nonzero(as_tuple=True)
        order = torch.argsort(columns, stable=True)  # row by row becomes column by column
        self.values = nn.Parameter(W[rows, columns])
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone())
        for name, places, lines, n in (("", columns, rows, W.shape[0]), ("_T", rows[order], columns, W.shape[1])):
            starts = nn.functional.pad(lines.bincount(minlength=n).cumsum(0), (1, 0))
            self.register_buffer(f"columns{name}", places.int())
            self.register_buffer(f"starts{name}", starts.int())
        self.register_buffer("order_T", order)
        take_place(self, layer)
        give_hooks(self, layer)

    @property
    def weight(self):
        """The matrix as a CSR tensor of torch's, which learns nothing."""
        return _compressed(self.starts, self.columns, self.values.detach(), self.shape)

    def forward(self, x):
        y = _CSRProduct.apply(x.reshape(-1, self.shape[1]), self.values, self.bias, self)
        return y.reshape(*x.shape[:-1], self.shape[0])

    def extra_repr(self):
        return f"in_features={self.shape[1]}, out_features={self.shape[0]}, weights={self.values.numel()}"

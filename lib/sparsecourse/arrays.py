"""What comes in as numbers, made into NumPy arrays: arrays, nested lists and torch tensors are all welcome.

They come out in 64 bits: in their own type, sums, squares and signs might not fit. In int8, -(-128) is -128.
"""

import numpy as np


def from_tensor(W):
    """A torch tensor as a NumPy array, and anything else as it is.

    The tensor may have a gradient, lie on another device, be sparse, or be of a type that NumPy lacks.
    """
    if not hasattr(W, "detach"):
        return W
    W = W.detach().cpu().to_dense()
    return (W.double() if W.is_floating_point() else W).numpy()


def as_array(W, name="W"):
    """W as a NumPy array of whole numbers, floats or complex numbers of 64 bits, for reading.

    Args:
        W: array, nested list or tensor.
        name: what to call it in an error.

    Raises:
        ValueError: W is empty, is not made of numbers, or holds NaN or infinity.
    """
    try:
        array = np.asarray(from_tensor(W))
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: its rows have different lengths") from error
    if array.dtype != bool and not np.issubdtype(array.dtype, np.number):
        raise ValueError(f"{name} must be an array of numbers, got {type(W).__name__}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}")
    if not np.isfinite(array).all():
        place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise ValueError(f"{name} holds {array[tuple(place)]} at {place}: a measure of it would mean nothing")
    return array.astype(np.promote_types(array.dtype, np.int64), copy=False)


def as_matrix(W):
    """W as a NumPy matrix of shape (out, in).

    Raises:
        ValueError: W is not a matrix of finite numbers.
    """
    W = as_array(W)
    if W.ndim != 2:
        raise ValueError(f"W must be a matrix of shape (out, in), got shape {W.shape}")
    return W


def magnitudes(W):
    """|W| as floats, in the shape of W.

    Raises:
        ValueError: W is not made of finite numbers.
    """
    W = as_array(W)
    return np.abs(W if np.iscomplexobj(W) else W.astype(float, copy=False)).astype(float, copy=False)

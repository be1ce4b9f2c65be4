"""Exercises of lesson 10: sparse tensors."""

import numpy as np

from sparsecourse import masks, storage
from sparsecourse.exercises.attempts import error_words
from sparsecourse.exercises.checking import Exercise, Mistake


def _tiles(S, block):
    """The blocks that hold a kept weight."""
    (rows, columns), (height, width) = S.shape, block
    tiles = S.reshape(rows // height, height, columns // width, width).swapaxes(1, 2)
    return tiles[tiles.any(axis=(2, 3))]


def _bsr_bytes(S, block):
    height, width = block
    rows, columns = S.shape
    kept = 0
    for i in range(0, rows, height):
        for j in range(0, columns, width):
            kept += int(S[i : i + height, j : j + width].any())
    return 4 * (kept * height * width + kept + rows // height + 1)


def _swapped_block(S, block):
    width, height = block
    rows, columns = S.shape
    kept = sum(S[i : i + height, j : j + width].any() for i in range(0, rows, height) for j in range(0, columns, width))
    return 4 * (kept * height * width + kept + rows // height + 1)


def _block_bytes(S, block, of_blocks=lambda tiles: tiles.any(axis=(2, 3)).sum(), starts=None):
    height, width = block
    rows, columns = S.shape
    tiles = S.reshape(rows // height, height, columns // width, width).swapaxes(1, 2)
    kept = int(of_blocks(tiles))
    starts = rows // height + 1 if starts is None else starts
    return 4 * kept * height * width + 4 * kept + 4 * starts


def _blocky(shape, block, sparsity, seed):
    small = masks.random((shape[0] // block[0], shape[1] // block[1]), sparsity, seed)
    return np.kron(small, np.ones(block, dtype=int))


_CROSSINGS = (
    (np.array([0.5, 0.9]), np.array([1.5, 0.5])),
    (np.array([0.5, 0.8, 0.9]), np.array([2.0, 1.2, 0.7])),
    (np.array([0.5, 0.8, 0.9, 0.95]), np.array([0.95, 1.1, 0.9, 0.4])),  # a dip that does not last
    (np.array([0.5, 0.7, 0.8, 0.9]), np.array([1.2, 0.9, 1.1, 0.7])),
    (np.array([0.5, 0.7, 0.8, 0.9]), np.array([1.5, 1.0, 1.0, 0.5])),  # exactly as fast is not faster
    (np.array([0.5, 0.7, 0.8, 0.9, 0.95, 0.99]), np.array([4.0, 3.1, 2.2, 1.3, 0.8, 0.3])),
    (np.array([0.5, 0.7, 0.8, 0.9, 0.95]), np.array([1.4, 0.8, 1.3, 1.1, 0.6])),
    (np.array([0.4, 0.6, 0.75, 0.85, 0.96]), np.array([0.9, 1.2, 0.95, 1.05, 0.7])),
)


def _first_crossing(sparsities, ratios):
    """As pays_from, but at the first ratio below 1 whatever comes after."""
    k = int(np.flatnonzero(ratios < 1)[0])
    if k == 0:
        return float(sparsities[0])
    part = (ratios[k - 1] - 1) / (ratios[k - 1] - ratios[k])
    return float(sparsities[k - 1] + part * (sparsities[k] - sparsities[k - 1]))


def _pays_from(sparsities, ratios):
    k = np.flatnonzero(ratios >= 1)[-1]
    part = (ratios[k] - 1) / (ratios[k] - ratios[k + 1])
    return sparsities[k] + part * (sparsities[k + 1] - sparsities[k])


def _around_the_crossing(sparsities, ratios, part):
    k = np.flatnonzero(ratios >= 1)[-1]
    return sparsities[k] + part(ratios[k], ratios[k + 1]) * (sparsities[k + 1] - sparsities[k])


def _from_the_other_end(sparsities, ratios):
    return _around_the_crossing(sparsities, ratios, lambda before, after: (1 - after) / (before - after))


def _on_a_logarithmic_axis(sparsities, ratios):
    return _around_the_crossing(sparsities, ratios, lambda before, after: np.log(before) / np.log(before / after))


def _first_crossing_anywhere(sparsities, ratios):
    """The same without a thought of a first ratio that is below 1 already: there the index -1 is the last one."""
    k = int(np.flatnonzero(ratios < 1)[0])
    part = (ratios[k - 1] - 1) / (ratios[k - 1] - ratios[k])
    return float(sparsities[k - 1] + part * (sparsities[k] - sparsities[k - 1]))


def _csr_seconds(kept, n_out, batch, bandwidth, rate):
    return (8 * kept + 4 * (n_out + 1)) / bandwidth + kept * batch / rate


# --------------------------------------------------------------- 10.4, a question with many right answers: a code

SHAPE, CUT = (256, 256), 0.9
BAR = 2 / 3  # of the bytes of CSR
FLOOR = 0.45  # random values can't be had for less, however they are written


def matrices():
    """Three matrices of the shape and sparsity that codes are judged by, float32."""
    rng = np.random.default_rng(0)
    return [(rng.normal(size=SHAPE) * masks.random(SHAPE, CUT, seed)).astype(np.float32) for seed in range(3)]


def _with_odd_values():
    """Such a matrix with a one, a minus one and a number so small that it is easily taken for zero among its values."""
    W = matrices()[0]
    W[tuple(np.argwhere(W)[[0, 99, -1]].T)] = 1.0, -1.0, 1e-30
    return W


def _with_empty_rows():
    """Such a matrix whose weights leave rows empty, so that long stretches hold none."""
    W = matrices()[1]
    W[:8] = W[100:110] = 0
    return W


def stored_bytes(code):
    """Bytes that a code takes for each of the matrices, on average, and those of CSR."""
    pack, _ = code
    ours = [sum(array.nbytes for array in pack(W)) for W in matrices()]
    return np.mean(ours), np.mean([storage.CSR.of(W).nbytes for W in matrices()])


def _pack(W):
    return [np.packbits(W != 0), W[W != 0]]


def _unpack(arrays, shape):
    bits, values = arrays
    kept = np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape) == 1
    W = np.zeros(shape, dtype=np.float32)
    W[kept] = values
    return W


def _pack_csr(W):
    stored = storage.CSR.of(W)
    return [stored.values, stored.columns, stored.starts]


def _pack_rounded(W):
    return [np.packbits(W != 0), W[W != 0].astype(np.float16)]


_elsewhere = [None]


def _pack_elsewhere(W):
    _elsewhere[0] = W
    return [np.zeros(1, dtype=np.uint8)]


def _unpacked(unpack, arrays, shape):
    """What comes back, or None where unpacking stops."""
    try:
        return unpack(arrays, shape)
    except Exception:
        return None


def _judge_code(code):
    """What is wrong with a pair of functions that pack and unpack a matrix, or None."""
    if not (isinstance(code, (tuple, list)) and len(code) == 2 and all(map(callable, code))):
        return "must be the two functions, `(pack, unpack)`."
    pack, unpack = code
    packed = []
    for W in (*matrices(), _with_odd_values(), _with_empty_rows()):
        try:
            arrays = pack(W.copy())
        except Exception as error:
            return f"can't pack: `pack` stopped with {error_words(error)}."
        if arrays is None:
            return "has a `pack` that returned None. Replace its dots, and end with `return`."
        if not isinstance(arrays, (list, tuple)) or not all(isinstance(array, np.ndarray) for array in arrays):
            return "packs into something other than a list of NumPy arrays: their nbytes are what is counted."
        if any(array.dtype.hasobject for array in arrays):
            return "packs into Python objects. Arrays of numbers are asked for: their nbytes are what is counted."
        try:
            again = unpack([array.copy() for array in arrays], W.shape)
        except Exception as error:
            return f"can't unpack: `unpack` stopped with {error_words(error)}."
        if not isinstance(again, np.ndarray) or again.shape != W.shape:
            return f"unpacks into something other than a matrix of {W.shape[0]} × {W.shape[1]}."
        if not np.array_equal(again, W):
            wrong = int((again != W).sum())
            return f"does not give W back: {wrong:,} entries differ. Nothing may be lost, nothing rounded."
        packed.append((W, [array.copy() for array in arrays]))
    for W, arrays in packed:  # others have been packed since
        if not np.array_equal(_unpacked(unpack, arrays, W.shape), W):
            return (
                "no longer gives a matrix back once others have been packed: something is kept outside of the arrays."
            )
    ours, csr = stored_bytes(code)
    if ours < FLOOR * csr:
        return f"takes {ours:,.0f} bytes, fewer than the values alone can: something is kept outside of the arrays."
    if ours > BAR * csr:
        return f"takes {ours:,.0f} bytes where CSR takes {csr:,.0f}, {ours / csr:.0%} of them. Get below two thirds."
    return None


def _praise(code):
    ours, csr = stored_bytes(code)
    return f"{ours:,.0f} bytes where CSR takes {csr:,.0f}: {ours / csr:.1%} of them. The values alone are 49 %."


EXERCISES = [
    Exercise(
        number="10.1",
        answer="bsr_bytes",
        reference=_bsr_bytes,
        cases=(
            (np.array([[1, 0], [0, 0]]), (1, 2)),
            (np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]), (2, 2)),
            (masks.random((8, 12), 0.9, seed=1), (2, 3)),
            (masks.random((5, 6), 0.5, seed=3), (1, 2)),
            (masks.random((6, 5), 0.5, seed=4), (2, 1)),
            (_blocky((64, 96), (8, 16), 0.75, seed=2), (8, 16)),
        ),
        mistakes=(
            Mistake(
                lambda S, block: _block_bytes(S, block, of_blocks=lambda tiles: tiles.all(axis=(2, 3)).sum()),
                "A block is kept if any of its entries is, not only if all of them are.",
            ),
            Mistake(
                lambda S, block: 4 * int(S.sum()) + 4 * len(_tiles(S, block)) + 4 * (S.shape[0] // block[0] + 1),
                "Those are the values of the kept weights. A block is stored whole, its zeros included.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block, starts=S.shape[0] + 1),
                "There is a start for each row of blocks, not for each row of the matrix.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block, starts=0),
                "The starts are missing: one for each row of blocks, and one more for the end.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block, starts=S.shape[0] // block[0]),
                "There is one start more than there are rows of blocks.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block) - 4 * len(_tiles(S, block)),
                "The columns are missing: one for each block that is kept.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block, of_blocks=lambda tiles: tiles.shape[0] * tiles.shape[1]),
                "Those are all blocks. One without any weight is not stored.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block) // 4,
                "That is how many numbers are stored. Each takes 4 bytes.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S.T, block[::-1]),
                "The starts belong to the rows of blocks, not to their columns.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block, of_blocks=lambda tiles: -(-tiles.sum() // np.prod(block))),
                "The weights lie where they lie. Count the blocks that hold one.",
            ),
            Mistake(
                lambda S, block: _block_bytes(S, block) + 4 * len(_tiles(S, block)) * (np.prod(block) - 1),
                "There is one column a block, not one a value.",
            ),
            Mistake(
                lambda S, block: _swapped_block(S, block), "Height and width are swapped: `height, width = block`."
            ),
        ),
    ),
    Exercise(
        number="10.2",
        answer="pays_from",
        reference=_pays_from,
        cases=_CROSSINGS,
        mistakes=(
            Mistake(
                _first_crossing_anywhere,
                "That is the first time that the ratio falls below 1. It may rise again: where does it fall for good?",
            ),
            Mistake(
                lambda sparsities, ratios: float(np.interp(1, ratios[::-1], sparsities[::-1])),
                "`np.interp` wants rising numbers, and a ratio may dip and rise again. Find the last one that is not "
                "below 1 yourself.",
            ),
            Mistake(
                _first_crossing,
                "The ratio may dip below 1 and rise again. Where does it fall below 1 for good?",
            ),
            Mistake(
                lambda sparsities, ratios: float(sparsities[np.flatnonzero(ratios >= 1)[-1]]),
                "That is the last sparsity where it is not faster yet. The line crosses 1 after it.",
            ),
            Mistake(
                lambda sparsities, ratios: float(sparsities[np.flatnonzero(ratios < 1)[-1]]),
                "That is the last measured sparsity. Where does the line between two measurements cross 1?",
            ),
            Mistake(
                lambda sparsities, ratios: float(sparsities[np.flatnonzero(ratios >= 1)[-1] + 1]),
                "That is the first measured sparsity where it is faster. The line crosses 1 before it.",
            ),
            Mistake(
                lambda sparsities, ratios: float(sparsities[np.flatnonzero(ratios >= 1)[-1] + np.array([0, 1])].mean()),
                "That is the middle between the two. The line crosses 1 nearer to the one whose ratio is nearer to 1.",
            ),
            Mistake(
                lambda sparsities, ratios: sparsities[np.argmin(np.abs(ratios - 1))],
                "That is the measurement nearest to 1. Draw the line between two of them.",
            ),
            Mistake(
                lambda sparsities, ratios: (
                    -np.polyval(np.polyfit(sparsities, ratios - 1, 1), 0) / np.polyfit(sparsities, ratios - 1, 1)[0]
                ),
                "That is one line through all points. Take the one between the two measurements around 1.",
            ),
            Mistake(
                _from_the_other_end,
                "The part is measured from the wrong end: from the measurement before the crossing.",
            ),
            Mistake(_on_a_logarithmic_axis, "That is a line on a logarithmic axis. Take the ratios as they are."),
        ),
    ),
    Exercise(
        number="10.3",
        answer="csr_seconds",
        reference=_csr_seconds,
        cases=(
            (0, 1, 1, 4.0, 1.0),
            (1000, 10, 1, 1e9, 1e9),
            (100_000, 1000, 64, 3e10, 2e10),
            (26_000, 300, 128, 4e10, 1e10),
        ),
        mistakes=(
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (
                    (4 * kept + 4 * (n_out + 1)) / bandwidth + kept * batch / rate
                ),
                "The columns are missing: each weight is read with the number of its column, 8 bytes together.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (8 * kept + 4 * n_out) / bandwidth + kept * batch / rate,
                "There is one start more than there are rows.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: 8 * kept / bandwidth + kept * batch / rate,
                "The starts are missing: 4 bytes a row, and 4 more.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: _csr_seconds(kept, n_out, 1, bandwidth, rate),
                "Every example needs its own multiply-adds. The weights are read once for all.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: batch * _csr_seconds(kept, n_out, 1, bandwidth, rate),
                "The weights are read once for the whole batch, not once an example.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: max(
                    (8 * kept + 4 * (n_out + 1)) / bandwidth, kept * batch / rate
                ),
                "That is the longer of the two. This model adds them: first read, then multiply.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (
                    (8 * kept + 4 * n_out + 1) / bandwidth + kept * batch / rate
                ),
                "The last start takes 4 bytes, too.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (2 * kept + n_out + 1) / bandwidth + kept * batch / rate,
                "Those are numbers. Each takes 4 bytes.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (
                    (8 * kept + 4 * (n_out + 1)) / bandwidth + kept * n_out * batch / rate
                ),
                "`kept` are the weights of the whole layer, not of a row.",
            ),
            Mistake(
                lambda kept, n_out, batch, bandwidth, rate: (
                    (8 * kept + 4 * (n_out + 1)) / bandwidth + 2 * kept * batch / rate
                ),
                "A multiply-add counts as one.",
            ),
        ),
    ),
    Exercise(
        number="10.4",
        answer="code",
        reference=(_pack, _unpack),
        accept=_judge_code,
        praise=_praise,
        mistakes=(
            Mistake((_pack_csr, lambda arrays, shape: storage.CSR(*arrays, shape).dense()), "100% of them. Get below"),
            Mistake((_pack_rounded, _unpack), "Nothing may be lost, nothing rounded."),
            Mistake(
                (lambda W: [array.tolist() for array in _pack(W)], _unpack),
                "packs into something other than a list of NumPy arrays",
            ),
            Mistake((_pack,), "must be the two functions, `(pack, unpack)`."),
            Mistake((_unpack, _pack), "can't pack: `pack` stopped with TypeError"),
            Mistake((_pack, lambda arrays, shape: arrays[5]), "can't unpack: `unpack` stopped with IndexError"),
            Mistake((_pack_elsewhere, lambda arrays, shape: _elsewhere[0]), "once others have been packed"),
        ),
    ),
]

"""Masks: which weights may live. S has the shape of W, (out, in); S[i, j] = 1 keeps the weight from j to i.

A mask is a NumPy array of the integers 0 and 1; :func:`keep_largest` and :func:`largest`, on which methods work while a
network learns, give tensors of true and false. Every function that is asked for a sparsity cuts the nearest whole
number of entries that its pattern allows; ``measure.sparsity(S)`` says which sparsity was realised, and
``measure.wiring`` which units of a network are left without inputs or outputs.
"""

from sparsecourse.masks.calculator import DivergedError, check_mask, check_sparsity, check_whole, keep_largest, largest
from sparsecourse.masks.distributions import alike, erk, layer_shapes, uniform, windows
from sparsecourse.masks.drawn import fixed_fan_in, from_connectome, local, ncp, random, rewired, small_world
from sparsecourse.masks.pruned import blocks, check_block, columns, magnitude, n_of_m, rows
from sparsecourse.masks.wirings import WIRINGS, wiring

"""How sparse is it? Measures over one array or over all layers of a network, and over repeated runs.

Sparsity is the fraction of entries *cut*, never of those kept: the entries that are exactly zero. Every function takes
NumPy arrays, nested lists or torch tensors of any shape; W and its mask S have shape (out, in).
"""

from sparsecourse.measure.connectivity import dead_outputs, effective, paths, unused_inputs, wiring
from sparsecourse.measure.entries import compression, density, gini, hoyer, layers, near_zero, sparsity
from sparsecourse.measure.statistics import intervals

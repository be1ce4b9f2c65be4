"""How a sparse matrix is stored, what that costs in bytes and in time, and what is fastest on this machine.

First the three common layouts by hand, small and for reading (``formats``); then the same ones in torch, as modules
(``modules``); then the clock (``timing``), and a model that predicts what it will show (``model``).
"""

from sparsecourse.storage.formats import BLOCK, BSR, COO, CSR
from sparsecourse.storage.model import Machine, measure_machine, predict, predicted_to_pay_from
from sparsecourse.storage.modules import LAYOUTS, CSRLinear, SparseInference
from sparsecourse.storage.timing import (
    CONTENDERS,
    best_layout,
    fastest,
    for_inference,
    measure_layouts,
    pays_from,
    relative_to_dense,
    time_in_turn,
    time_layouts,
    time_training,
)

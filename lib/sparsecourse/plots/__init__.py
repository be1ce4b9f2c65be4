"""Figures of the course, of plain arrays and data frames; nothing here knows a panel.

Every function draws into the Axes ``ax`` that it is given and returns them; ``layer``, ``packed`` and ``worm`` return
whole figures. ``figure`` makes the Axes; ``show`` puts a finished figure into a notebook with words for those who can't
see it.
"""

from sparsecourse.plots.canvas import FIGURES, LIGHT, STILL, figure, image_html, img, png, show, subscript
from sparsecourse.plots.charts import (
    cheapest,
    curves,
    cut_histogram,
    degrees,
    falling,
    labelled_points,
    priced,
    ranked,
    terms,
)
from sparsecourse.plots.connectome import body_map, spring, wiring_matrix, worm
from sparsecourse.plots.diagrams import circuit, layer, network
from sparsecourse.plots.driving import camera_line, view_from_above
from sparsecourse.plots.matrices import brief, hidden, matrix, moved, packed, table_of_shades, weight_scale

"""A car on its road, and what its camera sees."""

import numpy as np

from sparsecourse import palette

AHEAD, BEHIND = 60, 20  # steps of road that are drawn
LENGTH, HALF_LANE, SIGHT = 0.1, 1.0, 3.0  # m of road a step, m, m; the world's own, which the tests compare


def view_from_above(ax, curvature, offset, heading, step):
    """Draw a car on its road, seen from above, the road's direction at the car pointing up, beside a metre.

    Args:
        curvature: of the road, 1/m, a number a step.
        offset, heading: of the car, m and rad to the left, at this step.
        step: where on the road the car is.
    """
    bends = np.pad(curvature, (BEHIND, AHEAD))[step : step + BEHIND + AHEAD]  # straight beyond the road's ends
    direction = np.cumsum(bends) * LENGTH
    direction -= direction[BEHIND]
    middle = np.cumsum(LENGTH * np.stack([-np.sin(direction), np.cos(direction)], axis=1), axis=0)
    middle -= middle[BEHIND]
    across = np.stack([-np.cos(direction), -np.sin(direction)], axis=1)  # to the left
    for side in (HALF_LANE, -HALF_LANE):
        ax.plot(*(middle + side * across).T, color=palette.INK, linewidth=1.6)
    ax.plot(*middle.T, color=palette.FAINT, linewidth=1, linestyle="--")
    off_road = abs(offset) > HALF_LANE
    nose = np.array([[0, 0.45], [-0.2, -0.3], [0.2, -0.3]])
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    ax.fill(*(nose @ turn.T + (-offset, 0)).T, color=palette.VERMILION if off_road else palette.BLUE, zorder=3)
    ax.plot([2.8, 3.8], [-1.3, -1.3], color=palette.QUIET, linewidth=1.6)
    ax.text(3.3, -1.2, "1 m", color=palette.QUIET, fontsize=8, ha="center", va="bottom")
    ax.set(xlim=(-4, 4), ylim=(-1.6, 5.2), aspect="equal")
    ax.axis("off")
    return ax


def camera_line(ax, pixels, title):
    """Draw one line of a camera, dark to bright: the brightness of its ``pixels``, (pixels,), below a ``title``.

    Below it stands where the pixels look, in metres to each side.
    """
    ax.pcolormesh(np.asarray(pixels)[None, :], cmap="gray", vmin=-0.5, vmax=1.2)
    places = np.array([0, 1, 2]) / 2 * (len(pixels) - 1) + 0.5  # the middles of the first pixel and of the last
    ax.set(yticks=[], title=title)
    ax.set_xticks(places, [f"{SIGHT:g} m left", "0", f"{SIGHT:g} m right"])
    ax.tick_params(axis="x", length=2, labelsize=7, pad=1)
    for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)
    ax.title.set_size(9)
    return ax

"""Panel of lesson 05: what one weight costs."""

from sparsecourse import plots
from sparsecourse.panels.building import build, slider

WANTED = 0.8  # the weight that the data alone would choose


def panel():
    """Raise the price of one weight and watch where the cheapest value goes, under L1 and under L2."""
    return build({"strength": slider("strength λ", 0.3, 0.0, 1.2, 0.05)}, picture)


def picture(strength):
    """The cost of one weight under L1 and under L2, priced with the ``strength`` λ."""
    margins = {"left": 0.09, "right": 0.98, "top": 0.9, "bottom": 0.17, "wspace": 0.16}
    fig, (left, right) = plots.figure(7.5, 2.9, columns=2, margins=margins, sharey=True)
    plots.priced(left, WANTED, strength, power=1)
    plots.priced(right, WANTED, strength, power=2)
    l1, l2 = (plots.cheapest(WANTED, strength, power) for power in (1, 2))
    left.set_ylabel("cost")
    left.legend(frameon=False, fontsize=8, loc="upper center", ncols=3)
    words = f"λ = {strength:.2f}. Cheapest weight: {l1:.2f} under L1, {l2:.2f} under L2; without a price {WANTED:.2f}."
    return fig, f"The cost of one weight, error plus price, as a curve with its minimum marked. {words}", words

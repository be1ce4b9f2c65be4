"""What repeated runs say about the mean of all such runs."""

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


def intervals(table, by, value):
    """Mean of repeated runs, with the interval that holds the true mean in 95 of 100 such experiments.

    The interval is Student's: mean ± t · (standard deviation / √runs). Runs are taken to be independent draws from
    something like a normal distribution.

    Args:
        table: data frame with a row a run.
        by: column, or list of columns, that tells the settings apart.
        value: column to average.

    Returns:
        A data frame with the columns of ``by`` and mean, low, high, runs.

    Raises:
        ValueError: a run has no value, as a network that diverged; or a setting has one run only.
    """
    if missing := int((~np.isfinite(table[value].astype(float))).sum()):
        raise ValueError(
            f"{missing} of {len(table)} runs have no {value}: say what happened to them and leave them out, or not"
        )
    by = [by] if isinstance(by, str) else list(by)
    groups = table.groupby(by, sort=False, dropna=False)[value]
    summary = groups.agg(mean="mean", deviation="std", runs="count").reset_index()
    if (summary["runs"] < 2).any():
        raise ValueError("an interval needs at least two runs of every setting")
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, summary["runs"] - 1) * summary["deviation"] / np.sqrt(summary["runs"])
    summary["low"], summary["high"] = summary["mean"] - reach, summary["mean"] + reach
    return summary[[*by, "mean", "low", "high", "runs"]]

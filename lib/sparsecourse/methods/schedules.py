"""When a method acts, and how much it does then: functions of how far training has come."""

import math
from dataclasses import dataclass

from sparsecourse.masks import check_whole


@dataclass(frozen=True)
class Clock:
    """How far training has come.

    Attributes:
        round: number of the round, from 0.
        step: steps done in this round, from 1; 0 before the first.
        steps: steps of a round.
        learning_rate: of the step that was done.
    """

    round: int
    step: int
    steps: int
    learning_rate: float

    @property
    def ends_round(self):
        return self.step == self.steps


def cosine(k, n):
    """What is left at the k-th of n times, from 1 at the first along half a cosine towards 0."""
    return (1 + math.cos(math.pi * (k - 1) / n)) / 2


@dataclass(frozen=True)
class MultiStep:
    """A learning rate that falls by a factor at some moments: what is left of it at the k-th of n steps.

    Args:
        milestones: the moments, as fractions of a round.
        gamma: the factor.
    """

    milestones: tuple = (0.5, 0.75)
    gamma: float = 0.1

    def __call__(self, k, n):
        return self.gamma ** sum(k > milestone * n for milestone in self.milestones)


@dataclass(frozen=True)
class Periodic:
    """Updates that are spread evenly over a part of each round.

    Where there are fewer steps than updates, several fall into one step, and the last of them counts.

    Args:
        num_updates: how many.
        begin, end: the part of a round, as fractions of it. The last update comes at ``end``.

    Raises:
        ValueError: there is no whole number of updates, or no time for them.
    """

    num_updates: int
    begin: float
    end: float

    def __post_init__(self):
        if not 0 <= self.begin < self.end <= 1:
            raise ValueError(f"it must begin before it ends, both between 0 and 1, got {self.begin} and {self.end}")
        check_whole(1, num_updates=self.num_updates)

    def due(self, clock):
        """Number of the update that falls into this step, from 1, or None."""
        now, before = (self._by(step / clock.steps) for step in (clock.step, clock.step - 1))
        return now if now > before else None

    def _by(self, fraction):
        """Updates that are due by the time that a fraction of the round is done."""
        t = (fraction - self.begin) / (self.end - self.begin)
        return math.floor(self.num_updates * min(max(t, 0), 1) + 1e-9)


# ------------------------------------------------------------- schedules of pruning: the sparsity to cut to, or None

BEGINNING = Clock(round=0, step=0, steps=1, learning_rate=0.0)  # what a schedule is asked with before the first step


def before_training(clock, sparsity):
    """Cut once, before the first step."""
    return sparsity if clock.round == clock.step == 0 else None


def after_first_round(clock, sparsity):
    """Cut once, at the end of the first round."""
    return sparsity if clock.round == 0 and clock.ends_round else None


@dataclass(frozen=True)
class Cubic(Periodic):
    """Cut fast at first and slowly towards the end: s (1 - (1 - t)³), t going from 0 to 1.

    Source: Zhu and Gupta, "To prune, or not to prune", 2017, equation 1, doi:10.48550/arXiv.1710.01878.
    """

    def __call__(self, clock, sparsity):
        update = self.due(clock)
        return None if update is None else sparsity * (1 - (1 - update / self.num_updates) ** 3)


@dataclass(frozen=True)
class Geometric:
    """Cut the same fraction of what is left at the end of each round but the last.

    Args:
        rounds: how many, at least 2: one more than there are cuts.
    """

    rounds: int

    def __post_init__(self):
        check_whole(2, rounds=self.rounds)

    def __call__(self, clock, sparsity):
        cuts = clock.round + 1
        return 1 - (1 - sparsity) ** (cuts / (self.rounds - 1)) if clock.ends_round and cuts < self.rounds else None

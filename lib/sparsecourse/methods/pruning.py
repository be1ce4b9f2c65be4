"""Cutting what counts least. A method is a schedule, a score and a scope: how much of it each layer bears."""

import torch

from sparsecourse import masks
from sparsecourse.methods.base import Method, check_can_be_cut, masked_layers
from sparsecourse.methods.schedules import BEGINNING, Cubic, Geometric, after_first_round, before_training
from sparsecourse.methods.scores import magnitude, saliency

# How much is cut from each layer: what comes out of one ranking of all weights, or the same fraction of each.
SCOPES = {"global": None, "layer": masks.alike}


def cut(network, sparsity, scope="global", score=magnitude):
    """Set the masks of a network so that the weights that count most are kept.

    Args:
        network: a module with layers that carry a mask. A weight that was cut before stays cut, as long as the
            sparsity of what it is ranked in does not fall.
        sparsity: fraction of the weights to cut, in [0, 1).
        scope: one of ``SCOPES``: "global" ranks the weights of all layers together, "layer" cuts the same fraction of
            each. Or a distribution over the layers, such as ``masks.erk``.
        score: called with the network, gives a matrix (out, in) a layer; the largest are kept.

    Raises:
        DivergedError: a score is not finite.
    """
    check_scope(scope)
    kept = masks.keep_largest(score(network), sparsity, scope if callable(scope) else SCOPES[scope])
    for layer, S in zip(masked_layers(network), kept, strict=True):
        layer.set_mask(S)


def check_scope(scope):
    """Raise ValueError unless a scope is one of ``SCOPES``, or a function that distributes a sparsity."""
    if not callable(scope) and scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}, or a distribution over layers, got {scope!r}")


class Pruning(Method):
    """Cut the weights that count least whenever a schedule says so.

    Args:
        sparsity: fraction of the weights to cut in the end, in [0, 1).
        schedule: called with a :class:`Clock` and the sparsity; gives the sparsity to cut to now, or None. Before
            training the clock shows step 0 of round 0. Has it ``rounds``, as :class:`Geometric` has, the training has
            as many.
        score, scope: as for :func:`cut`.
    """

    label = "pruning"

    def __init__(self, sparsity, schedule, score=magnitude, scope="global"):
        masks.check_sparsity(sparsity)
        check_scope(scope)
        self.sparsity, self.schedule, self.score, self.scope = sparsity, schedule, score, scope
        self.rounds = getattr(schedule, "rounds", 1)

    def before(self, network):
        check_can_be_cut(network)
        self.cut_if_due(network, BEGINNING)

    def after_step(self, network, clock, state):
        self.cut_if_due(network, clock)

    def cut_if_due(self, network, clock):
        """Cut a network if the schedule asks for it now, and tell whether it did."""
        sparsity = self.schedule(clock, self.sparsity)
        if sparsity is not None:
            cut(network, sparsity, self.scope, self.score)
        return sparsity is not None


class OneShot(Pruning):
    """Train, cut the smallest weights at once, and train what is left for a second round.

    Args:
        sparsity: fraction of the weights to cut, in [0, 1).
        retrain: whether there is a second round.
        scope: as for :func:`cut`.

    Source: Han et al., NeurIPS 2015, doi:10.48550/arXiv.1506.02626.
    """

    def __init__(self, sparsity, retrain=True, scope="global"):
        super().__init__(sparsity, after_first_round, scope=scope)
        self.label = "one-shot" if retrain else "one-shot, not retrained"
        self.rounds = 2 if retrain else 1


class Gradual(Pruning):
    """Cut a little at a time while training goes on, as :class:`Cubic` says: fast at first, slowly towards the end.

    Args:
        sparsity: fraction of the weights to cut in the end, in [0, 1).
        begin, end: when to start and to finish cutting, as fractions of the training.
        num_updates: in how many portions to cut.
        scope: as for :func:`cut`.
    """

    label = "gradual"

    def __init__(self, sparsity, begin=0.2, end=0.7, num_updates=20, scope="global"):
        super().__init__(sparsity, Cubic(num_updates, begin, end), scope=scope)


class Iterative(Pruning):
    """Train, cut some, put the rest back to where they started, and train again: the search for a lottery ticket.

    Each round but the last ends with a cut, every cut takes the same fraction of what is left, and what is kept goes
    back to its value after ``rewind_to`` steps of the first round.

    Args:
        sparsity: fraction of the weights to cut in the end, in [0, 1).
        rounds: rounds of training, at least 2: one more than there are cuts.
        rewind_to: step of the first round to go back to; 0 is before training.
        scope: as for :func:`cut`.

    Sources: Frankle and Carbin, "The lottery ticket hypothesis", ICLR 2019, doi:10.48550/arXiv.1803.03635; rewinding to
    a later step: Frankle et al., ICML 2020, doi:10.48550/arXiv.1912.05671.
    """

    label = "iterative"

    def __init__(self, sparsity, rounds, rewind_to=0, scope="global"):
        super().__init__(sparsity, Geometric(rounds), scope=scope)
        masks.check_whole(0, rewind_to=rewind_to)
        self.rewind_to = rewind_to

    def before(self, network):
        super().before(network)
        return [parameter.detach().clone() for parameter in network.parameters()]

    @torch.no_grad()
    def after_step(self, network, clock, state):
        rewinds_here, rewinds = clock.round == 0 and clock.step == self.rewind_to, self.cut_if_due(network, clock)
        for parameter, value in zip(network.parameters(), state, strict=True):
            if rewinds_here:
                value.copy_(parameter)
            if rewinds:
                parameter.copy_(value)


class SNIP(Pruning):
    """Cut before training, and then never again, the weights that the loss would miss least.

    Args:
        sparsity: fraction of the weights to cut, in [0, 1).
        task: a ``tasks.Task``; the gradients are taken once, over a batch of its training part.
        batch: examples in the batch.
        seed: of the draw.
        scope: as for :func:`cut`.

    Source: Lee et al., "SNIP: single-shot network pruning", ICLR 2019, doi:10.48550/arXiv.1810.02340.
    """

    label = "SNIP"
    starts_sparse = True
    gradient_densities = (1.0,)

    def __init__(self, sparsity, task, batch=100, seed=0, scope="global"):
        super().__init__(sparsity, before_training, self.saliency, scope)
        masks.check_whole(1, batch=batch)
        self.task, self.batch, self.seed = task, batch, seed

    def saliency(self, network):
        return saliency(network, self.task, self.batch, torch.Generator().manual_seed(self.seed))

"""Few weights from the first step on: wiring that stays, and wiring that moves while the network learns."""

import torch

from sparsecourse.masks import DivergedError, check_mask, check_whole, largest
from sparsecourse.methods.base import Method, check_can_be_cut, masked_layers
from sparsecourse.methods.schedules import Periodic, cosine
from sparsecourse.methods.scores import chance, gradients


class Wired(Method):
    """What begins with masks that are there before any weight is trained.

    Args:
        masks: one mask (out, in) a layer.
        rescale: whether to make the weights as large as an initialisation by surviving fan-in makes them; without it
            they stay as they were drawn for the dense layer.
    """

    starts_sparse = True

    def __init__(self, masks, rescale=True):
        self.masks, self.rescale = [check_mask(S) for S in masks], rescale
        self.sparsity = 1 - sum(S.sum() for S in self.masks) / sum(S.size for S in self.masks)

    @torch.no_grad()
    def before(self, network):
        layers = masked_layers(network)
        if len(layers) != len(self.masks):
            raise ValueError(f"the network has {len(layers)} layers with a mask, got {len(self.masks)} masks")
        for layer, S in zip(layers, self.masks, strict=True):
            fan_in = layer.fan_in().clamp(min=1)
            layer.set_mask(S)
            if self.rescale:
                factor = (fan_in / layer.fan_in().clamp(min=1)).sqrt()
                layer.W.mul_(factor[:, None])
                if layer.bias is not None:
                    layer.bias.mul_(factor)


class Fixed(Wired):
    """Cut before training and never again.

    Args:
        masks, rescale: as for :class:`Wired`.
        label: which wiring it is: "random", "local" or another name.
    """

    def __init__(self, masks, label="random", rescale=True):
        super().__init__(masks, rescale)
        self.label = label

    def before(self, network):
        check_can_be_cut(network)
        return super().before(network)

    def at_end(self, network, state):
        super().at_end(network, state)
        for layer, S in zip(masked_layers(network), self.masks, strict=True):
            if not torch.equal(layer.mask.cpu(), torch.as_tensor(S).to(layer.mask.dtype)):
                raise AssertionError("a fixed mask has changed during training")


class SparseTraining(Wired):
    """Start with few connections and keep that many, but move some of them again and again while the network learns.

    Each time, every layer drops its weakest connections and grows as many new ones elsewhere, which begin at zero. How
    many falls from ``drop_fraction`` to nothing along half a cosine: the k-th of n times it is multiplied by
    (1 + cos(π (k - 1) / n)) / 2, so the first one moves all of it. The paper of RigL has k where this has k - 1, and so
    moves a little less. Where connections grow is what the subclasses say. What has been dropped does not grow again in
    the same update.

    The optimiser does not hear of it. To Adam a connection that has grown is one whose gradients were zero until now,
    so that its first steps are larger than those of others.

    Args:
        masks: one mask (out, in) a layer, to start with.
        drop_fraction: fraction of a layer's connections that is moved the first time.
        num_updates: how often connections are moved, evenly spread from the start of training to ``end``. Where there
            are fewer steps than that, several updates fall into one.
        end: when moving stops, as a fraction of the training; what was grown last needs time to learn.
        seed: of what is drawn on the way. Networks with the same seed draw the same.
    """

    def __init__(self, masks, drop_fraction=0.3, num_updates=30, end=0.75, seed=0):
        super().__init__(masks)
        if not 0 < drop_fraction <= 1:
            raise ValueError(f"drop_fraction must lie between 0 and 1, got {drop_fraction}")
        self.drop_fraction, self.seed = drop_fraction, seed
        self.schedule = Periodic(num_updates, begin=0, end=end)

    def growth_scores(self, network, generator):
        """A score for each entry of each mask, matrices (out, in); the gaps with the largest scores grow."""
        raise NotImplementedError

    def before(self, network):
        super().before(network)
        return torch.Generator().manual_seed(self.seed)

    def after_step(self, network, clock, state):
        update = self.schedule.due(clock)
        if update is not None:
            fraction = self.drop_fraction * cosine(update, self.schedule.num_updates)
            for layer, scores in zip(masked_layers(network), self.growth_scores(network, state), strict=True):
                move(layer, scores, fraction)

    def at_end(self, network, state):
        # a connection that grew where nothing flows may still weigh zero, so the masks are counted, not the weights
        for layer, S in zip(masked_layers(network), self.masks, strict=True):
            if int(layer.mask.count_nonzero()) != S.sum():
                raise AssertionError("a mask has another density than it began with")


@torch.no_grad()
def move(layer, scores, fraction):
    """Drop a fraction of a layer's connections, the weakest, and grow as many in its gaps, where they begin at zero.

    Args:
        layer: a ``layers.SparseLinear``.
        scores: of each of its entries, (out, in); the gaps with the largest grow.
        fraction: of its connections, from 0 to 1.

    Raises:
        DivergedError: a weight or a score is not finite.
    """
    if not (layer.W.isfinite().all() and scores.isfinite().all()):
        raise DivergedError("the network has weights or gradients that are not finite: it can't be rewired")
    kept = layer.mask == 1
    connections = int(kept.sum())
    n = min(round(fraction * connections), kept.numel() - connections)
    strongest = largest(layer.W.abs().masked_fill(~kept, -torch.inf), connections - n)
    grown = largest(scores.masked_fill(kept, -torch.inf), n)
    layer.W.masked_fill_(grown, 0)
    layer.set_mask(strongest | grown)


class SET(SparseTraining):
    """New connections grow at random places.

    Source: Mocanu et al., Nature Communications 9 (2018), doi:10.1038/s41467-018-04316-3. There the part that is moved
    stays the same; here it falls, as in RigL, so that the two differ in one thing only.
    """

    label = "SET"

    def growth_scores(self, network, generator):
        return chance(network, generator)


class RigL(SparseTraining):
    """New connections grow where the loss has the largest gradient. Each time that takes the gradients of all entries.

    Args:
        masks: as in :class:`SparseTraining`, like all that is not named here.
        task: a ``tasks.Task``; the gradients are taken over a batch of its training part.
        batch: examples in that batch.

    Source: Evci et al., "Rigging the lottery", ICML 2020, doi:10.48550/arXiv.1911.11134. There a connection may grow
    again in the update that has dropped it.
    """

    label = "RigL"

    def __init__(self, masks, task, batch=100, **settings):
        super().__init__(masks, **settings)
        check_whole(1, batch=batch)
        self.task, self.batch = task, batch
        self.gradient_densities = (1 - self.sparsity,) * self.schedule.num_updates

    def growth_scores(self, network, generator):
        return [g.abs() for g in gradients(network, self.task, self.batch, generator)]

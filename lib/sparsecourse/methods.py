"""Methods: what is done to the weights besides the training steps, so that few of them are left.

A method has three moments. ``before`` comes once, before any training. ``after_step`` comes after every step of the
optimiser. ``at_end`` comes once, and asserts that the sparsity that was asked for is there. Each gets an ordinary
network and changes it in place, so that the same object serves a plain loop and ``training.train``.

Training may have several rounds of equal length, each with a fresh optimiser; a method says how many it needs.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from sparsecourse import masks, measure
from sparsecourse.layers import sparse_layers

SCOPES = ("global", "layer")


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Attributes:
        round: number of the round, from 0.
        step: steps done in this round, from 1.
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


class Dense:
    """Train, and leave the masks as they are."""

    label = "dense"
    rounds = 1
    sparsity = None  # what is asked for; None asks for nothing
    strength = None
    sparse_from_start = False  # whether no step of the training sees more connections than are left in the end
    looking_around = 0  # what taking the slopes of all entries costs, in steps of a dense training

    def before(self, network):
        """Prepare a network."""

    def after_step(self, network, progress):
        """Act after a step of the optimiser."""

    def at_end(self, network):
        """Finish a network and assert what was asked for."""
        if self.sparsity is not None:
            check_realised(network, self.sparsity)


# ------------------------------------------------------------------------------------------------- asking for zeros


class L1(Dense):
    """Shrink every weight a little after every step, and stop at zero: a proximal step for the penalty λ Σ |w|.

    Args:
        strength: λ, not negative; a step with learning rate η takes η λ off every magnitude.

    Source: Parikh and Boyd, "Proximal algorithms", 2014, section 6.5.2, doi:10.1561/2400000003.
    """

    label = "L1"

    def __init__(self, strength):
        if not (strength >= 0 and math.isfinite(strength)):
            raise ValueError(f"the strength of L1 must be a number from 0 up, got {strength}")
        self.strength = strength

    @torch.no_grad()
    def after_step(self, network, progress):
        for W in weights(network):
            W.copy_(nn.functional.softshrink(W, progress.learning_rate * self.strength))


class L1Subgradient(L1):
    """The same penalty without the stop at zero: a weight is pushed through zero and back, and rests there never."""

    label = "L1, subgradient"

    @torch.no_grad()
    def after_step(self, network, progress):
        for W in weights(network):
            W.sub_(W.sign(), alpha=progress.learning_rate * self.strength)


# ------------------------------------------------------------------------------------------------ cutting the small


class Pruning(Dense):
    """What all methods share that cut the smallest weights.

    Args:
        sparsity: fraction of the weights to cut, in [0, 1).
        scope: "global" ranks the weights of all layers together; "layer" cuts the same fraction of each.
    """

    def __init__(self, sparsity, scope="global"):
        masks.check_sparsity(sparsity)
        if scope not in SCOPES:
            raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
        self.sparsity, self.scope = sparsity, scope

    def before(self, network):
        masked(network)  # raises where there is no mask to cut with

    def cut(self, network, sparsity):
        cut(network, sparsity, self.scope)


class OneShot(Pruning):
    """Train, cut the smallest weights at once, and train what is left for a second round.

    Args:
        sparsity: fraction of the weights to cut, in [0, 1).
        retrain: whether there is a second round.
        scope: "global" ranks the weights of all layers together; "layer" cuts the same fraction of each.

    Source: Han et al., NeurIPS 2015, doi:10.48550/arXiv.1506.02626.
    """

    def __init__(self, sparsity, retrain=True, scope="global"):
        super().__init__(sparsity, scope)
        self.label = "one-shot" if retrain else "one-shot, not retrained"
        self.rounds = 2 if retrain else 1

    def after_step(self, network, progress):
        if progress.round == 0 and progress.ends_round:
            self.cut(network, self.sparsity)


class Gradual(Pruning):
    """Cut a little at a time while training goes on, fast at first and slowly towards the end.

    Between ``begin`` and ``end`` the sparsity follows s (1 - (1 - t)³), t going from 0 to 1.

    Args:
        sparsity: fraction of the weights to cut in the end, in [0, 1).
        begin, end: when to start and to finish cutting, as fractions of the training.
        cuts: in how many portions to cut.
        scope: as in :class:`OneShot`.

    Source: Zhu and Gupta, "To prune, or not to prune", 2017, equation 1, doi:10.48550/arXiv.1710.01878.
    """

    label = "gradual"

    def __init__(self, sparsity, begin=0.2, end=0.7, cuts=20, scope="global"):
        super().__init__(sparsity, scope)
        if not 0 <= begin < end <= 1:
            raise ValueError(f"cutting must begin before it ends, both between 0 and 1, got {begin} and {end}")
        if cuts < 1:
            raise ValueError(f"there must be at least one cut, got {cuts}")
        self.begin, self.end, self.cuts = begin, end, cuts

    def target(self, t):
        """Sparsity when the fraction t of the time between begin and end has gone by."""
        return self.sparsity * (1 - (1 - t) ** 3)

    def after_step(self, network, progress):
        now = self._portions(progress.step / progress.steps)
        if now > self._portions((progress.step - 1) / progress.steps):
            self.cut(network, self.target(now / self.cuts))

    def _portions(self, fraction):
        """Portions that are cut by the time that a fraction of the training is done."""
        t = (fraction - self.begin) / (self.end - self.begin)
        return math.floor(self.cuts * min(max(t, 0), 1) + 1e-9)


class Iterative(Pruning):
    """Train, cut some, put the rest back to where they started, and train again: the search for a lottery ticket.

    Each round but the last ends with a cut, every cut takes the same fraction of what is left, and what is kept goes
    back to its value after ``rewind_to`` steps of the first round.

    Args:
        sparsity: fraction of the weights to cut in the end, in [0, 1).
        rounds: rounds of training, at least 2: one more than there are cuts.
        rewind_to: step of the first round to go back to; 0 is before training.
        scope: as in :class:`OneShot`.

    Sources: Frankle and Carbin, "The lottery ticket hypothesis", ICLR 2019, doi:10.48550/arXiv.1803.03635; rewinding to
    a later step: Frankle et al., ICML 2020, doi:10.48550/arXiv.1912.05671.
    """

    label = "iterative"

    def __init__(self, sparsity, rounds, rewind_to=0, scope="global"):
        super().__init__(sparsity, scope)
        if rounds < 2:
            raise ValueError(f"cutting between rounds needs at least 2 rounds, got {rounds}")
        if rewind_to < 0:
            raise ValueError(f"rewind_to must not be negative, got {rewind_to}")
        self.rounds, self.rewind_to = rounds, rewind_to

    def before(self, network):
        super().before(network)
        self._remember(network)

    def after_step(self, network, progress):
        if progress.round == 0 and progress.step == self.rewind_to:
            self._remember(network)
        if progress.ends_round and progress.round + 1 < self.rounds:
            self.cut(network, 1 - (1 - self.sparsity) ** ((progress.round + 1) / (self.rounds - 1)))
            self._rewind(network)

    def _remember(self, network):
        self.start = [parameter.detach().clone() for parameter in network.parameters()]

    @torch.no_grad()
    def _rewind(self, network):
        for parameter, start in zip(network.parameters(), self.start, strict=True):
            parameter.copy_(start)


# ------------------------------------------------------------------------------------------------- wiring first


class Fixed(Dense):
    """Cut before training and never again.

    Args:
        S: one mask (out, in) a layer.
        label: which wiring it is: "random", "local" or another name.
        rescale: whether to make the weights as large as an initialisation by surviving fan-in makes them; without it
            they stay as they were drawn for the dense layer.
    """

    sparse_from_start = True

    def __init__(self, S, label="random", rescale=True):
        self.S, self.label, self.rescale = [masks.check_mask(mask) for mask in S], label, rescale
        self.sparsity = 1 - sum(mask.sum() for mask in self.S) / sum(mask.size for mask in self.S)

    @torch.no_grad()
    def before(self, network):
        layers = masked(network)
        if len(layers) != len(self.S):
            raise ValueError(f"the network has {len(layers)} layers with a mask, got {len(self.S)} masks")
        for layer, S in zip(layers, self.S, strict=True):
            fan_in = layer.fan_in().clamp(min=1)
            layer.set_mask(S)
            if self.rescale:
                growth = (fan_in / layer.fan_in().clamp(min=1)).sqrt()
                layer.weight.mul_(growth[:, None])
                if layer.bias is not None:
                    layer.bias.mul_(growth)

    def at_end(self, network):
        super().at_end(network)
        for layer, S in zip(masked(network), self.S, strict=True):
            if not torch.equal(layer.S.cpu(), torch.as_tensor(S).to(layer.S.dtype).cpu()):
                raise AssertionError("a fixed mask has changed during training")


class SNIP(Pruning):
    """Cut before training, and then never again, the weights that the loss would miss least.

    What the loss would miss of a weight w with slope g, to first order, is |w g|; the slopes are taken once, over one
    batch.

    Args:
        sparsity: fraction of the weights to cut, in [0, 1).
        task: a ``tasks.Task``; the batch is drawn from its training part.
        batch: examples in the batch.
        seed: of the draw.
        scope: as in :class:`OneShot`.

    Source: Lee et al., "SNIP: single-shot network pruning", ICLR 2019, doi:10.48550/arXiv.1810.02340.
    """

    label = "SNIP"
    sparse_from_start = True
    looking_around = 1

    def __init__(self, sparsity, task, batch=100, seed=0, scope="global"):
        super().__init__(sparsity, scope)
        self.task, self.batch, self.seed = task, batch, seed

    def before(self, network):
        super().before(network)
        slopes = gradients(network, self.task, self.batch, torch.Generator().manual_seed(self.seed))
        missed = [(W * g).abs() for W, g in zip(used_weights(network), slopes, strict=True)]
        keep_largest(network, missed, self.sparsity, self.scope)


# ------------------------------------------------------------------------------------- wiring while learning


class Rewiring(Fixed):
    """Start with few connections and keep that many, but move some of them again and again while the network learns.

    Each time, every layer loses its weakest connections and gets as many new ones elsewhere, which begin at zero. How
    many falls from ``moved`` to nothing along half a cosine. Where connections grow is what the subclasses say. What
    has been dropped does not grow again in the same move.

    The optimiser does not hear of it. To Adam a connection that has grown is one whose slopes were zero until now, so
    that its first steps are larger than those of others.

    Args:
        S: one mask (out, in) a layer, to start with.
        moved: fraction of a layer's connections that is moved the first time.
        times: how often connections are moved, evenly spread from the start of training to ``end``. Where there are
            fewer steps than that, several moves fall into one.
        end: when moving stops, as a fraction of the training; what was grown last needs time to learn.
        seed: of what is drawn on the way. Networks with the same seed draw the same.
    """

    def __init__(self, S, moved=0.3, times=30, end=0.75, seed=0):
        super().__init__(S, self.label)
        if not (0 < moved <= 1 and 0 < end <= 1):
            raise ValueError(f"moved and end must lie between 0 and 1, got {moved} and {end}")
        if times < 1:
            raise ValueError(f"connections must be moved at least once, got {times} times")
        self.moved, self.times, self.end, self.seed = moved, times, end, seed

    def wishes(self, network):
        """How much each entry of each mask is wished for, matrices (out, in); the largest in the gaps grow."""
        raise NotImplementedError

    def before(self, network):
        super().before(network)
        self.generator = torch.Generator().manual_seed(self.seed)

    def after_step(self, network, progress):
        now = self._moves(progress.step / progress.steps)
        if now > self._moves((progress.step - 1) / progress.steps):
            self._move(network, self.moved * (1 + math.cos(math.pi * (now - 1) / self.times)) / 2)

    def at_end(self, network):
        # a connection that grew where nothing flows may still weigh zero, so the masks are counted, not the weights
        for layer, S in zip(masked(network), self.S, strict=True):
            if int(layer.S.sum()) != S.sum():
                raise AssertionError("a mask has another density than it began with")

    def _moves(self, fraction):
        """Moves that are made by the time that a fraction of the training is done."""
        return math.floor(self.times * min(fraction / self.end, 1) + 1e-9)

    def _move(self, network, part):
        wishes = self.wishes(network)
        with torch.no_grad():
            for layer, wish in zip(masked(network), wishes, strict=True):
                if not (layer.weight.isfinite().all() and wish.isfinite().all()):
                    raise DivergedError("the network has weights or slopes that are not finite: it can't be rewired")
                kept = layer.S == 1
                n = min(round(part * int(kept.sum())), int((~kept).sum()))
                weakest = layer.weight.abs().masked_fill(~kept, math.inf).flatten().topk(n, largest=False).indices
                grown = wish.masked_fill(kept, -math.inf).flatten().topk(n).indices
                S = kept.flatten().clone()
                S[weakest], S[grown] = False, True
                S = S.view_as(layer.S)
                layer.weight.masked_fill_(S & ~kept, 0)
                layer.S.copy_(S)


class SET(Rewiring):
    """New connections grow at random places.

    Source: Mocanu et al., Nature Communications 9 (2018), doi:10.1038/s41467-018-04316-3. There the part that is moved
    stays the same; here it falls, as in RigL, so that the two differ in one thing only.
    """

    label = "SET"

    def wishes(self, network):
        return [torch.rand(layer.S.shape, generator=self.generator).to(layer.S) for layer in masked(network)]


class RigL(Rewiring):
    """New connections grow where the loss has the steepest slope. Each time that takes the slopes of all entries.

    Args:
        S: as in :class:`Rewiring`, like all that is not named here.
        task: a ``tasks.Task``; the slopes are taken over a batch of its training part.
        batch: examples in that batch.

    Source: Evci et al., "Rigging the lottery", ICML 2020, doi:10.48550/arXiv.1911.11134. There a connection may grow
    again in the move that has dropped it.
    """

    label = "RigL"

    def __init__(self, S, task, batch=100, **options):
        super().__init__(S, **options)
        self.task, self.batch = task, batch
        # a step goes forward, back to the inputs, and to the slopes of the weights: only the last is dense here
        self.looking_around = self.times * (1 + 2 * (1 - self.sparsity)) / 3

    def wishes(self, network):
        return [g.abs() for g in gradients(network, self.task, self.batch, self.generator)]


# ------------------------------------------------------------------------------------------------------ their tools


class DivergedError(ValueError):
    """The weights are no longer finite, so that none of them is the smallest."""


def weights(network):
    """The weight matrices of a network: its parameters of two or more dimensions. Biases are never cut or shrunk."""
    return [parameter for parameter in network.parameters() if parameter.ndim >= 2]


def masked(network):
    """The layers of a network that carry a mask.

    Raises:
        ValueError: there is none.
    """
    layers = sparse_layers(network)
    if not layers:
        raise ValueError("this method needs layers with a mask: build the network from layers.SparseLinear")
    return layers


def used_weights(network):
    """W ⊙ S of each layer that carries a mask."""
    return [layer.used_weight.detach() for layer in masked(network)]


@torch.enable_grad()
def gradients(network, task, batch, generator):
    """Slope of the loss along each entry of each W ⊙ S, those that the mask cuts included.

    Args:
        network: a module with layers that carry a mask; it is left as it is.
        task: a ``tasks.Task``.
        batch: how many training examples to take the slopes over.
        generator: a ``torch.Generator`` that draws them.

    Returns:
        One matrix (out, in) a layer.
    """
    X, y = task.train
    rows = torch.randperm(len(X), generator=generator)[:batch]
    layers = masked(network)
    names = {module: f"{name}." if name else "" for name, module in network.named_modules()}
    # the same network with zeros where its masks cut, and masks that cut nothing
    used = {f"{names[layer]}weight": layer.used_weight.detach().requires_grad_() for layer in layers}
    whole = {f"{names[layer]}S": torch.ones_like(layer.S) for layer in layers}
    device = next(iter(whole.values())).device
    outputs = functional_call(network, used | whole, (X[rows].to(device),))
    return torch.autograd.grad(task.loss(outputs, y[rows].to(device)), list(used.values()))


def cut(network, sparsity, scope="global"):
    """Set the masks of a network so that its largest weights are kept.

    Args:
        network: a module with layers that carry a mask. A weight that was cut before stays cut, as long as the
            sparsity does not fall.
        sparsity: fraction of the weights to cut, in [0, 1).
        scope: "global" ranks the weights of all layers together; "layer" cuts the same fraction of each.

    Raises:
        DivergedError: a weight is not finite.
    """
    keep_largest(network, used_weights(network), sparsity, scope)


def keep_largest(network, scores, sparsity, scope="global"):
    """Set the masks of a network so that the weights with the largest scores are kept.

    Args:
        network: a module with layers that carry a mask.
        scores: a matrix (out, in) for each of these layers; their magnitudes count.
        sparsity, scope: as in :func:`cut`.

    Raises:
        DivergedError: a score is not finite.
    """
    scores = [measure.from_tensor(matrix) for matrix in scores]
    if not all(np.isfinite(matrix).all() for matrix in scores):
        raise DivergedError("the network has weights or slopes that are not finite: it can't be pruned")
    if scope == "layer":
        kept = [masks.magnitude(matrix, sparsity) for matrix in scores]
    else:
        together = masks.magnitude(np.concatenate([matrix.ravel() for matrix in scores]), sparsity)
        parts = np.split(together, np.cumsum([matrix.size for matrix in scores])[:-1])
        kept = [part.reshape(matrix.shape) for part, matrix in zip(parts, scores, strict=True)]
    for layer, S in zip(masked(network), kept, strict=True):
        layer.set_mask(S)


def realised_sparsity(network):
    """Fraction of a network's weights that are zero as its layers use them, over all weight matrices."""
    used = measure.used_weights(network).values()
    return 1 - sum(int(W.count_nonzero()) for W in used) / sum(W.numel() for W in used)


def check_realised(network, sparsity):
    """Assert that a network is as sparse as was asked, to the nearest whole number of weights in each layer.

    Raises:
        AssertionError: it is not.
    """
    used = measure.used_weights(network).values()
    rounding = 0.5 * len(used) / sum(W.numel() for W in used)
    realised = realised_sparsity(network)
    if abs(realised - sparsity) > rounding + 1e-9:
        raise AssertionError(f"a sparsity of {sparsity:.4f} was asked for, {realised:.4f} was realised")

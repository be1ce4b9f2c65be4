"""What every method is, and what it promises."""

from sparsecourse.layers import SparseLinear, masked_weights, matrices, sparse_layers


class Method:
    """What is done to a network's weights besides the steps of the optimiser: here, nothing.

    A method has three moments, and changes an ordinary network in place. ``before`` comes once, before any training;
    what it returns is the state of this one network's training, and comes back at every later moment. ``after_step``
    comes after every step of the optimiser. ``at_end`` comes once, and asserts what was promised. The method itself
    holds settings only, so that one object serves many networks, in a plain loop or in ``training.train``.

    Attributes:
        label: its name in tables and figures.
        rounds: rounds of training that it needs, all of equal length, each with a fresh optimiser.
        sparsity: what it promises, or None.
        strength: of a penalty, or None.
        starts_sparse: whether no step of the training sees more connections than are left in the end.
        gradient_densities: density of the network at each time that the gradients of all its entries are taken.
    """

    label = "method"
    rounds = 1
    sparsity = None
    strength = None
    starts_sparse = False
    gradient_densities = ()

    def before(self, network):
        """Prepare a network, and return the state that its training needs, or None."""

    def after_step(self, network, clock, state):
        """Act after a step of the optimiser, at a moment that a :class:`Clock` tells."""

    def at_end(self, network, state):
        """Finish a network. Raises AssertionError where it is not as was promised."""
        if self.sparsity is not None:
            check_realised(network, self.sparsity)


class Dense(Method):
    """Train, and leave the masks as they are."""

    label = "dense"


def masked_layers(network):
    """The layers of a network that a method can cut. Raises ValueError where there is none."""
    layers = sparse_layers(network)
    if not layers:
        raise ValueError("this method needs layers with a mask: build the network from layers.SparseLinear")
    return layers


def check_can_be_cut(network):
    """Raise ValueError unless all matrices of a network have a mask: a sparsity that is promised counts all of them."""
    masked_layers(network)
    if bare := [name for name, owner, _ in matrices(network) if not isinstance(owner, SparseLinear)]:
        raise ValueError(f"a sparsity counts all matrices, and {', '.join(bare)} can't be cut: there is no mask")


def realised_sparsity(network):
    """Fraction of a network's weights that are zero as its layers use them, over all weight matrices."""
    return _sparsity(masked_weights(network).values())


def check_realised(network, sparsity):
    """Raise AssertionError unless a network is as sparse as was asked, to half a weight in each layer."""
    used = masked_weights(network).values()
    realised, rounding = _sparsity(used), 0.5 * len(used) / sum(W.numel() for W in used)
    if abs(realised - sparsity) > rounding + 1e-9:
        raise AssertionError(f"a sparsity of {sparsity:.4f} was asked for, {realised:.4f} was realised")


def _sparsity(weights):
    return 1 - sum(int(W.count_nonzero()) for W in weights) / sum(W.numel() for W in weights)

"""Many networks of one shape, computed together.

A small network leaves a computer idle between its many small operations. Here the weights of all networks lie in one
tensor a layer, so that every operation serves all of them: ``torch.func.stack_module_state`` lays them there, and
``torch.vmap`` runs one network's code over the lot. A few networks are faster in turn, each by its own code. Either
way a network's numbers do not depend on its neighbours.

Each network stays an ordinary module meanwhile: its parameters are views into the common tensors. Who changes one
network in place has changed the population.
"""

import contextlib
import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from sparsecourse import layers
from sparsecourse.tasks import PARTS

EVALUATED_AT_ONCE = 200  # examples; bounds the memory that an evaluation takes
FEW = 4  # networks; so many are faster in turn than by vmap
WORTH_A_THREAD = 20_000_000  # multiply-adds; with less to do, threads wait for each other longer than they help


class Population:
    """Networks of one shape, stacked, each with its own data.

    Args:
        networks: list of ``nn.Module`` of the same shape; they are copied.
        tasks: one ``tasks.Task`` a network, all of the same shapes.

    Attributes:
        networks: modules whose parameters and buffers are views into the stacked ones.
        parameters, buffers: {name: tensor whose first axis counts the networks}.
        trained: names of the parameters that are not frozen.
        data: {part: (X, y)}, first axis as above.

    Raises:
        ValueError: the networks differ in shape, or a network can't learn its task.
    """

    def __init__(self, networks, tasks):
        check_networks(networks)
        check_tasks(tasks, networks[0])
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.task = tasks[0]
        self.data = {part: self._stacked(tasks, part) for part in PARTS}
        parameters, buffers = stack_module_state(networks)
        self.parameters = {name: tensor.detach().to(self.device) for name, tensor in parameters.items()}
        self.buffers = {name: tensor.to(self.device) for name, tensor in buffers.items()}
        self.trained = [name for name, parameter in networks[0].named_parameters() if parameter.requires_grad]
        self.networks = [self._view(network, k) for k, network in enumerate(networks)]
        self.code = copy.deepcopy(networks[0]).to("meta")  # one network's code; its own tensors are never used

    def _stacked(self, tasks, part):
        if all(task is tasks[0] for task in tasks):  # one copy serves all
            return tuple(t.to(self.device).expand(len(tasks), *t.shape) for t in getattr(tasks[0], part))
        return tuple(torch.stack(ts).to(self.device) for ts in zip(*(getattr(t, part) for t in tasks), strict=True))

    def _view(self, network, k):
        network = copy.deepcopy(network)
        for name, parameter in network.named_parameters():
            parameter.data = self.parameters[name][k]
        for name, buffer in network.named_buffers():
            buffer.data = self.buffers[name][k]
        return network

    def first(self, n):
        """The first n networks, ready to be computed: in turn where they are few, otherwise all at once."""
        return InTurn(self, n) if n <= FEW else AtOnce(self, n)

    @contextlib.contextmanager
    def threads_for(self, group, examples):
        """As many of torch's threads as an operation on so many examples is worth, and afterwards as many as before."""
        before, weights = torch.get_num_threads(), sum(tensor[0].numel() for tensor in self.parameters.values())
        worth = group.at_once * examples * weights // WORTH_A_THREAD
        torch.set_num_threads(max(1, min(before, worth)))
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @torch.no_grad()
    def evaluate(self, part, n=None):
        """Metric of each of the first n networks on one part of its data, (n,)."""
        n = len(self.networks) if n is None else n
        X, y = (tensor[:n] for tensor in self.data[part])
        pieces = zip(X.split(EVALUATED_AT_ONCE, dim=1), y.split(EVALUATED_AT_ONCE, dim=1), strict=True)
        group = self.first(n)
        with self.threads_for(group, EVALUATED_AT_ONCE):
            sums = [torch.vstack(group.run(self.task.evaluate, *piece)).sum(dim=1) for piece in pieces]
        return (sum(sums) / X.shape[1]).cpu()


class InTurn:
    """The first n networks of a population, one after the other, as a plain loop does it.

    Attributes:
        parameters: the tensors that an optimiser moves: all that are not frozen.
        at_once: how many networks one operation serves.
    """

    at_once = 1

    def __init__(self, population, n):
        self.networks = population.networks[:n]
        self.parameters = [p for network in self.networks for p in network.parameters() if p.requires_grad]
        self._loss, self._data = population.task.loss, [tensor[:n].unbind() for tensor in population.data["train"]]

    def run(self, what, X, y):
        """``what(outputs, y)`` of each network on its own X, as a list of tensors."""
        return [what(network(x), t) for network, x, t in zip(self.networks, X, y, strict=True)]

    def batch(self, indices):
        """What each network sees of its training examples, X and y."""
        return ([t[rows] for t, rows in zip(ts, indices, strict=True)] for ts in self._data)

    def backward(self, indices):
        """Put into each parameter the gradient of its own network's loss.

        Args:
            indices: which training examples each network sees, a tensor (batch,) each.
        """
        losses = self.run(self._loss, *self.batch(indices))
        torch.autograd.backward(losses, [torch.ones_like(loss) for loss in losses])


class AtOnce(InTurn):
    """The first n networks of a population, every operation for all of them."""

    def __init__(self, population, n):
        self.at_once, self._code = n, population.code
        self._loss, self._data = population.task.loss, [tensor[:n] for tensor in population.data["train"]]
        self._row = torch.arange(n, device=population.device)[:, None]
        self._buffers = {name: tensor[:n] for name, tensor in population.buffers.items()}
        self._parameters = {name: tensor[:n] for name, tensor in population.parameters.items()}
        self.parameters = [self._parameters[name].requires_grad_() for name in population.trained]

    def run(self, what, X, y):
        """``what(outputs, y)`` of each network on its own X, stacked, the only tensor of a list."""

        def of_one(parameters, buffers, X, y):
            return what(functional_call(self._code, (parameters, buffers), (X,)), y)

        return [torch.vmap(of_one)(self._parameters, self._buffers, X, y)]

    def batch(self, indices):
        indices = torch.stack(indices).to(self._row.device)
        return (tensor[self._row, indices] for tensor in self._data)


def check_networks(networks):
    """Check that networks can be stacked.

    Raises:
        ValueError: there is none, they are built or frozen differently, or they have layers that a population can't
            hold.
    """
    if not networks:
        raise ValueError("there is no network")
    for k, network in enumerate(networks):
        for layer in layers.sparse_layers(network):
            layer.check_mask()
        if _construction(network) != _construction(networks[0]):
            raise ValueError(f"network {k} is built differently from network 0: all must have the same layers")
        shapes, first = _shapes(network), _shapes(networks[0])
        for name, shape in shapes.items():
            if shape != first[name]:
                raise ValueError(f"{name} has shape {shape} in network {k} and {first[name]} in network 0")
        if _settings(network) != _settings(networks[0]):
            raise ValueError(f"network {k} has other settings or hooks than network 0: its code would not be used")
        if _frozen(network) != _frozen(networks[0]):
            words = [", ".join(_frozen(which)) or "nothing" for which in (network, networks[0])]
            raise ValueError(f"network {k} freezes {words[0]}, network 0 {words[1]}: all must freeze the same")
    if shared := layers.shared_parameters(networks[0]):
        raise ValueError(f"a population can't hold parameters that layers share: {', '.join(shared)}")
    for module in networks[0].modules():
        if isinstance(module, (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase, nn.RReLU)):
            raise ValueError(f"a population can't hold {type(module).__name__}: it works by chance or across examples")


def _construction(network):
    """What a network is made of, sizes of its layers aside: names, types, and settings of layers without tensors."""
    return [
        (name, type(module), None if module.state_dict() else repr(module)) for name, module in network.named_modules()
    ]


def _settings(network):
    """What the modules of a network hold besides tensors: numbers, words and how many hooks."""
    found = []
    for module in network.modules():
        plain = {name: value for name, value in vars(module).items() if isinstance(value, (int, float, str, tuple))}
        found.append((plain, len(module._forward_hooks), len(module._forward_pre_hooks)))
    return found


def _shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _frozen(network):
    return [name for name, parameter in network.named_parameters() if not parameter.requires_grad]


def check_tasks(tasks, network):
    """Check that tasks can be stacked and that a network can take their examples.

    Raises:
        ValueError: they differ in shape or metric, or the network does not fit them.
    """
    for task in tasks:
        if task.metric != tasks[0].metric:
            raise ValueError(f"one task is measured by {tasks[0].metric}, another by {task.metric}")
        for role in ("loss", "evaluate"):
            if getattr(task, role) is not getattr(tasks[0], role):
                raise ValueError(
                    f"the tasks have each a {role} of their own: a population needs the same function for all"
                )
        for part in PARTS:
            for tensor, first in zip(getattr(task, part), getattr(tasks[0], part), strict=True):
                if tensor.shape != first.shape:
                    raise ValueError(
                        f"the {part} parts of the tasks differ in shape: {tuple(tensor.shape)}, {tuple(first.shape)}"
                    )
    task = tasks[0]
    X, y = task.train
    try:
        with torch.no_grad():
            outputs = copy.deepcopy(network).cpu()(X)
            task.loss(outputs, y)
    except (RuntimeError, IndexError) as error:
        raise ValueError(f"the network can't learn {task.name}, inputs {tuple(X.shape)}: {error}") from error
    if task.evaluate(outputs, y).shape != (len(X),):
        raise ValueError(f"evaluate of {task.name} must give a number for each example: a vector of {len(X)}")
    if y.is_floating_point() and outputs.shape != y.shape:
        raise ValueError(
            f"the network gives outputs of shape {tuple(outputs.shape)}, {task.name} asks for {tuple(y.shape)}"
        )

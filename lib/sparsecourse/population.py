"""Many networks of one shape, computed together.

A small network leaves a computer idle between its many small operations. Here the weights of all networks lie in one
tensor a layer, so that every operation serves all of them: ``torch.func.stack_module_state`` lays them there, and
``torch.vmap`` runs one network's code over the lot. A network's numbers do not depend on its neighbours.

Each network stays an ordinary module meanwhile: its parameters are views into the common tensors. Who changes one
network in place has changed the population.
"""

import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state

from sparsecourse.tasks import PARTS

EVALUATED_AT_ONCE = 200  # examples; bounds the memory that an evaluation takes


class Population:
    """Networks of one shape, stacked, each with its own data.

    Args:
        networks: list of ``nn.Module`` of the same shape; they are copied.
        tasks: one ``tasks.Task`` a network, all of the same shapes.

    Attributes:
        networks: modules whose parameters and buffers are views into the stacked ones.
        parameters, buffers: {name: tensor whose first axis counts the networks}.
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
        self.networks = [self._view(network, k) for k, network in enumerate(networks)]
        self._code = copy.deepcopy(networks[0]).to("meta")  # one network's code; its own tensors are never used

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

    def _run(self, what, parameters, X, y):
        """``what(outputs, y)`` of each of the first few networks on its own X, stacked."""

        def of_one(parameters, buffers, X, y):
            return what(functional_call(self._code, (parameters, buffers), (X,)), y)

        n = len(X)
        return torch.vmap(of_one)(parameters, {name: tensor[:n] for name, tensor in self.buffers.items()}, X, y)

    def losses(self, parameters, indices):
        """Loss of each of the first n networks on its own batch, (n,).

        Args:
            parameters: of the first n networks, {name: tensor}; gradients flow back into them.
            indices: which training examples each network sees, (n, batch).
        """
        X, y = self.data["train"]
        row = torch.arange(len(indices), device=self.device)[:, None]
        indices = indices.to(self.device)
        return self._run(self.task.loss, parameters, X[row, indices], y[row, indices])

    @torch.no_grad()
    def evaluate(self, part, n=None):
        """Metric of each of the first n networks on one part of its data, (n,)."""
        n = len(self.networks) if n is None else n
        X, y = (tensor[:n] for tensor in self.data[part])
        parameters = {name: tensor[:n] for name, tensor in self.parameters.items()}
        pieces = zip(X.split(EVALUATED_AT_ONCE, dim=1), y.split(EVALUATED_AT_ONCE, dim=1), strict=True)
        sums = [self._run(self.task.evaluate, parameters, *piece).sum(dim=1) for piece in pieces]
        return (sum(sums) / X.shape[1]).cpu()


def check_networks(networks):
    """Check that networks can be stacked.

    Raises:
        ValueError: there is none, they are built differently, or they have layers that a population can't hold.
    """
    if not networks:
        raise ValueError("there is no network")
    for k, network in enumerate(networks):
        if _construction(network) != _construction(networks[0]):
            raise ValueError(f"network {k} is built differently from network 0: all must have the same layers")
        shapes, first = _shapes(network), _shapes(networks[0])
        for name, shape in shapes.items():
            if shape != first[name]:
                raise ValueError(f"{name} has shape {shape} in network {k} and {first[name]} in network 0")
    for module in networks[0].modules():
        if isinstance(module, (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)):
            raise ValueError(f"a population can't hold {type(module).__name__}: it works by chance or across examples")


def _construction(network):
    """What a network is made of, sizes of its layers aside: names, types, and settings of layers without tensors."""
    return [
        (name, type(module), None if module.state_dict() else repr(module)) for name, module in network.named_modules()
    ]


def _shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def check_tasks(tasks, network):
    """Check that tasks can be stacked and that a network can take their examples.

    Raises:
        ValueError: they differ in shape or metric, or the network does not fit them.
    """
    for task in tasks:
        if task.metric != tasks[0].metric:
            raise ValueError(f"one task is measured by {tasks[0].metric}, another by {task.metric}")
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
    if y.is_floating_point() and outputs.shape != y.shape:
        raise ValueError(
            f"the network gives outputs of shape {tuple(outputs.shape)}, {task.name} asks for {tuple(y.shape)}"
        )

"""Recurrent networks that read one picture after another: a circuit of neurons with a mask, and an LSTM beside it."""

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import nn

from sparsecourse import masks, tables
from sparsecourse.arrays import as_matrix
from sparsecourse.driving import FULL_LOCK, PIXELS
from sparsecourse.layers import SparseLinear

MOVES = 3  # from the inputs of a neural circuit policy to its motor neuron the way is three synapses long


class Circuit(nn.Module):
    """Neurons that follow what they hear, each at a pace of its own; the last one steers.

    At every picture the neurons move a few times, and each time a part of the way towards tanh((W ⊙ S) [x, h] + b),
    where x are the inputs and h the neurons' states. W and S have the shape (neurons, inputs + neurons). What a neuron
    says reaches the next one at the next move.

    Args:
        mask: S, (neurons, inputs + neurons).
        seed: of the first weights. The global generator is left as it was.
        moves: how often the neurons move at every picture.

    Attributes:
        alive: what each neuron's state is multiplied by, (neurons,) or (cars, neurons); a 0 silences it.

    Raises:
        ValueError: the mask has no column for an input.
    """

    def __init__(self, mask, seed, moves=MOVES):
        super().__init__()
        neurons, heard = as_matrix(mask).shape
        self.neurons, self.inputs, self.moves = neurons, heard - neurons, moves
        if self.inputs < 1:
            raise ValueError(f"the mask has shape {(neurons, heard)}: it needs a column an input besides one a neuron")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.synapses = SparseLinear(heard, neurons, mask=mask)
        self.pace = nn.Parameter(torch.zeros(neurons))  # before the sigmoid: one half of the way
        self.register_buffer("alive", torch.ones(neurons))

    def start(self, cars):
        """The state at the beginning, (cars, neurons): all neurons at rest."""
        return torch.zeros(cars, self.neurons).to(self.pace)

    def move(self, x, h):
        """The neurons' next states, (cars, neurons), from the picture x, (cars, inputs), and the states h."""
        from_inputs, from_neurons, pace = self._wired()
        return self._moved(self._told(x, from_inputs), h, from_neurons, pace)

    def step(self, x, h):
        """The steering, 1/m, (cars, 1), and the new states, after one picture x, (cars, inputs)."""
        steering, h = self._follow(x[:, None], h)
        return steering[:, 0], h

    def activity(self, h):
        """The neurons' states, (cars, neurons)."""
        return h

    def forward(self, X):
        """The steering at each picture of recordings X, (recordings, steps, inputs): (recordings, steps, 1)."""
        return self._follow(X, self.start(len(X)))[0]

    def _follow(self, X, h):
        """The steering at each picture, and the states after the last.

        What stays the same from move to move, the wiring and what a picture tells, is computed once.
        """
        from_inputs, from_neurons, pace = self._wired()
        steering = []
        for told in self._told(X, from_inputs).unbind(dim=1):
            for _ in range(self.moves):
                h = self._moved(told, h, from_neurons, pace)
            steering.append(FULL_LOCK * h[..., -1:])
        return torch.stack(steering, dim=1), h

    def _wired(self):
        """W ⊙ S in two parts, for the inputs and for the neurons, and what part of the way the neurons go."""
        return *self.synapses.weight.split((self.inputs, self.neurons), dim=1), torch.sigmoid(self.pace)

    def _told(self, X, from_inputs):
        """What pictures alone tell the neurons, biases included, (..., neurons)."""
        return nn.functional.linear(X, from_inputs, self.synapses.bias)

    def _moved(self, told, h, from_neurons, pace):
        aim = torch.tanh(told + h @ from_neurons.T)
        return (h + pace * (aim - h)) * self.alive


class LSTM(nn.Module):
    """A long short-term memory that drives: the usual choice, four dense gates a unit.

    Args:
        units: how many.
        seed: of the first weights. The global generator is left as it was.
    """

    def __init__(self, units, seed):
        super().__init__()
        self.units = units
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.gates, self.motor = nn.Linear(PIXELS + units, 4 * units), nn.Linear(units, 1)

    def start(self, cars):
        """The state at the beginning: output and memory, (2, cars, units)."""
        return torch.zeros(2, cars, self.units).to(self.motor.weight)

    def step(self, x, state):
        """The steering, 1/m, (cars, 1), and the new state, after one picture x, (cars, inputs)."""
        output, memory = state
        enter, forget, new, leave = self.gates(torch.cat([x, output], dim=-1)).chunk(4, dim=-1)
        memory = torch.sigmoid(forget) * memory + torch.sigmoid(enter) * torch.tanh(new)
        output = torch.sigmoid(leave) * torch.tanh(memory)
        return self.motor(output), torch.stack([output, memory])

    def activity(self, state):
        """The units' outputs, (cars, units)."""
        return state[0]

    def forward(self, X):
        """The steering at each picture of recordings X, (recordings, steps, inputs): (recordings, steps, 1)."""
        state, steering = self.start(len(X)), []
        for x in X.unbind(dim=1):
            now, state = self.step(x, state)
            steering.append(now)
        return torch.stack(steering, dim=1)


def reach(move, inputs, neurons):
    """What each neuron's next state follows: the Jacobian of a move, (neurons, inputs + neurons), at a random place.

    Args:
        move: function of (x, h), shapes (1, inputs) and (1, neurons), that returns the next states, (1, neurons), for
            example the ``move`` of a :class:`Circuit`.
        inputs, neurons: how many.
    """
    generator = torch.Generator().manual_seed(0)
    place = torch.randn(inputs, generator=generator), torch.randn(neurons, generator=generator)
    parts = torch.autograd.functional.jacobian(lambda x, h: move(x[None], h[None])[0], place)
    return np.concatenate([part.numpy() for part in parts], axis=1)


# ------------------------------------------------------------------------------------- trained circuits on file


CIRCUITS = ("NCP", "dense", "random", "seven", "one")
INTER, COMMAND, MOTOR = 12, 6, 1
NEURONS = INTER + COMMAND + MOTOR


def wiring(kind, seed):
    """The mask of one of five kinds of circuit with 32 inputs and 19 neurons, (19, 51).

    "NCP": a neural circuit policy of 12 inter, 6 command and 1 motor neuron. "dense": every connection. "random": as
    many as the NCP, anywhere. "seven": every connection of the last seven neurons; the others are left out. "one": the
    motor neuron alone, and it hears every input.

    Args:
        kind: one of ``CIRCUITS``; a ValueError if it is not.
        seed: of the draws; three kinds have none.
    """
    if kind not in CIRCUITS:
        raise ValueError(f"kind must be one of {', '.join(CIRCUITS)}, got {kind!r}")
    policy = masks.ncp(PIXELS, INTER, COMMAND, MOTOR, seed=seed)
    if kind == "NCP":
        return policy
    if kind == "random":
        return masks.random(policy.shape, 1 - policy.mean(), seed)
    if kind == "dense":
        return np.ones_like(policy)
    S = np.zeros_like(policy)
    if kind == "seven":
        S[-7:, :PIXELS] = S[-7:, -7:] = 1
    else:
        S[-1, :PIXELS] = 1
    return S


def save(networks, path):
    """Write circuits, {name: Circuit}, to a safetensors file, masks included; a tensor's key is "name.tensor"."""
    states = {name: network.state_dict() for name, network in networks.items()}
    tensors = {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}
    Path(path).write_bytes(safetensors.torch.save(tensors))  # not save_file: only its owner may read what that writes


def recorded(kind):
    """A trained circuit of a kind, one of ``CIRCUITS``, from ``data/results``.

    Raises:
        DamagedDataError: the file is missing, or its checksum is not the published one.
    """
    circuit = Circuit(wiring(kind, seed=0), seed=0)
    with safetensors.safe_open(tables.verified("results", "circuits_19.safetensors"), "pt") as file:
        circuit.load_state_dict({name: file.get_tensor(f"{kind}.{name}") for name in circuit.state_dict()})
    return circuit

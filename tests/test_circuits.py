"""Recurrent circuits: they obey their masks, and what is on file drives."""

import numpy as np
import pytest
import safetensors.torch
import torch

from sparsecourse import circuits, driving, masks, training


def test_the_wiring_of_a_policy():
    S = masks.ncp(32, 12, 6, 1, seed=3)
    inputs, inter, command, motor = np.split(S, [32, 44, 50], axis=1)
    assert S.shape == (19, 51)
    assert S.sum() == 253
    assert inputs[:12].sum(axis=0).tolist() == [6] * 32
    assert not inputs[12:].any()
    assert inter[12:18].sum(axis=0).tolist() == [4] * 12
    assert inter.sum() == 48
    assert command[12:18].sum() == 7
    assert command[18].sum() == command.sum() - 7 == 6
    assert not motor.any()
    assert np.array_equal(S, masks.ncp(32, 12, 6, 1, seed=3))
    assert not np.array_equal(S, masks.ncp(32, 12, 6, 1, seed=4))


def test_a_neuron_that_drew_nothing_gets_an_input():
    for seed in range(20):
        S = masks.ncp(3, 6, 4, 1, fanout=1, inter_fanout=1, recurrent=0, motor_fanin=2, seed=seed)
        assert S[:10].any(axis=1).all()


@pytest.mark.parametrize("asked", [{"fanout": 13}, {"inter_fanout": 7}, {"recurrent": 37}, {"motor_fanin": -1}])
def test_a_policy_that_can_not_be_is_refused(asked):
    with pytest.raises(ValueError, match=f"{next(iter(asked))} must lie between 0 and"):
        masks.ncp(32, 12, 6, 1, **asked)


@pytest.mark.parametrize("kind", circuits.CIRCUITS)
def test_circuits_obey_their_masks(kind):
    S = circuits.wiring(kind, seed=0)
    circuit = circuits.Circuit(S, seed=0)
    J = circuits.reach(circuit.move, 32, 19)
    own = np.zeros_like(S)
    own[np.arange(19), 32 + np.arange(19)] = 1
    assert (J[(S == 0) & (own == 0)] == 0).all()
    assert (J[S == 1] != 0).all()


def test_wirings_have_the_sizes_that_are_compared():
    counted = {kind: int(circuits.wiring(kind, seed=1).sum()) for kind in circuits.CIRCUITS}
    assert counted == {"NCP": 253, "dense": 969, "random": 253, "seven": 273, "one": 32}
    with pytest.raises(ValueError, match="kind must be one of NCP, dense, random, seven, one, got 'ten'"):
        circuits.wiring("ten", 0)


def test_a_circuit_is_decided_by_its_seed_and_leaves_the_generator():
    S, state = circuits.wiring("NCP", 0), torch.get_rng_state()
    one, same, other = (circuits.Circuit(S, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.synapses.weight, same.synapses.weight)
    assert not torch.equal(one.synapses.weight, other.synapses.weight)
    with pytest.raises(ValueError, match="it needs a column an input besides one a neuron"):
        circuits.Circuit(np.ones((4, 4)), seed=0)


def test_news_travels_one_synapse_a_move():
    S = masks.ncp(8, 4, 3, 1, fanout=4, inter_fanout=3, recurrent=0, motor_fanin=3)
    for moves in (1, 2, 3):
        circuit = circuits.Circuit(S, seed=0, moves=moves)
        steering = [circuit.step(x, circuit.start(1))[0].item() for x in (torch.zeros(1, 8), torch.ones(1, 8))]
        assert (steering[0] != steering[1]) == (moves == 3)


def test_a_sequence_is_its_steps():
    for network in (circuits.Circuit(circuits.wiring("NCP", 0), 0), circuits.LSTM(5, 0)):
        X = torch.randn(3, 4, 32)
        state, steering = network.start(3), []
        for step in range(4):
            now, state = network.step(X[:, step], state)
            steering.append(now)
        torch.testing.assert_close(network(X), torch.stack(steering, dim=1))
        assert network(X).shape == (3, 4, 1)


def test_the_lstm_is_torchs():
    ours, theirs = circuits.LSTM(5, seed=0), torch.nn.LSTM(32, 5, batch_first=True)
    with torch.no_grad():
        weight = ours.gates.weight.unflatten(0, (4, 5))  # torch's order of the gates: enter, forget, new, leave
        theirs.weight_ih_l0.copy_(weight[..., :32].flatten(0, 1))
        theirs.weight_hh_l0.copy_(weight[..., 32:].flatten(0, 1))
        theirs.bias_ih_l0.copy_(ours.gates.bias)
        theirs.bias_hh_l0.zero_()
        X = torch.randn(2, 6, 32)
        assert torch.allclose(ours(X), ours.motor(theirs(X)[0]), atol=1e-6)


def test_silence():
    circuit = circuits.Circuit(circuits.wiring("NCP", 0), seed=0)
    circuit.alive[[3, 12]] = 0
    _, h = circuit.step(torch.randn(5, 32), torch.randn(5, 19))
    assert (h[:, [3, 12]] == 0).all()
    assert (h[:, 4] != 0).all()
    circuit.alive = torch.stack([torch.ones(19), circuit.alive])  # a row a car
    _, h = circuit.step(torch.randn(2, 32), torch.randn(2, 19))
    assert (h == 0).tolist() == [[False] * 19, [k in (3, 12) for k in range(19)]]


def test_a_circuit_learns_to_steer_in_a_population():
    task = driving.lane_keeping(recordings=64)
    networks = [circuits.Circuit(circuits.wiring(kind, 0), 0) for kind in ("NCP", "one")]
    before = training.evaluate(networks, task, "validation")
    result = training.train(networks, task, steps=60, batch=32, learning_rate=1e-2)
    assert (result.table["validation_error"] < 0.7 * np.array(before)).all()
    assert result.networks[0].synapses.weight[0, 32:].shape == (19,)


@pytest.mark.parametrize("kind", circuits.CIRCUITS)
def test_recorded_circuits_keep_their_lane(kind):
    circuit = circuits.recorded(kind)
    assert np.array_equal(circuit.synapses.mask.numpy(), circuits.wiring(kind, 0))
    assert driving.drive(circuit, range(1000, 1004), steps=200).kept.all()


def test_circuits_come_back_from_their_file(tmp_path):
    task = driving.lane_keeping(recordings=16)
    networks = [circuits.Circuit(circuits.wiring(kind, 0), 0) for kind in ("NCP", "one")]
    trained = training.train(networks, task, steps=2, batch=8).networks  # they may not be views of one another
    path = tmp_path / "circuits.safetensors"
    circuits.save(dict(zip(("NCP", "one"), trained, strict=True)), path)
    content = path.read_bytes()
    circuits.save(dict(zip(("one", "NCP"), trained[::-1], strict=True)), path)
    assert path.read_bytes() == content
    stored = safetensors.torch.load(content)
    assert len(stored) == 10
    for name, network in zip(("NCP", "one"), trained, strict=True):
        for key, value in network.state_dict().items():
            assert torch.equal(stored[f"{name}.{key}"], value)

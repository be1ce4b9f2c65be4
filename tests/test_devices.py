"""What must hold wherever the tensors lie: on the processor always, and on a graphics card where there is one."""

import copy

import numpy as np
import pytest
import torch

from sparsecourse import layers, masks, methods, storage, tasks, training

card = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card")
everywhere = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=card)])
SIZES = (40, 32, 32, 10)


def layer_and_batch(device, sparsity=0.9):
    """A sparse layer and examples, both drawn on the processor and then moved."""
    torch.manual_seed(0)
    layer = layers.SparseLinear(64, 48, mask=masks.random((48, 64), sparsity, seed=0))
    return layer.to(device), torch.randn(7, 64).to(device)


def array(tensor):
    return tensor.detach().cpu().numpy()


@everywhere
def test_a_sparse_layer_computes_what_numpy_computes(device):
    layer, x = layer_and_batch(device)
    x.requires_grad_()
    layer(x).square().sum().backward()
    W, S, b, X = map(array, (layer.W, layer.mask, layer.bias, x))
    y = X @ (W * S).T + b
    assert np.allclose(array(layer(x)), y, atol=1e-4)
    assert np.allclose(array(layer.W.grad), 2 * y.T @ X * S, atol=1e-3)
    assert np.allclose(array(x.grad), 2 * y @ (W * S), atol=1e-3)


@everywhere
def test_masks_are_made_of_tensors_and_taken_as_tensors(device):
    layer, _ = layer_and_batch(device, sparsity=0)
    W = array(layer.W)
    for make in (
        lambda W: masks.magnitude(W, 0.8),
        lambda W: masks.n_of_m(W, 2, 4),
        lambda W: masks.blocks(W, 0.5, (4, 4)),
    ):
        S = make(layer.W)
        assert np.array_equal(S, make(W))
        layer.set_mask(torch.as_tensor(S, device=device))
        assert np.array_equal(array(layer.mask), S)
    (kept,) = masks.keep_largest([layer.W.detach().abs()], 0.8)
    assert kept.device.type == device
    assert np.array_equal(array(kept), masks.magnitude(W, 0.8))


@everywhere
@pytest.mark.parametrize("layout", storage.LAYOUTS)
def test_a_layer_computes_the_same_in_every_layout(layout, device):
    layer, x = layer_and_batch(device)
    moved = storage.SparseInference(layer_and_batch("cpu")[0], layout).to(device)
    for stored in (storage.SparseInference(layer, layout), moved):
        assert stored(x).device.type == device
        for examples in (x, x[:1]):
            assert torch.allclose(stored(examples), layer(examples), atol=1e-5)


@everywhere
def test_a_stored_layer_learns_what_a_masked_one_learns(device):
    layer, x = layer_and_batch(device)
    found, kept = [], layer.mask == 1
    for module in (copy.deepcopy(layer), storage.CSRLinear(layer)):
        inputs = x.clone().requires_grad_()
        y = module(inputs)
        y.square().sum().backward()
        weight = module.values.grad if hasattr(module, "values") else module.W.grad[kept]
        found.append((y, inputs.grad, module.bias.grad, weight))
    for masked, stored in zip(*found, strict=True):
        assert torch.allclose(masked, stored, atol=1e-4)


@card
@pytest.mark.parametrize("name", ["dense", "L1", "gradual", "one-shot", "random, ERK", "SNIP", "SET", "RigL"])
def test_a_population_learns_on_a_card_what_it_learns_on_the_processor(name, monkeypatch):
    """Two devices round differently: weights agree to a thousandth after 30 steps, and masks in all entries."""
    task, level = tasks.mnist1d(), 0.05 if name == "L1" else 0.8
    settings = {"num_updates": 3} if name in ("gradual", "SET", "RigL") else {}
    method = methods.named(name, level, sizes=SIZES, seed=0, task=task, **settings)
    networks = [layers.mlp(SIZES, seed) for seed in range(3)]
    there = training.train(networks, task, method, steps=30, batch=50).networks
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    here = training.train(networks, task, method, steps=30, batch=50).networks
    for one, other in zip(there, here, strict=True):
        for layer, twin in zip(layers.sparse_layers(one), layers.sparse_layers(other), strict=True):
            assert torch.equal(layer.mask.cpu(), twin.mask)
            assert torch.allclose(layer.weight.cpu(), twin.weight, atol=1e-3)

"""The sparse layer."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from sparsecourse import layers, masks, measure, storage


def test_it_is_a_linear_layer_when_nothing_is_cut():
    torch.manual_seed(0)
    linear = nn.Linear(7, 5)
    torch.manual_seed(0)
    sparse = layers.SparseLinear(7, 5)
    torch.testing.assert_close(sparse.weight, linear.weight)
    torch.testing.assert_close(sparse.bias, linear.bias)
    x = torch.randn(3, 7)
    torch.testing.assert_close(sparse(x), linear(x))


@pytest.mark.parametrize("kind", [np.array, torch.tensor, lambda S: np.array(S) > 0, lambda S: S])
def test_y_is_masked_w_times_x_plus_b(kind):
    S = [[1, 0, 1], [0, 0, 1]]
    layer = layers.SparseLinear(3, 2, mask=kind(S))
    x = torch.randn(4, 3)
    expected = x @ (layer.W * torch.tensor(S)).T + layer.bias
    torch.testing.assert_close(layer(x), expected)


def test_cut_weights_have_no_effect_and_no_gradient():
    layer = layers.SparseLinear(6, 4, mask=masks.random((4, 6), 0.5, seed=0))
    layer(torch.randn(5, 6)).square().sum().backward()
    assert (layer.W.grad[layer.mask == 0] == 0).all()
    assert (layer.W.grad[layer.mask == 1] != 0).all()


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_not_finite_behind_the_mask_is_not_hidden(value):
    """0 · ∞ is no number: the output says that something is wrong. What stores the kept weights alone never sees it."""
    layer = layers.SparseLinear(3, 2, mask=[[1, 0, 1], [0, 1, 1]])
    layer.W.data[0, 1] = value
    x = torch.randn(4, 3)
    for other in (layer, layer.to_linear(), layers.fold(layer)):
        assert other(x)[:, 0].isnan().all()
        assert other(x)[:, 1].isfinite().all()
    assert storage.CSRLinear(layer)(x).isfinite().all()


def test_the_mask_is_a_buffer():
    layer = layers.SparseLinear(6, 4, mask=masks.random((4, 6), 0.5, seed=0))
    assert [name for name, _ in layer.named_parameters()] == ["W", "bias"]
    twin = layers.SparseLinear(6, 4)
    twin.load_state_dict(layer.state_dict())
    assert torch.equal(twin.mask, layer.mask)
    assert torch.equal(copy.deepcopy(layer).mask, layer.mask)
    assert layer.double().mask.dtype == torch.float64


def test_initialisation_by_surviving_fan_in():
    """The spread of the sums does not depend on how many inputs are left."""
    torch.manual_seed(0)
    x = torch.randn(2000, 400)
    wirings = [masks.random((300, 400), sparsity, seed=0) for sparsity in (0, 0.5, 0.95)]
    spread = [layers.SparseLinear(400, 300, mask=S)(x).std().item() for S in wirings]
    assert spread == pytest.approx([spread[0]] * 3, rel=0.05)


def test_an_output_without_inputs_is_no_accident():
    S = np.ones((3, 4), dtype=int)
    S[1] = 0
    layer = layers.SparseLinear(4, 3, mask=S)
    assert torch.isfinite(layer.W).all()
    assert layer.fan_in().tolist() == [4, 0, 4]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_fan_in_that_is_larger_than_its_type_holds(dtype):
    """The largest float16 is 65,504, and from 257 on a bfloat16 no longer counts by ones."""
    torch.manual_seed(0)
    layer = layers.SparseLinear(70_000, 2, dtype=dtype)
    assert layer.fan_in().tolist() == [70_000, 70_000]
    bound = 70_000**-0.5
    assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert layer.weight.double().std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert "sparsity=0.000" in repr(layer)


def test_bad_masks():
    with pytest.raises(ValueError, match=r"the mask has shape \(4, 3\), the weights have shape \(3, 4\)"):
        layers.SparseLinear(4, 3, mask=np.ones((4, 3)))
    with pytest.raises(ValueError, match="a mask holds only 0 and 1"):
        layers.SparseLinear(4, 3, mask=np.full((3, 4), 0.5))
    with pytest.raises(ValueError, match="have 2 weight matrices, got 1 masks"):
        layers.mlp((4, 3, 2), seed=0, masks=[np.ones((3, 4))])


def test_mlp_is_decided_by_its_seed_and_leaves_the_generator():
    state = torch.get_rng_state()
    one, same, other = (layers.mlp((5, 4, 3), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one[0].weight, same[0].weight)
    assert not torch.equal(one[0].weight, other[0].weight)
    assert [type(module).__name__ for module in one] == ["SparseLinear", "ReLU", "SparseLinear"]


def test_measure_sees_the_masked_weights():
    network = layers.mlp((10, 8, 4), seed=0, masks=[masks.random((8, 10), 0.75, 0), np.ones((4, 8))])
    table = measure.layers(network)
    assert table["sparsity"].tolist() == pytest.approx([0.75, 0, 60 / 112])
    assert "sparsity=0.750" in repr(network)


def test_only_the_weight_of_a_sparse_layer_is_masked():
    class WithGate(layers.SparseLinear):
        """A sparse layer with another matrix, which the mask is not meant for."""

        def __init__(self):
            super().__init__(3, 2, mask=[[1, 0, 0], [0, 1, 0]])
            self.gate = nn.Parameter(torch.ones(5, 4))

    layer = WithGate()
    found = layers.masked_weights(nn.Sequential(layer))
    assert set(found) == {"0.weight", "0.gate"}
    assert torch.equal(found["0.gate"], layer.gate)
    assert torch.equal(found["0.weight"], layer.W * layer.mask)


# -------------------------------------------------------------------------------- a neighbour among PyTorch's modules


@pytest.fixture
def network():
    """Two sparse layers with a ReLU between them."""
    return layers.mlp((6, 5, 4), seed=0, masks=[masks.random((5, 6), 0.5, 0), masks.random((4, 5), 0.5, 1)])


def survivors():
    """Ways in which a module is copied; each returns a module that must compute the same."""

    def saved(network):
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        file.seek(0)
        twin = layers.mlp((6, 5, 4), seed=1)
        twin.load_state_dict(torch.load(file))
        return twin

    def whole(network):
        file = io.BytesIO()
        torch.save(network, file)
        file.seek(0)
        return torch.load(file, weights_only=False)

    return {
        "state_dict": saved,
        "torch.save": whole,
        "deepcopy": copy.deepcopy,
        "pickle": lambda network: pickle.loads(pickle.dumps(network)),
        "compile": lambda network: torch.compile(network, fullgraph=True, backend="aot_eager"),
        "export": lambda network: torch.export.export(network, (torch.zeros(3, 6),)).module(),
        "fold": layers.fold,
    }


@pytest.mark.parametrize("way", survivors())
def test_it_survives(way, network):
    x = torch.randn(3, 6)
    assert torch.allclose(survivors()[way](network)(x), network(x), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_it_moves_as_a_whole(dtype, network):
    moved = network.to(dtype)
    assert {tensor.dtype for tensor in moved.state_dict().values()} == {dtype}
    assert moved(torch.zeros(2, 6, dtype=dtype)).dtype == dtype
    assert moved.to("meta")(torch.zeros(2, 6, dtype=dtype, device="meta")).device.type == "meta"


def test_it_can_be_made_on_a_device_and_in_a_type():
    layer = layers.SparseLinear(3, 2, device="meta", dtype=torch.float64)
    assert all(tensor.device.type == "meta" and tensor.dtype == torch.float64 for tensor in layer.state_dict().values())


def test_gradients_through_torch_func_are_those_of_autograd(network):
    x = torch.randn(3, 6)

    def loss(parameters, x):
        return functional_call(network, parameters, (x,)).square().sum()

    parameters = dict(network.named_parameters())
    found = grad(loss)({name: value.detach() for name, value in parameters.items()}, x)
    loss(parameters, x).backward()
    for name, value in parameters.items():
        assert torch.allclose(found[name], value.grad, atol=1e-6)
    one_by_one = vmap(lambda x: network(x))(x)
    assert torch.allclose(one_by_one, network(x), atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_to_linear_and_back(bias):
    S = masks.random((4, 6), 0.5, seed=0)
    layer = layers.SparseLinear(6, 4, bias=bias, mask=S)
    linear = layer.to_linear()
    x = torch.randn(3, 6)
    assert type(linear) is nn.Linear
    assert torch.equal(linear(x), layer(x))
    back = layers.SparseLinear.from_linear(linear)
    assert np.array_equal(back.mask.numpy(), S)
    assert torch.equal(back(x), layer(x))
    assert not back.W[back.mask == 0].any()  # what lay behind the mask is forgotten


def test_from_linear_takes_a_mask_and_leaves_the_layer():
    linear = nn.Linear(6, 4).double()
    before = linear.weight.clone()
    S = masks.random((4, 6), 0.5, seed=0)
    layer = layers.SparseLinear.from_linear(linear, S)
    with torch.no_grad():
        layer.W += 1
    assert torch.equal(linear.weight, before)
    assert layer.mask.dtype == torch.float64
    with pytest.raises(ValueError, match="the mask has shape"):
        layers.SparseLinear.from_linear(linear, S.T)


def test_making_layers_of_layers_draws_no_random_numbers():
    layer = layers.SparseLinear(6, 4)
    state = torch.get_rng_state()
    layers.SparseLinear.from_linear(layer.to_linear())
    assert torch.equal(torch.get_rng_state(), state)


def test_fold_reaches_every_sparse_layer_once():
    shared = layers.SparseLinear(4, 4, mask=masks.random((4, 4), 0.5, seed=0))
    network = nn.ModuleDict({"a": nn.Sequential(shared, nn.ReLU(), shared), "b": nn.Linear(4, 2)})
    folded = layers.fold(network)
    assert not layers.sparse_layers(folded)
    assert folded["a"][0] is folded["a"][2]
    assert len(layers.sparse_layers(network)) == 1
    assert type(layers.fold(shared)) is nn.Linear


def test_replacing_leaves_the_network_and_its_hooks_alone(network):
    """Whatever the replacement does to the layer it is given; hooks of all other modules go along."""
    before = copy.deepcopy(network)
    seen = []
    network.register_forward_hook(lambda module, given, result: seen.append(module))
    network[1].register_forward_hook(lambda module, given, result: seen.append(module))

    @torch.no_grad()
    def silenced(layer):
        layer.W.zero_()
        layer.bias.zero_()
        return layer

    silent = layers.replaced(network, silenced)
    x = torch.randn(3, 6)
    assert not silent(x).any()
    assert seen == [silent[1], silent]
    assert silent[0] is not network[0]
    assert torch.equal(network(x), before(x))
    assert seen[2:] == [network[1], network]

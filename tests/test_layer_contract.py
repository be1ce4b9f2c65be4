"""SparseLinear where an nn.Linear may stand: PyTorch's own module tests, readers of its weight, files, flags.

PyTorch describes how its modules are built and called, with a reference in plain terms, for its own tests. Here the
same is asked of a sparse layer that cuts nothing.
"""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize, prune

from sparsecourse import circuits, costs, layers, masks, measure, methods, population, storage, tasks, training

HALF = {"atol": 1e-2, "rtol": 1e-2}


def described(dtype):
    """How PyTorch's tests build and call an nn.Linear, with inputs of a type."""
    from torch.testing._internal import common_modules  # here, because it takes seconds

    (linear,) = [info for info in common_modules.module_db if info.module_cls is nn.Linear]
    return linear.module_inputs_func(linear, device="cpu", dtype=dtype, requires_grad=True, training=True)


CASES = 3
cases = pytest.mark.parametrize("case", range(CASES))
types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def test_all_cases_are_tried():
    assert len(described(torch.float64)) == CASES


def built(case, dtype, kind=layers.SparseLinear):
    """A layer as PyTorch's tests build an nn.Linear, what it is called with, and the description."""
    found = described(dtype)[case]
    torch.manual_seed(0)
    layer = kind(*found.constructor_input.args, **found.constructor_input.kwargs, dtype=dtype)
    if found.forward_input.args:
        return layer, found.forward_input.args, found
    return layer, (torch.randn(4, layer.in_features, dtype=dtype, requires_grad=True),), found


# ------------------------------------------------------------------------------------- what PyTorch asks of its modules


@cases
@types
def test_forward_is_that_of_the_reference_and_of_nn_linear(case, dtype):
    layer, given_inputs, found = built(case, dtype)
    y = layer(*given_inputs)
    assert torch.allclose(y, found.reference_fn(layer, *given_inputs), atol=1e-6)
    plain = nn.Linear(*found.constructor_input.args, **found.constructor_input.kwargs, dtype=dtype)
    layer.load_state_dict(plain.state_dict())
    assert torch.equal(layer(*given_inputs), plain(*given_inputs))


@cases
def test_gradients_and_their_gradients(case):
    layer, (x,), _ = built(case, torch.float64)

    def called(x, *parameters):
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    parameters = [parameter.detach().clone().requires_grad_() for parameter in layer.parameters()]
    assert torch.autograd.gradcheck(called, (x, *parameters))
    assert torch.autograd.gradgradcheck(called, (x, *parameters))


@cases
@types
def test_factory_arguments_and_parameters(case, dtype):
    layer, _, found = built(case, dtype)
    plain = nn.Linear(*found.constructor_input.args, **found.constructor_input.kwargs, dtype=dtype)
    assert isinstance(layer, nn.Linear)
    assert (layer.in_features, layer.out_features) == (plain.in_features, plain.out_features)
    assert [(p.shape, p.dtype) for p in layer.parameters()] == [(p.shape, p.dtype) for p in plain.parameters()]
    assert [torch.equal(p, q) for p, q in zip(layer.parameters(), plain.parameters(), strict=True)].count(True) == 0
    meta = layers.SparseLinear(
        *found.constructor_input.args, **found.constructor_input.kwargs, device="meta", dtype=dtype
    )
    assert {tensor.device.type for tensor in meta.state_dict().values()} == {"meta"}
    assert repr(layer) == repr(plain).replace("Linear", "SparseLinear").replace(")", ", sparsity=0.000)")


@cases
@types
def test_the_first_weights_are_those_of_nn_linear(case, dtype):
    sparse, _, _ = built(case, dtype)
    plain, _, _ = built(case, dtype, kind=nn.Linear)
    for one, other in zip(sparse.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@cases
@types
def test_saved_copied_and_moved(case, dtype):
    layer, given_inputs, _ = built(case, dtype)
    y = layer(*given_inputs)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for twin in (torch.load(file, weights_only=False), pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        assert torch.equal(twin(*given_inputs), y)
    other, _, _ = built(case, dtype)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(*given_inputs), y)
    half = [each.detach().half() for each in given_inputs]
    assert torch.allclose(layer.half()(*half), y.half(), **HALF)


@cases
def test_not_contiguous_inputs_and_weights(case):
    layer, (x,), _ = built(case, torch.float64)
    y = layer(x)
    wide = torch.stack([x, x], dim=-1)[..., 0]
    assert not wide.is_contiguous() or wide.numel() == 1
    assert torch.equal(layer(wide), y)
    layer.W.data = layer.W.data.T.contiguous().T
    torch.testing.assert_close(layer(x), y)


@cases
def test_zero_grad_and_both_modes(case):
    layer, (x,), _ = built(case, torch.float64)
    assert torch.equal(layer.train()(x), layer.eval()(x))
    layer(x).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
    layer.zero_grad()
    assert all(parameter.grad is None for parameter in layer.parameters())


# ------------------------------------------------------------------------------------------------ readers of the weight


def masked(linear, seed=0):
    return layers.SparseLinear.from_linear(linear, masks.random(linear.weight.shape, 0.5, seed))


def test_a_transformer_that_reads_the_weight_reads_what_the_layer_computes_with():
    """In evaluation PyTorch's encoder layer does not call its linear layers: it reads their weights."""
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    encoder.linear1, encoder.linear2 = masked(encoder.linear1), masked(encoder.linear2)
    encoder.self_attn.out_proj = masked(encoder.self_attn.out_proj)
    x = torch.randn(3, 5, 8)
    with torch.no_grad():
        called = encoder.train()(x)
        assert torch.allclose(encoder.eval()(x), called, atol=1e-6)
        assert torch.allclose(layers.fold(encoder)(x), called, atol=1e-6)


def test_the_weight_is_for_reading():
    layer = masked(nn.Linear(6, 4))
    assert torch.equal(layer.weight, layer.W * layer.mask)
    for value in (nn.Parameter(torch.ones(4, 6)), torch.ones(4, 6)):
        with pytest.raises(AttributeError, match="the weight of a sparse layer is W ⊙ S: give it another W"):
            layer.weight = value
    with pytest.raises((AttributeError, KeyError, RuntimeError, TypeError)):
        prune.l1_unstructured(layer, "weight", 0.5)


def test_numbers_that_are_not_real_are_refused():
    for dtype in (torch.complex64, torch.int64):
        with pytest.raises((ValueError, RuntimeError), match=r"real|floating point|require gradients"):
            layers.SparseLinear(3, 2, dtype=dtype)


# ---------------------------------------------------------------------------------------------------- what is in a file


@pytest.mark.parametrize("bias", [True, False])
def test_what_a_dense_layer_has_saved_goes_behind_the_mask(bias):
    dense, S = nn.Linear(6, 4, bias=bias), masks.random((4, 6), 0.5, seed=0)
    network = nn.Sequential(layers.SparseLinear(6, 4, bias=bias, mask=S))
    network.load_state_dict(nn.Sequential(dense).state_dict())
    assert torch.equal(network[0].W, dense.weight)
    assert np.array_equal(network[0].mask.numpy(), S)
    assert network[0].bias is None or torch.equal(network[0].bias, dense.bias)


def test_what_torch_prune_has_saved_brings_its_mask():
    pruned = nn.Sequential(nn.Linear(6, 4))
    prune.l1_unstructured(pruned[0], "weight", 0.5)
    network = nn.Sequential(layers.SparseLinear(6, 4))
    network.load_state_dict(pruned.state_dict())
    x = torch.randn(3, 6)
    assert torch.equal(network(x), pruned(x))
    assert measure.sparsity(network[0].mask) == 0.5
    assert torch.equal(layers.SparseLinear.from_linear(pruned[0])(x), pruned(x))


@given(st.sampled_from([0.5, -1.0, 2.0, float("nan"), 2 / 3]), st.integers(0, 23))
def test_a_mask_that_is_none_does_not_come_in_from_a_file(value, place):
    layer = masked(nn.Linear(6, 4))
    state = copy.deepcopy(layer.state_dict())
    state["mask"].view(-1)[place] = value
    with pytest.raises(RuntimeError, match="mask"):
        layer.load_state_dict(state)
    assert set(layer.mask.unique().tolist()) == {0, 1}


@pytest.mark.parametrize(
    "use",
    [
        measure.layers,
        layers.fold,
        methods.realised_sparsity,
        lambda network: storage.CSRLinear(network[0]),
        lambda network: training.train([network], tasks.mnist1d(), steps=1),
    ],
)
def test_a_mask_that_was_averaged_is_refused(use):
    networks = [layers.mlp((40, 10), seed=0, masks=[masks.random((10, 40), 0.5, seed)]) for seed in range(3)]
    averaged = torch.optim.swa_utils.AveragedModel(networks[0], use_buffers=True)
    for network in networks:
        averaged.update_parameters(network)
    with pytest.raises(ValueError, match="a mask holds only 0 and 1"):
        use(averaged.module)


def test_a_saved_layer_without_its_mask_is_incomplete():
    state = masked(nn.Linear(6, 4)).state_dict()
    del state["mask"]
    with pytest.raises(RuntimeError, match="mask"):
        layers.SparseLinear(6, 4).load_state_dict(state)


# ------------------------------------------------------------------------------------------------- flags go along

stand_ins = {
    "to_linear": lambda layer: layer.to_linear(),
    "from_linear": layers.SparseLinear.from_linear,
    "fold": lambda layer: layers.fold(nn.Sequential(layer))[0],
    "CSRLinear": storage.CSRLinear,
    "SparseInference": lambda layer: layers.replaced(nn.Sequential(layer), storage.SparseInference)[0],
}


@pytest.mark.parametrize("way", stand_ins)
@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_who_takes_a_layers_place_has_its_flags_and_its_hooks(way, bias, is_training, learns, bias_learns):
    layer = layers.SparseLinear(6, 4, bias=bias, mask=masks.random((4, 6), 0.5, seed=0)).train(is_training)
    layer.W.requires_grad_(learns)
    if bias:
        layer.bias.requires_grad_(bias_learns)
    seen = []
    layer.register_forward_hook(lambda module, inputs, outputs: seen.append("after"))
    layer.register_forward_pre_hook(lambda module, inputs: seen.append("before"))
    other = stand_ins[way](layer)
    x = torch.randn(3, 6)
    assert torch.allclose(other(x), layer(x), atol=1e-6)
    # the hooks of a dense layer may be such that make its weight: from_linear leaves all behind
    assert seen == ["before", "after"] * (1 if way == "from_linear" else 2)
    assert other.training is is_training
    if way != "SparseInference":  # it has nothing to learn
        values, *biases = (parameter.requires_grad for parameter in other.parameters())
        assert [values, *biases] == [learns, *([bias_learns] if bias else [])]


def test_from_linear_of_a_sparse_layer_keeps_what_it_keeps():
    layer = layers.SparseLinear(6, 4, mask=masks.random((4, 6), 0.5, seed=0))
    with torch.no_grad():
        layer.W[0] = 0  # kept, and zero for now
    twin = layers.SparseLinear.from_linear(layer)
    assert torch.equal(twin.mask, layer.mask)
    fewer = layers.SparseLinear.from_linear(layer, masks.random((4, 6), 0.5, seed=1))
    assert torch.equal(fewer.weight, layer.weight * fewer.mask)
    assert not fewer.W[layer.mask == 0].any()


# ------------------------------------------------------------------------------------- tied weights and mixed networks


def tied():
    one, other = (layers.SparseLinear(40, 40, mask=masks.random((40, 40), 0.5, seed)) for seed in (0, 1))
    other.W = one.W
    return nn.Sequential(one, nn.ReLU(), other, nn.ReLU(), layers.SparseLinear(40, 10))


@pytest.mark.parametrize(
    "use",
    [
        measure.layers,
        layers.fold,
        methods.realised_sparsity,
        lambda network: methods.cut(network, 0.5),
        lambda network: storage.for_inference(network, torch.randn(2, 40)),
        lambda network: training.train([network], tasks.mnist1d(), steps=1),
    ],
)
def test_sparse_layers_that_share_their_w_are_refused(use):
    with pytest.raises(ValueError, match=r"a sparse layer needs a W of its own, and layers share 0\.W"):
        use(tied())


def test_what_dense_layers_share_is_counted_once_and_refused_by_a_population():
    network = nn.Sequential(nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 40), nn.Linear(40, 10))
    network[2].weight = network[0].weight
    assert measure.layers(network).index.tolist() == ["0.weight", "3.weight", "all"]
    with pytest.raises(ValueError, match=r"a population can't hold parameters that layers share: 0\.weight"):
        training.train([network], tasks.mnist1d(), steps=1)


@pytest.mark.parametrize("method", ["one-shot", "gradual", "lottery", "SNIP", "random, uniform"])
def test_what_can_not_be_cut_is_known_before_the_first_step(method):
    network = nn.Sequential(nn.Linear(40, 20), nn.ReLU(), layers.SparseLinear(20, 10))
    own = {"rounds": 2} if method == "lottery" else {}
    chosen = methods.named(method, 0.5, sizes=(20, 10), seed=0, task=tasks.mnist1d(), **own)
    with pytest.raises(ValueError, match=r"0\.weight can't be cut: there is no mask"):
        training.train([network], tasks.mnist1d(), chosen, steps=2)


def test_a_mask_among_the_parameters_of_others_is_not_counted_as_a_weight():
    from ncps.torch import CfC
    from ncps.wirings import AutoNCP

    with pytest.raises(ValueError, match="sparsity_mask is a mask, and only CfCCell knows what it cuts"):
        measure.layers(CfC(8, AutoNCP(16, 4, seed=1)))


def test_a_parametrized_layer_is_measured_by_what_it_computes_with():
    class Masking(nn.Module):
        def __init__(self, S):
            super().__init__()
            self.register_buffer("S", torch.as_tensor(S))

        def forward(self, W):
            return W * self.S

    linear = nn.Linear(6, 4)
    parametrize.register_parametrization(linear, "weight", Masking(masks.random((4, 6), 0.5, seed=0)))
    assert measure.layers(linear).loc["all", "sparsity"] == 0.5
    assert torch.equal(layers.SparseLinear.from_linear(linear).weight, linear.weight)


def test_a_layer_that_was_pickled_when_its_w_was_named_weight_still_computes_with_its_mask():
    layer = masked(nn.Linear(6, 4))
    twin, x = copy.deepcopy(layer), torch.randn(3, 6)
    state = vars(twin) | {"_parameters": {"weight": layer.W, "bias": layer.bias}}
    old = layers.SparseLinear.__new__(layers.SparseLinear)
    old.__setstate__(state)
    assert torch.equal(old(x), layer(x))
    assert [name for name, _ in old.named_parameters()] == ["bias", "W"]


def pruned_w(layer):
    prune.l1_unstructured(layer, "W", 0.5)


def parametrized_w(layer):
    parametrize.register_parametrization(layer, "W", nn.Identity())


@pytest.mark.parametrize("hide", [pruned_w, parametrized_w])
@pytest.mark.parametrize("use", [measure.layers, layers.fold, lambda network: methods.cut(network, 0.5)])
def test_a_w_that_is_no_plain_parameter_is_refused(hide, use):
    network = nn.Sequential(masked(nn.Linear(6, 4)))
    hide(network[0])
    with pytest.raises(ValueError, match="its W can't be pruned or parametrized as well"):
        use(network)


def test_a_pruned_layer_is_copied_as_it_is_after_a_step():
    linear = nn.Linear(6, 4)
    prune.l1_unstructured(linear, "weight", 0.5)
    optimiser = torch.optim.SGD(linear.parameters(), lr=10.0)
    linear(torch.randn(3, 6)).square().sum().backward()
    optimiser.step()  # linear.weight is stale from here to the next call
    layer, x = layers.SparseLinear.from_linear(linear), torch.randn(3, 6)
    assert torch.equal(layer(x), linear(x))


def test_memory_that_was_made_and_not_filled_holds_no_mask():
    layer = layers.SparseLinear(3, 2, device="meta").to_empty(device="cpu")
    layer.mask.fill_(0.3)  # as it may be found
    with pytest.raises(ValueError, match="a mask holds only 0 and 1"):
        layer.reset_parameters()
    assert "sparsity" not in repr(layers.SparseLinear(3, 2, device="meta"))
    assert type(layers.fold(layers.SparseLinear(3, 2, device="meta"))) is nn.Linear


def test_a_hook_that_is_a_method_of_the_network_listens_to_the_copy():
    class Listening(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.heard = masked(nn.Linear(6, 4)), []
            self.layer.register_forward_hook(self.listen)

        def listen(self, *_):
            self.heard.append(1)

        def forward(self, x):
            return self.layer(x)

    network = Listening()
    folded = layers.fold(network)
    folded(torch.randn(3, 6))
    assert (len(network.heard), len(folded.heard)) == (0, 1)


def test_hooks_do_not_hear_the_timings():
    layer, heard = layers.SparseLinear(64, 64, mask=masks.random((64, 64), 0.9, seed=0)), []
    layer.register_forward_hook(lambda *_: heard.append(1))
    stored = storage.for_inference(nn.Sequential(layer), torch.randn(4, 64), repeats=1)
    assert heard == []
    stored(torch.randn(4, 64))
    assert heard == [1]


def test_examples_that_do_not_fit_are_told_of():
    with pytest.raises(RuntimeError, match="shape"):
        storage.for_inference(layers.mlp((64, 10), seed=0), torch.randn(3, 7), repeats=1)


def test_a_layer_with_a_way_of_its_own_to_compute_is_not_replaced():
    class Doubled(layers.SparseLinear):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(ValueError, match="a Doubled computes in a way of its own, which would be lost"):
        layers.fold(nn.Sequential(Doubled(3, 2)))


@pytest.mark.parametrize("assign", [True, False])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.bool, torch.int64], ids=str)
def test_a_mask_comes_in_as_the_type_of_its_weights(assign, dtype):
    layer = masked(nn.Linear(6, 4))
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    state["mask"] = state["mask"].to(dtype)
    if dtype.is_floating_point:
        state = {name: value.to(dtype) for name, value in state.items()}
    twin = layers.SparseLinear(6, 4)
    twin.load_state_dict(state, assign=assign)
    assert twin.mask.dtype == twin.W.dtype
    x = torch.randn(3, 6)
    assert torch.allclose(twin(x.to(twin.W.dtype)).float(), layer(x), **HALF)


def test_a_file_that_holds_both_names_is_not_taken():
    layer = masked(nn.Linear(6, 4))
    with pytest.raises(RuntimeError, match=r"Unexpected key.*weight"):
        layer.load_state_dict({**layer.state_dict(), "weight": torch.zeros(4, 6)})


@pytest.mark.parametrize("kind", [storage.CSRLinear, storage.SparseInference])
def test_what_is_stored_sparsely_is_counted(kind):
    network = layers.mlp((40, 20, 10), seed=0, masks=[masks.random(s, 0.5, 0) for s in ((20, 40), (10, 20))])
    stored = layers.replaced(network, kind)
    assert measure.layers(stored).equals(measure.layers(network))
    assert costs.sparse_macs(stored) == 500
    with pytest.raises(ValueError, match=r"0\.weight is not kept as a matrix: L1 can't shrink it"):
        methods.L1(0.1).before(stored)


def test_a_weight_that_was_cut_does_not_come_back_for_one_that_is_zero():
    layer = layers.SparseLinear(4, 1, mask=[[1, 1, 0, 0]], bias=False)
    with torch.no_grad():
        layer.W.copy_(torch.tensor([[3.0, 0.0, 5.0, 7.0]]))
    methods.cut(nn.Sequential(layer), 0.5)
    assert layer.mask.tolist() == [[1, 1, 0, 0]]


@pytest.mark.parametrize(
    "networks",
    [
        [circuits.Circuit(np.ones((3, 5), dtype=int), seed, moves=1 + seed) for seed in range(2)],
        [nn.Sequential(nn.Conv1d(1, 1, 3, padding=k, dilation=k), nn.Flatten()) for k in (1, 2)],
    ],
    ids=["moves", "dilation"],
)
def test_networks_of_other_settings_are_not_computed_with_the_first_ones(networks):
    with pytest.raises(ValueError, match="network 1 has other settings or hooks than network 0"):
        population.check_networks(networks)


def test_a_hook_of_one_network_alone_is_refused():
    networks = [layers.mlp((40, 10), seed) for seed in range(2)]
    networks[1][0].register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match="network 1 has other settings or hooks than network 0"):
        training.train(networks, tasks.mnist1d(), steps=1)

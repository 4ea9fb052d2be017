"""by_hand: a module by hand as a layer of PyTorch."""

import io
from operator import attrgetter

import bridge_properties as properties
import numpy as np
import pytest
import torch
from bridge_properties import LAYOUTS, inputs_of, made, same, same_states, upstream

import armlab.torch as twins
from armlab import hand
from armlab.check.cases import CASES, MODULES
from armlab.check.devices import strict_device
from armlab.check.smooth import smooth

NAMES = [case.name for case in MODULES]
SMALL = [case for case in MODULES if case.built.kinks != "many"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_is_its_module_bit_for_bit(name, training, dtype):
    assert properties.is_the_module(name, training, dtype) >= 2


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["AttentionRefinementModule", "UAFMSpatial", "ContextPath"])
def test_of_inputs_and_gradients_in_any_layout(name, layout):
    assert properties.is_the_module(name, layout=layout) > 9


def checked(case, training, **options):
    """gradcheck of all inputs and all weights in float64."""
    rng = np.random.default_rng(2)
    layer = twins.by_hand(made(case.name, rng).train(training))
    shapes = case.built.takes(4, 3)
    xs = [torch.tensor(smooth(rng, 3, *shape), requires_grad=True) for shape in shapes]
    keys = [key for key, _ in layer.named_parameters()]

    def call(*tensors):
        weights = dict(zip(keys, tensors[len(xs) :], strict=True))
        return torch.func.functional_call(layer, weights, tensors[: len(xs)])

    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(call, (*xs, *weights), **options)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", SMALL, ids=attrgetter("name"))
def test_gradcheck_along_random_directions(case, training):
    checked(case, training, fast_mode=True)


@pytest.mark.parametrize("name", ["PaperAttentionRefinement", "UAFMSpatial", "FeatureFusionModule"])
def test_gradcheck_of_every_element(name):
    checked(CASES[name], training=True)


PROPERTIES = ["statistics_are_kept", "modes_reach_the_module", "weights_are_one_memory"]
PROPERTIES += ["what_pytorch_replaces_is_taken_over", "forwards_come_before_backwards"]
PROPERTIES += ["unused_outputs_have_no_part", "writes_are_noticed", "what_forward_kept_is_let_go"]
PROPERTIES += ["a_second_backward_is_the_first", "results_are_apart", "copies_are_their_own"]


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_that(name):
    getattr(properties, name)()


OPTIMISERS = {
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=1e-3),
    "sgd": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=1e-3),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_it_trains_as_its_twin_does(optimiser):
    properties.trains_as_its_twin(OPTIMISERS[optimiser])


@pytest.mark.parametrize("name", NAMES)
def test_its_state_dict_is_its_twins(name):
    layer = twins.by_hand(made(name, np.random.default_rng(0), "float32"))
    twin = getattr(twins, name)(**CASES[name].built.options)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    twin.load_state_dict(torch.load(file, weights_only=True), strict=True)
    same_states(twin.state_dict(), layer.state_dict())
    assert [k for k, _ in layer.named_parameters()] == [k for k, _ in twin.named_parameters()]
    other = getattr(twins, name)(**CASES[name].built.options)
    layer.load_state_dict(other.state_dict(), strict=True)
    same_states(layer.state_dict(), other.state_dict())
    same_states(layer.module.state_dict(), other.state_dict())


def test_a_copy_shares_nothing_with_its_original_even_if_it_lay_there(monkeypatch):
    """As a layer from a file may, in another process."""
    monkeypatch.setattr("armlab.torch.bridge.by_hand.memory_of", lambda t: 0)
    properties.copies_are_their_own()


def test_what_needs_no_gradient_has_none():
    rng = np.random.default_rng(0)
    layer = twins.by_hand(made("FeatureFusionModule", rng))
    sp, cp = inputs_of("FeatureFusionModule", rng)
    layer.conv1.requires_grad_(False)
    y = layer(sp, cp.requires_grad_())
    (dy,) = upstream(y, rng)
    y.backward(dy)
    assert sp.grad is layer.conv1.weight.grad is None
    _, backward = layer.module.copy()(sp.numpy(), cp.detach().numpy())
    _, dcp, grads = backward(dy.numpy())
    del grads["conv1.weight"]
    same(
        [cp.grad, *(p.grad for p in layer.parameters() if p.requires_grad)], [dcp, *grads.values()]
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_the_gradient_of_an_image_is_spared(wanted, monkeypatch):
    asked = []
    layer = twins.by_hand(made("ToyNet", np.random.default_rng(0)))
    forward = layer.module.forward

    def watched(x):
        y, backward = forward(x)

        def asked_for(dy, input_grad=True):
            asked.append(input_grad)
            return backward(dy, input_grad=input_grad)

        return y, asked_for

    monkeypatch.setattr(layer.module, "forward", watched)
    x = torch.zeros((2, 3, 8, 8), dtype=torch.float64, requires_grad=wanted)
    y = layer(x)
    y.backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(0), dtype=y.dtype))
    assert asked == [wanted]
    assert (x.grad is not None) == wanted


def test_without_gradients_there_is_no_graph_and_statistics_move():
    for block in (torch.no_grad, torch.inference_mode):
        layer = twins.by_hand(made("ConvBN", np.random.default_rng(0)))
        with block():
            y = layer(inputs_of("ConvBN", np.random.default_rng(0))[0])
            assert layer.bn.num_batches_tracked == 1
        assert y.grad_fn is None
        assert not y.requires_grad


def test_second_derivatives_are_refused_in_a_sentence():
    rng = np.random.default_rng(0)
    layer = twins.by_hand(made("SqueezeExcitation", rng))
    x = inputs_of("SqueezeExcitation", rng, size=(2, 3))[0].requires_grad_()
    words = (
        r"^by_hand\(SqueezeExcitation\) expected to be differentiated once, got create_graph=True"
    )
    with pytest.raises(RuntimeError, match=words):
        torch.autograd.gradgradcheck(layer, x)
    y = layer(x)
    dy = torch.tensor(rng.standard_normal(y.shape))
    with pytest.raises(RuntimeError, match=words):
        y.backward(dy, create_graph=True)


def test_a_second_backward_through_a_graph_that_is_gone_is_pytorchs_error():
    layer = twins.by_hand(made("SimAM", np.random.default_rng(0)))
    y = layer(inputs_of("SimAM", np.random.default_rng(0))[0].requires_grad_()).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_checkpointing_gives_the_same():
    from torch.utils.checkpoint import checkpoint

    rng = np.random.default_rng(0)
    layer = twins.by_hand(made("AttentionRefinementModule", rng)).eval()
    x = inputs_of("AttentionRefinementModule", rng)[0].requires_grad_()
    y = layer(x)
    (dy,) = upstream(y, rng)
    wanted = [x, *layer.parameters()]
    want = torch.autograd.grad(y, wanted, dy)
    again = checkpoint(lambda x: layer(x) * 1, x, use_reentrant=False)
    same(torch.autograd.grad(again, wanted, dy), want)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # of its own
def test_torch_compile_leaves_it_as_it_is():
    """It would translate NumPy's calls into PyTorch's, which round otherwise."""
    rng = np.random.default_rng(0)
    layer = twins.by_hand(made("AttentionRefinementModule", rng))
    net = torch.nn.Sequential(torch.nn.Tanh(), layer)
    x = inputs_of("AttentionRefinementModule", rng)[0].requires_grad_()
    compiled = torch.compile(net, backend="eager")
    results = []
    for call in (net, compiled):
        y = call(x)
        (dy,) = upstream(y, np.random.default_rng(1))
        results.append([y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], dy)])
    same(*results)
    assert layer.bn_atten.num_batches_tracked == 2


def test_weights_may_be_computed_by_pytorch():
    """weight_norm makes a weight from two others, which have its gradient then."""
    from torch.nn.utils.parametrizations import weight_norm

    rng = np.random.default_rng(0)
    module = made("Conv2d", rng)
    twin = twins.Conv2d(**CASES["Conv2d"].built.options).double()
    twin.load_state_dict({k: torch.tensor(a) for k, a in module.state_dict().items()})
    (x,) = inputs_of("Conv2d", rng)
    layers = [weight_norm(layer) for layer in (twins.by_hand(module), twin)]
    ys = [layer(x) for layer in layers]
    (dy,) = upstream(ys[0], rng)
    for y in ys:
        y.backward(dy)
    ours, theirs = (list(layer.parameters()) for layer in layers)
    assert len(ours) == len(theirs) == 2 + (module.bias is not None)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-9, atol=1e-12)


def test_arrays_that_pytorch_cannot_hold_are_copied():
    module = made("BatchNorm2d", np.random.default_rng(0))
    backwards = module.weight[::-1]
    read_only = np.broadcast_to(np.float64(0.5), module.bias.shape)
    module.assign({"weight": backwards, "bias": read_only})
    layer = twins.by_hand(module)
    same([layer.weight.detach(), layer.bias.detach()], [backwards, read_only])
    with torch.no_grad():
        layer.bias.add_(1)
    same([module.bias], [read_only + 1])


def test_it_prints_as_its_module_does():
    layer = twins.by_hand(hand.ConvBNAct(3, 4))
    assert repr(layer).splitlines()[1] == "  ConvBNAct, activation=relu"
    assert "(bn): ByHand(BatchNorm2d, 4, eps=1e-05" in repr(layer)
    assert repr(twins.by_hand(hand.SimAM())).startswith("ByHand(SimAM")


# -- refused in a sentence ----------------------------------------------------------------------


X = np.random.default_rng(0).standard_normal((2, 8, 5, 4)).astype("f4")
BAD = {
    "float64": (torch.tensor(X).double(), "expected float32 on cpu, as its weights .*got float64"),
    "float16": (torch.tensor(X).half(), "expected float32 or float64, got float16 on cpu: convert"),
    "integers": (torch.zeros(2, 8, 5, 4, dtype=torch.int64), "expected float32 or .* got int64"),
    "array": (X, "expected tensors, got ndarray: give torch.Tensor"),
    "meta": (
        torch.empty(2, 8, 5, 4, device="meta"),
        "expected float32 on cpu.*got float32 on meta",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_another_input_is_refused(name):
    x, words = BAD[name]
    layer = twins.by_hand(hand.PaperAttentionRefinement(8))
    with pytest.raises(TypeError, match=rf"^by_hand\(PaperAttentionRefinement\) {words}"):
        layer(x)
    assert layer(torch.tensor(X)).shape == X.shape


def test_two_inputs_of_two_dtypes_are_refused_where_there_are_no_weights():
    with pytest.raises(TypeError, match=r"^by_hand\(Sum\) expected float32 on cpu, .* got float64"):
        twins.by_hand(properties.Sum())(torch.tensor(X), torch.tensor(X).double())


def test_what_the_module_refuses_is_refused_in_its_words():
    layer = twins.by_hand(hand.PaperAttentionRefinement(8))
    with pytest.raises(ValueError, match=r"expected \(N, 8, H, W\), got \(2, 5, 3, 4\)"):
        layer(torch.zeros(2, 5, 3, 4))


def test_a_call_that_is_refused_half_way_leaves_both_sides_alike():
    """The statistics of the layers before have moved, as in PyTorch."""
    layer = twins.by_hand(made("AttentionRefinementModule", np.random.default_rng(0)))
    (x,) = inputs_of("AttentionRefinementModule", np.random.default_rng(0))
    with pytest.raises(ValueError, match="batch of at least 2"):
        layer(x[:1])
    assert (layer.conv.bn.num_batches_tracked, layer.bn_atten.num_batches_tracked) == (1, 0)
    same_states(layer.state_dict(), layer.module.state_dict())
    layer(x)
    assert (layer.conv.bn.num_batches_tracked, layer.bn_atten.num_batches_tracked) == (2, 1)


def test_weights_in_a_dtype_that_numpy_lacks_are_refused():
    layer = twins.by_hand(hand.PaperAttentionRefinement(8)).bfloat16()
    with pytest.raises(TypeError, match="that NumPy or CuPy can read, got bfloat16 on cpu"):
        layer(torch.tensor(X))
    assert layer.float()(torch.tensor(X)).shape == X.shape


def test_tensors_without_memory_are_refused():
    """And of inputs PyTorch refuses them itself, as it does for every function of one's own."""
    layer = twins.by_hand(hand.PaperAttentionRefinement(8))
    x = torch.tensor(X)

    def of_weight(w):
        return torch.func.functional_call(layer, {"conv_atten.weight": w}, (x,)).sum()

    with pytest.raises(TypeError, match=r"expected a tensor with memory of its own, .* the twin"):
        torch.func.grad(of_weight)(layer.conv_atten.weight.detach())
    with pytest.raises(RuntimeError, match="setup_context"):
        torch.func.grad(lambda x: layer(x).sum())(x)


def test_what_is_no_module_by_hand_is_refused():
    for thing in (torch.nn.ReLU(), hand.relu, X):
        with pytest.raises(TypeError, match=r"^by_hand expected a module of armlab.hand, got "):
            twins.by_hand(thing)
    with strict_device() as where, pytest.raises(TypeError, match="NumPy or CuPy, got array_api_s"):
        twins.by_hand(hand.Conv2d(2, 3, 1, device=where))

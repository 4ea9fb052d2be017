"""The bridge between CuPy and PyTorch's CUDA tensors: one memory, one stream.

A PyTorch with CUDA needs a GPU, so the tests of both are marked gpu. CuPy's half is tested on the
device in software as well: there an array of CuPy stands in for the tensor, behind the few names
that the bridge asks a tensor for.
"""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bridge_properties import inputs_of, made

import armlab.torch as twins
from armlab.arrays import to_host
from armlab.torch.bridge import sharing


class OnDevice:
    """What the bridge asks of a CUDA tensor, of an array of CuPy."""

    is_cuda = True

    def __init__(self, array):
        self.array = array
        self.device = torch.device("cuda", array.device.id)

    def detach(self):
        return self

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.cupy
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
def test_an_array_of_cupy_is_the_memory_of_the_tensor(cupy_place, axes):
    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    source = cupy_place.asarray(values).transpose(axes)
    a = sharing.array_of(OnDevice(source))
    assert type(a) is type(source)
    assert (a.data.ptr, a.strides, a.dtype) == (source.data.ptr, source.strides, source.dtype)
    assert sharing.address(a) == source.data.ptr
    np.testing.assert_array_equal(to_host(a), values.transpose(axes))


@pytest.mark.cupy
def test_cupy_works_on_the_stream_that_pytorch_has(cupy_place, monkeypatch):
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    asked = []

    def current(device):
        asked.append(str(device))
        return SimpleNamespace(cuda_stream=stream.ptr)

    monkeypatch.setattr(torch.cuda, "current_stream", current)
    before = cupy.cuda.get_current_stream().ptr
    a = cupy_place.asarray(np.arange(3.0))
    with sharing.running_at(OnDevice(a)):
        assert cupy.cuda.get_current_stream().ptr == stream.ptr
        assert cupy.cuda.Device().id == a.device.id
    assert cupy.cuda.get_current_stream().ptr == before != stream.ptr
    assert asked == ["cuda:0"]


@pytest.mark.cupy
def test_what_goes_to_pytorch_never_runs_backwards(cupy_place, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.utils.dlpack, "from_dlpack", lambda a: a)
    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    a = cupy_place.asarray(values)
    assert sharing.tensor_of(a) is a
    assert sharing.tensor_of(a.transpose(2, 0, 1)).data.ptr == a.data.ptr
    turned = sharing.tensor_of(a[:, ::-1])
    assert min(turned.strides) > 0
    np.testing.assert_array_equal(to_host(turned), values[:, ::-1])


@pytest.mark.emulated
def test_without_a_gpu_of_pytorch_a_module_on_cupy_is_refused(cupy_place):
    module = made("Conv2d", np.random.default_rng(0)).to(cupy_place)
    words = "expected arrays on cpu, as this PyTorch finds no GPU, got CuPy's on emulated: move"
    with pytest.raises(RuntimeError, match=re.escape(words)):
        twins.by_hand(module)
    assert twins.by_hand(module.to("cpu")).weight.device.type == "cpu"


# -- on a GPU -----------------------------------------------------------------------------------

NAMES = ["AttentionRefinementModule", "UAFMSpatial", "ToyBiSeNet"]


def cuda_layer(name):
    rng = np.random.default_rng(0)
    module = made(name, rng, "float32").to("cuda")
    return module, twins.by_hand(module), rng


def drawn(name, rng):
    return [x.cuda() for x in inputs_of(name, rng, "float32", size=(64, 96))]


@pytest.mark.gpu
@pytest.mark.usefixtures("strict_cuda_precision")
@pytest.mark.parametrize("own_stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_on_a_gpu_is_its_module(name, own_stream):
    """Bit for bit, on whichever stream PyTorch is, in forward and in its backward's own thread."""
    import cupy

    module, layer, rng = cuda_layer(name)
    alone = module.copy()
    stream = torch.cuda.Stream() if own_stream else torch.cuda.current_stream()
    xs = [x.requires_grad_() for x in drawn(name, rng)]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        ys = layer(*xs)
        ys = ys if isinstance(ys, tuple) else (ys,)
        dys = [torch.randn_like(y) for y in ys]
        found = torch.autograd.grad(ys, [*xs, *layer.parameters()], dys)
    torch.cuda.synchronize()
    want, backward = alone(*(cupy.from_dlpack(x.detach()) for x in xs))
    given = tuple(map(cupy.from_dlpack, dys))
    *dxs, grads = backward(given if isinstance(want, tuple) else given[0])
    wanted = [*(want if isinstance(want, tuple) else (want,)), *dxs, *grads.values()]
    for t, a in zip([*ys, *found], wanted, strict=True):
        np.testing.assert_array_equal(t.detach().cpu().numpy(), to_host(a))
    for key, t in layer.state_dict().items():
        np.testing.assert_array_equal(t.cpu().numpy(), to_host(alone.state_dict()[key]))


@pytest.mark.gpu
def test_weights_on_a_gpu_are_one_memory_and_move():
    module, layer, rng = cuda_layer("AttentionRefinementModule")
    (x,) = drawn("AttentionRefinementModule", rng)
    layer(x).square().mean().backward()
    torch.optim.SGD(layer.parameters(), 0.1).step()
    torch.cuda.synchronize()
    for key, p in layer.named_parameters():
        assert module.parameters()[key].data.ptr == p.data_ptr(), key
        np.testing.assert_array_equal(p.detach().cpu().numpy(), to_host(module.parameters()[key]))
    layer.eval()
    there = layer(x).detach().cpu()
    here = layer.cpu()(x.cpu()).detach()
    assert type(module.conv.conv.weight) is np.ndarray
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-4)


@pytest.mark.gpu
def test_pytorch_on_a_gpu_is_a_layer_of_a_network_by_hand():
    torch.manual_seed(0)
    module = torch.nn.Conv2d(3, 4, 3, padding=1).cuda()
    layer = twins.by_autograd(module)
    x = torch.randn(2, 3, 16, 16, device="cuda", requires_grad=True)
    y, backward = layer(sharing.array_of(x))
    want = module(x)
    dy = torch.randn_like(want)
    dx, grads = backward(sharing.array_of(dy))
    wanted = torch.autograd.grad(want, [x, *module.parameters()], dy)
    torch.cuda.synchronize()
    for a, t in zip([y, dx, *grads.values()], [want, *wanted], strict=True):
        np.testing.assert_allclose(to_host(a), t.detach().cpu().numpy(), rtol=1e-5, atol=1e-5)

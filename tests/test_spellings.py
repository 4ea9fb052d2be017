"""Arguments take what users of NumPy, CuPy and PyTorch write, and refuse all else in a sentence.

The arguments are found by walking the signatures of what each room exports, so that a new one is
missed here aloud.
"""

import inspect
import json
import os
import re
import sys
from pathlib import Path
from types import FunctionType, MethodType

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parent / "hand"))

from test_contracts import BUILT
from test_signatures import CALLS, value_of

from armlab import arrays, cost, data, hand, places, plots, training, weights
from armlab.arrays import dtype_of
from armlab.check.devices import torch_tensors
from armlab.data import generated
from armlab.data.export import export
from armlab.data.image_files import read_image, read_mask
from armlab.hand.upstream import WITH_STATISTICS
from armlab.places import HOST, device_name, place

ROOMS = (hand, arrays, places, weights, data, training, cost, plots)
KINDS = {  # an argument is of a kind by a word of its annotation, or by its name
    "dtype": ({"DType"}, {"dtype"}),
    "device": ({"Device"}, {"device"}),
    "path": ({"Path", "FilePath"}, {"path", "folder", "out"}),
    "pair": ({"Pair", "Size"}, {"size", "kernel_size"}),
    "bundle": ({"Made"}, {"made"}),
}


def exported(room):
    own = [n for n, f in vars(room).items() if getattr(f, "__module__", "") == room.__name__]
    own = [name for name in own if not name.startswith("_")]
    return {name: getattr(room, name) for name in getattr(room, "__all__", own)}


def callables(room):
    """(name, callable) of all that a room exports, with the public methods of its classes."""
    for name, thing in exported(room).items():
        if not callable(thing) or (isinstance(thing, type) and issubclass(thing, Exception)):
            continue
        if getattr(thing, "__module__", "").startswith("armlab"):
            yield name, thing
            for key in vars(thing) if isinstance(thing, type) else ():
                method = getattr(thing, key)
                if isinstance(method, FunctionType | MethodType) and not key.startswith("_"):
                    yield f"{name}.{key}", method


def kind_of(parameter):
    words = set(re.findall(r"\w+", str(parameter.annotation)))
    for kind, (annotations, names) in KINDS.items():
        if words & annotations or parameter.name in names:
            return kind
    return None


def arguments(*kinds):
    """room.function.argument for all of these kinds."""
    for room in ROOMS:
        for name, function in callables(room):
            for p in inspect.signature(function).parameters.values():
                if kind_of(p) in kinds:
                    yield f"{room.__name__.removeprefix('armlab.')}.{name}.{p.name}"


# -- dtypes -----------------------------------------------------------------------------------

array_api_strict = pytest.importorskip("array_api_strict")
DTYPES = {
    "float32": ("float32", "f4", "<f4", "f", "single", np.float32, np.dtype("f4"))
    + (torch.float32, torch.float, array_api_strict.float32),
    "float64": ("float64", "f8", "<f8", "d", "double", float, np.float64, np.dtype("f8"))
    + (torch.float64, torch.double, array_api_strict.float64),
}
NO_DTYPES = ("float16", "half", ">f4", "2f4", "f4,f4", "torch.float32", "", "int64", "c8", 32, 4.0)
NO_DTYPES += (None, int, object, str, np.float16, np.dtype("i8"), np.dtype(">f8"), np.floating)
NO_DTYPES += (torch.float16, torch.int64, array_api_strict.int64, np.zeros(2, "f4"), ["float32"])

DTYPE_SENTENCE = r"^expected dtype 'float32' or 'float64', got .*: choose one of them$"

X = np.random.default_rng(0).standard_normal((2, 3, 6, 5)).astype("f4")


def built(kind):
    options = BUILT[kind.__name__].options
    return lambda **made: kind(**options, rng=0, **made)


def modules():
    return {name: kind for name, kind in exported(hand).items() if name in BUILT}


@pytest.mark.parametrize(
    ("name", "spelling"), [(n, spelling) for n, several in DTYPES.items() for spelling in several]
)
def test_a_dtype_in_any_spelling_is_its_name(name, spelling):
    assert dtype_of(spelling) == name
    draws = [arrays.normal(np.random.default_rng(0), (3, 2), 1.0, s) for s in (name, spelling)]
    np.testing.assert_array_equal(*draws, strict=True)
    assert training.Config(dtype=spelling) == training.Config(dtype=name)
    for key, kind in modules().items():
        plain, other = (built(kind)(dtype=s).state_dict() for s in (name, spelling))
        for a, b in zip(plain.values(), other.values(), strict=True):
            np.testing.assert_array_equal(a, b, strict=True, err_msg=key)


@pytest.mark.parametrize("spelling", NO_DTYPES, ids=repr)
def test_what_is_no_dtype_is_refused_in_a_sentence(spelling):
    for call in (dtype_of, lambda s: training.Config(dtype=s), hand_dtype):
        with pytest.raises(TypeError, match=DTYPE_SENTENCE):
            call(spelling)


def hand_dtype(spelling):
    arrays.normal(np.random.default_rng(0), (3,), 1.0, spelling)


@pytest.mark.parametrize("spelling", [">f4", None, np.float16], ids=repr)
@pytest.mark.parametrize("name", BUILT)
def test_every_module_refuses_another_dtype(name, spelling):
    with pytest.raises(TypeError, match=DTYPE_SENTENCE):
        built(getattr(hand, name))(dtype=spelling)


DTYPE_ARGUMENTS = {"arrays.dtype_of.spelling", "arrays.normal.dtype", "training.Config.dtype"}
DTYPE_ARGUMENTS |= {f"hand.{name}.dtype" for name in ("BatchNorm2d", "ChannelConv1d", "Conv2d")}
DTYPE_ARGUMENTS |= {"places.Place.asarray.dtype"}  # of this project's own calls: int64 too


# -- devices ----------------------------------------------------------------------------------


class Named(torch.nn.Module):
    """A parameter lives on a torch.device."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))


DEVICES = {
    "cpu": ("cpu", "cpu:0", torch.device("cpu"), torch.device("cpu", 0), Named().weight.device),
    "cuda": ("cuda", torch.device("cuda")),
    "cuda:1": ("cuda:1", torch.device("cuda", 1), torch.device("cuda:1")),
    "emulated": ("emulated",),
}
NO_DEVICES = ("gpu", "CPU", "cpu:1", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "", None, 0, 1.0)
DEVICE_SENTENCE = r"^expected device 'cpu', 'cuda', 'cuda:N' or 'emulated', got .*: choose one$"
NO_DEVICES += ("emulated:0", "Emulated", "emulator")
NO_DEVICES += (torch.device("meta"), torch.device("mps"), ["cpu"], np.float32, X.dtype)


@pytest.mark.parametrize(
    ("name", "spelling"), [(n, spelling) for n, several in DEVICES.items() for spelling in several]
)
def test_a_device_in_any_spelling_is_its_name(name, spelling):
    assert device_name(spelling) == name
    backend = "cupy" if name == "emulated" else "torch"
    config = training.Config(device=spelling, backend=backend)
    assert config == training.Config(device=name, backend=backend)
    if name == "cpu":
        assert place(spelling) is place(HOST) is HOST
        assert arrays.move(X, spelling) is X
        for kind in modules().values():
            a = next(iter(built(kind)(device=spelling).to(spelling).state_dict().values()), X)
            assert isinstance(a, np.ndarray)


def test_a_device_of_cupy_is_its_number():
    cupy = pytest.importorskip("cupy", reason="cupy-cuda12x is not installed on this platform")
    assert device_name(cupy.cuda.Device(1)) == "cuda:1"


def test_a_place_is_taken_as_it_is():
    where = torch_tensors()
    module = hand.Conv2d(3, 4, 1, rng=0, device=where)
    assert isinstance(module.weight, torch.Tensor)
    assert place(where) is where


@pytest.mark.parametrize("spelling", NO_DEVICES, ids=repr)
def test_what_is_no_device_is_refused_in_a_sentence(spelling):
    calls = [device_name, place, lambda s: training.Config(device=s), lambda s: arrays.move(X, s)]
    calls += [hand.Conv2d(3, 4, 1).to]
    calls += [lambda s, kind=kind: built(kind)(device=s) for kind in modules().values()]
    for call in calls:
        with pytest.raises(ValueError, match=DEVICE_SENTENCE):
            call(spelling)


DEVICE_ARGUMENTS = {"places.device_name.device", "places.place.device", "arrays.move.device"}
DEVICE_ARGUMENTS |= {"hand.Module.to.device", "training.Config.device"}
DEVICE_ARGUMENTS |= {f"hand.{name}.device" for name in ("BatchNorm2d", "ChannelConv1d", "Conv2d")}
DEVICE_ARGUMENTS |= {"places.Place.device"}  # a library's own


# -- numbers and pairs ------------------------------------------------------------------------


def in_numpy(value):
    """The same with NumPy's integers and floats, and with lists for tuples."""
    if isinstance(value, tuple):
        return [in_numpy(v) for v in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return np.int8(value) if isinstance(value, int) else np.float64(value)


@pytest.mark.parametrize("name", BUILT)
def test_a_module_takes_the_numbers_of_numpy(name):
    options = BUILT[name].options
    plain = getattr(hand, name)(**options, rng=0)
    other = getattr(hand, name)(**{k: in_numpy(v) for k, v in options.items()}, rng=np.int64(0))
    assert repr(plain) == repr(other)
    for a, b in zip(plain.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("name", ["ToyBiSeNet", "ThreeScaleBiSeNet", "ToyNet", "UAFMChannel"])
def test_a_small_integer_of_numpy_does_not_overflow(name):
    build = getattr(hand, name)
    argument = "width" if "width" in inspect.signature(build).parameters else "channels"
    build(**{argument: np.int8(64)})


@pytest.mark.parametrize("name", CALLS)
def test_a_function_takes_the_numbers_of_numpy_and_stays_in_its_dtype(name):
    inputs, constants = CALLS[name]
    defaults = {
        p.name: p.default
        for p in inspect.signature(getattr(hand, name)).parameters.values()
        if p.kind == p.KEYWORD_ONLY and isinstance(p.default, int | float)
    }
    options = defaults | constants
    numpy = {k: np.int64(v) if type(v) is int else in_numpy(v) for k, v in options.items()}
    want, got = (value_of(name, inputs, given) for given in (options, numpy))
    np.testing.assert_array_equal(want, got, strict=True)
    value, backward = getattr(hand, name)(**inputs, **numpy)
    y = value[0] if name in WITH_STATISTICS else value  # without its statistics
    grads = backward(1.0 if name == "cross_entropy" else y)
    for g in grads if isinstance(grads, tuple) else (grads,):
        assert g is None or g.dtype == np.float32


BN = hand.BatchNorm2d(3, eps=np.float64(1e-5), momentum=np.float64(0.1))


def test_a_float_of_numpy_leaves_statistics_in_their_dtype():
    y, backward = BN(X)
    dx, grads = backward(y)
    assert {a.dtype.name for a in (y, dx, *grads.values())} == {"float32"}
    assert BN.running_mean.dtype == BN.running_var.dtype == np.float32


W = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype("f4")


def conv(**option):
    module = hand.Conv2d(3, 4, 1, **option, rng=0)
    return module(X)[0]


def resized(name):
    return lambda pair: getattr(hand, name)(X, size=pair)[0]


def scenes(kind):
    return lambda pair: kind(size=pair).scene(0)[0]


def multiply_adds(pair):
    height, width = (pair, pair) if np.ndim(pair) == 0 else pair
    return cost.ModuleCost(hand.Conv2d(3, 4, 1), [1, 3, height, width]).total.multiply_adds


PAIRS = {  # an argument: a call, and a number that it takes
    "hand.conv2d.stride": (lambda p: hand.conv2d(X, W, stride=p)[0], 2),
    "hand.conv2d.padding": (lambda p: hand.conv2d(X, W, padding=p)[0], 1),
    "hand.conv2d.dilation": (lambda p: hand.conv2d(X, W, dilation=p)[0], 2),
    "hand.Conv2d.kernel_size": (lambda p: hand.Conv2d(3, 4, p, rng=0)(X)[0], 3),
    "hand.Conv2d.stride": (lambda p: conv(stride=p), 2),
    "hand.Conv2d.padding": (lambda p: conv(padding=p), 1),
    "hand.Conv2d.dilation": (lambda p: conv(dilation=p), 2),
    **{
        f"hand.{kind.__name__}.{key}": (lambda p, a=kind, k=key: a(3, 4, **{k: p}, rng=0)(X)[0], n)
        for kind in (hand.ConvBN, hand.ConvBNAct)
        for key, n in {"kernel_size": 3, "stride": 2, "padding": 2}.items()
    },
    "hand.max_pool2d.kernel_size": (lambda p: hand.max_pool2d(X, kernel_size=p)[0], 2),
    "hand.max_pool2d.stride": (lambda p: hand.max_pool2d(X, kernel_size=2, stride=p)[0], 3),
    "hand.max_pool2d.padding": (lambda p: hand.max_pool2d(X, kernel_size=3, padding=p)[0], 1),
    "hand.resize_bilinear.size": (resized("resize_bilinear"), 4),
    "hand.resize_nearest.size": (resized("resize_nearest"), 4),
    "data.Scenes.size": (scenes(data.Scenes), 64),
    "data.HardScenes.size": (scenes(data.HardScenes), 64),
    "data.DigitScenes.size": (scenes(data.DigitScenes), 64),
    "training.Config.size": (lambda p: json.dumps(training.Config(size=p).to_dict()), 64),
    "cost.ModuleCost.shapes": (multiply_adds, 9),
}
MADE_FROM_A_SIZE = {"data.Generated.size", "data.Folder.size"}  # by `Config`


@pytest.mark.parametrize("argument", PAIRS)
def test_a_pair_is_an_int_two_or_a_list_of_any_integers(argument):
    call, n = PAIRS[argument]
    want = call((n, n))
    for pair in (n, np.int64(n), np.int8(n), [n, n], (np.int32(n), n), np.array([n, n])):
        np.testing.assert_array_equal(call(pair), want, strict=True)


@pytest.mark.parametrize("argument", [name for name in PAIRS if name != "cost.ModuleCost.shapes"])
def test_what_is_no_pair_is_refused_in_a_sentence(argument):
    call, n = PAIRS[argument]
    absent = argument == "hand.max_pool2d.stride"  # None is the kernel there
    for bad in (-1, 1.5, (n, n, n), (n, 1.5), "a", "", [], np.array(n), *([None] * (not absent))):
        with pytest.raises(ValueError, match=r"^expected .*, got .*: (give|write) "):
            call(bad)


def test_one_dimensional_kernels_take_the_integers_of_numpy():
    assert hand.CBAMSpatial(np.int64(3)).conv.kernel_size == (3, 3)
    assert hand.ECA(5, np.int64(3)).conv.kernel_size == 3


ONE_NUMBER = {f"hand.{name}.kernel_size" for name in ("CBAMSpatial", "CBAMSpatialMeanFirst")}
ONE_NUMBER |= {f"hand.{name}.kernel_size" for name in ("ECA", "ChannelConv1d")}


# -- paths ------------------------------------------------------------------------------------


class Elsewhere:
    """A path of another library."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def ways(path):
    return [path, str(path), Elsewhere(path)]


@pytest.mark.parametrize("way", range(3))
def test_weights_are_written_and_read_at_any_path(tmp_path, way):
    path = ways(tmp_path / "a.npz")[way]
    weights.save(path, {"w": W})
    np.testing.assert_array_equal(weights.load(path)["w"], W)


@pytest.mark.parametrize("way", range(3))
def test_a_run_is_begun_resumed_and_compared_at_any_path(tmp_path, way, monkeypatch):
    for name, few in {"TEST_SCENES": 2, "CHUNK": 2}.items():
        monkeypatch.setattr(generated, name, few)
    for name in ("curves", "attention"):
        monkeypatch.setattr(plots, name, lambda *arguments: None)
    few = {"steps": np.int64(1), "batch": 2, "size": 48, "channels": 2}
    config = training.Config(**few, attention="none")
    run = training.train(config, ways(tmp_path / "run")[way])
    again = training.resume(ways(tmp_path / "run")[way])
    assert again.result() == run.result()
    begun = training.Run.start(config, ways(tmp_path / "begun")[way])
    assert training.Run.resume(ways(begun.folder)[way]).step == begun.step == 0
    results = training.compare(config, ways(tmp_path / "both")[way])
    assert training.resume_comparison(ways(tmp_path / "both")[way]) == results
    weighted = training.Config(**few, attention="none", weights=ways(tmp_path / "run")[way])
    assert json.loads(json.dumps(weighted.to_dict()))["weights"] == os.fspath(tmp_path / "run")
    training.Run.start(weighted, ways(tmp_path / "weighted")[way])


@pytest.mark.parametrize("way", range(3))
def test_images_are_read_from_any_path(tmp_path, way):
    folder = tmp_path / "photos"
    export(data.Generated(data.Scenes, 0, (48, 48)), ways(folder)[way], training=2)
    found = data.Folder(ways(folder)[way], size=np.int64(48), classes=3, ignore_index=255)
    assert found.size == (48, 48)
    assert len(found.training_pairs) == 2
    image, mask = (ways(next((folder / d).iterdir()))[way] for d in ("train", "trainannot"))
    assert read_image(image).shape[:2] == read_mask(mask).shape
    config = training.Config(data=ways(folder)[way], size=[48, 48])
    assert config == training.Config(data=str(folder), size=48)


@pytest.mark.parametrize("way", range(3))
def test_the_data_of_a_run_have_moved_to_any_path(tmp_path, way, monkeypatch):
    for name in ("curves", "attention"):
        monkeypatch.setattr(plots, name, lambda *arguments: None)
    export(data.Generated(data.Scenes, 0, (48, 48)), tmp_path / "photos", training=2)
    few = {"steps": 1, "batch": 2, "size": 48, "channels": 2, "classes": 3, "ignore": 255}
    training.compare(training.Config(**few, data=tmp_path / "photos"), tmp_path / "both")
    (tmp_path / "photos").rename(tmp_path / "moved")
    there = ways(tmp_path / "moved")[way]
    training.resume_comparison(tmp_path / "both", data=there)
    for again in (training.resume, training.Run.resume):
        config = again(tmp_path / "both" / "arm", data=there).config
        assert config.data == str(tmp_path / "moved")


@pytest.mark.parametrize("way", range(3))
def test_figures_are_drawn_at_any_path(tmp_path, way):
    plots.confusion(np.eye(2, dtype=int), ["a", "b"], ways(tmp_path / "a.png")[way])
    plots.inside(hand.SimAM(), X, path=ways(tmp_path / "b.png")[way])
    assert {p.name for p in tmp_path.iterdir()} == {"a.png", "b.png"}


PATHS = {f"weights.{name}.path" for name in ("load", "save")}
PATHS |= {f"training.{name}.out" for name in ("train", "resume", "compare", "resume_comparison")}
PATHS |= {"training.Run.start.folder", "training.Run.resume.folder", "data.Folder.path"}
PATHS |= {f"training.{n}.data" for n in ("resume", "resume_comparison", "Run.resume")}
PATHS |= {"plots.confusion.path", "plots.inside.path"}
LIKE_CONFUSION = {f"plots.{n}.path" for n in ("ablation", "attention", "curves", "gates")}
LIKE_CONFUSION |= {"plots.prediction.path", "plots.samples.path"}  # savefig gets it as it is
NO_PATHS = {"arrays.clip.out", "cost.ModuleCost.branches.path"}  # an array; a module within another
OF_A_RUN = {"training.Run.folder"}  # `Run.start` and `resume` give


def test_every_argument_is_looked_at():
    assert set(arguments("dtype")) | {"arrays.dtype_of.spelling"} == DTYPE_ARGUMENTS
    assert set(arguments("device")) == DEVICE_ARGUMENTS
    assert set(arguments("path")) - NO_PATHS == PATHS | LIKE_CONFUSION | OF_A_RUN
    pairs = set(arguments("pair")) | {"cost.ModuleCost.shapes"}
    assert pairs == set(PAIRS) | ONE_NUMBER | MADE_FROM_A_SIZE
    bundles = {f"hand.{name}.made" for name in BUILT} - {n[:-5] + "made" for n in DTYPE_ARGUMENTS}
    assert {n for n in arguments("bundle") if n != "hand.Module.made"} >= bundles

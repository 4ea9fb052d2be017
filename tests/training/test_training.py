"""The loop: hand and torch learn alike, resuming is exact, nothing is lost when it fails."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from armlab import plots
from armlab.arrays import to_host
from armlab.check.devices import strict_device
from armlab.data import CLASSES, GENERATED, Generated, Scenes, generated
from armlab.hand import ToyNet
from armlab.training import checkpoint, comparison, loop
from armlab.training.config import Config
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import SGD, Adam
from armlab.training.run import Run, TrainingError
from armlab.training.start import make_learner
from armlab.training.torch_learner import TorchLearner

SMALL = {"steps": 6, "batch": 3, "size": 48, "channels": 6}
OPTIMISERS = {"adam": lambda: Adam(6e-3), "sgd": lambda: SGD(0.1, weight_decay=1e-3)}


@pytest.fixture(autouse=True)
def few_test_scenes(monkeypatch):
    monkeypatch.setattr(generated, "TEST_SCENES", 8)


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch, request):
    """Drawing takes longer than these small runs; the tests with `pictures` in their name draw."""
    if "pictures" not in request.node.name:
        monkeypatch.setattr(plots, "curves", lambda *arguments: None)
        monkeypatch.setattr(plots, "attention", lambda *arguments: None)


class Callback:
    """A report that calls a function after a given step."""

    def __init__(self, step: int, action: Callable[[Run], Any]) -> None:
        self.at, self.action = step, action
        self.rows: list[dict[str, Any]] = []

    def begin(self, run: Run) -> None: ...
    def end(self) -> None: ...

    def step(self, run: Run, loss: float) -> None:
        if run.step == self.at:
            self.action(run)

    def epoch(self, run: Run, row: dict[str, Any]) -> None:
        self.rows.append(row)


def timeless(found: dict[str, Any]) -> dict[str, Any]:
    """A row or a result without what differs between two runs of the same settings."""
    times = ("seconds", "images_per_second", "seconds_per_step")
    return {key: value for key, value in found.items() if key not in times}


def losses(learner, steps: int) -> np.ndarray:
    scenes, config = Scenes("train", seed=2, size=48), Config(steps=steps)
    return np.array(
        [
            learner.step(*scenes.batch(range(4 * step, 4 * step + 4)), config.rate(step))
            for step in range(steps)
        ]
    )


def both(attention: str, optimiser: str, device: str = "cpu") -> tuple[HandLearner, TorchLearner]:
    """By hand and in PyTorch, from the same weights in float64."""
    net = ToyNet(len(CLASSES), attention, channels=8, rng=1, dtype="float64")
    twin = TorchLearner(net, OPTIMISERS[optimiser](), device)
    return HandLearner(net.to(device), OPTIMISERS[optimiser]()), twin


# -- the backends agree -----------------------------------------------------------------------


@pytest.mark.parametrize("attention", ["none", "arm"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_loss_curves_of_hand_and_torch_agree_over_50_steps(attention, optimiser):
    ours, theirs = both(attention, optimiser)
    curve = losses(ours, 50)
    # float64 rounds by 1e-16 a sum; 1e-9 leaves room for 50 steps of an unstable recursion
    np.testing.assert_allclose(curve, losses(theirs, 50), rtol=1e-9)
    assert curve[-1] < 0.7 * curve[0]  # it did learn
    images, _ = Scenes("test", size=48).batch(range(2))
    np.testing.assert_allclose(ours.logits(images), theirs.logits(images), rtol=1e-6, atol=1e-8)
    assert ours.parameter_count == theirs.parameter_count
    if attention == "arm":
        np.testing.assert_allclose(ours.gate(images), theirs.gate(images), rtol=1e-6)
        assert ours.gate(images).shape == (2, 8)
    else:
        assert ours.gate(images) is theirs.gate(images) is None


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_states_of_hand_and_torch_are_interchangeable(optimiser):
    ours, theirs = both("arm", optimiser)
    losses(ours, 3)
    losses(theirs, 3)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    theirs.load_state_dict(ours.state_dict())
    assert all(np.array_equal(a, theirs.state_dict()[k]) for k, a in ours.state_dict().items())
    np.testing.assert_allclose(losses(ours, 3), losses(theirs, 3), rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: both("arm", "adam")[0], lambda: both("arm", "adam")[1]])
def test_looking_changes_nothing(make):
    learner = make()
    losses(learner, 2)
    before = learner.state_dict()
    images, _ = Scenes("test", size=48).batch(range(2))
    first = learner.predict(images)
    learner.gate(images)
    assert np.array_equal(first, learner.predict(images))
    assert first.dtype == np.int64
    assert all(np.array_equal(a, before[key]) for key, a in learner.state_dict().items())
    assert np.array_equal(losses(learner, 1), losses_after(before, make(), 1))  # in training mode


def losses_after(state, learner, steps: int) -> np.ndarray:
    learner.load_state_dict(state)
    return losses(learner, steps)


@pytest.mark.gpu
@pytest.mark.parametrize("attention", ["none", "arm"])
def test_loss_curves_of_cupy_and_torch_cuda_agree_over_20_steps(attention, strict_cuda_precision):
    ours, theirs = both(attention, "adam", "cuda")
    curve = losses(ours, 20)
    np.testing.assert_allclose(curve, losses(theirs, 20), rtol=1e-9)
    np.testing.assert_allclose(curve, losses(both(attention, "adam")[0], 20), rtol=1e-9)


# -- a step never waits for its device --------------------------------------------------------


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("attention", ["none", "arm"])
def test_a_step_on_another_device_without_reading_from_it(attention, optimiser):
    host, _ = both(attention, optimiser)
    images, labels = Scenes(size=48).batch(range(4))
    with strict_device() as where:
        there = HandLearner(host.net.copy().to(where), OPTIMISERS[optimiser]())
        for _ in range(2):  # the second step has moments to go on from
            loss = there.update(images, labels, 1e-2)
            expected = host.step(images, labels, 1e-2)
            assert loss.device == where.device
            assert float(to_host(loss)) == pytest.approx(expected, rel=1e-10)
        for key, a in there.net.state_dict().items():
            assert a.device == where.device
            np.testing.assert_allclose(
                to_host(a), host.net.state_dict()[key], rtol=1e-6, atol=1e-9, err_msg=key
            )


# -- runs and their folders -------------------------------------------------------------------


def test_a_run_writes_its_folder_with_pictures(tmp_path):
    run = loop.train(Config(**SMALL), tmp_path / "run")
    names = {p.name for p in run.folder.iterdir()}
    assert names >= {"config.json", "history.csv", "checkpoint.npz", "curves.png", "attention.png"}
    assert Config(**json.loads((run.folder / "config.json").read_text())) == run.config
    lines = (run.folder / "history.csv").read_text().splitlines()
    assert (
        lines[0]
        == "epoch,step,loss,learning_rate,miou,told_apart,images_per_second,seconds,skipped"
    )
    assert [line.split(",")[1] for line in lines[1:]] == [str(n) for n in range(1, 7)]
    for name in ("curves.png", "attention.png"):
        with Image.open(run.folder / name) as picture:
            assert min(picture.size) > 300
            assert len(picture.convert("RGB").getcolors(10**6)) > 50  # something is drawn
    result = run.result()
    assert result["parameters"] == sum(a.size for a in run.learner.net.parameters().values())
    assert 0 < result["miou"] < 1


def test_pictures_of_a_run_that_found_nothing(tmp_path):
    rows = [{"step": 1, "loss": 1.0, "miou": 0.3, "told_apart": None}]
    plots.curves({"none": rows}, tmp_path / "curves.png")
    data = Generated(Scenes, 0, (64, 64))
    images, labels = data.shown()
    plots.attention(images, labels, {"none": 0 * labels}, None, tmp_path / "attention.png", data)
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in tmp_path.iterdir())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_interrupted_and_resumed_is_bit_equal(tmp_path, backend, optimiser):
    config = Config(**SMALL | {"steps": 12}, backend=backend, optimiser=optimiser)
    whole = loop.train(config, tmp_path / "whole")
    ctrl_c = Callback(5, lambda run: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        loop.train(config, tmp_path / "parts", ctrl_c)
    _, metadata = checkpoint.load(tmp_path / "parts" / "checkpoint.npz")
    assert metadata["step"] == 5  # the middle of an epoch of two steps
    assert len(metadata["losses"]) == 1
    resumed = loop.resume(tmp_path / "parts")
    expected, found = (
        checkpoint.load(tmp_path / name / "checkpoint.npz")[0] for name in ("whole", "parts")
    )
    assert list(found) == list(expected)
    assert all(found[key].tobytes() == a.tobytes() for key, a in expected.items())
    histories = [[timeless(row) for row in run.history] for run in (whole, resumed)]
    assert histories[0] == histories[1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    loop.train(Config(**SMALL), tmp_path)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    assert loop.resume(tmp_path).step == 6
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    runs = [
        loop.train(Config(**SMALL, seed=seed), tmp_path / name)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    a, b, c = (run.learner.state_dict() for run in runs)
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["net.conv1.conv.weight"], c["net.conv1.conv.weight"])


HASH_OF_A_RUN = """
import hashlib, sys
from pathlib import Path
from armlab.data import generated
from armlab.training import loop
from armlab.training.config import Config
generated.TEST_SCENES = 8
run = loop.train(Config(steps=6, batch=3, size=48, channels=6, seed=5), Path(sys.argv[1]))
found = hashlib.sha256()
for key, a in run.learner.state_dict().items():
    found.update(key.encode() + a.tobytes())
print(found.hexdigest())
"""


def test_the_same_seed_gives_the_same_hash_in_two_processes(tmp_path):
    hashes = [
        subprocess.run(
            [sys.executable, "-c", HASH_OF_A_RUN, str(tmp_path / salt)],
            env=os.environ | {"PYTHONHASHSEED": salt},  # the order of sets must not matter
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()[-1]
        for salt in ("1", "2")
    ]
    assert len(hashes[0]) == 64
    assert hashes[0] == hashes[1]


def test_backends_start_from_the_same_weights():
    states = [
        make_learner(Config(backend=name, seed=3)).state_dict() for name in ("numpy", "torch")
    ]
    keys = [key for key in states[0] if key.startswith("net.")]
    assert keys == [key for key in states[1] if key.startswith("net.")]
    assert all(np.array_equal(states[0][key], states[1][key]) for key in keys)
    assert states[0]["net.conv1.conv.weight"].dtype == np.float32


def test_float32_stays_float32(tmp_path):
    state = loop.train(Config(**SMALL), tmp_path).learner.state_dict()
    counts = {key for key in state if key.endswith(("num_batches_tracked", "steps"))}
    assert {state[key].dtype.name for key in state.keys() - counts} == {"float32"}


# -- when it fails ------------------------------------------------------------------------------


def spoil_by_hand(run: Run) -> None:
    weight = run.learner.net.conv3.bn.weight
    run.learner.net.assign({"conv3.bn.weight": weight * np.float32("inf")})


def spoil_in_torch(run: Run) -> None:
    run.learner.net.conv3.bn.weight.data.fill_(float("inf"))


@pytest.mark.parametrize(
    ("backend", "spoil"), [("numpy", spoil_by_hand), ("torch", spoil_in_torch)]
)
def test_a_loss_that_is_not_finite_names_step_and_layer(tmp_path, backend, spoil):
    kept: list[bytes] = []

    def action(run: Run) -> None:
        kept.append((tmp_path / "checkpoint.npz").read_bytes())
        spoil(run)

    config = Config(**SMALL | {"steps": 20}, backend=backend)  # epochs of two steps
    with pytest.raises(TrainingError) as caught:
        loop.train(config, tmp_path, Callback(3, action))
    assert str(caught.value).startswith("the output of conv3.bn is not finite in step 4: the last")
    assert f"the last good checkpoint is kept in {tmp_path / 'checkpoint.npz'}" in str(caught.value)
    assert (tmp_path / "checkpoint.npz").read_bytes() == kept[0]
    assert checkpoint.load(tmp_path / "checkpoint.npz")[1]["step"] == 2


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    config = Config(**SMALL | {"steps": 20})
    with pytest.raises(TrainingError, match=r"after step 4 the array net\.conv3\.bn\.weight"):
        loop.train(config, tmp_path, Callback(4, spoil_by_hand))  # just before the epoch ends
    assert checkpoint.load(tmp_path / "checkpoint.npz")[1]["step"] == 2


def test_an_earlier_run_is_refused_and_left_alone(tmp_path):
    loop.train(Config(**SMALL), tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for start in (loop.train, comparison.compare):
        with pytest.raises(RuntimeError, match=r"already holds a run .* --resume"):
            start(Config(**SMALL), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_an_existing_folder_without_a_run_is_fine(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    loop.train(Config(**SMALL), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_interrupted_comparison_goes_on_with_both(tmp_path: Path):
    whole = comparison.compare(Config(**SMALL), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(
            Config(**SMALL),
            tmp_path / "parts",
            Callback(2, lambda run: os.kill(os.getpid(), signal.SIGINT)),
        )
    assert not (tmp_path / "parts" / "arm").exists()
    resumed = comparison.resume_comparison(tmp_path / "parts")
    for name in ("none", "arm"):
        assert timeless(whole[name]) == timeless(resumed[name])
    assert json.loads((tmp_path / "parts" / "comparison.json").read_text()) == resumed


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attention": "all"}, "expected attention none or arm or paper-arm or .*, got 'all'"),
        ({"model": "unet"}, "expected model toy or toy-bisenet or bisenet, got 'unet'"),
        ({"steps": 0}, "expected steps of at least 1, got 0"),
        ({"seed": -1}, "expected seed of at least 0, got -1"),
        ({"batch": 1}, "expected a batch of at least 2 with attention arm, got 1"),
        ({"learning_rate": float("nan")}, "expected a learning_rate above 0, got nan"),
        ({"learning_rate": 0.0}, "expected a learning_rate above 0, got 0.0"),
        ({"size": 47}, "expected a size of 48 to 160 pixels, got 47"),
        ({"size": "64x47"}, "expected a size of 48 to 160 pixels, got 47"),
        ({"size": "wide"}, "expected a size in pixels, HEIGHTxWIDTH or one number, got 'wide'"),
        ({"classes": 5}, "scenes has 3 classes and ignores 255, got classes 5 and ignore 255"),
        ({"data": "digits", "ignore": 0}, "digits has 11 classes and ignores 255, got classes 11"),
        ({"data": "folder", "classes": 1}, "expected 2 to 255 classes, got 1"),
        ({"data": "folder", "ignore": 300}, "expected an ignore label of 0 to 255, got 300"),
        (
            {"device": "cuda:x"},
            "expected device 'cpu', 'cuda', 'cuda:N' or 'emulated', got 'cuda:x'",
        ),
        ({"device": "cuda"}, "backend numpy does not run on device 'cuda'"),
        ({"backend": "cupy", "device": "cpu"}, "backend cupy does not run on device 'cpu'"),
        ({"device": "emulated"}, "backend numpy does not run on device 'emulated'"),
        ({"backend": "torch", "device": "emulated"}, "torch does not run on device 'emulated'"),
        ({"backend": "cupy", "device": "emulated:1"}, "or 'emulated', got 'emulated:1': choose"),
    ],
)
def test_bad_settings_are_a_sentence(settings, words):
    with pytest.raises(ValueError, match=words):
        Config(**settings)


@pytest.mark.parametrize(
    ("settings", "size", "classes", "ignore"),
    [
        ({}, (64, 64), 3, 255),
        ({"data": "scenes-hard", "size": [48, 64]}, (48, 64), 5, 255),
        ({"data": "digits", "size": "50"}, (50, 50), 11, 255),
        ({"data": "folder", "size": "7x400"}, (7, 400), 11, 11),
        ({"data": "folder", "classes": 19}, (64, 64), 19, 255),
        ({"data": "folder", "classes": 3, "ignore": 0}, (64, 64), 3, 0),
    ],
)
def test_what_is_left_to_the_data(settings, size, classes, ignore):
    config = Config(**settings)
    assert (config.size, config.classes, config.ignore) == (size, classes, ignore)
    assert Config(**json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("data", ["scenes-hard", "digits"])
def test_runs_on_the_other_generated_sets_with_pictures(tmp_path, data):
    run = loop.train(Config(**SMALL | {"size": (48, 60)}, data=data), tmp_path)
    assert run.dataset.classes == GENERATED[data].classes
    assert data != "digits" or run.result()["told_apart"] is None  # there is nothing to tell apart
    assert (tmp_path / "attention.png").stat().st_size > 10_000


def test_without_attention_a_batch_of_one_trains(tmp_path):
    run = loop.train(Config(**SMALL | {"batch": 1, "attention": "none"}), tmp_path)
    assert run.step == 6


# -- the result that it is all about --------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_only_attention_tells_a_from_b(tmp_path, monkeypatch, seed):
    monkeypatch.undo()
    results = comparison.compare(Config(seed=seed), tmp_path)
    assert 0.4 <= results["none"]["told_apart"] <= 0.6
    assert results["arm"]["told_apart"] > 0.95
    assert results["arm"]["miou"] > results["none"]["miou"] + 0.2

"""Batches, test parts and whole folders in which no pixel counts: left out, counted and said."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from armlab import cli, plots
from armlab.hand import ToyNet
from armlab.training import run as run_module
from armlab.training.config import Config
from armlab.training.hand_learner import HandLearner
from armlab.training.loop import resume, train
from armlab.training.optimisers import SGD
from armlab.training.start import make_learner
from armlab.training.torch_learner import TorchLearner

VOID = 255
BACKENDS = ["numpy", "torch"]


class Masks:
    """A `Dataset` in memory: image i is void where `void[i]` says so, else has some void pixels."""

    classes, ignore_index, told_apart, fingerprint = ("a", "b", "c"), VOID, (1, 2), "x"
    survey = None
    colours = np.eye(3)

    def __init__(self, void: list[bool], void_test: bool = False) -> None:
        self.void, self.void_test = void, void_test

    def sample(self, i: int, void: bool) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([7, i])
        labels = np.where(rng.random((8, 12)) < 0.3, VOID, rng.integers(0, 3, (8, 12)))
        return rng.standard_normal((3, 8, 12)), np.full((8, 12), VOID) if void else labels

    def training(self, indices: range) -> tuple[np.ndarray, np.ndarray]:
        images, labels = zip(*(self.sample(i, self.void[i]) for i in indices), strict=True)
        return np.stack(images), np.stack(labels)

    def testing(self):
        image, labels = self.sample(10**6, self.void_test)
        yield image[np.newaxis], labels[np.newaxis]

    def shown(self):
        return next(self.testing())

    def class_counts(self):
        return np.array([3, 2, 1])

    def picture(self, image):
        return np.clip(image.transpose(1, 2, 0), 0, 1)


@pytest.fixture
def no_pictures(monkeypatch):
    for name in ("curves", "confusion", "gates", "attention"):
        monkeypatch.setattr(plots, name, lambda *arguments: None)


def config_of(**more) -> Config:
    settings = {"dtype": "float64", "optimiser": "sgd", "schedule": "poly", "learning_rate": 0.05}
    return Config(**settings | {"attention": "none", "batch": 2, "channels": 4} | more)


def reckoned(config: Config, data: Masks) -> tuple[dict[str, np.ndarray], list[float | None]]:
    """The weights and the losses by PyTorch alone: a loop that leaves out what is void."""
    twin = make_learner(replace(config, backend="torch", device="cpu")).net
    optimiser = torch.optim.SGD(twin.parameters(), 1.0, momentum=0.9)
    losses: list[float | None] = []
    for step in range(config.steps):
        images, labels = data.training(range(step * config.batch, (step + 1) * config.batch))
        if (labels == VOID).all():
            losses.append(None)
            continue
        for group in optimiser.param_groups:
            group["lr"] = 0.05 * (1 - step / config.steps) ** 0.9
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            twin(torch.tensor(images)), torch.tensor(labels), ignore_index=VOID
        )
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    return {key: a.numpy() for key, a in twin.state_dict().items()}, losses


class Stop:
    """Ends a run after a step, as Ctrl-C does."""

    def __init__(self, at: int) -> None:
        self.at = at

    def begin(self, run): ...
    def end(self): ...
    def epoch(self, run, row): ...

    def step(self, run, loss):
        if run.step == self.at:
            run.save()
            raise KeyboardInterrupt


def strict_json(path: Path) -> object:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{path} has {constant}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


OUTCOMES = {"with void batches": 0, "without": 0, "wholly void": 0}


@given(
    void=st.lists(st.sampled_from([True, True, False]), min_size=4, max_size=24),
    void_test=st.booleans(),
    backend=st.sampled_from(BACKENDS),
    stop=st.integers(1, 11),
)
@settings(max_examples=60)
def test_any_sequence_of_masks_trains_as_a_loop_that_leaves_the_void_out(
    tmp_path_factory, void, void_test, backend, stop
):
    void = void[: len(void) // 2 * 2]
    data, out = Masks(void, void_test), tmp_path_factory.mktemp("runs")
    config = config_of(backend=backend, steps=len(void) // 2)
    weights, losses = reckoned(config, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "make_dataset", lambda config: data)
        for name in ("curves", "confusion", "gates", "attention"):
            patch.setattr(plots, name, lambda *arguments: None)
        whole = train(config, out / "whole")
        if stop < config.steps:
            with pytest.raises(KeyboardInterrupt):
                train(config, out / "parts", Stop(stop))
            parts = resume(out / "parts")
            for key, a in whole.learner.state_dict().items():
                np.testing.assert_array_equal(parts.learner.state_dict()[key], a)
    # at most 12 steps in float64, a rounding of 1e-16 each and 1,000 sums long
    for key, a in weights.items():
        np.testing.assert_allclose(whole.learner.net.state_dict()[key], a, rtol=1e-8, atol=1e-10)
    found = [row["loss"] for row in whole.history]
    per_epoch = -(-config.steps // 10)
    for n, loss in enumerate(found):
        of_epoch = [x for x in losses[n * per_epoch : (n + 1) * per_epoch] if x is not None]
        assert (loss is None) == (not of_epoch)
        assert loss is None or loss == pytest.approx(np.mean(of_epoch), rel=1e-8)
    result = whole.result()
    assert (result["skipped"], result["steps"]) == (losses.count(None), config.steps)
    assert (result["miou"] is None) == void_test
    assert (result["seconds_per_step"] is None) == (None in losses and not any(losses))
    assert "nan" not in (out / "whole" / "history.csv").read_text()
    json.dumps([result, whole.history], allow_nan=False)
    kind = (
        "wholly void" if not any(losses) else "with void batches" if None in losses else "without"
    )
    OUTCOMES[kind] += 1


def test_all_kinds_of_sequences_were_among_them():
    if sum(OUTCOMES.values()):  # of this process, where tests are shared out
        assert all(OUTCOMES.values()), OUTCOMES


# -- one step -----------------------------------------------------------------------------------


def learner_of(backend: str, weights: np.ndarray | None = None):
    net = ToyNet(3, "none", channels=4, rng=0, dtype="float64")
    if backend == "torch":
        return TorchLearner(net, SGD(0.1, 0.9), class_weights=weights)
    return HandLearner(net, SGD(0.1, 0.9), weights)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("label", "weights"), [(VOID, None), (VOID, [1.0, 2.0, 3.0]), (1, [1.0, 0.0, 3.0])]
)
def test_a_batch_without_a_share_in_the_loss_changes_nothing(backend, label, weights):
    learner = learner_of(backend, weights and np.array(weights))
    images, labels = Masks([False] * 2).training(range(2))
    learner.step(images, labels, 0.1)
    before = learner.state_dict()
    assert learner.step(images, np.full_like(labels, label), 0.1) is None
    for key, a in learner.state_dict().items():
        np.testing.assert_array_equal(a, before[key])
    assert learner.step(images, labels, 0.1) is not None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("label", [3, -1, 254])
def test_a_label_out_of_range_is_one_story_on_both_backends(backend, label):
    images, labels = Masks([False] * 2).training(range(2))
    labels[1, 2, 3] = label
    with pytest.raises(ValueError) as caught:
        learner_of(backend).step(images, labels, 0.1)
    assert str(caught.value) == (
        f"expected labels 0 to 2, and 255 where a pixel does not count, got {label}: "
        "correct the masks, or set --classes or --ignore"
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0.0, 0.0, 0.0], "of at least 0, and one above, got .0.0, 0.0, 0.0."),
        ([1.0, -1.0, 1.0], "of at least 0, and one above"),
        ([1.0, np.nan, 1.0], "of at least 0, and one above"),
        ([1.0, np.inf, 1.0], "of at least 0, and one above"),
        ([1.0, 1.0], r"class_weights as \(3,\), one for each class, got \(2,\)"),
    ],
)
def test_class_weights_that_leave_nothing_are_a_sentence(backend, weights, words):
    with pytest.raises(ValueError, match=words):
        learner_of(backend, np.array(weights))


@pytest.mark.cupy
def test_on_cupy_too(cupy_device):
    config = config_of(backend="cupy", device=cupy_device, dtype="float32")
    learner = make_learner(config)
    images, labels = Masks([False] * 2).training(range(2))
    assert learner.step(images, np.full_like(labels, VOID), 0.1) is None
    assert learner.step(images, labels, 0.1) > 0


# -- folders ------------------------------------------------------------------------------------


def photos(folder: Path, training: list[int | None], test: list[int | None]) -> Path:
    """A folder of 48×48 images; each mask has halves of two classes, or one label throughout."""
    rng = np.random.default_rng(0)
    for split, masks in {"train": training, "test": test}.items():
        for n, label in enumerate(masks):
            for name in (split, f"{split}annot"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (48, 48, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{n}.png")
            mask = np.repeat([[0, 1]], 24, axis=1).repeat(48, axis=0).astype(np.uint8)
            mask = mask if label is None else np.full((48, 48), label, np.uint8)
            Image.fromarray(mask).save(folder / f"{split}annot" / f"{n}.png")
    return folder


SMALL = ["--classes", "2", "--size", "48", "--channels", "4", "--steps", "6", "--no-augment"]


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_void_mask_alone_in_its_batch_is_counted_and_said(tmp_path, capsys, backend):
    data = photos(tmp_path / "photos", [None, 255, None], [None])
    options = [*SMALL, "--attention", "none", "--batch", "1", "--backend", backend]
    assert cli.main(["train", "--data", str(data), *options, "--out", str(tmp_path / "r")]) == 0
    out = capsys.readouterr().out
    assert "none: 2 of 6 batches had no counted pixel and were skipped" in out
    lines = (tmp_path / "r" / "history.csv").read_text().splitlines()
    assert sum(int(line.rsplit(",", 1)[1]) for line in lines[1:]) == 2
    assert sum(line.split(",")[2] == "" for line in lines[1:]) == 2  # epochs of one step: no loss


@pytest.mark.parametrize("weights", ["none", "median-frequency"])
def test_wholly_void_training_masks_are_refused_before_training(tmp_path, capsys, weights):
    data = photos(tmp_path / "photos", [255, 255], [None])
    options = [*SMALL, "--attention", "none", "--class-weights", weights]
    assert cli.main(["train", "--data", str(data), *options, "--out", str(tmp_path / "r")]) == 1
    assert capsys.readouterr().err == (
        f"armlab: every pixel of the training masks in {data} has label 255, which does not count: "
        "correct the masks, or set --ignore\n"
    )
    assert not (tmp_path / "r").exists()


def test_a_void_test_part_gives_null_with_pictures(tmp_path, capsys):
    data = photos(tmp_path / "photos", [None, None], [255])
    shared = ["--data", str(data), *SMALL, "--batch", "2", "--json"]
    assert cli.main(["train", *shared, "--out", str(tmp_path / "both")]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [r["miou"] for r in found["runs"].values()] == [None, None]
    assert strict_json(tmp_path / "both" / "comparison.json") == found["runs"]
    assert (tmp_path / "both" / "curves.png").stat().st_size > 5_000
    grid = ["ablate", *shared, "--seeds", "0,1", "--out", str(tmp_path / "grid")]
    assert cli.main(grid) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["attentions"]["arm"]["means"]["miou"]["mean"] is None
    assert found["attentions"]["arm"]["differences"]["miou"]["verdict"] == "no value to compare"
    strict_json(tmp_path / "grid" / "ablation.json")
    assert cli.main(["ablate", "--resume", str(tmp_path / "grid")]) == 0  # the tables, for people
    assert "none found" in capsys.readouterr().out
    assert (tmp_path / "grid" / "ablation.png").stat().st_size > 5_000
    for path in (tmp_path / "grid").rglob("*.json"):
        strict_json(path)

"""By hand and in PyTorch the same training: curves, states, losses."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import armlab.torch as twins
from armlab import cli, hand, plots, weights
from armlab.data import generated
from armlab.hand.conv_attention import attention_names
from armlab.training import Config, checkpoint, train
from armlab.training.class_weights import median_frequency
from armlab.training.losses import joint_loss
from armlab.training.start import loss_weights, make_dataset, make_learner

SMALL = {"batch": 2, "size": 48, "channels": 4, "dtype": "float64"}
RATES = {"adam": 6e-3, "sgd": 0.05}


def learner(backend, steps, **settings):
    config = Config(**SMALL | settings, steps=steps, backend=backend)
    dataset = make_dataset(config)
    return make_learner(config, loss_weights(config, dataset)), dataset, config


def go_on(learner, dataset, config, steps=None):
    """The losses of the config's steps, or of these."""
    return np.array(
        [
            learner.step(
                *dataset.training(range(config.batch * step, config.batch * (step + 1))),
                config.rate(step),
            )
            for step in steps or range(config.steps)
        ]
    )


# -- one curve --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "share", "settings"),
    [
        (200, 0.5, {"optimiser": "adam"}),
        (200, 0.5, {"optimiser": "sgd", "schedule": "poly", "warm_up": 0.1, "weight_decay": 1e-4}),
        (20, 0.95, {"model": "toy-bisenet", "class_weights": "median-frequency"}),
    ],
    ids=["adam", "sgd", "toy-bisenet"],
)
def test_hand_and_torch_share_their_curve_and_go_on_from_each_others_end(steps, share, settings):
    """Four images a step: BN of two pooled values would blow rounding up by its slope of 300."""
    settings = settings | {"batch": 4, "learning_rate": RATES[settings.get("optimiser", "adam")]}
    ours, theirs = (learner(name, steps, **settings) for name in ("numpy", "torch"))
    curve = go_on(*ours)
    # A step rounds by about 1e-16 of the loss, and the recursion makes that grow: 1e-9 is broken
    # by a wrong rule in its first steps, and kept by 200 steps of rounding.
    np.testing.assert_allclose(curve, go_on(*theirs), rtol=1e-9)
    assert curve[-5:].mean() < share * curve[0]  # it did learn
    ends = [side[0].state_dict() for side in (ours, theirs)]
    assert ends[0].keys() == ends[1].keys()
    ours[0].load_state_dict(ends[1])
    theirs[0].load_state_dict(ends[0])
    more = range(steps - 5, steps)
    np.testing.assert_allclose(go_on(*ours, more), go_on(*theirs, more), rtol=1e-9)


@pytest.mark.parametrize("attention", ["se", "cbam-spatial", "coordinate", "simam", "none"])
@pytest.mark.parametrize("model", ["toy", "toy-bisenet"])
def test_gates_are_shown_per_channel_per_position_or_per_element(model, attention):
    settings = {"model": model, "attention": attention}
    ours, theirs = (learner(name, 1, **settings)[0] for name in ("numpy", "torch"))
    images = np.random.default_rng(0).standard_normal((2, 3, 48, 64)).astype("f4")
    shown, same = ours.gate(images), theirs.gate(images)
    if attention == "none":
        assert shown is same is None
        return
    size = (24, 32) if model == "toy" else (3, 4)
    channels = 4 if model == "toy" else 8
    want = {"se": (2, channels), "cbam-spatial": (2, 1, *size)}.get(attention, (2, channels, *size))
    assert shown.shape == want
    np.testing.assert_allclose(shown, same, rtol=0, atol=1e-9)


# -- the pieces -------------------------------------------------------------------------------


def test_auxiliary_heads_count_as_much_as_the_main_one():
    rng = np.random.default_rng(0)
    ys = tuple(rng.standard_normal((2, 3, 4, 5)) for _ in range(3))
    labels, weight = rng.integers(0, 3, (2, 4, 5)), np.array([0.5, 2.0, 1.25])
    labels[0, 1] = 7
    loss, backward = joint_loss(ys, labels, weight=weight, ignore_index=7)
    ts = [torch.tensor(y, requires_grad=True) for y in ys]
    criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor(weight), ignore_index=7)
    theirs = sum(criterion(t, torch.tensor(labels)) for t in ts)
    assert float(loss) == pytest.approx(theirs.item(), rel=1e-13)
    for mine, want in zip(backward(0.7), torch.autograd.grad(0.7 * theirs, ts), strict=True):
        np.testing.assert_allclose(mine, want.numpy(), rtol=1e-12, atol=1e-16)
    alone, _ = joint_loss(ys[:1], labels, ignore_index=7)
    assert alone == hand.cross_entropy(ys[0], labels, ignore_index=7)[0]


def test_the_class_in_the_middle_has_weight_one():
    np.testing.assert_array_equal(median_frequency(np.array([80, 20, 10])), [0.25, 1.0, 2.0])
    np.testing.assert_array_equal(median_frequency(np.array([30, 0, 10])), [2 / 3, 1.0, 2.0])
    with pytest.raises(ValueError, match="counted none: check the masks"):
        median_frequency(np.zeros(3, int))


def test_class_weights_are_those_of_the_data():
    for backend in ("numpy", "torch"):
        found, dataset, _ = learner(backend, 1, class_weights="median-frequency")
        weight = np.asarray(found.loss.keywords["weight"])
        np.testing.assert_allclose(weight, median_frequency(dataset.class_counts()))
        assert weight[0] < 1 <= weight[1:].max()  # of background there is plenty


def test_decay_spares_batch_normalisation_and_biases_in_both():
    """With a learning rate so small that gradients do nothing, what moves has decayed."""
    for backend in ("numpy", "torch"):
        for optimiser in RATES:
            settings = {"weight_decay": 1e12, "optimiser": optimiser, "schedule": "constant"}
            settings |= {"learning_rate": 1e-13 if optimiser == "sgd" else 1e-3}
            found, dataset, config = learner(backend, 1, **settings)
            before = found.state_dict()
            go_on(found, dataset, config)
            for key, a in found.state_dict().items():
                if key.startswith("net.") and a.ndim > 1:
                    moved = before[key] - a
                    share = 0.1 * before[key] if optimiser == "sgd" else 1e-3 * np.sign(before[key])
                    np.testing.assert_allclose(moved, share, rtol=1e-3, atol=1e-7)
                elif key.endswith(("weight", "bias")) and key.startswith("net."):
                    assert np.abs(a - before[key]).max() <= 1.001e-3, key


# -- from Python and from the command line ------------------------------------------------------


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(generated, "TEST_SCENES", 4)
    monkeypatch.setattr(generated, "CHUNK", 4)
    monkeypatch.setattr(plots, "curves", lambda *arguments: None)
    monkeypatch.setattr(plots, "attention", lambda *arguments: None)
    monkeypatch.chdir(tmp_path)


RUN = {"batch": 2, "size": 48, "channels": 4, "steps": 2}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_run_begins_with_a_file_or_with_another_run(quick, backend):
    first = train(Config(**RUN, attention="eca"), "first")
    assert cli.main(["convert", "first", "first.safetensors"]) == 0
    twins.ToyNet(3, "eca", 4).load_state_dict(
        weights.to_torch(weights.load("first.safetensors")), strict=True
    )
    trained = first.learner.state_dict()
    for number, path in enumerate(("first", "first.safetensors")):
        config = Config(**RUN, attention="eca", backend=backend, weights=path)
        run = train(config, f"run{number}")
        start, _ = checkpoint.load(run.folder / "checkpoint.previous.npz")
        assert run.step == 2
        assert start.keys() - {"gates"} <= run.learner.state_dict().keys()
    run = type(run).start(config, run.folder / "again")
    for key, a in trained.items():
        if key.startswith("net."):
            np.testing.assert_array_equal(run.learner.state_dict()[key], a)
    with pytest.raises(ValueError, match=r"^first does not fit this network: missing refine"):
        train(Config(**RUN, attention="arm", backend=backend, weights="first"), "other")


def test_a_run_in_ten_lines_of_python_loads_no_pytorch(quick, tmp_path):
    code = (
        "import sys; from armlab import training; light = set(sys.modules)\n"
        f"run = training.train(training.Config(**{RUN!r}, attention='simam'), 'run')\n"
        "assert run.result()['steps'] == 2 and len(run.history) == 2\n"
        "assert not {'torch', 'matplotlib', 'sklearn'} & light and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert (tmp_path / "run" / "attention.png").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch": 1, "attention": "paper-arm"}, "batch of at least 2 with attention paper-arm"),
        ({"batch": 1, "model": "bisenet", "attention": "se"}, "at least 2 with model bisenet"),
        ({"momentum": 0.5}, "adam has no momentum, got 0.5"),
        ({"momentum": 1.0, "optimiser": "sgd"}, "expected momentum of 0.0 to 0.999, got 1.0"),
        ({"warm_up": 1.5}, "expected warm_up of 0.0 to 1.0, got 1.5"),
        ({"weight_decay": float("nan")}, "expected weight_decay of at least 0.0, got nan"),
        ({"class_weights": "all"}, "expected class_weights none or median-frequency, got 'all'"),
        ({"channels": 1}, "expected channels of at least 2, got 1"),
    ],
)
def test_bad_settings_are_a_sentence(settings, words):
    with pytest.raises(ValueError, match=words):
        Config(**settings)


def test_one_image_a_step_is_enough_where_no_pooled_value_is_normalised():
    for attention in attention_names():
        if attention not in ("arm", "paper-arm"):
            found, dataset, config = learner("numpy", 1, batch=1, attention=attention)
            assert np.isfinite(go_on(found, dataset, config)).all()

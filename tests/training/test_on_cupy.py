"""The training on CuPy, on a GPU or on the emulated device: curves, states, gates, checkpoints."""

import json

import numpy as np
import pytest
from test_optimisers import RULES, Pair, gradients, rate
from test_training import Callback, few_test_scenes, no_pictures, timeless  # noqa: F401

from armlab import hand
from armlab.arrays import dtype_name, to_host
from armlab.hand.conv_attention import attention_names
from armlab.places import HOST, place_of
from armlab.training import Config, checkpoint, loop
from armlab.training.finite import NotFinite, kept_values, total
from armlab.training.start import make_dataset, make_learner
from armlab.training.trained import Trained

pytestmark = pytest.mark.cupy
SMALL = {"batch": 4, "size": 48, "channels": 4, "dtype": "float64"}
STEPS = 3


@pytest.fixture
def learner(cupy_device):
    """A learner by its backend, CuPy's on the device of this run, and its batch of a step."""

    def learner(backend, **settings):
        device = {"device": cupy_device} if backend == "cupy" else {}
        config = Config(**SMALL | {"steps": STEPS} | settings, backend=backend, **device)
        return make_learner(config), make_dataset(config), config

    return learner


def losses(made, steps=range(STEPS)):
    found, dataset, config = made
    batches = (range(config.batch * step, config.batch * (step + 1)) for step in steps)
    rates = (config.rate(step) for step in steps)
    pairs = zip(batches, rates, strict=True)
    return np.array([found.step(*dataset.training(batch), rate) for batch, rate in pairs])


# -- as on NumPy ------------------------------------------------------------------------------


@pytest.mark.parametrize("attention", attention_names())
def test_the_loss_curve_of_each_attention_is_that_of_numpy(attention, learner):
    ours, theirs = (learner(name, attention=attention) for name in ("cupy", "numpy"))
    curve, want = losses(ours), losses(theirs)
    # a step rounds by about 1e-16 of the loss, and a wrong rule breaks 1e-9 in its first steps
    np.testing.assert_allclose(curve, want, rtol=1e-9)
    assert len({*curve.round(4)}) == STEPS  # it moves
    images, _ = ours[1].training(range(2))
    np.testing.assert_allclose(ours[0].logits(images), theirs[0].logits(images), atol=1e-8)
    shown, same = ours[0].gate(images), theirs[0].gate(images)
    assert (shown is None) == (same is None) == (attention == "none")
    if same is not None:
        assert isinstance(shown, np.ndarray)
        assert shown.shape == same.shape
        np.testing.assert_allclose(shown, same, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimiser": "sgd", "weight_decay": 1e-3, "class_weights": "median-frequency"},
        {"model": "toy-bisenet", "weight_decay": 1e-3},
    ],
    ids=["toy, sgd", "toy-bisenet, adam"],
)
def test_the_loss_curve_of_other_settings_is_that_of_numpy(settings, learner):
    curve, want = (losses(learner(name, **settings)) for name in ("cupy", "numpy"))
    np.testing.assert_allclose(curve, want, rtol=1e-9)


def test_one_step_in_float32_is_one_in_float64_but_for_rounding(learner):
    """And stays float32: a constant in float64 would make all behind it float64."""
    curve, want = losses(learner("cupy", dtype="float32")), losses(learner("numpy"))
    np.testing.assert_allclose(curve[:1], want[:1], rtol=1e-5)  # 2⁻²⁴ through some ten layers
    found, _, _ = made = learner("cupy", dtype="float32")
    losses(made, range(1))
    arrays = found.net.parameters() | found.net.buffers() | found.optimiser.state_dict()
    kinds = {dtype_name(a) for key, a in arrays.items() if key.rpartition(".")[2] not in COUNTERS}
    assert kinds == {"float32"}


COUNTERS = ("num_batches_tracked", "steps")


# -- states -----------------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_state_is_the_same_on_cupy_numpy_and_torch(optimiser, learner):
    made = {name: learner(name, optimiser=optimiser) for name in ("cupy", "numpy", "torch")}
    losses(made["cupy"])
    state = made["cupy"][0].state_dict()
    assert all(isinstance(a, np.ndarray) for a in state.values())
    for found, _, _ in made.values():
        found.load_state_dict(state)
        again = found.state_dict()
        assert list(again) == list(state)
        for key, a in again.items():
            np.testing.assert_array_equal(a, state[key], strict=True, err_msg=key)
    more = {name: losses(one, range(2)) for name, one in made.items()}
    np.testing.assert_allclose(more["cupy"], more["numpy"], rtol=1e-10)
    np.testing.assert_allclose(more["cupy"], more["torch"], rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RULES)
def test_an_optimiser_steps_as_on_the_host(name, dtype, cupy_place):
    host, there = Pair(dtype), Pair(dtype).to(cupy_place)
    ours, theirs = RULES[name][0](), RULES[name][0]()
    steps = 20
    for step in range(steps):
        grads = gradients(step, dtype)
        ours.step(host, grads, rate(step))
        before = there.parameters()
        theirs.step(there, {k: cupy_place.asarray(g) for k, g in grads.items()}, rate(step))
        assert all(there.parameters()[k] is not a for k, a in before.items())
    u = 2.0**-53 if dtype == "float64" else 2.0**-24
    for key, a in there.parameters().items():
        assert place_of(a) == cupy_place
        assert dtype_name(a) == dtype
        want = host.parameters()[key]
        # as in test_optimisers: a step rounds about ten times on either side
        limit = steps * 20 * u * max(1.0, np.abs(want).max())
        np.testing.assert_allclose(to_host(a), want, rtol=0, atol=limit)
    kept = {k: a for k, a in theirs.state_dict().items() if k != "steps"}
    assert all(place_of(a) == cupy_place for a in kept.values())
    assert len(kept) == (4 if name.startswith("adam") else 2)


# -- what is not finite -----------------------------------------------------------------------


def test_an_image_that_is_not_finite_is_named_and_the_next_step_is_clean(learner):
    found, dataset, config = learner("cupy", attention="se")
    images, labels = dataset.training(range(config.batch))
    for value in (np.nan, np.inf):
        spoilt = images.copy()
        spoilt[1, 2, 3, 4] = value
        before = found.state_dict()
        with pytest.raises(NotFinite, match=r"^an image$"):
            found.step(spoilt, labels, 1e-2)
        found.load_state_dict(before)
    assert np.isfinite(found.step(images, labels, 1e-2))


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_each_array_of_the_state_is_looked_at(optimiser, cupy_place, learner):
    found, _, _ = made = learner("cupy", attention="se", optimiser=optimiser)
    losses(made, range(1))
    kept = kept_values(found.net.parameters() | found.net.buffers(), found.optimiser.state_dict())
    zero = cupy_place.asarray(0.0, "float64")
    assert np.isfinite(to_host(total(kept.values(), zero)))
    floating = {key: a for key, a in kept.items() if dtype_name(a) == "float64"}
    assert len(floating) > 30
    for key, a in floating.items():
        for value in (np.nan, np.inf):
            spoilt = to_host(a).copy()
            spoilt.flat[-1] = value
            changed = kept | {key: cupy_place.asarray(spoilt)}
            assert not np.isfinite(to_host(total(changed.values(), zero))), key


def test_a_layer_that_makes_a_nan_is_named(learner, monkeypatch):
    """A fault that is there on CuPy alone; the call that meets it first is named by its module."""
    found, dataset, config = learner("cupy", attention="arm")

    class Wrong(hand.Conv2d):
        def forward(self, x):
            y, backward = super().forward(x)
            return (y if place_of(y) == HOST else y / (y - y)), backward

    found.net.conv2.conv.__class__ = Wrong
    with pytest.raises(NotFinite, match=r"^the output of conv2\.bn$"):
        found.step(*dataset.training(range(config.batch)), 1e-2)


# -- runs -------------------------------------------------------------------------------------


def test_a_run_is_kept_interrupted_and_resumed_bit_for_bit(tmp_path, cupy_device):
    settings = SMALL | {"dtype": "float32", "steps": 4, "batch": 2}
    config = Config(**settings, backend="cupy", device=cupy_device)
    whole = loop.train(config, tmp_path / "whole")

    def ctrl_c(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(config, tmp_path / "parts", Callback(3, ctrl_c))
    resumed = loop.resume(tmp_path / "parts")
    assert json.loads((tmp_path / "parts/config.json").read_text())["device"] == cupy_device
    assert resumed.result()["device"] == cupy_device
    want, found = (checkpoint.load(tmp_path / n / "checkpoint.npz")[0] for n in ("whole", "parts"))
    assert list(found) == list(want)
    assert all(found[key].tobytes() == a.tobytes() for key, a in want.items())
    histories = [[timeless(row) for row in run.history] for run in (whole, resumed)]
    assert histories[0] == histories[1]


def test_a_checkpoint_from_cupy_predicts_on_the_host(tmp_path, cupy_device):
    settings = SMALL | {"dtype": "float32", "steps": 2, "batch": 2, "attention": "arm"}
    run = loop.train(Config(**settings, backend="cupy", device=cupy_device), tmp_path)
    trained = Trained.load(tmp_path)
    images, _ = run.dataset.training(range(2))
    assert place_of(next(iter(trained.net.parameters().values()))) == HOST
    ours, theirs = run.learner.logits(images), trained.logits(images)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())

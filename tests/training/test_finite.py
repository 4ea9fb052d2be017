"""What is not finite is noticed in its step and named, or has changed nothing."""

import functools
from collections import Counter

import numpy as np
import pytest

from armlab import hand
from armlab.hand.conv_attention import attention_names
from armlab.swap import swapped
from armlab.training import Config
from armlab.training.finite import NotFinite, kept_values, total
from armlab.training.optimisers import SGD, Adam
from armlab.training.start import make_dataset, make_learner
from armlab.watch import functions, watched

SMALL = {"batch": 2, "size": 48, "channels": 4}
LARGE = 1e30  # far beyond where sigmoid and ReLU are flat, and far from the end of float32


def learner(**settings):
    """A learner after one step, its state, and the batch of the next step."""
    config = Config(**SMALL | settings)
    found, dataset = make_learner(config), make_dataset(config)
    found.step(*dataset.training(range(2)), 1e-2)
    return found, found.state_dict(), dataset.training(range(2, 4))


def outcome(found, state, batch):
    """What a step from this state comes to: the words of NotFinite, or the loss and all bits."""
    found.load_state_dict(state)
    with np.errstate(all="ignore"):
        try:
            loss = found.step(*batch, 1e-2)
        except NotFinite as name:
            return str(name)
    return loss, {key: a.tobytes() for key, a in found.state_dict().items()}


class Spoiler:
    """Puts a value into the middle of the output of one call of each forward pass."""

    def __init__(self):
        self.count = self.at = 0
        self.value = 0.0

    def from_the_start(self, forward):
        """A forward of a network that begins to count anew; backwards call functions as well."""

        def counted(net, x):
            self.count = 0
            return forward(net, x)

        return counted

    def around(self, function):
        @functools.wraps(function, assigned=("__name__",))  # not its module: see kernel.watched
        def call(*inputs, **options):
            y, backward = function(*inputs, **options)
            self.count += 1
            if self.count - 1 != self.at:
                return y, backward
            first, *rest = y if isinstance(y, tuple) else (y,)
            first = first.copy()
            first.flat[first.size // 2] = self.value
            return ((first, *rest) if rest else first), backward

        return call


def judged(spoilt, names):
    """A NaN is named. An infinity is named, or the step is that of a large number, bit for bit.

    spoilt(i, value)  the outcome with this value in output i;  names[i]  what output i is called
    """
    count = Counter()
    for i, name in names.items():
        assert spoilt(i, np.nan) == name
        for sign in (1, -1):
            met = spoilt(i, sign * np.inf)
            assert met in (name, spoilt(i, sign * LARGE)), f"{sign} inf in {name}: {met}"
            count[met == name] += 1
    return count


@pytest.mark.parametrize(
    ("model", "attention", "part", "stride"),
    [
        ("toy", "none", "", 1),
        *(("toy", name, "refine", 1) for name in attention_names() if name != "none"),
        ("toy-bisenet", "arm", "", 5),
        pytest.param("toy-bisenet", "cbam", "", 1, marks=pytest.mark.thorough),
    ],
)
def test_every_output_by_hand(monkeypatch, model, attention, part, stride):
    found, state, (images, labels) = learner(model=model, attention=attention)
    batch = images[..., :32, :32], labels[:, :32, :32]
    own = [f for name, f in functions().items() if name != "cross_entropy"]
    with watched(found.net) as calls:
        found.net(batch[0])

    spoiler, kind = Spoiler(), type(found.net)
    monkeypatch.setattr(kind, "forward", spoiler.from_the_start(kind.forward))

    def spoilt(i, value):
        spoiler.at, spoiler.value = i, value
        return outcome(found, state, batch)

    looked_at = [i for i, call in enumerate(calls) if call.module.startswith(part)][::stride]
    layers = [call.module or kind.__name__ for call in calls]
    with swapped({function: spoiler.around(function) for function in own}):
        count = judged(spoilt, {i: f"the output of {layers[i]}" for i in looked_at})
    assert count.total() == 2 * len(looked_at) >= 10
    # with no attention nothing is flat: LeakyReLU has no dead side
    assert (count[False] > 0) == (attention != "none")


def test_every_output_in_torch():
    found, state, batch = learner(backend="torch", attention="se")
    layers = {name: m for name, m in found.net.named_modules() if not list(m.children())}

    def spoilt(i, value):
        def put(module, inputs, y):
            spoilt = y.flatten()
            spoilt[y.numel() // 2] = value
            return spoilt.view(y.shape)

        handle = list(layers.values())[i].register_forward_hook(put)
        try:
            return outcome(found, state, batch)
        finally:
            handle.remove()

    count = judged(spoilt, {i: f"the output of {name}" for i, name in enumerate(layers)})
    assert count.total() == 2 * len(layers) > 20
    assert count[False] > 0


@pytest.mark.parametrize("optimiser", [lambda: SGD(0.1), lambda: SGD(0.1, 0.0), lambda: Adam(0.1)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_gradient_stays_in_the_state_of_its_optimiser(optimiser, value):
    net = hand.ToyNet(3, "se", 4, rng=0)
    for spoilt in net.parameters():
        grads = {key: np.ones_like(a) for key, a in net.parameters().items()}
        grads[spoilt].flat[-1] = value
        after, made = net.copy(), optimiser()
        with np.errstate(all="ignore"):
            made.step(after, grads)
            kept = kept_values(after.parameters(), made.state_dict())
            assert not np.isfinite(total(kept.values(), np.float32(0)))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_an_image_a_weight_and_a_moment_are_named(backend):
    def step(images=None, **settings):
        config = Config(**SMALL | settings, backend=backend)
        batch, labels = make_dataset(config).training(range(2))
        with np.errstate(all="ignore"):
            make_learner(config).step(
                batch if images is None else images(batch), labels, config.learning_rate
            )

    def spoil(batch):
        batch = batch.copy()
        batch[1, 2, 3, 4] = np.nan
        return batch

    with pytest.raises(NotFinite, match=r"^an image$"):
        step(spoil)
    with pytest.raises(NotFinite, match=r"^the updated .*weight$"):
        step(optimiser="sgd", learning_rate=1e38, weight_decay=1e6)
    with pytest.raises(NotFinite, match=r"^the optimiser's (velocity|mean|square)\..*weight$"):
        step(weight_decay=1e25)


def test_a_gradient_is_named():
    class Wrong(hand.Conv2d):
        def forward(self, x):
            y, backward = super().forward(x)

            def wrong(dy, **options):
                dx, grads = backward(dy, **options)
                return dx, {key: g * float("inf") for key, g in grads.items()}

            return y, wrong

    found, state, batch = learner()
    found.net.conv2.conv.__class__ = Wrong
    assert outcome(found, state, batch) == "the gradient of conv2.conv.weight"


def test_a_large_but_finite_state_is_no_alarm():
    """The sum of the state overflows; looked at one by one, its values are finite."""
    found, state, batch = learner(optimiser="sgd", learning_rate=1e-3, weight_decay=0.0)
    key = "optimiser.velocity.classify.bias"
    state[key] = np.full_like(state[key], 3e38)  # three of them are beyond float32
    found.load_state_dict(state)
    with np.errstate(all="ignore"):
        assert np.isfinite(found.step(*batch, 1e-30))
        kept = found.state_dict()
        assert all(np.isfinite(a).all() for a in kept.values())
        assert not np.isfinite(total(kept.values(), np.float32(0)))

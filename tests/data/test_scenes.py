"""The scenes: reproducible, honest between training and test, and the theorem about the band."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from armlab import hand
from armlab.data import CLASSES, Scenes, to_rgb
from armlab.data.digits_and_photographs import digits, photographs
from armlab.hand import kernels

SIZE = 64
BAND_ROWS, FIRST_ROW = 8, 30  # what the docstring of the scenes promises


def rows_seen(net: hand.ToyNet, row: int) -> tuple[int, int]:
    """First and last input row that can reach this row of the logits, from the layers alone.

    Row i of the resized logits mixes the rows h with |p_i - h| < 1, p_i = (i + 1/2) / stride - 1/2;
    a convolution's row h reads the rows from t h - p to t h - p + d (R - 1).
    """
    layers = [m for _, m in net.named_modules() if isinstance(m, hand.Conv2d)]
    total_stride = int(np.prod([layer.stride[0] for layer in layers]))
    p = (row + 0.5) / total_stride - 0.5
    first, last = int(np.floor(p)), int(np.ceil(p))
    for layer in reversed(layers):
        first = first * layer.stride[0] - layer.padding[0]
        last = last * layer.stride[0] - layer.padding[0]
        last += layer.dilation[0] * (layer.kernel_size[0] - 1)
    return first, last


def net_in_use(attention: str) -> hand.ToyNet:
    """Random weights and random running statistics, in evaluation mode."""
    rng = np.random.default_rng(5)
    net = hand.ToyNet(len(CLASSES), attention, rng=rng)
    state = net.state_dict()
    for key, a in state.items():
        if key.endswith(("running_mean", "bias")):
            state[key] = rng.normal(size=a.shape)
        elif key.endswith("running_var"):
            state[key] = rng.uniform(0.5, 2.0, size=a.shape)
    return net.load_state_dict(state).eval()


def logits_with_either_band(attention: str) -> tuple[np.ndarray, np.ndarray]:
    scenes, net = Scenes("test", seed=1), net_in_use(attention)
    return tuple(net(scenes.batch(range(4), band)[0])[0] for band in (0, 1))


def test_the_band_is_outside_the_window_of_every_row_with_objects():
    net = hand.ToyNet(len(CLASSES), "none")
    seen = {row: rows_seen(net, row) for row in range(FIRST_ROW, SIZE)}
    assert min(first for first, _ in seen.values()) >= BAND_ROWS
    radius = max(max(row - first, last - row) for row, (first, last) in seen.items())
    assert 10 <= radius <= 22, radius


def test_the_window_is_not_too_small():
    # Changing one input row changes exactly the logits whose computed window holds it.
    net = net_in_use("none")
    x, _ = Scenes().batch([0])
    changed = x.copy()
    changed[:, :, 32] += 1.0
    with kernels.specification():
        moved = np.any(net(x)[0] != net(changed)[0], axis=(0, 1, 3))
    windows = [rows_seen(net, row) for row in range(SIZE)]
    holds = np.array([first <= 32 <= last for first, last in windows])
    assert np.array_equal(moved, holds)


def test_theorem_without_attention_the_band_cannot_reach_the_objects():
    with kernels.specification():  # bit-equality rests on it
        orange, blue = logits_with_either_band("none")
    assert np.array_equal(orange[:, :, FIRST_ROW:], blue[:, :, FIRST_ROW:])
    assert not np.array_equal(orange[:, :, :BAND_ROWS], blue[:, :, :BAND_ROWS])


def test_theorem_with_arm_the_band_reaches_every_pixel():
    orange, blue = logits_with_either_band("arm")
    moved = orange[:, :, FIRST_ROW:] != blue[:, :, FIRST_ROW:]
    assert moved.mean() > 0.99  # two float32 may round alike by chance


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_band_alone_changes_when_it_is_overridden(split):
    scenes = Scenes(split, seed=4)
    for index in range(50):
        (a_image, a_label), (b_image, b_label) = (scenes.scene(index, band) for band in (0, 1))
        assert np.array_equal(a_image[:, BAND_ROWS:], b_image[:, BAND_ROWS:])
        assert np.all(np.any(a_image[:, :BAND_ROWS] != b_image[:, :BAND_ROWS], axis=0))
        assert np.array_equal(a_label == 1, b_label == 2)
        assert set(np.unique(a_label)) == {0, 1}
        assert set(np.unique(b_label)) == {0, 2}
        drawn, _ = scenes.scene(index)
        assert np.array_equal(drawn, a_image) or np.array_equal(drawn, b_image)


def test_objects_stand_far_below_the_band():
    _, labels = Scenes(size=80).batch(range(200))
    assert labels[:, :FIRST_ROW].max() == 0
    assert np.all(labels.max(axis=(1, 2)) > 0)


def test_a_and_b_are_equally_frequent():
    _, labels = Scenes().batch(range(1000))
    share_of_a = (labels == 1).any(axis=(1, 2)).mean()
    assert abs(share_of_a - 0.5) < 4 * 0.5 / 1000**0.5  # four standard deviations of 1,000 coins
    assert 0.02 < (labels > 0).mean() < 0.06


def test_a_scene_depends_on_seed_split_and_index_alone():
    image, label = Scenes("train", seed=3).scene(7)
    Scenes("train", seed=3).batch(range(5))  # asking for others changes nothing
    again, label_again = Scenes("train", seed=3).scene(7)
    assert np.array_equal(image, again)
    assert np.array_equal(label, label_again)
    others = [Scenes("train", seed=4).scene(7), Scenes("test", seed=3).scene(7)]
    others.append(Scenes("train", seed=3).scene(8))
    assert not any(np.array_equal(image, other) for other, _ in others)


def test_training_and_test_share_neither_digits_nor_pixels_of_photographs():
    train, test = ({d.tobytes() for d in digits(s)[0]} for s in ("train", "test"))
    assert not train & test
    assert sum(len(digits(s)[0]) for s in ("train", "test")) == 1797
    for left, right, whole in zip(
        photographs("train"), photographs("test"), load_sample_images().images, strict=True
    ):
        joined = np.concatenate([left, right], axis=1)  # side by side they are the photograph
        halved = whole[:426].astype(float).reshape(213, 2, 320, 2, 3).mean(axis=(1, 3)) / 255
        np.testing.assert_allclose(joined, halved, atol=2**-24)


def test_images_are_normalised_float32_and_turn_back_into_pictures():
    images, labels = Scenes().batch(range(200))
    assert images.dtype == np.float32
    assert images.shape == (200, 3, SIZE, SIZE)
    assert labels.dtype == np.int64
    assert abs(images.mean()) < 0.1
    assert abs(images.std() - 1) < 0.1
    picture = to_rgb(images[0])
    assert picture.shape == (SIZE, SIZE, 3)
    assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"split": "val"}, "'train' or 'test'"), ({"size": 40}, "48 to 160"), ({"size": 161}, "161")],
)
def test_bad_input_is_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        Scenes(**arguments)

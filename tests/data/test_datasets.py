"""The generated sets: the harder theorem, no context in the digits, and a cache that may fail."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from armlab import hand
from armlab.data import (
    GENERATED,
    DigitScenes,
    Generated,
    HardScenes,
    Scenes,
    digits_and_photographs,
    generated,
)
from armlab.data.cache import cache_folder, cached
from armlab.data.colours import palette
from armlab.data.size import expect_scene_size, parse_size
from armlab.hand import kernels
from armlab.training.evaluation import evaluate

SIZE = (56, 72)
BAND_ROWS, FIRST_ROW = 8, 30


def made(name: str, seed: int = 0) -> Generated:
    return Generated(GENERATED[name], seed, SIZE)


# -- what all have ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATED)
def test_shapes_types_and_classes(name):
    data = made(name)
    images, labels = data.training(range(3, 7))
    assert images.shape == (4, 3, *SIZE)
    assert labels.shape == (4, *SIZE)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    counts = data.class_counts()
    assert counts.shape == (len(data.classes),)
    assert counts.dtype == np.int64
    assert counts.sum() == generated.COUNTED * SIZE[0] * SIZE[1]
    assert np.all(counts > 0)
    assert data.colours.shape == (len(data.classes), 3)
    picture = data.picture(images[0])
    assert picture.shape == (*SIZE, 3)
    assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize("name", GENERATED)
def test_the_same_sample_however_it_is_asked_for(name):
    whole = made(name).training(range(6))
    data = made(name)
    for index in reversed(range(6)):
        for part, expected in zip(data.training(range(index, index + 1)), whole, strict=True):
            assert part[0].tobytes() == expected[index].tobytes()
    assert made(name, seed=1).training(range(6))[0].tobytes() != whole[0].tobytes()


@pytest.mark.parametrize("name", GENERATED)
def test_every_run_is_tested_on_the_same_images_and_none_is_trained_on(name, monkeypatch):
    monkeypatch.setattr(generated, "TEST_SCENES", 20)
    one, other = (list(made(name, seed).testing()) for seed in (0, 1))
    views = 1 if name == "digits" else 2
    assert [len(images) for images, _ in one] == [16 * views, 4 * views]
    for (images, labels), (others, other_labels) in zip(one, other, strict=True):
        assert np.array_equal(images, others)
        assert np.array_equal(labels, other_labels)
    tested = {image.tobytes() for images, _ in one for image in images}
    assert len(tested) == 20 * views
    assert not tested & {image.tobytes() for image in made(name).training(range(60))[0]}


@pytest.mark.parametrize("size", [2, 3, 4])
def test_ranks_have_each_batch_of_test_images_once_between_them(size, monkeypatch):
    monkeypatch.setattr(generated, "TEST_SCENES", 40)
    data = made("scenes")
    of_all = [images.tobytes() for images, _ in data.testing()]  # of 16, 16 and 8 scenes
    parts = [[images.tobytes() for images, _ in data.testing(r, size)] for r in range(size)]
    assert [len(part) for part in parts] == {2: [2, 1], 3: [1, 1, 1], 4: [1, 1, 1, 0]}[size]
    assert sorted(batch for part in parts for batch in part) == sorted(of_all)


@pytest.mark.parametrize("name", GENERATED)
def test_shared_test_images_cannot_be_written_to(name):
    images, labels = next(made(name).testing())
    for array in (images, labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("name", ["scenes", "scenes-hard"])
def test_shown_images_differ_in_their_cue_alone(name):
    images, labels = made(name).shown()
    assert len(images) == 4
    for first in (0, 2):
        a, b = images[first : first + 2]
        assert np.array_equal(a[:, BAND_ROWS:], b[:, BAND_ROWS:])
        assert not np.array_equal(a, b)
        odd = labels[first] % 2 == 1  # A and C
        assert odd.any()
        assert np.array_equal(labels[first + 1], labels[first] + odd)


HASH = """
import hashlib, sys
from armlab.data import GENERATED, Generated
found = hashlib.sha256()
for name in GENERATED:
    data = Generated(GENERATED[name], 3, (48, 80))
    for array in (*data.training(range(5)), *data.shown()):
        found.update(array.tobytes())
print(found.hexdigest(), "sklearn" in sys.modules)
"""


def test_two_processes_make_the_same_bytes_the_second_from_the_cache(tmp_path):
    environment = os.environ | {"ARMLAB_CACHE": str(tmp_path)}
    made_anew, from_cache = (
        subprocess.check_output([sys.executable, "-c", HASH], env=environment, text=True).split()
        for _ in range(2)
    )
    assert made_anew[0] == from_cache[0]
    assert (made_anew[1], from_cache[1]) == ("True", "False")
    assert len(list(tmp_path.iterdir())) == 1


# -- scenes-hard ------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_lamp_alone_changes_when_it_is_overridden(split):
    scenes, lefts = HardScenes(split, seed=4, size=SIZE), set()
    for index in range(60):
        (a_image, a_label), (b_image, b_label) = scenes.views(index)
        changed = np.any(a_image != b_image, axis=0)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert rows.tolist() == list(range(8))
        assert np.ptp(columns) == 7
        assert changed.sum() == 64
        lefts.add(int(columns[0]))
        assert set(np.unique(a_label)) <= {0, 1, 3}
        assert np.array_equal(b_label, a_label + (a_label > 0))
        assert a_label[:FIRST_ROW].max() == 0
        image, _ = scenes.scene(index)
        assert np.array_equal(image, a_image) or np.array_equal(image, b_image)
    assert len(lefts) > 20  # it has no fixed place
    assert 64 / 64**2 == 0.015625  # the 1.6 % of the docstring


def test_lamp_and_digit_are_drawn_independently():
    _, labels = HardScenes().batch(range(2000))
    present = np.array([[(label == k).any() for k in (1, 2, 3, 4)] for label in labels])
    for shares in (present[:, :2].any(axis=1), present[:, 2:].any(axis=1)):
        assert shares.mean() > 0.5
    with_seven = present[:, :2].any(axis=1)
    states = present[:, [0, 2]].any(axis=1)  # A and C are the first state
    for given in (with_seven, ~with_seven):
        # four standard deviations of as many coins
        assert abs(states[given].mean() - 0.5) < 4 * 0.5 / given.sum() ** 0.5


def hard_logits(attention: str) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    net = hand.ToyNet(5, attention, rng=rng)
    state = net.state_dict()
    for key, a in state.items():
        if key.endswith("running_var"):
            state[key] = rng.uniform(0.5, 2.0, size=a.shape)
    net = net.load_state_dict(state).eval()
    scenes = HardScenes("test", seed=1)
    return [net(scenes.batch(range(4), state)[0])[0] for state in (0, 1)]


def test_theorem_without_attention_the_lamp_cannot_reach_the_digits():
    with kernels.specification():  # bit-equality rests on it
        one, other = hard_logits("none")
    assert np.array_equal(one[:, :, FIRST_ROW:], other[:, :, FIRST_ROW:])
    assert not np.array_equal(one[:, :, :BAND_ROWS], other[:, :, :BAND_ROWS])


def test_theorem_with_arm_the_lamp_reaches_every_pixel():
    one, other = hard_logits("arm")
    assert (one[:, :, FIRST_ROW:] != other[:, :, FIRST_ROW:]).mean() > 0.99


class Blind:
    """Knows everything about the test scenes but the state: calls every 7 A and every 3 C."""

    def __init__(self, data: Generated) -> None:
        self.answers = {
            image[:, BAND_ROWS:].tobytes(): (label + 1) // 2 * 2 - 1
            for images, labels in data.testing()
            for image, label in zip(images, labels, strict=True)
        }

    def predict(self, images: np.ndarray) -> np.ndarray:
        answers = [self.answers[image[:, BAND_ROWS:].tobytes()] for image in images]
        return np.maximum(np.stack(answers), 0)


@pytest.mark.parametrize("name", ["scenes", "scenes-hard"])
def test_the_best_that_is_blind_to_the_cue_is_right_half_of_the_time(name, monkeypatch):
    monkeypatch.setattr(generated, "TEST_SCENES", 10)
    data = made(name)
    matrix = evaluate(Blind(data), data)
    assert matrix.accuracy_among(data.told_apart) == 0.5


# -- digits -----------------------------------------------------------------------------------


def test_a_digit_is_its_own_class_whatever_surrounds_it():
    scenes = DigitScenes(size=SIZE)
    _, labels = scenes.batch(range(400))
    assert set(np.unique(labels)) == set(range(11))
    shares = [(labels == k).any(axis=(1, 2)).mean() for k in range(1, 11)]
    # three digits a scene, each a tenth: 1 - 0.9^3 = 0.27, within four standard deviations
    assert np.all(np.abs(np.array(shares) - 0.271) < 4 * (0.271 * 0.729 / 400) ** 0.5 + 0.03)
    assert labels[:, 0].max() > 0  # they stand anywhere
    assert made("digits").told_apart == ()


def test_the_label_of_a_digit_is_the_one_scikit_learn_gives_it():
    from sklearn.datasets import load_digits

    target = load_digits().target
    numbers = np.concatenate(
        [digits_and_photographs.digits(split)[1] for split in digits_and_photographs.SPLITS]
    )
    assert np.array_equal(numbers, target)


# -- sizes and colours ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "size"),
    [(64, (64, 64)), ("64", (64, 64)), ("48x80", (48, 80)), ([48, 80], (48, 80)), ("5×7", (5, 7))],
)
def test_sizes_as_people_write_them(given, size):
    assert parse_size(given) == size


@pytest.mark.parametrize("given", ["", "x", "64x", "1x2x3", 0, "-1", "0x3", None, 1.5, "big"])
def test_no_size(given):
    with pytest.raises(ValueError, match="expected a size in pixels, HEIGHTxWIDTH or one number"):
        parse_size(given)


def test_scenes_need_room():
    assert expect_scene_size("48x160") == (48, 160)
    for size, side in (("47x64", 47), ("64x161", 161)):
        with pytest.raises(ValueError, match=f"expected a size of 48 to 160 pixels, got {side}"):
            expect_scene_size(size)


def test_every_class_has_a_colour_of_its_own():
    colours = palette(40)
    assert colours.shape == (40, 3)
    assert 0 <= colours.min() < colours.max() <= 1
    assert len({tuple(c) for c in colours}) == 40
    assert np.array_equal(palette(3), colours[:3])


# -- the cache ----------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ARMLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.int64)}


def counted(name: str = "name") -> int:
    """How often the arrays were made for one question; they are right in any case."""
    calls = []

    def make():
        calls.append(1)
        return dict(ARRAYS)

    found = cached(name, make)
    assert found.keys() == ARRAYS.keys()
    for key, a in ARRAYS.items():
        assert found[key].dtype == a.dtype
        assert np.array_equal(found[key], a)
    return len(calls)


def test_made_once_and_then_read(cache):
    assert [counted(), counted(), counted("other"), counted()] == [1, 0, 1, 0]


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_is_made_anew(cache, seed):
    counted()
    (path,) = cache.iterdir()
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(seed)
    if seed % 2:
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    else:
        del data[rng.integers(len(data)) :]
    path.write_bytes(data)
    assert [counted(), counted()] == [1, 0]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARMLAB_CACHE", str(tmp_path / "file"))
    assert [counted(), counted()] == [1, 1]


def test_a_full_disk_leaves_no_pieces(cache, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert counted() == 1
    assert list(cache.iterdir()) == []


def test_without_a_home_nothing_is_kept(monkeypatch):
    for name in ("ARMLAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert counted() == 1


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("ARMLAB_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("ARMLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "armlab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "armlab"


WRITER = """
import numpy as np
from armlab.data.cache import cached, _write, cache_folder
for _ in range(60):
    found = cached("shared", lambda: {"a": np.arange(20000.0)})
    assert np.array_equal(found["a"], np.arange(20000.0))
    _write(cache_folder() / "shared-1.arrays", found)
"""


def test_two_processes_write_at_once(cache):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER]) for _ in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    (path,) = cache.iterdir()
    data = path.read_bytes()
    assert data[:32] == hashlib.sha256(data[32:]).digest()


def test_cached_pictures_are_those_that_were_prepared(cache):
    digits_and_photographs._packaged.cache_clear()
    anew = digits_and_photographs._packaged()
    digits_and_photographs._packaged.cache_clear()
    kept = digits_and_photographs._packaged()
    assert anew.keys() == kept.keys()
    assert all(anew[key].tobytes() == kept[key].tobytes() for key in anew)
    assert {a.dtype.name for a in kept.values()} == {"float32", "int64"}
    assert Scenes().scene(0)[0].dtype == np.float32

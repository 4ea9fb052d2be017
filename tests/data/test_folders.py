"""A folder of photographs and masks: what is read, what is refused, and that little is held."""

import io
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import wait
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab import cli, plots
from armlab.data import Folder, Generated, Scenes, generated
from armlab.data import export as export_module
from armlab.data import folder as folder_module
from armlab.data.export import export
from armlab.data.fitting_pair import read_pair
from armlab.data.folder import names_of
from armlab.data.folder_layouts import layout_of
from armlab.data.image_files import read_image, read_mask

CLASSES, IGNORE = 3, 255
SIZES = [(12, 17), (20, 9), (16, 16)]  # (height, width): smaller and larger than a crop


def picture(seed: int, size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=(*size, 3), dtype=np.uint8)


def labels(seed: int, size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng([seed, 7]).choice([0, 1, 2, IGNORE], size=size).astype(np.uint8)


def write(path: Path, array: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def write_segnet(folder: Path, sizes=SIZES) -> Path:
    for first, split in ((0, "train"), (50, "test")):
        for number, size in enumerate(sizes):
            write(folder / split / f"{number}.png", picture(first + number, size))
            write(folder / f"{split}annot" / f"{number}.png", labels(first + number, size))
    return folder


def write_listed(folder: Path) -> Path:
    for number, size in enumerate([*SIZES, *SIZES]):
        write(folder / "images" / f"{number}.png", picture(number, size))
        write(folder / "masks" / f"{number}.png", labels(number, size))
    (folder / "train.txt").write_text("2\n0.png\n\n  1  \n")
    (folder / "test.txt").write_text("3\n4\n5")
    return folder


LAYOUTS = {"segnet": write_segnet, "listed": write_listed}


def opened(folder: Path, **settings) -> Folder:
    given = {"classes": CLASSES, "ignore_index": IGNORE, "size": (16, 16)} | settings
    return Folder(folder, **given)


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_test_images_come_whole_in_order_and_one_by_one(tmp_path, layout):
    data = opened(LAYOUTS[layout](tmp_path))
    batches = list(data.testing())
    assert [image.shape for image, _ in batches] == [(1, 3, *size) for size in SIZES]
    first = 50 if layout == "segnet" else 3
    for number, (image, label) in enumerate(batches):
        assert (image.dtype, label.dtype) == (np.float32, np.int64)
        assert np.array_equal(label[0], labels(first + number, SIZES[number]))
        shown = np.round(255 * data.picture(image[0])).astype(np.uint8)
        assert np.array_equal(shown, picture(first + number, SIZES[number]))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_ranks_read_each_test_image_once_between_them(tmp_path, size, monkeypatch):
    data, read = opened(write_segnet(tmp_path)), []
    monkeypatch.setattr(
        folder_module, "read_pair", lambda *pair: read.append(pair) or read_pair(*pair)
    )
    of_all = list(data.testing())
    read.clear()
    for rank in range(size):
        wanted = of_all[rank::size]  # of three; ranks 3 and 4 have none
        for found, expected in zip(data.testing(rank, size), wanted, strict=True):
            assert np.array_equal(found[0], expected[0])
            assert np.array_equal(found[1], expected[1])
        assert read == data.test_pairs[rank::size]
        read.clear()


def test_a_split_file_gives_the_order_and_names_with_or_without_suffix(tmp_path):
    names = [image.name for image, _ in layout_of(write_listed(tmp_path)).training]
    assert names == ["2.png", "0.png", "1.png"]


def test_jpeg_images_and_palette_masks(tmp_path):
    write_segnet(tmp_path)
    (tmp_path / "train" / "0.png").unlink()
    write(tmp_path / "train" / "0.JPG", picture(0, SIZES[0]), format="JPEG")
    indexed = Image.fromarray(labels(0, SIZES[0])).convert("P")
    indexed.putdata(list(labels(0, SIZES[0]).ravel()))
    indexed.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10] + [7] * 759)
    indexed.save(tmp_path / "trainannot" / "0.png")
    assert (tmp_path / "trainannot" / "0.png").read_bytes()[25] == 3  # the colour type of palettes
    assert np.array_equal(read_mask(tmp_path / "trainannot" / "0.png"), labels(0, SIZES[0]))
    assert read_image(tmp_path / "train" / "0.JPG").shape == (*SIZES[0], 3)
    opened(tmp_path)


def test_a_palette_of_two_bits_holds_indices(tmp_path):
    mask = np.array([[0, 1, 2, 3]], np.uint8)
    indexed = Image.fromarray(mask).convert("P")
    indexed.putdata([0, 1, 2, 3])
    indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    indexed.save(tmp_path / "mask.png", bits=2)
    assert (tmp_path / "mask.png").read_bytes()[24] == 2
    assert np.array_equal(read_mask(tmp_path / "mask.png"), mask)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA", "1"])
def test_images_of_any_mode_become_three_channels(tmp_path, mode):
    Image.fromarray(picture(1, (5, 4))).convert(mode).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == (5, 4, 3)


def test_class_counts_are_those_of_all_training_masks(tmp_path):
    data = opened(write_segnet(tmp_path))
    every = np.concatenate([labels(n, size).ravel() for n, size in enumerate(SIZES)])
    assert data.class_counts().tolist() == [int((every == k).sum()) for k in range(CLASSES)]
    assert data.class_counts().sum() < every.size  # ignored pixels are no class


def test_an_ignored_class_is_not_counted(tmp_path):
    write_segnet(tmp_path)
    data = opened(tmp_path, classes=256, ignore_index=1)
    assert data.class_counts()[1] == 0
    assert data.class_counts()[2] > 0


def test_batches_are_read_by_the_same_threads(tmp_path, monkeypatch):
    readers = set()

    def read(*pair):
        readers.add(threading.current_thread().name)
        return read_pair(*pair)

    monkeypatch.setattr(folder_module, "read_pair", read)
    data = opened(write_segnet(tmp_path))
    for start in range(0, 60, 6):
        data.training(range(start, start + 6))
    assert 0 < len(readers) <= (os.cpu_count() or 1)


def wait_for_the_next(data):
    wait([sample for batch in data._ahead.values() for sample in batch])


def test_the_next_batch_is_read_while_the_first_is_in_use(tmp_path, monkeypatch):
    data, read = opened(write_segnet(tmp_path)), []

    def sample(index):
        read.append(index)
        return Folder._sample(data, index)

    monkeypatch.setattr(data, "_sample", sample)
    first = data.training(range(3))
    wait_for_the_next(data)
    assert sorted(read) == list(range(6))
    second = data.training(range(3, 6))
    wait_for_the_next(data)
    assert sorted(read) == list(range(9))  # none of them twice
    whole = opened(tmp_path).training(range(6))
    for parts, expected in zip(zip(first, second, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_what_was_read_ahead_in_vain_is_let_go(tmp_path):
    write_segnet(tmp_path)
    data = opened(tmp_path)
    data.training(range(3))
    for indices in (range(10, 12), range(0, 3), range(2, 3)):  # another order than that of a run
        expected = opened(tmp_path).training(indices)
        for part, right in zip(data.training(indices), expected, strict=True):
            np.testing.assert_array_equal(part, right)
        assert list(data._ahead) == [range(indices.stop, indices.stop + len(indices))]


def test_a_part_of_each_batch_is_read_ahead_where_the_next_part_lies(tmp_path):
    data = opened(write_segnet(tmp_path))
    data.training(range(2, 4))
    data.training(range(7, 9))
    assert list(data._ahead) == [range(12, 14)]


def test_a_file_that_vanishes_ahead_is_named_when_it_is_asked_for(tmp_path):
    data = opened(write_segnet(tmp_path))
    data.training(range(1))
    wait_for_the_next(data)
    for path in (tmp_path / "train").glob("*.png"):
        path.unlink()
    data.training(range(1, 2))  # is there already
    with pytest.raises(ValueError, match=r"cannot read .*train/.*\.png: No such file"):
        data.training(range(2, 3))


def test_pictures_show_test_images_of_one_size(tmp_path):
    sizes = [(12, 17), (20, 9), (12, 17), (12, 17), (12, 17), (12, 17), (12, 17)]
    images, shown = opened(write_segnet(tmp_path, sizes)).shown()
    assert images.shape == (4, 3, 12, 17)
    for label, number in zip(shown, (0, 3, 4, 6), strict=True):  # of 0 2 3 4 5 6, spread
        assert np.array_equal(label, labels(50 + number, (12, 17)))


def test_names_of_classes(tmp_path):
    write_segnet(tmp_path)
    assert opened(tmp_path).classes == ("class 0", "class 1", "class 2")
    (tmp_path / "classes.txt").write_text("sky\nroad\n car \n\n")
    assert opened(tmp_path).classes == names_of(tmp_path) == ("sky", "road", "car")
    with pytest.raises(ValueError, match=r"classes\.txt names 3 classes and the run has 4"):
        opened(tmp_path, classes=4)


# -- what is refused ------------------------------------------------------------------------------


def remove(name):
    return lambda folder: (folder / name).unlink()


def replace(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def truncate(name):
    def act(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) * 2 // 3])

    return act


def redraw(name, array, **options):
    return lambda folder: write(folder / name, array, **options)


def empty(name):
    def act(folder):
        for path in (folder / name).iterdir():
            path.unlink()

    return act


def with_label(value: int) -> np.ndarray:
    mask = labels(1, SIZES[1])
    mask[3, 4] = value
    return mask


def four_bit_png() -> bytes:
    """Grey with four bits, which Pillow reads but does not write: 2 by 1 pixels, labels 0 and 1."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 2, 1, 4, 0, 0, 0, 0)
    body = zlib.compress(b"\x00\x01")
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def jpeg(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG")
    return file.getvalue()


MASK, IMAGE = "trainannot/1.png", "train/1.png"
SEGNET_FAULTS = {
    "missing mask": (remove(MASK), r"train/1\.png has no mask .*trainannot/1\.png: add it"),
    "missing test mask": (remove("testannot/2.png"), r"test/2\.png has no mask"),
    "label too high": (
        redraw(MASK, with_label(3)),
        r"trainannot/1\.png has a pixel with label 3, and the labels are 0 to 2, and 255",
    ),
    "label too high in test": (redraw("testannot/1.png", with_label(254)), "label 254"),
    "other size": (
        redraw(MASK, labels(1, (20, 10))),
        r"1\.png is 20x10 pixels and its image .*train/1\.png is 20x9: a mask has one label",
    ),
    "transposed": (redraw(MASK, labels(1, (9, 20))), "is 9x20 pixels"),
    "truncated mask": (truncate(MASK), r"trainannot/1\.png is a truncated PNG: copy"),
    "truncated image": (truncate(IMAGE), r"train/1\.png is a truncated PNG: copy"),
    "truncated test image": (truncate("test/1.png"), r"test/1\.png is a truncated PNG: copy"),
    "not an image": (
        replace(IMAGE, b"hello"),
        r"train/1\.png is text: put a PNG or JPEG in its place",
    ),
    "empty file": (replace(MASK, b""), r"trainannot/1\.png is empty: copy or download it again"),
    "three channels": (redraw(MASK, picture(1, SIZES[1])), r"1\.png has 3 channels, and a mask"),
    "16 bits": (
        redraw(MASK, labels(1, SIZES[1]).astype(np.uint16)),
        r"trainannot/1\.png has 16 bits a pixel: save the mask with 8",
    ),
    "four bits": (replace(MASK, four_bit_png()), r"1\.png has 4 bits a pixel"),
    "jpeg mask": (replace(MASK, jpeg(labels(1, SIZES[1]))), r"1\.png is no PNG or TIFF but JPEG"),
    "deep image": (
        redraw(IMAGE, labels(1, SIZES[1]).astype(np.uint16)),
        r"train/1\.png has more than 8 bits a channel",
    ),
    "empty split": (empty("test"), r"/test holds no image: put PNG or JPEG files there"),
    "two images": (
        redraw("train/1.jpg", picture(1, SIZES[1])),
        r"1\.jpg and .*1\.png have the same",
    ),
}
LISTED_FAULTS = {
    "missing mask": (remove("masks/2.png"), r"images/2\.png has no mask .*masks/2\.png"),
    "missing image": (
        remove("images/2.png"),
        r"train\.txt names 2 in line 1, which is not in .*images",
    ),
    "missing split": (remove("test.txt"), r"there is no .*test\.txt: write it"),
    "empty split": (replace("test.txt", b" \n\n"), r"test\.txt names no image"),
    "binary split": (
        replace("test.txt", b"\xff\xfe\x00"),
        r"test\.txt is not in UTF-16-LE, first in line 1: save",
    ),
    "named twice": (replace("train.txt", b"0\n1\n0.png\n"), r"train\.txt names 0\.png twice"),
    "in both": (replace("test.txt", b"4\n1\n"), r"images/1\.png is in train\.txt and in test\.txt"),
    "two images": (
        redraw("images/3.jpg", picture(1, SIZES[1])),
        r"test\.txt names 3 in line 1, which may be .*3\.jpg or .*3\.png: rename one",
    ),
    "label too high": (redraw("masks/1.png", with_label(77)), r"masks/1\.png .* label 77"),
}
FAULTS = [("segnet", *fault) for fault in SEGNET_FAULTS.items()]
FAULTS += [("listed", *fault) for fault in LISTED_FAULTS.items()]


@pytest.mark.parametrize(
    ("layout", "name", "fault"), FAULTS, ids=lambda x: x if x in LAYOUTS else None
)
def test_a_fault_is_one_line_that_names_the_file(tmp_path, capsys, layout, name, fault):
    spoil, words = fault
    folder = LAYOUTS[layout](tmp_path / "data")
    spoil(folder)
    arguments = ["--data", str(folder), "--classes", "3", "--out", str(tmp_path / "run")]
    assert cli.main(["train", "--attention", "arm", *arguments]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    with pytest.raises(ValueError, match=words) as caught:
        opened(folder)
    assert output.err == f"armlab: {caught.value}\n"
    assert not (tmp_path / "run").exists()  # nothing was written


def test_a_folder_that_is_none_or_in_no_layout(tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere: give the path of one, or"):
        opened(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"has neither train/ and trainannot/ nor images/"):
        opened(tmp_path)


def test_a_file_that_vanishes_while_training_is_named(tmp_path):
    data = opened(write_segnet(tmp_path))
    (tmp_path / "train" / "0.png").unlink()
    with pytest.raises(ValueError, match=r"cannot read .*train/0\.png: No such file"):
        data.training(range(3))


def test_a_val_split_is_not_read(tmp_path):
    write_segnet(tmp_path)
    before = opened(tmp_path).fingerprint
    replace("val.png", b"")(tmp_path)
    (tmp_path / "val").mkdir()
    replace("val/0.png", b"no image")(tmp_path)
    assert opened(tmp_path).fingerprint == before


# -- samples --------------------------------------------------------------------------------------


def numbers_of(data: Folder, indices: range) -> list[int]:
    """Which training image each sample is; each has its own value everywhere."""
    return [int(label[label != IGNORE][0]) for label in data.training(indices)[1]]


@pytest.fixture
def numbered(tmp_path) -> Path:
    """Seven training images; the mask of image n is n everywhere."""
    for split, count in (("train", 7), ("test", 1)):
        for n in range(count):
            write(tmp_path / split / f"{n}.png", picture(n, (18, 21)))
            write(tmp_path / f"{split}annot" / f"{n}.png", np.full((18, 21), n, np.uint8))
    return tmp_path


@pytest.mark.parametrize("augment", [True, False])
def test_an_epoch_is_a_permutation_and_each_is_another(numbered, augment):
    data = opened(numbered, classes=7, augment=augment)
    epochs = [numbers_of(data, range(7 * e, 7 * e + 7)) for e in range(4)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    across = numbers_of(data, range(5, 9))  # a batch that ends in the next epoch
    assert across == epochs[0][5:] + epochs[1][:2]
    assert numbers_of(opened(numbered, classes=7, seed=1), range(7)) != epochs[0]


@pytest.mark.parametrize("augment", [True, False])
def test_a_sample_depends_on_files_seed_and_index_alone(tmp_path, augment):
    write_segnet(tmp_path)
    whole = opened(tmp_path, augment=augment).training(range(8))
    one_by_one = opened(tmp_path, augment=augment)
    for index in reversed(range(8)):
        for part, expected in zip(one_by_one.training(range(index, index + 1)), whole, strict=True):
            assert part[0].tobytes() == expected[index].tobytes()
    assert whole[0].shape == (8, 3, 16, 16)
    assert (whole[0].dtype, whole[1].dtype) == (np.float32, np.int64)
    other = opened(tmp_path, augment=augment, seed=1).training(range(8))
    assert whole[0].tobytes() != other[0].tobytes()


def test_without_augmentation_a_sample_is_the_middle(tmp_path):
    data = opened(write_segnet(tmp_path, [(20, 30)]), augment=False)
    images, found = data.training(range(1))
    assert np.array_equal(found[0], labels(0, (20, 30))[2:18, 7:23])
    shown = np.round(255 * data.picture(images[0])).astype(np.uint8)
    assert np.array_equal(shown, picture(0, (20, 30))[2:18, 7:23])


SAMPLES = """
import hashlib, sys
from pathlib import Path
from armlab.data import Folder
data = Folder(Path(sys.argv[1]), classes=3, ignore_index=255, size=(16, 24), seed=3)
found = hashlib.sha256()
for array in data.training(range(9)):
    found.update(array.tobytes())
print(found.hexdigest(), data.fingerprint)
"""


def test_two_processes_read_the_same_bytes(tmp_path):
    write_segnet(tmp_path)
    command = [sys.executable, "-c", SAMPLES, str(tmp_path)]
    found = {subprocess.check_output(command, text=True) for _ in range(2)}
    assert len(found) == 1


def peak_of_reading(folder: Path) -> int:
    tracemalloc.start()
    data = opened(folder, size=(32, 32))
    for first in range(0, 48, 4):
        data.training(range(first, first + 4))
        wait_for_the_next(data)  # else the peak depends on who is faster
    for _ in data.testing():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    size = (128, 160)
    few, many = (write_segnet(tmp_path / str(n), [size] * n) for n in (3, 24))
    peak_of_reading(few)  # what is imported or kept once
    # twice each: Python's table of names grows by 2 MB now and then, whoever adds the last one
    peaks = [min(peak_of_reading(folder) for _ in range(2)) for folder in (few, many)]
    assert peaks[1] - peaks[0] < 3 * 128 * 160, peaks  # not one picture more


# -- runs -----------------------------------------------------------------------------------------

FAST = ["--steps", "4", "--batch", "2", "--size", "16x24"]


@pytest.fixture
def exported(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(generated, "TEST_SCENES", 2)
    folder = tmp_path / "photographs"
    assert export(Generated(Scenes, 0, (48, 64)), folder, training=5) == 5 + 4
    return folder


def test_exported_scenes_are_the_scenes(exported):
    data = Folder(exported, classes=3, ignore_index=255, size=(48, 64), augment=False)
    scenes = Generated(Scenes, 0, (48, 64))
    assert data.classes == scenes.classes
    for ours, theirs in zip(data.testing(), zip(*next(scenes.testing()), strict=True), strict=True):
        assert np.array_equal(ours[1][0], theirs[1])
        # a picture's eight bits: half a step of 1 / 255, over the standard deviation 0.28
        np.testing.assert_allclose(ours[0][0], theirs[0], atol=0.51 / 255 / 0.28 + 1e-6)
    assert "danielbuechele" in (exported / "LICENCE.txt").read_text()
    with pytest.raises(ValueError, match="is not empty"):
        export(scenes, exported)


def test_the_export_as_a_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generated, "TEST_SCENES", 2)
    words = ["export", str(tmp_path / "new"), "--data", "digits", "--size", "48x50"]
    monkeypatch.setattr(sys, "argv", [*words, "--training", "3"])
    assert export_module.main() == 0
    assert capsys.readouterr().out == f"5 images and their masks in {tmp_path / 'new'}\n"
    assert len(names_of(tmp_path / "new")) == 11
    data = opened(tmp_path / "new", classes=11)
    assert [len(data.training_pairs), len(data.test_pairs)] == [3, 2]
    assert export_module.main() == 1
    assert "is not empty: choose another folder" in capsys.readouterr().err


def test_a_run_on_a_folder_and_its_config(exported, tmp_path, capsys):
    arguments = ["train", "--attention", "arm", "--data", str(exported), *FAST]
    assert cli.main([*arguments, "--out", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["runs"]["arm"]
    assert result["told_apart"] is None
    assert 0 < result["miou"] < 1
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["data"], config["size"]) == (str(exported), [16, 24])
    assert (config["classes"], config["ignore"], config["augment"]) == (3, 255, True)
    assert (tmp_path / "run" / "attention.png").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (redraw("train/0003.png", picture(1, (48, 64))), "are not those that the run"),
        (redraw("trainannot/0004.png", np.zeros((48, 64), np.uint8)), "are not those that the run"),
        (lambda folder: folder.rename(folder.with_name("moved")), "there is no folder"),
    ],
)
def test_a_folder_that_changed_or_vanished_is_refused_on_resume(
    exported, tmp_path, capsys, monkeypatch, spoil, words
):
    monkeypatch.setattr(plots, "curves", lambda *arguments: None)
    monkeypatch.setattr(plots, "attention", lambda *arguments: None)
    out = str(tmp_path / "run")
    assert (
        cli.main(["train", "--attention", "none", "--data", str(exported), *FAST, "--out", out])
        == 0
    )
    assert cli.main(["train", "--resume", out]) == 0
    before = (tmp_path / "run" / "checkpoint.npz").read_bytes()
    spoil(exported)
    capsys.readouterr()
    assert cli.main(["train", "--resume", out]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert words in error
    assert str(exported) in error
    assert (tmp_path / "run" / "checkpoint.npz").read_bytes() == before

"""`armlab predict`: masks, overlays and gates of images of any size, from a run of any backend."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab import cli, plots
from armlab.data import generated
from armlab.data.colours import palette
from armlab.data.digits_and_photographs import to_network
from armlab.data.image_files import read_mask
from armlab.data.label_values import LabelValues
from armlab.training import checkpoint, loop
from armlab.training.config import Config
from armlab.training.prediction import Prediction, predict, write
from armlab.training.trained import Trained
from armlab.weights.publishers import Labels, plain_labels

SMALL = {"steps": 3, "batch": 3, "size": 48, "channels": 6}
RNG = np.random.default_rng(0)
COLOURED = RNG.integers(0, 256, (37, 53, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run with attention on each of two backends, and one without."""
    made = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "TEST_SCENES", 2)
        for name in ("curves", "confusion", "gates", "attention"):
            patch.setattr(plots, name, lambda *arguments: None)
        arm = Config(**SMALL)
        for name, config in {
            "numpy": arm,
            "torch": replace(arm, backend="torch"),
            "none": replace(arm, attention="none"),
        }.items():
            loop.train(config, made / name)
    return made


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def saved(name: str, pixels: np.ndarray = COLOURED, mode: str = "RGB") -> Path:
    Image.fromarray(pixels).convert(mode).save(name)
    return Path(name)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_mask_is_what_the_run_itself_predicts(folders, backend):
    run = loop.Run.resume(folders / backend)
    x = to_network(COLOURED.astype(np.float32) / 255)[np.newaxis]
    assert cli.main(["predict", str(folders / backend), str(saved("a.png")), "--out", "out"]) == 0
    mask = read_mask(Path("out/a-mask.png"))  # as a mask to train on
    logits = np.sort(run.learner.logits(x)[0], axis=0)
    clear = logits[-1] - logits[-2] > 1e-4  # float32 may round a tie either way
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(mask[clear], run.learner.predict(x)[0][clear])


def test_mask_overlay_and_shares_are_of_the_image(tmp_path):
    classes = RNG.integers(0, 3, (37, 53))
    prediction = Prediction(COLOURED, classes, None)
    names = ("background", "A", "B")
    files = write(prediction, Labels(names, palette(3)), tmp_path / "a", Path("a.png"))
    assert [f.name for f in files] == ["a-mask.png", "a-overlay.png"]
    with Image.open(files[0]) as mask:
        assert (mask.mode, mask.size) == ("P", (53, 37))
        np.testing.assert_array_equal(np.asarray(mask), classes)
        seen = np.asarray(mask.convert("RGB")) / 255
    colours = palette(3)[classes]
    assert np.abs(seen - colours).max() <= 0.5 / 255 + 1e-12
    with Image.open(files[1]) as overlay:
        mixed = np.asarray(overlay)
    np.testing.assert_array_equal(mixed[classes == 0], COLOURED[classes == 0])
    expected = 0.4 * COLOURED + 0.6 * 255 * colours
    assert np.abs(mixed - expected)[classes > 0].max() <= 0.5 + 1e-9
    shares = prediction.shares(("background", "A", "B"))
    assert shares == {n: np.mean(classes == k) for k, n in enumerate(("background", "A", "B"))}


def test_a_mask_has_the_labels_that_the_training_masks_have(tmp_path):
    classes = RNG.integers(0, 3, (37, 53))
    values = LabelValues.of(3, 255, (200, 0, 7))
    prediction, start = Prediction(COLOURED, classes, None), tmp_path / "a"
    file, _ = write(prediction, plain_labels(3), start, Path("a.png"), values)
    mask = read_mask(file)
    for k, value in enumerate((200, 0, 7)):
        np.testing.assert_array_equal(mask == value, classes == k)
    with Image.open(file) as picture:
        seen = np.asarray(picture.convert("RGB")) / 255
    assert np.abs(seen - palette(3)[classes]).max() <= 0.5 / 255 + 1e-12


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P"])
def test_grey_alpha_and_palette_become_rgb(folders, mode):
    path = saved("a.png", mode=mode)
    found = predict(Trained.load(folders / "numpy"), path)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(found.image, np.asarray(picture.convert("RGB")))
    assert found.classes.shape == (37, 53)
    assert found.gate.shape == (6,)


def test_any_size_will_do(folders):
    trained = Trained.load(folders / "numpy")
    for height, width in ((1, 1), (1, 9), (130, 70)):
        found = predict(trained, saved("a.png", np.full((height, width, 3), 9, np.uint8)))
        assert found.classes.shape == (height, width)


def test_bad_images_are_named_and_the_others_still_done(folders, capsys):
    Path("text.png").write_text("no image", encoding="utf-8")
    whole = saved("whole.jpg")
    Path("cut.jpg").write_bytes(whole.read_bytes()[:200])
    names = ["missing.png", "text.png", "cut.jpg", "whole.jpg"]
    assert cli.main(["predict", str(folders / "numpy"), *names, "--out", "out"]) == 1
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert len(lines) == 3
    for line, name in zip(lines, names, strict=False):
        assert line.startswith("armlab: ")
        assert name in line
    assert output.out.splitlines()[0].startswith("whole.jpg, 37x53: background ")
    assert {p.name for p in Path("out").iterdir()} == {
        *(f"whole-{part}.png" for part in ("mask", "overlay", "gates"))
    }


def test_images_of_one_name_do_not_overwrite_each_other(folders, capsys):
    for folder in ("x", "y"):
        Path(folder).mkdir()
        saved(f"{folder}/a.png")
    arguments = ["predict", str(folders / "none"), "x/a.png", "y/a.png", "--json"]
    assert cli.main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    out = folders / "none" / "predictions"
    assert found["out"] == str(out)
    assert [Path(f).name for image in found["images"] for f in image["files"]] == [
        *("a-mask.png", "a-overlay.png", "a-2-mask.png", "a-2-overlay.png")
    ]  # without attention there are no gates
    assert sum(found["images"][0]["shares"].values()) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(5,), (1, 4, 6), (5, 4, 6)])
def test_every_kind_of_gate_has_a_picture(tmp_path, shape):
    gate = RNG.random(shape)
    prediction, labels = Prediction(COLOURED, np.zeros((37, 53), int), gate), plain_labels(2)
    files = write(prediction, labels, tmp_path / "a", Path("a.png"))
    with Image.open(files[2]) as picture:
        assert len(picture.convert("RGB").getcolors(10**6)) > 100


@pytest.mark.parametrize("classes", [3, 19, 60])
def test_under_the_pictures_is_room_for_all_names(tmp_path, classes):
    """What does not fit is cut off at the top: there the first row of pixels is blank."""
    prediction = Prediction(COLOURED, np.zeros((37, 53), int), RNG.random(5))
    files = write(prediction, plain_labels(classes), tmp_path / "a", Path("a.png"))
    with Image.open(files[2]) as picture:
        assert np.asarray(picture.convert("L"))[0].min() == 255


def test_a_folder_without_a_run_or_with_another_file_is_one_line(folders, capsys):
    saved("a.png")
    Path("foreign").mkdir()
    checkpoint.save(Path("foreign/checkpoint.npz"), {"x": np.ones(3)}, {"mine": 1})
    for folder, words in (
        ("nowhere", "there is no checkpoint nowhere/checkpoint.npz"),
        ("foreign", "foreign/checkpoint.npz is whole, but not of a run"),
    ):
        assert cli.main(["predict", folder, "a.png"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line
    assert not Path("nowhere").exists()


def test_a_folder_that_cannot_be_written_is_one_line(folders, capsys):
    saved("a.png")
    assert cli.main(["predict", str(folders / "none"), "a.png", "--out", "a.png/x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("armlab: cannot write into a.png/x: Not a directory")


def test_the_data_are_not_asked_for(folders, tmp_path):
    """The folder of photographs that a run was trained on may be gone."""
    arrays, kept = checkpoint.load(folders / "numpy" / "checkpoint.npz")
    kept["config"] |= {"data": str(tmp_path / "gone"), "ignore": 255}
    path = tmp_path / "moved" / "checkpoint.npz"
    path.parent.mkdir()
    checkpoint.save(path, arrays, kept)
    trained = Trained.load(path.parent)
    assert trained.classes == ("background", "A", "B")

"""`armlab data`, and what `armlab train` says of a folder: what goes where, and its picture."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab import cli
from armlab.data import generated
from armlab.data.colours import palette
from armlab.training import grid_progress, run_progress

SIZES = [(20, 33), (26, 18), (22, 22)]
VALUES = (0, 255)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generated, "TEST_SCENES", 3)
    monkeypatch.setattr("armlab.data.generated_survey.COUNTED", 5)


@pytest.fixture
def binary() -> dict[str, list[np.ndarray]]:
    """The folder "binary" of masks of 0 and 255, and what was put there."""
    rng, masks = np.random.default_rng(0), {"train": [], "test": []}
    for split, found in masks.items():
        Path("binary", split).mkdir(parents=True)
        Path("binary", f"{split}annot").mkdir()
        for number, (height, width) in enumerate(SIZES):
            mask = np.zeros((height, width), np.uint8)
            mask[4 : 8 + 3 * number, 5:12] = 255
            image = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
            Image.fromarray(image).save(f"binary/{split}/{number}.png")
            Image.fromarray(mask).save(f"binary/{split}annot/{number}.png")
            found.append(mask)
    return masks


def test_the_survey_in_words(binary, capsys):
    Path("binary/classes.txt").write_text("wall\nwindow\n", encoding="utf-8")
    assert cli.main(["data", "binary", "--labels", "0,255", "--out", "a.png"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    every = np.concatenate([mask.ravel() for mask in binary["train"]])
    share = 100 * np.mean(every == 255)
    lines = output.out.splitlines()
    assert lines[0] == "training  3 images of 26x18 to 20x33, the median 22x22"
    cells = rf"{100 - share:.1f} % +3 +{100 - share:.1f} % +3"
    assert any(re.fullmatch(rf" +0  wall +{cells}", line) for line in lines)
    cells = rf"{share:.1f} % +3 +{share:.1f} % +3"
    assert any(re.fullmatch(rf" +255  window +{cells}", line) for line in lines)
    assert lines[-1] == "drawn in a.png"
    with Image.open("a.png") as picture:
        assert min(picture.size) > 300


def test_json_is_json_alone_and_says_what_is_refused(binary, capsys):
    assert cli.main(["data", "binary", "--classes", "2", "--json"]) == 1
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert found["picture"] == "runs/binary-data.png"
    assert Path(found["picture"]).exists()
    ignored = np.mean(np.concatenate([m.ravel() for m in binary["test"]]) == 255)
    assert found["parts"]["test"]["ignored"] == pytest.approx(ignored)
    assert output.err == f"armlab: {found['refused']}\n"
    assert "give --labels 0,255" in output.err
    assert cli.main(["data", "binary", "--labels", "0,255", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["refused"], found["ignored"], found["labels"]) == (None, None, [0, 255])


def test_files_left_out_are_named(binary, capsys):
    Path("binary/train/x.bmp").write_bytes(b"")
    assert cli.main(["data", "binary", "--labels", "0,255"]) == 0
    assert "\n1 left out, not of .png, " in capsys.readouterr().out
    assert cli.main(["data", "binary", "--labels", "0,255", "--json"]) == 0
    (left,) = json.loads(capsys.readouterr().out)["left_out"]
    assert left["names"] == ["train/x.bmp"]
    assert cli.main(["train", "--attention", "none", "--data", "binary", *FAST]) == 0
    assert "\ndata: 1 left out, not of .png, " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scenes", "scenes-hard", "digits"])
def test_generated_sets_are_surveyed_too(capsys, name):
    assert cli.main(["data", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    kind = generated.GENERATED[name]
    assert [c["name"] for c in found["classes"]] == list(kind.classes)
    labels = kind("train", 0, (64, 64)).batch(range(5))[1]
    assert [c["training"]["pixels"] for c in found["classes"]] == np.bincount(
        labels.ravel(), minlength=len(kind.classes)
    ).tolist()
    assert found["doubts"] == [] or "which cannot be learnt" in found["doubts"][0]  # of five scenes
    assert Path(f"runs/{name}-data.png").exists()


def test_the_picture_has_the_colours_of_the_classes_in_the_places_of_the_masks(binary, monkeypatch):
    figures = []
    monkeypatch.setattr(
        "armlab.plots.figure.OwnFigure.savefig", lambda figure, *_, **__: figures.append(figure)
    )
    assert cli.main(["data", "binary", "--labels", "0,255"]) == 0
    assert cli.main(["data", "binary", "--classes", "2"]) == 1
    assert cli.main(["data", "binary", "--classes", "2", "--ignore", "9"]) == 1
    black, magenta = (0, 0, 0), (1, 0, 1)
    for figure, other in zip(figures, (palette(2)[1], black, magenta), strict=True):
        shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]
        masks = [*binary["train"], *binary["test"]]
        assert len(shown) == 2 * len(masks)
        drawn = [*shown[3:6], *shown[9:12]]  # a row of images, a row of masks, and the same again
        for mask, picture in zip(masks, drawn, strict=True):
            expected = np.where(mask[:, :, np.newaxis] == 0, palette(2)[0], other)
            np.testing.assert_array_equal(picture, expected)
    legends = [[text.get_text() for text in f.legends[0].get_texts()] for f in figures]
    assert legends == [["class 0", "class 1"], ["class 0", "class 1", "ignored"],
                       ["class 0", "class 1", "no class"]]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["binary", "--out", "a.txt"], "expected --out to end in .png, got a.txt"),
        (["binary", "--out", "binary/train/0.png/a.png"], "choose another file with --out"),
        (["binary", "--labels", "0"], "write two or more numbers of 0 to 255"),
        (["scenes", "--labels", "0,1"], "scenes has no masks in files"),
        (["binary", "--classes", "1"], "expected 2 to 255 classes, got 1"),
    ],
)
def test_bad_input_is_one_line(binary, capsys, arguments, words):
    assert cli.main(["data", *arguments]) == 1
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("armlab: ")
    assert words in line
    assert output.out == ""


def test_labels_that_are_no_number_list_in_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["data"])
    assert caught.value.code == 2
    assert "usage: armlab data" in capsys.readouterr().err


# -- what a training says ------------------------------------------------------------------------

FAST = ["--labels", "0,255", "--steps", "2", "--batch", "2", "--size", "16"]


def test_a_training_says_once_what_it_found_and_keeps_it(binary, capsys):
    assert cli.main(["train", "--data", "binary", *FAST, "--out", "run"]) == 0
    output = capsys.readouterr()
    said = [line for line in output.err.splitlines() if line.startswith("data: ")]
    assert said == [
        "data: 3 training and 3 test images, 2 classes",
        "data: the classes have no names: write them into "
        f"{Path('binary').absolute()}/classes.txt, one a line, in the order of their numbers",
    ]
    assert output.err.startswith(said[0])  # before the first step
    cli.main(["data", "binary", "--labels", "0,255", "--json"])
    printed = json.loads(capsys.readouterr().out)
    for name in ("none", "arm"):
        kept = json.loads(Path("run", name, "data.json").read_text(encoding="utf-8"))
        assert kept["classes"] == printed["classes"]
        assert kept["parts"] == printed["parts"]
    assert json.loads(Path("run/arm/config.json").read_text(encoding="utf-8"))["labels"] == [0, 255]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_grid_says_it_once(binary, capfd, jobs):
    grid = ["--seeds", "0,1", "--attention", "none", "--jobs", jobs, "--out", "grid"]
    assert cli.main(["ablate", "--data", "binary", *FAST, *grid]) == 0
    output = capfd.readouterr()
    assert output.err.count("data: 3 training and 3 test images") == 1
    assert "A against B" not in output.out


def test_over_a_folder_there_is_no_column_of_dashes(binary, capsys):
    assert cli.main(["train", "--data", "binary", *FAST, "--out", "run"]) == 0
    words = capsys.readouterr().out
    assert "A against B" not in words
    assert " - " not in words
    heads = [line.split("  ") for line in words.splitlines() if line.startswith(("epoch", "atten"))]
    assert re.search("mIoU +images/s +seconds\n", words)
    assert re.search("attention +mIoU +parameters +seconds\nnone +0", words)
    assert len(heads) == 5  # of two runs a line and a table each, and the comparison
    assert "told_apart" in Path("run/arm/history.csv").read_text(
        encoding="utf-8"
    )  # other programs keep their keys
    assert (
        json.loads(Path("run/comparison.json").read_text(encoding="utf-8"))["arm"]["told_apart"]
        is None
    )


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("told", [0.5, None])
def test_columns_stand_below_their_heads(context, told):
    row = {"epoch": 10, "step": 20, "loss": 1.5, "learning_rate": 0.1, "miou": 0.25, "seed": 3}
    row |= {"told_apart": told, "images_per_second": 12.5, "seconds": 1.0, "attention": "none"}
    row |= {"parameters": 1234, "seconds_per_step": 0.1}
    head, line = run_progress.comparison_text({"none": row}, context).splitlines()
    tables = [
        (head, line),
        (run_progress.headed(run_progress.HEADER, context), run_progress.as_text(row, context)),
        (run_progress.headed(grid_progress.HEADER, context), grid_progress.as_text(row, context)),
    ]
    for head, line in tables:
        assert len(head) == len(line)
        assert ("A against B" in head) == context
        assert len(re.split("  +", head)) == len(line.split())
        assert ("-" in line.split()) == (context and told is None)


def test_a_mask_of_a_prediction_has_the_labels_of_the_folder(binary, capsys):
    train = ["train", "--attention", "none", "--data", "binary", *FAST, "--out", "run"]
    assert cli.main(train) == 0
    assert cli.main(["predict", "run", "binary/test/1.png", "--out", "found", "--json"]) == 0
    shares = json.loads(capsys.readouterr().out.splitlines()[-1])["images"][0]["shares"]
    with Image.open("found/1-mask.png") as picture:
        mask = np.asarray(picture)
    assert set(np.unique(mask)) <= set(VALUES)
    for name, value in zip(("class 0", "class 1"), VALUES, strict=True):
        assert np.mean(mask == value) == pytest.approx(shares[name])

"""Which images `armlab predict` takes, and that none of its files is written over another."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab import cli, plots
from armlab.data import generated
from armlab.training import loop
from armlab.training.config import Config
from armlab.training.prediction_names import PARTS

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "TEST_SCENES", 2)
        for name in ("curves", "confusion", "gates", "attention"):
            patch.setattr(plots, name, lambda *arguments: None)
        settings = {"steps": 1, "batch": 3, "size": 48, "channels": 6, "attention": "arm"}
        loop.train(Config(**settings), folder)
    return folder


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = []  # a picture of the gates takes a second, and here only its name counts

    def gates(*arguments):
        drawn.append(arguments)
        Path(arguments[-1]).write_bytes(b"gates")

    monkeypatch.setattr(plots, "prediction", gates)


def saved(*names, size=(9, 7)):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        pixels = RNG.integers(0, 256, (*size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(name, "PNG")


def predicted(capsys, run, *images, code=0, out="out"):
    """{image: the first part of its files' names}, and the lines on standard error."""
    assert cli.main(["predict", str(run), *images, "--out", out, "--json"]) == code
    output = capsys.readouterr()
    found = {}
    for image in json.loads(output.out)["images"]:
        files = [Path(f) for f in image["files"]]
        start = files[0].name.removesuffix("-mask.png")
        assert [f.name for f in files] == [f"{start}-{part}.png" for part in PARTS]
        assert all(f.exists() for f in files)
        found[image["image"]] = start
    return found, output.err.splitlines()


def contents(folder="out"):
    return {p.name: p.read_bytes() for p in Path(folder).iterdir()}


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (("x.png", "x-2.png", "x.jpg"), ("x", "x-2", "x-3")),
        (("x.jpg", "x.png", "x-2.png"), ("x", "x-3", "x-2")),
        (("a/x.png", "b/x.png", "c/x.png", "x-3.png"), ("x", "x-2", "x-4", "x-3")),
        (("a/Photo.png", "b/photo.png", "PHOTO-2.PNG"), ("Photo", "photo-3", "PHOTO-2")),
        (("a/stra\u00dfe.png", "b/STRASSE.png"), ("stra\u00dfe", "STRASSE-2")),
        (("a/\u00e9.png", "b/e\u0301.png"), ("\u00e9", "e\u0301-2")),  # NFC, and as a Mac has it
        (("x.png", "x-mask.png", "x-mask-mask.png"), ("x", "x-mask", "x-mask-mask")),
    ],
)
def test_every_image_has_files_of_its_own(run, capsys, images, names):
    saved(*images)
    found, errors = predicted(capsys, run, *images)
    assert found == dict(zip(images, names, strict=True))
    assert errors == []
    assert len({name.casefold() for name in contents()}) == len(PARTS) * len(images)


def test_a_file_that_is_no_prediction_is_never_replaced(run, capsys):
    """Masks drawn by hand lie beside the photographs, and the predictions are to go there too."""
    saved("out/x.png", "out/x-mask.png", "out/y.png", "out/Z-OVERLAY.png", "out/z.png")
    Path("out/y-gates.png").write_text("mine", encoding="utf-8")
    before = contents()
    images = ["out/x.png", "out/y.png", "out/z.png"]
    found, _ = predicted(capsys, run, *images)
    assert list(found.values()) == ["x-2", "y-2", "z-2"]
    assert {name: data for name, data in contents().items() if name in before} == before


def test_the_same_image_again_replaces_its_prediction_and_another_of_its_name_does_not(run, capsys):
    saved("a/x.png", "b/x.png")
    assert predicted(capsys, run, "a/x.png")[0] == {"a/x.png": "x"}
    first = contents()
    assert predicted(capsys, run, "b/x.png")[0] == {"b/x.png": "x-2"}
    assert {name: contents()[name] for name in first} == first
    saved("a/x.png", size=(5, 4))
    for _ in range(2):
        assert predicted(capsys, run, str(Path("a/x.png").absolute()), "b/x.png")[0] == {
            str(Path("a/x.png").absolute()): "x",
            "b/x.png": "x-2",
        }
    assert len(contents()) == 6
    with Image.open("out/x-mask.png") as mask:
        assert mask.size == (4, 5)


def test_a_mask_says_of_which_image_it_is_and_no_more_of_the_machine(run, capsys):
    saved("photos/caf\u00e9.png")
    predicted(capsys, run, "photos/caf\u00e9.png")
    with Image.open("out/caf\u00e9-mask.png") as mask:
        assert mask.info["armlab image"] == "../photos/caf\u00e9.png"


# -- folders, patterns, the same again -------------------------------------------------------------


def test_a_folder_means_its_images_in_the_order_of_their_names(run, capsys):
    names = [f"{n:03d}.{suffix}" for n, suffix in enumerate(("png", "PNG", "jpg", "jpeg", "JPG"))]
    saved(*(f"photos/{name}" for name in names[::-1]), "photos/inner/x.png")
    Path("photos/notes.txt").write_text("mine", encoding="utf-8")
    Path("photos/.DS_Store").write_text("hidden", encoding="utf-8")
    found, (line,) = predicted(capsys, run, "photos")
    assert [Path(image).name for image in found] == names
    assert line == "armlab: photos: 2 of 7 are no images and were left out: inner, notes.txt"


def test_a_hundred_photographs(run, capsys):
    saved("photos/000.png", size=(2, 3))
    data = Path("photos/000.png").read_bytes()
    for n in range(100):
        Path(f"photos/{n:03d}.png").write_bytes(data)
    found, errors = predicted(capsys, run, "photos")
    assert list(found.values()) == [f"{n:03d}" for n in range(100)]
    assert errors == []
    assert len(contents()) == 300


def test_a_pattern_that_the_shell_left_is_expanded(run, capsys):
    saved("b.png", "a.png", "x/c.png", "x[1].png")
    Path("other.txt").write_text("mine", encoding="utf-8")
    assert list(predicted(capsys, run, "[ab].png")[0]) == ["a.png", "b.png"]
    assert list(predicted(capsys, run, "x/**/*.png")[0]) == ["x/c.png"]
    assert list(predicted(capsys, run, "x[1].png")[0]) == ["x[1].png"]  # a file of that very name


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("*.tga", "no file fits the pattern '*.tga'"),
        ("empty", "empty has no image (.png, "),
        ("words", "words has no image (.png, "),
        ("nowhere.png", "cannot read nowhere.png"),
    ],
)
def test_what_names_no_image_is_one_line_and_the_others_are_done(run, capsys, argument, words):
    saved("x.png")
    Path("empty").mkdir()
    Path("words").mkdir()
    Path("words/a.txt").write_text("mine", encoding="utf-8")
    found, (line,) = predicted(capsys, run, argument, "x.png", code=1)
    assert list(found) == ["x.png"]
    assert line.startswith("armlab: ")
    assert words in line


def test_the_same_image_twice_is_done_once(run, capsys):
    saved("photos/x.png", "photos/y.png")
    images = ["photos/y.png", "photos", "./photos/../photos/x.png", "photos/y.png"]
    found, lines = predicted(capsys, run, *images)
    assert list(found) == ["photos/y.png", "photos/x.png"]
    assert lines == [
        "armlab: photos/y.png was given 3 times and is done once",
        "armlab: photos/x.png was given 2 times and is done once",
    ]


def test_a_large_image_is_told_of_before_the_work(run, capsys, monkeypatch):
    from armlab.training import prediction

    saved("x.png", "y.png", size=(20, 30))
    monkeypatch.setattr(prediction, "LARGE", 300)
    _, lines = predicted(capsys, run, "x.png")
    assert lines[0].startswith("armlab: x.png has 20x30 pixels, 2.0 times ")
    monkeypatch.setattr(prediction, "LARGE", 600)
    assert predicted(capsys, run, "y.png")[1] == []

"""What is in a folder's masks is counted, and what cannot be meant is said with what mends it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab import cli
from armlab.data import Folder
from armlab.data.folder import look_around
from armlab.data.label_doubts import doubts, refusal
from armlab.data.label_values import LabelValues, parse_labels
from armlab.data.survey import Part
from armlab.data.survey_text import as_dict, as_text, before_training
from armlab.number_lists import parse_numbers, written
from armlab.shares import percent
from armlab.training import Config

HEIGHT, WIDTH = 24, 95


def write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def folder_of(folder: Path, train: list[np.ndarray], test: list[np.ndarray], names=()) -> Path:
    """A folder in SegNet's layout with these masks, the first of which belong to 0.png."""
    rng = np.random.default_rng(0)
    for split, masks in (("train", train), ("test", test)):
        for number, mask in enumerate(masks):
            image = rng.integers(256, size=(*mask.shape, 3), dtype=np.uint8)
            write(folder / split / f"{number}.png", image)
            write(folder / f"{split}annot" / f"{number}.png", mask.astype(np.uint8))
    if names:
        (folder / "classes.txt").write_text("\n".join(names))
    return folder


def blocks(*values: int, size=(HEIGHT, WIDTH)) -> np.ndarray:
    """One broad column for each value, so that each fills a square."""
    return np.array(values)[np.arange(size[1]) * len(values) // size[1]][np.newaxis].repeat(
        size[0], axis=0
    )


def surveyed(folder: Path, **settings):
    config = Config(data=str(folder), **settings)
    return look_around(folder, config.classes, config.ignore, config.labels)


# -- numbers and labels --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0,255", (0, 255)), ("1-4", (1, 2, 3, 4)), ("7, 0-2,9", (7, 0, 1, 2, 9)), ("5", (5,))],
)
def test_lists_of_numbers(text, numbers):
    assert parse_numbers(text) == numbers
    assert parse_numbers(written(numbers)) == numbers


def test_numbers_are_written_shortly():
    assert written([0, 1, 2, 5, 6, 9]) == "0-2,5,6,9"
    assert written([]) == ""


@pytest.mark.parametrize("text", ["", "a", "1,", "4-2", "-3", "1-2-3", "0-99999999999"])
def test_what_is_no_list_of_numbers(text):
    with pytest.raises(ValueError, match="expected numbers such as"):
        parse_numbers(text)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("0,256", "write two or more numbers of 0 to 255"),
        ("3", "write two or more"),
        ("0;255", "got '0;255'"),
        ([0, 0.5], "got"),
        ("0,1,0", "has a number twice"),
    ],
)
def test_labels_that_are_none(labels, words):
    with pytest.raises(ValueError, match=words):
        parse_labels(labels)


def test_labels_become_classes_and_go_back():
    values = LabelValues.of(3, 9, (40, 0, 255))
    mask = np.array([[0, 9, 255], [40, 40, 0]], np.uint8)
    assert values.read(mask).tolist() == [[1, 255, 2], [0, 0, 1]]
    assert values.read(mask).dtype == np.uint8
    assert values.ignore_index == 255
    classes = np.array([[2, 1, 0]])
    assert values.write(classes).tolist() == [[255, 0, 40]]
    assert np.array_equal(values.read(values.write(classes)), classes)
    assert values.shown(np.array([[0, 9, 7]], np.uint8)).tolist() == [[1, 3, 4]]


def test_without_labels_a_mask_is_read_as_it_is():
    values = LabelValues.of(3, 1)
    mask = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(values.read(mask), mask)
    assert values.ignore_index == 1
    assert values.counted == [0, 2]


def test_labels_are_a_setting():
    config = Config(data="folder", labels="0,255")
    assert (config.labels, config.classes, config.ignore) == ((0, 255), 2, 255)
    assert Config(**json.loads(json.dumps(config.to_dict()))) == config
    assert Config(data="folder", labels=range(1, 12)).ignore == 255  # SegNet's 11 is a class here
    for settings, words in (
        ({"labels": "0,255", "classes": 3}, "labels 0,255 are of 2 classes, got classes 3"),
        ({"labels": "0-2", "ignore": 2}, "labels 0-2 have a class 2, and ignore is 2"),
        ({"data": "scenes", "labels": "0,1"}, "scenes has no masks in files, got labels 0,1"),
    ):
        with pytest.raises(ValueError, match=words):
            Config(**{"data": "folder"} | settings)


def test_a_folder_with_named_labels_gives_classes(tmp_path):
    masks = [blocks(0, 255, 7), blocks(255, 0)]
    folder_of(tmp_path, masks, masks[:1])
    data = Folder(tmp_path, classes=2, ignore_index=7, labels=(0, 255), size=(HEIGHT, WIDTH))
    ((_, label),) = data.testing()
    expected = np.where(masks[0] == 255, 1, np.where(masks[0] == 7, 255, 0))
    assert np.array_equal(label[0], expected)
    assert data.ignore_index == 255
    assert data.class_counts().tolist() == [sum((m == v).sum() for m in masks) for v in (0, 255)]
    _, trained = data.training(range(6))  # augmented: padding does not count
    assert set(np.unique(trained)) <= {0, 1, 255}
    whole = Folder(tmp_path, classes=2, ignore_index=7, labels=(0, 255), size=(HEIGHT, WIDTH),
                   augment=False).training(range(2))[1]  # fmt: skip
    assert sorted((whole == 1).sum(axis=(1, 2))) == sorted((m == 255).sum() for m in masks)


# -- counts --------------------------------------------------------------------------------------


def test_counts_are_those_of_the_arrays(tmp_path):
    rng = np.random.default_rng(3)
    sizes = [(9, 14), (30, 5), (12, 12), (8, 40)]
    train = [rng.choice([0, 1, 2, 255], size=size, p=[0.6, 0.2, 0.1, 0.1]) for size in sizes]
    train[2][:] = 255
    test = [rng.choice([0, 2], size=(11, 13)) for _ in range(2)]
    survey = surveyed(folder_of(tmp_path, train, test, ("a", "b", "c")))
    for part, masks in ((survey.training, train), (survey.test, test)):
        every = np.concatenate([mask.ravel() for mask in masks])
        assert part.of_class.tolist() == [(every == k).sum() for k in range(3)]
        assert part.images_with.tolist() == [sum((m == k).any() for m in masks) for k in range(3)]
        assert part.ignored == pytest.approx((every == 255).mean())
        assert part.sizes == [mask.shape for mask in masks]
    assert survey.training.size_span == ((9, 14), (12, 12), (8, 40))  # 126, 144, 150, 320 pixels
    assert (survey.training.voids, survey.test.voids) == (1, 0)
    assert survey.training.void == [str(tmp_path / "trainannot/2.png")]


def test_every_file_is_read_once(tmp_path, monkeypatch):
    folder_of(tmp_path, [blocks(0, 1)] * 3, [blocks(1, 0)] * 2, ("a", "b"))
    read, own = [], Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or own(path))
    surveyed(tmp_path)
    pictures = [path for path in read if path.suffix == ".png"]
    assert len(pictures) == len(set(pictures)) == 10


def test_a_line_fills_no_square_and_a_block_does():
    for mask, thick in ((blocks(0, 1), True), (blocks(0, *range(1, 20)), False)):
        part = Part(LabelValues.of(20, 255))
        part.add("a", mask)
        assert part.thick == thick
    part = Part(LabelValues.of(3, 255))
    mask = np.ones((HEIGHT, WIDTH), int)
    mask[:, 10:16] = 0  # six wide
    part.add("a", mask)
    assert not part.thick
    mask[:, 16] = 0  # seven
    part.add("b", mask)
    assert part.thick


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0"), (1e-9, "<0.1"), (0.5, "50.0"), (0.99999, ">99.9"), (1.0, "100.0")],
)
def test_a_share_is_never_0_or_100_unless_it_is(share, words):
    assert percent(share) == words


# -- what cannot be meant ------------------------------------------------------------------------

BINARY = [blocks(0, 255), blocks(255, 0, 0)]
GREYS = [blocks(0, 38), blocks(0, 38, 75)]
ADE = [blocks(*range(1, 6)), blocks(3, 5)]
STRAY = [blocks(0, 1), blocks(0, 1, 77)]
GREY_RAMP = [np.arange(256).reshape(16, 16).repeat(4, axis=1)] * 2
IDS = [k for k in range(50) if k not in (3, 17, 18)]  # as COCO's have gaps, and 11 is one


def with_border(*values: int) -> np.ndarray:
    mask = blocks(*values)
    mask[:, 1:][mask[:, 1:] != mask[:, :-1]] = 0
    return mask


REFUSED = {
    "0 and 255 for two classes": (BINARY, {"classes": 2}, "nothing but class 0, beside 255 that "
                                  "does not count: if each value is a class, give --labels 0,255"),
    "0 and 255, nothing typed": (BINARY, {}, "masks hold 0 and 255 alone: give --labels 0,255"),
    "greys": (GREYS, {}, "give --labels 0,38,75, what the masks hold for each class"),
    "from 1": (ADE, {"classes": 5}, "the labels seem to begin at 1: give --labels 1-5"),
    "from 1 with a border": ([with_border(*range(1, 5))] * 2, {"classes": 4},
                             "or give --classes 5; if 0 is the border between objects, give "
                             "--labels 1-4 --ignore 0"),
    "too few classes": ([blocks(*range(7))] * 2, {"classes": 4},
                        "does not count: correct it, or give --classes 7"),
    "too few names": ([blocks(*range(3))] * 2, {"names": "ab"}, "or name 3 classes in "),
    "a stray label": (STRAY, {"classes": 2}, "give --ignore 77 if it does not count, or "
                      "--labels 0,1,77 if it is a class"),
    "another void": ([blocks(0, 1, 2, 255)] * 2, {"classes": 3, "ignore": 9},
                     "give --ignore 255 if it does not count"),
    "ids with gaps, 255 for void": (
        [blocks(*IDS, 255, size=(8, 7 * 48))] * 2, {},
        f"give --labels {written(IDS)}, what the masks hold for each class",
    ),
    "greys up to white": ([blocks(0, 85, 170, 255)] * 2, {}, "give --labels 0,85,170,255, what"),
    "smoothed": (GREY_RAMP, {}, "hold 256 different values, as after smoothing"),
    "one class": ([blocks(0, 0)] * 2, {}, "nothing but class 0: draw masks that have another"),
    "nothing counts": ([blocks(255, 255)] * 2, {"classes": 3}, "label 255, which does not count"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_labels_that_cannot_be_meant_are_refused_with_what_mends_them(tmp_path, capsys, name):
    masks, given, words = REFUSED[name]
    settings = dict(given)
    names = tuple(settings.pop("names", ""))
    folder = folder_of(tmp_path / "data", masks, masks, names)
    survey = surveyed(folder, **settings)
    assert words in refusal(survey)
    options = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    arguments = ["--attention", "none", "--data", str(folder), "--out", str(tmp_path / "run")]
    assert cli.main(["train", *arguments, *options]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"armlab: {refusal(survey)}\n"
    assert not (tmp_path / "run").exists()


MENDED = [
    (BINARY, {"labels": "0,255"}),
    (GREYS, {"labels": "0,38,75"}),
    (ADE, {"labels": "1-5"}),
    ([with_border(*range(1, 5))] * 2, {"labels": "1-4", "ignore": 0}),
    ([blocks(*range(7))] * 2, {"classes": 7}),
    (STRAY, {"labels": "0,1,77"}),
    (STRAY, {"classes": 2, "ignore": 77}),
    ([blocks(0, 1, 2, 255)] * 2, {"classes": 3, "ignore": 255}),
]


@pytest.mark.parametrize("case", range(len(MENDED)))
def test_what_is_proposed_mends_it(tmp_path, case):
    masks, settings = MENDED[case]
    survey = surveyed(folder_of(tmp_path, masks, masks), **settings)
    assert refusal(survey) == ""
    (names,) = doubts(survey)
    assert names.startswith("the classes have no names: write them into")


# -- what is only said ---------------------------------------------------------------------------

SAID = {
    "from 1, so that 11 is ignored": (
        [blocks(*range(1, 12))] * 2, [blocks(*range(1, 12))], {},
        "no mask holds a 0: if the labels begin at 1, give --labels 1-11",
    ),
    "a border as a class": (
        [with_border(1, 2, 3)] * 2, [with_border(1, 2)], {"classes": 4},
        "class 0 is nowhere more than a line: if it is the border between objects, give "
        "--labels 1-3 --ignore 0",
    ),
    "too many classes": (
        [blocks(0, 1, 2)], [blocks(0, 1)], {"classes": 5},
        "no mask has a pixel of class 3, class 4: the highest label is 2: give --classes 3",
    ),
    "gaps": (
        [blocks(0, 4)], [blocks(0, 4)], {"classes": 5},
        "no mask has a pixel of class 1, class 2, class 3: add images that have them, or leave "
        "them out by --labels 0,4",
    ),
    "a class of the test": (
        [blocks(0, 1)], [blocks(0, 2)], {"names": "abc"},
        "only the test has pixels of c (2), which cannot be learnt then",
    ),
    "mostly ignored": (
        [blocks(0, 1, 255, 255, 255, 255)], [blocks(0, 1)], {"classes": 2},
        "% of the training pixels have label 255 and do not count: if it is a class, give "
        "--labels 0,1,255",
    ),
    "nearly one class": (
        [np.where(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) < 3, 1, 0)], [blocks(0, 1)],
        {"classes": 2}, "99.9 % of the training pixels that count are class 0",
    ),
    "void masks": (
        [blocks(0, 1)] + [blocks(255)] * 5, [blocks(0, 1)], {"classes": 2},
        "5 training masks have no pixel that counts, {}/trainannot/1.png, {}/trainannot/2.png, "
        "{}/trainannot/3.png and 2 more: draw them anew or remove them",
    ),
    "a void test": (
        [blocks(0, 1)], [blocks(255)], {"classes": 2},
        "1 test mask has no pixel that counts, {}/testannot/0.png: draw",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_is_odd_is_said_with_what_mends_it(tmp_path, name):
    train, test, given, words = SAID[name]
    settings = dict(given)
    folder = folder_of(tmp_path, train, test, tuple(settings.pop("names", "")))
    survey = surveyed(folder, **settings)
    assert refusal(survey) == ""
    words = words.replace("{}", str(tmp_path))
    assert any(words in sentence for sentence in doubts(survey)), doubts(survey)
    head, *rest = before_training(survey)
    assert head.startswith(f"{len(train)} training and {len(test)} test images, ")
    assert rest == doubts(survey)
    assert all(sentence in as_text(survey) for sentence in doubts(survey))


def test_what_is_as_it_should_be_is_not_doubted(tmp_path):
    masks = [blocks(0, 1, 2, 255), blocks(2, 0)]
    survey = surveyed(folder_of(tmp_path, masks, masks, ("a", "b", "c")))
    assert doubts(survey) == []
    total = sum(mask.size for mask in masks)
    share = 100 * (masks[0] == 255).sum() / total
    assert before_training(survey) == [
        f"2 training and 2 test images, 3 classes; label 255 does not count: {share:.1f} % of the "
        f"training pixels, {share:.1f} % of the test's"
    ]


def test_palettes_that_give_one_number_two_colours_are_said(tmp_path):
    colours = {0: (10, 10, 10), 1: (200, 0, 0), 2: (0, 200, 0)}
    folder_of(tmp_path, [blocks(0, 1, 2)] * 2, [blocks(0, 1, 2)], ("a", "b", "c"))
    orders = {"trainannot/0": (0, 1, 2), "trainannot/1": (0, 1, 2), "testannot/0": (0, 2, 1)}

    def save(orders):
        for name, order in orders.items():
            picture = Image.fromarray(blocks(*np.argsort(order)).astype(np.uint8))
            picture.putpalette([c for k in order for c in colours[k]])
            picture.save(tmp_path / f"{name}.png")
            assert np.array_equal(  # every mask has the same colours in the same places
                np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")),
                np.array(list(colours.values()))[blocks(0, 1, 2)],
            )

    save(orders)
    (sentence,) = doubts(surveyed(tmp_path))
    assert sentence == (
        "a mask is read by its numbers and not by its colours, and 1 is the colour (200, 0, 0) in "
        f"{tmp_path}/trainannot/0.png and (0, 200, 0) in {tmp_path}/testannot/0.png: save all "
        "masks with one palette"
    )
    save(dict.fromkeys(orders, (0, 1, 2)))
    assert doubts(surveyed(tmp_path)) == []


def test_as_json_with_every_count(tmp_path):
    train, test = [blocks(0, 9, 1)], [blocks(255), blocks(0, 1)]
    survey = surveyed(folder_of(tmp_path, train, test, ("a", "b")))
    found = json.loads(json.dumps(as_dict(survey), allow_nan=False))
    assert found["classes"][1] == {
        "label": 1,
        "name": "b",
        "training": {"pixels": int((train[0] == 1).sum()), "images": 1},
        "test": {"pixels": int((test[1] == 1).sum()), "images": 1},
    }
    parts = found["parts"]
    assert parts["training"]["no_class"] == {"9": int((train[0] == 9).sum())}
    assert parts["test"]["ignored"] == 0.5
    assert (parts["test"]["void_masks"], parts["training"]["void_masks"]) == (1, 0)
    assert parts["test"]["sizes"]["median"] == [HEIGHT, WIDTH]
    assert found["refused"] == refusal(survey)
    assert "label 9" in found["refused"]

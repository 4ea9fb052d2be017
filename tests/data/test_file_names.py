"""Names as people and data sets write them: of masks, in split files, and of what is left out."""

import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab.data import Folder
from armlab.data.folder import names_of
from armlab.data.folder_layouts import layout_of

COMPOSED, APART = (unicodedata.normalize(form, "Straße-ä") for form in ("NFC", "NFD"))


def touch(folder: Path, *names: str) -> None:
    """Empty files: a layout looks at names alone."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def segnet(folder: Path, *names: str) -> Path:
    touch(folder, "train/z.png", "trainannot/z.png", "test/z.png", "testannot/z.png", *names)
    return folder


def listed(folder: Path, train: str | bytes, *names: str) -> Path:
    touch(folder, "images/z.png", "masks/z.png", *names)
    (folder / "test.txt").write_text("z")
    (folder / "train.txt").write_bytes(train if isinstance(train, bytes) else train.encode())
    return folder


def training(folder: Path) -> dict[str, str]:
    pairs = layout_of(folder).training
    return {str(i.relative_to(folder)): str(m.relative_to(folder)) for i, m in pairs}


# -- masks ----------------------------------------------------------------------------------------

FITTING = [
    ("a.png", "a.PNG"),
    ("a.JPG", "a.png"),
    ("a.jpg", "a.tif"),
    ("a.TIF", "a.TIFF"),
    ("a.v1.png", "a.v1.png"),
    ("a.png", "a_L.png"),
    ("a.png", "a_labelTrainIds.png"),
    ("a_leftImg8bit.png", "a_gtFine_labelTrainIds.png"),
    ("a_leftImg8bit.png", "a_labelTrainIds.png"),
    ("a_leftImg8bit.png", "a_leftImg8bit.png"),
    (f"{COMPOSED}.png", f"{APART}.png"),
    (f"{APART}.png", f"{COMPOSED}_L.png"),
]


@pytest.mark.parametrize(("image", "mask"), FITTING)
def test_a_mask_is_found_by_the_names_that_data_sets_give(tmp_path, image, mask):
    segnet(tmp_path / "s", f"train/{image}", f"trainannot/{mask}")
    assert training(tmp_path / "s")[f"train/{image}"] == f"trainannot/{mask}"
    assert layout_of(tmp_path / "s").left_out == []
    listed(tmp_path / "l", image, f"images/{image}", f"masks/{mask}")
    assert training(tmp_path / "l") == {f"images/{image}": f"masks/{mask}"}
    assert layout_of(tmp_path / "l").left_out == []


CAPITALS = ["a.PNG"] if sys.platform == "linux" else []  # elsewhere it is the same file


@pytest.mark.parametrize("other", [*CAPITALS, "a.tif", "a_L.png", "a_labelTrainIds.png"])
def test_two_masks_that_fit_are_both_named(tmp_path, other):
    segnet(tmp_path, "train/a.png", "trainannot/a.png", f"trainannot/{other}")
    with pytest.raises(ValueError, match=r"both fit .*train/a\.png: remove one") as caught:
        layout_of(tmp_path)
    assert all(str(tmp_path / "trainannot" / n) in str(caught.value) for n in ("a.png", other))


def test_images_of_a_left_camera_keep_their_own_masks(tmp_path):
    segnet(tmp_path, "train/a.png", "trainannot/a.png", "train/a_L.png", "trainannot/a_L.png")
    pairs = training(tmp_path)
    assert pairs["train/a.png"] == "trainannot/a.png"
    assert pairs["train/a_L.png"] == "trainannot/a_L.png"


def test_one_mask_is_not_given_to_two_images(tmp_path):
    names = ["train/a.png", "train/a_leftImg8bit.png", "trainannot/a_labelTrainIds.png"]
    segnet(tmp_path, *names)
    with pytest.raises(ValueError, match=r"is the mask of two images, .*a\.png and .*leftImg8bit"):
        layout_of(tmp_path)


def test_a_mask_of_another_format_is_named(tmp_path):
    segnet(tmp_path, "train/a.png", "trainannot/a.bmp")
    with pytest.raises(ValueError, match=r"trainannot/a\.bmp is no mask for .*train/a\.png"):
        layout_of(tmp_path)


# -- lines of a split file ------------------------------------------------------------------------

LINES = [
    "a",
    "a.png",
    "a.PNG",
    "./a.png",
    "images/a.png",
    "images/a",
    "../images/a.png",
    "../data/images/a.png",
    "images\\a.png",
    "..\\data\\images\\a",
    "{folder}/images/a.png",
    "{folder}/images/../images/a",
    "images/a.png masks/a.png",
    "a.png\ta.png",
    "a,a",
    "images/a.png; masks/a.png",
    "{folder}/images/a.png {folder}/masks/a.png",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_names_its_image_in_any_of_these_ways(tmp_path, line):
    folder = tmp_path / "data"
    line = line.format(folder=folder)
    listed(folder, f"{line}\r\n", "images/a.png", "masks/a.png")
    assert training(folder) == {"images/a.png": "masks/a.png"}


def test_a_folder_behind_a_link_may_be_named_by_both_paths(tmp_path):
    listed(tmp_path / "real", "", "images/a.png", "masks/a.png")
    os.symlink(tmp_path / "real", tmp_path / "link")
    for name in ("real", "link"):
        (tmp_path / "real" / "train.txt").write_text(str(tmp_path / name / "images" / "a.png"))
        assert training(tmp_path / "link") == {"images/a.png": "masks/a.png"}


def test_names_with_spaces_dots_folders_and_accents(tmp_path):
    files = ["my photo", "frame.001", "sub/b", APART]
    names = [f"{d}/{name}.png" for name in files for d in ("images", "masks")]
    text = f"my photo\nframe.001\nsub/b\n{COMPOSED}.png\n"
    listed(tmp_path, text.encode("utf-16"), *names)
    assert training(tmp_path) == {f"images/{n}.png": f"masks/{n}.png" for n in files}
    (tmp_path / "train.txt").write_text("my photo.png my photo.png\nsub/b  masks/sub/b\n")
    assert len(training(tmp_path)) == 2


def test_the_second_column_decides_between_two_masks(tmp_path):
    files = ["images/a.png", "masks/a.png", "masks/a_L.png", "masks/other.png"]
    listed(tmp_path, "a masks/a_L.png", *files)
    assert training(tmp_path) == {"images/a.png": "masks/a_L.png"}
    (tmp_path / "train.txt").write_text("a other")
    assert training(tmp_path) == {"images/a.png": "masks/other.png"}
    (tmp_path / "train.txt").write_text("a")
    with pytest.raises(ValueError, match="both fit"):
        training(tmp_path)

    (tmp_path / "train.txt").write_text("a other\nb other")
    touch(tmp_path, "images/b.png")
    with pytest.raises(ValueError, match=r"other\.png is the mask of two images, .*a\.png and .*b"):
        training(tmp_path)


REFUSED = {
    "../a.png": r"which is outside of .*images: copy it there and write its name alone",
    "/elsewhere/a.png": "which is outside of",
    "C:\\data\\images\\a.png": "which is outside of",
    "../../a": "which is outside of",
    "b": r"which is not in .*images: add it, or remove the line",
    "photos/a.png": "which is not in",
    "masks/a.png": "which is not in",
    "a.png 1": r"of which 1 is no mask in .*masks: correct it, or leave the image's name alone",
    "a.png ../b.png": r"of which \.\./b\.png is no mask",
    "c.bmp": r"of which the suffix is none of \.png, .*: save it as PNG",
    "d": r"which may be .*d\.jpg or .*d\.png: rename one, with its mask",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_that_names_no_image_is_refused_by_file_and_line(tmp_path, line):
    more = ["images/c.bmp", "images/d.jpg", "images/d.png"]
    folder = listed(tmp_path / "x", f"\n{line}\n", "images/a.png", "masks/a.png", *more)
    touch(tmp_path / "x", "a.png")
    with pytest.raises(ValueError, match=REFUSED[line]) as caught:
        layout_of(folder)
    assert str(caught.value).startswith(f"{folder / 'train.txt'} names {line} in line 2, ")


def test_one_image_by_two_names_is_there_twice(tmp_path):
    listed(tmp_path, "a\nimages/a.png", "images/a.png", "masks/a.png")
    with pytest.raises(ValueError, match=r"names images/a\.png twice, again in line 2: remove one"):
        layout_of(tmp_path)


def test_a_split_file_in_another_encoding_is_refused_with_its_line(tmp_path):
    listed(tmp_path, "z\nStraße".encode("cp1252"))
    with pytest.raises(ValueError, match=r"train\.txt is not in UTF-8, first in line 2"):
        layout_of(tmp_path)


def test_names_of_classes_have_no_mark(tmp_path):
    for codec in ("utf-8-sig", "utf-16"):
        (tmp_path / "classes.txt").write_bytes("sky\r\nStraße\r\n".encode(codec))
        assert names_of(tmp_path) == ("sky", "Straße")
    (tmp_path / "classes.txt").write_bytes("sky\nStraße".encode("latin-1"))
    with pytest.raises(ValueError, match=r"classes\.txt is not in UTF-8, first in line 2"):
        names_of(tmp_path)


# -- what is left out -----------------------------------------------------------------------------


def said(folder: Path) -> dict[str, tuple[str, ...]]:
    return {entry.why: entry.names for entry in layout_of(folder).left_out}


def test_folders_say_what_they_do_not_read(tmp_path):
    read = ["train/a.tif", "trainannot/a.png", "classes.txt", "LICENCE.txt", "train/.DS_Store"]
    unread = ["train/b.bmp", "train/c.webp", "train/sub/d.png", "trainannot/e.png"]
    beside = ["val/f.png", "images/g.png", "val.txt", "trainval.txt", "train.txt", "h.jpg"]
    segnet(tmp_path, *read, *unread, "testannot/z.json", *beside)
    suffixes = "not of .png, .jpg, .jpeg, .tif, .tiff"
    assert said(tmp_path) == {
        suffixes: ("train/b.bmp", "train/c.webp"),
        "in sub-folders": ("train/sub/d.png",),
        "masks of no image": ("trainannot/e.png",),
        "not of .png, .tif, .tiff": ("testannot/z.json",),
        "beside train, trainannot, test, testannot": (
            *("h.jpg", "images/", "train.txt", "trainval.txt", "val.txt", "val/"),
        ),
    }


def test_split_files_leave_out_what_they_do_not_name(tmp_path):
    files = ["images/a.png", "masks/a.png", "images/b.png", "masks/b_L.png", "images/c.gif"]
    listed(tmp_path, "a", *files, "masks/d.png", "masks/e.npy", "val.txt", "m.png")
    assert said(tmp_path) == {
        "in neither train.txt nor test.txt": ("images/b.png",),
        "masks of no image": ("masks/d.png",),
        "not of .png, .jpg, .jpeg, .tif, .tiff": ("images/c.gif",),
        "not of .png, .tif, .tiff": ("masks/e.npy",),
        "beside images, masks, train.txt, test.txt": ("m.png", "val.txt"),
    }


def test_a_sentence_counts_and_names_some(tmp_path):
    segnet(tmp_path, *(f"train/{n}.bmp" for n in range(7)))
    (entry,) = layout_of(tmp_path).left_out
    assert str(entry) == (
        "7 left out, not of .png, .jpg, .jpeg, .tif, .tiff: train/0.bmp, train/1.bmp, train/2.bmp, "
        "train/3.bmp, train/4.bmp and 2 more; save pictures as PNG to have them read"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aachen/a.png", r"train holds images in sub-folders alone, as .*a\.png: move them up"),
        ("a.bmp", r"train holds no image that is read, but a\.bmp: save it as PNG or JPEG"),
        ("a.xml", r"train holds no image: put PNG or JPEG files there"),
    ],
)
def test_a_folder_without_an_image_says_what_it_holds(tmp_path, name, words):
    touch(tmp_path, f"train/{name}", "trainannot/a.png")
    with pytest.raises(ValueError, match=words):
        layout_of(tmp_path)


def test_a_link_that_leads_back_ends(tmp_path):
    segnet(tmp_path)
    os.symlink(tmp_path / "train", tmp_path / "train" / "again")
    assert training(tmp_path) == {"train/z.png": "trainannot/z.png"}


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no such names")
def test_a_name_that_is_no_utf_8_is_read_and_fingerprinted(tmp_path):
    name = os.fsdecode(b"Stra\xdfe.png")
    for split in ("train", "test"):
        for folder, array in ((split, np.zeros((4, 4, 3))), (f"{split}annot", np.eye(4))):
            (tmp_path / folder).mkdir()
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / folder / name)
    data = Folder(tmp_path, classes=2, ignore_index=255, size=(4, 4))
    assert len(data.fingerprint) == 128
    assert data.left_out == []

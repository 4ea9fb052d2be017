"""Folders that nobody arranged for a test: each is read with the right values, or refused by name.

The right values come from Pillow and NumPy. A folder without a fault must be read and one with a
fault refused, in one sentence that names the file at fault and says what to do; what is not read
must be listed, and nothing else.
"""

import io
import re
import shutil
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from PIL import Image

from armlab.data import Folder
from armlab.data.fitting_pair import read_pair

NAMES = ("sky", "Straße", "road")
CLASSES, IGNORE = len(NAMES), 255

# From what a viewer shows to what a camera stores, for each EXIF orientation, and back
STORED = {
    None: lambda a: a,
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}
SHOWN = STORED | {6: STORED[8], 8: STORED[6]}
MODES = {
    "PNG": ["RGB", "L", "P", "RGBA", "LA", "1"],
    "TIFF": ["RGB", "L", "P", "RGBA", "LA", "1", "CMYK"],
    "JPEG": ["RGB", "L", "CMYK"],
}
SUFFIXES = {"PNG": [".png", ".PNG"], "TIFF": [".tif", ".TIFF"], "JPEG": [".jpg", ".JPEG"]}
STEMS = ["a", "my photo", "frame.001", "Straße", "Köln", "x-1", "äöü", "B"]


@dataclass(frozen=True)
class Sample:
    """An image and its mask, by names and by how they are stored."""

    stem: str
    image_end: str
    mask_end: str
    forms: tuple[str, str]  # of Unicode, in both names
    format: str
    mode: str
    suffixes: tuple[str, str]
    size: tuple[int, int]  # as shown
    turns: tuple[int | None, int | None]
    palette: bool
    seed: int

    @property
    def image_name(self) -> str:
        stem = unicodedata.normalize(self.forms[0], self.stem)
        return f"{stem}{self.image_end}{self.suffixes[0]}"

    @property
    def mask_name(self) -> str:
        stem = unicodedata.normalize(self.forms[1], self.stem)
        return f"{stem}{self.mask_end}{self.suffixes[1]}"

    def pixels(self) -> np.ndarray:
        drawn = np.random.default_rng(self.seed)
        return drawn.integers(256, size=(*self.size, 3), dtype=np.uint8)

    def labels(self) -> np.ndarray:
        drawn = np.random.default_rng([self.seed, 1])
        return drawn.choice([0, 1, 2, IGNORE], self.size).astype(np.uint8)


@st.composite
def samples(draw, stem: str) -> Sample:
    kind = draw(st.sampled_from(list(MODES)))
    ends = [("", ""), ("", "_L"), ("_leftImg8bit", "_gtFine_labelTrainIds"), ("", "_labelTrainIds")]
    image_end, mask_end = draw(st.sampled_from(ends))
    return Sample(
        stem,
        image_end,
        mask_end,
        draw(st.sampled_from([("NFC", "NFC"), ("NFC", "NFD"), ("NFD", "NFC")])),
        kind,
        draw(st.sampled_from(MODES[kind])),
        (
            draw(st.sampled_from(SUFFIXES[kind])),
            draw(st.sampled_from([".png", ".png", ".PNG", ".tif", ".TIF"])),
        ),
        draw(st.tuples(st.integers(2, 6), st.integers(7, 11))),
        (
            draw(st.sampled_from(list(STORED))),
            draw(st.sampled_from([None, None, None, 2, 6, 8])),
        ),
        draw(st.booleans()),
        draw(st.integers(0, 999)),
    )


@dataclass
class Case:
    """A folder to write. `at` is where a fault strikes, `lines` how a split file names images."""

    listed: bool
    train: list[Sample]
    test: list[Sample]
    extras: list[str]
    fault: str
    at: int
    lines: list[str]
    codec: str
    end: str


FAULTS = {
    "image": ["cut", "empty", "pointer", "web page", "deep", "pages", "too large", "no image"],
    "mask": ["gone", "cut", "colours", "deep", "label", "other size", "unturned", "jpeg", "two"],
    "classes": ["latin", "too few"],
    "listed": ["latin", "unknown", "outside", "twice", "in both", "empty", "no split file"],
}
LINES = ["{stem}", "{name}", "images/{name}", "images\\{stem}", "./{name}", "{root}/images/{name}"]
LINES += ["images/{name}\tmasks/{mask}", "{name} {mask}"]
EXTRAS = ["image.bmp", "spare mask", "sub-folder", "val.txt", "val", "hidden", "spare image"]


@st.composite
def cases(draw, fault: str) -> Case:
    stems = draw(st.lists(st.sampled_from(STEMS), min_size=2, max_size=5, unique=True))
    drawn = [draw(samples(stem)) for stem in stems]
    if fault == "mask unturned":
        drawn = [replace(one, turns=(draw(st.integers(5, 8)), None)) for one in drawn]
    cut = draw(st.integers(1, len(drawn) - 1))
    return Case(
        fault.startswith("listed") or draw(st.booleans()),
        drawn[:cut],
        drawn[cut:],
        draw(st.lists(st.sampled_from(EXTRAS), max_size=3, unique=True)),
        fault,
        draw(st.integers(0, 4)),
        draw(st.lists(st.sampled_from(LINES), min_size=5, max_size=5)),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
    )


# -- writing --------------------------------------------------------------------------------------


def encoded(picture: Image.Image, kind: str, turn: int | None, **options) -> bytes:
    file = io.BytesIO()
    if turn:
        tags = Image.Exif()
        tags[0x0112] = turn
        options["exif"] = tags
    picture.save(file, kind, **options)
    return file.getvalue()


def image_of(sample: Sample) -> Image.Image:
    stored = np.ascontiguousarray(STORED[sample.turns[0]](sample.pixels()))
    return Image.fromarray(stored).convert(sample.mode)


def right_image(sample: Sample) -> np.ndarray:
    """What Pillow makes of the same file without its tag, turned by NumPy."""
    plain = Image.open(io.BytesIO(encoded(image_of(sample), sample.format, None)))
    return SHOWN[sample.turns[0]](np.asarray(plain.convert("RGB")))


def mask_bytes(labels: np.ndarray, sample: Sample, turn: int | None) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(labels))
    if sample.palette and labels.dtype == np.uint8 and labels.ndim == 2:
        picture = picture.convert("P")
        picture.putdata(labels.ravel().tolist())
        picture.putpalette([n // 3 for n in range(768)])
    kind = "PNG" if sample.suffixes[1].lower() == ".png" else "TIFF"
    return encoded(picture, kind, turn, **({"bits": 8} if kind == "PNG" else {}))


class Written:
    """A case on the disk: where each file is, and what has to be left out."""

    def __init__(self, case: Case, root: Path) -> None:
        self.case, self.root = case, root
        self.left_out: set[str] = set()
        splits = {"train": case.train, "test": case.test}
        self.paths: dict[str, tuple[Path, Path]] = {}
        for split, drawn in splits.items():
            tops = ("images", "masks") if case.listed else (split, f"{split}annot")
            for top in tops:
                (root / top).mkdir(exist_ok=True, parents=True)
            for sample in drawn:
                image, mask = root / tops[0] / sample.image_name, root / tops[1] / sample.mask_name
                image.write_bytes(encoded(image_of(sample), sample.format, sample.turns[0]))
                labels = STORED[sample.turns[1]](sample.labels())
                mask.write_bytes(mask_bytes(labels, sample, sample.turns[1]))
                self.paths[sample.stem] = image, mask
            if case.listed:
                self.text(f"{split}.txt", [self.line(sample) for sample in drawn])
        self.text("classes.txt", NAMES)
        for extra in case.extras:
            self.add(extra)

    def text(self, name: str, lines: Sequence[str], codec: str = "") -> Path:
        data = self.case.end.join(lines).encode(codec or self.case.codec)
        (self.root / name).write_bytes(data)
        return self.root / name

    def line(self, sample: Sample) -> str:
        pattern = self.case.lines[STEMS.index(sample.stem) % len(self.case.lines)]
        if self.case.fault in ("mask gone", "mask two"):
            pattern = "{name}"  # a second column would decide
        name = unicodedata.normalize("NFC", sample.image_name)
        stem = name.removesuffix(sample.suffixes[0])
        return pattern.format(stem=stem, name=name, mask=sample.mask_name, root=self.root)

    def add(self, extra: str) -> None:
        images, masks = ("images", "masks") if self.case.listed else ("train", "trainannot")
        name = {
            "image.bmp": f"{images}/left.bmp",
            "spare mask": f"{masks}/left over.png",
            "sub-folder": f"{images}/deeper/x.jpg",
            "val.txt": "val.txt",
            "val": "val/y.png",
            "hidden": f"{images}/.DS_Store",
            "spare image": "images/spare.png" if self.case.listed else "spare.png",
        }[extra]
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_bytes(b"never read")
        if extra != "hidden":
            self.left_out.add("val/" if extra == "val" else name)


# -- faults: each returns the path that the sentence must have -----------------------------------


def spoil_image(name: str, sample: Sample, image: Path, mask: Path) -> Path:
    grey, data = Image.fromarray(sample.labels()), image.read_bytes()
    large = bytearray(encoded(grey, "PNG", None))
    large[16:24] = 2 * (20_000).to_bytes(4, "big")  # of IHDR: its width and its height
    large[29:33] = zlib.crc32(large[12:29]).to_bytes(4, "big")
    image.write_bytes(
        {
            "cut": data[:40],
            "empty": b"",
            "pointer": b"version https://git-lfs.github.com/spec/v1\n",
            "web page": b"<!doctype html>\n<title>404",
            "deep": encoded(Image.fromarray(sample.labels().astype(np.uint16)), "PNG", None),
            "pages": encoded(grey, "TIFF", None, save_all=True, append_images=[grey]),
            "too large": bytes(large),
            "no image": b"\x00\x01\x02\xff" * 9,
        }[name]
    )
    return image


def spoil_mask(name: str, sample: Sample, image: Path, mask: Path) -> Path:
    labels, grey = sample.labels(), replace(sample, palette=False)
    if name == "gone":
        mask.unlink()
        return image
    if name == "two":
        other = ".tif" if mask.suffix.lower() == ".png" else ".png"
        mask.with_suffix(other).write_bytes(mask.read_bytes())
        return mask
    stored = {
        "cut": lambda: mask.read_bytes()[:45],
        "jpeg": lambda: encoded(Image.fromarray(labels), "JPEG", None),
        "unturned": lambda: mask_bytes(STORED[sample.turns[0]](labels), grey, None),
        "label": lambda: mask_bytes(np.where(labels == labels[0, 0], 3, labels), grey, None),
        "other size": lambda: mask_bytes(labels[:, 1:], grey, None),
        "colours": lambda: mask_bytes(np.stack([labels] * 3, -1), grey, None),
        "deep": lambda: mask_bytes(labels.astype(np.uint16), grey, None),
    }
    mask.write_bytes(stored[name]())
    return mask


def spoil_split(name: str, written: Written) -> Path:
    lines = [written.line(sample) for sample in written.case.train]
    if name == "no split file":
        (written.root / "train.txt").unlink()
        return written.root / "train.txt"
    if name == "in both":
        written.text("test.txt", lines)
        return written.paths[written.case.train[0].stem][0]
    if name == "latin":
        return written.text("train.txt", [*lines, "Übung"], "cp1252")
    more = {"unknown": "nobody.png", "outside": "../../x.png", "twice": lines[0]}
    return written.text("train.txt", [" "] if name == "empty" else [*lines, more[name]])


def spoil(written: Written) -> Path:
    case = written.case
    kind, _, name = case.fault.partition(" ")
    sample = [*case.train, *case.test][case.at % len([*case.train, *case.test])]
    if kind == "image":
        return spoil_image(name, sample, *written.paths[sample.stem])
    if kind == "mask":
        return spoil_mask(name, sample, *written.paths[sample.stem])
    if kind == "classes":
        latin = name == "latin"
        return written.text("classes.txt", NAMES[: 3 if latin else 2], "cp1252" if latin else "")
    return spoil_split(name, written)


# -- the property ---------------------------------------------------------------------------------


def opened(root: Path) -> Folder:
    return Folder(root, classes=CLASSES, ignore_index=IGNORE, size=(4, 5))


def expect_read(written: Written) -> None:
    data, case = opened(written.root), written.case
    assert data.classes == NAMES
    for pairs, drawn in ((data.training_pairs, case.train), (data.test_pairs, case.test)):
        assert sorted(pairs) == sorted(written.paths[sample.stem] for sample in drawn)
        right = {written.paths[sample.stem][0]: sample for sample in drawn}
        for pair in pairs:
            image, labels = read_pair(*pair)
            assert np.array_equal(image, right_image(right[pair[0]]))
            assert np.array_equal(labels, right[pair[0]].labels())
    counts = sum(np.bincount(sample.labels().ravel(), minlength=256) for sample in case.train)
    assert np.array_equal(data.class_counts(), counts[:CLASSES])
    for (images, labels), pair in zip(data.testing(), data.test_pairs, strict=True):
        image, mask = read_pair(*pair)
        assert np.array_equal(np.round(255 * data.picture(images[0])), image)
        assert np.array_equal(labels[0], mask)
    assert data.training(range(2))[1].shape == (2, 4, 5)
    assert {name for entry in data.left_out for name in entry.names} == written.left_out
    assert all(re.search(r"left out, .+: .+; \w", str(entry)) for entry in data.left_out)


def expect_refused(written: Written, path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(str(path))) as caught:
        opened(written.root)
    assert type(caught.value) is ValueError  # none of a codec's or of Pillow's
    assert re.search(r": \w+ .*\w$", str(caught.value))  # what to do comes last
    assert len(str(caught.value).splitlines()) == 1


FAULTY = [f"{kind} {name}" for kind, names in FAULTS.items() for name in names]


@pytest.mark.parametrize("fault", ["", *FAULTY])
def test_any_folder_is_read_right_or_refused_by_name(tmp_path, fault):
    outcomes = Counter[str]()

    @settings(max_examples=settings().max_examples // (20 if fault else 1))
    @given(cases(fault))
    def holds(case):
        shutil.rmtree(tmp_path / "folder", ignore_errors=True)
        written = Written(case, tmp_path / "folder")
        if fault:
            expect_refused(written, spoil(written))
        else:
            expect_read(written)
        event(f"{'listed' if case.listed else 'in folders'}, {fault or 'read'}")
        outcomes[fault or "read"] += 1

    holds()
    assert outcomes[fault or "read"] >= settings().max_examples // (20 if fault else 2)
    print(dict(outcomes))  # with -s: how many folders of each kind

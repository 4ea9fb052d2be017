"""What a picture file may be: turned, deep, large, damaged, or something else altogether."""

import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from armlab.data.fitting_pair import read_pair
from armlab.data.image_files import read_image, read_mask
from armlab.data.pictures import MOST_PIXELS

# Where the pixel of row r, column c of what is shown lies in the file, which has h rows and
# w columns; from the EXIF standard's words on what the file's first row and column are.
STORED_AT = {
    1: lambda r, c, h, w: (r, c),  # row 0 is the top, column 0 the left side
    2: lambda r, c, h, w: (r, w - 1 - c),  # top, right
    3: lambda r, c, h, w: (h - 1 - r, w - 1 - c),  # bottom, right
    4: lambda r, c, h, w: (h - 1 - r, c),  # bottom, left
    5: lambda r, c, h, w: (c, r),  # left, top
    6: lambda r, c, h, w: (h - 1 - c, r),  # right, top
    7: lambda r, c, h, w: (h - 1 - c, w - 1 - r),  # right, bottom
    8: lambda r, c, h, w: (c, w - 1 - r),  # left, bottom
}


def shown(stored: np.ndarray, way: int) -> np.ndarray:
    """Pixel by pixel."""
    h, w = stored.shape[:2]
    rows, columns = (h, w) if way < 5 else (w, h)
    pixels = [[stored[STORED_AT[way](r, c, h, w)] for c in range(columns)] for r in range(rows)]
    return np.array(pixels)


def exif(way: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = way
    return tags


def photograph(h: int = 3, w: int = 5) -> np.ndarray:
    return np.random.default_rng(h * w).integers(256, size=(h, w, 3), dtype=np.uint8)


def blocks() -> np.ndarray:
    """What JPEG keeps nearly: 16 by 24 pixels in blocks of 8 of one colour each."""
    return np.kron(photograph(2, 3), np.ones((8, 8, 1), np.uint8))


def labels(h: int = 3, w: int = 5) -> np.ndarray:
    return np.random.default_rng(h + w).integers(9, size=(h, w), dtype=np.uint8)


def indexed(array: np.ndarray) -> Image.Image:
    picture = Image.fromarray(array).convert("P")
    picture.putdata(array.ravel().tolist())
    picture.putpalette([value for n in range(256) for value in (n, 255 - n, n // 2)])
    return picture


# -- orientation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_an_image_is_turned_as_a_viewer_shows_it(tmp_path, suffix, way):
    stored = blocks() if suffix == ".jpg" else photograph()
    options = {"quality": 100, "subsampling": 0} if suffix == ".jpg" else {}
    path = tmp_path / f"a{suffix}"
    Image.fromarray(stored).save(path, exif=exif(way), **options)
    found, right = read_image(path), shown(stored, way)
    assert found.shape == right.shape
    assert np.abs(found.astype(int) - right).max() <= (4 if suffix == ".jpg" else 0)


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("palette", [False, True])
def test_a_mask_is_turned_by_the_same_rule(tmp_path, palette, suffix, way):
    picture = indexed(labels()) if palette else Image.fromarray(labels())
    picture.save(tmp_path / f"a{suffix}", exif=exif(way))
    assert np.array_equal(read_mask(tmp_path / f"a{suffix}"), shown(labels(), way))


def test_a_square_photograph_fits_its_mask_as_shown(tmp_path):
    mask = labels(6, 6)
    stored = np.stack([np.rot90(mask)] * 3, -1)  # 6: turned by a quarter, clockwise, when shown
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif(6))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found, found_mask = read_pair(tmp_path / "a.png", tmp_path / "mask.png")
    assert np.array_equal(found[..., 0], found_mask)


@pytest.mark.parametrize(("turned", "other"), [("image", "mask"), ("mask", "image")])
def test_one_of_two_that_is_turned_is_named_with_its_orientation(tmp_path, turned, other):
    tags = {turned: {"exif": exif(6)}, other: {}}
    Image.fromarray(photograph()).save(tmp_path / "a.png", **tags["image"])
    Image.fromarray(labels()).save(tmp_path / "m.png", **tags["mask"])
    words = rf"m\.png is .* pixels and its image .*a\.png is .* orientation 6 turned the {turned}"
    with pytest.raises(ValueError, match=words):
        read_pair(tmp_path / "a.png", tmp_path / "m.png")
    Image.fromarray(labels(4, 5)).save(tmp_path / "m.png", **tags["mask"])
    with pytest.raises(ValueError, match=r"a mask has one label for each pixel"):
        read_pair(tmp_path / "a.png", tmp_path / "m.png")


def test_exif_that_cannot_be_read_turns_nothing(tmp_path):
    Image.fromarray(photograph()).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense, not TIFF")
    assert np.array_equal(read_image(tmp_path / "a.png"), photograph())


# -- depths and modes -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tif", ".TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA", "P", "1", "CMYK", "YCbCr", "LAB"])
def test_a_tiff_of_8_bits_is_what_pillow_makes_of_it(tmp_path, suffix, mode):
    picture = Image.fromarray(photograph()).convert(mode)
    picture.save(tmp_path / f"a{suffix}", format="TIFF")
    right = np.asarray(picture.convert("RGB"))
    assert np.array_equal(read_image(tmp_path / f"a{suffix}"), right)


def test_a_transparent_palette_gives_its_colours_and_no_warning(tmp_path):
    picture = indexed(labels())
    picture.save(tmp_path / "a.png", transparency=bytes(range(255)))
    colours = np.stack([labels(), 255 - labels(), labels() // 2], -1)
    assert np.array_equal(read_image(tmp_path / "a.png"), colours)


def test_a_filter_of_warnings_set_meanwhile_changes_nothing(tmp_path):
    indexed(labels()).save(tmp_path / "a.png", transparency=bytes(range(255)))
    read_image(tmp_path / "a.png")
    warnings.simplefilter("error")
    read_image(tmp_path / "a.png")


def deep_png(colours: int) -> bytes:
    """2 by 1 pixels of 16 bits, grey or colours, which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 2, 1, 16, {1: 0, 3: 2}[colours], 0, 0, 0)
    body = zlib.compress(b"\0" + bytes(range(4 * colours)))
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def deep_tiff() -> bytes:
    """One pixel of three times 16 bits, no compression."""
    entries = [(256, 1), (257, 1), (259, 1), (262, 2), (273, 200), (277, 3), (278, 1), (279, 6)]
    fields = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries]
    fields.insert(2, struct.pack("<HHII", 258, 3, 3, 190))  # bits of each sample
    table = struct.pack("<H", len(fields)) + b"".join(fields) + b"\0\0\0\0"
    data = (b"II*\0" + struct.pack("<I", 8) + table).ljust(190, b"\0")
    return (data + struct.pack("<HHH", 16, 16, 16)).ljust(200, b"\0") + bytes(range(6))


@pytest.mark.parametrize("data", [deep_png(1), deep_png(3), deep_tiff()])
def test_more_than_8_bits_are_refused_in_grey_and_in_colours(tmp_path, data):
    Image.open(io.BytesIO(data)).load()  # a whole picture, for Pillow
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tif has more than 8 bits a channel: save it with 8"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("packing", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_masks_are_read_from_tiff_without_loss(tmp_path, packing):
    Image.fromarray(labels()).save(tmp_path / "a.tif", compression=packing)
    assert np.array_equal(read_mask(tmp_path / "a.tif"), labels())
    indexed(labels()).save(tmp_path / "b.tif", compression=packing)
    assert np.array_equal(read_mask(tmp_path / "b.tif"), labels())


def save_pages(path: Path) -> None:
    Image.fromarray(labels()).save(path, save_all=True, append_images=[Image.fromarray(labels())])


TIFF_MASKS = {
    "lossy": (lambda p: Image.fromarray(labels()).save(p, compression="jpeg"), "may change labels"),
    "inverted": (lambda p: Image.fromarray(labels()).save(p, tiffinfo={262: 0}), "white as 0"),
    "one bit": (lambda p: Image.fromarray(labels() > 3).save(p), "has 1 bits a pixel"),
    "colours": (lambda p: Image.fromarray(photograph()).save(p), "has 3 channels"),
    "deep": (lambda p: Image.fromarray(labels().astype(np.uint16)).save(p), "16 bits a pixel"),
    "pages": (save_pages, "holds 2 pages or frames: save the one that counts alone"),
}


@pytest.mark.parametrize("name", TIFF_MASKS)
def test_a_tiff_that_is_no_mask_is_refused(tmp_path, name):
    save, words = TIFF_MASKS[name]
    save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=rf"a\.tif .*{words}"):
        read_mask(tmp_path / "a.tif")


def test_colours_that_pillow_cannot_convert_are_said(tmp_path):
    Image.fromarray(photograph()).convert("LA").save(tmp_path / "a.tif")
    data = (tmp_path / "a.tif").read_bytes()
    extra, premultiplied = (struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1))
    assert data.count(extra) == 1
    (tmp_path / "a.tif").write_bytes(data.replace(extra, premultiplied))
    with pytest.raises(ValueError, match=r"a\.tif has its colours as La: save it as RGB"):
        read_image(tmp_path / "a.tif")


# -- what is no picture, or too much of one -------------------------------------------------------


def large_png(h: int, w: int) -> bytes:
    """The header of a PNG of any size, which is all that is looked at."""
    small = io.BytesIO()
    Image.new("1", (1, 1)).save(small, "PNG")
    data = bytearray(small.getvalue())
    data[16:24] = struct.pack(">II", w, h)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("size", [(9_000, 10_000), (14_000, 14_001)])  # Pillow warns; it refuses
def test_a_picture_with_too_many_pixels_is_said_with_its_size(tmp_path, size):
    (tmp_path / "a.png").write_bytes(large_png(*size))
    words = rf"a\.png is {size[0]}x{size[1]} pixels, and at most {MOST_PIXELS:,} are read: make it"
    with pytest.raises(ValueError, match=words):
        read_image(tmp_path / "a.png")


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(photograph(20, 30)).save(file, "PNG")
    return file.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


NO_PICTURES = {
    "empty": (b"", "is empty: copy"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        "is a pointer of Git LFS: fetch the file itself with  git lfs pull",
    ),
    "web page": (b"\n<!DOCTYPE html><html>", "is a web page: download the file itself"),
    "text": ("Über".encode(), "is text: put a PNG or JPEG in its place"),
    "svg": (b"<?xml version='1.0'?><svg>", "is an XML or SVG document: put a PNG"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC image: put a PNG"),
    "archive": (b"PK\x03\x04rest", "is a ZIP archive: unpack it"),
    "noise": (bytes([200, 3, 0, 255]) * 9, "is no image that is read here: put a PNG"),
    "cut": (png()[:-300], "is a truncated PNG: copy"),
    "cut in the header": (png()[:20], "is a truncated PNG: copy"),
    "damaged": (flipped(png(), 300), r"is a damaged PNG \(.+\): copy"),
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_each_cause_has_its_sentence(tmp_path, name):
    data, words = NO_PICTURES[name]
    (tmp_path / "a.png").write_bytes(data)
    for read in (read_image, read_mask):
        with pytest.raises(ValueError, match=rf"a\.png {words}"):
            read(tmp_path / "a.png")


def test_a_file_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ValueError, match=r"a\.png is a folder: give the path of a file"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"cannot read .*b\.png: No such file.*; put it back"):
        read_image(tmp_path / "b.png")

    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)  # root may read everything
    with pytest.raises(ValueError, match=r"c\.png: Permission denied; make it readable"):
        read_image(tmp_path / "c.png")


# -- warnings -------------------------------------------------------------------------------------

WARNS = """
import sys, warnings
from PIL import Image
from armlab.data.image_files import read_image
read_image(sys.argv[1])
warnings.warn("mine")
"""


def test_pillow_warns_of_nothing_and_others_still_do(tmp_path):
    tags = Image.Exif()
    tags[0x010E] = "words that are cut"
    broken = tags.tobytes()[:-12]  # Pillow: corrupt EXIF data
    Image.fromarray(photograph()).save(tmp_path / "a.png", exif=broken)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        Image.open(tmp_path / "a.png").getexif()
    assert said
    command = [sys.executable, "-c", WARNS, str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line for line in done.stderr.splitlines() if "Warning" in line] == [
        "<string>:6: UserWarning: mine"
    ]

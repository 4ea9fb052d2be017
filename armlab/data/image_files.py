"""Images and masks as arrays; a file that will not do is one sentence.

A mask is a PNG, or a TIFF that is packed without loss: JPEG changes labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.data.pictures import decoded
from armlab.read_file import file_bytes
from armlab.whole_file import FilePath

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")  # of images, in small letters or capitals
MASK_SUFFIXES = (".png", ".tif", ".tiff")
BITS, COMPRESSION, PHOTOMETRIC = 258, 259, 262  # tags of a TIFF
WITHOUT_LOSS = (1, 5, 8, 32773, 32946, 34925, 50000)  # raw, LZW, Deflate, PackBits, LZMA, Zstandard
WHITE_IS_0 = 0  # a photometric interpretation


def read_image(path: FilePath) -> np.ndarray:
    """(H, W, 3) uint8, as a viewer shows it. Raises ValueError that says what to do."""
    return decoded_image(path, file_bytes(path))


def read_mask(path: FilePath) -> np.ndarray:
    """(H, W) uint8: labels, which in a palette are the indices. Turned and raises as an image."""
    return decoded_mask(path, file_bytes(path))


def decoded_image(path: FilePath, data: bytes) -> np.ndarray:
    picture = decoded(path, data)
    if picture.mode.startswith(("I", "F")) or _bits(picture, data) > 8:
        raise ValueError(f"{path} has more than 8 bits a channel: save it with 8")
    if picture.mode == "RGB":
        return np.asarray(picture)
    try:
        return np.asarray(picture.convert("RGB"))
    except (ValueError, ImportError) as error:  # LAB needs a Pillow with colour management
        raise ValueError(f"{path} has its colours as {picture.mode}: save it as RGB") from error


def decoded_mask(path: FilePath, data: bytes) -> np.ndarray:
    picture = decoded(path, data)
    channels = len(picture.getbands())
    if channels > 1:
        raise ValueError(
            f"{path} has {channels} channels, and a mask has one: save the number of each pixel's "
            "class as a grey or palette PNG"
        )
    if picture.format not in ("PNG", "TIFF"):
        raise ValueError(f"{path} is no PNG or TIFF but {picture.format}: save the mask as a PNG")
    bits = _bits(picture, data)
    if picture.mode != "P" and bits != 8:  # Pillow stretches 2 and 4 bits to 0 ... 255
        raise ValueError(f"{path} has {bits} bits a pixel: save the mask with 8")
    if picture.format == "TIFF":
        _expect_labels(path, picture.tag_v2)
    return np.asarray(picture)


def _bits(picture: Any, data: bytes) -> int:
    """Of a channel in the file: of 16-bit colours Pillow keeps the upper half, in silence."""
    if picture.format == "PNG":
        return data[24]  # of IHDR, which comes first in every PNG
    return int(max(picture.tag_v2.get(BITS, (1,)))) if picture.format == "TIFF" else 8


def _expect_labels(path: FilePath, tags: Any) -> None:
    """What a TIFF may do to the numbers of its pixels."""
    if tags.get(COMPRESSION, 1) not in WITHOUT_LOSS:
        raise ValueError(
            f"{path} is compressed in a way that may change labels, number {tags[COMPRESSION]} of "
            "TIFF: save the mask with LZW, or as a PNG"
        )
    if tags.get(PHOTOMETRIC) == WHITE_IS_0:
        raise ValueError(f"{path} stores its labels upside down, white as 0: save it as a PNG")

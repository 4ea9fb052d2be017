"""Images and masks as arrays, read by Pillow; a file that will not do is one sentence."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from armlab.whole_file import FilePath

SUFFIXES = (".png", ".jpg", ".jpeg")  # of images; a mask is a PNG, since JPEG changes its labels
GREY, PALETTE = 0, 3  # colour types of a PNG that hold one number for each pixel


def read_image(path: FilePath) -> np.ndarray:
    """(H, W, 3) uint8. Raises ValueError that names the file and says what to do."""
    return decoded_image(Path(path), file_bytes(Path(path)))


def read_mask(path: FilePath) -> np.ndarray:
    """(H, W) uint8: labels, which in a palette PNG are the indices. Raises as `read_image`."""
    return decoded_mask(Path(path), file_bytes(Path(path)))


def file_bytes(path: Path) -> bytes:
    """The whole file, closed again."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"cannot read {path}: {error.strerror}; put it back or make it readable"
        ) from error


def decoded_image(path: Path, data: bytes) -> np.ndarray:
    picture = _decoded(path, data)
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"{path} has more than 8 bits a channel: save it with 8")
    return np.asarray(picture.convert("RGB"))


def decoded_mask(path: Path, data: bytes) -> np.ndarray:
    picture = _decoded(path, data)
    channels = len(picture.getbands())
    if channels > 1:
        raise ValueError(
            f"{path} has {channels} channels, and a mask has one: save the number of each pixel's "
            "class as a grey or palette PNG"
        )
    if picture.format != "PNG":
        raise ValueError(f"{path} is no PNG but {picture.format}: save the mask as a PNG")
    bits, colour_type = data[24:26]  # of IHDR, which comes first in every PNG
    if colour_type == GREY and bits != 8:  # Pillow stretches 2 and 4 bits to 0 ... 255
        raise ValueError(f"{path} has {bits} bits a pixel: save the mask with 8")
    return np.asarray(picture)


def _decoded(path: Path, data: bytes) -> Any:
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except Exception as error:  # damaged files fail in any of a dozen ways
        raise ValueError(
            f"{path} is truncated or no image that Pillow can read: save it anew or remove it"
        ) from error
    return picture

"""A picture that Pillow decodes, whole and as a viewer shows it, or one sentence on why not.

Cameras store what their sensor sees, and in the EXIF tag Orientation how to turn it.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import suppress
from typing import Any

from armlab.looks_like import looks_like
from armlab.whole_file import FilePath

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")  # told by content, whatever the suffix
ORIENTATION = 274  # the number of the tag
# A quarter of a GiB as RGB, from where on Pillow warns. A network's float32 takes four times that,
# and a test image, which is never cropped, several features of its size beside it.
MOST_PIXELS = 2**28 // 3
# Of a process, since `catch_warnings` mixes up what threads have set; other modules still warn. In
# front of all filters: behind somebody's "error" it would do nothing.
QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


def decoded(path: FilePath, data: bytes) -> Any:
    """A Pillow image, loaded and turned. Raises ValueError that names the file and a remedy."""
    picture = _opened(path, data)
    if picture.width * picture.height > MOST_PIXELS:
        raise ValueError(
            f"{path} is {picture.height}x{picture.width} pixels, and at most {MOST_PIXELS:,} are "
            "read: make it smaller, or cut it into tiles"
        )
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # a photograph and its preview
        raise ValueError(f"{path} holds {frames} pages or frames: save the one that counts alone")
    try:
        picture.load()
    except MemoryError as error:
        raise ValueError(f"{path} does not fit into memory: make it smaller") from error
    except Exception as error:  # damaged files fail in any of a dozen ways
        raise ValueError(_damaged(path, picture.format, error)) from error
    _turn(picture)
    return picture


def orientation(path: FilePath, data: bytes) -> int:
    """The EXIF orientation, 1 to 8; from 5 on, height and width change places."""
    with suppress(Exception):  # as in `_turn`
        return int(_opened(path, data).getexif().get(ORIENTATION, 1))
    return 1


def _turn(picture: Any) -> None:
    """In place: without the tag nothing is copied. What cannot be read as EXIF turns nothing."""
    from PIL import ImageOps

    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)


def _opened(path: FilePath, data: bytes) -> Any:
    """A Pillow image of which the header has been read; its class is asked itself.

    `Image.open` would warn of many pixels, or refuse without saying how many rows and columns.
    """
    from PIL import Image

    Image.init()
    if QUIET not in warnings.filters[:1]:  # all that Pillow warns of is read or refused here
        warnings.filterwarnings("ignore", module=r"PIL\.")
    for name in FORMATS:
        make, accepts = Image.OPEN[name]
        if accepts is not None and accepts(data[:16]) is True:
            try:
                return make(io.BytesIO(data), "")
            except Exception as error:
                raise ValueError(_damaged(path, name, error)) from error
    words = looks_like(data) or "no image that is read here"
    remedy = "" if ":" in words else ": put a PNG or JPEG in its place, or remove it"
    raise ValueError(f"{path} is {words}{remedy}")


def _damaged(path: FilePath, kind: str, error: Exception) -> str:
    cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
    what = f"a truncated {kind}" if cut else f"a damaged {kind} ({error})"
    return f"{path} is {what}: copy or download it again, or remove it"

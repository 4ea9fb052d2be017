"""An image and its mask, which have a label for each pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from armlab.data.image_files import decoded_image, decoded_mask
from armlab.data.pictures import orientation
from armlab.read_file import file_bytes

Sample = tuple[np.ndarray, np.ndarray]  # (H, W, 3) and (H, W), uint8 both


def read_pair(image: Path, mask: Path) -> Sample:
    """Raises ValueError as `read_image` and `read_mask`, and for two sizes."""
    return decoded_pair(image, file_bytes(image), mask, file_bytes(mask))


def decoded_pair(image_path: Path, image: bytes, mask_path: Path, mask: bytes) -> Sample:
    """Of the bytes of both files."""
    pixels, labels = decoded_image(image_path, image), decoded_mask(mask_path, mask)
    if pixels.shape[:2] == labels.shape:
        return pixels, labels
    (h, w), (mask_h, mask_w) = pixels.shape[:2], labels.shape
    sizes = f"{mask_path} is {mask_h}x{mask_w} pixels and its image {image_path} is {h}x{w}"
    turns = orientation(image_path, image), orientation(mask_path, mask)
    if (mask_w, mask_h) == (h, w) and (turns[0] > 4) != (turns[1] > 4):
        turned = "image" if turns[0] > 4 else "mask"
        raise ValueError(
            f"{sizes}, once its EXIF orientation {max(turns)} turned the {turned} as viewers do: "
            "turn the other one too, or save the turned one without the tag"
        )
    raise ValueError(f"{sizes}: a mask has one label for each pixel of its image")

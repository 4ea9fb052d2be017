"""What the repositories in `key_maps` feed their networks, and what they call their classes.

All of them feed RGB. Each fact stands in a file of its repository:

coincheung    tools/demo.py: 0 ... 1, then mean and std of Cityscapes ("city, rgb"); images of
              cv2, BGR, are turned round. Names and colours: lib/data/cityscapes_cv2.py. Its files
              of 2019 were trained with the mean and std of ImageNet.
seafusion     cityscapes.py: 0 ... 1 and nothing more, the Normalize stands there as a comment; 9
              classes in train.py. Their names and colours: visualize.py of Linfeng-Tang/MSRS.
face-parsing  test.py: mean and std of ImageNet, images resized to 512x512; its part_colors are BGR
              on white. Names: face_dataset.py, of CelebAMask-HQ.
torchseg      model/bisenet/cityscapes.bisenet.R18/config.py: mean and std of ImageNet;
              furnace/datasets/BaseDataset.py turns cv2's BGR round. Names and colours:
              furnace/datasets/cityscapes/cityscapes.py.
mmseg         configs/_base_/datasets/cityscapes.py: mean and std of ImageNet, times 255; to_rgb
              turns cv2's BGR round. Names and colours: mmseg/datasets/cityscapes.py.

pytorchcv's package does not say it, and of stdc no whole network runs here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from armlab.data.colours import palette

Three = tuple[float, float, float]


@dataclass(frozen=True)
class Input:
    """How an image becomes what a network was trained on: mean and std of R, G, B in 0 ... 1."""

    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> (3, H, W) float32."""
        x = image.transpose(2, 0, 1).astype(np.float32) / 255
        mean, std = (np.array(v, np.float32)[:, None, None] for v in (self.mean, self.std))
        prepared: np.ndarray = (x - mean) / std
        return prepared


@dataclass(frozen=True)
class Labels:
    """Names and colours of classes.

    colours     (K, 3) in 0 ... 1
    background  the class that an overlay leaves as the image is, None where each is something
    """

    names: tuple[str, ...]
    colours: np.ndarray
    background: int | None = 0


@dataclass(frozen=True)
class Publisher:
    """Of one repository; labels are those of its data, and of another number of classes unknown."""

    input: Input
    labels: Labels

    def labels_of(self, classes: int) -> Labels:
        return self.labels if len(self.labels.names) == classes else plain_labels(classes)


def plain_labels(classes: int) -> Labels:
    """class 0, class 1, …"""
    return Labels(tuple(f"class {k}" for k in range(classes)), palette(classes))


def _labels(table: str, background: int | None) -> Labels:
    """Of "road 804080, sidewalk f423e8": names, and the red, green and blue of their colours."""
    rows = [entry.split() for entry in table.split(",")]
    colours = [list(bytes.fromhex(colour)) for *_, colour in rows]
    names = tuple(" ".join(words) for *words, _ in rows)
    return Labels(names, np.array(colours) / 255, background)


CITYSCAPES = _labels(
    """
    road 804080, sidewalk f423e8, building 464646, wall 66669c, fence be9999, pole 999999,
    traffic light faaa1e, traffic sign dcdc00, vegetation 6b8e23, terrain 98fb98, sky 4682b4,
    person dc143c, rider ff0000, car 00008e, truck 000046, bus 003c64, train 005064,
    motorcycle 0000e6, bicycle 770b20
    """,
    background=None,
)
FACES = _labels(
    """
    background ffffff, skin 0055ff, l_brow 00aaff, r_brow 5500ff, l_eye aa00ff, r_eye 00ff00,
    eye_g 00ff55, l_ear 00ffaa, r_ear 55ff00, ear_r aaff00, nose ff0000, mouth ff0055,
    u_lip ff00aa, l_lip ff5500, neck ffaa00, neck_l 00ffff, cloth 55ffff, hair aaffff,
    hat ff00ff
    """,
    background=0,
)
MSRS = _labels(
    """
    unlabelled 000000, car 400080, person 404000, bike 0080c0, curve 0000c0, car_stop 808000,
    guardrail 404080, color_cone c08080, bump c04000
    """,
    background=0,
)

_IMAGENET = Input((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CITYSCAPES_INPUT = Input((0.3257, 0.3690, 0.3223), (0.2112, 0.2148, 0.2115))
PUBLISHERS: dict[str, Publisher] = {
    "coincheung": Publisher(_CITYSCAPES_INPUT, CITYSCAPES),
    "seafusion": Publisher(Input(), MSRS),
    "face-parsing": Publisher(_IMAGENET, FACES),
    "torchseg": Publisher(_IMAGENET, CITYSCAPES),
    "mmseg": Publisher(_IMAGENET, CITYSCAPES),
}

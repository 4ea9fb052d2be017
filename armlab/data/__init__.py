"""What the training sees: scenes made of real digits on real photographs, or a folder of images."""

from armlab.data.dataset import Batch, Dataset
from armlab.data.digits import DigitScenes
from armlab.data.digits_and_photographs import to_rgb
from armlab.data.folder import Folder
from armlab.data.generated import GENERATED, Generated
from armlab.data.scenes import CLASSES, Scenes
from armlab.data.scenes_hard import HardScenes

__all__ = [
    "CLASSES",
    "GENERATED",
    "Batch",
    "Dataset",
    "DigitScenes",
    "Folder",
    "Generated",
    "HardScenes",
    "Scenes",
    "to_rgb",
]

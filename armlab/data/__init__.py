"""What the toy training sees: scenes made of real digits on real photographs."""

from armlab.data.scenes import CLASSES, Scenes, to_rgb

__all__ = ["CLASSES", "Scenes", "to_rgb"]

"""Figures: how training went, what attention does to a scene, and the inside of a module.

Each function draws on a figure of its own, without pyplot; nothing here loads matplotlib before
it is called.
"""

from armlab.plots.ablation import ablation
from armlab.plots.confusion import confusion
from armlab.plots.gates import gates
from armlab.plots.inside_module import inside
from armlab.plots.prediction import prediction
from armlab.plots.samples import samples
from armlab.plots.scenes import attention
from armlab.plots.training import curves

__all__ = [
    "ablation",
    "attention",
    "confusion",
    "curves",
    "gates",
    "inside",
    "prediction",
    "samples",
]

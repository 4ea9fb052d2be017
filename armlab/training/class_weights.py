"""Weights of the classes in the loss: rare ones count for more."""

from __future__ import annotations

import numpy as np


def expect_class_weights(weights: np.ndarray | None, classes: int) -> None:
    """Refuse weights of the loss that are not one number of at least 0 for each class.

    Were all of them 0, no pixel would count.
    """
    if weights is None:
        return
    if weights.shape != (classes,):
        raise ValueError(
            f"expected class_weights as ({classes},), one for each class, got {weights.shape}: "
            f"give {classes} numbers"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError(
            f"expected class_weights of at least 0, and one above, got {weights.tolist()}: "
            "give a class that is not to count 0, and the others more"
        )


def median_frequency(counts: np.ndarray) -> np.ndarray:
    """From the pixels of each class to its weight, both (K,).

        weight_k = median of counts / counts_k                          (1)

    The class in the middle has weight 1, and a pixel of one half as frequent counts twice. The
    median is over the classes that occur; one that does not has weight 1, as nothing is known of
    it. Raises ValueError where no class occurs.
    Source: median frequency balancing, Eigen and Fergus 2015, who count a class in the images
    alone that contain it.
    """
    occurs = counts > 0
    if not occurs.any():
        raise ValueError("expected pixels of at least one class, counted none: check the masks")
    median = np.median(counts[occurs])
    return np.where(occurs, median / np.maximum(counts, 1), 1.0)

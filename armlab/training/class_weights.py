"""Weights of the classes in the loss: rare ones count for more."""

from __future__ import annotations

import numpy as np


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

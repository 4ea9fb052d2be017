"""Of chapter 12."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def added(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any) -> Any:
    m = m_1 + m_2
    return m, (m_1 * mean_1 + m_2 * mean_2) / m, S_1 + S_2


def averaged(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any) -> Any:
    m = m_1 + m_2
    S = S_1 + S_2 + m_1 * m_2 / m * (mean_1 - mean_2) ** 2
    return m, (mean_1 + mean_2) / 2, S


def buggy_statistics(told: Any) -> Any:
    ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]
    mean = means.mean(axis=0)
    return mean, (spreads + ms * (means - mean) ** 2).sum(axis=0) / ms.sum(axis=0)


def within_alone(told: Any) -> Any:
    m = told[:, 0].sum(axis=0)
    return (told[:, 0] * told[:, 1]).sum(axis=0) / m, told[:, 2].sum(axis=0) / m


def backward(
    dy: Any, x_hat: Any, w: Any, r: Any, m: int, dw_all: Any, db_all: Any, own: bool = False
) -> Any:
    dw, db = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
    sums = (w, r, dw, db) if own else (w, r, dw_all, db_all)
    w, r, dw_in, db_in = (np.reshape(v, (1, -1, 1, 1)) for v in sums)
    return w * r * (dy - db_in / m - x_hat * dw_in / m), dw, db


WRONG: Wrong = {
    "combined": [
        (added, "leaves out how far the means lie apart"),
        (averaged, "counts as often as its part has values"),
    ],
    "statistics_of_all": [
        (buggy_statistics, "weight each mean with its m_i"),
        (within_alone, "m_i (mean_i − mean)² is missing"),
    ],
    "part_backward": [
        (lambda **given: backward(**given, own=True), "dx needs the sums of all"),
        (
            lambda dw_all, db_all, **given: (
                backward(dw_all=dw_all, db_all=db_all, **given)[0],
                dw_all,
                db_all,
            ),
            "who returns the sums of all has them k times",
        ),
    ],
}

"""Chapter 12: batch normalisation over several ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab.exercises.exercise import Arguments, Asked, Puzzle

SEEDS = st.integers(0, 999)


def combined(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any) -> tuple[Any, ...]:
    m = m_1 + m_2
    mean = (m_1 * mean_1 + m_2 * mean_2) / m
    return m, mean, S_1 + S_2 + m_1 * m_2 / m * (mean_1 - mean_2) ** 2


def statistics_of_all(told: np.ndarray) -> tuple[Any, ...]:
    ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]
    m = ms.sum(axis=0)
    mean = (ms * means).sum(axis=0) / m
    return mean, (spreads + ms * (means - mean) ** 2).sum(axis=0) / m


def part_backward(
    dy: np.ndarray, x_hat: np.ndarray, w: Any, r: Any, m: int, dw_all: Any, db_all: Any
) -> tuple[Any, ...]:
    dw, db = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
    w, r, dw_all, db_all = (np.reshape(v, (1, -1, 1, 1)) for v in (w, r, dw_all, db_all))
    return w * r * (dy - db_all / m - x_hat * dw_all / m), dw, db


# Numbers of values add up to a power of two, so all that is asked for is exact in any order.


@st.composite
def two_parts(draw: st.DrawFn) -> Arguments:
    """Whole numbers; one part may be empty, and then says 0 of everything."""
    whole = draw(st.sampled_from([1, 2, 4, 8, 16]))
    m_1 = draw(st.integers(0, whole))
    rng, channels = np.random.default_rng(draw(SEEDS)), draw(st.integers(1, 3))
    given: Arguments = {}
    for part, m in (("1", m_1), ("2", whole - m_1)):
        given[f"m_{part}"] = m
        given[f"mean_{part}"] = rng.integers(-8, 9, channels) * float(m > 0)
        given[f"S_{part}"] = rng.integers(1, 9, channels) * float(m > 1)
    return given


@st.composite
def gathered(draw: st.DrawFn) -> Arguments:
    """Of each rank m, mean and S, (ranks, 3, C); some are empty."""
    ranks, channels = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(SEEDS))
    m = draw(st.sampled_from([4, 8, 16]))
    cuts = np.sort(rng.integers(0, m + 1, ranks - 1))
    ms = np.diff([0, *cuts, m])[:, np.newaxis] * np.ones(channels)
    means = rng.integers(-8, 9, (ranks, channels)) * (ms > 0)
    spreads = rng.integers(1, 9, (ranks, channels)) * (ms > 1)
    return {"told": np.stack([ms, means, spreads], axis=1)}


@st.composite
def parts_of_a_batch(draw: st.DrawFn) -> Arguments:
    """What a rank has kept of its part, and the sums to which the others have added theirs."""
    images, channels = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    shape = images, channels, draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(SEEDS))
    dy, x_hat = rng.integers(-8, 9, (2, *shape)).astype(float)
    w, dw_else, db_else = rng.integers(-8, 9, (3, channels)).astype(float)
    _, dw, db = part_backward(dy, x_hat, w, w, 1, w, w)
    return {
        "dy": dy,
        "x_hat": x_hat,
        "w": w,
        "r": rng.choice([0.25, 0.5, 2.0, 4.0], channels),
        "m": draw(st.sampled_from([32, 64, 128])),
        "dw_all": dw + dw_else,
        "db_all": db + db_else,
    }


EXERCISES: dict[str, Asked] = {
    "combined": Puzzle(
        "combined(m_1, mean_1, S_1, m_2, mean_2, S_2) -> m, mean, S",
        two_parts(),
        combined,
        relative=1e-12,
    ),
    "statistics_of_all": Puzzle(
        "statistics_of_all(told) -> mean, var", gathered(), statistics_of_all, relative=1e-12
    ),
    "part_backward": Puzzle(
        "part_backward(dy, x_hat, w, r, m, dw_all, db_all) -> dx, dw, db",
        parts_of_a_batch(),
        part_backward,
        relative=1e-12,
    ),
}

"""Of chapter 12."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import BATCH, Mistakes, Steps, but, over


def row(v: Any) -> Any:
    return np.reshape(v, (1, -1, 1, 1))


def two(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any, **other: Any) -> Any:
    m = m_1 + m_2
    mean = (m_1 * mean_1 + m_2 * mean_2) / m if "mean" not in other else other["mean"]
    factor = other.get("factor", lambda a, b: a * b / (a + b))(m_1, m_2)
    apart = mean_1 - mean_2
    return m, mean, S_1 + S_2 + factor * other.get("square", np.square)(apart)


def of_means(mean_1: Any, mean_2: Any, **given: Any) -> Any:
    return two(mean_1=mean_1, mean_2=mean_2, **given, mean=(mean_1 + mean_2) / 2)


def around_the_middle(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any) -> Any:
    half = (mean_1 - mean_2) / 2
    return m_1 + m_2, (mean_1 + mean_2) / 2, S_1 + S_2 + (m_1 + m_2) * half**2


def of_the_other(m_1: int, mean_1: Any, m_2: int, mean_2: Any, **given: Any) -> Any:
    mean = (m_2 * mean_1 + m_1 * mean_2) / (m_1 + m_2)
    return two(m_1=m_1, mean_1=mean_1, m_2=m_2, mean_2=mean_2, **given, mean=mean)


def of_variances(m_1: int, S_1: Any, m_2: int, S_2: Any, **given: Any) -> Any:
    return two(m_1=m_1, S_1=m_1 * S_1, m_2=m_2, S_2=m_2 * S_2, **given)


def as_variance(**given: Any) -> Any:
    m, mean, S = two(**given)
    return m, mean, S / m


def steps_of_two(
    m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any
) -> dict[str, Any]:
    return {
        "m_1 mean_1 + m_2 mean_2": m_1 * mean_1 + m_2 * mean_2,
        "the spread within": S_1 + S_2,
        "the spread between": m_1 * m_2 / (m_1 + m_2) * (mean_1 - mean_2) ** 2,
    }


def joined(told: Any, **other: Any) -> Any:
    ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]
    m = ms.sum(axis=0)
    mean = other.get("mean", lambda ms, means: (ms * means).sum(axis=0) / m)(ms, means)
    between = other.get("between", lambda ms, off: ms * off**2)(ms, means - mean)
    return mean, (spreads + between).sum(axis=0) / other.get("over", lambda m, k: m)(m, len(told))


def of_parts(told: Any) -> Any:
    return joined(told)[0], (told[:, 2] / np.maximum(told[:, 0], 1)).mean(axis=0)


def steps_of_all(told: Any) -> dict[str, Any]:
    m, spreads = told[:, 0].sum(axis=0), told[:, 2]
    mean, var = joined(told)
    return {
        "the spread within": spreads.sum(axis=0) / m,
        "the spread between": var - spreads.sum(axis=0) / m,
        "Σ m_i mean_i": m * mean,
        "m": m,
    }


def back(dy: Any, x_hat: Any, w: Any, r: Any, m: Any, dw_all: Any, db_all: Any, **o: Any) -> Any:
    dw, db = over(BATCH, dy * x_hat).ravel(), over(BATCH, dy).ravel()
    through = o.get("mean", 1) * row(db_all) + o.get("var", 1) * x_hat * row(dw_all)
    return row(o.get("scale", w * r)) * (dy - through / o.get("count", m)), dw, db


def of_part(dy: Any, x_hat: Any, dw_all: Any, db_all: Any, **given: Any) -> Any:
    sums = {"dw_all": over(BATCH, dy * x_hat), "db_all": over(BATCH, dy)}
    return back(dy=dy, x_hat=x_hat, **sums, **given)


def returned(change: Any) -> Any:
    return lambda **given: change(*back(**given), given)


def steps_back(
    dy: Any, x_hat: Any, w: Any, r: Any, m: int, dw_all: Any, db_all: Any
) -> dict[str, Any]:
    scale = row(w * r)
    return {
        "dy w r, the direct way": scale * dy,
        "w r db_all / m, the way through the mean": scale * row(db_all) / m + 0 * dy,
        "w r x_hat dw_all / m, the way through the variance": scale * x_hat * row(dw_all) / m,
    }


MISTAKES: Mistakes = {
    "combined": {
        "each mean counts as often as its part has values: this is the mean of the two": of_means,
        "this leaves out how far the means lie apart: S is more than S_1 + S_2": (
            but(two, factor=lambda a, b: 0)
        ),
        "the square of the difference counts m_1 m_2 / m times: this took it once": (
            but(two, factor=lambda a, b: 1)
        ),
        "the square of the difference counts m_1 m_2 / m times: this took it m times": (
            but(two, factor=lambda a, b: a + b)
        ),
        "m_1 m_2 is divided by m = m_1 + m_2, and here it is not": but(
            two, factor=lambda a, b: a * b
        ),
        "m / 4 is right for parts of one size alone: the factor is m_1 m_2 / m": (
            but(two, factor=lambda a, b: (a + b) / 4)
        ),
        "the difference of the means has to be squared": but(two, square=np.abs),
        "with this sign S depends on which part is the first: square the difference": (
            but(two, square=lambda d: d)
        ),
        "the mean of all is not in the middle of two means, unless the parts are of one size": (
            around_the_middle
        ),
        "each mean is weighted with the number of its own values: this took the other's": (
            of_the_other
        ),
        "S_1 and S_2 are sums already, and this multiplied them by m_1 and m_2": of_variances,
        "S is a sum of squares: the variance is S / m, and is not asked for": as_variance,
    },
    "statistics_of_all": {
        "an image of a small part counts like any other: weight each mean with its m_i": (
            but(joined, mean=lambda ms, means: means.mean(axis=0))
        ),
        "it is not enough to leave out the empty parts: weight each mean with its m_i": but(
            joined, mean=lambda ms, means: means.sum(axis=0) / (ms > 0).sum(axis=0)
        ),
        "means that lie apart add to the variance: m_i (mean_i − mean)² is missing": (
            but(joined, between=lambda ms, off: 0 * off)
        ),
        "(mean_i − mean)² is there for each of the m_i values of a part: this took it once": (
            but(joined, between=lambda ms, off: off**2)
        ),
        "this is the mean of the parts' variances: it does not see how far their means lie apart": (
            of_parts
        ),
        "var is a mean over m values, and this divided by the number of ranks": (
            but(joined, over=lambda m, k: k)
        ),
        "what a batch is divided by has m, not m − 1, below it": (
            but(joined, over=lambda m, k: np.maximum(m - 1, 1))
        ),
        "Σ m_i mean_i is divided by m, the number of values, not by that of ranks": (
            lambda told: joined(told, mean=lambda ms, means: (ms * means).sum(axis=0) / len(told))
        ),
        "this weights every mean with the m_i of the first rank": but(
            joined, mean=lambda ms, means: (ms[0] * means).sum(axis=0) / ms.sum(axis=0)
        ),
        "this is the first rank's alone": lambda told: (
            told[0, 1],
            told[0, 2] / np.maximum(told[0, 0], 1),
        ),
    },
    "part_backward": {
        "every x of all ranks moves the mean: dx needs the sums of all, and this took its own": (
            of_part
        ),
        "a step adds dw and db up over the ranks: who returns the sums of all has them k times": (
            returned(lambda dx, dw, db, given: (dx, given["dw_all"], given["db_all"]))
        ),
        "dw_all has this rank's dw in it: nothing is to be added": returned(
            lambda dx, dw, db, given: (dx, dw + given["dw_all"], db + given["db_all"])
        ),
        "the statistics move with every x: without them dx is dy w r, and that is not all": (
            but(back, mean=0, var=0)
        ),
        "the mean moves with every x: db_all / m is missing": but(back, mean=0),
        "the variance moves with every x: x_hat dw_all / m is missing": but(back, var=0),
        "what flows through the statistics is taken away, and this added it": (
            but(back, mean=-1, var=-1)
        ),
        "each x has a share of 1 / m in the statistics, and m is not in this": but(back, count=1),
        "multiply by r, which is 1 / root already: this divides by it": (
            lambda **given: back(**given, scale=given["w"] / given["r"])
        ),
        "y = w x_hat + b: w is missing in dx": lambda **given: back(**given, scale=given["r"]),
        "x_hat = (x − mean) r: r is missing in dx": (
            lambda **given: back(**given, scale=given["w"])
        ),
        "dw is the gradient of w: w itself is no part of Σ dy x_hat": returned(
            lambda dx, dw, db, given: (dx, given["w"] * dw, db)
        ),
        "dw sums dy x_hat, and x_hat is not in this": returned(
            lambda dx, dw, db, given: (dx, db, db)
        ),
        "dw and db are sums, and this divided them by m": returned(
            lambda dx, dw, db, given: (dx, dw / given["m"], db / given["m"])
        ),
        "db_all belongs to the mean and dw_all to x_hat: here they are exchanged": (
            lambda dw_all, db_all, **given: back(**given, dw_all=db_all, db_all=dw_all)
        ),
    },
}
STEPS: Steps = {
    "combined": steps_of_two,
    "statistics_of_all": steps_of_all,
    "part_backward": steps_back,
}

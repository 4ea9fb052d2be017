"""Of chapter 12."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def along(v: Any) -> Any:
    return np.reshape(v, (1, -1, 1, 1))


def both(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any, **other: Any) -> Any:
    """The right part made of two, or with another mean, another between or another within."""
    m, apart = m_1 + m_2, mean_1 - mean_2
    mean = other.get("mean", lambda a, b: (m_1 * a + m_2 * b) / m)(mean_1, mean_2)
    factor = other.get("factor", lambda a, b: a * b / (a + b))(m_1, m_2)
    within = other.get("within", lambda a, b: a + b)(S_1, S_2)
    return m, mean, within + factor * other.get("square", np.square)(apart)


def around_the_middle(m_1: int, mean_1: Any, S_1: Any, m_2: int, mean_2: Any, S_2: Any) -> Any:
    middle = (mean_1 + mean_2) / 2
    S = S_1 + S_2 + m_1 * (mean_1 - middle) ** 2 + m_2 * (mean_2 - middle) ** 2
    return m_1 + m_2, middle, S


def of_all(told: Any, **other: Any) -> Any:
    ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]
    m = ms.sum(axis=0)
    mean = other.get("mean", lambda ms, means: (ms * means).sum(axis=0) / m)(ms, means)
    between = other.get("between", lambda ms, off: ms * off**2)(ms, means - mean)
    return mean, (spreads + between).sum(axis=0) / other.get("over", lambda m, k: m)(m, len(told))


def mean_of_variances(told: Any) -> Any:
    mean, _ = of_all(told)
    return mean, (told[:, 2] / np.maximum(told[:, 0], 1)).mean(axis=0)


def backward(
    dy: Any, x_hat: Any, w: Any, r: Any, m: int, dw_all: Any, db_all: Any, **other: Any
) -> Any:
    dw, db = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
    by_mean = along(db_all) / m * other.get("mean", 1)
    by_variance = x_hat * along(dw_all) / m * other.get("variance", 1)
    return along(other.get("scale", w * r)) * (dy - by_mean - by_variance), dw, db


def own_sums(dy: Any, x_hat: Any, dw_all: Any, db_all: Any, **given: Any) -> Any:
    dw, db = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
    return backward(dy, x_hat, dw_all=dw, db_all=db, **given)


def own_count(dy: Any, m: int, **given: Any) -> Any:
    return backward(dy, m=dy.size // dy.shape[1], **given)


def images(dy: Any, m: int, **given: Any) -> Any:
    return backward(dy, m=len(dy), **given)


def changed(change: Any) -> Any:
    return lambda **given: change(*backward(**given), given)


TRIES: Tries = {
    "combined": {
        "mean of the means": lambda **given: both(**given, mean=lambda a, b: (a + b) / 2),
        "nothing between": lambda **given: both(**given, factor=lambda a, b: 0),
        "no factor": lambda **given: both(**given, factor=lambda a, b: 1),
        "all of m": lambda **given: both(**given, factor=lambda a, b: a + b),
        "not divided": lambda **given: both(**given, factor=lambda a, b: a * b),
        "a quarter of m": lambda **given: both(**given, factor=lambda a, b: (a + b) / 4),
        "not squared": lambda **given: both(**given, square=np.abs),
        "mean of S": lambda **given: both(**given, within=lambda a, b: (a + b) / 2),
        "the other's weight": lambda **given: both(
            **given,
            mean=lambda a, b: (given["m_2"] * a + given["m_1"] * b) / (given["m_1"] + given["m_2"]),
        ),
        "the sum of the means": lambda **given: both(**given, mean=lambda a, b: a + b),
        "not divided mean": lambda **given: both(
            **given, mean=lambda a, b: given["m_1"] * a + given["m_2"] * b
        ),
        "around the middle": around_the_middle,
        "variance for S": lambda **given: next((m, mean, S / m) for m, mean, S in [both(**given)]),
        "variances put in": lambda **given: both(
            **given, within=lambda a, b: given["m_1"] * a + given["m_2"] * b
        ),
        "exchanged": lambda **given: next((m, S, mean) for m, mean, S in [both(**given)]),
    },
    "statistics_of_all": {
        "mean of the means": lambda told: of_all(told, mean=lambda ms, means: means.mean(axis=0)),
        "mean of those that came": lambda told: of_all(
            told, mean=lambda ms, means: means.sum(axis=0) / (ms > 0).sum(axis=0)
        ),
        "nothing between": lambda told: of_all(told, between=lambda ms, off: 0 * off),
        "between without m": lambda told: of_all(told, between=lambda ms, off: off**2),
        "not squared": lambda told: of_all(told, between=lambda ms, off: ms * off),
        "mean of the variances": mean_of_variances,
        "by ranks": lambda told: of_all(told, over=lambda m, k: k),
        "unbiased": lambda told: of_all(told, over=lambda m, k: m - 1),
        "not divided": lambda told: of_all(told, over=lambda m, k: 1),
        "mean by ranks": lambda told: of_all(
            told, mean=lambda ms, means: (ms * means).sum(axis=0) / len(told)
        ),
        "the first rank": lambda told: (told[0, 1], told[0, 2] / np.maximum(told[0, 0], 1)),
        "deviation": lambda told: next((mean, np.sqrt(var)) for mean, var in [of_all(told)]),
        "exchanged": lambda told: of_all(told)[::-1],
        "kept axes": lambda told: tuple(v[np.newaxis] for v in of_all(told)),
        "weights of the first": lambda told: of_all(
            told, mean=lambda ms, means: (ms[0] * means).sum(axis=0) / ms.sum(axis=0)
        ),
    },
    "part_backward": {
        "own sums": own_sums,
        "own count": own_count,
        "images": images,
        "sums of all returned": changed(lambda dx, dw, db, g: (dx, g["dw_all"], g["db_all"])),
        "added again": changed(lambda dx, dw, db, g: (dx, dw + g["dw_all"], db + g["db_all"])),
        "no way through statistics": lambda **given: backward(**given, mean=0, variance=0),
        "no way through the mean": lambda **given: backward(**given, mean=0),
        "no way through the variance": lambda **given: backward(**given, variance=0),
        "plus": lambda **given: backward(**given, mean=-1, variance=-1),
        "no m": lambda **given: backward(**given, mean=given["m"], variance=given["m"]),
        "no w": lambda **given: backward(**given, scale=given["r"]),
        "no r": lambda **given: backward(**given, scale=given["w"]),
        "divided by r": lambda **given: backward(**given, scale=given["w"] / given["r"]),
        "dw with w": changed(lambda dx, dw, db, g: (dx, g["w"] * dw, db)),
        "dw and db exchanged": changed(lambda dx, dw, db, g: (dx, db, dw)),
        "dw of dy": changed(lambda dx, dw, db, g: (dx, db, db)),
        "means": changed(lambda dx, dw, db, g: (dx, dw / g["m"], db / g["m"])),
        "sums exchanged": lambda dw_all, db_all, **given: backward(
            **given, dw_all=db_all, db_all=dw_all
        ),
    },
}

"""Wrong versions of synchronised batch normalisation: the law of test_law.py notices each."""

import pytest
from test_law import RELATIVE, differences

from armlab.check.cases import CASES
from armlab.check.fault import Fault, planted


def fault(name, function, statement, put, hint):
    file = "sync_batch_norm"
    return Fault(f"sync_batch_norm: {name}", "BatchNorm2d", file, function, statement, put, hint)


FORWARD, BACKWARD = "sync_batch_norm", "sync_batch_norm.backward"
FAULTS = [
    fault(
        "the mean of the means, whatever the parts' sizes",
        FORWARD,
        "(2)",
        "mean = xp.mean(means, axis=0)",
        "a mean of unequal parts weighs each by its m_i",
    ),
    fault(
        "the variances within the parts alone",
        FORWARD,
        "(3)",
        "var = xp.sum(spreads, axis=0) / max(m, 1)",
        "parts with other means spread as well: m_i (mean_i - mean)²",
    ),
    fault(
        "the spread between the parts counted once each",
        FORWARD,
        "(3)",
        "var = xp.sum(spreads + (means - mean) ** 2, axis=0) / max(m, 1)",
        "each of the m_i values is as far away: m_i (mean_i - mean)²",
    ),
    fault(
        "m of this part",
        FORWARD,
        "m",
        "m = m_i",
        "the statistics are of all parts, so m is the sum of all m_i",
    ),
    fault(
        "no exchange in the backward",
        BACKWARD,
        "dw, db",
        "dw, db = dw_i, db_i",
        "the mean is made of every part, and hears the gradients of every part",
    ),
    fault(
        "statistics as given numbers",
        BACKWARD,
        "(5)",
        "dx = dx",
        "x moves the mean and the variance as well: equation (5)",
    ),
    fault(
        "gradients of the parameters summed twice",
        BACKWARD,
        "return",
        "return dx, dw, db",
        "ranks add theirs up afterwards: each hands on what its own part adds",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_wrong_version_is_noticed(fault):
    case = CASES["BatchNorm2d"]
    assert max(differences(case, [1, 3, 0, 2], 7).values()) <= RELATIVE
    with planted(fault):
        assert max(differences(case, [1, 3, 0, 2], 7).values()) > 1e-3

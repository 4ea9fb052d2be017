"""On CuPy too, statistics are those of all ranks, where one kernel takes the activation along."""

import numpy as np
import pytest

from armlab import hand
from armlab.arrays import to_host
from armlab.hand.sync_batch_norm import synchronised
from armlab.parallel.threads import in_threads
from armlab.places import place

pytestmark = pytest.mark.emulated


@pytest.mark.parametrize("make", ["ConvBNAct", "BasicBlock", "RectifiedFeatureFusion"])
def test_two_ranks_normalise_as_one_does_with_the_whole_batch(make):
    where, rng = place("emulated"), np.random.default_rng(3)
    one = getattr(hand, make)(3, 5, rng=0, dtype="float64").to("emulated")
    count = 2 if make == "RectifiedFeatureFusion" else 1
    channels = [1, 2] if count == 2 else [3]
    x = [where.asarray(rng.standard_normal((5, c, 4, 6))) for c in channels]
    whole, _ = one.copy()(*x)

    def work(group):
        part = slice(0, 2) if group.rank == 0 else slice(2, 5)
        return to_host(synchronised(one, group)(*(a[part] for a in x))[0])

    parts = np.concatenate(in_threads(2, work))
    np.testing.assert_allclose(parts, to_host(whole), rtol=1e-12, atol=1e-13)

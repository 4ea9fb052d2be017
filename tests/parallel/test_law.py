"""Ranks on parts of a batch equal one process on the whole, where statistics are synchronised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armlab import hand
from armlab.check.cases import MODULES
from armlab.hand.sync_batch_norm import synchronised
from armlab.parallel.threads import in_threads

RELATIVE = 1e-12  # of the largest number of an array, in float64


def every(y):
    return y if isinstance(y, tuple) else (y,)


def parts_of(arrays, sizes):
    """For each rank its part of each of these arrays."""
    ends = np.cumsum(sizes)
    return [[a[end - n : end] for a in arrays] for n, end in zip(sizes, ends, strict=True)]


def run(module, inputs, dy):
    """y, dx, the gradients and the buffers of one rank, each a list of arrays."""
    y, backward = module(*inputs)
    *dx, grads = backward(tuple(dy) if isinstance(y, tuple) else dy[0])
    return [*every(y)], dx, [*grads.values()], [*module.buffers().values()]


def off(found, wanted):
    """The largest difference, as a part of the largest number in any of these arrays.

    Of one array alone it would say little: the bias of a convolution before batch normalisation
    has a gradient of 0, and what is computed for it is rounding.
    """
    size = max((np.abs(a).max(initial=0) for a in wanted), default=0) or 1
    assert [a.shape for a in found] == [a.shape for a in wanted]
    pairs = zip(found, wanted, strict=True)
    return max((np.abs(a - b).max(initial=0) / size for a, b in pairs), default=0)


def differences(case, sizes, seed):
    """By what is compared, how far ranks on parts of these sizes are from one on the whole."""
    module = getattr(hand, case.name)(**case.built.options, rng=seed, dtype="float64")
    rng, size = np.random.default_rng(seed), (35, 34) if case.built.kinks == "many" else (9, 7)
    inputs = [rng.standard_normal((sum(sizes), *shape)) for shape in case.built.takes(*size)]
    y, _ = module.copy()(*inputs)
    dy = [rng.standard_normal(a.shape) for a in every(y)]
    whole = run(module.copy(), inputs, dy)

    given, upstream = parts_of(inputs, sizes), parts_of(dy, sizes)

    def work(group):
        return run(synchronised(module, group), given[group.rank], upstream[group.rank])

    ranks = in_threads(len(sizes), work)
    joined = [
        [np.concatenate(parts) for parts in zip(*(rank[k] for rank in ranks), strict=True)]
        for k in (0, 1)
    ]
    summed = [sum(parts) for parts in zip(*(rank[2] for rank in ranks), strict=True)]
    found = {"y": off(joined[0], whole[0]), "dx": off(joined[1], whole[1])}
    found["grads"] = off(summed, whole[2])
    for r, rank in enumerate(ranks):
        found[f"buffers of rank {r}"] = off(rank[3], whole[3])
    return found


SIZES = st.lists(st.integers(0, 3), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) >= 3)


@pytest.mark.parametrize("case", MODULES, ids=lambda case: case.name)
@settings(max_examples=6)
@given(sizes=SIZES, seed=st.integers(0, 99))
def test_ranks_on_parts_equal_one_on_the_whole(case, sizes, seed):
    found = differences(case, sizes, seed)
    assert max(found.values()) <= RELATIVE, found

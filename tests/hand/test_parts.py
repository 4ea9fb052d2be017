"""The images of a batch, shared out between threads."""

import threading

import numpy as np
import pytest

from armlab import hand
from armlab.hand.kernels.kernel import products, sum_of
from armlab.hand.kernels.parts import FEW, in_parts, workers


def shares(images, count, products=FEW):
    """The parts that work is called with, in the order of its results."""
    with workers(count):
        return in_parts(images, lambda part: part, products)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("images", [0, 1, 2, 3, 5, 8])
def test_every_image_is_in_one_part(images, count):
    parts = shares(images, count)
    assert [i for part in parts for i in range(images)[part]] == list(range(images))
    assert len(parts) == max(1, min(images, count))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_without_workers_and_for_a_little_work_the_caller_is_alone():
    assert in_parts(8, lambda part: part, FEW) == [slice(0, 8)]
    assert shares(8, 2, FEW - 1) == [slice(0, 8)]
    assert shares(8, 2, FEW) == [slice(0, 4), slice(4, 8)]


def test_the_parts_run_at_once_and_the_caller_has_one_of_them():
    meet = threading.Barrier(2, timeout=20)

    def work(part):
        meet.wait()  # raises where the other part waits for this one
        return threading.get_ident()

    with workers(2):
        first, second = in_parts(2, work, FEW)
    assert first == threading.get_ident() != second


def test_a_worker_works_alone():
    with workers(2):
        inner = in_parts(4, lambda part: in_parts(4, lambda p: p, FEW), FEW)
    assert inner == [[slice(0, 2), slice(2, 4)], [slice(0, 4)]]


def test_workers_end_with_their_block_and_keep_its_settings():
    def work(part):
        return np.geterr()["over"], threading.current_thread()

    with np.errstate(over="ignore"), workers(2):
        (_, _), (setting, thread) = in_parts(2, work, FEW)
    assert setting == "ignore"
    assert not thread.is_alive()


def test_what_a_worker_raises_reaches_the_caller():
    def work(part):
        if part.start:
            raise ZeroDivisionError("of the second part")

    with workers(2), pytest.raises(ZeroDivisionError, match="of the second part"):
        in_parts(2, work, FEW)


def test_no_workers_are_refused():
    with pytest.raises(ValueError, match="at least 1 worker, got 0: one for each core"), workers(0):
        pass


def test_parts_add_up():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((2, 3)) for _ in range(3)]
    np.testing.assert_allclose(sum_of([p.copy() for p in parts]), sum(parts), rtol=1e-15)
    assert sum_of(parts[:1]) is parts[0]


def test_products_are_the_multiply_adds_of_the_convolution():
    x, w = np.ones((2, 6, 5, 7)), np.ones((4, 3, 3, 1))  # two groups
    y, _ = hand.conv2d(x, w, groups=2)
    assert products(y, w) == 2 * 4 * (3 * 7) * (3 * 3 * 1)

"""How often the CUDA kernels read and write a number, and the table that says so."""

import pytest

from armlab.arrays import to_host
from armlab.bench import kernel_calls, kernel_traffic
from armlab.bench.cuda_resources import pages
from armlab.hand import kernels
from armlab.hand.kernels import cuda
from armlab.places import place

pytestmark = pytest.mark.emulated
ONCE = ["add_relu", "relu", "relu_back", "sigmoid_back", "mean", "gather", "concat", "adam"]


@pytest.fixture(scope="module")
def counted():
    return kernel_traffic.counted()


def test_the_readme_shows_what_is_counted(counted):
    text = (cuda.HERE / "README.md").read_text(encoding="utf-8")
    assert kernel_traffic.as_markdown(counted) in text


def test_every_page_is_counted(counted):
    assert {page for page, _ in counted} == set(pages())


def test_every_result_is_written_once(counted):
    assert {t.writes for t in counted.values()} == {1.0}


def test_these_kernels_are_at_the_floor(counted):
    found = {kernel: t for (_, kernel), t in counted.items()}
    assert {kernel: round(found[kernel].reads, 2) for kernel in ONCE} == dict.fromkeys(ONCE, 1)


def test_columns_read_each_pixel_for_each_tap_that_meets_it():
    """A 3×3 with padding 1: nine times, but at the border."""
    h, w = kernel_traffic.SIZE[2:]
    where = place("emulated")
    every = kernel_calls.asked(where, kernel_traffic.SIZE)
    (forward, _) = next(a for a in every if a.name == "conv2d 3×3").parts()
    with kernel_traffic.counting() as found:
        forward.run()
    want = (3 * h - 2) * (3 * w - 2) / (h * w)
    assert found["columns", "columns"].reads == pytest.approx(want)


def test_pages_that_count_compute_the_same():
    x = place("emulated").xp.linspace(-1, 1, 300, dtype="float32")
    plain = to_host(kernels.choose("relu", x)(x)[0])
    with kernel_traffic.counting() as found:
        assert (to_host(kernels.choose("relu", x)(x)[0]) == plain).all()
    assert found["activations", "relu"].totals == [300] * 4
    with kernel_traffic.counting() as none:
        pass
    assert none == {}

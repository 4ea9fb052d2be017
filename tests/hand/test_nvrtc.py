"""The CUDA kernels under the compiler that a card has: each compiles, and nothing spills."""

import sys
from pathlib import Path

import pytest

from armlab.bench import cuda_resources
from armlab.bench.cuda_resources import ARCHITECTURES, as_markdown, resources
from armlab.hand.kernels import cuda

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wheel of NVRTC that the tests ask for is one for Linux"
)
SPILLS = """\
extern "C" __global__ void spills(const real* x, real* y, int n) {
  real kept[4096];
  for (int i = 0; i < 4096; i++) kept[i] = x[i * n];
  for (int i = 0; i < 4096; i++) y[i] = kept[(i * n) % 4096];
}
"""

DIVIDES = """\
extern "C" __global__ void before(real* y, long long n, long long p) {
  for (long long i = n / p; i > 0; i--) y[i] = i;
}
extern "C" __global__ void within(real* y, long long n, long long p) {
  for (long long i = n; i > 0; i--) y[i] = i / p;
}
extern "C" __global__ void narrow(real* y, int n, int p) {
  for (int i = n; i > 0; i--) y[i] = i % p;
}
extern "C" __global__ void shifts(real* y, long long n) {
  for (long long i = n; i > 0; i--) y[i] = i / 8;
}
"""


@pytest.fixture(scope="module")
def compiled():
    return resources()


def with_page(monkeypatch, folder, text):
    (folder / "page.cu").write_text(text)
    monkeypatch.setattr(cuda, "HERE", folder)


def test_every_page_compiles_for_every_architecture_and_dtype(compiled):
    of = {(r.page, r.dtype, r.architecture) for r in compiled}
    wanted = {(p, d, a) for p in cuda_resources.pages() for d in cuda.REAL for a in ARCHITECTURES}
    assert wanted
    assert of == wanted


def test_this_process_has_not_loaded_it(compiled):
    """Else CuPy would find it, and compile for a card what the emulated device is to run."""
    loaded = Path("/proc/self/maps").read_text(encoding="utf-8")
    assert compiled
    assert "cuda_nvrtc/lib/libnvrtc.so" not in loaded


def test_nothing_spills(compiled):
    assert not [r for r in compiled if r.stack or r.spilled]
    assert max(r.registers for r in compiled) <= 64  # 1,024 threads of a multiprocessor at once
    assert max(r.shared for r in compiled) <= 48 << 10


def test_the_readme_shows_what_the_compiler_says(compiled):
    text = (cuda.HERE / "README.md").read_text(encoding="utf-8")
    assert as_markdown(compiled) in text


def test_no_integer_is_divided_in_a_loop(compiled):
    assert not [r for r in compiled if r.in_loops]


def test_a_division_in_a_loop_is_seen(monkeypatch, tmp_path):
    """And one before it is not taken for one; by a power of two, a shift divides."""
    with_page(monkeypatch, tmp_path, DIVIDES)
    for r in resources():
        in_loop = {"before": False, "within": True, "narrow": True, "shifts": False}[r.kernel]
        assert bool(r.in_loops) == in_loop
        assert bool(r.divisions) == (r.kernel != "shifts")


def test_a_kernel_that_keeps_too_much_is_seen(monkeypatch, tmp_path):
    with_page(monkeypatch, tmp_path, SPILLS)
    assert {r.kernel for r in resources((80,)) if r.stack} == {"spills"}


def test_a_page_that_does_not_compile_says_where(monkeypatch, tmp_path):
    with_page(monkeypatch, tmp_path, SPILLS.replace("real kept", "rael kept"))
    with pytest.raises(
        RuntimeError, match=r'page\.cu does not compile for sm_75, float32: .*"rael"'
    ):
        resources()

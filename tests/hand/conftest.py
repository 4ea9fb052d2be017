"""What is fast and what is read, under the same tests."""

from contextlib import nullcontext

import pytest

from armlab.hand import kernels


@pytest.fixture(params=["kernels", "specification"])
def fast_and_plain(request):
    """The test runs twice: with the kernels of NumPy, and with none."""
    with kernels.specification() if request.param == "specification" else nullcontext():
        yield

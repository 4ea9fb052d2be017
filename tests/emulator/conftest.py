"""The emulated device is the CUDA device of these tests, once one of them imports CuPy."""

from typing import Any

import pytest

from armlab import emulator

if not emulator.why_not():
    emulator.install_on_import()


@pytest.fixture(scope="session")
def cp() -> Any:
    """CuPy on the emulated device; skipped, with the reason, where that cannot be."""
    if reason := emulator.why_not():
        pytest.skip(reason)
    emulator.install()
    import cupy

    return cupy

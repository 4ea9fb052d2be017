"""CuPy, for the tests of the device that it runs on here."""

from typing import Any

import pytest

from armlab import emulator


@pytest.fixture(scope="session")
def cp() -> Any:
    """CuPy on the emulated device."""
    emulator.install()
    import cupy

    return cupy

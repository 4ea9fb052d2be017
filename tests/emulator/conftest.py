"""The emulated device is the CUDA device of these tests, once one of them imports CuPy."""

from armlab import emulator

if not emulator.why_not():
    emulator.install_on_import()

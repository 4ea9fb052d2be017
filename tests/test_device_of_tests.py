"""Which device the tests marked cupy get, and what is said where they get none."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FEW = ("tests/check/test_cupy.py", "-k", "layout_is_made or named or little")


def ran(*arguments, returns=0, **environment):
    """What pytest says of a few tests on CuPy, and of those marked gpu."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == returns, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.emulated
def test_the_emulated_device_marks_them_emulated():
    assert "10 passed" in ran(*FEW)
    assert "10 passed" in ran(*FEW, "-m", "emulated", "--device", "emulated")
    assert re.search(r"^\d+ deselected", ran(*FEW, "-m", "gpu", returns=5), re.MULTILINE)


def test_without_a_compiler_they_are_skipped_with_one_sentence(no_gpu):
    text = ran(*FEW, CXX="no-such-compiler")
    assert "10 skipped" in text
    assert len(set(re.findall(r"^SKIPPED .*$", text, re.MULTILINE))) >= 1
    assert "the emulated device" in text
    text = ran(*FEW, "--device", "emulated", returns=4, CXX="no-such-compiler")
    assert re.search(r"^ERROR: --device emulated: the emulated device ", text, re.MULTILINE)


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(no_gpu):
    text = ran(*FEW, "--device", "cuda", returns=4)
    assert "ERROR: --device cuda: device 'cuda' needs " in text


def test_tests_of_a_gpu_are_skipped_without_one(no_gpu):
    text = ran("tests/check/test_gpu.py", "-k", "tf32")
    assert "1 skipped" in text
    assert "needs a GPU, and this run has none" in text


@pytest.fixture
def no_gpu(pytestconfig):
    if sys.platform == "linux" and Path("/proc/driver/nvidia").exists():
        pytest.skip("there is a GPU here")

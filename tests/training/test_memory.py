"""Freed memory is kept for the next step, where the C library can be asked."""

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from armlab.training.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step = [np.ones(2**18, "f4") for _ in range(20)]  # 20 MiB
        del step
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
given_back = faults()
asked = keep_freed_memory()
faults()
print(asked, given_back, faults())
"""


def measured(**environment):
    plain = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS],
        env=plain | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    asked, before, after = done.stdout.split()
    return asked == "True", int(before), int(after)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_memory_is_mapped_once():
    asked, before, after = measured(MALLOC_="")
    assert not asked  # the environment decides
    asked, before, after = measured()
    assert asked
    assert before > 1000  # ten times 5,120 pages of 4 KiB, unless the kernel has larger ones
    assert after < before / 10

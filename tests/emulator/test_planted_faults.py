"""Right kernels pass the strict mode, and each planted fault is caught there, by name."""

import re
from pathlib import Path

import pytest
from faults import FAULTS, Way
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import PROGRAMS

from armlab import emulator

pytestmark = pytest.mark.emulated


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_kernels_pass(name, cp):
    program = PROGRAMS[name]

    @settings(max_examples=program.examples)
    @given(n=st.integers(1, 700), seed=st.integers(0, 2**32))
    def passes(n, seed):
        program.run(cp, program.cuda, seed, n=n)

    passes()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.program}: {f.name}")
def test_faults_are_caught(fault, cp):
    with pytest.raises(Exception) as caught:
        fault.run(cp, seed=3)
    assert Way.of(caught.value) == fault.way, caught.value
    assert re.search(fault.says, str(caught.value))


def test_each_way_catches_something():
    assert {fault.way for fault in FAULTS} == set(Way)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {fault.program for fault in FAULTS} == set(PROGRAMS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_each_sentence_names_what_is_wrong(fault):
    """The kernel and, of an access, its argument; of the host's own doings, which they are."""
    by_the_host = fault.says.startswith(("a copy", "SIGSEGV: armlab: the host"))
    assert by_the_host or fault.says.startswith(fault.program)
    if fault.way in (Way.ORDER, Way.NAN, Way.VALUE):
        assert "argument" in fault.says


def test_the_readme_names_each_fault():
    text = (Path(emulator.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \|$", text, re.MULTILINE)
    listed = {way: set(names.split("; ")) for way, names in rows}
    for way in Way:
        assert listed[way.value] == {fault.name for fault in FAULTS if fault.way is way}
    assert f"{len(FAULTS)} wrong kernels and calls" in text

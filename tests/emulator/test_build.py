"""The device is built once, by one process, and what is broken is built anew.

A real build takes ten seconds: one test has it done. The others have a "compiler" that copies the
libraries which are there, and writes down what it was asked for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from armlab import cli, emulator, installed
from armlab.emulator import build, start

pytestmark = pytest.mark.emulated
ROOT = Path(emulator.__file__).parents[2]
USES_IT = """
from armlab import emulator
emulator.install()
import cupy
print(cupy.arange(5).sum(), end="")
"""
COPIES = """#!/bin/sh
case "$*" in *-dumpfullversion*) echo 12.2.0; exit;; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && made=$2; shift; done
echo "$made" >> {log}
case $made in *.o) cp {libraries}/{products} "$made";; *) cp {libraries}/"$made" "$made";; esac
"""


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def python(code, *arguments, **environment):
    """A process that runs this; its environment is this one's but for what is given."""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.Popen(
        [sys.executable, *arguments, "-c", code],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def command(*arguments, **environment):
    """What `armlab` with these arguments returns and says."""
    code = f"import sys; from armlab.cli import main; sys.exit(main({list(arguments)}))"
    process = python(code, **environment)
    _, said = process.communicate()
    return process.returncode, said


CUBLAS = "cupy_backends/cuda/libs/cublas.*.so"


def cublas_module():
    return next(start._site_packages().glob(CUBLAS))


def device():
    """Where the device is kept, once it is there."""
    (at,) = {path.parent for path in build.device_libraries(cublas_module())}
    return at


def cuda():
    """12 or 13, that of the CuPy here."""
    return build.cuda_of(build.undefined(cublas_module(), "cublas"))


@pytest.fixture(scope="module")
def libraries():
    """The device of the other tests."""
    if reason := emulator.why_not():
        pytest.skip(reason)
    return device()


@pytest.fixture
def built(libraries, tmp_path, monkeypatch):
    """A cache of its own, and a function that tells what was compiled since it was last asked."""
    log = tmp_path / "log"
    text = COPIES.format(log=log, libraries=libraries, products=build.products(cuda()))
    monkeypatch.setenv("CXX", script(tmp_path / "copies", text))
    monkeypatch.setenv("ARMLAB_EMULATOR_CACHE", str(tmp_path / "cache"))

    def names():
        found = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    return names


def test_two_processes_at_once(tmp_path, libraries):
    """Both come up; there is one device, one header, and nothing that was left on the way."""
    cache = tmp_path / "cache"
    processes = [python(USES_IT, ARMLAB_EMULATOR_CACHE=str(cache)) for _ in range(2)]
    assert [p.communicate() for p in processes] == [("10", "")] * 2
    assert [p.returncode for p in processes] == [0, 0]
    left = sorted(path.name.partition("-")[0] for path in cache.iterdir())
    assert left == ["device", "header", "kernels", "lock"]
    (at,) = cache.glob("device-*")
    assert {path.name for path in at.iterdir()} == {*build.library_names(cuda()), build.MANIFEST}


def test_a_build_is_kept(built):
    at = device()
    assert {*built()} == {*build.library_names(cuda()), "cublas.o"}
    before = {path: path.stat().st_mtime_ns for path in at.iterdir()}
    assert device() == at
    assert built() == []
    assert {path: path.stat().st_mtime_ns for path in at.iterdir()} == before


def cut_off(at):
    path = at / build.DEVICE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_bit(at):
    path = at / build.products(cuda())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


BROKEN = {
    "a library is cut off": cut_off,
    "a bit of a library is another": one_bit,
    "a library is not there": lambda at: (at / build.library_names(cuda())[1]).unlink(),
    "there is no manifest": lambda at: (at / build.MANIFEST).unlink(),
    "the manifest is cut off": lambda at: (at / build.MANIFEST).write_text('{"libcuda'),
    "the manifest is no text": lambda at: (at / build.MANIFEST).write_bytes(b"\xff\x00\xfe"),
    "the manifest knows of nothing": lambda at: (at / build.MANIFEST).write_text("{}"),
    "the manifest is a list": lambda at: (at / build.MANIFEST).write_text("[]"),
    "the folder is empty": lambda at: [path.unlink() for path in at.iterdir()],
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_built_anew(what, built, libraries):
    at = device()
    right = {path.name: path.read_bytes() for path in at.iterdir()}
    built()
    BROKEN[what](at)
    assert device() == at
    assert {*built()} == {*build.library_names(cuda()), "cublas.o"}
    assert {path.name: path.read_bytes() for path in at.iterdir()} == right
    assert [path.name for path in at.parent.iterdir() if path != at] == ["lock"]


def test_the_key_holds_what_a_build_depends_on(built, monkeypatch, tmp_path):
    """Another compiler, other flags, another CuPy, another source: another folder."""
    kept = {device()}
    needed = build.undefined(cublas_module(), "cublas")
    more = needed | {"cublasOfTomorrow": build.products(cuda())}
    with monkeypatch.context() as newer:
        newer.setattr(build, "undefined", lambda *_: more)
        kept.add(device())
    monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, "-g"))
    kept.add(device())
    copies = Path(os.environ["CXX"]).read_text(encoding="utf-8")
    monkeypatch.setenv("CXX", script(tmp_path / "newer", copies.replace("12.2.0", "13.1.0")))
    kept.add(device())
    sources = tmp_path / "device"
    sources.mkdir()
    for path in build.SOURCES.iterdir():
        (sources / path.name).write_text(path.read_text() + "\n")
    monkeypatch.setattr(build, "SOURCES", sources)
    kept.add(device())
    assert len(kept) == 5


def test_a_broken_kernel_is_compiled_anew(tmp_path, libraries):
    """CuPy keeps a checksum with each kernel. The header of all kernels has one as well."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / libraries.name).symlink_to(libraries)
    outputs, sizes = [], []
    for broken in (None, "kernels/*.cubin", "header-*/*.gch"):
        for path in cache.glob(broken) if broken else ():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            if broken.endswith("gch"):  # which is asked for when a kernel is compiled
                [kernel.unlink() for kernel in cache.glob("kernels/*.cubin")]
        process = python(USES_IT, ARMLAB_EMULATOR_CACHE=str(cache))
        outputs.append(process.communicate())
        files = [*cache.glob("kernels/*.cubin"), *cache.glob("header-*/*.gch")]
        sizes.append({path.name: path.stat().st_size for path in files})
    assert outputs == [("10", "")] * 3
    assert len(sizes[0]) >= 3  # of arange, of sum, and the header
    for later in sizes[1:]:  # g++ makes the header a few bytes longer or shorter each time
        assert later.keys() == sizes[0].keys()
        assert all(later[name] > 0.9 * size for name, size in sizes[0].items())


# -- what cannot be is one sentence -----------------------------------------------------------

FAILS = """#!/bin/sh
case "$*" in *-dumpfullversion*) echo 12.2.0; exit;; esac
echo 'In file included from nowhere:' >&2
echo 'launch.cpp:7: fatal error: the disk is full' >&2
exit 1
"""
CHECK = ("check", "sigmoid_gate", "--device", "emulated")


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "/nonexistent")
    assert "kernels with /nonexistent, which CXX names and is not here" in emulator.why_not()
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "kernels with g++, which is not here: install g++" in emulator.why_not()


def test_no_compiler_for_a_command(tmp_path):
    code, said = command(*CHECK, CXX="", PATH=str(tmp_path))
    assert code == 1
    assert said.startswith("armlab: ")
    assert said.endswith(
        ": the emulated device compiles kernels with g++, which is not here: install g++\n"
    )
    assert said.count("\n") == 1


def test_a_compiler_that_fails(tmp_path, libraries):
    cache = tmp_path / "cache"
    fails = script(tmp_path / "fails", FAILS)
    code, said = command(*CHECK, CXX=fails, ARMLAB_EMULATOR_CACHE=str(cache))
    assert code == 1
    assert said == (
        f"armlab: {fails} cannot compile the emulated device: launch.cpp:7: fatal error: the disk "
        "is full: install the compiler anew, or name another one in CXX\n"
    )
    assert [path.name for path in cache.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("text", "reason"), [("exit 3", "exit status 3"), ("echo", "exit status 0")]
)
def test_a_compiler_that_is_none(tmp_path, libraries, text, reason):
    none = script(tmp_path / "none", f"#!/bin/sh\n{text}\n")
    code, said = command(*CHECK, CXX=none, ARMLAB_EMULATOR_CACHE=str(tmp_path / "cache"))
    assert code == 1
    assert said == (
        f"armlab: {none} does not say which g++ it is: {reason}: "
        "install the compiler anew, or name another one in CXX\n"
    )


def test_a_cache_that_cannot_be_written(tmp_path, libraries):
    """Below a file there can be no folder, not even for root."""
    (tmp_path / "file").touch()
    cache = tmp_path / "file" / "cache"
    code, said = command(*CHECK, ARMLAB_EMULATOR_CACHE=str(cache))
    assert code == 1
    assert said.startswith("armlab: ")
    assert said.endswith(f"{cache}'\n")
    assert said.count("\n") == 1


def test_failures_of_the_build_are_one_line(monkeypatch, capsys):
    """Whatever the compiler said."""

    def fails(arguments):
        raise build.BuildFailed("the compiler\n  said\nmuch")

    monkeypatch.setattr("armlab.commands.info.run", fails)
    assert cli.main(["info"]) == 1
    assert capsys.readouterr().err == "armlab: the compiler said much\n"


@pytest.mark.parametrize(
    ("system", "machine"), [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "aarch64")]
)
def test_another_system(system, machine, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    said = emulator.why_not()
    assert said == f"the emulated device needs Linux on x86_64, this is {system} on {machine}"


def with_cupy(monkeypatch, **packages):
    """As if CuPy came with these packages, `cupy_cuda12x="14.2.0"`."""
    found = {name.replace("_", "-"): version for name, version in packages.items()}
    monkeypatch.setattr(installed, "packages_by_module", lambda: {"cupy": [*found] * 2})
    monkeypatch.setattr(installed.metadata, "version", found.__getitem__)


def test_no_cupy(monkeypatch):
    with_cupy(monkeypatch)
    said = emulator.why_not()
    assert said == "the emulated device needs CuPy: install it with  pip install cupy-cuda12x"


@pytest.mark.parametrize("name", ["cupy_cuda12x", "cupy_cuda13x"])
def test_either_cupy(name, monkeypatch):
    with_cupy(monkeypatch, **{name: "14.2.0"})
    assert emulator.why_not() == ""


@pytest.mark.parametrize(
    ("name", "version"),
    [("cupy-cuda12x", "13.6.0"), ("cupy-cuda13x", "15.0.0a1"), ("cupy", "14.2.0")],
)
def test_another_cupy(name, version, monkeypatch):
    with_cupy(monkeypatch, **{name.replace("-", "_"): version})
    assert emulator.why_not() == (
        "the emulated device is tested with cupy-cuda12x and cupy-cuda13x of version 14, "
        f"this is {name} {version}: install one of them in its place"
    )


@pytest.mark.parametrize("cuda", [12, 13])
def test_what_cupy_needs_says_for_which_cuda_it_was_built(cuda, monkeypatch):
    lines = (
        f"                 U cublasCreate_v2@libcublas.so.{cuda}\n                 U free@GLIBC_2.2"
    )
    monkeypatch.setattr(build, "_nm", lambda *_: lines.splitlines())
    needed = build.undefined(Path("cublas.so"), "cublas")
    assert needed == {"cublasCreate_v2": f"libcublas.so.{cuda}"}
    assert build.cuda_of(needed) == cuda
    assert build.library_names(cuda)[0] == "libcuda.so.1"
    assert build.library_names(cuda)[1:] == [
        f"lib{name}.so.{cuda}" for name in ("nvrtc", "cudart", "cublasLt", "cublas")
    ]


def test_cupy_is_imported_already():
    code = "import cupy; from armlab import emulator; emulator.install()"
    _, said = python(code).communicate()
    last = said.strip().splitlines()[-1]
    assert last.startswith("RuntimeError: CuPy is imported already and has looked for its device: ")


# -- what it costs those who do not use it ----------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import armlab, armlab.cli",
        "from armlab import emulator; emulator.installed()",
        "from armlab import emulator; emulator.install_on_import(); emulator.install_on_import()",
    ],
)
def test_it_costs_nothing_until_it_is_used(code, tmp_path):
    """No CuPy, no process, no file."""
    audit = (
        "import sys\n"
        "sys.addaudithook(lambda event, _: event.startswith('subprocess') and sys.exit(event))\n"
    )
    seen = "\nprint([m for m in sys.modules if m in ('cupy', 'armlab.emulator.build')], end='')"
    process = python(audit + code + seen, ARMLAB_EMULATOR_CACHE=str(tmp_path / "cache"))
    assert process.communicate() == ("[]", "")
    assert not list(tmp_path.iterdir())


def test_it_is_installed_once_cupy_is_imported():
    code = """
from armlab import emulator
emulator.install_on_import()
assert not emulator.installed()
import cupy
assert emulator.installed()
emulator.install()  # does nothing
print(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode(), end="")
"""
    assert python(code).communicate() == ("emulated device", "")


def test_nothing_works_before_it_is_installed():
    code = """
from armlab import emulator
for block in (
    emulator.counting(),
    emulator.strict(),
    emulator.idle(),
    emulator.only_blocks([0]),
):
    try:
        block.__enter__()
    except RuntimeError as error:
        print(error)
"""
    said, _ = python(code).communicate()
    expected = "the device of this process is not the emulated one: install it first\n"
    assert said == expected * 4


def test_a_manifest_lists_each_file(libraries):
    sums = json.loads((libraries / build.MANIFEST).read_text())
    assert {*sums} == {*build.library_names(cuda())}

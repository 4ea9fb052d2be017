"""Where CUDA's own libraries are in the process before the device, as PyTorch brings them."""

import subprocess
import sys
from pathlib import Path

import pytest

from armlab import emulator
from armlab.emulator import build, rivals, start

pytestmark = pytest.mark.emulated
ROOT = Path(emulator.__file__).parents[2]
NEXT_TO_RIVALS = """
import ctypes, sys
for path in sys.argv[1:]:
    ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
from armlab import emulator
emulator.install()
import cupy
print(cupy.arange(5).sum(), (cupy.ones((3, 4)) @ cupy.ones((4, 2))).sum())
"""


def library(path, names):
    """One with CUDA's name and functions, none of which does what it is there for."""
    text = "".join(f"int {name}() {{ return 7; }}\n" for name in names if name.isidentifier())
    path.with_suffix(".c").write_text(text, encoding="utf-8")
    shared = "-shared", "-fPIC", "-falign-functions=16", f"-Wl,-soname,{path.name}"
    version = path.with_suffix(".version")
    version.write_text(f"{path.name} {{ global: *; }};\n", encoding="utf-8")
    command = [build.compiler(), "-x", "c", *shared, f"-Wl,--version-script={version}"]
    subprocess.run([*command, path.with_suffix(".c"), "-o", path], check=True)
    return str(path)


def test_what_cupy_finds_by_name_is_the_device(tmp_path):
    cublas = next(start._site_packages().glob("cupy_backends/cuda/libs/cublas.*.so"))
    device, nvrtc, *_, products = build.device_libraries(cublas)
    names = build.defined(device, "nvrtc"), build.undefined(cublas, "cublas")
    assert min(map(len, names)) > 10
    there = [
        library(tmp_path / path.name, functions)
        for path, functions in zip((nvrtc, products), names, strict=True)
    ]
    done = subprocess.run(
        [sys.executable, "-c", NEXT_TO_RIVALS, *there], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("10 24.0\n", 0), done.stderr


@pytest.mark.parametrize(
    ("line", "cuda", "imported"),
    [
        ("cuda: Optional[str] = '13.0'", "13", True),
        ("cuda = '12.8'", "12", True),
        ("cuda: Optional[str] = '12.8'", "13", False),
        ("cuda: Optional[str] = None", "12", False),
        ("hip = '13.0'", "13", False),
    ],
)
def test_pytorch_of_the_same_cuda_comes_first(line, cuda, imported, monkeypatch, tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("")
    (tmp_path / "torch/version.py").write_text(f"__version__ = '2.13.0'\n{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with monkeypatch.context() as without:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
            without.delitem(sys.modules, name)
        rivals.import_pytorch_of(cuda)
        assert ("torch" in sys.modules) == imported
        sys.modules.pop("torch", None)


def test_without_pytorch_nothing_comes_first(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    rivals.import_pytorch_of("13")
    assert sys.modules["torch"] is None

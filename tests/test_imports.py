"""Who may import whom, and what an import may cost."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "armlab"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module


def files(folder):
    return sorted((ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("path", files("hand"), ids=lambda p: p.name)
def test_hand_imports_no_library_by_name(path):
    allowed = ("array_api_compat", "armlab.arrays", "armlab.places", "armlab.hand")
    standard = sys.stdlib_module_names
    for name in imports(path):
        assert name.startswith(allowed) or name.split(".")[0] in standard, name


@pytest.mark.parametrize("path", files("hand/kernels"), ids=lambda p: p.name)
def test_kernels_import_only_hand_and_their_library(path):
    allowed = ("array_api_compat", "armlab.arrays", "armlab.hand", "numpy")
    for name in imports(path):
        assert name.startswith(allowed) or name.split(".")[0] in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", files("torch"), ids=lambda p: p.name)
def test_torch_imports_nothing_else_of_armlab(path):
    for name in imports(path):
        root = name.split(".")[0]
        assert root in ("torch", *sys.stdlib_module_names) or name.startswith("armlab.torch"), name


@pytest.mark.parametrize("path", files("torch/bridge"), ids=lambda p: p.name)
def test_the_bridge_alone_imports_both_sides(path):
    allowed = ("array_api_compat", "armlab.arrays", "armlab.places", "armlab.hand")
    allowed += ("armlab.torch.bridge",)
    for name in imports(path):
        root = name.split(".")[0]
        known = root in ("torch", "numpy", *sys.stdlib_module_names)
        assert known or name == "armlab" or name.startswith(allowed), name


def test_each_twin_has_the_file_name_of_its_original():
    ours, theirs = ({p.name for p in files(f)} for f in ("hand", "torch"))
    shared_by_hand = {"backward.py", "bottleneck.py", "channels.py", "expect.py", "made.py"}
    shared_by_hand |= {"module.py", "self_gate.py", "sequential.py", "state.py", "upstream.py"}
    shared_by_hand |= {"window.py"}
    shared_by_hand |= {"group.py", "sync_batch_norm.py"}  # their twins are torch.distributed's own
    assert ours - shared_by_hand == theirs


HEAVY = ("armlab.emulator", "torch", "cupy", "matplotlib", "sklearn", "hypothesis", "PIL", "tqdm")


@pytest.mark.parametrize("module", ["armlab", "armlab.hand", "armlab.cli"])
def test_import_is_light(module):
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_session_without_tests_on_cupy_loads_neither_cupy_nor_the_emulator():
    """Nor does it ask whether there is a GPU."""
    code = """
import pytest, subprocess, sys
subprocess.run = None
code = pytest.main(["-q", "tests/test_imports.py", "-k", "imports_no_library_by_name"])
print(code, [name for name in ("cupy", "armlab.emulator") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr


def test_pytorch_and_its_bridge_load_no_gpu_library():
    heavy = {"armlab.emulator", "cupy", "hypothesis", "torch._dynamo"}
    code = f"import sys, armlab.torch; print([m for m in {sorted(heavy)!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def uses_of_xp():
    """(name, keywords of the call) wherever `armlab.hand` names the array library."""
    for path in [*files("hand"), ROOT / "arrays.py", ROOT / "places.py"]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("xp", "self.xp"):
                yield node.attr, None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = node.func
                if ast.unparse(called.value).endswith(("xp", "array_namespace(x)")):
                    yield called.attr, {k.arg for k in node.keywords}


def test_cupy_has_every_standard_name_that_hand_uses():
    """array_api_compat.cupy imports without a driver; what it lacks would fail on a GPU only."""
    xp = pytest.importorskip(
        "array_api_compat.cupy", reason="cupy-cuda12x is not installed on this platform"
    )
    used = {name for name, _ in uses_of_xp()} - {"Device", "__name__"}  # of modules, and of strict
    assert len(used) > 25
    assert [name for name in sorted(used) if not hasattr(xp, name)] == []


def test_cupy_takes_every_keyword_that_hand_uses():
    xp = pytest.importorskip(
        "array_api_compat.cupy", reason="cupy-cuda12x is not installed on this platform"
    )
    checked = set()
    for name, keywords in uses_of_xp():
        function = getattr(xp, name, None)
        if not keywords or type(function).__name__ == "ufunc":
            assert not keywords, f"xp.{name} is a ufunc of CuPy: it knows no {keywords}"
            continue
        parameters = inspect.signature(function).parameters
        anything = any(p.kind == p.VAR_KEYWORD for p in parameters.values())
        assert anything or keywords <= set(parameters), f"xp.{name}: {keywords - set(parameters)}"
        checked.add(name)
    assert {"sum", "max", "argmax", "zeros", "full", "concat", "asarray"} <= checked


TRICKS = {"keep_where", "unbuffered", "setbufsize", "clip", "view", "out=", "*="}


def names_used(path):
    """Every name, attribute, keyword and import in a file, and each product in place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword):
            yield f"{node.arg}="
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult):
            yield "*="
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")


def test_what_is_only_fast_stays_in_kernels():
    """A leaf is its equation and a composite its forward: neither asks how NumPy works."""
    looked_at = 0
    for path in [*files("hand"), ROOT / "arrays.py", ROOT / "places.py"]:
        names = list(names_used(path))
        looked_at += len(names)
        assert not TRICKS.intersection(names), (path.name, TRICKS.intersection(names))
        inside = [name for name in imports(path) if name.startswith("armlab.hand.kernels")]
        assert not inside, f"{path.name} imports {inside}: ask the table with kernels.choose"
    assert looked_at > 5000
    in_kernels = {name for path in files("hand/kernels") for name in names_used(path)}
    assert in_kernels >= TRICKS, "a trick that nobody uses is not worth its test"

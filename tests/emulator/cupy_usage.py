"""What armlab asks of an array library, found and not typed.

`names` reads the source. `forms` runs every case and a step of each training on the stand-in for a
device, which takes the way that CuPy takes, and writes down each call as its form: the name, and
what kind of thing each argument is, such as "sum(floats, axis=tuple, keepdims=bool)". An operator
goes by the name of its method, with the operands in the order in which they stand.
"""

import ast
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest.mock import patch

import numpy as np

import armlab
from armlab import hand
from armlab.check.cases import CASES
from armlab.check.devices import strict_device
from armlab.check.sides import run_hand
from armlab.check.strata import GENERATE, for_all
from armlab.places import Place
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import SGD, Adam

HERE = Path(armlab.__file__).parent
READ = [*(HERE / "hand").rglob("*.py"), *(HERE / "training").rglob("*.py")]
READ += [HERE / "arrays.py", HERE / "places.py"]
UNARY = {"__neg__", "__abs__", "__invert__", "__pos__"}
ARITHMETIC = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
]
REFLECTED = {f"__r{name}__": f"__{name}__" for name in ARITHMETIC}
OPERATORS = {f"__{way}{name}__" for name in ARITHMETIC for way in ("", "r", "i")} | UNARY
OPERATORS |= {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "getitem", "setitem")}
KINDS = {"f": "floats", "i": "ints", "u": "ints", "b": "bools"}


def names() -> dict[str, str]:
    """Every attribute of an array library that the source names, and a file in which it stands."""
    return {name: path.name for path in READ for name in attributes(path.read_text())}


def attributes(source: str) -> set[str]:
    """NAME of xp.NAME, of place.xp.NAME and of array_namespace(x).NAME."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and _is_library(node.value)
    }


def _is_library(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="xp") | ast.Attribute(attr="xp"):
            return True
        case ast.Call(func=ast.Name(id="array_namespace") | ast.Attribute(attr="array_namespace")):
            return True
    return False


def kind(a: Any) -> str:
    """What kind of thing an argument is, in a word."""
    if isinstance(a, np.ndarray):
        return "host"
    if hasattr(a, "dtype") and hasattr(a, "shape"):
        return KINDS[np.dtype(str(a.dtype).rsplit(".", 1)[-1]).kind]
    if isinstance(a, slice):
        return "slice" if a.step in (None, 1) else "step" if a.step > 0 else "backwards"
    if isinstance(a, tuple | list):
        parts = sorted({kind(i) for i in a})
        return "tuple" if parts in ([], ["int"]) else f"[{' '.join(parts)}]"
    if isinstance(a, bool | int | float | str | type(None) | type(Ellipsis)):
        return type(a).__name__
    return "dtype"


def form(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> str:
    """The form of a call; where the result is to live is left out."""
    if name in REFLECTED:
        name, args = REFLECTED[name], args[::-1]
    given = [kind(a) for a in args]
    given += [f"{key}={kind(a)}" for key, a in options.items() if key != "device"]
    return f"{name}({', '.join(given)})"


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Within this block, the forms of all calls to array_api_strict are put into the set."""
    import array_api_strict  # what else is here does without
    from array_api_strict._array_object import Array

    found: set[str] = set()
    inside = False

    def listening(name: str, call: Any) -> Any:
        def listen(*args: Any, **options: Any) -> Any:
            nonlocal inside
            if inside:  # a call that the library makes of itself
                return call(*args, **options)
            found.add(form(name, args, options))
            inside = True
            try:
                return call(*args, **options)
            finally:
                inside = False

        return listen

    with ExitStack() as stack:
        for owner in (Array, array_api_strict):
            for name, call in list(vars(owner).items()):
                wanted = name in OPERATORS if owner is Array else not name.startswith("_")
                if wanted and isinstance(call, FunctionType):
                    stack.enter_context(patch.object(owner, name, listening(name, call)))
        yield found


def forms() -> set[str]:
    """The forms of all calls that the code by hand makes of a library other than NumPy."""
    with recorded() as found, strict_device() as where:
        for name, case in CASES.items():
            if case.built is None or case.built.kinks != "many":  # networks are made of the others
                _run_case(name, where)
        for optimiser in (SGD(0.1, weight_decay=0.1), Adam(0.1, weight_decay=0.1)):
            _train(optimiser, where)
    return found


def _run_case(name: str, where: Place) -> None:
    def run(example: Any) -> None:
        run_hand(name, replace(example, layouts={}), "float32", where)

    strata = [s for s in CASES[name].strata(20) if s.name in ("floats", "empty")]
    for_all([replace(s, count=1) for s in strata], run, using=GENERATE, seed=0)


def _train(optimiser: Any, where: Place) -> None:
    """Two steps, as the first of an optimiser is not like the others."""
    rng = np.random.default_rng(0)
    learner = HandLearner(hand.ToyBiSeNet(3, width=2, rng=0).to(where), optimiser)
    for _ in range(2):
        images = rng.random((2, 3, 64, 32), dtype="float32")
        learner.step(images, rng.integers(0, 3, (2, 64, 32)), 0.1)

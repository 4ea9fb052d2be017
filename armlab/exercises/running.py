"""Running a reader's function: what it prints, what it warns of, how long it takes."""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from numpy.exceptions import ComplexWarning

from armlab.exercises.clock import within
from armlab.exercises.exercise import Arguments, Asked

PRINTED = 2000  # characters of a function's first call that the page shows

# Of OpenBLAS on AVX-512, by chance, where a float32 matrix meets a vector of 5. The product is
# right: the kernel computes lanes beyond it as well, of whatever lies on the stack.
FALSE_ALARM = "invalid value encountered in matmul"


@dataclass
class Runner:
    """Calls a reader's function, on one example after the other.

    What its first call prints is shown, and nothing of the others. Warnings about numbers are
    raised, other warnings are nobody's mistake.
    """

    asked: Asked
    function: Callable[..., Any]
    seconds: float
    calls: int = 0

    def __call__(self, arguments: Arguments) -> Any:
        """What the function returns. Raises TooLong, and what it raises."""
        printed = _Printed(0 if self.calls else PRINTED)
        self.calls += 1
        try:
            with ExitStack() as stack:
                stack.enter_context(redirect_stdout(printed))
                stack.enter_context(redirect_stderr(printed))
                stack.enter_context(warnings_raised())
                stack.enter_context(_exit_raised(self.function))
                return within(self.seconds, lambda: self.asked.run(self.function, arguments))
        finally:
            sys.stdout.write(printed.text())


class _Printed(io.TextIOBase):
    """A page that takes so many characters, and drops what comes after them."""

    def __init__(self, most: int) -> None:
        self._most, self._parts, self._length = most, [""], 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._length < self._most:
            self._parts.append(text[: self._most - self._length])
        self._length += len(text)
        return len(text)

    def text(self) -> str:
        more = f"\n… and {self._length - self._most} characters more\n"
        return "".join(self._parts) + more * (0 < self._most < self._length)


@contextmanager
def warnings_raised() -> Iterator[None]:
    """Within this block what NumPy warns of is raised, and other warnings are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for category in (RuntimeWarning, ComplexWarning):
            warnings.simplefilter("error", category)
        warnings.filterwarnings("ignore", FALSE_ALARM, RuntimeWarning)
        yield


@contextmanager
def _exit_raised(function: Callable[..., Any]) -> Iterator[None]:
    """Within this block `exit()` raises SystemExit in a notebook, where it would end the kernel."""
    names = getattr(function, "__globals__", {})
    found = {name: names.get(name) for name in ("exit", "quit")}
    asking = {k: v for k, v in found.items() if type(v).__module__.startswith("IPython")}
    names.update(dict.fromkeys(asking, sys.exit))
    try:
        yield
    finally:
        names.update(asking)


@contextmanager
def one_thread(*libraries: str) -> Iterator[None]:
    """Within this block PyTorch and NumPy's products run in one thread: of arrays as small as
    here, the others would only wait for each other.

    libraries  to be imported first, so that they are limited as well
    """
    for library in libraries:
        importlib.import_module(library)
    with ExitStack() as stack:
        if torch := sys.modules.get("torch"):
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        if find_spec("threadpoolctl"):
            stack.enter_context(importlib.import_module("threadpoolctl").threadpool_limits(1))
        yield

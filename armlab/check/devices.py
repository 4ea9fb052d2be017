"""Other places to run the code by hand at: torch tensors, and a stand-in for a device.

On a machine without a GPU, `strict_device` stands in for one. Its arrays live on a device that is
not the host, know nothing but the array API standard, and refuse what a real device would make
slow or wrong: implicit conversion to NumPy, host and device mixed, shapes that depend on values,
and every conversion to a Python number, which would wait for the device. It shows that the code
asks for none of these. It does not show that results on a real GPU are right.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn
from unittest.mock import patch

from armlab.places import Place


class HostSynchronisation(RuntimeError):
    """A Python number was made from an array on a device, which waits for the device."""


@contextmanager
def strict_device() -> Iterator[Place]:
    """Within this block, the place is a device that forbids what real ones make slow or wrong."""
    strict = importlib.import_module("array_api_strict")
    with ExitStack() as stack:
        stack.enter_context(
            strict.ArrayAPIStrictFlags(data_dependent_shapes=False, boolean_indexing=False)
        )
        for name in ("__float__", "__int__", "__bool__", "__index__", "__complex__"):
            refuse = _refuse(name)
            stack.enter_context(patch.object(strict._array_object.Array, name, refuse))
        yield Place(strict, strict.Device("device1"))


def _refuse(name: str) -> Any:
    def refuse(array: Any) -> NoReturn:
        raise HostSynchronisation(f"{name} of an array on {array.device} waits for the device")

    return refuse


def torch_tensors(device: str = "cpu") -> Place:
    """The place of torch tensors, on which the code by hand runs unchanged."""
    torch = importlib.import_module("torch")
    return Place(importlib.import_module("array_api_compat.torch"), torch.device(device))

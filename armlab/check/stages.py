"""The stages of a composite: each function that it calls, judged alone on the inputs it really had.

A bound for a whole network would be loose beyond use. So a module runs by hand while it is
watched, and every call whose backward ran becomes an example of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.arrays import to_host
from armlab.check.example import Example
from armlab.watch import Call


def as_example(call: Call) -> Example:
    """The same call on its own, with its float32 inputs taken as they are."""
    options = {k: _host(v) for k, v in call.options.items()}
    inputs = {k: _host(v) for k, v in call.inputs.items()}
    return Example(inputs, options, np.asarray(_host(call.dy), np.float64))


def _host(value: Any) -> Any:
    if value is None or not hasattr(value, "shape"):
        return value
    a = np.asarray(to_host(value))
    return a if a.dtype.kind == "i" else a.astype(np.float64)

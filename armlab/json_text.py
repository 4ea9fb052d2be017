"""JSON as every program reads it: what is no number is null, as JSON knows neither NaN nor inf."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(found: Any, indent: int | None = None) -> str:
    """The text of dicts, lists, words and numbers; a NaN or an infinity in them is null."""
    return json.dumps(_finite(found), indent=indent, allow_nan=False)


def _finite(found: Any) -> Any:
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    if isinstance(found, Mapping):
        return {key: _finite(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_finite(value) for value in found]
    return found

"""Wrong answers to the exercises, each with words of the hint that it must get."""

from collections.abc import Callable
from typing import Any

Wrong = dict[str, list[tuple[Callable[..., Any], str]]]

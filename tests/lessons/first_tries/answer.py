"""Answers as they are written at a first try, by exercise and by the mistake that was made."""

from collections.abc import Callable
from typing import Any

Tries = dict[str, dict[str, Callable[..., Any]]]

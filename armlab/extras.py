"""Optional packages: said to be missing before the work begins, not in the middle of it."""

from __future__ import annotations

import importlib.util
import sys


def expect_packages(needed: dict[str, str], extra: str = "train") -> None:
    """Refuse in one sentence, where modules of these packages {module: package} are missing."""
    missing = [
        name
        for module, name in needed.items()
        if sys.modules.get(module) is None and importlib.util.find_spec(module) is None
    ]
    if missing:
        raise RuntimeError(
            f"this needs {', '.join(missing)}, not installed here: "
            f"install with  pip install 'armlab[{extra}]'"
        )

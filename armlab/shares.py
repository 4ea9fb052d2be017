"""A share in words."""

from __future__ import annotations


def percent(share: float) -> str:
    """One decimal; never 0 or 100 for what is not quite that."""
    found = 100 * share
    if found < 0.1:
        return "<0.1" if found else "0"
    return f"{found:.1f}" if found < 99.95 or share == 1 else ">99.9"

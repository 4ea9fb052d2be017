"""How an answer failed on an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from armlab.exercises.exercise import Answer


@dataclass
class Failure:
    """One example on which an answer is wrong.

    text    what is wrong with it, in a sentence
    rule    the same in short, without details in which two such answers may differ
    got     the answer, where there is one
    final   whether smaller examples would say no more
    """

    example: Any
    text: str
    rule: str
    got: Answer | None = None
    final: bool = False

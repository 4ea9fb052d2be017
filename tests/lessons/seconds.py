"""How long the grader takes, exercise by exercise: python tests/lessons/seconds.py [name …]

Seconds of the processor: for the solution that the lesson gives, and the longest of the wrong
answers. "–" stands where this machine cannot try it. Exit 1 if one is over its limit.
"""

import importlib
import sys

from lesson_tools import EXERCISES, Asked, graded, written
from wrong_answers import WRONG

RIGHT_LIMIT, WRONG_LIMIT = 3.0, 6.0


def row(asked: Asked) -> tuple[float, float]:
    """Seconds for the solution, and for the wrong answer that takes longest."""
    right, seconds = graded(asked.name, written(asked.solution, asked.function))
    wrong = [graded(asked.name, answer)[1] for answer, _ in WRONG[asked.name]]
    shown = [f"{s:8.2f}" if right.tried else f"{'–':>8}" for s in (seconds, max(wrong))]
    print(f"{asked.name:31}", *shown, flush=True)
    return seconds, max(wrong)


def main(names: list[str]) -> int:
    importlib.import_module("torch")  # which is no part of grading
    print(f"{'exercise':31} {'right':>8} {'wrong':>8}")
    rows = [row(asked) for asked in EXERCISES if not names or asked.name in names]
    right, wrong = (max(column) for column in zip(*rows, strict=True))
    print(f"{'longest':31} {right:8.2f} {wrong:8.2f}")
    return int(right > RIGHT_LIMIT or wrong > WRONG_LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

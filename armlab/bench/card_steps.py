"""How long a step of training takes on a card: by hand, by hand without kernels, and in PyTorch.

    python -m armlab.bench.card_steps --device cuda

The three take turns in one process, each turn begins with another one, and a figure is the median.
A step is that of a `Learner`: images and labels are copied to the card, and the loss is read at
its end, which waits for the card. All compute in float32: PyTorch's TF32 is off.

The emulated device has no times that mean anything: there launches are counted, next to the
operators of PyTorch. A network that fails has "failed", a sentence, and the others follow. It
prints one line of JSON for each as it comes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from armlab import hand
from armlab.bench import hand_parts, yardstick
from armlab.bench.on_cupy import Row, at_place, print_rows, said
from armlab.hand import kernels
from armlab.places import Place, device_name
from armlab.terminal import at_terminal

STEPS = [row for row in yardstick.ROWS if row.step]
ROUNDS, WARM_UP = 50, 5


def measure(where: Place, images: tuple[int, int, int, int] | None = None) -> Iterator[Row]:
    """{"net", "on", "ms", "launches"} of each; `images` is their shape (N, 3, H, W)."""
    for row in STEPS:
        yield _measured(replace(row, shape=images or row.shape), where)


def _measured(row: yardstick.Row, where: Place) -> Row:
    found: Row = {"net": row.module, "on": [*row.shape], "ms": None, "launches": None}
    try:
        if device_name(where.device) == "emulated":
            return found | {"launches": _counted(row)}
        with where.device:
            return found | {"ms": in_turns(_sides(row, where, device_name(where.device)))}
    except Exception as error:  # whatever a kernel or a driver may raise
        return found | {"failed": said(error)}


def _counted(row: yardstick.Row) -> dict[str, int]:
    """As in launches.md, reading the loss left out: by hand, without kernels, and PyTorch's."""
    fast = row.counted()
    with kernels.specification():
        plain = row.counted()
    return {"hand": fast.launched, "reference": plain.launched, "torch": fast.operator_calls}


def _sides(row: yardstick.Row, where: Place, device: str) -> dict[str, Callable[[], Any]]:
    """A step of each side, from the same weights on the same batch; `device` is PyTorch's."""
    from armlab.training.torch_learner import TorchLearner

    def drawn() -> Any:
        return getattr(hand, row.module)(**row.given, rng=hand_parts.SEED)

    batch = hand_parts.drawn_batch(drawn(), row.shape)
    fast, plain = (hand_parts.learner(drawn().to(where), "adam") for _ in range(2))
    twin = TorchLearner(drawn(), hand_parts.OPTIMISERS["adam"](), device)

    def step_of_plain() -> Any:
        with kernels.specification():
            return plain.step(*batch, hand_parts.RATE)

    def step_of_twin() -> Any:
        with ieee():
            return twin.step(*batch, hand_parts.RATE)

    return {
        "hand": lambda: fast.step(*batch, hand_parts.RATE),
        "reference": step_of_plain,
        "torch": step_of_twin,
    }


def in_turns(
    sides: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS, warm_up: int = WARM_UP
) -> dict[str, float]:
    """Milliseconds of each side, the median of its turns."""
    return {name: statistics.median(ms) for name, ms in turns(sides, rounds, warm_up).items()}


def turns(
    sides: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS, warm_up: int = WARM_UP
) -> dict[str, list[float]]:
    """Milliseconds of each side in each of its turns."""
    names, took = list(sides), {name: list[float]() for name in sides}
    for turn in range(warm_up + rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            sides[name]()
            if turn >= warm_up:
                took[name].append(1e3 * (time.perf_counter() - start))
    return took


@contextmanager
def ieee() -> Iterator[None]:
    """Within this block PyTorch's float32 on a card is float32, of convolutions too."""
    import torch

    backends: Any = torch.backends
    kinds = backends.cudnn.conv, backends.cuda.matmul
    before = [kind.fp32_precision for kind in kinds]
    for kind in kinds:
        kind.fp32_precision = "ieee"
    try:
        yield
    finally:
        for kind, precision in zip(kinds, before, strict=True):
            kind.fp32_precision = precision


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows. 1 where one failed, or there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m armlab.bench.card_steps")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or emulated")
    parser.add_argument("--images", type=int, nargs=4, metavar=("N", "3", "H", "W"))
    args = parser.parse_args(arguments)
    images = args.images and tuple(args.images)
    return at_place("card_steps", args.device, lambda where: print_rows(measure(where, images)))


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())

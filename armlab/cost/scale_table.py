"""What a shared step costs as a table for people, and as a dict for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from armlab.cost.scale import FLOPS, PASSES, Scale, Step

WAYS = ("own_statistics", "synchronised")  # of batch normalisation
SIDE = f"{'messages':>9}{'MiB':>8}{'ms':>9}{'images/s':>12}{'%':>6}"


def as_dict(scale: Scale, most: int) -> dict[str, Any]:
    """For 1, 2, 4, … ranks: what each sends in a step and how long it takes, either way."""
    return {
        "rank": asdict(scale.rank),
        "steps": [
            {way: _described(step) for way, step in zip(WAYS, pair, strict=True)}
            for pair in scale.steps(most)
        ],
    }


def as_text(scale: Scale, most: int) -> str:
    """A line for each number of ranks, and what was assumed."""
    norms = (len(scale.exchanges[True]) - len(scale.exchanges[False])) // 2
    ways = "own statistics", f"synchronised in {norms} batch normalisations"
    lines = [
        f"a step of training on {scale.batch} images, shared out among ranks",
        "",
        f"{'each computes':>27}" + "".join(f"  {f'sends, {way}':>{len(SIDE)}}" for way in ways),
        f"{'ranks':>6}{'images':>8}{'ms':>13}" + f"  {SIDE}" * len(ways),
    ]
    for pair in scale.steps(most):
        start = f"{pair[0].ranks:6d}{pair[0].part:8d}{1e3 * pair[0].compute:13,.2f}"
        lines.append("  ".join([start, *map(_side, pair)]))
    rank = scale.rank
    return "\n".join(
        [
            *lines,
            "",
            "%: of so many times the images/s of one rank",
            f"assumed: {PASSES} times the multiply-adds of the forward, {FLOPS} flops each, at "
            f"{rank.flops / 1e12:g} Tflop/s (--tflops);",
            f"{1e6 * rank.latency:g} µs a message (--latency) and its bytes at "
            f"{rank.bandwidth / 1e9:g} GB/s (--bandwidth); ranks in a ring, and no exchange while "
            "they compute",
        ]
    )


def _described(step: Step) -> dict[str, Any]:
    return asdict(step) | {
        "seconds": step.seconds,
        "images_per_second": step.images_per_second,
        "efficiency": step.efficiency,
    }


def _side(step: Step) -> str:
    return (
        f"{step.messages:9,d}{step.sent / 2**20:8,.2f}{1e3 * step.exchange:9,.2f}"
        f"{step.images_per_second:12,.1f}{100 * step.efficiency:6.1f}"
    )

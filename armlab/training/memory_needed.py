"""What a run needs of the machine, reckoned from its settings before anything large is made.

    weights   = (2 + m) P            weights, gradients, m numbers of the optimiser for each    (1)
    features  = Σ outputs            of all calls of a forward pass: backward goes over them    (2)
    a step   >= weights + features                                                              (3)
    an epoch >= 32 bytes a step      a Python number and its place in the list of losses        (4)

P and (2) come from dry runs on shapes alone, see `armlab.cost`. Both are quadratic in the channels,
as a kernel has channels in times channels out, and three narrow networks say which quadratic: the
wide one is not drawn. (3) is a lower bound, so nothing is refused that would fit: measured peaks
were 1.2 to 1.8 times (2) where features make most of them.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from armlab.cost.dry_run import dry_run
from armlab.cost.shape_array import ShapeArray
from armlab.machine_memory import expect_room
from armlab.training.config import Config
from armlab.training.start import make_net

WIDTHS = (8, 16, 32)
STATES = {"adam": 2, "sgd": 1}
LOSS_BYTES = 32  # (4)


def expect_memory(config: Config) -> None:
    """Raise ValueError where a step, or the losses of an epoch, do not fit into this machine.

    On a GPU the images of a batch alone are asked for: it says itself what it has no room for.
    """
    height, width = config.size
    expect_room(
        step_bytes(config),
        f"a step with batch {config.batch}, size {height}x{width} and channels {config.channels}",
        "give less of one of these",
    )
    expect_room(
        LOSS_BYTES * config.epoch,
        f"an epoch, a tenth of {config.steps} steps,",
        "give fewer --steps",
    )


def step_bytes(config: Config) -> int:
    """(3), at the width that the config has."""
    if config.device.startswith("cuda"):
        return config.batch * 3 * config.size[0] * config.size[1] * 4
    return _quadratic(
        [(width, _narrow_bytes(replace(config, channels=width))) for width in WIDTHS],
        config.channels,
    )


def _narrow_bytes(config: Config) -> int:
    net = make_net(config)
    weights: int = sum(a.nbytes for a in net.parameters().values())
    run = dry_run(net, (config.batch, 3, *config.size))
    outputs: set[ShapeArray] = {a for call in run.calls for a in call.values.values()}
    return (2 + STATES[config.optimiser]) * weights + sum(a.bytes for a in outputs)


def _quadratic(points: list[tuple[int, int]], x: int) -> int:
    """The value at x of the polynomial through the points, as Lagrange writes it."""
    total = Fraction(0)
    for x_i, y_i in points:
        term = Fraction(y_i)
        for x_j, _ in points:
            if x_j != x_i:
                term *= Fraction(x - x_j, x_i - x_j)
        total += term
    return max(int(total), 0)

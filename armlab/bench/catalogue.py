"""What `armlab bench` times: one record a row."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from typing import Any

from armlab.bench import GROUPS
from armlab.bench.timed_call import Shape, TimedCall


def _conv(
    name: str, x: Shape, k: int, kernel: int = 3, group: str = "convolutions", **more: Any
) -> TimedCall:
    """A convolution that keeps the size at stride 1; what is no option of conv2d is the row's."""
    own = {key: more.pop(key) for key in ("no_grad", "series", "size") if key in more}
    padding = more.get("dilation", 1) * (kernel // 2)
    w = (k, x[1] // more.get("groups", 1), kernel, kernel)
    return TimedCall(name, group, "conv2d", {"x": x, "w": w}, {"padding": padding, **more}, **own)


def _arm(name: str, x: Shape, k: int, group: str = "arm", **own: Any) -> TimedCall:
    options = {"in_channels": x[1], "out_channels": k}
    return TimedCall(name, group, "AttentionRefinementModule", {"x": x}, options, **own)


def _training(
    name: str, call: str, x: Shape, group: str = "training", optimise: bool = True, **options: Any
) -> TimedCall:
    own: dict[str, Any] = {"no_grad": ("x",), "loss": True, "optimise": optimise}
    return TimedCall(name, group, call, {"x": x}, {"classes": 3, **options}, **own)


X = (8, 32, 64, 64)

CONVOLUTIONS = [
    _conv("conv3x3-stem", (8, 3, 64, 64), 32, no_grad=("x",), series="conv3x3"),
    _conv("conv3x3-32-64", X, 64, series="conv3x3"),
    _conv("conv3x3-64-64", (16, 64, 32, 32), 64, series="conv3x3"),
    _conv("conv3x3-128-128", (8, 128, 16, 16), 128, series="conv3x3"),
    _conv("conv3x3-arm32", (2, 512, 32, 64), 128, series="conv3x3"),
    _conv("conv3x3-arm16", (2, 256, 64, 128), 128, series="conv3x3"),
    _conv("conv-stride2", X, 64, stride=2),
    _conv("conv-stride2-stem", (8, 3, 128, 128), 32, stride=2, no_grad=("x",)),
    _conv("conv-1x1", (8, 64, 64, 64), 64, kernel=1),
    _conv("conv-7x7-stem", (2, 3, 128, 128), 64, kernel=7, stride=2, no_grad=("x",)),
    _conv("conv-dilated", X, 64, dilation=2),
    _conv("conv-groups4", X, 64, groups=4),
    _conv("conv-depthwise", X, 32, groups=32),
]
ARMS = [
    _arm("arm32", (2, 512, 32, 64), 128),
    _arm("arm16", (2, 256, 64, 128), 128),
]
TRAINING = [  # batch × side - channels
    _training("toy-8x64-32", "ToyNet", (8, 3, 64, 64), attention="arm", channels=32),
    _training("toy-8x64-64", "ToyNet", (8, 3, 64, 64), attention="arm", channels=64),
    _training("toy-16x128-64", "ToyNet", (16, 3, 128, 128), attention="arm", channels=64),
    _training("toy-bisenet", "ToyBiSeNet", (8, 3, 64, 64)),
]
NETWORK = [
    _training("bisenet", "BiSeNet", (2, 3, 360, 640), "network", optimise=False, classes=19),
]
BATCHES = (1, 2, 4, 8)
MAPS = ((32, 64), (64, 128), (128, 256), (256, 512))  # a quarter of images up to 1024×2048
SCALING = [
    *(_conv(f"conv-batch-{n}", (n, 32, 64, 64), 32, group="scaling", series="conv-batch", size=n)
      for n in BATCHES),
    *(_conv(f"conv-map-{h}x{w}", (1, 16, h, w), 16, group="scaling", series="conv-map", size=h * w)
      for h, w in MAPS),
    *(_arm(f"arm-batch-{n}", (n, 32, 64, 64), 32, "scaling", series="arm-batch", size=n)
      for n in (2 * n for n in BATCHES)),  # a batch of 1 leaves its batch norm a single value
    *(_arm(f"arm-map-{h}x{w}", (2, 16, h, w), 16, "scaling", series="arm-map", size=h * w)
      for h, w in MAPS),
]  # fmt: skip
OWN = [*CONVOLUTIONS, *ARMS, *TRAINING, *NETWORK, *SCALING]


@cache
def timed_calls() -> dict[str, TimedCall]:
    """All rows by name: those that a case has of its function or module, and those above."""
    from armlab.check.cases import CASES  # not above: a worker chooses its cores before NumPy loads

    operations = [
        TimedCall(t.name or name, "operations", name, t.inputs, t.options, t.constants)
        for name, case in CASES.items()
        for t in case.timed
    ]
    return {row.name: row for row in operations + OWN}


WITHOUT_OPPONENT = {  # name: group, what is measured; see `armlab.bench.without_opponent`
    "side-by-side": ("training", "the first toy step in two processes at once, against in one"),
    "import": ("start-up", "from armlab import hand, where numpy is imported already"),
    "help": ("start-up", "armlab --help, the whole process"),
}


def groups() -> dict[str, str]:
    """The group of each row, in the order in which they are run."""
    found = {row.name: row.group for row in timed_calls().values()}
    found |= {name: group for name, (group, _) in WITHOUT_OPPONENT.items()}
    return dict(sorted(found.items(), key=lambda item: GROUPS.index(item[1])))


def about(name: str) -> str:
    """What a row measures, in words."""
    return timed_calls()[name].about if name in timed_calls() else WITHOUT_OPPONENT[name][1]


def chosen(names: Iterable[str], group: str | None = None) -> list[str]:
    """Rows by name or by series, of one group or of all; no names are all of them.

    Raises ValueError for a name that is neither, or where nothing is left.
    """
    known, wanted = groups(), list(names)
    series_of = {name: row.series for name, row in timed_calls().items() if row.series}
    series = set(series_of.values())
    for name in wanted:
        if name not in known and name not in series:
            near = difflib.get_close_matches(name, [*known, *series], n=3)
            hint = f"did you mean {' or '.join(near)}" if near else "armlab bench --list has them"
            raise ValueError(f"no row {name!r}: {hint}")
    found = [
        name
        for name in known
        if not wanted or name in wanted or series_of.get(name) in wanted
        if group in (None, known[name])
    ]
    if not found:
        raise ValueError(f"no row of group {group} has such a name: leave out --group")
    return found

"""How fast the code by hand is next to PyTorch: one bar a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from armlab.plots.style import BLACK, BLUE, GREEN, ORANGE, SKY, new_figure
from armlab.whole_file import FilePath

THREAD_COLOURS = (BLUE, ORANGE, GREEN, SKY)


def ratios(
    rows: Sequence[Mapping[str, Any]],
    path: FilePath,
    before: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Time by hand over torch's on a log axis, a bar for each row and number of threads.

    rows    of `armlab.bench.whole_run.measure`; those without a ratio to torch are left out
    before  rows of an earlier run: a circle where each bar ended then

    The whisker spans the quartiles. Raises ValueError where no row has such a ratio.
    """
    shown = _ratios(rows)
    if not shown:
        raise ValueError("there is no ratio to draw: choose rows that both sides run")
    names = list(dict.fromkeys(name for name, _ in shown))
    threads = sorted({count for _, count in shown})
    height = 0.8 / len(threads)
    figure = new_figure(8, 0.9 + 0.26 * len(names) * max(1, len(threads) * 0.75))
    ax = figure.subplots()
    earlier = _ratios(before)
    for turn, count in enumerate(threads):
        here = {name: r for (name, n), r in shown.items() if n == count}
        at = [names.index(name) + (turn - (len(threads) - 1) / 2) * height for name in here]
        medians = [r["median"] for r in here.values()]
        ax.barh(
            at,
            [m - 1 for m in medians],  # from the line of 1, on which both are as fast
            height,
            left=1,
            color=THREAD_COLOURS[turn % len(THREAD_COLOURS)],
            label=f"{count} thread{'s' * (count > 1)}",
        )
        ax.hlines(at, [r["low"] for r in here.values()], [r["high"] for r in here.values()], BLACK)
        old = [
            (earlier[name, count], y)
            for name, y in zip(here, at, strict=True)
            if (name, count) in earlier
        ]
        if old:
            circles = ax.plot([r["median"] for r, _ in old], [y for _, y in old], "o")
            circles[0].set(mfc="none", mec="0.3", ms=4, label="before" if turn == 0 else None)
    ax.axvline(1, color=BLACK, lw=1)
    _label(ax, names)
    figure.legend(loc="outside lower center", ncols=len(threads) + 1, frameon=False)
    figure.savefig(path, dpi=150)


def _ratios(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], dict[str, float]]:
    return {
        (row["name"], row["threads"]): row["ratio"]["both"]
        for row in rows
        if "torch" in row.get("ms", {})
    }


def _label(ax: Any, names: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(
        yticks=range(len(names)),
        yticklabels=names,
        ylim=(len(names) - 0.4, -0.6),
        xlabel="Time by hand over PyTorch's (log scale); left of 1 by hand is faster",
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)

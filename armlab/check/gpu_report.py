"""`make gpu`: the GPU tests, the table and the training on CuPy, written to gpu-report.md."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import subprocess
import sys
import time
from pathlib import Path

from armlab.arrays import place
from armlab.check import table

REPORT, TESTS = Path("gpu-report.md"), Path("tests")


def main() -> int:
    """Run everything on "cuda" and write the report. 1 where that cannot be or a part fails."""
    if not TESTS.is_dir():
        print(f"no report: no {TESTS} here, use a clone of the repository", file=sys.stderr)
        return 1
    try:
        where = place("cuda")
    except RuntimeError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    tests, seconds = _run([sys.executable, "-m", "pytest", "-q", "-m", "gpu", str(TESTS)])
    rows = list(table.rows(examples=100, place=where))
    train = ["train", "--backend", "cupy", "--device", "cuda", "--json"]
    trained, train_seconds = _run([sys.executable, "-m", "armlab", *train])
    good = tests.returncode == trained.returncode == 0 and all(row.holds for row in rows)
    REPORT.write_text(
        "\n".join(
            [
                f"# Run on a GPU: {'all well' if good else 'FAILED'}",
                "",
                f"{datetime.date.today()}, made by `make gpu`.",
                "",
                *_versions(),
                "",
                f"- `pytest -m gpu`: {tests.stdout.strip().splitlines()[-1]}, {seconds:.0f} s",
                f"- `armlab {' '.join(train)}`: exit {trained.returncode}, {train_seconds:.0f} s",
                "",
                *_training(trained),
                "",
                "Largest error over its bound, by hand on CuPy against float64, 100 examples each:",
                "",
                *_errors(rows),
            ]
        )
        + "\n",
        encoding="utf-8",
    )
    print(f"written to {REPORT}: {'all well' if good else 'FAILED'}")
    return 0 if good else 1


def _run(command: list[str]) -> tuple[subprocess.CompletedProcess[str], float]:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done, time.perf_counter() - started


def _versions() -> list[str]:
    import cupy

    device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    found = [f"- device: {device}, CUDA runtime {cupy.cuda.runtime.runtimeGetVersion()}"]
    for name in ("armlab", "numpy", "cupy-cuda12x", "torch", "array-api-compat"):
        try:
            found.append(f"- {name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"- {name}: not under this name")
    return found


def _training(trained: subprocess.CompletedProcess[str]) -> list[str]:
    if trained.returncode:
        return [f"The training failed: {trained.stderr.strip().splitlines()[-1]}"]
    runs = json.loads(trained.stdout)["runs"]
    lines = ["| attention | mIoU | A against B | parameters | seconds |", "|---|---|---|---|---|"]
    return lines + [
        f"| {name} | {r['miou']:.3f} | {r['told_apart']:.3f} | {r['parameters']} "
        f"| {r['seconds']:.1f} |"
        for name, r in runs.items()
    ]


def _errors(rows: list[table.ResultRow]) -> list[str]:
    worst: dict[tuple[str, str], table.ResultRow] = {}
    for row in rows:
        key = (row.module, row.dtype)
        if key not in worst or row.hand_ratio >= worst[key].hand_ratio:
            worst[key] = row
    lines = ["| module | dtype | result | error / bound |", "|---|---|---|---|"]
    return lines + [
        f"| {r.module} | {r.dtype} | {r.result} | {r.hand_ratio:.2f} |" for r in worst.values()
    ]


if __name__ == "__main__":
    sys.exit(main())

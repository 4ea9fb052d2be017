"""Two runs that differ in their attention alone, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from armlab import plots
from armlab.hand.group import Group
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.evaluation import gallery
from armlab.training.loop import RunProgress, resume, train
from armlab.training.run import Run
from armlab.training.run_files import COMPARISON, refuse_earlier_run, write_json
from armlab.training.run_lock import one_run_in
from armlab.whole_file import FilePath

ATTENTIONS = ("none", "arm")


def compare(
    config: Config,
    out: FilePath,
    progress: RunProgress | None = None,
    group: Group | None = None,
) -> dict[str, Any]:
    """Train without attention and then with ARM, into out/none and out/arm.

    The result of each run by its name, also in out/comparison.json; curves.png and attention.png
    show both. Raises what `train` raises.
    """
    configs = [replace(config, attention=name) for name in ATTENTIONS]  # both checked first
    out = Path(out)
    with one_run_in(out):
        refuse_earlier_run(out)
        return _finish(out, [train(c, out / c.attention, progress, group) for c in configs])


def resume_comparison(
    out: FilePath,
    progress: RunProgress | None = None,
    data: FilePath | None = None,
    group: Group | None = None,
) -> dict[str, Any]:
    """Go on with a comparison that was interrupted: the run begun, then the one not begun.

    data  where its folder of images lies now, if it has moved
    """
    out, runs = Path(out), list[Run]()
    checkpoint.expect(out / ATTENTIONS[0] / CHECKPOINT)
    with one_run_in(out):
        for name in ATTENTIONS:
            if (out / name / CHECKPOINT).exists():
                runs.append(resume(out / name, progress, data, group))
            else:
                config = replace(runs[0].config, attention=name)
                runs.append(train(config, out / name, progress, group))
        return _finish(out, runs)


def _finish(out: Path, runs: list[Run]) -> dict[str, Any]:
    results = {run.config.attention: run.result() for run in runs}
    write_json(out / COMPARISON, results)
    shown = {run.config.attention: gallery(run.learner, run.dataset) for run in runs}
    arm = shown["arm"]
    told = [runs[0].dataset.classes[k] for k in runs[0].dataset.told_apart]
    plots.curves({run.config.attention: run.history for run in runs}, out / "curves.png", told)
    plots.attention(
        arm.images,
        arm.labels,
        {name: s.predictions for name, s in shown.items()},
        arm.gates,
        out / "attention.png",
        runs[0].dataset,
    )
    return results

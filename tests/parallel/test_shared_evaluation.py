"""Ranks that share the test images out count what rank 0 alone would have counted, to the pixel."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import Images
from processes import SECONDS, TORCHRUN
from sum_of_counts import counts_of

from armlab.parallel.threads import ThreadGroup, in_threads
from armlab.training import ranks
from armlab.training import run as run_module
from armlab.training.config import Config
from armlab.training.evaluation import evaluate
from armlab.training.loop import resume, train
from armlab.training.rank_learner import RankLearner
from armlab.training.run import Run
from armlab.training.start import make_learner

TIMES = ("seconds", "images_per_second")  # the columns of a history that no seed settles


class Alone:
    """Counts, behind each evaluation of a run, what one process with rank 0's network counts.

    stop  the step behind which the run ends, as by Ctrl-C: with the step's evaluation, if any
    """

    def __init__(self, stop=None):
        self.stop, self.evaluations = stop, 0

    def begin(self, run): ...
    def end(self): ...

    def step(self, run, loss):
        if run.step == self.stop and not run.config.ends_epoch(run.step):
            run.save()
            raise KeyboardInterrupt

    def epoch(self, run, row):
        learner = make_learner(run.config)
        learner.load_state_dict(run.learner.state_dict())
        alone = evaluate(learner, run.dataset)
        assert run.confusion == alone.counts.tolist()
        assert row["miou"] == (alone.mean_iou() if alone.counts.any() else None)
        self.evaluations += 1
        if run.step == self.stop:
            raise KeyboardInterrupt


def together(size, data, work):
    """What `work(group)` returns on rank 0, the others following; on these data, undrawn."""

    def on(group):
        if group.rank:
            return ranks.follow(group)
        run = work(group)
        ranks.dismiss(group)
        return run

    with pytest.MonkeyPatch.context() as patch:
        for module in (run_module, ranks):
            patch.setattr(module, "make_dataset", lambda config: data)
        patch.setattr("armlab.training.loop._draw", lambda run: None)
        return in_threads(size, on)[0]


def config_of(**more):
    return Config(**{"attention": "none", "batch": 5, "channels": 4, "dtype": "float64"} | more)


def settled(history):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in history]


@given(
    size=st.integers(1, 4),
    void=st.lists(st.booleans(), min_size=1, max_size=12),
    void_test=st.lists(st.booleans(), max_size=6),
    sync=st.booleans(),
    steps=st.integers(1, 23),
    stop=st.integers(1, 22),
)
@settings(max_examples=40)
def test_each_evaluation_is_that_of_rank_0_alone_wherever_a_run_stops_and_goes_on(
    tmp_path_factory, size, void, void_test, sync, steps, stop
):
    out, data = tmp_path_factory.mktemp("runs"), Images(void, void_test)
    config, alone = config_of(steps=steps, sync_batch_norm=sync), Alone()
    whole = together(size, data, lambda group: train(config, out / "whole", alone, group))
    assert alone.evaluations == len(whole.history) == -(-steps // config.epoch)
    if stop < steps:
        with pytest.raises(KeyboardInterrupt):
            together(size, data, lambda g: train(config, out / "parts", Alone(stop), g))
        parts = together(size, data, lambda g: resume(out / "parts", Alone(), group=g))
        assert settled(parts.history) == settled(whole.history)
        assert parts.confusion == whole.confusion


def on_counts(wrong, right=ThreadGroup.sum):
    """A sum over ranks that is wrong for integers alone: gradients are added up as they should."""
    return lambda self, a: wrong(self, a) if a.dtype == np.int64 else right(self, a)


def wrong_share(choose, right=Images.testing):
    return lambda self, rank=0, size=1: right(self, *choose(rank, size))


FAULTS = {
    "each its own counts": (ThreadGroup, "sum", on_counts(lambda self, a: a)),
    "the mean of the counts": (
        ThreadGroup,
        "sum",
        on_counts(lambda self, a: self.gather(a).mean(0)),
    ),
    "each its own statistics": (RankLearner, "take_statistics", lambda self: None),
    "each all images": (Images, "testing", wrong_share(lambda rank, size: (0, 1))),
    "all the first share": (Images, "testing", wrong_share(lambda rank, size: (0, size))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_version_is_noticed(fault, tmp_path, monkeypatch):
    data, config = Images([False], [False] * 5), config_of(steps=4)
    together(3, data, lambda group: train(config, tmp_path / "right", Alone(), group))
    monkeypatch.setattr(*FAULTS[fault])
    with pytest.raises(AssertionError):
        together(3, data, lambda group: train(config, tmp_path / "wrong", Alone(), group))


def test_threads_and_processes_add_counts_up_that_no_float_holds(tmp_path):
    expected = [[2**54 + 2, 2**61 + 1], [1, 1]]  # of those in sum_of_counts.py
    for found in in_threads(2, lambda group: group.sum(counts_of(group.rank))):
        assert found.dtype == np.int64
        assert found.tolist() == expected
    done = subprocess.run(
        [sys.executable, *TORCHRUN, Path(__file__).with_name("sum_of_counts.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert done.stdout.splitlines() == [f"int64 {expected}"] * 2


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_two_processes_note_what_one_finds_in_their_run(backend, started):
    job = started("--steps", 20, "--batch", 5, "--processes", 2, "--backend", backend)
    assert job.end() == (0, [])
    run = Run.resume(job.folder / "run")
    alone = evaluate(run.learner, run.dataset)
    assert alone.counts.sum() > 0
    assert run.confusion == alone.counts.tolist()
    assert [float(job.column(name)[-1]) for name in ("miou", "told_apart")] == [
        alone.mean_iou(),
        alone.accuracy_among(run.dataset.told_apart),
    ]

"""The grid: it goes on where it stopped, compares seed by seed, and claims no more than it saw."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from armlab import cli, plots
from armlab.commands.ablate import _grid, _seeds
from armlab.data import generated
from armlab.training import ablation, ablation_text, checkpoint
from armlab.training.ablation import Grid, run_grid
from armlab.training.config import Config
from armlab.training.findings import findings
from armlab.training.grid_run import side_by_side
from armlab.training.run import Run, TrainingError

SETTINGS = {"steps": 4, "batch": 2, "size": 48, "channels": 4}
GRID = Grid(Config(**SETTINGS), ("none", "arm"), (3, 1))
FAST = ["--steps", "3", "--batch", "2", "--size", "48"]


@pytest.fixture(autouse=True)
def few_test_scenes(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generated, "TEST_SCENES", 8)


@pytest.fixture(autouse=True)
def pictures_are_empty(monkeypatch, request):
    """A grid draws many; the tests with `picture` in their name draw them."""
    if "picture" not in request.node.name:
        monkeypatch.setattr(plots, "attention", lambda *arguments: arguments[4].touch())
        for name in ("curves", "ablation"):
            monkeypatch.setattr(plots, name, lambda *arguments: None)


class Watcher:
    """Progress that notes what was begun, and interrupts at one step of one run."""

    def __init__(self, stop_at: tuple[str, int, int] | None = None) -> None:
        self.stop_at, self.begun, self.records = stop_at, list[tuple[str, int]](), list[Any]()

    def run(self, config: Config) -> "Watcher":
        self.begun.append((config.attention, config.seed))
        return self

    def done(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def begin(self, run: Run) -> None: ...
    def end(self) -> None: ...
    def epoch(self, run: Run, row: dict[str, Any]) -> None: ...

    def step(self, run: Run, loss: float) -> None:
        if (run.config.attention, run.config.seed, run.step) == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)


def timeless(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    times = ("seconds", "seconds_per_step")
    return [{key: x for key, x in r.items() if key not in times} for r in records]


def weights(out: Path) -> dict[str, bytes]:
    return {
        f"{path.parent.relative_to(out)} {key}": a.tobytes()
        for path in sorted(out.rglob("checkpoint.npz"))
        for key, a in checkpoint.load(path)[0].items()
    }


# -- running -----------------------------------------------------------------------------------


def test_an_interrupted_grid_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    whole = run_grid(GRID, tmp_path / "whole", Watcher())
    first = Watcher(stop_at=("arm", 3, 3))
    with pytest.raises(KeyboardInterrupt):
        run_grid(GRID, tmp_path / "parts", first)
    assert first.begun == [("none", 3), ("arm", 3)]  # seed by seed
    assert ablation.load_grid(tmp_path / "parts") == GRID
    second = Watcher()
    parts = run_grid(ablation.load_grid(tmp_path / "parts"), tmp_path / "parts", second)
    assert second.begun == [("arm", 3), ("none", 1), ("arm", 1)]  # the finished one is not
    assert timeless(parts) == timeless(whole) == timeless(second.records)
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    third = Watcher()
    run_grid(GRID, tmp_path / "whole", third)
    assert third.begun == []


def test_more_seeds_and_attentions_may_be_asked_for_later(tmp_path):
    few = run_grid(Grid(GRID.config, ("none",), (1,)), tmp_path, Watcher())
    watcher = Watcher()
    more = run_grid(Grid(GRID.config, ("none", "arm"), (0, 1)), tmp_path, watcher)
    assert watcher.begun == [("none", 0), ("arm", 0), ("arm", 1)]
    assert few[0] in more


def test_other_settings_are_refused_and_nothing_is_touched(tmp_path):
    run_grid(Grid(GRID.config, ("none",), (1,)), tmp_path, Watcher())
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    other = Grid(Config(**SETTINGS | {"steps": 5}), ("none",), (1,))
    with pytest.raises(RuntimeError, match=r"holds a grid with steps 4, and this one has steps 5"):
        run_grid(other, tmp_path, Watcher())
    (tmp_path / "grid.json").unlink()
    with pytest.raises(RuntimeError, match="none/seed1 holds a run of other settings"):
        run_grid(other, tmp_path, Watcher())
    (tmp_path / "grid.json").unlink()
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert after == {p: data for p, data in before.items() if p.name != "grid.json"}


def test_a_run_without_its_pictures_is_not_finished(tmp_path):
    grid = Grid(GRID.config, ("none",), (1,))
    run_grid(grid, tmp_path, Watcher())
    (tmp_path / "none" / "seed1" / "attention.png").unlink()
    watcher = Watcher()
    run_grid(grid, tmp_path, watcher)
    assert watcher.begun == [("none", 1)]
    assert (tmp_path / "none" / "seed1" / "attention.png").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no grid to go on with in .*grid.json: No such file"),
        ("{", "grid.json is damaged or of another armlab"),
        ('{"attentions": ["none"], "seeds": [0], "settings": {"depth": 3}}', "is damaged or of an"),
        ('{"attentions": ["none"], "seeds": [], "settings": {}}', "at least one attention and one"),
    ],
)
def test_a_grid_that_cannot_be_read_is_a_sentence(tmp_path, text, words):
    if text is not None:
        (tmp_path / "grid.json").write_text(text)
    with pytest.raises(RuntimeError, match=words):
        ablation.load_grid(tmp_path)


def test_an_impossible_run_is_refused_before_the_first_begins(tmp_path):
    with pytest.raises(ValueError, match="expected a batch of at least 2 with attention arm"):
        Grid(Config(**SETTINGS | {"batch": 1, "attention": "none"}), ("none", "arm"), (0,))


# -- side by side ------------------------------------------------------------------------------


def test_side_by_side_gives_the_same_weights(tmp_path):
    grid = Grid(Config(**SETTINGS | {"steps": 2}), ("none", "arm"), (0,))
    run_grid(grid, tmp_path / "one", Watcher())
    run_grid(grid, tmp_path / "two", Watcher(), jobs=2)
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one == two
    assert len(one) > 60


def test_side_by_side_an_error_stops_the_others_with_their_checkpoints(tmp_path, capfd):
    grid = Grid(Config(**SETTINGS | {"steps": 4000}), ("none", "arm"), (0,))
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "seed0").write_text("in the way")
    with pytest.raises(TrainingError, match=r"the run in .*none/seed0 ended with exit code 1"):
        list(side_by_side(list(grid.configs()), tmp_path, 2))
    error = capfd.readouterr().err
    assert re.search(r"^none seed 0: cannot write into ", error, re.MULTILINE)
    assert "Traceback" not in error


def test_side_by_side_ctrl_c_keeps_every_checkpoint(capsys):
    command = [sys.executable, "-m", "armlab", "ablate", "--seeds", "0", "--jobs", "2"]
    command += ["--steps", "100", "--batch", "2", "--size", "48", "--out", "grid"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        seen = set()
        while len(seen) < 2:  # both have begun
            seen.add(process.stderr.readline().split(b":")[0])
        assert seen == {b"none seed 0", b"arm seed 0"}
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # waits for the children, who hold the pipe
    assert process.returncode == 130
    last = errors.decode().splitlines()[-1]
    assert last == (
        "armlab: interrupted, 0 of 2 runs are finished and all is kept: "
        "go on with  armlab ablate --resume grid"
    )
    assert "Traceback" not in errors.decode()
    for name in ("none", "arm"):
        step = checkpoint.load(Path("grid", name, "seed0", "checkpoint.npz"))[1]["step"]
        assert 10 <= step < 100


# -- findings ----------------------------------------------------------------------------------


def record(attention: str, seed: int, miou: float, told: float | None) -> dict[str, Any]:
    return {"attention": attention, "seed": seed, "miou": miou, "told_apart": told} | {
        "seconds": 1.0,
        "seconds_per_step": 0.25,
        "parameters": 10,
        "steps": 4,
    }


def texts(attentions: tuple[str, ...], records: list[dict[str, Any]]) -> str:
    seeds = tuple(dict.fromkeys(r["seed"] for r in records))
    grid = Grid(Config(**SETTINGS), attentions, seeds)
    found = findings(grid, records)
    text, page = ablation_text.as_text(grid, found), ablation_text.as_markdown(grid, found)
    cells = [re.sub(r"[ |]+", " ", t) for t in (text, page)]
    for line in cells[0].splitlines()[1:-3]:  # both say the same
        assert line in cells[1] or not line
    return cells[0]


def test_a_difference_is_named_where_the_interval_supports_it():
    first = [record("none", s, 0.5 + 0.1 * s, 0.5) for s in range(3)]
    second = [record("arm", s, 0.61 + 0.1 * s + 0.001 * s, 1.0) for s in range(3)]
    text = texts(("none", "arm"), first + second)
    # t(0.975, 2) = 4.3027; 0.1 / √3 · t = 0.248, 0.001 / √3 · t = 0.0025
    assert "none 3 0.600 ± 0.248 0.500 in each" in text
    assert "arm mIoU +0.111 ± 0.002 3 more" in text
    assert "arm A against B +0.500 in each 3 more" in text
    reversed_text = texts(("arm", "none"), first + second)
    assert "none mIoU -0.111 ± 0.002 3 less" in reversed_text


def test_a_difference_that_the_intervals_do_not_support_is_not_seen():
    first = [record("none", s, 0.5, 0.5) for s in range(3)]
    second = [record("arm", s, 0.5 + 0.1 * (s - 0.9), 0.5) for s in range(3)]
    text = texts(("none", "arm"), first + second)
    assert "arm mIoU +0.010 ± 0.248 3 no difference seen" in text
    assert "arm A against B +0.000 in each 3 no difference seen" in text


def test_one_seed_claims_nothing():
    text = texts(("none", "arm"), [record("none", 0, 0.5, None), record("arm", 0, 0.9, 1.0)])
    assert "none 1 0.500 none found" in text
    assert "arm mIoU +0.400 1 one pair: no interval, so nothing is claimed" in text
    assert "arm A against B none 0 no value to compare" in text


def test_one_attention_has_no_differences_and_a_measure_nobody_has_no_column():
    text = texts(("arm",), [record("arm", s, 0.5, None) for s in range(2)])
    assert "Against" not in text
    assert "A against B" not in text


# -- the command -------------------------------------------------------------------------------


def test_the_command_writes_tables_and_a_picture(capsys):
    assert cli.main(["ablate", "--seeds", "0,1", *FAST, "--out", "grid", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["attentions"]) == ["none", "arm"]
    assert found == json.loads(Path("grid/ablation.json").read_text(encoding="utf-8")) | {
        "out": "grid"
    }
    arm = found["attentions"]["arm"]
    assert arm["parameters"] == 35251
    assert arm["multiply_adds"] - found["attentions"]["none"]["multiply_adds"] == 32 * 32
    assert arm["differences"]["miou"]["n"] == 2
    with open("grid/ablation.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["attention"], r["seed"]) for r in rows] == [
        *(("none", "0"), ("arm", "0"), ("none", "1"), ("arm", "1"))
    ]
    assert [float(r["miou"]) for r in rows] == [r["miou"] for r in found["runs"]]
    assert Path("grid/ablation.png").read_bytes().startswith(b"\x89PNG")
    assert (
        Path("grid/ablation.md")
        .read_text(encoding="utf-8")
        .startswith("# Ablation of the attention\n")
    )
    assert cli.main(["ablate", "--resume", "grid"]) == 0
    output = capsys.readouterr()
    assert output.err == ""  # nothing was left to train
    assert "Against none, seed by seed:" in output.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--attention", "none,no-such"], "expected attention none or"),
        (["--steps", "0"], "expected steps of at least 1, got 0"),
        (["--resume", "nowhere"], "there is no grid to go on with in nowhere"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(capsys, arguments, words):
    assert cli.main(["ablate", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--seeds", "x"], ["--jobs", "0"], ["--resume", "grid", "--steps", "9"]]
)
def test_wrong_usage_is_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(["ablate", *arguments])
    assert caught.value.code == 2


def test_seeds_are_ranges_and_numbers():
    assert _seeds("0-2,7,1") == (0, 1, 2, 7)


def test_the_default_is_none_and_arm_with_five_seeds(tmp_path):
    ablation.begin(_grid({}), tmp_path)
    assert ablation.load_grid(tmp_path) == Grid(Config(), ("none", "arm"), (0, 1, 2, 3, 4))

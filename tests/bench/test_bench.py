"""`armlab bench`: what is timed is right first, and what is said of the times follows from them."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from armlab import cli
from armlab.bench import (
    GROUPS,
    agreement,
    bench_tables,
    catalogue,
    hand_side,
    machine,
    memory,
    process,
    race,
    torch_side,
    whole_run,
    without_opponent,
    worker,
)
from armlab.bench.catalogue import timed_calls
from armlab.bench.ready_call import ReadyCall
from armlab.bench.rounds import SIDES, Ratio, exponent, ratio, summary, take_turns
from armlab.check.cases import FUNCTIONS
from armlab.cost import rules
from armlab.plots import bench as plots

LINUX = sys.platform == "linux"
FAST = ["--rounds", "2"]


def bench(capsys, *arguments):
    """Exit code, standard output, the last line of standard error."""
    code = cli.main(["bench", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, (printed.err.splitlines() or [""])[-1]


def document(**medians):
    """A run whose rows have these ratios of hand to torch."""
    rows = [
        {
            "name": name,
            "group": "operations",
            "threads": 1,
            "about": "",
            "skipped": {},
            "ms": {side: dict.fromkeys(("both", "forward", "backward"), ms) for side, ms in sides},
            "ratio": {
                part: {"median": m, "low": m * 0.9, "high": m * 1.1}
                for part in ("both", "forward", "backward")
            },
        }
        for name, m in medians.items()
        for sides in [(("hand", 2 * m), ("torch", 2.0))]
    ]
    peaks = [{"threads": 1, "side": side, "gflops": 50.0, "gbps": 9.0} for side in SIDES]
    return {**machine.facts(), "peaks": peaks, "rows": rows, "series": whole_run.series(rows)}


def written(path, found):
    path.write_text(json.dumps(found))
    return str(path)


# -- the rows ---------------------------------------------------------------------------------


def test_list_names_every_function_and_every_group(capsys):
    code, out, _ = bench(capsys, "--list")
    assert code == 0
    listed = dict(line.split()[:2] for line in out.splitlines())
    assert {case.name for case in FUNCTIONS} <= set(listed)
    assert set(listed.values()) == set(GROUPS)
    assert {"arm32", "bisenet", "conv3x3-stem", "side-by-side", "import", "help"} <= set(listed)


CONVOLUTIONS = [row for row in timed_calls().values() if row.flops]


@pytest.mark.parametrize("row", CONVOLUTIONS, ids=lambda r: r.name)
def test_the_flops_of_a_convolution_are_those_of_armlab_cost(row):
    x, w = (SimpleNamespace(shape=shape) for shape in list(row.inputs.values())[:2])
    assert row.flops == 2 * rules.conv2d(x, w, **row.options).multiply_adds


@pytest.mark.parametrize("row", catalogue.chosen([], "operations"))
def test_both_sides_of_every_operation_agree(row):
    call = timed_calls()[row]
    by_hand = hand_side.ready(call).run()
    found = agreement.errors(torch_side.ready(call, "torch").run(), by_hand)
    assert {"y", *(f"d{name}" for name in call.inputs)} <= set(by_hand) == set(found)
    assert max(found.values()) <= call.bound


def test_rows_are_chosen_by_name_series_and_group():
    assert catalogue.chosen(["relu", "arm32"]) == ["relu", "arm32"]
    assert len(catalogue.chosen(["conv3x3"])) == 6
    assert catalogue.chosen([], "arm") == ["arm32", "arm16"]
    assert set(catalogue.chosen([])) == set(catalogue.groups())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["conv3x3-stam"], "no row 'conv3x3-stam': did you mean conv3x3-stem"),
        (["zzz"], "no row 'zzz': armlab bench --list has them"),
        (["relu", "--group", "arm"], "no row of group arm has such a name"),
        (["relu", "--rounds", "0"], "expected --rounds of at least 1, got 0"),
        (["relu", "--threads", "4096"], "the cores here, got 4096"),
        (["relu", "--threads", "0"], "the cores here, got 0"),
        (["--read", "nowhere.json"], "nowhere.json"),
        (["--read", __file__], "is no run of armlab bench"),
        (["relu", "--compare", __file__], "is no run of armlab bench"),
    ],
)
def test_bad_input_is_one_sentence(capsys, arguments, words):
    code, out, last = bench(capsys, *arguments)
    assert (code, out) == (1, "")
    assert last.startswith("armlab: ")
    assert words in last


# -- the figures ------------------------------------------------------------------------------


class Fake:
    """A side that takes these seconds, one after the other, and notes when it was asked."""

    def __init__(self, name, seconds, asked):
        self.name, self.seconds, self.asked = name, iter(seconds), asked

    def ask(self, do, seconds=None, **arguments):
        assert do == "time"
        self.asked.append(self.name)
        forward = next(self.seconds)
        return {"forward": forward, "backward": 2 * forward}


def test_sides_take_turns_in_rotating_order():
    asked = []
    sides = {
        "hand": Fake("hand", [99, 1, 2, 3], asked),
        "torch": Fake("torch", [99, 2, 2, 2], asked),
    }
    seconds = take_turns(sides, rounds=3, seconds=60)
    assert asked == ["hand", "torch"] + ["hand", "torch", "torch", "hand", "hand", "torch"]
    assert seconds["forward"] == {"hand": [1, 2, 3], "torch": [2, 2, 2]}
    assert seconds["both"]["hand"] == [3, 6, 9]
    found = summary(seconds)
    assert found["rounds"] == 3
    assert found["ms"]["hand"] == {"both": 6e3, "forward": 2e3, "backward": 4e3}
    assert found["ratio"]["both"] == {"median": 1.0, "low": 0.75, "high": 1.25}


def test_a_slow_row_has_fewer_rounds():
    asked = []
    take_turns({"hand": Fake("hand", [1] * 99, asked)}, rounds=50, seconds=0)
    assert len(asked) == 1 + 5


def test_a_ratio_is_taken_within_each_round():
    # The machine is twice as slow in the second half; both sides are, so the ratio stays.
    assert ratio([3, 3, 6, 6], [2, 2, 4, 4]) == Ratio(1.5, 1.5, 1.5)
    assert ratio([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]) == Ratio(3, 2, 4)
    assert ratio([6], [4]) == Ratio(1.5, 1.5, 1.5)


def test_the_best_of_torch_is_the_faster_of_the_two():
    seconds = {
        part: {"hand": [4.0] * 3, "torch": [4.0] * 3, "channels_last": [2.0] * 3, "compiled": c}
        for part, c in dict.fromkeys(("both", "forward", "backward"), [8.0] * 3).items()
    }
    best = summary(seconds)["best"]
    assert (best["side"], best["ratio"]["median"]) == ("channels_last", 2.0)


def test_the_exponent_of_known_times():
    assert exponent([1, 2, 4, 8], [3, 6, 12, 24]) == pytest.approx(1)
    assert exponent([1, 10, 100], [5, 500, 50_000]) == pytest.approx(2)
    rows = [
        {
            "name": name,
            "threads": 1,
            "ms": {s: {"both": 7.0 * timed_calls()[name].size} for s in SIDES},
        }
        for name in catalogue.chosen(["conv-map"])
    ]
    (found,) = whole_run.series(rows)
    assert found["exponents"] == {side: pytest.approx(1) for side in SIDES}


def test_the_geometric_mean_of_the_convolutions():
    names = catalogue.chosen(["conv3x3"])
    (found,) = document(**dict(zip(names, [0.5, 2, 4, 0.25, 1, 8], strict=True)))["series"]
    assert found == {"series": "conv3x3", "threads": 1, "rows": 6, "mean": pytest.approx(2**0.5)}


# -- agreement before time --------------------------------------------------------------------


def test_how_far_results_are_apart():
    want = np.array([3.0, 4.0], "float32")
    near = want + np.array([0.0, 5e-4], "float32")
    found = agreement.errors({"y": near, "dx": want, "dw": want}, {"y": want, "dx": want * np.nan})
    assert found["y"] == pytest.approx(1e-4, rel=1e-3)
    assert found["dx"] == found["dw"] == float("inf")
    assert agreement.errors({"y": 0 * want}, {"y": 0 * want}) == {"y": 0}
    assert agreement.errors({"y": want}, {"y": 0 * want}) == {"y": 1}
    assert agreement.errors({"y": want}, {"y": want[:1]}) == {"y": float("inf")}


@pytest.mark.parametrize("name", ["batch_norm", "conv-depthwise", "arm-batch-2", "toy-8x64-32"])
def test_both_sides_run_the_same(name):
    from armlab.bench import torch_side

    by_hand = hand_side.ready(timed_calls()[name]).run()
    for side in ("torch", "channels_last"):
        errors = agreement.errors(torch_side.ready(timed_calls()[name], side).run(), by_hand)
        assert list(errors) == list(by_hand)
        assert max(errors.values()) <= timed_calls()[name].bound


def plant(monkeypatch, code):
    """Start every worker with this line before its work; `good` is the relu by hand."""
    imports = "import sys; from armlab import hand; from armlab.bench.worker import main"
    lines = [imports, "good = hand.relu", code, "main(*sys.argv[1:])"]
    monkeypatch.setattr(process, "START", [sys.executable, "-c", "\n".join(lines)])


def rows_of(out):
    return {row["name"]: row for row in json.loads(out)["rows"]}


def test_sides_that_disagree_are_not_timed(capsys, monkeypatch):
    plant(
        monkeypatch,
        """
def wrong(x):
    y, backward = good(x)
    return y, lambda dy: 1.001 * backward(dy)
hand.relu = wrong
""",
    )
    code, out, last = bench(capsys, "relu", "channel_conv1d", "--json", *FAST)
    assert code == 1
    assert last.startswith("armlab: relu was not timed: dx by hand and of torch are 0.001 apart")
    rows = rows_of(out)
    assert rows["relu"]["not_timed"] in last
    assert "ms" not in rows["relu"]
    assert "ms" in rows["channel_conv1d"]


def test_a_side_that_fails_is_one_sentence(capsys, monkeypatch):
    plant(monkeypatch, "hand.relu, hand.sigmoid = None, lambda a: sys.exit(3)")
    code, out, last = bench(capsys, "relu", "sigmoid", "strip_mean", "--json", *FAST)
    assert code == 1
    assert last.startswith("armlab: relu was not timed: hand failed: TypeError: 'NoneType'")
    assert last.endswith("sigmoid was not timed: the process of hand ended, exit code 3")
    assert "ms" in rows_of(out)["strip_mean"]  # by a new process
    plant(monkeypatch, "sys.exit(4)")
    assert bench(capsys, "relu", *FAST)[2] == "armlab: the process of hand ended, exit code 4"


# -- the whole --------------------------------------------------------------------------------


def test_a_run_as_json_and_what_is_made_of_it(capsys, tmp_path):
    code, out, last = bench(capsys, "channel_conv1d", "--memory", "--json", *FAST)
    assert (code, last) == (0, "channel_conv1d, 1 thread")
    found = json.loads(out)
    assert {"processor", "cores", "load"} <= set(found["machine"])
    assert found["versions"]["numpy"] == np.__version__
    assert [p["side"] for p in found["peaks"]] == ["hand", "torch"]
    assert all(p["gflops"] > 0.1 and p["gbps"] > 0.1 for p in found["peaks"])
    (row,) = found["rows"]
    assert (row["name"], row["threads"], row["rounds"]) == ("channel_conv1d", 1, 2)
    assert row["errors"]["torch"] < 1e-5
    for ms in row["ms"].values():
        assert 0 < ms["forward"] < ms["both"] < 1e3
    assert row["ratio"]["both"]["low"] <= row["ratio"]["both"]["median"]
    assert set(row["memory"]) == {"hand", "torch"}

    path = written(tmp_path / "run.json", found)
    code, out, _ = bench(capsys, "--read", path)
    assert code == 0
    assert found["machine"]["processor"] in out
    assert f"channel_conv1d{row['ms']['hand']['both']:>21.3f}" in out
    assert bench(capsys, "relu", "--read", path, "--json")[0] == 0


def test_compare_and_figure(capsys, tmp_path):
    old = written(tmp_path / "old.json", document(relu=3.0, sigmoid=2.0, conv2d=1.0))
    new = written(tmp_path / "new.json", document(relu=1.5, sigmoid=2.5, batch_norm=1.0))
    figure = tmp_path / "ratios.png"
    code, out, _ = bench(capsys, "--read", new, "--compare", old, "--figure", str(figure))
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[1:]}
    assert rows == {
        "relu": ["1", "3.00", "1.50", "0.50", "hand/torch"],
        "sigmoid": ["1", "2.00", "2.50", "1.25", "hand/torch"],
    }
    assert figure.read_bytes().startswith(b"\x89PNG")
    none = written(tmp_path / "none.json", document(channel_max=1.0))
    assert "no row in common" in bench(capsys, "--read", new, "--compare", none)[2]


def test_the_bars_end_at_the_ratios(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        plots, "new_figure", lambda *size: figures.append(new(*size)) or figures[-1]
    )
    rows = document(relu=0.5, sigmoid=2.0)["rows"]
    twice = [row | {"threads": 2} for row in document(relu=0.25)["rows"]]
    plots.ratios(rows + twice, tmp_path / "r.png", document(relu=4.0)["rows"])
    (ax,) = figures[0].axes
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["relu", "sigmoid"]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert ends == pytest.approx([0.5, 2.0, 0.25])
    assert [line.get_xdata()[0] for line in ax.lines] == [4.0, 1]  # before, and the line of 1
    with pytest.raises(ValueError, match="no ratio to draw"):
        plots.ratios([], tmp_path / "none.png")


new = plots.new_figure


def test_the_table_says_what_was_measured():
    found = document(**{"conv3x3-32-64": 1.25, "conv3x3-64-64": 0.8})
    found["rows"][0] |= {
        "peak_share": {"hand": 0.5, "torch": 0.9},
        "best": {"side": "compiled", "ratio": {"median": 1.5, "low": 1.4, "high": 1.6}},
        "memory": {"hand": {"mib": 12.0, "over": 1.5}, "torch": {"mib": 8.0, "over": 1.0}},
    }
    found["rows"][1]["skipped"] = {"compiled": "no C++ compiler is here"}
    found["rows"] += [
        {
            "name": "help",
            "threads": 1,
            "about": "a",
            "ms": {"hand": {"both": 212.4}},
            "target_ms": 300,
        },
        {
            "name": "side-by-side",
            "threads": 1,
            "about": "b",
            "skipped": {"hand": "needs two cores"},
        },
    ]
    words = bench_tables.as_text(found).splitlines()
    assert "1 thread: hand 50 GFLOP/s, 9 GB/s; torch 50 GFLOP/s, 9 GB/s" in words
    rows = [line.split() for line in words if line.startswith("conv3x3")]
    quartiles = ["1.12", "-", "1.38"]
    assert rows[0] == [
        "conv3x3-32-64",
        "2.500",
        "2.000",
        "1.25",
        *quartiles,
        "1.25",
        "1.25",
        "50%",
        "1.50",
        "compiled",
    ]
    assert rows[1][-5:] == ["no", "C++", "compiler", "is", "here"]
    assert rows[2] == ["conv3x3-32-64", "12.0", "8.0", "1.50", "1.50", "1.00"]
    assert " ".join(rows[3]) == "conv3x3 geometric mean of 2 ratios 1.00"
    assert words[-2].split() == ["help", "212", "ms,", "target", "300", "(a)"]
    assert words[-1].split() == ["side-by-side", "left", "out:", "needs", "two", "cores", "(b)"]


# -- processes --------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="asks /proc for the children of a process")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_run(how):
    command = [sys.executable, "-m", "armlab", "bench", "channel_conv1d", "--rounds", "100000"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        while "channel_conv1d" not in run.stderr.readline():
            pass
        children = (
            Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="utf-8").split()
        )
        assert len(children) == 2
        if how == signal.SIGINT:
            os.killpg(run.pid, how)  # as a terminal sends Ctrl-C
        else:
            run.send_signal(how)
        errors = run.communicate(timeout=30)[1]
    if how == signal.SIGINT:
        assert run.returncode == 130
        assert errors == "armlab: interrupted\n"
    end = time.monotonic() + 20
    while any(is_running(child) for child in children):
        assert time.monotonic() < end, "a worker outlives its parent"
        time.sleep(0.05)


def is_running(pid):
    path = Path(f"/proc/{pid}/stat")
    try:
        return path.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_answers_when_its_threads_have_stopped_spinning(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    slept = lambda seconds: setattr(clock, "now", clock.now + seconds)  # noqa: E731
    spinning = SimpleNamespace(sleep=slept, process_time=lambda: min(clock.now, 0.1))
    monkeypatch.setattr(worker, "time", spinning)
    worker.Worker("hand", threads=2).settle()
    assert 0.1 < clock.now < 0.2
    before = clock.now
    worker.Worker("hand", threads=1).settle()
    assert clock.now == before  # nothing spins beside a single thread


@pytest.mark.skipif(not LINUX or len(machine.cores()) < 2, reason="asks /proc; needs two cores")
@pytest.mark.parametrize("side", SIDES)
def test_a_process_that_waits_is_idle(side):
    with process.Process(side, machine.cores()[:2]) as started:
        started.ask("prepare", row="conv-1x1")
        started.ask("time", least=0)
        pid = started._process.pid
        before = cpu_seconds(pid)
        time.sleep(1)
        assert cpu_seconds(pid) - before <= 0.2


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="asks an x86-64 processor"
)
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import torch; print(torch.backends.cpu.get_cpu_capability())", "AVX2"),
        (
            "import numpy, threadpoolctl\n"
            "print({i['architecture'] for i in threadpoolctl.threadpool_info()})",
            "{'Haswell'}",
        ),
        (
            "from numpy._core._multiarray_umath import __cpu_features__ as f\n"
            "print(f['AVX2'], f.get('X86_V4', False), f.get('AVX512_SKX', False))",
            "True False False",
        ),
    ],
)
def test_libraries_leave_avx512_alone_where_they_are_told_to(code, words):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **process.AVX2},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.strip() == words


def test_both_sides_are_held_to_avx2_and_the_run_says_so(capsys, monkeypatch):
    told = []

    class Told(process.Process):
        def __init__(self, side, cores, environment=None):
            told.append((side, environment))
            super().__init__(side, cores, environment)

    monkeypatch.setattr(race, "Process", Told)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    code, out, _ = bench(capsys, "channel_conv1d", "--avx2", "--rounds", "1")
    assert (code, told) == (0, [("hand", process.AVX2), ("torch", process.AVX2)])
    assert "both sides held to AVX2" in out
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    code, _, last = bench(capsys, "channel_conv1d", "--avx2")
    assert (code, last) == (
        1,
        "armlab: --avx2 is for processors of x86-64, and this is arm64: leave it out",
    )


def test_a_turn_begins_with_a_call_that_is_not_timed():
    calls = []
    task = ReadyCall(lambda: (calls.append(0), lambda: None), lambda y, grads: {})
    asked = worker.Worker("hand", threads=1)
    asked.task = task
    asked.time(least=0)
    assert len(calls) == 2


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_side_is_pinned_and_one_that_takes_too_long_is_ended():
    with process.Process("hand", machine.cores()[-1:]) as started:
        started.ask("prepare", seconds=60, row="channel_conv1d")
        if hasattr(os, "sched_getaffinity"):
            assert os.sched_getaffinity(started._process.pid) == {machine.cores()[-1]}
        with pytest.raises(process.SideError, match=r"took over 0.2 s"):
            started.ask("time", seconds=0.2, least=60)
        with pytest.raises(process.SideError, match="ended, exit code -9"):
            started.ask("time", least=0)


@pytest.mark.skipif(not LINUX, reason="only Linux can be asked")
def test_peak_memory_of_a_known_call():
    code = """
import numpy as np
from armlab.bench.memory import peak_extra
from armlab.bench.ready_call import ReadyCall
MIB = 2**17

def forward():  # 24 MiB for a moment, then 8 kept, and 16 of gradients beside them
    np.ones(24 * MIB)
    kept = np.ones(8 * MIB)
    return kept, lambda: np.ones(16 * MIB)

np.ones(64 * MIB)  # earlier, and given back: not part of the call
print(peak_extra(ReadyCall(forward, None)) / 2**20)
"""
    environment = {**os.environ, **memory.ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == pytest.approx(24, abs=1)


@pytest.mark.skipif(len(machine.cores()) < 2, reason="needs two cores")
def test_side_by_side(monkeypatch):
    monkeypatch.setattr(without_opponent, "TURN", 0.1)
    found = without_opponent.measure("side-by-side", rounds=1)
    assert found["ratio"]["both"]["median"] > 0.2
    monkeypatch.setattr(without_opponent, "cores", lambda: [0])
    assert "two cores" in without_opponent.measure("side-by-side", rounds=1)["skipped"]["hand"]


def test_start_up(monkeypatch):
    monkeypatch.setattr(without_opponent, "FRESH", 1)
    for name, target in {"import": 150, "help": 300}.items():
        found = without_opponent.measure(name, rounds=1)
        assert found["target_ms"] == target
        assert found["ms"]["hand"]["both"] > 1


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("from armlab.cli import main; main(['--help'])", ("numpy", "torch", "matplotlib", "cupy")),
        ("from armlab.cli import main; main(['bench', '--list'])", ("torch", "cupy", "matplotlib")),
        ("import armlab.bench.whole_run", ("numpy", "torch", "cupy")),
        ("from armlab import hand", ("torch", "matplotlib", "cupy", "scipy", "hypothesis")),
    ],
)
def test_start_up_loads_nothing_heavy(line, heavy):
    code = f"""
import sys
try:
    {line}
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"

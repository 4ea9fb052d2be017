"""The command line as a user meets it: exit codes, what goes where, one line for bad input."""

import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from armlab import cli
from armlab.commands import train
from armlab.data import generated
from armlab.places import place

FAST = ["--steps", "3", "--batch", "2", "--size", "48"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generated, "TEST_SCENES", 8)


def armlab(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as a process; `code` runs before it in the same interpreter."""
    start = f"import sys; {code}; from armlab.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], capture_output=True, text=True, timeout=120
    )


def refused(capsys, *arguments: str) -> str:
    """The single line on standard error of a command that ends with exit code 1."""
    assert cli.main(arguments) == 1
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert lines[-1].startswith("armlab: ")
    # before it there may be progress, such as "arm: step 1 of 3"
    assert all(re.match(r"(none|arm): step ", line) for line in lines[:-1])
    assert "Traceback" not in output.err
    return lines[-1]


def test_train_as_a_process_compares_none_and_arm():
    command = [sys.executable, "-m", "armlab", "train", *FAST, "--out", "run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    assert [row.split()[1] for row in rows] == ["1", "2", "3"] * 2
    assert re.search(
        r"attention +mIoU +A against B +parameters +seconds\nnone .*\narm ", done.stdout
    )
    assert "none: step 3 of 3" in done.stderr
    assert "arm: step 3 of 3" in done.stderr
    assert "\r" not in done.stderr  # no bars where nobody watches
    files = {str(p.relative_to("run")) for p in Path("run").rglob("*") if p.is_file()}
    each = {"config.json", "history.csv", "checkpoint.npz", "curves.png", "attention.png"}
    assert files >= {"comparison.json", "curves.png", "attention.png"}
    assert files >= {f"{name}/{file}" for name in ("none", "arm") for file in each}


def test_train_one_attention_in_torch_prints_json_alone(capsys):
    arguments = [*FAST, "--backend", "torch", "--attention", "arm", "--dtype", "float64"]
    assert cli.main(["train", *arguments, "--optimiser", "sgd", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["out"] == str(Path("runs", "scenes-arm-seed0"))
    assert set(found["runs"]) == {"arm"}
    assert set(found["runs"]["arm"]) == {
        *("miou", "told_apart", "seconds", "seconds_per_step", "parameters", "steps", "device"),
        "skipped",
    }
    assert found["runs"]["arm"]["device"] == "cpu"
    config = json.loads(Path(found["out"], "config.json").read_text(encoding="utf-8"))
    assert (config["backend"], config["dtype"], config["learning_rate"]) == (
        "torch",
        "float64",
        0.1,
    )


def test_the_default_folder_is_one_not_used_before():
    assert train.unused_folder({}) == Path("runs/scenes-seed0")
    Path("runs/scenes-seed0").mkdir(parents=True)
    assert train.unused_folder({}) == Path("runs/scenes-seed0-2")
    Path("runs/scenes-seed0-2").mkdir()
    assert train.unused_folder({"seed": 0}) == Path("runs/scenes-seed0-3")
    assert train.unused_folder({"seed": 4, "attention": "arm"}) == Path("runs/scenes-arm-seed4")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_tells_loss_miou_speed_and_time_left(capsys, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert cli.main(["train", "--attention", "arm", *FAST, "--out", "run"]) == 0
    last = terminal.getvalue().replace("\x1b[A", "").split("\r")
    bars = [text for text in last if "of 3" in text]
    assert re.search(
        r"^arm .* 3 of 3, loss \d\.\d{3}, mIoU \d\.\d{3}, [\d.]+ images/s, 00:00 left", bars[-1]
    ), bars
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    assert len(rows) == 3
    assert all(float(row.split()[6]) > 0 for row in rows)  # images a second


def test_interrupted_by_ctrl_c_and_resumed(capsys):
    command = [sys.executable, "-m", "armlab", "train", "--attention", "arm", "--out", "run"]
    command += ["--steps", "40", "--batch", "2", "--size", "48"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr.readline().startswith(b"arm: step 4 of 40")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    last = errors.decode().splitlines()[-1]
    expected = "armlab: interrupted, the checkpoint is kept: go on with  armlab train --resume run"
    assert last == expected
    assert not Path("run/curves.png").exists()
    assert cli.main(["train", "--resume", "run"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    assert [int(row.split()[1]) for row in rows] == list(range(4, 41, 4))
    assert Path("run/curves.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--steps", "0"], "expected steps of at least 1, got 0"),
        (["--size", "20"], "expected a size of 48 to 160 pixels, got 20"),
        (["--batch", "1"], "expected a batch of at least 2 with attention arm, got 1"),
        (["--seed", "-3"], "expected seed of at least 0, got -3"),
        (["--learning-rate", "-1"], "expected a learning_rate above 0, got -1.0"),
        (
            ["--backend", "torch", "--device", "tpu"],
            "expected device 'cpu', 'cuda', 'cuda:N' or 'emulated'",
        ),
        (["--device", "cuda"], "backend numpy does not run on device 'cuda'"),
        (["--device", "emulated"], "backend numpy does not run on device 'emulated'"),
        (["--resume", "nowhere"], "there is no checkpoint nowhere"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(capsys, arguments, words):
    assert words in refused(capsys, "train", *arguments)
    assert list(Path().iterdir()) == []


def test_a_gpu_that_is_not_there_is_one_line(capsys):
    pytest.importorskip("cupy", reason="cupy-cuda12x is not installed on this platform")
    with contextlib.suppress(RuntimeError):
        place("cuda")
        pytest.skip("a GPU answers here")
    for arguments in (["--device", "cuda"], [], ["--device", "cuda:1"]):
        line = refused(capsys, "train", "--backend", "cupy", *arguments)
        assert "needs an NVIDIA GPU and its driver, and CuPy finds none" in line
    assert "PyTorch finds none" in refused(
        capsys, "train", "--backend", "torch", "--device", "cuda"
    )
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("torch", ["train", "--backend", "torch"], "pip install 'armlab[torch]'"),
        ("sklearn", ["train"], "scikit-learn"),
        ("matplotlib", ["train"], "matplotlib"),
        ("cupy", ["train", "--backend", "cupy"], "needs CuPy, which is not installed"),
        ("torch", ["check"], "pip install 'armlab[torch,test]'"),
        ("hypothesis", ["check"], "hypothesis"),
        ("jupyterlab", ["lessons"], "pip install 'armlab[lessons]'"),
    ],
)
def test_a_missing_package_is_one_line_before_any_work(module, arguments, words):
    done = armlab(*arguments, code=f"sys.modules[{module!r}] = None")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("command", [["train", "--attention", "arm"], ["train"]])
def test_a_folder_that_cannot_be_written_is_one_line(capsys, command):
    Path("file").write_text("mine", encoding="utf-8")
    line = refused(capsys, *command, *FAST, "--out", "file/run")
    assert "cannot write into" in line
    assert "--out" in line
    assert Path("file").read_text(encoding="utf-8") == "mine"


def test_an_earlier_run_is_one_line(capsys):
    assert cli.main(["train", "--attention", "none", *FAST, "--out", "run"]) == 0
    capsys.readouterr()
    line = refused(capsys, "train", *FAST, "--out", "run")
    assert "run already holds a run" in line
    assert "--resume run" in line


def test_a_corrupt_checkpoint_is_one_line_and_left_alone(capsys):
    assert cli.main(["train", "--attention", "none", *FAST, "--out", "run"]) == 0
    path = Path("run/checkpoint.npz")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 16
    path.write_bytes(damaged)
    capsys.readouterr()
    line = refused(capsys, "train", "--resume", "run")
    assert "run/checkpoint.npz is truncated or corrupt" in line
    assert "run/checkpoint.previous.npz holds the one before" in line
    assert path.read_bytes() == damaged


def test_a_learning_rate_that_explodes_is_one_line(capsys):
    arguments = ["train", "--attention", "arm", *FAST, "--learning-rate", "1e38", "--out", "run"]
    line = refused(capsys, *arguments)
    assert "not finite" in line
    assert "the last good checkpoint is kept in run/checkpoint.npz" in line


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["train", "--attention", "all"],
        ["train", "--weights", "state.npz"],
        ["train", "--steps", "many"],
        ["train", "--resume", "run", "--steps", "9"],
    ],
)
def test_wrong_usage_is_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: armlab" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["train", "ablate", "predict", "data", "check", "lessons", "info"]
)
def test_help_ends_in_an_example_that_parses(capsys, command):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    example = capsys.readouterr().out.rstrip().splitlines()[-1].split()
    assert example[:2] == ["armlab", command]
    assert cli._parser().parse_args(example[1:]).run is getattr(cli, command).run


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    listed = re.findall(r"^    (\w+)", capsys.readouterr().out, re.MULTILINE)
    files = (Path(cli.__file__).parent / "commands").glob("[a-z]*.py")
    assert sorted(set(listed) - {"COMMAND"}) == sorted(path.stem for path in files)


def test_info(capsys):
    assert cli.main(["info"]) == 0
    words = capsys.readouterr().out
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["versions"]["armlab"] in words
    assert found["versions"]["numpy"] in words
    assert found["devices"]["numpy"] == ["cpu"]
    assert found["devices"]["torch"][0] == "cpu"


@pytest.mark.parametrize("name", ["cupy-cuda12x", "cupy-cuda13x", "cupy", None])
def test_info_finds_cupy_under_any_name(name, capsys, monkeypatch):
    from importlib import metadata

    from armlab import installed

    versions = {name: "14.2.0"} if name else {}
    ours = metadata.version
    monkeypatch.setattr(installed, "packages_by_module", lambda: {"cupy": [*versions] * 2})
    monkeypatch.setattr(metadata, "version", lambda asked: versions.get(asked) or ours(asked))
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["versions"]
    assert {key: v for key, v in found.items() if "cupy" in key} == (versions or {"cupy": None})


def test_info_where_only_numpy_is_installed():
    done = armlab("info", code="sys.modules['torch'] = sys.modules['cupy'] = None")
    assert done.returncode == 0
    assert re.search("devices of torch +none", done.stdout)

"""A network needs its run and nothing else; a run goes on where its folder of images has moved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from armlab import cli, weights
from armlab.data import Scenes, generated
from armlab.data.export import export
from armlab.training import checkpoint
from armlab.training.config import Config
from armlab.training.loop import resume, train
from armlab.training.trained import Trained

SMALL = {"classes": 3, "ignore": 255, "size": 48, "steps": 4, "batch": 2, "channels": 4}
WEIGHTED = SMALL | {"class_weights": "median-frequency"}


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


@pytest.fixture
def photos(tmp_path):
    export(generated.Generated(Scenes, 0, (48, 48)), tmp_path / "photos", training=4)
    return tmp_path / "photos"


class StopAfterTwo:
    def begin(self, run): ...
    def end(self): ...
    def epoch(self, run, row): ...

    def step(self, run, loss):
        if run.step == 2:
            run.save()
            raise KeyboardInterrupt


def line_of(capsys, *arguments: str) -> str:
    assert cli.main(arguments) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("armlab: ")
    return last


def test_inference_asks_for_nothing_but_the_run(photos, capsys):
    run = train(Config(**WEIGHTED, data=photos), "run")
    image = next((photos / "test").iterdir())
    shutil.copy(image, "a.png")
    (photos / "classes.txt").write_bytes(b"\xff\xfe\x00")  # not even asked for its names
    shutil.rmtree(photos / "train")
    assert cli.main(["predict", "run", "a.png", "--out", "out"]) == 0
    shutil.rmtree(photos)
    assert cli.main(["predict", "run", "a.png", "--out", "again"]) == 0
    assert Path("out/a-mask.png").read_bytes() == Path("again/a-mask.png").read_bytes()
    assert cli.main(["convert", "run", "w.npz"]) == 0
    for key, a in run.learner.net.state_dict().items():
        np.testing.assert_array_equal(weights.load("w.npz")[key], a)
        np.testing.assert_array_equal(Trained.load(Path("run")).net.state_dict()[key], a)
    assert "there is no folder" in line_of(capsys, "train", "--resume", "run")


@pytest.mark.parametrize("settings", [SMALL, WEIGHTED])
def test_a_run_goes_on_with_the_moved_folder_bit_for_bit(photos, settings):
    whole = train(Config(**settings, data=photos), "whole")
    with pytest.raises(KeyboardInterrupt):
        train(Config(**settings, data=photos), "parts", StopAfterTwo())
    photos.rename("moved")
    assert cli.main(["train", "--resume", "parts", "--data", "moved"]) == 0
    arrays, kept = checkpoint.load(Path("parts/checkpoint.npz"))
    assert kept["config"]["data"] == str(Path("moved").absolute())
    assert json.loads(Path("parts/config.json").read_text(encoding="utf-8")) == kept["config"]
    for key, a in whole.learner.state_dict().items():
        np.testing.assert_array_equal(arrays[key], a)
    assert resume("parts").step == 4  # knows its data now


def test_other_data_are_refused_and_nothing_is_noted(photos, capsys):
    train(Config(**SMALL, data=photos), "run")
    before = Path("run/checkpoint.npz").read_bytes()
    photos.rename("moved")
    first = next(Path("moved/train").iterdir())
    first.write_bytes(next(Path("moved/test").iterdir()).read_bytes())
    line = line_of(capsys, "train", "--resume", "run", "--data", "moved")
    assert f"the files in {Path('moved').absolute()} are not those that the run in run" in line
    assert "there is no folder" in line_of(capsys, "train", "--resume", "run", "--data", "gone")
    assert "scenes is generated" in line_of(capsys, "train", "--resume", "run", "--data", "scenes")
    assert Path("run/checkpoint.npz").read_bytes() == before


def test_a_run_of_a_generated_set_has_not_moved(photos, capsys):
    train(Config(steps=1, batch=2, size=48, channels=4), "run")
    for data in (str(photos), "digits"):  # neither has a fingerprint to compare with
        line = line_of(capsys, "train", "--resume", "run", "--data", data)
        assert "scenes is generated, leave out --data" in line


def test_a_comparison_and_a_grid_move_too(photos, capsys):
    options = ["--data", str(photos), "--classes", "3", "--size", "48"]
    options += ["--steps", "1", "--batch", "2", "--channels", "4"]
    assert cli.main(["train", *options, "--out", "both"]) == 0
    assert cli.main(["ablate", *options, "--seeds", "0", "--out", "grid"]) == 0
    photos.rename("moved")
    assert "there is no folder" in line_of(capsys, "ablate", "--resume", "grid")
    assert cli.main(["train", "--resume", "both", "--data", "moved"]) == 0
    assert cli.main(["ablate", "--resume", "grid", "--data", "moved"]) == 0
    assert cli.main(["ablate", "--resume", "grid"]) == 0
    for path in [*Path("both").rglob("config.json"), *Path("grid").rglob("config.json")]:
        assert json.loads(path.read_text())["data"] == str(Path("moved").absolute())


def test_other_settings_stay_refused_with_resume(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "--resume", "run", "--data", "x", "--steps", "3"])
    assert stopped.value.code == 2
    assert "leave out --steps" in capsys.readouterr().err

"""Settings from Python and from files that people edit: used as they are, or one sentence."""

import json
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armlab import cli, training
from armlab.training import ablation, checkpoint
from armlab.training.config import Config
from armlab.training.loop import resume, train
from armlab.training.settings import ABOUT, DEFAULTS, TYPES, By, ByData

SMALL = {"steps": 2, "batch": 2, "size": 48, "channels": 4, "attention": "none"}


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 10.5}, "expected steps of type int, got 10.5"),
        ({"steps": True}, "expected steps of type int, got True"),
        ({"batch": True}, "expected batch of type int, got True"),
        ({"batch": np.bool_(True)}, "expected batch of type int, got "),
        ({"learning_rate": True}, "expected learning_rate of type float, got True"),
        ({"augment": 1}, "expected augment of type bool, got 1"),
        ({"classes": "5"}, "expected classes of type int, got '5'"),
        ({"classes": None}, "expected classes of type int, got None"),
        ({"size": None}, "expected a size in pixels, HEIGHTxWIDTH or one number, got None"),
        ({"size": True, "data": "x"}, "expected a size in pixels, .*, got True"),
        ({"size": [48, True], "data": "x"}, "expected a size in pixels"),
        ({"size": 10.0}, "expected a size in pixels, .*, got 10.0"),
        ({"learning_rate": math.nan}, "expected a learning_rate above 0, got nan"),
        ({"learning_rate": 10**400}, "expected learning_rate of type float, got an integer"),
        ({"weight_decay": math.inf}, "expected weight_decay of at least 0.0, got inf"),
        ({"weight_decay": math.nan}, "expected weight_decay of at least 0.0, got nan"),
        ({"momentum": -0.1}, "expected momentum of 0.0 to 0.999, got -0.1"),
        ({"data": 5}, "expected data as a path, got 5"),
        ({"weights": None}, "expected weights as a path, got None"),
        ({"model": None}, "expected model toy or .*, got None"),
        ({"attention": ["arm"]}, r"expected attention none or .*, got \['arm'\]"),
        ({"class_weights": [1, 2]}, "expected class_weights none or median-frequency, got"),
        ({"device": 0}, "expected device 'cpu', .*, got 0"),
    ],
)
def test_python_settings_that_cannot_be_meant_are_a_sentence(given, words):
    with pytest.raises(ValueError, match=words):
        Config(**given)


def test_a_path_of_bytes_is_a_path():
    assert Config(data=b"a/b", classes=3).data == "a/b"
    json.dumps(Config(data=b"a/b", classes=3).to_dict())


def test_resume_of_a_folder_without_a_checkpoint_is_a_sentence():
    for function in (training.resume, training.Run.resume, training.resume_comparison):
        with pytest.raises(checkpoint.CheckpointError, match=r"there is no checkpoint x/"):
            function("x")


# -- config.json: for people and other programs; the checkpoint rules -------------------------


def refused(capsys, *arguments: str) -> str:
    assert cli.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"steps": 900}, "run/config.json has steps 900, and the run began with 2"),
        ({"steps": "many"}, "run/config.json has steps 'many', and the run began with 2"),
        ({"batch": -1}, "run/config.json has batch -1, and the run began with 2"),
        ({"threads": True}, "run/config.json has threads True, and the run began with 1"),
        ({"depth": 3}, "run/config.json has 'depth', which is no setting of the run"),
        ({"size": None}, "run/config.json has size None, and the run began with [48, 48]"),
        ("[1, 2]", "run/config.json holds no settings by name"),
        ("{", "cannot read run/config.json as JSON (Expecting property name"),
        ("", "cannot read run/config.json as JSON (Expecting value"),
        ("[" * 100_000, "cannot read run/config.json as JSON ("),
        (b"\xff\xfe{", "cannot read run/config.json as JSON ("),
    ],
)
def test_an_edited_config_is_named_with_its_key(edit, words, capsys):
    train(Config(**SMALL), "run")
    path = Path("run/config.json")
    if isinstance(edit, dict):
        edit = json.dumps(json.loads(path.read_text(encoding="utf-8")) | edit)
    path.write_bytes(edit if isinstance(edit, bytes) else edit.encode())
    line = refused(capsys, "train", "--resume", "run")
    assert line.startswith(f"armlab: {words}")
    assert line.endswith("remove the file to go on as the run began, or begin a new run")
    path.unlink()  # the remedy
    assert cli.main(["train", "--resume", "run"]) == 0
    assert json.loads(path.read_text(encoding="utf-8"))["steps"] == 2  # written anew


def test_another_layout_of_the_same_settings_is_no_edit():
    run = train(Config(**SMALL), "run")
    path = Path("run/config.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(dict(sorted(kept.items()))), encoding="utf-8")
    assert resume("run").config == run.config
    del kept["momentum"]  # as one of an armlab that had no such setting
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert resume("run").config == run.config


# -- any settings in any file -----------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.sampled_from([10**9, 10**30, 0.5, -1.0, 1e-3, math.inf, math.nan, 2.0]),
    st.sampled_from(["", "arm", "se", "48", "48x64", "torch", "cuda", "float64", "sgd", "digits"]),
    st.lists(st.integers(-1, 64), max_size=3),
    st.dictionaries(st.just("a"), st.just(1), max_size=1),
)
NAMES = st.sampled_from([*ABOUT, "depth", "Steps", ""])
MEANT = {  # of numbers; of words, the choices
    "threads": st.integers(1, 9),
    "steps": st.integers(1, 10**20),
    "batch": st.integers(2, 10**6),
    "seed": st.integers(0, 10**30),
    "size": st.sampled_from([48, "64", "48x64", [50, 60]]),
    "augment": st.booleans(),
    "learning_rate": st.floats(1e-9, 1e9),
    "warm_up": st.floats(0, 1),
    "weight_decay": st.floats(0, 1e9),
    "channels": st.integers(2, 10**9),
    "data": st.sampled_from(["scenes", "digits", "of/mine"]),
    "weights": st.sampled_from(["", "a.npz"]),
} | {name: st.sampled_from(about.choices) for name, about in ABOUT.items() if about.choices}


@st.composite
def edits(draw):
    """Some settings, most of them with values that may be meant."""
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    return {
        name: draw(MEANT[name] if name in MEANT and draw(st.integers(0, 4)) else VALUES)
        for name in names
    }


def as_plain_types(found: dict) -> bool:
    """Whether each setting has the type of the table, by a look of its own."""
    return all(type(found[name]) is kind for name, kind in TYPES.items() if isinstance(kind, type))


def test_random_settings_are_used_as_they_are_or_named():
    seen = Counter()

    @given(edits())
    @settings(max_examples=400)
    def holds(given):
        try:
            config = Config(**given)
        except (ValueError, TypeError) as error:
            words = str(error)
        else:
            words = ""
        seen["refused" if words else "used"] += 1
        if words:
            assert "\n" not in words
            together = {"batch", "momentum", "classes", "device"}  # with another that does not go
            assert any(name in words for name in {*given} | together), words
            return
        found = config.to_dict()
        assert as_plain_types(found)
        assert Config(**json.loads(json.dumps(found, allow_nan=False))) == config
        if not given.get("labels", "given"):  # of no words, and of no numbers, there are none
            assert given.pop("labels") in ("", [], ())
            assert found["labels"] == ()
        for name in found.keys() - {"size"}:
            if name in given:
                assert found[name] == given[name]
            elif not isinstance(DEFAULTS[name], (By, ByData)):
                assert found[name] == DEFAULTS[name]

    holds()
    assert min(seen["used"], seen["refused"]) > 50, seen


@given(edits(), st.sampled_from(["whole", "whole", "cut", "list"]))
@settings(max_examples=100)
def test_a_random_edit_of_a_grids_file_is_followed_or_named(tmp_path_factory, edit, form):
    folder = tmp_path_factory.mktemp("edited")
    ablation.begin(ablation.Grid(Config(**SMALL), ("none",), (0,)), folder)
    document = json.loads((folder / "grid.json").read_text())
    document["settings"] |= {k: v for k, v in edit.items() if k not in ("attention", "seed")}
    text = json.dumps(document)
    (folder / "grid.json").write_text({"whole": text, "cut": text[:-3], "list": f"[{text}]"}[form])
    try:
        meant = Config(**document["settings"]) if form == "whole" else None
        ablation.Grid(meant, ("none",), (0,))
    except (ValueError, TypeError, AttributeError):
        meant = None
    if meant:
        assert replace(ablation.load_grid(folder).config, attention="arm", seed=0) == meant
    else:
        with pytest.raises(RuntimeError, match=re.escape(f"{folder / 'grid.json'} is damaged or")):
            ablation.load_grid(folder)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return training.Run.start(Config(**SMALL), tmp_path_factory.mktemp("run"))


@given(edits(), st.sampled_from(["whole", "whole", "cut", "list"]))
@settings(max_examples=100)
def test_a_random_edit_of_a_runs_file_is_none_or_named(begun, edit, form):
    """What it says is not read, so it must not be edited."""
    folder, config = begun.folder, begun.config
    began = json.loads(json.dumps(config.to_dict()))
    text = json.dumps(began | edit)
    (folder / "config.json").write_text(
        {"whole": text, "cut": text[:-3], "list": f"[{text}]"}[form]
    )
    wrong = [
        name
        for name, value in edit.items()
        if name not in began
        or value != began[name]
        or isinstance(value, bool) != isinstance(began[name], bool)
    ]
    if form == "whole" and not wrong:
        assert training.Run.resume(folder).config == config
        return
    with pytest.raises(RuntimeError, match=re.escape(str(folder / "config.json"))) as caught:
        training.Run.resume(folder)
    assert form != "whole" or any(repr(name)[1:-1] in str(caught.value) for name in wrong)

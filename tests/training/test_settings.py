"""One table of settings: what `Config` makes of it, and that the commands have it from there."""

import ast
import dataclasses
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import armlab.torch as twins
from armlab import cli
from armlab.hand.conv_attention import attention_names, refinement
from armlab.training import Config
from armlab.training.networks import DESIGNS, design_of
from armlab.training.setting_options import config_of, given_options
from armlab.training.settings import ABOUT, DEFAULTS, By
from armlab.training.start import make_net

ROOT = Path(cli.__file__).parent
EARLIER = """{"model": "toy", "attention": "arm", "backend": "numpy", "device": "cpu", "threads": 1,
    "dtype": "float32", "steps": 600, "batch": 8, "data": "scenes", "size": [64, 64],
    "classes": 3, "ignore": 255, "augment": true, "seed": 0, "optimiser": "adam",
    "learning_rate": 0.006, "schedule": "one_cycle", "warm_up": 0.3, "weight_decay": 0.0,
    "momentum": 0.9, "class_weights": "none", "channels": 32, "weights": ""}"""


def test_a_config_saved_before_there_was_a_table_is_that_of_today():
    assert Config(**json.loads(EARLIER)) == Config()
    since = {"labels": [], "weights_from": "armlab"}  # settings that it has not, as it meant them
    since |= {"sync_batch_norm": False}
    assert json.loads(json.dumps(Config().to_dict())) == json.loads(EARLIER) | since
    assert [n for n in Config().to_dict() if n not in since] == list(json.loads(EARLIER))


def test_a_config_is_frozen_for_good():
    config = Config()
    for name in ABOUT:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config, name, 1)
    assert hash(config) == hash(Config()) != hash(Config(seed=1))
    assert replace(config, seed=1) == Config(seed=1)
    assert isinstance(replace(config, seed=1), Config)


def test_what_another_setting_decides():
    rules = {name: rule for name, rule in DEFAULTS.items() if isinstance(rule, By)}
    assert set(rules) == {"device", "learning_rate", "warm_up", "channels"}
    for name, rule in rules.items():
        assert set(rule.values) == set(ABOUT[rule.other].choices)
        for other, value in rule.values.items():
            assert getattr(Config(**{rule.other: other}), name) == value
    assert Config(optimiser="sgd", learning_rate=0.5).learning_rate == 0.5
    assert Config(backend="torch", device="cuda").device == "cuda"


def test_the_usual_spellings_of_numbers_and_paths():
    settings = {"seed": np.int64(3), "steps": np.uint8(9), "weights": Path("a"), "size": 48}
    settings |= {"learning_rate": np.float32(0.5), "augment": np.bool_(False)}
    config = Config(**settings, backend="torch", device=torch.device("cuda:1"))
    assert config == Config(**json.loads(json.dumps(config.to_dict())))
    assert (config.seed, config.device, config.weights) == (3, "cuda:1", "a")
    for wrong in ({"steps": "600"}, {"seed": 0.5}, {"learning_rate": "0.1"}, {"augment": "no"}):
        with pytest.raises(ValueError, match=rf"expected {next(iter(wrong))} of type \w+, got"):
            Config(**wrong)
    with pytest.raises(TypeError, match="depth"):
        Config(depth=3)


# -- the commands -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_each_setting_is_an_option_with_its_default_and_choices(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    words = " ".join(capsys.readouterr().out.split())
    own = {"attention"} | ({"seed"} if command == "ablate" else set())
    for name, about in ABOUT.items():
        assert f"--{name.replace('_', '-')}" in words
        if name not in own:
            assert name == "weights" or f"default {DEFAULTS[name]}" in words or name == "augment"
            assert not about.choices or "{" + ",".join(about.choices) + "}" in words


def test_what_is_typed_becomes_a_config():
    typed = ["--optimiser", "sgd", "--size", "48x64", "--no-augment", "--warm-up", "0.5"]
    args = cli._parser().parse_args(["train", "--attention", "eca", *typed])
    given = given_options(args, "out")
    config = config_of(given)
    assert config == Config(
        attention="eca", optimiser="sgd", size=(48, 64), augment=False, warm_up=0.5
    )
    assert config.learning_rate == 0.1
    assert set(given) == {"attention", "optimiser", "size", "augment", "warm_up"}
    for attention in attention_names():
        assert cli._parser().parse_args(["train", "--attention", attention]).attention == attention


def test_the_list_of_commands_loads_no_library_of_arrays():
    code = (
        "import sys; from armlab import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
    )
    code += "sys.exit([m for m in ('numpy', 'armlab.training') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "ablate" in done.stdout


# -- the networks -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", DESIGNS)
@pytest.mark.parametrize("attention", ["none", "arm", "simam"])
def test_the_table_says_what_a_network_is_and_gives(model, attention):
    config = Config(model=model, attention=attention, channels=4)
    net, design = make_net(config), DESIGNS[model]
    assert design_of(net) is design
    assert type(net).__name__ == design.network.__name__
    x = np.random.default_rng(0).standard_normal((2, 3, 48, 64)).astype("f4")
    y, _ = net(x)
    assert isinstance(y, tuple) == design.auxiliary
    twin = getattr(twins, type(net).__name__)(**design.twin_arguments(net))
    assert list(twin.state_dict()) == list(net.state_dict())
    gate = design.shown_gate(net.eval(), x)
    assert (gate is None) == (attention == "none")


def test_the_width_unless_told_is_the_networks_own():
    for model, design in DESIGNS.items():
        net = design.network(rng=0)
        assert getattr(net, design.width) == design.channels == Config(model=model).channels


def test_a_batch_of_one_is_refused_just_where_a_pooled_value_is_normalised():
    """BN over one value per channel raises, whatever the network is called."""
    x = np.random.default_rng(0).standard_normal((1, 8, 6, 5)).astype("f4")
    for attention in attention_names():
        fails = fails_with(lambda name=attention: refinement(name, 8, 8, "relu", rng=0)(x))
        settings = {"model": "toy", "attention": attention, "batch": 1}
        assert fails == fails_with(lambda given=settings: Config(**given)), attention
    for model, design in DESIGNS.items():
        net = make_net(Config(model=model, attention="none", channels=4))
        image = np.zeros((1, 3, 64, 64), "f4")
        assert design.pools == fails_with(lambda net=net, x=image: net(x))


def fails_with(action):
    try:
        action()
    except ValueError:
        return True
    return False


def test_a_network_of_another_class_is_a_sentence():
    with pytest.raises(TypeError, match="expected a network of ToyNet, ToyBiSeNet, BiSeNet, got"):
        design_of(refinement("se", 4, 4, "relu", rng=0))


def test_only_the_table_names_the_networks():
    named = {
        path.name
        for path in (ROOT / "training").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (getattr(node, "id", None) or getattr(node, "attr", None)) in ("ToyNet", "BiSeNet")
    }
    assert named == {"networks.py"}

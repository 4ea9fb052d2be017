"""`--weights` for other classes: the body is loaded, the head is drawn anew and said, no more."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from armlab import cli, hand, weights
from armlab.training import loop
from armlab.training.config import Config
from armlab.training.run import Run
from armlab.training.start import make_net

NETWORKS = {
    "toy": ("ToyNet", {"channels": 6}, ["classify.weight", "classify.bias"]),
    "toy-bisenet": (
        "ToyBiSeNet",
        {"width": 4},
        [
            f"{h}.conv_out.{p}"
            for h in ("conv_out", "conv_out16", "conv_out32")
            for p in ("weight", "bias")
        ],
    ),
}
SIZES = {"toy": {"channels": 6}, "toy-bisenet": {"channels": 4}}


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


def settings(model, **more):
    return {"steps": 2, "batch": 2, "size": 48, "model": model, **SIZES[model]} | more


def trained_elsewhere(model, classes):
    """By hand, for other classes, its arrays unlike those of any seed."""
    name, arguments, _ = NETWORKS[model]
    net = getattr(hand, name)(classes, attention="arm", **arguments, rng=99)
    return {key: a + 1 if a.dtype.kind == "f" else a for key, a in net.state_dict().items()}


def begun(config, folder="run"):
    run = Run.start(config, folder)
    return run, {k.removeprefix("net."): a for k, a in run.learner.state_dict().items()}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("model", NETWORKS)
def test_the_body_is_loaded_and_the_head_is_the_drawn_one(model, backend):
    state, head = trained_elsewhere(model, 7), NETWORKS[model][2]
    weights.save("first.npz", state)
    config = Config(**settings(model, weights="first.npz", seed=3, backend=backend))
    run, found = begun(config)
    drawn = make_net(config).state_dict()
    assert run.drawn_anew == head
    for key, a in drawn.items():
        np.testing.assert_array_equal(found[key], a if key in head else state[key])


@pytest.mark.parametrize("model", NETWORKS)
def test_of_the_same_classes_everything_is_loaded(model):
    state = trained_elsewhere(model, 3)
    weights.save("first.npz", state)
    run, found = begun(Config(**settings(model, weights="first.npz")))
    assert run.drawn_anew == []
    for key, a in state.items():
        np.testing.assert_array_equal(found[key], a)


def test_heads_that_public_files_leave_out_are_drawn_anew():
    """Files for inference alone have no auxiliary heads."""
    auxiliary = ("conv_out16.", "conv_out32.")
    whole = trained_elsewhere("toy-bisenet", 3)
    weights.save("first.npz", {k: a for k, a in whole.items() if not k.startswith(auxiliary)})
    run, found = begun(Config(**settings("toy-bisenet", weights="first.npz")))
    assert run.drawn_anew == [key for key in whole if key.startswith(auxiliary)]
    np.testing.assert_array_equal(
        found["conv_out.conv_out.weight"], whole["conv_out.conv_out.weight"]
    )


def _without(key):
    return lambda state: {k: a for k, a in state.items() if k != key}


def _wider(key):
    return lambda state: state | {key: np.concatenate([state[key]] * 2, axis=1)}


OTHERS = {
    "a layer of the body is missing": (_without("cp.conv_avg.conv.weight"), "missing cp.conv_avg"),
    "a layer of the head is missing": (
        _without("conv_out.conv.conv.weight"),
        "missing conv_out.co",
    ),
    "its bias is missing": (_without("conv_out.conv_out.bias"), "missing conv_out.conv_out.bias"),
    "a body of another width": (_wider("sp.conv2.conv.weight"), "sp.conv2.conv.weight is (4, 8, "),
    "a head of another width": (_wider("conv_out.conv_out.weight"), "conv_out.conv_out.weight is"),
    "one key too many": (lambda state: state | {"criterion": np.ones(2)}, "unexpected criterion"),
    "a number that is none": (
        lambda state: state | {"sp.conv1.bn.bias": state["sp.conv1.bn.bias"] * np.nan},
        "sp.conv1.bn.bias is not finite",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("classes", [3, 7])
def test_every_other_misfit_is_refused(what, classes):
    change, words = OTHERS[what]
    weights.save("first.npz", change(trained_elsewhere("toy-bisenet", classes)))
    with pytest.raises(ValueError) as caught:
        Run.start(Config(**settings("toy-bisenet", weights="first.npz")), "run")
    assert str(caught.value).startswith("first.npz does not fit this network: ")
    assert words in str(caught.value)
    assert not Path("run").exists()


def test_the_command_says_it_and_a_resumed_run_needs_the_file_no_more(capsys):
    weights.save("first.npz", trained_elsewhere("toy", 7))
    typed = ["--steps", "4", "--batch", "2", "--size", "48", "--channels", "6"]
    command = ["train", "--attention", "arm", *typed, "--weights", "first.npz", "--out", "run"]
    assert cli.main([*command, "--json"]) == 0
    errors = capsys.readouterr().err
    said = "arm: first.npz has no head for 3 classes, drawn anew: classify.weight, classify.bias"
    assert said in errors.splitlines()
    config = json.loads(Path("run/config.json").read_text(encoding="utf-8"))
    assert (config["weights"], config["weights_from"]) == ("first.npz", "armlab")
    Path("first.npz").unlink()
    assert cli.main(["train", "--resume", "run", "--json"]) == 0
    assert said in capsys.readouterr().err.splitlines()
    assert Run.resume("run").drawn_anew == ["classify.weight", "classify.bias"]


def test_a_public_file_in_its_own_keys_and_wrapping():
    """As CoinCheung's train_amp.py saves it, for 19 classes, and from a wrapped network."""
    state = trained_elsewhere("toy-bisenet", 19)
    tensors = {f"module.{key}": t for key, t in weights.to_torch(state).items()}
    torch.save({"state_dict": tensors}, "model_final.pth")
    given = {"weights": "model_final.pth", "weights_from": "coincheung"}
    run, found = begun(Config(**settings("toy-bisenet", **given)))
    assert run.drawn_anew == NETWORKS["toy-bisenet"][2]
    np.testing.assert_array_equal(found["sp.conv1.conv.weight"], state["sp.conv1.conv.weight"])
    with pytest.raises(ValueError, match="torchseg has no place for"):
        Run.start(Config(**settings("toy-bisenet", **given | {"weights_from": "torchseg"})), "x")


def test_whose_keys_without_weights_is_refused():
    with pytest.raises(ValueError, match="weights_from coincheung says whose keys the weights"):
        Config(weights_from="coincheung")


def test_a_run_of_other_classes_is_a_beginning_as_well():
    first = loop.train(Config(**settings("toy")), "first")
    again, found = begun(Config(**settings("toy", data="digits", weights="first")), "second")
    assert again.config.classes == 11 != first.config.classes
    assert again.drawn_anew == ["classify.weight", "classify.bias"]
    want = first.learner.net.state_dict()["conv4.conv.weight"]
    np.testing.assert_array_equal(found["conv4.conv.weight"], want)

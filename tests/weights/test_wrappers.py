"""Checkpoints around a state and prefixes before its keys: one reading is taken, several named."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import armlab.torch as twins
from armlab import cli, hand, training, weights

TWIN = twins.AttentionRefinementModule(6, 4)
STATE = TWIN.state_dict()
OTHER = {key: t + 1 for key, t in STATE.items()}


def under(prefix, state=STATE):
    return {f"{prefix}{key}": t for key, t in state.items()}


def same(found, state=STATE):
    assert sorted(found) == sorted(state)
    for key, t in state.items():
        np.testing.assert_array_equal(found[key], t.numpy(), strict=True)


def sentence(call):
    with pytest.raises(ValueError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    return said


def optimiser():
    """The state of one that has taken a step."""
    net = twins.AttentionRefinementModule(6, 4)
    adam = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 6, 8, 8)).square().mean().backward()
    adam.step()
    return adam.state_dict()


NESTS = ["state_dict", "model", "model_state_dict", "model_state", "net", "weights", "params"]
NESTS += ["params_ema", "state_dict_ema", "model_ema", "ema", "segmentor", "anything"]


@pytest.mark.parametrize("nest", NESTS)
def test_a_state_under_any_name_is_found(nest):
    same(weights.from_torch({nest: STATE, "epoch": 3, "arch": "arm", "best": None}))
    same(weights.from_torch({nest: STATE, "optimizer": optimiser(), "scheduler": {"last": 4}}))
    same(weights.from_torch({"checkpoint": {nest: under("module.")}}))


def test_scores_and_counts_beside_a_state_are_no_states():
    lightning = {
        "state_dict": under("model."),
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
        "optimizer_states": [optimiser()],
        "rng_state": torch.get_rng_state(),
        "best_acc": np.float64(0.5),
        "hyper_parameters": {"lr": 0.1},
    }
    same(weights.from_torch(lightning))


PREFIXES = ["module.", "model.", "net.", "network.", "net.module.", "model.net.", "_orig_mod."]
PREFIXES += ["module._orig_mod.", "_orig_mod.module.", "_fsdp_wrapped_module.", "module.module."]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_wrapper_before_all_keys_is_taken_off(prefix):
    same(weights.from_torch(under(prefix)))
    same(weights.from_torch({"model": under(prefix)}))


def test_what_torch_itself_wraps_averages_and_compiles():
    averaged = torch.optim.swa_utils.AveragedModel(TWIN)
    averaged.update_parameters(TWIN)
    assert "n_averaged" in averaged.state_dict()
    same(weights.from_torch(averaged.state_dict()))
    same(weights.from_torch(nn.DataParallel(TWIN).state_dict()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch says of itself
        compiled = torch.compile(TWIN, backend="eager")
    same(weights.from_torch(compiled.state_dict()))
    part = nn.Sequential(compiled, nn.BatchNorm2d(2))
    assert any("0._orig_mod." in key for key in part.state_dict())
    plain = nn.Sequential(TWIN, part[1])
    same(weights.from_torch(part.state_dict()), plain.state_dict())


def test_n_averaged_without_a_wrapper_is_left():
    found = weights.from_torch({"n_averaged": torch.tensor(3), "w": torch.ones(2)})
    assert list(found) == ["n_averaged", "w"]


# -- several readings -----------------------------------------------------------------------------


def test_two_states_are_both_named_and_one_is_chosen(tmp_path):
    path = tmp_path / "last.ckpt"
    torch.save({"model": STATE, "ema": {"module": OTHER, "updates": 3}, "epoch": 1}, path)
    said = sentence(lambda: weights.load(path))
    assert said == (
        f"{path}: it holds 2 states of one kind, 'model', 'ema.module': give nest='model' in "
        "Python, or --nest model to armlab convert, or another of them"
    )
    same(weights.load(path, nest="model"))
    same(weights.load(path, nest="ema"), OTHER)
    same(weights.load(path, nest="ema.module"), OTHER)
    said = sentence(lambda: weights.load(path, nest="em"))
    assert "expected a nest of this checkpoint, got 'em': it has 'model', 'ema.module'" in said
    torch.save(STATE, path)
    assert "got 'ema': it has none" in sentence(lambda: weights.load(path, nest="ema"))


def test_weights_beside_a_nest_are_a_state_of_their_own():
    found = {**STATE, "ema": OTHER}
    said = sentence(lambda: weights.from_torch(found))
    assert "2 states of one kind, 'ema', ''" in said
    same(weights.from_torch(found, nest="ema"), OTHER)
    same(weights.from_torch(found, nest=""))


def test_two_networks_in_one_state_are_both_named_and_one_is_chosen():
    for other in ("model_ema.module", "model_ema", "ema_model", "teacher"):
        both = under("model.") | under(f"{other}.", OTHER)
        said = sentence(lambda both=both: weights.from_torch(both))
        head = other.partition(".")[0]
        assert f"it holds 'model' and {head!r}, two versions of one network" in said
        assert "give strip='model' in Python, or --strip model to armlab convert" in said
        same(weights.from_torch(both, strip="model"))
        same(weights.from_torch(both, strip="model."))
        same(weights.from_torch(both, strip=head), OTHER)


def test_a_wrapper_before_all_keys_but_one_is_asked_for():
    most = under("model.") | {"criterion.weight": torch.ones(4)}
    said = sentence(lambda: weights.from_torch(most))
    n = len(STATE)
    assert f"'model' stands before {n} of its {n + 1} keys, not before criterion.weight" in said
    assert "--strip model to armlab convert" in said
    same(weights.from_torch(most, strip="model"))
    same(weights.from_torch(most, strip=""), most)


def test_a_prefix_that_is_not_there_is_answered_with_those_that_are():
    said = sentence(lambda: weights.from_torch(STATE, strip="net"))
    assert "got 'net': it has conv, conv_atten, bn_atten" in said


def test_keys_that_would_become_one_are_named():
    twice = {"a.w": torch.ones(1), "a._orig_mod.w": torch.zeros(1)}
    said = sentence(lambda: weights.from_torch(twice))
    assert "'a.w' and 'a._orig_mod.w' are both 'a.w'" in said
    assert "--strip '' to armlab convert" in said
    assert sorted(weights.from_torch(twice, strip="")) == sorted(twice)


def test_a_checkpoint_that_holds_itself_ends():
    loop = {"epoch": 1}
    loop["self"] = loop
    assert "expected an array for 'epoch', got int" in sentence(lambda: weights.from_torch(loop))
    loop["model"] = STATE
    assert "states of one kind" in sentence(lambda: weights.from_torch(loop))
    same(weights.from_torch(loop, nest="model"))


def test_an_optimiser_alone_is_no_state():
    said = sentence(lambda: weights.from_torch(optimiser()))
    assert "got the state of an optimiser: save module.state_dict() alone" in said


# -- prefixes that nobody knows -------------------------------------------------------------------


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """bisenet.pth of CoinCheung under a prefix of somebody's own; torchseg.npz in that layout."""
    monkeypatch.chdir(tmp_path)
    state = twins.BiSeNet(3, width=2, reduction=1, mid_channels=(3, 5)).state_dict()
    torch.save(under("segmentor.student.", state), "bisenet.pth")
    plain = {key: t.numpy() for key, t in state.items()}
    weights.save("ours.npz", plain)
    weights.save("torchseg.npz", weights.rename(plain, to="torchseg"))
    return plain


def convert(capsys, *arguments, code=0):
    assert cli.main(["convert", *arguments]) == code
    output = capsys.readouterr()
    (line,) = (output.err if code else output.out).splitlines()
    return line


def test_a_map_says_which_prefix_is_too_much(capsys, networks):
    line = convert(capsys, "bisenet.pth", "a.npz", "--from", "coincheung", code=1)
    assert f"{len(networks)} of them fit without 'segmentor.student': give strip='segm" in line
    assert line.endswith("or --strip segmentor.student to armlab convert")
    convert(capsys, "bisenet.pth", "a.npz", "--from", "coincheung", "--strip", "segmentor.student")
    found = weights.load("a.npz")
    assert sorted(found) == sorted(networks)
    for key, a in networks.items():
        np.testing.assert_array_equal(found[key], a, strict=True)


def test_the_training_says_which_prefix_is_too_much(tmp_path):
    settings = {"attention": "se", "steps": 1, "batch": 2, "size": 48, "channels": 4}
    net = hand.ToyNet(3, "se", 4, rng=5).state_dict()
    weights.save(tmp_path / "a.npz", {f"seg.{key}": a for key, a in net.items()})
    config = training.Config(**settings, weights=tmp_path / "a.npz")
    said = sentence(lambda: training.Run.start(config, tmp_path / "a"))
    assert f"{len(net)} of them fit without 'seg': give strip='seg'" in said
    weights.save(tmp_path / "b.npz", weights.load(tmp_path / "a.npz", strip="seg"))
    config = training.Config(**settings, weights=tmp_path / "b.npz")
    begun = training.Run.start(config, tmp_path / "b").learner.state_dict()
    for key, a in net.items():
        np.testing.assert_array_equal(begun[f"net.{key}"], a)


def test_convert_chooses_a_nest(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": STATE, "ema": OTHER}, "in.pth")
    line = convert(capsys, "in.pth", "out.npz", code=1)
    assert "'model', 'ema': give nest='model' in Python, or --nest model to armlab convert" in line
    convert(capsys, "in.pth", "out.npz", "--nest", "ema")
    same(weights.load("out.npz"), OTHER)
    line = convert(capsys, str(tmp_path), "out.npz", "--nest", "ema", code=1)
    assert "is a run, whose state is one alone: leave out nest and strip" in line


# -- whose keys they are ---------------------------------------------------------------------------


def test_convert_claims_no_keys_that_are_not_there(capsys, networks):
    line = convert(capsys, "torchseg.npz", "a.npz")
    assert line.startswith(
        "torchseg.npz (keys that look like those of torchseg: give --from torchseg) -> "
        "a.npz (the same keys): "
    )
    line = convert(capsys, "ours.npz", "a.npz")
    assert line.startswith("ours.npz (keys of armlab) -> a.npz (keys of armlab): ")
    weights.save("anyone.npz", {"layer.kernel": np.ones(3)})
    line = convert(capsys, "anyone.npz", "a.npz")
    assert line.startswith("anyone.npz (keys as they were) -> a.npz (the same keys): ")


def test_a_wrong_source_is_answered_with_the_right_one(capsys, networks):
    line = convert(capsys, "torchseg.npz", "a.npz", "--from", "mmseg", code=1)
    assert "they look like keys of torchseg: give source='torchseg' in Python, or --from" in line


@pytest.mark.parametrize("repository", weights.REPOSITORIES)
def test_whole_networks_are_recognised(repository):
    """Held to our own networks, renamed as far as each map goes."""
    makes = [lambda: hand.BiSeNet(3, 1, (3, 5), 2), lambda: hand.ThreeScaleBiSeNet(3)]
    found = {"armlab"}
    for make in makes:
        state = make().state_dict()
        assert weights.likely_source(state) == "armlab"
        try:
            theirs = weights.rename(state, to=repository)
        except ValueError:
            continue  # not of this repository
        found.add(weights.likely_source(theirs))
        without = {k: a for k, a in theirs.items() if not k.startswith(("sp.", "spatial_path"))}
        part = weights.likely_source({k: a for k, a in without.items() if "arm" in k})
        assert part is None
    assert found <= {"armlab", repository}

"""Keys and values that a state can have, or cannot: kept bit for bit, or named in one sentence."""

import numpy as np
import pytest
import safetensors.torch
import torch

from armlab import cli, weights

SUFFIXES = [".npz", ".safetensors", ".pth", ".pt"]
KEYS = ["file", "allow_pickle", "args", "kwds", "a/b", "../a", "/etc/a", "..", ".", "", " "]
KEYS += ["a.npy", "A", "a", "Å", "A\u030a", "a\nb", "con", "a:b", "x" * 300]
KEYS += ["漢字.weight", "manifest.json"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_text_is_a_key(tmp_path, suffix):
    state = {key: np.full(2, i, "f4") for i, key in enumerate(KEYS)}
    path = tmp_path / f"a{suffix}"
    weights.save(path, state)
    assert list(tmp_path.iterdir()) == [path]
    found = weights.load(path)
    assert sorted(found) == sorted(KEYS)
    for key, a in state.items():
        np.testing.assert_array_equal(found[key], a, strict=True, err_msg=key)


def test_others_find_the_same_keys(tmp_path):
    state = {key: np.full(2, i, "f4") for i, key in enumerate(KEYS) if key != "a"}
    for name in ("a.npz", "a.safetensors", "a.pth"):
        weights.save(tmp_path / name, state)
    with np.load(tmp_path / "a.npz") as file:  # which itself takes "a" for "a.npy" where both are
        assert sorted(file.files) == sorted(state)
        for key, a in state.items():
            np.testing.assert_array_equal(file[key], a)
    assert safetensors.torch.load_file(tmp_path / "a.safetensors").keys() == state.keys()
    assert torch.load(tmp_path / "a.pth", weights_only=True).keys() == state.keys()


@pytest.mark.parametrize("key", ["file", "allow_pickle"])
def test_convert_writes_the_keyword_arguments_of_numpy(capsys, tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    torch.save({key: torch.ones(2), "w": torch.zeros(3)}, "in.pth")
    assert cli.main(["convert", "in.pth", "out.npz"]) == 0
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(weights.load("out.npz")[key], [1, 1])


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("key", ["a\0b", "\ud800", 3, None, ("a", "b")])
def test_a_key_that_no_file_can_hold_is_named(tmp_path, suffix, key):
    with pytest.raises(ValueError) as caught:
        weights.save(tmp_path / f"a{suffix}", {"w": np.ones(1), key: np.ones(2)})
    assert f"key {key!r}" in str(caught.value) or f"as a key, got {key!r}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_safetensors_own_is_named(tmp_path):
    with pytest.raises(ValueError, match="'__metadata__' is safetensors' own: write"):
        weights.save(tmp_path / "a.safetensors", {"__metadata__": np.ones(2)})
    weights.save(tmp_path / "a.npz", {"__metadata__": np.ones(2)})
    assert list(weights.load(tmp_path / "a.npz")) == ["__metadata__"]


def test_keys_that_are_no_text_are_named_on_reading(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({0: torch.ones(2), 1: torch.ones(3)}, path)
    with pytest.raises(
        ValueError, match=r"a\.pth: expected text as a key, got 0, int: save module"
    ):
        weights.load(path)


NO_ARRAYS = {
    "dict": {"b": np.ones(2)},
    "list": [1.0, 2.0],
    "str": "weights",
    "NoneType": None,
    "int": 3,
    "float": 0.5,
    "bool": True,
    "tuple": (1, 2),
    "function": np.sum,
}


@pytest.mark.parametrize("kind", NO_ARRAYS)
def test_a_value_that_is_no_array_is_named_by_its_key(tmp_path, kind):
    value, name = NO_ARRAYS[kind], type(NO_ARRAYS[kind]).__name__
    for call in (
        lambda state: weights.save(tmp_path / "a.npz", state),
        weights.to_torch,
    ):
        with pytest.raises(ValueError) as caught:
            call({"fine": np.ones(2), "a": value})
        assert f"expected an array for 'a', got {name}: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("state", [[1, 2], None, "a.npz", 3])
def test_what_is_no_dict_is_named(tmp_path, state):
    name = type(state).__name__
    calls = {
        "a dict of arrays by key, got": lambda: weights.save(tmp_path / "a.npz", state),
        "of arrays by key, got": lambda: weights.from_torch(state),
    }
    for words, call in calls.items():
        with pytest.raises(ValueError, match=f"{words} {name}"):
            call()

"""Weights to and from elsewhere: state_dicts as NumPy arrays, in files and under others' keys.

    from armlab import hand, weights

    state = weights.load("bisenetv1.pth")                     # CoinCheung's, or .safetensors, .npz
    net = weights.network("coincheung", state)                # built as it was trained, loaded
    weights.save("back.pth", weights.rename(net.state_dict(), to="coincheung"))

    arm = weights.rename(weights.load("stdc.pth"), "stdc", part="cp.arm32")
    twin.load_state_dict(weights.to_torch(arm))               # PyTorch, strict

    weights.load("last.ckpt", nest="ema.module")              # which of several states
    weights.load("lightning.ckpt", strip="model")             # which of its keys, without this

A state is a flat dict {key: array}. `armlab convert` does the same from the command line.
"""

from armlab.weights.files import load, save
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.networks import Architecture, architecture, network
from armlab.weights.prefixes import select
from armlab.weights.renaming import likely_source, rename
from armlab.weights.states import State, check, from_torch, parameter_count, to_torch

__all__ = [
    "REPOSITORIES",
    "Architecture",
    "State",
    "architecture",
    "check",
    "from_torch",
    "likely_source",
    "load",
    "network",
    "parameter_count",
    "rename",
    "save",
    "select",
    "to_torch",
]

"""Weights to and from elsewhere: state_dicts as NumPy arrays, in files and under others' keys.

    from armlab import hand, weights

    state = weights.load("bisenetv1.pth")                     # CoinCheung's, or .safetensors, .npz
    net = hand.BiSeNet(classes=19).load_state_dict(weights.rename(state, "coincheung"))
    weights.save("torchseg.pth", weights.rename(net.state_dict(), to="torchseg"))

    arm = weights.rename(weights.load("stdc.pth"), "stdc", part="cp.arm32")
    twin.load_state_dict(weights.to_torch(arm))               # PyTorch, strict

    weights.load("last.ckpt", nest="ema.module")              # which of several states
    weights.load("lightning.ckpt", strip="model")             # which of its keys, without this

A state is a flat dict {key: array}. `armlab convert` does the same from the command line.
"""

from armlab.weights.files import load, save
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.prefixes import select
from armlab.weights.renaming import likely_source, rename
from armlab.weights.states import State, check, from_torch, parameter_count, to_torch

__all__ = [
    "REPOSITORIES",
    "State",
    "check",
    "from_torch",
    "likely_source",
    "load",
    "parameter_count",
    "rename",
    "save",
    "select",
    "to_torch",
]

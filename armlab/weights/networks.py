"""Networks for others' weights: of each repository the one that computes what its own computes.

Keys that fit do not say what is computed with them: how maps are resized, what stands where no
weight does. So the tables here name the network, and the rest is read from the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Unpack

from armlab import hand
from armlab.arrays import Array
from armlab.hand.made import Made
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.renaming import key_map, rename

AUXILIARY = ("conv_out16", "conv_out32")  # heads that training alone runs, and files may lack


class Architecture(NamedTuple):
    """What to build: the name of a class of `armlab.hand` and `armlab.torch`, and its arguments."""

    network: str
    options: dict[str, Any]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.network}({given})"


# What no weight says: `key_maps` has where it is from, and what it changes.
SAID: dict[str, dict[str, Any]] = {
    "coincheung": {},  # its two kinds of heads say it
    "seafusion": {"align_corners": True},
    "face-parsing": {"align_corners": True},
    "torchseg": {"mode": "bilinear", "align_corners": True},
    "mmseg": {},
    "pytorchcv": {"align_corners": True},
}


def network(repository: str, state: Mapping[str, Array], **made: Unpack[Made]) -> hand.Module:
    """The network that these weights were trained as, with them, in evaluation mode.

    repository  whose keys the state has: one of `REPOSITORIES`
    state       of a whole network; auxiliary heads may be missing, and stay as they are drawn

    Raises ValueError where no network of ours computes what theirs does, and for keys or shapes
    that do not fit.
    """
    _expect_a_network(repository)
    ours = rename(state, repository)
    name, options = architecture(repository, ours)
    net: hand.Module = getattr(hand, name)(**options, **made)
    return net.load_state_dict(with_heads(ours, net.state_dict())).eval()


def with_heads(state: Mapping[str, Array], drawn: Mapping[str, Array]) -> dict[str, Array]:
    """The state, with auxiliary heads as they are drawn where it has none."""
    absent = [head for head in AUXILIARY if not any(_below(key, head) for key in state)]
    spare = {key: a for key, a in drawn.items() if any(_below(key, head) for head in absent)}
    return spare | dict(state)


def architecture(repository: str, state: Mapping[str, Array]) -> Architecture:
    """What to build for the weights of a whole network, which `rename` has given our keys."""
    _expect_a_network(repository)
    name = next(iter(REPOSITORIES[repository]))
    classes, main = _shape(state, "conv_out.conv_out.weight", repository)[:2]
    width = _shape(state, "cp.resnet.conv1.weight", repository)[0]
    options: dict[str, Any] = {"classes": classes, "width": width, **SAID[repository]}
    if name != "ThreeScaleBiSeNet":
        options |= _fusion_and_heads(repository, state, main)
    if name == "RectifiedBiSeNet":  # it has one kind of fusion and of heads
        options = {k: v for k, v in options.items() if k not in ("reduction", "bias")}
    if repository == "coincheung":
        _expect_plain(state, classes)
        options["align_corners"] = not options["bias"]
    return Architecture(name, options)


def _expect_a_network(repository: str) -> None:
    key_map(repository)  # or the known ones are listed
    if repository not in SAID:
        raise ValueError(
            f"no network of ours computes what {repository}'s does: take a part of it, as in "
            f"rename(state, {repository!r}, part='cp.arm32'); armlab/weights/key_maps.py has why"
        )


def _fusion_and_heads(repository: str, state: Mapping[str, Array], main: int) -> dict[str, Any]:
    reduction = None
    if "ffm.conv.weight" not in state and "ffm.conv_atten.weight" not in state:
        hidden, channels = _shape(state, "ffm.conv1.weight", repository)[:2]
        reduction = channels // hidden
    auxiliary = state.get("conv_out16.conv.conv.weight")
    return {
        "reduction": reduction,
        "mid_channels": (main, 64 if auxiliary is None else auxiliary.shape[0]),
        "bias": "conv_out.conv_out.bias" in state,
    }


def _expect_plain(state: Mapping[str, Array], classes: int) -> None:
    """Refuse CoinCheung's older networks that ours do not compute."""
    other = state.get("conv_out32.conv_out.weight")
    shuffled = classes % 64 == 0 and "ffm.conv1.weight" in state
    if shuffled if other is None else other.shape[0] != classes:
        raise ValueError(
            f"these weights of coincheung have {classes} logits for a pixel, 64 for each of "
            f"{classes // 64} classes, and end in a pixel shuffle, which no network of ours has: "
            "take a part of them, as in rename(state, 'coincheung', part='cp')"
        )
    counts = [a for key, a in state.items() if key.endswith("num_batches_tracked")]
    if "conv_out.conv_out.bias" not in state and not any(int(a) for a in counts):
        raise ValueError(
            "these weights of coincheung have counted no batch, as those of 2019, whose InPlaceABN "
            "ends in LeakyReLU and scales by |weight|: no network of ours computes that, so take "
            "newer ones, or set their num_batches_tracked if they only lost them"
        )


def _shape(state: Mapping[str, Array], key: str, repository: str) -> tuple[int, ...]:
    if key not in state:
        raise ValueError(
            f"expected the weights of a whole network of {repository}, got none for {key}: "
            "take the file of the whole network, or name the part that it is"
        )
    return tuple(state[key].shape)


def _below(key: str, prefix: str) -> bool:
    return key.startswith(f"{prefix}.")

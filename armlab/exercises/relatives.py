"""Chapter 6: the relatives of ARM."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle
from armlab.hand.bottleneck import bottleneck
from armlab.hand.eca import eca_kernel_size


def inside_se(e: Example) -> Arguments:
    """What SE's forward has kept, and the two gradients that its gate sends back."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    se = hand.SqueezeExcitation(**e.options, dtype="float64", rng=0).load_state_dict(e.state)
    z, _ = hand.global_avg_pool(x)
    u, _ = se.fc1(z)
    a, _ = se.fc2(hand.relu(u)[0])
    dx_gate, da = hand.sigmoid_gate(x, a)[1](e.dy)
    flat = {"da": da, "u": u, "W1": se.fc1.weight, "W2": se.fc2.weight}
    return {"dx_gate": dx_gate} | {name: np.asarray(v)[:, :, 0, 0] for name, v in flat.items()}


def backwards_of_cbam(e: Example) -> Arguments:
    """The five backwards that the channel half of CBAM keeps, and the gradient that reaches it."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    cbam = hand.CBAMChannel(**e.options, dtype="float64", rng=0).load_state_dict(e.state)
    mean, mean_back = hand.global_avg_pool(x)
    largest, max_back = hand.global_max_pool(x)
    a_mean, mlp_mean_back = bottleneck(mean, fc1=cbam.fc1, fc2=cbam.fc2)
    a_max, mlp_max_back = bottleneck(largest, fc1=cbam.fc1, fc2=cbam.fc2)
    _, gate_back = hand.sigmoid_gate(x, a_mean + a_max)
    mlps = {"mlp_mean_back": mlp_mean_back, "mlp_max_back": mlp_max_back}
    pools = {"mean_back": mean_back, "max_back": max_back}
    return {"dy": e.dy, "gate_back": gate_back} | mlps | pools


def inside_simam(e: Example) -> Arguments:
    """What SimAM's forward has kept: (1), (3) and (4) of its file."""
    x = np.asarray(e.inputs["x"])
    d = x - x.mean(axis=(2, 3), keepdims=True)
    v = (d**2).sum(axis=(2, 3), keepdims=True) / (x[0, 0].size - 1)
    q = 1 / (4 * (v + e.options["lambda_"]))
    return {"da": e.dy, "d": d, "q": q, "e": d**2 * q}


def _t(channels: int) -> int:
    return int(abs(np.log2(channels) + 1) / 2)


EXERCISES: dict[str, Asked] = {
    "se_backward": Exercise(
        "se_backward(dx_gate, da, u, W1, W2) -> dx",
        "SqueezeExcitation",
        ("dx",),
        inside_se,
    ),
    "eca_kernel_size": Puzzle(
        "eca_kernel_size(channels) -> size",
        st.fixed_dictionaries({"channels": st.integers(1, 4096)}),
        eca_kernel_size,
        wrong={
            "an even kernel has no middle: where t is even, the size is t + 1": lambda channels: (
                max(_t(channels), 3)
            ),
            "a kernel of 1 sees no neighbour: the size is at least 3": lambda channels: (
                _t(channels) // 2 * 2 + 1
            ),
            "where t is even, the size is the next odd number, not the one before": (
                lambda channels: max(_t(channels) - (_t(channels) % 2 == 0), 3)
            ),
            "int cuts the fraction off, it does not round": lambda channels: max(
                round(abs(np.log2(channels) + 1) / 2) // 2 * 2 + 1, 3
            ),
        },
    ),
    "channel_conv1d_backward": Exercise(
        "channel_conv1d_backward(da, z, w) -> dz, dw",
        "channel_conv1d",
        ("dz", "dw"),
        lambda e: {"da": e.dy, "z": e.inputs["z"], "w": e.inputs["w"]},
    ),
    "cbam_channel_backward": Exercise(
        "cbam_channel_backward(dy, gate_back, mlp_mean_back, mlp_max_back, mean_back, max_back)"
        " -> dx, d_fc1",
        "CBAMChannel",
        ("dx", "fc1.weight"),
        backwards_of_cbam,
    ),
    "simam_logits": Exercise(
        "simam_logits(x, lambda_) -> a",
        "simam_logits",
        ("y",),
        lambda e: {"x": e.inputs["x"], "lambda_": e.options["lambda_"]},
    ),
    "simam_logits_backward": Exercise(
        "simam_logits_backward(da, d, q, e) -> dx",
        "simam_logits",
        ("dx",),
        inside_simam,
    ),
}

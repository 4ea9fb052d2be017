"""Of the lesson "ARM in one evening"."""

from typing import Any

from first_tries.answer import Tries
from first_tries.gate import gate, summed


def arm(dy: Any, x: Any, W: Any, z: Any, s: Any, **other: Any) -> Any:
    """Right, but for what is given by name."""
    ds = other.get("ds", summed(dy, x, s, (2, 3)))
    da = (ds * other.get("slope", s * (1 - s)))[:, :, 0, 0]
    dz = da @ other.get("matrix", W)
    dx = other.get("gated", dy * s) + dz[:, :, None, None] / other.get("pixels", x[0, 0].size)
    return dx, other.get("dW", lambda da: da.T @ z)(da), other.get("db", lambda a: a.sum(0))(da)


TRIES: Tries = {
    "channel_gate_backward": {
        "no slope": lambda dy, x, s: gate(dy, x, s, slope=1),
        "half a slope": lambda dy, x, s: gate(dy, x, s, slope=1 - s),
        "a mean": lambda dy, x, s: gate(dy, x, s, ds=(dy * x).mean(axis=(2, 3), keepdims=True)),
        "channels": lambda dy, x, s: gate(dy, x, s, ds=summed(dy, x, s, 1)),
        "not summed": lambda dy, x, s: gate(dy, x, s, ds=dy * x),
        "axes lost": lambda dy, x, s: (
            dy * s,
            (dy * x).sum(axis=(2, 3)) * (s * (1 - s))[:, :, 0, 0],
        ),
        "dy alone": lambda dy, x, s: gate(dy, x, s, ds=dy.sum(axis=(2, 3), keepdims=True)),
        "x alone": lambda dy, x, s: gate(dy, x, s, ds=x.sum(axis=(2, 3), keepdims=True)),
        "dx is dy": lambda dy, x, s: (dy.copy(), gate(dy, x, s)[1]),
        "exchanged": lambda dy, x, s: gate(dy, x, s)[::-1],
        "dx of x": lambda dy, x, s: (x * s, gate(dy, x, s)[1]),
        "the batch too": lambda dy, x, s: gate(dy, x, s, ds=summed(dy, x, s, (0, 2, 3)) + 0 * s),
    },
    "arm_backward_in_numpy": {
        "one way": lambda dy, x, W, z, s: (dy * s, *arm(dy, x, W, z, s)[1:]),
        "the other way": lambda **given: arm(**given, gated=0 * given["dy"]),
        "no share": lambda **given: arm(**given, pixels=1),
        "no slope": lambda **given: arm(**given, slope=1),
        "half a slope": lambda **given: arm(**given, slope=1 - given["s"]),
        "W as in the forward": lambda **given: arm(**given, matrix=given["W"].T),
        "dW turned": lambda **given: arm(**given, dW=lambda da: given["z"].T @ da),
        "a mean of db": lambda **given: arm(**given, db=lambda da: da.mean(axis=0)),
        "a mean of dW": lambda **given: arm(
            **given, dW=lambda da: da.T @ given["z"] / len(given["x"])
        ),
        "db not summed": lambda **given: arm(**given, db=lambda da: da),
        "a mean for ds": lambda **given: arm(
            **given, ds=(given["dy"] * given["x"]).mean(axis=(2, 3), keepdims=True)
        ),
        "dy without x": lambda **given: arm(**given, ds=given["dy"].sum((2, 3), keepdims=True)),
        "dW with s": lambda **given: arm(**given, dW=lambda da: da.T @ given["s"][:, :, 0, 0]),
        "dy not gated": lambda **given: arm(**given, gated=given["dy"]),
        "divided by N too": lambda **given: arm(**given, pixels=given["x"][:, 0].size),
        "dW and db exchanged": lambda **given: next((dx, db, dW) for dx, dW, db in [arm(**given)]),
    },
}

"""Of chapter 3."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def at_winners(dz: Any, x: Any, last: bool = False, image: bool = True) -> Any:
    """The first of each channel, or the last, or with the row of the first image for all."""
    n, c, h, w = x.shape
    flat = x.reshape(n, c, -1)
    won = h * w - 1 - flat[:, :, ::-1].argmax(axis=2) if last else flat.argmax(axis=2)
    dx = np.zeros((n, c, h * w))
    images = np.arange(n) if image else np.zeros(n, int)
    dx[images[:, None], np.arange(c)[None], won] = dz[:, :, 0, 0]
    return dx.reshape(x.shape)


def scattered(dy: Any, winner: Any, shape: Any, *, image: bool = True, channel: bool = True) -> Any:
    """Adds each dy where it belongs, but for a forgotten image or channel."""
    n, c, h, w = shape
    dx = np.zeros((n, c, h * w))
    images = np.arange(n).reshape(n, 1, 1, 1) * image
    channels = np.arange(c).reshape(1, c, 1, 1) * channel
    np.add.at(dx, (images, channels, winner), dy)
    return dx.reshape(shape)


def assigned(dy: Any, winner: Any, shape: Any) -> Any:
    n, c, h, w = shape
    dx = np.zeros((n, c, h * w))
    np.put_along_axis(dx, winner.reshape(n, c, -1), dy.reshape(n, c, -1), axis=2)
    return dx.reshape(shape)


def by_columns(dy: Any, winner: Any, shape: Any) -> Any:
    n, c, h, _w = shape
    i, j = winner % h, winner // h
    dx = np.zeros(shape)
    images, channels = np.arange(n).reshape(n, 1, 1, 1), np.arange(c).reshape(1, c, 1, 1)
    np.add.at(dx, (images, channels, i, j), dy)
    return dx


def of_channels(dy: Any, x: Any, last: bool = False) -> Any:
    won = x.shape[1] - 1 - x[:, ::-1].argmax(axis=1) if last else x.argmax(axis=1)
    channels = np.arange(x.shape[1]).reshape(1, -1, 1, 1)
    return dy * (channels == won[:, None])


def power_mean(dz: Any, x: Any, p: int, **other: Any) -> Any:
    t = other.get("t", np.mean(x**p, axis=(2, 3), keepdims=True))
    dt = other.get("dt", dz * t ** (1 / p - 1) / p)
    dq = dt / other.get("pixels", x.shape[2] * x.shape[3])
    return dq * other.get("slope", p * x ** (p - 1))


TRIES: Tries = {
    "global_avg_pool": {
        "no axes kept": lambda x: x.mean(axis=(2, 3)),
        "the batch as well": lambda x: x.mean(axis=(0, 2, 3), keepdims=True),
        "the channels": lambda x: x.mean(axis=1, keepdims=True),
        "the sum": lambda x: x.sum(axis=(2, 3), keepdims=True),
        "the maximum": lambda x: x.max(axis=(2, 3), keepdims=True),
        "one axis": lambda x: x.mean(axis=2, keepdims=True),
        "divided by H": lambda x: x.sum(axis=(2, 3), keepdims=True) / x.shape[2],
        "divided by N too": lambda x: (
            x.sum(axis=(2, 3), keepdims=True) / (x.shape[0] * x.shape[2] * x.shape[3])
        ),
        "the middle value": lambda x: np.median(x, axis=(2, 3), keepdims=True),
        "all channels": lambda x: x.mean(axis=(1, 2, 3), keepdims=True),
    },
    "global_max_pool_backward": {
        "the last": lambda dz, x: at_winners(dz, x, last=True),
        "all winners": lambda dz, x: np.where(x == x.max(axis=(2, 3), keepdims=True), dz, 0.0),
        "one pixel of the batch": lambda dz, x: dz * (x == x.max()),
        "no image": lambda dz, x: at_winners(dz, x, image=False),
        "dz everywhere": lambda dz, x: dz + 0 * x,
        "the mask alone": lambda dz, x: (x == x.max(axis=(2, 3), keepdims=True)).astype(float),
        "a share": lambda dz, x: np.broadcast_to(dz / (x.shape[2] * x.shape[3]), x.shape),
        "times the maximum": lambda dz, x: at_winners(dz * x.max(axis=(2, 3), keepdims=True), x),
        "the smallest": lambda dz, x: at_winners(dz, -x),
        "over channels": lambda dz, x: dz * (x == x.max(axis=1, keepdims=True)),
    },
    "max_pool2d_backward": {
        "no image": lambda dy, winner, shape: scattered(dy, winner, shape, image=False),
        "no channel": lambda dy, winner, shape: scattered(dy, winner, shape, channel=False),
        "neither": lambda dy, winner, shape: scattered(
            dy, winner, shape, image=False, channel=False
        ),
        "the last write": assigned,
        "columns first": by_columns,
        "the mask alone": lambda dy, winner, shape: scattered(np.ones_like(dy), winner, shape),
        "never more than once": lambda dy, winner, shape: (
            scattered(dy, winner, shape) / np.maximum(scattered(np.ones_like(dy), winner, shape), 1)
        ),
    },
    "power_mean_backward": {
        "the mean": lambda dz, x, p: np.broadcast_to(dz / (x.shape[2] * x.shape[3]), x.shape),
        "no share": lambda dz, x, p: power_mean(dz, x, p, pixels=1),
        "the sum": lambda dz, x, p: power_mean(dz, x, p, t=(x**p).sum((2, 3), keepdims=True)),
        "no root": lambda dz, x, p: power_mean(dz, x, p, dt=dz),
        "the root itself": lambda dz, x, p: power_mean(
            dz, x, p, dt=dz * np.mean(x**p, axis=(2, 3), keepdims=True) ** (1 / p)
        ),
        "no 1 / p": lambda dz, x, p: p * power_mean(dz, x, p),
        "no p": lambda dz, x, p: power_mean(dz, x, p, slope=x ** (p - 1)),
        "the power itself": lambda dz, x, p: power_mean(dz, x, p, slope=x**p),
        "a share of the batch": lambda dz, x, p: power_mean(dz, x, p, pixels=x[:, 0].size),
        "no dz": lambda dz, x, p: power_mean(np.ones_like(dz), x, p),
    },
    "channel_max_backward": {
        "all winners": lambda dy, x: dy * (x == x.max(axis=1, keepdims=True)),
        "the last": lambda dy, x: of_channels(dy, x, last=True),
        "dy everywhere": lambda dy, x: np.broadcast_to(dy, x.shape).copy(),
        "a share": lambda dy, x: np.broadcast_to(dy / x.shape[1], x.shape).copy(),
        "the largest pixel": lambda dy, x: dy * (x == x.max(axis=(2, 3), keepdims=True)),
        "the mask alone": lambda dy, x: of_channels(np.ones_like(dy), x),
        "times x": lambda dy, x: of_channels(dy * x.max(axis=1, keepdims=True), x),
        "the smallest": lambda dy, x: of_channels(dy, -x),
        "of all images": lambda dy, x: dy * (x == x.max(axis=(0, 1), keepdims=True)),
    },
}

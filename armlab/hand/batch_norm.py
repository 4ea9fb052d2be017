"""Batch normalisation: each channel centred and scaled, then given a scale and shift to learn."""

from __future__ import annotations

from armlab.arrays import Array, DType, Rng, array_namespace, dtype_of, generator
from armlab.hand import kernels
from armlab.hand.backward import Backward, Grads
from armlab.hand.channels import per_channel, vector
from armlab.hand.expect import expect_between, expect_features, expect_vectors, whole
from armlab.hand.module import Module
from armlab.places import Device, place


def batch_norm(
    x: Array, w: Array, b: Array, *, eps: float = 1e-5
) -> tuple[tuple[Array, Array, Array], Backward]:
    """Normalise by the statistics of this batch: training mode.

    x  (N, C, H, W)   features;  m = N H W values per channel
    w  (C,)           scale, often called gamma
    b  (C,)           shift, often called beta
    y  (N, C, H, W),  mean (C,),  var (C,)

        mean = Σ x / m                                      (1)
        var  = Σ (x - mean)² / m                            (2)  never E[x²] - mean²: it cancels
        r    = 1 / sqrt(var + eps)                          (3)
        y    = w (x - mean) r + b                           (4)

    The value is (y, mean, var); no gradient flows through the two statistics as outputs.
    Raises ValueError where m = 1: (2) is then 0 and every y is b. Source: Ioffe and Szegedy 2015.
    """
    xp = array_namespace(x, w, b)
    expect_batch("batch_norm", x, w, b)
    eps = expect_eps("batch_norm", eps)
    if kernel := kernels.choose("batch_norm", x, w, b, eps):
        return kernel(x, w, b, eps)
    m = max(values_per_channel(x), 1)  # an empty batch has statistics 0 and no y
    w, b = per_channel(w), per_channel(b)

    def total(q: Array) -> Array:  # Σ: over all values of a channel
        return xp.sum(q, axis=(0, 2, 3), keepdims=True)

    mean = total(x) / m  # (1)
    centred = x - mean
    var = total(centred**2) / m  # (2)
    r = 1.0 / xp.sqrt(var + eps)  # (3)
    y = w * centred * r + b  # (4)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # (4) is y = w x̂ + b with x̂ = (x - mean) r:  dL/db = Σ dy;  dL/dw = Σ dy x̂.
        # x reaches y by three ways. Directly: w r dy. Through mean (1): every x moves it by
        # 1/m, which takes away the part of dy along 1. Through r (2, 3): which takes away the
        # part of dy along x̂.     dL/dx = w r (dy - db / m - x̂ dw / m)                    (5)
        # x̂ is computed again: it costs less than to keep it, and x is there anyway.
        xhat = (x - mean) * r
        db = total(dy)
        dw = total(dy * xhat)
        dx = w * r * (dy - db / m - xhat * dw / m)  # (5)
        return dx, vector(dw), vector(db)

    return (y, vector(mean), vector(var)), backward


def expect_batch(name: str, x: Array, w: Array, b: Array) -> None:
    """Refuse what has no statistics of its own, or not a number per channel."""
    expect_features(name, x)
    expect_vectors(name, x.shape[1], w=w, b=b)
    if values_per_channel(x) == 1:
        raise ValueError(ONE_VALUE.format(shape=tuple(x.shape)))


def expect_eps(name: str, eps: float) -> float:
    """As Python's number: a float64 of NumPy would make float32 wider."""
    expect_between(name, 0, float("inf"), eps=eps)
    return float(eps)


def values_per_channel(x: Array) -> int:
    """m = N H W"""
    m: int = x.shape[0] * x.shape[2] * x.shape[3]
    return m


def batch_norm_eval(
    x: Array, w: Array, b: Array, *, mean: Array, var: Array, eps: float = 1e-5
) -> tuple[Array, Backward]:
    """Normalise by statistics kept from training, which are constants here: evaluation mode.

    x  (N, C, H, W);  w, b, mean, var  (C,);  y  (N, C, H, W)

        r = 1 / sqrt(var + eps)                             (1)
        y = w (x - mean) r + b                              (2)
    """
    xp = array_namespace(x, w, b, mean, var)
    expect_features("batch_norm_eval", x)
    eps = expect_eps("batch_norm_eval", eps)
    expect_vectors("batch_norm_eval", x.shape[1], w=w, b=b, mean=mean, var=var)
    if kernel := kernels.choose("batch_norm_eval", x, w, b, mean, var, eps):
        return kernel(x, w, b, mean, var, eps)
    w, b, mean = per_channel(w), per_channel(b), per_channel(mean)
    r = 1.0 / xp.sqrt(per_channel(var) + eps)  # (1)
    y = w * (x - mean) * r + b  # (2)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # (2) is a straight line in x: neither mean nor r moves with it.
        dx = w * r * dy  # (3)
        dw = xp.sum(dy * (x - mean) * r, axis=(0, 2, 3))  # (4)
        db = xp.sum(dy, axis=(0, 2, 3))  # (5)
        return dx, dw, db

    return y, backward


class BatchNorm2d(Module):
    """Batch normalisation with running statistics, kept exactly as torch.nn.BatchNorm2d keeps them.

    In training mode each batch moves them by `momentum`, which is the share of the new batch:

        running_mean = (1 - momentum) running_mean + momentum mean
        running_var  = (1 - momentum) running_var  + momentum var m / (m - 1)

    The variance kept is the unbiased one; the variance divided by is not. An empty batch only
    counts in num_batches_tracked. Nothing is drawn, and rng is taken as by every module.

    Raises ValueError for a momentum outside 0 to 1 and for eps below 0.
    """

    parameter_names = ("weight", "bias")
    buffer_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        *,
        rng: Rng = None,
        dtype: DType = "float32",
        device: Device = "cpu",
    ) -> None:
        (num_features,) = whole(type(self).__name__, num_features=num_features)
        eps = expect_eps(type(self).__name__, eps)
        expect_between(type(self).__name__, 0, 1, momentum=momentum)
        generator(rng)  # refused where it is no seed, as everywhere
        where, dtype = place(device), dtype_of(dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, float(momentum)
        self.weight = where.asarray([1.0] * num_features, dtype)
        self.bias = where.asarray([0.0] * num_features, dtype)
        self.running_mean = where.asarray([0.0] * num_features, dtype)
        self.running_var = where.asarray([1.0] * num_features, dtype)
        self.num_batches_tracked = where.asarray(0, "int64")

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.num_features, "num_features")
        asked = "batch_norm_and_keep", x, self, batch_norm
        if self.training and (kernel := kernels.choose(*asked)):
            return kernel(x, self, batch_norm)
        if self.training:
            (y, mean, var), norm_back = batch_norm(x, self.weight, self.bias, eps=self.eps)
            self.keep(mean, var, m=values_per_channel(x))
        else:
            statistics = {"mean": self.running_mean, "var": self.running_var}
            y, norm_back = batch_norm_eval(x, self.weight, self.bias, **statistics, eps=self.eps)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dx, dw, db = norm_back(dy)
            return dx, {"weight": dw, "bias": db}

        return y, backward

    def keep(self, mean: Array, var: Array, m: int) -> None:
        """Move the running statistics by those of a batch with m values a channel."""
        xp = array_namespace(mean, var)
        self.num_batches_tracked = xp.asarray(self.num_batches_tracked + 1)
        if m > 1:
            new, old = self.momentum, 1 - self.momentum
            self.running_mean = old * self.running_mean + new * mean
            self.running_var = old * self.running_var + new * (m / (m - 1)) * var

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            "affine=True, bias=True, track_running_stats=True"
        )


ONE_VALUE = (
    "Expected more than 1 value per channel when training, got input size {shape}. "
    "An attention refinement module pools each channel to one value, so in training mode it "
    "needs a batch of at least 2: use a larger batch, drop the last incomplete one, or call eval()"
)

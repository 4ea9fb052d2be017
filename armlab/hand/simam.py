"""SimAM: one gate per element, from how far it stands out of its channel; no weights at all."""

from __future__ import annotations

from typing import Self, Unpack

from armlab.arrays import Array
from armlab.hand import kernels
from armlab.hand.backward import Backward, Grads
from armlab.hand.channels import position_sum
from armlab.hand.expect import expect_features, is_number
from armlab.hand.made import Made
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


def simam_logits(x: Array, *, lambda_: float = 1e-4) -> tuple[Array, Backward]:
    """How far each element lies from the mean of its channel, measured in its variance.

    x, a  (N, C, H, W);   m = H W positions;   λ > 0 keeps (3) finite where a channel is constant

        d = x - Σ x / m                                                 (1)
        v = Σ d² / (m - 1)                                              (2)
        q = 1 / (4 (v + λ))                                             (3)
        e = d² q                                                        (4)
        a = e + 1/2                                                     (5)

    with sums over the positions of one channel of one image. Raises ValueError for m = 1, where
    (2) is 0/0, and for λ <= 0.
    """
    expect_features("simam_logits", x)
    m = x.shape[2] * x.shape[3]
    if m == 1:
        raise ValueError(
            f"simam_logits expected at least 2 positions, got {tuple(x.shape)}: "
            "one value has no variance, so leave SimAM out behind a global pooling"
        )
    lambda_ = _above_0("simam_logits", lambda_)
    if kernel := kernels.choose("simam_logits", x, lambda_):
        return kernel(x, lambda_)
    d = x - position_sum(x) / m  # (1)
    v = position_sum(d * d) / (m - 1)  # (2)
    q = 1.0 / (4.0 * (v + lambda_))  # (3)
    e = d * d * q  # (4)
    a = e + 0.5  # (5)

    def backward(da: Array) -> Array:
        # d reaches a by two ways. Directly (4): 2 q d da. Through v (2, 3), which every d of the
        # channel moves by 2 d / (m - 1): dL/dv = Σ da d² dq/dv, where dq/dv = -4 q², so
        # dL/dv = -4 q Σ da e. Together
        #     dL/dd = 2 q d (da - 4 Σ da e / (m - 1))                                        (6)
        # and by (1) every x lowers all d by its share 1/m of the mean:
        #     dL/dx = dL/dd - Σ dL/dd / m                                                    (7)
        dd = 2.0 * q * d * (da - 4.0 * position_sum(da * e) / (m - 1))  # (6)
        return dd - position_sum(dd) / m  # (7)

    return a, backward


def _above_0(name: str, lambda_: float) -> float:
    if not is_number(lambda_) or not lambda_ > 0:
        raise ValueError(f"{name} expected lambda_ > 0, got {lambda_!r}: the paper has 1e-4")
    return float(lambda_)


class SimAM(Module):
    """Scale each element by a gate from its own distance to the rest of its channel.

    x, y  (N, C, H, W), for any C; no parameters, so nothing to train or to save

        y = x σ(simam_logits(x))

    Logits begin at 1/2, so no gate is below σ(1/2) = 0.62: SimAM damps the ordinary and shuts off
    nothing. Raises ValueError for λ <= 0.
    Source: Yang et al. 2021, and `simam_module` of ZjjConan/SimAM.
    """

    attention_name = "simam"

    def __init__(self, lambda_: float = 1e-4, **made: Unpack[Made]) -> None:
        super().__init__(**made)
        self.lambda_ = _above_0(type(self).__name__, lambda_)

    @classmethod
    def for_channels(cls, channels: int, **made: Unpack[Made]) -> Self:
        """In a network: it takes any number of channels."""
        return cls(**made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return self_gate(x, self._logits)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        a, logits_back = simam_logits(x, lambda_=self.lambda_)

        def backward(da: Array) -> tuple[Array, Grads]:
            return logits_back(da), {}

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, H, W)"""
        return sigmoid(self._logits(x)[0])[0]

    def extra_repr(self) -> str:
        return f"lambda_={self.lambda_}"

"""The table of cases: one record for each function and each module of `armlab.hand`.

To add a module is to add its record here: how its inputs are drawn and, for a function, the bound
of its errors. Tests, `armlab check`, the fault catalogue and the exercises all read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from armlab.check import bounds, modules, operations
from armlab.check.example import Example
from armlab.check.special import (
    Special,
    border,
    ignored_pixels,
    one_of,
    slabs,
    where_no_pixel_is_passed_over,
)
from armlab.check.strata import Stratum
from armlab.check.strategies import BOUNDED, Source

Draw = Callable[[Source], Example]


@dataclass(frozen=True)
class Case:
    """How one function or module is sampled and judged.

    draw    a valid example from a source
    bound   its error bound; None for a module, which is judged stage by stage and as a whole
    exact   how to draw examples that have no rounding at all; None where there are none
    empty   whether an empty batch makes sense
    share   of the examples that this case gets: a whole network is slow, and its parts are cases
    special  of a function: where NaN and infinities are put that must not count
    """

    name: str
    draw: Draw
    bound: Callable[..., bounds.Bounds] | None = None
    exact: Draw | None = None
    empty: bool = True
    share: float = 1.0
    special: Special = slabs

    def strata(self, examples: int) -> list[Stratum]:
        """So many examples, or the share of this case, in parts that each come up for sure."""
        if self.bound is None:
            return self._strata(self.draw, ("floats",) * 4, examples, large=0.1)
        strata = self._strata(self.draw, BOUNDED, examples, large=0.05, empty=0.05 * self.empty)
        return [*strata, self._special(examples)]

    def _special(self, examples: int) -> Stratum:
        def draw(s: Source) -> Example:
            return self.special(s, self.draw(s))

        count = max(round(0.15 * examples * self.share), 4)
        return Stratum("special", _strategy(draw, "floats", "small"), count)

    def exact_strata(self, examples: int) -> list[Stratum]:
        """The same of small integers, whose results have no rounding in any order of sums."""
        assert self.exact is not None, f"{self.name} has no exact examples"
        return self._strata(self.exact, ("integers",) * len(BOUNDED), examples, large=0.05)

    def examples(self) -> st.SearchStrategy[Example]:
        """Examples of all strata, for the bounded property."""
        return st.one_of([stratum.examples for stratum in self.strata(100)])

    def exact_examples(self) -> st.SearchStrategy[Example]:
        """Examples of all exact strata."""
        return st.one_of([stratum.examples for stratum in self.exact_strata(100)])

    def readable_examples(self) -> st.SearchStrategy[Example]:
        """Small examples that shrink to a pixel or two, for people to read."""
        return st.one_of([_strategy(self.draw, kind, "readable") for kind in BOUNDED])

    def _strata(
        self, make: Draw, kinds: tuple[str, ...], examples: int, large: float, empty: float = 0
    ) -> list[Stratum]:
        total = examples * self.share
        small = (1 - large - empty) / len(kinds)
        parts = [(kind, "small", small) for kind in kinds]
        parts += [(kinds[0], size, x) for size, x in (("large", large), ("empty", empty)) if x]
        return [
            Stratum(
                kind if size == "small" else size,
                _strategy(make, kind, size, turn),
                max(round(total * part), 2),
            )
            for turn, (kind, size, part) in enumerate(parts)
        ]


def _strategy(make: Draw, kind: str, size: str, turn: int = 0) -> st.SearchStrategy[Example]:
    @st.composite
    def examples(draw: Callable[..., object]) -> Example:
        return make(Source(draw, kind, size, turn))

    return examples()


_o, _b, _m = operations, bounds, modules
_in_and_beside = one_of(slabs, border(_o.covered))

FUNCTIONS = [
    Case("conv2d", _o.conv2d, _b.conv2d, _o.conv2d_exact, special=_in_and_beside),
    Case("batch_norm", _o.batch_norm, _b.batch_norm),
    Case("batch_norm_eval", _o.batch_norm_eval, _b.batch_norm_eval),
    Case("relu", _o.elementwise, _b.nothing_rounds, _o.elementwise),
    Case("leaky_relu", _o.leaky_relu, _b.leaky_relu, _o.leaky_relu),
    Case("sigmoid", _o.sigmoid, _b.sigmoid),
    Case("sigmoid_gate", _o.sigmoid_gate, _b.sigmoid_gate, _o.sigmoid_gate_exact),
    Case("global_avg_pool", _o.global_avg_pool, _b.global_avg_pool, _o.global_avg_pool_exact),
    Case("global_max_pool", _o.global_avg_pool, _b.nothing_rounds, _o.global_avg_pool),
    Case("channel_conv1d", _o.channel_conv1d, _b.channel_conv1d, _o.channel_conv1d),
    Case("channel_mean", _o.channel_statistic, _b.channel_mean, _o.channel_mean_exact),
    Case("channel_max", _o.channel_statistic, _b.nothing_rounds, _o.channel_statistic),
    Case("strip_mean", _o.strip_mean, _b.strip_mean, _o.strip_mean_exact),
    Case("hard_swish", _o.elementwise, _b.hard_swish, _o.hard_swish_exact),
    Case("simam_logits", _o.simam_logits, _b.simam_logits),
    Case("add", _o.add, _b.add, _o.add),
    Case("subtract", _o.add, _b.add, _o.add),
    Case("join_strips", _o.join_strips, _b.nothing_rounds, _o.join_strips),
    Case("split_strips", _o.split_strips, _b.nothing_rounds, _o.split_strips),
    Case("concat_channels", _o.concat_channels, _b.nothing_rounds, _o.concat_channels),
    Case("max_pool2d", _o.max_pool2d, _b.max_pool2d, _o.max_pool2d, special=_in_and_beside),
    Case("resize_bilinear", _o.resize, _b.resize_bilinear, special=where_no_pixel_is_passed_over),
    Case(
        "resize_nearest",
        _o.resize,
        _b.resize_nearest,
        _o.resize,
        special=where_no_pixel_is_passed_over,
    ),
    Case("cross_entropy", _o.cross_entropy, _b.cross_entropy, empty=False, special=ignored_pixels),
]
MODULES = [
    Case("Conv2d", _m.conv2d),
    Case("BatchNorm2d", _m.batch_norm),
    Case("ConvBN", _m.conv_bn),
    Case("ConvBNAct", _m.conv_bn_act),
    Case("PaperAttentionRefinement", _m.by_channels("PaperAttentionRefinement")),
    Case("AttentionRefinementModule", _m.arm),
    Case("SqueezeExcitation", _m.cbam("SqueezeExcitation")),
    Case("EffectiveSE", _m.by_channels("EffectiveSE", batch=1)),
    Case("ChannelConv1d", _m.channel_conv1d),
    Case("ECA", _m.eca),
    Case("CBAMChannel", _m.cbam("CBAMChannel")),
    Case("CBAMSpatial", _m.cbam_spatial("CBAMSpatial")),
    Case("CBAMSpatialMeanFirst", _m.cbam_spatial("CBAMSpatialMeanFirst")),
    Case("CBAM", _m.cbam("CBAM")),
    Case("CoordinateAttention", _m.cbam("CoordinateAttention")),
    Case("SimAM", _m.simam),
    Case("UAFMSpatial", _m.uafm_spatial),
    Case("UAFMChannel", _m.uafm_channel),
    Case("Attentionout", _m.by_channels("Attentionout")),
    Case("ResidualAttentionout", _m.by_channels("ResidualAttentionout")),
    Case("ListedSAR", _m.listed_sar),
    Case("SAR", _m.sar),
    Case("ConvAttention", _m.conv_attention),
    Case("FeatureFusionModule", _m.feature_fusion("FeatureFusionModule")),
    Case("SingleLayerFeatureFusion", _m.feature_fusion("SingleLayerFeatureFusion")),
    Case("BasicBlock", _m.basic_block),
    Case("ResNet18", _m.path("ResNet18", {8: 2, 16: 4, 32: 8}), share=0.1),
    Case("SpatialPath", _m.path("SpatialPath", {8: 2}), share=0.25),
    Case("ContextPath", _m.context_path, share=0.1),
    Case("ThreeScaleContextPath", _m.path("ThreeScaleContextPath", {8: 2, 16: 2}), share=0.1),
    Case("BiSeNetOutput", _m.bisenet_output),
    Case("BiSeNet", _m.bisenet, share=0.1),
    Case("ToyBiSeNet", _m.toy_bisenet, share=0.1),
    Case("ThreeScaleBiSeNet", _m.network("ThreeScaleBiSeNet", outputs=2), share=0.1),
    Case("ToyNet", _m.toy_net, share=0.25),
]
CASES = {case.name: case for case in FUNCTIONS + MODULES}

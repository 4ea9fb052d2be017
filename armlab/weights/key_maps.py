"""Key maps: what the public repositories call the parts of our modules, as plain tables.

A table is {theirs: ours}. An entry renames the key itself and every key below it ("arms.0" also
"arms.0.conv_3x3.bn.bias"); where two fit, the longer one counts. What is not in a table has no
counterpart on the other side, and `rename` says so. The first table of a repository is of its
whole network.

A map renames keys and nothing else. What differs beside them, and what to build for it:

coincheung    github.com/CoinCheung/BiSeNet: our BiSeNet. Its older checkpoints have the FFM with
              two layers, reduction 4, and heads without bias, later with 64 and 256 times the
              classes for a pixel shuffle; those of 2019 have a LeakyReLU in InPlaceABN.
seafusion     github.com/Linfeng-Tang/SeAFusion: our ThreeScaleBiSeNet.
stdc          github.com/MichaelFan01/STDC-Seg: only parts fit, as backbone and spatial path are
              others. It trains with InPlaceABN, which scales by |weight| where BN scales by weight
              (mapillary/inplace_abn#92): take the absolute value of every BN weight.
face-parsing  github.com/zllrunning/face-parsing.PyTorch: no spatial path, the FFM with two layers,
              reduction 4, and heads without bias.
torchseg      github.com/yu-changqian/TorchSeg, BiSeNet-R18: our BiSeNet with reduction=1 and
              mid_channels=(64, 256). It resizes bilinearly with aligned corners where our context
              path takes the nearest: the weights fit, the outputs differ a little.
mmseg         github.com/open-mmlab/mmsegmentation. Its FFM has a ReLU before the sigmoid, so its
              gate is at least 1/2: another function than ours, so left out though the shapes fit.
              Where its backbone is a ResNetV1c, the deep stem does not fit either.
pytorchcv     the package: no spatial path, the FFM with two layers, reduction 4, heads without
              bias; and its SEBlock and CbamBlock.

Activations have no keys: an ARM of these is built with "relu", of seafusion with "leaky_relu". A
head without bias equals one whose bias is 0.
"""

from __future__ import annotations

from armlab.weights.foreign_keys import MMSEG, PYTORCHCV, TORCHSEG, Table


def _same(*prefixes: str) -> Table:
    return {prefix: prefix for prefix in prefixes}


_ARM = _same("conv", "conv_atten", "bn_atten")
_FFM = _same("convblk", "conv1", "conv2")
_ARM_AND_FFM = {"AttentionRefinementModule": _ARM, "FeatureFusionModule": _FFM}

_COINCHEUNG = {
    "BiSeNet": _same("cp", "sp", "ffm", "conv_out", "conv_out16", "conv_out32"),
    "SingleLayerFeatureFusion": _same("convblk", "conv", "bn"),
} | _ARM_AND_FFM

_SEAFUSION = {
    "ThreeScaleBiSeNet": _same("cp", "conv_out", "conv_out16"),
    "AttentionRefinementModule": _ARM,
    "Attentionout": _same("conv_atten", "bn_atten"),
    "SAR": _same("conv1", "conv_reduce", "conv_atten", "bn_atten"),
}

_STDC_PARTS = ("cp.arm16", "cp.arm32", "cp.conv_head16", "cp.conv_head32", "cp.conv_avg", "ffm")
_STDC = {"BiSeNet": _same(*_STDC_PARTS, "conv_out", "conv_out16", "conv_out32")} | _ARM_AND_FFM

_FACE_PARSING = {
    "SinglePathBiSeNet": _same("cp", "ffm", "conv_out", "conv_out16", "conv_out32")
} | _ARM_AND_FFM

REPOSITORIES: dict[str, dict[str, Table]] = {
    "coincheung": _COINCHEUNG,
    "seafusion": _SEAFUSION,
    "stdc": _STDC,
    "face-parsing": _FACE_PARSING,
    "torchseg": TORCHSEG,
    "mmseg": MMSEG,
    "pytorchcv": PYTORCHCV,
}

"""Key maps: what the public repositories call the parts of our modules, as plain tables.

A table is {theirs: ours}. An entry renames the key itself and every key below it ("arms.0" also
"arms.0.conv_3x3.bn.bias"); where two fit, the longer one counts. What is not in a table has no
counterpart on the other side, and `rename` says so. The first table of a repository is of its
whole network.

A map renames keys and nothing else, and keys that fit do not say how maps are resized. So
`weights.network` builds what a file was trained as: "aligned" is align_corners=True, and the
numbers are what the outputs differ by without it, relative, and the share of classes that change,
for the random weights of tests/weights/test_families.py, which holds each network to the forward of
its origin.

coincheung    github.com/CoinCheung/BiSeNet: BiSeNet. Heads without bias are of 2020 and before:
              aligned (0.15, 5 %), with the FFM of two layers, reduction 4. Heads with 64 and 256
              times the classes end in a pixel shuffle, and weights of 2019 are of InPlaceABN with
              LeakyReLU: no network here computes either, parts fit.
seafusion     github.com/Linfeng-Tang/SeAFusion: ThreeScaleBiSeNet, aligned behind its heads alone
              (0.42, 17 %).
stdc          github.com/MichaelFan01/STDC-Seg: only parts fit, as its backbone is another and
              stands for the spatial path. Its heads are aligned: resize so what a part of ours
              gives. It trains with InPlaceABN, which scales by |weight| where BN scales by weight
              (mapillary/inplace_abn#92): take the absolute value of every BN weight.
face-parsing  github.com/zllrunning/face-parsing.PyTorch: SinglePathBiSeNet, aligned (0.11, 2 %):
              no spatial path, the FFM with two layers, reduction 4, and heads without bias.
torchseg      github.com/yu-changqian/TorchSeg, BiSeNet-R18: BiSeNet with mode="bilinear", aligned
              (0.27, 6 %), reduction=1 and mid_channels=(64, 256). It gives log_softmax of these
              logits, and enlarges 8 and 16 times: sides that 16 does not divide grow there.
mmseg         github.com/open-mmlab/mmsegmentation 1.2.2: RectifiedBiSeNet. Its FFM has a ReLU
              before the sigmoid, so its gate is at least 1/2, another function than
              CoinCheung's of the same shapes. In training its heads drop a tenth of their
              channels, which ours do not. Of a ResNetV1c the deep stem does not fit.
pytorchcv     the package: SinglePathBiSeNet, aligned (0.18, 3 %), on sides that 32 divides; and
              its SEBlock and CbamBlock.

Activations have no keys: an ARM of these is built with "relu", of seafusion with "leaky_relu". A
head without bias equals one whose bias is 0. Out to a repository goes what was built as it builds:
`rename` sees keys, and a network that resizes otherwise has the same ones.
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

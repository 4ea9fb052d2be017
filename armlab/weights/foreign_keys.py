"""The tables of the repositories whose keys are not ours: TorchSeg, mmsegmentation, pytorchcv."""

from __future__ import annotations

Table = dict[str, str]


def _under(theirs: str, ours: str, table: Table) -> Table:
    """The table of a module, for where it stands in a network."""
    return {f"{theirs}.{t}": f"{ours}.{o}" for t, o in table.items()}


_TORCHSEG_ARM = {
    "conv_3x3": "conv",
    "channel_attention.1.conv": "conv_atten",
    "channel_attention.1.bn": "bn_atten",
}
_TORCHSEG_FFM = {
    "conv_1x1": "convblk",
    "channel_attention.1.conv": "conv1",
    "channel_attention.2.conv": "conv2",
}
_TORCHSEG_HEAD = {"conv_3x3": "conv", "conv_1x1": "conv_out"}
TORCHSEG = {
    "BiSeNet": {
        "context_path": "cp.resnet",
        "global_context.1": "cp.conv_avg",
        "refines.0": "cp.conv_head32",
        "refines.1": "cp.conv_head16",
        "spatial_path.conv_7x7": "sp.conv1",
        "spatial_path.conv_3x3_1": "sp.conv2",
        "spatial_path.conv_3x3_2": "sp.conv3",
        "spatial_path.conv_1x1": "sp.conv_out",
        **_under("arms.0", "cp.arm32", _TORCHSEG_ARM),
        **_under("arms.1", "cp.arm16", _TORCHSEG_ARM),
        **_under("ffm", "ffm", _TORCHSEG_FFM),
        **_under("heads.0", "conv_out32", _TORCHSEG_HEAD),
        **_under("heads.1", "conv_out16", _TORCHSEG_HEAD),
        **_under("heads.2", "conv_out", _TORCHSEG_HEAD),
    },
    "AttentionRefinementModule": _TORCHSEG_ARM,
    "FeatureFusionModule": _TORCHSEG_FFM,
}

_MMSEG_ARM = {
    "conv_layer": "conv",
    "atten_conv_layer.1.conv": "conv_atten",
    "atten_conv_layer.1.bn": "bn_atten",
}
_MMSEG_HEAD = {"convs.0": "conv", "conv_seg": "conv_out"}
MMSEG = {
    "BiSeNet": {
        "backbone.context_path.backbone": "cp.resnet",
        "backbone.context_path.gap_conv.1": "cp.conv_avg",
        "backbone.context_path.conv_head32": "cp.conv_head32",
        "backbone.context_path.conv_head16": "cp.conv_head16",
        "backbone.spatial_path.layer1": "sp.conv1",
        "backbone.spatial_path.layer2": "sp.conv2",
        "backbone.spatial_path.layer3": "sp.conv3",
        "backbone.spatial_path.layer4": "sp.conv_out",
        **_under("backbone.context_path.arm32", "cp.arm32", _MMSEG_ARM),
        **_under("backbone.context_path.arm16", "cp.arm16", _MMSEG_ARM),
        **_under("decode_head", "conv_out", _MMSEG_HEAD),
        **_under("auxiliary_head.0", "conv_out16", _MMSEG_HEAD),
        **_under("auxiliary_head.1", "conv_out32", _MMSEG_HEAD),
    },
    "AttentionRefinementModule": _MMSEG_ARM,
}

_PYTORCHCV_ARM = {"conv1": "conv", "conv2.conv": "conv_atten", "conv2.bn": "bn_atten"}
_PYTORCHCV_FFM = {"conv_merge": "convblk", "conv1": "conv1", "conv2": "conv2"}
_PYTORCHCV_HEAD = {"conv1": "conv", "conv2": "conv_out"}
_PYTORCHCV_BLOCK = {
    "body.conv1.conv": "conv1",
    "body.conv1.bn": "bn1",
    "body.conv2.conv": "conv2",
    "body.conv2.bn": "bn2",
    "identity_conv.conv": "downsample.0",
    "identity_conv.bn": "downsample.1",
}
_PYTORCHCV_RESNET = {"init_block.conv.conv": "conv1", "init_block.conv.bn": "bn1"}
for _stage in (1, 2, 3, 4):
    for _unit in (1, 2):
        _PYTORCHCV_RESNET |= _under(
            f"stage{_stage}.unit{_unit}", f"layer{_stage}.{_unit - 1}", _PYTORCHCV_BLOCK
        )
PYTORCHCV = {
    "SinglePathBiSeNet": {
        **_under("backbone", "cp.resnet", _PYTORCHCV_RESNET),
        "pool.pool32.conv": "cp.conv_avg",
        "pool.pool16.conv": "cp.conv_head32",
        "pool.pool8.conv": "cp.conv_head16",
        **_under("pool.pool16.att", "cp.arm32", _PYTORCHCV_ARM),
        **_under("pool.pool8.att", "cp.arm16", _PYTORCHCV_ARM),
        **_under("pool.fusion", "ffm", _PYTORCHCV_FFM),
        **_under("head_z8", "conv_out", _PYTORCHCV_HEAD),
        **_under("head_y8", "conv_out16", _PYTORCHCV_HEAD),
        **_under("head_y16", "conv_out32", _PYTORCHCV_HEAD),
    },
    "AttentionRefinementModule": _PYTORCHCV_ARM,
    "FeatureFusionModule": _PYTORCHCV_FFM,
    "SqueezeExcitation": {"conv1": "fc1", "conv2": "fc2"},
    "CBAM": {
        "ch_gate.mlp.fc1": "ch_gate.fc1",
        "ch_gate.mlp.fc2": "ch_gate.fc2",
        "sp_gate.conv.conv": "sp_gate.conv",
        "sp_gate.conv.bn": "sp_gate.bn",
    },
}

# A Linear's weight (K, C) there is the weight (K, C, 1, 1) of a 1×1 convolution here.
LINEAR = frozenset({"ch_gate.mlp.fc1.weight", "ch_gate.mlp.fc2.weight"})

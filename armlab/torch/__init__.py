"""The PyTorch twins: the names, arguments and state_dict keys of `armlab.hand`, and autograd.

Beside them `by_hand(module)` makes a module by hand a layer of PyTorch, and `by_autograd(module)` a
module of PyTorch a layer by hand: see `armlab.torch.bridge`.
"""

from armlab.torch.add import add, subtract
from armlab.torch.attention_refinement import AttentionRefinementModule, PaperAttentionRefinement
from armlab.torch.attentionout import Attentionout, ResidualAttentionout
from armlab.torch.batch_norm import BatchNorm2d, batch_norm, batch_norm_eval
from armlab.torch.batch_norm_activated import batch_norm_activated, batch_norm_eval_activated
from armlab.torch.bisenet import BiSeNet, RectifiedBiSeNet, ToyBiSeNet
from armlab.torch.bisenet_output import BiSeNetOutput
from armlab.torch.bridge.by_autograd import by_autograd
from armlab.torch.bridge.by_hand import by_hand
from armlab.torch.cbam import CBAM, CBAMChannel, CBAMSpatial, CBAMSpatialMeanFirst
from armlab.torch.channel_conv1d import channel_conv1d
from armlab.torch.channel_stats import channel_max, channel_mean
from armlab.torch.concat_channels import concat_channels
from armlab.torch.context_path import ContextPath, SinglePath
from armlab.torch.conv2d import Conv2d, conv2d
from armlab.torch.conv_attention import ConvAttention
from armlab.torch.conv_bn_act import ConvBN, ConvBNAct
from armlab.torch.coordinate_attention import CoordinateAttention
from armlab.torch.cross_entropy import cross_entropy
from armlab.torch.eca import ECA, ChannelConv1d
from armlab.torch.effective_se import EffectiveSE
from armlab.torch.feature_fusion import (
    FeatureFusionModule,
    RectifiedFeatureFusion,
    SingleLayerFeatureFusion,
)
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.global_max_pool import global_max_pool
from armlab.torch.hard_swish import hard_swish
from armlab.torch.leaky_relu import leaky_relu
from armlab.torch.max_pool2d import max_pool2d
from armlab.torch.relu import relu
from armlab.torch.resize import resize_bilinear, resize_nearest
from armlab.torch.resnet18 import BasicBlock, ResNet18
from armlab.torch.sar import SAR, ListedSAR
from armlab.torch.sigmoid import sigmoid
from armlab.torch.sigmoid_gate import sigmoid_gate
from armlab.torch.simam import SimAM, simam_logits
from armlab.torch.single_path_bisenet import SinglePathBiSeNet
from armlab.torch.spatial_path import SpatialPath
from armlab.torch.squeeze_excitation import SqueezeExcitation
from armlab.torch.strip_mean import strip_mean
from armlab.torch.strips import join_strips, split_strips
from armlab.torch.three_scale_bisenet import ThreeScaleBiSeNet
from armlab.torch.three_scale_context_path import ThreeScaleContextPath
from armlab.torch.toy_net import ToyNet
from armlab.torch.uafm import UAFMChannel, UAFMSpatial

__all__ = [  # noqa: RUF022  attentions, in the order in which commands list them, first
    "AttentionRefinementModule",
    "PaperAttentionRefinement",
    "SqueezeExcitation",
    "EffectiveSE",
    "ECA",
    "CBAM",
    "CBAMChannel",
    "CBAMSpatial",
    "CBAMSpatialMeanFirst",
    "CoordinateAttention",
    "SimAM",
    "Attentionout",
    "ResidualAttentionout",
    "ListedSAR",
    "SAR",
    "UAFMSpatial",
    "UAFMChannel",
    "FeatureFusionModule",
    "SingleLayerFeatureFusion",
    "RectifiedFeatureFusion",
    "ConvAttention",
    "BiSeNet",
    "ToyBiSeNet",
    "RectifiedBiSeNet",
    "SinglePathBiSeNet",
    "ThreeScaleBiSeNet",
    "ToyNet",
    "ContextPath",
    "SinglePath",
    "ThreeScaleContextPath",
    "SpatialPath",
    "ResNet18",
    "BasicBlock",
    "BiSeNetOutput",
    "ConvBNAct",
    "ConvBN",
    "Conv2d",
    "ChannelConv1d",
    "BatchNorm2d",
    "by_autograd",
    "by_hand",
    "add",
    "batch_norm",
    "batch_norm_activated",
    "batch_norm_eval",
    "batch_norm_eval_activated",
    "channel_conv1d",
    "channel_max",
    "channel_mean",
    "concat_channels",
    "conv2d",
    "cross_entropy",
    "global_avg_pool",
    "global_max_pool",
    "hard_swish",
    "join_strips",
    "leaky_relu",
    "max_pool2d",
    "relu",
    "resize_bilinear",
    "resize_nearest",
    "sigmoid",
    "sigmoid_gate",
    "simam_logits",
    "split_strips",
    "strip_mean",
    "subtract",
]

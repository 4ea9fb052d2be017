"""Every module by hand: NumPy or CuPy, with a backward pass derived on paper.

A function returns its value and its backward, a module too, with its gradients by key:

    y, backward = sigmoid_gate(x, a)          y, backward = arm(x)
    dx, da = backward(dy)                     dx, grads = backward(dy)

Inputs with a gradient come first, in the order in which backward returns theirs; constants
follow by keyword. backward writes to nothing that it was given and may be called again.

A module takes three arguments by keyword beside its own: rng, which draws its weights (a seed, a
`numpy.random.Generator`, or None), dtype ("float32", or "float64") and device ("cpu" for NumPy,
"cuda", "cuda:1" or "emulated" for CuPy). A network hands them on to its parts: `armlab.hand.made`
has more.

The letters, in every file:

    N    images in a batch          x    input          a    logits, before the sigmoid
    C    channels in                y    output         s    gate, sigmoid(a)
    K    channels out               w    weight         z    pooled features
    H W  height and width           b    bias           dq   dL/dq, in the shape of q
    R S  kernel rows and columns    ∗    convolution    L    the loss
"""

from armlab.hand.add import add, subtract
from armlab.hand.attention_refinement import AttentionRefinementModule, PaperAttentionRefinement
from armlab.hand.attentionout import Attentionout, ResidualAttentionout
from armlab.hand.batch_norm import BatchNorm2d, batch_norm, batch_norm_eval
from armlab.hand.batch_norm_activated import batch_norm_activated, batch_norm_eval_activated
from armlab.hand.bisenet import BiSeNet, RectifiedBiSeNet, ToyBiSeNet
from armlab.hand.bisenet_output import BiSeNetOutput
from armlab.hand.cbam import CBAM, CBAMChannel, CBAMSpatial, CBAMSpatialMeanFirst
from armlab.hand.channel_conv1d import channel_conv1d
from armlab.hand.channel_stats import channel_max, channel_mean
from armlab.hand.concat_channels import concat_channels
from armlab.hand.context_path import ContextPath, SinglePath
from armlab.hand.conv2d import Conv2d, conv2d
from armlab.hand.conv_attention import ConvAttention
from armlab.hand.conv_bn_act import ConvBN, ConvBNAct
from armlab.hand.coordinate_attention import CoordinateAttention
from armlab.hand.cross_entropy import cross_entropy
from armlab.hand.eca import ECA, ChannelConv1d
from armlab.hand.effective_se import EffectiveSE
from armlab.hand.feature_fusion import (
    FeatureFusionModule,
    RectifiedFeatureFusion,
    SingleLayerFeatureFusion,
)
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.global_max_pool import global_max_pool
from armlab.hand.hard_swish import hard_swish
from armlab.hand.leaky_relu import leaky_relu
from armlab.hand.max_pool2d import max_pool2d
from armlab.hand.module import Module
from armlab.hand.relu import relu
from armlab.hand.resize import resize_bilinear, resize_nearest
from armlab.hand.resnet18 import BasicBlock, ResNet18
from armlab.hand.sar import SAR, ListedSAR
from armlab.hand.sigmoid import sigmoid
from armlab.hand.sigmoid_gate import sigmoid_gate
from armlab.hand.simam import SimAM, simam_logits
from armlab.hand.single_path_bisenet import SinglePathBiSeNet
from armlab.hand.spatial_path import SpatialPath
from armlab.hand.squeeze_excitation import SqueezeExcitation
from armlab.hand.strip_mean import strip_mean
from armlab.hand.strips import join_strips, split_strips
from armlab.hand.three_scale_bisenet import ThreeScaleBiSeNet
from armlab.hand.three_scale_context_path import ThreeScaleContextPath
from armlab.hand.toy_net import ToyNet
from armlab.hand.uafm import UAFMChannel, UAFMSpatial
from armlab.hand.upstream import from_outside

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
    "Module",
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

for _name in filter(str.islower, __all__):
    globals()[_name] = from_outside(globals()[_name])

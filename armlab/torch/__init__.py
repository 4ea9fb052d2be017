"""The PyTorch twins: the names, arguments and state_dict keys of `armlab.hand`, and autograd."""

from armlab.torch.attention_refinement import AttentionRefinementModule, PaperAttentionRefinement
from armlab.torch.attentionout import Attentionout, ResidualAttentionout
from armlab.torch.batch_norm import BatchNorm2d, batch_norm, batch_norm_eval
from armlab.torch.cbam import CBAM, CBAMChannel, CBAMSpatial, CBAMSpatialMeanFirst
from armlab.torch.channel_conv1d import channel_conv1d
from armlab.torch.channel_stats import channel_max, channel_mean
from armlab.torch.conv2d import Conv2d, conv2d
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.cross_entropy import cross_entropy
from armlab.torch.eca import ECA, ChannelConv1d
from armlab.torch.effective_se import EffectiveSE
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.global_max_pool import global_max_pool
from armlab.torch.leaky_relu import leaky_relu
from armlab.torch.max_pool2d import max_pool2d
from armlab.torch.relu import relu
from armlab.torch.resize import resize_bilinear, resize_nearest
from armlab.torch.sar import SAR, ListedSAR
from armlab.torch.sigmoid import sigmoid
from armlab.torch.sigmoid_gate import sigmoid_gate
from armlab.torch.squeeze_excitation import SqueezeExcitation
from armlab.torch.toy_net import ToyNet

__all__ = [
    "CBAM",
    "ECA",
    "SAR",
    "AttentionRefinementModule",
    "Attentionout",
    "BatchNorm2d",
    "CBAMChannel",
    "CBAMSpatial",
    "CBAMSpatialMeanFirst",
    "ChannelConv1d",
    "Conv2d",
    "ConvBNAct",
    "EffectiveSE",
    "ListedSAR",
    "PaperAttentionRefinement",
    "ResidualAttentionout",
    "SqueezeExcitation",
    "ToyNet",
    "batch_norm",
    "batch_norm_eval",
    "channel_conv1d",
    "channel_max",
    "channel_mean",
    "conv2d",
    "cross_entropy",
    "global_avg_pool",
    "global_max_pool",
    "leaky_relu",
    "max_pool2d",
    "relu",
    "resize_bilinear",
    "resize_nearest",
    "sigmoid",
    "sigmoid_gate",
]

"""The public networks, written out in PyTorch under their own keys, as each computes.

Only what its weights meet: names of layers are those of its state_dict, and forward is its own,
with its own way to resize. Widths are divided by a common factor: w is 64 there.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def drawn(module, seed=0):
    """In double precision, with random values everywhere, so that no two layers are alike.

    Convolutions keep the size of what they are given, statistics are those of values of order 1.
    """
    module, rng = module.double(), np.random.default_rng(seed)
    for key, t in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            t.fill_(3)
        elif key.endswith("running_var"):
            t.copy_(torch.tensor(0.5 + rng.random(t.shape)))
        elif t.ndim == 4:
            t.copy_(torch.tensor(rng.normal(size=t.shape) * (2 / t[0].numel()) ** 0.5))
        elif key.endswith("weight"):
            t.copy_(torch.tensor(rng.uniform(0.5, 1.5, t.shape)))
        else:
            t.copy_(torch.tensor(rng.normal(size=t.shape) * 0.3))
    return module


def drawn_wide(module, seed=0):
    """The same with normal numbers everywhere: values grow, and no sign or size is left out."""
    module, rng = module.double(), np.random.default_rng(seed)
    for key, t in module.state_dict().items():
        if key.endswith("num_batches_tracked"):
            t.fill_(3)
        else:
            a = rng.normal(size=t.shape)
            t.copy_(torch.tensor(np.abs(a) if key.endswith("running_var") else a))
    return module


def aligned(x, size):
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=True)


def bilinear(x, size):
    return F.interpolate(x, tuple(size), mode="bilinear")


def nearest(x, size):
    return F.interpolate(x, tuple(size), mode="nearest")


def pooled(x):
    return x.mean(dim=(2, 3), keepdim=True)


def holder(**children):
    """A module that only holds others, by name."""
    module = nn.Module()
    for name, child in children.items():
        module.add_module(name, child)
    return module


class Unit(nn.Module):
    """Keys conv and bn: a convolution, BN, and what follows it."""

    def __init__(self, i, o, k=3, stride=1, act=F.relu):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, stride, k // 2, bias=False)
        self.bn = nn.BatchNorm2d(o)
        self.act = act

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


def same(x):
    return x


def point(i, o, **options):
    return nn.Conv2d(i, o, 1, **{"bias": False, **options})


# -- torchvision's trunk ----------------------------------------------------------------------


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = None
        if stride > 1:
            around = nn.Conv2d(i, o, 1, stride, bias=False)
            self.downsample = nn.Sequential(around, nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Trunk(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.conv1 = nn.Conv2d(3, w, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(w)
        self.layer1 = nn.Sequential(Block(w, w, 1), Block(w, w, 1))
        self.layer2 = nn.Sequential(Block(w, 2 * w, 2), Block(2 * w, 2 * w, 1))
        self.layer3 = nn.Sequential(Block(2 * w, 4 * w, 2), Block(4 * w, 4 * w, 1))
        self.layer4 = nn.Sequential(Block(4 * w, 8 * w, 2), Block(8 * w, 8 * w, 1))

    def forward(self, x):
        f4 = self.layer1(F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1))
        f8 = self.layer2(f4)
        f16 = self.layer3(f8)
        return f8, f16, self.layer4(f16)


# -- CoinCheung/BiSeNet and what took its names: face-parsing.PyTorch, SeAFusion, STDC-Seg ------


class Refinement(nn.Module):
    def __init__(self, i, o, act=F.relu):
        super().__init__()
        self.conv = Unit(i, o, act=act)
        self.conv_atten = point(o, o)
        self.bn_atten = nn.BatchNorm2d(o)

    def forward(self, x):
        f = self.conv(x)
        return f * self.bn_atten(self.conv_atten(pooled(f))).sigmoid()


class Head(nn.Module):
    def __init__(self, i, mid, classes, bias, act=F.relu):
        super().__init__()
        self.conv = Unit(i, mid, act=act)
        self.conv_out = point(mid, classes, bias=bias)

    def forward(self, x):
        return self.conv_out(self.conv(x))


class Context(nn.Module):
    """c is the channels of the maps at 1/16 and at 1/32."""

    def __init__(self, w, c=None):
        super().__init__()
        c16, c32 = c or (4 * w, 8 * w)
        self.arm16 = Refinement(c16, 2 * w)
        self.arm32 = Refinement(c32, 2 * w)
        self.conv_head32 = Unit(2 * w, 2 * w)
        self.conv_head16 = Unit(2 * w, 2 * w)
        self.conv_avg = Unit(c32, 2 * w, 1)

    def refined(self, f8, f16, f32, doubled=False):
        def up(x, other):
            return F.interpolate(x, scale_factor=2.0) if doubled else nearest(x, other.shape[2:])

        y16 = self.conv_head32(up(self.arm32(f32) + self.conv_avg(pooled(f32)), f16))
        y8 = self.conv_head16(up(self.arm16(f16) + y16, f8))
        return y8, y16


class TrunkContext(Context):
    def __init__(self, w):
        super().__init__(w)
        self.resnet = Trunk(w)


class Fusion(nn.Module):
    """Two layers in its gate, or one with BN."""

    def __init__(self, i, o, reduction):
        super().__init__()
        self.convblk = Unit(i, o, 1)
        if reduction:
            self.conv1 = point(o, o // reduction)
            self.conv2 = point(o // reduction, o)
        else:
            self.conv = point(o, o)
            self.bn = nn.BatchNorm2d(o)

    def forward(self, a, b):
        f = self.convblk(torch.cat([a, b], 1))
        z = pooled(f)
        a = self.bn(self.conv(z)) if hasattr(self, "bn") else self.conv2(F.relu(self.conv1(z)))
        return f * a.sigmoid() + f


def detail(w):
    return holder(
        conv1=Unit(3, w, 7, 2),
        conv2=Unit(w, w, 3, 2),
        conv3=Unit(w, w, 3, 2),
        conv_out=Unit(w, 2 * w, 1),
    )


class CoinCheung(nn.Module):
    """reduction 0: of today, whose maps are doubled; 4: of 2020, with aligned corners."""

    def __init__(self, w, classes, reduction=0):
        super().__init__()
        self.today = not reduction
        self.cp = TrunkContext(w)
        self.sp = detail(w)
        self.ffm = Fusion(4 * w, 4 * w, reduction)
        self.conv_out = Head(4 * w, 4 * w, classes, self.today)
        self.conv_out16 = Head(2 * w, w, classes, self.today)
        self.conv_out32 = Head(2 * w, w, classes, self.today)

    def forward(self, x):
        f8, f16, f32 = self.cp.resnet(x)
        y8, y16 = self.cp.refined(f8, f16, f32, doubled=self.today)
        s = self.sp.conv_out(self.sp.conv3(self.sp.conv2(self.sp.conv1(x))))
        up = bilinear if self.today else aligned
        ys = self.conv_out(self.ffm(s, y8)), self.conv_out16(y8), self.conv_out32(y16)
        return tuple(up(y, x.shape[2:]) for y in ys)


class FaceParsing(nn.Module):
    def __init__(self, w, classes):
        super().__init__()
        self.cp = TrunkContext(w)
        self.ffm = Fusion(4 * w, 4 * w, 4)
        self.conv_out = Head(4 * w, 4 * w, classes, bias=False)
        self.conv_out16 = Head(2 * w, w, classes, bias=False)
        self.conv_out32 = Head(2 * w, w, classes, bias=False)

    def forward(self, x):
        f8, f16, f32 = self.cp.resnet(x)
        y8, y16 = self.cp.refined(f8, f16, f32)
        ys = self.conv_out(self.ffm(f8, y8)), self.conv_out16(y8), self.conv_out32(y16)
        return tuple(aligned(y, x.shape[2:]) for y in ys)


class StdcDecoder(nn.Module):
    """What follows its own backbone, whose maps have 4 w, 8 w and 16 w channels."""

    def __init__(self, w, classes):
        super().__init__()
        self.cp = Context(w, (8 * w, 16 * w))
        self.ffm = Fusion(6 * w, 4 * w, 4)
        self.conv_out = Head(4 * w, 4 * w, classes, bias=False)
        self.conv_out16 = Head(2 * w, w, classes, bias=False)
        self.conv_out32 = Head(2 * w, w, classes, bias=False)

    def forward(self, f8, f16, f32, size):
        y8, y16 = self.cp.refined(f8, f16, f32)
        ys = self.conv_out(self.ffm(f8, y8)), self.conv_out16(y8), self.conv_out32(y16)
        return tuple(aligned(y, size) for y in ys)


class SeAFusion(nn.Module):
    """Corners are aligned behind the heads, and nowhere else."""

    def __init__(self, w, classes):
        super().__init__()
        leaky, c = F.leaky_relu, 2 * w
        self.cp = holder(
            resnet=Trunk(w),
            arm32=Refinement(8 * w, c, leaky),
            arm16=Refinement(4 * w, c, leaky),
            arm8=Refinement(2 * w, c, leaky),
            sp16=Unit(2 * c, c, 1, act=leaky),
            sp8=Unit(2 * c, c, 1, act=leaky),
            conv_head32=Unit(c, c, act=leaky),
            conv_head16=Unit(c, c, act=leaky),
            conv_fuse1=Unit(c, c, 1, act=torch.sigmoid),
            conv_fuse2=Unit(c, c, 1, act=torch.sigmoid),
            conv_fuse=Unit(c, c, 1, act=leaky),
        )
        self.conv_out = Head(c, c, classes, bias=False, act=leaky)
        self.conv_out16 = Head(c, w, classes, bias=False, act=leaky)

    def forward(self, x):
        p = self.cp
        f8, f16, f32 = p.resnet(x)
        size8, size16 = f8.shape[2:], f16.shape[2:]
        r32, r16, r8 = p.arm32(f32), p.arm16(f16), p.arm8(f8)
        m16 = p.sp16(torch.cat([p.conv_head32(bilinear(r32, size16)), r16], 1))
        m8 = p.sp8(torch.cat([p.conv_head16(bilinear(r16, size8)), r8], 1))
        g16 = p.conv_fuse1(bilinear(r32, size8)) * bilinear(m16, size8)
        y8 = p.conv_fuse(p.conv_fuse2(g16) * m8)
        ys = self.conv_out(y8), self.conv_out16(r16)
        return tuple(aligned(y, x.shape[2:]) for y in ys)


# -- TorchSeg and mmsegmentation, with names of their own ----------------------------------------


class Pooled(nn.Sequential):
    """Keys "1.conv", "1.bn": the mean of the map, then a 1×1 unit."""

    def __init__(self, i, o, act=F.relu):
        super().__init__(nn.AdaptiveAvgPool2d(1), Unit(i, o, 1, act=act))


class TorchSeg(nn.Module):
    """BiSeNet-R18: every resize has aligned corners, and heads enlarge 8 and 16 times."""

    def __init__(self, w, classes, main=3, auxiliary=5):
        super().__init__()
        self.context_path = Trunk(w)
        self.spatial_path = holder(
            conv_7x7=Unit(3, w, 7, 2),
            conv_3x3_1=Unit(w, w, 3, 2),
            conv_3x3_2=Unit(w, w, 3, 2),
            conv_1x1=Unit(w, 2 * w, 1),
        )
        self.global_context = Pooled(8 * w, 2 * w)
        self.arms = nn.ModuleList(
            holder(conv_3x3=Unit(i, 2 * w), channel_attention=Pooled(2 * w, 2 * w, act=same))
            for i in (8 * w, 4 * w)
        )
        self.refines = nn.ModuleList(Unit(2 * w, 2 * w) for _ in range(2))
        self.heads = nn.ModuleList(
            holder(conv_3x3=Unit(i, mid), conv_1x1=point(mid, classes, bias=True))
            for i, mid in ((2 * w, auxiliary), (2 * w, auxiliary), (4 * w, main))
        )
        squeeze = (holder(conv=point(4 * w, 4 * w)) for _ in range(2))
        self.ffm = holder(
            conv_1x1=Unit(4 * w, 4 * w, 1),
            channel_attention=nn.Sequential(nn.AdaptiveAvgPool2d(1), *squeeze),
        )

    def forward(self, x):
        f8, f16, f32 = self.context_path(x)
        y, maps = aligned(self.global_context(f32), f32.shape[2:]), []
        for f, arm, refine, finer in zip(
            (f32, f16), self.arms, self.refines, (f16, f8), strict=True
        ):
            f = arm.conv_3x3(f)
            f = f * arm.channel_attention(f).sigmoid()
            y = refine(aligned(f + y, finer.shape[2:]))
            maps.append(y)
        s = self.spatial_path
        s = s.conv_1x1(s.conv_3x3_2(s.conv_3x3_1(s.conv_7x7(x))))
        f = self.ffm.conv_1x1(torch.cat([s, y], 1))
        pool, first, second = self.ffm.channel_attention
        maps.append(f + f * second.conv(F.relu(first.conv(pool(f)))).sigmoid())
        y16, y8, y = (
            F.interpolate(
                head.conv_1x1(head.conv_3x3(f)),
                scale_factor=scale,
                mode="bilinear",
                align_corners=True,
            )
            for head, f, scale in zip(self.heads, maps, (16, 8, 8), strict=True)
        )
        return y, y8, y16


class MMSeg(nn.Module):
    """bisenetv1_r18-d32 of mmsegmentation 1.2.2, without the dropout of its heads in training."""

    def __init__(self, w, classes, main=3, auxiliary=5):
        super().__init__()

        def refinement(i):
            return holder(
                conv_layer=Unit(i, 2 * w), atten_conv_layer=Pooled(2 * w, 2 * w, act=same)
            )

        def head(i, mid):
            return holder(
                convs=nn.Sequential(Unit(i, mid)), conv_seg=point(mid, classes, bias=True)
            )

        self.backbone = holder(
            context_path=holder(
                backbone=Trunk(w),
                arm16=refinement(4 * w),
                arm32=refinement(8 * w),
                conv_head32=Unit(2 * w, 2 * w),
                conv_head16=Unit(2 * w, 2 * w),
                gap_conv=Pooled(8 * w, 2 * w),
            ),
            spatial_path=holder(
                layer1=Unit(3, w, 7, 2),
                layer2=Unit(w, w, 3, 2),
                layer3=Unit(w, w, 3, 2),
                layer4=Unit(w, 2 * w, 1),
            ),
            ffm=holder(
                conv1=Unit(4 * w, 4 * w, 1), conv_atten=nn.Sequential(Unit(4 * w, 4 * w, 1))
            ),
        )
        self.decode_head = head(4 * w, main)
        self.auxiliary_head = nn.ModuleList([head(2 * w, auxiliary), head(2 * w, auxiliary)])

    def forward(self, x):
        p, s, m = self.backbone.context_path, self.backbone.spatial_path, self.backbone.ffm
        f8, f16, f32 = p.backbone(x)
        r32, r16 = p.arm32.conv_layer(f32), p.arm16.conv_layer(f16)
        r32 = r32 * p.arm32.atten_conv_layer(r32).sigmoid() + p.gap_conv(f32)
        y16 = p.conv_head32(nearest(r32, f16.shape[2:]))
        r16 = r16 * p.arm16.atten_conv_layer(r16).sigmoid() + y16
        y8 = p.conv_head16(nearest(r16, f8.shape[2:]))
        f = m.conv1(torch.cat([s.layer4(s.layer3(s.layer2(s.layer1(x)))), y8], 1))
        f = f * m.conv_atten(pooled(f)).sigmoid() + f
        heads = self.decode_head, *self.auxiliary_head
        ys = (h.conv_seg(h.convs(g)) for h, g in zip(heads, (f, y8, y16), strict=True))
        return tuple(bilinear(y, x.shape[2:]) for y in ys)

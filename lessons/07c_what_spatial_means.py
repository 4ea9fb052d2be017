# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7c · What "spatial" means
#
# **Goal.** Tell a gate that looks around itself from one that only carries the name, and read the article's listings as a reviewer.
#
# | | |
# |---|---|
# | Time | 45 minutes |
# | You need first | [Lesson 7a](07a_spatial_attention.ipynb): SAR |
# | Afterwards you can | test whether a gate looks at its neighbourhood · say what a window is good for, and what it costs · name five defects of the article's listings, and say what is right |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/attentionout.py](../armlab/hand/attentionout.py) · [hand/self_gate.py](../armlab/hand/self_gate.py) · [hand/sar.py](../armlab/hand/sar.py) · [hand/cbam.py](../armlab/hand/cbam.py) |
#
# The last of three lessons on spatial attention. Equations go on from [lesson 7b](07b_sar_backward.ipynb).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import armlab.torch as twins
from armlab import check, hand, plots
from tools import CHANNELS, compare, feature_map, gate_map, gradient_map, photographs, picture

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Two modules of one name
#
# The article calls two modules spatial. One is SAR: the mean and the maximum over channels, and a 3×3 convolution. The other is *Attentionout*, which has no statistics and no window:
#
# $$a = \mathrm{BN}(W * x), \qquad y = x\,\sigma(a), \qquad W \text{ of } 1\times1 \tag{7.13}$$
#
# Its gate has the shape $(N, C, H, W)$, a map for every channel. The article says that it makes a spatial attention map (空间注意力图). Does it know anything about space? ([Lesson 3a](03a_average_pooling.ipynb) meets this module under another name: ARM with its pooling forgotten.)

# %%
element = hand.Attentionout(3, rng=2, dtype="float64")
figure = plots.inside(element, photos, image=1)
for ax, name in zip(figure.axes[:3], CHANNELS, strict=True):
    ax.set_ylabel(name)
figure

# %% [markdown]
# There is no column of statistics, since nothing is pooled. It certainly looks spatial: the gate shows the whole building. But then, so does the picture. Here is a test that cannot be fooled by looks: shuffle the pixels.
#
# Let $\pi$ be a permutation of the positions, the same for all channels. Compute the gate of the shuffled picture, and put it back in order.
#
# **Predict.** Which of these five gates will be the same, then: the paper's ARM, CBAM's channel half, Attentionout, SAR, CBAM's spatial half?
#
# <details><summary>Answer</summary>
#
# The first three, up to rounding. ARM and CBAM's channel half pool over all positions, and a mean and a maximum know no order. Attentionout computes each position from itself alone, wherever that is:
#
# $$u_{nk,\pi(ij)} = \sum_c W_{kc}\, x_{nc,\pi(ij)} \tag{7.14}$$
#
# Its batch normalisation uses means over all positions, which do not change, and the sigmoid acts on each number alone. SAR and CBAM's spatial half have windows, and other neighbours in them after a shuffle.
#
# </details>

# %%
order = rng.permutation(64 * 96)


def shuffle(x):
    return x.reshape(*x.shape[:2], -1)[:, :, order].reshape(x.shape)


def put_back(x):
    flat = np.empty((*x.shape[:2], 64 * 96))
    flat[:, :, order] = x.reshape(*x.shape[:2], -1)
    return flat.reshape(x.shape)


sar = hand.ListedSAR(3, 2, rng=0, dtype="float64")  # open where it is warm or green around
sar.assign(
    {
        "conv_reduce.conv.weight": np.asarray([[1, 0, -1], [-0.5, 1, -0.5]]).reshape(2, 3, 1, 1),
        "conv_atten.weight": np.full((1, 2, 3, 3), 1 / 9),
        "bn_atten.weight": np.asarray([2.0]),
    }
)
modules = {
    "ARM (paper's)": hand.PaperAttentionRefinement(3, rng=11, dtype="float64"),
    "CBAM channel": hand.CBAMChannel(3, 1, rng=1, dtype="float64"),
    "Attentionout": element,
    "SAR": sar,
    "CBAM spatial": hand.CBAMSpatial(7, rng=1, dtype="float64"),
}
moved = {}
for name, module in modules.items():
    before, after = module.gate(photos), module.gate(shuffle(photos))
    if before.shape[2:] != (1, 1):
        after = put_back(after)
    moved[name] = np.abs(after - before).max()
    print(f"{name:15} gate {before.shape!s:16} moved by {moved[name]:.1e}")
assert [name for name, by in moved.items() if by > 1e-9] == ["SAR", "CBAM spatial"]

# %%
fig, axes = plt.subplots(2, 5, figsize=(12, 3.8), layout="constrained")
for row, name in zip(axes, ("Attentionout", "SAR"), strict=True):
    before, after = modules[name].gate(photos)[1, 0], modules[name].gate(shuffle(photos))
    picture(row[0], photos[1], "x")
    gate_map(row[1], before, f"gate of {name}")
    picture(row[2], shuffle(photos)[1], "x, shuffled")
    gate_map(row[3], after[1, 0], "its gate")
    drawn = gate_map(row[4], put_back(after)[1, 0], "its gate, put back in order")
fig.colorbar(drawn, ax=axes[:, 4], ticks=[0, 0.5, 1])
plt.show()
spread = sar.gate(photos)[1].std(), sar.gate(shuffle(photos))[1].std()
print(f"spread of SAR's gate: {spread[0]:.2f}, and {spread[1]:.2f} in the shuffled picture")
assert spread[1] < spread[0] / 2

# %% [markdown]
# The upper row, the gate of red, ends as it began: Attentionout gave every pixel the same gate as before, in a picture without roof, wall or bush. The lower row does not. Wherever SAR's window looks in the shuffled picture, it finds a little of everything, and its gate varies less than half as much.
#
# The same difference, seen from one pixel. The modules are in evaluation mode for this; in training, batch statistics carry a trace of every pixel everywhere.
#
# **Predict.** The red of a single pixel changes. At how many of the 6,144 positions does the gate move: for Attentionout, for SAR, for CBAM's spatial half with its 7×7, for ARM?
#
# <details><summary>Answer</summary>
#
# At 1, at 9, at 49, and at all.
#
# </details>

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
counts = []
for ax, name in zip(axes, ["Attentionout", "SAR", "CBAM spatial", "ARM (paper's)"], strict=True):
    module = modules[name].copy().eval()
    touched = photos.copy()
    touched[1, 0, 32, 48] += 0.5
    by = np.abs(module.gate(touched) - module.gate(photos))[1].max(axis=0)
    by = np.broadcast_to(by > 1e-9, (64, 96))  # more than rounding
    counts.append(int(by.sum()))
    gate_map(ax, by[24:41, 40:57].astype(float), f"{name}\n{counts[-1]:,} of 6,144")
plt.show()
assert counts == [1, 9, 49, 6144]

# %% [markdown]
# Each square is a piece of 17 × 17 positions around the pixel; bright is where the gate moved.
#
# | module | a gate for each | which looks at |
# |---|---|---|
# | ARM, SE, CBAM's first half | channel | all positions, without their places |
# | Attentionout | element | its own position |
# | SAR, CBAM's second half | position | a window around it |
#
# Only the last is spatial attention in the sense of *where things are to each other*. Attentionout is called an **element-wise gate** in this project.
#
# ## 2 · Why the neighbourhood matters
#
# Here are handwritten digits, and noise: single pixels as bright as a stroke. The gates below are those of CBAM's spatial half, whose window may have any odd size $k$, with a plain average as its weights.
#
# **Predict.** What does $k = 1$ do with the noise? What does $k = 3$? What is lost when $k$ grows?
#
# <details><summary>Answer</summary>
#
# With $k = 1$ the noise passes: a gate that sees one position cannot tell the two apart, as they have the same value. With $k = 3$, SAR's window, a lone pixel has dark neighbours, and its gate is hardly more open than that of the empty ground. As $k$ grows the gate's digits blur and their holes fill up.
#
# </details>

# %%
digits = load_digits()
strokes = np.concatenate([np.kron(digits.images[i] / 16, np.ones((4, 4))) for i in (3, 6, 8)], 1)
noise = (rng.random(strokes.shape) < 0.04) & (strokes < 0.1)
noisy = np.where(noise, 1.0, strokes)[np.newaxis, np.newaxis]  # (1, 1, 32, 96)


def gate_with_window(k):
    module = hand.CBAMSpatial(k, rng=0, dtype="float64")
    average = np.full((1, 2, k, k), 0.5 / k**2)
    module.assign({"conv.weight": average, "bn.weight": np.asarray([2.0])})
    return module.gate(noisy)[0, 0]


def show_windows(sizes):
    size = 2.9 * (len(sizes) + 1), 2.5
    _, axes = plt.subplots(2, len(sizes) + 1, figsize=size, layout="constrained", squeeze=False)
    feature_map(axes[0, 0], noisy[0, 0], "x")
    axes[1, 0].axis("off")
    for (top, bottom), k in zip(axes.T[1:], sizes, strict=True):
        s = gate_with_window(k)
        in_words = f"strokes {s[strokes > 0.8].mean():.2f}, noise {s[noise].mean():.2f}"
        gate_map(top, s, f"k = {k}: {in_words}")
        feature_map(bottom, noisy[0, 0] * s, "gated")
        bottom.images[0].set_clim(0, 1)
    plt.show()


show_windows([1, 3, 7])
padded = np.pad(noisy[0, 0], 1)
around = sum(padded[i : i + 32, j : j + 96] for i in range(3) for j in range(3)) - noisy[0, 0]
lone, ground = noise & (around == 0), ~noise & (strokes == 0)
print(
    "lone pixels, and the ground:",
    *(f"{gate_with_window(3)[of].mean():.2f}" for of in (lone, ground)),
)
assert gate_with_window(3)[lone].mean() < 0.3 < 0.9 < gate_with_window(1)[lone].mean()

# %% [markdown]
# Where two of the bright pixels touch, or one touches a stroke, the gate of $k = 3$ opens a little further; so the mean over all noise is higher than that of the lone ones.
#
# In a running notebook, move the slider.

# %%
slider = ipywidgets.SelectionSlider(
    options=[1, 3, 5, 7, 9, 13, 17], value=5, description="window k", continuous_update=False
)
_ = ipywidgets.interact(lambda k: show_windows([k]), k=slider)

# %% [markdown]
# ## 3 · The article's listings
#
# The article prints both modules as code. Here they are, laid out in lines, without their comments, and with `AsListed` behind their names.


# %%
class AttentionoutAsListed(nn.Module):
    def __init__(self, out_chan, *args, **kwargs):
        self.conv_atten = nn.Conv2d(out_chan, out_chan, kernel_size=1, bias=False)
        self.bn_atten = nn.BatchNorm2d(out_chan)
        self.sigmoid_atten = nn.Sigmoid()

    def forward(self, x):
        atten = self.conv_atten(x)
        atten = self.bn_atten(atten)
        atten = self.sigmoid_atten(atten)
        out = torch.mul(x, atten)
        x = x + out
        return out


class SARAsListed(nn.Module):
    def __init__(self, in_chan, mid, out_chan):
        self.conv_reduce = ConvBNReLU(in_chan, mid, 1, 1, 0)
        self.conv_atten = nn.Conv2d(2, 1, kernel_size=3, padding=1, bias=False)

    def forward(self, x):
        x_att = self.conv_reduce(x)
        low_attention_mean = torch.mean(x_att, 1, True)
        low_attention_max = torch.max(x_att, 1, True)[0]
        low_attention = torch.cat([low_attention_mean, low_attention_max], dim=1)
        spatial_attention = self.sigmoid_atten(self.bn_atten(self.conv_atten(low_attention)))
        x = x * spatial_attention
        return x


# %% [markdown]
# **Predict.** Read them slowly, and write down what will go wrong, in the order in which it will.
#
# <details><summary>Answer</summary>
#
# | | where | what the listing does | what is right |
# |---|---|---|---|
# | 1 | both | no `super().__init__()`: nothing can be built | call it before a layer is set |
# | 2 | Attentionout | computes the residual `x + out`, and returns `out` | two meanings, two names: `Attentionout` as published, `ResidualAttentionout` as described |
# | 3 | Attentionout | "spatial attention map": one gate per element, without a neighbourhood | an element-wise gate (section 1) |
# | 4 | SAR | uses `bn_atten` and `sigmoid_atten`, defines neither | `BatchNorm2d(1)` and a sigmoid |
# | 5 | SAR | `out_chan` has no use | the code that it shortens ends in a 3×3 of `in_chan` to `out_chan`: `SAR`; the listing without it is `ListedSAR` |
#
# </details>
#
# First, can they be built?


# %%
def ConvBNReLU(*args):  # named in the listing, with a LeakyReLU behind the name
    return twins.ConvBNAct(*args, activation="leaky_relu")


def attempt(what, build):
    try:
        print(f"{what}: {build()}")
    except Exception as error:
        print(f"{what}: {type(error).__name__}: {error}")


def repaired(listed, *arguments):
    """The listing with its `super().__init__()`."""

    class Repaired(listed):
        def __init__(self):
            nn.Module.__init__(self)
            super().__init__(*arguments)

    return Repaired().double()


x = torch.tensor(photos)
attempt("1  Attentionout(3)", lambda: AttentionoutAsListed(3))
attempt("1  SAR(3, 2, 4)   ", lambda: SARAsListed(3, 2, 4))

# %% [markdown]
# With that repaired:

# %%
torch.manual_seed(0)
listed = repaired(AttentionoutAsListed, 3)
s = torch.sigmoid(listed.bn_atten(listed.conv_atten(x)))
y = listed(x)
compare("2  x + x s", y, x + x * s)
compare("2  x s", y, x * s)
print("3  shape of its 'spatial attention map':", tuple(s.shape))
attempt("4  SAR", lambda: repaired(SARAsListed, 3, 2, 4)(x).shape)

listed = repaired(SARAsListed, 3, 2, 4)
listed.bn_atten, listed.sigmoid_atten = nn.BatchNorm2d(1).double(), nn.Sigmoid()
print("5  SAR(3, 2, 4) returns", tuple(listed(x).shape[:2]), "and not", (6, 4))

# %% [markdown]
# The listings are shortened from the code of SeAFusion, an image fusion network, and the second defect is there as well. Both classes are defined in that code and used nowhere in it, so no published result says whether they help.
#
# ## 4 · Published or described
#
# ### Exercise 1 · Find the bug
#
# ★☆☆ · 5 minutes
#
# The second defect again, now in the backward. Autograd differentiates what is returned, not what is computed and dropped. So the listing's backward is that of $y = x s$, whatever the text says about a residual:
#
# $$y = x + x\,\sigma(a) \tag{7.15}$$
#
# **Predict.** How do the two $dx$ differ, exactly? Do the gradients of the weights differ?
#
# <details><summary>Answer</summary>
#
# By $dy$: $x$ reaches $y$ on a third way, directly. The weights notice nothing: that $x$ does not contain them, so their gradients are the same in both.
#
# </details>

# %%
published = hand.Attentionout(3, rng=2, dtype="float64")
described = hand.ResidualAttentionout(3, rng=2, dtype="float64")  # the same weights
shut = {"bn_atten.bias": np.full(3, -4.0)}  # a gate that is nearly shut
dy = rng.standard_normal(photos.shape)

fig, axes = plt.subplots(2, 3, figsize=(9, 3.9), layout="constrained")
gate_map(axes[0, 0], published.assign(shut).gate(photos)[1, 0], "gate, red")
gradient_map(axes[1, 0], dy[1, 0], f"dy, red; mean size {np.abs(dy).mean():.2f}", limit=3)
of_weights = []
named = {"published: x s": published, "described: x + x s": described.assign(shut)}
for (top, bottom), (name, module) in zip(axes.T[1:], named.items(), strict=True):
    y, backward = module(photos)
    dx, grads = backward(dy)
    of_weights.append(grads)
    picture(top, y[1], name)
    gradient_map(bottom, dx[1, 0], f"dx, mean size {np.abs(dx).mean():.2f}", limit=3)
plt.show()
assert all(np.array_equal(g, of_weights[1][key]) for key, g in of_weights[0].items())

# %% [markdown]
# Behind a shut gate the published module shows next to nothing, and hands next to nothing on to the layers before it. The described one shows the picture and hands on $dy$ almost unchanged. The weights of the gate itself learn the same in both.
#
# You are given the backward of the published module, which returns `(dx, grads)`. Return the `dx` of the described one.


# %% tags=["exercise"]
def residual_attentionout_backward(dy, published_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def residual_attentionout_backward(dy, published_back):
#     dx, _ = published_back(dy)
#     return dy + dx
# ```
#
# </details>

# %% tags=["check"]
check.exercise("residual_attentionout_backward", residual_attentionout_backward)

# %% [markdown]
# The residual has its price. The factor of (7.15) lies between 1 and 2: it can stress, and never suppress. The article's text says one and its code does the other. So each has a name, and a program says which one it uses.
#
# ## Four questions
#
# 1. How do you find out, without reading its code, whether a gate looks at neighbours?
#
# <details><summary>Answer</summary>
#
# Shuffle the pixels, compute the gate, put it back in order. If it is as before, up to rounding, it does not look. Or change one pixel, in evaluation mode, and see which gates move.
#
# </details>
#
# 2. What would SAR be with the kernel size 1 instead of 3?
#
# <details><summary>Answer</summary>
#
# A gate per position that looks at its own position only. It would still mix the channels, but it would pass the shuffle test: no neighbourhood.
#
# </details>
#
# 3. ARM's gate moves at all positions when one pixel changes. Why is it no spatial attention?
#
# <details><summary>Answer</summary>
#
# It is one number for each channel, the same at every position, and made from a mean that has no places.
#
# </details>
#
# 4. Why can a network not learn to switch a region off with $y = x + x s$?
#
# <details><summary>Answer</summary>
#
# The factor is $1 + s$, and never below 1.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | element-wise gate | 逐元素门控 | a gate for each element, $(N, C, H, W)$ |
# | neighbourhood, receptive field | 邻域, 感受野 | the positions that a value is computed from |
# | permutation of the positions | 位置置换 | a shuffle that moves whole pixels |
# | residual connection | 残差连接 | (7.15) |
# | channel attention | 通道注意力 | a gate for each channel |
#
# ## What comes next
#
# [Lesson 8a](08a_resizing_and_fusion.ipynb) begins the chapter that puts ARM into a network, at two scales and at three. The other relatives stand in [lesson 6a](06a_channel_attention.ipynb) to [6c](06c_what_a_gate_cannot_see.ipynb). The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

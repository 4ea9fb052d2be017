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
# # 7a · Spatial attention: a gate for each position
#
# **Goal.** Pool over channels, gate positions, and teach SAR, the article's spatial attention, to be open where a seven is.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4a](04a_sigmoid_gate.ipynb): the sigmoid gate · [Lesson 3b](03b_max_pooling.ipynb) on maxima and ties helps |
# | Afterwards you can | pool over channels and send gradients back through it · say what SAR's gate is made from, and with how many weights · teach a gate · recognise a module whose weights fit and are wrong |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/channel_stats.py](../armlab/hand/channel_stats.py) · [hand/sar.py](../armlab/hand/sar.py) · [hand/cbam.py](../armlab/hand/cbam.py) |
#
# The first of three lessons on spatial attention. [Lesson 7b](07b_sar_backward.ipynb) derives SAR's backward, and [lesson 7c](07c_what_spatial_means.ipynb) asks which of the article's spatial gates look around themselves. Equations are counted through the chapter, and (d7.1) is the gradient of (7.1).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from sklearn.datasets import load_sample_image

from armlab import check, hand, plots
from armlab.data import Scenes
from armlab.hand.channel_stats import stack_statistics
from armlab.training.optimisers import Adam
from tools import CHANNELS, COLOURS, compare, feature_map, features, gate_map, photographs
from tools import picture, scene, source, trained

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Two numbers for each position
#
# ARM pools each channel over all positions. What is left has channels and no places. Spatial attention pools the other way: it asks of each position, over all channels,
#
# $$\mathrm{mean}_{nij} = \frac1C \sum_c x_{ncij}, \qquad \mathrm{max}_{nij} = \max_c\, x_{ncij} \tag{7.1}$$
#
# What is left has places and no channels: two maps of shape $(N, 1, H, W)$.
#
# **Predict.** With red, green and blue as channels, what kind of picture is the channel mean? Where is the maximum much larger than the mean?
#
# <details><summary>Answer</summary>
#
# The mean is the picture in grey. The maximum exceeds it where the channels disagree: where there is colour.
#
# </details>

# %%
mean, _ = hand.channel_mean(photos)
largest, _ = hand.channel_max(photos)
print("x", photos.shape, "-> mean", mean.shape, "and max", largest.shape)

fig, axes = plt.subplots(2, 4, figsize=(10, 3.7), layout="constrained")
for row, n in enumerate((2, 5)):
    picture(axes[row, 0], photos[n], f"photograph {n + 1}")
    feature_map(axes[row, 1], mean[n, 0], "channel mean")
    feature_map(axes[row, 2], largest[n, 0], "channel max")
    feature_map(axes[row, 3], (largest - mean)[n, 0], "max − mean, twice as bright")
    for ax, white in zip(axes[row, 1:], (1, 1, 0.5), strict=True):
        ax.images[0].set_clim(0, white)
plt.show()

# %% [markdown]
# On features the two say: how active is this place on the whole, and is *anything* strongly active here? `trained("none")` is a small network that `armlab train` has taught to find handwritten sevens on photographs. All other digits are background to it.
#
# **Predict.** It makes 32 channels of a scene. Do the mean and the maximum over them show the digits? Only the sevens?
#
# <details><summary>Answer</summary>
#
# Both show every digit, and the band at the top as well. In the maximum the sevens stand out more: what one channel says loudly, a mean over 32 waters down.
#
# </details>

# %%
net, scenes = trained("none"), Scenes("test")
images, labels = scenes.batch(range(16))
f = features(net, images)  # (16, 32, 32, 32): half of the size of the scenes
on_seven = labels[:, np.newaxis, ::2, ::2] > 0
maps = {"channel mean": hand.channel_mean(f)[0], "channel max": hand.channel_max(f)[0]}

fig, axes = plt.subplots(2, 6, figsize=(12, 4.4), layout="constrained")
for row, n in zip(axes, (5, 6), strict=True):
    scene(row[0], images[n], "a scene")
    for ax, c in zip(row[1:4], (0, 13, 26), strict=True):
        feature_map(ax, f[n, c], f"f, channel {c + 1}")
    for ax, (name, m) in zip(row[4:], maps.items(), strict=True):
        feature_map(ax, m[n, 0], name)
plt.show()
out = {name: m[on_seven].mean() / m[~on_seven].mean() for name, m in maps.items()}
for name, times in out.items():
    print(f"{name}: on sevens {times:.2f} × the rest, in 16 scenes")
assert 1 < out["channel mean"] < out["channel max"]

# %% [markdown]
# Neither map is a gate yet. Something has to decide what counts.
#
# ### Backward
#
# Each is a pool of chapter 3 again, along another axis. Every channel had a share of $1/C$ in the mean. One channel, the winner $c^*$, made the maximum; the bracket is 1 for it and 0 for all others.
#
# $$dx_{ncij} = \frac{d\mathrm{mean}_{nij}}{C} \quad \text{for the mean}, \qquad dx_{ncij} = [\,c = c^*_{nij}\,]\; d\mathrm{max}_{nij} \quad \text{for the maximum} \tag{d7.1}$$
#
# In the file the mean is these few lines. (Its own (1) and (2) are the halves of (7.1) and (d7.1); `kernels` are faster ways to the same numbers.)

# %%
source(hand.channel_mean)

# %% [markdown]
# **Predict.** Three channels of a real photograph, stored as whole numbers from 0 to 255. Where is there no single winner? At how many positions?
#
# <details><summary>Answer</summary>
#
# Where it is grey, since grey has equal channels: in the haze above the lake, on the water, in wisps of cloud. One position in twenty or so.
#
# </details>

# %%
china = load_sample_image("china.jpg").transpose(2, 0, 1)[np.newaxis] / 255
tied = (china == china.max(axis=1, keepdims=True)).sum(axis=1)[0] > 1
print(f"china.jpg: {tied.sum():,} of {tied.size:,} positions tie, {tied.mean():.1%}")
behind, _ = hand.ConvBNAct(3, 4, rng=0, dtype="float64")(photos)  # ends in a ReLU
print(f"behind a ReLU: all four channels are 0 at {(behind.max(axis=1) == 0).mean():.1%}")

fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
picture(axes[0], china[0], "china.jpg")
colours = np.asarray([to_rgb(colour) for colour in COLOURS])
shown = np.where(tied[..., np.newaxis], 1.0, colours[china.argmax(axis=1)[0]])
picture(axes[1], shown.transpose(2, 0, 1), "which channel wins; white: a tie")
plt.show()

# %% [markdown]
# Behind a ReLU all channels can be 0 at once, and tie. As in [lesson 3b](03b_max_pooling.ipynb) there is a convention, and libraries differ: SAR is written with `torch.max(x, 1)`, which gives everything to the first of the equals (on the CPU), and so is this project. `torch.amax`, which other implementations of spatial attention use, shares evenly. The values are the same, the gradients are not.

# %%
x = rng.integers(0, 3, (2, 3, 4, 5)).astype(float)  # small integers: many ties
dmean, dmax = rng.standard_normal((2, 2, 1, 4, 5))
x_torch = torch.tensor(x, requires_grad=True)
(by_mean,) = torch.autograd.grad(x_torch.mean(1, keepdim=True), x_torch, torch.tensor(dmean))
(by_max,) = torch.autograd.grad(x_torch.max(1, keepdim=True)[0], x_torch, torch.tensor(dmax))
(by_amax,) = torch.autograd.grad(x_torch.amax(1, keepdim=True), x_torch, torch.tensor(dmax))

compare("mean", np.broadcast_to(dmean / 3, x.shape), by_mean)  # (d7.1)
compare("max", hand.channel_max(x)[1](dmax), by_max)
compare("amax", hand.channel_max(x)[1](dmax), by_amax)

# %% [markdown]
# ### Exercise 1 · `channel_max_backward`
#
# ★★☆ · 10 minutes
#
# From `dy` of shape `(N, 1, H, W)` and `x`, compute `dx`. Where channels tie, the first one receives everything.


# %% tags=["exercise"]
def channel_max_backward(dy, x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def channel_max_backward(dy, x):
#     winner = x.argmax(axis=1, keepdims=True)  # (N, 1, H, W)
#     channels = np.arange(x.shape[1]).reshape(1, -1, 1, 1)
#     return np.where(channels == winner, dy, 0.0)
# ```
#
# The comparison repeats the channel numbers over all positions and the winners over all channels: one `True` at each position. Try `dy * (x == x.max(axis=1, keepdims=True))` and read the hint.
#
# </details>

# %% tags=["check"]
check.exercise("channel_max_backward", channel_max_backward)

# %% [markdown]
# ## 2 · SAR, forward
#
# SAR stands for *spatial attention refinement*. The article's module has four steps:
#
# $$r = \mathrm{LReLU}(\mathrm{BN}(W_1 * x)) \tag{7.2}$$
# $$m = [\,\mathrm{mean}_c\, r\,;\; \mathrm{max}_c\, r\,] \tag{7.3}$$
# $$a = \mathrm{BN}(W_3 * m) \tag{7.4}$$
# $$y = x\, \sigma(a) \tag{7.5}$$
#
# A 1×1 convolution $W_1$ reduces the channels; BN is batch normalisation, and LReLU is LeakyReLU with the slope 0.01. The two statistics of each position are stacked as two channels. A 3×3 convolution $W_3$ turns them into one logit for each position, and its gate scales all channels there. These are (1) to (4) of `sar.py`, where the module is `ListedSAR`.
#
# **Predict.** For 128 channels reduced to 32: how many weights has it? How many of them stand behind the statistics, in (7.4)?
#
# <details><summary>Answer</summary>
#
# $128 \cdot 32 = 4{,}096$ in $W_1$, and a scale and a shift for each of the 32. Behind the statistics 20: $2 \cdot 3 \cdot 3 = 18$ in $W_3$, a scale and a shift, whatever the number of channels.
#
# </details>

# %%
weights = hand.ListedSAR(128, 32, rng=0).parameters()
for key, value in weights.items():
    print(f"{key:24} {value.shape!s:16} {value.size:6}")
assert sum(value.size for key, value in weights.items() if "atten" in key) == 20

# %% [markdown]
# To see it work before it is trained, the next module has weights set by hand. Its first reduced channel is red minus blue, its second is green minus half of red and half of blue, and $W_3$ is a plain average over the window. So the gate should open at places whose surroundings are warm or green.

# %%
sar = hand.ListedSAR(3, 2, rng=0, dtype="float64")
sar.assign(
    {
        "conv_reduce.conv.weight": np.asarray([[1, 0, -1], [-0.5, 1, -0.5]]).reshape(2, 3, 1, 1),
        "conv_atten.weight": np.full((1, 2, 3, 3), 1 / 9),
        "bn_atten.weight": np.asarray([2.0]),
    }
)


def inside(module):
    """The inside of a module, its rows named by their colours."""
    figure = plots.inside(module, photos, image=1)
    for ax, name in zip(figure.axes[:3], CHANNELS, strict=True):
        ax.set_ylabel(name)
    return figure


inside(sar)

# %% [markdown]
# From left to right: the channels, the two statistics of the *reduced* channels, one gate for each position, and all three channels scaled by that one gate. The dark wall is shut out; the roof and the bush stay, and of the columns a trace. Compare ARM, whose gate for a channel is the same on wall, roof and bush:

# %%
inside(hand.PaperAttentionRefinement(3, rng=11, dtype="float64"))

# %% [markdown]
# ### A gate that is taught
#
# Now let a SAR learn its weights. It stands on the features of the network of section 1, and is taught one thing: to be open where a seven is and shut elsewhere. Let $t$ be 1 on a seven and 0 elsewhere. The loss is the mean cross-entropy of $s$ against $t$ over all $M$ positions, and its gradient at the logits is short:
#
# $$da = \frac{s - t}{M} \tag{7.6}$$
#
# **Predict.** Fewer than 200 weights, 32 training scenes, 60 steps. One position in twenty belongs to a seven. Will the gate tell a 7 from the other digits?
#
# <details><summary>Answer</summary>
#
# Yes, nearly. The photograph and the band are shut out, and the sevens stay. Of the other digits a corner gets through here and there, where a stroke looks like that of a 7.
#
# </details>

# %%
train_images, train_labels = Scenes("train").batch(range(32))
x = features(net, train_images)  # (32, 32, 32, 32)
t = train_labels[:, np.newaxis, ::2, ::2] > 0  # (32, 1, 32, 32)
taught = hand.ListedSAR(32, 4, rng=0)
count = sum(w.size for w in taught.parameters().values())
print(f"{count} weights, share of sevens {t.mean():.1%}")
adam = Adam(0.05)
for step in range(60):
    some = slice(8 * (step % 4), 8 * (step % 4) + 8)
    a, logits_back = taught._logits(x[some])
    s, _ = hand.sigmoid(a)
    _, grads = logits_back((s - t[some]) / s.size)  # (7.6)
    adam.step(taught, grads)
taught.eval()

s = taught.gate(f)  # of the test scenes: other digits, other halves of the photographs
print(f"mean gate on sevens {s[on_seven].mean():.2f}, elsewhere {s[~on_seven].mean():.2f}")
assert s[on_seven].mean() > 0.7 > 0.1 > s[~on_seven].mean()

# %%
r, _ = taught.copy().conv_reduce(f)
m, _ = stack_statistics(r, hand.channel_mean, hand.channel_max)
c = f[:, :, on_seven.any(axis=0)[0]].mean(axis=(0, 2)).argmax()  # a channel that is strong there

fig, axes = plt.subplots(2, 6, figsize=(12, 4.4), layout="constrained")
for row, n in zip(axes, (1, 6), strict=True):
    scene(row[0], images[n], "a test scene")
    feature_map(row[1], m[n, 0], "mean of r")
    feature_map(row[2], m[n, 1], "max of r")
    drawn = gate_map(row[3], s[n, 0], "the gate")
    feature_map(row[4], f[n, c], f"f, channel {c + 1}")
    feature_map(row[5], (f * s)[n, c], "gated")
    row[5].images[0].set_clim(row[4].images[0].get_clim())
fig.colorbar(drawn, ax=axes, ticks=[0, 0.5, 1], label="gate", shrink=0.7)
plt.show()

# %% [markdown]
# This is what a spatial gate can do and a channel gate cannot: ARM scales the 7 and the 2 beside it alike.
#
# ### Exercise 2 · Find the bug
#
# ★★☆ · 10 minutes
#
# Somebody writes SAR's forward from memory. Every shape is right, it runs, and it trains. With the weights set by hand it even gives the right numbers. With the weights that were taught it does not:


# %%
def sar_from_memory(x, conv_reduce, conv_atten, bn_atten):
    r = conv_reduce(x)
    m = np.concatenate([r.max(axis=1, keepdims=True), r.mean(axis=1, keepdims=True)], axis=1)
    a = bn_atten(conv_atten(m))
    return x / (1 + np.exp(-a))


def layers(module):
    """The three layers of a SAR as functions from an array to an array."""
    return {
        "conv_reduce": lambda x: module.conv_reduce(x)[0],
        "conv_atten": lambda m: module.conv_atten(m)[0],
        "bn_atten": lambda u: module.bn_atten(u)[0],
    }


compare("set by hand", sar_from_memory(photos, **layers(sar)), sar(photos)[0])
from_memory = sar_from_memory(f, **layers(taught))
compare("taught", from_memory, taught(f)[0])

n = 6
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
scene(axes[0], images[n], "x")
feature_map(axes[1], f[n, c], f"f, channel {c + 1}")
feature_map(axes[2], taught(f)[0][n, c], "gated by SAR")
feature_map(axes[3], from_memory[n, c], "from memory")
for ax in axes[1:]:
    ax.images[0].set_clim(f[n, c].min(), f[n, c].max())
plt.show()

# %% [markdown]
# **Predict.** What is wrong, and why do the weights set by hand not show it?
#
# <details><summary>Answer</summary>
#
# $[\mathrm{mean}\,;\,\mathrm{max}]$ in (7.3) is an order, and no shape shows it: here the maximum comes first. `W3[0, 0]` meets the first channel of `m` and `W3[0, 1]` the second. Those set by hand are the same average twice, so the order does not matter to them.
#
# </details>
#
# Write it right. You are given the three layers as functions; each takes an array and returns one.


# %% tags=["exercise"]
def listed_sar(x, conv_reduce, conv_atten, bn_atten):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def listed_sar(x, conv_reduce, conv_atten, bn_atten):
#     r = conv_reduce(x)
#     m = np.concatenate([r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)], axis=1)
#     a = bn_atten(conv_atten(m))
#     return x / (1 + np.exp(-a))
# ```
#
# </details>

# %% tags=["check"]
check.exercise("listed_sar", listed_sar)

# %% [markdown]
# This mistake is easily made: CBAM, a relative whose second half is a spatial gate without the reduction, exists with the maximum first (pytorchcv) and with the mean first (timm). A module trained from scratch learns either. Weights from one, loaded into the other, fit in shape and are wrong in every number. The two are two classes here. Turn the weights of one around, and they are the same module:

# %%
max_first = hand.CBAMSpatial(7, rng=3, dtype="float64")
mean_first = hand.CBAMSpatialMeanFirst(7, rng=4, dtype="float64")
mean_first.load_state_dict(max_first.state_dict())  # no complaint: the shapes fit
compare("as loaded", mean_first.gate(photos), max_first.gate(photos))
mean_first.assign({"conv.weight": max_first.conv.weight[:, ::-1]})
compare("turned", mean_first.gate(photos), max_first.gate(photos))

# %% [markdown]
# ## Four questions
#
# 1. What does a global pool keep, and what a pool over channels?
#
# <details><summary>Answer</summary>
#
# The global pool keeps the channels and loses the places, $(N, C, 1, 1)$. The pool over channels keeps the places and loses the channels, $(N, 1, H, W)$.
#
# </details>
#
# 2. Two implementations with the same weights give the same $y$ and other gradients. Both pool by a maximum over channels. Why?
#
# <details><summary>Answer</summary>
#
# Ties. One gives the gradient to the first of the equals, the other shares it among them; both are right.
#
# </details>
#
# 3. Two spatial attention modules have weights of the same shapes. Why may the weights of one be wrong in the other?
#
# <details><summary>Answer</summary>
#
# Because of the order of the statistics. With the mean first, the first half of the kernel belongs to the mean; with the maximum first, to the maximum.
#
# </details>
#
# 4. Can SAR's gate scale two channels differently at one position?
#
# <details><summary>Answer</summary>
#
# No. It has one number for each position, and all channels there are scaled by it.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | spatial attention | 空间注意力 | a gate for each position, computed from its neighbourhood |
# | spatial attention map | 空间注意力图 | that gate, $(N, 1, H, W)$ |
# | channel mean, channel max | 通道均值, 通道最大值 | (7.1) |
# | pointwise (1×1) convolution | 逐点卷积 | each position from itself alone |
# | tie | 并列 | no single maximum |
#
# ## What comes next
#
# [Lesson 7b](07b_sar_backward.ipynb) derives every gradient of SAR. The whole of CBAM, and the other relatives, stand in [lesson 6b](06b_relatives.ipynb). The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 3a · Average pooling, and why 1/HW
#
# **Goal.** Derive the backward of global average pooling, and know what a mean keeps of a picture.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): backwards, sums over what was repeated · [lesson 0b](00b_the_check.ipynb): the adjoint identity |
# | Afterwards you can | say what a mean tells of a picture, and what not · say why attention pools with a mean and not a sum · write its backward · judge a line of code that claims to pool globally |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) |
#
# Chapter 3 has three lessons: the mean, here; the maximum and its ties, [3b](03b_max_pooling.ipynb); and which of the two for which question, [3c](03c_which_pooling.ipynb). The equations are numbered through all three, and (d3.1) is the gradient of (3.1).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from armlab import check, hand
from armlab.data import Scenes
from armlab.hand.sequential import in_turn
from tools import compare, features, photographs, source, trained
from tools import CHANNELS, channel_bars, feature_map, gate_bars, gate_map, gradient_map
from tools import picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · A channel in one number
#
# An attention module has to know what an image is like as a whole before it can decide which channels matter. The least it can know is one number per channel. **Global average pooling** takes the mean over all positions:
#
# $$z_{nc} = \frac{1}{HW} \sum_{i,j} x_{ncij} \tag{3.1}$$
#
# **Predict.** Six crops follow, of a photograph of a pagoda by day and of one of an orange flower before dark leaves. The channels are red, green and blue. Which kind of crop has the largest mean in red? Which has hardly any red?
#
# <details><summary>Answer</summary>
#
# The one that the orange petals fill. The one of dark leaves: what is dark has little of any colour, and leaves have least of red.
#
# </details>

# %%
photos = photographs()  # (6, 3, 64, 96), 0 ... 1
z, _ = hand.global_avg_pool(photos)
print("x", photos.shape, "-> z", z.shape)

fig, axes = plt.subplots(2, 6, figsize=(12, 3.4), layout="constrained", height_ratios=[1, 0.9])
for n in range(6):
    picture(axes[0, n], photos[n], f"image {n + 1}")
    channel_bars(axes[1, n], z[n, :, 0, 0], f"z of image {n + 1}")
plt.show()
assert (z[:, 0].argmax(), z[:, 0].argmin()) == (3, 4)  # images 4 and 5

# %% [markdown]
# 18,432 numbers of each picture became three. They tell the flower (image 4) from the dark leaves (image 5), and both from the roof before the sky (image 1), which are grey on average. What do they not tell?
#
# **Predict.** Take the flower and shuffle its pixels: every pixel, with its three colours, moves to another place. What happens to $z$?
#
# <details><summary>Answer</summary>
#
# Nothing: a sum does not know the order of its terms. The pooled vector is **permutation invariant**, and so is every gate that is computed from it. (The computed mean may differ in its last digits, since adding in another order rounds differently.)
#
# </details>

# %%
flower = photos[3:4]
order = rng.permutation(64 * 96)
shuffled = flower.reshape(1, 3, -1)[:, :, order].reshape(flower.shape)

fig, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
for column, (title, x) in enumerate([("x", flower), ("x, shuffled", shuffled)]):
    picture(axes[2 * column], x[0], title)
    channel_bars(axes[2 * column + 1], hand.global_avg_pool(x)[0][0, :, 0, 0], "z")
plt.show()
compare("mean", hand.global_avg_pool(shuffled)[0], hand.global_avg_pool(flower)[0])

# %% [markdown]
# How little is left, handwritten digits show. Here is one example of each class. All ten have exactly the same mean.

# %%
digits = load_digits()  # 1,797 real digits, 8 by 8 pixels of 0 ... 16
sums = digits.images.sum(axis=(1, 2)).astype(int)
in_all = [t for t in np.unique(sums) if len(set(digits.target[sums == t])) == 10]
total = in_all[len(in_all) // 2]  # one of the sums that occur in all ten classes
alike = [np.flatnonzero((sums == total) & (digits.target == k))[0] for k in range(10)]

fig, axes = plt.subplots(1, 10, figsize=(12, 1.5), layout="constrained")
for ax, at in zip(axes, alike, strict=True):
    feature_map(ax, digits.images[at], f"mean {digits.images[at].mean()}")
plt.show()

# %% [markdown]
# So one does not pool pixels and hope. A network computes features first, channels that respond to something, and pools those: then a mean says how much of that something there is.
#
# ### What a trained network pools
#
# `trained("arm")` is a small network that `armlab train` has taught one task: find each handwritten 7 in a photograph, and say whether it is of class A or of class B. Nothing at the 7 tells. What tells is a band along the top of the scene, orange for A and blue for B. [Lesson 9a](09a_context.ipynb) is about this task; here it serves for its 32 channels of features, which it pools to 32 means.
#
# **Predict.** The same scene twice, once with each band. What its five convolutions compute at a place depends on a few pixels around it. Do the features differ everywhere, or where? And the means?
#
# <details><summary>Answer</summary>
#
# The features differ near the band and nowhere else. The digits are far below it, and there the two arrays are equal to the last bit: no convolution could tell A from B there. The means differ all the same, since a mean has no *far away*.
#
# </details>

# %%
net = trained("arm")
scenes = Scenes("test")
both = np.stack([scenes.scene(3, band)[0] for band in (0, 1)])  # with the orange, the blue band
f = features(net, both)  # (2, 32, 32, 32): half of the size of the scenes
z, _ = hand.global_avg_pool(f)

differ = np.flatnonzero(np.abs(f[0] - f[1]).max(axis=(0, 2))) + 1
print(f"rows of f that differ: {differ[0]} to {differ[-1]} of 32")
print("means that differ:    ", np.count_nonzero(z[0] != z[1]), "of 32")
assert np.array_equal(f[0, :, 12:], f[1, :, 12:])

steps = (z[1] - z[0])[:, 0, 0]
shown = [np.argmin(steps), np.argmax(steps)]  # from orange to blue, these fall and rise most

BANDS = ("orange band", "blue band")
fig, axes = plt.subplot_mosaic(
    [["x0", "f00", "f01", "z"], ["x1", "f10", "f11", "z"]],
    figsize=(11, 4.3),
    layout="constrained",
    width_ratios=[1, 1, 1, 2.6],
)
for band in (0, 1):
    scene(axes[f"x{band}"], both[band], f"x, {BANDS[band]}")
    for k, c in enumerate(shown):
        feature_map(axes[f"f{band}{k}"], f[band, c], f"f, channel {c + 1}")
        axes[f"f{band}{k}"].images[0].set_clim(f[:, c].min(), f[:, c].max())
order = np.argsort(steps)
ax = axes["z"]
ax.vlines(range(32), z[0, order, 0, 0], z[1, order, 0, 0], color="0.8", linewidth=3)
for band, colour in enumerate(("#E69F00", "#56B4E9")):
    ax.plot(z[band, order, 0, 0], "o", color=colour, ms=5, label=BANDS[band])
ax.set(title="z, the 32 means", xlabel="channel, sorted by the difference", xticks=[])
ax.legend()
plt.show()
assert np.count_nonzero(steps < -0.3) == 10
near = f[:, 8, 1:6].mean(axis=(1, 2))  # channel 9 at the orange band, and at the blue one
assert [c + 1 for c in shown] == [30, 9]
assert near[0] < 0.1 < 0.4 < near[1]

# %% [markdown]
# The mean carries what a channel says at the top of the scene into a number that holds for all of it. Ten of the channels, on the left of the plot, have become detectors of the orange band; channel 30 is one. The others differ less. Channel 9, on the far right, has a larger mean with the blue band, and yet it does not respond to blue: its map is as grey at the blue band as far from it, and black at the orange one. The orange band *suppresses* it, and a mean hears that too.

# %% [markdown]
# ## 2 · Why a mean and not a sum
#
# The factor $1/HW$ in (3.1) is a constant, and a constant can be learned by the layer behind. Why write it?
#
# **Predict.** The flower is enlarged to twice its height and width, each pixel becoming four. How do the sum and the mean of a channel change?
#
# <details><summary>Answer</summary>
#
# The sum grows with the area, four times. The mean stays.
#
# </details>

# %%
for factor in (1, 2, 4):
    size = (64 * factor, 96 * factor)
    x, _ = hand.resize_nearest(flower, size=size)
    total, mean = x.sum(axis=(2, 3))[0, 0], x.mean(axis=(2, 3))[0, 0]
    print(f"{size[0]:3} × {size[1]:3}   sum {total:9.1f}   mean {mean:.6f}")

# %% [markdown]
# A network is trained on crops of one size and used on images of another: on crops of 512 × 512, say, and on images of 1024 × 2048, which have 8 times as many pixels. With a sum, every pooled value would be 8 times what the layers behind have learned with.
#
# What would that do to the network of section 1? [ARM](04b_arm.ipynb) makes its gate from $z$ in three steps: a matrix mixes the channels (called a 1×1 convolution, as it is the same at each position), a [batch normalisation](02a_batch_norm.ipynb) with kept statistics, and a sigmoid, which squeezes all numbers between 0 and 1. The result multiplies the features, and the rest of the network turns them into a class for each pixel. `in_turn` runs layers one after the other; `resize_bilinear` brings the result to the size of the scene.


# %%
def with_pool(pool):
    """The trained network, but for its pool: its gates on 20 scenes with either band, and the share of
    the sevens' pixels that it finds which get the right name, A or B."""
    layers, gates, counts = net.copy().children(), [], np.zeros(2)
    refine = layers["refine"]
    for band in (0, 1):
        images, labels = scenes.batch(range(20), band)
        f = features(net, images)
        a, _ = refine.bn_atten(refine.conv_atten(pool(f))[0])
        y, _ = hand.sigmoid_gate(f, a)
        logits, _ = in_turn({name: layers[name] for name in ("head", "classify")}, y)
        classes = hand.resize_bilinear(logits, size=(64, 64))[0].argmax(axis=1)
        found = (labels > 0) & (classes > 0)
        counts += np.sum(classes[found] == labels[found]), np.sum(found)
        gates.append(hand.sigmoid(a)[0])
    return np.concatenate(gates), counts[0] / counts[1]


def mean_pool(f):
    return hand.global_avg_pool(f)[0]


# %% [markdown]
# **Predict.** With its means the network gives every seven that it finds the right name. What do its gates do with values 8 times as large, and what becomes of A and B?
#
# <details><summary>Answer</summary>
#
# Most gates are pushed to 0 or to 1, whatever the band is, and the network does hardly better than guess. The logits are not simply 8 times as large: batch normalisation takes a kept mean away, which has not grown with them. But they lie far from where the sigmoid can tell one from another.
#
# </details>

# %%
shares = []
for name, pool in [("the mean", mean_pool), ("8 times the mean", lambda f: 8 * mean_pool(f))]:
    gates, right = with_pool(pool)
    shares.append(np.mean((gates < 0.01) | (gates > 0.99)))
    print(f"{name:16}   gates within 0.01 of 0 or 1: {shares[-1]:4.0%}   right: {right:.3f}")
assert shares[0] == 0
assert shares[1] > 0.5
assert right < 0.6

# %% [markdown]
# The second reason is how numbers are stored. Large networks are often run in **float16**, whose largest number is 65,504. Here is the whole of *china.jpg*, as a real image of 427 by 640.
#
# **Predict.** Its mean in red is 0.57. Will its sum fit into a float16? And if the sum is divided by $HW$ afterwards?
#
# <details><summary>Answer</summary>
#
# No: the sum is about 155,000, which is infinity in float16. Dividing afterwards comes too late. A mean is never larger than the largest pixel.
#
# </details>

# %%
china = load_sample_image("china.jpg").transpose(2, 0, 1)[np.newaxis] / 255
half = torch.tensor(china).half()  # float16
print("sum      ", half.sum((2, 3)).tolist())
print("mean     ", half.mean((2, 3)).tolist())
print("sum / HW ", (half.sum((2, 3)) / (427 * 640)).tolist())
print("float64  ", china.mean(axis=(2, 3)).round(4).tolist())

# %% [markdown]
# That `mean` survives has a second reason, which is how it adds. PyTorch adds in float32 inside and rounds once, at the end. Here the same pixels are added one after the other, every partial sum rounded to float16:

# %%
red = china[0, 0].ravel()
running = np.cumsum(red.astype(np.float16), dtype=np.float16).astype(float)
exact = np.cumsum(red)
print(
    f"the float16 sum stops at {running[-1]:.0f}, after {np.argmax(running) + 1:,} of {red.size:,} pixels"
)
assert running[-1] == 2048

fig, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
ax.loglog(np.arange(1, red.size + 1), exact, color="0.4", label="exact")
ax.loglog(np.arange(1, red.size + 1), running, color="#D55E00", label="float16, one by one")
ax.axhline(65504, color="0.8", linewidth=1, zorder=0)
ax.text(1.3, 65504 * 1.15, "largest float16", color="0.5", fontsize=9)
ax.set(xlabel="pixels added", ylabel="sum of red", ylim=(0.3, 6e5))
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# It does not even reach infinity. From 2,048 on, the float16 numbers lie 2 apart, and adding a pixel of at most 1 changes nothing any more. So a float16 mean needs both: sums kept in a wider type, and the division before the result is rounded.
#
# The code by hand computes in float32 and float64 and refuses other types.
#
# ## 3 · The mean, backward
#
# Take the mean apart: sum each row, then the rows, then divide.
#
# $$t_{nci} = \sum_j x_{ncij}, \qquad S_{nc} = \sum_i t_{nci}, \qquad z_{nc} = \frac{S_{nc}}{HW}$$
#
# Upwards, with $dz$ given. Each step is a sum, so each step back is a repetition:
#
# $$dS_{nc} = \frac{dz_{nc}}{HW}, \qquad dt_{nci} = dS_{nc}, \qquad dx_{ncij} = dt_{nci} \tag{d3.1}$$
#
# **Predict.** What does $dx$ look like as a picture?
#
# <details><summary>Answer</summary>
#
# Each channel is flat, one colour, whatever the picture. Every pixel had the same share of the mean, so every pixel receives the same share of its gradient: $dx_{ncij} = dz_{nc} / HW$.
#
# </details>

# %%
x = photos[:2]
n, c, height, width = x.shape
z, backward = hand.global_avg_pool(x)
dz = rng.standard_normal(z.shape)

dS = dz / (height * width)  # (d3.1)
dt = np.broadcast_to(dS, (n, c, height, 1))
dx = np.broadcast_to(dt, x.shape)

x_torch = torch.tensor(x, requires_grad=True)
t_torch = x_torch.sum(3, keepdim=True)
S_torch = t_torch.sum(2, keepdim=True)
z_torch = S_torch / (height * width)
grads = torch.autograd.grad(z_torch, (S_torch, t_torch, x_torch), torch.tensor(dz))

compare("z", z, z_torch)
for name, mine, theirs in zip(["dS", "dt", "dx"], [dS, dt, dx], grads, strict=True):
    compare(name, mine, theirs)
compare("backward", backward(dz), dx)
print(check.adjoint(hand.global_avg_pool, x))

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
picture(axes[0], x[0], "image 1")
for channel in range(3):
    g = dx[0, channel]
    gradient_map(axes[1 + channel], g, f"dx of {CHANNELS[channel]}: {g[0, 0]:+.1e}", limit=4e-4)
plt.show()

# %% [markdown]
# Here is the file. The sum of a map is written as a product with ones, which libraries do fastest. The file counts its own equations: its (1) is (3.1), and its (2) is (d3.1), collapsed.

# %%
source(hand.global_avg_pool)

# %% [markdown]
# A flat gradient can make the whole channel brighter or darker. It cannot say *where*.
#
# **Predict.** What is left of $dz = 1$ at one pixel of an 8 × 8 map, and of the whole photograph? And the sum over all pixels?
#
# <details><summary>Answer</summary>
#
# 1/64, and 1/273,280. The sum is 1 for every size: the gradient is **diluted**, not lost. A convolution below the pool adds it up again, since its weights are shared by all positions.
#
# </details>

# %%
for size in [(1, 1), (8, 8), (64, 96), (427, 640)]:
    _, backward = hand.global_avg_pool(np.zeros((1, 1, *size)))
    g = backward(np.ones((1, 1, 1, 1)))  # ones on purpose: the share itself, not a test
    print(f"{size[0]:3} × {size[1]:3}   at each pixel {g[0, 0, 0, 0]:.1e}   summed {g.sum():.6f}")

# %% [markdown]
# But where numbers are stored in float16, a share may be too small to exist at all. The smallest positive float16 is $6 \cdot 10^{-8}$.

# %%
half = half.requires_grad_()
for dz_half in (1.0, 0.1, 0.01, 0.001):
    seed = torch.full((1, 3), dz_half, dtype=torch.float16)
    (g,) = torch.autograd.grad(half.mean((2, 3)), half, seed)
    print(
        f"dz = {dz_half:<5}  exact share {dz_half / (427 * 640):.2e}   in float16 {float(g.max()):.2e}"
    )

# %% [markdown]
# The last gradient is 0: not small, but gone. This is the same trap seen from behind, and one reason why training in float16 multiplies its loss by a large constant and divides the gradients again at the end.

# %% [markdown]
# ## 4 · A "global" pooling
#
# ### Exercise 1 · Find the bug
#
# ★☆☆ · 10 minutes
#
# A public implementation of BiSeNet for Keras begins its attention refinement module with this line (kirilcvetkov92/Semantic-Segmentation-BiSeNet, issue 4):
#
# ```python
# poolingLayer = AveragePooling2D(pool_size=(1, 1), padding='same')
# ```
#
# `AveragePooling2D` takes the mean of each window of `pool_size` pixels and moves on by as much. What ARM makes of the pooled array, section 2 has said.
#
# **Predict.** What shape has the result for `pool_size=(1, 1)`? What shape has the gate then? Which line of the program will raise an error?
#
# <details><summary>Answer</summary>
#
# That of $x$, and so has the gate: a window of one pixel has that pixel as its mean, so nothing is pooled. No line raises an error. A gate of shape $(N, C, H, W)$ multiplies as well as one of shape $(N, C, 1, 1)$, and batch normalisation takes both. The program trains, and its loss goes down. Only the global context is missing, the one thing that the module is for.
#
# </details>


# %%
def average_pooling(x, pool_size):
    (n, c, h, w), (rows, columns) = x.shape, pool_size
    windows = x.reshape(n, c, h // rows, rows, w // columns, columns)
    return windows.mean(axis=(3, 5))


fig, axes = plt.subplots(1, 5, figsize=(12, 1.9), layout="constrained")
for ax, pool_size in zip(axes, [(1, 1), (4, 4), (16, 16), (32, 32), (64, 96)], strict=True):
    pooled = average_pooling(flower, pool_size)
    picture(ax, hand.resize_nearest(pooled, size=(64, 96))[0][0], f"pool_size={pool_size}")
plt.show()

# %%
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")  # not trained
W, norm = arm.conv_atten, arm.copy().bn_atten  # the 1×1 convolution, the normalisation
for pool_size in [(64, 96), (1, 1)]:
    pooled = average_pooling(photos, pool_size)
    a, _ = norm(W(pooled)[0])
    y, _ = hand.sigmoid_gate(photos, a)
    print(f"pool_size={pool_size}: pooled {pooled.shape}, logits {a.shape}, y {y.shape}")

# %%
gate = arm.gate(photos)
unpooled = hand.Attentionout(3, dtype="float64", rng=0).load_state_dict(arm.state_dict())
s = hand.sigmoid(a)[0]  # of the last a: pool_size=(1, 1)
compare("the gate", unpooled.gate(photos), s)

fig, axes = plt.subplots(1, 5, figsize=(11, 1.9), layout="constrained")
picture(axes[0], photos[3], "image 4")
gate_bars(axes[1], gate[3, :, 0, 0], "gate of ARM")
for channel in range(3):
    drawn = gate_map(axes[2 + channel], s[3, channel], f"pool_size=(1, 1): {CHANNELS[channel]}")
fig.colorbar(drawn, ax=axes[4], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# What comes out is another module, which has a name in this project: `Attentionout`, the article's element-wise gate. [Lesson 7a](07a_spatial_attention.ipynb) is about it.
#
# What does the bug cost? Take the trained network and plant it there: the same weights, but the gate of each place is computed from the features of that place.
#
# **Predict.** How often does it name the class of a 7 that it finds?
#
# <details><summary>Answer</summary>
#
# In one half of the cases. Each scene is shown with both bands, and a gate that sees only its own place gives the 7 the same class in both: right once, wrong once. No weights can change that.
#
# </details>

# %%
for name, pool in {"the whole scene": mean_pool, "pool_size=(1, 1)": lambda f: f}.items():
    print(f"{name:16}   right: {with_pool(pool)[1]:.3f}")
assert with_pool(lambda f: f)[1] == 0.5

# %% [markdown]
# Write the pooling that was meant, for `x` of shape `(N, C, H, W)`.


# %% tags=["exercise"]
def global_avg_pool(x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def global_avg_pool(x):
#     return x.mean(axis=(2, 3), keepdims=True)
# ```
#
# `keepdims=True` leaves $(N, C, 1, 1)$, which lines up with the channels of $x$; without it, $(N, C)$ would line up with rows and columns. A window of the size of the image, `average_pooling(x, x.shape[2:])`, is right too. As `avg_pool2d` in PyTorch it has a drawback of its own: a kernel size known only when the program runs cannot be exported to ONNX. A mean can.
#
# </details>

# %% tags=["check"]
check.exercise("global_avg_pool", global_avg_pool)

# %% [markdown]
# Hand in `return x`, and read what the check says.

# %% [markdown]
# ## Four questions
#
# 1. A network is trained on crops of 512 × 512 and used on images of 1024 × 2048. What would happen to its gates if they pooled with a sum?
#
# <details><summary>Answer</summary>
#
# Every pooled value would be 8 times as large as in training, and most gates would be pushed to 0 or 1, as in section 2. With a mean they stay where they were.
#
# </details>
#
# 2. On which shapes does the bug of section 4 go unseen?
#
# <details><summary>Answer</summary>
#
# On images of one pixel, $H = W = 1$. There the mean of the image and that of the window are the same.
#
# </details>
#
# 3. What does `global_avg_pool` have to keep for its backward?
#
# <details><summary>Answer</summary>
#
# The shape of $x$ alone. No value of $x$ is in (d3.1).
#
# </details>
#
# 4. The mean of a channel is larger with the blue band than with the orange one. Does the channel respond to blue?
#
# <details><summary>Answer</summary>
#
# Not surely. It may as well be suppressed by orange, as channel 9 of section 1 is.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | global average pooling (GAP) | 全局平均池化 | the mean of each channel, (3.1) |
# | backward | 反向传播 | the function $dz \mapsto dx$ |
# | permutation invariant | 置换不变 | the same for every order of the pixels |
# | half precision, float16 | 半精度 | 11 binary digits, at most 65,504 |
# | overflow, underflow | 上溢, 下溢 | too large, or too small, to be stored |
# | global context | 全局上下文 | what the mean knows of the whole image |
#
# ## What comes next
#
# [Lesson 3b](03b_max_pooling.ipynb) takes the maximum in the place of the mean. [Lesson 4a](04a_sigmoid_gate.ipynb) and [lesson 4b](04b_arm.ipynb) turn the pooled vector into a gate. [Lesson 7a](07a_spatial_attention.ipynb) pools the other way, over the channels, so that each position keeps a number of its own. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 3 · Pooling: average, max, ties, and why 1/HW
#
# **Goal.** Derive the backward of average and max pooling, and know what each of them keeps of a picture.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb): backwards, sums over what was repeated, random upstream gradients |
# | Afterwards you can | say why attention pools with a mean and not a sum · recognise a "global" pooling that pools nothing · write the backward of a maximum, ties included · add up gradients where windows overlap · choose between mean and max for a given question |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) · [hand/global_max_pool.py](../armlab/hand/global_max_pool.py) · [hand/max_pool2d.py](../armlab/hand/max_pool2d.py) · [hand/window.py](../armlab/hand/window.py) · and, at the end, [hand/cbam.py](../armlab/hand/cbam.py) |

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from armlab import check, hand
from armlab.data import Scenes
from armlab.hand.sequential import in_turn
from tools import compare, features, photographs, source, trained
from tools import CHANNELS, COLOURS, feature_map, gate_bars, gate_map, gradient_map, picture
from tools import channel_bars, numbers, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · A channel in one number
#
# An attention module has to know what an image is like as a whole before it can decide which channels matter. The least it can know is one number per channel. **Global average pooling** takes the mean over all positions:
#
# $$z_{nc} = \frac{1}{HW} \sum_{i,j} x_{ncij} \tag{1}$$
#
# **Predict.** Below are six crops of photographs, with red, green and blue as the three channels. Cover the bars and look at the pictures first: which has the largest mean in red? Which has hardly any red?

# %%
photos = photographs()  # (6, 3, 64, 96), 0 ... 1
z, _ = hand.global_avg_pool(photos)
print("x", photos.shape, "-> z", z.shape)

fig, axes = plt.subplots(2, 6, figsize=(12, 3.4), layout="constrained", height_ratios=[1, 0.9])
for n in range(6):
    picture(axes[0, n], photos[n], f"x[{n}]")
    channel_bars(axes[1, n], z[n, :, 0, 0], f"z[{n}]")
plt.show()

# %% [markdown]
# 18,432 numbers of each picture became three. They tell the flower (`x[3]`) from the dark leaves (`x[4]`), and both from the pale buildings. What do they not tell?
#
# **Predict.** Take the flower and shuffle its pixels: every pixel, with its three colours, moves to another place. What happens to $z$?

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
compare("max", hand.global_max_pool(shuffled)[0], hand.global_max_pool(flower)[0])

# %% [markdown]
# Nothing: a sum does not know the order of its terms. The pooled vector is **permutation invariant**, and so is every gate that is computed from it. (The computed mean differs in its last digits, since adding in another order rounds differently. The maximum rounds nothing.)
#
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
# `trained("arm")` is a small network that `armlab train` has taught one task: find each handwritten 7 in a photograph, and say whether it is of class A or of class B. Nothing at the 7 tells. What tells is a band along the top of the scene, orange for A and blue for B. [Lesson 9](09_context.ipynb) is about this task; here it serves for its 32 channels of features, which it pools to 32 means.
#
# **Predict.** The same scene twice, once with each band. In which rows do its features differ? How many of the 32 means do?

# %%
net = trained("arm")
scenes = Scenes("test")
both = np.stack([scenes.scene(3, band)[0] for band in (0, 1)])  # A, B
f = features(net, both)  # (2, 32, 32, 32): half of the size of the scenes
z, _ = hand.global_avg_pool(f)

apart = np.abs(f[0] - f[1])
print("rows of f that differ", np.flatnonzero(apart.max(axis=(0, 2))))
print("means that differ    ", np.count_nonzero(z[0] != z[1]), "of 32")

steps = (z[1] - z[0])[:, 0, 0]
telling = [np.argmin(steps), np.argmax(steps)]  # the channel that A raises most, and B

fig, axes = plt.subplot_mosaic(
    [["A", "A0", "A1", "z"], ["B", "B0", "B1", "z"]],
    figsize=(11, 4.3),
    layout="constrained",
    width_ratios=[1, 1, 1, 2.6],
)
for band, name in enumerate("AB"):
    scene(axes[name], both[band], f"x, band of {name}")
    for k, c in enumerate(telling):
        feature_map(axes[f"{name}{k}"], f[band, c], f"f of {name}, channel {c + 1}")
        axes[f"{name}{k}"].images[0].set_clim(f[:, c].min(), f[:, c].max())
order = np.argsort(steps)
ax = axes["z"]
ax.vlines(range(32), z[0, order, 0, 0], z[1, order, 0, 0], color="0.8", linewidth=3)
for band, colour in enumerate(("#E69F00", "#56B4E9")):
    ax.plot(z[band, order, 0, 0], "o", color=colour, ms=5, label=f"band of {'AB'[band]}")
ax.set(title="z, the 32 means", xlabel="channel, sorted by the difference", xticks=[])
ax.legend()
plt.show()

# %% [markdown]
# Twelve of 32 rows. A convolution sees a few pixels around each place, so from row 12 down, where the digits are, the two arrays are equal to the last bit: no convolution could tell A from B there. The means differ all the same. Ten of the channels, on the left of the plot, have become detectors of the orange band, and the mean carries what they say at the top of the scene into a number that holds for all of it.

# %% [markdown]
# ## 2 · Why a mean and not a sum
#
# The factor $1/HW$ in (1) is a constant, and a constant can be learned by the layer behind. Why write it?
#
# **Predict.** The flower is enlarged to twice its height and width, each pixel becoming four. How do the sum and the mean of a channel change?

# %%
for factor in (1, 2, 4):
    size = (64 * factor, 96 * factor)
    x, _ = hand.resize_nearest(flower, size=size)
    total, mean = x.sum(axis=(2, 3))[0, 0], x.mean(axis=(2, 3))[0, 0]
    print(f"{size[0]:3} × {size[1]:3}   sum {total:9.1f}   mean {mean:.6f}")

# %% [markdown]
# The sum grows with the area, the mean stays. A network is trained on crops of one size and used on images of another. With a sum, every gate would move with the size of the image.
#
# The second reason is how numbers are stored. Large networks are often run in **float16**, whose largest number is 65,504. Here is the whole of *china.jpg*, as a real image of 427 by 640.
#
# **Predict.** Its mean in red is 0.57. Will its sum fit into a float16?

# %%
china = load_sample_image("china.jpg").transpose(2, 0, 1)[np.newaxis] / 255
half = torch.tensor(china).half()  # float16
print("sum      ", half.sum((2, 3)).tolist())
print("mean     ", half.mean((2, 3)).tolist())
print("sum / HW ", (half.sum((2, 3)) / (427 * 640)).tolist())
print("float64  ", china.mean(axis=(2, 3)).round(4).tolist())

# %% [markdown]
# The sum is about 155,000: infinity, in float16. Dividing afterwards comes too late. A mean is never larger than the largest pixel.
#
# That `mean` survives has a second reason, which is how it adds. PyTorch adds in float32 inside and rounds once, at the end. Here the same pixels are added one after the other, every partial sum rounded to float16:

# %%
red = china[0, 0].ravel()
running = np.cumsum(red.astype(np.float16), dtype=np.float16).astype(float)
exact = np.cumsum(red)
print(
    f"the float16 sum stops at {running[-1]:.0f}, after {np.argmax(running):,} of {red.size:,} pixels"
)

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
# The code by hand computes in float32 and float64 and refuses other types. Here is its mean. The sum of a map is written as a product with ones, which libraries do fastest.

# %%
source(hand.global_avg_pool)

# %% [markdown]
# ## 3 · The mean, backward
#
# Take the mean apart: sum each row, then the rows, then divide.
#
# $$t_{nci} = \sum_j x_{ncij}, \qquad S_{nc} = \sum_i t_{nci}, \qquad z_{nc} = \frac{S_{nc}}{HW}$$
#
# Upwards, with $dz$ given. Each step is a sum, so each step back is a repetition:
#
# $$dS_{nc} = \frac{dz_{nc}}{HW}, \qquad dt_{nci} = dS_{nc}, \qquad dx_{ncij} = dt_{nci} \tag{d1}$$
#
# **Predict.** What does $dx$ look like as a picture?

# %%
x = photos[:2]
n, c, height, width = x.shape
z, backward = hand.global_avg_pool(x)
dz = rng.standard_normal(z.shape)

dS = dz / (height * width)  # (d1)
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

# %% [markdown]
# Collapsed: every pixel had the same share of the mean, so every pixel receives the same share of its gradient.
#
# $$dx_{ncij} = \frac{dz_{nc}}{HW}$$
#
# This is what `backward` returns in the file. And the adjoint identity of lesson 0 holds.

# %%
compare("backward", backward(dz), dx)
print(check.adjoint(hand.global_avg_pool, x))

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
picture(axes[0], x[0], "x[0]")
for channel in range(3):
    g = dx[0, channel]
    gradient_map(axes[1 + channel], g, f"dx of {CHANNELS[channel]}: {g[0, 0]:+.1e}", limit=4e-4)
plt.show()

# %% [markdown]
# Three flat maps, one colour each, whatever the picture. A flat gradient can make the whole channel brighter or darker. It cannot say *where*.
#
# **Predict.** The flat value is $dz / HW$. What is left of $dz = 1$ at one pixel of an 8 × 8 map, and of the whole photograph? And the sum over all pixels?

# %%
for size in [(1, 1), (8, 8), (64, 96), (427, 640)]:
    _, backward = hand.global_avg_pool(np.zeros((1, 1, *size)))
    g = backward(np.ones((1, 1, 1, 1)))  # ones on purpose: the share itself, not a test
    print(f"{size[0]:3} × {size[1]:3}   at each pixel {g[0, 0, 0, 0]:.1e}   summed {g.sum():.6f}")

# %% [markdown]
# The gradient is **diluted**, not lost: it always sums to $dz$. A convolution below the pool adds it up again, since its weights are shared by all positions. But where numbers are stored in float16, a share may be too small to exist at all. The smallest positive float16 is $6 \cdot 10^{-8}$.

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
# ## 4 · A "global" pooling that pools nothing
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
# `AveragePooling2D` takes the mean of each window of `pool_size` pixels and moves on by as much. In NumPy:


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

# %% [markdown]
# **Predict.** What shape has the result for `pool_size=(1, 1)`? ARM makes its gate from the pooled array in three steps, which [lesson 4](04_sigmoid_gate.ipynb) derives: a matrix mixes the channels (the same matrix at each position, called a 1×1 convolution), a normalisation, a sigmoid. What shape has the gate then? Which line of the program will raise an error?

# %%
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
W, norm = arm.conv_atten, arm.copy().bn_atten  # the 1×1 convolution, the normalisation

for pool_size in [(64, 96), (1, 1)]:
    pooled = average_pooling(photos, pool_size)
    a, _ = norm(W(pooled)[0])
    y, _ = hand.sigmoid_gate(photos, a)
    print(f"pool_size={pool_size}: pooled {pooled.shape}, logits {a.shape}, y {y.shape}")

# %% [markdown]
# None of them. A window of one pixel has that pixel as its mean, so nothing is pooled, and the logits keep the full size. A gate of shape $(N, C, H, W)$ multiplies as well as one of shape $(N, C, 1, 1)$, and batch normalisation takes both. The program trains, and its loss goes down. Only the global context is missing, the one thing that the module is for.

# %%
gate = arm.gate(photos)
unpooled = hand.Attentionout(3, dtype="float64", rng=0).load_state_dict(arm.state_dict())
s = hand.sigmoid(a)[0]  # of the last a: pool_size=(1, 1)
compare("the gate", unpooled.gate(photos), s)

fig, axes = plt.subplots(1, 5, figsize=(11, 1.9), layout="constrained")
picture(axes[0], photos[3], "x[3]")
gate_bars(axes[1], gate[3, :, 0, 0], "gate of ARM")
for channel in range(3):
    drawn = gate_map(axes[2 + channel], s[3, channel], f"pool_size=(1, 1): {CHANNELS[channel]}")
fig.colorbar(drawn, ax=axes[4], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# What comes out is another module, which has a name in this project: `Attentionout`, the article's element-wise gate. [Lesson 7](07_spatial_attention.ipynb) is about it.
#
# What does the bug cost? Take the trained network of section 1 and plant it there: the same weights, but the gate of each place is computed from the features of that place.
#
# **Predict.** With its pooling the network names the class of each 7 that it finds. How often without? The band is at the top of the scene, the digits are far below it.


# %%
def right_between_a_and_b(pooled):
    """Of the pixels of sevens that are found: the share with the right class, A or B."""
    layers, counts = net.copy().children(), np.zeros(2)
    for band in (0, 1):
        images, labels = scenes.batch(range(20), band)
        f = features(net, images)
        z = hand.global_avg_pool(f)[0] if pooled else f
        refine = layers["refine"]
        a, _ = refine.bn_atten(refine.conv_atten(z)[0])
        y, _ = hand.sigmoid_gate(f, a)
        logits, _ = in_turn({name: layers[name] for name in ("head", "classify")}, y)
        classes = hand.resize_bilinear(logits, size=(64, 64))[0].argmax(axis=1)
        found = (labels > 0) & (classes > 0)
        counts += np.sum(classes[found] == labels[found]), np.sum(found)
    return counts[0] / counts[1]


print(f"pooled over the whole scene: {right_between_a_and_b(True):.3f}")
print(f"pool_size=(1, 1):            {right_between_a_and_b(False):.3f}")

# %% [markdown]
# One half, to the last digit. Each scene was shown with both bands, and a gate that sees only its own place gives the 7 the same class in both: right once, wrong once. No weights can change that.
#
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
# Hand in `return x`, and read what the check says. On which shapes would this bug go unseen?

# %% [markdown]
# ## 5 · The maximum, and ties
#
# The other way to put a channel into one number is its strongest response, wherever it is:
#
# $$z_{nc} = \max_{i,j}\, x_{ncij} \tag{2}$$
#
# Let $(i^*, j^*)$ be the position of the maximum, the **winner**. As long as the winner leads, a small step of any other pixel changes nothing, and a step of the winner moves $z$ by as much:
#
# $$\frac{\partial z_{nc}}{\partial x_{ncij}} = \begin{cases} 1 & (i,j) = (i^*,j^*) \\ 0 & \text{else} \end{cases} \qquad dx_{ncij} = \begin{cases} dz_{nc} & (i,j) = (i^*,j^*) \\ 0 & \text{else} \end{cases} \tag{d2}$$
#
# The winner takes all. **Predict.** Draw the $dx$ of a photograph next to that of the mean, both for $dz = 1$. How many pixels of each differ from 0?

# %%
x = photos[5:6]
z, backward = hand.global_max_pool(x)
dz = rng.standard_normal(z.shape)
dx = backward(dz)

x_torch = torch.tensor(x, requires_grad=True)
z_torch, winner_torch = x_torch.flatten(2).max(2)
(dx_torch,) = torch.autograd.grad(z_torch, x_torch, torch.tensor(dz[:, :, 0, 0]))
winner = x.reshape(1, 3, -1).argmax(axis=2)
compare("z", z[:, :, 0, 0], z_torch)
compare("winner", winner, winner_torch)
compare("dx", dx, dx_torch)
print("pixels with a gradient:", (dx != 0).sum(axis=(2, 3))[0], "of", 64 * 96)

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 1.9), layout="constrained")
picture(axes[0], x[0], "x, and the winner of each channel")
for channel in range(3):
    i, j = np.unravel_index(winner[0, channel], (64, 96))
    axes[0].plot(j, i, "o", mec="white", mfc=COLOURS[channel], markersize=8)
    g = np.where(np.arange(64 * 96).reshape(64, 96) == winner[0, channel], 1.0, 0.0)
    gradient_map(axes[1 + channel], g, f"share of {CHANNELS[channel]}", limit=1)
    axes[1 + channel].plot(j, i, "o", mec=COLOURS[channel], mfc="none", markersize=12)
plt.show()

# %% [markdown]
# Each map has one dark pixel, inside the ring, and 6,143 white ones. Average pooling tells every pixel a little; max pooling tells one pixel everything.
#
# ### Ties
#
# "As long as the winner leads", it said above (d2). Among random numbers somebody always leads. In real data, often nobody does.
#
# **Predict.** How many pixels of *china.jpg* hold the largest value of the blue channel? How many pixels of a handwritten digit are as bright as its brightest?

# %%
tied = china == china.max(axis=(2, 3), keepdims=True)
print("china.jpg, pixels at the maximum in red, green, blue:", *tied.sum(axis=(2, 3))[0])
counts = (digits.images == digits.images.max(axis=(1, 2), keepdims=True)).sum(axis=(1, 2))
print(
    "digits, pixels at the maximum: 1 in",
    f"{(counts == 1).mean():.0%} of them, up to",
    counts.max(),
)

fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
picture(axes[0], china[0], "china.jpg")
shown = np.where(tied[0, 2], np.asarray([0.0, 0.45, 0.7])[:, None, None], 0.4 + 0.6 * china[0])
picture(axes[1], shown, "pixels that tie in blue, and the first of them")
i, j = np.argwhere(tied[0, 2])[0]
axes[1].plot(j, i, "o", mec="white", mfc="#D55E00", markersize=9)
plt.show()

# %% [markdown]
# 17,974 pixels of sky share the largest value, since a camera cannot record anything brighter than 255. At a tie the maximum has a kink, as ReLU has at 0. There is no derivative, so somebody has to decide. Libraries decide differently:
#
# | rule | who |
# |---|---|
# | the first of the equals gets everything | `torch.max(x, dim)` on the CPU, and this project |
# | the equals share it evenly | `torch.amax` |
#
# Here is a digit whose maximum, 16, occurs several times, and the gradient that each rule gives for $dz = 1$.

# %%
digit = digits.images[np.flatnonzero(counts == 5)[8]][np.newaxis, np.newaxis]
ones = np.ones((1, 1, 1, 1))

x_torch = torch.tensor(digit, requires_grad=True)
(first,) = torch.autograd.grad(x_torch.flatten(2).max(2)[0].sum(), x_torch)
(shared,) = torch.autograd.grad(x_torch.amax((2, 3)).sum(), x_torch)
by_hand = hand.global_max_pool(digit)[1](ones)
compare("by hand", by_hand, first)

fig, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained")
feature_map(axes[0], digit[0, 0], "x")
numbers(axes[0], digit[0, 0], "{:.0f}", skip=0)
everyone = (digit == digit.max()).astype(float)
for ax, g, title in [
    (axes[1], first.numpy(), "the first (max)"),
    (axes[2], shared.numpy(), "shared (amax)"),
    (axes[3], everyone, "1 for each: wrong"),
]:
    gradient_map(ax, g[0, 0], f"{title}\nsum {g.sum():g}", limit=1)
    numbers(ax, g[0, 0], "{:g}", skip=0)
plt.show()

# %% [markdown]
# The third map is what comes out of `dz * (x == z)`, a line that is quickly written. It is not a third convention but a mistake. Move all five pixels up by $h$ together: the maximum rises by $h$. The five shares together must account for this, so they have to sum to 1. The third map claims $5h$.

# %%
h = 1e-3
up = everyone * h
rise = (hand.global_max_pool(digit + up)[0] - hand.global_max_pool(digit)[0]).item() / h
print(f"the maximum rises by {rise:.3f} h")
for name, g in [("first", first.numpy()), ("shared", shared.numpy()), ("each", everyone)]:
    print(f"{name:7} claims {(g * up).sum() / h:.3f} h")

# %% [markdown]
# Shares that are not negative, that sum to 1 and that go to tied pixels only are called **subgradients**. None is more right than another. But a test needs one answer, and this project has chosen the first, row by row.
#
# ### Exercise 2 · `global_max_pool_backward`
#
# ★★☆ · 10 minutes
#
# From `dz` of shape `(N, C, 1, 1)` and `x`, compute `dx`. Where positions tie, the first one, row by row, receives everything. `np.argmax` returns the first of equals.


# %% tags=["exercise"]
def global_max_pool_backward(dz, x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def global_max_pool_backward(dz, x):
#     n, c, h, w = x.shape
#     winner = x.reshape(n, c, h * w).argmax(axis=2, keepdims=True)
#     won = np.arange(h * w) == winner  # (N, C, HW), one True for each channel
#     return np.where(won, dz.reshape(n, c, 1), 0.0).reshape(x.shape)
# ```
#
# Comparing positions, not values, is what makes the winner unique. The file does the same.
#
# </details>

# %% tags=["check"]
check.exercise("global_max_pool_backward", global_max_pool_backward)

# %%
source(hand.global_max_pool)

# %% [markdown]
# ## 6 · Windows that overlap
#
# Between "the whole image" and "one pixel" lie windows. ResNet, the backbone of many segmentation networks, has one max pooling: windows of 3 × 3, moved by 2, with a border of 1.
#
# $$y_{ncij} = \max_{r,s}\; x_{nc,\;ti+r-p,\;tj+s-p} \qquad r, s = 0, 1, 2, \quad t = 2, \quad p = 1 \tag{3}$$
#
# The border never wins: it is $-\infty$, not 0. Otherwise a window of negative numbers at the edge would have the maximum 0, which is nowhere in the image.

# %%
options = {"kernel_size": 3, "stride": 2, "padding": 1}
y, _ = hand.max_pool2d(photos, **options)
fig, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
for column, n in enumerate((0, 3)):
    picture(axes[2 * column], photos[n], f"x[{n}]  {photos.shape[2:]}")
    picture(axes[2 * column + 1], y[n], f"y[{n}]  {y.shape[2:]}")
plt.show()

# %% [markdown]
# **Predict.** Windows of 3 × 3 that move by 2 overlap by 1. How many windows can one pixel win? And if they move by 1?
#
# A pixel that wins several windows was passed on several times. It feeds several outputs, and lesson 0 says what that means: its gradients add up.
#
# $$dx_{kl} = \sum_{\text{windows } (i,j) \text{ that } (k,l) \text{ wins}} dy_{ij} \tag{d3}$$
#
# At length, one window after the other, on a digit:

# %%
x = digits.images[13][np.newaxis, np.newaxis] / 16  # (1, 1, 8, 8)
y, backward = hand.max_pool2d(x, **options)
dy = rng.standard_normal(y.shape)

winner = np.zeros((4, 4), int)
wins = np.zeros((8, 8), int)
dx = np.zeros_like(x)
for i in range(4):
    for j in range(4):
        top, left = max(2 * i - 1, 0), max(2 * j - 1, 0)  # the border never wins
        window = x[0, 0, top : 2 * i + 2, left : 2 * j + 2]
        r, s = np.unravel_index(window.argmax(), window.shape)
        winner[i, j] = 8 * (top + r) + left + s
        wins[top + r, left + s] += 1
        dx[0, 0, top + r, left + s] += dy[0, 0, i, j]  # (d3)

x_torch = torch.tensor(x, requires_grad=True)
y_torch, winner_torch = torch.nn.functional.max_pool2d(x_torch, **options, return_indices=True)
(dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy))
compare("y", y, y_torch)
compare("winner", winner[np.newaxis, np.newaxis], winner_torch)
compare("dx", dx, dx_torch)
compare("backward", backward(dy), dx_torch)

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained")
feature_map(axes[0], x[0, 0], "x")
feature_map(axes[1], -wins, "windows won")
numbers(axes[1], wins, skip=0)
gradient_map(axes[2], dy[0, 0], "dy", limit=3)
numbers(axes[2], dy[0, 0], "{:.1f}")
gradient_map(axes[3], dx[0, 0], "dx", limit=3)
numbers(axes[3], dx[0, 0], "{:.1f}", skip=0)
plt.show()

# %% [markdown]
# Sixteen windows, and fewer winners: at a corner where four windows meet, one pixel can win all four. With a stride of 1 it could win nine.
#
# ### Ties behind a ReLU
#
# ResNet pools behind a ReLU, whose output is 0 wherever its input is negative. So the ties of section 5 are here in every image: a window of nine zeros.
#
# **Predict.** Take the features of the trained network with a ReLU behind them. In how many of its windows is everything 0? Which pixel receives the gradient of such a window, and what becomes of it one step further up?

# %%
r, relu_back = hand.relu(f)
y, pool_back = hand.max_pool2d(r, **options)
dr = pool_back(rng.standard_normal(y.shape, dtype="float32"))
df = relu_back(dr)
print(f"windows of zeros:                    {(y == 0).mean():.0%}")
print(
    f"pixels with a gradient, at the pool: {np.count_nonzero(dr):,}, at the ReLU: {np.count_nonzero(df):,}"
)

c = telling[0]
fig, axes = plt.subplots(1, 5, figsize=(12, 2.6), layout="constrained")
scene(axes[0], both[0], "x")
feature_map(axes[1], r[0, c], f"ReLU, channel {c + 1}")
feature_map(axes[2], y[0, c] == 0, "windows of zeros: white")
gradient_map(axes[3], dr[0, c], "behind the pool's backward", limit=3)
gradient_map(axes[4], df[0, c], "behind the ReLU's", limit=3)
plt.show()

# %% [markdown]
# The first pixel of each window of zeros receives a gradient that it did not earn. The ReLU below takes it away again: by its convention the slope at 0 is 0. So these ties do no harm, whichever rule a library has. With a LeakyReLU in its place they would not be ties, as it keeps negative numbers apart.
#
# ### Exercise 3 · `max_pool2d_backward`
#
# ★★★ · 15 minutes
#
# You are given `dy` of shape `(N, C, OH, OW)`, the `shape` of `x`, and `winner`, of the shape of `dy`: the number $iW + j$ of the pixel that won each window, counted within its channel. Return `dx`.
#
# **Predict**, before you begin: what is `a` after these two lines?
#
# ```python
# a = np.zeros(3)
# a[[0, 0, 2]] += 1
# ```


# %% tags=["exercise"]
def max_pool2d_backward(dy, winner, shape):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def max_pool2d_backward(dy, winner, shape):
#     n, c, h, w = shape
#     image = np.arange(n * c).reshape(n, c, 1, 1)  # which map a window belongs to
#     dx = np.zeros(n * c * h * w)
#     np.add.at(dx, (image * h * w + winner).ravel(), dy.ravel())
#     return dx.reshape(shape)
# ```
#
# `a` is `[1, 0, 1]`. NumPy reads `a[[0, 0, 2]]`, adds 1 to the three numbers that it has read, and writes them back; the second write to place 0 covers the first. Nothing warns. `np.add.at` adds one after the other. On a GPU it is worse: which of two writes to one place stays is not even defined.
#
# </details>

# %% tags=["check"]
check.exercise("max_pool2d_backward", max_pool2d_backward)

# %% [markdown]
# The file has no list of indices. It goes through the nine **taps**: tap $(r, s)$ meets, for all windows at once, a regular slice of the image. Going forwards, each window remembers which tap is ahead: a later one must be *larger*, so that the first of equals stays. Going back, within one tap no pixel occurs twice, so `+=` on a slice is safe, and the sum over taps is the sum of (d3).
#
# (On NumPy another way runs, in [max_pool2d_rows_columns.py](../armlab/hand/kernels/max_pool2d_rows_columns.py): the maximum of a window is the largest of the maxima of its rows, so three taps along the rows and three along the columns do.)

# %%
source(hand.max_pool2d)

# %% [markdown]
# ## 7 · From the mean to the maximum
#
# Mean and maximum are the two ends of one scale. The **power mean** of numbers that are not negative is
#
# $$z = \Big( \frac{1}{HW} \sum_{i,j} x_{ij}^{\,p} \Big)^{1/p} \tag{4}$$
#
# For $p = 1$ it is the mean. The larger $p$, the more the largest number outweighs all others, and for $p \to \infty$ only the maximum is left.
#
# Its backward shows how a gradient that everybody shares turns into one that a single pixel takes. Step by step, with $q_{ij} = x_{ij}^p$ and $t$ their mean, so that $z = t^{1/p}$:
#
# $$dt = \tfrac1p\, t^{1/p - 1}\, dz, \qquad dq_{ij} = \frac{dt}{HW}, \qquad dx_{ij} = p\, x_{ij}^{\,p-1}\, dq_{ij} \tag{d4}$$
#
# **Predict.** Put the three into one line. What is the share of a pixel whose value is exactly $z$?

# %%
p = 3
x = photos[5:6] + 0.01  # no zeros
q = x**p
t = q.mean(axis=(2, 3), keepdims=True)
z = t ** (1 / p)
dz = rng.standard_normal(z.shape)
dt = t ** (1 / p - 1) / p * dz  # (d4)
dq = np.broadcast_to(dt / (64 * 96), x.shape)
dx = p * x ** (p - 1) * dq

x_torch = torch.tensor(x, requires_grad=True)
q_torch = x_torch**p
t_torch = q_torch.mean((2, 3), keepdim=True)
z_torch = t_torch ** (1 / p)
grads = torch.autograd.grad(z_torch, (t_torch, q_torch, x_torch), torch.tensor(dz))
compare("z", z, z_torch)
for name, mine, theirs in zip(["dt", "dq", "dx"], [dt, dq, dx], grads, strict=True):
    compare(name, mine, theirs)
compare("collapsed", dz / (64 * 96) * (x / z) ** (p - 1), grads[2])

# %% [markdown]
# Collapsed, with $t^{1/p - 1} = z^{1-p}$:
#
# $$dx_{ij} = \frac{dz}{HW} \Big( \frac{x_{ij}}{z} \Big)^{p-1} \tag{5}$$
#
# The share of average pooling, times a factor that is 1 for a pixel of the value $z$, more for brighter ones and less for darker ones. For $p = 1$ the factor is 1 everywhere. For a large $p$ it is a contest.


# %%
def show_power_means(powers):
    x = photos[5, 0]
    largest = x.max()
    _, axes = plt.subplots(
        1,
        len(powers) + 1,
        figsize=(2.2 * (len(powers) + 1), 2.1),
        layout="constrained",
        squeeze=False,
    )
    feature_map(axes[0, 0], x, f"red, mean {x.mean():.2f}\nmax {largest:.2f}", channel=0)
    for ax, p in zip(axes[0, 1:], powers, strict=True):
        z = largest * np.mean((x / largest) ** p) ** (1 / p)  # (4): no power above 1
        share = (x / z) ** (p - 1) / x.size  # (5)
        largest_first = np.sort(share, axis=None)[::-1].cumsum()
        half = np.searchsorted(largest_first, largest_first[-1] / 2) + 1  # take half of it all
        gradient_map(ax, share, f"p = {p}, z = {z:.2f}\nhalf of dx: {half:,} pixels")
    plt.show()


show_power_means([1, 2, 8, 32, 256])

# %% [markdown]
# Each map has its own scale. At $p = 1$, half of the gradient falls on half of the pixels. Then it draws together on the brightest petals.
#
# In a running notebook, move the slider from one end to the other.

# %%
slider = ipywidgets.SelectionSlider(
    options=[1, 2, 4, 8, 16, 32, 64, 128, 256],
    value=4,
    description="power p",
    continuous_update=False,
)
_ = ipywidgets.interact(lambda p: show_power_means([p]), p=slider)

# %% [markdown]
# ## 8 · Which of the two for which question
#
# SE (squeeze and excitation) and ARM, which both have one gate for each channel, pool with the mean. CBAM, a third of this kind, uses the mean and the maximum side by side. Which is better depends on what a channel says.
#
# **A mean answers "how much".** A maximum cannot: a single hot pixel decides it. **A maximum answers "is there any".** A mean cannot: a small object hardly moves it.
#
# **Predict.** 100 crops of the photographs, in grey, each of them twice: as it is, and with a handwritten 3 hidden in it, 64 pixels of 6,144. A channel responds to threes: it is the crop, convolved with an average three, and then a ReLU. From the pooled response, can one tell which crops hide a digit? With the mean? With the maximum?

# %%
rng = np.random.default_rng(1)
grey = []  # the two photographs in grey, at half their size
for name in ("china.jpg", "flower.jpg"):
    pixels = load_sample_image(name)[:426] / 255
    grey.append(pixels.reshape(213, 2, 320, 2, 3).mean(axis=(1, 3, 4)))


def crop(photo):
    i, j = rng.integers(213 - 64), rng.integers(320 - 96)
    return grey[photo][i : i + 64, j : j + 96].copy()


threes = digits.images[digits.target == 3] / 16
template = threes[:20].mean(axis=0)
kernel = (template - template.mean()).reshape(1, 1, 8, 8)  # sums to 0: flat places give 0

hidden = np.arange(200) % 2 == 1
crops = np.repeat([crop(rng.integers(2)) for _ in range(100)], 2, axis=0)  # each one twice
places = rng.integers((56, 88), size=(200, 2))
for n in np.flatnonzero(hidden):
    i, j = places[n]
    three = threes[rng.integers(20, len(threes))]  # none of those in the template
    under = crops[n, i : i + 8, j : j + 8]
    under += three * (1 - under)

u, _ = hand.conv2d(crops[:, np.newaxis], kernel)
response, _ = hand.relu(u)

fig, axes = plt.subplots(2, 4, figsize=(10, 3.6), layout="constrained")
for column, n in enumerate((1, 7, 8, 20)):
    feature_map(axes[0, column], crops[n], "a 3 is hidden" if hidden[n] else "no digit")
    title = f"response, mean {response[n].mean():.2f}, max {response[n].max():.1f}"
    feature_map(axes[1, column], response[n, 0], title)
    if hidden[n]:
        i, j = places[n]
        axes[0, column].plot(j + 3.5, i + 3.5, "o", mec="#D55E00", mfc="none", mew=1.5, ms=24)
plt.show()

# %% [markdown]
# To compare, draw one crop with a digit and one without, and ask which has the larger value. A useless statistic is right in half of all pairs.


# %%
def right_in_pairs(values, labels):
    with_it, without = values[labels][:, np.newaxis], values[~labels]
    return (with_it > without).mean() + (with_it == without).mean() / 2


def compare_statistics(axes, x, labels, names):
    for ax, (word, pool) in zip(
        axes, [("mean", hand.global_avg_pool), ("max", hand.global_max_pool)], strict=True
    ):
        values = pool(x)[0].ravel()
        bins = np.linspace(0, 1.04 * values.max(), 27)
        ax.hist(values[~labels], bins, color="0.6", label=names[0])
        ax.hist(values[labels], bins, color="#D55E00", alpha=0.7, label=names[1])
        right = right_in_pairs(values, labels)
        ax.set_title(f"{word}: right in {right:.0%} of the pairs", fontsize=10)
        ax.set(yticks=[])
        ax.spines[["top", "left", "right"]].set_visible(False)
    axes[1].legend(loc="upper left", fontsize=8, frameon=False)


fig, axes = plt.subplots(1, 2, figsize=(8, 2.1), layout="constrained")
compare_statistics(axes, response, hidden, ("no digit", "a 3 is hidden"))
plt.show()

# %% [markdown]
# The mean is hardly better than guessing: the response of a digit drowns in that of leaves and roofs. The maximum is right far more often. It fails where a white digit stands before a white sky, or where a roof looks more like a 3 than the 3 does.
#
# Now the other question. The crops come from *china.jpg*, taken by day, or from *flower.jpg*, a dark one. And the camera has a dozen hot pixels, which are white whatever is in front of them. Which statistic knows the photograph?

# %%
by_day = np.arange(200) % 2 == 0
crops = np.stack([crop(0 if day else 1) for day in by_day])
crops[rng.random(crops.shape) < 0.002] = 1.0

fig, axes = plt.subplots(1, 2, figsize=(8, 2.1), layout="constrained")
compare_statistics(axes, crops[:, np.newaxis], by_day, ("flower.jpg", "china.jpg"))
plt.show()

# %% [markdown]
# The maximum is 1 in every crop and knows nothing. The mean is hardly moved by a dozen pixels in 6,144.
#
# ### The two in a trained network
#
# And the network of section 1? It was trained with a mean. Its 32 channels, on 40 test scenes with each band: which statistic of a channel tells the bands apart?

# %%
by_band = [features(net, scenes.batch(range(40), band)[0]) for band in (0, 1)]
f40, of_b = np.concatenate(by_band), np.arange(80) >= 40
rights = []
for pool in (hand.global_avg_pool, hand.global_max_pool):
    z = pool(f40)[0][:, :, 0, 0]
    right = np.asarray([right_in_pairs(z[:, c], of_b) for c in range(32)])
    rights.append(np.maximum(right, 1 - right))  # the lower values may as well be those of B
by_mean, by_max = (np.sum(right == 1) for right in rights)
print(f"channels that are right in all pairs: {by_mean} by the mean, {by_max} by the max")

fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", width_ratios=[1.2, 2])
axes[0].plot(*rights, "o", color="#0072B2", alpha=0.6, clip_on=False)
axes[0].plot([0.5, 1], [0.5, 1], color="0.8", zorder=0)
axes[0].set(xlabel="right by the mean", ylabel="right by the max", title="32 channels")
c = np.argmax(rights[0] - rights[1])
z = f40[:, c].mean(axis=(1, 2))
bins = np.linspace(z.min(), z.max(), 30)
for band, colour in enumerate(("#E69F00", "#56B4E9")):
    axes[1].hist(
        z[of_b == bool(band)], bins, color=colour, alpha=0.7, label=f"band of {'AB'[band]}"
    )
title = f"mean of channel {c + 1}: right by mean {rights[0][c]:.0%}, by max {rights[1][c]:.0%}"
axes[1].set_title(title, fontsize=10)
axes[1].set(yticks=[])
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The detectors of the band lie at the upper right and would do with either statistic: a whole band is both *much* and *strong*. The channels at the lower right are known by their mean alone. Something in every scene excites them as strongly as the band does, though at fewer places: their maximum says nothing. One channel, at the upper left, is the other way round.
#
# A network cannot know beforehand which kind of channel it will learn. CBAM's answer is to compute both and to let the same two small layers, the MLP, look at each:
#
# $$a = \mathrm{MLP}(\mathrm{GAP}(x)) + \mathrm{MLP}(\mathrm{GMP}(x)) \tag{6}$$

# %%
source(hand.CBAMChannel._logits)

# %% [markdown]
# Its backward has two plus signs. The weights were used twice, and so was $x$.

# %% [markdown]
# ## Five questions
#
# 1. A network is trained on crops of 512 × 512 and used on images of 1024 × 2048. What would happen to its gates if they pooled with a sum?
#
# <details><summary>Answer</summary>
#
# Every pooled value would be 8 times as large as in training, and the logits with it: gates would be pushed to 0 and 1. With a mean they stay where they were.
#
# </details>
#
# 2. You shuffle all pixels of an image. Which of the two pooled vectors, mean and maximum, changes?
#
# <details><summary>Answer</summary>
#
# Neither. Both are the same for every order of the pixels, and so is a gate that is computed from them.
#
# </details>
#
# 3. Why is `dz * (x == z)` no backward of the maximum?
#
# <details><summary>Answer</summary>
#
# With $k$ pixels tied it hands out $k\,dz$, while a step of all of them together moves $z$ by one step. The shares have to sum to 1. It is right only where no two pixels tie.
#
# </details>
#
# 4. `global_avg_pool` keeps only the shape of $x$ for its backward. What does `global_max_pool` have to keep?
#
# <details><summary>Answer</summary>
#
# Where the winner was. The file keeps $x$ and looks for it again; keeping one position for each channel would be enough.
#
# </details>
#
# 5. A channel responds to traffic lights, a few pixels each. Which statistic should its gate see, and what may go wrong?
#
# <details><summary>Answer</summary>
#
# The maximum, since the mean hardly moves. But a single wrong response anywhere in the image looks the same to it. That is why CBAM looks at both.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | global average pooling (GAP) | 全局平均池化 | the mean of each channel, (1) |
# | global max pooling (GMP) | 全局最大池化 | the largest value of each channel, (2) |
# | max pooling | 最大池化 | the largest value of each window, (3) |
# | permutation invariant | 置换不变 | the same for every order of the pixels |
# | tie | 并列最大值 | several places hold the maximum |
# | subgradient | 次梯度 | shares that sum to 1, at a kink |
# | half precision, float16 | 半精度 | 11 binary digits, at most 65,504 |
# | overflow, underflow | 上溢, 下溢 | too large, or too small, to be stored |
# | stride, padding | 步幅, 填充 | how far the window moves, and the border |
# | backward | 反向传播 | the function $dz \mapsto dx$ |
#
# ## What comes next
#
# [Lesson 4: the sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) turns the pooled vector into a gate. [Lesson 7](07_spatial_attention.ipynb) pools the other way, over the channels, so that each position keeps a number of its own. CBAM, which pools both ways, stands in [lesson 6](06_relatives.ipynb). The [contents](index.ipynb) show the whole path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

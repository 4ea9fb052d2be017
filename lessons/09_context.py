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
# # 9 · A task that provably needs context
#
# **Goal.** Prove that a network without attention cannot solve a task, whatever its weights, and train one with attention that does.
#
# | | |
# |---|---|
# | Time | 100 minutes |
# | You need first | [Lesson 4](04_sigmoid_gate.ipynb): ARM and its two ways to $x$ · [Lesson 3](03_pooling.ipynb) on the global mean helps |
# | Afterwards you can | compute the window of a network from its layers · say what no training can teach it · read a confusion matrix and an IoU · write Adam, and say what its correction is for · train the modules by hand and read their gates |
# | Runs on | CPU; no GPU needed. Two short trainings run in section 7 |
# | Explains | [data/scenes.py](../armlab/data/scenes.py) · [data/scenes_hard.py](../armlab/data/scenes_hard.py) · [data/digits.py](../armlab/data/digits.py) · [hand/toy_net.py](../armlab/hand/toy_net.py) · [training/metrics.py](../armlab/training/metrics.py) · [training/optimisers.py](../armlab/training/optimisers.py) · [training/loop.py](../armlab/training/loop.py) |
#
# Equation numbers are those of the source file that a section explains. (W1) to (W3) are the lesson's own.

# %%
from tempfile import TemporaryDirectory

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle

from armlab import check, hand, plots, training
from armlab.data import DigitScenes, Generated, HardScenes, Scenes, to_rgb
from armlab.data.digits_and_photographs import MEAN, STD
from armlab.data.scenes import BAND_COLOURS, BAND_ROWS, FIRST_ROW
from armlab.hand import kernels
from armlab.training import loop
from armlab.training.evaluation import evaluate, gallery
from armlab.training.hand_learner import HandLearner
from armlab.training.metrics import ConfusionMatrix
from armlab.training.optimisers import SGD, Adam
from tools import compare, feature_map, from_file, gradient_map, source, trained

rng = np.random.default_rng(0)
RED, GREEN, ORANGE, BLUE = "#D55E00", "#009E73", "#E69F00", "#0072B2"  # none, ARM, A, B

# %% [markdown]
# ## 1 · The scenes
#
# Handwritten digits stand on a photograph. A 7 belongs to class A or to class B; every other digit is background. Which of the two it is, only the colour of a band along the top edge says: orange for A, blue for B.
#
# Everything in the picture is real but the band: the digits are scikit-learn's, the photographs as well. Training and test use other digits and other halves of the photographs.
#
# **Predict.** Cover the band with your hand. In how many of the pictures can you tell A from B?

# %%
scenes = Scenes("test")
classes = Generated(Scenes, seed=0, size=(64, 64))  # the same scenes, with names and colours

fig, axes = plt.subplots(3, 4, figsize=(8.2, 6.6), layout="constrained")
for row, index in enumerate((1, 7, 3)):
    for band in (0, 1):
        image, label = scenes.scene(index, band)
        axes[row, 2 * band].imshow(to_rgb(image))
        axes[row, 2 * band].set_title(f"scene {index}, band {'AB'[band]}", fontsize=9)
        axes[row, 2 * band + 1].imshow(classes.colours[label])
        axes[row, 2 * band + 1].set_title(f"its label: {'AB'[band]}", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Each scene stands here twice, with the band in either state and all else equal. This is the file. The state of the band is drawn first, and nothing that follows looks at it but the label and the paint.

# %%
source(Scenes.scene)

# %% [markdown]
# Two more sets are made in the same way. `HardScenes` has a lamp of 8 by 8 pixels in the place of the band, and two digits that need it. `DigitScenes` has no band at all: each digit is its own class, and a window as large as a digit holds all there is to know. It is the other half of the experiment, in lesson 10.

# %%
fig, axes = plt.subplots(2, 4, figsize=(8.2, 4.4), layout="constrained")
for row, other in enumerate((HardScenes("test"), DigitScenes("test"))):
    colours = Generated(type(other), 0, (64, 64)).colours
    for column, index in enumerate((0, 2)):
        image, label = other.scene(index)
        axes[row, 2 * column].imshow(to_rgb(image))
        axes[row, 2 * column].set_title(f"{type(other).__name__}, scene {index}", fontsize=9)
        axes[row, 2 * column + 1].imshow(colours[label])
        found = ", ".join(other.classes[k] for k in np.unique(label) if k)
        axes[row, 2 * column + 1].set_title(f"classes {found}", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 2 · The window
#
# The network is `ToyNet`: five 3×3 convolutions, the second with stride 2, then two 1×1, then a bilinear resize to the size of the image. With attention `"none"` that is all. With `"arm"` the fifth is the article's ARM: the same 3×3, and the attention branch behind it.

# %%
source(hand.ToyNet.forward)
none, arm = trained("none"), trained("arm")  # both after 600 steps, in evaluation mode
for name, net in (("none", none), ("arm", arm)):
    print(f"{name:5}", sum(w.size for w in net.parameters().values()), "parameters")

# %% [markdown]
# **Predict.** A pixel of the logits in row 30: which rows of the image can it depend on? Write down the first of them.
#
# Go backwards. Row $i$ of what a convolution returns reads $R$ rows of what it was given. With stride $t$ and padding $p$ they are
#
# $$t\,i - p \;\dots\; t\,i - p + R - 1 \tag{W1}$$
#
# and so the rows $i_1 \dots i_2$ together read
#
# $$t\,i_1 - p \;\dots\; t\,i_2 - p + R - 1 \tag{W2}$$
#
# Batch normalisation in evaluation mode, and the activation, read their own place only. The resize comes first on this way back. From $H/2$ rows to $H$, row $i$ lies at $q = (i + \tfrac12)/2 - \tfrac12$ and mixes the rows below and above:
#
# $$\lfloor q \rfloor \;\dots\; \lceil q \rceil \tag{W3}$$
#
# ### Exercise 1 · `rows_read`
#
# ★★☆ · 15 minutes
#
# `layers` is a list of `(kernel, stride, padding)`, in the order of the forward. Return the first and the last row of the input that the rows `first` to `last` of the output read. Rows outside of the image are allowed: they lie in the padding.


# %% tags=["exercise"]
def rows_read(first, last, layers):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def rows_read(first, last, layers):
#     for kernel, stride, padding in reversed(layers):
#         first = stride * first - padding
#         last = stride * last - padding + kernel - 1
#     return first, last
# ```
#
# The order matters as soon as a stride is not 1: one row of padding behind a stride of 2 is two rows of the image.
#
# </details>

# %% tags=["check"]
check.exercise("rows_read", rows_read)

# %% [markdown]
# Now line by line for the network itself. The gradient is a second witness: send a random $dy$ from row 30 back through the layers by hand, and see at each of them in which rows anything arrives. That has to be the window, no row more and no row less.
#
# The readable convolution computes here, in which a number is a sum over its own window and nothing else. It is the specification, which `kernels.specification()` asks for. Of the fast ones, which are rows of a table in `armlab.hand.kernels`, Winograd's adds and subtracts neighbours on its way and is held to the specification within rounding: it would leave rounding errors beside the window.


# %%
def layers_of(net):
    """(kernel, stride, padding) of each convolution, in the order of the forward."""
    found = [m for _, m in net.named_modules() if isinstance(m, hand.Conv2d)]
    return [(m.kernel_size[0], m.stride[0], m.padding[0]) for m in found]


def reached(d):
    """First and last row in which a gradient (N, C, H, W) is not 0."""
    rows = np.flatnonzero(np.any(d != 0, axis=(0, 1, 3)))
    return int(rows[0]), int(rows[-1])


logits, backs = scenes.scene(1)[0][np.newaxis], {}
with kernels.specification():
    for name, layer in none.children().items():
        logits, backs[name] = layer(logits)
y, resize_back = hand.resize_bilinear(logits, size=(64, 64))

ROW = FIRST_ROW  # 30
dy = np.zeros_like(y)
dy[:, :, ROW] = rng.standard_normal(y[:, :, ROW].shape)
q = (ROW + 0.5) / 2 - 0.5
first, last = int(np.floor(q)), int(np.ceil(q))  # (W3)
d = resize_back(dy)
print(
    f"{'resize':9} reads rows {first} to {last}   gradient in {reached(d)}  {reached(d) == (first, last)}"
)
for (name, back), (kernel, stride, padding) in zip(
    reversed(backs.items()), reversed(layers_of(none)), strict=True
):
    first, last = stride * first - padding, stride * last - padding + kernel - 1  # (W2)
    d, _ = back(d)
    equal = reached(d) == (first, last)
    print(f"{name:9} reads rows {first} to {last}   gradient in {reached(d)}  {equal}")

# %% [markdown]
# The upper end of the window of row 30 is row 20. The band ends with row 7, so twelve rows lie between them. No digit begins above row 30, so no pixel of a digit comes closer.
#
# The **radius** of the window is the largest distance from a row to a row that it reads:


# %%
def window(row, layers):
    """The rows of the image that a row of the resized logits reads."""
    total = int(np.prod([stride for _, stride, _ in layers]))
    first = int(np.floor((row + 0.5) / total - 0.5))
    last = int(np.ceil((row + 0.5) / total - 0.5))
    for kernel, stride, padding in reversed(layers):
        first, last = stride * first - padding, stride * last - padding + kernel - 1
    return first, last


windows = {row: window(row, layers_of(none)) for row in range(64)}
print("radius", max(max(row - first, last - row) for row, (first, last) in windows.items()))
print("uppermost row that any digit can see:", min(windows[row][0] for row in range(FIRST_ROW, 64)))

# %% [markdown]
# The same as a picture. One pixel of a 7 asks, with a random $dy$, and the gradient shows whom it heard. Each network twice, on one scale and on another a hundred times as fine.

# %%
index = 7
image, label = scenes.scene(index, 0)
rows, columns = np.nonzero(label)
at = np.argmin(np.abs(columns - 31) + np.abs(rows - 45))
ROW, COLUMN = int(rows[at]), int(columns[at])
dy = np.zeros((1, 3, 64, 64), np.float32)
dy[0, :, ROW, COLUMN] = rng.standard_normal(3)
top, bottom = windows[ROW]
left, right = window(COLUMN, layers_of(none))

fig, axes = plt.subplots(1, 5, figsize=(11.4, 2.6), layout="constrained")
axes[0].imshow(to_rgb(image))
axes[0].set(xticks=[], yticks=[])
axes[0].set_title(f"scene {index}, pixel ({ROW}, {COLUMN})", fontsize=10)
for column, (name, net) in enumerate((("without attention", none), ("with ARM", arm)), start=1):
    with kernels.specification():
        dx, _ = net(image[np.newaxis])[1](dy)
    shown, limit = dx[0].sum(axis=0), 0.05
    gradient_map(axes[column], shown, f"dx {name}", limit=limit)
    gradient_map(axes[column + 2], shown, f"{name},\n100 times as bright", limit=limit / 100)
    print(f"{name:18} dx is not 0 at {np.mean(dx != 0):.1%} of the image")
for ax in axes:
    size = right - left + 1, bottom - top + 1
    ax.add_patch(Rectangle((left - 0.5, top - 0.5), *size, fill=False, edgecolor="black"))
plt.show()

# %% [markdown]
# The frame is the window by (W2), computed for rows and for columns. Without attention the gradient fills it and is exactly 0 outside. With ARM every pixel of the image has a say. Through the pool it is a faint one, as lesson 4 showed; but it is not 0. And outside the frame it is strongest where the band lies.

# %% [markdown]
# ## 3 · The theorem
#
# > In evaluation mode, a network whose window at the digits does not reach the band is right between A and B for exactly one half of the digit pixels that it calls A or B, counted over both states of the band, **whatever its weights**.
#
# The proof is short. Take a scene in both states. In the window of a digit's pixel the two images are equal, number for number. So the network computes the same logits for this pixel twice, and gives the same answer. The label is A in one and B in the other. If the answer is A or B, it is right once. If it is background, it does not count. Every pixel that counts is right in one of two. ∎
#
# Nothing was said of training, of the loss, or of the number of channels.
#
# **Predict.** How much do the trained networks' logits at the digits change, when the band does: in the last digits, or not at all?
#
# The claim is about every bit, so once more the specification computes.

# %%
both = [scenes.batch(range(8), band)[0] for band in (0, 1)]
print("the images differ in rows", np.unique(np.nonzero(both[0] != both[1])[2]))


def change(net, images=both):
    """How far the logits move with the band, (N, 3, H, W)."""
    with kernels.specification():
        a, b = (net(x)[0] for x in images)
    return a - b


for name, net in (("none", none), ("arm", arm)):
    moved = change(net)
    at_digits = moved[:, :, FIRST_ROW:]
    equal = np.array_equal(at_digits, np.zeros_like(at_digits))
    print(
        f"{name:5} logits in rows 30 … 63 bit-equal: {equal!s:5}   largest change {abs(at_digits).max():.3g}"
    )

# %%
fig, axes = plt.subplots(2, 4, figsize=(9.4, 4.6), layout="constrained")
for row, n in enumerate((1, 7)):
    for band in (0, 1):
        axes[row, band].imshow(to_rgb(both[band][n]))
        axes[row, band].set(xticks=[], yticks=[])
        axes[row, band].set_title(f"scene {n}, band {'AB'[band]}", fontsize=10)
    for column, (name, net) in enumerate((("none", none), ("arm", arm)), start=2):
        moved = np.abs(change(net)[n]).max(axis=0)
        axes[row, column].imshow(np.where(moved > 0, moved, np.nan), cmap="viridis", vmin=0, vmax=8)
        axes[row, column].set_facecolor("0.85")
        axes[row, column].axhline(FIRST_ROW - 0.5, color=RED, lw=1)
        axes[row, column].set(xticks=[], yticks=[])
        axes[row, column].set_title(f"change of the logits, {name}", fontsize=10)
fig.colorbar(axes[0, 3].images[0], ax=axes[:, 3], label="largest |change|")
plt.show()

# %% [markdown]
# Grey is exactly 0. Without attention the change ends a few rows below the band, far above the red line where the digits begin. With ARM it is everywhere, and largest at the digits.
#
# *Whatever its weights* can be tried: twenty networks, each with other weights and other running statistics.

# %%
pair = [x[:1] for x in both]
moved = []
for seed in range(20):
    draw = np.random.default_rng(seed)
    net = hand.ToyNet(3, "none", channels=8, rng=draw).eval()
    state = {
        key: draw.uniform(0.5, 2.0, a.shape) if key.endswith("running_var") else a
        for key, a in net.state_dict().items()
    }
    moved.append(np.abs(change(net.load_state_dict(state), pair)[:, :, FIRST_ROW:]).max())
print("largest change at the digits, over 20 networks:", max(moved))

# %% [markdown]
# ### Find the bug: a measurement that refutes the theorem
#
# A colleague reports that the network without attention *does* see the band. The weights are the same.
#
# **Predict.** What did the colleague forget?

# %%
net = none.copy().train()
print("largest change at the digits:", np.abs(change(net)[:, :, FIRST_ROW:]).max())

# %% [markdown]
# `train()`. In training mode batch normalisation takes mean and variance over all positions of all images, the band's among them. So every pixel hears of the band after all, through the statistics of the batch. It is not much of a message, as it is mixed from the whole batch; but the logits are not bit-equal, and an evaluation done in this mode measures something else than the network that is used later. `evaluate` looks at a copy in evaluation mode, so that looking changes nothing either.
#
# ### The band under your hand
#
# Let the band move down. From which row on do the digits hear of it?


# %%
SCENE = 1
plain, plain_label = scenes.scene(SCENE, 0)
digits = plain_label > 0
colours = ((BAND_COLOURS - MEAN) / STD)[:, :, np.newaxis, np.newaxis]  # as the network sees them
plain[:, :BAND_ROWS] = (plain[:, :BAND_ROWS] - 0.75 * colours[0]) / 0.25  # its own band taken off


def with_band(top, state):
    """The scene with its band over the rows from `top` on."""
    image = plain.copy()
    rows = (slice(None), slice(top, top + BAND_ROWS))
    image[rows] = 0.25 * image[rows] + 0.75 * colours[state]
    return image[np.newaxis]


def show_band(tops):
    _, axes = plt.subplots(
        2, len(tops), figsize=(1.9 * len(tops) + 0.4, 4.3), layout="constrained", squeeze=False
    )
    top_of_digit = int(np.nonzero(digits)[0].min())
    for column, top in enumerate(tops):
        images = [with_band(top, state) for state in (0, 1)]
        moved = np.abs(change(none, images)[0]).max(axis=0)
        axes[0, column].imshow(to_rgb(images[0][0]))
        axes[0, column].axhspan(
            windows[top_of_digit][0] - 0.5,
            windows[top_of_digit][1] + 0.5,
            fill=False,
            edgecolor=RED,
        )
        axes[0, column].set_title(f"band in rows {top} … {top + 7}", fontsize=9)
        axes[1, column].imshow(moved > 0, cmap="gray", vmin=0, vmax=1)
        axes[1, column].contour(digits, levels=[0.5], colors=[RED], linewidths=1)
        axes[1, column].set_title(
            f"digit pixels that hear it:\n{np.sum(digits & (moved > 0))} of {digits.sum()}",
            fontsize=9,
        )
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    plt.show()


show_band([0, 12, 24, 28, 36])

# %% [markdown]
# White is where the logits of the network without attention change with the colour. The red lines above enclose what the uppermost row of a 7 reads. As soon as the band touches them, the first pixels hear of it. In a running notebook, move it.

# %%
slider = ipywidgets.IntSlider(
    value=12, min=0, max=40, description="first row", continuous_update=False
)
_ = ipywidgets.interact(lambda top: show_band([top]), top=slider)

# %% [markdown]
# ## 4 · How much context is enough
#
# One number would do: is the band orange or blue? A global mean brings one number per channel from anywhere to everywhere. The band covers 8 of 64 rows, so it has an eighth of the weight in it.
#
# **Predict.** Take the mean of blue minus red over the whole image. Does it say which band it is?
#
# And then the mean of a *feature*: what ARM of the trained network pools, in the channel that tells best.


# %%
def before_the_gate(net, x):
    """f, what the attention of a trained network pools: (N, 32, H/2, W/2)."""
    before, _ = net.features(x)
    return net.refine.conv(before)[0]


many = [scenes.batch(range(64), band)[0] for band in (0, 1)]
raw = [(x[:, 2] - x[:, 0]).mean(axis=(1, 2)) for x in many]
pooled = [before_the_gate(arm, x).mean(axis=(2, 3)) for x in many]  # (64, 32)
spread = np.sqrt((pooled[0].var(axis=0) + pooled[1].var(axis=0)) / 2)
best = int(np.argmax(np.abs(pooled[0].mean(axis=0) - pooled[1].mean(axis=0)) / spread))

fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
for ax, values, title in (
    (axes[0], raw, "mean of blue − red over the image"),
    (axes[1], [z[:, best] for z in pooled], f"mean of feature {best}, which ARM pools"),
):
    bins = np.linspace(min(map(np.min, values)), max(map(np.max, values)), 30)
    for value, colour, name in zip(values, (ORANGE, BLUE), "AB", strict=True):
        ax.hist(value, bins, color=colour, alpha=0.75, label=f"band {name}")
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("scenes of 64")
axes[1].legend()
plt.show()

# %% [markdown]
# The mean colour moves with the band, but the photographs move it more. The five convolutions before the pool make the difference: a feature that fires on the band and hardly on a photograph has a mean that leaves no doubt. Pooling carries; the convolutions decide what is worth carrying.
#
# And this is what ARM makes of it: one gate per channel, from all pooled means. Scene 1 with either band:

# %%
gates = [arm.gate(x[1:2])[0, :, 0, 0] for x in both]
order = np.argsort(gates[0] - gates[1])
fig, axes = plt.subplots(2, 1, figsize=(9, 3.2), layout="constrained", sharex=True)
for ax, gate, name in zip(axes, gates, "AB", strict=True):
    ax.bar(
        range(32), gate[order], color=plt.colormaps["magma"](gate[order]), edgecolor="0.4", lw=0.5
    )
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1], ylabel=f"gate, band {name}", xlim=(-0.7, 31.7))
    ax.spines[["top", "right"]].set_visible(False)
axes[1].set(xticks=range(32), xlabel="channel, in the order of the difference")
axes[1].set_xticklabels(order, fontsize=7)
plt.show()

# %% [markdown]
# The bars on the right are channels that an orange band lets through and a blue one holds back; those on the left, the other way round. What is in them? The four that change most, before the gate and behind it:

# %%
f = [before_the_gate(arm, x[1:2])[0] for x in both]
fig, axes = plt.subplots(3, 5, figsize=(9.6, 5.8), layout="constrained")
for band in (0, 1):
    axes[1 + band, 0].imshow(to_rgb(both[band][1]))
    axes[1 + band, 0].set_title(f"band {'AB'[band]}", fontsize=10)
axes[0, 0].axis("off")
for column, channel in enumerate([*order[:2], *order[-2:]], start=1):
    white = np.percentile(np.abs(f[0][channel]), 99.5)
    feature_map(axes[0, column], f[0][channel], f"f, channel {channel}")
    for band in (0, 1):
        gate = gates[band][channel]
        feature_map(axes[1 + band, column], f[band][channel] * gate, f"f s, s = {gate:.2f}")
    for ax in axes[:, column]:
        ax.images[0].set_clim(0, white)
for ax in axes[1:, 0]:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Within a column all maps have one scale, black is 0 and below. All four fire on a 7, and less on other strokes. The gate dims two of them under an orange band, and the other two under a blue one. After that the 1×1 layers need no context: which of them is bright says A or B, at every pixel.
#
# ### Who else sees the band
#
# **Predict.** A gate per position that looks at 7×7 positions, as CBAM's spatial half: is it enough? Count: 7×7 on a map of half the size.
#
# Nine of the attentions that `ToyNet` knows by name, each in a fresh network in evaluation mode. Does the band reach the digits?

# %%
print(f"{'attention':24} rows seen from row 30    the band moves the digits' logits")
for name in (
    "none",
    "sar",
    "cbam-spatial",
    "attentionout",
    "arm",
    "se",
    "eca",
    "simam",
    "coordinate",
):
    net = hand.ToyNet(3, name, rng=0).eval()
    reaches = np.any(change(net, pair)[:, :, FIRST_ROW:] != 0)
    looks = name in ("none", "sar", "cbam-spatial", "attentionout")
    seen = "{} … {}".format(*window(FIRST_ROW, layers_of(net))) if looks else "all, by a mean"
    print(f"{name:24} {seen:23}  {reaches}")

# %% [markdown]
# A 7×7 gate widens the window by three positions on either side, which are six rows of the image. It still ends below the band. So the theorem holds for it, and no training will help. What pools over the image, or along whole columns as coordinate attention does, sees the band. This says what *can* be learned, not that it will be.
#
# Deeper networks need no attention for it. The trunk of a BiSeNet, a ResNet-18, behind each of its four stages:

# %%
trunk = hand.ResNet18(8)
convs = [
    (name, (m.kernel_size[0], m.stride[0], m.padding[0]))
    for name, m in trunk.named_modules()
    if isinstance(m, hand.Conv2d) and "downsample" not in name
]
chain = [convs[0][1], (3, 2, 1)]  # the max pool has a window as well
for stage in ("layer1", "layer2", "layer3", "layer4"):
    chain += [layer for name, layer in convs if name.startswith(stage)]
    total = int(np.prod([stride for _, stride, _ in chain]))
    print(f"{stage}: a pixel stands for {total:2}, row 30 reads rows {window(FIRST_ROW, chain)}")

# %% [markdown]
# From stride 8 on the window takes in the whole scene. So the theorem is about `ToyNet`, which was made small enough for it. Such a trunk sees the band without attention. Whether attention still adds something is a question for measurement, and lesson 10 is about measuring.

# %% [markdown]
# ## 5 · What is counted
#
# All scores come from one table, the **confusion matrix**: `counts[i, j]` pixels of class $i$ were called $j$. Rows are the truth, columns the answer. From it, for each class, **intersection over union**:
#
# $$\mathrm{iou}_k = \frac{\mathrm{counts}_{kk}}{\mathrm{row}_k + \mathrm{column}_k - \mathrm{counts}_{kk}} \tag{1}$$
#
# The pixels that are $k$ *and* were called $k$, over those that are $k$ *or* were called $k$. The mean over the classes is mIoU, the number of the paper.
#
# **Predict.** A network calls everything background, and 96 of 100 pixels are. Its share of right pixels is 0.96. Its mIoU over background, A and B?
#
# ### Exercise 2 · `iou`
#
# ★☆☆ · 5 minutes
#
# From `counts`, $(K, K)$, to (1) for each class. Every class occurs.


# %% tags=["exercise"]
def iou(counts):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def iou(counts):
#     both = np.diagonal(counts)
#     return both / (counts.sum(axis=0) + counts.sum(axis=1) - both)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("iou", iou)

# %%
lazy = ConfusionMatrix(3)
lazy.add(np.repeat([0, 1, 2], [96, 2, 2]), np.zeros(100, int))
print(
    "calls all background: IoU",
    lazy.iou(),
    " mean",
    lazy.mean_iou(),
    " pixels",
    lazy.pixel_accuracy(),
)
source(ConfusionMatrix.iou, ConfusionMatrix.accuracy_among)

# %% [markdown]
# `accuracy_among` asks less and more. Of the pixels that *are* A or B and were *called* A or B, which share is right? Found or not does not count; told apart or not does. By the theorem it is exactly 1/2 without attention.
#
# The two trained networks on the 64 test scenes, each with both bands:

# %%
measured = {}
for name, net in (("none", none), ("arm", arm)):
    measured[name] = evaluate(HandLearner(net, Adam()), classes)
    m = measured[name]
    print(f"{name:5} mIoU {m.mean_iou():.3f}   A against B {m.accuracy_among((1, 2))!r}")
    print(m.counts)

# %%
for m in measured.values():
    from_file(plots.confusion, m.counts, classes.classes, width=430)

# %% [markdown]
# Above without attention, below with ARM. In the upper table A and B have the *same rows*: same pixels, same answers, two labels. That is the theorem as a table, and 0.5 came out without a rounding error. What this network has learned is to find a 7.
#
# What does a network answer that cannot know? Its probability for B, among A and B, at the pixels of the digits:

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained", sharey=True)
for ax, (name, net) in zip(axes, (("none", none), ("arm", arm)), strict=True):
    for band, colour in ((0, ORANGE), (1, BLUE)):
        images, labels = scenes.batch(range(16), band)
        a = net(images)[0]
        share = hand.sigmoid(a[:, 2] - a[:, 1])[0][labels > 0]
        ax.hist(share, np.linspace(0, 1, 41), color=colour, alpha=0.6, label=f"label {'AB'[band]}")
    ax.set(title=f"attention {name}", xlabel="probability of B, given A or B", xlim=(0, 1))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("pixels")
axes[0].legend()
plt.show()

# %% [markdown]
# Without attention both labels have the same histogram, bar for bar, around one half. That is what cross-entropy asks of someone who cannot know: to say so.

# %% [markdown]
# ## 6 · The optimiser
#
# A backward gives $g = \partial L/\partial w$. What is done with it? **SGD with momentum** keeps a velocity:
#
# $$v_t = \mu\, v_{t-1} + g_t \tag{2}$$
# $$w_t = w_{t-1} - \eta\, v_t \tag{3}$$
#
# Unrolled, $v_t = \sum_i \mu^i g_{t-i}$. A gradient that keeps its direction is followed up to $1/(1-\mu)$ times as far; one that alternates cancels. (The file's (1) is weight decay, which is off here.)
#
# **Adam** keeps two means that fade, of $g$ and of $g^2$:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \tag{2}$$
# $$s_t = \beta_2 s_{t-1} + (1 - \beta_2)\, g_t^2 \tag{3}$$
# $$w_t = w_{t-1} - \eta\, \frac{m_t / c_1}{\sqrt{s_t / c_2} + \varepsilon} \tag{4}$$
# $$c_1 = 1 - \beta_1^t, \qquad c_2 = 1 - \beta_2^t \tag{5}$$
#
# Where do $c_1$ and $c_2$ come from? Unroll (2) down to $m_0 = 0$:
#
# $$m_t = (1 - \beta_1) \sum_{i=0}^{t-1} \beta_1^i\, g_{t-i}$$
#
# It is a sum with weights. A mean has weights that add up to 1. These add up to a geometric sum,
#
# $$(1 - \beta_1) \sum_{i=0}^{t-1} \beta_1^i = (1 - \beta_1)\, \frac{1 - \beta_1^t}{1 - \beta_1} = 1 - \beta_1^t = c_1$$
#
# which is 0.1 in the first step and nears 1. The missing share went to $m_0 = 0$. Dividing by $c_1$ gives it back, and $m_t/c_1$ is a true mean of the gradients so far. The same for $s$, with $c_2$.
#
# Each line against PyTorch, with random gradients:

# %%
b1, b2, eps, rate = 0.9, 0.999, 1e-8, 0.01
w = rng.standard_normal(5)
w_torch = torch.tensor(w, requires_grad=True)
adam_torch = torch.optim.Adam([w_torch], lr=rate, betas=(b1, b2), eps=eps)
m, s, seen = np.zeros(5), np.zeros(5), []
for t in range(1, 8):
    g = rng.standard_normal(5)
    seen.append(g)
    w_torch.grad = torch.tensor(g)
    adam_torch.step()

    m = b1 * m + (1 - b1) * g  # (2)
    s = b2 * s + (1 - b2) * g**2  # (3)
    c1, c2 = 1 - b1**t, 1 - b2**t  # (5)
    w = w - rate * (m / c1) / (np.sqrt(s / c2) + eps)  # (4)

weights = (1 - b1) * b1 ** np.arange(7)  # of the last gradient, the one before, …
state = adam_torch.state[w_torch]
compare("m", m, state["exp_avg"])
compare("m unrolled", weights @ np.stack(seen[::-1]), m)
compare("c1", weights.sum(), c1)
compare("s", s, state["exp_avg_sq"])
compare("w", w, w_torch)

# %% [markdown]
# **Predict.** Without (5), are the first steps too short, as $m$ is too small, or too long, as $s$ is?
#
# Let the gradient be constant. Then a step should be as long as the learning rate, always.

# %%
t = np.arange(1, 4001)
c1, c2 = 1 - 0.9**t, 1 - 0.999**t
fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
axes[0].semilogx(t, c1, color="#CC79A7", label="c₁, of the mean of g")
axes[0].semilogx(t, c2, color="black", label="c₂, of the mean of g²")
axes[0].set(xlabel="step t", title="the sum of the weights so far", ylim=(0, 1.4))
axes[1].semilogx(t, c1 / np.sqrt(c2), color=RED, label="without (5)")
axes[1].semilogx(t, np.ones(len(t)), color=GREEN, label="with (5)")
axes[1].set(xlabel="step t", title="step / learning rate, for a constant g", ylim=(0, None))
axes[0].legend(loc="upper left")
axes[1].legend()
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
print(
    f"first step {c1[0] / c2[0] ** 0.5:.2f}, longest {max(c1 / c2**0.5):.2f} at t = {t[np.argmax(c1 / c2**0.5)]}"
)

# %% [markdown]
# Too long: the root of $s$ grows far more slowly than $m$ does. Uncorrected, Adam runs off at several times its learning rate for the first hundreds of steps.
#
# ### Exercise 3 · `adam_step`
#
# ★★☆ · 15 minutes
#
# One step. `t` is 1 in the first. Return the new `w`, `m` and `s`, and write to none of the arrays that you are given.


# %% tags=["exercise"]
def adam_step(w, g, m, s, t, rate, b1, b2, eps):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def adam_step(w, g, m, s, t, rate, b1, b2, eps):
#     m = b1 * m + (1 - b1) * g
#     s = b2 * s + (1 - b2) * g**2
#     step = (m / (1 - b1**t)) / (np.sqrt(s / (1 - b2**t)) + eps)
#     return w - rate * step, m, s
# ```
#
# </details>

# %% tags=["check"]
check.exercise("adam_step", adam_step)

# %% [markdown]
# The file. It writes into arrays of its own only, and its constants are Python numbers, so float32 stays float32.

# %%
source(Adam._step_along)

# %% [markdown]
# And both optimisers on a real module, a 1×1 convolution, against PyTorch's after five steps with random gradients:

# %%
for name, mine, theirs in (
    ("SGD", SGD(0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ("Adam", Adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
):
    conv = hand.Conv2d(4, 3, 1, rng=0, dtype="float64")
    twin = {key: torch.tensor(a, requires_grad=True) for key, a in conv.parameters().items()}
    optimiser = theirs(list(twin.values()))
    for _ in range(5):
        grads = {key: rng.standard_normal(a.shape) for key, a in conv.parameters().items()}
        for key, p in twin.items():
            p.grad = torch.tensor(grads[key])
        mine.step(conv, grads)
        optimiser.step()
    compare(f"{name} weight", conv.weight, twin["weight"])
    compare(f"{name} bias", conv.bias, twin["bias"])

# %% [markdown]
# ## 7 · The training
#
# A step is a forward, a loss, a backward and an optimiser. This is the one that runs on every array library, and the loop around it, which makes a batch that no step has seen before:

# %%
source(HandLearner.update, loop._step)

# %% [markdown]
# ### Exercise 4 · Find the bug
#
# ★☆☆ · 5 minutes
#
# Here the scenes never run out. With a folder of images there are epochs, and a last batch. A colleague counts the steps of an epoch, and a training with ARM stops after 40 minutes, in the last step of the first epoch:


# %%
def steps_as_typed(count, batch):
    return -(-count // batch)  # rounded up, so that no image is left out


count, batch = 41, 8
sizes = [min(batch, count - batch * i) for i in range(steps_as_typed(count, batch))]
print("batches of", sizes)
small = hand.ToyNet(3, "arm", channels=4, rng=0)
try:
    small(scenes.batch(range(sizes[-1]))[0])
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# In ARM a batch normalisation stands behind the pool, and one image gives it one value per channel. Users of many ARM implementations met this sentence in just this way. Leave the last batch out where it cannot be trained on, and keep it wherever it can. `batch` is at least 2.


# %% tags=["exercise"]
def steps_of_an_epoch(count, batch):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def steps_of_an_epoch(count, batch):
#     return count // batch + (count % batch > 1)
# ```
#
# A last batch of two does not raise. By lesson 4 it teaches the gate little; most programs leave out every incomplete batch.
#
# </details>

# %% tags=["check"]
check.exercise("steps_of_an_epoch", steps_of_an_epoch)

# %% [markdown]
# **Predict.** Two networks, narrower than the kept ones and on smaller scenes, are trained for 150 steps: the same seed, the same batches in the same order. What will A against B be for each of them, after the first 15 steps and after the last?
#
# The next cell takes a minute or two on a slow core. It trains in earnest: every gradient in it was derived by hand.

# %%
SETTINGS = {"steps": 150, "size": 48, "channels": 24, "seed": 0}
runs = {}
with TemporaryDirectory() as folder:
    for name in ("none", "arm"):
        config = training.Config(attention=name, **SETTINGS)
        runs[name] = training.train(config, f"{folder}/{name}")
        print(f"{name:5} step    loss    mIoU   A against B")
        for row in runs[name].history:
            told = "none found" if row["told_apart"] is None else f"{row['told_apart']:10.3f}"
            print(f"{row['step']:10} {row['loss']:7.3f} {row['miou']:7.3f}    {told}")

# %%
from_file(plots.curves, {name: run.history for name, run in runs.items()}, width=900)

# %% [markdown]
# The dotted line is guessing. Without attention the curve is not *near* it: it lies on it, at every epoch in which a 7 was found at all. No patience helps. With ARM it leaves the line in the first epochs.
#
# When was that? The gates of two test scenes, each with both bands, over the training:

# %%
run = runs["arm"]
shown, _ = run.dataset.shown()
steps = [row["step"] for row in run.history]
from_file(
    plots.gates,
    [run.dataset.picture(image) for image in shown],
    np.stack(run.gates),
    steps,
    width=820,
)

# %% [markdown]
# The first and third column have one band, the second and fourth the other. At first all gates are near one half. Then each channel takes a side, and the two columns of a scene part.
#
# Put as a number: how far are the gates of a scene apart between its two bands, and between two scenes with one band?

# %%
over_time = np.stack(run.gates)  # (epochs, 4, 24): scene 1 A, scene 1 B, scene 7 A, scene 7 B
by_band = np.abs(over_time[:, 0::2] - over_time[:, 1::2]).mean(axis=(1, 2))
by_scene = np.abs(over_time[:, :2] - over_time[:, 2:]).mean(axis=(1, 2))
fig, ax = plt.subplots(figsize=(5.6, 2.6), layout="constrained")
ax.plot(steps, by_band, "o-", color=GREEN, label="same scene, other band")
ax.plot(steps, by_scene, "o-", color="0.5", label="other scene, same band")
ax.set(xlabel="step", ylabel="mean |difference|", ylim=(0, None))
ax.legend()
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# The gates begin by answering to the photograph, since anything that moves a feature moves a mean. In the end the band moves them more than a whole other scene does. What the other scene still changes is no harm: the layers behind can tell which change is which.
#
# ### The kept networks
#
# 600 steps at full width on scenes of 64 by 64 (`armlab train`) gave the two networks of the sections above. They once more, as pictures:

# %%
look = {
    name: gallery(HandLearner(net, Adam()), classes) for name, net in (("none", none), ("arm", arm))
}
from_file(
    plots.attention,
    look["arm"].images,
    look["arm"].labels,
    {name: g.predictions for name, g in look.items()},
    look["arm"].gates,
    width=880,
    dataset=classes,
)
for name, m in measured.items():
    print(f"{name:5} mIoU {m.mean_iou():.3f}   A against B {m.accuracy_among((1, 2)):.3f}")

# %% [markdown]
# Rows one and two are one scene, rows three and four another. Without attention the prediction of a pair is the same picture twice. With ARM it follows the band.
#
# What this shows: ARM *can* carry global context, and here nothing else could. What it does not show: that a task on photographs of streets needs it, or how much it brings there. Lesson 10 asks that.

# %% [markdown]
# ## Five questions
#
# 1. The local network is trained ten times as long, with ten times the channels. What is its A against B?
#
# <details><summary>Answer</summary>
#
# Exactly 0.5. Channels and steps do not change the window.
#
# </details>
#
# 2. You add one more 3×3 convolution at half resolution. By how many rows does the window grow at its upper end, and does the theorem still hold?
#
# <details><summary>Answer</summary>
#
# By one position of the half-size map, which is two rows: from 20 to 18 for row 30. The band ends with row 7, so it holds.
#
# </details>
#
# 3. Why is A against B measured over both bands of every scene, and not over one drawn at random?
#
# <details><summary>Answer</summary>
#
# With both, each pixel that is called A or B is right exactly once, and the score of a network that cannot see is exactly 1/2. With one drawn at random it would be 1/2 on average and scatter around it.
#
# </details>
#
# 4. A network finds half of all 7s, and every pixel it finds it calls right. What is its A against B? Its IoU of A and B?
#
# <details><summary>Answer</summary>
#
# A against B is 1, as missing is not counted there. The IoU is 1/2: the intersection is the half that was found, the union is all of them.
#
# </details>
#
# 5. What does Adam's $c_1$ divide by, in words?
#
# <details><summary>Answer</summary>
#
# By the sum of the weights that the gradients so far have in $m$. It is less than 1 because $m$ started at 0.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | receptive field, window | 感受野 | the pixels that an output can depend on |
# | global context | 全局上下文 | what the rest of the image says of a pixel |
# | attention | 注意力 | here: gates computed from pooled features |
# | confusion matrix | 混淆矩阵 | counts of true class against predicted class |
# | intersection over union | 交并比 | (1) of section 5 |
# | mean IoU | 平均交并比 | its mean over the classes |
# | momentum | 动量 | a velocity that fades |
# | bias correction | 偏差修正 | Adam's (5) |
# | learning rate | 学习率 | $\eta$, how far a step goes |
# | ablation | 消融实验 | the same training without one part |
#
# ## What comes next
#
# [Lesson 10: the claims of the article, measured](10_claims.ipynb). One seed is one draw; there you repeat the training, put intervals around what it gives, and hold the article's numbers to them.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

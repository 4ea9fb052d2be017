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
# # 9a · A task that provably needs context
#
# **Goal.** Prove that a network without attention cannot solve a task, whatever its weights, and see how one with attention does.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb): ARM and its two ways to $x$ · [lesson 3a](03a_average_pooling.ipynb) on the global mean helps |
# | Afterwards you can | compute the window of a network from its layers · say what no training can teach it · check a claim about every bit of a network · read the gates of a trained ARM |
# | Runs on | CPU; no GPU needed |
# | Explains | [data/scenes.py](../armlab/data/scenes.py) · [data/scenes_hard.py](../armlab/data/scenes_hard.py) · [data/digits.py](../armlab/data/digits.py) · [hand/toy_net.py](../armlab/hand/toy_net.py) |
#
# Chapter 9 is about one task. Here it is proved what it asks for, in [lesson 9b](09b_training.ipynb) two networks are trained on it.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from armlab import check, hand
from armlab.data import DigitScenes, Generated, HardScenes, Scenes
from armlab.data.digits_and_photographs import MEAN, STD
from armlab.data.scenes import BAND_COLOURS, BAND_ROWS, FIRST_ROW
from armlab.hand import kernels
from tools import feature_map, gradient_map, scene, source, trained

rng = np.random.default_rng(0)
RED, ORANGE, BLUE = "#D55E00", "#E69F00", "#0072B2"
BANDS = ("orange", "blue")

# %% [markdown]
# ## 1 · The scenes
#
# Handwritten digits stand on a photograph. A 7 belongs to class A or to class B; every other digit is background. Which of the two it is, only the colour of a band along the top edge says: orange for A, blue for B.
#
# Everything in the picture is real but the band: the digits are scikit-learn's, the photographs as well. Training and test use other digits and other halves of the photographs.
#
# **Predict.** Cover the band with your hand. In how many of the pictures can you tell A from B?
#
# <details><summary>Answer</summary>
#
# In none. Each scene stands there twice, with the band in either state and all else equal, and the labels differ. Whoever does not see the band can only guess.
#
# </details>

# %%
scenes = Scenes("test")
classes = Generated(Scenes, seed=0, size=(64, 64))  # the same scenes, with names and colours

fig, axes = plt.subplots(3, 4, figsize=(8.2, 6.6), layout="constrained")
for row, index in enumerate((1, 7, 3)):
    for band in (0, 1):
        image, label = scenes.scene(index, band)
        scene(axes[row, 2 * band], image, f"scene {index}, {BANDS[band]} band")
        axes[row, 2 * band + 1].imshow(classes.colours[label])
        axes[row, 2 * band + 1].set_title(f"its label: {'AB'[band]}", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# This is the file. The state of the band is drawn first, and nothing that follows looks at it but the label and the paint.

# %%
source(Scenes.scene)

# %% [markdown]
# Two more sets are made in the same way. `HardScenes` has a lamp of 8 by 8 pixels in the place of the band, and two digits that need it. `DigitScenes` has no band at all: each digit is its own class, and a window as large as a digit holds all there is to know. It is the other half of the experiment, in [lesson 10b](10b_measured_claims.ipynb).

# %%
fig, axes = plt.subplots(1, 4, figsize=(8.2, 2.4), layout="constrained")
for column, other in enumerate((HardScenes("test"), DigitScenes("test"))):
    image, label = other.scene(2)
    scene(axes[2 * column], image, type(other).__name__)
    axes[2 * column + 1].imshow(Generated(type(other), 0, (64, 64)).colours[label])
    found = ", ".join(other.classes[k] for k in np.unique(label) if k)
    axes[2 * column + 1].set_title(f"classes {found}", fontsize=9)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 2 · The window
#
# The network is `ToyNet`: five 3×3 convolutions, the second with **stride** 2, so that it keeps every second row and column, then two 1×1, then a bilinear resize (straight lines between pixels, [lesson 8a](08a_resizing_and_fusion.ipynb)) to the size of the image. With attention `"none"` that is all. With `"arm"` the fifth is the article's ARM: the same 3×3, and the attention branch behind it.

# %%
source(hand.ToyNet.forward)
none, arm = trained("none"), trained("arm")  # both after 600 steps, in evaluation mode
for name, net in (("none", none), ("arm", arm)):
    print(f"{name:5}", sum(w.size for w in net.parameters().values()), "parameters")

# %% [markdown]
# A **logit** is the network's number for one class at one pixel. Which rows of the image can one depend on? They are its **window**. Go backwards. Row $i$ of what a convolution returns reads $R$ rows of what it was given. With stride $t$ and padding $p$ they are
#
# $$t\,i - p \;\dots\; t\,i - p + R - 1 \tag{9.1}$$
#
# and so the rows $i_1 \dots i_2$ together read
#
# $$t\,i_1 - p \;\dots\; t\,i_2 - p + R - 1 \tag{9.2}$$
#
# Batch normalisation in **evaluation mode** scales by fixed numbers from the training. It reads its own place only, and so does the activation. The resize comes first on this way back. From $H/2$ rows to $H$, row $i$ lies at $q = (i + \tfrac12)/2 - \tfrac12$ and mixes the rows below and above:
#
# $$\lfloor q \rfloor \;\dots\; \lceil q \rceil \tag{9.3}$$
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
# **Predict.** A pixel of the logits in row 30: what is the first row of the image on which it can depend?
#
# <details><summary>Answer</summary>
#
# Row 20. The resize reads rows 14 and 15 of 32, the two 1×1 their own rows, three 3×3 one row more each, down to 11 at the upper end. By (9.2) with stride 2 that is row $2 \cdot 11 - 1 = 21$, and one more 3×3 makes it 20.
#
# </details>
#
# Line by line for the network itself. The gradient is a second witness: send a random $dy$ from row 30 back through the layers by hand, and see at each of them in which rows anything arrives. That has to be the window, no row more and no row less.
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
first, last = int(np.floor(q)), int(np.ceil(q))  # (9.3)
d = resize_back(dy)
print(
    f"{'resize':9} reads rows {first} to {last}   gradient in {reached(d)}  {reached(d) == (first, last)}"
)
for (name, back), (kernel, stride, padding) in zip(
    reversed(backs.items()), reversed(layers_of(none)), strict=True
):
    first, last = stride * first - padding, stride * last - padding + kernel - 1  # (9.2)
    d, _ = back(d)
    equal = reached(d) == (first, last)
    print(f"{name:9} reads rows {first} to {last}   gradient in {reached(d)}  {equal}")
assert (first, last) == reached(d) == (20, 38)

# %% [markdown]
# The band ends with row 7, so twelve rows lie between it and the window of row 30. No digit begins above row 30, so no pixel of a digit comes closer.
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
# The same as a picture. One pixel of a 7 asks, with a random $dy$, and the gradient shows whom it heard.
#
# **Predict.** Where will $dx$ be 0, without attention and with ARM?
#
# <details><summary>Answer</summary>
#
# Without attention it is exactly 0 outside of the frame, which is the window by (9.2), for rows and for columns. With ARM it is 0 nowhere: through the pool every pixel of the image has a say. It is a faint one, as [lesson 4b](04b_arm.ipynb) showed, and outside of the frame it is strongest in the rows of the band.
#
# </details>
#
# Each network twice, on one scale and on another a hundred times as fine.

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
scene(axes[0], image, f"scene {index}, pixel ({ROW}, {COLUMN})")
for column, (name, net) in enumerate((("without attention", none), ("with ARM", arm)), start=1):
    with kernels.specification():
        dx, _ = net(image[np.newaxis])[1](dy)
    shown, limit = dx[0].sum(axis=0), 0.05
    gradient_map(axes[column], shown, f"dx {name}", limit=limit)
    gradient_map(axes[column + 2], shown, f"{name},\n100 times as bright", limit=limit / 100)
    print(f"{name:18} dx is not 0 at {np.mean(dx != 0):.1%} of the image")
assert np.abs(dx[0, :, :top]).sum(axis=(0, 2)).argmax() < BAND_ROWS
assert np.all(dx)
for ax in axes:
    size = right - left + 1, bottom - top + 1
    ax.add_patch(Rectangle((left - 0.5, top - 0.5), *size, fill=False, edgecolor="black"))
plt.show()

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
# <details><summary>Answer</summary>
#
# Without attention not at all, not in the last bit: the change ends with row 16, far above the digits. With ARM every logit of the image changes, and those at the sevens most.
#
# </details>
#
# The claim is about every bit, so once more the specification computes.

# %%
both = [scenes.batch(range(8), band)[0] for band in (0, 1)]
labels = scenes.batch(range(8), 0)[1]
print("the images differ in rows", np.unique(np.nonzero(both[0] != both[1])[2]))


def change(net, images=both):
    """How far the logits move with the band, (N, 3, H, W)."""
    with kernels.specification():
        a, b = (net(x)[0] for x in images)
    return a - b


moved = {}
for name, net in (("none", none), ("arm", arm)):
    moved[name] = np.abs(change(net)).max(axis=1)  # (N, H, W)
    at_digits = moved[name][:, FIRST_ROW:].max()
    print(f"{name:5} rows 30 … 63 bit-equal: {at_digits == 0!s:5}   largest change {at_digits:.3g}")
assert np.nonzero(moved["none"])[1].max() == 16
assert moved["arm"].min() > 0
assert moved["arm"][labels > 0].mean() > 3 * moved["arm"][labels == 0].mean()

# %%
fig, axes = plt.subplots(2, 4, figsize=(9.4, 4.6), layout="constrained")
for row, n in enumerate((1, 7)):
    for band in (0, 1):
        scene(axes[row, band], both[band][n], f"scene {n}, {BANDS[band]} band")
    for column, name in enumerate(("none", "arm"), start=2):
        shown = np.where(moved[name][n] > 0, moved[name][n], np.nan)
        axes[row, column].imshow(shown, cmap="viridis", vmin=0, vmax=8)
        axes[row, column].set_facecolor("0.85")
        axes[row, column].axhline(FIRST_ROW - 0.5, color=RED, lw=1)
        axes[row, column].set(xticks=[], yticks=[])
        axes[row, column].set_title(f"change of the logits, {name}", fontsize=10)
fig.colorbar(axes[0, 3].images[0], ax=axes[:, 3], label="largest |change|")
plt.show()

# %% [markdown]
# Grey is exactly 0, and digits begin at the red line.
#
# *Whatever its weights* can be tried: twenty networks, each with other weights and other running statistics.

# %%
pair = [x[:1] for x in both]
moves = []
for seed in range(20):
    draw = np.random.default_rng(seed)
    net = hand.ToyNet(3, "none", channels=8, rng=draw).eval()
    state = {
        key: draw.uniform(0.5, 2.0, a.shape) if key.endswith("running_var") else a
        for key, a in net.state_dict().items()
    }
    moves.append(np.abs(change(net.load_state_dict(state), pair)[:, :, FIRST_ROW:]).max())
print("largest change at the digits, over 20 networks:", max(moves))
assert max(moves) == 0

# %% [markdown]
# ### Find the bug: a measurement that refutes the theorem
#
# A colleague reports that the network without attention *does* see the band. The weights are the same.
#
# **Predict.** What did the colleague forget?
#
# <details><summary>Answer</summary>
#
# `eval()`. In training mode batch normalisation takes mean and variance over all positions of all images, the band's among them. So every pixel hears of the band after all, through the statistics of the batch.
#
# </details>

# %%
net = none.copy().train()
print("largest change at the digits:", np.abs(change(net)[:, :, FIRST_ROW:]).max())

# %% [markdown]
# It is a blurred message, mixed from the whole batch. But an evaluation in this mode measures something else than the network that is used later. `evaluate` of lesson 9b looks at a copy in evaluation mode, so that looking changes nothing either.
#
# ### The band under your hand
#
# **Predict.** Let the band move down. The uppermost row of a 7 in scene 1 is row 41, which reads rows 32 to 50. From which place of the band on do pixels of a 7 hear of it?
#
# <details><summary>Answer</summary>
#
# As soon as its last row is row 32: its first is row 25 then. With its first in row 24 no pixel hears of it.
#
# </details>


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


def heard(top):
    """Where the logits without attention change with the colour of such a band."""
    return np.abs(change(none, [with_band(top, state) for state in (0, 1)])[0]).max(axis=0) > 0


def show_band(tops):
    _, axes = plt.subplots(
        2, len(tops), figsize=(1.9 * len(tops) + 0.4, 4.3), layout="constrained", squeeze=False
    )
    top_of_digit = int(np.nonzero(digits)[0].min())
    for column, top in enumerate(tops):
        scene(axes[0, column], with_band(top, 0)[0], f"band in rows {top} … {top + 7}")
        reads = windows[top_of_digit][0] - 0.5, windows[top_of_digit][1] + 0.5
        axes[0, column].axhspan(*reads, fill=False, edgecolor=RED)
        hear = heard(top)
        axes[1, column].imshow(hear, cmap="gray", vmin=0, vmax=1)
        axes[1, column].contour(digits, levels=[0.5], colors=[RED], linewidths=1)
        count = f"{np.sum(digits & hear)} of {digits.sum()}"
        axes[1, column].set_title(f"digit pixels that hear it:\n{count}", fontsize=9)
        axes[1, column].set(xticks=[], yticks=[])
    plt.show()


show_band([0, 12, 24, 28, 36])
assert not np.any(digits & heard(24))
assert np.any(digits & heard(25))

# %% [markdown]
# White is where the logits of the network without attention change with the colour. The red lines above enclose what the uppermost row of a 7 reads. In a running notebook, move the band.

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
# <details><summary>Answer</summary>
#
# Not surely. With the band it moves by 0.49, and from scene to scene it scatters by 0.41, so the heaps overlap. The five convolutions before the pool make the difference: a feature that fires on the band and hardly on a photograph has a mean that leaves no doubt.
#
# </details>
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
    (axes[1], [z[:, best] for z in pooled], f"mean of channel {best + 1}, which ARM pools"),
):
    bins = np.linspace(min(map(np.min, values)), max(map(np.max, values)), 30)
    for value, colour, name in zip(values, (ORANGE, BLUE), BANDS, strict=True):
        ax.hist(value, bins, color=colour, alpha=0.75, label=f"{name} band")
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("scenes of 64")
axes[1].legend()
plt.show()
assert f"{raw[1].mean() - raw[0].mean():.2f} {raw[0].std():.2f}" == "0.49 0.41"
assert pooled[1][:, best].max() < 0.1 < 0.4 < pooled[0][:, best].min()

# %% [markdown]
# Pooling carries; the convolutions decide what is worth carrying.
#
# And this is what ARM makes of it: one gate per channel, from all pooled means. Scene 1 with either band:

# %%
gates = [arm.gate(x[1:2])[0, :, 0, 0] for x in both]
order = np.argsort(gates[0] - gates[1])
fig, axes = plt.subplots(2, 1, figsize=(9, 3.2), layout="constrained", sharex=True)
for ax, gate, name in zip(axes, gates, BANDS, strict=True):
    ax.bar(
        range(32), gate[order], color=plt.colormaps["magma"](gate[order]), edgecolor="0.4", lw=0.5
    )
    ax.set(ylim=(0, 1), yticks=[0, 0.5, 1], ylabel=f"gate, {name}", xlim=(-0.7, 31.7))
    ax.spines[["top", "right"]].set_visible(False)
axes[1].set(xticks=range(32), xlabel="channel, in the order of the difference")
axes[1].set_xticklabels(order + 1, fontsize=7)
plt.show()

# %% [markdown]
# The bars on the right are channels that an orange band lets through and a blue one holds back; those on the left, the other way round. What is in them? The four that change most, before the gate and behind it:

# %%
f = [before_the_gate(arm, x[1:2])[0] for x in both]
fig, axes = plt.subplots(3, 5, figsize=(9.6, 5.8), layout="constrained")
for band in (0, 1):
    scene(axes[1 + band, 0], both[band][1], f"{BANDS[band]} band")
axes[0, 0].axis("off")
for column, channel in enumerate([*order[:2], *order[-2:]], start=1):
    white = np.percentile(np.abs(f[0][channel]), 99.5)
    feature_map(axes[0, column], f[0][channel], f"f, channel {channel + 1}")
    for band in (0, 1):
        gate = gates[band][channel]
        feature_map(axes[1 + band, column], f[band][channel] * gate, f"f s, s = {gate:.2f}")
    for ax in axes[:, column]:
        ax.images[0].set_clim(0, white)
plt.show()
sevens = plain_label[::2, ::2] > 0
assert all(f[0][c][sevens].mean() > 3 * f[0][c][~sevens].mean() for c in [*order[:2], *order[-2:]])

# %% [markdown]
# Within a column all maps have one scale, black is 0 and below. All four fire on the sevens far more than elsewhere. The gate dims two of them under an orange band, and the other two under a blue one. After that the 1×1 layers need no context: which of them is bright says A or B, at every pixel.
#
# ### Who else sees the band
#
# **Predict.** A gate per position that looks at 7×7 positions, as CBAM's spatial half: is it enough? Count: 7×7 on a map of half the size.
#
# <details><summary>Answer</summary>
#
# No. It widens the window by three positions on either side, which are six rows of the image: from row 30 it sees rows 14 to 44, and the band ends with row 7. So the theorem holds for it, and no training will help. What pools over the image, or along whole columns as coordinate attention does, sees the band.
#
# </details>
#
# Nine of the attentions that `ToyNet` knows by name, each in a fresh network in evaluation mode. Does the band reach the digits?

# %%
print(f"{'attention':24} rows seen from row 30    the band moves the digits' logits")
looking = ("none", "sar", "cbam-spatial", "attentionout")
for name in (*looking, "arm", "se", "eca", "simam", "coordinate"):
    net = hand.ToyNet(3, name, rng=0).eval()
    reaches = np.any(change(net, pair)[:, :, FIRST_ROW:] != 0)
    local = name in looking
    seen = "{} … {}".format(*window(FIRST_ROW, layers_of(net))) if local else "all, by a mean"
    print(f"{name:24} {seen:23}  {reaches}")
    assert local != reaches

# %% [markdown]
# This says what *can* be learned, not that it will be.
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
# From stride 8 on the window takes in the whole scene. So the theorem is about `ToyNet`, which was made small enough for it. Such a trunk sees the band without attention. Whether attention still adds something is a question for measurement, and [lesson 10b](10b_measured_claims.ipynb) is about measuring.
#
# ## Four questions
#
# 1. The local network is trained ten times as long, with ten times the channels. In which share of the digit pixels that it calls A or B is it right?
#
# <details><summary>Answer</summary>
#
# In exactly one half. Channels and steps do not change the window.
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
# 3. Why is it counted over both bands of every scene, and not over one drawn at random?
#
# <details><summary>Answer</summary>
#
# With both, each pixel that is called A or B is right exactly once, and the score of a network that cannot see is exactly 1/2. With one drawn at random it would be 1/2 on average and scatter around it.
#
# </details>
#
# 4. Why does the proof ask for evaluation mode?
#
# <details><summary>Answer</summary>
#
# In training mode the statistics of batch normalisation are made of the whole batch, band included, so the window is the whole image.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | receptive field, window | 感受野 | the pixels that an output can depend on, (9.1) to (9.3) |
# | global context | 全局上下文 | what the rest of the image says of a pixel |
# | attention | 注意力 | here: gates computed from pooled features |
# | stride | 步幅 | of 2: every second pixel |
# | evaluation mode | 推理模式 | batch normalisation with the fixed numbers of the training |
#
# ## What comes next
#
# [Lesson 9b](09b_training.ipynb) trains both networks, and counts. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

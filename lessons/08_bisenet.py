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
# # 8 · ARM32, 16 and 8 in a network
#
# **Goal.** Follow an image through BiSeNet and its gradient back, and know at each fork which gradients add up.
#
# | | |
# |---|---|
# | Time | 100 minutes |
# | You need first | [Lesson 4](04_sigmoid_gate.ipynb): the gate, ARM, and batch normalisation's backward (BN 5) · [Lesson 3](03_pooling.ipynb) on averages helps |
# | Afterwards you can | say the size of every map in the network, for any image · resize without a scale factor · derive the backward of nearest and bilinear resizing · derive feature fusion's backward line by line · find the plus signs of a network's backward · tell the paper's network from the article's, and say what an ARM costs in it |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/resnet18.py](../armlab/hand/resnet18.py) · [hand/resize.py](../armlab/hand/resize.py) · [hand/concat_channels.py](../armlab/hand/concat_channels.py) · [hand/spatial_path.py](../armlab/hand/spatial_path.py) · [hand/context_path.py](../armlab/hand/context_path.py) · [hand/feature_fusion.py](../armlab/hand/feature_fusion.py) · [hand/bisenet_output.py](../armlab/hand/bisenet_output.py) · [hand/bisenet.py](../armlab/hand/bisenet.py) · [hand/three_scale_context_path.py](../armlab/hand/three_scale_context_path.py) · [hand/three_scale_bisenet.py](../armlab/hand/three_scale_bisenet.py) |
#
# Each file numbers its own equations. Here they carry the initial of the file: R for the trunk (ResNet), Z for resizing (and N for its nearest kind, which has no number there), F for fusion, C for the context path. A gradient has the number of its equation behind a d.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

import armlab.torch as twins
from armlab import check, cost, hand, weights
from armlab.arrays import unbroadcast
from armlab.cost.cost_table import percent
from armlab.data import CLASSES, Scenes, to_rgb
from armlab.hand.backward import fill_unused
from armlab.hand.bisenet_output import run_heads
from armlab.training.metrics import ConfusionMatrix
from armlab.training.optimisers import Adam
from armlab.training.schedules import one_cycle
from tools import compare, source
from tools import feature_map, gradient_map, graph, numbers, picture

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Five halvings
#
# ARM needs features that mean something, and a network makes them by looking at ever larger parts of the image. Its **trunk**, a ResNet-18, halves the image five times. Three of the sizes are handed on:
#
# $$h = \mathrm{maxpool}(\mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}_{7\times7}(x)))) \qquad f_8 = \mathrm{layer}_2(\mathrm{layer}_1(h)), \quad f_{16} = \mathrm{layer}_3(f_8), \quad f_{32} = \mathrm{layer}_4(f_{16}) \tag{R1, R2}$$
#
# Every step of stride 2 keeps the pixels 0, 2, 4, …: of $H$ rows it leaves $\lceil H/2 \rceil$. A half is **rounded up**.
#
# **Predict.** Which sizes have $f_8$, $f_{16}$ and $f_{32}$ for an image of 64 × 64? And for 360 × 480, the frames of CamVid?

# %%
trunk = hand.ResNet18(8, rng=0)  # an eighth of the usual width
for size in [(64, 64), (360, 480)]:
    maps, _ = trunk(np.zeros((1, 3, *size), "float32"))
    print(
        size, "->", ", ".join(f"{f.shape[1]} channels of {f.shape[2]} × {f.shape[3]}" for f in maps)
    )

# %% [markdown]
# 23 rows at 1/16, and 12 at 1/32: twice 12 is not 23. Section 3 is about that row.
#
# The trunk is made of blocks that go around themselves. Two 3×3 convolutions compute a change $r$, and the block returns $\mathrm{ReLU}(r + x)$. Where the shapes differ, the way around has a 1×1 convolution of its own. In the backward, $x$ was used twice.

# %%
source(hand.BasicBlock.forward)

# %% [markdown]
# ### The network as a graph
#
# BiSeNet has two paths. The **spatial path** keeps places: three convolutions of stride 2, and no more. The **context path** knows what the image is about: the trunk, an ARM at 1/32 and one at 1/16, and the mean of the whole image. A **feature fusion module** (FFM) joins them, and a head turns features into one logit per class.
#
# **Predict.** Two maps can be added or stacked only if their sizes agree. At how many places of such a network do two maps meet?


# %%
def through(net, x):
    """Every map of the graph below, by its name. A network in evaluation mode stays as it is."""
    cp, m = net.cp, {"x": x}
    (m["f8"], m["f16"], m["f32"]), _ = cp.resnet(x)
    m["g"], _ = cp.conv_avg(hand.global_avg_pool(m["f32"])[0])
    m["ARM32"], _ = cp.arm32(m["f32"])
    m["ARM16"], _ = cp.arm16(m["f16"])
    m["spatial path"], _ = net.sp(x)
    return m | joined(net, m)


def joined(net, m):
    """The maps in which the others meet. An FFM that is given stays."""
    up, _ = hand.resize_nearest(m["ARM32"] + m["g"], size=m["f16"].shape[2:])
    y16, _ = net.cp.conv_head32(up)
    up, _ = hand.resize_nearest(m["ARM16"] + y16, size=m["f8"].shape[2:])
    y8, _ = net.cp.conv_head16(up)
    f = m["FFM"] if "FFM" in m else net.ffm(m["spatial path"], y8)[0]
    logits, _ = net.conv_out(f)
    y, _ = hand.resize_bilinear(logits, size=m["x"].shape[2:])
    return {"y16": y16, "y8": y8, "FFM": f, "head": logits, "y": y}


net = hand.ToyBiSeNet(rng=0)  # BiSeNet with an eighth of its channels
scenes, test_scenes = Scenes("train"), Scenes("test")
images, labels = test_scenes.batch(range(8))
m = through(net.copy().eval(), images)
compare("y", m["y"], net.copy().eval()(images)[0])

# %%
PLACES = {
    "x": (0, 2, ""),
    "f8": (1.4, 2, ""),
    "f16": (1.4, 1, ""),
    "f32": (1.4, 0, ""),
    "ARM32": (2.8, 0, "gate, "),
    "ARM16": (2.8, 1, "gate, "),
    "g": (2.8, -1.1, "mean, conv1×1\n"),
    "+ 32": (3.9, 0, ""),
    "y16": (5.0, 0, "↑, conv3×3\n"),
    "+ 16": (5.0, 1, ""),
    "y8": (6.3, 1, "↑, conv3×3\n"),
    "spatial path": (3.9, 3.0, ""),
    "FFM": (6.3, 2.3, "gate, "),
    "head": (7.7, 2.3, ""),
    "y": (8.9, 2.3, "↑\n"),
}
WAYS = """x > f8, f8 > f16, f16 > f32, f32 > ARM32, f32 > g, ARM32 > + 32, g > + 32, + 32 > y16,
y16 > + 16, f16 > ARM16, ARM16 > + 16, + 16 > y8, x > spatial path, spatial path > FFM, y8 > FFM,
FFM > head, head > y"""


def with_sizes(places, m):
    """The boxes of a graph, each with the shape of its map."""
    size = {name: " × ".join(map(str, a.shape[1:])) for name, a in m.items()}
    return {name: (x, y, text + size.get(name, "")) for name, (x, y, text) in places.items()}


def ways(text):
    """ "a > b, b > c" as pairs of names."""
    return [tuple(way.strip().split(" > ")) for way in text.split(",")]


fig, ax = plt.subplots(figsize=(11, 4.8), layout="constrained")
graph(ax, with_sizes(PLACES, m), ways(WAYS))
plt.show()

# %% [markdown]
# Each box has its name and the shape of its map, channels first. Purple boxes contain a gate. Three times two maps meet: at the two pluses, where they are added, and in the FFM, where they are stacked. And maps are used twice: $x$, $f_{16}$ and $f_{32}$ have two arrows that leave them, and in training $y_{16}$ and $y_8$ have one more each, to a head of their own. Each of these forks is a plus sign in the backward.
#
# The function `through` above follows the graph with the project's modules, one line for each box, and ends at the network's own output.

# %% [markdown]
# ## 2 · A network to look into
#
# A network that has learned nothing has nothing to show. So it is trained for a moment, 240 steps. The task is that of `armlab train`: handwritten digits on photographs. The digit 7 is class A if the band along the top edge is orange, and class B if it is blue. All else is background.
#
# In training mode the network has three outputs: that of the head, and those of two **auxiliary heads**, which classify from $y_8$ and from $y_{16}$. The paper trains them with weight 1: the three losses are added. So each output gets the gradient of its own loss.


# %%
def train(net, steps, batch=8, peak=6e-3):
    optimiser, history = Adam(), []
    for step in range(steps):
        images, labels = scenes.batch(range(step * batch, (step + 1) * batch))
        outputs, backward = net(images)
        losses = [hand.cross_entropy(y, labels) for y in outputs]
        _, grads = backward(tuple(loss_back(1.0) for _, loss_back in losses), input_grad=False)
        optimiser.step(net, grads, one_cycle(step, steps, peak))
        history.append([float(loss) for loss, _ in losses])
    return np.asarray(history)


history = train(net, steps=240)
net.eval()

pairs = [[test_scenes.scene(i, band) for i in range(64)] for band in (0, 1)]
by_band = [tuple(np.stack(part) for part in zip(*pair, strict=True)) for pair in pairs]
counts = ConfusionMatrix(len(CLASSES))
for images, labels in by_band:
    counts.add(labels, net(images)[0].argmax(axis=1))
print("IoU:", dict(zip(CLASSES, counts.iou().round(2).tolist(), strict=True)))
print(f"of the digit pixels found, told apart: {counts.accuracy_among([1, 2]):.3f}")

# %%
fig, axes = plt.subplots(
    2, 5, figsize=(11, 4.2), layout="constrained", width_ratios=[1.5, 1, 1, 1, 1]
)
for ax in axes[:, 0]:
    ax.remove()
curve = fig.add_subplot(axes[0, 0].get_gridspec()[:, 0])
for column, name in enumerate(("head", "auxiliary, of y8", "auxiliary, of y16")):
    curve.semilogy(history[:, column], label=name, color=("#000000", "#E69F00", "#56B4E9")[column])
curve.set(xlabel="step", title="the three losses")
curve.legend(fontsize=8)
tint = np.asarray([[0.15, 0.15, 0.15], [0.90, 0.62, 0.00], [0.34, 0.71, 0.91]])
for row, (images, _) in enumerate(by_band):
    for column, n in enumerate((0, 2)):
        picture(axes[row, 1 + 2 * column], to_rgb(images[n]).transpose(2, 0, 1), "a test scene")
        answer = net(images[n : n + 1])[0].argmax(axis=1)[0]
        picture(axes[row, 2 + 2 * column], tint[answer].transpose(2, 0, 1), "its classes")
plt.show()

# %% [markdown]
# The scenes above and below differ in their band alone. Where the network finds a 7 it knows which of the two classes it is. The outlines are coarse: features at an eighth of the image know a digit of 16 pixels as 2 by 2 numbers.
#
# One thing this does *not* show is that attention is needed. A trunk with so many strides sees the band from far away, with or without an ARM. For that question there is a network with a small window, and a lesson of its own (9, planned). Here we only want to see what goes on inside.

# %% [markdown]
# ## 3 · The size of the other map
#
# ### Exercise 1 · Find the bug
#
# ★☆☆ · 10 minutes
#
# Users of a public BiSeNet report that images of some sizes fail (CoinCheung/BiSeNet, issues 217 and 222). Its context path made maps larger with lines like this one:
#
# ```python
# up32 = nn.functional.interpolate(sum32, scale_factor=2)
# ```
#
# **Predict.** Which of the heights 352, 360, 376 and 384 fail? At which step?


# %%
def by_factor(height):
    """Follow one column of pixels down, and up again with factors 2, 2 and 8."""
    _, _, h8, h16, h32 = [height := -(-height // 2) for _ in range(5)]
    return (2 * h32, h16), (2 * h16, h8)


for height in (352, 360, 376, 384):
    maps, _ = trunk(np.zeros((1, 3, height, 64), "float32"))
    f8, f16, f32 = (torch.tensor(f[:, :16]) for f in maps)
    try:
        y16 = f16 + torch.nn.functional.interpolate(f32, scale_factor=2)
        y8 = f8 + torch.nn.functional.interpolate(y16, scale_factor=2)
        print(height, "fits")
    except RuntimeError as error:
        print(height, "fails:", str(error).splitlines()[0])

# %% [markdown]
# Halving rounds up, doubling does not round back. The picture follows every height from 1 to 160. A square is dark where a doubled map misses the one that it meets, or where the logits, eight times as large, miss the image.

# %%
heights = np.arange(1, 161)
misses = np.asarray([[a != b for a, b in by_factor(h)] + [8 * -(-h // 8) != h] for h in heights]).T
fig, ax = plt.subplots(figsize=(11, 1.8), layout="constrained")
ax.pcolormesh(np.arange(0.5, 161), np.arange(4), misses, cmap="Greys", vmin=0, vmax=1.4)
ax.set(yticks=[0.5, 1.5, 2.5], yticklabels=["1/32 → 1/16", "1/16 → 1/8", "1/8 → image"])
ax.set(xticks=range(32, 161, 32), xlabel="height of the image")
ax.invert_yaxis()
for edge in (1, 2):
    ax.axhline(edge, color="white", linewidth=2)
plt.show()
fits = heights[~misses.any(axis=0)]
print("all three fit at", fits)

# %% [markdown]
# Only multiples of 32 pass all three. Each step alone forgives more: 360 fails at the first, 376 passes it and fails at the second.
#
# The repair asks nobody for a divisor. The map takes **the size of the one that it meets**, whatever that is.
#
# Write it, for the rule that repeats pixels (**nearest**). Row $i$ of $y$, which has $OH$ rows, is row $\lfloor iH / OH \rfloor$ of $x$, and columns likewise. `like` is the map to be met; only its size matters.


# %% tags=["exercise"]
def upsample_to(x, like):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def upsample_to(x, like):
#     h, w = x.shape[2:]
#     oh, ow = like.shape[2:]
#     rows = np.arange(oh) * h // oh
#     columns = np.arange(ow) * w // ow
#     return x[:, :, rows[:, np.newaxis], columns]
# ```
#
# For a single halving one could also double and cut off what is too much: it gives the same pixels. But that needs to know that it was one halving. Integers are divided, not floats: PyTorch's own `mode="nearest"` multiplies by a rounded scale, and from 2 to 82 pixels it is one pixel off.
#
# </details>

# %% tags=["check"]
check.exercise("upsample_to", upsample_to)

# %% [markdown]
# ### The sizes under your hand
#
# One height in detail. The bars on the way up are those of the factor; the line is the size that they have to meet.


# %%
def show_height(height):
    (up16, h16), (up8, h8) = by_factor(height)
    h32 = -(-height // 32)
    steps = [("image", height, None), ("1/8", h8, None), ("1/16", h16, None), ("1/32", h32, None)]
    steps += [("↑2", up16, h16), ("↑2", up8, h8), ("↑8", 8 * h8, height)]
    _, ax = plt.subplots(figsize=(8, 2.4), layout="constrained")
    for at, (_, size, wanted) in enumerate(steps):
        fits = wanted in (None, size)
        ax.bar(at, size, color="#56B4E9" if wanted is None else "#009E73" if fits else "#D55E00")
        ax.text(at, size, f"{size}" + ("" if fits else f" ≠ {wanted}"), ha="center", va="bottom")
        if wanted is not None:
            ax.plot([at - 0.45, at + 0.45], [wanted, wanted], color="black", linewidth=1.5)
    ax.set(xticks=range(7), xticklabels=[name for name, _, _ in steps], yscale="log")
    ax.set(ylim=(0.8, 900), title=f"height {height}")
    ax.yaxis.set_visible(False)
    ax.spines[["top", "left", "right"]].set_visible(False)
    plt.show()


show_height(360)

# %% [markdown]
# In a running notebook, move the slider. Find a height that passes the first two steps and not the last.

# %%
slider = ipywidgets.IntSlider(
    value=376, min=1, max=400, description="height", continuous_update=False
)
_ = ipywidgets.interact(show_height, height=slider)

# %% [markdown]
# ## 4 · Nearest, backward
#
# $$y_{ij} = x_{\lfloor iH/OH \rfloor,\, \lfloor jW/OW \rfloor} \tag{N}$$
#
# One pixel of $x$ is repeated several times. It feeds several outputs, so it collects the sum of their gradients:
#
# $$dx_{hw} = \sum_{i:\, \lfloor iH/OH \rfloor = h} \;\; \sum_{j:\, \lfloor jW/OW \rfloor = w} dy_{ij} \tag{dN}$$
#
# **Predict.** A digit of 8 × 8 is resized to 12 × 20. How often is a pixel repeated? Is it the same for all pixels?

# %%
x = load_digits().images[7][np.newaxis, np.newaxis] / 16  # a seven, 8 × 8
y, backward = hand.resize_nearest(x, size=(12, 20))
dy = rng.standard_normal(y.shape)

rows, columns = np.arange(12) * 8 // 12, np.arange(20) * 8 // 20
copies, dx = np.zeros((8, 8), int), np.zeros_like(x)
for i in range(12):
    for j in range(20):
        copies[rows[i], columns[j]] += 1
        dx[0, 0, rows[i], columns[j]] += dy[0, 0, i, j]  # (dN)

x_torch = torch.tensor(x, requires_grad=True)
y_torch = twins.resize_nearest(x_torch, size=(12, 20))
(dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy))
compare("y", y, y_torch)
compare("dx", dx, dx_torch)
compare("backward", backward(dy), dx_torch)

# %%
fig, axes = plt.subplots(
    1, 5, figsize=(12, 2.7), layout="constrained", width_ratios=[1, 1, 1.6, 1.6, 1]
)
feature_map(axes[0], x[0, 0], "x")
feature_map(axes[1], -copies, "copies of each pixel")
numbers(axes[1], copies)
feature_map(axes[2], y[0, 0], "y, nearest")
gradient_map(axes[3], dy[0, 0], "dy", limit=3)
gradient_map(axes[4], dx[0, 0], "dx", limit=5)
plt.show()

# %% [markdown]
# ### Exercise 2 · `resize_nearest_backward`
#
# ★★☆ · 15 minutes
#
# Given are `dy` and the `shape` of `x`. Sizes may be anything: larger, smaller, or one of each. Two loops are allowed. Without loops: which matrix of zeros and ones takes the rows of $x$ to those of $y$?


# %% tags=["exercise"]
def resize_nearest_backward(dy, shape):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def resize_nearest_backward(dy, shape):
#     (h, w), (oh, ow) = shape[2:], dy.shape[2:]
#     a = np.eye(h)[np.arange(oh) * h // oh]  # (OH, H): row i has its 1 where y's row came from
#     b = np.eye(w)[np.arange(ow) * w // ow]
#     return a.T @ dy @ b
# ```
#
# </details>

# %% tags=["check"]
check.exercise("resize_nearest_backward", resize_nearest_backward)

# %% [markdown]
# ## 5 · Bilinear: two matrices of tents
#
# The heads end with a larger step: from an eighth of the image to the image. Repeated pixels would make stairs. **Bilinear** resizing puts straight lines between the pixels. Where does row $i$ of $y$ lie, counted in rows of $x$? Pixels are little squares, and their *centres* are compared:
#
# $$p_i = \big(i + \tfrac12\big)\tfrac{H}{OH} - \tfrac12, \quad \text{kept within } 0 \dots H - 1 \tag{Z1}$$
#
# Row $i$ takes from row $h$ what a tent of width 1 around $p_i$ says:
#
# $$A_{ih} = \max\big(0,\; 1 - |p_i - h|\big) \tag{Z2}$$
#
# With $B$ the same for columns, the whole operation is two products of matrices:
#
# $$y = A\, x\, B^{\mathsf T} \tag{Z3}$$
#
# **Predict.** What do the numbers in one row of $A$ add up to? How many of them are not 0?


# %%
def tents(out, size):
    p = np.clip((np.arange(out) + 0.5) * (size / out) - 0.5, 0, size - 1)  # (Z1)
    return np.maximum(0, 1 - np.abs(p[:, np.newaxis] - np.arange(size)))  # (Z2)


A, B = tents(12, 8), tents(20, 8)
print("sums of rows:", np.unique(A.sum(axis=1)), " not 0 in a row:", np.unique((A > 0).sum(axis=1)))

fig, axes = plt.subplots(
    1, 4, figsize=(12, 2.8), layout="constrained", width_ratios=[1.8, 0.9, 1.6, 1.6]
)
fine = tents(800, 8)
for h in range(8):
    colour = plt.colormaps["viridis"](h / 8)
    axes[0].plot((np.arange(800) + 0.5) / 100 - 0.5, fine[:, h], color=colour)
    axes[0].plot((np.arange(12) + 0.5) * 8 / 12 - 0.5, A[:, h], ".", color=colour)
axes[0].set(xlabel="place in x", title="what row h gives (dots: rows of y)")
feature_map(axes[1], A, "A, 12 × 8")
axes[1].set(xlabel="h", ylabel="i")
feature_map(axes[2], hand.resize_nearest(x, size=(96, 160))[0][0, 0], "nearest")
feature_map(axes[3], hand.resize_bilinear(x, size=(96, 160))[0][0, 0], "bilinear")
plt.show()

# %% [markdown]
# Each row of $A$ mixes at most two rows of $x$, with shares that sum to 1: a weighted mean, which never leaves the range of what it mixes.
#
# **The backward.** Take (Z3) apart, with $t = A x$ and $y = t B^{\mathsf T}$. With indices, $y_{ij} = \sum_w t_{iw} B_{jw}$. One $t_{iw}$ feeds all columns $j$ of its row, $B_{jw}$ times each:
#
# $$dt_{iw} = \sum_j dy_{ij}\, B_{jw}, \qquad\text{which is}\quad dt = dy\, B$$
#
# Likewise $t_{iw} = \sum_h A_{ih}\, x_{hw}$, and one $x_{hw}$ feeds all rows $i$ of its column:
#
# $$dx_{hw} = \sum_i A_{ih}\, dt_{iw}, \qquad\text{which is}\quad dx = A^{\mathsf T} dt = A^{\mathsf T}\, dy\, B \tag{dZ3}$$
#
# A linear map goes back by its transpose. There is nothing to keep: $A$ and $B$ depend on the sizes alone.

# %%
t = A @ x
y = t @ B.T  # (Z3)
dy = rng.standard_normal(y.shape)
dt = dy @ B
dx = A.T @ dt  # (dZ3)

x_torch = torch.tensor(x, requires_grad=True)
t_torch = torch.nn.functional.interpolate(x_torch, (12, 8), mode="bilinear")
y_torch = torch.nn.functional.interpolate(t_torch, (12, 20), mode="bilinear")
dt_torch, dx_torch = torch.autograd.grad(y_torch, (t_torch, x_torch), torch.tensor(dy))
for name, mine, theirs in [
    ("t", t, t_torch),
    ("y", y, y_torch),
    ("dt", dt, dt_torch),
    ("dx", dx, dx_torch),
]:
    compare(name, mine, theirs)

y_file, backward = hand.resize_bilinear(x, size=(12, 20))
compare("file: y", y_file, y)
compare("file: dx", backward(dy), dx)
print(check.adjoint(lambda x: hand.resize_bilinear(x, size=(12, 20)), x))

# %% [markdown]
# The file does the same. It only leaves out most of the zeros, in bands of 32 rows: at 128 rows to 1024 a full $A$ would be 98 % zeros. Nearest is the same again with other matrices: one 1 in each row.
#
# There is another convention. TorchSeg, SeAFusion and face-parsing.PyTorch resize their logits with `align_corners=True`: the first and the last *centres* are laid upon each other, $p_i = i\,(H-1)/(OH-1)$. **Predict**: where do the two differ most, in the middle or at the edges?

# %%
aligned, _ = hand.resize_bilinear(x, size=(96, 160), align_corners=True)
theirs = torch.nn.functional.interpolate(x_torch, (96, 160), mode="bilinear", align_corners=True)
compare("aligned", aligned, theirs)
off = hand.resize_bilinear(x, size=(96, 160))[0] - aligned
fig, axes = plt.subplots(1, 3, figsize=(10, 2.3), layout="constrained")
feature_map(axes[0], hand.resize_bilinear(x, size=(96, 160))[0][0, 0], "centres half a pixel in")
feature_map(axes[1], aligned[0, 0], "corners aligned")
gradient_map(axes[2], off[0, 0], "the difference", limit=0.5)
plt.show()

# %% [markdown]
# Near the edges the two are almost half a pixel of $x$ apart, in the middle not at all. Weights that were trained with one convention load with the other, no key tells, and the logits differ by a tenth or more of their size. So `weights.network("torchseg", state)` builds what they were trained as.

# %% [markdown]
# ## 6 · Feature fusion
#
# The spatial path and the context path arrive with the same size, and say different things. Stacked, they are mixed by a 1×1 convolution; then the mixture gates itself:
#
# $$f = \mathrm{ReLU}(\mathrm{BN}(M\, [\mathit{sp} ; \mathit{cp}])) \tag{F1}$$
# $$a = W_2\, \mathrm{ReLU}(W_1\, \mathrm{GAP}(f)) \tag{F2}$$
# $$y = f + f\,\sigma(a) \tag{F3}$$
#
# $M$, $W_1$ and $W_2$ are matrices over the channels. (F2) is the gate of the SE module, without its biases. (F3) has what the article's Attentionout lost: the residual.
#
# **Predict.** Between which two numbers lies the factor on $f$? Can an FFM shut a channel out? How often is $f$ used?
#
# Read downwards, with names for what stands between, per pixel or per channel:
#
# $$v = M x, \;\; q = \mathrm{BN}(v), \;\; f = \mathrm{ReLU}(q), \;\; z = \mathrm{GAP}(f), \;\; u = W_1 z, \;\; h = \mathrm{ReLU}(u), \;\; a = W_2 h, \;\; s = \sigma(a)$$
#
# ### Upwards
#
# **(F3).** A sum gives its gradient to both terms. The second is a gate:
#
# $$df^{\text{direct}} = dy, \qquad df^{\text{gate}} = dy\, s, \qquad ds_{nk} = \sum_{ij} dy_{nkij}\, f_{nkij}, \qquad da = ds\, s(1 - s) \tag{dF3}$$
#
# **(F2).** Two matrices and a kink, then the mean:
#
# $$dW_2 = da^{\mathsf T} h, \quad dh = da\, W_2, \quad du = dh\,[u > 0], \quad dW_1 = du^{\mathsf T} z, \quad dz = du\, W_1, \quad df^{\text{pool}}_{nkij} = \frac{dz_{nk}}{HW} \tag{dF2}$$
#
# **Three ways meet at $f$:**
#
# $$df = dy + dy\, s + df^{\text{pool}}$$
#
# **(F1).** The kink, batch normalisation by (BN 5) of lesson 4, the mixture, and the parting of what was stacked:
#
# $$dq = df\,[q > 0], \quad dv = w\,r\Big(dq - \frac{db}{m} - \hat v\,\frac{dw}{m}\Big), \quad dM_{kc} = \sum_{nij} dv_{nkij}\, x_{ncij}, \quad [\mathit{dsp} ; \mathit{dcp}] = M^{\mathsf T} dv \tag{dF1}$$
#
# The maps come from the trained network; the FFM has two layers and weights of its own.

# %%
images = by_band[0][0][:8]
m = through(net, images)
sp, cp = m["spatial path"].astype(float), m["y8"].astype(float)
ffm = hand.FeatureFusionModule(32, 32, reduction=4, rng=0, dtype="float64")
y_file, ffm_back = ffm(sp, cp)
print(ffm)

# %%
M, w, b = ffm.convblk.conv.weight[:, :, 0, 0], ffm.convblk.bn.weight, ffm.convblk.bn.bias
W1, W2 = ffm.conv1.weight[:, :, 0, 0], ffm.conv2.weight[:, :, 0, 0]
w, b = (parameter.reshape(1, -1, 1, 1) for parameter in (w, b))

x = np.concatenate([sp, cp], axis=1)
v = np.einsum("kc,ncij->nkij", M, x)
c = v - v.mean(axis=(0, 2, 3), keepdims=True)
r = 1 / np.sqrt((c**2).mean(axis=(0, 2, 3), keepdims=True) + ffm.convblk.bn.eps)
v_hat = c * r
q = w * v_hat + b
f = np.maximum(q, 0)  # (F1)
z = f.mean(axis=(2, 3))
u = z @ W1.T
h = np.maximum(u, 0)
a = h @ W2.T  # (F2)
s = hand.sigmoid(a)[0][:, :, np.newaxis, np.newaxis]
y = f + f * s  # (F3)
compare("y", y, y_file)

# %%
dy = rng.standard_normal(y.shape)
n, k, height, width = y.shape

ds = (dy * f).sum(axis=(2, 3), keepdims=True)  # (dF3)
da = (ds * s * (1 - s))[:, :, 0, 0]
dW2 = da.T @ h  # (dF2)
dh = da @ W2
du = dh * (u > 0)
dW1 = du.T @ z
dz = du @ W1
df_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / (height * width), f.shape)
df = dy + dy * s + df_pool  # three ways
dq = df * (q > 0)  # (dF1)
db = dq.sum(axis=(0, 2, 3), keepdims=True)
dw = (dq * v_hat).sum(axis=(0, 2, 3), keepdims=True)
count = n * height * width
dv = w * r * (dq - db / count - v_hat * dw / count)
dM = np.einsum("nkij,ncij->kc", dv, x)
dx = np.einsum("kc,nkij->ncij", M, dv)
dsp, dcp = dx[:, : sp.shape[1]], dx[:, sp.shape[1] :]

# %%
t = {
    name: torch.tensor(value, requires_grad=True)
    for name, value in {"sp": sp, "cp": cp, "M": M, "w": w, "b": b, "W1": W1, "W2": W2}.items()
}
t["v"] = torch.einsum("kc,ncij->nkij", t["M"], torch.cat([t["sp"], t["cp"]], dim=1))
flat = (t["w"].flatten(), t["b"].flatten())
t["q"] = torch.nn.functional.batch_norm(t["v"], None, None, *flat, training=True)
t["f"] = torch.relu(t["q"])
t["z"] = t["f"].mean((2, 3))
t["u"] = t["z"] @ t["W1"].T
t["h"] = torch.relu(t["u"])
t["a"] = t["h"] @ t["W2"].T
t["s"] = torch.sigmoid(t["a"])[:, :, None, None]
y_torch = t["f"] + t["f"] * t["s"]

by_hand = {"s": ds, "a": da, "W2": dW2, "h": dh, "u": du, "W1": dW1, "z": dz, "f": df, "q": dq}
by_hand |= {"b": db, "w": dw, "v": dv, "M": dM, "sp": dsp, "cp": dcp}
grads = torch.autograd.grad(y_torch, [t[name] for name in by_hand], torch.tensor(dy))
compare("y", y, y_torch)
for (name, mine), theirs in zip(by_hand.items(), grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# Fifteen gradients. Collapsed, the three ways are one line and a flat one, $df = dy\,(1 + s) + dz / HW$, and the whole module is two backwards behind each other. This is the file; `residual_self_gate` is (F3) for every module that has one.

# %%
source(hand.FeatureFusionModule.forward, hand.FeatureFusionModule._mixed, hand.concat_channels)

# %%
dsp_file, dcp_file, grads_file = ffm_back(dy)
compare("dsp", dsp_file, dsp)
compare("dcp", dcp_file, dcp)
compare("dM", grads_file["convblk.conv.weight"][:, :, 0, 0], dM)
compare("dW1", grads_file["conv1.weight"][:, :, 0, 0], dW1)
compare("dW2", grads_file["conv2.weight"][:, :, 0, 0], dW2)

# %% [markdown]
# What the *trained* fusion does with a scene. First the strongest channel of either path, then two channels of $f$ and what the gate makes of them. Before and behind the gate the scale is the same.

# %%
f, _ = net.ffm._mixed(m["spatial path"], m["y8"])
s = net.ffm.gate(m["spatial path"], m["y8"])[:, :, 0, 0]
n = 2
open_one, shut_one = s[n].argmax(), np.where(f[n].max(axis=(1, 2)) > 0.5, s[n], 2).argmin()
strongest = {
    name: m[name][n][m[name][n].std(axis=(1, 2)).argmax()] for name in ("spatial path", "y8")
}

fig, axes = plt.subplots(2, 4, figsize=(10, 4.6), layout="constrained")
picture(axes[0, 0], to_rgb(images[n]).transpose(2, 0, 1), "the scene")
feature_map(axes[0, 1], strongest["spatial path"], "sp, strongest channel")
feature_map(axes[0, 2], strongest["y8"], "cp, strongest channel")
axes[0, 3].hist(1 + s.ravel(), np.linspace(1, 2, 21), color="#CC79A7")
axes[0, 3].set(title="factors 1 + s", xlim=(1, 2), yticks=[])
axes[0, 3].title.set_fontsize(10)
for column, k in ((0, open_one), (2, shut_one)):
    top = 2 * f[n, k].max()
    feature_map(axes[1, column], f[n, k], f"f, channel {k}")
    feature_map(axes[1, column + 1], m["FFM"][n, k], f"y = {1 + s[n, k]:.2f} f")
    for ax in axes[1, column : column + 2]:
        ax.images[0].set_clim(0, top)
plt.show()

# %% [markdown]
# ### Exercise 3 · `feature_fusion_backward`
#
# ★★★ · 20 minutes
#
# CoinCheung's code has had another gate since 2021: one layer with batch normalisation, as in ARM. Only (F2) changes, $a = \mathrm{BN}(W\,\mathrm{GAP}(f))$, so only one of the pieces does. You are given `dy`, `f` and the gate `s` of shape `(N, K, 1, 1)`; `logits_back(da)`, which returns $df^{\text{pool}}$; and `mix_back(df)`, which returns `dsp, dcp`.
#
# There is a way to get this wrong that no shape gives away: forget the residual. Try it, once your answer is right.


# %% tags=["exercise"]
def feature_fusion_backward(dy, f, s, logits_back, mix_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def feature_fusion_backward(dy, f, s, logits_back, mix_back):
#     ds = unbroadcast(dy * f, s.shape)
#     df = dy + dy * s + logits_back(ds * s * (1 - s))
#     return mix_back(df)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("feature_fusion_backward", feature_fusion_backward)

# %% [markdown]
# ## 7 · The context path, and where gradients add up
#
# $$f_8, f_{16}, f_{32} = \mathrm{ResNet18}(x) \tag{C1}$$
# $$g = \mathrm{conv}_{1\times1}(\mathrm{GAP}(f_{32})) \tag{C2}$$
# $$y_{16} = \mathrm{conv}_{3\times3}\big(\mathrm{nearest}(\mathrm{ARM32}(f_{32}) + g)\big) \tag{C3}$$
# $$y_8 = \mathrm{conv}_{3\times3}\big(\mathrm{nearest}(\mathrm{ARM16}(f_{16}) + y_{16})\big) \tag{C4}$$
#
# $g$ is the **global context**: one number per channel, added at every position. Note what it can do that a gate cannot. An ARM multiplies features that are there; $g$ adds something where there was nothing.
#
# The path has two outputs. $y_8$ goes into the fusion. $y_{16}$ goes into $y_8$, and in training also into a head of its own.
#
# **Predict.** Before you read on, look at the graph of section 1 and count: at which maps do two gradients meet?
#
# Upwards from (C4). $\Sigma_{16}$ and $\Sigma_{32}$ are the two sums inside the brackets, $r_{16}$ and $r_{32}$ what the ARMs return. And $\mathrm{layer}^{\mathsf T}$ is short for the backward of a layer, whatever is inside:
#
# $$d\Sigma_{16} = \mathrm{nearest}^{\mathsf T}\big(\mathrm{conv}_{3\times3}^{\mathsf T}(dy_8)\big), \qquad dr_{16} = d\Sigma_{16} \tag{dC4}$$
# $$dy_{16}^{\text{all}} = dy_{16} + d\Sigma_{16}, \qquad d\Sigma_{32} = \mathrm{nearest}^{\mathsf T}\big(\mathrm{conv}_{3\times3}^{\mathsf T}(dy_{16}^{\text{all}})\big), \qquad dr_{32} = d\Sigma_{32} \tag{dC3}$$
# $$dg_{nk} = \sum_{ij} d\Sigma_{32,nkij}, \qquad df_{32} = \mathrm{ARM32}^{\mathsf T}(dr_{32}) + \mathrm{GAP}^{\mathsf T}\big(\mathrm{conv}_{1\times1}^{\mathsf T}(dg)\big) \tag{dC2}$$
#
# Two plus signs, and one sum, as $g$ was repeated over all positions.
#
# In code, with the trained weights in float64. The trunk is cut off for now: $f_{16}$ and $f_{32}$ are taken as given.

# %%
path = hand.ContextPath(8, dtype="float64").load_state_dict(net.cp.state_dict())  # training mode
twin = twins.ContextPath(8).double()
twin.load_state_dict(weights.to_torch(path.state_dict()))
x = images[:4].astype(float)
part = path.copy()
(f8, f16, f32), resnet_back = part.resnet(x)  # (C1)
z, pool_back = hand.global_avg_pool(f32)
g, avg_back = part.conv_avg(z)  # (C2)
r32, arm32_back = part.arm32(f32)
up32, up32_back = hand.resize_nearest(r32 + g, size=f16.shape[2:])
y16, head32_back = part.conv_head32(up32)  # (C3)
r16, arm16_back = part.arm16(f16)
up16, up16_back = hand.resize_nearest(r16 + y16, size=f8.shape[2:])
y8, head16_back = part.conv_head16(up16)  # (C4)

dy8, dy16 = rng.standard_normal(y8.shape), rng.standard_normal(y16.shape)
dup16, _ = head16_back(dy8)  # (dC4)
dsum16 = up16_back(dup16)
dy16_all = dy16 + dsum16  # (dC3)  y16 is an output, and goes into y8
dup32, _ = head32_back(dy16_all)
dsum32 = up32_back(dup32)
dg = unbroadcast(dsum32, g.shape)  # (dC2)  one g at every position
dz, _ = avg_back(dg)
df32_arm, _ = arm32_back(dsum32)
df32 = df32_arm + pool_back(dz)  # f32 feeds ARM32 and the global context
df16, _ = arm16_back(dsum16)

# %%
t = {name: torch.tensor(a, requires_grad=True) for name, a in [("f16", f16), ("f32", f32)]}
t["z"] = t["f32"].mean((2, 3), keepdim=True)
t["g"] = twin.conv_avg(t["z"])
t["r32"] = twin.arm32(t["f32"])
t["sum32"] = t["r32"] + t["g"]
t["up32"] = twins.resize_nearest(t["sum32"], size=f16.shape[2:])
t["y16"] = twin.conv_head32(t["up32"])
t["r16"] = twin.arm16(t["f16"])
t["sum16"] = t["r16"] + t["y16"]
t["up16"] = twins.resize_nearest(t["sum16"], size=f8.shape[2:])
t["y8"] = twin.conv_head16(t["up16"])

by_hand = {"up16": dup16, "sum16": dsum16, "r16": dsum16, "y16": dy16_all, "up32": dup32}
by_hand |= {"sum32": dsum32, "r32": dsum32, "g": dg, "z": dz, "f32": df32, "f16": df16}
given = [torch.tensor(dy8), torch.tensor(dy16)]
grads = torch.autograd.grad([t["y8"], t["y16"]], [t[name] for name in by_hand], given)
compare("y8", y8, t["y8"])
compare("y16", y16, t["y16"])
for (name, mine), theirs in zip(by_hand.items(), grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# With the trunk, and the whole path of the file at once. Inside the trunk waits the next fork: $f_{16}$ is an output of it and the input of layer 4. Its file says `layer3_back(df16 + df16_)`. Nobody outside uses $f_8$, so its gradient is given as `None`.

# %%
dx, _ = resnet_back((None, df16, df32))
_, path_back = path(x)
dx_file, grads_file = path_back((dy8, dy16))
x_torch = torch.tensor(x, requires_grad=True)
outputs = twin(x_torch)
wanted = [x_torch, *twin.parameters()]
dx_torch, *grads_torch = torch.autograd.grad(outputs, wanted, given)
compare("dx", dx, dx_torch)
compare("file: dx", dx_file, dx_torch)
for (name, _), theirs in zip(twin.named_parameters(), grads_torch, strict=True):
    if name.startswith(("arm32", "conv_avg")):
        compare(name[-12:], grads_file[name], theirs)

# %%
source(hand.ContextPath.scales)

# %% [markdown]
# The gradient on its way down, for one image and one channel. Here it does not start at random but at the losses of the two auxiliary heads. They ask for the classes that the scene would have with the *other* band, so that there is something to learn. Follow the sizes: 8 × 8, 4 × 4, 2 × 2, and one number. At every step four neighbours are added up, with a convolution between.

# %%
look = hand.ToyBiSeNet(dtype="float64").load_state_dict(net.state_dict())
(c8, c16), _ = look.cp(x)
heads = {"conv_out16": look.conv_out16, "conv_out32": look.conv_out32}
ys, heads_back = run_heads(heads, {"conv_out16": c8, "conv_out32": c16}, (64, 64))
other_band = by_band[1][1][:4]
dys = tuple(hand.cross_entropy(y, other_band)[1](1.0) for y in ys)
features, _ = heads_back(dys)
real8, real16 = features["conv_out16"], features["conv_out32"]
real_sum16 = up16_back(head16_back(real8)[0])
real_all = real16 + real_sum16
real_sum32 = up32_back(head32_back(real_all)[0])
real_g = unbroadcast(real_sum32, g.shape)

fig, axes = plt.subplots(1, 6, figsize=(12, 2.3), layout="constrained")
shown = {"dy8": real8, "dΣ16": real_sum16, "dy16, own head": real16, "their sum": real_all}
shown |= {"dΣ32": real_sum32, "dg": real_g}
k = np.abs(real_g[0]).argmax()
for ax, (name, a) in zip(axes, shown.items(), strict=True):
    gradient_map(ax, a[0, k], f"{name}\n± {np.abs(a[0, k]).max():.0e}")
plt.show()

# %% [markdown]
# ### Exercise 4 · `context_path_backward`
#
# ★★★ · 15 minutes
#
# Two outputs, so two gradients come: `dy8` and `dy16`. You are given five backwards: `sum16_back` and `sum32_back` go through a 3×3 and its resizing, from $dy_8$ to $d\Sigma_{16}$ and from $dy_{16}$ to $d\Sigma_{32}$; `arm16_back` and `arm32_back` through the ARMs; `context_back(dg)` from $dg$, of shape `(N, C, 1, 1)`, to its part of $df_{32}$. Return `df16, df32`.


# %% tags=["exercise"]
def context_path_backward(dy8, dy16, sum16_back, sum32_back, arm16_back, arm32_back, context_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def context_path_backward(dy8, dy16, sum16_back, sum32_back, arm16_back, arm32_back, context_back):
#     dsum16 = sum16_back(dy8)
#     dsum32 = sum32_back(dy16 + dsum16)
#     dg = dsum32.sum(axis=(2, 3), keepdims=True)
#     return arm16_back(dsum16), arm32_back(dsum32) + context_back(dg)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("context_path_backward", context_path_backward)

# %% [markdown]
# ## 8 · Heads, and an output that nobody used
#
# In evaluation mode the auxiliary heads do not run, and the network returns one array. In training mode it returns three, and its backward wants three gradients.
#
# **Predict.** You want to train without the auxiliary losses and leave the network as it is. What do you hand to `backward` for the two outputs that no loss looks at? What are the gradients of their heads' weights then?

# %%
x, labels = by_band[0][0][:4], by_band[0][1][:4]
ys, backward = net.copy().train()(x)
dy = hand.cross_entropy(ys[0], labels)[1](1.0)
_, with_none = backward((dy, None, None), input_grad=False)
_, with_zeros = backward((dy, np.zeros_like(dy), np.zeros_like(dy)), input_grad=False)
print("the same:", all(np.array_equal(with_none[key], with_zeros[key]) for key in with_zeros))
for head in ("conv_out", "conv_out16", "conv_out32"):
    sizes = [np.abs(grad).max() for key, grad in with_none.items() if key.startswith(f"{head}.")]
    print(f"{head:11} largest gradient {max(sizes):.1e}")
try:
    backward((None, None, None))
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# `None` says that nobody used the output, and it counts as a gradient of 0. The heads' weights still have their keys, with zeros, so that an optimiser meets the same set at every step.

# %%
source(fill_unused, run_heads)

# %% [markdown]
# ## 9 · What the network has learned
#
# One scene with either band. Of each size the two channels that vary most between places.
#
# **Predict.** At which size can you still see where the digits are? Which map tells the bands apart at every position?

# %%
band_a, band_b = (through(net, images) for images, _ in by_band)
n = 2
busiest = {
    name: band_a[name][n].std(axis=(1, 2)).argsort()[::-1][:2] for name in ("f8", "f16", "f32")
}
fig, axes = plt.subplots(2, 7, figsize=(12, 3.6), layout="constrained")
for row, maps in enumerate((band_a, band_b)):
    picture(axes[row, 0], to_rgb(maps["x"][n]).transpose(2, 0, 1), f"band {'AB'[row]}")
    for column, (name, k) in enumerate(((f, k) for f, ks in busiest.items() for k in ks), start=1):
        feature_map(axes[row, column], maps[name][n, k], f"{name}, channel {k}")
        top = max(band_a[name][n, k].max(), band_b[name][n, k].max())
        axes[row, column].images[0].set_clim(0, top)
plt.show()

# %% [markdown]
# And the gates, of 16 test scenes with either band. A line is a scene, a column a channel.

# %%
fig, axes = plt.subplots(2, 2, figsize=(10, 4.4), layout="constrained", sharex=True)
for column, (name, arm, f) in enumerate(
    [("ARM32", net.cp.arm32, "f32"), ("ARM16", net.cp.arm16, "f16")]
):
    gates = [arm.gate(maps[f])[:, :, 0, 0] for maps in (band_a, band_b)]
    order = (gates[1] - gates[0]).mean(axis=0).argsort()
    for row, s in enumerate(gates):
        drawn = axes[row, column].imshow(s[:16, order], cmap="magma", vmin=0, vmax=1, aspect="auto")
        axes[row, column].set(title=f"{name}, band {'AB'[row]}", xticks=[], yticks=[])
    axes[1, column].set_xlabel("channels, by what the band does to them")
    moved = np.abs(gates[1] - gates[0]).mean()
    spread = gates[0].std(axis=0).mean()
    print(
        f"{name}: the band moves a gate by {moved:.2f}; from scene to scene it varies by {spread:.2f}"
    )
axes[0, 0].set_ylabel("16 scenes")
fig.colorbar(drawn, ax=axes, ticks=[0, 0.5, 1], label="gate")
plt.show()

# %% [markdown]
# Many gates stand in one place with band A and in another with band B. So gates *know* the band. Is it they, then, that decide between A and B?
#
# They are not alone in looking at the whole image. Three kinds of modules pool: the ARMs, $g$, and the FFM, whose gate comes from a mean over both paths. The band could reach the digits through any of them.
#
# That can be tested. Run the network on scenes with band A, and replace one map by the one that the same scene has with band B. Then count the digit pixels that turn from A to B.
#
# **Predict.** Order these by how many pixels they turn: the gates of both ARMs, the whole context path, the global context $g$, the spatial path, the gate of the FFM.

# %%
found = (band_a["y"].argmax(axis=1) > 0) & (by_band[0][1] == 1)  # digit pixels that were found
forks = ("x", "f8", "f16", "g", "ARM32", "ARM16", "spatial path")


def turned(changed):
    y = joined(net, {name: band_a[name] for name in forks} | changed)["y"]
    return (y[:, 2] > y[:, 1])[found].mean()


def with_gates_of_b(arm, f):
    features, _ = arm.conv(band_a[f])
    return features * arm.gate(band_b[f])


mixed, _ = net.ffm._mixed(band_a["spatial path"], band_a["y8"])
grafts = {
    "nothing": {},
    "the gates of both ARMs": {
        "ARM32": with_gates_of_b(net.cp.arm32, "f32"),
        "ARM16": with_gates_of_b(net.cp.arm16, "f16"),
    },
    "the global context g": {"g": band_b["g"]},
    "all of the context path": {name: band_b[name] for name in ("g", "ARM16", "ARM32")},
    "the gate of the FFM": {
        "FFM": mixed + mixed * net.ffm.gate(band_b["spatial path"], band_b["y8"])
    },
    "the spatial path": {"spatial path": band_b["spatial path"]},
    "both paths": {name: band_b[name] for name in ("g", "ARM16", "ARM32", "spatial path")},
}
shares = {name: turned(changed) for name, changed in grafts.items()}
fig, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
ax.barh(list(shares), list(shares.values()), color="#0072B2")
for at, share in enumerate(shares.values()):
    ax.text(share + 0.01, at, f"{share:.3f}", va="center", fontsize=9)
ax.set(xlim=(0, 1.12), xlabel="share of the digit pixels that turn from A to B")
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# In the run from which this text was written, the answer travels through the **spatial path**. Its window is 19 pixels wide and never reaches from the band to a digit. But the FFM takes a mean over the whole image, band included, and its gate alone turns a good part of the pixels. The gates of the ARMs differ from band to band, and turn none.
#
# A gate that *looks* informed is no proof that it is used. Nor is this a law of BiSeNet. Write `steps=120` into the cell of section 2 and run the lesson again: in that shorter training, $g$ turned nine pixels in ten, and the spatial path none. Where several ways lead to the answer, chance decides which is taken. So a claim that one module is *needed* takes a network with no other way, or a trained network without it. The experiment itself is cheap, and can be made with any network: graft, and count.
#
# The paper's own table compares trained networks (mIoU on Cityscapes, one run each, as reported there). Global pooling alone added 1.00 to the fused network, ARM alone 1.30, and both together 3.98, more than the sum.

# %% [markdown]
# ## 10 · The paper's network and the article's
#
# The article's ARM32, ARM16 *and ARM8* come from another network: SeAFusion's variant of BiSeNet, which segments for image fusion.
#
# | | BiSeNet (paper, CoinCheung) | the article (SeAFusion) |
# |---|---|---|
# | spatial path | yes | none |
# | ARMs | at 1/16 and 1/32 | at 1/8, 1/16 and 1/32 |
# | global context $g$ | yes | none |
# | scales are joined by | adding | stacking, a 1×1, and two gates |
# | resizing inside | nearest (CoinCheung), bilinear (TorchSeg) | bilinear |
# | activation | ReLU | LeakyReLU 0.01 |
# | fusion | FFM | a gate from the deeper scale, element by element |
# | auxiliary heads | two | one |
#
# **Predict.** In the graph below, which maps are used more than once?

# %%
THREE = {
    "f8": (0, 2.4, ""),
    "f16": (0, 1.2, ""),
    "f32": (0, 0, ""),
    "ARM8": (1.2, 2.4, "gate, r8"),
    "ARM16": (1.2, 1.2, "gate, r16"),
    "ARM32": (1.2, 0, "gate, r32"),
    "m16": (3.2, 1.2, "[↑ conv3×3 r32 ; r16]\nconv1×1, ↑"),
    "m8": (3.2, 2.4, "[↑ conv3×3 r16 ; r8]\nconv1×1"),
    "g16": (5.6, 1.2, "gate by conv1×1(r32↑)"),
    "g8": (5.6, 2.4, "gate by conv1×1(g16)"),
    "y8": (7.4, 2.4, "conv1×1"),
    "y16": (1.2, 0.6, "= r16"),
}
JOINS = """f8 > f16, f16 > f32, f8 > ARM8, f16 > ARM16, f32 > ARM32, ARM32 > m16, ARM16 > m16,
ARM16 > m8, ARM8 > m8, m16 > g16, ARM32 > g16, m8 > g8, g16 > g8, g8 > y8, ARM16 > y16"""
fig, ax = plt.subplots(figsize=(11, 4.2), layout="constrained")
graph(ax, THREE, ways(JOINS))
plt.show()

# %% [markdown]
# $r_{16}$ is used three times and $r_{32}$ twice. In the backward of `ThreeScaleContextPath` that is one line each:
#
# ```python
# df16, d_arm16 = arm16_back(dr16 + up16_back(dup16) + dy16)  # r16 is used three times
# df32, d_arm32 = arm32_back(far32_back(dfar32) + up32_back(dup32))  # and r32 twice
# ```
#
# Note the two gates $g_{16}$ and $g_8$. They are made by a pointwise convolution, so they have one value for each element, and they let the deeper scale decide what passes of the finer one.
#
# ### What it costs
#
# **Predict.** BiSeNet with 19 classes on an image of 1024 × 2048. What share of all multiply-adds is in its two ARMs? And in their attention branches, without the 3×3?

# %%
report = cost.ModuleCost(hand.BiSeNet(19).eval(), (1, 3, 1024, 2048))
parts = {"trunk": "cp.resnet", "spatial path": "sp", "ARM32": "cp.arm32", "ARM16": "cp.arm16"}
parts |= {"conv_avg (g)": "cp.conv_avg", "conv_head32": "cp.conv_head32"}
parts |= {"conv_head16": "cp.conv_head16", "FFM": "ffm", "head": "conv_out"}
whole, arms = report.total.multiply_adds, report.of(*report.arms).multiply_adds
branches = report.without_features(*report.arms).multiply_adds
print(
    f"multiply-adds {whole / 1e9:.3f} G, both ARMs {percent(arms, whole)} %, attention {percent(branches, whole)} %"
)

shares = {name: report.of(path).multiply_adds / whole for name, path in parts.items()}
fig, ax = plt.subplots(figsize=(8, 2.9), layout="constrained")
ax.barh(
    list(shares), list(shares.values()), color=["#CC79A7" if "ARM" in p else "0.6" for p in shares]
)
for at, share in enumerate(shares.values()):
    part = report.of(parts[list(parts)[at]]).multiply_adds
    ax.text(share + 0.005, at, f"{percent(part, whole)} %", va="center", fontsize=9)
ax.set(xlim=(0, 0.72), xticks=[], xlabel="share of the multiply-adds")
ax.invert_yaxis()
ax.spines[["top", "right", "bottom"]].set_visible(False)
plt.show()

# %% [markdown]
# Almost nothing of an ARM's cost is attention. Its 3×3 is there to bring 512 or 256 channels down to 128, which some convolution would have to do anyway. `armlab cost BiSeNet` prints the whole table.
#
# ### Old checkpoints
#
# Until 2021, CoinCheung's FFM had the two layers of (F2), with reduction 4. Since then it has one. The weights of an old checkpoint do not load into the network of today, and should not: they are another function.

# %%
old = hand.FeatureFusionModule(32, 32, reduction=4, rng=0)
try:
    hand.SingleLayerFeatureFusion(32, 32).load_state_dict(old.state_dict())
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# The remedy is the one that the sentence names: build the network that the weights were made for, here `hand.BiSeNet(reduction=4)`. What would be wrong is to leave out the keys that do not fit. Then the FFM gates with weights that nobody trained.
#
# ## Five questions
#
# 1. An image has 100 rows. How many have $f_8$, $f_{16}$ and $f_{32}$, and at which step would a factor of 2 fail?
#
# <details><summary>Answer</summary>
#
# 13, 7 and 4. $2 \cdot 4 = 8$ is not 7: it fails at the first.
#
# </details>
#
# 2. Bilinear resizing from 8 to 64 rows, and a gradient of 1 at every pixel of $y$. What is the sum of $dx$?
#
# <details><summary>Answer</summary>
#
# The number of pixels of $y$. The rows of $A$ and $B$ sum to 1, so every $dy$ is handed on in shares that sum to 1.
#
# </details>
#
# 3. What is left of $f$ behind an FFM whose gate is shut, and behind an ARM whose gate is shut?
#
# <details><summary>Answer</summary>
#
# All of it, and nothing: the factors are $1 + s$ and $s$.
#
# </details>
#
# 4. Someone writes the global context with `pool_size=(1, 1)`. What becomes of $g$ in (C2), and does anything raise an error?
#
# <details><summary>Answer</summary>
#
# A window of one pixel pools nothing (lesson 3). $g$ is a 1×1 convolution of $f_{32}$ with a value for each position. Its shape still fits into the sum, so nothing raises; only the context is gone.
#
# </details>
#
# 5. In evaluation mode, which parameters of BiSeNet have a gradient of exactly 0, whatever the loss?
#
# <details><summary>Answer</summary>
#
# Those of the two auxiliary heads, which did not run.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | trunk, backbone | 主干网络 | the network that makes features at several sizes, here ResNet-18 |
# | spatial path, context path | 空间路径, 上下文路径 | BiSeNet's two branches |
# | attention refinement module (ARM) | 注意力细化模块 | at 1/16 and 1/32 of the image; in the article also at 1/8 |
# | global context | 全局上下文 | $g$, the mean of $f_{32}$ through a 1×1, added everywhere |
# | feature fusion module (FFM) | 特征融合模块 | (F1) to (F3) |
# | upsampling, nearest, bilinear | 上采样, 最近邻, 双线性 | (N), (Z1) to (Z3) |
# | auxiliary head, auxiliary loss | 辅助头, 辅助损失 | an output that is there for training alone |
# | stride | 步幅 | of 2: every second pixel, $\lceil H/2 \rceil$ |
# | multi-scale | 多尺度 | features of 1/8, 1/16 and 1/32 together |
# | backward | 反向传播 | the function $dy \mapsto dx$ |
#
# ## What comes next
#
# [Lesson 11: the GPU](11_gpu.ipynb) runs the same source elsewhere. A task that provably needs context (9) and the article's claims, measured (10), are planned: there ARM has to show what it is good for. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

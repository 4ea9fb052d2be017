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
# # 1a · Convolution
#
# **Goal.** Write a convolution with stride, padding and dilation, and say which pixels of an image a network can see.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): arrays of images, channels, rows and columns |
# | Afterwards you can | compute the size of an output in your head · write a convolution for batches and channels · say why a 1 × 1 convolution is a matrix · say what groups save · compute a receptive field, and check it by recolouring |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/conv2d.py](../armlab/hand/conv2d.py) · [hand/window.py](../armlab/hand/window.py) · and, at the end, [hand/toy_net.py](../armlab/hand/toy_net.py) |
#
# Chapter 1 is about the layer of which these networks have most: here what it computes, in [lesson 1b](01b_convolution_backward.ipynb) its three gradients, in [lesson 1c](01c_convolution_kernels.ipynb), which may be left out, faster ways to the same sum.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.data import Scenes, to_rgb
from armlab.hand import kernels
from armlab.hand.window import Window
from tools import compare, photographs, source, trained
from tools import COLOURS, feature_map, gradient_map, numbers, picture

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · A window and its weights
#
# Lay a small table of weights, the **kernel**, on an image. Multiply each weight with the pixel under it, and add the products. That is one pixel of the output. Move the kernel by one pixel for the next.
#
# $$y_{ij} = \sum_{r,s} w_{rs}\; x_{i+r,\,j+s}$$
#
# $r$ counts the rows of the kernel and $s$ its columns, both from 0. A pair $(r, s)$ is a **tap**. Here are nine pixels of a photograph, and a kernel.

# %%
photos = photographs()  # (6, 3, 64, 96), 0 ... 1
grey = photos.mean(axis=1, keepdims=True)  # (6, 1, 64, 96)

patch = (100 * grey[0, 0, 30:33, 40:43]).round()
across = np.asarray([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
print("pixels\n", patch)
print("kernel\n", across)

# %% [markdown]
# **Predict.** What is the one number that comes out? Is it positive where the picture gets brighter to the right, or where it gets darker?
#
# <details><summary>Answer</summary>
#
# It is 12. The left column is subtracted and the right one added, so it is positive where it gets brighter to the right. On a flat place it is 0, because the nine weights sum to 0.
#
# </details>

# %%
print("products\n", patch * across)
print("sum", (patch * across).sum())
assert (patch * across).sum() == 12

# %% [markdown]
# **Predict.** Four kernels, and what they make of a temple: *blur* is nine times $\tfrac19$, *across* is the one above, *down* is its transpose, and *Laplace* has 1 above, below, left and right, $-4$ in the middle and 0 in the corners. Which ones find the horizontal edges of the roof? Which of the four has no negative output?
#
# <details><summary>Answer</summary>
#
# *Down* finds them, as it asks whether it gets brighter further down, and so does *Laplace*, which finds edges of any direction. *Blur* is a mean of nine pixels, and is never negative.
#
# </details>

# %%
edges = {
    "blur": np.ones((3, 3)) / 9,
    "across": across,  # brighter to the right?
    "down": across.T,  # brighter further down?
    "Laplace": np.asarray([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]),
}
temple = grey[1:2]

fig, axes = plt.subplots(2, 5, figsize=(11, 3.4), layout="constrained", height_ratios=[1, 1.1])
axes[0, 0].axis("off")
feature_map(axes[1, 0], temple[0, 0], "x")
for column, (name, w) in enumerate(edges.items(), start=1):
    y, _ = hand.conv2d(temple, w[np.newaxis, np.newaxis])
    gradient_map(axes[0, column], w, name, limit=3)
    numbers(axes[0, column], w.round(2), "{:g}")
    feature_map(axes[1, column], y[0, 0], f"{name}: {y.min():.1f} … {y.max():.1f}")
plt.show()

# %% [markdown]
# In the last three a flat place is 0, and 0 is a grey between black and white. A convolution asks the same question at every place. That is its strength, since an edge is an edge wherever it stands, and it makes it cheap: nine numbers, for an image of any size.

# %% [markdown]
# ## 2 · Where the window goes
#
# Four numbers say where the kernel is laid, each for rows and for columns.
#
# - **Stride** $t$: how far it moves from one output to the next.
# - **Padding** $p$: how many rows or columns of zeros are put around the image first.
# - **Dilation** $d$: how far its taps lie apart. With $d = 2$ every second pixel is met.
# - **Groups** $g$: section 3.
#
# With all of them, a batch and channels, the sum reads
#
# $$y_{nkij} = b_k + \sum_{c,r,s} w_{kcrs}\; x_{n,\,c,\;ti+dr-p,\;tj+ds-p} \tag{1.1}$$
#
# where $x$ is 0 outside. Everything in this chapter follows from the index of $x$ in (1.1).
#
# **How many outputs?** Look at one axis. With padding it has $H + 2p$ places. The kernel has $R$ taps with $R-1$ gaps of $d$ between them, so it spans $d(R-1)+1$ places. The first window starts at 0. The last one starts at a multiple of $t$, and must still fit:
#
# $$t\,i + d(R-1) + 1 \le H + 2p$$
#
# So the number of outputs is
#
# $$OH = \left\lfloor \frac{H + 2p - d(R-1) - 1}{t} \right\rfloor + 1 \tag{1.2}$$
#
# The $+1$ is the first window, $i = 0$.
#
# **Predict.** A handwritten digit has 8 × 8 pixels, and a kernel 3 × 3. How many outputs are there in each direction: as it is, with stride 2, with padding 1, with padding 2 and dilation 2? Does any pixel go unseen?
#
# <details><summary>Answer</summary>
#
# 6, 3, 8, 8. With stride 2 the windows start at 0, 2 and 4, and the last column and the last row are under none of them: the rounding down left them out. They have no influence, and will receive no gradient.
#
# </details>


# %%
def show_window(ax, image, options):
    """An image with its padding; the first window, the second, and the last of the first row."""
    window = Window.of(3, **options)
    (oh, ow), (top, left) = window.output_size("kernel", image.shape), window.padding
    feature_map(ax, np.pad(image, ((top, top), (left, left))), "")
    words = ", ".join(f"{name} {value}" for name, value in options.items()) or "as it is"
    ax.set_title(f"{words}\n8 × 8 → {oh} × {ow}", fontsize=10)
    ax.add_patch(Rectangle((left - 0.5, top - 0.5), 8, 8, fill=False, ec="white", ls=":"))
    for j, colour, size in [(0, COLOURS[0], 11), (ow - 1, COLOURS[2], 11), (1, COLOURS[1], 6)]:
        for _, _, (_, _, rows, columns) in window.taps((oh, ow)):
            at = columns.start + j * window.stride[1]
            ax.plot(at, rows.start, "o", color=colour, mec="white", ms=size)


digits = load_digits()  # 1,797 real digits, 8 by 8 pixels of 0 ... 16
digit = digits.images[13] / 16
fig, axes = plt.subplots(1, 4, figsize=(12, 3.5), layout="constrained")
for ax, options in zip(
    axes, [{}, {"stride": 2}, {"padding": 1}, {"padding": 2, "dilation": 2}], strict=True
):
    show_window(ax, digit, options)
plt.show()

# %% [markdown]
# Red is the first window, green the second, blue the last of the row. A dot in a dot is a pixel under both. The dotted line is the edge of the digit, and what lies outside of it is padding. A padding of $p = d(R-1)/2$ at stride 1 keeps the size. For 3 × 3 that is $p = d$.
#
# The file's geometry is in one small class. `taps` is the heart of it: for every tap, the slice of the padded image that this tap meets, over all outputs at once.

# %%
source(Window.output_size, Window.taps)

# %% [markdown]
# ### Exercise 1 · `output_size`
#
# ★☆☆ · 5 minutes
#
# One axis, five whole numbers. Return how many outputs there are, by (1.2).


# %% tags=["exercise"]
def output_size(size, kernel, stride, padding, dilation):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def output_size(size, kernel, stride, padding, dilation):
#     span = dilation * (kernel - 1) + 1
#     return (size + 2 * padding - span) // stride + 1
# ```
#
# </details>

# %% tags=["check"]
check.exercise("output_size", output_size)

# %% [markdown]
# ### Exercise 2 · Find the bug
#
# ★★☆ · 15 minutes
#
# NumPy has a function called `convolve`. A colleague applies it to each line of the image, with one row of the kernel after the other, and adds up. On the kernels of section 1 it gives this:


# %%
def by_convolve(x, w):
    """x (H, W), w (R, S)"""
    height = len(x) - len(w) + 1
    y = 0
    for r, weights in enumerate(w):
        lines = x[r : r + height]
        y = y + np.stack([np.convolve(line, weights, mode="valid") for line in lines])
    return y


for name in ("blur", "down", "across"):
    y, _ = hand.conv2d(temple, edges[name][np.newaxis, np.newaxis])
    compare(name, by_convolve(temple[0, 0], edges[name]), y[0, 0])

# %% [markdown]
# Write the convolution yourself, for batches and channels. `x` is `(N, C, H, W)` and `w` is `(K, C, R, S)`: each of the $K$ outputs has a kernel for each of the $C$ inputs, and sums over them. `stride`, `padding` and `dilation` are pairs, for rows and for columns.
#
# But first: two of the three lines above are right, and one is far off. Print `np.convolve([0, 0, 1, 0, 0], [1, 2, 3])`, and think what sliding `[1, 2, 3]` over that 1 ought to give.
#
# **Predict.** What do the two have in common?
#
# <details><summary>Answer</summary>
#
# They are the same read from the left and from the right. `np.convolve` **flips** its second argument before it slides it along, which is why a single 1 answers with `1 2 3`. Slide `[1, 2, 3]` as it stands, and the 1 meets first the 3, then the 2, then the 1.
#
# </details>


# %% tags=["exercise"]
def conv2d_forward(x, w, stride, padding, dilation):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def conv2d_forward(x, w, stride, padding, dilation):
#     (n, c, height, width), (k, c, kernel_rows, kernel_columns) = x.shape, w.shape
#     (t, u), (p, q), (d, e) = stride, padding, dilation
#     padded = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
#     oh = (height + 2 * p - d * (kernel_rows - 1) - 1) // t + 1
#     ow = (width + 2 * q - e * (kernel_columns - 1) - 1) // u + 1
#     y = np.zeros((n, k, oh, ow))
#     for r in range(kernel_rows):
#         for s in range(kernel_columns):
#             rows = slice(d * r, d * r + t * (oh - 1) + 1, t)
#             columns = slice(e * s, e * s + u * (ow - 1) + 1, u)
#             met = padded[:, :, rows, columns]  # (N, C, OH, OW): what this tap meets
#             y += np.einsum("kc,ncij->nkij", w[:, :, r, s], met)
#     return y
# ```
#
# What mathematicians call a convolution flips. The convolution of networks does not; strictly, it is a **cross-correlation**. A kernel that is symmetric from left to right hides the difference. A network that learns its weights hides it as well: it learns them flipped. Only weights from elsewhere show it.
#
# </details>

# %% tags=["check"]
check.exercise("conv2d_forward", conv2d_forward)

# %% [markdown]
# ## 3 · Channels, groups, and 1 × 1
#
# Take one tap of (1.1) and forget the rest: $\sum_c w_{kc}\, x_c$. That is a matrix times a vector, with the channels of one pixel as the vector. So a tap is a $K \times C$ matrix, and a convolution is $R \cdot S$ matrix products, added.
#
# **A 1 × 1 convolution has one tap.** It mixes the channels of each pixel, with the same matrix everywhere, and never looks at a neighbour. Red, green and blue become brightness and two differences of colours:

# %%
matrix = np.asarray([[1, 1, 1], [2, -2, 0], [1, 1, -2]]) / np.asarray([[3], [2], [2]])
y, _ = hand.conv2d(photos, matrix[:, :, np.newaxis, np.newaxis])
compare("1 × 1", y, np.einsum("kc,ncij->nkij", matrix, photos))
compare("pixel 5, 7", y[0, :, 5, 7], matrix @ photos[0, :, 5, 7])

fig, axes = plt.subplots(1, 4, figsize=(11, 2), layout="constrained")
picture(axes[0], photos[3], "x[3]")
for ax, image, name in zip(
    axes[1:], y[3], ["brightness", "red − green", "yellow − blue"], strict=True
):
    feature_map(ax, image, name)
plt.show()

# %% [markdown]
# This is the convolution inside ARM. There it stands behind the pooling, on an image of one pixel, and $C^2$ numbers say how the mean of each channel bears on the gate of each other. (What the article calls "one 1×1 convolution" comes behind a 3 × 3, which has nine times as many numbers for as many channels.)
#
# **Groups** cut the channels into $g$ parts that never meet: outputs of part 1 see inputs of part 1 only. With $g = C$, called **depthwise**, each channel has a kernel of its own.
#
# **Predict.** 32 channels in, 32 out, 3 × 3. How many weights with 1, 4 and 32 groups?
#
# <details><summary>Answer</summary>
#
# $9 \cdot 32 \cdot 32 = 9216$, then 2304, then 288. Each output sees $32 / g$ inputs, so groups save a factor $g$ in weights and in products.
#
# </details>

# %%
for groups in (1, 4, 32):
    print(groups, "groups:", hand.Conv2d(32, 32, 3, groups=groups, bias=False, rng=0).weight.size)

x8 = rng.standard_normal((2, 8, 9, 10))
w8 = rng.standard_normal((6, 4, 3, 3))  # K = 6 outputs, 2 groups of 4 inputs
y, _ = hand.conv2d(x8, w8, groups=2)
apart = [hand.conv2d(x8[:, 4 * g : 4 * g + 4], w8[3 * g : 3 * g + 3])[0] for g in (0, 1)]
compare("2 groups", y, np.concatenate(apart, axis=1))

# %% [markdown]
# ## 4 · What a trained filter looks for
#
# The lessons keep two small networks that `armlab train` has trained, one with ARM and one without. They find handwritten sevens in photographs, and call each of them A or B, by the colour of a band along the top. Their first layer has 16 kernels of 3 × 3 for red, green and blue. As each kernel has three colours, it can be drawn as a picture: grey is 0.
#
# **Predict.** Nobody told these kernels what to look for. What would you expect them to find useful?
#
# <details><summary>Answer</summary>
#
# Edges, since a digit is known by its strokes, and colours, since the band decides the class. The kernels themselves are hard to read; their maps are not.
#
# </details>

# %%
net = trained("arm")
w = net.conv1.conv.weight  # (16, 3, 3, 3)
SCENE = 2
scene, _ = Scenes("test").batch([SCENE])
image = to_rgb(scene[0]).transpose(2, 0, 1)
y, _ = net.conv1(scene)

strength = np.abs(w.sum(axis=(2, 3))).max(axis=1) / np.abs(w).sum(axis=(1, 2, 3))
shown = np.argsort(strength)[[0, 1, -2, -1]]  # two that see mostly edges, two mostly colours

fig, axes = plt.subplots(2, 8, figsize=(12, 3.2), layout="constrained")
for k, ax in enumerate(axes.flat):
    picture(ax, 0.5 + w[k] / (2 * np.abs(w[k]).max()), f"kernel {k + 1}")
fig, axes = plt.subplots(1, 5, figsize=(12, 2.6), layout="constrained")
picture(axes[0], image, "a scene")
for ax, k in zip(axes[1:], shown, strict=True):
    feature_map(ax, y[0, k], f"map of kernel {k + 1}")
plt.show()
assert all(np.mean(y[0, k] < 0.1 * y[0, k].max()) > 1 / 2 for k in shown[:2])  # mostly black
dark = image.mean(axis=0) < 0.3
assert y[0, 0][~dark].mean() < 0.1 < y[0, 0][dark].mean()  # kernel 1 lights up where it is dark

# %%
means = {}
for band, name in enumerate(("orange", "blue")):
    y, _ = net.copy().conv1(Scenes("test").batch([SCENE], band)[0])
    means[name] = y[0, 1, 1:7].mean()
    print(f"mean of kernel 2 in the {name:6} band: {means[name]:5.2f}")
assert means["orange"] < 0 < 1 < means["blue"]

# %% [markdown]
# The first two maps follow edges, of strokes and of petals, and most of each is black: behind the convolution stands an activation that lets next to nothing negative pass. Kernel 2 lights up in pale strokes, and all over the blue band, but not in the orange one. Kernel 1 lights up on dark ground. So the first layer already has a channel for the colour that decides the class. It has it at the band, though, and not where the sevens stand.

# %% [markdown]
# ## 5 · The receptive field
#
# One layer of 3 × 3 sees one pixel to each side. The next one sees one pixel to each side of *that*. The pixels of the image that an output can depend on are its **receptive field**.
#
# It follows from the index in (1.1). Row $i$ of $y$ reads the rows $ti - p$ to $ti - p + d(R-1)$ of $x$. So if rows $a$ to $b$ of an output are wanted, the layer needs of its input
#
# $$a \leftarrow t\,a - p, \qquad b \leftarrow t\,b - p + d\,(R-1) \tag{1.3}$$
#
# Start at one pixel of the result and apply (1.3) layer by layer, downwards. A stride multiplies, so everything *above* a stride counts for more than everything below it.
#
# The toy network: five 3 × 3 convolutions, of which the second has stride 2, then two of 1 × 1, then a bilinear enlargement to the size of the image, each of whose pixels is mixed from two rows below. The network's results, three for each pixel, are called **logits**.
#
# **Predict.** How many rows of the image does one logit depend on?
#
# <details><summary>Answer</summary>
#
# 19: 2 rows for the enlargement, and 1 × 1 adds none; three 3 × 3 make it 8; the stride makes of 8 rows $2 \cdot 7 + 3 = 17$, and the first layer adds 2.
#
# </details>

# %%
net = trained("none")
layers = {
    "conv1": net.conv1.conv,
    "conv2": net.conv2.conv,
    "conv3": net.conv3.conv,
    "conv4": net.conv4.conv,
    "refine": net.refine.conv,
    "head": net.head.conv,
    "classify": net.classify,
}


def field(row):
    """For one row of the logits: which rows each layer reads, from the last layer to the first."""
    first = (row - 1) // 2  # bilinear, to twice the size: rows (row - 1) // 2 and the next
    last = first + 1
    read = {"resize": (first, last)}
    for name, conv in reversed(layers.items()):
        t, p = conv.stride[0], conv.padding[0]
        first, last = t * first - p, t * last - p + conv.kernel_size[0] - 1  # (1.3), d = 1
        read[name] = (first, last)
    return read


ROW, COLUMN = 41, 13  # in the seven of the scene
for name, (first, last) in field(ROW).items():
    print(f"{name:9} reads rows {first:2} to {last:2}: {last - first + 1:2} of them")

# %%
fig, ax = plt.subplots(figsize=(3.7, 3.7), layout="constrained")
picture(ax, image, "one logit, and what each layer adds")
for step, name in enumerate(["resize", "refine", "conv4", "conv3", "conv2", "conv1"]):
    (top, bottom), (left, right) = field(ROW)[name], field(COLUMN)[name]
    if name not in ("conv1", "conv2"):  # rows of maps at half the size: twice as far in the image
        top, bottom, left, right = 2 * top, 2 * bottom + 1, 2 * left, 2 * right + 1
    colour = plt.get_cmap("plasma")(0.95 - 0.15 * step)
    box = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1)
    box.set(fill=False, ec=colour, lw=1.8)
    ax.add_patch(box)
ax.axhline(7.5, color="white", lw=1.5, ls=":")
plt.show()

# %% [markdown]
# The field grows from the last layer (yellow) to the first (violet), and the band, rows 0 to 7 above the dotted line, lies outside: this logit *cannot* know the class of its seven, whatever the weights. [Lesson 9a](09a_context.ipynb) makes a proof of it.
#
# Is that so? Recolour the band, from orange to blue, and look which logits move at all, even in their last bit.
#
# **Predict.** In which rows of the result do logits move, in the network without attention? And in the one with ARM?
#
# <details><summary>Answer</summary>
#
# Without attention those whose field reaches up to row 7, by (1.3) rows 0 to 16. With ARM all 64: its convolutions have the same windows, but its pool takes a mean over the whole image, and that reaches everywhere.
#
# </details>


# %%
def moved_logits(attention):
    either = [Scenes("test").batch([SCENE], band)[0] for band in (0, 1)]
    with kernels.specification():  # the readable convolution: equal inputs give equal bits
        orange, blue = (trained(attention)(x)[0] for x in either)
    return np.any(orange != blue, axis=(0, 1, 3))  # for each row


moved = {attention: moved_logits(attention) for attention in ("none", "arm")}
reach = [row for row in range(64) if field(row)["conv1"][0] <= 7]
print("(1.3) says: rows 0 to", reach[-1])
print("none:       rows 0 to", np.flatnonzero(moved["none"])[-1], "move")
print("arm:       ", moved["arm"].sum(), "of 64 rows move")
assert np.array_equal(np.flatnonzero(moved["none"]), reach)


# %%
def show_field(rows):
    size = (2.7 * len(rows), 3)
    _, axes = plt.subplots(1, len(rows), figsize=size, layout="constrained", squeeze=False)
    for ax, row in zip(axes[0], rows, strict=True):
        (top, bottom), (left, right) = field(row)["conv1"], field(COLUMN)["conv1"]
        sees = top <= 7
        colour = COLOURS[1] if sees else COLOURS[0]
        picture(ax, image, f"row {row} reads {max(top, 0)} to {min(bottom, 63)}")
        ax.set_xlabel(
            f"{'sees the band' if sees else 'does not see the band'}\n"
            f"its logits {'move' if moved['none'][row] else 'do not move'}"
        )
        box = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1)
        box.set(fill=False, ec=colour, lw=2.5)
        ax.add_patch(box)
        ax.plot(COLUMN, row, "s", color=colour, mec="white", ms=6)
        ax.axhline(7.5, color="white", lw=1.5, ls=":")
        ax.set(xlim=(-0.5, 63.5), ylim=(63.5, -0.5))
    plt.show()


show_field([4, 14, 22, 46])

# %% [markdown]
# In a running notebook, move the logit down until it loses the band, behind row 16.

# %%
slider = ipywidgets.IntSlider(
    value=12, min=0, max=63, description="row of logit", continuous_update=False
)
_ = ipywidgets.interact(lambda row: show_field([row]), row=slider)

# %% [markdown]
# ## Three questions
#
# 1. A kernel of 5 × 5 at stride 2 on an image of 64 × 64. Which padding gives 32 × 32?
#
# <details><summary>Answer</summary>
#
# $\lfloor (64 + 2p - 5)/2 \rfloor + 1 = 32$ needs $64 + 2p - 5$ to be 62 or 63, so $p = 2$. The rounding hides one unused row.
#
# </details>
#
# 2. Which convolution never looks at a neighbour, and which never at another channel?
#
# <details><summary>Answer</summary>
#
# The 1 × 1 mixes channels and sees one pixel. The depthwise one sees a window and one channel.
#
# </details>
#
# 3. You exchange two layers of the toy network: `conv2`, with its stride, comes after `conv4`. Does the receptive field of a logit grow or shrink?
#
# <details><summary>Answer</summary>
#
# It shrinks. By (1.3) a stride doubles the reach of all layers that come after it. `conv3` and `conv4` would now stand before the stride, and add one pixel to each side instead of two.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | convolution | 卷积 | the weighted sum (1.1), the same at every place |
# | cross-correlation | 互相关 | the exact name of (1.1): the kernel is not flipped |
# | kernel, tap | 卷积核, 抽头 | the table of weights, and one place in it |
# | stride, padding, dilation | 步幅, 填充, 空洞率 | how far it moves, the border, how far its taps lie apart |
# | groups, depthwise | 分组卷积, 逐深度卷积 | parts of the channels that never meet |
# | 1×1, pointwise convolution | 1×1 卷积, 逐点卷积 | a matrix over the channels, the same at every pixel |
# | receptive field | 感受野 | the pixels that an output can depend on |
#
# ## What comes next
#
# [Lesson 1b](01b_convolution_backward.ipynb): what a convolution hands back to its input, its weights and its bias. [Lesson 3a](03a_average_pooling.ipynb) is about the pooling that reaches across the image. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 1 · Convolution and its three gradients
#
# **Goal.** Derive the gradients of a convolution with respect to its input, its weights and its bias, and say which pixels of an image a network can see.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb): backwards, sums over what was repeated, random upstream gradients |
# | Afterwards you can | compute the size of an output in your head · write a convolution with stride, padding and dilation · derive `dx`, `dw` and `db` from one idea · explain three faster ways to the same sum, and why one of them rounds · compute a receptive field and check it by a gradient |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/conv2d.py](../armlab/hand/conv2d.py) · [hand/window.py](../armlab/hand/window.py) · [hand/kernels](../armlab/hand/kernels/__init__.py): [columns](../armlab/hand/kernels/conv2d_columns.py), [pointwise](../armlab/hand/kernels/conv2d_pointwise.py), [rows](../armlab/hand/kernels/conv2d_rows.py), [Winograd](../armlab/hand/kernels/conv2d_winograd.py) · and, at the end, [hand/toy_net.py](../armlab/hand/toy_net.py) |
#
# Equation (1) is that of `conv2d.py`. Its gradients are (d1), one line each.

# %%
import inspect

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.data import Scenes, to_rgb
from armlab.hand import kernels
from armlab.hand.conv2d import conv2d_by_taps
from armlab.hand.kernels import conv2d_columns, conv2d_pointwise, conv2d_rows, conv2d_winograd
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
# $r$ counts the rows of the kernel and $s$ its columns, both from 0. A pair $(r, s)$ is a **tap**.
#
# **Predict.** Here are nine pixels of a photograph, and a kernel. What is the one number that comes out? Is it positive where the picture gets brighter to the right, or where it gets darker?

# %%
photos = photographs()  # (6, 3, 64, 96), 0 ... 1
grey = photos.mean(axis=1, keepdims=True)  # (6, 1, 64, 96)

patch = (100 * grey[0, 0, 30:33, 40:43]).round()
across = np.asarray([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
print("pixels\n", patch)
print("kernel\n", across)

# %%
print("products\n", patch * across)
print("sum", (patch * across).sum())

# %% [markdown]
# The left column is subtracted, the right column added: the sum is positive where it gets brighter to the right. On a flat place it is 0, because the nine weights sum to 0.
#
# **Predict.** Below are four kernels and what they make of a temple. Cover the pictures. Which kernel blurs? Which one finds the horizontal edges of the roof?

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
# In the last three a flat place is 0, a middle grey. A convolution asks the same question at every place. That is its strength, since an edge is an edge wherever it stands, and it makes it cheap: nine numbers, for an image of any size.

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
# $$y_{nkij} = b_k + \sum_{c,r,s} w_{kcrs}\; x_{n,\,c,\;ti+dr-p,\;tj+ds-p} \tag{1}$$
#
# where $x$ is 0 outside. Everything in this lesson follows from the index of $x$ in (1).
#
# **How many outputs?** Look at one axis. With padding it has $H + 2p$ places. The kernel has $R$ taps with $R-1$ gaps of $d$ between them, so it spans $d(R-1)+1$ places. The first window starts at 0. The last one starts at a multiple of $t$, and must still fit:
#
# $$t\,i + d(R-1) + 1 \le H + 2p \quad\Longrightarrow\quad OH = \left\lfloor \frac{H + 2p - d(R-1) - 1}{t} \right\rfloor + 1$$
#
# The $+1$ is the first window, $i = 0$.
#
# **Predict.** A handwritten digit has 8 × 8 pixels. For the four windows in the titles below: how many outputs in each direction? Does any pixel go unseen?


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
# Red is the first window, green the second, blue the last of the row. A dot in a dot is a pixel under both. The dotted line is the edge of the digit, and what lies outside of it is padding. With stride 2 and no padding the last column is under no window: the rounding down left it out. It has no influence, and will receive no gradient.
#
# A padding of $p = d(R-1)/2$ at stride 1 keeps the size. For 3 × 3 that is $p = d$.
#
# The file's geometry is in one small class. `taps` is the heart of it: for every tap, the slice of the padded image that this tap meets, over all outputs at once.

# %%
source(Window.output_size, Window.taps)

# %% [markdown]
# ### Exercise 1 · `output_size`
#
# ★☆☆ · 5 minutes
#
# One axis, five whole numbers. Return how many outputs there are.


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
# **Predict.** Two are right and one is far off. What do the two have in common? Print `np.convolve([0, 0, 1, 0, 0], [1, 2, 3])`, and think what sliding `[1, 2, 3]` over that 1 ought to give.
#
# Then write the convolution yourself, for batches and channels. `x` is `(N, C, H, W)` and `w` is `(K, C, R, S)`: each of the $K$ outputs has a kernel for each of the $C$ inputs, and sums over them. `stride`, `padding` and `dilation` are pairs, for rows and for columns.


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
# The bug: `np.convolve` **flips** its second argument before it slides it along. That is what mathematicians call a convolution. It is why a single 1 answers with `1 2 3`. Slide `[1, 2, 3]` as it stands, and the 1 meets first the 3, then the 2, then the 1. The convolution of networks does not flip; strictly, it is a **cross-correlation**. A kernel that is symmetric from left to right, such as *blur* and *down*, hides the difference. A network that learns its weights hides it as well: it learns them flipped. Only weights from elsewhere show it.
#
# </details>

# %% tags=["check"]
check.exercise("conv2d_forward", conv2d_forward)

# %% [markdown]
# ## 3 · Channels, groups, and 1 × 1
#
# Take one tap of (1) and forget the rest: $\sum_c w_{kc}\, x_c$. That is a matrix times a vector, with the channels of one pixel as the vector. So a tap is a $K \times C$ matrix, and a convolution is $R \cdot S$ matrix products, added.
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
# **Groups** cut the channels into $g$ parts that never meet: outputs of part 1 see inputs of part 1 only. It saves a factor $g$ in weights and in products. With $g = C$, called **depthwise**, each channel has a kernel of its own.
#
# **Predict.** 32 channels in, 32 out, 3 × 3. How many weights with 1, 4 and 32 groups?

# %%
x8 = rng.standard_normal((2, 8, 9, 10))
for groups in (1, 4, 32):
    print(groups, "groups:", hand.Conv2d(32, 32, 3, groups=groups, bias=False, rng=0).weight.size)

w8 = rng.standard_normal((6, 4, 3, 3))  # K = 6 outputs, 2 groups of 4 inputs
y, _ = hand.conv2d(x8, w8, groups=2)
apart = [hand.conv2d(x8[:, 4 * g : 4 * g + 4], w8[3 * g : 3 * g + 3])[0] for g in (0, 1)]
compare("2 groups", y, np.concatenate(apart, axis=1))

# %% [markdown]
# ## 4 · Three gradients
#
# Now backward, at length. The forward is taken apart into five steps, and all gradients follow from rules of lesson 0. Write $o$ for an output place $(i, j)$.
#
# $$\begin{aligned}
# \text{pad:} &\quad P = x \text{ with zeros around it} \\
# \text{look:} &\quad q^{rs}_{nco} = P \text{ at the pixels that tap } (r,s) \text{ meets} \\
# \text{multiply:} &\quad v^{rs}_{nko} = \textstyle\sum_c w_{kcrs}\, q^{rs}_{nco} \\
# \text{add:} &\quad u_{nko} = \textstyle\sum_{r,s} v^{rs}_{nko} \\
# \text{bias:} &\quad y_{nko} = u_{nko} + b_k
# \end{aligned}$$
#
# Upwards, with $dy$ given:
#
# **Bias and add.** $b_k$ was repeated at every place of every image, so it collects a sum. A sum hands its gradient to each term as it is.
#
# $$db_k = \sum_{n,o} dy_{nko}, \qquad du = dy, \qquad dv^{rs} = du$$
#
# **Multiply.** A product of two factors: each receives $dv$ times the other. One weight was used by all images at all places, so it collects a sum over those. One pixel fed all $K$ outputs, so it collects a sum over those.
#
# $$dw_{kcrs} = \sum_{n,o} dv^{rs}_{nko}\; q^{rs}_{nco}, \qquad dq^{rs}_{nco} = \sum_k w_{kcrs}\; dv^{rs}_{nko}$$
#
# **Look.** The taps look at the same image. A pixel of $P$ that several taps met, under windows that overlap, was used several times: its gradients add up.
#
# $$dP \mathrel{+}= dq^{rs} \quad\text{at the pixels that tap } (r,s) \text{ met, for every tap}$$
#
# **Pad.** The zeros are constants. Cut them off: $dx = dP$ without its border.
#
# **Predict.** In which of these steps does $x$ have to be known? In which $w$?

# %%
options = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
x, w, b = photos[:2], rng.standard_normal((4, 3, 3, 2)), rng.standard_normal(4)
y, backward = hand.conv2d(x, w, b, **options)
dy = rng.standard_normal(y.shape)
print("x", x.shape, " w", w.shape, " y", y.shape)

window = Window.of((3, 2), **options)
taps = list(window.taps(y.shape[2:]))
P = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)))
q = np.stack([P[tap] for _, _, tap in taps])  # (taps, N, C, OH, OW)
v = np.stack([np.einsum("kc,ncij->nkij", w[:, :, r, s], q[a]) for a, (r, s, _) in enumerate(taps)])
u = v.sum(axis=0)

db = dy.sum(axis=(0, 2, 3))
du = dy
dv = np.broadcast_to(du, v.shape)
dw, dq, dP = np.zeros_like(w), np.zeros_like(q), np.zeros_like(P)
for a, (r, s, tap) in enumerate(taps):
    dw[:, :, r, s] = np.einsum("nkij,ncij->kc", dv[a], q[a])
    dq[a] = np.einsum("kc,nkij->ncij", w[:, :, r, s], dv[a])
    dP[tap] += dq[a]
dx = dP[:, :, 1:-1, 2:-2]

# %% [markdown]
# Only one step needs values to go back: *multiply* needs $q$ for $dw$ and $w$ for $dq$. The others only move numbers, add them or cut them off. PyTorch is asked for the gradient of every name.

# %%
t = {name: torch.tensor(a, requires_grad=True) for name, a in {"x": x, "w": w, "b": b}.items()}
t["P"] = torch.nn.functional.pad(t["x"], (2, 2, 1, 1))
t["q"] = torch.stack([t["P"][tap] for _, _, tap in taps])
w_taps = torch.stack([t["w"][:, :, r, s] for r, s, _ in taps])
t["v"] = torch.einsum("akc,ancij->ankij", w_taps, t["q"])
t["u"] = t["v"].sum(0)
y_torch = t["u"] + t["b"][:, None, None]

names = ["b", "u", "v", "w", "q", "P", "x"]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
compare("y", y, y_torch)
for name, mine, theirs in zip(names, [db, du, dv, dw, dq, dP, dx], grads, strict=True):
    compare(f"d{name}", mine, theirs)
compare("F.conv2d", y, torch.nn.functional.conv2d(t["x"], t["w"], t["b"], **options))

# %% [markdown]
# ### Collapsed
#
# Put the steps together and write the indices out. With $h = ti + dr - p$ and $l = tj + ds - p$ for the row and column of the pixel that tap $(r,s)$ of window $(i,j)$ meets:
#
# $$dw_{kcrs} = \sum_{n,i,j} dy_{nkij}\; x_{nchl}, \qquad dx_{nchl} = \sum_{\substack{k,r,s,i,j \\ \text{meeting at } (h,l)}} w_{kcrs}\; dy_{nkij}, \qquad db_k = \sum_{n,i,j} dy_{nkij} \tag{d1}$$
#
# All three read the same: **take every product $w\,x$ that (1) formed. It sends $dy \cdot w$ to its $x$, and $dy \cdot x$ to its $w$.** The rest is bookkeeping. Here is the file. In each direction it is one loop over the taps.

# %%
source(conv2d_by_taps)

# %%
dx_file, dw_file, db_file = backward(dy)
compare("dx", dx_file, dx)
compare("dw", dw_file, dw)
compare("db", db_file, db)
print(check.adjoint(lambda x, w, b: hand.conv2d(x, w, b, **options), x, w, b))

# %% [markdown]
# ### dw looks at x with dy
#
# **Predict.** In (d1), $dw_{rs}$ is a sum over places of $dy$ times a shifted $x$. When is it large?
#
# An example. Let the loss ask for more brightness where a digit has ink: $dy$ is the digit. The gradient of a 3 × 3 kernel then says how bright the picture is around the ink, one number for each direction.

# %%
seven = digits.images[7] / 16
x = np.pad(seven, 1)[np.newaxis, np.newaxis]  # (1, 1, 10, 10), also the picture
y, backward = hand.conv2d(x, np.ones((1, 1, 3, 3)))
_, dw, _ = backward(seven[np.newaxis, np.newaxis])

fig, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
feature_map(axes[0], x[0, 0], "x, with a border")
gradient_map(axes[1], seven, "dy: the same seven")
gradient_map(axes[2], dw[0, 0], "dw")
numbers(axes[2], dw[0, 0], "{:.1f}")
plt.show()

# %% [markdown]
# The centre is largest: there $x$ and $dy$ lie on top of each other. The next are above and below it, and along the slant of the seven, where a shifted seven still covers itself. `dw` is the correlation of what came in with what is asked for.
#
# ### Exercise 3 · `conv_dw`
#
# ★★☆ · 10 minutes
#
# From `dy` of shape `(N, K, OH, OW)` and `padded`, the $P$ above, compute `dw`. `kernel`, `stride` and `dilation` are pairs.


# %% tags=["exercise"]
def conv_dw(dy, padded, kernel, stride, dilation):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def conv_dw(dy, padded, kernel, stride, dilation):
#     (n, k, oh, ow), c = dy.shape, padded.shape[1]
#     (t, u), (d, e) = stride, dilation
#     dw = np.zeros((k, c, *kernel))
#     for r in range(kernel[0]):
#         for s in range(kernel[1]):
#             rows = slice(d * r, d * r + t * (oh - 1) + 1, t)
#             columns = slice(e * s, e * s + u * (ow - 1) + 1, u)
#             dw[:, :, r, s] = np.einsum("nkij,ncij->kc", dy, padded[:, :, rows, columns])
#     return dw
# ```
#
# The letters on the left of the arrow that are missing on the right are summed: images and places. The weight was shared by all of them. Divide by N, and see what the check says.
#
# </details>

# %% tags=["check"]
check.exercise("conv_dw", conv_dw)

# %% [markdown]
# ### dx stamps the kernel
#
# **Predict.** Only one number of $dy$ differs from 0. What does $dx$ look like? And with two such numbers, 2 pixels apart?

# %%
x = np.zeros((1, 1, 12, 18))
w = np.asarray([[1.0, 2.0, 3.0], [0.0, -1.0, 0.0], [0.0, -2.0, -1.0]])[np.newaxis, np.newaxis]
y, backward = hand.conv2d(x, w, padding=1)
dy = np.zeros_like(y)
dy[0, 0, 3, 3] = dy[0, 0, 7, 9] = dy[0, 0, 7, 11] = 1  # ones on purpose: to see the stamps
dx, _, _ = backward(dy)

fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for ax, g, title in [(axes[0], dy, "dy"), (axes[1], dx, "dx")]:
    gradient_map(ax, g[0, 0], title, limit=4)
    numbers(ax, g[0, 0], "{:g}", skip=0)
plt.show()

# %% [markdown]
# Each number of $dy$ presses the kernel into $dx$, right way up, at the window where it was computed. Where two stamps overlap they add: 3 and 1 make 4.
#
# Seen from a pixel, the same sum runs the other way: it collects what the windows above it send, and a window that starts further *up* meets the pixel with a tap further *down*. So at stride 1, $dx$ is again a convolution, of a padded $dy$, with the kernel flipped and its two channel axes exchanged:

# %%
x, w = photos[:2], rng.standard_normal((4, 3, 3, 3))
y, backward = hand.conv2d(x, w, padding=1)
dy = rng.standard_normal(y.shape)
flipped = w[:, :, ::-1, ::-1].swapaxes(0, 1).copy()  # (C, K, R, S)
compare("flipped", hand.conv2d(dy, flipped, padding=1)[0], backward(dy)[0])

# %% [markdown]
# With a stride this form needs zeros between the numbers of $dy$. Stamps need nothing.
#
# How often a pixel is stamped is how many windows it lies under. With $w$ and $dy$ all ones, $dx$ counts them.
#
# **Predict.** 3 × 3 windows on 9 × 9 pixels. What are the counts at stride 1, in the middle and at the edge? At stride 2? At stride 3?

# %%
ones = np.ones((1, 1, 9, 9))  # ones on purpose: they count windows, they test nothing
cases = [{}, {"padding": 1}, {"stride": 2}, {"stride": 2, "padding": 1}, {"stride": 3}]
fig, axes = plt.subplots(1, 5, figsize=(13, 2.9), layout="constrained")
for ax, case in zip(axes, cases, strict=True):
    y, backward = hand.conv2d(ones, np.ones((1, 1, 3, 3)), **case)
    count = backward(np.ones_like(y))[0][0, 0]
    ax.imshow(count, cmap="Blues", vmin=0, vmax=14, interpolation="nearest")
    numbers(ax, count, "{:.0f}")
    words = ", ".join(f"{name} {value}" for name, value in case.items()) or "stride 1"
    ax.set(xticks=[], yticks=[])
    ax.set_title(words, fontsize=10)
plt.show()

# %% [markdown]
# At stride 2 neighbours are treated unequally: 4, 2 or 1 windows, in a checkerboard. The gradient of a strided convolution carries this pattern, and it is visible. Here is $dx$ of a photograph for the loss $\tfrac12 \sum y^2$, with the edge kernels:

# %%
fig, axes = plt.subplots(1, 4, figsize=(12, 2.1), layout="constrained")
x = grey[0:1]
feature_map(axes[0], x[0, 0], "x")
both = np.stack([edges["across"], edges["down"]])[:, np.newaxis]  # (2, 1, 3, 3)
for ax, stride in zip(axes[1:], (1, 2, 3), strict=True):
    y, backward = hand.conv2d(x, both, stride=stride)
    dx, _, _ = backward(y)  # dy = y for this loss
    gradient_map(ax, dx[0, 0, :32, :48], f"dx, stride {stride} (upper left quarter)")
plt.show()

# %% [markdown]
# ### Exercise 4 · `conv_dx`
#
# ★★★ · 15 minutes
#
# From `dy` and `w` compute `dx`, of the given `shape` `(N, C, H, W)`. Write down first: what would happen to a pixel under nine windows, if `+=` were `=`?


# %% tags=["exercise"]
def conv_dx(dy, w, shape, stride, padding, dilation):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def conv_dx(dy, w, shape, stride, padding, dilation):
#     (n, c, height, width), (oh, ow) = shape, dy.shape[2:]
#     (t, u), (p, q), (d, e) = stride, padding, dilation
#     dpadded = np.zeros((n, c, height + 2 * p, width + 2 * q))
#     for r in range(w.shape[2]):
#         for s in range(w.shape[3]):
#             rows = slice(d * r, d * r + t * (oh - 1) + 1, t)
#             columns = slice(e * s, e * s + u * (ow - 1) + 1, u)
#             dpadded[:, :, rows, columns] += np.einsum("kc,nkij->ncij", w[:, :, r, s], dy)
#     return dpadded[:, :, p : p + height, q : q + width]
# ```
#
# With `=` only the last of nine taps would be left, and $dx$ would be $dy$ shifted, times one matrix. It has the right shape and the right size of numbers. Within one tap no pixel is met twice, so `+=` on a slice loses nothing.
#
# </details>

# %% tags=["check"]
check.exercise("conv_dx", conv_dx)

# %% [markdown]
# ## 5 · The same sum in another order
#
# The loop over taps can be read. It is not fast: it copies a slice for each tap, and adds each product into `y` on its own. Beside the readable convolution stand four others. They form the same sums, in another order, or with other products. A small table says which one runs.

# %%
source(kernels.choose)
for row in kernels.TABLE:
    if row.function == "conv2d":
        module = inspect.getmodule(row.run)
        print(module.__name__.rsplit(".", 1)[1], " ", module.__doc__.splitlines()[0])

# %% [markdown]
# **Pointwise.** A 1 × 1 convolution is a matrix product for each image (section 3). There is nothing to copy.
#
# **Columns**, known as *im2col*. Lay the pixels under the kernel below each other, one column for each window. Then the whole convolution is one matrix product, and matrix products are what libraries do best. The price is the copy: each pixel is written once for every window that it lies under.
#
# **Predict.** A digit of 8 × 8, a kernel of 3 × 3, no padding. What shape has the matrix of columns? How many numbers is that, for 64 pixels?

# %%
columns = np.stack([digit[r : r + 6, s : s + 6].ravel() for r in range(3) for s in range(3)])
y, _ = hand.conv2d(digit[np.newaxis, np.newaxis], across[np.newaxis, np.newaxis])
compare("columns", (across.ravel() @ columns).reshape(6, 6), y[0, 0])

fig, axes = plt.subplots(1, 4, figsize=(12, 2.4), layout="constrained", width_ratios=[1, 1.3, 4, 1])
feature_map(axes[0], digit, "x  8 × 8")
gradient_map(axes[1], across.reshape(1, 9), "w  1 × 9")
feature_map(axes[2], columns, f"columns  {columns.shape[0]} × {columns.shape[1]}")
axes[2].plot([7, 7], [-0.5, 8.5], color=COLOURS[1], lw=2)
feature_map(axes[3], y[0, 0], "y  6 × 6")
axes[0].add_patch(Rectangle((0.5, 0.5), 3, 3, fill=False, ec=COLOURS[1], lw=2))
axes[3].add_patch(Rectangle((0.5, 0.5), 1, 1, fill=False, ec=COLOURS[1], lw=2))
plt.show()

# %% [markdown]
# Green: one window, its column, its output. 64 pixels have become 324 numbers. For large images they would be nine times the image, so the file makes the columns for a few rows at a time.
#
# **Rows by addition.** Copy less: only the three shifts along a row. One product gives, for each kernel row $r$, what it contributes at every image row. The three contributions are then added, each moved up by $r$, which needs no copy at all.

# %%
down = edges["down"]
parts = [hand.conv2d(temple, down[r : r + 1][np.newaxis, np.newaxis])[0][0, 0] for r in range(3)]
moved = sum(part[r : r + 62] for r, part in enumerate(parts))
compare("rows", moved, hand.conv2d(temple, down[np.newaxis, np.newaxis])[0][0, 0])

fig, axes = plt.subplots(1, 4, figsize=(11, 2), layout="constrained")
for r in range(3):
    words = " ".join(f"{value:g}" for value in down[r])
    gradient_map(axes[r], parts[r], f"row {r} of the kernel: {words}", limit=4)
gradient_map(axes[3], moved, "moved up by r and added", limit=4)
plt.show()

# %% [markdown]
# **Winograd.** The three before form the same products. This one forms fewer. Four outputs of a kernel of three read six inputs, and need $4 \cdot 3 = 12$ products. Winograd (1980) showed that six suffice, because a convolution multiplies polynomials, and a product of polynomials can be computed by evaluating both at six points, multiplying there, and interpolating. With matrices $A$, $G$, $B$ that are known beforehand,
#
# $$y = A\,\big[(G\,g) \cdot (B\,d)\big]$$
#
# where the dot multiplies six numbers with six numbers. In the file, $d$ are rows of an image and each "product" is a whole matrix product over all channels, so that half of the work is saved. In numbers, for six pixels of a column and one kernel:

# %%
A, G, B = conv2d_winograd.matrices(np.dtype("float32"))
d = np.asarray([101, 98, 45, 44, 120, 131], dtype="float32")
g = np.asarray([1, 2, 1], dtype="float32")
products = (G @ g) * (B @ d)
print("six products ", products)
print("by Winograd  ", A @ products)
print("twelve       ", np.stack([g @ d[i : i + 3] for i in range(4)]))

# %% [markdown]
# **Predict.** All numbers that go in are whole. Why are those that come out of Winograd not?
#
# The entries of $A$, $G$ and $B$ are fractions such as $2/3$ and $4/9$, which no float holds exactly. On paper they cancel at the end; in floats they leave a remainder. The other orders add and multiply whole numbers only, and as long as no sum exceeds $2^{24}$, a float32 holds every partial sum *exactly*, in whatever order. That makes a sharp test: on small whole numbers a right convolution is right to the last bit.

# %%
x = rng.integers(-8, 9, (2, 8, 12, 13)).astype(float)
w = rng.integers(-8, 9, (9, 8, 3, 3)).astype(float)
window, pointwise = Window.of(3, padding=1), Window.of(1)
for kernel in (conv2d_columns, conv2d_rows, conv2d_winograd, conv2d_pointwise):
    shape, weights = (pointwise, w[:, :, :1, :1]) if kernel is conv2d_pointwise else (window, w)
    y, _ = conv2d_by_taps(x, weights, shape, 1)
    compare(kernel.__name__.rsplit("_", 1)[1], kernel.conv2d(x, weights, shape)[0], y)

# %% [markdown]
# The same on photographs, in float32, with pixels of 0 to 255 and whole weights. The maps show how far each version is from the readable one.

# %%
x = (255 * photos[3:4]).round().astype("float32")
x = np.tile(x, (1, 3, 1, 1))[:, :8]  # eight channels: red, green, blue, red ...
w = rng.integers(-8, 9, (8, 8, 3, 3)).astype("float32")
y, _ = conv2d_by_taps(x, w, window, 1)
fig, axes = plt.subplots(1, 4, figsize=(12, 2.1), layout="constrained")
feature_map(axes[0], y[0, 0], f"y[0, 0]: {y[0, 0].min():.0f} … {y[0, 0].max():.0f}")
for ax, kernel in zip(axes[1:], (conv2d_columns, conv2d_rows, conv2d_winograd), strict=True):
    off = (kernel.conv2d(x, w, window)[0] - y)[0, 0]
    name = kernel.__name__.rsplit("_", 1)[1]
    drawn = gradient_map(ax, off, f"{name}: off by {np.abs(off).max():.1g}", limit=4e-3)
fig.colorbar(drawn, ax=axes[3], shrink=0.9)
plt.show()

# %% [markdown]
# Two white maps, and one with the grain of rounding. It is small, and how small is known beforehand: `armlab/check/cases/conv2d.py` bounds it, and the tests hold it to that.
#
# So the roles are fixed. **The readable convolution is the specification**: the fast ones must equal it, exactly where their sums are exact and within a bound elsewhere. And what rests on equal bits runs the readable one. The next section has such a case.

# %% [markdown]
# ## 6 · What a trained filter looks for
#
# The lessons keep two small networks that `armlab train` has trained, one with ARM and one without. Their first layer has 16 kernels of 3 × 3 for red, green and blue. As each kernel has three colours, it can be drawn as a picture: grey is 0.
#
# **Predict.** Nobody told these kernels what to look for. The classes depend on the strokes of digits and on the colour of a band along the top. What would you expect?

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
    picture(ax, 0.5 + w[k] / (2 * np.abs(w[k]).max()), f"kernel {k}")
fig, axes = plt.subplots(1, 5, figsize=(12, 2.6), layout="constrained")
picture(axes[0], image, "a scene")
for ax, k in zip(axes[1:], shown, strict=True):
    feature_map(ax, y[0, k], f"map of kernel {k}")
plt.show()

# %%
for band, name in enumerate(("orange", "blue")):
    y, _ = net.copy().conv1(Scenes("test").batch([SCENE], band)[0])
    mean = y[0, :, 1:7].mean(axis=(1, 2))
    print(f"mean in the band, {name:6}: kernel 0 {mean[0]:5.2f}   kernel 1 {mean[1]:5.2f}")

# %% [markdown]
# The kernels look like nothing in particular; their maps do not. The first two maps follow edges, of strokes and of petals, and most of them is black: behind the convolution stands an activation that lets next to nothing negative pass. Kernel 1 lights up in pale strokes, and all over a blue band, but not in an orange one. Kernel 0 lights up on dark ground. So the first layer already has a channel for the colour that decides the class. It has it at the band, though, and not where the sevens stand.

# %% [markdown]
# ## 7 · The receptive field
#
# One layer of 3 × 3 sees one pixel to each side. The next one sees one pixel to each side of *that*. The pixels of the image that an output can depend on are its **receptive field**.
#
# It follows from the index in (1). Row $i$ of $y$ reads the rows $ti - p$ to $ti - p + d(R-1)$ of $x$. So if rows $a$ to $b$ of an output are wanted, the layer needs of its input
#
# $$a \leftarrow t\,a - p, \qquad b \leftarrow t\,b - p + d\,(R-1) \tag{2}$$
#
# Start at one pixel of the result and apply (2) layer by layer, downwards. A stride multiplies, so everything *below* a stride counts less than everything above it.
#
# The toy network: five 3 × 3 convolutions, of which the second has stride 2, then two of 1 × 1, then a bilinear enlargement to the size of the image, each of whose pixels reads two rows below.
#
# **Predict.** How many rows of the image does one logit depend on?

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
        first, last = t * first - p, t * last - p + conv.kernel_size[0] - 1  # (2), d = 1
        read[name] = (first, last)
    return read


for name, (first, last) in field(41).items():
    print(f"{name:9} reads rows {first:2} to {last:2}: {last - first + 1:2} of them")

# %% [markdown]
# Now test it. The gradient of one logit with respect to the image must be 0 outside of this window, since nothing there was used; and inside, in general, it is not. The logit is that of class A, in the middle of a seven. One number of $dy$ is 1.
#
# **Predict.** By (2) the rows are 32 to 50. What might a fast convolution make of "must be 0"?

# %%
ROW, COLUMN = 41, 13  # in the seven of the scene


def gradient_of_logit(net):
    y, backward = net.copy()(scene)
    dy = np.zeros_like(y)
    dy[0, 1, ROW, COLUMN] = 1  # one logit, on purpose: its gradient is asked for
    return np.abs(backward(dy)[0][0]).max(axis=0)  # (64, 64), the largest of the colours


top, bottom = field(ROW)["conv1"]
print("computed:                 rows", top, "to", bottom)
fast = gradient_of_logit(net)
rows = np.flatnonzero(fast.max(axis=1))
print("gradient, fast:           rows", rows[0], "to", rows[-1])
outside = np.delete(fast, np.s_[top : bottom + 1], axis=0).max()
print(f"   largest inside {fast.max():.1e}, outside {outside:.1e}")
with kernels.specification():  # no kernel runs, only what is read
    exact = gradient_of_logit(net)
rows = np.flatnonzero(exact.max(axis=1))
print("gradient, specification:  rows", rows[0], "to", rows[-1])

# %% [markdown]
# The fast versions claim a window that is too tall. Winograd adds numbers that should cancel to 0, and a remainder of rounding is left, in whole tiles of rows. It is less than a ten-millionth of the rest, and harmless in a training. But "exactly 0" is a claim about bits, and so it is made with the specification, where 0 is 0.
#
# In these scenes a seven is of class A or of class B, and only the colour of the band in rows 0 to 7 says which. Lesson 9 trains on them. The picture shows how the field grows from the last layer (yellow) to the first (violet), and the gradient in it.

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
picture(axes[0], image, "one logit, and what each layer adds")
names = ["resize", "refine", "conv4", "conv3", "conv2", "conv1"]
for step, name in enumerate(names):
    (top, bottom), (left, right) = field(ROW)[name], field(COLUMN)[name]
    if name not in ("conv1", "conv2"):  # rows of maps at half the size: twice as far in the image
        top, bottom, left, right = 2 * top, 2 * bottom + 1, 2 * left, 2 * right + 1
    colour = plt.get_cmap("plasma")(0.95 - 0.15 * step)
    box = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1)
    box.set(fill=False, ec=colour, lw=1.8)
    axes[0].add_patch(box)
axes[0].axhline(7.5, color="white", lw=1.5, ls=":")
for ax, name in zip(axes[1:], ("none", "arm"), strict=True):
    with kernels.specification(), np.errstate(divide="ignore"):
        g = gradient_of_logit(trained(name))
        drawn = ax.imshow(np.log10(g), cmap="viridis", vmin=-7, vmax=0, interpolation="nearest")
    ax.set(xticks=[], yticks=[], facecolor="white")
    ax.axhline(7.5, color="0.3", lw=1.5, ls=":")
    ax.set_title(f"|dx| of that logit, attention {name!r}", fontsize=10)
fig.colorbar(drawn, ax=axes[2], shrink=0.8, label="log₁₀")
plt.show()

# %% [markdown]
# White is exactly 0. Without attention the window ends long before the band: this logit *cannot* know the class of its seven, whatever the weights. With ARM every pixel has a gradient. Its convolutions have the same windows. What reaches across the image is the one global pooling, which lesson 3 is about.
#
# The forward says the same. Recolour the band, from orange to blue, and look which logits move at all, even in their last bit. Here the readable convolution runs, so that equal inputs give equal bits.


# %%
def moved_logits(attention):
    either = [Scenes("test").batch([SCENE], band)[0] for band in (0, 1)]
    with kernels.specification():
        orange, blue = (trained(attention)(x)[0] for x in either)
    return np.any(orange != blue, axis=(0, 1, 3))  # for each row


moved = {attention: moved_logits(attention) for attention in ("none", "arm")}
reach = [row for row in range(64) if field(row)["conv1"][0] <= 7]
print("(2) says: rows 0 to", reach[-1])
print("none:     rows 0 to", np.flatnonzero(moved["none"])[-1], "move")
print("arm:     ", moved["arm"].sum(), "of 64 rows move")


# %%
def show_field(rows):
    _, axes = plt.subplots(
        1, len(rows), figsize=(2.7 * len(rows), 3), layout="constrained", squeeze=False
    )
    for ax, row in zip(axes[0], rows, strict=True):
        (top, bottom), (left, right) = field(row)["conv1"], field(COLUMN)["conv1"]
        sees = top <= 7
        colour = COLOURS[1] if sees else COLOURS[0]
        picture(ax, image, f"row {row} reads {max(top, 0)} to {min(bottom, 63)}")
        ax.set_xlabel(
            f"{'sees the band' if sees else 'does not see the band'}\n"
            f"its logits {'move' if moved['none'][row] else 'do not move'}"
        )
        ax.add_patch(
            Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False,
                      ec=colour, lw=2.5)
        )  # fmt: skip
        ax.plot(COLUMN, row, "s", color=colour, mec="white", ms=6)
        ax.axhline(7.5, color="white", lw=1.5, ls=":")
        ax.set(xlim=(-0.5, 63.5), ylim=(63.5, -0.5))
    plt.show()


show_field([4, 14, 22, 46])

# %% [markdown]
# In a running notebook, move the logit down until it loses the band. At which row is that?

# %%
slider = ipywidgets.IntSlider(
    value=12, min=0, max=63, description="row of logit", continuous_update=False
)
_ = ipywidgets.interact(lambda row: show_field([row]), row=slider)

# %% [markdown]
# ## Five questions
#
# 1. A kernel of 5 × 5 at stride 2 on an image of 64 × 64. Which padding gives 32 × 32?
#
# <details><summary>Answer</summary>
#
# $\lfloor (64 + 2p - 5)/2 \rfloor + 1 = 32$ needs $2p - 5 \in \{-2, -1\}$, so $p = 2$. The rounding hides one unused row.
#
# </details>
#
# 2. Why does the backward of a convolution keep `x`, and the backward of a bias not?
#
# <details><summary>Answer</summary>
#
# A weight multiplied $x$, so $dw$ is $dy$ times $x$. The bias was added: its gradient does not depend on any value, only on how often it was used.
#
# </details>
#
# 3. A layer's input is the photograph itself. Which of the three gradients is needless?
#
# <details><summary>Answer</summary>
#
# `dx`: nobody differentiates the photograph. `backward(dy, input_grad=False)` spares it, about half of the products of the backward.
#
# </details>
#
# 4. On whole numbers, a fast convolution differs from the readable one by $10^{-6}$. Is it wrong?
#
# <details><summary>Answer</summary>
#
# If it only reorders the sum, yes: with small whole numbers every order is exact, so the difference is a mistake. If it is Winograd, the difference is expected, and the question is whether it stays below its bound.
#
# </details>
#
# 5. You exchange two layers of the toy network: `conv2`, with its stride, comes after `conv4`. Does the receptive field of a logit grow or shrink?
#
# <details><summary>Answer</summary>
#
# It shrinks. By (2) a stride doubles the reach of all layers that come after it. `conv3` and `conv4` would now stand before the stride, and add one pixel to each side instead of two.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | convolution | 卷积 | the weighted sum (1), the same at every place |
# | cross-correlation | 互相关 | the exact name of (1): the kernel is not flipped |
# | kernel, tap | 卷积核, 抽头 | the table of weights, and one place in it |
# | stride, padding, dilation | 步幅, 填充, 空洞率 | how far it moves, the border, how far its taps lie apart |
# | groups, depthwise | 分组卷积, 逐深度卷积 | parts of the channels that never meet |
# | 1×1, pointwise convolution | 1×1 卷积, 逐点卷积 | a matrix over the channels, the same at every pixel |
# | receptive field | 感受野 | the pixels that an output can depend on |
# | im2col | 按列展开 | windows as the columns of a matrix |
# | Winograd convolution | Winograd 卷积 | the same sums from half of the products |
# | backward | 反向传播 | the function $dy \mapsto dx, dw, db$ |
#
# ## What comes next
#
# [Lesson 2: batch normalisation](02_batch_norm.ipynb) is what follows each convolution of these networks. [Lesson 3: pooling](03_pooling.ipynb) uses the same windows, and the one pooling that reaches across the image. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

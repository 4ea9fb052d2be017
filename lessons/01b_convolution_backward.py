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
# # 1b · The three gradients of a convolution
#
# **Goal.** Derive what a convolution hands back to its input, its weights and its bias, and see each of the three.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): backwards, sums over what was repeated · [lesson 1a](01a_convolution.ipynb): stride, padding and dilation |
# | Afterwards you can | derive `dx`, `dw` and `db` from one idea · write them as loops over the taps · say what `dw` measures and what `dx` stamps · explain the pattern of a strided convolution · check a receptive field by a gradient |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/conv2d.py](../armlab/hand/conv2d.py) · and, at the end, [hand/toy_net.py](../armlab/hand/toy_net.py) |
#
# Lesson 1a has the convolution forward. With stride $t$, padding $p$ and dilation $d$ it is (1.1),
#
# $$y_{nkij} = b_k + \sum_{c,r,s} w_{kcrs}\; x_{n,\,c,\;ti+dr-p,\;tj+ds-p}$$
#
# with $x = 0$ outside. A pair $(r, s)$ is a tap of the kernel, and a tap is a $K \times C$ matrix.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.data import Scenes, to_rgb
from armlab.hand import kernels
from armlab.hand.conv2d import conv2d_by_taps
from armlab.hand.window import Window
from tools import compare, photographs, source, trained
from tools import feature_map, gradient_map, numbers, picture

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Five steps, read upwards
#
# The forward is taken apart into five steps, and all gradients follow from the rules of lesson 0a. Write $o$ for an output place $(i, j)$.
#
# $$\begin{aligned}
# \text{pad:} &\quad P = x \text{ with zeros around it} \\
# \text{look:} &\quad q^{rs}_{nco} = P \text{ at the pixels that tap } (r,s) \text{ meets} \\
# \text{multiply:} &\quad v^{rs}_{nko} = \textstyle\sum_c w_{kcrs}\, q^{rs}_{nco} \\
# \text{add:} &\quad u_{nko} = \textstyle\sum_{r,s} v^{rs}_{nko} \\
# \text{bias:} &\quad y_{nko} = u_{nko} + b_k
# \end{aligned} \tag{1.4}$$
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
#
# <details><summary>Answer</summary>
#
# Only *multiply* needs values to go back: $q$, which is $x$, for $dw$, and $w$ for $dq$. The others only move numbers, add them or cut them off.
#
# </details>

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
# `taps` gives for each tap the slice of $P$ that it meets, over all outputs at once. PyTorch is asked for the gradient of every name.

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
# $$\begin{aligned}
# dw_{kcrs} &= \sum_{n,i,j} dy_{nkij}\; x_{nchl} \\
# dx_{nchl} &= \sum_{\substack{k,r,s,i,j \\ \text{meeting at } (h,l)}} w_{kcrs}\; dy_{nkij} \\
# db_k &= \sum_{n,i,j} dy_{nkij}
# \end{aligned} \tag{d1.1}$$
#
# They read the same: **take every product $w\,x$ that (1.1) formed. It sends $dy \cdot w$ to its $x$, and $dy \cdot x$ to its $w$.** ($db$ is the same with a factor of 1 in the place of $x$.) The rest is bookkeeping. Here is the file. In each direction it is one loop over the taps. What it calls equation (1) is (1.1).

# %%
source(conv2d_by_taps)

# %%
dx_file, dw_file, db_file = backward(dy)
compare("dx", dx_file, dx)
compare("dw", dw_file, dw)
compare("db", db_file, db)
print(check.adjoint(lambda x, w, b: hand.conv2d(x, w, b, **options), x, w, b))

# %% [markdown]
# The last line is the adjoint identity of [lesson 0b](00b_the_check.ipynb), for all three gradients at once.
#
# ## 2 · dw looks at x with dy
#
# An example. Let the loss be the brightness of $y$ where a digit has ink, $L = \sum_{ij} \text{ink}_{ij}\, y_{ij}$. Then $dy$ is the digit, a seven, and let $x$ be the same picture. The gradient of a 3 × 3 kernel then says how bright the picture is around the ink, one number for each direction.
#
# **Predict.** In (d1.1), $dw_{rs}$ is a sum over places of $dy$ times a shifted $x$. Which of the nine numbers is largest? Which two of the corners are larger than the other two?
#
# <details><summary>Answer</summary>
#
# The centre: there $x$ and $dy$ lie on top of each other. Upper right and lower left: a seven that is shifted along its own slant still covers itself. `dw` is the correlation of what came in with what comes back.
#
# </details>

# %%
digits = load_digits()  # 1,797 real digits, 8 by 8 pixels of 0 ... 16
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
assert dw.argmax() == 4
assert min(dw[0, 0, 0, 2], dw[0, 0, 2, 0]) > max(dw[0, 0, 0, 0], dw[0, 0, 2, 2])

# %% [markdown]
# ### Exercise 1 · `conv_dw`
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
# ## 3 · dx stamps the kernel
#
# **Predict.** Only one number of $dy$ differs from 0. What does $dx$ look like? And with two such numbers, 2 pixels apart?
#
# <details><summary>Answer</summary>
#
# A number of $dy$ presses the kernel into $dx$, right way up, at the window where it was computed. Two stamps that overlap add: in the picture 3 and 1 make 4.
#
# </details>

# %%
x = np.zeros((1, 1, 12, 18))
w = np.asarray([[1.0, 2.0, 3.0], [0.0, -1.0, 0.0], [0.0, -2.0, -1.0]])[np.newaxis, np.newaxis]
y, backward = hand.conv2d(x, w, padding=1)
dy = np.zeros_like(y)
dy[0, 0, 3, 3] = dy[0, 0, 7, 9] = dy[0, 0, 7, 11] = 1  # ones on purpose: to see the stamps
dx, _, _ = backward(dy)
assert np.array_equal(dx[0, 0, 2:5, 2:5], w[0, 0])
assert dx.max() == 4

fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for ax, g, title in [(axes[0], dy, "dy"), (axes[1], dx, "dx")]:
    gradient_map(ax, g[0, 0], title, limit=4)
    numbers(ax, g[0, 0], "{:g}", skip=0)
plt.show()

# %% [markdown]
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
# **Predict.** 3 × 3 windows on 9 × 9 pixels. What are the counts at stride 1, in the middle and in a corner? At stride 2, in the middle? At stride 3?
#
# <details><summary>Answer</summary>
#
# At stride 1: 9 in the middle, and 1 in a corner. At stride 2 neighbours are treated unequally: 4, 2 or 1 windows, in a pattern that repeats every two pixels. At stride 3 the windows lie side by side, and every pixel is under one.
#
# </details>

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
# The gradient of a strided convolution carries this pattern, and it is visible. Here is $dx$ of a photograph for the loss $\tfrac12 \sum y^2$, with two kernels that find edges, across and down:

# %%
across = np.asarray([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
both = np.stack([across, across.T])[:, np.newaxis]  # (2, 1, 3, 3)
x = photos[0:1].mean(axis=1, keepdims=True)
fig, axes = plt.subplots(1, 4, figsize=(12, 2.1), layout="constrained")
feature_map(axes[0], x[0, 0], "x")
for ax, stride in zip(axes[1:], (1, 2, 3), strict=True):
    y, backward = hand.conv2d(x, both, stride=stride)
    dx, _, _ = backward(y)  # dy = y for this loss
    gradient_map(ax, dx[0, 0, :32, :48], f"dx, stride {stride} (upper left quarter)")
plt.show()

# %% [markdown]
# ### Exercise 2 · `conv_dx`
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
# With `=` a pixel under nine windows would keep what the last of nine taps sent, one product in the place of nine. The result has the right shape and numbers of a plausible size. Within one tap no pixel is met twice, so `+=` on a slice loses nothing.
#
# </details>

# %% tags=["check"]
check.exercise("conv_dx", conv_dx)

# %% [markdown]
# ## 4 · What a gradient can reach
#
# Stamps of stamps of stamps: through a whole network, the gradient of one result lies on the pixels that it can depend on, its receptive field. Lesson 1a computed it for the toy network, whose scenes have an orange or a blue band along the top and sevens below. The logit at row 41 and column 13 reads rows 32 to 50 and columns 4 to 22. Now ask the backward: one number of $dy$ is 1, and $dx$ is the gradient of that logit with respect to the image.
#
# **Predict.** Where is this gradient exactly 0, in the network without attention? And in the one with ARM, where the mean over the whole image has a say in each channel?
#
# <details><summary>Answer</summary>
#
# Without attention it is exactly 0 outside of that window, since nothing there was used. With ARM it is 0 nowhere in this scene: through the pool every pixel has a part in every logit.
#
# </details>

# %%
ROW, COLUMN = 41, 13  # in a seven of the scene
scene, _ = Scenes("test").batch([2])


def gradient_of_logit(attention):
    with kernels.specification():  # what is read above runs, in which 0 stays 0
        y, backward = trained(attention)(scene)
        dy = np.zeros_like(y)
        dy[0, 1, ROW, COLUMN] = 1  # one logit, on purpose: its gradient is asked for
        return np.abs(backward(dy)[0][0]).max(axis=0)  # (64, 64), the largest of the colours


g = {attention: gradient_of_logit(attention) for attention in ("none", "arm")}
for axis, name in ((1, "rows"), (0, "columns")):
    reached = np.flatnonzero(g["none"].max(axis=axis))
    print(f"without attention: {name} {reached[0]} to {reached[-1]}")
assert np.count_nonzero(g["none"][32:51, 4:23]) == np.count_nonzero(g["none"])
assert np.all(g["arm"] > 0)

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.7), layout="constrained")
picture(axes[0], to_rgb(scene[0]).transpose(2, 0, 1), "the scene, and the logit")
axes[0].plot(COLUMN, ROW, "s", color="white", mec="black", ms=6)
for ax, (attention, size) in zip(axes[1:], g.items(), strict=True):
    with np.errstate(divide="ignore"):
        drawn = ax.imshow(np.log10(size), cmap="viridis", vmin=-7, vmax=0, interpolation="nearest")
    ax.set(xticks=[], yticks=[], facecolor="white")
    ax.set_title(f"|dx| of that logit, attention {attention!r}", fontsize=10)
for ax in axes:
    ax.axhline(7.5, color="0.5", lw=1.5, ls=":")
fig.colorbar(drawn, ax=axes[2], shrink=0.8, label="log₁₀")
plt.show()

# %% [markdown]
# White is exactly 0. Without attention the window ends long before the band, above the dotted line: no weights can bring the colour of the band to this seven. Both networks have convolutions with the same windows. What reaches across the image is the one global pooling, which [lesson 3a](03a_average_pooling.ipynb) is about.

# %% [markdown]
# ## Four questions
#
# 1. Why does the backward of a convolution keep `x`, and the backward of a bias not?
#
# <details><summary>Answer</summary>
#
# A weight multiplied $x$, so $dw$ is $dy$ times $x$. The bias was added: its gradient does not depend on any value, only on how often it was used.
#
# </details>
#
# 2. A layer's input is the photograph itself. Which of the three gradients is needless?
#
# <details><summary>Answer</summary>
#
# `dx`: nobody differentiates the photograph. `backward(dy, input_grad=False)` spares it, about half of the products of the backward.
#
# </details>
#
# 3. Why is the kernel flipped where $dx$ is written as a convolution, and not where it stamps?
#
# <details><summary>Answer</summary>
#
# A stamp goes from a window to its pixels, as the forward did. The convolution asks from a pixel for its windows, and what lies below seen from one end lies above seen from the other.
#
# </details>
#
# 4. A convolution at stride 4 with a kernel of 3 × 3: which pixels never receive a gradient?
#
# <details><summary>Answer</summary>
#
# Those between the windows: every fourth row and every fourth column lies under none.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | convolution | 卷积 | the weighted sum (1.1), the same at every place |
# | tap | 抽头 | one place in the kernel, a matrix over the channels |
# | backward | 反向传播 | the function $dy \mapsto dx, dw, db$, (d1.1) |
# | correlation | 相关 | what `dw` is, of $x$ with $dy$ |
# | transposed convolution | 转置卷积 | the way from $dy$ to $dx$, as a layer of its own |
# | checkerboard pattern | 棋盘效应 | pixels under more windows than their neighbours |
# | receptive field | 感受野 | the pixels that an output can depend on |
#
# ## What comes next
#
# [Lesson 2a: batch normalisation](02a_batch_norm.ipynb) is what follows each convolution of these networks. [Lesson 1c](01c_convolution_kernels.ipynb), an appendix, has faster ways to the same sum. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

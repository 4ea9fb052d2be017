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
# # 1c · Appendix: the same sum in another order
#
# **Goal.** Explain the faster ways to a convolution, and say why one of them rounds where the others do not.
#
# | | |
# |---|---|
# | Time | 40 minutes |
# | You need first | [Lesson 1a](01a_convolution.ipynb): what a convolution computes |
# | Afterwards you can | write a convolution as one matrix product · say what rows by addition and Winograd save · say when two orders of a sum have to be equal to the last bit · choose which convolution a claim about bits needs |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/kernels](../armlab/hand/kernels/__init__.py): [columns](../armlab/hand/kernels/conv2d_columns.py), [pointwise](../armlab/hand/kernels/conv2d_pointwise.py), [rows](../armlab/hand/kernels/conv2d_rows.py), [Winograd](../armlab/hand/kernels/conv2d_winograd.py) |
#
# This lesson may be left out: no other stands on it. It is for whoever wants to know what runs in place of the convolution that lessons 1a and 1b read, and why a claim about exact zeros switches it off.

# %%
import inspect

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.data import Scenes
from armlab.hand import kernels
from armlab.hand.conv2d import conv2d_by_taps
from armlab.hand.kernels import conv2d_columns, conv2d_pointwise, conv2d_rows, conv2d_winograd
from armlab.hand.window import Window
from tools import compare, photographs, source, trained
from tools import COLOURS, feature_map, gradient_map

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Which one runs
#
# The readable convolution, (1.1), is a loop over the taps of the kernel: for each tap $(r, s)$ a $K \times C$ matrix meets a slice of the image. It is not fast: it copies a slice for each tap, and adds each product into `y` on its own. Beside it stand, for NumPy, four others. They form the same sums, in another order, or with other products. A small table says which one runs.

# %%
source(kernels.choose)
for row in kernels.TABLE:
    if row.function == "conv2d" and row.library is kernels.numpy:
        module = inspect.getmodule(row.run)
        print(module.__name__.rsplit(".", 1)[1], " ", module.__doc__.splitlines()[0])

# %% [markdown]
# **Pointwise.** A 1 × 1 convolution has one tap: it is a matrix product for each image. There is nothing to copy.
#
# ## 2 · Columns
#
# Known as *im2col*. Lay the pixels under the kernel below each other, one column for each window. Then the whole convolution is one matrix product, and matrix products are what libraries do best. The price is the copy.
#
# **Predict.** A digit of 8 × 8, a kernel of 3 × 3, no padding. What shape has the matrix of columns? How many numbers is that, for 64 pixels?
#
# <details><summary>Answer</summary>
#
# 9 × 36, a row for each tap and a column for each window: 324 numbers, since each pixel is written once for every window that it lies under. For large images they would be nine times the image, so the file makes the columns for a few rows at a time.
#
# </details>

# %%
digit = load_digits().images[13] / 16
across = np.asarray([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
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
# Green: one window, its column, its output.
#
# ### Exercise 1 · `columns_of`
#
# ★★☆ · 10 minutes
#
# The columns of one image with several channels, at stride 1 and without padding. `x` is `(C, H, W)` and `kernel` is `(R, S)`; return an array of shape `(C R S, OH OW)`. Its rows follow the axes of a weight `w`, of shape `(K, C, R, S)`, and its columns those of `y`, so that `w.reshape(K, -1) @ columns` is `y`, with its places in one row.


# %% tags=["exercise"]
def columns_of(x, kernel):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def columns_of(x, kernel):
#     (c, height, width), (rows, cols) = x.shape, kernel
#     oh, ow = height - rows + 1, width - cols + 1
#     return np.stack(
#         [
#             x[channel, r : r + oh, s : s + ow].ravel()
#             for channel in range(c)
#             for r in range(rows)
#             for s in range(cols)
#         ]
#     )
# ```
#
# A row of the matrix is what one tap of one channel meets, at all windows: a slice. A column is what one window holds.
#
# </details>

# %% tags=["check"]
check.exercise("columns_of", columns_of)

# %% [markdown]
# ## 3 · Rows by addition
#
# Copy less: only the three shifts along a row. One product gives, for each kernel row $r$, what it contributes at every image row. The three contributions are then added, each moved up by $r$, which needs no copy at all.

# %%
temple, down = photos[1:2].mean(axis=1, keepdims=True), across.T
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
# ## 4 · Winograd
#
# The three before form the same products. This one forms fewer. Four outputs of a kernel of three read six inputs, and need $4 \cdot 3 = 12$ products. Winograd (1980) showed that six suffice, because a convolution multiplies polynomials, and a product of polynomials can be computed by evaluating both at six points, multiplying there, and interpolating. With matrices $A$, $G$, $B$ that are known beforehand,
#
# $$y = A\,\big[(G\,g) \cdot (B\,d)\big] \tag{1.5}$$
#
# where the dot multiplies six numbers with six numbers. In the file, $d$ are rows of an image and each "product" is a whole matrix product over all channels, so that half of the work is saved. In numbers, take six pixels of a column and one kernel.
#
# **Predict.** All numbers that go in are whole. Will those that come out of (1.5) be?
#
# <details><summary>Answer</summary>
#
# Not all of them. The matrices hold fractions such as $2/3$ and $4/9$, which no float holds exactly. On paper they cancel at the end; in floats they leave a remainder.
#
# </details>

# %%
A, G, B = conv2d_winograd.matrices(np.dtype("float32"))
d = np.asarray([101, 98, 45, 44, 120, 131], dtype="float32")
g = np.asarray([1, 2, 1], dtype="float32")
products = (G @ g) * (B @ d)
print("six products ", products)
print("by Winograd  ", A @ products)
print("twelve       ", np.stack([g @ d[i : i + 3] for i in range(4)]))

# %% [markdown]
# The other orders add and multiply whole numbers only, and as long as no sum of sizes exceeds $2^{24}$, a float32 holds every partial sum *exactly*, in whatever order. That makes a sharp test: on small whole numbers a right convolution is right to the last bit.
#
# **Predict.** `x` and `w` below are drawn from $-8 \ldots 8$. Which of the four equal the readable convolution exactly?
#
# <details><summary>Answer</summary>
#
# All but Winograd, which is close. The others form the same whole products, and no order of adding them rounds.
#
# </details>

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
    assert np.any(off) == (kernel is conv2d_winograd)
fig.colorbar(drawn, ax=axes[3], shrink=0.9)
plt.show()

# %% [markdown]
# Two white maps, and one with the grain of rounding. It is small, and how small is known beforehand: [check/cases/conv2d.py](../armlab/check/cases/conv2d.py) bounds it, and the tests hold it to that.
#
# So the roles are fixed. **The readable convolution is the specification**: the fast ones must equal it, exactly where their sums are exact and within a bound elsewhere. And what rests on equal bits runs the readable one.
#
# ## 5 · What becomes of "must be 0"
#
# Lesson 1b asks a small trained network for the gradient of one logit with respect to the image. It lies on rows 32 to 50, the receptive field of that logit, and outside it must be exactly 0, since nothing there was used. Three of the network's five 3 × 3 run by Winograd.
#
# **Predict.** What might that make of "must be 0"?
#
# <details><summary>Answer</summary>
#
# A window that is too tall. Winograd computes four rows at a time, and adds numbers that cancel to 0 on paper: a remainder of rounding is left, in whole tiles of rows. It is less than a ten-millionth of the largest gradient, and harmless in a training. But "exactly 0" is a claim about bits, and so it is made with the specification, where 0 is 0.
#
# </details>

# %%
ROW, COLUMN = 41, 13
scene, _ = Scenes("test").batch([2])


def gradient_of_logit():
    y, backward = trained("none")(scene)
    dy = np.zeros_like(y)
    dy[0, 1, ROW, COLUMN] = 1  # one logit, on purpose: its gradient is asked for
    return np.abs(backward(dy)[0][0]).max(axis=0)  # (64, 64), the largest of the colours


fast = gradient_of_logit()
with kernels.specification():  # no kernel runs, only what is read
    exact = gradient_of_logit()
for name, g in (("fast", fast), ("specification", exact)):
    rows = np.flatnonzero(g.max(axis=1))
    print(f"{name:14} rows {rows[0]} to {rows[-1]}")
outside = np.delete(fast, np.s_[32:51], axis=0).max()
print(f"fast: largest {fast.max():.1e}, outside of rows 32 to 50 {outside:.1e}")
assert 0 < outside < 1e-7 * fast.max()

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
for ax, g, name in ((axes[0], fast, "fast"), (axes[1], exact, "specification")):
    with np.errstate(divide="ignore"):
        drawn = ax.imshow(np.log10(g), cmap="viridis", vmin=-13, vmax=0, interpolation="nearest")
    ax.set(xticks=[], yticks=[], facecolor="white")
    ax.set_title(f"|dx| of that logit, {name}", fontsize=10)
fig.colorbar(drawn, ax=axes[1], shrink=0.8, label="log₁₀")
plt.show()

# %% [markdown]
# White is exactly 0.

# %% [markdown]
# ## Three questions
#
# 1. On whole numbers, a fast convolution differs from the readable one by $10^{-6}$. Is it wrong?
#
# <details><summary>Answer</summary>
#
# If it only reorders the sum, yes: with small whole numbers every order is exact, so the difference is a mistake. If it is Winograd, the difference is expected, and the question is whether it stays below its bound.
#
# </details>
#
# 2. Why does the table ask pointwise first, and columns last?
#
# <details><summary>Answer</summary>
#
# The first row that fits runs. Columns fit any convolution, so behind them nothing would be reached; pointwise fits only 1 × 1, where there is nothing to copy.
#
# </details>
#
# 3. A kernel of 3 × 3 at stride 3, no padding. How many numbers have the columns, for an image of 9 × 9?
#
# <details><summary>Answer</summary>
#
# 81, as many as the image: the windows do not overlap, and each pixel is written once.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | im2col | 按列展开 | windows as the columns of a matrix |
# | pointwise convolution | 逐点卷积 | a matrix over the channels, the same at every pixel |
# | Winograd convolution | Winograd 卷积 | the same sums from half of the products, (1.5) |
# | specification | 规范实现 | the readable version, which the fast ones must equal |
# | rounding error | 舍入误差 | what a float cannot hold |
#
# ## What comes next
#
# [Lesson 2a: batch normalisation](02a_batch_norm.ipynb) is what follows each convolution of these networks. [Lesson 11b](11b_kernels.ipynb) writes kernels for the GPU. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

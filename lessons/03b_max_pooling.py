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
# # 3b · Max pooling, ties and windows
#
# **Goal.** Write the backward of a maximum, over the whole image and over windows that overlap, and know who gets the gradient where several pixels are the largest.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 3a](03a_average_pooling.ipynb): pooling, and the backward of the mean |
# | Afterwards you can | write the backward of a maximum, ties included · tell a convention at a tie from a mistake · add up gradients where windows overlap · say what ties do behind a ReLU |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/global_max_pool.py](../armlab/hand/global_max_pool.py) · [hand/max_pool2d.py](../armlab/hand/max_pool2d.py) · [hand/window.py](../armlab/hand/window.py) |
#
# This is the second lesson of chapter 3; its equations go on from (3.1), which was the mean.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from armlab import check, hand
from armlab.data import Scenes
from tools import compare, features, photographs, source, trained
from tools import COLOURS, feature_map, gradient_map, numbers, picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · The maximum
#
# The other way to put a channel into one number is its strongest response, wherever it is:
#
# $$z_{nc} = \max_{i,j}\, x_{ncij} \tag{3.2}$$
#
# Let $(i^*, j^*)$ be the position of the maximum, the **winner**.
#
# **Predict.** Move one pixel by a tiny step. By how much does $z$ move, if the pixel is the winner, and if it is another? So how many pixels of a photograph have a gradient that is not 0? (Of the mean, all of them.)
#
# <details><summary>Answer</summary>
#
# As long as the winner leads, a step of the winner moves $z$ by as much, and a step of any other pixel changes nothing. So one pixel of each channel has a gradient, and it is $dz$: the winner takes all.
#
# </details>
#
# $$\frac{\partial z_{nc}}{\partial x_{ncij}} = \begin{cases} 1 & (i,j) = (i^*,j^*) \\ 0 & \text{else} \end{cases} \qquad dx_{ncij} = \begin{cases} dz_{nc} & (i,j) = (i^*,j^*) \\ 0 & \text{else} \end{cases} \tag{d3.2}$$

# %%
photos = photographs()  # (6, 3, 64, 96), 0 ... 1
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
    gradient_map(axes[1 + channel], g, f"share of {('red', 'green', 'blue')[channel]}", limit=1)
    axes[1 + channel].plot(j, i, "o", mec=COLOURS[channel], mfc="none", markersize=12)
plt.show()

# %% [markdown]
# Each map has one dark pixel, inside the ring, and 6,143 white ones. Average pooling tells every pixel a little; max pooling tells one pixel everything.
#
# ## 2 · Ties
#
# "As long as the winner leads", it said above. Among random numbers somebody always leads. In real data, often nobody does.
#
# **Predict.** *china.jpg* has 273,280 pixels, and much sky. How many of them hold the largest value of the blue channel? And how often is one pixel of a handwritten digit brighter than all others?
#
# <details><summary>Answer</summary>
#
# 17,974, nearly all of them sky, since a camera cannot record anything brighter than 255. And only one digit in twenty has a single brightest pixel; in the others up to 17 pixels tie.
#
# </details>

# %%
china = load_sample_image("china.jpg").transpose(2, 0, 1)[np.newaxis] / 255
digits = load_digits()  # 1,797 real digits, 8 by 8 pixels of 0 ... 16
tied = china == china.max(axis=(2, 3), keepdims=True)
print("china.jpg, pixels at the maximum in red, green, blue:", *tied.sum(axis=(2, 3))[0])
counts = (digits.images == digits.images.max(axis=(1, 2), keepdims=True)).sum(axis=(1, 2))
alone = (counts == 1).mean()
print(f"digits, pixels at the maximum: 1 in {alone:.0%} of them, up to {counts.max()}")
assert tied[0, 2].sum() == 17_974
assert counts.max() == 17

fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
picture(axes[0], china[0], "china.jpg")
shown = np.where(tied[0, 2], np.asarray([0.0, 0.45, 0.7])[:, None, None], 0.4 + 0.6 * china[0])
picture(axes[1], shown, "pixels that tie in blue, and the first of them")
i, j = np.argwhere(tied[0, 2])[0]
axes[1].plot(j, i, "o", mec="white", mfc="#D55E00", markersize=9)
plt.show()

# %% [markdown]
# At a tie the maximum has a kink, as ReLU has at 0. There is no derivative, so somebody has to decide. Libraries decide differently:
#
# | rule | who |
# |---|---|
# | the first of the equals gets everything | `torch.max(x, dim)` on the CPU, and this project |
# | the equals share it evenly | `torch.amax` |
#
# And there is a line that is quickly written, `dz * (x == z)`: each of the equals gets everything.
#
# **Predict.** Is that a third convention? Take five pixels that tie, and move them up by $h$, all together. How far does the maximum rise, and how far do the five gradients say that it does?
#
# <details><summary>Answer</summary>
#
# The maximum rises by $h$. The five shares together must account for this, so they have to sum to 1. `dz * (x == z)` claims $5h$: it is no convention but a mistake.
#
# </details>
#
# Here is a digit whose maximum, 16, occurs five times, and the gradient that each of the three gives for $dz = 1$.

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
maps = {
    "the first (max)": first.numpy(),
    "shared (amax)": shared.numpy(),
    "each (x == z)": everyone,
}
for ax, (title, g) in zip(axes[1:], maps.items(), strict=True):
    gradient_map(ax, g[0, 0], f"{title}\nsum {g.sum():g}", limit=1)
    numbers(ax, g[0, 0], "{:g}", skip=0)
plt.show()

h = 1e-3
up = everyone * h
rise = (hand.global_max_pool(digit + up)[0] - hand.global_max_pool(digit)[0]).item() / h
print(f"the maximum rises by {rise:.3f} h")
for name, g in maps.items():
    print(f"{name:16} claims {(g * up).sum() / h:.3f} h")

# %% [markdown]
# Shares that are not negative, that sum to 1 and that go to tied pixels only are called **subgradients**. None is more right than another. But a test needs one answer, and this project has chosen the first, row by row.
#
# ### Exercise 1 · `global_max_pool_backward`
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

# %% [markdown]
# The file counts its own equations: its (1) is (3.2), its (2) is (d3.2).

# %%
source(hand.global_max_pool)

# %% [markdown]
# ## 3 · Windows that overlap
#
# Between "the whole image" and "one pixel" lie windows. ResNet, the backbone of many segmentation networks, has one max pooling: windows of 3 × 3, moved by 2 (the **stride**), with a border of 1 (the **padding**).
#
# $$y_{ncij} = \max_{r,s}\; x_{nc,\;ti+r-p,\;tj+s-p} \qquad r, s = 0, 1, 2, \quad t = 2, \quad p = 1 \tag{3.3}$$
#
# The border never wins: it is $-\infty$, not 0. Otherwise a window of negative numbers at the edge would have the maximum 0, which is nowhere in the image.

# %%
options = {"kernel_size": 3, "stride": 2, "padding": 1}
y, _ = hand.max_pool2d(photos, **options)
fig, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
for column, n in enumerate((0, 3)):
    picture(axes[2 * column], photos[n], f"image {n + 1}, {photos.shape[2:]}")
    picture(axes[2 * column + 1], y[n], f"its y, {y.shape[2:]}")
plt.show()

# %% [markdown]
# **Predict.** Windows of 3 × 3 that move by 2 overlap by 1. How many windows can one pixel win? And if they move by 1? What is then the gradient of that pixel?
#
# <details><summary>Answer</summary>
#
# Four: at a corner where four windows meet, one pixel can win all of them. With a stride of 1 it lies in nine. A pixel that wins several windows feeds several outputs, so its gradients add up.
#
# </details>
#
# $$dx_{kl} = \sum_{\text{windows } (i,j) \text{ that } (k,l) \text{ wins}} dy_{ij} \tag{d3.3}$$
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
        dx[0, 0, top + r, left + s] += dy[0, 0, i, j]  # (d3.3)

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
assert (wins.sum(), np.count_nonzero(wins), wins.max()) == (16, 11, 4)

# %% [markdown]
# Sixteen windows, and eleven winners. One of them has won four.
#
# ### Ties behind a ReLU
#
# ResNet pools behind a ReLU, whose output is 0 wherever its input is negative. So the ties of section 2 are here in every image: a window of nine zeros.
#
# `features` are what the trained network of lesson 3a makes of a scene. We put a ReLU behind them, and a max pooling.
#
# **Predict.** Which pixel receives the gradient of a window of zeros? What becomes of that gradient one step further up, at the ReLU?
#
# <details><summary>Answer</summary>
#
# The first pixel of the window, which has not earned it. The ReLU below takes it away again: by its convention the slope at 0 is 0. So these ties do no harm, whichever rule a library has. With a LeakyReLU in its place they would not be ties, as it keeps negative numbers apart.
#
# </details>

# %%
image, _ = Scenes("test").scene(3, 0)  # with the orange band
f = features(trained("arm"), image[np.newaxis])  # (1, 32, 32, 32)
r, relu_back = hand.relu(f)
y, pool_back = hand.max_pool2d(r, **options)
dr = pool_back(rng.standard_normal(y.shape, dtype="float32"))
df = relu_back(dr)
at_pool, at_relu = np.count_nonzero(dr), np.count_nonzero(df)
print(f"windows of zeros: {(y == 0).mean():.0%}")
print(f"pixels with a gradient, at the pool: {at_pool:,}, at the ReLU: {at_relu:,}")
assert not df[r == 0].any()

c = 29  # channel 30, a detector of the orange band
fig, axes = plt.subplots(1, 5, figsize=(12, 2.6), layout="constrained")
scene(axes[0], image, "x, orange band")
feature_map(axes[1], r[0, c], f"ReLU, channel {c + 1}")
feature_map(axes[2], y[0, c] == 0, "windows of zeros: white")
gradient_map(axes[3], dr[0, c], "behind the pool's backward", limit=3)
gradient_map(axes[4], df[0, c], "behind the ReLU's", limit=3)
plt.show()

# %% [markdown]
# What is left of the gradient lies where the channel has responded: at the band and at the digits.
#
# ### Exercise 2 · `max_pool2d_backward`
#
# ★★★ · 15 minutes
#
# You are given `dy` of shape `(N, C, OH, OW)`, the `shape` of `x`, and `winner`, of the shape of `dy`: the number $iW + j$ of the pixel that won each window, counted within its channel. Return `dx`.
#
# **Predict.** Before you begin: what is `a` after `a = np.zeros(3)` and `a[[0, 0, 2]] += 1`?
#
# <details><summary>Answer</summary>
#
# `[1, 0, 1]`. NumPy reads `a[[0, 0, 2]]`, adds 1 to the three numbers that it has read, and writes them back; the second write to place 0 covers the first. Nothing warns. `np.add.at(a, [0, 0, 2], 1)` adds one after the other. On a GPU it is worse: which of two writes to one place stays is not even defined.
#
# </details>


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
# </details>

# %% tags=["check"]
check.exercise("max_pool2d_backward", max_pool2d_backward)

# %% [markdown]
# The file has no list of indices. It goes through the nine **taps**: tap $(r, s)$ meets, for all windows at once, a regular slice of the image. Going forwards, each window remembers which tap is ahead: a later one must be *larger*, so that the first of equals stays. Going back, within one tap no pixel occurs twice, so `+=` on a slice is safe, and the sum over taps is the sum of (d3.3). Its own (1) and (2) are (3.3) and (d3.3).
#
# (On NumPy another way runs, in [max_pool2d_rows_columns.py](../armlab/hand/kernels/max_pool2d_rows_columns.py): the maximum of a window is the largest of the maxima of its rows, so three taps along the rows and three along the columns do.)

# %%
source(hand.max_pool2d)

# %% [markdown]
# ## Four questions
#
# 1. You shuffle all pixels of an image. Which of the two pooled vectors, mean and maximum, changes?
#
# <details><summary>Answer</summary>
#
# Neither. Both are the same for every order of the pixels, and so is a gate that is computed from them. The maximum is so to the last bit, as it rounds nothing.
#
# </details>
#
# 2. Why is `dz * (x == z)` no backward of the maximum?
#
# <details><summary>Answer</summary>
#
# With $k$ pixels tied it hands out $k\,dz$, while a step of all of them together moves $z$ by one step. The shares have to sum to 1. It is right only where no two pixels tie.
#
# </details>
#
# 3. `global_avg_pool` keeps only the shape of $x$ for its backward. What does `global_max_pool` have to keep?
#
# <details><summary>Answer</summary>
#
# Where the winner was. The file keeps $x$ and looks for it again; keeping one position for each channel would be enough.
#
# </details>
#
# 4. Windows of 2 × 2 move by 2. How many windows can a pixel win, and is `+=` on a list of indices safe there?
#
# <details><summary>Answer</summary>
#
# One: these windows do not overlap. So no index of a channel occurs twice, and it is safe.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | global max pooling (GMP) | 全局最大池化 | the largest value of each channel, (3.2) |
# | max pooling | 最大池化 | the largest value of each window, (3.3) |
# | tie | 并列最大值 | several places hold the maximum |
# | subgradient | 次梯度 | shares that sum to 1, at a kink |
# | stride, padding | 步幅, 填充 | how far the window moves, and the border |
# | backward | 反向传播 | the function $dz \mapsto dx$ |
#
# ## What comes next
#
# [Lesson 3c](03c_which_pooling.ipynb) goes from the mean to the maximum step by step, and asks which of them answers which question. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

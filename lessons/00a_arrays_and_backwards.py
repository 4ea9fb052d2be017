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
# # 0a · Arrays and backwards
#
# **Goal.** Read `y, backward = f(x)` wherever it stands in this project, and write such a backward yourself.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | Python, a little NumPy, the chain rule for functions of one variable |
# | Afterwards you can | say which axes meet when two arrays are multiplied · say what a backward is asked and what it answers · write the backward of a simple function · say where a gradient is summed and where it is repeated · compose backwards |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/sigmoid.py](../armlab/hand/sigmoid.py) · [hand/leaky_relu.py](../armlab/hand/leaky_relu.py) · [hand/relu.py](../armlab/hand/relu.py) · [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) · `unbroadcast` in [armlab/arrays.py](../armlab/arrays.py) |
#
# Chapter 0 is what all others stand on: here the backward, in [lesson 0b](00b_the_check.ipynb) the test of one.
#
# Where it says **Predict**, write your guess down before you open the answer: a guess that you only think of has a way of agreeing with the answer afterwards.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_sample_image

from armlab import check, hand
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from tools import compare, photographs, source, trained
from tools import CHANNELS, feature_map, gradient_map, picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Arrays and shapes
#
# A picture on disk is rows × columns × colours. Networks want the colours, called **channels**, before the rows, and several pictures at once, a **batch**. So every array of features in this project has four axes, in this order:
#
# $$x \in \mathbb{R}^{N \times C \times H \times W}$$
#
# with $N$ images in the batch, $C$ channels, $H$ rows and $W$ columns. `x[n, c, i, j]` is one number: of image $n$ and channel $c$, in row $i$ and column $j$. The order is called NCHW.

# %%
photo = load_sample_image("china.jpg")
print("on disk  ", photo.shape, photo.dtype)

x = photo[50:178, 150:342] / 255  # a crop, 0 ... 1
x = x.transpose(2, 0, 1)  # channels first
x = x[np.newaxis]  # a batch of one
print("in armlab", x.shape, x.dtype)

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 2), layout="constrained")
picture(axes[0], x[0], "x[0]")
for c in range(3):
    feature_map(axes[1 + c], x[0, c], f"x[0, {c}]  ({CHANNELS[c]})", channel=c)
plt.show()
tiles = x[0, :, 35:55, 50:80].mean(axis=(1, 2))
assert tiles[0] > 2 * tiles[2]  # bright in red, dark in blue

# %% [markdown]
# The three channels look alike, except where the picture has colour: the tiles of the roof are bright in red and dark in blue. In words channels are counted from 1, so the second one is green; in code it is `x[:, 1]`.
#
# ### Broadcasting
#
# Two arrays of different shapes can be multiplied. NumPy lines their axes up **from the right**. Where the lengths agree, numbers meet one to one. Where one of the lengths is 1, or the axis is missing, its numbers are **repeated**. Anything else is an error.
#
# **Predict.** `x` is now `(2, 3, 4, 5)`. Which of these products exist, and what does each factor scale: an image, a channel, a position?
#
# 1. `x * s` with `s` of shape `(2, 3, 1, 1)`
# 2. `x * p` with `p` of shape `(2, 1, 4, 5)`
# 3. `x * v` with `v` of shape `(3,)`
#
# <details><summary>Answer</summary>
#
# `s` scales each channel of each image. `p` scales each position, with the same factor for all channels. `v` was meant to be one number per channel, but its only axis lines up with the columns, and $3 \ne 5$: an error.
#
# </details>

# %%
x = rng.standard_normal((2, 3, 4, 5))
for name, shape in [("s", (2, 3, 1, 1)), ("p", (2, 1, 4, 5)), ("v", (3,))]:
    try:
        print(f"x * {name:2}", shape, "->", (x * np.ones(shape)).shape)
    except ValueError as error:
        print(f"x * {name:2}", shape, "->", error)

# %% [markdown]
# The error is lucky. Had the picture been 3 columns wide, `x * v` would have run, and scaled the wrong axis without a word. Two habits protect from this. The code writes the axes out: one number per channel is `(1, C, 1, 1)`. And the tests use axes of different lengths, so that a swapped pair cannot fit by accident.

# %% [markdown]
# ## 2 · What a backward is
#
# Somewhere above all layers stands one number, the loss $L$. Training needs to know how $L$ moves when an input moves. Take one function in the middle, $y = f(x)$. What lies above it has already been worked out, and arrives as
#
# $$dy = \frac{\partial L}{\partial y}, \qquad\text{an array of the shape of } y.$$
#
# This is the **upstream gradient**. Throughout the code, `dq` means $\partial L / \partial q$ and has the shape of `q`. The question is $dx$. The chain rule answers it, one sum for every $i$:
#
# $$dx_i = \sum_j \frac{\partial y_j}{\partial x_i}\, dy_j \qquad\text{or}\qquad dx = J^\top dy, \quad J_{ji} = \frac{\partial y_j}{\partial x_i} \tag{0.1}$$
#
# $J$ is the **derivative** of $f$ at $x$, a matrix with one row per output and one column per input. A **backward** is a function that takes $dy$ and returns $J^\top dy$. It does not build $J$. For the crop above, of $3 \cdot 128 \cdot 192 = 73{,}728$ numbers, $J$ would have $73{,}728^2$, more than five thousand million entries.
#
# In this project a function returns its value and its backward together:
#
# ```python
# y, backward = f(x)
# dx = backward(dy)
# ```
#
# The first one is the **sigmoid**. It squeezes any number $a$ between 0 and 1, and the gates of these lessons are made by it.
#
# $$s = \frac{1}{1 + e^{-a}} = \frac{e^a}{1 + e^a} \tag{0.2}$$
#
# Each $s$ depends on its own $a$ and on no other, so the sum in (0.1) has a single term, the slope times $ds$. The slope is that of a quotient:
#
# $$\frac{ds}{da} = \frac{e^a (1 + e^a) - e^a e^a}{(1 + e^a)^2} = \frac{e^a}{1 + e^a} \cdot \frac{1}{1 + e^a} = s\,(1 - s)$$
#
# $$da = ds\; s\,(1 - s) \tag{d0.2}$$
#
# Here it is as it stands in its file.

# %%
source(hand.sigmoid)

# %% [markdown]
# The function computes `s`, defines `backward` inside itself, and returns both. `backward` is an ordinary inner function: it remembers the `s` that was there when it was defined. The file counts its own equations: its (1) and (2) are (0.2) and (d0.2).
#
# Two names are new. `xp` is the library that `a` belongs to, here NumPy. And `kernels.choose` looks into a table: where it has a faster way to the same numbers, that one runs in place of the lines below it. For reading, pass the two lines by; `kernels.specification()` switches the table off, and every test is run both ways.
#
# **Predict.** Let `a = [0, 6]` and `ds = [8, 8]`. What is `da`, roughly?
#
# <details><summary>Answer</summary>
#
# `[2, 0]`, nearly. At 0 the gate is $\tfrac12$ and the slope $\tfrac14$. At 6 the gate is almost 1, so $1 - s$ is almost 0, and hardly anything of `ds` comes through. Such a gate is called *saturated*.
#
# </details>

# %%
s, backward = hand.sigmoid(np.asarray([0.0, 6.0]))
print("s ", s.round(4))
print("da", backward(np.asarray([8.0, 8.0])).round(4))

# %% [markdown]
# Now check (0.1) literally. For three numbers $J$ is small, and each of its columns can be measured: move one input a little, see how all outputs move, divide.

# %%
a = np.asarray([-2.0, 0.5, 3.0])
ds = rng.standard_normal(3)
s, backward = hand.sigmoid(a)

h = 1e-6
J = np.zeros((3, 3))
for i in range(3):
    step = np.zeros(3)
    step[i] = h
    J[:, i] = (hand.sigmoid(a + step)[0] - hand.sigmoid(a - step)[0]) / (2 * h)

print("J\n", J.round(6))
print("Jᵀ ds       ", J.T @ ds)
print("backward(ds)", backward(ds))
assert np.allclose(J.T @ ds, backward(ds))

# %% [markdown]
# They agree up to what the small step costs. PyTorch knows the derivative without a step, so the comparison there can be strict. The line that `compare` prints comes back all through these lessons: is it *exact*, equal to the last bit; is it *close*, within $10^{-12}$ of the largest value; and what is the largest difference.

# %%
a_torch = torch.tensor(a, requires_grad=True)
s_torch = torch.sigmoid(a_torch)
(da_torch,) = torch.autograd.grad(s_torch, a_torch, torch.tensor(ds))

compare("s", s, s_torch)
compare("da", backward(ds), da_torch)

# %% [markdown]
# ### Pure: it may be called twice
#
# A backward writes to nothing that it was given, and keeps no count of its calls. Called with another $dy$ it answers for that one. And as $dx = J^\top dy$ is linear in $dy$, the answer to a sum is the sum of the answers.

# %%
ds_a, ds_b = rng.standard_normal((2, 3))
da_a = backward(ds_a)
da_b = backward(ds_b)
compare("again", backward(ds_a), da_a)
compare("linear", backward(ds_a + ds_b), da_a + da_b)

# %% [markdown]
# ### On a picture
#
# `trained("none")` is a small network that has learned to find handwritten sevens in photographs. Its first layer ends in a **LeakyReLU**, $y = \max(x,\, x / 100)$: what is positive stays, and of the rest one hundredth. Below is what one of its channels hands to the LeakyReLU on a real scene, and a random gradient $dy$ that arrives from above. Gradients are drawn in red and blue, and white is 0.
#
# **Predict.** What does $dx$ look like where $x$ is positive, and where it is negative?
#
# <details><summary>Answer</summary>
#
# The slope is 1 where $x$ is positive, and there $dx$ is $dy$. Where it is negative one hundredth is left, which looks white: the layer below learns next to nothing from there.
#
# </details>

# %%
net = trained("none")
image, _ = Scenes("test").scene(9)
convolved, _ = net.conv1.conv(image[np.newaxis])
x, _ = net.conv1.bn(convolved)
x = x.astype(np.float64)  # (1, 16, 64, 64)
y, backward = hand.leaky_relu(x)
dy = rng.standard_normal(y.shape)
dx = backward(dy)
assert np.array_equal(dx, np.where(x > 0, dy, 0.01 * dy))

c = np.argmin(np.abs((x[0] > 0).mean(axis=(1, 2)) - 0.5))  # a channel that is half positive
fig, axes = plt.subplots(1, 5, figsize=(12, 2.5), layout="constrained")
scene(axes[0], image, "the scene")
feature_map(axes[1], x[0, c], "x, one channel")
feature_map(axes[2], y[0, c], "y")
gradient_map(axes[3], dy[0, c], "dy", limit=3)
drawn = gradient_map(axes[4], dx[0, c], "dx", limit=3)
fig.colorbar(drawn, ax=axes[4], shrink=0.8)
plt.show()

# %% [markdown]
# ### Exercise 1 · `relu_backward`
#
# ★☆☆ · 5 minutes
#
# ReLU is $y = \max(x, 0)$. Write its backward as a function of `dy` and `x`. At the kink, $x = 0$, it has no derivative; this project follows PyTorch and takes 0.


# %% tags=["exercise"]
def relu_backward(dy, x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def relu_backward(dy, x):
#     return np.where(x > 0, dy, 0.0)
# ```
#
# Where $x > 0$ the output is the input, and the gradient passes. Elsewhere the output is 0 whatever $x$ does. Compare with `armlab/hand/relu.py`, and its remark on why it does not multiply by a mask.
#
# </details>

# %% tags=["check"]
check.exercise("relu_backward", relu_backward)

# %% [markdown]
# The check runs your function on 50 random examples, the kink and large and tiny values among them. When it fails it looks for the smallest example on which it still fails, and shows that one. Where it recognises the mistake, it adds a hint.

# %% [markdown]
# ## 3 · What was repeated collects a sum
#
# Broadcasting repeats a value. What does that mean for its gradient?
#
# Take a bias: $y = x + b$ with $b$ of shape $(1, K, 1, 1)$, one number per channel.
#
# $$y_{nkij} = x_{nkij} + b_k \tag{0.3}$$
#
# **Predict.** With `x` of shape `(2, 3, 4, 5)`: how many numbers of `y` move when `b[0, 1, 0, 0]` moves? What then is `db` for it, in words?
#
# <details><summary>Answer</summary>
#
# $2 \cdot 4 \cdot 5 = 40$: every position of the second channel, in every image. In (0.1) the derivative $\partial y_{nkij} / \partial b_k$ is 1 for each of these, and 0 for all other channels. So `db` is the sum of `dy` over these 40. Not the mean: each of them moves by the full step.
#
# </details>

# %%
x = rng.standard_normal((2, 3, 4, 5))
b = rng.standard_normal((1, 3, 1, 1))
moved = b.copy()
moved[0, 1, 0, 0] += 1
print("numbers of y that move:", np.sum((x + moved) != (x + b)))

# %% [markdown]
# The sum over $j$ in (0.1) has become a sum over images and positions:
#
# $$db_k = \sum_{n,i,j} dy_{nkij} \tag{d0.3}$$
#
# **One value that feeds many outputs collects the sum of their gradients.** This rule comes back in every gate of every attention module, so it has a name here.

# %%
source(unbroadcast)

# %% [markdown]
# It looks for the axes along which the value was repeated, those of length 1 where the gradient is longer, and sums over them. Long first, one axis after the other; then collapsed.

# %%
dy = rng.standard_normal((2, 3, 4, 5))
b_torch = torch.tensor(b, requires_grad=True)
y_torch = torch.tensor(x) + b_torch
(db_torch,) = torch.autograd.grad(y_torch, b_torch, torch.tensor(dy))

over_columns = dy.sum(axis=3, keepdims=True)  # (2, 3, 4, 1)
over_rows = over_columns.sum(axis=2, keepdims=True)  # (2, 3, 1, 1)
db = over_rows.sum(axis=0, keepdims=True)  # (1, 3, 1, 1)

compare("db, long", db, db_torch)
compare("unbroadcast", unbroadcast(dy, b.shape), db_torch)

# %%
steps = {
    "dy[0, 0]  (4, 5)": dy[0, 0],
    "summed over W  (4, 1)": over_columns[0, 0],
    "and over H  (1, 1)": over_rows[0, 0],
}
fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), layout="constrained")
for ax, (title, g) in zip(axes, steps.items(), strict=True):
    gradient_map(ax, g, "", limit=6)
    ax.set(xlim=(-0.5, 4.5), ylim=(3.5, -0.5))
    ax.set_title(title, fontsize=10, loc="left")
    ax.axis("off")
    for (i, j), value in np.ndenumerate(g):
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8)
plt.show()

# %% [markdown]
# One image and one channel of the sum. The numbers of each row are added, then the column that is left. The images are still to be added.
#
# ### Exercise 2 · `bias_backward`
#
# ★☆☆ · 5 minutes
#
# A convolution keeps its bias as a vector of shape `(K,)`. Write (d0.3) for it: from `dy` of shape `(N, K, H, W)` to `db` of shape `(K,)`.


# %% tags=["exercise"]
def bias_backward(dy):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def bias_backward(dy):
#     return dy.sum(axis=(0, 2, 3))
# ```
#
# All axes but the channels. The file `armlab/hand/conv2d.py` calls `channel_sum(dy)`, which is the same sum written as a product with ones.
#
# </details>

# %% tags=["check"]
check.exercise("bias_backward", bias_backward)

# %% [markdown]
# ### The other way round: a mean
#
# Global average pooling turns each channel of each image into one number, its mean. It is how an attention module sees the whole image at once.
#
# $$z_{nc} = \frac{1}{HW} \sum_{i,j} x_{ncij} \tag{0.4}$$
#
# ### Exercise 3 · Find the bug
#
# ★★☆ · 10 minutes
#
# This version looks right, and its value is right. Its backward is not.


# %%
def buggy_pool(x):
    z = x.mean(axis=(2, 3), keepdims=True)  # (N, C, 1, 1)

    def backward(dz):
        return np.broadcast_to(dz, x.shape)

    return z, backward


x = rng.standard_normal((2, 3, 4, 5))
z, backward = buggy_pool(x)
dz = rng.standard_normal(z.shape)
x_torch = torch.tensor(x, requires_grad=True)
z_torch = x_torch.mean((2, 3), keepdim=True)
(dx_torch,) = torch.autograd.grad(z_torch, x_torch, torch.tensor(dz))
compare("z", z, z_torch)
compare("dx", backward(dz), dx_torch)

# %% [markdown]
# Write the right backward. It gets `dz` of shape `(N, C, 1, 1)` and the shape of `x`, not `x` itself: the values of `x` do not matter here, so there is no need to keep them.
#
# **Predict.** On which shapes would the bug go unseen?
#
# <details><summary>Answer</summary>
#
# Where $H = W = 1$: the mean of one pixel is that pixel, and there the forgotten factor is 1. A test that draws such shapes alone finds nothing.
#
# </details>


# %% tags=["exercise"]
def global_avg_pool_backward(dz, shape):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def global_avg_pool_backward(dz, shape):
#     n, c, h, w = shape
#     return np.broadcast_to(dz / (h * w), shape)
# ```
#
# By (0.4) each pixel has a share of $1/HW$ in the mean, so it receives that share of $dz$:
#
# $$dx_{ncij} = \frac{dz_{nc}}{HW} \tag{d0.4}$$
#
# </details>

# %% tags=["check"]
check.exercise("global_avg_pool_backward", global_avg_pool_backward)

# %% [markdown]
# Biases and means are mirror images. What the forward **repeats**, the backward **sums**. What the forward **sums**, the backward **repeats**.

# %% [markdown]
# ## 4 · Backwards compose, read upwards
#
# Put three functions in a row. This is attention in its smallest form: pool each channel, squeeze the mean into a number between 0 and 1, scale the channel by it. $\sigma$ is the sigmoid (0.2).
#
# $$z = \mathrm{GAP}(x), \qquad s = \sigma(z), \qquad y = x\,s \tag{0.5}$$
#
# This is the attention refinement module of these lessons with its weights taken out. [Lesson 4b](04b_arm.ipynb) puts them back.
#
# **Predict.** The forward has three lines. In which order will the backward need them? And how many ways lead from $x$ to $y$?
#
# <details><summary>Answer</summary>
#
# Last line first: $dy$ is known at the end, and each line hands its gradient to the line before it. Two ways: $x$ feeds the product, and it feeds the pool. By the rule of section 3 it collects two gradients, and the plus between them is the easiest term of all to forget.
#
# </details>


# %%
def small_attention(x):
    z, pool_back = hand.global_avg_pool(x)  # (N, C, 1, 1)
    s, sigmoid_back = hand.sigmoid(z)
    y = x * s

    def backward(dy):
        ds = unbroadcast(dy * x, s.shape)  # s was repeated: a sum
        dz = sigmoid_back(ds)
        return dy * s + pool_back(dz)  # x was used twice: its gradients add up

    return y, backward


# %% [markdown]
# Read `backward` beside the forward. Each line asks one function for its backward. Nothing else is needed, whatever the length: a network of a hundred layers is read upwards in the same way.
#
# Now each intermediate gradient beside PyTorch's.

# %%
x = photographs()[:2]  # (2, 3, 64, 96)
y, backward = small_attention(x)
dy = rng.standard_normal(y.shape)

z, pool_back = hand.global_avg_pool(x)
s, sigmoid_back = hand.sigmoid(z)
ds = unbroadcast(dy * x, s.shape)
dz = sigmoid_back(ds)
dx_product = dy * s
dx_pooled = pool_back(dz)

x_torch = torch.tensor(x, requires_grad=True)
z_torch = x_torch.mean((2, 3), keepdim=True)
s_torch = torch.sigmoid(z_torch)
y_torch = x_torch * s_torch
ds_torch, dz_torch, dx_torch = torch.autograd.grad(
    y_torch, (s_torch, z_torch, x_torch), torch.tensor(dy)
)

compare("y", y, y_torch)
compare("ds", ds, ds_torch)
compare("dz", dz, dz_torch)
compare("dx", dx_product + dx_pooled, dx_torch)
compare("backward", backward(dy), dx_torch)

# %% [markdown]
# Collapsed into one line, with the slope of (d0.2) put in:
#
# $$dx_{ncij} = dy_{ncij}\, s_{nc} + \frac{s_{nc}(1 - s_{nc})}{HW} \sum_{i',j'} dy_{nci'j'}\, x_{nci'j'} \tag{d0.5}$$

# %%
n, c, height, width = x.shape
collapsed = dy * s + s * (1 - s) / (height * width) * (dy * x).sum(axis=(2, 3), keepdims=True)
compare("(d0.5)", collapsed, dx_torch)

# %% [markdown]
# **Predict.** The two terms of (d0.5), drawn for one channel, each on its own scale: what does the second look like?
#
# <details><summary>Answer</summary>
#
# It is one colour. Through the pool every pixel of a channel receives the same gradient, as every pixel had the same share in the mean. At a pixel it is small, and there are $64 \cdot 96 = 6{,}144$ of them.
#
# </details>

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 2), layout="constrained")
picture(axes[0], x[0], "x[0]")
for ax, g, title in [
    (axes[1], dy[0, 0], "dy"),
    (axes[2], dx_product[0, 0], "by the product: dy s"),
    (axes[3], dx_pooled[0, 0], "by the pool"),
]:
    gradient_map(ax, g, f"{title}\nlargest {np.abs(g).max():.2g}")
plt.show()
assert np.ptp(dx_pooled[0, 0]) == 0

# %% [markdown]
# ## Four questions
#
# 1. `x` is `(N, C, H, W)` and `s` is `(N, C, 1, 1)`. Over which axes does the gradient of `s` in `y = x * s` sum, and why?
#
# <details><summary>Answer</summary>
#
# Over $H$ and $W$. One $s_{nc}$ was repeated at every position of its channel, so it collects the sum of the gradients there: $ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}$.
#
# </details>
#
# 2. What may a backward do when it is called a second time?
#
# <details><summary>Answer</summary>
#
# Answer for the $dy$ of that call, as if it were the first. It is pure: it wrote to nothing, so nothing of the first call is left.
#
# </details>
#
# 3. Why does global average pooling keep the shape of $x$ for its backward, and the sigmoid an array?
#
# <details><summary>Answer</summary>
#
# Every pixel has the share $1/HW$, whatever its value, so the shape says everything. The slope of the sigmoid is another one at each value, and $s$ says which.
#
# </details>
#
# 4. A line of a forward uses `x`, and so does a later one. What do you look for in its backward?
#
# <details><summary>Answer</summary>
#
# A plus. Each use sends a gradient back to `x`, and they add up.
#
# </details>
#
# ## Terms
#
# The article that this project started from is Chinese, so the terms stand in both languages.
#
# | term | 中文 | meaning |
# |---|---|---|
# | feature map | 特征图 | one channel of one image: $H \times W$ numbers |
# | channel | 通道 | what axis 1 counts |
# | batch | 批 | the images computed together, axis 0 |
# | broadcasting | 广播 | repeating values so that shapes fit |
# | upstream gradient | 上游梯度 | $dy = \partial L / \partial y$, given from above |
# | backward | 反向传播 | the function $dy \mapsto J^\top dy$ |
# | chain rule | 链式法则 | (0.1) |
# | sigmoid | S 型函数 | (0.2), from any number to one between 0 and 1 |
# | global average pooling | 全局平均池化 | the mean of each channel, (0.4) |
#
# ## What comes next
#
# [Lesson 0b](00b_the_check.ipynb): how to test a backward that you have no reason to trust, and `small_attention` with it. The [contents](index.ipynb) show the whole path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

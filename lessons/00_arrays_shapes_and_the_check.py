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
# # 0 · Arrays, shapes and the check
#
# **Goal.** Read `y, backward = f(x)` wherever it stands in this project, and test a backward that you have no reason to trust.
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | You need first | Python, a little NumPy, the chain rule for functions of one variable |
# | Afterwards you can | say which axes meet when two arrays are multiplied · write the backward of a simple function · compose backwards · check one without a second implementation · say how long a step measures a slope best, and why some gradient tests see nothing |
# | Runs on | CPU; no GPU needed |
# | Explains | [armlab/arrays.py](../armlab/arrays.py) · [hand/leaky_relu.py](../armlab/hand/leaky_relu.py) · [hand/relu.py](../armlab/hand/relu.py) · [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) · [check/adjoint.py](../armlab/check/adjoint.py) |
#
# Each section asks you to **predict** something before the code answers. Write your guess down: a guess that you only think of has a way of agreeing with the answer afterwards.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_sample_image

from armlab import check, hand
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from tools import compare, features, photographs, source, trained
from tools import CHANNELS, feature_map, gradient_map, picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Arrays and shapes
#
# A picture on disk is rows × columns × colours. Networks want the colours, called **channels**, before the rows, and several pictures at once, a **batch**. So every array of features in this project has four axes, in this order:
#
# $$x \in \mathbb{R}^{N \times C \times H \times W}$$
#
# with $N$ images in the batch, $C$ channels, $H$ rows and $W$ columns. `x[n, c, i, j]` is channel $c$ of image $n$ at row $i$, column $j$. The order is called NCHW.

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

# %% [markdown]
# The three channels look alike, except where the picture has colour: the tiles of the roof are bright in red and dark in blue.
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

# %%
x = rng.standard_normal((2, 3, 4, 5))
for name, shape in [("s", (2, 3, 1, 1)), ("p", (2, 1, 4, 5)), ("v", (3,))]:
    try:
        print(f"x * {name:2}", shape, "->", (x * np.ones(shape)).shape)
    except ValueError as error:
        print(f"x * {name:2}", shape, "->", error)

# %% [markdown]
# `s` scales each channel of each image. `p` scales each position, with the same factor for all channels. `v` was meant to be one number per channel, but its only axis lines up with the columns, and $3 \ne 5$.
#
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
# $$dx_i = \sum_j \frac{\partial y_j}{\partial x_i}\, dy_j \qquad\text{or}\qquad dx = J^\top dy, \quad J_{ji} = \frac{\partial y_j}{\partial x_i} \tag{1}$$
#
# $J$ is the **derivative** of $f$ at $x$, a matrix with one row per output and one column per input. A **backward** is a function that takes $dy$ and returns $J^\top dy$. It does not build $J$. For the crop above $J$ would have $73{,}728^2$, more than five thousand million entries.
#
# In this project a function returns its value and its backward together:
#
# ```python
# y, backward = f(x)
# dx = backward(dy)
# ```
#
# Here is one, as it stands in its file.

# %%
source(hand.leaky_relu)

# %% [markdown]
# The function computes `y`, defines `backward` inside itself, and returns both. `backward` is an ordinary inner function: it remembers the `y` that was there when it was defined. It asks where `y` is positive, which is where `x` is, and takes `dy` there, and `slope * dy` elsewhere.
#
# Two names are new. `xp` is the library that `x` belongs to, here NumPy. And `kernels.choose` looks into a table: where it has a faster way to the same numbers, that one runs in place of the lines below it. For reading, pass the two lines by; `kernels.specification()` switches the table off, and every test is run both ways.
#
# **Predict.** Let `x = [-2, 3]` and `dy = [10, 20]`, with the slope 0.01. What is `dx`?

# %%
x = np.asarray([-2.0, 3.0])
y, backward = hand.leaky_relu(x)
print("y ", y)
print("dx", backward(np.asarray([10.0, 20.0])))

# %% [markdown]
# Now check (1) literally. For an $x$ of three numbers $J$ is small, and each of its columns can be measured: move one input a little, see how all outputs move, divide.

# %%
x = np.asarray([-2.0, 0.5, 3.0])
dy = rng.standard_normal(3)
y, backward = hand.leaky_relu(x)

h = 1e-6
J = np.zeros((3, 3))
for i in range(3):
    step = np.zeros(3)
    step[i] = h
    J[:, i] = (hand.leaky_relu(x + step)[0] - hand.leaky_relu(x - step)[0]) / (2 * h)

print("J\n", J.round(6))
print("Jᵀ dy       ", J.T @ dy)
print("backward(dy)", backward(dy))

# %% [markdown]
# They agree up to what the small step costs. PyTorch knows the derivative without a step, so the comparison there can be strict. The line that `compare` prints comes back all through these lessons: is it *exact*, equal to the last bit; is it *close*, within $10^{-12}$ of the largest value; and what is the largest difference.

# %%
x_torch = torch.tensor(x, requires_grad=True)
y_torch = torch.nn.functional.leaky_relu(x_torch, 0.01)
(dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy))

compare("y", y, y_torch)
compare("dx", backward(dy), dx_torch)

# %% [markdown]
# ### Pure: it may be called twice
#
# A backward writes to nothing that it was given, and keeps no count of its calls. Called with another $dy$ it answers for that one. And as $dx = J^\top dy$ is linear in $dy$, the answer to a sum is the sum of the answers.

# %%
dy_a, dy_b = rng.standard_normal((2, 3))
dx_a = backward(dy_a)
dx_b = backward(dy_b)
compare("again", backward(dy_a), dx_a)
compare("linear", backward(dy_a + dy_b), dx_a + dx_b)

# %% [markdown]
# On a picture one sees what the slope does. `trained("none")` is a small network that has learned to find handwritten sevens in photographs. Its first layer is a convolution, a normalisation and a LeakyReLU. Here is what one of its channels hands to the LeakyReLU on a real scene, and a random gradient that arrives from above.

# %%
net = trained("none")
image, _ = Scenes("test").scene(9)
convolved, _ = net.conv1.conv(image[np.newaxis])
x, _ = net.conv1.bn(convolved)
x = x.astype(np.float64)  # (1, 16, 64, 64)
y, backward = hand.leaky_relu(x)
dy = rng.standard_normal(y.shape)
dx = backward(dy)

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
# Gradients are drawn in red and blue, and white is 0. Where `x` is positive, `dx` is `dy`. Where it is negative one hundredth is left, which looks white: the layer below learns next to nothing from there.
#
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
# $$y_{nkij} = x_{nkij} + b_k \tag{2}$$
#
# **Predict.** With `x` of shape `(2, 3, 4, 5)`: how many numbers of `y` move when `b[0, 1, 0, 0]` moves? What then is `db` for it, in words?

# %%
x = rng.standard_normal((2, 3, 4, 5))
b = rng.standard_normal((1, 3, 1, 1))
moved = b.copy()
moved[0, 1, 0, 0] += 1
print("numbers of y that move:", np.sum((x + moved) != (x + b)))

# %% [markdown]
# $2 \cdot 4 \cdot 5 = 40$: every position of channel 1 in every image. In (1) the derivative $\partial y_{nkij} / \partial b_k$ is 1 for each of these, and 0 for all other channels. So the sum over $j$ is a sum over images and positions:
#
# $$db_k = \sum_{n,i,j} dy_{nkij} \tag{3}$$
#
# **One value that feeds many outputs collects the sum of their gradients.** Not the mean: each of the 40 outputs moves by the full step. This rule comes back in every gate of every attention module, so it has a name here.

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
    gradient_map(ax, g, "", limit=4)
    ax.set(xlim=(-0.5, 4.5), ylim=(3.5, -0.5))
    ax.set_title(title, fontsize=10, loc="left")
    ax.axis("off")
    for (i, j), value in np.ndenumerate(g):
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8)
plt.show()

# %% [markdown]
# One image and one channel of the sum. The numbers of each row are added, then the column that is left.
#
# ### Exercise 2 · `bias_backward`
#
# ★☆☆ · 5 minutes
#
# A convolution keeps its bias as a vector of shape `(K,)`. Write (3) for it: from `dy` of shape `(N, K, H, W)` to `db` of shape `(K,)`.


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
# $$z_{nc} = \frac{1}{HW} \sum_{i,j} x_{ncij} \tag{4}$$
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
# **Predict.** On which shapes would this bug go unseen?
#
# Write the right backward. It gets `dz` of shape `(N, C, 1, 1)` and the shape of `x`, not `x` itself: the values of `x` do not matter here, so there is no need to keep them.


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
# By (4) each pixel has a share of $1/HW$ in the mean, so it receives that share of `dz`. The bug goes unseen where $H = W = 1$: there the share is 1.
#
# </details>

# %% tags=["check"]
check.exercise("global_avg_pool_backward", global_avg_pool_backward)

# %% [markdown]
# Biases and means are mirror images. What the forward **repeats**, the backward **sums**. What the forward **sums**, the backward **repeats**.

# %% [markdown]
# ## 4 · Backwards compose, read upwards
#
# Put three functions in a row. This is attention in its smallest form: pool each channel, squash the mean into a number between 0 and 1, scale the channel by it.
#
# $$z = \mathrm{GAP}(x), \qquad s = \sigma(z), \qquad y = x\,s \tag{5}$$
#
# Here $\sigma(z) = 1 / (1 + e^{-z})$ is the sigmoid; its slope is $s\,(1 - s)$. This is the attention refinement module of these lessons with its weights taken out. [Lesson 4](04_sigmoid_gate.ipynb) puts them back, and derives that slope.
#
# **Predict.** The forward has three lines. In which order will the backward need them? And how many ways lead from $x$ to $y$?


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
# Read `backward` beside the forward: last line first. Each line asks one function for its backward, and hands the result to the function before it. Nothing else is needed, whatever the length: a network of a hundred layers is read upwards in the same way.
#
# The plus sign is the rule of section 3 again. $x$ feeds two places, the product and the pool, so it collects two gradients. It is the easiest term of all to forget.
#
# Now each intermediate gradient beside PyTorch's.

# %%
x = photographs()[:2]
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
# Collapsed into one line, with the slope of the sigmoid, $ds/dz = s(1-s)$, put in:
#
# $$dx_{ncij} = dy_{ncij}\, s_{nc} + \frac{s_{nc}(1 - s_{nc})}{HW} \sum_{i',j'} dy_{nci'j'}\, x_{nci'j'} \tag{6}$$

# %%
n, c, height, width = x.shape
collapsed = dy * s + s * (1 - s) / (height * width) * (dy * x).sum(axis=(2, 3), keepdims=True)
compare("(6)", collapsed, dx_torch)

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

# %% [markdown]
# Each map has its own scale. The second way is one colour. Through the pool, every pixel of a channel receives the same gradient, because every pixel had the same share in the mean. It is small for each pixel, and there are 6,144 of them.

# %% [markdown]
# ## 5 · The adjoint identity: a check without a second implementation
#
# PyTorch will not always be at hand, and comparing with another program only shows that both agree. There is a check that needs nothing but the function itself.
#
# Write $\langle a, b \rangle$ for the sum of the products of all entries. For any direction $v$ in which $x$ might move, and any $dy$:
#
# $$\langle J v,\, dy \rangle = \sum_j \Big(\sum_i J_{ji}\, v_i\Big) dy_j = \sum_i v_i \Big(\sum_j J_{ji}\, dy_j\Big) = \langle v,\, J^\top dy \rangle \tag{7}$$
#
# The two sides are the same double sum in a different order. But they are *computed* from different things:
#
# - On the **left**, $Jv$ says how $y$ moves when $x$ moves along $v$. Two calls of the forward measure it: $\big(f(x + hv) - f(x - hv)\big) / 2h$.
# - On the **right**, $J^\top dy$ is what the backward returns.
#
# So (7) holds a backward against its own forward. A random $v$ has a part in every direction, and one test sees all gradients at once.
#
# **Predict.** Here is `small_attention` with the second way forgotten. On the photograph above, the part that it leaves out is less than a thousandth of the part that it keeps. Will (7) notice?


# %%
def forgetful_attention(x):
    s, _ = hand.sigmoid(hand.global_avg_pool(x)[0])
    return x * s, lambda dy: dy * s


x = photographs()[:2]
print("small_attention    ", check.adjoint(small_attention, x))
print("forgetful_attention", check.adjoint(forgetful_attention, x))

# %% [markdown]
# `adjoint` draws $v$ and $dy$ itself. Another seed, another pair. Here are 30 of them for both functions.

# %%
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for function, mark, colour in [
    (forgetful_attention, "x", "#D55E00"),
    (small_attention, "o", "#0072B2"),
]:
    tests = [check.adjoint(function, x, rng=seed) for seed in range(30)]
    apart = [abs(t.left - t.right) / t.allowed for t in tests]
    label = f"{function.__name__}: {sum(t.holds for t in tests)} of 30 hold"
    ax.semilogy(apart, mark, color=colour, label=label)
ax.axhline(1, color="0.4", linewidth=1)
ax.text(29.5, 1.6, "allowed", ha="right", color="0.4")
ax.set(xlabel="seed", ylabel="difference of the two sides\n/ what is allowed")
ax.legend(loc="center right", bbox_to_anchor=(1, 0.4), fontsize=9)
plt.show()

# %% [markdown]
# The two functions are far apart, and the line of what is allowed runs between them.
#
# ### How long a step?
#
# The left side is only as good as its step $h$. A derivative is what is left when $h$ goes to 0, and a computer cannot follow it there.
#
# **Predict.** The slope of the sigmoid at $z = 1$ is $s(1-s) = 0.1966\ldots$ You measure it as $(\sigma(1 + h) - \sigma(1 - h)) / 2h$ in float64. Which step gives more right digits: $10^{-1}$, $10^{-5}$ or $10^{-14}$?


# %%
def measured_slope(h):
    return (hand.sigmoid(np.asarray(1 + h))[0] - hand.sigmoid(np.asarray(1 - h))[0]) / (2 * h)


s, sigmoid_back = hand.sigmoid(np.asarray(1.0))
slope = sigmoid_back(np.asarray(1.0))
lengths = np.logspace(-15.5, 0.5, 161)
errors = np.asarray([max(abs(measured_slope(h) - slope), 1e-16) for h in lengths])


def show_steps(steps):
    _, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    z = np.linspace(-3, 5, 200)
    axes[0].plot(z, hand.sigmoid(z)[0], color="0.6")
    axes[1].loglog(lengths, errors, color="0.8", linewidth=1)
    for h, colour in zip(steps, ["#D55E00", "#009E73", "#0072B2"], strict=False):
        found = measured_slope(h)
        axes[0].plot(z, s + found * (z - 1), color=colour, linewidth=1)
        axes[0].plot([1 - h, 1 + h], hand.sigmoid(np.asarray([1 - h, 1 + h]))[0], "o", color=colour)
        axes[1].plot(
            h, max(abs(found - slope), 1e-16), "o", color=colour, label=f"h = {h:.0e}: {found:.12f}"
        )
    axes[0].set(
        xlim=(-3, 5), ylim=(-0.1, 1.2), xlabel="z", title="σ, and the line that was measured"
    )
    axes[1].set(xlabel="h", title=f"error of the slope {slope:.12f}")
    axes[1].legend(loc="lower left", fontsize=8)
    plt.show()


show_steps([2.0, 1e-5, 1e-14])

# %% [markdown]
# A long step measures another line. Its error falls with $h^2$, as the curve is straighter over a shorter piece. A very short step subtracts two numbers that agree in nearly all digits, and divides what is left, mostly rounding, by $h$. The best step lies between, and even there some digits are lost.
#
# In a running notebook, move the slider.

# %%
slider = ipywidgets.FloatLogSlider(
    value=1, base=10, min=-15, max=0.5, step=0.5, description="step h", continuous_update=False
)
_ = ipywidgets.interact(lambda h: show_steps([h]), h=slider)

# %% [markdown]
# `check.adjoint` takes steps of $h = 2^{-13}$ and of $h/2$, and from the two computes a value in which the $h^2$ has cancelled. What is left is of the order of $h^4$, and the line above lies well over that and far below a mistake.

# %% [markdown]
# ## 6 · Why a gradient of ones sees nothing
#
# A common gradient test calls `y.sum().backward()`. The sum has slope 1 everywhere, so its upstream gradient is an array of ones. It looks harmless.
#
# Batch normalisation makes each channel have mean 0 and variance 1, then scales it by $w$ and shifts it by $b$. With $m = NHW$ values in a channel:
#
# $$y = w\,(x - \mathrm{mean})\, r + b, \qquad r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{8}$$
#
# **Predict.** Let $L = \sum y$. How does $L$ move when one $x$ moves?

# %%
images, _ = Scenes("test").batch(range(4))
x = features(net, images)[:, :3].astype(np.float64)  # (4, 3, 32, 32): three channels of the network
w, b = rng.uniform(0.5, 2, 3), rng.standard_normal(3)
(y, _, _), norm_back = hand.batch_norm(x, w, b)

ones = np.ones_like(y)
random = rng.standard_normal(y.shape)
dx_ones, dw_ones, _ = norm_back(ones)
dx_random, dw_random, _ = norm_back(random)
for name, dx, dw in [("ones", dx_ones, dw_ones), ("random", dx_random, dw_random)]:
    largest = f"|dx| {np.abs(dx).max():.1e}, |dw| {np.abs(dw).max():.1e}"
    print(f"dy {name:7} largest {largest}")

# %% [markdown]
# Not at all. Within a channel the differences from the mean add up to 0, so
#
# $$L = \sum_{n,c,i,j} y_{ncij} = \sum_c \Big( w_c\, r_c \underbrace{\sum_{n,i,j} (x_{ncij} - \mathrm{mean}_c)}_{0} + m\, b_c \Big) = \sum_c m\, b_c \tag{9}$$
#
# has no $x$ in it, and no $w$. The exact $dx$ and $dw$ are 0, and what was printed is rounding. Now suppose somebody wrote a backward that returns zeros.


# %%
def lazy_batch_norm(x):
    (y, _, _), _ = hand.batch_norm(x, w, b)
    return y, np.zeros_like  # called with dy, it gives zeros of that shape


def honest_batch_norm(x):
    (y, _, _), norm_back = hand.batch_norm(x, w, b)
    return y, lambda dy: norm_back(dy)[0]


x_torch = torch.tensor(x, requires_grad=True)
y_torch = torch.nn.functional.batch_norm(
    x_torch, None, None, torch.tensor(w), torch.tensor(b), training=True
)
for name, dy in [("ones", ones), ("random", random)]:
    (dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy), retain_graph=True)
    for function in (honest_batch_norm, lazy_batch_norm):
        off = np.abs(function(x)[1](dy) - dx_torch.numpy()).max()
        print(f"dy {name:7} {function.__name__:18} off by {off:.1e}")

# %% [markdown]
# With ones, zeros pass: they are off by no more than rounding. With a random $dy$ they fail at once.

# %%
fig, axes = plt.subplots(1, 6, figsize=(13, 2.4), layout="constrained")
scene(axes[0], images[0], "a scene")
feature_map(axes[1], x[0, 0], "x, one channel")
largest = np.abs(dx_random[0, 0]).max()
for ax, g, title, limit in [
    (axes[2], ones, "dy = 1", 3),
    (axes[3], dx_ones, "its dx", largest),
    (axes[4], random, "dy random", 3),
    (axes[5], dx_random, "its dx", largest),
]:
    gradient_map(ax, g[0, 0], title, limit=limit)
plt.show()

# %% [markdown]
# That is why every upstream gradient in these lessons is random, and why `check.adjoint` and `check.exercise` draw one for each example.

# %% [markdown]
# ## 7 · Float32, float64, and how wrong is too wrong
#
# A float64 keeps 53 binary digits, a float32 keeps 24. Each operation rounds its result to that, and may be off by a relative $u = 2^{-53} \approx 1.1 \cdot 10^{-16}$ or $u = 2^{-24} \approx 6 \cdot 10^{-8}$. Gradients are derived and checked in float64, where a mistake stands far above the rounding. Networks are trained in float32. The code by hand keeps the type that it is given.

# %%
x64 = photographs()
x32 = x64.astype(np.float32)
print(hand.global_avg_pool(x64)[0].dtype, hand.global_avg_pool(x32)[0].dtype)

# %% [markdown]
# How far may a right float32 answer be from the exact one? A fixed tolerance such as $10^{-6}$ is too strict for values around 1000 and blind for values around $10^{-8}$. A bound follows the computation instead, and one sentence covers most of this project: *a sum of $n$ rounded products, in whatever order, is off by at most*
#
# $$n\, u \sum |\text{terms}|. \tag{10}$$
#
# **Predict.** Add up the first $n$ pixels of the photographs in float32, one after the other. How many digits are right after 100,000?

# %%
terms = x32.ravel()
exact = np.cumsum(terms.astype(np.float64))
summed = np.cumsum(terms)  # float32, one after the other
counts = np.unique(np.geomspace(10, terms.size, 60).astype(int))
error = np.abs(summed - exact)[counts - 1]
bound = counts * 2.0**-24 * np.cumsum(np.abs(terms), dtype=np.float64)[counts - 1]

at = 100_000 - 1
print(
    f"exact {exact[at]:.6f}   float32 {summed[at]:.6f}   never over the bound: {bool((error <= bound).all())}"
)

fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.loglog(counts, bound / exact[counts - 1], color="0.4", label="bound (10)")
ax.loglog(
    counts, np.maximum(error / exact[counts - 1], 1e-9), ".", color="#0072B2", label="measured"
)
ax.set(xlabel="n, numbers added", ylabel="relative error")
ax.legend()
plt.show()

# %% [markdown]
# Four digits are right, of the seven that a float32 holds. The bound is never passed, and it is generous: roundings go up and down and partly cancel, and the bound does not count on that. What matters is the gap to a mistake. A forgotten factor is off by a good part of the value itself.
#
# When `check.exercise` reports *off by 0.5, allowed 4.4e-16*, the second number is such a bound.

# %% [markdown]
# ## Five questions
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
# 3. Why does global average pooling keep the shape of $x$ for its backward, and LeakyReLU the array?
#
# <details><summary>Answer</summary>
#
# Every pixel has the share $1/HW$, whatever its value, so the shape says everything. LeakyReLU has to know where $x$ was positive.
#
# </details>
#
# 4. The adjoint identity holds for a function and its backward. What does this not tell you?
#
# <details><summary>Answer</summary>
#
# Whether the forward computes what you wanted. It holds the backward against the forward, right or wrong.
#
# </details>
#
# 5. Name a module for which `y.sum().backward()` tests nothing of $dx$.
#
# <details><summary>Answer</summary>
#
# Batch normalisation in training mode: by (9) the sum of its outputs does not depend on its inputs.
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
# | chain rule | 链式法则 | (1) |
# | global average pooling | 全局平均池化 | the mean of each channel, (4) |
# | batch normalisation | 批归一化 | (8) |
# | adjoint identity | 伴随恒等式 | (7) |
#
# ## What comes next
#
# [Lesson 1: convolution and its three gradients](01_convolution.ipynb). Who wants to see attention first goes on with [lesson 4: the sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb), which brings what it needs of lessons 1 to 3. Section 6 was a glimpse of [lesson 2](02_batch_norm.ipynb), and the network that finds sevens is trained in [lesson 9](09_context.ipynb). The [contents](index.ipynb) show the whole path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0.

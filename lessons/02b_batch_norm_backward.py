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
# # 2b · Batch normalisation, backward
#
# **Goal.** Derive the backward of batch normalisation, say what it takes away from a gradient, and judge a test of it.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 2a](02a_batch_norm.ipynb): the forward · [lesson 0a](00a_arrays_and_backwards.ipynb): backwards, sums over what was repeated · [lesson 0b](00b_the_check.ipynb): random upstream gradients |
# | Afterwards you can | derive the backward way by way and collapse it · say what a loss can ask of a normalised channel · tell a test that sees it from one that sees nothing · explain what happens at batch sizes 1 and 2 |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/batch_norm.py](../armlab/hand/batch_norm.py), backward |
#
# This is the second lesson of chapter 2; its equations go on from (2.4). The gradient of an equation has its number behind a d: (d2.3) belongs to (2.3).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from tools import COLOURS, compare, gradient_map, photographs, picture, source

rng = np.random.default_rng(0)


def per_channel(v):
    """One number per channel, lined up with features.  (C,) -> (1, C, 1, 1)"""
    return v.reshape(1, -1, 1, 1)


# %% [markdown]
# ## 1 · Backward, at length
#
# The forward of lesson 2a, for the $m = NHW$ values of one channel:
#
# | | |
# |---|---|
# | (2.1) | $\mathrm{mean} = \frac1m \sum x$ |
# | (2.2) | $\mathrm{var} = \frac1m \sum (x - \mathrm{mean})^2$ |
# | (2.3) | $r = 1 / \sqrt{\mathrm{var} + \varepsilon}$ |
# | (2.4) | $y = w\,\hat x + b \quad$ with $\quad \hat x = (x - \mathrm{mean})\,r$ |
#
# **Predict.** In how many ways does one $x$ reach the values $y$ of its channel?
#
# <details><summary>Answer</summary>
#
# Three. Directly, in its own $\hat x$. Through the mean (2.1), which is subtracted from every value. And through $r$, by way of the variance (2.2), by which every value is multiplied. So $dx$ is a sum of three parts.
#
# </details>
#
# Everything is for one channel, and sums go over its $m$ values. With $dy$ given, upwards:
#
# **(2.4).** $w$ and $b$ feed all $m$ values, so they collect sums.
#
# $$db = \sum dy, \qquad dw = \sum dy\,\hat x, \qquad d\hat x = w\,dy \tag{d2.4}$$
#
# $\hat x = (x - \mathrm{mean})\,r$ is made of $x$, the mean and $r$. The direct way:
#
# $$dx^{\text{direct}} = r\,d\hat x$$
#
# **(2.3).** One $r$ multiplied all values: a sum. The slope of $(\mathrm{var} + \varepsilon)^{-1/2}$ is $-\tfrac12 (\mathrm{var} + \varepsilon)^{-3/2} = -\tfrac12 r^3$.
#
# $$dr = \sum d\hat x\,(x - \mathrm{mean}), \qquad d\mathrm{var} = -\tfrac12\,r^3\,dr \tag{d2.3}$$
#
# **(2.2).** The variance is a mean of squares. Each $x$ has a share of $1/m$ in it, and the slope of the square is $2(x - \mathrm{mean})$.
#
# $$dx^{\text{var}} = \tfrac2m\,(x - \mathrm{mean})\,d\mathrm{var} \tag{d2.2}$$
#
# **(2.1).** The mean was subtracted in two places, in $\hat x$ and inside the variance. Both send something back, with a minus. Each $x$ then receives its share, $1/m$.
#
# $$d\mathrm{mean} = -r \sum d\hat x \;-\; \tfrac2m\,d\mathrm{var} \sum (x - \mathrm{mean}), \qquad dx^{\text{mean}} = \tfrac1m\,d\mathrm{mean} \tag{d2.1}$$
#
# **Predict.** The second term of $d\mathrm{mean}$ looks frightening. How large is it?
#
# <details><summary>Answer</summary>
#
# 0: deviations from the mean add up to nothing. A step of the mean does not move the variance, because the variance is smallest there.
#
# </details>
#
# In code, line by line, on six photographs. `_` behind a name says: lined up with the channels.

# %%
photos = photographs()  # (6, 3, 64, 96)
x, w, b, eps = photos, np.asarray([1.5, 0.8, 1.2]), np.asarray([0.5, 0.0, -0.5]), 1e-5
m = x.size // 3
axes_of_sum = {"axis": (0, 2, 3), "keepdims": True}
w_, b_ = per_channel(w), per_channel(b)

mean = x.mean(**axes_of_sum)  # (2.1)
var = ((x - mean) ** 2).mean(**axes_of_sum)  # (2.2)
r = 1 / np.sqrt(var + eps)  # (2.3)
x_hat = (x - mean) * r
y = w_ * x_hat + b_  # (2.4)

dy = rng.standard_normal(y.shape)
db = dy.sum(**axes_of_sum)  # (d2.4)
dw = (dy * x_hat).sum(**axes_of_sum)
dx_hat = w_ * dy
dx_direct = r * dx_hat
dr = (dx_hat * (x - mean)).sum(**axes_of_sum)  # (d2.3)
dvar = -0.5 * r**3 * dr
dx_var = 2 / m * (x - mean) * dvar  # (d2.2)
by_x_hat = -r * dx_hat.sum(**axes_of_sum)  # (d2.1)
by_var = -2 / m * dvar * (x - mean).sum(**axes_of_sum)
dmean = by_x_hat + by_var
dx_mean = np.broadcast_to(dmean / m, x.shape)
dx = dx_direct + dx_var + dx_mean

print("dmean by way of x̂  ", by_x_hat.ravel())
print("dmean by way of var", by_var.ravel())

# %% [markdown]
# What is not quite 0 there is rounding. How large the three parts of $dx$ are, for the red channel of the flower, each with a scale of its own:

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 1.9), layout="constrained")
picture(axes[0], photos[3], "x, the flower")
parts = {"direct": dx_direct, "through var": dx_var, "through the mean": dx_mean}
for ax, (name, part) in zip(axes[1:], parts.items(), strict=True):
    size = np.abs(part[3, 0]).max()
    gradient_map(ax, part[3, 0], f"dx of red, {name}:\nup to {size:.1e}", limit=size)
plt.show()

# %% [markdown]
# The direct way is as random as this $dy$. The way through the variance is a small multiple of $\hat x$, and the way through the mean is flat. Small as they are at one pixel, they are the same, or of one pattern, at all 36,864 values of the channel.
#
# Now PyTorch is asked for every name. For the three parts of $dx$ it is told to hold the other ways fixed: `detach` makes a constant of a value.

# %%
t = {name: torch.tensor(a, requires_grad=True) for name, a in {"x": x, "w": w_, "b": b_}.items()}
t["mean"] = t["x"].mean((0, 2, 3), keepdim=True)
t["var"] = ((t["x"] - t["mean"]) ** 2).mean((0, 2, 3), keepdim=True)
t["r"] = 1 / torch.sqrt(t["var"] + eps)
t["x_hat"] = (t["x"] - t["mean"]) * t["r"]
y_torch = t["w"] * t["x_hat"] + t["b"]


def along(mean, r):
    """The gradient of x alone, with these two as they are given."""
    y = t["w"] * (t["x"] - mean) * r + t["b"]
    return torch.autograd.grad(y, t["x"], torch.tensor(dy), retain_graph=True)[0]


direct = along(t["mean"].detach(), t["r"].detach())
var_of_x = ((t["x"] - t["mean"].detach()) ** 2).mean((0, 2, 3), keepdim=True)

compare("y", y, y_torch)
names = ["b", "w", "x_hat", "r", "var", "mean", "x"]
grads = torch.autograd.grad(
    y_torch, [t[name] for name in names], torch.tensor(dy), retain_graph=True
)
by_hand = [db, dw, dx_hat, dr, dvar, dmean, dx]
for name, mine, theirs in zip(names, by_hand, grads, strict=True):
    compare(f"d{name}", mine, theirs)
compare("dx direct", dx_direct, direct)
with_var = along(t["mean"].detach(), 1 / torch.sqrt(var_of_x + eps))
compare("dx var", dx_direct + dx_var, with_var)
compare("dx mean", dx_direct + dx_mean, along(t["mean"], t["r"].detach()))

# %% [markdown]
# The last two lines add the direct way to the one that is tested.
#
# ## 2 · Collapsed
#
# Put the parts together. In (d2.3), $dr = \tfrac{w}{r} \sum dy\,\hat x = \tfrac{w}{r}\,dw$, so
#
# $$dx^{\text{var}} = \tfrac2m (x - \mathrm{mean}) \cdot \big(-\tfrac12 r^3\big) \cdot \tfrac{w}{r}\,dw = -\,w\,r\;\hat x\;\frac{dw}{m}$$
#
# and in (d2.1), $\sum d\hat x = w\,db$, so $dx^{\text{mean}} = -\,w\,r\,\tfrac{db}{m}$. All three have the factor $w\,r$:
#
# $$dx = w\,r\,\Big( dy - \frac{db}{m} - \hat x\,\frac{dw}{m} \Big) \tag{2.5}$$
#
# Since $db/m$ is the mean of $dy$ and $dw/m$ the mean of $dy\,\hat x$, this reads
#
# $$dx = w\,r\,\big( dy - \mathrm{mean}(dy) - \hat x\,\mathrm{mean}(dy\,\hat x) \big)$$
#
# Two things are taken away from $dy$: its mean, and the part of it that looks like $\hat x$.

# %%
collapsed = w_ * r * (dy - db / m - x_hat * dw / m)  # (2.5)
compare("(2.5)", collapsed, dx)

_, backward = hand.batch_norm(x, w, b)
dx_file, dw_file, db_file = backward(dy)
compare("dx", dx_file, dx)
compare("dw", per_channel(dw_file), dw)
compare("db", per_channel(db_file), db)


def value_and_backward(x, w, b):
    (y, _, _), backward = hand.batch_norm(x, w, b)
    return y, backward


print(check.adjoint(value_and_backward, x, w, b))

# %% [markdown]
# The last line is the adjoint identity of [lesson 0b](00b_the_check.ipynb). Here is the file. It counts its own equations: its (1) to (5) are (2.1) to (2.5).

# %%
source(hand.batch_norm)

# %% [markdown]
# It has (2.5) as one line. On NumPy that is not what runs: [batch_norm_by_channel.py](../armlab/hand/kernels/batch_norm_by_channel.py) takes the same line from its last term to its first, in one array, so that nothing large is made twice. It is several times as fast, and harder to read.
#
# ### Exercise 1 · `batch_norm_backward`
#
# ★★★ · 15 minutes
#
# You are given `dy` and `x_hat` of shape `(N, C, H, W)`, and `w` and `r` of shape `(C,)`. Return `dx`, `dw`, `db`.
#
# **Predict.** Which of the three would be wrong if you forgot that the mean moves, and how?
#
# <details><summary>Answer</summary>
#
# Only `dx`, by the same constant at all values of a channel. The parameters do not feel the statistics.
#
# </details>


# %% tags=["exercise"]
def batch_norm_backward(dy, x_hat, w, r):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def batch_norm_backward(dy, x_hat, w, r):
#     m = dy.size // dy.shape[1]
#     db = dy.sum(axis=(0, 2, 3))
#     dw = (dy * x_hat).sum(axis=(0, 2, 3))
#     left = dy - (db / m).reshape(1, -1, 1, 1) - x_hat * (dw / m).reshape(1, -1, 1, 1)
#     return (w * r).reshape(1, -1, 1, 1) * left, dw, db
# ```
#
# </details>

# %% tags=["check"]
check.exercise("batch_norm_backward", batch_norm_backward)

# %% [markdown]
# ## 3 · What a loss can ask for
#
# **Predict.** Three losses ask something of the red channel of a photograph. Be brighter: $dy$ is the same everywhere. Have more contrast: $dy = \hat x$. Be sharper: $dy$ is the Laplace of $x$ (four times a pixel less its four neighbours), large at edges. What is left of each in $dx$? And if all three are asked at once?
#
# <details><summary>Answer</summary>
#
# Of *brighter* nothing is left, of *more contrast* nothing, but for $\varepsilon$. *Sharper* passes for the most part. It loses the part of the edges that a mere increase in contrast would bring too. And of all three at once the same is left as of *sharper* alone.
#
# </details>

# %%
x = photos[3:4]
(x_hat, _, _), backward = hand.batch_norm(x, np.ones(3), np.zeros(3))
laplace = np.asarray([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
sharper, _ = hand.conv2d(framed, laplace * np.ones((3, 1, 1, 1)), groups=3)
asked = {
    "brighter": np.ones_like(x),  # ones on purpose: the question is what is left of them
    "more contrast": x_hat,
    "sharper": sharper / sharper.std(),
}
asked["all three"] = sum(asked.values())

fig, axes = plt.subplots(4, 4, figsize=(11, 7.4), layout="constrained")
lefts = {}
for row, (name, dy) in enumerate(asked.items()):
    common = np.broadcast_to(dy.mean(axis=(0, 2, 3), keepdims=True), dy.shape)
    along_x = x_hat * (dy * x_hat).mean(axis=(0, 2, 3), keepdims=True)
    parts = {
        f"dy: {name}": dy,
        "its mean": common,
        "its part along x̂": along_x,
        "what is left": dy - common - along_x,
    }
    lefts[name] = parts["what is left"]
    for ax, (title, g) in zip(axes[row], parts.items(), strict=True):
        size = np.sqrt((g[0, 0] ** 2).mean())
        gradient_map(ax, g[0, 0], f"{title}  ({size:.2f})", limit=3)
plt.show()

r = 1 / np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + 1e-5)
compare("dx", backward(dy)[0], r * lefts["all three"])
assert np.allclose(lefts["more contrast"], x_hat * 1e-5 * r**2)  # nothing but for ε
assert np.allclose(lefts["all three"], lefts["sharper"] + lefts["more contrast"])

# %% [markdown]
# In brackets is the size, the root of the mean square. $dx$ is what is left times $w\,r$.
#
# Why these two? The forward makes every channel have mean 0 and variance 1. No loss behind it can see whether the channel was brighter, or had more contrast, so it cannot ask for either. In the language of geometry: $dy$ is projected onto everything that is at right angles to the constant $1$ and to $\hat x$.
#
# ## 4 · A gradient of ones
#
# Many tests of a backward take a loss of $L = \sum y$, which means $dy = 1$ everywhere. It is convenient: `y.sum().backward()` in PyTorch.
#
# **Predict.** Put $dy = 1$ into (2.5) and into $dw = \sum dy\,\hat x$. What are `dx` and `dw`, exactly? Which backward passes such a test?
#
# <details><summary>Answer</summary>
#
# $$dw = \sum \hat x = 0, \qquad \frac{db}{m} = 1, \qquad dx = w\,r\,(1 - 1 - \hat x \cdot 0) = 0$$
#
# A backward that returns zeros for `dx` and `dw` passes, as wrong as it is.
#
# </details>


# %%
def backward_of_nothing(dy):
    """As wrong as can be: no gradient for x and w at all."""
    return np.zeros(dy.shape), np.zeros(dy.shape[1]), dy.sum(axis=(0, 2, 3))


x = rng.standard_normal((4, 3, 5, 6))
for name, dy in [("ones", np.ones(x.shape)), ("random", rng.standard_normal(x.shape))]:
    t = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    y_torch = torch.nn.functional.batch_norm(t[0], None, None, t[1], t[2], training=True)
    grads = torch.autograd.grad(y_torch, t, torch.tensor(dy))
    print(f"dy {name}:")
    for which, mine, theirs in zip("xwb", backward_of_nothing(dy), grads, strict=True):
        passes = np.allclose(mine, theirs.numpy(), atol=1e-8)
        print(f"   d{which}: allclose {passes!s:5}   largest of torch {theirs.abs().max():.1e}")
        assert passes == (which == "b" or name == "ones")

# %% [markdown]
# With ones, PyTorch's own `dx` and `dw` are rounding errors around 0, and zeros agree with them to every digit that a test would ask for. All that was tested of (2.5) is that its first two terms cancel: not $w\,r$, not the last term, not a sign.
#
# The same blindness hits every $dy$ that is a constant plus a multiple of $\hat x$. One that was drawn with the seed of $x$, and so equals it, is of this kind. In this project $dy$ is random, and drawn *after* $x$ from the same generator.

# %%
same = np.random.default_rng(1).standard_normal(x.shape)  # x and dy from the same seed
after = np.random.default_rng(1)
other = [after.standard_normal(x.shape) for _ in range(2)]  # one after the other
for name, (x_drawn, dy) in {"the same seed": (same, same), "one after the other": other}.items():
    _, backward = hand.batch_norm(x_drawn, np.ones(3), np.zeros(3))
    print(f"{name:20} largest |dx| {np.abs(backward(dy)[0]).max():.1e}")

# %% [markdown]
# ## 5 · Batch sizes 1 and 2
#
# Behind a global pooling, as in ARM, a channel has one value per image: $m = N$.
#
# **Predict.** What are the $\hat x$ of one image? Of two?
#
# <details><summary>Answer</summary>
#
# Of one: 0. One value minus the mean of itself is 0, and $y = b$ whatever the image. Of two: 1 for the larger and −1 for the smaller, however far they are apart, unless they are nearly equal. Each is as far from their mean as their standard deviation.
#
# </details>

# %%
pooled, _ = hand.global_avg_pool(photos)  # (6, 3, 1, 1)
try:
    hand.batch_norm(pooled[:1], np.ones(3), np.zeros(3))
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# One image is refused, with PyTorch's own sentence first.
#
# For two values, $d$ above and $d$ below their mean, the variance is $d^2$, and
#
# $$\hat x = \pm \frac{d}{\sqrt{d^2 + \varepsilon}} \tag{2.6}$$
#
# which is $\pm 1$, unless $d$ is as small as $\sqrt\varepsilon \approx 0.003$. Here are the pooled reds of the six photographs, normalised in batches of two, three and six.

# %%
fig, axes = plt.subplots(1, 4, figsize=(12, 2.7), layout="constrained")
red, images = pooled[:, :1], np.arange(1, 7)
axes[0].bar(images, red.ravel(), color=COLOURS[0], width=0.6)
axes[0].set(title="pooled red", ylim=(0, 1.05), xlabel="image")
for ax, size in zip(axes[1:], (2, 3, 6), strict=True):
    for start in range(0, 6, size):
        part = slice(start, start + size)
        (x_hat, _, _), _ = hand.batch_norm(red[part], np.ones(1), np.zeros(1))
        ax.bar(images[part], x_hat.ravel(), color=COLOURS[0], width=0.6)
        ax.axvline(start + 0.5, color="0.7", lw=1)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(title=f"x̂ in batches of {size}", ylim=(-2.1, 2.1), xlabel="image")
for ax in axes:
    ax.set_xticks(images)
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# In batches of two all that is left of a picture is a sign: brighter than its neighbour, or darker. In batches of six the brightest and the darkest stand out, and the others lie between them.
#
# The backward is worse. By (2.5) the constant and the part along $\hat x$ are taken away from $dy$, and these are all that two numbers can have. Work it out: with $m = 2$ and $\hat x = (+h, -h)$, $h$ as in (2.6),
#
# $$dx_1 = -dx_2 = w\,r\;\frac{dy_1 - dy_2}{2}\,(1 - h^2), \qquad 1 - h^2 = \frac{\varepsilon}{d^2 + \varepsilon} \tag{2.7}$$

# %%
d = np.logspace(-5, 0, 200)
pairs = np.stack([d, -d])[:, :, np.newaxis, np.newaxis]  # (2, 200, 1, 1): a channel for each d
(x_hat, _, _), backward = hand.batch_norm(pairs, np.ones(200), np.zeros(200))
dy = rng.standard_normal(pairs.shape)
h = d / np.sqrt(d**2 + eps)  # (2.6)
by_27 = (dy[0] - dy[1]).ravel() / 2 * eps / (d**2 + eps) / np.sqrt(d**2 + eps)  # (2.7)
compare("(2.6)", x_hat[0].ravel(), h)
off = np.abs(backward(dy)[0][0].ravel() - by_27).max() / np.abs(by_27).max()
print(f"(2.7) relative to the largest: {off:.1e}")
of_photos = np.abs(red[::2] - red[1::2]).ravel() / 2  # d of images 1 and 2, 3 and 4, 5 and 6

fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained")
axes[0].semilogx(d, h, color="black", label="x̂")
axes[0].set(xlabel="half the difference d", title="two values: x̂ of the larger", ylim=(0, 1.05))
axes[1].loglog(d, eps / (d**2 + eps), color="#CC79A7")
axes[1].set(xlabel="half the difference d", title="1 − h²: what is left of dy₁ − dy₂")
for ax in axes:
    ax.axvline(np.sqrt(eps), color="0.7", lw=1)
    for value in of_photos:
        ax.axvline(value, color=COLOURS[0], lw=1, ls=":")
plt.show()
assert np.all(eps / (of_photos**2 + eps) < 1e-3)

# %% [markdown]
# Grey is $\sqrt\varepsilon$. Dotted are the three pairs of photographs: their $d$ lie far to the right, where $\hat x$ is 1 and less than a thousandth of $dy_1 - dy_2$ is left. Whatever stands before a batch normalisation of two values learns next to nothing through it. [Lesson 4c](04c_batch_size.ipynb) shows what becomes of ARM's gates.

# %% [markdown]
# ## Five questions
#
# 1. A bias in front of batch normalisation has no effect. What gradient would it get?
#
# <details><summary>Answer</summary>
#
# 0: it is the sum of $dx$ over the channel, and (2.5) leaves no mean.
#
# </details>
#
# 2. All weights of the convolution in front are doubled, and $y$ stays. What happens to the gradient of these weights?
#
# <details><summary>Answer</summary>
#
# It is halved, up to $\varepsilon$: the standard deviation doubles, and $r$ is half as large.
#
# </details>
#
# 3. In evaluation mode, what is `dx`?
#
# <details><summary>Answer</summary>
#
# $w\,r\,dy$. The statistics are constants there, so two of the three ways do not exist.
#
# </details>
#
# 4. A colleague's test of batch normalisation uses `loss = (y ** 2).sum()`. Is that better than `y.sum()`?
#
# <details><summary>Answer</summary>
#
# Hardly. $dy = 2y = 2w\hat x + 2b$ is a constant plus a part along $\hat x$, and (2.5) takes away both. `dx` is 0 again, up to $\varepsilon$; only `dw` and `db` are tested.
#
# </details>
#
# 5. Of a channel with two values, how many numbers can a gradient have that (2.5) does not take away?
#
# <details><summary>Answer</summary>
#
# None but for $\varepsilon$. Two numbers are a constant and a multiple of $(1, -1)$, and $\hat x$ is $(1, -1)$.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | batch normalisation (BN) | 批归一化 | (2.1) to (2.4) |
# | backward | 反向传播 | the function $dy \mapsto dx, dw, db$ |
# | upstream gradient | 上游梯度 | $dy$, what comes from behind |
# | projection | 投影 | what (2.5) does to $dy$ |
# | batch size | 批大小 | $N$; behind a global pooling it is $m$ |
#
# ## What comes next
#
# [Lesson 3a](03a_average_pooling.ipynb) puts a channel into one number. [Lesson 4b](04b_arm.ipynb) puts a batch normalisation behind that number, and [lesson 4c](04c_batch_size.ipynb) shows what follows from section 5. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0.

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
# # 0b · The check
#
# **Goal.** Test a backward that you have no reason to trust, and know why some gradient tests see nothing.
#
# | | |
# |---|---|
# | Time | 50 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): what a backward is, and how backwards compose |
# | Afterwards you can | check a backward without a second implementation · write that check · say how long a step measures a slope best · say why an upstream gradient of ones is a bad test · say how far off a right answer in float32 may be |
# | Runs on | CPU; no GPU needed |
# | Explains | [check/adjoint.py](../armlab/check/adjoint.py) · [check/bounds.py](../armlab/check/bounds.py) |
#
# Lesson 0a wrote backwards. This one holds them to their forwards, by the check that all lessons after it use.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from armlab.data import Scenes
from tools import features, photographs, trained
from tools import feature_map, gradient_map, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · The adjoint identity: a check without a second implementation
#
# PyTorch will not always be at hand, and comparing with another program only shows that both agree. There is a check that needs nothing but the function itself.
#
# A backward returns $J^\top dy$, where $J_{ji} = \partial y_j / \partial x_i$, by (0.1). Write $\langle a, b \rangle$ for the sum of the products of all entries. For any direction $v$ in which $x$ might move, and any $dy$:
#
# $$\langle J v,\, dy \rangle = \sum_j \Big(\sum_i J_{ji}\, v_i\Big) dy_j = \sum_i v_i \Big(\sum_j J_{ji}\, dy_j\Big) = \langle v,\, J^\top dy \rangle \tag{0.6}$$
#
# The two sides are the same double sum in a different order. But they are *computed* from different things.
#
# - On the **left**, $Jv$ says how $y$ moves when $x$ moves along $v$. Two calls of the forward measure it, a small step $h$ ahead and one behind:
#
# $$J v \approx \frac{f(x + h v) - f(x - h v)}{2 h} \tag{0.7}$$
#
# - On the **right**, $J^\top dy$ is what the backward returns.
#
# So (0.6) holds a backward against its own forward. A random $v$ has a part in every direction, and one test sees all gradients at once.
#
# ### Exercise 1 · `adjoint_sides`
#
# ★★☆ · 15 minutes
#
# Write the two sides. `f` is a function in the form of this project: `f(x)` returns `(y, backward)`. `v` has the shape of `x`, and `dy` that of `y`, which may be another. Return the left side, with (0.7) for $Jv$, and the right side: two numbers. They need not be equal: the check takes long steps, which round nothing, and some of its functions have a wrong backward.


# %% tags=["exercise"]
def adjoint_sides(f, x, v, dy, h):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def adjoint_sides(f, x, v, dy, h):
#     ahead, behind = f(x + h * v)[0], f(x - h * v)[0]
#     moved = (ahead - behind) / (2 * h)
#     y, backward = f(x)
#     return np.sum(moved * dy), np.sum(v * backward(dy))
# ```
#
# The left side never calls the backward, and the right side never looks at a value of $f$. That is what makes their agreement worth something.
#
# </details>

# %% tags=["check"]
check.exercise("adjoint_sides", adjoint_sides)

# %% [markdown]
# The one in the package is `check.adjoint`. It draws $v$ and $dy$ itself, and says how far apart the two sides may be. Here it is on the smallest attention of lesson 0a, and on the same with one of the two ways to $x$ forgotten.


# %%
def small_attention(x):
    z, pool_back = hand.global_avg_pool(x)
    s, sigmoid_back = hand.sigmoid(z)

    def backward(dy):
        ds = (dy * x).sum(axis=(2, 3), keepdims=True)
        return dy * s + pool_back(sigmoid_back(ds))

    return x * s, backward


def forgetful_attention(x):
    s, _ = hand.sigmoid(hand.global_avg_pool(x)[0])
    return x * s, lambda dy: dy * s


x = photographs()[:2]  # (2, 3, 64, 96)
dy = rng.standard_normal(x.shape)
right, kept = (function(x)[1](dy) for function in (small_attention, forgetful_attention))
share = np.linalg.norm(right - kept) / np.linalg.norm(kept)
print(f"what is forgotten has {share:.4f} of the length of what is kept")
assert share < 1 / 100

# %% [markdown]
# **Predict.** What is forgotten is less than a hundredth of what is kept. Will (0.6) notice?
#
# <details><summary>Answer</summary>
#
# Yes. The two sides agree to more than ten digits where the backward is right, and one wrong in its third digit is far from that. It is small at each pixel, but $v$ has a part along it, and 6,144 pixels of each channel add up.
#
# </details>

# %%
tests = [check.adjoint(function, x) for function in (small_attention, forgetful_attention)]
for function, test in zip(("small_attention", "forgetful_attention"), tests, strict=True):
    print(f"{function:19} {test}")

# %% [markdown]
# Another seed, another pair of $v$ and $dy$. Here are 30 of them for both functions.

# %%
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for function, mark, colour, right in [
    (forgetful_attention, "x", "#D55E00", False),
    (small_attention, "o", "#0072B2", True),
]:
    tests = [check.adjoint(function, x, rng=seed) for seed in range(30)]
    apart = [abs(t.left - t.right) / t.allowed for t in tests]
    label = f"{function.__name__}: {sum(t.holds for t in tests)} of 30 hold"
    ax.semilogy(apart, mark, color=colour, label=label)
    assert all(t.holds == right for t in tests)
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
# **Predict.** The slope of the sigmoid at $a = 1$ is $s(1-s) = 0.1966\ldots$ You measure it by (0.7), as $(\sigma(1 + h) - \sigma(1 - h)) / 2h$ in float64. Put these steps in order, by how many digits they give right: $10^{-1}$, $10^{-5}$, $10^{-14}$.
#
# <details><summary>Answer</summary>
#
# $10^{-5}$, then $10^{-1}$, and $10^{-14}$ is the worst. A long step measures another line; its error falls with $h^2$, as the curve is straighter over a shorter piece. A very short one subtracts two numbers that agree in nearly all digits, and divides what is left, mostly rounding, by $h$.
#
# </details>


# %%
def measured_slope(h):
    return (hand.sigmoid(np.asarray(1 + h))[0] - hand.sigmoid(np.asarray(1 - h))[0]) / (2 * h)


s, sigmoid_back = hand.sigmoid(np.asarray(1.0))
slope = sigmoid_back(np.asarray(1.0))
lengths = np.logspace(-15.5, 0.5, 161)


def error_of(h):
    return max(abs(measured_slope(h) - slope), 1e-16)


def show_steps(steps):
    _, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    a = np.linspace(-3, 5, 200)
    axes[0].plot(a, hand.sigmoid(a)[0], color="0.6")
    axes[1].loglog(lengths, [error_of(h) for h in lengths], color="0.8", linewidth=1)
    for h, colour in zip(steps, ["#CC79A7", "#D55E00", "#009E73", "#0072B2"], strict=False):
        found = measured_slope(h)
        axes[0].plot(a, s + found * (a - 1), color=colour, linewidth=1)
        axes[0].plot([1 - h, 1 + h], hand.sigmoid(np.asarray([1 - h, 1 + h]))[0], "o", color=colour)
        axes[1].plot(h, error_of(h), "o", color=colour, label=f"h = {h:.0e}: {found:.12f}")
    axes[0].set(
        xlim=(-3, 5), ylim=(-0.1, 1.2), xlabel="a", title="σ, and the line that was measured"
    )
    axes[1].set(xlabel="h", title=f"error of the slope {slope:.12f}")
    axes[1].legend(loc="lower left", fontsize=8)
    plt.show()


show_steps([2.0, 0.1, 1e-5, 1e-14])
assert error_of(1e-5) < error_of(0.1) < error_of(1e-14)

# %% [markdown]
# The step of 2 is there to be seen: its line is visibly another one. The best step lies in the valley between the two errors, and even there some digits are lost.
#
# In a running notebook, move the slider.

# %%
slider = ipywidgets.FloatLogSlider(
    value=1, base=10, min=-15, max=0.5, step=0.5, description="step h", continuous_update=False
)
_ = ipywidgets.interact(lambda h: show_steps([h]), h=slider)

# %% [markdown]
# `check.adjoint` takes steps of $h = 2^{-13}$ and of $h/2$, and from the two computes a value in which the $h^2$ has cancelled. What is left is of the order of $h^4$. What it allows lies well over that and far below a mistake, as the figure before has shown.

# %% [markdown]
# ## 2 · Why a gradient of ones sees nothing
#
# A common gradient test calls `y.sum().backward()`. The sum has slope 1 everywhere, so its upstream gradient is an array of ones. It looks harmless.
#
# Batch normalisation makes each channel have mean 0 and variance 1, then scales it by $w$ and shifts it by $b$. With $m = NHW$ values in a channel:
#
# $$y = w\,(x - \mathrm{mean})\, r + b, \qquad r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{0.8}$$
#
# **Predict.** Let $L = \sum y$. How does $L$ move when one $x$ moves?
#
# <details><summary>Answer</summary>
#
# Not at all. Within a channel the differences from the mean add up to 0, so
#
# $$L = \sum_{n,c,i,j} y_{ncij} = \sum_c \Big( w_c\, r_c \underbrace{\sum_{n,i,j} (x_{ncij} - \mathrm{mean}_c)}_{0} + m\, b_c \Big) = \sum_c m\, b_c \tag{0.9}$$
#
# has no $x$ in it, and no $w$: the exact $dx$ and $dw$ are 0.
#
# </details>

# %%
images, _ = Scenes("test").batch(range(4))
x = features(trained("none"), images)[:, :3].astype(np.float64)  # (4, 3, 32, 32)
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
# The features are three channels of a small trained network. What is printed for ones is rounding.
#
# **Predict.** Somebody writes a backward of batch normalisation that returns zeros, whatever `dy` is. Which of the two upstream gradients finds that out?
#
# <details><summary>Answer</summary>
#
# The random one, at once. With ones the zeros pass: they are off by no more than rounding, as 0 is the right answer there.
#
# </details>


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
off = {}
for name, dy in [("ones", ones), ("random", random)]:
    (dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy), retain_graph=True)
    for function in (honest_batch_norm, lazy_batch_norm):
        off[name, function] = np.abs(function(x)[1](dy) - dx_torch.numpy()).max()
        print(f"dy {name:7} {function.__name__:18} off by {off[name, function]:.1e}")
assert off["ones", lazy_batch_norm] < 1e-12 < 1 < off["random", lazy_batch_norm]

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
# That is why every upstream gradient that tests something in these lessons is random, and why `check.adjoint` and `check.exercise` draw one for each example.

# %% [markdown]
# ## 3 · Float32, float64, and how wrong is too wrong
#
# A float64 keeps 53 binary digits, a float32 keeps 24. Each operation rounds its result to that, and may be off by a relative $u = 2^{-53} \approx 1.1 \cdot 10^{-16}$ or $u = 2^{-24} \approx 6 \cdot 10^{-8}$. Gradients are derived and checked in float64, where a mistake stands far above the rounding. Networks are trained in float32. The code by hand keeps the type that it is given.

# %%
x64 = photographs()
x32 = x64.astype(np.float32)
print(hand.global_avg_pool(x64)[0].dtype, hand.global_avg_pool(x32)[0].dtype)

# %% [markdown]
# How far may a right float32 answer be from the exact one? A fixed tolerance such as $10^{-6}$ is too strict for values around 1000 and blind for values around $10^{-8}$. A bound follows the computation instead, and one sentence covers most of this project: *a sum of $n$ rounded products, in whatever order, is off by at most*
#
# $$n\, u \sum |\text{terms}|. \tag{0.10}$$
#
# **Predict.** A float32 holds seven decimal digits. Add up the first $n$ pixels of the photographs in float32, one after the other. How many digits are right after 100,000?
#
# <details><summary>Answer</summary>
#
# The first four. Each addition rounds the sum so far: near 40,000 two neighbouring float32 lie 0.004 apart, and there are 100,000 such roundings. They go up and down and partly cancel; the bound does not count on that, and is generous.
#
# </details>

# %%
terms = x32.ravel()
exact = np.cumsum(terms.astype(np.float64))
summed = np.cumsum(terms)  # float32, one after the other
counts = np.unique(np.geomspace(10, terms.size, 60).astype(int))
error = np.abs(summed - exact)[counts - 1]
bound = counts * 2.0**-24 * np.cumsum(np.abs(terms), dtype=np.float64)[counts - 1]
assert (error <= bound).all()

at = 100_000 - 1
print(f"exact {exact[at]:.6f}   float32 {summed[at]:.6f}")
assert int(exact[at] / 10) == int(summed[at] / 10) == 4074

fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.loglog(counts, bound / exact[counts - 1], color="0.4", label="bound (0.10)")
ax.loglog(
    counts, np.maximum(error / exact[counts - 1], 1e-9), ".", color="#0072B2", label="measured"
)
ax.set(xlabel="n, numbers added", ylabel="relative error")
ax.legend()
plt.show()

# %% [markdown]
# The bound is never passed. What matters is the gap to a mistake: a forgotten factor is off by a good part of the value itself.
#
# When `check.exercise` reports *off by 0.5, allowed 4.4e-16*, the second number is such a bound.

# %% [markdown]
# ## Five questions
#
# 1. The adjoint identity holds for a function and its backward. What does this not tell you?
#
# <details><summary>Answer</summary>
#
# Whether the forward computes what you wanted. It holds the backward against the forward, right or wrong.
#
# </details>
#
# 2. Why is the difference in (0.7) taken ahead and behind, and not from $x$ itself?
#
# <details><summary>Answer</summary>
#
# From $x$ ahead, the error is of the order of $h$: the curve bends away on one side. Ahead and behind it bends by the same amount, which cancels, and an error of the order of $h^2$ is left.
#
# </details>
#
# 3. Name a module for which `y.sum().backward()` tests nothing of $dx$.
#
# <details><summary>Answer</summary>
#
# Batch normalisation in training mode: by (0.9) the sum of its outputs does not depend on its inputs.
#
# </details>
#
# 4. A gradient test draws one random $v$ and one random $dy$. Could a wrong backward pass?
#
# <details><summary>Answer</summary>
#
# Only if $v$ happened to have no part along what is wrong with $dx$. A random direction has one, so this does not happen by chance.
#
# </details>
#
# 5. A right sum of a thousand products in float32 is off by $10^{-5}$. Is that too much?
#
# <details><summary>Answer</summary>
#
# It depends on the size of the terms. By (0.10) it may be off by $1000 \cdot 6 \cdot 10^{-8} = 6 \cdot 10^{-5}$ of the sum of their absolute values.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | adjoint identity | 伴随恒等式 | (0.6) |
# | central difference | 中心差分 | (0.7), a step ahead and one behind |
# | upstream gradient | 上游梯度 | $dy$, given from above |
# | batch normalisation | 批归一化 | (0.8) |
# | rounding error | 舍入误差 | what a float cannot hold |
# | error bound | 误差界 | (0.10), how far off a right answer may be |
#
# ## What comes next
#
# [Lesson 1a: convolution](01a_convolution.ipynb). Who wants to see attention first goes on with [lesson 4a: the sigmoid gate](04a_sigmoid_gate.ipynb). Section 2 was a glimpse of [lesson 2a](02a_batch_norm.ipynb), and the network that finds sevens is trained in [lesson 9b](09b_training.ipynb). The [contents](index.ipynb) show the whole path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

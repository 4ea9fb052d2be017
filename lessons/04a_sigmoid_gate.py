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
# # 4a · The sigmoid gate
#
# **Goal.** Write the factor between 0 and 1 that attention multiplies by, derive what comes back through it, and say when it stops learning.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): backwards, sums over what was repeated · [Lesson 0b](00b_the_check.ipynb): random upstream gradients |
# | Afterwards you can | write a sigmoid that never overflows · say when a gate stops learning · write the gate's backward for one gate per channel, position or element · tell a residual gate from one that only carries the name |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/sigmoid.py](../armlab/hand/sigmoid.py) · [hand/sigmoid_gate.py](../armlab/hand/sigmoid_gate.py) |
#
# Chapter 4 is the attention refinement module (ARM) of the BiSeNet paper. This lesson is its last step, the gate; [lesson 4b](04b_arm.ipynb) derives the whole module, and [lesson 4c](04c_batch_size.ipynb) asks what batch normalisation does inside it. The gradient of an equation has the same number behind a d: (d4.1) belongs to (4.1).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from arm_graph import PAPER, arm_graph
from armlab import check, hand
from armlab.arrays import unbroadcast
from tools import compare, gate_bars, gate_map, gradient_map, photographs, picture, source

rng = np.random.default_rng(0)

# %% [markdown]
# This picture of ARM comes back all through the chapter. Letters are values, and small grey letters their shapes. Arrows are steps: black forward, red for the gradients. Lit is what this lesson is about.

# %%
arm_graph({"gate", "past", "sigmoid"}, PAPER)

# %% [markdown]
# ## 1 · The sigmoid
#
# A gate is a factor between 0 and 1. A network computes numbers of any size, called **logits** $a$. The sigmoid turns one into the other:
#
# $$s = \sigma(a) = \frac{1}{1 + e^{-a}} \tag{4.1}$$
#
# **Predict.** What is $s$ at $a = 0$? At $a = 1000$ and $a = -1000$? And what does a computer say there, if (4.1) is typed in as it stands, or multiplied through by $e^a$, as $e^a / (1 + e^a)$?
#
# <details><summary>Answer</summary>
#
# One half; 1 and 0, as far as anybody can write them down. Each form overflows on one side: $e^{1000}$ is larger than any float64, and in float32 the end comes at $e^{89}$ already. The first form survives, as $1/\infty$ is 0. The second gives $\infty/\infty$, which is not a number (NaN), and so is everything computed from it.
#
# </details>


# %%
def sigmoid_as_typed(a):
    return 1 / (1 + np.exp(-a))


def sigmoid_other_form(a):
    return np.exp(a) / (1 + np.exp(a))


a = np.asarray([-1000.0, 0.0, 1000.0])
for function in (sigmoid_as_typed, sigmoid_other_form):
    with np.errstate(all="ignore"):
        print(f"{function.__name__:20}", function(a))
    for value in a:
        with np.errstate(over="raise", invalid="raise"):
            try:
                function(value)
            except FloatingPointError as error:
                print(f"   at {value:7}: {error}")

# %% [markdown]
# The cure is to use each form on the side where it is safe. Both need $e = e^{-|a|}$, which is at most 1:
#
# $$s = \begin{cases} 1 / (1 + e) & a \ge 0 \\ e / (1 + e) & a < 0 \end{cases} \qquad e = e^{-|a|} \tag{4.2}$$
#
# ### Exercise 1 · Find the bug
#
# ★★☆ · 10 minutes
#
# A colleague has another cure. The hyperbolic tangent never overflows, and $\tfrac12 + \tfrac12 \tanh(a/2)$ equals (4.1) exactly, on paper.


# %%
def sigmoid_by_tanh(a):
    return 0.5 + 0.5 * np.tanh(0.5 * a)


a = np.asarray([-5.0, 0.0, 5.0, 1000.0])
compare("by tanh", sigmoid_by_tanh(a), torch.sigmoid(torch.tensor(a)))

# %% [markdown]
# **Predict.** Where does it fail? Try values of your own before you open the answer. Then write a sigmoid that does not.
#
# <details><summary>Answer</summary>
#
# Where $a$ is very negative. At $a = -40$ the gate is $4 \cdot 10^{-18}$; but $\tanh(-20)$ rounds to $-1$, and $\tfrac12 - \tfrac12$ is 0. Nothing overflowed, and all digits are gone: the tanh form **cancels**.
#
# </details>


# %% tags=["exercise"]
def sigmoid(a):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def sigmoid(a):
#     e = np.exp(-np.abs(a))
#     return np.where(a >= 0, 1.0, e) / (1.0 + e)
# ```
#
# This is (4.2): the numerator is 1 or $e$, and nothing is subtracted.
#
# </details>

# %% tags=["check"]
check.exercise("sigmoid", sigmoid)

# %% [markdown]
# And this is the file. It has a third cure: the second form alone, with $a$ stopped at 40. From 38 on $s$ is 1 to the last digit of a float64, so nothing is lost, and $e^{40}$ is far from overflowing. (The two lines with `kernels` hand the work to a kernel on a GPU, and do nothing here.) The file counts its own equations: its (1) is (4.1), and its (2) comes next.

# %%
source(hand.sigmoid)

# %% [markdown]
# ## 2 · Its slope
#
# The slope of (4.1), step by step. With $q = 1 + e^{-a}$, so that $s = 1/q$:
#
# $$\frac{ds}{da} = -\frac{1}{q^2} \cdot \big(-e^{-a}\big) = \frac{1}{q} \cdot \frac{e^{-a}}{q} = s\,(1 - s) \qquad\Longrightarrow\qquad da = ds\; s\,(1 - s) \tag{d4.1}$$
#
# since $e^{-a}/q = (q - 1)/q = 1 - s$. The slope needs no new exponential: the value itself is enough.
#
# **Predict.** Where is the slope largest, and how large? How much of it is left at $a = 5$? What does that mean for a gate that is nearly open?
#
# <details><summary>Answer</summary>
#
# At $a = 0$, where $s = 1 - s = \tfrac12$: it is $\tfrac14$. At $a = 5$ less than a hundredth is left. A gate that is nearly open or nearly shut is **saturated**: whatever the loss wants, hardly anything of it reaches the logit.
#
# </details>

# %%
a = np.linspace(-10, 10, 201)
s, sigmoid_back = hand.sigmoid(a)
slope = sigmoid_back(np.ones_like(a))  # ones on purpose: the slope itself, not a test

a_torch = torch.tensor(a, requires_grad=True)
ds = rng.standard_normal(a.shape)
(da_torch,) = torch.autograd.grad(torch.sigmoid(a_torch), a_torch, torch.tensor(ds))
compare("s", s, torch.sigmoid(a_torch))
compare("da", sigmoid_back(ds), da_torch)  # (d4.1)
for at in (0, 2, 5, 10):
    here = np.argmin(abs(a - at))
    print(f"a = {at:2}   s = {s[here]:.6f}   s (1 - s) = {slope[here]:.6f}")
assert slope.max() == 0.25
assert slope[abs(a) > 4.9].max() < 0.01

# %% [markdown]
# The picture shows one row of gates for each line of pixels, with logits from −10 on the left to 10 on the right. The gradient that arrives is random everywhere.

# %%
logits = np.broadcast_to(np.linspace(-10, 10, 121), (30, 121))
gates, gates_back = hand.sigmoid(logits)
ds = rng.standard_normal(logits.shape)

fig, axes = plt.subplots(4, 1, figsize=(8, 6.4), layout="constrained", height_ratios=[2, 1, 1, 1])
axes[0].plot(a, s, color="black", label="s")
axes[0].plot(a, slope, color="#CC79A7", label="s (1 − s), the slope")
axes[0].axhline(0.25, color="0.8", linewidth=1, zorder=0)
axes[0].set(xlim=(-10, 10), yticks=[0, 0.25, 0.5, 1], xlabel="logit a")
axes[0].legend()
gate_map(axes[1], gates, "the gates s")
gradient_map(axes[2], ds, "ds arrives", limit=3)
gradient_map(axes[3], gates_back(ds), "da = ds s (1 − s) is left", limit=0.75)
for ax in axes[1:]:
    ax.set_aspect("auto")
plt.show()

# %% [markdown]
# The last map has a scale four times as fine as the one above it, so that the middle looks alike. Both ends are white.
#
# In ARM a batch normalisation stands before the sigmoid. Whatever else it does, it keeps the logits of a batch near the middle: they have mean 0 and variance 1, up to a scale and a shift that are learned. [Lesson 4c](04c_batch_size.ipynb) looks at that alone.

# %% [markdown]
# ## 3 · One gate for many values
#
# The gate multiplies the features, and it repeats along the axes where it has length 1:
#
# $$y = x\, s \tag{4.3}$$
#
# | logits $a$ | one gate for | used by |
# |---|---|---|
# | $(N, C, 1, 1)$ | each channel | ARM, and SE (squeeze and excitation) |
# | $(N, 1, H, W)$ | each position | spatial attention |
# | $(N, C, H, W)$ | each element | the article's Attentionout |
#
# The **article** is the Chinese text that this project started from; [lesson 10b](10b_measured_claims.ipynb) measures its claims. It says of its module Attentionout that it makes a *spatial attention map* (空间注意力图). Its logits come from a pointwise convolution and have the shape $(N, C, H, W)$: every element has a gate of its own, and no neighbourhood is looked at. In this project it is called an **element-wise gate**.
#
# **Predict.** A photograph under each of the three. Which of them can only change its tint? Which can choose a place?
#
# <details><summary>Answer</summary>
#
# One gate for each channel changes the tint of the whole picture, and can do nothing else. One for each position chooses a place. One for each element can do both.
#
# </details>
#
# The position gate is a handwritten digit of scikit-learn.

# %%
photos = photographs()
x = photos[3:4]

digit = load_digits().images[13] / 16  # (8, 8) in 0 ... 1
digit = np.pad(np.kron(digit, np.ones((8, 8))), ((0, 0), (16, 16)))  # (64, 96)
logits = {
    "channel": np.asarray([3.0, 0.0, -3.0]).reshape(1, 3, 1, 1),
    "position": (8 * digit - 4).reshape(1, 1, 64, 96),
}
logits["element"] = logits["channel"] + logits["position"]

fig, axes = plt.subplots(2, 4, figsize=(10, 3.9), layout="constrained")
picture(axes[0, 0], x[0], "x")
axes[1, 0].axis("off")
for column, (name, a) in enumerate(logits.items(), start=1):
    y, _ = hand.sigmoid_gate(x, a)
    s = np.broadcast_to(hand.sigmoid(a)[0], x.shape)
    picture(axes[0, column], y[0], f"gated, one per {name}")
    if name == "channel":
        gate_bars(axes[1, column], s[0, :, 0, 0], "s")
    else:
        shown = 0 if name == "position" else 2
        drawn = gate_map(axes[1, column], s[0, shown], "s" if name == "position" else "s of blue")
fig.colorbar(drawn, ax=axes[1, 3], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# ### The derivation
#
# We are here, between $y$ and the two factors that it is made of:

# %%
arm_graph({"gate", "past"}, PAPER)

# %% [markdown]
# **Predict.** `x` is `(2, 3, 4, 5)` and `a` is `(2, 3, 1, 1)`. How many products of `dy` and `x` go into one number of `da`?
#
# <details><summary>Answer</summary>
#
# 20: one $s_{nc}$ fed all $HW = 4 \cdot 5$ positions of its channel, and it collects from each of them.
#
# </details>
#
# For one gate per channel, (4.3) written out is $y_{ncij} = x_{ncij}\, s_{nc}$. Two factors, two gradients:
#
# $$dx_{ncij} = dy_{ncij}\, s_{nc}, \qquad ds_{nc} = \sum_{i,j} dy_{ncij}\, x_{ncij} \tag{d4.3}$$
#
# Then (d4.1) carries the second through the sigmoid. For the other shapes only the sum changes: over $C$ for one gate per position, over nothing for one per element. `unbroadcast` of [lesson 0a](00a_arrays_and_backwards.ipynb) sums a gradient to a shape that was repeated. Each line beside PyTorch:

# %%
x = rng.standard_normal((2, 3, 4, 5))
shapes = {"channel": (2, 3, 1, 1), "position": (2, 1, 4, 5), "element": (2, 3, 4, 5)}
for name, shape in shapes.items():
    a = rng.standard_normal(shape)
    s, _ = hand.sigmoid(a)
    y = x * s
    dy = rng.standard_normal(y.shape)

    dx = dy * s  # (d4.3)
    products = dy * x
    ds = unbroadcast(products, s.shape)  # (d4.3)
    da = ds * s * (1 - s)  # (d4.1)

    x_torch, a_torch = (torch.tensor(t, requires_grad=True) for t in (x, a))
    s_torch = torch.sigmoid(a_torch)
    y_torch = x_torch * s_torch
    grads = torch.autograd.grad(y_torch, (x_torch, s_torch, a_torch), torch.tensor(dy))

    print(f"one gate per {name}: {products.size // ds.size} products in each ds")
    compare("  y", y, y_torch)
    for gradient, mine, theirs in zip(("dx", "ds", "da"), (dx, ds, da), grads, strict=True):
        compare(f"  {gradient}", mine, theirs)

# %% [markdown]
# ### Exercise 2 · `sigmoid_gate_backward`
#
# ★★☆ · 15 minutes
#
# Write the backward for all three shapes at once. You are given `dy`, the features `x` and the gate `s` (not the logits). Return `dx` and `da`; `da` has the shape of `s`. You may call `unbroadcast`.
#
# When it works, break it: leave out the sum, take a mean, drop a factor. Read what the check says about each.


# %% tags=["exercise"]
def sigmoid_gate_backward(dy, x, s):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def sigmoid_gate_backward(dy, x, s):
#     dx = dy * s
#     ds = unbroadcast(dy * x, s.shape)
#     return dx, ds * s * (1 - s)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("sigmoid_gate_backward", sigmoid_gate_backward)

# %% [markdown]
# The file, for comparison. It refuses shapes that do not fit, and lets `sigmoid` keep its own factor $s(1-s)$. Its (1) and (2) are (4.1) and (4.3), its (3) and (4) are (d4.3).

# %%
source(hand.sigmoid_gate)

# %% [markdown]
# ### The gate under your hand
#
# First a few logits side by side. Each picture is the photograph times one gate; each title has the slope that is left for learning.


# %%
def show_gates(values):
    size = 2 * len(values) + 2.5, 1.9
    _, axes = plt.subplots(1, len(values) + 1, figsize=size, layout="constrained", squeeze=False)
    curve, *pictures = axes[0]
    curve.plot(np.linspace(-8, 8, 161), hand.sigmoid(np.linspace(-8, 8, 161))[0], color="0.4")
    for value, ax in zip(values, pictures, strict=True):
        s, back = hand.sigmoid(np.float64(value))
        curve.plot(value, s, "o", markeredgecolor="black", color=plt.colormaps["magma"](float(s)))
        picture(ax, photos[0] * s, f"a = {value:g}, s = {s:.3f}\nslope {back(np.float64(1)):.4f}")
    curve.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1], xlabel="a", title="s")
    plt.show()


show_gates([-6, -2, 0, 2, 6])

# %% [markdown]
# In a running notebook, move the slider.

# %%
slider = ipywidgets.FloatSlider(
    value=0.5, min=-8, max=8, step=0.5, description="logit a", continuous_update=False
)
_ = ipywidgets.interact(lambda a: show_gates([a]), a=slider)

# %% [markdown]
# ## 4 · Residual or not
#
# The article describes Attentionout as having a residual connection (残差连接), that is
#
# $$y = x + x\, s \tag{4.4}$$
#
# These are the last lines of its forward:
#
# ```python
# out = torch.mul(x, atten)
# x = x + out   # 添加残差连接, "add the residual connection"
# return out
# ```
#
# **Predict.** What does it return, (4.3) or (4.4)?
#
# <details><summary>Answer</summary>
#
# (4.3), without the residual. The sum is computed, given the name `x`, and dropped: what is returned is `out`.
#
# </details>


# %%
def attentionout_ending(x, atten):
    out = torch.mul(x, atten)
    x = x + out
    return out


x_torch = torch.tensor(rng.standard_normal((2, 3, 4, 5)))
s_torch = torch.sigmoid(torch.tensor(rng.standard_normal((2, 3, 4, 5))))
returned = attentionout_ending(x_torch, s_torch)
compare("x s", returned, x_torch * s_torch)
compare("x + x s", returned, x_torch + x_torch * s_torch)

# %% [markdown]
# The code that the article's listing shortens does the same. So there are two modules with one name: the one described, (4.4), and the one published, (4.3). They differ in what they can do, and in how they learn. In (4.4) $x$ is used twice, and its gradients add up:
#
# $$dx = dy + dy\, s, \qquad ds = dy\, x \tag{d4.4}$$
#
# **Predict.** A gate is nearly shut, $a = -6$. How much of $dy$ reaches $x$ in each of them?
#
# <details><summary>Answer</summary>
#
# $\sigma(-6) = 0.0025$ of it, and 1.0025 of it. Without the residual, what a gate shuts out of the picture it also shuts out of learning. With it, nothing is ever suppressed: the article's "suppress unimportant features" is then a matter of a factor between 1 and 2.
#
# </details>
#
# | | published: $y = x s$ | described: $y = x + x s$ |
# |---|---|---|
# | factor on $x$ | $s$, in $(0, 1)$ | $1 + s$, in $(1, 2)$ |
# | what a shut gate leaves of $x$ | nothing | $x$ |
# | $dx$ | $dy\, s$ | $dy\,(1 + s)$ |
# | $da$ | $dy\, x\, s(1 - s)$ | $dy\, x\, s(1 - s)$ |

# %%
x = photos[3:4]
dy = rng.standard_normal(x.shape)
a = np.linspace(-6, 6, 96).reshape(1, 1, 1, 96) * np.ones((1, 1, 64, 1))  # shut on the left
s, _ = hand.sigmoid(a)

fig, axes = plt.subplots(2, 3, figsize=(9, 4.2), layout="constrained")
gate_map(axes[0, 0], s[0, 0], "s")
gradient_map(axes[1, 0], dy[0, 0], "dy", limit=3)
picture(axes[0, 1], (x * s)[0], "y = x s")
gradient_map(axes[1, 1], (dy * s)[0, 0], "dx = dy s", limit=3)
picture(axes[0, 2], (x + x * s)[0] / 2, "y = x + x s  (shown at half brightness)")
gradient_map(axes[1, 2], (dy * (1 + s))[0, 0], "dx = dy (1 + s)", limit=3)
plt.show()
print("share of dy that reaches x at a = -6:", f"{s.min():.4f} and {1 + s.min():.4f}")

# %% [markdown]
# ## Four questions
#
# 1. Why does the file compute $e^{\min(a, 40)}$ and not $e^a$?
#
# <details><summary>Answer</summary>
#
# $e^a$ overflows where $a$ is large, and $\infty/\infty$ is NaN. Where $a$ is stopped, $s$ has long been 1 to the last digit.
#
# </details>
#
# 2. A gate has $s = 0.999$. By what factor is a gradient at it smaller when it reaches the logit?
#
# <details><summary>Answer</summary>
#
# By $s(1-s) = 0.000999$, about a thousandth.
#
# </details>
#
# 3. Over which axes does the gradient of a spatial gate, $(N, 1, H, W)$, sum?
#
# <details><summary>Answer</summary>
#
# Over the channels: one gate fed all $C$ of them.
#
# </details>
#
# 4. Both modules of section 4 have the same $da$. Why does the residual not help a saturated gate to learn?
#
# <details><summary>Answer</summary>
#
# The residual goes around the gate. What reaches the logit comes through the gate alone, with the factor $s(1-s)$ in both.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | sigmoid | Sigmoid 激活 | (4.1) |
# | logit | 对数几率 | the number before the sigmoid, $a$ |
# | gate, attention weight | 门控, 注意力权重 | the factor in $(0, 1)$, $s$ |
# | saturation | 饱和 | where $s(1-s)$ is nearly 0 |
# | channel attention | 通道注意力 | one gate per channel |
# | spatial attention | 空间注意力 | one gate per position |
# | element-wise gate | 逐元素门控 | one gate per element |
# | residual connection | 残差连接 | (4.4) |
#
# ## What comes next
#
# [Lesson 4b: ARM by hand](04b_arm.ipynb) makes the logits from the image itself, and derives every gradient of the module. [Lesson 7a](07a_spatial_attention.ipynb) turns the gate around: one for each position. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

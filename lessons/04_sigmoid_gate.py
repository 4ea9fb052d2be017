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
# # 4 · The sigmoid gate, and ARM by hand
#
# **Goal.** Derive every gradient of the attention refinement module (ARM) of the BiSeNet paper, and see what its gate does to a picture.
#
# | | |
# |---|---|
# | Time | 105 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb): backwards, sums over what was repeated, random upstream gradients |
# | Afterwards you can | write a sigmoid that never overflows · say when a gate stops learning · write the gate's backward for one gate per channel, position or element · derive ARM's backward line by line · read the gates of a trained network · explain what goes wrong at batch sizes 1 and 2 |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/sigmoid.py](../armlab/hand/sigmoid.py) · [hand/sigmoid_gate.py](../armlab/hand/sigmoid_gate.py) · [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) · [hand/self_gate.py](../armlab/hand/self_gate.py) · and, where ARM needs them, [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) · [hand/batch_norm.py](../armlab/hand/batch_norm.py) |
#
# Equation numbers are those of the source files. Where a file's equation gets a gradient, the gradient has the same number behind a d: (d3) belongs to (3).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from arm_graph import PAPER, arm_graph
from armlab import check, hand
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.self_gate import self_gate
from armlab.hand.sequential import in_turn
from tools import compare, features, photographs, source, trained
from tools import CHANNELS, COLOURS, feature_map, gate_bars, gate_map, gradient_map, picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · The sigmoid, and the form that never overflows
#
# A gate is a factor between 0 and 1. A network computes numbers of any size, called **logits** $a$. The sigmoid turns one into the other:
#
# $$s = \frac{1}{1 + e^{-a}} \tag{1}$$
#
# **Predict.** What is $s$ at $a = 0$? At $a = 1000$ and $a = -1000$? And what does a computer say there, if (1) is typed in as it stands?


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
# Both forms are (1), multiplied through by $e^a$ or not. Each of them overflows on one side: $e^{1000}$ is larger than any float64, and in float32 the end comes at $e^{89}$ already. The first form survives, as $1/\infty$ is 0. The second gives $\infty/\infty$, which is not a number (NaN), and so is everything computed from it.
#
# The cure is to use each form on the side where it is safe. Both need $e = e^{-|a|}$, which is at most 1:
#
# $$s = \begin{cases} 1 / (1 + e) & a \ge 0 \\ e / (1 + e) & a < 0 \end{cases} \qquad e = e^{-|a|}$$
#
# ### Exercise 1 · Find the bug
#
# ★★☆ · 10 minutes
#
# A colleague has another cure. The hyperbolic tangent never overflows, and $\tfrac12 + \tfrac12 \tanh(a/2)$ equals (1) exactly, on paper.


# %%
def sigmoid_by_tanh(a):
    return 0.5 + 0.5 * np.tanh(0.5 * a)


a = np.asarray([-5.0, 0.0, 5.0, 1000.0])
compare("by tanh", sigmoid_by_tanh(a), torch.sigmoid(torch.tensor(a)))

# %% [markdown]
# **Predict.** Where does it fail? Try values of your own, then write a sigmoid that does not.


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
# The tanh form **cancels** for very negative $a$. At $a = -40$ the gate is $4 \cdot 10^{-18}$; but $\tanh(-20)$ rounds to $-1$, and $\tfrac12 - \tfrac12$ is 0. Nothing overflowed, and all digits are gone.
#
# </details>

# %% tags=["check"]
check.exercise("sigmoid", sigmoid)

# %% [markdown]
# And this is the file. It has a third cure: the second form alone, with $a$ stopped at 40. From 38 on $s$ is 1 to the last digit of a float64, so nothing is lost, and $e^{40}$ is far from overflowing. The end, its backward, comes next.

# %%
source(hand.sigmoid)

# %% [markdown]
# ## 2 · Saturation
#
# The slope of (1), step by step. With $q = 1 + e^{-a}$, so that $s = 1/q$:
#
# $$\frac{ds}{da} = -\frac{1}{q^2} \cdot \big(-e^{-a}\big) = \frac{1}{q} \cdot \frac{e^{-a}}{q} = s\,(1 - s) \tag{d1}$$
#
# since $e^{-a}/q = (q - 1)/q = 1 - s$. The slope needs no new exponential: the value itself is enough.
#
# **Predict.** Where is the slope largest, and how large? How much of it is left at $a = 5$?

# %%
a = np.linspace(-10, 10, 201)
s, sigmoid_back = hand.sigmoid(a)
slope = sigmoid_back(np.ones_like(a))  # ones on purpose: the slope itself, not a test

a_torch = torch.tensor(a, requires_grad=True)
ds = rng.standard_normal(a.shape)
(da_torch,) = torch.autograd.grad(torch.sigmoid(a_torch), a_torch, torch.tensor(ds))
compare("s", s, torch.sigmoid(a_torch))
compare("da", sigmoid_back(ds), da_torch)
for at in (0, 2, 5, 10):
    print(
        f"a = {at:2}   s = {hand.sigmoid(np.float64(at))[0]:.6f}   s (1 - s) = {slope[np.argmin(abs(a - at))]:.6f}"
    )

# %% [markdown]
# At most a quarter, and at $a = 5$ less than a hundredth. A gate that is nearly open or nearly shut is **saturated**: whatever the loss wants, hardly anything of it reaches the logit. The picture shows one row of gates for each line of pixels, with logits from −10 on the left to 10 on the right. The gradient that arrives is random everywhere.

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
# In ARM a batch normalisation stands before the sigmoid. Whatever else it does, it keeps the logits of a batch near the middle: they have mean 0 and variance 1, up to a scale and a shift that are learned.

# %% [markdown]
# ## 3 · One gate for many values
#
# The gate multiplies the features. In the paper's ARM, whose steps are the arrows of this picture, black forward and red back, it is the last one:

# %%
arm_graph({"gate", "past", "sigmoid"}, PAPER)

# %% [markdown]
# Its file allows three shapes of logits:
#
# $$y = x\, s \tag{2}$$
#
# | logits $a$ | one gate for | used by |
# |---|---|---|
# | $(N, C, 1, 1)$ | each channel | ARM, and SE (squeeze and excitation) |
# | $(N, 1, H, W)$ | each position | spatial attention |
# | $(N, C, H, W)$ | each element | the article's Attentionout |
#
# The article says of Attentionout that it makes a *spatial attention map* (空间注意力图). Its logits come from a pointwise convolution and have the shape $(N, C, H, W)$: every element has a gate of its own, and no neighbourhood is looked at. In this project it is called an **element-wise gate**.
#
# The picture shows one photograph under all three. The position gate is a handwritten digit of scikit-learn.

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
# One gate per channel changes the tint of the whole picture. One per position chooses a place. One per element can do both.
#
# ### The derivation
#
# **Predict.** `x` is `(2, 3, 4, 5)` and `a` is `(2, 3, 1, 1)`. How many products of `dy` and `x` go into one number of `da`?
#
# For one gate per channel, (2) written out is $y_{ncij} = x_{ncij}\, s_{nc}$. Two factors, two gradients:
#
# $$dx_{ncij} = dy_{ncij}\, s_{nc}, \qquad ds_{nc} = \sum_{i,j} dy_{ncij}\, x_{ncij} \tag{d2}$$
#
# The second has a sum because one $s_{nc}$ fed $HW$ outputs: here 20. Then (d1) carries it through the sigmoid, $da = ds\; s\,(1 - s)$.
#
# For the other shapes only the sum changes: over $C$ for one gate per position, over nothing for one per element. `unbroadcast` finds the axes from the shape of $s$. Each line beside PyTorch:

# %%
x = rng.standard_normal((2, 3, 4, 5))
for name, shape in [
    ("channel", (2, 3, 1, 1)),
    ("position", (2, 1, 4, 5)),
    ("element", (2, 3, 4, 5)),
]:
    a = rng.standard_normal(shape)
    s, _ = hand.sigmoid(a)
    y = x * s
    dy = rng.standard_normal(y.shape)

    dx = dy * s  # (d2)
    products = dy * x
    ds = unbroadcast(products, s.shape)  # (d2)
    da = ds * s * (1 - s)  # (d1)

    x_torch, a_torch = (torch.tensor(t, requires_grad=True) for t in (x, a))
    s_torch = torch.sigmoid(a_torch)
    y_torch = x_torch * s_torch
    dx_torch, ds_torch, da_torch = torch.autograd.grad(
        y_torch, (x_torch, s_torch, a_torch), torch.tensor(dy)
    )

    print(f"one gate per {name}: {products.size // ds.size} products in each ds")
    compare("  y", y, y_torch)
    compare("  dx", dx, dx_torch)
    compare("  ds", ds, ds_torch)
    compare("  da", da, da_torch)

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
# The file, for comparison. It refuses shapes that do not fit, and lets `sigmoid` keep its own factor $s(1-s)$.

# %%
source(hand.sigmoid_gate)

# %% [markdown]
# ### The gate under your hand
#
# First a few logits side by side. Each picture is the photograph times one gate; each title has the slope that is left for learning.


# %%
def show_gates(values):
    _, axes = plt.subplots(
        1,
        len(values) + 1,
        figsize=(2 * len(values) + 2.5, 1.9),
        layout="constrained",
        squeeze=False,
    )
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
# The article describes Attentionout as having a residual connection (残差连接). These are the last lines of its forward:
#
# ```python
# out = torch.mul(x, atten)
# x = x + out   # 添加残差连接, "add the residual connection"
# return out
# ```
#
# **Predict.** What does it return, $x s$ or $x + x s$?


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
# The sum is computed, given the name `x`, and dropped. The code that the article's listing shortens does the same. So there are two modules with one name: the one described, $y = x + x s$, and the one published, $y = x s$. They differ in what they can do, and in how they learn:
#
# | | published: $y = x s$ | described: $y = x + x s$ |
# |---|---|---|
# | factor on $x$ | $s$, in $(0, 1)$ | $1 + s$, in $(1, 2)$ |
# | what a shut gate leaves of $x$ | nothing | $x$ |
# | $dx$ | $dy\, s$ | $dy\,(1 + s)$ |
# | $da$ | $dy\, x\, s(1 - s)$ | $dy\, x\, s(1 - s)$ |
#
# **Predict.** A gate is nearly shut, $a = -6$. How much of $dy$ reaches $x$ in each of them?

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
# Without the residual, what a gate shuts out of the picture it also shuts out of learning. With it, nothing is ever suppressed: the article's "suppress unimportant features" is then a matter of a factor between 1 and 2.

# %% [markdown]
# ## 5 · ARM, forward
#
# The module of the paper. From here on, the numbers are those of `attention_refinement.py`:
#
# $$z = \mathrm{GAP}(x) \tag{1}$$
# $$a = \mathrm{BN}(W z) \tag{2}$$
# $$y = x\,\sigma(a) \tag{3}$$
#
# Pool each channel to its mean. Let a 1×1 convolution, which on one pixel is just a matrix $W$, mix the means. Normalise. Gate.

# %%
arm_graph(steps=PAPER, backward=False)

# %% [markdown]
# The code in the article puts a 3×3 convolution, BN and LeakyReLU in front and calls $f$ what comes out: $f = \mathrm{act}(\mathrm{BN}(\mathrm{conv}_{3\times3}(x)))$. Most public repositories do the same, nearly all of them with ReLU. The paper's module has no 3×3, as its author said in TorchSeg's issue 28. Whatever stands in front, the gate is this.
#
# **Predict.** How many numbers does it learn for $C = 3$? For $C = 128$?

# %%
for channels in (3, 128):
    arm = hand.PaperAttentionRefinement(channels, rng=0)
    shapes = {key: value.shape for key, value in arm.parameters().items()}
    print(
        channels,
        "channels:",
        sum(value.size for value in arm.parameters().values()),
        "numbers in",
        shapes,
    )

# %% [markdown]
# $C^2$ for $W$, and $2C$ for the scale and the shift of batch normalisation. (The article counts "one 1×1 convolution" as all that ARM adds. For its class, which holds the 3×3, that is not so: `ARM32`, from 512 to 128 channels, has 606,720 parameters, and its attention branch 16,640.)
#
# Six crops of photographs, with red, green and blue as the three channels. The weights are made up: this module has learned nothing yet.

# %%
x = photos  # (6, 3, 64, 96)
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
arm.assign(
    {"bn_atten.weight": np.asarray([1.5, 0.8, 1.2]), "bn_atten.bias": np.asarray([0.5, 0.0, -0.5])}
)
y, backward = arm(x)
gate = arm.gate(x)
print(arm)
print("gate", gate.shape)

# %%
fig, axes = plt.subplots(3, 6, figsize=(12, 4.8), layout="constrained", height_ratios=[1, 0.8, 1])
for n in range(6):
    picture(axes[0, n], x[n], f"x[{n}]")
    gate_bars(axes[1, n], gate[n, :, 0, 0], "gate")
    axes[1, n].tick_params(labelsize=7)
    picture(axes[2, n], y[n], f"y[{n}]")
plt.show()

# %% [markdown]
# The same weights, yet every picture has its own gate: it is computed from the picture. And within a picture a channel has one gate, at every pixel. ARM cannot say *here*; it can only say *in this image*.
#
# ### A gate that has learned something
#
# `armlab train` has taught a small network to find each handwritten 7 in a photograph and to say whether it is of class A or B. Only a band along the top of the scene tells: orange for A, blue for B. Near its end stands an ARM with 32 channels. Here are its gates for eight scenes, each of them with both bands.
#
# **Predict.** Three things differ from image to image: the band, the photograph, and the digits. Which of them do the gates follow?

# %%
net = trained("arm")
scenes = Scenes("test")
halves = [scenes.batch(range(8), band) for band in (0, 1)]
images, labels = (np.concatenate(parts) for parts in zip(*halves, strict=True))  # A, then B
f = features(net, images)  # (16, 32, 32, 32): what the gate multiplies
gate = net.gate(images)  # (16, 32, 1, 1)
steps = (gate[8:].mean(axis=0) - gate[:8].mean(axis=0))[:, 0, 0]
order = np.argsort(steps)  # channels, from those that are more open for A to those for B

fig, axes = plt.subplot_mosaic(
    [["A dark", "A pale", "s"], ["B dark", "B pale", "s"]],
    figsize=(11, 3.9),
    layout="constrained",
    width_ratios=[1, 1, 3],
)
shown = {"A dark": 0, "A pale": 5, "B dark": 8, "B pale": 13}  # two of the eight scenes
for name, n in shown.items():
    scene(axes[name], images[n], name)
ax = axes["s"]
drawn = gate_map(
    ax, gate[:, order, 0, 0], "gates: one row for each image, one column for each channel"
)
ax.set(
    aspect="auto",
    yticks=[1.5, 5.5, 9.5, 13.5],
    yticklabels=["A dark", "A pale", "B dark", "B pale"],
)
ax.axhline(7.5, color="white", linewidth=2)
fig.colorbar(drawn, ax=ax, ticks=[0, 0.5, 1])
plt.show()
four = gate.reshape(4, 4, 32)  # kind of image, scene, channel
print(f"spread of a gate within a kind: {four.std(axis=1).mean():.3f}")
print(f"between the four kinds:         {four.mean(axis=1).std(axis=0).mean():.3f}")

# %% [markdown]
# Four kinds of images, four kinds of rows. The halves differ by the band. Within a half the upper four scenes are crops of a dark photograph and the lower four of a pale one. The digits, three others in each scene, hardly show. So the gate says of an image *which band* and *which light*, and that is all: what the means of 32 channels can know.
#
# On the left stand the channels that are more open for A, on the right those for B. Here are the first and the last, before and behind the gate.

# %%
fig, axes = plt.subplots(2, 5, figsize=(11.5, 4.9), layout="constrained")
for row, n in enumerate((5, 13)):
    scene(axes[row, 0], images[n], "AB"[row])
    for k, c in enumerate((order[0], order[-1])):
        feature_map(axes[row, 1 + 2 * k], f[n, c], f"channel {c + 1}")
        feature_map(
            axes[row, 2 + 2 * k], f[n, c] * gate[n, c, 0, 0], f"times {gate[n, c, 0, 0]:.2f}"
        )
        for ax in axes[row, 1 + 2 * k : 3 + 2 * k]:
            ax.images[0].set_clim(f[[5, 13], c].min(), f[[5, 13], c].max())
plt.show()

# %% [markdown]
# Both channels respond to the digits, the 7 at the right most of all, and they do so alike for A and B. Then the gate comes. A gate below 1 never amplifies; what counts is one channel against the other. For A the first keeps its strength and the last fades, for B the reverse. The layers behind compare the two at every pixel. That is how a 7 hears of a band that no convolution around it can see.

# %% [markdown]
# ## 6 · ARM, backward
#
# **Predict.** The forward has four steps: pool, convolve, normalise, gate. Before you read on: in which two steps is $x$ used, and which step makes the images of the batch depend on each other?

# %%
arm_graph(steps=PAPER)

# %% [markdown]
# Now at length. As before, $dq$ is $\partial L / \partial q$ and has the shape of $q$. We start at the last equation and go up.
#
# **The gate (3).** As in section 3:
#
# $$dx^{\text{gate}} = dy\, s, \qquad ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1 - s) \tag{d3}$$
#
# **Batch normalisation (2).** It sees one value per image and channel, so $m = N$. Its own file numbers its steps; call them BN 1 to BN 4. For one channel:
#
# $$\mathrm{mean} = \frac{1}{m}\sum_n u_n \tag{BN 1}$$
# $$\mathrm{var} = \frac{1}{m}\sum_n (u_n - \mathrm{mean})^2 \tag{BN 2}$$
# $$r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{BN 3}$$
# $$a_n = w\,\hat u_n + b, \qquad \hat u_n = (u_n - \mathrm{mean})\, r \tag{BN 4}$$
#
# Upwards, one step at a time. $w$ and $b$ feed every image, so they collect sums:
#
# $$db = \sum_n da_n, \qquad dw = \sum_n da_n\, \hat u_n, \qquad d\hat u_n = w\, da_n \tag{BN d4}$$
#
# $r$ feeds every $\hat u_n$, and $\mathrm{var}$ feeds $r$ with the slope $-\tfrac12 (\mathrm{var} + \varepsilon)^{-3/2} = -\tfrac12 r^3$:
#
# $$dr = \sum_n d\hat u_n\, (u_n - \mathrm{mean}), \qquad d\mathrm{var} = -\tfrac12\, r^3\, dr \tag{BN d3}$$
#
# The difference $c_n = u_n - \mathrm{mean}$ is used twice, in $\hat u_n$ and in $\mathrm{var}$:
#
# $$dc_n = r\, d\hat u_n + \tfrac{2}{m}\, c_n\, d\mathrm{var} \tag{BN d2}$$
#
# And the mean is subtracted from every $u_n$, so it collects a sum with a minus, and hands back to each image its share $1/m$:
#
# $$d\mathrm{mean} = -\sum_n dc_n, \qquad du_n = dc_n + \tfrac1m\, d\mathrm{mean} \tag{BN d1}$$
#
# **The 1×1 convolution (2).** On one pixel it is $u_{nk} = \sum_c W_{kc}\, z_{nc}$. One $W_{kc}$ serves all images, one $z_{nc}$ feeds all outputs:
#
# $$dW_{kc} = \sum_n du_{nk}\, z_{nc}, \qquad dz_{nc} = \sum_k W_{kc}\, du_{nk} \tag{d2}$$
#
# **The pool (1)**, and the two ways together:
#
# $$dx^{\text{pool}}_{ncij} = \frac{dz_{nc}}{HW}, \qquad dx = dx^{\text{gate}} + dx^{\text{pool}} \tag{d1}$$
#
# Here is all of it in code, with the same names. `z`, `u`, `a` are kept as `(N, C)` for brevity.

# %%
W = arm.conv_atten.weight[:, :, 0, 0]
w, b, eps = arm.bn_atten.weight, arm.bn_atten.bias, arm.bn_atten.eps
m, height, width = x.shape[0], *x.shape[2:]

z = x.mean(axis=(2, 3))  # (1)
u = z @ W.T  # (2)
mean = u.mean(axis=0)  # (BN 1)
c = u - mean
var = (c**2).mean(axis=0)  # (BN 2)
r = 1 / np.sqrt(var + eps)  # (BN 3)
u_hat = c * r
a = w * u_hat + b  # (BN 4)
s = hand.sigmoid(a)[0][:, :, np.newaxis, np.newaxis]
compare("y", x * s, y)  # (3)

# %%
dy = rng.standard_normal(y.shape)

dx_gate = dy * s  # (d3)
ds = unbroadcast(dy * x, s.shape)
da = (ds * s * (1 - s))[:, :, 0, 0]
db = da.sum(axis=0)  # (BN d4)
dw = (da * u_hat).sum(axis=0)
du_hat = w * da
dr = (du_hat * c).sum(axis=0)  # (BN d3)
dvar = -0.5 * r**3 * dr
dc = r * du_hat + 2 / m * c * dvar  # (BN d2)
dmean = -dc.sum(axis=0)  # (BN d1)
du = dc + dmean / m
dW = du.T @ z  # (d2)
dz = du @ W
dx_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / (height * width), x.shape)  # (d1)
dx = dx_gate + dx_pool

# %% [markdown]
# PyTorch is asked for the gradient of every one of these names.

# %%
t = {
    name: torch.tensor(value, requires_grad=True)
    for name, value in {"x": x, "W": W, "w": w, "b": b}.items()
}
t["z"] = t["x"].mean((2, 3))
t["u"] = t["z"] @ t["W"].T
t["mean"] = t["u"].mean(0)
t["c"] = t["u"] - t["mean"]
t["var"] = (t["c"] ** 2).mean(0)
t["r"] = 1 / torch.sqrt(t["var"] + eps)
t["u_hat"] = t["c"] * t["r"]
t["a"] = t["w"] * t["u_hat"] + t["b"]
t["s"] = torch.sigmoid(t["a"])[:, :, None, None]
y_torch = t["x"] * t["s"]

names = ["s", "a", "b", "w", "u_hat", "r", "var", "c", "mean", "u", "W", "z", "x"]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
by_hand = [ds, da, db, dw, du_hat, dr, dvar, dc, dmean, du, dW, dz, dx]
compare("y", x * s, y_torch)
for name, mine, theirs in zip(names, by_hand, grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# Thirteen gradients, each close. Now collapse them.
#
# ### Collapsed
#
# In batch normalisation, put (BN d3) and (BN d2) into (BN d1). Since $dr = w \sum_n da_n\, c_n = w\, dw / r$, the middle term is $\tfrac2m c_n \cdot (-\tfrac12 r^3)\, w\, dw/r = -\tfrac1m\, w\, r\, \hat u_n\, dw$. The $c_n$ add up to 0, so only $r\, d\hat u$ is left in $d\mathrm{mean} = -w\, r\, db$. Together:
#
# $$du_n = w\, r\, \Big( da_n - \frac{db}{m} - \hat u_n \frac{dw}{m} \Big) \tag{BN 5}$$
#
# This is equation (5) of `armlab/hand/batch_norm.py`. It says what normalising does to a gradient: it takes away the part that would move all images alike, and the part that would stretch them all. The forward removes these two from $u$, so no loss can ask for them.

# %%
du_collapsed = w * r * (da - db / m - u_hat * dw / m)  # (BN 5)
compare("(BN 5)", du_collapsed, du)

# %% [markdown]
# And the module becomes two short backwards, each its forward read upwards: one of a map that gates itself, which many modules share, and one of the branch that makes the logits. `collect` is the plus between the gradients of a value that is used twice. These are the files.

# %%
source(hand.PaperAttentionRefinement.forward, self_gate, attention_logits)

# %%
dx_file, grads_file = backward(dy)
compare("dx", dx_file, dx)
compare("dW", grads_file["conv_atten.weight"][:, :, 0, 0], dW)
compare("dw", grads_file["bn_atten.weight"], dw)
compare("db", grads_file["bn_atten.bias"], db)
print(check.adjoint(lambda x: (arm.copy()(x)[0], lambda dy: arm.copy()(x)[1](dy)[0]), x))

# %% [markdown]
# The file gives the same numbers as the long way, and the adjoint identity of lesson 0 holds for the whole module. The two ways to $x$, drawn for the red channel of three of the images. Each column has one scale, and that of the pool is far finer:

# %%
fig, axes = plt.subplots(3, 3, figsize=(8, 5), layout="constrained")
limit = np.abs(dx_pool).max()
for row, n in enumerate((0, 3, 4)):
    picture(axes[row, 0], x[n], f"x[{n}]")
    gradient_map(axes[row, 1], dx_gate[n, 0], "through the gate: dy s", limit=3)
    drawn = gradient_map(
        axes[row, 2], dx_pool[n, 0], f"through the pool: {dx_pool[n, 0, 0, 0]:+.1e}", limit=limit
    )
plt.show()

# %% [markdown]
# Through the gate, each pixel hears of itself alone. Through the pool, all pixels of a channel hear the same, and what they hear depends on the whole image, on the other channels through $W$, and on the other images through the batch statistics. This flat gradient is what *global context* is in the backward. It is tiny at each pixel, and in this module it is the only way in which a far-away pixel learns anything from this one.
#
# ### Where the gradient vanishes
#
# Section 2 drew saturation with random numbers. The trained network has the real thing: $ds$, as its loss sends it to the gates, and $da$, what the sigmoid lets through to the weights. Now multiply its logits by 4, then by 16, as if the scale of its batch normalisation had grown.
#
# **Predict.** What happens to the gates? To $da$?


# %%
def gradients_at_the_gate(factor):
    """The gates of all images with their logits multiplied, ds by the loss, and da."""
    layers = net.copy().children()
    a = factor * np.log(gate / (1 - gate))
    y, gate_back = hand.sigmoid_gate(f, a)
    logits, rest_back = in_turn({name: layers[name] for name in ("head", "classify")}, y)
    full, resize_back = hand.resize_bilinear(logits, size=(64, 64))
    _, loss_back = hand.cross_entropy(full, labels)
    dy, _ = rest_back(resize_back(loss_back(1.0)))
    _, da = gate_back(dy)
    return hand.sigmoid(a)[0], unbroadcast(dy * f, a.shape), da


fig, axes = plt.subplots(3, 3, figsize=(11, 5.6), layout="constrained")
for row, factor in enumerate((1, 4, 16)):
    s, ds, da = (g[:, order, 0, 0] for g in gradients_at_the_gate(factor))
    limit = np.quantile(np.abs(ds), 0.98)
    gate_map(axes[row, 0], s, f"s = σ({factor} a)" if factor > 1 else "s")
    gradient_map(axes[row, 1], ds, "ds, from the loss", limit=limit)
    left = np.abs(da).sum() / np.abs(ds).sum()
    gradient_map(axes[row, 2], da, f"da: {left:.1%} of it is left", limit=limit / 4)
    for ax in axes[row]:
        ax.set_aspect("auto")
plt.show()

# %% [markdown]
# Rows and columns are those of the picture in section 5. The scale of $da$ is four times as fine as that of $ds$ beside it, as the slope is at most a quarter. In the first row the two maps look alike: most gates stand where the sigmoid is steep. In the last row the gates are black or nearly white, the loss still asks, and the map of what is left is white. A few gates stay: those near one half, whose logits were near 0 and stay there whatever the factor.
#
# ### Exercise 3 · `paper_arm_backward`
#
# ★★★ · 15 minutes
#
# You are given `dy` and the two backwards that `forward` has kept: `gate_back(dy)` returns `(dx, da)`, and `logits_back(da)` returns `(dx_pooled, grads)`. Return `dx` of the whole module. It takes three lines. Before you run the check, write down what the answer would be with the second way left out, and whether you would notice it by eye.


# %% tags=["exercise"]
def paper_arm_backward(dy, gate_back, logits_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def paper_arm_backward(dy, gate_back, logits_back):
#     dx, da = gate_back(dy)
#     dx_pooled, grads = logits_back(da)
#     return dx + dx_pooled
# ```
#
# Without the second way `dx` is $dy\,s$: it has the right shape, and nearly the right values. Return it, and see what the check says.
#
# </details>

# %% tags=["check"]
check.exercise("paper_arm_backward", paper_arm_backward)

# %% [markdown]
# ## 7 · Batch sizes 1 and 2
#
# **Predict.** In training, ARM normalises one value per image and channel over the batch. What is left of that with one image? With two?

# %%
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
try:
    arm(photos[:1])
except ValueError as error:
    print("ValueError:", error)
print()
print("in eval mode:", arm.copy().eval().gate(photos[:1]).ravel().round(3))

# %% [markdown]
# With one image, the value minus the mean is 0: the gate would be $\sigma(b)$ whatever the picture. The first sentence is PyTorch's own. Users of many ARM implementations have reported it; the last, incomplete batch of an epoch is enough ([lesson 5](05_arm.ipynb) has ways around it). In evaluation mode the kept statistics are used instead, and one image is fine.
#
# With two images there is no error, and that is worse. Let $u_1$ and $u_2$ be $2d$ apart. Their mean lies in the middle and the variance is $d^2$, so
#
# $$\hat u = \pm \frac{d}{\sqrt{d^2 + \varepsilon}} \tag{4}$$
#
# which is almost exactly $\pm 1$, unless $d$ is as small as $\sqrt\varepsilon \approx 0.003$. The gate learns *which of the two is larger*, and not by how much.
#
# **Predict.** Image 0 is made darker and brighter, from 0 to 2 times its brightness, and all other images stay. How does its gate move, in a batch of two and in a batch of six?

# %%
brightness = np.linspace(0, 2, 201)
fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for ax, size in zip(axes, (2, 6), strict=True):
    curves = []
    for factor in brightness:
        batch = photos[:size].copy()
        batch[0] *= factor
        curves.append(arm.gate(batch)[0, :, 0, 0])
    for channel, curve in enumerate(np.asarray(curves).T):
        ax.plot(brightness, curve, color=COLOURS[channel], label=CHANNELS[channel])
    ax.set(title=f"batch of {size}", xlabel="brightness of image 0", ylim=(0, 1))
axes[0].set_ylabel("its gates")
axes[1].legend()
plt.show()

# %% [markdown]
# In a batch of two the gates are switches. They stand at $\sigma(1) \approx 0.73$ or $\sigma(-1) \approx 0.27$, and flip where the $u$ of image 0 passes that of its neighbour. In a batch of six they move all along.
#
# A switch has no slope, and where there is no slope nothing is learned. Look at the gradient of $W$:

# %%
for size in (2, 3, 6):
    y, backward = arm(photos[:size])
    dy = np.random.default_rng(0).standard_normal(y.shape)
    _, grads = backward(dy)
    print(f"batch of {size}: largest |dW| {np.abs(grads['conv_atten.weight']).max():.4f}")

# %% [markdown]
# Equation (BN 5) explains it. With $m = 2$ and $\hat u = \pm1$, the two things that it takes away, the common part and the part along $\hat u$, are all that two numbers can have. What is left is of the order of $\varepsilon / (d^2 + \varepsilon)$.

# %% [markdown]
# ## Five questions
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
# 4. The loss looks at one pixel only. Which pixels of the same image receive a gradient through ARM?
#
# <details><summary>Answer</summary>
#
# All of them. That pixel's gate was computed from the mean, and every pixel has a share in the mean. Through the batch statistics, in training, the pixels of the other images receive one as well.
#
# </details>
#
# 5. Your ARM trains with a batch of 2. Name two things that would be better.
#
# <details><summary>Answer</summary>
#
# A larger batch; or a normalisation that does not look at other images; or none at all before the sigmoid, as in the SE module. By (4) a gate from a batch of two hardly sees magnitude.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | attention refinement module (ARM) | 注意力细化模块 | pool, 1×1 convolution, BN, sigmoid, multiply |
# | sigmoid | Sigmoid 激活 | (1) of section 1 |
# | logit | 对数几率 | the number before the sigmoid, $a$ |
# | gate, attention weight | 门控, 注意力权重 | the factor in $(0, 1)$, $s$ |
# | saturation | 饱和 | where $s(1-s)$ is nearly 0 |
# | channel attention | 通道注意力 | one gate per channel |
# | spatial attention | 空间注意力 | one gate per position |
# | element-wise gate | 逐元素门控 | one gate per element |
# | residual connection | 残差连接 | $y = x + x s$ |
# | 1×1 convolution | 1×1 卷积 | a matrix over the channels, the same at every pixel |
# | global context | 全局上下文 | what the pooled mean knows of the image |
#
# ## What comes next
#
# [Lesson 5: ARM in three versions](05_arm.ipynb), the paper's, the article's and the repositories'. [Lesson 6](06_relatives.ipynb) reads SE, ECA and CBAM as changes of one line, and [lesson 7](07_spatial_attention.ipynb) turns the gate around: one for each position. The network of section 5 is trained in [lesson 9](09_context.ipynb), on scenes that cannot be told apart without context. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

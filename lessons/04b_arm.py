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
# # 4b · ARM by hand
#
# **Goal.** Derive every gradient of the attention refinement module (ARM) of the BiSeNet paper, and see what its gate has learned to say.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4a](04a_sigmoid_gate.ipynb): the gate and its backward |
# | Afterwards you can | write ARM down and count its numbers · read the gates of a trained network · derive ARM's backward line by line, batch normalisation included · say which way through it carries the context |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) · [hand/self_gate.py](../armlab/hand/self_gate.py) · and, where ARM needs them, [hand/global_avg_pool.py](../armlab/hand/global_avg_pool.py) · [hand/batch_norm.py](../armlab/hand/batch_norm.py) |
#
# [Lesson 4a](04a_sigmoid_gate.ipynb) has the last step of ARM, the gate. Here is the whole. [Lesson 4c](04c_batch_size.ipynb) then looks at its normalisation alone. The gradient of (4.8) is (d4.8).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from arm_graph import PAPER, arm_graph
from armlab import check, hand
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.self_gate import self_gate
from armlab.hand.sequential import in_turn
from tools import compare, features, photographs, source, trained
from tools import feature_map, gate_bars, gate_map, gradient_map, picture, scene

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Forward
#
# Pool each channel to its mean over the whole image (GAP is global average pooling). Let a 1×1 convolution, which on one pixel is just a matrix $W$, mix the means. Normalise each channel of the result over the batch (BN is batch normalisation). Gate.
#
# $$z_{nc} = \mathrm{GAP}(x)_{nc} = \frac{1}{HW} \sum_{ij} x_{ncij} \tag{4.5}$$
# $$u = W z \tag{4.6}$$
# $$a = \mathrm{BN}(u) \tag{4.7}$$
# $$y = x\, s, \qquad s = \sigma(a) \tag{4.8}$$

# %%
arm_graph(steps=PAPER, backward=False)

# %% [markdown]
# The code of the article, the Chinese text that this project started from, puts a 3×3 convolution, BN and an activation, LeakyReLU, in front. Most public repositories do the same, nearly all of them with ReLU. The paper's module has no 3×3, as its author said in TorchSeg's issue 28. Whatever stands in front, the gate is this; [lesson 5a](05a_arm_versions.ipynb) sets the versions beside each other.
#
# **Predict.** How many numbers does it learn for $C = 3$? For $C = 128$?
#
# <details><summary>Answer</summary>
#
# $C^2$ for $W$, and $2C$ for the scale and the shift of batch normalisation: 15, and 16,640. Pool and gate have none.
#
# </details>

# %%
for channels in (3, 128):
    arm = hand.PaperAttentionRefinement(channels, rng=0)
    shapes = {key: value.shape for key, value in arm.parameters().items()}
    count = sum(value.size for value in arm.parameters().values())
    print(f"{channels} channels: {count:,} numbers in {shapes}")
    assert count == channels**2 + 2 * channels

# %% [markdown]
# (The article counts "one 1×1 convolution" as all that ARM adds. For its class, which holds the 3×3, that is not so: `ARM32`, from 512 to 128 channels, has 606,720 parameters, and its attention branch 16,640.)
#
# Six crops of photographs, with red, green and blue as the three channels. The weights are made up: this module has learned nothing yet. It is in **training mode**, in which BN takes the mean and the variance of the batch before it.
#
# **Predict.** All six get the same weights. Do they get the same gates? May a gate differ between two pixels of one image?
#
# <details><summary>Answer</summary>
#
# Every image has its own gates: they are computed from it. Within an image a channel has one gate, at every pixel. ARM cannot say *here*; it can only say *in this image*.
#
# </details>

# %%
x = photographs()  # (6, 3, 64, 96)
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
scale, shift = np.asarray([1.5, 0.8, 1.2]), np.asarray([0.5, 0.0, -0.5])
arm.assign({"bn_atten.weight": scale, "bn_atten.bias": shift})
y, backward = arm(x)
gate = arm.gate(x)
print("gate", gate.shape)

fig, axes = plt.subplots(3, 6, figsize=(12, 4.8), layout="constrained", height_ratios=[1, 0.8, 1])
for n in range(6):
    picture(axes[0, n], x[n], f"x, image {n + 1}")
    gate_bars(axes[1, n], gate[n, :, 0, 0], "its gates")
    axes[1, n].tick_params(labelsize=7)
    picture(axes[2, n], y[n], "y")
plt.show()

# %% [markdown]
# ## 2 · A gate that has learned something
#
# `armlab train` has taught a small network to find each handwritten 7 in a photograph and to say whether it is of class A or B. Only a band along the top of the scene tells: orange for A, blue for B. Near its end stands an ARM with 32 channels, whose $x$ comes from five 3×3 convolutions. `trained` gives the network in **evaluation mode**: BN uses a mean and a variance that were kept from training, so no image depends on the others of its batch. Here are its gates for eight scenes, each of them with both bands.
#
# **Predict.** Three things differ from image to image: the band, the photograph, and the digits. Which of them do the gates follow?
#
# <details><summary>Answer</summary>
#
# The band, and the light of the photograph. The digits, others in each scene, hardly show: within a kind of image a gate varies far less than between the kinds. So the gate says of an image *which band* and *which light*: what the means of 32 channels can know.
#
# </details>

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
drawn = gate_map(ax, gate[:, order, 0, 0], "gates: a row for each image, a column for each channel")
ax.set(aspect="auto", yticks=[1.5, 5.5, 9.5, 13.5], yticklabels=list(shown))
ax.axhline(7.5, color="white", linewidth=2)
fig.colorbar(drawn, ax=ax, ticks=[0, 0.5, 1])
plt.show()
four = gate.reshape(4, 4, 32)  # kind of image, scene, channel
within, between = four.std(axis=1).mean(), four.mean(axis=1).std(axis=0).mean()
print(f"spread of a gate within a kind: {within:.3f}, between the four kinds: {between:.3f}")
assert within < between / 5

# %% [markdown]
# The upper half has the orange band, the lower half the blue. Within a half the upper four scenes are crops of a dark photograph and the lower four of a pale one.
#
# On the left stand the channels that are more open for A, on the right those for B. The first and the last are drawn next, before and behind the gate.
#
# **Predict.** The 7s lie far below the band, out of the sight of five 3×3 convolutions. How do the features at a 7 differ between A and B, before the gate and behind it?
#
# <details><summary>Answer</summary>
#
# Before it not at all: they are the same numbers. Then the gate comes. A gate below 1 never amplifies; what counts is one channel against the other. For A the first keeps its strength and the last fades, for B the reverse. So the layers behind find other proportions at every pixel. That is how a 7 hears of a band that no convolution around it can see.
#
# </details>

# %%
fig, axes = plt.subplots(2, 5, figsize=(11.5, 4.9), layout="constrained")
ends = order[0], order[-1]
for row, n in enumerate((5, 13)):
    scene(axes[row, 0], images[n], "AB"[row])
    for k, c in enumerate(ends):
        s = gate[n, c, 0, 0]
        feature_map(axes[row, 1 + 2 * k], f[n, c], f"channel {c + 1}")
        feature_map(axes[row, 2 + 2 * k], f[n, c] * s, f"times {s:.2f}")
        for ax in axes[row, 1 + 2 * k : 3 + 2 * k]:
            ax.images[0].set_clim(f[[5, 13], c].min(), f[[5, 13], c].max())
plt.show()
assert np.allclose(f[5, :, 16:], f[13, :, 16:])  # the lower half of each map

# %% [markdown]
# The scene has a 4 and two 7s. Both channels respond to the digits, the 7 at the right most of all. Near the band they differ, and the last one hears the orange band itself.
#
# ## 3 · Backward
#
# **Predict.** The forward has four steps: pool, convolve, normalise, gate. In which two is $x$ used, and what follows for $dx$?
#
# <details><summary>Answer</summary>
#
# It is pooled, and it is gated. A value that is used twice collects the sum of two gradients, so $dx$ is one.
#
# </details>

# %%
arm_graph(steps=PAPER)

# %% [markdown]
# Now at length. $dq$ is $\partial L / \partial q$, where $L$ is the loss, and has the shape of $q$. We start at the last equation and go up.
#
# **The gate (4.8)**, as in [lesson 4a](04a_sigmoid_gate.ipynb):
#
# $$dx^{\text{gate}} = dy\, s, \qquad ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1 - s) \tag{d4.8}$$

# %%
arm_graph({"gate", "past", "sigmoid"}, PAPER)

# %% [markdown]
# **Batch normalisation (4.7)** is the only step that looks at more than one image. It sees one value per image and channel, so $m = N$ values. For one channel, with the weights $w$ (scale) and $b$ (shift) and a tiny $\varepsilon$ against division by 0:
#
# $$\mathrm{mean} = \frac{1}{m}\sum_n u_n \tag{4.9}$$
# $$\mathrm{var} = \frac{1}{m}\sum_n (u_n - \mathrm{mean})^2 \tag{4.10}$$
# $$r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{4.11}$$
# $$a_n = w\,\hat u_n + b, \qquad \hat u_n = (u_n - \mathrm{mean})\, r \tag{4.12}$$
#
# Upwards, one step at a time. $w$ and $b$ feed every image, so they collect sums:
#
# $$db = \sum_n da_n, \qquad dw = \sum_n da_n\, \hat u_n, \qquad d\hat u_n = w\, da_n \tag{d4.12}$$
#
# $r$ feeds every $\hat u_n$, and $\mathrm{var}$ feeds $r$ with the slope $-\tfrac12 (\mathrm{var} + \varepsilon)^{-3/2} = -\tfrac12 r^3$:
#
# $$dr = \sum_n d\hat u_n\, (u_n - \mathrm{mean}), \qquad d\mathrm{var} = -\tfrac12\, r^3\, dr \tag{d4.11}$$
#
# The difference $c_n = u_n - \mathrm{mean}$ is used twice, in $\hat u_n$ and in $\mathrm{var}$:
#
# $$dc_n = r\, d\hat u_n + \tfrac{2}{m}\, c_n\, d\mathrm{var} \tag{d4.10}$$
#
# And the mean is subtracted from every $u_n$, so it collects a sum with a minus, and hands back to each image its share $1/m$:
#
# $$d\mathrm{mean} = -\sum_n dc_n, \qquad du_n = dc_n + \tfrac1m\, d\mathrm{mean} \tag{d4.9}$$
#
# [Lesson 2b](02b_batch_norm_backward.ipynb) does the same for whole feature maps, where $m = NHW$.

# %%
arm_graph({"bn"}, PAPER)

# %% [markdown]
# **The 1×1 convolution (4.6)** is $u_{nk} = \sum_c W_{kc}\, z_{nc}$. One $W_{kc}$ serves all images, one $z_{nc}$ feeds all outputs:
#
# $$dW_{kc} = \sum_n du_{nk}\, z_{nc}, \qquad dz_{nc} = \sum_k W_{kc}\, du_{nk} \tag{d4.6}$$
#
# **The pool (4.5)**, and the two ways together:
#
# $$dx^{\text{pool}}_{ncij} = \frac{dz_{nc}}{HW}, \qquad dx = dx^{\text{gate}} + dx^{\text{pool}} \tag{d4.5}$$

# %%
arm_graph({"linear", "pool"}, PAPER)

# %% [markdown]
# Here is all of it in code, with the same names, for the six photographs. `z`, `u`, `a` are kept as `(N, C)` for brevity. `unbroadcast` sums a gradient to the shape of what was repeated, here over the pixels.

# %%
W = arm.conv_atten.weight[:, :, 0, 0]
w, b, eps = arm.bn_atten.weight, arm.bn_atten.bias, arm.bn_atten.eps
m, height, width = x.shape[0], *x.shape[2:]

z = x.mean(axis=(2, 3))  # (4.5)
u = z @ W.T  # (4.6)
mean = u.mean(axis=0)  # (4.9)
c = u - mean
var = (c**2).mean(axis=0)  # (4.10)
r = 1 / np.sqrt(var + eps)  # (4.11)
u_hat = c * r
a = w * u_hat + b  # (4.12)
s = hand.sigmoid(a)[0][:, :, np.newaxis, np.newaxis]
compare("y", x * s, y)  # (4.8)

# %%
dy = rng.standard_normal(y.shape)

dx_gate = dy * s  # (d4.8)
ds = unbroadcast(dy * x, s.shape)
da = (ds * s * (1 - s))[:, :, 0, 0]
db = da.sum(axis=0)  # (d4.12)
dw = (da * u_hat).sum(axis=0)
du_hat = w * da
dr = (du_hat * c).sum(axis=0)  # (d4.11)
dvar = -0.5 * r**3 * dr
dc = r * du_hat + 2 / m * c * dvar  # (d4.10)
dmean = -dc.sum(axis=0)  # (d4.9)
du = dc + dmean / m
dW = du.T @ z  # (d4.6)
dz = du @ W
dx_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / (height * width), x.shape)  # (d4.5)
dx = dx_gate + dx_pool

# %% [markdown]
# PyTorch is asked for the gradient of every one of these names.

# %%
leaves = {"x": x, "W": W, "w": w, "b": b}
t = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
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
for name, mine, theirs in zip(names, by_hand, grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# Thirteen gradients, each close.
#
# ## 4 · Collapsed
#
# In batch normalisation, put (d4.11) and (d4.10) into (d4.9). Since $dr = w \sum_n da_n\, c_n = w\, dw / r$, the middle term is $\tfrac2m c_n \cdot (-\tfrac12 r^3)\, w\, dw/r = -\tfrac1m\, w\, r\, \hat u_n\, dw$. The $c_n$ add up to 0, so only $r\, d\hat u$ is left in $d\mathrm{mean} = -w\, r\, db$. Together:
#
# $$du_n = w\, r\, \Big( da_n - \frac{db}{m} - \hat u_n \frac{dw}{m} \Big) \tag{d4.7}$$
#
# It says what normalising does to a gradient: it takes away the part that would move all images alike, and the part that would stretch them all. The forward removes these two from $u$, so no loss can ask for them. (In [batch_norm.py](../armlab/hand/batch_norm.py), which counts its own, (1) to (4) are (4.9) to (4.12), and (5) is (d4.7).)

# %%
du_collapsed = w * r * (da - db / m - u_hat * dw / m)  # (d4.7)
compare("du", du_collapsed, du)

# %% [markdown]
# And the module becomes two short backwards, each its forward read upwards: one of a map that gates itself, which many modules share, and one of the branch that makes the logits. `collect` is the plus in (d4.5), and `join` puts the gradients of the weights under their names. These are the files. The class counts its own: its (1) is (4.5), its (2) is (4.6) with (4.7), its (3) is (4.8).

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
# The file gives the same numbers as the long way, and the adjoint identity of [lesson 0b](00b_the_check.ipynb) holds for the whole module.
#
# **Predict.** $dx^{\text{gate}}$ and $dx^{\text{pool}}$ are drawn next, for the red channel of three of the images. What do the two look like, and which is larger?
#
# <details><summary>Answer</summary>
#
# Through the gate, each pixel hears of itself alone: the map is as random as $dy$. Through the pool, all pixels of a channel hear the same, and what they hear depends on the whole image, on the other channels through $W$, and on the other images through the batch statistics. This flat gradient is what *global context* is in the backward. It is tiny at each pixel, and in this module it is the only way in which a far-away pixel learns anything from this one.
#
# </details>

# %%
fig, axes = plt.subplots(3, 3, figsize=(8, 5), layout="constrained")
limit = np.abs(dx_pool).max()
for row, n in enumerate((0, 3, 4)):
    picture(axes[row, 0], x[n], f"image {n + 1}")
    gradient_map(axes[row, 1], dx_gate[n, 0], "through the gate: dy s", limit=3)
    title = f"through the pool: {dx_pool[n, 0, 0, 0]:+.1e}"
    gradient_map(axes[row, 2], dx_pool[n, 0], title, limit=limit)
plt.show()
print(f"largest through the gate {np.abs(dx_gate).max():.1f}, through the pool {limit:.4f}")

# %% [markdown]
# Each column has one scale, and that of the pool is far finer.
#
# ### Exercise 1 · `paper_arm_backward`
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
# ## 5 · From the loss to the logits
#
# [Lesson 4a](04a_sigmoid_gate.ipynb) sent random gradients through the sigmoid. Here are those of the trained network: $ds$, as its loss sends it to the gates, and $da$, what the sigmoid lets through to the weights.
#
# Between gate and loss stand four steps, each with its backward. Two 1×1 convolutions, `head` and `classify`, make three scores at each position, for A, B and background; `in_turn` runs layers one behind the other. `resize_bilinear` doubles the rows and columns of the scores, each new value a weighted mean of the nearest old ones. `cross_entropy` is the loss: it turns the scores of a pixel into shares that add up to 1, and is minus the logarithm of the right class's share, in the mean over all pixels.
#
# The step in question is this one:

# %%
arm_graph({"sigmoid"}, PAPER)

# %% [markdown]
# Now multiply the logits of the gates by 4, then by 16, as if the scale of their batch normalisation had grown.
#
# **Predict.** What happens to the gates? To $da$?
#
# <details><summary>Answer</summary>
#
# The gates turn black or nearly white, that is, saturated. The loss still asks, and of what it asks less and less is left: the gradient vanishes. A few gates keep their gradient whole: those whose logits were near 0, and stay there whatever the factor.
#
# </details>


# %%
def gradients_at_the_gate(factor):
    """The gates of all images with their logits multiplied, ds by the loss, and da."""
    layers = net.copy().children()
    a = factor * np.log(gate / (1 - gate))
    y, gate_back = hand.sigmoid_gate(f, a)
    scores, rest_back = in_turn({name: layers[name] for name in ("head", "classify")}, y)
    full, resize_back = hand.resize_bilinear(scores, size=(64, 64))
    _, loss_back = hand.cross_entropy(full, labels)
    dy, _ = rest_back(resize_back(loss_back(1.0)))
    _, da = gate_back(dy)
    return hand.sigmoid(a)[0], unbroadcast(dy * f, a.shape), da


left = []
fig, axes = plt.subplots(3, 3, figsize=(11, 5.6), layout="constrained")
for row, factor in enumerate((1, 4, 16)):
    s, ds, da = (g[:, order, 0, 0] for g in gradients_at_the_gate(factor))
    left.append(np.abs(da).sum() / np.abs(ds).sum())
    limit = np.quantile(np.abs(ds), 0.98)
    gate_map(axes[row, 0], s, f"s = σ({factor} a)" if factor > 1 else "s")
    gradient_map(axes[row, 1], ds, "ds, from the loss", limit=limit)
    gradient_map(axes[row, 2], da, f"da: {left[-1]:.1%} of it is left", limit=limit / 4)
    for ax in axes[row]:
        ax.set_aspect("auto")
plt.show()
assert 0.25 > left[0] > left[1] > left[2]

# %% [markdown]
# Rows and columns are those of the picture in section 2. The scale of $da$ is four times as fine as that of $ds$ beside it, as the slope is at most a quarter. In the first row the two maps look alike: most gates stand where the sigmoid is steep.
#
# ## Four questions
#
# 1. The loss looks at one pixel only. Which pixels of the same image receive a gradient through ARM?
#
# <details><summary>Answer</summary>
#
# All of them. That pixel's gate was computed from the mean, and every pixel has a share in the mean. Through the batch statistics, in training, the pixels of the other images receive one as well.
#
# </details>
#
# 2. Why is there no bias in (4.6)?
#
# <details><summary>Answer</summary>
#
# BN subtracts the mean over the batch, and a bias would go with it. Its own shift $b$ does that work.
#
# </details>
#
# 3. What are the sums $\sum_n du_n$ and $\sum_n du_n\, \hat u_n$?
#
# <details><summary>Answer</summary>
#
# By (d4.7) the first is 0, and the second nearly: the common part and the part along $\hat u$ have been taken away. (Nearly, as $\varepsilon$ leaves $\hat u$ a variance a little below 1.)
#
# </details>
#
# 4. Two images differ only in where their objects stand. How do their gates differ?
#
# <details><summary>Answer</summary>
#
# Hardly, or not at all: the pool adds up what is there, wherever it is.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | attention refinement module (ARM) | 注意力细化模块 | (4.5) to (4.8): pool, 1×1 convolution, BN, sigmoid, multiply |
# | global average pooling (GAP) | 全局平均池化 | (4.5), the mean of each channel |
# | 1×1 convolution | 1×1 卷积 | a matrix over the channels, the same at every pixel |
# | batch normalisation (BN) | 批归一化 | (4.9) to (4.12) |
# | channel attention | 通道注意力 | one gate per channel |
# | global context | 全局上下文 | what the pooled mean knows of the image |
# | loss, cross-entropy | 损失, 交叉熵 | minus the logarithm of the right class's share |
#
# ## What comes next
#
# [Lesson 4c: what batch normalisation does inside ARM](04c_batch_size.ipynb), at batch sizes 1, 2 and more. [Lesson 5a](05a_arm_versions.ipynb) sets the paper's, the article's and the repositories' ARM beside each other. The network of section 2 is trained in [lesson 9b](09b_training.ipynb), on scenes that cannot be told apart without context. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 7 · Spatial attention: SAR, and what "spatial" means
#
# **Goal.** Derive every gradient of SAR, the article's spatial attention, and tell a gate that looks around itself from one that only carries the name.
#
# | | |
# |---|---|
# | Time | 105 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb) and [lesson 4](04_sigmoid_gate.ipynb): the sigmoid gate, and batch normalisation's backward (BN 5) · [Lesson 3](03_pooling.ipynb) on maxima and ties helps |
# | Afterwards you can | pool over channels and send gradients back through it · derive SAR's backward line by line · test whether a gate looks at its neighbourhood · name five defects of the article's listings, and say what is right |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/channel_stats.py](../armlab/hand/channel_stats.py) · [hand/sar.py](../armlab/hand/sar.py) · [hand/self_gate.py](../armlab/hand/self_gate.py) · [hand/attentionout.py](../armlab/hand/attentionout.py) · [hand/cbam.py](../armlab/hand/cbam.py) |
#
# Equation numbers without a letter are those of `sar.py`. Where one of them gets a gradient, the gradient has the same number behind a d.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from sklearn.datasets import load_digits, load_sample_image
from torch import nn

import armlab.torch as twins
from armlab import check, hand, plots
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from armlab.hand.channel_stats import stack_statistics
from armlab.hand.self_gate import self_gate
from armlab.training.optimisers import Adam
from tools import compare, features, photographs, source, trained
from tools import COLOURS, feature_map, gate_map, gradient_map, picture, scene

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Two numbers for each position
#
# ARM pools each channel over all positions. What is left has channels and no places. Spatial attention pools the other way: it asks of each position, over all channels,
#
# $$\mathrm{mean}_{nij} = \frac1C \sum_c x_{ncij} \qquad\qquad \mathrm{max}_{nij} = \max_c\, x_{ncij} \tag{A}$$
#
# What is left has places and no channels: two maps of shape $(N, 1, H, W)$.
#
# **Predict.** With red, green and blue as channels, what kind of picture is the channel mean? Where is the maximum much larger than the mean?

# %%
mean, _ = hand.channel_mean(photos)
largest, _ = hand.channel_max(photos)
print("x", photos.shape, "-> mean", mean.shape, "and max", largest.shape)

fig, axes = plt.subplots(2, 4, figsize=(10, 3.7), layout="constrained")
for row, n in enumerate((2, 5)):
    picture(axes[row, 0], photos[n], f"x[{n}]")
    feature_map(axes[row, 1], mean[n, 0], "channel mean")
    feature_map(axes[row, 2], largest[n, 0], "channel max")
    feature_map(axes[row, 3], (largest - mean)[n, 0], "max − mean, twice as bright")
    for ax, white in zip(axes[row, 1:], (1, 1, 0.5), strict=True):
        ax.images[0].set_clim(0, white)
plt.show()

# %% [markdown]
# The mean is the picture in grey. The maximum exceeds it where the channels disagree: where there is colour.
#
# On features the two say: how active is this place on the whole, and is *anything* strongly active here? `trained("none")` is a small network that `armlab train` has taught to find handwritten sevens in photographs. All other digits are background to it.
#
# **Predict.** It makes 32 channels of a scene. Do the mean and the maximum over them show the digits? Only the sevens?

# %%
net = trained("none")
scenes = Scenes("test")
images, labels = scenes.batch([5, 6, 10])
f = features(net, images)  # (3, 32, 32, 32): half of the size of the scenes
f_mean, _ = hand.channel_mean(f)
f_max, _ = hand.channel_max(f)

fig, axes = plt.subplots(2, 6, figsize=(12, 4.4), layout="constrained")
for row, n in enumerate((0, 1)):
    scene(axes[row, 0], images[n], "a scene")
    for column, c in enumerate((0, 13, 26), start=1):
        feature_map(axes[row, column], f[n, c], f"f, channel {c + 1}")
    feature_map(axes[row, 4], f_mean[n, 0], "channel mean")
    feature_map(axes[row, 5], f_max[n, 0], "channel max")
plt.show()

# %% [markdown]
# Both maps show every digit, and the band as well. In the maximum the sevens stand out more: what one channel says loudly, a mean over 32 waters down. Neither map is a gate yet. Something has to decide what counts.
#
# ### Backward
#
# Each is lesson 3 again, along another axis. Every channel had a share of $1/C$ in the mean. One channel, the winner $c^*$, made the maximum.
#
# $$dx_{ncij} = \frac{d\mathrm{mean}_{nij}}{C} \qquad\qquad dx_{ncij} = \begin{cases} d\mathrm{max}_{nij} & c = c^*_{nij} \\ 0 & \text{else} \end{cases} \tag{dA}$$
#
# **Predict.** Three channels of a real photograph, stored as whole numbers from 0 to 255. At how many positions is there no single winner?

# %%
china = load_sample_image("china.jpg").transpose(2, 0, 1)[np.newaxis] / 255
tied = (china == china.max(axis=1, keepdims=True)).sum(axis=1)[0] > 1
print(f"china.jpg: {tied.sum():,} of {tied.size:,} positions tie, {tied.mean():.1%}")

behind, _ = hand.ConvBNAct(3, 4, rng=0, dtype="float64")(photos)  # ends in a ReLU
print(f"behind a ReLU: all four channels are 0 at {(behind.max(axis=1) == 0).mean():.1%}")

winner = china.argmax(axis=1)[0]
fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
picture(axes[0], china[0], "china.jpg")
colours = np.asarray([to_rgb(colour) for colour in COLOURS])
shown = np.where(tied[..., np.newaxis], 1.0, colours[winner])
picture(axes[1], shown.transpose(2, 0, 1), "which channel wins; white: a tie")
plt.show()

# %% [markdown]
# The haze above the lake ties, since grey has equal channels, and behind a ReLU whole regions tie at 0. As in lesson 3 there is a convention, and libraries differ: SAR is written with `torch.max(x, 1)`, which gives everything to the first of the equals (on the CPU), and so is this project. `torch.amax`, which other implementations of spatial attention use, shares evenly. The values are the same, the gradients are not.

# %%
x = rng.integers(0, 3, (2, 3, 4, 5)).astype(float)  # small integers: many ties
dmean, dmax = rng.standard_normal((2, 2, 1, 4, 5))

x_torch = torch.tensor(x, requires_grad=True)
(by_mean,) = torch.autograd.grad(x_torch.mean(1, keepdim=True), x_torch, torch.tensor(dmean))
(by_max,) = torch.autograd.grad(x_torch.max(1, keepdim=True)[0], x_torch, torch.tensor(dmax))
(by_amax,) = torch.autograd.grad(x_torch.amax(1, keepdim=True), x_torch, torch.tensor(dmax))

compare("mean", np.broadcast_to(dmean / 3, x.shape), by_mean)
compare("max", hand.channel_max(x)[1](dmax), by_max)
compare("amax", hand.channel_max(x)[1](dmax), by_amax)

# %% [markdown]
# ### Exercise 1 · `channel_max_backward`
#
# ★★☆ · 10 minutes
#
# From `dy` of shape `(N, 1, H, W)` and `x`, compute `dx`. Where channels tie, the first one receives everything.


# %% tags=["exercise"]
def channel_max_backward(dy, x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def channel_max_backward(dy, x):
#     winner = x.argmax(axis=1, keepdims=True)  # (N, 1, H, W)
#     channels = np.arange(x.shape[1]).reshape(1, -1, 1, 1)
#     return np.where(channels == winner, dy, 0.0)
# ```
#
# The comparison repeats the channel numbers over all positions and the winners over all channels: one `True` at each position. Try `dy * (x == x.max(axis=1, keepdims=True))` and read the hint.
#
# </details>

# %% tags=["check"]
check.exercise("channel_max_backward", channel_max_backward)

# %% [markdown]
# ## 2 · SAR, forward
#
# SAR stands for *spatial attention refinement*. The article's module has four steps:
#
# $$r = \mathrm{LReLU}(\mathrm{BN}(W_1 * x)) \tag{1}$$
# $$m = [\,\mathrm{mean}_c\, r\,;\; \mathrm{max}_c\, r\,] \tag{2}$$
# $$a = \mathrm{BN}(W_3 * m) \tag{3}$$
# $$y = x\, \sigma(a) \tag{4}$$
#
# A 1×1 convolution $W_1$ reduces the channels, and LReLU is LeakyReLU with the slope 0.01. The two statistics of each position are stacked as two channels. A 3×3 convolution $W_3$ turns them into one logit for each position, and its gate scales all channels there.
#
# **Predict.** How many weights decide on the gate, for 128 channels reduced to 32? How many of them depend on the number of channels?

# %%
module = hand.ListedSAR(128, 32, rng=0)
for key, value in module.parameters().items():
    print(f"{key:24} {value.shape!s:16} {value.size:6}")

# %% [markdown]
# The attention itself has 18 weights, a scale and a shift, whatever the number of channels. All the rest is the reduction before it.
#
# To see it work before it is trained, the next module has weights set by hand. Its first reduced channel is red minus blue, its second is green minus the other two, and $W_3$ is a plain average over the window. So the gate should open at places whose surroundings are warm or green.

# %%
sar = hand.ListedSAR(3, 2, rng=0, dtype="float64")
sar.assign(
    {
        "conv_reduce.conv.weight": np.asarray([[1, 0, -1], [-0.5, 1, -0.5]]).reshape(2, 3, 1, 1),
        "conv_atten.weight": np.full((1, 2, 3, 3), 1 / 9),
        "bn_atten.weight": np.asarray([2.0]),
    }
)
plots.inside(sar, photos, image=1)

# %% [markdown]
# From left to right: the channels, the two statistics of the *reduced* channels, one gate for each position, and all three channels scaled by that one gate. The dark wall is shut out; roof, columns and bush stay. Compare ARM, whose gate for a channel is the same on wall, roof and bush:

# %%
plots.inside(hand.PaperAttentionRefinement(3, rng=11, dtype="float64"), photos, image=1)

# %% [markdown]
# ### A gate that is taught
#
# Now let a SAR learn its weights. It stands on the features of the network of section 1, and is taught one thing: to be open where a seven is and shut elsewhere. Let $t$ be 1 on a seven and 0 elsewhere. The loss is the mean cross-entropy of $s$ against $t$, and its gradient at the logits is short: $da = (s - t)$, divided by the number of positions.
#
# **Predict.** Fewer than 200 weights, 32 training scenes, 60 steps. One position in twenty belongs to a seven. Will the gate tell a 7 from the other digits?

# %%
images, labels = Scenes("train").batch(range(32))
x = features(net, images)  # (32, 32, 32, 32)
t = labels[:, np.newaxis, ::2, ::2] > 0  # (32, 1, 32, 32)
taught = hand.ListedSAR(32, 4, rng=0)
print(
    "weights",
    sum(w.size for w in taught.parameters().values()),
    f"  share of sevens {t.mean():.1%}",
)
adam = Adam(0.05)
for step in range(60):
    some = slice(8 * (step % 4), 8 * (step % 4) + 8)
    a, logits_back = taught._logits(x[some])
    s, _ = hand.sigmoid(a)
    _, grads = logits_back((s - t[some]) / s.size)
    adam.step(taught, grads)
taught.eval()

images, labels = scenes.batch(
    range(16)
)  # of the test set: other digits, other halves of the photographs
f, on_seven = features(net, images), labels[:, np.newaxis, ::2, ::2] > 0
s = taught.gate(f)
print(f"mean gate on sevens {s[on_seven].mean():.2f}, elsewhere {s[~on_seven].mean():.2f}")

# %%
r, _ = taught.copy().conv_reduce(f)
m, _ = stack_statistics(r, hand.channel_mean, hand.channel_max)
c = f[:, :, on_seven.any(axis=0)[0]].mean(axis=(0, 2)).argmax()  # a channel that is strong there

fig, axes = plt.subplots(2, 6, figsize=(12, 4.4), layout="constrained")
for row, n in enumerate((1, 6)):
    scene(axes[row, 0], images[n], "a test scene")
    feature_map(axes[row, 1], m[n, 0], "mean of r")
    feature_map(axes[row, 2], m[n, 1], "max of r")
    drawn = gate_map(axes[row, 3], s[n, 0], "the gate")
    feature_map(axes[row, 4], f[n, c], f"f, channel {c + 1}")
    feature_map(axes[row, 5], (f * s)[n, c], "gated")
    axes[row, 5].images[0].set_clim(axes[row, 4].images[0].get_clim())
fig.colorbar(drawn, ax=axes, ticks=[0, 0.5, 1], label="gate", shrink=0.7)
plt.show()

# %% [markdown]
# The photograph and the band are shut out, the sevens stay. Of the other digits a corner gets through here and there, where a stroke looks like that of a 7. This is what a spatial gate can do and a channel gate cannot: ARM scales the 7 and the 2 beside it alike.
#
# ### The order of the statistics
#
# $[\mathrm{mean}\,;\,\mathrm{max}]$ in (2) is an order, and no shape shows it.
#
# ### Exercise 2 · Find the bug
#
# ★★☆ · 10 minutes
#
# Somebody writes SAR's forward from memory. Every shape is right, it runs, and it trains. With the weights set by hand it even gives the right numbers. With the weights that were taught it does not:


# %%
def sar_from_memory(x, conv_reduce, conv_atten, bn_atten):
    r = conv_reduce(x)
    m = np.concatenate([r.max(axis=1, keepdims=True), r.mean(axis=1, keepdims=True)], axis=1)
    a = bn_atten(conv_atten(m))
    return x / (1 + np.exp(-a))


def layers(module):
    """The three layers of a SAR as functions from an array to an array."""
    return {
        "conv_reduce": lambda x: module.conv_reduce(x)[0],
        "conv_atten": lambda m: module.conv_atten(m)[0],
        "bn_atten": lambda u: module.bn_atten(u)[0],
    }


compare("set by hand", sar_from_memory(photos, **layers(sar)), sar(photos)[0])
from_memory = sar_from_memory(f, **layers(taught))
compare("taught", from_memory, taught(f)[0])

n = 6
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
scene(axes[0], images[n], "x")
feature_map(axes[1], f[n, c], f"f, channel {c + 1}")
feature_map(axes[2], taught(f)[0][n, c], "gated by SAR")
feature_map(axes[3], from_memory[n, c], "from memory")
for ax in axes[1:]:
    ax.images[0].set_clim(f[n, c].min(), f[n, c].max())
plt.show()

# %% [markdown]
# **Predict.** What is wrong, and why do the weights set by hand not show it?
#
# Write it right. You are given the three layers as functions; each takes an array and returns one.


# %% tags=["exercise"]
def listed_sar(x, conv_reduce, conv_atten, bn_atten):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def listed_sar(x, conv_reduce, conv_atten, bn_atten):
#     r = conv_reduce(x)
#     m = np.concatenate([r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)], axis=1)
#     a = bn_atten(conv_atten(m))
#     return x / (1 + np.exp(-a))
# ```
#
# The mean comes first. `W3[0, 0]` meets the first channel of `m` and `W3[0, 1]` the second. Those set by hand are the same average twice, so the order does not show. This mistake is easily made: CBAM, a relative whose second half is a spatial gate without the reduction, exists with the maximum first (pytorchcv) and with the mean first (timm). A module trained from scratch learns either. Weights from one, loaded into the other, fit in shape and are wrong in every number.
#
# </details>

# %% tags=["check"]
check.exercise("listed_sar", listed_sar)

# %% [markdown]
# CBAM's two orders are two classes here. Turn the weights of one around, and they are the same module:

# %%
max_first = hand.CBAMSpatial(7, rng=3, dtype="float64")
mean_first = hand.CBAMSpatialMeanFirst(7, rng=4, dtype="float64")
mean_first.load_state_dict(max_first.state_dict())  # no complaint: the shapes fit
compare("as loaded", mean_first.gate(photos), max_first.gate(photos))
mean_first.assign({"conv.weight": max_first.conv.weight[:, ::-1]})
compare("turned", mean_first.gate(photos), max_first.gate(photos))

# %% [markdown]
# ## 3 · SAR, backward
#
# **Predict.** In which two equations is $x$ used? In which is $r$ used twice? Which steps sum, so that their backward repeats, and which repeat?
#
# Give every step a name, so that every step gets a gradient. $q$ and $p$ stand inside (1), $u$ inside (3):
#
# $$q = W_1 * x, \quad p = \mathrm{BN}(q), \quad r = \mathrm{LReLU}(p), \quad m = [\mathrm{mean};\mathrm{max}], \quad u = W_3 * m, \quad a = \mathrm{BN}(u), \quad s = \sigma(a)$$
#
# We start at the last equation and go up.
#
# **The gate (4).** One $s_{nij}$ scales all $C$ channels at its position, so its gradient is a sum over the channels:
#
# $$dx^{\text{gate}}_{ncij} = dy_{ncij}\, s_{nij}, \qquad ds_{nij} = \sum_c dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1-s) \tag{d4}$$
#
# **Batch normalisation (3).** One channel, with $M = NHW$ values: all positions of all images. Lesson 4 has derived its backward, and called $1/\sqrt{\mathrm{var} + \varepsilon}$ by the letter $r$. Here $r$ stands for the reduced features, so it is $\rho$ now. With $\hat u = (u - \mathrm{mean}(u))\,\rho$:
#
# $$dw = \sum da\, \hat u, \qquad db = \sum da, \qquad du = w\,\rho\,\Big( da - \frac{db}{M} - \hat u\, \frac{dw}{M} \Big) \tag{BN 5}$$
#
# **The 3×3 convolution (3).** Written out, with zeros around $m$ and $k$ counting the two statistics:
#
# $$u_{nij} = \sum_{k,\alpha,\beta} W_{3,k\alpha\beta}\; m_{nk,\;i+\alpha-1,\;j+\beta-1} \qquad \alpha, \beta = 0, 1, 2$$
#
# A weight serves every position of every image. A value of $m$ feeds the nine positions around it. Both collect sums:
#
# $$dW_{3,k\alpha\beta} = \sum_{n,i,j} du_{nij}\; m_{nk,\;i+\alpha-1,\;j+\beta-1}, \qquad dm_{nkij} = \sum_{\alpha,\beta} W_{3,k\alpha\beta}\; du_{n,\;i-\alpha+1,\;j-\beta+1} \tag{d3}$$
#
# **The statistics (2).** The two channels of $dm$ are $d\mathrm{mean}$ and $d\mathrm{max}$. $r$ feeds both, so its two gradients add up. There are $C'$ reduced channels. At each position one of them, $c^*$, won the maximum; the bracket $[\,c = c^*\,]$ is 1 for it and 0 for all others:
#
# $$dr_{ncij} = \frac{d\mathrm{mean}_{nij}}{C'} + [\,c = c^*_{nij}\,]\; d\mathrm{max}_{nij} \tag{d2}$$
#
# **The reduction (1).** LeakyReLU hands on $dr$ where $p > 0$ and a hundredth of it elsewhere. Then (BN 5) again, now for each of the $C'$ channels. Then a 1×1 convolution, which is a matrix at each position:
#
# $$dp = dr \cdot \begin{cases} 1 & p > 0 \\ 0.01 & \text{else} \end{cases} \qquad dW_{1,kc} = \sum_{n,i,j} dq_{nkij}\, x_{ncij} \qquad dx^{\text{stat}}_{ncij} = \sum_k W_{1,kc}\, dq_{nkij} \tag{d1}$$
#
# **Together.** $x$ was used by the gate and by the statistics:
#
# $$dx = dx^{\text{gate}} + dx^{\text{stat}} \tag{d0}$$
#
# Now in code, with the same names. First the forward.


# %%
def normalised(u, eps=1e-5):
    """û and ρ of each channel."""
    centred = u - u.mean(axis=(0, 2, 3), keepdims=True)
    rho = 1 / np.sqrt((centred**2).mean(axis=(0, 2, 3), keepdims=True) + eps)
    return centred * rho, rho


def line_up(v):
    """One number per channel, beside features: (C,) -> (1, C, 1, 1)."""
    return v.reshape(1, -1, 1, 1)


def shifted(m):
    """For each of the nine taps: what of the padded m it meets at each position."""
    padded = np.pad(m, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = m.shape[2:]
    for alpha in range(3):
        for beta in range(3):
            yield alpha, beta, padded[:, :, alpha : alpha + height, beta : beta + width]


x = photos
W1 = sar.conv_reduce.conv.weight[:, :, 0, 0]
W3 = hand.ListedSAR(3, 2, rng=5, dtype="float64").conv_atten.weight  # at random
w1, b1 = rng.uniform(0.5, 2, 2), rng.standard_normal(2)  # scale and shift of the reduction
w3, b3 = np.asarray([2.0]), np.asarray([0.5])  # and of the logits

q = np.einsum("kc,ncij->nkij", W1, x)
q_hat, rho1 = normalised(q)
p = line_up(w1) * q_hat + line_up(b1)
r = np.where(p > 0, p, 0.01 * p)  # (1)
mean, largest = r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)
m = np.concatenate([mean, largest], axis=1)  # (2)
u = sum(np.einsum("k,nkij->nij", W3[0, :, alpha, beta], met) for alpha, beta, met in shifted(m))
u = u[:, np.newaxis]
u_hat, rho3 = normalised(u)
a = line_up(w3) * u_hat + line_up(b3)  # (3)
s = hand.sigmoid(a)[0]
y = x * s  # (4)

# %% [markdown]
# And the backward, line for line as above.


# %%
def normalised_backward(da, u_hat, rho, w):
    db = da.sum(axis=(0, 2, 3))
    dw = (da * u_hat).sum(axis=(0, 2, 3))
    M = da[:, 0].size
    du = line_up(w) * rho * (da - line_up(db) / M - u_hat * line_up(dw) / M)  # (BN 5)
    return du, dw, db


def long_backward(dy):
    dx_gate = dy * s  # (d4)
    ds = unbroadcast(dy * x, s.shape)
    da = ds * s * (1 - s)

    du, dw3, db3 = normalised_backward(da, u_hat, rho3, w3)  # (d3)
    dW3, padded = np.zeros_like(W3), np.zeros((*m.shape[:2], m.shape[2] + 2, m.shape[3] + 2))
    for alpha, beta, met in shifted(m):
        dW3[0, :, alpha, beta] = np.einsum("nij,nkij->k", du[:, 0], met)
        place = padded[:, :, alpha : alpha + m.shape[2], beta : beta + m.shape[3]]
        place += W3[:, :, alpha, beta].reshape(1, -1, 1, 1) * du
    dm = padded[:, :, 1:-1, 1:-1]  # what fell on the border is lost

    dmean, dmax = dm[:, :1], dm[:, 1:]  # (d2)
    won = np.arange(r.shape[1]).reshape(1, -1, 1, 1) == r.argmax(axis=1, keepdims=True)
    dr = dmean / r.shape[1] + np.where(won, dmax, 0.0)

    dp = dr * np.where(p > 0, 1.0, 0.01)  # (d1)
    dq, dw1, db1 = normalised_backward(dp, q_hat, rho1, w1)
    dW1 = np.einsum("nkij,ncij->kc", dq, x)
    dx_stat = np.einsum("kc,nkij->ncij", W1, dq)

    return {
        "s": ds, "a": da, "w3": dw3, "b3": db3, "u": du, "W3": dW3,
        "mean": dmean, "max": dmax, "r": dr, "p": dp, "w1": dw1, "b1": db1,
        "q": dq, "W1": dW1, "x": dx_gate + dx_stat, "x_gate": dx_gate, "x_stat": dx_stat,
    }  # fmt: skip


dy = rng.standard_normal(y.shape)
long = long_backward(dy)

# %% [markdown]
# PyTorch is asked for the gradient of every one of these names.

# %%
given = {"x": x, "W1": W1, "w1": w1, "b1": b1, "W3": W3, "w3": w3, "b3": b3}
t = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
F = nn.functional
t["q"] = F.conv2d(t["x"], t["W1"][:, :, None, None])
t["p"] = F.batch_norm(t["q"], None, None, t["w1"], t["b1"], training=True)
t["r"] = F.leaky_relu(t["p"], 0.01)
t["mean"], t["max"] = t["r"].mean(1, keepdim=True), t["r"].max(1, keepdim=True)[0]
t["u"] = F.conv2d(torch.cat([t["mean"], t["max"]], 1), t["W3"], padding=1)
t["a"] = F.batch_norm(t["u"], None, None, t["w3"], t["b3"], training=True)
t["s"] = torch.sigmoid(t["a"])
y_torch = t["x"] * t["s"]

names = [name for name in long if name in t]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
compare("y", y, y_torch)
for name, theirs in zip(names, grads, strict=True):
    compare(f"d{name}", long[name], theirs)

# %% [markdown]
# Fifteen gradients, each close. This is how they look for one image: what arrives, what it becomes on its way up, and the two parts of $dx$. Each map has its own scale.

# %%
n = 1
shown = [
    ("dy, red", dy[n, 0]),
    ("ds: summed over channels", long["s"][n, 0]),
    ("da: what the sigmoid lets by", long["a"][n, 0]),
    ("dmean", long["mean"][n, 0]),
    ("dmax", long["max"][n, 0]),
    ("dr, first reduced channel", long["r"][n, 0]),
    ("dx by the gate, red", long["x_gate"][n, 0]),
    ("dx by the statistics, red", long["x_stat"][n, 0]),
]
fig, axes = plt.subplots(2, 4, figsize=(11, 4.2), layout="constrained")
for ax, (title, g) in zip(axes.flat, shown, strict=True):
    gradient_map(ax, g, f"{title}\nlargest {np.abs(g).max():.2g}")
plt.show()

# %% [markdown]
# The noise of $dy$ goes through, but the picture shines through it more and more: in $ds$, because $dy$ was multiplied by $x$; in $da$, where the gate is neither open nor shut; in $dr$, where the winner takes $d\mathrm{max}$. In ARM the way through the pool is one flat colour. Here it has a value for each place.
#
# ### Collapsed
#
# Write $\mathrm{back}$ for what a step does to the gradient that reaches it. Then all of it is
#
# $$dx = \underbrace{dy\, s}_{\text{gate}} + \underbrace{\mathrm{back}_{(1)}\, \mathrm{back}_{(2)}\, \mathrm{back}_{(3)} \Big[\, s\,(1-s) \sum_c dy\, x \,\Big]}_{\text{statistics}}$$
#
# In the file these are three short functions: the gate, the logits (1) to (3), and the statistics (2). Each backward is its forward read upwards.

# %%
source(self_gate, hand.ListedSAR._logits, stack_statistics)

# %%
mine = hand.ListedSAR(3, 2, rng=0, dtype="float64").assign(
    {
        "conv_reduce.conv.weight": W1[:, :, np.newaxis, np.newaxis],
        "conv_reduce.bn.weight": w1,
        "conv_reduce.bn.bias": b1,
        "conv_atten.weight": W3,
        "bn_atten.weight": w3,
        "bn_atten.bias": b3,
    }
)
y_file, backward = mine(x)
dx_file, grads_file = backward(dy)
compare("y", y_file, y)
compare("dx", dx_file, long["x"])
short = ["W1", "w1", "b1", "W3", "w3", "b3"]
for name, g in zip(short, grads_file.values(), strict=True):
    compare(f"d{name}", g.reshape(long[name].shape), long[name])

# %% [markdown]
# The file gives the same numbers as the long way. Does the adjoint identity of lesson 0 hold as well?


# %%
def around(x):
    y, backward = mine(x)
    return y, lambda dy: backward(dy)[0]


for name, some in [("photographs", x), ("every 8th pixel", x[:, :, ::8, ::8])]:
    identity = check.adjoint(around, some)
    print(f"{name:16} holds: {identity.holds!s:6} smooth: {identity.smooth}")

# %% [markdown]
# On the photographs it does not, and yet PyTorch agreed in every digit that counts. The left side of the identity takes a step, and the derivative must not jump on the way. LeakyReLU and the maximum have kinks. Among 36,864 positions some lie within a step of one; flat walls and skies see to that. `smooth` compares two lengths of the step and reports it: a check that does not apply is not a check that failed. Among the 576 positions of every eighth pixel there happens to be no kink so near, and the identity holds.

# %% [markdown]
# ### The whole SAR
#
# The code that the article shortens ends in one more step, a 3×3 convolution with batch normalisation and LeakyReLU behind the gate:
#
# $$y = \mathrm{LReLU}(\mathrm{BN}(W * (x\,\sigma(a)))) \tag{5}$$
#
# **Predict.** What has to change in the derivation?

# %%
whole = hand.SAR(3, 2, 4, rng=0, dtype="float64").assign(mine.parameters())
y, backward = whole(x)
dy = rng.standard_normal(y.shape)
dx, grads = backward(dy)

_, conv1_back = whole.conv1(x * s)  # (5), on the gated features
dgated, _ = conv1_back(dy)
long = long_backward(dgated)  # everything below is as before
compare("dx", dx, long["x"])
for name, key in zip(short, list(grads)[-len(short) :], strict=True):
    compare(f"d{name}", grads[key].reshape(long[name].shape), long[name])

# %% [markdown]
# Nothing below: the gate receives what the last step hands up, instead of $dy$.
#
# ### Exercise 3 · `listed_sar_backward`
#
# ★★★ · 20 minutes
#
# Write the middle of SAR's backward, and put it together. You are given `dy`, the reduced features `r`, and two functions:
#
# - `above(dy)` goes through the gate and the 3×3 and returns `dx` by the gate, and `dm` of shape `(N, 2, H, W)`;
# - `below(dr)` goes through the reduction and returns the `dx` that belongs to `dr`.
#
# Return `dx` of the whole module.


# %% tags=["exercise"]
def listed_sar_backward(dy, above, r, below):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def listed_sar_backward(dy, above, r, below):
#     dx, dm = above(dy)
#     dmean, dmax = dm[:, :1], dm[:, 1:]
#     channels = np.arange(r.shape[1]).reshape(1, -1, 1, 1)
#     won = channels == r.argmax(axis=1, keepdims=True)
#     dr = dmean / r.shape[1] + np.where(won, dmax, 0.0)
#     return dx + below(dr)
# ```
#
# Leave out `below`, or `dmax`, or the $1/C'$; or swap the two channels of `dm`. Each mistake has a hint of its own.
#
# </details>

# %% tags=["check"]
check.exercise("listed_sar_backward", listed_sar_backward)

# %% [markdown]
# ## 4 · What "spatial" means
#
# The article calls two modules spatial. One is SAR. The other is *Attentionout*, which has no statistics and no window:
#
# $$a = \mathrm{BN}(W * x), \qquad y = x\,\sigma(a), \qquad W \text{ of } 1\times1 \tag{B}$$
#
# Its gate has the shape $(N, C, H, W)$, a map for every channel. The article says that it makes a spatial attention map (空间注意力图). Does it know anything about space? (Lesson 3 met this module under another name: ARM with its pooling forgotten.)

# %%
element = hand.Attentionout(3, rng=2, dtype="float64")
plots.inside(element, photos, image=1)

# %% [markdown]
# There is no column of statistics, since nothing is pooled. It certainly looks spatial: the gate shows the whole building. But then, so does the picture. A test that cannot be fooled by looks is the one of lesson 3: shuffle the pixels.
#
# Let $\pi$ be a permutation of the positions, the same for all channels. A 1×1 convolution computes each position from itself alone, so it does not care where that position is:
#
# $$u_{nk,\pi(ij)} = \sum_c W_{kc}\, x_{nc,\pi(ij)}$$
#
# Batch normalisation uses means over all positions, which do not change, and the sigmoid acts on each number alone. So the gate of the shuffled picture is the shuffled gate. A module that looks at neighbourhoods has other neighbours after a shuffle, and another gate.
#
# **Predict.** Which of these five gates will be the same, once put back in order?

# %%
order = rng.permutation(64 * 96)


def shuffle(x):
    return x.reshape(*x.shape[:2], -1)[:, :, order].reshape(x.shape)


def put_back(x):
    flat = np.empty((*x.shape[:2], 64 * 96))
    flat[:, :, order] = x.reshape(*x.shape[:2], -1)
    return flat.reshape(x.shape)


modules = {
    "PaperAttentionRefinement": hand.PaperAttentionRefinement(3, rng=11, dtype="float64"),
    "CBAMChannel": hand.CBAMChannel(3, 1, rng=1, dtype="float64"),
    "Attentionout": element,
    "ListedSAR": sar,
    "CBAMSpatial": hand.CBAMSpatial(7, rng=1, dtype="float64"),
}
for name, module in modules.items():
    before, after = module.gate(photos), module.gate(shuffle(photos))
    if before.shape[2:] != (1, 1):
        after = put_back(after)
    print(f"{name:26} gate {before.shape!s:16} moved by {np.abs(after - before).max():.1e}")

# %%
fig, axes = plt.subplots(2, 5, figsize=(12, 3.8), layout="constrained")
for row, (name, module) in enumerate([("Attentionout", element), ("SAR", sar)]):
    before, after = module.gate(photos)[1, 0], module.gate(shuffle(photos))
    picture(axes[row, 0], photos[1], "x")
    gate_map(axes[row, 1], before, f"gate of {name}")
    picture(axes[row, 2], shuffle(photos)[1], "x, shuffled")
    gate_map(axes[row, 3], after[1, 0], "its gate")
    drawn = gate_map(axes[row, 4], put_back(after)[1, 0], "its gate, put back in order")
fig.colorbar(drawn, ax=axes[:, 4], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# The upper row ends as it began. Attentionout gave every pixel the same gate as before, in a picture without roof, wall or bush. The lower row does not: wherever SAR's window looks in the shuffled picture, it finds a little of everything, and its gate hardly differs from place to place.
#
# The same difference, seen from one pixel. Change the red of a single pixel and count the positions whose gate moves. The modules are in evaluation mode for this; in training, batch statistics carry a trace of every pixel everywhere.

# %%
fig, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
reach = ["Attentionout", "ListedSAR", "CBAMSpatial", "PaperAttentionRefinement"]
for ax, name in zip(axes, reach, strict=True):
    module = modules[name].copy().eval()
    touched = photos.copy()
    touched[1, 0, 32, 48] += 0.5
    moved = np.abs(module.gate(touched) - module.gate(photos))[1].max(axis=0)
    moved = np.broadcast_to(moved > 1e-9, (64, 96))  # more than rounding
    gate_map(ax, moved[24:41, 40:57].astype(float), f"{name}\n{moved.sum():,} of 6,144")
plt.show()

# %% [markdown]
# Each square is a piece of 17 × 17 positions around the pixel; bright is where the gate moved.
#
# | module | a gate for each | which looks at |
# |---|---|---|
# | ARM, SE, CBAM's first half | channel | all positions, without their places |
# | Attentionout | element | its own position |
# | SAR, CBAM's second half | position | a window around it |
#
# Only the last is spatial attention in the sense of *where things are to each other*. Attentionout is called an **element-wise gate** in this project.
#
# ### Why the neighbourhood matters
#
# Here are handwritten digits, and noise: single pixels as bright as a stroke. A gate that sees one position cannot tell the two apart, as they have the same value. A window can. The gates below are those of CBAM's spatial half, whose window may have any odd size $k$, with a plain average as its weights.
#
# **Predict.** What does $k = 1$ do? What is lost when $k$ grows?

# %%
digits = load_digits()
strokes = np.concatenate([np.kron(digits.images[i] / 16, np.ones((4, 4))) for i in (3, 6, 8)], 1)
noise = (rng.random(strokes.shape) < 0.04) & (strokes < 0.1)
noisy = np.where(noise, 1.0, strokes)[np.newaxis, np.newaxis]  # (1, 1, 32, 96)


def gate_with_window(k):
    module = hand.CBAMSpatial(k, rng=0, dtype="float64")
    module.assign(
        {"conv.weight": np.full((1, 2, k, k), 0.5 / k**2), "bn.weight": np.asarray([2.0])}
    )
    return module.gate(noisy)[0, 0]


def show_windows(sizes):
    _, axes = plt.subplots(
        2,
        len(sizes) + 1,
        figsize=(2.9 * (len(sizes) + 1), 2.5),
        layout="constrained",
        squeeze=False,
    )
    feature_map(axes[0, 0], noisy[0, 0], "x")
    axes[1, 0].axis("off")
    for column, k in enumerate(sizes, start=1):
        s = gate_with_window(k)
        gate_map(
            axes[0, column],
            s,
            f"k = {k}: strokes {s[strokes > 0.8].mean():.2f}, noise {s[noise].mean():.2f}",
        )
        feature_map(axes[1, column], noisy[0, 0] * s, "gated")
        axes[1, column].images[0].set_clim(0, 1)
    plt.show()


show_windows([1, 3, 7])

# %% [markdown]
# With $k = 1$ the noise passes: its gate is as open as that of the strokes. With $k = 3$, SAR's window, a lone pixel has dark neighbours, and its gate stays shut. As $k$ grows the digits blur and their holes fill up.
#
# In a running notebook, move the slider.

# %%
slider = ipywidgets.SelectionSlider(
    options=[1, 3, 5, 7, 9, 13, 17], value=5, description="window k", continuous_update=False
)
_ = ipywidgets.interact(lambda k: show_windows([k]), k=slider)

# %% [markdown]
# ## 5 · The article's listings
#
# The article prints both modules as code. Here they are, laid out in lines, without their comments, and with `AsListed` behind their names.


# %%
class AttentionoutAsListed(nn.Module):
    def __init__(self, out_chan, *args, **kwargs):
        self.conv_atten = nn.Conv2d(out_chan, out_chan, kernel_size=1, bias=False)
        self.bn_atten = nn.BatchNorm2d(out_chan)
        self.sigmoid_atten = nn.Sigmoid()

    def forward(self, x):
        atten = self.conv_atten(x)
        atten = self.bn_atten(atten)
        atten = self.sigmoid_atten(atten)
        out = torch.mul(x, atten)
        x = x + out
        return out


class SARAsListed(nn.Module):
    def __init__(self, in_chan, mid, out_chan):
        self.conv_reduce = ConvBNReLU(in_chan, mid, 1, 1, 0)
        self.conv_atten = nn.Conv2d(2, 1, kernel_size=3, padding=1, bias=False)

    def forward(self, x):
        x_att = self.conv_reduce(x)
        low_attention_mean = torch.mean(x_att, 1, True)
        low_attention_max = torch.max(x_att, 1, True)[0]
        low_attention = torch.cat([low_attention_mean, low_attention_max], dim=1)
        spatial_attention = self.sigmoid_atten(self.bn_atten(self.conv_atten(low_attention)))
        x = x * spatial_attention
        return x


# %% [markdown]
# **Predict.** Read them slowly, and write down what will go wrong, in the order in which it will.


# %%
def ConvBNReLU(*args):  # named in the listing, with a LeakyReLU behind the name
    return twins.ConvBNAct(*args, activation="leaky_relu")


def attempt(what, build):
    try:
        print(f"{what}: {build()}")
    except Exception as error:
        print(f"{what}: {type(error).__name__}: {error}")


def repaired(listed, *arguments):
    """The listing with its `super().__init__()`."""

    class Repaired(listed):
        def __init__(self):
            nn.Module.__init__(self)
            super().__init__(*arguments)

    return Repaired().double()


x = torch.tensor(photos)
attempt("1  Attentionout(3)", lambda: AttentionoutAsListed(3))
attempt("1  SAR(3, 2, 4)   ", lambda: SARAsListed(3, 2, 4))

# %% [markdown]
# Neither can be built: a module of PyTorch must call `super().__init__()` before it sets a layer. With that repaired:

# %%
torch.manual_seed(0)
listed = repaired(AttentionoutAsListed, 3)
s = torch.sigmoid(listed.bn_atten(listed.conv_atten(x)))
y = listed(x)
compare("2  x + x s", y, x + x * s)
compare("2  x s", y, x * s)
print("3  shape of its 'spatial attention map':", tuple(s.shape))
attempt("4  SAR", lambda: repaired(SARAsListed, 3, 2, 4)(x).shape)

# %%
listed = repaired(SARAsListed, 3, 2, 4)
listed.bn_atten, listed.sigmoid_atten = nn.BatchNorm2d(1).double(), nn.Sigmoid()
print("5  SAR(3, 2, 4) returns", tuple(listed(x).shape[:2]), "and not", (6, 4))

# %% [markdown]
# | | where | what the listing does | what is right |
# |---|---|---|---|
# | 1 | both | no `super().__init__()`: nothing can be built | call it |
# | 2 | Attentionout | computes the residual `x + out`, and returns `out` | two meanings, two names: `Attentionout` as published, `ResidualAttentionout` as described |
# | 3 | Attentionout | "spatial attention map": one gate per element, without a neighbourhood | an element-wise gate (section 4) |
# | 4 | SAR | uses `bn_atten` and `sigmoid_atten`, defines neither | `BatchNorm2d(1)` and a sigmoid |
# | 5 | SAR | `out_chan` has no use | the code that it shortens ends in a 3×3 of `in_chan` to `out_chan`: `SAR`; the listing without it is `ListedSAR` |
#
# The listings are shortened from the code of SeAFusion, an image fusion network, and the second defect is there as well. Both classes are defined in that code and used nowhere in it, so no published result says whether they help.
#
# ## 6 · Published or described
#
# ### Exercise 4 · Find the bug
#
# ★☆☆ · 5 minutes
#
# The second defect again, now in the backward. Autograd differentiates what is returned, not what is computed and dropped. So the listing's backward is that of $y = x s$, whatever the text says about a residual.

# %%
published = hand.Attentionout(3, rng=2, dtype="float64")
described = hand.ResidualAttentionout(3, rng=2, dtype="float64")  # the same weights
shift = {"bn_atten.bias": np.full(3, -4.0)}  # a gate that is nearly shut
dy = rng.standard_normal(photos.shape)

fig, axes = plt.subplots(2, 3, figsize=(9, 3.9), layout="constrained")
gate_map(axes[0, 0], published.assign(shift).gate(photos)[1, 0], "gate, red")
gradient_map(axes[1, 0], dy[1, 0], "dy, red", limit=3)
for column, (name, module) in enumerate(
    [("published: x s", published), ("described: x + x s", described.assign(shift))], start=1
):
    y, backward = module(photos)
    dx, _ = backward(dy)
    picture(axes[0, column], y[1], name)
    gradient_map(axes[1, column], dx[1, 0], f"dx, mean size {np.abs(dx).mean():.2f}", limit=3)
plt.show()

# %% [markdown]
# **Predict.** How do the two $dx$ differ, exactly?
#
# You are given the backward of the published module, which returns `(dx, grads)`. Return the `dx` of the described one, $y = x + x\,s$.


# %% tags=["exercise"]
def residual_attentionout_backward(dy, published_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def residual_attentionout_backward(dy, published_back):
#     dx, _ = published_back(dy)
#     return dy + dx
# ```
#
# $x$ reaches $y$ on a third way, directly, and on that way its gradient is $dy$. The weights notice nothing: $x$ does not contain them, so `grads` are the same in both.
#
# </details>

# %% tags=["check"]
check.exercise("residual_attentionout_backward", residual_attentionout_backward)

# %% [markdown]
# Behind a shut gate the published module shows nothing and learns nothing. The described one shows the picture and hands on $dy$ almost unchanged. But its factor lies between 1 and 2: it can stress, and never suppress. The article's text says one and its code does the other. So each has a name, and a program says which one it uses.

# %% [markdown]
# ## Five questions
#
# 1. Over which axes does the gradient of SAR's gate sum, and over which does that of ARM's?
#
# <details><summary>Answer</summary>
#
# SAR's over the channels, as one gate scales all channels of a position. ARM's over the positions, as one gate scales all positions of a channel.
#
# </details>
#
# 2. Two spatial attention modules have weights of the same shapes. Why may the weights of one be wrong in the other?
#
# <details><summary>Answer</summary>
#
# Because of the order of the statistics. With the mean first, the first half of the kernel belongs to the mean; with the maximum first, to the maximum.
#
# </details>
#
# 3. How do you find out, without reading its code, whether a gate looks at neighbours?
#
# <details><summary>Answer</summary>
#
# Shuffle the pixels, compute the gate, put it back in order. If it is as before, up to rounding, it does not look. Or move one pixel, in evaluation mode, and see which gates move.
#
# </details>
#
# 4. SAR has a 3×3 window. Why does every pixel still receive a gradient from a loss at one pixel, in training?
#
# <details><summary>Answer</summary>
#
# Through batch normalisation: its mean and variance are taken over all positions of all images, and every pixel has a share in them.
#
# </details>
#
# 5. What would SAR be with the kernel size 1 instead of 3?
#
# <details><summary>Answer</summary>
#
# A gate per position that looks at its own position only. It would still mix the channels, but it would pass the shuffle test: no neighbourhood.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | spatial attention | 空间注意力 | a gate per position, computed from its neighbourhood |
# | spatial attention map | 空间注意力图 | that gate, $(N, 1, H, W)$ |
# | channel mean, channel max | 通道均值, 通道最大值 | (A) |
# | element-wise gate | 逐元素门控 | a gate per element, $(N, C, H, W)$ |
# | pointwise (1×1) convolution | 逐点卷积 | each position from itself alone |
# | neighbourhood, receptive field | 邻域, 感受野 | the positions that a value is computed from |
# | permutation of the positions | 位置置换 | a shuffle that moves whole pixels |
# | residual connection | 残差连接 | $y = x + x s$ |
# | channel attention | 通道注意力 | a gate per channel |
#
# ## What comes next
#
# [Lesson 8](08_bisenet.ipynb) puts ARM into a network, at two scales and at three, with BiSeNet's context path and feature fusion. The whole of CBAM, and the other relatives, stand in [lesson 6](06_relatives.ipynb). The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

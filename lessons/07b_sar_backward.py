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
# # 7b · SAR's backward
#
# **Goal.** Derive every gradient of SAR line by line, see each of them, and collapse them to the few lines of the file.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 7a](07a_spatial_attention.ipynb): SAR's forward · [Lesson 2b](02b_batch_norm_backward.ipynb): the backward of batch normalisation · [Lesson 1b](01b_convolution_backward.ipynb): that of a convolution |
# | Afterwards you can | derive SAR's backward · say over which axes each of its gradients sums · tell a check that failed from one that does not apply |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/sar.py](../armlab/hand/sar.py) · [hand/channel_stats.py](../armlab/hand/channel_stats.py) · [hand/self_gate.py](../armlab/hand/self_gate.py) |
#
# The second of three lessons on spatial attention. Equations go on from [lesson 7a](07a_spatial_attention.ipynb), and (d7.3) is the gradient of (7.3).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from armlab import check, hand
from armlab.arrays import unbroadcast
from armlab.hand.channel_stats import stack_statistics
from armlab.hand.self_gate import self_gate
from tools import compare, gradient_map, graph, photographs, picture, source

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Every step gets a name
#
# SAR reduces the channels, takes the mean and the maximum over them, makes one logit for each position by a 3×3 convolution, and gates: (7.2) to (7.5) of lesson 7a. A step without a name gets no gradient, so each gets one:
#
# $$\begin{aligned} q &= W_1 * x, & p &= \mathrm{BN}(q), & r &= \mathrm{LReLU}(p), & m &= [\mathrm{mean}_c\, r\,;\, \mathrm{max}_c\, r], \\ u &= W_3 * m, & a &= \mathrm{BN}(u), & s &= \sigma(a), & y &= x\,s \end{aligned} \tag{7.7}$$
#
# There are $C$ channels in $x$, and $C'$ in $q$, $p$ and $r$. LReLU is LeakyReLU, whose slope below 0 is 0.01.
#
# **Predict.** Which values are used twice, so that they collect two gradients? Which steps sum over channels, so that their backward repeats over channels, and which one repeats?
#
# <details><summary>Answer</summary>
#
# $x$, by the reduction and by the gate, and $r$, by the two statistics. $W_1 * x$ and the mean sum over channels. The gate repeats: one $s$ scales all channels, so $ds$ is a sum over them.
#
# </details>

# %%
boxes = {
    "x": (0, 1, "N C H W"),
    "r": (1, 0, "1×1, BN, LReLU\nN C' H W"),
    "mean": (2.2, 0.35, "N 1 H W"),
    "max": (2.2, -0.35, "N 1 H W"),
    "u": (3.2, 0, "3×3\nN 1 H W"),
    "s": (4.2, 0, "the gate: BN, σ\nN 1 H W"),
    "y": (5.2, 1, "x s\nN C H W"),
}
arrows = [("x", "r"), ("r", "mean"), ("r", "max"), ("mean", "u"), ("max", "u"), ("u", "s")]
fig, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
graph(ax, boxes, [*arrows, ("s", "y"), ("x", "y")])
plt.show()

# %% [markdown]
# Two arrows leave $x$ and two leave $r$. The backward goes along every arrow against its direction.
#
# ## 2 · From the last equation up
#
# **The gate.** One $s_{nij}$ scales all $C$ channels at its position, so its gradient is a sum over the channels. This is the gradient of (7.5):
#
# $$dx^{\text{gate}}_{ncij} = dy_{ncij}\, s_{nij}, \qquad ds_{nij} = \sum_c dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1-s) \tag{d7.5}$$
#
# **Batch normalisation of the logits.** One channel, with $M = NHW$ values: all positions of all images. [Lesson 2b](02b_batch_norm_backward.ipynb) has derived its backward. With $\rho = 1/\sqrt{\mathrm{var}(u) + \varepsilon}$ and $\hat u = (u - \mathrm{mean}(u))\,\rho$, and $w, b$ for its scale and shift:
#
# $$dw = \sum da\, \hat u, \qquad db = \sum da, \qquad du = w\,\rho\,\Big( da - \frac{db}{M} - \hat u\, \frac{dw}{M} \Big) \tag{7.8}$$
#
# **The 3×3 convolution.** Written out, with zeros around $m$ and $k$ counting the two statistics:
#
# $$u_{nij} = \sum_{k,\alpha,\beta} W_{3,k\alpha\beta}\; m_{nk,\;i+\alpha-1,\;j+\beta-1} \qquad \alpha, \beta = 0, 1, 2 \tag{7.9}$$
#
# A weight serves every position of every image. A value of $m$ feeds the nine positions around it. Both collect sums:
#
# $$\begin{aligned} dW_{3,k\alpha\beta} &= \sum_{n,i,j} du_{nij}\; m_{nk,\;i+\alpha-1,\;j+\beta-1}, \\ dm_{nkij} &= \sum_{\alpha,\beta} W_{3,k\alpha\beta}\; du_{n,\;i-\alpha+1,\;j-\beta+1} \end{aligned} \tag{d7.9}$$
#
# **The statistics.** The two channels of $dm$ are $d\mathrm{mean}$ and $d\mathrm{max}$. $r$ feeds both, so its two gradients add up. At each position one of the $C'$ channels, $c^*$, won the maximum; the bracket is 1 for it and 0 for all others:
#
# $$dr_{ncij} = \frac{d\mathrm{mean}_{nij}}{C'} + [\,c = c^*_{nij}\,]\; d\mathrm{max}_{nij} \tag{d7.3}$$
#
# **The reduction.** LeakyReLU hands on $dr$ where $p > 0$ and a hundredth of it elsewhere. Then (7.8) again, from $dp$ to $dq$, now for each of the $C'$ channels. Then a 1×1 convolution, which is a matrix at each position:
#
# $$\begin{aligned} dp &= dr \cdot \begin{cases} 1 & p > 0 \\ 0.01 & \text{else} \end{cases}, \\ dW_{1,kc} &= \sum_{n,i,j} dq_{nkij}\, x_{ncij}, \qquad dx^{\text{stat}}_{ncij} = \sum_k W_{1,kc}\, dq_{nkij} \end{aligned} \tag{d7.2}$$
#
# **Together.** $x$ was used by the gate and by the statistics:
#
# $$dx = dx^{\text{gate}} + dx^{\text{stat}} \tag{7.10}$$
#
# Now in code, with the same names. First the forward, on six photographs: $W_1$ makes two channels of three, red minus blue, and green minus half of the others.


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
W1 = np.asarray([[1, 0, -1], [-0.5, 1, -0.5]])
W3 = hand.ListedSAR(3, 2, rng=5, dtype="float64").conv_atten.weight  # at random
w1, b1 = rng.uniform(0.5, 2, 2), rng.standard_normal(2)  # scale and shift of the reduction
w3, b3 = np.asarray([2.0]), np.asarray([0.5])  # and of the logits

q = np.einsum("kc,ncij->nkij", W1, x)
q_hat, rho1 = normalised(q)
p = line_up(w1) * q_hat + line_up(b1)
r = np.where(p > 0, p, 0.01 * p)  # (7.2)
mean, largest = r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)
m = np.concatenate([mean, largest], axis=1)  # (7.3)
u = sum(np.einsum("k,nkij->nij", W3[0, :, alpha, beta], met) for alpha, beta, met in shifted(m))
u = u[:, np.newaxis]  # (7.9)
u_hat, rho3 = normalised(u)
a = line_up(w3) * u_hat + line_up(b3)  # (7.4)
s = hand.sigmoid(a)[0]
y = x * s  # (7.5)

# %% [markdown]
# And the backward, line for line as above.


# %%
def normalised_backward(da, u_hat, rho, w):
    db = da.sum(axis=(0, 2, 3))
    dw = (da * u_hat).sum(axis=(0, 2, 3))
    M = da[:, 0].size
    du = line_up(w) * rho * (da - line_up(db) / M - u_hat * line_up(dw) / M)  # (7.8)
    return du, dw, db


def long_backward(dy):
    dx_gate = dy * s  # (d7.5)
    ds = unbroadcast(dy * x, s.shape)
    da = ds * s * (1 - s)

    du, dw3, db3 = normalised_backward(da, u_hat, rho3, w3)
    dW3, padded = np.zeros_like(W3), np.zeros((*m.shape[:2], m.shape[2] + 2, m.shape[3] + 2))
    for alpha, beta, met in shifted(m):  # (d7.9)
        dW3[0, :, alpha, beta] = np.einsum("nij,nkij->k", du[:, 0], met)
        place = padded[:, :, alpha : alpha + m.shape[2], beta : beta + m.shape[3]]
        place += W3[:, :, alpha, beta].reshape(1, -1, 1, 1) * du
    dm = padded[:, :, 1:-1, 1:-1]  # what fell on the border is lost

    dmean, dmax = dm[:, :1], dm[:, 1:]  # (d7.3)
    won = np.arange(r.shape[1]).reshape(1, -1, 1, 1) == r.argmax(axis=1, keepdims=True)
    dr = dmean / r.shape[1] + np.where(won, dmax, 0.0)

    dp = dr * np.where(p > 0, 1.0, 0.01)  # (d7.2)
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
assert len(names) == 15

# %% [markdown]
# Fifteen gradients, each close.
#
# **Predict.** $dy$ is noise. In ARM the way through the pool is one flat colour for each channel. What does $dx$ by the statistics look like here, and where is it small?
#
# <details><summary>Answer</summary>
#
# It has a value for each place. It is small where the picture is dark: $ds$ is $dy$ times $x$, summed, and everything behind it is made of $ds$. The roof and the ground show through the noise, and the dark wall is nearly blank.
#
# </details>

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
fig, axes = plt.subplots(3, 3, figsize=(10, 6.6), layout="constrained")
picture(axes[0, 0], x[n], "photograph 2\n")
for ax, (title, g) in zip(axes.flat[1:], shown, strict=True):
    gradient_map(ax, g, f"{title}\nlargest {np.abs(g).max():.2g}")
plt.show()
assert (np.abs(long["a"]) <= np.abs(long["s"]) / 4).all()  # s (1 − s) is at most 1/4
light = x[n].mean(axis=0) > x[n].mean()
assert all(np.abs(g)[light].mean() > 2 * np.abs(g)[~light].mean() for _, g in shown[1:6])

# %% [markdown]
# What arrives, what it becomes on its way up, and the two parts of $dx$; each map has its own scale. The sigmoid lets by a quarter of $ds$ at most, and next to nothing where the gate is wide open or shut.
#
# ## 3 · Collapsed
#
# Write $\mathrm{back}$ for what a step does to the gradient that reaches it. Then all of it is
#
# $$dx = \underbrace{dy\, s}_{\text{gate}} + \underbrace{\mathrm{back}_{(7.2)}\, \mathrm{back}_{(7.3)}\, \mathrm{back}_{(7.4)} \Big[\, s\,(1-s) \sum_c dy\, x \,\Big]}_{\text{statistics}} \tag{7.11}$$
#
# In the file these are three short functions: the gate, the logits, and the statistics. Each backward is its forward read upwards. (The file counts its own: its (1) to (4) are (7.2) to (7.5).)

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
# The file gives the same numbers as the long way. There is one more check, the adjoint identity of [lesson 0b](00b_the_check.ipynb). It takes a small step in a random direction, and compares how far $y$ moves with what the gradient says.
#
# **Predict.** PyTorch has agreed. Does the identity hold on the six photographs, 36,864 positions? On every eighth pixel of them, 576 positions?
#
# <details><summary>Answer</summary>
#
# On the photographs not, on the few it does. The derivative must not jump on the way of the step. LeakyReLU and the maximum have kinks, and among so many positions some lie within a step of one. `smooth` compares two lengths of the step and reports it: a check that does not apply is not a check that failed.
#
# </details>


# %%
def around(x):
    y, backward = mine(x)
    return y, lambda dy: backward(dy)[0]


found = {}
for name, some in {"photographs": x, "every 8th pixel": x[:, :, ::8, ::8]}.items():
    found[name] = check.adjoint(around, some)
    print(f"{name:16} holds: {found[name].holds!s:6} smooth: {found[name].smooth}")
assert not found["photographs"].smooth
assert found["every 8th pixel"].smooth
assert found["every 8th pixel"].holds

# %% [markdown]
# Where are the kinks? A step of $10^{-4}$ there and back, and the positions at which a LeakyReLU changes its side or the maximum its winner:


# %%
def crossed(x, step=1e-4):
    """(N, H, W): where r changes sign or winner within a step in a random direction."""
    v = rng.uniform(-1, 1, x.shape)
    ahead, behind = (mine.copy().conv_reduce(x + h * v)[0] for h in (step, -step))
    return ((ahead > 0) != (behind > 0)).any(axis=1) | (
        ahead.argmax(axis=1) != behind.argmax(axis=1)
    )


kinks, few = crossed(x), crossed(x[:, :, ::8, ::8])
print(f"kinks met at {kinks.sum()} of {kinks.size:,} positions, and at {few.sum()} of {few.size}")
fig, axes = plt.subplots(1, 3, figsize=(10, 2.6), layout="constrained")
for ax, n in zip(axes, (1, 2, 5), strict=True):
    picture(ax, x[n], f"photograph {n + 1}: {kinks[n].sum()} kinks")
    ax.scatter(*np.nonzero(kinks[n])[::-1], s=18, facecolors="none", edgecolors="white")
plt.show()
assert kinks.any()
assert not few.any()

# %% [markdown]
# One position in a thousand is enough. Among the 576 none happens to lie so near.
#
# ## 4 · The whole SAR
#
# The code that the article shortens ends in one more step, a 3×3 convolution with batch normalisation and LeakyReLU behind the gate:
#
# $$y = \mathrm{LReLU}(\mathrm{BN}(W * (x\,\sigma(a)))) \tag{7.12}$$
#
# **Predict.** What has to change in the derivation?
#
# <details><summary>Answer</summary>
#
# Nothing below: the gate receives what the last step hands up, in the place of $dy$.
#
# </details>

# %%
whole = hand.SAR(3, 2, 4, rng=0, dtype="float64").assign(mine.parameters())
y, backward = whole(x)
dy = rng.standard_normal(y.shape)
dx, grads = backward(dy)

_, conv1_back = whole.conv1(x * s)  # (7.12), on the gated features
dgated, _ = conv1_back(dy)
long = long_backward(dgated)  # everything below is as before
compare("dx", dx, long["x"])
for name, key in zip(short, list(grads)[-len(short) :], strict=True):
    compare(f"d{name}", grads[key].reshape(long[name].shape), long[name])

# %% [markdown]
# ### Exercise 1 · `listed_sar_backward`
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
# ## Four questions
#
# 1. Over which axes does the gradient of SAR's gate sum, and over which does that of ARM's?
#
# <details><summary>Answer</summary>
#
# SAR's over the channels, as one gate scales all channels of a position. ARM's over the positions, as one gate scales all positions of a channel.
#
# </details>
#
# 2. SAR has a 3×3 window. Why does every pixel still receive a gradient from a loss at one pixel, in training?
#
# <details><summary>Answer</summary>
#
# Through batch normalisation: its mean and variance are taken over all positions of all images, and every pixel has a share in them.
#
# </details>
#
# 3. Which line of the backward would be shorter without LeakyReLU's slope, with a plain ReLU? What would be lost?
#
# <details><summary>Answer</summary>
#
# $dp$ would be $dr$ where $p > 0$ and 0 elsewhere. A reduced channel that is below 0 everywhere would learn nothing more; with the slope it gets a hundredth.
#
# </details>
#
# 4. Autograd agrees with your gradient in twelve digits, and a difference quotient does not. Which do you believe?
#
# <details><summary>Answer</summary>
#
# Neither yet: try a second length of the step. If the quotient changes with the length, it has met a kink, and the check does not apply there.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | upstream gradient | 上游梯度 | $dy$, what arrives from behind |
# | adjoint identity | 伴随恒等式 | $\langle J v, dy \rangle = \langle v, J^{\top} dy \rangle$ |
# | kink | 不可导点 | where the derivative jumps |
# | batch statistics | 批统计量 | mean and variance over all images and positions |
#
# ## What comes next
#
# [Lesson 7c](07c_what_spatial_means.ipynb) asks whether a gate looks around itself, and reads the article's listings. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0.

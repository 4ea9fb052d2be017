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
# # 6c · SimAM, and what a gate cannot see
#
# **Goal.** Derive the backward of a gate without weights, and say from the formula of any gate what it cannot depend on.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 6a](06a_channel_attention.ipynb), and the pictures of [lesson 6b](06b_relatives.ipynb) |
# | Afterwards you can | derive SimAM's backward and collapse it to two lines · tell two definitions of the variance apart · read off a formula to which changes of the image a gate is blind · test it |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/simam.py](../armlab/hand/simam.py) |
#
# The last of three lessons on ARM's relatives. Equations go on from [lesson 6b](06b_relatives.ipynb), and (d6.17) is the gradient of (6.17).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from armlab.data import Scenes
from tools import COLOURS, compare, features, gate_map, gradient_map, photographs, picture, trained

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1


def total(v):
    """The sum over the positions of each channel of each image."""
    return v.sum(axis=(2, 3), keepdims=True)


# %% [markdown]
# ## 1 · SimAM, no weights at all
#
# All sums go over the $m = HW$ positions of one channel of one image.
#
# $$d = x - \tfrac1m {\textstyle\sum} x \tag{6.14}$$
# $$v = \tfrac{1}{m-1} {\textstyle\sum} d^2 \tag{6.15}$$
# $$q = \frac{1}{4(v + \lambda)} \tag{6.16}$$
# $$e = d^2 q \tag{6.17}$$
# $$a = e + \tfrac12 \tag{6.18}$$
#
# The logit is the squared distance from the mean, measured in variances. The gate is $\sigma(a)$ as ever. What stands out of its channel is let through, and the ordinary is damped. The small $\lambda$, $10^{-4}$ in its paper, keeps $q$ finite where a channel is constant. The file counts its own: its (1) to (5) are (6.14) to (6.18).
#
# **Predict.** What is the smallest gate that SimAM can give? What is the mean of all logits of a channel?
#
# <details><summary>Answer</summary>
#
# $\sigma(\tfrac12) = 0.62$, where an element lies on the mean of its channel: SimAM shuts nothing off. The mean logit is nearly $\tfrac34$ in every channel of every image, by (6.15) and (6.17), as long as $\lambda$ is small beside $v$:
#
# $${\textstyle\sum} e = (m - 1)\, v\, q \approx \frac{m-1}{4} \tag{6.19}$$
#
# So SimAM has nothing to say *about a channel*. It distributes within the channel.
#
# </details>

# %%
simam = hand.SimAM()
logits, _ = hand.simam_logits(photos)
least = hand.sigmoid(np.float64(0.5))[0]
print(f"smallest gate: {simam.gate(photos).min():.4f} = σ(1/2) = {least:.4f}")
print("mean logit of each channel:", logits.mean(axis=(2, 3)).round(3).ravel())
assert simam.gate(photos).min() >= least

net, scenes = trained("arm"), Scenes("test")
images = np.concatenate([scenes.batch(range(8), state=band)[0] for band in (0, 1)])
f = features(net, images).astype(np.float64)  # of the toy network: orange bands, then blue
learned = hand.PaperAttentionRefinement(32, dtype="float64", rng=0)
state = net.refine.state_dict()
learned.load_state_dict({key: state[key] for key in learned.state_dict()}).eval()
of_channels = {"ARM": learned.gate(f), "SimAM, mean": simam.gate(f).mean(axis=(2, 3))}

fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained")
for ax, (name, values) in zip(axes, of_channels.items(), strict=True):
    drawn = gate_map(ax, values.reshape(16, 32), f"gates of 16 scenes: {name}")
    ax.set(aspect="auto", yticks=[3.5, 11.5], yticklabels=["orange", "blue"])
    ax.set(xticks=[0, 15, 31], xticklabels=[1, 16, 32], xlabel="channel")
    ax.axhline(7.5, color="white", linewidth=2)
fig.colorbar(drawn, ax=axes[1], ticks=[0, 0.5, 1])
plt.show()
assert np.ptp(of_channels["SimAM, mean"]) < 0.1 < 0.7 < np.ptp(of_channels["ARM"])

# %% [markdown]
# On the left the trained ARM of [lesson 6b](06b_relatives.ipynb) says which band a scene has and how bright it is. On the right, the mean over each channel of SimAM's gates: flat. It cannot do what ARM does in this network.
#
# **Predict.** A dark hollow between bright petals, and a lamp in the dark. Which of the two does SimAM let through?
#
# <details><summary>Answer</summary>
#
# Both: the distance from the mean is squared. The gate over the value is a valley, with $\sigma(\tfrac12)$ at the mean of the channel.
#
# </details>

# %%
fig, axes = plt.subplots(2, 5, figsize=(12, 4), layout="constrained")
for row, n in enumerate((3, 5)):
    picture(axes[row, 0], photos[n], f"photograph {n + 1}")
    for c, name in ((0, "red"), (1, "green")):
        gate = simam.gate(photos)[n, c]
        style = {"s": 2, "alpha": 0.3, "color": COLOURS[c], "label": name}
        axes[row, 1].scatter(photos[n, c].ravel(), gate.ravel(), **style)
    axes[row, 1].set(xlabel="value", ylabel="its gate")
    axes[row, 1].legend(fontsize=8, markerscale=4)
    for ax, lambda_ in zip(axes[row, 2:], (1e-4, 0.02, 0.1), strict=True):
        gate = hand.SimAM(lambda_).gate(photos)[n, 1]
        drawn = gate_map(ax, gate, f"gate of green, λ = {lambda_:g}")
fig.colorbar(drawn, ax=axes[:, -1], ticks=[0, 0.5, 1])
plt.show()
spans = [np.ptp(hand.SimAM(lambda_).gate(photos)[3, 1]) for lambda_ in (1e-4, 0.02, 0.1)]
assert spans == sorted(spans, reverse=True)

# %% [markdown]
# Green is let through in the dark hollows and on the light rims, and damped between. A larger $\lambda$ brings all gates towards $\sigma(\tfrac12)$. At the smallest sizes there is little left to distribute:

# %%
two = np.asarray([[0.1, 0.9], [3.0, 3.1]]).reshape(2, 1, 1, 2)
print("two pixels:", hand.simam_logits(two, lambda_=1e-12)[0].ravel().round(3))
try:
    hand.simam_logits(photos[:, :, :1, :1])
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# With two pixels all logits are $\tfrac58$, as both lie equally far from their mean. With one there is no variance.
#
# ### Exercise 1 · Find the bug
#
# ★☆☆ · 5 minutes
#
# Shorter, and nearly right:


# %%
def simam_with_var(x, lambda_):
    d = x - x.mean(axis=(2, 3), keepdims=True)
    v = x.var(axis=(2, 3), keepdims=True)
    return d**2 / (4 * (v + lambda_)) + 0.5


small = photos[:, :, :2, :2]
compare("64 × 96", simam_with_var(photos, 1e-4), logits)
compare("2 × 2", simam_with_var(small, 1e-4), hand.simam_logits(small)[0])

# %% [markdown]
# **Predict.** By which factor is `e` wrong at 64×96, and at 2×2?
#
# <details><summary>Answer</summary>
#
# By about $m/(m-1)$: a sixtieth of a percent at 64×96, a third at 2×2, as deep in a network, where maps are small. NumPy's `var` divides by $m$, SimAM's paper by $m - 1$ (`ddof=1`), and `torch.var` by $m - 1$ unless told otherwise.
#
# </details>
#
# Write the right logits.


# %% tags=["exercise"]
def simam_logits(x, lambda_):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def simam_logits(x, lambda_):
#     d = x - x.mean(axis=(2, 3), keepdims=True)
#     v = (d**2).sum(axis=(2, 3), keepdims=True) / (x.shape[2] * x.shape[3] - 1)
#     return d**2 / (4 * (v + lambda_)) + 0.5
# ```
#
# </details>

# %% tags=["check"]
check.exercise("simam_logits", simam_logits)

# %% [markdown]
# ## 2 · The backward of SimAM
#
# One step at a time, upwards. (6.18) adds a constant, so $de = da$. (6.17) has two factors, and one $q$ serves the whole channel. Write $dd^{\text{direct}}$ for what reaches $d$ here:
#
# $$dq = \sum da\, d^2, \qquad dd^{\text{direct}} = 2\,d\,q\,da \tag{d6.17}$$
#
# By (6.16), $\partial q/\partial v = -\frac{1}{4 (v+\lambda)^2} = -4 q^2$:
#
# $$dv = -4\, q^2\, dq \tag{d6.16}$$
#
# By (6.15), $v$ moves with each $d$ by $2d/(m-1)$. $d$ is used twice, here and in (6.17):
#
# $$dd = dd^{\text{direct}} + \frac{2 d}{m-1}\, dv \tag{d6.15}$$
#
# By (6.14), $x$ stands in its own $d$, and with the share $1/m$ in the mean, which is subtracted from all:
#
# $$dx = dd - \tfrac1m {\textstyle\sum} dd \tag{d6.14}$$
#
# **Collapsed.** $d^2 q = e$, so $dv = -4\,q \sum da\, e$. Put it into (d6.15) and take $2qd$ out:
#
# $$dd = 2\, q\, d\, \Big( da - \frac{4}{m-1} {\textstyle\sum} da\, e \Big) \tag{6.20}$$
# $$dx = dd - \tfrac1m {\textstyle\sum} dd \tag{6.21}$$
#
# These are (6) and (7) of the file.

# %%
x, lambda_ = photos, 1e-4
m = x[0, 0].size
d = x - total(x) / m  # (6.14)
v = total(d**2) / (m - 1)  # (6.15)
q = 1 / (4 * (v + lambda_))  # (6.16)
e = d**2 * q  # (6.17)
a = e + 0.5  # (6.18)

da = rng.standard_normal(x.shape)
dq, dd_direct = total(da * d**2), 2 * d * q * da  # (d6.17)
dv = -4 * q**2 * dq  # (d6.16)
dd = dd_direct + 2 * d / (m - 1) * dv  # (d6.15)
dx = dd - total(dd) / m  # (d6.14)

x_torch = torch.tensor(x, requires_grad=True)
d_torch = x_torch - x_torch.mean((2, 3), keepdim=True)
v_torch = (d_torch**2).sum((2, 3), keepdim=True) / (m - 1)
q_torch = 1 / (4 * (v_torch + lambda_))
a_torch = d_torch**2 * q_torch + 0.5
wanted = {"q": q_torch, "v": v_torch, "d": d_torch, "x": x_torch}
grads = torch.autograd.grad(a_torch, list(wanted.values()), torch.tensor(da))
compare("a", a, a_torch)
for name, mine, theirs in zip(wanted, (dq, dv, dd, dx), grads, strict=True):
    compare(f"d{name}", mine, theirs)

dd_short = 2 * q * d * (da - 4 / (m - 1) * total(da * e))  # (6.20)
compare("(6.20)", dd_short, dd)
compare("file: dx", hand.simam_logits(x, lambda_=lambda_)[1](da), dx)
print(check.adjoint(lambda x: hand.simam_logits(x), x))

# %% [markdown]
# The last line is the check of [lesson 0b](00b_the_check.ipynb), which knows nothing of the derivation.
#
# **Predict.** All logits of a channel are to grow: $da = 1$ everywhere. What is $dx$?
#
# <details><summary>Answer</summary>
#
# Nearly 0. The mean of the logits is fixed by (6.19), so no change of the channel lifts them all. In (6.20), with $\sum e = (m-1)\,v q$, the bracket becomes $1 - 4vq = \lambda/(v + \lambda)$. A $dy$ of ones would test hardly anything here.
#
# </details>

# %%
dx_of_ones = hand.simam_logits(x)[1](np.ones_like(x))
fig, axes = plt.subplots(1, 4, figsize=(11, 2.3), layout="constrained")
picture(axes[0], x[3], "photograph 4")
shown = {"dx, da random": dx, "its part through v": dd - dd_direct, "dx, da = 1": dx_of_ones}
for ax, (name, g) in zip(axes[1:], shown.items(), strict=True):
    gradient_map(ax, g[3, 1], f"{name}\nlargest {np.abs(g[3, 1]).max():.2g}")
plt.show()
assert np.abs(dx_of_ones[3, 1]).max() < 1e-3 * np.abs(dx[3, 1]).max()
assert np.allclose(dx_of_ones, 2 * q * d * lambda_ / (v + lambda_), atol=1e-12)

# %% [markdown]
# Of green, each map on its own scale. The last two are one number times $d$, so they show the photograph; the last is less than a thousandth of the first.
#
# ### Exercise 2 · `simam_logits_backward`
#
# ★★★ · 15 minutes
#
# From `da` and what the forward has kept, `d`, `q` and `e`, return `dx`. Two lines are enough.


# %% tags=["exercise"]
def simam_logits_backward(da, d, q, e):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def simam_logits_backward(da, d, q, e):
#     m = d.shape[2] * d.shape[3]
#     through_variance = (da * e).sum(axis=(2, 3), keepdims=True) * 4 / (m - 1)
#     dd = 2 * q * d * (da - through_variance)
#     return dd - dd.mean(axis=(2, 3), keepdims=True)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("simam_logits_backward", simam_logits_backward)

# %% [markdown]
# ## 3 · What a gate cannot see
#
# A formula is also a list of things that cannot matter. Let $\pi$ shuffle the positions. A mean has no places:
#
# $$\mathrm{GAP}(x \circ \pi) = \mathrm{GAP}(x) \tag{6.22}$$
#
# So no gate that is made from means alone can know where anything was. Here are five such changes, each done to the input. The question is whether the gates stay what they were (and, where there is a gate for each position, whether they move along with the pixels):
#
# - the pixels shuffled, the same way in all channels,
# - the image mirrored,
# - 1 added to all of $x$,
# - the last channel doubled: do the first eight gates hear of it?
# - other company in the batch: does the first image's gate stay?
#
# **Predict.** Answer for ARM in training, for ECA, and for SimAM.
#
# <details><summary>Answer</summary>
#
# ARM: yes, yes, yes, no, no. Its means have no places; BN over the batch takes away what all images have in common; $W$ mixes all channels; BN knows the company.
#
# ECA: yes, yes, no, yes, yes. Nothing subtracts the constant; the last channel is too far away for a small kernel; no BN.
#
# SimAM: five times yes. Its gates move along with the pixels, it subtracts the mean of each channel, and it hears of no other channel and no other image.
#
# </details>


# %%
def shuffled(x):
    places = np.random.default_rng(1).permutation(x.shape[2] * x.shape[3])
    return x.reshape(*x.shape[:2], -1)[:, :, places].reshape(x.shape)


def mirrored(x):
    return x[:, :, :, ::-1]


def last_doubled(x):
    return np.concatenate([x[:, :-1], 2 * x[:, -1:]], axis=1)


made = {"rng": 1, "dtype": "float64"}
relatives = {
    "ARM, in training": hand.PaperAttentionRefinement(32, **made),
    "eSE": hand.EffectiveSE(32, **made),
    "SE": hand.SqueezeExcitation(32, 4, **made),
    "ECA": hand.ECA(32, **made),
    "CBAM channel": hand.CBAMChannel(32, 4, **made),
    "CBAM, in training": hand.CBAM(32, 4, **made),
    "coordinate, in training": hand.CoordinateAttention(32, **made),
    "SimAM": hand.SimAM(),
}
x, company = f[:3], np.concatenate([f[:1], f[9:11]])


def laws(module):
    """Whether the gates stay, for each of the five changes."""

    def gate(x):
        return np.broadcast_to(module.gate(x), x.shape)

    s = gate(x)
    pairs = [
        (gate(shuffled(x)), shuffled(s)),
        (gate(mirrored(x)), mirrored(s)),
        (gate(x + 1), s),
        (gate(last_doubled(x))[:, :8], s[:, :8]),
        (gate(company)[:1], s[:1]),
    ]
    return [np.allclose(now, before, atol=1e-10) for now, before in pairs]


table = {name: laws(module) for name, module in relatives.items()}
changes = ["shuffled", "mirrored", "x + 1", "last channel × 2", "other company"]
fig, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
ax.imshow(np.asarray(list(table.values())), cmap="Blues", vmin=0, vmax=2, aspect="auto")
for (row, column), stays in np.ndenumerate(np.asarray(list(table.values()))):
    ax.text(column, row, "stays" if stays else "moves", ha="center", va="center", fontsize=9)
ax.set(xticks=range(5), yticks=range(len(table)), yticklabels=list(table))
ax.set_xticklabels(changes, fontsize=9)
plt.show()
assert all(laws(module.eval())[4] for module in relatives.values())  # no company in evaluation

# %% [markdown]
# Read it by rows, as a list of what a module is blind to. *Shuffled* and *mirrored*: a gate made from means and maxima knows no place. CBAM loses both laws through its second half, a 7×7 kernel with zeros around the picture; coordinate attention keeps the mirror, as its strips turn around with the picture, but not the shuffling. *x + 1*: whoever subtracts a mean does not feel a constant, and that is BN in training, over the batch, and SimAM, over the pixels. (CBAM has a BN in its second half only.) *Last channel*: ECA's first gates are too far away to hear of it. *Other company* is BN again: in training, an image's gates depend on the other images. In evaluation mode all of that column stays.
#
# ## Four questions
#
# 1. Why is SimAM of no use behind a global pooling?
#
# <details><summary>Answer</summary>
#
# There $HW = 1$: one value is its own mean and has no variance. The file raises a ValueError.
#
# </details>
#
# 2. Two implementations of SimAM agree to three digits on large maps and differ on small ones. Where do you look?
#
# <details><summary>Answer</summary>
#
# At the variance: one divides by $m$, the other by $m - 1$.
#
# </details>
#
# 3. A gate is to open along the left border of the image, whatever is there. Which of the modules in the table can learn it?
#
# <details><summary>Answer</summary>
#
# CBAM alone, which feels the zeros around the picture. All others stay when the picture is mirrored: a gate that moves along would open at the right border then.
#
# </details>
#
# 4. Somebody tests SimAM's backward with $da = 1$ everywhere, and lets it be off by a tenth. What passes?
#
# <details><summary>Answer</summary>
#
# Zeros, for one: the right $dx$ is nearly 0 there. Draw $da$ at random.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | simple attention module (SimAM) | 无参注意力 | a gate for each element, without weights |
# | unbiased variance | 无偏方差 | divided by $m - 1$ |
# | permutation of the positions | 位置置换 | a shuffle that moves whole pixels |
# | invariance | 不变性 | the gate stays what it was |
# | equivariance | 等变性 | the gate moves along |
#
# ## What comes next
#
# [Lesson 7a: spatial attention](07a_spatial_attention.ipynb) pools over the channels instead, and asks what a gate knows of its neighbourhood. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

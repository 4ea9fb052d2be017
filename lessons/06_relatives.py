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
# # 6 · Relatives: SE, eSE, ECA, CBAM, SimAM as changes of one line
#
# **Goal.** See ARM's relatives as the same four lines with one of them changed, derive the backward of each change, and know what each can and cannot see.
#
# | | |
# |---|---|
# | Time | 100 minutes |
# | You need first | [Lesson 4](04_sigmoid_gate.ipynb): the gate and its backward · [Lesson 5](05_arm.ipynb): what a trained ARM does · [Lesson 3](03_pooling.ipynb) on the maximum helps |
# | Afterwards you can | read any channel attention as a change of ARM · turn a trained ARM into an eSE, exactly · derive the backwards of SE, ECA, CBAM's channel half and SimAM · say from the formula alone what a gate cannot depend on |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/self_gate.py](../armlab/hand/self_gate.py) · [hand/squeeze_excitation.py](../armlab/hand/squeeze_excitation.py) · [hand/bottleneck.py](../armlab/hand/bottleneck.py) · [hand/effective_se.py](../armlab/hand/effective_se.py) · [hand/eca.py](../armlab/hand/eca.py) · [hand/channel_conv1d.py](../armlab/hand/channel_conv1d.py) · [hand/cbam.py](../armlab/hand/cbam.py) · [hand/coordinate_attention.py](../armlab/hand/coordinate_attention.py) · [hand/strip_mean.py](../armlab/hand/strip_mean.py) · [hand/simam.py](../armlab/hand/simam.py) |
#
# Equation numbers are those of the file that a section explains; each section names its file. Where an equation gets a gradient, the gradient has the same number behind a d.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.cost import ModuleCost
from armlab.data import Scenes
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.bottleneck import bottleneck
from armlab.hand.self_gate import self_gate
from armlab.hand.sequential import in_turn
from armlab.training.optimisers import Adam
from tools import compare, photographs, source, trained
from tools import feature_map, gate_map, picture

rng = np.random.default_rng(0)
photos = photographs()  # (6, 3, 64, 96), 0 ... 1

# %% [markdown]
# ## 1 · Four lines
#
# The paper's ARM, once more:
#
# ```
# z = GAP(x)          what is looked at
# a = BN(W z)         how it becomes logits
# s = σ(a)
# y = x s             what is scaled
# ```
#
# Every module of this lesson keeps the last two lines and changes one or both of the first. So the last two, and the plus of their backward, stand in one function. It is given *how to make logits* as a function:

# %%
source(self_gate)

# %% [markdown]
# | | logits $a$ | gate | changed |
# |---|---|---|---|
# | ARM | $\mathrm{BN}(W\,\mathrm{GAP}(x))$ | channel | – |
# | SE | $W_2\,\mathrm{ReLU}(W_1\,\mathrm{GAP}(x) + b_1) + b_2$ | channel | two small layers for one large; biases for BN |
# | eSE | $W\,\mathrm{GAP}(x) + b$ | channel | a bias for BN |
# | ECA | $w *_c \mathrm{GAP}(x)$ | channel | a small kernel along the channels for $W$ |
# | CBAM, first half | $\mathrm{MLP}(\mathrm{GAP}(x)) + \mathrm{MLP}(\mathrm{GMP}(x))$ | channel | SE, which also hears the maximum |
# | CBAM, second half | $\mathrm{BN}(W_{7\times7} * [\mathrm{max}_c\,;\,\mathrm{mean}_c])$ | position | pools over channels: [lesson 7](07_spatial_attention.ipynb) |
# | coordinate attention | from the means of rows and of columns | two strips | pools rows and columns alone |
# | SimAM | $(x - \mu)^2 / (4 (v + \lambda)) + \tfrac12$ | element | no weights |
#
# **Predict.** Sort them by the number of weights, for 128 channels. Which will be cheapest in multiply-adds? Which in operations on elements?

# %%
relatives = {
    "ARM (paper's)": hand.PaperAttentionRefinement(128, rng=0),
    "SE": hand.SqueezeExcitation(128, rng=0),
    "eSE": hand.EffectiveSE(128, rng=0),
    "ECA": hand.ECA(128, rng=0),
    "CBAM channel": hand.CBAMChannel(128, rng=0),
    "CBAM": hand.CBAM(128, rng=0),
    "coordinate": hand.CoordinateAttention(128, rng=0),
    "SimAM": hand.SimAM(),
}
print(f"{'128 channels, 30×40':20}{'parameters':>10}{'multiply-adds':>15}{'element-wise':>14}  BN")
for name, module in relatives.items():
    cost = ModuleCost(module.eval(), (1, 128, 30, 40)).total
    has_bn = any(isinstance(part, hand.BatchNorm2d) for _, part in module.named_modules())
    print(
        f"{name:20}{cost.parameters:10,}{cost.multiply_adds:15,}{cost.elementwise:14,}"
        f"  {'yes' if has_bn else 'no'}"
    )

# %% [markdown]
# The weights go from 16,640 down to 5, and to none. The operations on elements do not: whatever has one gate per channel has to read $x$ once to pool it and once to scale it, and that is 307,200 operations here. What stands between is small change. SimAM has no weights, and still does three times as much as ARM, since it works on every element.
#
# The next sections need features that mean something. These are those of the trained toy network of [lesson 5](05_arm.ipynb), in front of its gate, with the gates that its ARM has learned. Half of the scenes have an orange band, half have a blue one.

# %%
net = trained("arm")
scenes = Scenes("test")


def features(indices, band):
    """f of the trained ARM for these scenes."""
    layers = net.children()
    before = {name: layers[name] for name in ("conv1", "conv2", "conv3", "conv4")}
    f, _ = net.refine.conv(in_turn(before, scenes.batch(indices, state=band)[0])[0])
    return f.astype(np.float64)


f = np.concatenate([features(range(96), band) for band in (0, 1)])
z, _ = hand.global_avg_pool(f)
learned = hand.PaperAttentionRefinement(32, dtype="float64", rng=0)
state = net.refine.state_dict()
learned.load_state_dict({key: state[key] for key in learned.state_dict()}).eval()
a, _ = attention_logits(f, learned.conv_atten, learned.bn_atten)
gates, _ = hand.sigmoid(a)
told = np.arange(192) % 96 < 64  # to fit on; the others are for judging
print("f", f.shape, " z", z.shape, " gates", gates.shape)

# %% [markdown]
# ## 2 · eSE: a bias in the place of BN
#
# The nearest relative first (`effective_se.py`):
#
# $$a = W\,\mathrm{GAP}(x) + b \tag{1}$$
#
# In evaluation mode, BN is a scale and a shift that no longer depend on the batch: $\mathrm{BN}(u) = \gamma\, r\, (u - \mathrm{mean}) + \beta$, with $r = 1/\sqrt{\mathrm{var} + \varepsilon}$.
#
# **Predict.** Can you find $W$ and $b$ of an eSE that has exactly the gates of the trained ARM?
#
# Multiply out:
#
# $$\gamma r\, (W_{\mathrm{ARM}}\, z - \mathrm{mean}) + \beta = \underbrace{\gamma r\, W_{\mathrm{ARM}}}_{W}\; z + \underbrace{\beta - \gamma r\, \mathrm{mean}}_{b}$$

# %%
bn = learned.bn_atten
r = 1 / np.sqrt(bn.running_var + bn.eps)
scale = bn.weight * r
folded = hand.EffectiveSE(32, dtype="float64", rng=0)
folded.assign(
    {
        "fc.weight": scale.reshape(-1, 1, 1, 1) * learned.conv_atten.weight,
        "fc.bias": bn.bias - scale * bn.running_mean,
    }
)
compare("gates", folded.gate(f), gates)

# %% [markdown]
# A trained ARM *is* an eSE. (To write a BN into the layer before it is called folding.) In training they differ: ARM's logits depend on the company in the batch, eSE's do not, and eSE takes a batch of one.
#
# eSE's backward is that of ARM without (BN 5): $du = da$, and $db = \sum_n da_n$. There is nothing more to derive.

# %% [markdown]
# ## 3 · SE: through a bottleneck
#
# `squeeze_excitation.py`, with $r$ for the reduction:
#
# $$z = \mathrm{GAP}(x) \tag{1}$$
# $$a = W_2\, \mathrm{ReLU}(W_1 z + b_1) + b_2 \tag{2}$$
# $$y = x\,\sigma(a) \tag{3}$$
#
# $W_1$ is $C/r \times C$ and $W_2$ is $C \times C/r$. The two layers stand in a file of their own, as CBAM and the feature fusion module use them as well.

# %%
source(hand.SqueezeExcitation._logits, bottleneck)

# %% [markdown]
# ### The backward of SE
#
# Name the two steps in (2): $u = W_1 z + b_1$ and $h = \mathrm{ReLU}(u)$, so that $a = W_2 h + b_2$. Upwards:
#
# $$dx^{\text{gate}} = dy\, s, \qquad ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1 - s) \tag{d3}$$
#
# Each layer is a matrix on one pixel. A bias feeds every image, a weight serves every image, and an input feeds all outputs:
#
# $$db_2 = \sum_n da_n, \qquad dW_{2,ck} = \sum_n da_{nc}\, h_{nk}, \qquad dh_{nk} = \sum_c W_{2,ck}\, da_{nc} \tag{d2}$$
#
# $$du_{nk} = dh_{nk}\,[u_{nk} > 0]$$
#
# $$db_1 = \sum_n du_n, \qquad dW_{1,kc} = \sum_n du_{nk}\, z_{nc}, \qquad dz_{nc} = \sum_k W_{1,kc}\, du_{nk}$$
#
# and the pool gives every pixel its share:
#
# $$dx = dx^{\text{gate}} + \frac{dz}{HW} \tag{d1}$$
#
# **Predict.** A hidden unit has $u_{nk} < 0$ for every image of the batch. Which of its weights get a gradient?

# %%
se = hand.SqueezeExcitation(32, 4, dtype="float64", rng=1)
x = f[::24]  # eight scenes
W1, b1 = se.fc1.weight[:, :, 0, 0], rng.standard_normal(8) * 0.1
W2, b2 = se.fc2.weight[:, :, 0, 0], rng.standard_normal(32) * 0.1
se.assign({"fc1.bias": b1, "fc2.bias": b2})


def column(v):
    """(N, C) -> (N, C, 1, 1), to stand beside features."""
    return v[:, :, np.newaxis, np.newaxis]


pooled = x.mean(axis=(2, 3))  # (1)
u = pooled @ W1.T + b1
h = np.maximum(u, 0)
logits = h @ W2.T + b2  # (2)
s = hand.sigmoid(logits)[0]
y = x * column(s)  # (3)

dy = rng.standard_normal(y.shape)
dx_gate = dy * column(s)  # (d3)
ds = (dy * x).sum(axis=(2, 3))
da = ds * s * (1 - s)
db2, dW2, dh = da.sum(axis=0), da.T @ h, da @ W2  # (d2)
du = dh * (u > 0)
db1, dW1, dz = du.sum(axis=0), du.T @ pooled, du @ W1
dx = dx_gate + column(dz) / x[0, 0].size  # (d1)

t = {
    name: torch.tensor(value, requires_grad=True)
    for name, value in {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2}.items()
}
t["z"] = t["x"].mean((2, 3))
t["u"] = t["z"] @ t["W1"].T + t["b1"]
t["h"] = torch.relu(t["u"])
t["a"] = t["h"] @ t["W2"].T + t["b2"]
t["s"] = torch.sigmoid(t["a"])
y_torch = t["x"] * t["s"][:, :, None, None]
names = ["s", "a", "b2", "W2", "h", "u", "b1", "W1", "z", "x"]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
compare("y", y, y_torch)
for name, mine, theirs in zip(
    names, [ds, da, db2, dW2, dh, du, db1, dW1, dz, dx], grads, strict=True
):
    compare(f"d{name}", mine, theirs)
print("units that are never positive:", int((u <= 0).all(axis=0).sum()), "of", u.shape[1])

# %% [markdown]
# A unit that is never positive gets nothing: not its row of $W_1$ and its bias, since $du = 0$, and not its column of $W_2$, since $h = 0$. Some of these eight units are in that state.
#
# The file gives the same numbers:

# %%
y_file, backward = se(x)
dx_file, grads_file = backward(dy)
compare("y", y_file, y)
compare("dx", dx_file, dx)
compare("dW1", grads_file["fc1.weight"][:, :, 0, 0], dW1)
compare("dW2", grads_file["fc2.weight"][:, :, 0, 0], dW2)

# %% [markdown]
# ### Exercise 1 · `se_backward`
#
# ★★☆ · 10 minutes
#
# You are given what reaches $x$ through the gate, `dx_gate` of shape `(N, C, H, W)`; `da` `(N, C)`; `u` `(N, C/r)`; and the two matrices. Return `dx`.


# %% tags=["exercise"]
def se_backward(dx_gate, da, u, W1, W2):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def se_backward(dx_gate, da, u, W1, W2):
#     dh = da @ W2
#     du = dh * (u > 0)
#     dz = du @ W1
#     height, width = dx_gate.shape[2:]
#     return dx_gate + dz[:, :, np.newaxis, np.newaxis] / (height * width)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("se_backward", se_backward)

# %% [markdown]
# ### The article's table of ARM and SE
#
# The article compares the two by task (segmentation, classification), by input (several scales, one), and by aim (*keep spatial information*, *recalibrate channels*). These rows say where each was first used. None of them is in the formulas: both take features of any scale, both leave the map as it is, and both recalibrate channels. What differs is this:
#
# | | ARM | SE |
# |---|---|---|
# | layers | one, $C \times C$ | two, $C \to C/r \to C$, with a ReLU between |
# | bias | none | two |
# | BN | before the sigmoid | none |
# | batch of one in training | refused | fine |
# | weights for $C = 128$ | 16,640 | 2,184 ($r = 16$) |
#
# ### What the bottleneck costs
#
# With $C/r$ hidden units, how freely can 32 logits move? First, how freely do they move in the trained ARM? Take the spread of its logits apart into directions, the strongest first (a singular value decomposition). Each dot of the picture is an image.

# %%
centred = a[:, :, 0, 0] - a[:, :, 0, 0].mean(axis=0)
_, sizes, directions = np.linalg.svd(centred, full_matrices=False)
for k in (1, 2, 4, 8):
    print(f"the first {k} of 32 directions hold {(sizes[:k] ** 2).sum() / (sizes**2).sum():.1%}")

fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained", width_ratios=[1, 1.6])
along = centred @ directions[:2].T  # two numbers for each image
images = np.concatenate([scenes.batch(range(96), state=band)[0] for band in (0, 1)])
brightness = images[:, :, 8:].mean(axis=(1, 2, 3))  # below the band
for word, numbers in zip(("first", "second"), along.T, strict=True):
    with_band = np.corrcoef(numbers, np.arange(192) < 96)[0, 1]
    with_brightness = np.corrcoef(numbers, brightness)[0, 1]
    print(
        f"{word:6}: correlation {with_band:+.2f} with the band, {with_brightness:+.2f} with brightness"
    )
for part, colour, word in ((slice(96), "#E69F00", "orange"), (slice(96, None), "#56B4E9", "blue")):
    axes[0].scatter(
        *along[part].T, s=12, color=colour, edgecolors="0.3", linewidths=0.3, label=word
    )
axes[0].set(xlabel="along the first direction", ylabel="along the second")
axes[0].legend(title="the band", fontsize=8)
axes[1].bar(np.arange(32) - 0.2, directions[0], width=0.4, color="0.3", label="first")
axes[1].bar(np.arange(32) + 0.2, directions[1], width=0.4, color="0.7", label="second")
axes[1].set(xlabel="channel", title="how far each direction moves the logit of each channel")
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# Two are nearly all. The first says which band it is. The second says how bright the scene is, and that is useful to know here: digits are drawn light on dark and dark on light. ARM was told about neither. So in this task two numbers have to be said to the features, two hidden units should do, and that is $r = 16$.
#
# Let SEs imitate the ARM: from the same pooled means, reach the same logits. It is a small training by hand: forward, $da$ of the squared error, backward, Adam. Three draws of the first weights for each reduction.
#
# **Predict.** Will two hidden units do?


# %%
def imitate(module, steps=400, rate=0.02):
    """Fit a module's logits to those of the trained ARM, on the scenes that are told."""
    optimiser = Adam(rate)
    for step in range(steps):
        guess, back = module._logits(z[told])
        _, grads = back((guess - a[told]) / told.sum())  # of half the mean squared error
        optimiser.step(module, grads, rate * (1 - step / steps))
    return module


def explained(guessed):
    """Share of the gates' variance, on the scenes kept back, that the guess explains."""
    off = (guessed - gates)[~told]
    around = (gates - gates[told].mean(axis=0))[~told]
    return 1 - (off**2).sum() / (around**2).sum()


print(f"pooled means above 0: {(z > 0).mean():.0%}")
fitted = {}
for reduction in (16, 8, 4):
    found = []
    for seed in (1, 2, 3):
        se = hand.SqueezeExcitation(32, reduction, dtype="float64", rng=seed)
        imitate(se)
        living = int((se.fc1(z)[0] > 0).any(axis=0).sum())
        found.append((explained(se.gate(z)), living, se))
    shares = "".join(f"{round(share, 2) + 0.0:8.0%} ({living} alive)" for share, living, _ in found)
    print(f"r = {reduction:2}, {32 // reduction} hidden units: {shares}")
    fitted[reduction] = max(found, key=lambda f: f[0])[2]

# %% [markdown]
# What counts is not how many hidden units there are, but how many are *alive*. The pooled means are nearly all positive, so a unit whose first weights are mostly negative has $u < 0$ on every image. It gets no gradient, as you predicted above, and stays where it is. With none alive every image gets the same gates, and nothing is explained; one explains a part of it, and two nearly everything, just as the directions said. A bottleneck needs room for the units that die. In ARM and eSE there is no ReLU in the branch, and nothing that can die.
#
# ## 4 · ECA: neighbours among the channels
#
# `eca.py` replaces the matrix by a kernel of $R$ weights that slides along the channels. With $p = (R-1)/2$, and zeros beyond the ends (`channel_conv1d.py`, where this is equation (1)):
#
# $$a_{nc} = \sum_{r=0}^{R-1} w_r\; z_{n,\,c + r - p}$$
#
# The size of the kernel follows from the number of channels: $t = \mathrm{int}(|\log_2 C + 1|/2)$, made odd by adding one where it is even, and at least 3.
#
# **Predict.** What is $R$ for 3, 64, 256 and 2,048 channels?
#
# ### Exercise 2 · `eca_kernel_size`
#
# ★☆☆ · 5 minutes


# %% tags=["exercise"]
def eca_kernel_size(channels):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def eca_kernel_size(channels):
#     t = int(abs(np.log2(channels) + 1) / 2)
#     return max(t if t % 2 else t + 1, 3)
# ```
#
# 3, 3, 5 and 7.
#
# </details>

# %% tags=["check"]
check.exercise("eca_kernel_size", eca_kernel_size)

# %% [markdown]
# ### The backward of ECA
#
# Each weight met every channel of every image. Each $z_{nc}$ fed the $R$ logits around it: the one at $c' = c - r + p$ through the weight $w_r$.
#
# $$dw_r = \sum_{n,c} da_{nc}\; z_{n,\,c+r-p}, \qquad dz_{nc} = \sum_r w_r\; da_{n,\,c - r + p} \tag{d1}$$
#
# The second is the same sliding sum with the kernel turned around. That is lesson 1's convolution in one dimension.


# %%
def slide(v, w):
    """Σ_r w[r] v[:, c + r - p], with zeros beyond the ends."""
    padded = np.pad(v, ((0, 0), (len(w) // 2, len(w) // 2)))
    return sum(w_r * padded[:, r : r + v.shape[1]] for r, w_r in enumerate(w))


eca = hand.ECA(32, 5, dtype="float64", rng=1)
w = eca.conv.weight[0, 0]
flat = z[::24, :, 0, 0]
a_long = slide(flat, w)
da = rng.standard_normal(a_long.shape)
padded = np.pad(flat, ((0, 0), (2, 2)))
dw = np.asarray([(da * padded[:, r : r + 32]).sum() for r in range(5)])  # (d1)
dz = slide(da, w[::-1])

w_torch, z_torch = (torch.tensor(v, requires_grad=True) for v in (w, flat))
a_torch = torch.nn.functional.conv1d(z_torch[:, None], w_torch[None, None], padding=2)[:, 0]
grads = torch.autograd.grad(a_torch, (w_torch, z_torch), torch.tensor(da))
compare("a", a_long, a_torch)
compare("dw", dw, grads[0])
compare("dz", dz, grads[1])
a_file, back = hand.channel_conv1d(column(flat), eca.conv.weight)
dz_file, dw_file = back(column(da))
compare("file: dw", dw_file[0, 0], dw)
compare("file: dz", dz_file[:, :, 0, 0], dz)

# %% [markdown]
# ### Exercise 3 · `channel_conv1d_backward`
#
# ★★★ · 15 minutes
#
# `da` and `z` are `(N, C, 1, 1)`, `w` is `(1, 1, R)` with $R$ odd. Return `dz` and `dw` in these shapes.


# %% tags=["exercise"]
def channel_conv1d_backward(da, z, w):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def channel_conv1d_backward(da, z, w):
#     channels, size = z.shape[1], w.shape[2]
#     around = ((0, 0), (size // 2, size // 2), (0, 0), (0, 0))
#     padded_z, padded_da = np.pad(z, around), np.pad(da, around)
#     dz, dw = np.zeros(z.shape), np.zeros(w.shape)
#     for r in range(size):
#         dw[0, 0, r] = (da * padded_z[:, r : r + channels]).sum()
#         dz += w[0, 0, size - 1 - r] * padded_da[:, r : r + channels]
#     return dz, dw
# ```
#
# With `w[0, 0, r]` in the last line the kernel is not turned. For a symmetric kernel nobody would notice.
#
# </details>

# %% tags=["check"]
check.exercise("channel_conv1d_backward", channel_conv1d_backward)

# %% [markdown]
# ### What a gate hears of the other channels
#
# For each module, how does the logit of channel $c$ move with the mean of channel $c'$? The derivative $\partial a_c / \partial z_{c'}$ is a matrix: its rows are logits, its columns are means. For eSE it is $W$. For SE it is $W_2\, \mathrm{diag}[u > 0]\, W_1$. ECA's three weights are fitted to the same task as the SEs, by least squares, as the logits are linear in $w$.


# %%
def shifted_means(size):
    """(192, 32, R): what each weight of the kernel meets."""
    padded = np.pad(z[:, :, 0, 0], ((0, 0), (size // 2, size // 2)))
    return np.stack([padded[:, r : r + 32] for r in range(size)], axis=-1)


def best_eca(size):
    met = shifted_means(size)
    w, *_ = np.linalg.lstsq(met[told].reshape(-1, size), a[told].ravel(), rcond=None)
    module = hand.ECA(32, size, dtype="float64", rng=0)
    return module.assign({"conv.weight": w.reshape(1, 1, size)})


def jacobian(module):
    """∂a/∂z at the first scene, one backward for each logit."""
    _, back = module._logits(z[:1])
    rows = [back(column(row[np.newaxis]))[0][0, :, 0, 0] for row in np.eye(32)]
    return np.asarray(rows)


three = best_eca(3)
shown = {
    "eSE, the folded ARM": folded,
    "SE, r = 4": fitted[4],
    "SE, r = 16": fitted[16],
    "ECA, R = 3": three,
}
fig, axes = plt.subplots(1, 4, figsize=(11, 3.3), layout="constrained")
for ax, (name, module) in zip(axes, shown.items(), strict=True):
    matrix = jacobian(module)
    drawn = ax.imshow(matrix, cmap="RdBu_r", vmin=-2, vmax=2, interpolation="nearest")
    ax.set(xticks=[], yticks=[], xlabel="mean of channel")
    ax.set_title(f"{name}\nrank {np.linalg.matrix_rank(matrix)}", fontsize=10)
axes[0].set_ylabel("logit of channel")
fig.colorbar(drawn, ax=axes[3], label="∂a / ∂z")
plt.show()

# %% [markdown]
# eSE hears everything, one way or another. SE, once it is fitted, hears everything too, but every row is a mixture of a few: the rank of the matrix is the number of units that are on. ECA hears the two neighbours of a channel and itself, all with the same three weights, and for this task they are small: neighbours in this network are neighbours by accident.
#
# Now the gates themselves, side by side. Each panel has 16 scenes that were not told, eight with either band, as rows, and the 32 channels as columns. The last panel has SimAM, of which more below: the mean over each channel of its gates.

# %%
order = np.argsort((gates[:96] - gates[96:]).mean(axis=0)[:, 0, 0])
rows = [*range(64, 72), *range(160, 168)]
everyone = {
    "ARM": gates,
    **{name: module.gate(z) for name, module in shown.items()},
    "SimAM, mean": hand.SimAM().gate(f).mean(axis=(2, 3), keepdims=True),
}
fig, axes = plt.subplots(2, 3, figsize=(10, 4.6), layout="constrained")
for ax, (name, values) in zip(axes.flat, everyone.items(), strict=True):
    share = "" if name == "SimAM, mean" else f": {explained(values):.0%}"
    drawn = gate_map(ax, values[rows][:, order, 0, 0], name + share)
    ax.set_aspect("auto")
    ax.axhline(7.5, color="white", linewidth=1)
    ax.set_yticks([3.5, 11.5], ["orange", "blue"], fontsize=8)
fig.colorbar(drawn, ax=axes[:, -1], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# The percentages say how much of the variance of ARM's gates is explained; a constant for each channel would reach 0 %. SE with $r = 4$ has units to spare, and draws ARM's picture. With $r = 16$ one is left alive, and with it one pattern, stronger or weaker: the band, without the brightness. ECA's three weights, with no bias, do not reach even the constants: what tells orange from blue is spread over channels that no kernel of three brings together. SimAM does not try.
#
# ### ECA's kernel under your hand
#
# How much wider would ECA's kernel have to be? Above, which means a logit hears. Below, each fitted gate against that of the ARM.


# %%
def show_kernels(sizes):
    _, axes = plt.subplots(
        2, len(sizes), figsize=(max(2.4 * len(sizes), 3), 4.6), layout="constrained", squeeze=False
    )
    for column_of, size in zip(axes.T, sizes, strict=True):
        module = best_eca(size)
        guessed = module.gate(z)
        top, bottom = column_of
        top.imshow(jacobian(module), cmap="RdBu_r", vmin=-2, vmax=2, interpolation="nearest")
        top.set(xticks=[], yticks=[])
        top.set_title(f"R = {size}", fontsize=10)
        bottom.scatter(
            gates[~told].ravel(), guessed[~told].ravel(), s=2, alpha=0.3, color="#0072B2"
        )
        bottom.plot([0, 1], [0, 1], color="0.5", linewidth=0.8)
        bottom.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1], aspect="equal")
        bottom.set_title(f"{explained(guessed):.0%} explained", fontsize=10)
        bottom.set_xlabel("gate of ARM", fontsize=9)
    axes[1, 0].set_ylabel("gate of ECA", fontsize=9)
    plt.show()


show_kernels([1, 3, 9, 31, 63])

# %% [markdown]
# In a running notebook, move the slider. 63 weights reach from every channel to every other.

# %%
slider = ipywidgets.IntSlider(
    value=5, min=1, max=63, step=2, description="R", continuous_update=False
)
_ = ipywidgets.interact(lambda size: show_kernels([size]), size=slider)

# %% [markdown]
# Even with 63 weights much is missing: all pairs of channels at one distance share one weight, and ARM has a weight for each pair. That is the price of $R$ weights instead of $C^2$.
#
# It says little about a network that is *trained* with ECA. There the layer before can learn to put channels side by side that belong together. Here the channels were learned for a full matrix, and their order is an accident.
#
# ## 5 · CBAM's channel half: the same layers twice
#
# `cbam.py`. A second pool, the maximum, goes through *the same* two layers, and the logits add up:
#
# $$a = \mathrm{MLP}(\mathrm{GAP}(x)) + \mathrm{MLP}(\mathrm{GMP}(x)), \qquad \mathrm{MLP}(z) = W_2\,\mathrm{ReLU}(W_1 z + b_1) + b_2 \tag{1}$$
# $$y = x\,\sigma(a) \tag{2}$$
#
# **Predict.** $b_2$ is added in both passes. What is its gradient, compared with that of SE?
#
# ### The backward
#
# Write $z'$ for the maxima, and $u', h'$ for what they become. The sum hands $da$ to both passes unchanged. Each pass is section 3. A weight that is used twice collects both gradients:
#
# $$dW_2 = \sum_n da_n h_n^{\top} + \sum_n da_n h_n'^{\top}, \qquad db_2 = 2 \sum_n da_n \tag{d1}$$
# $$dW_1 = \sum_n du_n z_n^{\top} + \sum_n du'_n z_n'^{\top}, \qquad db_1 = \sum_n du_n + \sum_n du'_n$$
#
# And $x$ is used three times: by the gate, by the mean, and by the maximum, which hears of one pixel alone.

# %%
cbam = hand.CBAMChannel(32, 4, dtype="float64", rng=1)
cbam.assign({"fc1.bias": b1, "fc2.bias": b2})
largest = x.max(axis=(2, 3))
hidden, logits = {}, 0
for name, seen in (("mean", pooled), ("max", largest)):
    hidden[name] = seen @ W1.T + b1
    logits = logits + np.maximum(hidden[name], 0) @ W2.T + b2  # (1)
s = hand.sigmoid(logits)[0]

dx_gate = dy * column(s)
da = (dy * x).sum(axis=(2, 3)) * s * (1 - s)
dW1 = dW2 = db1 = db2 = 0
dseen = {}
for name, seen in (("mean", pooled), ("max", largest)):
    du = da @ W2 * (hidden[name] > 0)
    dW2 = dW2 + da.T @ np.maximum(hidden[name], 0)  # (d1): each pass adds its own
    db2 = db2 + da.sum(axis=0)
    dW1 = dW1 + du.T @ seen
    db1 = db1 + du.sum(axis=0)
    dseen[name] = du @ W1
flat_x = x.reshape(*x.shape[:2], -1)
won = np.arange(flat_x.shape[2]) == flat_x.argmax(axis=2, keepdims=True)  # the first of equals
dx_max = (dseen["max"][:, :, np.newaxis] * won).reshape(x.shape)
dx = dx_gate + column(dseen["mean"]) / x[0, 0].size + dx_max

t = {
    name: torch.tensor(value, requires_grad=True)
    for name, value in {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2}.items()
}
t["mean"], t["max"] = t["x"].mean((2, 3)), t["x"].flatten(2).max(2)[0]
passes = [
    torch.relu(t[name] @ t["W1"].T + t["b1"]) @ t["W2"].T + t["b2"] for name in ("mean", "max")
]
t["a"] = passes[0] + passes[1]
y_torch = t["x"] * torch.sigmoid(t["a"])[:, :, None, None]
names = ["a", "b2", "W2", "b1", "W1", "mean", "max", "x"]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
compare("y", x * column(s), y_torch)
mine = [da, db2, dW2, db1, dW1, dseen["mean"], dseen["max"], dx]
for name, gradient, theirs in zip(names, mine, grads, strict=True):
    compare(f"d{name}", gradient, theirs)
dx_file, grads_file = cbam(x)[1](dy)
compare("file: dx", dx_file, dx)
compare("file: dW1", grads_file["fc1.weight"][:, :, 0, 0], dW1)

# %% [markdown]
# Collapsed, it is one line of the file: `{key: g + of_max[key] for key, g in of_mean.items()}`.

# %%
source(hand.CBAMChannel._logits)

# %% [markdown]
# ### Exercise 4 · Find the bug
#
# ★★☆ · 10 minutes
#
# Each layer's backward returns a dictionary. Somebody has put the pieces together:


# %%
def backward_as_written(dy, gate_back, mlp_mean_back, mlp_max_back, mean_back, max_back):
    dx, da = gate_back(dy)
    dmean, grads = mlp_mean_back(da)
    dmax, grads = mlp_max_back(da)
    return dx + mean_back(dmean) + max_back(dmax), grads["fc1.weight"]


mean, mean_back = hand.global_avg_pool(x)
most, max_back = hand.global_max_pool(x)
a_mean, mlp_mean_back = bottleneck(mean, fc1=cbam.fc1, fc2=cbam.fc2)
a_max, mlp_max_back = bottleneck(most, fc1=cbam.fc1, fc2=cbam.fc2)
gate_back = hand.sigmoid_gate(x, a_mean + a_max)[1]
backs = (gate_back, mlp_mean_back, mlp_max_back, mean_back, max_back)
dx_written, dW1_written = backward_as_written(dy, *backs)
compare("dx", dx_written, dx_file)
compare("dW1", dW1_written[:, :, 0, 0], dW1)

# %% [markdown]
# **Predict.** `dx` is right. What is `dW1`, and how would a training behave that uses it?
#
# Write it right. The backwards are those above; `mlp_mean_back` and `mlp_max_back` return `(dz, grads)`, with the gradients of $W_1$ under `"fc1.weight"`. Return `dx` and that of $W_1$.


# %% tags=["exercise"]
def cbam_channel_backward(dy, gate_back, mlp_mean_back, mlp_max_back, mean_back, max_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def cbam_channel_backward(dy, gate_back, mlp_mean_back, mlp_max_back, mean_back, max_back):
#     dx, da = gate_back(dy)
#     dmean, of_mean = mlp_mean_back(da)
#     dmax, of_max = mlp_max_back(da)
#     d_fc1 = of_mean["fc1.weight"] + of_max["fc1.weight"]
#     return dx + mean_back(dmean) + max_back(dmax), d_fc1
# ```
#
# The name `grads` was bound twice, and the gradients of the first pass are gone. The shared weights would learn from the maxima alone. Nothing crashes, and the loss goes down. A gradient check of `dx` does not find it either: check every parameter.
#
# </details>

# %% tags=["check"]
check.exercise("cbam_channel_backward", cbam_channel_backward)

# %% [markdown]
# ### When there is no single maximum
#
# **Predict.** A channel behind a ReLU is 0 at all of its 1,024 positions. What is its maximum, and which pixel gets the gradient?

# %%
quiet = np.maximum(x - 2.5, 0)  # as behind a ReLU that is hard to reach
peak = quiet.max(axis=(2, 3), keepdims=True)
ties = (quiet == peak).sum(axis=(2, 3))
dmax = rng.standard_normal(peak.shape)
quiet_torch = torch.tensor(quiet, requires_grad=True)
by_max = quiet_torch.flatten(2).max(2)[0]
by_amax = quiet_torch.amax((2, 3))
for name, value in (("max", by_max), ("amax", by_amax)):
    (theirs,) = torch.autograd.grad(value, quiet_torch, torch.tensor(dmax[:, :, 0, 0]))
    compare(name, hand.global_max_pool(quiet)[1](dmax), theirs)
print(f"channels with more than one maximum: {(ties > 1).mean():.0%}; most ties: {ties.max():,}")

# %% [markdown]
# The value is 0 for everyone. `max` over a flattened axis gives the gradient to the first pixel, and so does this project; `amax`, which is the shorter way to write a pool over two axes, spreads it over all 1,024. Two right answers, and a reason why two implementations with the same weights can train differently ([lesson 3](03_pooling.ipynb)).
#
# The whole of CBAM then applies a gate for positions to what came out. That half is the subject of [lesson 7](07_spatial_attention.ipynb), with its own trap: which of the two statistics comes first.

# %% [markdown]
# ## 6 · Coordinate attention: two strips
#
# `coordinate_attention.py` and `strip_mean.py`. Instead of one mean of the image, it takes the mean of each row and of each column. Both strips go, end to end, through one shared layer with BN, and then apart:
#
# $$y_{ncij} = x_{ncij}\; \sigma(a^h_{nci})\; \sigma(a^w_{ncj}) \tag{5}$$

# %%
source(hand.CoordinateAttention.forward, hand.CoordinateAttention._strips)

# %% [markdown]
# So it keeps the place. How much of it? The gate of a channel is a product of a column and a row, that is, a matrix of rank 1.
#
# **Predict.** Two digits stand on the diagonal of an image. The gate is to open at the two digits, and nowhere else. What will it do?

# %%
digit = np.kron(load_digits().images[13] / 16, np.ones((3, 3)))  # (24, 24)
diagonal = np.full((1, 1, 64, 64), 0.4)  # on a grey ground
for corner in (slice(5, 29), slice(35, 59)):
    diagonal[0, 0, corner, corner] += 0.6 * digit
by_rows, _ = hand.strip_mean(diagonal, axis=3)
by_columns, _ = hand.strip_mean(diagonal, axis=2)
a_h, a_w = (12 * (v - v.min()) / np.ptp(v) - 5 for v in (by_rows, by_columns))
gate = hand.sigmoid(a_h)[0] * hand.sigmoid(a_w)[0]

fig, axes = plt.subplots(2, 5, figsize=(11, 4.2), layout="constrained")
some = photos[5:6]
coordinate = hand.CoordinateAttention(3, dtype="float64", rng=4)
coordinate.assign({"bn1.weight": np.full(8, 3.0)})
for row, (image, gate_of) in enumerate(((diagonal, gate), (some, coordinate.gate(photos)[5:6]))):
    if row:
        picture(axes[row, 0], image[0], "x")
    else:
        feature_map(axes[row, 0], image[0, 0], "x")
        axes[row, 0].images[0].set_clim(0, 1)
    rows_mean, columns_mean = (hand.strip_mean(image, axis=axis)[0] for axis in (3, 2))
    height, width = image.shape[2:]
    wide = np.broadcast_to(rows_mean[0, 0], (height, width))
    high = np.broadcast_to(columns_mean[0, 0], (height, width))
    feature_map(axes[row, 1], wide, "the rows' means")
    feature_map(axes[row, 2], high, "the columns' means")
    drawn = gate_map(axes[row, 3], gate_of[0, 0], "gate of the first channel")
    gated = (image * gate_of)[0]
    if row:
        picture(axes[row, 4], gated, "x s")
    else:
        feature_map(axes[row, 4], gated[0], "x s")
        axes[row, 4].images[0].set_clim(0, 1)
fig.colorbar(drawn, ax=axes[:, 4], ticks=[0, 0.5, 1], shrink=0.7)
plt.show()
ranks = {
    int(np.linalg.matrix_rank(g, tol=1e-8)) for g in coordinate.gate(photos).reshape(-1, 64, 96)
}
print("ranks of all the gates of the six photographs:", ranks)

# %% [markdown]
# It opens at four places: at the two digits, and where the rows of one cross the columns of the other. Two strips cannot say that *this* row belongs to *that* column. In the second row of pictures the weights are drawn at random, so the gate means nothing; its plaid does: this is what every gate of coordinate attention looks like. (In `_strips` rows and columns share a BN, and only its statistics let one strip hear of the other.)
#
# ## 7 · SimAM: no weights at all
#
# `simam.py`. For each channel of each image, with sums over its $m = HW$ positions:
#
# $$d = x - \tfrac1m {\textstyle\sum} x \tag{1}$$
# $$v = \tfrac{1}{m-1} {\textstyle\sum} d^2 \tag{2}$$
# $$q = \frac{1}{4(v + \lambda)} \tag{3}$$
# $$e = d^2 q \tag{4}$$
# $$a = e + \tfrac12 \tag{5}$$
#
# The logit is the squared distance from the mean, measured in variances. What stands out of its channel is let through; the ordinary is damped.
#
# **Predict.** What is the smallest gate that SimAM can give? What is the mean of all logits of a channel?

# %%
simam = hand.SimAM()
all_logits, _ = hand.simam_logits(photos)
print(
    f"smallest gate: {simam.gate(photos).min():.4f} = σ(1/2) = {hand.sigmoid(np.float64(0.5))[0]:.4f}"
)
print("mean logit of each channel:", all_logits.mean(axis=(2, 3)).round(3).ravel())
two = np.asarray([[0.1, 0.9], [3.0, 3.1]]).reshape(2, 1, 1, 2)
print("two pixels:", hand.simam_logits(two, lambda_=1e-12)[0].ravel().round(3))
try:
    hand.simam_logits(photos[:, :, :1, :1])
except ValueError as error:
    print("ValueError:", error)

fig, axes = plt.subplots(2, 5, figsize=(11, 3.6), layout="constrained")
for row, n in enumerate((3, 5)):
    picture(axes[row, 0], photos[n], f"x[{n}]")
    energy = (hand.simam_logits(photos)[0] - 0.5)[n, 1]
    axes[row, 1].imshow(energy, cmap="gray", vmin=0, vmax=2, interpolation="nearest")
    axes[row, 1].set(xticks=[], yticks=[])
    axes[row, 1].set_title("e of green, 0 … 2", fontsize=10)
    for ax, lambda_ in zip(axes[row, 2:], (1e-4, 0.02, 0.1), strict=True):
        drawn = gate_map(ax, hand.SimAM(lambda_).gate(photos)[n, 1], f"gate, λ = {lambda_:g}")
fig.colorbar(drawn, ax=axes[:, -1], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# By (2) and (4), $\sum e = (m-1)\, v\, q$, which is $(m-1)/4$ as long as $\lambda$ is small beside $v$. So every channel of every image has nearly the same mean logit, $\tfrac14 + \tfrac12 = \tfrac34$: SimAM has nothing to say *about a channel*. It cannot do what ARM does in the toy network, and the flat panel of section 4 has shown it. It distributes within the channel.
#
# It looks in both directions: a dark window in a bright wall stands out as a lamp does in the dark. A larger $\lambda$ brings all gates down to $\sigma(\tfrac12)$. With two pixels all logits are $\tfrac58$, as both lie equally far from their mean: lesson 4's batch of two again. With one there is no variance.
#
# ### Exercise 5 · Find the bug
#
# ★☆☆ · 5 minutes
#
# Shorter, and nearly right:


# %%
def simam_with_var(x, lambda_):
    d = x - x.mean(axis=(2, 3), keepdims=True)
    v = x.var(axis=(2, 3), keepdims=True)
    return d**2 / (4 * (v + lambda_)) + 0.5


compare("64 × 96", simam_with_var(photos, 1e-4), all_logits)
compare(
    "2 × 2", simam_with_var(photos[:, :, :2, :2], 1e-4), hand.simam_logits(photos[:, :, :2, :2])[0]
)

# %% [markdown]
# **Predict.** By which factor is `e` wrong at 64×96 and at 2×2? Write the right logits.


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
# NumPy's `var` divides by $m$, SimAM's paper by $m - 1$ (`ddof=1`), and `torch.var` divides by $m - 1$ unless told otherwise. The two `e` differ by about $m/(m-1)$: a sixtieth of a percent at 64×96, a third at 2×2, deep in a network where maps are small.
#
# </details>

# %% tags=["check"]
check.exercise("simam_logits", simam_logits)

# %% [markdown]
# ### The backward of SimAM
#
# One step at a time, upwards. (5) adds a constant, so $de = da$. (4) has two factors; one $q$ serves the whole channel:
#
# $$dq = \sum da\, d^2, \qquad dd^{(4)} = 2\,d\,q\,da \tag{d4}$$
#
# (3): $dq/dv = -\frac{1}{4 (v+\lambda)^2} = -4 q^2$.
#
# $$dv = -4\, q^2\, dq \tag{d3}$$
#
# (2): $v$ moves with each $d$ by $2d/(m-1)$. $d$ is used twice, here and in (4):
#
# $$dd = dd^{(4)} + \frac{2 d}{m-1}\, dv \tag{d2}$$
#
# (1): $x$ stands in its own $d$, and with the share $1/m$ in the mean, which is subtracted from all:
#
# $$dx = dd - \tfrac1m {\textstyle\sum} dd \tag{d1}$$
#
# **Collapsed.** $d^2 q = e$, so $dv = -4\,q \sum da\, e$. Put it into (d2) and take $2qd$ out:
#
# $$dd = 2\, q\, d\, \Big( da - \frac{4}{m-1} {\textstyle\sum} da\, e \Big) \tag{6}$$
# $$dx = dd - \tfrac1m {\textstyle\sum} dd \tag{7}$$
#
# (6) and (7) are the numbers of the file.


# %%
def total(v):
    return v.sum(axis=(2, 3), keepdims=True)


x, lambda_ = photos, 1e-4
m = x[0, 0].size
d = x - total(x) / m  # (1)
v = total(d**2) / (m - 1)  # (2)
q = 1 / (4 * (v + lambda_))  # (3)
e = d**2 * q  # (4)
a_long = e + 0.5  # (5)

da = rng.standard_normal(x.shape)
dq = total(da * d**2)  # (d4)
dd_direct = 2 * d * q * da
dv = -4 * q**2 * dq  # (d3)
dd = dd_direct + 2 * d / (m - 1) * dv  # (d2)
dx = dd - total(dd) / m  # (d1)

x_torch = torch.tensor(x, requires_grad=True)
d_torch = x_torch - x_torch.mean((2, 3), keepdim=True)
v_torch = (d_torch**2).sum((2, 3), keepdim=True) / (m - 1)
q_torch = 1 / (4 * (v_torch + lambda_))
a_torch = d_torch**2 * q_torch + 0.5
wanted = {"q": q_torch, "v": v_torch, "d": d_torch, "x": x_torch}
grads = torch.autograd.grad(a_torch, list(wanted.values()), torch.tensor(da))
compare("a", a_long, a_torch)
for name, mine, theirs in zip(wanted, (dq, dv, dd, dx), grads, strict=True):
    compare(f"d{name}", mine, theirs)

dd_short = 2 * q * d * (da - 4 / (m - 1) * total(da * e))  # (6)
compare("(6)", dd_short, dd)
compare("file: dx", hand.simam_logits(x, lambda_=lambda_)[1](da), dx)
print(check.adjoint(lambda x: hand.simam_logits(x), x))

# %% [markdown]
# ### Exercise 6 · `simam_logits_backward`
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
# ## 8 · What a gate cannot see
#
# A formula is also a list of things that cannot matter. If the pixels are shuffled, a mean stays the same: so no gate that is made from means alone can know where anything was. Five such changes, each done to the input; the question is whether the gates stay what they were (and, where there is a gate for each position, whether they move along with the pixels).
#
# **Predict.** Fill in the table for ARM, ECA and SimAM before you run it.


# %%
def shuffled(x, seed=1):
    places = np.random.default_rng(seed).permutation(x.shape[2] * x.shape[3])
    return x.reshape(*x.shape[:2], -1)[:, :, places].reshape(x.shape)


def mirrored(x):
    return x[:, :, :, ::-1]


def one_channel_doubled(x):
    return np.concatenate([x[:, :-1], 2 * x[:, -1:]], axis=1)


x = f[::32]
others = np.concatenate([x[:1], f[1:6]])
smaller = {
    "ARM, in training": hand.PaperAttentionRefinement(32, rng=1, dtype="float64"),
    "SE": hand.SqueezeExcitation(32, 4, rng=1, dtype="float64"),
    "eSE": hand.EffectiveSE(32, rng=1, dtype="float64"),
    "ECA": hand.ECA(32, rng=1, dtype="float64"),
    "CBAM channel": hand.CBAMChannel(32, 4, rng=1, dtype="float64"),
    "CBAM, in training": hand.CBAM(32, 4, rng=1, dtype="float64"),
    "coordinate, in training": hand.CoordinateAttention(32, rng=1, dtype="float64"),
    "SimAM": hand.SimAM(),
}
heads = ["pixels shuffled", "mirrored", "x + 1", "last channel × 2", "other company"]
print(f"{'gates stay:':24}" + "".join(f"{head:>18}" for head in heads))
for name, module in smaller.items():

    def gate_of(x, module=module):
        return np.broadcast_to(module.gate(x), x.shape)

    s = gate_of(x)
    laws = [
        np.allclose(gate_of(shuffled(x)), shuffled(s), atol=1e-10),
        np.allclose(gate_of(mirrored(x)), mirrored(s), atol=1e-10),
        np.allclose(gate_of(x + 1), s, atol=1e-10),
        np.allclose(gate_of(one_channel_doubled(x))[:, :8], s[:, :8], atol=1e-10),  # of the first 8
        np.allclose(gate_of(others)[:1], s[:1], atol=1e-10),
    ]
    print(f"{name:24}" + "".join(f"{'yes' if law else '–':>18}" for law in laws))

# %% [markdown]
# Read it by rows, as a list of what a module is blind to. The first two columns: a gate made from means knows no place. (CBAM loses this law through its second half, which has a 7×7 kernel and zeros around the picture; coordinate attention keeps the mirror, as its strips turn around with the picture, but not the shuffling.) The third: whoever subtracts a mean does not feel a constant, and that is BN in training, over the batch, and SimAM, over the pixels. (CBAM has a BN in its second half only.) The fourth asks the first eight gates whether they hear of the last channel: ECA's do not, it is too far away, and SimAM has never heard of any other channel. The last column is BN again: in training, an image's gates depend on the other images. In evaluation mode every entry of that column is yes.
#
# ## Five questions
#
# 1. Which two modules of this lesson are the same function in evaluation mode, if the weights are chosen well?
#
# <details><summary>Answer</summary>
#
# The paper's ARM and eSE. BN with kept statistics is a scale and a shift, and both fold into $W$ and $b$.
#
# </details>
#
# 2. SE with $r = 16$ on 32 channels: how many dimensions do its logits have?
#
# <details><summary>Answer</summary>
#
# Two hidden units, so for all images together the logits lie in a plane (through $b_2$), and because of the ReLU in a quarter of it.
#
# </details>
#
# 3. You sort the channels of a trained network anew and carry all weights along. Which attention cannot be carried along?
#
# <details><summary>Answer</summary>
#
# ECA: neighbours are no longer neighbours. For SE, eSE and ARM rows and columns of the matrices are sorted as well; SimAM and coordinate attention need nothing, or the same.
#
# </details>
#
# 4. A module is used twice in one forward. Your backward returns a dictionary of gradients for each use. What do you do with the two?
#
# <details><summary>Answer</summary>
#
# Add them, key by key. Assigning the second over the first loses half of the gradient, and the gradient of $x$ does not show it.
#
# </details>
#
# 5. Why is SimAM of no use behind a global pooling?
#
# <details><summary>Answer</summary>
#
# There $HW = 1$: one value is its own mean and has no variance. The file raises a ValueError.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | squeeze and excitation (SE) | 挤压与激励 | channel attention through a bottleneck |
# | bottleneck, reduction | 瓶颈, 缩减率 | $C \to C/r \to C$ |
# | recalibration | 重校准 | scaling each channel by a gate |
# | effective SE (eSE) | 高效 SE | one square layer with a bias |
# | efficient channel attention (ECA) | 高效通道注意力 | a kernel along the channels |
# | shared weights | 共享权重 | used more than once; their gradients add up |
# | global max pooling | 全局最大池化 | the largest value of each channel |
# | coordinate attention | 坐标注意力 | a gate for each row times a gate for each column |
# | channel attention | 通道注意力 | one gate per channel |
# | unbiased variance | 无偏方差 | divided by $m - 1$ |
# | folding | 折叠 | writing BN into the layer before it |
#
# ## What comes next
#
# [Lesson 7: spatial attention](07_spatial_attention.ipynb) pools over the channels instead, and asks what a gate knows of its neighbourhood. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

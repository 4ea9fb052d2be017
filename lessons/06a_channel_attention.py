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
# # 6a · Channel attention: eSE, SE and ECA
#
# **Goal.** See ARM's three nearest relatives as ARM with one step replaced, and derive the backward of each replacement.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb), ARM's backward, or [ARM in one evening](arm_in_one_evening.ipynb) |
# | Afterwards you can | read a channel attention as a change of ARM · turn a trained ARM into an eSE, exactly · derive the backwards of SE and ECA · say which weights of a bottleneck learn nothing |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/self_gate.py](../armlab/hand/self_gate.py) · [hand/effective_se.py](../armlab/hand/effective_se.py) · [hand/squeeze_excitation.py](../armlab/hand/squeeze_excitation.py) · [hand/bottleneck.py](../armlab/hand/bottleneck.py) · [hand/eca.py](../armlab/hand/eca.py) · [hand/channel_conv1d.py](../armlab/hand/channel_conv1d.py) |
#
# The first of three lessons on ARM's relatives. [Lesson 6b](06b_relatives.ipynb) measures what a small branch costs, and adds CBAM's channel half and coordinate attention; [lesson 6c](06c_what_a_gate_cannot_see.ipynb) has SimAM, and asks what a gate cannot depend on. Equations are counted through the chapter, and (d6.5) is the gradient of (6.5).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from arm_graph import EVENING, PAPER, arm_graph
from armlab import check, hand
from armlab.cost import ModuleCost
from armlab.data import Scenes
from armlab.hand.bottleneck import bottleneck
from armlab.hand.self_gate import self_gate
from tools import compare, feature_map, features, gate_map, numbers, source, trained

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Four lines, and one arrow
#
# The paper's ARM, once more. GAP is the global average pool, the mean of each channel.
#
# $$z = \mathrm{GAP}(x), \qquad a = \mathrm{BN}(W z), \qquad s = \sigma(a), \qquad y = x\,s \tag{6.1}$$
#
# What is looked at, how it becomes logits, the gate, and what is scaled. In the picture the second of the four is lit: the way from $z$ to $a$.

# %%
arm_graph({"linear", "bn"}, PAPER)

# %% [markdown]
# Every relative keeps the two arrows into ×. The three of this lesson keep the pool and σ as well, and have something else where the picture is lit:
#
# | | logits $a$ | gate for each | the arrow that changes |
# |---|---|---|---|
# | ARM | $\mathrm{BN}(W z)$ | channel | |
# | eSE | $W z + b$ | channel | from $z$ to $a$: a bias for BN |
# | SE | $W_2\,\mathrm{ReLU}(W_1 z + b_1) + b_2$ | channel | from $z$ to $a$: two small layers for a large one, biases for BN |
# | ECA | $w *_c z$ | channel | from $z$ to $a$: a small kernel along the channels for $W$ and BN |
# | CBAM, first half | $\mathrm{MLP}(z) + \mathrm{MLP}(\mathrm{GMP}(x))$ | channel | a second pool, the maximum, beside the first; both through SE's layers |
# | CBAM, second half | $\mathrm{BN}(W_{7\times7} * [\mathrm{max}_c\,;\,\mathrm{mean}_c])$ | position | the pool goes over channels: [lesson 7a](07a_spatial_attention.ipynb) |
# | coordinate attention | from the means of rows and of columns | row, and column | the pool keeps rows and columns apart |
# | SimAM | $(x - \mu)^2 / (4 (v + \lambda)) + \tfrac12$ | element | from $x$ to $a$ in one, without weights |
#
# **Predict.** SimAM has no weights. Will it also do the fewest operations, on features of 128 channels?
#
# <details><summary>Answer</summary>
#
# No: on elements it does three times as many as ARM, six on each element of $x$. Only the whole CBAM does more. A gate for each channel costs little between pool and ×, but $x$ has to be read once for each pool and once for the gate, whatever the weights are.
#
# </details>

# %%
relatives = {
    "ARM (paper's)": hand.PaperAttentionRefinement(128, rng=0),
    "eSE": hand.EffectiveSE(128, rng=0),
    "SE": hand.SqueezeExcitation(128, rng=0),
    "ECA": hand.ECA(128, rng=0),
    "CBAM channel": hand.CBAMChannel(128, rng=0),
    "CBAM": hand.CBAM(128, rng=0),
    "coordinate": hand.CoordinateAttention(128, rng=0),
    "SimAM": hand.SimAM(),
}
costs = {name: ModuleCost(m.eval(), (1, 128, 30, 40)).total for name, m in relatives.items()}
print(f"{'128 channels, 30×40':20}{'parameters':>10}{'multiply-adds':>15}{'element-wise':>14}")
for name, cost in costs.items():
    print(f"{name:20}{cost.parameters:10,}{cost.multiply_adds:15,}{cost.elementwise:14,}")
once = 128 * 30 * 40  # elements of x
assert all(cost.elementwise >= 2 * once for cost in costs.values())
assert costs["SimAM"].elementwise == 6 * once < costs["CBAM"].elementwise

# %% [markdown]
# The weights go from 16,640 down to 5, and to none. The operations on elements do not: at 153,600 elements, a pool and a gate are 307,200. What stands between them is small change.
#
# The last two lines of (6.1), and the plus of their backward, are the same for all, so they stand in one function. It is given *how to make logits* as a function. Before it, a backward as it is at the bottom of all of them, the pool's: every pixel had the share $1/HW$. (`kernels` are faster ways to the same numbers.)

# %%
source(hand.global_avg_pool, self_gate)

# %% [markdown]
# The backward of `sigmoid_gate` returns $dx$ by the gate, and $da$. From here to the end of the lesson the question is one only: *what becomes of $da$ on its way to $z$?*
#
# ## 2 · eSE
#
# The nearest relative first, in `effective_se.py`:
#
# $$a = W\,\mathrm{GAP}(x) + b \tag{6.2}$$
#
# Lit is what replaces two arrows of ARM. Its backward is ARM's with the line of BN left out.

# %%
arm_graph({"linear"}, EVENING)

# %% [markdown]
# The features that mean something are those of the trained toy network of [lesson 9b](09b_training.ipynb), in front of its gate. It finds sevens on photographs and tells them apart by the colour of a band at the top; half of the scenes below have an orange band, half a blue one. In training, BN takes its mean and variance from the batch. Afterwards, in **evaluation mode**, it uses the ones that it has kept.
#
# **Predict.** Is there an eSE that has exactly the gates of this trained ARM, in every image?
#
# <details><summary>Answer</summary>
#
# Yes, in evaluation mode. With kept statistics BN is a scale and a shift that depend on no image, and a scale and a shift after $W$ are another $W$ and a $b$. With $\gamma, \beta$ for BN's weights and $r = 1/\sqrt{\mathrm{var} + \varepsilon}$:
#
# $$\mathrm{BN}(W z) = \gamma r\, (W z - \mathrm{mean}) + \beta = \underbrace{\gamma r\, W}_{W \text{ of eSE}}\; z + \underbrace{\beta - \gamma r\, \mathrm{mean}}_{b \text{ of eSE}} \tag{6.3}$$
#
# To write a BN into the layer before it is called **folding**.
#
# </details>

# %%
net, scenes = trained("arm"), Scenes("test")
images = np.concatenate([scenes.batch(range(8), state=band)[0] for band in (0, 1)])
f = features(net, images).astype(np.float64)  # (16, 32, 32, 32): orange, then blue
learned = hand.PaperAttentionRefinement(32, dtype="float64", rng=0)
state = net.refine.state_dict()
learned.load_state_dict({key: state[key] for key in learned.state_dict()}).eval()

bn = learned.bn_atten
scale = bn.weight / np.sqrt(bn.running_var + bn.eps)  # γ r of (6.3)
W = scale.reshape(-1, 1, 1, 1) * learned.conv_atten.weight
folded = hand.EffectiveSE(32, dtype="float64", rng=0)
folded.assign({"fc.weight": W, "fc.bias": bn.bias - scale * bn.running_mean})
compare("gates", folded.gate(f), learned.gate(f))

fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained")
for ax, (name, module) in zip(axes, {"ARM": learned, "eSE": folded}.items(), strict=True):
    drawn = gate_map(ax, module.gate(f)[:, :, 0, 0], f"gates of the {name}, 16 scenes")
    ax.set(aspect="auto", yticks=[3.5, 11.5], yticklabels=["orange", "blue"])
    ax.set(xticks=[0, 15, 31], xticklabels=[1, 16, 32], xlabel="channel")
    ax.axhline(7.5, color="white", linewidth=2)
fig.colorbar(drawn, ax=axes[1], ticks=[0, 0.5, 1])
plt.show()
apart = learned.gate(f)[:8].mean(axis=0) - learned.gate(f)[8:].mean(axis=0)
assert np.abs(apart).max() > 0.3  # the band is in the gates

# %% [markdown]
# A trained ARM *is* an eSE. Each row is an image, and the band is in the gates: in many channels the upper half and the lower differ. Within a half there are two kinds of rows; [lesson 6b](06b_relatives.ipynb) finds out of what.
#
# In training the two differ. ARM's logits depend on the company in the batch, eSE's do not, and eSE takes a batch of one. The backward of (6.2) is ARM's last step, with $da$ in the place of $du$:
#
# $$dW_{kc} = \sum_n da_{nk}\, z_{nc}, \qquad db_k = \sum_n da_{nk}, \qquad dz_{nc} = \sum_k da_{nk}\, W_{kc} \tag{d6.2}$$
#
# ## 3 · SE, through a bottleneck
#
# In `squeeze_excitation.py` two layers stand where ARM has one, with a ReLU between. $W_1$ is $C/r \times C$ and $W_2$ is $C \times C/r$; $r$ is the **reduction**, usually 16.
#
# $$z = \mathrm{GAP}(x) \tag{6.4}$$
# $$u = W_1 z + b_1 \tag{6.5}$$
# $$h = \mathrm{ReLU}(u) \tag{6.6}$$
# $$a = W_2 h + b_2 \tag{6.7}$$
# $$y = x\,\sigma(a) \tag{6.8}$$
#
# **Predict.** From which $r$ on has SE fewer weights than ARM's matrix? How many has it for $C = 128$ and $r = 16$?
#
# <details><summary>Answer</summary>
#
# Two matrices of $C^2/r$ weights: at $r = 2$ they have as many as ARM's $C^2$, and from $r = 3$ on fewer. At $r = 16$ it is an eighth, $16{,}384 / 8 = 2{,}048$, and $8 + 128$ biases: 2,184, as printed above.
#
# </details>
#
# The file counts its own: its (1) is (6.4), its (2) is (6.5) to (6.7), its (3) is (6.8). The two layers stand in a function of their own, as CBAM and BiSeNet's feature fusion use them as well.

# %%
source(hand.SqueezeExcitation._logits, bottleneck)

# %% [markdown]
# ### The backward of SE
#
# Upwards, one line after the other. The gate first, as ever:
#
# $$dx^{\text{gate}} = dy\, s, \qquad ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}, \qquad da = ds\; s\,(1 - s) \tag{d6.8}$$
#
# Each layer is a matrix on one pixel. A bias feeds every image, a weight serves every image, and an input feeds all outputs:
#
# $$db_2 = \sum_n da_n, \qquad dW_{2,ck} = \sum_n da_{nc}\, h_{nk}, \qquad dh_{nk} = \sum_c W_{2,ck}\, da_{nc} \tag{d6.7}$$
#
# ReLU hands on where it was open; the bracket is 1 where $u_{nk} > 0$, and 0 elsewhere.
#
# $$du_{nk} = dh_{nk}\,[u_{nk} > 0] \tag{d6.6}$$
#
# $$db_1 = \sum_n du_n, \qquad dW_{1,kc} = \sum_n du_{nk}\, z_{nc}, \qquad dz_{nc} = \sum_k W_{1,kc}\, du_{nk} \tag{d6.5}$$
#
# And the pool gives every pixel its share:
#
# $$dx = dx^{\text{gate}} + \frac{dz}{HW} \tag{d6.4}$$
#
# In code, with the same names, for a fresh SE on the features of eight scenes. PyTorch is asked for the gradient of every name.

# %%
se = hand.SqueezeExcitation(32, 4, dtype="float64", rng=1)
x = f[::2]  # eight scenes
W1, b1 = se.fc1.weight[:, :, 0, 0], rng.standard_normal(8) * 0.1
W2, b2 = se.fc2.weight[:, :, 0, 0], rng.standard_normal(32) * 0.1
se.assign({"fc1.bias": b1, "fc2.bias": b2})


def column(v):
    """(N, C) -> (N, C, 1, 1), to stand beside features."""
    return v[:, :, np.newaxis, np.newaxis]


z = x.mean(axis=(2, 3))  # (6.4)
u = z @ W1.T + b1  # (6.5)
h = np.maximum(u, 0)  # (6.6)
a = h @ W2.T + b2  # (6.7)
s = 1 / (1 + np.exp(-a))
y = x * column(s)  # (6.8)

dy = rng.standard_normal(y.shape)
dx_gate = dy * column(s)  # (d6.8)
ds = (dy * x).sum(axis=(2, 3))
da = ds * s * (1 - s)
db2, dW2, dh = da.sum(axis=0), da.T @ h, da @ W2  # (d6.7)
du = dh * (u > 0)  # (d6.6)
db1, dW1, dz = du.sum(axis=0), du.T @ z, du @ W1  # (d6.5)
dx = dx_gate + column(dz) / x[0, 0].size  # (d6.4)

given = {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
t = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
t["z"] = t["x"].mean((2, 3))
t["u"] = t["z"] @ t["W1"].T + t["b1"]
t["h"] = torch.relu(t["u"])
t["a"] = t["h"] @ t["W2"].T + t["b2"]
t["s"] = torch.sigmoid(t["a"])
y_torch = t["x"] * t["s"][:, :, None, None]
mine = {"s": ds, "a": da, "b2": db2, "W2": dW2, "h": dh, "u": du, "b1": db1, "W1": dW1}
mine |= {"z": dz, "x": dx}
grads = torch.autograd.grad(y_torch, [t[name] for name in mine], torch.tensor(dy))
for (name, gradient), theirs in zip(mine.items(), grads, strict=True):
    compare(f"d{name}", gradient, theirs)
dx_file, grads_file = se(x)[1](dy)
compare("file: dx", dx_file, dx)
compare("file: dW1", grads_file["fc1.weight"][:, :, 0, 0], dW1)

# %% [markdown]
# **Predict.** A hidden unit $k$ has $u_{nk} < 0$ in every image of the batch. Which of its weights get a gradient?
#
# <details><summary>Answer</summary>
#
# None. Its row of $W_1$ and its bias get nothing, since $du_{nk} = 0$ by (d6.6); its column of $W_2$ gets nothing, since $h_{nk} = 0$ in (d6.7). It stays as it is: the unit is **dead**.
#
# </details>

# %%
fig, axes = plt.subplots(1, 3, figsize=(10, 2.7), layout="constrained", width_ratios=[1, 2.6, 2.6])
shown = {"u, by image": u, "dW₁, by mean": dW1.T, "dW₂, by logit": dW2}
for ax, (name, values) in zip(axes, shown.items(), strict=True):
    limit = np.abs(values).max()
    ax.imshow(values.T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set(yticks=range(8), yticklabels=range(1, 9), xticks=[0, len(values) - 1])
    ax.set(xticklabels=[1, len(values)], title=name)
axes[0].set_ylabel("hidden unit")
plt.show()
dead = (u <= 0).all(axis=0)
print("dead units:", [int(k) + 1 for k in np.flatnonzero(dead)])
assert not dW1[dead].any()
assert not dW2[:, dead].any()

# %% [markdown]
# Red is above 0, blue below. A dead unit is a row without red on the left, and a row of zeros in the other two panels. In [lesson 6b](06b_relatives.ipynb) this decides how well an SE can imitate the ARM.
#
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
# ## 4 · ECA, neighbours among the channels
#
# `eca.py` replaces the matrix by a kernel of $R$ weights that slides along the channels. With $p = (R-1)/2$, and zeros beyond the first and the last (`channel_conv1d.py`, where this is equation (1)):
#
# $$a_{nc} = \sum_{r=0}^{R-1} w_r\; z_{n,\,c + r - p} \tag{6.9}$$
#
# How large $R$ is follows from the number of channels, and is asked in [lesson 6b](06b_relatives.ipynb).
#
# ### The backward of ECA
#
# (6.9) is a matrix as well, $a_n = M z_n$, with the kernel in every row, each time one place further. So $dz_n = M^{\top} da_n$.
#
# **Predict.** In which order do the weights of the kernel stand in a row of $M^{\top}$?
#
# <details><summary>Answer</summary>
#
# The other way around. $z_c$ fed the logit *before* it with the kernel's last weight, the one after it with the first: a column of $M$ read downwards is the kernel from its end.
#
# </details>

# %%
kernel = np.asarray([1.0, 2.0, 3.0])  # R = 3, eight channels
M = sum(w * np.eye(8, k=r - 1) for r, w in enumerate(kernel))
fig, axes = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
for ax, (title, matrix) in zip(
    axes, {"M: a from z": M, "Mᵀ: dz from da": M.T}.items(), strict=True
):
    feature_map(ax, matrix, title)
    numbers(ax, matrix, "{:.0f}", skip=0)
plt.show()
assert (M.T[3, 2:5] == kernel[::-1]).all()

# %% [markdown]
# Each weight met every channel of every image, and collects from all of them. Each $z_{nc}$ fed the $R$ logits around it: the one at $c - r + p$ through the weight $w_r$.
#
# $$dw_r = \sum_{n,c} da_{nc}\; z_{n,\,c+r-p}, \qquad dz_{nc} = \sum_r w_r\; da_{n,\,c - r + p} \tag{d6.9}$$
#
# The second is the same sliding sum with the kernel turned around: [lesson 1b](01b_convolution_backward.ipynb)'s convolution in one dimension.


# %%
def slide(v, w):
    """Σ_r w[r] v[:, c + r - p], with zeros beyond the ends."""
    padded = np.pad(v, ((0, 0), (len(w) // 2, len(w) // 2)))
    return sum(w_r * padded[:, r : r + v.shape[1]] for r, w_r in enumerate(w))


w = hand.ECA(32, 5, dtype="float64", rng=1).conv.weight[0, 0]
a = slide(z, w)  # (6.9)
da = rng.standard_normal(a.shape)
padded = np.pad(z, ((0, 0), (2, 2)))
dw = np.asarray([(da * padded[:, r : r + 32]).sum() for r in range(5)])  # (d6.9)
dz = slide(da, w[::-1])

w_torch, z_torch = (torch.tensor(v, requires_grad=True) for v in (w, z))
a_torch = torch.nn.functional.conv1d(z_torch[:, None], w_torch[None, None], padding=2)[:, 0]
grads = torch.autograd.grad(a_torch, (w_torch, z_torch), torch.tensor(da))
compare("a", a, a_torch)
compare("dw", dw, grads[0])
compare("dz", dz, grads[1])
dz_file, dw_file = hand.channel_conv1d(column(z), w[np.newaxis, np.newaxis])[1](column(da))
compare("file: dw", dw_file[0, 0], dw)
compare("file: dz", dz_file[:, :, 0, 0], dz)

# %% [markdown]
# ### Exercise 2 · `channel_conv1d_backward`
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
# With `w[0, 0, r]` in the last line but one the kernel is not turned. For a symmetric kernel nobody would notice.
#
# </details>

# %% tags=["check"]
check.exercise("channel_conv1d_backward", channel_conv1d_backward)

# %% [markdown]
# ## Four questions
#
# 1. Which two modules of this lesson are the same function in evaluation mode, if the weights are chosen well?
#
# <details><summary>Answer</summary>
#
# The paper's ARM and eSE. BN with kept statistics is a scale and a shift, and both fold into $W$ and $b$ by (6.3).
#
# </details>
#
# 2. SE with $r = 16$ on 32 channels: in how many dimensions can its logits move?
#
# <details><summary>Answer</summary>
#
# In two, as there are two hidden units: for all images together the logits lie in a plane through $b_2$, and because of the ReLU in a quarter of it.
#
# </details>
#
# 3. You sort the channels of a trained network anew and carry all weights along. Which of the three attentions cannot be carried along?
#
# <details><summary>Answer</summary>
#
# ECA: neighbours are no longer neighbours. For SE and eSE, as for ARM, rows and columns of the matrices are sorted as well.
#
# </details>
#
# 4. Why does SE take a batch of one in training, and ARM not?
#
# <details><summary>Answer</summary>
#
# ARM's BN would compute the variance of one value for each channel. SE has no BN: each image has its logits to itself.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | channel attention | 通道注意力 | one gate for each channel |
# | effective SE (eSE) | 高效 SE | one square layer with a bias |
# | folding | 折叠 | writing BN into the layer before it |
# | squeeze and excitation (SE) | 挤压与激励 | channel attention through a bottleneck |
# | bottleneck, reduction | 瓶颈, 缩减率 | $C \to C/r \to C$ |
# | dead unit | 死亡单元 | a ReLU that is shut for every image |
# | recalibration | 重校准 | scaling each channel by a gate |
# | efficient channel attention (ECA) | 高效通道注意力 | a kernel along the channels |
#
# ## What comes next
#
# [Lesson 6b](06b_relatives.ipynb) lets SE and ECA imitate the trained ARM, and shows what they cannot say. The [contents](index.ipynb) show the path.
#
# Photographs under the scenes: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

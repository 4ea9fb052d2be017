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
# # 6b · Relatives: what a small branch costs, CBAM, coordinate attention
#
# **Goal.** Let SE and ECA imitate a trained ARM and see what they cannot say, derive the backward of weights that are used twice, and see how much of a place two strips keep.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 6a](06a_channel_attention.ipynb): eSE, SE, ECA and their backwards · [Lesson 3b](03b_max_pooling.ipynb) on the maximum helps |
# | Afterwards you can | say how many numbers a gate has to say, and whether a branch has room for them · read off a matrix what a gate hears · derive CBAM's channel half · say where a product of two strips opens by mistake |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/squeeze_excitation.py](../armlab/hand/squeeze_excitation.py) · [hand/eca.py](../armlab/hand/eca.py) · [hand/cbam.py](../armlab/hand/cbam.py) · [hand/coordinate_attention.py](../armlab/hand/coordinate_attention.py) · [hand/strip_mean.py](../armlab/hand/strip_mean.py) |
#
# The second of three lessons on ARM's relatives. $z$ are the means of the channels, $a$ the logits, $s$ the gates. Equations go on from [lesson 6a](06a_channel_attention.ipynb), and (d6.12) is the gradient of (6.12).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

from armlab import check, hand
from armlab.data import Scenes
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.bottleneck import bottleneck
from armlab.training.optimisers import Adam
from tools import compare, feature_map, features, gate_map, photographs, picture, source, trained

rng = np.random.default_rng(0)


def column(v):
    """(N, C) -> (N, C, 1, 1), to stand beside features."""
    return v[:, :, np.newaxis, np.newaxis]


# %% [markdown]
# ## 1 · What the gates of a trained ARM say
#
# The toy network finds sevens on photographs, and calls them A where the band at the top is orange and B where it is blue. Here are 96 test scenes, each with either band; what its trained ARM pools, $z$; the logits and the gates that it makes of them. Two thirds are for fitting, and the rest for judging.

# %%
net, scenes = trained("arm"), Scenes("test")
images = np.concatenate([scenes.batch(range(96), state=band)[0] for band in (0, 1)])
f = features(net, images).astype(np.float64)
z, _ = hand.global_avg_pool(f)
learned = hand.PaperAttentionRefinement(32, dtype="float64", rng=0)
state = net.refine.state_dict()
learned.load_state_dict({key: state[key] for key in learned.state_dict()}).eval()
a, _ = attention_logits(f, learned.conv_atten, learned.bn_atten)
gates, _ = hand.sigmoid(a)
to_fit = np.arange(192) % 96 < 64
print("f", f.shape, " z", z.shape, " gates", gates.shape)

# %% [markdown]
# 32 logits move from image to image. Take their spread apart into directions, the strongest first (a singular value decomposition): along the first direction the 32 logits move most, along the second most of what is left, and so on.
#
# **Predict.** How many of the 32 directions are needed for nearly all of the spread? What might they say?
#
# <details><summary>Answer</summary>
#
# Two, 97.5 %. The first goes with the colour of the band, which decides between A and B. The second goes with the brightness of the scene, of which no label speaks. It is useful to know all the same: digits are drawn light on dark and dark on light.
#
# </details>

# %%
centred = a[:, :, 0, 0] - a[:, :, 0, 0].mean(axis=0)
_, sizes, directions = np.linalg.svd(centred, full_matrices=False)
held = np.cumsum(sizes**2) / np.sum(sizes**2)
for k in (1, 2, 4, 8):
    print(f"the first {k} of 32 directions hold {held[k - 1]:.1%}")
along = centred @ directions[:2].T  # two numbers for each image
brightness = images[:, :, 8:].mean(axis=(1, 2, 3))  # below the band
with_band = [abs(np.corrcoef(v, np.arange(192) < 96)[0, 1]) for v in along.T]
with_light = [abs(np.corrcoef(v, brightness)[0, 1]) for v in along.T]
for word, band, light in zip(("first", "second"), with_band, with_light, strict=True):
    print(f"{word:6}: correlation {band:.2f} with the band, {light:.2f} with brightness")
assert min(held[1], with_band[0], with_light[1]) > 0.9 > 3 * max(with_band[1], with_light[0])

fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained", width_ratios=[1, 1.6])
for part, colour, word in ((slice(96), "#E69F00", "orange"), (slice(96, None), "#56B4E9", "blue")):
    style = {"s": 12, "color": colour, "edgecolors": "0.3", "linewidths": 0.3, "label": word}
    axes[0].scatter(*along[part].T, **style)
axes[0].set(xlabel="along the first direction", ylabel="along the second")
axes[0].legend(title="the band", fontsize=8)
for k, (colour, word) in enumerate((("0.3", "first"), ("0.7", "second"))):
    places = np.arange(1, 33) + 0.4 * k - 0.2
    axes[1].bar(places, directions[k], width=0.4, color=colour, label=word)
axes[1].set(xlabel="channel", title="how far each direction moves the logit of each channel")
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# Each dot is an image. The two colours stand apart from left to right, and each colour has a bright and a dark end. Every channel has its own share of the two.
#
# ## 2 · What a bottleneck costs
#
# So two numbers have to be said to the features. Let SEs say them: from the same $z$, reach the logits of the ARM. It is a small training by hand: forward, $da$ of the squared error, backward, Adam. SE's first layer has $C/r$ hidden units. Three draws of the first weights for each $r$.
#
# **Predict.** Will two hidden units do, $r = 16$?
#
# <details><summary>Answer</summary>
#
# They would, if both lived. The means are nearly all positive, so a unit whose first weights are mostly negative has $u < 0$ on every image: it gets no gradient, and stays where it is ([lesson 6a](06a_channel_attention.ipynb), section 3). Of three draws at $r = 16$ none has both units alive.
#
# </details>


# %%
def imitate(module, steps=400, rate=0.02):
    """Fit a module's logits to those of the trained ARM. An image of one pixel is its own mean."""
    optimiser = Adam(rate)
    for step in range(steps):
        guess, back = module._logits(z[to_fit])
        _, grads = back((guess - a[to_fit]) / to_fit.sum())  # of half the mean squared error
        optimiser.step(module, grads, rate * (1 - step / steps))
    return module


def explained(guessed):
    """Share of the gates' variance, on the scenes kept back, that the guess explains."""
    off = (guessed - gates)[~to_fit]
    around = (gates - gates[to_fit].mean(axis=0))[~to_fit]
    return 1 - (off**2).sum() / (around**2).sum()


print(f"means above 0: {(z > 0).mean():.0%}")
fitted, found = {}, []
for reduction in (16, 8, 4):
    drawn = [hand.SqueezeExcitation(32, reduction, dtype="float64", rng=n) for n in (1, 2, 3)]
    shares = [explained(imitate(se).gate(z)) for se in drawn]
    alive = [int((se.fc1(z)[0] > 0).any(axis=0).sum()) for se in drawn]
    found += zip(alive, shares, strict=True)
    told = "".join(f"{round(s, 2) + 0.0:8.0%} ({n} alive)" for n, s in found[-3:])
    print(f"r = {reduction:2}, {32 // reduction} hidden units: {told}")
    fitted[reduction] = drawn[int(np.argmax(shares))]
assert all(share > 0.9 if living > 1 else share < 0.7 for living, share in found)
assert max(living for living, _ in found[:3]) < 2  # at r = 16

# %% [markdown]
# What counts is not how many hidden units there are, but how many are *alive*. With none, every image gets the same gates, and nothing is explained. One explains a part, and two nearly everything, just as the directions said. A bottleneck needs room for the units that die. In ARM and eSE there is no ReLU in the branch, and nothing that can die.
#
# ## 3 · What a gate hears of the other channels
#
# How does the logit of channel $c$ move with the mean of channel $c'$? The derivative $\partial a_c / \partial z_{c'}$ is a matrix: its rows are logits, its columns are means. For eSE it is $W$, for ECA a band. For SE it is
#
# $$\frac{\partial a}{\partial z} = W_2\; \mathrm{diag}[u > 0]\; W_1 \tag{6.10}$$
#
# ECA's weights are fitted to the same logits by least squares, as these are linear in $w$. ARM is there as the eSE that it folds into.
#
# **Predict.** The rank of a matrix says in how many independent directions it moves the logits. What rank has SE's with $r = 4$, eight hidden units? And ECA's with three weights?
#
# <details><summary>Answer</summary>
#
# SE's is the number of units that are on for this image, by (6.10): eight at most, six here. ECA's is full, 32, though it has three weights: each logit hears three means of its own. Rank says how many directions, and not which.
#
# </details>


# %%
def best_eca(size):
    """The ECA with so many weights whose logits come nearest to ARM's."""
    padded = np.pad(z[:, :, 0, 0], ((0, 0), (size // 2, size // 2)))
    met = np.stack([padded[:, r : r + 32] for r in range(size)], axis=-1)  # by each weight
    w, *_ = np.linalg.lstsq(met[to_fit].reshape(-1, size), a[to_fit].ravel(), rcond=None)
    module = hand.ECA(32, size, dtype="float64", rng=0)
    return module.assign({"conv.weight": w.reshape(1, 1, size)})


def heard(module):
    """∂a/∂z at the first scene, one backward for each logit."""
    _, back = module._logits(z[:1])
    rows = [back(column(row[np.newaxis]))[0][0, :, 0, 0] for row in np.eye(32)]
    return np.asarray(rows)


scale = learned.bn_atten.weight / np.sqrt(learned.bn_atten.running_var + learned.bn_atten.eps)
shift = learned.bn_atten.bias - scale * learned.bn_atten.running_mean
folded = hand.EffectiveSE(32, dtype="float64", rng=0)
folded.assign({"fc.weight": column(scale[:, np.newaxis]) * learned.conv_atten.weight})
folded.assign({"fc.bias": shift})
shown = {"eSE, the folded ARM": folded, "SE, r = 4": fitted[4], "SE, r = 16": fitted[16]}
shown["ECA, R = 3"] = best_eca(3)

fig, axes = plt.subplots(1, 4, figsize=(11, 3.3), layout="constrained")
for ax, (name, module) in zip(axes, shown.items(), strict=True):
    matrix = heard(module)
    rank = np.linalg.matrix_rank(matrix)
    drawn = ax.imshow(matrix, cmap="RdBu_r", vmin=-2, vmax=2, interpolation="nearest")
    ax.set(xticks=[], yticks=[], xlabel="mean of channel")
    ax.set_title(f"{name}\nrank {rank}", fontsize=10)
    assert "SE, r" not in name or rank == (module.fc1(z[:1])[0] > 0).sum()
axes[0].set_ylabel("logit of channel")
fig.colorbar(drawn, ax=axes[3], label="∂a / ∂z")
plt.show()

# %% [markdown]
# eSE hears everything. So do the SEs, but each row is a mixture of a few; at $r = 16$ of a single one, and all rows are alike up to a factor. ECA hears a channel and its two neighbours, with the same three weights everywhere. They came out small, as neighbours in this network are neighbours by accident.
#
# Now the gates, of 16 scenes that were kept back, eight with either band, as rows; the channels are sorted by what the band does to them.

# %%
order = np.argsort((gates[:96] - gates[96:]).mean(axis=0)[:, 0, 0])
rows = [*range(64, 72), *range(160, 168)]
everyone = {"ARM": gates, **{name: module.gate(z) for name, module in shown.items()}}
fig, axes = plt.subplots(1, 5, figsize=(12, 2.7), layout="constrained")
for ax, (name, values) in zip(axes, everyone.items(), strict=True):
    title = f"{name.removesuffix(', the folded ARM')}: {explained(values):.0%}"
    drawn = gate_map(ax, values[rows][:, order, 0, 0], title)
    ax.set(aspect="auto")
    ax.axhline(7.5, color="white", linewidth=1)
axes[0].set_yticks([3.5, 11.5], ["orange", "blue"], fontsize=8)
fig.colorbar(drawn, ax=axes[-1], ticks=[0, 0.5, 1])
plt.show()
hidden = np.maximum(fitted[16].fc1(z)[0], 0)[:, :, 0, 0].sum(axis=1)  # of the unit that lives
with_band = abs(np.corrcoef(hidden, np.arange(192) < 96)[0, 1])
assert with_band > 0.9 > 3 * abs(np.corrcoef(hidden, brightness)[0, 1])

# %% [markdown]
# The percentages say how much of the variance of ARM's gates is explained; one constant for each channel would reach 0 %. SE with $r = 4$ has units to spare, and draws ARM's picture. With $r = 16$ one is alive, and with it one pattern, stronger or weaker: the band, and hardly the brightness. ECA's three weights do not reach even the constants: it has no bias, and so no way to say one.
#
# ### ECA's kernel under your hand
#
# The size of the kernel follows from the number of channels: $t$, made odd by adding one where it is even, and at least 3.
#
# $$t = \mathrm{int}\big(|\log_2 C + 1| \,/\, 2\big) \tag{6.11}$$
#
# **Predict.** What is $R$ for 3, 64, 256 and 2,048 channels?
#
# <details><summary>Answer</summary>
#
# 3, 3, 5 and 7. $t$ is 1, 3, 4 and 6: the first is raised to 3, the last two are made odd.
#
# </details>
#
# ### Exercise 1 · `eca_kernel_size`
#
# ★☆☆ · 5 minutes
#
# Return $R$ for a number of channels.


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
# </details>

# %% tags=["check"]
check.exercise("eca_kernel_size", eca_kernel_size)

# %% [markdown]
# For the 32 channels here the rule gives 3. Would a wider kernel have done better?
#
# **Predict.** With 63 weights ECA's kernel reaches from every channel to every other. Will it reach ARM's gates?
#
# <details><summary>Answer</summary>
#
# No, a little over half of their variance. All pairs of channels at one distance share one weight, and ARM has a weight for each pair: 63 against 1,024.
#
# </details>


# %%
def show_kernels(sizes):
    size = max(2.4 * len(sizes), 3), 4.6
    _, axes = plt.subplots(2, len(sizes), figsize=size, layout="constrained", squeeze=False)
    for (top, bottom), R in zip(axes.T, sizes, strict=True):
        module = best_eca(R)
        guessed = module.gate(z)
        top.imshow(heard(module), cmap="RdBu_r", vmin=-2, vmax=2, interpolation="nearest")
        top.set(xticks=[], yticks=[])
        top.set_title(f"R = {R}", fontsize=10)
        dots = gates[~to_fit].ravel(), guessed[~to_fit].ravel()
        bottom.scatter(*dots, s=2, alpha=0.3, color="#0072B2")
        bottom.plot([0, 1], [0, 1], color="0.5", linewidth=0.8)
        bottom.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1], aspect="equal")
        bottom.set_title(f"{explained(guessed):.0%} explained", fontsize=10)
        bottom.set_xlabel("gate of ARM", fontsize=9)
    axes[1, 0].set_ylabel("gate of ECA", fontsize=9)
    plt.show()


show_kernels([1, 3, 9, 31, 63])
assert explained(best_eca(3).gate(z)) < 0 < 0.5 < explained(best_eca(63).gate(z)) < 0.6

# %% [markdown]
# Above, which means a logit hears. Below, each fitted gate against that of the ARM. In a running notebook, move the slider.

# %%
slider = ipywidgets.IntSlider(
    value=5, min=1, max=63, step=2, description="R", continuous_update=False
)
_ = ipywidgets.interact(lambda size: show_kernels([size]), size=slider)

# %% [markdown]
# This says little about a network that is *trained* with ECA. There the layer before can learn to put channels side by side that belong together. Here the channels were learned for a full matrix, and their order is an accident.
#
# ## 4 · CBAM's channel half, the same layers twice
#
# In `cbam.py` a second pool, the maximum (GMP), goes through *the same* two layers, and the logits add up. With $z'$ for the maxima:
#
# $$a = \mathrm{MLP}(z) + \mathrm{MLP}(z'), \qquad \mathrm{MLP}(z) = W_2\,\mathrm{ReLU}(W_1 z + b_1) + b_2 \tag{6.12}$$
#
# **Predict.** $da$ is given. What is $db_2$?
#
# <details><summary>Answer</summary>
#
# $2 \sum_n da_n$. The sum hands $da$ to both passes unchanged, $b_2$ was added in each, and a weight that is used twice collects both gradients.
#
# </details>
#
# Each pass is the backward of SE. With $u', h'$ for what becomes of $z'$, the two sums of each weight are
#
# $$dW_2 = \sum_n da_n h_n^{\top} + \sum_n da_n h_n'^{\top}, \qquad dW_1 = \sum_n du_n z_n^{\top} + \sum_n du'_n z_n'^{\top} \tag{d6.12}$$
#
# and so for the biases. $x$ is used three times: by the gate, by the mean, and by the maximum, which hears of one pixel alone.

# %%
cbam = hand.CBAMChannel(32, 4, dtype="float64", rng=1)
W1, b1 = cbam.fc1.weight[:, :, 0, 0], rng.standard_normal(8) * 0.1
W2, b2 = cbam.fc2.weight[:, :, 0, 0], rng.standard_normal(32) * 0.1
cbam.assign({"fc1.bias": b1, "fc2.bias": b2})
x = f[::24]  # eight scenes
dy = rng.standard_normal(x.shape)

seen = {"mean": x.mean(axis=(2, 3)), "max": x.max(axis=(2, 3))}
u = {name: v @ W1.T + b1 for name, v in seen.items()}
a_x = sum(np.maximum(u[name], 0) @ W2.T + b2 for name in seen)  # (6.12)
s = hand.sigmoid(a_x)[0]

dx_gate = dy * column(s)
da = (dy * x).sum(axis=(2, 3)) * s * (1 - s)
du = {name: da @ W2 * (u[name] > 0) for name in seen}
dW2 = sum(da.T @ np.maximum(u[name], 0) for name in seen)  # (d6.12): each pass adds its own
dW1 = sum(du[name].T @ seen[name] for name in seen)
db2, db1 = 2 * da.sum(axis=0), sum(du[name].sum(axis=0) for name in seen)
flat = x.reshape(*x.shape[:2], -1)
won = np.arange(flat.shape[2]) == flat.argmax(axis=2, keepdims=True)  # the first of equals
dx_max = ((du["max"] @ W1)[:, :, np.newaxis] * won).reshape(x.shape)
dx = dx_gate + column(du["mean"] @ W1) / x[0, 0].size + dx_max

given = {"x": x, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
t = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
pooled = [t["x"].mean((2, 3)), t["x"].flatten(2).max(2)[0]]
passes = [torch.relu(v @ t["W1"].T + t["b1"]) @ t["W2"].T + t["b2"] for v in pooled]
y_torch = t["x"] * torch.sigmoid(passes[0] + passes[1])[:, :, None, None]
grads = torch.autograd.grad(y_torch, list(t.values()), torch.tensor(dy))
for name, mine, theirs in zip(t, (dx, dW1, db1, dW2, db2), grads, strict=True):
    compare(f"d{name}", mine, theirs)
dx_file, grads_file = cbam(x)[1](dy)
compare("file: dx", dx_file, dx)
compare("file: dW1", grads_file["fc1.weight"][:, :, 0, 0], dW1)

# %% [markdown]
# In the file the two sums of each weight are one line, under the comment "used twice". `collect` is the plus. Its (1) is (6.12).

# %%
source(hand.CBAMChannel._logits)

# %% [markdown]
# ### Exercise 2 · Find the bug
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
# <details><summary>Answer</summary>
#
# The gradient of the second pass alone: the name `grads` was bound twice, and what the first pass returned is gone. The shared weights would learn from the maxima only. Nothing crashes, and the loss goes down. A check of `dx` does not find it either: check every parameter.
#
# </details>
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
# </details>

# %% tags=["check"]
check.exercise("cbam_channel_backward", cbam_channel_backward)

# %% [markdown]
# ### When there is no single maximum
#
# **Predict.** A channel behind a ReLU is 0 at all of its 1,024 positions. What is its maximum, and which pixel gets the gradient?
#
# <details><summary>Answer</summary>
#
# 0 for everyone, and then it depends. `max` over a flattened axis gives the gradient to the first pixel, and so does this project. `amax`, the shorter way to write a pool over two axes, spreads it over all 1,024.
#
# </details>

# %%
quiet = np.maximum(x - 2.5, 0)  # as behind a ReLU that is hard to reach
ties = (quiet == quiet.max(axis=(2, 3), keepdims=True)).sum(axis=(2, 3))
dmax = rng.standard_normal((*ties.shape, 1, 1))
quiet_torch = torch.tensor(quiet, requires_grad=True)
ways = {"max": quiet_torch.flatten(2).max(2)[0], "amax": quiet_torch.amax((2, 3))}
for name, value in ways.items():
    (theirs,) = torch.autograd.grad(value, quiet_torch, torch.tensor(dmax[:, :, 0, 0]))
    compare(name, hand.global_max_pool(quiet)[1](dmax), theirs)
print(f"channels with more than one maximum: {(ties > 1).mean():.0%}; most ties: {ties.max():,}")

# %% [markdown]
# Two right answers, and a reason why two implementations with the same weights can train differently ([lesson 3b](03b_max_pooling.ipynb)).
#
# The whole of CBAM then applies a gate for positions to what came out. That half is a subject of [lesson 7a](07a_spatial_attention.ipynb), with its own trap: which of the two statistics comes first.
#
# ## 5 · Coordinate attention, two strips
#
# `coordinate_attention.py` and `strip_mean.py`. Instead of one mean of the image, it takes the mean of each row and of each column. Both strips go, end to end, through one shared layer with BN, and then apart, into a logit $a^h$ for each row and a logit $a^w$ for each column:
#
# $$y_{ncij} = x_{ncij}\; \sigma(a^h_{nci})\; \sigma(a^w_{ncj}) \tag{6.13}$$
#
# The file counts its own: its (5) is (6.13).

# %%
source(hand.CoordinateAttention._strips)

# %% [markdown]
# So it keeps the place. How much of it? The gate of a channel is a product of a column and a row, that is, a matrix of rank 1.
#
# **Predict.** Two digits stand on the diagonal of an image. The gate is to open at the two digits, and nowhere else. What will it do?
#
# <details><summary>Answer</summary>
#
# It opens at four places: at the two digits, and where the rows of one cross the columns of the other. Two strips cannot say that *this* row belongs to *that* column.
#
# </details>

# %%
digit = np.kron(load_digits().images[13] / 16, np.ones((3, 3)))  # (24, 24)
diagonal = np.full((1, 1, 64, 64), 0.4)  # on a grey ground
for corner in (slice(5, 29), slice(35, 59)):
    diagonal[0, 0, corner, corner] += 0.6 * digit
strips = [hand.strip_mean(diagonal, axis=axis)[0] for axis in (3, 2)]
a_h, a_w = (12 * (v - v.min()) / np.ptp(v) - 5 for v in strips)  # high where a strip is light
by_hand = hand.sigmoid(a_h)[0] * hand.sigmoid(a_w)[0]

photos = photographs()
coordinate = hand.CoordinateAttention(3, dtype="float64", rng=4)
coordinate.assign({"bn1.weight": np.full(8, 3.0)})
at_random = coordinate.gate(photos)

fig, axes = plt.subplots(2, 5, figsize=(11, 4.2), layout="constrained")
both = ((diagonal[0], by_hand[0], feature_map), (photos[5], at_random[5], picture))
for row, (image, gate, draw) in zip(axes, both, strict=True):
    whole = image.shape if draw is picture else image.shape[1:]
    draw(row[0], image.reshape(whole), "x")
    for ax, axis, name in ((row[1], 2, "the rows' means"), (row[2], 1, "the columns' means")):
        feature_map(ax, np.broadcast_to(image.mean(axis=axis, keepdims=True), image.shape)[0], name)
    drawn = gate_map(row[3], gate[0], "gate of the first channel")
    draw(row[4], (image * gate).reshape(whole), "x s")
for ax in (axes[0, 0], axes[0, 4]):
    ax.images[0].set_clim(0, 1)
fig.colorbar(drawn, ax=axes[:, 4], ticks=[0, 0.5, 1], shrink=0.7)
plt.show()
ranks = np.linalg.matrix_rank(at_random.reshape(-1, 64, 96), tol=1e-8)
print("ranks of all the gates of the six photographs:", {int(rank) for rank in ranks})
assert (ranks == 1).all()
assert by_hand[0, 0, :32, 32:].max() == by_hand[0, 0, :32, :32].max() > 0.9  # as open where none is

# %% [markdown]
# In the first row the logits are set by hand, high where a strip is light. In the second row the weights are drawn at random, so the gate means nothing; its plaid does: so looks every gate of coordinate attention. (In `_strips` rows and columns share a BN, and in training its statistics are the one way by which a strip hears of the other.)
#
# ## Four questions
#
# 1. SE with $r = 8$ on 32 channels imitates the ARM well in one draw and not at all in another. What differs?
#
# <details><summary>Answer</summary>
#
# How many of its four units are alive. The two directions of the logits need two.
#
# </details>
#
# 2. A module is used twice in one forward. Your backward returns a dictionary of gradients for each use. What do you do with the two?
#
# <details><summary>Answer</summary>
#
# Add them, key by key. Assigning the second over the first loses a part of the gradient, and the gradient of $x$ does not show it.
#
# </details>
#
# 3. Which modules with a gate for each channel hear of a single bright pixel as loudly in a large image as in a small one?
#
# <details><summary>Answer</summary>
#
# CBAM's channel half, through the maximum. In a mean a pixel has the share $1/HW$.
#
# </details>
#
# 4. Three objects stand in three rows and three columns, no two in one of either. At how many places does coordinate attention open, if it opens at the three?
#
# <details><summary>Answer</summary>
#
# At nine: a row gate is open for three rows, a column gate for three columns, and each crossing is open.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | singular value decomposition | 奇异值分解 | the directions of a spread, the strongest first |
# | rank | 秩 | in how many independent directions a matrix moves |
# | convolutional block attention (CBAM) | 卷积块注意力 | a gate for channels, then one for positions |
# | global max pooling | 全局最大池化 | the largest value of each channel |
# | shared weights | 共享权重 | used more than once; their gradients add up |
# | coordinate attention | 坐标注意力 | a gate for each row times a gate for each column |
#
# ## What comes next
#
# [Lesson 6c](06c_what_a_gate_cannot_see.ipynb) has the relative without weights, and asks of all of them what they are blind to. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

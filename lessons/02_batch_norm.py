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
# # 2 · Batch normalisation
#
# **Goal.** Derive the backward of batch normalisation, and say what it takes away from a gradient, and why a test with a gradient of ones cannot see it.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb): backwards, sums over what was repeated, random upstream gradients |
# | Afterwards you can | say what normalising does to a channel · keep running statistics as PyTorch keeps them · compute a variance that does not cancel · derive the backward along its three ways and collapse it · explain what happens at batch sizes 1 and 2 |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/batch_norm.py](../armlab/hand/batch_norm.py) · [hand/channels.py](../armlab/hand/channels.py) |
#
# Equation numbers are those of `batch_norm.py`. The gradient of an equation has its number behind a d: (d3) belongs to (3).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from armlab.check import Example
from armlab.data import Scenes, to_rgb
from armlab.hand.channels import channel_dot, channel_sum
from tools import compare, photographs, source, trained
from tools import COLOURS, gradient_map, picture

rng = np.random.default_rng(0)


def per_channel(v):
    """One number per channel, lined up with features.  (C,) -> (1, C, 1, 1)"""
    return v.reshape(1, -1, 1, 1)


# %% [markdown]
# ## 1 · What it does to a channel
#
# A convolution makes channels of all sizes. One may lie around −2, another around 2; one may vary three times as much as another. What stands behind it, a ReLU or a sigmoid, cares a great deal where 0 is and what counts as large.
#
# **Batch normalisation** looks at all values of one channel: all images of the batch, all positions, $m = NHW$ of them. It subtracts their mean and divides by their standard deviation. Then it multiplies by a learned scale $w$ and adds a learned shift $b$.
#
# $$\mathrm{mean} = \frac1m \sum x \tag{1}$$
# $$\mathrm{var} = \frac1m \sum (x - \mathrm{mean})^2 \tag{2}$$
# $$r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{3}$$
# $$y = w\,(x - \mathrm{mean})\,r + b \tag{4}$$
#
# Each line is meant for one channel. We write $\hat x = (x - \mathrm{mean})\, r$ for what is normalised and not yet scaled.
#
# **Predict.** What are the mean and the variance of $\hat x$? And of $y$?
#
# A trained toy network, on eight of its scenes. `u` is what its second convolution hands to batch normalisation.

# %%
net = trained("none")
scenes, _ = Scenes("test").batch(range(8))
u = net.conv2.conv(net.conv1(scenes)[0])[0].astype("float64")
w, b = (a.astype("float64") for a in (net.conv2.bn.weight, net.conv2.bn.bias))

mean = u.mean(axis=(0, 2, 3))  # (1)
var = ((u - per_channel(mean)) ** 2).mean(axis=(0, 2, 3))  # (2)
r = 1 / np.sqrt(var + 1e-5)  # (3)
x_hat = (u - per_channel(mean)) * per_channel(r)
y = per_channel(w) * x_hat + per_channel(b)  # (4)

(y_file, mean_file, var_file), _ = hand.batch_norm(u, w, b)
compare("mean", mean, mean_file)
compare("var", var, var_file)
compare("y", y, y_file)
print("shape", u.shape, "  m =", u.size // u.shape[1])
for name, values in {"u": u, "x̂": x_hat, "y": y}.items():
    centres, spreads = values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))
    print(f"{name:2} means {centres.min():+.2f} to {centres.max():+.2f}", end="")
    print(f"   standard deviations {spreads.min():.2f} to {spreads.max():.2f}")

# %%
shown = np.argsort(mean)[[0, 8, 16, 24, 31]]  # from the lowest to the highest
colours = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00")
stages = {"u: convolved": u, "x̂: normalised": x_hat, "y: with w and b": y}

fig, axes = plt.subplots(1, 3, figsize=(12, 2.6), layout="constrained")
for ax, (title, values) in zip(axes, stages.items(), strict=True):
    low, high = np.quantile(values[:, shown], [0.003, 0.997])
    for channel, colour in zip(shown, colours, strict=True):
        ax.hist(
            values[:, channel].ravel(), np.linspace(low, high, 60), histtype="step", color=colour,
            density=True, lw=1.6, label=f"channel {channel}",
        )  # fmt: skip
    ax.set(yticks=[], title=title)
    ax.spines[["top", "left", "right"]].set_visible(False)
axes[0].legend(fontsize=8, frameon=False)
plt.show()

# %% [markdown]
# On the left, five channels in five places. In the middle, one place and one width for all; their shapes stay, skewed as they were. On the right, the places and widths that training has chosen. They are close to the middle ones: $w$ starts at 1 and $b$ at 0.
#
# The same as maps, for one scene. Each row has one scale of grey for all five channels, and middle grey is 0. The title says how many values of the whole batch are positive.

# %%
image = 1
fig, axes = plt.subplots(2, 6, figsize=(12, 4.4), layout="constrained")
picture(axes[0, 0], to_rgb(scenes[image]).transpose(2, 0, 1), "a scene")
axes[1, 0].axis("off")
for row, (name, values, limit) in enumerate([("u", u, 4), ("x̂", x_hat, 3)]):
    for ax, channel, colour in zip(axes[row, 1:], shown, colours, strict=True):
        ax.imshow(values[image, channel], cmap="gray", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        share = (values[:, channel] > 0).mean()
        ax.set_title(f"{name}, channel {channel}\n{share:.0%} positive", fontsize=10, color=colour)
fig.text(0.02, 0.2, "grey: −4 … 4 above,\n−3 … 3 below", fontsize=9)
plt.show()

# %% [markdown]
# A ReLU lets the positive values pass. Above, it would leave little of the first channel and cut little from the last. Below, it divides each of them. Normalising changes no pattern, since (4) is one factor and one shift for the whole channel. It changes where a common threshold cuts.
#
# ### Exercise 1 · `batch_norm_forward`
#
# ★☆☆ · 10 minutes
#
# Write (1) to (4). `x` is `(N, C, H, W)`, `w` and `b` are `(C,)`. Return `y`, and `mean` and `var` of shape `(C,)`.
#
# **Predict** first: a channel has the same value everywhere. What is its $y$ by (4), and what for is $\varepsilon$?


# %% tags=["exercise"]
def batch_norm_forward(x, w, b, eps):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def batch_norm_forward(x, w, b, eps):
#     mean = x.mean(axis=(0, 2, 3), keepdims=True)
#     var = ((x - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True)
#     r = 1 / np.sqrt(var + eps)
#     y = w.reshape(1, -1, 1, 1) * (x - mean) * r + b.reshape(1, -1, 1, 1)
#     return y, mean.ravel(), var.ravel()
# ```
#
# Where $x$ is constant, $x - \mathrm{mean}$ is 0, and $y = b$. Without $\varepsilon$ it would be 0 times infinity. It stands inside the root: outside, `1 / (sqrt(var) + eps)`, the same $\varepsilon = 10^{-5}$ would allow factors of up to 100,000 instead of 316. Where the variance is of order 1, nobody would notice.
#
# </details>

# %% tags=["check"]
check.exercise("batch_norm_forward", batch_norm_forward)

# %% [markdown]
# ## 2 · A variance that does not cancel
#
# Equation (2) needs the mean first, so it goes through the data twice. A well-known identity needs one pass:
#
# $$\mathrm{var} = \frac1m \sum x^2 - \mathrm{mean}^2$$
#
# On paper both are equal. The source file says *never* to the second.
#
# **Predict.** A photograph has values of 0 to 1 and a variance of about 0.01. Add 10,000 to every pixel. How large are the two terms of the identity now? A float32 has 24 binary digits, about seven decimal ones. How many are left for the difference?

# %%
photo = photographs()[3:4].astype("float32")  # (1, 3, 64, 96)


def one_pass(x):
    m = x.size // x.shape[1]
    mean = channel_sum(x) / m  # the sums of the file, so that only the formula differs
    return channel_dot(x, x) / m - mean * mean


def two_pass(x):
    ones = np.ones(x.shape[1], x.dtype)
    (_, _, var), _ = hand.batch_norm(x, ones, 0 * ones)
    return var


print("variance of red, by        E[x²] - mean²   E[(x - mean)²]   float64")
for offset in (0, 10, 100, 1000, 10_000):
    x = photo + np.float32(offset)
    exact = two_pass(x.astype("float64"))[0]
    print(f"offset {offset:6}  {one_pass(x)[0]:22.5f}  {two_pass(x)[0]:15.5f}  {exact:9.5f}")

# %% [markdown]
# At 10,000 both terms are 100,000,000, and neighbouring float32 numbers of that size lie 8 apart. Each of the two was rounded many times on its way. What should be left is 0.01, and what is left is the difference of their roundings, of either sign. This is **cancellation**. Nothing goes wrong in the subtraction itself; the digits were lost before it.
#
# The two-pass form subtracts first, while the numbers still have their digits, and squares what is small.


# %%
def show_offsets(offsets):
    _, axes = plt.subplots(
        2, len(offsets), figsize=(2.7 * len(offsets), 4.2), layout="constrained", squeeze=False
    )
    for column, offset in enumerate(offsets):
        x = photo + np.float32(offset)
        for row, (name, variance) in enumerate([("two passes", two_pass), ("one pass", one_pass)]):
            var = variance(x)
            r = 1 / np.sqrt(np.maximum(var, 0) + np.float32(1e-5))
            x_hat = (x - per_channel(channel_sum(x) / (64 * 96))) * per_channel(r)
            ax = axes[row, column]
            title = f"offset {offset:,}, {name}\nvar {var[0]:.3g}, x̂ up to {np.abs(x_hat[0, 0]).max():.3g}"
            ax.imshow(x_hat[0, 0], cmap="gray", vmin=-3, vmax=3)
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, fontsize=9)
    plt.show()


show_offsets([0, 1000, 3000, 10_000])

# %% [markdown]
# The red channel of the flower, normalised, with one scale of grey for all: −3 is black and 3 is white. With two passes it stays the same flower, until it pales at 10,000; why, is said below. With one pass the factor $r$ is a matter of luck: where the variance comes out too large the picture goes flat, where it comes out as 0 or less, $r$ is $1/\sqrt\varepsilon \approx 316$ and every pixel is thrown to black or white.
#
# A channel has such a mean whenever a large constant is added to it, by a bias for instance.
#
# In a running notebook, find the offset from which the one-pass form can be seen to fail.

# %%
slider = ipywidgets.SelectionSlider(
    options=[0, 10, 100, 300, 1000, 2000, 3000, 5000, 10_000, 20_000],
    value=300,
    description="offset",
    continuous_update=False,
)
_ = ipywidgets.interact(lambda offset: show_offsets([offset]), offset=slider)

# %% [markdown]
# ### How far off may it be?
#
# Two passes are not free of rounding. A sum of $m$ numbers in float32 may be off by about $m\,u$ times the sum of their sizes, where $u = 2^{-24}$. So the mean may be off by $m\,u$ times the mean of $|x|$, and this error does not shrink when the mean is subtracted: it moves every $\hat x$ by the same step, times $r$. A large offset costs digits here too, but in proportion to the offset; in the one-pass form, in proportion to its square.
#
# The project's tests know such a bound for every operation, computed beforehand from the values, and hold each side to it. Here is the error of `y` on both sides, beside that bound.

# %%
for offset in (0, 100, 10_000):
    x = (photo + np.float32(offset)).astype("float64")
    inputs = {"x": x, "w": np.ones(3), "b": np.zeros(3)}
    e = Example(inputs, {"eps": 1e-5}, rng.standard_normal(x.shape))
    for verdict in check.judge("batch_norm", e, "float32"):
        if verdict.result == "y":
            print(f"offset {offset:6}  {verdict.side:5}  error of y {verdict.error:.1e}", end="")
            print(f"   {verdict.ratio:.1e} times its bound")

# %% [markdown]
# At 10,000 nothing is lost to the formula, and $\hat x$ is still off by a good part of a standard deviation: the mean itself, a sum of 6,144 large numbers, has run out of digits. PyTorch adds in another order and is off by more. The bound covers both. It assumes that all roundings point the same way, which they rarely do, so it is loose. But right code never exceeds it, and whoever does has a bug.

# %% [markdown]
# ## 3 · Training and evaluation
#
# In training, the statistics are those of the batch. So the $y$ of one image depends on the images beside it. When the network is used there may be only one image, and its answer should not depend on its neighbours. So training keeps **running statistics**, and evaluation mode uses those:
#
# $$\mathrm{running} \leftarrow (1 - \mu)\,\mathrm{running} + \mu \cdot \mathrm{new}$$
#
# $\mu$ is called the momentum, 0.1 by default. It is the share of the *new* batch. (In an optimiser, "momentum 0.9" is the share of the *old*. The word has two meanings.)
#
# **Predict.** The first photograph below is normalised twice, beside dark leaves and beside pale buildings. In training mode, in which company does it come out brighter? And in evaluation mode?

# %%
photos = photographs()
norm = hand.BatchNorm2d(3, dtype="float64")
for _ in range(60):
    norm(photos)  # 60 batches of the same six: the running statistics settle

companies = {"beside leaves": photos[[3, 4, 4]], "beside buildings": photos[[3, 0, 0]]}
fig, axes = plt.subplots(2, 4, figsize=(11, 3.7), layout="constrained")
for row, (name, batch) in enumerate(companies.items()):
    picture(axes[row, 0], batch[0], "x[3]")
    picture(axes[row, 1], batch[1], name)
    for column, mode in enumerate(("training", "evaluation"), start=2):
        module = norm.copy().train() if mode == "training" else norm.copy().eval()
        y, _ = module(batch)
        picture(axes[row, column], 0.5 + y[0] / 5, f"y[0], {mode}")
        print(f"{name:17} {mode:11} mean of y[0]: {y[0].mean():+.3f}")
plt.show()

# %% [markdown]
# In training mode the flower is bright among the leaves and less so among the buildings. In evaluation mode it is the same to the last digit. This is the only module of these networks in which images meet. It is also the reason why a network can be right in training and wrong in use: the two modes compute different functions.
#
# ### Exercise 2 · Find the bug
#
# ★★☆ · 10 minutes
#
# A course in which readers build their own batch normalisation has an issue about what is kept (callummcdougall/ARENA_3.0, issue 415). This is code of that kind. On large maps its numbers look right.


# %%
def buggy_statistics(running_mean, running_var, mean, var, m, momentum):
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    return running_mean, running_var


for size in (32, 2):
    x = photos[:, :, :size, :1]
    norm_torch = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    norm_torch(torch.tensor(x))
    (_, mean, var), _ = hand.batch_norm(x, np.ones(3), np.zeros(3))
    m = x.size // 3
    kept = buggy_statistics(np.zeros(3), np.ones(3), mean, var, m, 0.1)
    print("m =", m)
    compare("  mean", kept[0], norm_torch.running_mean)
    compare("  var", kept[1], norm_torch.running_var)

# %% [markdown]
# **Predict.** Which of the two is off, and how does the difference depend on $m$?
#
# `mean` and `var` are (1) and (2). They were measured with the same batch: the mean lies in the middle of *these* values, closer to them than the true mean does. So (2) is too small on average, by exactly $(m-1)/m$. Photographs of which the truth is known show it: all pixels of the six crops are the population, and batches of $m$ pixels are drawn from it.

# %%
population = photos[:, 0].ravel()
print(f"true variance {population.var():.5f}")
for m in (2, 4, 16, 64):
    draws = rng.choice(population, size=(100_000, m))
    biased = draws.var(axis=1).mean()
    print(
        f"m = {m:2}   mean of (2): {biased:.5f}   (m - 1) / m of the truth: "
        f"{(m - 1) / m * population.var():.5f}   times m / (m - 1): {biased * m / (m - 1):.5f}"
    )

# %% [markdown]
# So what is *kept*, as an estimate for images to come, is the **unbiased** variance, $\mathrm{var} \cdot m/(m-1)$. What is *divided by*, here and now, is (2) as it stands: with it $\hat x$ has the variance 1. PyTorch does both, and so does this project.
#
# `m` is the number of values per channel. Return what is kept after this batch.


# %% tags=["exercise"]
def running_statistics(running_mean, running_var, mean, var, m, momentum):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def running_statistics(running_mean, running_var, mean, var, m, momentum):
#     unbiased = var * m / (m - 1)
#     running_mean = (1 - momentum) * running_mean + momentum * mean
#     running_var = (1 - momentum) * running_var + momentum * unbiased
#     return running_mean, running_var
# ```
#
# At $m = 8192$ the factor is 1.0001, and the bug goes unseen. Behind ARM's global pooling, $m$ is the batch size: at a batch of 2 it is a factor of two.
#
# </details>

# %% tags=["check"]
check.exercise("running_statistics", running_statistics)

# %% [markdown]
# What the shares do, on the first layer of the toy network and 120 batches of two scenes:

# %%
first = net.conv1.conv
batches = [first(Scenes("train").batch([2 * i, 2 * i + 1])[0])[0][:, :3] for i in range(120)]
means = np.stack([batch.mean(axis=(0, 2, 3)) for batch in batches])

fig, axes = plt.subplots(1, 2, figsize=(11, 2.6), layout="constrained", sharey=True)
for ax, momentum in zip(axes, (0.1, 0.9), strict=True):
    kept = np.zeros(3)
    curve = []
    for new in means:
        kept = (1 - momentum) * kept + momentum * new
        curve.append(kept)
    for c in range(3):
        ax.plot(means[:, c], ".", color=COLOURS[c], alpha=0.3, ms=4)
        ax.plot(np.asarray(curve)[:, c], color=COLOURS[c], label=f"channel {c}")
    ax.set(title=f"share of the new batch {momentum}", xlabel="batch")
axes[0].set_ylabel("running mean")
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# With 0.1 the kept means wander little. With the shares swapped it chases the last batch, and evaluation depends on which batch happened to come last.
#
# The file. `keep` is the exercise.

# %%
source(hand.BatchNorm2d.forward, hand.BatchNorm2d.keep)

# %% [markdown]
# ## 4 · Backward, at length
#
# **Predict.** In how many ways does one $x$ reach the values $y$ of its channel?
#
# Directly, in its own $\hat x$. Through the mean (1), which is subtracted from every value. And through $r$, by way of the variance (2), by which every value is multiplied. Three ways, so $dx$ is a sum of three parts.
#
# Everything is for one channel, and sums go over its $m$ values. With $dy$ given, upwards:
#
# **(4).** $w$ and $b$ feed all $m$ values, so they collect sums.
#
# $$db = \sum dy, \qquad dw = \sum dy\,\hat x, \qquad d\hat x = w\,dy \tag{d4}$$
#
# $\hat x = (x - \mathrm{mean})\,r$ has three factors to tell apart. The direct way:
#
# $$dx^{\text{direct}} = r\,d\hat x$$
#
# **(3).** One $r$ multiplied all values: a sum. The slope of $(\mathrm{var} + \varepsilon)^{-1/2}$ is $-\tfrac12 (\mathrm{var} + \varepsilon)^{-3/2} = -\tfrac12 r^3$.
#
# $$dr = \sum d\hat x\,(x - \mathrm{mean}), \qquad d\mathrm{var} = -\tfrac12\,r^3\,dr \tag{d3}$$
#
# **(2).** The variance is a mean of squares. Each $x$ has a share of $1/m$ in it, and the slope of the square is $2(x - \mathrm{mean})$.
#
# $$dx^{\text{var}} = \tfrac2m\,(x - \mathrm{mean})\,d\mathrm{var} \tag{d2}$$
#
# **(1).** The mean was subtracted in two places, in $\hat x$ and inside the variance. Both send something back, with a minus. Each $x$ then receives its share, $1/m$.
#
# $$d\mathrm{mean} = -r \sum d\hat x \;-\; \tfrac2m\,d\mathrm{var} \sum (x - \mathrm{mean}), \qquad dx^{\text{mean}} = \tfrac1m\,d\mathrm{mean} \tag{d1}$$
#
# The second term looks frightening and is 0: deviations from the mean add up to nothing. A step of the mean does not move the variance, because the variance is smallest there.

# %%
x, w, b, eps = photos, np.asarray([1.5, 0.8, 1.2]), np.asarray([0.5, 0.0, -0.5]), 1e-5
m = x.size // 3
axes_of_sum = {"axis": (0, 2, 3), "keepdims": True}
w_, b_ = per_channel(w), per_channel(b)

mean = x.mean(**axes_of_sum)  # (1)
var = ((x - mean) ** 2).mean(**axes_of_sum)  # (2)
r = 1 / np.sqrt(var + eps)  # (3)
x_hat = (x - mean) * r
y = w_ * x_hat + b_  # (4)

dy = rng.standard_normal(y.shape)
db = dy.sum(**axes_of_sum)  # (d4)
dw = (dy * x_hat).sum(**axes_of_sum)
dx_hat = w_ * dy
dx_direct = r * dx_hat
dr = (dx_hat * (x - mean)).sum(**axes_of_sum)  # (d3)
dvar = -0.5 * r**3 * dr
dx_var = 2 / m * (x - mean) * dvar  # (d2)
by_x_hat = -r * dx_hat.sum(**axes_of_sum)  # (d1)
by_var = -2 / m * dvar * (x - mean).sum(**axes_of_sum)
dmean = by_x_hat + by_var
dx_mean = np.broadcast_to(dmean / m, x.shape)
dx = dx_direct + dx_var + dx_mean

print("dmean by way of x̂  ", by_x_hat.ravel())
print("dmean by way of var", by_var.ravel())

# %% [markdown]
# PyTorch is asked for every name. For the three parts of $dx$ it is told to hold the other ways fixed: `detach` makes a constant of a value.

# %%
t = {name: torch.tensor(a, requires_grad=True) for name, a in {"x": x, "w": w_, "b": b_}.items()}
t["mean"] = t["x"].mean((0, 2, 3), keepdim=True)
t["var"] = ((t["x"] - t["mean"]) ** 2).mean((0, 2, 3), keepdim=True)
t["r"] = 1 / torch.sqrt(t["var"] + eps)
t["x_hat"] = (t["x"] - t["mean"]) * t["r"]
y_torch = t["w"] * t["x_hat"] + t["b"]


def along(mean, r):
    """The gradient of x alone, with these two as they are given."""
    y = t["w"] * (t["x"] - mean) * r + t["b"]
    return torch.autograd.grad(y, t["x"], torch.tensor(dy), retain_graph=True)[0]


direct = along(t["mean"].detach(), t["r"].detach())
var_of_x = ((t["x"] - t["mean"].detach()) ** 2).mean((0, 2, 3), keepdim=True)

compare("y", y, y_torch)
names = ["b", "w", "x_hat", "r", "var", "mean", "x"]
grads = torch.autograd.grad(
    y_torch, [t[name] for name in names], torch.tensor(dy), retain_graph=True
)
by_hand = [db, dw, dx_hat, dr, dvar, dmean, dx]
for name, mine, theirs in zip(names, by_hand, grads, strict=True):
    compare(f"d{name}", mine, theirs)
compare("dx direct", dx_direct, direct)
with_var = along(t["mean"].detach(), 1 / torch.sqrt(var_of_x + eps))
compare("dx var", dx_direct + dx_var, with_var)
compare("dx mean", dx_direct + dx_mean, along(t["mean"], t["r"].detach()))

# %% [markdown]
# The last two lines add the direct way to the one that is tested.
#
# ### Collapsed
#
# Put the parts together. In (d2), $dr = \tfrac{w}{r} \sum dy\,\hat x = \tfrac{w}{r}\,dw$, so
#
# $$dx^{\text{var}} = \tfrac2m (x - \mathrm{mean}) \cdot \big(-\tfrac12 r^3\big) \cdot \tfrac{w}{r}\,dw = -\,w\,r\;\hat x\;\frac{dw}{m}$$
#
# and in (d1), $\sum d\hat x = w\,db$, so $dx^{\text{mean}} = -\,w\,r\,\tfrac{db}{m}$. All three have the factor $w\,r$:
#
# $$dx = w\,r\,\Big( dy - \frac{db}{m} - \hat x\,\frac{dw}{m} \Big) \tag{5}$$
#
# Since $db/m$ is the mean of $dy$ and $dw/m$ the mean of $dy\,\hat x$, this reads
#
# $$dx = w\,r\,\big( dy - \mathrm{mean}(dy) - \hat x\,\mathrm{mean}(dy\,\hat x) \big)$$
#
# Two things are taken away from $dy$: its mean, and the part of it that looks like $\hat x$.

# %%
collapsed = w_ * r * (dy - db / m - x_hat * dw / m)  # (5)
compare("(5)", collapsed, dx)

_, backward = hand.batch_norm(x, w, b)
dx_file, dw_file, db_file = backward(dy)
compare("dx", dx_file, dx)
compare("dw", per_channel(dw_file), dw)
compare("db", per_channel(db_file), db)


def value_and_backward(x, w, b):
    (y, _, _), backward = hand.batch_norm(x, w, b)
    return y, backward


print(check.adjoint(value_and_backward, x, w, b))

# %%
source(hand.batch_norm)

# %% [markdown]
# The file has (5) as one line. On NumPy it is not what runs: [batch_norm_in_place.py](../armlab/hand/kernels/batch_norm_in_place.py) takes the same line from its last term to its first, in one array, so that nothing large is made twice. It is several times as fast, and harder to read.
#
# ### Exercise 3 · `batch_norm_backward`
#
# ★★★ · 15 minutes
#
# You are given `dy` and `x_hat` of shape `(N, C, H, W)`, and `w` and `r` of shape `(C,)`. Return `dx`, `dw`, `db`. Before the check, write down which of the three would be wrong if you forgot that the mean moves.


# %% tags=["exercise"]
def batch_norm_backward(dy, x_hat, w, r):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def batch_norm_backward(dy, x_hat, w, r):
#     m = dy.size // dy.shape[1]
#     db = dy.sum(axis=(0, 2, 3))
#     dw = (dy * x_hat).sum(axis=(0, 2, 3))
#     left = dy - (db / m).reshape(1, -1, 1, 1) - x_hat * (dw / m).reshape(1, -1, 1, 1)
#     return (w * r).reshape(1, -1, 1, 1) * left, dw, db
# ```
#
# Only `dx`. The parameters do not feel the statistics. And `dx` would be wrong by a constant per channel.
#
# </details>

# %% tags=["check"]
check.exercise("batch_norm_backward", batch_norm_backward)

# %% [markdown]
# ## 5 · What a loss cannot ask for
#
# Why these two? The forward makes every channel have mean 0 and variance 1. No loss behind it can see whether the channel was brighter, or had more contrast, so it cannot ask for either.
#
# **Predict.** Three losses ask something of the red channel of a photograph. Be brighter: $dy$ is the same everywhere. Have more contrast: $dy = \hat x$. Be sharper: $dy$ is the Laplace of $x$, large at edges. What is left of each in $dx$? And if all three are asked at once?

# %%
x = photos[3:4]
(x_hat, _, _), backward = hand.batch_norm(x, np.ones(3), np.zeros(3))
laplace = np.asarray([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
sharper, _ = hand.conv2d(framed, laplace * np.ones((3, 1, 1, 1)), groups=3)
asked = {
    "brighter": np.ones_like(x),  # ones on purpose: the question is what is left of them
    "more contrast": x_hat,
    "sharper": sharper / sharper.std(),
}
asked["all three"] = sum(asked.values())

fig, axes = plt.subplots(4, 4, figsize=(11, 7.4), layout="constrained")
for row, (name, dy) in enumerate(asked.items()):
    common = np.broadcast_to(dy.mean(axis=(0, 2, 3), keepdims=True), dy.shape)
    along_x = x_hat * (dy * x_hat).mean(axis=(0, 2, 3), keepdims=True)
    parts = {
        f"dy: {name}": dy,
        "its mean": common,
        "its part along x̂": along_x,
        "what is left": dy - common - along_x,
    }
    for ax, (title, g) in zip(axes[row], parts.items(), strict=True):
        size = np.sqrt((g[0, 0] ** 2).mean())
        gradient_map(ax, g[0, 0], f"{title}  ({size:.2f})", limit=3)
plt.show()

r = 1 / np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + 1e-5)
left = dy - common - along_x
compare("dx", backward(dy)[0], r * left)

# %% [markdown]
# In brackets is the size, the root of the mean square. Of *brighter* nothing is left, of *more contrast* nothing. *Sharper* passes for the most part. It loses the part of the edges that a mere increase in contrast would bring too. And of all three at once the same is left as of *sharper* alone.
#
# $dx$ is what is left times $w\,r$. In the language of geometry: $dy$ is projected onto everything that is at right angles to the constant $1$ and to $\hat x$.
#
# ## 6 · Why a gradient of ones teaches nothing
#
# Many tests of a backward take a loss of $L = \sum y$, which means $dy = 1$ everywhere. It is convenient: `y.sum().backward()` in PyTorch.
#
# **Predict.** Put $dy = 1$ into (5) and into $dw = \sum dy\,\hat x$. What are `dx` and `dw`, exactly?
#
# $$dw = \sum \hat x = 0, \qquad \frac{db}{m} = 1, \qquad dx = w\,r\,(1 - 1 - \hat x \cdot 0) = 0$$
#
# So this backward passes:


# %%
def backward_of_nothing(dy):
    """As wrong as can be: no gradient for x and w at all."""
    return np.zeros(dy.shape), np.zeros(dy.shape[1]), dy.sum(axis=(0, 2, 3))


x = rng.standard_normal((4, 3, 5, 6))
for name, dy in [("ones", np.ones(x.shape)), ("random", rng.standard_normal(x.shape))]:
    t = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    y_torch = torch.nn.functional.batch_norm(t[0], None, None, t[1], t[2], training=True)
    grads = torch.autograd.grad(y_torch, t, torch.tensor(dy))
    print(f"dy {name}:")
    for which, mine, theirs in zip("xwb", backward_of_nothing(dy), grads, strict=True):
        passes = np.allclose(mine, theirs.numpy(), atol=1e-8)
        print(f"   d{which}: allclose {passes!s:5}   largest of torch {theirs.abs().max():.1e}")

# %% [markdown]
# With ones, PyTorch's own `dx` and `dw` are rounding errors around 0, and zeros agree with them to every digit that a test would ask for. Nothing of (5) was tested: not the $r$, not the $1/m$, not the sign.
#
# The same blindness hits a loss that is symmetric in a channel, or a $dy$ that was drawn with the seed of $x$ and so equals it: then $dy$ lies along $\hat x$ and the constant, and (5) removes all of it. In this project $dy$ is random, and drawn *after* $x$ from the same generator.

# %%
same = np.random.default_rng(1).standard_normal(x.shape)  # x and dy from the same seed
after = np.random.default_rng(1)
other = [after.standard_normal(x.shape) for _ in range(2)]  # one after the other
for name, (x_drawn, dy) in {"the same seed": (same, same), "one after the other": other}.items():
    _, backward = hand.batch_norm(x_drawn, np.ones(3), np.zeros(3))
    print(f"{name:20} largest |dx| {np.abs(backward(dy)[0]).max():.1e}")

# %% [markdown]
# ## 7 · Batch sizes 1 and 2
#
# Behind a global pooling, as in ARM, a channel has one value per image: $m = N$.
#
# **Predict.** What are the $\hat x$ of one image? Of two?

# %%
pooled, _ = hand.global_avg_pool(photos)  # (6, 3, 1, 1)
try:
    hand.batch_norm(pooled[:1], np.ones(3), np.zeros(3))
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# One value minus the mean of itself is 0, and $y = b$ whatever the image. That is refused, with PyTorch's own sentence first.
#
# For two values, $d$ above and $d$ below their mean, the variance is $d^2$, and
#
# $$\hat x = \pm \frac{d}{\sqrt{d^2 + \varepsilon}} \tag{6}$$
#
# which is $\pm 1$, unless $d$ is as small as $\sqrt\varepsilon \approx 0.003$. Here are the pooled reds of the six photographs, normalised in batches of two, three and six.

# %%
fig, axes = plt.subplots(1, 4, figsize=(12, 2.7), layout="constrained")
red = pooled[:, :1]
axes[0].bar(range(6), red.ravel(), color=COLOURS[0], width=0.6)
axes[0].set(title="pooled red", ylim=(0, 1.05), xlabel="image")
for ax, size in zip(axes[1:], (2, 3, 6), strict=True):
    for start in range(0, 6, size):
        part = slice(start, start + size)
        (x_hat, _, _), _ = hand.batch_norm(red[part], np.ones(1), np.zeros(1))
        ax.bar(range(start, start + size), x_hat.ravel(), color=COLOURS[0], width=0.6)
        ax.axvline(start - 0.5, color="0.7", lw=1)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(title=f"x̂ in batches of {size}", ylim=(-2.1, 2.1), xlabel="image")
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# In batches of two all that is left of a picture is a sign: brighter than its neighbour, or darker. In batches of six the brightest and the darkest stand out, and the others lie between them.
#
# The backward is worse. By (5) the constant and the part along $\hat x$ are taken away from $dy$, and these are all that two numbers can have. Work it out: with $m = 2$ and $\hat x = (+h, -h)$, $h$ as in (6),
#
# $$dx_1 = -dx_2 = w\,r\;\frac{dy_1 - dy_2}{2}\,(1 - h^2), \qquad 1 - h^2 = \frac{\varepsilon}{d^2 + \varepsilon} \tag{7}$$

# %%
d = np.logspace(-5, 0, 200)
pairs = np.stack([d, -d])[:, :, np.newaxis, np.newaxis]  # (2, 200, 1, 1): a channel for each d
(x_hat, _, _), backward = hand.batch_norm(pairs, np.ones(200), np.zeros(200))
dy = rng.standard_normal(pairs.shape)
h = d / np.sqrt(d**2 + eps)  # (6)
by_7 = (dy[0] - dy[1]).ravel() / 2 * eps / (d**2 + eps) / np.sqrt(d**2 + eps)  # (7)
compare("(6)", x_hat[0].ravel(), h)
off = np.abs(backward(dy)[0][0].ravel() - by_7).max() / np.abs(by_7).max()
print(f"(7) relative to the largest: {off:.1e}")

fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained")
axes[0].semilogx(d, h, color="black", label="x̂")
axes[0].set(xlabel="half the difference d", title="two values: x̂ of the larger", ylim=(0, 1.05))
axes[1].loglog(d, eps / (d**2 + eps), color="#CC79A7")
axes[1].set(xlabel="half the difference d", title="what is left of dy₁ − dy₂")
for ax in axes:
    ax.axvline(np.sqrt(eps), color="0.7", lw=1)
    for value in np.abs(pooled[::2, 0] - pooled[1::2, 0]).ravel() / 2:
        ax.axvline(value, color=COLOURS[0], lw=1, ls=":")
plt.show()

# %% [markdown]
# Grey is $\sqrt\varepsilon$. Dotted are the three pairs of photographs: their $d$ lie far to the right, where $\hat x$ is 1 and where a thousandth of the gradient or less is left. Behind a batch normalisation of two values, next to nothing is learned. [Lesson 4](04_sigmoid_gate.ipynb) shows what becomes of ARM's gates.

# %% [markdown]
# ## Five questions
#
# 1. A convolution stands before batch normalisation. Why has it no bias in these networks?
#
# <details><summary>Answer</summary>
#
# A bias adds the same to every value of a channel, and the mean takes it away again. Its gradient would be 0: it is the sum of $dx$ over the channel, and (5) leaves no mean. The shift $b$ does its work.
#
# </details>
#
# 2. All weights of that convolution are doubled. What happens to $y$, and to the gradient of these weights?
#
# <details><summary>Answer</summary>
#
# $y$ stays, up to $\varepsilon$: the standard deviation doubles too. The gradient is halved, since $r$ is half as large.
#
# </details>
#
# 3. In evaluation mode, what is `dx`?
#
# <details><summary>Answer</summary>
#
# $w\,r\,dy$. The statistics are constants there, so two of the three ways do not exist.
#
# </details>
#
# 4. A colleague's test of batch normalisation uses `loss = (y ** 2).sum()`. Is that better than `y.sum()`?
#
# <details><summary>Answer</summary>
#
# Hardly. $dy = 2y = 2w\hat x + 2b$ is a constant plus a part along $\hat x$, and (5) takes away both. `dx` is 0 again, up to $\varepsilon$; only `dw` and `db` are tested.
#
# </details>
#
# 5. Why is the variance not computed as $E[x^2] - E[x]^2$, though it needs one pass less?
#
# <details><summary>Answer</summary>
#
# When the mean is large compared with the spread, both terms are large and nearly equal, and their difference consists of rounding. With a mean of $10^4$ and float32 no digit is left.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | batch normalisation (BN) | 批归一化 | (1) to (4) |
# | mean, variance | 均值, 方差 | (1), (2) |
# | scale and shift, γ and β | 缩放与平移 | the learned $w$ and $b$ |
# | running statistics | 滑动统计量 | what evaluation mode uses |
# | momentum | 动量 | here: the share of the new batch |
# | biased, unbiased variance | 有偏方差, 无偏方差 | divided by $m$, by $m - 1$ |
# | cancellation | 相消误差 | a difference of nearly equal numbers keeps their rounding only |
# | training mode, evaluation mode | 训练模式, 推理模式 | statistics of the batch, or kept ones |
# | projection | 投影 | what (5) does to $dy$ |
# | backward | 反向传播 | the function $dy \mapsto dx, dw, db$ |
#
# ## What comes next
#
# [Lesson 3: pooling](03_pooling.ipynb) puts a channel into one number. [Lesson 4: the sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) puts a batch normalisation behind that number, with everything that section 7 says about it. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0.

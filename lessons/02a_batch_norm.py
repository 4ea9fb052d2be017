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
# # 2a · Batch normalisation
#
# **Goal.** Say what batch normalisation does to a channel, choose between two formulas for its variance, and keep running statistics as PyTorch keeps them.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): shapes, sums over axes |
# | Afterwards you can | write the forward pass · say which of two formulas to trust, and how far · tell training mode from evaluation mode · say what is kept of a batch, and what it is divided by |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/batch_norm.py](../armlab/hand/batch_norm.py), forward |
#
# Chapter 2 has two lessons: this one goes forward, [lesson 2b](02b_batch_norm_backward.ipynb) goes back. The equations are numbered through both; (2.1) to (2.4) are (1) to (4) of the file.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from armlab.check import Example
from armlab.data import Scenes, to_rgb
from armlab.hand.channels import channel_dot, channel_sum
from tools import COLOURS, compare, photographs, picture, source, trained

rng = np.random.default_rng(0)


def per_channel(v):
    """One number per channel, lined up with features.  (C,) -> (1, C, 1, 1)"""
    return v.reshape(1, -1, 1, 1)


# %% [markdown]
# ## 1 · What it does to a channel
#
# A convolution ([lesson 1a](01a_convolution.ipynb)) makes **channels**: maps, each of which answers to some pattern around each place. They come in all sizes. One may lie around −2, another around 2; one may vary nearly three times as much as another. What stands behind it, a ReLU (which puts 0 in the place of negative numbers) or a sigmoid (which squeezes all numbers between 0 and 1), cares a great deal where 0 is and what counts as large.
#
# **Batch normalisation** looks at all values of one channel: all images of the batch, all positions, $m = NHW$ of them. It subtracts their mean and divides by their standard deviation. Then it multiplies by a learned scale $w$ and adds a learned shift $b$.
#
# $$\mathrm{mean} = \frac1m \sum x \tag{2.1}$$
# $$\mathrm{var} = \frac1m \sum (x - \mathrm{mean})^2 \tag{2.2}$$
# $$r = \frac{1}{\sqrt{\mathrm{var} + \varepsilon}} \tag{2.3}$$
# $$y = w\,(x - \mathrm{mean})\,r + b \tag{2.4}$$
#
# Each line is meant for one channel. We write $\hat x = (x - \mathrm{mean})\, r$ for what is normalised and not yet scaled. $\varepsilon$ is a small number, here $10^{-5}$; exercise 1 asks what for.
#
# **Predict.** What are the mean and the variance of $\hat x$? And of $y$?
#
# <details><summary>Answer</summary>
#
# Of $\hat x$: 0, since the mean was taken away, and $\mathrm{var} / (\mathrm{var} + \varepsilon)$, which is 1 but for $\varepsilon$. Of $y$: $b$, and $w^2$ times that. A scale multiplies a variance by its square, and a shift does not move it.
#
# </details>
#
# Here is a toy network that has been trained to find digits on photographs, with eight of its scenes. `u` is what its second convolution hands to batch normalisation.

# %%
net = trained("none")
scenes, _ = Scenes("test").batch(range(8))
u = net.conv2.conv(net.conv1(scenes)[0])[0].astype("float64")
w, b = (a.astype("float64") for a in (net.conv2.bn.weight, net.conv2.bn.bias))

mean = u.mean(axis=(0, 2, 3))  # (2.1)
var = ((u - per_channel(mean)) ** 2).mean(axis=(0, 2, 3))  # (2.2)
r = 1 / np.sqrt(var + 1e-5)  # (2.3)
x_hat = (u - per_channel(mean)) * per_channel(r)
y = per_channel(w) * x_hat + per_channel(b)  # (2.4)

(y_file, mean_file, var_file), _ = hand.batch_norm(u, w, b)
compare("mean", mean, mean_file)
compare("var", var, var_file)
compare("y", y, y_file)
print("shape", u.shape, "  m =", u.size // u.shape[1])
for name, values in {"u": u, "x̂": x_hat, "y": y}.items():
    centres, spreads = values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))
    print(f"{name:2} means {centres.min():+.2f} to {centres.max():+.2f}", end="")
    print(f"   standard deviations {spreads.min():.2f} to {spreads.max():.2f}")
assert np.allclose(y.mean(axis=(0, 2, 3)), b)
assert np.allclose(y.var(axis=(0, 2, 3)), w**2 * var / (var + 1e-5))

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
            density=True, lw=1.6, label=f"channel {channel + 1}",
        )  # fmt: skip
    ax.set(yticks=[], title=title)
    ax.spines[["top", "left", "right"]].set_visible(False)
axes[0].legend(fontsize=8, frameon=False)
plt.show()

# %% [markdown]
# On the left, five channels in five places. In the middle, one place and one width for all; their shapes stay as they were, skewed or with two peaks. On the right, the places and widths that training has chosen. They are close to the middle ones: training began with $w = 1$ and $b = 0$.
#
# **Predict.** A ReLU stands behind the channel that lies lowest on the left, and one behind the channel that lies highest. What is left of each? And what if they are normalised first?
#
# <details><summary>Answer</summary>
#
# Of the lowest next to nothing is left, and of the highest next to nothing is cut. Normalised, each of the five has its mean at 0, and about half of its values are positive: the ReLU divides each of them.
#
# </details>
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
        title = f"{name}, channel {channel + 1}\n{share:.0%} positive"
        ax.set_title(title, fontsize=10, color=colour)
fig.text(0.02, 0.2, "grey: −4 … 4 above,\n−3 … 3 below", fontsize=9)
plt.show()

of_u, of_x_hat = ((values[:, shown] > 0).mean(axis=(0, 2, 3)) for values in (u, x_hat))
assert of_u.min() < 0.01 < 0.98 < of_u.max()
assert np.abs(of_x_hat - 0.5).max() < 0.1

# %% [markdown]
# Normalising changes no pattern, since (2.4) is one factor and one shift for the whole channel. It changes where a common threshold cuts.
#
# ### Exercise 1 · `batch_norm_forward`
#
# ★☆☆ · 10 minutes
#
# Write (2.1) to (2.4). `x` is `(N, C, H, W)`, `w` and `b` are `(C,)`. Return `y`, and `mean` and `var` of shape `(C,)`.
#
# **Predict.** A channel has the same value everywhere. What is its $y$ by (2.4), and what for is $\varepsilon$?
#
# <details><summary>Answer</summary>
#
# $x - \mathrm{mean}$ is 0, and $y = b$. The variance is 0 too, so without $\varepsilon$ it would be 0 times infinity, which is no number.
#
# </details>


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
# $\varepsilon$ stands inside the root. Outside, `1 / (sqrt(var) + eps)`, the same $\varepsilon = 10^{-5}$ would allow factors of up to 100,000 instead of 316. Where the variance is of order 1, nobody would notice.
#
# </details>

# %% tags=["check"]
check.exercise("batch_norm_forward", batch_norm_forward)

# %% [markdown]
# ## 2 · Two formulas for one variance
#
# Equation (2.2) needs the mean first, so it goes through the data twice. A well-known identity needs one pass:
#
# $$\mathrm{var} = \frac1m \sum x^2 - \mathrm{mean}^2$$
#
# On paper both are equal.
#
# **Predict.** A photograph has values of 0 to 1 and a variance of about 0.01. Add 10,000 to every pixel. How large are the two terms of the identity now? A float32 has 24 binary digits, about seven decimal ones. How many are left for the difference?
#
# <details><summary>Answer</summary>
#
# None. Both terms are about 100,000,000, and neighbouring float32 numbers of that size lie 8 apart. So the difference is a multiple of 8, where it should be 0.01.
#
# </details>

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


print("variance of red, by      mean of x², less mean²   mean of (x - mean)²   float64")
for offset in (0, 10, 100, 1000, 10_000):
    x = photo + np.float32(offset)
    exact = two_pass(x.astype("float64"))[0]
    print(f"offset {offset:6}  {one_pass(x)[0]:31.5f}  {two_pass(x)[0]:20.5f}  {exact:8.5f}")
assert np.all(one_pass(photo + np.float32(10_000)) % 8 == 0)

# %% [markdown]
# Each of the two terms was rounded many times on its way. What should be left is 0.01, and what is left is the difference of their roundings, of either sign. This is **cancellation**. Nothing goes wrong in the subtraction itself; the digits were lost before it.
#
# The two-pass form subtracts first, while the numbers still have their digits, and squares what is small. The source file says *never* to the other.
#
# **Predict.** The red channel of the flower is normalised after adding 0, 1,000, 3,000 and 10,000 to it. The right $\hat x$ is the same picture each time. What comes out where the one-pass variance is far too large? And where it is negative, and taken as 0?
#
# <details><summary>Answer</summary>
#
# Too large a variance makes $r$ too small, and the picture goes flat: all of it grey. A variance of 0 makes $r = 1/\sqrt\varepsilon \approx 316$, and most pixels are thrown to black or white. Which of the two happens is a matter of luck.
#
# </details>


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
# One scale of grey for all: −3 is black and 3 is white. With two passes it stays the same flower, until it pales at 10,000; why, is said below.
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
# Two passes are not free of rounding. A sum of $m$ numbers in float32 may be off by about $m\,u$ times the sum of their sizes, where $u = 2^{-24}$. So the mean may be off by $m\,u$ times the mean of $|x|$, and this error does not shrink when the mean is subtracted: it moves every $\hat x$ by the same step, times $r$. Where the mean is off by $\delta$, the variance around it comes out larger by $\delta^2$, and the flower pales. A large offset costs digits here too, but in proportion to the offset; in the one-pass form, in proportion to its square.
#
# The project's tests know such a bound for every operation, computed beforehand from the values, and hold each side to it, the hand-written one and PyTorch. Here is the error of `y` on both sides, beside that bound.

# %%
for offset in (0, 100, 10_000):
    x = (photo + np.float32(offset)).astype("float64")
    inputs = {"x": x, "w": np.ones(3), "b": np.zeros(3)}
    e = Example(inputs, {"eps": 1e-5}, rng.standard_normal(x.shape))
    for verdict in check.judge("batch_norm", e, "float32"):
        if verdict.result == "y":
            print(f"offset {offset:6}  {verdict.side:5}  error of y {verdict.error:.1e}", end="")
            print(f"   {verdict.ratio:.1e} times its bound")
        assert verdict.ratio < 1

# %% [markdown]
# At 10,000 nothing is lost to the formula, and $\hat x$ is still off by half a standard deviation or by several: the mean itself, a sum of 6,144 large numbers, has run out of digits. How far it is off depends on the order in which a library adds. The bound covers every order. It assumes that all roundings point the same way, which they rarely do, so it is loose. But right code never exceeds it, and whoever does has a bug.

# %% [markdown]
# ## 3 · Training and evaluation
#
# In training, the statistics are those of the batch. So the $y$ of one image depends on the images beside it. When the network is used there may be only one image, and its answer should not depend on its neighbours. So training keeps **running statistics**, and **evaluation mode** puts those into (2.3) and (2.4):
#
# $$\mathrm{running} \leftarrow (1 - \mu)\,\mathrm{running} + \mu \cdot \mathrm{new}$$
#
# $\mu$ is called the momentum, 0.1 by default. It is the share of the *new* batch. (In an optimiser, "momentum 0.9" is the share of the *old*. The word has two meanings.)
#
# **Predict.** The flower is normalised twice, beside two pictures of dark leaves and beside two of a pale building. In training mode, in which company does it come out brighter? And in evaluation mode?
#
# <details><summary>Answer</summary>
#
# Beside the leaves: they pull the mean of the batch down, and the flower lies above it. Among the buildings it is one bright picture of three. In evaluation mode it is the same in both companies, to the last digit, since nothing is computed from the neighbours.
#
# </details>

# %%
photos = photographs()
norm = hand.BatchNorm2d(3, dtype="float64")
for _ in range(60):
    norm(photos)  # 60 batches of the same six: the running statistics settle

companies = {"beside leaves": photos[[3, 4, 4]], "beside buildings": photos[[3, 0, 0]]}
flowers = {}
fig, axes = plt.subplots(2, 4, figsize=(11, 3.7), layout="constrained")
for row, (name, batch) in enumerate(companies.items()):
    picture(axes[row, 0], batch[0], "x, the flower")
    picture(axes[row, 1], batch[1], name)
    for column, mode in enumerate(("training", "evaluation"), start=2):
        module = norm.copy().train() if mode == "training" else norm.copy().eval()
        y, _ = module(batch)
        flowers[name, mode] = y[0]
        picture(axes[row, column], 0.5 + y[0] / 5, f"y of the flower, {mode}")
        print(f"{name:17} {mode:11} mean of y of the flower: {y[0].mean():+.3f}")
plt.show()
assert np.array_equal(*(flowers[name, "evaluation"] for name in companies))

# %% [markdown]
# Batch normalisation is the only module of these networks in which images meet. It is also the reason why a network can be right in training and wrong in use: the two modes compute different functions.
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


# %% [markdown]
# `mean` and `var` are (2.1) and (2.2), and `m` is the number of values per channel.
#
# **Predict.** PyTorch keeps something else. Which of the two is off here, and how does the difference depend on $m$?
#
# <details><summary>Answer</summary>
#
# The variance. (2.2) was measured around a mean of the same batch, which lies in the middle of *these* values, closer to them than the true mean does. So on average (2.2) is $(m-1)/m$ of the truth, exactly: the smaller the batch, the more it is off.
#
# </details>

# %%
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
# Photographs of which the truth is known show it: all pixels of the six crops are the population, and batches of $m$ pixels are drawn from it.

# %%
population = photos[:, 0].ravel()
print(f"true variance {population.var():.5f}")
for m in (2, 4, 16, 64):
    draws = rng.choice(population, size=(100_000, m))
    biased = draws.var(axis=1).mean()
    print(
        f"m = {m:2}   mean of (2.2): {biased:.5f}   (m - 1) / m of the truth: "
        f"{(m - 1) / m * population.var():.5f}   times m / (m - 1): {biased * m / (m - 1):.5f}"
    )

# %% [markdown]
# So what is *kept*, as an estimate for images to come, is the **unbiased** variance, $\mathrm{var} \cdot m/(m-1)$. What is *divided by*, here and now, is (2.2) as it stands: with it $\hat x$ has the variance 1. PyTorch does both, and so does this project.
#
# Return what is kept after this batch.


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
# At $m = 8192$, as in section 1, the factor is 1.0001, and the bug goes unseen. Behind ARM's global pooling, $m$ is the batch size: at a batch of 2 it is a factor of two.
#
# </details>

# %% tags=["check"]
check.exercise("running_statistics", running_statistics)

# %% [markdown]
# What the shares do, on the first layer of the toy network and 120 batches of two scenes. Dots are the means of the batches, lines are what is kept:

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
        ax.plot(np.asarray(curve)[:, c], color=COLOURS[c], label=f"channel {c + 1}")
    ax.set(title=f"share of the new batch {momentum}", xlabel="batch")
axes[0].set_ylabel("running mean")
axes[1].legend(fontsize=8)
plt.show()

# %% [markdown]
# With 0.1 the kept means wander little. With the shares swapped they chase the last batch, and evaluation depends on which batch happened to come last.
#
# Here is what the file does after each batch. It is the exercise, and it counts the batches. A batch with a single value for a channel moves nothing: its variance says nothing.

# %%
source(hand.BatchNorm2d.keep)

# %% [markdown]
# ## Five questions
#
# 1. A convolution stands before batch normalisation. Why has it no bias in these networks?
#
# <details><summary>Answer</summary>
#
# A bias adds the same to every value of a channel, and the mean takes it away again. The shift $b$ does its work.
#
# </details>
#
# 2. All weights of that convolution are doubled. What happens to $y$?
#
# <details><summary>Answer</summary>
#
# It stays, up to $\varepsilon$: the mean doubles, and the standard deviation too.
#
# </details>
#
# 3. Why is the variance not computed as the mean of $x^2$ less the square of the mean, though that needs one pass less?
#
# <details><summary>Answer</summary>
#
# When the mean is large compared with the spread, both terms are large and nearly equal, and their difference consists of rounding. For a photograph with a mean of $10^4$ in float32, no digit is left.
#
# </details>
#
# 4. A network was trained on batches of eight scenes. In use, one image at a time, it is worse than the training said. Its author calls it in training mode. What happens?
#
# <details><summary>Answer</summary>
#
# Each image is normalised by its own mean and variance, and not by those that the layers behind have learned with. `eval()` puts the kept ones in their place.
#
# </details>
#
# 5. Which variance does PyTorch divide by, and which does it keep?
#
# <details><summary>Answer</summary>
#
# It divides by that of (2.2), so that $\hat x$ has the variance 1. It keeps $m/(m-1)$ times that, which is right on average for images to come.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | batch normalisation (BN) | 批归一化 | (2.1) to (2.4) |
# | mean, variance | 均值, 方差 | (2.1), (2.2) |
# | standard deviation | 标准差 | the root of the variance |
# | scale and shift, γ and β | 缩放与平移 | the learned $w$ and $b$ |
# | cancellation | 相消误差 | a difference of nearly equal numbers keeps their rounding only |
# | running statistics | 滑动统计量 | what evaluation mode uses |
# | momentum | 动量 | here: the share of the new batch |
# | biased, unbiased variance | 有偏方差, 无偏方差 | divided by $m$, by $m - 1$ |
# | training mode, evaluation mode | 训练模式, 推理模式 | statistics of the batch, or kept ones |
#
# ## What comes next
#
# [Lesson 2b](02b_batch_norm_backward.ipynb) derives the backward, and shows what batch normalisation takes away from a gradient. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

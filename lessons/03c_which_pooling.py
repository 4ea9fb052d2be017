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
# # 3c · Which pooling for which question
#
# **Goal.** Go from the mean to the maximum by one number, derive the backward of all that lies between, and choose for a given question.
#
# | | |
# |---|---|
# | Time | 50 minutes |
# | You need first | [Lesson 3a](03a_average_pooling.ipynb): the mean · [lesson 3b](03b_max_pooling.ipynb): the maximum |
# | Afterwards you can | derive the backward of a power mean · say how a gradient that all pixels share turns into one that a single pixel takes · choose between mean and max for a given question · say what each of them hears in a trained network |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/cbam.py](../armlab/hand/cbam.py), its two pools |
#
# This is the last lesson of chapter 3; its equations go on from (3.1), the mean, (3.2), the maximum, and (3.3).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from armlab import check, hand
from armlab.data import Scenes
from tools import compare, feature_map, features, gradient_map, photographs, scene, source, trained

# %% [markdown]
# ## 1 · From the mean to the maximum
#
# Mean and maximum are the two ends of one scale. The **power mean** of numbers that are not negative is
#
# $$z = \Big( \frac{1}{HW} \sum_{i,j} x_{ij}^{\,p} \Big)^{1/p} \tag{3.4}$$
#
# for one channel of one image.
#
# **Predict.** What is $z$ for $p = 1$? And for a very large $p$?
#
# <details><summary>Answer</summary>
#
# For $p = 1$ it is the mean. The larger $p$, the more the largest number outweighs all others, and for $p \to \infty$ only the maximum is left.
#
# </details>

# %%
photos = photographs()  # (6, 3, 64, 96)
red = photos[5, 0]
print(f"mean {red.mean():.4f}   max {red.max():.4f}")
for p in (1, 2, 8, 32, 256, 2048):
    z = red.max() * np.mean((red / red.max()) ** p) ** (1 / p)  # (3.4), with no base above 1
    print(f"p = {p:4}   z = {z:.4f}")

# %% [markdown]
# ### Exercise 1 · `power_mean_backward`
#
# ★★☆ · 10 minutes
#
# How does a gradient that everybody shares turn into one that a single pixel takes? Take (3.4) apart: $q_{ij} = x_{ij}^p$, then $t$, their mean, then $z = t^{1/p}$. Upwards, on paper, these are three steps.
#
# You are given `dz` of shape `(N, C, 1, 1)`, `x` of shape `(N, C, H, W)`, all of it positive, and the whole number `p`. Return `dx`.


# %% tags=["exercise"]
def power_mean_backward(dz, x, p):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def power_mean_backward(dz, x, p):
#     t = np.mean(x**p, axis=(2, 3), keepdims=True)
#     dt = t ** (1 / p - 1) / p * dz
#     dq = dt / (x.shape[2] * x.shape[3])
#     return p * x ** (p - 1) * dq
# ```
#
# `dq` is one number for a channel, and NumPy repeats it over the pixels.
#
# </details>

# %% tags=["check"]
check.exercise("power_mean_backward", power_mean_backward)

# %% [markdown]
# At length, and each name compared with PyTorch's:
#
# $$dt = \tfrac1p\, t^{1/p - 1}\, dz, \qquad dq_{ij} = \frac{dt}{HW}, \qquad dx_{ij} = p\, x_{ij}^{\,p-1}\, dq_{ij} \tag{d3.4}$$

# %%
p, rng = 3, np.random.default_rng(0)
x = photos[5:6] + 0.01  # no zeros
q = x**p
t = q.mean(axis=(2, 3), keepdims=True)
z = t ** (1 / p)
dz = rng.standard_normal(z.shape)
dt = t ** (1 / p - 1) / p * dz  # (d3.4)
dq = np.broadcast_to(dt / (64 * 96), x.shape)
dx = p * x ** (p - 1) * dq

x_torch = torch.tensor(x, requires_grad=True)
q_torch = x_torch**p
t_torch = q_torch.mean((2, 3), keepdim=True)
z_torch = t_torch ** (1 / p)
grads = torch.autograd.grad(z_torch, (t_torch, q_torch, x_torch), torch.tensor(dz))
compare("z", z, z_torch)
for name, mine, theirs in zip(["dt", "dq", "dx"], [dt, dq, dx], grads, strict=True):
    compare(name, mine, theirs)

# %% [markdown]
# **Predict.** Put the three into one line, and write $z$ for $t^{1/p}$ in it. What is the share of a pixel whose value is exactly $z$? And for $p = 1$?
#
# <details><summary>Answer</summary>
#
# $dz / HW$, the share that it would have had of a mean. Brighter pixels get more and darker ones less. For $p = 1$ all get the same.
#
# </details>
#
# Collapsed, with $t^{1/p - 1} = z^{1-p}$:
#
# $$dx_{ij} = \frac{dz}{HW} \Big( \frac{x_{ij}}{z} \Big)^{p-1} \tag{3.5}$$
#
# For a large $p$ it is a contest.


# %%
def show_power_means(powers):
    x = photos[5, 0]
    largest, columns = x.max(), len(powers) + 1
    size = 2.2 * columns, 2.1
    _, axes = plt.subplots(1, columns, figsize=size, layout="constrained", squeeze=False)
    feature_map(axes[0, 0], x, f"red, mean {x.mean():.2f}\nmax {largest:.2f}", channel=0)
    for ax, p in zip(axes[0, 1:], powers, strict=True):
        z = largest * np.mean((x / largest) ** p) ** (1 / p)  # (3.4)
        share = (x / z) ** (p - 1) / x.size  # (3.5)
        largest_first = np.sort(share, axis=None)[::-1].cumsum()
        half = np.searchsorted(largest_first, largest_first[-1] / 2) + 1  # take half of it all
        gradient_map(ax, share, f"p = {p}, z = {z:.2f}\npixels with half of dx: {half:,}")
    plt.show()


compare("(3.5)", dz / (64 * 96) * (x / z) ** (p - 1), dx)
show_power_means([1, 2, 8, 32, 256])

# %% [markdown]
# Each map has its own scale. At $p = 1$, half of the gradient falls on half of the pixels. Then it draws together on the brightest petals, until a single pixel has half of it.
#
# In a running notebook, move the slider from one end to the other.

# %%
slider = ipywidgets.SelectionSlider(
    options=[1, 2, 4, 8, 16, 32, 64, 128, 256],
    value=4,
    description="power p",
    continuous_update=False,
)
_ = ipywidgets.interact(lambda p: show_power_means([p]), p=slider)

# %% [markdown]
# ## 2 · Which of the two for which question
#
# SE (squeeze and excitation) and ARM, which both have one gate for each channel, pool with the mean. CBAM, a third of this kind, uses the mean and the maximum side by side ([lesson 6b](06b_relatives.ipynb)). Which is better depends on what a channel says.
#
# Here are 100 crops of the photographs, in grey, each of them twice: as it is, and with a handwritten 3 hidden in it, 64 pixels of 6,144. A channel responds to threes: it is the crop, convolved with an average three, and then a ReLU.

# %%
rng = np.random.default_rng(1)
digits = load_digits()  # 8 by 8 pixels of 0 ... 16
grey = []  # the two photographs in grey, at half their size
for name in ("china.jpg", "flower.jpg"):
    pixels = load_sample_image(name)[:426] / 255
    grey.append(pixels.reshape(213, 2, 320, 2, 3).mean(axis=(1, 3, 4)))


def crop(photo):
    i, j = rng.integers(213 - 64), rng.integers(320 - 96)
    return grey[photo][i : i + 64, j : j + 96].copy()


threes = digits.images[digits.target == 3] / 16
template = threes[:20].mean(axis=0)
kernel = (template - template.mean()).reshape(1, 1, 8, 8)  # sums to 0: flat places give 0

hidden = np.arange(200) % 2 == 1
crops = np.repeat([crop(rng.integers(2)) for _ in range(100)], 2, axis=0)  # each one twice
places = rng.integers((56, 88), size=(200, 2))
for n in np.flatnonzero(hidden):
    i, j = places[n]
    three = threes[rng.integers(20, len(threes))]  # none of those in the template
    under = crops[n, i : i + 8, j : j + 8]
    under += three * (1 - under)

u, _ = hand.conv2d(crops[:, np.newaxis], kernel)
response, _ = hand.relu(u)

fig, axes = plt.subplots(2, 4, figsize=(10, 3.6), layout="constrained")
for column, n in enumerate((1, 7, 8, 20)):
    feature_map(axes[0, column], crops[n], "a 3 is hidden" if hidden[n] else "no digit")
    title = f"response, mean {response[n].mean():.2f}, max {response[n].max():.1f}"
    feature_map(axes[1, column], response[n, 0], title)
    if hidden[n]:
        i, j = places[n]
        axes[0, column].plot(j + 3.5, i + 3.5, "o", mec="#D55E00", mfc="none", mew=1.5, ms=24)
plt.show()

# %% [markdown]
# Can one tell from the pooled response which crops hide a digit? Draw one crop with a digit and one without, and ask which has the larger value. A useless statistic is right in half of all pairs.
#
# **Predict.** In which share of the pairs is the mean right? And the maximum?
#
# <details><summary>Answer</summary>
#
# The mean in 54 %, hardly better than guessing: the response of a digit drowns in that of leaves and roofs. The maximum in 80 %. It fails where a white digit stands before a white sky, or where a roof looks more like a 3 than the 3 does.
#
# </details>


# %%
def right_in_pairs(values, labels):
    with_it, without = values[labels][:, np.newaxis], values[~labels]
    return (with_it > without).mean() + (with_it == without).mean() / 2


def compare_statistics(axes, x, labels, names):
    """Histograms of the mean and the max of each x; in which share of pairs they are right."""
    rights = []
    pools = {"mean": hand.global_avg_pool, "max": hand.global_max_pool}
    for ax, (word, pool) in zip(axes, pools.items(), strict=True):
        values = pool(x)[0].ravel()
        bins = np.linspace(0, 1.04 * values.max(), 27)
        ax.hist(values[~labels], bins, color="0.6", label=names[0])
        ax.hist(values[labels], bins, color="#D55E00", alpha=0.7, label=names[1])
        rights.append(right_in_pairs(values, labels))
        ax.set_title(f"{word}: right in {rights[-1]:.0%} of the pairs", fontsize=10)
        ax.set(yticks=[])
        ax.spines[["top", "left", "right"]].set_visible(False)
    axes[1].legend(loc="upper left", fontsize=8, frameon=False)
    return rights


fig, axes = plt.subplots(1, 2, figsize=(8, 2.1), layout="constrained")
by_mean, by_max = compare_statistics(axes, response, hidden, ("no digit", "a 3 is hidden"))
plt.show()
assert by_mean < 0.6 < 0.75 < by_max

i, j = np.unravel_index(response[:, 0].reshape(200, -1).argmax(axis=1), response.shape[2:])
at_the_digit = np.maximum(abs(i - places[:, 0]), abs(j - places[:, 1])) <= 2
print(f"the strongest response is that of the 3 in {at_the_digit[hidden].sum()} crops of 100")

# %% [markdown]
# Now another question. The crops come from *china.jpg*, taken by day, or from *flower.jpg*, a dark one. And the camera has a dozen hot pixels, which are white whatever is in front of them.
#
# **Predict.** Which statistic of the grey values knows the photograph?
#
# <details><summary>Answer</summary>
#
# The mean, which is hardly moved by a dozen pixels in 6,144. The maximum is 1 in every crop and knows nothing.
#
# </details>

# %%
by_day = np.arange(200) % 2 == 0
crops = np.stack([crop(0 if day else 1) for day in by_day])
crops[rng.random(crops.shape) < 0.002] = 1.0

fig, axes = plt.subplots(1, 2, figsize=(8, 2.1), layout="constrained")
names = ("flower.jpg", "china.jpg")
by_mean, by_max = compare_statistics(axes, crops[:, np.newaxis], by_day, names)
plt.show()
assert by_mean > 0.8
assert by_max == 0.5

# %% [markdown]
# **A mean answers "how much".** A maximum cannot: a single hot pixel decides it. **A maximum answers "is there any".** A mean cannot: a small object hardly moves it.
#
# ## 3 · The two in a trained network
#
# And the network of lesson 3a? It has to hear whether a band at the top of the scene is orange or blue, and it was trained with a mean. Channel 30 is a detector of the orange band. Channel 9 is suppressed by the orange band, and responds to much else.

# %%
scenes = Scenes("test")
both = [scenes.batch(range(40), band)[0] for band in (0, 1)]  # the orange band, the blue band
f = np.concatenate([features(trained("arm"), images) for images in both])
blue = np.arange(80) >= 40

fig, axes = plt.subplots(1, 6, figsize=(11, 2.1), layout="constrained")
for k, n in enumerate((0, 40)):
    scene(axes[3 * k], both[k][0], ("x, orange band", "x, blue band")[k])
    for ax, c in zip(axes[3 * k + 1 :], (29, 8), strict=False):
        feature_map(ax, f[n, c], f"f, channel {c + 1}")
        ax.images[0].set_clim(f[[0, 40], c].min(), f[[0, 40], c].max())
plt.show()

# %% [markdown]
# **Predict.** Take 40 scenes with either band. Does the maximum of channel 30 tell the bands apart as well as its mean? And that of channel 9?
#
# <details><summary>Answer</summary>
#
# Of channel 30, yes: a whole band is both *much* and *strong*. Of channel 9, no. Under the orange band its values are 0, which lowers its mean. But the largest value lies elsewhere, and it is the same with either band. A maximum hears what excites a channel most, never what suppresses it.
#
# </details>

# %%
rights = []
for pool in (hand.global_avg_pool, hand.global_max_pool):
    z = pool(f)[0][:, :, 0, 0]
    right = np.asarray([right_in_pairs(z[:, c], blue) for c in range(32)])
    rights.append(np.maximum(right, 1 - right))  # the lower values may as well be those of blue
by_mean, by_max = rights
print("channels that are right in all pairs:", end=" ")
print(f"{np.sum(by_mean == 1)} by the mean, {np.sum(by_max == 1)} by the max")
assert by_mean[29] == by_max[29] == 1
assert by_mean[8] > 0.85
orange, with_blue = f.max(axis=(2, 3)).reshape(2, 40, 32)
assert np.isclose(orange, with_blue).mean(axis=0)[by_max < 0.52].min() > 0.8

fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", width_ratios=[1.2, 2])
axes[0].plot(by_mean, by_max, "o", color="#0072B2", alpha=0.6, clip_on=False)
axes[0].plot([0.5, 1], [0.5, 1], color="0.8", zorder=0)
for c in (8, 13, 29):
    place = {"xytext": (-6, -14 if c == 29 else 5), "textcoords": "offset points", "ha": "right"}
    axes[0].annotate(f"{c + 1}", (by_mean[c], by_max[c]), fontsize=9, **place)
axes[0].set(xlabel="right by the mean", ylabel="right by the max", title="32 channels")
z = f[:, 8].mean(axis=(1, 2))
bins = np.linspace(z.min(), z.max(), 30)
for band, (colour, name) in enumerate({"#E69F00": "orange", "#56B4E9": "blue"}.items()):
    axes[1].hist(z[blue == band], bins, color=colour, alpha=0.7, label=f"{name} band")
title = f"mean of channel 9: right by mean {by_mean[8]:.0%}, by max {by_max[8]:.0%}"
axes[1].set_title(title, fontsize=10)
axes[1].set(yticks=[])
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The detectors of the band lie at the upper right and would do with either statistic. The channels along the bottom are known by their mean alone, some of them well and some hardly. Their maximum lies away from the band in nearly every scene and says nothing. Channel 14, on the left, is the other way round: the orange band excites it strongly, but at few places, and its mean stays where it was.
#
# A network cannot know beforehand which kind of channel it will learn. CBAM's answer is to compute both and to let the same two small layers look at each: a matrix, a ReLU and a second matrix, together called an MLP.
#
# $$a = \mathrm{MLP}(\mathrm{GAP}(x)) + \mathrm{MLP}(\mathrm{GMP}(x)) \tag{3.6}$$
#
# GAP is (3.1) and GMP is (3.2). In the file, (3.6) is (1), and the MLP is called `bottleneck`.

# %%
source(hand.CBAMChannel._logits)

# %% [markdown]
# Its backward has two plus signs, each written `collect`. The weights were used twice, and so was $x$.

# %% [markdown]
# ## Four questions
#
# 1. A channel responds to traffic lights, a few pixels each. Which statistic should its gate see, and what may go wrong?
#
# <details><summary>Answer</summary>
#
# The maximum, since the mean hardly moves. But a single wrong response anywhere in the image looks the same to it. That is why CBAM looks at both.
#
# </details>
#
# 2. All values of a channel are doubled. What happens to a power mean, and to the shares of (3.5)?
#
# <details><summary>Answer</summary>
#
# $z$ doubles for every $p$. The shares stay: they depend on $x / z$ alone.
#
# </details>
#
# 3. Two pixels tie for the maximum, and $p$ grows. Which of the rules of lesson 3b does (3.5) end in?
#
# <details><summary>Answer</summary>
#
# In that of `torch.amax`, which shares evenly: equal values have equal shares for every $p$. In the end each has one half.
#
# </details>
#
# 4. A band *suppresses* a channel that responds to digits. Which statistic tells whether the band is there?
#
# <details><summary>Answer</summary>
#
# The mean, if the digits do not vary more than the band takes away. The maximum lies at a digit and does not see the band.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | power mean | 幂平均 | (3.4): the mean for $p = 1$, the maximum for $p \to \infty$ |
# | global average pooling (GAP) | 全局平均池化 | the mean of each channel, (3.1) |
# | global max pooling (GMP) | 全局最大池化 | the largest value of each channel, (3.2) |
# | statistic | 统计量 | one number made of many, such as these |
# | multilayer perceptron (MLP) | 多层感知机 | here: a matrix, a ReLU, a matrix |
#
# ## What comes next
#
# [Lesson 4a](04a_sigmoid_gate.ipynb) turns the pooled vector into a gate. CBAM, which pools both ways, stands in [lesson 6b](06b_relatives.ipynb). The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

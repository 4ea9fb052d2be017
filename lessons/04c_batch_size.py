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
# # 4c · What batch normalisation does inside ARM
#
# **Goal.** Say what the normalisation does to ARM's logits, what it costs at batch sizes 1, 2 and more, and what helps.
#
# | | |
# |---|---|
# | Time | 40 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb): ARM, and the backward of its batch normalisation, (d4.7) |
# | Afterwards you can | predict mean and spread of ARM's logits · say which images of a batch a gate depends on, forward and backward · explain what goes wrong with one image and with two · keep a last image that is alone from stopping your training |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/batch_norm.py](../armlab/hand/batch_norm.py) · [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) |
#
# Of the five steps of ARM, four look at each image alone. This lesson is about the fifth.

# %%
import matplotlib.pyplot as plt
import numpy as np

from arm_graph import PAPER, arm_graph
from armlab import check, hand
from armlab.data import Scenes
from tools import CHANNELS, COLOURS, compare, features, gradient_map, photographs, picture, trained

rng = np.random.default_rng(0)

# %%
arm_graph({"bn"}, PAPER)

# %% [markdown]
# ## 1 · What it does to the logits
#
# The pooled means $z$ are mixed to $u = W z$, (4.6), and normalised to the logits $a$, channel by channel:
#
# $$a_n = w\,\hat u_n + b, \qquad \hat u_n = \frac{u_n - \mathrm{mean}}{\sqrt{\mathrm{var} + \varepsilon}}, \qquad \varepsilon = 10^{-5} \tag{4.13}$$
#
# In **training mode**, mean and variance are those of the batch: of $N$ numbers, one for each image.
#
# **Predict.** What are the mean and the standard deviation of $a$ over the batch, whatever the features, $W$ and the images are?
#
# <details><summary>Answer</summary>
#
# $\hat u$ has mean 0 and variance 1, up to $\varepsilon$. So $a$ has mean $b$ and standard deviation $|w|$, channel by channel.
#
# </details>
#
# Here is the trained network with ARM of [lesson 4b](04b_arm.ipynb), on 32 scenes with either band. `features` are what its ARM pools and gates.

# %%
net = trained("arm")
scenes = Scenes("test")
f = features(net, np.concatenate([scenes.batch(range(32), band)[0] for band in (0, 1)]))
conv, bn = net.refine.conv_atten, net.refine.bn_atten
u, _ = conv(hand.global_avg_pool(f)[0])  # (64, 32, 1, 1)
(a, _, _), _ = hand.batch_norm(u, bn.weight, bn.bias)  # (4.13)
assert np.allclose(a.mean(axis=0).ravel(), bn.bias, atol=1e-4)
assert np.allclose(a.std(axis=0).ravel(), bn.weight, rtol=1e-2)

fig, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
at = np.broadcast_to(np.arange(1, 33), (64, 32))
for ax, values, title in zip(axes, (u, a), ("u, before", "a, behind"), strict=True):
    ax.scatter(at, values[:, :, 0, 0], s=4, color="black")
    ax.set(title=f"{title} the normalisation", xlabel="channel", xlim=(0, 33))
axes[1].errorbar(at[0], bn.bias, bn.weight, fmt="none", color="#CC79A7", label="b ± w")
axes[1].legend(loc="lower right")
plt.show()
spreads = [hand.sigmoid(q)[0].std(axis=0).mean() for q in (u, a)]
print("a gate varies over the images by {:.2f} with σ(u), by {:.2f} with σ(a)".format(*spreads))
assert spreads[1] > 2 * spreads[0]

# %% [markdown]
# Each column of points is one channel, each point one scene. Before, the channels stand anywhere, and within a channel the scenes lie close together. Behind, all stand around 0 and fill the range in which the sigmoid is steep: $w$ is near 1 and $b$ near 0 after 600 steps of training. The normalisation takes away what all images of the batch have in common, and magnifies how they differ.
#
# ## 2 · Who depends on whom
#
# **Predict.** In training mode, the loss looks at the first of six photographs and at no other. Which of the six receive a gradient? What shape has it?
#
# <details><summary>Answer</summary>
#
# All of them: what the images have in common is known only from those that are there. In (d4.7), $du_n = w\,r\,(da_n - db/m - \hat u_n\, dw/m)$, the sums $db$ and $dw$ hold the first image's $da$, and every $u_n$ gets its share of them. Through the pool it arrives as one number for each channel: a flat map.
#
# </details>
#
# There is another mode. In **evaluation mode** mean and variance are constants that were kept: in training, each batch moves the kept ones by a tenth of the way towards its own.
#
# $$a_n = w\,\frac{u_n - \mathrm{mean}_{\text{kept}}}{\sqrt{\mathrm{var}_{\text{kept}} + \varepsilon}} + b \tag{4.14}$$
#
# This is a straight line in $u_n$, and no other image is in it:
#
# $$du_n = \frac{w}{\sqrt{\mathrm{var}_{\text{kept}} + \varepsilon}}\; da_n \tag{d4.14}$$

# %%
photos = photographs()  # (6, 3, 64, 96)
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
dy = np.zeros_like(photos)
dy[0] = rng.standard_normal(dy[0].shape)  # the loss looks at image 1 alone

fig, axes = plt.subplots(3, 6, figsize=(11, 4), layout="constrained")
for row, training in enumerate((True, False), start=1):
    _, backward = arm.copy().train(training)(photos)
    dx, _ = backward(dy)
    for n in range(6):
        gradient_map(axes[row, n], dx[n, 0], f"{np.abs(dx[n, 0]).mean():.0e}", limit=2e-3)
        picture(axes[0, n], photos[n], f"image {n + 1}")
    print("training  " if training else "evaluation", np.abs(dx).sum(axis=(1, 2, 3)).round(1))
    assert (np.abs(dx[1:]).max() > 0) == training
axes[1, 0].set_ylabel("training")
axes[2, 0].set_ylabel("evaluation")
plt.show()

# %% [markdown]
# The maps are $dx$ of the red channel, on one scale that is fine enough for the flat ones; the first column goes far beyond it. Above each stands its mean size. In training mode the other five are asked to move as well, some up and some down, for the sake of the first one's gate. In evaluation mode they hear nothing.
#
# ## 3 · One image, and two
#
# **Predict.** What is left of (4.13) in training mode with one image?
#
# <details><summary>Answer</summary>
#
# The value minus the mean is 0: every gate would be $\sigma(b)$ whatever the picture. PyTorch refuses, and so does the module here. In evaluation mode one image is fine.
#
# </details>

# %%
try:
    arm(photos[:1])
except ValueError as error:
    print("ValueError:", error)
print("in evaluation mode:", arm.copy().eval().gate(photos[:1]).ravel().round(3))

# %% [markdown]
# The first sentence of the error is PyTorch's own. Users of many ARM implementations have reported it; the last, incomplete batch of an epoch is enough (section 5).
#
# With two images there is no error, and that is worse. Image 1 is made darker and brighter, from 0 to 2 times its brightness, and all other images stay.
#
# **Predict.** How do its gates move, in a batch of two and in a batch of six? ($w = 1$ and $b = 0$ here.) First on paper: two numbers lie $2d$ apart. What is $\hat u$?
#
# <details><summary>Answer</summary>
#
# $\hat u$ is 1 and $-1$, nearly, whatever $d$ is. So in a batch of two the gates are switches. They stand at $\sigma(1) \approx 0.73$ or $\sigma(-1) \approx 0.27$, and flip where the $u$ of image 1 passes that of its neighbour. In a batch of six they move all along.
#
# </details>

# %%
brightness = np.linspace(0, 2, 201)
fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for ax, size in zip(axes, (2, 6), strict=True):
    curves = []
    for factor in brightness:
        batch = photos[:size].copy()
        batch[0] *= factor
        curves.append(arm.gate(batch)[0, :, 0, 0])
    for channel, curve in enumerate(np.asarray(curves).T):
        ax.plot(brightness, curve, color=COLOURS[channel], label=CHANNELS[channel])
        if size == 2:  # σ(±1) at both ends, as 2 σ(1) - 1 = tanh(1/2)
            assert np.allclose(abs(2 * curve[[0, -1]] - 1), np.tanh(0.5), atol=1e-3)
    ax.set(title=f"batch of {size}", xlabel="brightness of image 1", ylim=(0, 1))
axes[0].set_ylabel("its gates")
axes[1].legend()
plt.show()

# %% [markdown]
# Let $u_1$ and $u_2$ be $2d$ apart. Their mean lies in the middle and the variance is $d^2$, so
#
# $$\hat u = \pm \frac{d}{\sqrt{d^2 + \varepsilon}} \tag{4.15}$$
#
# which is almost exactly $\pm 1$, unless $d$ is as small as $\sqrt\varepsilon \approx 0.003$. The gate learns *which of the two is larger*, and not by how much.
#
# A switch has no slope, and where there is no slope nothing is learned. Put $m = 2$ and $\hat u = \pm h$ into (d4.7), with $h^2 = d^2/(d^2 + \varepsilon)$ by (4.15). The common part and the part along $\hat u$ are all that two numbers can have, and both are taken away. Of the difference $da_1 - da_2$ the share $1 - h^2$ is left:
#
# $$du_1 = -du_2 = \tfrac12\, w\, r\, (da_1 - da_2)\, \frac{\varepsilon}{d^2 + \varepsilon} \tag{d4.15}$$

# %%
u, _ = arm.conv_atten(hand.global_avg_pool(photos[:2])[0])  # (2, 3, 1, 1)
_, bn_back = hand.batch_norm(u, arm.bn_atten.weight, arm.bn_atten.bias)
da = rng.standard_normal(u.shape)
d = (u[0] - u[1]) / 2
left = 1e-5 / (d**2 + 1e-5)
compare("du of image 1", bn_back(da)[0][0], 0.5 * (da[0] - da[1]) / np.sqrt(d**2 + 1e-5) * left)
print("what is left:", left.ravel().round(6))

for size in (2, 3, 6):
    y, backward = arm(photos[:size])
    dy = np.random.default_rng(0).standard_normal(y.shape)
    _, grads = backward(dy)
    print(f"batch of {size}: largest |dW| {np.abs(grads['conv_atten.weight']).max():.4f}")

# %% [markdown]
# ## 4 · Who else is in the batch
#
# Now the trained module, on real scenes. Scene 1 stays, its company changes: 60 draws for each size of batch, in training mode. The three channels are the one that orange opens most, the one that blue opens most, and the one that cares least.
#
# **Predict.** How far does a gate of the *same image* move? Does it come to rest with 8 images? With 64?
#
# <details><summary>Answer</summary>
#
# With two images it jumps, by 0.4 to 0.56 of the scale. With eight, as in the training of this network, one of the three still moves by a third of the whole scale, for the same image with the same weights. With 64 it has not come to rest either: by 0.06 to 0.15. A mean over $N$ images is unsure by $1/\sqrt N$, so it takes four times the batch to halve that.
#
# </details>

# %%
f = features(net, scenes.batch(range(256))[0])
u, _ = conv(hand.global_avg_pool(f)[0])  # (256, 32, 1, 1)
pair = [net.gate(scenes.batch(range(64), band)[0])[:, :, 0, 0] for band in (0, 1)]
swing = (pair[0] - pair[1]).mean(axis=0)  # how far orange opens each gate
sizes = (2, 3, 4, 8, 16, 32, 64)
kept = hand.sigmoid(bn(u[:1])[0])[0][0, :, 0, 0]  # in evaluation mode
draws = np.random.default_rng(1)
fig, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained", sharey=True)
for ax, c in zip(axes, (np.argmax(swing), np.argmin(swing), np.argmin(abs(swing))), strict=True):
    ranges = {}
    for place, size in enumerate(sizes):
        found = []
        for _ in range(60):
            company = np.concatenate([[0], 1 + draws.permutation(255)[: size - 1]])
            (normed, *_), _ = hand.batch_norm(u[company], bn.weight, bn.bias)
            found.append(hand.sigmoid(normed)[0][0, c, 0, 0])
        ranges[size] = round(float(np.ptp(found)), 2)
        colours = plt.colormaps["magma"](np.asarray(found))
        at = place + draws.uniform(-0.2, 0.2, 60)
        ax.scatter(at, found, s=7, color=colours, edgecolors="0.4", linewidths=0.3)
    ax.axhline(kept[c], color="#009E73", label="in evaluation mode")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set(title=f"channel {c + 1}", xlabel="images in the batch", ylim=(0, 1))
    print(f"channel {c + 1:2}: the gate moves by", ranges)
    assert ranges[2] > ranges[8] > ranges[64] > 0.05
axes[0].set_ylabel("gate of scene 1")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# In a batch of two, the channel in the middle stands at one of two levels in nearly every draw: scene 1 is the larger of the two, or the smaller. In the channels beside it is nearly always the smaller, and the gate nearly always the same, whatever the image looks like. From three on the gates spread around their value in evaluation mode (green).
#
# So the loss sees noisy gates, and prediction uses quiet ones. That is batch normalisation anywhere; but elsewhere it averages over $NHW$ values, and here over $N$.
#
# ## 5 · The last batch of an epoch
#
# Nobody trains ARM with a batch size of 1. But 1,797 digits in batches of 4 are 449 full batches, and one image is left over. Here are nine images:

# %%
images = rng.standard_normal((9, 4, 5, 5))
arm = hand.PaperAttentionRefinement(4, rng=0, dtype="float64")
for start in range(0, len(images), 4):
    batch = images[start : start + 4]
    try:
        y, _ = arm(batch)
        print("batch of", len(batch), "->", y.shape)
    except ValueError as error:
        print("batch of", len(batch), "-> ValueError:", str(error).split(".")[0])
twice = np.concatenate([images[8:], images[8:]])
print("the last one twice: every gate is", np.unique(arm.gate(twice)))

# %% [markdown]
# This is reported in one repository after another, and usually as "it crashes at the end of the first epoch". What helps and what does not:
#
# | | |
# |---|---|
# | `DataLoader(..., drop_last=True)` of PyTorch | helps; some images are skipped in each epoch, others in each if they are shuffled |
# | a larger batch | helps, against both the error and the noise above |
# | `eval()` for validation and prediction | helps; there the kept statistics are used |
# | adding gradients up over several small batches | does not help: each small batch is still normalised alone |
# | a dummy copy of the image | makes it worse: two equal values have no spread, and every gate is $\sigma(b)$ |
#
# ### Exercise 1 · `usable_batches`
#
# ★☆☆ · 5 minutes
#
# `drop_last=True` drops every incomplete batch. Only a batch of one is impossible. For a number of images and a batch size of at least 2: how many batches does an epoch have if a last image that is alone is left out, and nothing else is? How many images are left out?


# %% tags=["exercise"]
def usable_batches(images, batch_size):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def usable_batches(images, batch_size):
#     full, rest = divmod(images, batch_size)
#     if rest == 1:
#         return full, 1
#     return full + (rest > 1), 0
# ```
#
# </details>

# %% tags=["check"]
check.exercise("usable_batches", usable_batches)

# %% [markdown]
# ## Four questions
#
# 1. Your ARM trains with a batch of 2. Name two things that would be better.
#
# <details><summary>Answer</summary>
#
# A larger batch; or a normalisation that does not look at other images; or none at all before the sigmoid, as in squeeze and excitation. By (4.15) a gate from a batch of two hardly sees magnitude.
#
# </details>
#
# 2. All features of all images are multiplied by 10. What happens to the logits, in training mode?
#
# <details><summary>Answer</summary>
#
# Nothing, up to $\varepsilon$: mean and standard deviation grow tenfold as well.
#
# </details>
#
# 3. You predict in batches of 8, and `eval()` was forgotten. Why do the results change when you sort the images?
#
# <details><summary>Answer</summary>
#
# Another order makes other batches, and each gate depends on the company of its image.
#
# </details>
#
# 4. In which of the two modes does the gradient of one image's gate reach another image?
#
# <details><summary>Answer</summary>
#
# In training mode, by $db$ and $dw$ of (d4.7). In (d4.14) each image has its own $da_n$ alone.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | batch normalisation (BN) | 批归一化 | (4.13), each channel centred and scaled |
# | batch size | 批大小 | $N$ |
# | training mode, evaluation mode | 训练模式, 评估模式 | statistics of the batch, or those that were kept |
# | running statistics | 滑动统计量 | the mean and the variance that are kept |
# | epoch | 轮次 | once through all images |
# | incomplete batch | 不完整批次 | what is left at the end of an epoch |
#
# ## What comes next
#
# [Lesson 5a: ARM in three versions](05a_arm_versions.ipynb), the paper's, the article's and the repositories'. [Lesson 6a](06a_channel_attention.ipynb) reads SE and ECA, which have no normalisation here, as changes of one line. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

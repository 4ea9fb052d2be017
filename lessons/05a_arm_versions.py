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
# # 5a · ARM in three versions
#
# **Goal.** Tell the paper's, the article's and the repositories' attention refinement modules apart, and see what a trained one does.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb): the paper's ARM, and training and evaluation mode |
# | Afterwards you can | read any public ARM and say what it does differently · load the weights of one into another · show which sentences of the article do not hold |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) · [hand/conv_bn_act.py](../armlab/hand/conv_bn_act.py) · [torch/attention_refinement.py](../armlab/torch/attention_refinement.py) · and, where it is used, [weights/key_maps.py](../armlab/weights/key_maps.py) |
#
# Chapter 4 has derived ARM as the BiSeNet paper has it. Chapter 5 is ARM as it is used: this lesson sets the versions beside each other, [lesson 5b](05b_arm_derivation.ipynb) derives the one with a 3×3.

# %%
from collections import OrderedDict

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import armlab.torch as twins
from arm_graph import ARTICLE, PAPER, REPOSITORIES, arm_graph, arm_graphs
from armlab import check, hand, weights
from armlab.data import Scenes
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.batch_norm_activated import activated
from armlab.hand.self_gate import self_gate
from tools import compare, gate_map, scene, source, trained

rng = np.random.default_rng(0)
ORANGE, BLUE = "#E69F00", "#56B4E9"  # the two bands, and all that belongs to them
PALETTE = np.asarray([[0.93] * 3, [0.9, 0.62, 0.0], [0.34, 0.71, 0.91]])  # background, A, B

# %% [markdown]
# ## 1 · Three modules, one name
#
# All three are, with $\mathrm{GAP}$ for the mean of each channel over the image,
#
# $$f = \mathrm{act}(\mathrm{BN}(\mathrm{conv}_{3\times3}(x))) \quad\text{or}\quad f = x \tag{5.1}$$
# $$a = \mathrm{BN}(W \cdot \mathrm{GAP}(f)) \tag{5.2}$$
# $$y = f\,\sigma(a) \tag{5.3}$$
#
# and differ in (5.1). The paper's has $f = x$. The article's, the module of the Chinese text that this project started from, is that of the repository SeAFusion: its activation is a LeakyReLU of slope 0.01, which is $p$ where $p > 0$ and $0.01\,p$ elsewhere. The public BiSeNet repositories have a ReLU, which is 0 there.

# %%
arm_graphs({"the paper's": PAPER, "the article's": ARTICLE, "the repositories'": REPOSITORIES})

# %% [markdown]
# **Predict.** Which of them can change the number of channels? Which two have the same weights, under the same keys?
#
# <details><summary>Answer</summary>
#
# Those with the 3×3, from $C$ to $K$ channels; the paper's keeps its channels. And the same two hold the same arrays. Only the activation tells them apart. It has no weights, so no key will ever warn you.
#
# </details>

# %%
versions = {
    "the paper's": hand.PaperAttentionRefinement(8, rng=0),
    "the article's": hand.AttentionRefinementModule(8, 4, rng=0),
    "the repositories'": hand.AttentionRefinementModule(8, 4, "relu", rng=0),
}
x = rng.standard_normal((2, 8, 5, 6)).astype(np.float32)
for name, module in versions.items():
    y, _ = module(x)
    keys = [key for key in module.state_dict() if key.endswith("weight")]
    print(f"{name:18} {x.shape} -> {y.shape}   {keys}")

# %% [markdown]
# The unit in front stands in a file of its own: a convolution, and what follows it. Its backward is the same lines upwards. (`input_grad=False` spares the gradient of an image, which nobody asks for.) `ConvBNAct` differs in what follows: batch normalisation and then the activation, in `activated`, which on a GPU are one kernel.

# %%
source(hand.ConvBN.forward, hand.ConvBNAct.normalised, activated)

# %% [markdown]
# Then the module, and how a map gates itself. Its numbers (1) to (3) are (5.1) to (5.3).

# %%
source(hand.AttentionRefinementModule.forward, self_gate)

# %% [markdown]
# And its twin in PyTorch: the same names, so that a state loads into either.

# %%
source(twins.AttentionRefinementModule)

# %% [markdown]
# ## 2 · What a trained one does
#
# The toy network of this project has four 3×3 convolutions, then an ARM with a fifth, then two 1×1. It was trained on scenes with handwritten digits. A 7 is class A where the band along the top is orange, and class B where it is blue; everything else is background. Five 3×3 windows on top of each other do not reach from a digit to the band. The gates do. The network is in evaluation mode: its batch normalisations use what they kept from training.

# %%
net = trained("arm")
scenes = Scenes("test")
indices = range(64)
(orange, label_a), (blue, label_b) = (scenes.batch(indices, state=band) for band in (0, 1))


def stages(net, x):
    """f, and of each channel the pooled z, the logit a and the gate s."""
    arm = net.refine
    f, _ = arm.conv(net.features(x)[0])  # (5.1)
    a, _ = attention_logits(f, arm.conv_atten, arm.bn_atten)  # (5.2)
    z, _ = hand.global_avg_pool(f)
    s, _ = hand.sigmoid(a)
    return f, z[:, :, 0, 0], a[:, :, 0, 0], s[:, :, 0, 0]


in_orange, in_blue = stages(net, orange), stages(net, blue)
swing = (in_orange[3] - in_blue[3]).mean(axis=0)  # how far each gate opens for orange
order = np.argsort(-swing)
print("f", in_orange[0].shape, " gates", in_orange[3].shape)

# %% [markdown]
# **Predict.** The same scene twice, with the orange and with the blue band, and nothing else changed. Each channel has a pooled mean and a gate. Where the mean is larger under orange, is the gate as well?
#
# <details><summary>Answer</summary>
#
# Not always. In the two channels on the left of the picture the means are larger under *blue*, and the gates open for *orange*; over all scenes 18 of the 32 channels go two ways. A gate is computed from the means of all channels, through $W$, and its own mean is only one of 32.
#
# </details>


# %%
def paired_bars(ax, first, second, title):
    """One pair of bars for each channel, orange and blue."""
    at = np.arange(len(first))
    ax.bar(at - 0.2, first, width=0.4, color=ORANGE)
    ax.bar(at + 0.2, second, width=0.4, color=BLUE)
    ax.set(xlim=(-1, len(first)), xticks=[])
    ax.set_title(title, fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)


n = 5
fig = plt.figure(figsize=(10, 6), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1, 3])
for ax, image, word in zip(left.subplots(2, 1), (orange, blue), ("orange", "blue"), strict=True):
    scene(ax, image[n], f"the {word} band")
axes = right.subplots(3, 1)
names = ["z, the pooled means", "a, the logits", "s, the gates"]
for ax, name, first, second in zip(axes, names, in_orange[1:], in_blue[1:], strict=True):
    paired_bars(ax, first[n, order], second[n, order], name)
axes[1].axhline(0, color="black", linewidth=0.8)
axes[2].axhline(0.5, color="0.5", linewidth=0.8, linestyle=":")
axes[2].set(ylim=(0, 1), xlabel="the 32 channels, sorted by how far orange opens them")
plt.show()

shift = (in_orange[1] - in_blue[1]).mean(axis=0)  # of the pooled means
flipped = ((in_orange[3] > 0.5) != (in_blue[3] > 0.5)).mean(axis=0)
print("channels whose gate goes one way and whose mean the other:", (shift * swing < 0).sum())
print("channels whose gate crosses 1/2 in at least 9 of 10 scenes:", (flipped >= 0.9).sum())
print("in less than 1 of 10:", (flipped < 0.1).sum())
assert (shift * swing < 0).sum() == 18
assert (in_orange[1][n, order[:2]] < in_blue[1][n, order[:2]]).all()

# %% [markdown]
# At both ends the gates trade places.
#
# ### What the channels show
#
# Which features does the band open and shut? For each channel, its mean on the pixels of a 7 and its mean on all other pixels below the band (channels are counted from 1):

# %%
f = in_orange[0]
on_seven = label_a[:, ::2, ::2] > 0  # features have half the resolution
ground = ~on_seven
ground[:, :8] = False  # the band, and what the 3×3 windows see of it
print("channel  s orange  s blue   f on a 7  f elsewhere")
for c in [*order[:4], *order[-4:]]:
    gates = [s[:, c].mean() for s in (in_orange[3], in_blue[3])]
    on, off = f[:, c][on_seven].mean(), f[:, c][ground].mean()
    print(f"{c + 1:7}  {gates[0]:8.2f}  {gates[1]:6.2f}   {on:8.2f}  {off:11.2f}")

fig, axes = plt.subplots(3, 7, figsize=(11, 5.2), layout="constrained")
scene(axes[0, 0], orange[n], "x")
scene(axes[1, 0], orange[n], "under orange")
scene(axes[2, 0], blue[n], "under blue")
for column, c in enumerate([*order[:3], *order[-3:]], start=1):
    white = in_orange[0][n, c].max()
    maps = [in_orange[0][n, c]]
    maps += [state[0][n, c] * state[3][n, c] for state in (in_orange, in_blue)]
    words = [f"f, channel {c + 1}"]
    words += [f"f s, s = {state[3][n, c]:.2f}" for state in (in_orange, in_blue)]
    for ax, values, word in zip(axes[:, column], maps, words, strict=True):
        ax.imshow(values, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(word, fontsize=9)
plt.show()
for c in (22, 4):  # of what they see of the orange band, four fifths and more
    assert f[:, c - 1, :8].sum() > 0.8 * f[:, c - 1].sum()

# %% [markdown]
# Channels 26 and 7 both show the strokes of the 7s, and those of the 4 more faintly. Under orange the layers behind get the first of them strong and the second weak, under blue the reverse. So they need not know of the band at all: what they see has changed. Channels 22 and 4 light up along the orange band, and hardly anywhere else. Their means say which band there is, and the pool hears it.
#
# The article says that ARM *enhances important features and suppresses unimportant ones*. Which features are important is not a property of the feature. The same map of a 7 is wanted under one band and unwanted under the other. And a gate never enhances: it is below 1. The module *weighs*, and the layers after it have learned with those weights.
#
# ## 3 · The article, sentence by sentence
#
# The article prints the class in section 2, announces a formula in section 3.1 and leaves it out (it is (5.1) to (5.3)), and counts the cost in section 4. Here are three places where one has to look twice. Another is the lost initialisation, in [lesson 5b](05b_arm_derivation.ipynb). What it says of the cost, *a few more parameters* and *mainly the pooling*, is true of the attention branch and not of the class that it prints, whose 3×3 holds 589,824 of 606,720 parameters; [lesson 10a](10a_counting.ipynb) counts.
#
# ### LeakyReLU or ReLU
#
# The article's text says LeakyReLU (`3×3 的卷积 + BN + LeakyReLU`), its figure says `3×3 Conv+BN+ReLU`, and the class is called `ConvBNReLU`. In SeAFusion a class of that name holds a LeakyReLU of slope 0.01. The toy network was trained with it.
#
# **Predict.** Swap it for a ReLU, in ARM alone, and train nothing. What happens to the answers between A and B? And if the activation is lost altogether?
#
# <details><summary>Answer</summary>
#
# With ReLU nothing that anybody would notice: a hundredth of the negative part is little. With no activation, fewer than half of the pixels of sevens are found, and all of those are called B, whatever the band. No shape, no key and no error shows it.
#
# </details>
#
# The third case is real. Some repositories used InPlaceABN, a batch normalisation with a LeakyReLU *inside*. Whoever replaces it by plain BN loses the activation with it (STDC-Seg, issue 14).
#
# Behind ARM the network has two 1×1 convolutions, `head` and `classify`. They make three scores at each position, and `resize_bilinear` spreads these to the pixels of the image, each a weighted mean of the nearest.


# %%
def arm_with(activation):
    """ARM's forward with another activation, from its three layers."""

    def forward(x, conv, conv_atten, bn_atten):
        f = activation(conv(x))
        a = bn_atten(conv_atten(f.mean(axis=(2, 3), keepdims=True)))
        return f / (1 + np.exp(-a))

    return forward


def answers(net, x, arm_forward, **instead):
    """The network's classes with another forward in the place of its ARM."""
    layers = net.refine.children() | instead
    layers = {name: lambda v, layer=layer: layer(v)[0] for name, layer in layers.items()}
    y = arm_forward(net.features(x)[0], **layers)
    scores, _ = net.classify(net.head(y)[0])
    return hand.resize_bilinear(scores, size=x.shape[2:])[0].argmax(axis=1)


def report(name, classes, label):
    """Of the pixels of 7s: how many were found; of those, how many rightly named, and how many A."""
    seven = label > 0
    found = seven & (classes > 0)
    right, a = (classes == label)[found].mean(), (classes == 1)[found].mean()
    print(f"{name:22} found {found.sum() / seven.sum():.2f}   right {right:.2f}   called A {a:.2f}")
    return right, a


x, label = scenes.batch(indices)  # each scene with the band that was drawn for it
without = hand.ConvBN(32, 32)  # the 3×3 and BN of ARM, and no activation
without.load_state_dict(net.refine.conv.state_dict()).eval()
activations = {
    "LeakyReLU, as trained": lambda p: np.maximum(p, np.float32(0.01) * p),
    "ReLU": lambda p: np.maximum(p, 0),
    "none: lost": lambda p: p,
}
outcomes = {name: answers(net, x, arm_with(act), conv=without) for name, act in activations.items()}
told = [report(name, classes, label) for name, classes in outcomes.items()]
assert told[2][1] == 0  # not one is called A

fig, axes = plt.subplots(2, 5, figsize=(10, 4.2), layout="constrained")
for row, m in enumerate((5, 3)):
    scene(axes[row, 0], x[m], "x")
    for ax, (name, classes) in zip(
        axes[row, 1:], {"label": label, **outcomes}.items(), strict=True
    ):
        ax.imshow(PALETTE[classes[m]], interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=10)
plt.show()

# %% [markdown]
# In training there is a difference between the first two. A channel that is negative everywhere has no gradient behind a ReLU, and keeps a hundredth of it behind a LeakyReLU.
#
# ### "Normalised to [0, 1]"
#
# The article says that the sigmoid *normalises the attention weights to [0, 1]*. The word fits a softmax, whose weights add up to 1.
#
# **Predict.** 32 gates. Between which bounds can their sum lie?
#
# <details><summary>Answer</summary>
#
# Anywhere between 0 and 32: each channel is gated alone, and none pays for another. The interval is open, since $e^{-a}$ is never 0. (In float32 $1 + e^{-18}$ is 1 all the same.)
#
# </details>

# %%
gates = np.concatenate([in_orange[3], in_blue[3]])
sums = gates.sum(axis=1)
print(f"smallest {gates.min():.3f}, largest {gates.max():.3f}")
print(f"the sum of an image's 32 gates: {sums.min():.1f} … {sums.max():.1f}")
for a in (17.0, 18.0):
    print(f"float32, a = {a:.0f}: s = 1 is", hand.sigmoid(np.asarray([a], np.float32))[0][0] == 1)

# %% [markdown]
# ### ARM against SE
#
# The article's table says that SE recalibrates channels, and that ARM is designed to *keep the spatial information* (保持空间信息).
#
# **Predict.** Shuffle all the pixels of an image, the same way in each channel. How do ARM's gates change? How do SE's?
#
# <details><summary>Answer</summary>
#
# Neither changes: no gate knows where anything is. Both multiply each channel by one number, and so both keep the map as it is. Both recalibrate channels. What differs is how the logits are made, and you see all of it in the weights: SE goes through a bottleneck with a ReLU, has biases and no BN; ARM has one square matrix, no bias, and BN. [Lesson 6a](06a_channel_attention.ipynb) takes SE and other relatives apart.
#
# </details>

# %%
f = in_orange[0].astype(np.float64)[:4]
shuffled = f.reshape(4, 32, -1)[:, :, rng.permutation(32 * 32)].reshape(f.shape)
for module in (
    hand.PaperAttentionRefinement(32, rng=0, dtype="float64"),
    hand.SqueezeExcitation(32, 4, rng=0, dtype="float64"),
):
    print(type(module).__name__, {key: value.shape for key, value in module.parameters().items()})
    compare("  gates", module.gate(shuffled), module.gate(f))

# %% [markdown]
# ## 4 · ARM in the public repositories
#
# | repository | 3×3 | activation | bias of the 1×1 | BN | before σ | keys |
# |---|---|---|---|---|---|---|
# | the paper (its author in TorchSeg's issue 28) | no | – | ? | yes | nothing | – |
# | TorchSeg | yes | ReLU | no | yes | nothing | `conv_3x3`, `channel_attention.1` |
# | CoinCheung/BiSeNet | yes | ReLU; in 2019 LeakyReLU through InPlaceABN | no | yes | nothing | `conv`, `conv_atten`, `bn_atten` |
# | STDC-Seg, face-parsing.PyTorch, facexlib | yes | ReLU | no | yes | nothing | as CoinCheung |
# | SeAFusion | yes | LeakyReLU 0.01 | no | yes | nothing | as CoinCheung |
# | ooooverflow/BiSeNet | no | – | yes | built, never used | nothing | `conv`, `bn` |
# | mmsegmentation 1.2.2 | yes | ReLU | no | yes | nothing | `conv_layer`, `atten_conv_layer.1` |
# | PaddleSeg | yes | ReLU | no | yes | **ReLU** | `conv_3x3`, `channel_attention.1` |
# | pytorchcv | yes | ReLU | no | yes | nothing | `conv1`, `conv2` |
#
# ### Weights fit one to one
#
# All that have the 3×3 have the same twelve arrays: a convolution, a BN with five, a 1×1 convolution, a BN with five. Only the keys differ, and `weights.rename` knows them. Here is a module with TorchSeg's keys, as one would write it with PyTorch's own parts. It gets the trained weights, strictly: each key has to find its place.


# %%
def unit(c, k, size, *activation):
    layers = [("conv", nn.Conv2d(c, k, size, padding=size // 2, bias=False))]
    layers += [("bn", nn.BatchNorm2d(k)), *activation]
    return nn.Sequential(OrderedDict(layers))


class WithKeysOfTorchSeg(nn.Module):
    def __init__(self, c, k):
        super().__init__()
        self.conv_3x3 = unit(c, k, 3, ("relu", nn.ReLU()))
        pool = nn.AdaptiveAvgPool2d(1)
        self.channel_attention = nn.Sequential(pool, unit(k, k, 1), nn.Sigmoid())

    def forward(self, x):
        f = self.conv_3x3(x)
        return f * self.channel_attention(f)


state = net.refine.state_dict()
renamed = weights.rename(state, to="torchseg", module="AttentionRefinementModule")
for ours, torchseg in zip(state, renamed, strict=True):
    if not ours.endswith(("running_mean", "running_var", "tracked")):
        print(f"{ours:18} {torchseg}")
theirs = WithKeysOfTorchSeg(32, 32)
theirs.load_state_dict(weights.to_torch(renamed), strict=True)
theirs.double().eval()

x = net.features(orange[:4])[0].astype(np.float64)
y_theirs = theirs(torch.tensor(x))
for activation in ("relu", "leaky_relu"):
    ours = hand.AttentionRefinementModule(32, 32, activation, dtype="float64", rng=0)
    ours.load_state_dict(state).eval()
    compare(activation, ours(x)[0], y_theirs)

# %% [markdown]
# With the activation that belongs to it, the module is the same function. With the other one the state loads without a word, and the output is another. An activation is not in a file of weights. You have to know it.
#
# ### A gate that cannot close
#
# PaddleSeg has a ReLU between BN and the sigmoid. As $\mathrm{ReLU}(a) \ge 0$, its gate is at least $\sigma(0) = \tfrac12$. (mmsegmentation and PaddleSeg do the same in the other module of BiSeNet, feature fusion.)

# %%
arm_graph({"sigmoid"}, REPOSITORIES)

# %% [markdown]
# **Predict.** Logits behind a BN are about as often negative as positive. What part of the gates stands at exactly one half, and what gradient do their logits get? With so many gates alike, can the trained network still tell A from B?
#
# <details><summary>Answer</summary>
#
# About half of them stand there, and these get no gradient: the slope of ReLU is 0. But in another image other gates do. No channel stands at ½ in all scenes; 13 do under one band and are open under the other. A gate at ½ cannot say *how unwanted* its channel is, but it says that it is not among the open ones, and which are open tells the band. So the network still answers, even if all open gates are set to 1.
#
# </details>


# %%
def with_gate(gate):
    """ARM's forward with another function from the logits to the gate."""

    def forward(x, conv, conv_atten, bn_atten):
        f = conv(x)
        return f * gate(bn_atten(conv_atten(f.mean(axis=(2, 3), keepdims=True))))

    return forward


def sigma(a):
    return hand.sigmoid(a)[0]


x, label = scenes.batch(indices)
gates = {
    "σ(a)": sigma,
    "σ(ReLU(a))": lambda a: sigma(np.maximum(a, 0)),
    "½ or 1": lambda a: np.where(a > 0, np.float32(1), np.float32(0.5)),
    "½": lambda a: np.full_like(a, 0.5),
}
told = [report(name, answers(net, x, with_gate(gate)), label) for name, gate in gates.items()]
assert min(told[1][0], told[2][0]) > 0.99

a = np.concatenate([in_orange[2], in_blue[2]])  # the 64 scenes with the orange band, then blue
fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained", sharey=True)
for ax, name in zip(axes, ("σ(a)", "σ(ReLU(a))"), strict=True):
    s = gates[name](a)
    drawn = gate_map(ax, s[:, order], f"s = {name}")
    ax.set(aspect="auto", yticks=[32, 96], yticklabels=["orange", "blue"], xlabel="channel")
    ax.axhline(63.5, color="white", linewidth=2)
    apart = np.abs((s[:64] - s[64:]).mean(axis=0)).mean()
    print(
        f"{name:11} at ½: {(s == 0.5).mean():.2f}   a gate is {apart:.2f} apart between the bands"
    )
fig.colorbar(drawn, ax=axes[1], ticks=[0, 0.5, 1])
plt.show()
assert ((a <= 0).mean(axis=0) < 1).all()  # no channel is shut in all scenes

# %% [markdown]
# With *every* gate at ½ the answer is a guess. With the open ones above ½, what is lost is contrast: between the bands a gate differs half as much as before, and the least and the most wanted channel of an image are a factor of two apart at most. And half of the learning is lost: an image in which a logit is negative teaches its gate nothing, however wrong it is.
#
# ### Exercise 1 · Find the bug
#
# ★★☆ · 15 minutes
#
# Three forwards, each with a real fault of a public repository, and each gives an output of the right shape. Here they run in the place of the trained network's ARM.


# %%
def forward_1(x, conv, conv_atten, bn_atten):
    f = conv(x)
    z = f.mean(axis=(2, 3), keepdims=True)
    return f / (1 + np.exp(-conv_atten(z)))


def forward_2(x, conv, conv_atten, bn_atten):
    f = conv(x)
    z = f.mean(axis=(2, 3), keepdims=True)
    return f / (1 + np.exp(-np.maximum(bn_atten(conv_atten(z)), 0)))


def forward_3(x, conv, conv_atten, bn_atten):
    f = conv(x)
    z = f.reshape(*f.shape, 1, 1).mean(axis=(4, 5))  # pool_size=(1, 1)
    return f / (1 + np.exp(-bn_atten(conv_atten(z))))


report("the trained network", net(x)[0].argmax(axis=1), label)
for forward in (forward_1, forward_2, forward_3):
    report(forward.__name__, answers(net, x, forward), label)

# %% [markdown]
# **Predict.** Name the fault of each. Which of them leaves numbers of the module without any use, and which?
#
# <details><summary>Answer</summary>
#
# `forward_1` builds BN and never calls it (ooooverflow/BiSeNet): the scale, the shift and the running statistics are dead weight, and a summary of the model still counts them. Without it nearly all sevens are called A. `forward_2` has PaddleSeg's ReLU: all numbers are used, though not in every image. `forward_3` pools windows of one pixel (kirilcvetkov92/Semantic-Segmentation-BiSeNet, issue 4), which is no pooling: all numbers are used, but every pixel gets a gate from itself alone, and the network is blind to the band again.
#
# </details>
#
# Then write the right one. `conv` is the 3×3 with BN and activation. Each of the three functions takes an array and returns one. Afterwards hand in the three of above, and read what the check says.


# %% tags=["exercise"]
def arm_forward(x, conv, conv_atten, bn_atten):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def arm_forward(x, conv, conv_atten, bn_atten):
#     f = conv(x)
#     z = f.mean(axis=(2, 3), keepdims=True)
#     a = bn_atten(conv_atten(z))
#     return f / (1 + np.exp(-a))
# ```
#
# A network that is *trained* with one of the three adapts to it as far as it can, and that is why they live so long. The scores above are those of weights that were trained for the right forward.
#
# </details>

# %% tags=["check"]
check.exercise("arm_forward", arm_forward)

# %% [markdown]
# There is a fourth way to get the pool wrong. `avg_pool2d(f, f.size()[2:])` asks for the size at run time, and the export to ONNX, a format for other programs, fails on it (pytorch/pytorch, issue 34743). So people write the size of their training images into the code.

# %%
for size in (32, 40, 64):
    f = torch.zeros(1, 32, size, size)
    f[:, :, 32:] = 1.0  # below row 32 something shows up
    z = torch.nn.functional.avg_pool2d(f, 32)
    found = f"{tuple(z.shape)} {z[0, 0].flatten().tolist()}"
    print(f"{size}×{size}: avg_pool2d(f, 32) {found}   mean {float(f[0, 0].mean()):.2f}")

# %% [markdown]
# At 40×40 nothing complains, and the last eight rows and columns are never looked at. `f.mean((2, 3), keepdim=True)` is right at every size, and exports.
#
# ## Four questions
#
# 1. A checkpoint of a BiSeNet loads strictly into your network, and the results are slightly worse than reported. Its ARM is the one thing you wrote yourself. What do you look at first?
#
# <details><summary>Answer</summary>
#
# What has no key: the activation (ReLU, LeakyReLU, or one hidden in InPlaceABN), a ReLU before the sigmoid, and how the pool is written.
#
# </details>
#
# 2. The article says that ARM enhances important features. What does a gate do to the largest of its features?
#
# <details><summary>Answer</summary>
#
# It makes it smaller: every gate is below 1. What changes is the proportion between the channels, image by image.
#
# </details>
#
# 3. The 1×1 of ooooverflow/BiSeNet has a bias. In front of a BN it would be of no use. Is it of any use there?
#
# <details><summary>Answer</summary>
#
# Yes. BN subtracts the mean of the batch, and a bias goes with it. But in that repository BN is built and never used, so nothing takes the bias away.
#
# </details>
#
# 4. A fault leaves the score as it was. Why is it still a fault?
#
# <details><summary>Answer</summary>
#
# These weights were trained without it, on a task where the pattern of the open gates is enough. Trained with it, half of the logits of each image get no gradient, and no gate falls below ½.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | attention refinement module (ARM) | 注意力细化模块 | (5.1) to (5.3) |
# | feature transform | 特征变换 | the 3×3 with BN and activation in front, $f$ |
# | attention branch | 注意力分支 | from the pool to the logit, (5.2) |
# | state, checkpoint | 状态字典, 检查点 | the arrays by key; activations are not in it |
# | LeakyReLU | 带泄漏的 ReLU | $p$ where positive, $0.01\,p$ elsewhere |
#
# ## What comes next
#
# [Lesson 5b: the derivation with its 3×3](05b_arm_derivation.ipynb), and where its second way leads. [Lesson 6a](06a_channel_attention.ipynb) changes one line at a time, and gets SE, eSE and ECA. The [contents](index.ipynb) show the path.
#
# Photographs in the scenes: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

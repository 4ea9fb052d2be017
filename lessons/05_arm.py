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
# # 5 · ARM in three versions
#
# **Goal.** Tell the paper's, the article's and the repositories' attention refinement modules apart, derive the backward of the one that is used, and see what a trained one does.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | [Lesson 4](04_sigmoid_gate.ipynb): the gate, the paper's ARM and its backward, batch normalisation's backward (BN 5) |
# | Afterwards you can | read any public ARM and say what it does differently · load the weights of one into another · derive the whole backward · show which sentences of the article do not hold · keep a batch of one from stopping your training |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) · [hand/conv_bn_act.py](../armlab/hand/conv_bn_act.py) · [torch/attention_refinement.py](../armlab/torch/attention_refinement.py) · and, where they are used, [weights/key_maps.py](../armlab/weights/key_maps.py) · [cost/module_cost.py](../armlab/cost/module_cost.py) |
#
# Equation numbers are those of the class `AttentionRefinementModule`. Where one of them gets a gradient, the gradient has the same number behind a d.

# %%
from collections import OrderedDict

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import armlab.torch as twins
from arm_graph import ARTICLE, arm_graph
from armlab import check, hand, weights
from armlab.cost import ModuleCost
from armlab.data import Scenes, to_rgb
from armlab.hand.attention_refinement import attention_logits
from armlab.hand.batch_norm_activated import activated
from armlab.hand.self_gate import self_gate
from armlab.hand.sequential import in_turn
from tools import compare, source, trained

rng = np.random.default_rng(0)
ORANGE, BLUE = "#E69F00", "#56B4E9"  # the two colours of the band, and of all that belongs to it
PALETTE = np.asarray([[0.93] * 3, [0.9, 0.62, 0.0], [0.34, 0.71, 0.91]])  # background, A, B

# %% [markdown]
# ## 1 · Three modules, one name
#
# All three are
#
# $$f = \ldots \qquad a = \mathrm{BN}(W \cdot \mathrm{GAP}(f)) \qquad y = f\,\sigma(a)$$
#
# and differ in how $f$ comes from $x$.
#
# | version | $f$ | here |
# |---|---|---|
# | the paper's | $x$ | `PaperAttentionRefinement(C)` |
# | the article's, and SeAFusion's from which it was taken | $\mathrm{LReLU}(\mathrm{BN}(\mathrm{conv}_{3\times3}(x)))$, slope 0.01 | `AttentionRefinementModule(C, K)` |
# | the public BiSeNet repositories' | $\mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}_{3\times3}(x)))$ | `AttentionRefinementModule(C, K, "relu")` |
#
# **Predict.** Which of them can change the number of channels? Which two have the same weights, under the same keys?

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
# The paper's keeps its channels. The other two hold the same arrays, and only the activation tells them apart. It has no weights, so no key will ever warn you. Section 4 comes back to that.
#
# The unit in front stands in a file of its own: a convolution, and what follows it. Its backward is the same lines upwards. (`input_grad=False` spares the gradient of an image, which nobody asks for.) `ConvBNAct` differs in what follows: batch normalisation and then the activation, in `activated`, which on a GPU are one kernel.

# %%
source(hand.ConvBN.forward, hand.ConvBNAct.normalised, activated)

# %% [markdown]
# Then the module, and how a map gates itself. Read `forward` beside its numbers:
#
# $$f = \mathrm{act}(\mathrm{BN}(\mathrm{conv}_{3\times3}(x))) \tag{1}$$
# $$a = \mathrm{BN}(W \cdot \mathrm{GAP}(f)) \tag{2}$$
# $$y = f\,\sigma(a) \tag{3}$$

# %%
arm_graph(steps=ARTICLE, backward=False)
source(hand.AttentionRefinementModule.forward, self_gate)

# %% [markdown]
# And its twin in PyTorch: the same names, so that a state loads into either.

# %%
source(twins.AttentionRefinementModule)

# %% [markdown]
# ## 2 · What a trained one does
#
# The toy network of this project has four 3×3 convolutions, then an ARM with a fifth, then two 1×1. It was trained on scenes with handwritten digits. A 7 is class A where the band along the top is orange, and class B where it is blue; everything else is background. Five 3×3 windows on top of each other do not reach from a digit to the band. The gates do.

# %%
net = trained("arm")
scenes = Scenes("test")
indices = range(64)
(orange, label_a), (blue, label_b) = (scenes.batch(indices, state=band) for band in (0, 1))


def until(net, name, x):
    """What the toy network has computed before the layer of this name."""
    layers = net.children()
    names = list(layers)[: list(layers).index(name)]
    return in_turn({name: layers[name] for name in names}, x)[0]


def stages(net, x):
    """f, and of each channel the pooled z, the logit a and the gate s."""
    arm = net.refine
    f, _ = arm.conv(until(net, "refine", x))
    a, _ = attention_logits(f, arm.conv_atten, arm.bn_atten)
    z, _ = hand.global_avg_pool(f)
    s, _ = hand.sigmoid(a)
    return f, z[:, :, 0, 0], a[:, :, 0, 0], s[:, :, 0, 0]


in_orange, in_blue = stages(net, orange), stages(net, blue)
swing = (in_orange[3] - in_blue[3]).mean(axis=0)  # how far each gate opens for orange
order = np.argsort(-swing)
print(net.refine)
print("f", in_orange[0].shape, " gates", in_orange[3].shape)

# %% [markdown]
# **Predict.** The same scene twice, with an orange and with a blue band, and nothing else changed. Each channel has a pooled mean and a gate. Where the mean is larger under orange, is the gate as well?


# %%
def paired_bars(ax, first, second, title, **limits):
    """One pair of bars for each channel, orange and blue."""
    at = np.arange(len(first))
    ax.bar(at - 0.2, first, width=0.4, color=ORANGE)
    ax.bar(at + 0.2, second, width=0.4, color=BLUE)
    ax.set(xlim=(-1, len(first)), xticks=[], **limits)
    ax.set_title(title, fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)


def scene(ax, image, title=""):
    ax.imshow(to_rgb(image), interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=10)


n = 5
fig = plt.figure(figsize=(10, 6), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=[1, 3])
for ax, image, word in zip(
    left.subplots(2, 1), (orange[n], blue[n]), ("orange", "blue"), strict=True
):
    scene(ax, image, f"the band {word}")
axes = right.subplots(3, 1)
names = ["z, the pooled means", "a, the logits", "s, the gates"]
for ax, name, first, second in zip(axes, names, in_orange[1:], in_blue[1:], strict=True):
    paired_bars(ax, first[n, order], second[n, order], name)
axes[1].axhline(0, color="black", linewidth=0.8)
axes[2].axhline(0.5, color="0.5", linewidth=0.8, linestyle=":")
axes[2].set(ylim=(0, 1), xlabel="the 32 channels, sorted by how far orange opens them")
plt.show()

# %% [markdown]
# Not always. Look at the two channels on the left: their means are larger under *blue*, and their gates open for *orange*. A gate is computed from the means of all channels, through $W$, and its own mean is only one of 32. At both ends the gates trade places; those in the middle do not care about the band. Over all 64 scenes:

# %%
open_in_orange, open_in_blue = in_orange[3] > 0.5, in_blue[3] > 0.5
flipped = (open_in_orange != open_in_blue).mean(axis=0)
shift = (in_orange[1] - in_blue[1]).mean(axis=0)  # of the pooled means
print("channels whose gate goes one way and whose mean the other:", (shift * swing < 0).sum())
print("channels whose gate crosses 1/2 in at least 9 of 10 scenes:", (flipped >= 0.9).sum())
print("in less than 1 of 10:", (flipped < 0.1).sum())

# %% [markdown]
# ### What the channels show
#
# Which features does the band open and shut? For each channel, its mean on the pixels of a 7 and its mean on all other pixels below the band:

# %%
f = in_orange[0]
on_seven = label_a[:, ::2, ::2] > 0  # features have half the resolution
ground = ~on_seven
ground[:, :8] = False  # the band, and what the 3×3 windows see of it
on = np.asarray([f[:, c][on_seven].mean() for c in range(32)])
off = np.asarray([f[:, c][ground].mean() for c in range(32)])
extremes = [*order[:4], *order[-4:]]
print("channel  s orange  s blue   f on a 7  f elsewhere")
for c in extremes:
    print(
        f"{c:7}  {in_orange[3][:, c].mean():8.2f}  {in_blue[3][:, c].mean():6.2f}"
        f"   {on[c]:8.2f}  {off[c]:11.2f}"
    )

# %%
shown = [*order[:3], *order[-3:]]
fig, axes = plt.subplots(3, 7, figsize=(11, 5.2), layout="constrained")
scene(axes[0, 0], orange[n], "x")
scene(axes[1, 0], orange[n], "under orange")
scene(axes[2, 0], blue[n], "under blue")
for column, c in enumerate(shown, start=1):
    white = in_orange[0][n, c].max()
    maps = [in_orange[0][n, c]]
    maps += [state[0][n, c] * state[3][n, c] for state in (in_orange, in_blue)]
    words = [f"f, channel {c}"]
    words += [f"f s, s = {state[3][n, c]:.2f}" for state in (in_orange, in_blue)]
    for ax, values, word in zip(axes[:, column], maps, words, strict=True):
        ax.imshow(values, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(word, fontsize=9)
plt.show()

# %% [markdown]
# Channels 25 and 6 both show the strokes of the 7s, and those of the 4 more faintly. Under orange the network reads the first of them, under blue the second. So the layers behind need not know of the band at all: what they see has changed. Channels 21 and 3 light up along an orange band, and hardly anywhere else. They are what the pool hears of it.
#
# The article says that ARM *enhances important features and suppresses unimportant ones*. Which features are important is not a property of the feature. The same map of a 7 is wanted under one band and unwanted under the other. And a gate never enhances: it is below 1. The module *weighs*, and the layers after it have learned with those weights.
#
# ### The band under your hand
#
# Between orange and blue lie colours that the network has never seen. First five mixtures. In the middle row a pixel is grey where the network answers "background", orange for A, and blue for B.


# %%
def mixed(blueness):
    """The scene with its band mixed from the two colours: all the rest is the same in both."""
    return (1 - blueness) * orange[n : n + 1] + blueness * blue[n : n + 1]


def show_mixes(values):
    _, axes = plt.subplots(
        3,
        len(values),
        figsize=(max(2 * len(values), 5), 4.6),
        layout="constrained",
        squeeze=False,
        height_ratios=[2, 2, 1],
    )
    for column, blueness in enumerate(values):
        x = mixed(blueness).astype(np.float32)
        classes = net(x)[0][0].argmax(axis=0)
        gates = stages(net, x)[3][0]
        scene(axes[0, column], x[0], f"{blueness:.0%} blue")
        axes[1, column].imshow(PALETTE[classes], interpolation="nearest")
        axes[1, column].set(xticks=[], yticks=[])
        axes[2, column].bar(np.arange(32), gates[order], color=plt.colormaps["magma"](gates[order]))
        axes[2, column].set(ylim=(0, 1), yticks=[0, 1], xticks=[])
    for ax, word in zip(axes[:, 0], ("x", "classes", "gates"), strict=True):
        ax.set_ylabel(word)
    plt.show()


show_mixes([0, 0.25, 0.5, 0.75, 1])

# %% [markdown]
# In a running notebook, move the slider between the first two of these. Both 7s of the scene get the same gates. Do they change sides at the same mixture?

# %%
slider = ipywidgets.FloatSlider(
    value=0.15, min=0, max=1, step=0.05, description="blue", continuous_update=False
)
_ = ipywidgets.interact(lambda blueness: show_mixes([blueness]), blueness=slider)

# %% [markdown]
# ## 3 · The article, sentence by sentence
#
# The article prints the class in section 2, announces a formula in section 3.1 and leaves it out (it is (1) to (3)), and counts the cost in section 4. Five places where one has to look twice, each with a cell.
#
# ### The start is gone
#
# The listing is an abridged copy of SeAFusion's. What was cut is the initialisation: Kaiming's, with slope $a = 1$, that is a normal distribution with the standard deviation $1/\sqrt{\text{fan\_in}}$, where $\text{fan\_in} = 9C$ for a 3×3. Without it, PyTorch draws as it always does.
#
# **Predict.** PyTorch's own draw is uniform between $\pm 1/\sqrt{\text{fan\_in}}$. What is its standard deviation, in units of $1/\sqrt{\text{fan\_in}}$?

# %%
torch.manual_seed(0)
as_listed = nn.Conv2d(512, 128, 3, padding=1, bias=False).weight.detach()
as_published = nn.init.kaiming_normal_(torch.empty(128, 512, 3, 3), a=1)
by_hand = hand.Conv2d(512, 128, 3, bias=False, rng=0).weight
for name, w in [
    ("as listed", as_listed),
    ("kaiming, a = 1", as_published),
    ("armlab.hand", by_hand),
]:
    print(f"{name:15} std × √fan_in = {float(w.std()) * np.sqrt(512 * 9):.3f}")

# %% [markdown]
# A uniform draw of width 2 has the standard deviation $2/\sqrt{12} = 1/\sqrt3 = 0.577$. So the listed module starts with weights that are $\sqrt3$ times too small. Does that matter? Batch normalisation follows, and it divides by the spread:

# %%
arm = hand.AttentionRefinementModule(6, 5, rng=1, dtype="float64")
small = arm.copy().assign({"conv.conv.weight": arm.conv.conv.weight / np.sqrt(3)})
x = rng.standard_normal((4, 6, 9, 8))
(y, back), (y_small, back_small) = arm(x), small(x)
dy = rng.standard_normal(y.shape)
key = "conv.conv.weight"
ratio = np.abs(back_small(dy)[1][key]).max() / np.abs(back(dy)[1][key]).max()
print(f"largest change of y: {np.abs(y_small - y).max():.1e} of {np.abs(y).max():.1f}")
print(f"largest |dW| is {ratio:.3f} times as large")

# %% [markdown]
# The value stays, up to BN's $\varepsilon$. The gradient grows by what the weight lost: halve a weight before BN, and its gradient doubles. So the first step of plain gradient descent, measured against the weights, is three times as long: $\sqrt3 \cdot \sqrt3$. Before a BN, the initialisation sets a learning rate.
#
# ### LeakyReLU or ReLU
#
# The article's text says LeakyReLU (`3×3 的卷积 + BN + LeakyReLU`), its figure says `3×3 Conv+BN+ReLU`, and the class is called `ConvBNReLU`. In SeAFusion a class of that name holds a LeakyReLU of slope 0.01. The toy network was trained with it.
#
# **Predict.** Swap it for a ReLU, in ARM alone, and train nothing. What happens to the answers between A and B? And if the activation is lost altogether?
#
# The third case is real. Some repositories used InPlaceABN, a batch normalisation with a LeakyReLU *inside*. Whoever replaces it by plain BN loses the activation with it (STDC-Seg, issue 14).


# %%
def arm_with(activation):
    """ARM's forward with another activation, from its three layers."""

    def forward(x, conv, conv_atten, bn_atten):
        f = activation(conv(x))
        a = bn_atten(conv_atten(f.mean(axis=(2, 3), keepdims=True)))
        return f / (1 + np.exp(-a))

    return forward


def layers_of(net, **instead):
    """The layers of the network's ARM, each as a function from an array to an array."""
    layers = net.refine.children() | instead
    return {name: lambda v, layer=layer: layer(v)[0] for name, layer in layers.items()}


def answers(net, x, arm_forward, **instead):
    """The network's classes with another forward in the place of its ARM."""
    y = arm_forward(until(net, "refine", x), **layers_of(net, **instead))
    y, _ = in_turn({name: net.children()[name] for name in ("head", "classify")}, y)
    return hand.resize_bilinear(y, size=x.shape[2:])[0].argmax(axis=1)


def report(name, classes, label):
    """Of the pixels of 7s: how many were found, and how many of those were called A or B rightly."""
    seven = label > 0
    found = seven & (classes > 0)
    print(
        f"{name:24} found {found.sum() / seven.sum():.2f}"
        f"   right between A and B {(classes == label)[found].mean():.2f}"
    )


x, label = scenes.batch(indices)  # each scene with the band that was drawn for it
without = hand.ConvBN(32, 32)  # the 3×3 and BN of ARM, and no activation
without.load_state_dict(net.refine.conv.state_dict()).eval()
activations = {
    "LeakyReLU, as trained": lambda p: np.maximum(p, np.float32(0.01) * p),
    "ReLU": lambda p: np.maximum(p, 0),
    "none: lost": lambda p: p,
}
outcomes = {name: answers(net, x, arm_with(act), conv=without) for name, act in activations.items()}
for name, classes in outcomes.items():
    report(name, classes, label)

# %%
fig, axes = plt.subplots(2, 5, figsize=(10, 4.2), layout="constrained")
for row, m in enumerate((5, 3)):
    scene(axes[row, 0], x[m], "x")
    maps = {"label": label, **outcomes}
    for ax, (name, classes) in zip(axes[row, 1:], maps.items(), strict=True):
        ax.imshow(PALETTE[classes[m]], interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=10)
plt.show()

# %% [markdown]
# Between the two activations nothing changes that anybody would notice: a hundredth of the negative part is little. In training there is a difference. A channel that is negative everywhere has no gradient behind a ReLU, and keeps a hundredth of it behind a LeakyReLU. Losing the activation is another matter: no shape, no key and no error shows it, and the answers are gone.
#
# ### "Only a few parameters", "mainly the pooling"
#
# The article counts *a few more parameters (one 1×1 convolution)* and says that the computing goes *mainly into the global average pooling*. `armlab.cost` counts every part, here for ARM32 on the features of a 480×640 image:

# %%
arm32 = hand.AttentionRefinementModule(512, 128).eval()
branches = ModuleCost(arm32, (1, 512, 15, 20)).branches("")
print(f"{'':36}{'parameters':>10}{'multiply-adds':>15}{'element-wise':>14}")
for (branch, kind), cost in branches.items():
    print(
        f"{branch:10} {kind:24} {cost.parameters:10,} {cost.multiply_adds:14,} {cost.elementwise:13,}"
    )
total = sum(cost.parameters for cost in branches.values())
print(f"{'together':36}{total:10,}")

# %%
labels = [f"{branch} · {kind}" for branch, kind in branches]
counts = {
    "parameters": [cost.parameters for cost in branches.values()],
    "operations": [cost.multiply_adds + cost.elementwise for cost in branches.values()],
}
colours = {"features": "0.6", "attention": "#CC79A7", "gate": "#0072B2"}
fig, axes = plt.subplots(1, 2, figsize=(10, 2.8), layout="constrained", sharey=True)
for ax, (word, values) in zip(axes, counts.items(), strict=True):
    ax.barh(labels, values, color=[colours[branch] for branch, _ in branches])
    for row, value in enumerate(values):
        ax.text(max(value, 1) * 1.3, row, f"{value:,}", va="center", fontsize=8)
    ax.set(xscale="log", xlim=(1, 1e11), title=f"{word} (log scale)")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
plt.show()

# %% [markdown]
# Both sentences need the words *of which part*. The class that is printed holds the 3×3, and that is nearly everything: 589,824 of 606,720 parameters, and more than 99.9 % of the multiply-adds. Of the attention branch and the gate alone, both sentences come close: the 1×1 has 16,384 of their 16,640 parameters, and pooling and multiplying are four fifths of their operations.
#
# ### Exercise 1 · `arm_parameters`
#
# ★☆☆ · 5 minutes
#
# Count them for any $C$ and $K$: the trained numbers of the 3×3 with its BN, and those of the attention branch.


# %% tags=["exercise"]
def arm_parameters(in_channels, out_channels):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def arm_parameters(in_channels, out_channels):
#     of_features = 9 * in_channels * out_channels + 2 * out_channels
#     of_attention = out_channels * out_channels + 2 * out_channels
#     return of_features, of_attention
# ```
#
# Neither convolution has a bias: BN subtracts the mean, and would take it away again. BN's running mean and variance are kept, but not trained.
#
# </details>

# %% tags=["check"]
check.exercise("arm_parameters", arm_parameters)

# %% [markdown]
# ### "Normalised to [0, 1]"
#
# The article says that the sigmoid *normalises the attention weights to [0, 1]*. The word fits a softmax, whose weights add up to 1.
#
# **Predict.** 32 gates. Between which bounds can their sum lie?

# %%
gates = np.concatenate([in_orange[3], in_blue[3]])
print(f"smallest {gates.min():.3f}, largest {gates.max():.3f}")
print(
    f"the sum of an image's 32 gates: {gates.sum(axis=1).min():.1f} … {gates.sum(axis=1).max():.1f}"
)
for a in (17.0, 18.0):
    print(f"float32, a = {a:.0f}: s = 1 is", hand.sigmoid(np.asarray([a], np.float32))[0][0] == 1)

# %% [markdown]
# Anywhere between 0 and 32: each channel is gated alone, and none pays for another. The interval is open, since $e^{-a}$ is never 0. (In float32 $1 + e^{-18}$ is 1 all the same.)
#
# ### ARM against SE
#
# The article's table says that SE recalibrates channels, and that ARM is designed to *keep the spatial information* (保持空间信息).
#
# **Predict.** Shuffle all the pixels of an image, the same way in each channel. How do ARM's gates change? How do SE's?

# %%
f = in_orange[0].astype(np.float64)[:4]
shuffled = f.reshape(4, 32, -1)[:, :, rng.permutation(32 * 32)].reshape(f.shape)
for module in (
    hand.PaperAttentionRefinement(32, rng=0, dtype="float64"),
    hand.SqueezeExcitation(32, 4, rng=0, dtype="float64"),
):
    name = type(module).__name__
    print(name)
    compare("  gates", module.gate(shuffled), module.gate(f))
    for key, value in module.parameters().items():
        print(f"    {key:18} {value.shape}")

# %% [markdown]
# Neither gate knows where anything is. Both multiply each channel by one number, and so both keep the map as it is. Both recalibrate channels. What differs is how the logits are made, and you see all of it in the weights: SE goes through a bottleneck with a ReLU, has biases and no BN; ARM has one square matrix, no bias, and BN. [Lesson 6](06_relatives.ipynb) takes SE and other relatives apart.

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
# All that have the 3×3 have the same twelve arrays: a convolution, a BN with five, a 1×1 convolution, a BN with five. Only the keys differ, and `weights.rename` knows them.

# %%
state = net.refine.state_dict()
module = "AttentionRefinementModule"
others = {to: weights.rename(state, to=to, module=module) for to in ("torchseg", "mmseg")}
for ours, torchseg, mmseg in zip(state, *others.values(), strict=True):
    if not ours.endswith(("running_mean", "running_var", "tracked")):
        print(f"{ours:18} {torchseg:32} {mmseg}")

# %% [markdown]
# Here is a module with TorchSeg's keys, as one would write it with PyTorch's own parts. It gets the trained weights, strictly: each key has to find its place.


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


theirs = WithKeysOfTorchSeg(32, 32)
theirs.load_state_dict(weights.to_torch(others["torchseg"]), strict=True)
theirs.double().eval()

x = until(net, "refine", orange[:4]).astype(np.float64)
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
# PaddleSeg has a ReLU between BN and the sigmoid. As $\mathrm{ReLU}(a) \ge 0$, its gate is at least $\sigma(0) = \tfrac12$.
#
# **Predict.** Logits behind a BN are about as often negative as positive. What part of the gates stands at exactly one half? What gradient do their logits get?

# %%
a = np.concatenate([in_orange[2], in_blue[2]]).astype(np.float64)
s, s_back = hand.sigmoid(a)
positive, relu_back = hand.relu(a)
s_relu, s_relu_back = hand.sigmoid(positive)
ds = rng.standard_normal(a.shape)
dead = relu_back(s_relu_back(ds)) == 0
print(f"σ(a):       {(s < 0.5).mean():.2f} of the gates are below 1/2")
print(f"σ(ReLU(a)): {(s_relu == 0.5).mean():.2f} are 1/2, and {dead.mean():.2f} get no gradient")

fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained", sharey=True)
for ax, values, title in zip(axes, (s, s_relu), ("s = σ(a)", "s = σ(ReLU(a))"), strict=True):
    counts, edges = np.histogram(values, bins=25, range=(0, 1))
    middles = (edges[1:] + edges[:-1]) / 2
    ax.bar(middles, counts / counts.sum(), width=0.038, color=plt.colormaps["magma"](middles))
    ax.set(title=title, xlim=(0, 1), xlabel="gate")
    ax.set_facecolor("0.95")
axes[0].set_ylabel("share of the gates")
plt.show()

# %% [markdown]
# Half of the gates are all alike. They can say nothing about the image, and while they stand there they learn nothing either. What is left ranges from one half to one: a factor of two between the least and the most wanted channel. (mmsegmentation and PaddleSeg do the same in the other module of BiSeNet, FFM.)
#
# ### Exercise 2 · Find the bug
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


x, label = scenes.batch(indices)
report("the trained network", net(x)[0].argmax(axis=1), label)
for forward in (forward_1, forward_2, forward_3):
    report(forward.__name__, answers(net, x, forward), label)

# %% [markdown]
# **Predict.** Name the fault of each. For each, say which numbers of the module it leaves without any use.
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
# `forward_1` builds BN and never calls it (ooooverflow/BiSeNet): the scale, the shift and the running statistics are dead weight, and a summary of the model still counts them. `forward_2` has PaddleSeg's ReLU. `forward_3` pools windows of one pixel (kirilcvetkov92/Semantic-Segmentation-BiSeNet, issue 4), which is no pooling: every pixel gets a gate from itself alone, and the network is blind to the band again. A network that is *trained* with one of these adapts to it as far as it can, and that is why they live so long. The scores above are those of weights that were trained for the right forward.
#
# </details>

# %% tags=["check"]
check.exercise("arm_forward", arm_forward)

# %% [markdown]
# There is a fourth way to get the pool wrong. `avg_pool2d(f, f.size()[2:])` asks for the size at run time, and ONNX export fails on it (pytorch/pytorch, issue 34743). So people write the size of their training images into the code. At any other size:

# %%
for size in (32, 40, 64):
    f = torch.zeros(1, 32, size, size)
    f[:, :, 32:] = 1.0  # below row 32 something shows up
    z = torch.nn.functional.avg_pool2d(f, 32)
    print(
        f"{size}×{size}: avg_pool2d(f, 32) {tuple(z.shape)} {z[0, 0].flatten().tolist()}"
        f"   mean {float(f[0, 0].mean()):.2f}"
    )

# %% [markdown]
# At 40×40 nothing complains, and the last eight rows and columns are never looked at. `f.mean((2, 3), keepdim=True)` is right at every size, and exports.

# %% [markdown]
# ## 5 · The backward, whole
#
# [Lesson 4](04_sigmoid_gate.ipynb) has done the paper's ARM. In front of it now stands the unit (1). Name its steps, and those inside (2):
#
# $$q = W_3 * x, \qquad p = \mathrm{BN}_1(q), \qquad f = \mathrm{LReLU}(p) \tag{1}$$
# $$z = \mathrm{GAP}(f), \qquad u = W z, \qquad a = \mathrm{BN}_2(u) \tag{2}$$
# $$s = \sigma(a), \qquad y = f\, s \tag{3}$$
#
# **Predict.** Which name stands twice on the right? Which of the two BNs sees more values per channel, and how many does each see, for $N$ images of $H \times W$?

# %%
arm_graph(steps=ARTICLE)

# %% [markdown]
# Read upwards.
#
# **(3)** $f$ is used here for the first time. One $s_{nk}$ fed $HW$ pixels:
#
# $$df^{\text{gate}}_{nkij} = dy_{nkij}\, s_{nk}, \qquad ds_{nk} = \sum_{ij} dy_{nkij}\, f_{nkij}, \qquad da = ds\; s\,(1-s) \tag{d3}$$
#
# **(2)** $\mathrm{BN}_2$ sees $m_2 = N$ values per channel. With $\hat u = (u - \mathrm{mean})\,\rho_2$ and $\rho_2 = 1/\sqrt{\mathrm{var} + \varepsilon}$, by (BN 5):
#
# $$dw_2 = \sum_n da\,\hat u, \quad db_2 = \sum_n da, \qquad du = w_2\, \rho_2 \Big( da - \frac{db_2}{m_2} - \hat u\, \frac{dw_2}{m_2} \Big)$$
# $$dW_{kc} = \sum_n du_{nk}\, z_{nc}, \qquad dz_{nc} = \sum_k W_{kc}\, du_{nk}, \qquad df^{\text{pool}}_{ncij} = \frac{dz_{nc}}{HW} \tag{d2}$$
#
# **$f$ is used twice**, so
#
# $$df = df^{\text{gate}} + df^{\text{pool}}$$
#
# **(1)** The activation passes $df$ where $p > 0$, and a hundredth elsewhere. $\mathrm{BN}_1$ sees $m_1 = NHW$ values. Then the 3×3, whose taps $\alpha, \beta$ each met a shifted picture:
#
# $$dp = df \cdot \begin{cases} 1 & p > 0 \\ 0.01 & \text{else} \end{cases} \qquad dq = w_1\, \rho_1 \Big( dp - \frac{db_1}{m_1} - \hat q\, \frac{dw_1}{m_1} \Big)$$
# $$dW_{3,kc\alpha\beta} = \sum_{n,i,j} dq_{nkij}\; x_{nc,\,i+\alpha-1,\,j+\beta-1}, \qquad dx_{ncij} = \sum_{k,\alpha,\beta} W_{3,kc\alpha\beta}\; dq_{nk,\,i-\alpha+1,\,j-\beta+1} \tag{d1}$$
#
# In code, with the trained weights and the features of six scenes, in training mode and float64. The forward first.


# %%
def line_up(v):
    """One number per channel beside features: (K,) -> (1, K, 1, 1)."""
    return v.reshape(1, -1, 1, 1)


def normalised(v, axes, eps=1e-5):
    """v̂ and ρ, over these axes."""
    centred = v - v.mean(axis=axes, keepdims=True)
    rho = 1 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)
    return centred * rho, rho


def bn_backward(dv, v_hat, rho, w, axes):
    """(BN 5): the gradients of the input, the scale and the shift."""
    m = dv.size / w.size
    dw, db = (dv * v_hat).sum(axis=axes, keepdims=True), dv.sum(axis=axes, keepdims=True)
    return w * rho * (dv - db / m - v_hat * dw / m), dw, db


def taps(v):
    """Each tap of a 3×3 with what it meets of the padded v at each pixel."""
    height, width = v.shape[2:]
    padded = np.pad(v, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for alpha in range(3):
        for beta in range(3):
            yield alpha, beta, padded[:, :, alpha : alpha + height, beta : beta + width]


arm = hand.AttentionRefinementModule(32, 32, dtype="float64", rng=0).load_state_dict(state)
x = until(net, "refine", scenes.batch(range(6))[0]).astype(np.float64)
W3, W = arm.conv.conv.weight, arm.conv_atten.weight[:, :, 0, 0]
w1, b1 = line_up(arm.conv.bn.weight), line_up(arm.conv.bn.bias)
w2, b2 = arm.bn_atten.weight, arm.bn_atten.bias

q = sum(np.einsum("kc,ncij->nkij", W3[:, :, i, j], met) for i, j, met in taps(x))
q_hat, rho1 = normalised(q, (0, 2, 3))
p = w1 * q_hat + b1
f = np.maximum(p, 0.01 * p)  # (1)
z = f.mean(axis=(2, 3))
u = z @ W.T
u_hat, rho2 = normalised(u, 0)
a = w2 * u_hat + b2  # (2)
s = hand.sigmoid(a)[0]
y = f * s[:, :, np.newaxis, np.newaxis]  # (3)

y_file, backward = arm(x)
compare("y", y, y_file)

# %% [markdown]
# Then the backward, from the last line to the first.

# %%
dy = rng.standard_normal(y.shape)

df_gate = dy * s[:, :, np.newaxis, np.newaxis]  # (d3)
ds = (dy * f).sum(axis=(2, 3))
da = ds * s * (1 - s)
du, dw2, db2 = bn_backward(da, u_hat, rho2, w2, 0)  # (d2), BN over the images
dW = du.T @ z
dz = du @ W
df_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / f[0, 0].size, f.shape)
df = df_gate + df_pool  # f is used twice
dp = df * np.where(p > 0, 1.0, 0.01)  # (d1)
dq, dw1, db1 = bn_backward(dp, q_hat, rho1, w1, (0, 2, 3))
dW3, dx = np.empty_like(W3), 0
for i, j, met in taps(x):
    dW3[:, :, i, j] = np.einsum("nkij,ncij->kc", dq, met)
for i, j, met in taps(dq):  # the tap (i, j) of dq meets the turned kernel
    dx = dx + np.einsum("kc,nkij->ncij", W3[:, :, 2 - i, 2 - j], met)

# %% [markdown]
# PyTorch is asked for the gradient of each of these names.

# %%
t = {
    name: torch.tensor(value, requires_grad=True)
    for name, value in {"x": x, "W3": W3, "w1": w1, "b1": b1, "W": W, "w2": w2, "b2": b2}.items()
}
flat = {name: t[name].reshape(-1) for name in ("w1", "b1")}
t["q"] = torch.nn.functional.conv2d(t["x"], t["W3"], padding=1)
t["p"] = torch.nn.functional.batch_norm(t["q"], None, None, flat["w1"], flat["b1"], training=True)
t["f"] = torch.nn.functional.leaky_relu(t["p"], 0.01)
t["z"] = t["f"].mean((2, 3))
t["u"] = t["z"] @ t["W"].T
t["a"] = torch.nn.functional.batch_norm(t["u"], None, None, t["w2"], t["b2"], training=True)
t["s"] = torch.sigmoid(t["a"])
y_torch = t["f"] * t["s"][:, :, None, None]

names = ["s", "a", "b2", "w2", "u", "W", "z", "f", "p", "b1", "w1", "q", "W3", "x"]
grads = torch.autograd.grad(y_torch, [t[name] for name in names], torch.tensor(dy))
mine = [ds, da, db2[0], dw2[0], du, dW, dz, df, dp, db1, dw1, dq, dW3, dx]
compare("y", y, y_torch)
for name, gradient, theirs in zip(names, mine, grads, strict=True):
    compare(f"d{name}", gradient, theirs)

# %% [markdown]
# Fourteen gradients. Now shortly: the file calls three functions forward and their three backwards in the opposite order, as you saw in section 1. The same numbers:

# %%
dx_file, grads_file = backward(dy)
compare("dx", dx_file, dx)
long = {"W3": dW3, "w1": dw1, "b1": db1, "W": dW, "w2": dw2, "b2": db2}
for (key, gradient), (name, derived) in zip(grads_file.items(), long.items(), strict=True):
    compare(f"d{name}", gradient, derived.reshape(gradient.shape))
    print(f"{'':13}is {key}")

# %% [markdown]
# ### Where the second way leads
#
# $df^{\text{pool}}$ is small and the same at every pixel. Take the trained network, ask for the score of B minus that of A *on the pixels of one 7*, and send that gradient down to the image. Without attention it must stay near the 7. With ARM it has a second way.
#
# **Predict.** Where else in the image will there be a gradient?


# %%
def gradient_at_image(net, image, pixels):
    """Of the mean of B − A over these pixels, with respect to the image."""
    y, backward = net(image)
    dy = np.zeros_like(y)
    dy[:, 2, pixels], dy[:, 1, pixels] = 1 / pixels.sum(), -1 / pixels.sum()
    dx, _ = backward(dy)
    return np.abs(dx[0]).sum(axis=0)


image, pixels = orange[n : n + 1], label_a[n] > 0
columns = np.flatnonzero(pixels.any(axis=0))
first = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)[
    0
]  # of the digits, the left one
pixels = pixels & np.isin(np.arange(64), first)
fig, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
scene(axes[0], orange[n], "x, and the pixels asked about")
axes[0].contour(pixels, levels=[0.5], colors="#CC79A7", linewidths=1.5)
for ax, attention in zip(axes[1:], ("none", "arm"), strict=True):
    g = gradient_at_image(trained(attention), image, pixels)
    print(
        f"{attention:5} share of |dx| in the band: {g[:8].sum() / g.sum():.3f}"
        f"   pixels with any gradient: {(g > 0).mean():.2f}"
    )
    drawn = ax.imshow(np.log10(np.maximum(g / g.max(), 1e-5)), cmap="viridis", vmin=-5, vmax=0)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"|dx|, attention: {attention}", fontsize=10)
bar = fig.colorbar(drawn, ax=axes[2], ticks=[-5, -3, -1])
bar.ax.set_yticklabels(["≤ 10⁻⁵", "10⁻³", "10⁻¹"], fontsize=8)
plt.show()

# %% [markdown]
# Without attention the gradient ends at the edge of the window. With ARM every pixel hears of this 7, and more than a third of the gradient lies in the band, where the network has learned to look. Leave the plus out of the backward, and this whole picture is lost, while `dx` near the digit still looks right.
#
# ### Exercise 3 · `arm_backward`
#
# ★★☆ · 10 minutes
#
# From the three backwards that `forward` has kept: `gate_back(dy)` gives `(df, da)`, `logits_back(da)` gives `(df_pooled, grads)`, and `conv_back(df)` gives `(dx, grads)`. Return `dx`. Call `conv_back` once.


# %% tags=["exercise"]
def arm_backward(dy, gate_back, logits_back, conv_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def arm_backward(dy, gate_back, logits_back, conv_back):
#     df, da = gate_back(dy)
#     df_pooled, d_logits = logits_back(da)
#     dx, d_conv = conv_back(df + df_pooled)
#     return dx
# ```
#
# A backward is linear, so `conv_back(df)[0] + conv_back(df_pooled)[0]` is right as well. It costs twice as much, and the 3×3 is nearly all of the cost.
#
# </details>

# %% tags=["check"]
check.exercise("arm_backward", arm_backward)

# %% [markdown]
# ## 6 · Who else is in the batch
#
# In training, $\mathrm{BN}_2$ has one value per image. [Lesson 4](04_sigmoid_gate.ipynb) showed the ends: with one image there is nothing left, with two only a sign. Now the trained module, on real scenes. Scene 0 stays, its company changes: 60 draws for each size of batch.
#
# **Predict.** How far does a gate of the *same image* move? How does that depend on the size of the batch?

# %%
f, _ = net.refine.conv(until(net, "refine", scenes.batch(range(256))[0]))
u, _ = net.refine.conv_atten(hand.global_avg_pool(f)[0])  # (256, 32, 1, 1)
bn = net.refine.bn_atten
sizes = (2, 3, 4, 8, 16, 32, 64)
chosen = [order[0], order[-1], int(np.argmin(np.abs(swing)))]
kept, _ = bn(u[:1])
draws = np.random.default_rng(1)
fig, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained", sharey=True)
for ax, c in zip(axes, chosen, strict=True):
    spread = {}
    for place, size in enumerate(sizes):
        found = []
        for _ in range(60):
            company = np.concatenate([[0], 1 + draws.permutation(255)[: size - 1]])
            (normed, *_), _ = hand.batch_norm(u[company], bn.weight, bn.bias)
            found.append(hand.sigmoid(normed)[0][0, c, 0, 0])
        spread[size] = np.ptp(found)
        colours = plt.colormaps["magma"](np.asarray(found))
        at = place + draws.uniform(-0.2, 0.2, 60)
        ax.scatter(at, found, s=7, color=colours, edgecolors="0.4", linewidths=0.3)
    ax.axhline(hand.sigmoid(kept)[0][0, c, 0, 0], color="#009E73", label="in evaluation mode")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set(title=f"channel {c}", xlabel="images in the batch", ylim=(0, 1))
    print(f"channel {c:2}: the gate moves by", {k: round(float(v), 2) for k, v in spread.items()})
axes[0].set_ylabel("gate of scene 0")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# In a batch of two, channel 6 has two levels: scene 0 is the larger of the two, or the smaller. In channels 25 and 22 it is nearly always the smaller, and the gate nearly always the same, whatever the image looks like. From three on the gates spread around their value in evaluation mode (green). With eight, as in the training of this network, one of them still moves by a third of the whole scale, for the same image with the same weights. With 64 the company hardly matters.
#
# So the loss sees noisy gates, and prediction uses quiet ones. That is batch normalisation anywhere; but elsewhere it averages over $NHW$ values, and here over $N$.
#
# ### The last batch of an epoch
#
# Nobody trains ARM with a batch size of 1. But 1,797 digits in batches of 4 are 449 full batches, and one image is left over:

# %%
images = rng.standard_normal((9, 8, 4, 4)).astype(np.float32)
arm = hand.AttentionRefinementModule(8, 4, rng=0)
for start in range(0, len(images), 4):
    batch = images[start : start + 4]
    try:
        y, _ = arm(batch)
        print("batch of", len(batch), "->", y.shape)
    except ValueError as error:
        print("batch of", len(batch), "-> ValueError:", error)

# %% [markdown]
# This is reported in one repository after another, and usually as "it crashes at the end of the first epoch". What helps and what does not:
#
# | | |
# |---|---|
# | `DataLoader(..., drop_last=True)` | helps; some images are skipped in each epoch, others in each if they are shuffled |
# | a larger batch | helps, against both the error and the noise above |
# | `eval()` for validation and prediction | helps; there the kept statistics are used |
# | adding gradients up over several small batches | does not help: each small batch is still normalised alone |
# | a dummy copy of the image | makes it worse: two equal values have no spread, and every gate is $\sigma(b)$ |
#
# ### Exercise 4 · `usable_batches`
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
# ## Five questions
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
# 3. Why does neither convolution of ARM have a bias? The 1×1 of ooooverflow/BiSeNet has one. Is it of any use there?
#
# <details><summary>Answer</summary>
#
# BN subtracts the mean of the batch, and a bias goes with it; BN's own shift does the work. In that repository BN is built and never used, so nothing takes the bias away, and it is of use.
#
# </details>
#
# 4. In the backward, $f$ collects two gradients and $x$ only one. In the paper's version $x$ collects two. Why?
#
# <details><summary>Answer</summary>
#
# What is gated is also what is pooled. That is $f$; in the paper's version $f$ is $x$ itself.
#
# </details>
#
# 5. All weights of the 3×3 are multiplied by 10 in training mode. What happens to $y$, and to $dW_3$?
#
# <details><summary>Answer</summary>
#
# $y$ stays, up to BN's $\varepsilon$. $dW_3$ is a tenth.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | attention refinement module (ARM) | 注意力细化模块 | (1) to (3) |
# | feature transform | 特征变换 | the 3×3 with BN and activation in front, $f$ |
# | attention branch | 注意力分支 | from the pool to the logit, (2) |
# | initialisation | 初始化 | how weights are drawn; here std $1/\sqrt{\text{fan\_in}}$ |
# | fan-in | 扇入 | how many inputs one output sums over: $9C$ for a 3×3 |
# | state, checkpoint | 状态字典, 检查点 | the arrays by key; activations are not in it |
# | LeakyReLU | 带泄漏的 ReLU | $p$ where positive, $0.01\,p$ elsewhere |
# | incomplete batch | 不完整批次 | what is left at the end of an epoch |
#
# ## What comes next
#
# [Lesson 6](06_relatives.ipynb) changes one line at a time, and gets SE, eSE, ECA, CBAM and SimAM. [Lesson 7](07_spatial_attention.ipynb) turns the gate around. The [contents](index.ipynb) show the path.
#
# Photographs in the scenes: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

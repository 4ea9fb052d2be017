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
# # 8c · A trained BiSeNet, and the article's network
#
# **Goal.** Find out by which way a trained network tells what it tells, and know the paper's network, the article's, and what an ARM costs in them.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 8a](08a_resizing_and_fusion.ipynb): feature fusion and its backward · [lesson 8b](08b_bisenet.ipynb): the network |
# | Afterwards you can | test which of several ways a network uses, by grafting · derive the backward of CoinCheung's feature fusion · tell the paper's network from the article's · say what an ARM costs in a network · see why an old checkpoint does not load |
# | Runs on | CPU; no GPU needed. A short training runs in section 1 |
# | Explains | [hand/feature_fusion.py](../armlab/hand/feature_fusion.py) · [hand/three_scale_context_path.py](../armlab/hand/three_scale_context_path.py) · [hand/three_scale_bisenet.py](../armlab/hand/three_scale_bisenet.py) |
#
# The last lesson of chapter 8 goes over the map once more, with a network that has learned something.

# %%
import matplotlib.pyplot as plt
import numpy as np

from armlab import check, cost, hand
from armlab.cost.cost_table import percent
from armlab.data import CLASSES, Scenes
from armlab.training.metrics import ConfusionMatrix
from armlab.training.optimisers import Adam
from armlab.training.schedules import one_cycle
from bisenet_map import ARTICLE, bisenet_map
from tools import compare, feature_map, picture, scene, source, trained_bisenet

# %%
bisenet_map()

# %% [markdown]
# ## 1 · A network to look into
#
# The task is that of `armlab train`: handwritten digits on photographs. The digit 7 is class A if the band along the top edge is orange, and class B if it is blue. All else is background. A network that is right where it finds a 7 has heard of the band.
#
# This trains a BiSeNet of an eighth of the paper's channels: each of its three outputs has a loss, and the losses are added.


# %%
def train(net, steps, batch=8, peak=6e-3):
    """Adam on scenes that no step has seen before; the three losses of each step."""
    scenes, optimiser, history = Scenes("train"), Adam(), []
    for step in range(steps):
        images, labels = scenes.batch(range(step * batch, (step + 1) * batch))
        outputs, backward = net(images)
        losses = [hand.cross_entropy(y, labels) for y in outputs]
        _, grads = backward(tuple(loss_back(1.0) for _, loss_back in losses), input_grad=False)
        optimiser.step(net, grads, one_cycle(step, steps, peak))
        history.append([float(loss) for loss, _ in losses])
    return np.asarray(history)


mine = hand.ToyBiSeNet(rng=0)
history = train(mine, steps=120)
mine.eval()

# %% [markdown]
# That was yours, and another machine would end in other weights. For what this lesson says there is a kept one, from the same function after 240 steps.
#
# **Predict.** What will its outlines be like, for digits of 16 pixels, when its features stand at an eighth of the image?
#
# <details><summary>Answer</summary>
#
# Coarse: a digit is 2 by 2 numbers there, and the head makes a blob of them. IoU is the shared area over the united one, 0.38 for A and for B. But where it finds a 7 it knows which of the two classes it is, without exception.
#
# </details>

# %%
net = trained_bisenet()
test_scenes = Scenes("test")
orange, blue = (test_scenes.batch(range(64), band) for band in (0, 1))  # images and labels
counts = ConfusionMatrix(len(CLASSES))
for images, labels in (orange, blue):
    counts.add(labels, net(images)[0].argmax(axis=1))
print("IoU:", dict(zip(CLASSES, counts.iou().round(2).tolist(), strict=True)))
print(f"of the digit pixels found, told apart: {counts.accuracy_among([1, 2]):.3f}")
assert counts.accuracy_among([1, 2]) == 1
assert all(counts.iou()[1:].round(2) == 0.38)

fig, axes = plt.subplots(
    2, 5, figsize=(11, 4.2), layout="constrained", width_ratios=[1.5, 1, 1, 1, 1]
)
for ax in axes[:, 0]:
    ax.remove()
curve = fig.add_subplot(axes[0, 0].get_gridspec()[:, 0])
for column, name in enumerate(("head", "auxiliary, of y₈", "auxiliary, of y₁₆")):
    curve.semilogy(history[:, column], label=name, color=("#000000", "#E69F00", "#56B4E9")[column])
curve.set(xlabel="step", title="your training: three losses")
curve.legend(fontsize=8)
tint = np.asarray([[0.15, 0.15, 0.15], [0.90, 0.62, 0.00], [0.34, 0.71, 0.91]])
for row, (images, _) in enumerate((orange, blue)):
    for column, n in enumerate((0, 2)):
        scene(axes[row, 1 + 2 * column], images[n], "a test scene")
        answer = net(images[n : n + 1])[0].argmax(axis=1)[0]
        picture(axes[row, 2 + 2 * column], tint[answer].transpose(2, 0, 1), "its classes")
plt.show()

# %% [markdown]
# One thing this does *not* show is that attention is needed. A trunk with so many strides sees the band from far away, with or without an ARM. For that question there is a network with a small window, in [lesson 9a](09a_context.ipynb). Here we only want to see what goes on inside.
#
# ## 2 · What the maps know
#
# Where does the image go before anything pools?

# %%
bisenet_map({"trunk", "spatial"})

# %% [markdown]
# These functions follow the map with the network's own parts. `joined` makes the maps in which others meet, so that some of these can be exchanged.


# %%
def through(net, x):
    """Every map by its name. A network in evaluation mode stays as it is."""
    cp, m = net.cp, {"x": x}
    (m["f8"], m["f16"], m["f32"]), _ = cp.resnet(x)
    m["g"], _ = cp.conv_avg(hand.global_avg_pool(m["f32"])[0])
    m["r32"], _ = cp.arm32(m["f32"])
    m["r16"], _ = cp.arm16(m["f16"])
    m["sp"], _ = net.sp(x)
    return m | joined(net, m)


def joined(net, m):
    """The maps in which the others meet. The FFM's f, where it is given, stays."""
    up, _ = hand.resize_nearest(m["r32"] + m["g"], size=m["f16"].shape[2:])
    y16, _ = net.cp.conv_head32(up)
    up, _ = hand.resize_nearest(m["r16"] + y16, size=m["f8"].shape[2:])
    y8, _ = net.cp.conv_head16(up)
    f = m["f"] if "f" in m else net.ffm(m["sp"], y8)[0]
    y, _ = hand.resize_bilinear(net.conv_out(f)[0], size=m["x"].shape[2:])
    return {"y16": y16, "y8": y8, "f": f, "y": y}


a, b = (through(net, images) for images, _ in (orange, blue))
assert np.array_equal(a["y"], net(orange[0])[0])

# %% [markdown]
# Each test scene stands there twice, with the orange band and with the blue one, and all else equal. So the difference of a map is what it knows of the band.
#
# **Predict.** The band is in rows 0 to 7, the digits stand from row 30 on. In which of $\mathit{sp}$, $f_8$, $f_{16}$ and $f_{32}$ does the band make a difference in the lower half of the map?
#
# <details><summary>Answer</summary>
#
# In the three of the trunk, the more the deeper. In the bottom row of $f_8$ it is a thousandth of the map's mean, in that of $f_{16}$ a third, in that of $f_{32}$ more than all of it. The spatial path sees 19 pixels: below the third of its eight rows nothing changes, not in the last bit.
#
# </details>

# %%
busiest = {f: a[f][2].std(axis=(1, 2)).argsort()[::-1][:2] for f in ("f8", "f16", "f32")}
fig, axes = plt.subplots(2, 7, figsize=(12, 3.6), layout="constrained")
for row, (maps, band) in enumerate(((a, "orange"), (b, "blue"))):
    scene(axes[row, 0], maps["x"][2], f"{band} band")
    for ax, (f, k) in zip(
        axes[row, 1:], ((f, k) for f, ks in busiest.items() for k in ks), strict=True
    ):
        feature_map(ax, maps[f][2, k], f"{f}, channel {k + 1}")
        ax.images[0].set_clim(0, max(a[f][2, k].max(), b[f][2, k].max()))
plt.show()

fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
heard = {}
for f, colour in (("sp", "0.6"), ("f8", "#56B4E9"), ("f16", "#0072B2"), ("f32", "#CC79A7")):
    heard[f] = np.abs(a[f] - b[f]).mean(axis=(0, 1, 3)) / np.abs(a[f]).mean()
    rows = len(heard[f])
    ax.stairs(heard[f], np.arange(rows + 1) * 64 / rows, label=f, color=colour, linewidth=2)
ax.set(xlabel="row of the image", ylabel="difference / mean", xlim=(0, 64))
ax.legend()
plt.show()
assert not heard["sp"][3:].any()
assert heard["f8"][-1] < 0.002 < 0.3 < heard["f16"][-1] < 0.4 < 1 < heard["f32"][-1]

# %% [markdown]
# And the gates, of 16 test scenes with either band. A line is a scene, a column a channel.

# %%
fig, axes = plt.subplots(2, 2, figsize=(10, 4.4), layout="constrained", sharex=True)
for column, (name, arm, f) in enumerate(
    [("ARM32", net.cp.arm32, "f32"), ("ARM16", net.cp.arm16, "f16")]
):
    gates = [arm.gate(maps[f])[:, :, 0, 0] for maps in (a, b)]
    order = (gates[1] - gates[0]).mean(axis=0).argsort()
    for row, (s, band) in enumerate(zip(gates, ("orange", "blue"), strict=True)):
        drawn = axes[row, column].imshow(s[:16, order], cmap="magma", vmin=0, vmax=1, aspect="auto")
        axes[row, column].set(title=f"{name}, {band} band", xticks=[], yticks=[])
    axes[1, column].set_xlabel("channels, by what the band does to them")
    moved, spread = np.abs(gates[1] - gates[0]).mean(), gates[0].std(axis=0).mean()
    print(f"{name}: the band moves a gate by {moved:.2f}; the scenes scatter it by {spread:.2f}")
    assert moved > 3 * spread
axes[0, 0].set_ylabel("16 scenes")
fig.colorbar(drawn, ax=axes, ticks=[0, 0.5, 1], label="gate")
plt.show()

# %% [markdown]
# Many gates stand in one place with the orange band and in another with the blue one, far more apart than from scene to scene. So gates *know* the band.
#
# ## 3 · By which way the answer goes
#
# Is it the gates, then, that decide between A and B? They are not alone in looking at the whole image. Three kinds of modules pool: the ARMs, $g$, and the FFM, whose gate comes from a mean over both paths.

# %%
bisenet_map({"arm", "context", "fusion"})

# %% [markdown]
# That can be tested by **grafting**. Run the network on scenes with the orange band, and replace one map by the one that the same scene has with the blue band. Then count the digit pixels that turn from A to B.
#
# **Predict.** Order these by how many pixels they turn: the gates of both ARMs, the global context $g$, both of these together, the spatial path, the gate of the FFM.
#
# <details><summary>Answer</summary>
#
# In the kept network, both together turn every pixel. $g$ alone turns 12 of 100, and the gates alone none: they scale features that still say A, and need $g$ beside them. The spatial path and the gate of the FFM turn none. So parts that say next to nothing alone can say everything together.
#
# </details>


# %%
def grafts(net):
    """Of the digit pixels that were found, the share that turns from A to B, for each graft."""
    a, b = (through(net, images) for images, _ in (orange, blue))
    found = (a["y"].argmax(axis=1) > 0) & (orange[1] == 1)
    given = {name: a[name] for name in ("x", "f8", "f16", "g", "r32", "r16", "sp")}

    def turned(changed):
        y = joined(net, given | changed)["y"]
        return (y[:, 2] > y[:, 1])[found].mean()

    def gated(arm, f):  # features of the one, gates of the other
        return arm.conv(a[f])[0] * arm.gate(b[f])

    gates = {"r32": gated(net.cp.arm32, "f32"), "r16": gated(net.cp.arm16, "f16")}
    mixed, _ = net.ffm._mixed(a["sp"], a["y8"])
    path = {name: b[name] for name in ("g", "r32", "r16")}
    return {
        "nothing": turned({}),
        "the gates of both ARMs": turned(gates),
        "the global context g": turned({"g": b["g"]}),
        "those gates and g": turned(gates | {"g": b["g"]}),
        "all of the context path": turned(path),
        "the gate of the FFM": turned({"f": mixed + mixed * net.ffm.gate(b["sp"], b["y8"])}),
        "the spatial path": turned({"sp": b["sp"]}),
        "both paths": turned(path | {"sp": b["sp"]}),
    }


kept, yours = grafts(net), grafts(mine)
fig, axes = plt.subplots(1, 2, figsize=(11, 2.9), layout="constrained", sharey=True)
for ax, shares, title in zip(axes, (kept, yours), ("the kept network", "yours"), strict=True):
    ax.barh(list(shares), list(shares.values()), color="#0072B2")
    for at, share in enumerate(shares.values()):
        ax.text(share + 0.01, at, f"{share:.3f}", va="center", fontsize=9)
    ax.set(xlim=(0, 1.15), xlabel="share of the digit pixels that turn", title=title)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
plt.show()
assert kept["those gates and g"] == kept["both paths"] == 1
assert 0.1 < kept["the global context g"] < 0.14
assert not any(kept[way] for way in ("the gates of both ARMs", "the gate of the FFM"))

# %% [markdown]
# A gate that *looks* informed is no proof that it is used alone. Nor is this a law of BiSeNet: on the right is your network, from the same random weights with half as many steps. When this text was written, its $g$ turned 98 pixels in 100 by itself. Where several ways lead to the answer, chance decides which is taken. So a claim that one module is *needed* takes a network with no other way, or a trained network without it. The experiment itself is cheap, and can be made with any network: graft, and count.
#
# The paper's own table compares trained networks (mIoU on Cityscapes, one run each, as reported there). Global pooling alone added 1.00 to the fused network, ARM alone 1.30, and both together 3.98, more than the sum.
#
# ## 4 · CoinCheung's fusion, and old checkpoints
#
# The FFM of this network is CoinCheung's since 2021. Its gate has one layer with batch normalisation, as ARM's has, in the place of the two layers of (8.8), $W_2\,\mathrm{ReLU}(W_1\,\mathrm{GAP}(f))$:

# %%
bisenet_map({"fusion"})

# %% [markdown]
# $$a = \mathrm{BN}\big(W\,\mathrm{GAP}(f)\big) \tag{8.18}$$
#
# **Predict.** The factors $1 + s$ of an FFM can lie between 1 and 2. Where will those of the trained one lie: all at one value, or spread?
#
# <details><summary>Answer</summary>
#
# In two heaps, around 1.25 and around 1.75, with few between. No channel is shut out, and none quite doubled: the network chooses which of its channels are heard more. The picture has one of each, with one scale before and behind the gate.
#
# </details>

# %%
f, _ = net.ffm._mixed(a["sp"][:8], a["y8"][:8])
s = net.ffm.gate(a["sp"][:8], a["y8"][:8])[:, :, 0, 0]
n = 2
raised, left = s[n].argmax(), np.where(f[n].max(axis=(1, 2)) > 0.5, s[n], 2).argmin()
strongest = {name: a[name][n][a[name][n].std(axis=(1, 2)).argmax()] for name in ("sp", "y8")}

fig, axes = plt.subplots(2, 4, figsize=(10, 4.6), layout="constrained")
scene(axes[0, 0], a["x"][n], "the scene")
feature_map(axes[0, 1], strongest["sp"], "sp, strongest channel")
feature_map(axes[0, 2], strongest["y8"], "y₈, strongest channel")
axes[0, 3].hist(1 + s.ravel(), np.linspace(1, 2, 21), color="#CC79A7")
axes[0, 3].set(xlim=(1, 2), yticks=[])
axes[0, 3].set_title("factors 1 + s", fontsize=10)
for column, k in ((0, raised), (2, left)):
    feature_map(axes[1, column], f[n, k], f"before, channel {k + 1}")
    feature_map(axes[1, column + 1], a["f"][n, k], f"behind, {1 + s[n, k]:.2f} ×")
    for ax in axes[1, column : column + 2]:
        ax.images[0].set_clim(0, 2 * f[n, k].max())
plt.show()
low, _, between, _, high = np.histogram(1 + s, [1.15, 1.3, 1.4, 1.55, 1.65, 1.8])[0]
assert between < min(low, high)

# %% [markdown]
# ### Exercise 1 · `feature_fusion_backward`
#
# ★★★ · 15 minutes
#
# Only (8.8) has changed, so only one of the pieces of lesson 8a has. You are given `dy`, $f$ behind the mixture as `f`, and the gate `s` of shape `(N, K, 1, 1)`; `logits_back(da)`, which returns what comes back to $f$ through (8.18); and `mix_back(df)`, which returns `dsp, dcp`. Return these two.
#
# There is a way to get this wrong that no shape gives away: forget the residual. Try it, once your answer is right.


# %% tags=["exercise"]
def feature_fusion_backward(dy, f, s, logits_back, mix_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def feature_fusion_backward(dy, f, s, logits_back, mix_back):
#     ds = (dy * f).sum(axis=(2, 3), keepdims=True)
#     df = dy + dy * s + logits_back(ds * s * (1 - s))
#     return mix_back(df)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("feature_fusion_backward", feature_fusion_backward)

# %% [markdown]
# In the file all kinds of FFM share the mixture and $y = f + f\,\sigma(a)$, (8.9), and differ in `_logits`; what is (4) there is (8.18). The weights of a checkpoint from before 2021 do not load into the network of today, and should not: they are another function.

# %%
source(hand.SingleLayerFeatureFusion._logits)
old = hand.FeatureFusionModule(32, 32, reduction=4, rng=0)
try:
    hand.SingleLayerFeatureFusion(32, 32).load_state_dict(old.state_dict())
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# The remedy is the one that the sentence names: build the network that the weights were made for, here `hand.BiSeNet(reduction=4)`. What would be wrong is to leave out the keys that do not fit. Then the FFM gates with weights that nobody trained.
#
# ## 5 · The article's network
#
# The article's ARM32, ARM16 *and ARM8* come from another network: SeAFusion's variant of BiSeNet, which segments for image fusion.
#
# | | BiSeNet (paper, CoinCheung) | the article (SeAFusion) |
# |---|---|---|
# | spatial path | yes | none |
# | ARMs | at 1/16 and 1/32 | at 1/8, 1/16 and 1/32 |
# | global context $g$ | yes | none |
# | scales are joined by | adding | stacking, a 1×1, and two gates |
# | resizing inside | nearest (CoinCheung), bilinear (TorchSeg) | bilinear |
# | activation | ReLU | LeakyReLU 0.01 |
# | fusion | FFM | a gate from the deeper scale, element by element |
# | auxiliary heads | two | one |

# %%
bisenet_map(network=ARTICLE)

# %% [markdown]
# $[\,\cdot\,;\,\cdot\,]$ is stacking. The two gates are made by a pointwise convolution, so they have one value for each element, and they let the deeper scale decide what passes of the finer one:
#
# $$g_{16} = m_{16}\; \sigma\big(\mathrm{BN}(\mathrm{conv}_{1\times1}(r_{32}\!\uparrow))\big), \qquad g_8 = m_8\; \sigma\big(\mathrm{BN}(\mathrm{conv}_{1\times1}(g_{16}))\big) \tag{8.19}$$
#
# **Predict.** Which maps behind the ARMs get more than one gradient, and how many?
#
# <details><summary>Answer</summary>
#
# $r_{16}$ gets three, as it is stacked at 1/16, stacked at 1/8, and an output with a head of its own. $r_{32}$ gets two, as it is stacked and makes a gate. (Of the trunk, $f_8$ and $f_{16}$ get two each.)
#
# </details>
#
# In the backward of `ThreeScaleContextPath` that is one line each, with `collect` for the pluses:
#
# ```python
# dr16 = collect(dr16, up16_back(dup16), dy16)  # r16 is used three times
# dr32 = collect(far32_back(dfar32), up32_back(dup32))  # and r32 twice
# ```
#
# A gradient is linear, so each part can be had alone. Sent in together, they must add up.

# %%
article = hand.ThreeScaleContextPath(8, rng=0, dtype="float64")
(y8, r16), article_back = article(orange[0][:4].astype(float))
rng = np.random.default_rng(0)
dy8, dr16 = rng.standard_normal(y8.shape), rng.standard_normal(r16.shape)
dx, grads = article_back((dy8, dr16))
dx_fused, grads_fused = article_back((dy8, None))
dx_own, grads_own = article_back((None, dr16))
compare("dx", dx_fused + dx_own, dx)
key = "arm16.conv_atten.weight"
compare("dW of ARM16", grads_fused[key] + grads_own[key], grads[key])
assert not grads_own["arm32.conv_atten.weight"].any()  # the head of r16 does not ask for r32

# %% [markdown]
# ## 6 · What it costs
#
# **Predict.** BiSeNet with 19 classes on an image of 1024 × 2048. What share of all multiply-adds is in its two ARMs? And in their attention branches, without the 3×3?
#
# <details><summary>Answer</summary>
#
# 3 %, and less than a millionth: almost nothing of an ARM's cost is attention. A branch works on one pixel, the 3×3 on all of them. The 3×3 is there to bring 512 or 256 channels down to 128, which some convolution would have to do anyway.
#
# </details>

# %%
report = cost.ModuleCost(hand.BiSeNet(19).eval(), (1, 3, 1024, 2048))
parts = {"trunk": "cp.resnet", "spatial path": "sp", "ARM32": "cp.arm32", "ARM16": "cp.arm16"}
parts |= {"conv_avg (g)": "cp.conv_avg", "conv_head32": "cp.conv_head32"}
parts |= {"conv_head16": "cp.conv_head16", "FFM": "ffm", "head": "conv_out"}
whole, arms = report.total.multiply_adds, report.of(*report.arms).multiply_adds
branches = report.without_features(*report.arms).multiply_adds
print(f"multiply-adds {whole / 1e9:.3f} G")
print(f"both ARMs {percent(arms, whole)} %, their attention {percent(branches, whole)} %")
assert 0.03 < arms / whole < 0.031
assert branches / whole < 1e-6

shares = {name: report.of(path).multiply_adds / whole for name, path in parts.items()}
fig, ax = plt.subplots(figsize=(8, 2.9), layout="constrained")
colours = ["#CC79A7" if "ARM" in name else "0.6" for name in shares]
ax.barh(list(shares), list(shares.values()), color=colours)
for at, (name, share) in enumerate(shares.items()):
    text = percent(report.of(parts[name]).multiply_adds, whole)
    ax.text(share + 0.005, at, f"{text} %", va="center", fontsize=9)
ax.set(xlim=(0, 0.72), xticks=[], xlabel="share of the multiply-adds")
ax.invert_yaxis()
ax.spines[["top", "right", "bottom"]].set_visible(False)
plt.show()

# %% [markdown]
# `armlab cost BiSeNet` prints the whole table.
#
# ## Four questions
#
# 1. The gates of both ARMs, grafted, turn no pixel. May they be taken out of the kept network?
#
# <details><summary>Answer</summary>
#
# That does not follow. With $g$ beside them they turn every pixel, and $g$ without them turns 12 of 100. What a part does depends on what the others do.
#
# </details>
#
# 2. Grafting both paths turns every pixel. Why must it?
#
# <details><summary>Answer</summary>
#
# Behind both paths everything is made of their maps. With all of them from the blue scene the network's answer is that for the blue scene, where it calls these pixels B.
#
# </details>
#
# 3. Two checkpoints have the same keys and shapes. Are they of the same function?
#
# <details><summary>Answer</summary>
#
# Not surely. Whether corners are aligned in a resizing, for one, stands in no key.
#
# </details>
#
# 4. The image has twice as many rows and columns. What becomes of the multiply-adds of an ARM's 3×3, and of its 1×1 in the branch?
#
# <details><summary>Answer</summary>
#
# Four times as many, and the same number: the branch works on one pixel, whatever the image.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | grafting | 移植 | one map of a run replaced by that of another run |
# | global context | 全局上下文 | $g$, the mean of $f_{32}$ through a 1×1 |
# | feature fusion module (FFM) | 特征融合模块 | in the network of this lesson with the gate (8.18) |
# | multi-scale | 多尺度 | features of 1/8, 1/16 and 1/32 together |
# | element-wise gate | 逐元素门控 | one value for each element, (8.19) |
# | multiply-add | 乘加运算 | a product that is added to a sum; what cost is counted in |
# | checkpoint | 检查点 | the weights of a trained network in a file |
#
# ## What comes next
#
# [Lesson 9a](09a_context.ipynb) has a task that provably needs context, and [lesson 10b](10b_measured_claims.ipynb) the article's claims, measured: there ARM has to show what it is good for. [Lesson 11a](11a_gpu.ipynb) runs the same source on a GPU. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

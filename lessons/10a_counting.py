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
# # 10a · Counting: parameters and multiply-adds
#
# **Goal.** Say of each claim about the cost of ARM which part of the module it is true of, and against what it is compared.
#
# | | |
# |---|---|
# | Time | 55 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb): what ARM computes · [Lesson 5a](05a_arm_versions.ipynb): the paper's module and the article's · [Lesson 8b](08b_bisenet.ipynb): where they stand in a network |
# | Afterwards you can | count parameters and multiply-adds by hand · say which part of a module a number is of · say what a table of single runs supports |
# | Runs on | CPU; no GPU needed |
# | Explains | [cost/rules.py](../armlab/cost/rules.py) · [cost/module_cost.py](../armlab/cost/module_cost.py) |
#
# This is the first half of chapter 10, on the claims of the article. It counts, and what can be counted needs no training. The second, [lesson 10b](10b_measured_claims.ipynb), measures, and puts intervals around what it finds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from armlab import check, hand
from armlab.cost import ATTENTION, GATE, ModuleCost, rules
from armlab.cost.cost_table import percent, scaled
from tools import compare, source

ORANGE, RED, PURPLE = "#E69F00", "#D55E00", "#CC79A7"

# %% [markdown]
# ## 1 · Four sentences
#
# The article says of ARM:
#
# | | in the article | in English |
# |---|---|---|
# | A | 仅增加少量参数(一个 1×1 卷积) | adds only a few parameters (one 1×1 convolution) |
# | B | 计算开销主要来自全局平均池化 | the cost comes mainly from the global average pooling |
# | C | 在 BiSeNet 的论文中,ARM 模块的引入带来了约 2-3% 的 mIoU 提升,而计算代价仅增加不到 1% | in the BiSeNet paper, ARM brought about 2–3 % mIoU, while the computation grew by less than 1 % |
# | D | 设计目标: 保持空间信息 / 通道重校准 | aim of the design: ARM keeps spatial information, SE recalibrates channels |
#
# Each of them sounds like a fact. Each has a *which part*, a *compared with what* or a *how often tried* that is missing.
#
# **Predict.** Write down for each: right, wrong, or right if one says more. Which words are missing?
#
# <details><summary>Answer</summary>
#
# A and B are right if one says *of which part*: the module in the article has a large 3×3 that both leave out. C needs *compared with what* for its cost, and *how often tried* for its accuracy. D is wrong as a contrast: both recalibrate channels. The numbers follow.
#
# </details>

# %% [markdown]
# ## 2 · Parameters
#
# A **parameter** is a number that is trained. ARM as the article's code has it, from $C$ to $K$ channels: a 3×3 convolution and its batch normalisation, then the attention branch, a 1×1 and its batch normalisation. The convolutions have no bias.
#
# $$\underbrace{9\,C K + 2K}_{\text{3×3, BN}} \;+\; \underbrace{K^2 + 2K}_{\text{branch}} \tag{10.1}$$
#
# Batch normalisation trains a scale and a shift for each channel. Its running mean and variance are kept, not trained, and do not count.
#
# **Predict.** ARM32 goes from 512 to 128 channels. How many parameters, in all and in the branch?
#
# <details><summary>Answer</summary>
#
# In all 606,720, in the branch 16,640. The 3×3 has nine taps and reads four times as many channels, so it has 36 times the weights of the 1×1: 589,824 against 16,384. Each batch normalisation adds 256.
#
# </details>
#
# ### Exercise 1 · `whole_and_branch`
#
# ★☆☆ · 5 minutes
#
# For any number of channels: the parameters of the whole class, and those of its branch.


# %% tags=["exercise"]
def whole_and_branch(in_channels, out_channels):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def whole_and_branch(in_channels, out_channels):
#     branch = out_channels**2 + 2 * out_channels
#     return 9 * in_channels * out_channels + 2 * out_channels + branch, branch
# ```
#
# </details>

# %% tags=["check"]
check.exercise("whole_and_branch", whole_and_branch)

# %% [markdown]
# The modules themselves, at the article's three scales, with the paper's ARM, and SE, beside them:

# %%
modules = {
    "ARM32, 512 → 128": hand.AttentionRefinementModule(512, 128, rng=0),
    "ARM16, 256 → 128": hand.AttentionRefinementModule(256, 128, rng=0),
    "ARM8, 128 → 128": hand.AttentionRefinementModule(128, 128, rng=0),
    "paper's ARM, 128": hand.PaperAttentionRefinement(128, rng=0),
    "SE, 128, r = 16": hand.SqueezeExcitation(128, 16, rng=0),
}
counts = {}
for name, module in modules.items():
    arrays = module.parameters()
    of_3x3 = sum(a.size for key, a in arrays.items() if key.startswith("conv."))
    counts[name] = (of_3x3, sum(a.size for a in arrays.values()) - of_3x3)
    print(f"{name:18} 3×3 with BN {of_3x3:8,}   attention {counts[name][1]:7,}")

C, K = 512, 128  # (10.1), line by line
compare("whole", 9 * C * K + 2 * K + K**2 + 2 * K, sum(counts["ARM32, 512 → 128"]))
compare("branch", K**2 + 2 * K, counts["ARM32, 512 → 128"][1])
assert [round(100 * f / (f + a)) for f, a in counts.values()][:3] == [97, 95, 90]  # %

# %%
fig, ax = plt.subplots(figsize=(8.4, 2.6), layout="constrained")
names = list(counts)[::-1]
features, attention = (np.array([counts[name][k] for name in names]) for k in (0, 1))
ax.barh(names, features, color="0.75", label="3×3 and its BN")
ax.barh(names, attention, left=features, color=PURPLE, label="attention branch")
for y, (f, a) in enumerate(zip(features, attention, strict=True)):
    ax.text(f + a + 6000, y, f"{f + a:,}  ({a / (f + a):.1%} attention)", va="center", fontsize=9)
ax.set(xlim=(0, 820_000), xlabel="parameters")
ax.legend(loc="lower right")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# Claim A is right of the *attention branch*, the purple part: a 1×1 and its batch normalisation. It is the whole module in the paper, which has no 3×3. It is not right of the *class in the article*, whose 3×3 holds 97, 95 and 90 % of the parameters in ARM32, 16 and 8.
#
# ### ARM beside SE
#
# Claim D is a row of a table that lists differences of ARM and SE. In that row both do the same: a gate per channel, from means over the whole map. Neither gate knows a position, so neither keeps more of the space than the other. **SE**, squeeze and excitation, is the older of the two ([lesson 6a](06a_channel_attention.ipynb)). What does differ can be read off the two modules:

# %%
one_image = np.zeros((1, 128, 4, 4), np.float32)
for name in ("paper's ARM, 128", "SE, 128, r = 16"):
    print(modules[name])
    print({key: a.shape for key, a in modules[name].parameters().items()})
    try:
        modules[name].train()(one_image)
        print("trains on a batch of one image\n")
    except ValueError as refused:
        print(f"refuses a batch of one image: {refused}\n")

# %% [markdown]
# | | SE | ARM's branch |
# |---|---|---|
# | layers | $C \to C/r$, ReLU, $C/r \to C$ | one, $C \to C$ |
# | bias | yes | no |
# | batch normalisation before the sigmoid | no | yes |
# | parameters | $2C^2/r + C/r + C$ | $C^2 + 2C$ |
# | a batch of one image in training | fine | refused |

# %% [markdown]
# ## 3 · Multiply-adds
#
# A convolution adds up $C\,R^2$ products for each number that it returns, with a kernel of $R$ by $R$. There are $H' W'$ places and $K$ channels of them:
#
# $$\text{multiply-adds} = H' W' \, K \, C \, R^2 \tag{10.2}$$
#
# A multiply-add is one product that is added to a sum; counted as flops it is two. Biases, normalisation, activations, pools and gates are one or a few operations *per element*. They are counted apart, as `elementwise`.
#
# ### Exercise 2 · `conv_multiply_adds`
#
# ★★☆ · 10 minutes
#
# The image is `height` by `width`, the kernel square. Mind the stride and the padding.


# %% tags=["exercise"]
def conv_multiply_adds(in_channels, out_channels, kernel, stride, padding, height, width):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def conv_multiply_adds(in_channels, out_channels, kernel, stride, padding, height, width):
#     rows = (height + 2 * padding - kernel) // stride + 1
#     columns = (width + 2 * padding - kernel) // stride + 1
#     return rows * columns * out_channels * in_channels * kernel**2
# ```
#
# </details>

# %% tags=["check"]
check.exercise("conv_multiply_adds", conv_multiply_adds)

# %% [markdown]
# `armlab.cost` does this for a whole network without computing a single value: the module's own forward runs on *shape arrays*, arrays that have a shape and nothing in them, and each function on its way is counted by a rule like this one.

# %%
source(rules.conv2d, rules.global_pool, rules.sigmoid_gate)

# %% [markdown]
# ARM32 in a BiSeNet at 1024×2048 works on $H' W' = 32 \cdot 64$ places. Line by line, by (10.2) and by one operation per element, against the report:

# %%
H, W = 32, 64
report = ModuleCost(modules["ARM32, 512 → 128"].eval(), (1, C, H, W))
branches = report.branches("")
by_hand = {
    ("features", "3×3 convolution"): (H * W * K * C * 9, 0),
    ("features", "BN, activation"): (0, 2 * K * H * W),
    ("attention", "pooling"): (0, K * H * W),
    ("attention", "1×1 convolution"): (K * K, 0),
    ("attention", "BN, activation"): (0, K),
    ("gate", "multiply"): (0, K * H * W + K),
}
print("multiply-adds and operations per element:")
short = ("3×3", "BN, LReLU", "pool", "1×1", "BN, σ", "multiply")
for name, (row, mine) in zip(short, by_hand.items(), strict=True):
    compare(name, mine, (branches[row].multiply_adds, branches[row].elementwise))

# %% [markdown]
# **Predict.** Claim B says that the cost is mainly the pooling. Of the six rows, which is the longest bar, and by how many powers of ten?
#
# <details><summary>Answer</summary>
#
# The 3×3, by three powers of ten and more. For each of its $32 \cdot 64 \cdot 128$ results it adds up $512 \cdot 9 = 4608$ products. All others do one or two operations for each element, and the 1×1 works on a single pixel.
#
# </details>

# %%
fig, ax = plt.subplots(figsize=(8.4, 2.8), layout="constrained")
names = [f"{branch}: {kind}" for branch, kind in branches][::-1]
costs = list(branches.values())[::-1]
colours = ["0.75" if branch == "features" else PURPLE for branch, _ in branches][::-1]
work = [c.multiply_adds + c.elementwise for c in costs]
ax.barh(names, work, color=colours)
for y, value in enumerate(work):
    ax.text(value * 1.15, y, scaled(value).strip(), va="center", fontsize=9)
ax.set(xscale="log", xlim=(50, 2e11), xlabel="multiply-adds or operations per element (log scale)")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
share_of_3x3 = branches["features", "3×3 convolution"].multiply_adds / report.total.multiply_adds
inside = sum(c.multiply_adds + c.elementwise for (b, _), c in branches.items() if b != "features")
pool_and_gate = branches[ATTENTION, "pooling"].elementwise + branches[GATE, "multiply"].elementwise
print(f"the 3×3 makes {share_of_3x3:.3%} of the multiply-adds of the class")
print(f"pooling and multiply are {pool_and_gate / inside:.1%} of attention and gate")
assert share_of_3x3 > 0.999
assert max(work) > 1000 * sorted(work)[-2]
assert abs(branches[ATTENTION, "pooling"].elementwise / inside - 0.5) < 0.02

# %% [markdown]
# So claim B too is right of one part. In the attention branch and its gate (purple), pooling and multiplying dominate. The two are nearly the same amount of work, so *mainly the pooling* is about half of it. In the class, the 3×3 is more than 99.9 % of the multiply-adds.
#
# ### In a whole network
#
# BiSeNet on ResNet-18 at 1024×2048, as it is evaluated.
#
# **Predict.** Its two ARMs with their 3×3 have a share of the parameters, and one of the multiply-adds. Which is larger?
#
# <details><summary>Answer</summary>
#
# That of the parameters, 6.9 % against 3.1 %. ARM works on the smallest maps, where a weight is used at few places. Layers on large maps have few weights and use each of them often.
#
# </details>

# %%
net = hand.BiSeNet(19, rng=0).eval()
whole = ModuleCost(net, (1, 3, 1024, 2048))
arms, branch = whole.of(*whole.arms), whole.without_features(*whole.arms)
everything = whole.total
print(
    f"whole network       {everything.parameters:11,} parameters   {scaled(everything.multiply_adds)}"
)
for name, cost in (("both ARMs", arms), ("attention and gate", branch)):
    of_parameters = percent(cost.parameters, everything.parameters)
    of_work = percent(cost.multiply_adds, everything.multiply_adds)
    print(
        f"{name:19} {cost.parameters:11,} = {of_parameters} %       {scaled(cost.multiply_adds)} = {of_work} %"
    )
elementwise = percent(branch.elementwise, everything.multiply_adds)
print(f"and element by element in attention and gate: {elementwise} % of the multiply-adds")

# %%
parts = {
    "ResNet-18": ["cp.resnet"],
    "spatial path": ["sp"],
    "heads 16, 32": ["cp.conv_head16", "cp.conv_head32"],
    "fusion": ["ffm"],
    "output": ["conv_out"],
    "both ARMs": ["cp.arm16", "cp.arm32"],
}
fig, axes = plt.subplots(1, 2, figsize=(9.6, 2.9), layout="constrained", sharey=True)
for ax, measure, title in (
    (axes[0], "parameters", "share of the parameters"),
    (axes[1], "multiply_adds", "share of the multiply-adds"),
):
    shares = [
        100 * getattr(whole.of(*paths), measure) / getattr(everything, measure)
        for paths in parts.values()
    ]
    colours = [PURPLE if "ARM" in name else "0.75" for name in parts]
    ax.barh(list(parts), shares, color=colours)
    for y, share in enumerate(shares):
        ax.text(share + 1, y, f"{share:.2f} %", va="center", fontsize=9)
    ax.set(title=title, xlim=(0, 105), xlabel="%")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
plt.show()

# %% [markdown]
# Is it *less than 1 %*? That depends on what stands in its place when ARM is taken away. Two ways to be without it:
#
# $$\text{added} = \frac{\text{with} - \text{without}}{\text{without}} \tag{10.3}$$

# %%
plain = ModuleCost(hand.BiSeNet(19, attention="none", rng=0).eval(), (1, 3, 1024, 2048)).total
with_arm = everything.multiply_adds
for what, without in (
    ("the 3×3 stays, the attention goes", plain.multiply_adds),
    ("the two classes go, nothing instead", with_arm - arms.multiply_adds),
):
    print(f"{what:37} {100 * (with_arm - without) / without:.6f} %")

three = ModuleCost(hand.ThreeScaleBiSeNet(9, rng=0).train(), (2, 3, 480, 640))
convs = [f"{path}.conv" for path in three.arms]
share = percent(three.of(*convs).multiply_adds, three.total.multiply_adds)
image = scaled(three.total.multiply_adds // 2)  # of a batch of two
print(f"the article's network: the 3×3 of ARM32, 16 and 8 are {share} % of {image}")
for path in three.arms:
    print(f"    {path:9} {percent(three.of(path).multiply_adds, three.total.multiply_adds)} %")
assert max(three.arms, key=lambda path: three.of(path).multiply_adds) == "cp.arm8"

# %% [markdown]
# "Less than 1 %" holds of the attention branch in (10.3), by a wide margin. It does not hold of the classes in the article: 3 % in BiSeNet, 8.6 % in the article's own network of three scales (counted here as it trains, with its auxiliary head). ARM8 works on the largest map and costs most. And the paper has no cost of single modules at all, so the number is not its result.
#
# **Predict.** Halve the height and the width of the image. What happens to the share of the ARMs? To that of the attention branch's 1×1?
#
# <details><summary>Answer</summary>
#
# That of the ARMs stays: the 3×3 works at every position, and so does the rest of the network, so all of it shrinks alike. The 1×1 works on one pixel whatever the image. It does not shrink, and its share becomes four times as large.
#
# </details>

# %%
heights = [128, 256, 512, 1024, 2048]
class_share, branch_share, element_share = [], [], []
for height in heights:
    r = ModuleCost(net, (1, 3, height, 2 * height))
    inner = r.without_features(*r.arms)
    class_share.append(100 * r.of(*r.arms).multiply_adds / r.total.multiply_adds)
    branch_share.append(100 * inner.multiply_adds / r.total.multiply_adds)
    element_share.append(100 * inner.elementwise / r.total.multiply_adds)
fig, ax = plt.subplots(figsize=(6.6, 2.9), layout="constrained")
ax.loglog(heights, class_share, "o-", color="0.5", label="both classes")
ax.loglog(heights, element_share, "o-", color=ORANGE, label="pool and gate, per element")
ax.loglog(heights, branch_share, "o-", color=PURPLE, label="1×1 of the attention")
ax.axhline(1, color=RED, ls=":", label="1 %")
ax.set(
    xticks=heights, xlabel="height of the image (width is twice that)", ylabel="% of multiply-adds"
)
ax.set_xticklabels(heights)
ax.minorticks_off()
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
ax.spines[["top", "right"]].set_visible(False)
plt.show()
assert np.ptp(class_share) < 0.01 * class_share[0]
assert np.ptp(element_share) < 0.02 * element_share[0]
assert np.allclose(np.divide(branch_share[:-1], branch_share[1:]), 4, rtol=0.001)

# %% [markdown]
# The first two lines are level, and the 1×1 falls to a quarter with each step to the right.

# %% [markdown]
# ## 4 · What the paper supports
#
# Claim C again: 2–3 % **mIoU**. For each class that is the overlap of what is predicted and what is right, as a share of both together, and then the mean over the classes. The paper's ablation on Cityscapes' validation images, with Xception39, as reported in a transcription of its tables. Two pairs of rows differ by ARM and nothing else.
#
# **Predict.** Does ARM add as much in the one pair as in the other?
#
# <details><summary>Answer</summary>
#
# No: 2.98 points where the context path ends in global pooling, and 1.30 where it does not. "2–3" is right of one pair.
#
# </details>

# %%
PAPER = {
    "context path": 66.01,
    "+ spatial path (sum)": 66.82,
    "+ FFM": 67.42,
    "+ FFM + global pooling": 68.42,
    "+ FFM + ARM": 68.72,
    "+ FFM + global pooling + ARM": 71.40,
}
without_pool = PAPER["+ FFM + ARM"] - PAPER["+ FFM"]
with_pool = PAPER["+ FFM + global pooling + ARM"] - PAPER["+ FFM + global pooling"]
fig, ax = plt.subplots(figsize=(7.6, 2.7), layout="constrained")
ax.barh(list(PAPER), list(PAPER.values()), color=[PURPLE if "ARM" in n else "0.75" for n in PAPER])
for y, value in enumerate(PAPER.values()):
    ax.text(value + 0.1, y, f"{value:.2f}", va="center", fontsize=9)
ax.set(xlim=(64, 73), xlabel="mIoU, % (the axis begins at 64)")
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)
plt.show()
print(f"ARM adds {without_pool:+.2f} without global pooling and {with_pool:+.2f} with it")
assert 2 < with_pool < 3
assert without_pool < with_pool / 2

# %% [markdown]
# Without global pooling it is less than half of what it is with it. One cannot say that "ARM adds 2–3 %" without the rest of the network.
#
# And each number is **one run**. If the same network, trained twice, differs by a point, then a difference of a point between two networks says little. The paper does not say how much its runs scatter. A re-implementer's README (CoinCheung, commit `2d6d8f1`) first reported the opposite: 69.1 without, 67 to 69 with ARM and global pooling.
#
# We cannot train on Cityscapes here. But the same question can be asked where many runs are cheap, and answered with intervals: that is lesson 10b.

# %% [markdown]
# ## Five questions
#
# 1. A paper says "our module adds 0.3 % parameters". What do you ask first?
#
# <details><summary>Answer</summary>
#
# Which part is counted as the module, and against which network it is compared: one in which a plain convolution takes its place, or one in which nothing does.
#
# </details>
#
# 2. Why does the share of the attention's 1×1 fall as the image grows, and that of the 3×3 not?
#
# <details><summary>Answer</summary>
#
# The 1×1 works on the pooled pixel, one per image. The 3×3 works at every position, as the rest of the network does.
#
# </details>
#
# 3. Batch normalisation keeps four numbers for each channel. How many of them are parameters?
#
# <details><summary>Answer</summary>
#
# Two: the scale and the shift are trained. The running mean and variance are kept from the batches, and no gradient changes them.
#
# </details>
#
# 4. ARM's branch has 16,640 parameters at 128 channels, and SE has 2,184. Is ARM's gate eight times as much work on a map of 32 × 64?
#
# <details><summary>Answer</summary>
#
# No. The matrices are 16,384 and 2,048 multiply-adds, and both modules pool and multiply 128 · 32 · 64 = 262,144 elements. What they share is the larger part by far.
#
# </details>
#
# 5. In the paper's table ARM adds 1.30 and 2.98 points. What do you have to know before you call the second larger than the first?
#
# <details><summary>Answer</summary>
#
# By how much two trainings of the same network differ. Each of the four numbers is one run.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | parameter | 参数 | a trained number |
# | multiply-add | 乘加运算 | a product that is added to a sum |
# | attention branch | 注意力分支 | what makes the gate: pool, 1×1, BN, sigmoid |
# | channel recalibration | 通道重校准 | scaling channels by gates; both SE and ARM |
# | shape array | 形状数组 | an array with a shape and no values, to count on |
# | ablation | 消融实验 | the same training without one part |
#
# ## What comes next
#
# [Lesson 10b: claims, measured](10b_measured_claims.ipynb) asks how sure a few runs make us. `armlab cost` prints the counts of this lesson for any module and any size of image. The [contents](index.ipynb) show the path.

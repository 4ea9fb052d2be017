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
# # 10 · The claims of the article, measured
#
# **Goal.** Say of each claim about ARM what the paper supports, what the article adds, and what was measured.
#
# | | |
# |---|---|
# | Time | 75 minutes |
# | You need first | [Lesson 4](04_sigmoid_gate.ipynb): what ARM computes · [Lesson 9](09_context.ipynb): the scenes, mIoU, A against B |
# | Afterwards you can | count parameters and multiply-adds by hand · say which part of a module a number is of · put an interval around a few seeds and around their paired differences · tell *no difference seen* from *no difference* |
# | Runs on | CPU; no GPU needed. The trainings are kept; their command is printed |
# | Explains | [cost/rules.py](../armlab/cost/rules.py) · [cost/module_cost.py](../armlab/cost/module_cost.py) · [training/intervals.py](../armlab/training/intervals.py) · [training/ablation.py](../armlab/training/ablation.py) · [training/findings.py](../armlab/training/findings.py) |
#
# Equation numbers (1) and (2) are those of `training/intervals.py`. (C1) to (C3), (I1) and (I2) are the lesson's own.

# %%
import json
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from scipy.stats import t as student

from armlab import check, hand, plots
from armlab.cost import ATTENTION, GATE, ModuleCost, rules
from armlab.cost.cost_table import percent, scaled
from armlab.data import DigitScenes, Scenes, to_rgb
from armlab.training import ablation, findings, intervals
from armlab.training.intervals import interval, mean_over_seeds, paired_difference
from tools import compare, from_file, source

rng = np.random.default_rng(0)
BLUE, GREEN, RED, ORANGE, PURPLE = "#0072B2", "#009E73", "#D55E00", "#E69F00", "#CC79A7"

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
# **Predict.** Write down for each: right, wrong, or right if one says more. Look at it again at the end.

# %% [markdown]
# ## 2 · Parameters
#
# ARM as the article's code has it, from $C$ to $K$ channels: a 3×3 convolution and its batch normalisation, then the attention branch, a 1×1 and its batch normalisation. The convolutions have no bias.
#
# $$\underbrace{9\,C K + 2K}_{\text{3×3, BN}} \;+\; \underbrace{K^2 + 2K}_{\text{branch}} \tag{C1}$$
#
# Batch normalisation trains a scale and a shift for each channel. Its running mean and variance are kept, not trained, and do not count.
#
# **Predict.** ARM32 goes from 512 to 128 channels. How many parameters, in all and in the branch?
#
# ### Exercise 1 · `whole_and_branch`
#
# ★☆☆ · 5 minutes


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
    features = sum(a.size for key, a in arrays.items() if key.startswith("conv."))
    counts[name] = (features, sum(a.size for a in arrays.values()) - features)
    print(f"{name:18} 3×3 with BN {features:8,}   attention {counts[name][1]:7,}")

C, K = 512, 128
compare("(C1) whole", 9 * C * K + 2 * K + K**2 + 2 * K, sum(counts["ARM32, 512 → 128"]))
compare("(C1) branch", K**2 + 2 * K, counts["ARM32, 512 → 128"][1])

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
# Claim A is right of the *attention branch*, the purple part: a 1×1 and its batch normalisation. It is the whole module in the paper, which has no 3×3. It is not right of the *class in the article*, whose 3×3 holds nearly all the parameters.
#
# ### ARM beside SE
#
# Claim D is a row of a table that lists differences of ARM and SE. In that row both do the same: a gate per channel, from pooled means. Neither gate knows a position. What does differ can be read off the two modules:

# %%
for name in ("paper's ARM, 128", "SE, 128, r = 16"):
    print(modules[name])
    print({key: a.shape for key, a in modules[name].parameters().items()})

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
# A convolution adds up $C\,R^2$ products for each number that it returns. There are $H' W'$ places and $K$ channels of them:
#
# $$\text{multiply-adds} = H' W' \, K \, C \, R^2 \tag{C2}$$
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
# ARM32 in a BiSeNet at 1024×2048 works on $H' W' = 32 \cdot 64$ places. Line by line, by (C2) and by one operation per element, against the report:

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

# %% [markdown]
# So claim B too is right of one part. In the attention branch and its gate (purple), pooling and multiplying dominate; and they are the same amount of work, so "pooling" alone is half of it. In the class, the 3×3 is more than 99.9 % of the multiply-adds.
#
# ### In a whole network
#
# BiSeNet on ResNet-18 at 1024×2048, as it is evaluated:

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
# $$\text{added} = \frac{\text{with} - \text{without}}{\text{without}} \tag{C3}$$

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

# %% [markdown]
# "Less than 1 %" holds of the attention branch, by a wide margin. It does not hold of the classes in the article: a few per cent in BiSeNet, more in the article's own network of three scales (counted here as it trains, with its auxiliary head). ARM8 works on the largest map and costs most. And the paper has no cost of single modules at all, so the number is not its result.
#
# **Predict.** Halve the height and the width of the image. What happens to the share of the ARMs? To that of the attention branch's 1×1?

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

# %% [markdown]
# Everything that works at every position grows alike, so the first two shares stay. The 1×1 works on one pixel whatever the image, and its share falls with the area.

# %% [markdown]
# ## 4 · What the paper supports
#
# Claim C again: 2–3 % mIoU. The paper's ablation on Cityscapes' validation images, with Xception39, as reported in a transcription of its tables:

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

# %% [markdown]
# "2–3" holds for one of the two pairs, the one with global pooling at the end of the context path. For the other it is less than half of that.
#
# And each number is **one run**. If the same network, trained twice, differs by a point, then a difference of a point between two networks says little. The paper does not say how much its runs scatter. A re-implementer's README (CoinCheung, commit `2d6d8f1`) first reported the opposite: 69.1 without, 67 to 69 with ARM and global pooling.
#
# We cannot train on Cityscapes here. But we can ask the same question where many runs are cheap, and answer it with intervals.

# %% [markdown]
# ## 5 · A few seeds, and how sure they make us
#
# A **seed** decides the first weights and which images the training sees. Another seed is another draw. Five runs give five values $x_1 \dots x_5$; what we want is the mean $\mu$ of all the runs that could have been.
#
# The kept results are those of two grids, each attention with each seed:

# %%
grids = {}
for path in sorted(Path("results").glob("ablation-*.json")):
    grid = json.loads(path.read_text(encoding="utf-8"))
    grids[grid["settings"]["data"]] = grid
    options = {
        "attention": ",".join(grid["attentions"]),
        "data": grid["settings"]["data"],
        "seeds": f"{grid['seeds'][0]}-{grid['seeds'][-1]}",
        "steps": grid["settings"]["steps"],
    }
    command = " ".join(f"--{name} {value}" for name, value in options.items())
    print(f"{path}, made by\n    armlab ablate {command}")
    for name in grid["attentions"]:
        values = [r["miou"] for r in grid["runs"] if r["attention"] == name]
        print(f"        {name:5} mIoU", " ".join(f"{v:.4f}" for v in values))

# %% [markdown]
# Two sets, lesson 9's: the scenes, in which a 7 needs the band, and the digits, in which every digit is its own class and a small window holds all there is to know.

# %%
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
for ax, supply, title in zip(
    axes,
    (Scenes("test"), Scenes("test", seed=1), DigitScenes("test"), DigitScenes("test", seed=1)),
    ("scenes", "scenes", "digits", "digits"),
    strict=True,
):
    ax.imshow(to_rgb(supply.scene(3)[0]))
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=10)
plt.show()


# %%
def seeds_of(data, attention, measure="miou"):
    """The values of one attention, by seed."""
    runs = grids[data]["runs"]
    return {r["seed"]: r[measure] for r in runs if r["attention"] == attention}


x = np.array(list(seeds_of("scenes", "arm").values()))
n = len(x)
print("n =", n, "  x =", x.round(4))

# %% [markdown]
# The mean of the five is our guess at $\mu$. How far may it be off? First, how much do single runs scatter?
#
# $$s^2 = \frac{1}{n-1} \sum_i (x_i - \bar x)^2 \tag{1}$$
#
# **Why $n - 1$.** Let each $x_i$ have mean $\mu$ and variance $\sigma^2$, independently. Write $x_i - \bar x = (x_i - \mu) - (\bar x - \mu)$ and square. The cross terms add up to $-2n(\bar x - \mu)^2$, so
#
# $$\sum_i (x_i - \bar x)^2 = \sum_i (x_i - \mu)^2 - n\,(\bar x - \mu)^2 \tag{I1}$$
#
# On average the first sum is $n\sigma^2$. The mean of $n$ independent values has the variance $\sigma^2/n$, so on average the second is $\sigma^2$. Together $(n-1)\,\sigma^2$. The values lie closer to their own mean than to the true one, and dividing by $n$ would make the scatter look too small: by a fifth of the variance, with five values.
#
# **The interval.** Were $\sigma$ known, $\bar x \pm 1.96\,\sigma/\sqrt n$ would hold $\mu$ in 95 of 100 cases. But $s$ is itself a guess from five values, and now and then much too small. Student's distribution makes up for that, with a factor $t$ that depends on $n - 1$:
#
# $$\bar x \pm t\, \frac{s}{\sqrt n} \tag{2}$$
#
# Line by line, from the five values:

# %%
mu = 0.85  # any number will do for (I1)
mean = x.sum() / n
compare("(I1)", ((x - mu) ** 2).sum() - n * (mean - mu) ** 2, ((x - mean) ** 2).sum())
s = np.sqrt(((x - mean) ** 2).sum() / (n - 1))  # (1)
factor = student.ppf(0.975, n - 1)
half = factor * s / np.sqrt(n)  # (2)
theirs = interval(list(x))
compare("s", s, np.std(x, ddof=1))
compare("mean", mean, theirs.mean)
compare("half width", half, theirs.half_width)
print(f"t = {factor:.3f} for n = {n}, so mIoU of arm is {mean:.4f} ± {half:.4f}")
print("t for n = 2, 3, 5, 10, 100:", student.ppf(0.975, np.array([1, 2, 4, 9, 99])).round(2))

# %% [markdown]
# Does it hold what it promises? Draw five values from a normal distribution whose mean is known, make the interval, look whether it holds the mean; 20,000 times. Beside it, two shortcuts that one meets: 1.96 for $t$, and `np.std` as it comes, which divides by $n$.
#
# **Predict.** How often do the shortcuts hold the mean?

# %%
draws = rng.standard_normal((20_000, 5))
middle, spread = draws.mean(axis=1), draws.std(axis=1, ddof=1) / np.sqrt(5)
population = draws.std(axis=1) / np.sqrt(5)
ways = {
    "t, n − 1": factor * spread,
    "1.96, n − 1": 1.96 * spread,
    "1.96, np.std": 1.96 * population,
}
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), layout="constrained", sharey=True)
for ax, (name, half_width) in zip(axes, ways.items(), strict=True):
    holds = np.abs(middle) <= half_width
    print(f"{name:13} holds the mean in {holds.mean():.1%}")
    for row in range(60):
        colour = "0.6" if holds[row] else RED
        ax.plot(middle[row] + half_width[row] * np.array([-1, 1]), [row, row], color=colour, lw=1.4)
    ax.axvline(0, color="black", lw=1)
    ax.set(title=f"{name}: {np.sum(~holds[:60])} of 60 miss", yticks=[], xlim=(-4, 4))
    ax.spines[["top", "right", "left"]].set_visible(False)
plt.show()

# %% [markdown]
# ### Exercise 3 · Find the bug
#
# ★★☆ · 10 minutes
#
# A colleague's interval is always a little narrower than that of `armlab`.


# %%
def interval_as_typed(values, t):
    return values.mean(), t * np.std(values) / np.sqrt(len(values))


print("colleague  half width", interval_as_typed(x, factor)[1])
print("armlab     half width", interval(list(x)).half_width)

# %% [markdown]
# Write `t_interval(values, t)` so that both agree. Return the mean and half of the width.


# %% tags=["exercise"]
def t_interval(values, t):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def t_interval(values, t):
#     return values.mean(), t * np.std(values, ddof=1) / np.sqrt(len(values))
# ```
#
# `np.std` divides by $n$, `statistics.stdev` and PyTorch's `std` by $n - 1$. Batch normalisation has the same pair of meanings: it normalises with the one and keeps the other in its running variance.
#
# </details>

# %% tags=["check"]
check.exercise("t_interval", t_interval)

# %%
source(intervals.interval)

# %% [markdown]
# ## 6 · Differences, seed by seed
#
# Two runs of one seed see the same images in the same order. If these happen to be easy ones, both profit. So a difference should be taken **within a seed**, and then the interval made of the differences $d_i = a_i - b_i$.
#
# What is gained? The variance of a difference is
#
# $$\mathrm{var}(a - b) = \mathrm{var}(a) + \mathrm{var}(b) - 2\,\mathrm{cov}(a, b) \tag{I2}$$
#
# and two means taken apart know nothing of the last term. Where the runs of a seed go up and down together, the pairs are surer. Where they do not, nothing is won; but nothing has to be assumed either.

# %%
a, b = (np.array(list(seeds_of("scenes", name).values())) for name in ("arm", "none"))
covariance = ((a - a.mean()) * (b - b.mean())).sum() / (n - 1)
compare("(I2)", a.var(ddof=1) + b.var(ddof=1) - 2 * covariance, (a - b).var(ddof=1))
compare("mean", a.mean() - b.mean(), (a - b).mean())
by_file = paired_difference(seeds_of("scenes", "arm"), seeds_of("scenes", "none"))
compare("half width", factor * (a - b).std(ddof=1) / np.sqrt(n), by_file.half_width)

# %% [markdown]
# ### Exercise 4 · `paired_interval`
#
# ★★☆ · 10 minutes
#
# `a[i]` and `b[i]` are the scores of two networks with seed `i`. Return the mean of the difference and half of the width of its interval. Then try it unpaired, and see what the check says.


# %% tags=["exercise"]
def paired_interval(a, b, t):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def paired_interval(a, b, t):
#     d = a - b
#     return d.mean(), t * np.std(d, ddof=1) / np.sqrt(len(d))
# ```
#
# </details>

# %% tags=["check"]
check.exercise("paired_interval", paired_interval)

# %%
source(intervals.paired_difference)

# %% [markdown]
# ## 7 · What was measured
#
# A grid is a list of ordinary runs. It goes seed by seed, so that one that is interrupted has whole pairs to compare. What may be said of a difference in the end is decided by a few lines:

# %%
source(ablation.Grid.configs, findings.verdict)

# %% [markdown]
# Every run as a dot; a grey line joins the runs of one seed. Below, the differences from `none`, in red where the interval leaves out 0. First the scenes.


# %%
MEASURES = {"miou": "mIoU", "told_apart": "A against B"}


def draw(data):
    grid = grids[data]
    names = list(grid["attentions"])
    found = [m for m in MEASURES if m in grid["attentions"][names[0]]["means"]]
    values = {MEASURES[m]: [seeds_of(data, name, m) for name in names] for m in found}
    means = {key: [mean_over_seeds(v).pair for v in each] for key, each in values.items()}
    differences = {
        key: [paired_difference(v, each[0]).pair for v in each[1:]] for key, each in values.items()
    }
    from_file(plots.ablation, names, values, means, differences, width=430 * len(found) + 40)


def table(data):
    """Means and differences with their intervals, made anew from the runs."""
    for measure, title in MEASURES.items():
        for name in grids[data]["attentions"]:
            values = seeds_of(data, name, measure)
            if any(v is None for v in values.values()):
                continue
            mean = mean_over_seeds(values)
            line = f"{name:5} {title:12} {mean.mean:.4f} ± {mean.half_width:.4f}"
            if name != grids[data]["first"]:
                d = paired_difference(values, seeds_of(data, grids[data]["first"], measure))
                seen = "a difference" if d.differs else "no difference seen"
                line += f"     {d.mean:+.4f} ± {d.half_width:.4f}  {seen}"
            print(line)


draw("scenes")
table("scenes")

# %% [markdown]
# `none` and SAR cannot see the band: lesson 9's theorem covers both, and their A against B is exactly one half with every seed, an interval of width 0 that no further seed can widen. ARM and SE pool over the image.
#
# **Predict.** And where a small window holds all there is to know?

# %%
draw("digits")
table("digits")

# %% [markdown]
# ### What an interval says, and what it does not
#
# The last column is worded with care. *A difference*: the interval leaves out 0; were there none, that would happen in one of twenty such comparisons. *No difference seen*: the interval holds 0. That is not *no difference*. It says that a difference, if there is one, is likely no larger than the ends of the interval.
#
# How many seeds would it take to see one of the paper's size, at the scatter of these pairs? The half width has to come down to it, and even then chance lifts the difference over the line only about every other time:

# %%
first, second = seeds_of("digits", "arm"), seeds_of("digits", "none")
d = np.array([first[seed] - second[seed] for seed in first])
found = interval(list(d))
low, high = found.mean - found.half_width, found.mean + found.half_width
print(f"arm − none on the digits: between {100 * low:+.1f} and {100 * high:+.1f} points of mIoU")
print("each pair:", (100 * d).round(1))
for points in (with_pool, without_pool):
    needed = 2
    while student.ppf(0.975, needed - 1) * d.std(ddof=1) / np.sqrt(needed) > points / 100:
        needed += 1
    print(f"to see {points:.2f} points takes about {needed} seeds")

# %% [markdown]
# (The comparison with the paper is one of *size* alone: other data, another network, and runs too short to learn ten digits well.) Five seeds tell a large effect from none, as the scenes show. An effect of a point or two drowns in this scatter, and with one run each, chance would have chosen the number.
#
# ### The number of seeds under your hand
#
# How would it have looked with fewer seeds? The same differences, the first $n$ of them. $t$ falls from 12.7 to 2.8 between two seeds and five.


# %%
def show_seeds(counts):
    _, axes = plt.subplots(1, len(grids), figsize=(8.6, 2.8), layout="constrained", squeeze=False)
    for ax, data in zip(axes[0], sorted(grids), strict=True):
        first, second = seeds_of(data, "arm"), seeds_of(data, "none")
        d = np.array([first[seed] - second[seed] for seed in first])
        for position, k in enumerate(counts):
            found = interval(list(d[:k]))
            colour = RED if found.differs else "0.5"
            ax.errorbar(position, found.mean, found.half_width, fmt="D", color=colour, capsize=6)
            ax.plot(np.full(k, position + 0.12), d[:k], "o", color=BLUE, ms=4, alpha=0.7)
        ax.axhline(0, color="black", lw=1)
        ax.set(
            title=f"{data}: arm − none, mIoU",
            xticks=range(len(counts)),
            xlim=(-0.5, len(counts) - 0.4),
        )
        ax.set_xticklabels([f"{k} seeds" for k in counts])
        ax.spines[["top", "right"]].set_visible(False)
    plt.show()


show_seeds([2, 3, 4, 5])

# %% [markdown]
# In a running notebook, move the slider. One run has no interval at all, and that is what the paper's numbers are.

# %%
slider = ipywidgets.IntSlider(value=3, min=2, max=5, description="seeds", continuous_update=False)
_ = ipywidgets.interact(lambda k: show_seeds([k]), k=slider)

# %% [markdown]
# ## 8 · The table
#
# Look at what you wrote down in section 1.

# %%
scenes, digits = (
    paired_difference(seeds_of(data, "arm"), seeds_of(data, "none"))
    for data in ("scenes", "digits")
)
rows = [
    ("claim", "the paper", "the article adds", "measured here"),
    ("---",) * 4,
    (
        "A: few parameters",
        "its ARM is the branch alone",
        "a 3×3 in the class, and counts one 1×1",
        f"ARM32: {sum(counts['ARM32, 512 → 128']):,}, branch {counts['ARM32, 512 → 128'][1]:,}; "
        f"BiSeNet: {percent(arms.parameters, everything.parameters)} % and "
        f"{percent(branch.parameters, everything.parameters)} %",
    ),
    (
        "B: mainly the pooling",
        "no cost of modules",
        "the sentence",
        f"3×3: {share_of_3x3:.3%} of the class; "
        f"pooling and multiply: {pool_and_gate / inside:.1%} of attention and gate",
    ),
    (
        "C: less than 1 % compute",
        "no cost of modules",
        "the number",
        f"both classes {percent(arms.multiply_adds, with_arm)} %, "
        f"branch {percent(branch.multiply_adds, with_arm)} %; three scales {share} %",
    ),
    (
        "C: 2–3 % mIoU",
        f"{without_pool:+.2f} and {with_pool:+.2f}, one run each",
        "one range for both",
        f"scenes {100 * scenes.mean:+.1f} ± {100 * scenes.half_width:.1f} points; "
        f"digits {100 * digits.mean:+.1f} ± {100 * digits.half_width:.1f}",
    ),
    (
        "D: ARM keeps spatial information, SE recalibrates channels",
        "a gate per channel",
        "the contrast",
        "both gates have the shape (N, C, 1, 1)",
    ),
]
display(Markdown("\n".join(f"| {' | '.join(row)} |" for row in rows)))

# %% [markdown]
# The two rows of C on accuracy belong together. Where the task needs what lies outside of the window, ARM changes everything, and so does SE. How much it changes where context is not needed is in the last column, with its interval. Neither is a percentage that one could promise for streets.

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
# 3. Two runs of one seed are 0.010 apart and so are the two of another. What is the half width of the paired interval, and what does it say of a third seed?
#
# <details><summary>Answer</summary>
#
# It is 0, as the differences are equal. By itself it says little: two equal values may be chance. Where a theorem says that they must be equal, as for A against B without attention, it is more.
#
# </details>
#
# 4. *No difference seen*, with an interval of ±0.001; *no difference seen*, with one of ±0.1. Do they say the same?
#
# <details><summary>Answer</summary>
#
# No. The first rules out anything larger than about a thousandth. The second would have overlooked a tenth.
#
# </details>
#
# 5. You compare twenty attentions with `none`, each with its 95 % interval, and one of them "differs". What do you do?
#
# <details><summary>Answer</summary>
#
# Expect it: of twenty intervals one misses by chance. Train that one with new seeds, and look at those alone.
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
# | ablation | 消融实验 | the same training without one part |
# | seed | 随机种子 | what decides the draw of weights and images |
# | confidence interval | 置信区间 | (2) |
# | standard deviation | 标准差 | $s$ of (1) |
# | paired difference | 配对差 | taken within a seed |
# | degrees of freedom | 自由度 | $n - 1$: the mean took one |
#
# ## What comes next
#
# Lesson 11, the GPU, is in the [contents](index.ipynb). To repeat this with an attention of your choice: `armlab ablate --attention none,eca,cbam --seeds 0-4 --out runs/mine`. It prints these tables, and `--resume runs/mine` goes on with it after a break.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

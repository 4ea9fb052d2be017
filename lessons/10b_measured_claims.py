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
# # 10b · The claims, measured
#
# **Goal.** Say how sure a few runs make you: of a network's score, and of the difference between two.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 9b](09b_training.ipynb): the scenes, mIoU, A against B · [Lesson 10a](10a_counting.ipynb): the four claims and their counts |
# | Afterwards you can | put an interval around a few seeds and around their paired differences · tell *no difference seen* from *no difference* · say of each claim what the paper supports, what the article adds, and what was measured |
# | Runs on | CPU; no GPU needed. The trainings are kept; their command is printed |
# | Explains | [training/intervals.py](../armlab/training/intervals.py) · [training/ablation.py](../armlab/training/ablation.py) · [training/findings.py](../armlab/training/findings.py) |
#
# This is the second half of chapter 10. The first counted what ARM costs; this one asks what it brings. `training/intervals.py` counts its own equations: its (1) and (2) are (10.4) and (10.6).

# %%
import json
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from scipy.stats import t as student

from armlab import check, hand, plots
from armlab.cost import ModuleCost
from armlab.cost.cost_table import percent
from armlab.data import DigitScenes, Scenes, to_rgb
from armlab.training import ablation, findings, intervals
from armlab.training.intervals import interval, mean_over_seeds, paired_difference
from tools import compare, from_file, source

rng = np.random.default_rng(0)
BLUE, RED = "#0072B2", "#D55E00"

# %% [markdown]
# ## 1 · A few seeds
#
# The paper reports that ARM adds 1.30 points of mIoU without global pooling, and 2.98 with it, from one run each (lesson 10a). Here are two sets on which many runs are cheap. They are those of chapter 9: the **scenes**, in which a 7 needs the orange or the blue band, and the **digits**, in which every digit is its own class and a small window holds all there is to know.

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

# %% [markdown]
# A **seed** decides the first weights and which images the training sees. Another seed is another draw. Five runs give five values $x_1 \dots x_5$; what we want is the mean $\mu$ of all the runs that could have been.
#
# The kept results are those of two **grids**, each attention with each seed.
#
# **Predict.** Five runs of one network on the digits, nothing different but the seed. How far apart are the best and the worst, in points of mIoU?
#
# <details><summary>Answer</summary>
#
# With ARM 13.8 points, without 8.0. On the scenes it is 1.6 and 3.1. A difference of two points between two single runs on the digits would say nothing.
#
# </details>

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
        print(f"        {name:5} mIoU", " ".join(f"{v:.4f}" for v in values), end="")
        print(f"   {100 * np.ptp(values):4.1f} points apart")


# %%
def seeds_of(data, attention, measure="miou"):
    """The values of one attention, by seed."""
    runs = grids[data]["runs"]
    return {r["seed"]: r[measure] for r in runs if r["attention"] == attention}


x = np.array(list(seeds_of("scenes", "arm").values()))
n = len(x)
print("n =", n, "  x =", x.round(4))
apart = {a: round(100 * np.ptp(list(seeds_of("digits", a).values())), 1) for a in ("arm", "none")}
assert apart == {"arm": 13.8, "none": 8.0}

# %% [markdown]
# ## 2 · How sure they make us
#
# The mean of the five is our guess at $\mu$. How far may it be off? First, how much do single runs scatter?
#
# $$s^2 = \frac{1}{n-1} \sum_i (x_i - \bar x)^2 \tag{10.4}$$
#
# **Why $n - 1$.** Let each $x_i$ have mean $\mu$ and variance $\sigma^2$, independently. By (10.4) we measure from $\bar x$ and not from $\mu$. Write $x_i - \bar x = (x_i - \mu) - (\bar x - \mu)$ and square. The cross terms add up to $-2n(\bar x - \mu)^2$, so
#
# $$\sum_i (x_i - \bar x)^2 = \sum_i (x_i - \mu)^2 - n\,(\bar x - \mu)^2 \tag{10.5}$$
#
# On average the first sum is $n\sigma^2$. The mean of $n$ independent values has the variance $\sigma^2/n$, so on average the second is $\sigma^2$. Together $(n-1)\,\sigma^2$. The values lie closer to their own mean than to the true one, and dividing by $n$ would make the scatter look too small: by a fifth of the variance, with five values.
#
# **The interval.** Let the values be drawn from a normal distribution. Were $\sigma$ known, $\bar x \pm 1.96\,\sigma/\sqrt n$ would hold $\mu$ in 95 of 100 cases. But $s$ is itself a guess from five values, and now and then much too small. Student's distribution makes up for that, with a factor $t$ that depends on $n - 1$:
#
# $$\bar x \pm t\, \frac{s}{\sqrt n} \tag{10.6}$$
#
# Line by line, from the five values:

# %%
mu = 0.85  # any number will do for (10.5)
mean = x.sum() / n
compare("(10.5)", ((x - mu) ** 2).sum() - n * (mean - mu) ** 2, ((x - mean) ** 2).sum())
s = np.sqrt(((x - mean) ** 2).sum() / (n - 1))  # (10.4)
factor = student.ppf(0.975, n - 1)
half = factor * s / np.sqrt(n)  # (10.6)
theirs = interval(list(x))
compare("s", s, np.std(x, ddof=1))
compare("mean", mean, theirs.mean)
compare("half width", half, theirs.half_width)
print(f"t = {factor:.3f} for n = {n}, so mIoU of arm is {mean:.4f} ± {half:.4f}")
print("t for n = 2, 3, 5, 10, 100:", student.ppf(0.975, np.array([1, 2, 4, 9, 99])).round(2))

# %% [markdown]
# Does it hold what it promises? Draw five values from a normal distribution whose mean is known, make the interval, look whether it holds the mean; 20,000 times. Beside it, two shortcuts that one meets: 1.96 for $t$, and `np.std` as it comes, which divides by $n$.
#
# **Predict.** An interval that promises 95 % holds the mean in 95 of 100 cases. In how many do the shortcuts?
#
# <details><summary>Answer</summary>
#
# In 88 and in 85. Both intervals are too short, by 29 and by 37 %: 1.96 stands where 2.78 should, and `np.std` takes a tenth off besides.
#
# </details>
#
# A coloured line is an interval that misses.

# %%
draws = rng.standard_normal((20_000, 5))
middle, spread = draws.mean(axis=1), draws.std(axis=1, ddof=1) / np.sqrt(5)
population = draws.std(axis=1) / np.sqrt(5)
ways = {
    "t, n − 1": factor * spread,
    "1.96, n − 1": 1.96 * spread,
    "1.96, np.std": 1.96 * population,
}
held = []
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), layout="constrained", sharey=True)
for ax, (name, half_width) in zip(axes, ways.items(), strict=True):
    holds = np.abs(middle) <= half_width
    held.append(holds.mean())
    print(f"{name:13} holds the mean in {held[-1]:.1%}")
    for row in range(60):
        colour = "0.6" if holds[row] else RED
        ax.plot(middle[row] + half_width[row] * np.array([-1, 1]), [row, row], color=colour, lw=1.4)
    ax.axvline(0, color="black", lw=1)
    ax.set(title=f"{name}: {np.sum(~holds[:60])} of 60 miss", yticks=[], xlim=(-4, 4))
    ax.spines[["top", "right", "left"]].set_visible(False)
plt.show()
assert [round(100 * share) for share in held] == [95, 88, 85]

# %% [markdown]
# ### Exercise 1 · Find the bug
#
# ★★☆ · 10 minutes
#
# A colleague's interval is always narrower than that of `armlab`.


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
# ## 3 · Differences, seed by seed
#
# Two runs of one seed see the same images in the same order. If these happen to be easy ones, both profit. So a difference should be taken **within a seed**, and then the interval made of the differences $d_i = a_i - b_i$.
#
# What is gained? The variance of a difference is
#
# $$\mathrm{var}(a - b) = \mathrm{var}(a) + \mathrm{var}(b) - 2\,\mathrm{cov}(a, b) \tag{10.7}$$
#
# and two means taken apart know nothing of the last term. Where the runs of a seed go up and down together, the pairs are surer. Where they do not, nothing is won; but nothing has to be assumed either.
#
# **Predict.** For each pair of networks in the grids: which interval is narrower, that of the differences or that of two means taken apart, which is (10.7) without its last term?
#
# <details><summary>Answer</summary>
#
# That of the differences, for all four pairs. Runs of one seed did go up and down together: the covariance is positive.
#
# </details>

# %%
a, b = (np.array(list(seeds_of("scenes", name).values())) for name in ("arm", "none"))
covariance = ((a - a.mean()) * (b - b.mean())).sum() / (n - 1)
compare("(10.7)", a.var(ddof=1) + b.var(ddof=1) - 2 * covariance, (a - b).var(ddof=1))
compare("mean", a.mean() - b.mean(), (a - b).mean())
by_file = paired_difference(seeds_of("scenes", "arm"), seeds_of("scenes", "none"))
compare("half width", factor * (a - b).std(ddof=1) / np.sqrt(n), by_file.half_width)
for data, name in [("scenes", "arm"), ("scenes", "se"), ("scenes", "sar"), ("digits", "arm")]:
    a, b = (np.array(list(seeds_of(data, which).values())) for which in (name, "none"))
    paired, taken_apart = (
        factor * np.sqrt(v / n) for v in ((a - b).var(ddof=1), a.var(ddof=1) + b.var(ddof=1))
    )
    print(f"{data}, {name:3} − none: pairs ± {paired:.4f}, means taken apart ± {taken_apart:.4f}")
    assert paired < taken_apart

# %% [markdown]
# ### Exercise 2 · `paired_interval`
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
# ## 4 · What was measured
#
# A grid is a list of ordinary runs. It goes seed by seed, so that one that is interrupted has whole pairs to compare. What may be said of a difference in the end is decided by a few lines:

# %%
source(ablation.Grid.configs, findings.verdict)

# %% [markdown]
# **Predict.** First the scenes. `none` sees a window of some pixels, SAR looks around each pixel, ARM and SE pool. Of the sevens that it finds, which share does each of the four call by the right name, A or B?
#
# <details><summary>Answer</summary>
#
# ARM and SE all of them with every seed, as they pool over the image. `none` and SAR cannot see the band. The theorem of [lesson 9a](09a_context.ipynb) covers both, and their A against B is exactly one half with every seed: an interval of width 0 that no further seed can widen.
#
# </details>
#
# Every run is a dot, and a grey line joins the runs of one seed. Below are the differences from `none`, coloured where the interval leaves out 0 and grey where it holds it.


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
sure = {
    name: {*seeds_of("scenes", name, "told_apart").values()}
    for name in grids["scenes"]["attentions"]
}
assert sure == {"none": {0.5}, "arm": {1.0}, "se": {1.0}, "sar": {0.5}}
assert 0 < paired_difference(seeds_of("scenes", "se"), seeds_of("scenes", "arm")).mean < 0.01

# %% [markdown]
# ARM and SE are 0.36 above `none` in mIoU, and less than 0.01 apart.
#
# **Predict.** And on the digits, where a small window holds all there is to know: does ARM bring something, nothing, or can five seeds not say?
#
# <details><summary>Answer</summary>
#
# They cannot say. The mean of the differences is −4.3 points, its interval ± 7.1. Two of five seeds are better with ARM, three are worse.
#
# </details>

# %%
draw("digits")
table("digits")
pairs = [seeds_of("digits", name).values() for name in ("arm", "none")]
assert sum(a > b for a, b in zip(*pairs, strict=True)) == 2
assert not paired_difference(*(seeds_of("digits", name) for name in ("arm", "none"))).differs

# %% [markdown]
# ### What an interval says, and what it does not
#
# The last column is worded with care. *A difference*: the interval leaves out 0; were there none, that would happen in one of twenty such comparisons. *No difference seen*: the interval holds 0. That is not *no difference*. It says that a difference, if there is one, is likely no larger than the ends of the interval.
#
# **Predict.** How many seeds would it take to see a difference of the paper's size, 2.98 points, at the scatter of these pairs? And 1.30?
#
# <details><summary>Answer</summary>
#
# About 17, and about 76. The half width of (10.6) has to come down to the difference, and it falls with $\sqrt n$: for less than half the difference, more than four times the seeds. Even then chance lifts the difference over the line only about every other time.
#
# </details>

# %%
first, second = seeds_of("digits", "arm"), seeds_of("digits", "none")
d = np.array([first[seed] - second[seed] for seed in first])
found = interval(list(d))
low, high = found.mean - found.half_width, found.mean + found.half_width
print(f"arm − none on the digits: between {100 * low:+.1f} and {100 * high:+.1f} points of mIoU")
print("each pair:", (100 * d).round(1))
seeds_needed = []
for points in (2.98, 1.30):
    needed = 2
    while student.ppf(0.975, needed - 1) * d.std(ddof=1) / np.sqrt(needed) > points / 100:
        needed += 1
    print(f"to see {points:.2f} points takes about {needed} seeds")
    seeds_needed.append(needed)
assert seeds_needed == [17, 76]

# %% [markdown]
# (The comparison with the paper is one of *size* alone: other data, another network, and runs too short to learn ten digits well.) Five seeds tell a large effect from none, as the scenes show. On the digits an effect of a point or two drowns in the scatter, and with one run each, chance would have chosen the number: anything between −10.7 and +2.6.
#
# ### The number of seeds under your hand
#
# How would it have looked with fewer seeds? The same differences, the first $n$ of them. $t$ falls from 12.7 to 2.8 between two seeds and five.
#
# **Predict.** With two seeds alone: is the difference on the scenes seen? Does that on the digits look like one?
#
# <details><summary>Answer</summary>
#
# On the scenes it is seen, even with $t = 12.7$. On the digits both of the first two seeds are worse with ARM, by 7.7 and 10.7 points, and without an interval one would believe it. Its interval reaches from −28 to +10.
#
# </details>


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
for data, seen in (("scenes", True), ("digits", False)):
    first, second = seeds_of(data, "arm"), seeds_of(data, "none")
    d = [first[seed] - second[seed] for seed in first]
    assert all(interval(d[:k]).differs == seen for k in (2, 3, 4, 5))
two = interval(d[:2])
assert [round(100 * (two.mean + side * two.half_width)) for side in (-1, 1)] == [-28, 10]

# %% [markdown]
# In a running notebook, move the slider. One run has no interval at all, and that is what the paper's numbers are.

# %%
slider = ipywidgets.IntSlider(value=3, min=2, max=5, description="seeds", continuous_update=False)
_ = ipywidgets.interact(lambda k: show_seeds([k]), k=slider)

# %% [markdown]
# ## 5 · The table
#
# Look at what you wrote down at the beginning of lesson 10a. Its counts are made again here.

# %%
arm32 = ModuleCost(hand.AttentionRefinementModule(512, 128, rng=0).eval(), (1, 512, 32, 64))
in_arm32 = arm32.branches("")
of_3x3 = in_arm32["features", "3×3 convolution"].multiply_adds / arm32.total.multiply_adds
inside = arm32.without_features("")
per_element = (
    in_arm32["attention", "pooling"].elementwise + in_arm32["gate", "multiply"].elementwise
)
pool_and_gate = per_element / (inside.multiply_adds + inside.elementwise)

net = ModuleCost(hand.BiSeNet(19, rng=0).eval(), (1, 3, 1024, 2048))
arms, branch, everything = net.of(*net.arms), net.without_features(*net.arms), net.total
three = ModuleCost(hand.ThreeScaleBiSeNet(9, rng=0).train(), (2, 3, 480, 640))
convs = three.of(*(f"{path}.conv" for path in three.arms))

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
        f"ARM32: {arm32.total.parameters:,}, branch {inside.parameters:,}; "
        f"BiSeNet: {percent(arms.parameters, everything.parameters)} % and "
        f"{percent(branch.parameters, everything.parameters)} %",
    ),
    (
        "B: mainly the pooling",
        "no cost of modules",
        "the sentence",
        f"3×3: {of_3x3:.3%} of the class; "
        f"pooling and multiply: {pool_and_gate:.1%} of attention and gate",
    ),
    (
        "C: less than 1 % compute",
        "no cost of modules",
        "the number",
        f"both classes {percent(arms.multiply_adds, everything.multiply_adds)} %, "
        f"branch {percent(branch.multiply_adds, everything.multiply_adds)} %; "
        f"three scales {percent(convs.multiply_adds, three.total.multiply_adds)} %",
    ),
    (
        "C: 2–3 % mIoU",
        "+1.30 and +2.98, one run each",
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
# The two numbers in the row on accuracy belong together. On the scenes the task needs what lies outside of the window: there ARM changes everything, and so does SE. On the digits it does not, and no difference was seen in five seeds. Neither is a percentage that one could promise for streets.

# %% [markdown]
# ## Five questions
#
# 1. Two runs of one seed are 0.010 apart and so are the two of another. What is the half width of the paired interval, and what does it say of a third seed?
#
# <details><summary>Answer</summary>
#
# It is 0, as the differences are equal. By itself it says little: two equal values may be chance. Where a theorem says that they must be equal, as for A against B without attention, it is more.
#
# </details>
#
# 2. *No difference seen*, with an interval of ±0.001; *no difference seen*, with one of ±0.1. Do they say the same?
#
# <details><summary>Answer</summary>
#
# No. The mean lies within the first interval's half width, so no end is farther out than 0.002: anything larger is ruled out. The second would have overlooked a tenth.
#
# </details>
#
# 3. You compare twenty attentions with `none`, each with its 95 % interval, and one of them "differs". What do you do?
#
# <details><summary>Answer</summary>
#
# Expect it: of twenty such intervals one leaves out the true difference by chance, on average. Train that one with new seeds, and look at those alone.
#
# </details>
#
# 4. You train five seeds more. By how much does the half width of (10.6) come down, if the scatter stays?
#
# <details><summary>Answer</summary>
#
# To 0.58 of it: the root gives $\sqrt{5/10} = 0.71$, and $t$ falls from 2.78 to 2.26.
#
# </details>
#
# 5. Why does $s$ divide by $n - 1$?
#
# <details><summary>Answer</summary>
#
# The deviations are taken from the values' own mean, to which they lie closer than to $\mu$. By (10.5) their squares add up to $(n - 1)\,\sigma^2$ on average.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | seed | 随机种子 | what decides the draw of weights and images |
# | ablation | 消融实验 | the same training without one part |
# | confidence interval | 置信区间 | (10.6) |
# | standard deviation | 标准差 | $s$ of (10.4) |
# | covariance | 协方差 | how far two values go up and down together |
# | paired difference | 配对差 | taken within a seed |
# | degrees of freedom | 自由度 | $n - 1$: the mean took one |
#
# ## What comes next
#
# [Lesson 11a](11a_gpu.ipynb) runs the same source on a GPU. To repeat this with an attention of your choice: `armlab ablate --attention none,eca,cbam --seeds 0-4 --out runs/mine`. It prints these tables, and `--resume runs/mine` goes on with it after a break. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 12a · Batch normalisation across ranks
#
# **Goal.** Normalise a batch that lies in parts on several cards as if it lay on one, forward and backward, and see what becomes of ARM's gates without.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 2b](02b_batch_norm_backward.ipynb): the three ways back through batch normalisation · [Lesson 4c](04c_batch_size.ipynb): what a batch of one and of two does to ARM |
# | Afterwards you can | combine means and variances of parts without loss · derive which numbers ranks exchange in either direction · say what own statistics do to a gate · tell a part's gradient from the gradient |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/sync_batch_norm.py](../armlab/hand/sync_batch_norm.py) · [hand/group.py](../armlab/hand/group.py) · [parallel/threads.py](../armlab/parallel/threads.py) |
#
# Who has several cards gives each of them the whole network and a part of every batch. Chapter 12 is about what the parts have to tell each other. This lesson is about the forward and the backward, where images meet in one place only, batch normalisation; [lesson 12b](12b_data_parallel.ipynb) is about the step.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from armlab import check, hand
from armlab.data import Scenes
from armlab.hand.sync_batch_norm import sync_batch_norm, synchronised
from armlab.parallel.shares import share_of
from armlab.parallel.threads import in_threads
from armlab.training.optimisers import Adam
from armlab.training.rank_learner import RankLearner
from tools import COLOURS, compare, features, photographs, source, trained

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · A batch in parts
#
# A **rank** is one of several processes that compute the same program on different data; its number counts from 0, and all of them together are a **group**. Usually each has a card of its own. What a rank can do beside computing is to exchange: *gather* gives every rank the arrays of all, *sum* gives every rank their sum. Everybody has to come to an exchange, or nobody goes on.
#
# Here ranks are threads of one process, which exchange in microseconds and compute the same numbers. `in_threads` runs one function on each of them:


# %%
def work(group):
    mine = np.array([1.0, 10.0]) * (group.rank + 1)
    return share_of(range(8), group.rank, group.size), group.gather(mine).shape, group.sum(mine)


for rank, (part, shape, total) in enumerate(in_threads(3, work)):
    print(f"rank {rank}: images {[*part]}, gathered {shape}, sum {total}")

# %% [markdown]
# A batch normalisation of the whole batch, $m = NHW$ values per channel, is
#
# $$\begin{gathered} \mathrm{mean} = \frac1m\sum x, \qquad \mathrm{var} = \frac1m\sum(x - \mathrm{mean})^2, \qquad r = \frac1{\sqrt{\mathrm{var} + \varepsilon}}, \\ \hat x = (x - \mathrm{mean})\,r, \qquad y = w\,\hat x + b \end{gathered} \tag{12.1}$$
#
# If nobody thinks of it, each rank puts the mean and the variance of its **own** part in here. This is what PyTorch's DistributedDataParallel does with `BatchNorm2d`. For most layers it does little harm: a part of two images of 64 × 64 still has 8,192 values. ARM normalises behind its global pooling, where $H = W = 1$ and $m$ is the number of images. One image alone is refused. Of two that lie $2d$ apart, [lesson 4c](04c_batch_size.ipynb) has found
#
# $$\hat x = \pm\frac{d}{\sqrt{d^2 + \varepsilon}} \tag{12.2}$$
#
# which is $\pm 1$ in nearly all cases, so the gates stand at $\sigma(b \pm w)$ whatever the images are.
#
# Here is the trained network with ARM of [lesson 4b](04b_arm.ipynb), and a batch of eight scenes: four with an orange band, then four with a blue one. Its gates answer one question: which band is it?
#
# **Predict.** The batch is cut into parts of four, two and one image, in this order. So no part has both bands in it. What do the gates of each part know of the band? And what happens in parts of one?
#
# <details><summary>Answer</summary>
#
# Next to nothing. What all images of a part have in common is its mean, and the mean is taken away. Here the band is what they have in common. The gates of an orange part and of a blue one have the same mean over their part, or nearly; what is left to see is how scenes of one band differ, blown up to the full scale. One value alone is refused.
#
# </details>

# %%
net, scenes = trained("arm"), Scenes("test")
images = np.concatenate([scenes.batch(range(4), band)[0] for band in (0, 1)])
w, b = (a.astype("float64") for a in (net.refine.bn_atten.weight, net.refine.bn_atten.bias))
u, _ = net.refine.conv_atten(hand.global_avg_pool(features(net, images))[0])
u = u.astype("float64")  # (8, 32, 1, 1): pooled and mixed, one value per image and channel


def gates(ranks, together):
    """The gates (8, 32) of the batch, shared out among ranks; with statistics of all, or own."""

    def work(group):
        part = u[share_of(range(8), group.rank, ranks)]
        norm = sync_batch_norm(part, w, b, group=group) if together else hand.batch_norm(part, w, b)
        return hand.sigmoid(norm[0][0])[0][:, :, 0, 0]

    return np.concatenate(in_threads(ranks, work))


def opened(s):
    """How much further orange opens each gate than blue.  (8, 32) -> (32,)"""
    return s[:4].mean(axis=0) - s[4:].mean(axis=0)


order = np.argsort(-opened(gates(1, together=False)))  # from orange's channels to blue's


def show_gates(shown):
    """A picture of all gates for each (ranks, together)."""
    size = (2.9 * len(shown) + 0.6, 2)
    fig, axes = plt.subplots(1, len(shown), figsize=size, layout="constrained")
    for ax, (ranks, together) in zip(axes, shown, strict=True):
        name = "statistics of all" if together else "own statistics"
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{ranks} rank{'s' * (ranks > 1)}, {name}", fontsize=10)
        try:
            s = gates(ranks, together)
        except ValueError:
            ax.set_facecolor("0.9")
            ax.text(0.5, 0.5, "ValueError", ha="center", va="center", transform=ax.transAxes)
            continue
        drawn = ax.imshow(s[:, order], cmap="magma", vmin=0, vmax=1, aspect="auto")
        for rank in range(1, ranks):
            ax.axhline(share_of(range(8), rank, ranks).start - 0.5, color="white", lw=2)
    axes[0].set_yticks([1.5, 5.5], ["orange", "blue"])
    fig.colorbar(drawn, ax=axes, label="gate", fraction=0.03, pad=0.01)
    plt.show()


show_gates([(ranks, False) for ranks in (1, 2, 4, 8)])
apart = [np.abs(opened(gates(ranks, False))).max() for ranks in (1, 2, 4)]
print("ranks 1, 2, 4: between the bands a gate differs by up to", np.round(apart, 3))
assert apart[0] > 0.5 > 0.05 > apart[1] > apart[2]

# %% [markdown]
# Each row is a scene, each column a channel, sorted by how much further orange opens it; white lines separate the ranks. On one rank the upper left and the lower right are open: orange opens the channels on the left and blue those on the right. On two ranks this is gone: within each part some scenes are light and others dark, whichever the band. On four ranks each part has two rows of which one is the other with light and dark exchanged, as (12.2) says. On eight each rank has one value per channel, and stops.
#
# An order by chance would put both bands into some parts and not into others, and the gates would say different things in each. In evaluation mode all these ranks would use kept statistics and see the band again; it is the training that is blind.
#
# ## 2 · Two means and two variances
#
# Rank $i$ has $m_i$ of the $m$ values. It can compute the mean of its own, and the sum of their squares around it:
#
# $$\mathrm{mean}_i = \frac1{m_i}\sum_{x\,\in\,i} x, \qquad S_i = \sum_{x\,\in\,i}(x - \mathrm{mean}_i)^2 \tag{12.3}$$
#
# **Predict.** Two ranks have four values each. On either, the variance is 1. The means are 0 and 10. What is the variance of all eight? First a guess, then on paper.
#
# <details><summary>Answer</summary>
#
# It is 26. The mean of all is 5, each value lies 5 to one side of it, give or take its own deviation, and $5^2 + 1 = 26$. The mean of the two variances would say 1: it has not noticed that there are two heaps.
#
# </details>
#
# The mean of the whole is the mean of the means, each weighted with its number of values, since $m_i\,\mathrm{mean}_i$ is the sum over the part:
#
# $$\mathrm{mean} = \frac1m\sum_i m_i\,\mathrm{mean}_i, \qquad m = \sum_i m_i \tag{12.4}$$
#
# For the variance, go from a value to the mean of all in two steps, by way of the mean of its part: $x - \mathrm{mean} = (x - \mathrm{mean}_i) + (\mathrm{mean}_i - \mathrm{mean})$. The second step is the same for all values of the part. Squared and added up,
#
# $$\sum_{x\,\in\,i}(x - \mathrm{mean})^2 = S_i + 2\,(\mathrm{mean}_i - \mathrm{mean})\underbrace{\sum_{x\,\in\,i}(x - \mathrm{mean}_i)}_{=\,0} + m_i\,(\mathrm{mean}_i - \mathrm{mean})^2 \tag{12.5}$$
#
# The middle term is 0, as deviations from their own mean add up to 0. So, exactly and for any number of parts,
#
# $$\mathrm{var} = \frac1m\sum_i\Big(S_i + m_i\,(\mathrm{mean}_i - \mathrm{mean})^2\Big) \tag{12.6}$$
#
# This is the spread **within** the parts and the spread **between** them (Chan, Golub and LeVeque, 1979). Both are sums of squares; nothing in them can cancel. Three numbers per channel, $m_i$, $\mathrm{mean}_i$ and $S_i$, say all about a part that the others need.
#
# The six photographs below are six ranks. Their red values:

# %%
red = photographs()[:, 0].reshape(6, -1)  # (6, 6144)
means, spreads = red.mean(axis=1), red.var(axis=1) * 6144  # (12.3)
mean = (6144 * means).sum() / red.size  # (12.4)
var = (spreads + 6144 * (means - mean) ** 2).sum() / red.size  # (12.6)
print(f"whole: mean {red.mean():.6f}, variance {red.var():.6f}")
print(f"parts: mean {mean:.6f}, variance {var:.6f}")
assert np.isclose(var, red.var(), rtol=1e-12)

fig, axes = plt.subplots(1, 2, figsize=(10, 2.8), layout="constrained")
at = np.arange(6)
axes[0].errorbar(at, means, np.sqrt(spreads / 6144), fmt="o", color=COLOURS[0], capsize=4)
axes[0].axhspan(mean - np.sqrt(var), mean + np.sqrt(var), color="0.9", zorder=0)
axes[0].axhline(mean, color="0.4", lw=1)
axes[0].set(title="mean ± standard deviation, of parts and of the whole", xlabel="rank", xticks=at)
within, between = spreads / red.size, 6144 * (means - mean) ** 2 / red.size
axes[1].bar(at, within, color="#56B4E9", label="within")
axes[1].bar(at, between, bottom=within, color="#E69F00", label="between")
axes[1].set(title="what each adds to the variance", xlabel="rank", xticks=at)
axes[1].legend()
plt.show()
print(f"within {within.sum():.4f} + between {between.sum():.4f} = variance {var:.4f}")
assert np.array_equal(np.flatnonzero(between > within), [3, 4])

# %% [markdown]
# Grey is the whole. The mean of the six variances is the spread within alone. Ranks 3 and 4, whose means lie furthest from it, add more by where they lie than by their own spread.
#
# Of two parts there is a form without the mean of both. The means lie $\mathrm{mean}_1 - \mathrm{mean} = \frac{m_2}{m}(\mathrm{mean}_1 - \mathrm{mean}_2)$ and $\mathrm{mean}_2 - \mathrm{mean} = -\frac{m_1}{m}(\mathrm{mean}_1 - \mathrm{mean}_2)$ from it. Put into (12.6), the two terms between are $\frac{m_1 m_2^2 + m_2 m_1^2}{m^2} = \frac{m_1 m_2}{m}$ times a square:
#
# $$S = S_1 + S_2 + \frac{m_1\,m_2}{m_1 + m_2}\,(\mathrm{mean}_1 - \mathrm{mean}_2)^2 \tag{12.7}$$
#
# **Predict.** The second part is empty: a last batch of three images on four ranks leaves one with none. What does (12.7) make of it, and what goes wrong before, in (12.3)?
#
# <details><summary>Answer</summary>
#
# The factor $m_1 m_2/m$ is 0, so $S = S_1$, and by (12.4) the mean is $\mathrm{mean}_1$: an empty part changes nothing, whatever its mean is said to be. But it has to be a number. In (12.3) it is 0/0, and NaN times 0 is NaN. So the file divides by $\max(m_i, 1)$, and an empty part says mean 0.
#
# </details>
#
# ### Exercise 1 · `combined`
#
# ★☆☆ · 5 minutes
#
# Make one part of two. `m_1` and `m_2` are whole numbers, of which one may be 0; the means and the sums of squares are `(C,)`. Return the number, the mean and $S$ of both together.


# %% tags=["exercise"]
def combined(m_1, mean_1, S_1, m_2, mean_2, S_2):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def combined(m_1, mean_1, S_1, m_2, mean_2, S_2):
#     m = m_1 + m_2
#     mean = (m_1 * mean_1 + m_2 * mean_2) / m
#     S = S_1 + S_2 + m_1 * m_2 / m * (mean_1 - mean_2) ** 2
#     return m, mean, S
# ```
#
# What comes out is a part again, so any number of parts can be put together, two at a time.
#
# </details>

# %% tags=["check"]
check.exercise("combined", combined)

# %% [markdown]
# ## 3 · Why not sums of squares
#
# There is a shorter way. Each rank adds up $x$ and $x^2$, one `group.sum` adds up the ranks, and
#
# $$\mathrm{var} = \frac1m\sum_i\sum_{x\,\in\,i} x^2 - \mathrm{mean}^2 \tag{12.8}$$
#
# Nothing has to be weighted, and two numbers per channel do.
#
# **Predict.** The photographs in float32 again, with 1,000 added to each value. Their variance is about 0.115. float32 numbers between $2^{19}$ and $2^{20}$ lie 1/16 apart. What does (12.8) say?
#
# <details><summary>Answer</summary>
#
# A multiple of 1/16: both terms lie near 1,001,000, so no two values in between can be told apart, and the many roundings in the sum add to that. The variance is lost in it. This is the cancellation of [lesson 2a](02a_batch_norm.ipynb), and who adds up over ranks meets it as well.
#
# </details>

# %%
for offset in (0, 10, 100, 1000, 10_000):
    parts = (red + offset).astype("float32")  # (6, 6144)
    m_i = np.float32(6144)
    means = parts.mean(axis=1)
    spreads = ((parts - means[:, np.newaxis]) ** 2).sum(axis=1)  # (12.3)
    mean = (m_i * means).sum() / parts.size
    exact = parts.astype("float64").var()
    stable = (spreads + m_i * (means - mean) ** 2).sum() / parts.size  # (12.6)
    squares = (parts**2).sum(axis=1).sum() / parts.size - mean**2  # (12.8)
    print(f"offset {offset:6}   (12.6) {stable:.5f}   (12.8) {squares:10.5f}   float64 {exact:.5f}")
    assert abs(stable / exact - 1) < 1e-3
    assert offset < 1000 or squares % {1000: 1 / 16, 10_000: 8}[offset] == 0

# %% [markdown]
# At 10,000 the numbers between which (12.8) can choose lie 8 apart, and nothing of the variance is left; it may even be negative. (12.6) is off by less than a thousandth all along.
#
# ### Exercise 2 · Find the bug
#
# ★☆☆ · 5 minutes
#
# `told` is what `group.gather` gives every rank, `(ranks, 3, C)`: of each rank its $m_i$, repeated for each channel, its $\mathrm{mean}_i$ and its $S_i$. A colleague puts them together like this, and has tested it with eight images on two ranks and on four.


# %%
def buggy_statistics(told):
    ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]  # each (ranks, C)
    mean = means.mean(axis=0)
    var = (spreads + ms * (means - mean) ** 2).sum(axis=0) / ms.sum(axis=0)
    return mean, var


def told_by(part):
    mean = part.sum(axis=0) / max(len(part), 1)  # (12.3)
    return np.stack([len(part) + 0 * mean, mean, ((part - mean) ** 2).sum(axis=0)])


values = u[:, :, 0, 0]  # (8, 32)
for ends in ([4], [2, 4, 6]):
    mean, var = buggy_statistics(np.stack([told_by(part) for part in np.split(values, ends)]))
    compare("mean", mean, values.mean(axis=0))
    compare("var", var, values.var(axis=0))

# %% [markdown]
# **Predict.** On which batch does it fail? Name one of eight images or fewer.
#
# <details><summary>Answer</summary>
#
# One whose parts have different sizes: eight images on three ranks, 3, 3 and 2, or the last batch of an epoch. The mean of means counts each rank alike, and so each image of a small part for more. Where a part is empty its 0 counts as a rank's mean.
#
# </details>

# %%
for ends in ([3, 6], [3, 3]):
    mean, var = buggy_statistics(np.stack([told_by(part) for part in np.split(values, ends)]))
    compare("mean", mean, values.mean(axis=0))

# %% [markdown]
# Write it right.


# %% tags=["exercise"]
def statistics_of_all(told):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def statistics_of_all(told):
#     ms, means, spreads = told[:, 0], told[:, 1], told[:, 2]
#     m = ms.sum(axis=0)
#     mean = (ms * means).sum(axis=0) / m
#     var = (spreads + ms * (means - mean) ** 2).sum(axis=0) / m
#     return mean, var
# ```
#
# (12.6) holds around the mean of all values. Around any other it is too large.
#
# </details>

# %% tags=["check"]
check.exercise("statistics_of_all", statistics_of_all)

# %% [markdown]
# ## 4 · The way back
#
# Each rank has $dy$ of its part, the gradient of one loss, that of all ranks. Every $y$ of every rank was normalised with the same mean and variance, so what comes back to these two is a sum over **all** ranks. It is made of two sums over parts, added up:
#
# $$dw_i = \sum_{x\,\in\,i} dy\,\hat x, \qquad db_i = \sum_{x\,\in\,i} dy, \qquad dw = \sum_i dw_i, \qquad db = \sum_i db_i \tag{12.9}$$
#
# That (12.6) takes a detour by way of the parts changes no value, so the gradient is that of (12.1), and an $x$ reaches the loss on the three ways of [lesson 2b](02b_batch_norm_backward.ipynb):
#
# - Directly: $w\,r\,dy$.
# - Through the mean. If it rises by 1, each $y$ falls by $w\,r$, so it receives $-w\,r\,db$. An $x$ has a share of $1/m$ in it: $-w\,r\,db/m$.
# - Through the variance. It receives $\sum dy\,w\,(x - \mathrm{mean})\cdot(-\tfrac12 r^3) = -\tfrac12\,w\,r^2\,dw$. An $x$ moves it by $2\,(x - \mathrm{mean})/m = 2\,\hat x/(r\,m)$: $-w\,r\,\hat x\,dw/m$.
#
# $$dx = w\,r\left(dy - \frac{db}{m} - \hat x\,\frac{dw}{m}\right) \tag{d12.1}$$
#
# **Predict.** What of (d12.1) can a rank compute alone, and how many numbers has it to hear from the others, for $C$ channels?
#
# <details><summary>Answer</summary>
#
# Everything but $db$ and $dw$, the sums over all ranks: $2C$ numbers, however large the images are. $w$, $r$ and $m$ it has since the forward. A whole batch normalisation across ranks exchanges $3C$ numbers of each rank forward and $2C$ back.
#
# </details>

# %%
source(sync_batch_norm)

# %% [markdown]
# The file counts its own: its (1) to (4) are (12.3), (12.4), (12.6) and (12.1), and its (5) is (d12.1), multiplied out: what it takes away from $w\,r\,dy$ is $x$ normalised once more, to another scale and shift.
#
# **Predict.** The backward has exchanged $dw$ and $db$, and yet it returns `dw_i` and `db_i`, the sums of the part. A colleague returns `dw` and `db`, "since that is the gradient". What happens in training?
#
# <details><summary>Answer</summary>
#
# Every parameter has a copy on every rank, and what a rank computes for it is the part of its images in the gradient. After the backward a step adds all of these up over the ranks, for convolutions and normalisations alike. Who returns the sum has it added up once more: on $k$ ranks the gradients of $w$ and $b$ come out $k$ times too large, and those of all convolutions right.
#
# </details>
#
# ### Exercise 3 · `part_backward`
#
# ★★☆ · 10 minutes
#
# The backward on one rank. `dy` and `x_hat` are `(N, C, H, W)` of its part, `m` counts the values per channel of all ranks, and `dw_all`, `db_all`, `(C,)`, are what the exchange has brought. Return what this rank returns.


# %% tags=["exercise"]
def part_backward(dy, x_hat, w, r, m, dw_all, db_all):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def part_backward(dy, x_hat, w, r, m, dw_all, db_all):
#     dw, db = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
#     w, r, dw_all, db_all = (v.reshape(1, -1, 1, 1) for v in (w, r, dw_all, db_all))
#     dx = w * r * (dy - db_all / m - x_hat * dw_all / m)
#     return dx, dw, db
# ```
#
# </details>

# %% tags=["check"]
check.exercise("part_backward", part_backward)

# %% [markdown]
# ## 5 · As if on one
#
# Now a whole ARM, the paper's, on six photographs. They lie on four ranks, one on the first, none on the second, then three and two. `synchronised` makes a copy of a network that shares its weights and normalises over the group.

# %%
photos = photographs()  # (6, 3, 64, 96)
arm = hand.PaperAttentionRefinement(3, rng=11, dtype="float64")
dy = rng.standard_normal(photos.shape)
ends = np.cumsum([0, 1, 0, 3, 2])


def run(module, at):
    y, backward = module(photos[at])
    dx, grads = backward(dy[at])
    return y, dx, grads, module.buffers()


def of_rank(group):
    return run(synchronised(arm, group), slice(ends[group.rank], ends[group.rank + 1]))


whole = run(arm.copy(), slice(None))
ranks = in_threads(4, of_rank)
for k, name in enumerate(("y", "dx")):
    compare(name, np.concatenate([rank[k] for rank in ranks]), whole[k])
for name, (key, wanted) in zip(("dW", "dw", "db"), whole[2].items(), strict=True):
    compare(name, sum(rank[2][key] for rank in ranks), wanted)
compare("y, own", arm.copy()(photos[4:])[0], whole[0][4:])  # rank 3 by itself
for rank in ranks:
    assert all(np.allclose(rank[3][key], kept, rtol=1e-12) for key, kept in whole[3].items())

# %% [markdown]
# Four ranks give what one gives: outputs, gradients and what is kept, not to the last bit, since sums were added up in another order, but within $10^{-12}$ of the largest value. The last line is rank 3 with statistics of its own, which is another function. The tests ask this of every module of the project, for parts that are drawn. So whoever trains by several ranks need not wonder which numbers to expect: those of one.
#
# What is kept for evaluation is of all, too. With momentum $\mu$,
#
# $$\mathrm{running\ var} \leftarrow (1 - \mu)\,\mathrm{running\ var} + \mu\,\mathrm{var}\,\frac{m}{m - 1} \tag{12.10}$$
#
# where $m$ counts the values of all ranks. With own statistics each rank keeps those of its own parts, and the networks of the ranks differ, though their weights are equal.
#
# **Predict.** The picture of section 1 again, with statistics of all. How do its four parts look?
#
# <details><summary>Answer</summary>
#
# Alike, all four as the first: the gates of a scene depend on the batch and not on how it is shared out. Eight ranks with one scene each do what one rank with eight does.
#
# </details>

# %%
show_gates([(ranks, True) for ranks in (1, 2, 4, 8)])
for ranks in (2, 4, 8):
    largest = np.abs(gates(ranks, True) - gates(1, True)).max()
    print(f"{ranks} ranks: largest difference to one {largest:.0e}")
    assert largest < 1e-12
three = gates(3, False)
assert np.abs(three[3] - three[4:6]).max() > 0.5
assert np.abs(three[:3].mean(axis=0) - three[6:].mean(axis=0)).max() < 0.05

# %% [markdown]
# In a running notebook, share the batch out among any number of ranks. Of three, the middle one has an orange scene and two blue ones, and its own statistics tell them apart; those of its neighbours do not.

# %%
slider = ipywidgets.IntSlider(value=3, min=1, max=8, description="ranks", continuous_update=False)
_ = ipywidgets.interact(lambda ranks: show_gates([(ranks, False), (ranks, True)]), ranks=slider)

# %% [markdown]
# ## 6 · What training makes of it
#
# A small ToyNet with ARM learns from batches of eight scenes: on one rank, and on four with two scenes each. `RankLearner` is what `armlab train --processes 4` runs on each rank; its step is the subject of lesson 12b. The data, their order and the first weights are the same three times.
#
# **Predict.** In which of the curves of four ranks does the loss lie where it lies on one? Where does the other lie?
#
# <details><summary>Answer</summary>
#
# With statistics of all, on top of it. With own ones it lies higher: with two scenes a gate cannot say what there is to say, and every other batch normalisation has its statistics from a quarter of the values.
#
# </details>


# %%
def losses(ranks, together, steps=150):
    """The losses of all steps, and of each rank its network in evaluation mode."""

    def work(group):
        small = hand.ToyNet(3, "arm", channels=8, rng=0, dtype="float64")
        learner = RankLearner(small, Adam(), group=group, sync_batch_norm=together)
        data, found = Scenes("train", size=48), []
        for step in range(steps):
            part = share_of(range(8 * step, 8 * step + 8), group.rank, group.size)
            found.append(learner.step(*data.batch(part), 0.006))
        return found, learner.net.copy().eval()

    on_ranks = in_threads(ranks, work)
    return on_ranks[0][0], [small for _, small in on_ranks]


images, labels = Scenes("test", size=48).batch(range(64))
ways = {
    "one rank": (1, True, "black", "-"),
    "four, statistics of all": (4, True, "#56B4E9", "--"),
    "four, own statistics": (4, False, "#D55E00", "-"),
}
fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
curves = {}
for name, (ranks, together, colour, line) in ways.items():
    curves[name], nets = losses(ranks, together)
    smooth = np.convolve(curves[name], np.ones(10) / 10, mode="valid")
    ax.semilogy(np.arange(10, 151), smooth, color=colour, ls=line, lw=2, label=name)
    logits = [small(images.astype("float64"))[0] for small in nets]
    tested = [float(hand.cross_entropy(y, labels)[0]) for y in logits]
    assert len(set(tested)) == (1 if together else ranks)
    for key, a in nets[0].parameters().items():
        assert all(np.array_equal(a, small.parameters()[key]) for small in nets)
    print(f"{name:24} last 50 steps {np.mean(curves[name][-50:]):.3f}", end="")
    print("   test, by rank:", " ".join(f"{loss:.4f}" for loss in tested))
ax.minorticks_off()
ax.set_yticks([0.15, 0.2, 0.3, 0.5, 0.8], ["0.15", "0.2", "0.3", "0.5", "0.8"])
ax.set(xlabel="step", ylabel="loss, mean of 10 steps")
ax.legend()
plt.show()
one, of_all, own = (np.asarray(curve) for curve in curves.values())
print(f"largest difference of four with statistics of all to one: {np.abs(of_all - one).max():.0e}")
assert np.allclose(of_all, one, rtol=1e-9)
assert own[-50:].mean() > one[-50:].mean()

# %% [markdown]
# The test loss is that of each rank's network on 64 scenes, in evaluation mode. With statistics of all the four are one network, and that of one rank but for rounding. With own ones they have equal weights and differ: what each has kept is of other scenes. Which of them is *the* trained network? `armlab train` writes that of rank 0, and PyTorch's DistributedDataParallel hands what rank 0 has kept to all.
#
# What does it cost? Two small exchanges for each batch normalisation in each step: few bytes, but everybody waits until they have arrived, layer after layer. Lesson 12b counts. The command is `armlab train --processes 4 --sync-batch-norm`; in PyTorch, `torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)`, which runs on cards alone. Without it, ARM needs at least two images on each card, and should have many more.
#
# ## Four questions
#
# 1. Four cards have a batch of 32 each and ARM in the network. A colleague says that the batch size is 128. Of what is that true, and of what not?
#
# <details><summary>Answer</summary>
#
# Of the gradient, which is the mean over 128 images. Not of the normalisation, which is over 32 unless it is synchronised.
#
# </details>
#
# 2. Why does a rank send $S_i$ around its own mean, where it would need it around the mean of all?
#
# <details><summary>Answer</summary>
#
# The mean of all is known only after an exchange, so that would take two. By (12.5) the rest follows from the means.
#
# </details>
#
# 3. A rank has no image of the last batch. May it leave the exchange out?
#
# <details><summary>Answer</summary>
#
# No. The others would wait for it. It comes with $m_i = 0$, changes nothing, and keeps the same running statistics as they do.
#
# </details>
#
# 4. When is the mean of the ranks' variances the variance of the whole?
#
# <details><summary>Answer</summary>
#
# When all parts are equally large and all means are equal: in (12.6) each $S_i$ then counts alike, and the terms between are 0. Of equal parts whose means differ it is too small.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | rank, group | 进程序号, 进程组 | one of several processes that compute together, and all of them |
# | gather | 全收集 | every rank gets the arrays of all (all-gather) |
# | sum | 全归约 | every rank gets their sum (all-reduce) |
# | synchronised batch normalisation | 同步批归一化 | (12.1) over the batch of all ranks |
# | within, between | 组内, 组间 | the two sums of (12.6) |
# | cancellation | 相消 | what (12.8) suffers from |
#
# ## What comes next
#
# [Lesson 12b: a step shared out](12b_data_parallel.ipynb) adds up the gradients, and counts what ranks send each other. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 12b · A step shared out
#
# **Goal.** Share a step of training out among several ranks so that it stays the step of one, and say beforehand what it costs and where more ranks stop to pay.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 9b](09b_training.ipynb): a step of training · [Lesson 12a](12a_synchronised_batch_norm.ipynb): batch normalisation across ranks |
# | Afterwards you can | add up the gradients of uneven parts · write data parallel training in twenty lines · add up arrays around a ring, and count its messages and bytes · compute how long a shared step takes, and for how many ranks it is shortest · say what a slow rank and a missing one do to all others |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/group.py](../armlab/hand/group.py) · [parallel/threads.py](../armlab/parallel/threads.py) · [parallel/shares.py](../armlab/parallel/shares.py) · [training/rank\_learner.py](../armlab/training/rank_learner.py) |
#
# [Lesson 12a](12a_synchronised_batch_norm.ipynb) made one layer see the whole batch. This one shares out all the rest of a step: loss, gradients, weights. A **rank** is one of several processes that train together, with a number from 0 on. Each has the whole network and a part of the batch: that is **data parallel**.

# %%
import time
from functools import partial

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from armlab import check, hand
from armlab.cost import ModuleCost
from armlab.data import Scenes
from armlab.hand.group import RankError
from armlab.hand.sync_batch_norm import synchronised
from armlab.parallel.shares import share_of
from armlab.parallel.threads import in_threads
from armlab.training.optimisers import Adam
from ranks import ring_table, timeline
from tools import compare, scene, source

ORANGE, BLUE = "#E69F00", "#0072B2"
rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Whose pixels count how much
#
# The loss of a batch is a mean over its pixels. A pixel with the label 255 is not counted: nobody has said what it shows. With $q = 1$ for a pixel that counts and $q = 0$ for one that does not, and $\ell$ for minus the logarithm of the probability of its class:
#
# $$L = \frac{1}{Q} \sum q\,\ell, \qquad Q = \sum q \tag{12.11}$$
#
# (A class may also have a weight; then $q$ is that weight, and all below stays as it is.) Five scenes are shared out. Rank 0 has three of them, rank 1 has two, and in these two nobody has labelled more than the left quarter.

# %%
source(share_of)
images, labels = Scenes("train", size=(48, 48)).batch(range(5))
images = images.astype("float64")
labels[3:, :, 12:] = 255
parts = [slice(part.start, part.stop) for part in (share_of(range(5), rank, 2) for rank in (0, 1))]
counted = np.array([np.count_nonzero(labels[part] != 255) for part in parts])
print("images", parts, "pixels that count", counted)

# %% [markdown]
# Each rank can compute the mean $L_i$ of its own pixels, and its gradient. To take the mean of the two means is what comes to mind first.
#
# **Predict.** In the mean of the two means, how much does a labelled pixel of rank 1 count, compared with what it should?
#
# <details><summary>Answer</summary>
#
# 3.5 times as much. Rank 1 has 1,152 of 8,064 pixels, a seventh, and gets a half. A pixel of rank 0 counts 7/12 of what it should. Uneven parts are enough for that, without any label 255: of three images and two, the two count 5/4.
#
# </details>

# %%
times = counted.sum() / (2 * counted)  # what the mean of means makes of a pixel
fig, axes = plt.subplots(1, 5, figsize=(11, 2.6), layout="constrained")
for n, ax in enumerate(axes):
    rank = int(n >= 3)
    scene(ax, images[n], f"rank {rank}: {times[rank]:.2f} times")
    ax.title.set_color((BLUE, ORANGE)[rank])
    ax.imshow(np.ones((48, 48, 3)), alpha=0.85 * (labels[n] == 255), interpolation="nearest")
plt.show()
assert np.allclose(times, [7 / 12, 7 / 2])

# %% [markdown]
# White is what does not count; above each scene stands how much one of its other pixels counts in the mean of the means, compared with what it should. To put it right, sort the sum of (12.11) by ranks. Rank $i$ has the sum $Q_i L_i$ of its own pixels, with $Q_i$ the sum of its $q$:
#
# $$L = \sum_i \frac{Q_i}{Q}\, L_i \tag{12.12}$$
#
# So a rank's loss goes in with its **share**, $Q_i / Q$. The weights of the network are the same on every rank: one value feeds all parts, and its gradients add up, as anywhere.
#
# $$dw = \sum_i \frac{Q_i}{Q}\, dw_i \tag{d12.12}$$
#
# Here $dw_i$ is the gradient of $L_i$. A rank whose pixels do not count at all has a share of 0. All that the ranks have to tell each other before the backward is one number each, $Q_i$. The network is in evaluation mode here, so that no image depends on another.

# %%
net = hand.ToyNet(3, "arm", channels=8, rng=0, dtype="float64")


def gradient(images, labels):
    """The mean loss of these images, and all gradients in one array."""
    y, net_back = net.copy().eval()(images)
    loss, loss_back = hand.cross_entropy(y, labels)
    _, grads = net_back(loss_back(1.0))
    return loss, np.concatenate([g.ravel() for g in grads.values()])


whole, dw = gradient(images, labels)
own = [gradient(images[part], labels[part]) for part in parts]
shares = counted / counted.sum()
right, mean_of_means = (by @ [g for _, g in own] for by in (shares, np.full(2, 1 / 2)))
compare("L", shares @ [loss for loss, _ in own], whole)  # (12.12)
compare("dw", right, dw)  # (d12.12)
off = np.linalg.norm(mean_of_means - dw) / np.linalg.norm(dw)
print(f"the mean of the means is off by {off:.0%} of the gradient's length")
assert off > 0.1

# %% [markdown]
# ### Exercise 1 · `shared_gradient`
#
# ★☆☆ · 5 minutes
#
# `grads` is $(k, n)$: in row $i$ the gradient of the mean loss of rank $i$ by $n$ weights. `counted` is $(k,)$, the pixels that count there. A rank that has none sends a row of zeros. Return the gradient of the whole batch, $(n,)$.


# %% tags=["exercise"]
def shared_gradient(grads, counted):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def shared_gradient(grads, counted):
#     return counted @ grads / counted.sum()
# ```
#
# </details>

# %% tags=["check"]
check.exercise("shared_gradient", shared_gradient)

# %% [markdown]
# ## 2 · Data parallel in twenty lines
#
# To try this, ranks need not be processes. `in_threads(k, work)` runs `work(group)` in $k$ threads of this process. A **group** is the ranks as one of them sees it: `group.rank` and `group.size`, `group.gather(a)`, which gives every rank the arrays of all, and `group.sum(a)`, which gives every rank their sum. Processes have a group of the same form.
#
# One step, on every rank the same code:


# %%
def step(net, optimiser, images, labels, group):
    """A step on this rank's part of a batch; the loss of the whole batch."""
    counted = np.array([np.count_nonzero(labels != 255)], float)
    share = (counted / group.sum(counted))[0]
    y, net_back = net(images)
    loss, loss_back = hand.cross_entropy(y, labels)
    _, grads = net_back(loss_back(share))  # (d12.12), before it is summed
    flat = group.sum(np.concatenate([[share * loss], *(g.ravel() for g in grads.values())]))
    loss, *summed = np.split(flat, np.cumsum([1, *(g.size for g in grads.values())])[:-1])
    pairs = zip(grads.items(), summed, strict=True)
    optimiser.step(net, {key: a.reshape(g.shape) for (key, g), a in pairs})
    return loss[0]


def train(group, sync):
    """Twenty steps of one rank: the losses, and the weights and statistics behind them."""
    mine = synchronised(net, group) if sync else net.copy()
    mine.train()
    optimiser = Adam(0.01)
    part = share_of(range(5), group.rank, group.size)
    at = slice(part.start, part.stop)
    losses = [step(mine, optimiser, x[at], labels[at], group) for x, labels in batches]
    return np.array(losses), mine.state_dict()


# %% [markdown]
# That is all of it. The optimiser is one for each rank, too. `loss_back(share)` puts the share into the backward at its beginning, where it is one product. All gradients go into one array, and the loss with them: one exchange, where a network has dozens of arrays. (Missing here is a rank whose pixels do not count: `cross_entropy` refuses it. `RankLearner` hands zeros on.)
#
# **Predict.** Five images on one rank, and on three with synchronised statistics, for twenty steps. Are the weights behind them equal to the last bit: between the three ranks? Between three ranks and one?
#
# <details><summary>Answer</summary>
#
# Between the ranks, yes. All began with the same weights; each gets the same sum, computed once or in one order; each optimiser does the same with it. So they stay together without ever sending a weight. Against one rank, no: it adds up the same numbers in another order, and rounds otherwise. They agree to 12 digits and more.
#
# </details>

# %%
batches = []
for first in range(0, 100, 5):
    x, labels = Scenes("train", size=(48, 48)).batch(range(first, first + 5))
    labels[3:, :, 12:] = 255
    batches.append((x.astype("float64"), labels))

[(one, weights)] = in_threads(1, lambda group: train(group, sync=True))
found = {k: in_threads(k, lambda group: train(group, sync=True)) for k in (2, 3, 5)}
for k, ranks in found.items():
    losses, state = ranks[0]
    alike = all(np.array_equal(other[key], a) for _, other in ranks for key, a in state.items())
    far = max(
        np.abs(a - weights[key]).max() / np.abs(weights[key]).max() for key, a in state.items()
    )
    print(f"{k} ranks: the same bits on all: {alike}; weights off by {far:.0e} at most")
    assert alike
    assert max(far, np.abs(losses / one - 1).max()) < 1e-12
compare("a weight", found[3][0][1]["classify.weight"], found[3][2][1]["classify.weight"])
compare("of 1 rank", found[3][0][1]["classify.weight"], weights["classify.weight"])

# %% [markdown]
# Now the same with two ranks whose batch normalisation sees their own images alone, as PyTorch's `DistributedDataParallel` has it unless it is told otherwise. (That one also divides the sum of the gradients by the number of ranks. With uneven parts it needs each loss times $k\,Q_i/Q$, or it takes the mean of the means.)

# %%
apart = in_threads(2, lambda group: train(group, sync=False))
steps = np.arange(1, 21)
fig, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
axes[0].plot(steps, one, color="0.75", linewidth=6, label="one rank")
two = {"synchronised": (found[2][0][0], BLUE), "own statistics": (apart[0][0], ORANGE)}
for name, (losses, colour) in two.items():
    axes[0].plot(steps, losses, color=colour, label=f"two, {name}")
    axes[1].semilogy(steps, np.abs(losses - one) + 1e-17, color=colour)
axes[0].set(xlabel="step", xticks=range(0, 21, 5), title="loss", ylim=(0, None))
axes[1].set(xlabel="step", xticks=range(0, 21, 5), title="difference from one rank")
axes[0].legend(fontsize=8)
plt.show()
assert np.abs(apart[0][0] - one).max() > 1e-2
differ = [key for key, a in apart[0][1].items() if not np.array_equal(a, apart[1][1][key])]
print(len(differ), "arrays differ between the two ranks:", *differ[:2], "…")
assert {key.rpartition(".")[2] for key in differ} == {"running_mean", "running_var"}

# %% [markdown]
# The blue line lies on the grey one, and differs from it in the last bits alone. The orange one is another training: not a worse one here, but another, and one that changes with the number of ranks. Its weights are the same on both ranks too, as they move by the same sum. The running statistics are not, and those of rank 0 are what is saved.
#
# ## 3 · Around a ring
#
# How does a sum of all ranks come to all ranks? It is called **all-reduce**. Let $k$ ranks hold an array of $B$ bytes each. The plain way is that each sends its array to each other one: it sends, and gets, $(k-1)\,B$ bytes. To collect at rank 0 and send back is no better for rank 0.
#
# The **ring** cuts the array into $k$ parts. In each turn each rank sends *one part* to its neighbour, rank $r$ to rank $r + 1$ and the last one to rank 0.
#
# - In the first $k - 1$ turns the neighbour *adds* what it gets. In turn $t$, counted from 0, rank $r$ sends part $(r - t) \bmod k$: the one that it has just added to. Then each rank has the whole sum of one part. This half is a **reduce-scatter**.
# - In $k - 1$ further turns these sums are passed on, and the neighbour *replaces* its part. Rank $r$ again sends part $(r - t) \bmod k$, the one that it has just got. This half is an **all-gather**.
#
# ### Exercise 2 · `ring_turn`
#
# ★★☆ · 10 minutes
#
# A turn of the first half. `parts` is $(k, k, n)$: `parts[r, p]` is part $p$ as rank $r$ has it. Return what all have behind turn `turn`, without writing to `parts`.


# %% tags=["exercise"]
def ring_turn(parts, turn):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def ring_turn(parts, turn):
#     k, new = len(parts), parts.copy()
#     for r in range(k):
#         p = (r - turn) % k
#         new[(r + 1) % k, p] += parts[r, p]
#     return new
# ```
#
# A rank sends one part and adds to another one, so the order of the ranks does not matter.
#
# </details>

# %% tags=["check"]
check.exercise("ring_turn", ring_turn)


# %% [markdown]
# Both halves in a dozen lines, with a record of what lies where and of what is sent:


# %%
def ring(arrays):
    """An all-reduce: the parts before it and behind each turn, and the bytes of messages."""
    k = len(arrays)
    states, sent = [[np.array_split(a, k) for a in arrays]], [[] for _ in arrays]
    for turn in range(2 * (k - 1)):
        parts = states[-1]
        new = [list(own) for own in parts]
        for r in range(k):
            to, p = (r + 1) % k, (r - turn) % k
            new[to][p] = parts[r][p] + parts[to][p] if turn < k - 1 else parts[r][p]
            sent[r].append(parts[r][p].nbytes)
        states.append(new)
    return states, sent


states, _ = ring([np.ones(4) for _ in range(4)])  # a one of each rank, so a part tells how many
fig, axes = plt.subplots(1, 7, figsize=(11, 2.2), layout="constrained", sharey=True)
titles = ["before", *(f"behind turn {turn}" for turn in range(6))]
for ax, state, title in zip(axes, states, titles, strict=True):
    ring_table(ax, np.array(state)[:, :, 0], title)
axes[0].set_ylabel("rank")
plt.show()
assert np.all(np.array(states[-1]) == 4)

# %% [markdown]
# Each number says of how many ranks a part is the sum. Down the diagonals it grows to 4, behind turn 2 each rank has one part that is whole, and the other three turns carry these around.
#
# Each part is added up along one way only, and then copied. That is why the sums are equal on all ranks to the last bit, though different parts are added up in different orders.
#
# **Predict.** How many bytes does each rank send in all, in units of $B$, with 2 ranks? With 4? With 1,000?
#
# <details><summary>Answer</summary>
#
# A message is $B/k$, and there are $2(k-1)$ of them: $B$, then $\tfrac32 B$, then $1.998\,B$. It never becomes more than $2B$, however many ranks there are. What grows is the number of messages, 2, 6 and 1,998, each of which has to wait for the one before.
#
# </details>
#
# $$\text{messages} = 2\,(k-1), \qquad \text{bytes} = \frac{2\,(k-1)}{k}\,B \tag{12.13}$$

# %%
for k in (1, 2, 3, 4, 8):
    arrays = [rng.standard_normal(2520) for _ in range(k)]  # 2520 has all these divisors
    states, sent = ring(arrays)
    sums = [np.concatenate(own) for own in states[-1]]
    assert all(np.array_equal(a, sums[0]) for a in sums)
    assert np.allclose(sums[0], sum(arrays), rtol=1e-12, atol=1e-12)
    size = arrays[0].nbytes
    for messages in sent:  # (12.13)
        assert (len(messages), sum(messages)) == (2 * (k - 1), 2 * (k - 1) * size / k)
    print(f"{k} ranks: each sends {len(sent[0]):2} messages, {sum(sent[0]) / size:.2f} B")

# %% [markdown]
# ## 4 · How long a step takes
#
# Three numbers describe a rank and its network: the seconds $c$ that it computes for one image, the seconds $\alpha$ that a message takes however short it is (**latency**), and the bytes $\beta$ that it sends in a second (**bandwidth**). No rank sends while it computes.
#
# ### Exercise 3 · `step_seconds`
#
# ★★☆ · 10 minutes
#
# The seconds of a step on a batch of so many images, with one all-reduce of `size` bytes around a ring. `image` is $c$. The images are shared out as evenly as they can be, and the ranks wait for the one that has most.


# %% tags=["exercise"]
def step_seconds(batch, ranks, image, size, latency, bandwidth):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def step_seconds(batch, ranks, image, size, latency, bandwidth):
#     most = -(-batch // ranks)  # rounded up
#     sent = 2 * (ranks - 1) / ranks * size
#     return most * image + 2 * (ranks - 1) * latency + sent / bandwidth
# ```
#
# </details>

# %% tags=["check"]
check.exercise("step_seconds", step_seconds)

# %% [markdown]
# With $N$ images and $B$ bytes:
#
# $$T(k) = \Big\lceil \frac{N}{k} \Big\rceil\, c \;+\; 2\,(k-1)\,\alpha \;+\; \frac{2\,(k-1)}{k}\,\frac{B}{\beta} \tag{12.14}$$
#
# Now BiSeNet, on images of 1024×2048 and a batch of 1,024 of them. Nothing here is measured. The multiply-adds and the parameters are counted; a backward costs about twice the forward, as each convolution has two gradients of its own size; and a rank is taken to reach 10 Tflop/s, 10 µs and 10 GB/s, the order of a graphics card in a fast network.
#
# The gradients are one all-reduce. The numbers $Q_i$ are one **gather** of 8 bytes. Around a ring, a gather of $b$ bytes of each rank takes $k - 1$ messages, each of $b$ bytes. And synchronised batch normalisation has two gathers in each of its layers: three numbers for each channel in the forward, two in the backward ([lesson 12a](12a_synchronised_batch_norm.ipynb)).

# %%
bisenet = hand.BiSeNet(rng=0)
cost = ModuleCost(bisenet, (1, 3, 1024, 2048)).total  # with the auxiliary heads, as in training
norms = [m.num_features for _, m in bisenet.named_modules() if isinstance(m, hand.BatchNorm2d)]
IMAGE = 3 * 2 * cost.multiply_adds / 10e12  # seconds: three passes, two flops each
SIZE = 4 * (1 + cost.parameters)  # bytes in float32; the loss goes with them


def exchanged(k, sync):
    """Messages and bytes that a rank sends in a step."""
    gathered = [8] + [4 * numbers * c for c in norms for numbers in (3, 2)] * sync
    return 2 * (k - 1) + (k - 1) * len(gathered), 2 * (k - 1) / k * SIZE + (k - 1) * sum(gathered)


def seconds(k, sync, batch=1024, latency=10e-6, bandwidth=10e9):
    messages, sent = exchanged(k, sync)
    return -(-batch // k) * IMAGE, messages * latency + sent / bandwidth


print(f"{1e3 * IMAGE:.1f} ms an image; gradients {SIZE / 1e6:.1f} MB; {len(norms)} layers of BN")
for k, sync in ((2, False), (2, True), (1024, False), (1024, True)):
    messages, sent = exchanged(k, sync)
    print(f"{k:4} ranks{', sync' * sync:6}: {messages:6,} messages, {sent / 1e6:5.1f} MB")

# %% [markdown]
# **Predict.** For how many ranks, of 1 to 1,024, is a step shortest: with own statistics? With synchronised ones?
#
# <details><summary>Answer</summary>
#
# With own statistics, for all 1,024: one image each, and the exchange is still shorter than an image. With synchronised ones, for 342. There are 36 layers with two gathers each, one behind the other, and a gather has $k - 1$ messages. At 1,024 ranks that is three quarters of a second of waiting for messages, for a step that computes 73 ms.
#
# </details>

# %%
counts = np.arange(1, 1025)
totals = {sync: np.array([sum(seconds(k, sync)) for k in counts]) for sync in (False, True)}
best = {sync: int(counts[np.argmin(totals[sync])]) for sync in totals}


def draw_scale(latency=10):
    """Seconds of a step and images a second, for a latency in µs."""
    _, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    computed = np.array([seconds(k, False)[0] for k in counts])
    axes[0].loglog(counts, computed, color="0.6", label="computing")
    axes[1].loglog(counts, counts / IMAGE, "--", color="0.6", label="nothing exchanged")
    for sync, colour, name in ((False, ORANGE, "own statistics"), (True, BLUE, "synchronised")):
        told = np.array([seconds(k, sync, latency=1e-6 * latency)[1] for k in counts])
        axes[0].loglog(counts[1:], told[1:], ":", color=colour, label=f"exchange, {name}")
        axes[0].loglog(counts, computed + told, color=colour, label=f"step, {name}")
        axes[1].loglog(counts, 1024 / (computed + told), color=colour, label=name)
        at = int(np.argmin(computed + told))
        axes[1].plot(counts[at], 1024 / (computed + told)[at], "o", color=colour)
    axes[0].set(xlabel="ranks", title="seconds of a step", ylim=(1e-3, 200))
    axes[1].set(xlabel="ranks", title="images a second")
    for ax in axes:
        ax.legend(fontsize=7)
    plt.show()


draw_scale()
print("shortest with own statistics:", best[False], "ranks; synchronised:", best[True])
assert best == {False: 1024, True: 342}
assert seconds(1024, True)[1] > 10 * IMAGE
assert seconds(1024, False)[1] < IMAGE

# %% [markdown]
# The stairs are whole images: with 512 to 1,023 ranks somebody has two of them. A dot is where a step is shortest.
#
# In a running notebook, move the slider: 1 µs is a good link within a machine, 50 µs an ordinary network.

# %%
slider = ipywidgets.IntSlider(value=50, min=1, max=100, description="µs", continuous_update=False)
_ = ipywidgets.interact(draw_scale, latency=slider)

# %% [markdown]
# Take $N/k$ for $\lceil N/k \rceil$ and count $M$ messages for each rank beyond the first: 3 with own statistics, $3 + 2 \cdot 36 = 75$ with synchronised ones. Leave out the bytes of the gathers, and (12.14) is
#
# $$T(k) \approx \frac{1}{k}\Big(N c - \frac{2B}{\beta}\Big) + M \alpha\,(k - 1) + \frac{2B}{\beta} \tag{12.15}$$
#
# One term falls like $1/k$, one grows like $k$, and one stays. Where the derivative is 0 the first two have the same slope:
#
# $$k^* = \sqrt{\frac{N c - 2B/\beta}{M \alpha}} \tag{12.16}$$
#
# And even without latency the last term stays. This is **Amdahl's law**: what is not shared out bounds what sharing can gain. A step becomes shorter by a factor of at most
#
# $$\frac{T(1)}{T(k)} < \frac{N c}{2B/\beta} \qquad \text{for } N c > \frac{2B}{\beta} \tag{12.17}$$

# %%
stays = 2 * SIZE / 10e9
for name, messages in (("own statistics", 3), ("synchronised", 75)):
    print(f"{name:15} k* = {np.sqrt((1024 * IMAGE - stays) / (messages * 10e-6)):6.0f}")  # (12.16)
slow = 10 * stays  # with a tenth of the bandwidth
print(f"16 images at 1 GB/s: less than {16 * IMAGE / slow:.1f} times as fast")  # (12.17)
assert 16 * IMAGE / slow < 16
assert totals[False][0] / totals[False].min() < 1024 * IMAGE / stays

# %% [markdown]
# $k^*$ lies near what was found, as far as there are whole images; that of own statistics lies beyond the batch. It grows with the *root* of the batch: with four times the images, twice the ranks. Three ways out are in use. Small arrays go through a tree, whose messages wait for each other $\log_2 k$ times and not $k - 1$ times. Gradients of the last layers are sent while the first ones are still computed. And batch normalisation is synchronised among a few ranks that are near to each other.

# %% [markdown]
# ## 5 · One that is slow, one that does not come
#
# Four ranks compute for 20 ms a step, and rank 2 needs 60. (They sleep here, and the exchange is real.)
#
# **Predict.** How long does a step take, and what do the other three do with their time?
#
# <details><summary>Answer</summary>
#
# 60 ms, that of the slowest: nobody has the sum before the last one has come. The other three wait for two thirds of it. A quarter of all ranks that is slow costs as much as if all were.
#
# </details>

# %%
began = time.perf_counter()


def work(group):
    """Three steps: when each began, came to its exchange, and left it."""
    rows = []
    for _ in range(3):
        start = time.perf_counter()
        time.sleep(0.06 if group.rank == 2 else 0.02)
        came = time.perf_counter()
        group.sum(np.ones(1000))
        rows.append((start - began, came - began, time.perf_counter() - began))
    return rows


ranks = in_threads(4, work)
fig, ax = plt.subplots(figsize=(8, 2.2), layout="constrained")
timeline(ax, ranks)
plt.show()
lasted = [rows[-1][2] - ranks[2][0][0] for rows in ranks]
print("ms of three steps, by rank:", np.round(1e3 * np.array(lasted)))
assert min(lasted) >= 0.179

# %% [markdown]
# No rank is slow by design. But each has a bad moment now and then, and a step lasts as long as the worst of them. The more ranks, the surer one of them has such a moment, and is the **straggler** of this step.
#
# And one may not come at all: its process was killed, or it never ends what it does. The others see nothing of that, as a message that is late looks like one that will never come. So a wait has a time limit, and who reaches it stops. Whoever can still speak, such as a rank that raises an error, ends the wait of the others at once.

# %%
said = {}


def fails(how, group):
    """Rank 1 raises an error, or leaves, and the others wait for it."""
    if group.rank == 1:
        if how == "raises":
            raise OSError("no space left on device")
        return
    try:
        group.sum(np.ones(3))
    except RankError as error:
        said[group.rank] = str(error)


for how in ("raises", "leaves"):
    said.clear()
    began = time.perf_counter()
    try:
        in_threads(3, partial(fails, how), seconds=1)
    except OSError as error:
        print("rank 1 raised:", error)
    waited = time.perf_counter() - began
    print(f"rank 1 {how}: {said[0]} (in {waited:.1f} s)")
    assert sorted(said) == [0, 2]
    assert (waited >= 1) == (how == "leaves")

# %% [markdown]
# With real processes the group counts who came to which exchange, and so the sentence names the rank that is missing (`ProcessGroup` in [parallel/processes.py](../armlab/parallel/processes.py)). All stop, and the last checkpoint is whole.
#
# ## 6 · With real processes
#
# `armlab train --batch 5 --processes 2 --sync-batch-norm` shares each batch out among two processes of one machine; `--batch` stays that of all ranks. On two machines run on each of them `torchrun --nnodes 2 --nproc-per-node 1 --rdzv-backend c10d --rdzv-endpoint HOST:PORT -m armlab train …`, with the same words behind. The exchange is that of `torch.distributed`, the rest is [training/rank_learner.py](../armlab/training/rank_learner.py), which is section 2 with the rank that has nothing to count. Rank 0 writes the run's folder. `--patience` is the time limit of section 5, and `torchrun --max-restarts 1` starts all ranks anew, which go on from the checkpoint. `armlab cost BiSeNet --size 1024x2048 --batch 1024 --processes 1024` prints the table of section 4 for any module here.
#
# ## Three questions
#
# 1. Two ranks have 8 images each, and on rank 1 half of all pixels are not labelled. With which factors do their gradients go into the sum?
#
# <details><summary>Answer</summary>
#
# 2/3 and 1/3, by (d12.12): the shares are those of the pixels that count, not of the images.
#
# </details>
#
# 2. One rank begins with other weights than the rest. What happens, with the code of section 2?
#
# <details><summary>Answer</summary>
#
# It stays apart for ever. All move by the same sum, and nobody ever sends a weight. So a run has rank 0 send its weights to all before the first step.
#
# </details>
#
# 3. The gradients are sent as float16. Which term of (12.15) changes, and does that help BiSeNet with synchronised statistics on 1,024 ranks?
#
# <details><summary>Answer</summary>
#
# $2B/\beta$ is halved, from about 11 ms to 5. It hardly helps: nearly all of the exchange is latency, $M \alpha\,(k - 1)$.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | rank | 进程序号 | one of the processes that train together, and its number |
# | data parallel | 数据并行 | each rank has the whole network and a part of the batch |
# | all-reduce | 全归约 | the sum of all ranks, on all ranks |
# | reduce-scatter, all-gather | 归约分散, 全收集 | the two halves of a ring's all-reduce |
# | latency, bandwidth | 延迟, 带宽 | seconds of a message however short; bytes a second |
# | Amdahl's law | 阿姆达尔定律 | what is not shared out bounds the gain |
# | straggler | 掉队者 | the rank that all others wait for |
#
# ## What comes next
#
# This is the end of the path. The [contents](index.ipynb) show what stands on it, and `armlab train --processes` is what this chapter has built up to.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

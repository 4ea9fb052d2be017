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
# # 9b · Counting, and training
#
# **Goal.** Train two networks with gradients derived by hand, one without attention and one with ARM, and count what each of them has learned.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 9a](09a_context.ipynb): the scenes, and the theorem |
# | Afterwards you can | read a confusion matrix and an IoU · write Adam, and say what its correction is for · train the modules by hand and read their gates over time |
# | Runs on | CPU; no GPU needed. Two short trainings run in section 3 |
# | Explains | [training/metrics.py](../armlab/training/metrics.py) · [training/optimisers.py](../armlab/training/optimisers.py) · [training/loop.py](../armlab/training/loop.py) |
#
# The second lesson of chapter 9. A 7 on a photograph is of class A where the band along the top edge is orange, and of class B where it is blue; all else is background. Without attention the network is right between A and B in exactly one half of the pixels that it calls A or B, whatever its weights: that is the theorem of lesson 9a. Two networks after 600 steps of training are kept beside the lessons.

# %%
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand, plots, training
from armlab.data import Generated, Scenes
from armlab.training import loop
from armlab.training.evaluation import evaluate, gallery
from armlab.training.hand_learner import HandLearner
from armlab.training.metrics import ConfusionMatrix
from armlab.training.optimisers import SGD, Adam
from tools import compare, from_file, scene, source, trained

rng = np.random.default_rng(0)

# %%
RED, GREEN, ORANGE, BLUE = "#D55E00", "#009E73", "#E69F00", "#0072B2"  # none, ARM, bands
scenes = Scenes("test")
classes = Generated(Scenes, seed=0, size=(64, 64))  # the same scenes, with names and colours
none, arm = trained("none"), trained("arm")

fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), layout="constrained")
for ax, (index, band) in zip(axes, ((1, 0), (1, 1), (7, 0), (7, 1)), strict=True):
    scene(ax, scenes.scene(index, band)[0], f"scene {index}: each 7 is {'AB'[band]}")
plt.show()

# %% [markdown]
# ## 1 · What is counted
#
# All scores come from one table, the **confusion matrix**: `counts[i, j]` pixels of class $i$ were called $j$. Rows are the truth, columns the answer. From it, for each class, **intersection over union**:
#
# $$\mathrm{iou}_k = \frac{\mathrm{counts}_{kk}}{\mathrm{row}_k + \mathrm{column}_k - \mathrm{counts}_{kk}} \tag{9.4}$$
#
# The pixels that are $k$ *and* were called $k$, over those that are $k$ *or* were called $k$. The mean over the classes is mIoU, the number of the paper.
#
# **Predict.** A network calls everything background, and 96 of 100 pixels are. Its share of right pixels is 0.96. Its mIoU over background, A and B?
#
# <details><summary>Answer</summary>
#
# 0.32. The IoU of the background is 0.96, as all 100 pixels were called so, and those of A and B are 0: nothing was called A or B. The mean of 0.96, 0 and 0 is a third of 0.96. So mIoU is not fooled by a class that is nearly everywhere.
#
# </details>
#
# ### Exercise 1 · `iou`
#
# ★☆☆ · 5 minutes
#
# From `counts`, $(K, K)$, to (9.4) for each class. Every class occurs.


# %% tags=["exercise"]
def iou(counts):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def iou(counts):
#     both = np.diagonal(counts)
#     return both / (counts.sum(axis=0) + counts.sum(axis=1) - both)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("iou", iou)

# %%
lazy = ConfusionMatrix(3)
lazy.add(np.repeat([0, 1, 2], [96, 2, 2]), np.zeros(100, int))
print("calls all background: IoU", lazy.iou(), " mean", lazy.mean_iou())
assert lazy.pixel_accuracy() == 0.96
assert lazy.mean_iou() == 0.32
source(ConfusionMatrix.iou, ConfusionMatrix.accuracy_among)

# %% [markdown]
# The file's (1) is (9.4). `accuracy_among` asks less and more. Of the pixels that *are* A or B and were *called* A or B, which share is right? Found or not does not count; told apart or not does. By the theorem it is exactly 1/2 without attention.
#
# **Predict.** The confusion matrix of the network without attention, on 64 test scenes with both bands each: what is remarkable about its rows of A and of B?
#
# <details><summary>Answer</summary>
#
# They are the same: same pixels, same answers, two labels. That is the theorem as a table. What this network has learned is to find a 7.
#
# </details>

# %%
measured = {}
for name, net in (("none", none), ("arm", arm)):
    measured[name] = evaluate(HandLearner(net, Adam()), classes)
    m = measured[name]
    print(f"{name:5} mIoU {m.mean_iou():.3f}   A against B {m.accuracy_among((1, 2))!r}")
    print(m.counts)
assert np.array_equal(measured["none"].counts[1], measured["none"].counts[2])
assert measured["none"].accuracy_among((1, 2)) == 0.5

# %%
for m in measured.values():
    from_file(plots.confusion, m.counts, classes.classes, width=430)

# %% [markdown]
# Above without attention, below with ARM. The 0.5 came out without a rounding error.
#
# **Predict.** What does a network answer that cannot know? Its probability for B, among A and B, at the pixels of the sevens: near 0 and 1, or near one half?
#
# <details><summary>Answer</summary>
#
# Near one half, and with both labels it has the same histogram, bar for bar. That is what cross-entropy asks of someone who cannot know: to say so.
#
# </details>

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained", sharey=True)
for ax, (name, net) in zip(axes, (("none", none), ("arm", arm)), strict=True):
    bars = []
    for band, colour in ((0, ORANGE), (1, BLUE)):
        images, labels = scenes.batch(range(16), band)
        a = net(images)[0]
        share = hand.sigmoid(a[:, 2] - a[:, 1])[0][labels > 0]
        style = {"color": colour, "alpha": 0.6, "label": f"label {'AB'[band]}"}
        bars.append(ax.hist(share, np.linspace(0, 1, 41), **style)[0])
    assert np.array_equal(*bars) == (name == "none")
    ax.set(title=f"attention {name}", xlabel="probability of B, given A or B", xlim=(0, 1))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("pixels")
axes[0].legend()
plt.show()

# %% [markdown]
# ## 2 · The optimiser
#
# A backward gives $g = \partial L/\partial w$. What is done with it? **SGD with momentum** keeps a velocity:
#
# $$v_t = \mu\, v_{t-1} + g_t \tag{9.5}$$
# $$w_t = w_{t-1} - \eta\, v_t \tag{9.6}$$
#
# Unrolled, $v_t = \sum_i \mu^i g_{t-i}$. A gradient that keeps its direction is followed up to $1/(1-\mu)$ times as far; one that alternates cancels. (In the file these are (2) and (3); its (1) is weight decay, which is off here.)
#
# **Adam** keeps two means that fade, of $g$ and of $g^2$:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \tag{9.7}$$
# $$s_t = \beta_2 s_{t-1} + (1 - \beta_2)\, g_t^2 \tag{9.8}$$
# $$w_t = w_{t-1} - \eta\, \frac{m_t / c_1}{\sqrt{s_t / c_2} + \varepsilon} \tag{9.9}$$
# $$c_1 = 1 - \beta_1^t, \qquad c_2 = 1 - \beta_2^t \tag{9.10}$$
#
# Where do $c_1$ and $c_2$ come from? Unroll (9.7) down to $m_0 = 0$:
#
# $$m_t = (1 - \beta_1) \sum_{i=0}^{t-1} \beta_1^i\, g_{t-i}$$
#
# It is a sum with weights. A mean has weights that add up to 1. These add up to a geometric sum,
#
# $$(1 - \beta_1) \sum_{i=0}^{t-1} \beta_1^i = (1 - \beta_1)\, \frac{1 - \beta_1^t}{1 - \beta_1} = 1 - \beta_1^t = c_1$$
#
# which is 0.1 in the first step and nears 1. The missing share went to $m_0 = 0$. Dividing by $c_1$ gives it back, and $m_t/c_1$ is a true mean of the gradients so far. The same for $s$, with $c_2$.
#
# Each line against PyTorch, with random gradients:

# %%
b1, b2, eps, rate = 0.9, 0.999, 1e-8, 0.01
w = rng.standard_normal(5)
w_torch = torch.tensor(w, requires_grad=True)
adam_torch = torch.optim.Adam([w_torch], lr=rate, betas=(b1, b2), eps=eps)
m, s, seen = np.zeros(5), np.zeros(5), []
for t in range(1, 8):
    g = rng.standard_normal(5)
    seen.append(g)
    w_torch.grad = torch.tensor(g)
    adam_torch.step()

    m = b1 * m + (1 - b1) * g  # (9.7)
    s = b2 * s + (1 - b2) * g**2  # (9.8)
    c1, c2 = 1 - b1**t, 1 - b2**t  # (9.10)
    w = w - rate * (m / c1) / (np.sqrt(s / c2) + eps)  # (9.9)

weights = (1 - b1) * b1 ** np.arange(7)  # of the last gradient, the one before, …
state = adam_torch.state[w_torch]
compare("m", m, state["exp_avg"])
compare("m unrolled", weights @ np.stack(seen[::-1]), m)
compare("c1", weights.sum(), c1)
compare("s", s, state["exp_avg_sq"])
compare("w", w, w_torch)

# %% [markdown]
# **Predict.** Without (9.10), with $m$ and $s$ as they are, are the first steps too short, as $m$ is too small, or too long, as $s$ is?
#
# <details><summary>Answer</summary>
#
# Too long: the root of $s$ grows far more slowly than $m$ does. Uncorrected, Adam runs off at three to seven times its learning rate for the first hundred steps.
#
# </details>
#
# Let the gradient be constant. Then a step should be as long as the learning rate, always.

# %%
t = np.arange(1, 4001)
c1, c2 = 1 - 0.9**t, 1 - 0.999**t
fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
axes[0].semilogx(t, c1, color="#CC79A7", label="c₁, of the mean of g")
axes[0].semilogx(t, c2, color="black", label="c₂, of the mean of g²")
axes[0].set(xlabel="step t", title="the sum of the weights so far", ylim=(0, 1.4))
axes[1].semilogx(t, c1 / np.sqrt(c2), color=RED, label="without (9.10)")
axes[1].semilogx(t, np.ones(len(t)), color=GREEN, label="with (9.10)")
axes[1].set(xlabel="step t", title="step / learning rate, for a constant g", ylim=(0, None))
axes[0].legend(loc="upper left")
axes[1].legend()
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
lengths = c1 / np.sqrt(c2)
print(f"first {lengths[0]:.2f}, longest {lengths.max():.2f} at t = {t[np.argmax(lengths)]}")
assert 3 < lengths[:100].min() < lengths.max() < 7

# %% [markdown]
# ### Exercise 2 · `adam_step`
#
# ★★☆ · 15 minutes
#
# One step. `t` is 1 in the first. Return the new `w`, `m` and `s`, and write to none of the arrays that you are given.


# %% tags=["exercise"]
def adam_step(w, g, m, s, t, rate, b1, b2, eps):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def adam_step(w, g, m, s, t, rate, b1, b2, eps):
#     m = b1 * m + (1 - b1) * g
#     s = b2 * s + (1 - b2) * g**2
#     step = (m / (1 - b1**t)) / (np.sqrt(s / (1 - b2**t)) + eps)
#     return w - rate * step, m, s
# ```
#
# </details>

# %% tags=["check"]
check.exercise("adam_step", adam_step)

# %% [markdown]
# The file. Its (2) to (5) are (9.7) to (9.10). It writes into arrays of its own only, and its constants are Python numbers, so float32 stays float32.

# %%
source(Adam._step_along)

# %% [markdown]
# And both optimisers on a real module, a 1×1 convolution, against PyTorch's after five steps with random gradients:

# %%
for name, mine, theirs in (
    ("SGD", SGD(0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ("Adam", Adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
):
    conv = hand.Conv2d(4, 3, 1, rng=0, dtype="float64")
    twin = {key: torch.tensor(a, requires_grad=True) for key, a in conv.parameters().items()}
    optimiser = theirs(list(twin.values()))
    for _ in range(5):
        grads = {key: rng.standard_normal(a.shape) for key, a in conv.parameters().items()}
        for key, p in twin.items():
            p.grad = torch.tensor(grads[key])
        mine.step(conv, grads)
        optimiser.step()
    compare(f"{name} weight", conv.weight, twin["weight"])
    compare(f"{name} bias", conv.bias, twin["bias"])

# %% [markdown]
# ## 3 · The training
#
# A step is a forward, a loss, a backward and an optimiser. This is the one that runs on every array library, and the loop around it, which makes a batch that no step has seen before:

# %%
source(HandLearner.update, loop._step)

# %% [markdown]
# Here the scenes never run out. With a folder of images there are epochs, and a last batch that may be a single image, which ARM refuses in training mode: [lesson 4c](04c_batch_size.ipynb) says why, and what to do.
#
# **Predict.** Two networks, narrower than the kept ones and on smaller scenes, are trained for 150 steps: the same seed, the same batches in the same order. What will A against B be for each of them, after the first 15 steps and after the last?
#
# <details><summary>Answer</summary>
#
# Without attention 0.5, after any number of steps in which a 7 was found at all: no patience helps. With ARM a little more than that at first, as it has hardly begun to find the band, and nearly or exactly 1 in the end.
#
# </details>
#
# The next cell takes a minute or two on a slow core. It trains in earnest: every gradient in it was derived by hand.

# %%
SETTINGS = {"steps": 150, "size": 48, "channels": 24, "seed": 0}
runs = {}
with TemporaryDirectory() as folder:
    for name in ("none", "arm"):
        config = training.Config(attention=name, **SETTINGS)
        runs[name] = training.train(config, f"{folder}/{name}")
        print(f"{name:5} step    loss    mIoU   A against B")
        for row in runs[name].history:
            told = "none found" if row["told_apart"] is None else f"{row['told_apart']:10.3f}"
            print(f"{row['step']:10} {row['loss']:7.3f} {row['miou']:7.3f}    {told}")
assert {row["told_apart"] for row in runs["none"].history} <= {0.5, None}
assert runs["arm"].history[-1]["told_apart"] > 0.9

# %%
from_file(plots.curves, {name: run.history for name, run in runs.items()}, width=900)

# %% [markdown]
# The dotted line is guessing. Without attention the curve is not *near* it: it lies on it, at every epoch. With ARM it leaves the line in the first epochs.
#
# **Predict.** The gates of two test scenes, each with both bands, over the training: where do they begin, and which of the four columns will be alike in the end?
#
# <details><summary>Answer</summary>
#
# They begin near one half. Then each channel takes a side, and the two columns of a scene, one with the orange and one with the blue band, part. In the end columns of the same band are more alike than columns of the same scene.
#
# </details>

# %%
run = runs["arm"]
shown, _ = run.dataset.shown()
steps = [row["step"] for row in run.history]
from_file(
    plots.gates,
    [run.dataset.picture(image) for image in shown],
    np.stack(run.gates),
    steps,
    width=820,
)

# %% [markdown]
# The first and third column have the orange band, the second and fourth the blue one. Put as a number: how far are the gates of a scene apart between its two bands, and between two scenes with one band?

# %%
over_time = np.stack(run.gates)  # (epochs, 4, 24): scene 1 orange, blue, scene 7 orange, blue
by_band = np.abs(over_time[:, 0::2] - over_time[:, 1::2]).mean(axis=(1, 2))
by_scene = np.abs(over_time[:, :2] - over_time[:, 2:]).mean(axis=(1, 2))
fig, ax = plt.subplots(figsize=(5.6, 2.6), layout="constrained")
ax.plot(steps, by_band, "o-", color=GREEN, label="same scene, other band")
ax.plot(steps, by_scene, "o-", color="0.5", label="other scene, same band")
ax.set(xlabel="step", ylabel="mean |difference|", ylim=(0, None))
ax.legend()
ax.spines[["top", "right"]].set_visible(False)
plt.show()
assert by_band[-1] > by_scene[-1]

# %% [markdown]
# The gates begin by answering to the photograph as much as to the band, since anything that moves a feature moves a mean. In the end the band moves them more than a whole other scene does. What the other scene still changes is no harm: the layers behind can tell which change is which.
#
# ### The kept networks
#
# 600 steps at full width on scenes of 64 by 64 (`armlab train`) gave the two networks of section 1. They once more, as pictures: rows one and two are one scene, rows three and four another.

# %%
look = {
    name: gallery(HandLearner(net, Adam()), classes) for name, net in (("none", none), ("arm", arm))
}
from_file(
    plots.attention,
    look["arm"].images,
    look["arm"].labels,
    {name: g.predictions for name, g in look.items()},
    look["arm"].gates,
    width=880,
    dataset=classes,
)
for n in (0, 2):
    assert np.array_equal(*look["none"].predictions[n : n + 2])
    assert not np.array_equal(*look["arm"].predictions[n : n + 2])

# %% [markdown]
# Without attention the prediction of a pair is the same picture twice. With ARM it follows the band.
#
# What this shows: ARM *can* carry global context, and here nothing else could. What it does not show: that a task on photographs of streets needs it, or how much it brings there. [Lesson 10b](10b_measured_claims.ipynb) asks that.
#
# ## Four questions
#
# 1. A network finds half of all 7s, and every pixel it finds it calls right. What is its A against B? Its IoU of A and B?
#
# <details><summary>Answer</summary>
#
# A against B is 1, as missing is not counted there. The IoU is 1/2: the intersection is the half that was found, the union is all of them.
#
# </details>
#
# 2. What does Adam's $c_1$ divide by, in words?
#
# <details><summary>Answer</summary>
#
# By the sum of the weights that the gradients so far have in $m$. It is less than 1 because $m$ started at 0.
#
# </details>
#
# 3. The local network is trained ten times as long, with ten times the channels. What is its A against B?
#
# <details><summary>Answer</summary>
#
# Exactly 0.5. Channels and steps do not change the window.
#
# </details>
#
# 4. A gradient keeps its value. How far does SGD with $\mu = 0.9$ go in a step after many, and how far does Adam?
#
# <details><summary>Answer</summary>
#
# SGD ten times the learning rate times the gradient: (9.5) sums to $g/(1 - \mu)$. Adam the learning rate, whatever the size of the gradient.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | confusion matrix | 混淆矩阵 | counts of true class against predicted class |
# | intersection over union | 交并比 | (9.4) |
# | mean IoU | 平均交并比 | its mean over the classes |
# | momentum | 动量 | a velocity that fades, (9.5) |
# | bias correction | 偏差修正 | Adam's (9.10) |
# | learning rate | 学习率 | $\eta$, how far a step goes |
# | ablation | 消融实验 | the same training without one part |
#
# ## What comes next
#
# [Lesson 10b](10b_measured_claims.ipynb): one seed is one draw; there you repeat the training, put intervals around what it gives, and hold the article's numbers to them. [Lesson 10a](10a_counting.ipynb) counts what the parts cost before. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

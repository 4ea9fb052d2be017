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
# # ARM in one evening
#
# **Goal.** Build the attention refinement module (ARM) from nothing, forward and backward, and teach it with your own gradients something that no network around it can learn.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | Python, NumPy's arrays, the chain rule |
# | Afterwards you can | say what a backward pass is and test one · derive every gradient of ARM on paper · write them in six lines of NumPy · read the gate of a trained network |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/effective_se.py](../armlab/hand/effective_se.py) · [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) |
#
# Go through it cell by cell. Where it says **Predict**, write a number or a word down before you open the answer. Two functions are yours to write; a check tells you on which example they are wrong. Until then nothing finished is used: what computes here, you have read.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from arm_graph import arm_graph
from armlab import check, hand
from armlab.data import Scenes, to_rgb
from armlab.hand.sequential import in_turn
from tools import features, gate_bars, gate_map, gradient_map, photographs, picture, source, trained

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · What it is for
#
# Handwritten digits lie on a photograph. Each **7** is to be found, pixel by pixel, and called **A** or **B**; all other digits are background. All sevens look alike. Which class they are is said by a band at the top of the picture, orange for A, blue for B, and by nothing else.
#
# Two networks from the shelf have been trained on such scenes. They are the same five convolutions, but for the last: the second network has an ARM behind it.
#
# **Predict.** A convolution sees a window of a few pixels, and five of them see one of some twenty. The band is farther away from every digit. Which share of the sevens' pixels will the first network call by the right name?
#
# <details><summary>Answer</summary>
#
# One half, whatever its weights: it sees a seven and no band, so it can only guess. Each test scene is shown with both bands, so a guess is right in exactly one of the two.
#
# </details>

# %%
scenes = Scenes("test")
pairs = [scenes.batch(range(32), band) for band in (0, 1)]  # 32 scenes with either band
images, labels = (np.concatenate(parts) for parts in zip(*pairs, strict=True))


def told_apart(predicted, labels):
    """Of the pixels of sevens that were found, the share with the right name."""
    found = (labels > 0) & (predicted > 0)
    return np.mean(predicted[found] == labels[found])


without, with_arm = (trained(attention) for attention in ("none", "arm"))
predictions = [net(images)[0].argmax(axis=1) for net in (without, with_arm)]
for name, classes in zip(("without", "with ARM"), predictions, strict=True):
    print(f"{name:9} {told_apart(classes, labels):.3f} between A and B")

# %%
INKS = np.array([[0.95, 0.95, 0.95], [0.90, 0.62, 0.0], [0.34, 0.71, 0.91]])  # as the bands

fig, axes = plt.subplots(2, 4, figsize=(9.4, 4.8), layout="constrained")
for row, n in enumerate((1, 33)):  # one scene, its band orange and blue
    shown = [to_rgb(images[n]), INKS[labels[n]], *(INKS[p[n]] for p in predictions)]
    titles = ("the scene", "what is right", "without attention", "with ARM")
    for ax, pixels, title in zip(axes[row], shown, titles, strict=True):
        ax.imshow(pixels)
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=10)
plt.show()

# %% [markdown]
# From 0.500 to 1.000, and a digit at the bottom knows what colour the top has. This is all that ARM does about it:
#
# 1. **pool**: take the mean of each channel over the whole image,
# 2. **mix** these means by a small matrix into one number for each channel,
# 3. **gate**: squeeze each number between 0 and 1, and multiply its channel by it, at every pixel.
#
# Here it is as a picture, which will come again. The values are letters, and the steps are arrows: black forward, red for the gradients. By the end you have derived every red word.

# %%
arm_graph()

# %% [markdown]
# ## 2 · What a backward is
#
# A network ends in one number, the **loss** $L$: how wrong it was. To learn, we need the slope of $L$ with respect to every number inside. We write $dq$ for it:
#
# $$dq = \frac{\partial L}{\partial q}, \qquad \text{an array of the same shape as } q \tag{E.1}$$
#
# Each step of the network answers one question only. *If somebody tells me $dy$ for my result, what is $dx$ for what I was given?* The function that answers is the **backward** of the step. It never needs to know what $L$ is.
#
# Take the smallest gate there is, one number times another, $y = x s$. If $s$ grows by a little, $y$ grows $x$ times that, so
#
# $$dx = dy\, s, \qquad ds = dy\, x \tag{E.2}$$
#
# One rule more, and it is the one that is forgotten. Let one $s$ multiply two numbers, $y_1 = x_1 s$ and $y_2 = x_2 s$.
#
# **Predict.** What is $ds$ now?
#
# <details><summary>Answer</summary>
#
# $ds = dy_1\, x_1 + dy_2\, x_2$. The little growth of $s$ moves $y_1$, and it moves $y_2$, and both move $L$. **A number that is used several times collects the sum** of what comes back from each use.
#
# </details>
#
# We write a step as a function that returns its value *and* its backward. What the backward needs, it keeps by being written inside.


# %%
def times(x, s):
    """One gate s for a whole row of numbers x."""
    y = x * s

    def backward(dy):
        return dy * s, np.sum(dy * x)  # (E.2), and the sum over all uses of s

    return y, backward


x, s = np.array([1.0, 2.0, 3.0]), 0.5
y, backward = times(x, s)
dx, ds = backward(np.array([0.1, -0.2, 0.4]))
print("y", y, "  dx", dx, "  ds", ds)

# %% [markdown]
# Is it right? Nudge an input by a tiny $\varepsilon v$ in a random direction $v$, and see how far the result moves. Seen from a random $dy$, it has to move as the gradient says. ($\langle a, b \rangle$ multiplies two arrays number by number and adds up the products.)
#
# $$\frac{\langle dy,\; f(x + \varepsilon v) - f(x - \varepsilon v) \rangle}{2 \varepsilon} \;\approx\; \langle dx,\; v \rangle \tag{E.3}$$
#
# Both sides are one number. If they agree for random $v$ and $dy$, the backward is right; if they do not, it is wrong. Never test with a $dy$ of ones: it hides mistakes.


# %%
def nudge(name, f, x, dx, dy, eps=1e-6):
    """Print both sides of (E.3) for the input x of f, which returns y."""
    v = rng.standard_normal(np.shape(x))
    moved = np.sum(dy * (f(x + eps * v) - f(x - eps * v))) / (2 * eps)
    said = np.sum(dx * v)
    near = abs(moved - said) < 1e-6 * (1 + abs(moved))
    print(f"d{name:3} moved {moved:+.8f}   the gradient says {said:+.8f}   {near}")


x, s = rng.standard_normal(5), 0.3
y, backward = times(x, s)
dy = rng.standard_normal(5)
dx, ds = backward(dy)
nudge("x", lambda x: times(x, s)[0], x, dx, dy)
nudge("s", lambda s: times(x, s)[0], s, ds, dy)
nudge("s?", lambda s: times(x, s)[0], s, dy[0] * x[0], dy)  # the sum forgotten

# %% [markdown]
# The last line is the mistake that the rule warns of, and the test sees it. With this one tool you can trust everything that follows.
#
# ## 3 · The gate
#
# A gate has to lie between 0 and 1. What a network computes does not: it is any number, called a **logit**, $a$. The **sigmoid** turns one into the other.
#
# $$s = \sigma(a) = \frac{1}{1 + e^{-a}} \tag{E.4}$$
#
# Its slope needs nothing new. With $q = 1 + e^{-a}$ and $s = 1/q$,
#
# $$\frac{ds}{da} = \frac{1}{q^2}\, e^{-a} = \frac1q \cdot \frac{q - 1}{q} = s\,(1 - s) \qquad\Longrightarrow\qquad da = ds\; s\,(1 - s) \tag{E.5}$$
#
# **Predict.** Where is the slope largest, and how large is it there? What does that mean for a gate that is nearly shut?
#
# <details><summary>Answer</summary>
#
# At $a = 0$, where $s = \tfrac12$: it is $\tfrac14$. A gate near 0 or near 1 has a slope of nearly 0, so whatever the loss wants, hardly anything of it arrives at the logit. It is **saturated**.
#
# </details>


# %%
def sigmoid(a):
    return 1 / (1 + np.exp(-a))


a = np.linspace(-8, 8, 161)
fig, ax = plt.subplots(figsize=(6, 2.6), layout="constrained")
ax.plot(a, sigmoid(a), color="black", label="s")
ax.plot(a, sigmoid(a) * (1 - sigmoid(a)), color="#CC79A7", label="its slope s (1 − s)")
ax.set(xlabel="logit a", yticks=[0, 0.25, 0.5, 1])
ax.legend()
plt.show()

# %% [markdown]
# ARM has one gate for each **channel** of each image. The features are an array $x$ of shape $(N, C, H, W)$: images, channels, rows, columns. The gates are $(N, C, 1, 1)$, and NumPy repeats them over the pixels:
#
# $$y_{ncij} = x_{ncij}\; s_{nc} \tag{E.6}$$
#
# Here are three gates on a photograph, whose channels are red, green and blue.

# %%
photos = photographs()  # (6, 3, 64, 96)
s = sigmoid(np.array([2.5, 0.0, -2.5])).reshape(1, 3, 1, 1)

fig, axes = plt.subplots(1, 3, figsize=(9, 2.3), layout="constrained")
picture(axes[0], photos[3], "x")
gate_bars(axes[1], s[0, :, 0, 0], "one gate for each channel")
picture(axes[2], (photos[3:4] * s)[0], "y = x s")
plt.show()

# %% [markdown]
# Lit is where we are:

# %%
arm_graph({"gate", "past", "sigmoid"})

# %% [markdown]
# ### Exercise 1 · `channel_gate_backward`
#
# ★★☆ · 15 minutes
#
# You are given `dy` and `x`, both `(N, C, H, W)`, and the gates `s`, `(N, C, 1, 1)`. Return `dx`, and `da` with the shape of `s`. First on paper: (E.2) for one pixel, the rule of section 2 for the pixels of a channel, then (E.5). `np.sum(…, axis=(2, 3), keepdims=True)` adds up rows and columns.


# %% tags=["exercise"]
def channel_gate_backward(dy, x, s):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def channel_gate_backward(dy, x, s):
#     dx = dy * s
#     ds = np.sum(dy * x, axis=(2, 3), keepdims=True)
#     return dx, ds * s * (1 - s)
# ```
#
# One $s_{nc}$ was used at $HW$ pixels, so $ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}$. Images and channels have gates of their own, and nothing is summed over them.
#
# </details>

# %% tags=["check"]
check.exercise("channel_gate_backward", channel_gate_backward)

# %% [markdown]
# ## 4 · The pool
#
# Where do the logits come from? From the image itself, all of it. Each channel is pooled to its mean:
#
# $$z_{nc} = \frac{1}{HW} \sum_{ij} x_{ncij} \tag{E.7}$$
#
# **Predict.** $dz_{nc}$ comes back. What is the share of one pixel?
#
# <details><summary>Answer</summary>
#
# $dx_{ncij} = dz_{nc} / HW$, the same for each of them: every pixel had a part of $1/HW$ in the mean. It is a flat gradient, and at each pixel a tiny one.
#
# </details>
#
# $$dx^{\text{pool}}_{ncij} = \frac{dz_{nc}}{HW} \tag{E.8}$$
#
# This one number per channel is how the band is heard at the digits. A channel that answers to orange has another mean where there is an orange band, and a mean has no *far away*.

# %%
f = features(with_arm, images)  # (64, 32, 32, 32): what the trained ARM pools and gates
z = f.mean(axis=(2, 3))
tells = z[32:].mean(axis=0) - z[:32].mean(axis=0)  # with the blue band, less with the orange
c = np.argmax(np.abs(tells))

fig, axes = plt.subplots(1, 4, figsize=(9.4, 2.6), layout="constrained")
for k, n in enumerate((1, 33)):
    axes[2 * k].imshow(to_rgb(images[n]))
    axes[2 * k + 1].imshow(f[n, c], cmap="gray", vmin=f[:, c].min(), vmax=f[:, c].max())
    axes[2 * k + 1].set_title(f"channel {c + 1}: mean {z[n, c]:.2f}", fontsize=10)
for ax in axes:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 5 · ARM, forward
#
# Between the means and the logits stands a matrix, so that the gate of a channel may depend on the means of all:
#
# $$a_{nk} = \sum_c W_{kc}\, z_{nc} + b_k \tag{E.9}$$
#
# That is all. The paper calls it a 1×1 convolution, which on one pixel is a matrix, and has batch normalisation in the place of $b$; we come to it at the end. Four lines, and then six photographs go through them. Nothing has been learned yet: $W$ is drawn at random, and each channel is centred first, so that some means lie above 0 and some below.


# %%
def arm(x, W, b):
    """x (N, C, H, W) -> y, and what a backward will need."""
    z = x.mean(axis=(2, 3))  # (N, C)       (E.7)
    a = z @ W.T + b  # (N, C)               (E.9)
    s = sigmoid(a)[:, :, np.newaxis, np.newaxis]  # (N, C, 1, 1)   (E.4)
    return x * s, z, s  #                   (E.6)


W, b = 6 * rng.standard_normal((3, 3)), np.zeros(3)
centred = photos - photos.mean(axis=(0, 2, 3), keepdims=True)
y, z, s = arm(centred, W, b)

fig, axes = plt.subplots(2, 6, figsize=(11, 2.9), layout="constrained", height_ratios=[1, 0.8])
for n in range(6):
    picture(axes[0, n], photos[n], f"image {n + 1}")
    gate_bars(axes[1, n], s[n, :, 0, 0], "its gates")
    axes[1, n].tick_params(labelsize=7)
plt.show()

# %% [markdown]
# The weights are drawn at random, and yet each image has gates of its own: they are computed from it. Within an image a channel has one gate, at every pixel. ARM cannot say *here*. It says *in this image*.
#
# ## 6 · ARM, backward
#
# Read the forward upwards, line by line. Each line has its answer already, but for the matrix.
#
# **Predict.** $x$ is used on two lines of `arm`. On which, and what follows for $dx$?
#
# <details><summary>Answer</summary>
#
# On the first, where it is pooled, and on the last, where it is gated. So $dx$ is the sum of two gradients. Who forgets the pool gets an answer that looks nearly right, as the forgotten part is tiny at each pixel. It is the part that carries the context.
#
# </details>
#
# **The gate** (E.6) and **the sigmoid** (E.4): exercise 1.
#
# $$dx^{\text{gate}} = dy\; s, \qquad da_{nk} = s_{nk}(1 - s_{nk}) \sum_{ij} dy_{nkij}\, x_{nkij} \tag{E.10}$$
#
# **The matrix** (E.9). One $W_{kc}$ serves all images, and so does one $b_k$: they collect sums over $n$. One $z_{nc}$ feeds all logits of its image: it collects a sum over $k$.
#
# $$dW_{kc} = \sum_n da_{nk}\, z_{nc}, \qquad db_k = \sum_n da_{nk}, \qquad dz_{nc} = \sum_k da_{nk}\, W_{kc} \tag{E.11}$$
#
# **The pool** (E.7), and both ways together:
#
# $$dx = dx^{\text{gate}} + \frac{dz}{HW} \tag{E.12}$$
#
# These are the last red words of the picture:

# %%
arm_graph({"pool", "linear"})

# %% [markdown]
# ### Exercise 2 · `arm_backward_in_numpy`
#
# ★★★ · 20 minutes
#
# The whole of it. You are given `dy` and `x`, `(N, C, H, W)`, the matrix `W`, `(C, C)`, and what `arm` has kept: `z`, `(N, C)`, and `s`, `(N, C, 1, 1)`. Return `dx`, `dW` and `db`. The sums of (E.11) are products of matrices: write down which, by their shapes.


# %% tags=["exercise"]
def arm_backward_in_numpy(dy, x, W, z, s):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def arm_backward_in_numpy(dy, x, W, z, s):
#     dx_gate = dy * s
#     ds = np.sum(dy * x, axis=(2, 3), keepdims=True)
#     da = (ds * s * (1 - s))[:, :, 0, 0]
#     dW, db = da.T @ z, da.sum(axis=0)
#     dz = da @ W
#     pixels = x.shape[2] * x.shape[3]
#     return dx_gate + dz[:, :, np.newaxis, np.newaxis] / pixels, dW, db
# ```
#
# </details>

# %% tags=["check"]
check.exercise("arm_backward_in_numpy", arm_backward_in_numpy)

# %% [markdown]
# ## 7 · Your gradients teach a gate
#
# Now it becomes serious. Take the trained network with ARM and erase its attention: $W = 0$ and $b = 0$. All other layers stay as they are; they have never seen the training images that follow, and they do not change any more. What we train is $W$ and $b$, 1,056 numbers, by the plainest rule there is:
#
# $$W \leftarrow W - \eta\, dW, \qquad b \leftarrow b - \eta\, db \tag{E.13}$$
#
# $dW$ and $db$ come from your function. (If it is still a stub, the one from the package steps in.)
#
# **Predict.** With $W = 0$ and $b = 0$, what are the gates? And what is the score between A and B?
#
# <details><summary>Answer</summary>
#
# All logits are 0, so all gates are $\tfrac12$ in every image: the network cannot hear the band, and the score is 0.500 exactly.
#
# </details>


# %%
def from_the_package(dy, x, W, z, s):
    """The same by the package's own steps, for whoever has not written it yet."""
    dx, da = hand.sigmoid_gate(x, np.log(s / (1 - s)))[1](dy)
    da = da[:, :, 0, 0]
    dx_pool = hand.global_avg_pool(x)[1]((da @ W)[:, :, np.newaxis, np.newaxis])
    return dx + dx_pool, da.T @ z, da.sum(axis=0)


try:
    arm_backward_in_numpy(y, centred, W, z, s)
    my_backward = arm_backward_in_numpy
except NotImplementedError:
    my_backward = from_the_package
print("the gradients come from", my_backward.__name__)

# %% [markdown]
# The rest of the network turns $y$ into three logits for each pixel, one for each of background, A and B, and hands $dy$ back. Its layers are the package's: this evening is about the gate. `in_turn` runs layers one after the other, `resize_bilinear` enlarges their result to the size of the scene, and the loss, `cross_entropy`, is small where each pixel's own class has the largest logit by far.

# %%
layers = with_arm.copy().children()
rest = {name: layers[name] for name in ("head", "classify")}


def after_the_gate(y):
    small, rest_back = in_turn(rest, y)
    logits, resize_back = hand.resize_bilinear(small, size=(64, 64))
    return logits, lambda dlogits: rest_back(resize_back(dlogits))[0]


def predicted(f, W, b):
    return after_the_gate(arm(f, W, b)[0])[0].argmax(axis=1)


train = Scenes("train", seed=1)
train_images, train_labels = train.batch(range(48))
g = features(with_arm, train_images)  # (48, 32, 32, 32)
RATE = 4  # η
W, b = np.zeros((32, 32), np.float32), np.zeros(32, np.float32)
score = [told_apart(predicted(f, W, b), labels)]
for step in range(24):
    batch = np.arange(8) + 8 * (step % 6)
    y, z, s = arm(g[batch], W, b)
    logits, rest_back = after_the_gate(y)
    loss, loss_back = hand.cross_entropy(logits, train_labels[batch])
    dx, dW, db = my_backward(rest_back(loss_back(1.0)), g[batch], W, z, s)  # yours
    W, b = W - np.float32(RATE) * dW, b - np.float32(RATE) * db  # (E.13)
    if step % 3 == 2:
        score.append(told_apart(predicted(f, W, b), labels))
        print(f"step {step + 1:2}   loss {float(loss):.4f}   between A and B {score[-1]:.3f}")

# %% [markdown]
# **Predict.** The gates of the 64 test scenes, one row an image, the first half with the orange band and the second with the blue. What did they look like before, and what now?
#
# <details><summary>Answer</summary>
#
# Before: 0.5 everywhere. Now the two halves differ, in those channels by which the layers behind tell A from B. Within a half the rows differ little: the band is what the gates have learned to say.
#
# </details>

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained", width_ratios=[1, 1.4, 1.4])
axes[0].plot(np.arange(len(score)) * 3, score, "o-", color="black")
axes[0].set(xlabel="step", ylim=(0.45, 1.03), yticks=[0.5, 0.75, 1.0], title="between A and B")
after = arm(f, W, b)[2][:, :, 0, 0]
order = np.argsort(after[32:].mean(axis=0) - after[:32].mean(axis=0))
for ax, gates, title in zip(
    axes[1:], (np.full_like(after, 0.5), after), ("before", "after"), strict=True
):
    drawn = gate_map(ax, gates[:, order], f"the gates {title}")
    ax.set(aspect="auto", yticks=[16, 48], yticklabels=["orange", "blue"], xlabel="channel")
    ax.axhline(31.5, color="white", linewidth=2)
fig.colorbar(drawn, ax=axes[2], ticks=[0, 0.5, 1])
plt.show()

# %% [markdown]
# From 0.500 to 1.000 again, and this time with gradients that you derived. One scene with either band, and parts of what $W$ and $b$ have become:


# %%
def show_moments(shares):
    """The predictions with the weights at these shares of the way from 0 to where they ended."""
    size = 1.9 * len(shares) + 2, 3.9
    _, axes = plt.subplots(2, len(shares) + 1, figsize=size, layout="constrained")
    for row, n in enumerate((1, 33)):
        axes[row, 0].imshow(to_rgb(images[n]))
        for ax, share in zip(axes[row, 1:], shares, strict=True):
            ax.imshow(
                INKS[predicted(f[n : n + 1], np.float32(share) * W, np.float32(share) * b)[0]]
            )
            ax.set_title(f"{share:.0%} of W and b", fontsize=10)
        for ax in axes[row]:
            ax.set(xticks=[], yticks=[])
    plt.show()


show_moments([0, 0.25, 0.5, 1])

# %% [markdown]
# In a running notebook, move the slider.

# %%
slider = ipywidgets.FloatSlider(
    value=1, min=0, max=1, step=0.1, description="share", continuous_update=False
)
_ = ipywidgets.interact(lambda share: show_moments([share]), share=slider)

# %% [markdown]
# ## 8 · What the paper has besides
#
# What you have built has a name: *effective squeeze and excitation*. The paper's ARM has one step more. In the place of $b$ stands **batch normalisation**: of each channel's logit it takes away the mean over the batch and divides by the spread, then scales and shifts by two learned numbers, $w$ and $b$.
#
# $$a = \mathrm{BN}(W z) \tag{E.14}$$
#
# It keeps the logits where the sigmoid is steep, and it makes the images of a batch depend on each other, which has its price at batch sizes 1 and 2. Its backward is in [lesson 4b](04b_arm.ipynb).
#
# Here are both modules as the package has them, each backward its forward read upwards. `collect` is the plus of (E.12).

# %%
source(hand.EffectiveSE, hand.PaperAttentionRefinement)

# %% [markdown]
# Does the finished module give your gradients? In the picture, the two ways to $dx$ for one image of section 5: the gate's, which is different at each pixel, and the pool's, which is flat and tiny, and carries the context.

# %%
x, W3, b3 = centred, 6 * rng.standard_normal((3, 3)), rng.standard_normal(3)
y, z, s = arm(x, W3, b3)
dy = rng.standard_normal(y.shape)
dx, dW, db = my_backward(dy, x, W3, z, s)
nudge("x", lambda x: arm(x, W3, b3)[0], x, dx, dy)
nudge("W", lambda W: arm(x, W, b3)[0], W3, dW, dy)
nudge("b", lambda b: arm(x, W3, b)[0], b3, db, dy)

fig, axes = plt.subplots(1, 3, figsize=(9, 2.3), layout="constrained")
picture(axes[0], photos[4], "image 5")
gradient_map(axes[1], (dy * s)[4, 0], "dx of red, through the gate", limit=3)
pool = dx[4, 0] - (dy * s)[4, 0]
gradient_map(axes[2], pool, f"through the pool: {pool[0, 0]:+.1e}", limit=2 * np.abs(pool).max())
plt.show()

# %% [markdown]
# ## Five questions
#
# 1. Why does `ds` have a sum over rows and columns, and `dx` none?
#
# <details><summary>Answer</summary>
#
# One gate was used at all pixels of its channel, and collects from each. A pixel was gated once.
#
# </details>
#
# 2. A backward passes (E.3) for $dy = 1$ everywhere. Is it right?
#
# <details><summary>Answer</summary>
#
# Not surely: ones are one direction of many, and some mistakes cannot be seen from there. Draw $dy$ at random.
#
# </details>
#
# 3. The loss looks at a single pixel. Which pixels of the image get a gradient through ARM?
#
# <details><summary>Answer</summary>
#
# All of them: that pixel's gate was made of means over the whole image, by (E.12).
#
# </details>
#
# 4. Why was the score before the training exactly 0.500, and not 0.497 or 0.51?
#
# <details><summary>Answer</summary>
#
# Every test scene stands there with both bands. With equal gates the network says the same of both, and is right in one.
#
# </details>
#
# 5. A gate stands at $s = 0.999$ and is wrong. What does the training do about it?
#
# <details><summary>Answer</summary>
#
# Little: $s(1-s)$ is a thousandth, and so is what arrives at its logit.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | backward | 反向传播 | from $dy$ to the gradients of what went in |
# | attention refinement module (ARM) | 注意力细化模块 | pool, mix, gate |
# | logit | 对数几率 | the number before the sigmoid, $a$ |
# | gate | 门控 | the factor between 0 and 1, $s$ |
# | saturation | 饱和 | where $s(1-s)$ is nearly 0 |
# | global average pooling | 全局平均池化 | the mean of each channel, $z$ |
# | channel attention | 通道注意力 | one gate for each channel |
# | global context | 全局上下文 | what the mean knows of the whole image |
#
# ## What comes next
#
# [Lesson 0a](00a_arrays_and_backwards.ipynb) goes slowly over shapes and sums, [lesson 0b](00b_the_check.ipynb) over tests. Chapter 4 has the rest of the paper's module: a sigmoid that never overflows in [lesson 4a](04a_sigmoid_gate.ipynb), batch normalisation inside in [lesson 4b](04b_arm.ipynb), batch sizes 1 and 2 in [lesson 4c](04c_batch_size.ipynb). [Lesson 9a](09a_context.ipynb) proves the 0.500, and [lesson 9b](09b_training.ipynb) trains the whole network. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

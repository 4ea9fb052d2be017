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
# # 5b · ARM with its 3×3, derived
#
# **Goal.** Derive the backward of the attention refinement module (ARM) that is used in practice, and see where its second way leads.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 5a](05a_arm_versions.ipynb): the module, and the network it is trained in · [Lesson 4b](04b_arm.ipynb): batch normalisation's backward, (d4.7) |
# | Afterwards you can | derive fourteen gradients, from the output down to the 3×3 · say which pixels of an image a prediction hears through ARM · say what an initialisation does in front of a batch normalisation |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/attention_refinement.py](../armlab/hand/attention_refinement.py) · [hand/conv_bn_act.py](../armlab/hand/conv_bn_act.py) |
#
# Chapter 5 is ARM as it is used. [Lesson 5a](05a_arm_versions.ipynb) told its versions apart; here the article's, with a 3×3 and a LeakyReLU in front, is derived whole. The gradient of (5.4) is (d5.4).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from arm_graph import ARTICLE, arm_graph
from armlab import check, hand
from armlab.data import Scenes
from tools import compare, scene, source, trained

rng = np.random.default_rng(0)
PALETTE = np.asarray([[0.93] * 3, [0.9, 0.62, 0.0], [0.34, 0.71, 0.91]])  # background, A, B

# %% [markdown]
# ## 1 · The backward, whole
#
# [Lesson 4b](04b_arm.ipynb) has done the paper's ARM. In front of it now stands a unit of three steps: a 3×3 convolution with weights $W_3$, a batch normalisation, a LeakyReLU.
#
# $$q_{nkij} = (W_3 * x)_{nkij} = \sum_{c,\alpha,\beta} W_{3,kc\alpha\beta}\; x_{nc,\,i+\alpha-1,\,j+\beta-1} \tag{5.4}$$
# $$p = \mathrm{BN}_1(q) \tag{5.5}$$
# $$f = \mathrm{LReLU}(p) = \max(p,\, 0.01\,p) \tag{5.6}$$
#
# The taps $\alpha, \beta$ of the 3×3 run from 0 to 2, and outside the image $x$ is 0. Then the attention branch, and the gate:
#
# $$z = \mathrm{GAP}(f), \qquad u = W z \tag{5.7}$$
# $$a = \mathrm{BN}_2(u) \tag{5.8}$$
# $$y = f\, s, \qquad s = \sigma(a) \tag{5.9}$$
#
# **Predict.** Which name stands twice on the right? Which of the two BNs sees more values per channel, and how many does each see, for $N$ images of $H \times W$?
#
# <details><summary>Answer</summary>
#
# $f$: it is pooled and it is gated, so it collects two gradients. $\mathrm{BN}_1$ stands behind a convolution and sees $m_1 = NHW$ values per channel, $\mathrm{BN}_2$ behind the pool, and sees $m_2 = N$.
#
# </details>

# %%
arm_graph(steps=ARTICLE)

# %% [markdown]
# Read upwards. $dq$ is the gradient of the loss with respect to $q$, and has its shape.
#
# **The gate (5.9).** $f$ is used here for the first time. One $s_{nk}$ fed $HW$ pixels:
#
# $$df^{\text{gate}}_{nkij} = dy_{nkij}\, s_{nk}, \qquad ds_{nk} = \sum_{ij} dy_{nkij}\, f_{nkij}, \qquad da = ds\; s\,(1-s) \tag{d5.9}$$

# %%
arm_graph({"gate", "past", "sigmoid"}, ARTICLE)

# %% [markdown]
# **The branch.** $\mathrm{BN}_2$ has the scale $w_2$ and the shift $b_2$. With $\hat u = (u - \mathrm{mean})\,\rho_2$ and $\rho_2 = 1/\sqrt{\mathrm{var} + \varepsilon}$, lesson 4b's (d4.7) says
#
# $$dw_2 = \sum_n da\,\hat u, \quad db_2 = \sum_n da, \qquad du = w_2\, \rho_2 \Big( da - \frac{db_2}{m_2} - \hat u\, \frac{dw_2}{m_2} \Big) \tag{d5.8}$$
#
# One $W_{kc}$ serves all images, one $z_{nc}$ feeds all logits, and every pixel had a share of $1/HW$ in $z$. And $f$ was used twice, so its gradients add up:
#
# $$dW_{kc} = \sum_n du_{nk}\, z_{nc}, \quad dz_{nc} = \sum_k W_{kc}\, du_{nk}, \quad df^{\text{pool}}_{ncij} = \frac{dz_{nc}}{HW}, \qquad df = df^{\text{gate}} + df^{\text{pool}} \tag{d5.7}$$

# %%
arm_graph({"bn", "linear", "pool"}, ARTICLE)

# %% [markdown]
# **The unit in front.** The activation passes $df$ where $p > 0$, and a hundredth elsewhere:
#
# $$dp = df \cdot \begin{cases} 1 & p > 0 \\ 0.01 & \text{else} \end{cases} \tag{d5.6}$$
#
# $\mathrm{BN}_1$ is (d4.7) again, with sums over images and pixels:
#
# $$dw_1 = \sum_{nij} dp\,\hat q, \quad db_1 = \sum_{nij} dp, \qquad dq = w_1\, \rho_1 \Big( dp - \frac{db_1}{m_1} - \hat q\, \frac{dw_1}{m_1} \Big) \tag{d5.5}$$
#
# ### Exercise 1 · `unit_backward`
#
# ★★☆ · 10 minutes
#
# Write (d5.6) and (d5.5), before you read on. You are given `df`, `p` and `q_hat`, all `(N, K, H, W)`, and for each channel the scale `w` and `rho`, both `(K,)`. Return `dq`, and `dw` and `db` of shape `(K,)`. `v[:, np.newaxis, np.newaxis]` lines a number per channel up with the features.


# %% tags=["exercise"]
def unit_backward(df, p, q_hat, w, rho):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def unit_backward(df, p, q_hat, w, rho):
#     dp = np.where(p > 0, df, 0.01 * df)
#     dw = np.sum(dp * q_hat, axis=(0, 2, 3))
#     db = np.sum(dp, axis=(0, 2, 3))
#     m = dp.size / len(w)
#     scale, dw_up, db_up = (v[:, np.newaxis, np.newaxis] for v in (w * rho, dw, db))
#     return scale * (dp - db_up / m - q_hat * dw_up / m), dw, db
# ```
#
# $m_1 = NHW$ is the number of values behind one $w$.
#
# </details>

# %% tags=["check"]
check.exercise("unit_backward", unit_backward)

# %% [markdown]
# **The 3×3.** In (5.4) one weight meets a shifted picture, and collects from every pixel of every image. One pixel of $x$ is met by nine taps, each at another place $i - \alpha + 1,\, j - \beta + 1$ of $q$, and in all $K$ channels:
#
# $$dW_{3,kc\alpha\beta} = \sum_{n,i,j} dq_{nkij}\; x_{nc,\,i+\alpha-1,\,j+\beta-1}, \qquad dx_{ncij} = \sum_{k,\alpha,\beta} W_{3,kc\alpha\beta}\; dq_{nk,\,i-\alpha+1,\,j-\beta+1} \tag{d5.4}$$
#
# The second is a 3×3 convolution of $dq$ with the kernel turned by half a turn. [Lesson 1b](01b_convolution_backward.ipynb) derives both for any kernel, stride and padding.

# %%
arm_graph({"conv"}, ARTICLE)

# %% [markdown]
# In code, with the weights of the trained toy network and the features of six scenes, in training mode and float64. `net.features` is what its ARM is given. `np.einsum` multiplies, and sums over each letter that is missing behind the arrow. The forward first.


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
    """(d5.8) and (d5.5): the gradients of the input, the scale and the shift."""
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


net, scenes = trained("arm"), Scenes("test")
arm = hand.AttentionRefinementModule(32, 32, dtype="float64", rng=0)
arm.load_state_dict(net.refine.state_dict())
x = net.features(scenes.batch(range(6))[0])[0].astype(np.float64)
W3, W = arm.conv.conv.weight, arm.conv_atten.weight[:, :, 0, 0]
w1, b1 = line_up(arm.conv.bn.weight), line_up(arm.conv.bn.bias)
w2, b2 = arm.bn_atten.weight, arm.bn_atten.bias

q = sum(np.einsum("kc,ncij->nkij", W3[:, :, i, j], met) for i, j, met in taps(x))  # (5.4)
q_hat, rho1 = normalised(q, (0, 2, 3))
p = w1 * q_hat + b1  # (5.5)
f = np.maximum(p, 0.01 * p)  # (5.6)
z = f.mean(axis=(2, 3))  # (5.7)
u = z @ W.T
u_hat, rho2 = normalised(u, 0)
a = w2 * u_hat + b2  # (5.8)
s = hand.sigmoid(a)[0]
y = f * s[:, :, np.newaxis, np.newaxis]  # (5.9)

y_file, backward = arm(x)
compare("y", y, y_file)

# %% [markdown]
# Then the backward, from the last line to the first.

# %%
dy = rng.standard_normal(y.shape)

df_gate = dy * s[:, :, np.newaxis, np.newaxis]  # (d5.9)
ds = (dy * f).sum(axis=(2, 3))
da = ds * s * (1 - s)
du, dw2, db2 = bn_backward(da, u_hat, rho2, w2, 0)  # (d5.8)
dW = du.T @ z  # (d5.7)
dz = du @ W
df_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / f[0, 0].size, f.shape)
df = df_gate + df_pool  # f is used twice
dp = df * np.where(p > 0, 1.0, 0.01)  # (d5.6)
dq, dw1, db1 = bn_backward(dp, q_hat, rho1, w1, (0, 2, 3))  # (d5.5)
dW3, dx = np.empty_like(W3), 0
for i, j, met in taps(x):  # (d5.4)
    dW3[:, :, i, j] = np.einsum("nkij,ncij->kc", dq, met)
for i, j, met in taps(dq):  # the tap (i, j) of dq meets the turned kernel
    dx = dx + np.einsum("kc,nkij->ncij", W3[:, :, 2 - i, 2 - j], met)

# %% [markdown]
# PyTorch is asked for the gradient of each of these names.

# %%
leaves = {"x": x, "W3": W3, "w1": w1, "b1": b1, "W": W, "w2": w2, "b2": b2}
t = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
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
for name, gradient, theirs in zip(names, mine, grads, strict=True):
    compare(f"d{name}", gradient, theirs)

# %% [markdown]
# Fourteen gradients. Now shortly: the file calls a unit and a gate forward, and their backwards in the opposite order. (It counts its own: its (1) is (5.4) to (5.6), its (2) is (5.7) and (5.8), its (3) is (5.9).)

# %%
source(hand.AttentionRefinementModule.forward)
dx_file, grads_file = backward(dy)
compare("dx", dx_file, dx)
long = {"W3": dW3, "w1": dw1, "b1": db1, "W": dW, "w2": dw2, "b2": db2}
for (key, gradient), (name, derived) in zip(grads_file.items(), long.items(), strict=True):
    compare(f"d{name}", gradient, derived.reshape(gradient.shape))
    print(f"{'':13}is {key}")

# %% [markdown]
# ### Exercise 2 · `arm_backward`
#
# ★★☆ · 10 minutes
#
# From the three backwards that a forward has kept: `gate_back(dy)` gives `(df, da)`, `logits_back(da)` gives `(df_pooled, grads)`, and `conv_back(df)` gives `(dx, grads)`. Return `dx`. Call `conv_back` once.


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
# ## 2 · Where the second way leads
#
# $df^{\text{pool}}$ is small and the same at every pixel. Two toy networks have been trained on scenes in which a 7 is of class A under the orange band and of class B under the blue one, the one without attention and the other with ARM. Ask each for the score of B minus that of A *on the pixels of one 7*, and send that gradient down to the image. Both are in evaluation mode, so their normalisations are straight lines with constants kept from training.
#
# **Predict.** Where in the image will there be a gradient, without attention and with ARM?
#
# <details><summary>Answer</summary>
#
# Without attention it ends at the edge of a window around the 7. With ARM every pixel hears of this 7, and more than a third of the gradient lies in the band, where the network has learned to look. Leave the plus out of the backward, and this whole picture is lost, while `dx` near the digit still looks right.
#
# </details>

# %%
n = 5
(orange, label), (blue, _) = (scenes.batch(range(n, n + 1), state=band) for band in (0, 1))
columns = np.flatnonzero((label[0] > 0).any(axis=0))
sevens = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)  # the columns of its two 7s
pixels = (label[0] > 0) & np.isin(np.arange(64), sevens[0])  # the left one


def gradient_at_image(net, image, pixels):
    """Of the mean of B − A over these pixels, with respect to the image."""
    y, backward = net(image)
    dy = np.zeros_like(y)
    dy[:, 2, pixels], dy[:, 1, pixels] = 1 / pixels.sum(), -1 / pixels.sum()
    dx, _ = backward(dy)
    return np.abs(dx[0]).sum(axis=0)


fig, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
scene(axes[0], orange[0], "x, and the pixels asked about")
axes[0].contour(pixels, levels=[0.5], colors="#CC79A7", linewidths=1.5)
for ax, attention in zip(axes[1:], ("none", "arm"), strict=True):
    g = gradient_at_image(trained(attention), orange, pixels)
    in_band, heard = g[:8].sum() / g.sum(), (g > 0).mean()
    print(f"{attention:5} share of |dx| in the band: {in_band:.3f}   pixels with any: {heard:.2f}")
    assert (heard == 1) == (in_band > 1 / 3) == (attention == "arm")
    drawn = ax.imshow(np.log10(np.maximum(g / g.max(), 1e-5)), cmap="viridis", vmin=-5, vmax=0)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"|dx|, attention: {attention}", fontsize=10)
bar = fig.colorbar(drawn, ax=axes[2], ticks=[-5, -3, -1])
bar.ax.set_yticklabels(["≤ 10⁻⁵", "10⁻³", "10⁻¹"], fontsize=8)
plt.show()

# %% [markdown]
# ## 3 · The band under your hand
#
# The gradient says what a *small* change of the band would do. Between orange and blue lie colours that the network has never seen. In the middle row a pixel is grey where the network answers "background", orange for A, and blue for B; below are the 32 gates, sorted by how far the orange band opens them.
#
# **Predict.** Both 7s of the scene get the same gates. Do they change sides at the same mixture?
#
# <details><summary>Answer</summary>
#
# Nearly: at 15 % of blue both are A but for a pixel, at 25 % both are B. In between, at 20 %, each is mostly B and in some pixels still A. The gates are shared, but every pixel weighs them against features of its own.
#
# </details>


# %%
def mixed(blueness):
    """The scene with its band mixed from the two colours: all the rest is the same in both."""
    return ((1 - blueness) * orange + blueness * blue).astype(np.float32)


order = np.argsort((net.gate(blue) - net.gate(orange))[0, :, 0, 0])


def show_mixes(values):
    size = max(1.8 * len(values), 5), 4.4
    grid = {"squeeze": False, "height_ratios": [2, 2, 1]}
    _, axes = plt.subplots(3, len(values), figsize=size, layout="constrained", **grid)
    for column, blueness in enumerate(values):
        x = mixed(blueness)
        gates = net.gate(x)[0, order, 0, 0]
        scene(axes[0, column], x[0], f"{blueness:.0%} blue")
        axes[1, column].imshow(PALETTE[net(x)[0][0].argmax(axis=0)], interpolation="nearest")
        axes[1, column].set(xticks=[], yticks=[])
        axes[2, column].bar(np.arange(32), gates, color=plt.colormaps["magma"](gates))
        axes[2, column].set(ylim=(0, 1), yticks=[0, 1], xticks=[])
    for ax, word in zip(axes[:, 0], ("x", "classes", "gates"), strict=True):
        ax.set_ylabel(word)
    plt.show()


show_mixes([0, 0.15, 0.2, 0.25, 0.75, 1])
for blueness in (0.15, 0.2, 0.25):
    classes = net(mixed(blueness))[0][0].argmax(axis=0)
    found = [classes[:, seven][label[0][:, seven] > 0] for seven in sevens]
    shares = [np.mean(seven[seven > 0] == 2) for seven in found]
    print(f"{blueness:.0%} blue: called B", " and ".join(f"{share:.0%}" for share in shares))

# %% [markdown]
# At 75 % there is a stripe of B along the edge of the band itself, where no digit is: on colours that it was not trained on, the network answers anything.
#
# In a running notebook, move the slider between 15 and 25 %.

# %%
slider = ipywidgets.FloatSlider(
    value=0.15, min=0, max=1, step=0.05, description="blue", continuous_update=False
)
_ = ipywidgets.interact(lambda blueness: show_mixes([blueness]), blueness=slider)

# %% [markdown]
# ## 4 · What the listing left out
#
# The article's listing is an abridged copy of SeAFusion's. What was cut is the initialisation: Kaiming He's, with slope 1, that is a normal distribution with the standard deviation
#
# $$\frac{1}{\sqrt{\text{fan\_in}}}, \qquad \text{fan\_in} = 9C \text{ for a 3×3} \tag{5.10}$$
#
# Without it, PyTorch draws as it always does: uniformly between $\pm 1/\sqrt{\text{fan\_in}}$.
#
# **Predict.** What is the standard deviation of PyTorch's own draw, in units of (5.10)?
#
# <details><summary>Answer</summary>
#
# A uniform draw of width 2 has the standard deviation $2/\sqrt{12} = 1/\sqrt3 = 0.577$. So the listed module starts with weights that are $\sqrt3$ times too small.
#
# </details>

# %%
torch.manual_seed(0)
as_listed = nn.Conv2d(512, 128, 3, padding=1, bias=False).weight.detach()
as_published = nn.init.kaiming_normal_(torch.empty(128, 512, 3, 3), a=1)
by_hand = hand.Conv2d(512, 128, 3, bias=False, rng=0).weight
draws = {"as listed": as_listed, "kaiming, slope 1": as_published, "armlab.hand": by_hand}
for name, w in draws.items():
    print(f"{name:16} std × √fan_in = {float(w.std()) * np.sqrt(512 * 9):.3f}")

# %% [markdown]
# **Predict.** Batch normalisation follows, and divides by the spread. Divide $W_3$ by $\sqrt3$: what becomes of $y$? Of $dW_3$? How long is the first step of gradient descent then, measured against the weights?
#
# <details><summary>Answer</summary>
#
# $y$ stays, up to BN's $\varepsilon$. The gradient grows by what the weight lost: in (d5.5) $\rho_1$ is $\sqrt3$ times as large. So the first step, measured against the weights, is three times as long: $\sqrt3 \cdot \sqrt3$. Before a BN, the initialisation sets a learning rate.
#
# </details>

# %%
arm = hand.AttentionRefinementModule(6, 5, rng=1, dtype="float64")
small = arm.copy().assign({"conv.conv.weight": arm.conv.conv.weight / np.sqrt(3)})
x = rng.standard_normal((4, 6, 9, 8))
(y, back), (y_small, back_small) = arm(x), small(x)
dy = rng.standard_normal(y.shape)
key = "conv.conv.weight"
ratio = np.abs(back_small(dy)[1][key]).max() / np.abs(back(dy)[1][key]).max()
print(f"largest change of y: {np.abs(y_small - y).max():.1e} of {np.abs(y).max():.1f}")
print(f"largest |dW₃| is {ratio:.3f} times as large")
assert np.isclose(ratio, np.sqrt(3), rtol=1e-3)

# %% [markdown]
# ## Four questions
#
# 1. In the backward, $f$ collects two gradients and $x$ only one. In the paper's version $x$ collects two. Why?
#
# <details><summary>Answer</summary>
#
# What is gated is also what is pooled. That is $f$; in the paper's version $f$ is $x$ itself.
#
# </details>
#
# 2. All weights of the 3×3 are multiplied by 10 in training mode. What happens to $y$, and to $dW_3$?
#
# <details><summary>Answer</summary>
#
# $y$ stays, up to BN's $\varepsilon$. $dW_3$ is a tenth.
#
# </details>
#
# 3. $W$ and the two numbers of $\mathrm{BN}_2$ are frozen: they do not change any more. Is $df^{\text{pool}}$ still needed?
#
# <details><summary>Answer</summary>
#
# Yes. Their own gradients are not, but the way through them still leads from the gates to $f$, and on to $W_3$.
#
# </details>
#
# 4. Why is $dx$ in (d5.4) a convolution with the kernel turned, and $dW_3$ not?
#
# <details><summary>Answer</summary>
#
# A tap that looks one pixel to the right is, seen from the pixel that is looked at, one to the left. $dW_3$ asks only which picture a tap met, and that is the forward's own shift.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | attention refinement module (ARM) | 注意力细化模块 | (5.4) to (5.9) |
# | feature transform | 特征变换 | the 3×3 with BN and activation in front, $f$ |
# | attention branch | 注意力分支 | from the pool to the logit, (5.7) and (5.8) |
# | LeakyReLU | 带泄漏的 ReLU | (5.6) |
# | initialisation | 初始化 | how weights are drawn; here with (5.10) |
# | fan-in | 扇入 | how many inputs one output sums over: $9C$ for a 3×3 |
#
# ## What comes next
#
# [Lesson 6a](06a_channel_attention.ipynb) changes one line at a time, and gets SE, eSE and ECA. [Lesson 7a](07a_spatial_attention.ipynb) turns the gate around, and [lesson 8b](08b_bisenet.ipynb) puts ARM into a network. The [contents](index.ipynb) show the path.
#
# Photographs in the scenes: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

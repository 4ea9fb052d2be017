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
# # 8a · Resizing and feature fusion
#
# **Goal.** Bring two feature maps together, whatever their sizes, and derive what each of them gets back.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 4a](04a_sigmoid_gate.ipynb): the gate and its backward · [lesson 2b](02b_batch_norm_backward.ipynb) derives the backward of batch normalisation, which is used here |
# | Afterwards you can | find your way on a map of BiSeNet · resize without a scale factor · derive the backward of nearest and of bilinear resizing · derive feature fusion's backward line by line |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/resize.py](../armlab/hand/resize.py) · [hand/concat_channels.py](../armlab/hand/concat_channels.py) · [hand/feature_fusion.py](../armlab/hand/feature_fusion.py) |
#
# Chapter 8 puts ARM into a network. This lesson has the two operations with which maps meet there, [lesson 8b](08b_bisenet.ipynb) the network, [lesson 8c](08c_bisenet_measured.ipynb) what a trained one does.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits

import armlab.torch as twins
from armlab import check, hand
from bisenet_map import bisenet_map
from tools import compare, feature_map, gradient_map, numbers, photographs, picture, source

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · A map of BiSeNet
#
# A network that names the class of every pixel has to know *what* is there and *where* it is. BiSeNet has a path for each. The **context path** makes the image small: a **trunk**, here a ResNet-18, looks at ever larger parts of it, an ARM refines what it finds at 1/32 and at 1/16, and $g$ is the mean of the whole image. The **spatial path** is four convolutions, and keeps places. A **feature fusion module** (FFM) joins the two, and a **head** turns features into one logit for each class.

# %%
bisenet_map()

# %% [markdown]
# Letters are feature maps, each with its shape in the paper's network, behind the $N$ images of a batch. Black arrows are what is computed. Each red word is the gradient that comes back along an arrow.
#
# **Predict.** Two maps can be added or stacked only where their sizes agree. At how many places do two maps meet?
#
# <details><summary>Answer</summary>
#
# At three. At $\Sigma_{32}$ and $\Sigma_{16}$ two maps are added, and in the FFM two are stacked. For the first, $g$ is repeated at every position. For the others a small map has to be made larger first, which is what the arrows with ↑ do.
#
# </details>

# %%
bisenet_map({"add", "up", "fusion"}, backward=False)

# %% [markdown]
# ## 2 · The size of the other map
#
# The trunk halves the image five times. A step of **stride** 2 keeps the rows 0, 2, 4, … of $H$ rows, which leaves
#
# $$\lceil H/2 \rceil \tag{8.1}$$
#
# of them: a half is **rounded up**. $f_8$ stands behind three such steps, $f_{16}$ behind four, $f_{32}$ behind five.
#
# **Predict.** Which sizes have $f_8$, $f_{16}$ and $f_{32}$ for an image of 64 × 64? And for 360 × 480, the frames of CamVid, a set of street scenes?
#
# <details><summary>Answer</summary>
#
# 8 × 8, 4 × 4 and 2 × 2. For the frames 45 × 60, 23 × 30 and 12 × 15: half of 45 is 22.5, and (8.1) makes it 23. Twice 12 is not 23, which is what the rest of this section is about.
#
# </details>

# %%
trunk = hand.ResNet18(8, rng=0)  # an eighth of the usual width
for size in [(64, 64), (360, 480)]:
    maps, _ = trunk(np.zeros((1, 3, *size), "float32"))
    print(size, "->", ", ".join("{} channels of {} × {}".format(*f.shape[1:]) for f in maps))
assert [f.shape[2] for f in maps] == [45, 23, 12]  # of 360 rows

# %% [markdown]
# ### Exercise 1 · Find the bug
#
# ★☆☆ · 10 minutes
#
# Users of a public BiSeNet report that images of some sizes fail (CoinCheung/BiSeNet, issues 217 and 222). Its context path made maps larger with lines like this one:
#
# ```python
# up32 = nn.functional.interpolate(sum32, scale_factor=2)
# ```
#
# **Predict.** Which of the heights 352, 360, 376 and 384 fail? At which step?
#
# <details><summary>Answer</summary>
#
# 360 and 376. Halving rounds up, and doubling does not round back. 360 has 23 rows at 1/16 and 12 at 1/32, and fails at the first step. 376 has 24 and 12, and passes it; at 1/8 it has 47, and fails at the second. 352 and 384 are multiples of 32.
#
# </details>


# %%
def by_factor(height):
    """Follow one column of pixels down, and up again with factors 2 and 2."""
    _, _, h8, h16, h32 = [height := -(-height // 2) for _ in range(5)]  # (8.1)
    return (2 * h32, h16), (2 * h16, h8)


for height in (352, 360, 376, 384):
    (f8, f16, f32), _ = trunk(np.zeros((1, 3, height, 64), "float32"))
    f8, f16, f32 = (torch.tensor(f[:, :16]) for f in (f8, f16, f32))
    try:
        y16 = f16 + torch.nn.functional.interpolate(f32, scale_factor=2)
        y8 = f8 + torch.nn.functional.interpolate(y16, scale_factor=2)
        print(height, "fits")
    except RuntimeError as error:
        print(height, "fails:", str(error).splitlines()[0])

# %% [markdown]
# The picture follows every height from 1 to 160. A square is dark where a doubled map misses the one that it meets, or where the logits, eight times as large, miss the image.

# %%
heights = np.arange(1, 161)
misses = np.asarray([[a != b for a, b in by_factor(h)] + [h % 8 > 0] for h in heights]).T
fig, ax = plt.subplots(figsize=(11, 1.8), layout="constrained")
ax.pcolormesh(np.arange(0.5, 161), np.arange(4), misses, cmap="Greys", vmin=0, vmax=1.4)
ax.set(yticks=[0.5, 1.5, 2.5], yticklabels=["1/32 → 1/16", "1/16 → 1/8", "1/8 → image"])
ax.set(xticks=range(32, 161, 32), xlabel="height of the image")
ax.invert_yaxis()
for edge in (1, 2):
    ax.axhline(edge, color="white", linewidth=2)
plt.show()
fits = heights[~misses.any(axis=0)]
print("all three fit at", fits)
assert np.array_equal(fits, [32, 64, 96, 128, 160])

# %% [markdown]
# Only multiples of 32 pass all three. The repair asks nobody for a divisor: the map takes **the size of the one that it meets**, whatever that is.
#
# Write it, for the rule that repeats pixels (**nearest**). Row $i$ of $y$, which has $OH$ rows, is row $\lfloor iH / OH \rfloor$ of $x$, and columns likewise. `like` is the map to be met; only its height and width matter.


# %% tags=["exercise"]
def upsample_to(x, like):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def upsample_to(x, like):
#     h, w = x.shape[2:]
#     oh, ow = like.shape[2:]
#     rows = np.arange(oh) * h // oh
#     columns = np.arange(ow) * w // ow
#     return x[:, :, rows[:, np.newaxis], columns]
# ```
#
# For a single halving one could also double and cut off what is too much: it gives the same pixels. But that needs to know that it was one halving. Integers are divided, not floats: PyTorch's own `mode="nearest"` multiplies by a rounded scale, and from 2 to 82 pixels it is one pixel off.
#
# </details>

# %% tags=["check"]
check.exercise("upsample_to", upsample_to)

# %% [markdown]
# ## 3 · Nearest, backward
#
# Twice the context path makes a map larger so, by repeating pixels:

# %%
bisenet_map({"up"})

# %% [markdown]
# $$y_{ij} = x_{\lfloor iH/OH \rfloor,\, \lfloor jW/OW \rfloor} \tag{8.2}$$
#
# One pixel of $x$ is repeated several times. It feeds several outputs, so it collects the sum of their gradients:
#
# $$dx_{hw} = \sum_{i:\, \lfloor iH/OH \rfloor = h} \;\; \sum_{j:\, \lfloor jW/OW \rfloor = w} dy_{ij} \tag{d8.2}$$
#
# **Predict.** A digit of 8 × 8 is resized to 12 × 20. How often is a pixel repeated? Is it the same for all pixels?
#
# <details><summary>Answer</summary>
#
# 2, 3, 4 or 6 times. On average it is $240 / 64 = 3.75$, which is no whole number. 12 rows from 8 take every other row twice and the rest once. 20 columns from 8 take every other column three times and the rest twice.
#
# </details>

# %%
x = load_digits().images[7][np.newaxis, np.newaxis] / 16  # a seven, 8 × 8
y, backward = hand.resize_nearest(x, size=(12, 20))
dy = rng.standard_normal(y.shape)

rows, columns = np.arange(12) * 8 // 12, np.arange(20) * 8 // 20
copies, dx = np.zeros((8, 8), int), np.zeros_like(x)
for i in range(12):
    for j in range(20):
        copies[rows[i], columns[j]] += 1
        dx[0, 0, rows[i], columns[j]] += dy[0, 0, i, j]  # (d8.2)
assert set(copies.flat) == {2, 3, 4, 6}

x_torch = torch.tensor(x, requires_grad=True)
y_torch = twins.resize_nearest(x_torch, size=(12, 20))
(dx_torch,) = torch.autograd.grad(y_torch, x_torch, torch.tensor(dy))
compare("y", y, y_torch)
compare("dx", dx, dx_torch)
compare("backward", backward(dy), dx_torch)

# %%
fig, axes = plt.subplots(
    1, 5, figsize=(12, 2.7), layout="constrained", width_ratios=[1, 1, 1.6, 1.6, 1]
)
feature_map(axes[0], x[0, 0], "x")
feature_map(axes[1], -copies, "copies of each pixel")
numbers(axes[1], copies)
feature_map(axes[2], y[0, 0], "y, nearest")
gradient_map(axes[3], dy[0, 0], "dy", limit=3)
gradient_map(axes[4], dx[0, 0], "dx", limit=5)
plt.show()

# %% [markdown]
# ### Exercise 2 · `resize_nearest_backward`
#
# ★★☆ · 10 minutes
#
# Given are `dy` and the `shape` of `x`. Sizes may be anything: larger, smaller, or one of each. Two loops are allowed. Without loops: which matrix of zeros and ones takes the rows of $x$ to those of $y$?


# %% tags=["exercise"]
def resize_nearest_backward(dy, shape):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def resize_nearest_backward(dy, shape):
#     (h, w), (oh, ow) = shape[2:], dy.shape[2:]
#     a = np.eye(h)[np.arange(oh) * h // oh]  # (OH, H): row i has its 1 where y's row came from
#     b = np.eye(w)[np.arange(ow) * w // ow]
#     return a.T @ dy @ b
# ```
#
# </details>

# %% tags=["check"]
check.exercise("resize_nearest_backward", resize_nearest_backward)

# %% [markdown]
# The file. It counts its own equations: its (1) is (8.2), its (2) is (d8.2) with those two matrices.

# %%
source(hand.resize_nearest)

# %% [markdown]
# ## 4 · Bilinear: two matrices of tents
#
# The heads end with a larger step, from an eighth of the image to the image, or from a sixteenth.

# %%
bisenet_map({"head", "auxiliary"})

# %% [markdown]
# Repeated pixels would make stairs. **Bilinear** resizing puts straight lines between the pixels. Where does row $i$ of $y$ lie, counted in rows of $x$? Pixels are little squares, and their *centres* are compared:
#
# $$p_i = \big(i + \tfrac12\big)\tfrac{H}{OH} - \tfrac12, \quad \text{kept within } 0 \dots H - 1 \tag{8.3}$$
#
# Row $i$ takes from row $h$ what a tent of width 1 around $p_i$ says:
#
# $$A_{ih} = \max\big(0,\; 1 - |p_i - h|\big) \tag{8.4}$$
#
# With $B$ the same for columns, the whole operation is two products of matrices:
#
# $$y = A\, x\, B^{\mathsf T} \tag{8.5}$$
#
# **Predict.** What do the numbers in one row of $A$ add up to? How many of them are not 0?
#
# <details><summary>Answer</summary>
#
# To 1, and one or two. A place between row $h$ and row $h + 1$ has a distance $t$ to the one and $1 - t$ to the other, and gets the shares $1 - t$ and $t$. On a row, or kept at the border, it takes that row alone. So each row of $y$ is a weighted mean, which never leaves the range of what it mixes.
#
# </details>


# %%
def tents(out, size):
    p = np.clip((np.arange(out) + 0.5) * (size / out) - 0.5, 0, size - 1)  # (8.3)
    return np.maximum(0, 1 - np.abs(p[:, np.newaxis] - np.arange(size)))  # (8.4)


A, B = tents(12, 8), tents(20, 8)
print("sums of rows:", np.unique(A.sum(axis=1)), " not 0 in a row:", np.unique((A > 0).sum(axis=1)))

fig, axes = plt.subplots(
    1, 4, figsize=(12, 2.8), layout="constrained", width_ratios=[1.8, 0.9, 1.6, 1.6]
)
fine = tents(800, 8)
for h in range(8):
    colour = plt.colormaps["viridis"](h / 8)
    axes[0].plot((np.arange(800) + 0.5) / 100 - 0.5, fine[:, h], color=colour)
    axes[0].plot((np.arange(12) + 0.5) * 8 / 12 - 0.5, A[:, h], ".", color=colour)
axes[0].set(xlabel="place in x", title="what row h gives (dots: rows of y)")
feature_map(axes[1], A, "A, 12 × 8")
axes[1].set(xlabel="h", ylabel="i")
feature_map(axes[2], hand.resize_nearest(x, size=(96, 160))[0][0, 0], "nearest")
feature_map(axes[3], hand.resize_bilinear(x, size=(96, 160))[0][0, 0], "bilinear")
plt.show()

# %% [markdown]
# **The backward.** Take (8.5) apart, with $t = A x$ and $y = t B^{\mathsf T}$. With indices, $y_{ij} = \sum_w t_{iw} B_{jw}$. One $t_{iw}$ feeds all columns $j$ of its row, $B_{jw}$ times each, so $dt_{iw} = \sum_j dy_{ij}\, B_{jw}$, which is $dt = dy\, B$. Likewise $t_{iw} = \sum_h A_{ih}\, x_{hw}$, and one $x_{hw}$ feeds all rows $i$ of its column:
#
# $$dx_{hw} = \sum_i A_{ih}\, dt_{iw}, \qquad\text{which is}\quad dx = A^{\mathsf T} dt = A^{\mathsf T}\, dy\, B \tag{d8.5}$$
#
# A linear map goes back by its transpose. There is nothing to keep: $A$ and $B$ depend on the sizes alone.

# %%
t = A @ x
y = t @ B.T  # (8.5)
dy = rng.standard_normal(y.shape)
dt = dy @ B
dx = A.T @ dt  # (d8.5)

t_torch = torch.nn.functional.interpolate(x_torch, (12, 8), mode="bilinear")
y_torch = torch.nn.functional.interpolate(t_torch, (12, 20), mode="bilinear")
dt_torch, dx_torch = torch.autograd.grad(y_torch, (t_torch, x_torch), torch.tensor(dy))
compare("y", y, y_torch)
compare("dt", dt, dt_torch)
compare("dx", dx, dx_torch)
y_file, backward = hand.resize_bilinear(x, size=(12, 20))
compare("file: y", y_file, y)
compare("file: dx", backward(dy), dx)
print(check.adjoint(lambda x: hand.resize_bilinear(x, size=(12, 20)), x))

# %% [markdown]
# The file does the same. It only leaves out most of the zeros, in bands of 32 rows: at 128 rows to 1024 a full $A$ would be 98 % zeros. Nearest is the same again with other matrices, one 1 in each row.
#
# There is another convention. TorchSeg, SeAFusion and face-parsing.PyTorch resize their logits with `align_corners=True`: the first and the last *centres* are laid upon each other,
#
# $$p_i = i\,\frac{H-1}{OH-1} \tag{8.6}$$
#
# **Predict.** Where do (8.3) and (8.6) differ most, in the middle or at the edges?
#
# <details><summary>Answer</summary>
#
# At the edges. There they are almost half a pixel of $x$ apart, in the middle not at all: the one lays edges upon each other, the other centres, and both treat left and right alike. Right at the border (8.3) is kept at the first centre, and so is (8.6), so the largest difference is a little inside.
#
# </details>

# %%
aligned, _ = hand.resize_bilinear(x, size=(96, 160), align_corners=True)
theirs = torch.nn.functional.interpolate(x_torch, (96, 160), mode="bilinear", align_corners=True)
compare("aligned", aligned, theirs)
off = hand.resize_bilinear(x, size=(96, 160))[0] - aligned
places = [(np.arange(160) + 0.5) * 8 / 160 - 0.5, np.arange(160) * 7 / 159]
places[0] = np.clip(places[0], 0, 7)
fig, axes = plt.subplots(1, 3, figsize=(10, 2.3), layout="constrained")
axes[0].plot(places[0] - places[1], color="black")
axes[0].axhline(0, color="0.7", linewidth=0.8)
axes[0].set(xlabel="column of y", title="(8.3) less (8.6), pixels of x")
feature_map(axes[1], aligned[0, 0], "corners aligned")
gradient_map(axes[2], off[0, 0], "centres less corners", limit=0.5)
plt.show()
apart = np.abs(places[0] - places[1])
assert 0.4 < apart.max() < 0.5
assert apart[79:81].max() < 0.01

# %% [markdown]
# Weights that were trained with one convention load with the other, no key tells, and the logits differ by a tenth or more of their size. So `weights.network("torchseg", state)` builds what they were trained as.
#
# ## 5 · Feature fusion
#
# The spatial path and the context path arrive with the same size, and say different things.

# %%
bisenet_map({"fusion"})

# %% [markdown]
# Stacked, $x = [\mathit{sp} ; \mathit{cp}]$, they are mixed by a 1×1 convolution; then the mixture gates itself:
#
# $$f = \mathrm{ReLU}(\mathrm{BN}(M\, [\mathit{sp} ; \mathit{cp}])) \tag{8.7}$$
# $$a = W_2\, \mathrm{ReLU}(W_1\, \mathrm{GAP}(f)) \tag{8.8}$$
# $$y = f + f\,\sigma(a) \tag{8.9}$$
#
# $M$, $W_1$ and $W_2$ are matrices over the channels, GAP is the mean over all positions. (8.8) is the gate of the SE module of [lesson 6a](06a_channel_attention.ipynb), without its biases. (8.9) has what the article's Attentionout lost: the **residual**, $f$ as it is.
#
# **Predict.** Between which two numbers lies the factor on $f$? Can an FFM shut a channel out?
#
# <details><summary>Answer</summary>
#
# Between 1 and 2, as $y = f\,(1 + \sigma(a))$. A gate that is shut leaves $f$ as it was. Where ARM suppresses, an FFM only adds weight.
#
# </details>
#
# The maps here come from photographs and a network of random weights, an eighth as wide as the paper's.

# %%
photos = photographs()  # (6, 3, 64, 96)
net = hand.ToyBiSeNet(rng=0, dtype="float64")
sp, _ = net.sp(photos - photos.mean())
(cp, _), _ = net.cp(photos - photos.mean())
ffm = hand.FeatureFusionModule(32, 32, reduction=4, rng=0, dtype="float64")
y_file, ffm_back = ffm(sp, cp)
M, w, b = ffm.convblk.conv.weight[:, :, 0, 0], ffm.convblk.bn.weight, ffm.convblk.bn.bias
W1, W2 = ffm.conv1.weight[:, :, 0, 0], ffm.conv2.weight[:, :, 0, 0]
w, b = (parameter.reshape(1, -1, 1, 1) for parameter in (w, b))

# %% [markdown]
# (8.7) to (8.9) read downwards, with a name for whatever stands between, $r$ and $\hat v$ being those of batch normalisation:
#
# $$v = M x, \;\; q = w \hat v + b, \;\; f = \mathrm{ReLU}(q), \;\; z = \mathrm{GAP}(f), \;\; u = W_1 z, \;\; h = \mathrm{ReLU}(u), \;\; a = W_2 h, \;\; s = \sigma(a) \tag{8.10}$$

# %%
x = np.concatenate([sp, cp], axis=1)
v = np.einsum("kc,ncij->nkij", M, x)
c = v - v.mean(axis=(0, 2, 3), keepdims=True)
r = 1 / np.sqrt((c**2).mean(axis=(0, 2, 3), keepdims=True) + ffm.convblk.bn.eps)
v_hat = c * r
q = w * v_hat + b
f = np.maximum(q, 0)  # (8.7)
z = f.mean(axis=(2, 3))
u = z @ W1.T
h = np.maximum(u, 0)
a = h @ W2.T  # (8.8)
s = hand.sigmoid(a)[0][:, :, np.newaxis, np.newaxis]
y = f + f * s  # (8.9)
compare("y", y, y_file)

wide = 1 + hand.sigmoid(40 * a)[0]  # the factors of a gate with far larger weights
assert 1 <= wide.min() < wide.max() <= 2
k = s[3, :, 0, 0].argmax()
fig, axes = plt.subplots(1, 5, figsize=(12, 2.2), layout="constrained")
picture(axes[0], photos[3], "an image")
feature_map(axes[1], sp[3, sp[3].std(axis=(1, 2)).argmax()], "sp, strongest channel")
feature_map(axes[2], cp[3, cp[3].std(axis=(1, 2)).argmax()], "cp, strongest channel")
feature_map(axes[3], y[3, k], f"y, channel {k + 1}: {1 + s[3, k, 0, 0]:.2f} f")
axes[4].hist(wide.ravel(), np.linspace(1, 2, 21), color="#CC79A7")
axes[4].set(yticks=[])
axes[4].set_title("factors for 40 a", fontsize=10)
plt.show()

# %% [markdown]
# ### Upwards
#
# **Predict.** On how many ways does $f$ reach $y$?
#
# <details><summary>Answer</summary>
#
# On three: as it is, as what the gate multiplies, and as what the gate is made of. The three gradients add up in (8.11).
#
# </details>
#
# **(8.9).** A sum gives its gradient to both terms. The second is a gate:
#
# $$df^{\text{direct}} = dy, \qquad df^{\text{gate}} = dy\, s, \qquad ds_{nk} = \sum_{ij} dy_{nkij}\, f_{nkij}, \qquad da = ds\, s(1 - s) \tag{d8.9}$$
#
# **(8.8).** Two matrices and a kink, then the mean:
#
# $$dW_2 = da^{\mathsf T} h, \quad dh = da\, W_2, \quad du = dh\,[u > 0], \quad dW_1 = du^{\mathsf T} z, \quad dz = du\, W_1, \quad df^{\text{pool}}_{nkij} = \frac{dz_{nk}}{HW} \tag{d8.8}$$
#
# **Three ways meet at $f$:**
#
# $$df = dy + dy\, s + df^{\text{pool}} \tag{8.11}$$
#
# **(8.7).** The kink, batch normalisation by [lesson 2b](02b_batch_norm_backward.ipynb), where $m$ counts the values of a channel in the batch, then the mixture, and the parting of what was stacked:
#
# $$dq = df\,[q > 0], \quad dv = w\,r\Big(dq - \frac{db}{m} - \hat v\,\frac{dw}{m}\Big), \quad dM_{kc} = \sum_{nij} dv_{nkij}\, x_{ncij}, \quad [\mathit{dsp} ; \mathit{dcp}] = M^{\mathsf T} dv \tag{d8.7}$$
#
# with $db = \sum_{nij} dq$ and $dw = \sum_{nij} dq\, \hat v$.

# %%
dy = rng.standard_normal(y.shape)
m = y[:, 0].size

ds = (dy * f).sum(axis=(2, 3), keepdims=True)  # (d8.9)
da = (ds * s * (1 - s))[:, :, 0, 0]
dW2 = da.T @ h  # (d8.8)
dh = da @ W2
du = dh * (u > 0)
dW1 = du.T @ z
dz = du @ W1
df_pool = np.broadcast_to(dz[:, :, np.newaxis, np.newaxis] / f[0, 0].size, f.shape)
df = dy + dy * s + df_pool  # (8.11)
dq = df * (q > 0)  # (d8.7)
db = dq.sum(axis=(0, 2, 3), keepdims=True)
dw = (dq * v_hat).sum(axis=(0, 2, 3), keepdims=True)
dv = w * r * (dq - db / m - v_hat * dw / m)
dM = np.einsum("nkij,ncij->kc", dv, x)
dx = np.einsum("kc,nkij->ncij", M, dv)
dsp, dcp = dx[:, : sp.shape[1]], dx[:, sp.shape[1] :]

# %%
given = {"sp": sp, "cp": cp, "M": M, "w": w, "b": b, "W1": W1, "W2": W2}
t = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
t["v"] = torch.einsum("kc,ncij->nkij", t["M"], torch.cat([t["sp"], t["cp"]], dim=1))
flat = (t["w"].flatten(), t["b"].flatten())
t["q"] = torch.nn.functional.batch_norm(t["v"], None, None, *flat, training=True)
t["f"] = torch.relu(t["q"])
t["z"] = t["f"].mean((2, 3))
t["u"] = t["z"] @ t["W1"].T
t["h"] = torch.relu(t["u"])
t["a"] = t["h"] @ t["W2"].T
t["s"] = torch.sigmoid(t["a"])[:, :, None, None]
y_torch = t["f"] + t["f"] * t["s"]

by_hand = {"s": ds, "a": da, "W2": dW2, "h": dh, "u": du, "W1": dW1, "z": dz, "f": df, "q": dq}
by_hand |= {"b": db, "w": dw, "v": dv, "M": dM, "sp": dsp, "cp": dcp}
grads = torch.autograd.grad(y_torch, [t[name] for name in by_hand], torch.tensor(dy))
for (name, mine), theirs in zip(by_hand.items(), grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# Fifteen gradients. Collapsed, the three ways are one line, $df = dy\,(1 + s) + dz / HW$, and the whole module is two backwards behind each other. This is the file; its (1) to (3) are (8.7) to (8.9), and `concat_channels` counts apart: (1) is the stacking, (2) and (3) the parting. `residual_self_gate` is (8.9) for every module that has one.

# %%
source(hand.FeatureFusionModule.forward, hand.FeatureFusionModule._mixed, hand.concat_channels)
dsp_file, dcp_file, grads_file = ffm_back(dy)
compare("dsp", dsp_file, dsp)
compare("dcp", dcp_file, dcp)
compare("dM", grads_file["convblk.conv.weight"][:, :, 0, 0], dM)
compare("dW1", grads_file["conv1.weight"][:, :, 0, 0], dW1)
compare("dW2", grads_file["conv2.weight"][:, :, 0, 0], dW2)

# %% [markdown]
# The FFM of a trained network has another gate, and its backward is an exercise: [lesson 8c](08c_bisenet_measured.ipynb).
#
# ## Four questions
#
# 1. An image has 100 rows. How many have $f_8$, $f_{16}$ and $f_{32}$, and at which step would a factor of 2 fail?
#
# <details><summary>Answer</summary>
#
# 13, 7 and 4. $2 \cdot 4 = 8$ is not 7: it fails at the first.
#
# </details>
#
# 2. Bilinear resizing from 8 to 64 rows and as many columns, and a gradient of 1 at every pixel of $y$. What is the sum of $dx$?
#
# <details><summary>Answer</summary>
#
# $64^2$, the number of pixels of $y$. The rows of $A$ and $B$ sum to 1, so every $dy$ is handed on in shares that sum to 1.
#
# </details>
#
# 3. What is left of $f$ behind an FFM whose gate is shut, and behind an ARM whose gate is shut?
#
# <details><summary>Answer</summary>
#
# All of it, and nothing: the factors are $1 + s$ and $s$.
#
# </details>
#
# 4. Someone forgets the residual in the backward of an FFM, and takes (8.11) without its first term. Which shape gives it away?
#
# <details><summary>Answer</summary>
#
# None: all shapes are right. A test with a random $dy$ sees it, such as (d8.7) against PyTorch above.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | trunk, backbone | 主干网络 | the network that makes features at several sizes, here ResNet-18 |
# | spatial path, context path | 空间路径, 上下文路径 | BiSeNet's two branches |
# | stride | 步幅 | of 2: every second pixel, (8.1) |
# | upsampling, nearest, bilinear | 上采样, 最近邻, 双线性 | (8.2), (8.3) to (8.5) |
# | feature fusion module (FFM) | 特征融合模块 | (8.7) to (8.9) |
# | residual | 残差 | what is added as it was |
# | backward | 反向传播 | the function $dy \mapsto dx$ |
#
# ## What comes next
#
# [Lesson 8b](08b_bisenet.ipynb) follows an image through the whole of the map, and its gradient back. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 11c · TF32, the order of sums, and DLPack
#
# **Goal.** Tell a rounding error from a bug, and let two libraries share one memory.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 0b](00b_the_check.ipynb): how a gradient is tested · [lesson 1a](01a_convolution.ipynb): the convolution · [lesson 11a](11a_gpu.ipynb): devices |
# | Afterwards you can | say what TF32 does to a number, and bound what it does to a convolution · choose a tolerance that tells it from float32 · say why two correct sums differ · exchange arrays with PyTorch without copying them · say what no CPU can prove |
# | Runs on | CPU; no GPU needed |
# | Explains | [check/bounds.md](../armlab/check/bounds.md) · [torch/bridge/by\_hand.py](../armlab/torch/bridge/by_hand.py) · [tests/check/test\_gpu.py](../tests/check/test_gpu.py) |
#
# The last of three lessons on the GPU. The others were about where arrays lie and what is launched ([11a](11a_gpu.ipynb), [11b](11b_kernels.ipynb)); this one is about the numbers that come back.

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, hand
from armlab.check.functions import ROUNDOFF
from armlab.exercises.cuda import card_answers, cuda_place
from armlab.exercises.tf32 import keep_bits
from tools import compare, gradient_map, photographs, source

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · Eleven bits where you asked for twenty-four
#
# A float32 is a sign, an exponent of 8 bits, and 23 bits behind a leading 1 that is not stored. On recent GPUs a matrix product may round its *inputs* to 10 of these 23 before it multiplies; sums stay in float32. The format is called **TF32**. It is there for speed, and it is switched on by a setting, not by a dtype: the array still says float32.

# %%
shown = np.float32([1, np.pi, -0.1, 1 + 2.0**-10, 1 + 2.0**-12])
bits = (shown.view(np.uint32)[:, np.newaxis] >> np.arange(31, -1, -1, dtype=np.uint32)) & 1
fig, ax = plt.subplots(figsize=(9.6, 2.3), layout="constrained")
ax.imshow(bits, cmap="Greys", vmax=1.6, aspect="auto")
for row, column in np.ndindex(bits.shape):
    ax.text(column, row, bits[row, column], ha="center", va="center", fontsize=9)
for edge, colour in ((0.5, "#0072B2"), (8.5, "#0072B2"), (18.5, "#D55E00")):
    ax.axvline(edge, color=colour, linewidth=3)
ax.set(xticks=[0, 4.5, 13.5, 25], yticks=range(5))
ax.set_xticklabels(["sign", "exponent", "10 bits that stay", "13 bits that TF32 drops"])
ax.set_yticklabels(["1", "π", "−0.1", "1 + 1/1024", "1 + 1/4096"])
plt.show()

# %% [markdown]
# To **round to the nearest** is to take the nearer one of the two neighbours that have 10 bits. Where both are as near, it is the one whose last bit is 0. This is a **tie to even**, and it is the rule because it goes up as often as down.
#
# **Predict.** What becomes of $1 + 2^{-10}$, of $1 + 2^{-12}$, and of $1 + 2^{-11}$?
#
# <details><summary>Answer</summary>
#
# The first has only the tenth bit and stays. The second is a quarter of the way from 1 to the first, and becomes 1. The third lies in the middle: a tie, and it becomes 1, whose last bit is 0.
#
# </details>
#
# ### Exercise 1 · `round_to_tf32`
#
# ★★☆ · 15 minutes
#
# `x` is an array of float32, $(n,)$, none of them 0. Return float32 with 10 bits behind the leading one. There are two ways. `x.view(np.int32)` gives the bits as whole numbers, and `.view(np.float32)` takes them back; to add to such a number rounds, and a mask, or `>>` and `<<`, cuts off. Or `np.frexp(x)` gives $m$ and $e$ with $x = m\, 2^e$ and $\tfrac12 \le |m| < 1$; `np.rint` rounds to whole numbers, ties to even, and `np.ldexp(m, e)` puts them together.


# %% tags=["exercise"]
def round_to_tf32(x):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def round_to_tf32(x):
#     whole = x.view(np.int32)
#     half = (1 << 12) - 1 + ((whole >> 13) & 1)
#     return ((whole + half) & ~np.int32((1 << 13) - 1)).view(np.float32)
# ```
#
# The last bit that stays is worth $2^{13}$ here, and half of it $2^{12}$. One less is added where that bit is 0, so that a tie does not reach it, and all of the half where it is 1. A carry may run into the exponent: the mantissa has become 2, and that is what it should do.
#
# </details>

# %% tags=["check"]
check.exercise("round_to_tf32", round_to_tf32)

# %% [markdown]
# The lesson goes on with the other way, for any number of bits.
#
# **Predict.** By what factor does the largest error of rounding grow from 23 bits to 10?
#
# <details><summary>Answer</summary>
#
# By $2^{13} = 8192$: each bit less doubles the distance of two neighbours, and 13 are dropped.
#
# </details>


# %%
source(keep_bits)  # it counts bits + 1, as the leading one is kept too

for value in (1 + 2.0**-10, 1 + 2.0**-12, 1 + 2.0**-11, np.pi):
    print(f"{value:.8f} becomes {keep_bits(np.float32([value]), 10)[0]:.8f}")
between = rng.uniform(1, 2, 100_000)  # in float64, as what is exact
fine, coarse = (np.abs(keep_bits(np.float32(between), bits) - between).max() for bits in (23, 10))
print(f"largest error: {fine:.3e} with 23 bits, {coarse:.3e} with 10, {coarse / fine:,.0f} times")
assert round(coarse / fine / 2**13, 2) == 1

# %% [markdown]
# ## 2 · A bound that tells them apart
#
# The project knows beforehand how far off a float32 convolution may be. With unit roundoff $u = 2^{-24}$, a sum of $n$ products errs by at most
#
# $$|y - \hat y| \le n\, u \sum |w|\,|x| \tag{11.5}$$
#
# since each product rounds once, and goes through fewer than $n$ additions, which round once each. (Terms of $u^2$ are left out.) What TF32 may do follows in three steps. A factor that is rounded to 10 bits is off by at most half of the last one:
#
# $$\tilde w = w\,(1 + \delta_w), \qquad |\delta_w| \le 2^{-11} \tag{11.6}$$
#
# A product has two such factors, and $(1 + \delta_w)(1 + \delta_x) = 1 + \delta_w + \delta_x + \delta_w \delta_x$:
#
# $$|\tilde w \tilde x - w x| \le \big(2^{-10} + 2^{-22}\big)\, |w|\,|x| \tag{11.7}$$
#
# The sum of $n$ of them is in float32 again, so (11.5) is added:
#
# $$|\tilde y - y| \le \big(2^{-10} + 2^{-22} + n\,u\big) \sum |w|\,|x| \tag{11.8}$$
#
# Here $n = 9 \cdot 16 = 144$, for a 3×3 over 16 channels of real photographs. In (11.8) the first term is 114 times the last. (Strictly, the last term belongs to $|\tilde w|\,|\tilde x|$, which is larger by a thousandth at most.)
#
# **Predict.** Will (11.5) notice that TF32 is on, though nearly all roundings are far smaller than the largest possible one, and of either sign?
#
# <details><summary>Answer</summary>
#
# Yes: it is broken at more than four of five places, at the worst by a factor above 20. TF32's errors stay well below what (11.8) allows them, but (11.5) is 115 times tighter. And float32's own errors are 40 times below it, so it is not too tight for them.
#
# </details>

# %%
images32 = photographs().astype("float32")  # (6, 3, 64, 96)
lift = rng.standard_normal((16, 3, 1, 1)).astype("float32")
features, _ = hand.leaky_relu(hand.conv2d(images32, lift)[0])  # 16 channels of real photographs
features -= features.mean(axis=(2, 3), keepdims=True)
weight = rng.standard_normal((6, 16, 3, 3)).astype("float32") / 12
wide = [t.astype("float64") for t in (features, weight)]
exact, _ = hand.conv2d(*wide, padding=1)
absolute, _ = hand.conv2d(*(np.abs(t) for t in wide), padding=1)
bound = 144 * ROUNDOFF["float32"] * absolute  # (11.5)


def errors(bits):
    y, _ = hand.conv2d(keep_bits(features, bits), keep_bits(weight, bits), padding=1)
    return np.abs(y - exact)


w10, x10 = (keep_bits(t, 10).astype("float64") for t in (weight, features))
factor = np.abs(w10 - wide[1]) / (2.0**-11 * np.abs(wide[1]))
product = np.abs(w10[0, 0, 1, 1] * x10[:, 0] - wide[1][0, 0, 1, 1] * wide[0][:, 0])
allowed = (2.0**-10 + 2.0**-22) * np.abs(wide[1][0, 0, 1, 1] * wide[0][:, 0])
total = errors(10) / ((2.0**-10 + 2.0**-22) * absolute + bound)
print(f"(11.6) largest error over what is allowed {factor.max():.3f}")
print(f"(11.7) largest error over what is allowed {(product / allowed).max():.3f}")
print(f"(11.8) largest error over what is allowed {total.max():.3f}")
broken, most = {}, {}
for name, bits in (("float32", 23), ("TF32", 10)):
    ratio = errors(bits) / bound
    broken[name], most[name] = round(100 * (ratio > 1).mean()), ratio.max()
    print(
        f"{name:8} largest error over its bound {ratio.max():8.3f}, broken at {(ratio > 1).mean():.1%}"
    )
assert max(factor.max(), (product / allowed).max(), total.max()) < 1
assert broken["float32"] == 0
assert broken["TF32"] > 80  # %
assert most["TF32"] > 20
assert most["float32"] < 1 / 40

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 2.9), layout="constrained", width_ratios=[1, 1, 1.5])
for ax, (name, bits) in zip(axes[:2], (("float32", 23), ("TF32", 10)), strict=True):
    drawn = ax.imshow(
        np.log10(errors(bits)[3, 0] / bound[3, 0] + 1e-9), cmap="RdBu_r", vmin=-4, vmax=4
    )
    ax.set(xticks=[], yticks=[], title=f"{name}: error / bound")
fig.colorbar(drawn, ax=axes[:2], ticks=[-4, 0, 4], format=lambda v, _: f"$10^{{{v:.0f}}}$")
bins = np.logspace(-5, 3, 80)
for name, bits, colour in (("float32", 23, "#0072B2"), ("TF32", 10, "#D55E00")):
    axes[2].hist((errors(bits) / bound).ravel(), bins, color=colour, alpha=0.7, label=name)
axes[2].axvline(1, color="black", linewidth=1)
axes[2].set(xscale="log", yticks=[], xlabel="error / bound")
axes[2].legend(fontsize=8)
plt.show()

# %% [markdown]
# Blue is below the bound, red above it, on a logarithmic scale. The bound stands between the two formats, which a tolerance that was chosen by eye would not: a hundredth of the largest value lets both pass.
#
# Training rarely minds TF32. A *test* does: with it on, every correct gradient looks wrong, or every tolerance has to be so wide that wrong ones pass. So [tests/check/test_gpu.py](../tests/check/test_gpu.py) asserts that it is off, and adds up 64 products of $1 + 2^{-12}$ with itself.

# %%
assert errors(10).max() < 0.01 * np.abs(exact).max()
near_one = np.full(64, 1 + 2.0**-12, "float32")
for name, bits in (("float32", 23), ("TF32", 10)):
    print(f"{name:8} {np.dot(keep_bits(near_one, bits), keep_bits(near_one, bits)):.8f}")
assert np.dot(keep_bits(near_one, 10), keep_bits(near_one, 10)) == 64

# %% [markdown]
# ### Bits under your hand
#
# The largest error over its bound for any number of bits, and what the convolution makes of a flower with 4 bits and with 10.
#
# **Predict.** From how many bits on does the bound hold? And from how many on will your eye see no difference?
#
# <details><summary>Answer</summary>
#
# From 15 on it holds everywhere; with 14 it is broken at the worst place. The eye is content with far less. With 4 bits an error of a few per cent lies over the picture, and you have to know where to look.
#
# </details>

# %%
bit_counts = list(range(4, 24))
worst = [(errors(bits) / bound).max() for bits in bit_counts]


def show_bits(bits):
    _, axes = plt.subplots(1, 3, figsize=(11, 2.7), layout="constrained", width_ratios=[1.3, 1, 1])
    axes[0].semilogy(bit_counts, worst, color="0.5")
    axes[0].semilogy(bits, worst[bit_counts.index(bits)], "o", color="#D55E00")
    axes[0].axhline(1, color="black", linewidth=1)
    axes[0].set(xticks=[4, 7, 10, 16, 23], xlabel="bits kept", title="worst error / bound")
    y, _ = hand.conv2d(keep_bits(features, bits), keep_bits(weight, bits), padding=1)
    axes[1].imshow(y[3, 0], cmap="gray")
    axes[1].set(xticks=[], yticks=[], title=f"y from {bits} bits")
    limit = 2.0**-bits * np.abs(exact[3, 0]).max()
    gradient_map(axes[2], (y - exact)[3, 0], f"y − exact, ± {limit:.0e}", limit=limit)
    plt.show()


for bits in (4, 10):
    show_bits(bits)
assert min(bits for bits, most in zip(bit_counts, worst, strict=True) if most <= 1) == 15
assert 0.01 < errors(4)[3, 0].max() / np.abs(exact[3, 0]).max() < 0.1

# %% [markdown]
# In a running notebook, move the slider. At 7 bits you have bfloat16's.

# %%
slider = ipywidgets.IntSlider(value=7, min=4, max=23, description="bits", continuous_update=False)
_ = ipywidgets.interact(show_bits, bits=slider)

# %% [markdown]
# ## 3 · Sums, and the order they are added in
#
# NumPy adds up in a tree, called *pairwise*, if the numbers to be added lie side by side. Over the first axis of a table they do not, and NumPy adds row after row.
#
# **Predict.** The same 100,000 numbers between 0 and 1 in float32, added in a tree and one after the other. Which sum is nearer to the truth, and does it matter?
#
# <details><summary>Answer</summary>
#
# The tree's, here by a factor of more than ten. In a tree a number passes some $\log_2 n$ roundings on its way, one after the other up to $n$, and each of them is as large as the sum has become. Both are correct: both lie below the bound.
#
# </details>

# %%
counts = [100, 1_000, 10_000, 100_000]
table = rng.random((100_000, 4)).astype("float32")
by_axis_0, side_by_side = [], []
for count in counts:
    part = table[:count]
    truth = part.sum(axis=0, dtype="float64")
    by_axis_0.append(np.abs(part.sum(axis=0) - truth).max())
    side_by_side.append(np.abs(np.ascontiguousarray(part.T).sum(axis=1) - truth).max())

fig, ax = plt.subplots(figsize=(6, 2.9), layout="constrained")
ax.loglog(counts, by_axis_0, "o-", color="#D55E00", label="table.sum(axis=0)")
ax.loglog(counts, side_by_side, "o-", color="#0072B2", label="the same numbers, side by side")
ax.loglog(
    counts, [2.0**-24 * n * n / 2 for n in counts], ":", color="0.5", label="n u Σ|x|, the bound"
)
ax.set(xlabel="rows", ylabel="largest error", title="the same sum, in float32")
ax.legend(fontsize=8)
plt.show()
assert all(np.array(by_axis_0) > side_by_side)
assert all(np.array(by_axis_0) < [2.0**-24 * n * n / 2 for n in counts])
assert by_axis_0[-1] > 10 * side_by_side[-1]

# %% [markdown]
# This is why the bounds of this project count with $n$, as (11.5) does, where they cannot know the order. Another library, or another version of the same, may choose another.

# %% [markdown]
# ## 4 · Together with PyTorch: DLPack
#
# Two libraries on one device can use the *same memory*. **DLPack** is the agreement: one hands over a pointer, a shape and a dtype, and nothing is copied.
#
# **Predict.** A torch tensor is made from a NumPy array by `torch.from_dlpack`, and written to. What does the array hold then?
#
# <details><summary>Answer</summary>
#
# What was written. Array and tensor are two names for one memory.
#
# </details>

# %%
shared = np.zeros((2, 3), "float32")
tensor = torch.from_dlpack(shared)
tensor[0, 1] = 7
print("the array:", shared.tolist())
print("one memory:", tensor.data_ptr() == shared.ctypes.data)
assert shared[0, 1] == 7
if torch.cuda.is_available() and card_answers():
    on_gpu = cuda_place().asarray(shared)
    print("one memory on the GPU:", torch.from_dlpack(on_gpu).data_ptr() == on_gpu.data.ptr)

# %% [markdown]
# So a module by hand can stand between two layers of PyTorch. Here it does on tensors of the CPU, where the hand code runs on the tensors themselves, and `torch.autograd` is told the backward. The package does this for any module: `armlab.torch.by_hand(module)`.


# %%
class HandGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a):
        y, ctx.back = hand.sigmoid_gate(x, a)
        return y

    @staticmethod
    def backward(ctx, dy):
        return ctx.back(dy)


x, a = (
    torch.tensor(rng.standard_normal(s), requires_grad=True) for s in ((2, 3, 4, 5), (2, 3, 1, 1))
)
dy = torch.tensor(rng.standard_normal((2, 3, 4, 5)))
y = HandGate.apply(x, a)
dx, da = torch.autograd.grad(y, (x, a), dy)
y_torch = x * torch.sigmoid(a)
dx_torch, da_torch = torch.autograd.grad(y_torch, (x, a), dy)
for name, mine, theirs in [("y", y, y_torch), ("dx", dx, dx_torch), ("da", da, da_torch)]:
    compare(name, mine, theirs)

# %% [markdown]
# On a GPU there is one thing more. Each library has its own **stream**, a queue of work. Work within one stream is done in order; two streams know nothing of each other. If torch has launched something into its queue and CuPy reads the memory from another, it may read too early. So around each exchange one waits: `torch.cuda.synchronize()`, or the streams are made one. Three rules cover most programs:
#
# - *Within* one library and one stream: never synchronise. The order is kept by itself.
# - *Between* two libraries or streams: synchronise at the exchange.
# - To *time* anything: synchronise before the clock starts and before it stops. Otherwise one times the launching.
#
# [tests/check/test_gpu.py](../tests/check/test_gpu.py) has both exchanges, from CuPy to torch and back, with a `synchronize` between them.

# %% [markdown]
# ## 5 · What no CPU can prove
#
# The machines on which this project is tested have no GPU. So it is fair to ask what is known, and what is not.
#
# | shown without a GPU | by |
# |---|---|
# | CuPy's own operations keep the bounds: its promotion, its indexing, its kernels | the real CuPy on the emulated device |
# | how many kernels, products, copies and waits | counting, lessons 11a and 11b |
# | a kernel stays within its arrays, and its result does not depend on the order of threads | strict mode, lesson 11b |
# | no module asks for a copy, waits, or leaves the standard | the stand-in: every module, and the whole training step |
# | results do not depend on the library | NumPy, CuPy, the stand-in and torch tensors, under the same bounds |
#
# | **not** shown without a GPU | why |
# |---|---|
# | how fast anything is | a launch is a loop on this CPU |
# | what threads do to each other at the same moment | on the emulated device they run one after the other, and so do blocks |
# | the last bits of a card's own `exp`, and TF32 | they are those of g++ and of this CPU |
# | streams, and DLPack between CuPy and torch | the emulated device has finished when a call returns, and torch does not know it |
#
# On a machine with a GPU, `make gpu` runs the tests and the toy training on it and writes `gpu-report.md`.
#
# ## Four questions
#
# 1. A test with `rtol=1e-2` passes on the GPU with TF32 on. What does it prove?
#
# <details><summary>Answer</summary>
#
# Little: an error of 1 % in a factor, or one wrong term of a hundred, passes too.
#
# </details>
#
# 2. Why does (11.7) have $2^{-10}$, where (11.6) has $2^{-11}$?
#
# <details><summary>Answer</summary>
#
# A product has two rounded factors, and their relative errors add up: $2 \cdot 2^{-11}$.
#
# </details>
#
# 3. Two libraries give sums that differ in the last bits. How do you find out whether one of them is wrong?
#
# <details><summary>Answer</summary>
#
# Not by comparing the two. Compute it in float64, and hold each to the bound $n\,u \sum |x|$.
#
# </details>
#
# 4. torch launches a kernel that writes a tensor, and CuPy reads the same memory at once. What may go wrong, and what helps?
#
# <details><summary>Answer</summary>
#
# The two queues know nothing of each other, so CuPy may read before torch has written. Wait at the exchange: `torch.cuda.synchronize()`.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | TF32 | TF32 张量浮点格式 | float32 whose factors are rounded to 10 bits |
# | mantissa, exponent | 尾数, 指数 | $m$ and $e$ of $x = m\,2^e$ |
# | tie to even | 四舍六入五成双 | of two neighbours as near, the one whose last bit is 0 |
# | unit roundoff | 单位舍入误差 | $u = 2^{-24}$ in float32 |
# | pairwise summation | 成对求和 | adding up in a tree |
# | zero copy | 零拷贝 | two libraries, one memory |
# | stream | 流 | a queue whose work is done in order |
#
# ## What comes next
#
# [Lesson 12a](12a_synchronised_batch_norm.ipynb) gives a batch to several cards, and asks what becomes of ARM. The [contents](index.ipynb) show the path. If you have a GPU, run `make gpu`: what its report says about time is what these lessons could not have.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0.

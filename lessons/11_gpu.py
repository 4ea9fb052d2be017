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
# # 11 · The GPU: the same source on CuPy
#
# **Goal.** Write array code that runs unchanged on a GPU, write a first kernel for one, and know what a device forbids, what it makes slow, and what it computes differently.
#
# | | |
# |---|---|
# | Time | 90 minutes |
# | You need first | [Lesson 0](00_arrays_shapes_and_the_check.ipynb) and [lesson 4](04_sigmoid_gate.ipynb): backwards, and the gate |
# | Afterwards you can | write a function once for NumPy, CuPy and torch · find a hidden synchronisation, a copy and a promotion before a GPU does · say how fast a convolution can be at best, without a stopwatch, and count what it launches · write a kernel in CUDA C++ with a guard and a barrier, and say what each is for · tell a rounding error from a bug · exchange arrays with PyTorch without copying them |
# | Runs on | CPU: the real CuPy on an emulated device (Linux on x86-64 with g++; the first run compiles for half a minute). With an NVIDIA GPU the same cells run there |
# | Explains | [arrays.py](../armlab/arrays.py) · [places.py](../armlab/places.py) · [check/devices.py](../armlab/check/devices.py) · [emulator](../armlab/emulator/README.md) · [training/hand\_learner.py](../armlab/training/hand_learner.py) · [hand/kernels/\_\_init\_\_.py](../armlab/hand/kernels/__init__.py) |

# %%
from collections import Counter
from contextlib import contextmanager, nullcontext

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, cost, emulator, hand
from armlab.arrays import array_namespace, dtype_name, to_host
from armlab.places import HOST, place_of
from armlab.check.devices import strict_device
from armlab.check.example import Example
from armlab.check.functions import ROUNDOFF, judge_function
from armlab.data import Scenes, to_rgb
from armlab.exercises.cuda import cuda_place
from armlab.hand import kernels
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import Adam
import threads as draw
from tools import compare, gate_map, gradient_map, picture, photographs, source, trained

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1 · One line at the top
#
# A GPU has a memory of its own. An array that lies there belongs to another library: CuPy instead of NumPy. The names are nearly the same, `cupy.exp` for `numpy.exp`. So a function need not know which it is, as long as it *asks*:
#
# ```python
# xp = array_namespace(x, w)
# ```
#
# is the first line of every function by hand. `xp` is the library that `x` and `w` belong to; behind it stand only names of the **array API standard**, on which NumPy, CuPy, PyTorch and others have agreed.
#
# **Predict.** What should `array_namespace` do with one array of NumPy and one of PyTorch? With a float32 and a float64?

# %%
source(array_namespace)

# %%
x = rng.standard_normal((2, 3, 4, 5)).astype("float32")
for others in [(torch.tensor(x),), (x.astype("float64"),), ([1.0, 2.0],)]:
    try:
        array_namespace(x, *others)
    except TypeError as error:
        print("TypeError:", error)

# %% [markdown]
# It refuses all three, and each sentence says what to do. To convert without a word would be kinder only at first. Later it is a copy between two memories at every step, or a network that has become float64 and nobody knows where.
#
# Where an array lives is a **place**: a library and one of its devices. `place("cpu")` is NumPy, `place("cuda")` is CuPy on the first GPU. The next cell asks for a GPU.
#
# Where none answers, it takes `place("emulated")`, a CUDA device in software. The real CuPy runs on it: its kernels are compiled by g++ and run on this CPU. **So the values below are CuPy's, and times would mean nothing.** [Its page](../armlab/emulator/README.md) says what else it cannot show. Where that device cannot be had either, a sentence says why, and the stand-in of section 2 takes its place.

# %%
try:
    gpu, why_none = cuda_place(), ""
except RuntimeError as reason:
    gpu, why_none = None, str(reason)
    print(why_none)
emulated = emulator.installed()
if gpu:
    import cupy


@contextmanager
def a_device():
    """The GPU, a real or the emulated one, if there is one; else the stand-in."""
    if gpu:
        with gpu.device:
            yield gpu
    else:
        with strict_device() as stand_in:
            yield stand_in


with a_device() as there:
    library = there.xp.__name__.split(".")[-1]
    print(f"this lesson runs on {library}, {there.device}{', emulated' * emulated}")

# %% [markdown]
# The network of `armlab train`, with ARM, trained beforehand. One move, and it runs there. No line of it is different.
#
# **Predict.** Are the logits the same to the last bit?

# %%
net = trained("arm")
images, labels = Scenes("test").batch(range(3))
on_host, _ = net(images)
host_gate = net.gate(images)
with a_device() as there:
    moved = net.copy().to(there)
    y, _ = moved(there.asarray(images))
    print("y lies on", place_of(y).device, "as", dtype_name(y))
    on_device, device_gate = to_host(y), to_host(moved.gate(there.asarray(images)))
off = on_device - on_host
print(f"largest logit {np.abs(on_host).max():.1f}, largest difference {np.abs(off).max():.1e}")
print("same classes:", np.array_equal(on_device.argmax(axis=1), on_host.argmax(axis=1)))

# %%
fig, axes = plt.subplots(2, 4, figsize=(11, 4.8), layout="constrained", width_ratios=[1, 1, 1, 1.3])
tint = np.asarray([[0.15, 0.15, 0.15], [0.90, 0.62, 0.00], [0.34, 0.71, 0.91]])
for row, n in enumerate((0, 2)):
    picture(axes[row, 0], to_rgb(images[n]).transpose(2, 0, 1), "scene")
    picture(
        axes[row, 1], tint[on_device[n].argmax(axis=0)].transpose(2, 0, 1), "classes, on the device"
    )
    limit = np.abs(off).max()
    gradient_map(axes[row, 2], off[n, 0], f"logit, device − host\n± {limit:.0e}", limit=limit)
    axes[row, 3].plot(host_gate[n, :, 0, 0], "o", color="0.6", label="host")
    axes[row, 3].plot(device_gate[n, :, 0, 0], ".", color="#CC79A7", label="device")
    axes[row, 3].set(ylim=(0, 1), yticks=[0, 0.5, 1], title="the 32 gates")
    axes[row, 3].title.set_fontsize(10)
axes[0, 3].legend(fontsize=8)
plt.show()

# %% [markdown]
# Not to the last bit. Sums are added up in another order, and each order rounds differently. How much is allowed is known beforehand: that is section 7. What comes out of an `argmax`, here, is the same.
#
# One reason for another order stands in a table. The rows below run in place of the lines of the file, some on NumPy and some on CuPy; on any other library the specification runs: for a convolution, one matrix product for each of the nine taps. The rows of CuPy are CUDA kernels. What they are for, section 5 counts, and section 6 writes a first one.

# %%
source(kernels.choose)
with a_device() as there:
    libraries = HOST.xp, there.xp
for row in kernels.TABLE:
    fits = [row.library(xp) for xp in libraries]
    name = row.run.__module__.rpartition(".")[2]
    print(f"{row.function:16} {name:24} on NumPy: {fits[0]!s:6} on the device: {fits[1]}")

# %% [markdown]
# ## 2 · What a device forbids
#
# **Predict.** `a` lies on the device. Which of these lines fail, which are slow, which are fine? `np.asarray(a)` · `a + host` · `np.exp(a)` · `float(xp.sum(a))` · `if xp.any(a > 0):` · `a[a > 0]` · `a.sum()` · `xp.pad(a, 1)`
#
# They are tried twice: on CuPy, where the emulated device counts how often the program waits, and on the **stand-in**. That is `array_api_strict`, a library that knows nothing but the standard, on a pretended second device. It computes with NumPy inside.


# %%
def attempts(a, host, xp):
    return {
        "np.asarray(a)": lambda: np.asarray(a),
        "a + host": lambda: a + host,
        "np.exp(a)": lambda: np.exp(a),
        "float(xp.sum(a))": lambda: float(xp.sum(a)),
        "if xp.any(a > 0):": lambda: bool(xp.any(a > 0)),
        "a[a > 0]": lambda: a[a > 0],
        "a.sum()": lambda: a.sum(),
        "xp.pad(a, 1)": lambda: xp.pad(a, 1),
        "xp.exp(a)": lambda: xp.exp(a),
    }


def by_kind(counts):
    """How many kernels, products, copies, fills and waits were counted."""
    kinds = Counter()
    for count in counts.values():
        kinds[count.kind] += count.calls
    return kinds


def outcome(attempt):
    try:
        with emulator.counting() if emulated else nullcontext({}) as counts:
            attempt()
    except Exception as error:
        return type(error).__name__
    waits = by_kind(counts)["wait"]
    return "runs, and waits" if waits else "runs"


def outcomes(there):
    tried = attempts(there.asarray(host), host, there.xp)
    return {line: outcome(attempt) for line, attempt in tried.items()}


host = rng.standard_normal((2, 3)).astype("float32")
on_cupy = outcomes(gpu) if gpu else {}
with strict_device() as stand_in:
    on_stand_in = outcomes(stand_in)
print(f"{'':20} {'CuPy':17} the stand-in")
for line, says in on_stand_in.items():
    print(f"{line:20} {on_cupy.get(line, 'not here'):17} {says}")

# %% [markdown]
# CuPy refuses two of them, and in three the program waits for the device. The stand-in refuses all but the last:
#
# | line | on CuPy | why the stand-in refuses it |
# |---|---|---|
# | `np.asarray(a)`, `a + host` | fails | host and device do not mix; a copy must be asked for |
# | `float(…)`, `if …`, `a[a > 0]` | runs, **and waits** | the worst kind: right, silent and slow |
# | `np.exp(a)`, `a.sum()`, `xp.pad` | runs | not in the standard: the next library may lack it |
#
# So the stand-in is stricter than CuPy on any device, and that is what it is kept for. What passes here asks for no copy, never waits, and uses nothing but the standard. How it does this is short: the library has switches for some of it, and the conversions to Python numbers are replaced.

# %%
source(strict_device)

# %% [markdown]
# ## 3 · The line that waits
#
# A program does not compute on a GPU. It **launches**: it puts work into a queue and goes on at once, long before the work is done. As long as the queue is not empty, the device is busy. A line that needs a *value* has to wait until the queue is empty, and while the program waits it launches nothing. Then the device runs dry.
#
# The picture is a calculation, not a measurement: six pieces of work, each launched in 5 µs and done in 8 µs, and a value that is read behind none, one or all of them. Reading takes 10 µs.

# %%
LAUNCH, WORK, READ = 5, 8, 10  # µs, assumed


def timeline(waits):
    """When the host launches and reads, and when the device works: three lists of (start, length)."""
    now, free, launches, works, reads = 0, 0, [], [], []
    for wait in waits:
        launches.append((now, LAUNCH))
        now += LAUNCH
        start = max(now, free)
        free = start + WORK
        works.append((start, WORK))
        if wait:
            end = free + READ
            reads.append((now, end - now))
            now = end
    return launches, works, reads, max(now, free)


fig, axes = plt.subplots(3, 1, figsize=(10, 4), layout="constrained", sharex=True)
cases = {"no value read": [0] * 6, "one, at the end": [0] * 5 + [1], "one behind each": [1] * 6}
for ax, (name, waits) in zip(axes, cases.items(), strict=True):
    launches, works, reads, end = timeline(waits)
    ax.broken_barh(launches, (1.1, 0.8), color="#0072B2", edgecolor="white")
    ax.broken_barh(reads, (1.1, 0.8), color="#E69F00", edgecolor="white")
    ax.broken_barh(works, (0.1, 0.8), color="#009E73", edgecolor="white")
    ax.set(yticks=[0.5, 1.5], yticklabels=["device", "host"], title=f"{name}: {end} µs")
    ax.title.set_fontsize(10)
axes[2].set_xlabel("µs    blue: launching · orange: waiting and reading · green: working")
plt.show()

# %% [markdown]
# Therefore a training step by hand reads one value, the loss, in one line, and says so. `update` leaves the loss where it is; `step` fetches it.
#
# **Predict.** Which of the two runs on the stand-in, where every conversion to a number raises?

# %%
source(HandLearner.step, HandLearner.update)

# %%
with strict_device() as there:
    learner = HandLearner(hand.ToyNet(3, "arm", 8, rng=0, device=there), Adam())
    loss = learner.update(images, labels, 1e-3)
    print("update: a loss of shape", loss.shape, "on", place_of(loss).device)
    print("step:  ", type(learner.step(images, labels, 1e-3)).__name__)

# %% [markdown]
# Both. `to_host(loss)` is an explicit copy, which is allowed, and the `float` is taken of a host array. A whole step, with forward, loss, backward and Adam, asks for nothing else. On CuPy it can be counted, here with all rows of the table switched off.

# %%
if emulated:
    learner = HandLearner(hand.ToyNet(3, "arm", 8, rng=0, device=gpu), Adam())
    with kernels.specification():  # so that what runs is what you read
        learner.update(images, labels, 1e-3)  # the first time compiles, and makes Adam's state
    for name, run in (("update", learner.update), ("step", learner.step)):
        with kernels.specification(), emulator.counting() as step_counts:
            run(images, labels, 1e-3)
        kinds = by_kind(step_counts)
        print(f"{name:8} {kinds['kernel']:,} kernels, {kinds['product']} products,", end=" ")
        print(f"{kinds['copy']} copies, {kinds['wait']} waits")
else:
    print("waits and launches are counted on the emulated device alone")

# %% [markdown]
# `update` never waits, `step` waits once, for the loss. But look at the kernels: section 5 asks where they come from.
#
# ### Exercise 1 · Find the bug
#
# ★★☆ · 15 minutes
#
# A gradient that is too long is often shortened: if its norm is above a limit, it is scaled down to that limit. This is how it is usually typed:
#
# ```python
# def clip_gradient(g, limit):
#     xp = array_namespace(g)
#     norm = float(xp.sum(g * g)) ** 0.5
#     if norm > limit:
#         g = g * (limit / norm)
#     return g
# ```
#
# On a GPU the result is right. There are two places that could wait; find them, and write it without. The check runs your function on the host and on the stand-in.


# %% tags=["exercise"]
def clip_gradient(g, limit):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def clip_gradient(g, limit):
#     xp = array_namespace(g)
#     norm = xp.sqrt(xp.sum(g * g))
#     return g * (limit / xp.maximum(norm, limit))
# ```
#
# Below the limit the factor is 1. Without `float` the `if` would still wait: a truth value is a value. And as the maximum is at least the limit, a gradient of 0 divides by nothing.
#
# </details>

# %% tags=["check"]
check.exercise("clip_gradient", clip_gradient)

# %% [markdown]
# ## 4 · Two things that go wrong in silence
#
# ### Exercise 2 · Find the bug: an array from nowhere
#
# ★★☆ · 10 minutes
#
# Where does a spatial gate look? One answer is its mean row: the rows, weighted by the gate. For $s$ of shape $(N, 1, H, W)$,
#
# $$\bar\imath_n = \frac{\sum_{ij} i\, s_{nij}}{\sum_{ij} s_{nij}}$$
#
# ```python
# def attended_row(s):
#     xp = array_namespace(s)
#     rows = xp.arange(s.shape[2])
#     weight = xp.sum(s, axis=(1, 3))
#     return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)
# ```
#
# `arange` is given no array, so it cannot know where one lies.
#
# **Predict.** On which device does `rows` lie? And which dtype does it have? The picture shows what the function is to compute: two gates, and their mean row.

# %%
photos = photographs()
grey = photos.mean(axis=1, keepdims=True)
a = 6 * (grey - grey.mean(axis=(2, 3), keepdims=True)) / grey.std(axis=(2, 3), keepdims=True)
gates, _ = hand.sigmoid(a)
fig, axes = plt.subplots(1, 4, figsize=(11, 1.9), layout="constrained")
for column, n in enumerate((0, 3)):
    picture(axes[2 * column], photos[n], f"x[{n}]")
    gate_map(axes[2 * column + 1], gates[n, 0], "a gate that looks at bright places")
    weight = gates[n, 0].sum(axis=1)
    row = (weight * np.arange(64)).sum() / weight.sum()
    axes[2 * column + 1].axhline(row, color="#56B4E9", linewidth=2)
plt.show()


# %% tags=["exercise"]
def attended_row(s):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def attended_row(s):
#     xp = array_namespace(s)
#     rows = xp.arange(s.shape[2], dtype=s.dtype, device=s.device)
#     weight = xp.sum(s, axis=(1, 3))
#     return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)
# ```
#
# On the default device, as integers. With one GPU the first mistake never shows; with two it can, on `"cuda:1"`. The second is a promotion, which comes next. In this project the device is written `device_of(x)`, which also knows torch and old libraries.
#
# </details>

# %% tags=["check"]
check.exercise("attended_row", attended_row)

# %% [markdown]
# ### float32 stays float32, until a NumPy number comes
#
# A Python number has no dtype of its own: `x * 0.5` has that of `x`. A NumPy number has one. `np.float64(0.5)` looks the same when printed, and makes float64 of everything it meets.
#
# **Predict.** Which of these products are float64?

# %%
x32 = np.ones(3, "float32")
numbers = {"0.5": 0.5, "np.float32(0.5)": np.float32(0.5), "np.float64(0.5)": np.float64(0.5)}
numbers |= {"np.sqrt(4)": np.sqrt(4), "4 ** 0.5": 4**0.5, "np.mean([0, 1])": np.mean([0, 1])}
numbers |= {"float(np.mean([0, 1]))": float(np.mean([0, 1]))}
for text, number in numbers.items():
    print(f"float32 · {text:22} is {(x32 * number).dtype}")

# %% [markdown]
# Nothing warns. A weight that was updated once with such a learning rate is float64, and so is everything behind it: twice the memory, twice the bytes to move.
#
# ### Exercise 3 · Find the bug: the learning rate
#
# ★☆☆ · 5 minutes
#
# A step of gradient descent, with a rate that falls along a cosine from `base` to 0. Why does this network become float64? Return the new weights.
#
# ```python
# def sgd_step(w, g, step, steps, base):
#     rate = base * (1 + np.cos(np.pi * step / steps)) / 2
#     return w - rate * g
# ```


# %% tags=["exercise"]
def sgd_step(w, g, step, steps, base):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def sgd_step(w, g, step, steps, base):
#     rate = float(base * (1 + np.cos(np.pi * step / steps)) / 2)
#     return w - rate * g
# ```
#
# `np.cos` returns a `np.float64`. `math.cos` would return a Python number. This `float(…)` waits for nobody: its argument is on the host. `armlab/training/schedules.py` ends each schedule with one.
#
# </details>

# %% tags=["check"]
check.exercise("sgd_step", sgd_step)

# %% [markdown]
# ## 5 · Counted rather than timed
#
# **Nothing in this section was timed on a GPU.** What can be had without one is a floor: how fast can an operation be at best? A device has two limits. For an H100 the project calculates with 50 TFLOP/s in float32 (TF32 off, section 7) and 3.0 TB/s between its memory and its arithmetic. $F$ operations on $B$ bytes take at least
#
# $$t = \max\Big(\frac{F}{50 \cdot 10^{12}},\; \frac{B}{3.0 \cdot 10^{12}}\Big) \text{ seconds.}$$
#
# For a 3×3 convolution, $F = 2 \cdot 9\, N C K H W$, since a multiply-add is two operations, and $B = 4\,(N C H W + 9\, C K + N K H W)$: $x$ and $w$ are read, $y$ is written, 4 bytes each.
#
# Take the 3×3 convolution of ARM32 on an image of 1024 × 2048: from 512 to 128 channels, on a map of 32 × 64.
#
# **Predict.** Which of the two limits counts here? And for the gate behind it, $y = f s$?

# %%
n, c, k, h, w = 1, 512, 128, 32, 64
flops = 2 * 9 * n * c * k * h * w  # a multiply-add is two operations
traffic = 4 * (n * c * h * w + 9 * c * k + n * k * h * w)  # x and w read, y written, 4 bytes each
print(f"compute {flops / 50e12 * 1e6:.1f} µs   memory {traffic / 3.0e12 * 1e6:.1f} µs")
columns = 4 * 2 * 9 * n * c * h * w  # im2col: nine copies of x, written and read again
print(f"im2col moves {columns / 3.0e12 * 1e6:.1f} µs more")
gate = 4 * 2 * n * k * h * w
print(f"gate: compute {n * k * h * w / 50e12 * 1e6:.3f} µs   memory {gate / 3.0e12 * 1e6:.2f} µs")

# %% [markdown]
# The convolution is bound by arithmetic, about 48 µs against 2.5. The textbook way of doing it, a matrix of all windows, adds half as much again in traffic. The gate is bound by memory: its arithmetic hardly shows.
#
# ### Exercise 4 · `conv_floor`
#
# ★★☆ · 10 minutes
#
# For any 3×3 convolution with padding 1: the least time in microseconds by arithmetic, and by memory. Each input is read once, each output written once.


# %% tags=["exercise"]
def conv_floor(n, c, k, h, w):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def conv_floor(n, c, k, h, w):
#     compute = 2 * 9 * n * c * k * h * w / 50e12
#     memory = 4 * (n * c * h * w + 9 * c * k + n * k * h * w) / 3.0e12
#     return 1e6 * compute, 1e6 * memory
# ```
#
# </details>

# %% tags=["check"]
check.exercise("conv_floor", conv_floor)

# %% [markdown]
# The same for every part of ARM32, from `armlab.cost`, which counts on shapes alone. The line is the **roofline**. Its knee lies where both limits are equal, at $F/B = 50/3 \approx 17$ operations per byte. Left of it memory is the limit, right of it arithmetic. A point on the line is as fast as the device allows.

# %%
report = cost.ModuleCost(hand.AttentionRefinementModule(512, 128).eval(), (1, 512, 32, 64))
points = {}
for entry in report.entries:
    operations = 2 * entry.cost.multiply_adds + entry.cost.elementwise
    points[f"{entry.path.rpartition('.')[2] or 'ARM'}: {entry.kind}"] = (
        operations,
        entry.cost.bytes,
    )

intensity = np.logspace(-1.6, 3.2, 100)
fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
ax.loglog(intensity, np.minimum(50e12, 3.0e12 * intensity) / 1e12, color="black")
ax.axvline(50 / 3, color="0.85", zorder=0)
for name, (operations, size) in points.items():
    at = operations / size
    colour = "#D55E00" if at > 50 / 3 else "#0072B2"
    floor = max(operations / 50e12, size / 3.0e12) * 1e6
    ax.plot(at, min(50, 3.0 * at), "o", color=colour)
    print(f"{name:32} {operations:13,} operations {size:11,} bytes, at least {floor:7.3f} µs")
ax.annotate("3×3 convolution", (flops / traffic, 50), (60, 12), arrowprops={"arrowstyle": "-"})
ax.annotate("everything else", (0.3, 0.9), (0.9, 0.35), arrowprops={"arrowstyle": "-"})
ax.set(
    xlabel="operations per byte", ylabel="TFLOP/s at best", title="bound by memory | by arithmetic"
)
plt.show()

# %% [markdown]
# ### Launches
#
# The floors of the small parts are fractions of a microsecond. But each operation is at least one **kernel**, and to launch one costs several microseconds, however small it is. So at batch size 1 their *number* is the cost. It is counted here as CuPy launches them, on maps of 128 × 32 × 64.
#
# **Predict.** A 3×3 convolution is one matrix product for each of its nine taps. How many kernels does CuPy launch beside the products? And does the number depend on the batch size?


# %%
def launched(call):
    """What a call launches, by name, and what it returns; the first time compiles.

    The rows of the table are switched off, so that what runs is what you read.
    """
    with kernels.specification():
        call()
        with emulator.counting() as counts:
            result = call()
    return counts, result


def operations(batch):
    """Calls of functions by hand, each with a gradient for its backward."""
    draws = np.random.default_rng(batch)
    x, dy = (gpu.asarray(draws.standard_normal((batch, 128, 32, 64)), "float32") for _ in range(2))
    a = gpu.asarray(draws.standard_normal((batch, 128, 1, 1)), "float32")
    w = gpu.asarray(draws.standard_normal((128, 128, 3, 3)), "float32")
    ones = gpu.asarray(np.ones(128), "float32")
    yield "gate", lambda: hand.sigmoid_gate(x, a), dy
    yield "LeakyReLU", lambda: hand.leaky_relu(x), dy
    yield "batch norm", lambda: hand.batch_norm(x, ones, ones), dy
    yield "3×3 from 128", lambda: hand.conv2d(x, w, padding=1), dy


TABLES = "cupy_mat_ptrs"  # CuPy's kernel that writes a table of pointers


def parts(counts):
    """Pointer tables, other kernels, products and fills."""
    kinds, tables = by_kind(counts), counts[TABLES].calls if TABLES in counts else 0
    return tables, kinds["kernel"] - tables, kinds["product"], kinds["fill"]


def per_element(counts, y):
    """How many threads ran for each element."""
    return sum(c.size for c in counts.values() if c.kind == "kernel") / y.size


rows = {}
if emulated:
    for batch in (1, 2):
        for name, call, dy in operations(batch):
            forward, (_, back) = launched(call)
            backward, _ = launched(lambda back=back, dy=dy: back(dy))
            for which, counts in (("forward", forward), ("backward", backward)):
                rows[batch, f"{name}, {which}"] = parts(counts)
                print(f"batch {batch}  {name + ', ' + which:24}", end=" ")
                print(
                    f"{sum(parts(counts)):4} launches, {per_element(counts, dy):4.1f} per element"
                )
    alone, floor = sum(rows[1, "3×3 from 128, forward"]), 2 * 9 * 128**2 * 32 * 64 / 50e12
    print(f"3×3: {alone} launches of {LAUNCH} µs, {alone * LAUNCH} µs; floor {1e6 * floor:.0f} µs")
    tables, others, *_ = parts(step_counts)
    print(f"training step: {tables} of {tables + others:,} kernels", end=" ")
    print(f"write pointer tables, {tables / (tables + others):.0%}")
    for _ in range(2):  # and with the rows of the table
        with emulator.counting() as step_counts:
            learner.update(images, labels, 1e-3)
    print(f"with the kernels of the table: {sum(parts(step_counts))} launches in all")
else:
    print("launches are counted on the emulated device alone")

# %%
if rows:
    fig, ax = plt.subplots(figsize=(9, 3), layout="constrained")
    names = [name for batch, name in rows if batch == 2]
    left = np.zeros(len(names), int)
    colours = {"pointer tables": "#E69F00", "other kernels": "#0072B2"}
    colours |= {"products": "#009E73", "fills": "0.7"}
    for at, (kind, colour) in enumerate(colours.items()):
        width = [rows[2, name][at] for name in names]
        ax.barh(names, width, left=left, color=colour, label=kind)
        left += width
    for at, total in enumerate(left):
        ax.text(total + 1, at, str(total), va="center", fontsize=8)
    ax.set(title="launches, batch 2", xlim=(0, 140))
    ax.spines[["top", "right"]].set_visible(False)
    ax.invert_yaxis()
    ax.legend(fontsize=8, loc="upper right")
    plt.show()

# %% [markdown]
# The convolution copies, multiplies and adds once for each tap: some twenty threads have run for each element of its result. Forward, a second image brings 54 more launches, six for each product. They compute nothing: the weights of a tap meet every image of the batch, and CuPy writes down for the product where each matrix begins, in a **pointer table**. In a training step they are a third of all kernels. `armlab launches ToyNet` prints the same for any module, next to the operators of its PyTorch twin.
#
# This is where kernels of one's own pay: one in place of many. [armlab/hand/kernels/cuda](../armlab/hand/kernels/cuda/README.md) has them, and the last line above is what they leave.
#
# ## 6 · A first kernel
#
# A kernel is a function in CUDA C++. It is written for *one* **thread** and launched for many. Threads come in **blocks** of one size, at most 1,024. All blocks of a launch are its **grid**. Every thread runs the same lines. What it knows of itself are two numbers, its place in its block and the place of its block. From these it finds the element that is its own:
#
# ```
# i = blockIdx.x * blockDim.x + threadIdx.x
# ```
#
# **Predict.** A map has 3 channels of 7 pixels, and a block has 8 threads. How many blocks must be launched? What is left for the last threads?

# %%
fig, ax = plt.subplots(figsize=(11, 2.9), layout="constrained")
draw.grid(ax, channels=3, pixels=7, threads=8)
plt.show()

# %% [markdown]
# Three blocks, and three threads without an element. A launch always has whole blocks, so nearly every kernel has a line for this **tail**: `if (i < n)`. And a block knows nothing of channels: the gate of an element is found by a division, and it is the same for a whole channel.
#
# So this is the gate of lesson 4, $y = x\,\sigma(a)$ for $x$ of shape $(N, C, H, W)$ and $a$ of shape $(N, C, 1, 1)$:

# %%
GATE = r"""
extern "C" __global__
void gate(const float* x, const float* a, float* y, int pixels, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;  // the element of this thread
    if (i < n) {                                    // the last block has threads to spare
        float s = 1 / (1 + expf(-a[i / pixels]));   // one logit for all pixels of a channel
        y[i] = x[i] * s;
    }
}
"""


def launch_gate(text, x, a, threads=64):
    """Compile the kernel and launch it.  x (N, C, H, W), a (N, C, 1, 1) of CuPy, float32"""
    y = cupy.empty_like(x)
    blocks = -(-x.size // threads)
    pixels, n = np.int32(x.shape[2] * x.shape[3]), np.int32(x.size)
    cupy.RawKernel(text, "gate")((blocks,), (threads,), (x, a, y, pixels, n))
    return y


def held_to_its_bound(name, y, **inputs):
    """The value of a function against float64, under the bound that the tests have for it."""
    e = Example({k: v.get().astype("float64") for k, v in inputs.items()}, {}, y.get())
    for verdict in judge_function(name, e, "float32", {"y": y.get()}, forward_alone=True):
        if verdict.side == "hand":
            print(verdict)


def some_features():
    """(2, 3, 5, 7) and logits from −30 to 30: 210 elements, in blocks of 64 threads."""
    draws = np.random.default_rng(1)
    x = cupy.asarray(draws.standard_normal((2, 3, 5, 7)), "float32")
    return x, cupy.asarray(draws.uniform(-30, 30, (2, 3, 1, 1)), "float32")


if gpu:
    x, a = some_features()
    y = launch_gate(GATE, x, a)
    held_to_its_bound("sigmoid_gate", y, x=x, a=a)
    if emulated:
        print("launches by CuPy:", by_kind(launched(lambda: hand.sigmoid_gate(x, a))[0])["kernel"])
        print("launches by us:  ", by_kind(launched(lambda: launch_gate(GATE, x, a))[0])["kernel"])
else:
    print(why_none)

# %% [markdown]
# It is right, within the bound that the tests have for `hand.sigmoid_gate`, and one launch does what took five.
#
# **Predict.** Leave out `if (i < n)`: 256 threads now compute 210 elements. Is $y$ wrong?

# %%
unguarded = GATE.replace("if (i < n) ", "")
if gpu:
    y = launch_gate(unguarded, x, a)
    held_to_its_bound("sigmoid_gate", y, x=x, a=a)
if emulated:
    try:
        with emulator.strict():
            launch_gate(unguarded, *some_features())
    except Exception as error:
        print(type(error).__name__, error)
if not gpu:
    print(why_none)

# %% [markdown]
# $y$ is right. But 46 threads have read and written behind the arrays, and what lies there may be wrong later. A test of $y$ does not find this. The emulated device does in its **strict** mode: behind an array lies a page without access, and the sentence names kernel, argument, thread and block. On a card, NVIDIA's compute-sanitizer does the same.
#
# ### Threads that wait for each other
#
# The pool adds up all pixels of a channel. One thread alone would be slow, so a block shares the work: each of its threads adds up some of the pixels and puts its part into a table in **shared memory**, which belongs to the block. One thread then adds up the table.
#
# It must not begin before all have written. `__syncthreads()` is a **barrier**: no thread of the block goes on before all have come to it.

# %%
MEAN = r"""
extern "C" __global__
void channel_mean(const float* x, float* means, int pixels) {
    __shared__ float part[64];                    // one table for the threads of a block
    int t = threadIdx.x, first = blockIdx.x * pixels;
    float mine = 0;
    for (int i = t; i < pixels; i += blockDim.x)  // every 64th pixel of this block's channel
        mine += x[first + i];
    part[t] = mine;
    __syncthreads();                              // now every part is in the table
    if (t == blockDim.x - 1) {                    // the last thread adds them up
        float sum = 0;
        for (int k = 0; k < blockDim.x; k++) sum += part[k];
        means[blockIdx.x] = sum / pixels;
    }
}
"""


def launch_mean(text, x):
    """A block for each channel of each image, 64 threads in each.  (N, C, H, W) -> (N, C, 1, 1)"""
    means = cupy.empty((*x.shape[:2], 1, 1), "float32")
    pixels = np.int32(x.shape[2] * x.shape[3])
    cupy.RawKernel(text, "channel_mean")((means.size,), (64,), (x, means, pixels))
    return means


if gpu:
    x = cupy.asarray(photos, "float32")
    held_to_its_bound("global_avg_pool", launch_mean(MEAN, x), x=x)
else:
    print(why_none)

# %% [markdown]
# A barrier is easily forgotten. What happens then depends on who comes first. A small model shows it: each thread is a Python generator that runs until it yields, and a `yield` is the barrier. One after the other gets its turn, in an order of our choice. The emulated device does just this with the threads of a block.
#
# **Predict.** Eight threads bring the numbers 1 to 8, and nobody waits. The last thread adds up. What is the mean when the threads run forward, from 0 to 7? When they run backward?


# %%
def mean_by_threads(values, order, barrier):
    """The kernel above, a thread for each value: the mean, and who did what, turn by turn."""
    part, turns, result = [np.nan] * len(values), [], []

    def run(t):
        part[t] = values[t]
        turns.append((t, None))
        if barrier:
            yield
        if t == len(values) - 1:
            turns.append((t, list(part)))
            result.append(np.mean(part))

    running = [run(t) for t in order]
    while running:
        running = [thread for thread in running if next(thread, "ended") != "ended"]
    return result[0], turns


orders = {"forward": range(8), "backward": range(7, -1, -1)}
orders["random"] = [int(t) for t in np.random.default_rng(3).permutation(8)]
fig, axes = plt.subplots(1, 4, figsize=(11, 2.6), layout="constrained", sharey=True)
for ax, (name, order) in zip(axes, orders.items(), strict=False):
    mean, turns = mean_by_threads(range(1, 9), order, barrier=False)
    draw.turns(ax, turns, f"{name}: {mean}")
mean, turns = mean_by_threads(range(1, 9), orders["backward"], barrier=True)
draw.turns(axes[3], turns, f"backward, with barrier: {mean}")
axes[3].axvline(7.5, color="black", linestyle=":")
axes[0].set_ylabel("thread")
plt.show()

# %% [markdown]
# Blue: a thread writes its part. Orange: the last thread reads the table; red: nothing has been written there yet. Forward, the kernel without its barrier is right: the last thread comes last. Backward it comes first, and finds an empty table. An array that nobody wrote holds anything, on the emulated device NaN. With the barrier every order gives the same.
#
# Now the CUDA kernel, with the barrier taken out. Outside of strict mode the emulated device runs threads forward. In strict mode every launch runs three times, forward, backward and at random, and has to leave the same bits.

# %%
unsynchronised = MEAN.replace("__syncthreads();", "")
if gpu:
    held_to_its_bound("global_avg_pool", launch_mean(unsynchronised, x), x=x)
if emulated:
    for name, text in (("without", unsynchronised), ("with", MEAN)):
        try:
            with emulator.strict():
                launch_mean(text, cupy.asarray(x.get()))
            print(f"{name} the barrier: the same bits in three orders")
        except Exception as error:
            print(f"{name} the barrier:", type(error).__name__, error)
if not gpu:
    print(why_none)

# %% [markdown]
# The value alone has passed the test. A card promises no order either: threads come in **warps** of 32, and which warp comes first is decided anew each time. There such a kernel may be right a thousand times and then wrong. So do not ask whether the result is right, but whether it *can* depend on the order.
#
# ### Exercise 5 · A kernel of your own
#
# ★★☆ · 15 minutes
#
# Backward, the gate collects from all pixels that it has scaled, equation (4) of `hand.sigmoid_gate`: for each channel
#
# $$ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij}$$
#
# Write it as a kernel `channel_dot(const float* dy, const float* x, float* ds, int pixels)`. It is launched like `channel_mean`: $N \cdot C$ blocks of 64 threads. Return its text. The check compiles and launches it, on the emulated device in strict mode.


# %% tags=["exercise"]
def channel_dot():
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def channel_dot():
#     return r"""
#     extern "C" __global__
#     void channel_dot(const float* dy, const float* x, float* ds, int pixels) {
#         __shared__ float part[64];
#         int t = threadIdx.x, first = blockIdx.x * pixels;
#         float mine = 0;
#         for (int i = t; i < pixels; i += blockDim.x)
#             mine += dy[first + i] * x[first + i];
#         part[t] = mine;
#         __syncthreads();
#         if (t == 0) {
#             float sum = 0;
#             for (int k = 0; k < blockDim.x; k++) sum += part[k];
#             ds[blockIdx.x] = sum;
#         }
#     }
#     """
# ```
#
# Any thread may add up, as the barrier makes them equal. Two changes against the mean: the product, and no division, for one gate feeds all pixels and their gradients add up.
#
# </details>

# %% tags=["check"]
check.exercise("channel_dot", channel_dot)

# %% [markdown]
# ## 7 · TF32: eleven bits where you asked for twenty-four
#
# A float32 has 23 bits behind its leading 1. On recent GPUs a matrix product may round its *inputs* to 10 of them before it multiplies; sums stay in float32. The format is called **TF32**. It is there for speed, and it is switched on by a setting, not by a dtype: the array still says float32.
#
# **Predict.** By what factor does an error of rounding grow from 23 bits to 10?
#
# NumPy can imitate it: add half of the last bit that stays, then cut off what is behind it (to the nearest, with ties to even).


# %%
def keep_bits(x, bits):
    """float32 values rounded to so many bits behind the leading one."""
    drop = 23 - bits
    if drop == 0:
        return x
    as_integer = x.view(np.int32)
    half = (1 << (drop - 1)) - 1 + ((as_integer >> drop) & 1)
    return ((as_integer + half) & ~np.int32((1 << drop) - 1)).view(np.float32)


for value in (1 + 2.0**-10, 1 + 2.0**-12, np.pi):
    print(f"{value:.8f} becomes {keep_bits(np.float32([value]), 10)[0]:.8f}")

# %% [markdown]
# The project knows beforehand how far off a float32 convolution may be. With unit roundoff $u = 2^{-24}$, a sum of $n$ products errs by at most
#
# $$|y - \hat y| \le n\, u \sum |w|\,|x| \tag{1}$$
#
# since each of its products and additions rounds once. What TF32 may do follows in three steps. A factor that is rounded to 10 bits is off by at most half of the last one:
#
# $$\tilde w = w\,(1 + \delta_w), \qquad |\delta_w| \le 2^{-11} \tag{2}$$
#
# A product has two such factors, and $(1 + \delta_w)(1 + \delta_x) = 1 + \delta_w + \delta_x + \delta_w \delta_x$:
#
# $$|\tilde w \tilde x - w x| \le \big(2^{-10} + 2^{-22}\big)\, |w|\,|x| \tag{3}$$
#
# The sum of $n$ of them is in float32 again, so (1) is added:
#
# $$|\tilde y - y| \le \big(2^{-10} + 2^{-22} + n\,u\big) \sum |w|\,|x| \tag{4}$$
#
# Here $n = 9 \cdot 16 = 144$, for a 3×3 over 16 channels of real photographs. In (4) the first term is 113 times the last. (Strictly, the last term belongs to $|\tilde w|\,|\tilde x|$, which is larger by a thousandth at most.)
#
# **Predict.** Will (1) notice that TF32 is on, though nearly all roundings are far smaller than the largest possible one?

# %%
images32 = photos.astype("float32")
lift = rng.standard_normal((16, 3, 1, 1)).astype("float32")
features, _ = hand.leaky_relu(hand.conv2d(images32, lift)[0])  # 16 channels of real photographs
features -= features.mean(axis=(2, 3), keepdims=True)
weight = rng.standard_normal((6, 16, 3, 3)).astype("float32") / 12
wide = [t.astype("float64") for t in (features, weight)]
exact, _ = hand.conv2d(*wide, padding=1)
absolute, _ = hand.conv2d(*(np.abs(t) for t in wide), padding=1)
bound = 144 * ROUNDOFF["float32"] * absolute  # (1)


def errors(bits):
    y, _ = hand.conv2d(keep_bits(features, bits), keep_bits(weight, bits), padding=1)
    return np.abs(y - exact)


w10, x10 = (keep_bits(t, 10).astype("float64") for t in (weight, features))
factor = np.abs(w10 - wide[1]) / (2.0**-11 * np.abs(wide[1]))
product = np.abs(w10[0, 0, 1, 1] * x10[:, 0] - wide[1][0, 0, 1, 1] * wide[0][:, 0])
allowed = (2.0**-10 + 2.0**-22) * np.abs(wide[1][0, 0, 1, 1] * wide[0][:, 0])
total = errors(10) / ((2.0**-10 + 2.0**-22) * absolute + bound)
print(f"(2) largest error over what is allowed {factor.max():.3f}")
print(f"(3) largest error over what is allowed {(product / allowed).max():.3f}")
print(f"(4) largest error over what is allowed {total.max():.3f}")
for name, bits in (("float32", 23), ("TF32", 10)):
    ratio = errors(bits) / bound
    print(
        f"{name:8} largest error over its bound {ratio.max():8.3f}, broken at {(ratio > 1).mean():.1%}"
    )

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
# The bound tells the two apart, which a tolerance of the kind `rtol=1e-2` would not. Training rarely minds TF32. A *test* does: with it, every correct gradient looks wrong, or every tolerance has to be so wide that wrong ones pass. So tests/check/test_gpu.py asserts that it is off, and multiplies $1 + 2^{-12}$ by itself, 64 times: in TF32 the sum would be exactly 64.
#
# ### Bits under your hand
#
# The largest error over its bound for any number of bits, drawn first:

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
    limit = 2.0**-10 * np.abs(exact[3, 0]).max()
    gradient_map(axes[2], (y - exact)[3, 0], f"y − exact, ± {limit:.0e}", limit=limit)
    plt.show()


show_bits(10)

# %% [markdown]
# In a running notebook, move the slider. At 7 bits you have bfloat16's; by eye, when does the picture change?

# %%
slider = ipywidgets.IntSlider(value=7, min=4, max=23, description="bits", continuous_update=False)
_ = ipywidgets.interact(show_bits, bits=slider)

# %% [markdown]
# ## 8 · Sums, and the order they are added in
#
# **Axis 0.** NumPy adds up in a tree, called *pairwise*, if the numbers to be added lie side by side. Over the first axis of a table they do not, and NumPy adds row after row. A sum of $n$ numbers in a tree passes $\log_2 n$ roundings on its way, one after the other $n$. So errors grow faster with the number of rows.

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

# %% [markdown]
# Both are correct: both lie below the bound. It is one reason why the bounds of this project count with $n$ where they cannot know the order. Another library, or another version of the same, may choose another.

# %% [markdown]
# ## 9 · Together with PyTorch: DLPack
#
# Two libraries on one device can use the *same memory*. **DLPack** is the agreement: one hands over a pointer, a shape and a dtype, and nothing is copied.
#
# **Predict.** A torch tensor is made from a NumPy array by `torch.from_dlpack`, and written to. What does the array hold then?

# %%
shared = np.zeros((2, 3), "float32")
tensor = torch.from_dlpack(shared)
tensor[0, 1] = 7
print("the array:", shared.tolist())
print("one memory:", tensor.data_ptr() == shared.ctypes.data)
if gpu and not emulated and torch.cuda.is_available():
    on_gpu = gpu.asarray(shared)
    print("one memory on the GPU:", torch.from_dlpack(on_gpu).data_ptr() == on_gpu.data.ptr)

# %% [markdown]
# So a module by hand can stand between two layers of PyTorch. Here on tensors of the CPU, where the hand code runs on the tensors themselves; `torch.autograd` is told the backward.


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
# ## 10 · What no CPU can prove
#
# The machines on which this project is tested have no GPU. So it is fair to ask what is known, and what is not.
#
# | shown without a GPU | by |
# |---|---|
# | CuPy's own operations keep the bounds: its promotion, its indexing, its kernels | the real CuPy on the emulated device |
# | how many kernels, products, copies and waits | counting, sections 3 and 5 |
# | a kernel stays within its arrays, and its result does not depend on the order of threads | strict mode, section 6 |
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
# ## Five questions
#
# 1. Why does `array_namespace` refuse a NumPy array beside a CuPy array, where it could copy one of them?
#
# <details><summary>Answer</summary>
#
# The copy would cross between host and device each time the line runs, which is slow and not to be seen. It has to be asked for, with `move` or `Place.asarray`.
#
# </details>
#
# 2. `print(loss)` in a training loop on a GPU: what does it cost?
#
# <details><summary>Answer</summary>
#
# To print a value it must be known: the program waits until all work before it is done, and the device runs dry. Print every hundredth.
#
# </details>
#
# 3. An operation moves 12 bytes for each operation it computes. Bound by what, on the device of section 5?
#
# <details><summary>Answer</summary>
#
# By memory. Its intensity is 1/12 operations per byte, and the knee lies at 50/3, about 17.
#
# </details>
#
# 4. A test with `rtol=1e-2` passes on the GPU with TF32 on. What does it prove?
#
# <details><summary>Answer</summary>
#
# Little: an error of 1 % in a factor, or one wrong term of a hundred, passes too.
#
# </details>
#
# 5. A kernel passes on the emulated device in strict mode. Name one bug that may still be in it on a real GPU.
#
# <details><summary>Answer</summary>
#
# A race between two blocks, which never run at once there; a race between two streams; an error that none of the three orders brings out. It may also be far too slow.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | host, device | 主机, 设备 | the CPU with its memory, and the GPU with its own |
# | array namespace | 数组命名空间 | the library that an array belongs to, `xp` |
# | kernel, launch | 核函数, 启动 | a program on the device, and putting it into the queue |
# | thread, block, grid | 线程, 线程块, 网格 | one run of a kernel, up to 1,024 of them together, and all blocks of a launch |
# | shared memory, barrier | 共享内存, 屏障 | a table of one block, and where its threads wait for each other |
# | race | 竞争 | a result that depends on the order of threads |
# | synchronisation | 同步 | waiting until the queue is empty |
# | stream | 流 | a queue whose work is done in order |
# | roofline | 屋顶线模型 | the limits of memory and arithmetic in one picture |
# | TF32 | TF32 张量浮点格式 | float32 whose factors are rounded to 10 bits |
# | unit roundoff | 单位舍入误差 | $u = 2^{-24}$ in float32 |
# | promotion | 类型提升 | float32 times float64 is float64 |
# | zero copy | 零拷贝 | two libraries, one memory |
# | backward | 反向传播 | the function $dy \mapsto dx$ |
#
# ## What comes next
#
# This is the end of the path. The [contents](index.ipynb) show what stands on it. If you have a GPU, run `make gpu`: what its report says about time is what this lesson could not have.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

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
# # 11a · The GPU: the same source on CuPy
#
# **Goal.** Write array code that runs unchanged on a GPU, and know what a device forbids and what it makes slow.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 0a](00a_arrays_and_backwards.ipynb): backwards · [lesson 4a](04a_sigmoid_gate.ipynb) and [4b](04b_arm.ipynb): the gate, and ARM |
# | Afterwards you can | write a function once for NumPy, CuPy and torch · find a hidden synchronisation, a copy and a promotion before a GPU does |
# | Runs on | CPU: the real CuPy on an emulated device (Linux on x86-64 with g++; the first run compiles for half a minute). With an NVIDIA GPU the same cells run there |
# | Explains | [arrays.py](../armlab/arrays.py) · [places.py](../armlab/places.py) · [check/devices.py](../armlab/check/devices.py) · [emulator](../armlab/emulator/README.md) · [training/hand\_learner.py](../armlab/training/hand_learner.py) |
#
# This is the first of three lessons on the GPU. [Lesson 11b](11b_kernels.ipynb) counts what a device has to do and writes a first kernel, [lesson 11c](11c_rounding_and_dlpack.ipynb) is about what it computes differently.

# %%
from contextlib import contextmanager, nullcontext
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import torch

from armlab import check, emulator, hand
from armlab.arrays import array_namespace, dtype_name, to_host
from armlab.places import HOST, place_of
from armlab.check.devices import strict_device
from armlab.data import Scenes, to_rgb
from armlab.exercises.cuda import cuda_place
from armlab.hand import kernels
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import Adam
from tools import by_kind, gate_map, gradient_map, photographs, picture, source, trained

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
# **Predict.** What should `array_namespace` do with one array of NumPy and one of PyTorch? With a float32 and a float64? With a list?
#
# <details><summary>Answer</summary>
#
# It refuses all three, and each sentence says what to do. To convert without a word would be kinder only at first. Later it is a copy between two memories at every step, or a network that has become float64 and nobody knows where.
#
# </details>

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
# **Predict.** Are the logits the same to the last bit? And the classes, which are the largest logit of each pixel?
#
# <details><summary>Answer</summary>
#
# The logits are not. Sums are added up in another order, and each order rounds differently; how much that may be is known beforehand, and lesson 11c derives it. The classes are the same here, as hardly two logits of a pixel are so near to each other.
#
# </details>

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
same = np.array_equal(on_device.argmax(axis=1), on_host.argmax(axis=1))
print("same to the last bit:", np.array_equal(on_device, on_host), "  same classes:", same)
assert same
assert max(np.abs(off).max(), np.abs(device_gate - host_gate).max()) < 1e-5

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
    channels = np.arange(1, 33)
    axes[row, 3].plot(channels, host_gate[n, :, 0, 0], "o", color="0.6", label="host")
    axes[row, 3].plot(channels, device_gate[n, :, 0, 0], ".", color="#CC79A7", label="device")
    axes[row, 3].set(ylim=(0, 1), yticks=[0, 0.5, 1], title="the 32 gates")
    axes[row, 3].title.set_fontsize(10)
axes[0, 3].legend(fontsize=8)
plt.show()

# %% [markdown]
# The differences are of a few millionths, and each dot of the device lies in that of the host.
#
# One reason for another order stands in a table. Its rows run in place of the lines of the file, some on NumPy and some on CuPy. On any other library the lines that you read run, the **specification**: for a convolution, one matrix product for each of the nine taps. The rows of CuPy are **kernels**, programs of their own for the device. Lesson 11b counts what they are for, and writes a first one.

# %%
source(kernels.choose)
with a_device() as there:
    libraries = {"NumPy": HOST.xp, library: there.xp}
for name, xp in libraries.items():
    functions = dict.fromkeys(row.function for row in kernels.TABLE if row.library(xp))
    print(fill(f"on {name}: {', '.join(functions) or 'none'}", 90, subsequent_indent="    "))

# %% [markdown]
# ## 2 · What a device forbids
#
# **Predict.** `a` lies on the device. Which of these lines fail, which are slow, which are fine? `np.asarray(a)` · `a + host` · `np.exp(a)` · `float(xp.sum(a))` · `if xp.any(a > 0):` · `a[a > 0]` · `a.sum()` · `xp.pad(a, 1)`
#
# <details><summary>Answer</summary>
#
# CuPy refuses the first two, as host and device do not mix. `float(…)`, `if …` and `a[a > 0]` are slow: Python wants a number, a truth value or a size, so the program waits until the device has computed it. The others are fine on CuPy, `np.exp` too, as NumPy asks CuPy to do it. Not all are in the standard, and another library may lack them.
#
# </details>
#
# They are tried twice: on CuPy, where the emulated device counts how often the program waits, and on the **stand-in**. That is `array_api_strict`, a library that knows nothing but the standard, on a pretended second device. It computes with NumPy inside.


# %%
def attempts(a, host, xp):
    """Each line by its text, as a function that runs it."""
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
assert [line for line, says in on_stand_in.items() if says == "runs"] == ["xp.exp(a)"]
assert not emulated or [*on_cupy.values()].count("runs, and waits") == 3

# %% [markdown]
# The stand-in refuses all but the last, which is in the standard:
#
# | line | on CuPy | why the stand-in refuses it |
# |---|---|---|
# | `np.asarray(a)`, `a + host` | fails | host and device do not mix; a copy must be asked for |
# | `float(…)`, `if …`, `a[a > 0]` | runs, **and waits** | the worst kind: right, silent and slow |
# | `np.exp(a)`, `a.sum()`, `xp.pad` | runs | not in the standard: the next library may lack it |
#
# So the stand-in is stricter than CuPy on any device, and that is what it is kept for. What passes here asks for no copy, never waits, and uses nothing but the standard. How it does this is short: the library has switches for some of it, and the conversions to Python numbers are replaced by functions that raise.

# %%
source(strict_device)

# %% [markdown]
# ## 3 · The line that waits
#
# A program does not compute on a GPU. It **launches**: it puts work into a queue and goes on at once, long before the work is done. As long as the queue is not empty, the device is busy. A line that needs a *value* has to wait until the queue is empty, and while the program waits it launches nothing. Then the device runs dry.
#
# The picture is a calculation, not a measurement: six pieces of work, each launched in 5 µs and done in 8 µs, and a value that is read behind none, one or all of them. Reading takes 10 µs.
#
# **Predict.** Without reading, the device works through from the first launch on: $5 + 6 \cdot 8 = 53$ µs. How long does it take with one value read at the end? With one behind each piece?
#
# <details><summary>Answer</summary>
#
# 63 µs, and $6 \cdot (5 + 8 + 10) = 138$ µs. A single value costs what it takes to read it. With one behind each, nothing overlaps any more: the device waits for the launch, and the host for the device.
#
# </details>

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


ends = []
fig, axes = plt.subplots(3, 1, figsize=(10, 4), layout="constrained", sharex=True)
cases = {"no value read": [0] * 6, "one, at the end": [0] * 5 + [1], "one behind each": [1] * 6}
for ax, (name, waits) in zip(axes, cases.items(), strict=True):
    launches, works, reads, end = timeline(waits)
    ends.append(end)
    ax.broken_barh(launches, (1.1, 0.8), color="#0072B2", edgecolor="white")
    ax.broken_barh(reads, (1.1, 0.8), color="#E69F00", edgecolor="white")
    ax.broken_barh(works, (0.1, 0.8), color="#009E73", edgecolor="white")
    ax.set(yticks=[0.5, 1.5], yticklabels=["device", "host"], title=f"{name}: {end} µs")
    ax.title.set_fontsize(10)
axes[2].set_xlabel("µs    blue: launching · orange: waiting and reading · green: working")
plt.show()
assert ends == [53, 63, 138]

# %% [markdown]
# Therefore a training step by hand reads in one line, and says so. `update` leaves the loss where it is. `step` fetches it, together with one number more, which is finite where all weights are and all that Adam keeps.
#
# **Predict.** Which of the two runs on the stand-in, where every conversion to a number raises?
#
# <details><summary>Answer</summary>
#
# Both. `to_host(read)` is an explicit copy, which is allowed, and the `float` is taken of a host array. A whole step, with forward, loss, backward and Adam, asks for nothing else.
#
# </details>

# %%
source(HandLearner.step, HandLearner.update)

# %%
with strict_device() as there:
    learner = HandLearner(hand.ToyNet(3, "arm", 8, rng=0, device=there), Adam())
    loss = learner.update(images, labels, 1e-3)
    print("update: a loss of shape", loss.shape, "on", place_of(loss).device)
    print("step:  ", type(learner.step(images, labels, 1e-3)).__name__)

# %% [markdown]
# On CuPy it can be counted how often a step waits, here with all rows of the table switched off.

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
        assert kinds["wait"] == {"update": 0, "step": 1}[name]
else:
    print("waits and launches are counted on the emulated device alone")

# %% [markdown]
# `update` never waits, `step` waits once. But look at the number of kernels: lesson 11b asks where they come from.
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
# $$\bar\imath_n = \frac{\sum_{ij} i\, s_{nij}}{\sum_{ij} s_{nij}} \tag{11.1}$$
#
# ```python
# def attended_row(s):
#     xp = array_namespace(s)
#     rows = xp.arange(s.shape[2])
#     weight = xp.sum(s, axis=(1, 3))
#     return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)
# ```
#
# Rows count from 0, as Python does. `arange` is given no array, so it cannot know where one lies.
#
# **Predict.** On which device does `rows` lie? And which dtype does it have?
#
# <details><summary>Answer</summary>
#
# On the default device, as integers of 64 bits. With one GPU the first mistake never shows; with two it can, on `"cuda:1"`. The second is a promotion: int64 times float32 is float64 in NumPy.
#
# </details>
#
# Write it right. The picture shows what (11.1) is to give: two gates that look at bright places, and their mean row.

# %%
photos = photographs()
grey = photos.mean(axis=1, keepdims=True)
a = 6 * (grey - grey.mean(axis=(2, 3), keepdims=True)) / grey.std(axis=(2, 3), keepdims=True)
gates, _ = hand.sigmoid(a)
fig, axes = plt.subplots(1, 4, figsize=(11, 1.9), layout="constrained")
for column, n in enumerate((0, 3)):
    picture(axes[2 * column], photos[n], f"image {n + 1}")
    gate_map(axes[2 * column + 1], gates[n, 0], "its gate")
    weight = gates[n, 0].sum(axis=1)
    row = (weight * np.arange(64)).sum() / weight.sum()
    axes[2 * column + 1].axhline(row, color="#56B4E9", linewidth=2)
    axes[2 * column + 1].set_title(f"its gate, mean row {row:.1f}", fontsize=10)
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
# In this project the device is written `device_of(x)`, which also knows torch and old libraries.
#
# </details>

# %% tags=["check"]
check.exercise("attended_row", attended_row)

# %% [markdown]
# ### float32 stays float32, until a NumPy number comes
#
# A Python number has no dtype of its own: `x * 0.125` has that of `x`. A NumPy number has one. `np.float64(0.125)` looks the same when printed, and makes float64 of everything it meets.
#
# **Predict.** Which of the products of a float32 array with these are float64? `0.125` · `np.float32(0.125)` · `np.float64(0.125)` · `np.sqrt(4)` · `4 ** 0.5` · `np.mean([0, 1])` · `float(np.mean([0, 1]))`
#
# <details><summary>Answer</summary>
#
# Those with `np.float64(0.125)`, `np.sqrt(4)` and `np.mean([0, 1])`. NumPy's functions return NumPy numbers, also where they are given Python's. `float(…)` makes a Python number of one.
#
# </details>

# %%
x32 = np.ones(3, "float32")
numbers = {
    "0.125": 0.125,
    "np.float32(0.125)": np.float32(0.125),
    "np.float64(0.125)": np.float64(0.125),
}
numbers |= {"np.sqrt(4)": np.sqrt(4), "4 ** 0.5": 4**0.5, "np.mean([0, 1])": np.mean([0, 1])}
numbers |= {"float(np.mean([0, 1]))": float(np.mean([0, 1]))}
for text, number in numbers.items():
    print(f"float32 · {text:22} is {(x32 * number).dtype}")
wide = {text for text, number in numbers.items() if (x32 * number).dtype == "float64"}
assert wide == {"np.float64(0.125)", "np.sqrt(4)", "np.mean([0, 1])"}

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
# ## Four questions
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
# 3. A function passes on the stand-in. What do you know of it on a GPU, and what not?
#
# <details><summary>Answer</summary>
#
# It asks for no copy, never waits, and uses only names of the standard. How fast it is, and how many kernels it launches, nobody has said.
#
# </details>
#
# 4. `w - np.float64(0.125) * g` with float32 arrays: right, and what is wrong with it?
#
# <details><summary>Answer</summary>
#
# The numbers are right. The result is float64, and all that is computed with it: twice the memory, and twice the bytes to move.
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
# | synchronisation | 同步 | waiting until the queue is empty |
# | promotion | 类型提升 | float32 times float64 is float64 |
# | backward | 反向传播 | the function $dy \mapsto dx$ |
#
# ## What comes next
#
# [Lesson 11b: kernels](11b_kernels.ipynb) asks how fast an operation can be at best, counts what it launches, and puts one kernel in the place of five. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

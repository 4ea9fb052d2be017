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
# # 11b · Counted rather than timed, and a first kernel
#
# **Goal.** Say how fast an operation can be at best without a stopwatch, count what it launches, and write a kernel that does it in one launch.
#
# | | |
# |---|---|
# | Time | 60 minutes |
# | You need first | [Lesson 11a](11a_gpu.ipynb): a device, and the line that waits · [lesson 4a](04a_sigmoid_gate.ipynb): the gate and its backward · some C |
# | Afterwards you can | say which of two limits holds an operation back · count what a convolution launches · write a kernel in CUDA C++ with a guard and a barrier, and say what each is for |
# | Runs on | CPU: the real CuPy on an emulated device (Linux on x86-64 with g++; the first run compiles for half a minute). With an NVIDIA GPU the kernels run there |
# | Explains | [cost](../armlab/cost/__init__.py) · [emulator](../armlab/emulator/README.md) · [hand/kernels/\_\_init\_\_.py](../armlab/hand/kernels/__init__.py) · [hand/kernels/cuda](../armlab/hand/kernels/cuda/README.md) |
#
# The second of three lessons on the GPU. [Lesson 11a](11a_gpu.ipynb) ran the same source on NumPy and on a device. Here we look at what the device has to do. `hand.sigmoid_gate` counts its own equations: its (1) and (2) are (11.4), and its (4) is (d11.4).

# %%

import matplotlib.pyplot as plt
import numpy as np

from armlab import check, cost, emulator, hand
from armlab.check.example import Example
from armlab.check.functions import judge_function
from armlab.data import Scenes
from armlab.exercises.cuda import cuda_place
from armlab.hand import kernels
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import Adam
import threads as draw
from tools import by_kind, photographs

# %% [markdown]
# A GPU, or else the emulated device, as in lesson 11a. Where neither can be had a sentence says why, here and in each cell that needs one.

# %%
try:
    gpu, why_none = cuda_place(), ""
except RuntimeError as reason:
    gpu, why_none = None, str(reason)
    print(why_none)
emulated = emulator.installed()
if gpu:
    import cupy

# %% [markdown]
# ## 1 · Two limits
#
# **Nothing in this section was timed on a GPU.** What can be had without one is a floor: how fast can an operation be at best? A device has two limits. For an H100 the project calculates with 50 TFLOP/s in float32 (with TF32 off, which lesson 11c explains) and 3.0 TB/s between its memory and its arithmetic. $F$ operations on $B$ bytes take at least
#
# $$t = \max\Big(\frac{F}{50 \cdot 10^{12}},\; \frac{B}{3.0 \cdot 10^{12}}\Big) \text{ seconds} \tag{11.2}$$
#
# For a 3×3 convolution from $C$ to $K$ channels a multiply-add is two operations. $x$ and $w$ are read and $y$ is written, 4 bytes each:
#
# $$F = 2 \cdot 9\, N C K H W, \qquad B = 4\,(N C H W + 9\, C K + N K H W) \tag{11.3}$$
#
# Take the 3×3 convolution of ARM32 on an image of 1024 × 2048: from 512 to 128 channels, on a map of 32 × 64.
#
# **Predict.** Which of the two limits counts here? And for the gate behind it, which multiplies each element once?
#
# <details><summary>Answer</summary>
#
# The convolution is bound by arithmetic, about 48 µs against 2.5: each number that it reads is used hundreds of times. The gate is bound by memory, 0.7 µs against 0.005. It reads a number, multiplies once and writes one.
#
# </details>

# %%
n, c, k, h, w = 1, 512, 128, 32, 64
flops = 2 * 9 * n * c * k * h * w  # F of (11.3)
traffic = 4 * (n * c * h * w + 9 * c * k + n * k * h * w)  # B of (11.3)
print(f"compute {flops / 50e12 * 1e6:.1f} µs   memory {traffic / 3.0e12 * 1e6:.1f} µs")
columns = 4 * 2 * 9 * n * c * h * w  # im2col: nine copies of x, written and read again
print(f"im2col moves {columns / 3.0e12 * 1e6:.1f} µs more")
gate = 4 * 2 * n * k * h * w
print(f"gate: compute {n * k * h * w / 50e12 * 1e6:.3f} µs   memory {gate / 3.0e12 * 1e6:.2f} µs")
assert flops / 50e12 > 19 * traffic / 3.0e12  # 48 against 2.5
assert round(columns / traffic) == 10
assert round(columns / 3.0e12 / (flops / 50e12), 1) == 0.5

# %% [markdown]
# The textbook way of doing the convolution, **im2col**, writes a matrix of all windows and multiplies it. That moves ten times as many bytes again as the convolution itself, and to move them takes half the time of the arithmetic. Bytes can be moved while something else is computed, and still they have to be moved.
#
# ### Exercise 1 · `conv_floor`
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
# The same for every part of ARM32, from `armlab.cost`, which counts on shapes alone. The line is (11.2) as a picture, the **roofline**. Its knee lies where both limits are equal, at $F/B = 50/3 \approx 17$ operations per byte. Left of it memory is the limit, right of it arithmetic. A point on the line is as fast as the device allows.
#
# **Predict.** Of the seven parts of ARM32, how many lie right of the knee?
#
# <details><summary>Answer</summary>
#
# One, the 3×3 convolution. Whatever does one or two operations for each element moves at least 4 bytes for it. The 1×1 works on one pixel, and uses each weight that it reads once: half an operation per byte.
#
# </details>

# %%
report = cost.ModuleCost(hand.AttentionRefinementModule(512, 128).eval(), (1, 512, 32, 64))
points, right = {}, []
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
    right += [name] * (at > 50 / 3)
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
assert len(points) == 7
assert right == ["conv: 3×3 convolution"]

# %% [markdown]
# ## 2 · Launches
#
# The floors of the small parts are fractions of a microsecond. But each operation is at least one **kernel**, a program on the device, and to launch one costs several microseconds, however small it is; we calculate with 5. So at batch size 1 their *number* is the cost. It is counted here as CuPy launches them, on maps of 128 × 32 × 64, with the lines of the file that you can read and none of the package's own kernels.
#
# **Predict.** A 3×3 convolution is one matrix product for each of its nine taps. How many kernels does CuPy launch beside the products? And does the number depend on the batch size?
#
# <details><summary>Answer</summary>
#
# For one image 39 launches: 9 products, 29 other kernels, which copy a shifted $x$ and add up, and one fill. For two images 93. The 54 new ones, six for each product, compute nothing. The weights of a tap meet every image of the batch, and CuPy writes down for the product where each matrix begins, in **pointer tables**.
#
# </details>


# %%
LAUNCH = 5  # µs, assumed


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
    assert rows[1, "3×3 from 128, forward"] == (0, 29, 9, 1)
    assert rows[2, "3×3 from 128, forward"] == (54, 29, 9, 1)
    alone, floor = sum(rows[1, "3×3 from 128, forward"]), 2 * 9 * 128**2 * 32 * 64 / 50e12
    print(f"3×3: {alone} launches of {LAUNCH} µs, {alone * LAUNCH} µs; floor {1e6 * floor:.0f} µs")

    images, labels = Scenes("test").batch(range(3))
    learner = HandLearner(hand.ToyNet(3, "arm", 8, rng=0, device=gpu), Adam())
    step_counts, _ = launched(lambda: learner.update(images, labels, 1e-3))
    tables, others, *_ = parts(step_counts)
    print(f"training step: {tables} of {tables + others:,} kernels", end=" ")
    print(f"write pointer tables, {tables / (tables + others):.0%}")
    for _ in range(2):  # and with the package's kernels, which the first time compiles
        with emulator.counting() as step_counts:
            learner.update(images, labels, 1e-3)
    print(f"with the package's kernels: {sum(parts(step_counts))} launches in all")
    assert round(3 * tables / (tables + others)) == 1
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
# The convolution copies, multiplies and adds once for each tap: some twenty threads have run for each element of its result. In a training step the pointer tables are a third of all kernels. `armlab launches ToyNet` prints the same for any module, next to the operators of its PyTorch twin.
#
# This is where kernels of one's own pay: one in place of many. [armlab/hand/kernels/cuda](../armlab/hand/kernels/cuda/README.md) has them, and the last line printed above is what they leave.
#
# ## 3 · A first kernel
#
# A kernel is a function in CUDA C++. It is written for *one* **thread** and launched for many. Threads come in **blocks** of one size, at most 1,024. All blocks of a launch are its **grid**. Every thread runs the same lines. What it knows of itself are two numbers, its place in its block and the place of its block. From these it finds the element that is its own:
#
# ```
# i = blockIdx.x * blockDim.x + threadIdx.x
# ```
#
# **Predict.** A map has 3 channels of 7 pixels, and a block has 8 threads. How many blocks must be launched? What is left for the last threads?
#
# <details><summary>Answer</summary>
#
# Three blocks, and three threads without an element: $3 \cdot 8 - 3 \cdot 7 = 3$. A launch always has whole blocks.
#
# </details>

# %%
fig, ax = plt.subplots(figsize=(11, 2.9), layout="constrained")
draw.grid(ax, channels=3, pixels=7, threads=8)
plt.show()

# %% [markdown]
# So nearly every kernel has a line for this **tail**: `if (i < n)`. And a block knows nothing of channels: the gate of an element is found by a division, and it is the same for a whole channel.
#
# This is the gate of lesson 4a, for $x$ of shape $(N, C, H, W)$ and $a$ of shape $(N, C, 1, 1)$:
#
# $$s_{nc} = \frac{1}{1 + e^{-a_{nc}}}, \qquad y_{ncij} = x_{ncij}\, s_{nc} \tag{11.4}$$

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
        by_cupy, _ = launched(lambda: hand.sigmoid_gate(x, a))
        by_us, _ = launched(lambda: launch_gate(GATE, x, a))
        alone = [by_kind(counts)["kernel"] for counts in (by_cupy, by_us)]
        print("launches by CuPy:", alone[0], "  by us:", alone[1])
        assert alone == [5, 1]
else:
    print(why_none)

# %% [markdown]
# It is right, within the bound that the tests have for `hand.sigmoid_gate`, and one launch does what took five.
#
# **Predict.** Leave out `if (i < n)`: 256 threads now compute 210 elements. Is $y$ wrong?
#
# <details><summary>Answer</summary>
#
# $y$ is right: each element is computed by its own thread, as before. But 46 threads have read and written behind the arrays, and what lies there may be wrong later. A test of $y$ does not find this.
#
# </details>

# %%
unguarded = GATE.replace("if (i < n) ", "")
if gpu:
    y = launch_gate(unguarded, x, a)
    held_to_its_bound("sigmoid_gate", y, x=x, a=a)
    assert 4 * 64 - x.size == 46
if emulated:
    try:
        with emulator.strict():
            launch_gate(unguarded, *some_features())
    except Exception as error:
        print(type(error).__name__, error)
if not gpu:
    print(why_none)

# %% [markdown]
# The emulated device finds it in its **strict** mode: behind an array lies a page without access, and the sentence names kernel, argument, thread and block. On a card, NVIDIA's compute-sanitizer does the same.
#
# ## 4 · Threads that wait for each other
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
    x = cupy.asarray(photographs(), "float32")  # (6, 3, 64, 96)
    held_to_its_bound("global_avg_pool", launch_mean(MEAN, x), x=x)
else:
    print(why_none)

# %% [markdown]
# A barrier is easily forgotten. What happens then depends on who comes first. A small model shows it: each thread is a Python generator that runs until it yields, and a `yield` is the barrier. One after the other gets its turn, in an order of our choice. The emulated device does just this with the threads of a block.
#
# **Predict.** Eight threads bring the numbers 1 to 8, and nobody waits. The last thread adds up. What is the mean when the threads run forward, from 0 to 7? When they run backward? An array that nobody wrote holds anything; here, as on the emulated device, that is NaN.
#
# <details><summary>Answer</summary>
#
# Forward 4.5, which is right: the last thread comes last. Backward it comes first, finds its own number in the table and nothing else, and the mean is NaN.
#
# </details>


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
means = {}
fig, axes = plt.subplots(1, 4, figsize=(11, 2.6), layout="constrained", sharey=True)
for ax, (name, order) in zip(axes, orders.items(), strict=False):
    means[name], turns = mean_by_threads(range(1, 9), order, barrier=False)
    draw.turns(ax, turns, f"{name}: {means[name]}")
mean, turns = mean_by_threads(range(1, 9), orders["backward"], barrier=True)
draw.turns(axes[3], turns, f"backward, with barrier: {mean}")
axes[3].axvline(7.5, color="black", linestyle=":")
axes[0].set_ylabel("thread")
plt.show()
assert mean == means["forward"] == 4.5
assert np.isnan([means["backward"], means["random"]]).all()

# %% [markdown]
# Blue squares: a thread writes its part. The orange line: the last thread reads the table, and a cross says that nothing has been written there yet. With the barrier, dotted, every order gives the same.
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
# ### Exercise 2 · A kernel of your own
#
# ★★☆ · 15 minutes
#
# Backward, the gate of (11.4) collects from all pixels that it has scaled, for each channel of each image:
#
# $$ds_{nc} = \sum_{ij} dy_{ncij}\, x_{ncij} \tag{d11.4}$$
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
# ## Four questions
#
# 1. An operation moves 12 bytes for each operation it computes. Bound by what, on the device of section 1?
#
# <details><summary>Answer</summary>
#
# By memory. Its intensity is 1/12 operations per byte, and the knee lies at 50/3, about 17.
#
# </details>
#
# 2. Batch normalisation, forward, is 12 launches of 5 µs, and its floor on this map is below 1 µs. What helps more, a faster card or another kernel?
#
# <details><summary>Answer</summary>
#
# Another kernel: one launch in place of twelve. A card with twice the bandwidth would save less than half a microsecond of sixty.
#
# </details>
#
# 3. A kernel passes on the emulated device in strict mode. Name one bug that may still be in it on a real GPU.
#
# <details><summary>Answer</summary>
#
# A race between two blocks, which never run at once there; a race between two streams; an error that none of the three orders brings out. It may also be far too slow.
#
# </details>
#
# 4. Why may `if (t < pixels) __syncthreads();` never be written?
#
# <details><summary>Answer</summary>
#
# A barrier lets nobody through before all threads of the block have come to it. Those with $t \ge$ `pixels` never come.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | kernel, launch | 核函数, 启动 | a program on the device, and putting it into the queue |
# | roofline | 屋顶线模型 | the limits of memory and arithmetic in one picture |
# | thread, block, grid | 线程, 线程块, 网格 | one run of a kernel, up to 1,024 of them together, and all blocks of a launch |
# | warp | 线程束 | 32 threads that a card runs side by side |
# | shared memory, barrier | 共享内存, 屏障 | a table of one block, and where its threads wait for each other |
# | race | 竞争 | a result that depends on the order of threads |
#
# ## What comes next
#
# [Lesson 11c: rounding and DLPack](11c_rounding_and_dlpack.ipynb) tells a rounding error from a bug. The package's own kernels stand in [armlab/hand/kernels/cuda](../armlab/hand/kernels/cuda/README.md), one idea a page. The [contents](index.ipynb) show the path.

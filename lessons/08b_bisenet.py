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
# # 8b · ARM16 and ARM32 in a network
#
# **Goal.** Follow an image through BiSeNet and its gradient back, and know at each fork which gradients add up.
#
# | | |
# |---|---|
# | Time | 50 minutes |
# | You need first | [Lesson 4b](04b_arm.ipynb): ARM and its backward · [lesson 8a](08a_resizing_and_fusion.ipynb): the map, nearest and bilinear resizing, feature fusion |
# | Afterwards you can | say the size of every map in the network, for any image · derive the backward of the context path · find the plus signs of a network's backward · hand a network's backward the gradients of the outputs that you use |
# | Runs on | CPU; no GPU needed |
# | Explains | [hand/resnet18.py](../armlab/hand/resnet18.py) · [hand/context_path.py](../armlab/hand/context_path.py) · [hand/spatial_path.py](../armlab/hand/spatial_path.py) · [hand/bisenet_output.py](../armlab/hand/bisenet_output.py) · [hand/bisenet.py](../armlab/hand/bisenet.py) |
#
# The second lesson of chapter 8 goes once over the whole map. What a trained network has learned to do with it is measured in [lesson 8c](08c_bisenet_measured.ipynb).

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

import armlab.torch as twins
from armlab import check, hand, weights
from armlab.arrays import unbroadcast
from armlab.data import Scenes
from armlab.hand.backward import fill_unused
from armlab.hand.bisenet_output import run_heads
from bisenet_map import bisenet_map
from tools import compare, gradient_map, scene, source

rng = np.random.default_rng(0)

# %%
bisenet_map()

# %% [markdown]
# The **spatial path** keeps places. The **context path** has the trunk, an ARM at 1/32 and one at 1/16, and the mean of the whole image, $g$. The **FFM** joins both, and a **head** turns features into one logit for each class. Shapes are those of the paper's network.
#
# ## 1 · Sizes, for any image
#
# Each step of stride 2 rounds up: of $H$ rows it leaves $\lceil H/2 \rceil$, and a map that is made larger takes the size of the one that it meets.
#
# **Predict.** An image has 375 rows. How many have $f_8$, $f_{16}$ and $f_{32}$, and how many $y_{16}$, $y_8$ and $y$?
#
# <details><summary>Answer</summary>
#
# Down: 375, 188, 94, 47, 24, 12, so $f_8$ has 47, $f_{16}$ 24 and $f_{32}$ 12. Up, each takes the size that it meets: $y_{16}$ that of $f_{16}$, 24; $y_8$ that of $f_8$ and of the spatial path, 47; $y$ that of the image. With factors of 2, 2 and 8 the second would be 48, and the last 376.
#
# </details>


# %%
def show_height(height):
    image, (_, _, h8, h16, h32) = height, [height := -(-height // 2) for _ in range(5)]
    steps = [("image", image, None), ("f₈", h8, None), ("f₁₆", h16, None), ("f₃₂", h32, None)]
    steps += [("f₃₂ × 2", 2 * h32, h16), ("y₁₆ × 2", 2 * h16, h8), ("y₈ × 8", 8 * h8, image)]
    _, ax = plt.subplots(figsize=(8, 2.4), layout="constrained")
    for at, (_, size, wanted) in enumerate(steps):
        fits = wanted in (None, size)
        ax.bar(at, size, color="#56B4E9" if wanted is None else "#009E73" if fits else "#D55E00")
        ax.text(at, size, f"{size}" + ("" if fits else f" ≠ {wanted}"), ha="center", va="bottom")
        if wanted is not None:
            ax.plot([at - 0.45, at + 0.45], [wanted, wanted], color="black", linewidth=1.5)
    ax.set(xticks=range(7), xticklabels=[name for name, _, _ in steps], yscale="log")
    ax.set(ylim=(0.8, 900), title=f"an image of {image} rows")
    ax.yaxis.set_visible(False)
    ax.spines[["top", "left", "right"]].set_visible(False)
    plt.show()


show_height(375)
net = hand.ToyBiSeNet(rng=0, dtype="float64")  # BiSeNet with an eighth of its channels
(y, aux8, aux16), _ = net.copy()(np.zeros((2, 3, 375, 64)))
(c8, c16), _ = net.copy().cp(np.zeros((2, 3, 375, 64)))
assert [a.shape[2] for a in (y, aux8, aux16, c8, c16)] == [375, 375, 375, 47, 24]

# %% [markdown]
# Blue are the sizes on the way down. The last three bars are what a factor would make on the way up, and the line is the size that has to be met. In a running notebook, move the slider, and find a height that passes the first two steps and not the last.

# %%
slider = ipywidgets.IntSlider(
    value=376, min=1, max=400, description="height", continuous_update=False
)
_ = ipywidgets.interact(show_height, height=slider)

# %% [markdown]
# ## 2 · The trunk
#
# ARM needs features that mean something, and a network makes them by looking at ever larger parts of the image. The trunk, a **ResNet-18**, hands on three of its sizes:
#
# $$h = \mathrm{maxpool}(\mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}_{7\times7}(x)))), \qquad f_8 = \mathrm{layer}_2(\mathrm{layer}_1(h)), \quad f_{16} = \mathrm{layer}_3(f_8), \quad f_{32} = \mathrm{layer}_4(f_{16}) \tag{8.12}$$

# %%
bisenet_map({"trunk"})

# %% [markdown]
# Layers 1 to 4 are made of blocks that go around themselves. Two 3×3 convolutions compute a change $r$, and the block adds it to what it was given:
#
# $$y = \mathrm{ReLU}(r + x) \tag{8.13}$$
#
# Where the shapes of $r$ and $x$ differ, the way around has a 1×1 convolution of its own.
#
# **Predict.** What is $dx$ of a block, in words? What arrives at $x$ if the convolutions hand back next to nothing?
#
# <details><summary>Answer</summary>
#
# $x$ was used twice, so $dx$ is the sum of what comes back through the convolutions and of what comes around them. The second is $dy$ itself, but for the ReLU: it arrives whole. So a gradient gets through many blocks.
#
# </details>
#
# $$dr = dy\,[r + x > 0], \qquad dx = \mathrm{convs}^{\mathsf T}(dr) + dr \tag{d8.13}$$
#
# Here $\mathrm{convs}^{\mathsf T}$ is short for the backward of the layers that made $r$, whatever is inside. The file counts its own: its (4) is (8.13).

# %%
source(hand.BasicBlock.forward)

# %%
silent = hand.BasicBlock(4, 4, rng=0, dtype="float64")
silent.assign({"bn2.weight": np.zeros(4)})  # r = 0, and the convolutions hand nothing back
x = rng.standard_normal((2, 4, 5, 7))
dy = rng.standard_normal(x.shape)
dx, _ = silent(x)[1](dy)
compare("dx", dx, dy * (x > 0))  # (d8.13) with convs back = 0

# %% [markdown]
# ## 3 · The context path
#
# $$g = \mathrm{conv}_{1\times1}(\mathrm{GAP}(f_{32})) \tag{8.14}$$
# $$y_{16} = \mathrm{conv}_{3\times3}\big(\mathrm{nearest}(\mathrm{ARM32}(f_{32}) + g)\big) \tag{8.15}$$
# $$y_8 = \mathrm{conv}_{3\times3}\big(\mathrm{nearest}(\mathrm{ARM16}(f_{16}) + y_{16})\big) \tag{8.16}$$

# %%
bisenet_map({"trunk", "arm", "context", "add", "up"})

# %% [markdown]
# $g$ is the **global context**: one number per channel, added at every position. Note what it can do that a gate cannot. An ARM multiplies features that are there; $g$ adds something where there was nothing.
#
# The path has two outputs. $y_8$ goes into the fusion. $y_{16}$ goes into $y_8$, and in training also into a head of its own.
#
# **Predict.** Count on the map at the top: at which maps do two gradients meet?
#
# <details><summary>Answer</summary>
#
# At five, those that two red arrows reach. $x$ goes into both paths; $f_{16}$ into layer 4 and ARM16; $f_{32}$ into ARM32 and the global context; $y_{16}$ and $y_8$ into what follows and each into a head. The last two heads run in training alone. Each of these forks is a plus sign in the backward. ($x$ of every block in the trunk is one more.)
#
# </details>
#
# Upwards from (8.16). $\Sigma_{16}$ and $\Sigma_{32}$ are the two sums inside the brackets, $r_{16}$ and $r_{32}$ what the ARMs return:
#
# $$d\Sigma_{16} = \mathrm{nearest}^{\mathsf T}\big(\mathrm{conv}_{3\times3}^{\mathsf T}(dy_8)\big), \qquad dr_{16} = d\Sigma_{16} \tag{d8.16}$$
# $$dy_{16}^{\text{all}} = dy_{16} + d\Sigma_{16}, \qquad d\Sigma_{32} = \mathrm{nearest}^{\mathsf T}\big(\mathrm{conv}_{3\times3}^{\mathsf T}(dy_{16}^{\text{all}})\big), \qquad dr_{32} = d\Sigma_{32} \tag{d8.15}$$
# $$dg_{nk} = \sum_{ij} d\Sigma_{32,nkij}, \qquad df_{32} = \mathrm{ARM32}^{\mathsf T}(dr_{32}) + \mathrm{GAP}^{\mathsf T}\big(\mathrm{conv}_{1\times1}^{\mathsf T}(dg)\big) \tag{d8.14}$$
#
# Two plus signs, and one sum, as $g$ was repeated over all positions. In code, on four scenes. The trunk is cut off for now: $f_{16}$ and $f_{32}$ are taken as given.

# %%
images, labels = Scenes("test").batch(range(4))  # digits on photographs, (4, 3, 64, 64)
x = images.astype(float)
path = net.cp  # in training mode
part = path.copy()
(f8, f16, f32), resnet_back = part.resnet(x)  # (8.12)
z, pool_back = hand.global_avg_pool(f32)
g, avg_back = part.conv_avg(z)  # (8.14)
r32, arm32_back = part.arm32(f32)
up32, up32_back = hand.resize_nearest(r32 + g, size=f16.shape[2:])
y16, head32_back = part.conv_head32(up32)  # (8.15)
r16, arm16_back = part.arm16(f16)
up16, up16_back = hand.resize_nearest(r16 + y16, size=f8.shape[2:])
y8, head16_back = part.conv_head16(up16)  # (8.16)

dy8, dy16 = rng.standard_normal(y8.shape), rng.standard_normal(y16.shape)
dup16, _ = head16_back(dy8)  # (d8.16)
dsum16 = up16_back(dup16)
dy16_all = dy16 + dsum16  # (d8.15)  y16 is an output, and goes into y8
dup32, _ = head32_back(dy16_all)
dsum32 = up32_back(dup32)
dg = unbroadcast(dsum32, g.shape)  # (d8.14)  one g at every position
dz, _ = avg_back(dg)
df32_arm, _ = arm32_back(dsum32)
df32 = df32_arm + pool_back(dz)  # f32 feeds ARM32 and the global context
df16, _ = arm16_back(dsum16)

# %%
twin = twins.ContextPath(8).double()
twin.load_state_dict(weights.to_torch(path.state_dict()))
t = {name: torch.tensor(a, requires_grad=True) for name, a in [("f16", f16), ("f32", f32)]}
t["z"] = t["f32"].mean((2, 3), keepdim=True)
t["g"] = twin.conv_avg(t["z"])
t["r32"] = twin.arm32(t["f32"])
t["sum32"] = t["r32"] + t["g"]
t["up32"] = twins.resize_nearest(t["sum32"], size=f16.shape[2:])
t["y16"] = twin.conv_head32(t["up32"])
t["r16"] = twin.arm16(t["f16"])
t["sum16"] = t["r16"] + t["y16"]
t["up16"] = twins.resize_nearest(t["sum16"], size=f8.shape[2:])
t["y8"] = twin.conv_head16(t["up16"])

by_hand = {"up16": dup16, "sum16": dsum16, "r16": dsum16, "y16": dy16_all, "up32": dup32}
by_hand |= {"sum32": dsum32, "r32": dsum32, "g": dg, "z": dz, "f32": df32, "f16": df16}
given = [torch.tensor(dy8), torch.tensor(dy16)]
grads = torch.autograd.grad([t["y8"], t["y16"]], [t[name] for name in by_hand], given)
compare("y8", y8, t["y8"])
compare("y16", y16, t["y16"])
for (name, mine), theirs in zip(by_hand.items(), grads, strict=True):
    compare(f"d{name}", mine, theirs)

# %% [markdown]
# ### Exercise 1 · `context_path_backward`
#
# ★★★ · 15 minutes
#
# Two outputs, so two gradients come: `dy8` and `dy16`. You are given five backwards: `sum16_back` and `sum32_back` go through a 3×3 and its resizing, from $dy_8$ to $d\Sigma_{16}$ and from $dy_{16}$ to $d\Sigma_{32}$; `arm16_back` and `arm32_back` through the ARMs; `context_back(dg)` from $dg$, of shape `(N, C, 1, 1)`, to its part of $df_{32}$. Return `df16, df32`: what the path hands to the trunk.


# %% tags=["exercise"]
def context_path_backward(dy8, dy16, sum16_back, sum32_back, arm16_back, arm32_back, context_back):
    raise NotImplementedError


# %% [markdown]
# <details><summary>Solution</summary>
#
# ```python
# def context_path_backward(dy8, dy16, sum16_back, sum32_back, arm16_back, arm32_back, context_back):
#     dsum16 = sum16_back(dy8)
#     dsum32 = sum32_back(dy16 + dsum16)
#     dg = dsum32.sum(axis=(2, 3), keepdims=True)
#     return arm16_back(dsum16), arm32_back(dsum32) + context_back(dg)
# ```
#
# </details>

# %% tags=["check"]
check.exercise("context_path_backward", context_path_backward)

# %% [markdown]
# With the trunk, and the whole path of the file at once. Inside the trunk waits the fork at $f_{16}$, which is an output of it and the input of layer 4. Nobody outside uses $f_8$, so its gradient is given as `None`. The file's (1) to (4) are (8.12) and (8.14) to (8.16), and `collect` is the plus.

# %%
dx, _ = resnet_back((None, df16, df32))
_, path_back = path.copy()(x)
dx_file, grads_file = path_back((dy8, dy16))
x_torch = torch.tensor(x, requires_grad=True)
wanted = [x_torch, *twin.parameters()]
dx_torch, *grads_torch = torch.autograd.grad(twin(x_torch), wanted, given)
compare("dx", dx, dx_torch)
compare("file: dx", dx_file, dx_torch)
for (name, _), theirs in zip(twin.named_parameters(), grads_torch, strict=True):
    if name.startswith("conv_avg"):
        compare(name[9:], grads_file[name], theirs)
source(hand.ContextPath.scales)

# %% [markdown]
# ## 4 · The whole network, and its heads
#
# In training mode the network has three outputs: that of the head, and those of two **auxiliary heads**, which classify from $y_8$ and from $y_{16}$. The paper adds the three losses:
#
# $$L = \ell(y) + \ell(a_8) + \ell(a_{16}) \tag{8.17}$$
#
# with $\ell$ the cross-entropy of an output with the labels. So each output gets the gradient of its own loss, and at $y_8$ and $y_{16}$ these meet what comes from further on.

# %%
bisenet_map({"spatial", "fusion", "head", "auxiliary"})

# %% [markdown]
# The file. Its (1) are both paths and the fusion, its (2) the three outputs.

# %%
source(hand.BiSeNet.forward)

# %% [markdown]
# Five forks, five pluses: two `collect` stand here, for $y_8$ (`c8`) and $x$, two in the context path, for $y_{16}$ and $f_{32}$, and one in the trunk, for $f_{16}$.
#
# The gradient on its way down, for one image and one channel, from the losses of the two auxiliary heads of a network that has learned nothing yet.
#
# **Predict.** $dy_8$ has 8 × 8 numbers. How many have $d\Sigma_{16}$, $d\Sigma_{32}$ and $dg$? What becomes of four neighbours at each step?
#
# <details><summary>Answer</summary>
#
# 4 × 4, 2 × 2, and one. Nearest repeated each pixel four times, so at every step four neighbours are added up, with a convolution before it that mixes channels and places. $dg$ is the sum of what is left.
#
# </details>

# %%
heads = {"conv_out16": net.conv_out16, "conv_out32": net.conv_out32}
ys, heads_back = run_heads(heads, {"conv_out16": y8, "conv_out32": y16}, (64, 64))
dys = tuple(hand.cross_entropy(y, labels)[1](1.0) for y in ys)  # (8.17)
features, _ = heads_back(dys)
real8, real16 = features["conv_out16"], features["conv_out32"]
real_sum16 = up16_back(head16_back(real8)[0])
real_all = real16 + real_sum16
real_sum32 = up32_back(head32_back(real_all)[0])
real_g = unbroadcast(real_sum32, g.shape)

fig, axes = plt.subplots(1, 7, figsize=(12.6, 2.1), layout="constrained")
scene(axes[0], images[0], "the scene")
shown = {"dy₈": real8, "dΣ₁₆": real_sum16, "dy₁₆, own head": real16, "dy₁₆, both": real_all}
shown |= {"dΣ₃₂": real_sum32, "dg": real_g}
k = np.abs(real_g[0]).argmax()
for ax, (name, a) in zip(axes[1:], shown.items(), strict=True):
    gradient_map(ax, a[0, k], f"{name}\n± {np.abs(a[0, k]).max():.0e}")
plt.show()
assert [a[0, k].size for a in (real8, real_sum16, real_sum32, real_g)] == [64, 16, 4, 1]

# %% [markdown]
# ### An output that nobody used
#
# In evaluation mode the auxiliary heads do not run, and the network returns one array. In training mode it returns three, and its backward wants three gradients.
#
# **Predict.** You want to train without the auxiliary losses and leave the network as it is. What do you hand to `backward` for the two outputs that no loss looks at? What are the gradients of their heads' weights then?
#
# <details><summary>Answer</summary>
#
# `None`, which says that nobody used the output, and counts as a gradient of 0. The heads' weights keep their keys, with zeros for gradients, so that an optimiser meets the same set at every step.
#
# </details>

# %%
ys, backward = net.copy()(x)
dy = hand.cross_entropy(ys[0], labels)[1](1.0)
_, with_none = backward((dy, None, None), input_grad=False)
_, with_zeros = backward((dy, np.zeros_like(dy), np.zeros_like(dy)), input_grad=False)
print("the same:", all(np.array_equal(with_none[key], with_zeros[key]) for key in with_zeros))
for head in ("conv_out", "conv_out16", "conv_out32"):
    sizes = [np.abs(grad).max() for key, grad in with_none.items() if key.startswith(f"{head}.")]
    print(f"{head:11} largest gradient {max(sizes):.1e}")
try:
    backward((None, None, None))
except ValueError as error:
    print("ValueError:", error)

# %%
source(fill_unused, run_heads)

# %% [markdown]
# ## Four questions
#
# 1. Someone writes the global context with a pool over windows of 1 × 1. What becomes of $g$ in (8.14), and does anything raise an error?
#
# <details><summary>Answer</summary>
#
# A window of one pixel pools nothing. $g$ is a 1×1 convolution of $f_{32}$ with a value for each position. Its shape still fits into the sum, so nothing raises; only the context is gone.
#
# </details>
#
# 2. In evaluation mode, which parameters of BiSeNet have a gradient of exactly 0, whatever the loss?
#
# <details><summary>Answer</summary>
#
# Those of the two auxiliary heads, which did not run.
#
# </details>
#
# 3. Why is $dg$ a sum over positions and $dz/HW$, a step further back, a share?
#
# <details><summary>Answer</summary>
#
# $g$ was repeated at every position, and a repeated value collects. $z$ was made as a mean, to which each pixel gave a share of $1/HW$.
#
# </details>
#
# 4. The backward of the context path forgets `dy16`, the gradient of its second output. Which weights are trained wrongly?
#
# <details><summary>Answer</summary>
#
# All that $y_{16}$ was made of: its 3×3, ARM32, the global context, and the trunk. The main loss still reaches them through $d\Sigma_{16}$, so the training runs, and no shape is wrong.
#
# </details>
#
# ## Terms
#
# | term | 中文 | meaning |
# |---|---|---|
# | trunk, backbone | 主干网络 | the network that makes features at several sizes, (8.12) |
# | residual block | 残差块 | (8.13) |
# | context path | 上下文路径 | (8.12), (8.14) to (8.16) |
# | attention refinement module (ARM) | 注意力细化模块 | in BiSeNet at 1/16 and at 1/32 of the image |
# | global context | 全局上下文 | $g$, the mean of $f_{32}$ through a 1×1, added everywhere |
# | auxiliary head, auxiliary loss | 辅助头, 辅助损失 | an output that is there for training alone, (8.17) |
# | fork | 分叉 | a map that is used twice: a plus in the backward |
#
# ## What comes next
#
# [Lesson 8c](08c_bisenet_measured.ipynb) looks into a trained BiSeNet, and asks by which way it tells what it tells. The [contents](index.ipynb) show the path.
#
# Photographs: *china.jpg* by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and *flower.jpg* (flickr.com/photos/vultilion/6056698931), both shipped with scikit-learn, CC BY 2.0. Digits: scikit-learn's `load_digits`.

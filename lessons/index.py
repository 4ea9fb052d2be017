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
# # armlab · attention refinement by hand
#
# You know Python and the chain rule. After these lessons you own attention refinement: you can derive every gradient of it, see what a gate does to a picture, and say which claims about it hold.
#
# Open a lesson, run it from the top with *Run → Run All Cells*, then go through it slowly. Each section asks you to **predict** before the code answers. Each exercise is a function to write, and a check that shows the smallest example on which it is wrong.
#
# ## What stands now
#
# | lesson | minutes | goal |
# |---|---|---|
# | [0 · Arrays, shapes and the check](00_arrays_shapes_and_the_check.ipynb) | 60 | read `y, backward = f(x)` wherever it stands, and test a backward that you have no reason to trust |
# | [1 · Convolution and its three gradients](01_convolution.ipynb) | 90 | derive the gradients of a convolution by its input, weights and bias, and say which pixels a network can see |
# | [2 · Batch normalisation](02_batch_norm.ipynb) | 90 | derive the backward of batch normalisation, and say what it takes away from a gradient |
# | [3 · Pooling: average, max, ties, and why 1/HW](03_pooling.ipynb) | 75 | derive the backward of average and max pooling, and know what each of them keeps of a picture |
# | [4 · The sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) | 90 | derive every gradient of the paper's module, and see what its gate does to a picture |
# | [5 · ARM in three versions](05_arm.ipynb) | 90 | tell the paper's, the article's and the repositories' modules apart, derive the backward of the one that is used, and see what a trained one does |
# | [6 · Relatives: SE, eSE, ECA, CBAM, SimAM as changes of one line](06_relatives.ipynb) | 100 | read any channel attention as a change of ARM, derive the backward of the change, and know what its gate cannot see |
# | [7 · Spatial attention: SAR, and what "spatial" means](07_spatial_attention.ipynb) | 90 | derive every gradient of SAR, and tell a gate that looks around itself from one that only carries the name |
# | [8 · ARM32, 16 and 8 in a network](08_bisenet.ipynb) | 100 | follow an image through BiSeNet and its gradient back, and know at each fork which gradients add up |
# | [11 · The GPU: the same source on CuPy](11_gpu.ipynb) | 90 | write array code that runs unchanged on a GPU, and know what a device forbids, slows down and computes differently |
#
# Lessons 3 and 4 need lesson 0 and not each other. Lesson 7 needs lessons 0 and 4. Lesson 8 needs lesson 4, and lesson 11 lessons 0 and 4.
#
# ## The whole path
#
# Lessons without a link are planned and not written yet.
#
# | | lesson | |
# |---|---|---|
# | 0 | [arrays, shapes and the check](00_arrays_shapes_and_the_check.ipynb) | here |
# | 1 | [convolution and its three gradients](01_convolution.ipynb) | here |
# | 2 | [batch normalisation: running statistics, cancellation](02_batch_norm.ipynb) | here |
# | 3 | [pooling: average, max, ties](03_pooling.ipynb) | here |
# | 4 | [the sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) | here |
# | 5 | [ARM in three versions](05_arm.ipynb) | here |
# | 6 | [relatives: SE, eSE, ECA, CBAM, SimAM as changes of one line](06_relatives.ipynb) | here |
# | 7 | [spatial attention, and what "spatial" means](07_spatial_attention.ipynb) | here |
# | 8 | [ARM32, 16 and 8 in a network: context path, feature fusion, BiSeNet](08_bisenet.ipynb) | here |
# | 9 | a task that provably needs context, and the training that shows it | planned |
# | 10 | the claims of the article, measured | planned |
# | 11 | [the GPU: the same source on CuPy](11_gpu.ipynb) | here |
#
# ## Where things are
#
# - The modules by hand: [armlab/hand](../armlab/hand/__init__.py), with the legend of all letters.
# - The same modules in PyTorch: [armlab/torch](../armlab/torch/__init__.py).
# - The checks: [armlab/check](../armlab/check/__init__.py).
#
# The lessons run on a CPU, without a network. Outside the notebooks there is a command; `armlab --help` lists what it does.

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
# | [3 · Pooling: average, max, ties, and why 1/HW](03_pooling.ipynb) | 75 | derive the backward of average and max pooling, and know what each of them keeps of a picture |
# | [4 · The sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) | 90 | derive every gradient of the paper's module, and see what its gate does to a picture |
# | [7 · Spatial attention: SAR, and what "spatial" means](07_spatial_attention.ipynb) | 90 | derive every gradient of SAR, and tell a gate that looks around itself from one that only carries the name |
# | [9 · A task that provably needs context](09_context.ipynb) | 100 | prove that no weights of a local network solve a task, and train the one with attention that does |
# | [10 · The claims of the article, measured](10_claims.ipynb) | 75 | say of each claim about ARM what the paper supports, what the article adds, and what was measured |
#
# Lessons 3 and 4 need lesson 0 and not each other. Lesson 7 needs lessons 0 and 4. Lesson 9 needs lesson 4, and lesson 10 needs lesson 9.
#
# ## The whole path
#
# Lessons without a link are planned and not written yet.
#
# | | lesson | |
# |---|---|---|
# | 0 | [arrays, shapes and the check](00_arrays_shapes_and_the_check.ipynb) | here |
# | 1 | convolution and its three gradients | planned |
# | 2 | batch normalisation: running statistics, cancellation | planned |
# | 3 | [pooling: average, max, ties](03_pooling.ipynb) | here |
# | 4 | [the sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) | here |
# | 5 | ARM in three versions: the paper's, the article's, the repositories' | planned |
# | 6 | relatives: SE, eSE, ECA, CBAM, SimAM as changes of one line | planned |
# | 7 | [spatial attention, and what "spatial" means](07_spatial_attention.ipynb) | here |
# | 8 | ARM32, 16 and 8 in a network: context path, feature fusion, BiSeNet | planned |
# | 9 | [a task that provably needs context, and the training that shows it](09_context.ipynb) | here |
# | 10 | [the claims of the article, measured](10_claims.ipynb) | here |
# | 11 | the GPU: the same source on CuPy | planned |
#
# ## Where things are
#
# - The modules by hand: [armlab/hand](../armlab/hand/__init__.py), with the legend of all letters.
# - The same modules in PyTorch: [armlab/torch](../armlab/torch/__init__.py).
# - The checks: [armlab/check](../armlab/check/__init__.py).
#
# The lessons run on a CPU, without a network. Outside the notebooks there is a command; `armlab --help` lists what it does.

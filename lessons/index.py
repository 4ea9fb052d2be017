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
# ## One evening
#
# **[ARM in one evening](arm_in_one_evening.ipynb)** (90 minutes) begins with nothing, derives the whole module, and ends with a gate that has learned from your own gradients. If you read one page, read this.
#
# ## The lessons
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 0 | [Arrays, shapes and the check](00_arrays_shapes_and_the_check.ipynb) | 75 | read `y, backward = f(x)` wherever it stands, and test a backward that you have no reason to trust | |
# | 1 | [Convolution and its three gradients](01_convolution.ipynb) | 90 | derive what a convolution hands back to its input, its weights and its bias, and say which pixels a network can see | 0 |
# | 2 | [Batch normalisation](02_batch_norm.ipynb) | 90 | derive its backward, and say what it takes away from a gradient | 0 |
# | 3 | [Pooling: average, max, ties, and why 1/HW](03_pooling.ipynb) | 90 | derive both backwards, and know what each pooling keeps of a picture | 0 |
# | 4 | [The sigmoid gate, and ARM by hand](04_sigmoid_gate.ipynb) | 105 | derive every gradient of the paper's module, and see what its gate does to a picture | 0 |
# | 5 | [ARM in three versions](05_arm.ipynb) | 90 | tell the paper's, the article's and the repositories' modules apart, and derive the one that is used | 4 |
# | 6 | [Relatives: SE, eSE, ECA, CBAM, SimAM](06_relatives.ipynb) | 100 | read any channel attention as ARM with one line changed | 4, 5 |
# | 7 | [Spatial attention: SAR, and what "spatial" means](07_spatial_attention.ipynb) | 105 | derive SAR's gradients, and tell a gate that looks around itself from one that only carries the name | 4 |
# | 8 | [ARM32, 16 and 8 in a network](08_bisenet.ipynb) | 100 | follow an image through BiSeNet and its gradient back | 4 |
# | 9 | [A task that provably needs context](09_context.ipynb) | 100 | prove that no weights of a local network solve it, and train the one with attention that does | 4 |
# | 10 | [The claims of the article, measured](10_claims.ipynb) | 75 | say of each claim about ARM what the paper supports, what the article adds, and what was measured | 4, 9 |
# | 11 | [The GPU: the same source on CuPy](11_gpu.ipynb) | 90 | write code that runs on a GPU unchanged and a first kernel for one, and know what a device forbids | 0, 4 |
#
# Two short ways lead through them. To **own ARM**: 0, 4, 5. To **judge it**: 0, 4, 9, 10. Lesson 4 brings what it needs of 1 to 3.
#
# ## Where things are
#
# - The modules by hand: [armlab/hand](../armlab/hand/__init__.py), with the legend of all letters.
# - The same modules in PyTorch: [armlab/torch](../armlab/torch/__init__.py).
# - The checks: [armlab/check](../armlab/check/__init__.py).
#
# The lessons run on a CPU, without a network. Outside the notebooks there is a command; `armlab --help` lists what it does.

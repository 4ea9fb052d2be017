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
# ## One evening
#
# **[ARM in one evening](arm_in_one_evening.ipynb)** (90 minutes) begins with nothing, derives the whole module, and ends with a gate that has learned from your own gradients. If you read one page, read this.
#
# ## How to read
#
# Go through a lesson **cell by cell**, with Shift+Enter. Where it says **Predict**, write down a number or a word, open the answer, and run the cell behind it to see. Each exercise is a function to write, and a check that shows the smallest example on which it is wrong. *Run All* would print every answer before its question.
#
# ## The lessons
#
# Each is an hour at most. Three ways lead through them. To **own ARM**: 0a, 0b, 4a, 4b, 4c, 5b. To **judge it**: 0a, 0b, 4a, 4b, 5a, 9a, 10a, 10b. To **write your own attention**: 0a, 0b, 4a, 4b, 6a, 6c, 7a.
#
# ### 0 · Backwards
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 0a | [Arrays and backwards](00a_arrays_and_backwards.ipynb) | 60 | read `y, backward = f(x)` wherever it stands, and write one | |
# | 0b | [The check](00b_the_check.ipynb) | 50 | test a backward that you have no reason to trust, and say how far off a right answer may be | 0a |
#
# ### 1 · Convolution
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 1a | [Convolution](01a_convolution.ipynb) | 60 | write one with stride, padding and dilation, and say which pixels a network can see | 0a |
# | 1b | [The three gradients of a convolution](01b_convolution_backward.ipynb) | 60 | derive what it hands back to its input, its weights and its bias | 0a, 1a |
# | 1c | [Appendix: the same sum in another order](01c_convolution_kernels.ipynb) | 40 | explain the faster ways to a convolution, and which of them rounds | 1a |
#
# ### 2 · Batch normalisation
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 2a | [Batch normalisation](02a_batch_norm.ipynb) | 55 | say what it does to a channel, choose between two formulas for its variance, and keep running statistics | 0a |
# | 2b | [Batch normalisation, backward](02b_batch_norm_backward.ipynb) | 55 | derive its backward way by way, and say what it takes away from a gradient | 0a, 0b, 2a |
#
# ### 3 · Pooling
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 3a | [Average pooling, and why 1/HW](03a_average_pooling.ipynb) | 60 | say what a mean keeps of a picture and why attention pools with it, and derive its backward | 0a, 0b |
# | 3b | [Max pooling, ties and windows](03b_max_pooling.ipynb) | 60 | write the backward of a maximum, over ties and over windows that overlap | 3a |
# | 3c | [Which pooling for which question](03c_which_pooling.ipynb) | 50 | derive all that lies between the mean and the maximum, and choose for a given question | 3a, 3b |
#
# ### 4 · The gate, and ARM
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 4a | [The sigmoid gate](04a_sigmoid_gate.ipynb) | 55 | write a sigmoid that never overflows, derive what comes back through a gate, and say when it stops learning | 0a, 0b |
# | 4b | [ARM by hand](04b_arm.ipynb) | 60 | derive every gradient of the paper's module, and read the gates of a trained network | 4a |
# | 4c | [What batch normalisation does inside ARM](04c_batch_size.ipynb) | 40 | say whom a gate depends on, and what goes wrong with one image and with two | 4b |
#
# ### 5 · ARM in its versions
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 5a | [ARM in three versions](05a_arm_versions.ipynb) | 60 | tell the paper's, the article's and the repositories' modules apart, and find what no key of a weight file shows | 4b |
# | 5b | [ARM with its 3×3, derived](05b_arm_derivation.ipynb) | 60 | derive fourteen gradients from the output down to the 3×3, and see which pixels a prediction hears | 4b, 5a |
#
# ### 6 · Relatives
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 6a | [Channel attention: eSE, SE and ECA](06a_channel_attention.ipynb) | 60 | read a channel attention as ARM with one arrow replaced, and derive three backwards | 4b |
# | 6b | [Relatives: what a small branch costs, CBAM, coordinate attention](06b_relatives.ipynb) | 60 | say how many numbers a gate has to say and whether a branch has room for them | 6a |
# | 6c | [SimAM, and what a gate cannot see](06c_what_a_gate_cannot_see.ipynb) | 55 | derive a gate without weights, and say to which changes of the image a formula is blind | 6a, 6b |
#
# ### 7 · Spatial attention
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 7a | [Spatial attention: a gate for each position](07a_spatial_attention.ipynb) | 60 | pool over channels, and teach SAR, the article's gate, to be open where a seven is | 4a |
# | 7b | [SAR's backward](07b_sar_backward.ipynb) | 55 | derive every gradient of SAR, and tell a check that failed from one that does not apply | 7a, 1b, 2b |
# | 7c | [What "spatial" means](07c_what_spatial_means.ipynb) | 45 | test whether a gate looks at its neighbourhood, and name five defects of the article's listings | 7a |
#
# ### 8 · BiSeNet
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 8a | [Resizing and feature fusion](08a_resizing_and_fusion.ipynb) | 60 | bring two feature maps together, whatever their sizes, and derive what each gets back | 4a, 2b |
# | 8b | [ARM16 and ARM32 in a network](08b_bisenet.ipynb) | 50 | follow an image through BiSeNet and its gradient back, and find every plus sign on the way | 4b, 8a |
# | 8c | [A trained BiSeNet, and the article's network](08c_bisenet_measured.ipynb) | 55 | find out by grafting which way a trained network uses, and tell the paper's network from the article's | 8a, 8b |
#
# ### 9 · Context
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 9a | [A task that provably needs context](09a_context.ipynb) | 60 | prove that no weights of a local network solve it, and read the gates of one that does | 4b, 3a |
# | 9b | [Counting, and training](09b_training.ipynb) | 60 | count what a network has learned, write Adam, and train two networks with gradients derived by hand | 9a |
#
# ### 10 · The article's claims
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 10a | [Counting: parameters and multiply-adds](10a_counting.ipynb) | 55 | say of each claim about the cost of ARM which part of the module it is true of, and count it by hand | 4b, 5a, 8b |
# | 10b | [The claims, measured](10b_measured_claims.ipynb) | 60 | put an interval around a few seeds, and tell *no difference seen* from *no difference* | 9b, 10a |
#
# ### 11 · The GPU
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 11a | [The GPU: the same source on CuPy](11a_gpu.ipynb) | 60 | write code that runs on a GPU unchanged, and find what makes it wait, copy or grow to float64 | 0a, 4a, 4b |
# | 11b | [Counted rather than timed, and a first kernel](11b_kernels.ipynb) | 60 | say how fast an operation can be at best, count what it launches, and write a kernel with a guard and a barrier | 4a, 11a |
# | 11c | [TF32, the order of sums, and DLPack](11c_rounding_and_dlpack.ipynb) | 60 | tell a rounding error from a bug, and share memory with PyTorch | 0b, 1a, 11a |
#
# ### 12 · More than one process
#
# | | lesson | minutes | you will | needs |
# |---|---|---|---|---|
# | 12a | [Batch normalisation across ranks](12a_synchronised_batch_norm.ipynb) | 60 | put means and variances of parts together, derive what ranks tell each other forward and backward, and see gates with and without | 2b, 4c |
# | 12b | [A step shared out](12b_data_parallel.ipynb) | 60 | write data parallel training in twenty lines, and say for how many ranks a step is shortest | 9b, 12a |
#
# ## Where things are
#
# - The modules by hand: [armlab/hand](../armlab/hand/__init__.py), with the legend of all letters.
# - The same modules in PyTorch: [armlab/torch](../armlab/torch/__init__.py).
# - The checks: [armlab/check](../armlab/check/__init__.py).
#
# The lessons run on a CPU, without a network. Outside the notebooks there is a command; `armlab --help` lists what it does.

"""The bridge: a module by hand as a layer of PyTorch, and a module of PyTorch as a layer by hand.

    layer = armlab.torch.by_hand(arm)              # an nn.Module: torch.optim trains it
    net.refine = armlab.torch.by_autograd(module)  # an armlab.hand.Module: HandLearner trains it

Nothing is copied on the way: `sharing` has one memory under two names. Nowhere else do
`armlab.hand` and PyTorch meet in one file.
"""

"""Wrong versions of gather.cu: (page, right, wrong, case, what is wrong)."""

CHANGES = [  # (right, wrong, what is wrong)
    ("down.rest || down.i >= v.oh", "down.i >= v.oh", "rows that no tap met get some"),
    ("along.rest || along.i >= v.ow", "along.rest", "columns behind the result"),
    ("rest < 0) i--, rest += stride", "rest < 0) rest += stride", "a tap that looks from too far"),
    ("rest -= step.rest", "rest -= 0", "what the stride leaves over forgotten"),
    ("column + v.q, v.u", "column, v.u", "the padding of columns forgotten"),
    ("down.next(g.down, v.t)", "down.next(g.along, v.t)", "the other axis' step"),
    ("sum += dws[", "sum = dws[", "the last image alone"),
    ("weight >= g.weights", "weight > g.weights", "one weight too many"),
    ("n * g.weights + weight", "n + weight * v.n", "images by turns"),
    (": db + k;", ": db;", "one db for all channels"),
    ("if (first + q < planes) sum[q]", "sum[q]", "gradients of channels that are not there"),
    ("if (first + q < planes) dx", "dx", "pixels of channels that are not there"),
    ("tap[q * taps * pixels + along.i]", "tap[along.i]", "the first channel for all four"),
    ("sum[q] += tap", "sum[q] = tap", "the last tap alone"),
]
FAULTS = [("gather", right, wrong, "conv2d", what) for right, wrong, what in CHANGES]

"""Wrong versions of arrays_at_once.cu: (page, right, wrong, what is judged, what is wrong).

No case of `armlab.check` is about them: "step" and "with_finite" are judged in
tests/training/test_cuda_steps.py.
"""

PAGE = "arrays_at_once"
STEP = [
    (
        "if (parts.part[middle].block <= block)",
        "if (parts.part[middle].block < block)",
        "a block late",
    ),
    (
        "(long long)(block - part.block) * blockDim.x",
        "(long long)block * blockDim.x",
        "the buffer's place",
    ),
    ("buffer[at.in_buffer] = inside ?", "buffer[at.in_buffer] = true ?", "reads behind the arrays"),
    ("velocity ? times(rule.momentum, velocity[at.in_buffer]) + g : g;", "g;", "no momentum"),
    ("v = velocity ?", "v = velocity || true ?", "reads a velocity before there is one"),
    ("part.decayed ? times", "true ? times", "biases decay"),
    ("times(decay, w[at.in_buffer]) + g : g;", "times(decay, g) + g : g;", "decays the gradient"),
    ("times(rule.rest1, g);", "times(rule.rest2, g);", "1 - β₂ for 1 - β₁"),
    ("times(times(rule.rest2, g), g);", "times(rule.rest2, g);", "the mean of g for that of g²"),
    ("s = times(rule.b2, square ? square[at.in_buffer] : 0) + s;", "", "forgets earlier squares"),
    ("sqrt(s) / rule.root + rule.eps", "sqrt(s + rule.eps) / rule.root", "eps under the root"),
    ("sqrt(s) / rule.root + rule.eps", "sqrt(s) + rule.eps", "no correction of the second moment"),
    (
        "stepped = times(m / length, rule.rate)",
        "stepped = rule.rate * m / length",
        "another rounding",
    ),
    ("__fmul_rn(a, b)", "a * b", "products fused with sums"),
    (
        "new_mean[at.in_buffer] = m;",
        "new_mean[at.in_buffer] = m; if (mean) ((real*)mean)[at.in_buffer] = m;",
        "writes into the moment of the step before",
    ),
    (
        "parts.part[i]);\n  real m",
        "parts.part[i]);\n  if (parts.first) return;\n  real m",
        "the first launch alone",
    ),
]
FINITE = [
    ("block += gridDim.x) {", "block += 2 * gridDim.x) {", "every other block is left out"),
    ("odd += !(x - x == 0);", "odd += x != x;", "infinities pass"),
    ("if (here >= parts.part[i].size) continue;", "", "reads behind the arrays"),
    ("odd = __syncthreads_or(odd);", "", "the first thread's finding alone"),
    ("if (at == 1 && blockIdx.x == 0) found[0] = *loss;", "", "no loss"),
    ("found[at + blockIdx.x] =", "found[1] =", "blocks write to one place"),
]
FAULTS = [(PAGE, right, wrong, "step", what) for right, wrong, what in STEP]
FAULTS += [(PAGE, right, wrong, "with_finite", what) for right, wrong, what in FINITE]

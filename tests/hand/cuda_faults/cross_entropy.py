"""Wrong versions of cross_entropy.cu: (page, right, wrong, case, what is wrong)."""

PAGE = CASE = "cross_entropy"
JOINT = [  # of several outputs, judged in tests/hand/test_cuda_cross_entropy.py
    ("outputs.a[blockIdx.x / v.blocks]", "outputs.a[0]", "the first output's loss for each"),
    ("outputs.a[output];", "outputs.a[0];", "the first output's gradient for each"),
    ("of_block += v.blocks", "of_block += v.blocks / 2", "the sums of half an output further on"),
    ("da += output *", "da += 0 *", "all gradients in one place"),
]
FAULTS = [
    (PAGE, right, wrong, CASE, what)
    for right, wrong, what in (
        (
            "if (at < v.images * v.pixels) {",
            "if (at <= v.images * v.pixels) {",
            "one pixel more than there are",
        ),
        ("labels[at] != v.ignored && ", "", "an ignored class still counts"),
        ("at / v.pixels * v.classes * v.pixels", "at / v.pixels * v.pixels", "the first image's"),
        ("counts ? (weight ? weight[label]", "counts ? (false ? weight[label]", "weights left out"),
        ("exp(a[k * v.pixels] - largest);", "exp(a[k * v.pixels]);", "z is not below the largest"),
        ("long long k = 1; k < v.classes", "long long k = 1; k + 1 < v.classes", "no last class"),
        ("    __syncthreads();\n    if (row", "    if (row", "a barrier is missing"),
        ("int half = rows / 2;", "int half = rows / 4;", "half of a block is left out"),
        ("if (p.q != 0) {", "if (p.q != 0 || true) {", "ignored pixels multiplied by 0"),
        ("below - log(of.z)", "below - of.z", "no logarithm"),
        ("block < v.blocks; block += THREADS", "block + 1 < v.blocks; block++", "no last block"),
        ("-sums.b / sums.a;", "-sums.b / (sums.a + 1);", "the mean over one pixel too many"),
        (
            "for (long long k = 0; k < v.classes; k++) {",
            "for (long long k = 0; counts && k < v.classes; k++) {",
            "ignored pixels keep what was in memory",
        ),
        ("(probability * p.q - (k == p.label ? p.q : 0))", "(probability - (k == p.label))", "(4)"),
        ("(dloss ? *dloss : number) / loss", "number / loss", "no upstream gradient"),
        (" * share :", " * share * real(1 + 1e-5) :", "a factor of 1 + 1e-5"),
    )
]
FAULTS += [(PAGE, right, wrong, "joint_loss", what) for right, wrong, what in JOINT]

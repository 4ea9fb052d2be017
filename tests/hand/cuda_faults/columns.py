"""Wrong versions of columns.cu: (page, right, wrong, case, what is wrong)."""

FAULTS = [
    (
        "columns",
        "if (at >= v.n * v.c * v.r * v.s * v.oh * v.ow) return;",
        "if (at > v.n * v.c * v.r * v.s * v.oh * v.ow) return;",
        "conv2d",
        "one thread more than there are columns",
    ),
    (
        "columns",
        "const bool inside = row >= 0 && row < v.h && column >= 0 && column < v.w;",
        "const bool inside = row >= 0 && row < v.h && column >= 0 && column <= v.w;",
        "conv2d",
        "a column behind the image is read",
    ),
    ("columns", "v.t * i + v.d * r - v.p", "v.t * i + r - v.p", "conv2d", "dilation left out"),
    ("columns", "v.u * j + v.e * s - v.q", "v.t * j + v.e * s - v.q", "conv2d", "the other stride"),
    ("columns", ": real(0);  // (1)", ": real(1e-3);  // (1)", "conv2d", "padding is not 0"),
    ("columns", "down % v.t || i >= v.oh", "i >= v.oh", "conv2d", "rows that no tap met get some"),
    ("columns", "along % v.u || j >= v.ow", "along % v.u", "conv2d", "columns behind the result"),
    ("columns", "sum += dws[", "sum = dws[", "conv2d", "the last image alone"),
    ("columns", "weight >= g.weights", "weight > g.weights", "conv2d", "one weight too many"),
    ("columns", "n * g.weights + weight", "n + weight * v.n", "conv2d", "images by turns"),
    ("columns", "sum += dcolumns[", "sum = dcolumns[", "conv2d", "the last tap alone"),
]

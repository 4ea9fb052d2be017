"""Wrong versions of the pages of gates, pools and resizing; see `columns.py`."""

BARRIER = "    __syncthreads();\n"

FAULTS = [
    # tiles
    (
        "means",
        BARRIER + "    if (t.row < half) *mine",
        "    if (t.row < half) *mine",
        "channel_mean",
        "a barrier missing between the halves",
    ),
    (
        "gate",
        BARRIER + "    if (t.row < half) *mine",
        "    if (t.row < half) *mine",
        "sigmoid_gate",
        "a barrier missing between the halves",
    ),
    ("means", "half * t.lanes", "half", "global_avg_pool", "a neighbour added instead of a row"),
    ("means", "lane = along ? t / rows", "lane = along ? 0", "strip_mean", "all in one lane"),
    (
        "means",
        "result / v.after * v.count * v.after + result % v.after",
        "result * v.count",
        "channel_mean",
        "terms taken to lie side by side",
    ),
    ("means", "result < v.before * v.after}", "true}", "global_avg_pool", "results there are not"),
    # means
    ("means", "terms[q * v.after]", "terms[q]", "channel_mean", "neighbours for channels"),
    ("means", "n < v.images", "n < 1", "conv2d", "a bias hears the first image alone"),
    ("means", "q < v.count", "q + 1 < v.count", "strip_mean", "the last term left out"),
    ("means", "total / divisor", "total", "global_avg_pool", "sum for mean"),
    # largest
    ("largest", "? q < r : x > y", "? q > r : x > y", "global_max_pool", "the last of equals"),
    ("largest", "? q < r : x > y", "? true : x > y", "channel_max", "any of equals, by order"),
    (
        "largest",
        BARRIER + "    const int other",
        "    const int other",
        "global_max_pool",
        "a barrier missing between the halves",
    ),
    (
        "largest",
        "plane % v.count == winner[result]",
        "plane % v.count >= winner[result]",
        "channel_max",
        "all behind the winner get its gradient",
    ),
    (
        "largest",
        "real best = 0;\n  long long place = -1;",
        "real best = 0;\n  long long place = 0;",
        "global_max_pool",
        "a 0 that is not there takes part",
    ),
    # gate
    ("gate", "ds * s * (1 - s);  // (4)", "ds * s;  // (4)", "sigmoid_gate", "1 - s forgotten"),
    ("gate", "dx[at] = dy[at] * s", "dx[at] = dy[at]", "sigmoid_gate", "dx not gated"),
    ("gate", "part += dy[at] * x[at]", "part += dy[at]", "sigmoid_gate", "x left out of da"),
    (
        "gate",
        "exp(a > real(40) ? real(40) : a)",
        "exp(a)",
        "sigmoid_gate",
        "overflow where a is large",
    ),
    (
        "gate",
        "a[at / v.after / v.count * v.after + at % v.after]",
        "a[at / v.after / v.count]",
        "sigmoid_gate",
        "one gate for all positions",
    ),
    ("gate", "if (at < count) s[at]", "if (at <= count) s[at]", "sigmoid", "one thread too many"),
    ("gate", "ds[at] * s[at] * (1 - s[at])", "ds[at] * s[at]", "sigmoid", "1 - s forgotten"),
    # simam
    (
        "simam",
        "real(v.count - 1);  // (2)",
        "real(v.count);  // (2)",
        "simam_logits",
        "variance by m",
    ),
    (
        "simam",
        "const real d = of[i] - middle;  // (1)",
        "const real d = of[i];  // (1)",
        "simam_logits",
        "squares not centred",
    ),
    ("simam", "(up[i] - level) - average", "(up[i] - level)", "simam_logits", "mean not passed"),
    ("simam", "const real level = 4 *", "const real level =", "simam_logits", "a 4 lost in (6)"),
    # pool
    ("pool", "other > best ||", "other >= best ||", "max_pool2d", "the last of equals"),
    ("pool", "if (winner[window] ==", "if (winner[window] >=", "max_pool2d", "other taps won too"),
    ("pool", "sum += dy[window]", "sum = dy[window]", "max_pool2d", "the last window alone"),
    ("pool", "down % v.t || i >= v.oh", "down % v.t", "max_pool2d", "rows behind the result"),
    (
        "pool",
        "row < 0 || row >= v.h",
        "row < 0 || row > v.h",
        "max_pool2d",
        "a row below the image takes part",
    ),
    # resize
    (
        "resize",
        "(2 * i + 1) * size - out",
        "2 * i * size",
        "resize_bilinear",
        "pixels begin at their corner",
    ),
    (
        "resize",
        "below = h + 1 < v.h ? h + 1 : h",
        "below = h + 1",
        "resize_bilinear",
        "a row below the image is read",
    ),
    ("resize", "2 * out * (h + 1)", "2 * out * h", "resize_bilinear", "upper half of a tent"),
    (
        "resize",
        "(out * (2 * h - 1) - size) / (2 * size)",
        "out * h / size",
        "resize_bilinear",
        "lower half of a tent",
    ),
    ("resize", "sum += a * b *", "sum += a *", "resize_bilinear", "columns without weights"),
    (
        "resize",
        "i * v.h < (h + 1) * v.oh",
        "i * v.h <= (h + 1) * v.oh",
        "resize_nearest",
        "a row of the next pixel",
    ),
    ("resize", "(w * v.ow + v.w - 1) / v.w", "w * v.ow / v.w", "resize_nearest", "one too early"),
    # concat
    ("concat", ": x2[n * second +", ": x2[n * first +", "concat_channels", "strides of the other"),
    ("concat", "k < first ? x1", "k <= first ? x1", "concat_channels", "one number too many"),
    (
        "concat",
        "dx2[n * second + k - first] = dy[at]",
        "dx2[n * second + k - first] = dy[k]",
        "concat_channels",
        "the first image for all",
    ),
    # conv1d
    (
        "conv1d",
        "direction * (k - r / 2)",
        "k - r / 2",
        "channel_conv1d",
        "not turned round on the way back",
    ),
    ("conv1d", "channel + step >= c", "channel + step > c", "channel_conv1d", "the next image"),
    (
        "conv1d",
        "t.result - v.before / 2",
        "v.before / 2 - t.result",
        "channel_conv1d",
        "dw turned round",
    ),
]

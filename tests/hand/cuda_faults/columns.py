"""Wrong versions of columns.cu: (page, right, wrong, case, what is wrong)."""

CHANGES = [  # (right, wrong, what is wrong)
    ("at - (planes + PLANES - 1) / PLANES * pixels", "at - planes * pixels", "w laid out in part"),
    ("if (first + q < planes) *to[q]", "*to[q]", "channels that are not there"),
    ("first + q < planes && (first", "(first", "ones below channels that are not there"),
    ("column >= 0 && column < v.w", "column >= 0 && column <= v.w", "a column behind the image"),
    ("top + v.d * r < v.h;", "top + v.d * r <= v.h;", "a row behind the image"),
    ("from += v.d * v.w", "from += v.w", "dilation left out"),
    ("v.u * j - v.q", "v.t * j - v.q", "the other stride"),
    (": real(0);  // (1)", ": real(1e-3);  // (1)", "padding is not 0"),
    ("from[q * of_x + v.e * s]", "from[v.e * s]", "the first channel for all four"),
    ("v.ones ? (first + q) / v.each : 0", "0", "ones of earlier groups forgotten"),
    ("(first + q) % v.each == v.each - 1", "first + q == planes - 1", "ones below the last group"),
    ("*to[q] = real(1);", "*to[q] = real(1) + real(1e-3);", "ones that are not 1"),
    ("row % (v.weights / v.taps)", "row", "images read weights behind the last"),
    ("at % (v.taps + v.biased)", "at % v.taps", "weights without their bias"),
    (": b[channel];", ": b[0];", "the bias of the first channel for all"),
    ("if (at >= v.numbers) return;", "if (at > v.numbers) return;", "one number too many laid out"),
]
FAULTS = [("columns", right, wrong, "conv2d", what) for right, wrong, what in CHANGES]

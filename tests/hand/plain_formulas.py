"""Published formulas in Python's own floats and loops, for the modules that no package has.

A value x[n][c][i][j] is a list of lists of lists of lists, and every sum is written out, so that
no mistake about an axis can be made twice. p holds a module's weights by key.
"""

import math
from itertools import product


def shape(x):
    return len(x), len(x[0]), len(x[0][0]), len(x[0][0][0])


def build(sizes, element):
    """The value whose element (n, c, i, j) is element(n, c, i, j)."""
    if not sizes:
        return element()
    return [build(sizes[1:], lambda *at, k=k: element(k, *at)) for k in range(sizes[0])]


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def relu(a, slope=0.0):
    return a if a > 0 else slope * a


def hard_swish(a):
    return a * min(max(a + 3, 0), 6) / 6


def each(function, x):
    return build(shape(x), lambda n, c, i, j: function(x[n][c][i][j]))


def conv(x, w, bias=None):
    """Stride 1, and as many zeros around x as keep its size."""
    (count, channels, height, width), (out, _, rows, cols) = shape(x), shape(w)

    def element(n, k, i, j):
        total = bias[k] if bias else 0.0
        for c, r, s in product(range(channels), range(rows), range(cols)):
            y, z = i + r - rows // 2, j + s - cols // 2
            if 0 <= y < height and 0 <= z < width:
                total += w[k][c][r][s] * x[n][c][y][z]
        return total

    return build((count, out, height, width), element)


def batch_norm(x, p, name, training):
    count, channels, height, width = shape(x)
    mean, var = p[f"{name}.running_mean"], p[f"{name}.running_var"]
    if training:
        places = list(product(range(count), range(height), range(width)))
        m, cs = len(places), range(channels)
        mean = [sum(x[n][c][i][j] for n, i, j in places) / m for c in cs]
        var = [sum((x[n][c][i][j] - mean[c]) ** 2 for n, i, j in places) / m for c in cs]
    w, b = p[f"{name}.weight"], p[f"{name}.bias"]

    def element(n, c, i, j):
        return w[c] * (x[n][c][i][j] - mean[c]) / math.sqrt(var[c] + 1e-5) + b[c]

    return build(shape(x), element)


def over_positions(function, x):
    """function of all values of each channel: (N, C, 1, 1)."""
    count, channels, height, width = shape(x)
    places = list(product(range(height), range(width)))
    return [
        [[[function([x[n][c][i][j] for i, j in places])]] for c in range(channels)]
        for n in range(count)
    ]


def over_channels(function, x):
    """function of all channels of each position: (N, 1, H, W)."""
    count, channels, height, width = shape(x)
    return build(
        (count, 1, height, width),
        lambda n, _, i, j: function([x[n][c][i][j] for c in range(channels)]),
    )


def mean(values):
    return sum(values) / len(values)


def stacked(*maps):
    """One behind the other along the channels."""
    return [[channel for m in maps for channel in m[n]] for n in range(len(maps[0]))]


def bilinear(x, height, width):
    """Between the two nearest rows and columns, pixel centres half a pixel in."""

    def between(k, out, size):
        at = min(max((k + 0.5) * size / out - 0.5, 0.0), size - 1.0)
        low = min(int(at), max(size - 2, 0))
        return low, min(low + 1, size - 1), at - low

    def element(n, c, i, j):
        (top, bottom, v), (left, right, h) = (
            between(i, height, shape(x)[2]),
            between(j, width, shape(x)[3]),
        )
        above = (1 - h) * x[n][c][top][left] + h * x[n][c][top][right]
        below = (1 - h) * x[n][c][bottom][left] + h * x[n][c][bottom][right]
        return (1 - v) * above + v * below

    return build((*shape(x)[:2], height, width), element)


def effective_se(p, training, x):
    a = conv(over_positions(mean, x), p["fc.weight"], p["fc.bias"])
    return build(shape(x), lambda n, c, i, j: x[n][c][i][j] * sigmoid(a[n][c][0][0]))


def eca(p, training, x):
    z, w = over_positions(mean, x), p["conv.weight"][0][0]

    def logit(n, c):
        near = range(max(0, c - len(w) // 2), min(shape(x)[1], c + len(w) // 2 + 1))
        return sum(w[b - c + len(w) // 2] * z[n][b][0][0] for b in near)

    return build(shape(x), lambda n, c, i, j: x[n][c][i][j] * sigmoid(logit(n, c)))


def simam(p, training, x, lambda_=1e-4):
    def element(n, c, i, j):
        values = [value for row in x[n][c] for value in row]
        mu = mean(values)
        v = sum((value - mu) ** 2 for value in values) / (len(values) - 1)
        return x[n][c][i][j] * sigmoid((x[n][c][i][j] - mu) ** 2 / (4 * (v + lambda_)) + 0.5)

    return build(shape(x), element)


def coordinate_attention(p, training, x):
    count, channels, height, width = shape(x)

    def strip(n, c, k, _):
        return mean(x[n][c][k]) if k < height else mean([row[k - height] for row in x[n][c]])

    z = build((count, channels, height + width, 1), strip)
    u = batch_norm(conv(z, p["conv1.weight"], p["conv1.bias"]), p, "bn1", training)
    f = each(hard_swish, u)
    a_h = conv(f, p["conv_h.weight"], p["conv_h.bias"])  # the last W of these are not used
    a_w = conv(f, p["conv_w.weight"], p["conv_w.bias"])  # and the first H of these

    def element(n, c, i, j):
        return x[n][c][i][j] * sigmoid(a_h[n][c][i][0]) * sigmoid(a_w[n][c][height + j][0])

    return build(shape(x), element)


def uafm_logits(p, training, m, activation):
    u = conv(m, p["conv_atten.0.conv.weight"])
    v = each(activation, batch_norm(u, p, "conv_atten.0.bn", training))
    return batch_norm(conv(v, p["conv_atten.1.conv.weight"]), p, "conv_atten.1.bn", training)


def share(s, one, other):
    """one s + other (1 - s), where s has one value for each position or for each channel."""
    _, channels, height, width = shape(s)

    def element(n, c, i, j):
        here = s[n][c % channels][i % height][j % width]
        return one[n][c][i][j] * here + other[n][c][i][j] * (1 - here)

    return build(shape(one), element)


def uafm_spatial(p, training, high, low):
    up = bilinear(high, *shape(low)[2:])
    m = stacked(*(over_channels(f, x) for x in (up, low) for f in (mean, max)))
    return share(each(sigmoid, uafm_logits(p, training, m, relu)), up, low)


def uafm_channel(p, training, high, low):
    up = bilinear(high, *shape(low)[2:])
    m = stacked(*(over_positions(f, x) for x in (up, low) for f in (mean, max)))
    a = uafm_logits(p, training, m, lambda value: relu(value, 0.01))
    return share(each(sigmoid, a), up, low)


def paddle_spatial(p, training, high, low):
    """PaddleSeg's UAFM_SpAtten: low comes first, and s is its share."""
    up = bilinear(high, *shape(low)[2:])
    m = stacked(*(over_channels(f, x) for x in (low, up) for f in (mean, max)))
    return share(each(sigmoid, uafm_logits(p, training, m, relu)), low, up)


def paddle_channel(p, training, high, low):
    """PaddleSeg's UAFM_ChAtten: both means first, low before up, and s is the share of low."""
    up = bilinear(high, *shape(low)[2:])
    m = stacked(*(over_positions(f, x) for f in (mean, max) for x in (low, up)))
    a = uafm_logits(p, training, m, lambda value: relu(value, 0.01))
    return share(each(sigmoid, a), low, up)


def attentionout(p, training, x):
    a = batch_norm(conv(x, p["conv_atten.weight"]), p, "bn_atten", training)
    return build(shape(x), lambda n, c, i, j: x[n][c][i][j] * sigmoid(a[n][c][i][j]))


def listed_sar(p, training, x):
    u = batch_norm(conv(x, p["conv_reduce.conv.weight"]), p, "conv_reduce.bn", training)
    r = each(lambda value: relu(value, 0.01), u)
    m = stacked(over_channels(mean, r), over_channels(max, r))
    a = batch_norm(conv(m, p["conv_atten.weight"]), p, "bn_atten", training)
    return build(shape(x), lambda n, c, i, j: x[n][c][i][j] * sigmoid(a[n][0][i][j]))


def sar(p, training, x):
    u = conv(listed_sar(p, training, x), p["conv1.conv.weight"])
    return each(lambda value: relu(value, 0.01), batch_norm(u, p, "conv1.bn", training))

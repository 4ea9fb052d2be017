"""NaN and infinity: noticed in the step in which they appear, and named by the first place.

Nothing listens in on an ordinary step. After it the learners add up what the run goes on from, the
weights, the statistics and the optimiser's state; the sum stays on the device and is read together
with the loss. On CuPy one kernel looks at all of it, and what it found is read so. A gradient that
is not finite is in the optimiser's state for good, so it need not be asked for. Only where loss or
sum is not finite, the step is run again, this time watched, to name the first value that was not.

What stays unnoticed has changed nothing. A NaN in the output of any layer is passed on by every
function up to the loss, and in training also into the statistics behind it; only where a pixel
is ignored does the loss leave it out, and then its logits count for nothing. An infinity can end
where a function is flat: -inf in ReLU, either in a gate's sigmoid, -inf among the logits of
classes that are not the label's. There the step is the same, bit for bit, as with a large finite
number in its place (a test puts both into each output in turn), so there is nothing to stop for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from armlab.arrays import Array, array_namespace, flat, to_host
from armlab.hand import kernels


class NotFinite(ArithmeticError):
    """A value of a step is NaN or infinite; the message is its name."""


def expect_finite(named: Iterable[tuple[str, Array]]) -> None:
    """Raise NotFinite with the first name whose array holds a NaN or an infinity."""
    for name, a in named:
        if not np.isfinite(to_host(a)).all():
            raise NotFinite(name)


def kept_values(net: Mapping[str, Array], optimiser: Mapping[str, Any]) -> dict[str, Array]:
    """What the next step goes on from, by its name in an error."""
    found = {f"the updated {key}": a for key, a in net.items()}
    return found | {f"the optimiser's {key}": a for key, a in optimiser.items() if key != "steps"}


def with_finite(loss: Array, arrays: Iterable[Array]) -> Array:
    """The loss, and behind it one number or more, all finite where all values of the arrays are.

    Counters do not count, nor does what else has another dtype than the loss.
    """
    if kernel := kernels.choose("with_finite", loss, arrays):
        return kernel(loss, arrays)
    return array_namespace(loss).stack([loss, total(arrays, loss)])


def total(arrays: Iterable[Array], like: Array) -> Array:
    """The sum over all these arrays but counters, those of another dtype than `like`.

    It is finite where all of them are, unless they are so large that their sum is not: then the
    second, watched look finds nothing.
    """
    return array_namespace(like).sum(flat(a for a in arrays if a.dtype == like.dtype))

"""Of chapter 4."""

import numpy as np

from armlab.arrays import unbroadcast
from wrong_answers.answer import Wrong

WRONG: Wrong = {
    "sigmoid": [
        (lambda a: 0.5 + 0.5 * np.tanh(0.5 * a), "cancels where s is small"),
    ],
    "sigmoid_gate_backward": [
        (lambda dy, x, s: (dy * s, dy * x * s * (1 - s)), "broadcast gate is not summed"),
        (lambda dy, x, s: (dy * s, unbroadcast(dy * x, s.shape) * s), "factor 1 - s is missing"),
        (lambda dy, x, s: (dy * s, unbroadcast(dy * x, s.shape)), "this is ds"),
        (lambda dy, x, s: (dy, unbroadcast(dy * x, s.shape) * s * (1 - s)), "dx = dy s"),
        (
            lambda dy, x, s: (
                dy * s,
                unbroadcast(dy * x, s.shape) * (s.size / x.size) * s * (1 - s),
            ),
            "repeated gate are averaged",
        ),
    ],
    "paper_arm_backward": [
        (lambda dy, gate_back, logits_back: gate_back(dy)[0], "x is used twice"),
    ],
    "usable_batches": [
        (lambda images, batch_size: (-(-images // batch_size), 0), "BN of one value is refused"),
        (lambda images, batch_size: divmod(images, batch_size), "two images would do"),
    ],
}

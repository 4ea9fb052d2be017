"""Images in memory, on which the tests train with several ranks in milliseconds."""

import numpy as np

VOID = 255


class Images:
    """A `Dataset` in memory: test image n is of its own size; what `void` marks does not count.

    Training images are the brighter, the higher their number: statistics of parts differ widely.
    """

    classes, ignore_index, told_apart, fingerprint = ("a", "b", "c"), VOID, (1, 2), "x"
    survey = None
    colours = np.eye(3)

    def __init__(self, void, void_test):
        self.void, self.void_test = void, void_test

    def batch(self, split, i, shape, void):
        rng = np.random.default_rng([split, i])
        image = (1 + i % 5) ** 2 * (i % 5 + rng.standard_normal((1, 3, *shape)))
        labels = rng.integers(0, 3, (1, *shape))
        return image, np.full_like(labels, VOID) if void else labels

    def training(self, indices):
        batches = [self.batch(0, i, (8, 12), self.void[i % len(self.void)]) for i in indices]
        images, labels = zip(*batches, strict=True)
        return np.concatenate(images), np.concatenate(labels)

    def testing(self, rank=0, ranks=1):
        for n in range(len(self.void_test))[rank::ranks]:
            yield self.batch(1, n, (8, 10 + n), self.void_test[n])

    def shown(self):
        return self.batch(1, 0, (8, 10), False)

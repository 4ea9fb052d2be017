"""A step of training shared out among ranks is the step of one process on the whole batch."""

import numpy as np
import pytest

from armlab.parallel.threads import in_threads
from armlab.training.config import Config
from armlab.training.ranks import batch_of
from armlab.training.start import loss_weights, make_dataset, make_learner

STEPS, BATCH = 50, 5


def curve(config, group=None):
    """The losses of all steps, and the state behind the last."""
    dataset = make_dataset(config)
    learner = make_learner(config, loss_weights(config, dataset), group)
    losses = []
    for step in range(config.steps):
        whole = range(step * config.batch, (step + 1) * config.batch)
        losses.append(learner.step(*batch_of(dataset, whole, group), config.rate(step)))
    return losses, learner.state_dict()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_curve_with_synchronised_statistics_is_that_of_one_process(size):
    config = Config(
        dtype="float64", steps=STEPS, batch=BATCH, size="48", channels=4, sync_batch_norm=True
    )
    losses, state = curve(config)
    ranks = in_threads(size, lambda group: curve(config, group))
    for found, states in ranks:
        np.testing.assert_allclose(found, losses, rtol=1e-12)
        for key, a in states.items():
            np.testing.assert_array_equal(a, ranks[0][1][key])
            scale = np.abs(state[key]).max()
            np.testing.assert_allclose(a, state[key], rtol=0, atol=1e-10 * scale)

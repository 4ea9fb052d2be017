"""What ranks say where they do not stand on the same ground, and how a batch is shared out."""

from dataclasses import replace

import numpy as np
import pytest

from armlab.hand.group import RankError
from armlab.parallel.shares import share_of
from armlab.parallel.threads import in_threads
from armlab.training import ranks
from armlab.training.config import Config
from armlab.training.start import expect_parts, make_dataset, make_learner

CONFIG = Config(steps=3, batch=6, size="48", channels=4)


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("images", [0, 1, 5, 6, 13])
def test_shares_are_the_whole_in_order_and_nearly_alike(size, images):
    whole = range(40, 40 + images)
    parts = [share_of(whole, rank, size) for rank in range(size)]
    assert [image for part in parts for image in part] == list(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_ranks_that_differ_are_named_on_every_rank():
    said = []

    def work(group):
        with pytest.raises(RankError, match=r"^rank 1, 3 has data that differ from those of rank"):
            ranks.expect_alike(group, "data", "abc" if group.rank in (0, 2) else "abd")
        said.append(group.rank)

    in_threads(4, work)
    assert sorted(said) == [0, 1, 2, 3]


def test_rank_that_stops_is_named_to_those_that_wait():
    said = {}

    def work(group):
        if group.rank == 1:
            raise OSError("no space")
        try:
            group.sum(np.ones(3))
        except RankError as error:
            said[group.rank] = str(error)
            raise

    with pytest.raises(OSError, match="no space"):
        in_threads(3, work)
    assert said == {r: f"rank {r} waited in an exchange, and rank 1 has stopped" for r in (0, 2)}


def test_batch_without_a_counted_pixel_is_skipped_on_all_ranks_and_one_on_some_is_not():
    def work(group):
        dataset, learner = make_dataset(CONFIG), make_learner(CONFIG, None, group)
        images, labels = ranks.batch_of(dataset, range(6), group)
        before = learner.state_dict()
        assert learner.step(images, np.full_like(labels, 255), 0.01) is None
        for key, a in learner.state_dict().items():
            np.testing.assert_array_equal(a, before[key])
        if group.rank == 1:
            labels[:] = 255
        return learner.step(images, labels, 0.01)

    first, *others = in_threads(3, work)
    assert first > 0
    assert others == [first, first]


@pytest.mark.parametrize(
    ("changes", "size", "words"),
    [
        ({"batch": 5}, 3, r"^expected a batch of at least 6, two images for each of 3 processes"),
        ({"batch": 5, "model": "bisenet", "attention": "none"}, 3, "model bisenet normalises"),
        ({"batch": 2, "backend": "torch"}, 3, r"^expected a batch of at least 3, an image for"),
    ],
)
def test_parts_that_are_too_small_are_refused(changes, size, words):
    with pytest.raises(ValueError, match=words):
        expect_parts(replace(CONFIG, **changes), size)
    expect_parts(replace(CONFIG, batch=2, sync_batch_norm=True), size)
    expect_parts(replace(CONFIG, batch=3, attention="none"), size)

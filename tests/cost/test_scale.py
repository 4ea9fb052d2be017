"""What ranks exchange is counted as they do it, and a step's time follows from it by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from armlab import cli, hand
from armlab.cost.exchanges import Exchange, exchanges
from armlab.cost.module_cost import ModuleCost
from armlab.cost.scale import Rank, Scale
from armlab.parallel.threads import in_threads
from armlab.training.config import Config
from armlab.training.ranks import batch_of
from armlab.training.start import make_dataset, make_learner, make_net

TOY = {"size": "48", "channels": 4, "batch": 6}
NETWORKS = [
    {**TOY, "attention": "none"},
    {**TOY, "attention": "arm"},
    {**TOY, "attention": "arm", "dtype": "float64"},
    {**TOY, "model": "toy-bisenet"},
    {**TOY, "model": "bisenet", "size": "64"},
]


class Counting:
    """A group that notes what a rank comes with."""

    def __init__(self, group):
        self.group, self.rank, self.size, self.seen = group, group.rank, group.size, []

    def gather(self, a):
        self.seen.append(("gather", a.nbytes))
        return self.group.gather(a)

    def sum(self, a):
        self.seen.append(("sum", a.nbytes))
        return self.group.sum(a)


@pytest.mark.parametrize("settings", NETWORKS)
@pytest.mark.parametrize("sync", [False, True])
def test_a_step_exchanges_what_is_counted(settings, sync):
    config = Config(**settings, sync_batch_norm=sync)
    dataset = make_dataset(config)

    def seen(group):
        counting = Counting(group)
        learner = make_learner(config, None, counting)
        learner.step(*batch_of(dataset, range(config.batch), counting), 0.1)
        return counting.seen

    counted = [(each.kind, each.given) for each in exchanges(make_net(config), sync)]
    assert len(counted) > 2 or not sync
    for found in in_threads(3, seen):
        assert sorted(found) == sorted(counted)
        assert (found[0], found[-1]) == (counted[0], counted[-1])


def ring_sum(arrays):
    """Each rank's sum, and numbers and messages that each has sent: parts travel round twice."""
    k = len(arrays)
    parts = [np.array_split(a.copy(), k) for a in arrays]
    sent = [[] for _ in arrays]
    for start, add in ((0, True), (1, False)):
        for turn in range(k - 1):
            passed = []
            for rank in range(k):
                at = (rank + start - turn) % k
                sent[rank].append(parts[rank][at].size)
                passed.append((rank, at, parts[rank][at].copy()))
            for rank, at, part in passed:
                to = parts[(rank + 1) % k]
                to[at] = to[at] + part if add else part
    return [np.concatenate(p) for p in parts], sent


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_a_sum_sends_what_a_ring_sends(ranks):
    rng, numbers = np.random.default_rng(ranks), 60  # all of these divide it
    arrays = rng.integers(0, 100, (ranks, numbers))
    sums, sent = ring_sum(arrays)
    for found in sums:
        np.testing.assert_array_equal(found, arrays.sum(0))
    of_8_bytes = Exchange("sum", "sum", 8 * numbers)
    for parts in sent:
        assert len(parts) == of_8_bytes.messages(ranks)
        assert 8 * sum(parts) == of_8_bytes.sent(ranks)


def test_a_gather_hands_each_array_on_round_the_ring():
    assert (Exchange("a", "gather", 12).messages(1), Exchange("a", "gather", 12).sent(1)) == (0, 0)
    assert (Exchange("a", "gather", 12).messages(5), Exchange("a", "gather", 12).sent(5)) == (4, 48)


def test_a_step_takes_the_largest_part_and_then_its_messages():
    net = hand.Conv2d(2, 3, 1, bias=False)  # 6 numbers, 6 multiply-adds a pixel
    scale = Scale(net, [(5, 2, 4, 7)], Rank(flops=1000.0, latency=0.5, bandwidth=10.0))
    step = scale.step(3)
    assert step.part == 2
    assert step.compute == 2 * 3 * 2 * (6 * 4 * 7) / 1000
    # 8 bytes to each of two others, and two thirds of the loss and 6 numbers twice
    assert step.messages == 2 + 4
    assert step.sent == 16 + 38  # 37 and a third
    assert step.exchange == pytest.approx(6 * 0.5 + (16 + 38) / 10)
    assert step.images_per_second == 5 / (step.compute + step.exchange)
    alone = scale.step(1)
    assert (alone.messages, alone.sent, alone.efficiency) == (0, 0, 1)
    assert step.efficiency == pytest.approx(step.images_per_second / 3 / alone.images_per_second)


def test_auxiliary_heads_train_as_well():
    net, shape = hand.ToyBiSeNet(rng=0), (1, 3, 64, 32)
    heads = net.copy().eval()
    heads.training = True
    with_heads = ModuleCost(heads, shape).total.multiply_adds
    assert with_heads > ModuleCost(net.copy().eval(), shape).total.multiply_adds
    assert Scale(net, [shape], Rank(1, 1, 1)).multiply_adds == with_heads
    assert (net.training, net.cp.training) == (
        True,
        True,
    )  # the one that was asked about is as it was


def printed(capsys, *arguments):
    code = cli.main(["cost", *arguments])
    return code, capsys.readouterr()


def test_command_prints_steps_for_numbers_of_ranks_up_to_the_one_asked_for(capsys):
    asked = ["ToyNet", "attention=arm", "--size", "48x40", "--batch", "7", "--processes", "6"]
    code, out = printed(capsys, *asked, "--json", "--tflops", "0.5")
    steps = json.loads(out.out)["processes"]["steps"]
    assert code == 0
    assert [step["own_statistics"]["ranks"] for step in steps] == [1, 2, 4, 6]
    assert [step["synchronised"]["part"] for step in steps] == [7, 4, 2, 2]
    code, out = printed(capsys, *asked, "--tflops", "0.5")
    table = out.out.split("a step of training on 7 images, shared out among ranks")[1]
    for step in steps:
        own, other = step["own_statistics"], step["synchronised"]
        line = next(row for row in table.splitlines() if row.startswith(f"{own['ranks']:6d} "))
        for way in (own, other):
            assert f"{way['messages']:,d}" in line
            assert f"{way['images_per_second']:,.1f}" in line
    assert "at 0.5 Tflop/s" in table


def test_readme_says_what_the_defaults_give(capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    asked = next(line for line in readme.splitlines() if "--processes 1024" in line)
    code, out = printed(capsys, *asked.split()[2:], "--json")
    step = next(
        step
        for step in json.loads(out.out)["processes"]["steps"]
        if step["own_statistics"]["ranks"] == 512
    )
    assert code == 0
    assert step["own_statistics"]["part"] == 2
    for way in step.values():
        assert f"{100 * way['efficiency']:.1f} %" in readme


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--processes", "0"], "--processes expected at least 1, got 0"),
        (["--latency", "3"], "--latency is that of each of several processes: give --processes"),
        (["--processes", "2", "--bandwidth", "0"], "--bandwidth expected a number above 0, got 0"),
        (["--processes", "2", "--tflops", "nan"], "--tflops expected a number above 0, got nan"),
    ],
)
def test_what_cannot_be_a_rank_is_refused(capsys, typed, said):
    with pytest.raises(SystemExit) as ended:
        cli.main(["cost", "ToyNet", "--size", "48x48", *typed])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err

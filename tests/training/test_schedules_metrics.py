"""Schedules against torch's schedulers; metrics against scikit-learn and a count by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, jaccard_score

from armlab.training.metrics import ConfusionMatrix
from armlab.training.schedules import SCHEDULES, constant, one_cycle, poly


def torch_rates(steps: int, base: float, scheduler) -> list[float]:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], base)
    schedule, rates = scheduler(optimiser), []
    for step in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if step < steps - 1:
            schedule.step()
    return rates


@pytest.mark.parametrize("steps", [2, 3, 7, 11, 600])
@pytest.mark.parametrize(("share", "start", "end"), [(0.3, 25.0, 1e4), (0.45, 10.0, 100.0)])
def test_one_cycle_equals_torch(steps, share, start, end):
    theirs = torch_rates(
        steps,
        1.0,
        lambda optimiser: torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            6e-3,
            total_steps=steps,
            pct_start=share,
            div_factor=start,
            final_div_factor=end,
            cycle_momentum=False,
        ),
    )
    ours = [one_cycle(step, steps, 6e-3, share, start, end) for step in range(steps)]
    # a handful of float64 roundings of values up to the peak
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=8 * 2.0**-53 * 6e-3 * 25)
    assert max(ours) <= 6e-3 * (1 + 1e-12)


def test_one_cycle_rises_to_its_peak_and_falls():
    rates = [one_cycle(step, 600, 6e-3) for step in range(600)]
    assert int(np.argmax(rates)) == 179
    assert rates[179] == pytest.approx(6e-3, rel=1e-12)
    assert np.all(np.diff(rates[:180]) > 0)
    assert np.all(np.diff(rates[179:]) < 0)
    assert rates[-1] == pytest.approx(6e-3 / 25 / 1e4)


def test_poly_equals_torch():
    theirs = torch_rates(
        50, 0.1, lambda o: torch.optim.lr_scheduler.PolynomialLR(o, total_iters=50, power=0.9)
    )
    # torch multiplies 50 ratios one after the other
    np.testing.assert_allclose([poly(s, 50, 0.1) for s in range(50)], theirs, rtol=50 * 4 * 2**-53)


@pytest.mark.parametrize(("schedule", "power"), [(poly, 0.9), (constant, 0.0)])
def test_a_linear_warm_up_equals_torch(schedule, power):
    def chained(optimiser):
        schedulers = torch.optim.lr_scheduler
        rising = schedulers.LinearLR(optimiser, 1 / 10, 1.0, total_iters=9)
        falling = schedulers.PolynomialLR(optimiser, total_iters=50, power=power)
        return schedulers.ChainedScheduler([rising, falling])

    rates = [schedule(step, 50, 0.1, 0.2) for step in range(50)]
    np.testing.assert_allclose(rates, torch_rates(50, 0.1, chained), rtol=50 * 8 * 2**-53)
    assert rates[0] == pytest.approx(0.01)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_rates_are_python_floats(name, steps):
    rates = [SCHEDULES[name](step, steps, np.float64(0.1)) for step in range(steps)]
    assert all(type(rate) is float and 0 < rate <= 0.1 * (1 + 1e-12) for rate in rates)
    assert constant(3, 10, 0.1) == 0.1


def drawn(seed: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=(2, 7, 9))
    predictions = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(classes))
    labels[rng.random(labels.shape) < 0.2] = 255
    return labels, predictions


@pytest.mark.parametrize("seed", range(5))
def test_confusion_matrix_equals_scikit_learn(seed):
    labels, predictions = drawn(seed, 4)
    matrix = ConfusionMatrix(4)
    matrix.add(labels[:1], predictions[:1])
    matrix.add(labels[1:], predictions[1:])
    counted = labels != 255
    y, p = labels[counted], predictions[counted]
    expected = jaccard_score(y, p, average=None, labels=range(4), zero_division=0)
    np.testing.assert_allclose(matrix.iou(), expected, rtol=1e-15)
    assert matrix.mean_iou() == pytest.approx(expected.mean(), rel=1e-15)
    assert matrix.pixel_accuracy() == pytest.approx(accuracy_score(y, p), rel=1e-15)
    for among in [(1, 3), (0, 1, 3), (2,)]:
        found = np.isin(y, among) & np.isin(p, among)
        assert matrix.accuracy_among(among) == pytest.approx((y == p)[found].mean(), rel=1e-15)
    assert np.isnan(matrix.accuracy_among(()))


def test_rows_are_labels_and_columns_predictions():
    matrix = ConfusionMatrix(3)
    matrix.add(np.array([0, 0, 0, 1, 255]), np.array([0, 2, 2, 1, 1]))
    assert matrix.counts.tolist() == [[1, 0, 2], [0, 1, 0], [0, 0, 0]]
    assert matrix.iou().tolist() == [1 / 3, 1.0, 0.0]


def test_a_class_in_neither_does_not_count_in_the_mean():
    matrix = ConfusionMatrix(5)
    matrix.add(np.array([0, 0, 1]), np.array([0, 1, 1]))
    assert np.isnan(matrix.iou()[2:]).all()
    assert matrix.mean_iou() == 0.5


def test_nothing_counted_is_nan_and_not_a_number_that_looks_good():
    matrix = ConfusionMatrix(3)
    matrix.add(np.full((2, 2), 255), np.zeros((2, 2), np.int64))
    values = [matrix.mean_iou(), matrix.pixel_accuracy(), matrix.accuracy_among((1, 2))]
    assert np.isnan(values).all()


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), "shape of the labels"),
        (np.array([3]), np.array([0]), "classes 0 to 2, got 0 to 3"),
        (np.array([0]), np.array([-1]), "got -1 to 0"),
    ],
)
def test_bad_counts_are_refused(labels, predictions, words):
    with pytest.raises(ValueError, match=words):
        ConfusionMatrix(3).add(labels, predictions)

"""Augmentation: each step alone on small arrays, and all of them from one generator."""

import colorsys

import numpy as np
import pytest

from armlab.data.augmentation import (
    CHANGE,
    PADDING,
    SCALES,
    as_float,
    augmented,
    centred,
    cropped,
    flipped,
    padded,
    recoloured,
    scaled,
)
from armlab.data.digits_and_photographs import MEAN, STD

IGNORE = 9


def pair(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel's label is a function of its red value, so that pixels can be followed."""
    image = np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)
    return image, image[:, :, 0] % 7


def test_flipping_moves_both_alike_and_twice_is_nothing():
    image, mask = pair(3, 5)
    mirrored, mirrored_mask = flipped(image, mask)
    assert np.array_equal(mirrored[:, 0], image[:, 4])
    assert np.array_equal(mirrored[:, :, 0] % 7, mirrored_mask)
    again = flipped(mirrored, mirrored_mask)
    assert np.array_equal(again[0], image)
    assert np.array_equal(again[1], mask)


@pytest.mark.parametrize("size", [(6, 8), (9, 30), (12, 17), (24, 34), (1, 1)])
def test_scaling_never_invents_a_label(size):
    image, _ = pair(12, 17)
    mask = np.where(np.arange(17) < 8, 0, 6) * np.ones((12, 1), int)  # 3 would lie between
    other, other_mask = scaled(image, mask.astype(np.uint8), size)
    assert other.shape == (*size, 3)
    assert other_mask.shape == size
    assert other.dtype == other_mask.dtype == np.uint8
    assert set(np.unique(other_mask)) <= {0, 6}


def test_the_same_size_changes_nothing_and_twice_the_size_repeats_labels():
    image, mask = pair(6, 4)
    assert np.array_equal(scaled(image, mask, (6, 4))[0], image)
    _, doubled = scaled(image, mask, (12, 8))
    assert np.array_equal(doubled, mask.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("width", [8, 24, 32])
def test_a_scaled_edge_stays_where_the_scaled_label_has_it(width):
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, 10:] = 255
    mask = (image[:, :, 0] > 0).astype(np.uint8)
    other, other_mask = scaled(image, mask, (8, width))
    differ = (other[:, :, 0] > 127) != (other_mask == 1)
    assert differ.any(axis=0).sum() <= 1  # the column that the edge runs through


def test_padding_does_not_count_and_is_nothing_to_the_network():
    image, mask = pair(3, 7)
    larger, larger_mask = padded(image, mask, (5, 4), IGNORE)
    assert larger.shape == (5, 7, 3)
    assert np.array_equal(larger[:3], image)
    assert np.all(larger_mask[3:] == IGNORE)
    assert np.array_equal(larger_mask[:3], mask)
    assert np.all(larger[3:] == PADDING)
    assert abs(PADDING / 255 - MEAN) / STD < 0.01


def test_a_crop_is_that_rectangle():
    image, mask = pair(9, 8)
    part, part_mask = cropped(image, mask, 2, 3, (4, 5))
    assert np.array_equal(part, image[2:6, 3:8])
    assert np.array_equal(part_mask, mask[2:6, 3:8])


def test_the_middle_of_what_is_larger_and_smaller():
    image, mask = pair(10, 3)
    part, part_mask = centred(image, mask, (4, 5), IGNORE)
    assert np.array_equal(part[:, :3], image[3:7])
    assert np.array_equal(part_mask[:, :3], mask[3:7])
    assert np.all(part_mask[:, 3:] == IGNORE)


def test_recolouring_by_one_is_nothing_and_by_zero_is_what_it_is_called():
    image = as_float(pair(4, 6)[0])
    np.testing.assert_allclose(recoloured(image, 1, 1, 1), image, atol=4 * 2**-24)
    assert np.all(recoloured(image, 0, 1, 1) == 0)
    flat = recoloured(image, 1, 0, 1)
    assert np.ptp(flat) < 1e-6
    grey = recoloured(image, 1, 1, 0)
    assert np.ptp(grey, axis=2).max() < 1e-6


def test_each_factor_changes_its_own_property():
    image = 0.3 + 0.2 * as_float(pair(4, 6)[0])  # far from where 0 and 1 cut off
    np.testing.assert_allclose(recoloured(image, 1.2, 1, 1), 1.2 * image, rtol=1e-5)
    assert recoloured(image, 1, 1.3, 1).std() > image.std()
    np.testing.assert_allclose(recoloured(image, 1, 1.3, 1).mean(), image.mean(), atol=0.01)
    r, g, b = recoloured(image, 1, 1, 1.3)[0, 0]
    assert colorsys.rgb_to_hsv(r, g, b)[1] > colorsys.rgb_to_hsv(*image[0, 0])[1]


def test_recoloured_images_stay_pictures():
    image = as_float(pair(4, 6)[0])
    strong = recoloured(image, 1 + CHANGE, 1 + CHANGE, 1 + CHANGE)
    assert 0 <= strong.min() < strong.max() <= 1
    assert strong.dtype == np.float32


@pytest.mark.parametrize("size", [(8, 12), (5, 30), (40, 7), (1, 1)])
def test_augmented_has_the_size_and_depends_on_its_generator_alone(size):
    image, mask = pair(16, 20)
    before = image.copy(), mask.copy()
    draws = [augmented(image, mask, size, IGNORE, np.random.default_rng(s)) for s in (1, 1, 2)]
    for found, label in draws:
        assert found.shape == (*size, 3)
        assert label.shape == size
        assert (found.dtype, label.dtype) == (np.float32, np.uint8)
        assert set(np.unique(label)) <= set(range(7)) | {IGNORE}
    assert draws[0][0].tobytes() == draws[1][0].tobytes()
    assert draws[0][0].tobytes() != draws[2][0].tobytes()
    assert np.array_equal(image, before[0])
    assert np.array_equal(mask, before[1])


def test_all_that_is_drawn_occurs():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, :10] = 200  # left is light, and a flip turns it to the right
    mask = (image[:, :, 0] > 0).astype(np.uint8)
    found = [augmented(image, mask, (20, 20), IGNORE, np.random.default_rng(s)) for s in range(200)]
    padding = np.array([(label == IGNORE).mean() for _, label in found])
    assert 0.3 < (padding > 0).mean() < 0.7  # the image was made smaller about half of the time
    assert padding.max() > 1 - 1.3 * SCALES[0] ** 2
    left_is_light = np.mean([label[0, 0] == 1 for _, label in found])
    assert 0.2 < left_is_light < 0.8
    brightest = [image.max() for image, _ in found]
    assert min(brightest) < 0.7 < 0.9 < max(brightest)


def test_a_crop_without_a_label_is_drawn_again():
    image, mask = np.zeros((40, 40, 3), np.uint8), np.full((40, 40), IGNORE, np.uint8)
    mask[:, :10] = 1  # a quarter counts
    found = [augmented(image, mask, (10, 10), IGNORE, np.random.default_rng(s)) for s in range(100)]
    assert np.mean([(label == 1).any() for _, label in found]) > 0.9
    nothing = augmented(
        image, np.full_like(mask, IGNORE), (10, 10), IGNORE, np.random.default_rng(0)
    )
    assert np.all(nothing[1] == IGNORE)  # and that ends

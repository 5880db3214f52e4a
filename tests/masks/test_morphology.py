import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from masks.morphology import dilate, erode, opening

often = settings(max_examples=150, deadline=None)
pairs = array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


def plain_grown(mask_HW):
    """Look at the up to 9 pixels around each, one by one."""
    grown_HW = np.zeros_like(mask_HW)
    for row, column in np.ndindex(mask_HW.shape):
        around = mask_HW[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        grown_HW[row, column] = around.any()
    return grown_HW


def mask(text):
    return np.array([[c == "#" for c in line] for line in text.split()])


@often
@given(pairs)
def test_all_three_agree_with_plain_numpy(pair):
    mask_HW, valid_HW = pair
    eroded_HW = mask_HW & ~plain_grown(valid_HW & ~mask_HW)
    dilated_HW = mask_HW | plain_grown(mask_HW) & valid_HW
    opened_HW = eroded_HW | plain_grown(eroded_HW) & valid_HW
    assert np.array_equal(dilate(mask_HW, valid_HW), dilated_HW)
    assert np.array_equal(erode(mask_HW, valid_HW), eroded_HW)
    assert np.array_equal(opening(mask_HW, valid_HW), opened_HW)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 6)])
@pytest.mark.parametrize("operation", [dilate, erode, opening])
def test_a_full_mask_stays_full_for_the_border_is_unknown(shape, operation):
    full_HW = np.ones(shape, dtype=bool)
    assert operation(full_HW, full_HW).all()


@pytest.mark.parametrize("operation", [dilate, erode, opening])
def test_an_empty_mask_stays_empty(operation):
    assert not operation(np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=bool)).any()


def test_one_pixel_grows_to_a_square_and_erodes_to_nothing():
    pixel_HW, all_HW = mask("..... ..... ..#.. ....."), np.ones((4, 5), dtype=bool)
    assert np.array_equal(dilate(pixel_HW, all_HW), mask("..... .###. .###. .###."))
    assert not erode(pixel_HW, all_HW).any()
    assert not opening(pixel_HW, all_HW).any()


def test_invalid_pixels_neither_erode_nor_receive_dilation():
    mask_HW, valid_HW = mask("##.. ##.. ##.."), mask("##.# ##.# ##.#")
    assert np.array_equal(erode(mask_HW, valid_HW), mask_HW)
    assert np.array_equal(dilate(mask_HW, valid_HW), mask_HW)


def test_opening_cuts_off_what_is_narrower_than_three_pixels():
    mask_HW = mask("....... .###... .###### .###... .......")
    opened_HW = mask("....... .###... .###... .###... .......")
    assert np.array_equal(opening(mask_HW, np.ones_like(mask_HW)), opened_HW)


def test_a_ring_of_one_pixel_closes_when_dilated():
    ring_HW = mask("..... .###. .#.#. .###. .....")
    assert dilate(ring_HW, np.ones_like(ring_HW)).all()


def test_how_a_mask_lies_in_memory_does_not_matter():
    mask_HW = mask("#... .##. ....")
    given_HW = np.asfortranarray(mask_HW)
    given_HW.flags.writeable = False
    all_HW = np.ones_like(mask_HW)
    assert np.array_equal(dilate(given_HW, all_HW), dilate(mask_HW, all_HW))

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from masks.distance import adjacent, min_distance_m, near, shared_edges
from masks.reference_morphology import near as near_plainly

often = settings(max_examples=150, deadline=None)
shapes = array_shapes(min_dims=2, max_dims=2, max_side=16)
sparse = st.floats(0, 1).map(lambda x: x > 0.93)
pairs = shapes.flatmap(lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape)))
far_pairs = shapes.flatmap(
    lambda shape: st.tuples(*[arrays(np.bool_, shape, elements=sparse, fill=st.just(False))] * 2)
)
sizes_m = st.tuples(*[st.floats(0.1, 50)] * 2)


def mask(text):
    return np.array([[c == "#" for c in line] for line in text.split()])


def edt_distance_m(a_HW, b_HW, pixel_size_m):
    x_m, y_m = pixel_size_m
    return ndimage.distance_transform_edt(~b_HW, sampling=(y_m, x_m))[a_HW].min()


@often
@given(st.one_of(pairs, far_pairs), sizes_m)
def test_distance_is_that_of_the_distance_transform(pair, pixel_size_m):
    a_HW, b_HW = pair
    if not (a_HW.any() and b_HW.any()):
        with pytest.raises(ValueError, match="empty"):
            min_distance_m(a_HW, b_HW, pixel_size_m)
        return
    expected_m = edt_distance_m(a_HW, b_HW, pixel_size_m)
    assert min_distance_m(a_HW, b_HW, pixel_size_m) == pytest.approx(expected_m, rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_distance_of_blobs_is_that_of_the_distance_transform(seed):
    rng = np.random.default_rng(seed)
    a_HW, b_HW = np.zeros((2, 90, 120), dtype=bool)
    for mask_HW in (a_HW, b_HW):
        row, column = rng.integers(0, 70), rng.integers(0, 90)
        mask_HW[row : row + 20, column : column + 30] = rng.random((20, 30)) < rng.random()
        mask_HW[row, column] = True
    size_m = (9.5, 3.25)
    expected_m = edt_distance_m(a_HW, b_HW, size_m)
    assert min_distance_m(a_HW, b_HW, size_m) == pytest.approx(expected_m, rel=1e-9)
    assert min_distance_m(b_HW, a_HW, size_m) == pytest.approx(expected_m, rel=1e-9)


def every_pair_near(mask_HW, distance_m, pixel_size_m):
    x_m, y_m = pixel_size_m
    rows, columns = np.indices(mask_HW.shape)
    near_HW = np.zeros_like(mask_HW)
    for row, column in np.argwhere(mask_HW):
        dx_m, dy_m = abs(columns - column) * x_m, abs(rows - row) * y_m
        near_HW |= dx_m * dx_m + dy_m * dy_m <= distance_m * distance_m
    return near_HW


@often
@given(st.one_of(pairs, far_pairs), sizes_m, st.floats(0.05, 12), st.booleans())
def test_near_are_the_pixels_near_any_pixel_of_the_mask(pair, size_m, times, square):
    mask_HW, _ = pair
    size_m = (size_m[0], size_m[0]) if square else size_m
    # a whole number of pixels away are ties
    for distance_m in (times * size_m[0], round(times + 1) * size_m[0], 5 * size_m[1]):
        expected_HW = every_pair_near(mask_HW, distance_m, size_m)
        assert np.array_equal(near(mask_HW, distance_m, size_m), expected_HW)
        assert np.array_equal(near_plainly(mask_HW, distance_m, size_m), expected_HW)


def test_each_axis_has_its_own_pixel_size():
    a_HW, b_HW = mask("#... .... ...."), mask(".... .... ...#")
    assert min_distance_m(a_HW, b_HW, (10.0, 2.0)) == math.hypot(30, 4)


def test_a_near_row_with_a_wide_gap_does_not_hide_a_far_row_with_none():
    a_HW, b_HW = mask("#..... ...... ......"), mask(".....# ...... #.....")
    assert min_distance_m(a_HW, b_HW, (1.0, 1.0)) == 2.0


def test_masks_that_overlap_have_no_distance_between_them():
    assert min_distance_m(mask("##. ..."), mask(".## ..."), (10.0, 10.0)) == 0.0


def test_touching_corners_are_one_diagonal_apart():
    assert min_distance_m(mask("#. .."), mask(".. .#"), (3.0, 4.0)) == 5.0


def test_a_pixel_in_a_ring_is_as_far_as_its_nearest_side():
    ring_HW = mask("##### #...# #...# #...# #####")
    assert min_distance_m(ring_HW, mask("..... ..... ..#.. ..... ....."), (3.0, 2.0)) == 4.0


@often
@given(pairs)
def test_adjacent_is_within_one_pixel_in_either_direction(pair):
    a_HW, b_HW = pair
    grown_HW = ndimage.binary_dilation(a_HW, np.ones((3, 3)))
    assert adjacent(a_HW, b_HW) is bool((grown_HW & b_HW).any())
    assert adjacent(a_HW, b_HW) is adjacent(b_HW, a_HW)


@pytest.mark.parametrize(
    ("a", "b", "is_adjacent"),
    [
        ("##.. ....", ".##. ....", True),
        ("#... ....", ".#.. ....", True),
        ("#... ....", ".... .#..", True),
        ("#... ....", "..#. ....", False),
        ("...# ....", ".... #...", False),
        (".... ....", "#### ####", False),
    ],
    ids=["overlap", "edge", "corner", "gap", "ends of rows", "empty"],
)
def test_hand_made_masks_are_adjacent_or_not(a, b, is_adjacent):
    assert adjacent(mask(a), mask(b)) is is_adjacent


@often
@given(pairs)
def test_shared_edges_are_those_found_pixel_by_pixel(pair):
    a_HW, b_HW = pair
    height, width = a_HW.shape
    found = [0, 0]
    for row, column in np.ndindex(height, width):
        for kind, other in enumerate(((row, column + 1), (row + 1, column))):
            if other[0] < height and other[1] < width:
                here = (row, column)
                found[kind] += (a_HW[here] and b_HW[other]) or (b_HW[here] and a_HW[other])
    assert list(shared_edges(a_HW, b_HW)) == found
    assert shared_edges(b_HW, a_HW) == shared_edges(a_HW, b_HW)


def test_edges_are_told_apart_by_direction():
    assert shared_edges(mask("##. ##. ..."), mask("..# ..# ##.")) == (2, 2)


def test_an_edge_between_pixels_of_both_masks_counts_once():
    assert shared_edges(mask("##"), mask("##")) == (1, 0)


def test_touching_corners_share_no_edge():
    assert shared_edges(mask("#. .."), mask(".. .#")) == (0, 0)


@pytest.mark.parametrize(
    "measure", [adjacent, shared_edges, lambda a, b: min_distance_m(a, b, (1.0, 1.0))]
)
def test_masks_of_different_size_are_refused(measure):
    with pytest.raises(ValueError, match="not on one grid"):
        measure(np.ones((2, 3), dtype=bool), np.ones((3, 2), dtype=bool))

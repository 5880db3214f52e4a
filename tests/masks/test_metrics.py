import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from masks.metrics import boundary_f, intersection, iou

often = settings(max_examples=150, deadline=None)
pairs = array_shapes(min_dims=2, max_dims=2, max_side=10).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


def mask(text):
    return np.array([[c == "#" for c in line] for line in text.split()])


def plain_boundary(mask_HW):
    """Return the (row, column) of pixels that differ from a right, lower or lower right one."""
    height, width = mask_HW.shape
    return [
        (row, column)
        for row, column in np.ndindex(height, width)
        for r, c in ((row, column + 1), (row + 1, column), (row + 1, column + 1))
        if r < height and c < width and mask_HW[r, c] != mask_HW[row, column]
    ]


def plain_boundary_f(a_HW, b_HW, tolerance_px):
    a, b = set(plain_boundary(a_HW)), set(plain_boundary(b_HW))
    if not a or not b:
        return 1.0 if not a and not b else 0.0

    def share_near(these, those):
        near = [
            min((r - s) ** 2 + (c - d) ** 2 for s, d in those) <= tolerance_px**2 for r, c in these
        ]
        return sum(near) / len(near)

    precision, recall = share_near(a, b), share_near(b, a)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@often
@given(pairs)
def test_iou_and_intersection_are_those_of_sets_of_pixels(pair):
    a, b = (set(map(tuple, np.argwhere(mask_HW))) for mask_HW in pair)
    assert set(map(tuple, np.argwhere(intersection(*pair)))) == a & b
    assert iou(*pair) == (len(a & b) / len(a | b) if a | b else 1.0)


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ("##.. ....", ".##. ....", 1 / 3),
        ("#### ####", "#### ####", 1.0),
        ("#... ....", "...# ....", 0.0),
        (".... ....", "...# ....", 0.0),
        (".... ....", ".... ....", 1.0),
    ],
    ids=["shifted", "same", "apart", "one empty", "both empty"],
)
def test_iou_of_hand_made_masks(a, b, value):
    assert iou(mask(a), mask(b)) == value


@often
@given(pairs, st.integers(0, 12))
def test_boundary_f_is_that_of_plain_python(pair, tolerance_px):
    expected = plain_boundary_f(*pair, tolerance_px)
    assert boundary_f(*pair, tolerance_px) == pytest.approx(expected, abs=1e-12)
    assert boundary_f(*reversed(pair), tolerance_px) == pytest.approx(expected, abs=1e-12)


def test_a_square_shifted_by_one_pixel_agrees_within_one_pixel_and_not_within_none():
    a_HW, b_HW = np.zeros((2, 12, 12), dtype=bool)
    a_HW[3:8, 3:8] = True
    b_HW[3:8, 4:9] = True
    assert boundary_f(a_HW, b_HW, 1) == 1.0
    assert 0 < boundary_f(a_HW, b_HW, 0) < 1


def test_the_tolerance_is_a_disk():
    a_HW, b_HW = np.zeros((2, 9, 9), dtype=bool)
    a_HW[2, 2] = b_HW[4, 4] = True  # sqrt(8) apart
    assert boundary_f(a_HW, b_HW, 1) < boundary_f(a_HW, b_HW, 2) < 1.0
    assert boundary_f(a_HW, b_HW, 3) == 1.0


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ("... ... ...", "... ... ...", 1.0),
        ("### ### ###", "... ... ...", 1.0),
        ("... .#. ...", "... ... ...", 0.0),
    ],
    ids=["both empty", "full and empty have no boundary", "one empty"],
)
def test_masks_without_a_boundary(a, b, value):
    assert boundary_f(mask(a), mask(b), 2) == boundary_f(mask(b), mask(a), 2) == value


@pytest.mark.parametrize("measure", [iou, intersection, lambda a, b: boundary_f(a, b, 1)])
def test_masks_of_different_size_are_refused(measure):
    with pytest.raises(ValueError, match="not on one grid"):
        measure(np.ones((2, 3), dtype=bool), np.ones((3, 2), dtype=bool))


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="tolerance of -1"):
        boundary_f(mask("#."), mask("#."), -1)

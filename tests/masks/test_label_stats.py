import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from masks.label_stats import label_stats, margin_counts
from schemas.scene import BACKGROUND_ID, INVALID_ID

BG, NO = BACKGROUND_ID, INVALID_ID
often = settings(max_examples=150, deadline=None)
label_maps = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 0, 1, 2, 3, BG, NO]),
)


def ids(rows):
    return np.array(rows, dtype=np.uint8)


def plain_edges(ids_HW, num_classes, rows, columns):
    """Count neighbours at one offset whose classes differ, pixel by pixel."""
    edges = np.zeros((num_classes, num_classes), dtype=int)
    height, width = ids_HW.shape
    for row in range(height - rows):
        for column in range(max(0, -columns), width - max(0, columns)):
            a, b = int(ids_HW[row, column]), int(ids_HW[row + rows, column + columns])
            if a != b and a < num_classes and b < num_classes:
                edges[a, b] += 1
                edges[b, a] += 1
    return edges


def plain_box(mask_HW):
    rows, columns = np.nonzero(mask_HW)
    if not rows.size:
        return [0, 0, 0, 0]
    return [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]


def plain_grown(mask_HW):
    padded = np.pad(mask_HW, 1)
    height, width = mask_HW.shape
    around = [padded[r : r + height, c : c + width] for r in range(3) for c in range(3)]
    return np.any(around, axis=0)


def plain_margins(ids_HW, num_classes):
    valid_HW = ids_HW != NO
    inner_px, outer_px = [], []
    for label in range(num_classes):
        mask_HW = ids_HW == label
        inner_px.append(np.count_nonzero(mask_HW & ~plain_grown(valid_HW & ~mask_HW)))
        outer_px.append(np.count_nonzero(plain_grown(mask_HW) & valid_HW))
    return inner_px, outer_px


def assert_measured(ids_HW, num_classes):
    stats = label_stats(ids_HW, num_classes)
    masks = [ids_HW == label for label in range(num_classes)]
    counts = [coco.encode(np.asfortranarray(m.astype(np.uint8)))["counts"] for m in masks]
    assert list(stats.counts) == counts
    assert stats.area_px.tolist() == [np.count_nonzero(m) for m in masks]
    assert stats.bbox_px.tolist() == [plain_box(m) for m in masks]
    sideways, upright = (plain_edges(ids_HW, num_classes, *step) for step in ((0, 1), (1, 0)))
    corners = sum(plain_edges(ids_HW, num_classes, *step) for step in ((1, 1), (1, -1)))
    assert np.array_equal(stats.sideways_edges, sideways)
    assert np.array_equal(stats.upright_edges, upright)
    assert np.array_equal(stats.adjacent, sideways + upright + corners > 0)
    valid_HW = ids_HW != NO
    assert stats.valid_counts == coco.encode(np.asfortranarray(valid_HW.view(np.uint8)))["counts"]
    assert stats.valid_px == np.count_nonzero(valid_HW)
    inner_px, outer_px = margin_counts(ids_HW, num_classes)
    plain_inner_px, plain_outer_px = plain_margins(ids_HW, num_classes)
    assert inner_px.tolist() == plain_inner_px
    assert outer_px.tolist() == plain_outer_px


HAND_MADE = {
    "one pixel": ids([[1]]),
    "one class": np.full((4, 5), 2, dtype=np.uint8),
    "all invalid": np.full((4, 5), NO, dtype=np.uint8),
    "all background": np.full((4, 5), BG, dtype=np.uint8),
    "one row": ids([[0, 0, 1, NO, 1, 2]]),
    "one column": ids([[0], [0], [1], [NO], [1], [2]]),
    "ring": ids([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]),
    "corners": ids([[0, BG, 2], [BG, 1, BG], [3, BG, 0]]),
    "four at a corner": ids([[0, 1], [2, 3]]),
    "column ends meet": ids([[0, 1, 0], [1, 0, 1]]),
    "wider than a stretch": np.arange(3 * 150, dtype=np.uint8).reshape(3, 150) // 9 % 4,
}


@pytest.mark.parametrize("ids_HW", HAND_MADE.values(), ids=HAND_MADE.keys())
def test_hand_made_maps_are_measured_as_by_plain_numpy(ids_HW):
    assert_measured(ids_HW, 4)


@often
@given(label_maps)
def test_any_map_is_measured_as_by_plain_numpy(ids_HW):
    assert_measured(ids_HW, 4)


def test_a_smooth_map_of_many_classes_is_measured_as_by_plain_numpy():
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 70, (9, 12)).astype(np.uint8)
    coarse[rng.random(coarse.shape) < 0.2] = NO
    assert_measured(np.kron(coarse, np.ones((7, 9), dtype=np.uint8)), 70)


def test_edges_tell_left_and_right_from_up_and_down():
    stats = label_stats(ids([[0, 1], [0, 1], [2, 2]]), 3)
    assert stats.sideways_edges[0, 1] == stats.sideways_edges[1, 0] == 2
    assert stats.upright_edges.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_the_end_of_a_row_does_not_touch_the_begin_of_the_next():
    stats = label_stats(ids([[BG, BG, 0], [BG, BG, BG], [1, BG, BG]]), 2)
    assert not stats.sideways_edges.any()
    assert not stats.upright_edges.any()
    assert not stats.adjacent.any()


def test_touching_corners_are_adjacent_and_share_no_edge():
    stats = label_stats(ids([[0, BG], [BG, 1]]), 2)
    assert stats.adjacent.tolist() == [[False, True], [True, False]]
    assert not stats.sideways_edges.any()


def test_an_absent_class_has_an_empty_mask_and_no_box():
    stats = label_stats(ids([[0, 0], [0, 0]]), 2)
    assert stats.counts == (b"04", b"4")
    assert stats.bbox_px.tolist() == [[0, 0, 2, 2], [0, 0, 0, 0]]


def test_the_image_border_and_invalid_pixels_do_not_erode():
    inner_px, outer_px = margin_counts(ids([[0, 0, NO], [0, 0, NO], [0, 0, NO]]), 1)
    assert (inner_px[0], outer_px[0]) == (6, 6)


def test_background_erodes_and_is_dilated_into():
    inner_px, outer_px = margin_counts(ids([[0, 0, 0, BG, BG]]), 1)
    assert (inner_px[0], outer_px[0]) == (2, 4)


@pytest.mark.parametrize("measure", [label_stats, margin_counts])
def test_an_id_that_is_no_class_is_refused(measure):
    with pytest.raises(ValueError, match="none of 2 classes"):
        measure(ids([[0, 1], [2, BG]]), 2)


@pytest.mark.parametrize("measure", [label_stats, margin_counts])
def test_more_classes_than_there_are_ids_are_refused(measure):
    with pytest.raises(ValueError, match="255 classes"):
        measure(ids([[0]]), 255)


@pytest.mark.parametrize("measure", [label_stats, margin_counts])
def test_a_map_without_pixels_is_refused(measure):
    with pytest.raises(ValueError, match="no pixels"):
        measure(np.zeros((0, 4), dtype=np.uint8), 2)


def test_how_a_map_lies_in_memory_does_not_matter():
    ids_HW = HAND_MADE["corners"]
    given_HW = np.asfortranarray(ids_HW)
    given_HW.flags.writeable = False
    assert label_stats(given_HW, 4).counts == label_stats(ids_HW, 4).counts
    assert margin_counts(given_HW, 4)[1].tolist() == margin_counts(ids_HW, 4)[1].tolist()

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from masks.rle import area_px, compress, decode, encode, encode_window, paint

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=14))
often = settings(max_examples=150, deadline=None)


def coco_counts(mask_HW):
    return coco.encode(np.asfortranarray(mask_HW.astype(np.uint8)))["counts"]


def runs_in_plain_python(mask_HW):
    """Return the run lengths of a mask, column by column, beginning with 0."""
    runs, value = [0], False
    for pixel in mask_HW.T.ravel():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def ring():
    ring_HW = np.zeros((7, 9), dtype=bool)
    ring_HW[1:6, 2:8] = True
    ring_HW[2:5, 3:7] = False
    return ring_HW


def one_pixel(row, column):
    mask_HW = np.zeros((5, 6), dtype=bool)
    mask_HW[row, column] = True
    return mask_HW


HAND_MADE = {
    "empty": np.zeros((4, 5), dtype=bool),
    "full": np.ones((4, 5), dtype=bool),
    "first pixel": one_pixel(0, 0),
    "last pixel": one_pixel(4, 5),
    "inner pixel": one_pixel(2, 3),
    "one row": np.array([[1, 0, 0, 1, 1]], dtype=bool),
    "one column": np.array([[0], [1], [1], [0]], dtype=bool),
    "one by one": np.ones((1, 1), dtype=bool),
    "ring": ring(),
    "touching corners": np.eye(6, dtype=bool),
    "chessboard": np.indices((6, 7)).sum(axis=0) % 2 == 1,
    "long runs": np.repeat(np.arange(12) % 2 == 1, 70_000).reshape(-1, 700).T,
}
hand_made = pytest.mark.parametrize("mask_HW", HAND_MADE.values(), ids=HAND_MADE.keys())


def test_a_mask_is_read_column_by_column():
    mask_HW = np.array([[0, 1], [1, 1]], dtype=bool)  # columns 01 and 11: one 0, then three 1
    assert encode(mask_HW) == b"13"


def test_a_mask_that_begins_with_one_begins_with_a_run_of_no_zeros():
    assert encode(np.array([[1, 0, 0]], dtype=bool)) == b"012"


def test_the_fourth_run_is_written_as_a_difference():
    mask_HW = np.array([[0, 1, 1, 0, 1, 1, 1]], dtype=bool)  # runs 1, 2, 1, 3: the last as 3 - 2
    assert encode(mask_HW) == b"1211"


@hand_made
def test_hand_made_masks_have_the_bytes_of_pycocotools(mask_HW):
    assert encode(mask_HW) == coco_counts(mask_HW)


@often
@given(masks)
def test_any_mask_has_the_bytes_of_pycocotools(mask_HW):
    assert encode(mask_HW) == coco_counts(mask_HW)


@hand_made
def test_hand_made_masks_come_back(mask_HW):
    assert np.array_equal(decode(encode(mask_HW), mask_HW.shape), mask_HW)


@often
@given(masks)
def test_any_mask_of_pycocotools_comes_back_with_its_area(mask_HW):
    counts = coco_counts(mask_HW)
    assert np.array_equal(decode(counts, mask_HW.shape), mask_HW)
    assert area_px(counts) == np.count_nonzero(mask_HW)


@pytest.mark.parametrize(
    "given_HW",
    [
        ring().astype(np.uint8),
        np.asfortranarray(ring()),
        np.repeat(ring(), 2, axis=1)[:, ::2],
        ring()[::-1, ::-1][::-1, ::-1],
    ],
    ids=["bytes", "column-major", "every other", "turned twice"],
)
def test_how_a_mask_lies_in_memory_does_not_matter(given_HW):
    given_HW.flags.writeable = False
    assert encode(given_HW) == coco_counts(ring())


@often
@given(masks, st.tuples(*[st.integers(0, 4)] * 4))
def test_a_window_is_coded_as_in_its_large_mask(window_hw, margins):
    top, bottom, left, right = margins
    large_HW = np.pad(window_hw, ((top, bottom), (left, right)))
    assert encode_window(window_hw, top, left, large_HW.shape) == coco_counts(large_HW)


def test_a_full_window_as_high_as_the_mask_is_one_run():
    assert encode_window(np.ones((3, 2), dtype=bool), 0, 1, (3, 4)) == b"363"


def test_an_empty_window_leaves_the_mask_empty():
    assert encode_window(np.zeros((0, 2), dtype=bool), 1, 1, (3, 4)) == b"<"
    assert coco_counts(np.zeros((3, 4))) == b"<"


@pytest.mark.parametrize(("top", "left"), [(-1, 0), (0, -1), (2, 0), (0, 3)])
def test_a_window_that_leaves_the_mask_is_refused(top, left):
    with pytest.raises(ValueError, match="not inside"):
        encode_window(np.ones((2, 2), dtype=bool), top, left, (3, 4))


def test_several_masks_are_coded_at_once():
    edges = np.array([1, 3, 0, 2], dtype=np.int32)
    firsts = np.array([0, 2, 2, 4], dtype=np.int64)
    expected = [[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert list(compress(edges, firsts, 4)) == [coco_counts(np.array([m])) for m in expected]


@often
@given(
    masks,
    st.one_of(
        st.tuples(st.just(np.uint8), st.integers(0, 255)),
        st.tuples(st.just(np.int32), st.integers(0, 70_000)),
    ),
)
def test_painting_sets_the_mask_and_nothing_else(mask_HW, painted):
    dtype, value = painted
    for order in "CF":
        ids_HW = np.full(mask_HW.shape, 7, dtype=dtype, order=order)
        paint(ids_HW, coco_counts(mask_HW), value)
        assert np.array_equal(ids_HW, np.where(mask_HW, value, 7))


# pycocotools writes past its buffer where every run takes six characters: 2**24 and more
@often
@given(st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=8))
def test_area_is_the_sum_of_every_other_run(runs):
    counts = coco.frPyObjects({"counts": runs, "size": [1, sum(runs)]}, 1, sum(runs))["counts"]
    assert area_px(counts) == sum(runs[1::2])


@often
@given(masks)
def test_runs_are_what_plain_python_finds(mask_HW):
    runs = runs_in_plain_python(mask_HW)
    height, width = mask_HW.shape
    uncompressed = {"counts": runs, "size": [height, width]}
    assert encode(mask_HW) == coco.frPyObjects(uncompressed, height, width)["counts"]


def test_runs_of_no_pixels_in_between_are_read():
    counts = coco.frPyObjects({"counts": [1, 1, 0, 2, 0], "size": [2, 2]}, 2, 2)["counts"]
    assert np.array_equal(decode(counts, (2, 2)), [[False, True], [True, True]])


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        (b"Q", "ends inside a run"),
        (b"1Q", "ends inside a run"),
        (b"5N", "run 1 is negative"),
        (b"PPPPPPPP0", "run 0 takes more than 7 characters"),
        (b"1 3", "character 1 is not one of"),
        (b"1p3", "character 1 is not one of"),
        (b"14", "runs of 5 pixels in all do not fit a mask of 2 x 2"),
        (b"12", "runs of 3 pixels in all do not fit a mask of 2 x 2"),
        (b"", "runs of 0 pixels in all do not fit a mask of 2 x 2"),
    ],
)
def test_malformed_counts_are_refused_with_what_is_wrong(counts, what):
    with pytest.raises(ValueError, match=what):
        decode(counts, (2, 2))
    ids_HW = np.zeros((2, 2), dtype=np.uint8)
    with pytest.raises(ValueError, match=what):
        paint(ids_HW, counts, 1)
    assert not ids_HW.any()


@often
@given(st.binary(max_size=12))
def test_any_bytes_are_decoded_or_refused(counts):
    try:
        mask_HW = decode(counts, (3, 4))
    except ValueError:
        return
    assert np.array_equal(mask_HW, coco.decode({"counts": counts, "size": [3, 4]}))

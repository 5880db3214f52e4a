import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from masks.components import components, label_components
from schemas.scene import BACKGROUND_ID, INVALID_ID

often = settings(max_examples=150, deadline=None)
shapes = array_shapes(min_dims=2, max_dims=2, max_side=14)
label_maps = arrays(
    np.uint8, shapes, elements=st.sampled_from([0, 0, 1, 1, 2, BACKGROUND_ID, INVALID_ID])
)


def plain_parts(mask_HW):
    """Flood each part from its first pixel; return the masks in row-major order of those."""
    left_HW, parts = mask_HW.copy(), []
    for first in map(tuple, np.argwhere(mask_HW)):
        if not left_HW[first]:
            continue
        part_HW, pending = np.zeros_like(mask_HW), [first]
        while pending:
            row, column = pending.pop()
            if left_HW[row, column]:
                left_HW[row, column], part_HW[row, column] = False, True
                top, left = max(row - 1, 0), max(column - 1, 0)
                near = np.argwhere(left_HW[top : row + 2, left : column + 2])
                pending.extend((top + r, left + c) for r, c in near)
        parts.append(part_HW)
    return parts


def assert_parts(found, mask_HW):
    expected = plain_parts(mask_HW)
    assert found.size_px.tolist() == [np.count_nonzero(part) for part in expected]
    assert found.first_index.tolist() == [np.flatnonzero(part)[0] for part in expected]
    for i, part_HW in enumerate(expected):
        assert np.array_equal(found.part_HW(i), part_HW)
        assert np.allclose(found.centroid_rc[i], np.argwhere(part_HW).mean(axis=0), rtol=1e-12)
    if expected:
        assert found.largest() == int(np.argmax([np.count_nonzero(part) for part in expected]))


def mask(text):
    return np.array([[c == "#" for c in line] for line in text.split()])


HAND_MADE = {
    "empty": mask(".... ...."),
    "full": mask("#### ####"),
    "one pixel": mask("... ..# ..."),
    "one row": mask("#.##.#"),
    "one column": mask("# . # # ."),
    "ring": mask("##### #...# #.#.# #...# #####"),
    "touching corners": mask("#.#. .#.# #.#."),
    "ends of rows": mask("..# #.. ..# #.."),
    "comb": mask("#.#.#.# #.#.#.# #######"),
    "late join": mask("#...# .#.#. ..#.."),
    "spiral": mask("##### ....# ###.# #...# #####"),
}


@pytest.mark.parametrize("mask_HW", HAND_MADE.values(), ids=HAND_MADE.keys())
def test_hand_made_masks_have_the_parts_of_a_flood_fill(mask_HW):
    assert_parts(components(mask_HW), mask_HW)


@often
@given(arrays(np.bool_, shapes))
def test_any_mask_has_the_parts_of_a_flood_fill(mask_HW):
    assert_parts(components(mask_HW), mask_HW)


@often
@given(label_maps)
def test_each_class_of_a_map_has_the_parts_of_its_mask(ids_HW):
    found = label_components(ids_HW, 3)
    for label in range(3):
        assert_parts(found.of(label), ids_HW == label)
        assert found.sizes_px(label).tolist() == found.of(label).size_px.tolist()


def test_parts_of_a_larger_map_are_those_of_cc3d():
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 5, (60, 50)).astype(np.uint8)
    ids_HW = np.kron(coarse, np.ones((3, 4), dtype=np.uint8))
    ids_HW[rng.random(ids_HW.shape) < 0.1] = INVALID_ID
    found = label_components(ids_HW, 5)
    # cc3d takes 0 for what is no part
    theirs_HW = cc3d.connected_components(np.where(ids_HW < 5, ids_HW + 1, 0), connectivity=8)
    sizes_px = np.bincount(theirs_HW.ravel())[theirs_HW.ravel()[found.parts.first_index]]
    assert len(found.class_id) == theirs_HW.max()
    assert found.parts.size_px.tolist() == sizes_px.tolist()
    assert found.class_id.tolist() == ids_HW.ravel()[found.parts.first_index].tolist()


def test_touching_corners_make_one_part():
    assert components(mask("#.. .#. ..#")).size_px.tolist() == [3]


def test_two_classes_that_touch_are_two_parts():
    found = label_components(np.array([[0, 1], [1, 0]], dtype=np.uint8), 2)
    assert found.sizes_px(0).tolist() == found.sizes_px(1).tolist() == [2]


def test_background_and_invalid_pixels_are_in_no_part():
    ids_HW = np.array([[BACKGROUND_ID, INVALID_ID, 0]], dtype=np.uint8)
    assert label_components(ids_HW, 254).parts.size_px.tolist() == [1]


def test_the_first_of_equally_large_parts_is_the_largest():
    assert components(mask("#..## ..... ##.##")).largest() == 1


def test_an_empty_mask_has_no_largest_part():
    with pytest.raises(ValueError, match="no largest"):
        components(np.zeros((2, 2), dtype=bool)).largest()


def test_more_classes_than_there_are_ids_are_refused():
    with pytest.raises(ValueError, match="255 classes"):
        label_components(np.zeros((2, 2), dtype=np.uint8), 255)

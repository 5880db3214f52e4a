"""The leakage meter, by hand: what two splits share, and what they only touch."""

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.publication.footprints import is_plain
from tasks.publication.leakage import HAIR, Footprint, overlaps, shared_images, shared_places


def scene(split: str, name: str, bounds=None, *, place="tile", images=()) -> Footprint:
    return Footprint(
        source="xbd",
        split=split,
        scene_id=name,
        place=place,
        bounds_lonlat=bounds,
        images=tuple(images),
    )


def numbers(*scenes: Footprint) -> tuple[int, int]:
    overlapping, touching = overlaps(scenes)
    return overlapping.number, touching.number


def test_an_image_in_two_splits_is_told_with_a_scene_of_each() -> None:
    found = shared_images([scene("train", "a", images=["1", "2"]), scene("test", "b", images="2")])
    assert found.number == 1
    assert found.examples == ("xbd b (test) and xbd a (train)",)


def test_an_image_that_two_scenes_of_one_split_show_is_no_leak() -> None:
    assert shared_images([scene("train", "a", images="1"), scene("train", "b", images="1")]) == (
        shared_images([])
    )


def test_a_place_in_two_splits_is_one_place_however_many_scenes_it_has() -> None:
    scenes = [scene("train", "a"), scene("train", "b"), scene("test", "c"), scene("test", "d")]
    assert shared_places(scenes).number == 1


def test_scenes_that_lie_on_each_other_in_two_splits_overlap_both() -> None:
    assert numbers(scene("train", "a", (0, 0, 2, 2)), scene("test", "b", (1, 1, 3, 3))) == (2, 0)


def test_scenes_with_an_edge_or_a_corner_in_common_touch() -> None:
    first = scene("train", "a", (0, 0, 1, 1))
    assert numbers(first, scene("test", "b", (1, 0, 2, 1))) == (0, 2)
    assert numbers(first, scene("test", "b", (1, 1, 2, 2))) == (0, 2)


def test_boxes_around_neighbours_of_a_turned_grid_only_touch() -> None:
    assert numbers(scene("train", "a", (0, 0, 1, 1)), scene("test", "b", (0.95, 0, 1.95, 1))) == (
        0,
        2,
    )


def test_a_small_scene_within_a_large_one_overlaps_it() -> None:
    assert numbers(scene("train", "a", (0, 0, 9, 9)), scene("test", "b", (4, 4, 4.1, 4.1))) == (
        2,
        0,
    )


def test_scenes_of_one_split_and_scenes_without_bounds_meet_nothing() -> None:
    assert numbers(scene("train", "a", (0, 0, 1, 1)), scene("train", "b", (0, 0, 1, 1))) == (0, 0)
    assert numbers(scene("train", "a", (0, 0, 1, 1)), scene("test", "b")) == (0, 0)


def test_a_scene_across_the_antimeridian_does_not_cover_the_world() -> None:
    assert numbers(scene("train", "a", (179, 0, -179, 1)), scene("test", "b", (0, 0, 1, 1))) == (
        0,
        0,
    )


places = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 3), st.integers(1, 3))


@given(st.lists(st.tuples(st.sampled_from(["train", "validation", "test"]), places), max_size=12))
def test_the_meter_finds_what_comparing_all_pairs_finds(drawn) -> None:
    scenes = [
        scene(split, str(number), (west, south, west + width, south + height))
        for number, (split, (west, south, width, height)) in enumerate(drawn)
    ]
    overlapping, touching = set(), set()
    for a, b in combinations(scenes, 2):
        (w, s, e, n), (west, south, east, north) = a.bounds_lonlat, b.bounds_lonlat
        wide, high = min(e, east) - max(w, west), min(n, north) - max(s, south)
        if a.split == b.split or wide < 0 or high < 0:
            continue
        smaller = min((e - w) * (n - s), (east - west) * (north - south))
        (overlapping if wide * high > HAIR * smaller else touching).update((a, b))
    assert numbers(*scenes) == (len(overlapping), len(touching - overlapping))


def encoded(pixels_HW3: np.ndarray, kind: str) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels_HW3).save(file, kind, quality=95)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("size", [16, 120, 256, 1024])
def test_an_image_of_one_colour_says_nothing_and_one_with_a_mark_does(kind, size) -> None:
    pixels_HW3 = np.full((size, size, 3), 90, np.uint8)
    assert is_plain(encoded(pixels_HW3, kind), size * size)
    pixels_HW3[:4, :4] = 255
    assert not is_plain(encoded(pixels_HW3, kind), size * size)

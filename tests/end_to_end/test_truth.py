"""On planet data, answers agree with what the world knows, not only with the masks."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from scipy import ndimage

from tasks.sources.clc import CLC_CODES_OF_CLASS

NAMES = (
    "water",
    "developed area",
    "tree",
    "shrub",
    "grass",
    "crop",
    "bare land",
    "snow",
    "wetland",
    "mangroves",
    "moss",
)
SATLAS_IDS = dict(zip(NAMES, range(1, 12), strict=True))
WORLDCOVER_CODES = dict(zip(NAMES, (80, 50, 10, 20, 30, 40, 60, 70, 90, 95, 100), strict=True))


def samples(dataset, source):
    columns = ["scene_id", "task", "classes", "answer", "program", "grid", "provenance"]
    for path in sorted((dataset / "data").rglob(f"{source}-*.parquet")):
        yield from pq.read_table(path, columns=columns).to_pylist()


@pytest.fixture(scope="module")
def truth(planet):
    def of(source):
        scenes = json.loads((planet / "truth" / f"{source}.json").read_text())["scenes"]
        return {scene["scene_id"]: scene for scene in scenes}

    return of


def world_of(truth_by_scene, scene_id):
    return next(t for name, t in truth_by_scene.items() if scene_id.endswith(name))


def test_bigearthnet_areas_and_shares_are_the_worlds(dataset, truth) -> None:
    worlds = truth("bigearthnet")
    checked = 0
    for sample in samples(dataset, "bigearthnet"):
        if sample["task"] not in ("area", "coverage", "existence"):
            continue
        world = world_of(worlds, sample["scene_id"])
        (name,) = sample["classes"]
        pixels = sum(n for code, n in world["class_pixels"].items() if class_of(code) == name)
        valid = sum(n for code, n in world["class_pixels"].items() if class_of(code))
        expected = {
            "area": pixels * world["pixel_size_m"][0] * world["pixel_size_m"][1],
            "coverage": pixels / valid,
            "existence": None,
        }[sample["task"]]
        if sample["task"] == "existence":
            assert sample["answer"]["text"] == ("Yes" if pixels else "No")
        else:
            assert sample["answer"]["value"] == pytest.approx(expected, rel=1e-9)
        checked += 1
    assert checked > 10


def class_of(code):
    return next((name for name, codes in CLC_CODES_OF_CLASS.items() if int(code) in codes), None)


def test_xbd_counts_are_those_of_the_worlds_buildings(dataset, truth) -> None:
    worlds = truth("xbd")
    checked = 0
    for sample in samples(dataset, "xbd"):
        if sample["task"] not in ("count_objects", "change_count", "change_share"):
            continue
        world = world_of(worlds, sample["scene_id"])
        (name,) = sample["classes"]
        number = world["buildings"] if name == "building" else world["by_level"][name]
        if sample["task"] == "change_share":
            assert sample["answer"]["value"] == pytest.approx(number / world["buildings"])
        else:
            assert sample["answer"]["value"] == number
        checked += 1
    assert checked > 5


def test_xbd_pixel_sizes_are_the_worlds_within_a_thousandth(dataset, truth) -> None:
    worlds = truth("xbd")
    found = {s["scene_id"]: s["grid"] for s in samples(dataset, "xbd")}
    assert found
    for scene_id, grid in found.items():
        world = world_of(worlds, scene_id)
        size = (grid["pixel_size_x_m"], grid["pixel_size_y_m"])
        assert size == pytest.approx(tuple(world["pixel_size_m"]), rel=2e-3)


def test_xbd_areas_are_the_worlds_polygons_within_their_margin(dataset, truth) -> None:
    worlds = truth("xbd")
    checked = 0
    for sample in samples(dataset, "xbd"):
        if sample["task"] == "area" and sample["classes"] == ["building"]:
            answer = sample["answer"]
            area_m2 = world_of(worlds, sample["scene_id"])["area_m2"]["building"]
            assert answer["low"] <= area_m2 <= answer["high"]
            checked += 1
    assert checked > 0


def test_chatearthnet_answers_are_the_worlds(dataset, truth) -> None:
    worlds = truth("chatearthnet")
    checked = 0
    for sample in samples(dataset, "chatearthnet"):
        world = world_of(worlds, sample["scene_id"])
        codes = {"satlas": SATLAS_IDS, "worldcover": WORLDCOVER_CODES}[world["labels"]]
        if sample["task"] in ("existence", "area", "coverage"):
            (name,) = sample["classes"]
            pixels = world["class_pixels"].get(str(codes[name]), 0)
            area_m2 = pixels * world["pixel_size_m"][0] * world["pixel_size_m"][1]
            if sample["task"] == "existence":
                assert sample["answer"]["text"] == ("Yes" if pixels else "No")
            elif sample["task"] == "area":
                assert sample["answer"]["value"] == pytest.approx(area_m2, rel=1e-6)
            else:
                valid = sum(n for code, n in world["class_pixels"].items() if code != "0")
                assert sample["answer"]["value"] == pytest.approx(pixels / valid)
            checked += 1
    assert checked > 10


SQUARE = np.ones((3, 3), dtype=bool)
PIXEL_M = 10.0
CELLS = "north-west north north-east west centre east south-west south south-east".split()


@pytest.fixture(scope="module")
def reference_map(planet):
    """Read the codes of a BigEarthNet patch as the world wrote them."""

    def of(sample):
        (path,) = (
            file["path"]
            for file in sample["provenance"]["files"]
            if file["path"].endswith("_reference_map.tif")
        )
        with rasterio.open(planet / "bigearthnet" / path) as raster:
            codes_HW = raster.read(1)
        valid_HW = np.isin(codes_HW, sorted(set().union(*CLC_CODES_OF_CLASS.values())))
        return [
            np.isin(codes_HW, sorted(CLC_CODES_OF_CLASS[n])) for n in sample["classes"]
        ], valid_HW

    return of


def bigearthnet(dataset, task):
    found = [s for s in samples(dataset, "bigearthnet") if s["task"] == task]
    assert found, f"no sample of {task}"
    return found


def edges_px(a_HW, b_HW):
    return sum(
        int(np.count_nonzero(x[:-1] & y[1:]))
        for x, y in ((a_HW, b_HW), (b_HW, a_HW), (a_HW.T, b_HW.T), (b_HW.T, a_HW.T))
    )


def opened(mask_HW, valid_HW):
    kept_HW = mask_HW & ndimage.binary_erosion(mask_HW | ~valid_HW, SQUARE, border_value=1)
    return kept_HW | ndimage.binary_dilation(kept_HW, SQUARE) & valid_HW


def test_borders_are_those_of_the_map_that_the_world_wrote(dataset, reference_map) -> None:
    for sample in bigearthnet(dataset, "border"):
        (a_HW, b_HW), _ = reference_map(sample)
        if sample["answer"]["text"] == "Yes":
            assert edges_px(a_HW, b_HW) >= 8
        else:
            grown = [ndimage.binary_dilation(x_HW, SQUARE) for x_HW in (a_HW, b_HW)]
            assert not (grown[0] & grown[1]).any()


def test_border_lengths_are_counted_edges_of_ten_metres(dataset, reference_map) -> None:
    for sample in bigearthnet(dataset, "border_length"):
        (a_HW, b_HW), _ = reference_map(sample)
        assert sample["answer"]["value"] == pytest.approx(PIXEL_M * edges_px(a_HW, b_HW))


def test_distances_are_those_of_the_map_that_the_world_wrote(dataset, reference_map) -> None:
    for sample in bigearthnet(dataset, "distance"):
        (a_HW, b_HW), valid_HW = reference_map(sample)
        far_HW = ndimage.distance_transform_edt(~opened(b_HW, valid_HW))
        distance_m = PIXEL_M * far_HW[opened(a_HW, valid_HW)].min()
        assert sample["answer"]["value"] == pytest.approx(distance_m)
        assert distance_m > 10 * PIXEL_M


def test_places_are_where_the_largest_patch_of_the_map_lies(dataset, reference_map) -> None:
    for sample in bigearthnet(dataset, "location"):
        (mask_HW,), _ = reference_map(sample)
        labels_HW, number = ndimage.label(mask_HW, SQUARE)
        sizes_px = ndimage.sum_labels(mask_HW, labels_HW, range(1, number + 1))
        middle = ndimage.center_of_mass(labels_HW == 1 + int(np.argmax(sizes_px)))
        row, column = (int(3 * (x + 0.5) / 120) for x in middle)
        assert sample["answer"]["text"] == CELLS[3 * row + column]


def test_patches_are_counted_on_the_map_that_the_world_wrote(dataset, reference_map) -> None:
    for sample in bigearthnet(dataset, "count_areas"):
        (mask_HW,), _ = reference_map(sample)
        labels_HW, number = ndimage.label(mask_HW, SQUARE)
        sizes_px = ndimage.sum_labels(mask_HW, labels_HW, range(1, number + 1))
        assert sample["answer"]["value"] == np.count_nonzero(sizes_px >= 9)


@pytest.fixture(scope="module")
def sites(truth):
    """Find what the world knows of the development sites of a TEOChatlas sequence."""
    by_image = {scene["video"][0]: scene for scene in truth("teochatlas").values()}

    def of(sample):
        return by_image[sample["provenance"]["files"][0]["path"]]

    return of


def of_sequences(dataset, *tasks):
    found = [
        sample
        for sample in samples(dataset, "teochatlas")
        if sample["task"] in tasks and "construction_status" in sample["program"]
    ]
    assert found, f"no sample of {tasks}"
    return found


def areas_of(world, sample):
    """Return the area of a sample's class at every date, in pixels of a 256 x 256 image."""
    (name,) = sample["classes"]
    return [
        sum(area for status, area in of_date.items() if status.lower() == name)
        for of_date in world["area_px256_by_status"]
    ]


def test_sequences_go_as_the_sites_of_the_world_do(dataset, sites) -> None:
    for sample in of_sequences(dataset, "first_seen", "largest_when", "trend"):
        areas = areas_of(sites(sample), sample)
        steps = np.sign(np.diff(areas))
        expected = {
            "first_seen": f"image {1 + next((i for i, area in enumerate(areas) if area), -1)}",
            "largest_when": f"image {1 + int(np.argmax(areas))}",
            "trend": "it both grew and shrank"
            if (steps > 0).any() and (steps < 0).any()
            else f"it {'grew' if (steps > 0).all() else 'shrank'} throughout",
        }
        assert sample["answer"]["text"] == expected[sample["task"]]


def test_what_sites_gained_and_lost_is_what_changed_in_the_world(dataset, sites) -> None:
    for sample in of_sequences(dataset, "change_amount"):
        (name,) = sample["classes"]
        moved = {"gained": 0.0, "lost": 0.0}
        for region in sites(sample)["regions"]:
            before, after = (region["status"][date].lower() == name for date in (0, -1))
            if before != after:
                moved["gained" if after else "lost"] += region["area_px256"]
        kept = json.loads(sample["program"])["of"]["a"]["a"]
        share = moved["gained" if kept["date"] else "lost"] / 256**2
        assert sample["answer"]["low"] <= share <= sample["answer"]["high"]

"""On planet data, answers agree with what the world knows, not only with the masks."""

import json

import pyarrow.parquet as pq
import pytest

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
    columns = ["scene_id", "task", "classes", "answer", "program", "grid"]
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

"""The planet's TEOChatlas: records as the archive has them, and a truth that fits them."""

import hashlib
import json
import os
import re
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, from_wkt
from shapely.geometry import box

from tasks.planet.sites import EARTH_STATUSES, STAGES, STATUSES, Site
from tasks.planet.stories import best_dates, story, told
from tasks.planet.teochatlas import KINDS, plan_teochatlas, teochatlas_chapter, write_teochatlas
from tasks.planet.teochatlas_text import (
    box_text,
    boxes_answer,
    percent_box,
    percent_boxes,
    record,
    wkt_256,
)
from tasks.planet.world import World
from tasks.sources.teochatlas import index

SCENES, SEED = 12, 3
KEYS = ["video", "conversations", "timestamp", "task", "dataset", "polygon"]
TASKS = {
    "change_detection_localization",
    "change_detection_classification",
    "change_detection_detection",
    "spatial_referring_expression",
    "question_answering",
    "region_based_question_answering",
    "region_based_temporal_question_answering",
    "scene_classification",
}
BOX = re.compile(r"\[(\d+), (\d+), (\d+), (\d+)\]")
ASKED = re.compile(r"status in this region (\[.*?\]) in Image (\d+)")

Scenes = list[dict[str, Any]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planet") / "teochatlas"
    write_teochatlas(out, World(11), SCENES, SEED)
    return out


@pytest.fixture(scope="module")
def truth(archive: Path) -> Scenes:
    content = json.loads((archive.parent / "truth" / "teochatlas.json").read_text())
    return list(content["scenes"])


@pytest.fixture(scope="module")
def files(archive: Path) -> dict[str, Scenes]:
    return {
        path.relative_to(archive).as_posix(): json.loads(path.read_text())
        for path in archive.rglob("*.json")
    }


def records_of(scene: dict[str, Any], files: dict[str, Scenes]) -> Scenes:
    return [files[name][place] for name, places in scene["records"].items() for place in places]


def test_train_and_every_eval_file_are_written(files: dict[str, Scenes]) -> None:
    assert set(files) == {
        "train/instruct.json",
        "eval/QFabric_RQA5_RTQA5.json",
        "eval/xBD_Change_Detection_Localization.json",
        "eval/xBD_Change_Detection_Classification.json",
        "eval/S2Looking_Change_Detection.json",
        "eval/AID.json",
    }
    assert files["train/instruct.json"]
    assert files["eval/QFabric_RQA5_RTQA5.json"]


def test_records_have_the_archives_keys_and_two_turns(files: dict[str, Scenes]) -> None:
    for name, entries in files.items():
        for entry in entries:
            assert list(entry) == KEYS
            assert [turn["from"] for turn in entry["conversations"]] == ["human", "gpt"]
            assert entry["conversations"][0]["value"].count("<video>") == 1
            assert entry["task"] in TASKS
            assert len(entry["timestamp"]) in (0, len(entry["video"]))
            assert name.startswith("eval") or entry["polygon"] == ""


def test_every_image_is_there_once_the_prefix_is_cut(
    archive: Path, files: dict[str, Scenes]
) -> None:
    for name, entries in files.items():
        for entry in entries:
            for path in entry["video"]:
                local = path.removeprefix("TEOChatlas/eval/")
                assert (archive / name.split("/")[0] / local).is_file()


def test_images_have_the_size_of_the_truth_and_the_form_of_the_real_ones(
    archive: Path, truth: Scenes
) -> None:
    root = os.environ.get("TERRASCOPE_REALDATA")
    if root is None:
        pytest.skip("TERRASCOPE_REALDATA is not set")
    real = cv2.imread(f"{root}/teochat_examples/xBD_cls_1.png", cv2.IMREAD_UNCHANGED)
    assert real is not None
    for scene in truth:
        for path in scene["video"]:
            picture = cv2.imread(str(archive / path), cv2.IMREAD_UNCHANGED)
            assert picture is not None
            assert picture.dtype == real.dtype
            assert picture.shape == (*scene["size"], real.shape[2])


def test_boxes_are_whole_percent(files: dict[str, Scenes]) -> None:
    for entries in files.values():
        for entry in entries:
            for turn in entry["conversations"]:
                for found in re.findall(r"\[\d[^\]]*\]", turn["value"]):
                    match = BOX.fullmatch(found)
                    assert match
                    assert all(0 <= int(number) <= 100 for number in match.groups())


def test_polygons_fill_the_boxes_of_their_questions(files: dict[str, Scenes]) -> None:
    checked = 0
    for entry in files["eval/QFabric_RQA5_RTQA5.json"]:
        match = BOX.search(entry["conversations"][0]["value"])
        assert match
        ring = from_wkt(entry["polygon"])
        bounds = np.array(ring.bounds) / 256 * 100
        assert ring.geom_type == "Polygon"
        assert np.allclose(bounds, [int(n) for n in match.groups()], atol=1.0)
        checked += 1
    assert checked > 10


def test_stages_asked_image_by_image_are_those_of_the_truth(
    truth: Scenes, files: dict[str, Scenes]
) -> None:
    sequences = [scene for scene in truth if scene["dataset"] == "QFabric"]
    assert len(sequences) >= 3
    for scene in sequences:
        assert 3 <= len(scene["video"]) == len(scene["dates"]) <= 5
        assert scene["dates"] == sorted(set(scene["dates"]))
        said = {}
        for entry in records_of(scene, files):
            match = ASKED.search(entry["conversations"][0]["value"])
            if match:
                answer = entry["conversations"][1]["value"].split(" [")[0]
                said[match.group(1), int(match.group(2))] = answer
        expected = {
            (box_text(tuple(region["box"])), image): status
            for region in scene["regions"]
            for image, status in enumerate(region["status"], start=1)
        }
        assert said == expected


def test_sites_never_go_back_a_stage_and_their_areas_add_up(truth: Scenes) -> None:
    for scene in (scene for scene in truth if scene["dataset"] == "QFabric"):
        for region in scene["regions"]:
            steps = [STATUSES.index(status) for status in region["status"]]
            assert steps == sorted(steps)
            area = from_wkt(region["polygon_256"]).area
            assert region["area_px256"] == pytest.approx(area, rel=1e-3)
        for k, built in enumerate(scene["built_px256"]):
            done = [r for r in scene["regions"] if r["status"][k] in STATUSES[-2:]]
            assert built == pytest.approx(sum(r["area_px256"] for r in done))
            by_status = scene["area_px256_by_status"][k]
            whole = sum(r["area_px256"] for r in scene["regions"])
            assert sum(by_status.values()) == pytest.approx(whole, abs=0.01)


def test_a_site_of_bare_earth_looks_like_earth(archive: Path, truth: Scenes) -> None:
    looked_at = 0
    for scene in (scene for scene in truth if scene["dataset"] == "QFabric"):
        scale = scene["size"][0] / 256
        for k in set(range(len(scene["video"]))) - set(scene["clouded"]):
            picture = cv2.imread(str(archive / scene["video"][k]))
            assert picture is not None
            for region in scene["regions"]:
                if region["status"][k] in EARTH_STATUSES[:2]:
                    ring = np.array(from_wkt(region["polygon_256"]).exterior.coords) * scale
                    mask = np.zeros(picture.shape[:2], np.uint8)
                    cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], 1)
                    blue, _, red = picture[mask > 0].mean(axis=0)
                    assert red - blue > 20
                    looked_at += 1
    assert looked_at > 0


def test_xbd_records_name_every_building_and_its_level(
    truth: Scenes, files: dict[str, Scenes]
) -> None:
    words = {"No damage": "no-damage", "Minor damage": "minor-damage",
             "Major damage": "major-damage", "Destroyed": "destroyed"}  # fmt: skip
    for scene in (scene for scene in truth if scene["dataset"] == "xBD"):
        levels = dict(zip(map(tuple, scene["boxes"]), scene["levels"], strict=True))
        for entry in records_of(scene, files):
            asked, answered = (turn["value"] for turn in entry["conversations"])
            if entry["task"] == "change_detection_localization":
                assert boxes_in(answered) == sorted(map(tuple, scene["boxes"]))
            else:
                assert levels[boxes_in(asked)[0]] == words[answered]


def boxes_in(text: str) -> list[tuple[int, int, int, int]]:
    found = (tuple(map(int, match.groups())) for match in BOX.finditer(text))
    return sorted((min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in found)


def test_new_buildings_are_those_that_the_answer_lists(
    truth: Scenes, files: dict[str, Scenes]
) -> None:
    pairs = [scene for scene in truth if scene["dataset"] == "S2Looking"]
    assert pairs
    for scene in pairs:
        answers = [
            entry["conversations"][1]["value"]
            for entry in records_of(scene, files)
            if entry["task"] == "change_detection_detection"
        ]
        assert boxes_in(answers[0]) == sorted(map(tuple, scene["boxes"]))
        assert scene["buildings"][1] - scene["buildings"][0] == scene["changed"]


def test_the_archives_faults_come_in_their_shares() -> None:
    rng = np.random.default_rng(5)
    made = [
        record(
            rng,
            video=["a.png"],
            opening="<video> ",
            question="What is it?",
            answer="[1, 2, 3, 4].",
            timestamp=[],
            task="t",
            dataset="d",
            polygon="",
            train=False,
        )
        for _ in range(4000)
    ]
    prefixed = np.mean([entry["video"][0].startswith("TEOChatlas/eval/") for entry in made])
    spaced = np.mean([entry["conversations"][0]["value"].endswith("it. ?") for entry in made])
    reverse = np.mean([entry["conversations"][1]["value"] == "[3, 4, 1, 2]." for entry in made])
    assert prefixed == pytest.approx(0.3, abs=0.03)
    assert spaced == pytest.approx(0.1, abs=0.02)
    assert reverse == pytest.approx(0.06, abs=0.015)


def test_a_scene_depends_on_its_plan_alone(archive: Path, tmp_path: Path) -> None:
    scene = plan_teochatlas(SCENES, SEED)[2]
    chapter = teochatlas_chapter(World(11), scene)
    chapter.save_pictures(tmp_path)
    for name in chapter.pictures:
        one, other = tmp_path / scene.folder / name, archive / scene.folder / name
        assert (
            hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()
        )


def test_a_quarter_of_the_image_is_50_percent_wide() -> None:
    ring = np.array([[0.0, 0.0], [128.0, 0.0], [128.0, 128.0], [0.0, 128.0]])
    assert percent_box(ring, 256) == (0, 0, 50, 50)
    assert boxes_answer([(0, 0, 50, 50), (1, 2, 3, 4)], "none") == "[0, 0, 50, 50], [1, 2, 3, 4]."
    assert boxes_answer([], "None here.") == "None here."


def test_a_footprint_that_the_edge_cuts_in_two_has_one_box_around_both_parts() -> None:
    frame = box(0, 0, 100, 100)
    # a U whose two arms reach into the picture, 10 to 20 and 40 to 60 from its left, 30 deep
    arms = Polygon(
        [(10, 130), (10, 70), (20, 70), (20, 120), (40, 120), (40, 70), (60, 70), (60, 130)]
    ).intersection(frame)
    assert arms.geom_type == "MultiPolygon"
    assert percent_boxes([arms, box(0, 0, 50, 25)], 100) == [(10, 70, 60, 100), (0, 0, 50, 25)]
    assert from_wkt(wkt_256(arms, 256)).area == pytest.approx(900)


def test_sixty_scenes_are_crops_of_few_places_each_in_one_folder() -> None:
    plan = plan_teochatlas(60, 7)
    places = Counter((KINDS[s.index % len(KINDS)][0], s.folder, s.number) for s in plan)
    assert len(places) <= 8
    assert places["QFabric", "eval", 1] >= 20
    assert all(number % 2 == (folder == "eval") for _, folder, number in places)
    assert len({(KINDS[s.index % len(KINDS)][0], s.number, s.crop) for s in plan}) == 60


def test_a_large_archive_fills_one_place_after_another() -> None:
    crops: dict[tuple[str, int], list[int]] = defaultdict(list)
    for scene in plan_teochatlas(5000, 7):
        crops[KINDS[scene.index % len(KINDS)][0], scene.number].append(scene.crop)
    assert all(found == list(range(len(found))) for found in crops.values())
    assert max(len(found) for found in crops.values()) <= 64
    assert sum(len(found) < 8 for found in crops.values()) <= 8  # the last place of each folder


def test_crops_of_a_place_lie_in_one_bucket_and_share_their_dates(archive: Path) -> None:
    refs = list(index(archive))
    listed = [ref for ref in refs if hasattr(ref, "bucket")]
    assert len({(ref.split, ref.bucket) for ref in listed}) <= 7
    sequences = [r for r in listed if r.place == "QFabric_2"]
    assert len(sequences) == 5
    assert len({ref.bucket for ref in sequences}) == 1
    assert len(set(chain.from_iterable(ref.facts["dates"].split() for ref in sequences))) <= 5


def test_most_sequences_begin_without_a_stage_that_comes_later(truth: Scenes) -> None:
    sequences = [scene for scene in truth if scene["dataset"] == "QFabric"]
    later = [
        set(chain.from_iterable(areas)) - set(areas[0])
        for areas in (scene["area_px256_by_status"] for scene in sequences)
    ]
    assert sum(bool(names) for names in later) > 0.8 * len(sequences)


def test_a_stage_tells_when_it_comes_when_it_is_largest_and_how_it_develops() -> None:
    assert told([5.0, 5.0, 5.0]) == 0
    assert told([0.0, 5.0, 5.0]) == 1  # first seen; no date has most
    assert told([0.0, 5.0, 0.0]) == 3  # first seen, largest, grew and shrank
    assert told([5.0, 5.2, 5.4]) == 0  # too little to tell
    assert told([9.0, 5.0, 0.0]) == 1 + 3  # largest at first, shrank throughout


def test_the_dates_that_tell_most_are_chosen_in_order() -> None:
    stages = [["Greenland", "Greenland", "Greenland", "Operational"]]
    assert story(stages, [4.0], (0, 1)) == 0
    assert best_dates(stages, [4.0], 2) == [0, 3]


def test_polygons_are_scaled_to_256_pixels() -> None:
    square = box(0, 0, 100, 200)
    assert from_wkt(wkt_256(square, 512)).bounds == (0.0, 0.0, 50.0, 100.0)
    assert from_wkt(wkt_256(MultiPolygon([square, box(300, 0, 400, 9)]), 256)).area == 20900
    assert wkt_256(Polygon(), 256) == ""


@given(st.floats(2005, 2035), st.floats(0, 10))
def test_a_later_date_is_no_earlier_stage(year: float, later: float) -> None:
    site = Site(ring_m=np.zeros((4, 2)), kind="Residential", year=2018.0)
    first, second = STATUSES.index(site.status(year)), STATUSES.index(site.status(year + later))
    assert first <= second


def test_a_site_is_cleared_a_year_before_it_is_built_on() -> None:
    site = Site(ring_m=np.zeros((4, 2)), kind="Residential", year=2018.0)
    assert site.status(2016.9) == "Greenland"
    assert site.status(2017.0) == "Land Cleared"
    assert site.status(2020.0) == "Operational"
    assert [start for _, start in STAGES] == sorted(start for _, start in STAGES)

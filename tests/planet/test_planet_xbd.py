"""The planet's xBD: the archive's layout and keys, and a truth that fits what was written."""

import hashlib
import json
import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import from_wkt, unary_union
from shapely.geometry import box

from tasks.planet.disasters import DISASTERS, day_of, decimal_year
from tasks.planet.georeference import Georeference, metres_per_degree
from tasks.planet.world import World
from tasks.planet.xbd import plan_xbd, write_xbd, write_xbd_scene

SCENES, SEED = 6, 3
FRAME = box(0, 0, 1024, 1024)
LEVELS = ("no-damage", "minor-damage", "major-damage", "destroyed", "un-classified")
WKT = re.compile(r"POLYGON \(\((-?\d+\.\d+(e-\d+)? -?\d+\.\d+(e-\d+)?(, |(?=\))))+\)\)")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planet") / "xbd"
    write_xbd(out, World(11), SCENES, SEED)
    return out


@pytest.fixture(scope="module")
def truth(archive: Path) -> list[dict[str, Any]]:
    content = json.loads((archive.parent / "truth" / "xbd.json").read_text())
    return list(content["scenes"])


@pytest.fixture(scope="module")
def joplin() -> dict[str, Any]:
    root = os.environ.get("TERRASCOPE_REALDATA")
    if root is None:
        pytest.skip("TERRASCOPE_REALDATA is not set")
    path = Path(root) / "xbd" / "labels" / "joplin-tornado_00000050_post_disaster.json"
    return dict(json.loads(path.read_text()))


def label(archive: Path, scene: dict[str, Any], date: str) -> dict[str, Any]:
    path = archive / scene["split"] / "labels" / f"{scene['scene_id']}_{date}_disaster.json"
    return dict(json.loads(path.read_text()))


def pixels(archive: Path, scene: dict[str, Any], kind: str, date: str) -> np.ndarray:
    end = "_target.png" if kind == "targets" else ".png"
    path = archive / scene["split"] / kind / f"{scene['scene_id']}_{date}_disaster{end}"
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None, path
    return np.asarray(read)


def pixel_size_m(content: dict[str, Any]) -> tuple[float, float]:
    """Fit lng_lat = A xy + b and return the metres of a step right and of a step down."""
    xy, lonlat = (
        np.concatenate([from_wkt(f["wkt"]).exterior.coords for f in content["features"][k]])
        for k in ("xy", "lng_lat")
    )
    design = np.column_stack([xy, np.ones(len(xy))])
    (right, down, _), *_ = np.linalg.lstsq(design, lonlat - lonlat.mean(axis=0), rcond=None)
    scale = np.array(metres_per_degree(float(lonlat[:, 1].mean())))
    return float(np.hypot(*(right * scale))), float(np.hypot(*(down * scale)))


def shape_of(value: Any) -> Any:
    """Return keys and types of a JSON value, in the order of the file."""
    if isinstance(value, dict):
        return [(key, shape_of(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape_of(value[0])]
    return type(value).__name__


def test_every_scene_has_two_images_two_labels_and_outside_tier3_two_targets(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for scene in truth:
        kinds = {"images": ".png", "labels": ".json", "targets": "_target.png"}
        if scene["split"] == "tier3":
            del kinds["targets"]
        for kind, end in kinds.items():
            for date in ("pre", "post"):
                name = f"{scene['scene_id']}_{date}_disaster{end}"
                assert (archive / scene["split"] / kind / name).is_file()
    written = sum(path.is_file() for path in archive.rglob("*"))
    assert written == sum(4 if scene["split"] == "tier3" else 6 for scene in truth)
    assert not (archive / "tier3" / "targets").exists()


def test_images_are_three_bytes_a_pixel_and_targets_hold_codes_0_to_4(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for scene in truth:
        for date in ("pre", "post"):
            image = pixels(archive, scene, "images", date)
            assert image.shape == (1024, 1024, 3)
            assert image.dtype == np.uint8
            assert image.std() > 10
            if scene["split"] != "tier3":
                target = pixels(archive, scene, "targets", date)
                assert target.shape == (1024, 1024)
                assert set(np.unique(target)) <= ({0, 1} if date == "pre" else {0, 1, 2, 3, 4})


def test_label_keys_and_types_are_those_of_the_real_file(
    archive: Path, truth: list[dict[str, Any]], joplin: dict[str, Any]
) -> None:
    assert shape_of(label(archive, truth[0], "post")) == shape_of(joplin)
    assert WKT.fullmatch(joplin["features"]["xy"][0]["wkt"])


def test_polygons_are_written_as_the_archive_writes_numbers(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for feature in label(archive, truth[0], "post")["features"]["xy"]:
        assert WKT.fullmatch(feature["wkt"]), feature["wkt"]


def test_pre_and_post_share_uids_and_only_post_has_a_level(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for scene in truth:
        pre, post = (label(archive, scene, date)["features"] for date in ("pre", "post"))
        order = [f["properties"]["uid"] for f in pre["xy"]]
        for entries in (pre["lng_lat"], post["xy"], post["lng_lat"]):
            assert [f["properties"]["uid"] for f in entries] == order
        assert len(set(order)) == len(order)
        assert all("subtype" not in f["properties"] for f in (*pre["xy"], *pre["lng_lat"]))
        for one, other in zip(pre["xy"], post["xy"], strict=True):
            assert from_wkt(one["wkt"]).equals(from_wkt(other["wkt"]))


def test_pixel_size_comes_back_from_the_affine_and_is_not_gsd(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for scene in truth:
        content = label(archive, scene, "post")
        assert pixel_size_m(content) == pytest.approx(scene["pixel_size_m"], rel=3e-4)
        assert 0.3 < scene["pixel_size_m"][0] < 0.6
        assert content["metadata"]["gsd"] > 1.2


def test_the_same_fit_gives_the_known_pixel_size_of_joplin(joplin: dict[str, Any]) -> None:
    assert pixel_size_m(joplin) == pytest.approx((0.451, 0.451), abs=0.001)


def test_truth_counts_buildings_by_level_as_the_labels_do(
    archive: Path, truth: list[dict[str, Any]]
) -> None:
    for scene in truth:
        found = label(archive, scene, "post")["features"]["xy"]
        counted = Counter(f["properties"]["subtype"] for f in found)
        assert scene["by_level"] == {level: counted[level] for level in LEVELS}
        assert scene["buildings"] == len(found) >= 1
        for feature in found:
            level = feature["properties"]["subtype"]
            assert level in ("un-classified", scene["world_level"][feature["properties"]["uid"]])


def test_truth_knows_edges_overlaps_and_areas(archive: Path, truth: list[dict[str, Any]]) -> None:
    for scene in truth:
        rings = {
            f["properties"]["uid"]: from_wkt(f["wkt"])
            for f in label(archive, scene, "post")["features"]["xy"]
        }
        assert all(ring.is_valid and ring.intersects(FRAME) for ring in rings.values())
        assert set(scene["cut_by_edge"]) == {u for u, r in rings.items() if not FRAME.contains(r)}
        overlaps = {frozenset(pair) for pair in scene["overlapping"]}
        assert overlaps == {
            frozenset((a, b))
            for a, one in rings.items()
            for b, two in rings.items()
            if a < b and one.intersection(two).area > 0
        }
        inside = unary_union(list(rings.values())).intersection(FRAME).area
        area_m2 = inside * math.prod(scene["pixel_size_m"])
        assert scene["area_m2"]["building"] == pytest.approx(area_m2, abs=0.01)


def test_truth_counts_the_pixels_of_the_target(archive: Path, truth: list[dict[str, Any]]) -> None:
    for scene in (s for s in truth if s["split"] != "tier3"):
        for key, date in (("class_pixels", "post"), ("pre_pixels", "pre")):
            codes, counts = np.unique(pixels(archive, scene, "targets", date), return_counts=True)
            assert scene[key] == {str(c): int(n) for c, n in zip(codes, counts, strict=True)}


def test_rubble_is_rougher_than_the_roof_it_was(archive: Path, truth: list[dict[str, Any]]) -> None:
    rougher = []
    for scene in truth:
        before, after = (
            cv2.cvtColor(pixels(archive, scene, "images", date), cv2.COLOR_BGR2GRAY)
            for date in ("pre", "post")
        )
        for feature in label(archive, scene, "post")["features"]["xy"]:
            if feature["properties"]["subtype"] == "destroyed":
                mask = np.zeros((1024, 1024), np.uint8)
                ring = np.array(from_wkt(feature["wkt"]).exterior.coords).astype(np.int32)
                cv2.fillPoly(mask, [ring], 1)
                rougher.append(
                    cv2.Laplacian(after, cv2.CV_64F)[mask > 0].std()
                    > cv2.Laplacian(before, cv2.CV_64F)[mask > 0].std()
                )
    assert len(rougher) >= 3
    assert np.mean(rougher) > 0.9


def test_a_scene_depends_on_its_plan_alone(archive: Path, tmp_path: Path) -> None:
    scene = plan_xbd(SCENES, SEED)[4]
    alone = tmp_path / "xbd"
    for kind in ("images", "labels", "targets"):
        (alone / scene.split / kind).mkdir(parents=True)
    write_xbd_scene(alone, World(11), scene)
    written = [path for path in sorted(alone.rglob("*")) if path.is_file()]
    assert len(written) in (4, 6)
    for path in written:
        other = archive / path.relative_to(alone)
        assert digest(path) == digest(other)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_tier3_disasters_go_to_tier3_and_no_name_is_given_twice() -> None:
    plan = plan_xbd(200, 1)
    tiers = {disaster.name: disaster.tier for disaster in DISASTERS}
    assert all((s.split == "tier3") == (tiers[s.disaster.name] == 3) for s in plan)
    assert {s.split for s in plan} == {"train", "test", "hold", "tier3"}
    assert len({s.name for s in plan}) == 200


@pytest.mark.parametrize("seed", range(5))
def test_sixty_scenes_are_of_three_disasters_in_few_buckets(seed: int) -> None:
    plan = plan_xbd(60, seed)
    assert {s.disaster.tier for s in plan} == {1, 3}
    assert len({s.disaster.name for s in plan}) == 3
    assert {s.split for s in plan} == {"train", "test", "hold", "tier3"}
    granules = Counter((s.split, s.disaster.name, s.number // 256) for s in plan)
    assert len(granules) == 5
    assert min(granules.values()) >= 6


def test_every_disaster_has_its_part_of_a_large_archive_and_every_split_of_tier_1() -> None:
    granules = Counter((s.disaster.name, s.split) for s in plan_xbd(4000, 1))
    assert len({name for name, _ in granules}) == len(DISASTERS)
    first = [d.name for d in DISASTERS if d.tier == 1]
    assert all(granules[name, split] >= 39 for name in first for split in ("test", "hold"))


def test_a_step_right_on_a_north_up_picture_is_a_step_east() -> None:
    here = Georeference(longitude=10.0, latitude=0.0, pixel_m=(0.5, 0.5), turn_rad=0.0)
    (lon, lat), (lon_right, lat_right) = here.lonlat(np.array([[0.0, 0.0], [100.0, 0.0]]))
    assert (lon_right - lon) * 111319.5 == pytest.approx(50.0, abs=0.01)
    assert lat_right == lat


@given(
    turn=st.floats(-0.1, 0.1),
    latitude=st.floats(-60, 60),
    pixel=st.floats(0.3, 0.6),
)
def test_turning_a_picture_keeps_its_distances(turn: float, latitude: float, pixel: float) -> None:
    here = Georeference(longitude=5.0, latitude=latitude, pixel_m=(pixel, pixel), turn_rad=turn)
    ends = here.lonlat(np.array([[0.0, 0.0], [300.0, 400.0]]))
    metres = (ends[1] - ends[0]) * metres_per_degree(latitude)
    assert float(np.hypot(*metres)) == pytest.approx(500 * pixel, rel=1e-6)


@given(st.dates(min_value=day_of(1990.0), max_value=day_of(2029.9)))
def test_a_day_comes_back_from_its_decimal_year(day: Any) -> None:
    assert abs((day_of(decimal_year(day)) - day).days) <= 1

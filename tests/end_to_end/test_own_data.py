"""Your own folder through the real command: the examples of the documentation, and real files."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import yaml
from affine import Affine
from shapely import box

from tasks.manifest import read_manifest
from tasks.sources.own_config import ClassEntry, ImageFiles, LabelFiles, OwnDataset

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: text
    for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    for name in re.findall(r"^# example: (\w+)$", text, re.MULTILINE)
}
SIDE_PX = 120
PIXEL_M = 10.0
HECTARE_M2 = 10_000.0
LEFT, TOP = 331_200.0, 5_331_600.0
DATES = ("2018-06-01", "2021-06-03", "2024-05-30")


def write_raster(path: Path, bands_BHW: np.ndarray, number: int = 0) -> None:
    """Write a GeoTIFF of 10 m pixels; scenes of another number lie beside one another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = LEFT + number * SIDE_PX * PIXEL_M
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands_BHW),
        height=SIDE_PX,
        width=SIDE_PX,
        dtype=bands_BHW.dtype,
        crs="EPSG:32633",
        transform=Affine(PIXEL_M, 0.0, left, 0.0, -PIXEL_M, TOP),
    ) as raster:
        raster.write(bands_BHW)


def picture(number: int, dtype: str) -> np.ndarray:
    """Return three bands in which no two scenes look alike."""
    rng = np.random.default_rng(number)
    return rng.integers(1, 255 if dtype == "uint8" else 3000, (3, SIDE_PX, SIDE_PX)).astype(dtype)


def build(terrascope: Callable[..., Any], root: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Build with the real command, verify with the archive, and return all rows."""
    config = tmp_path / "build.yaml"
    config.write_text("balance: false\n")  # a few scenes lack the answers to balance with
    out = tmp_path / "dataset"
    done = terrascope(
        "build", f"--source=own={root}", "--config", config, "--out", out, "--engine=local"
    )
    assert done.returncode == 0, done.stderr
    proved = terrascope("verify", out, f"--source=own={root}")
    assert proved.returncode == 0, proved.stdout
    assert all(count.rejected == 0 for count in read_manifest(out).counts)
    return [
        row
        for path in sorted((out / "data").rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]


def of_task(rows: list[dict[str, Any]], task: str) -> list[dict[str, Any]]:
    found = [row for row in rows if row["task"] == task]
    assert found, f"no sample of {task}; there are {sorted({row['task'] for row in rows})}"
    return found


def test_every_key_stands_in_the_documentation_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE))
    models = (OwnDataset, ImageFiles, LabelFiles, ClassEntry)
    assert documented == {key for model in models for key in model.model_fields}


def test_the_documentation_names_every_common_class() -> None:
    from schemas.taxonomy import Common

    (line,) = [line for line in DOCUMENT.splitlines() if line.startswith("| `common`")]
    assert set(re.findall(r"`([^`]+)`", line)) - {"common"} == {str(common) for common in Common}


def test_the_documentation_has_its_three_examples() -> None:
    assert set(EXAMPLES) == {"fields", "roofs", "growth"}


def test_one_date_with_a_raster_label(terrascope, tmp_path) -> None:
    root = tmp_path / "fields"
    for number, name in enumerate(("north-01", "north-02", "south-07")):
        codes_HW = np.full((SIDE_PX, SIDE_PX), 2, dtype=np.uint8)
        codes_HW[:, : 40 + number] = 1  # water: 40, 41, 42 of 120 columns
        codes_HW[0, 0] = 0  # one pixel of water that nobody labelled
        write_raster(root / "images" / f"{name}.tif", picture(number, "uint16"), number)
        write_raster(root / "labels" / f"{name}.tif", codes_HW[None], number)
    (root / "dataset.yaml").write_text(EXAMPLES["fields"])
    rows = build(terrascope, root, tmp_path)
    assert {(row["scene_id"], row["split"]) for row in rows} == {
        ("fields-north-01", "train"),
        ("fields-north-02", "train"),
        ("fields-south-07", "test"),
    }
    renderings = {info["rendering"] for row in rows for info in row["image_info"]}
    assert renderings == {"band3_band2_band1_fixed_0_3000"}
    columns = {"fields-north-01": 40, "fields-north-02": 41, "fields-south-07": 42}
    for row in of_task(rows, "area"):
        water_px = columns[row["scene_id"]] * SIDE_PX - 1
        pixels = {"Water": water_px, "Forest": SIDE_PX * SIDE_PX - 1 - water_px}
        expected_m2 = pixels[row["classes"][0]] * PIXEL_M**2
        assert row["answer"]["value"] == pytest.approx(expected_m2, rel=1e-3)
        assert row["answer"]["unit"] == "m2"
    for row in of_task(rows, "existence"):
        assert row["answer"]["text"] == ("No" if row["classes"] == ["Cropland"] else "Yes")
    assert {row["answer"]["text"] for row in of_task(rows, "border")} == {"Yes"}
    assert {row["licence"] for row in rows} == {"CC-BY-4.0"}


def test_objects_from_a_vector_file(terrascope, tmp_path) -> None:
    root = tmp_path / "roofs"
    shapes, numbers = [], {"a": 3, "b": 5}
    for number, (name, buildings) in enumerate(numbers.items()):
        write_raster(root / "images" / f"{name}.tif", picture(number, "uint8"), number)
        for i in range(buildings):  # in a row; the first two share a wall
            west = LEFT + (number * SIDE_PX + 5 + 20 * i - 10 * (i == 1)) * PIXEL_M
            shapes.append(box(west, TOP - 600, west + 100, TOP - 450))
    frame = gpd.GeoDataFrame(
        {"uid": [f"house {i}" for i in range(len(shapes))]}, geometry=shapes, crs="EPSG:32633"
    )
    frame.to_crs("EPSG:4326").to_file(root / "roofs.gpkg")
    (root / "dataset.yaml").write_text(EXAMPLES["roofs"])
    rows = build(terrascope, root, tmp_path)
    counted = {row["scene_id"]: row["answer"]["value"] for row in of_task(rows, "count_objects")}
    assert counted == {"roofs-a": 3, "roofs-b": 5}
    objects = {m["instance_id"] for row in rows for m in row["scene_masks"] if m["instance_id"]}
    assert objects == set(frame["uid"])


def three_dates() -> list[np.ndarray]:
    """Forest (1) gives way to cropland (2), and built-up area (3) appears at the second date.

    Columns of forest: 60, 40, 20. Built-up squares at the lower right: none, 30, 50 pixels a side.
    """
    maps = []
    for forest_columns, built_side in ((60, 0), (40, 30), (20, 50)):
        codes_HW = np.full((SIDE_PX, SIDE_PX), 2, dtype=np.uint8)
        codes_HW[:, :forest_columns] = 1
        codes_HW[SIDE_PX - built_side :, SIDE_PX - built_side :] = 3
        maps.append(codes_HW)
    return maps


@pytest.fixture(scope="module")
def growth(terrascope, tmp_path_factory) -> list[dict[str, Any]]:
    """Return all rows of six scenes of three dates."""
    tmp_path = tmp_path_factory.mktemp("growth")
    root = tmp_path / "growth"
    for number, name in enumerate("abcdef"):
        for place, (date, codes_HW) in enumerate(zip(DATES, three_dates(), strict=True)):
            bands_BHW = picture(10 * number + place, "uint8")
            write_raster(root / "images" / f"{name}_{date}.tif", bands_BHW, number)
            write_raster(root / "labels" / f"{name}_{date}.tif", codes_HW[None], number)
    (root / "dataset.yaml").write_text(EXAMPLES["growth"])
    return build(terrascope, root, tmp_path)


def test_what_was_gained_and_lost_between_two_dates(growth) -> None:
    """Between the first and the last date, by hand: 40 columns of forest are lost, none gained.

    The built-up square takes 50 x 50 pixels of cropland; cropland gains the forest's 40 columns.
    """
    column_m2 = SIDE_PX * PIXEL_M**2
    lost_m2 = {"Forest": 40 * column_m2, "Cropland": 2500 * PIXEL_M**2}
    gained_m2 = {"Cropland": 40 * column_m2, "Built-up area": 2500 * PIXEL_M**2}
    asked = set()
    for row in of_task(growth, "change_amount"):
        moved = json.loads(row["program"])["of"]["a"]  # within what is labelled at both dates
        gained = moved["a"]["date"] > moved["b"]["date"]
        (name,) = row["classes"]
        assert row["answer"]["value"] == pytest.approx((gained_m2 if gained else lost_m2)[name])
        assert row["answer"]["low"] < row["answer"]["value"] < row["answer"]["high"]
        assert ("gain" if gained else "los") in row["question"]
        asked.add((name, gained))
    assert len(asked) >= 3


def test_which_of_two_classes_gained_more(growth) -> None:
    gained_px = {"Forest": 0, "Cropland": 40 * SIDE_PX, "Built-up area": 2500}
    words = {"Forest": "forest", "Cropland": "cropland", "Built-up area": "built-up area"}
    for row in of_task(growth, "change_which"):
        more = max(row["classes"], key=lambda name: gained_px[name])
        assert row["answer"]["text"] == words[more]


def test_when_a_class_is_first_seen_is_largest_and_how_it_develops(growth) -> None:
    for row in of_task(growth, "first_seen"):
        assert (row["classes"], row["answer"]["text"]) == (["Built-up area"], "image 2")
    for row in of_task(growth, "largest_when"):
        # cropland: 60 columns; 80 and 900 px less; 100 and 2,500 px less
        image = {"Forest": "image 1", "Cropland": "image 3", "Built-up area": "image 3"}
        assert row["answer"]["text"] == image[row["classes"][0]]
    for row in of_task(growth, "trend"):
        trend = "it shrank throughout" if row["classes"] == ["Forest"] else "it grew throughout"
        assert row["answer"]["text"] == trend


def test_a_sample_on_a_sequence_carries_its_images_in_order(growth) -> None:
    for row in of_task(growth, "trend"):
        assert [info["date"] for info in row["image_info"]] == list(DATES)
        assert len(row["images"]) == len(DATES)
        assert [step["image_index"] for step in row["steps"] if step["mask_index"] >= 0] == [
            0,
            1,
            2,
        ]


def test_two_products_in_two_layers_give_no_change(terrascope, tmp_path) -> None:
    root = tmp_path / "growth"
    tree = yaml.safe_load(EXAMPLES["growth"])
    (layer,) = tree["layers"]
    tree["layers"] = [
        {**layer, "name": f"map{n}", "product": f"algorithm {n}", "files": [{"pattern": pattern}]}
        for n, pattern in enumerate(f"labels/{{scene}}_{date}.tif" for date in DATES[:2])
    ]
    for n, date in enumerate(DATES[:2]):
        tree["layers"][n]["files"][0]["date"] = date
        write_raster(root / "images" / f"a_{date}.tif", picture(n, "uint8"))
        write_raster(root / "labels" / f"a_{date}.tif", three_dates()[n][None])
    (root / "dataset.yaml").write_text(json.dumps(tree))
    rows = build(terrascope, root, tmp_path)
    assert of_task(rows, "area")
    assert not [row["task"] for row in rows if row["task"].startswith("change")]


@pytest.fixture(scope="module")
def realdata() -> Path:
    """The folder of real sample files; the test is skipped where it is not set."""
    folder = os.environ.get("TERRASCOPE_REALDATA")
    if not folder:
        pytest.skip("needs real sample files: set TERRASCOPE_REALDATA to their folder")
    return Path(folder)


def test_the_real_eo_learn_patch_is_built_and_proved(terrascope, realdata, tmp_path) -> None:
    root = tmp_path / "eolearn"
    shutil.copytree(realdata / "eolearn_testeopatch", root)
    names = ("cultivated land", "forest", "grassland", "shrubland", "artificial surface")
    classes = [{"code": c, "name": n} for c, n in zip((1, 2, 3, 4, 8), names, strict=True)]
    layer = {"name": "lulc", "product": "lulc-2017", "ignore": [0], "classes": classes}
    tree = {
        "name": "eolearn",
        "licence": "MIT",
        "images": [{"pattern": "REFERENCE_SCENES.npy", "frame": 4, "bands": [4, 3, 2]}],
        "grid": {"geojson": "TestEOPatch/bbox.geojson"},
        "layers": [{**layer, "files": [{"pattern": "*/mask_timeless/LULC.npy"}]}],
    }
    (root / "dataset.yaml").write_text(json.dumps(tree))
    rows = build(terrascope, root, tmp_path)
    forest = [r for r in rows if r["classes"] == ["forest"] and r["task"] in ("area", "coverage")]
    assert forest
    for row in forest:
        expected = {
            "area": 7601 * row["grid"]["pixel_size_x_m"] * row["grid"]["pixel_size_y_m"],
            "coverage": 7601 / 9945,
        }[row["task"]]
        assert row["answer"]["value"] == pytest.approx(expected)
        assert row["grid"]["pixel_size_x_m"] == pytest.approx(9.995, abs=5e-4)


def test_the_real_joplin_pair_is_built_and_proved(terrascope, realdata, tmp_path) -> None:
    root = tmp_path / "joplin"
    shutil.copytree(realdata / "xview2_deploy_joplin", root)
    tree = yaml.safe_load(EXAMPLES["roofs"])
    tree["name"] = "joplin"
    tree["images"] = [{"pattern": "pre/{scene}.tif"}, {"pattern": "post/{scene}.tif"}]
    (layer,) = tree["layers"]
    del layer["id_column"]
    layer["files"] = [{"pattern": "bldg_polys.gpkg"}]
    (root / "dataset.yaml").write_text(json.dumps(tree))
    rows = build(terrascope, root, tmp_path)
    counted = {r["scene_id"]: r["answer"]["value"] for r in of_task(rows, "count_objects")}
    assert counted == {"joplin-tile_337-9136": 54, "joplin-tile_31500-5137": 77}

"""BigEarthNet as the planet writes it: files, tags, tables and truth, beside the real archive."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from tasks.planet.bigearthnet import write_bigearthnet
from tasks.planet.patch_blocks import choose_patches
from tasks.planet.world import World

SCENES = 22
MAIN = "metadata.parquet"
CLOUDS = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
SIZES = {"01": 20, "09": 20} | dict.fromkeys(("02", "03", "04", "08"), 120)
SIZES |= dict.fromkeys(("05", "06", "07", "8A", "11", "12"), 60)
# label of a code, typed from the archive's own mapping for the codes this test meets
NAMES = {
    211: "Arable land", 231: "Pastures", 311: "Broad-leaved forest", 312: "Coniferous forest",
    313: "Mixed forest", 324: "Transitional woodland, shrub", 512: "Inland waters",
    511: "Inland waters", 112: "Urban fabric", 111: "Urban fabric", 523: "Marine waters",
    411: "Inland wetlands", 242: "Complex cultivation patterns", 221: "Permanent crops",
}  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("planet") / "bigearthnet"
    write_bigearthnet(out, World(3), SCENES, 3, tile_scenes=11)
    return out


@pytest.fixture(scope="module")
def real() -> Path:
    root = os.environ.get("TERRASCOPE_REALDATA")
    if not root:
        pytest.skip("TERRASCOPE_REALDATA is unset: no real BigEarthNet files to compare with")
    return Path(root) / "bigearthnet_v2"


def rows_of(archive: Path) -> list[dict]:
    return [row for name in (MAIN, CLOUDS) for row in pq.read_table(archive / name).to_pylist()]


def truth_of(archive: Path) -> dict[str, dict]:
    content = json.loads((archive.parent / "truth" / "bigearthnet.json").read_text())
    return {scene["scene_id"]: scene for scene in content["scenes"]}


def folder_of(archive: Path, kind: str, patch_id: str) -> Path:
    return archive / kind / patch_id.rsplit("_", 2)[0] / patch_id


def codes_of(archive: Path, patch_id: str) -> np.ndarray:
    path = folder_of(archive, "Reference_Maps", patch_id) / f"{patch_id}_reference_map.tif"
    with rasterio.open(path) as raster:
        return raster.read(1)


def shape_of(path: Path) -> dict:
    """All that a reader could see of a raster but its pixels and its place."""
    with rasterio.open(path) as raster:
        profile = dict(raster.profile)
        place = profile.pop("transform")
        crs = profile.pop("crs")
        return profile | {
            "pixel": (place.a, place.b, place.d, place.e),
            "utm": crs.to_string().startswith("EPSG:326"),
            "authority": crs.to_wkt().count("AUTHORITY"),
            "tags": raster.tags(),
            "structure": raster.tags(ns="IMAGE_STRUCTURE"),
            "colours": raster.colorinterp,
            "overviews": raster.overviews(1),
        }


def test_every_row_has_its_files_and_every_file_its_row(archive):
    rows = rows_of(archive)
    assert len(rows) == SCENES
    expected = set()
    for row in rows:
        patch, radar = row["patch_id"], row["s1_name"]
        scene = archive / "BigEarthNet-S1" / radar.rsplit("_", 3)[0] / radar
        expected |= {scene / f"{radar}_{p}.tif" for p in ("VV", "VH")}
        optical = folder_of(archive, "BigEarthNet-S2", patch)
        expected |= {optical / f"{patch}_B{band}.tif" for band in SIZES}
        expected.add(folder_of(archive, "Reference_Maps", patch) / f"{patch}_reference_map.tif")
    assert set(archive.rglob("*.tif")) == expected


def test_names_hold_padded_indices_in_v2_and_plain_ones_elsewhere(archive):
    for row in rows_of(archive):
        *_, tile, column, row_index = row["patch_id"].split("_")
        assert len(column) == len(row_index) == 2
        plain = f"_{int(column)}_{int(row_index)}"
        assert row["s1_name"].endswith(f"_{tile[1:]}{plain}")
        assert row["s2v1_name"].endswith(plain)


def test_the_corner_of_a_patch_follows_from_its_column_and_row(archive):
    for patch_id, scene in truth_of(archive).items():
        *_, tile, column, row = patch_id.split("_")
        left, top = {"T33UUP": (300000, 5400000), "T29SND": (499980, 4400040)}[tile]
        corner = [left + 1200 * int(column), top - 1200 * int(row)]
        assert scene["corner_m"] == corner
        for path in folder_of(archive, "BigEarthNet-S2", patch_id).iterdir():
            with rasterio.open(path) as raster:
                assert [raster.transform.c, raster.transform.f] == corner


def test_both_sensors_and_the_map_share_bounds(archive):
    for row in rows_of(archive)[:5]:
        patch, radar = row["patch_id"], row["s1_name"]
        scene = archive / "BigEarthNet-S1" / radar.rsplit("_", 3)[0] / radar
        paths = [*folder_of(archive, "BigEarthNet-S2", patch).iterdir(), *scene.iterdir()]
        paths += folder_of(archive, "Reference_Maps", patch).iterdir()
        places = set()
        for path in paths:
            with rasterio.open(path) as raster:
                places.add((raster.bounds, raster.crs.to_epsg()))
        assert len(places) == 1


def test_rasters_are_built_like_the_real_ones(archive, real):
    for kind, pattern in (
        ("BigEarthNet-S2", "*_B??.tif"),
        ("BigEarthNet-S1", "*_V?.tif"),
        ("Reference_Maps", "*_map.tif"),
    ):
        ours = {p.stem.rsplit("_", 1)[1]: p for p in sorted((archive / kind).rglob(pattern))}
        theirs = {p.stem.rsplit("_", 1)[1]: p for p in sorted((real / kind).rglob(pattern))}
        assert set(ours) == set(theirs)
        for name, path in theirs.items():
            assert shape_of(ours[name]) == shape_of(path), name


def test_folders_nest_as_in_the_real_archive(archive, real):
    for kind in ("BigEarthNet-S2", "BigEarthNet-S1", "Reference_Maps"):
        ours, theirs = (
            next((root / kind).rglob("*.tif")).relative_to(root) for root in (archive, real)
        )
        assert len(ours.parts) == len(theirs.parts) == 4
        assert ours.name.startswith(ours.parts[2])
        assert theirs.name.startswith(theirs.parts[2])


def test_tables_have_the_real_columns_and_types(archive, real):
    for name in (MAIN, CLOUDS):
        ours, theirs = (pq.read_schema(root / name) for root in (archive, real))
        assert ours.equals(theirs)
        known = pq.read_table(real / name, columns=["split", "country"])
        table = pq.read_table(archive / name)
        for column in ("split", "country"):
            assert set(table[column].to_pylist()) <= set(known[column].to_pylist())


def test_tile_products_and_radar_scenes_are_real_ones(archive, real):
    known = pq.read_table(real / MAIN, columns=["patch_id", "s1_name", "s2v1_name"]).to_pydict()
    product, scene = (
        {name.rsplit("_", cut)[0] for name in known[column]}
        for column, cut in (("patch_id", 2), ("s1_name", 3))
    )
    first = {name.rsplit("_", 2)[0] for name in known["s2v1_name"]}
    for row in rows_of(archive):
        assert row["patch_id"].rsplit("_", 2)[0] in product
        assert row["s1_name"].rsplit("_", 3)[0] in scene
        assert row["s2v1_name"].rsplit("_", 2)[0] in first


def test_values_lie_where_real_ones_do(archive):
    for row in pq.read_table(archive / MAIN).to_pylist():
        patch, radar = row["patch_id"], row["s1_name"]
        for band, size in SIZES.items():
            path = folder_of(archive, "BigEarthNet-S2", patch) / f"{patch}_B{band}.tif"
            with rasterio.open(path) as raster:
                counts = raster.read(1)
            assert counts.shape == (size, size)
            assert 1 <= counts.min()
            assert counts.max() < 12000
        scene = archive / "BigEarthNet-S1" / radar.rsplit("_", 3)[0] / radar
        for polarisation, low, high in (("VV", -24, -4), ("VH", -31, -10)):
            with rasterio.open(scene / f"{radar}_{polarisation}.tif") as raster:
                decibel = raster.read(1)
            assert low < decibel.mean() < high
            assert (decibel != np.round(decibel)).mean() > 0.99


def test_labels_are_the_names_of_the_codes_in_the_map(archive):
    met = set()
    for row in rows_of(archive):
        codes = set(np.unique(codes_of(archive, row["patch_id"])).tolist())
        assert row["labels"] == sorted(set(row["labels"]))
        for code in codes & set(NAMES):
            met.add(code)
            assert NAMES[code] in row["labels"]
        for code, name in NAMES.items():
            if name in row["labels"]:
                same = {c for c, n in NAMES.items() if n == name}
                others = {212, 213, 222, 223, 241, 412, 521, 522} & codes
                assert codes & same or others, (row["patch_id"], code)
    assert len(met) >= 8


def test_labels_follow_the_archives_own_code_table(archive, real):
    table = json.loads((real / "clc_metadata.json").read_text())["clc_data"]
    names = {int(entry["code"]): entry["name_19"] for entry in table}
    for row in rows_of(archive):
        codes = np.unique(codes_of(archive, row["patch_id"])).tolist()
        found = {names.get(code) for code in codes} - {None, "", "UNLABELED"}
        assert row["labels"] == sorted(found)


def test_less_than_a_quarter_of_a_map_is_unlabelled_and_some_maps_have_such_codes(archive):
    shares = [1 - scene["valid_pixels"] / 14400 for scene in truth_of(archive).values()]
    assert max(shares) < 0.25
    assert max(shares) > 0


def test_truth_counts_what_the_maps_hold(archive):
    truth = truth_of(archive)
    assert len(truth) == SCENES
    for patch_id, scene in truth.items():
        counted = Counter(codes_of(archive, patch_id).ravel().tolist())
        assert scene["class_pixels"] == {str(code): counted[code] for code in counted}
        assert sum(scene["class_pixels"].values()) == 14400
        assert scene["pixel_size_m"] == [10.0, 10.0]


def test_flagged_patches_stand_in_the_second_table_only(archive):
    flags = ("contains_seasonal_snow", "contains_cloud_or_shadow")
    main, clouds = (pq.read_table(archive / name).to_pylist() for name in (MAIN, CLOUDS))
    assert not any(row[flag] for row in main for flag in flags)
    assert clouds
    assert all(any(row[flag] for flag in flags) for row in clouds)


def test_patches_are_neighbours_and_splits_are_mixed(archive):
    rows = rows_of(archive)
    places = {tuple(int(part) for part in row["patch_id"].split("_")[-2:]) for row in rows}
    beside = sum((x + 1, y) in places or (x, y + 1) in places for x, y in places)
    assert beside > 0.7 * len(places)
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_sixty_patches_lie_in_one_block_of_one_tile_in_three_splits():
    patches = choose_patches(World(7), 60, 7)
    assert len({(p.tile.tile, p.column // 16, p.row // 16) for p in patches}) == 1
    assert Counter(p.split for p in patches) == {"train": 30, "validation": 15, "test": 15}


@pytest.mark.parametrize("scenes", [150, 420])
def test_blocks_of_a_tile_fill_up_one_after_another(scenes):
    patches = choose_patches(World(7), scenes, 7, tile_scenes=1000)
    assert len({(p.column, p.row) for p in patches}) == scenes
    held = Counter((p.tile.tile, p.column // 16, p.row // 16) for p in patches)
    assert len(held) == -(-scenes // 256)
    assert max(held.values()) <= 256


def test_the_map_ends_inside_a_border_tile(tmp_path):
    out = tmp_path / "bigearthnet"
    write_bigearthnet(out, World(0), 50, 0, tile_scenes=10)
    outside = [
        scene["class_pixels"]["999"]
        for scene in truth_of(out).values()
        if "999" in scene["class_pixels"]
    ]
    assert outside
    assert all(0 < pixels < 0.25 * 14400 for pixels in outside)
    assert len({row["country"] for row in rows_of(out)}) == 5


def test_the_same_seed_writes_the_same_bytes(archive, tmp_path):
    out = tmp_path / "bigearthnet"
    write_bigearthnet(out, World(3), SCENES, 3, tile_scenes=11)
    ours, theirs = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (out, archive)
    )
    assert ours == theirs

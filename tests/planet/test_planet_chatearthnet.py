"""ChatEarthNet as the planet writes it: pictures, captions, land cover and truth."""

import json
import math
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from tasks.planet.chatearthnet import write_chatearthnet
from tasks.planet.map_regions import REGIONS, choose_tiles
from tasks.planet.world import World

SCENES = 14  # three whole tiles and half a one: all four regions
RGB = "s2_rgb_images/s2_images"
WORLDCOVER = "ESA_WorldCover_10m_2021_v200_N36W012_Map.tif"
# SatlasPretrain's names of ids 0 to 11, as captions use them
NAMES = (
    "background", "water", "developed area", "tree", "shrub", "grass", "crop", "bare land",
    "snow", "wetland", "mangroves", "moss",
)  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("planet") / "chatearthnet"
    write_chatearthnet(out, World(3), SCENES, 3, region_tiles=1)
    return out


@pytest.fixture(scope="module")
def real() -> Path:
    root = os.environ.get("TERRASCOPE_REALDATA")
    if not root:
        pytest.skip("TERRASCOPE_REALDATA is unset: no real files to compare with")
    return Path(root)


def truth_of(archive: Path) -> dict[str, dict]:
    content = json.loads((archive.parent / "truth" / "chatearthnet.json").read_text())
    return {scene["scene_id"]: scene for scene in content["scenes"]}


def records_of(archive: Path, writer: str) -> list[dict[str, str]]:
    return [
        record
        for split in ("train", "val", "test")
        for record in json.loads(
            (archive / "json_files" / f"ChatEarthNet_caps_{writer}_{split}.json").read_text()
        )
    ]


def corner(column: float, row: float) -> tuple[float, float]:
    """Longitude and latitude of the corner of a zoom-13 tile."""
    lon = column / 8192 * 360 - 180
    return lon, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 8192))))


def parsed(scene_id: str) -> tuple[int, int, int, int]:
    column, row, patch = scene_id.split("_")
    return int(column), int(row), int(patch[5]), int(patch[6])


def test_all_three_optical_folders_hold_the_same_names_and_all_are_captioned(archive):
    names = {path.name for path in (archive / RGB).iterdir()}
    assert len(names) == SCENES
    for folder in ("s2_band_5_6_7_images", "s2_band_8_11_12_images"):
        assert {path.name for path in (archive / folder).iterdir()} == names
    assert sorted(record["image"] for record in records_of(archive, "35")) == sorted(names)
    long = [record["image"] for record in records_of(archive, "4v")]
    assert set(long) < names
    assert len(long) == len(set(long))
    assert set(truth_of(archive)) == {name.removesuffix(".png") for name in names}


def test_sixty_patches_lie_in_one_parent_tile():
    tiles = choose_tiles(World(7), 15, 7)
    assert len({(tile.column, tile.row) for tile in tiles}) == 15
    assert len({(tile.column // 8, tile.row // 8) for tile in tiles}) == 1


def test_parent_tiles_fill_up_one_after_another_inside_their_worldcover_tile():
    tiles = choose_tiles(World(7), 4 * 200, 7)
    held = Counter((tile.column // 8, tile.row // 8) for tile in tiles)
    assert sorted(held.values()) == [8] * 4 + [64] * 12
    for region in REGIONS:
        places = [(t.column, t.row) for t in tiles if t.region == region]
        corners = [
            corner(x + right, y + down) for x, y in places for right, down in ((0, 0), (1, 1))
        ]
        lons, lats = zip(*corners, strict=True)
        assert math.floor(min(lons) / 3) == math.ceil(max(lons) / 3) - 1
        assert math.floor(min(lats) / 3) == math.ceil(max(lats) / 3) - 1


def test_pictures_are_eight_bit_rgb_of_256_pixels(archive):
    for path in sorted(archive.glob("s2_*/**/*.png")):
        with Image.open(path) as picture:
            assert (picture.mode, picture.size, picture.info) == ("RGB", (256, 256), {})
            assert np.asarray(picture).std() > 1


def test_a_picture_is_built_like_the_real_one(archive, real):
    with (
        Image.open(next((archive / RGB).iterdir())) as ours,
        Image.open(real / "chatearthnet" / "3886_3141_patch00.png") as theirs,
    ):
        assert (ours.format, ours.mode, ours.size, ours.info) == (
            theirs.format, theirs.mode, theirs.size, theirs.info,
        )  # fmt: skip


def test_most_patches_have_both_radar_pictures(archive):
    vv, vh = ({p.name for p in (archive / "s1_images" / p).iterdir()} for p in ("vv", "vh"))
    assert vv == vh
    assert 0.4 * SCENES < len(vv) < SCENES
    for path in archive.glob("s1_images/*/*.png"):
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("L", (256, 256))


def test_red_is_the_first_channel(archive):
    warm, grown = 0, 0
    for scene_id in truth_of(archive):
        with Image.open(archive / RGB / f"{scene_id}.png") as picture:
            red, _, blue = np.asarray(picture).astype(float).mean(axis=(0, 1))
        with Image.open(archive / "s2_band_5_6_7_images" / f"{scene_id}.png") as picture:
            edge, _, shoulder = np.asarray(picture).astype(float).mean(axis=(0, 1))
        warm += red < 1.2 * blue  # the air scatters blue light, and little grows red
        grown += shoulder > 1.3 * edge  # B07 over B05, where anything grows
    assert warm > 0.7 * SCENES
    assert grown > 0.6 * SCENES


def test_satlas_land_cover_is_grey_and_its_quarters_are_the_truth(archive):
    tiles = sorted((archive / "satlas" / "static").iterdir())
    assert len(tiles) >= 2
    for tile in tiles:
        with Image.open(tile / "land_cover.png") as picture:
            assert (picture.mode, picture.size) == ("L", (512, 512))
            ids_HW = np.asarray(picture)
        assert ids_HW.max() <= 11
        for scene_id, scene in truth_of(archive).items():
            column, row, i, j = parsed(scene_id)
            if tile.name != f"{column}_{row}":
                continue
            assert scene["labels"] == "satlas"
            quarter = ids_HW[256 * i : 256 * i + 256, 256 * j : 256 * j + 256]
            counts = {str(k): int(n) for k, n in enumerate(np.bincount(quarter.ravel())) if n}
            assert scene["class_pixels"] == counts
            assert scene["valid_pixels"] == 65536 - counts.get("0", 0)


def test_worldcover_labels_are_the_truth_at_every_pixel_centre(archive):
    scenes = {k: v for k, v in truth_of(archive).items() if v["labels"] == "worldcover"}
    assert scenes
    with rasterio.open(archive / "worldcover" / WORLDCOVER) as raster:
        codes = raster.read(1)
        inverse = ~raster.transform
    for scene_id, scene in scenes.items():
        column, row, i, j = parsed(scene_id)
        columns, rows = [], []
        for n in range(256):
            lon, _ = corner(column + (256 * j + n + 0.5) / 512, row)
            _, lat = corner(column, row + (256 * i + n + 0.5) / 512)
            columns.append(int(inverse.a * lon + inverse.c))
            rows.append(int(inverse.e * lat + inverse.f))
        found, counts = np.unique(codes[np.ix_(rows, columns)], return_counts=True)
        expected = dict(zip(map(str, found.tolist()), counts.tolist(), strict=True))
        assert scene["class_pixels"] == expected


def test_the_worldcover_tile_is_tagged_like_the_real_one(archive, real):
    theirs_path = real / "esa_worldcover" / "ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"
    with (
        rasterio.open(archive / "worldcover" / WORLDCOVER) as ours,
        rasterio.open(theirs_path) as theirs,
    ):
        for key in ("driver", "dtype", "nodata", "count", "crs", "tiled", "compress",
                    "blockxsize", "blockysize", "interleave"):  # fmt: skip
            assert ours.profile[key] == theirs.profile[key], key
        assert ours.transform.a == theirs.transform.a
        assert ours.transform.e == theirs.transform.e
        assert ours.colormap(1) == theirs.colormap(1)
        assert ours.colorinterp == theirs.colorinterp
        mine, real_tags = ours.tags(), theirs.tags()
        assert mine.pop("product_tile") == "N36W012"
        assert real_tags.pop("product_tile") == "N00E006"
        assert mine == real_tags


def test_the_worldcover_raster_lies_on_the_products_grid_inside_its_tile(archive):
    with rasterio.open(archive / "worldcover" / WORLDCOVER) as raster:
        bounds = raster.bounds
    assert -12 <= bounds.left < bounds.right <= -9
    assert 36 <= bounds.bottom < bounds.top <= 39
    for edge in bounds:
        assert abs(edge * 12000 - round(edge * 12000)) < 1e-6


def test_both_kinds_of_land_cover_are_there_and_a_tile_has_one_of_them(archive):
    truth = truth_of(archive)
    tiles = {path.name for path in (archive / "satlas" / "static").iterdir()}
    for scene_id, scene in truth.items():
        assert (scene["labels"] == "satlas") == (scene_id.rsplit("_", 1)[0] in tiles)
    assert {scene["labels"] for scene in truth.values()} == {"satlas", "worldcover"}


def test_pixel_size_follows_from_latitude(archive):
    for scene_id, scene in truth_of(archive).items():
        column, row, i, j = parsed(scene_id)
        lon, lat = corner(column + j / 2, row + i / 2)
        assert scene["corner_lonlat"] == pytest.approx([lon, lat])
        middle = corner(column, row + i / 2 + 0.25)[1]
        size = 9.5546 * math.cos(math.radians(middle))
        assert scene["pixel_size_m"] == pytest.approx([size, size], rel=1e-4)


def test_captions_name_the_largest_class_and_no_absent_one(archive):
    code_id = {0: 0, 80: 1, 50: 2, 10: 3, 20: 4, 30: 5, 40: 6, 60: 7, 70: 8, 90: 9, 95: 10, 100: 11}
    truth = truth_of(archive)
    for record in records_of(archive, "35") + records_of(archive, "4v"):
        scene = truth[record["image"].removesuffix(".png")]
        coded = scene["labels"] == "worldcover"
        pixels = {
            (code_id[int(k)] if coded else int(k)): n for k, n in scene["class_pixels"].items()
        }
        pixels.pop(0, None)
        assert NAMES[max(pixels, key=pixels.__getitem__)] in record["caption"]
        for class_id in range(1, 12):
            if class_id not in pixels:
                assert NAMES[class_id] not in record["caption"].replace("street", "")


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    trees = []
    for name in ("a", "b"):
        out = tmp_path / name / "chatearthnet"
        write_chatearthnet(out, World(9), 5, 9)
        root = tmp_path / name
        trees.append({p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()})
    assert trees[0] == trees[1]

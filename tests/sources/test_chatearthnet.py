import json
import os
import shutil

import numpy as np
import pytest
from affine import Affine
from PIL import Image
from rasterio.windows import Window

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import INVALID_ID, Modality
from schemas.taxonomy import CHATEARTHNET_11
from tasks.sources.chatearthnet import index, read
from tasks.sources.chatearthnet_grid import (
    parse_patch_name,
    pixel_centres_lonlat,
    tile_corner_lonlat,
)
from tasks.sources.grids import grid_of
from tasks.sources.safe_files import Archive
from tasks.sources.worldcover import (
    MAX_TILE_SIDE_PX,
    codes_at,
    corners_of,
    parse_tile_name,
    worldcover_to_11,
)

PATCH = "3886_3141_patch00"
RGB = f"s2_rgb_images/s2_images/{PATCH}.png"
WATER, TREE = CHATEARTHNET_11.names.index("water"), CHATEARTHNET_11.names.index("tree")
TILE = "ESA_WorldCover_10m_2021_v200_N36W012_Map.tif"


def ref_of(root, scene_id=PATCH):
    return next(entry for entry in index(root) if getattr(entry, "scene_id", "") == scene_id)


def rejects_of(root):
    return {entry.sample_id: entry.reason for entry in index(root) if isinstance(entry, Rejected)}


def refusal_of(root):
    with pytest.raises(Refusal) as caught:
        read(root, ref_of(root))
    return caught.value


def set_captions(root, records, name="ChatEarthNet_caps_35_val.json"):
    text = records if isinstance(records, str) else json.dumps(records)
    (root / "json_files" / name).write_text(text, encoding="utf-8")


def test_patches_are_listed_with_split_place_and_bucket(tiny_chatearthnet):
    refs = list(index(tiny_chatearthnet))
    assert [ref.scene_id for ref in refs] == ["3886_3141_patch00", "3886_3141_patch10"]
    assert {ref.split for ref in refs} == {"validation"}
    assert {ref.place for ref in refs} == {"z13-3886-3141"}
    assert {ref.bucket for ref in refs} == {"z10-485-392"}


def test_a_patch_keeps_its_bytes_its_place_and_the_archives_captions(tiny_chatearthnet):
    scene = read(tiny_chatearthnet, ref_of(tiny_chatearthnet))
    (image,) = scene.images
    assert image.encoded == (tiny_chatearthnet / RGB).read_bytes()
    assert scene.grid.pixel_size_m == pytest.approx((7.462, 7.462), abs=0.001)
    assert scene.grid.north_up
    assert [(c.writer, c.text) for c in scene.captions] == [
        ("gpt-3.5", "Water everywhere."),
        ("gpt-4v", "A calm sea."),
    ]
    second = read(tiny_chatearthnet, ref_of(tiny_chatearthnet, "3886_3141_patch10"))
    assert [c.text for c in second.captions] == ["Trees.", "More trees."]


def test_land_cover_is_the_patchs_own_quarter_of_the_satlas_tile(tiny_chatearthnet):
    (upper,) = read(tiny_chatearthnet, ref_of(tiny_chatearthnet)).layers
    (lower,) = read(tiny_chatearthnet, ref_of(tiny_chatearthnet, "3886_3141_patch10")).layers
    assert upper.ids_HW[0, 0] == INVALID_ID
    assert (upper.ids_HW == WATER).sum() == 256 * 256 - 1
    assert upper.invalid is Invalid.UNKNOWN
    assert (lower.ids_HW == TREE).all()
    assert lower.invalid is Invalid.OTHER
    assert upper.product == "satlas_worldcover"


def test_a_tiles_corner_and_pixel_follow_from_the_file_name():
    longitude, latitude = tile_corner_lonlat(3886, 3141)
    assert latitude == pytest.approx(38.6512, abs=5e-5)
    assert longitude == pytest.approx(-9.2285, abs=5e-5)
    grid = parse_patch_name("3886_3141_patch00.png").grid
    assert grid.pixel_size_m[0] == pytest.approx(7.46, abs=0.005)
    assert grid.bounds_lonlat[0] == pytest.approx(longitude, abs=1e-9)
    assert grid.bounds_lonlat[3] == pytest.approx(latitude, abs=1e-9)


def test_the_four_patches_tile_their_square():
    patches = {name: parse_patch_name(f"3886_3141_patch{name}") for name in ("00", "01", "10")}
    west, south, east, _ = patches["00"].grid.bounds_lonlat
    assert patches["01"].grid.bounds_lonlat[0] == pytest.approx(east, abs=1e-9)
    assert patches["10"].grid.bounds_lonlat[3] == pytest.approx(south, abs=1e-9)
    lons_W, lats_H = pixel_centres_lonlat(patches["00"])
    assert west < lons_W[0] < lons_W[-1] < east
    assert lats_H[0] > lats_H[-1] > south


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("city.png", Reason.MISSING_METADATA),
        ("3886_3141_patch02.png", Reason.MISSING_METADATA),
        ("8192_3141_patch00.png", Reason.UNKNOWN_VALUE),
    ],
)
def test_a_name_that_is_no_place_is_refused(name, reason):
    with pytest.raises(Refusal) as caught:
        parse_patch_name(name)
    assert caught.value.reason is reason


@pytest.mark.parametrize("folder", ["s2_images", "s2_rgb_images", "a/s2_rgb_images/s2_images"])
def test_the_inner_folder_is_found_by_what_lies_in_it(tiny_chatearthnet, folder):
    images = tiny_chatearthnet / "s2_rgb_images/s2_images"
    aside = tiny_chatearthnet / "aside"
    images.rename(aside)
    images.parent.rmdir()
    (tiny_chatearthnet / folder).parent.mkdir(parents=True, exist_ok=True)
    aside.rename(tiny_chatearthnet / folder)
    assert ref_of(tiny_chatearthnet).facts["rgb"] == f"{folder}/{PATCH}.png"


def test_band_folders_are_not_taken_for_pictures_and_their_files_must_be_there(tiny_chatearthnet):
    for bands in ("s2_band_5_6_7_images", "s2_band_8_11_12_images"):
        (tiny_chatearthnet / bands / "inner").mkdir(parents=True)
        shutil.copy(tiny_chatearthnet / RGB, tiny_chatearthnet / bands / "inner")
    ref = ref_of(tiny_chatearthnet)
    assert ref.facts["rgb"] == RGB
    assert len(ref.files) == 4
    assert read(tiny_chatearthnet, ref).images
    other = ref_of(tiny_chatearthnet, "3886_3141_patch10")
    with pytest.raises(Refusal, match="band_5_6_7") as caught:
        read(tiny_chatearthnet, other)
    assert caught.value.reason is Reason.MISSING_FILE


def test_colour_maps_of_labels_are_not_taken_for_pictures(tiny_chatearthnet, write_png):
    colours_HW3 = np.zeros((256, 256, 3), dtype=np.uint8)
    write_png(tiny_chatearthnet / f"land_cover_colour/{PATCH}.png", colours_HW3)
    assert ref_of(tiny_chatearthnet).facts["rgb"] == RGB


def test_pictures_in_a_folder_a_split_are_one_kind(tiny_chatearthnet):
    images = (tiny_chatearthnet / RGB).parent
    for split, patch in (("train", PATCH), ("val", "3886_3141_patch10")):
        (images / split).mkdir()
        (images / f"{patch}.png").rename(images / split / f"{patch}.png")
    paths = {ref.facts["rgb"] for ref in index(tiny_chatearthnet)}
    folder = "s2_rgb_images/s2_images"
    assert paths == {f"{folder}/train/{PATCH}.png", f"{folder}/val/3886_3141_patch10.png"}


def test_folders_between_which_nothing_decides_stop_before_any_work(tiny_chatearthnet):
    images = (tiny_chatearthnet / RGB).parent
    shutil.copytree(images, tiny_chatearthnet / "backup_rgb")
    with pytest.raises(ValueError, match=r"lies in backup_rgb and in s2_rgb_images/s2_images"):
        list(index(tiny_chatearthnet))
    (tiny_chatearthnet / "backup_rgb").rename(tiny_chatearthnet / "one")
    images.rename(tiny_chatearthnet / "two")
    with pytest.raises(ValueError, match="one, two hold patches; expected rgb or s2_images"):
        list(index(tiny_chatearthnet))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_bytes(b""), Reason.UNREADABLE_FILE),
        (lambda path: path.write_bytes(path.read_bytes()[:-12]), Reason.UNREADABLE_FILE),
        (lambda path: path.write_text("<VRTDataset/>"), Reason.EXTERNAL_REFERENCE),
        (lambda path: Image.new("RGB", (1, 1)).save(path), Reason.TOO_SMALL),
        (lambda path: Image.new("RGB", (128, 256)).save(path), Reason.SIZE_MISMATCH),
        (lambda path: Image.new("L", (256, 256)).save(path), Reason.WRONG_PIXEL_FORMAT),
    ],
)
def test_a_band_that_is_not_shown_must_be_sound_and_is_digested(tiny_chatearthnet, change, reason):
    band = tiny_chatearthnet / f"s2_band_8_11_12_images/{PATCH}.png"
    band.parent.mkdir()
    shutil.copy(tiny_chatearthnet / RGB, band)
    ref = ref_of(tiny_chatearthnet)
    files = {file.path for file in read(tiny_chatearthnet, ref).files}
    assert files == set(ref.files)
    change(band)
    refusal = refusal_of(tiny_chatearthnet)
    assert refusal.reason is reason
    assert "s2_band_8_11_12_images" in refusal.detail


def test_a_name_that_is_no_text_is_rejected_and_the_rest_goes_on(tiny_chatearthnet):
    name = os.fsdecode(b"bad\xff.png")
    ((tiny_chatearthnet / RGB).parent / name).write_bytes(b"")
    assert rejects_of(tiny_chatearthnet) == {"bad\\udcff": Reason.MISSING_METADATA}
    assert ref_of(tiny_chatearthnet).scene_id == PATCH


def test_a_closed_folder_is_named_and_the_rest_goes_on(tiny_chatearthnet, close):
    close(tiny_chatearthnet / "satlas/static/3886_3141")
    assert set(rejects_of(tiny_chatearthnet).values()) == {Reason.UNREADABLE_FILE}
    close(tiny_chatearthnet / "satlas")
    assert rejects_of(tiny_chatearthnet) == {"satlas": Reason.UNREADABLE_FILE}
    assert ref_of(tiny_chatearthnet).scene_id == PATCH


def test_sar_is_shown_in_both_renderings_where_it_is_there(tiny_chatearthnet, write_png):
    ramp_HW = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    write_png(tiny_chatearthnet / f"s1_images/vv/{PATCH}.png", ramp_HW)
    write_png(tiny_chatearthnet / f"s1_images/vh/{PATCH}.png", ramp_HW[:, ::-1])
    images = read(tiny_chatearthnet, ref_of(tiny_chatearthnet)).images
    assert [image.modality for image in images] == [Modality.OPTICAL] + [Modality.SAR] * 2
    assert images[1].rendering.startswith("vh_vv_mean")
    without = read(tiny_chatearthnet, ref_of(tiny_chatearthnet, "3886_3141_patch10"))
    assert len(without.images) == 1
    (tiny_chatearthnet / f"s1_images/vh/{PATCH}.png").unlink()
    assert refusal_of(tiny_chatearthnet).reason is Reason.MISSING_FILE


@pytest.mark.parametrize("value", [0, 255])
def test_a_placeholder_is_refused(tiny_chatearthnet, write_png, value):
    write_png(tiny_chatearthnet / RGB, np.full((256, 256, 3), value, dtype=np.uint8))
    assert refusal_of(tiny_chatearthnet).reason is Reason.BLANK_IMAGE


def test_another_size_than_256_is_refused(tiny_chatearthnet, write_png):
    write_png(tiny_chatearthnet / RGB, np.full((128, 256, 3), 9, dtype=np.uint8))
    assert refusal_of(tiny_chatearthnet).reason is Reason.SIZE_MISMATCH


def test_a_satlas_id_outside_the_table_is_refused(tiny_chatearthnet, write_png):
    tile_HW = np.full((512, 512), 12, dtype=np.uint8)
    write_png(tiny_chatearthnet / "satlas/static/3886_3141/land_cover.png", tile_HW)
    assert refusal_of(tiny_chatearthnet).reason is Reason.UNKNOWN_LABEL_CODE


def test_without_a_land_cover_source_there_is_no_label(tiny_chatearthnet):
    shutil.rmtree(tiny_chatearthnet / "satlas")
    assert refusal_of(tiny_chatearthnet).reason is Reason.NO_LABEL


def write_worldcover(root, write_tiff, name=TILE, water=80):
    """A coarse tile of 0.01 degree pixels: trees, and water from the patch's row 128 on down."""
    _, lats_H = pixel_centres_lonlat(parse_patch_name(PATCH))
    border = (lats_H[127] + lats_H[128]) / 2
    codes_HW = np.full((300, 300), 10, dtype=np.uint8)
    codes_HW[100:] = water
    transform = Affine(0.01, 0, -12.0, 0, -0.01, border + 100 * 0.01)
    write_tiff(root / "worldcover" / name, codes_HW, crs="EPSG:4326", transform=transform, nodata=0)


def test_land_cover_is_cut_from_worldcover_where_satlas_is_not_there(tiny_chatearthnet, write_tiff):
    shutil.rmtree(tiny_chatearthnet / "satlas")
    write_worldcover(tiny_chatearthnet, write_tiff)
    (layer,) = read(tiny_chatearthnet, ref_of(tiny_chatearthnet)).layers
    assert layer.product == "worldcover_v200"
    assert set(np.unique(layer.ids_HW[:128])) == {TREE}
    assert set(np.unique(layer.ids_HW[128:])) == {WATER}


def test_satlas_comes_before_worldcover_and_the_newest_worldcover_before_others(
    tiny_chatearthnet, write_tiff
):
    write_worldcover(tiny_chatearthnet, write_tiff)
    older = TILE.replace("2021_v200", "2020_v100")
    write_worldcover(tiny_chatearthnet, write_tiff, older)
    assert ref_of(tiny_chatearthnet).facts["product"] == "satlas_worldcover"
    shutil.rmtree(tiny_chatearthnet / "satlas")
    ref = ref_of(tiny_chatearthnet)
    assert ref.facts["product"] == "worldcover_v200"
    assert ref.files[-1] == f"worldcover/{TILE}"


def test_a_worldcover_code_outside_the_legend_is_refused(tiny_chatearthnet, write_tiff):
    shutil.rmtree(tiny_chatearthnet / "satlas")
    write_worldcover(tiny_chatearthnet, write_tiff, water=81)
    assert refusal_of(tiny_chatearthnet).reason is Reason.UNKNOWN_LABEL_CODE


def test_worldcover_tiles_are_named_by_their_south_west_corner():
    assert corners_of(-9.23, 38.6, -9.2, 38.7) == ("N36W012",)
    assert corners_of(-0.1, -0.1, 0.1, 0.1) == ("S03W003", "S03E000", "N00W003", "N00E000")
    assert corners_of(0.0, 0.0, 3.0, 3.0) == ("N00E000",)
    tile = parse_tile_name(f"a/b/{TILE}")
    assert (tile.year, tile.version, tile.corner) == (2021, 200, "N36W012")
    assert parse_tile_name(TILE.replace("_Map", "_Map_crop")) is None


def test_points_on_both_sides_of_a_tile_border_come_from_both_tiles(tmp_path, write_tiff):
    for name, left, code in (("w.tif", -1.0, 10), ("e.tif", 0.0, 50)):
        codes_HW = np.full((100, 100), code, dtype=np.uint8)
        transform = Affine(0.01, 0, left, 0, -0.01, 1.0)
        write_tiff(tmp_path / name, codes_HW, crs="EPSG:4326", transform=transform)
    lons_W, lats_H = np.array([-2.0, -0.005, 0.005]), np.array([0.5, -0.5])
    codes_HW = codes_at(Archive(tmp_path), ("w.tif", "e.tif"), lons_W, lats_H)
    assert codes_HW.tolist() == [[0, 10, 50], [0, 0, 0]]


def test_captions_and_images_that_do_not_meet_are_rejected(tiny_chatearthnet):
    shutil.copy(tiny_chatearthnet / RGB, (tiny_chatearthnet / RGB).parent / "1_1_patch11.png")
    records = [{"image": f"{PATCH}.png", "caption": "a"}, {"image": "5_5_patch00.png"}]
    records[1]["caption"] = "b"
    set_captions(tiny_chatearthnet, records)
    assert rejects_of(tiny_chatearthnet) == {
        "1_1_patch11": Reason.MISSING_METADATA,
        "3886_3141_patch10": Reason.MISSING_METADATA,
        "5_5_patch00": Reason.MISSING_FILE,
    }


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("text", Reason.WRONG_TYPE),
        ({"caption": "a"}, Reason.MISSING_METADATA),
        ({"image": 7, "caption": "a"}, Reason.WRONG_TYPE),
        ({"image": f"{PATCH}.png", "caption": 7}, Reason.WRONG_TYPE),
        ({"image": f"{PATCH}.png", "caption": ["a", None]}, Reason.WRONG_TYPE),
        ({"image": f"../{PATCH}.png", "caption": "a"}, Reason.UNSAFE_PATH),
        ({"image": f"/tmp/{PATCH}.png", "caption": "a"}, Reason.UNSAFE_PATH),
    ],
)
def test_a_wrong_record_is_rejected_and_the_rest_goes_on(tiny_chatearthnet, record, reason):
    set_captions(tiny_chatearthnet, [record, {"image": f"{PATCH}.png", "caption": "a"}])
    rejects = rejects_of(tiny_chatearthnet)
    assert rejects["json_files/ChatEarthNet_caps_35_val.json#0"] is reason
    assert ref_of(tiny_chatearthnet).scene_id == PATCH


def test_a_truncated_list_is_rejected_and_the_others_go_on(tiny_chatearthnet):
    set_captions(tiny_chatearthnet, '[{"image": "3886')
    rejects = rejects_of(tiny_chatearthnet)
    assert rejects["json_files/ChatEarthNet_caps_35_val.json"] is Reason.UNREADABLE_FILE
    assert ref_of(tiny_chatearthnet).scene_id == PATCH


def test_a_patch_in_two_splits_stays_in_the_one_held_out_further(tiny_chatearthnet):
    record = {"image": f"{PATCH}.png", "caption": "again"}
    set_captions(tiny_chatearthnet, [record], "ChatEarthNet_caps_4v_train.json")
    assert ref_of(tiny_chatearthnet).split == "validation"
    set_captions(tiny_chatearthnet, [record], "ChatEarthNet_caps_4v_test.json")
    assert ref_of(tiny_chatearthnet).split == "test"


def test_a_link_out_of_the_archive_is_refused(tiny_chatearthnet, tmp_path):
    outside = tmp_path / "outside.png"
    (tiny_chatearthnet / RGB).rename(outside)
    (tiny_chatearthnet / RGB).symlink_to(outside)
    assert refusal_of(tiny_chatearthnet).reason is Reason.UNSAFE_PATH


def test_a_folder_without_lists_or_pictures_is_no_archive(tiny_chatearthnet):
    shutil.rmtree(tiny_chatearthnet / "s2_rgb_images")
    with pytest.raises(ValueError, match="patch00"):
        list(index(tiny_chatearthnet))
    shutil.rmtree(tiny_chatearthnet / "json_files")
    with pytest.raises(ValueError, match="ChatEarthNet_caps"):
        list(index(tiny_chatearthnet))


def test_the_real_patch_is_read_with_its_place(realdata, tiny_chatearthnet):
    shutil.copy(realdata / "chatearthnet" / f"{PATCH}.png", tiny_chatearthnet / RGB)
    scene = read(tiny_chatearthnet, ref_of(tiny_chatearthnet))
    assert scene.grid.pixel_size_m == pytest.approx((7.46, 7.46), abs=0.005)
    assert scene.grid.bounds_lonlat[0] == pytest.approx(-9.2285, abs=5e-5)
    assert scene.grid.bounds_lonlat[3] == pytest.approx(38.6512, abs=5e-5)


CROP = "esa_worldcover/ESA_WorldCover_10m_{}_N00E006_Map_crop_r30720_c7168.tif"
COUNTS_2020 = {
    "tree": 604427,
    "shrub": 1796,
    "grass": 183909,
    "crop": 5509,
    "developed area": 23940,
    "bare land": 8906,
    "water": 1267629,
    "wetland": 937,
    "mangroves": 99,
}
COUNTS_2021 = {
    "tree": 606696,
    "shrub": 153,
    "grass": 180560,
    "crop": 3473,
    "developed area": 33415,
    "bare land": 822,
    "water": 1271777,
    "wetland": 226,
    "mangroves": 30,
}


def test_real_worldcover_crops_hold_their_known_counts_and_built_up_gain(realdata):
    archive = Archive(realdata)
    built_m2 = []
    for product, counts in (("2020_v100", COUNTS_2020), ("2021_v200", COUNTS_2021)):
        raster = archive.read_band(CROP.format(product))
        ids, found = np.unique(worldcover_to_11(raster.values_HW), return_counts=True)
        assert {CHATEARTHNET_11.names[i]: n for i, n in zip(ids, found, strict=True)} == counts
        x_m, y_m = grid_of(raster.height, raster.width, raster.crs, raster.transform).pixel_size_m
        built_m2.append(counts["developed area"] * x_m * y_m)
    # 9,475 pixels of 9.27 m x 9.21 m at 0.4 degrees north
    assert built_m2[1] - built_m2[0] == pytest.approx(9475 * 9.277 * 9.215, rel=1e-3)


def test_a_window_of_the_real_tile_is_the_real_crop(realdata):
    archive = Archive(realdata)
    tile = "esa_worldcover/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"
    crop_HW = archive.read_band(CROP.format("2021_v200")).values_HW[:100, :80]
    step = 1 / 12000
    lons_W = 6.0 + (7168 + np.arange(80) + 0.5) * step
    lats_H = 3.0 - (30720 + np.arange(100) + 0.5) * step
    assert np.array_equal(codes_at(archive, (tile,), lons_W, lats_H), crop_HW)
    with archive.open_raster(tile, MAX_TILE_SIDE_PX) as dataset:
        assert np.array_equal(dataset.read(1, window=Window(7168, 30720, 80, 100)), crop_HW)

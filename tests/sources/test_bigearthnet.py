import os
import shutil
from collections import Counter

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import INVALID_ID, Modality
from schemas.taxonomy import BIGEARTHNET_19
from tasks.sources.bigearthnet import index, read
from tasks.sources.bigearthnet_metadata import METADATA_FILES, join_v1, join_v2, read_metadata
from tasks.sources.bigearthnet_names import parse_patch_id, parse_s1_name, parse_v1_time
from tasks.sources.clc import CLC_CODES_OF_CLASS, UNMAPPED_CODES, clc_invalid, clc_to_19
from tasks.sources.safe_files import Archive
from tasks.sources.tiff_header import tiff_header

PATCH = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57"
S2 = f"BigEarthNet-S2/S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP/{PATCH}/{PATCH}"
S1_NAME = "S1B_IW_GRDH_1SDV_20170612T165809_33UUP_26_57"
S1 = f"BigEarthNet-S1/S1B_IW_GRDH_1SDV_20170612T165809/{S1_NAME}/{S1_NAME}"
MAP = f"Reference_Maps/S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP/{PATCH}/{PATCH}"
MAP += "_reference_map.tif"
V1_PATCHES = {
    "S2A_MSIL2A_20170613T101031_87_48": ("33UUP_87_48", "train"),
    "S2A_MSIL2A_20170617T113321_36_85": ("29UPU_36_85", "train"),
    "S2A_MSIL2A_20170617T113321_4_55": ("29UPU_04_55", "train"),
    "S2A_MSIL2A_20171221T112501_56_35": ("29SND_56_35", "test"),
    "S2B_MSIL2A_20180204T94161_57_38": ("35VPK_57_38", "test"),
}


def only(root):
    (entry,) = index(root)
    return entry


def refusal_of(root):
    with pytest.raises(Refusal) as caught:
        read(root, only(root))
    return caught.value


def edit_table(root, **columns):
    path = root / "metadata.parquet"
    rows = [{**row, **columns} for row in pq.read_table(path).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_a_patch_is_listed_by_its_row_and_placed_by_its_name(tiny_bigearthnet):
    ref = only(tiny_bigearthnet)
    assert ref.scene_id == PATCH
    assert (ref.split, ref.place, ref.bucket) == ("test", "T33UUP-26-57", "T33UUP-01-03")
    assert len(ref.files) == 15
    assert all((tiny_bigearthnet / name).is_file() for name in ref.files)


def test_a_pair_becomes_one_optical_and_two_sar_pictures_on_one_grid(tiny_bigearthnet):
    scene = read(tiny_bigearthnet, only(tiny_bigearthnet))
    assert [image.modality for image in scene.images] == [
        Modality.OPTICAL,
        Modality.SAR,
        Modality.SAR,
    ]
    assert [image.date for image in scene.images] == ["2017-06-13", "2017-06-12", "2017-06-12"]
    assert scene.images[0].rendering == "b04_b03_b02_reflectance_0_3000"
    assert (scene.grid.height, scene.grid.width) == (120, 120)
    assert scene.grid.pixel_size_m == (10.0, 10.0)
    assert scene.grid.north_up
    assert [file.path for file in scene.files] == sorted(scene.ref.files)


def test_red_is_b04_and_blue_is_b02(tiny_bigearthnet):
    encoded = read(tiny_bigearthnet, only(tiny_bigearthnet)).images[0].encoded
    blue, green, red = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)[0, 0]
    # the first pixel of band number n holds 100 n: B02 100, B03 200, B04 300 of 3000
    assert (red, green, blue) == (26, 17, 8)


def test_the_map_becomes_19_classes(tiny_bigearthnet):
    (layer,) = read(tiny_bigearthnet, only(tiny_bigearthnet)).layers
    assert layer.taxonomy is BIGEARTHNET_19
    assert (layer.layer, layer.product, layer.date_index) == ("land_cover", "clc2018", 0)
    assert {layer.classes[i] for i in np.unique(layer.ids_HW)} == {"Arable land", "Mixed forest"}
    assert layer.classes[layer.ids_HW[0, 0]] == "Arable land"
    assert layer.invalid is Invalid.OTHER


def test_codes_without_a_class_are_invalid_and_known_to_be_something_else():
    codes_HW = np.array([[211, 122], [523, 335]], dtype=np.uint16)
    assert clc_to_19(codes_HW).tolist() == [[2, INVALID_ID], [18, INVALID_ID]]
    assert clc_invalid(codes_HW) is Invalid.OTHER


@pytest.mark.parametrize("code", [0, 999])
def test_nodata_and_outside_corine_say_nothing_of_what_lies_there(code):
    codes_HW = np.array([[211, code, 122]], dtype=np.uint16)
    assert clc_to_19(codes_HW).tolist() == [[2, INVALID_ID, INVALID_ID]]
    assert clc_invalid(codes_HW) is Invalid.UNKNOWN


@pytest.mark.parametrize("code", [1, 110, 425, 998, 1000, 65535, -1])
def test_a_code_outside_the_nomenclature_is_refused_by_name(code):
    with pytest.raises(Refusal, match=str(code)) as caught:
        clc_to_19(np.array([[211, code]], dtype=np.int32), "a.tif")
    assert caught.value.reason is Reason.UNKNOWN_LABEL_CODE


def test_the_44_codes_of_the_nomenclature_are_each_mapped_once_or_unmapped():
    mapped = [code for codes in CLC_CODES_OF_CLASS.values() for code in codes]
    assert len(mapped) == len(set(mapped)) == 32
    assert not set(mapped) & set(UNMAPPED_CODES)
    assert len(mapped) + len(UNMAPPED_CODES) == 44
    assert tuple(CLC_CODES_OF_CLASS) == BIGEARTHNET_19.names


@pytest.mark.parametrize("band", ["B01", "B8A", "B04"])
def test_a_missing_band_is_named(tiny_bigearthnet, band):
    (tiny_bigearthnet / f"{S2}_{band}.tif").unlink()
    refusal = refusal_of(tiny_bigearthnet)
    assert refusal.reason is Reason.MISSING_FILE
    assert f"_{band}.tif" in refusal.detail


def test_a_missing_sar_patch_is_a_missing_pair_and_one_polarisation_a_missing_file(
    tiny_bigearthnet,
):
    (tiny_bigearthnet / f"{S1}_VH.tif").unlink()
    assert refusal_of(tiny_bigearthnet).reason is Reason.MISSING_FILE
    shutil.rmtree(tiny_bigearthnet / "BigEarthNet-S1")
    assert refusal_of(tiny_bigearthnet).reason is Reason.MISSING_PAIR


def test_a_v2_patch_without_its_map_is_refused(tiny_bigearthnet):
    (tiny_bigearthnet / MAP).unlink()
    assert refusal_of(tiny_bigearthnet).reason is Reason.MISSING_FILE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_nan_in_the_radar_image_refuses_it(tiny_bigearthnet, write_tiff, value):
    values_HW = np.linspace(-20, -10, 14400, dtype=np.float32).reshape(120, 120)
    values_HW[5, 5] = value
    write_tiff(tiny_bigearthnet / f"{S1}_VV.tif", values_HW)
    assert refusal_of(tiny_bigearthnet).reason is Reason.NODATA_IMAGE


def test_a_band_of_nodata_and_a_white_picture_are_told_apart(tiny_bigearthnet, write_tiff):
    write_tiff(tiny_bigearthnet / f"{S2}_B03.tif", np.zeros((120, 120), dtype=np.uint16))
    assert refusal_of(tiny_bigearthnet).reason is Reason.NODATA_IMAGE
    for band in ("B02", "B03", "B04"):
        bright_HW = np.full((120, 120), 9000, dtype=np.uint16)
        write_tiff(tiny_bigearthnet / f"{S2}_{band}.tif", bright_HW)
    assert refusal_of(tiny_bigearthnet).reason is Reason.BLANK_IMAGE


def test_rasters_of_other_size_place_or_crs_are_refused(tiny_bigearthnet, write_tiff):
    path = tiny_bigearthnet / MAP
    codes_HW = np.full((120, 120), 211, dtype=np.uint16)
    write_tiff(path, codes_HW[:100])
    assert refusal_of(tiny_bigearthnet).reason is Reason.SIZE_MISMATCH
    write_tiff(path, codes_HW, crs="EPSG:32634")
    assert refusal_of(tiny_bigearthnet).reason is Reason.CRS_MISMATCH
    write_tiff(path, codes_HW, transform=Affine(10.0, 0, 331210.0, 0, -10.0, 5331600.0))
    assert refusal_of(tiny_bigearthnet).reason is Reason.CRS_MISMATCH


def test_a_radar_image_of_whole_numbers_has_lost_its_decibels(tiny_bigearthnet, write_tiff):
    values_HW = np.arange(14400, dtype=np.int32).reshape(120, 120)
    write_tiff(tiny_bigearthnet / f"{S1}_VV.tif", values_HW)
    assert refusal_of(tiny_bigearthnet).reason is Reason.WRONG_PIXEL_FORMAT


def test_a_map_without_any_class_gives_no_label(tiny_bigearthnet, write_tiff):
    write_tiff(tiny_bigearthnet / MAP, np.full((120, 120), 999, dtype=np.uint16))
    assert refusal_of(tiny_bigearthnet).reason is Reason.NO_LABEL


def test_clouds_are_the_optical_images_alone(tiny_bigearthnet):
    edit_table(tiny_bigearthnet, contains_cloud_or_shadow=True)
    images = read(tiny_bigearthnet, only(tiny_bigearthnet)).images
    assert [image.cloudy for image in images] == [True, False, False]


def test_a_folder_without_a_row_is_rejected_and_a_row_without_a_folder_is_not_there(
    tiny_bigearthnet,
):
    edit_table(tiny_bigearthnet, patch_id=PATCH.replace("26_57", "26_58"))
    entry = only(tiny_bigearthnet)
    assert isinstance(entry, Rejected)
    assert (entry.sample_id, entry.stage) == (PATCH, "index")
    assert entry.reason is Reason.MISSING_METADATA


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"split": "val"}, Reason.UNKNOWN_VALUE),
        ({"s1_name": "S1_something"}, Reason.MISSING_METADATA),
        ({"s1_name": None}, Reason.MISSING_METADATA),
        ({"s1_name": "../../etc/passwd"}, Reason.UNSAFE_PATH),
        ({"s1_name": S1_NAME.replace("0612", "1399")}, Reason.BAD_DATE),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected(tiny_bigearthnet, columns, reason):
    edit_table(tiny_bigearthnet, **columns)
    assert only(tiny_bigearthnet).reason is reason


def test_a_patch_with_two_rows_is_rejected(tiny_bigearthnet):
    shutil.copy(tiny_bigearthnet / METADATA_FILES[0], tiny_bigearthnet / METADATA_FILES[1])
    assert only(tiny_bigearthnet).reason is Reason.DUPLICATE_ID


def test_the_first_table_must_be_there_and_the_second_whole(tiny_bigearthnet):
    first, second = (tiny_bigearthnet / name for name in METADATA_FILES)
    second.write_bytes(first.read_bytes()[:200])
    with pytest.raises(ValueError, match=METADATA_FILES[1]):
        list(index(tiny_bigearthnet))
    second.unlink()
    first.rename(second)
    with pytest.raises(ValueError, match=r"looked for metadata\.parquet"):
        list(index(tiny_bigearthnet))


def test_a_folder_named_as_a_table_is_no_table(tiny_bigearthnet):
    table = tiny_bigearthnet / METADATA_FILES[0]
    inner = table.rename(tiny_bigearthnet / "aside.parquet")
    table.mkdir()
    inner.rename(table / "part.parquet")
    with pytest.raises(ValueError, match=METADATA_FILES[0]):
        list(index(tiny_bigearthnet))


VRT = b"<VRTDataset/>"


@pytest.mark.parametrize(
    ("band", "content", "reason"),
    [
        ("B05", lambda _: b"", Reason.UNREADABLE_FILE),
        ("B12", lambda whole: whole[:-1], Reason.UNREADABLE_FILE),
        ("B8A", lambda whole: whole[:60], Reason.UNREADABLE_FILE),
        ("B01", lambda _: VRT, Reason.EXTERNAL_REFERENCE),
    ],
)
def test_a_band_that_is_not_shown_must_be_a_whole_tiff(tiny_bigearthnet, band, content, reason):
    path = tiny_bigearthnet / f"{S2}_{band}.tif"
    path.write_bytes(content(path.read_bytes()))
    refusal = refusal_of(tiny_bigearthnet)
    assert refusal.reason is reason
    assert f"_{band}.tif" in refusal.detail


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"side": 120}, Reason.SIZE_MISMATCH),
        ({"dtype": np.int16}, Reason.WRONG_PIXEL_FORMAT),
        ({"crs": "EPSG:32634"}, Reason.CRS_MISMATCH),
        ({"crs": None}, Reason.CRS_MISMATCH),
        ({"left": 331201.0}, Reason.CRS_MISMATCH),
    ],
)
def test_a_band_that_is_not_shown_must_fit_the_patch(tiny_bigearthnet, write_tiff, change, reason):
    due = {"side": 60, "dtype": np.uint16, "crs": "EPSG:32633", "left": 331200.0} | change
    path = tiny_bigearthnet / f"{S2}_B11.tif"
    transform = Affine(20.0, 0, due["left"], 0, -20.0, 5331600.0)
    values_HW = np.ones((due["side"], due["side"]), dtype=due["dtype"])
    write_tiff(path, values_HW, crs=due["crs"], transform=transform)
    refusal = refusal_of(tiny_bigearthnet)
    assert refusal.reason is reason
    assert "_B11.tif" in refusal.detail


@pytest.mark.parametrize("options", [{"bigtiff": "yes"}, {"endianness": "big"}, {"tiled": True}])
def test_a_header_says_the_same_in_every_form_of_tiff(tmp_path, options):
    path = tmp_path / "a.tif"
    transform = Affine(20.0, 0, 331200.0, 0, -20.0, 5331600.0)
    profile = {"driver": "GTiff", "width": 80, "height": 64, "count": 1, "dtype": "uint16"}
    sizes = {"blockxsize": 16, "blockysize": 16} if "tiled" in options else {}
    with rasterio.open(
        path, "w", **profile, **options, **sizes, crs="EPSG:32633", transform=transform
    ) as dataset:
        dataset.write(np.ones((1, 64, 80), dtype=np.uint16))
        bounds = tuple(dataset.bounds)
    header = tiff_header(path.read_bytes(), "a.tif")
    assert (header.width, header.height, header.dtype) == (80, 64, "uint16")
    assert (header.epsg, header.bounds) == (32633, bounds)


@given(st.data())
def test_a_broken_tiff_header_is_refused_and_never_an_error(data):
    content = bytearray(b"II*\0\x08\0\0\0" + b"\0" * 60)
    for at in data.draw(st.lists(st.integers(2, 67), max_size=40)):
        content[at] = data.draw(st.integers(0, 255))
    with pytest.raises(Refusal):
        tiff_header(bytes(content), "a.tif")


def test_a_patch_in_the_folder_of_two_products_is_kept_once(tiny_bigearthnet):
    patch = (tiny_bigearthnet / S2).parent
    other = patch.parent.with_name(patch.parent.name.replace("R022", "R021"))
    shutil.copytree(patch, other / PATCH)
    twice, kept = index(tiny_bigearthnet)
    assert twice.reason is Reason.DUPLICATE_ID
    assert f"{S2}_B04.tif" in kept.files
    shutil.rmtree(patch)
    assert only(tiny_bigearthnet).reason is Reason.UNKNOWN_VALUE


def test_a_folder_whose_name_is_no_text_is_rejected_and_the_rest_goes_on(tiny_bigearthnet):
    folder = os.fsencode((tiny_bigearthnet / S2).parent.parent)
    os.mkdir(folder + b"/bad\xff")
    bad, kept = index(tiny_bigearthnet)
    assert (bad.sample_id, bad.reason) == ("bad\\udcff", Reason.UNSAFE_PATH)
    assert kept.scene_id == PATCH


def test_a_closed_product_folder_is_rejected_and_the_rest_goes_on(tiny_bigearthnet, close):
    product = tiny_bigearthnet / "BigEarthNet-S2" / "other"
    product.mkdir()
    close(product)
    closed, kept = index(tiny_bigearthnet)
    assert (closed.sample_id, closed.reason) == ("BigEarthNet-S2.other", Reason.UNREADABLE_FILE)
    assert kept.scene_id == PATCH


def test_a_closed_radar_folder_refuses_its_pair(tiny_bigearthnet, close):
    close((tiny_bigearthnet / S1).parent)
    refusal = refusal_of(tiny_bigearthnet)
    assert refusal.reason is Reason.UNREADABLE_FILE
    assert "Permission denied" in refusal.detail


def test_a_folder_without_patches_is_no_archive(tiny_bigearthnet):
    shutil.rmtree(tiny_bigearthnet / "BigEarthNet-S2")
    with pytest.raises(ValueError, match="BigEarthNet-S2"):
        list(index(tiny_bigearthnet))


def test_a_v1_patch_is_read_with_the_map_of_its_row_or_not_at_all(tiny_bigearthnet):
    v1_name = "S2A_MSIL2A_20170613T101031_26_57"
    for folder, stem, name in (
        ("BigEarthNet-v1.0", S2, v1_name),
        ("BigEarthNet-S1-v1.0", S1, S1_NAME),
    ):
        source = (tiny_bigearthnet / stem).parent
        target = tiny_bigearthnet / folder / name
        target.mkdir(parents=True)
        for file in source.iterdir():
            shutil.copy(file, target / file.name.replace(source.name, name))
    both = list(index(tiny_bigearthnet))
    assert [entry.reason for entry in both if isinstance(entry, Rejected)] == [Reason.DUPLICATE_ID]
    shutil.rmtree(tiny_bigearthnet / "BigEarthNet-S2")
    ref = only(tiny_bigearthnet)
    assert (ref.scene_id, ref.place, ref.split) == (v1_name, "T33UUP-26-57", "test")
    assert read(tiny_bigearthnet, ref).layers[0].ids_HW[0, 0] == 2
    (tiny_bigearthnet / MAP).unlink()
    assert refusal_of(tiny_bigearthnet).reason is Reason.NO_LABEL


def test_names_give_tile_place_and_date():
    patch = parse_patch_id("S2B_MSIL2A_20180204T094159_N9999_R036_T35VPK_57_38")
    assert (patch.tile, patch.column, patch.row, patch.date) == ("35VPK", 57, 38, "2018-02-04")
    assert patch.bucket == "T35VPK-03-02"
    s1 = parse_s1_name("S1A_IW_GRDH_1SDV_20170617T064724_29UPU_4_55")
    assert (s1.scene, s1.date) == ("S1A_IW_GRDH_1SDV_20170617T064724", "2017-06-17")


def test_an_unpadded_hour_and_a_61st_second_still_mean_a_time():
    time = parse_v1_time("S2B_MSIL2A_20180204T94161_57_38")
    assert time.isoformat() == "2018-02-04T09:42:01"
    assert parse_v1_time("S2A_MSIL2A_20170613T101031_87_48").isoformat() == "2017-06-13T10:10:31"


@pytest.mark.parametrize("day", ["20181301", "20180230"])
def test_an_impossible_day_is_a_bad_date(day):
    with pytest.raises(Refusal) as caught:
        parse_v1_time(f"S2B_MSIL2A_{day}T094159_57_38")
    assert caught.value.reason is Reason.BAD_DATE


def test_a_real_reference_map_gives_its_known_classes_and_joins_its_row(realdata):
    root = realdata / "bigearthnet_v2"
    codes_HW = Archive(root).read_band(MAP).values_HW
    assert Counter(codes_HW.ravel().tolist()) == {211: 7075, 231: 1154, 311: 4131, 313: 2040}
    names = Counter(BIGEARTHNET_19.names[i] for i in clc_to_19(codes_HW).ravel())
    assert names == {
        "Arable land": 7075,
        "Pastures": 1154,
        "Broad-leaved forest": 4131,
        "Mixed forest": 2040,
    }
    (row,) = join_v2(read_metadata(root), [PATCH])[PATCH]
    assert (row.s1_name, row.split) == (S1_NAME, "test")
    labels = pq.read_table(root / METADATA_FILES[0], columns=["patch_id", "labels"])
    listed = labels.filter(pc.equal(labels["patch_id"], PATCH))["labels"][0].as_py()
    assert sorted(names) == sorted(listed)


def test_the_code_table_is_that_of_the_real_pipeline(realdata):
    path = "bigearthnet_v2/clc_metadata.json"
    for record in Archive(realdata).read_json(path)["clc_data"]:
        class_id = clc_to_19(np.array([[int(record["code"])]]))[0, 0]
        name = BIGEARTHNET_19.names[class_id] if class_id != INVALID_ID else "UNLABELED"
        assert name == record["name_19"], record


@pytest.fixture
def real_v1(realdata, tmp_path):
    """The real v1 pairs beside v2's tables, with a made-up map for each row."""
    shutil.copytree(realdata / "bigearthnet_v1", tmp_path / "v1")
    for name in METADATA_FILES:
        shutil.copy(realdata / "bigearthnet_v2" / name, tmp_path / "v1" / name)
    return tmp_path / "v1"


def test_real_v1_pairs_join_their_v2_rows(realdata):
    rows = join_v1(read_metadata(realdata / "bigearthnet_v2"), V1_PATCHES)
    assert len(rows) == len(V1_PATCHES)
    for name, (place, split) in V1_PATCHES.items():
        (row,) = rows[name]
        assert row.patch_id.endswith(place)
        assert row.split == split
    assert "T094159_" in rows["S2B_MSIL2A_20180204T94161_57_38"][0].patch_id


def test_real_v1_pairs_are_read_where_a_map_is_there(real_v1, write_tiff):
    refs = list(index(real_v1))
    assert [ref.scene_id for ref in refs] == sorted(V1_PATCHES)
    with pytest.raises(Refusal) as caught:
        read(real_v1, refs[0])
    assert caught.value.reason is Reason.NO_LABEL
    for ref in refs:
        band = Archive(real_v1).read_band(f"{ref.facts['s2']}_B04.tif")
        codes_HW = np.full((120, 120), 312, dtype=np.uint16)
        path = real_v1 / ref.facts["map"]
        write_tiff(path, codes_HW, crs=band.crs, transform=band.transform)
        scene = read(real_v1, ref)
        assert scene.grid.pixel_size_m == (10.0, 10.0)
        assert len(scene.images) == 3


def test_real_sar_patches_lie_on_their_optical_partners_and_keep_fractions_of_a_decibel(real_v1):
    for ref in index(real_v1):
        archive = Archive(real_v1)
        optical = archive.read_band(f"{ref.facts['s2']}_B04.tif")
        for polarisation in ("VV", "VH"):
            sar = archive.read_band(f"{ref.facts['s1']}_{polarisation}.tif")
            assert sar.bounds == optical.bounds
            assert sar.values_HW.dtype == np.float32
            assert (sar.values_HW % 1 != 0).mean() > 0.99


def test_a_real_v2_archive_lists_the_one_patch_it_holds(realdata):
    root = realdata / "bigearthnet_v2"
    (ref,) = index(root)
    assert ref.place == "T33UUP-75-43"
    with pytest.raises(Refusal) as caught:  # its map is not among the files
        read(root, ref)
    assert caught.value.reason is Reason.MISSING_FILE


def square(tile, column, row):
    return parse_patch_id(f"S2A_MSIL2A_20170613T101031_N9999_R022_T{tile}_{column}_{row}").square


def test_a_patch_beyond_its_square_is_of_the_next_one_east_or_south():
    assert square("33UUP", "26", "57") == square("33UUP", "82", "82") == "T33-UP"
    assert square("33UUP", "83", "00") == square("33UVP", "00", "00") == "T33-VP"
    assert square("33UUP", "00", "83") == "T33-UN"  # letters of rows fall southward, without O
    assert square("35VPK", "90", "90") == "T35-QJ"
    assert square("29UNA", "10", "85") == "T29-NV"  # and begin anew


def test_patches_of_two_tiles_that_show_the_same_ground_are_of_one_square():
    # a tile begins at a multiple of 60 m, with its square or up to 60 m earlier
    easts = [
        (e * 100_000 // 60 * 60 + 1200 * column, square(f"33U{letter}P", f"{column:02}", "00"))
        for e, letter in enumerate("STUVWXYZ", start=1)
        for column in range(91)
    ]
    norths = [
        (n * 100_000 // 60 * 60 + 1200 * row, square(f"33UU{letter}", "00", f"{row:02}"))
        for n, letter in enumerate("VUTSRQPNMLKJHGFEDCBA", start=1)
        for row in range(91)
    ]
    for patches in (easts, norths):
        patches.sort()
        for (at, own), *rest in (patches[i : i + 4] for i in range(len(patches))):
            assert all(other == own for beside, other in rest if beside - at < 1200)

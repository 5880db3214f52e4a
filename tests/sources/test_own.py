import json
import shutil
from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
import yaml
from affine import Affine
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from masks.rle import decode
from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import BACKGROUND_ID, INVALID_ID, Modality
from schemas.taxonomy import Common
from tasks.sources.own import index, read

LEFT, TOP = 500_000.0, 5_000_000.0
GRID = Affine(10.0, 0.0, LEFT, 0.0, -10.0, TOP)
PICTURE_3HW = np.arange(3 * 32 * 32, dtype=np.uint16).reshape(3, 32, 32)
CLASSES = [
    {"code": 1, "name": "Field", "common": "cropland"},
    {"code": 2, "name": "wood", "phrase": "woods", "plural": True},
]


def description(**changes):
    return {
        "name": "mine",
        "licence": "CC0-1.0",
        "images": [{"pattern": "images/{scene}.tif"}],
        "layers": [
            {
                "name": "cover",
                "product": "cover-2020",
                "files": [{"pattern": "labels/{scene}.tif"}],
                "classes": CLASSES,
                "ignore": [0],
            }
        ],
        **changes,
    }


def describe(root, **changes):
    text = yaml.safe_dump(description(**changes), sort_keys=False)
    (root / "dataset.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def mine(tmp_path, write_tiff):
    """Scenes a and b of 32 x 32 pixels: upper half field, lower half wood, one corner ignored."""
    codes_HW = np.full((32, 32), 1, dtype=np.uint8)
    codes_HW[16:] = 2
    codes_HW[0, 0] = 0
    for scene in ("a", "b"):
        write_tiff(tmp_path / f"images/{scene}.tif", PICTURE_3HW, transform=GRID)
        write_tiff(tmp_path / f"labels/{scene}.tif", codes_HW, transform=GRID)
    describe(tmp_path)
    return tmp_path


def pixel_box(left, top, right, bottom):
    """A rectangle in pixels of the grid, in its metres."""
    return box(LEFT + 10 * left, TOP - 10 * bottom, LEFT + 10 * right, TOP - 10 * top)


def write_vector(path, shapes, crs="EPSG:32633", **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = gpd.GeoDataFrame(
        columns or {"n": range(len(shapes))}, geometry=shapes, crs="EPSG:32633"
    )
    frame.to_crs(crs).to_file(path)


def with_polygons(root, name="shapes.gpkg", **changes):
    layer = {
        "name": "buildings",
        "product": "footprints",
        "kind": "vector",
        "objects": True,
        "files": [{"pattern": name}],
        "classes": [{"code": 1, "name": "building", "countable": True, "common": "building"}],
        **changes,
    }
    describe(root, layers=[layer])


def first(root):
    return next(index(root))


def scene_of(root):
    return read(root, first(root))


def refusal_of(root):
    with pytest.raises(Refusal) as caught:
        scene_of(root)
    return caught.value


def test_scenes_are_listed_by_pattern(mine):
    refs = list(index(mine))
    assert [ref.scene_id for ref in refs] == ["mine-a", "mine-b"]
    assert refs[0].files == ("dataset.yaml", "images/a.tif", "labels/a.tif")
    assert {ref.split for ref in refs} == {"train"}


def test_a_scene_has_its_picture_its_grid_and_its_labels(mine):
    scene = scene_of(mine)
    assert scene.licence == "CC0-1.0"
    assert scene.grid.pixel_size_m == (10.0, 10.0)
    assert [image.role for image in scene.images] == ["single"]
    assert scene.images[0].rendering.startswith("band1_band2_band3_percentile_2_98")
    (layer,) = scene.layers
    assert layer.ids_HW[0, :2].tolist() == [INVALID_ID, 0]
    assert (layer.ids_HW[16:] == 1).all()
    assert layer.invalid is Invalid.UNKNOWN
    assert [file.path for file in scene.files] == ["dataset.yaml", "images/a.tif", "labels/a.tif"]


def test_class_words_come_from_the_description(mine):
    field, wood = scene_of(mine).layers[0].taxonomy.classes
    assert (field.name, field.phrase, field.common) == ("Field", "field", Common.CROP)
    assert (wood.phrase, wood.plural, wood.common) == ("woods", True, Common.OTHER)


def test_what_lies_under_ignored_pixels_is_as_described(mine):
    layer = description()["layers"][0]
    describe(mine, layers=[{**layer, "under_ignored": "other"}])
    assert scene_of(mine).layers[0].invalid is Invalid.OTHER
    describe(mine, layers=[{**layer, "ignore": [], "background": [0]}])
    labels = scene_of(mine).layers[0]
    assert labels.ids_HW[0, 0] == BACKGROUND_ID
    assert labels.invalid is Invalid.OTHER


def test_a_code_outside_the_table_is_refused(mine):
    layer = description()["layers"][0]
    describe(mine, layers=[{**layer, "classes": CLASSES[:1]}])
    refusal = refusal_of(mine)
    assert refusal.reason is Reason.UNKNOWN_LABEL_CODE
    assert "code 2" in refusal.detail


def test_nodata_of_the_label_raster_is_invalid_without_being_listed(mine, write_tiff):
    codes_HW = np.full((32, 32), 1.0, dtype=np.float32)
    codes_HW[0, 0], codes_HW[0, 1] = -9999, np.nan
    write_tiff(mine / "labels/a.tif", codes_HW, transform=GRID, nodata=-9999)
    assert Counter(scene_of(mine).layers[0].ids_HW.ravel().tolist()) == {0: 1022, INVALID_ID: 2}


def test_labels_of_broken_numbers_size_or_place_are_refused(mine, write_tiff):
    write_tiff(mine / "labels/a.tif", np.full((32, 32), 1.5, dtype=np.float32), transform=GRID)
    assert refusal_of(mine).reason is Reason.WRONG_PIXEL_FORMAT
    codes_HW = np.ones((32, 32), dtype=np.uint8)
    write_tiff(mine / "labels/a.tif", codes_HW[1:], transform=GRID)
    assert refusal_of(mine).reason is Reason.SIZE_MISMATCH
    write_tiff(mine / "labels/a.tif", codes_HW, crs="EPSG:32634", transform=GRID)
    assert refusal_of(mine).reason is Reason.CRS_MISMATCH


def test_a_scene_without_label_or_image_is_told_apart(mine):
    (mine / "labels/a.tif").unlink()
    assert refusal_of(mine).reason is Reason.NO_LABEL
    (mine / "images/b.tif").unlink()
    rejected = list(index(mine))[1]
    assert isinstance(rejected, Rejected)
    assert (rejected.sample_id, rejected.reason) == ("mine-b", Reason.MISSING_FILE)


def test_splits_can_follow_the_names(mine):
    describe(mine, split={"train": "b*", "test": "a*"})
    assert [ref.split for ref in index(mine)] == ["test", "train"]
    describe(mine, split={"train": "b*"})
    assert next(index(mine)).reason is Reason.MISSING_METADATA


def test_a_bucket_depends_on_the_scenes_name_alone(mine, write_tiff):
    before = {ref.place: ref.bucket for ref in index(mine)}
    write_tiff(mine / "images/c.tif", PICTURE_3HW, transform=GRID)
    after = {ref.place: ref.bucket for ref in index(mine)}
    assert before.items() < after.items()


def two_dates(root, write_tiff, labels=("2020-05-01", "2021-05-01")):
    for folder in ("images", "labels"):
        shutil.rmtree(root / folder)
    for day in ("20200501", "20210501"):
        write_tiff(root / f"images/a_{day}.tif", PICTURE_3HW, transform=GRID)
    for number, day in enumerate(labels):
        codes_HW = np.full((32, 32), number + 1, dtype=np.uint8)
        write_tiff(root / f"labels/a_{day}.tif", codes_HW, transform=GRID)
    layer = {**description()["layers"][0], "files": [{"pattern": "labels/{scene}_{date}.tif"}]}
    describe(root, images=[{"pattern": "images/{scene}_{date}.tif"}], layers=[layer])


def test_two_dates_become_pre_and_post_with_a_label_map_each(mine, write_tiff):
    two_dates(mine, write_tiff)
    scene = scene_of(mine)
    assert [(i.role, i.date, i.date_index) for i in scene.images] == [
        ("pre", "2020-05-01", 0),
        ("post", "2021-05-01", 1),
    ]
    assert [(layer.date_index, layer.ids_HW[0, 0]) for layer in scene.layers] == [(0, 0), (1, 1)]
    assert {layer.product for layer in scene.layers} == {"cover-2020"}


def test_a_label_of_a_date_without_image_is_refused(mine, write_tiff):
    two_dates(mine, write_tiff, labels=("2020-05-01", "2022-05-01"))
    assert refusal_of(mine).reason is Reason.MISSING_PAIR


def test_an_undated_label_in_a_scene_of_several_dates_is_refused(mine, write_tiff):
    two_dates(mine, write_tiff)
    layer = {**description()["layers"][0], "files": [{"pattern": "labels/{scene}_2020-05-01.tif"}]}
    describe(mine, images=[{"pattern": "images/{scene}_{date}.tif"}], layers=[layer])
    assert refusal_of(mine).reason is Reason.MISSING_METADATA


def test_three_dates_are_a_sequence_and_an_impossible_date_is_rejected(mine, write_tiff):
    two_dates(mine, write_tiff)
    write_tiff(mine / "images/a_2022-05-01.tif", PICTURE_3HW, transform=GRID)
    assert [image.role for image in scene_of(mine).images] == ["sequence"] * 3
    write_tiff(mine / "images/a_20221399.tif", PICTURE_3HW, transform=GRID)
    assert first(mine).reason is Reason.BAD_DATE


def test_images_of_one_scene_on_different_grids_are_refused(mine, write_tiff):
    two_dates(mine, write_tiff)
    write_tiff(mine / "images/a_20210501.tif", PICTURE_3HW, crs="EPSG:4326")
    assert refusal_of(mine).reason is Reason.CRS_MISMATCH


def test_a_radar_raster_of_two_bands_is_shown_in_both_renderings(mine, write_tiff):
    radar_2HW = np.stack([np.full((32, 32), -10.5), np.full((32, 32), -17.5)]).astype(np.float32)
    radar_2HW[0, 0, 0] = -3.0
    write_tiff(mine / "radar/a.tif", radar_2HW, transform=GRID)
    images = [{"pattern": "images/{scene}.tif"}, {"pattern": "radar/{scene}.tif"}]
    images[1]["modality"] = "sar"
    describe(mine, images=images)
    scene = scene_of(mine)
    assert [image.modality for image in scene.images] == [Modality.OPTICAL] + [Modality.SAR] * 2
    assert scene.images[2].rendering.startswith("vv_vh_difference_db")


def test_a_png_is_shown_as_it_is_and_has_no_pixel_size(mine, write_png):
    picture_HW3 = np.moveaxis(PICTURE_3HW % 251, 0, -1).astype(np.uint8)
    path = write_png(mine / "png/a.png", picture_HW3)
    write_png(mine / "labels_png/a.png", np.full((32, 32), 1, dtype=np.uint8))
    layer = {**description()["layers"][0], "files": [{"pattern": "labels_png/{scene}.png"}]}
    describe(mine, images=[{"pattern": "png/{scene}.png"}], layers=[layer])
    scene = scene_of(mine)
    assert scene.images[0].encoded == path.read_bytes()
    assert scene.grid.pixel_size_m is None
    grid = {"crs": "EPSG:32633", "bounds": [LEFT, TOP - 640, LEFT + 320, TOP]}
    describe(mine, images=[{"pattern": "png/{scene}.png"}], layers=[layer], grid=grid)
    assert scene_of(mine).grid.pixel_size_m == (10.0, 20.0)


def outlined(root, write_png, **outline):
    """A scene of one PNG, placed by an outline that is a square of 0.1 degrees."""
    write_png(root / "png/a.png", np.moveaxis(PICTURE_3HW % 251, 0, -1).astype(np.uint8))
    write_png(root / "labels_png/a.png", np.full((32, 32), 1, dtype=np.uint8))
    square = [[15, 45], [15.1, 45], [15.1, 45.1], [15, 45.1], [15, 45]]
    polygon = {"type": "Polygon", "coordinates": [square], **outline}
    (root / "a.geojson").write_text(json.dumps(polygon))
    layer = {**description()["layers"][0], "files": [{"pattern": "labels_png/{scene}.png"}]}
    describe(
        root,
        images=[{"pattern": "png/{scene}.png"}],
        layers=[layer],
        grid={"geojson": "{scene}.geojson"},
    )


def test_an_outline_places_a_picture_by_degrees_or_by_a_named_crs(mine, write_png):
    outlined(mine, write_png)
    west, south, east, north = scene_of(mine).grid.bounds_lonlat
    assert (west, south, east, north) == pytest.approx((15, 45, 15.1, 45.1))
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    square = [[LEFT, TOP], [LEFT + 320, TOP], [LEFT + 320, TOP - 320], [LEFT, TOP - 320]]
    outlined(mine, write_png, crs=crs, coordinates=[square])
    assert scene_of(mine).grid.pixel_size_m == (10.0, 10.0)


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/crs", "/etc/hostname", "+proj=longlat"])
def test_an_outline_whose_crs_lies_elsewhere_is_refused(mine, write_png, name):
    outlined(mine, write_png, crs={"type": "name", "properties": {"name": name}})
    assert refusal_of(mine).reason is Reason.EXTERNAL_REFERENCE


@pytest.mark.parametrize("ring", [[[15, 45]], [[15, 45], [16, 45]], [[15, 45], [1e999, 46]]])
def test_an_outline_without_width_or_height_is_refused(mine, write_png, ring):
    outlined(mine, write_png, coordinates=[ring])
    assert refusal_of(mine).reason is Reason.POLYGON_EMPTY


def test_a_rendering_names_the_bands_that_were_shown(mine, write_tiff):
    write_tiff(mine / "images/a.tif", PICTURE_3HW[:1], transform=GRID)
    assert scene_of(mine).images[0].rendering.startswith("band1_percentile_2_98")
    write_tiff(mine / "images/a.tif", PICTURE_3HW[:2], transform=GRID)
    assert scene_of(mine).images[0].rendering.startswith("band1_percentile_2_98")


@pytest.mark.parametrize("stretch", ["percentile", "as_is", [-20, 5]])
def test_a_stretch_of_two_radar_bands_is_refused_rather_than_left_out(mine, write_tiff, stretch):
    radar_2HW = np.linspace(-20, -5, 2 * 32 * 32, dtype=np.float32).reshape(2, 32, 32)
    write_tiff(mine / "images/a.tif", radar_2HW, transform=GRID)
    images = [{"pattern": "images/{scene}.tif", "modality": "sar", "stretch": stretch}]
    describe(mine, images=images)
    refusal = refusal_of(mine)
    assert refusal.reason is Reason.WRONG_PIXEL_FORMAT
    assert "stretch" in refusal.detail
    write_tiff(mine / "images/a.tif", (radar_2HW + 21).astype(np.uint8), transform=GRID)
    if stretch == "as_is":
        assert scene_of(mine).images[0].rendering == "vh_vv_mean_uint8_as_is"
    else:
        assert refusal_of(mine).reason is Reason.WRONG_PIXEL_FORMAT


def test_fixed_limits_stand_in_the_renderings_name(mine):
    describe(
        mine, images=[{"pattern": "images/{scene}.tif", "bands": [3, 2, 1], "stretch": [0, 9]}]
    )
    assert scene_of(mine).images[0].rendering == "band3_band2_band1_fixed_0_9"
    describe(mine, images=[{"pattern": "images/{scene}.tif", "stretch": "as_is"}])
    assert refusal_of(mine).reason is Reason.WRONG_PIXEL_FORMAT
    describe(mine, images=[{"pattern": "images/{scene}.tif", "bands": [4, 3, 2]}])
    assert refusal_of(mine).reason is Reason.WRONG_PIXEL_FORMAT


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "EPSG:3857"])
@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp", "fgb"])
def test_polygons_in_any_crs_become_objects_on_the_images_grid(mine, crs, ending):
    if (ending, crs) == ("geojson", "EPSG:3857"):
        crs = "EPSG:4326"  # what GeoJSON means by itself
    shapes = [pixel_box(2, 2, 6, 5), pixel_box(20, 10, 21, 11), pixel_box(100, 0, 110, 9)]
    write_vector(mine / f"shapes.{ending}", shapes, crs)
    with_polygons(mine, f"shapes.{ending}")
    scene = scene_of(mine)
    sizes = sorted(int(decode(i.counts, (32, 32)).sum()) for i in scene.instances)
    assert sizes == [1, 12]  # the third lies outside
    assert (scene.layers[0].ids_HW == 0).sum() == 13
    assert scene.layers[0].ids_HW[2, 2] == 0
    assert scene.layers[0].ids_HW[1, 2] == BACKGROUND_ID


def test_an_object_smaller_than_a_pixel_keeps_one_and_a_field_does_not(mine):
    speck = box(LEFT + 51, TOP - 54, LEFT + 54, TOP - 51)
    write_vector(mine / "shapes.gpkg", [speck])
    with_polygons(mine)
    scene = scene_of(mine)
    assert len(scene.instances) == 1
    assert (scene.layers[0].ids_HW == 0).sum() == 1
    with_polygons(mine, objects=False)
    scene = scene_of(mine)
    assert not scene.instances
    assert (scene.layers[0].ids_HW == 0).sum() == 0


def test_polygons_with_codes_make_a_class_map(mine):
    shapes = [pixel_box(0, 0, 32, 8), pixel_box(0, 8, 32, 12), pixel_box(0, 12, 32, 13)]
    write_vector(mine / "shapes.gpkg", shapes, code=[1, 2, 0])
    layer = {"column": "code", "classes": CLASSES, "ignore": [0], "objects": False}
    with_polygons(mine, **layer, uncovered="unknown")
    ids = Counter(scene_of(mine).layers[0].ids_HW.ravel().tolist())
    assert ids == {0: 8 * 32, 1: 4 * 32, INVALID_ID: 20 * 32}
    with_polygons(mine, **layer)
    ids = Counter(scene_of(mine).layers[0].ids_HW.ravel().tolist())
    assert ids == {0: 8 * 32, 1: 4 * 32, INVALID_ID: 32, BACKGROUND_ID: 19 * 32}
    with_polygons(mine, **{**layer, "ignore": []})
    assert refusal_of(mine).reason is Reason.UNKNOWN_LABEL_CODE
    with_polygons(mine, **{**layer, "column": "kind"})
    assert refusal_of(mine).reason is Reason.MISSING_METADATA


def test_the_parts_of_a_multipolygon_are_one_object_with_its_own_name(mine):
    parts = MultiPolygon([pixel_box(0, 0, 2, 2), pixel_box(10, 10, 12, 13)])
    write_vector(mine / "shapes.gpkg", [parts], uid=["town hall"])
    with_polygons(mine, id_column="uid")
    (instance,) = scene_of(mine).instances
    assert instance.instance_id == "town hall"
    assert decode(instance.counts, (32, 32)).sum() == 10


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (
            Polygon([(LEFT, TOP), (LEFT + 90, TOP - 90), (LEFT + 90, TOP), (LEFT, TOP - 90)]),
            Reason.POLYGON_CROSSING,
        ),
        (Point(LEFT + 50, TOP - 50), Reason.POLYGON_KIND),
        (LineString([(LEFT, TOP), (LEFT + 90, TOP - 90)]), Reason.POLYGON_KIND),
    ],
)
def test_shapes_without_a_plain_inside_are_refused(mine, shape, reason):
    write_vector(mine / "shapes.gpkg", [shape])
    with_polygons(mine)
    assert refusal_of(mine).reason is reason


def test_vector_files_that_are_not_what_they_are_called_are_not_opened(mine):
    with_polygons(mine, "shapes.gpkg")
    (mine / "shapes.gpkg").write_text("<OGRVRTDataSource><SrcDataSource>/etc</SrcDataSource>")
    assert refusal_of(mine).reason is Reason.EXTERNAL_REFERENCE
    (mine / "shapes.gpkg").write_bytes(b"SQLite format 3\0" + b"\0" * 10)
    assert refusal_of(mine).reason is Reason.UNREADABLE_FILE
    (mine / "shapes.vrt").write_text("<OGRVRTDataSource/>")
    with_polygons(mine, "shapes.vrt")
    assert refusal_of(mine).reason is Reason.EXTERNAL_REFERENCE


def test_polygons_need_a_crs_on_both_sides(mine, write_tiff):
    write_vector(mine / "shapes.gpkg", [pixel_box(0, 0, 5, 5)])
    with_polygons(mine)
    write_tiff(mine / "images/a.tif", PICTURE_3HW, crs=None, transform=GRID)
    assert refusal_of(mine).reason is Reason.CRS_MISMATCH


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"split": "val"}, "split"),
        ({"images": []}, "images"),
        ({"images": [{"pattern": "../{scene}.tif"}]}, r"\.\./\{scene\}\.tif"),
        ({"images": [{"pattern": "{scene}.tif", "bands": [1, 2]}]}, "bands"),
        ({"images": [{"pattern": "none/{scene}.tif"}]}, "none"),
        ({"grid": {"crs": "EPSG:32633"}}, "grid"),
        ({"grid": {"crs": "EPSG:1", "bounds": [0, 0, 1, 1]}}, "EPSG:1"),
        ({"grid": {"crs": "EPSG:one", "bounds": [0, 0, 1, 1]}}, "EPSG:one"),
        ({"grid": {"crs": "http://127.0.0.1:9/", "bounds": [0, 0, 1, 1]}}, "expected a name"),
        ({"grid": {"crs": "/etc/hostname", "bounds": [0, 0, 1, 1]}}, "expected a name"),
        ({"grid": {"crs": "EPSG:32633", "bounds": [0, 0, float("nan"), 1]}}, "bounds"),
        (
            {
                "images": [
                    {
                        "pattern": "images/{scene}.tif",
                        "modality": "sar",
                        "bands": [1, 2],
                        "stretch": "percentile",
                    }
                ]
            },
            "fixed limits",
        ),
        ({"layers": description()["layers"] * 2}, "cover"),
    ],
)
def test_a_wrong_description_stops_everything_and_names_what_is_wrong(mine, changes, named):
    describe(mine, **changes)
    with pytest.raises(ValueError, match=named):
        list(index(mine))


def test_a_class_code_that_stands_twice_is_a_wrong_description(mine):
    layer = description()["layers"][0]
    describe(mine, layers=[{**layer, "ignore": [1]}])
    with pytest.raises(ValueError, match="code 1 stands twice"):
        list(index(mine))


def test_a_description_of_brackets_alone_is_a_wrong_one(mine):
    (mine / "dataset.yaml").write_text("[" * 5000)
    with pytest.raises(ValueError, match="not YAML"):
        list(index(mine))


def test_a_folder_without_a_description_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"dataset\.yaml"):
        list(index(tmp_path))


LULC = {
    "product": "lulc-2017",
    "ignore": [0],
    "classes": [
        {"code": 1, "name": "cultivated land"},
        {"code": 2, "name": "forest"},
        {"code": 3, "name": "grassland"},
        {"code": 4, "name": "shrubland"},
        {"code": 8, "name": "artificial surface"},
    ],
}


def test_the_real_eo_learn_patch_as_raster_and_as_geopackage(realdata, tmp_path):
    root = tmp_path / "eolearn"
    shutil.copytree(realdata / "eolearn_testeopatch", root)
    image = {"pattern": "REFERENCE_SCENES.npy", "frame": 4, "bands": [4, 3, 2]}
    polygons = {"kind": "vector", "column": "LULC_ID", "uncovered": "unknown"}
    describe(
        root,
        images=[image],
        grid={"geojson": "TestEOPatch/bbox.geojson"},
        layers=[
            {**LULC, "name": "raster", "files": [{"pattern": "*/mask_timeless/LULC.npy"}]},
            {
                **LULC,
                **polygons,
                "name": "polygons",
                "files": [{"pattern": "*/vector_timeless/LULC.gpkg"}],
            },
        ],
    )
    scene = scene_of(root)
    assert scene.grid.pixel_size_m == pytest.approx((9.995, 9.997), abs=5e-4)
    for layer in scene.layers:
        forest = layer.classes.index("forest")
        assert (layer.ids_HW == forest).sum() == 7601
        assert (layer.ids_HW != INVALID_ID).sum() == 9945
    assert np.array_equal(scene.layers[0].ids_HW, scene.layers[1].ids_HW)


@pytest.mark.parametrize(
    ("tile", "buildings", "pixel_m"),
    [("pre/tile_337-9136", 54, (0.6, 0.6)), ("post/tile_31500-5137", 77, (0.534, 0.666))],
)
def test_real_footprints_touch_each_real_tile_in_its_own_crs(
    realdata, tmp_path, tile, buildings, pixel_m
):
    root = tmp_path / "joplin"
    shutil.copytree(realdata / "xview2_deploy_joplin", root)
    with_polygons(root, "bldg_polys.gpkg")
    config = yaml.safe_load((root / "dataset.yaml").read_text())
    config["images"] = [{"pattern": f"{tile.split('/')[0]}/{{scene}}.tif"}]
    (root / "dataset.yaml").write_text(json.dumps(config))
    scene = scene_of(root)
    assert scene.ref.place == tile.split("/")[1]
    assert len(scene.instances) == buildings
    assert scene.grid.pixel_size_m == pytest.approx(pixel_m, abs=1e-3)

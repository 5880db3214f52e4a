"""Vector files and arrays of your own dataset that are broken, or set as traps."""

import datetime
import json
import socket

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import Polygon, box

from schemas.rejection import Reason, Refusal
from tasks.sources.own_config import LabelFiles
from tasks.sources.own_vectors import read_features
from tasks.sources.rasters import Raster, npy_array
from tasks.sources.safe_files import Archive

UTM_33N = CRS.from_epsg(32633)
# one degree and a bit of longitude, one pixel a thousandth
DEGREES = Affine(0.001, 0.0, 15.0, 0.0, -0.001, 45.032)
HOUSE = box(15.001, 45.001, 15.005, 45.005)
RING = [[15.001, 45.001], [15.005, 45.001], [15.005, 45.005], [15.001, 45.001]]
LOCAL_CRS = 'LOCAL_CS["a plan",UNIT["metre",1]]'


def image_in(crs="EPSG:4326", transform=DEGREES):
    named = None if crs is None else CRS.from_user_input(crs)
    return Raster(values_HW=np.zeros((32, 32)), crs=named, transform=transform, nodata=None)


def layer_of(**changes):
    return LabelFiles.model_validate(
        {
            "name": "houses",
            "product": "survey",
            "kind": "vector",
            "objects": True,
            "files": [{"pattern": "any"}],
            "classes": [{"code": 1, "name": "house", "countable": True}],
            **changes,
        }
    )


def features_of(path, image=None, **changes):
    return read_features(Archive(path.parent), path.name, layer_of(**changes), image or image_in())


def refusal_of(path, image=None, **changes):
    with pytest.raises(Refusal) as caught:
        features_of(path, image, **changes)
    return caught.value


def write_geojson(path, geometry=None, properties=None, **members):
    """A GeoJSON of one feature; what is not JSON to Python (NaN) is written as it is."""
    feature = {
        "type": "Feature",
        "properties": properties or {},
        "geometry": geometry or {"type": "Polygon", "coordinates": [RING]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": [feature]}))
    return path


def write_houses(path, shapes, crs="EPSG:4326", **columns):
    columns = columns or {"n": range(len(shapes))}
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def test_a_geojson_cannot_make_the_reader_call_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/crs"
        link = {"type": "link", "properties": {"href": url}}
        path = write_geojson(tmp_path / "a.geojson", crs=link)
        refusal = refusal_of(path)
        with pytest.raises(BlockingIOError):  # nobody is waiting to be let in
            server.accept()
    assert refusal.reason is Reason.EXTERNAL_REFERENCE
    assert url in refusal.detail


@pytest.mark.parametrize(
    "members",
    [
        {"crs": {"type": "url", "properties": {"url": "http://127.0.0.1:9/"}}},
        {"CRS": {"type": "link", "properties": {"href": "http://127.0.0.1:9/"}}},
        {"crs": {"type": "name", "properties": {"name": "http://127.0.0.1:9/"}}},
        {"crs": {"type": "name", "properties": {"name": "/etc/hostname"}}},
        {"crs": {"type": "EPSG", "properties": {"code": 4326}}},
        {"geometry": {"type": "Polygon", "coordinates": [RING], "crs": {"type": "link"}}},
    ],
)
def test_a_geojson_names_its_crs_as_a_registry_does_or_is_refused(tmp_path, members):
    path = write_geojson(tmp_path / "a.geojson", **members)
    assert refusal_of(path).reason is Reason.EXTERNAL_REFERENCE


def test_a_crs_that_stands_twice_is_judged_both_times(tmp_path):
    path = write_geojson(tmp_path / "a.geojson", crs={"type": "link"})
    path.write_text(path.read_text()[:-1] + ', "crs": null}')
    assert refusal_of(path).reason is Reason.EXTERNAL_REFERENCE


def test_a_link_to_a_file_of_another_ending_hides_no_crs(tmp_path):
    write_geojson(tmp_path / "hidden.txt", crs={"type": "link"})
    (tmp_path / "a.geojson").symlink_to(tmp_path / "hidden.txt")
    assert refusal_of(tmp_path / "a.geojson").reason is Reason.EXTERNAL_REFERENCE


@pytest.mark.parametrize("name", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", None])
def test_a_geojson_with_a_plain_crs_is_read(tmp_path, name):
    crs = name and {"type": "name", "properties": {"name": name}}
    assert len(features_of(write_geojson(tmp_path / "a.geojson", crs=crs))) == 1


@pytest.mark.parametrize(
    "text", ['{"type": "FeatureCollection", }', "{'a': 1}", '{"a": ' * 9999, '{"a": "\xff"}']
)
def test_a_geojson_that_is_not_json_is_unreadable(tmp_path, text):
    path = tmp_path / "a.geojson"
    path.write_bytes(text.encode("latin-1"))
    assert refusal_of(path).reason is Reason.UNREADABLE_FILE


@pytest.mark.parametrize("missing", [None, Polygon()])
@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
def test_a_feature_without_a_shape_is_not_lost_in_silence(tmp_path, ending, missing):
    refusal = refusal_of(write_houses(tmp_path / f"a.{ending}", [HOUSE, missing]))
    assert refusal.reason is Reason.POLYGON_EMPTY
    assert f"a.{ending} feature 1" in refusal.detail


def test_coordinates_that_are_no_numbers_are_no_shape(tmp_path):
    ring = [[str(x), str(y)] for x, y in RING]
    path = write_geojson(tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [ring]})
    assert refusal_of(path).reason is Reason.POLYGON_EMPTY


@pytest.mark.parametrize(("ending", "keep"), [("shp", 0.8), ("shp", 0.5), ("fgb", 0.65)])
def test_a_file_cut_short_does_not_lose_its_last_polygons(tmp_path, ending, keep):
    houses = [box(15.001, 45.001 + y, 15.003, 45.002 + y) for y in (0.0, 0.005, 0.01, 0.015)]
    path = write_houses(tmp_path / f"a.{ending}", houses)
    assert len(features_of(path)) == 4
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert refusal_of(path).reason in (Reason.POLYGON_EMPTY, Reason.UNREADABLE_FILE)


def test_every_scene_is_told_of_a_broken_file_that_all_share(tmp_path):
    path = write_houses(tmp_path / "a.gpkg", [HOUSE, None])
    assert refusal_of(path).detail == refusal_of(path).detail


@pytest.mark.filterwarnings("ignore:Non closed ring:RuntimeWarning")
@pytest.mark.parametrize(
    "ring",
    [
        [[float("nan"), 45.001], *RING[1:]],
        [RING[0], [float("nan"), 45.001], *RING[2:]],
        [RING[0], [15.005, float("inf")], *RING[2:]],
        RING[:2],
    ],
)
def test_a_ring_that_is_none_is_refused(tmp_path, ring):
    path = write_geojson(tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [ring]})
    assert refusal_of(path).reason in (Reason.POLYGON_VERTEX, Reason.UNREADABLE_FILE)


def test_a_vertex_beyond_the_pole_has_no_place_in_the_images_crs(tmp_path):
    ring = [RING[0], RING[1], [15.005, 91.0], RING[0]]
    path = write_geojson(tmp_path / "a.geojson", {"type": "Polygon", "coordinates": [ring]})
    image = image_in("EPSG:32633", Affine(100.0, 0, 499_000, 0, -100.0, 4_985_000))
    assert refusal_of(path, image).reason is Reason.POLYGON_VERTEX


@pytest.mark.parametrize("code", [None, [1], {"a": 1}, "2020-01-01"])
def test_a_code_that_is_no_number_and_no_text_is_unknown(tmp_path, code):
    path = write_geojson(tmp_path / "a.geojson", properties={"code": code})
    refusal = refusal_of(path, column="code")
    assert refusal.reason is Reason.UNKNOWN_LABEL_CODE
    assert "feature 0" in refusal.detail


def test_a_column_of_dates_or_of_shapes_holds_no_codes(tmp_path):
    path = write_houses(tmp_path / "a.gpkg", [HOUSE], day=[datetime.date(2020, 1, 1)])
    for column in ("day", "geometry"):
        assert refusal_of(path, column=column).reason is Reason.UNKNOWN_LABEL_CODE


def test_two_objects_of_one_name_are_refused_only_where_both_are_seen(tmp_path):
    far = box(16, 45, 16.1, 45.1)
    path = write_houses(tmp_path / "a.gpkg", [HOUSE, HOUSE], uid=["hut", "hut"])
    refusal = refusal_of(path, id_column="uid")
    assert refusal.reason is Reason.DUPLICATE_ID
    assert "'hut'" in refusal.detail
    path = write_houses(tmp_path / "b.gpkg", [HOUSE, far, far], uid=["hut", "hut", None])
    assert [feature.name for feature in features_of(path, id_column="uid")] == ["hut"]


def test_an_object_without_a_name_is_refused_where_objects_have_one(tmp_path):
    path = write_houses(tmp_path / "a.gpkg", [HOUSE, HOUSE], uid=["hut", None])
    assert refusal_of(path, id_column="uid").reason is Reason.MISSING_METADATA


@pytest.mark.parametrize("crs", [LOCAL_CRS, "EPSG:5773", "IAU_2015:30100"])
def test_polygons_and_an_image_not_on_one_planet_do_not_meet(tmp_path, crs):
    path = write_houses(tmp_path / "a.gpkg", [HOUSE])
    assert refusal_of(path, image_in(crs)).reason is Reason.CRS_MISMATCH


def test_a_shapefile_on_a_plan_of_its_own_has_no_place(tmp_path):
    path = write_houses(tmp_path / "a.shp", [HOUSE])
    path.with_suffix(".prj").write_text(LOCAL_CRS)
    assert refusal_of(path).reason is Reason.CRS_MISMATCH


@pytest.mark.parametrize("step", [0.0, float("nan")])
def test_polygons_need_an_image_whose_pixels_have_an_area(tmp_path, step):
    path = write_houses(tmp_path / "a.gpkg", [HOUSE])
    image = image_in(transform=Affine(step, 0.0, 15.0, 0.0, -0.001, 45.032))
    assert refusal_of(path, image).reason is Reason.CRS_MISMATCH


def npy(header, body=b"\0" * 100):
    text = header.encode("latin-1").ljust(54) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    "shape",
    ["(8192, 8192, 8192)", "(True, 64)", "(-1, 64)", "(4, 5", "(8192, 8192, 8192, 8192)", "(101,)"],
)
def test_an_array_whose_header_claims_more_than_there_is_is_unreadable(shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    with pytest.raises(Refusal, match="unreadable_file"):
        npy_array(npy(header), "a.npy")


@pytest.mark.parametrize("header", ["{[]: 1}", "-" * 9000, "(" * 9000, "{", "", "{'descr': '|u1'}"])
def test_an_array_whose_header_is_no_header_is_unreadable(header):
    with pytest.raises(Refusal, match="unreadable_file"):
        npy_array(npy(header), "a.npy")


def test_an_array_that_fills_its_file_is_read():
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 25), }"
    assert npy_array(npy(header), "a.npy").shape == (4, 25)

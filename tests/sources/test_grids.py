import math

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from rasterio.crs import CRS

from tasks.sources.affine_fit import fit_georeference
from tasks.sources.grids import grid_of

UTM_33N, DEGREES, MERCATOR = (CRS.from_epsg(code) for code in (32633, 4326, 3857))


def at(crs, x, y, step, tilt=0.0):
    return grid_of(
        100, 100, crs, Affine.translation(x, y) @ Affine.rotation(tilt) @ Affine.scale(step, -step)
    )


def test_utm_keeps_its_own_metres_on_each_axis():
    grid = grid_of(100, 50, UTM_33N, Affine(10.0, 0, 500_000, 0, -20.0, 5_000_000))
    assert grid.pixel_size_m == (10.0, 20.0)
    assert grid.north_up
    west, south, east, north = grid.bounds_lonlat
    # 500,000 m east is the zone's central meridian, 5,000 km north of the equator at 45 degrees
    assert west == pytest.approx(15.0, abs=1e-6)
    assert 45.1 < south < 45.2
    _, _, metres = Geod(ellps="WGS84").inv(west, south, east, south)
    assert metres == pytest.approx(500, rel=2e-3)
    assert north > south


def test_degrees_shrink_towards_the_pole_in_x_only():
    at_equator, at_60 = at(DEGREES, 10, 0, 1e-4), at(DEGREES, 10, 60, 1e-4)
    assert at_equator.pixel_size_m == pytest.approx((11.132, 11.057), abs=0.001)
    assert at_60.pixel_size_m[0] == pytest.approx(11.132 / 2, rel=3e-3)
    assert at_60.pixel_size_m[1] == pytest.approx(11.14, abs=0.01)


def test_web_mercator_is_multiplied_by_the_cosine_of_latitude():
    y = 6378137 * math.log(math.tan(math.pi / 4 + math.radians(60) / 2))
    grid = at(MERCATOR, 0, y, 10.0)
    assert grid.pixel_size_m == pytest.approx((5.0, 5.0), rel=1e-3)


def test_a_feet_based_transverse_mercator_is_turned_into_metres():
    grid = at(CRS.from_epsg(2235), 500_000, 500_000, 10.0)  # Delaware and Maryland, US feet
    assert grid.pixel_size_m == pytest.approx((3.048, 3.048), rel=1e-3)


@pytest.mark.parametrize(("tilt", "north_up"), [(0, True), (4.5, True), (-4.5, True), (6, False)])
def test_up_is_north_within_five_degrees(tilt, north_up):
    grid = at(UTM_33N, 500_000, 5_000_000, 10.0, tilt)  # no convergence on the central meridian
    assert grid.north_up is north_up
    assert grid.pixel_size_m == pytest.approx((10.0, 10.0))


def test_a_mirrored_or_upside_down_image_is_not_north_up():
    for x_step, y_step in ((-10.0, -10.0), (10.0, 10.0)):
        grid = grid_of(10, 10, UTM_33N, Affine(x_step, 0, 500_000, 0, y_step, 5_000_000))
        assert not grid.north_up


def test_without_a_crs_or_off_the_earth_nothing_is_known():
    for grid in (at(None, 0, 0, 1.0), at(MERCATOR, 1e12, 1e12, 1.0), at(DEGREES, 10, 0, 0.0)):
        assert grid.pixel_size_m is None
        assert grid.bounds_lonlat is None
        assert not grid.north_up


@pytest.mark.parametrize(
    "crs",
    [
        'LOCAL_CS["a plan",UNIT["metre",1]]',
        "EPSG:5773",  # heights alone
        "EPSG:4978",  # x, y and z from the middle of the earth
        "IAU_2015:30100",  # the moon
    ],
)
def test_a_crs_that_is_no_map_of_the_earth_leaves_the_place_unknown(crs):
    grid = at(CRS.from_user_input(crs), 10, 10, 1e-4)
    assert (grid.height, grid.width) == (100, 100)
    assert (grid.pixel_size_m, grid.bounds_lonlat, grid.north_up) == (None, None, False)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (DEGREES, Affine(0.01, 0, 10, 0, -0.01, 90.5)),
        (DEGREES, Affine(0.01, 0, 10, 0, -0.01, 120)),
        (DEGREES, Affine(0.01, 0, 1e10, 0, -0.01, 45)),
        (UTM_33N, Affine(10, 0, 500_000, 0, -1e250, 5_000_000)),
        (UTM_33N, Affine(math.nan, 0, 500_000, 0, -10, 5_000_000)),
        (UTM_33N, Affine(2e6, 0, 500_000, 0, -10, 5_000_000)),
    ],
)
def test_a_transform_that_fits_no_image_of_the_earth_leaves_the_place_unknown(crs, transform):
    grid = grid_of(4, 4, crs, transform)
    assert grid.pixel_size_m is None
    assert grid.bounds_lonlat is None


def test_degrees_up_to_the_pole_and_past_the_date_line_have_a_place():
    for transform in (Affine(0.1, 0, 0, 0, -0.1, 90), Affine(0.1, 0, 350, 0, -0.1, 10)):
        assert grid_of(100, 100, DEGREES, transform).pixel_size_m is not None


CORNERS_42 = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [100.0, 100.0]])


@pytest.mark.parametrize(
    "vertex_2", [(190.0, 45.0), (10.0, 91.0), (math.nan, 45.0), (10.0, math.inf), (1e300, 0.0)]
)
def test_vertices_that_are_nowhere_on_earth_place_no_image(vertex_2):
    lonlat_42 = np.array([10.0, 45.0]) + CORNERS_42 * [1e-5, -1e-5]
    assert fit_georeference(CORNERS_42, lonlat_42, (100, 100)) is not None
    lonlat_42[0] = vertex_2
    assert fit_georeference(CORNERS_42, lonlat_42, (100, 100)) is None


def test_vertices_far_beyond_any_image_or_pixels_as_large_as_a_sea_place_none():
    lonlat_42 = np.array([10.0, 45.0]) + CORNERS_42 * [1e-5, -1e-5]
    assert fit_georeference(CORNERS_42 * 1e200, lonlat_42, (100, 100)) is None
    spread_42 = CORNERS_42 * [3.0, -1.5] + [-150.0, 75.0]
    assert fit_georeference(CORNERS_42 / 10, spread_42, (10, 10)) is None

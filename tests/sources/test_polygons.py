import tracemalloc
from unittest import mock

import numpy as np
import pytest
import rasterio.features
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from schemas.rejection import Reason, Refusal
from tasks.sources.polygons import draw_polygon, paint, parse_polygon, parse_polygons


def drawn(polygon, size_HW):
    ids_HW = np.zeros(size_HW, dtype=np.uint8)
    paint(ids_HW, draw_polygon(polygon, size_HW, "here"), 1)
    return ids_HW


def refusal_of(text):
    with pytest.raises(Refusal) as caught:
        parse_polygon(text, "labels/a.json: building 7")
    return caught.value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))", Reason.POLYGON_CROSSING),
        ("POLYGON EMPTY", Reason.POLYGON_EMPTY),
        ("POLYGON ((0 0, 1 1, 2 2, 0 0))", Reason.POLYGON_EMPTY),
        ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", Reason.POLYGON_KIND),
        ("POINT (1 2)", Reason.POLYGON_KIND),
        ("", Reason.POLYGON_KIND),
        ("POLYGON ((0 0 1, 1 0 1, 1 1 1, 0 0 1))", Reason.POLYGON_VERTEX),
        ("POLYGON ((0 0, 1 0, 1, 0 0))", Reason.POLYGON_VERTEX),
        ("POLYGON ((0 0, 1 0, nan 1, 0 0))", Reason.POLYGON_VERTEX),
        ("POLYGON ((0 0, 1 0, inf 1, 0 0))", Reason.POLYGON_VERTEX),
        ("POLYGON ((0 0, 1 0, 1 1))", Reason.POLYGON_VERTEX),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0", Reason.POLYGON_VERTEX),
    ],
)
def test_every_broken_polygon_has_its_reason_and_its_place(text, reason):
    refusal = refusal_of(text)
    assert refusal.reason is reason
    assert refusal.detail.startswith("labels/a.json: building 7: ")


def test_a_multipolygon_is_taken_apart_where_it_is_allowed():
    text = MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]).wkt
    assert [p.bounds for p in parse_polygons(text, "x")] == [(0, 0, 1, 1), (2, 2, 3, 3)]
    assert len(parse_polygons(box(0, 0, 1, 1).wkt, "x")) == 1


def test_a_line_is_no_polygon_even_where_several_are_allowed():
    with pytest.raises(Refusal, match="polygon_kind"):
        parse_polygons("LINESTRING (0 0, 1 1)", "x")
    with pytest.raises(Refusal, match="polygon_empty"):
        parse_polygons("MULTIPOLYGON EMPTY", "x")


def test_a_pixel_belongs_to_a_polygon_that_holds_its_centre():
    # x from 0.6 to 2.5: the centres 1.5 (inside) and 2.5 (on the right edge, not owned)
    expected = [[0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert drawn(box(0.6, 0.6, 2.5, 3.4), (4, 4)).tolist() == expected


def test_left_and_upper_edges_own_the_centres_on_them():
    assert drawn(box(0.5, 0.5, 1.5, 1.5), (3, 3)).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_a_hole_is_not_filled():
    ring = Polygon(box(0, 0, 5, 5).exterior, [box(1, 1, 4, 4).exterior])
    assert drawn(ring, (5, 5)).sum() == 25 - 9
    assert drawn(ring, (5, 5))[2, 2] == 0


def test_what_lies_outside_the_image_is_cut_off():
    assert drawn(box(-10, -10, 2, 1), (3, 3)).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert drawn(box(-10, -10, 20, 20), (3, 3)).all()


@pytest.mark.parametrize("outside", [box(5, 5, 9, 9), box(-3, 0, -1, 2), box(-1, -1, 0, 4)])
def test_a_polygon_with_no_part_in_the_image_is_refused(outside):
    with pytest.raises(Refusal, match="polygon_outside"):
        draw_polygon(outside, (4, 4), "here")


def test_a_sliver_without_a_centre_gets_one_pixel():
    assert drawn(box(2.6, 0, 2.9, 0.01), (3, 4)).tolist() == [[0, 0, 1, 0], [0] * 4, [0] * 4]
    # half of it outside: the pixel is taken from the part inside
    assert drawn(box(-5, 1.1, 0.1, 1.4), (3, 4)).tolist() == [[0] * 4, [1, 0, 0, 0], [0] * 4]


coordinate = st.floats(-10, 42, allow_nan=False, width=32)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12))
def test_drawing_agrees_with_gdal(points):
    polygon = Polygon(points).convex_hull
    if not isinstance(polygon, Polygon) or polygon.area < 1e-3:
        return
    reference_HW = rasterio.features.rasterize([polygon], (32, 32))
    if reference_HW.any():
        # a centre within rounding of an edge may fall either way
        unlike = drawn(polygon, (32, 32)) != reference_HW
        rows, columns = np.nonzero(unlike)
        for row, column in zip(rows, columns, strict=True):
            centre = box(column + 0.5, row + 0.5, column + 0.5, row + 0.5).centroid
            assert polygon.exterior.distance(centre) < 1e-6


@given(st.floats(1, 30), st.floats(1, 30), st.floats(-40, 40))
def test_polygons_that_share_an_edge_share_no_pixel_and_leave_none_between(x, y, slope):
    cut = [(x, 0.0), (x + slope / 40, 32.0)]
    left = Polygon([(0, 0), *cut, (0, 32)])
    right = Polygon([cut[0], (32, 0), (32, 32), cut[1]])
    both = drawn(left, (32, 32)).astype(int) + drawn(right, (32, 32))
    assert (both == 1).all()


@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12))
def test_drawing_in_pieces_changes_no_pixel(points):
    polygon = Polygon(points).convex_hull
    if not isinstance(polygon, Polygon) or not polygon.intersects(box(0, 0, 32, 32).buffer(-1)):
        return
    whole_HW = drawn(polygon, (32, 32))
    with mock.patch("tasks.sources.polygons._PIECE", 20):  # a row, or 20 edges, at a time
        assert np.array_equal(drawn(polygon, (32, 32)), whole_HW)


def test_a_ring_of_many_vertices_is_drawn_in_little_memory():
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    radii = 1000 + 20 * np.sin(300 * angles)
    ring = np.stack([1024 + radii * np.cos(angles), 1024 + radii * np.sin(angles)], axis=1)
    tracemalloc.start()
    window = draw_polygon(Polygon(ring), (2048, 2048), "here")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert window.mask_hw.sum() == pytest.approx(Polygon(ring).area, rel=1e-4)
    assert peak < 64 * 2**20  # edges times rows would take 40 MB for the comparison alone

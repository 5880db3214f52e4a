"""Polygons of an archive: parsed from WKT, checked, and drawn at pixel centres.

Coordinates are pixels: origin at the image's top left corner, x to the right, y down, so that the
centre of pixel (row r, column c) is (c + 0.5, r + 0.5). A pixel belongs to a polygon if its centre
lies inside; of a centre exactly on an edge, the left and upper edges own it (half-open), so that
polygons which share an edge never share a pixel. Interior rings are holes. What lies outside the
image is cut off. A polygon in the image that holds no pixel centre (a sliver at the image's edge)
gets the one pixel that holds its representative point: no object is without pixels.

This is GDAL's rule too (`rasterio.features`, pixel for pixel on joplin-tornado_00000050), but not
how xBD's own targets were drawn: the scorer's baseline truncates vertices to integers and fills
with the outline included (`mask_polygons.py` of xView2_baseline), the first-place solution rounds.
On that tile the baseline's way covers 73,442 pixels, this one 71,522; the polygons 71,451 square
pixels.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box

from schemas.rejection import Reason, Refusal

_PIECE = 2**20  # pixels, or crossings of edge and row, that are worked on at a time


@dataclass(frozen=True, slots=True)
class Window:
    """A drawn polygon: `mask_hw` is true inside it, its upper left pixel is (top, left)."""

    mask_hw: NDArray[np.bool_]
    top: int
    left: int


def parse_polygon(text: str, where: str) -> Polygon:
    """Return the one checked polygon of a WKT text.

    Args:
        text: WKT, "POLYGON ((x y, ...))".
        where: file and object, the start of a refusal's detail.

    Raises:
        Refusal: POLYGON_KIND (a MultiPolygon or no polygon), POLYGON_EMPTY (no or zero area),
            POLYGON_VERTEX (a vertex that is not two finite numbers, a ring that is not closed),
            POLYGON_CROSSING.
    """
    geometry = _parse(text, where)
    if not isinstance(geometry, Polygon):
        raise Refusal(Reason.POLYGON_KIND, f"{where}: {geometry.geom_type}, expected POLYGON")
    return _checked(geometry, where)


def parse_polygons(text: str, where: str) -> tuple[Polygon, ...]:
    """Return the checked polygons of a WKT POLYGON or MULTIPOLYGON, in order.

    Raises:
        Refusal: as `parse_polygon`, POLYGON_KIND only for what is neither of the two.
    """
    geometry = _parse(text, where)
    if isinstance(geometry, MultiPolygon) and not geometry.is_empty:
        return tuple(_checked(part, where) for part in geometry.geoms)
    if isinstance(geometry, Polygon | MultiPolygon):
        return (_checked(geometry, where),)
    raise Refusal(
        Reason.POLYGON_KIND, f"{where}: {geometry.geom_type}, expected POLYGON or MULTIPOLYGON"
    )


def draw_polygon(polygon: Polygon, size_HW: tuple[int, int], where: str) -> Window:
    """Return the pixels of an (H, W) image whose centres lie in a polygon, at least one of them.

    Args:
        polygon: valid, in pixel coordinates.
        size_HW: height and width of the image in pixels.
        where: file and object, the start of a refusal's detail.

    Raises:
        Refusal: POLYGON_OUTSIDE if no part of the polygon lies in the image.
    """
    height, width = size_HW
    x_min, y_min, x_max, y_max = polygon.bounds
    visible = polygon
    if x_min < 0 or y_min < 0 or x_max > width or y_max > height:
        visible = polygon.intersection(box(0, 0, width, height))
        if visible.area == 0:
            raise Refusal(
                Reason.POLYGON_OUTSIDE,
                f"{where}: bounds {polygon.bounds}, expected inside {width} x {height} pixels",
            )
    left, right = _centres_between(x_min, x_max, width)
    top, bottom = _centres_between(y_min, y_max, height)
    mask_hw = _fill(_edges(polygon), top, bottom, left, right)
    if mask_hw.any():
        return Window(mask_hw, top, left)
    point = visible.representative_point()
    return Window(
        np.ones((1, 1), dtype=np.bool_), min(int(point.y), height - 1), min(int(point.x), width - 1)
    )


def paint(ids_HW: NDArray[np.uint8], window: Window, value: int) -> None:
    """Write `value` into the pixels of a drawn polygon, in place."""
    height, width = window.mask_hw.shape
    part = ids_HW[window.top : window.top + height, window.left : window.left + width]
    part[window.mask_hw] = value


def _parse(text: str, where: str) -> shapely.Geometry:
    if not text.lstrip()[:12].upper().startswith(("POLYGON", "MULTIPOLYGON")):
        raise Refusal(Reason.POLYGON_KIND, f"{where}: {text[:40]!r}, expected a WKT POLYGON")
    try:
        with np.errstate(invalid="ignore"):  # a vertex that is NaN is refused with its reason
            return shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise Refusal(Reason.POLYGON_VERTEX, f"{where}: {text[:40]!r}, {error}") from error


def _checked(polygon: Polygon, where: str) -> Polygon:
    if polygon.is_empty:
        raise Refusal(Reason.POLYGON_EMPTY, f"{where}: a polygon without vertices")
    if polygon.has_z or polygon.has_m:
        raise Refusal(
            Reason.POLYGON_VERTEX, f"{where}: more than two numbers a vertex, expected x y"
        )
    if not np.isfinite(shapely.get_coordinates(polygon)).all():
        raise Refusal(Reason.POLYGON_VERTEX, f"{where}: a vertex that is not finite")
    if polygon.area == 0 and polygon.convex_hull.area == 0:
        raise Refusal(Reason.POLYGON_EMPTY, f"{where}: a polygon of zero area")
    if not polygon.is_valid:
        reason = shapely.is_valid_reason(polygon)
        raise Refusal(Reason.POLYGON_CROSSING, f"{where}: {reason}, expected simple rings")
    return polygon


def _centres_between(low: float, high: float, size: int) -> tuple[int, int]:
    first, last = np.clip(np.ceil([low - 0.5, high - 0.5]), 0, size)
    return int(first), int(last)


def _edges(polygon: Polygon) -> NDArray[np.float64]:
    """Return every ring's edges as rows (x, y, x, y) with the smaller y first.

    An edge has one direction, whichever polygon it belongs to: neighbours round alike.
    """
    rings = [np.asarray(ring.coords) for ring in (polygon.exterior, *polygon.interiors)]
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])
    upside_down = edges[:, 1] > edges[:, 3]
    edges[upside_down] = edges[upside_down][:, [2, 3, 0, 1]]
    return edges


def _fill(
    edges: NDArray[np.float64], top: int, bottom: int, left: int, right: int
) -> NDArray[np.bool_]:
    """Return the even-odd fill of rows top..bottom and columns left..right at pixel centres.

    Rows and edges are taken a piece at a time, so that memory follows the size of the window,
    whatever the number of vertices.
    """
    height, width = bottom - top, right - left
    inside_hw = np.zeros((height, width), dtype=np.bool_)
    y_centres = np.arange(top, bottom, dtype=np.float64) + 0.5
    # an edge crosses the rows from `first` up to and without `last`
    first, last = np.searchsorted(y_centres, edges[:, 1]), np.searchsorted(y_centres, edges[:, 3])
    num_rows = max(1, _PIECE // (width + 1))
    for start in range(0, height, num_rows):
        stop = min(start + num_rows, height)
        here = (first < stop) & (last > start)
        odd_hw = _odd_crossings(
            edges[here],
            np.maximum(first[here], start) - start,
            np.minimum(last[here], stop) - start,
            y_centres[start:stop],
            left,
            width,
        )
        # the sum may wrap at 256: whether it is odd stays right
        inside_hw[start:stop] = np.cumsum(odd_hw, axis=1, dtype=np.uint8)[:, :width] & 1
    return inside_hw


def _odd_crossings(
    edges: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    y_centres: NDArray[np.float64],
    left: int,
    width: int,
) -> NDArray[np.uint8]:
    """Return 1 where an odd number of edges has a pixel centre as the first one right of it.

    The last of the `width` + 1 columns holds the edges that have none.
    """
    height = len(y_centres)
    odd = np.zeros(height * (width + 1), dtype=np.uint8)
    num_edges = max(1, _PIECE // height)
    for start in range(0, len(edges), num_edges):
        piece = slice(start, start + num_edges)
        counts = last[piece] - first[piece]
        edge = np.repeat(np.arange(start, start + len(counts)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        x_upper, y_upper, x_lower, y_lower = edges[edge].T
        along = (y_centres[row] - y_upper) / (y_lower - y_upper)
        x = x_upper + along * (x_lower - x_upper)
        column = np.clip(np.ceil(x - 0.5) - left, 0, width).astype(np.int64)
        flips = np.bincount(row * (width + 1) + column, minlength=len(odd))
        odd ^= (flips & 1).astype(np.uint8)
    return odd.reshape(height, width + 1)

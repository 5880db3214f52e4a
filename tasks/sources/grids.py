"""From a raster's transform and CRS to metres a pixel, WGS84 bounds and where north is."""

import math
from functools import lru_cache

from affine import Affine
from pyproj import CRS as ProjCRS
from pyproj import Geod, Transformer
from pyproj.exceptions import ProjError
from rasterio.crs import CRS

from schemas.rejection import Reason, Refusal
from schemas.scene import Grid
from tasks.sources.rasters import Raster

NORTH_UP_DEGREES = 5.0  # more tilt than this and compass words would mislead
GRID_TOLERANCE_PX = 0.01  # two grids are one where all corners agree this well: rounding only
MAX_PIXEL_M = 1e6  # no image of the earth comes near it; a transform beyond it is broken
MAX_LONGITUDE, MAX_LATITUDE = 360.0 + 1e-6, 90.0 + 1e-6  # some count 0..360; edges are rounded
_WGS84 = Geod(ellps="WGS84")


def grid_of(height: int, width: int, crs: CRS | ProjCRS | None, transform: Affine) -> Grid:
    """Return the grid of a raster of `height` x `width` pixels.

    UTM and other projections measured in metres keep their own metres, Web Mercator is multiplied
    by cos(latitude) of the scene's centre, degrees are measured on the ellipsoid there. Without a
    CRS, with one that is not of places on the earth (an engineering, vertical or planetary one), or
    with a transform that leaves the earth, size and bounds are None and up is not north.
    """
    try:
        placed = None if crs is None else _place(height, width, _to_wkt(crs), transform)
    except ProjError:
        placed = None
    if placed is None:
        return Grid(
            height=height, width=width, pixel_size_m=None, bounds_lonlat=None, north_up=False
        )
    return placed


def refuse_other_grid(raster: Raster, name: str, reference: Raster, reference_name: str) -> None:
    """Raise SIZE_MISMATCH or CRS_MISMATCH unless two rasters lie on one grid."""
    if raster.values_HW.shape != reference.values_HW.shape:
        raise Refusal(
            Reason.SIZE_MISMATCH,
            f"{name}: {raster.width} x {raster.height} px; expected {reference.width} x "
            f"{reference.height} as {reference_name}",
        )
    if raster.crs != reference.crs:
        raise Refusal(
            Reason.CRS_MISMATCH,
            f"{name}: {raster.crs}; expected {reference.crs} as {reference_name}",
        )
    a, _, _, _, e, _ = reference.transform[:6]
    tolerance = GRID_TOLERANCE_PX * max(abs(a), abs(e))
    apart = max(abs(x - y) for x, y in zip(raster.bounds, reference.bounds, strict=True))
    if not apart <= tolerance:
        raise Refusal(
            Reason.CRS_MISMATCH,
            f"{name}: bounds {raster.bounds}; expected {reference.bounds} as {reference_name}",
        )


def _to_wkt(crs: CRS | ProjCRS) -> str:
    return str(crs.to_wkt())


def _place(height: int, width: int, wkt: str, transform: Affine) -> Grid | None:
    to_lonlat = _to_lonlat(wkt)
    column, row = width / 2, height / 2
    # centre, one pixel right of it, one pixel above it
    xs, ys = zip(
        *(transform @ point for point in ((column, row), (column + 1, row), (column, row - 1))),
        strict=True,
    )
    lons, lats = to_lonlat.transform(xs, ys)
    corners = [transform @ (c, r) for c in (0, width) for r in (0, height)]
    corner_xs, corner_ys = zip(*corners, strict=True)
    bounds = to_lonlat.transform_bounds(
        min(corner_xs), min(corner_ys), max(corner_xs), max(corner_ys), densify_pts=5
    )
    if not _on_earth((*lons, bounds[0], bounds[2]), (*lats, bounds[1], bounds[3])):
        return None
    azimuths, _, metres = _WGS84.inv([lons[0]] * 2, [lats[0]] * 2, lons[1:], lats[1:])
    pixel_size_m = _metres(wkt, transform, lats[0], (metres[0], metres[1]))
    if not all(0 < size < MAX_PIXEL_M for size in (*metres, *pixel_size_m)):
        return None
    return Grid(
        height=height,
        width=width,
        pixel_size_m=pixel_size_m,
        bounds_lonlat=bounds,
        north_up=_near(azimuths[0], 90.0) and _near(azimuths[1], 0.0),
    )


def _on_earth(longitudes: tuple[float, ...], latitudes: tuple[float, ...]) -> bool:
    # NaN and infinity are within no limit
    return all(abs(longitude) <= MAX_LONGITUDE for longitude in longitudes) and all(
        abs(latitude) <= MAX_LATITUDE for latitude in latitudes
    )


def _metres(
    wkt: str, transform: Affine, latitude: float, geodesic: tuple[float, float]
) -> tuple[float, float]:
    kind, unit_m = _kind_of(wkt)
    if kind == "geodesic":
        return geodesic
    factor = math.cos(math.radians(latitude)) if kind == "web_mercator" else 1.0
    a, b, _, d, e, _ = transform[:6]
    return (math.hypot(a, d) * unit_m * factor, math.hypot(b, e) * unit_m * factor)


def _near(azimuth: float, due: float) -> bool:
    return abs((azimuth - due + 180.0) % 360.0 - 180.0) <= NORTH_UP_DEGREES


@lru_cache(maxsize=256)
def _to_lonlat(wkt: str) -> Transformer:
    return Transformer.from_crs(wkt, "EPSG:4326", always_xy=True)


@lru_cache(maxsize=256)
def _kind_of(wkt: str) -> tuple[str, float]:
    """Return how a CRS is measured, and metres in its unit.

    Raises:
        ProjError: for a CRS whose two axes are no place on the earth.
    """
    crs = ProjCRS.from_wkt(wkt)
    if not crs.is_projected and not crs.is_geographic:
        raise ProjError(f"{crs.type_name}: expected a projected or a geographic one")
    if crs.to_epsg() == 3857:
        return "web_mercator", 1.0
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    if crs.is_projected and method == "Transverse Mercator":
        return "own_metres", crs.axis_info[0].unit_conversion_factor
    # degrees, and projections whose scale may differ from 1 by much: ask the ellipsoid
    return "geodesic", 1.0

"""Vector files of your own dataset: opened where they are what they are called, in one CRS."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS as ProjCRS
from pyproj.exceptions import ProjError
from rasterio.crs import CRS
from shapely.errors import ShapelyError

from schemas.rejection import Reason, Refusal
from tasks.sources.image_files import refuse_foreign
from tasks.sources.own_config import CRS_NAME
from tasks.sources.safe_files import MAX_FILE_BYTES, Archive

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

# the only vector formats that are opened, each by its first bytes
SIGNATURES = {
    ".gpkg": b"SQLite format 3\0",
    ".fgb": b"fgb\x03",
    ".geojson": b"{",
    ".shp": b"\x00\x00\x27\x0a",
}
_SHAPEFILE_PARTS = (".shx", ".dbf", ".prj")
# GDAL's own network access goes to a port where nothing listens
_OFFLINE = {
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "GDAL_HTTPS_PROXY": "127.0.0.1:9",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
}
# what broken files were seen to raise beyond pyogrio's own errors: IndexError (FlatGeobuf),
# UnboundLocalError (a CRS without a WKT), ValueError (dates, text that is not UTF-8)
_READ_ERRORS = (
    ShapelyError,
    IndexError,
    MemoryError,
    OverflowError,
    UnboundLocalError,
    ValueError,
)


def read_polygons(archive: Archive, name: str, table: str, crs: CRS) -> "GeoDataFrame":
    """Return the features of a vector file in a CRS, every one with a geometry.

    Args:
        archive: where the file lies.
        name: the file; its ending says which of `SIGNATURES` it is.
        table: the layer inside the file, "" for its only one.
        crs: of the image that the features are drawn on.

    Raises:
        Refusal: EXTERNAL_REFERENCE for another format, or a GeoJSON whose CRS is no plain name;
            CRS_MISMATCH without a CRS, or with one that does not lead to the image's;
            POLYGON_EMPTY for a feature without a geometry, POLYGON_VERTEX for one with a vertex
            that is not finite, UNREADABLE_FILE, and the reasons of `Archive`.
    """
    path = _checked_path(archive, name)
    status = path.stat()
    features = _in_crs(path, name, status.st_size, status.st_mtime_ns, table, crs.to_wkt())
    if isinstance(features, Refusal):
        raise Refusal(features.reason, features.detail)
    return features


def _checked_path(archive: Archive, name: str) -> Path:
    ending = Path(name).suffix.lower()
    if ending not in SIGNATURES:
        raise Refusal(
            Reason.EXTERNAL_REFERENCE, f"{name}: expected one of {', '.join(sorted(SIGNATURES))}"
        )
    # a GeoJSON is parsed whole, so no larger than any label file
    path, content = archive.resolve_large(name, MAX_FILE_BYTES if ending == ".geojson" else None)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(SIGNATURES[ending]):
        raise refuse_foreign(content, name, f"a {ending} file")
    if ending == ".shp":
        for part in _SHAPEFILE_PARTS:
            archive.resolve_large(str(Path(name).with_suffix(part)))
    return path


@lru_cache(maxsize=8)
def _in_crs(
    path: Path, name: str, size: int, mtime_ns: int, table: str, wkt: str
) -> "GeoDataFrame | Refusal":
    # one file of footprints serves many scenes: read and projected, or refused, once a process
    try:
        if Path(name).suffix.lower() == ".geojson":
            _refuse_references(path, name)
        frame = _read(path, name, table)
        _refuse_geometries(frame, name)
        target = ProjCRS.from_wkt(wkt)
        if frame.crs != target and not (_on_earth(frame.crs) and _on_earth(target)):
            raise ProjError(f"{frame.crs.name} does not lead to {target.name}")
        return frame.to_crs(target)
    except ProjError as error:
        return Refusal(
            Reason.CRS_MISMATCH, f"{name}: {error}; expected the image's CRS, or a map's"
        )
    except ShapelyError as error:
        return Refusal(Reason.POLYGON_VERTEX, f"{name}: {error}; expected to be in the image's CRS")
    except Refusal as refusal:
        return refusal


def _on_earth(crs: ProjCRS) -> bool:
    # not an engineering plan, not heights alone
    return bool(crs.is_projected or crs.is_geographic)


def _read(path: Path, name: str, table: str) -> "GeoDataFrame":
    import geopandas as gpd  # with pandas half a second that other archives can spare
    import pyogrio
    from pyogrio import errors

    own_errors = (
        errors.DataSourceError,
        errors.DataLayerError,
        errors.FeatureError,
        errors.FieldError,
        errors.GeometryError,
    )
    pyogrio.set_gdal_config_options(_OFFLINE)
    try:
        with np.errstate(invalid="ignore"):  # a vertex that is NaN is refused with its reason
            frame = gpd.read_file(path, layer=table or None)
        # a FlatGeobuf cut within its index reads as one without features; -1 is an unknown number
        due = pyogrio.read_info(path)["features"] if Path(name).suffix.lower() == ".fgb" else -1
    except (*own_errors, *_READ_ERRORS) as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error}") from error
    if len(frame) < due:
        raise Refusal(
            Reason.UNREADABLE_FILE, f"{name}: {len(frame)} features; its header says {due}"
        )
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: no geometry, or no CRS; polygons need one")
    return frame


def _refuse_geometries(frame: "GeoDataFrame", name: str) -> None:
    shapes = frame.geometry.to_numpy()
    missing = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if len(missing):
        raise Refusal(
            Reason.POLYGON_EMPTY,
            f"{name} feature {missing[0]}: no geometry that can be read, as {len(missing)} of "
            f"{len(shapes)}; expected a polygon",
        )
    points_N2, row_N = shapely.get_coordinates(shapes, return_index=True)
    broken = row_N[~np.isfinite(points_N2).all(axis=1)]
    if len(broken):
        raise Refusal(
            Reason.POLYGON_VERTEX, f"{name} feature {broken[0]}: a vertex that is not finite"
        )


def _refuse_references(path: Path, name: str) -> None:
    """Refuse a GeoJSON with a CRS, anywhere in it, that is not given by a registry's name.

    GDAL fetches a CRS of type "link" or "url", takes its key in any case, also in a geometry, and
    of a key that stands twice either value.
    """

    def checked(pairs: list[tuple[str, object]]) -> dict[str, object]:
        for key, value in pairs:
            if key.lower() == "crs" and isinstance(value, dict) and not _is_named_crs(value):
                raise Refusal(
                    Reason.EXTERNAL_REFERENCE,
                    f"{name}: crs {str(value)[:100]}; expected type name, and a name such as "
                    "EPSG:32633 or urn:ogc:def:crs:OGC:1.3:CRS84",
                )
        return dict(pairs)

    try:
        json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=checked)
    except (ValueError, RecursionError) as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: not JSON: {error}") from error
    except OSError as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error


def _is_named_crs(crs: dict[str, object]) -> bool:
    properties = crs.get("properties")
    if crs.keys() != {"type", "properties"} or crs["type"] != "name":
        return False
    if not isinstance(properties, dict) or properties.keys() != {"name"}:
        return False
    return isinstance(properties["name"], str) and bool(CRS_NAME.fullmatch(properties["name"]))

"""Polygons of your own dataset: read in any CRS, drawn on the image's grid."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.crs import CRS
from rasterio.features import rasterize
from shapely import MultiPolygon, Polygon

from masks.rle import encode_window
from schemas.rejection import Reason, Refusal
from schemas.scene import BACKGROUND_ID, INVALID_ID, Instance
from tasks.sources.image_files import refuse_foreign
from tasks.sources.own_config import Code, LabelFiles
from tasks.sources.own_labels import checked_id, id_of_code
from tasks.sources.polygons import Window, draw_polygon, paint
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive

# the only vector formats that are opened, each by its first bytes: none can point elsewhere
SIGNATURES = {
    ".gpkg": b"SQLite format 3\0",
    ".fgb": b"fgb\x03",
    ".geojson": b"{",
    ".shp": b"\x00\x00\x27\x0a",
}
_SHAPEFILE_PARTS = (".shx", ".dbf", ".prj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One polygon that lies in the image, in pixel coordinates, with its id in the layer."""

    name: str
    class_id: int
    shape: Polygon | MultiPolygon


def read_features(
    archive: Archive, name: str, layer: LabelFiles, image: Raster
) -> tuple[Feature, ...]:
    """Return the polygons that share area with the image, in the order of the file.

    Raises:
        Refusal: CRS_MISMATCH where the file or the image has no CRS, POLYGON_KIND,
            POLYGON_CROSSING, UNKNOWN_LABEL_CODE, MISSING_METADATA (no such column), and the
            reasons of `Archive`.
    """
    path = _checked_path(archive, name)
    if image.crs is None:
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: the image has no CRS; polygons need one")
    status = path.stat()
    table = _in_crs(path, name, status.st_size, status.st_mtime_ns, layer.table, image.crs.to_wkt())
    for column in filter(None, (layer.column, layer.id_column)):
        if column not in table.columns:
            raise Refusal(
                Reason.MISSING_METADATA,
                f"{name}: no column {column!r}; expected one of {', '.join(table.columns)}",
            )
    ids = id_of_code(layer)
    return tuple(
        Feature(
            name=str(table[layer.id_column].iloc[row]) if layer.id_column else str(row),
            class_id=checked_id(ids, _code(table, layer, row), f"{name} feature {row}"),
            shape=shape,
        )
        for row, shape in _visible(table, name, image)
    )


def draw_layer(
    features: tuple[Feature, ...], layer: LabelFiles, size_HW: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the ids of a layer: a pixel belongs to the polygon that holds its centre.

    Where polygons overlap, the later one of the file lies on top. Objects are drawn as
    `draw_objects` draws them, so that the layer is their union.
    """
    uncovered = BACKGROUND_ID if layer.uncovered == "background" else INVALID_ID
    ids_HW = np.full(size_HW, uncovered, dtype=np.uint8)
    if layer.objects:
        for feature in features:
            for window in _windows(feature, size_HW):
                paint(ids_HW, window, feature.class_id)
    elif features:
        shapes = [(feature.shape, feature.class_id) for feature in features]
        rasterize(shapes, out=ids_HW, transform=Affine.identity())
    return ids_HW


def draw_objects(
    features: tuple[Feature, ...],
    layer: LabelFiles,
    size_HW: tuple[int, int],
    date_index: int,
) -> tuple[Instance, ...]:
    """Return each polygon of a class as an object of at least one pixel.

    Ignored and background polygons are none.
    """
    return tuple(
        Instance(
            instance_id=feature.name,
            layer=layer.name,
            label=layer.classes[feature.class_id].name,
            date_index=date_index,
            attribute="",
            counts=_counts(_windows(feature, size_HW), size_HW),
        )
        for feature in features
        if feature.class_id < len(layer.classes)
    )


def _windows(feature: Feature, size_HW: tuple[int, int]) -> tuple[Window, ...]:
    frame = shapely.box(0, 0, size_HW[1], size_HW[0])
    return tuple(
        draw_polygon(part, size_HW, feature.name)
        for part in _polygons(feature.shape)
        if part.intersection(frame).area > 0
    )


def _polygons(shape: Polygon | MultiPolygon) -> tuple[Polygon, ...]:
    return tuple(shape.geoms) if isinstance(shape, MultiPolygon) else (shape,)


def _counts(parts: tuple[Window, ...], size_HW: tuple[int, int]) -> bytes:
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    bottom = max(part.top + part.mask_hw.shape[0] for part in parts)
    right = max(part.left + part.mask_hw.shape[1] for part in parts)
    mask_hw = np.zeros((bottom - top, right - left), dtype=np.bool_)
    for part in parts:
        height, width = part.mask_hw.shape
        row, column = part.top - top, part.left - left
        mask_hw[row : row + height, column : column + width] |= part.mask_hw
    return encode_window(mask_hw, top, left, size_HW)


def _checked_path(archive: Archive, name: str) -> Path:
    ending = Path(name).suffix.lower()
    if ending not in SIGNATURES:
        raise Refusal(
            Reason.EXTERNAL_REFERENCE, f"{name}: expected one of {', '.join(sorted(SIGNATURES))}"
        )
    content = archive.read_bytes(name)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(SIGNATURES[ending]):
        raise refuse_foreign(content, name, f"a {ending} file")
    if ending == ".shp":
        for part in _SHAPEFILE_PARTS:
            archive.read_bytes(str(Path(name).with_suffix(part)))
    return archive.resolve(name)


@lru_cache(maxsize=8)
def _in_crs(
    path: Path, name: str, size: int, mtime_ns: int, table: str, wkt: str
) -> gpd.GeoDataFrame:
    # one file of footprints serves many scenes: read and projected once a process
    try:
        frame = gpd.read_file(path, layer=table) if table else gpd.read_file(path)
    except (DataSourceError, DataLayerError) as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error}") from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: no geometry, or no CRS; polygons need one")
    return frame.to_crs(CRS.from_wkt(wkt))


def _visible(
    table: gpd.GeoDataFrame, name: str, image: Raster
) -> Iterator[tuple[int, Polygon | MultiPolygon]]:
    """Yield row and shape, in pixel coordinates, of every feature that shares area with the image.

    Heights are left out. A polygon that is not simple has no known inside and refuses the scene.
    """
    frame = shapely.box(0, 0, image.width, image.height)
    outline = _mapped(np.array([frame]), image.transform)[0]
    rows = np.sort(table.sindex.query(shapely.box(*outline.bounds)))
    shapes = shapely.force_2d(table.geometry.to_numpy()[rows])
    for row, shape in zip(rows.tolist(), _mapped(shapes, ~image.transform), strict=True):
        where = f"{name} feature {row}"
        if not isinstance(shape, Polygon | MultiPolygon):
            raise Refusal(Reason.POLYGON_KIND, f"{where}: {shape.geom_type}; expected polygons")
        if not shape.is_valid:
            raise Refusal(Reason.POLYGON_CROSSING, f"{where}: {shapely.is_valid_reason(shape)}")
        if shape.intersection(frame).area > 0:
            yield row, shape


def _mapped(shapes_N: NDArray[Any], transform: Affine) -> NDArray[Any]:
    a, b, c, d, e, f = transform[:6]

    def map_points(points_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        x_N, y_N = points_N2.T
        return np.stack([a * x_N + b * y_N + c, d * x_N + e * y_N + f], axis=1)

    mapped: NDArray[Any] = shapely.transform(shapes_N, map_points)
    return mapped


def _code(table: gpd.GeoDataFrame, layer: LabelFiles, row: int) -> Code:
    if not layer.column:
        return layer.classes[0].code
    value = table[layer.column].iloc[row]
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() else str(value)

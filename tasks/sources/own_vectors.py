"""Polygons of your own dataset: read in any CRS, drawn on the image's grid."""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import MultiPolygon, Polygon
from shapely.errors import ShapelyError

from masks.rle import encode_window
from schemas.rejection import Reason, Refusal
from schemas.scene import BACKGROUND_ID, INVALID_ID, Instance
from tasks.sources.own_config import Code, LabelFiles
from tasks.sources.own_labels import checked_id, id_of_code
from tasks.sources.own_vector_files import read_polygons
from tasks.sources.polygons import Window, draw_polygon, paint
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


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
        Refusal: CRS_MISMATCH where the image has no CRS, or a transform that leads nowhere;
            POLYGON_KIND, POLYGON_CROSSING, POLYGON_VERTEX, UNKNOWN_LABEL_CODE; MISSING_METADATA
            (no such column, or no name in it), DUPLICATE_ID (a name twice), and the reasons of
            `read_polygons`.
    """
    if image.crs is None:
        raise Refusal(Reason.CRS_MISMATCH, f"{name}: the image has no CRS; polygons need one")
    table = read_polygons(archive, name, layer.table, image.crs)
    for column in filter(None, (layer.column, layer.id_column)):
        if column not in table.columns:
            raise Refusal(
                Reason.MISSING_METADATA,
                f"{name}: no column {column!r}; expected one of {', '.join(table.columns)}",
            )
    visible = list(_visible(table, name, image))
    names = _names(table, layer, [row for row, _ in visible], name)
    ids = id_of_code(layer)
    return tuple(
        Feature(
            name=feature_name,
            class_id=checked_id(ids, _code(table, layer, row, name), f"{name} feature {row}"),
            shape=shape,
        )
        for feature_name, (row, shape) in zip(names, visible, strict=True)
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


def _names(table: "GeoDataFrame", layer: LabelFiles, rows: list[int], name: str) -> list[str]:
    """Return what names the features of some rows: a column, else the number of the row."""
    if not layer.id_column:
        return [str(row) for row in rows]
    column = table[layer.id_column].iloc[rows]
    unnamed = [row for row, is_null in zip(rows, column.isna(), strict=True) if is_null]
    if unnamed:
        raise Refusal(
            Reason.MISSING_METADATA,
            f"{name} feature {unnamed[0]}: no value of {layer.id_column!r}; expected its name",
        )
    names = [str(value) for value in column]
    row_of: dict[str, int] = {}
    for row, feature_name in zip(rows, names, strict=True):
        if feature_name in row_of:
            raise Refusal(
                Reason.DUPLICATE_ID,
                f"{name} feature {row}: {layer.id_column} {feature_name!r} as feature "
                f"{row_of[feature_name]}; expected one name each",
            )
        row_of[feature_name] = row
    return names


def _visible(
    table: "GeoDataFrame", name: str, image: Raster
) -> Iterator[tuple[int, Polygon | MultiPolygon]]:
    """Yield row and shape, in pixel coordinates, of every feature that shares area with the image.

    Heights are left out. A polygon that is not simple has no known inside and refuses the scene.
    """
    to_pixels = _to_pixels(image, name)
    frame = shapely.box(0, 0, image.width, image.height)
    outline = _mapped(np.array([frame]), image.transform)[0]
    rows = np.sort(table.sindex.query(shapely.box(*outline.bounds)))
    shapes = shapely.force_2d(table.geometry.to_numpy()[rows])
    _refuse_shapes(shapes, rows, name)
    try:
        for row, shape in zip(rows.tolist(), _mapped(shapes, to_pixels), strict=True):
            if not shape.is_valid:
                raise Refusal(
                    Reason.POLYGON_CROSSING,
                    f"{name} feature {row}: {shapely.is_valid_reason(shape)}",
                )
            if shape.intersection(frame).area > 0:
                yield row, shape
    except ShapelyError as error:  # coordinates that overflow
        raise Refusal(Reason.POLYGON_VERTEX, f"{name}: {error}") from error


def _refuse_shapes(shapes_N: NDArray[Any], rows_N: NDArray[np.int64], name: str) -> None:
    for row, shape in zip(rows_N.tolist(), shapes_N, strict=True):
        if not isinstance(shape, Polygon | MultiPolygon):
            raise Refusal(
                Reason.POLYGON_KIND, f"{name} feature {row}: {shape.geom_type}; expected polygons"
            )
    points_M2, number_M = shapely.get_coordinates(shapes_N, return_index=True)
    broken_M = number_M[~np.isfinite(points_M2).all(axis=1)]
    if len(broken_M):
        raise Refusal(
            Reason.POLYGON_VERTEX,
            f"{name} feature {rows_N[broken_M[0]]}: a vertex without a place in the image's CRS",
        )


def _to_pixels(image: Raster, name: str) -> Affine:
    area = image.transform.determinant
    if not np.isfinite(area) or area == 0:
        raise Refusal(
            Reason.CRS_MISMATCH,
            f"{name}: the image's transform {tuple(image.transform)[:6]} has pixels without area; "
            "polygons need a place",
        )
    inverse: Affine = ~image.transform
    return inverse


def _mapped(shapes_N: NDArray[Any], transform: Affine) -> NDArray[Any]:
    a, b, c, d, e, f = transform[:6]

    def map_points(points_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        x_N, y_N = points_N2.T
        return np.stack([a * x_N + b * y_N + c, d * x_N + e * y_N + f], axis=1)

    mapped: NDArray[Any] = shapely.transform(shapes_N, map_points)
    return mapped


def _code(table: "GeoDataFrame", layer: LabelFiles, row: int, name: str) -> Code:
    if not layer.column:
        return layer.classes[0].code
    value = table[layer.column].iloc[row]
    if isinstance(value, str):
        return value
    if not isinstance(value, Real | np.bool_):  # null, a date, a list
        raise Refusal(
            Reason.UNKNOWN_LABEL_CODE,
            f"{name} feature {row}: {type(value).__name__} {str(value)[:60]} in {layer.column!r}; "
            "expected a number or a text",
        )
    number = float(value)
    return int(number) if number.is_integer() else str(value)

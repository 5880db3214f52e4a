"""One label JSON of xBD: the buildings of a tile at one date, their damage, and where they lie."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from schemas.rejection import Reason, Refusal
from schemas.taxonomy import XBD_DAMAGE, XBD_UNCLASSIFIED
from tasks.sources.affine_fit import Georeference, fit_georeference
from tasks.sources.json_fields import as_count, as_list, as_object, as_text, due
from tasks.sources.polygons import parse_polygon

SUBTYPES = (*XBD_DAMAGE.names, XBD_UNCLASSIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building at one date. `subtype` is its damage level after the event, "" before it."""

    uid: str
    subtype: str
    polygon: Polygon


@dataclass(frozen=True, slots=True, kw_only=True)
class TileLabel:
    """What one JSON says. `xy_N2` and `lonlat_N2` are the vertices that both its lists hold."""

    date: str
    size_HW: tuple[int, int]
    buildings: tuple[Building, ...]
    xy_N2: NDArray[np.float64]
    lonlat_N2: NDArray[np.float64]


def read_label(value: object, name: str, *, after_event: bool) -> TileLabel:
    """Return the label of one date.

    `xy` is what counts. `lng_lat` only places the tile: a building that it lacks, or gives another
    number of vertices, takes no part in the fit and is no fault.

    Args:
        value: the file's parsed JSON.
        name: the file's path, named in refusals.
        after_event: whether buildings carry a damage level (`subtype`), as they do after the event.

    Raises:
        Refusal: MISSING_METADATA, WRONG_TYPE, BAD_DATE, DUPLICATE_ID (a uid
            twice), UNKNOWN_VALUE (a feature that is no building, an unknown damage level), and
            the polygon reasons of `parse_polygon`.
    """
    label = as_object(value, name)
    metadata = as_object(due(label, "metadata", name), f"{name}: metadata")
    features = as_object(due(label, "features", name), f"{name}: features")
    buildings = _buildings(due(features, "xy", name), name, after_event)
    xy_N2, lonlat_N2 = _joined(buildings, _lonlat_by_uid(due(features, "lng_lat", name), name))
    width = as_count(due(metadata, "width", name), f"{name}: metadata.width")
    height = as_count(due(metadata, "height", name), f"{name}: metadata.height")
    return TileLabel(
        date=_date(due(metadata, "capture_date", name), name),
        size_HW=(height, width),
        buildings=buildings,
        xy_N2=xy_N2,
        lonlat_N2=lonlat_N2,
    )


def fit_labels(*labels: TileLabel) -> Georeference | None:
    """Return the place of a tile from the vertices of all its dates, which share one grid.

    None without buildings, and where pixels and degrees disagree (affine_fit): the polygons are
    still true, but no length or area in metres may be asked.
    """
    xy_N2 = np.concatenate([label.xy_N2 for label in labels])
    lonlat_N2 = np.concatenate([label.lonlat_N2 for label in labels])
    return fit_georeference(xy_N2, lonlat_N2, labels[0].size_HW)


def _buildings(value: object, name: str, after_event: bool) -> tuple[Building, ...]:
    by_uid: dict[str, Building] = {}
    for number, item in enumerate(as_list(value, f"{name}: features.xy")):
        uid, properties, wkt = _feature(item, f"{name}: features.xy[{number}]")
        where = f"{name}: building {uid}"
        if uid in by_uid:
            raise Refusal(Reason.DUPLICATE_ID, f"{where}: twice in features.xy")
        kind = properties.get("feature_type")
        if kind != "building":
            raise Refusal(Reason.UNKNOWN_VALUE, f"{where}: feature_type {kind!r}, not 'building'")
        subtype = _damage(properties.get("subtype"), where) if after_event else ""
        by_uid[uid] = Building(uid=uid, subtype=subtype, polygon=parse_polygon(wkt, where))
    return tuple(by_uid.values())


def _damage(value: object, where: str) -> str:
    if not isinstance(value, str) or value not in SUBTYPES:
        raise Refusal(
            Reason.UNKNOWN_VALUE,
            f"{where}: subtype {value!r}, expected one of {', '.join(SUBTYPES)}",
        )
    return value


def _lonlat_by_uid(value: object, name: str) -> dict[str, NDArray[np.float64]]:
    found = {}
    for number, item in enumerate(as_list(value, f"{name}: features.lng_lat")):
        uid, _, wkt = _feature(item, f"{name}: features.lng_lat[{number}]")
        polygon = parse_polygon(wkt, f"{name}: building {uid} in features.lng_lat")
        found[uid] = shapely.get_coordinates(polygon)
    return found


def _feature(item: object, where: str) -> tuple[str, dict[str, object], str]:
    feature = as_object(item, where)
    properties = as_object(due(feature, "properties", where), f"{where}.properties")
    uid = as_text(due(properties, "uid", where), f"{where}.properties.uid")
    return uid, properties, as_text(due(feature, "wkt", where), f"{where}.wkt")


def _joined(
    buildings: tuple[Building, ...], lonlat_by_uid: dict[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    xy, lonlat = [np.empty((0, 2))], [np.empty((0, 2))]
    for building in buildings:
        xy_n2 = shapely.get_coordinates(building.polygon)
        lonlat_n2 = lonlat_by_uid.get(building.uid)
        if lonlat_n2 is not None and len(lonlat_n2) == len(xy_n2):
            xy.append(xy_n2)
            lonlat.append(lonlat_n2)
    return np.concatenate(xy), np.concatenate(lonlat)


def _date(value: object, name: str) -> str:
    text = as_text(value, f"{name}: metadata.capture_date")
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError as error:
        raise Refusal(
            Reason.BAD_DATE, f"{name}: capture_date {text!r}, expected ISO 8601"
        ) from error

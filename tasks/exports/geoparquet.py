"""GeoParquet: the footprint of every scene, one row a scene, in longitude and latitude.

Format: https://geoparquet.org/releases/v1.1.0/ (WKB, OGC:CRS84).
"""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from shapely import box, to_wkb

from tasks.exports.target import Export
from tasks.rows import Row

SCENES_NAME = "scenes.parquet"
_UNKNOWN = "scenes whose bounds are not known"
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("split", pa.string()),
        ("place", pa.string()),
        ("licence", pa.string()),
        ("date", pa.string()),  # the first; null where unknown
        ("dates", pa.list_(pa.string())),
        ("modalities", pa.list_(pa.string())),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("pixel_size_x_m", pa.float64()),
        ("pixel_size_y_m", pa.float64()),
        ("samples", pa.int64()),  # how many were chosen of it
        ("geometry", pa.binary()),
    ]
)


def write_geoparquet(export: Export) -> None:
    """Write the scenes of the chosen samples; those whose bounds are not known are left out."""
    path = export.folder / SCENES_NAME
    bounds: list[tuple[float, float, float, float]] = []
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for rows in export.granules():
            footprints = list(_footprints(export, rows))
            if footprints:
                writer.write_table(pa.Table.from_pylist(footprints, schema=_SCHEMA))
                bounds = [_around([*bounds, *(entry["bounds"] for entry in footprints)])]
        writer.add_key_value_metadata({"geo": json.dumps(_geo(bounds))})


def _footprints(export: Export, rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    """Yield the scenes of a granule as rows of the table, with their `bounds`."""
    scenes: dict[str, dict[str, Any]] = {}
    unknown: set[str] = set()
    for row in rows:
        bounds = (row.grid.west, row.grid.south, row.grid.east, row.grid.north)
        if None in bounds:
            unknown.add(row.scene_id)
            export.leave(f"samples on {_UNKNOWN}")
            continue
        entry = scenes.setdefault(row.scene_id, _entry(row, bounds))
        entry["samples"] += 1
        entry["dates"] |= {info.date for info in row.image_info if info.date}
        entry["modalities"] |= {info.modality for info in row.image_info}
        export.samples += 1
    export.leave(_UNKNOWN, len(unknown))
    export.made["scenes"] += len(scenes)
    for entry in scenes.values():
        dates = sorted(entry["dates"])
        first = dates[0] if dates else None
        yield {**entry, "date": first, "dates": dates, "modalities": sorted(entry["modalities"])}


def _entry(row: Row, bounds: Any) -> dict[str, Any]:
    return {
        "id": row.scene_id,
        "source": row.source,
        "split": row.split,
        "place": row.place,
        "licence": row.licence,
        "dates": set(),
        "modalities": set(),
        "height": row.grid.height,
        "width": row.grid.width,
        "pixel_size_x_m": row.grid.pixel_size_x_m,
        "pixel_size_y_m": row.grid.pixel_size_y_m,
        "samples": 0,
        "geometry": to_wkb(box(*bounds)),
        "bounds": bounds,
    }


def _around(
    bounds: list[tuple[float, float, float, float]],
) -> tuple[float, float, float, float]:
    west, south, east, north = zip(*bounds, strict=True)
    return min(west), min(south), max(east), max(north)


def _geo(bounds: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Polygon"],
        "crs": CRS("OGC:CRS84").to_json_dict(),
    }
    if bounds:
        column["bbox"] = list(bounds[0])
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}

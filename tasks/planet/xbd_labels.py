"""xBD's label JSON and target raster, key by key as the archive writes them."""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.planet.disasters import Disaster
from tasks.planet.footprints import Footprint, Points
from tasks.planet.georeference import Georeference

CODES = {"no-damage": 1, "minor-damage": 2, "major-damage": 3, "destroyed": 4, "un-classified": 1}
SENSORS = (
    ("QUICKBIRD02", "1010010"),
    ("WORLDVIEW02", "1030010"),
    ("WORLDVIEW03_VNIR", "1040010"),
    ("GEOEYE01", "1050010"),
)
GSD_OVER_PAN = 4.0154  # of the archive: multispectral over panchromatic
WKT_DIGITS = 14  # of degrees; pixels have 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One labelled building; `level` is on the joint damage scale, or "un-classified"."""

    uid: str
    footprint: Footprint
    level: str


def new_uid(rng: np.random.Generator) -> str:
    """Return a random version-4 UUID."""
    return str(uuid.UUID(bytes=rng.bytes(16), version=4))


def features(
    labels: Sequence[Label], georeference: Georeference, *, post: bool
) -> dict[str, list[dict[str, Any]]]:
    """Return the two feature lists: only the post image has a `subtype`.

    Every fifth ring or so of the pre image runs the other way round, as in the archive.
    """
    lists: dict[str, list[dict[str, Any]]] = {"lng_lat": [], "xy": []}
    for label in labels:
        ring_px = label.footprint.outline_px
        if not post and int(label.uid[0], 16) < 3:
            ring_px = ring_px[::-1]
        properties = {"feature_type": "building"}
        if post:
            properties["subtype"] = label.level
        properties["uid"] = label.uid
        lonlat = np.round(georeference.lonlat(ring_px), WKT_DIGITS)
        lists["lng_lat"].append({"properties": dict(properties), "wkt": polygon_wkt(lonlat)})
        lists["xy"].append({"properties": dict(properties), "wkt": polygon_wkt(ring_px)})
    return lists


def polygon_wkt(ring: Points) -> str:
    """Return a closed WKT polygon with every digit of its numbers, as the archive has it."""
    closed = [*ring.tolist(), ring[0].tolist()]
    return f"POLYGON (({', '.join(f'{x!r} {y!r}' for x, y in closed)}))"


def metadata(
    rng: np.random.Generator, disaster: Disaster, day: date, img_name: str, size_px: int
) -> dict[str, Any]:
    """Return the metadata block; its `gsd` has nothing to do with the pixel size."""
    sensor, catalogue = SENSORS[int(rng.integers(len(SENSORS)))]
    gsd = float(np.float32(rng.uniform(1.25, 2.7)))
    hour, minute, second = (int(rng.integers(*span)) for span in ((15, 19), (0, 60), (0, 60)))
    thousandth = int(rng.integers(1000)) if rng.uniform() < 0.5 else 0
    return {
        "sensor": sensor,
        "provider_asset_type": sensor,
        "gsd": gsd,
        "capture_date": f"{day.isoformat()}T{hour}:{minute:02}:{second:02}.{thousandth:03}Z",
        "off_nadir_angle": float(np.float32(rng.uniform(3, 32))),
        "pan_resolution": float(np.float32(gsd / GSD_OVER_PAN)),
        "sun_azimuth": float(np.float32(rng.uniform(90, 170))),
        "sun_elevation": float(np.float32(rng.uniform(35, 75))),
        "target_azimuth": float(np.float32(rng.uniform(0, 360))),
        "disaster": disaster.name,
        "disaster_type": disaster.kind,
        "catalog_id": catalogue + rng.bytes(5).hex()[:9].upper(),
        "original_width": size_px,
        "original_height": size_px,
        "width": size_px,
        "height": size_px,
        "id": _asset_id(rng),
        "img_name": img_name,
    }


def target(labels: Sequence[Label], size_px: int, *, post: bool) -> NDArray[np.uint8]:
    """Return the target raster, (H, W): 0 background, then the code of the damage level.

    Vertices are cut to whole pixels and filled with their boundary, in the order of the features,
    as the xView2 baseline draws them; before the disaster every building is 1.
    """
    raster_HW = np.zeros((size_px, size_px), np.uint8)
    for label in labels:
        ring = label.footprint.outline_px.astype(np.int32)
        cv2.fillPoly(raster_HW, [ring], CODES[label.level] if post else 1)
    return raster_HW


def _asset_id(rng: np.random.Generator) -> str:
    number = base64.b64encode(str(int(rng.integers(2_000_000, 3_000_000))).encode()).decode()
    return number.rstrip("=") + "." + base64.urlsafe_b64encode(rng.bytes(20)).decode().rstrip("=")

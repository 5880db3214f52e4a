"""What of a granule's scenes the leakage meter looks at, made once a granule."""

from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from tasks.config import BuildConfig
from tasks.granule_table import keep_table
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tasks.publication.leakage import Footprint
from tasks.scene_file import scenes_in
from tasks.small_table import table_rows
from tasks.stage_names import FOOTPRINT, INGEST

VERSION = 1
# an image of one colour has no more bytes than this and one for every 20 pixels, JPEG or PNG
MOST_HEADER_BYTES = 1000
PLAIN_PX_A_BYTE = 20
EDGES = ("west", "south", "east", "north")
FOOTPRINT_SCHEMA = pa.schema(
    [
        ("scene_id", pa.string()),
        ("place", pa.string()),
        *((edge, pa.float64()) for edge in EDGES),
        ("images", pa.list_(pa.string())),
    ]
)


def footprint_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write the footprints of a granule's scenes, unless that is done already."""
    ledger = Ledger(config.out)
    ingested = ledger.load(INGEST, granule.name)
    assert ingested is not None, f"ingest has not run for {granule.name}"
    parts = {"stage": VERSION, "scenes": ingested.outputs[0].sha256}
    columns = ["scene_id", "place", "grid", "images"]
    scenes = scenes_in(config.out / ingested.outputs[0].path, columns)
    return keep_table(
        ledger, FOOTPRINT, granule, parts, FOOTPRINT_SCHEMA, lambda: [_row(s) for s in scenes]
    )


def read_footprints(ledger: Ledger, granule: GranuleId) -> list[Footprint]:
    """Return the footprints of a granule's scenes."""
    rows = table_rows(ledger.path(FOOTPRINT, granule.name, ".parquet"))
    return [footprint_of(row, granule.source, granule.split) for row in rows]


def footprint_of(row: Mapping[str, Any], source: str, split: str) -> Footprint:
    """Return a row of `FOOTPRINT_SCHEMA` as a footprint."""
    return Footprint(
        source=source,
        split=split,
        scene_id=row["scene_id"],
        place=row["place"],
        bounds_lonlat=None if row["west"] is None else tuple(row[edge] for edge in EDGES),
        images=tuple(row["images"]),
    )


def _row(scene: Mapping[str, Any]) -> dict[str, Any]:
    grid = scene["grid"]
    pixels = grid["height"] * grid["width"]
    shown = [image["bytes"] for image in scene["images"]]
    return {
        "scene_id": scene["scene_id"],
        "place": scene["place"],
        **{edge: grid[edge] for edge in EDGES},
        "images": [sha256(one).hexdigest() for one in shown if not is_plain(one, pixels)],
    }


def is_plain(encoded: bytes, pixels: int) -> bool:
    """Return whether an image is of one colour, such as radar that saw nothing."""
    if len(encoded) > MOST_HEADER_BYTES + pixels // PLAIN_PX_A_BYTE:
        return False
    with Image.open(BytesIO(encoded)) as image:
        pixels_HW3 = np.asarray(image.convert("RGB"))
    return bool((pixels_HW3 == pixels_HW3[0, 0]).all())

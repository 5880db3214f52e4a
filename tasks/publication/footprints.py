"""What publishing looks at of a granule's scenes, made once a granule: footprints, files."""

from collections.abc import Iterator, Mapping, Sequence
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
from tasks.scene_list import files_digest
from tasks.small_table import table_columns, table_rows
from tasks.stage_names import FOOTPRINT, INGEST

VERSION = 2
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
_OF_GRANULE = pa.schema([*FOOTPRINT_SCHEMA, ("files", pa.string())])


def footprint_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write footprints of a granule's scenes and digests of their files, unless that is done."""
    ledger = Ledger(config.out)
    ingested = ledger.load(INGEST, granule.name)
    assert ingested is not None, f"ingest has not run for {granule.name}"
    parts = {"stage": VERSION, "scenes": ingested.outputs[0].sha256}
    columns = ["scene_id", "place", "grid", "images", "files"]
    scenes = scenes_in(config.out / ingested.outputs[0].path, columns)
    return keep_table(
        ledger, FOOTPRINT, granule, parts, _OF_GRANULE, lambda: [_row(s) for s in scenes]
    )


def read_footprints(ledger: Ledger, granule: GranuleId) -> list[Footprint]:
    """Return the footprints of a granule's scenes."""
    rows = table_rows(ledger.path(FOOTPRINT, granule.name, ".parquet"))
    return [footprint_of(row, granule.source, granule.split) for row in rows]


def scenes_listed(ledger: Ledger, granules: Sequence[GranuleId]) -> Iterator[dict[str, str]]:
    """Yield the scenes of granules, in order, as `tasks.scene_list` writes them."""
    for granule in granules:
        path = ledger.path(FOOTPRINT, granule.name, ".parquet")
        columns = table_columns(path, ["scene_id", "files"])
        for scene_id, files in zip(*columns, strict=True):
            yield {
                "source": granule.source,
                "split": granule.split,
                "bucket": granule.bucket,
                "scene_id": scene_id,
                "files": files,
            }


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
        "files": files_digest(scene["files"]),
    }


def is_plain(encoded: bytes, pixels: int) -> bool:
    """Return whether an image is of one colour, such as radar that saw nothing."""
    if len(encoded) > MOST_HEADER_BYTES + pixels // PLAIN_PX_A_BYTE:
        return False
    with Image.open(BytesIO(encoded)) as image:
        pixels_HW3 = np.asarray(image.convert("RGB"))
    return bool((pixels_HW3 == pixels_HW3[0, 0]).all())

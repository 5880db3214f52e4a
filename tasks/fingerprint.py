"""What of a granule's candidates is compared to find near-duplicates, made once a granule."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.config import BuildConfig
from tasks.fingerprints import Fingerprint, image_hash, text_signature
from tasks.granule_table import keep_table
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Output, Record
from tasks.scene_file import scenes_in
from tasks.small_table import table_rows
from tasks.stage_names import FINGERPRINT, INGEST

VERSION = 1
RANKS = {  # the first stays
    Tier.CAP: 0,
    Tier.L1: 0,
    Tier.L2_SPATIAL: 1,
    Tier.L2_SEMANTIC: 1,
    Tier.BENCH: 0,
}
_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("place", pa.string()),  # the scene, and which of its images are carried
        ("rank", pa.int32()),
        ("image_hashes", pa.list_(pa.uint64())),
        ("signature", pa.list_(pa.uint32())),
    ]
)


def fingerprint_granule(config: BuildConfig, granule: GranuleId, made: Sequence[str]) -> Record:
    """Write the fingerprints of all candidates of a granule, unless that is done already.

    Args:
        config: What to build.
        granule: Which granule.
        made: Names of the stages that made candidates.
    """
    ledger = Ledger(config.out)
    records = {stage: ledger.load(stage, granule.name) for stage in (INGEST, *made)}
    missing = [stage for stage, record in records.items() if record is None]
    assert not missing, f"{', '.join(missing)} has not run for {granule.name}"
    scenes, *sources = [record.outputs[0] for record in records.values() if record is not None]
    made_of = [output.sha256 for output in sources]
    parts = {"stage": VERSION, "scenes": scenes.sha256, "made": made_of}
    rows_of = partial(_rows, config, scenes, sources)
    return keep_table(ledger, FINGERPRINT, granule, parts, _SCHEMA, rows_of)


def _rows(config: BuildConfig, scenes: Output, sources: Sequence[Output]) -> list[dict[str, Any]]:
    """Return the fingerprint of every candidate that some stages made of a table of scenes."""
    hashes = _image_hashes(config, scenes)
    columns = ["sample_id", "scene_id", "tier", "question", "trace", "image_indices"]
    return [
        {
            "sample_id": row["sample_id"],
            "place": f"{row['scene_id']} {row['image_indices']}",
            "rank": RANKS[Tier(row["tier"])],
            "image_hashes": [hashes[row["scene_id"]][index] for index in row["image_indices"]],
            "signature": text_signature(f"{row['question']} {row['trace']}").tolist(),
        }
        for output in sources
        for row in pq.read_table(config.out / output.path, columns=columns).to_pylist()
    ]


def read_fingerprints(ledger: Ledger, granule: GranuleId) -> list[Fingerprint]:
    """Return the fingerprints of a granule's candidates."""
    rows = table_rows(ledger.path(FINGERPRINT, granule.name, ".parquet"))
    return [
        Fingerprint(
            sample_id=row["sample_id"],
            scene_id=row["place"],
            rank=row["rank"],
            image_hashes=tuple(row["image_hashes"]),
            signature=np.array(row["signature"], np.uint32),
        )
        for row in rows
    ]


def _image_hashes(config: BuildConfig, scenes: Output) -> dict[str, list[int]]:
    """Return the hash of every image of every scene."""
    rows = scenes_in(config.out / scenes.path, ["scene_id", "images"])
    return {
        row["scene_id"]: [image_hash(image["bytes"]) for image in row["images"]] for row in rows
    }

"""scenes.parquet: every scene that was read, with one digest over its files.

It tells a sample that selection left out from one whose scene has gone or changed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.atomic import placing
from tasks.errors import UserError
from tasks.granule_table import table_rows
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger

SCENES_NAME = "scenes.parquet"
_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("split", pa.string()),
        ("bucket", pa.string()),
        ("scene_id", pa.string()),
        ("files", pa.string()),  # SHA-256 over the digests and paths of its files
    ]
)


def write_scene_list(dataset: Path, scenes: Iterable[Mapping[str, str]]) -> Path:
    """Write scenes, given as `_SCHEMA` has them; OSError if the file cannot be written."""
    path = dataset / SCENES_NAME
    with placing(path) as temporary:
        table = pa.Table.from_pylist(list(scenes), schema=_SCHEMA)
        pq.write_table(table, temporary, compression="zstd")
    return path


def scenes_read(ledger: Ledger, granules: Sequence[GranuleId]) -> Iterator[dict[str, str]]:
    """Yield the scenes of granules that are ingested, in order."""
    for granule in granules:
        path = ledger.path(INGEST, granule.name, ".parquet")
        for row in table_rows(path, ["scene_id", "files"]):
            yield {
                "source": granule.source,
                "split": granule.split,
                "bucket": granule.bucket,
                "scene_id": row["scene_id"],
                "files": files_digest(row["files"]),
            }


def read_scene_list(dataset: Path) -> dict[tuple[str, str], str]:
    """Return the digest of each scene's files by source and scene id; UserError if it is gone."""
    path = dataset / SCENES_NAME
    try:
        rows = pq.read_table(path, columns=["source", "scene_id", "files"]).to_pylist()
    except FileNotFoundError as error:
        raise UserError(
            f"{dataset} holds no {SCENES_NAME}, which this program writes: build it again"
        ) from error
    return {(row["source"], row["scene_id"]): row["files"] for row in rows}


def files_digest(files: Sequence[Mapping[str, Any]]) -> str:
    """Return a SHA-256 over a scene's files, each a path and its SHA-256."""
    lines = sorted(f"{file['sha256']} {file['path']}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()

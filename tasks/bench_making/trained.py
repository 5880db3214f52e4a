"""The training scenes of other datasets: a bench shows neither their ground nor images."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.atomic import placing
from tasks.ledger import Ledger, sha256_of
from tasks.manifest import MANIFEST_NAME, read_manifest
from tasks.publication.footprints import FOOTPRINT_SCHEMA, footprint_of, is_plain
from tasks.publication.leakage import Footprint, meetings
from tasks.rows import open_shard

STAGE = "bench-against"
TRAINED_SPLIT = "train"
_READ = ["scene_id", "place", "grid", "images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A dataset whose training scenes were looked at: its name, and the digest of its manifest."""

    name: str
    digest: str


def keep_trained(ledger: Ledger, datasets: Iterable[Path]) -> tuple[Trained, ...]:
    """Keep the footprints of some datasets' training scenes; what is kept already stays.

    Raises:
        ManifestError, RowError: a folder that is no dataset, or one that cannot be read.
    """
    return tuple(_keep(ledger, dataset) for dataset in datasets)


def trained_of(dataset: Path) -> Trained:
    """Return what names a dataset as it stands; ManifestError where it is none."""
    read_manifest(dataset)
    return Trained(name=dataset.name, digest=sha256_of(dataset / MANIFEST_NAME))


def read_trained(ledger: Ledger, trained: Trained) -> list[Footprint]:
    """Return the footprints of a dataset's training scenes that are kept."""
    rows = pq.read_table(_path(ledger, trained)).to_pylist()
    split = f"{TRAINED_SPLIT} of {trained.name}"
    return [footprint_of(row, row["source"], split) for row in rows]


def seen_scenes(
    scenes: Iterable[Footprint], ledger: Ledger, trained: Iterable[Trained]
) -> dict[str, str]:
    """Return, by scene id, in words what of it is shown in training; scenes that touch are not."""
    scenes = list(scenes)
    seen: dict[str, str] = {}
    for dataset in trained:
        for met in meetings(scenes, read_trained(ledger, dataset)):
            if met.how != "touches":
                seen.setdefault(met.scene.scene_id, f"{met.how} {met.other}")
    return seen


def _keep(ledger: Ledger, dataset: Path) -> Trained:
    trained = trained_of(dataset)
    path = _path(ledger, trained)
    if not path.is_file():
        rows = list(_footprints(dataset))
        with placing(path) as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), temporary)
    return trained


def _footprints(dataset: Path) -> Iterator[dict[str, Any]]:
    """Yield each training scene once, with all images that some row of it carries."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for file in read_manifest(dataset).files:
        if file.split != TRAINED_SPLIT:
            continue
        shard = open_shard(dataset / file.path)
        for group in range(shard.num_row_groups):
            for row in shard.read_row_group(group, columns=_READ).to_pylist():
                _add(found, file.source, row)
    for scene in found.values():
        images = scene.pop("paths").values()
        yield {**scene, "images": sorted({digest for digest in images if digest})}


def _add(found: dict[tuple[str, str], dict[str, Any]], source: str, row: dict[str, Any]) -> None:
    grid = row["grid"]
    edges = {edge: grid[edge] for edge in ("west", "south", "east", "north")}
    new = {"source": source, "scene_id": row["scene_id"], "place": row["place"], **edges}
    scene = found.setdefault((source, row["scene_id"]), {**new, "paths": {}})
    for image in row["images"]:
        if image["path"] not in scene["paths"]:
            plain = is_plain(image["bytes"], grid["height"] * grid["width"])
            digest = "" if plain else sha256(image["bytes"]).hexdigest()
            scene["paths"][image["path"]] = digest


def _schema() -> pa.Schema:
    return pa.schema([("source", pa.string()), *FOOTPRINT_SCHEMA])


def _path(ledger: Ledger, trained: Trained) -> Path:
    return ledger.path(STAGE, trained.digest[:16], ".parquet")

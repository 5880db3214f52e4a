"""The training scenes of other datasets: a bench shows neither their ground nor images."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.atomic import placing
from tasks.ledger import Ledger, sha256_of
from tasks.manifest import MANIFEST_NAME, read_manifest
from tasks.publication.footprints import FOOTPRINT_SCHEMA, footprint_of
from tasks.publication.leakage import Footprint, meetings
from tasks.publication.shown_scenes import scenes_shown

STAGE = "bench-against"
TRAINED_SPLIT = "train"


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
    return list(_read(_path(ledger, trained), f"{TRAINED_SPLIT} of {trained.name}"))


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
        rows = list(scenes_shown(dataset, TRAINED_SPLIT))
        with placing(path) as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), temporary)
    return trained


@lru_cache(maxsize=4)  # every granule of a bench is held against it
def _read(path: Path, split: str) -> tuple[Footprint, ...]:
    rows = pq.read_table(path).to_pylist()
    return tuple(footprint_of(row, row["source"], split) for row in rows)


def _schema() -> pa.Schema:
    return pa.schema([("source", pa.string()), *FOOTPRINT_SCHEMA])


def _path(ledger: Ledger, trained: Trained) -> Path:
    return ledger.path(STAGE, trained.digest[:16], ".parquet")

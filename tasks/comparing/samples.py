"""What is compared of a sample: where it comes from, and a digest over what it says."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from tasks.manifest import DataFile, Manifest
from tasks.scene_list import files_digest

# what a question or caption is, beside its scene; the order does not matter
_SAID = [
    "form", "classes", "question", "title", "options", "answer", "steps", "trace", "claims",
    "masks", "program", "rule", "premises", "judged",
]  # fmt: skip
# what the scene gives it; the same files read by the same reader give the same
_SHOWN = ["images", "image_info", "grid", "scene_masks", "layers", "words", "archive_captions"]
_NAMED = ["sample_id", "scene_id", "source", "split", "tier", "task", "rule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample as far as it is compared; `said` is a digest over its content."""

    sample_id: str
    scene_id: str
    source: str
    split: str
    tier: str
    task: str
    rule: str
    files: str
    said: str
    shard: str


def other_shards(one: Manifest, other: Manifest) -> list[DataFile]:
    """Return the shards of a dataset that another one does not have with the same bytes."""
    there = {(file.path, file.sha256) for file in other.files}
    return [file for file in one.files if (file.path, file.sha256) not in there]


def samples_of(
    dataset: Path, files: Iterable[DataFile], *, with_pictures: bool
) -> Iterator[Sample]:
    """Yield the samples of some shards; with pictures, their scenes are compared as well."""
    said = [*_SAID, *(_SHOWN if with_pictures else ())]
    columns = list(dict.fromkeys((*_NAMED, *said, "provenance")))
    for file in files:
        with pq.ParquetFile(dataset / file.path) as shard:
            for batch in shard.iter_batches(64, columns=columns):
                for row in batch.to_pylist():
                    named = {name: row[name] for name in _NAMED}
                    yield Sample(
                        **named,
                        files=files_digest(row["provenance"]["files"]),
                        said=_digest([row[name] for name in said]),
                        shard=file.path,
                    )


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, default=repr)  # pictures are bytes
    return hashlib.sha256(text.encode()).hexdigest()

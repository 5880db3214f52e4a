"""What the gates count in a granule's shard of a tier: read once for each shard, then kept."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.candidate import made_at, shards_made
from tasks.config import BuildConfig
from tasks.granule_table import keep_table
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tasks.manifest import DataFile
from tasks.small_table import table_rows

STAGE = "tally"
VERSION = 1
CHOICE = "choice"
YES_NO = ("Yes", "No")
_ANSWER, _CLASS, _SCENE = "answer", "class", "scene"
_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("task", pa.string()),  # of an answer, else ""
        ("name", pa.string()),
        ("number", pa.int64()),
    ]
)
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Tallies:
    """Closed answers by (task, text), classes asked about, and the scenes that have a sample."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    scenes: set[str] = field(default_factory=set)


def tallies_of(tier: Tier) -> str:
    """Return the name under which the tallies of a tier are kept in the ledger."""
    return f"{STAGE}-{tier}"


def tally_granule(config: BuildConfig, granule: GranuleId, tier: Tier) -> Record:
    """Count what a granule's shard of a tier holds, unless this very shard has been counted."""
    ledger = Ledger(config.out)
    shards = shards_made(config, granule, tier)
    parts = {"stage": VERSION, "shards": [file.sha256 for file in shards]}

    def rows() -> list[dict[str, Any]]:
        counted = Counter(key for file in shards for key in _told(ledger, file, tier))
        return [
            {"kind": kind, "task": task, "name": name, "number": number}
            for (kind, task, name), number in sorted(counted.items())
        ]

    return keep_table(ledger, tallies_of(tier), granule, parts, _SCHEMA, rows)


def read_tallies(ledger: Ledger, granule: GranuleId, tier: Tier) -> Tallies:
    """Return what was counted in a granule's shard of a tier."""
    found = Tallies()
    for row in table_rows(ledger.path(tallies_of(tier), granule.name, ".parquet")):
        if row["kind"] == _ANSWER:
            found.answers[row["task"], row["name"]] += row["number"]
        elif row["kind"] == _CLASS:
            found.classes[row["name"]] += row["number"]
        else:
            found.scenes.add(row["name"])
    return found


def _told(ledger: Ledger, file: DataFile, tier: Tier) -> Iterator[_Key]:
    """Yield what each sample counts for; no two captions are alike, so of these only the scene."""
    columns = ["scene_id", "task", "form", "answer", "classes"]
    path = made_at(ledger, file)
    if tier is Tier.CAP:
        for scene_id in pq.read_table(path, columns=columns[:1]).column(0).to_pylist():
            yield _SCENE, "", scene_id
        return
    for row in pq.read_table(path, columns=columns).to_pylist():
        yield _SCENE, "", row["scene_id"]
        for name in row["classes"]:
            yield _CLASS, "", name
        text = row["answer"]["text"]
        if row["form"] == CHOICE or text in YES_NO:
            yield _ANSWER, row["task"], text

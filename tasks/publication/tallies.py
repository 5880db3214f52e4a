"""What a granule's shards hold, counted once for each set of shards, then kept."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from tasks.candidate import made_at, shards_made, tiers_of
from tasks.config import BuildConfig
from tasks.granule_table import keep_table
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tasks.shard_counts import ShardCounts, count_shard
from tasks.small_table import table_columns
from tasks.stage_names import TALLY

VERSION = 2
_SCHEMA = pa.schema(
    [
        ("tier", pa.string()),
        ("kind", pa.string()),
        ("task", pa.string()),  # of a form and an answer, else ""
        ("name", pa.string()),
        ("number", pa.int64()),
    ]
)

Tallies = dict[str, ShardCounts]  # of a granule, by tier


def tally_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Count what a granule's shards hold, unless these very shards have been counted."""
    ledger = Ledger(config.out)
    shards = list(chain.from_iterable(shards_made(config, granule, t) for t in tiers_of(config)))
    parts = {"stage": VERSION, "shards": [file.sha256 for file in shards]}

    def rows() -> list[dict[str, Any]]:
        return [
            dict(zip(_SCHEMA.names, (file.tier, *told), strict=True))
            for file in shards
            for told in _told(count_shard(made_at(ledger, file), file.tier))
        ]

    return keep_table(ledger, TALLY, granule, parts, _SCHEMA, rows)


def read_tallies(ledger: Ledger, granules: Sequence[GranuleId]) -> dict[GranuleId, Tallies]:
    """Return what was counted of granules' shards."""
    return {granule: _read(ledger, granule) for granule in granules}


def _read(ledger: Ledger, granule: GranuleId) -> Tallies:
    columns = table_columns(ledger.path(TALLY, granule.name, ".parquet"), _SCHEMA.names)
    tallies: Tallies = {}
    for tier, kind, task, name, number in zip(*columns, strict=True):
        found = tallies.setdefault(tier, ShardCounts())
        match kind:
            case "form":
                found.forms[task, name] = number
            case "answer":
                found.answers[task, name] = number
            case "class":
                found.classes[name] = number
            case "scene":
                found.scenes.add(name)
            case "licence":
                found.licences.add(name)
    return tallies


def _told(found: ShardCounts) -> Iterator[tuple[str, str, str, int]]:
    for (task, form), number in sorted(found.forms.items()):
        yield "form", task, form, number
    for (task, text), number in sorted(found.answers.items()):
        yield "answer", task, text, number
    for name, number in sorted(found.classes.items()):
        yield "class", "", name, number
    for scene_id in sorted(found.scenes):
        yield "scene", "", scene_id, 1
    for licence in sorted(found.licences):
        yield "licence", "", licence, 1

"""Selection over all granules, and the shards of each: count answers, draw, write rows."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.ask import STAGE as L1
from tasks.atomic import place_text
from tasks.captions.scene import STAGE as CAP_COT
from tasks.composition.scene import STAGE as L2
from tasks.config import BuildConfig, digest_of
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger, Output, Record, output_of
from tasks.manifest import MANIFEST_NAME
from tasks.select import Cell, Rates, is_kept, keep_rates
from tasks.shards import Provenance, write_shard

STAGE = "shards"
VERSION = 3
MADE_BY: Mapping[Tier, str] = {  # the stage that makes each tier
    Tier.CAP: CAP_COT,
    Tier.L1: L1,
    Tier.L2_SPATIAL: L2,
    Tier.L2_SEMANTIC: L2,
}
BALANCED = (L1, L2)
_BALANCE_COLUMNS = ["tier", "task", "group", "answer_key", "num_answers"]


def select_rates(config: BuildConfig, granules: Sequence[GranuleId]) -> Rates:
    """Count all candidates' answers; return the keep rates, and store them for the shards.

    A rate of an earlier build is used again while it still fits. Captions are not balanced.
    """
    ledger = Ledger(config.out)
    counts: Counter[Cell] = Counter()
    for stage in BALANCED if config.balance else ():
        for granule in granules if stage in config.stages else ():
            table = pq.read_table(_path(ledger, stage, granule), columns=_BALANCE_COLUMNS)
            counts.update(cell for cell in _cells(table, granule) if cell is not None)
    rates = keep_rates(counts, stored_rates(ledger))
    rows = [[group, answer, rate] for (group, answer), rate in rates.items()]
    place_text(_rates_path(ledger), json.dumps(rows, indent=0) + "\n")
    return rates


def stored_rates(ledger: Ledger) -> Rates:
    """Return the keep rates of the last selection, none where there was none or it is damaged."""
    try:
        rows = json.loads(_rates_path(ledger).read_bytes())
        return {(group, answer): float(rate) for group, answer, rate in rows}
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def shards_of(tier: Tier) -> str:
    """Return the name under which the shards of a tier are kept in the ledger."""
    return f"{STAGE}-{tier}"


def write_granule(config: BuildConfig, granule: GranuleId, tier: Tier, stages: str) -> Record:
    """Write the shard of a granule's kept candidates of a tier, unless that is done already.

    Args:
        config: What to build; its keep rates are those that selection stored.
        granule: Which granule.
        tier: What kind of samples.
        stages: JSON, stage name -> version.
    """
    ledger = Ledger(config.out)
    rates = stored_rates(ledger)
    made_by = MADE_BY[tier]
    scenes, made = _path(ledger, INGEST, granule), _path(ledger, made_by, granule)
    table = pq.read_table(made, filters=[("tier", "==", tier.value)])
    cells = list(_cells(table, granule))
    config_digest = digest_of(config.content_of(made_by))
    own = {(c.group, c.answer): rates.get((c.group, c.answer), 1.0) for c in cells if c}
    key = digest_of(
        {
            "stages": stages,
            "inputs": [_sha256(ledger, stage, granule) for stage in (INGEST, made_by)],
            "rates": sorted([*cell, rate] for cell, rate in own.items()),
            "config": config_digest,
        }
    )
    done = ledger.done(shards_of(tier), granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    ids = table.column("sample_id").to_pylist()
    kept = [
        row
        for row, (sample_id, cell) in enumerate(zip(ids, cells, strict=True))
        if cell is None or is_kept(sample_id, own[cell.group, cell.answer])
    ]
    tasks, scene_ids = (table.column(name).to_pylist() for name in ("task", "scene_id"))
    thinned = Counter(f"{tasks[row]}: thinned" for row in set(range(len(ids))).difference(kept))
    path = config.out / "data" / tier / f"{granule.name}.parquet"
    (config.out / MANIFEST_NAME).unlink(missing_ok=True)  # the dataset changes: no longer done
    outputs: tuple[Output, ...] = ()
    if kept:
        provenance = Provenance(config_digest=config_digest, stages=stages)
        picked = table.take(pa.array(kept, pa.int64()))
        shard = write_shard(path, pq.read_table(scenes), picked, provenance)
        outputs = (output_of(config.out, shard.path, shard.rows),)
    else:
        path.unlink(missing_ok=True)
    record = Record(
        stage=shards_of(tier),
        granule=granule.name,
        key=key,
        outputs=outputs,
        taken=len(ids),
        out=len(kept),
        left_out=len(ids) - len(kept),
        reasons=dict(sorted(thinned.items())),
        scenes=len(set(scene_ids)),
        scenes_out=len({scene_ids[row] for row in kept}),
    )
    ledger.store(record)
    return record


def _cells(table: pa.Table, granule: GranuleId) -> Iterator[Cell | None]:
    """Yield for each candidate the cell in which it is balanced, None where it is not."""
    within = f"{granule.source}/{granule.split}"
    columns = [table.column(name).to_pylist() for name in _BALANCE_COLUMNS]
    for tier, task, group, answer, num_answers in zip(*columns, strict=True):
        if group:
            # L2 has few questions of a kind: those that lack an answer are evened out by tier
            wider = task if tier == Tier.L1 else tier
            yield Cell(f"{within}|{wider}", f"{within}|{group}", num_answers, answer)
        else:
            yield None


def _path(ledger: Ledger, stage: str, granule: GranuleId) -> Path:
    return ledger.path(stage, granule.name, ".parquet")


def _sha256(ledger: Ledger, stage: str, granule: GranuleId) -> str:
    record = ledger.load(stage, granule.name)
    assert record is not None, f"stage {stage} has not run for {granule.name}"
    return record.outputs[0].sha256


def _rates_path(ledger: Ledger) -> Path:
    return ledger.path("select", "rates", ".json")

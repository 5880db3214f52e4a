"""The shards of a granule: what selection kept of its candidates, tier by tier.

They are made under `.work` and become the dataset's when it is published.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.bench_making.rephrase import words_stage
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Output, Record, output_of
from tasks.selection import decisions_of
from tasks.shards import Provenance, write_shard
from tasks.small_table import table_columns
from tasks.stage_names import INGEST, MADE_BY, SHARDS

VERSION = 4


def shards_of(tier: Tier) -> str:
    """Return the name under which the shards of a tier are kept in the ledger."""
    return f"{SHARDS}-{tier}"


def write_granule(config: BuildConfig, granule: GranuleId, tier: Tier, stages: str) -> Record:
    """Write the shard of a granule's kept candidates of a tier, unless that is done already.

    Args:
        config: What to build; what is kept was decided by `tasks.selection`.
        granule: Which granule.
        tier: What kind of samples.
        stages: JSON, stage name -> version.
    """
    ledger = Ledger(config.out)
    made_by = words_stage(config, MADE_BY[tier])
    scenes, made = _path(ledger, INGEST, granule), _path(ledger, made_by, granule)
    decisions = decisions_of(ledger, granule)
    columns = zip(*table_columns(made, ["tier", "sample_id"]), strict=True)
    ids = [sample_id for made_tier, sample_id in columns if made_tier == tier.value]
    why = [decisions[sample_id] for sample_id in ids]
    config_digest = digest_of(config.content_of(MADE_BY[tier]))
    parts = {
        "stages": stages,
        "inputs": [_sha256(ledger, stage, granule) for stage in (INGEST, made_by)],
        "config": config_digest,
    }
    key = digest_of({**parts, "decisions": why})
    done = ledger.done(shards_of(tier), granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    table = pq.read_table(made, filters=[("tier", "==", tier.value)])
    kept = [row for row, reason in enumerate(why) if not reason]
    tasks, scene_ids = (table.column(name).to_pylist() for name in ("task", "scene_id"))
    thinned = Counter(
        f"{task}: {reason}" for task, reason in zip(tasks, why, strict=True) if reason
    )
    path = _path(ledger, shards_of(tier), granule)
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
        parts={**parts, "decisions": digest_of(why)},
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


def _path(ledger: Ledger, stage: str, granule: GranuleId) -> Path:
    return ledger.path(stage, granule.name, ".parquet")


def _sha256(ledger: Ledger, stage: str, granule: GranuleId) -> str:
    record = ledger.load(stage, granule.name)
    assert record is not None, f"stage {stage} has not run for {granule.name}"
    return record.outputs[0].sha256

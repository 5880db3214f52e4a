"""What would be published: the manifest of what the stages left on disk, before it is judged."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import REJECT_SCHEMA
from schemas.rejection import Reason, Rejected
from schemas.tier import Tier
from tasks.annotation.figures import refined_classes
from tasks.assemble import shards_of
from tasks.blind_rules import MIN_OWN_ITEMS
from tasks.completers.openai_settings import ClientSettings
from tasks.config import BuildConfig
from tasks.decided import decided_by
from tasks.granules import GranuleId, stored_other_splits
from tasks.ledger import Ledger, Record
from tasks.manifest import (
    BlindGain,
    DataFile,
    Manifest,
    QuarantineFile,
    SelectionRate,
    StageCount,
    checkout_commit,
    read_manifest,
    utc_now,
    write_manifest,
)
from tasks.refine import candidates_stage
from tasks.selection import stored_control, stored_rates, stored_review, stored_unmet
from tasks.shards import write_rejects
from tasks.stage_names import (
    ANNOTATE,
    BENCH,
    BENCH_ASK,
    BENCH_WORDS,
    CAP_COT,
    INGEST,
    L1,
    L2,
    MADE_BY,
    SHARDS,
    refined_stage,
)

CANDIDATE = ".work/candidate"  # folder of the manifest that is judged
SYNTHETIC_MARK = "SYNTHETIC.txt"  # a procedural archive says so with a file of this name
CHECKOUT = Path(__file__).resolve().parents[1]


def gather(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    stages: dict[str, int],
    annotators: Sequence[str] = (),
    run: str = "",
) -> Manifest:
    """Gather what the stages left on disk into a manifest, which is kept under `.work`.

    `stages` are those that ran, by version, `annotators` the digests of those that predicted, `run`
    the id of the run.
    """
    ledger = Ledger(config.out)
    tiers = tiers_of(config)
    records = {
        stage: [_record(ledger, stage, granule) for granule in granules]
        for stage in stages_of(config)
    }
    candidate = Manifest(
        dataset=config.out.resolve().name,
        files=tuple(
            file
            for tier in tiers
            for granule, record in zip(granules, records[shards_of(tier)], strict=True)
            for file in _files(tier, granule, record)
        ),
        quarantine=_gather_quarantine(ledger, records, [*_made(config), *_refining(config)]),
        counts=_counts(config, ledger, records),
        rates=tuple(
            SelectionRate(group=group, answer_key=answer, rate=rate)
            for (group, answer), rate in stored_rates(ledger).items()
        ),
        blind=_blind_gains(ledger),
        refined=refined_classes(ledger, granules, config.refine) if config.annotates else (),
        annotators=tuple(annotators),
        unmet=tuple(stored_unmet(ledger)),
        reviewed=stored_review(ledger),
        decided_by=decided_by(config),
        config=config.model_dump(mode="json", exclude={"workers", "out", "keep_versions", "gates"}),
        config_digest=config.content_digest,
        seed=config.seed,
        commit=checkout_commit(CHECKOUT),
        synthetic=tuple(
            name
            for name, root in sorted(config.sources.items())
            if (root / SYNTHETIC_MARK).is_file()
        ),
        stages=stages,
        run=run,
        created=utc_now(),
    )
    write_manifest(config.out / CANDIDATE, candidate)
    return candidate


def gathered(dataset: Path) -> Manifest:
    """Return what was gathered last."""
    return read_manifest(dataset / CANDIDATE)


def tiers_of(config: BuildConfig) -> list[Tier]:
    """Return the tiers that a build makes."""
    return [tier for tier, stage in MADE_BY.items() if stage in config.stages]


def stages_of(config: BuildConfig) -> tuple[str, ...]:
    """Return the stages of a build that keep a record of each granule, as the ledger names them."""
    annotating = [ANNOTATE, *_refining(config)] if config.annotates else []
    asking = [BENCH_ASK] if config.makes_bench else []
    words = [BENCH_WORDS] if config.rephrases else []
    written = map(shards_of, tiers_of(config))
    return (INGEST, *asking, *_made(config), *annotating, *words, *written)


def shards_made(config: BuildConfig, granule: GranuleId, tier: Tier) -> list[DataFile]:
    """Return the shard of a granule and tier as the manifest lists it, none without a sample."""
    return list(_files(tier, granule, _record(Ledger(config.out), shards_of(tier), granule)))


def _files(tier: Tier, granule: GranuleId, record: Record) -> Iterator[DataFile]:
    for output in record.outputs:
        yield DataFile(
            path=f"data/{tier}/{granule.name}.parquet",
            sha256=output.sha256,
            rows=output.rows,
            bytes=output.bytes,
            tier=tier,
            source=granule.source,
            split=granule.split,
            bucket=granule.bucket,
        )


def made_at(ledger: Ledger, file: DataFile) -> Path:
    """Return where a shard of the dataset lies before it is published."""
    granule = GranuleId(file.source, file.split, file.bucket)
    record = _record(ledger, shards_of(Tier(file.tier)), granule)
    return ledger.dataset / record.outputs[0].path


def refused_at(ledger: Ledger, file: QuarantineFile) -> Path:
    """Return where a table of refusals lies before it is published."""
    return ledger.path("quarantine", Path(file.path).stem, ".parquet")


def _made(config: BuildConfig) -> list[str]:
    return list(dict.fromkeys(MADE_BY[tier] for tier in tiers_of(config)))


def _refining(config: BuildConfig) -> list[str]:
    refined = [stage for stage in _made(config) if candidates_stage(config, stage) != stage]
    return [refined_stage(stage) for stage in refined]


def _blind_gains(ledger: Ledger) -> tuple[BlindGain, ...]:
    """Return what the best text-only rule gained on each task; not on tasks with a few items."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for result in stored_control(ledger):
        if result["before"]["items"] >= MIN_OWN_ITEMS:
            by_task.setdefault(result["task"], []).append(result)
    gains = []
    for task, results in sorted(by_task.items()):
        best = max(results, key=lambda result: result["before"]["over"])
        after = max(result["after"]["over"] for result in results)
        gains.append(
            BlindGain(
                task=task,
                rule=best["rule"],
                items=round(best["before"]["items"]),
                chance=round(100 * best["before"]["chance"], 1),
                before=round(100 * best["before"]["over"], 1),
                after=round(100 * after, 1),
            )
        )
    return tuple(gains)


def _record(ledger: Ledger, stage: str, granule: GranuleId) -> Record:
    record = ledger.load(stage, granule.name)
    assert record is not None, f"stage {stage} has not run for {granule.name}"
    return record


def _counts(
    config: BuildConfig, ledger: Ledger, records: dict[str, list[Record]]
) -> tuple[StageCount, ...]:
    """Return the counts of every stage, in order; each adds up."""
    refused = pq.read_metadata(ledger.path("index", "all", ".rejects.parquet")).num_rows
    listed = sum(record.taken for record in records[INGEST])
    others = stored_other_splits(ledger) if config.splits else 0
    index = StageCount(
        stage="index",
        unit="scene",
        taken=listed + refused + others,
        out=listed,
        rejected=refused,
        left_out=others,
        reasons={"any: other_split": others} if others else {},
    )
    counts = [index, _summed(INGEST, "scene", records[INGEST])]
    if ANNOTATE in records:
        counts.append(_summed(ANNOTATE, "class", records[ANNOTATE]))
    if L1 in records:
        asked = [(L1, records[L1]), (SHARDS, records[shards_of(Tier.L1)])]
        if refined_stage(L1) in records:
            asked.insert(1, (refined_stage(L1), records[refined_stage(L1)]))
        counts += [_scenes_asked(stage, done) for stage, done in asked]
        counts += [_summed(stage, "sample", done) for stage, done in asked]
    if BENCH in records:
        made = [(BENCH, records[BENCH]), (SHARDS, records[shards_of(Tier.BENCH)])]
        counts += [_scenes_asked(stage, done) for stage, done in made]
        counts += [_summed(stage, "sample", done) for stage, done in made]
    if BENCH_WORDS in records:
        worded = _summed(BENCH_WORDS, "wording", records[BENCH_WORDS])
        counts.append(_with_cost(config.composer.client, worded))
    if CAP_COT in records:
        captioned = _summed(CAP_COT, "caption", records[CAP_COT])
        counts.append(_with_cost(config.captioner.client, captioned))
        counts.append(_summed(SHARDS, "caption", records[shards_of(Tier.CAP)]))
    if L2 in records:
        written = [*records[shards_of(Tier.L2_SPATIAL)], *records[shards_of(Tier.L2_SEMANTIC)]]
        composed = _summed(L2, "question", records[L2])
        counts.append(_with_cost(config.composer.client, composed))
        if refined_stage(L2) in records:
            counts.append(_summed(refined_stage(L2), "question", records[refined_stage(L2)]))
        counts.append(_summed(SHARDS, "question", written))
    return tuple(counts)


def _with_cost(client: ClientSettings, count: StageCount) -> StageCount:
    """Add what a stage's tokens cost, in hundredths of the unit of the prices, if these are set."""
    prompt, reply = (count.tallies.get(f"{kind} tokens", 0) for kind in ("prompt", "completion"))
    cost = (prompt * client.prompt_price + reply * client.completion_price) / 1_000_000
    if not cost:
        return count
    tallies = {**count.tallies, "cost, hundredths": round(100 * cost)}
    return count.model_copy(update={"tallies": tallies})


def _scenes_asked(stage: str, records: list[Record]) -> StageCount:
    """Count the scenes of which a stage made samples; the others are left out, not lost."""
    taken, out = (sum(getattr(r, name) for r in records) for name in ("scenes", "scenes_out"))
    reason = "all_refused" if stage == refined_stage(L1) else "no_question"
    return StageCount(
        stage=stage,
        unit="scene",
        taken=taken,
        out=out,
        rejected=0,
        left_out=taken - out,
        reasons={f"any: {reason}": taken - out} if taken > out else {},
    )


def _summed(stage: str, unit: str, records: list[Record]) -> StageCount:
    reasons: Counter[str] = Counter()
    tallies: Counter[str] = Counter()
    for record in records:
        reasons.update(record.reasons)
        tallies.update(record.tallies)
    return StageCount(
        stage=stage,
        unit=unit,
        taken=sum(record.taken for record in records),
        out=sum(record.out for record in records),
        rejected=sum(record.rejected for record in records),
        left_out=sum(record.left_out for record in records),
        reasons=dict(sorted(reasons.items())),
        tallies=dict(sorted(tallies.items())),
    )


def _gather_quarantine(
    ledger: Ledger, records: dict[str, list[Record]], made: Sequence[str]
) -> tuple[QuarantineFile, ...]:
    """Gather all refusals, whatever stage they come from, into one table a source, set aside.

    Tables of granules that refused nothing are not read: nearly all of them are empty.
    """
    paths = [ledger.path("index", "all", ".rejects.parquet")]
    refusing = [INGEST, *(stage for stage in made if stage != L1)]
    paths += [
        ledger.path(stage, record.granule, ".rejects.parquet")
        for stage in refusing
        for record in records[stage]
        if record.rejected
    ]
    rejected = pa.concat_tables([pq.read_table(path, schema=REJECT_SCHEMA) for path in paths])
    files = []
    for source in sorted(set(rejected.column("source").to_pylist())):
        rows = [
            Rejected(**{**row, "reason": Reason(row["reason"])})
            for row in rejected.to_pylist()
            if row["source"] == source
        ]
        written = write_rejects(ledger.path("quarantine", source, ".parquet"), rows)
        files.append(
            QuarantineFile(
                path=f"quarantine/{source}.parquet",
                sha256=written.sha256,
                rows=written.rows,
                bytes=written.bytes,
            )
        )
    return tuple(files)

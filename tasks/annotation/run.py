"""Annotate batches of granules: what annotators predict of classes that are annotated."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import pyarrow.parquet as pq

from schemas.prediction import PREDICTION_SCHEMA
from tasks.annotation.folds import Annotator
from tasks.annotation.shown_to import show
from tasks.atomic import placing
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.progress import told
from tasks.stage_names import ANNOTATE, INGEST

VERSION = 1
ANNOTATED_SPLIT = "train"  # bench and test scenes are never refined


def annotate_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    annotators: Sequence[Annotator],
    advance: Callable[[], None],
) -> list[Record]:
    """Predict the classes of granules that are not done already; return the records of all.

    Only training scenes that have labels are shown to an annotator; other granules come to no
    prediction. TrainingFailed where an annotator cannot be loaded or a process does not end well.
    """
    ledger = Ledger(config.out)
    records: dict[str, Record] = {}
    due: dict[GranuleId, dict[str, Any]] = {}
    for granule in granules:
        parts = _parts(config, ledger, granule, annotators)
        kept = ledger.done(ANNOTATE, granule.name, digest_of(parts))
        if kept is not None:
            records[granule.name] = replace(kept, reused=True)
        elif granule.split != ANNOTATED_SPLIT or granule.is_unlabelled:
            with placing(ledger.path(ANNOTATE, granule.name, ".parquet")) as temporary:
                pq.write_table(PREDICTION_SCHEMA.empty_table(), temporary)
            records[granule.name] = _stored(config, ledger, granule, parts)
        else:
            due[granule] = parts
            continue
        advance()

    def done(granule: GranuleId) -> None:
        records[granule.name] = _stored(config, ledger, granule, due[granule])
        advance()

    tables = {granule: ledger.path(INGEST, granule.name, ".parquet") for granule in due}
    begun = perf_counter()
    show(config, ANNOTATE, tables, annotators, done, labelled=True)
    if due:
        asked = sum(records[granule.name].out for granule in due)
        rate = asked / (perf_counter() - begun)
        told(f"annotate: {asked:,} classes asked for, {rate:.1f} a second, loading included")
    return [records[granule.name] for granule in granules]


def _stored(
    config: BuildConfig, ledger: Ledger, granule: GranuleId, parts: dict[str, Any]
) -> Record:
    path = ledger.path(ANNOTATE, granule.name, ".parquet")
    table = pq.read_table(path, columns=["scene_id", "outcome"])
    outcomes = {
        f"{outcome['values']}": outcome["counts"]
        for outcome in table.column("outcome").value_counts().to_pylist()
    }
    record = Record(
        stage=ANNOTATE,
        granule=granule.name,
        key=digest_of(parts),
        parts=parts,
        outputs=(output_of(config.out, path, table.num_rows),),
        taken=table.num_rows,
        out=table.num_rows,
        tallies=dict(sorted(outcomes.items())),
        scenes=len(set(table.column("scene_id").to_pylist())),
    )
    ledger.store(record)
    return record


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides predictions but scenes and annotators."""
    return {"stage": VERSION, "sar_rendering": config.sar_rendering}


def _parts(
    config: BuildConfig, ledger: Ledger, granule: GranuleId, annotators: Sequence[Annotator]
) -> dict[str, Any]:
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    return {
        **decides(config),
        "scenes": scenes.outputs[0].sha256,
        "annotators": [[one.digest, sorted(one.names or ())] for one in annotators],
    }

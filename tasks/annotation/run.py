"""Annotate batches of granules: processes of their own predict, this one keeps the records."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq

from schemas.prediction import PREDICTION_SCHEMA
from tasks.annotation.folds import Annotator
from tasks.atomic import place_text, placing
from tasks.config import BuildConfig, digest_of
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger, Record, output_of
from tasks.training import num_gpus, require_torch, told_by

STAGE = "annotate"
VERSION = 1
ANNOTATED_SPLIT = "train"  # bench and test scenes are never refined


def annotate_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    annotators: Sequence[Annotator],
    advance: Callable[[], None],
) -> list[Record]:
    """Predict the classes of granules that are not done already; return the records of all.

    Only training scenes are shown to an annotator; other granules come to no prediction.
    TrainingFailed where an annotator cannot be loaded or a process does not end well.
    """
    ledger = Ledger(config.out)
    records: dict[str, Record] = {}
    due: dict[GranuleId, dict[str, Any]] = {}
    for granule in granules:
        parts = _parts(config, ledger, granule, annotators)
        done = ledger.done(STAGE, granule.name, digest_of(parts))
        if done is not None:
            records[granule.name] = replace(done, reused=True)
        elif granule.split != ANNOTATED_SPLIT:
            with placing(ledger.path(STAGE, granule.name, ".parquet")) as temporary:
                pq.write_table(PREDICTION_SCHEMA.empty_table(), temporary)
            records[granule.name] = _stored(config, ledger, granule, parts)
        else:
            due[granule] = parts
            continue
        advance()
    for record in _predicted(config, ledger, due, annotators, advance):
        records[record.granule] = record
    return [records[granule.name] for granule in granules]


def _predicted(
    config: BuildConfig,
    ledger: Ledger,
    due: Mapping[GranuleId, dict[str, Any]],
    annotators: Sequence[Annotator],
    advance: Callable[[], None],
) -> list[Record]:
    """Predict granules, each with what decides it, by a process a GPU or worker."""
    if not due:
        return []
    require_torch("annotation")
    number = min(num_gpus() or config.workers, len(due))
    parts = [dict(list(due.items())[part::number]) for part in range(number)]
    with ThreadPoolExecutor(number) as pool:
        works = [
            pool.submit(_work_off, config, ledger, part, own, annotators, advance)
            for part, own in enumerate(parts)
        ]
    return [record for work in works for record in work.result()]


def _work_off(
    config: BuildConfig,
    ledger: Ledger,
    part: int,
    due: Mapping[GranuleId, dict[str, Any]],
    annotators: Sequence[Annotator],
    advance: Callable[[], None],
) -> list[Record]:
    """Predict granules in one process; each that is done is kept, whatever becomes of others."""
    granules = list(due)
    jobs = {
        "models": [
            {"folder": str(one.model), "names": one.names and sorted(one.names)}
            for one in annotators
        ],
        "sar_rendering": config.sar_rendering,
        "batch_size": config.annotator.batch_size,
        "tables": [
            {
                "scenes": str(ledger.path(INGEST, granule.name, ".parquet")),
                "out": str(ledger.path(STAGE, granule.name, ".parquet")),
            }
            for granule in granules
        ],
    }
    file = ledger.path(STAGE, f"jobs-{part}", ".todo")
    place_text(file, json.dumps(jobs) + "\n")
    environment = dict(os.environ)
    if gpus := num_gpus():
        shown = environment.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
        environment["CUDA_VISIBLE_DEVICES"] = shown.split(",")[part]
    else:
        threads = max(1, (os.cpu_count() or 1) // config.workers)
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    command = [sys.executable, "-m", "terrascope_model.annotate", "--jobs", str(file)]
    log = ledger.path(STAGE, f"annotate-{part}", ".log")
    records = []
    for line in told_by(command, environment, log, "annotation"):
        if line.isdigit():
            granule = granules[int(line)]
            records.append(_stored(config, ledger, granule, due[granule]))
            advance()
    return records


def _stored(
    config: BuildConfig, ledger: Ledger, granule: GranuleId, parts: dict[str, Any]
) -> Record:
    path = ledger.path(STAGE, granule.name, ".parquet")
    table = pq.read_table(path, columns=["scene_id", "outcome"])
    outcomes = {
        f"{outcome['values']}": outcome["counts"]
        for outcome in table.column("outcome").value_counts().to_pylist()
    }
    record = Record(
        stage=STAGE,
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

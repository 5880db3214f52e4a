"""Show tables of scenes to annotators, in processes of their own: one a GPU or worker."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

from tasks.annotation.folds import Annotator
from tasks.atomic import place_text
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.training import num_gpus, require_torch, told_by


def show(
    config: BuildConfig,
    stage: str,
    tables: Mapping[GranuleId, Path],
    annotators: Sequence[Annotator],
    done: Callable[[GranuleId], None],
    *,
    labelled: bool,
) -> None:
    """Let annotators look at each granule's table of scenes; `done` is called as each ends.

    Of scenes that are `labelled` they are asked for the annotated classes, of others for all. What
    is found lies where the stage keeps a granule's file. `done` runs in the caller's context, so
    that what it makes belongs to the caller's run.

    TrainingFailed where an annotator cannot be loaded or a process does not end well; granules
    that were done before are.
    """
    if not tables:
        return
    require_torch("annotation")
    number = min(num_gpus() or config.workers, len(tables))
    parts = [dict(list(tables.items())[part::number]) for part in range(number)]
    with ThreadPoolExecutor(number) as pool:
        works = [
            pool.submit(
                copy_context().run, _work_off, config, stage, part, own, annotators, done, labelled
            )
            for part, own in enumerate(parts)
        ]
    for work in works:
        work.result()


def _work_off(
    config: BuildConfig,
    stage: str,
    part: int,
    tables: Mapping[GranuleId, Path],
    annotators: Sequence[Annotator],
    done: Callable[[GranuleId], None],
    labelled: bool,
) -> None:
    ledger = Ledger(config.out)
    granules = list(tables)
    jobs = {
        "labelled": labelled,
        "models": [
            {"folder": str(one.model), "names": one.names and sorted(one.names)}
            for one in annotators
        ],
        "sar_rendering": config.sar_rendering,
        "batch_size": config.annotator.batch_size,
        "tables": [
            {
                "scenes": str(tables[granule]),
                "out": str(ledger.path(stage, granule.name, ".parquet")),
            }
            for granule in granules
        ],
    }
    file = ledger.path(stage, f"jobs-{part}", ".todo")
    place_text(file, json.dumps(jobs) + "\n")
    environment = dict(os.environ)
    if gpus := num_gpus():
        shown = environment.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus))))
        environment["CUDA_VISIBLE_DEVICES"] = shown.split(",")[part]
    else:
        threads = max(1, (os.cpu_count() or 1) // config.workers)
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    command = [sys.executable, "-m", "terrascope_model.annotate", "--jobs", str(file)]
    log = ledger.path(stage, f"{stage}-{part}", ".log")
    for line in told_by(command, environment, log, "annotation"):
        if line.isdigit():
            done(granules[int(line)])

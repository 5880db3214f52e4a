"""L1: ask every scene of a granule what the templates can ask, and write all candidates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.asked_rows import asked_table
from tasks.atomic import placing
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_table import MEASURED_COLUMNS, asked_scenes
from tasks.stage_names import INGEST, L1
from templates.asked import AskedScene
from templates.draft import QuestionTemplate
from templates.item import propose
from templates.questions import L1_QUESTIONS

VERSION = 2
SCENES_A_READ = 32  # rows of the scene table held at a time


def ask_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write every safe question of a granule's scenes, unless that is done already."""
    return asked_of(config, granule, L1, decides(config), _templates(config))


def asked_of(
    config: BuildConfig,
    granule: GranuleId,
    stage: str,
    decided: Mapping[str, Any],
    templates: Sequence[QuestionTemplate],
) -> Record:
    """Write what some templates ask of a granule's scenes, unless a stage has done so already.

    `decided` is all that decides it but the scenes.
    """
    ledger = Ledger(config.out)
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    parts = {**decided, "scenes": scenes.outputs[0].sha256}
    key = digest_of(parts)
    done = ledger.done(stage, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    asked = read_asked(config, config.out / scenes.outputs[0].path)
    table, left_out = proposed(asked, templates, config.seed)
    path = ledger.path(stage, granule.name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
    record = Record(
        stage=stage,
        granule=granule.name,
        key=key,
        parts=parts,
        outputs=(output_of(config.out, path, table.num_rows),),
        taken=table.num_rows + sum(left_out.values()),
        out=table.num_rows,
        left_out=sum(left_out.values()),
        reasons=dict(sorted(left_out.items())),
        scenes=scenes.outputs[0].rows,
        scenes_out=len(set(table.column("scene_id").to_pylist())),
    )
    ledger.store(record)
    return record


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the questions but the scenes."""
    return {
        "stage": VERSION,
        "seed": config.seed,
        "sar_rendering": config.sar_rendering,
        "templates": [[t.task, t.version] for t in _templates(config)],
    }


def read_asked(config: BuildConfig, path: Path) -> Iterable[AskedScene]:
    """Yield the scenes of a scene table, without their pictures."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(SCENES_A_READ, columns=MEASURED_COLUMNS):
            yield from asked_scenes(pa.Table.from_batches([batch]), config.sar_rendering)


def ask_scenes(scenes: Iterable[AskedScene], config: BuildConfig) -> tuple[pa.Table, Counter[str]]:
    """Return the L1 candidates of a granule's scenes, and what was tried but not asked, by rule."""
    return proposed(scenes, _templates(config), config.seed)


def proposed(
    scenes: Iterable[AskedScene], templates: Sequence[QuestionTemplate], seed: int
) -> tuple[pa.Table, Counter[str]]:
    """Return what templates ask of some scenes, and what was tried but not asked, by rule."""
    return asked_table(scenes, lambda scene: propose(scene, templates, seed), seed)


def _templates(config: BuildConfig) -> list[QuestionTemplate]:
    return [template for template in L1_QUESTIONS if template.task in config.tasks]

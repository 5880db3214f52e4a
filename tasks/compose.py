"""L2: compose questions of several steps for the scenes of a granule, and write all candidates."""

from dataclasses import replace

import pyarrow.parquet as pq

from tasks.ask import read_asked
from tasks.asked_rows import asked_table
from tasks.atomic import placing
from tasks.config import BuildConfig, digest_of
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger, Record, output_of
from templates.composition import L2_QUESTIONS, QUESTIONS_A_SCENE, compose

STAGE = "l2"
VERSION = 1


def compose_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write the composed questions of a granule's scenes, unless that is done already."""
    ledger = Ledger(config.out)
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    key = _key(config, scenes)
    done = ledger.done(STAGE, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    asked = read_asked(config, config.out / scenes.outputs[0].path)
    table, left_out = asked_table(asked, lambda scene: compose(scene, config.seed), config.seed)
    path = ledger.path(STAGE, granule.name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
    record = Record(
        stage=STAGE,
        granule=granule.name,
        key=key,
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


def _key(config: BuildConfig, scenes: Record) -> str:
    kinds = [[kind.task, kind.version] for kinds in L2_QUESTIONS.values() for kind in kinds]
    return digest_of(
        {
            "stage": VERSION,
            "scenes": scenes.outputs[0].sha256,
            "seed": config.seed,
            "sar_rendering": config.sar_rendering,
            "questions": QUESTIONS_A_SCENE,
            "kinds": kinds,
        }
    )

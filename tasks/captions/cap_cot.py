"""Cap-CoT: one grounded caption a scene, written, checked against the masks, kept or refused."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from tasks.atomic import placing
from tasks.captions.call import PROMPT_VERSIONS
from tasks.captions.rule_writer import VERSION as RULES_VERSION
from tasks.captions.rule_writer import RuleWriter
from tasks.captions.scene import VERSION, Outcome, caption_scene
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.shards import write_rejects
from tasks.stage_names import CAP_COT as STAGE
from tasks.stage_names import INGEST
from tasks.writers.due import all_done, with_due_done
from tasks.writers.in_flight import MOST_OPEN, over_granules
from tasks.writers.opened import Served, opened, say_usage
from templates.caption import VERSION as CHECK_VERSION
from templates.prompts import CAP_COT

SCENES_A_READ = 8  # rows with pictures held at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One granule to caption: its scene table, and what its captions are decided by."""

    granule: GranuleId
    scenes: Record
    parts: dict[str, Any]

    @property
    def key(self) -> str:
        """The key under which it is done."""
        return digest_of(self.parts)


def caption_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Caption one granule by itself, unless that is done already: what a worker process does."""
    return caption_granules(config, [granule], served=None)[0]


def caption_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    served: Served | None,
    on_granule: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Caption granules with many scenes in flight at once; a finished granule is not redone.

    Args:
        config: What to build.
        granules: Which granules, all of them ingested.
        served: Where the build's own server answers, if there is one.
        on_granule: Called for every granule that is done, or was.

    Raises:
        UserError: the writer cannot be had, or too many of its calls fail.
    """
    ledger = Ledger(config.out)
    works = [_work(config, ledger, granule) for granule in granules]

    async def write(due: Mapping[GranuleId, Work]) -> Mapping[GranuleId, Record]:
        return await _caption(config, due, served, on_granule)

    return with_due_done(ledger, STAGE, works, write, on_granule)


def is_captioned(config: BuildConfig, granules: Sequence[GranuleId]) -> bool:
    """Return whether every granule is captioned as it would be now: then no server is needed."""
    ledger = Ledger(config.out)
    return all_done(ledger, STAGE, [_work(config, ledger, granule) for granule in granules])


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the captions but the scenes."""
    by_model = config.captioner.is_model
    return {
        "stage": VERSION,
        "check": CHECK_VERSION,
        "seed": config.seed,
        "sar_rendering": config.sar_rendering,
        "captioner": config.captioner.content(),
        "weights": config.captioner.writer_digest(),
        "rules": 0 if by_model else RULES_VERSION,
        "prompts": PROMPT_VERSIONS if by_model else CAP_COT.name,
    }


async def _caption(
    config: BuildConfig,
    due: Mapping[GranuleId, Work],
    served: Served | None,
    on_granule: Callable[[], None],
) -> Mapping[GranuleId, Record]:
    store = config.out / ".work" / "calls.sqlite"
    async with opened(config.captioner, store, served, RuleWriter()) as completer:

        async def scene(row: dict[str, Any]) -> Outcome:
            outcome = await caption_scene(
                row,
                completer,
                config.captioner,
                config.sar_rendering,
                config.seed,
                pictures=config.captioner.sees_pictures,
            )
            return outcome.without_pictures()

        async def finish(granule: GranuleId, outcomes: list[Outcome]) -> Record:
            record = await asyncio.to_thread(_write, config, due[granule], outcomes)
            on_granule()
            return record

        try:
            return await over_granules(
                list(due),
                rows=lambda granule: _scene_rows(config, due[granule]),
                scene=scene,
                finish=finish,
                most_open=max(MOST_OPEN, config.captioner.client.max_concurrency),
            )
        finally:
            say_usage(STAGE, completer)


def _scene_rows(config: BuildConfig, work: Work) -> Iterator[dict[str, Any]]:
    """Yield a granule's scenes, with pictures only where the writer looks at them."""
    path = config.out / work.scenes.outputs[0].path
    with pq.ParquetFile(path) as file:
        names = [
            name
            for name in file.schema_arrow.names
            if name != "images" or config.captioner.sees_pictures
        ]
        for batch in file.iter_batches(SCENES_A_READ, columns=names):
            yield from batch.to_pylist()


def _write(config: BuildConfig, work: Work, outcomes: Sequence[Outcome]) -> Record:
    ledger, name = Ledger(config.out), work.granule.name
    rows = [outcome.row for outcome in outcomes if outcome.row is not None]
    rejected = [outcome.rejected for outcome in outcomes if outcome.rejected is not None]
    left_out = Counter(f"caption: {o.left_out}" for o in outcomes if o.left_out)
    path = ledger.path(STAGE, name, ".parquet")
    with placing(path) as temporary:
        table = pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA)
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
    rejects = write_rejects(ledger.path(STAGE, name, ".rejects.parquet"), rejected)
    record = Record(
        stage=STAGE,
        granule=name,
        key=work.key,
        parts=work.parts,
        outputs=(
            output_of(config.out, path, len(rows)),
            output_of(config.out, rejects.path, len(rejected)),
        ),
        taken=len(outcomes),
        out=len(rows),
        rejected=len(rejected),
        left_out=sum(left_out.values()),
        reasons=dict(sorted(left_out.items())),
        tallies=dict(sorted(sum((o.tallies for o in outcomes), Counter[str]()).items())),
    )
    ledger.store(record)
    return record


def _work(config: BuildConfig, ledger: Ledger, granule: GranuleId) -> Work:
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    parts = {**decides(config), "scenes": scenes.outputs[0].sha256}
    return Work(granule=granule, scenes=scenes, parts=parts)

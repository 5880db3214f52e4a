"""Cap-CoT: one grounded caption a scene, written, checked against the masks, kept or refused."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from tasks.atomic import placing
from tasks.captions.call import PROMPT_VERSIONS
from tasks.captions.captioner import Served, opened
from tasks.captions.rule_writer import VERSION as RULES_VERSION
from tasks.captions.scene import STAGE, UNANSWERED, VERSION, Outcome, caption_scene
from tasks.completer import Completer
from tasks.completers.openai_completer import OpenAICompleter
from tasks.config import BuildConfig, digest_of
from tasks.errors import UserError
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger, Record, output_of
from tasks.progress import console
from tasks.shards import write_rejects
from templates.caption import VERSION as CHECK_VERSION
from templates.prompts import CAP_COT

SCENES_A_READ = 8  # rows with pictures held at a time
MOST_OPEN = 192  # scenes in hand at once, pictures and all: some hundred megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One granule to caption: its scene table, and the key under which it is done."""

    granule: GranuleId
    scenes: Record
    key: str


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
    done = {work.granule: _done(ledger, work) for work in works}
    due = [work for work in works if done[work.granule] is None]
    for _ in range(len(works) - len(due)):
        on_granule()
    fresh = asyncio.run(_caption(config, due, served, on_granule)) if due else {}
    records = []
    for work in works:
        record = done[work.granule]
        records.append(fresh[work.granule] if record is None else replace(record, reused=True))
    return records


def is_captioned(config: BuildConfig, granules: Sequence[GranuleId]) -> bool:
    """Return whether every granule is captioned as it would be now: then no server is needed."""
    ledger = Ledger(config.out)
    works = (_work(config, ledger, granule) for granule in granules)
    return all(_done(ledger, work) is not None for work in works)


def _done(ledger: Ledger, work: Work) -> Record | None:
    """Return a granule's record; one that lacks replies is done again: the others are stored."""
    record = ledger.done(STAGE, work.granule.name, work.key)
    return None if record is not None and record.tallies.get(UNANSWERED) else record


async def _caption(
    config: BuildConfig,
    works: Sequence[Work],
    served: Served | None,
    on_granule: Callable[[], None],
) -> dict[GranuleId, Record]:
    store = config.out / ".work" / "calls.sqlite"
    slots = asyncio.Semaphore(max(MOST_OPEN, config.captioner.client.max_concurrency))
    records: dict[GranuleId, Record] = {}

    async def scene(row: dict[str, Any], completer: Completer) -> Outcome:
        try:
            outcome = await caption_scene(
                row,
                completer,
                config.captioner,
                config.sar_rendering,
                config.seed,
                pictures=config.captioner.sees_pictures,
            )
            return outcome.without_pictures()
        finally:
            slots.release()

    async def finished(work: Work, jobs: list[asyncio.Task[Outcome]]) -> None:
        outcomes = await asyncio.gather(*jobs)
        records[work.granule] = await asyncio.to_thread(_write, config, work, outcomes)
        on_granule()

    async with opened(config.captioner, store, served) as completer:
        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    jobs = []
                    for row in _scene_rows(config, work):
                        await slots.acquire()
                        jobs.append(group.create_task(scene(row, completer)))
                    group.create_task(finished(work, jobs))
        except* UserError as errors:
            raise _first(errors) from errors
        finally:
            if isinstance(completer, OpenAICompleter):
                console.print(f"{STAGE}: {completer.usage()}", highlight=False, soft_wrap=True)
    return records


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    first: BaseException = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


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
    key = digest_of(
        {
            "stage": VERSION,
            "check": CHECK_VERSION,
            "scenes": scenes.outputs[0].sha256,
            "seed": config.seed,
            "sar_rendering": config.sar_rendering,
            "captioner": config.captioner.content(),
            "weights": config.captioner.writer_digest(),
            "rules": RULES_VERSION if not config.captioner.is_model else 0,
            "prompts": PROMPT_VERSIONS if config.captioner.is_model else CAP_COT.name,
        }
    )
    return Work(granule=granule, scenes=scenes, key=key)

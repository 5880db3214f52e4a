"""L2: compose questions of several steps for the scenes of granules, and write all candidates.

By rules this is work for the processes; with models, many scenes are in flight at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from schemas.rejection import Rejected
from tasks.ask import read_asked
from tasks.asked_rows import asked_table
from tasks.atomic import placing
from tasks.completer import Completer
from tasks.composition.call import PROMPT_VERSIONS
from tasks.composition.review import review
from tasks.composition.row import finished, written
from tasks.composition.scene import Outcome, compose_scene
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.shards import write_rejects
from tasks.stage_names import CAP_COT, INGEST, L2
from tasks.writers.due import all_done, with_due_done
from tasks.writers.in_flight import MOST_OPEN, over_granules
from tasks.writers.opened import Served, opened, say_usage
from tasks.writers.settings import WriterSettings
from templates.composed import VERSION as CHECK_VERSION
from templates.composition import L2_QUESTIONS, QUESTIONS_A_SCENE, compose
from templates.rulebook import RULES

VERSION = 1
SCENES_A_READ = 8  # rows with pictures held at a time
WRITERS = ("composer", "judge", "blind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One granule to compose for: its scene table, its captions if any, what decides the rest."""

    granule: GranuleId
    scenes: Record
    captions: Record | None
    parts: dict[str, Any]

    @property
    def key(self) -> str:
        """The key under which it is done."""
        return digest_of(self.parts)


def compose_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Compose one granule's questions by rules, unless that is done: what a process does."""
    ledger = Ledger(config.out)
    work = _work(config, ledger, granule)
    done = ledger.done(L2, granule.name, work.key)
    if done is not None:
        return replace(done, reused=True)
    table, left_out = _by_rules(config, work)
    return _store(config, work, table, [], left_out, Counter())


def compose_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    served: Mapping[str, Served],
    on_granule: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Compose questions where models have a part in it; a finished granule is not redone.

    Args:
        config: What to build.
        granules: Which granules, all of them ingested, and captioned if captions are made.
        served: Where the build's own servers answer, by what they are for (`WRITERS`).
        on_granule: Called for every granule that is done, or was.

    Raises:
        UserError: a writer cannot be had, or too many of its calls fail.
    """
    ledger = Ledger(config.out)
    works = [_work(config, ledger, granule) for granule in granules]

    async def write(due: Mapping[GranuleId, Work]) -> Mapping[GranuleId, Record]:
        return await _composed(config, due, served, on_granule)

    return with_due_done(ledger, L2, works, write, on_granule)


def is_composed(config: BuildConfig, granules: Sequence[GranuleId]) -> bool:
    """Return whether every granule's questions are as they would be now: no server is needed."""
    ledger = Ledger(config.out)
    return all_done(ledger, L2, [_work(config, ledger, granule) for granule in granules])


def writers_of(config: BuildConfig) -> dict[str, WriterSettings]:
    """Return the models that have a part in L2 questions, by what they are for."""
    composer = config.composer
    found = {"composer": composer, "judge": composer.judge, "blind": composer.blind}
    return {name: who for name, who in found.items() if who is not None and who.is_model}


def reads_captions(config: BuildConfig) -> bool:
    """Return whether captions are read: rules do not, nor is a stage that was not asked for."""
    return config.composer.is_model and CAP_COT in config.stages


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the questions but scenes and captions."""
    by_model = config.composer.is_model
    kinds = [[kind.task, kind.version] for kinds in L2_QUESTIONS.values() for kind in kinds]
    return {
        "stage": VERSION,
        "seed": config.seed,
        "sar_rendering": config.sar_rendering,
        "composer": config.composer.content(),
        "weights": {name: who.writer_digest() for name, who in writers_of(config).items()},
        "rules": [rule.name for rule in RULES],
        "questions": QUESTIONS_A_SCENE,
        "kinds": [] if by_model else kinds,
        "check": CHECK_VERSION if by_model else 0,
        "prompts": {name: PROMPT_VERSIONS[name] for name in writers_of(config)},
    }


async def _composed(
    config: BuildConfig,
    due: Mapping[GranuleId, Work],
    served: Mapping[str, Served],
    on_granule: Callable[[], None],
) -> Mapping[GranuleId, Record]:
    store = config.out / ".work" / "calls.sqlite"
    settings = config.composer
    async with AsyncExitStack() as stack:
        by_name: dict[str, Completer] = {}
        for name, who in writers_of(config).items():
            opening = opened(who, store, served.get(name))
            by_name[name] = await stack.enter_async_context(opening)
        composer = by_name.get("composer")

        async def scene(row: dict[str, Any]) -> Outcome:
            assert composer is not None, "without a composer no scene is read for one"
            return await compose_scene(
                row, row["caption"], composer, settings, config.sar_rendering, config.seed
            )

        async def finish(granule: GranuleId, outcomes: list[Outcome]) -> Record:
            work = due[granule]
            rows, rejected, left_out, tallies = (
                _by_rules_rows(config, work)
                if composer is None
                else await asyncio.to_thread(_gathered, outcomes, composer.identity)
            )
            reviewed = await review(
                rows, granule.source, settings, by_name.get("judge"), by_name.get("blind"),
                config.seed,
            )  # fmt: skip
            table = pa.Table.from_pylist(reviewed.rows, schema=CANDIDATE_SCHEMA)
            refused = [*rejected, *reviewed.rejected]
            record = _store(config, work, table, refused, left_out, tallies + reviewed.tallies)
            on_granule()
            return record

        try:
            return await over_granules(
                list(due),
                rows=lambda granule: _scene_rows(config, due[granule], composer is not None),
                scene=scene,
                finish=finish,
                most_open=max(MOST_OPEN, settings.client.max_concurrency),
            )
        finally:
            for name, completer in by_name.items():
                say_usage(f"{L2} {name}", completer)


Gathered = tuple[list[dict[str, Any]], list[Rejected], Counter[str], Counter[str]]


def _gathered(outcomes: Sequence[Outcome], who: Mapping[str, str]) -> Gathered:
    """Return rows, refusals, what was left out and what happened, of a granule by a model."""
    questions = [
        written(outcome.seen, composed, call, who)
        for outcome in outcomes
        if outcome.seen is not None
        for composed, call in outcome.kept
    ]
    left_out = Counter(f"any: {o.left_out}" for o in outcomes if o.left_out)
    left_out += Counter(
        {
            "any: asked_twice": sum(outcome.twice for outcome in outcomes),
            "any: more_than_asked_for": sum(outcome.spare for outcome in outcomes),
        }
    )
    tallies = sum((outcome.tallies for outcome in outcomes), Counter[str]())
    rejected = [rejected for outcome in outcomes for rejected in outcome.rejected]
    return finished(questions), rejected, left_out, tallies


def _by_rules_rows(config: BuildConfig, work: Work) -> Gathered:
    table, left_out = _by_rules(config, work)
    return table.to_pylist(), [], left_out, Counter()


def _by_rules(config: BuildConfig, work: Work) -> tuple[pa.Table, Counter[str]]:
    asked = read_asked(config, config.out / work.scenes.outputs[0].path)
    return asked_table(asked, lambda scene: compose(scene, config.seed), config.seed)


def _scene_rows(config: BuildConfig, work: Work, by_model: bool) -> Iterator[dict[str, Any]]:
    """Yield a granule's scenes with their captions, "" where there is none; none for rules."""
    if not by_model:
        return
    captions: dict[str, str] = {}
    if work.captions is not None:
        path = config.out / work.captions.outputs[0].path
        made = pq.read_table(path, columns=["scene_id", "answer"]).to_pylist()
        captions = {row["scene_id"]: row["answer"]["text"] for row in made}
    with pq.ParquetFile(config.out / work.scenes.outputs[0].path) as file:
        for batch in file.iter_batches(SCENES_A_READ):
            for row in batch.to_pylist():
                yield {**row, "caption": captions.get(row["scene_id"], "")}


def _store(
    config: BuildConfig,
    work: Work,
    table: pa.Table,
    rejected: Sequence[Rejected],
    left_out: Counter[str],
    tallies: Counter[str],
) -> Record:
    ledger, name = Ledger(config.out), work.granule.name
    path = ledger.path(L2, name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=1)
    rejects = write_rejects(ledger.path(L2, name, ".rejects.parquet"), rejected)
    record = Record(
        stage=L2,
        granule=name,
        key=work.key,
        parts=work.parts,
        outputs=(
            output_of(config.out, path, table.num_rows),
            output_of(config.out, rejects.path, len(rejected)),
        ),
        taken=table.num_rows + len(rejected) + sum(left_out.values()),
        out=table.num_rows,
        rejected=len(rejected),
        left_out=sum(left_out.values()),
        reasons=dict(sorted(left_out.items())),
        tallies=dict(sorted(tallies.items())),
        scenes=work.scenes.outputs[0].rows,
        scenes_out=len(set(table.column("scene_id").to_pylist())),
    )
    ledger.store(record)
    return record


def _work(config: BuildConfig, ledger: Ledger, granule: GranuleId) -> Work:
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    captions = ledger.load(CAP_COT, granule.name) if reads_captions(config) else None
    parts = {
        **decides(config),
        "scenes": scenes.outputs[0].sha256,
        "captions": captions.outputs[0].sha256 if captions else "",
    }
    return Work(granule=granule, scenes=scenes, captions=captions, parts=parts)

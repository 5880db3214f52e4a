"""The stages of a build, over batches of granules: plain functions that every engine runs.

`flows/pipeline.py` runs them as Prefect tasks, `flows/local.py` without Prefect. What goes in and
out are granule ids and counts, never scenes.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock

from tasks.annotation.folds import Annotator, Fold, annotator_in, fit, folds_of
from tasks.annotation.mark import mark_granules
from tasks.annotation.run import VERSION as ANNOTATE_VERSION
from tasks.annotation.run import annotate_granules
from tasks.ask import VERSION as L1_VERSION
from tasks.ask import ask_granule
from tasks.assemble import VERSION as SHARDS_VERSION
from tasks.assemble import write_granule
from tasks.bench_making.ask import ask_bench_granule
from tasks.bench_making.items import VERSION as BENCH_VERSION
from tasks.bench_making.items import Around, gather_around, item_granule
from tasks.bench_making.rephrase import VERSION as BENCH_WORDS_VERSION
from tasks.bench_making.rephrase import is_rephrased, rephrase_granules, words_stage
from tasks.captions.cap_cot import caption_granule, caption_granules, is_captioned
from tasks.captions.scene import VERSION as CAP_COT_VERSION
from tasks.compose import VERSION as L2_VERSION
from tasks.compose import compose_granule, compose_granules, is_composed, writers_of
from tasks.config import BuildConfig
from tasks.engine.run import GranuleWork, lanes_of, run_granules
from tasks.fingerprint import fingerprint_granule
from tasks.granules import (
    Batch,
    GranuleId,
    batches,
    empty_splits,
    read_catalogue,
    store_granule,
    store_other_splits,
)
from tasks.ingest import VERSION as INGEST_VERSION
from tasks.ingest import ingest_granule
from tasks.ledger import Ledger, Record
from tasks.manifest import GateResult
from tasks.planning.foresight import foresee
from tasks.planning.plan import plan_lines
from tasks.progress import Bar, told
from tasks.publish import Published, judge_candidate, publish
from tasks.refine import VERSION as REFINE_VERSION
from tasks.refine import candidates_stage, refine_granule
from tasks.selection import select
from tasks.shards import write_rejects
from tasks.stage_names import (
    ANNOTATE,
    BENCH,
    BENCH_ASK,
    BENCH_WORDS,
    CAP_COT,
    FINGERPRINT,
    INGEST,
    L1,
    L2,
    MADE_BY,
    MARK,
    SHARDS,
    refined_stage,
)
from tasks.storage.address import address_of
from tasks.storage.push import push
from tasks.writers.opened import Served, serving

STAGE_VERSIONS = {
    INGEST: INGEST_VERSION,
    CAP_COT: CAP_COT_VERSION,
    L1: L1_VERSION,
    L2: L2_VERSION,
    BENCH: BENCH_VERSION,
    BENCH_WORDS: BENCH_WORDS_VERSION,
    ANNOTATE: ANNOTATE_VERSION,
    refined_stage(L1): REFINE_VERSION,
    refined_stage(L2): REFINE_VERSION,
    SHARDS: SHARDS_VERSION,
}

TIERS_MADE = tuple(dict.fromkeys(MADE_BY.values()))  # the stages that make candidates
_ONE_MODEL = Lock()  # one batch at a time asks it, with as many calls in flight as it bears


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What there is to do: batches of granules, and what the indices found and refused.

    Every file of the granules `as_read` was looked at a moment ago, and is as it was when it was
    read.
    """

    batches: tuple[Batch, ...]
    num_scenes: int
    num_refused: int
    as_read: frozenset[str] = frozenset()

    def with_marked(self, marked: Sequence["Done"]) -> "Plan":
        """Return the plan with the granules of scenes that an annotator marked."""
        return replace(self, batches=(*self.batches, *(done.batch for done in marked)))

    @property
    def granules(self) -> list[GranuleId]:
        """All granules, in order."""
        return [granule for batch in self.batches for granule in batch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one stage did with one batch: taken = out + rejected + left_out.

    `reused` counts granules that were kept as they were, `anew` what of `taken` is of the others.
    """

    stage: str
    batch: Batch
    taken: int
    out: int
    rejected: int
    left_out: int
    reused: int
    anew: int


def list_sources(config: BuildConfig, say: Callable[[str], None] | None = None) -> Plan:
    """Read every archive's index, and keep the listing of each granule on disk.

    What is to be done, and why, is said before.
    """
    catalogue = read_catalogue(config)
    as_read: frozenset[str] = frozenset()
    if say is None:
        for line in empty_splits(config, catalogue):
            told(line)
    else:
        foreseen = foresee(config, catalogue)
        as_read = foreseen.as_read
        for line in plan_lines(foreseen):
            say(line)
    ledger = Ledger(config.out)
    for granule in catalogue.granules:
        store_granule(ledger, granule)
    write_rejects(ledger.path("index", "all", ".rejects.parquet"), catalogue.rejected)
    if config.splits:
        store_other_splits(ledger, catalogue.num_other_splits)
    return Plan(
        batches=tuple(batches(catalogue.granules, lanes_of(config))),
        num_scenes=catalogue.num_scenes,
        num_refused=len(catalogue.rejected),
        as_read=as_read,
    )


def ingest_batch(config: BuildConfig, batch: Batch, as_read: frozenset[str] = frozenset()) -> Done:
    """Read the scenes of a batch of granules; of those `as_read` no file is looked at again."""
    ledger = Ledger(config.out)
    kept = {name: ledger.load(INGEST, name) for g in batch if (name := g.name) in as_read}
    records = [replace(record, reused=True) for record in kept.values() if record is not None]
    due = tuple(granule for granule in batch if kept.get(granule.name) is None)
    records += _records(INGEST, ingest_granule, config, due)
    return _done(INGEST, batch, records)


def ask_batch(config: BuildConfig, scenes: Done) -> Done:
    """Ask every scene of a batch that was ingested."""
    return _run(L1, ask_granule, config, scenes.batch)


def ask_bench_batch(config: BuildConfig, scenes: Done) -> Done:
    """Ask what a bench can ask of a batch that was ingested."""
    return _run(BENCH_ASK, ask_bench_granule, config, scenes.batch)


def gather_bench(config: BuildConfig, asked: Sequence[Done]) -> Around:
    """Gather what options are picked from, and the training scenes that a bench must not show."""
    return gather_around(config, [granule for done in asked for granule in done.batch])


def item_batch(config: BuildConfig, asked: Done, around: Around) -> Done:
    """Make the items of a batch whose questions were asked."""
    return _run(BENCH, partial(item_granule, around=around), config, asked.batch)


def compose_batch(config: BuildConfig, scenes: Done, served: Mapping[str, Served]) -> Done:
    """Compose questions of several steps for every scene of a batch that was ingested."""
    if not config.composer.asks_models:
        return _run(L2, compose_granule, config, scenes.batch)
    with _ONE_MODEL, Bar(L2, len(scenes.batch)).shown() as bar:
        records = compose_granules(config, scenes.batch, served, bar.advance)
    return _done(L2, scenes.batch, records)


def caption_batch(config: BuildConfig, scenes: Done, served: Served | None) -> Done:
    """Caption every scene of a batch: in the worker processes, or by a model that is served."""
    if not config.captioner.is_model:
        return _run(CAP_COT, caption_granule, config, scenes.batch)
    with _ONE_MODEL, Bar(CAP_COT, len(scenes.batch)).shown() as bar:
        records = caption_granules(config, scenes.batch, served, bar.advance)
    return _done(CAP_COT, scenes.batch, records)


@contextmanager
def captioner_for(config: BuildConfig, scenes: Sequence[Done]) -> Iterator[Served | None]:
    """Serve the captioner's model while captions are due; nothing is started where none are."""
    granules = [granule for done in scenes for granule in done.batch]
    if config.captioner.kind != "vllm" or is_captioned(config, granules):
        yield None
        return
    with serving(config.captioner, config.out / ".work") as served:
        yield served


@contextmanager
def composers_for(config: BuildConfig, scenes: Sequence[Done]) -> Iterator[Mapping[str, Served]]:
    """Serve the models that compose, judge and guess, while questions are due."""
    granules = [granule for done in scenes for granule in done.batch]
    due = {name: who for name, who in writers_of(config).items() if who.kind == "vllm"}
    if not due or is_composed(config, granules):
        yield {}
        return
    with ExitStack() as stack:
        served = {
            name: stack.enter_context(serving(who, config.out / ".work" / name))
            for name, who in due.items()
        }
        yield {name: one for name, one in served.items() if one is not None}


def folds_to_fit(config: BuildConfig, scenes: Sequence[Done]) -> list[Fold]:
    """Return the annotators that are to be trained, with what each learns on; none of a model."""
    if config.annotator.kind != "train":
        return []
    return folds_of(config, [granule for done in scenes for granule in done.batch])


def fit_annotator(config: BuildConfig, fold: Fold, say: Callable[[str], None]) -> None:
    """Train a fold's annotator, and say what is said meanwhile."""
    for line in fit(fold, config.annotator):
        say(line)


def annotators_of(config: BuildConfig, folds: Sequence[Fold]) -> list[Annotator]:
    """Return the annotators: of each fold the one that was trained, or the one for all."""
    if config.annotator.kind == "folder":
        return [annotator_in(Path(config.annotator.model))]
    return [annotator_in(fold.model) for fold in folds]


def mark_batch(config: BuildConfig, scenes: Done, annotators: Sequence[Annotator]) -> Done:
    """Mark the scenes of a batch that have no labels; return the batch of marked scenes."""
    if not config.annotator.unlabelled:
        return _done(INGEST, Batch.of(()), [])
    with _ONE_MODEL, Bar(MARK, len(scenes.batch)).shown() as bar:
        records = mark_granules(config, scenes.batch, annotators, bar.advance)
    names = {record.granule for record in records}
    marked = Batch.of(g.unlabelled for g in scenes.batch if g.unlabelled.name in names)
    return _done(INGEST, marked, records)


def annotate_batch(config: BuildConfig, scenes: Done, annotators: Sequence[Annotator]) -> Done:
    """Predict masks of the classes of a batch's training scenes, in processes of their own."""
    with _ONE_MODEL, Bar(ANNOTATE, len(scenes.batch)).shown() as bar:
        records = annotate_granules(config, scenes.batch, annotators, bar.advance)
    return _done(ANNOTATE, scenes.batch, records)


def refine_batch(config: BuildConfig, made: Done) -> Done:
    """Refine the masks of what a stage made of a batch."""
    work = partial(refine_granule, stage=made.stage)
    return _run(refined_stage(made.stage), work, config, made.batch)


def candidates_made(config: BuildConfig) -> list[str]:
    """Return the stages whose candidates are selected from."""
    return [candidates_stage(config, stage) for stage in TIERS_MADE if stage in config.stages]


def fingerprint_batch(config: BuildConfig, scenes: Done) -> Done:
    """Make what near-duplicates are found by, of every candidate of a batch."""
    made = candidates_made(config)
    return _run(FINGERPRINT, partial(fingerprint_granule, made=made), config, scenes.batch)


def select_samples(config: BuildConfig, plan: Plan) -> int:
    """Decide which candidates of all granules are kept, on disk; return how many."""
    return select(config, plan.granules, candidates_made(config))


def rephrase_batch(config: BuildConfig, items: Done, served: Served | None) -> Done:
    """Have a model put what is kept of a batch's bench questions in other words."""
    with _ONE_MODEL, Bar(BENCH_WORDS, len(items.batch)).shown() as bar:
        records = rephrase_granules(config, items.batch, served, bar.advance)
    return _done(BENCH_WORDS, items.batch, records)


@contextmanager
def rephraser_for(config: BuildConfig, items: Sequence[Done]) -> Iterator[Served | None]:
    """Serve the composer's model while questions are due; nothing is started where none are."""
    granules = [granule for done in items for granule in done.batch]
    if config.composer.kind != "vllm" or is_rephrased(config, granules):
        yield None
        return
    with serving(config.composer, config.out / ".work" / "composer") as served:
        yield served


def write_batch(config: BuildConfig, made: Done) -> list[Done]:
    """Write the shards of what a stage made of a batch, tier by tier; selection comes before."""
    last = words_stage(config, made.stage)
    passed = {s: STAGE_VERSIONS[s] for s in (INGEST, made.stage, last, SHARDS)}
    stages = json.dumps(passed, sort_keys=True)
    return [
        _run(SHARDS, partial(write_granule, tier=tier, stages=stages), config, made.batch)
        for tier, stage in MADE_BY.items()
        if stage == made.stage
    ]


def judge_dataset(
    config: BuildConfig, plan: Plan, annotators: Sequence[Annotator] = (), run: str = ""
) -> tuple[GateResult, ...]:
    """Judge by its gates what the stages left on disk; `run` names the run of it."""
    refined = {candidates_stage(config, stage) for stage in config.stages} - {*config.stages}
    annotating = (ANNOTATE, *sorted(refined)) if config.annotates else ()
    words = (BENCH_WORDS,) if config.rephrases else ()
    stages = (INGEST, *config.stages, *annotating, *words, SHARDS)
    passed = {stage: STAGE_VERSIONS[stage] for stage in stages}
    digests = [one.digest for one in annotators]
    return judge_candidate(config, plan.granules, passed, digests, run)


def publish_dataset(config: BuildConfig, plan: Plan, judged: Sequence[GateResult]) -> Published:
    """Make a finished dataset of what was judged; Unpublished where a gate does not hold."""
    return publish(config, plan.granules, judged)


def store_dataset(config: BuildConfig, published: Published) -> bool:
    """Mirror a published dataset to its storage, if it has one; return whether it is new there."""
    if not config.storage:
        return False
    pushed = push(published.dataset, address_of(config.storage))
    told(pushed.told)
    return pushed.changed


def _run(stage: str, work: GranuleWork, config: BuildConfig, batch: Batch) -> Done:
    return _done(stage, batch, _records(stage, work, config, batch))


def _records(
    stage: str, work: GranuleWork, config: BuildConfig, batch: Sequence[GranuleId]
) -> list[Record]:
    """Return the records of a batch, in the order in which its granules are finished."""
    with Bar(stage, len(batch)).shown() as bar:
        records = []
        for record in run_granules(work, config, batch):
            records.append(record)
            bar.advance()
    return records


def _done(stage: str, batch: Batch, records: list[Record]) -> Done:
    return Done(
        stage=stage,
        batch=batch,
        taken=sum(record.taken for record in records),
        out=sum(record.out for record in records),
        rejected=sum(record.rejected for record in records),
        left_out=sum(record.left_out for record in records),
        reused=sum(record.reused for record in records),
        anew=sum(record.taken for record in records if not record.reused),
    )

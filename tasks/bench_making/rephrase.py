"""The questions of a bench in a model's words, where a program finds that these ask the same.

Only what selection kept is asked for: an item, its id and its options are as without a model. What
fails keeps its template's question, and is counted by task and reason.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from schemas.program import load_program
from schemas.rejection import Reason
from tasks.atomic import placing
from tasks.bench_making.rephrase_call import (
    PROMPT_VERSIONS,
    read_wording,
    repair_call,
    rephrase_call,
    reworded_json,
)
from tasks.completer import CallFailed, Completer, FailedBecause, Reply
from tasks.composition.settings import ComposerSettings
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.refine import candidates_stage
from tasks.scene_table import read_words
from tasks.selection import decisions_of
from tasks.stage_names import BENCH, BENCH_WORDS, INGEST
from tasks.writers.due import UNANSWERED, all_done, with_due_done
from tasks.writers.in_flight import MOST_OPEN, over_granules
from tasks.writers.opened import Served, opened, say_usage
from templates.rewording import VERSION as CHECK_VERSION
from templates.rewording import all_names, misworded, names_of

VERSION = 1
UNCHANGED = "unchanged"  # the model wrote the template's question


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One granule whose items get other words: the items, which of them are kept, the scenes."""

    granule: GranuleId
    items: Record
    scenes: Record
    kept: frozenset[str]
    parts: dict[str, Any]

    @property
    def key(self) -> str:
        """The key under which it is done."""
        return digest_of(self.parts)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a question: other words and who wrote them, or why the template's stay."""

    sample_id: str
    task: str
    question: str = ""
    writer: str = ""
    why: str = ""
    tallies: Counter[str] = field(default_factory=Counter)


def words_stage(config: BuildConfig, stage: str) -> str:
    """Return the stage whose rows shards are written of: of a bench, what other words were for."""
    if config.rephrases and stage == BENCH:
        return BENCH_WORDS
    return candidates_stage(config, stage)


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the words but the items."""
    return {
        "stage": VERSION,
        "composer": config.composer.content(),
        "weights": {"composer": config.composer.writer_digest()},
        "check": CHECK_VERSION,
        "prompts": PROMPT_VERSIONS,
    }


def kept_digest(ledger: Ledger, granule: GranuleId) -> str:
    """Return the digest of which of a granule's items selection kept."""
    return digest_of(sorted(_kept(ledger, granule)))


def rephrase_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    served: Served | None,
    on_granule: Callable[[], None] = lambda: None,
) -> list[Record]:
    """Rephrase what is kept of granules' items, many calls at once; what is done is not redone.

    Args:
        config: What to build.
        granules: Which granules; what is kept of them was decided by `tasks.selection`.
        served: Where the build's own server answers, if there is one.
        on_granule: Called for every granule that is done, or was.

    Raises:
        UserError: the model cannot be had, or too many of its calls fail.
    """
    ledger = Ledger(config.out)
    works = [_work(config, ledger, granule) for granule in granules]

    async def write(due: Mapping[GranuleId, Work]) -> Mapping[GranuleId, Record]:
        return await _rephrased(config, due, served, on_granule)

    return with_due_done(ledger, BENCH_WORDS, works, write, on_granule)


def is_rephrased(config: BuildConfig, granules: Sequence[GranuleId]) -> bool:
    """Return whether every granule's words are as they would be now: no server is needed."""
    ledger = Ledger(config.out)
    return all_done(ledger, BENCH_WORDS, [_work(config, ledger, granule) for granule in granules])


async def rephrase(
    row: Mapping[str, Any], source: str, completer: Completer, settings: ComposerSettings, seed: int
) -> Outcome:
    """Ask for other words for a candidate, told once what is wrong with them.

    `row` holds the `names` of its classes and all those `known` in its scene, too.
    """
    outcome = Outcome(sample_id=row["sample_id"], task=row["task"])
    call = rephrase_call(row, source, settings.sampling(seed))
    try:
        for turn in range(1 + settings.repairs):
            if turn:
                outcome.tallies["repair turns"] += 1
            reply = await completer.complete(call)
            said, outcome.why, told = _read(reply, row, outcome.tallies)
            if not outcome.why:
                outcome.question = said
                outcome.writer = reworded_json(completer.identity, call, row["question"])
                return outcome
            call = repair_call(call, reply.text, told)
    except CallFailed as failure:
        outcome.why = outcome.why or Reason.CALL_FAILED.value
        if failure.because is not FailedBecause.REFUSED:  # another time it may be answered
            outcome.tallies[UNANSWERED] += 1
    return outcome


def _read(reply: Reply, row: Mapping[str, Any], tallies: Counter[str]) -> tuple[str, str, str]:
    """Return the wording of a reply, why it cannot be used, "" if it can, and how that is told."""
    tallies["replies"] += 1
    tallies["prompt tokens"] += reply.prompt_tokens
    tallies["completion tokens"] += reply.completion_tokens
    said = read_wording(reply.text)
    if said is None:
        return "", Reason.BAD_REPLY.value, 'the reply is not {"question": "..."} and nothing else'
    if said == row["question"]:
        return said, UNCHANGED, "it is the question as it was; use other words"
    due, names, known = row["question"], row["names"], row["known"]
    wrong = misworded(row["task"], due, said, names, known, row["options"])
    return (said, wrong.why.value, wrong.detail) if wrong else (said, "", "")


async def _rephrased(
    config: BuildConfig,
    due: Mapping[GranuleId, Work],
    served: Served | None,
    on_granule: Callable[[], None],
) -> Mapping[GranuleId, Record]:
    settings = config.composer
    async with opened(settings, config.out / ".work" / "calls.sqlite", served) as completer:

        async def question(row: dict[str, Any]) -> Outcome:
            return await rephrase(row, row["source"], completer, settings, config.seed)

        async def finish(granule: GranuleId, outcomes: list[Outcome]) -> Record:
            record = await asyncio.to_thread(_store, config, due[granule], outcomes)
            on_granule()
            return record

        try:
            return await over_granules(
                list(due),
                rows=lambda granule: _asked(config, due[granule]),
                scene=question,
                finish=finish,
                most_open=max(MOST_OPEN, settings.client.max_concurrency),
            )
        finally:
            say_usage(BENCH_WORDS, completer)


def _asked(config: BuildConfig, work: Work) -> Iterator[dict[str, Any]]:
    """Yield what is kept of a granule's items, with how their classes are called."""
    scenes = pq.read_table(
        config.out / work.scenes.outputs[0].path, columns=["scene_id", "words"]
    ).to_pylist()
    words = {scene["scene_id"]: read_words(scene["words"]) for scene in scenes}
    columns = ["sample_id", "scene_id", "task", "question", "options", "program"]
    items = pq.read_table(config.out / work.items.outputs[0].path, columns=columns)
    for row in items.to_pylist():
        if row["sample_id"] in work.kept:
            called = words[row["scene_id"]]
            names = names_of(load_program(row["program"]), called)
            known = all_names(called)
            yield {**row, "source": work.granule.source, "names": names, "known": known}


def _store(config: BuildConfig, work: Work, outcomes: Sequence[Outcome]) -> Record:
    """Write all items of a granule, those with other words in these."""
    ledger, name = Ledger(config.out), work.granule.name
    found = {o.sample_id: o for o in outcomes if not o.why}
    rows = [
        {**row, "question": said.question, "writer": said.writer}
        if (said := found.get(row["sample_id"]))
        else row
        for row in pq.read_table(config.out / work.items.outputs[0].path).to_pylist()
    ]
    path = ledger.path(BENCH_WORDS, name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA), temporary)
    stays = Counter(f"{o.task}: {o.why}" for o in outcomes if o.why)
    record = Record(
        stage=BENCH_WORDS,
        granule=name,
        key=work.key,
        parts=work.parts,
        outputs=(output_of(config.out, path, len(rows)),),
        taken=len(outcomes),
        out=len(found),
        left_out=stays.total(),
        reasons=dict(sorted(stays.items())),
        tallies=dict(sorted(sum((o.tallies for o in outcomes), Counter[str]()).items())),
    )
    ledger.store(record)
    return record


def _work(config: BuildConfig, ledger: Ledger, granule: GranuleId) -> Work:
    items, scenes = ledger.load(BENCH, granule.name), ledger.load(INGEST, granule.name)
    assert items is not None, f"{BENCH} has not run for {granule.name}"
    assert scenes is not None, f"{granule.name} was not ingested"
    kept = _kept(ledger, granule)
    parts = {
        **decides(config),
        "items": items.outputs[0].sha256,
        "kept": digest_of(sorted(kept)),
    }
    return Work(granule=granule, items=items, scenes=scenes, kept=kept, parts=parts)


def _kept(ledger: Ledger, granule: GranuleId) -> frozenset[str]:
    return frozenset(id_ for id_, why in decisions_of(ledger, granule).items() if not why)

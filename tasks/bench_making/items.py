"""The items of a bench, of one granule: options of all scenes, training scenes refused."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from schemas.rejection import Reason, Rejected
from schemas.tier import BENCH_SPLIT
from schemas.trace import ANSWER_CLOSE, ANSWER_OPEN
from schemas.value import Quantity
from tasks.atomic import placing
from tasks.bench_making.answers import (
    Answers,
    answers_path,
    gather_answers,
    others_of,
    read_answers,
)
from tasks.bench_making.trained import Trained, keep_trained, seen_scenes, trained_of
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.publication.footprints import footprint_granule, read_footprints
from tasks.shards import write_rejects
from tasks.stage_names import BENCH, BENCH_ASK
from templates.bench import BENCH_QUESTIONS
from templates.item import LETTERS
from templates.options import group_options

VERSION = 1
TOO_FEW_OPTIONS = "too_few_options"
OTHER_SPLIT = "other_split"  # asked for its answer alone
_OPTIONS_DUE = {template.task: template.options_due for template in BENCH_QUESTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the items of a granule take from outside of it.

    `answers` are digests by source of what options are picked from, `trained` the datasets whose
    training scenes are refused.
    """

    answers: dict[str, str]
    trained: tuple[Trained, ...] = ()


def gather_around(config: BuildConfig, granules: Sequence[GranuleId]) -> Around:
    """Gather answers and training scenes; all granules have been asked."""
    return Around(
        answers=gather_answers(config, granules),
        trained=keep_trained(Ledger(config.out), config.bench.against),
    )


def item_granule(config: BuildConfig, granule: GranuleId, around: Around) -> Record:
    """Write the items of a granule's questions, unless that is done already."""
    ledger = Ledger(config.out)
    asked = ledger.load(BENCH_ASK, granule.name)
    assert asked is not None, f"{BENCH_ASK} has not run for {granule.name}"
    parts = {
        **_decided(config, around.trained),
        "asked": asked.outputs[0].sha256,
        "answers": around.answers[granule.source],
    }
    key = digest_of(parts)
    done = ledger.done(BENCH, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    rows = pq.read_table(config.out / asked.outputs[0].path).to_pylist()
    made = _made(config, granule, around, rows)
    items, refused, left_out = made.items, made.refused, made.left_out + Counter(asked.reasons)
    path = ledger.path(BENCH, granule.name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(items, schema=CANDIDATE_SCHEMA), temporary)
    rejects = write_rejects(ledger.path(BENCH, granule.name, ".rejects.parquet"), refused)
    record = Record(
        stage=BENCH,
        granule=granule.name,
        key=key,
        parts=parts,
        outputs=(
            output_of(config.out, path, len(items)),
            output_of(config.out, rejects.path, rejects.rows),
        ),
        taken=asked.taken,
        out=len(items),
        rejected=len(refused),
        left_out=left_out.total(),
        reasons=dict(sorted(left_out.items())),
        scenes=asked.scenes,
        scenes_out=len({item["scene_id"] for item in items}),
    )
    ledger.store(record)
    return record


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides the items but the questions and what is around them."""
    return _decided(config, [trained_of(dataset) for dataset in config.bench.against])


def _decided(config: BuildConfig, trained: Sequence[Trained]) -> dict[str, Any]:
    return {
        "stage": VERSION,
        "options_from": config.bench.options_from,
        "against": [[one.name, one.digest] for one in trained],
    }


def with_options(row: dict[str, Any], answers: Mapping[str, Answers]) -> dict[str, Any] | None:
    """Return a candidate with options; None where they cannot be had.

    What has a fixed set of options has them already. The others are true answers of other scenes
    to the same kind of question (`answers`), picked blind to which of them is true.
    """
    if row["options"]:
        return row
    answer = row["answer"]
    value = Quantity(answer["value"], answer["unit"], answer["low"], answer["high"])
    rng, due = Random(row["sample_id"]), _OPTIONS_DUE[row["task"]]
    picked = group_options(value, others_of(row, answers), False, rng, due)
    if picked is None:
        return None
    text = answer["text"]
    letter = LETTERS[picked.index(text)]
    steps = row["trace"].removesuffix(f"{ANSWER_OPEN}{text}{ANSWER_CLOSE}")
    return {
        **row,
        "form": "choice",
        "options": list(picked),
        "answer": {**answer, "letter": letter},
        "trace": f"{steps}{ANSWER_OPEN}{letter}. {text}{ANSWER_CLOSE}",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    items: list[dict[str, Any]]
    refused: list[Rejected]
    left_out: Counter[str]


def _made(
    config: BuildConfig, granule: GranuleId, around: Around, rows: list[dict[str, Any]]
) -> _Made:
    """Return what becomes of a granule's questions."""
    made = _Made(items=[], refused=[], left_out=Counter())
    if granule.split != BENCH_SPLIT:
        made.left_out.update(f"{row['task']}: {OTHER_SPLIT}" for row in rows)
        return made
    seen = _seen(config, granule, around) if around.trained else {}
    path = answers_path(Ledger(config.out), granule.source, around.answers[granule.source])
    answers = read_answers(path)
    for row in rows:
        if why := seen.get(row["scene_id"]):
            made.refused.append(_refused(row, granule.source, why))
        elif item := with_options(row, answers):
            made.items.append(item)
        else:
            made.left_out[f"{row['task']}: {TOO_FEW_OPTIONS}"] += 1
    return made


def _seen(config: BuildConfig, granule: GranuleId, around: Around) -> dict[str, str]:
    footprint_granule(config, granule)
    ledger = Ledger(config.out)
    return seen_scenes(read_footprints(ledger, granule), ledger, around.trained)


def _refused(row: dict[str, Any], source: str, why: str) -> Rejected:
    return Rejected(
        sample_id=row["sample_id"],
        source=source,
        stage=BENCH,
        reason=Reason.SEEN_IN_TRAINING,
        detail=f"{row['scene_id']}: {why}",
    )

"""L1: ask every scene of a granule what the templates can ask, and write all candidates."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA
from schemas.tier import Tier
from schemas.value import Quantity
from schemas.verdict import Verdict
from tasks.atomic import placing
from tasks.config import BuildConfig, digest_of
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_table import MEASURED_COLUMNS, asked_scenes
from tasks.step_masks import StepMasks
from templates.asked import AskedScene
from templates.draft import QuestionTemplate, StepDraft
from templates.item import Asking, Item, finish, propose
from templates.questions import L1_QUESTIONS

STAGE = "l1"
VERSION = 2
SCENES_A_READ = 32  # rows of the scene table held at a time


def ask_granule(config: BuildConfig, granule: GranuleId) -> Record:
    """Write every safe question of a granule's scenes, unless that is done already."""
    ledger = Ledger(config.out)
    scenes = ledger.load(INGEST, granule.name)
    assert scenes is not None, f"{granule.name} was not ingested"
    key = _key(config, scenes)
    done = ledger.done(STAGE, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    table, left_out = ask_scenes(read_asked(config, config.out / scenes.outputs[0].path), config)
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


def read_asked(config: BuildConfig, path: Path) -> Iterable[AskedScene]:
    """Yield the scenes of a scene table, without their pictures."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(SCENES_A_READ, columns=MEASURED_COLUMNS):
            yield from asked_scenes(pa.Table.from_batches([batch]), config.sar_rendering)


def ask_scenes(scenes: Iterable[AskedScene], config: BuildConfig) -> tuple[pa.Table, Counter[str]]:
    """Return the candidates of some scenes, and what was tried but not asked, by rule.

    All scenes of a granule must come in one call: options are other scenes' answers.
    """
    left_out: Counter[str] = Counter()
    askings: list[Asking] = []
    masks: list[list[dict[str, Any]]] = []
    for scene in scenes:
        cutter = StepMasks(scene.measured)
        for asking in propose(scene, _templates(config), config.seed):
            askings.append(asking)
            masks.append([_mask_row(scene, step, asking, cutter) for step in _grounded(asking)])
        left_out.update(scene.left_out)
    items = finish(askings, config.seed)
    rows = [_row(item, held, config.seed) for item, held in zip(items, masks, strict=True)]
    return pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA), left_out


def _grounded(asking: Asking) -> list[StepDraft]:
    return [step for step in asking.draft.words.steps if step.mask is not None]


def _mask_row(
    scene: AskedScene, step: StepDraft, asking: Asking, cutter: StepMasks
) -> dict[str, Any]:
    counts, origin, program = cutter.get(step.mask)
    return {
        "label": step.label,
        "image_index": asking.draft.view.image_of_date(step.date_index),
        "size": list(scene.measured.evidence.size_HW),
        "counts": counts,
        "origin": origin,
        "iou": 1.0,
        "program": program,
    }


def _row(item: Item, masks: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return one row of `CANDIDATE_SCHEMA`."""
    asking, draft = item.asking, item.asking.draft
    return {
        "sample_id": item.sample_id,
        "scene_id": asking.scene_id,
        "tier": Tier.L1.value,
        "task": asking.template.task,
        "form": "choice" if item.options else "open",
        "classes": list(draft.words.classes),
        "question": draft.question,
        "title": "",
        "options": list(item.options),
        "answer": _answer(item),
        "steps": _steps(item),
        "trace": item.trace.text,
        "fact_spans": [{"start": start, "end": end} for start, end in item.trace.fact_spans],
        "claims": [],
        "masks": masks,
        "program": item.program_json,
        "image_indices": list(draft.view.image_indices),
        "template": asking.template.task,
        "template_version": asking.template.version,
        "seed": seed,
        "writer": "",
        "group": item.group,
        "answer_key": item.answer_key,
        "num_answers": len(draft.words.choices),
    }


def _answer(item: Item) -> dict[str, Any]:
    value = item.asking.draft.value
    number = value if isinstance(value, Quantity) else None
    return {
        "text": item.text,
        "letter": item.letter,
        "value": number and number.value,
        "unit": number.unit if number else "",
        "low": number and number.low,
        "high": number and number.high,
    }


def _steps(item: Item) -> list[dict[str, Any]]:
    """Return the steps; grounded ones count their masks in order."""
    view = item.asking.draft.view
    rows: list[dict[str, Any]] = []
    num_masks = 0
    for step, text in zip(item.asking.draft.words.steps, item.trace.steps, strict=True):
        grounded = step.mask is not None
        rows.append(
            {
                "text": text,
                "mask_index": num_masks if grounded else -1,
                "image_index": view.image_of_date(step.date_index),
                "verdict": Verdict.PROVED.value,
            }
        )
        num_masks += grounded
    return rows


def _templates(config: BuildConfig) -> list[QuestionTemplate]:
    return [template for template in L1_QUESTIONS if template.task in config.tasks]


def _key(config: BuildConfig, scenes: Record) -> str:
    return digest_of(
        {
            "stage": VERSION,
            "scenes": scenes.outputs[0].sha256,
            "seed": config.seed,
            "sar_rendering": config.sar_rendering,
            "templates": [[t.task, t.version] for t in _templates(config)],
        }
    )

"""Questions that templates ask of scenes, as rows of candidates, whatever their tier."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from schemas.parquet import CANDIDATE_SCHEMA
from schemas.program import dump_program
from schemas.value import Quantity, Value
from schemas.verdict import Verdict
from tasks.step_masks import StepMasks
from templates.asked import AskedScene
from templates.draft import StepDraft
from templates.item import Asking, Item, finish

Propose = Callable[[AskedScene], Sequence[Asking]]


def asked_table(
    scenes: Iterable[AskedScene], propose: Propose, seed: int
) -> tuple[pa.Table, Counter[str]]:
    """Return the candidates of some scenes, and what was tried but not asked, by rule.

    All scenes of a granule must come in one call: options are other scenes' answers.
    """
    left_out: Counter[str] = Counter()
    askings: list[Asking] = []
    masks: list[list[dict[str, Any]]] = []
    for scene in scenes:
        cutter = StepMasks(scene.measured)
        for asking in propose(scene):
            askings.append(asking)
            masks.append([_mask_row(scene, step, asking, cutter) for step in _grounded(asking)])
        left_out.update(scene.left_out)
    items = finish(askings, seed)
    rows = [_row(item, held, seed) for item, held in zip(items, masks, strict=True)]
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
        "tier": asking.template.tier.value,
        "task": asking.template.task,
        "form": "choice" if item.options else "open",
        "classes": list(draft.words.classes),
        "question": draft.question,
        "title": "",
        "options": list(item.options),
        "answer": answer_row(item.text, item.letter, draft.value),
        "steps": _steps(item),
        "trace": item.trace.text,
        "fact_spans": [{"start": start, "end": end} for start, end in item.trace.fact_spans],
        "claims": [],
        "masks": masks,
        "program": item.program_json,
        "rule": draft.words.rule,
        "premises": [
            {"name": p.name, "program": dump_program(p.program), "value": p.text}
            for p in draft.words.premises
        ],
        "judged": None,
        "image_indices": list(draft.view.image_indices),
        "template": asking.template.task,
        "template_version": asking.template.version,
        "seed": seed,
        "writer": "",
        "group": item.group,
        "answer_key": item.answer_key,
        "num_answers": len(draft.words.choices),
    }


def answer_row(text: str, letter: str, value: Value) -> dict[str, Any]:
    """Return an answer as a row holds it."""
    number = value if isinstance(value, Quantity) else None
    return {
        "text": text,
        "letter": letter,
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

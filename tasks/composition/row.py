"""A composed question as a row of candidates."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.program import dump_program
from schemas.trace import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, value_text
from schemas.value import Value
from tasks.asked_rows import answer_row
from tasks.captions.row import writer_json
from tasks.completer import Call
from tasks.seen_scene import SeenScene
from tasks.step_masks import StepMasks
from templates.composed import VERSION, Composed
from templates.item import LETTERS, answer_key, form_options
from templates.named import labels_of
from templates.prompts import COMPOSE
from templates.view import View, image_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A composed question of a scene, and all of its row but what other scenes decide."""

    scene_id: str
    composed: Composed
    north_up: bool
    sample_id: str
    row: dict[str, Any]


def composed_id(scene_id: str, composed: Composed, view: View, seed: int) -> str:
    """Return the id of a composed question: a hash, in hex, of all that tells it from others."""
    parts = (scene_id, COMPOSE.name, dump_program(composed.program), composed.question)
    key = "\n".join([*parts, image_keys(view.images), str(seed)])
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def written(seen: SeenScene, composed: Composed, call: Call, who: Mapping[str, str]) -> Written:
    """Return a question as all of its row that its scene alone decides."""
    view, seed = seen.ground.view, call.sampling.seed
    sample_id = composed_id(seen.scene_id, composed, view, seed)
    cutter = StepMasks(seen.asked.measured)
    row = {
        "sample_id": sample_id,
        "scene_id": seen.scene_id,
        "tier": composed.tier.value,
        "task": composed.task,
        "classes": list(composed.classes),
        "question": composed.question,
        "title": "",
        "steps": steps_of(composed),
        "masks": [
            _mask(cutter, step.mask, step.image, seen.ground.size_HW)
            for step in composed.steps
            if step.mask is not None
        ],
        "program": dump_program(composed.program),
        "rule": composed.rule,
        "premises": [
            {"name": p.name, "program": dump_program(p.program), "value": p.text}
            for p in composed.premises
        ],
        "judged": None,
        "image_indices": list(view.image_indices),
        "template": COMPOSE.id,
        "template_version": COMPOSE.version,
        "seed": seed,
        "writer": writer_json({**who, "gates": str(VERSION)}, call, COMPOSE.name),
    }
    return Written(
        scene_id=seen.scene_id,
        composed=composed,
        north_up=seen.ground.north_up,
        sample_id=sample_id,
        row=row,
    )


def finished(questions: Sequence[Written]) -> list[dict[str, Any]]:
    """Give each question of a granule its form; options are other scenes' answers to its like."""
    pools: dict[str, list[tuple[str, Value]]] = defaultdict(list)
    for question in questions:
        pools[question.composed.pool].append((question.scene_id, question.composed.value))
    return [_finished(question, pools[question.composed.pool]) for question in questions]


def _finished(question: Written, pool: Sequence[tuple[str, Value]]) -> dict[str, Any]:
    composed = question.composed
    others = [value for scene_id, value in pool if scene_id != question.scene_id]
    options = form_options(
        composed.value,
        composed.choices,
        others,
        question.north_up,
        Random(question.sample_id),
        composed.num_options,
    )
    text = value_text(composed.value, question.north_up)
    letter = LETTERS[options.index(text)] if options else ""
    group = composed.balance if composed.choices or not options else ""
    return {
        **question.row,
        "form": "choice" if options else "open",
        "options": list(options),
        "answer": answer_row(text, letter, composed.value),
        "trace": trace_of(composed, f"{letter}. {text}" if letter else text),
        **placed(composed),
        "group": f"{composed.task}|{group}" if group else "",
        "answer_key": answer_key(text, composed.choices) if group else "",
        "num_answers": len(composed.choices),
    }


def trace_of(composed: Composed, answer: str) -> str:
    """Return the training string."""
    think = " ".join(step.text for step in composed.steps)
    return f"{THINK_OPEN}{think}{THINK_CLOSE}{ANSWER_OPEN}{answer}{ANSWER_CLOSE}"


def placed(composed: Composed) -> dict[str, Any]:
    """Return measured facts and claims by their places in the trace."""
    at = len(THINK_OPEN)
    return {
        "fact_spans": [{"start": at + a, "end": at + b} for a, b in composed.fact_spans],
        "claims": [
            {
                "start": at + claim.start,
                "end": at + claim.end,
                "kind": claim.kind,
                "verdict": claim.verdict.value,
                "detail": claim.detail,
            }
            for claim in composed.claims
        ],
    }


def steps_of(composed: Composed) -> list[dict[str, Any]]:
    """Return the steps; grounded ones count their masks in order."""
    rows: list[dict[str, Any]] = []
    num_masks = 0
    for step in composed.steps:
        rows.append(
            {
                "text": step.text,
                "mask_index": num_masks if step.mask is not None else -1,
                "image_index": step.image,
                "verdict": step.verdict.value,
            }
        )
        num_masks += step.mask is not None
    return rows


def mask_label(expr: Any) -> str:
    """Return what a mask is called in a row: the classes that it is made of."""
    return " / ".join(sorted(labels_of(expr)))


def _mask(cutter: StepMasks, expr: Any, image: int, size_HW: tuple[int, int]) -> dict[str, Any]:
    counts, origin, program = cutter.get(expr)
    return {
        "label": mask_label(expr),
        "image_index": image,
        "size": list(size_HW),
        "counts": counts,
        "origin": origin,
        "iou": 1.0,
        "program": program,
    }

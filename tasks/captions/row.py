"""A caption as a row of `schemas.parquet.CANDIDATE_SCHEMA`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from random import Random
from typing import Any

from schemas.program import dump_program
from schemas.tier import Tier
from tasks.completer import Call
from tasks.step_masks import StepMasks
from templates.caption import TASK, Caption, instruction, step_images
from templates.captioned import CaptionedScene
from templates.prompts import CAP_COT
from templates.view import View, image_keys


def caption_id(scene_id: str, view: View, seed: int) -> str:
    """Return the id of a caption: a hash, in hex, of scene, prompt, images and seed."""
    key = "\n".join([scene_id, TASK, CAP_COT.name, image_keys(view.images), str(seed)])
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def place_of(view: View) -> str:
    """Return how what a caption is of is called in its question."""
    if view.num_dates > 1:
        return "these images of one place"
    return "this scene" if view.both_sensors else "this image"


def writer_json(identity: Mapping[str, str], call: Call, prompt: str) -> str:
    """Return who wrote a text: writer, prompts and sampling, as JSON."""
    sampling = {} if identity["kind"] == "rules" else asdict(call.sampling)
    writer = {**identity, "prompt": prompt, "turn": call.prompt, "sampling": sampling}
    return json.dumps(writer, sort_keys=True)


def caption_row(
    scene_id: str,
    ground: CaptionedScene,
    caption: Caption,
    title: str,
    call: Call,
    identity: Mapping[str, str],
) -> dict[str, Any]:
    """Return one row."""
    view, seed = ground.view, call.sampling.seed
    sample_id = caption_id(scene_id, view, seed)
    cutter = StepMasks(ground.measured)
    marked = [step.region for step in caption.steps if step.region is not None]
    return {
        "sample_id": sample_id,
        "scene_id": scene_id,
        "tier": Tier.CAP.value,
        "task": TASK,
        "form": "open",
        "classes": list(dict.fromkeys(region.label for region in marked)),
        "question": instruction(place_of(view), Random(sample_id)),
        "title": title,
        "options": [],
        "answer": {
            "text": caption.text,
            "letter": "",
            "value": None,
            "unit": "",
            "low": None,
            "high": None,
        },
        "steps": _steps(caption, view),
        "trace": caption.trace.text,
        "fact_spans": [{"start": start, "end": end} for start, end in caption.trace.fact_spans],
        "claims": [
            {
                "start": claim.start,
                "end": claim.end,
                "kind": claim.kind,
                "verdict": claim.verdict.value,
                "detail": claim.detail,
            }
            for claim in caption.claims
        ],
        "masks": [
            {
                "label": region.label,
                "image_index": view.image_of_date(region.date_index),
                "size": list(ground.size_HW),
                "counts": cutter.get(region.expr)[0],
                "origin": cutter.get(region.expr)[1],
                "iou": 1.0,
                "program": dump_program(region.expr),
            }
            for region in marked
        ],
        "program": dump_program(caption.program),
        "rule": "",
        "premises": [],
        "judged": None,
        "image_indices": list(view.image_indices),
        "template": CAP_COT.id,
        "template_version": CAP_COT.version,
        "seed": seed,
        "writer": writer_json(identity, call, CAP_COT.name),
        "group": "",
        "answer_key": "",
        "num_answers": 0,
    }


def _steps(caption: Caption, view: View) -> list[dict[str, Any]]:
    """Return the steps; grounded ones count their masks in order."""
    rows: list[dict[str, Any]] = []
    num_masks = 0
    for step, image_index in zip(caption.steps, step_images(caption.steps, view), strict=True):
        rows.append(
            {
                "text": step.text,
                "mask_index": num_masks if step.region is not None else -1,
                "image_index": image_index,
                "verdict": step.verdict.value,
            }
        )
        num_masks += step.region is not None
    return rows

"""Whether a question that a model composed is what its row says it is, from the shard alone.

The row is read back as what the model proposed, and composed again on what the plain reference
measures: program, rule, premises, marks, sentences and answer must come out the same.
"""

import json
from collections.abc import Iterator
from typing import Any

from masks.reference_scene import ReferenceScene
from schemas.program import dump_program, load_mask, load_program
from schemas.tier import Tier
from schemas.value import Undefined
from tasks.composition.row import composed_id, mask_label, placed, steps_of, trace_of
from tasks.finding import Finding
from tasks.proof_caption import ground_of
from tasks.proof_words import check_verdicts
from tasks.rows import Row
from templates.composed import VERSION, Composed, compose
from templates.prompts import COMPOSE
from templates.proposal import Proposal, ProposedStep


def check_composed(row: Row, scene: ReferenceScene) -> Iterator[Finding]:
    """Yield all of a composed question that does not follow from its masks and metadata."""
    found = (row.provenance.template, row.provenance.template_version, _gates(row))
    if found != (COMPOSE.id, COMPOSE.version, str(VERSION)):
        expected = (
            f"{COMPOSE.name}, gates {VERSION}; an older dataset is verified by the program of its "
            "commit"
        )
        yield Finding(rule="template", expected=expected, found=f"{found}")
        return
    ground = ground_of(row, scene)
    try:
        made = compose(_proposal(row), ground)
    except (KeyError, ValueError, TypeError, Undefined) as error:
        yield Finding(rule="words", expected="a question of this scene", found=f"{error!r}")
        return
    if not isinstance(made, Composed):
        for fault in made:
            yield Finding(rule=fault.reason.value, expected="a question", found=fault.detail)
        return
    view = ground.view
    letter = row.answer.letter
    answer = f"{letter}. {row.answer.text}" if letter else row.answer.text
    at = placed(made)
    due_steps = [tuple(step.values()) for step in steps_of(made)]
    steps = [(s.text, s.mask_index, s.image_index, s.verdict.value) for s in row.steps]
    claims = [(c.start, c.end, c.kind, c.verdict.value, c.detail) for c in row.claims]
    marked = [step for step in made.steps if step.mask is not None]
    expected_of: dict[str, tuple[Any, Any]] = {
        "tier": (row.tier, made.tier.value),
        "task": (row.task, made.task),
        "classes": (row.classes, made.classes),
        "program_words": (row.program, dump_program(made.program)),
        "premises": (
            (row.rule, [(p.name, p.program, p.value) for p in row.premises]),
            (made.rule, [(p.name, dump_program(p.program), p.text) for p in made.premises]),
        ),
        "step_verdict": (steps, due_steps),
        "claims": (claims, [tuple(claim.values()) for claim in at["claims"]]),
        "fact_spans": ([(s.start, s.end) for s in row.fact_spans],
                       [(s["start"], s["end"]) for s in at["fact_spans"]]),
        "trace": (row.trace, trace_of(made, answer)),
        "mask_words": ([(m.label, m.image_index) for m in row.masks],
                       [(mask_label(step.mask), step.image) for step in marked]),
        "sample_id": (row.sample_id, composed_id(row.scene_id, made, view, row.provenance.seed)),
    }  # fmt: skip
    for rule, (stands, due) in expected_of.items():
        if stands != due:
            yield Finding(rule=rule, expected=f"{due}", found=f"{stands}")
    yield from check_verdicts(row)
    if row.title:
        yield Finding(rule="title", expected="no title of a question", found=row.title)
    if row.options and made.choices and set(row.options) != set(made.choices):
        yield Finding(rule="options", expected=f"{made.choices}", found=f"{row.options}")


def _gates(row: Row) -> str:
    """Return the version of the gates that a row passed, "" where it does not say."""
    try:
        return str(json.loads(row.provenance.writer)["gates"])
    except (ValueError, KeyError, TypeError):
        return ""


def _proposal(row: Row) -> Proposal:
    """Return a row as its model proposed it."""
    masks = [load_mask(mask.program) for mask in row.masks]
    steps = tuple(
        ProposedStep(text=step.text, mask=masks[step.mask_index] if step.mask_index >= 0 else None)
        for step in row.steps[:-1]  # the last is the conclusion, which follows
    )
    semantic = row.tier == Tier.L2_SEMANTIC
    return Proposal(
        category="semantic" if semantic else "spatial",
        question=row.question,
        steps=steps,
        classes=row.classes,
        answer=row.answer.text,
        program=None if semantic else load_program(row.program),
        rule=row.rule,
        premises={premise.name: premise.value for premise in row.premises},
    )

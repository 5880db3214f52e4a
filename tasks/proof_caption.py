"""Whether every sentence of a caption is what its row says it is, from the shard alone.

The sentences are cut, read and judged again on what the plain reference measures: claims and
verdicts, marks and their regions, facts, question, title, program and id must come out the same,
and none may be false.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from masks.reference_scene import ReferenceScene
from schemas.program import MaskExpr, dump_program
from schemas.trace import SEG
from schemas.value import Undefined
from schemas.verdict import Verdict
from tasks.captions.row import caption_id, place_of
from tasks.finding import Finding
from tasks.proof_ground import ReferenceGround
from tasks.proof_words import view_of
from tasks.rows import Row
from templates.caption import (
    TASK,
    Caption,
    instructions,
    judge,
    program_of,
    put_together,
    step_images,
    unbound_marks,
)
from templates.claims import check_sentence
from templates.ground import Ground
from templates.metadata import metadata_of
from templates.prompts import CAP_COT
from templates.regions import Region, regions_of
from templates.replies import ParsedReply, Thought
from templates.sentences import normal_space, split_sentences
from templates.view import View

_MASK_EXPR: TypeAdapter[Any] = TypeAdapter(MaskExpr)


def check_caption(row: Row, scene: ReferenceScene) -> Iterator[Finding]:
    """Yield all of a caption that does not follow from its masks and metadata."""
    found = (row.provenance.template, row.provenance.template_version, row.task)
    if found != (CAP_COT.id, CAP_COT.version, TASK):
        expected = f"{CAP_COT.name}; an older dataset is verified by the program of its commit"
        yield Finding(rule="template", expected=expected, found=f"{found}")
        return
    try:
        ground = ground_of(row, scene)
        parsed = _parsed(row, ground)
        judged = judge([thought.text for thought in parsed.thoughts], parsed.caption, ground)
        due = put_together(parsed, judged)
    except (KeyError, ValueError, TypeError, Undefined) as error:
        yield Finding(rule="words", expected="a caption of this scene", found=f"{error!r}")
        return
    yield from _check_sentences(row, parsed, due, ground)
    yield from _check_names(row, due, ground)


def ground_of(row: Row, scene: ReferenceScene) -> ReferenceGround:
    """Return what a row's sentences are tested on: its masks and metadata, by the reference."""
    view = view_of(row)
    grid = row.grid
    bounds = (grid.west, grid.south, grid.east, grid.north)
    known = [edge for edge in bounds if edge is not None]
    metadata = metadata_of(
        row.source,
        row.place,
        view,
        [info.date for info in row.image_info],
        (known[0], known[1], known[2], known[3]) if len(known) == len(bounds) else None,
    )
    return ReferenceGround(scene=scene, words_json=row.words, view=view, metadata=metadata)


def _parsed(row: Row, ground: Ground) -> ParsedReply:
    """Return the row's sentences, cut again, with the regions that its masks are."""
    regions = {dump_program(region.expr): region for region in regions_of(ground)}
    marked = [regions[_normal(mask.program)] for mask in row.masks]
    thoughts: list[Thought] = []
    at = 0
    for sentence in split_sentences(" ".join(step.text for step in row.steps)):
        own = tuple(marked[at : at + sentence.count(SEG)])
        thoughts.append(Thought(text=sentence, regions=own))
        at += len(own)
    return ParsedReply(
        thoughts=tuple(thoughts), caption=tuple(split_sentences(normal_space(row.answer.text)))
    )


def _normal(program: str) -> str:
    """Return a mask expression as it is written, ValueError where it is none."""
    try:
        return dump_program(_MASK_EXPR.validate_json(program))
    except ValidationError as error:
        raise ValueError(f"no mask expression: {program!r}") from error


def _check_sentences(
    row: Row, parsed: ParsedReply, due: Caption, ground: Ground
) -> Iterator[Finding]:
    for claim in due.claims:
        if claim.verdict is Verdict.FALSE:
            words = row.trace[claim.start : claim.end]
            yield Finding(rule="false_claim", expected=claim.detail, found=words)
    for thought in parsed.thoughts:
        for region in unbound_marks(thought, ground):
            expected = f"the mark after {region.land.phrase}"
            yield Finding(rule="unbound_mark", expected=expected, found=thought.text)
        yield from _check_lead(thought, ground.view)
    found_steps = [(step.text, step.verdict) for step in row.steps]
    due_steps = [(step.text, step.verdict) for step in due.steps]
    if found_steps != due_steps:
        yield Finding(rule="step_verdict", expected=f"{due_steps}", found=f"{found_steps}")
    found_claims = [(c.start, c.end, c.kind, c.verdict, c.detail) for c in row.claims]
    due_claims = [(c.start, c.end, c.kind, c.verdict, c.detail) for c in due.claims]
    if found_claims != due_claims:
        first = next((c for c in due_claims if c not in found_claims), due_claims[:1])
        yield Finding(rule="claims", expected=f"{first}", found=f"{found_claims}")
    spans = tuple((span.start, span.end) for span in row.fact_spans)
    if spans != due.trace.fact_spans:
        yield Finding(rule="fact_spans", expected=f"{due.trace.fact_spans}", found=f"{spans}")


def _check_lead(thought: Thought, view: View) -> Iterator[Finding]:
    for region in thought.regions:
        lead = view.lead(region.date_index)
        if not thought.text.startswith(lead):
            yield Finding(rule="lead", expected=f"{lead!r} before its mark", found=thought.text)


def _check_names(row: Row, due: Caption, ground: Ground) -> Iterator[Finding]:
    """Check what is told beside the sentences: question, title, classes, masks, program, id."""
    view = ground.view
    marked: list[Region] = [step.region for step in due.steps if step.region is not None]
    names = [(region.label, view.image_of_date(region.date_index)) for region in marked]
    expected = {
        "question": (row.question in instructions(place_of(view)), True),
        "classes": (row.classes, tuple(dict.fromkeys(region.label for region in marked))),
        "mask_words": ([(mask.label, mask.image_index) for mask in row.masks], names),
        "step_image": ([step.image_index for step in row.steps], step_images(due.steps, view)),
        "program_words": (row.program, dump_program(program_of(marked))),
        "sample_id": (row.sample_id, caption_id(row.scene_id, view, row.provenance.seed)),
        "answer_value": ((row.answer.value, row.answer.unit, row.answer.letter), (None, "", "")),
    }
    for rule, (found, wanted) in expected.items():
        if found != wanted:
            yield Finding(rule=rule, expected=f"{wanted}", found=f"{found}")
    if row.title and (checked := check_sentence(row.title, ground)).verdict is Verdict.FALSE:
        yield Finding(rule="false_claim", expected="a title that holds", found=f"{checked.claims}")

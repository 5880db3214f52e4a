"""Whether every [SEG] of a composed question's steps stands for the mask that its words name."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from masks.regions import leaves
from schemas.program import Instances, Valid
from schemas.rejection import Reason
from schemas.trace import SEG
from schemas.value import Undefined
from schemas.verdict import Verdict
from templates.claims import check_sentence
from templates.ground import Ground
from templates.named import labels_of
from templates.proposal import Proposal, ProposedStep
from templates.question_reading import marks_only, names_mask
from templates.regions import MIN_SHARE
from templates.replies import Fault
from templates.sentences import split_sentences
from templates.told import valid_px
from templates.view import View


def step_faults(proposal: Proposal, measured: Sequence[Any], ground: Ground) -> Iterator[Fault]:
    """Yield what is wrong with the marks; all that `measured` programs measure must be marked."""
    marked: set[str] = set()
    for step in proposal.steps:
        yield from _mark_faults(step, ground)
        if step.mask is not None:
            marked |= labels_of(step.mask)
    if not any(step.mask is not None for step in proposal.steps):
        yield _mark("no step marks anything")
    there = [leaf for program in measured for leaf in leaves(program) if _is_seen(leaf, ground)]
    due = {label for leaf in there for label in labels_of(leaf)}
    for label in sorted(due - marked):
        yield _mark(f"the program measures {label!r}, and no step marks it")


def _is_seen(leaf: Any, ground: Ground) -> bool:
    """Return whether a leaf is large enough to be seen; of objects, whether there are any."""
    if isinstance(leaf, Instances):
        return ground.num_objects(leaf) > 0
    return ground.px(leaf) > MIN_SHARE * valid_px(ground, leaf)


def _mark_faults(step: ProposedStep, ground: Ground) -> Iterator[Fault]:
    """Yield where a step's mark and its mask do not belong together."""
    if step.text.count(SEG) != (step.mask is not None):
        yield _mark(f"one {SEG} and one mask belong together: {step.text!r}")
        return
    if re.search(r"[<>\x00-\x1f\x7f]|\[(?!SEG\])", step.text):
        yield _mark(f"a step is plain words and at most one {SEG}: {step.text!r}")
        return
    if step.mask is None:
        return
    dates = {leaf.date for leaf in leaves(step.mask)}
    if not dates <= set(ground.view.date_indices):
        yield _mark(f"the mask of {step.text!r} is of a date that no image shows")
        return
    for leaf in leaves(step.mask):
        known = ground.words.get(leaf.layer, {})
        if not isinstance(leaf, Valid) and leaf.label not in known:
            yield _mark(f"the mask of {step.text!r} names {leaf.label!r}, which is not there")
            return
    try:
        px = ground.px(step.mask)
    except Undefined as outcome:
        yield _mark(f"the mask of {step.text!r} cannot be made: {outcome}")
        return
    if px == 0:
        yield _mark(f"the mask of {step.text!r} is empty")
    marking = next(s for s in split_sentences(step.text) if SEG in s)
    if not _is_mark(marking, step.mask, ground, ground.view):
        yield _mark(
            f"{marking!r} must end with {SEG} or be proved, and {SEG} stand right after the name "
            'of its mask, as in "I mark the cropland [SEG].": a class, a class in a part of the '
            "image, or a class within a distance of another"
        )
    lead = ground.view.lead(max(dates))
    if not step.text.startswith(lead):
        yield _mark(f"the step {step.text!r} must begin with {lead.strip()!r}")


def _is_mark(sentence: str, mask: Any, ground: Ground, view: View) -> bool:
    """Return whether a sentence marks a mask by its name, and says no more than is proved."""
    before, after = sentence.split(SEG, 1)
    if not names_mask(before, mask, ground, view):
        return False
    if not after.strip(" .,;:") and marks_only(before, mask, ground, view):
        return True
    return check_sentence(sentence, ground).verdict is Verdict.PROVED


def _mark(detail: str) -> Fault:
    return Fault(reason=Reason.BAD_MARK, detail=detail)

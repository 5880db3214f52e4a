"""Whether every [SEG] of a composed question's steps stands for the mask that its words name."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from masks.regions import leaves
from schemas.program import Instances, Valid
from schemas.rejection import Reason
from schemas.trace import SEG
from schemas.value import Undefined
from templates.ground import Ground
from templates.named import labels_of
from templates.proposal import Proposal, ProposedStep
from templates.question_reading import names_mask
from templates.regions import MIN_SHARE
from templates.replies import Fault
from templates.told import valid_px


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
    if not names_mask(step.text.split(SEG)[0], step.mask, ground, ground.view):
        yield _mark(
            f"{SEG} in {step.text!r} must stand right after the name of its mask: a class, "
            "a class in a part of the image, or a class within a distance of another"
        )
    lead = ground.view.lead(max(dates))
    if not step.text.startswith(lead):
        yield _mark(f"the step {step.text!r} must begin with {lead.strip()!r}")


def _mark(detail: str) -> Fault:
    return Fault(reason=Reason.BAD_MARK, detail=detail)

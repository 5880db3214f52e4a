"""A caption: a reply whose every sentence was checked, as a trace with masks and verdicts.

`judge` says what the masks make of each sentence; `make_caption` refuses or cuts what is false and
puts together what is left. `verify` calls the same functions on what a row holds, measured by the
plain reference.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from schemas.program import All, Exists, Instances
from schemas.rejection import Reason
from schemas.trace import CAPTION_OPEN, SEG, THINK_CLOSE, THINK_OPEN, Trace, caption_trace
from schemas.verdict import Verdict
from templates.claim.classes import Meaning
from templates.claim.read import Kind
from templates.claims import Checked, check_text, read_on
from templates.ground import Ground
from templates.regions import Region
from templates.replies import Fault, ParsedReply, Thought
from templates.view import View

TASK = "caption"
VERSION = 1  # raised by hand whenever reading or checking a reply comes out otherwise
OnFalse = Literal["reject", "cut"]

# claims whose numbers are measured facts of the trace where they are proved
MEASURED_KINDS = frozenset(
    {Kind.SHARE, Kind.AREA, Kind.COUNT, Kind.STATE, Kind.DISTANCE, Kind.TIMES, Kind.RESOLUTION}
)
_LEAD = re.compile(r"Image (\d{1,3}): ")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:\s?(?:%|percent|m²|km²|ha|km|m|pixels)(?!\w))?")

INSTRUCTIONS = (
    "Describe {place}. Reason region by region and mark each region, then give a caption.",
    "What is to be seen in {place}? Go through all regions with masks, then sum up in a caption.",
    "Write a caption for {place}, after marking and describing every region.",
    "Look at {place} region by region, segment what you speak of, and describe the whole.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionStep:
    """One step: its text, the region that it marks, and the verdict on its sentence."""

    text: str
    region: Region | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedClaim:
    """A claim with its place in the trace, [start, end) in characters."""

    start: int
    end: int
    kind: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the masks say of every sentence of a caption and its reasoning."""

    thoughts: tuple[Checked, ...]
    caption: tuple[Checked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption as a sample holds it; `cut` counts the sentences that were false and left out."""

    steps: tuple[CaptionStep, ...]
    text: str
    trace: Trace
    claims: tuple[PlacedClaim, ...]
    program: All
    cut: int = 0


def judge(thoughts: Sequence[str], caption: Sequence[str], ground: Ground) -> Judged:
    """Check all sentences; "it" may mean what the sentence before in the same part is about."""
    return Judged(
        thoughts=tuple(check_text(thoughts, ground)), caption=tuple(check_text(caption, ground))
    )


def make_caption(
    parsed: ParsedReply, ground: Ground, on_false: OnFalse
) -> Caption | tuple[Fault, ...]:
    """Return the caption of a reply, or what is false in it.

    With `on_false="cut"` false sentences are left out, masks and all, as long as something marked
    and a caption are left.
    """
    cut = 0
    while True:
        judged = judge([t.text for t in parsed.thoughts], parsed.caption, ground)
        faults = (*_unbound(parsed, ground), *_false(parsed, judged))
        if not faults:
            return replace(put_together(parsed, judged), cut=cut)
        left = _without_false(parsed, judged, ground)
        gone = len(parsed.thoughts) + len(parsed.caption) - len(left.thoughts) - len(left.caption)
        if on_false == "reject" or not _is_whole(left):
            return faults
        cut += gone
        parsed = left  # what "it" refers to may have changed: judged again


def put_together(parsed: ParsedReply, judged: Judged) -> Caption:
    """Return a judged reply as trace, steps and placed claims."""
    steps: list[CaptionStep] = []
    claims: list[PlacedClaim] = []
    at = len(THINK_OPEN)
    for thought, checked in zip(parsed.thoughts, judged.thoughts, strict=True):
        claims.extend(_placed(checked, at))
        texts = thought.steps()
        for text, region in zip(texts, thought.regions or (None,), strict=True):
            steps.append(CaptionStep(text=text, region=region, verdict=checked.verdict))
        at += len(thought.text) + 1
    think = " ".join(thought.text for thought in parsed.thoughts)
    text = " ".join(parsed.caption)
    trace = caption_trace(think, text)
    spans = measured_spans(trace, claims)
    at = len(f"{THINK_OPEN}{think}{THINK_CLOSE}{CAPTION_OPEN}")
    for sentence, checked in zip(parsed.caption, judged.caption, strict=True):
        claims.extend(_placed(checked, at))
        at += len(sentence) + 1
    return Caption(
        steps=tuple(steps),
        text=text,
        trace=Trace(text=trace, steps=tuple(step.text for step in steps), fact_spans=spans),
        claims=tuple(claims),
        program=program_of([step.region for step in steps if step.region is not None]),
    )


def program_of(regions: Sequence[Region]) -> All:
    """Return the program of a caption: everything that it marks is there."""
    return All(of=tuple(Exists(of=region.expr) for region in regions))


def instruction(place: str, rng: Random) -> str:
    """Return the question that a caption answers, in a wording drawn by seed."""
    return rng.choice(INSTRUCTIONS).format(place=place)


def instructions(place: str) -> set[str]:
    """Return all questions that a caption of a place can answer."""
    return {wording.format(place=place) for wording in INSTRUCTIONS}


def step_images(steps: Sequence[CaptionStep], view: View) -> list[int]:
    """Return the image that each step is about: its mask's, that of its lead, or that before."""
    images: list[int] = []
    last = 0
    for step in steps:
        lead = _LEAD.match(step.text)
        if step.region is not None:
            last = view.image_of_date(step.region.date_index)
        elif lead is not None and 1 <= int(lead[1]) <= len(view.images):
            last = int(lead[1]) - 1
        images.append(last)
    return images


def unbound_marks(thought: Thought, ground: Ground) -> Iterator[Region]:
    """Yield the regions that are marked after another class than their own, or after none."""
    named = sorted(_named(thought.text, ground), key=lambda word: word[0])
    marks = [mark.start() for mark in re.finditer(re.escape(SEG), thought.text)]
    for region, at in zip(thought.regions, marks, strict=True):
        before = [meaning for end, meaning in named if end <= at]
        if not before or not _means(before[-1], region):
            yield region


def _named(sentence: str, ground: Ground) -> Iterator[tuple[int, Meaning]]:
    """Yield where every class that a sentence names ends, and what it stands for.

    A lake stands for water, and "destroyed" after "buildings" for these in that state.
    """
    for read in read_on(sentence, ground).reads:
        if read.kind in (Kind.PRESENT, Kind.ABSENT):
            yield from ((read.end, meaning) for meaning in read.a)
        elif read.kind is Kind.STATE:
            yield from ((read.end, replace(m, states=read.states)) for m in read.a)
        elif read.thing is not None and read.thing.inside is not None:
            yield read.end, read.thing.inside


def _means(meaning: Meaning, region: Region) -> bool:
    """Return whether a word may stand for a region's class, or for objects in its state."""
    expr = region.expr
    if expr.label in meaning.states:
        return True  # a layer of states, each object under its state's name
    if expr.label not in meaning.sets[-1]:
        return False
    state = expr.attribute if isinstance(expr, Instances) else None
    return state is None or state in meaning.states


def _unbound(parsed: ParsedReply, ground: Ground) -> Iterator[Fault]:
    for thought in parsed.thoughts:
        for region in unbound_marks(thought, ground):
            detail = (
                f"in the sentence {thought.text!r} the mark of region {region.number} does not "
                f"stand after its class: {region.land.phrase}"
            )
            yield Fault(reason=Reason.BAD_MARK, detail=detail)


def _false(parsed: ParsedReply, judged: Judged) -> Iterator[Fault]:
    sentences = (*(thought.text for thought in parsed.thoughts), *parsed.caption)
    for sentence, checked in zip(sentences, (*judged.thoughts, *judged.caption), strict=True):
        for claim in checked.claims:
            if claim.verdict is Verdict.FALSE:
                detail = f"false: {claim.text!r} in {sentence!r}: {claim.detail}"
                yield Fault(reason=Reason.FALSE_CLAIM, detail=detail)


def _without_false(parsed: ParsedReply, judged: Judged, ground: Ground) -> ParsedReply:
    return ParsedReply(
        thoughts=tuple(
            thought
            for thought, checked in zip(parsed.thoughts, judged.thoughts, strict=True)
            if checked.verdict is not Verdict.FALSE and not any(unbound_marks(thought, ground))
        ),
        caption=tuple(
            sentence
            for sentence, checked in zip(parsed.caption, judged.caption, strict=True)
            if checked.verdict is not Verdict.FALSE
        ),
    )


def _is_whole(parsed: ParsedReply) -> bool:
    """Return whether something marked and a caption are left."""
    return bool(parsed.caption) and any(thought.regions for thought in parsed.thoughts)


def _placed(checked: Checked, at: int) -> Iterator[PlacedClaim]:
    for claim in checked.claims:
        yield PlacedClaim(
            start=at + claim.start,
            end=at + claim.end,
            kind=claim.kind,
            verdict=claim.verdict,
            detail=claim.detail,
        )


def measured_spans(trace: str, claims: Sequence[PlacedClaim]) -> tuple[tuple[int, int], ...]:
    """Return where numbers stand in a text that its claims, by their places in it, prove."""
    spans: set[tuple[int, int]] = set()
    for claim in claims:
        if claim.kind in MEASURED_KINDS and claim.verdict is Verdict.PROVED:
            for number in _NUMBER.finditer(trace, claim.start, claim.end):
                spans.add(number.span())
    return tuple(sorted(spans))

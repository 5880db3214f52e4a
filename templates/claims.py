"""Check what is written against what the masks say: proved, unproved or false, claim by claim.

docs/claims.md is the contract. `templates.claim.reader` reads the claims of a sentence, and
`templates.claim.tests` and its siblings measure them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.verdict import Verdict
from templates.claim.classes import classes_of
from templates.claim.dates import Dates
from templates.claim.fact_tests import fact, resolution
from templates.claim.groups import Antecedent
from templates.claim.order import compare, largest, next_after, rank, smallest
from templates.claim.place_tests import (
    covers,
    is_not_in,
    largest_in,
    lies_in,
    lies_mainly_in,
    lies_only_in,
    spread,
)
from templates.claim.read import Kind, Read
from templates.claim.reader import ReadSentence, read_sentence
from templates.claim.relations import border, change, distance, surrounded
from templates.claim.tests import Test, absent, area, count, present, share, state, thing
from templates.ground import Ground

_TESTS: Mapping[Kind, Test] = {
    Kind.PRESENT: present,
    Kind.ABSENT: absent,
    Kind.THING: thing,
    Kind.SHARE: share,
    Kind.AREA: area,
    Kind.COUNT: count,
    Kind.STATE: state,
    Kind.LARGEST: largest,
    Kind.RANK: rank,
    Kind.NEXT: next_after,
    Kind.SMALLEST: smallest,
    Kind.MORE: compare,
    Kind.AS_MUCH: compare,
    Kind.TIMES: compare,
    Kind.IN_PLACE: lies_in,
    Kind.MAINLY_IN: lies_mainly_in,
    Kind.LARGEST_IN: largest_in,
    Kind.COVERS_PLACE: covers,
    Kind.SPREAD: spread,
    Kind.ONLY_IN: lies_only_in,
    Kind.NOT_IN: is_not_in,
    Kind.BORDER: border,
    Kind.NO_BORDER: border,
    Kind.SURROUNDED: surrounded,
    Kind.DISTANCE: distance,
    Kind.NEAR: distance,
    Kind.FAR: distance,
    Kind.GREW: change,
    Kind.SHRANK: change,
    Kind.UNCHANGED: change,
    Kind.CHANGED: change,
    Kind.FACT: fact,
    Kind.RESOLUTION: resolution,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of a sentence: `text` is `sentence[start:end]`, `detail` what was measured."""

    kind: str
    start: int
    end: int
    text: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A sentence's verdict, its claims, and its words of content that no claim accounts for."""

    verdict: Verdict
    claims: tuple[Claim, ...]
    left_over: tuple[str, ...]


def check_text(sentences: Iterable[str], ground: Ground) -> list[Checked]:
    """Check sentences that follow one another: a pronoun may stand for the class before."""
    done: list[Checked] = []
    antecedent: Antecedent = ()
    for sentence in sentences:
        read = read_on(sentence, ground, antecedent)
        antecedent = read.named
        done.append(_checked(sentence, read, ground))
    return done


def check_sentence(sentence: str, ground: Ground, antecedent: Antecedent = ()) -> Checked:
    """Check one sentence; `antecedent` is the one class that the sentence before it named."""
    return _checked(sentence, read_on(sentence, ground, antecedent), ground)


def read_on(sentence: str, ground: Ground, antecedent: Antecedent = ()) -> ReadSentence:
    """Read the claims of one sentence about a scene."""
    dates = Dates(ground.view.date_indices, ground.metadata.dates)
    return read_sentence(sentence, classes_of(ground.words), dates, antecedent)


def _checked(sentence: str, read: ReadSentence, ground: Ground) -> Checked:
    claims = tuple(_claim(sentence, one, ground) for one in read.reads)
    verdicts = {claim.verdict for claim in claims}
    if Verdict.FALSE in verdicts:
        verdict = Verdict.FALSE
    elif verdicts == {Verdict.PROVED} and not read.left_over:
        verdict = Verdict.PROVED
    else:
        verdict = Verdict.UNPROVED
    return Checked(verdict=verdict, claims=claims, left_over=read.left_over)


def _claim(sentence: str, read: Read, ground: Ground) -> Claim:
    verdict, detail = _TESTS[read.kind](read, ground)
    return Claim(
        kind=read.kind.value,
        start=read.start,
        end=read.end,
        text=sentence[read.start : read.end],
        verdict=verdict,
        detail=detail,
    )

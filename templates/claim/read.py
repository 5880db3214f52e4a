"""A claim as it is read from a sentence, before anything is measured."""

from dataclasses import dataclass
from enum import StrEnum

from templates.claim.classes import Meaning, Thing
from templates.claim.facts import FactWord
from templates.claim.measures import Amount
from templates.claim.places import Place


class Kind(StrEnum):
    """The kinds of claims, in the order of docs/claims.md."""

    PRESENT = "present"
    ABSENT = "absent"
    THING = "thing"
    SHARE = "share"
    AREA = "area"
    COUNT = "count"
    STATE = "state"
    LARGEST = "largest"
    RANK = "rank"
    NEXT = "next"
    SMALLEST = "smallest"
    MORE = "more"
    AS_MUCH = "as much"
    TIMES = "times"
    IN_PLACE = "in place"
    MAINLY_IN = "mainly in place"
    LARGEST_IN = "largest in place"
    COVERS_PLACE = "covers place"
    SPREAD = "spread"
    ONLY_IN = "only in place"
    NOT_IN = "not in place"
    BORDER = "border"
    NO_BORDER = "no border"
    SURROUNDED = "surrounded"
    DISTANCE = "distance"
    NEAR = "near"
    FAR = "far"
    GREW = "grew"
    SHRANK = "shrank"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FACT = "fact"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One claim: its kind, where it stands in the sentence, and what it is about.

    `a` and `b` are groups of classes; a group of several is one area together (`SHARE`,
    `SURROUNDED`) or has been taken apart before. `date` is the date index spoken of, None where
    the sentence does not say.
    """

    kind: Kind
    start: int
    end: int
    a: tuple[Meaning, ...] = ()
    b: tuple[Meaning, ...] = ()
    place: Place | None = None
    amount: Amount | None = None
    thing: Thing | None = None
    fact: FactWord | None = None
    states: tuple[str, ...] = ()
    rank: int = 0
    date: int | None = None
    loose: bool = False  # an amount may be of the first class alone
    part: bool = False  # an amount is of a part of the class: "the trees in the north cover 5 %"
    placed: bool = False  # an amount comes before its place: it is of the picture

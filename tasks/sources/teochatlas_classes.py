"""What TEOChatlas answers name: building damage, QFabric's changes and building stages, changes.

Class lists are those of the scorer (`get_classes`, `detection_metrics` in ermongroup/TEOChat,
`videollava/eval/detection.py`); names are spelled as there, in lower case with spaces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from schemas.taxonomy import (
    XBD_DAMAGE,
    XBD_FOOTPRINT,
    XBD_UNCLASSIFIED,
    Common,
    LandClass,
    Taxonomy,
)


def _kind(name: str, phrase: str, *, plural: bool = False) -> LandClass:
    return LandClass(name=name, phrase=phrase, common=Common.CHANGE, plural=plural)


def _buildings(name: str) -> Taxonomy:
    land_class = LandClass(
        name=f"{name} building",
        phrase=f"{name} buildings",
        singular=f"{name} building",
        common=Common.BUILDING,
        plural=True,
        countable=True,
    )
    return Taxonomy(f"teochatlas_{name.replace(' ', '_')}_building", (land_class,))


QFABRIC_CHANGE = Taxonomy(
    "qfabric_change",
    (
        _kind("residential", "residential development sites", plural=True),
        _kind("commercial", "commercial development sites", plural=True),
        _kind("industrial", "industrial development sites", plural=True),
        _kind("road", "road construction sites", plural=True),
        _kind("demolition", "demolition sites", plural=True),
        _kind("mega projects", "sites of mega projects", plural=True),
    ),
)


def _stage(name: str, phrase: str) -> LandClass:
    """Return a stage, said of the sites: only they are labelled, not all ground that looks so."""
    return _kind(name, f"{phrase} on development sites")


# in the order in which a site goes through them
QFABRIC_STATUS = Taxonomy(
    "qfabric_status",
    (
        _stage("prior construction", "earlier construction"),
        _stage("greenland", "unbuilt land"),
        _stage("land cleared", "cleared land"),
        _stage("excavation", "excavation"),
        _stage("materials dumped", "dumped material"),
        _stage("construction started", "newly started construction"),
        _stage("construction midway", "half-finished construction"),
        _stage("construction done", "finished construction"),
        _stage("operational", "built-up land in operation"),
    ),
)

CHANGED_BUILDING = _buildings("changed")
CONSTRUCTED_BUILDING = _buildings("newly built")
DEMOLISHED_BUILDING = _buildings("demolished")
DAMAGED_BUILDING = _buildings("damaged")
SEVERELY_DAMAGED_BUILDING = _buildings("severely damaged or destroyed")
DESTROYED_BUILDING = _buildings("destroyed")

CHANGED_AREA = Taxonomy("teochatlas_changed_area", (_kind("changed area", "changed area"),))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerKind:
    """A label layer that records can speak of.

    `words` maps an answer's words (normalised) to a class name, or to "" where the answer says
    that the class is not known; a layer of one class needs none.
    """

    layer: str
    taxonomy: Taxonomy
    words: Mapping[str, str]


def _own_names(taxonomy: Taxonomy) -> dict[str, str]:
    return {name: name for name in taxonomy.names}


FOOTPRINT = LayerKind(layer="footprint", taxonomy=XBD_FOOTPRINT, words={})
DAMAGE = LayerKind(
    layer="damage",
    taxonomy=XBD_DAMAGE,
    words={
        **{name.replace("-", " "): name for name in XBD_DAMAGE.names},
        "unclassified": "",
        XBD_UNCLASSIFIED.replace("-", " "): "",
    },
)
CHANGE_TYPE = LayerKind(
    layer="change_type", taxonomy=QFABRIC_CHANGE, words=_own_names(QFABRIC_CHANGE)
)
STATUS = LayerKind(
    layer="construction_status", taxonomy=QFABRIC_STATUS, words=_own_names(QFABRIC_STATUS)
)
CHANGED_BUILDINGS = LayerKind(layer="changed_building", taxonomy=CHANGED_BUILDING, words={})
CONSTRUCTED = LayerKind(layer="constructed_building", taxonomy=CONSTRUCTED_BUILDING, words={})
DEMOLISHED = LayerKind(layer="demolished_building", taxonomy=DEMOLISHED_BUILDING, words={})
DAMAGED = LayerKind(layer="damaged_building", taxonomy=DAMAGED_BUILDING, words={})
SEVERELY_DAMAGED = LayerKind(
    layer="severely_damaged_building", taxonomy=SEVERELY_DAMAGED_BUILDING, words={}
)
DESTROYED = LayerKind(layer="destroyed_building", taxonomy=DESTROYED_BUILDING, words={})
CHANGED = LayerKind(layer="changed_area", taxonomy=CHANGED_AREA, words={})

LAYER_KINDS = (
    FOOTPRINT,
    DAMAGE,
    CHANGE_TYPE,
    STATUS,
    CHANGED_BUILDINGS,
    CONSTRUCTED,
    DEMOLISHED,
    DAMAGED,
    SEVERELY_DAMAGED,
    DESTROYED,
    CHANGED,
)


def normalised(text: str) -> str:
    """Return a text as its lower-case words, single spaces between them."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def classes_in(text: str, kind: LayerKind) -> list[tuple[int, str]]:
    """Return (position, class) of all class words in a normalised text, in order.

    A class is "" where the words say that it is not known. The longest words win: "construction
    done" is one mention.
    """
    found = _pattern(tuple(kind.words)).finditer(text)
    return [(match.start(), kind.words[match[0]]) for match in found]


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    by_length = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, by_length))})\b")

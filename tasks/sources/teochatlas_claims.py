"""What a TEOChatlas record claims: that a class lies in some shapes at one date.

Two forms of claim are read, after the questions of TEOChat's eval files:

* located: "Identify the buildings ... Include a bounding box ..." answered by boxes, or by a
  sentence without any. All that was asked for is listed, so the rest of the image is without it.
* region: a box in the question ("Classify the level of damage experienced by the building at
  location [0, 8, 49, 53].", "What is the development status in this region [...] in Image 3?")
  answered by a class, or by several with an "Image N" each. A region answer that repeats the
  question's box (a known defect) is read as if it did not.

A record's polygons, where it has them, replace the boxes that they stand for. Where there are more
or fewer of them (touching buildings share one), the boxes still say which objects there are.
Answers that name no mask (yes or no of a whole image, scene classes, "in which image",
superlatives, which list one object of many) claim nothing.
"""

import re
from dataclasses import dataclass

from shapely.geometry import Polygon

from schemas.mask import Origin
from schemas.rejection import Reason, Refusal
from tasks.sources.teochatlas_classes import (
    CHANGE_TYPE,
    CHANGED,
    CHANGED_BUILDINGS,
    CONSTRUCTED,
    DAMAGE,
    DAMAGED,
    DEMOLISHED,
    DESTROYED,
    FOOTPRINT,
    SEVERELY_DAMAGED,
    STATUS,
    LayerKind,
    classes_in,
    normalised,
)
from tasks.sources.teochatlas_record import Record, Turn

LOCATED_TASKS = (
    "change_detection_localization",
    "change_detection_detection",
    "spatial_referring_expression",
)
MAX_IMAGE_DIGITS = 5  # of 16 images; Python parses no more than 4,300
REGION_KINDS = (DAMAGE, STATUS, CHANGE_TYPE)

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_IMAGE = re.compile(rf"\bimages? (\d+)\b|\b({'|'.join(_ORDINALS)}|last|final) image\b")
_ONE_OF_MANY = re.compile(r"\b(largest|biggest|smallest|tallest|closest|nearest)\b")
_CHANGE_WORDS = re.compile(r"\b(chang\w*|construct\w*|built|develop\w*|demolish\w*|destruct\w*)\b")

# how to answer is no part of what is asked: "... for each identified building in your response"
_FORM = re.compile(r"\b(include|using|use|with|provide|output|give) [a-z ]*\bbounding box.*")
_BUILT = r"\b(constructed|built|erected|new)\b"
_GONE = r"\b(destructed|demolished|torn down|removed)\b"
# the first that fits a located question about buildings says which of them were asked for
_BUILDING_QUESTIONS = (
    (re.compile(r"\bsever\w* damaged or destroyed\b"), SEVERELY_DAMAGED),
    (re.compile(rf"^(?=.*{_BUILT})(?=.*{_GONE})"), CHANGED_BUILDINGS),
    (re.compile(_BUILT), CONSTRUCTED),
    (re.compile(_GONE), DEMOLISHED),
    (re.compile(r"\bdamaged\b"), DAMAGED),
    (re.compile(r"\bdestroyed\b"), DESTROYED),
    (re.compile(r"\bchang\w*\b"), CHANGED_BUILDINGS),
    (
        re.compile(
            r"^(?!.*\b(which|whose)\b)"
            r".*\b(identify|locate|detect|find|outline|list|all|every|each|of|the) buildings?\b"
        ),
        FOOTPRINT,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`label` of `kind` lies in `shapes` at one date; "" for a class that is not known.

    `complete`: nowhere else in the image. `objects` are the single things that it counts, in most
    claims the shapes again. All are in shares of width and height.
    """

    kind: LayerKind
    label: str
    date_index: int
    shapes: tuple[Polygon, ...]
    origin: Origin
    objects: tuple[Polygon, ...]
    objects_origin: Origin
    complete: bool


def claims_of(record: Record, where: str) -> tuple[Claim, ...]:
    """Return all that a record claims; nothing for most.

    Raises:
        Refusal: UNKNOWN_VALUE for an "Image N" that the record does not have.
    """
    return tuple(claim for turn in record.turns for claim in _claims_of_turn(record, turn, where))


def _claims_of_turn(record: Record, turn: Turn, where: str) -> list[Claim]:
    question = normalised(turn.question.rsplit("<video>", 1)[-1])
    located = tuple(box for box in turn.answer_boxes if box not in turn.question_boxes)
    if turn.question_boxes and not located:
        return _region_claims(record, turn, question, where)
    asked = record.task in LOCATED_TASKS or "bounding box" in question or "x min" in question
    if turn.question_boxes or not (located or asked) or _ONE_OF_MANY.search(question):
        return []
    kind = _located_kind(_FORM.sub("", question).strip() or question, len(record.images))
    if kind is None:
        return []
    date_index = len(record.images) - 1
    if kind is FOOTPRINT:
        date_index = _first_image(question, len(record.images), where)
    label = kind.taxonomy.names[0]
    return [_claim(record, located, kind, label, date_index, complete=True)]


def _located_kind(question: str, num_images: int) -> LayerKind | None:
    if re.search(r"\bbuildings?\b", question):
        kinds = (kind for pattern, kind in _BUILDING_QUESTIONS if pattern.search(question))
        return next(kinds, None)
    return CHANGED if num_images > 1 and _CHANGE_WORDS.search(question) else None


def _region_claims(record: Record, turn: Turn, question: str, where: str) -> list[Claim]:
    named = [
        (kind, label, date_index)
        for kind in REGION_KINDS
        for label, date_index in _dated_classes(kind, turn, question, len(record.images), where)
    ]
    confirmed = normalised(turn.answer).startswith("yes") and _CHANGE_WORDS.search(question)
    if not named and confirmed and len(record.images) > 1:
        last = max(_images_in(question, len(record.images), where), default=len(record.images) - 1)
        named = [(CHANGED, CHANGED.taxonomy.names[0], last)]
    return [
        _claim(record, turn.question_boxes, kind, label, date_index, complete=False)
        for kind, label, date_index in named
    ]


def _dated_classes(
    kind: LayerKind, turn: Turn, question: str, num_images: int, where: str
) -> list[tuple[str, int]]:
    """Return the classes that an answer gives to the region, each with its date.

    One class alone belongs to the one image that the question names, else to the last; of several,
    each must stand beside its own "Image N".
    """
    answer = normalised(turn.answer)
    labels = classes_in(answer, kind)
    images = _positions(answer, num_images, where)
    if len(labels) == 1 and not images:
        asked = set(_images_in(question, num_images, where)) or {num_images - 1}
        return [(labels[0][1], asked.pop())] if len(asked) == 1 else []
    marks = sorted([(at, "class") for at, _ in labels] + [(at, "image") for at, _ in images])
    order = [mark for _, mark in marks]
    n = len(labels)
    if n == 0 or order not in (["class", "image"] * n, ["image", "class"] * n):
        return []
    return [(label, index) for (_, label), (_, index) in zip(labels, images, strict=True)]


def _claim(
    record: Record,
    boxes: tuple[Polygon, ...],
    kind: LayerKind,
    label: str,
    date_index: int,
    *,
    complete: bool,
) -> Claim:
    """Return the claim on some boxes, or on the polygons that they stand for."""
    regions = {turn.question_boxes or turn.answer_boxes for turn in record.turns}
    outlined = bool(boxes and record.polygons) and len(regions) == 1
    shapes = record.polygons if outlined else boxes
    same_number = len(shapes) == len(boxes)
    # "there are none" is not drawn as a box: nothing is rounded up
    origin = Origin.ANNOTATED if outlined or not boxes else Origin.BOX
    return Claim(
        kind=kind,
        label=label,
        date_index=date_index,
        shapes=shapes,
        origin=origin,
        objects=shapes if same_number else boxes,
        objects_origin=origin if same_number else Origin.BOX,
        complete=complete,
    )


def _first_image(question: str, num_images: int, where: str) -> int:
    return next(iter(_images_in(question, num_images, where)), 0)


def _images_in(text: str, num_images: int, where: str) -> list[int]:
    return [index for _, index in _positions(text, num_images, where)]


def _positions(text: str, num_images: int, where: str) -> list[tuple[int, int]]:
    """Return (position, date index) of every "image 3" and "third image" of a normalised text."""
    found = []
    for match in _IMAGE.finditer(text):
        if match[1]:
            number = int(match[1][:MAX_IMAGE_DIGITS])
        else:
            number = _ORDINALS.index(match[2]) + 1 if match[2] in _ORDINALS else num_images
        if not 1 <= number <= num_images:
            raise Refusal(
                Reason.UNKNOWN_VALUE, f"{where}: {match[0]!r:.40}, expected image 1 to {num_images}"
            )
        found.append((match.start(), number - 1))
    return found

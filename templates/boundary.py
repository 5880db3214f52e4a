"""Boundary: whether A borders B, and how long the border is."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import Border, BorderLength, ClassMask
from schemas.trace import Fact, Line, quantity_text
from schemas.value import Quantity, Truth, Value
from templates.asked import AskedScene
from templates.draft import Draft, Foreign, QuestionTemplate, Words
from templates.pairs import pair_words
from templates.told import Told
from templates.view import View

PER_ANSWER = 2  # pairs that touch, and pairs that do not
PER_LAYER = 2


def propose_border(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on whether two classes border one another."""
    for pairs in scene.pairs:
        touching = pairs.drawn(pairs.touching, rng, PER_ANSWER)
        apart = pairs.drawn(pairs.apart, rng, PER_ANSWER)
        for pair in (*touching, *apart):
            program = Border(a=pair.a, b=pair.b)
            value = scene.tried(template.task, program)
            if isinstance(value, Truth):
                yield template.draft(scene, rng, program, value, balance=pair.name)


def border_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark both classes, and say whether the masks touch."""
    match program, value:
        case Border(a=ClassMask() as a, b=ClassMask() as b), Truth():
            pass
        case _:
            raise Foreign("border asks border(class, class)")
    found = "The two masks touch along a common edge."
    if not value.value:
        found = "No pixel of one mask lies beside a pixel of the other."
    return pair_words(a, b, told, view, (found,), choices=("Yes", "No"))


def propose_length(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on the length of the border that two classes share."""
    if scene.pixel_size_m is None:
        return
    for pairs in scene.pairs:
        for pair in pairs.drawn(pairs.touching, rng, PER_LAYER):
            if scene.tried(template.task, Border(a=pair.a, b=pair.b)) != Truth(True):
                continue
            program = BorderLength(a=pair.a, b=pair.b)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=pair.name)


def length_words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark both classes, and tell the length of the edges that they share."""
    match program, value:
        case BorderLength(a=ClassMask() as a, b=ClassMask() as b), Quantity():
            pass
        case _:
            raise Foreign("border_length asks border_length(class, class)")
    length = Fact(quantity_text(value.value, value.unit))
    found: Line = ("Their common pixel edges add up to ", length, ".")
    return pair_words(a, b, told, view, found)


BORDER = QuestionTemplate(
    task="border",
    version=2,
    wordings=(
        "{do} {a} border {b} in {place}?",
        "in {place}, {do} {a} share a border with {b}?",
        "do {a} and {b} touch anywhere in {place}?",
        "looking at {place}, {do} {a} lie directly next to {b}?",
    ),
    propose=propose_border,
    words=border_words,
)
BORDER_LENGTH = QuestionTemplate(
    task="border_length",
    version=3,
    wordings=(
        "how long is the border between {a} and {b} in {place}, along pixel edges?",
        "what length of border, along pixel edges, do {a} and {b} share in {place}?",
        "in {place}, how long is the boundary that {a} and {b} share, measured along pixel edges?",
        "measured along pixel edges, how long is the border between {a} and {b} in {place}?",
    ),
    propose=propose_length,
    words=length_words,
)

"""Distance: the shortest way between two classes."""

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.program import ClassMask, Distance
from schemas.trace import Fact, Line, quantity_text
from schemas.value import Quantity, Value
from templates.asked import AskedScene
from templates.draft import Draft, Foreign, QuestionTemplate, Words
from templates.pairs import pair_words
from templates.told import Told
from templates.view import View

PER_LAYER = 2


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield questions on two classes that lie well apart; only where the pixel size is known."""
    if scene.pixel_size_m is None:
        return
    for pairs in scene.pairs:
        for pair in pairs.drawn(pairs.apart, rng, PER_LAYER):
            program = Distance(a=pair.a, b=pair.b)
            value = scene.tried(template.task, program)
            if isinstance(value, Quantity):
                yield template.draft(scene, rng, program, value, pool=pair.name)


def words(program: Any, value: Value, told: Told, view: View) -> Words:
    """Mark both classes, and tell how far apart their closest points are."""
    match program, value:
        case Distance(a=ClassMask() as a, b=ClassMask() as b), Quantity():
            pass
        case _:
            raise Foreign("distance asks distance(class, class)")
    gap = Fact(quantity_text(value.value, value.unit))
    found: Line = ("Their closest points are ", gap, " apart.")
    return pair_words(a, b, told, view, found)


DISTANCE = QuestionTemplate(
    task="distance",
    version=3,
    wordings=(
        "what is the shortest distance between {a} and {b} in {place}?",
        "how far apart are {a} and {b} in {place}, at their closest?",
        "how far is it from {a} to {b} in {place}, at the closest point?",
        "in {place}, how many metres separate {a} from {b} at the closest point?",
    ),
    propose=propose,
    words=words,
)

"""Distance: the shortest way between two classes."""

from collections.abc import Iterator
from random import Random

from schemas.program import Distance
from schemas.trace import Fact, quantity_text
from schemas.value import Quantity
from templates.asked import AskedScene
from templates.boundary import drawn_pairs, pair_draft
from templates.draft import Draft, QuestionTemplate

PER_LAYER = 2


def propose(template: QuestionTemplate, scene: AskedScene, rng: Random) -> Iterator[Draft]:
    """Yield a question on two classes that lie well apart; only where the pixel size is known."""
    if scene.measured.evidence.pixel_size_m is None:
        return
    for layer in scene.measured.layers:
        for pair in drawn_pairs(scene, layer, rng, PER_LAYER, touching=False):
            program = Distance(a=pair.a, b=pair.b)
            value = scene.value(template.task, program)
            if isinstance(value, Quantity):
                gap = Fact(quantity_text(value.value, value.unit))
                found = ("Their closest points are ", gap, " apart.")
                yield pair_draft(template, scene, rng, pair, program, value, found, pair.name)


DISTANCE = QuestionTemplate(
    task="distance",
    version=1,
    wordings=(
        "what is the shortest distance between {a} and {b} in {place}?",
        "how far apart are {a} and {b} in {place}, at their closest?",
        "how far is it from {a} to the nearest {b} in {place}?",
        "in {place}, how many metres separate {a} from {b} at the closest point?",
    ),
    propose=propose,
)

"""L2: which questions of several steps are composed for a scene where no model does it.

At least one is spatial and one semantic, where the scene allows both. What is tried and cannot
safely be asked is counted; kinds that are not drawn are not tried.
"""

from collections.abc import Iterator, Sequence
from random import Random

from schemas.tier import Tier
from templates.asked import AskedScene
from templates.comparisons import AREA_RATIO, BORDER_AND_SIZE, LONGEST_BORDER
from templates.damage_places import DESTROYED_WHERE, MORE_DESTROYED
from templates.draft import QuestionTemplate
from templates.item import Asking, propose
from templates.judging import SEMANTIC_QUESTIONS
from templates.nearness import NEAREST, WITHIN_DISTANCE
from templates.origins import GROUND_FROM
from templates.parts import MAJORITY_PART, PART_SHARE

SPATIAL_QUESTIONS = (
    WITHIN_DISTANCE,
    NEAREST,
    PART_SHARE,
    MAJORITY_PART,
    LONGEST_BORDER,
    BORDER_AND_SIZE,
    AREA_RATIO,
    GROUND_FROM,
    DESTROYED_WHERE,
    MORE_DESTROYED,
)
L2_QUESTIONS = {Tier.L2_SPATIAL: SPATIAL_QUESTIONS, Tier.L2_SEMANTIC: SEMANTIC_QUESTIONS}
QUESTIONS_A_SCENE = 3


def compose(scene: AskedScene, seed: int, number: int = QUESTIONS_A_SCENE) -> list[Asking]:
    """Return up to `number` questions of a scene, no two of one kind, each kind drawn by seed."""
    if not scene.can_be_seen:
        scene.leave_out("any", "no_image_at_a_labelled_date")
        return []
    rng = Random(f"{seed}:{scene.scene_id}:composition")
    spatial, semantic = (
        _proposed(scene, rng.sample(kinds, len(kinds)), seed) for kinds in L2_QUESTIONS.values()
    )
    turns = [spatial, semantic] if rng.random() < 0.5 else [semantic, spatial]
    chosen: list[Asking] = []
    while turns and len(chosen) < number:
        asking = next(turns[0], None)
        if asking is None:
            turns.pop(0)
            continue
        chosen.append(asking)
        turns.append(turns.pop(0))
    return chosen


def _proposed(scene: AskedScene, kinds: Sequence[QuestionTemplate], seed: int) -> Iterator[Asking]:
    for kind in kinds:
        yield from propose(scene, (kind,), seed)[:1]

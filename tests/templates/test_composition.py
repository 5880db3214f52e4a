"""Which L2 questions a scene gets, and that all their words are proved by the plain reference."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from masks.reference import evaluate
from masks.reference_scene import ReferenceScene
from schemas.mask import Invalid
from schemas.scene import INVALID_ID, Modality
from schemas.taxonomy import BIGEARTHNET_19, CHATEARTHNET_11, XBD_DAMAGE
from schemas.tier import Tier
from schemas.trace import MARKS, SEG, Fact
from tasks.asked_rows import asked_table
from tasks.proof_words import TEMPLATES, ReferenceTold
from tasks.scene_table import evidence_of, scenes_to_table
from templates.asked import AskedScene
from templates.composition import L2_QUESTIONS, QUESTIONS_A_SCENE, compose
from templates.item import finish, propose
from templates.nearness import NEAREST

SIZE = 48
NUM_DRAWN = 60  # random scenes of each sort
NAMES = {
    CHATEARTHNET_11: ("water", "developed area", "tree", "grass", "crop", "bare land"),
    BIGEARTHNET_19: (
        "Urban fabric",
        "Arable land",
        "Pastures",
        "Coniferous forest",
        "Moors, heathland and sclerophyllous vegetation",
        "Inland waters",
    ),
}


@dataclass(frozen=True)
class Both:
    """One scene as the production kernels tell it, and as the plain reference does."""

    asked: AskedScene
    reference: ReferenceTold


@pytest.fixture(scope="module")
def both(asked):
    """Return a function that gives scenes as both see them."""

    def made(scenes):
        rows = scenes_to_table(scenes).to_pylist()
        return [
            Both(scene, ReferenceTold(ReferenceScene(evidence_of(row)), row["words"]))
            for scene, row in zip(asked(*scenes), rows, strict=True)
        ]

    return made


@pytest.fixture(scope="module")
def drawn(make):
    """Return random scenes: land of one date and of two, and towns after an event."""
    scenes = []
    for number in range(NUM_DRAWN):
        rng = Random(number)
        scenes.append(drawn_land(make, rng, f"land{number}", num_dates=1))
        scenes.append(drawn_land(make, rng, f"years{number}", num_dates=2))
        levels = [rng.choice(XBD_DAMAGE.names) for _ in range(rng.randint(1, 9))]
        places = [(20 * (i // 3), 20 * (i % 3)) for i in rng.sample(range(9), len(levels))]
        side, up = rng.randint(6, 16), rng.choice([True, False])
        scenes.append(make.town(f"town{number}", levels, places, side=side, north_up=up))
    return scenes


def drawn_land(make, rng, name, num_dates):
    taxonomy = rng.choice(list(NAMES))
    ids_HW = drawn_ids(rng, taxonomy)
    invalid = rng.choice([Invalid.OTHER, Invalid.UNKNOWN])
    layers = []
    for date in range(num_dates):
        layers.append(make.land(ids_HW.copy(), date, invalid, taxonomy))
        paint(rng, ids_HW, taxonomy)
    if rng.random() < 0.2:
        layers[0].ids_HW[: rng.randint(1, 6)] = INVALID_ID
    sensors = rng.choice([[Modality.OPTICAL], [Modality.SAR], [Modality.OPTICAL, Modality.SAR]])
    return make.scene(
        name,
        layers,
        [make.image("single", date, sensor) for date in range(num_dates) for sensor in sensors],
        pixel_size_m=rng.choice([None, (10.0, 10.0), (4.0, 4.0)]),
        north_up=rng.choice([True, False]),
    )


def drawn_ids(rng, taxonomy):
    """Return a map of a few blocks over one class."""
    ids_HW = np.full((SIZE, SIZE), taxonomy.names.index(rng.choice(NAMES[taxonomy])))
    for _ in range(rng.randint(1, 5)):
        paint(rng, ids_HW, taxonomy)
    return ids_HW


def paint(rng, ids_HW, taxonomy):
    """Put a block of one class anywhere, from 5 pixels to the whole map's height or width."""
    (top, tall), (left, wide) = ((rng.randint(0, 40), rng.randint(5, SIZE)) for _ in range(2))
    ids_HW[top : top + tall, left : left + wide] = taxonomy.names.index(rng.choice(NAMES[taxonomy]))


@pytest.fixture(scope="module")
def composed(both, drawn, granule):
    """Return each scene with what is composed of it."""
    return [(scene, compose(scene.asked, 0)) for scene in both([*drawn, *granule])]


def ids(scenes, seed):
    return {
        scene.scene_id: [(a.template.task, a.draft.question) for a in compose(scene, seed)]
        for scene in scenes
    }


def test_a_scene_gets_at_most_three_questions_and_no_kind_twice(composed) -> None:
    numbers = Counter(len(askings) for _, askings in composed)
    assert max(numbers) == QUESTIONS_A_SCENE == 3
    assert numbers[3] > 20
    for _, askings in composed:
        tasks = [asking.template.task for asking in askings]
        assert len(set(tasks)) == len(tasks)


def test_fewer_can_be_asked_for(composed) -> None:
    for scene, askings in composed[:20]:
        assert compose(scene.asked, 0, number=1) == askings[:1]


def test_a_scene_that_allows_both_gets_a_spatial_and_a_semantic_question(composed) -> None:
    num_both = 0
    for scene, askings in composed:
        allowed = {tier for tier, kinds in L2_QUESTIONS.items() if propose(scene.asked, kinds, 0)}
        assert {asking.template.tier for asking in askings} == allowed
        num_both += len(allowed) == 2
    assert num_both > 50


def test_all_kinds_are_composed_of_the_drawn_scenes(composed) -> None:
    tasks = {asking.template.task for _, askings in composed for asking in askings}
    assert tasks == {kind.task for kinds in L2_QUESTIONS.values() for kind in kinds}


def test_kinds_are_drawn_by_seed_and_scene(asked, granule) -> None:
    assert ids(asked(*granule), 0) == ids(asked(*granule), 0)
    assert ids(asked(*granule), 0) != ids(asked(*granule), 1)


def test_another_order_of_the_scenes_changes_nothing(asked, granule) -> None:
    assert ids(asked(*granule), 0) == ids(asked(*granule[::-1]), 0)


def test_nothing_is_asked_of_a_scene_that_cannot_be_seen(asked, make) -> None:
    layers = [make.land(make.stripes(12, 20), date) for date in range(2)]
    (scene,) = asked(make.scene("s", layers, [make.image("pre", 0)]))
    assert compose(scene, 0) == []
    assert scene.left_out == {"any: no_image_at_a_labelled_date": 1}


def test_the_reference_finds_the_same_value_and_says_the_same_words(composed) -> None:
    num_checked = 0
    for scene, askings in composed:
        for asking in askings:
            draft, template = asking.draft, asking.template
            value = evaluate(draft.program, scene.reference.scene)
            assert value == draft.value, (asking.scene_id, template.task)
            assert TEMPLATES[template.task] is template
            words = template.words(draft.program, value, scene.reference, draft.view)
            assert words == draft.words, (asking.scene_id, template.task)
            assert draft.question in template.phrasings(words)
            num_checked += 1
    assert num_checked > 300


def test_how_near_a_class_is_at_most_is_proved_by_the_reference(both, make) -> None:
    def land(text):
        return make.scene("s", [make.land(make.fields(text))])

    near, far = both(
        [
            land("water 10, bare land 6, crop 22, tree 22"),
            land("water 10, bare land 16, crop 12, tree 22"),
        ]
    )
    num_near = 0
    for seed in range(20):
        for asking in propose(near.asked, [NEAREST], seed):
            draft = asking.draft
            words = NEAREST.words(draft.program, draft.value, near.reference, draft.view)
            assert words == draft.words
            if draft.words.classes == ("water", "crop", "tree"):
                num_near += 1
                assert Fact("100 m") in words.steps[1].line
                other = NEAREST.words(draft.program, draft.value, far.reference, draft.view)
                assert Fact("170 m") in other.steps[1].line
    assert num_near


def test_every_mark_of_a_trace_has_its_mask(composed) -> None:
    for scene, askings in composed:
        for item in finish(askings, 0):
            steps = item.asking.draft.words.steps
            for step, text in zip(steps, item.trace.steps, strict=True):
                assert text.count(SEG) == (step.mask is not None)
                if step.mask is not None:
                    assert scene.reference.px(step.mask) > 0
                    assert item.asking.draft.view.image_of_date(step.date_index) >= 0
            assert not any(mark in item.asking.draft.question for mark in MARKS)


def test_a_row_holds_as_many_masks_as_its_trace_marks(asked, drawn) -> None:
    table, left_out = asked_table(asked(*drawn), lambda scene: compose(scene, 0), 0)
    rows: list[dict[str, Any]] = table.to_pylist()
    assert left_out.total() > 0
    for row in rows:
        assert row["trace"].count(SEG) == len(row["masks"])
        grounded = [step["mask_index"] for step in row["steps"] if step["mask_index"] >= 0]
        assert grounded == list(range(len(row["masks"])))
        is_judged = row["tier"] == Tier.L2_SEMANTIC.value
        assert bool(row["rule"]) == bool(row["premises"]) == is_judged
    assert len({row["sample_id"] for row in rows}) == len(rows)

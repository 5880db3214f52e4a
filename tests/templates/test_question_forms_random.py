"""Random programs on random scenes: the question that a form gives is one of its program's only."""

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from schemas.program import ClassMask, load_program
from schemas.taxonomy import XBD_DAMAGE
from schemas.value import Value
from tasks.scene_table import scenes_to_table
from tasks.seen_scene import SeenScene, see
from templates.ground import Ground
from templates.question_forms import forms_of
from templates.question_reading import example_of, form_fault
from templates.replies import Fault
from templates.run_program import run_program
from tests.templates.programs import (
    Tree,
    area,
    both,
    buildings,
    compare,
    count,
    exists,
    joined,
    minus,
    near,
    number,
    of,
    of_two,
    part,
    share,
    valid,
)
from tests.templates.test_composition import drawn_land

NUM_DRAWN = 12  # scenes of each sort
PLACES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0,), (1,), (4,), (8,)]
Named = tuple[str, Tree]


@pytest.fixture(scope="module")
def grounds(make) -> list[Ground]:
    """Return scenes of one date and of two, north up and not, and towns after an event."""
    scenes = []
    for number_of in range(NUM_DRAWN):
        rng = Random(2000 + number_of)
        scenes.append(drawn_land(make, rng, f"land{number_of}", num_dates=1))
        scenes.append(drawn_land(make, rng, f"years{number_of}", num_dates=2))
        levels = [*XBD_DAMAGE.names, *rng.choices(XBD_DAMAGE.names, k=5)]
        up = rng.choice([True, False])
        places = [(20 * (i // 3), 20 * (i % 3)) for i in range(9)]
        scenes.append(make.town(f"town{number_of}", levels, places, side=12, north_up=up))
    seen = [see(row, "vv_vh", row["scene_id"]) for row in scenes_to_table(scenes).to_pylist()]
    found = [scene.ground for scene in seen if isinstance(scene, SeenScene)]
    assert {ground.north_up for ground in found} == {True, False}
    assert {ground.view.num_dates for ground in found} == {1, 2}
    return found


def drawn(ground: Ground, rng: Random) -> Iterator[Tree]:
    """Yield programs of every shape on a scene: of its land, or of its buildings."""
    if "footprint" in ground.words:
        yield from of_buildings(rng)
        return
    known = sorted(ground.words["land_cover"])
    there = [label for label in known if is_there(label, ground)]
    labels = rng.sample(there, min(4, len(there)))
    labels += rng.sample([label for label in known if label not in there], 4 - len(labels))
    for date in sorted(set(ground.view.date_indices)):
        phrases = [ground.words["land_cover"][label].phrase for label in labels]
        masks = [of(label, date) for label in labels]
        yield from of_land(list(zip(phrases, masks, strict=True)), valid(date), rng)
    if ground.view.num_dates > 1:
        yield from of_change(of(labels[0]), of(labels[0], 1), of(labels[1], 1))


def is_there(label: str, ground: Ground) -> bool:
    return ground.px(ClassMask(layer="land_cover", label=label, date=0)) > 0


def of_land(named: list[Named], whole: Tree, rng: Random) -> Iterator[Tree]:
    (_, a), (_, b), (_, c), _ = named
    cells, metres = rng.choice(PLACES), rng.choice([50, 100, 300, 1500])
    close = near(a, b, metres)
    yield from (share(a, whole), share(close, whole), share(close, a), area(a), area(close))
    yield from (share(part(a, *cells), a), share(part(a, *cells), part(whole, *cells)))
    yield from (share(a, part(whole, *cells)), count(a), exists(a), exists(close))
    yield exists(part(a, *cells))
    yield from (of_two(op, a, b) for op in ("border_length", "distance", "border"))
    yield from (of_two(op, area(a), area(b)) for op in ("div", "sub"))
    tests = [
        of_two("border", a, b),
        exists(c),
        compare(share(a, whole), rng.choice("<>"), share(c, whole)),
        compare(area(a), rng.choice("<>"), area(b)),
        compare(share(a, whole), rng.choice("<>"), number(rng.choice([0.1, 0.25]), "share")),
        compare(number(rng.choice([20_000, 50_000]), "m2"), rng.choice("<>"), area(a)),
        compare(share(close, a), ">", number(0.5, "share")),
        compare(of_two("distance", a, b), "<", number(200, "m")),
    ]
    yield from tests
    yield joined("all", *rng.sample(tests, 2))
    yield joined("any", *rng.sample(tests, 2))
    for some in (named[:2], named[1:]):
        yield ranked("argmax", some, area)
        yield ranked("argmax", some, lambda mask: share(mask, whole))
    yield ranked("argmax", named[1:], lambda mask: of_two("border_length", a, mask))
    yield ranked("argmax", named[1:3], lambda mask: of_two("border_length", mask, a))
    masks = [{"name": name, "mask": mask} for name, mask in named[1:]]
    yield {"op": "nearest", "to": a, "of": masks}
    yield {"op": "nearest", "to": a, "of": masks[:2]}
    yield {"op": "majority", "of": masks, "within": whole}
    yield {"op": "majority", "of": masks[:2], "within": part(whole, *cells)}


def ranked(op: str, named: list[Named], measure: Any) -> Tree:
    return {"op": op, "of": [{"name": name, "value": measure(mask)} for name, mask in named]}


def of_change(before: Tree, after: Tree, other: Tree) -> Iterator[Tree]:
    for a, b in ((before, after), (after, before)):
        yield area(minus(a, b))
        yield of_two("sub", area(a), area(b))
        yield compare(area(a), ">", area(b))
        yield compare(share(a, valid(a["date"])), "<", share(b, valid(b["date"])))
    yield share(both(before, other), before)
    yield share(both(before, other), other)


def of_buildings(rng: Random) -> Iterator[Tree]:
    states = rng.sample(XBD_DAMAGE.names, 3)
    objects = [buildings(date=0), buildings(), *map(buildings, states)]
    for one in objects:
        yield from (count(one), exists(one), area(one), exists(part(one, *rng.choice(PLACES))))
        yield compare(count(one), rng.choice("<>"), number(rng.randint(1, 8), "count"))
        yield share(one, valid(one["date"], "footprint"))
    for a, b in (objects[2:4], objects[3:5]):
        yield compare(count(a), rng.choice("<>"), count(b))
        yield compare(area(a), rng.choice("<>"), area(b))
        yield joined("all", exists(a), exists(b))


def asked_of(tree: Tree, ground: Ground) -> list[str]:
    """Return the questions that the forms of a program give."""
    program = load_program(json.dumps(tree))
    return [example_of(form, program, ground, ground.view) for form in forms_of(program)]


def value_of(tree: Tree, ground: Ground) -> Value | None:
    value = run_program(load_program(json.dumps(tree)), ground)
    return None if isinstance(value, Fault) else value


def test_the_example_of_every_form_is_accepted(grounds) -> None:
    ops: Counter[str] = Counter()
    refused = []
    for number_of, ground in enumerate(grounds):
        for tree in drawn(ground, Random(number_of)):
            program = load_program(json.dumps(tree))
            questions = asked_of(tree, ground)
            ops[tree["op"]] += len(questions)
            refused += [q for q in questions if form_fault(q, program, ground, ground.view)]
            if not questions and tree["op"] not in ("all", "any"):
                refused.append(f"no form: {json.dumps(tree)}")
    assert refused == []
    assert ops.keys() == {
        "share", "area", "count", "border_length", "distance", "exists", "border", "div", "sub",
        "compare", "all", "any", "argmax", "nearest", "majority",
    }  # fmt: skip
    assert ops["all"] > 10
    assert ops["any"] > 10


def test_a_question_is_accepted_for_another_program_only_with_the_same_answer(grounds) -> None:
    tried, leaks = 0, []
    for number_of, ground in enumerate(grounds):
        trees = list(drawn(ground, Random(number_of)))
        values = [value_of(tree, ground) for tree in trees]
        asked = [asked_of(tree, ground) for tree in trees]
        for tree, value in zip(trees, values, strict=True):
            program = load_program(json.dumps(tree))
            for questions, due in zip(asked, values, strict=True):
                if value is None or due is None or value == due:
                    continue
                tried += len(questions)
                passed = [q for q in questions if not form_fault(q, program, ground, ground.view)]
                leaks += [(q, due, value, json.dumps(tree)) for q in passed]
    assert leaks == []
    assert tried > 20_000

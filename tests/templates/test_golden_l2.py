"""One golden record a kind of L2 question, or rule, its version and form.

As in test_golden.py: TERRASCOPE_WRITE_GOLDEN=1 adds records of new versions and drops those of old
ones; a record that stands is never overwritten. Read the difference.
"""

import json
import os
from pathlib import Path

import pytest

from schemas.program import dump_program
from schemas.value import Quantity
from templates.composition import L2_QUESTIONS
from templates.item import finish, propose

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "l2.json"
KINDS = [kind for kinds in L2_QUESTIONS.values() for kind in kinds]
LANDS = (
    "developed area 30, grass 30",
    "developed area 22, tree 38",
    "developed area 50, tree 10",
    "water 45, grass 15",
    "crop 45, grass 15",
    "tree 45, grass 15",
    "crop 30, grass 30",
    "bare land 54, developed area 6",
    "water 10, grass 50",
    "water 10, grass 41, developed area 9",
    "water 10, grass 25, developed area 25",
    "water 10 / developed area 14, grass 46",
    "water 10, developed area 50",
    "water 10, crop 50",
    "tree 6, grass 54",
    "tree 24, grass 36",
    "tree 10, grass 20, tree 10, grass 20",
    "water 6, tree 14, grass 20, crop 20",
    "water 20 / tree 40, crop 20",
)
CHANGES = (
    ("grass 60", "developed area 20, grass 40"),
    ("tree 60", "crop 20, tree 40"),
    ("water 12, tree 20, crop 28", "water 42, crop 18"),
)
LEVELS = ((1, 19), (2, 18), (6, 14), (15, 5))  # destroyed and undamaged buildings


@pytest.fixture
def scenes(make, granule):
    """Return scenes of which every kind is asked, enough of each that options can be picked."""
    one = [make.scene(f"land{i}", [make.land(make.fields(text))]) for i, text in enumerate(LANDS)]
    frames = [make.image("sequence", 0), make.image("sequence", 1)]
    two = [
        make.scene(
            f"change{i}", [make.land(make.fields(t), d) for d, t in enumerate(dates)], frames
        )
        for i, dates in enumerate(CHANGES)
    ]
    towns = [
        make.town(f"levels{i}", ["destroyed"] * lost + ["no-damage"] * kept)
        for i, (lost, kept) in enumerate(LEVELS)
    ]
    places = [(4, 4), (24, 4), (4, 44), (40, 40)]
    levels = ["destroyed", "destroyed", "destroyed", "no-damage"]
    return [*granule, *one, *two, *towns, make.town("blocks", levels, places, side=16)]


def test_every_kind_and_rule_is_asked_as_recorded(asked, scenes) -> None:
    askings = [a for scene in asked(*scenes) for a in propose(scene, KINDS, 0)]
    found = {}
    for item in finish(askings, 0):
        template, form = item.asking.template, "choice" if item.options else "open"
        found.setdefault(f"{template.task} v{template.version} {form}", record(item))
    assert {key.split(" ")[0] for key in found} == {kind.task for kind in KINDS}
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    changed = [key for key in found if key in golden and golden[key] != found[key]]
    assert not changed, f"raise the version of the templates or rules of {changed}"
    if os.environ.get("TERRASCOPE_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        golden = found
    assert found.keys() == golden.keys()


def record(item):
    draft = item.asking.draft
    value, words = draft.value, draft.words
    return {
        "scene": item.asking.scene_id,
        "question": draft.question,
        "classes": list(words.classes),
        "options": list(item.options),
        "letter": item.letter,
        "answer": item.text,
        "interval": [value.low, value.high] if isinstance(value, Quantity) else None,
        "trace": item.trace.text,
        "masks": [dump_program(step.mask) for step in words.steps if step.mask is not None],
        "program": item.program_json,
        "rule": words.rule,
        "premises": {premise.name: premise.text for premise in words.premises},
        "sample_id": item.sample_id,
    }

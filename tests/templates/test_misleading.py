"""What was written to get past the gate is refused; what means what it says is not."""

import json
from typing import Any

import pytest

from schemas.program import load_program
from schemas.rejection import Reason
from tasks.scene_table import scenes_to_table
from tasks.seen_scene import SeenScene, see
from templates.agreement import question_faults
from templates.composed import rule_on
from templates.question_reading import form_fault
from templates.rule import BoundRule
from tests.templates.misleading import HONEST, MISJUDGED, MISLEADING


@pytest.fixture(scope="module")
def read(make) -> dict[str, Any]:
    """Return the scenes that the misleading questions are about."""

    def fields(*texts: str) -> Any:
        layers = [make.land(make.fields(text, rows=180), date) for date, text in enumerate(texts)]
        images = [make.image("single", date) for date in range(len(texts))]
        return make.scene("s", layers, images)

    states = ["destroyed"] * 2 + ["no-damage"] * 3 + ["minor-damage"]
    scenes = {
        "FARMS": fields("water 30, tree 42, grass 24, crop 60, developed area 24"),
        "YEARS": fields(
            "water 30, tree 60, crop 60, developed area 30",
            "water 30, tree 30, crop 60, developed area 60",
        ),
        "LATER": fields("water 30, tree 30, crop 60, developed area 60"),
        "TOWN": make.town("t", states),
    }
    rows = scenes_to_table(list(scenes.values())).to_pylist()
    seen = [see(row, "vv_vh", "test") for row in rows]
    return dict(
        zip(scenes, (one.ground for one in seen if isinstance(one, SeenScene)), strict=True)
    )


@pytest.mark.parametrize(("scene", "question", "program"), HONEST)
def test_what_means_what_its_program_measures_passes(read, scene, question, program) -> None:
    ground = read[scene]
    assert form_fault(question, load_program(json.dumps(program)), ground, ground.view) == ""


@pytest.mark.parametrize(("scene", "question", "program"), MISLEADING)
def test_what_means_another_thing_is_refused(read, scene, question, program) -> None:
    ground = read[scene]
    assert form_fault(question, load_program(json.dumps(program)), ground, ground.view) != ""


@pytest.mark.parametrize(("scene", "rule", "question"), MISJUDGED)
def test_what_asks_for_another_judgement_is_refused(read, scene, rule, question) -> None:
    bound = rule_on(rule, read[scene])
    assert isinstance(bound, BoundRule), bound
    value = read[scene].value(bound.program)
    found = question_faults(question, bound.program, value, read[scene], read[scene].view, bound)
    (reason,) = {fault.reason for fault in found}
    assert reason in (Reason.OFF_QUESTION, Reason.GIVES_AWAY)

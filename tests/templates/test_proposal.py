"""A composer's reply as it comes: what is read of it, and what a person is told to mend."""

import json
from typing import Any

import pytest

from schemas.program import ClassMask, Share
from schemas.rejection import Reason
from templates.proposal import MOST_CHARACTERS, Proposal, read_proposals
from templates.replies import Fault
from tests.templates.programs import area, compare, count, either, near, number, of, share

CROP, WATER = of("crop"), of("water")
SPATIAL: dict[str, Any] = {
    "category": "spatial",
    "question": "What percentage of the image is cropland?",
    "classes": ["cropland"],
    "steps": [{"text": "I mark the cropland [SEG].", "mask": CROP}, {"text": "I measure it."}],
    "program": share(CROP),
    "answer": "43 %",
}
SEMANTIC: dict[str, Any] = {
    "category": "semantic",
    "question": "Is the area suitable for farming?",
    "classes": ["cropland"],
    "steps": [{"text": "I mark the cropland [SEG].", "mask": CROP}, {"text": "So it is."}],
    "rule": "farming",
    "premises": {"crop_share": "43 %"},
    "answer": "Yes",
}


def reply(*questions: Any) -> str:
    return json.dumps({"questions": list(questions)})


def one(**changes: Any) -> Proposal | tuple[Fault, ...]:
    """Return what is read of a spatial question with some changes; None takes a key away."""
    question = {key: v for key, v in {**SPATIAL, **changes}.items() if v is not None}
    found = read_proposals(reply(question), "stop")
    assert isinstance(found, list), found
    return found[0]


def faults(**changes: Any) -> list[tuple[Reason, str]]:
    found = one(**changes)
    assert isinstance(found, tuple), found
    return [(fault.reason, fault.detail) for fault in found]


def whole(text: str, finish: str = "stop") -> tuple[Reason, str]:
    found = read_proposals(text, finish)
    assert isinstance(found, Fault), found
    return found.reason, found.detail


def test_a_spatial_and_a_semantic_question_are_read() -> None:
    spatial, semantic = read_proposals(reply(SPATIAL, SEMANTIC), "stop")
    assert spatial.program == Share.model_validate(share(CROP))
    assert [step.mask for step in spatial.steps] == [ClassMask.model_validate(CROP), None]
    assert (semantic.rule, semantic.premises) == ("farming", {"crop_share": "43 %"})
    assert semantic.program is None


@pytest.mark.parametrize(
    "wrapped",
    ["{}", "  {}\n", "```json\n{}\n```", "```\n{}\n```", "\n```json\n{}\n```\n"],
)
def test_json_may_stand_bare_or_fenced(wrapped) -> None:
    assert isinstance(read_proposals(wrapped.replace("{}", reply(SPATIAL)), "stop"), list)


def test_white_space_in_texts_is_made_single() -> None:
    read = one(question=" What  percentage\nof the image is cropland? ", answer=" 43 % ")
    assert read.question == "What percentage of the image is cropland?"
    assert read.answer == "43 %"


@pytest.mark.parametrize(
    ("text", "finish", "reason", "told"),
    [
        ("", "stop", Reason.EMPTY_REPLY, "empty"),
        (" \n\t", "stop", Reason.EMPTY_REPLY, "empty"),
        (reply(SPATIAL)[:200], "length", Reason.CUT_REPLY, "not finished after 200 characters"),
        (reply(SPATIAL), "length", Reason.CUT_REPLY, "write less"),
        ("x" * (MOST_CHARACTERS + 1), "stop", Reason.CUT_REPLY, "write less"),
        (reply(SPATIAL)[:200], "stop", Reason.BAD_REPLY, "not JSON"),
        ("Here are two questions.", "stop", Reason.BAD_REPLY, "not JSON"),
        (f"Sure! ```json\n{reply(SPATIAL)}\n```", "stop", Reason.BAD_REPLY, "not JSON"),
        (f"{reply(SPATIAL)} Done.", "stop", Reason.BAD_REPLY, "not JSON"),
        (reply(SPATIAL).replace('"', "'"), "stop", Reason.BAD_REPLY, "not JSON"),
        ("[" * 10_000 + "]" * 10_000, "stop", Reason.BAD_REPLY, "not JSON"),
        ('{"questions": ' + "9" * 5_000 + "}", "stop", Reason.BAD_REPLY, "not JSON"),
        ("[]", "stop", Reason.BAD_REPLY, '{"questions": [...]}'),
        ("null", "stop", Reason.BAD_REPLY, '{"questions": [...]}'),
        ('"__import__(\'os\')"', "stop", Reason.BAD_REPLY, '{"questions": [...]}'),
        (reply(), "stop", Reason.BAD_REPLY, "at least one question"),
        ('{"questions": {}}', "stop", Reason.BAD_REPLY, "at least one question"),
        (json.dumps({"questions": [SPATIAL], "note": ""}), "stop", Reason.BAD_REPLY, "questions"),
        (json.dumps([SPATIAL]), "stop", Reason.BAD_REPLY, '{"questions": [...]}'),
        (reply(*[SPATIAL] * 5), "stop", Reason.BAD_REPLY, "5 questions; at most 4"),
    ],
)  # fmt: skip
def test_a_reply_of_another_form_is_one_fault_that_says_which_is_due(
    text, finish, reason, told
) -> None:
    assert whole(text, finish) == (reason, whole(text, finish)[1])
    assert told in whole(text, finish)[1]


STEP = SPATIAL["steps"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"note": "hello"}, "note"),
        ({"category": "funny"}, "category"),
        ({"category": None}, "category"),
        ({"question": None}, "question"),
        ({"question": ["Is it?"]}, "question"),
        ({"question": "Eh?"}, "question"),
        ({"question": "x" * 401}, "question"),
        ({"answer": 43}, "answer"),
        ({"answer": True}, "answer"),
        ({"answer": ""}, "answer"),
        ({"classes": "cropland"}, "classes"),
        ({"classes": []}, "classes"),
        ({"classes": [1]}, "classes.0"),
        ({"steps": "I mark it."}, "steps"),
        ({"steps": ["I mark it.", "I see."]}, "steps.0"),
        ({"steps": STEP[:1]}, "steps"),
        ({"steps": STEP * 9}, "steps"),
        ({"steps": [{"text": 5}, *STEP]}, "steps.0.text"),
        ({"steps": [{"mask": CROP}, *STEP]}, "steps.0.text"),
        ({"steps": [{"text": "I mark it [SEG].", "mask": "crop"}, *STEP]}, "steps.0.mask"),
        ({"steps": [{"text": "I mark it [SEG].", "mask": [CROP]}, *STEP]}, "steps.0.mask"),
        ({"steps": [{"text": "I mark it.", "code": "1"}, *STEP]}, "steps.0.code"),
        ({"program": "area(crop)"}, "program"),
        ({"program": [share(CROP)]}, "program"),
        ({"program": 1}, "program"),
        ({"premises": ["crop_share"]}, "premises"),
        ({"premises": {"crop_share": 0.43}}, "premises.crop_share"),
    ],
)  # fmt: skip
def test_a_question_of_other_fields_names_the_first_that_is_wrong(changes, told) -> None:
    ((reason, detail),) = faults(**changes)
    assert reason is Reason.BAD_REPLY
    assert detail.startswith(f"{told}: "), detail


def nested(depth: int) -> dict[str, Any]:
    program: dict[str, Any] = {"op": "exists", "of": CROP}
    for _ in range(depth):
        program = {"op": "not", "of": program}
    return program


OS = "__import__('os').system('touch /tmp/terrascope-was-run')"
BAD_PROGRAMS = [
    ({}, "op"),
    ({"op": "eval", "of": CROP}, "eval"),
    ({"op": OS}, "__import__"),
    ({"op": "area"}, "of"),
    ({"op": "area", "of": CROP, "run": OS}, "run"),
    ({"op": "area", "of": OS}, "of"),
    ({"op": "area", "of": area(CROP)}, "of"),  # an area has no area
    ({"op": "share", "of": CROP}, "within"),  # a share says of what
    (CROP, "op"),  # a mask is no program
    ({"op": "area", "of": {"op": "mask", "layer": "land_cover", "label": 7, "date": 0}}, "label"),
    ({"op": "area", "of": {**CROP, "date": "0"}}, "date"),
    ({"op": "area", "of": {**CROP, "date": -1}}, "date"),
    ({"op": "area", "of": {**CROP, "date": 0.5}}, "date"),
    ({"op": "area", "of": {**CROP, "date": True}}, "date"),
    ({"op": "area", "of": {"op": "part", "of": CROP, "cell": 9}}, "cell"),
    ({"op": "area", "of": {"op": "part", "of": CROP, "cell": "0"}}, "cell"),
    (area(near(CROP, WATER, 0)), "distance_m"),
    (area(near(CROP, WATER, -5)), "distance_m"),
    (area({**near(CROP, WATER, 1), "distance_m": "100"}), "distance_m"),
    (area(near(CROP, WATER, float("nan"))), "distance_m"),
    (area(near(CROP, WATER, float("inf"))), "distance_m"),
    (compare(area(CROP), "=", area(WATER)), "relation"),
    (compare(area(CROP), ">", number(float("nan"), "m2")), "value"),
    (compare(area(CROP), ">", number(float("inf"), "m2")), "value"),
    (compare(area(CROP), ">", {"op": "number", "value": "5", "unit": "m2"}), "value"),
    (compare(area(CROP), ">", number(5, "acres")), "unit"),
    ({**count(CROP), "min_component_px": 0}, "min_component_px"),
    ({"op": "argmax", "of": [{"name": "crop", "value": area(CROP)}]}, "of"),
    ({"op": "argmax", "of": {"crop": area(CROP), "water": area(WATER)}}, "of"),
    ({"op": "all", "of": []}, "of"),
    (nested(15), "nests 17 operations deep"),
    (nested(200), "nests 202 operations deep"),
]


@pytest.mark.parametrize(("program", "told"), BAD_PROGRAMS)
def test_a_program_outside_the_language_is_refused_in_words(program, told) -> None:
    ((reason, detail),) = faults(program=program)
    assert reason is Reason.BAD_PROGRAM
    assert told in detail
    assert len(detail) < 400


@pytest.mark.parametrize(
    "mask",
    [{}, area(CROP), {"op": "eval"}, {"op": OS}, {"label": "crop"}, {**CROP, "date": None},
     {"op": "or", "a": CROP}, either(CROP, area(WATER))],
)  # fmt: skip
def test_a_mask_that_is_none_is_refused(mask) -> None:
    steps = [{"text": "I mark the cropland [SEG].", "mask": mask}, *STEP]
    ((reason, _),) = faults(steps=steps)
    assert reason is Reason.BAD_PROGRAM


def test_a_program_of_ten_thousand_levels_ends_in_a_fault() -> None:
    deep = '{"questions": [' + json.dumps(SPATIAL)[:-1] + ', "program": '
    text = deep + '{"a":' * 3_000 + "1" + "}" * 3_000 + "}]}"
    assert whole(text)[0] is Reason.BAD_REPLY
    longer = '{"a":' * 10_000 + "1" + "}" * 10_000
    assert whole(longer)[0] is Reason.CUT_REPLY


def test_a_mask_that_nests_too_deep_is_refused_with_its_depth() -> None:
    ((reason, detail),) = faults(steps=[{"text": "I mark it [SEG].", "mask": either(*[CROP] * 20)},
                                        *STEP])  # fmt: skip
    assert reason is Reason.BAD_PROGRAM
    assert "nests 20 operations deep; at most 16" in detail


def test_code_in_words_stays_words_and_nothing_is_run(tmp_path) -> None:
    planted = f"__import__('pathlib').Path('{tmp_path}/ran').touch()"
    read = one(
        question=f"{planted} is what?",
        answer=planted,
        classes=[planted],
        program=area(of(planted)),
        steps=[{"text": f"{planted} [SEG]", "mask": of(planted)}, {"text": "${" + planted + "}"}],
    )
    assert isinstance(read, Proposal)
    assert read.program.of.label == planted
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number_text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_end_in_a_fault_where_json_lets_them_in(number_text) -> None:
    text = reply({**SPATIAL, "program": compare(area(CROP), ">", number(7.5, "m2"))})
    (read,) = read_proposals(text.replace("7.5", number_text), "stop")
    assert isinstance(read, tuple)
    assert read[0].reason is Reason.BAD_PROGRAM


@pytest.mark.parametrize("spoiled", ["\\ud800", "\\u0000"])
def test_letters_that_are_none_harm_nobody(spoiled) -> None:
    text = reply(SPATIAL, SPATIAL).replace("crop", spoiled, 1)
    found = read_proposals(text, "stop")
    assert isinstance(found, list)
    assert isinstance(found[1], Proposal)


def test_a_spatial_question_without_a_program_or_with_a_rule_is_told_so() -> None:
    for changes in ({"program": None}, {"rule": "farming"}):
        assert faults(**changes) == [
            (Reason.BAD_PROGRAM, "a spatial question carries a program and no rule")
        ]


def test_a_semantic_question_without_a_rule_or_with_a_program_is_told_so() -> None:
    for changes in ({"rule": ""}, {"program": share(CROP)}):
        (found,) = read_proposals(reply({**SEMANTIC, **changes}), "stop")
        assert [fault.reason for fault in found] == [Reason.BAD_RULE]


def test_a_bad_question_does_not_spoil_its_neighbours() -> None:
    bad: list[Any] = [{**SPATIAL, "program": nested(200)}, "a question", None]
    for spoiled in bad:
        first, second, third = read_proposals(reply(SPATIAL, spoiled, SEMANTIC), "stop")
        assert isinstance(first, Proposal)
        assert isinstance(second, tuple)
        assert isinstance(third, Proposal)


def test_all_of_a_question_is_told_at_once_where_it_can_be() -> None:
    found = faults(rule="farming", program={"op": "eval"})
    assert [reason for reason, _ in found] == [Reason.BAD_PROGRAM, Reason.BAD_PROGRAM]

"""Proposals on hand-made scenes of 60 x 60 pixels: what is kept of them, and what refuses one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from masks.reference_scene import ReferenceScene
from schemas.mask import Invalid
from schemas.program import dump_program, load_program
from schemas.rejection import Reason
from schemas.taxonomy import BIGEARTHNET_19
from schemas.tier import Tier
from schemas.trace import SEG
from schemas.value import Name, Quantity, Truth
from schemas.verdict import Verdict
from tasks.proof_ground import ReferenceGround
from tasks.scene_table import evidence_of, scenes_to_table
from tasks.seen_scene import see
from templates.composed import Composed, compose, rule_on
from templates.ground import Ground
from templates.judging import questions_of
from templates.proposal import Proposal, read_proposals
from templates.rule import BoundRule
from tests.templates.programs import (
    area,
    buildings,
    compare,
    count,
    exists,
    joined,
    largest,
    minus,
    near,
    number,
    of,
    of_two,
    part,
    share,
    valid,
)

CROP, WATER, TREE, SNOW = of("crop"), of("water"), of("tree"), of("snow")
NORTH = (0, 1, 2)


@dataclass(frozen=True)
class Grounds:
    """A scene as it is when a question is composed, and when it is proved."""

    made: Ground
    proved: ReferenceGround


def grounds_of(scene: Any) -> Grounds:
    (row,) = scenes_to_table([scene]).to_pylist()
    seen = see(row, "vv_vh", "test")
    assert not isinstance(seen, str), seen
    made = seen.ground
    reference = ReferenceGround(
        scene=ReferenceScene(evidence_of(row)),
        words_json=row["words"],
        view=made.view,
        metadata=made.metadata,
    )
    return Grounds(made, reference)


@pytest.fixture
def fields(make):
    """Return a function that gives a scene of stripes, one text of `make.fields` a date."""

    def made(*texts: str, invalid: Invalid = Invalid.OTHER, taxonomy: Any = None, **grid: Any):
        more = {} if taxonomy is None else {"taxonomy": taxonomy}
        layers = [
            make.land(make.fields(text, **more), date, invalid, **more)
            for date, text in enumerate(texts)
        ]
        images = [make.image("single", date) for date in range(len(texts))]
        return grounds_of(make.scene("s", layers, images, **grid))

    return made


@pytest.fixture
def lake(fields):
    """30 columns of crop, 20 of water, 10 of trees: 50 %, 33 % and 17 %."""
    return fields("crop 30, water 20, tree 10")


@pytest.fixture
def town(make):
    """Twenty buildings of which six are destroyed after the event."""
    places = [(10 * (i // 5), 10 * (i % 5)) for i in range(20)]
    levels = ["destroyed"] * 6 + ["no-damage"] * 14
    return grounds_of(make.town("t", levels, places))


def step(text: str, mask: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"text": text} if mask is None else {"text": text, "mask": mask}


MARK_CROP, MARK_WATER = step(f"I mark the cropland {SEG}.", CROP), step(f"The water {SEG}.", WATER)
SPATIAL: dict[str, Any] = {
    "category": "spatial",
    "question": "Does cropland cover a larger share of the image than water?",
    "classes": ["cropland", "water"],
    "steps": [
        step(f"I mark the cropland {SEG}, which covers 50 % of the image.", CROP),
        step(f"I mark the water {SEG}.", WATER),
        step("It covers 33 % of the image."),
        step("The cropland covers more than the water."),
    ],
    "program": compare(share(CROP), ">", share(WATER)),
    "answer": "Yes",
}
SEMANTIC: dict[str, Any] = {
    "category": "semantic",
    "question": "",  # one of the rule's
    "classes": ["cropland", "water", "developed land"],
    "steps": [
        step(f"I mark the cropland {SEG}.", CROP),
        step(f"I mark the water {SEG}.", WATER),
        step("The cropland covers 67 % of the image, and the water 10 %."),
        step("So the area is suitable for farming."),
    ],
    "rule": "farming",
    "premises": {"crop_share": "67 %", "crop_near_water": "100 %", "built_share": "0 %"},
    "answer": "Yes",
}
FARM = "water 6, crop 40, grass 14"


def composed(grounds: Grounds, given: dict[str, Any], **changes: Any) -> Composed | list[Reason]:
    """Return what is made of a proposal, by the production kernels and by the reference alike."""
    proposal = proposed(grounds, given, **changes)
    made, proved = compose(proposal, grounds.made), compose(proposal, grounds.proved)
    if isinstance(made, Composed):
        assert made == proved, "what is kept must be proved again"
        return made
    assert not isinstance(proved, Composed)
    assert [fault.reason for fault in made] == [fault.reason for fault in proved]
    assert all(fault.detail for fault in made)
    return [fault.reason for fault in made]


def proposed(grounds: Grounds, given: dict[str, Any], **changes: Any) -> Proposal:
    question = {key: v for key, v in {**given, **changes}.items() if v is not None}
    if not question["question"]:
        bound = rule_on(question["rule"], grounds.made)
        asked = questions_of(bound, grounds.made.view) if isinstance(bound, BoundRule) else set()
        question["question"] = min(asked, default="Is it a good place?")
    (proposal,) = read_proposals(json.dumps({"questions": [question]}), "stop")
    assert isinstance(proposal, Proposal), proposal
    return proposal


def told(grounds: Grounds, given: dict[str, Any], **changes: Any) -> str:
    made = compose(proposed(grounds, given, **changes), grounds.made)
    assert not isinstance(made, Composed)
    return " | ".join(fault.detail for fault in made)


def test_a_good_spatial_question_is_kept_with_its_programs_value(lake) -> None:
    made = composed(lake, SPATIAL)
    assert isinstance(made, Composed), made
    assert (made.tier, made.task) == (Tier.L2_SPATIAL, "composed_compare")
    assert made.value == Truth(True)
    assert made.program == load_program(json.dumps(SPATIAL["program"]))
    assert made.classes == ("crop", "water")
    assert (made.rule, made.premises) == ("", ())
    assert made.choices == ("Yes", "No")
    assert made.pool == dump_program(made.program)


def test_its_steps_stand_as_written_each_with_its_mask_and_verdict(lake) -> None:
    made = composed(lake, SPATIAL)
    assert isinstance(made, Composed), made
    *steps, last = made.steps
    assert [s.text for s in steps] == [s["text"] for s in SPATIAL["steps"]]
    assert [s.mask and s.mask.label for s in steps] == ["crop", "water", None, None]
    assert {s.image for s in made.steps} == {0}
    assert [s.verdict for s in made.steps] == [Verdict.PROVED] * 5
    assert (last.text, last.mask, made.cut) == ("So the answer is: Yes.", None, 0)


def test_its_claims_and_measured_numbers_are_found_by_their_places(lake) -> None:
    made = composed(lake, SPATIAL)
    assert isinstance(made, Composed), made
    text = " ".join(s["text"] for s in SPATIAL["steps"])
    said = [text[claim.start : claim.end] for claim in made.claims]
    assert any("33 %" in words for words in said)
    assert {claim.verdict for claim in made.claims} == {Verdict.PROVED}
    assert [text[a:b] for a, b in made.fact_spans] == ["50 %", "33 %"]


def test_a_good_semantic_question_is_kept_with_its_rule_and_premises(fields) -> None:
    made = composed(fields(FARM), SEMANTIC)
    assert isinstance(made, Composed), made
    assert (made.tier, made.task, made.rule) == (Tier.L2_SEMANTIC, "farming", "farming@2")
    assert made.value == Truth(True)
    assert [(p.name, p.text) for p in made.premises] == [
        ("crop_share", "67 %"),
        ("crop_near_water", "100 %"),
        ("built_share", "0 %"),
    ]
    assert made.premises[0].program.op == "share"
    assert made.program.op == "all"
    assert made.choices == ("Yes", "No")
    assert made.pool == "farming"


def test_a_rule_of_several_verdicts_gives_the_one_that_follows(fields) -> None:
    ground = fields("developed 22, grass 38".replace("developed", "developed area"))
    made = composed(
        ground,
        SEMANTIC,
        steps=[
            step(f"I mark the developed land {SEG}.", of("developed area")),
            step("It covers 37 % of the image."),
            step("So it is suburban."),
        ],
        rule="urban_rural@2",
        premises={"built_share": "37 %"},
        answer="suburban",
    )
    assert isinstance(made, Composed), made
    assert made.value == Name("suburban")
    assert made.num_options == 3
    assert made.choices == ()  # its options are other scenes' verdicts


def test_numbers_are_kept_as_measured_whatever_the_writer_rounded(lake) -> None:
    made = composed(
        lake,
        SPATIAL,
        question="What percentage of the image is cropland?",
        program=share(CROP),
        steps=[MARK_CROP, step("I measure it.")],
        answer="49 percent",
    )
    assert isinstance(made, Composed), made
    assert made.value == Quantity(0.5, "share", 1740 / 3600, 1860 / 3600)
    assert made.task == "composed_share"
    assert made.choices == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "The fields look well tended.",
        "Now I compare the two.",
        "So the answer is No.",
        "So water it is.",
        "No, the water is what matters.",
        "Some 47 farms lie here.",
        "That gives a ratio of 1.5 for the two.",
        "The water covers 33 % of the image, and 3 boats are moored.",
    ],
)
def test_a_sentence_that_marks_nothing_and_is_not_proved_is_cut(lake, sentence) -> None:
    for at in (0, 3, 4):
        steps = [*SPATIAL["steps"]]
        steps.insert(at, step(sentence))
        made = composed(lake, SPATIAL, steps=steps)
        assert isinstance(made, Composed), made
        assert [s.text for s in made.steps[:-1]] == [s["text"] for s in SPATIAL["steps"]]
        assert made.cut == 1
    with_it = [*SPATIAL["steps"]]
    with_it[0] = {**with_it[0], "text": f"{with_it[0]['text']} {sentence}"}
    made = composed(lake, SPATIAL, steps=with_it)
    assert isinstance(made, Composed), made
    assert [s.text for s in made.steps[:-1]] == [s["text"] for s in SPATIAL["steps"]]
    assert made.cut == 1


def test_what_a_pronoun_stands_for_is_looked_up_again_after_a_cut(lake) -> None:
    """ "It" was the cropland while the sentence on it stood between; now it would be the water."""
    steps = [
        step(f"I mark the cropland {SEG}.", CROP),
        step(f"I mark the water {SEG}.", WATER),
        step("The cropland is well tended."),
        step("It covers 50 % of the image."),
    ]
    made = composed(lake, SPATIAL, steps=steps)
    if isinstance(made, Composed):
        assert "It covers" not in " ".join(s.text for s in made.steps)
    else:
        assert made == [Reason.FALSE_CLAIM]


def test_numbers_of_the_program_may_stand_in_a_mark(lake) -> None:
    made = composed(
        lake,
        SPATIAL,
        question="Is there any tree cover within 500 m of the cropland?",
        program=exists(near(TREE, CROP, 500)),
        steps=[
            MARK_CROP,
            step(f"I mark the tree cover within 500 m of the cropland {SEG}.",
                 near(TREE, CROP, 500)),
        ],
    )  # fmt: skip
    assert isinstance(made, Composed), made
    assert made.value == Truth(True)
    assert [s.verdict for s in made.steps] == [Verdict.PROVED] * 3


def test_objects_and_dates_are_told_by_their_images(town) -> None:
    made = composed(
        town,
        SPATIAL,
        question="Are there fewer destroyed buildings than undamaged buildings in image 2?",
        program=compare(count(buildings("destroyed")), "<", count(buildings("no-damage"))),
        steps=[
            step(f"Image 2: I mark the destroyed buildings {SEG}.", buildings("destroyed")),
            step(f"Image 2: I mark the undamaged buildings {SEG}.", buildings("no-damage")),
            step("Image 2: There are 6 destroyed buildings."),
        ],
    )
    assert isinstance(made, Composed), made
    assert made.value == Truth(True)
    assert [s.image for s in made.steps] == [1, 1, 1, 1]
    assert made.classes == ("destroyed", "no-damage")


def test_a_change_looks_at_both_images(fields) -> None:
    ground = fields("grass 40, crop 20", "grass 20, crop 40")
    made = composed(
        ground,
        SPATIAL,
        question="Did the cropland grow from image 1 to image 2?",
        program=compare(area(of("crop", 1)), ">", area(CROP)),
        steps=[
            step(f"Image 1: I mark the cropland {SEG}.", CROP),
            step(f"Image 2: I mark the cropland {SEG}.", of("crop", 1)),
            step("Image 2: The cropland covers 67 % of image 2."),
        ],
    )
    assert isinstance(made, Composed), made
    assert made.value == Truth(True)
    assert [s.image for s in made.steps] == [0, 1, 1, 1]


# what a question and its program may be, one thing wrong in each
REFUSED_PROGRAMS = [
    # of what is not there
    (exists(of("swamp")), "Is there any swamp in the image?", Reason.BAD_PROGRAM),
    (exists(of("crop", layer="soil")), "Is there any cropland?", Reason.BAD_PROGRAM),
    (exists(of("crop", 3)), "Is there any cropland?", Reason.BAD_PROGRAM),
    (share(CROP, valid(0, "soil")), "What share of the image is cropland?", Reason.BAD_PROGRAM),
    (share(valid()), "What share of the image is labelled?", Reason.BAD_PROGRAM),
    (number(5, "m2"), "What is an area of 5 m²?", Reason.BAD_PROGRAM),
    (compare(number(1), "<", number(2)), "Is 1 less than 2?", Reason.BAD_PROGRAM),
    # without a safe value
    (of_two("div", area(CROP), area(SNOW)), "What is cropland in percent of snow?",
     Reason.UNDEFINED_ANSWER),
    (share(near(SNOW, CROP, 100), SNOW), "What share of the snow lies within 100 m of cropland?",
     Reason.UNDEFINED_ANSWER),
    (compare(area(CROP), ">", count(WATER)), "Is cropland more than water?",
     Reason.UNDEFINED_ANSWER),
    (of_two("add", area(CROP), share(WATER)), "What are cropland and water together?",
     Reason.UNDEFINED_ANSWER),
    (of_two("distance", CROP, WATER), "How far is the cropland from the water?",
     Reason.UNDEFINED_ANSWER),
    (compare(share(CROP), ">", number(0.5, "share")), "Is more than half of the image cropland?",
     Reason.UNDEFINED_ANSWER),
    (of_two("border", CROP, SNOW), "Does the cropland border the snow?",
     Reason.UNDEFINED_ANSWER),
    (of_two("border_length", CROP, TREE), "How long is the border of cropland and tree cover?",
     Reason.UNDEFINED_ANSWER),
    (largest(water=area(WATER), snow=area(SNOW), sea=area(WATER)),
     "Which has the largest area: water, snow or sea?", Reason.UNDEFINED_ANSWER),
    (area(near(TREE, WATER, 10)), "How much tree cover lies within 10 m of water?",
     Reason.UNDEFINED_ANSWER),  # one column, within the margin of one
    (area(minus(CROP, CROP)), "How much cropland other than cropland is there?",
     Reason.UNDEFINED_ANSWER),  # nothing, and a margin about it
    ({"op": "mul", "a": number(1e308), "b": of_two("mul", number(1e308), area(CROP))},
     "What is the product for cropland?", Reason.UNDEFINED_ANSWER),
    # without a unit, or less than nothing
    (of_two("mul", number(2), number(3)), "What is 2 times 3?", Reason.BAD_PROGRAM),
    (of_two("sub", area(TREE), area(CROP)), "How much more tree cover is there than cropland?",
     Reason.BAD_PROGRAM),
    # what the language allows, and no question can mean
    (share(CROP, SNOW), "What share of the snow is cropland?", Reason.BAD_PROGRAM),
    (share(CROP, CROP), "What share of the cropland is cropland?", Reason.BAD_PROGRAM),
    (area({"op": "and", "a": CROP, "b": WATER}), "What area is cropland and water?",
     Reason.BAD_PROGRAM),
    (share(near(CROP, CROP, 100)), "What share of the image is cropland within 100 m of cropland?",
     Reason.BAD_PROGRAM),
    (exists({"op": "instances", "layer": "land_cover", "label": "crop", "date": 0}),
     "Is there any cropland?", Reason.BAD_PROGRAM),
    ({**count(CROP), "min_component_px": 5000}, "How many patches of cropland are there?",
     Reason.BAD_PROGRAM),
    ({**count(CROP), "min_component_px": 1}, "How many patches of cropland are there?",
     Reason.BAD_PROGRAM),
]  # fmt: skip


@pytest.mark.parametrize(
    ("program", "question", "reason"), REFUSED_PROGRAMS, ids=[q for _, q, _ in REFUSED_PROGRAMS]
)
def test_a_program_without_a_meaning_or_a_safe_value_is_refused(
    lake, program, question, reason
) -> None:
    assert reason in composed(lake, SPATIAL, program=program, question=question)


def test_without_a_pixel_size_nothing_is_asked_in_metres(fields) -> None:
    ground = fields("crop 30, water 20, tree 10", pixel_size_m=None)
    asked = {"question": "What area does cropland cover?", "program": area(CROP)}
    assert composed(ground, SPATIAL, **asked) == [Reason.UNDEFINED_ANSWER]
    assert "no_pixel_size" in told(ground, SPATIAL, **asked)


def test_where_labels_are_missing_nothing_is_said_to_be_missing(fields) -> None:
    ground = fields("crop 30, water 30", invalid=Invalid.FORBIDS)
    asked = {"question": "Is there any snow in the image?", "program": exists(SNOW)}
    assert composed(ground, SPATIAL, **asked) == [Reason.UNDEFINED_ANSWER]


def test_a_number_whose_margin_is_wide_is_not_asked(fields) -> None:
    ground = fields("crop 51, water 9")  # eight to ten columns of water
    asked = {"question": "What percentage of the image is water?", "program": share(WATER)}
    assert "wide_margin" in told(fields("crop 20, water 3, grass 37"), SPATIAL, **asked)
    assert "wide_margin" not in told(ground, SPATIAL, **asked)


def test_areas_of_objects_are_not_counted_for_objects(town) -> None:
    mask = of("destroyed", 1, "damage")
    asked = {
        "question": "How many destroyed buildings are there in image 2?",
        "program": count(mask),
    }
    assert composed(town, SPATIAL, **asked) == [Reason.BAD_PROGRAM]
    assert "by instances" in told(town, SPATIAL, **asked)


@pytest.mark.parametrize("answer", ["No", "Perhaps", "50 %", "cropland"])
def test_an_answer_of_the_writers_own_that_differs_is_refused(lake, answer) -> None:
    assert composed(lake, SPATIAL, answer=answer) == [Reason.WRONG_ANSWER]
    assert f"{answer!r} is not what the program comes to, 'Yes'" in told(
        lake, SPATIAL, answer=answer
    )


def test_names_swapped_between_masks_are_refused_though_the_writer_agrees(lake) -> None:
    swapped = {
        "question": "Which covers the larger area, cropland or water?",
        "program": largest(water=area(CROP), cropland=area(WATER)),
        "answer": "water",
    }
    assert set(composed(lake, SPATIAL, **swapped)) == {Reason.OFF_QUESTION}


# steps and masks that do not belong together; the rest of the question stays as it is
CONCLUDE = step("The cropland covers more than the water.")
REFUSED_STEPS = [
    ("mark without mask", [MARK_CROP, step(f"I mark the water {SEG}."), CONCLUDE],
     "belong together"),
    ("mask without mark", [MARK_CROP, step("I mark the water.", WATER), CONCLUDE],
     "belong together"),
    ("two marks", [MARK_CROP, step(f"The water {SEG} and the trees {SEG}.", WATER), CONCLUDE],
     "belong together"),
    ("other words", [MARK_CROP, step(f"I mark the tree cover {SEG}.", WATER), CONCLUDE],
     "right after the name of its mask"),
    ("no words", [MARK_CROP, step(f"I mark this {SEG}, the water.", WATER), CONCLUDE],
     "right after the name of its mask"),
    ("mark after another class", [MARK_WATER, step(f"The cropland borders the water {SEG}.", CROP),
     CONCLUDE], "right after the name of its mask"),
    ("class not there", [MARK_CROP, step(f"The water {SEG}.", of("sea")), CONCLUDE],
     "which is not there"),
    ("layer not there", [MARK_CROP, step(f"The water {SEG}.", of("water", layer="soil")),
     CONCLUDE], "which is not there"),
    ("date not shown", [MARK_CROP, step(f"The water {SEG}.", of("water", 4)), CONCLUDE],
     "a date that no image shows"),
    ("empty mask", [MARK_CROP, MARK_WATER, step(f"The snow {SEG}.", SNOW), CONCLUDE], "is empty"),
    ("measured, never marked", [MARK_CROP, CONCLUDE], "measures 'water', and no step marks it"),
    ("nothing marked", [step("I look at it."), CONCLUDE], "no step marks anything"),
    ("a thing in the class", [MARK_CROP, step(f"I mark the lake {SEG}.", WATER), CONCLUDE],
     "right after the name of its mask"),
    ("a mask that has no name", [MARK_CROP, MARK_WATER, step(f"The cropland {SEG}.",
     minus(CROP, near(CROP, WATER, 50))), CONCLUDE], "right after the name of its mask"),
    ("a part, said to be all", [MARK_CROP, step(f"The water {SEG}.", part(WATER, *NORTH)),
     CONCLUDE], "right after the name of its mask"),
    ("another part", [MARK_CROP, step(f"The water in the south {SEG}.", part(WATER, *NORTH)),
     CONCLUDE], "right after the name of its mask"),
    ("what is near, said to be all", [MARK_CROP, MARK_WATER,
     step(f"The tree cover near the water {SEG}.", near(TREE, WATER, 50)), CONCLUDE],
     "right after the name of its mask"),
    ("a tag", [MARK_CROP, MARK_WATER, step("</think> is all."), CONCLUDE], "plain words"),
    ("another mark", [MARK_CROP, MARK_WATER, step("I mark [SEG 2]."), CONCLUDE], "plain words"),
    ("a sign nobody sees", [MARK_CROP, MARK_WATER, step("I\u0007 look."), CONCLUDE],
     "plain words"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "detail"), [case[1:] for case in REFUSED_STEPS], ids=[c[0] for c in REFUSED_STEPS]
)
def test_steps_and_masks_that_disagree_are_refused(lake, steps, detail) -> None:
    assert set(composed(lake, SPATIAL, steps=steps)) == {Reason.BAD_MARK}
    assert detail in told(lake, SPATIAL, steps=steps)


def test_a_word_for_a_kind_marks_all_of_it(fields) -> None:
    ground = fields(
        "Coniferous forest 20, Mixed forest 20, Arable land 20", taxonomy=BIGEARTHNET_19
    )
    conifers, arable = of("Coniferous forest"), of("Arable land")
    steps = [
        step(f"I mark the forest {SEG}.", conifers),
        step(f"I mark the arable land {SEG}.", arable),
        step("I look whether they meet."),
    ]
    asked = {
        "question": "Does the coniferous forest border the arable land?",
        "program": of_two("border", conifers, arable),
        "answer": "No",
    }
    assert composed(ground, SPATIAL, steps=steps, **asked) == [Reason.BAD_MARK]
    assert "right after the name of its mask" in told(ground, SPATIAL, steps=steps, **asked)
    steps[0] = step(f"I mark the coniferous forest {SEG}.", conifers)
    assert isinstance(composed(ground, SPATIAL, steps=steps, **asked), Composed)


def test_where_there_are_dates_a_mark_says_its_image(town) -> None:
    asked = {
        "question": "How many destroyed buildings are there in image 2?",
        "program": count(buildings("destroyed")),
        "answer": "6",
    }
    for text in (f"I mark the destroyed buildings {SEG}.", f"Image 1: The destroyed ones {SEG}."):
        steps = [step(text, buildings("destroyed")), step("I count them.")]
        assert set(composed(town, SPATIAL, steps=steps, **asked)) == {Reason.BAD_MARK}
    steps[0] = step(f"Image 2: I mark the destroyed buildings {SEG}.", buildings("destroyed"))
    assert isinstance(composed(town, SPATIAL, steps=steps, **asked), Composed)


@pytest.mark.parametrize(
    "sentence",
    [
        "The water covers 60 % of the image.",
        "The water covers 120 ha.",
        "There is no water in the image.",
        "The tree cover is the largest class.",
        "The cropland borders the tree cover.",
        "The overlay shows both.",
    ],
)
def test_a_false_sentence_is_refused(lake, sentence) -> None:
    steps = [*SPATIAL["steps"][:2], step(sentence)]
    assert composed(lake, SPATIAL, steps=steps) == [Reason.FALSE_CLAIM]


@pytest.mark.parametrize(
    "sentence",
    [
        f"I mark the cropland {SEG}, from which I go up to 500 m.",
        f"I mark the cropland {SEG} where 47 farms lie.",
        f"Since it is fertile, I mark the cropland {SEG}.",
        f"The best soil is in the cropland {SEG}.",
    ],
)
def test_a_mark_that_says_more_than_is_proved_is_refused(lake, sentence) -> None:
    steps = [step(sentence, CROP), *SPATIAL["steps"][1:]]
    assert composed(lake, SPATIAL, steps=steps) == [Reason.BAD_MARK]


def premises(**changes: str | None) -> dict[str, str]:
    given = {**SEMANTIC["premises"], **changes}
    return {name: text for name, text in given.items() if text is not None}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"rule": "astrology"}, [Reason.BAD_RULE]),
        ({"rule": "farming@9"}, [Reason.BAD_RULE]),
        ({"rule": "canopy_30"}, [Reason.BAD_RULE]),  # where a quarter is built-up
        ({"rule": "damage_quantity"}, [Reason.BAD_RULE]),  # of buildings
        ({"rule": "land_take"}, [Reason.BAD_RULE]),  # of two dates
        ({"premises": premises(crop_share=None)}, [Reason.BAD_PREMISE]),
        ({"premises": {}}, [Reason.BAD_PREMISE] * 3),
        ({"premises": premises(crop_share="76 %")}, [Reason.BAD_PREMISE]),
        ({"premises": premises(crop_share="0.67")}, [Reason.BAD_PREMISE]),
        ({"premises": premises(tree_share="0 %")}, [Reason.BAD_PREMISE]),
        ({"answer": "No"}, [Reason.WRONG_ANSWER]),
        ({"question": "Is the area suitable for farming?"}, [Reason.OFF_QUESTION]),
        ({"question": "Is the area in the image unsuitable for farming?"}, [Reason.OFF_QUESTION]),
        ({"rule": "igbp_character"}, [Reason.WRONG_ANSWER, Reason.BAD_PREMISE]),
    ],
)
def test_a_rule_or_premise_that_does_not_hold_is_refused(fields, changes, reasons) -> None:
    found = composed(fields(FARM), SEMANTIC, **changes)
    assert isinstance(found, list)
    assert list(dict.fromkeys(found))[: len(set(reasons))] == list(dict.fromkeys(reasons))


def test_a_premise_may_be_written_without_its_space(fields) -> None:
    assert isinstance(
        composed(fields(FARM), SEMANTIC, premises=premises(crop_share="67%")), Composed
    )


def test_faults_come_in_one_order_whatever_a_process_makes_of_sets(fields) -> None:
    details = told(fields(FARM), SEMANTIC, premises={"z": "1", "a": "2"}).split(" | ")
    names = ["built_share", "crop_near_water", "crop_share", "a", "z"]
    assert [next(n for n in names if f"premise {n} " in f"{d} ") for d in details] == names


def test_a_verdict_within_the_margin_is_not_asked(fields) -> None:
    ground = fields("water 6, crop 24, grass 30")  # 40 % of cropland, or not
    assert composed(ground, SEMANTIC) == [Reason.UNDEFINED_ANSWER]


def test_a_class_that_decides_a_verdict_must_be_marked(fields) -> None:
    steps: Sequence[Any] = [SEMANTIC["steps"][1], *SEMANTIC["steps"][2:]]
    assert composed(fields(FARM), SEMANTIC, steps=steps) == [Reason.BAD_MARK]


def test_every_kept_value_is_what_the_columns_say(lake) -> None:
    """A check that hangs on no code of ours: the map's own columns, counted."""
    made = composed(
        lake,
        SPATIAL,
        question="What percentage of the image is water?",
        program=share(WATER),
        steps=[MARK_WATER, step("I measure it.")],
        answer="33 %",
    )
    assert isinstance(made, Composed), made
    assert isinstance(made.value, Quantity)
    assert np.isclose(made.value.value, 20 / 60)


def test_joined_tests_are_marked_and_answered_as_one(lake) -> None:
    made = composed(
        lake,
        SPATIAL,
        question="Does the cropland border the water and also cover more ground than tree cover?",
        program=joined(
            "all", of_two("border", CROP, WATER), compare(share(CROP), ">", share(TREE))
        ),
        steps=[MARK_CROP, MARK_WATER, step(f"I mark the tree cover {SEG}.", TREE)],
    )
    assert isinstance(made, Composed), made
    assert made.task == "composed_all"


@pytest.mark.parametrize("cells", [(0, 8), (0, 1), (0, 1, 3, 4), (0, 4, 8)])
def test_a_part_that_has_no_name_is_refused_and_ends_nothing(lake, cells) -> None:
    asked = {
        "question": "What share of the cropland lies in the northern third of the image?",
        "program": share(part(CROP, *cells), CROP),
        "answer": "50 %",
    }
    assert set(composed(lake, SPATIAL, **asked)) <= {
        Reason.OFF_QUESTION,
        Reason.WRONG_ANSWER,
        Reason.UNDEFINED_ANSWER,
    }

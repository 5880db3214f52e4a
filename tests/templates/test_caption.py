"""Captions: regions, facts, what is cut or refused, and the trace that is left."""

from random import Random

import pytest

from schemas.rejection import Reason
from schemas.trace import SEG
from schemas.verdict import Verdict
from templates.caption import Caption, make_caption, step_images
from templates.caption_facts import facts_of
from templates.caption_writer import write_reply
from templates.regions import regions_of
from templates.replies import ParsedReply, parse_reply
from tests.claims.drawn import land, town

LAKE = land("WWWCCCCCC " * 9)  # 90 x 90 pixels: water in the left third, crop beside it
TRUE = (
    "<think>The water [SEG 2] covers 33 % of the image. "
    "The cropland [SEG 1] lies in the east and borders the water.</think>"
    "<caption>The image shows cropland (67 %) and water (33 %).</caption>"
)


def made(text: str, scene=LAKE, on_false: str = "reject") -> Caption | list[Reason]:
    ground = scene.captioned
    regions = regions_of(ground)
    parsed = parse_reply(text, "stop", regions, ground.view)
    assert isinstance(parsed, ParsedReply), parsed
    caption = make_caption(parsed, ground, on_false)
    return caption if isinstance(caption, Caption) else [fault.reason for fault in caption]


def test_regions_are_numbered_by_size():
    assert [(r.number, r.label) for r in regions_of(LAKE.captioned)] == [(1, "crop"), (2, "water")]


def test_a_class_under_one_percent_or_too_thin_to_be_sure_of_is_no_region():
    thin = land("WCCCCCCCCC " * 10, block_px=1)  # a column of one pixel does not survive erosion
    assert [r.label for r in regions_of(thin.captioned)] == ["crop"]


def test_buildings_after_an_event_are_regions_by_their_state():
    found = [(r.date_index, r.label) for r in regions_of(town("ddoooj").captioned)]
    assert found[0] == (0, "building")
    assert sorted(found[1:]) == [(1, "destroyed"), (1, "major-damage"), (1, "no-damage")]


def test_where_a_building_is_unclassified_none_is_a_region_after_the_event():
    assert [r.date_index for r in regions_of(town("ddu").captioned)] == [0]


def test_facts_are_measured_share_area_place_and_neighbours():
    crop, water = facts_of(LAKE.captioned).regions
    assert water.share == pytest.approx(1 / 3)
    assert water.area_m2 == pytest.approx(30 * 90 * 100)
    assert (water.place, water.borders) == ("west", (crop.region.number,))


def test_a_true_reply_becomes_a_trace_with_one_mask_a_mark_and_its_numbers_as_facts():
    caption = made(TRUE)
    assert isinstance(caption, Caption)
    assert [step.region.label for step in caption.steps] == ["water", "crop"]
    assert [step.verdict for step in caption.steps] == [Verdict.PROVED, Verdict.PROVED]
    assert caption.trace.text == TRUE.replace("[SEG 2]", SEG).replace("[SEG 1]", SEG)
    facts = [caption.trace.text[start:end] for start, end in caption.trace.fact_spans]
    assert facts == ["33 %"]
    assert len(caption.program.of) == 2


def test_the_place_of_every_claim_is_where_its_words_stand_in_the_trace():
    caption = made(TRUE)
    assert isinstance(caption, Caption)
    said = [caption.trace.text[claim.start : claim.end] for claim in caption.claims]
    assert any("33 %" in words for words in said)
    assert any("borders" in words for words in said)
    assert all(words.strip() == words and words for words in said)


def test_a_false_sentence_refuses_the_caption_and_says_what_was_measured():
    assert made(TRUE.replace("covers 33 %", "covers 70 %")) == [Reason.FALSE_CLAIM]


def test_with_cut_the_false_sentence_goes_with_its_mask():
    caption = made(TRUE.replace("covers 33 %", "covers 70 %"), on_false="cut")
    assert isinstance(caption, Caption)
    assert caption.cut == 1
    assert [step.region.label for step in caption.steps] == ["crop"]
    assert "70" not in caption.trace.text


def test_with_cut_a_caption_that_is_false_throughout_is_refused():
    text = TRUE.replace("shows cropland (67 %) and water (33 %)", "shows snow (90 %)")
    assert Reason.FALSE_CLAIM in made(text, on_false="cut")


def test_a_mark_in_a_sentence_that_names_another_class_is_refused():
    swapped = TRUE.replace("[SEG 2]", "[SEG x]").replace("[SEG 1]", "[SEG 2]")
    assert made(swapped.replace("[SEG x]", "[SEG 1]"))[0] == Reason.BAD_MARK


def test_marks_that_are_swapped_within_one_sentence_are_refused():
    swapped = (
        "<think>The cropland [SEG 2] borders the water [SEG 1] in the west.</think>"
        "<caption>The image shows cropland and water.</caption>"
    )
    assert made(swapped) == [Reason.BAD_MARK, Reason.BAD_MARK]
    right = swapped.replace("[SEG 2]", "[SEG x]").replace("[SEG 1]", "[SEG 2]")
    caption = made(right.replace("[SEG x]", "[SEG 1]"))
    assert isinstance(caption, Caption)
    assert [step.region.label for step in caption.steps] == ["crop", "water"]


def test_a_mark_before_its_class_is_refused():
    text = (
        "<think>The water [SEG 1] borders the cropland. It lies beside water [SEG 2].</think>"
        "<caption>The image shows cropland and water.</caption>"
    )
    assert Reason.BAD_MARK in made(text)


def test_a_step_without_a_mask_is_about_the_image_that_its_sentence_names():
    scene = town("ddoooj")
    regions = regions_of(scene.captioned)
    marks = {r.label: f"[SEG {r.number}]" for r in regions}
    text = (
        f"<think>Image 1: I mark the 6 buildings {marks['building']}. "
        "Image 2: Two buildings are destroyed. "
        f"Image 2: I mark the destroyed buildings {marks['destroyed']}. "
        f"Image 2: I mark the undamaged buildings {marks['no-damage']}. "
        f"Image 2: I mark the one building with major damage {marks['major-damage']}.</think>"
        "<caption>After the hurricane, 2 of the 6 buildings are destroyed.</caption>"
    )
    caption = made(text, scene)
    assert isinstance(caption, Caption), caption
    assert step_images(caption.steps, scene.captioned.view) == [0, 1, 1, 1, 1]


def test_a_mark_in_a_sentence_that_names_no_class_is_refused():
    assert made(TRUE.replace("The water [SEG 2]", "This [SEG 2]"))[0] == Reason.BAD_MARK


def test_a_sentence_that_the_masks_cannot_decide_is_kept_and_flagged():
    caption = made(TRUE.replace("</think>", " The fields look well tended.</think>"))
    assert isinstance(caption, Caption)
    assert [step.verdict for step in caption.steps][-1] is Verdict.UNPROVED


@pytest.mark.parametrize(
    "scene",
    [
        LAKE,
        land("WWWCCCCCC " * 9, pixel_size_m=None),
        land("WWWCCCCCC " * 9, north_up=False),
        land("TTTGGGGGG TTTGGGGGG TTTDDDGGG " * 3),
        land("?WWCCCCCC " * 9, fully_labelled=False),
        town("ddoooj"),
        town("oo"),
        town("ddu"),
    ],
    ids=["lake", "no pixel size", "turned", "town", "partly", "damage", "whole", "unknown"],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(6))
def test_the_rule_based_writer_says_nothing_that_its_own_masks_do_not_prove(scene, seed):
    text = write_reply(facts_of(scene.captioned), scene.captioned, Random(seed))
    caption = made(text, scene)
    assert isinstance(caption, Caption), (text, caption)
    assert {step.verdict for step in caption.steps} == {Verdict.PROVED}, text
    assert {claim.verdict for claim in caption.claims} == {Verdict.PROVED}, text


def test_without_a_pixel_size_the_writer_gives_no_metres_and_no_areas():
    scene = land("WWWCCCCCC " * 9, pixel_size_m=None).captioned
    text = write_reply(facts_of(scene), scene, Random(0))
    assert " ha" not in text
    assert " m " not in text


def test_the_writer_gives_the_same_words_for_the_same_seed():
    facts, ground = facts_of(LAKE.captioned), LAKE.captioned
    texts = {write_reply(facts, ground, Random(seed)) for seed in range(8)}
    assert len(texts) > 1
    assert write_reply(facts, ground, Random(3)) == write_reply(facts, ground, Random(3))

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from schemas.mask import Invalid
from schemas.scene import Modality
from schemas.trace import MARKS, SEG
from schemas.value import Name, Quantity, Truth
from templates.area import AREA, COVERAGE
from templates.boundary import BORDER, BORDER_LENGTH
from templates.change import CHANGE_AMOUNT, CHANGE_WHICH
from templates.counting import AREA_COUNT, OBJECT_COUNT
from templates.distance import DISTANCE
from templates.existence import EXISTENCE
from templates.item import finish, propose
from templates.location import LOCATION
from templates.questions import L1_QUESTIONS
from templates.sequences import BOTH, FIRST_SEEN, GREW, LARGEST_WHEN, TREND
from templates.states import STATE_COUNT, STATE_EXISTS, STATE_SHARE

WATER, TREE, CROP = 0, 2, 5


def drafts(template, scene, seed=0):
    return list(template.propose(template, scene, Random(seed)))


def values(template, scene, seeds=range(20)):
    """Return class names -> value, over several seeds."""
    return {d.words.classes: d.value for seed in seeds for d in drafts(template, scene, seed)}


@pytest.fixture
def stripes(asked, make):
    """Return a 60 x 60 scene of 10 m pixels: 12 columns water, 20 tree, 28 crop."""
    return asked(make.scene("s", [make.land(make.stripes(12, 20))]))[0]


def test_each_kind_of_question_has_at_least_four_wordings() -> None:
    assert all(len(set(template.wordings)) >= 4 for template in L1_QUESTIONS)


def test_classes_that_are_there_and_that_are_not_are_asked(stripes) -> None:
    found = values(EXISTENCE, stripes)
    assert found[("water",)] == Truth(True)
    assert found[("mangroves",)] == Truth(False)


def test_absence_is_not_asked_where_unlabelled_pixels_may_hide_the_class(asked, make) -> None:
    ids_HW = make.stripes(12, 20)
    ids_HW[:6] = 255
    (scene,) = asked(make.scene("s", [make.land(ids_HW, invalid=Invalid.UNKNOWN)]))
    assert all(value == Truth(True) for value in values(EXISTENCE, scene).values())


def test_questions_say_labelled_area_where_labels_are_missing(asked, make) -> None:
    ids_HW = make.stripes(12, 20)
    ids_HW[:6] = 255
    (scene,) = asked(make.scene("s", [make.land(ids_HW)]))
    questions = [d.question for d in drafts(COVERAGE, scene)]
    assert questions
    assert all("the labelled area of the image" in question for question in questions)


def test_twelve_columns_of_ten_metre_pixels_are_seven_hectares(stripes) -> None:
    found = values(AREA, stripes)
    assert found[("tree",)] == Quantity(120_000.0, "m2", 108_000.0, 132_000.0)  # 20, 18, 22 columns
    assert found[("water",)] == Quantity(72_000.0, "m2", 66_000.0, 78_000.0)  # at the image border


def test_coverage_is_of_the_valid_pixels(stripes) -> None:
    assert values(COVERAGE, stripes)[("crop",)] == Quantity(28 / 60, "share", 27 / 60, 29 / 60)


def test_no_metres_are_asked_without_a_pixel_size(asked, make) -> None:
    (scene,) = asked(make.scene("s", [make.land(make.stripes(12, 20))], pixel_size_m=None))
    for template in (AREA, BORDER_LENGTH, DISTANCE):
        assert drafts(template, scene) == []
    assert drafts(COVERAGE, scene) != []


def test_neighbouring_stripes_border_and_separated_ones_do_not(stripes) -> None:
    found = values(BORDER, stripes)
    assert found[("water", "tree")] == Truth(True)
    assert found[("water", "crop")] == Truth(False)


def test_the_border_of_sixty_rows_is_six_hundred_metres(stripes) -> None:
    assert values(BORDER_LENGTH, stripes)[("water", "tree")] == Quantity(600.0, "m", 600.0, 600.0)


def test_the_distance_over_twenty_columns_is_210_metres(stripes) -> None:
    # centres of columns 11 and 32; eroded two columns more, dilated two less
    assert values(DISTANCE, stripes)[("water", "crop")] == Quantity(210.0, "m", 190.0, 230.0)


def test_separate_areas_are_counted_from_nine_pixels_on(asked, make) -> None:
    ids_HW = make.stripes(0, 60)
    for top in (5, 20, 35):
        ids_HW[top : top + 5, 10:15] = WATER
    ids_HW[50:52, 50:52] = WATER  # 4 pixels: a speck
    (scene,) = asked(make.scene("s", [make.land(ids_HW)]))
    assert values(AREA_COUNT, scene)[("water",)] == Quantity(3.0, "count", 3.0, 3.0)


def test_a_count_that_hangs_on_the_floor_is_not_asked(asked, make) -> None:
    ids_HW = make.stripes(0, 60)
    ids_HW[5:15, 5:15] = WATER
    ids_HW[30:33, 30:33] = WATER  # 9 pixels: an area at the floor, a speck at twice the floor
    (scene,) = asked(make.scene("s", [make.land(ids_HW)]))
    assert ("water",) not in values(AREA_COUNT, scene)
    assert scene.left_out["count_areas: count_unsafe"] > 0


def test_a_block_in_the_corner_lies_in_the_north_west(asked, make) -> None:
    ids_HW = make.stripes(0, 0)
    ids_HW[2:14, 2:14] = WATER
    compass, plain = asked(
        make.scene("a", [make.land(ids_HW)]), make.scene("b", [make.land(ids_HW)], north_up=False)
    )
    assert values(LOCATION, compass)[("water",)] == Name("cell 0")
    assert "north-west" in str(drafts(LOCATION, compass)[0].words.steps)
    assert "upper left" in str(drafts(LOCATION, plain)[0].words.steps)


def test_buildings_are_counted_by_object_at_each_date(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed", "destroyed", "no-damage"]))
    assert values(OBJECT_COUNT, scene) == {("building",): Quantity(3.0, "count", 3.0, 3.0)}
    counts = values(STATE_COUNT, scene)
    assert counts[("destroyed",)] == Quantity(2.0, "count", 2.0, 2.0)
    assert counts[("minor-damage",)] == Quantity(0.0, "count", 0.0, 0.0)
    assert values(STATE_EXISTS, scene)[("major-damage",)] == Truth(False)
    share = values(STATE_SHARE, scene)[("destroyed",)]
    assert share == Quantity(2 / 3, "share", 2 / 3, 2 / 3)


def test_an_unclassified_building_forbids_counts_by_damage(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed", "un-classified"]))
    assert values(OBJECT_COUNT, scene)[("building",)].value == 2
    for template in (STATE_COUNT, STATE_SHARE, STATE_EXISTS):
        assert drafts(template, scene) == []


def two_dates(asked, make, before, after, product="test"):
    layers = [make.land(before, 0), replace(make.land(after, 1), product=product)]
    frames = [make.image("pre", 0), make.image("post", 1)]
    return asked(make.scene("c", layers, frames))[0]


def test_ten_more_columns_of_water_are_six_hectares_gained(asked, make) -> None:
    scene = two_dates(asked, make, make.stripes(12, 20), make.stripes(22, 20))
    found = [d for seed in range(20) for d in drafts(CHANGE_AMOUNT, scene, seed)]
    gained = [d for d in found if d.words.classes == ("water",) and " gain" in d.question]
    assert gained[0].value.value == 60_000.0


def test_the_larger_gain_is_named(asked, make) -> None:
    after = make.stripes(30, 10)
    scene = two_dates(asked, make, make.stripes(12, 20), after)
    assert values(CHANGE_WHICH, scene) == {("water", "tree"): Name("water")}  # 18 against 8 columns


def test_ground_that_was_unlabelled_before_is_not_gained(asked, make) -> None:
    before = make.stripes(12, 20)
    before[:30] = 255
    scene = two_dates(asked, make, before, make.stripes(12, 20))
    assert values(CHANGE_AMOUNT, scene) == values(CHANGE_WHICH, scene) == {}


def test_buildings_after_the_event_are_asked_by_their_state_alone(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed", "no-damage"]))
    for template in (OBJECT_COUNT, AREA, COVERAGE, EXISTENCE):
        programs = [d.program.model_dump_json() for d in drafts(template, scene)]
        assert not [p for p in programs if '"footprint"' in p and '"date":1' in p]


def test_nothing_is_asked_where_no_image_shows_a_labelled_date(asked, make) -> None:
    layers = [make.land(make.stripes(12, 20), 0), make.land(make.stripes(12, 20), 1)]
    images = [make.image("pre", 0), make.image("post", 1, Modality.SAR)]
    (scene,) = asked(make.scene("s", layers, images[:1]))
    assert propose(scene, L1_QUESTIONS, 0) == []
    assert scene.left_out == {"any: no_image_at_a_labelled_date": 1}


def test_change_between_two_products_is_never_asked(asked, make) -> None:
    scene = two_dates(asked, make, make.stripes(12, 20), make.stripes(22, 20), product="other")
    assert drafts(CHANGE_AMOUNT, scene) == drafts(CHANGE_WHICH, scene) == []


def years(asked, make, *columns):
    layers = [make.land(make.stripes(n, 10), date) for date, n in enumerate(columns)]
    frames = [make.image("sequence", date) for date in range(len(columns))]
    return asked(make.scene("y", layers, frames))[0]


def test_water_that_comes_later_is_first_seen_in_its_image(asked, make) -> None:
    found = values(FIRST_SEEN, years(asked, make, 0, 0, 8, 20))
    assert found == {("water",): Name("image 3")}


def test_what_the_sequence_begins_with_has_no_first_time(asked, make) -> None:
    assert values(FIRST_SEEN, years(asked, make, 5, 9, 20)) == {}


def test_the_largest_extent_and_the_trend_are_named(asked, make) -> None:
    assert values(LARGEST_WHEN, years(asked, make, 6, 30, 15))[("water",)] == Name("image 2")
    assert values(TREND, years(asked, make, 6, 30, 15))[("water",)] == Name(BOTH)
    assert values(TREND, years(asked, make, 6, 15, 30))[("water",)] == Name(GREW)


def test_a_pixel_more_is_no_trend(asked, make) -> None:
    assert ("water",) not in values(TREND, years(asked, make, 12, 13, 14))


def test_a_cloudy_optical_image_is_never_carried_alone_where_there_is_sar(asked, make) -> None:
    images = [make.image("single", 0, cloudy=True), make.image("single", 0, Modality.SAR)]
    (scene,) = asked(make.scene("s", [make.land(make.stripes(12, 20))], images))
    carried = {scene.view(Random(seed)).image_indices for seed in range(50)}
    assert carried == {(1,), (1, 0)}  # masks lie on the first image, which must not be the cloud


def test_every_grounded_step_has_one_mark_and_one_mask(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, L1_QUESTIONS, 0)]
    for item in finish(askings, 0):
        steps = item.asking.draft.words.steps
        for step, text in zip(steps, item.trace.steps, strict=True):
            assert text.count(SEG) == (step.mask is not None)
        assert item.trace.text.count(SEG) == sum(step.mask is not None for step in steps)
        assert not any(mark in item.asking.draft.question for mark in MARKS)


def test_letters_point_to_the_answer_and_facts_are_marked(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, L1_QUESTIONS, 0)]
    items = list(finish(askings, 0))
    choices = [item for item in items if item.options]
    assert len(choices) > 20
    for item in choices:
        assert item.options["ABCDEFGH".index(item.letter)] == item.text
        assert item.trace.text.endswith(f"<answer>{item.letter}. {item.text}</answer>")
    assert len({item.sample_id for item in items}) == len(items)


def test_the_same_seed_asks_the_same_and_another_seed_asks_otherwise(asked, granule) -> None:
    def ids(seed):
        askings = [a for scene in asked(*granule) for a in propose(scene, L1_QUESTIONS, seed)]
        return [item.sample_id for item in finish(askings, seed)]

    assert ids(0) == ids(0)
    assert set(ids(0)).isdisjoint(ids(1))


def test_all_kinds_of_questions_are_asked_of_the_hand_made_granule(asked, granule) -> None:
    tasks = {a.template.task for s in asked(*granule) for a in propose(s, L1_QUESTIONS, 0)}
    assert tasks == {template.task for template in L1_QUESTIONS}


def test_stripes_are_what_they_say(make) -> None:
    assert np.bincount(make.stripes(12, 20).ravel())[[WATER, TREE, CROP]].tolist() == [
        720,
        1200,
        1680,
    ]

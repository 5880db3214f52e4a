"""Claims on presence, shares, areas and counts, each on a scene whose figures fit in the head.

FARMS is 100 blocks of 10 x 10 pixels of 10 m: 64 of crops, 22 of trees, 8 of water, 6 developed.
"""

import pytest

from schemas.verdict import Verdict
from templates.claim.bounds import amount_verdict
from templates.claim.measures import Amount
from templates.claims import check_sentence
from tests.claims.drawn import FARMS, europe, land

P, U, F = Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE
# 20 % pastures, 30 % arable land, 10 % agro-forestry areas, 40 % broad-leaved forest
EUROPE = europe("PPAAABBBBF")


def check(sentence: str, grounds=FARMS) -> Verdict:
    return check_sentence(sentence, grounds.captioned).verdict


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Water, trees and cropland are visible.", P),
        ("A large snow field is visible.", F),
        ("Some wetland can be seen.", F),
        ("There is no snow.", P),
        ("No water is present.", F),
        ("The scene has neither snow nor wetland.", P),
        ("Wetlands are completely absent from the scene.", P),
        ("The scene does not contain any water.", F),
        ("The image is free of trees.", F),
        ("Snow cannot be seen.", P),
        ("Notably, no wetland, snow or bare land is present.", P),
    ],
)
def test_a_class_is_there_or_it_is_not(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_a_class_that_erosion_erases_is_neither_there_nor_absent() -> None:
    thin = land("CCCC CWWC CCCC", block_px=1)
    assert check("Water is visible.", thin) is U
    assert check("There is no water.", thin) is U


def test_what_is_not_labelled_may_hold_a_class() -> None:
    assert check("Water is visible.", land("CC C?", fully_labelled=False)) is U
    assert check("Water is visible.", land("CC C?", fully_labelled=True)) is F


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("A river crosses the image.", U),
        ("A glacier covers the top.", F),
        ("A road crosses the cropland.", U),
        ("Clouds cover part of the scene.", U),
        ("Cars are parked there.", F),
        ("People walk through the fields.", F),
        ("Single trees stand in the fields.", F),
        ("The wetland is a habitat for birds.", F),  # for there is no wetland
        ("The water is a habitat for birds.", U),
    ],
)
def test_things_are_never_proved_and_false_without_their_class(
    sentence: str, verdict: Verdict
) -> None:
    assert check(sentence) is verdict


def test_cars_may_be_seen_where_pixels_are_small() -> None:
    fine = land("CD CD", pixel_size_m=[0.5, 0.5])
    assert check("Cars are parked on the developed land.", fine) is U


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Cropland covers 64 % of the image.", P),
        ("64 % of the image is cropland.", P),
        ("Cropland covers 58 % of the image.", P),  # within 10 % of 64
        ("Cropland covers 55 % of the image.", U),
        ("Cropland covers 51 % of the image.", F),  # over twice that
        ("Water covers 10 % of the image.", P),  # within 2 points
        ("Water covers 12.5 % of the image.", F),
        ("Water covers about 11 % of the image.", P),
        ("Water covers around 13 % of the image.", U),
        ("Sixty-four percent of the picture is cropland.", P),
        ("The share of cropland is 34 %.", F),
        ("Cropland and trees together cover 86 % of the image.", P),
        ("Cropland and trees cover 64 % and 22 %, respectively.", P),
        ("Cropland and trees cover 22 % and 64 %, respectively.", F),
        ("Cropland (64 %), trees (22 %) and water (8 %) are visible.", P),
        ("Cropland (64 %), trees (44 %) and water (8 %) are visible.", F),
        ("The image is 64 % cropland, 22 % trees, 8 % water and 6 % developed land.", P),
        ("Cropland covers 64 % of the image, trees 14 % and water 8 %.", F),
        ("With 34 %, cropland is the largest class.", F),
        ("More than half of the image is cropland.", P),
        ("More than half of the image is water.", F),
        ("Cropland covers less than 50 % of the image.", F),
        ("Water makes up between 5 and 10 % of the image.", P),
        ("Water makes up 20-30 % of the image.", F),
        ("Nearly two thirds of the scene consist of cropland.", P),
        ("A third of the image is cropland.", F),
        ("The entire image is covered by cropland.", F),
        ("Nearly all of the image is covered by trees.", F),
        ("Most of the image is cropland.", P),
        ("The scene is mostly water.", F),
        ("A significant portion of the image is covered by trees.", P),
        ("Extensive developed land is visible.", F),
        ("A small area of water is visible.", P),
        ("Only a small portion of the scene is cropland.", F),
        ("Cropland occupies a tiny part of the image.", F),
        ("A moderate amount of trees is visible.", P),
        ("The trees are large.", U),
        ("Not all of the image is cropland.", U),
        ("43 % of the cropland lies in the north.", U),
    ],
)
def test_shares(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_shares_are_of_the_labelled_pixels() -> None:
    half = land("CC?? WW??", fully_labelled=False)
    assert check("Water covers 50 % of the labelled area.", half) is P
    assert check("Water covers 25 % of the image.", half) is F


def test_the_trees_in_a_place_may_be_fewer_than_all_but_not_more() -> None:
    assert check("The trees in the north-west cover 12 % of the image.") is U
    assert check("The trees in the north-west cover 42 % of the image.") is F
    assert check("The trees next to the water cover 5 % of the image.") is U


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Cropland covers 6,400 pixels.", P),
        ("Cropland covers 7,200 pixels.", F),
        ("Cropland covers 64 ha.", P),
        ("The cropland has an area of 0.64 km².", P),
        ("The cropland measures about 158 acres.", P),
        ("Cropland covers 100 hectares.", F),
        ("Cropland covers 640,000 m2.", P),
        ("Trees cover 22 % of the image (2,200 pixels).", P),
        ("Trees cover 22 % of the image (4,400 pixels).", F),
    ],
)
def test_areas_and_pixels(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_no_area_is_true_without_a_pixel_size() -> None:
    assert check("Water covers 1 ha.", land("CW", pixel_size_m=None)) is F


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("There are two patches of trees.", P),
        ("Three separate patches of trees are visible.", U),  # one more than there are
        ("Five separate patches of trees are visible.", F),
        ("Trees make up about 22 % of the scene and form two separate patches.", P),
        ("There is a single water body.", P),
        ("There are four water bodies.", F),
        ("There are many patches of water.", F),
        ("Several water bodies are scattered across the image.", F),
    ],
)
def test_counts_of_areas(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_a_word_for_a_kind_takes_in_its_classes_and_perhaps_others() -> None:
    assert check("Arable land covers 30 % of the image.", EUROPE) is P
    assert check("Crops cover 30 % of the image.", EUROPE) is U  # or 40 with agro-forestry
    assert check("Farmland covers 80 % of the image.", EUROPE) is F  # 30, or 60 with all
    assert check("Forest covers about 45 % of the image.", EUROPE) is P  # 40, or 50
    assert check("Pastures cover 20 % of the image.", EUROPE) is P


@pytest.mark.parametrize(
    ("amount", "proved", "unproved", "false"),
    [
        (Amount(value=50), (45.5, 55.5), (42, 60), (41, 63)),
        (Amount(value=4), (2, 6), (0.1, 7.9), (8.1,)),
        (Amount(value=50, about=True), (43.5, 58), (39, 70), (38, 72)),
        (Amount(value=50, side=">"), (50, 90), (45,), (44.9,)),
        (Amount(value=50, side="<"), (50, 1), (55,), (55.1,)),
        (Amount(value=20, side="-", upper=30), (20, 30), (18, 33), (17.9, 33.1)),
        (Amount(word="most"), (50.1,), (50, 45), (44.9,)),
        (Amount(word="tiny"), (0, 5), (5.1, 15), (15.1,)),
        (Amount(value=12, unit="count"), (12,), (), (11, 13)),
        (Amount(value=100, unit="count", about=True), (87, 117), (80,), (76, 150)),
        (Amount(word="few", unit="count"), (2, 9), (), (1, 0)),
        (Amount(word="many", unit="count"), (4,), (3,), (2,)),
        (Amount(value=2, unit="times"), (1.8, 2.3), (1.6,), (1.5, 2.9)),
    ],
)
def test_bounds_are_closed_and_leave_room_between_true_and_false(
    amount: Amount, proved, unproved, false
) -> None:
    assert {amount_verdict(amount, v) for v in proved} <= {P}
    assert {amount_verdict(amount, v) for v in unproved} <= {U}
    assert {amount_verdict(amount, v) for v in false} <= {F}

"""Claims on order and on places; FARMS is described in tests/claims/drawn.py."""

import pytest

from schemas.verdict import Verdict
from templates.claim.places import Place
from templates.claims import check_sentence
from tests.claims.drawn import FARMS, europe, land

P, U, F = Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE
EUROPE = europe("AAAABBBCCC")  # arable 40 %, broad-leaved 30 %, coniferous 30 %


def check(sentence: str, grounds=FARMS) -> Verdict:
    return check_sentence(sentence, grounds.captioned).verdict


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Cropland dominates the scene.", P),
        ("The scene is dominated by cropland.", P),
        ("The dominant land cover is cropland.", P),
        ("The largest class is cropland.", P),
        ("The scene is predominantly cropland.", P),
        ("Cropland makes up the largest share of the image.", P),
        ("Water dominates the scene.", F),
        ("The scene is mainly covered by trees.", F),
        ("The largest water body lies in the south-east.", U),  # a part of its class
        ("Trees are the second largest class.", P),
        ("Water is the second largest class.", F),
        ("Cropland is the largest class, followed by trees and water.", P),
        ("The scene is dominated by cropland, followed by trees.", P),
        ("Cropland is the largest class, followed by water and trees.", F),
        ("Developed land is the smallest class.", P),
        ("Water occupies the smallest share.", F),
        ("There is more cropland than water.", P),
        ("Trees cover a larger area than cropland.", F),
        ("Water is less common than trees.", P),
        ("Trees outweigh water.", P),
        ("Cropland is larger than water and trees combined.", P),
        ("Crops need more water than trees.", U),
        ("Water and trees cover similar areas.", F),
        ("There is as much water as cropland.", F),
        ("There is three times as much cropland as trees.", P),
        ("Water covers twice the area of trees.", F),
        ("Trees cover about a third of the area of cropland.", P),
        ("Apart from cropland, trees are the largest class.", U),
    ],
)
def test_order(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_a_class_is_compared_with_classes_and_a_kind_with_kinds() -> None:
    assert check("Arable land is the largest class.", EUROPE) is P
    assert check("The scene is dominated by crops.", EUROPE) is F  # forest is 60 %
    assert check("The scene is dominated by forest.", EUROPE) is P
    assert check("Coniferous forest dominates.", EUROPE) is F


def test_a_corner_reaches_its_neighbours() -> None:
    assert Place((0,), compass=False).reach == (0, 1, 3, 4)
    assert Place((0, 1, 2), compass=False).reach == (0, 1, 2, 3, 4, 5)
    assert Place((4,), compass=False).reach == tuple(range(9))


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Water lies in the lower right.", P),
        ("In the south-east, there is water.", P),
        ("In the lower left corner lies a small developed area, which covers 6 % of the image.", P),
        ("Water lies in the upper left.", F),
        ("In the north-west there is water.", F),
        ("The top right corner contains a developed area.", F),
        ("Trees are in the upper left and in the south-east.", P),
        ("Developed land lies along the bottom edge.", P),
        ("Water is concentrated in the south-east.", P),
        ("Mainly in the south-east lies water.", P),
        ("Water is mainly found in the north.", F),
        ("Most of the water lies in the south-east.", P),
        ("All of the water is in the north.", F),
        ("The upper left is dominated by trees.", P),
        ("The upper right is dominated by trees.", F),
        ("The upper right is dominated by cropland, the lower right by cropland.", U),
        ("Cropland dominates the north-east, but trees dominate the north-west.", P),
        ("The upper right is covered by cropland.", P),
        ("The upper right is covered by water.", F),
        ("Trees occupy the upper right.", F),
        ("Cropland is spread across the image.", P),
        ("Cropland can be seen in almost every part of the image.", P),
        ("Water is scattered across the image.", F),
        ("Water is found only in the south-east.", P),
        ("Water (about 8 %) is confined to the north-west.", F),
        ("Only the north-west has trees.", F),
        ("There is no water in the north.", P),
        ("There is no water in the lower right corner.", F),
        ("In the upper left, there are no trees.", F),
        ("Cropland lies north of the developed area.", U),
        ("The town lies in the north.", U),
        ("Two water bodies lie in the south-east.", U),  # a number in a place
        ("Two water bodies lie in the north-west.", F),
    ],
)
def test_places(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_a_list_before_a_place_is_surely_there_only_with_its_last_class() -> None:
    assert check("The image shows cropland and water in the south-east.") is P
    assert check("The image shows water and trees in the north-west.") is P
    assert check("Water and trees lie in the north-west.") is F


def test_compass_words_need_a_known_north() -> None:
    turned = land("WCC CCC CCC", north_up=False)
    assert check("Water lies in the south-east.", turned) is U
    assert check("Water lies in the lower right.", turned) is F


def test_a_rare_class_that_is_everywhere_is_also_in_a_corner() -> None:
    rare = "".join(
        "W" if (r % 6 == 5 and c % 6 == 5) else "C" for r in range(18) for c in range(18)
    )
    rows = " ".join(rare[18 * r : 18 * r + 18] for r in range(18))
    dots = land(rows, block_px=3)  # 9 ponds, one a cell, under 3 % of the picture
    assert check("Water lies in the upper left.", dots) is not F
    assert check("Water is spread across the image.", dots) is P


def test_a_number_beside_a_place_may_be_of_the_picture_or_of_the_place() -> None:
    # 54 % of the lower right, 8 % of the picture
    assert check("A water body occupies about 8 % in the lower right.") is P
    assert check("In the lower right, water covers 54 %.") is U
    assert check("In the lower right, water covers 25 %.") is F

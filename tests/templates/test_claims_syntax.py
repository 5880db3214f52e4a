"""Claims in many shapes of sentences: inversions, asides, what is left out, what is denied."""

import pytest

from schemas.verdict import Verdict
from templates.claims import check_sentence
from tests.claims.drawn import FARMS, land

P, U, F = Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE


def check(sentence: str, grounds=FARMS) -> Verdict:
    verdict = check_sentence(sentence, grounds.captioned).verdict
    assert check_sentence(sentence, grounds.reference).verdict is verdict
    return verdict


# bands from top to bottom: water 14 %, trees 29 %, crops 43 %, grass 14 %
BANDS = land("WWWWWW TTTTTT TTTTTT CCCCCC CCCCCC CCCCCC GGGGGG")


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        # a "no" that belongs to a relation
        ("Neither the water nor the grass borders the other trees.", F),
        ("Neither water nor grass borders snow.", F),
        ("Neither the crops nor the grass touches the water.", P),
        ("The trees border the water but not the grass.", P),
        ("The trees border the water but not the crops.", F),
        ("The trees border neither the grass nor the water.", F),
        ("The crops touch the trees, but neither the grass nor the water.", F),
        ("The crops do not touch the water, nor does the grass.", P),
        ("The crops do not touch the water, nor do the trees.", F),
        ("Nowhere do the crops touch the water.", P),
        ("There is no snow, nor is there any bare land.", P),
        ("There is no snow, nor are any crops present.", F),
        ("The largest class is not water but crops.", U),
        # the same of another class
        ("The trees border the water, as does the grass.", F),
        ("The trees border the crops, as does the grass.", P),
        ("The water is at the top, and so is the grass.", F),
        # what a list goes on with belongs to the relation
        ("The trees border the water as well as the grass.", F),
        ("The trees border the water and, in the south, the grass.", U),
        # asides between subject and verb
        ("Water, though bordered by trees, takes up most of the image.", F),
        ("Grass, the second most common class after crops, lies at the bottom.", F),
        ("Trees, the second most common class after crops, cover about 29 % of the image.", P),
        ("Crops (43 %) and trees (29 %) make up most of the image.", P),
        # inversions
        ("At the top lies water, bordered by grass.", F),
        ("Far from the water, at the bottom, there is grass.", P),
        ("Bordered by trees, the water lies at the top.", P),
        ("Bordered by grass, the water lies at the top.", F),
        ("Covering about 43 % of the image, crops are the largest class.", P),
        ("Three quarters of the image, at the top, is water.", F),
        ("More of the picture is grass than crops.", F),
        ("In descending order, the classes are crops, trees and grass.", P),
        ("In descending order, the classes are trees, crops and grass.", F),
        # amounts
        ("Crops stretch across close to 45 % of the image.", P),
        ("Crops stretch across close to a tenth of the image.", F),
        ("Crops are three times as large as the grass.", P),
        ("Crops are two and a half times as large as the trees.", F),
        # the last word of a place, or a verb
        ("The water at the top borders the crops.", F),
        ("The trees in the upper left border the grass.", F),
        ("Along the upper border there is water.", P),
        # what is rejected is not said
        ("The water borders the grass rather than the trees.", F),
        ("The water borders the trees rather than the grass.", U),
        # small things: seen, or a remark
        ("Cattle graze on the grass.", U),
        ("Cattle can be seen on the grass.", F),
        ("The water is home to many birds.", U),
        ("No cars are visible.", U),
    ],
)
def test_shapes_of_sentences(sentence: str, verdict: Verdict) -> None:
    assert check(sentence, BANDS) is verdict


def test_years_are_no_counts() -> None:
    grown = land("CCCCD", "CCCDD")
    assert check("Between 2018 and 2019 the developed area grew from 20 % to 40 %.", grown) is P
    assert check("Between 2018 and 2019 the developed area grew from 40 % to 60 %.", grown) is F
    assert check("In 2018 developed land covers 40 % of the image.", grown) is F


@pytest.mark.parametrize("verb", ["lies in", "is mainly in", "is found only in"])
def test_the_centre_is_not_the_whole_picture(verb: str) -> None:
    assert check(f"The grass {verb} the middle of the image.", BANDS) is not P


def test_areas_are_counted_at_both_floors() -> None:
    dots = land("WWWWWWWW WTWTWTWW WWWWWWWW", block_px=4)  # three patches of 16 px
    assert check("There are three patches of forest.", dots) is P  # of at least 9 px
    assert check("There are no trees.", dots) is F
    assert check("There are seven patches of forest.", dots) is F
    assert check("There are four patches of forest.", dots) is U  # one off

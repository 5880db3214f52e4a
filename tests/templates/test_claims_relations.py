"""Claims on two classes, on change and damage, and on what is known beside the masks."""

import pytest

from schemas.verdict import Verdict
from templates.claims import check_sentence
from tests.claims.drawn import FARMS, OPTICAL, RADAR, TOWN, land, town

P, U, F = Verdict.PROVED, Verdict.UNPROVED, Verdict.FALSE
# trees 20 % and water 10 %, then trees 12 % and water 28 %
YEARS = land("CCCCCCTTTT " * 5 + "WWCCCCCCCC " * 5, "CCCCCCTTTT " * 3 + "WWWWCCCCCC " * 7)


def check(sentence: str, grounds=FARMS) -> Verdict:
    return check_sentence(sentence, grounds.captioned).verdict


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Water borders the trees.", P),
        ("Water and trees are adjacent.", P),
        ("Water and trees share a border.", P),
        ("The water is adjacent to the developed land.", F),
        ("Developed land does not border the water.", P),
        ("Developed land borders neither the water nor the trees.", P),
        ("Cropland borders trees but does not touch the water.", F),
        ("Water does not border the trees.", F),
        ("The water is separate from the developed land.", P),
        ("Water is surrounded by trees.", P),
        ("The water is almost completely surrounded by trees.", P),
        ("Trees surround the developed area.", F),
        ("The water lies 510 m from the developed land.", P),
        ("The distance between the developed land and the water is about 510 m.", P),
        ("Water and developed land are 510 m apart.", P),
        ("The water lies within 100 m of the developed land.", F),
        ("Developed land lies 50 m from the water.", F),
        ("Water is close to the trees.", P),
        ("The developed land is far from the water.", P),
        ("Water is far from the trees.", F),
        ("Cropland lies between water and the developed land.", U),
        ("The snow lies between the trees and the water.", F),
        ("Trees separate the water from the cropland.", U),
    ],
)
def test_two_classes(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_no_distance_is_true_without_a_pixel_size() -> None:
    unknown = land("WCCCCT", pixel_size_m=None)
    assert check("Water lies 40 m from the trees.", unknown) is F
    assert check("Water is near the trees.", unknown) is U


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("Water has increased between the two images.", P),
        ("Water has decreased.", F),
        ("The loss of trees is evident.", P),
        ("Cropland remained unchanged.", F),
        ("There was no change in water.", F),
        ("No change is visible in the water.", F),
        ("Water covers more area than before.", P),
        ("The water area grew from 10 % to 28 %.", P),
        ("The water area grew from 20 % to 28 %.", F),
        ("Image 1: Trees cover 20 % of the image.", P),
        ("Image 2: Trees cover 20 % of the image.", F),
        ("Image 1 shows 20 % trees; image 2 shows 12 % trees.", P),
        ("In the first image, trees cover 20 %, and in the second image 12 %.", P),
        ("In 2018, water covers 10 % of the image.", P),
        ("In 2019, water covers 10 % of the image.", F),
        ("Between 2018 and 2019, the water grew.", P),
        ("Cropland is the largest class in both images.", P),
        ("Water is the largest class in both images.", F),
        ("Trees cover about 16 % of the image.", U),  # neither at both dates nor at none
    ],
)
def test_change_and_dates(sentence: str, verdict: Verdict) -> None:
    assert check(sentence, YEARS) is verdict


def test_change_takes_two_dates() -> None:
    assert check("Trees have expanded since the first image.") is F
    assert check("The city has expanded.") is F
    assert check("Wheat is grown on the cropland.") is U


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("After the hurricane, 4 of the 10 buildings are destroyed.", P),
        ("Image 2: 4 buildings are destroyed [SEG].", P),
        ("Image 2: I mark the 4 destroyed buildings [SEG 3].", P),
        ("Of the ten buildings, four are destroyed, two are slightly damaged, four intact.", P),
        ("Of the ten buildings, six are destroyed and four remain intact.", F),
        ("Six buildings are damaged.", P),
        ("Most buildings were destroyed.", F),
        ("40 % of the buildings are destroyed.", P),
        ("At least eight buildings were destroyed.", F),
        ("No building has major damage.", P),
        ("No damage is visible.", F),
        ("None of the buildings was damaged.", F),
        ("All buildings are intact.", F),
        ("There are 10 buildings before the event.", P),
        ("There are 14 buildings.", F),
        ("The number of buildings is unchanged.", P),
        ("Some buildings were lost.", U),
        ("Destroyed buildings are found in the upper left corner.", P),
        ("The destroyed buildings lie in the lower right corner.", F),
        ("Three destroyed buildings lie in the upper left.", U),
        ("The tsunami destroyed four buildings.", F),
    ],
)
def test_objects_and_their_states(sentence: str, verdict: Verdict) -> None:
    assert check(sentence, TOWN) is verdict


def test_an_unclassified_building_may_be_in_any_state() -> None:
    unsure = town("dduoo")
    assert check("Two buildings are destroyed.", unsure) is U
    assert check("Four buildings are destroyed.", unsure) is F
    assert check("There are five buildings.", unsure) is P


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("The optical image shows cropland.", P),
        ("The SAR image shows cropland.", F),
        ("Green cropland is visible.", U),
        ("This Sentinel-2 image shows cropland.", P),
        ("This Landsat 8 image shows cropland.", F),
        ("The image has a resolution of 10 m.", P),
        ("The image has a 30 m resolution.", F),
        ("The highlighted region is cropland.", F),
        ("The overlay marks trees.", F),
        ("The image was taken on 12 June 2018.", P),
        ("The image dates from 2016.", F),
        ("In December 2018, the scene shows cropland.", F),
        ("In spring, the scene shows cropland.", F),
        ("In summer, the scene shows cropland.", U),  # it would be winter in the south
    ],
)
def test_what_is_known_beside_the_masks(sentence: str, verdict: Verdict) -> None:
    assert check(sentence) is verdict


def test_radar_shows_no_colour() -> None:
    radar = land("CT", images=[RADAR])
    assert check("Green cropland is visible.", radar) is F
    both = land("CT", images=[OPTICAL, RADAR])
    assert check("Green cropland is visible.", both) is U


@pytest.mark.parametrize(
    ("known", "said", "verdict"),
    [
        ("WorldView-2", "WorldView-2", P),
        ("WorldView-2", "WorldView", P),
        ("WorldView-2", "WorldView-3", F),
        ("WorldView", "WorldView-3", U),
        ("", "WorldView-3", U),
        ("GeoEye-1", "Sentinel-2", F),
    ],
)
def test_sensors_are_known_by_family_and_number(known: str, said: str, verdict: Verdict) -> None:
    grounds = land("CT", images=[{**OPTICAL, "sensor": known}])
    assert check(f"This {said} image shows cropland.", grounds) is verdict


@pytest.mark.parametrize(
    ("known", "verdict"), [("flood", P), ("flooding", P), ("fire", F), ("", U)]
)
def test_events_are_known_by_any_of_their_words(known: str, verdict: Verdict) -> None:
    assert check("The flood destroyed four buildings.", town("dddd", disaster=known)) is verdict

"""Questions against programs: good ones pass as a model would write them, all others do not."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.program import load_program
from schemas.rejection import Reason
from schemas.trace import value_text
from templates.agreement import question_faults
from templates.composed import rule_on
from templates.judging import questions_of
from templates.question_forms import forms_of
from templates.question_reading import example_of, form_fault
from templates.replies import Fault
from templates.rule import BoundRule
from templates.rulebook import RULES
from templates.run_program import run_program
from tests.claims.drawn import europe, land, town
from tests.templates.programs import (
    area,
    both,
    buildings,
    compare,
    count,
    either,
    exists,
    joined,
    largest,
    minus,
    most_of,
    near,
    nearest,
    number,
    of,
    of_two,
    part,
    ranked,
    share,
    valid,
)

# 100 x 100 pixels of 10 m: crop 64 %, trees 22 % (upper left, and a band below), water 8 % (lower
# right, within the band), developed 6 % (lower left corner)
FARMS = land(
    "TTTTCCCCCC TTTTCCCCCC TTTTCCCCCC CCCCCCCCCC CCCCCCCCCC "
    "CCCCCCTTTT CCCCCCTWWW DDCCCCTWWW DDCCCCTWWC DDCCCCTTTC"
).captioned
TURNED = land("WWWCCCCCC " * 9, north_up=False).captioned  # up is not known to be north
# two forests of 90 x 90 pixels, arable land, inland waters below
WOODS = europe("BBBCCCAAA " * 6 + "WWWWWWWWW " * 3).captioned
TOWN = town("ddddmmoooo").captioned  # 10 buildings: 4 destroyed, 2 minor damage, 4 undamaged
YEARS = land("TTTTTTCCC " * 9, "TTTCCCCCC " * 9).captioned  # trees from 60 columns to 30

CROP, TREE, WATER, BUILT = of("crop"), of("tree"), of("water"), of("developed area")
WATERS = of("Inland waters")
CONIFERS, LEAVES, ARABLE = of("Coniferous forest"), of("Broad-leaved forest"), of("Arable land")
FIRST, SECOND = of("tree"), of("tree", 1)
NORTH, SOUTH, EAST, WEST = (0, 1, 2), (6, 7, 8), (2, 5, 8), (0, 3, 6)

GOOD = [
    (FARMS, "What percentage of the image is covered by cropland?", share(CROP)),
    (FARMS, "What share of the scene is tree cover?", share(TREE)),
    (FARMS, "How much of the picture do trees take up, in percent?", share(TREE)),
    (FARMS, "In percent, how much of the image is occupied by water?", share(WATER)),
    (FARMS, "What fraction of the tree cover lies within 100 m of the water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "How much of the cropland, in percent, is at most 0.2 km away from developed land?",
     share(near(CROP, BUILT, 200), CROP)),
    (FARMS, "What proportion of the image is covered by cropland within 150 m of the forest?",
     share(near(CROP, TREE, 150))),
    (FARMS, "What percentage of the trees lies in the northern third of the image?",
     share(part(TREE, *NORTH), TREE)),
    (FARMS, "What share of the north-western part of the image is covered by forest?",
     share(part(TREE, 0), part(valid(), 0))),
    (FARMS, "What percentage of the upper left corner of the image do the trees cover?",
     share(TREE, part(valid(), 0))),
    (FARMS, "How large is the area of the developed land?", area(BUILT)),
    (FARMS, "How many hectares does the cropland cover?", area(CROP)),
    (FARMS, "What is the area of the cropland within 150 metres of the tree cover?",
     area(near(CROP, TREE, 150))),
    (FARMS, "By how much is the area of cropland larger than that of tree cover?",
     of_two("sub", area(CROP), area(TREE))),
    (FARMS, "By how many hectares does the area of the cropland exceed that of the trees?",
     of_two("sub", area(CROP), area(TREE))),
    (FARMS, "What is the area of water as a percentage of the area of tree cover?",
     of_two("div", area(WATER), area(TREE))),
    (FARMS, "How many separate patches of trees are there in the image?", count(TREE)),
    (FARMS, "How long is the border between water and tree cover?",
     of_two("border_length", WATER, TREE)),
    (FARMS, "In the image, what length of border do the tree cover and the water share?",
     of_two("border_length", WATER, TREE)),
    (FARMS, "How far apart are the water and the developed land at their closest?",
     of_two("distance", WATER, BUILT)),
    (FARMS, "What is the shortest distance from the developed land to the water?",
     of_two("distance", WATER, BUILT)),
    (FARMS, "Is there any developed land in the image?", exists(BUILT)),
    (FARMS, "Does the image contain any snow?", exists(of("snow"))),
    (FARMS, "Are there any trees within 100 m of the water?", exists(near(TREE, WATER, 100))),
    (FARMS, "Is there any water in the south-eastern part of the image?",
     exists(part(WATER, 8))),
    (FARMS, "Does the water border the tree cover?", of_two("border", WATER, TREE)),
    (FARMS, "In the image, do the trees and the water touch?", of_two("border", WATER, TREE)),
    (FARMS, "Does cropland cover more ground than tree cover?",
     compare(area(CROP), ">", area(TREE))),
    (FARMS, "Does tree cover occupy a smaller share of the image than cropland?",
     compare(share(TREE), "<", share(CROP))),
    (FARMS, "Is the water less extensive than the forest?",
     compare(share(TREE), ">", share(WATER))),
    (FARMS, "Does cropland cover more than 50 % of the image?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Do the trees cover less than 40 percent of the image?",
     compare(number(0.4, "share"), ">", share(TREE))),
    (FARMS, "Does the water cover less than 20 ha?",
     compare(area(WATER), "<", number(200_000, "m2"))),
    (FARMS, "Do more than 10 % of the trees lie within 100 m of the water?",
     compare(share(near(TREE, WATER, 100), TREE), ">", number(0.1, "share"))),
    (FARMS, "Is the developed land more than 100 m away from the water?",
     compare(of_two("distance", BUILT, WATER), ">", number(100, "m"))),
    (FARMS, "Does cropland touch the water and also cover more ground than developed land?",
     joined("all", of_two("border", CROP, WATER), compare(share(CROP), ">", share(BUILT)))),
    (FARMS, "Does the developed land border the water or border the tree cover?",
     joined("any", of_two("border", BUILT, WATER), of_two("border", BUILT, TREE))),
    (FARMS, "Which covers the largest area: cropland, tree cover or water?",
     largest(cropland=area(CROP), tree_cover=area(TREE), water=area(WATER))),
    (FARMS, "Which has the longest border with the tree cover: water or cropland?",
     largest(water=of_two("border_length", TREE, WATER),
             cropland=of_two("border_length", TREE, CROP))),
    (FARMS, "Which takes up most of the image: tree cover or developed land?",
     largest(tree_cover=share(TREE), developed_land=share(BUILT))),
    (FARMS, "Which lies closer to the water: tree cover or developed land?",
     nearest(WATER, tree_cover=TREE, developed_land=BUILT)),
    (FARMS, "Of tree cover and developed land, which comes nearer to the water?",
     nearest(WATER, tree_cover=TREE, developed_land=BUILT)),
    (FARMS, "Which covers more than half of the middle third from north to south of the image: "
     "cropland or tree cover?", most_of(part(valid(), 3, 4, 5), cropland=CROP, tree_cover=TREE)),
    (TURNED, "What percentage of the left third of the image is water?",
     share(part(WATER, *WEST), part(valid(), *WEST))),
    (WOODS, "What percentage of the image is covered by coniferous forest?", share(CONIFERS)),
    (WOODS, "Does the broad-leaved forest cover less of the image than inland waters?",
     compare(share(LEAVES), "<", share(WATERS))),
    (TOWN, "How many destroyed buildings are there in image 2?", count(buildings("destroyed"))),
    (TOWN, "How many buildings can be seen in image 1?", count(buildings(date=0))),
    (TOWN, "In image 2, are there more destroyed buildings than buildings with minor damage?",
     compare(count(buildings("destroyed")), ">", count(buildings("minor-damage")))),
    (TOWN, "Are there fewer than 8 undamaged buildings in image 2?",
     compare(count(buildings("no-damage")), "<", number(8, "count"))),
    (YEARS, "Did the tree cover shrink from image 1 to image 2?",
     compare(area(FIRST), ">", area(SECOND))),
    (YEARS, "By how much did the area of the trees shrink between image 1 and image 2?",
     of_two("sub", area(FIRST), area(SECOND))),
    (YEARS, "How much ground did the tree cover lose from image 1 to image 2?",
     area(minus(FIRST, SECOND))),
    (YEARS, "What share of the tree cover in image 1 became cropland in image 2?",
     share(both(FIRST, of("crop", 1)), FIRST)),
    (YEARS, "Which covers the most ground in image 2: tree cover or cropland?",
     largest(tree_cover=share(SECOND, valid(1)), cropland=share(of("crop", 1), valid(1)))),
]  # fmt: skip


# other words for the same, as a model may write them; a program each
SAID_OTHERWISE = {
    "share": (FARMS, share(CROP), (
        "What percentage of the image is cropland?",
        "What percent of the image does cropland cover?",
        "How much of the image does the cropland take up, in percent?",
        "What proportion of the whole scene is made up of cropland?",
        "Which part of the picture is under crops?",
        "In the image, what share of the picture do crops occupy?",
    )),
    "share near": (FARMS, share(near(TREE, WATER, 300), TREE), (
        "What share of the tree cover lies within 300 m of the water?",
        "What percentage of the tree cover in the image is located within 300 m of the water?",
        "In the image, what fraction of the trees are at most 300 m from water?",
        "How much of the forest lies no more than 0.3 km away from the water, in percent?",
        "What portion of the tree cover lies 300 metres or less from the water?",
    )),
    "share in a part": (FARMS, share(part(CROP, *NORTH), CROP), (
        "What part of the cropland is found in the upper third of the image?",
        "What share of the cropland lies in the top third?",
        "What percentage of the crops are located in the northern third of the scene?",
    )),
    "share of a part": (FARMS, share(part(CROP, *NORTH), part(valid(), *NORTH)), (
        "What share of the northern third is covered by crops?",
        "How much of the upper third of the image does cropland cover?",
        "What percentage of the top third of the picture is cropland?",
    )),
    "area": (FARMS, area(CROP), (
        "How large is the area of the cropland?",
        "What area does the cropland cover?",
        "What is the area of the cropland in the image?",
        "What is the total area of the cropland?",
        "How many hectares does cropland take up in the image?",
        "How large an area does the cropland occupy?",
    )),
    "patches": (FARMS, count(TREE), (
        "How many separate patches of tree cover are there in the image?",
        "How many patches of trees are there?",
        "How many separate areas of tree cover are visible in the image?",
        "Into how many separate pieces is the forest divided?",
    )),
    "border length": (FARMS, of_two("border_length", TREE, WATER), (
        "How long is the border between the tree cover and the water?",
        "How long is the common boundary between the water and the tree cover?",
        "What is the length of the border between the water and the trees?",
    )),
    "distance": (FARMS, of_two("distance", WATER, BUILT), (
        "How far is the water from the developed land?",
        "How far apart are the developed land and the water in the image?",
        "What is the smallest distance between the water and the developed land?",
    )),
    "exists": (FARMS, exists(WATER), (
        "Is there any water in the image?",
        "Is there water in the image?",
        "Does the image show any water?",
        "Is any water visible in the image?",
    )),
    "near there is": (FARMS, exists(near(TREE, WATER, 100)), (
        "Is there any tree cover within 100 m of the water?",
        "Does any tree cover lie within 100 m of the water in the image?",
        "Do any trees lie at most 100 m from water?",
    )),
    "border": (FARMS, of_two("border", TREE, WATER), (
        "Does the water border the tree cover?",
        "Do the water and the tree cover touch in the image?",
        "Are tree cover and water adjacent?",
        "Does the tree cover share a border with the water?",
        "Is the water adjacent to the tree cover?",
    )),
    "more": (FARMS, compare(share(CROP), ">", share(WATER)), (
        "Does cropland cover more ground than water?",
        "Does the cropland cover a larger share of the image than the water?",
        "Does water take up less of the image than cropland?",
        "Is there more cropland than water in the image?",
        "Is there less water than cropland?",
        "Is the cropland larger than the water?",
        "Is the area of the water smaller than that of the cropland?",
    )),
    "more than": (FARMS, compare(share(CROP), ">", number(0.3, "share")), (
        "Does cropland cover more than 30 % of the image?",
        "Does cropland cover more than 30% of the image?",
        "Does the cropland take up over 30 percent of the image?",
        "Is more than 30 % of the image covered by cropland?",
        "Is more than 30 % of the image cropland?",
    )),
    "both": (FARMS, joined("all", of_two("border", WATER, TREE),
                           compare(share(TREE), ">", share(WATER))), (
        "Does the water border the tree cover and cover less ground than the tree cover?",
        "Does the tree cover border the water, and also cover more ground than the water?",
        "Do the trees touch the water and also take up more of the image than the water?",
    )),
    "most": (FARMS, largest(water=area(WATER), cropland=area(CROP)), (
        "Which covers more ground in the image: water or cropland?",
        "Which covers the larger area, cropland or water?",
        "Which of water and cropland covers more of the image?",
        "Which takes up the most land: cropland or water?",
        "Which has the larger share of the image: cropland or water?",
    )),
    "longest border": (FARMS, largest(water=of_two("border_length", WATER, TREE),
                                      cropland=of_two("border_length", CROP, TREE)), (
        "With which does the tree cover share the longer border: water or cropland?",
        "Which shares the longest border with the tree cover: water or cropland?",
        "Which of water and cropland has the longer border with the tree cover?",
    )),
    "nearest": (FARMS, nearest(WATER, tree_cover=TREE, developed_land=BUILT), (
        "Which lies closer to the water: tree cover or developed land?",
        "Which is nearest to the water, the tree cover or the developed land?",
        "Of tree cover and developed land, which is nearer to the water?",
        "Which of tree cover and developed land lies closer to the water?",
    )),
    "half": (FARMS, most_of(part(valid(), *NORTH), cropland=CROP, tree_cover=TREE), (
        "Which covers more than half of the northern third of the image: cropland or tree cover?",
        "Which makes up most of the upper third: cropland or tree cover?",
        "Which takes up more than half of the top third of the image, cropland or tree cover?",
    )),
    "objects": (TOWN, count(buildings("destroyed")), (
        "How many destroyed buildings are there in image 2?",
        "In image 2, how many destroyed buildings can be seen?",
        "How many destroyed buildings does image 2 show?",
        "How many collapsed buildings are visible in image 2?",
    )),
    "more objects": (TOWN, compare(count(buildings("no-damage")), ">",
                                   count(buildings("minor-damage"))), (
        "Are there more undamaged buildings than buildings with minor damage in image 2?",
        "In image 2, do intact buildings outnumber buildings with minor damage?",
        "Are there fewer buildings with minor damage than undamaged buildings in image 2?",
    )),
    "change": (YEARS, area(minus(FIRST, SECOND)), (
        "How much ground did the tree cover lose from image 1 to image 2?",
        "What area did the tree cover lose between image 1 and image 2?",
        "How many hectares did the tree cover lose from image 1 to image 2?",
    )),
    "growth": (YEARS, compare(area(FIRST), ">", area(SECOND)), (
        "Did the tree cover shrink from image 1 to image 2?",
        "Did the area of the trees decrease between image 1 and image 2?",
        "Does the tree cover shrink from image 1 to image 2?",
    )),
    "became": (YEARS, share(both(FIRST, of("crop", 1)), FIRST), (
        "What share of the tree cover in image 1 became cropland in image 2?",
        "What percentage of the tree cover in image 1 had become cropland by image 2?",
        "How much of the forest in image 1 is cropland in image 2, in percent?",
        "What share of the tree cover in image 1 has become cropland in image 2?",
    )),
}  # fmt: skip


@pytest.mark.parametrize(
    ("ground", "question", "program"),
    [
        pytest.param(ground, question, program, id=question)
        for ground, program, questions in SAID_OTHERWISE.values()
        for question in questions
    ],
)
def test_a_question_may_be_said_in_other_words(ground, question, program) -> None:
    assert form_fault(question, load_program(json.dumps(program)), ground, ground.view) == ""


def faults(ground, question: str, program: dict[str, Any]) -> list[Fault]:
    tree = load_program(json.dumps(program))
    return list(question_faults(question, tree, ground.value(tree), ground, ground.view, None))


@pytest.mark.parametrize(("ground", "question", "program"), GOOD, ids=[q for _, q, _ in GOOD])
def test_a_good_question_passes(ground, question, program) -> None:
    assert faults(ground, question, program) == []


def test_the_question_that_a_fault_proposes_passes_itself() -> None:
    for ground, _, program in GOOD:
        (fault,) = faults(ground, "Would you kindly say what this is?", program)
        proposed = re.search(r"could be: (['\"])(.+\?)\1$", fault.detail)
        assert proposed, fault.detail
        assert faults(ground, proposed[2], program) == [], proposed[2]


def test_every_form_has_an_example_that_passes() -> None:
    for ground, _, program in GOOD:
        tree = load_program(json.dumps(program))
        for form in forms_of(tree):
            example = example_of(form, tree, ground, ground.view)
            assert faults(ground, example, program) == [], example


def test_there_are_good_questions_of_every_operation() -> None:
    ops = {program["op"] for _, _, program in GOOD}
    assert ops == {
        "share", "area", "sub", "div", "count", "border_length", "distance", "exists", "border",
        "compare", "all", "any", "argmax", "nearest", "majority",
    }  # fmt: skip


# questions that ask for another thing than their program answers, or in words that may mean it
BAD = [
    # classes
    (FARMS, "What percentage of the image is covered by plants?", share(CROP)),
    (FARMS, "What percentage of the image beside the water is cropland?", share(CROP)),
    (FARMS, "Is there any water?", exists(TREE)),
    (WOODS, "What percentage of the image is forest?", share(CONIFERS)),
    (WOODS, "What percentage of the image is covered by trees?", share(either(LEAVES, ARABLE))),
    (WOODS, "What percentage of the image is coniferous forest?",
     share(either(CONIFERS, LEAVES))),
    (FARMS, "What percentage of the image is covered by the river?", share(WATER)),
    (FARMS, "What percentage of the image is covered by the sea?", share(WATER)),
    (FARMS, "Is there any cropland along the road?", exists(CROP)),
    (WOODS, "What percentage of the image is woodland?", share(LEAVES)),
    # states of buildings
    (TOWN, "How many buildings does image 2 show?", count(buildings("destroyed"))),
    (TOWN, "How many destroyed buildings are there in image 2?", count(buildings())),
    (TOWN, "How many damaged buildings does image 2 show?", count(buildings("destroyed"))),
    (TOWN, "How many undamaged buildings are there in image 2?", count(buildings("destroyed"))),
    # what is measured
    (FARMS, "What is the area of the cropland?", share(CROP)),
    (FARMS, "What percentage of the area is cropland?", area(CROP)),
    (FARMS, "How many hectares is the cropland's share of the image?", share(CROP)),
    (FARMS, "How much tree cover is there?", count(TREE)),
    (FARMS, "How many patches of trees take up a large area?", area(TREE)),
    (FARMS, "How many trees are present?", exists(TREE)),
    (FARMS, "Is a large area of the image cropland?", area(CROP)),
    (FARMS, "Is the share of water in the image high?", share(WATER)),
    (FARMS, "What border do water and trees have?", of_two("border", WATER, TREE)),
    (FARMS, "How far is the water from the tree cover?", of_two("border_length", WATER, TREE)),
    (FARMS, "How long is the boundary of the water and the trees?",
     of_two("distance", WATER, BUILT)),
    (FARMS, "Does cropland cover the image?", compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Is there more cropland than tree cover?", compare(count(TREE), ">", count(WATER))),
    (FARMS, "Are there more patches of cropland than of tree cover?",
     compare(area(CROP), ">", area(TREE))),
    (FARMS, "Is there any cropland bordering the water?", exists(either(CROP, WATER))),
    # shares of another whole
    (FARMS, "What share of the image is tree cover within 100 m of water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "What share of the tree cover lies within 100 m of water?",
     share(near(TREE, WATER, 100))),
    (FARMS, "Does more than half of the tree cover lie within 100 m of the water?",
     compare(share(near(TREE, WATER, 100)), "<", number(0.5, "share"))),
    # turned round
    (FARMS, "Is there less cropland than tree cover?", compare(area(CROP), ">", area(TREE))),
    (FARMS, "Is there more tree cover than cropland?", compare(area(CROP), ">", area(TREE))),
    (FARMS, "Does cropland exceed tree cover in area?", compare(area(CROP), "<", area(TREE))),
    (FARMS, "Is under half of the image cropland?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Is at most half of the image cropland?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Is the cropland or the tree cover larger?", compare(area(CROP), ">", area(TREE))),
    (FARMS, "Is more of the image cropland or less of it tree cover?",
     compare(area(CROP), ">", area(TREE))),
    (FARMS, "Does more tree cover lie in the eastern third than in the western third?",
     compare(area(part(TREE, *WEST)), ">", area(part(TREE, *EAST)))),
    (YEARS, "Is there more tree cover in image 2 than in image 1?",
     compare(area(FIRST), ">", area(SECOND))),
    (YEARS, "Did the tree cover grow from image 1 to image 2?",
     compare(area(FIRST), ">", area(SECOND))),
    (YEARS, "How much tree cover was gained from image 1 to image 2?",
     area(minus(FIRST, SECOND))),
    (FARMS, "Which covers the smallest area: cropland, tree cover or water?",
     largest(cropland=area(CROP), tree_cover=area(TREE), water=area(WATER))),
    (FARMS, "Which covers the largest area: cropland, tree cover or water?",
     ranked(3, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER))),
    (FARMS, "Which is the second smallest by area: cropland, tree cover, developed land or water?",
     ranked(2, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER),
            developed_land=area(BUILT))),
    (FARMS, "Which is farthest from the water, and not near: tree cover or developed land?",
     nearest(WATER, tree_cover=TREE, developed_land=BUILT)),
    (FARMS, "Is there tree cover near the image's water and cropland?",
     joined("any", exists(TREE), exists(WATER), exists(CROP))),
    (FARMS, "Is there tree cover or any snow?", joined("all", exists(TREE), exists(of("snow")))),
    (FARMS, "Is there any water in the image?", {"op": "not", "of": exists(WATER)}),
    (FARMS, "Is there more cropland than tree cover and less water than developed land?",
     joined("all", compare(area(CROP), ">", area(TREE)), compare(area(WATER), "<", area(BUILT)))),
    # names
    (FARMS, "Which covers the larger area, cropland or water?",
     largest(cropland=area(WATER), water=area(CROP))),
    (FARMS, "Which lies nearer to the water, tree cover or developed land?",
     nearest(WATER, developed_land=TREE, tree_cover=BUILT)),
    (FARMS, "Which covers the larger area, cropland or water?",
     largest(yes=area(CROP), water=area(WATER))),
    (WOODS, "Which covers more of the image, the forest or the arable land?",
     largest(coniferous_forest=share(either(CONIFERS, LEAVES)), arable_land=share(ARABLE))),
    (YEARS, "In which is the area of tree cover larger, image 1 or image 2?",
     largest(image_2=area(FIRST), image_1=area(SECOND))),
    (FARMS, "Which is larger, the cropland or the tree cover?",
     largest(cropland=area(CROP), tree_cover=area(near(TREE, CROP, 50)))),
    # places
    (FARMS, "What percentage of the trees lies in the northern third of the image?",
     share(part(TREE, *SOUTH), TREE)),
    (FARMS, "What percentage of the trees lies in the north-west of the image?",
     share(part(TREE, *NORTH), TREE)),
    (FARMS, "What percentage of the trees lies in the northern half of the image?",
     share(part(TREE, *NORTH), TREE)),
    (FARMS, "What percentage of the trees lies in the north of the image?",
     share(part(TREE, 1), TREE)),
    (FARMS, "What percentage of the trees is in the middle third of the image?",
     share(part(TREE, 3, 4, 5), TREE)),
    (FARMS, "What percentage of the tree cover is there in the image?",
     share(part(TREE, 0), TREE)),
    (FARMS, "What share of the north of the image is tree cover?", share(TREE)),
    (FARMS, "What percentage of the trees lies in the north-west or the south-east of the image?",
     share(part(TREE, 0, 8), TREE)),
    (TURNED, "What percentage of the western third of the image is water?",
     share(part(WATER, *WEST), part(valid(), *WEST))),
    # distances
    (FARMS, "What part of the tree cover lies near the water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "What part of the tree cover lies within 1 km of the water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "What part of the tree cover lies more than 100 m from the water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "What part of the tree cover lies within 100 m of the water?",
     share(minus(TREE, near(TREE, WATER, 100)), TREE)),
    # dates
    (YEARS, "What percentage of image 2 is tree cover?", share(FIRST)),
    (YEARS, "What percentage of the image is tree cover?", share(FIRST)),
    (YEARS, "What percentage of images 1 and 2 is tree cover?", share(FIRST)),
    (TOWN, "How many buildings were destroyed?", count(buildings("destroyed"))),
    # bounds
    (FARMS, "Is more than half of the image cropland?",
     compare(share(CROP), ">", number(0.4, "share"))),
    (FARMS, "Does cropland cover more of the image than other land?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Is the cropland twice as large as the tree cover or more than that?",
     compare(area(CROP), ">", area(TREE))),
    # denial
    (FARMS, "Is there no water in the image?", exists(WATER)),
    (FARMS, "Isn't there any water in the image?", exists(WATER)),
    (FARMS, "Is the image free of any water?", exists(WATER)),
    (FARMS, "Does the image contain cropland but not water?",
     joined("all", exists(CROP), exists(WATER))),
    # form
    (FARMS, "Tell me whether there is any water.", exists(WATER)),
    (FARMS, "Is there any water <image> in it?", exists(WATER)),
    (FARMS, "Is there any water [SEG]?", exists(WATER)),
    (FARMS, "Is there any water\u202e in the image?", exists(WATER)),
]  # fmt: skip


@pytest.mark.parametrize(("ground", "question", "program"), BAD, ids=[q for _, q, _ in BAD])
def test_a_question_that_differs_from_its_program_is_off(ground, question, program) -> None:
    assert [fault.reason for fault in faults(ground, question, program)] == [Reason.OFF_QUESTION]


NO_FORM = [
    {"op": "cell", "of": WATER},
    {"op": "not", "of": exists(WATER)},
    ranked(2, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER)),
    compare(count(TREE), ">", count(WATER)),
    joined("all", exists(CROP), exists(TREE), exists(WATER)),
    joined("all", joined("all", exists(CROP), exists(TREE)), exists(WATER)),
    of_two("add", area(CROP), area(TREE)),
    share(part(TREE, 0, 8), TREE),
    area(both(near(TREE, WATER, 100), near(TREE, CROP, 100))),
]


@pytest.mark.parametrize("program", NO_FORM)
def test_a_program_that_no_form_is_known_for_is_not_asked_in_any_words(program) -> None:
    questions = [question for _, question, _ in GOOD]
    for question in questions:
        (fault,) = faults(FARMS, question, program)
        assert fault.reason in (Reason.OFF_QUESTION, Reason.GIVES_AWAY)


GIVEN_AWAY = [
    (FARMS, "Of the 64 % of cropland in the image, what share is there?", share(CROP)),
    (TOWN, "How many buildings, 4 of them destroyed, are there in image 2?",
     count(buildings("destroyed"))),
    (FARMS, "Which covers the most ground: cropland or trees?",
     largest(cropland=area(CROP), tree_cover=area(TREE))),
]  # fmt: skip


@pytest.mark.parametrize(("ground", "question", "program"), GIVEN_AWAY)
def test_a_question_that_holds_its_answer_gives_it_away(ground, question, program) -> None:
    assert [fault.reason for fault in faults(ground, question, program)] == [Reason.GIVES_AWAY]


def test_a_bound_may_be_said_in_any_unit_and_must_be_said() -> None:
    bound = compare(area(CROP), ">", number(50_000, "m2"))
    for words in ("5 ha", "5.0 ha", "50,000 m²", "0.05 km²", "5 hectares", "50000 m2"):
        assert faults(FARMS, f"Does cropland cover more than {words}?", bound) == []
    for words in ("6 ha", "5 m²", "5 km²", "5", "5 %", "half of the image", "the trees"):
        assert faults(FARMS, f"Does cropland cover more than {words}?", bound) != []


def test_a_distance_may_be_said_in_metres_or_kilometres_and_must_be_said() -> None:
    close = share(near(TREE, WATER, 1000), TREE)
    for words in ("1,000 m", "1 km", "1000 metres", "1.0 km"):
        assert (
            faults(FARMS, f"What share of the trees lies within {words} of the water?", close) == []
        )
    for words in ("1 m", "1,000 km", "1", "100 m", "some metres", "1,000 m or more"):
        assert (
            faults(FARMS, f"What share of the trees lies within {words} of the water?", close) != []
        )


# white space, articles, marks and letters that change nothing, or everything


@pytest.mark.parametrize(
    "question",
    [
        "what percentage of the image is covered by cropland?",
        "What percentage of an image is covered by the cropland?",
        "What percentage of the whole image is covered by cropland?",
        "What  percentage of the image is covered by cropland?",
    ],
)
def test_articles_and_cases_change_nothing(question) -> None:
    assert faults(FARMS, question, share(CROP)) == []


@pytest.mark.parametrize(
    "question",
    [
        "What percentage of the image is covered by cropland",
        "What percentage of the image is covered by cropland? Answer No.",
        "What percentage of the image is covered by cropland (not counting fields)?",
        "What percentage of the image is covered by cropland, water?",
        "What percentage of the image is covered by cropland and water?",
        "What percentage of the image is covered by crop land-free ground?",
        "Is it true: what percentage of the image is covered by cropland?",
        "What percentage of the image isn't covered by cropland?",
        "What percentage of the image is not covered by cropland?",
        "What percentage of the image is covered by cropland <image>?",
        "What percentage of the image is covered by cropland [SEG]?",
        "What percentage of the image is covered by cropl\u200band?",
        "What percentage of the image is covered by cropland\n?",
        "What percentage of image 2 is covered by cropland?",
        "What percentage of the images is covered by cropland?",
        "What percentage of the image was once covered by cropland?",
    ],
)
def test_a_word_more_and_the_question_is_off(question) -> None:
    assert [fault.reason for fault in faults(FARMS, question, share(CROP))] == [Reason.OFF_QUESTION]


def rule_faults(ground, rule: str, question: str) -> list[Fault]:
    bound = rule_on(rule, ground)
    assert isinstance(bound, BoundRule), bound
    value = ground.value(bound.program)
    return list(question_faults(question, bound.program, value, ground, ground.view, bound))


RULED = [
    (FARMS, "igbp_character"), (FARMS, "urban_rural"), (FARMS, "forest_minimum"),
    (FARMS, "working_land"), (FARMS, "farming"), (FARMS, "fragmentation"),
    (YEARS, "deforestation"), (YEARS, "forest_minimum"), (TOWN, "damage_quantity"),
]  # fmt: skip


@pytest.mark.parametrize(("ground", "rule"), RULED)
def test_a_question_of_a_rule_is_one_of_its_wordings_and_no_other_rules(ground, rule) -> None:
    bound = rule_on(rule, ground)
    assert isinstance(bound, BoundRule), bound
    own = questions_of(bound, ground.view)
    assert len(own) > 1
    for question in own:
        assert rule_faults(ground, rule, question) == []
        for changed_to in (question.lower(), question.replace("?", ", or not?"), question[:-1]):
            (fault,) = rule_faults(ground, rule, changed_to)
            assert fault.reason in (Reason.OFF_QUESTION, Reason.GIVES_AWAY)
    for other_ground, other in RULED:
        if other != rule:
            bound_other = rule_on(other, other_ground)
            assert isinstance(bound_other, BoundRule)
            for question in questions_of(bound_other, other_ground.view):
                assert rule_faults(ground, rule, question) != []


# every program of a good question, changed in one place: what then has another answer must not pass

LABELS = {"crop", "tree", "water", "developed area", "Coniferous forest", "Arable land"}
OTHER_OP = {
    "and": "or", "or": "and", "minus": "and", "all": "any", "any": "all", "add": "sub",
    "sub": "add", "div": "mul", "exists": "cell", "share": "area", "area": "count",
    "count": "area", "border_length": "distance", "distance": "border_length",
    "border": "distance", "argmax": "rank", "majority": "nearest", "nearest": "majority",
}  # fmt: skip


def changed(tree: Any) -> Iterator[Any]:
    """Yield a program with one thing changed, for every thing that can be."""
    if isinstance(tree, list):
        for at, held in enumerate(tree):
            for other in changed(held):
                yield [*tree[:at], other, *tree[at + 1 :]]
        return
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        for other in (*_values(key, value), *changed(value)):
            yield {**tree, key: other}
    op = tree.get("op")
    if op in ("mask", "valid") and tree["layer"] == "land_cover":
        for cells in (NORTH, EAST, (0,), (4,)):
            yield part(tree, *cells)
        yield near(tree, of("water"), 100)
        yield minus(tree, of("water"))
    if op == "instances" and "attribute" in tree:
        yield {key: value for key, value in tree.items() if key != "attribute"}
    if {"a", "b"} <= tree.keys():
        yield {**tree, "a": tree["b"], "b": tree["a"]}
        yield {**tree["a"]}
    if op in ("argmax", "nearest", "majority"):
        first, second, *rest = tree["of"]
        swapped = [{**first, "name": second["name"]}, {**second, "name": first["name"]}, *rest]
        yield {**tree, "of": swapped}
        yield {**tree, "of": [*reversed(tree["of"])]}
    if op == "compare":
        yield {"op": "not", "of": tree}


def _values(key: str, value: Any) -> Iterator[Any]:
    match key:
        case "op" if value in OTHER_OP:
            yield OTHER_OP[value]
        case "label":
            yield from sorted(LABELS - {value})
        case "attribute":
            yield from ("destroyed", "no-damage", "minor-damage")
        case "relation":
            yield {"<": ">", ">": "<"}[value]
        case "cell":
            yield from {0, 2, 4, 6, 8} - {value}
        case "date":
            yield 1 - value
        case "distance_m" | "value" if isinstance(value, int | float):
            yield from (value * 2, value / 2, value / 10)
        case "unit":
            yield from ("share", "m2", "")
        case "within":
            yield from (valid(), valid(1), of("crop"), of("tree"), of("tree", 1))


def test_a_program_changed_in_one_place_passes_only_with_the_same_answer() -> None:
    tried, leaks = 0, []
    for ground, question, program in GOOD:
        due = answer_of(ground, program)
        for other in changed(program):
            answer = answer_of(ground, other)
            if answer is None or answer == due:
                continue
            tried += 1
            if faults(ground, question, other) == []:
                leaks.append((question, due, answer, json.dumps(other)))
    assert tried > 400
    assert leaks == [], "\n".join(map(str, leaks))


def test_a_program_passes_with_its_own_question_and_no_other_unless_they_agree() -> None:
    """All good questions of a scene against all its programs: what passes has one answer."""
    for ground in (FARMS, WOODS, TOWN, YEARS):
        held = [(question, program) for of_ground, question, program in GOOD if of_ground is ground]
        for question, program in held:
            for other_question, other in held:
                if faults(ground, question, other) == []:
                    told = f"{question} / {other_question}"
                    assert answer_of(ground, program) == answer_of(ground, other), told


def answer_of(ground, program: dict[str, Any]) -> str | None:
    """Return a program's answer in words; None where it is no program or cannot be asked."""
    try:
        value = run_program(load_program(json.dumps(program)), ground)
    except ValueError:
        return None
    return None if isinstance(value, Fault) else value_text(value, ground.north_up)


WATER_2 = of("water", 1)
UNSAID = [
    # a program that looks at two images, and a question that names none
    (YEARS, "What share of the tree cover lies within 100 m of the water?",
     share(near(FIRST, WATER_2, 100), FIRST)),
    (YEARS, "Does the tree cover border the water?", of_two("border", FIRST, WATER_2)),
    (YEARS, "What is the shortest distance between tree cover and water?",
     of_two("distance", FIRST, WATER_2)),
    (YEARS, "What is the area of tree cover as a percentage of the area of tree cover?",
     of_two("div", area(FIRST), area(SECOND))),
    (YEARS, "Which covers the most ground: tree cover or water?",
     largest(tree_cover=area(FIRST), water=area(WATER_2))),
    (YEARS, "Is there any tree cover and is there any water?",
     joined("all", exists(FIRST), exists(WATER_2))),
    # a mask that is made of classes, under the name of them all
    (WOODS, "What share of the forest lies within 100 m of the inland waters?",
     share(near(minus(CONIFERS, LEAVES), WATERS, 100), minus(CONIFERS, LEAVES))),
    (WOODS, "By how much is the area of the forest larger than that of inland waters?",
     of_two("sub", area(near(CONIFERS, LEAVES, 100)), area(WATERS))),
    # three in one, told as two
    (FARMS, "Does the water border the tree cover and is there any cropland and is there any "
     "cropland?", joined("all", joined("all", of_two("border", WATER, TREE), exists(BUILT)),
                         exists(CROP))),
    # whose share the second half speaks of
    (FARMS, "Do the water and the tree cover touch and cover more ground than the cropland?",
     joined("all", of_two("border", WATER, TREE), compare(area(WATER), ">", area(CROP)))),
    (FARMS, "Does more than 10 % of the tree cover lie within 100 m of the water and cover more "
     "ground than the developed land?",
     joined("all", compare(share(near(TREE, WATER, 100), TREE), ">", number(0.1, "share")),
            compare(area(TREE), ">", area(BUILT)))),
    (FARMS, "What is the cropland?", area(CROP)),
    (FARMS, "What is the tree cover within 100 m of the water?", area(near(TREE, WATER, 100))),
    (YEARS, "What share of the cropland in image 2 became tree cover in image 1?",
     share(both(of("crop", 1), FIRST), of("crop", 1))),
    (TOWN, "Is there more destroyed buildings than undamaged buildings in image 2?",
     compare(area(buildings("destroyed")), ">", area(buildings("no-damage")))),
    (FARMS, "Which of cropland and tree cover covers more of the image?",
     largest(cropland=share(CROP), tree_cover=share(near(TREE, WATER, 100)))),
]  # fmt: skip


@pytest.mark.parametrize(("ground", "question", "program"), UNSAID)
def test_what_does_not_say_all_that_its_program_looks_at_is_refused(
    ground, question, program
) -> None:
    assert form_fault(question, load_program(json.dumps(program)), ground, ground.view) != ""


# all rules of a scene


@pytest.mark.parametrize(
    "ground", [FARMS, WOODS, YEARS, TOWN], ids=["farms", "woods", "years", "town"]
)
def test_every_wording_of_a_rule_is_its_own_and_no_other_rules(ground) -> None:
    found = [rule_on(rule.id, ground) for rule in RULES]
    bounds = [bound for bound in found if isinstance(bound, BoundRule)]
    assert bounds
    for bound in bounds:
        for question in questions_of(bound, ground.view):
            takers = [b.rule.id for b in bounds if question in questions_of(b, ground.view)]
            assert takers == [bound.rule.id]

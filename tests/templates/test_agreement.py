"""Questions against programs: good ones pass as a model would write them, turned ones do not."""

import json
from typing import Any

import pytest

from schemas.program import load_program
from schemas.rejection import Reason
from templates.agreement import question_faults
from templates.composed import rule_on
from templates.replies import Fault
from templates.rule import BoundRule
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
CONIFERS, LEAVES, ARABLE = of("Coniferous forest"), of("Broad-leaved forest"), of("Arable land")
FIRST, SECOND = of("tree"), of("tree", 1)
NORTH, SOUTH, EAST, WEST = (0, 1, 2), (6, 7, 8), (2, 5, 8), (0, 3, 6)

GOOD = [
    (FARMS, "What percentage of the image is covered by cropland?", share(CROP)),
    (FARMS, "What share of the scene is tree cover?", share(TREE)),
    (FARMS, "Roughly how much of the picture do water bodies take up, in percent?", share(WATER)),
    (FARMS, "What proportion of the image is occupied by trees or water?",
     share(either(TREE, WATER))),
    (FARMS, "What fraction of the tree cover lies within 100 m of the water?",
     share(near(TREE, WATER, 100), TREE)),
    (FARMS, "How much of the cropland, in percent, is at most 0.2 km away from developed land?",
     share(near(CROP, BUILT, 200), CROP)),
    (FARMS, "What percentage of the trees lies in the northern third of the image?",
     share(part(TREE, *NORTH), TREE)),
    (FARMS, "What share of the north-western cell of the image is covered by forest?",
     share(part(TREE, 0), part(valid(), 0))),
    (FARMS, "How large is the area of the developed land?", area(BUILT)),
    (FARMS, "How many hectares of cropland are there?", area(CROP)),
    (FARMS, "What area do tree cover and water occupy together?",
     of_two("add", area(TREE), area(WATER))),
    (FARMS, "What area of cropland lies within 150 metres of tree cover?",
     area(near(CROP, TREE, 150))),
    (FARMS, "How much larger is the area of cropland than that of tree cover?",
     of_two("sub", area(CROP), area(TREE))),
    (FARMS, "What is the area of water as a percentage of the area of tree cover?",
     of_two("div", area(WATER), area(TREE))),
    (FARMS, "How many separate patches of trees does the image contain?", count(TREE)),
    (FARMS, "What is the length of the border between water and tree cover?",
     of_two("border_length", WATER, TREE)),
    (FARMS, "How far apart are the water and the developed land?",
     of_two("distance", WATER, BUILT)),
    (FARMS, "Is there any developed land in the image?", exists(BUILT)),
    (FARMS, "Does the image contain any snow?", exists(of("snow"))),
    (FARMS, "Within 100 m of the water, are there any trees?", exists(near(TREE, WATER, 100))),
    (FARMS, "Does the water border the tree cover?", of_two("border", WATER, TREE)),
    (FARMS, "Is there more cropland than tree cover?", compare(area(CROP), ">", area(TREE))),
    (FARMS, "Does tree cover occupy a smaller share of the image than cropland?",
     compare(share(TREE), "<", share(CROP))),
    (FARMS, "Is less ground covered by water than by trees?",
     compare(share(TREE), ">", share(WATER))),
    (FARMS, "Does cropland cover more than half of the image?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Is over 50 % of the image cropland?",
     compare(share(CROP), ">", number(0.5, "share"))),
    (FARMS, "Do trees make up at least a third of the picture?",
     compare(share(TREE), ">", number(1 / 3, "share"))),
    (FARMS, "Does the water cover no more than 20 ha?",
     compare(area(WATER), "<", number(200_000, "m2"))),
    (FARMS, "Is the cropland more than twice as large as the tree cover?",
     compare(area(CROP), ">", of_two("mul", number(2), area(TREE)))),
    (FARMS, "Are cropland and water together larger than the tree cover?",
     compare(of_two("add", area(CROP), area(WATER)), ">", area(TREE))),
    (FARMS, "Does more tree cover lie in the western third than in the eastern third?",
     compare(area(part(TREE, *WEST)), ">", area(part(TREE, *EAST)))),
    (FARMS, "Does cropland touch the water and also cover more ground than developed land?",
     joined("all", of_two("border", CROP, WATER), compare(share(CROP), ">", share(BUILT)))),
    (FARMS, "Does the developed land border the water or the tree cover?",
     joined("any", of_two("border", BUILT, WATER), of_two("border", BUILT, TREE))),
    (FARMS, "In which part of the image does the water lie?", {"op": "cell", "of": WATER}),
    (FARMS, "Which class covers the largest area: cropland, tree cover or water?",
     largest(cropland=area(CROP), tree_cover=area(TREE), water=area(WATER))),
    (FARMS, "Which has the longest border with the tree cover, water or cropland?",
     largest(water=of_two("border_length", WATER, TREE),
             cropland=of_two("border_length", CROP, TREE))),
    (FARMS, "Which of the two, the trees or the developed land, dominates the scene more?",
     largest(tree_cover=share(TREE), developed_land=share(BUILT))),
    (FARMS, "Which is the second largest class by area: cropland, tree cover or water?",
     ranked(2, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER))),
    (FARMS, "What covers the least of the image: cropland, tree cover or water?",
     ranked(3, cropland=share(CROP), tree_cover=share(TREE), water=share(WATER))),
    (FARMS, "Which lies closer to the water: tree cover or developed land?",
     nearest(WATER, tree_cover=TREE, developed_land=BUILT)),
    (FARMS, "Which class covers more than half of the middle third from north to south: cropland or "
     "tree cover?", most_of(part(valid(), 3, 4, 5), cropland=CROP, tree_cover=TREE)),
    (FARMS, "In which third of the image do most of the developed land's pixels lie?",
     {"op": "majority", "within": BUILT,
      "of": [{"name": "western third", "mask": part(BUILT, *WEST)},
             {"name": "eastern third", "mask": part(BUILT, *EAST)}]}),
    (TURNED, "What percentage of the left third of the image is water?",
     share(part(WATER, *WEST), part(valid(), *WEST))),
    (WOODS, "What percentage of the image is forest?", share(either(CONIFERS, LEAVES))),
    (WOODS, "What percentage of the image is covered by coniferous forest?", share(CONIFERS)),
    (WOODS, "Do the trees cover more of the image than the arable land?",
     compare(share(either(CONIFERS, LEAVES)), ">", share(ARABLE))),
    (TOWN, "How many buildings were destroyed in image 2?", count(buildings("destroyed"))),
    (TOWN, "How many buildings does image 1 show?", count(buildings(date=0))),
    (TOWN, "What share of the buildings in image 2 has been destroyed?",
     of_two("div", count(buildings("destroyed")), count(buildings()))),
    (TOWN, "In image 2, are there more destroyed buildings than buildings with minor damage?",
     compare(count(buildings("destroyed")), ">", count(buildings("minor-damage")))),
    (TOWN, "How many damaged buildings can be seen in image 2?",
     of_two("add", count(buildings("minor-damage")), count(buildings("destroyed")))),
    (YEARS, "Did the tree cover shrink from image 1 to image 2?",
     compare(area(FIRST), ">", area(SECOND))),
    (YEARS, "Is there more tree cover in image 1 than in image 2?",
     compare(area(FIRST), ">", area(SECOND))),
    (YEARS, "How much tree cover was lost between image 1 and image 2?",
     area(minus(FIRST, SECOND))),
    (YEARS, "Of the tree cover of image 1, what percentage had become cropland in image 2?",
     share(both(FIRST, of("crop", 1)), FIRST)),
    (YEARS, "In which of images 1 and 2 is the area of tree cover larger, image 1 or image 2?",
     largest(image_1=area(FIRST), image_2=area(SECOND))),
    (YEARS, "Which covers more of image 2, the trees or the cropland?",
     largest(tree_cover=share(SECOND, valid(1)), cropland=share(of("crop", 1), valid(1)))),
]  # fmt: skip


def faults(ground, question: str, program: dict[str, Any]) -> list[Fault]:
    tree = load_program(json.dumps(program))
    return list(question_faults(question, tree, ground.value(tree), ground, ground.view, None))


@pytest.mark.parametrize(("ground", "question", "program"), GOOD, ids=[q for _, q, _ in GOOD])
def test_a_good_question_passes(ground, question, program) -> None:
    assert faults(ground, question, program) == []


def test_there_are_good_questions_of_every_operation() -> None:
    ops = {program["op"] for _, _, program in GOOD}
    assert ops == {
        "share", "area", "add", "sub", "div", "count", "border_length", "distance", "exists",
        "border", "compare", "all", "any", "cell", "argmax", "rank", "nearest", "majority",
    }  # fmt: skip


# what the question and its program differ in, and what the fault tells of it
BAD = [
    # classes
    (FARMS, "What percentage of the image is covered by plants?", share(CROP),
     "the program measures 'crop', which the question does not name"),
    (FARMS, "What percentage of the image beside the water is cropland?", share(CROP),
     "the question names water, which the program does not measure"),
    (FARMS, "Is there any water?", exists(TREE), "measures 'tree'"),
    (WOODS, "What percentage of the image is forest?", share(CONIFERS),
     "means Broad-leaved forest as well"),
    (WOODS, "What percentage of the image is covered by trees?", share(either(LEAVES, ARABLE)),
     "measures 'Arable land'"),
    (WOODS, "What percentage of the image is coniferous forest?",
     share(either(CONIFERS, LEAVES)), "measures 'Broad-leaved forest'"),
    # states of buildings
    (TOWN, "How many buildings does image 2 show?", count(buildings("destroyed")),
     "measures 'destroyed'"),
    (TOWN, "How many destroyed buildings are there in image 2?", count(buildings()),
     "measures 'building'"),
    (TOWN, "How many damaged buildings does image 2 show?", count(buildings("destroyed")),
     "means minor-damage as well"),
    (TOWN, "How many undamaged buildings are there in image 2?", count(buildings("destroyed")),
     "measures 'destroyed'"),
    # what is measured
    (FARMS, "What is the area of the cropland?", share(CROP), "the program is share(...)"),
    (FARMS, "What percentage of the area is cropland?", area(CROP), "asks for a share"),
    (FARMS, "How many hectares is the cropland's share of the image?", share(CROP),
     "another amount"),
    (FARMS, "How much tree cover is there?", count(TREE), "the program is count(...)"),
    (FARMS, "How many patches of trees take up a large area?", area(TREE), "asks for a number"),
    (FARMS, "How many trees are present?", exists(TREE), "says yes or no"),
    (FARMS, "Is a large area of the image cropland?", area(CROP), "asks for yes or no"),
    (FARMS, "Is the share of water in the image high?", share(WATER), "asks for yes or no"),
    (FARMS, "What border do water and trees have?", of_two("border", WATER, TREE),
     "says yes or no"),
    (FARMS, "How far is the water from the tree cover?", of_two("border_length", WATER, TREE),
     "the program is border_length(...)"),
    (FARMS, "How long is the boundary of the water and the trees?",
     of_two("distance", WATER, BUILT), "the program is distance(...)"),
    (FARMS, "Does cropland cover the image?", compare(share(CROP), ">", number(0.5, "share")),
     "the program is compare(...)"),
    (FARMS, "Is there more cropland than tree cover?", compare(count(TREE), ">", count(CROP)),
     "compares by count(...)"),
    (FARMS, "Are there more patches of cropland than of tree cover?",
     compare(area(CROP), ">", area(TREE)), "asks for a number of things"),
    (FARMS, "Is there any cropland bordering the water?", exists(either(CROP, WATER)),
     "speaks of borders"),
    # shares of another whole
    (FARMS, "What share of the image is tree cover within 100 m of water?",
     share(near(TREE, WATER, 100), TREE), "of a class"),
    (FARMS, "What share of the tree cover lies within 100 m of water?",
     share(near(TREE, WATER, 100)), "is of the image"),
    (FARMS, "Does more than half of the tree cover lie within 100 m of the water?",
     compare(share(near(TREE, WATER, 100)), "<", number(0.5, "share")), "is of the image"),
    # turned round
    (FARMS, "Is there less cropland than tree cover?", compare(area(CROP), ">", area(TREE)),
     "the other way round"),
    (FARMS, "Is there more tree cover than cropland?", compare(area(CROP), ">", area(TREE)),
     "the other way round"),
    (FARMS, "Does cropland exceed tree cover in area?", compare(area(CROP), "<", area(TREE)),
     "the other way round"),
    (FARMS, "Is under half of the image cropland?",
     compare(share(CROP), ">", number(0.5, "share")), "the other way round"),
    (FARMS, "Is at most half of the image cropland?",
     compare(share(CROP), ">", number(0.5, "share")), "the other way round"),
    (FARMS, "Is the cropland or the tree cover larger?", compare(area(CROP), ">", area(TREE)),
     "with 'than'"),
    (FARMS, "Is more of the image cropland or less of it tree cover?",
     compare(area(CROP), ">", area(TREE)), "say once"),
    (FARMS, "Does more tree cover lie in the eastern third than in the western third?",
     compare(area(part(TREE, *WEST)), ">", area(part(TREE, *EAST))), "the other way round"),
    (YEARS, "Is there more tree cover in image 2 than in image 1?",
     compare(area(FIRST), ">", area(SECOND)), "the other way round"),
    (YEARS, "Did the tree cover grow from image 1 to image 2?",
     compare(area(FIRST), ">", area(SECOND)), "or the reverse"),
    (YEARS, "How much tree cover was gained from image 1 to image 2?",
     area(minus(FIRST, SECOND)), "was lost"),
    (FARMS, "Which covers the smallest area: cropland, tree cover or water?",
     largest(cropland=area(CROP), tree_cover=area(TREE), water=area(WATER)), "gives the largest"),
    (FARMS, "Which covers the largest area: cropland, tree cover or water?",
     ranked(3, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER)), "gives place 3"),
    (FARMS, "Which is the second smallest by area: cropland, tree cover, developed land or water?",
     ranked(2, cropland=area(CROP), tree_cover=area(TREE), water=area(WATER),
            developed_land=area(BUILT)), "gives place 2"),
    (FARMS, "Which is farthest from the water, and not near: tree cover or developed land?",
     nearest(WATER, tree_cover=TREE, developed_land=BUILT), "gives the nearest"),
    (FARMS, "Is there tree cover near the image's water and cropland?",
     joined("any", exists(TREE), exists(WATER), exists(CROP)), "'or'"),
    (FARMS, "Is there tree cover or any snow?", joined("all", exists(TREE), exists(of("snow"))),
     "'and'"),
    (FARMS, "Is there any water in the image?", {"op": "not", "of": exists(WATER)},
     "holds 'not'"),
    (FARMS, "Is there more cropland than tree cover and less water than developed land?",
     joined("all", compare(area(CROP), ">", area(TREE)), compare(area(WATER), "<", area(BUILT))),
     "several comparisons"),
    # names
    (FARMS, "Which covers the larger area, cropland or water?",
     largest(cropland=area(WATER), water=area(CROP)), "is not that of what it stands for"),
    (FARMS, "Which lies nearer to the water, tree cover or developed land?",
     nearest(WATER, developed_land=TREE, tree_cover=BUILT), "is not that of what it stands for"),
    (FARMS, "Which covers the larger area, cropland or water?",
     largest(yes=area(CROP), water=area(WATER)), "the name 'yes'"),
    (WOODS, "Which covers more of the image, the forest or the arable land?",
     largest(coniferous_forest=share(either(CONIFERS, LEAVES)), arable_land=share(ARABLE)),
     "the name 'coniferous forest'"),
    (YEARS, "In which is the area of tree cover larger, image 1 or image 2?",
     largest(image_2=area(FIRST), image_1=area(SECOND)), "the name 'image 2'"),
    (FARMS, "Which is larger, the cropland or the tree cover?",
     largest(cropland=area(CROP), tree_cover=area(near(TREE, CROP, 50))), "not measured alike"),
    # places
    (FARMS, "What percentage of the trees lies in the northern third of the image?",
     share(part(TREE, *SOUTH), TREE), "looks at the south"),
    (FARMS, "What percentage of the trees lies in the north-west of the image?",
     share(part(TREE, *NORTH), TREE), "speaks of the north and west"),
    (FARMS, "What percentage of the trees lies in the northern half of the image?",
     share(part(TREE, *NORTH), TREE), "not at a half"),
    (FARMS, "What percentage of the trees lies in the north of the image?",
     share(part(TREE, 1), TREE), "middle and north"),
    (FARMS, "What percentage of the trees is in the middle third of the image?",
     share(part(TREE, 3, 4, 5), TREE), "from north to south"),
    (FARMS, "What percentage of the tree cover is there in the image?",
     share(part(TREE, 0), TREE), "does not"),
    (FARMS, "What share of the north of the image is tree cover?", share(TREE),
     "speaks of the north of the image, and the program does not"),
    (FARMS, "What percentage of the trees lies in the north-west or the south-east of the image?",
     share(part(TREE, 0, 8), TREE), "no part that has a name"),
    (TURNED, "What percentage of the western third of the image is water?",
     share(part(WATER, *WEST), part(valid(), *WEST)), "not known where north is"),
    # distances
    (FARMS, "What part of the tree cover lies near the water?",
     share(near(TREE, WATER, 100), TREE), "does not say the program's 100 m"),
    (FARMS, "What part of the tree cover lies within 1 km of the water?",
     share(near(TREE, WATER, 100), TREE), "does not say the program's 100 m"),
    (FARMS, "What part of the tree cover lies more than 100 m from the water?",
     share(near(TREE, WATER, 100), TREE), "what is far"),
    (FARMS, "What part of the tree cover lies within 100 m of the water?",
     share(minus(TREE, near(TREE, WATER, 100)), TREE), "leaves out a part"),
    # dates
    (YEARS, "What percentage of image 2 is tree cover?", share(FIRST), "must name image 1"),
    (YEARS, "What percentage of the image is tree cover?", share(FIRST), "must name image 1"),
    (YEARS, "What percentage of images 1 and 2 is tree cover?", share(FIRST), "no other image"),
    (TOWN, "How many buildings were destroyed?", count(buildings("destroyed")),
     "must name image 2"),
    # bounds
    (FARMS, "Is more than half of the image cropland?",
     compare(share(CROP), ">", number(0.4, "share")), "does not say the program's 40 %"),
    (FARMS, "Does cropland cover more of the image than other land?",
     compare(share(CROP), ">", number(0.5, "share")), "does not say the program's 50 %"),
    (FARMS, "Is the cropland twice as large as the tree cover or more than that?",
     compare(area(CROP), ">", area(TREE)), "says 'twice'"),
    # denial
    (FARMS, "Is there no water in the image?", exists(WATER), "denies"),
    (FARMS, "Isn't there any water in the image?", exists(WATER), "denies"),
    (FARMS, "Is the image free of any water?", exists(WATER), "denies"),
    (FARMS, "Does the image contain cropland but not water?",
     joined("all", exists(CROP), exists(WATER)), "denies"),
    # form
    (FARMS, "Tell me whether there is any water.", exists(WATER), "question mark"),
    (FARMS, "Is there any water <image> in it?", exists(WATER), "plain words"),
    (FARMS, "Is there any water [SEG]?", exists(WATER), "plain words"),
    (FARMS, "Is there any water\u202e in the image?", exists(WATER), "plain words"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ground", "question", "program", "told"), BAD, ids=[f"{q} / {t}" for _, q, _, t in BAD]
)
def test_a_question_that_differs_from_its_program_is_off_and_the_fault_says_how(
    ground, question, program, told
) -> None:
    found = faults(ground, question, program)
    assert Reason.OFF_QUESTION in {fault.reason for fault in found}
    assert told in " | ".join(fault.detail for fault in found)


GIVEN_AWAY = [
    (FARMS, "Of the 64 % of cropland in the image, what share is there?", share(CROP)),
    (FARMS, "What percentage of the image, 12 or more, is cropland?", share(CROP)),
    (FARMS, "How many hectares, of 5,000 pixels, is the area of cropland?", area(CROP)),
    (FARMS, "In which part does the water lie, such as the south-east?",
     {"op": "cell", "of": WATER}),
    (TOWN, "Of 10 buildings, how many were destroyed in image 2?",
     count(buildings("destroyed"))),
]  # fmt: skip


@pytest.mark.parametrize(("ground", "question", "program"), GIVEN_AWAY)
def test_a_question_that_holds_a_number_or_its_answer_gives_it_away(
    ground, question, program
) -> None:
    assert Reason.GIVES_AWAY in {fault.reason for fault in faults(ground, question, program)}


def test_a_number_of_the_program_is_no_gift_in_any_unit() -> None:
    bound = compare(area(CROP), ">", number(50_000, "m2"))
    for words in ("5 ha", "50,000 m²", "0.05 km²", "5 hectares", "50000 square metres"):
        assert faults(FARMS, f"Does cropland cover more than {words}?", bound) == []
    assert faults(FARMS, "Does cropland cover more than 6 ha?", bound) != []


# rules: asked in one's own words, with the words that the rule asks for
RULED = [
    (FARMS, "igbp_character", "Which IGBP class fits the image best?"),
    (FARMS, "urban_rural", "Would you call the built-up land here urban, suburban or rural?"),
    (FARMS, "forest_minimum", "Is the forest cover below, within or above the minimum that the "
     "guideline gives?"),
    (FARMS, "working_land", "Does this farmed landscape keep at least 20 % natural land?"),
    (FARMS, "farming", "Judging by cropland, water and built-up land, is the area suitable for "
     "farming?"),
    (FARMS, "impervious_cover", "By the impervious cover model, how strong is the urban pressure "
     "on the water: low, marked or severe?"),
    (FARMS, "fragmentation", "Is the tree cover fragmented or connected?"),
    (YEARS, "deforestation", "Was there deforestation from image 1 to image 2?"),
]  # fmt: skip
OFF_RULE = [
    (FARMS, "farming", "Is the area any good?", "must say"),
    (FARMS, "farming", "Is the area unsuitable for farming?", "must say"),
    (FARMS, "farming", "Does the area fall short of being suitable for farming?",
     "the other way round"),
    (FARMS, "farming", "Which is true, is the area suitable for farming?", "says yes or no"),
    (FARMS, "farming", "Is the north of the image suitable for farming?", "speaks of the north"),
    (FARMS, "farming", "Is the area not suitable for farming?", "denies"),
    (FARMS, "farming", "Is the area suitable for farming and what is its IGBP class?",
     "what the rule igbp_character answers"),
    (FARMS, "igbp_character", "Is the area suitable for farming?", "must say"),
    (FARMS, "urban_rural", "Is this place urban or rural?", "name all of the rule's verdicts"),
    (FARMS, "igbp_character", "Is this croplands by the IGBP legend?",
     "name all of the rule's verdicts"),
    (FARMS, "fragmentation", "By the share of trees, is the habitat disconnected?", "must say"),
    (FARMS, "working_land", "Is at least half of the working landscape natural land?",
     "no bound of the rule"),
    (FARMS, "working_land", "Does this farmed landscape keep at least 30 % natural land?",
     "no bound of its program"),
    (YEARS, "deforestation", "Was there deforestation?", "must name image 1 and image 2"),
]  # fmt: skip


def rule_faults(ground, rule: str, question: str) -> list[Fault]:
    bound = rule_on(rule, ground)
    assert isinstance(bound, BoundRule), bound
    value = ground.value(bound.program)
    return list(question_faults(question, bound.program, value, ground, ground.view, bound.rule))


@pytest.mark.parametrize(("ground", "rule", "question"), RULED)
def test_a_question_of_a_rule_in_ones_own_words_passes(ground, rule, question) -> None:
    assert rule_faults(ground, rule, question) == []


@pytest.mark.parametrize(("ground", "rule", "question", "told"), OFF_RULE)
def test_a_question_that_is_not_of_its_rule_is_refused(ground, rule, question, told) -> None:
    assert told in " | ".join(fault.detail for fault in rule_faults(ground, rule, question))

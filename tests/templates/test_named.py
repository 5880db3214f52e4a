"""Words for classes: they name a mask where they mean its classes and no other that is there."""

import json

import pytest

from schemas.program import load_mask
from templates.named import means_exactly
from tests.claims.drawn import europe, land, town
from tests.templates.programs import buildings, either, minus, near, of, part

CROP, TREE, WATER, BUILT = of("crop"), of("tree"), of("water"), of("developed area")
CONIFERS, LEAVES, WATERS = map(of, ("Coniferous forest", "Broad-leaved forest", "Inland waters"))
FARMS = land("TTTCCC " * 5 + "WWCCDD").captioned
WOODS = europe("BBBCCCAAA " * 6 + "WWWWWWWWW " * 3).captioned
TOWN = town("ddddmmoooo").captioned


@pytest.mark.parametrize(
    ("ground", "words", "mask", "fits"),
    [
        (FARMS, "cropland", CROP, True),
        (FARMS, "the crops", CROP, True),
        (FARMS, "Tree Cover", TREE, True),
        (FARMS, "forest", TREE, True),  # the only class of trees
        (FARMS, "water", TREE, False),
        (FARMS, "vegetation", TREE, False),  # crops are vegetation as well
        (FARMS, "vegetation", either(TREE, CROP), True),  # all that there is of it
        (FARMS, "tree cover and cropland", either(TREE, CROP), False),
        (FARMS, "tree cover", either(TREE, CROP), False),
        (FARMS, "tree cover", part(TREE, 0), False),
        (FARMS, "tree cover", near(TREE, WATER, 100), False),
        (FARMS, "tree cover", minus(TREE, WATER), False),
        (FARMS, "river", WATER, False),
        (FARMS, "road", BUILT, False),
        (FARMS, "flooded cropland", CROP, False),
        (WOODS, "forest", CONIFERS, False),  # there are broad-leaved trees as well
        (WOODS, "coniferous forest", CONIFERS, True),
        (WOODS, "forest", either(CONIFERS, LEAVES), True),
        (WOODS, "coniferous forest", either(CONIFERS, LEAVES), False),
        (WOODS, "water", WATERS, True),  # no sea is in sight
        (TOWN, "buildings", buildings(), True),
        (TOWN, "buildings", buildings("destroyed"), False),
        (TOWN, "destroyed buildings", buildings("destroyed"), True),
        (TOWN, "collapsed buildings", buildings("destroyed"), True),
        (TOWN, "destroyed buildings", buildings(), False),
        (TOWN, "damaged buildings", buildings("destroyed"), False),  # two have minor damage
        (TOWN, "damaged buildings", either(buildings("destroyed"), buildings("minor-damage")),
         True),
        (TOWN, "buildings with minor damage", buildings("minor-damage"), True),
    ],
)  # fmt: skip
def test_a_word_names_a_mask_where_it_means_its_classes_and_no_other(
    ground, words, mask, fits
) -> None:
    assert means_exactly(words, load_mask(json.dumps(mask)), ground) is fits


def test_a_word_for_a_kind_will_do_until_another_class_of_it_is_there() -> None:
    mask = load_mask(json.dumps(CONIFERS))
    assert means_exactly("forest", mask, europe("CCCAAA " * 6).captioned)
    assert not means_exactly("forest", mask, europe("CCCAAB " * 6).captioned)

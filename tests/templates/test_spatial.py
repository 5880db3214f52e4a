"""The ten spatial kinds, each on maps whose answer fits in the head: 60 x 60 pixels of 10 m."""

from random import Random

import pytest

from schemas.program import (
    All,
    And,
    Area,
    ArgMax,
    Border,
    BorderLength,
    ClassMask,
    Compare,
    Count,
    Div,
    Exists,
    Instances,
    Majority,
    Minus,
    NamedMask,
    NamedNumber,
    Near,
    Nearest,
    Part,
    Share,
    Valid,
)
from schemas.trace import SEG, Fact
from schemas.value import Name, Quantity, Truth
from templates.comparisons import AREA_RATIO, BORDER_AND_SIZE, LONGEST_BORDER
from templates.composition import SPATIAL_QUESTIONS
from templates.damage_places import DESTROYED_WHERE, MORE_DESTROYED
from templates.draft import Foreign
from templates.nearness import NEAREST, WITHIN_DISTANCE
from templates.origins import GROUND_FROM
from templates.parts import MAJORITY_PART, PART_SHARE, THIRDS, third_of
from templates.several import listed

WEST, MIDDLE, EAST, NORTH = (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 1, 2)
A_YES, SOME, NONE = Truth(True), Quantity(0.5, "share", 0.5, 0.5), Name("water")


def drafts(template, scene, seeds=range(30)):
    """Return what is asked over several seeds, each program once."""
    found = [d for seed in seeds for d in template.propose(template, scene, Random(seed))]
    return list({draft.program.model_dump_json(): draft for draft in found}.values())


def by_classes(template, scene):
    return {draft.words.classes: draft for draft in drafts(template, scene)}


def steps(draft):
    """Return the texts of a draft's steps."""
    return ["".join(_text(piece) for piece in step.line) for step in draft.words.steps]


def _text(piece):
    return piece.text if isinstance(piece, Fact) else piece


def masks_px(draft, scene):
    """Return the pixels of each step's mask, in order."""
    return [scene.px(step.mask) for step in draft.words.steps if step.mask is not None]


def of(label, date=0):
    return ClassMask(layer="land_cover", label=label, date=date)


@pytest.fixture(scope="module")
def one(asked, make):
    """Return a function that makes one scene of one date from the names of its stripes."""

    def made(text, **grid):
        return asked(make.scene("s", [make.land(make.fields(text))], **grid))[0]

    return made


@pytest.fixture(scope="module")
def two(asked, make):
    """Return a function that makes one scene of two dates from the names of their stripes."""

    def made(*texts):
        layers = [make.land(make.fields(text), date) for date, text in enumerate(texts)]
        images = [make.image("sequence", date) for date in range(len(texts))]
        return asked(make.scene("s", layers, images))[0]

    return made


@pytest.fixture(scope="module")
def stripes(one):
    """Return 12 columns of water, 20 of trees, 28 of crop."""
    return one("water 12, tree 20, crop 28")


def test_each_kind_has_four_wordings_and_its_own_name() -> None:
    assert all(len(set(template.wordings)) >= 4 for template in SPATIAL_QUESTIONS)
    assert len({template.task for template in SPATIAL_QUESTIONS}) == 10


# share within a distance


def test_ten_of_28_columns_of_crop_lie_within_300_m_of_the_water(stripes) -> None:
    # the water ends at column 11, so 30 columns on is column 41; the crop begins at 32
    found = by_classes(WITHIN_DISTANCE, stripes)["crop", "water"]
    assert found.program.of.distance_m == 300  # within 100 m there is none, which is not asked
    assert found.value == Quantity(10 / 28, "share", 8 / 28, 11 / 28)
    assert steps(found) == [
        f"I mark cropland {SEG}. It covers 1,680 pixels.",
        f"I mark water {SEG}. It covers 720 pixels.",
        f"I mark the part of cropland within 300 m of water {SEG}, 600 pixels of 1,680, "
        "which is 36 %.",
    ]
    assert masks_px(found, stripes) == [1680, 720, 600]


def test_half_of_the_trees_lie_within_100_m_of_the_water(stripes) -> None:
    shares = [
        draft.value.value
        for draft in drafts(WITHIN_DISTANCE, stripes)
        if draft.words.classes == ("tree", "water") and draft.program.of.distance_m == 100
    ]
    assert shares == [0.5]


def test_all_of_a_class_within_a_distance_is_not_asked(one) -> None:
    assert drafts(WITHIN_DISTANCE, one("water 5, crop 5")) == []  # 50 m is the farthest


def test_no_share_within_metres_is_asked_without_a_pixel_size(one) -> None:
    scene = one("water 12, tree 20, crop 28", pixel_size_m=None)
    for template in (WITHIN_DISTANCE, NEAREST, LONGEST_BORDER, AREA_RATIO):
        assert drafts(template, scene) == []
    assert drafts(PART_SHARE, scene) != []


# which comes nearer


def test_the_nearer_of_two_is_named(one) -> None:
    scene = one("water 6, tree 14, grass 20, crop 20")
    found = by_classes(NEAREST, scene)
    assert found.keys() == {("water", "crop", "grass"), ("crop", "tree", "water")}
    assert found["water", "crop", "grass"].value == Name("grassland")
    assert found["crop", "tree", "water"].value == Name("tree cover")  # both the other way round
    assert found["water", "crop", "grass"].words.choices == ("cropland", "grassland")
    assert steps(found["water", "crop", "grass"])[-1] == (
        "Of the two, grassland comes closer to water."
    )
    assert masks_px(found["water", "crop", "grass"], scene) == [360, 1200, 1200]


def test_two_that_are_equally_near_are_not_asked(one) -> None:
    # crop in the middle, 10 columns of bare land on either side of it
    scene = one("water 10, bare land 10, crop 20, bare land 10, tree 10")
    assert ("crop", "tree", "water") not in by_classes(NEAREST, scene)
    assert scene.left_out["nearest: rank_close"] > 0


def test_of_a_class_too_near_for_a_distance_it_is_said_how_near_it_is(one) -> None:
    scene = one("water 10, bare land 6, crop 22, tree 22")
    found = by_classes(NEAREST, scene)["water", "crop", "tree"]
    assert steps(found)[1:] == [
        f"I mark cropland {SEG}. It covers 1,320 pixels. From water it is at most 100 m away.",
        f"I mark tree cover {SEG}. It covers 1,320 pixels. From water it is 290 m away.",
        "Of the two, cropland comes closer to water.",
    ]
    finer = by_classes(
        NEAREST, one("water 10, bare land 6, crop 22, tree 22", pixel_size_m=(6.8, 5.0))
    )
    assert steps(finer["water", "crop", "tree"])[1].endswith("it is at most 70 m away.")


# share in a third


def test_eight_of_twenty_columns_of_trees_lie_in_the_western_third(stripes) -> None:
    found = {d.program: d for d in drafts(PART_SHARE, stripes, range(200))}
    west = found[Share(of=third_of(of("tree"), WEST), within=of("tree"))]
    assert west.value == Quantity(0.4, "share", 7 / 20, 8 / 20)  # one column less, none more
    assert steps(west) == [
        f"I mark tree cover {SEG}. It covers 1,200 pixels.",
        f"I mark the part that lies in the western third {SEG}, 480 pixels, which is 40 %.",
    ]
    assert masks_px(west, stripes) == [1200, 480]
    assert found[Share(of=third_of(of("crop"), NORTH), within=of("crop"))].value.value == 1 / 3


def test_none_or_all_of_a_class_in_a_third_is_not_asked(stripes) -> None:
    found = {draft.program for draft in drafts(PART_SHARE, stripes, range(200))}
    assert Share(of=third_of(of("tree"), EAST), within=of("tree")) not in found  # none
    assert Share(of=third_of(of("water"), WEST), within=of("water")) not in found  # all


@pytest.mark.parametrize("template", [PART_SHARE, MAJORITY_PART])
def test_thirds_go_by_the_compass_only_where_up_is_north(one, template) -> None:
    compass, plain = (
        {
            third
            for draft in drafts(template, one("water 12, tree 20, crop 28", north_up=up))
            for pair in THIRDS.values()
            for third in pair
            if third in draft.question and any(third in step for step in steps(draft))
        }
        for up in (True, False)
    )
    assert compass
    assert compass <= {names[0] for names in THIRDS.values()}
    assert plain
    assert plain <= {names[1] for names in THIRDS.values()}


def test_a_third_of_one_of_two_dates_names_its_image(two) -> None:
    scene = two("water 12, tree 20, crop 28", "water 30, tree 10, crop 20")
    found = drafts(PART_SHARE, scene)
    assert {step.date_index for draft in found for step in draft.words.steps} == {0, 1}
    for draft in found:
        number = draft.program.within.date + 1
        assert f"image {number}" in draft.question
        assert all(step.startswith(f"Image {number}: ") for step in steps(draft))


# what covers over half of a third


def test_what_covers_over_half_of_a_third_is_named(stripes) -> None:
    found = {d.program.within: d for d in drafts(MAJORITY_PART, stripes, range(100))}
    third = {cells: third_of(Valid(layer="land_cover", date=0), cells) for cells in THIRDS}
    # 12 columns of water beside 8 of trees; 12 of trees beside 8 of crop; 20 of crop
    assert found.keys() == {third[MIDDLE], third[EAST]}
    middle = found[third[MIDDLE]]
    assert middle.value == Name("tree cover")
    assert middle.words.choices == ("cropland", "tree cover")  # the two largest of the scene
    assert steps(middle) == [
        f"I mark cropland in the middle third from west to east {SEG}. It covers 480 pixels.",
        f"I mark tree cover in the middle third from west to east {SEG}. It covers 720 pixels.",
        "The third has 1,200 pixels; over half of them are covered by tree cover.",
    ]
    assert masks_px(middle, stripes) == [480, 720]
    assert "find none" in steps(found[third[EAST]])[1]


# the longer border


def test_the_longer_of_two_borders_is_named(one) -> None:
    scene = one("water 20 / tree 40, crop 20")  # 40 rows of trees by the water, 20 of crop
    found = by_classes(LONGEST_BORDER, scene)
    water = found["water", "crop", "tree"]
    assert water.value == Name("tree cover")
    assert "200 m long" in steps(water)[1]
    assert "400 m long" in steps(water)[2]
    assert steps(water)[-1] == "The longer border is that with tree cover."
    assert masks_px(water, scene) == [1200, 800, 1600]
    # the border of trees and crop is 40 columns: as long as that of trees and water
    assert ("tree", "crop", "water") not in found
    assert scene.left_out["longest_border: rank_close"] > 0


# a border and a size


def test_both_halves_must_hold(stripes) -> None:
    found = by_classes(BORDER_AND_SIZE, stripes)
    assert found["crop", "tree", "water"].value == Truth(True)
    assert steps(found["crop", "tree", "water"])[3:] == [
        "Cropland borders tree cover.",
        "Cropland covers more ground than water.",
        "Both hold.",
    ]
    assert found["tree", "water", "crop"].value == Truth(False)
    assert steps(found["tree", "water", "crop"])[3:] == [
        "Tree cover borders water.",
        "Tree cover does not cover more ground than cropland.",
        "Not both hold.",
    ]
    assert found["crop", "water", "tree"].value == Truth(False)  # larger, but apart


def test_a_half_within_its_margin_is_not_told(one) -> None:
    scene = one("water 20, tree 20, crop 20")
    found = by_classes(BORDER_AND_SIZE, scene)["water", "crop", "tree"]
    assert steps(found)[3:] == ["Water does not border cropland.", "Not both hold."]


# one area by another


def test_twelve_columns_are_three_sevenths_of_28(stripes) -> None:
    found = by_classes(AREA_RATIO, stripes)
    assert found.keys() == {("water", "crop"), ("water", "tree"), ("tree", "crop")}
    ratio = found["water", "crop"]  # of one column more or less, as it lies at the border
    assert ratio.value == Quantity(12 / 28, "share", 11 / 29, 13 / 27)
    assert steps(ratio) == [
        f"I mark water {SEG}. It covers 720 pixels. That is 7.2 ha.",
        f"I mark cropland {SEG}. It covers 1,680 pixels. That is 17 ha.",
        "The first area is 43 % of the second.",
    ]
    assert masks_px(ratio, stripes) == [720, 1680]


# what new ground was before


def test_two_thirds_of_the_new_water_was_trees(two) -> None:
    scene = two("water 12, tree 20, crop 28", "water 42, crop 18")  # 20 of trees, 10 of crop
    found = by_classes(GROUND_FROM, scene)
    assert found.keys() == {("water", "tree"), ("water", "crop")}
    trees = found["water", "tree"]
    assert trees.value.value == 20 / 30
    assert steps(trees) == [
        f"Image 2: I mark water that was not yet there in image 1 {SEG}.",
        f"Image 1: I mark the part of that ground where there was tree cover {SEG}, "
        "1,200 pixels of 1,800, which is 67 %.",
    ]
    assert masks_px(trees, scene) == [1800, 1200]


def test_ground_that_was_all_of_one_class_is_not_asked(two) -> None:
    assert (
        drafts(GROUND_FROM, two("water 12, tree 20, crop 28", "water 20, tree 12, crop 28")) == []
    )


# destroyed buildings


@pytest.fixture(scope="module")
def quarter(asked, make):
    """Return a function of a town of four 16 x 16 buildings, all but the south-east one destroyed.

    North is up, or it is not.
    """
    places = [(4, 4), (4, 44), (40, 4), (40, 44)]
    levels = ["destroyed", "destroyed", "destroyed", "no-damage"]

    def made(north_up=True):
        return asked(make.town("t", levels, places, side=16, north_up=north_up))[0]

    return made


def test_the_third_with_most_of_the_destroyed_ground_is_named(quarter) -> None:
    scene = quarter()
    found = {draft.value: draft for draft in drafts(DESTROYED_WHERE, scene)}
    assert found.keys() == {Name("northern third"), Name("western third")}  # two of three each
    west = found[Name("western third")]
    assert west.words.choices == (
        "western third",
        "middle third from west to east",
        "eastern third",
    )
    assert steps(west) == [
        f"Image 2: I mark every destroyed building {SEG}, 3 destroyed buildings in all.",
        f"Image 2: I mark their ground in the western third {SEG}, 512 pixels.",
        "Image 2: None of their ground lies in the middle third from west to east.",
        f"Image 2: I mark their ground in the eastern third {SEG}, 256 pixels.",
        "Over half of their ground lies in the western third.",
    ]
    assert masks_px(west, scene) == [768, 512, 256]


def test_destroyed_buildings_lie_to_the_left_where_up_is_not_north(quarter) -> None:
    names = {draft.value.value for draft in drafts(DESTROYED_WHERE, quarter(north_up=False))}
    assert names == {"upper third", "left third"}


def test_of_one_destroyed_building_nobody_asks_where_most_are(asked, make) -> None:
    places = [(4, 4), (40, 40)]
    (scene,) = asked(make.town("t", ["destroyed", "no-damage"], places, side=16))
    assert drafts(DESTROYED_WHERE, scene) == []


@pytest.mark.parametrize(
    ("levels", "value", "last"),
    [
        ("destroyed destroyed no-damage", True, "So destroyed buildings outnumber undamaged"),
        ("destroyed no-damage no-damage", False, "So destroyed buildings do not outnumber"),
        ("minor-damage no-damage", False, "So destroyed buildings do not outnumber"),
    ],
)
def test_destroyed_buildings_are_counted_against_undamaged_ones(
    asked, make, levels, value, last
) -> None:
    (scene,) = asked(make.town("t", levels.split()))
    (found,) = drafts(MORE_DESTROYED, scene)
    assert found.value == Truth(value)
    assert steps(found)[-1].startswith(last)
    counts = [6 * 6 * levels.split().count(level) for level in ("destroyed", "no-damage")]
    assert masks_px(found, scene) == [px for px in counts if px]


def test_as_many_destroyed_as_undamaged_is_not_asked(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed", "no-damage"]))
    assert drafts(MORE_DESTROYED, scene) == []


def test_damage_is_not_asked_where_a_building_has_no_known_state(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed", "destroyed", "un-classified"]))
    assert drafts(MORE_DESTROYED, scene) == drafts(DESTROYED_WHERE, scene) == []


# programs of another shape

WATER, TREE, CROP = of("water"), of("tree"), of("crop")
ALL = Valid(layer="land_cover", date=0)
LEFT = Valid(layer="land_cover", date=1)
RUINS = Instances(layer="footprint", label="building", date=1, attribute="destroyed")


def share_of(of, within=ALL):
    return Share(of=of, within=within)


def named(*pairs):
    return tuple(NamedMask(name=name, mask=mask) for name, mask in pairs)


RIGHT = named(("tree cover", TREE), ("cropland", CROP))
WRONG = named(("forest", TREE), ("cropland", CROP))  # a name that is not its class's


@pytest.mark.parametrize(
    ("template", "program", "value"),
    [
        # of the water, not of the crop that is marked
        (WITHIN_DISTANCE, share_of(Near(of=CROP, to=WATER, distance_m=100.0), WATER), SOME),
        (WITHIN_DISTANCE, Exists(of=WATER), A_YES),
        (WITHIN_DISTANCE, share_of(Near(of=CROP, to=of("tree", 1), distance_m=1.0), CROP), SOME),
        (NEAREST, Nearest(to=WATER, of=WRONG), NONE),
        (NEAREST, Exists(of=WATER), A_YES),
        # an answer that is not among the names
        (NEAREST, Nearest(to=WATER, of=RIGHT), NONE),
        (PART_SHARE, share_of(third_of(TREE, WEST), CROP), SOME),
        (PART_SHARE, share_of(Part(of=TREE, cell=0), TREE), SOME),
        (PART_SHARE, share_of(third_of(TREE, (0, 1, 3)), TREE), SOME),
        (MAJORITY_PART, Majority(of=WRONG, within=third_of(ALL, WEST)), NONE),
        (MAJORITY_PART, Majority(of=RIGHT, within=ALL), NONE),
        # of the third that is labelled at another date
        (MAJORITY_PART, Majority(of=RIGHT, within=third_of(LEFT, WEST)), NONE),
        (
            LONGEST_BORDER,
            ArgMax(
                of=(
                    NamedNumber(name="water", value=BorderLength(a=TREE, b=WATER)),
                    NamedNumber(name="tree cover", value=BorderLength(a=CROP, b=TREE)),
                )
            ),
            NONE,
        ),
        (
            LONGEST_BORDER,
            ArgMax(
                of=(
                    NamedNumber(name="water", value=BorderLength(a=TREE, b=WATER)),
                    NamedNumber(name="cropland", value=Area(of=CROP)),
                )
            ),
            NONE,
        ),
        (
            BORDER_AND_SIZE,
            All(
                of=(
                    Border(a=WATER, b=TREE),
                    Compare(a=share_of(CROP), relation=">", b=share_of(TREE)),  # not of the water
                )
            ),
            A_YES,
        ),
        (BORDER_AND_SIZE, Border(a=WATER, b=TREE), A_YES),
        (AREA_RATIO, Div(a=Area(of=WATER), b=Area(of=of("tree", 1))), SOME),
        (AREA_RATIO, Div(a=share_of(WATER), b=share_of(TREE)), SOME),
        # what was lost, not gained
        (
            GROUND_FROM,
            share_of(
                And(a=And(a=Minus(a=WATER, b=of("water", 1)), b=LEFT), b=TREE),
                And(a=Minus(a=WATER, b=of("water", 1)), b=LEFT),
            ),
            SOME,
        ),
        (GROUND_FROM, share_of(TREE), SOME),
        (
            DESTROYED_WHERE,
            Majority(
                of=named(
                    ("western third", third_of(RUINS, WEST)),
                    ("eastern third", third_of(RUINS, EAST)),
                ),
                within=RUINS,
            ),
            NONE,
        ),
        (DESTROYED_WHERE, Exists(of=RUINS), A_YES),
        (MORE_DESTROYED, Compare(a=Count(of=RUINS), relation=">", b=Count(of=RUINS)), A_YES),
        (MORE_DESTROYED, Compare(a=Count(of=RUINS), relation="<", b=Count(of=RUINS)), A_YES),
    ],
)
def test_a_program_of_another_shape_is_foreign(two, stripes, template, program, value) -> None:
    scene = two("water 12, tree 20, crop 28", "water 6, tree 26, crop 28")
    with pytest.raises(Foreign):
        template.words(program, value, scene, scene.view(Random(0)))


def test_classes_are_called_by_their_phrases(granule, asked) -> None:
    for scene in asked(*granule):
        phrases = {w.name: w.phrase for classes in scene.words.values() for w in classes.values()}
        for template in SPATIAL_QUESTIONS:
            for draft in drafts(template, scene, range(2)):
                told = " ".join(steps(draft))
                assert all(phrases[name] in told for name in draft.words.classes), told


def test_lists_of_lists_are_told_apart_by_a_comma() -> None:
    assert listed(("water", "crop"), "or") == "water or crop"
    assert listed(("dunes or sands", "crop"), "or") == "dunes or sands, or crop"

"""Every operation and every rule of docs/program.md, worked by hand on scenes drawn as text.

The answers are the reference evaluator's; each is also asked of the production evaluator.

A letter is a pixel of the class of that name, "." a valid pixel of no class, "?" an invalid one.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from masks.evaluate import evaluate as evaluate_fast
from masks.measured import Measured
from masks.reference import evaluate
from masks.reference_scene import ReferenceScene, decode_rle
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, Origin, SceneMask
from schemas.program import (
    Add,
    All,
    And,
    Any_,
    Area,
    ArgMax,
    Border,
    BorderLength,
    CellOf,
    ClassMask,
    Compare,
    Count,
    Distance,
    Div,
    Exists,
    First,
    Instances,
    Majority,
    Minus,
    Mul,
    NamedMask,
    NamedNumber,
    NamedTest,
    Near,
    Nearest,
    Not,
    Number,
    Or,
    Part,
    Rank,
    Share,
    Sub,
    Valid,
)
from schemas.value import Name, Quantity, Truth, Undefined, Value

CLASSES = ("F", "W", "B")  # forest, water, built-up
F, W, B = (ClassMask(layer="land", label=label, date=0) for label in CLASSES)
LATER_F = ClassMask(layer="land", label="F", date=1)
LAND = Valid(layer="land", date=0)
HOUSES = Instances(layer="land", label="B", date=0)
DESTROYED = Instances(layer="land", label="B", date=0, attribute="destroyed")
YES = Compare(a=Number(value=1), relation="<", b=Number(value=2))
NO = Not(of=YES)
CLOSE = Compare(a=Number(value=1), relation="<", b=Number(value=1))
MIXED = Compare(a=Number(value=1, unit="m"), relation="<", b=Number(value=2))


def encode(mask_HW: np.ndarray) -> bytes:
    return coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"]


def pixels(picture: str) -> np.ndarray:
    return np.array([list(row) for row in picture.split()])


def draw(
    *pictures: str,
    invalid: Invalid = Invalid.OTHER,
    pixel_size_m: tuple[float, float] | None = (1.0, 1.0),
    products: tuple[str, ...] = ("v1", "v1", "v1"),
) -> Evidence:
    """Return the evidence of one layer "land" at one date a picture."""
    masks, layers = [], []
    for date, picture in enumerate(pictures):
        drawn_HW = pixels(picture)
        at = {"layer": "land", "date_index": date}
        counts = encode(drawn_HW != "?")
        masks.append(SceneMask(kind=MaskKind.VALID, label="land", counts=counts, **at))
        for label in CLASSES:
            if (drawn_HW == label).any():
                counts = encode(drawn_HW == label)
                masks.append(SceneMask(kind=MaskKind.CLASS, label=label, counts=counts, **at))
        layers.append(LayerInfo(product=products[date], invalid=invalid, classes=CLASSES, **at))
    return Evidence(
        size_HW=pixels(pictures[0]).shape,
        pixel_size_m=pixel_size_m,
        north_up=True,
        layers=tuple(layers),
        masks=tuple(masks),
    )


def with_houses(evidence: Evidence, *houses: tuple[str, str], origin: Origin = Origin.ANNOTATED):
    """Return the evidence with an object for each (picture of "B" pixels, attribute)."""
    objects = [
        SceneMask(
            kind=MaskKind.INSTANCE,
            layer="land",
            label="B",
            date_index=0,
            counts=encode(pixels(picture) == "B"),
            origin=origin,
            instance_id=str(number),
            attribute=attribute,
        )
        for number, (picture, attribute) in enumerate(houses)
    ]
    return replace(evidence, masks=(*evidence.masks, *objects))


def from_boxes(evidence: Evidence) -> Evidence:
    """Return the evidence with every class mask made from a box."""
    boxed = [
        replace(mask, origin=Origin.BOX) if mask.kind is MaskKind.CLASS else mask
        for mask in evidence.masks
    ]
    return replace(evidence, masks=tuple(boxed))


def outcome(evaluate: Any, program: Any, scene: Any) -> Value | str:
    try:
        return evaluate(program, scene)
    except Undefined as undefined:
        return undefined.rule


def either(program: Any, evidence: Evidence) -> Value | str:
    """Return the value or the rule that the reference gives; production must give the same."""
    plain = outcome(evaluate, program, ReferenceScene(evidence))
    assert outcome(evaluate_fast, program, Measured(evidence)) == plain
    return plain


def value(program: Any, evidence: Evidence) -> Value:
    found = either(program, evidence)
    assert not isinstance(found, str), found
    return found


def number(program: Any, evidence: Evidence) -> tuple[float, float, float]:
    quantity = value(program, evidence)
    assert isinstance(quantity, Quantity)
    return quantity.low, quantity.value, quantity.high


def rule(program: Any, evidence: Evidence) -> str:
    found = either(program, evidence)
    assert isinstance(found, str), found
    return found


def const(value: float, unit: str = "") -> Number:
    return Number(value=value, unit=unit)


DOT = draw("..... ..... ..F.. ..... .....")  # one pixel, and nothing else
HALVES = draw("FFWW FFWW FFWW FFWW")
NOTHING = draw("... ... ...")

# masks as stored


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_the_decoder_gives_back_what_pycocotools_encoded(mask_HW: np.ndarray) -> None:
    assert np.array_equal(decode_rle(encode(mask_HW), mask_HW.shape), mask_HW)


def test_runs_go_down_the_columns_and_start_with_background() -> None:
    # 1 of background, 2 of mask, 3 of background; from the fourth run on differences to two before
    assert decode_rle(b"123", (3, 2)).tolist() == [[False, False], [True, False], [True, False]]
    assert decode_rle(b"1230", (2, 4)).tolist() == [
        [False, True, False, True],
        [True, False, False, True],
    ]


@pytest.mark.parametrize("counts", [b"", b"5", b"7", b"123456", b"1R", b"6\x00", b"6\xff", b"O7"])
def test_runs_that_do_not_make_a_mask_are_refused(counts: bytes) -> None:
    with pytest.raises(ValueError, match=r"COCO RLE|do not fill"):
        decode_rle(counts, (3, 2))


# masks with their inner and outer forms


def test_100_pixels_of_10_m_are_one_hectare() -> None:
    evidence = draw("FFFFFFFFFF " * 10, pixel_size_m=(10.0, 10.0))
    assert value(Area(of=F), evidence) == Quantity(10_000.0, "m2", 10_000.0, 10_000.0)


def test_a_single_pixel_may_be_nothing_or_nine() -> None:
    assert number(Area(of=F), DOT) == (0, 1, 9)


def test_a_pixel_is_as_wide_and_high_as_the_grid_says() -> None:
    assert number(Area(of=F), replace(DOT, pixel_size_m=(2.0, 5.0))) == (0, 10, 90)


def test_the_edge_of_the_image_neither_erodes_nor_receives_dilation() -> None:
    assert number(Area(of=F), HALVES) == (4, 8, 12)


def test_invalid_pixels_neither_erode_nor_receive_dilation() -> None:
    assert number(Area(of=F), draw("FF?. FF?. FF?.")) == (6, 6, 6)


def test_an_object_on_invalid_pixels_keeps_them_in_its_outer_form() -> None:
    evidence = with_houses(draw(".... .??. ...."), (".... BB.. ....", ""))
    assert number(Area(of=HOUSES), evidence) == (0, 2, 8)


def test_a_layer_that_stores_no_valid_pixels_is_valid_everywhere() -> None:
    masks = [mask for mask in DOT.masks if mask.kind is not MaskKind.VALID]
    evidence = replace(DOT, masks=tuple(masks))
    assert number(Area(of=LAND), evidence) == (25, 25, 25)
    assert number(Area(of=F), evidence) == (0, 1, 9)


def test_a_class_without_a_stored_mask_is_empty() -> None:
    assert number(Area(of=W), DOT) == (0, 0, 0)


def test_valid_pixels_are_certain() -> None:
    assert number(Area(of=LAND), draw("F?. ... ??.")) == (6, 6, 6)


def test_what_was_forest_and_still_is() -> None:
    # inner: column 1 of one date, columns 1 and 2 of the other; outer: columns 1-3 and all
    evidence = draw("FF.. FF..", "FFF. FFF.")
    assert number(Area(of=And(a=F, b=LATER_F)), evidence) == (2, 4, 6)


def test_forest_or_water_takes_every_pixel_that_either_has() -> None:
    assert number(Area(of=Or(a=F, b=W)), HALVES) == (8, 16, 16)


def test_what_was_lost_is_sure_only_beyond_both_margins() -> None:
    # 3 columns become 1: sure is column 2 without what may still be there (columns 1 and 2)
    evidence = draw("FFF... FFF...", "F..... F.....")
    assert number(Area(of=Minus(a=F, b=LATER_F)), evidence) == (0, 4, 8)


def test_a_part_is_cut_after_the_margin_is_made() -> None:
    evidence = draw("FFFF.. FFFF.. FFFF.. ...... ...... ......")
    # rows 0-1, columns 2-3 of it; the inner form ends before column 3, row 2 does not lie in it
    assert number(Area(of=Part(of=F, cell=1)), evidence) == (2, 4, 4)


@pytest.mark.parametrize(
    ("cell", "px"), [(0, 4), (1, 2), (2, 2), (3, 2), (4, 1), (5, 1), (6, 2), (7, 1), (8, 1)]
)
def test_of_four_rows_the_first_two_are_in_the_first_third(cell: int, px: int) -> None:
    # 3 * 0 // 4 = 3 * 1 // 4 = 0, 3 * 2 // 4 = 1, 3 * 3 // 4 = 2
    assert number(Area(of=Part(of=LAND, cell=cell)), HALVES)[1] == px


# what lies near


def near_dot(distance_m: float, pixel_size_m: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return how many of 7 x 7 pixels lie so near the one in the middle."""
    evidence = draw("....... ....... ....... ...F... ....... ....... .......")
    near = Share(of=Near(of=LAND, to=F, distance_m=distance_m), within=LAND)
    return 49 * number(near, replace(evidence, pixel_size_m=pixel_size_m))[1]


@pytest.mark.parametrize(
    ("distance_m", "px"), [(0.5, 1), (1.0, 5), (1.4, 5), (1.5, 9), (2.0, 13), (2.9, 25), (4.0, 45)]
)
def test_near_is_a_disc_of_pixel_centres_with_its_rim(distance_m: float, px: int) -> None:
    assert near_dot(distance_m) == pytest.approx(px)


def test_a_pixel_exactly_so_far_away_is_near_and_no_farther_one() -> None:
    # 3 columns and 4 rows away: the four corners of 7 x 9 pixels
    evidence = draw("....... " * 4 + "...F... " + "....... " * 4)
    corners = Part(of=Near(of=LAND, to=F, distance_m=5.0), cell=0)
    assert number(Area(of=corners), evidence)[1] == 9
    corners = Part(of=Near(of=LAND, to=F, distance_m=4.999), cell=0)
    assert number(Area(of=corners), evidence)[1] == 8


def test_near_measures_each_axis_in_its_own_metres() -> None:
    assert near_dot(5.0, (5.0, 100.0)) == pytest.approx(3)
    assert near_dot(5.0, (100.0, 2.5)) == pytest.approx(5)


def test_all_is_near_where_the_distance_has_no_end() -> None:
    assert near_dot(1e300) == pytest.approx(49)
    assert near_dot(5e-324) == pytest.approx(1)


def test_nothing_is_near_what_is_not_there() -> None:
    evidence = draw("FFF... FFF... FFF...")
    assert number(Area(of=Near(of=F, to=W, distance_m=1e9)), evidence) == (0, 0, 0)
    assert value(Exists(of=Near(of=F, to=W, distance_m=1e9)), evidence) == Truth(False)


def test_near_pixels_are_sure_if_what_is_sure_lies_near_what_is_sure() -> None:
    # columns of 3 pixels; within 4 m of the water: forest columns 1 and 2 (water is 5 to 7);
    # sure: forest 0 and 1, within 4 m of the sure water 6 and 7: none; at most: forest 0 to 3,
    # within 4 m of the water at its largest, 4 to 7: all four
    evidence = draw("FFF..WWW FFF..WWW FFF..WWW")
    assert number(Area(of=Near(of=F, to=W, distance_m=4.0)), evidence) == (0, 6, 12)
    assert number(Area(of=Near(of=F, to=W, distance_m=5.0)), evidence) == (3, 9, 12)


def test_two_thirds_of_the_forest_lie_near_water() -> None:
    evidence = draw("FFF..WWW FFF..WWW FFF..WWW")
    near = Near(of=F, to=W, distance_m=4.0)
    assert number(Share(of=near, within=F), evidence) == (0, 6 / 9, 1)
    assert number(Share(of=LAND, within=Minus(a=F, b=near)), evidence)[1] == 1
    assert number(Area(of=Minus(a=F, b=near)), evidence) == (0, 3, 12)


def test_near_reaches_across_pixels_without_a_label() -> None:
    assert number(Area(of=Near(of=F, to=W, distance_m=3.0)), draw("F??W")) == (1, 1, 1)


def test_what_is_near_has_no_metres_without_a_pixel_size() -> None:
    unsized = replace(HALVES, pixel_size_m=None)
    near = Near(of=F, to=W, distance_m=1.0)
    assert rule(Share(of=near, within=F), unsized) == "no_pixel_size"
    assert rule(Exists(of=Or(a=F, b=near)), unsized) == "no_pixel_size"
    assert value(Any_(of=(YES, Exists(of=near))), unsized) == Truth(True)


def test_what_is_near_must_be_wholly_known_and_what_lies_near_it_need_not() -> None:
    evidence = draw("FFFFF.? FFFFF.?", "FF..... FF.....", invalid=Invalid.UNKNOWN)
    assert rule(Area(of=Near(of=LATER_F, to=F, distance_m=2.0)), evidence) == "open_layer"
    assert number(Area(of=Near(of=F, to=LATER_F, distance_m=1.0)), evidence)[1] == 6


def test_the_rule_of_near_comes_before_that_of_its_measure() -> None:
    forbids = draw("FFWW", invalid=Invalid.FORBIDS)
    near = Near(of=F, to=W, distance_m=1.0)
    assert rule(Share(of=near, within=F), forbids) == "open_layer"
    assert rule(Count(of=near), replace(forbids, pixel_size_m=None)) == "no_pixel_size"
    assert rule(Share(of=F, within=near), replace(forbids, pixel_size_m=None)) == "no_pixel_size"
    late = Minus(a=Near(of=near, to=F, distance_m=1.0), b=F)
    assert rule(Exists(of=late), forbids) == "open_layer"


def test_near_may_stand_inside_near() -> None:
    # within 1 m of the forest that lies within 2 m of water: its last column and the two beside it
    evidence = draw("FFF.W")
    shore = Near(of=F, to=W, distance_m=2.0)
    assert number(Area(of=shore), evidence)[1] == 1
    assert number(Area(of=Near(of=LAND, to=shore, distance_m=1.0)), evidence)[1] == 3


# rules on what a program names


def test_a_layer_that_is_not_listed_at_that_date_is_unknown() -> None:
    assert rule(Area(of=LATER_F), DOT) == "unknown_layer"
    assert rule(Exists(of=ClassMask(layer="sea", label="F", date=0)), DOT) == "unknown_layer"
    assert rule(Exists(of=Valid(layer="land", date=1)), DOT) == "unknown_layer"


@pytest.mark.parametrize("leaf", [ClassMask, Instances])
def test_a_label_that_the_layer_does_not_have_is_unknown(leaf: type) -> None:
    assert rule(Exists(of=leaf(layer="land", label="moss", date=0)), DOT) == "unknown_class"


def test_two_dates_of_different_products_are_never_asked_about() -> None:
    evidence = draw("FF FF", "FF FF", products=("v100", "v200"))
    change = Minus(a=F, b=LATER_F)
    assert rule(Area(of=change), evidence) == "two_products"
    assert rule(Sub(a=Area(of=F), b=Area(of=LATER_F)), evidence) == "two_products"
    assert rule(Add(a=Area(of=F), b=Area(of=Valid(layer="land", date=1))), evidence) == (
        "two_products"
    )
    assert number(Area(of=LATER_F), evidence) == (4, 4, 4)


def test_a_bad_leaf_anywhere_makes_the_whole_program_undefined() -> None:
    assert rule(Any_(of=(YES, Exists(of=LATER_F))), DOT) == "unknown_layer"


@pytest.mark.parametrize(
    "program",
    [
        Area(of=F),
        Share(of=F, within=LAND),
        Share(of=LAND, within=F),
        BorderLength(a=F, b=W),
        Distance(a=W, b=F),
        Border(a=F, b=W),
        Compare(a=Area(of=And(a=LAND, b=F)), relation="<", b=const(1, "m2")),
    ],
)
def test_a_box_never_answers_area_share_border_or_distance(program: Any) -> None:
    assert rule(program, from_boxes(HALVES)) == "box_mask"


def test_a_box_answers_whether_how_many_and_where() -> None:
    evidence = from_boxes(draw("BBB...... BBB...... BBB...... " + "......... " * 6))
    assert value(Exists(of=B), evidence) == Truth(True)
    assert number(Count(of=B, min_component_px=4), evidence) == (1, 1, 1)
    assert value(CellOf(of=B), evidence) == Name("cell 0")
    assert value(Not(of=Exists(of=Part(of=B, cell=8))), evidence) == Truth(True)


def test_objects_made_from_boxes_have_no_area() -> None:
    evidence = with_houses(DOT, ("BB... BB... ..... ..... .....", ""), origin=Origin.BOX)
    assert rule(Area(of=HOUSES), evidence) == "box_mask"
    assert number(Count(of=HOUSES), evidence) == (1, 1, 1)


@pytest.mark.parametrize("measure", [Exists, Count, CellOf])
def test_a_box_proves_nothing_within_metres_of_it(measure: Any) -> None:
    evidence = from_boxes(draw("BBB...... BBB...... BBB...... " + "......... " * 6))
    assert rule(measure(of=Near(of=B, to=LAND, distance_m=1.0)), evidence) == "box_mask"
    assert rule(measure(of=Near(of=LAND, to=B, distance_m=1.0)), evidence) == "box_mask"
    assert rule(measure(of=Minus(a=Near(of=B, to=B, distance_m=1.0), b=F)), evidence) == "box_mask"
    assert either(measure(of=Near(of=F, to=LAND, distance_m=1.0)), evidence) != "box_mask"


@pytest.mark.parametrize("attribute", ["un-classified", ""])
def test_one_unclassified_building_forbids_questions_by_damage(attribute: str) -> None:
    house = "B.... ..... ..... ..... ....."
    evidence = with_houses(DOT, (house, "destroyed"), (house, attribute))
    assert rule(Count(of=DESTROYED), evidence) == "unclassified_objects"
    assert rule(Not(of=Exists(of=DESTROYED)), evidence) == "unclassified_objects"
    assert number(Count(of=HOUSES), evidence) == (2, 2, 2)


# numbers


def test_a_constant_is_itself() -> None:
    assert value(const(2.5, "m"), NOTHING) == Quantity(2.5, "m", 2.5, 2.5)


@pytest.mark.parametrize("program", [Area(of=F), BorderLength(a=F, b=W), Distance(a=F, b=W)])
def test_without_a_pixel_size_there_are_no_metres(program: Any) -> None:
    assert rule(program, replace(HALVES, pixel_size_m=None)) == "no_pixel_size"


def test_share_counts_pixels_and_needs_no_pixel_size() -> None:
    evidence = replace(HALVES, pixel_size_m=None)
    assert value(Share(of=F, within=LAND), evidence) == Quantity(0.5, "share", 0.25, 0.75)


def test_share_within_a_mask_keeps_that_mask_as_it_is() -> None:
    # of the 4 pixels of row 0, forest holds 2, at least 1, at most 3
    within = And(a=Part(of=LAND, cell=0), b=LAND)
    assert number(Share(of=F, within=within), draw("FF.. FF.. .... ....")) == (0.25, 1, 1)


def test_a_share_of_nothing_is_undefined() -> None:
    assert rule(Share(of=F, within=W), DOT) == "empty_whole"


def test_a_layer_that_forbids_it_has_no_shares() -> None:
    evidence = draw("F??", invalid=Invalid.FORBIDS)
    assert rule(Share(of=F, within=LAND), evidence) == "forbidden_share"
    assert rule(Share(of=F, within=W), evidence) == "forbidden_share"
    assert number(Area(of=F), evidence) == (1, 1, 1)


def test_objects_are_counted_one_by_one_even_where_they_touch() -> None:
    evidence = with_houses(
        DOT, ("BB... BB... ..... ..... .....", ""), ("..B.. " + "..... " * 4, "")
    )
    assert value(Count(of=HOUSES), evidence) == Quantity(2.0, "count", 2.0, 2.0)
    assert number(Area(of=HOUSES), evidence)[1] == 5


def test_objects_are_counted_by_attribute() -> None:
    house = "B.... ..... ..... ..... ....."
    evidence = with_houses(DOT, (house, "destroyed"), (house, "no-damage"), (house, "destroyed"))
    assert number(Count(of=DESTROYED), evidence) == (2, 2, 2)


TWO_AND_A_SPECK = draw("FF..FF FF..FF ...... W....W .W..W. ......")


def test_areas_smaller_than_the_floor_are_not_counted() -> None:
    assert number(Count(of=F, min_component_px=2), TWO_AND_A_SPECK) == (2, 2, 2)


def test_pixels_that_touch_at_a_corner_are_one_area() -> None:
    assert number(Count(of=W, min_component_px=1), TWO_AND_A_SPECK) == (2, 2, 2)


def test_an_area_of_exactly_twice_the_floor_counts() -> None:
    assert number(Count(of=F, min_component_px=2), TWO_AND_A_SPECK)[1] == 2
    assert rule(Count(of=F, min_component_px=3), TWO_AND_A_SPECK) == "count_unsafe"
    assert number(Count(of=F, min_component_px=5), TWO_AND_A_SPECK)[1] == 0


def test_what_may_lie_under_unknown_pixels_is_not_counted() -> None:
    unknown = draw("FF?. FF..", invalid=Invalid.UNKNOWN)
    assert rule(Count(of=F, min_component_px=1), unknown) == "open_layer"
    assert rule(Count(of=HOUSES), unknown) == "open_layer"
    known = draw("FF?. FF..", invalid=Invalid.OTHER)
    assert number(Count(of=F, min_component_px=1), known) == (1, 1, 1)


@pytest.mark.parametrize(("holes", "closed"), [(0, True), (1, True), (2, False)])
def test_a_layer_of_99_percent_valid_pixels_is_closed(holes: int, closed: bool) -> None:
    picture = "?" * holes + "." * (100 - holes)
    evidence = draw(" ".join(picture[k : k + 10] for k in range(0, 100, 10)))
    unknown = replace(evidence.layers[0], invalid=Invalid.UNKNOWN)
    evidence = replace(evidence, layers=(unknown,))
    assert (
        (rule(Exists(of=F), evidence) == "open_layer")
        if not closed
        else (value(Exists(of=F), evidence) == Truth(False))
    )


def test_a_layer_that_forbids_absence_is_open_even_if_wholly_valid() -> None:
    evidence = draw("...", invalid=Invalid.FORBIDS)
    assert rule(Exists(of=F), evidence) == "open_layer"


def test_a_border_between_left_and_right_is_as_long_as_pixels_are_high() -> None:
    evidence = replace(HALVES, pixel_size_m=(2.0, 5.0))
    assert value(BorderLength(a=F, b=W), evidence) == Quantity(20.0, "m", 20.0, 20.0)


def test_a_border_between_upper_and_lower_is_as_long_as_pixels_are_wide() -> None:
    evidence = draw("FFF WWW", pixel_size_m=(2.0, 5.0))
    assert number(BorderLength(a=W, b=F), evidence) == (6, 6, 6)


def test_masks_that_touch_at_a_corner_share_no_edge() -> None:
    assert rule(BorderLength(a=F, b=W), draw("F. .W")) == "no_border"


def test_an_edge_inside_an_overlap_counts_once() -> None:
    # two dates of the same two pixels: the edge between them has both masks on both sides
    assert number(BorderLength(a=F, b=LATER_F), draw("FF", "FF")) == (1, 1, 1)


APART = draw("FFF............WWW " * 3)  # columns 0-2 and 15-17: 13 columns from 2 to 15


def test_distance_runs_between_pixel_centres_with_one_pixel_of_margin_a_side() -> None:
    evidence = replace(APART, pixel_size_m=(10.0, 20.0))
    # inner forms end at columns 1 and 16, outer forms at 3 and 14
    assert value(Distance(a=F, b=W), evidence) == Quantity(130.0, "m", 110.0, 150.0)


def test_distance_uses_the_pixel_size_of_each_axis() -> None:
    upright = draw(*[" ".join("".join(row) for row in pixels("FFF............WWW " * 3).T)])
    evidence = replace(upright, pixel_size_m=(10.0, 20.0))
    assert number(Distance(a=F, b=W), evidence) == (220, 260, 300)


def test_distance_ignores_what_opening_erases() -> None:
    # the lone pixel in column 7 is nearer, but no 3 x 3 square fits into it; one does fit into its
    # outer form, from column 6 to 8, which is 6 columns from the water's outer form
    evidence = draw("FFF............WWW FFF....F.......WWW FFF............WWW")
    assert number(Distance(a=F, b=W), evidence) == (6, 13, 15)


def test_ten_pixels_are_too_near_and_eleven_are_not() -> None:
    ten = draw("FFF.........WWW " * 3)
    eleven = draw("FFF..........WWW " * 3)
    assert rule(Distance(a=F, b=W), ten) == "too_near"
    assert number(Distance(a=F, b=W), eleven) == (9, 11, 13)


def test_ten_pixels_are_measured_in_pixels_however_large_they_are() -> None:
    assert rule(Distance(a=F, b=W), draw("FFF.........WWW " * 3, pixel_size_m=(90.0, 90.0))) == (
        "too_near"
    )


def test_masks_are_too_near_if_a_hair_that_opening_erases_joins_them() -> None:
    joined = draw("FFF............WWW FFFFFFFFFFFFFFFWWW FFF............WWW")
    assert rule(Distance(a=F, b=W), joined) == "too_near"


def test_a_class_that_opening_erases_has_no_distance() -> None:
    assert rule(Distance(a=F, b=W), draw("FFF............... .................W")) == "erased"


def test_a_class_whose_inner_form_opening_erases_has_no_distance() -> None:
    # in the midst of an image 3 x 3 pixels survive opening, their one inner pixel does not
    rows = ["." * 22, *["..FFF..............WWW"] * 3, "." * 22]
    assert rule(Distance(a=F, b=W), draw(" ".join(rows))) == "erased"


ISLAND = " ".join(["." * 22, *["..FFF" + "." * 17] * 3, "." * 22])
CLOUDED_SHORE = " ".join(["???????............WWW"] * 5)
LATER_W, LATER_B = (ClassMask(layer="land", label=label, date=1) for label in "WB")


def test_a_mask_is_opened_among_the_valid_pixels_of_its_own_date() -> None:
    # the clouds of the other date do not hide the island's shore, so its inner pixel is erased
    assert rule(Distance(a=F, b=LATER_W), draw(ISLAND, CLOUDED_SHORE)) == "erased"


def test_a_compound_mask_is_opened_among_the_pixels_valid_at_both_dates() -> None:
    # what was built is unknown around the island: nothing there erodes it or lets it grow;
    # island columns 2-4, 1-5 and 3, water columns 19-21, 18-21 and 20-21
    left = Minus(a=F, b=LATER_B)
    evidence = draw(ISLAND, CLOUDED_SHORE)
    assert number(Distance(a=left, b=LATER_W), evidence) == (13, 15, 17)


def test_a_distance_needs_to_know_every_pixel() -> None:
    evidence = draw("FFF......?.....WWW " * 3, invalid=Invalid.UNKNOWN)
    assert rule(Distance(a=F, b=W), evidence) == "open_layer"


def test_arithmetic_carries_the_interval() -> None:
    two_to_six = Area(of=F)  # of the scene below: 4 px, at least 2, at most 6
    evidence = draw("FF.. FF..")
    ten = const(10, "m2")
    assert number(two_to_six, evidence) == (2, 4, 6)
    assert value(Add(a=two_to_six, b=two_to_six), evidence) == Quantity(8, "m2", 4, 12)
    assert value(Sub(a=two_to_six, b=two_to_six), evidence) == Quantity(0, "m2", -4, 4)
    assert value(Mul(a=two_to_six, b=const(-2)), evidence) == Quantity(-8, "m2", -12, -4)
    assert value(Div(a=ten, b=two_to_six), evidence) == Quantity(2.5, "share", 10 / 6, 5)
    assert value(Div(a=two_to_six, b=const(2)), evidence) == Quantity(2, "m2", 1, 3)


def test_the_product_of_two_uncertain_numbers_spans_its_corners() -> None:
    # [-4, 4] times a share of [1/4, 3/4]: from -3 to 3
    evidence = draw("FF.. FF..")
    change = Sub(a=Area(of=F), b=Area(of=F))
    assert number(Mul(a=change, b=Share(of=F, within=LAND)), evidence) == (-3, 0, 3)


@pytest.mark.parametrize(
    ("operation", "a", "b", "unit"),
    [
        (Mul, "m2", "", "m2"),
        (Mul, "share", "m2", "m2"),
        (Mul, "share", "", "share"),
        (Mul, "share", "share", "share"),
        (Mul, "", "", ""),
        (Div, "m", "", "m"),
        (Div, "count", "count", "share"),
        (Div, "share", "share", "share"),
        (Div, "share", "", "share"),
        (Div, "", "", ""),
    ],
)
def test_units_of_products_and_quotients(operation: Any, a: str, b: str, unit: str) -> None:
    assert value(operation(a=const(6, a), b=const(3, b)), NOTHING).unit == unit


@pytest.mark.parametrize(
    "program",
    [
        Add(a=const(1, "m"), b=const(1, "m2")),
        Sub(a=const(1, "share"), b=const(1)),
        Mul(a=const(1, "m"), b=const(1, "m")),
        Div(a=const(1, "m2"), b=const(1, "m")),
        Div(a=const(1, "m2"), b=const(1, "share")),
        Div(a=const(1), b=const(1, "m")),
        Div(a=const(1, "m2"), b=const(0, "m")),
        Compare(a=const(1, "m2"), relation="<", b=const(2, "m")),
        ArgMax(
            of=(
                NamedNumber(name="a", value=const(1, "m")),
                NamedNumber(name="b", value=const(2, "m2")),
            )
        ),
        Rank(
            of=(
                NamedNumber(name="a", value=const(1, "m")),
                NamedNumber(name="b", value=const(2, "m2")),
            ),
            place=3,
        ),
    ],
)
def test_units_that_do_not_fit_are_undefined(program: Any) -> None:
    assert rule(program, NOTHING) == "units"


def test_a_divisor_that_may_be_zero_is_undefined() -> None:
    assert rule(Div(a=const(1, "m2"), b=Area(of=F)), DOT) == "division_by_zero"
    assert rule(Div(a=const(1), b=const(0)), DOT) == "division_by_zero"


@pytest.mark.parametrize(
    "program",
    [
        Mul(a=const(1e300), b=const(-1e300)),
        Div(a=const(1), b=const(5e-324)),
        Add(a=const(1.7e308, "m"), b=const(1.7e308, "m")),
    ],
)
def test_a_number_beyond_all_numbers_is_undefined(program: Any) -> None:
    assert rule(program, NOTHING) == "overflow"


# yes and no


def test_a_class_exists_if_a_pixel_survives_erosion() -> None:
    assert value(Exists(of=F), draw("..... .FFF. .FFF. .FFF. .....")) == Truth(True)


def test_a_class_without_a_pixel_does_not_exist() -> None:
    assert value(Exists(of=W), DOT) == Truth(False)


def test_a_thin_class_neither_exists_nor_does_not() -> None:
    assert rule(Exists(of=F), draw("..... FFFFF FFFFF .....")) == "thin"


def test_absence_needs_to_know_every_pixel_and_presence_does_not() -> None:
    evidence = draw("FF? FF? FF?", invalid=Invalid.UNKNOWN)
    assert value(Exists(of=F), evidence) == Truth(True)
    assert rule(Exists(of=W), evidence) == "open_layer"
    assert rule(Exists(of=And(a=F, b=W)), evidence) == "open_layer"


def test_one_small_object_exists() -> None:
    evidence = with_houses(NOTHING, ("... .B. ...", "destroyed"))
    assert value(Exists(of=HOUSES), evidence) == Truth(True)
    assert value(Exists(of=DESTROYED), evidence) == Truth(True)
    assert rule(Exists(of=Part(of=HOUSES, cell=4)), evidence) == "thin"


def test_no_object_of_an_attribute_exists_where_all_have_another() -> None:
    evidence = with_houses(NOTHING, ("... .B. ...", "no-damage"))
    assert value(Exists(of=DESTROYED), evidence) == Truth(False)
    unknown = replace(evidence.layers[0], invalid=Invalid.FORBIDS)
    assert rule(Exists(of=DESTROYED), replace(evidence, layers=(unknown,))) == "open_layer"


def test_halves_of_eight_rows_border_one_another() -> None:
    assert value(Border(a=F, b=W), draw("FFWW " * 8)) == Truth(True)


def test_seven_shared_edges_are_no_safe_border() -> None:
    assert rule(Border(a=F, b=W), draw("FFWW " * 7)) == "border_in_between"


def test_masks_three_pixels_apart_do_not_border() -> None:
    assert value(Border(a=F, b=W), draw("FF...WW " * 8)) == Truth(False)
    assert rule(Border(a=F, b=W), draw("FF..WW " * 8)) == "border_in_between"


def test_a_border_of_a_strip_one_pixel_wide_is_in_between() -> None:
    assert rule(Border(a=F, b=W), draw(".FWW " * 8)) == "border_in_between"
    assert rule(Border(a=W, b=F), draw(".FWW " * 8)) == "border_in_between"


def test_nothing_has_no_border_not_even_none() -> None:
    assert rule(Border(a=F, b=W), DOT) == "empty_side"
    assert rule(Border(a=W, b=F), DOT) == "empty_side"


def test_no_border_needs_to_know_every_pixel_and_a_border_does_not() -> None:
    apart = draw("FF?..WW " * 8, invalid=Invalid.UNKNOWN)
    assert rule(Border(a=F, b=W), apart) == "open_layer"
    together = draw("FFWW? " * 8, invalid=Invalid.UNKNOWN)
    assert value(Border(a=F, b=W), together) == Truth(True)
    near = draw("FF..WW? " * 8, invalid=Invalid.UNKNOWN)
    assert rule(Border(a=F, b=W), near) == "border_in_between"


@pytest.mark.parametrize(
    ("other", "less"),
    [(1.9, False), (2.0, None), (4.0, None), (6.0, None), (6.1, True)],
)
def test_numbers_compare_only_outside_of_each_others_intervals(
    other: float, less: bool | None
) -> None:
    evidence = draw("FF.. FF..")  # [2, 6] square metres
    smaller = Compare(a=Area(of=F), relation="<", b=const(other, "m2"))
    mirrored = Compare(a=const(other, "m2"), relation=">", b=Area(of=F))
    if less is None:
        assert rule(smaller, evidence) == rule(mirrored, evidence) == "compare_close"
    else:
        assert value(smaller, evidence) == value(mirrored, evidence) == Truth(less)


@pytest.mark.parametrize(
    ("operation", "parts", "expected"),
    [
        (All, (YES, YES), True),
        (All, (YES, NO), False),
        (All, (CLOSE, NO), False),
        (All, (NO, CLOSE), False),
        (All, (CLOSE, YES, MIXED), "compare_close"),
        (All, (MIXED, YES, CLOSE), "units"),
        (Any_, (NO, NO), False),
        (Any_, (NO, YES), True),
        (Any_, (CLOSE, YES), True),
        (Any_, (YES, CLOSE), True),
        (Any_, (NO, MIXED, CLOSE), "units"),
    ],
)
def test_an_undefined_part_matters_only_where_no_other_decides(
    operation: Any, parts: tuple[Any, ...], expected: bool | str
) -> None:
    if isinstance(expected, str):
        assert rule(operation(of=parts), NOTHING) == expected
    else:
        assert value(operation(of=parts), NOTHING) == Truth(expected)


def test_not_turns_the_answer_and_keeps_the_rule() -> None:
    assert value(Not(of=YES), NOTHING) == Truth(False)
    assert value(Not(of=NO), NOTHING) == Truth(True)
    assert rule(Not(of=CLOSE), NOTHING) == "compare_close"


# names


def grid(*cells: str) -> Evidence:
    """Return a scene of 3 x 3 cells of 3 x 3 pixels, each cell drawn by its nine pixels."""
    rows = [
        "".join(cells[3 * (r // 3) + c][3 * (r % 3) : 3 * (r % 3) + 3] for c in range(3))
        for r in range(9)
    ]
    return draw(" ".join(rows))


O_, X = "." * 9, "F" * 9  # an empty and a full cell


@pytest.mark.parametrize("cell", range(9))
def test_a_mask_that_fills_a_cell_lies_in_it(cell: int) -> None:
    evidence = grid(*[X if k == cell else O_ for k in range(9)])
    assert value(CellOf(of=F), evidence) == Name(f"cell {cell}")


def test_an_empty_mask_lies_nowhere() -> None:
    assert rule(CellOf(of=F), NOTHING) == "empty_side"


def test_a_mask_over_40_percent_of_the_valid_pixels_lies_nowhere_in_particular() -> None:
    four_of_ten = draw("FFFF......?????? ???????????????? ????????????????")
    five_of_twelve = draw("FFFFF.......???? ???????????????? ????????????????")
    assert value(CellOf(of=F), four_of_ten) == Name("cell 0")
    assert rule(CellOf(of=F), five_of_twelve) == "cell_too_large"


def test_two_parts_of_one_size_lie_scattered() -> None:
    assert rule(CellOf(of=F), grid(X, O_, O_, O_, O_, O_, O_, O_, X)) == "cell_scattered"


def test_a_part_of_70_percent_decides_where_a_mask_lies() -> None:
    seven_of_ten = draw("FFFFFFF.......... ................. FF.............F.")
    seven_of_eleven = draw("FFFFFFF.......... ................. FF............FF.")
    assert value(CellOf(of=F), seven_of_ten) == Name("cell 0")
    assert rule(CellOf(of=F), seven_of_eleven) == "cell_scattered"


def test_pixels_that_touch_at_a_corner_lie_in_one_place() -> None:
    assert value(CellOf(of=F), grid("F...F...F", *[O_] * 8)) == Name("cell 0")


def test_80_percent_must_lie_in_the_named_cell_and_its_neighbours() -> None:
    # 24 rows of 15: the middle cell on the left holds 27 pixels, its neighbour 5, the far cell 8
    rows = ["FFFFFFFFFFFFFF.", "FFFF......FFFF.", *["FFF............"] * 6]
    empty = ["." * 15] * 8
    assert value(CellOf(of=F), draw(" ".join([*empty, *rows, *empty]))) == Name("cell 3")
    rows[2] = "FFF..........F."
    assert rule(CellOf(of=F), draw(" ".join([*empty, *rows, *empty]))) == "cell_unclear"


def test_a_mask_on_the_line_between_two_cells_lies_in_neither() -> None:
    # centroid in the middle cell, which holds 6 pixels, beside 6 in the cell above
    assert rule(CellOf(of=F), grid(O_, "...FFFFFF", O_, O_, "FFFFFF...", O_, O_, O_, O_)) == (
        "cell_unclear"
    )


def test_a_cell_needs_half_as_much_again_as_any_other() -> None:
    six_and_four = grid(O_, ".....FFFF", O_, O_, "FFFFFF...", O_, O_, O_, O_)
    assert value(CellOf(of=F), six_and_four) == Name("cell 4")
    six_and_five = grid(O_, "....FFFFF", O_, O_, "FFFFFF...", O_, O_, O_, O_)
    assert rule(CellOf(of=F), six_and_five) == "cell_unclear"


def test_a_long_strip_lies_in_no_cell() -> None:
    assert rule(CellOf(of=F), draw("......... FFFFFFFFF ......... " + "......... " * 6)) == (
        "cell_unclear"
    )


def test_a_centroid_on_a_line_between_cells_belongs_to_the_lower_cell() -> None:
    # of 6 columns, pixels 1 and 2 have their mean centre at 2.0, where the second third begins;
    # each third holds one of them
    evidence = draw(".FF... ...... ...... ...... ...... ......")
    assert rule(CellOf(of=F), evidence) == "cell_unclear"
    # three rows more of column 2 leave no doubt
    evidence = draw("..F... ..F... ..F... ...... ...... ......")
    assert value(CellOf(of=F), evidence) == Name("cell 1")


def named(**values: Any) -> tuple[NamedNumber, ...]:
    return tuple(NamedNumber(name=name, value=number) for name, number in values.items())


LARGE_AND_SMALL = draw("FFFFFFW. FFFFFFW. FFFFFF.. FFFFFF..")  # forest [20, 28], water [0, 8] m2


def test_the_largest_is_above_the_intervals_of_all_others() -> None:
    areas = named(water=Area(of=W), forest=Area(of=F), built=Area(of=B))
    assert value(ArgMax(of=areas), LARGE_AND_SMALL) == Name("forest")


def test_the_largest_need_not_know_who_comes_second() -> None:
    areas = named(water=Area(of=W), built=Area(of=B), forest=Area(of=F))
    assert value(ArgMax(of=areas), LARGE_AND_SMALL) == Name("forest")
    assert rule(Rank(of=areas, place=1), LARGE_AND_SMALL) == "rank_close"


@pytest.mark.parametrize("rival", [19.0, 20.0, 24.0])
def test_a_rival_within_the_interval_is_too_close(rival: float) -> None:
    rank = ArgMax(of=named(forest=Area(of=F), rival=const(rival, "m2")))
    if rival < 20:
        assert value(rank, LARGE_AND_SMALL) == Name("forest")
    else:
        assert rule(rank, LARGE_AND_SMALL) == "rank_close"


def test_places_count_from_the_largest() -> None:
    values = named(two=const(2), nine=const(9), five=const(5))
    names = [value(Rank(of=values, place=place), NOTHING) for place in (1, 2, 3)]
    assert names == [Name("nine"), Name("five"), Name("two")]
    assert rule(Rank(of=values, place=4), NOTHING) == "no_such_place"


def test_equal_numbers_have_no_order() -> None:
    values = named(two=const(2), also_two=const(2), five=const(5))
    assert value(ArgMax(of=values), NOTHING) == Name("five")
    assert rule(Rank(of=values, place=1), NOTHING) == "rank_close"


def test_classes_are_ranked_only_where_every_pixel_is_known() -> None:
    evidence = draw("FFFFFFW. FFFFFFW. FFFFFF.? FFFFFF.?", invalid=Invalid.UNKNOWN)
    areas = named(forest=Area(of=F), water=Area(of=W))
    assert rule(ArgMax(of=areas), evidence) == "open_layer"
    assert rule(Rank(of=areas, place=1), evidence) == "open_layer"
    constants = named(two=const(2), one=const(1))
    assert value(ArgMax(of=constants), evidence) == Name("two")


def named_tests(*parts: Any) -> tuple[NamedTest, ...]:
    return tuple(NamedTest(name=f"date {k}", test=part) for k, part in enumerate(parts))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((YES, CLOSE), Name("date 0")),
        ((NO, NO, YES, YES), Name("date 2")),
        ((NO, CLOSE, YES), "compare_close"),
        ((MIXED, CLOSE, YES), "units"),
        ((NO, NO), "none_holds"),
        ((NO, CLOSE), "compare_close"),
    ],
)
def test_the_first_that_holds_needs_all_before_it_to_fail(
    parts: tuple[Any, ...], expected: Name | str
) -> None:
    program = First(of=named_tests(*parts))
    if isinstance(expected, str):
        assert rule(program, NOTHING) == expected
    else:
        assert value(program, NOTHING) == expected


def named_masks(**masks: Any) -> tuple[NamedMask, ...]:
    return tuple(NamedMask(name=name, mask=mask) for name, mask in masks.items())


FOREST_OR_WATER = named_masks(forest=F, water=W)
# from the buildings in the middle the forest is 5 columns away, the water 11
ROW_OF_THREE = draw("FFF....BBBBB..........WWW " * 3)


def test_the_nearest_is_below_the_intervals_of_all_others() -> None:
    # the forest is from 3 to 7 m away
    assert number(Distance(a=W, b=B), ROW_OF_THREE) == (9, 11, 13)
    assert value(Nearest(to=B, of=FOREST_OR_WATER), ROW_OF_THREE) == Name("forest")
    assert value(Nearest(to=B, of=FOREST_OR_WATER[::-1]), ROW_OF_THREE) == Name("forest")
    # from the forest: buildings [3, 7], water [18, 22], as 5 + 4 + 11 columns are 20
    assert value(Nearest(to=F, of=named_masks(b=B, w=W)), ROW_OF_THREE) == Name("b")


def test_masks_may_be_nearest_that_touch() -> None:
    touching = draw("FFFBBBBB.....WWW " * 3)
    assert rule(Distance(a=F, b=B), touching) == "too_near"
    assert value(Nearest(to=B, of=FOREST_OR_WATER), touching) == Name("forest")


@pytest.mark.parametrize(("gap", "nearest"), [(8, None), (9, "forest")])
def test_a_rival_less_than_five_pixels_farther_is_too_close(gap: int, nearest: str | None) -> None:
    # forest 5 away, [3, 7]; water 9 or 10 away, [7, 11] or [8, 12]
    evidence = draw(f"FFF....BBBBB{'.' * gap}WWW " * 3)
    ask = Nearest(to=B, of=FOREST_OR_WATER)
    if nearest is None:
        assert rule(ask, evidence) == "rank_close"
    else:
        assert value(ask, evidence) == Name(nearest)


def test_the_nearest_needs_metres_known_pixels_and_masks_that_opening_leaves() -> None:
    ask = Nearest(to=B, of=FOREST_OR_WATER)
    assert rule(ask, replace(ROW_OF_THREE, pixel_size_m=None)) == "no_pixel_size"
    forbids = replace(ROW_OF_THREE.layers[0], invalid=Invalid.FORBIDS)
    assert rule(ask, replace(ROW_OF_THREE, layers=(forbids,))) == "open_layer"
    assert rule(ask, draw("FFF....BBBBB..........W.. " * 3)) == "erased"
    assert rule(ask, draw("FFF....B............WWW " * 3)) == "erased"


def test_a_mask_that_surely_covers_more_than_half_has_the_majority() -> None:
    # of 4 columns 3 are sure, of 5 columns 4; the image has 6 or 7
    most, half = draw("FFFF... " * 4), draw("FFF... " * 4)
    ask = Majority(of=FOREST_OR_WATER, within=LAND)
    assert number(Share(of=F, within=LAND), most) == (3 / 7, 4 / 7, 5 / 7)
    assert rule(ask, most) == "no_majority"
    assert rule(ask, half) == "no_majority"
    assert value(ask, draw("FFFFF.. " * 4)) == Name("forest")
    assert value(ask, draw("WWWWW.. " * 4)) == Name("water")


def test_exactly_half_is_no_majority() -> None:
    # sure are 2 of 3 columns of forest
    assert rule(Majority(of=FOREST_OR_WATER, within=LAND), draw("FFFW " * 4)) == "no_majority"
    assert rule(Majority(of=FOREST_OR_WATER, within=LAND), draw("FFFF.. " * 4)) == "no_majority"


def test_a_majority_is_counted_within_a_part_of_the_image() -> None:
    # the left third is forest, of which the sure columns 0 and 1 lie in it
    evidence = draw("FFFWWWWWW " * 3)
    left = Or(a=Or(a=Part(of=LAND, cell=0), b=Part(of=LAND, cell=3)), b=Part(of=LAND, cell=6))
    assert value(Majority(of=FOREST_OR_WATER, within=left), evidence) == Name("forest")
    assert value(Majority(of=FOREST_OR_WATER, within=LAND), evidence) == Name("water")


def test_two_majorities_are_none() -> None:
    both = named_masks(forest=F, land=LAND)
    assert rule(Majority(of=both, within=F), draw("FFF FFF FFF")) == "no_majority"


def test_a_majority_of_nothing_or_where_shares_are_forbidden_is_undefined() -> None:
    ask = Majority(of=FOREST_OR_WATER, within=B)
    assert rule(ask, HALVES) == "empty_whole"
    forbids = replace(HALVES, layers=(replace(HALVES.layers[0], invalid=Invalid.FORBIDS),))
    assert rule(ask, forbids) == "forbidden_share"
    near = named_masks(forest=Near(of=F, to=W, distance_m=1.0), water=W)
    assert rule(Majority(of=near, within=B), forbids) == "open_layer"

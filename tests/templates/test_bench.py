"""The rules of the bench, each at its edge, on masks whose answers fit in the head."""

from random import Random

import pytest

from schemas.program import (
    Area,
    ArgMax,
    Border,
    ClassMask,
    Count,
    Div,
    Exists,
    Instances,
    NamedNumber,
    Share,
    Valid,
)
from schemas.tier import Tier
from schemas.value import Name, Quantity, Truth
from templates.bench import (
    ABSOLUTE_AREA,
    BENCH_QUESTIONS,
    BOUNDARY_RELATIONSHIP,
    BUILDING_CHANGE_ESTIMATION,
    COMPARATIVE_RANKING,
    COVERAGE_PERCENTAGE,
    DISTANCE_MEASUREMENT,
)
from templates.draft import Foreign
from templates.item import finish, propose

WATER, TREE, CROP = 0, 2, 5
SIZE = 60  # 3,600 pixels: 3 columns are 5 %, 108 pixels 3 %


def drafts(template, scene, seeds=range(12)):
    return [d for seed in seeds for d in template.propose(template, scene, Random(seed))]


def values(template, scene):
    """Return class names -> value, over several seeds."""
    return {draft.words.classes: draft.value for draft in drafts(template, scene)}


@pytest.fixture
def one(asked, make):
    """Return a scene of one land-cover map as the templates see it."""

    def of(ids_HW, **more):
        return asked(make.scene("s", [make.land(ids_HW)], **more))[0]

    return of


def squares(make, number: int):
    """Return crop with so many squares of 6 x 6 pixels of water, apart from one another."""
    ids_HW = make.stripes(0, 0)
    for place in range(number):
        top, left = 2 + 14 * (place // 4), 2 + 14 * (place % 4)
        ids_HW[top : top + 6, left : left + 6] = WATER
    return ids_HW


def test_each_task_has_its_name_tier_and_number_of_options() -> None:
    assert {t.task: t.options_due for t in BENCH_QUESTIONS} == {
        "coverage_percentage": 4,
        "absolute_area": 4,
        "comparative_ranking": 2,
        "boundary_relationship": 2,
        "distance_measurement": 4,
        "building_change_estimation": 4,
    }
    assert {t.tier for t in BENCH_QUESTIONS} == {Tier.BENCH}
    assert all(len(set(t.wordings)) >= 4 for t in BENCH_QUESTIONS)


def test_coverage_is_asked_from_five_percent_on(make, one) -> None:
    ids_HW = make.stripes(3, 20)
    assert values(COVERAGE_PERCENTAGE, one(ids_HW))[("water",)] == Quantity(
        0.05, "share", 2 / 60, 4 / 60
    )
    ids_HW[0, 0] = CROP
    assert set(values(COVERAGE_PERCENTAGE, one(ids_HW))) == {("tree",), ("crop",)}


def test_coverage_is_of_what_is_labelled(make, one) -> None:
    ids_HW = make.stripes(2, 20)
    ids_HW[:, 40:] = 255  # 2 of 40 labelled columns are 5 %
    assert values(COVERAGE_PERCENTAGE, one(ids_HW))[("water",)].value == 0.05


def test_an_area_is_asked_however_small_and_only_with_a_pixel_size(make, one) -> None:
    ids_HW = make.stripes(0, 20)
    ids_HW[0, 0] = WATER
    assert values(ABSOLUTE_AREA, one(ids_HW))[("water",)].value == 100.0
    assert drafts(ABSOLUTE_AREA, one(ids_HW, pixel_size_m=None)) == []


def test_areas_that_differ_by_a_tenth_of_the_larger_are_not_ranked(make, one) -> None:
    scene = one(make.stripes(20, 18))  # crop has 22 columns: 4 of 22 more than tree
    assert ("water", "tree") not in {tuple(sorted(c)) for c in values(COMPARATIVE_RANKING, scene)}
    assert scene.left_out["comparative_ranking: areas_alike"] > 0


def test_the_larger_of_two_classes_is_the_answer_in_either_order(make, one) -> None:
    found = values(COMPARATIVE_RANKING, one(make.stripes(20, 10)))
    assert found[("water", "tree")] == found[("tree", "water")] == Name("water")


def test_a_class_under_five_percent_is_not_ranked(make, one) -> None:
    found = values(COMPARATIVE_RANKING, one(make.stripes(2, 20)))
    assert found
    assert not any("water" in classes for classes in found)


def test_a_class_of_six_areas_has_no_boundary_asked_and_one_of_five_has(make, one) -> None:
    five, six = one(squares(make, 5)), one(squares(make, 6))
    assert values(BOUNDARY_RELATIONSHIP, five) == {("water", "crop"): Truth(True)}
    assert drafts(BOUNDARY_RELATIONSHIP, six) == []


def test_areas_that_meet_at_a_corner_are_one(make, one) -> None:
    ids_HW = squares(make, 5)
    ids_HW[8:14, 8:14] = WATER  # at the corner of the first square
    assert values(BOUNDARY_RELATIONSHIP, one(ids_HW)) == {("water", "crop"): Truth(True)}


def test_a_speck_of_one_pixel_counts_as_an_area(make, one) -> None:
    ids_HW = squares(make, 5)
    ids_HW[58, 58] = WATER
    assert drafts(BOUNDARY_RELATIONSHIP, one(ids_HW)) == []


def test_a_class_under_three_percent_has_no_boundary_asked(make, one) -> None:
    ids_HW = squares(make, 3)  # 108 of 3,600 pixels
    assert values(BOUNDARY_RELATIONSHIP, one(ids_HW)) == {("water", "crop"): Truth(True)}
    ids_HW[2, 2] = CROP
    assert drafts(BOUNDARY_RELATIONSHIP, one(ids_HW)) == []


def test_classes_that_lie_apart_do_not_border(make, one) -> None:
    assert values(BOUNDARY_RELATIONSHIP, one(make.stripes(12, 20)))[("water", "crop")] == Truth(
        False
    )


def test_a_distance_is_asked_beyond_ten_pixels(make, one) -> None:
    near, far = one(make.stripes(12, 9)), one(make.stripes(12, 10))
    assert drafts(DISTANCE_MEASUREMENT, near) == []  # 10 pixels from centre to centre
    assert values(DISTANCE_MEASUREMENT, far)[("water", "crop")].value == 110.0


def test_destroyed_buildings_are_asked_as_a_number_and_as_a_share(asked, make) -> None:
    levels = ["destroyed"] * 3 + ["major-damage"] * 4 + ["no-damage"] * 3
    (scene,) = asked(make.town("t", levels))
    found = {d.value.unit: d for d in drafts(BUILDING_CHANGE_ESTIMATION, scene)}
    assert found["count"].value.value == 3
    assert found["share"].value.value == pytest.approx(0.3)
    assert "how many buildings were destroyed" in found["count"].question.lower()
    assert "what percentage of the buildings were destroyed" in found["share"].question.lower()


@pytest.mark.parametrize(("total", "destroyed"), [(9, 3), (10, 2), (4, 4), (10, 0)])
def test_under_ten_buildings_or_three_destroyed_are_not_asked(asked, make, total, destroyed):
    levels = ["destroyed"] * destroyed + ["no-damage"] * (total - destroyed)
    (scene,) = asked(make.town("t", levels))
    assert drafts(BUILDING_CHANGE_ESTIMATION, scene) == []


def test_an_unclassified_building_forbids_the_question(asked, make) -> None:
    (scene,) = asked(make.town("t", ["destroyed"] * 5 + ["no-damage"] * 5 + ["un-classified"]))
    assert drafts(BUILDING_CHANGE_ESTIMATION, scene) == []


def test_what_breaks_a_rule_has_no_words_and_so_no_proof(make, one, asked) -> None:
    small = one(make.stripes(2, 20))
    water, crop = (ClassMask(layer="land_cover", label=n, date=0) for n in ("water", "crop"))
    within = Valid(layer="land_cover", date=0)
    share = Share(of=water, within=within)
    named = (
        NamedNumber(name="water", value=share),
        NamedNumber(name="cropland", value=Share(of=crop, within=within)),
    )
    view = drafts(COVERAGE_PERCENTAGE, small)[0].view
    number, name = Quantity(1 / 30, "share", 0.02, 0.05), Name("cropland")
    with pytest.raises(Foreign, match="under 5 %"):
        COVERAGE_PERCENTAGE.words(share, number, small, view)
    with pytest.raises(Foreign, match="under 5 %"):
        COMPARATIVE_RANKING.words(ArgMax(of=named), name, small, view)
    with pytest.raises(Foreign, match="5 areas"):
        BOUNDARY_RELATIONSHIP.words(
            Border(a=water, b=crop), Truth(True), one(squares(make, 6)), view
        )
    absent = ClassMask(layer="land_cover", label="mangroves", date=0)
    with pytest.raises(Foreign, match="no area"):
        ABSOLUTE_AREA.words(Area(of=absent), Quantity(0.0, "m2", 0, 0), small, view)


def share_of(label: str, named: str = "", date: int = 0, within: int = 0) -> NamedNumber:
    mask = ClassMask(layer="land_cover", label=label, date=date)
    share = Share(of=mask, within=Valid(layer="land_cover", date=within))
    return NamedNumber(name=named or label, value=share)


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (
            (share_of("water"), share_of("tree", "tree cover"), share_of("crop", "cropland")),
            "of two",
        ),
        ((share_of("water"), share_of("tree", "tree cover", within=1)), "of two classes' shares"),
        (
            (share_of("water", within=1), share_of("tree", "tree cover", within=1)),
            "of two classes'",
        ),
        ((share_of("water"), share_of("tree", "tree cover", date=1)), "one layer at one date"),
        ((share_of("water"), share_of("tree", "forest")), "names the classes"),
        ((share_of("water"), share_of("tree", "tree cover")), "no more than a tenth"),
    ],
)
def test_another_ranking_has_no_words(make, one, of, told) -> None:
    scene = one(make.stripes(20, 18))  # 2 of 20 columns apart
    view = drafts(COVERAGE_PERCENTAGE, scene)[0].view
    with pytest.raises(Foreign, match=told):
        COMPARATIVE_RANKING.words(ArgMax(of=of), Name("water"), scene, view)


def test_a_class_under_three_percent_has_no_words_for_its_boundary(make, one) -> None:
    ids_HW = squares(make, 3)
    ids_HW[2, 2] = CROP
    water, crop = (ClassMask(layer="land_cover", label=n, date=0) for n in ("water", "crop"))
    scene = one(ids_HW)
    view = drafts(COVERAGE_PERCENTAGE, scene)[0].view
    for a, b in ((water, crop), (crop, water)):
        with pytest.raises(Foreign, match="water covers under 3 %"):
            BOUNDARY_RELATIONSHIP.words(Border(a=a, b=b), Truth(True), scene, view)


def test_buildings_in_another_state_have_no_words(asked, make) -> None:
    levels = ["destroyed"] * 5 + ["major-damage"] * 3 + ["no-damage"] * 5
    (scene,) = asked(make.town("a", levels))
    draft = drafts(BUILDING_CHANGE_ESTIMATION, scene)[0]
    before = Instances(layer="footprint", label="building", date=0)
    worse, destroyed = (
        Instances(layer="footprint", label="building", date=1, attribute=state)
        for state in ("major-damage", "destroyed")
    )
    for program in (
        Count(of=worse),
        Div(a=Count(of=worse), b=Count(of=before)),
        Exists(of=destroyed),
    ):
        with pytest.raises(Foreign, match="asks of destroyed buildings"):
            BUILDING_CHANGE_ESTIMATION.words(program, draft.value, scene, draft.view)


def test_too_few_destroyed_have_no_words(asked, make) -> None:
    scenes = asked(
        make.town("a", ["destroyed"] * 5 + ["no-damage"] * 5),
        make.town("b", ["destroyed"] * 2 + ["no-damage"] * 8),
    )
    for draft in drafts(BUILDING_CHANGE_ESTIMATION, scenes[0]):
        assert isinstance(draft.program, Count | Div)
        with pytest.raises(Foreign, match="under 10 buildings"):
            BUILDING_CHANGE_ESTIMATION.words(draft.program, draft.value, scenes[1], draft.view)


def test_fixed_options_are_there_at_once_and_picked_ones_come_later(asked, granule) -> None:
    askings = [a for scene in asked(*granule) for a in propose(scene, BENCH_QUESTIONS, 0)]
    found = {item.asking.template.task: item for item in finish(askings, 0)}
    assert set(found) == {template.task for template in BENCH_QUESTIONS}
    for item in finish(askings, 0):
        fixed = bool(item.asking.draft.words.choices)
        assert len(item.options) == (item.asking.template.options_due if fixed else 0)

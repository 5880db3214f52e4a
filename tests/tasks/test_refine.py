"""What annotation and prediction share, worked by hand on a scene of 10 x 10 pixels of 10 m."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from masks.rle import decode, encode
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, SceneMask
from schemas.program import (
    Area,
    Border,
    ClassMask,
    Instances,
    Minus,
    Share,
    Valid,
    dump_program,
)
from tasks.annotation.predictions import Prediction
from tasks.annotation.settings import RefineSettings
from tasks.refine import RefinedScene, refine_row

MaskHW = NDArray[np.bool_]
CHECKED, PAPER = RefineSettings(), RefineSettings(policy="paper")
WATER = ClassMask(layer="cover", label="water", date=0)
TREES = ClassMask(layer="cover", label="trees", date=0)
LAND = Minus(a=Valid(layer="cover", date=0), b=WATER)


def columns(first: int, end: int) -> MaskHW:
    mask_HW = np.zeros((10, 10), np.bool_)
    mask_HW[:, first:end] = True
    return mask_HW


NONE: dict[str, MaskHW | None] = {"water": None}
WATER_HW, TREES_HW = columns(0, 5), columns(5, 10)  # half of the scene each, side by side


def scene(settings: RefineSettings, **predicted: MaskHW | None) -> RefinedScene:
    """Return the scene with predicted masks of its classes; of those left out nothing was asked."""
    masks = {"water": WATER_HW, "trees": TREES_HW}
    evidence = Evidence(
        size_HW=(10, 10),
        pixel_size_m=(10.0, 10.0),
        north_up=True,
        layers=(
            LayerInfo(
                layer="cover",
                date_index=0,
                product="map",
                invalid=Invalid.OTHER,
                classes=("water", "trees"),
            ),
        ),
        masks=tuple(
            SceneMask(
                kind=MaskKind.CLASS, layer="cover", label=label, date_index=0, counts=encode(mask)
            )
            for label, mask in masks.items()
        ),
    )
    found = {
        ("cover", label, 0): prediction(mask_HW, masks[label])
        for label, mask_HW in predicted.items()
    }
    return RefinedScene(evidence, found, settings)


def prediction(mask_HW: MaskHW | None, annotated_HW: MaskHW) -> Prediction:
    empty = mask_HW is None
    found_HW = np.zeros((10, 10), np.bool_) if mask_HW is None else mask_HW
    return Prediction(
        counts="" if empty else encode(found_HW).decode(),
        confidence=0.9,
        annotated_px=int(annotated_HW.sum()),
        predicted_px=int(found_HW.sum()),
        shared_px=int((found_HW & annotated_HW).sum()),
        regions_px=0,
    )


def mask_row(expr: Any, mask_HW: MaskHW, origin: str = "annotated") -> dict[str, Any]:
    counts = encode(mask_HW).decode()
    return {"counts": counts, "origin": origin, "iou": 1.0, "program": dump_program(expr)}


def question(program: Any, masks: list[dict[str, Any]], text: str, **answer: Any) -> dict[str, Any]:
    number = {"low": None, "high": None, **answer}
    return {
        "form": "open",
        "options": [],
        "program": dump_program(program),
        "masks": masks,
        "answer": {"text": text, **number},
    }


def test_above_the_floor_a_mask_is_what_both_share() -> None:
    cut = scene(CHECKED, water=columns(1, 6)).cut(mask_row(WATER, WATER_HW))  # 40 of 60: too few
    assert (cut.origin, cut.iou) == ("annotated", 1.0)
    assert cut.why == "annotated mask stays: IoU under the floor"
    cut = scene(CHECKED, water=columns(1, 5)).cut(mask_row(WATER, WATER_HW))  # 40 of 50
    assert (cut.origin, cut.iou) == ("intersection", pytest.approx(0.8))
    assert (decode(cut.counts.encode(), (10, 10)) == columns(1, 5)).all()


def test_what_a_prediction_has_beyond_the_annotation_is_no_part_of_the_mask() -> None:
    cut = scene(CHECKED, water=columns(0, 6)).cut(mask_row(WATER, WATER_HW))
    assert (cut.origin, cut.iou) == ("intersection", 1.0)
    assert (decode(cut.counts.encode(), (10, 10)) == WATER_HW).all()


def test_the_papers_policy_intersects_whatever_the_overlap_even_to_nothing() -> None:
    cut = scene(PAPER, water=columns(4, 9)).cut(mask_row(WATER, WATER_HW))
    assert (cut.origin, cut.iou) == ("intersection", pytest.approx(0.2))
    cut = scene(PAPER, water=columns(6, 9)).cut(mask_row(WATER, WATER_HW))
    assert (cut.origin, cut.iou, cut.why) == ("intersection", 0.0, "intersection is empty")


def test_whole_regions_are_kept_or_dropped_where_the_policy_says_so() -> None:
    """Two ponds; of one nothing is predicted, of the other all but an edge."""
    ponds_HW = columns(0, 1) | columns(2, 9)
    regions = RefineSettings(policy="regions")
    cut = scene(regions, water=columns(3, 9)).cut(mask_row(WATER, ponds_HW))  # 60 of 80
    assert (cut.origin, cut.iou) == ("intersection", pytest.approx(70 / 80))
    assert (decode(cut.counts.encode(), (10, 10)) == columns(2, 9)).all()
    assert scene(regions, water=columns(4, 9)).cut(mask_row(WATER, ponds_HW)).origin == "annotated"


@pytest.mark.parametrize("settings", [CHECKED, PAPER])
def test_a_class_that_was_not_predicted_stays_as_annotated(settings: RefineSettings) -> None:
    whys = {"a class that is not there": {}, "a class that was never learnt, or not shown": NONE}
    for why, predicted in whys.items():
        cut = scene(settings, **predicted).cut(mask_row(WATER, WATER_HW))
        assert (cut.origin, cut.why) == ("annotated", f"annotated mask stays: {why}")
        assert cut.counts == encode(WATER_HW).decode()


def test_boxes_and_objects_stay_as_annotated() -> None:
    predicted = scene(PAPER, water=columns(1, 5))
    assert predicted.cut(mask_row(WATER, WATER_HW, "box")).origin == "box"
    objects = Instances(layer="cover", label="water", date=0)
    cut = predicted.cut(mask_row(objects, WATER_HW))
    assert (cut.origin, cut.why) == (
        "annotated", "annotated mask stays: objects are not predicted"
    )  # fmt: skip


def test_what_is_left_of_the_scene_is_refined_by_what_is_predicted_of_the_class() -> None:
    cut = scene(CHECKED, water=columns(0, 6)).cut(mask_row(LAND, TREES_HW))  # 40 of 50
    assert (cut.origin, cut.iou) == ("intersection", pytest.approx(0.8))
    assert (decode(cut.counts.encode(), (10, 10)) == columns(6, 10)).all()


def test_an_answer_that_stays_within_its_margin_is_kept() -> None:
    program, masks = Area(of=WATER), [mask_row(WATER, WATER_HW)]
    row = question(program, masks, "5,000 m²", low=4000.0, high=6000.0)
    refined, why, other = refine_row(row, scene(CHECKED, water=columns(1, 5)))
    assert (why, other) == (["intersection"], "")
    assert refined["answer"] == row["answer"]
    assert refined["masks"][0]["origin"] == "intersection"


def test_an_answer_outside_its_margin_is_told() -> None:
    row = question(Area(of=WATER), [mask_row(WATER, WATER_HW)], "5,000 m²", low=4500.0, high=5500.0)
    assert (
        refine_row(row, scene(CHECKED, water=columns(1, 5)))[2]
        == "'4,000 m²' (exactly 4,000 m², outside of 4,500 m² to 5,500 m²)"
    )


def test_a_choice_is_kept_while_no_other_option_is_nearer() -> None:
    row = question(
        Share(of=WATER, within=Valid(layer="cover", date=0)),
        [mask_row(WATER, WATER_HW)],
        "50 %",
        low=0.5,
        high=0.5,
    )
    row |= {"form": "choice", "options": ["50 %", "20 %", "80 %"]}
    assert refine_row(row, scene(CHECKED, water=columns(1, 5)))[2] == ""
    row["options"] = ["50 %", "38 %"]
    assert (
        refine_row(row, scene(CHECKED, water=columns(1, 5)))[2]
        == "'40 %' (exactly 40 %, nearer to another option)"
    )


def test_a_border_that_the_intersection_opens_is_another_answer() -> None:
    masks = [mask_row(WATER, WATER_HW), mask_row(TREES, TREES_HW)]
    row = question(Border(a=WATER, b=TREES), masks, "Yes")
    assert refine_row(row, scene(CHECKED, water=WATER_HW, trees=TREES_HW))[2] == ""
    apart = scene(CHECKED, water=columns(0, 4), trees=columns(6, 10))
    assert refine_row(row, apart)[2]

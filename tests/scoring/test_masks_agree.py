"""Mask figures are those of pycocotools, on random masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from pycocotools import mask as coco

from tasks.scoring.item import TrueMask
from tasks.scoring.judged import judge
from tasks.scoring.prediction import PredictedMask, Prediction
from tests.scoring.conftest import item

pairs = array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


@settings(max_examples=150, deadline=None)
@given(pairs)
def test_iou_and_pixels_are_those_of_pycocotools(
    pair: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> None:
    codes = [coco.encode(np.asfortranarray(one.astype(np.uint8))) for one in pair]
    true, predicted = codes
    size = (pair[0].shape[0], pair[0].shape[1])
    one = judge(
        item(
            masks=(TrueMask(label="", image_index=0, counts=true["counts"]),),
            size_HW=size,
        ),
        Prediction(
            sample_id="a",
            masks=(PredictedMask(size=size, counts=predicted["counts"].decode()),),
        ),
    )
    step = one.steps[0]
    both = coco.area(coco.merge(codes, intersect=True)), coco.area(coco.merge(codes))
    assert (step.shared_px, step.either_px) == both
    if both[1]:  # pycocotools has no IoU of two empty masks
        assert step.iou == pytest.approx(float(coco.iou([predicted], [true], [0])[0, 0]))

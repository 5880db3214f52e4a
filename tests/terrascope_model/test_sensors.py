"""Which sensor's pictures are shown, and whose tokens follow a mask."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from schemas.trace import SEG
from terrascope_model.answer import Answerer, Asking
from terrascope_model.presets import tiny
from terrascope_model.sample import Picture, Sample, StepMask
from terrascope_model.sensors import Sensors, seen_by
from terrascope_model.tokens import REGION

TRACE = f"<think>I mark the water {SEG}. Image 2: trees {SEG}.</think><answer>Yes</answer>"
FIRST, FIRST_SAR, LATER = (
    Picture(image=Image.effect_noise((32, 32), 60 + n), modality=modality, date_index=date)
    for n, (modality, date) in enumerate([("optical", 0), ("sar", 0), ("optical", 1)])
)
HALF_HW = np.zeros((32, 32), np.bool_)
HALF_HW[:, :16] = True


def sample(*pictures: Picture, at: tuple[int, ...] = ()) -> Sample:
    return Sample(
        sample_id="s",
        pictures=pictures,
        question="Which is the larger?",
        trace=" ".join(f"{SEG}" for _ in at),
        masks=tuple(StepMask(picture=place, mask_HW=HALF_HW) for place in at),
    )


@pytest.mark.parametrize(
    ("sensors", "kept", "places"),
    [
        ("adaptive", (FIRST, LATER, FIRST_SAR), (0, 1)),
        ("concatenated", (FIRST, LATER, FIRST_SAR), (0, 1)),
        ("optical", (FIRST, LATER), (0, 1)),
        ("sar", (LATER, FIRST_SAR), (1, 0)),  # of the later date there is no radar picture
    ],
)
def test_a_date_shows_the_sensor_that_is_asked_for_and_masks_go_along(
    sensors: Sensors, kept: tuple[Picture, ...], places: tuple[int, ...]
) -> None:
    shown = seen_by(sample(FIRST, LATER, FIRST_SAR, at=(0, 1)), sensors)
    assert shown.pictures == kept
    assert tuple(mask.picture for mask in shown.masks) == places


@pytest.mark.parametrize(("sensors", "times"), [("adaptive", 1), ("concatenated", 2)])
@pytest.mark.parametrize("pictures", [(FIRST,), (FIRST, FIRST_SAR)])
def test_both_sensors_tokens_follow_a_mask_where_they_are_concatenated(
    sensors: Sensors, times: int, pictures: tuple[Picture, ...]
) -> None:
    """And the model takes them: a text with as many places as there are features."""
    model, processor = tiny([TRACE], seed=0, sensors=sensors)
    processor.sensors = sensors
    encoded = processor.encode(sample(*pictures, at=(0,)))
    region_id = processor.tokenizer.convert_tokens_to_ids(REGION)
    num_places = int((encoded.ids_T == region_id).sum())
    assert num_places == len(encoded.tokens[0]) * (times if len(pictures) > 1 else 1) > 0
    batch = processor.collate([encoded])
    assert torch.isfinite(model(**batch).loss)


def test_concatenated_tokens_are_the_optical_ones_then_the_radar_ones() -> None:
    model, processor = tiny([TRACE], seed=0, sensors="concatenated")
    processor.sensors = "concatenated"
    batch = processor.collate([processor.encode(sample(FIRST, FIRST_SAR, at=(0,)))])
    sight = model.look(batch["seen"])
    tokens_K = torch.tensor([3, 7])
    found = model.region_features(0, tokens_K, batch["seen"], sight)
    due = torch.cat([sight.of_image[0][tokens_K], sight.of_image[1][tokens_K]])
    assert torch.equal(found, due)


def test_masks_of_an_answer_are_numbered_as_the_pictures_that_were_given() -> None:
    """A model of radar alone segments the second picture, also where it is shown but one."""
    model, processor = tiny([TRACE], seed=0, sensors="sar")
    processor.sensors = "sar"
    seg_id = processor.tokenizer.convert_tokens_to_ids(SEG)

    class Marks(torch.nn.Module):
        def forward(self, hidden_BD: torch.Tensor) -> torch.Tensor:
            scores = torch.zeros(len(hidden_BD), len(processor.tokenizer))
            scores[:, seg_id] = 1
            return scores

    model.vlm.lm_head = Marks()
    asked = replace(sample(FIRST, FIRST_SAR), trace="")
    (answer,) = Answerer(model, processor).answer([asked], Asking(max_new_tokens=3, max_masks=1))
    assert [mask.picture for mask in answer.masks] == [1]

"""A model that starts from nothing learns in few steps to mark what is asked for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from schemas.trace import SEG
from terrascope_model.answer import Answerer, Asking
from terrascope_model.data import Samples
from terrascope_model.lexicon import Lexicon
from terrascope_model.presets import tiny_model, tiny_processor
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.sample import Picture, Sample, StepMask
from terrascope_model.settings import TrainSettings
from terrascope_model.shards import Place, Rows
from terrascope_model.stage import run_stage
from terrascope_model.trained_parts import set_trained

NUM_PICTURES, SIDE_PX, SQUARE_PX = 64, 64, 28
NAMES = ("the sea", "a wood")
STEPS = 300
SETTINGS = TrainSettings(stage1_steps=STEPS, stage2_steps=0, save_steps=STEPS)


class Squares(Samples):
    """A blue and a green square on grey; in turn one, the other, and both are asked for."""

    def __init__(self, processor: TerraScopeProcessor) -> None:
        super().__init__(Rows(Path("none"), ()), processor, 0)
        for _ in range(NUM_PICTURES):
            self._add(Place(0, 0, 0), 1, 1.0)

    def sample(self, number: int, epoch: int = 0) -> Sample:
        """Return a picture with one or two of its squares to be segmented."""
        drawn = np.random.default_rng(number)
        pixels = drawn.integers(90, 130, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
        masks = {}
        for channel, name in zip((2, 1), NAMES, strict=True):
            left = 0 if (channel == 2) == (drawn.random() < 0.5) else SIDE_PX // 2
            top = drawn.integers(0, SIDE_PX - SQUARE_PX)
            mask_HW = np.zeros((SIDE_PX, SIDE_PX), dtype=np.bool_)
            mask_HW[top : top + SQUARE_PX, left : left + SQUARE_PX] = True
            pixels[mask_HW, channel] = 220
            masks[name] = mask_HW
        asked = (NAMES[:1], NAMES[1:], NAMES)[(number + epoch) % 3]
        return Sample(
            sample_id=f"squares-{number}",
            pictures=(Picture(image=Image.fromarray(pixels)),),
            question=f"Please segment {' and '.join(asked)}.",
            trace=" ".join(f"I mark {name} {SEG}." for name in asked),
            masks=tuple(StepMask(picture=0, mask_HW=masks[name], name=name) for name in asked),
        )


@pytest.mark.full
def test_squares_are_marked_by_the_name_that_is_asked_for(tmp_path: Path) -> None:
    processor = tiny_processor([f"Please segment {n} and {n}. I mark {n}." for n in NAMES])
    model = tiny_model(processor, seed=0)
    model.lexicon = Lexicon(NAMES, model.ground.prompt_width)
    set_trained(model, "stage1", None, new_ids=[], computed=torch.float32)
    squares = Squares(processor)
    run_stage("stage1", model, processor, squares, tmp_path, STEPS, SETTINGS)
    model.lexicon = None
    held_out = [squares.sample(NUM_PICTURES + number) for number in range(18)]
    held_out = [sample for sample in held_out if len(sample.masks) == 1]  # two take more steps
    asked = [
        Sample(sample_id=s.sample_id, pictures=s.pictures, question=s.question) for s in held_out
    ]
    answers = Answerer(model, processor).answer(asked, Asking(max_new_tokens=32))
    for sample, answer in zip(held_out, answers, strict=True):
        assert answer.text == sample.trace
    ious = [
        (found.mask_HW & due.mask_HW).sum() / (found.mask_HW | due.mask_HW).sum()
        for sample, answer in zip(held_out, answers, strict=True)
        for found, due in zip(answer.masks, sample.masks, strict=True)
    ]
    assert np.mean(ious) > 0.8

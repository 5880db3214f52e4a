"""The weights that the demo goes on from fit the model that it trains."""

from pathlib import Path

import torch

from terrascope_model.presets import tiny
from terrascope_model.warm_start import start_from

BASE = Path(__file__).resolve().parents[2] / "bases" / "tiny"


def test_a_tiny_model_of_today_goes_on_from_the_base() -> None:
    model, processor = tiny(["Please segment the arable land."], seed=3)
    seen = model.ground.sam.vision_encoder
    before = {name: weight.clone() for name, weight in seen.named_parameters()}
    start_from(model, processor.tokenizer, BASE)
    moved = [name for name, weight in seen.named_parameters() if not weight.equal(before[name])]
    assert len(moved) == len(before)
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    assert all(weight.isfinite().all() for weight in model.parameters())

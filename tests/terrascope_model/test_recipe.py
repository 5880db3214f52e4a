"""Presets: how large they are, what they are told, and that joined weights can be trained."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from terrascope_model.configuration import RELEASED
from terrascope_model.model import TerraScopeModel
from terrascope_model.recipe import recipe
from terrascope_model.settings import TrainSettings
from terrascope_model.sizes import shape_config
from terrascope_model.trained_parts import PARTS, Lora, set_trained, trained_numbers


@pytest.fixture(scope="module")
def shape() -> TerraScopeModel:
    with torch.device("meta"):
        return TerraScopeModel(shape_config(image_token_id=1))


def test_the_parts_of_8b_are_as_large_as_published(shape: TerraScopeModel) -> None:
    """InternViT-300M, Qwen2.5-7B, SAM 2 hiera-large: 8.1 B and 0.2 B in the paper."""
    millions = {
        part: round(sum(p.numel() for p in of(shape).parameters()) / 1e6, 1)
        for part, of in PARTS.items()
    }
    assert millions == {
        "vision encoder": 304.0,
        "projector": 27.5,
        "language model": 7069.3,  # with its embeddings
        "embeddings": 543.6,
        "head": 543.6,
        "projection of [SEG]": 13.8,
        "ground encoder": 212.7,
        "mask decoder": 4.2,
    }


def test_lora_of_8b_trains_four_parts_in_a_hundred(shape: TerraScopeModel) -> None:
    lora = Lora(rank=128, alpha=256, dropout=0.05)
    set_trained(shape, "stage2", lora, new_ids=[2, 3], computed=torch.bfloat16)
    trained, whole = trained_numbers(shape)
    assert 0.03 < trained / whole < 0.05


def test_a_preset_brings_its_numbers_and_gives_way_to_what_is_said() -> None:
    settings = TrainSettings.model_validate({"preset": "shape-8b", "batch_size": 3})
    assert (settings.trained, settings.precision, settings.lora_rank) == ("parts", "bf16", 128)
    assert settings.batch_size == 3
    assert TrainSettings().trained == "all"


def test_released_numbers_reach_model_and_processor(dataset: Path) -> None:
    made = recipe(dataset, TrainSettings(numbers="released"))
    config = made.make().config
    assert {name: getattr(config, name) for name in RELEASED} == RELEASED
    assert made.processor.max_region_tokens == config.max_region_tokens == 8


def test_weights_are_asked_for_where_they_are_needed() -> None:
    with pytest.raises(ValidationError, match="internvl3-8b needs weights_vlm"):
        TrainSettings(preset="internvl3-8b")
    with pytest.raises(ValidationError, match="tiny has no use for weights_ground"):
        TrainSettings(weights_ground="somewhere")


def test_exposure_is_refused_where_facts_of_the_annotated_mask_are_put_in() -> None:
    for feedback in ("measure", "both", "none"):
        with pytest.raises(ValidationError, match="feedback"):
            TrainSettings(exposure=0.5, feedback=feedback)
    TrainSettings(exposure=0.5)

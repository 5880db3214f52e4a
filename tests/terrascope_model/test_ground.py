"""Both ground models do the same things behind the same interface."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from terrascope_model.generate import Decoding, generate
from terrascope_model.ground import GroundModel, best_masks
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import tiny_config
from terrascope_model.sam_ground import SamGround, SegmentAnythingConfig
from tests.terrascope_model.conftest import (
    EOS,
    IMAGE,
    REGION,
    SEG,
    VOCABULARY,
    Carried,
    left_padded,
    made_eager,
    prompt,
    see,
)

TINY_SAM = {
    "image_size": 128,
    "embed_dim": 32,
    "depth": 2,
    "num_heads": 2,
    "global_attn_indexes": [1],
    "window_size": 4,
    "prompt_width": 32,
    "mlp_dim": 64,
    "decoder_heads": 4,
}


def with_sam() -> TerraScopeModel:
    torch.manual_seed(0)
    config = tiny_config(
        vocab_size=VOCABULARY, image_token_id=IMAGE, seg_token_id=SEG, region_token_id=REGION
    )
    config.ground_config = SegmentAnythingConfig(**TINY_SAM)
    return TerraScopeModel(config).eval()


@pytest.fixture(params=["sam2", "segment_anything"])
def ground(request: pytest.FixtureRequest, model: TerraScopeModel) -> GroundModel:
    return model.ground if request.param == "sam2" else with_sam().ground


def test_prompts_on_several_images_get_the_masks_that_they_get_alone(ground: GroundModel) -> None:
    images = torch.randn(2, 3, 128, 128)
    prompts, places = torch.randn(3, ground.prompt_width), torch.tensor([1, 0, 1])
    with torch.no_grad():
        features = ground.encode(images)
        masks, iou = ground.decode(prompts, features, places, multimask=True)
        for number, place in enumerate(places.tolist()):
            alone = ground.encode(images[place, None])
            mask, sure = ground.decode(
                prompts[number, None], alone, torch.tensor([0]), multimask=True
            )
            assert torch.allclose(masks[number], mask[0], atol=1e-4)
            assert torch.allclose(iou[number], sure[0], atol=1e-4)
    assert masks.shape == (3, 32, 32)


def test_what_an_image_learns_from_many_masks_is_the_same_each_time(ground: GroundModel) -> None:
    """Training that was cut off goes on to the same end only if gradients are bit for bit so."""
    images = torch.randn(2, 3, 128, 128)
    prompts, places = torch.randn(24, ground.prompt_width), torch.tensor([1, 0] * 12)
    features = [part.detach().requires_grad_() for part in ground.encode(images)]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        learnt = []
        for _ in range(6):
            masks, _ = ground.decode(prompts, tuple(features), places, multimask=False)
            learnt.append(torch.autograd.grad(masks.square().sum(), features))
    finally:
        torch.set_num_threads(threads)
    for again in learnt[1:]:
        assert all(torch.equal(*pair) for pair in zip(learnt[0], again, strict=True))


def test_a_mask_teaches_the_prompt_the_decoder_and_the_encoder(ground: GroundModel) -> None:
    prompts = torch.randn(2, ground.prompt_width, requires_grad=True)
    masks, _ = ground.decode(
        prompts, ground.encode(torch.randn(1, 3, 128, 128)), torch.tensor([0, 0]), multimask=False
    )
    masks.sum().backward()
    assert prompts.grad is not None
    assert prompts.grad.abs().sum(1).min() > 0
    for part in (ground.encoder, ground.decoder):
        assert any(p.grad is not None and bool(p.grad.any()) for p in part.parameters())
    ground.zero_grad()


def test_of_three_masks_the_one_of_highest_predicted_iou_is_taken() -> None:
    masks = torch.arange(6.0).reshape(2, 3, 1, 1)
    found, iou = best_masks(masks, torch.tensor([[0.1, 0.9, 0.2], [0.5, 0.4, 0.3]]))
    assert found.flatten().tolist() == [1.0, 3.0]
    assert iou.tolist() == pytest.approx([0.9, 0.5])


def test_segment_anything_needs_no_torchvision() -> None:
    assert isinstance(with_sam().ground, SamGround)
    assert "torchvision" not in sys.modules


def test_a_model_with_segment_anything_is_saved_loaded_and_writes(tmp_path: Path) -> None:
    model = with_sam()
    torch.manual_seed(1)  # words that come to a [SEG]
    made_eager(model)
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path).eval()
    ids, attention = left_padded([prompt([Carried()], 0)])
    decoding = Decoding(eos_token_id=EOS, max_new_tokens=60)
    written = [
        generate(each, ids, attention, see([[Carried()]]), decoding)[0] for each in (model, loaded)
    ]
    assert written[0].ids == written[1].ids
    assert {tuple(each.mask_HW.shape) for each in written[1].segmented} == {Carried().size_HW}


def test_a_ground_model_that_is_not_known_is_refused(make_model: Callable[..., object]) -> None:
    config = tiny_config(vocab_size=VOCABULARY, image_token_id=IMAGE)
    config.ground_config = config.vlm_config
    with pytest.raises(ValueError, match="no ground model of the kind 'internvl'"):
        TerraScopeModel(config)

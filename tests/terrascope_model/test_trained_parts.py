"""Each stage trains its parts and no other, and leaves plain weights behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from terrascope_model.model import TerraScopeModel
from terrascope_model.trained_parts import (
    PARTS,
    STAGES,
    TRAINED,
    Lora,
    checkpoint_layers,
    compile_layers,
    merge,
    set_trained,
    trained_numbers,
)
from tests.terrascope_model.conftest import REGION, SEG
from tests.terrascope_model.reading import read

LORA = Lora(rank=4, alpha=8, dropout=0.0)
NEW_IDS = [SEG, REGION]
ROWS = [[3, 0], [5]]
Make = Callable[..., TerraScopeModel]


def learn(model: TerraScopeModel, steps: int = 1) -> None:
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = read(model, ROWS).loss
        assert loss is not None
        loss.backward()
        optimizer.step()


def parts_of(model: TerraScopeModel, stage: str, computed: torch.dtype = torch.float32) -> None:
    set_trained(model, stage, LORA, new_ids=NEW_IDS, computed=computed)


def weights(part: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in part.named_parameters()}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_changes_its_parts_and_no_other(make_model: Make, stage: str) -> None:
    model = make_model(max_region_tokens=6)
    before = {part: weights(of(model)) for part, of in PARTS.items()}
    parts_of(model, stage)
    learn(model, 2)  # LoRA's second factor begins as nothing, and so does the first's gradient
    merge(model)
    rows = {"embeddings", "head"}
    for part, of in PARTS.items():
        changed = {
            name for name, weight in weights(of(model)).items()
            if not torch.equal(weight, before[part][name])
        }  # fmt: skip
        if part == "language model":  # its embeddings are a part by themselves
            changed.discard("embed_tokens.weight")
        assert bool(changed) == (TRAINED[part][STAGES.index(stage)] != "frozen"), part
        if part in rows and changed:
            different = (weights(of(model))["weight"] != before[part]["weight"]).any(1)
            assert different.nonzero().flatten().tolist() == NEW_IDS


def test_the_loss_reaches_everything_that_is_trained(make_model: Make) -> None:
    """But what only chooses between several masks, and one of the two words that no text has."""
    model = make_model(max_region_tokens=6)
    parts_of(model, "stage2")
    learn(model, 2)
    untouched = {
        name
        for name, p in model.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.any())
    }
    idle = ("iou_", "obj_score", "output_hypernetworks_mlps.1", "output_hypernetworks_mlps.2",
            "output_hypernetworks_mlps.3")  # fmt: skip
    assert {name for name in untouched if not any(part in name for part in idle)} == set()
    frozen = [p for p in model.parameters() if not p.requires_grad]
    assert all(p.grad is None for p in frozen)


def test_without_lora_all_is_trained_but_what_looks_for_the_language_model_in_stage_1(
    make_model: Make,
) -> None:
    model = make_model()
    set_trained(model, "stage1", None, new_ids=NEW_IDS, computed=torch.float32)
    frozen = {
        part
        for part, of in PARTS.items()
        if not all(weight.requires_grad for weight in of(model).parameters())
    }
    assert frozen == {"vision encoder", "projector"}
    set_trained(model, "stage2", None, new_ids=NEW_IDS, computed=torch.float32)
    trained, whole = trained_numbers(model)
    assert trained == whole


def test_what_lora_learnt_is_in_the_saved_weights(make_model: Make, tmp_path: Path) -> None:
    model = make_model(max_region_tokens=6)
    parts_of(model, "stage2")
    learn(model, 2)
    model.eval()
    with torch.no_grad():
        due = read(model, ROWS)
        merge(model)
        model.save_pretrained(tmp_path)
        again = TerraScopeModel.from_pretrained(tmp_path).eval()
        found = read(again, ROWS)
    assert not [name for name in again.state_dict() if "lora" in name or "base" in name]
    torch.testing.assert_close(found.logits, due.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.mask_logits, due.mask_logits, rtol=0, atol=1e-4)


def test_what_is_trained_of_a_bf16_model_is_kept_in_float32(make_model: Make) -> None:
    model = make_model(max_region_tokens=6).to(torch.bfloat16)
    parts_of(model, "stage2", torch.bfloat16)
    dtypes = {(p.requires_grad, p.dtype) for p in model.parameters()}
    assert dtypes == {(True, torch.float32), (False, torch.bfloat16)}
    with torch.autocast("cpu", torch.bfloat16):
        learn(model, 1)
    merge(model)
    assert model.get_input_embeddings().weight.dtype == torch.bfloat16


def test_tied_rows_are_trained_as_one(make_model: Make) -> None:
    model = make_model(max_region_tokens=6)
    model.vlm.lm_head.weight = model.get_input_embeddings().weight
    parts_of(model, "stage2")
    learn(model)
    merge(model)
    assert model.vlm.lm_head.weight is model.get_input_embeddings().weight


@pytest.mark.filterwarnings("default")  # torch's compiler warns of itself
@pytest.mark.parametrize("also_compiled", [False, True])
def test_gradient_checkpointing_gives_the_same_gradients(
    make_model: Make, also_compiled: bool
) -> None:
    kept: list[dict[str, Tensor]] = []
    for checkpointed in (False, True):
        model = make_model(max_region_tokens=6).train()
        if checkpointed:
            checkpoint_layers(model)
            if also_compiled:
                compile_layers(model)
            assert model.vlm.model.language_model.layers[0].gradient_checkpointing
            assert model.vlm.model.vision_tower.encoder.layer[0].gradient_checkpointing
        loss = read(model, ROWS).loss
        assert loss is not None
        loss.backward()
        kept.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert kept[0].keys() == kept[1].keys()
    for name, gradient in kept[0].items():
        torch.testing.assert_close(kept[1][name], gradient, rtol=1e-5, atol=1e-6)

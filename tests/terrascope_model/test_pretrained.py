"""Weights of two models are joined into one that sees, segments and writes as they do."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import InternVLForConditionalGeneration, Sam2Model
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from schemas.trace import SEG
from terrascope_model import recipe
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import TINY_IMAGE_PX, tiny_config
from terrascope_model.pretrained import (
    WeightsError,
    ground_configuration,
    image_processor_of,
    joined,
    tokenizer_of,
    vlm_configuration,
)
from terrascope_model.settings import TrainSettings
from terrascope_model.tokens import ADDED, IMAGE, train_tokenizer
from terrascope_model.train import train
from terrascope_model.trained_parts import PARTS

VLM_SIZES = {"text_config": {"hidden_size": 128}, "vision_config": {"num_hidden_layers": 4}}
GROUND_SIZES = {"embed_dim_per_stage": [32, 64, 96, 128]}
TEXTS = ["Please segment the water and the trees."] * 3


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two folders as the hub has them; the tokenizer knows nothing of masks."""
    folder = tmp_path_factory.mktemp("weights")
    tokenizer = train_tokenizer(TEXTS, 400, added=())
    config = tiny_config(
        vocab_size=len(tokenizer), image_token_id=tokenizer.convert_tokens_to_ids(IMAGE)
    )
    torch.manual_seed(1)
    InternVLForConditionalGeneration(config.vlm_config).save_pretrained(folder / "vlm")
    tokenizer.save_pretrained(folder / "vlm")
    size = {"height": TINY_IMAGE_PX, "width": TINY_IMAGE_PX}
    GotOcr2ImageProcessorPil(size=size).save_pretrained(folder / "vlm")
    Sam2Model(config.ground_config).save_pretrained(folder / "ground")
    return str(folder / "vlm"), str(folder / "ground")


def join(vlm: str, ground: str, dtype: torch.dtype = torch.float32):
    tokenizer = tokenizer_of(vlm)
    configurations = (
        (vlm, vlm_configuration(vlm, VLM_SIZES)),
        (ground, ground_configuration(ground, GROUND_SIZES)),
    )
    model = joined(*configurations, tokenizer, dtype, multimask=False)
    return model.eval(), tokenizer


def test_a_joined_model_gives_what_its_parts_give(folders) -> None:
    model, tokenizer = join(*folders)
    vlm = InternVLForConditionalGeneration.from_pretrained(folders[0]).eval()
    sam = Sam2Model.from_pretrained(folders[1]).eval()
    drawn = torch.Generator().manual_seed(0)
    tiles = torch.randn(1, 3, TINY_IMAGE_PX, TINY_IMAGE_PX, generator=drawn)
    ids = torch.tensor(
        [tokenizer("water")["input_ids"] + [model.config.vlm_config.image_token_id] * 64]
    )
    with torch.no_grad():
        due = vlm(input_ids=ids, pixel_values=tiles).logits
        found = model.vlm(input_ids=ids, pixel_values=tiles).logits
        torch.testing.assert_close(found[..., : due.shape[-1]], due, rtol=0, atol=1e-6)
        maps = sam.get_image_embeddings(tiles)[-1]
        torch.testing.assert_close(model.ground.encode(tiles)[-1], maps, rtol=0, atol=1e-6)


def test_new_tokens_start_as_the_mean_of_the_others(folders) -> None:
    model, tokenizer = join(*folders)
    vlm = InternVLForConditionalGeneration.from_pretrained(folders[0])
    was = vlm.get_input_embeddings().weight.shape[0]
    ids = tokenizer.convert_tokens_to_ids(list(ADDED))
    assert sorted(ids) == list(range(was, was + len(ADDED)))
    assert model.config.seg_token_id == tokenizer.convert_tokens_to_ids(SEG)
    for mine, its in (
        (model.get_input_embeddings(), vlm.get_input_embeddings()),
        (model.vlm.lm_head, vlm.lm_head),
    ):
        torch.testing.assert_close(mine.weight[:was], its.weight)
        torch.testing.assert_close(mine.weight[ids], its.weight.mean(0).expand(len(ids), -1))


def test_a_joined_model_is_saved_and_loaded(folders, tmp_path: Path) -> None:
    model, _ = join(*folders)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    for (name, one), other in zip(
        model.state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_the_image_processor_takes_as_many_tiles_as_asked_for(folders) -> None:
    assert image_processor_of(folders[0], 6).max_patches == 6


def test_weights_that_do_not_fit_are_refused_by_name(folders, tmp_path: Path) -> None:
    vlm, ground = folders
    with pytest.raises(WeightsError, match=r"ground holds a model of the type 'sam2'; internvl"):
        vlm_configuration(ground, VLM_SIZES)
    with pytest.raises(WeightsError, match=r"vlm holds a model of the type 'internvl'; sam2 or"):
        ground_configuration(vlm, GROUND_SIZES)
    with pytest.raises(WeightsError, match=r"hidden_size is 128, the preset's 896"):
        vlm_configuration(vlm, {"text_config": {"hidden_size": 896}})
    with pytest.raises(WeightsError, match=r"embed_dim_per_stage is .* another size"):
        ground_configuration(ground, {"embed_dim_per_stage": [144, 288, 576, 1152]})
    with pytest.raises(WeightsError, match=r"none is no folder or hub id"):
        vlm_configuration(str(tmp_path / "none"), VLM_SIZES)


def test_a_folder_without_weights_or_tokenizer_is_refused(folders, tmp_path: Path) -> None:
    shutil.copytree(folders[0], tmp_path / "vlm")
    (tmp_path / "vlm" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="the weights cannot be read"):
        join(str(tmp_path / "vlm"), folders[1])
    (tmp_path / "vlm" / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match="the tokenizer cannot be read"):
        tokenizer_of(str(tmp_path / "vlm"))


def test_weights_of_another_configuration_are_refused(folders, tmp_path: Path) -> None:
    shutil.copytree(folders[0], tmp_path / "vlm")
    path = tmp_path / "vlm" / "config.json"
    config = json.loads(path.read_text())
    config["text_config"]["intermediate_size"] = 320
    path.write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"12 weights are mismatched, .* another configuration"):
        join(str(tmp_path / "vlm"), folders[1])


def test_weights_for_video_have_what_an_image_needs(folders, tmp_path: Path) -> None:
    shutil.copytree(folders[1], tmp_path / "video")
    path = tmp_path / "video" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_type": "sam2_video"}))
    model, _ = join(folders[0], str(tmp_path / "video"))
    due, _ = join(*folders)
    for (name, one), other in zip(
        due.ground.state_dict().items(), model.ground.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_joined_weights_are_trained_in_parts_and_saved_whole(
    folders, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "vlm_sizes", lambda size: VLM_SIZES)
    monkeypatch.setattr(recipe, "ground_sizes", lambda: GROUND_SIZES)
    settings = TrainSettings(
        preset="internvl3-1b",
        weights_vlm=folders[0],
        weights_ground=folders[1],
        stage1_steps=2,
        stage2_steps=2,
        accumulated=2,
        workers=0,
        max_tiles=1,
        lora_rank=4,
        eval_pictures=2,
    )
    report = train(dataset, tmp_path, settings)
    assert report["iou"][0]["name"] == "all"
    model = TerraScopeModel.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    assert not [name for name in model.state_dict() if "lora" in name]
    start, _ = join(*folders, dtype=torch.bfloat16)
    same = {
        part
        for part, of in PARTS.items()
        if all(
            torch.equal(one, other)
            for one, other in zip(of(model).parameters(), of(start).parameters(), strict=True)
        )
    }
    assert same == {"vision encoder", "ground encoder"}

"""Published weights of InternVL3 and SAM 2, joined into one model."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from huggingface_hub.errors import HFValidationError
from torch import Tensor, nn
from transformers import (
    AutoTokenizer,
    InternVLConfig,
    InternVLForConditionalGeneration,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Sam2Config,
    Sam2Model,
)
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from schemas.trace import SEG
from terrascope_model.configuration import TerraScopeConfig
from terrascope_model.ground import Sam2Ground
from terrascope_model.model import TerraScopeModel
from terrascope_model.processor import MARKS
from terrascope_model.tokens import IMAGE, REGION, add_tokens

Sizes = Mapping[str, Mapping[str, Any]]


class WeightsError(ValueError):
    """Weights that a model cannot be made of; it names folder or hub id, and what differs."""


def vlm_configuration(weights: str, sizes: Sizes) -> InternVLConfig:
    """Return the configuration of InternVL3's weights.

    WeightsError where it cannot be read, is of another model, or has other sizes.
    """
    config = _configuration(InternVLConfig, weights, ("internvl",))
    assert isinstance(config, InternVLConfig)
    for part, due in sizes.items():
        _compare(weights, f"{part}.", getattr(config, part), due)
    return config


def ground_configuration(weights: str, sizes: Mapping[str, Any]) -> Sam2Config:
    """Return the configuration of SAM 2's weights, those for videos too; WeightsError as above."""
    config = _configuration(Sam2Config, weights, ("sam2", "sam2_video"))
    assert isinstance(config, Sam2Config)
    backbone = config.vision_config.backbone_config  # type: ignore[union-attr]
    _compare(weights, "vision_config.backbone_config.", backbone, sizes)
    # else what is decoded differs between training and test
    config.mask_decoder_config.dynamic_multimask_via_stability = False  # type: ignore[union-attr]
    return config


def tokenizer_of(weights: str) -> PreTrainedTokenizerBase:
    """Return InternVL3's tokenizer with our tokens; WeightsError where it is another model's."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{weights}: the tokenizer cannot be read: {_told(error)}") from error
    missing = [mark for mark in MARKS if mark not in tokenizer.get_vocab()]
    if missing:
        raise WeightsError(f"{weights}: its tokenizer has no {missing[0]}; InternVL3's has it")
    add_tokens(tokenizer)
    return tokenizer


def image_processor_of(weights: str, max_tiles: int) -> GotOcr2ImageProcessorPil:
    """Return InternVL3's image processor, for so many tiles; WeightsError where there is none."""
    try:
        return GotOcr2ImageProcessorPil.from_pretrained(
            weights, crop_to_patches=max_tiles > 1, min_patches=1, max_patches=max_tiles
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{weights}: the image processor cannot be read: {_told(error)}"
        ) from error


def joined(
    vlm: tuple[str, InternVLConfig],
    ground: tuple[str, Sam2Config],
    tokenizer: PreTrainedTokenizerBase,
    dtype: torch.dtype,
    **joined_fields: Any,
) -> TerraScopeModel:
    """Return a model of both weights; the rows of new tokens start as the mean of all others.

    The projection of [SEG] has learnt nothing. `joined_fields` are fields of `TerraScopeConfig`.
    WeightsError where weights are missing, or do not have the sizes that their configuration says.
    """
    eyes = _loaded(InternVLForConditionalGeneration, *vlm, dtype)
    masks = _loaded(Sam2Model, *ground, dtype)
    vocabulary = tokenizer.get_vocab()
    if eyes.config.image_token_id != vocabulary[IMAGE]:
        raise WeightsError(
            f"{vlm[0]}: its configuration places images by the token "
            f"{eyes.config.image_token_id}, its tokenizer by {vocabulary[IMAGE]}"
        )
    _add_rows(eyes, len(tokenizer))
    config = TerraScopeConfig(
        vlm_config=eyes.config,
        ground_config=masks.config,
        seg_token_id=vocabulary[SEG],
        region_token_id=vocabulary[REGION],
        **joined_fields,
    )
    with torch.device("meta"):
        model = TerraScopeModel(config)
    assert isinstance(model.ground, Sam2Ground)
    model.vlm, model.ground.sam = eyes, masks
    model.seg_projection = model.seg_projection.to_empty(device="cpu").to(dtype)
    for layer in model.seg_projection:
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    return model


def _configuration(
    kind: type[PreTrainedConfig], weights: str, model_types: tuple[str, ...]
) -> PreTrainedConfig:
    try:
        tree, _ = kind.get_config_dict(weights)
    except (OSError, ValueError, HFValidationError) as error:
        raise WeightsError(
            f"{weights} is no folder or hub id whose config.json can be read: {_told(error)}"
        ) from error
    found = tree.get("model_type")
    if found not in model_types:
        raise WeightsError(
            f"{weights} holds a model of the type {found!r}; {' or '.join(model_types)} is due"
            + ("; the hub has InternVL3 in this form as -hf" if "internvl" in str(found) else "")
        )
    return kind.from_dict({**tree, "model_type": model_types[0]})


def _compare(weights: str, where: str, config: Any, due: Mapping[str, Any]) -> None:
    for field, wanted in due.items():
        found = getattr(config, field, None)
        if found != wanted:
            raise WeightsError(
                f"{weights}: {where}{field} is {found}, the preset's {wanted}; these are the "
                "weights of another size"
            )


def _loaded(
    kind: type[PreTrainedModel], weights: str, config: PreTrainedConfig, dtype: torch.dtype
) -> Any:
    model: Any
    told: dict[str, Any]
    try:
        # with loading information, two things are returned
        model, told = kind.from_pretrained(  # type: ignore[misc]
            weights,
            config=config,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told all at once below
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{weights}: the weights cannot be read: {_told(error)}") from error
    for fault in ("missing_keys", "mismatched_keys"):
        names = sorted(map(str, told[fault]))
        if names:
            raise WeightsError(
                f"{weights}: {len(names)} weights are {fault.removesuffix('_keys')}, {names[0]} "
                "among them; the folder is not whole, or of another configuration"
            )
    return model


def _add_rows(vlm: InternVLForConditionalGeneration, num_tokens: int) -> None:
    """Give embeddings and head a row for each new token; a padded vocabulary has room already."""
    was = vlm.config.text_config.vocab_size  # type: ignore[union-attr]
    if num_tokens <= was:
        return
    vlm.resize_token_embeddings(num_tokens, mean_resizing=False)
    with torch.no_grad():
        for part in (vlm.get_input_embeddings(), vlm.lm_head):
            rows_VD = cast(Tensor, part.weight)
            rows_VD[was:] = rows_VD[:was].float().mean(0).to(rows_VD.dtype)


def _told(error: Exception) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())

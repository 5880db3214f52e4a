"""The sizes of the published parts: InternVL3 of two sizes, and SAM 2 hiera-large."""

from typing import Any, Literal

from transformers import InternVLConfig, Sam2Config

from terrascope_model.configuration import TerraScopeConfig
from terrascope_model.tokens import ADDED

VlmSize = Literal["1b", "8b"]

POSITIONS = 32_768  # of a text
VOCABULARY = 151_674  # of InternVL3's tokenizer; our own tokens come after it

# Qwen2.5-0.5B and -7B
_TEXT: dict[VlmSize, dict[str, int]] = {
    "1b": {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
    },
    "8b": {
        "hidden_size": 3584,
        "intermediate_size": 18_944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
}
# InternViT-300M
_VISION = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
}
# SAM 2 and 2.1, hiera-large
_HIERA = {
    "hidden_size": 144,
    "num_attention_heads": 2,
    "blocks_per_stage": [2, 6, 36, 4],
    "embed_dim_per_stage": [144, 288, 576, 1152],
    "num_attention_heads_per_stage": [2, 4, 8, 16],
    "window_size_per_stage": [8, 4, 16, 8],
    "global_attention_blocks": [23, 33, 43],
}


def vlm_sizes(size: VlmSize) -> dict[str, dict[str, int]]:
    """Return what a configuration of InternVL3 has to have, by part and field."""
    return {"text_config": _TEXT[size], "vision_config": _VISION}


def ground_sizes() -> dict[str, Any]:
    """Return what the backbone's configuration of SAM 2 has to have, by field."""
    return _HIERA


def internvl3_config(size: VlmSize, *, vocab_size: int, image_token_id: int) -> InternVLConfig:
    """Return InternVL3 of a size, with a vocabulary of its own."""
    text = {
        "model_type": "qwen2",
        "max_position_embeddings": POSITIONS,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
        "vocab_size": vocab_size,
        "bos_token_id": None,
        "tie_word_embeddings": False,
        **_TEXT[size],
    }
    return InternVLConfig(
        text_config=text,
        vision_config={**_VISION, "attention_bias": True},
        image_token_id=image_token_id,
        tie_word_embeddings=False,
    )


def sam2_large_config() -> Sam2Config:
    """Return SAM 2 hiera-large, for images of 1024 x 1024 pixels and masks of 256 x 256."""
    return Sam2Config(
        vision_config={
            "backbone_config": {"model_type": "sam2_hiera_det_model", **_HIERA},
            "backbone_channel_list": [1152, 576, 288, 144],
        },
        # else what is decoded differs between training and test
        mask_decoder_config={"dynamic_multimask_via_stability": False},
    )


def shape_config(*, image_token_id: int, **joined: Any) -> TerraScopeConfig:
    """Return the configuration of `shape-8b`; `joined` are fields of `TerraScopeConfig`."""
    vocab_size = VOCABULARY + len(ADDED)
    return TerraScopeConfig(
        vlm_config=internvl3_config("8b", vocab_size=vocab_size, image_token_id=image_token_id),
        ground_config=sam2_large_config(),
        **joined,
    )

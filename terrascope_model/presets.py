"""The model that is trained from nothing on two cores: `tiny`."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from transformers import InternVLConfig, Sam2Config, set_seed
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention

from schemas.trace import SEG
from terrascope_model.configuration import TerraScopeConfig
from terrascope_model.model import TerraScopeModel
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.tokens import IMAGE, REGION, train_tokenizer

TINY_SIDE = 8  # visual tokens along the side of a tiny model's tile
TINY_IMAGE_PX = 128
TINY_MASK_PX = 32
TINY_PROMPT = 256  # numbers; an eighth of them tell mask pixels apart, and 8 are too few for that
TINY_POSITIONS = 4096  # of a text
TINY_VOCABULARY = 1500  # tokens at most; the names of all classes of a dataset are a few each
TINY_REGION = 16  # visual tokens of a mask at most, of the 64 that an image has
_ALIKE = 0.7  # how sharply tokens are told apart at first, times the usual deviation


def tiny_config(*, vocab_size: int, image_token_id: int, **joined: Any) -> TerraScopeConfig:
    """Return a configuration of about four million parameters, to be trained from nothing on a CPU.

    One tile of 128 x 128 pixels is 8 x 8 visual tokens; masks are decoded at 32 x 32. `joined` are
    fields of `TerraScopeConfig`, its token ids among them.
    """
    vlm = InternVLConfig(
        text_config={
            "model_type": "qwen2",
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": TINY_POSITIONS,
            "vocab_size": vocab_size,
            "bos_token_id": None,
            "tie_word_embeddings": True,  # or a word is hardly written because the question has it
        },
        vision_config={
            "hidden_size": 128,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "intermediate_size": 256,
            "image_size": [TINY_IMAGE_PX, TINY_IMAGE_PX],
            "patch_size": [8, 8],
            "layer_scale_init_value": 1.0,
            "use_mean_pooling": False,
        },
        image_token_id=image_token_id,
        image_seq_length=TINY_SIDE**2,
        downsample_ratio=0.5,
        tie_word_embeddings=True,
    )
    sam2 = Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 32,
                "num_attention_heads": 1,
                "image_size": [TINY_IMAGE_PX, TINY_IMAGE_PX],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [32, 64, 96, 128],
                "num_attention_heads_per_stage": [1, 2, 4, 4],
                "window_size_per_stage": [8, 4, 8, 4],
                # not the first block of a stage: its window has the size 0
                "global_attention_blocks": [3],
                "mlp_ratio": 2.0,
            },
            "backbone_channel_list": [128, 96, 64, 32],
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
            "fpn_hidden_size": TINY_PROMPT,
        },
        prompt_encoder_config={
            "hidden_size": TINY_PROMPT,
            "image_size": TINY_IMAGE_PX,
            "patch_size": 16,
        },
        mask_decoder_config={
            "hidden_size": TINY_PROMPT,
            "mlp_dim": TINY_PROMPT,
            "num_attention_heads": 4,
            "iou_head_hidden_dim": 64,
            # else what is decoded differs between training and test
            "dynamic_multimask_via_stability": False,
        },
    )
    return TerraScopeConfig(vlm_config=vlm, ground_config=sam2, multimask=False, **joined)


def start_from_scratch(model: TerraScopeModel) -> None:
    """Give a model other first weights than transformers does, for it learns from nothing.

    Those of transformers (a deviation of 0.02 everywhere) hardly learn without published weights.
    With PyTorch's own ones mean IoU after 500 steps was 0.74 in place of 0.40; a projection so
    small says nothing. Words as long as a visual token's features are read beside those: after 300
    steps on named classes 79 % of texts named the class asked for, in place of 37 % (and of 26 %
    where the head has weights of its own).
    """
    language = model.vlm.model.language_model
    for part in (model.ground, model.seg_projection, language):
        for module in part.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.LayerNorm):
                module.reset_parameters()
    width = model.config.vlm_config.text_config.hidden_size
    nn.init.normal_(model.vlm.lm_head.weight, std=width**-0.5)  # the embeddings' too
    for layer in language.layers:
        _attend_to_alike(layer.self_attn, width)


def _attend_to_alike(attention: Qwen2Attention, width: int) -> None:
    """Let each token attend to those like it at first, and take from them what they are.

    That is where attention gets to in a trained model ("Mimetic Initialization of Self-Attention
    Layers", Trockman and Kolter, 2023); so fewer texts are needed until the name of a class is
    copied from a question.
    """
    nn.init.normal_(attention.q_proj.weight, std=_ALIKE * width**-0.5)
    nn.init.orthogonal_(attention.v_proj.weight)
    with torch.no_grad():
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        attention.o_proj.weight.copy_(attention.v_proj.weight.T)


def tiny_processor(texts: Iterable[str]) -> TerraScopeProcessor:
    """Return the processor of a tiny model, whose words come from `texts`."""
    size = {"height": TINY_IMAGE_PX, "width": TINY_IMAGE_PX}
    return TerraScopeProcessor(
        GotOcr2ImageProcessorPil(size=size, crop_to_patches=False, max_patches=1),
        train_tokenizer(texts, TINY_VOCABULARY),
        ground_px=TINY_IMAGE_PX,
        mask_px=TINY_MASK_PX,
        token_side=TINY_SIDE,
        max_region_tokens=TINY_REGION,
        system_prompt="",
        standardised=True,
    )


def tiny_model(processor: TerraScopeProcessor, *, seed: int, **joined: Any) -> TerraScopeModel:
    """Return a tiny model that has learnt nothing; `joined` are fields of `TerraScopeConfig`."""
    tokenizer = processor.tokenizer
    image_id, seg_id, region_id = (tokenizer.get_vocab()[token] for token in (IMAGE, SEG, REGION))
    # from nothing, masks are learnt as fast as words only at their full weight
    weights = {"bce_weight": 1.0, "dice_weight": 1.0, "max_region_tokens": TINY_REGION}
    config = tiny_config(
        vocab_size=len(tokenizer),
        image_token_id=image_id,
        seg_token_id=seg_id,
        region_token_id=region_id,
        **{**weights, **joined},
    )
    set_seed(seed)
    model = TerraScopeModel(config)
    start_from_scratch(model)
    return model


def tiny(
    texts: Iterable[str], *, seed: int, **joined: Any
) -> tuple[TerraScopeModel, TerraScopeProcessor]:
    """Return a tiny model that has learnt nothing, and its processor; words come from `texts`."""
    processor = tiny_processor(texts)
    return tiny_model(processor, seed=seed, **joined), processor

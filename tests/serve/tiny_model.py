"""Make a tiny InternVL with random weights that vLLM can serve: python tiny_model.py FOLDER.

Run with the serving environment's Python: it needs PyTorch and transformers, nothing of ours.
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    GotOcr2ImageProcessorPil,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    PreTrainedTokenizerFast,
)

IMAGE_PX = 112
PATCH_PX = 14
IMAGE_TOKENS = (IMAGE_PX // PATCH_PX // 2) ** 2
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<img>",
    "</img>",
    "<IMG_CONTEXT>",
    "<video>",
    "[SEG]",
)
CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else -%}
{%- for part in message['content'] -%}
{%- if part['type'] in ('image', 'image_url') %}<IMG_CONTEXT>
{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif -%}
{%- endfor -%}
{%- endif %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte: nothing to train, and every text can be written."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    )


def processor(tokenizer: PreTrainedTokenizerFast) -> InternVLProcessor:
    size = {"height": IMAGE_PX, "width": IMAGE_PX}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessorPil(size=size, crop_to_patches=False),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=IMAGE_TOKENS,
        chat_template=CHAT_TEMPLATE,
    )


def model(tokenizer: PreTrainedTokenizerFast) -> InternVLForConditionalGeneration:
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = InternVLConfig(
        vision_config={
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": [IMAGE_PX, IMAGE_PX],
            "patch_size": [PATCH_PX, PATCH_PX],
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 16_384,
            "tie_word_embeddings": False,
            **ends,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=IMAGE_TOKENS,
        downsample_ratio=0.5,
    )
    made = InternVLForConditionalGeneration(config)
    made.generation_config = GenerationConfig(**ends)
    return made


def main(folder: Path) -> None:
    torch.manual_seed(0)
    tokenizer = byte_tokenizer()
    model(tokenizer).save_pretrained(folder)
    processor(tokenizer).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

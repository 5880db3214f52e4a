"""The model that settings name, and its processor."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    InternVLConfig,
    PreTrainedTokenizerBase,
    Sam2Config,
    Sam2PromptEncoderConfig,
    set_seed,
)
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from schemas.trace import SEG
from terrascope_model.configuration import RELEASED, TerraScopeConfig
from terrascope_model.model import TerraScopeModel
from terrascope_model.presets import TINY_POSITIONS, TINY_REGION, tiny_model, tiny_processor
from terrascope_model.pretrained import (
    ground_configuration,
    image_processor_of,
    joined,
    tokenizer_of,
    vlm_configuration,
)
from terrascope_model.processor import TerraScopeProcessor
from terrascope_model.settings import TrainSettings
from terrascope_model.shards import Rows
from terrascope_model.sizes import (
    POSITIONS,
    VlmSize,
    ground_sizes,
    shape_config,
    vlm_sizes,
)
from terrascope_model.tokens import IMAGE, REGION, train_tokenizer
from terrascope_model.warm_start import start_from

MASK_PX_A_PATCH = 4  # along the side of a patch, of SAM 2's masks
SHAPE_TOKENS = 8000  # of the tokenizer of `shape-8b`, whose vocabulary is as large as InternVL3's


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A processor, and how its model is made: always the same one.

    Attributes:
        processor: Its processor.
        make: Makes it.
        num_positions: Tokens that a text can have.
    """

    processor: TerraScopeProcessor
    make: Callable[[], TerraScopeModel]
    num_positions: int


def recipe(dataset: Path, settings: TrainSettings) -> Recipe:
    """Return how the settings' model is made; nothing large is read yet.

    Raises:
        DataError: no text can be read from the dataset.
        WeightsError: the weights are not those of the preset.
    """
    match settings.preset:
        case "tiny":
            made = _tiny(dataset, settings)
        case "shape-8b":
            made = _shape(dataset, settings)
        case "internvl3-1b" | "internvl3-8b":
            made = _pretrained(settings)
    return _started(made, Path(settings.start)) if settings.start else made


def _started(made: Recipe, folder: Path) -> Recipe:
    def make() -> TerraScopeModel:
        model = made.make()
        start_from(model, made.processor.tokenizer, folder)
        return model

    return replace(made, make=make)


def texts_of(dataset: Path) -> Iterator[str]:
    """Yield all that is asked and written in a dataset's training rows.

    DataError where there are none, or a shard cannot be read.
    """
    columns = ("question", "options", "trace", "split")
    for _, row in Rows(dataset, columns).index("train", columns):
        yield from (row["question"], row["trace"], *row["options"])
    yield "Please segment the"


def _joined_fields(settings: TrainSettings) -> dict[str, Any]:
    """Return the fields of `TerraScopeConfig` that settings say."""
    released = RELEASED if settings.numbers == "released" else {}
    return {
        **released,
        "exposure": settings.exposure,
        "feedback": settings.feedback,
        "sensors": settings.sensors,
    }


def _tiny(dataset: Path, settings: TrainSettings) -> Recipe:
    fields = _joined_fields(settings)
    processor = tiny_processor(sorted(set(texts_of(dataset))))
    processor.feedback, processor.sensors = settings.feedback, settings.sensors
    processor.max_region_tokens = fields.get("max_region_tokens", TINY_REGION)
    return Recipe(
        processor=processor,
        make=lambda: tiny_model(processor, seed=settings.seed, **fields),
        num_positions=TINY_POSITIONS,
    )


def _shape(dataset: Path, settings: TrainSettings) -> Recipe:
    """Return 8B sizes with random weights; its words are few, its vocabulary InternVL3's."""
    fields = _joined_fields(settings)
    tokenizer = train_tokenizer(sorted(set(texts_of(dataset))), SHAPE_TOKENS)
    size = {"height": 448, "width": 448}
    images = GotOcr2ImageProcessorPil(
        size=size, crop_to_patches=settings.max_tiles > 1, max_patches=settings.max_tiles
    )
    vocabulary = tokenizer.get_vocab()
    config = shape_config(
        image_token_id=vocabulary[IMAGE],
        seg_token_id=vocabulary[SEG],
        region_token_id=vocabulary[REGION],
        **fields,
    )

    def make() -> TerraScopeModel:
        set_seed(settings.seed)
        with default_dtype(_dtype(settings)):
            return TerraScopeModel(config)

    return Recipe(
        processor=_large_processor(images, tokenizer, config),
        make=make,
        num_positions=POSITIONS,
    )


def _pretrained(settings: TrainSettings) -> Recipe:
    fields = _joined_fields(settings)
    size: VlmSize = "1b" if settings.preset == "internvl3-1b" else "8b"
    vlm = vlm_configuration(settings.weights_vlm, vlm_sizes(size))
    ground = ground_configuration(settings.weights_ground, ground_sizes())
    tokenizer = tokenizer_of(settings.weights_vlm)
    images = image_processor_of(settings.weights_vlm, settings.max_tiles)

    def make() -> TerraScopeModel:
        set_seed(settings.seed)
        return joined(
            (settings.weights_vlm, vlm),
            (settings.weights_ground, ground),
            tokenizer,
            _dtype(settings),
            **fields,
        )

    sizes = TerraScopeConfig(vlm_config=vlm, ground_config=ground, **fields)
    return Recipe(
        processor=_large_processor(images, tokenizer, sizes),
        make=make,
        num_positions=vlm.text_config.max_position_embeddings,  # type: ignore[union-attr]
    )


def _large_processor(
    images: GotOcr2ImageProcessorPil, tokenizer: PreTrainedTokenizerBase, config: TerraScopeConfig
) -> TerraScopeProcessor:
    assert isinstance(config.vlm_config, InternVLConfig)
    assert isinstance(config.ground_config, Sam2Config)
    prompts = cast(Sam2PromptEncoderConfig, config.ground_config.prompt_encoder_config)
    image_px, patch_px = cast(int, prompts.image_size), cast(int, prompts.patch_size)
    return TerraScopeProcessor(
        images,
        tokenizer,
        ground_px=image_px,
        mask_px=MASK_PX_A_PATCH * image_px // patch_px,
        token_side=math.isqrt(config.vlm_config.image_seq_length),
        max_region_tokens=config.max_region_tokens,
        feedback=config.feedback,
        sensors=config.sensors,
    )


def _dtype(settings: TrainSettings) -> torch.dtype:
    return torch.bfloat16 if settings.precision == "bf16" else torch.float32


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Let new tensors of floating point have a type."""
    was = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(was)

"""What a step of LoRA training of `shape-8b` costs, counted from its sizes: bytes and operations.

The model is made on the meta device, so that every weight is counted and none exists. Layers keep
their input and are computed again (`gradient_checkpointing`), what is frozen is kept in bf16, what
is trained in float32 with its gradient and two moments of Adam. Operations are those that a step
needs, two a weight and token in each direction; what is computed again is not among them, as in
the usual model FLOPs utilisation. Of frozen linear layers only the gradient of their input is
needed. Scores are those of the tokens that are no image's, as if all of these were learnt.
D = model width, L = layers, T = tokens, V = vocabulary.

    .venv/bin/python benchmarks/on_paper.py [--batch-size 4] [--length 2048]
"""

import argparse
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import InternVLConfig, Qwen2Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from terrascope_model.model import TerraScopeModel  # noqa: E402
from terrascope_model.sizes import shape_config  # noqa: E402
from terrascope_model.trained_parts import Lora, set_trained  # noqa: E402

LORA = Lora(rank=128, alpha=256, dropout=0.05)
NEW_IDS = list(range(8))
GIB = 2**30
PEAK_FLOPS = 989e12  # dense bf16 of an H100 or H200 (SXM), by the maker's data sheet
ASSUMED_UTILISATION = 0.45  # of it, for a step's time on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of a step at its peak, by what they are for."""

    frozen: int
    trained: int
    gradients: int
    moments: int
    layer_inputs: int
    one_layer: int
    scores: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a step goes over: rows of so many tokens, tiles and ground images."""

    rows: int
    length: int
    tiles: int
    images: int

    @property
    def tokens(self) -> int:
        """Tokens of a step, padding and regions among them."""
        return self.rows * self.length

    def scored(self, tile_tokens: int) -> int:
        """Return the tokens of a step that are no image's, of so many a tile."""
        return self.tokens - self.tiles * tile_tokens


def main() -> None:
    """Print memory and time of a step on paper."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--length", type=int, default=2048)
    given = parser.parse_args()
    shape = Shape(
        rows=given.batch_size, length=given.length, tiles=5 * given.batch_size,
        images=given.batch_size,
    )  # fmt: skip
    with torch.device("meta"):
        model = TerraScopeModel(shape_config(image_token_id=1))
    set_trained(model, "stage2", LORA, new_ids=NEW_IDS, computed=torch.bfloat16)
    spent = memory(model, shape)
    for field in fields(spent):
        print(f"{field.name:<14} {getattr(spent, field.name) / GIB:6.1f} GiB")
    print(f"{'total':<14} {spent.total / GIB:6.1f} GiB")
    operations = step_flops(model, shape)
    seconds = operations / (ASSUMED_UTILISATION * PEAK_FLOPS)
    print(f"operations     {operations / 1e12:6.1f} TFLOP a step of {shape.tokens:,} tokens, "
          f"{operations / shape.tokens / 1e9:.1f} GFLOP a token")  # fmt: skip
    print(f"step           {seconds:6.2f} s at {ASSUMED_UTILISATION:.0%} of "
          f"{PEAK_FLOPS / 1e12:.0f} TFLOP/s, {shape.tokens / seconds:,.0f} tokens/s")  # fmt: skip


def memory(model: TerraScopeModel, shape: Shape) -> Memory:
    """Return the bytes of a step of a model whose parts are set as they are trained."""
    text = _text(model)
    frozen = sum(p.numel() * 2 for p in model.parameters() if not p.requires_grad)
    trained = sum(p.numel() * 4 for p in model.parameters() if p.requires_grad)
    # the input of each layer in bf16; of one layer what its backward pass needs: two norms, queries
    # keys and values, attention, three parts of the MLP, and what LoRA's dropout lets through
    kv_heads = text.num_key_value_heads or text.num_attention_heads
    kv_width = text.hidden_size * kv_heads // text.num_attention_heads
    linear_inputs = 6 * text.hidden_size + text.intermediate_size
    one_layer = 8 * text.hidden_size + 2 * kv_width + 3 * text.intermediate_size + linear_inputs
    scored = shape.scored(cast(InternVLConfig, model.config.vlm_config).image_seq_length)
    # scores in bf16 and float32, and their gradient in both
    return Memory(
        frozen=frozen,
        trained=trained,
        gradients=trained,
        moments=2 * trained,
        layer_inputs=2 * shape.tokens * text.hidden_size * text.num_hidden_layers,
        one_layer=2 * shape.tokens * one_layer,
        scores=(2 + 4 + 4 + 2) * scored * text.vocab_size,
    )


def step_flops(model: TerraScopeModel, shape: Shape) -> float:
    """Return the operations of a step of LoRA training: what has to be done, not what is redone."""
    text, config = _text(model), cast(InternVLConfig, model.config.vlm_config)
    language = model.vlm.model.language_model
    frozen, trained = _linear(language.layers)
    head = text.vocab_size * text.hidden_size
    # forward and the gradient of inputs for all, the gradient of weights for what is trained
    dense = (4 * frozen + 6 * trained) * shape.tokens
    dense += 4 * head * shape.scored(config.image_seq_length)
    # half of all pairs of tokens are seen; queries with keys, and with values; two ways back
    seen_pairs = shape.rows * shape.length**2 / 2
    attention = 3 * 2 * 2 * seen_pairs * text.hidden_size * text.num_hidden_layers
    patches = 4 * config.image_seq_length + 1
    vision = 2 * sum(_linear(model.vlm.model.vision_tower)) * patches * shape.tiles
    vision += (
        4 * patches**2 * config.vision_config.hidden_size  # type: ignore[union-attr]
        * config.vision_config.num_hidden_layers * shape.tiles  # type: ignore[union-attr]
    )  # fmt: skip
    projector = 4 * sum(_linear(model.vlm.model.multi_modal_projector))
    return (
        dense + attention + vision + projector * config.image_seq_length * shape.tiles
        + hiera_flops(model) * shape.images
    )  # fmt: skip


def hiera_flops(model: TerraScopeModel) -> float:
    """Return the operations of the ground encoder's linear layers on one image, forward only.

    A block sees a quarter of the places that the block of the stage before it sees.
    """
    side = model.ground.image_size // 4
    total = 0.0
    for block in _blocks(model):
        width = block.dim_out
        total += 2.0 * sum(_linear(block)) * (side * _narrowest(model) // width) ** 2
    return total


def _narrowest(model: TerraScopeModel) -> int:
    return int(_blocks(model)[0].dim_out)


def _blocks(model: TerraScopeModel) -> Any:
    backbone: Any = model.ground.encoder.backbone
    return backbone.blocks


def _linear(part: nn.Module) -> tuple[int, int]:
    """Return the weights of a part's linear layers: frozen, and trained."""
    weights = [m.weight for m in part.modules() if isinstance(m, nn.Linear)]
    trained = sum(w.numel() for w in weights if w.requires_grad)
    return sum(w.numel() for w in weights) - trained, trained


def _text(model: TerraScopeModel) -> Qwen2Config:
    return cast(Qwen2Config, cast(InternVLConfig, model.config.vlm_config).text_config)


if __name__ == "__main__":
    main()

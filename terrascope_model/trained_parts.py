"""Which parts of a model a stage trains, and how what it adds becomes plain weights again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from terrascope_model.model import TerraScopeModel
from terrascope_model.new_rows import NewEmbeddings, NewHead, NewRows
from terrascope_model.tokens import ADDED

How = Literal["frozen", "whole", "lora", "new rows"]
STAGES = ("stage1", "stage2")

PARTS: Mapping[str, Callable[[TerraScopeModel], nn.Module]] = {
    "vision encoder": lambda model: model.vlm.model.vision_tower,
    "projector": lambda model: model.vlm.model.multi_modal_projector,
    "language model": lambda model: model.vlm.model.language_model,
    "embeddings": lambda model: model.get_input_embeddings(),
    "head": lambda model: model.vlm.lm_head,
    "projection of [SEG]": lambda model: model.seg_projection,
    "ground encoder": lambda model: model.ground.encoder,
    "mask decoder": lambda model: model.ground.decoder,
}

# Section 3.4 and supplement: first the mask decoder alone, then the projector and the language
# model by LoRA as well. That the projection of [SEG] learns too, which the paper does not name, is
# the released code's. It trains all embeddings and the head; here the rows of our own tokens.
TRAINED: Mapping[str, tuple[How, How]] = {
    "vision encoder": ("frozen", "frozen"),
    "projector": ("frozen", "whole"),
    "language model": ("frozen", "lora"),
    "embeddings": ("frozen", "new rows"),
    "head": ("frozen", "new rows"),
    "projection of [SEG]": ("whole", "whole"),
    "ground encoder": ("frozen", "frozen"),
    "mask decoder": ("whole", "whole"),
}

LOOKING = ("vision encoder", "projector")  # for the language model

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """The language model's LoRA: its rank, its weight (times the rank), and dropout before it."""

    rank: int
    alpha: int
    dropout: float


def set_trained(
    model: TerraScopeModel,
    stage: str,
    lora: Lora | None,
    *,
    new_ids: list[int],
    computed: torch.dtype,
) -> None:
    """Make a stage's parts trainable, in float32, and freeze the others; `merge` undoes it.

    What is frozen is kept in the precision that is computed in. Without LoRA all is trained but
    what the language model looks with in stage 1: there the words say what is asked for.
    """
    if lora is None:
        model.requires_grad_(True)
        if stage == STAGES[0]:
            for part in LOOKING:
                PARTS[part](model).requires_grad_(False)
        return
    model.requires_grad_(False)
    how = {part: stages[STAGES.index(stage)] for part, stages in TRAINED.items()}
    for part, part_of in PARTS.items():
        if how[part] == "whole":
            part_of(model).requires_grad_(True)
    if how["language model"] == "lora":
        _add_lora(model, lora)
    if how["embeddings"] == "new rows":
        _add_new_rows(model, new_ids)
    for parameter in model.parameters():
        kept = torch.float32 if parameter.requires_grad else computed
        parameter.data = parameter.data.to(kept)


def merge(model: TerraScopeModel) -> None:
    """Put what a stage added into the weights, so that the model is as it was made."""
    with torch.no_grad():
        for parent, name, child in list(_children(model)):
            if isinstance(child, LoraLayer):
                child.merge()
                setattr(parent, name, child.get_base_layer())
            elif isinstance(child, NewRows):
                setattr(parent, name, child.merge())
    vars(model.vlm.model.language_model).pop("peft_config", None)
    model.requires_grad_(True)


def checkpoint_layers(model: TerraScopeModel) -> None:
    """Let layers keep only their input, and be computed again for the gradients."""
    name = "activation_checkpointing_enable"  # transformers before 5.22 call it otherwise
    enable = getattr(model, name, None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def keep_layers(model: TerraScopeModel) -> None:
    """Let layers keep all that the gradients need, as they do at first."""
    name = "activation_checkpointing_disable"
    disable = getattr(model, name, None) or model.gradient_checkpointing_disable
    disable()


def compile_layers(model: TerraScopeModel) -> None:
    """Let the layers of the vision-language model be compiled, each kind once, as they first run.

    What lies between them reads lists and numbers, at which a compiler would stop.
    """
    for layer in model.vlm.model.language_model.layers:
        layer.compile()
    for layer in model.vlm.model.vision_tower.encoder.layer:
        layer.compile()


def new_token_ids(vocabulary: Mapping[str, int]) -> list[int]:
    """Return the ids of the tokens that only our traces have, ascending."""
    return sorted(vocabulary[token] for token in ADDED)


def trained_numbers(model: nn.Module) -> tuple[int, int]:
    """Return how many numbers of a model are trained, and how many it has."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def _add_lora(model: TerraScopeModel, lora: Lora) -> None:
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(_LINEAR),
    )
    language = inject_adapter_in_model(config, model.vlm.model.language_model)
    for part in language.modules():
        if isinstance(part, LoraLayer):  # else wide inputs are copied to the adapters' float32
            part.cast_input_dtype_enabled = False


def _add_new_rows(model: TerraScopeModel, new_ids: list[int]) -> None:
    embeddings, head = model.get_input_embeddings(), model.vlm.lm_head
    tied = embeddings.weight is head.weight
    ids_N = torch.tensor(new_ids, device=head.weight.device)
    own = NewEmbeddings(embeddings, ids_N)
    model.set_input_embeddings(own)
    model.vlm.lm_head = NewHead(head, ids_N, own.rows_ND if tied else None)


def _children(module: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for parent in module.modules():
        for name, child in parent.named_children():
            yield parent, name, child

"""SAM, the first, as the ground model: Meta's own package, imported without torchvision."""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedConfig

from terrascope_model.ground import Features, GroundModel, best_masks


@strict
class SegmentAnythingConfig(PreTrainedConfig):
    """The sizes of a SAM; the defaults are those of `vit_b`, 94 M parameters."""

    model_type = "segment_anything"

    image_size: int = 1024
    patch_size: int = 16
    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    global_attn_indexes: list[int] | None = None
    window_size: int = 14
    prompt_width: int = 256
    mlp_dim: int = 2048
    decoder_heads: int = 8

    def __post_init__(self, **kwargs: Any) -> None:
        """Fill in the blocks of `vit_b` that see the whole image."""
        if self.global_attn_indexes is None:
            self.global_attn_indexes = [2, 5, 8, 11]
        super().__post_init__(**kwargs)


class SamGround(GroundModel):
    """SAM's encoder, prompt encoder and mask decoder."""

    def __init__(self, config: SegmentAnythingConfig) -> None:
        super().__init__()
        modeling = _modeling()
        grid = config.image_size // config.patch_size
        self.prompt_width, self.image_size = config.prompt_width, config.image_size
        self.image_encoder: nn.Module = modeling.ImageEncoderViT(
            img_size=config.image_size,
            patch_size=config.patch_size,
            embed_dim=config.embed_dim,
            depth=config.depth,
            num_heads=config.num_heads,
            out_chans=config.prompt_width,
            use_rel_pos=True,
            window_size=config.window_size,
            global_attn_indexes=tuple(config.global_attn_indexes or ()),
        )
        self.prompt_encoder = modeling.PromptEncoder(
            embed_dim=config.prompt_width,
            image_embedding_size=(grid, grid),
            input_image_size=(config.image_size, config.image_size),
            mask_in_chans=16,
        )
        self.mask_decoder: nn.Module = modeling.MaskDecoder(
            transformer_dim=config.prompt_width,
            transformer=modeling.TwoWayTransformer(
                depth=2,
                embedding_dim=config.prompt_width,
                num_heads=config.decoder_heads,
                mlp_dim=config.mlp_dim,
            ),
            iou_head_hidden_dim=config.prompt_width,
        )

    def encode(self, images_I3SS: Tensor) -> Features:
        """Return one map, a sixteenth of the image's size where patches have 16 pixels."""
        return (self.image_encoder(images_I3SS),)

    def decode(
        self, prompts_NP: Tensor, features: Features, image_N: Tensor, *, multimask: bool
    ) -> tuple[Tensor, Tensor]:
        """Decode image after image: SAM's decoder takes the prompts of one."""
        masks: list[Tensor] = [prompts_NP] * len(prompts_NP)
        iou: list[Tensor] = [prompts_NP] * len(prompts_NP)
        (maps_IPhw,) = features
        place = self.prompt_encoder.get_dense_pe()
        _, dense = self.prompt_encoder(points=None, boxes=None, masks=None)
        for image in image_N.unique().tolist():
            (asking,) = (image_N == image).nonzero(as_tuple=True)
            found, sure = best_masks(
                *self.mask_decoder(
                    image_embeddings=maps_IPhw[image, None],
                    image_pe=place,
                    sparse_prompt_embeddings=prompts_NP[asking, None],
                    dense_prompt_embeddings=dense.expand(len(asking), -1, -1, -1),
                    multimask_output=multimask,
                )
            )
            for at, prompt in enumerate(asking.tolist()):
                masks[prompt], iou[prompt] = found[at], sure[at]
        return torch.stack(masks), torch.stack(iou)

    @property
    def encoder(self) -> nn.Module:
        """The vision transformer."""
        return self.image_encoder

    @property
    def decoder(self) -> nn.Module:
        """The two-way mask decoder."""
        return self.mask_decoder


def _modeling() -> ModuleType:
    """Return the parts of segment-anything; its own first module would import torchvision."""
    name = "segment_anything"
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(
                "segment-anything is not installed: pip install segment-anything==1.0", name=name
            )
        bare = ModuleType(name)
        bare.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[name] = bare
    return importlib.import_module(f"{name}.modeling")


AutoConfig.register("segment_anything", SegmentAnythingConfig)

"""The ground encoder: features of an image, and from a prompt vector the mask that it asks for."""

from abc import ABC, abstractmethod
from typing import cast

import torch
from torch import Tensor, nn
from transformers import (
    Sam2Config,
    Sam2MaskDecoderConfig,
    Sam2Model,
    Sam2PromptEncoderConfig,
)

Features = tuple[Tensor, ...]  # (I, C, h, w) each, of I images; the last has the prompts' width


class GroundModel(nn.Module, ABC):
    """Encodes images once, and decodes masks from prompts of `prompt_width` numbers."""

    prompt_width: int
    image_size: int  # pixels along a side; images are resized to it as they are

    @abstractmethod
    def encode(self, images_I3SS: Tensor) -> Features:
        """Return the features of images of `image_size`, normalised as the processor does it."""

    @abstractmethod
    def decode(
        self, prompts_NP: Tensor, features: Features, image_N: Tensor, *, multimask: bool
    ) -> tuple[Tensor, Tensor]:
        """Return mask logits (N, h, w) and predicted IoU (N,) of N prompts.

        `image_N` says which image each prompt is about. With `multimask` three masks are made and
        the one with the highest predicted IoU is taken, in training and at test.
        """

    @property
    @abstractmethod
    def encoder(self) -> nn.Module:
        """What makes the features."""

    @property
    @abstractmethod
    def decoder(self) -> nn.Module:
        """What makes the masks."""


def best_masks(masks_NMhw: Tensor, iou_NM: Tensor) -> tuple[Tensor, Tensor]:
    """Return of each prompt's masks the one of highest predicted IoU, (N, h, w) and (N,)."""
    best = iou_NM.argmax(dim=1)
    row = torch.arange(len(best), device=best.device)
    return masks_NMhw[row, best], iou_NM[row, best]


class _Unplaced(nn.Module):
    """Stands for the neck's encodings of places: only SAM 2's memory reads them, and they cost."""

    def forward(self, shape: torch.Size, device: torch.device, dtype: torch.dtype) -> Tensor:
        return torch.empty(0, device=device, dtype=dtype)


class Sam2Ground(GroundModel):
    """SAM 2 of transformers, without its memory: its encoder, and its mask decoder."""

    def __init__(self, config: Sam2Config) -> None:
        super().__init__()
        self.sam = Sam2Model(config)
        self.sam.vision_encoder.neck.position_encoding = _Unplaced()
        self.prompt_width = cast(Sam2MaskDecoderConfig, config.mask_decoder_config).hidden_size
        size = cast(Sam2PromptEncoderConfig, config.prompt_encoder_config).image_size
        self.image_size = size if isinstance(size, int) else size[0]

    def encode(self, images_I3SS: Tensor) -> Features:
        """Return the maps of three resolutions, finest first."""
        maps = list(self.sam.vision_encoder(images_I3SS, return_dict=True).fpn_hidden_states)
        maps[0] = self.sam.mask_decoder.conv_s0(maps[0])
        maps[1] = self.sam.mask_decoder.conv_s1(maps[1])
        # no frame before this one is remembered
        maps[2] = maps[2] + self.sam.no_memory_embedding.reshape(1, -1, 1, 1)
        return tuple(maps)

    def decode(
        self, prompts_NP: Tensor, features: Features, image_N: Tensor, *, multimask: bool
    ) -> tuple[Tensor, Tensor]:
        """Decode by one sparse prompt a mask, beside the embedding for no mask."""
        number = len(prompts_NP)
        _, dense = self.sam.prompt_encoder(None, None, None, None)
        place = self.sam.get_image_wide_positional_embeddings().expand(number, -1, -1, -1)
        fine, middle, coarse = (part.index_select(0, image_N) for part in features)
        masks, iou, _, _ = self.sam.mask_decoder(
            image_embeddings=coarse,
            image_positional_embeddings=place,
            sparse_prompt_embeddings=prompts_NP[:, None, None],
            dense_prompt_embeddings=dense.expand(number, -1, -1, -1),
            multimask_output=multimask,
            high_resolution_features=[fine, middle],
        )
        return best_masks(masks[:, 0], iou[:, 0])

    @property
    def encoder(self) -> nn.Module:
        """The Hiera encoder and its neck."""
        return self.sam.vision_encoder

    @property
    def decoder(self) -> nn.Module:
        """The two-way mask decoder."""
        return self.sam.mask_decoder

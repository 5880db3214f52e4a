"""The model: a vision-language model whose every [SEG] asks for a mask and is followed by it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoModel,
    InternVLConfig,
    InternVLForConditionalGeneration,
    PreTrainedModel,
    Sam2Config,
)
from transformers.utils.generic import ModelOutput

from terrascope_model.batch import IGNORED, PlacedImage, Seen, Segment
from terrascope_model.configuration import TerraScopeConfig
from terrascope_model.fusion import fuse
from terrascope_model.ground import Features, GroundModel, Sam2Ground
from terrascope_model.lexicon import PROMPT_WEIGHT, Lexicon
from terrascope_model.losses import mask_losses
from terrascope_model.regions import region_tokens
from terrascope_model.sam_ground import SamGround, SegmentAnythingConfig


@dataclass
class TerraScopeOutput(ModelOutput):
    """The losses of a batch, and what they are of.

    Attributes:
        loss: The weighted sum.
        language_loss: Cross-entropy of the tokens that have labels.
        bce_loss: Cross-entropy of the masks.
        dice_loss: Dice loss of the masks.
        prompt_loss: How far [SEG]'s prompts are from those of a lexicon; 0 without one.
        logits: (B, T, vocabulary); with labels those that a loss is taken of, (N, vocabulary).
        mask_logits: (M, h, w), of all [SEG] in order.
    """

    loss: Tensor | None = None
    language_loss: Tensor | None = None
    bce_loss: Tensor | None = None
    dice_loss: Tensor | None = None
    prompt_loss: Tensor | None = None
    logits: Tensor | None = None
    mask_logits: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a batch's images look like to the model, computed once.

    Attributes:
        visual_ND: The visual tokens of all tiles, one image after the other.
        of_image: Each image's part of them.
        features: Of the ground model.
    """

    visual_ND: Tensor
    of_image: tuple[Tensor, ...]
    features: Features


class TerraScopeModel(PreTrainedModel):
    """InternVL, a ground model, and the projection from one to the other.

    Attributes:
        lexicon: Prompts by name, while a first stage learns from nothing; else None.
    """

    config_class = TerraScopeConfig
    base_model_prefix = ""
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _no_split_modules = ["Qwen2DecoderLayer", "InternVLVisionLayer", "Sam2MultiScaleBlock"]  # noqa: RUF012

    def __init__(self, config: TerraScopeConfig) -> None:
        super().__init__(config)
        vlm_config = cast(InternVLConfig, config.vlm_config)
        self.vlm = InternVLForConditionalGeneration(vlm_config)
        self.ground = _ground_model(config)
        width = vlm_config.text_config.hidden_size  # type: ignore[union-attr]
        self.seg_projection = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, self.ground.prompt_width)
        )
        self.lexicon: Lexicon | None = None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the language model's embedding of token ids."""
        return self.vlm.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Set the language model's embedding of token ids."""
        self.vlm.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """Return the language model's head."""
        return self.vlm.lm_head

    def look(self, seen: Seen) -> Sight:
        """Return visual tokens and ground features of a batch's images.

        Outside of training an image that several rows in turn are asked about is encoded once.

        ValueError where the layouts do not add up to the tiles.
        """
        num_tiles = sum(image.layout.num_tiles for image in seen.images)
        if num_tiles != len(seen.tiles_N3SS):
            raise ValueError(
                f"the images' layouts have {num_tiles} tiles, {len(seen.tiles_N3SS)} are there"
            )
        (tiles_N3SS, tile_N), (ground_I3GG, image_I) = (
            (images, ...) if self.training else _told_apart(images)
            for images in (seen.tiles_N3SS, seen.ground_I3GG)
        )
        found = self.vlm.get_image_features(tiles_N3SS, return_dict=True)
        visual_NKD = found.pooler_output[tile_N]
        features = tuple(part[image_I] for part in self.ground.encode(ground_I3GG))
        parts = visual_NKD.flatten(0, 1).split([image.layout.num_tokens for image in seen.images])
        return Sight(visual_NKD.flatten(0, 1), parts, features)

    def region_features(self, image: int, tokens_K: Tensor, seen: Seen, sight: Sight) -> Tensor:
        """Return a region's visual tokens, (K, D), each of the sensor that fits the question.

        Concatenated, there are as many of the radar image after those of the optical one.
        """
        placed = seen.images[image]
        visual_KD = sight.of_image[image]
        if placed.sar is not None:
            by_sar_KD = sight.of_image[placed.sar]
            if self.config.sensors == "concatenated":
                return torch.cat([visual_KD[tokens_K], by_sar_KD[tokens_K]])
            question_LD = self.get_input_embeddings()(seen.questions[placed.row])
            visual_KD = fuse(visual_KD, by_sar_KD, question_LD)
        return visual_KD[tokens_K]

    def masks_of(
        self, hidden_MD: Tensor, images: Sequence[PlacedImage], features: Features
    ) -> Tensor:
        """Return the mask logits (M, h, w) that [SEG]'s hidden states ask for, of an image each.

        ValueError where an image was not given to the ground model.
        """
        return self._decoded(self.seg_projection(hidden_MD), images, features)

    def _decoded(
        self, prompts_MP: Tensor, images: Sequence[PlacedImage], features: Features
    ) -> Tensor:
        places = [image.ground for image in images]
        if None in places:
            raise ValueError(f"image {places.index(None)} of the segments is not one to segment")
        places_M = torch.tensor(places, dtype=torch.int64, device=prompts_MP.device)
        logits, _ = self.ground.decode(
            prompts_MP, features, places_M, multimask=self.config.multimask
        )
        return logits

    def forward(
        self,
        ids_BT: Tensor,
        attention_BT: Tensor,
        seen: Seen,
        segments: Sequence[Segment],
        labels_BT: Tensor | None = None,
        masks_Mhw: Tensor | None = None,
    ) -> TerraScopeOutput:
        """Read whole texts whose regions are known, and return the losses.

        Every [SEG] stands before as many region placeholders as its segment has tokens; segments
        are in the order of the [SEG] in the rows. `masks_Mhw` are the annotated masks, 0 to 1, as
        large as the decoder's. ValueError where placeholders and features do not agree.
        """
        if self.lexicon is not None and self.lexicon.alone:
            return self._by_name(self.lexicon, seen, segments, masks_Mhw)
        sight = self.look(seen)
        if self.training and self.config.exposure:
            with torch.no_grad():
                _, logits, _ = self._read(ids_BT, attention_BT, seen, segments, sight)
            segments, attention_BT = self._exposed(ids_BT, attention_BT, seen, segments, logits)
        hidden_BTD, mask_logits, distance = self._read(ids_BT, attention_BT, seen, segments, sight)
        output = TerraScopeOutput(mask_logits=mask_logits, prompt_loss=distance)
        if labels_BT is None:
            output.logits = self.vlm.lm_head(hidden_BTD)
            return output
        next_BT = labels_BT[:, 1:]
        counts_BT = next_BT != IGNORED  # no scores of the others: a vocabulary is wide
        output.logits = self.vlm.lm_head(hidden_BTD[:, :-1][counts_BT])
        language_loss = functional.cross_entropy(output.logits.float(), next_BT[counts_BT])
        self._add_losses(output, language_loss, masks_Mhw, bool(segments))
        return output

    def embed(
        self, ids_BT: Tensor, seen: Seen, segments: Sequence[Segment], sight: Sight
    ) -> Tensor:
        """Return the embeddings of ids, images and regions in their places, (B, T, D).

        ValueError where placeholders and features do not agree, with both numbers.
        """
        embedded = self.get_input_embeddings()(ids_BT)
        embedded = _put(
            embedded, ids_BT == self.config.vlm_config.image_token_id, sight.visual_ND, "image"
        )
        regions = [self.region_features(s.image, s.tokens_K, seen, sight) for s in segments]
        features = torch.cat(regions) if regions else sight.visual_ND[:0]
        return _put(embedded, ids_BT == self.config.region_token_id, features, "region")

    def _read(
        self,
        ids_BT: Tensor,
        attention_BT: Tensor,
        seen: Seen,
        segments: Sequence[Segment],
        sight: Sight,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden states, mask logits, and how far [SEG]'s prompts are from the lexicon's."""
        hidden_BTD = self.vlm.model.language_model(
            inputs_embeds=self.embed(ids_BT, seen, segments, sight),
            attention_mask=attention_BT,
            position_ids=(attention_BT.cumsum(1) - 1).clamp(min=0),
            use_cache=False,
        ).last_hidden_state
        rows, places = (ids_BT == self.config.seg_token_id).nonzero(as_tuple=True)
        due = [segment.row for segment in segments]
        if rows.tolist() != due:
            raise ValueError(f"[SEG] stand in rows {rows.tolist()}, segments are of rows {due}")
        if not segments:  # every rank computes a mask, whatever its samples are
            rows, places = rows.new_zeros(1), places.new_zeros(1)
        images = [seen.images[segment.image] for segment in segments]
        images = images or [next(image for image in seen.images if image.ground is not None)]
        prompts_MP = self.seg_projection(hidden_BTD[rows, places])
        distance = prompts_MP.new_zeros(())
        if self.lexicon is not None and segments:
            names = [segment.name for segment in segments]
            prompts_MP, distance = self.lexicon(prompts_MP, names)
        return hidden_BTD, self._decoded(prompts_MP, images, sight.features), distance

    def _by_name(
        self, lexicon: Lexicon, seen: Seen, segments: Sequence[Segment], masks_Mhw: Tensor | None
    ) -> TerraScopeOutput:
        """Return the losses of masks that are asked for by their names; no text is read."""
        logits_Mhw = self._decoded(
            lexicon.named([segment.name for segment in segments]),
            [seen.images[segment.image] for segment in segments],
            self.ground.encode(seen.ground_I3GG),
        )
        zero = logits_Mhw.new_zeros(())
        output = TerraScopeOutput(mask_logits=logits_Mhw, prompt_loss=zero)
        self._add_losses(output, zero, masks_Mhw, True)
        return output

    def _exposed(
        self,
        ids_BT: Tensor,
        attention_BT: Tensor,
        seen: Seen,
        segments: Sequence[Segment],
        logits_Mhw: Tensor,
    ) -> tuple[list[Segment], Tensor]:
        """Let some segments be those of the predicted masks, in as many places as they had.

        Of the places, the first are left unseen where a predicted region has fewer tokens; what it
        has more is left out evenly. A segment whose predicted mask is empty stays as annotated:
        there would be no place to go on from.
        """
        chosen = torch.rand(len(segments)).lt(self.config.exposure).tolist()
        attention_BT, fed = attention_BT.clone(), []
        starts = iter((ids_BT == self.config.seg_token_id).nonzero().tolist())
        for segment, logits_hw, exposed in zip(segments, logits_Mhw, chosen, strict=False):
            row, at = next(starts)
            num_places = len(segment.tokens_K)
            if exposed and num_places:
                found = region_tokens(
                    logits_hw > 0,
                    seen.images[segment.image].layout,
                    num_places,
                    more_than=self.config.more_than,
                )
                if len(found):
                    spare = found.new_zeros(num_places - len(found))
                    attention_BT[row, at + 1 : at + 1 + len(spare)] = 0
                    tokens_K = torch.cat([spare, found])
                    segment = replace(segment, tokens_K=tokens_K)
            fed.append(segment)
        return fed, attention_BT

    def _add_losses(
        self,
        output: TerraScopeOutput,
        language_loss: Tensor,
        masks_Mhw: Tensor | None,
        any_segment: bool,
    ) -> None:
        assert output.mask_logits is not None
        logits_Mhw = output.mask_logits.float()
        if any_segment:
            if masks_Mhw is None or masks_Mhw.shape != logits_Mhw.shape:
                found = None if masks_Mhw is None else tuple(masks_Mhw.shape)
                raise ValueError(
                    f"annotated masks have the shape {found}, predicted {tuple(logits_Mhw.shape)}"
                )
            losses = mask_losses(logits_Mhw, masks_Mhw.float(), self.config.loss_points)
            output.bce_loss, output.dice_loss = losses
        else:
            output.bce_loss = output.dice_loss = 0.0 * logits_Mhw.sum()
        output.language_loss = language_loss
        output.loss = (
            language_loss
            + self.config.bce_weight * output.bce_loss
            + self.config.dice_weight * output.dice_loss
            + PROMPT_WEIGHT * cast(Tensor, output.prompt_loss)
        )


def _put(embedded_BTD: Tensor, where_BT: Tensor, features_KD: Tensor, what: str) -> Tensor:
    places = int(where_BT.sum())
    if places != len(features_KD):
        raise ValueError(
            f"the text has {places} {what} placeholders, and there are {len(features_KD)} features"
        )
    return embedded_BTD.masked_scatter(where_BT[..., None], features_KD.to(embedded_BTD.dtype))


def _ground_model(config: TerraScopeConfig) -> GroundModel:
    match config.ground_config:
        case Sam2Config():
            return Sam2Ground(config.ground_config)
        case SegmentAnythingConfig():
            return SamGround(config.ground_config)
    kind = getattr(config.ground_config, "model_type", config.ground_config)
    raise ValueError(f"no ground model of the kind {kind!r}; there are sam2 and segment_anything")


AutoConfig.register("terrascope", TerraScopeConfig)
AutoModel.register(TerraScopeConfig, TerraScopeModel)


def _told_apart(images_N3SS: Tensor) -> tuple[Tensor, Tensor]:
    """Return images without those that are the one before again, and the place of each, (N,)."""
    new_N = images_N3SS.new_ones(len(images_N3SS), dtype=torch.bool)
    new_N[1:] = (images_N3SS[1:] != images_N3SS[:-1]).flatten(1).any(1)
    return images_N3SS[new_N], new_N.cumsum(0) - 1

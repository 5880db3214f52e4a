"""From samples to tensors: prompts, tiles, and where everything stands."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerBase, ProcessorMixin
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import (
    GotOcr2ImageProcessorPil,
    get_optimal_tiled_canvas,
)

from schemas.trace import SEG
from terrascope_model.batch import IGNORED, PlacedImage, Seen, Segment
from terrascope_model.fed_tokens import fed_tokens
from terrascope_model.feedback import (
    Feedback,
    checked_feedback,
    last_facts_text,
    puts_facts,
)
from terrascope_model.regions import TileLayout
from terrascope_model.sample import STRAIGHT, Picture, Sample, Turn
from terrascope_model.sensors import Sensors, num_fed
from terrascope_model.tokens import (
    ADDED,
    IMAGE,
    IMAGE_CLOSE,
    IMAGE_OPEN,
    PAD,
    REGION,
    TURN_CLOSE,
    TURN_OPEN,
)

MARKS = (IMAGE, IMAGE_OPEN, IMAGE_CLOSE, TURN_OPEN, TURN_CLOSE, PAD)  # of images and turns
# the ground encoders' own, of ImageNet
GROUND_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_LEAST_STD = 0.1  # of normalised pixels; what varies less is noise
GROUND_STD = np.array([0.229, 0.224, 0.225], np.float32)
# The paper's names [SEG]; here it would be the token that asks for a mask.
SYSTEM_PROMPT = (
    "A conversation between user and assistant about satellite images. The assistant first "
    "reasons step by step, marking what it speaks of with masks, and then answers in a short word "
    "or phrase: "
    "<think>reasoning with masks</think><answer>answer</answer>."
)


class SampleError(ValueError):
    """A sample that cannot be made a training text of; it says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One sample as tensors.

    Attributes:
        sample_id: Whose it is.
        ids_T: The whole text, or the prompt.
        labels_T: `IGNORED` where no loss is taken.
        tiles_N3SS: Tiles of all its pictures.
        ground_I3GG: Its pictures that are segmented.
        layouts: Of its pictures.
        sizes_HW: Of its pictures, in pixels.
        ground: For each picture its place in `ground_I3GG`; None where it is not segmented.
        sar: For each picture the radar picture of the same date, if it is optical and there is one.
        question_L: Ids of the question.
        pictures_M: For each [SEG] the picture it segments.
        names_M: For each [SEG] what it segments, "" where nothing but the text says so.
        tokens: For each [SEG] the visual tokens of its region.
        masks_Mhw: For each [SEG] its mask at the decoder's size, 0 to 1.
    """

    sample_id: str
    ids_T: Tensor
    labels_T: Tensor
    tiles_N3SS: Tensor
    ground_I3GG: Tensor
    layouts: tuple[TileLayout, ...]
    sizes_HW: tuple[tuple[int, int], ...]
    ground: tuple[int | None, ...]
    sar: tuple[int | None, ...]
    question_L: Tensor
    pictures_M: tuple[int, ...]
    names_M: tuple[str, ...]
    tokens: tuple[Tensor, ...]
    masks_Mhw: Tensor


class TerraScopeProcessor(ProcessorMixin):
    """Tokenizer, image sizes and prompt of a model.

    Attributes:
        ground_px: Side of the ground model's images.
        mask_px: Side of the masks that its decoder gives.
        token_side: Visual tokens along the side of a tile.
        max_region_tokens: As the model has it.
        more_than: As the model has it.
        system_prompt: Before every question; "" for none.
        feedback: As the model has it.
        sensors: As the model has it.
        standardised: Whether each picture is scaled to a mean of 0 and a deviation of 1, for a
            model that starts from nothing; else as the published weights want it.
    """

    def __init__(
        self,
        image_processor: GotOcr2ImageProcessorPil | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        ground_px: int = 1024,
        mask_px: int = 256,
        token_side: int = 16,
        max_region_tokens: int = 128,
        more_than: float = 0.5,
        system_prompt: str = SYSTEM_PROMPT,
        feedback: Feedback = "tokens",
        sensors: Sensors = "adaptive",
        standardised: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, **options)
        self.ground_px, self.mask_px, self.token_side = ground_px, mask_px, token_side
        self.max_region_tokens, self.more_than = max_region_tokens, more_than
        self.system_prompt, self.feedback = system_prompt, checked_feedback(feedback)
        self.sensors, self.standardised = sensors, standardised
        self._prepared: WeakKeyDictionary[Picture, dict[int, tuple[TileLayout, Tensor]]] = (
            WeakKeyDictionary()
        )
        self._grounds: WeakKeyDictionary[Picture, Tensor] = WeakKeyDictionary()

    def encode(self, sample: Sample, turn: Turn = STRAIGHT) -> Encoded:
        """Return a sample as tensors, all its pictures and masks turned alike.

        SampleError where its [SEG] and masks do not agree, a mask has another size than its
        picture or lies on none that is segmented, or a text holds a mark of the model.
        """
        self._check(sample)
        max_tiles = self.image_processor.max_patches if len(sample.pictures) == 1 else 1
        tiled = [turned(*self._tiles(p, max_tiles), turn) for p in sample.pictures]
        layouts = tuple(layout for layout, _ in tiled)
        ground, sar = _roles(sample.pictures)
        masks = [(mask.picture, turn.array(mask.mask_HW)) for mask in sample.masks]
        tokens = tuple(
            fed_tokens(
                torch.from_numpy(mask_HW),
                layouts[picture],
                self.feedback,
                self.max_region_tokens,
                more_than=self.more_than,
            )
            for picture, mask_HW in masks
        )
        fed = [
            num_fed(self.sensors, len(part), has_sar=sar[picture] is not None)
            for part, (picture, _) in zip(tokens, masks, strict=True)
        ]
        ids, labels = self._text(sample, layouts, fed)
        segmented = [p for p, at in zip(sample.pictures, ground, strict=True) if at is not None]
        small = [self._small(mask_HW) for _, mask_HW in masks]
        return Encoded(
            sample_id=sample.sample_id,
            ids_T=torch.tensor(ids),
            labels_T=torch.tensor(labels),
            tiles_N3SS=torch.cat([tiles for _, tiles in tiled]),
            ground_I3GG=torch.stack([turn.tensor(self._ground(p)) for p in segmented]),
            layouts=layouts,
            sizes_HW=tuple(turn.size(p.image.height, p.image.width) for p in sample.pictures),
            ground=ground,
            sar=sar,
            question_L=torch.tensor(self.text_ids(sample.question)),
            pictures_M=tuple(mask.picture for mask in sample.masks),
            names_M=tuple(mask.name for mask in sample.masks),
            tokens=tokens,
            masks_Mhw=(torch.stack(small) if small else torch.zeros(0, self.mask_px, self.mask_px)),
        )

    def collate(self, encoded: Sequence[Encoded], *, left: bool = False) -> dict[str, Any]:
        """Return samples as a batch that the model takes; padded on the left to be written on."""
        pad_id = self.tokenizer.pad_token_id
        pad = partial(
            torch.nn.utils.rnn.pad_sequence,
            batch_first=True,
            padding_side="left" if left else "right",
        )
        images: list[PlacedImage] = []
        segments: list[Segment] = []
        num_ground = 0
        for row, sample in enumerate(encoded):
            begin = len(images)
            for number, layout in enumerate(sample.layouts):
                ground, sar = sample.ground[number], sample.sar[number]
                images.append(
                    PlacedImage(
                        row=row,
                        layout=layout,
                        size_HW=sample.sizes_HW[number],
                        ground=None if ground is None else num_ground + ground,
                        sar=None if sar is None else begin + sar,
                    )
                )
            num_ground += len(sample.ground_I3GG)
            segments += [
                Segment(row=row, image=begin + picture, tokens_K=tokens, name=name)
                for picture, tokens, name in zip(
                    sample.pictures_M, sample.tokens, sample.names_M, strict=True
                )
            ]
        seen = Seen(
            tiles_N3SS=torch.cat([sample.tiles_N3SS for sample in encoded]),
            ground_I3GG=torch.cat([sample.ground_I3GG for sample in encoded]),
            images=images,
            questions=[sample.question_L for sample in encoded],
        )
        return {
            "ids_BT": pad([s.ids_T for s in encoded], padding_value=pad_id),
            "attention_BT": pad([torch.ones_like(s.ids_T) for s in encoded]),
            "labels_BT": pad([s.labels_T for s in encoded], padding_value=IGNORED),
            "seen": seen,
            "segments": segments,
            "masks_Mhw": torch.cat([sample.masks_Mhw for sample in encoded]),
        }

    def prompt(self, sample: Sample, layouts: Sequence[TileLayout]) -> str:
        """Return the text before a trace, image placeholders and all."""
        several = len(layouts) > 1
        lines = []
        for number, layout in enumerate(layouts):
            named = f"Image {number + 1}: " if several else ""
            lines.append(f"{named}{IMAGE_OPEN}{IMAGE * layout.num_tokens}{IMAGE_CLOSE}")
        lines.append(sample.question)
        letters = string.ascii_uppercase
        lines += [f"{letters[n]}. {option}" for n, option in enumerate(sample.options)]
        system = f"{TURN_OPEN}system\n{self.system_prompt}{TURN_CLOSE}\n"
        user = f"{TURN_OPEN}user\n" + "\n".join(lines) + f"{TURN_CLOSE}\n"
        return (system if self.system_prompt else "") + user + f"{TURN_OPEN}assistant\n"

    def _check(self, sample: Sample) -> None:
        words = " ".join([sample.question, *sample.options])
        if found := [mark for mark in (*ADDED, *MARKS) if mark in words]:
            raise SampleError(f"{sample.sample_id}: the question holds the mark {found[0]}")
        marks = sample.trace.count(SEG)
        if marks != len(sample.masks):
            raise SampleError(
                f"{sample.sample_id}: the trace has {marks} {SEG}, the row "
                f"{len(sample.masks)} masks"
            )
        if found := [mark for mark in (REGION, *MARKS) if mark in sample.trace]:
            raise SampleError(f"{sample.sample_id}: the trace holds the mark {found[0]}")
        ground, _ = _roles(sample.pictures)
        if not ground:
            raise SampleError(f"{sample.sample_id}: there is no picture")
        for number, mask in enumerate(sample.masks):
            if not 0 <= mask.picture < len(ground) or ground[mask.picture] is None:
                raise SampleError(
                    f"{sample.sample_id}: mask {number} lies on picture {mask.picture}, which is "
                    f"none of the {len(ground)} that are segmented; a radar picture beside an "
                    "optical one is not"
                )
            image = sample.pictures[mask.picture].image
            if mask.mask_HW.shape != (image.height, image.width):
                raise SampleError(
                    f"{sample.sample_id}: mask {number} is of {mask.mask_HW.shape} pixels, its "
                    f"image of {(image.height, image.width)}"
                )

    def _tiles(self, picture: Picture, max_tiles: int) -> tuple[TileLayout, Tensor]:
        """Return a picture's layout and tiles; of several pictures each is one tile."""
        kept = self._prepared.setdefault(picture, {})
        if max_tiles not in kept:
            processor, side = self.image_processor, self.image_processor.size["height"]
            size_HW = (picture.image.height, picture.image.width)
            cols, rows = get_optimal_tiled_canvas(
                size_HW, (side, side), processor.min_patches, max_tiles
            )
            found = processor(
                [picture.image.convert("RGB")],
                crop_to_patches=max_tiles > 1,
                max_patches=max_tiles,
                return_tensors="np",
            )
            tiles = torch.from_numpy(np.stack(list(found["pixel_values"]))).to(torch.float32)
            layout = TileLayout(rows=rows, cols=cols, side=self.token_side)
            kept[max_tiles] = layout, _standard(tiles) if self.standardised else tiles
        return kept[max_tiles]

    def _ground(self, picture: Picture) -> Tensor:
        if picture not in self._grounds:
            size = (self.ground_px, self.ground_px)
            image = picture.image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
            scaled = np.asarray(image).astype(np.float32) / 255
            normal = (scaled - GROUND_MEAN) / GROUND_STD
            pixels_3GG = torch.from_numpy(normal).permute(2, 0, 1)
            self._grounds[picture] = _standard(pixels_3GG) if self.standardised else pixels_3GG
        return self._grounds[picture]

    def _small(self, mask_HW: Any) -> Tensor:
        """Return a mask at the decoder's size; its pixels say how much of them is masked."""
        mask = torch.from_numpy(mask_HW).float()[None, None]
        return functional.interpolate(mask, (self.mask_px, self.mask_px), mode="area")[0, 0]

    def _text(
        self, sample: Sample, layouts: Sequence[TileLayout], regions: Sequence[int]
    ) -> tuple[list[int], list[int]]:
        ids = self.text_ids(self.prompt(sample, layouts))
        labels = [IGNORED] * len(ids)
        if not sample.trace:
            return ids, labels
        region_id = self.tokenizer.convert_tokens_to_ids(REGION)
        *marked, last = sample.trace.split(SEG)
        facts = self._facts(sample)
        for piece, num_tokens, told in zip(marked, regions, facts, strict=True):
            written = self.text_ids(piece + SEG)
            forced = [region_id] * num_tokens + self.text_ids(told)
            ids += written + forced
            labels += written + [IGNORED] * len(forced)
        written = self.text_ids(last + TURN_CLOSE)
        return ids + written, labels + written

    def _facts(self, sample: Sample) -> list[str]:
        if not puts_facts(self.feedback):
            return [""] * len(sample.masks)
        so_far = [sample.masks[: number + 1] for number in range(len(sample.masks))]
        return [last_facts_text(masks, sample.pictures) for masks in so_far]

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of a text by itself: what is put in and what is written never merge."""
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]


def _standard(pixels: Tensor) -> Tensor:
    """Return a picture's pixels with a mean of 0 and a deviation of 1 over all channels."""
    return (pixels - pixels.mean()) / pixels.std().clamp(min=_LEAST_STD)


def turned(layout: TileLayout, tiles_N3SS: Tensor, turn: Turn) -> tuple[TileLayout, Tensor]:
    """Return layout and tiles as those of the turned picture; the thumbnail turns with them."""
    if turn == STRAIGHT:
        return layout, tiles_N3SS
    number = layout.rows * layout.cols
    grid = turn.tensor(tiles_N3SS[:number].unflatten(0, (layout.rows, layout.cols)), 0, 1)
    tiles = turn.tensor(torch.cat([grid.flatten(0, 1), tiles_N3SS[number:]]))
    return TileLayout(rows=grid.shape[0], cols=grid.shape[1], side=layout.side), tiles


def _roles(
    pictures: Sequence[Picture],
) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    """Return which pictures are segmented, and which radar picture stands beside which optical."""
    optical_dates = {p.date_index for p in pictures if p.modality != "sar"}
    ground: list[int | None] = []
    sar: list[int | None] = []
    number = 0
    for picture in pictures:
        beside = picture.modality == "sar" and picture.date_index in optical_dates
        ground.append(None if beside else number)
        number += not beside
        partner = (
            at
            for at, other in enumerate(pictures)
            if other.modality == "sar" and other.date_index == picture.date_index
        )
        sar.append(None if picture.modality == "sar" else next(partner, None))
    return tuple(ground), tuple(sar)

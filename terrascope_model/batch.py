"""What a model is given: samples as tensors, and where in them images and steps stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from terrascope_model.regions import TileLayout

IGNORED = -100  # a label that costs nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedImage:
    """An image of a batch.

    Attributes:
        row: The sample that carries it.
        layout: Its tiles.
        size_HW: Its pixels, which masks on it have.
        ground: Its place among the images of the ground model; None for one that is not segmented,
            a radar image beside the optical one.
        sar: The batch's radar image of the same place and date, if there is one.
    """

    row: int
    layout: TileLayout
    size_HW: tuple[int, int]
    ground: int | None
    sar: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A [SEG] of a batch: the image that it segments, and the visual tokens put in after it.

    `name` is what it segments in words, where a sample says so.
    """

    row: int
    image: int
    tokens_K: Tensor
    name: str = ""

    def to(self, *args: Any, **options: Any) -> "Segment":
        """Return it on another device, as `Tensor.to` takes it."""
        return replace(self, tokens_K=self.tokens_K.to(*args, **options))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a batch is looked at.

    Attributes:
        tiles_N3SS: The tiles of all images, one image after the other.
        ground_I3GG: The images that are segmented, as the ground model wants them.
        images: All images, in the order of their placeholders in the text.
        questions: For each row the token ids of its question, (L,).
    """

    tiles_N3SS: Tensor
    ground_I3GG: Tensor
    images: Sequence[PlacedImage]
    questions: Sequence[Tensor]

    def to(self, *args: Any, **options: Any) -> "Seen":
        """Return it on another device, as `Tensor.to` takes it."""
        return replace(
            self,
            tiles_N3SS=self.tiles_N3SS.to(*args, **options),
            ground_I3GG=self.ground_I3GG.to(*args, **options),
            questions=[question.to(*args, **options) for question in self.questions],
        )

"""A sample as the model learns it or answers it: pictures, words, and masks on them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Picture:
    """An image of a sample; one that several samples carry is the same object.

    Attributes:
        image: Its pixels, of any size.
        modality: "optical" or "sar".
        date_index: Which date of its scene it shows.
        pixel_size_m: Metres a pixel along x and y; None where unknown.
        valid_HW: Its pixels that measured facts count; None for all.
    """

    image: Image.Image
    modality: str = "optical"
    date_index: int = 0
    pixel_size_m: tuple[float, float] | None = None
    valid_HW: NDArray[np.bool_] | None = None

    @property
    def size_HW(self) -> tuple[int, int]:
        """Its height and width in pixels."""
        return (self.image.height, self.image.width)


@dataclass(frozen=True, slots=True)
class Turn:
    """How a picture is turned before it is learnt: quarters to the left, then mirrored."""

    quarters: int = 0
    mirrored: bool = False

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of what is turned."""
        return (width, height) if self.quarters % 2 else (height, width)

    def array(self, pixels_HW: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a turned mask."""
        turned = np.rot90(pixels_HW, self.quarters)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def tensor(self, pixels: Tensor, rows: int = -2, cols: int = -1) -> Tensor:
        """Return a tensor turned in the plane of two of its dimensions."""
        turned = torch.rot90(pixels, self.quarters, (rows, cols))
        return turned.flip(cols) if self.mirrored else turned


STRAIGHT = Turn()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMask:
    """The mask that a [SEG] asks for.

    Attributes:
        picture: Which of the sample's pictures it lies on.
        mask_HW: As large as that picture.
        name: What it is of, where it is asked for by a name alone.
        confidence: Of a predicted one, the mean probability of its pixels; 0 where it has none.
    """

    picture: int
    mask_HW: NDArray[np.bool_]
    name: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Pictures and a question; to learn from, also the trace and its masks, one a [SEG].

    Attributes:
        sample_id: Names the sample in messages.
        pictures: In the order in which the texts number them.
        question: With no options in it.
        options: Of a multiple choice; lettered from A.
        trace: `<think>…</think><answer>…</answer>`, or "" to be answered.
        masks: In the order of the trace's [SEG].
    """

    sample_id: str
    pictures: tuple[Picture, ...]
    question: str
    options: tuple[str, ...] = ()
    trace: str = ""
    masks: tuple[StepMask, ...] = ()

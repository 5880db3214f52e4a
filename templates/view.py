"""The images that one sample carries, and how they are called in its words."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from schemas.scene import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """One image of a scene, as far as wording and choice need it; `index` is its place there."""

    index: int
    role: str
    modality: Modality
    rendering: str
    date_index: int
    cloudy: bool

    @property
    def key(self) -> str:
        """What tells it from the other images of its scene, as a sample's id holds it."""
        return f"{self.modality}:{self.rendering}:{self.date_index}"


@dataclass(frozen=True, kw_only=True)
class View:
    """The images that one sample carries, in order, and how they are called."""

    images: tuple[ImageInfo, ...]

    @cached_property
    def date_indices(self) -> tuple[int, ...]:
        """The date that each carried image shows."""
        return tuple(image.date_index for image in self.images)

    @property
    def image_indices(self) -> tuple[int, ...]:
        """The place of each carried image among the scene's."""
        return tuple(image.index for image in self.images)

    @cached_property
    def both_sensors(self) -> bool:
        """Whether optical and SAR images are carried."""
        return len({image.modality for image in self.images}) > 1

    @cached_property
    def num_dates(self) -> int:
        """Number of dates that are carried."""
        return len(set(self.date_indices))

    def image_of_date(self, date_index: int) -> int:
        """Return the position, among the carried images, of the first that shows a date.

        ValueError where none does.
        """
        return self.date_indices.index(date_index)

    def place(self, date_index: int) -> str:
        """Return how the picture at a date is called: "the image", "the scene", "image 2"."""
        if self.num_dates > 1:
            return f"image {self.image_of_date(date_index) + 1}"
        return "the scene" if self.both_sensors else "the image"

    def lead(self, date_index: int) -> str:
        """Return the indicator that says which image a step segments; "" where there is one."""
        return f"Image {self.image_of_date(date_index) + 1}: " if self.num_dates > 1 else ""


def image_keys(images: Iterable[ImageInfo]) -> str:
    """Return the keys of some images, in order, as one text."""
    return "|".join(image.key for image in images)

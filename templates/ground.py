"""What a written claim is tested on: a scene's masks, its metadata, the images that are carried.

When a caption is made, `templates.captioned.CaptionedScene` tells it, measured by the production
kernels; when it is proved, `tasks.proof_ground.ReferenceGround` does, by the plain reference.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from templates.told import Told
from templates.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is known of a scene beside its masks, in closed vocabularies only.

    Nothing in it is free text of an archive, so nothing in it can carry an order.

    Attributes:
        sensors: Sensor of each carried image, such as "Sentinel-2"; "" where unknown.
        dates: ISO date (YYYY-MM-DD) by date index; "" where unknown.
        lon_lat: Centre of the scene in WGS84 degrees, None where unknown.
        disaster: Kind of disaster, such as "hurricane" (`templates.metadata.DISASTERS`), or "".
    """

    sensors: tuple[str, ...]
    dates: tuple[str, ...]
    lon_lat: tuple[float, float] | None
    disaster: str


class Ground(Told, Protocol):
    """The masks and metadata of one scene, and what can be measured on them."""

    @property
    def view(self) -> View:
        """The images that are carried."""

    @property
    def metadata(self) -> Metadata:
        """What is known beside the masks."""

    def cells_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of a mask expression in each of the 9 cells, row by row."""

    def edges_px(self, a: Any, b: Any) -> int:
        """Return the number of 4-neighbour pixel edges that two mask expressions share."""

    def areas_px(self, expr: Any) -> tuple[int, ...]:
        """Return the pixels of each 8-connected area of a mask expression, in any order."""

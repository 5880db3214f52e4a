"""What a town and a building are, and many buildings kept as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Cover

USES = ("house", "block", "hall", "farm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town of radius `radius_m` with a grid of streets turned by `heading_rad` from east.

    Its street blocks are `block_u_m` long and `block_v_m` deep, streets included.
    """

    town_id: int
    x_m: float
    y_m: float
    radius_m: float
    heading_rad: float
    block_u_m: float
    block_v_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """One building: a rectangle with its four corners (x, y) in world metres, counter-clockwise.

    `building_id` (below 2**63) is unique in a world; it stands from `built_year` (a decimal year)
    on; `roof` is the `Cover` seen from above; `use` is "house", "block", "hall" or "farm".
    """

    building_id: int
    corners_m: tuple[tuple[float, float], ...]
    built_year: float
    roof: Cover
    use: str

    @property
    def centre_m(self) -> tuple[float, float]:
        """Middle of the rectangle in world metres."""
        xs, ys = zip(*self.corners_m, strict=True)
        return sum(xs) / 4, sum(ys) / 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stock:
    """K buildings as arrays; `use_K` indexes `USES`."""

    id_K: NDArray[np.int64]
    corners_K42: NDArray[np.float64]
    year_K: NDArray[np.float32]
    roof_K: NDArray[np.uint8]
    use_K: NDArray[np.uint8]

    def where(self, keep_K: NDArray[np.bool_]) -> Self:
        """Return the buildings that are marked."""
        return type(self)(**{f.name: getattr(self, f.name)[keep_K] for f in fields(self)})

    def touching(self, bounds_m: tuple[float, float, float, float]) -> Self:
        """Return the buildings whose box touches (west, south, east, north)."""
        low_K2, high_K2 = self.corners_K42.min(axis=1), self.corners_K42.max(axis=1)
        west, south, east, north = bounds_m
        return self.where(
            (high_K2[:, 0] >= west)
            & (low_K2[:, 0] <= east)
            & (high_K2[:, 1] >= south)
            & (low_K2[:, 1] <= north)
        )

    def objects(self) -> tuple[Building, ...]:
        """Return the buildings one by one, in order of their id."""
        return tuple(
            Building(
                building_id=int(self.id_K[k]),
                corners_m=tuple((float(x), float(y)) for x, y in self.corners_K42[k]),
                built_year=float(self.year_K[k]),
                roof=Cover(int(self.roof_K[k])),
                use=USES[self.use_K[k]],
            )
            for k in np.argsort(self.id_K)
        )


def joined(parts: Sequence[Stock]) -> Stock:
    """Return all buildings of all parts."""
    if not parts:
        return NONE
    return Stock(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Stock)}
    )


NONE = Stock(
    id_K=np.zeros(0, np.int64),
    corners_K42=np.zeros((0, 4, 2)),
    year_K=np.zeros(0, np.float32),
    roof_K=np.zeros(0, np.uint8),
    use_K=np.zeros(0, np.uint8),
)

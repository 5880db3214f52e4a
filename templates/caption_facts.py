"""The measured facts of a scene's regions: what a caption may rest on, for whoever writes it.

A model reads them in its prompt, the rule-based writer from the same fields.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from schemas.mask import MIN_COMPONENT_PX
from schemas.program import Area, Border, Count, Distance, Share, Valid
from schemas.value import Quantity, Truth, Undefined
from templates.ground import Ground
from templates.regions import Region, regions_of
from templates.told import is_labelled

MAIN_SHARE = 0.6  # of a region's pixels, for "mainly in": docs/claims.md, table "Place"
MOST_PAIRS = 4  # distances that are told, of regions that do not touch

# core cells of every place, the narrow ones first: a place is named as narrowly as it is true
_CORNERS_AND_SIDES = ((0,), (2,), (6,), (8,), (4,), (1,), (3,), (5,), (7,))
_BANDS = ((0, 1, 2), (6, 7, 8), (0, 3, 6), (2, 5, 8))
COMPASS: dict[tuple[int, ...], str] = {
    (0,): "north-west", (1,): "north", (2,): "north-east", (3,): "west", (4,): "centre",
    (5,): "east", (6,): "south-west", (7,): "south", (8,): "south-east",
    (0, 1, 2): "north", (6, 7, 8): "south", (0, 3, 6): "west", (2, 5, 8): "east",
}  # fmt: skip
IMAGE: dict[tuple[int, ...], str] = {
    (0,): "upper left", (1,): "upper part", (2,): "upper right", (3,): "left part", (4,): "centre",
    (5,): "right part", (6,): "lower left", (7,): "lower part", (8,): "lower right",
    (0, 1, 2): "upper part", (6, 7, 8): "lower part", (0, 3, 6): "left part",
    (2, 5, 8): "right part",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFacts:
    """What was measured on one region.

    Attributes:
        region: Which.
        px: Its pixels.
        share: Its share of the labelled pixels of its layer at its date, None for objects.
        area_m2: Its area, None where the pixel size is unknown.
        place: Where it mainly lies ("north-east", "upper left"), "" where in no one place.
        spread: Whether it has pixels in at least five of the nine cells.
        count: Number of objects, or of separate areas where that number is certain; else None.
        borders: Numbers of the regions that it borders, of its layer and date.
        distances_m: Number of another region -> distance to it in metres.
    """

    region: Region
    px: int
    share: float | None
    area_m2: float | None
    place: str
    spread: bool
    count: int | None
    borders: tuple[int, ...]
    distances_m: dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFacts:
    """The regions of a scene, measured, and whether its labels leave nothing out."""

    regions: tuple[RegionFacts, ...]
    labelled: bool


def facts_of(ground: Ground) -> CaptionFacts:
    """Measure all regions of a scene; `regions` is () where there is nothing to mark."""
    regions = regions_of(ground)
    borders = {pair: _borders(ground, *pair) for pair in _pairs(regions)}
    distances_m = _distances_m(ground, [pair for pair, touch in borders.items() if touch is False])
    return CaptionFacts(
        regions=tuple(
            _measured(ground, region, [p for p, touch in borders.items() if touch], distances_m)
            for region in regions
        ),
        labelled=all(is_labelled(ground, region.expr) for region in regions),
    )


def _measured(
    ground: Ground,
    region: Region,
    touching: Sequence[tuple[Region, Region]],
    distances_m: dict[tuple[int, int], float],
) -> RegionFacts:
    cells_px = ground.cells_px(region.expr)
    share = None if region.counted else _number(ground, _share(region))
    return RegionFacts(
        region=region,
        px=sum(cells_px),
        share=share,
        area_m2=_number(ground, Area(of=region.expr)),
        place="" if region.counted else _place(ground, cells_px),
        spread=sum(px > 0 for px in cells_px) >= 5,
        count=_count(ground, region),
        borders=tuple(_others(region, touching)),
        distances_m={
            b if a == region.number else a: metres
            for (a, b), metres in distances_m.items()
            if region.number in (a, b)
        },
    )


def _share(region: Region) -> Share:
    leaf = region.expr
    return Share(of=leaf, within=Valid(layer=leaf.layer, date=leaf.date))


def _count(ground: Ground, region: Region) -> int | None:
    number = _number(ground, Count(of=region.expr, min_component_px=MIN_COMPONENT_PX))
    return None if number is None else round(number)


def _number(ground: Ground, program: Any) -> float | None:
    try:
        value = ground.value(program)
    except Undefined:
        return None
    return value.value if isinstance(value, Quantity) else None


def _pairs(regions: Sequence[Region]) -> Iterator[tuple[Region, Region]]:
    """Yield every two land-cover regions of one layer and date."""
    plain = [region for region in regions if not region.counted]
    for a, b in combinations(plain, 2):
        if (a.expr.layer, a.date_index) == (b.expr.layer, b.date_index):
            yield a, b


def _borders(ground: Ground, a: Region, b: Region) -> bool | None:
    """Return whether two regions border one another, None where that is not certain."""
    try:
        return ground.value(Border(a=a.expr, b=b.expr)) == Truth(True)
    except Undefined:
        return None


def _distances_m(
    ground: Ground, apart: Sequence[tuple[Region, Region]]
) -> dict[tuple[int, int], float]:
    distances_m: dict[tuple[int, int], float] = {}
    for a, b in apart[:MOST_PAIRS]:
        metres = _number(ground, Distance(a=a.expr, b=b.expr))
        if metres is not None:
            distances_m[a.number, b.number] = metres
    return distances_m


def _others(region: Region, touching: Sequence[tuple[Region, Region]]) -> Iterator[int]:
    for pair in touching:
        if region in pair:
            yield next(other.number for other in pair if other != region)


def _place(ground: Ground, cells_px: Sequence[int]) -> str:
    """Return the narrowest place in which most of a mask lies, "" where there is none."""
    names = COMPASS if ground.north_up else IMAGE
    total_px = sum(cells_px)
    for core in (*_CORNERS_AND_SIDES, *_BANDS):
        if sum(cells_px[cell] for cell in core) >= MAIN_SHARE * total_px:
            return names[core]
    return ""

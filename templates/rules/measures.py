"""What rules measure: shares of land, what lies near water, what became of what, as premises."""

from typing import Any

from schemas.program import And, Area, Near, Share
from templates.land_groups import (
    BARE,
    BUILT,
    CROPS,
    NATURAL,
    TREES,
    VEGETATED,
    WATER,
    LandGroup,
)
from templates.land_groups import LandLayer as Land
from templates.rule import Condition, Premise

SEEN = "ours: a smaller share is hardly seen"


def share_of(name: str, group: LandGroup, *, of_land: bool = False) -> Premise:
    """Return the premise that a group has a share of the scene, or of its land without water."""
    whole = "land" if of_land else "labelled area"

    def program(at: Land) -> Any | None:
        of = at.of(group)
        return part_of(of, at.land if of_land else at.valid)

    return Premise(
        name=name,
        marked=f"the {group.phrase}",
        says=f"it makes up {{v}} of the {whole}",
        mask=lambda at: at.of(group),
        program=program,
    )


def near_water(at: Land, of: Any, distance_m: float) -> Any | None:
    """Return what of a mask lies within a distance of water; None without either."""
    water = at.of(WATER)
    return None if water is None or of is None else Near(of=of, to=water, distance_m=distance_m)


def share_near(at: Land, of: Any, within: Any, distance_m: float) -> Any | None:
    """Return the share that a mask has of what of another lies near water."""
    near = near_water(at, within, distance_m)
    return part_of(of, near)


def became(
    at: tuple[Land, Land], before: tuple[LandGroup, ...], after: tuple[LandGroup, ...]
) -> Any | None:
    """Return the ground that was of some groups at first and is of others at last."""
    was, now = at[0].of(*before), at[1].of(*after)
    return None if was is None or now is None else And(a=was, b=now)


def part_of(part: Any | None, whole: Any | None) -> Share | None:
    """Return the share of a part in a whole; None where either is missing."""
    return None if part is None or whole is None else Share(of=part, within=whole)


def area_of(expr: Any | None) -> Area | None:
    """Return the area of a mask; None where it is missing."""
    return None if expr is None else Area(of=expr)


BUILT_SHARE = share_of("built_share", BUILT)
BUILT_LAND_SHARE = share_of("built_land_share", BUILT, of_land=True)
CROP_SHARE = share_of("crop_share", CROPS)
CROP_LAND_SHARE = share_of("crop_land_share", CROPS, of_land=True)
TREE_SHARE = share_of("tree_share", TREES)
TREE_LAND_SHARE = share_of("tree_land_share", TREES, of_land=True)
WATER_SHARE = share_of("water_share", WATER)
BARE_SHARE = share_of("bare_share", BARE)
NATURAL_SHARE = share_of("natural_share", NATURAL)
VEGETATED_SHARE = share_of("vegetated_share", VEGETATED)
NATURAL_LAND_SHARE = share_of("natural_land_share", NATURAL, of_land=True)
HAS_WATER = Condition(premise="water_share", relation=">", bound=0.01, basis=SEEN)

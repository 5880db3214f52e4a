"""Plots of a street block and the building on each: size, place, roof, by the block's style."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import USES, Stock, Town
from tasks.planet.classes import Cover, Land
from tasks.planet.noise import mix, unit
from tasks.planet.sectors import ground_at

_SETBACK_M = 9.0  # from the middle of the street to a front garden's house
NOT_DRY = (
    Land.SEA, Land.ESTUARY, Land.RIVER, Land.LAKE, Land.BEACH, Land.SALT_MARSH, Land.TIDAL_FLAT,
    Land.MARSH, Land.PEATBOG,
)  # fmt: skip


Reals = NDArray[np.float64] | NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a kind of block is built up. Sizes are (smallest, largest) in metres."""

    use: str
    plot_m: float
    width_m: tuple[float, float]
    depth_m: tuple[float, float]
    built_share: float
    roofs: tuple[Cover, ...]


STYLES = {
    Land.TOWN: Style(
        use="house", plot_m=19.0, width_m=(8.0, 13.5), depth_m=(7.5, 12.0), built_share=0.84,
        roofs=(Cover.RED_ROOF, Cover.RED_ROOF, Cover.RED_ROOF, Cover.GREY_ROOF, Cover.GREY_ROOF),
    ),
    Land.TOWN_DENSE: Style(
        use="block", plot_m=24.0, width_m=(16.0, 22.5), depth_m=(11.0, 18.0), built_share=0.93,
        roofs=(Cover.RED_ROOF, Cover.GREY_ROOF, Cover.RED_ROOF, Cover.WHITE_ROOF),
    ),
    Land.INDUSTRY: Style(
        use="hall", plot_m=52.0, width_m=(26.0, 46.0), depth_m=(18.0, 27.0), built_share=0.78,
        roofs=(Cover.WHITE_ROOF, Cover.GREY_ROOF, Cover.WHITE_ROOF),
    ),
}  # fmt: skip


def plots_of(
    seed: int,
    town: Town,
    style: Style,
    i_B: NDArray[np.int64],
    j_B: NDArray[np.int64],
    key_B: NDArray[np.int64],
    year_B: NDArray[np.float32],
) -> Stock:
    """Return the buildings of B blocks (i, j) of one style, in two rows along their streets."""
    count = max(int((town.block_u_m - 2 * _SETBACK_M + 4) / style.plot_m), 1)
    plot_BPS = np.arange(2 * count).reshape(1, count, 2)
    id_BPS = (mix(seed + 311, key_B[:, None, None], plot_BPS) >> np.uint64(1)).astype(np.int64)
    width, depth = (
        low + (high - low) * unit(seed + salt, id_BPS).astype(np.float64)
        for salt, (low, high) in ((312, style.width_m), (313, style.depth_m))
    )
    start = _SETBACK_M - 2 + 0.5 * (town.block_u_m - 2 * _SETBACK_M + 4 - count * style.plot_m)
    slack = np.maximum(style.plot_m - width - 1.5, 0.0)
    u_BPS = (
        i_B[:, None, None] * town.block_u_m
        + start
        + (plot_BPS // 2 + 0.5) * style.plot_m
        + slack * (unit(seed + 314, id_BPS) - 0.5)
    )
    front = _SETBACK_M + 3.0 * unit(seed + 315, id_BPS) + depth / 2
    v_BPS = j_B[:, None, None] * town.block_v_m + np.where(
        plot_BPS % 2 == 0, front, town.block_v_m - front
    )
    stock = Stock(
        id_K=id_BPS.ravel(),
        corners_K42=_corners(
            town.x_m, town.y_m, town.heading_rad, u_BPS, v_BPS, width, depth,
            0.09 * (unit(seed + 316, id_BPS) - 0.5),
        ),
        year_K=(year_B[:, None, None] + 0.6 * unit(seed + 317, id_BPS)).ravel(),
        roof_K=_roofs(seed, style, id_BPS.ravel()),
        use_K=np.full(id_BPS.size, USES.index(style.use), dtype=np.uint8),
    )  # fmt: skip
    return stock.where(unit(seed + 318, stock.id_K) < style.built_share)


def farm_buildings(seed: int, farm_id: int, x_m: float, y_m: float) -> Stock:
    """Return the two to five buildings of a farm or hamlet around a yard."""
    count = 2 + int(4 * float(unit(seed + 321, farm_id)))
    key_K = (mix(seed + 322, np.arange(count), farm_id) >> np.uint64(1)).astype(np.int64)
    heading = 2 * np.pi * float(unit(seed + 323, farm_id))
    angle_K = 2 * np.pi * (np.arange(count) + 0.3 * unit(seed + 324, key_K)) / count
    width = 10.0 + 16.0 * unit(seed + 325, key_K).astype(np.float64) ** 2
    depth = 8.0 + 5.0 * unit(seed + 326, key_K).astype(np.float64)
    corners = _corners(
        x_m, y_m, heading, 25.0 * np.cos(angle_K), 25.0 * np.sin(angle_K), width, depth,
        0.2 * (unit(seed + 327, key_K) - 0.5),
    )  # fmt: skip
    style = STYLES[Land.TOWN]
    return Stock(
        id_K=key_K,
        corners_K42=corners,
        year_K=np.full(count, 1900 + 110 * float(unit(seed + 328, farm_id)), dtype=np.float32),
        roof_K=_roofs(seed, style, key_K),
        use_K=np.full(count, USES.index("farm"), dtype=np.uint8),
    )


def on_dry_land(seed: int, stock: Stock) -> Stock:
    """Return the buildings whose middle is neither water, shore nor wetland."""
    land_K = ground_at(seed, stock.corners_K42.mean(axis=1))
    return stock.where(~np.isin(land_K, NOT_DRY))


def _corners(
    x_m: float,
    y_m: float,
    heading: float,
    u: Reals,
    v: Reals,
    width: Reals,
    depth: Reals,
    turn: Reals,
) -> NDArray[np.float64]:
    """Return the corners (K, 4, 2) of rectangles centred on street coordinates (u, v)."""
    cos, sin = np.cos(turn), np.sin(turn)
    corners = []
    for half_u, half_v in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        along, across = half_u * width, half_v * depth
        corners.append((u + along * cos - across * sin, v + along * sin + across * cos))
    u_K4 = np.stack([corner[0].ravel() for corner in corners], axis=1)
    v_K4 = np.stack([corner[1].ravel() for corner in corners], axis=1)
    cos_t, sin_t = np.cos(heading), np.sin(heading)
    return np.stack([x_m + u_K4 * cos_t - v_K4 * sin_t, y_m + u_K4 * sin_t + v_K4 * cos_t], axis=-1)


def _roofs(seed: int, style: Style, id_K: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return each building's roof, drawn from its style."""
    choice_K = (unit(seed + 319, id_K) * len(style.roofs)).astype(np.int64)
    return np.array(style.roofs, dtype=np.uint8)[choice_K]

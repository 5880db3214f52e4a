"""The plan of one town: its street blocks, what each is used for, and the buildings in them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import Stock, Town, joined
from tasks.planet.classes import Land
from tasks.planet.noise import mix, unit
from tasks.planet.plots import STYLES, on_dry_land, plots_of

NO_BLOCK = 255


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Blocks (i, j) of a town, centre block in the middle of the (N, N) tables.

    `use_NN` is a block's `Land` or `NO_BLOCK`; `year_NN` the year it is built up; `key_NN` a hash.
    """

    town: Town
    use_NN: NDArray[np.uint8]
    year_NN: NDArray[np.float32]
    key_NN: NDArray[np.int64]


@lru_cache(maxsize=512)
def town_plan(seed: int, town: Town) -> Plan:
    """Return the plan of a town; computed once a process and kept."""
    reach = int(1.25 * town.radius_m / min(town.block_u_m, town.block_v_m)) + 2
    i_NN, j_NN = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    key_NN = mix(seed + 301, i_NN + town.town_id % (1 << 40), j_NN).astype(np.int64)
    depth_NN = _depth(seed, town, i_NN, j_NN)
    use_NN = _uses(seed, town, i_NN, j_NN, key_NN, depth_NN)
    year_NN = _years(seed, key_NN, depth_NN)
    return Plan(town=town, use_NN=use_NN, year_NN=year_NN, key_NN=key_NN)


@lru_cache(maxsize=256)
def town_stock(seed: int, town: Town) -> Stock:
    """Return every building of a town, whatever its year; kept, as a town is seen many times."""
    plan = town_plan(seed, town)
    reach = plan.use_NN.shape[0] // 2
    plots = []
    for land, style in STYLES.items():
        j_B, i_B = np.nonzero(plan.use_NN == land)
        if i_B.size:
            key_B, year_B = plan.key_NN[j_B, i_B], plan.year_NN[j_B, i_B]
            plots.append(plots_of(seed, town, style, i_B - reach, j_B - reach, key_B, year_B))
    return on_dry_land(seed, joined(plots))


def _depth(
    seed: int, town: Town, i_NN: NDArray[np.int64], j_NN: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how far out each block lies: 0 in the middle, 1 at the ragged edge of the town."""
    u_NN, v_NN = (i_NN + 0.5) * town.block_u_m, (j_NN + 0.5) * town.block_v_m
    angle_N = np.arctan2(v_NN, u_NN) / (2 * np.pi) * 6 + 3
    edge = unit(seed + 302, (np.arange(7) % 6) + town.town_id % (1 << 40), 0)
    reach_NN = np.interp(angle_N.ravel(), np.arange(7), 0.55 + 0.65 * edge).reshape(angle_N.shape)
    return np.asarray(np.hypot(u_NN, v_NN) / (town.radius_m * reach_NN))


def _uses(
    seed: int,
    town: Town,
    i_NN: NDArray[np.int64],
    j_NN: NDArray[np.int64],
    key_NN: NDArray[np.int64],
    depth_NN: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Return each block's use: dense core, houses, an industrial side, parks and pitches."""
    draw_NN = unit(seed + 303, key_NN)
    size_u, size_v = i_NN * town.block_u_m, j_NN * town.block_v_m
    side = 2 * np.pi * float(unit(seed + 304, town.town_id))
    toward_NN = (size_u * np.cos(side) + size_v * np.sin(side)) / town.radius_m
    use_NN = np.full(key_NN.shape, Land.TOWN, dtype=np.uint8)
    use_NN[(depth_NN < 0.42) & (town.radius_m > 420)] = Land.TOWN_DENSE
    use_NN[(toward_NN > 0.42) & (town.radius_m > 380)] = Land.INDUSTRY
    use_NN[(draw_NN < 0.05) & (town.radius_m > 300)] = Land.PARK
    use_NN[(draw_NN > 0.96) & (depth_NN > 0.5)] = Land.SPORT
    use_NN[(depth_NN > 1.0) | ((depth_NN > 0.85) & (draw_NN < 0.15))] = NO_BLOCK
    return use_NN


def _years(
    seed: int, key_NN: NDArray[np.int64], depth_NN: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the year each block is built up: the old town long ago, the rim from 2012 to 2026."""
    draw_NN = unit(seed + 305, key_NN)
    rim_NN = 2012.0 + 14.0 * draw_NN
    old_NN = 1900.0 + 105.0 * draw_NN
    return np.where(depth_NN > 0.78, rim_NN, old_NN).astype(np.float32)

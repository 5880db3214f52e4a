"""Land use with settlements: towns by street block, building sites, motorways, quarries."""

import numpy as np
from numpy.typing import NDArray

from tasks.planet.buildings import Town
from tasks.planet.classes import Land
from tasks.planet.ground import ground
from tasks.planet.mosaic import mosaic
from tasks.planet.noise import Floats, fbm
from tasks.planet.plots import NOT_DRY
from tasks.planet.settlement import roads_in, towns_in
from tasks.planet.strokes import stroke
from tasks.planet.town_plan import NO_BLOCK, Plan, town_plan
from tasks.planet.window import Window

_MOTORWAY_M = 62.0  # with its verges, as land use
_DRY_ID = ~np.isin(np.arange(256), NOT_DRY)


def land(seed: int, window: Window, year: float) -> NDArray[np.uint8]:
    """Return the `Land` use of every pixel centre at a date, (H, W) uint8."""
    land_HW = ground(seed, window, year)
    dry_HW = _DRY_ID[land_HW]
    _dig_quarries(land_HW, dry_HW, seed, window)
    motorways = [road for road, motorway in roads_in(seed, window.bounds_m) if motorway]
    land_HW[dry_HW & stroke(window, motorways, _MOTORWAY_M)] = Land.MOTORWAY
    for town in towns_in(seed, window.bounds_m):
        _lay_town(land_HW, dry_HW, window, town_plan(seed, town), year)
    return land_HW


def street_coordinates(
    town: Town, window: Window
) -> tuple[Floats, Floats, tuple[slice, slice]] | None:
    """Return street coordinates (u, v) of the pixels near a town, and which rows and columns."""
    reach = 1.35 * town.radius_m + 2 * town.block_u_m
    rows = np.flatnonzero(np.abs(window.y_H - town.y_m) <= reach)
    columns = np.flatnonzero(np.abs(window.x_W - town.x_m) <= reach)
    if rows.size == 0 or columns.size == 0:
        return None
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    x_HW = (window.x_W[part[1]][None, :] - town.x_m).astype(np.float32)
    y_HW = (window.y_H[part[0]][:, None] - town.y_m).astype(np.float32)
    cos, sin = np.float32(np.cos(town.heading_rad)), np.float32(np.sin(town.heading_rad))
    return x_HW * cos + y_HW * sin, y_HW * cos - x_HW * sin, part


def block_index(plan: Plan, u_HW: Floats, v_HW: Floats) -> NDArray[np.int32]:
    """Return the flat index into the plan's tables of the block at street coordinates."""
    size = plan.use_NN.shape[0]
    reach = size // 2
    i_HW = np.clip(np.floor(u_HW / plan.town.block_u_m).astype(np.int32) + reach, 0, size - 1)
    j_HW = np.clip(np.floor(v_HW / plan.town.block_v_m).astype(np.int32) + reach, 0, size - 1)
    return np.asarray(j_HW * size + i_HW)


def _dig_quarries(
    land_HW: NDArray[np.uint8], dry_HW: NDArray[np.bool_], seed: int, window: Window
) -> None:
    """Put a quarry or pit into a few cells of the countryside."""
    pits = mosaic(seed + 401, window, 900.0, 60.0)
    shape_HW = fbm(seed + 402, window.x_W, window.y_H, 420.0, 3)
    chosen_HW = (pits.draw_N(seed + 403) < 0.045)[pits.cell_HW]
    land_HW[dry_HW & chosen_HW & (shape_HW > 0.45)] = Land.QUARRY


def _lay_town(
    land_HW: NDArray[np.uint8],
    dry_HW: NDArray[np.bool_],
    window: Window,
    plan: Plan,
    year: float,
) -> None:
    """Write a town's blocks that are built, or being built, at that date."""
    at = street_coordinates(plan.town, window)
    if at is None:
        return
    u_HW, v_HW, part = at
    block_HW = block_index(plan, u_HW, v_HW)
    use_N = np.where(plan.year_NN <= year, plan.use_NN, NO_BLOCK)
    site_NN = (plan.use_NN != NO_BLOCK) & (plan.year_NN > year) & (plan.year_NN <= year + 1.0)
    use_N = np.where(site_NN, Land.CONSTRUCTION, use_N).astype(np.uint8).ravel()
    use_HW = use_N[block_HW]
    built_HW = (use_HW != NO_BLOCK) & dry_HW[part]
    land_HW[part][built_HW] = use_HW[built_HW]

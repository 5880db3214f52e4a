"""Where in its tile each BigEarthNet patch lies: blocks of neighbours, on varied ground."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.planet.corine import LABELLED, codes_HW
from tasks.planet.noise import unit
from tasks.planet.sentinel_tiles import PATCH_M, TILE_PATCHES, TILES, TileProduct
from tasks.planet.window import Window
from tasks.planet.world import World

_ZONE_M = 1_000_000.0  # how far apart UTM zones lie on the world's plane
_PIXEL_M = 10.0
_LOOK_M = 120.0  # pixel of the coarse look at a block
_LOOKS = 7  # blocks that are looked at before one is chosen
_UNLABELLED_MOST = 0.2  # a coarse look; the archive's own limit is a quarter
_GOOD_VARIETY = 5  # classes in a patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch: its tile, its column and row there, and the part of the data it belongs to."""

    tile: TileProduct
    column: int
    row: int
    split: str
    at_border: bool

    @property
    def left_m(self) -> float:
        """UTM easting of the upper-left corner."""
        return self.tile.left_m + self.column * PATCH_M

    @property
    def top_m(self) -> float:
        """UTM northing of the upper-left corner."""
        return self.tile.top_m - self.row * PATCH_M

    def window(self, pixel_m: float = _PIXEL_M) -> Window:
        """Return the patch's pixels on the world's plane."""
        return _window(self.tile, self.column, self.row, 1, 1, pixel_m)


def choose_patches(world: World, scenes: int, seed: int) -> tuple[Patch, ...]:
    """Return that many patches in blocks of neighbours, one block a tile, in order of their name.

    Fewer tiles for few scenes, so that neighbours fill a tile: about 20 patches a tile at first.
    """
    tiles = TILES[: min(max(round(scenes / 20), 1), len(TILES))]
    shares = np.diff(np.linspace(0, scenes, len(tiles) + 1).round().astype(int))
    found = [
        patch
        for tile, share in zip(tiles, shares.tolist(), strict=True)
        for patch in _block(world, tile, share, seed)
    ]
    return tuple(sorted(found, key=lambda patch: patch.tile.patch_id(patch.column, patch.row)))


def map_codes_HW(world: World, patch: Patch, window: Window) -> NDArray[np.uint16]:
    """Return the codes of a patch's reference map on any window over it."""
    return codes_HW(world.land_HW(window, patch.tile.year), patch.tile.southern)


def _window(
    tile: TileProduct, column: int, row: int, rows: int, columns: int, pixel_m: float
) -> Window:
    return Window.regular(
        left_m=tile.left_m + column * PATCH_M + _ZONE_M * (tile.epsg - 32600),
        top_m=tile.top_m - row * PATCH_M,
        pixel_m=pixel_m,
        height=round(rows * PATCH_M / pixel_m),
        width=round(columns * PATCH_M / pixel_m),
    )


def _block(world: World, tile: TileProduct, count: int, seed: int) -> list[Patch]:
    """Return `count` neighbouring patches of a tile, from the most varied block looked at."""
    side = min(int(np.ceil((count * 1.2) ** 0.5)) + 1, TILE_PATCHES)
    key = int(tile.tile[:2]) * 1000 + ord(tile.tile[3]) * 30 + ord(tile.tile[4])
    looks = 1 if side > 30 else _LOOKS
    best: tuple[float, list[tuple[int, int]]] = (-1.0, [])
    for look in range(looks):
        column, row = (
            int(float(unit(seed + salt, key, look)) * (TILE_PATCHES - side + 1))
            for salt in (801, 802)
        )
        found = _look(world, tile, column, row, side)
        if len(found[1]) >= count and found[0] > best[0]:
            best = found
    if len(best[1]) < count:
        raise ValueError(f"tile {tile.tile} has no block of {count} patches with enough labels")
    return _split_rings(tile, best[1][:count])


def _look(
    world: World, tile: TileProduct, column: int, row: int, side: int
) -> tuple[float, list[tuple[int, int]]]:
    """Return how varied a block is, and its patches that are labelled well enough."""
    window = _window(tile, column, row, side, side, _LOOK_M)
    codes = codes_HW(world.land_HW(window, tile.year), tile.southern)
    cells = round(PATCH_M / _LOOK_M)
    usable, variety = [], 0.0
    for i in range(side):
        for j in range(side):
            part = codes[i * cells : (i + 1) * cells, j * cells : (j + 1) * cells]
            if 1 - np.isin(part, LABELLED).mean() <= _UNLABELLED_MOST:
                usable.append((column + j, row + i))
                shares = np.unique(part, return_counts=True)[1] / part.size
                variety += _GOOD_VARIETY - abs(int((shares > 0.03).sum()) - _GOOD_VARIETY)
    overall = np.unique(codes).size / 3
    return variety / max(len(usable), 1) + overall, usable


def _split_rings(tile: TileProduct, places: list[tuple[int, int]]) -> list[Patch]:
    """Return patches with their split: train outside, then validation, test in the middle."""
    middle = np.mean(places, axis=0)
    away = np.abs(np.array(places) - middle).max(axis=1)
    order = np.argsort(away, kind="stable")
    tests, seen = round(0.25 * len(places)), round(0.5 * len(places))
    split = {int(k): "test" for k in order[:tests]}
    split |= {int(k): "validation" for k in order[tests:seen]}
    west = min(column for column, _ in places)
    return [
        Patch(
            tile=tile,
            column=column,
            row=row,
            split=split.get(k, "train"),
            at_border=tile.border and column == west,
        )
        for k, (column, row) in enumerate(places)
    ]

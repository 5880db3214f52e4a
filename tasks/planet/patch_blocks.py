"""Where in its tile each BigEarthNet patch lies: blocks of neighbours, on varied ground."""

from dataclasses import dataclass, replace

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
_LOOKS = 7  # places that are looked at before one is chosen
_BLOCK_PATCHES = 16  # patches lie together in blocks of 16 x 16, counted from the tile's corner
TILE_SCENES = 64  # for so many scenes one more tile is begun
_UNLABELLED_MOST = 0.2  # a coarse look; the archive's own limit is a quarter
_GOOD_VARIETY = 5  # classes in a patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch: its tile, its column and row there, and the part of the data it belongs to."""

    tile: TileProduct
    column: int
    row: int
    split: str
    at_border: bool = False

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


def choose_patches(
    world: World, scenes: int, seed: int, tile_scenes: int = TILE_SCENES
) -> tuple[Patch, ...]:
    """Return that many patches in order of their name, one tile for about `tile_scenes` of them.

    Those of a tile are neighbours inside one block; where that is full, the next one fills up.
    """
    tiles = TILES[: min(max(round(scenes / tile_scenes), 1), len(TILES))]
    shares = np.diff(np.linspace(0, scenes, len(tiles) + 1).round().astype(int))
    found = [
        patch
        for tile, share in zip(tiles, shares.tolist(), strict=True)
        for patch in _patches(world, tile, share, seed)
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


def _patches(world: World, tile: TileProduct, count: int, seed: int) -> list[Patch]:
    """Return `count` patches of a tile, block by block, all but the last block filled."""
    key = int(tile.tile[:2]) * 1000 + ord(tile.tile[3]) * 30 + ord(tile.tile[4])
    starts = range(0, TILE_PATCHES, _BLOCK_PATCHES)
    corners = [(column, row) for row in starts for column in starts]
    corners.sort(key=lambda corner: float(unit(seed + 801, key, corner[0] * 100 + corner[1])))
    patches: list[Patch] = []
    while corners and len(patches) < count:
        lacking = count - len(patches)
        looks = [_look(world, tile, *_square(corner, lacking, seed)) for corner in corners[:_LOOKS]]
        best = max(
            range(len(looks)),
            key=lambda k: (min(len(looks[k][1]), lacking), looks[k][0]),
        )
        patches += _split_rings(tile, looks[best][1][:lacking])
        del corners[best]
    if len(patches) < count:
        raise ValueError(f"tile {tile.tile} has no {count} patches with enough labels")
    west = min((patch.column for patch in patches), default=0)
    return [replace(p, at_border=tile.border and p.column == west) for p in patches]


def _square(corner: tuple[int, int], count: int, seed: int) -> tuple[int, int, int, int]:
    """Return column, row, width and height of room for `count` patches inside a block."""
    side = int(np.ceil((count * 1.2) ** 0.5)) + 1
    column, width, row, height = (
        value
        for axis, start in enumerate(corner)
        for value in _span(start, side, float(unit(seed + 802 + axis, *corner)))
    )
    return column, row, width, height


def _span(start: int, length: int, draw: float) -> tuple[int, int]:
    """Return first and length of a stretch inside the block from `start` on."""
    whole = min(_BLOCK_PATCHES, TILE_PATCHES - start)
    length = min(length, whole)
    return start + int(draw * (whole - length + 1)), length


def _look(
    world: World, tile: TileProduct, column: int, row: int, width: int, height: int
) -> tuple[float, list[tuple[int, int]]]:
    """Return how varied a block is, and its patches that are labelled well enough."""
    window = _window(tile, column, row, height, width, _LOOK_M)
    codes = codes_HW(world.land_HW(window, tile.year), tile.southern)
    cells = round(PATCH_M / _LOOK_M)
    usable, variety = [], 0.0
    for i in range(height):
        for j in range(width):
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
    return [
        Patch(
            tile=tile,
            column=column,
            row=row,
            split=split.get(k, "train"),
        )
        for k, (column, row) in enumerate(places)
    ]

"""Writes the planet as ChatEarthNet: patches of map tiles, captions, and the land cover beside.

The truth of a scene has, beyond the keys of `truth.py`, `split`, `labels` ("satlas" or
"worldcover": whose codes `class_pixels` counts) and `corner_lonlat` (upper left).
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from tasks.planet.captions import NAMES, caption
from tasks.planet.chatearthnet_pictures import (
    BANDS,
    write_land_cover,
    write_radar,
    write_triples,
)
from tasks.planet.map_regions import REGION_TILES, MapTile, choose_tiles
from tasks.planet.mercator import TILE_PX, latitude, longitude, pixel_m
from tasks.planet.noise import mix, unit
from tasks.planet.truth import Json, buildings_inside, class_pixels, write_truth
from tasks.planet.window import Window
from tasks.planet.world import World
from tasks.planet.worldcover_map import PRODUCT_YEAR, cover_codes_HW, write_worldcover

PATCH_PX = 256
_PATCHES_A_TILE = 4
_RADAR_SHARE = 0.85  # of the patches; the rest has none
_LONG_CAPTION_SHARE = 0.3  # of the patches, captioned a second time at more length
_SPLITS = ((0.6, "train"), (0.7, "val"), (1.0, "test"))  # cumulative, as in the archive
# WorldCover code of each of SatlasPretrain's land-cover ids, 0 to 11
_CODE_OF_ID = np.array([0, 80, 50, 10, 20, 30, 40, 60, 70, 90, 95, 100], dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """A WorldCover raster in degrees."""

    codes_HW: NDArray[np.uint8]
    transform: Affine


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One quarter (i, j) of a tile: row half and column half."""

    tile: MapTile
    i: int
    j: int

    @property
    def name(self) -> str:
        """File name in every folder."""
        return f"{self.tile.name}_patch{self.i}{self.j}.png"

    @property
    def key(self) -> int:
        """A number of its own, for draws."""
        return int(mix(self.tile.column, self.tile.row, 2 * self.i + self.j) >> np.uint64(20))

    @property
    def part(self) -> tuple[slice, slice]:
        """Its rows and columns in the tile."""
        return (
            slice(self.i * PATCH_PX, (self.i + 1) * PATCH_PX),
            slice(self.j * PATCH_PX, (self.j + 1) * PATCH_PX),
        )


def write_chatearthnet(
    out: Path, world: World, scenes: int, seed: int, region_tiles: int = REGION_TILES
) -> None:
    """Write `scenes` patches under `out`, the archive's own folder, and their truth beside it.

    One region is begun for about `region_tiles` tiles of four patches.
    """
    tiles = choose_tiles(world, -(-scenes // _PATCHES_A_TILE), seed, region_tiles)
    rasters = _write_rasters(out, world, tiles)
    records: dict[str, list[dict[str, str]]] = defaultdict(list)
    truths: list[dict[str, Json]] = []
    for number, tile in enumerate(tiles):
        window = tile.window()
        ids_HW = _labels(out, world, tile, window, rasters.get(tile.region.row))
        count = min(_PATCHES_A_TILE, scenes - _PATCHES_A_TILE * number)
        patches = [Patch(tile=tile, i=k // 2, j=k % 2) for k in range(count)]
        _write_pictures(out, world, window, patches, seed)
        for patch in patches:
            split = _split(seed, patch.key)
            _add_captions(records, patch.name, split, ids_HW[patch.part], [seed, patch.key])
            truths.append(_truth(world, patch, window, ids_HW[patch.part], split))
    _write_records(out, records)
    write_truth(out, truths)


def _write_rasters(out: Path, world: World, tiles: Iterable[MapTile]) -> dict[int, Raster]:
    """Write a WorldCover raster for every region that is labelled so, by the region's row."""
    regions: dict[int, list[MapTile]] = defaultdict(list)
    for tile in tiles:
        if tile.region.labels == "worldcover":
            regions[tile.region.row].append(tile)
    rasters = {}
    for row, members in regions.items():
        codes_HW, transform = write_worldcover(out / "worldcover", world, members)
        rasters[row] = Raster(codes_HW=codes_HW, transform=transform)
    return rasters


def _labels(
    out: Path, world: World, tile: MapTile, window: Window, raster: Raster | None
) -> NDArray[np.uint8]:
    """Return a tile's ids, (512, 512): cut from the raster, else drawn and written as a PNG."""
    id_of_code = np.zeros(256, dtype=np.uint8)
    id_of_code[_CODE_OF_ID] = np.arange(len(NAMES), dtype=np.uint8)
    if raster is not None:
        return id_of_code[_cut(raster, tile)]
    ids_HW = id_of_code[cover_codes_HW(world, window)]
    write_land_cover(out, tile.name, ids_HW)
    return ids_HW


def _cut(raster: Raster, tile: MapTile) -> NDArray[np.uint8]:
    """Return the WorldCover code under each of a tile's pixel centres, (512, 512)."""
    centres = np.arange(TILE_PX, dtype=np.float64) + 0.5
    step, left, top = raster.transform.a, raster.transform.c, raster.transform.f
    east_W = longitude(tile.column * TILE_PX + centres) - left
    south_H = top - latitude(tile.row * TILE_PX + centres)
    columns_W = np.floor(east_W / step).astype(np.int64)
    rows_H = np.floor(south_H / step).astype(np.int64)
    return np.asarray(raster.codes_HW[rows_H[:, None], columns_W[None, :]])


def _write_pictures(
    out: Path, world: World, window: Window, patches: list[Patch], seed: int
) -> None:
    """Write the optical PNGs of all patches of a tile, and the radar ones of most."""
    light_HWB = world.optical_HWB(window, BANDS, PRODUCT_YEAR)
    radar_HW2 = world.radar_HW2(window, PRODUCT_YEAR, pass_seed=2)
    for patch in patches:
        write_triples(out, patch.name, light_HWB[patch.part])
        if float(unit(seed + 841, patch.key)) < _RADAR_SHARE:
            write_radar(out, patch.name, radar_HW2[patch.part])


def _split(seed: int, key: int) -> str:
    """Return the part of the data a patch belongs to."""
    draw = float(unit(seed + 843, key))
    return next(name for limit, name in _SPLITS if draw < limit)


def _add_captions(
    records: dict[str, list[dict[str, str]]],
    name: str,
    split: str,
    ids_HW: NDArray[np.uint8],
    seed: list[int],
) -> None:
    """Add the patch's caption, and for some a longer one, to the lists of their writers."""
    rng = np.random.default_rng(seed)
    records[f"35_{split}"].append({"image": name, "caption": caption(ids_HW, rng, long=False)})
    if rng.random() < _LONG_CAPTION_SHARE:
        records[f"4v_{split}"].append({"image": name, "caption": caption(ids_HW, rng, long=True)})


def _write_records(out: Path, records: dict[str, list[dict[str, str]]]) -> None:
    """Write the six caption lists; a list without captions is written empty."""
    folder = out / "json_files"
    folder.mkdir(parents=True, exist_ok=True)
    for writer in ("35", "4v"):
        for _, split in _SPLITS:
            path = folder / f"ChatEarthNet_caps_{writer}_{split}.json"
            path.write_text(json.dumps(records[f"{writer}_{split}"], indent=4) + "\n")


def _truth(
    world: World, patch: Patch, window: Window, ids_HW: NDArray[np.uint8], split: str
) -> dict[str, Json]:
    """Return what is known of a patch."""
    tile, (rows, columns) = patch.tile, patch.part
    x_px = float(tile.column * TILE_PX + columns.start)
    y_px = float(tile.row * TILE_PX + rows.start)
    in_codes = tile.region.labels == "worldcover"
    part = Window(x_W=window.x_W[columns], y_H=window.y_H[rows])
    return {
        "scene_id": patch.name.removesuffix(".png"),
        "pixel_size_m": [pixel_m(float(latitude(y_px + PATCH_PX / 2)))] * 2,
        "size": [PATCH_PX, PATCH_PX],
        "class_pixels": class_pixels(_CODE_OF_ID[ids_HW] if in_codes else ids_HW),
        "valid_pixels": int((ids_HW > 0).sum()),
        "buildings": buildings_inside(world, part, PRODUCT_YEAR),
        "split": split,
        "labels": tile.region.labels,
        "corner_lonlat": [float(longitude(x_px)), float(latitude(y_px))],
    }

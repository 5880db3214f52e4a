"""Writes the planet as ChatEarthNet: PNG triples, captions, and the land cover beside them."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from tasks.planet.captions import NAMES, caption
from tasks.planet.map_regions import MapTile, choose_tiles
from tasks.planet.mercator import TILE_PX, latitude, longitude, pixel_m
from tasks.planet.noise import Floats, mix, unit
from tasks.planet.truth import Json, buildings_inside, class_pixels, write_truth
from tasks.planet.window import Window
from tasks.planet.worldcover_map import PRODUCT_YEAR, cover_codes_HW, write_worldcover
from tasks.planet.world import World

PATCH_PX = 256
_BANDS = ("B04", "B03", "B02", "B05", "B06", "B07", "B08", "B11", "B12")
_FOLDERS = ("s2_rgb_images/s2_images", "s2_band_5_6_7_images", "s2_band_8_11_12_images")
# Light scattered by the air, of reflectance, in _BANDS: the scenes are top-of-atmosphere
_HAZE = np.array([0.022, 0.036, 0.06, 0.018, 0.015, 0.012, 0.01, 0.003, 0.001], dtype=np.float32)
_WHITE_TCI = 0.3558  # reflectance that is 255 in ESA's true-colour image
_RADAR_SHARE = 0.85  # of the patches; the rest has none
_RADAR_STRETCH = {"vv": (-25.0, 3.0), "vh": (-32.0, -4.0)}  # dB that become 0 and 255
_LONG_CAPTION_SHARE = 0.3  # of the patches, captioned a second time at more length
_SPLITS = ((0.6, "train"), (0.7, "val"), (1.0, "test"))  # cumulative, as in the archive
# WorldCover code of each of SatlasPretrain's land-cover ids, 0 to 11
_CODE_OF_ID = (0, 80, 50, 10, 20, 30, 40, 60, 70, 90, 95, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """The land cover of a region: a WorldCover raster in degrees, or none (SatlasPretrain)."""

    codes_HW: NDArray[np.uint8]
    transform: Affine


def write_chatearthnet(out: Path, world: World, scenes: int, seed: int) -> None:
    """Write `scenes` patches under `out`, the archive's own folder, and their truth beside it.

    Beyond the keys of `truth.py`, a scene's truth has `split`, `labels` ("satlas" or
    "worldcover", the archive that `class_pixels` count codes of) and `corner_lonlat`.
    """
    tiles = choose_tiles(world, -(-scenes // 4), seed)
    rasters = _write_rasters(out, world, tiles)
    records: dict[str, list[dict[str, str]]] = defaultdict(list)
    truths: list[dict[str, Json]] = []
    for number, tile in enumerate(tiles):
        quarters = min(4, scenes - 4 * number)
        truths += _write_tile(out, world, tile, quarters, rasters.get(tile.region.row), records, seed)
    _write_records(out, records)
    write_truth(out, truths)


def _write_rasters(out: Path, world: World, tiles: Iterable[MapTile]) -> dict[int, _Labels]:
    """Write a WorldCover raster for every region that is labelled so, by the region's row."""
    regions: dict[int, list[MapTile]] = defaultdict(list)
    for tile in tiles:
        if tile.region.labels == "worldcover":
            regions[tile.region.row].append(tile)
    rasters = {}
    for row, members in regions.items():
        _, codes_HW, transform = write_worldcover(out / "worldcover", world, members)
        rasters[row] = _Labels(codes_HW=codes_HW, transform=transform)
    return rasters


def _write_tile(
    out: Path,
    world: World,
    tile: MapTile,
    quarters: int,
    labels: _Labels | None,
    records: dict[str, list[dict[str, str]]],
    seed: int,
) -> list[dict[str, Json]]:
    """Write the first quarters of a tile; add their captions to `records`, return their truth."""
    window = tile.window()
    light_HWB = world.optical_HWB(window, _BANDS, PRODUCT_YEAR)
    radar_HW2 = world.radar_HW2(window, PRODUCT_YEAR, pass_seed=2)
    if labels is None:
        ids_HW = _write_satlas(out, world, tile, window)
    else:
        ids_HW = _id_of_code()[_cut(labels, tile)]
    truths = []
    for quarter in range(quarters):
        i, j = divmod(quarter, 2)
        rows = slice(i * PATCH_PX, (i + 1) * PATCH_PX)
        columns = slice(j * PATCH_PX, (j + 1) * PATCH_PX)
        name = f"{tile.name}_patch{i}{j}.png"
        key = int(mix(tile.column, tile.row, quarter) >> np.uint64(20))
        _write_optical(out, name, light_HWB[rows, columns])
        if float(unit(seed + 841, key)) < _RADAR_SHARE:
            _write_radar(out, name, radar_HW2[rows, columns])
        split = _split(seed, key)
        patch_ids_HW = ids_HW[rows, columns]
        rng = np.random.default_rng([seed, key])
        records[f"35_{split}"].append({"image": name, "caption": caption(patch_ids_HW, rng, False)})
        if float(unit(seed + 842, key)) < _LONG_CAPTION_SHARE:
            text = caption(patch_ids_HW, rng, True)
            records[f"4v_{split}"].append({"image": name, "caption": text})
        part = Window(x_W=window.x_W[columns], y_H=window.y_H[rows])
        truths.append(_truth(world, tile, part, name, split, patch_ids_HW, (i, j)))
    return truths


def _write_optical(out: Path, name: str, light_HWB: Floats) -> None:
    """Write the three PNG triples: the true-colour image, and bands divided by 32."""
    arriving_HWB = light_HWB * np.float32(0.94) + _HAZE
    for folder, first in zip(_FOLDERS, (0, 3, 6), strict=True):
        triple_HW3 = arriving_HWB[..., first : first + 3]
        full = np.float32(_WHITE_TCI if first == 0 else 255 * 32 / 10000)
        picture_HW3 = np.clip(triple_HW3 / full * 255, 0, 255).astype(np.uint8)
        _write_png(out / folder / name, picture_HW3[..., ::-1])


def _write_radar(out: Path, name: str, radar_HW2: Floats) -> None:
    """Write VV and VH as 8-bit grey PNGs."""
    for channel, (polarisation, (low, high)) in enumerate(_RADAR_STRETCH.items()):
        grey_HW = np.clip((radar_HW2[..., channel] - low) / (high - low) * 255, 0, 255)
        _write_png(out / "s1_images" / polarisation / name, grey_HW.astype(np.uint8))


def _write_satlas(
    out: Path, world: World, tile: MapTile, window: Window
) -> NDArray[np.uint8]:
    """Write a tile's SatlasPretrain land cover, grey 512 x 512, and return its ids."""
    ids_HW = _id_of_code()[cover_codes_HW(world, window)]
    _write_png(out / "satlas" / "static" / tile.name / "land_cover.png", ids_HW)
    return ids_HW


def _id_of_code() -> NDArray[np.uint8]:
    """Return the table from WorldCover codes to SatlasPretrain ids."""
    table = np.zeros(256, dtype=np.uint8)
    table[list(_CODE_OF_ID)] = np.arange(len(NAMES), dtype=np.uint8)
    return table


def _cut(labels: _Labels, tile: MapTile) -> NDArray[np.uint8]:
    """Return the WorldCover code under each of a tile's pixel centres, (512, 512)."""
    x_px = tile.column * TILE_PX + np.arange(TILE_PX) + 0.5
    y_px = tile.row * TILE_PX + np.arange(TILE_PX) + 0.5
    step, left, top = labels.transform.a, labels.transform.c, labels.transform.f
    columns = np.floor((longitude(x_px) - left) / step).astype(np.int64)
    rows = np.floor((top - latitude(y_px)) / step).astype(np.int64)
    return labels.codes_HW[rows[:, None], columns[None, :]]


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture (grey, or blue-green-red) as an 8-bit PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    path.write_bytes(packed.tobytes())


def _split(seed: int, key: int) -> str:
    """Return the part of the data a patch belongs to."""
    draw = float(unit(seed + 843, key))
    return next(name for limit, name in _SPLITS if draw < limit)


def _write_records(out: Path, records: dict[str, list[dict[str, str]]]) -> None:
    """Write the six caption lists; a list without captions is written empty."""
    folder = out / "json_files"
    folder.mkdir(parents=True, exist_ok=True)
    for writer in ("35", "4v"):
        for _, split in _SPLITS:
            path = folder / f"ChatEarthNet_caps_{writer}_{split}.json"
            path.write_text(json.dumps(records[f"{writer}_{split}"], indent=4) + "\n")


def _truth(
    world: World,
    tile: MapTile,
    window: Window,
    name: str,
    split: str,
    ids_HW: NDArray[np.uint8],
    quarter: tuple[int, int],
) -> dict[str, Json]:
    """Return what is known of a patch."""
    codes = np.array(_CODE_OF_ID)
    x_px = tile.column * TILE_PX + quarter[1] * PATCH_PX
    y_px = tile.row * TILE_PX + quarter[0] * PATCH_PX
    middle = float(latitude(y_px + PATCH_PX / 2))
    in_codes = tile.region.labels == "worldcover"
    return {
        "scene_id": name.removesuffix(".png"),
        "pixel_size_m": [pixel_m(middle)] * 2,
        "size": [PATCH_PX, PATCH_PX],
        "class_pixels": class_pixels(codes[ids_HW] if in_codes else ids_HW),
        "valid_pixels": int((ids_HW > 0).sum()),
        "buildings": buildings_inside(world, window, PRODUCT_YEAR),
        "split": split,
        "labels": tile.region.labels,
        "corner_lonlat": [float(longitude(x_px)), float(latitude(y_px))],
    }

"""Writes the planet as BigEarthNet v2: Sentinel-2 and Sentinel-1 patches, maps, two tables."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rasterio.features import sieve
from rasterio.transform import Affine

from tasks.planet.corine import LABELLED, OUTSIDE, names_of
from tasks.planet.geotiff import write_band
from tasks.planet.noise import Floats, fbm, mix, unit
from tasks.planet.patch_blocks import TILE_SCENES, Patch, choose_patches, map_codes_HW
from tasks.planet.spectra import BANDS
from tasks.planet.truth import Json, buildings_inside, class_pixels, write_truth
from tasks.planet.weather import Sky
from tasks.planet.window import Window
from tasks.planet.world import World

MAIN_TABLE = "metadata.parquet"
CLOUD_TABLE = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
_PIXEL_M = dict.fromkeys(BANDS, 20) | {"B02": 10, "B03": 10, "B04": 10, "B08": 10}
_PIXEL_M |= {"B01": 60, "B09": 60}
_CLOUDY_SHARE = 0.12
_SNOWY_SHARE = 0.5  # of a winter product
_SMALLEST_PX = 90  # map polygons below 0.9 ha are merged: mapping agencies draw no specks
_BORDER_M = 180.0  # how far in from the west edge the map starts, where it does

_SCHEMA = pa.schema(
    [
        ("patch_id", pa.string()),
        ("labels", pa.list_(pa.field("element", pa.string()))),
        ("split", pa.string()),
        ("country", pa.string()),
        ("s1_name", pa.string()),
        ("s2v1_name", pa.string()),
        ("contains_seasonal_snow", pa.bool_()),
        ("contains_cloud_or_shadow", pa.bool_()),
    ]
)


def write_bigearthnet(
    out: Path, world: World, scenes: int, seed: int, tile_scenes: int = TILE_SCENES
) -> None:
    """Write `scenes` patches under `out`, the archive's own folder, and their truth beside it.

    One tile is begun for about `tile_scenes` patches.

    Beyond the keys of `truth.py`, a scene's truth has `split`, `country`, `cloudy`, `snowy`,
    `corner_m` (UTM of the upper-left corner), `epsg` and `cloud_share` (pixels mostly hidden).
    """
    rows, truths = [], []
    for patch in choose_patches(world, scenes, seed, tile_scenes):
        sky = _sky(patch, seed)
        window = patch.window()
        codes_HW = _reference_map(world, patch, window)
        _write_optical(out, world, patch, window, sky)
        _write_radar(out, world, patch, window)
        _write_map(out, patch, codes_HW)
        rows.append(_row(patch, sky, codes_HW))
        truths.append(_truth(world, patch, window, sky, codes_HW))
    _write_table(out / MAIN_TABLE, [row for row in rows if not _flagged(row)])
    _write_table(out / CLOUD_TABLE, [row for row in rows if _flagged(row)])
    write_truth(out, truths)


def _flagged(row: Mapping[str, Json]) -> bool:
    return bool(row["contains_seasonal_snow"] or row["contains_cloud_or_shadow"])


def _patch_id(patch: Patch) -> str:
    return patch.tile.patch_id(patch.column, patch.row)


def _sky(patch: Patch, seed: int) -> Sky:
    """Return the weather of a patch: a few are clouded, winter ones may lie under snow."""
    key = int(mix(patch.tile.epsg, patch.column, patch.row) >> np.uint64(20))
    if patch.tile.winter and float(unit(seed + 811, key)) < _SNOWY_SHARE:
        return Sky(seed=seed + 814, snow=True)
    if float(unit(seed + 812, key)) < _CLOUDY_SHARE:
        share = 0.2 + 0.5 * float(unit(seed + 813, key))
        return Sky(seed=key % 1_000_003, cloud_share=share)
    return Sky()


def _reference_map(world: World, patch: Patch, window: Window) -> NDArray[np.uint16]:
    """Return the map of a patch in level-3 codes, (120, 120), small specks merged."""
    codes_HW = sieve(map_codes_HW(world, patch, window), size=_SMALLEST_PX)
    if patch.at_border:
        wander_H = 60.0 * fbm(world.seed + 821, np.zeros(1), window.y_H, 500.0, 3)[:, 0]
        inside_m = window.x_W - window.bounds_m[0]
        codes_HW[inside_m[None, :] < (_BORDER_M + wander_H)[:, None]] = OUTSIDE
    return np.asarray(codes_HW, dtype=np.uint16)


def _write_optical(out: Path, world: World, patch: Patch, window: Window, sky: Sky) -> None:
    """Write twelve bands at their own pixel sizes: reflectance x 10000, 0 is nodata."""
    name = _patch_id(patch)
    folder = out / "BigEarthNet-S2" / patch.tile.product / name
    folder.mkdir(parents=True, exist_ok=True)
    light_HWB = world.optical_HWB(window, BANDS, patch.tile.year, sky=sky)
    for number, band in enumerate(BANDS):
        pixel_m = _PIXEL_M[band]
        counts_HW = np.rint(_coarser(light_HWB[..., number], pixel_m // 10) * 10000)
        write_band(
            folder / f"{name}_{band}.tif",
            np.clip(counts_HW, 1, 65535).astype(np.uint16),
            epsg=patch.tile.epsg,
            transform=_transform(patch, pixel_m),
            nodata=0,
        )


def _write_radar(out: Path, world: World, patch: Patch, window: Window) -> None:
    """Write VV and VH in dB, float32, with no nodata tag."""
    name = patch.tile.radar_name(patch.column, patch.row)
    folder = out / "BigEarthNet-S1" / patch.tile.radar_scene / name
    folder.mkdir(parents=True, exist_ok=True)
    decibel_HW2 = world.radar_HW2(window, patch.tile.year, pass_seed=1)
    for channel, polarisation in enumerate(("VV", "VH")):
        write_band(
            folder / f"{name}_{polarisation}.tif",
            np.ascontiguousarray(decibel_HW2[..., channel]),
            epsg=patch.tile.epsg,
            transform=_transform(patch, 10),
            nodata=None,
        )


def _write_map(out: Path, patch: Patch, codes_HW: NDArray[np.uint16]) -> None:
    """Write the reference map: level-3 codes, DEFLATE with a horizontal predictor."""
    name = _patch_id(patch)
    folder = out / "Reference_Maps" / patch.tile.product / name
    folder.mkdir(parents=True, exist_ok=True)
    write_band(
        folder / f"{name}_reference_map.tif",
        codes_HW,
        epsg=patch.tile.epsg,
        transform=_transform(patch, 10),
        nodata=0,
        compress="deflate",
        predictor=2,
    )


def _coarser(band_HW: Floats, factor: int) -> Floats:
    """Return the mean of blocks of factor x factor pixels."""
    height, width = (size // factor for size in band_HW.shape)
    return np.asarray(band_HW.reshape(height, factor, width, factor).mean(axis=(1, 3)))


def _transform(patch: Patch, pixel_m: int) -> Affine:
    return Affine(pixel_m, 0, patch.left_m, 0, -pixel_m, patch.top_m)


def _row(patch: Patch, sky: Sky, codes_HW: NDArray[np.uint16]) -> dict[str, Json]:
    """Return the patch's row of the metadata table."""
    return {
        "patch_id": _patch_id(patch),
        "labels": names_of(codes_HW),
        "split": patch.split,
        "country": patch.tile.country,
        "s1_name": patch.tile.radar_name(patch.column, patch.row),
        "s2v1_name": patch.tile.first_patch_name(patch.column, patch.row),
        "contains_seasonal_snow": sky.snow,
        "contains_cloud_or_shadow": sky.cloud_share > 0,
    }


def _write_table(path: Path, rows: list[dict[str, Json]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def _truth(
    world: World, patch: Patch, window: Window, sky: Sky, codes_HW: NDArray[np.uint16]
) -> dict[str, Json]:
    """Return what is known of a patch."""
    return {
        "scene_id": _patch_id(patch),
        "pixel_size_m": [10.0, 10.0],
        "size": list(codes_HW.shape),
        "class_pixels": class_pixels(codes_HW),
        "valid_pixels": int(np.isin(codes_HW, LABELLED).sum()),
        "buildings": buildings_inside(world, window, patch.tile.year),
        "split": patch.split,
        "country": patch.tile.country,
        "cloudy": sky.cloud_share > 0,
        "snowy": sky.snow,
        "cloud_share": float((world.cloud_HW(window, sky) > 0.5).mean()),
        "corner_m": [patch.left_m, patch.top_m],
        "epsg": patch.tile.epsg,
    }

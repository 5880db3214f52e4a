"""Finds the folders of a ChatEarthNet archive by what lies in them, not by fixed names."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tasks.sources.worldcover import WorldCoverTile, parse_tile_name

MAX_DEPTH = 4  # zip folder, inner folder, and room for one folder around the archive
BAND_FOLDERS = ("band_5_6_7", "band_8_11_12")
_PATCH_FILE = re.compile(r"\d+_\d+_patch[01][01]\.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What an archive holds; folder names are relative, "" where there is none.

    `rgb_names` are the names of the PNGs beside the RGB patches, `satlas` the folder that holds a
    folder a tile, `worldcover` the tiles of one product (the newest) by their corner.
    """

    rgb: str
    rgb_names: frozenset[str]
    bands: tuple[str, ...]
    vv: str
    vh: str
    sar_names: frozenset[str]
    satlas: str
    worldcover: dict[str, WorldCoverTile]


def find_folders(root: Path) -> Folders:
    """Look through the archive once.

    Raises:
        ValueError: if no folder holds RGB patches.
    """
    patches: dict[str, frozenset[str]] = {}
    tiles: list[WorldCoverTile] = []
    satlas = ""
    for folder, folders, files in os.walk(root):
        relative = Path(folder).relative_to(root).as_posix()
        folders.sort()
        if Path(folder).name == "static":  # SatlasPretrain: a folder a tile, a million of them
            satlas = satlas or relative
            folders.clear()
        if len(Path(relative).parts) >= MAX_DEPTH:
            folders.clear()
        if any(_PATCH_FILE.fullmatch(name) for name in files):
            patches[relative] = frozenset(name for name in files if name.endswith(".png"))
        tiles += filter(None, (parse_tile_name(_joined(relative, name)) for name in files))
    bands = tuple(
        next((folder for folder in patches if band in folder), "") for band in BAND_FOLDERS
    )
    vv, vh = (_last_part(patches, part) for part in ("vv", "vh"))
    rgb = [folder for folder in patches if folder not in (*bands, vv, vh)]
    if not rgb:
        raise ValueError(
            f"{root} is no ChatEarthNet archive: looked for a folder of <column>_<row>_patch00.png"
        )
    return Folders(
        rgb=rgb[0],
        rgb_names=patches[rgb[0]],
        bands=tuple(filter(None, bands)),
        vv=vv,
        vh=vh,
        sar_names=patches.get(vv, frozenset()) | patches.get(vh, frozenset()),
        satlas=satlas,
        worldcover=_newest(tiles),
    )


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _last_part(folders: dict[str, frozenset[str]], part: str) -> str:
    return next((folder for folder in folders if Path(folder).name.lower() == part), "")


def _newest(tiles: list[WorldCoverTile]) -> dict[str, WorldCoverTile]:
    # one product for the whole archive: versions differ by algorithm
    version = max((tile.version for tile in tiles), default=0)
    return {tile.corner: tile for tile in tiles if tile.version == version}

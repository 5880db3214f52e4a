"""Finds the folders of a ChatEarthNet archive by what lies in them, not by fixed names."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tasks.sources.worldcover import WorldCoverTile, parse_tile_name

MAX_DEPTH = 4  # zip folder, inner folder, and room for one folder around the archive
BAND_FOLDERS = ("band_5_6_7", "band_8_11_12")
RGB_FOLDERS = ("rgb", "s2_images")  # one of them is in the path of the archive's pictures
_PATCH_FILE = re.compile(r"\d+_\d+_patch[01][01]\.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The PNGs of one kind: the folder of each by its name, and the first of their folders."""

    first: str = ""
    folder_of: Mapping[str, str] = field(default_factory=dict)

    def path(self, file: str) -> str:
        """Return the path of a PNG; where there is none, in the first folder."""
        return f"{self.folder_of.get(file, self.first)}/{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What an archive holds; folder names are relative, "" where there is none.

    `bands` are the kinds of other bands that are there, `satlas` the folder that holds a folder a
    tile, `worldcover` the tiles of one product (the newest) by their corner, `closed` what each
    folder that could not be listed said.
    """

    rgb: Pictures
    bands: tuple[Pictures, ...]
    vv: Pictures
    vh: Pictures
    satlas: str
    worldcover: dict[str, WorldCoverTile]
    closed: tuple[tuple[str, str], ...]


def find_folders(root: Path) -> Folders:
    """Look through the archive once.

    Pictures of one kind may lie in several folders, one a split.

    Raises:
        ValueError: if no folder holds RGB patches, if it cannot be told which does, or if two
            folders hold the same.
    """
    patches: dict[str, list[str]] = {}
    tiles: list[WorldCoverTile] = []
    satlas = ""
    closed: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=closed.append):
        relative = Path(folder).relative_to(root).as_posix()
        folders.sort()
        if Path(folder).name == "static":  # SatlasPretrain: a folder a tile, a million of them
            satlas = satlas or relative
            folders.clear()
        if len(Path(relative).parts) >= MAX_DEPTH:
            folders.clear()
        if any(_PATCH_FILE.fullmatch(name) for name in files):
            patches[relative] = [name for name in files if name.endswith(".png")]
        tiles += filter(None, (parse_tile_name(_joined(relative, name)) for name in files))
    bands = [[folder for folder in patches if band in folder] for band in BAND_FOLDERS]
    vv, vh = ([folder for folder in patches if _has_part(folder, part)] for part in ("vv", "vh"))
    others = set().union(*bands, vv, vh)
    rgb = _rgb_folders(root, [folder for folder in patches if folder not in others])
    return Folders(
        rgb=_merged(root, patches, rgb),
        bands=tuple(_merged(root, patches, found) for found in bands if found),
        vv=_merged(root, patches, vv),
        vh=_merged(root, patches, vh),
        satlas=satlas,
        worldcover=_newest(tiles),
        closed=tuple(
            (Path(error.filename).relative_to(root).as_posix(), str(error.strerror))
            for error in closed
        ),
    )


def _rgb_folders(root: Path, candidates: Sequence[str]) -> Sequence[str]:
    """Return which of the folders of patches hold the pictures: those named so, or the only one."""
    if not candidates:
        raise ValueError(
            f"{root} is no ChatEarthNet archive: looked for a folder of <column>_<row>_patch00.png"
        )
    named = [f for f in candidates if any(part in f.lower() for part in RGB_FOLDERS)]
    if not named and len(candidates) > 1:
        raise ValueError(
            f"{root}: {', '.join(candidates)} hold patches; expected {' or '.join(RGB_FOLDERS)} in "
            "the path of those with the pictures"
        )
    return named or candidates


def _merged(root: Path, patches: Mapping[str, list[str]], folders: Sequence[str]) -> Pictures:
    folder_of: dict[str, str] = {}
    for folder in folders:
        for name in patches[folder]:
            if name in folder_of:
                raise ValueError(
                    f"{root}: {name} lies in {folder_of[name]} and in {folder}; expected one of "
                    "the two folders alone"
                )
            folder_of[name] = folder
    return Pictures(first=folders[0], folder_of=folder_of) if folders else Pictures()


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _has_part(folder: str, part: str) -> bool:
    return part in PurePosixPath(folder.lower()).parts


def _newest(tiles: list[WorldCoverTile]) -> dict[str, WorldCoverTile]:
    # one product for the whole archive: versions differ by algorithm
    version = max((tile.version for tile in tiles), default=0)
    return {tile.corner: tile for tile in tiles if tile.version == version}

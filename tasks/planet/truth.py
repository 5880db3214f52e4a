"""The world's own truth about what was written: plain counts, to check answers against.

`OUT/truth/<archive>.json` holds {"archive": name, "scenes": [scene, ...]}, scenes in order of id.
Keys of a scene:

- `scene_id`: the archive's own name of it.
- `pixel_size_m`: [x, y] metres per pixel.
- `size`: [height, width] in pixels.
- `class_pixels`: {code: pixels} of the label raster as written, by the archive's own code, all
  codes that occur, unlabelled ones too.
- `valid_pixels`: pixels whose code names a class.
- `buildings`: buildings of the world whose middle lies in the scene.
- whatever else an archive knows, documented where it is written.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tasks.planet.settlement import stock_in
from tasks.planet.window import Window
from tasks.planet.world import World

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None


def class_pixels(codes_HW: NDArray[np.integer]) -> dict[str, int]:
    """Return {code: number of pixels} for every code that occurs, in order of code."""
    counts = np.bincount(codes_HW.ravel())
    return {str(code): int(counts[code]) for code in np.flatnonzero(counts).tolist()}


def buildings_inside(world: World, window: Window, year: float) -> int:
    """Return how many buildings have their middle inside the window's pixels."""
    middles = stock_in(world.seed, window.bounds_m, year).corners_K42.mean(axis=1)
    height, width = window.shape_HW
    columns, rows = np.rint(window.pixels(middles)).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return int(inside.sum())


def write_truth(archive: Path, scenes: Iterable[Mapping[str, Json]]) -> Path:
    """Write the truth of an archive beside it: `archive`/../truth/<name>.json."""
    path = archive.parent / "truth" / f"{archive.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(scenes, key=lambda scene: str(scene["scene_id"]))
    content = {"archive": archive.name, "scenes": ordered}
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    return path

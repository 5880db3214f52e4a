"""Other datasets that models are measured on, as the leakage meter sees them."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.manifest import DataFile, read_manifest
from tasks.publication.footprints import EDGES, is_plain
from tasks.publication.leakage import Footprint

_COLUMNS = ["scene_id", "place", "grid", "images"]


def bench_footprints(folder: Path) -> list[Footprint]:
    """Return the scenes of a bench dataset, whatever their splits, all in a split of its name.

    What a scene shows is what its samples carry, of all tiers together.

    Raises:
        ManifestError: the folder holds no finished dataset.
    """
    found: dict[tuple[str, str], Footprint] = {}
    for file in read_manifest(folder).files:
        for row in _first_rows(folder, file):
            key = file.source, row["scene_id"]
            shown = found[key].images if key in found else ()
            found[key] = _footprint(folder.name, file.source, row, shown)
    return list(found.values())


def _first_rows(folder: Path, file: DataFile) -> Iterator[dict[str, Any]]:
    """Yield a row of each scene of a shard; a scene's samples carry the same images in one."""
    seen: set[str] = set()
    with pq.ParquetFile(folder / file.path) as shard:
        for group in range(shard.num_row_groups):
            ids = shard.read_row_group(group, columns=["scene_id"]).column(0).to_pylist()
            first = {one: at for at, one in reversed(list(enumerate(ids))) if one not in seen}
            if first:
                table = shard.read_row_group(group, columns=_COLUMNS)
                yield from table.take(sorted(first.values())).to_pylist()
            seen.update(ids)


def _footprint(bench: str, source: str, row: dict[str, Any], shown: tuple[str, ...]) -> Footprint:
    grid = row["grid"]
    pixels = grid["height"] * grid["width"]
    images = [image["bytes"] for image in row["images"]]
    digests = [sha256(one).hexdigest() for one in images if not is_plain(one, pixels)]
    return Footprint(
        source=source,
        split=f"bench {bench}",
        scene_id=row["scene_id"],
        place=row["place"],
        bounds_lonlat=None if grid["west"] is None else tuple(grid[edge] for edge in EDGES),
        images=tuple(dict.fromkeys((*shown, *digests))),
    )

"""The scenes of a finished dataset, each once, with all that its samples show: for the meter."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tasks.manifest import read_manifest
from tasks.publication.footprints import EDGES, is_plain
from tasks.rows import open_shard

_READ = ["scene_id", "place", "grid", "images"]


def scenes_shown(dataset: Path, split: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the scenes of a split, or all, as `FOOTPRINT_SCHEMA` has them, with their source.

    A sample carries some of its scene's images: a scene shows what all its samples carry.

    Raises:
        ManifestError, RowError: the folder is no dataset, or a shard of it cannot be read.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for file in read_manifest(dataset).files:
        if split is not None and file.split != split:
            continue
        with open_shard(dataset / file.path) as shard:
            for group in range(shard.num_row_groups):
                for row in shard.read_row_group(group, columns=_READ).to_pylist():
                    _add(found, file.source, row)
    for scene in found.values():
        images = scene.pop("paths").values()
        yield {**scene, "images": sorted({digest for digest in images if digest})}


def _add(found: dict[tuple[str, str], dict[str, Any]], source: str, row: dict[str, Any]) -> None:
    grid = row["grid"]
    edges = {edge: grid[edge] for edge in EDGES}
    new = {"source": source, "scene_id": row["scene_id"], "place": row["place"], **edges}
    scene = found.setdefault((source, row["scene_id"]), {**new, "paths": {}})
    for image in row["images"]:
        if image["path"] not in scene["paths"]:
            plain = is_plain(image["bytes"], grid["height"] * grid["width"])
            digest = "" if plain else sha256(image["bytes"]).hexdigest()
            scene["paths"][image["path"]] = digest

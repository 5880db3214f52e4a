"""A large BigEarthNet archive from a small painted one: the same files under new names.

Painting 20,000 scenes of the planet takes hours; reading, asking and writing them does not depend
on their being different. So a few patches are painted, and repeated under new patch ids in full
blocks of 16 x 16 patches: every granule holds 256 scenes but the last. Files are hard links to the
painted ones, so the archive takes no space (but inodes: 15 files a scene); where links cannot be
made, they are copied. Questions still differ between repeats: they are drawn by scene id.
"""

import os
import shutil
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.planet.bigearthnet import write_bigearthnet
from tasks.planet.world import world_of

PAINTED = 64
BLOCK = 16  # patches a side of a granule
BLOCKS_A_TILE = 5  # a side: a tile is 91 patches wide
COLUMNS, ROWS = "ABCDEFGH", "ABCDEFGHJKLMNPQRSTUV"  # letters of tiles that MGRS has
TABLES = ("metadata.parquet", "metadata_for_patches_with_snow_cloud_or_shadow.parquet")


def paint(out: Path, seed: int = 3) -> Path:
    """Write the small archive to `out` unless it is there."""
    if not (out / TABLES[1]).is_file():
        write_bigearthnet(out, world_of(seed), PAINTED, seed)
    return out


def replicate(painted: Path, out: Path, scenes: int, *, apart: bool = False) -> Path:
    """Write an archive of `scenes` repeats of the painted patches to `out`, which is new.

    `apart` puts each into a block, and so into a granule, of its own.
    """
    rows = pa.concat_tables([pq.read_table(painted / name) for name in TABLES])
    repeated = []
    for row, (tile, column, line) in zip(
        islice(cycle(rows.to_pylist()), scenes), places_apart() if apart else places(), strict=False
    ):
        patch_id = f"{row['patch_id'].rsplit('_', 3)[0]}_T{tile}_{column:02d}_{line:02d}"
        s1_name = f"{row['s1_name'].rsplit('_', 3)[0]}_{tile}_{column}_{line}"
        _link_patch(painted, row["patch_id"], out, patch_id)
        _link_radar(painted, row["s1_name"], out, s1_name)
        renamed = {"patch_id": patch_id, "s1_name": s1_name, "s2v1_name": patch_id}
        repeated.append({**row, **renamed, "split": "train"})
    pq.write_table(pa.Table.from_pylist(repeated, schema=rows.schema), out / TABLES[0])
    return out


def places() -> Iterator[tuple[str, int, int]]:
    """Yield tile, column and row of one patch after the other, block by block."""
    for number in range(1, 61):
        for block in range(BLOCKS_A_TILE**2):
            left, top = (BLOCK * place for place in divmod(block, BLOCKS_A_TILE))
            for patch in range(BLOCK**2):
                column, row = divmod(patch, BLOCK)
                yield f"{number:02d}UPV", left + column, top + row


def places_apart() -> Iterator[tuple[str, int, int]]:
    """Yield tile, column and row of the first patch of one block after the other."""
    for number, column, row in product(range(1, 61), COLUMNS, ROWS):
        for block in range(BLOCKS_A_TILE**2):
            left, top = (BLOCK * place for place in divmod(block, BLOCKS_A_TILE))
            yield f"{number:02d}U{column}{row}", left, top


def _link_patch(painted: Path, patch: str, out: Path, renamed: str) -> None:
    """Link the bands of an optical patch and its reference map."""
    for folder in ("BigEarthNet-S2", "Reference_Maps"):
        found = painted / folder / patch.rsplit("_", 2)[0] / patch
        _link_all(found, out / folder / renamed.rsplit("_", 2)[0] / renamed)


def _link_radar(painted: Path, name: str, out: Path, renamed: str) -> None:
    """Link both polarisations of a radar patch; its scene's folder has no tile in its name."""
    found = painted / "BigEarthNet-S1" / name.rsplit("_", 3)[0] / name
    _link_all(found, out / "BigEarthNet-S1" / renamed.rsplit("_", 3)[0] / renamed)


def _link_all(found: Path, folder: Path) -> None:
    """Link the files of a folder into another, their stem, the folder's name, changed with it."""
    folder.mkdir(parents=True)
    for file in found.iterdir():
        target = folder / file.name.replace(found.name, folder.name)
        try:
            os.link(file, target)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(file, target)

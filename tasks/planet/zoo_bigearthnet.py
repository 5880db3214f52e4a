"""The zoo's BigEarthNet: copies of a good patch under new indices, each with one defect."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from tasks.planet.zoo_files import Exhibit, huge_tiff, link_out, truncate, vrt, web_map

FOLDER = "bigearthnet"
TABLE = "metadata.parquet"
OUTSIDE_CLC = 999
_INDICES = 91  # of patches along the side of a tile


@dataclass(slots=True)
class Patch:
    """One patch of `root`/bigearthnet and its row of the table, which a defect may change."""

    root: Path
    row: dict[str, Any]
    patch_id: str
    s1_name: str
    twice: bool = False
    listed: bool = True

    @property
    def optical(self) -> Path:
        """Folder of the Sentinel-2 bands."""
        return self._folder("BigEarthNet-S2", self.patch_id, 2)

    @property
    def radar(self) -> Path:
        """Folder of the Sentinel-1 channels."""
        return self._folder("BigEarthNet-S1", self.s1_name, 3)

    @property
    def map(self) -> Path:
        """The reference map."""
        folder = self._folder("Reference_Maps", self.patch_id, 2)
        return folder / f"{self.patch_id}_reference_map.tif"

    def band(self, name: str) -> Path:
        """One Sentinel-2 band, such as "B04"."""
        return self.optical / f"{self.patch_id}_{name}.tif"

    def channel(self, name: str) -> Path:
        """One Sentinel-1 channel, "VV" or "VH"."""
        return self.radar / f"{self.s1_name}_{name}.tif"

    def _folder(self, archive: str, name: str, tokens: int) -> Path:
        return self.root / FOLDER / archive / name.rsplit("_", tokens)[0] / name


Breaker = Callable[[Patch], Path]


def add_bigearthnet(root: Path) -> list[Exhibit]:
    """Add every broken patch to the planet's BigEarthNet and return what was added."""
    table = pq.read_table(root / FOLDER / TABLE)
    rows = table.to_pylist()
    good = _best_patch(root, rows)
    free = _free_indices(rows, good)
    exhibits, added = [], []
    for (defect, reasons, breaker), index in zip(CASES, free, strict=False):
        patch = _copy(good, index)
        broken = breaker(patch)
        if patch.listed:
            added += [patch.row, patch.row] if patch.twice else [patch.row]
        exhibits.append(
            Exhibit(
                source=FOLDER, scene=str(patch.row["patch_id"]), defect=defect, reasons=reasons,
                file=broken.relative_to(root).as_posix(),
            )
        )  # fmt: skip
    longer = pa.concat_tables([table, pa.Table.from_pylist(added, schema=table.schema)])
    pq.write_table(longer, root / FOLDER / TABLE, compression="zstd")
    return exhibits


def _best_patch(root: Path, rows: list[dict[str, Any]]) -> Patch:
    """Return the first patch whose map is all inside CLC, or the one with the most of it."""
    patches = [Patch(root, row, row["patch_id"], row["s1_name"]) for row in rows]
    return max(patches, key=lambda patch: int((_pixels(patch.map) != OUTSIDE_CLC).sum()))


def _free_indices(rows: list[dict[str, Any]], good: Patch) -> list[tuple[int, int]]:
    product = good.patch_id.rsplit("_", 2)[0]
    taken = {row["patch_id"] for row in rows}
    return [
        (column, row)
        for row in range(_INDICES)
        for column in range(_INDICES)
        if f"{product}_{column:02}_{row:02}" not in taken
    ]


def _copy(good: Patch, index: tuple[int, int]) -> Patch:
    column, row = index
    patch_id = f"{good.patch_id.rsplit('_', 2)[0]}_{column:02}_{row:02}"
    s1_name = f"{good.s1_name.rsplit('_', 2)[0]}_{column}_{row}"
    first = f"{good.row['s2v1_name'].rsplit('_', 2)[0]}_{column}_{row}"
    entry = {**good.row, "patch_id": patch_id, "s1_name": s1_name, "s2v1_name": first}
    patch = Patch(good.root, entry, patch_id, s1_name)
    for source, target, old, new in (
        (good.optical, patch.optical, good.patch_id, patch_id),
        (good.radar, patch.radar, good.s1_name, s1_name),
        (good.map.parent, patch.map.parent, good.patch_id, patch_id),
    ):
        target.mkdir(parents=True)
        for path in sorted(source.iterdir()):
            shutil.copy(path, target / path.name.replace(old, new))
    return patch


def _pixels(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read(1))


def _rewrite(path: Path, change: Callable[[NDArray[Any]], NDArray[Any]], **profile: object) -> None:
    """Write a raster again with other pixels or another profile."""
    with rasterio.open(path) as raster:
        kept, pixels = raster.profile, change(raster.read(1))
    path.unlink()
    height, width = pixels.shape
    kept |= {"height": height, "width": width, "dtype": pixels.dtype, **profile}
    with rasterio.open(path, "w", **kept) as raster:
        raster.write(pixels, 1)


def _on(name: str, change: Callable[[Path], object]) -> Breaker:
    """Return what changes one file: a band, a channel, or the "map"."""

    def breaker(patch: Patch) -> Path:
        path = patch.map if name == "map" else _raster(patch, name)
        change(path)
        return path

    return breaker


def _raster(patch: Patch, name: str) -> Path:
    return patch.channel(name) if name in ("VV", "VH") else patch.band(name)


def _values(change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Path], None]:
    return lambda path: _rewrite(path, change)


def _corner_code(pixels_HW: NDArray[Any]) -> NDArray[Any]:
    pixels_HW[:30, :30] = 777
    return pixels_HW


def _every_band(change: Callable[[NDArray[Any]], NDArray[Any]]) -> Breaker:
    def breaker(patch: Patch) -> Path:
        for path in sorted(patch.optical.iterdir()):
            _rewrite(path, change)
        return patch.optical

    return breaker


def _one_pixel(patch: Patch) -> Path:
    for folder in (patch.optical, patch.radar, patch.map.parent):
        for path in sorted(folder.iterdir()):
            _rewrite(path, lambda pixels_HW: pixels_HW[:1, :1])
    return patch.optical


def _other_crs(path: Path) -> None:
    _rewrite(path, lambda pixels_HW: pixels_HW, crs=CRS.from_epsg(3035))


def _moved(path: Path) -> None:
    with rasterio.open(path) as raster:
        there = raster.transform @ Affine.translation(40, 0)
    _rewrite(path, lambda pixels_HW: pixels_HW, transform=there)


def _no_radar(patch: Patch) -> Path:
    shutil.rmtree(patch.radar)
    return patch.radar


def _link(patch: Patch) -> Path:
    link_out(patch.band("B03"), patch.root)
    return patch.band("B03")


def _neighbour(patch: Patch) -> Path:
    vrt(patch.band("B04"), patch.band("B03").name, 120)
    return patch.band("B04")


def _row(**values: str) -> Breaker:
    """Return what changes the row alone: the files stay where they are."""

    def breaker(patch: Patch) -> Path:
        patch.row |= values
        return patch.root / FOLDER / TABLE

    return breaker


def _elsewhere(folder: str) -> Breaker:
    """Return what gives the Sentinel-1 partner a name that leads to a folder elsewhere."""

    def breaker(patch: Patch) -> Path:
        patch.row["s1_name"] = f"{folder}/{patch.s1_name}"
        shutil.rmtree(patch.radar)
        return patch.root / FOLDER / TABLE

    return breaker


def _twice(patch: Patch) -> Path:
    patch.twice = True
    return patch.root / FOLDER / TABLE


def _unlisted(patch: Patch) -> Path:
    patch.listed = False
    return patch.optical


def _bad_date(patch: Patch) -> Path:
    """Give the product a thirteenth month, in the names and in the row."""
    tokens = patch.patch_id.split("_")
    tokens[2] = f"{tokens[2][:4]}1345{tokens[2][8:]}"
    new = Patch(patch.root, patch.row, "_".join(tokens), patch.s1_name)
    for source, target in ((patch.optical, new.optical), (patch.map.parent, new.map.parent)):
        target.mkdir(parents=True)
        for path in sorted(source.iterdir()):
            path.rename(target / path.name.replace(patch.patch_id, new.patch_id))
        source.rmdir()
    patch.row["patch_id"] = new.patch_id
    return new.optical


CASES: tuple[tuple[str, tuple[str, ...], Breaker], ...] = (
    ("truncated band", ("unreadable_file",), _on("B04", lambda p: truncate(p, 0.4))),
    ("truncated map", ("unreadable_file",), _on("map", lambda p: truncate(p, 0.4))),
    ("missing band", ("missing_file",), _on("B08", Path.unlink)),
    ("missing Sentinel-1 patch", ("missing_pair",), _no_radar),
    ("missing Sentinel-1 channel", ("missing_file", "missing_pair"), _on("VH", Path.unlink)),
    ("missing map", ("missing_file", "no_label", "missing_target"), _on("map", Path.unlink)),
    ("map of another size", ("size_mismatch",), _on("map", _values(lambda a: a[:100]))),
    ("band of another size", ("size_mismatch",), _on("B03", _values(lambda a: a[:60, :60]))),
    ("map in another CRS", ("crs_mismatch",), _on("map", _other_crs)),
    ("Sentinel-1 in another CRS", ("crs_mismatch",), _on("VV", _other_crs)),
    ("Sentinel-1 of another place", ("crs_mismatch",), _on("VV", _moved)),
    ("map code 777", ("unknown_label_code",), _on("map", _values(_corner_code))),
    ("map outside CLC", ("low_valid_share", "no_label"),
     _on("map", _values(lambda a: np.full_like(a, OUTSIDE_CLC)))),
    ("NaN in Sentinel-1", ("nodata_image",),
     _on("VV", _values(lambda a: np.full_like(a, np.nan)))),
    ("all nodata", ("nodata_image", "blank_image"), _every_band(np.zeros_like)),
    ("reflectance as float", ("wrong_pixel_format", "wrong_type"),
     _on("B02", _values(lambda a: a.astype(np.float32) / 10000))),
    ("1-pixel images", ("too_small", "size_mismatch"), _one_pixel),
    ("TIFF of 60,000 x 60,000", ("too_large", "size_mismatch"), _on("B04", huge_tiff)),
    ("VRT to another file", ("external_reference",), _neighbour),
    ("VRT to a URL", ("external_reference",),
     _on("B04", lambda p: vrt(p, "/vsicurl/http://tiles.invalid/B04.tif", 120))),
    ("web map under a .tif name", ("external_reference",), _on("B02", web_map)),
    ("link out of the archive", ("unsafe_path",), _link),
    ('name with ".."', ("unsafe_path", "missing_metadata"), _elsewhere("../../../outside")),
    ("absolute path for a name", ("unsafe_path", "missing_metadata"), _elsewhere("/etc")),
    ("row twice", ("duplicate_id",), _twice),
    ("patch without a row", ("missing_metadata",), _unlisted),
    ("unknown split", ("unknown_value",), _row(split="holdout")),
    ("date that does not parse", ("bad_date",), _bad_date),
)  # fmt: skip

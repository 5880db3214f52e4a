"""Rows of a dataset's shards, straight from Parquet; what was read last is kept."""

import io
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from masks.rle import decode
from schemas.tier import Tier
from terrascope_model.files import DataError
from terrascope_model.sample import Picture

KEPT_GROUPS = 16  # row groups whose items are mixed, and that each reader keeps at least
KEPT_GROUP_BYTES = 2**29  # of row groups that each reader keeps, if those are smaller
KEPT_BYTES = 2**30  # of pictures as they are prepared, in each reader
_MEASURED = ("grid", "scene_masks")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies: in which row group of which file."""

    file: int
    group: int
    row: int


class Rows:
    """The shards of a dataset, and the row groups and pictures that were read last."""

    def __init__(
        self,
        dataset: Path,
        columns: Sequence[str],
        *,
        picture_bytes: int = 2**20,
        measured: bool = False,
    ) -> None:
        """Keep so many pictures of `picture_bytes` each as `KEPT_BYTES` allows, 16 at least.

        Pictures whose masks are `measured` know their pixel size and their valid pixels.
        """
        self.dataset = dataset
        self.files = sorted((dataset / "data").glob("*/*.parquet"))
        self._measured = measured
        self._columns = list(dict.fromkeys((*columns, *(_MEASURED if measured else ()))))
        self._kept: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()
        self._kept_bytes = 0
        self._picture = lru_cache(maxsize=max(16, KEPT_BYTES // picture_bytes))(_picture)

    def index(self, split: str, columns: Sequence[str]) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield the rows of a split; DataError where there are none or a shard cannot be read.

        A bench's items are passed over in every split: they are to be scored on, not learnt from.
        """
        found = False
        told = tuple(dict.fromkeys((*columns, "split", "tier")))
        for number, path in enumerate(self.files):
            with _opened(path) as file:
                for group in range(file.num_row_groups):
                    rows = _read(path, file, group, told).to_pylist()
                    for at, row in enumerate(rows):
                        if row["split"] == split and row["tier"] != Tier.BENCH:
                            found = True
                            yield Place(number, group, at), row
        if not found:
            raise DataError(
                f"{self.dataset} has no rows of the split {split!r} under data/*/*.parquet; "
                "`terrascope build` makes them (items of a bench are not learnt from)"
            )

    def read(self, place: Place) -> dict[str, Any]:
        """Return a row."""
        key = (place.file, place.group)
        if key not in self._kept:
            path = self.files[place.file]
            with _opened(path) as file:
                self._kept[key] = _read(path, file, place.group, self._columns)
            self._kept_bytes += self._kept[key].nbytes
            while len(self._kept) > KEPT_GROUPS and self._kept_bytes > KEPT_GROUP_BYTES:
                self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        self._kept.move_to_end(key)
        return self._kept[key].slice(place.row, 1).to_pylist()[0]

    def pictures(self, row: Mapping[str, Any]) -> tuple[Picture, ...]:
        """Return a row's images; of those kept, each is decoded once however many rows carry it."""
        return tuple(
            self._picture(
                image["bytes"],
                info["modality"],
                info["date_index"],
                *(_measures(row, info["date_index"]) if self._measured else (None, None)),
            )
            for image, info in zip(row["images"], row["image_info"], strict=True)
        )


def _measures(
    row: Mapping[str, Any], date_index: int
) -> tuple[tuple[float, float] | None, str | None]:
    """Return the size of a row's pixels in metres, and the code of those valid at a date."""
    x_m, y_m = row["grid"]["pixel_size_x_m"], row["grid"]["pixel_size_y_m"]
    valid = (
        mask["counts"]
        for mask in row["scene_masks"]
        if (mask["kind"], mask["date_index"]) == ("valid", date_index)
    )
    return None if x_m is None or y_m is None else (x_m, y_m), next(valid, None)


def _picture(
    encoded: bytes,
    modality: str,
    date_index: int,
    pixel_size_m: tuple[float, float] | None,
    valid: str | None,
) -> Picture:
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    size_HW = (image.height, image.width)
    return Picture(
        image=image,
        modality=modality,
        date_index=date_index,
        pixel_size_m=pixel_size_m,
        valid_HW=None if valid is None else decode(valid.encode("ascii"), size_HW),
    )


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {error}; `terrascope verify` tells what differs"
        ) from error


def _read(path: Path, file: pq.ParquetFile, group: int, columns: Sequence[str]) -> pa.Table:
    try:
        return file.read_row_group(group, columns=list(columns))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: row group {group} cannot be read: {error}; build the dataset again"
        ) from error

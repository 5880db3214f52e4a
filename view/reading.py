"""Read what one sample needs out of its shard: its row group, and small pictures for lists."""

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import cast

import pyarrow as pa

from tasks.drawing import inline_image
from tasks.manifest import Manifest
from tasks.rows import Row, RowError, RowReader, open_shard, row_group
from view.index import Place

THUMB_PX, THUMB_BYTES = 176, 9_000
MOST_THUMBS = 4_000  # kept, of some kilobytes each
Picture = tuple[str, bytes]  # media type, file


class Reader:
    """Reads samples one at a time; the last row group is kept, for neighbours lie in it."""

    def __init__(self, dataset: Path, manifest: Manifest) -> None:
        self._paths = [dataset / file.path for file in manifest.files]
        self._lock = Lock()
        self._thumbs: OrderedDict[tuple[int, int, int], Picture] = OrderedDict()
        self._group = lru_cache(maxsize=1)(self._read_group)
        self._pictures = lru_cache(maxsize=2)(self._read_pictures)
        self._firsts = lru_cache(maxsize=4_096)(self._read_firsts)

    def row(self, place: Place) -> Row:
        """Return a sample; RowError where its shard or row cannot be read or is another's."""
        with self._lock:
            number, at = self._group_of(place)
            row = self._group(place.shard, number).read(at)
        _check_same(place, row.sample_id)
        return row

    def thumb(self, place: Place) -> Picture:
        """Return a sample's first image made small; RowError as for the sample."""
        with self._lock:
            number, at = self._group_of(place)
            ids, pictures = self._pictures(place.shard, number)
            _check_same(place, ids[at].as_py())
            if not len(pictures[at]):
                raise RowError(f"row {place.row} carries no image")
            first = pictures[at][0]["bytes"]
            key = (place.shard, number, cast(int, first.index.as_py()))
            if key not in self._thumbs:
                try:
                    self._thumbs[key] = inline_image(first.as_py(), THUMB_PX, THUMB_BYTES)
                except OSError as error:
                    raise RowError(f"row {place.row}: image 1 is no picture: {error}") from error
            self._thumbs.move_to_end(key)
            if len(self._thumbs) > MOST_THUMBS:
                self._thumbs.popitem(last=False)
            return self._thumbs[key]

    def _group_of(self, place: Place) -> tuple[int, int]:
        """Return the row group of a row, and where it lies in it."""
        firsts = self._firsts(place.shard)
        number = max(n for n, first in enumerate(firsts) if first <= place.row)
        return number, place.row - firsts[number]

    def _read_firsts(self, shard: int) -> tuple[int, ...]:
        with open_shard(self._paths[shard]) as file:
            sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        return tuple(sum(sizes[:n]) for n in range(len(sizes)))

    def _read_group(self, shard: int, number: int) -> RowReader:
        with open_shard(self._paths[shard]) as file:
            return row_group(file, number)

    def _read_pictures(self, shard: int, number: int) -> tuple[pa.StringArray, pa.ListArray]:
        with open_shard(self._paths[shard]) as file:
            try:
                columns = file.read_row_group(number, columns=["sample_id", "images"])
            except (OSError, pa.ArrowException) as error:
                raise RowError(f"row group {number} cannot be decoded: {error}") from error
        ids, pictures = (columns[name].combine_chunks() for name in ("sample_id", "images"))
        return ids, pictures


def _check_same(place: Place, sample_id: str) -> None:
    if sample_id != place.sample_id:
        raise RowError(
            f"{place.sample_id} was where {sample_id} is now: the dataset's files were replaced "
            "while it was looked at; start the page again"
        )

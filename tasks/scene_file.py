"""Tables of scenes on disk, written and read with a few scenes in memory at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import SCENE_SCHEMA
from tasks.atomic import placing

SCENES_AT_ONCE = 16  # held in memory: two 1.5 MB pictures each at most
_COMPRESSION = {"images.list.element.bytes": "none"}  # PNG and JPEG do not shrink again


class SceneFile:
    """A table that is being written; `rows` says how many scenes it was given."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.rows = 0
        self._writer, self._held = writer, list[dict[str, Any]]()

    def add(self, row: dict[str, Any]) -> None:
        """Take a row of `SCENE_SCHEMA`, as a dict."""
        self._held.append(row)
        self.rows += 1
        if len(self._held) == SCENES_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=SCENE_SCHEMA))
            self._held.clear()


@contextmanager
def scene_file(path: Path) -> Iterator[SceneFile]:
    """Yield a table to add scenes to; it is in place, whole, on a clean exit."""
    with (
        placing(path) as temporary,
        pq.ParquetWriter(temporary, SCENE_SCHEMA, compression=_COMPRESSION) as writer,
    ):
        file = SceneFile(writer)
        yield file
        file.flush()


def scenes_in(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of scenes, of some columns or all."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(SCENES_AT_ONCE, columns=columns and list(columns)):
            yield from batch.to_pylist()

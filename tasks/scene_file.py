"""Write a table of scenes to disk, a few of them in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import SCENE_SCHEMA
from tasks.atomic import placing

SCENES_A_WRITE = 16  # held in memory: two 1.5 MB pictures each at most
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
        if len(self._held) == SCENES_A_WRITE:
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

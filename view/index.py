"""The light columns of all shards in a temporary DuckDB table; pictures and masks stay in them.

The table is filled shard by shard, in the order of the manifest, while the page is already shown:
what it has not read yet is said, and a shard that cannot be read is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.manifest import DataFile, Manifest

# no extension is fetched or loaded, and the table spills to disk before it takes more than this
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "1GB",
}
_SHARD = "hive_partitioning = false"  # a folder called split=test says nothing of what is in it
_TABLES = """
create table sample (
    n integer, shard integer, row_in_shard integer, sample_id varchar, scene_id varchar,
    source varchar, split varchar, place varchar, tier varchar, task varchar, form varchar,
    classes varchar[], question varchar, title varchar, answer varchar, letter varchar,
    searched varchar, verdicts varchar[], west double, south double, east double, north double);
create table refused (
    sample_id varchar, source varchar, stage varchar, reason varchar, detail varchar);
"""
_READ_SHARD = f"""
insert into sample
select ? + file_row_number, ?, file_row_number, sample_id, scene_id,
    source, split, place, tier, task, form,
    list_distinct(classes), question, title, answer.text, answer.letter,
    lower(concat_ws(chr(10), question, title, answer.text, scene_id, sample_id)),
    list_distinct(list_concat(
        list_transform(steps, lambda step: step.verdict),
        list_transform(claims, lambda claim: claim.verdict))),
    grid.west, grid.south, grid.east, grid.north
from read_parquet(?, file_row_number = true, {_SHARD})
"""
_READ_REFUSED = f"""
insert into refused
select sample_id, source, stage, reason, detail from read_parquet(?, {_SHARD})
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample lies: its running number, that of its shard, and its row there."""

    sample_id: str
    number: int
    shard: int
    row: int


class Index:
    """The light columns of a dataset, asked in SQL; several threads may ask at once.

    What does not fit in memory lies in the folder `spill` meanwhile.
    """

    def __init__(self, dataset: Path, manifest: Manifest, spill: Path) -> None:
        self.dataset, self.manifest = dataset, manifest
        self.faults: list[str] = []  # what could not be read, in words
        self.done = 0  # shards
        self._base = 0
        self._database = duckdb.connect(
            ":memory:", config=_SETTINGS | {"temp_directory": str(spill)}
        )
        self._database.execute(_TABLES)
        self._read_refused()

    @property
    def complete(self) -> bool:
        """Whether every shard has been read, or named as one that cannot be."""
        return self.done == len(self.manifest.files)

    def fill(self, most: int | None = None) -> None:
        """Read the shards that have not been read yet, at most so many of them."""
        waiting = self.manifest.files[self.done :][:most]
        with self._database.cursor() as cursor:
            for file in waiting:
                self._read_shard(cursor, file)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds; values are bound to its `?`, never written into it."""
        with self._database.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def number(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Return the one number that a query comes to."""
        return int(self.rows(sql, values)[0][0])

    def place_of(self, sample_id: str) -> Place | None:
        """Return where a sample lies, None where there is none (yet)."""
        found = self.rows(
            "select sample_id, n, shard, row_in_shard from sample where sample_id = ? limit 1",
            [sample_id],
        )
        return Place(*found[0]) if found else None

    def _read_shard(self, cursor: duckdb.DuckDBPyConnection, file: DataFile) -> None:
        path = str(self.dataset / file.path)
        try:
            cursor.execute(_READ_SHARD, [self._base, self.done, path])
        except duckdb.Error as error:
            self.faults.append(f"{file.path} ({file.rows:,} samples): {first_line(error)}")
        self._base += file.rows
        self.done += 1

    def _read_refused(self) -> None:
        for file in self.manifest.quarantine:
            try:
                self.rows(_READ_REFUSED, [str(self.dataset / file.path)])
            except duckdb.Error as error:
                self.faults.append(f"{file.path} ({file.rows:,} refused): {first_line(error)}")


def first_line(error: duckdb.Error) -> str:
    """Return what DuckDB says, without the statement and the place in it."""
    return (str(error).splitlines() or ["no reason given"])[0]

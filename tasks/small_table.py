"""A small Parquet table as rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def table_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a granule's table, with some of its columns or all.

    It is read here and now: pq.read_table makes a dataset of it first and hands its columns to
    threads, which with a small table takes several times as long as reading it.
    """
    with pq.ParquetFile(path) as file:
        rows: list[dict[str, Any]] = file.read(columns=columns, use_threads=False).to_pylist()
    return rows

"""A small Parquet table as rows or columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def table_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a granule's table, with some of its columns or all.

    It is read here and now: pq.read_table makes a dataset of it first and hands its columns to
    threads, which with a small table takes several times as long as reading it.
    """
    rows: list[dict[str, Any]] = _read(path, columns).to_pylist()
    return rows


def table_columns(path: Path, columns: Sequence[str]) -> list[list[Any]]:
    """Return some columns of a granule's table, in the order asked: quicker than its rows.

    A part of a column is named with a dot.
    """
    table = _read(path, columns).flatten()
    return [table.column(name).to_pylist() for name in columns]


def _read(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read(columns=columns, use_threads=False)

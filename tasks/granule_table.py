"""A stage's small table of one granule: made once, kept with its record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.atomic import placing
from tasks.config import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of


def table_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a granule's table, with some of its columns or all.

    It is read here and now: pq.read_table makes a dataset of it first and hands its columns to
    threads, which with a small table takes several times as long as reading it.
    """
    with pq.ParquetFile(path) as file:
        rows: list[dict[str, Any]] = file.read(columns=columns, use_threads=False).to_pylist()
    return rows


def keep_table(
    ledger: Ledger,
    stage: str,
    granule: GranuleId,
    parts: dict[str, Any],
    schema: pa.Schema,
    rows_of: Callable[[], Sequence[Mapping[str, Any]]],
) -> Record:
    """Write the rows of a granule, unless that is done under these `parts` of a key already."""
    key = digest_of(parts)
    done = ledger.done(stage, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    rows = list(rows_of())
    path = ledger.path(stage, granule.name, ".parquet")
    with placing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")
    record = Record(
        stage=stage,
        granule=granule.name,
        key=key,
        parts=parts,
        outputs=(output_of(ledger.dataset, path, len(rows)),),
        taken=len(rows),
        out=len(rows),
    )
    ledger.store(record)
    return record

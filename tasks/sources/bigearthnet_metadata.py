"""BigEarthNet v2's metadata tables, joined to the patch folders that are there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.sources.safe_files import is_there

# the second lists the patches with snow, cloud or shadow, and may be left out
METADATA_FILES = (
    "metadata.parquet",
    "metadata_for_patches_with_snow_cloud_or_shadow.parquet",
)
_STRINGS = ("patch_id", "split", "s1_name", "s2v1_name")
_COLUMNS = (*_STRINGS, "contains_cloud_or_shadow")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataRow:
    """One pair: the v2 and the v1 name of its optical patch, its SAR patch, split and clouds.

    An empty string stands for a null.
    """

    patch_id: str
    s1_name: str
    s2v1_name: str
    split: str
    cloudy: bool


def read_metadata(root: Path) -> pa.Table:
    """Return both tables as one, or the first where the second is not there.

    Raises:
        ValueError: if the first is not there, one is unreadable or lacks a column.
    """
    paths = [root / name for name in METADATA_FILES if is_there(root / name)]
    if root / METADATA_FILES[0] not in paths:
        raise ValueError(f"{root} is no BigEarthNet archive: looked for {METADATA_FILES[0]}")
    return pa.concat_tables([_read_table(path) for path in paths])


def join_v2(metadata: pa.Table, patch_ids: Iterable[str]) -> Mapping[str, tuple[MetadataRow, ...]]:
    """Return the rows of each v2 patch that has one; more than one where the tables repeat it."""
    return _join(metadata, "patch_id", patch_ids)


def join_v1(metadata: pa.Table, v1_names: Iterable[str]) -> Mapping[str, tuple[MetadataRow, ...]]:
    """Return the rows of each v1 patch that has one, by `s2v1_name` alone.

    Names cannot be rewritten from v1 to v2: v2 pads indices and its times differ by seconds.
    """
    return _join(metadata, "s2v1_name", v1_names)


def _join(
    metadata: pa.Table, column: str, names: Iterable[str]
) -> Mapping[str, tuple[MetadataRow, ...]]:
    wanted = pa.array(list(names), type=pa.string())
    found = metadata.filter(pc.is_in(metadata[column], value_set=wanted))
    rows: dict[str, tuple[MetadataRow, ...]] = {}
    for record in found.to_pylist():
        row = MetadataRow(
            cloudy=bool(record["contains_cloud_or_shadow"]),
            **{name: record[name] or "" for name in _STRINGS},
        )
        rows[record[column]] = (*rows.get(record[column], ()), row)
    return rows


def _read_table(path: Path) -> pa.Table:
    try:
        if not path.is_file():  # of a folder, Arrow would read all that lies in it
            raise ValueError("no plain file")
        table = pq.read_table(path, columns=list(_COLUMNS))
        schema = pa.schema(
            [*((name, pa.string()) for name in _STRINGS), (_COLUMNS[-1], pa.bool_())]
        )
        return table.select(list(_COLUMNS)).cast(schema)
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
        pa.ArrowKeyError,
        OSError,
        ValueError,
    ) as e:
        raise ValueError(f"{path}: expected a Parquet table with {', '.join(_COLUMNS)}: {e}") from e

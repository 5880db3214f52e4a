"""Join a granule's scenes and selected questions into one Parquet shard, and store its rejects.

A scene's images and masks are written once a row group, however many questions carry them: their
leaves are dictionary-encoded, with a limit on the dictionary page that no granule reaches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.parquet import (
    REJECT_SCHEMA,
    ROW_GROUP_ROWS,
    SAMPLE_SCHEMA,
    with_hugging_face_features,
)
from schemas.rejection import Rejected
from tasks.atomic import placing
from tasks.ledger import sha256_of

DICTIONARY_PAGE_BYTES = 1 << 30  # the 1 MiB default would store a scene's images once a row
# the Hugging Face viewer refuses row groups over 286.10 MiB; masks and text need some of that
ROW_GROUP_IMAGE_BYTES = 224 << 20
IMAGE_BYTES = "images.list.element.bytes"
# statistics help only where a reader filters; on pictures and run lengths they are dead weight
STATISTICS = ("sample_id", "scene_id", "source", "split", "place", "tier", "task", "form")
_FROM_SCENE = ("source", "split", "place", "licence", "grid", "scene_masks", "layers", "words")
_CODED_IMAGE = pa.struct([("bytes", pa.dictionary(pa.int32(), pa.binary())), ("path", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What every row of a build shares: `stages` is JSON, stage name -> version."""

    config_digest: str
    stages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFile:
    """One written file: SHA-256 in hex, number of rows, size in bytes."""

    path: Path
    sha256: str
    rows: int
    bytes: int


def write_shard(
    path: Path, scenes: pa.Table, selected: pa.Table, provenance: Provenance
) -> ShardFile:
    """Write the selected questions of a granule with their scenes; same input, same bytes.

    Rows lie in the order of `scenes`, and within a scene in the order of `selected`.

    Args:
        path: Final name of the shard; it appears whole or not at all.
        scenes: One row a scene, `schemas.parquet.SCENE_SCHEMA`.
        selected: One row a question, `schemas.parquet.CANDIDATE_SCHEMA`.
        provenance: What all rows share.

    Raises:
        ValueError: if a question names a scene or an image that is not there, or a scene id
            occurs twice.
        OSError: if the file cannot be written; nothing is left under `path`.
    """
    scene_rows = _scene_rows(scenes, selected)
    order = np.argsort(scene_rows, kind="stable")
    with placing(path) as temporary:
        with _writer(temporary) as writer:
            for rows in _row_groups(order, scene_rows, scenes):
                picked = selected.take(pa.array(rows))
                writer.write_table(_joined(scenes, scene_rows[rows], picked, provenance))
            # without the Arrow schema, its metadata has to be stored by hand
            writer.add_key_value_metadata(with_hugging_face_features(SAMPLE_SCHEMA).metadata)
        written = _described(temporary, path, len(order))
    return written


def write_rejects(path: Path, rejects: Sequence[Rejected]) -> ShardFile:
    """Write refused scenes and samples as one small Parquet table; OSError as in `write_shard`."""
    columns = {
        name: [str(getattr(reject, name)) for reject in rejects] for name in REJECT_SCHEMA.names
    }
    with placing(path) as temporary:
        pq.write_table(pa.table(columns, schema=REJECT_SCHEMA), temporary, compression="zstd")
        written = _described(temporary, path, len(rejects))
    return written


def _scene_rows(scenes: pa.Table, selected: pa.Table) -> NDArray[np.int64]:
    """Return for each question the row of its scene."""
    ids = scenes.column("scene_id").to_pylist()
    row_of = {scene_id: row for row, scene_id in enumerate(ids)}
    if len(row_of) != len(ids):
        twice = sorted({scene_id for scene_id in ids if ids.count(scene_id) > 1})
        raise ValueError(f"scene ids occur twice in one granule: {twice[:5]}")
    wanted = selected.column("scene_id").to_pylist()
    missing = sorted(set(wanted) - set(row_of))
    if missing:
        raise ValueError(f"questions name scenes that the granule does not hold: {missing[:5]}")
    return np.array([row_of[scene_id] for scene_id in wanted], dtype=np.int64)


def _row_groups(
    order: NDArray[np.int64], scene_rows: NDArray[np.int64], scenes: pa.Table
) -> Iterator[NDArray[np.int64]]:
    """Cut the ordered questions into row groups of at most 64 rows.

    A scene is not cut in two, because each row group stores its images once; unless it alone has
    more than 64 questions. A group ends early where its images get too large.
    """
    firsts = np.flatnonzero(np.diff(scene_rows[order], prepend=-1))
    start, held = 0, 0
    for first, end in pairwise([*firsts.tolist(), len(order)]):
        grown = scenes.column("images").slice(scene_rows[order[first]], 1).nbytes
        full = end - start > ROW_GROUP_ROWS or held + grown > ROW_GROUP_IMAGE_BYTES
        if full and first > start:
            yield order[start:first]
            start, held = first, 0
        held += grown
        while end - start > ROW_GROUP_ROWS:
            yield order[start : start + ROW_GROUP_ROWS]
            start += ROW_GROUP_ROWS
    if start < len(order):
        yield order[start:]


def _joined(
    scenes: pa.Table, scene_rows: NDArray[np.int64], picked: pa.Table, provenance: Provenance
) -> pa.Table:
    """Return one row group: `picked` with the columns of its scenes, images as a dictionary."""
    distinct, which = np.unique(scene_rows, return_inverse=True)
    few = pa.concat_tables([scenes.slice(row, 1) for row in distinct])
    asked = set(SAMPLE_SCHEMA.names) & set(picked.schema.names)
    columns = {name: picked.column(name) for name in asked}
    for name in (*_FROM_SCENE, "archive_captions"):
        columns[name] = few.column(name).combine_chunks().take(pa.array(which))
    columns["images"], columns["image_info"] = _carried(few, which, picked)
    columns["provenance"] = _provenance(few, which, picked, provenance)
    return pa.table([columns[name] for name in SAMPLE_SCHEMA.names], schema=CODED_SCHEMA)


def _carried(
    few: pa.Table, which: NDArray[np.int64], picked: pa.Table
) -> tuple[pa.Array, pa.Array]:
    """Return `images` and `image_info` of each question: those of its scene that it carries.

    Only images that some question carries enter the dictionary, each once.
    """
    images = few.column("images").combine_chunks()
    infos = few.column("image_info").combine_chunks()
    lists = picked.column("image_indices").combine_chunks()
    counts = lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    index = lists.flatten().to_numpy(zero_copy_only=False)
    owner = np.repeat(which, counts)
    held = images.value_lengths().to_numpy(zero_copy_only=False)[owner]
    outside = np.flatnonzero((index < 0) | (index >= held))
    if outside.size:
        row = int(np.searchsorted(np.cumsum(counts), outside[0], side="right"))
        raise ValueError(
            f"sample {picked.column('sample_id')[row]} carries image {index[outside[0]]}, "
            f"but its scene has {held[outside[0]]}"
        )
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    starts = images.offsets.to_numpy()[:-1].astype(np.int64)
    used, code = np.unique(starts[owner] + index, return_inverse=True)
    encoded = images.values.take(pa.array(used))
    coded = pa.DictionaryArray.from_arrays(pa.array(code, pa.int32()), encoded.field("bytes"))
    carried = pa.StructArray.from_arrays(
        [coded, encoded.field("path").take(pa.array(code))], fields=list(_CODED_IMAGE)
    )
    info_starts = infos.offsets.to_numpy()[:-1].astype(np.int64)
    described = infos.values.take(pa.array(info_starts[owner] + index))
    return pa.ListArray.from_arrays(offsets, carried), pa.ListArray.from_arrays(offsets, described)


def _provenance(
    few: pa.Table, which: NDArray[np.int64], picked: pa.Table, provenance: Provenance
) -> pa.Array:
    rows = len(which)
    kind = SAMPLE_SCHEMA.field("provenance").type
    parts = {
        "files": few.column("files").combine_chunks().take(pa.array(which)),
        "config_digest": pa.repeat(provenance.config_digest, rows),
        "stages": pa.repeat(provenance.stages, rows),
    }
    for name in ("template", "template_version", "seed", "writer"):
        parts[name] = picked.column(name).combine_chunks()
    return pa.StructArray.from_arrays([parts[field.name] for field in kind], fields=list(kind))


def _writer(path: Path) -> pq.ParquetWriter:
    leaves = _leaves(SAMPLE_SCHEMA)
    return pq.ParquetWriter(
        path,
        CODED_SCHEMA,
        # without it readers get plain strings and bytes, not our dictionaries
        store_schema=False,
        use_dictionary=True,
        dictionary_pagesize_limit=DICTIONARY_PAGE_BYTES,
        compression={leaf: "none" if leaf == IMAGE_BYTES else "zstd" for leaf in leaves},
        write_statistics=list(STATISTICS),
        write_page_index=True,
    )


def _leaves(schema: pa.Schema) -> list[str]:
    """Return the Parquet paths of all leaf columns."""
    return [path for field in schema for path in _paths(field.name, field.type)]


def _paths(name: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_list(kind):
        return _paths(f"{name}.list.element", kind.value_type)
    if pa.types.is_struct(kind):
        return [path for field in kind for path in _paths(f"{name}.{field.name}", field.type)]
    return [name]


def _described(written: Path, path: Path, rows: int) -> ShardFile:
    return ShardFile(path=path, sha256=sha256_of(written), rows=rows, bytes=written.stat().st_size)


def _coded_schema() -> pa.Schema:
    """Return the shard schema with image bytes as a dictionary, as handed to the writer."""
    at = SAMPLE_SCHEMA.get_field_index("images")
    return SAMPLE_SCHEMA.set(at, pa.field("images", pa.list_(_CODED_IMAGE)))


CODED_SCHEMA = _coded_schema()

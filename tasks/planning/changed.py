"""How a source's scenes and files are others than when they were last read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from tasks.granules import Granule
from tasks.ingest import FILES
from tasks.ledger import Ledger
from tasks.stage_names import INGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChange:
    """Scenes and files of a source, or of one granule of it, against what was last read.

    `changed` are scenes of which a file is another, `withdrawn` those that the source does not list
    any more. Files go by path, size and time of change; one that is only touched counts as changed.
    """

    source: str
    scenes: int
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    files_new: tuple[str, ...] = ()
    files_changed: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()


def changed_in(ledger: Ledger, granule: Granule, files: Sequence[Sequence[Any]]) -> SourceChange:
    """Compare a granule's listing and `files`, each [path, size, time], with what was last read."""
    source, num_scenes = granule.id.source, len(granule.refs)
    ids = {ref.scene_id for ref in granule.refs}
    read = set(scenes_read(ledger, granule.id.name))
    new, withdrawn = tuple(sorted(ids - read)), tuple(sorted(read - ids))
    path = ledger.path(INGEST, granule.id.name, FILES)
    if not path.is_file():
        return SourceChange(source=source, scenes=num_scenes, new=new, withdrawn=withdrawn)
    then = {file: stat for file, *stat in json.loads(path.read_text(encoding="utf-8"))}
    now = {file: list(stat) for file, *stat in files}
    other = {file for file in now if then.get(file) != now[file]}
    there_then, there_now = _there(then), _there(now)
    return SourceChange(
        source=source,
        scenes=num_scenes,
        new=new,
        changed=tuple(
            ref.scene_id
            for ref in granule.refs
            if ref.scene_id in read and not other.isdisjoint(ref.files)
        ),
        withdrawn=withdrawn,
        files_new=tuple(sorted(there_now - there_then)),
        files_changed=tuple(sorted(other & there_now & there_then)),
        files_removed=tuple(sorted(there_then - there_now)),
    )


def withdrawn_with(ledger: Ledger, granule: str) -> SourceChange:
    """Return what a source loses with a granule, by name, that it does not list any more."""
    path = ledger.path(INGEST, granule, FILES)
    files = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return SourceChange(
        source=granule.split("-", 1)[0],
        scenes=0,
        withdrawn=scenes_read(ledger, granule),
        files_removed=tuple(sorted(_there({file: stat for file, *stat in files}))),
    )


def scenes_read(ledger: Ledger, granule: str) -> tuple[str, ...]:
    """Return the scenes that ingest read or refused when it last did a granule."""
    found: list[str] = []
    kept = {
        ".parquet": "scene_id",
        ".unlabelled.parquet": "scene_id",
        ".rejects.parquet": "sample_id",
    }
    for suffix, column in kept.items():
        path = ledger.path(INGEST, granule, suffix)
        if path.is_file():
            found += pq.read_table(path, columns=[column]).column(0).to_pylist()
    return tuple(sorted(found))


def summed(source: str, found: Sequence[SourceChange], num_scenes: int) -> SourceChange:
    """Return what became of a source of so many scenes, from what became of its granules."""

    def joined(name: str) -> tuple[str, ...]:
        return tuple(sorted(item for one in found for item in getattr(one, name)))

    return SourceChange(
        source=source,
        scenes=num_scenes,
        new=joined("new"),
        changed=joined("changed"),
        withdrawn=joined("withdrawn"),
        files_new=joined("files_new"),
        files_changed=joined("files_changed"),
        files_removed=joined("files_removed"),
    )


def _there(files: Mapping[str, Sequence[int]]) -> set[str]:
    """Return the files that are there: one that a source names and does not hold has no size."""
    return {name for name, (size, _) in files.items() if size >= 0}

"""Compare a dataset with its archives: every scene is read anew and its masks are recomputed."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.rejection import Refusal
from schemas.scene import Scene, SceneRef, Unlabelled
from tasks.config import BuildConfig, load_config
from tasks.errors import ConfigError
from tasks.finding import Finding
from tasks.granules import read_catalogue
from tasks.ingest import read_scene
from tasks.ledger import sha256_of
from tasks.manifest import DataFile, Manifest, read_manifest
from tasks.rows import Row, RowError, open_shard, row_groups
from tasks.same_scene import differences
from tasks.sources.safe_files import Archive
from tasks.verify import Failure

Refs = dict[str, SceneRef]  # by scene id


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """How many scenes were read again, and all that differs.

    A failure's `sample_id` is the id of the scene.
    """

    scenes: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One shard, the ids of its scenes, and those of them that the archive still lists."""

    entry: DataFile
    scene_ids: frozenset[str]
    refs: Refs


def verify_sources(dataset: Path, sources: Mapping[str, Path], workers: int = 1) -> SourceReport:
    """Read the scenes of some archives again and compare masks, layers, grid and file digests.

    A shard that cannot be read is passed over: `tasks.verify` names it.

    Args:
        dataset: Folder of a finished dataset.
        sources: Archive name -> folder; archives that are not named are not looked at.
        workers: Processes; each takes one shard at a time.

    Raises:
        ManifestError: the folder holds no finished dataset.
        ConfigError: a source that the dataset does not hold, or a folder without that archive.
    """
    manifest = read_manifest(dataset)
    config = _config(dataset, manifest, sources)
    jobs = list(_jobs(dataset, manifest, _listed(config)))
    found = [fault for faults in _over(config, jobs, workers) for fault in faults]
    # a scene stands in the shards of every tier: what is wrong with it is told once
    once = {(f.sample_id, f.rule, f.expected, f.found): f for f in reversed(found)}
    failures = list(reversed(once.values()))
    return SourceReport(
        scenes=len({(job.entry.source, scene) for job in jobs for scene in job.scene_ids}),
        failures=tuple(failures),
    )


def _config(dataset: Path, manifest: Manifest, sources: Mapping[str, Path]) -> BuildConfig:
    """Return the configuration of the build, for all scenes of these archives."""
    held = sorted({entry.source for entry in manifest.files})
    for name in sources:
        if name not in held:
            raise ConfigError(
                f"--source {name}: {dataset} holds no sample of it; it holds {', '.join(held)}"
            )
    changes = {"sources": dict(sources), "out": dataset, "limit": None}
    return load_config(None, {**manifest.config, **changes})


def _listed(config: BuildConfig) -> dict[str, Refs]:
    """Return the scenes that each archive lists now."""
    refs: dict[str, Refs] = {name: {} for name in config.sources}
    for granule in read_catalogue(config).granules:
        refs[granule.id.source].update((ref.scene_id, ref) for ref in granule.refs)
    return refs


def _jobs(dataset: Path, manifest: Manifest, listed: Mapping[str, Refs]) -> Iterator[_Job]:
    for entry in manifest.files:
        if entry.source in listed:
            refs = listed[entry.source]
            ids = _scene_ids(dataset / entry.path)
            found = {scene_id: refs[scene_id] for scene_id in sorted(ids & refs.keys())}
            yield _Job(entry=entry, scene_ids=ids, refs=found)


def _scene_ids(shard: Path) -> frozenset[str]:
    try:
        column = pq.read_table(shard, columns=["scene_id"]).column(0)
    except (OSError, pa.ArrowException):
        return frozenset()
    return frozenset(map(str, column.to_pylist()))


def _over(config: BuildConfig, jobs: Iterable[_Job], workers: int) -> Iterator[list[Failure]]:
    check = partial(_check_shard, config)
    if workers <= 1:
        yield from map(check, jobs)
        return
    # a plain fork could inherit locks that Arrow's threads hold
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield from pool.map(check, jobs)


def _check_shard(config: BuildConfig, job: _Job) -> list[Failure]:
    return [
        Failure(
            file=job.entry.path,
            sample_id=scene_id,
            rule=finding.rule,
            expected=finding.expected,
            found=finding.found,
        )
        for scene_id, rows in _rows_by_scene(config.out / job.entry.path)
        for finding in _check_scene(config, job, scene_id, rows)
    ]


def _rows_by_scene(shard: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield each scene with those of its rows that are not alike in what the scene gives them.

    Rows of one scene lie together, and share one evidence where it is equal.
    """
    held: list[Row] = []
    for row in _rows(shard):
        if held and row.scene_id != held[0].scene_id:
            yield held[0].scene_id, held
            held = []
        if not any(_alike(row, other) for other in held):
            held.append(row)
    if held:
        yield held[0].scene_id, held


def _alike(row: Row, other: Row) -> bool:
    return row.evidence == other.evidence and row.provenance.files == other.provenance.files


def _rows(shard: Path) -> Iterator[Row]:
    """Yield the readable rows; the others are named by `tasks.verify`."""
    try:
        for group in row_groups(open_shard(shard)):
            for number in range(len(group)):
                try:
                    yield group.read(number)
                except RowError:
                    continue
    except RowError:
        return


def _check_scene(
    config: BuildConfig, job: _Job, scene_id: str, rows: list[Row]
) -> Iterator[Finding]:
    ref = job.refs.get(scene_id)
    if ref is None:
        yield Finding(
            rule="source_missing",
            expected="a scene that the archive lists",
            found="none of this id",
        )
        return
    try:
        scene = _read(config, ref, rows[0])
    except Refusal as refusal:
        yield Finding(rule="source_refused", expected="a readable scene", found=f"{refusal}")
        yield from _changed_files(config.sources[ref.source], rows[0])
        return
    for row in rows:
        yield from differences(scene, row)


def _read(config: BuildConfig, ref: SceneRef, row: Row) -> Scene:
    """Return a scene as its archive gives it; one without labels only if a model marked the row's.

    Refusal as of `read_scene`.
    """
    try:
        return read_scene(config, config.sources[ref.source], ref)
    except Unlabelled as found:
        if row.evidence.marked_layers:
            return found.scene
        raise


def _changed_files(root: Path, row: Row) -> Iterator[Finding]:
    """Say which files of a scene that cannot be read again are not as they were."""
    archive = Archive(root)
    for file in row.provenance.files:
        if "#" in file.path:  # a record inside a JSON file; only its reader can cut it out
            continue
        try:
            now = sha256_of(archive.resolve(file.path))
        except (OSError, Refusal) as error:
            now = str(error)
        if now != file.sha256:
            yield Finding(rule="source_digest", expected=f"{file.path} {now}", found=file.sha256)

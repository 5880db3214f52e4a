"""Prove a dataset again from its own files: no archive, no model, no production kernel."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from masks.reference_scene import ReferenceScene
from schemas.mask import Evidence
from schemas.parquet import REJECT_SCHEMA
from tasks.ledger import sha256_of
from tasks.manifest import (
    MANIFEST_NAME,
    DataFile,
    Manifest,
    ManifestError,
    QuarantineFile,
    StageCount,
    read_manifest,
)
from tasks.proof import prove
from tasks.rows import Row, RowError, RowReader, open_shard, row_groups

SAMPLE_UNITS = ("sample", "caption", "question")  # of which a shard holds one a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that does not hold; `sample_id` is "" where a whole file is at fault."""

    file: str
    sample_id: str
    rule: str
    expected: str
    found: str

    def __str__(self) -> str:
        where = f"{self.file} {self.sample_id}".strip()
        return f"{where}: {self.rule}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How many samples were looked at, how many of them are proved, and all that fails."""

    samples: int
    proved: int
    failures: tuple[Failure, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.failures


@dataclass(slots=True, kw_only=True)
class _Checked:
    """What checking one file found; `ids` in row order, `rejected` by stage."""

    file: str
    failures: list[Failure] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)

    def fail(self, rule: str, expected: object, found: object, sample_id: str = "") -> None:
        self.failures.append(
            Failure(
                file=self.file,
                sample_id=sample_id,
                rule=rule,
                expected=str(expected),
                found=str(found),
            )
        )


def verify(dataset: Path, digests: bool = True, workers: int = 1) -> VerifyReport:
    """Prove every answer of a dataset and check that its files and counts are as the manifest says.

    Nothing raises on bad data: what cannot be read is a failure that names the file.

    Args:
        dataset: Folder with the manifest.
        digests: Whether to compare SHA-256 and size of every file as well.
        workers: Processes; each takes one shard at a time.
    """
    try:
        manifest = read_manifest(dataset)
    except ManifestError as error:
        fault = Failure(
            file=MANIFEST_NAME,
            sample_id="",
            rule="manifest",
            expected="a manifest of this version",
            found=str(error),
        )
        return VerifyReport(samples=0, proved=0, failures=(fault,))
    shards = list(_over(partial(_check_shard, dataset, digests), manifest.files, workers))
    refused = [_check_quarantine(dataset, digests, entry) for entry in manifest.quarantine]
    whole = _check_whole(dataset, manifest, shards, refused)
    failures = [fault for part in (*shards, *refused, whole) for fault in part.failures]
    faulty = {(fault.file, fault.sample_id) for fault in failures}
    samples = sum(len(shard.ids) for shard in shards)
    proved = sum((shard.file, i) not in faulty for shard in shards for i in shard.ids)
    return VerifyReport(samples=samples, proved=proved, failures=tuple(failures))


def _over(
    check: "partial[_Checked]", files: Iterable[DataFile], workers: int
) -> Iterator[_Checked]:
    if workers <= 1:
        yield from map(check, files)
        return
    # a plain fork could inherit locks that Arrow's threads hold
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield from pool.map(check, files)


def _check_shard(dataset: Path, digests: bool, entry: DataFile) -> _Checked:
    checked = _Checked(file=entry.path)
    path = dataset / entry.path
    try:
        if digests:
            _check_digest(path, entry, checked)
        for group in row_groups(open_shard(path)):
            _check_group(group, entry, checked)
    except (OSError, RowError) as error:
        checked.fail("unreadable", "a shard of this version", error)
        return checked
    if len(checked.ids) != entry.rows:
        checked.fail("row_count", entry.rows, len(checked.ids))
    return checked


def _check_digest(path: Path, entry: DataFile | QuarantineFile, checked: _Checked) -> None:
    digest = sha256_of(path)
    if digest != entry.sha256:
        checked.fail("digest", entry.sha256, digest)
    if path.stat().st_size != entry.bytes:
        checked.fail("file_size", entry.bytes, path.stat().st_size)


def prove_shard(path: Path, entry: DataFile, most: int | None = None) -> tuple[Failure, ...]:
    """Return what does not hold of a shard, wherever it lies, and of at most so many samples.

    Which samples follows from the shard's digest.
    """
    checked = _Checked(file=entry.path)
    drawn = None
    if most is not None and most < entry.rows:
        drawn = frozenset(random.Random(entry.sha256).sample(range(entry.rows), most))
    try:
        for group in row_groups(open_shard(path)):
            _check_group(group, entry, checked, drawn)
    except (OSError, RowError) as error:
        checked.fail("unreadable", "a shard of this version", error)
    return tuple(checked.failures)


def _check_group(
    group: RowReader, entry: DataFile, checked: _Checked, drawn: Collection[int] | None = None
) -> None:
    """Prove the samples of a row group, those of drawn rows of the shard alone if any are."""
    evidence: Evidence | None = None
    for number in range(len(group)):
        sample_id = group.sample_id(number)
        checked.ids.append(sample_id)
        if drawn is not None and len(checked.ids) - 1 not in drawn:
            continue
        try:
            row = group.read(number)
        except RowError as error:
            checked.fail("row", "a row without missing or foreign values", error, sample_id)
            continue
        if row.evidence is not evidence:
            evidence, scene = row.evidence, ReferenceScene(row.evidence)
        for finding in prove(row, scene):
            checked.fail(finding.rule, finding.expected, finding.found, sample_id)
        _check_place(row, entry, checked)


def _check_place(row: Row, entry: DataFile, checked: _Checked) -> None:
    due = (entry.tier, entry.source, entry.split)
    found = (row.tier, row.source, row.split)
    if found != due:
        checked.fail("wrong_shard", due, found, row.sample_id)


def _check_quarantine(dataset: Path, digests: bool, entry: QuarantineFile) -> _Checked:
    checked = _Checked(file=entry.path)
    path = dataset / entry.path
    try:
        if digests:
            _check_digest(path, entry, checked)
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        checked.fail("unreadable", "a table of refused samples", error)
        return checked
    if not table.schema.equals(REJECT_SCHEMA):
        checked.fail("unreadable", REJECT_SCHEMA.names, table.schema.names)
        return checked
    if table.num_rows != entry.rows:
        checked.fail("row_count", entry.rows, table.num_rows)
    checked.rejected.update(table.column("stage").to_pylist())
    return checked


def _check_whole(
    dataset: Path, manifest: Manifest, shards: list[_Checked], refused: list[_Checked]
) -> _Checked:
    """Check what only all files together show: unique ids, unlisted files, counts."""
    checked = _Checked(file=MANIFEST_NAME)
    seen: dict[str, str] = {}
    for shard in shards:
        for sample_id in shard.ids:
            if sample_id in seen:
                shard.fail(
                    "sample_id_twice", "a unique id", f"also in {seen[sample_id]}", sample_id
                )
            seen[sample_id] = shard.file
    listed = {entry.path for entry in (*manifest.files, *manifest.quarantine)}
    for folder in ("data", "quarantine"):
        for path in sorted((dataset / folder).rglob("*.parquet")):
            name = path.relative_to(dataset).as_posix()
            if name not in listed:
                checked.fail("unlisted_file", "only files of the manifest", name)
    rejected = sum((part.rejected for part in refused), Counter[str]())
    _check_counts(manifest, rejected, checked)
    return checked


def _check_counts(manifest: Manifest, rejected: Counter[str], checked: _Checked) -> None:
    """Every stage's input is out, rejected or left out, and the next stage takes what is out."""
    for count in manifest.counts:
        gone = count.out + count.rejected + count.left_out
        if count.taken != gone:
            checked.fail("stage_sum", f"{count.stage} taking {gone}", count.taken)
        if count.reasons and sum(count.reasons.values()) != count.left_out:
            checked.fail("left_out_sum", f"{sum(count.reasons.values())} left out", count.left_out)
    _check_captioned(manifest, checked)
    for unit in dict.fromkeys(count.unit for count in manifest.counts):
        chain = [count for count in manifest.counts if count.unit == unit]
        _check_chain(chain, checked)
    due = Counter({c.stage: 0 for c in manifest.counts})
    for count in manifest.counts:
        due[count.stage] += count.rejected
    for stage in sorted(due.keys() | rejected.keys()):
        if due[stage] != rejected[stage]:
            checked.fail(
                "rejected_count",
                f"{due[stage]} refused in {stage}",
                f"{rejected[stage]} in quarantine",
            )
    last = {count.unit: count.out for count in manifest.counts if count.unit in SAMPLE_UNITS}
    rows = sum(entry.rows for entry in manifest.files)
    if rows != sum(last.values()):
        checked.fail("sample_count", f"{rows} samples, the rows of all shards", last)


def _check_captioned(manifest: Manifest, checked: _Checked) -> None:
    """Captions are made of every scene that was read: kept, refused or left out."""
    read = [count.out for count in manifest.counts if count.unit == "scene"][1:2]
    captioned = [count.taken for count in manifest.counts if count.unit == "caption"][:1]
    if captioned and captioned != read:
        checked.fail("stage_chain", f"captions of the {read} scenes that were read", captioned)


def _check_chain(chain: list[StageCount], checked: _Checked) -> None:
    for before, after in pairwise(chain):
        if after.taken != before.out:
            checked.fail(
                "stage_chain",
                f"{after.stage} taking the {before.out} that {before.stage} gave",
                after.taken,
            )

"""The answers of all scenes of a source to one kind of question: what options are picked from."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.value import Quantity, Value
from tasks.atomic import placing
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.stage_names import BENCH_ASK
from templates.bench import DISTANCE_MEASUREMENT

STAGE = "bench-answers"
VERSION = 1
LEAST_OWN = 12  # answers about the same classes, under which those about others are taken
_READ = ["sample_id", "scene_id", "task", "classes", "answer"]
_SCHEMA = pa.schema(
    [
        ("scene_id", pa.string()),
        ("kind", pa.string()),
        ("unit", pa.string()),
        *((name, pa.float64()) for name in ("value", "low", "high")),
    ]
)


@dataclass(frozen=True)
class Others(Sequence[Value]):
    """The answers of a kind but for those of one scene, [start, end), which are not copied."""

    values: Sequence[Quantity]
    start: int
    end: int

    def __len__(self) -> int:
        return len(self.values) - (self.end - self.start)

    @overload
    def __getitem__(self, place: int) -> Quantity: ...
    @overload
    def __getitem__(self, place: slice) -> list[Quantity]: ...
    def __getitem__(self, place: int | slice) -> Quantity | list[Quantity]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return self.values[at if at < self.start else at + self.end - self.start]


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers to one kind of question, in the order of their scenes."""

    scene_ids: tuple[str, ...]
    values: tuple[Quantity, ...]

    def but_of(self, scene_id: str) -> Others:
        """Return the answers of all other scenes."""
        start = bisect_left(self.scene_ids, scene_id)
        return Others(self.values, start, bisect_right(self.scene_ids, scene_id))


def kinds_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what kinds of question a candidate is, the narrowest first.

    By its task, unit and classes; by task and unit alone where so many pairs of classes are asked
    about that most have few answers.
    """
    wide = f"{row['task']}|{row['answer']['unit']}"
    own = f"{wide}|{' / '.join(sorted(row['classes']))}"
    return (own, wide) if row["task"] == DISTANCE_MEASUREMENT.task else (own,)


def others_of(row: Mapping[str, Any], answers: Mapping[str, Answers]) -> Others:
    """Return the answers of other scenes that a candidate's options come from.

    Of its narrowest kind that has `LEAST_OWN` of them. Their number decides, and never the answer:
    what it is would else follow from where its options come from.
    """
    found = [answers[kind].but_of(row["scene_id"]) for kind in kinds_of(row)]
    return next((others for others in found if len(others) >= LEAST_OWN), found[-1])


def gather_answers(config: BuildConfig, granules: Sequence[GranuleId]) -> dict[str, str]:
    """Gather the numbers that the granules of each source answered; return source -> digest.

    The digest is of what was gathered from; what is gathered already is left alone.
    """
    ledger = Ledger(config.out)
    digests = answers_digests(ledger, granules)
    for source, digest in digests.items():
        path = answers_path(ledger, source, digest)
        if path.is_file():
            continue
        own = [granule for granule in granules if granule.source == source]
        rows = numbers_of(_asked(ledger, own))
        with placing(path) as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), temporary)
        for old in path.parent.glob(f"{source}-*.parquet"):
            if old != path:
                old.unlink()
    return digests


def answers_digests(ledger: Ledger, granules: Sequence[GranuleId]) -> dict[str, str]:
    """Return source -> digest of the questions that its granules were asked."""
    asked: dict[str, list[str]] = defaultdict(list)
    for granule in granules:
        record = ledger.load(BENCH_ASK, granule.name)
        assert record is not None, f"{BENCH_ASK} has not run for {granule.name}"
        asked[granule.source].append(record.outputs[0].sha256)
    return {source: digest_of([VERSION, found]) for source, found in sorted(asked.items())}


def answers_path(ledger: Ledger, source: str, digest: str) -> Path:
    """Return where the answers of a source are gathered."""
    return ledger.path(STAGE, f"{source}-{digest[:16]}", ".parquet")


@lru_cache(maxsize=4)
def read_answers(path: Path) -> dict[str, Answers]:
    """Return the answers that were gathered, by kind of question."""
    return by_kind(pq.read_table(path).to_pylist())


def by_kind(numbers: Iterable[Mapping[str, Any]]) -> dict[str, Answers]:
    """Return answers, in the order of their scenes within a kind, by kind of question."""
    scene_ids: dict[str, list[str]] = defaultdict(list)
    values: dict[str, list[Quantity]] = defaultdict(list)
    for row in numbers:
        scene_ids[row["kind"]].append(row["scene_id"])
        quantity = Quantity(row["value"], row["unit"], row["low"], row["high"])
        values[row["kind"]].append(quantity)
    return {kind: Answers(tuple(scene_ids[kind]), tuple(found)) for kind, found in values.items()}


def numbers_of(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers of candidates that are numbers, in order of kind and scene."""
    found = []
    for row in rows:
        answer = row["answer"]
        if answer["value"] is not None:
            numbers = {name: answer[name] for name in ("unit", "value", "low", "high")}
            for kind in kinds_of(row):
                found.append({"scene_id": row["scene_id"], "kind": kind, **numbers})
    return sorted(found, key=lambda row: (row["kind"], row["scene_id"], row["value"]))


def _asked(ledger: Ledger, granules: Iterable[GranuleId]) -> Iterator[dict[str, Any]]:
    for granule in granules:
        path = ledger.path(BENCH_ASK, granule.name, ".parquet")
        yield from pq.read_table(path, columns=_READ).to_pylist()

"""The answers of all scenes of a source to one kind of question: what options are picked from."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.value import Quantity, Value
from tasks.atomic import placing
from tasks.bench_making.ask import STAGE as ASK
from tasks.config import BuildConfig, digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger

STAGE = "bench-answers"
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
        start, end = (side(self.scene_ids, scene_id) for side in (bisect_left, bisect_right))
        return Others(self.values, start, end)


def kind_of(row: Mapping[str, Any]) -> str:
    """Return what kind of question a candidate is: its task, unit and classes."""
    classes = " / ".join(sorted(row["classes"]))
    return f"{row['task']}|{row['answer']['unit']}|{classes}"


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
        rows = [row for granule in own for row in _numbers(ledger, granule)]
        rows.sort(key=lambda row: (row["kind"], row["scene_id"], row["value"]))
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
        record = ledger.load(ASK, granule.name)
        assert record is not None, f"{ASK} has not run for {granule.name}"
        asked[granule.source].append(record.outputs[0].sha256)
    return {source: digest_of(found) for source, found in sorted(asked.items())}


def answers_path(ledger: Ledger, source: str, digest: str) -> Path:
    """Return where the answers of a source are gathered."""
    return ledger.path(STAGE, f"{source}-{digest[:16]}", ".parquet")


@lru_cache(maxsize=4)
def read_answers(path: Path) -> dict[str, Answers]:
    """Return the answers that were gathered, by kind of question."""
    scene_ids: dict[str, list[str]] = defaultdict(list)
    values: dict[str, list[Quantity]] = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        scene_ids[row["kind"]].append(row["scene_id"])
        quantity = Quantity(row["value"], row["unit"], row["low"], row["high"])
        values[row["kind"]].append(quantity)
    return {kind: Answers(tuple(scene_ids[kind]), tuple(found)) for kind, found in values.items()}


def _numbers(ledger: Ledger, granule: GranuleId) -> Iterator[dict[str, Any]]:
    table = pq.read_table(ledger.path(ASK, granule.name, ".parquet"), columns=_READ)
    for row in table.to_pylist():
        answer = row["answer"]
        if answer["value"] is not None:
            numbers = {name: answer[name] for name in ("unit", "value", "low", "high")}
            yield {"scene_id": row["scene_id"], "kind": kind_of(row), **numbers}

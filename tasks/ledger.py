"""What a stage did with a granule, on disk: the key of its inputs, its outputs, its counts.

A stage is done for a granule when its record holds the key that the stage would have now and the
recorded outputs are still there. Records are written last, so a killed stage leaves none.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tasks.atomic import place_text

_LOOKING: ContextVar[bool] = ContextVar("looking", default=False)


class _Due(Exception):
    """A stage that was only looked at is not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file a stage wrote, relative to the dataset folder.

    `mtime_ns` tells quickly that nobody touched it since; a touched file is digested again.
    """

    path: str
    sha256: str
    bytes: int
    rows: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stage's work on one granule. Its counts add up: taken = out + rejected + left_out.

    `parts` is what the key is the digest of, by name, long lists of it as digests: it says why a
    later key is another. `reasons` says by "task: rule" what was left out; `tallies` count what
    else happened, such as replies and their tokens. `scenes` and `scenes_out` count the scenes
    that came in and those of which a sample came out, where a stage makes samples.
    """

    stage: str
    granule: str
    key: str
    parts: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...]
    taken: int
    out: int
    rejected: int = 0
    left_out: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, int] = field(default_factory=dict)
    scenes: int = 0
    scenes_out: int = 0
    reused: bool = False


class Ledger:
    """The records of one dataset's stages, under `.work/` in the dataset folder."""

    def __init__(self, dataset: Path) -> None:
        self.dataset = dataset
        self._root = dataset / ".work"

    def path(self, stage: str, granule: str, suffix: str) -> Path:
        """Return where a stage keeps an intermediate file of a granule."""
        return self._root / stage / f"{granule}{suffix}"

    def load(self, stage: str, granule: str) -> Record | None:
        """Return the record of a stage and granule, None where there is no readable one."""
        try:
            tree = dict(json.loads(self.path(stage, granule, ".json").read_bytes()))
            outputs = tuple(Output(**output) for output in tree.pop("outputs"))
            return Record(**tree, outputs=outputs)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None  # no record, or one of another version: the stage runs again

    def done(self, stage: str, granule: str, key: str) -> Record | None:
        """Return the record if the stage is done under this key and its outputs are still there."""
        record = self.load(stage, granule)
        if record is not None and record.key == key and all(map(self._stands, record.outputs)):
            return record
        if _LOOKING.get():
            raise _Due
        return None

    def _stands(self, output: Output) -> bool:
        """Return whether an output is there with the content that was written."""
        path = self.dataset / output.path
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        if status.st_size != output.bytes:
            return False
        return status.st_mtime_ns == output.mtime_ns or sha256_of(path) == output.sha256

    def store(self, record: Record) -> None:
        """Write a record; call it when the outputs are in place."""
        path = self.path(record.stage, record.granule, ".json")
        place_text(path, json.dumps(asdict(record), indent=1) + "\n")

    def forget_others(self, stage: str, granules: Sequence[str]) -> None:
        """Remove what a stage keeps of granules that are no longer part of the dataset."""
        kept = set(granules)
        for path in sorted((self._root / stage).glob("*.json")):
            if path.stem not in kept:
                for stale in path.parent.glob(f"{path.stem}.*"):
                    stale.unlink()


def kept(work: Callable[[], Record]) -> Record | None:
    """Return the record of a stage that is done already, None where it is due.

    A stage asks for its record before it does anything, which is as far as it comes here.
    """
    looking = _LOOKING.set(True)
    try:
        return work()
    except _Due:
        return None
    finally:
        _LOOKING.reset(looking)


def output_of(dataset: Path, path: Path, rows: int) -> Output:
    """Return what the ledger keeps of a written file."""
    status = path.stat()
    return Output(
        path=path.relative_to(dataset).as_posix(),
        sha256=sha256_of(path),
        bytes=status.st_size,
        rows=rows,
        mtime_ns=status.st_mtime_ns,
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

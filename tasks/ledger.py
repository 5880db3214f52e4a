"""What a stage did with a granule, on disk: the key of its inputs, its outputs, its counts.

A stage is done for a granule when its record holds the key that the stage would have now and the
recorded outputs are still there. Records are written last, so a killed stage leaves none.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tasks.atomic import place_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file a stage wrote, relative to the dataset folder."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stage's work on one granule. `counts` add up: taken = out + rejected + left_out."""

    stage: str
    granule: str
    key: str
    outputs: tuple[Output, ...]
    taken: int
    out: int
    rejected: int = 0
    left_out: int = 0
    notes: dict[str, int] = field(default_factory=dict)
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
            tree = json.loads(self.path(stage, granule, ".json").read_bytes())
            outputs = tuple(Output(**output) for output in tree.pop("outputs"))
            return Record(**tree, outputs=outputs)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None  # no record, or one of another version: the stage runs again

    def done(self, stage: str, granule: str, key: str) -> Record | None:
        """Return the record if the stage is done under this key and its outputs are still there."""
        record = self.load(stage, granule)
        if record is None or record.key != key:
            return None
        if any(_size(self.dataset / output.path) != output.bytes for output in record.outputs):
            return None
        return record

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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1

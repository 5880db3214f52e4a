"""What a writer of a format is given: the rows to export, a folder, and a tally of both."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tasks.exports.choice import Choice, chosen_rows
from tasks.manifest import DataFile, Manifest
from tasks.rows import Row


@dataclass(slots=True, kw_only=True)
class Export:
    """One export on its way.

    Attributes:
        dataset: The folder that is read.
        manifest: Its manifest.
        files: Its chosen shards.
        choice: What is chosen.
        folder: Where to write; it becomes `out` when all is written.
        out: Where the export will lie.
        samples: How many are held so far.
        made: What else was written, by name in the plural ("images").
        left_out: What the format cannot hold, by name in the plural ("open questions").
    """

    dataset: Path
    manifest: Manifest
    files: list[DataFile]
    choice: Choice
    folder: Path
    out: Path
    samples: int = 0
    made: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The dataset's name as a file's or a task's may be: word characters and hyphens."""
        return re.sub(r"[^A-Za-z0-9_-]+", "_", self.manifest.dataset)

    def granules(self) -> Iterator[Iterator[Row]]:
        """Yield the chosen rows, one granule after the other.

        All rows of a scene come in one granule. It ends when `samples` reaches the limit, so a
        writer counts each sample that it holds (`samples`) or leaves out (`left_out`).
        """
        for rows in chosen_rows(self.dataset, self.files, self.choice):
            if self._is_full:
                return
            yield self._until_full(rows)

    def rows(self) -> Iterator[Row]:
        """Yield the chosen rows, as in `granules`."""
        for rows in self.granules():
            yield from rows

    def leave(self, what: str, number: int = 1) -> None:
        """Count something that the format cannot hold; nothing where the number is 0."""
        if number:
            self.left_out[what] += number

    def _until_full(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            if self._is_full:
                return

    @property
    def _is_full(self) -> bool:
        return self.choice.limit is not None and self.samples >= self.choice.limit


def split_name(split: str) -> str:
    """Return the name of a split as files, hubs and tasks may have it: word characters alone."""
    return "".join(c if c.isalnum() else "_" for c in split) or "all"

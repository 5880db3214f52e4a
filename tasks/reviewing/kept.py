"""Verdicts on disk: a file a reviewer, a JSON line a verdict, in the order in which they came."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from pydantic import ValidationError

from tasks.digest import digest_of
from tasks.errors import UserError
from tasks.reviewing.verdict import Verdict

SUFFIX = ".jsonl"
MOST_NAME_CHARS = 200  # of a file's name, which escapes all but plain letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """What all reviewers said: reviewer -> item -> the last verdict, the latest verdict last.

    `faults` name the lines that could not be read.
    """

    by_reviewer: dict[str, dict[str, Verdict]]
    faults: tuple[str, ...] = ()

    def of(self, item: str, shown: str) -> dict[str, Verdict]:
        """Return reviewer -> verdict on an item as it is shown now; of an older form none count."""
        found = {name: own.get(item) for name, own in self.by_reviewer.items()}
        return {name: one for name, one in found.items() if one is not None and one.shown == shown}

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over who said what of which item; not over when."""
        said = {
            name: [one.model_dump(mode="json", exclude={"at"}) for _, one in sorted(own.items())]
            for name, own in self.by_reviewer.items()
        }
        return digest_of(said)


def read_reviews(folder: Path) -> Reviews:
    """Read what all reviewers said; UserError where there is no such folder."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder of reviews; `terrascope review` writes one")
    by_reviewer: dict[str, dict[str, Verdict]] = {}
    faults: list[str] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        own = by_reviewer.setdefault(unquote(path.name.removesuffix(SUFFIX)), {})
        *lines, _ = path.read_bytes().split(b"\n")  # what no line end follows was cut off
        for number, line in enumerate(lines, 1):
            try:
                verdict = Verdict.model_validate_json(line)
            except ValidationError as error:
                faults.append(f"{path.name}, line {number}: {error.errors()[0]['msg']}")
                continue
            own.pop(verdict.item, None)
            own[verdict.item] = verdict
    return Reviews(by_reviewer=by_reviewer, faults=tuple(faults))


@contextmanager
def written_by(folder: Path, reviewer: str) -> Iterator[Callable[[Verdict], None]]:
    """Hold a reviewer's file; yields a function that adds a verdict, on disk when it returns.

    Raises:
        UserError: a name that is none, or one under which somebody is reviewing right now.
    """
    path = folder / file_name(reviewer)
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{reviewer} is reviewing into {folder} already; end that one, or take another "
                "--reviewer"
            ) from error
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)  # a line that was cut off

        def add(verdict: Verdict) -> None:
            file.write(verdict.model_dump_json(exclude_defaults=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

        yield add


def file_name(reviewer: str) -> str:
    """Return the name of a reviewer's file; UserError where the name is none or too long."""
    name = f"{quote(reviewer, safe=' ')}{SUFFIX}"
    if not reviewer.strip() or not reviewer.isprintable() or len(name) > MOST_NAME_CHARS:
        raise UserError(f"--reviewer {reviewer!r}: give a name of a line and at most some words")
    return name

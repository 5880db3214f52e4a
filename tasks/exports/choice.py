"""Which samples of a dataset are exported: by tier, split, task and source, shard by shard."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from tasks.errors import UserError
from tasks.manifest import DataFile, Manifest
from tasks.rows import Row, RowError, open_shard, row_group


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen; an empty tuple means all, `limit` the first so many samples."""

    tiers: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    limit: int | None = None

    def as_json(self) -> dict[str, list[str] | int | None]:
        """Return it as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def chosen_files(dataset: Path, manifest: Manifest, choice: Choice) -> list[DataFile]:
    """Return the shards to read, those of one granule beside each other.

    Raises:
        UserError: something chosen is not in the dataset; the message says what is.
        RowError: a shard cannot be read.
    """
    wishes = (("tier", choice.tiers), ("split", choice.splits), ("source", choice.sources))
    for name, wished in wishes:
        _known(name, wished, {getattr(file, name) for file in manifest.files}, dataset)
    files = [
        file
        for file in manifest.files
        if all(not wished or getattr(file, name) in wished for name, wished in wishes)
    ]
    if choice.tasks:
        _known("task", choice.tasks, _tasks(dataset, files), dataset)
    return sorted(files, key=lambda file: (*granule_of(file), file.tier))


def granule_of(file: DataFile) -> tuple[str, str, str]:
    """Return what names the granule of a shard: a scene lies in one granule alone."""
    return file.source, file.split, file.bucket


def chosen_rows(
    dataset: Path, files: Iterable[DataFile], choice: Choice
) -> Iterator[Iterator[Row]]:
    """Yield the rows of one granule after the other, of all tiers; one row group is held at a time.

    RowError names the shard and the sample that cannot be read.
    """
    for _, shards in groupby(files, granule_of):
        yield (row for file in shards for row in _rows(dataset / file.path, choice.tasks))


def _rows(path: Path, tasks: tuple[str, ...]) -> Iterator[Row]:
    shard = open_shard(path)
    for number in range(shard.num_row_groups):
        found = shard.read_row_group(number, columns=["task"]).column(0).to_pylist()
        places = [at for at, task in enumerate(found) if not tasks or task in tasks]
        if not places:
            continue
        reader = row_group(shard, number)
        for at in places:
            try:
                yield reader.read(at)
            except RowError as error:
                raise RowError(f"{path}, sample {reader.sample_id(at)}: {error}") from error


def _tasks(dataset: Path, files: Iterable[DataFile]) -> set[str]:
    tasks: set[str] = set()
    for file in files:
        read = open_shard(dataset / file.path).read(columns=["task"])
        tasks.update(read.column(0).unique().to_pylist())
    return tasks


def _known(name: str, wished: tuple[str, ...], there: set[str], dataset: Path) -> None:
    missing = sorted(set(wished) - there)
    if missing:
        raise UserError(
            f"--{name} {missing[0]}: {dataset} has no such samples; "
            f"its {name}s are {', '.join(sorted(there))}"
        )

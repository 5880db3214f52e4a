"""Samples of a dataset drawn by seed: sources take turns, and within a source its tasks do."""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.manifest import DataFile
from tasks.rows import Row, read_rows
from tasks.shard_counts import Counts
from tasks.small_table import table_columns

Numbers = dict[str, dict[str, int]]  # samples by source and task


class Place(NamedTuple):
    """Which of the samples of a source and task: the first has the number 0."""

    source: str
    task: str
    number: int


def drawn_rows(
    dataset: Path,
    files: Iterable[DataFile],
    counts: Counts,
    seed: int,
    number: int,
    tasks: Collection[str] = (),
) -> list[Row]:
    """Return samples of shards drawn by seed, taking turns between sources and their tasks.

    Of all tasks, unless some are named. `counts` is what the shards hold: only those are opened of
    which a sample is drawn.
    """
    files = sorted(files, key=lambda file: file.path)
    numbers: Numbers = {}
    for file in files:
        of_source = numbers.setdefault(file.source, {})
        for task, found in counts[file.path].tasks.items():
            if not tasks or task in tasks:
                of_source[task] = of_source.get(task, 0) + found
    places = draw(numbers, seed, number)
    rows: dict[Place, Row] = {}
    passed = {(place.source, place.task): 0 for place in places}
    for file in files:
        wanted: dict[Place, int] = {}
        for task, found in counts[file.path].tasks.items():
            if (before := passed.get((file.source, task))) is None:
                continue
            passed[file.source, task] += found
            for place in places:
                if place[:2] == (file.source, task) and 0 <= place.number - before < found:
                    wanted[place] = place.number - before
        rows |= _read(dataset / file.path, wanted)
    return [rows[place] for place in places]


def draw(numbers: Mapping[str, Mapping[str, int]], seed: int, number: int) -> list[Place]:
    """Draw places by seed: sources take turns, and within a source its tasks do."""
    rng = random.Random(f"report:{seed}")
    queues = {}
    for source in sorted(numbers):
        tasks = []
        for task, found in sorted(numbers[source].items()):
            drawn = rng.sample(range(found), min(found, number))
            tasks.append([Place(source, task, one) for one in drawn])
        rng.shuffle(tasks)
        queues[source] = _in_turn(tasks)
    return [place for _, place in zip(range(number), _in_turn(list(queues.values())), strict=False)]


def _in_turn(queues: Sequence[Sequence[Place] | Iterator[Place]]) -> Iterator[Place]:
    """Yield the first of each queue, then the second of each, and so on until all are empty."""
    waiting = [iter(queue) for queue in queues]
    while waiting:
        going_on = []
        for queue in waiting:
            for place in queue:
                yield place
                going_on.append(queue)
                break
        waiting = going_on


def _read(path: Path, wanted: Mapping[Place, int]) -> dict[Place, Row]:
    """Return rows of a shard, each by its number among those of its task, by sample id."""
    if not wanted:
        return {}
    ids: dict[str, list[str]] = {}
    for sample_id, task in sorted(zip(*table_columns(path, ["sample_id", "task"]), strict=True)):
        ids.setdefault(task, []).append(sample_id)
    drawn = {place: ids[place.task][number] for place, number in wanted.items()}
    rows = read_rows(path, set(drawn.values()))
    return {place: rows[sample_id] for place, sample_id in drawn.items()}

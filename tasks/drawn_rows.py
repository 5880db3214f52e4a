"""Samples of a dataset drawn by seed: sources take turns, and within a source its tasks do."""

import random
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tasks.manifest import Manifest
from tasks.rows import Row, read_rows
from tasks.small_table import table_rows

Place = tuple[str, str]  # file, sample id


def drawn_rows(
    dataset: Path, manifest: Manifest, seed: int, number: int, tasks: Collection[str] = ()
) -> list[Row]:
    """Return samples drawn by seed, taking turns between sources and between their tasks.

    Of all tasks, unless some are named.
    """
    places = draw(_strata(dataset, manifest, tasks), seed, number)
    rows: dict[Place, Row] = {}
    for file in sorted({file for file, _ in places}):
        wanted = {sample_id for f, sample_id in places if f == file}
        found = read_rows(dataset / file, wanted)
        rows |= {(file, sample_id): row for sample_id, row in found.items()}
    return [rows[place] for place in places]


def draw(strata: dict[str, dict[str, list[Place]]], seed: int, number: int) -> list[Place]:
    """Draw places by seed: sources take turns, and within a source its tasks do."""
    rng = random.Random(f"report:{seed}")
    queues = {}
    for source in sorted(strata):
        tasks = [sorted(strata[source][task]) for task in sorted(strata[source])]
        for places in tasks:
            rng.shuffle(places)
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


def _strata(
    dataset: Path, manifest: Manifest, tasks: Collection[str]
) -> dict[str, dict[str, list[Place]]]:
    strata: dict[str, dict[str, list[Place]]] = {}
    for file in manifest.files:
        for row in table_rows(dataset / file.path, ["sample_id", "source", "task"]):
            if not tasks or row["task"] in tasks:
                of_source = strata.setdefault(row["source"], {})
                of_source.setdefault(row["task"], []).append((file.path, row["sample_id"]))
    return strata

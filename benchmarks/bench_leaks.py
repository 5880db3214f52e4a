"""How much of a bench can be answered without looking, beside items of the released rule.

Usage: python benchmarks/bench_leaks.py [--built DIR ...] [--land 20000] [--towns 2000]

Questions are those of a bench on every scene that builds in DIR have read, whatever its split (what
lies under .work/ingest), on so many land-cover maps of the planet in the classes of each archive,
and on so many of its towns (label maps and buildings alone, no pictures). Their
options are made as a bench's; beside them stand the same questions with options by the released
rule: of coverage and areas 0.5, 2 and 0.1 times the answer, of distances 0.7, 1.2 and 1.4 times,
and of buildings, of which nothing was published, as of areas.

Each rule of the blind control is fitted on one half of a task's items and tested on the other.
Printed: accuracy minus chance in points, and its upper 95 % bound; then the same of what the
control leaves.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from label_scenes import land_scenes, town_scenes
from leaks import COLUMNS, GRANULE_SCENES, UNSEEN_DIGIT, candidate, kept, print_table

from schemas.scene import Scene
from schemas.trace import quantity_text
from tasks.ask import read_asked
from tasks.asked_rows import asked_table
from tasks.bench_making.answers import by_kind, numbers_of
from tasks.bench_making.items import with_options
from tasks.blind_rules import HALF_DIGIT, BlindItem, control
from tasks.config import BuildConfig
from tasks.scene_table import asked_scenes, scenes_to_table
from tasks.select import keep_rates
from tasks.selection import Candidate
from templates.asked import AskedScene
from templates.bench import BENCH_QUESTIONS
from templates.item import propose

LAND, SEED = ("bigearthnet", "chatearthnet"), 11
RELEASED = {"m": (0.7, 1.2, 1.4)}
OTHERWISE = (0.5, 2.0, 0.1)
READ = [*COLUMNS, "scene_id", "trace"]


def built_scenes(dataset: Path) -> dict[str, list[Path]]:
    """Return the scene tables of a build by source."""
    found: dict[str, list[Path]] = {}
    for path in sorted((dataset / ".work" / "ingest").glob("*.parquet")):
        if not path.name.endswith((".rejects.parquet", ".unlabelled.parquet")):
            found.setdefault(path.name.split("-")[0], []).append(path)
    return found


def asked_rows(scenes: Iterable[AskedScene]) -> list[dict[str, Any]]:
    """Return the questions of some scenes, without picked options."""
    table, _ = asked_table(scenes, lambda scene: propose(scene, BENCH_QUESTIONS, 0), 0)
    return list(table.select(READ).to_pylist())


def drawn_rows(scenes: Iterator[Scene], config: BuildConfig) -> Iterator[dict[str, Any]]:
    """Yield the questions of scenes that are drawn here and now."""
    while granule := list(islice(scenes, GRANULE_SCENES)):
        yield from asked_rows(asked_scenes(scenes_to_table(granule), config.sar_rendering))


def released(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a question with options by fixed multiples; None where two read alike."""
    if row["options"]:
        return dict(row)
    answer = row["answer"]
    factors = RELEASED.get(answer["unit"], OTHERWISE)
    numbers = [answer["value"] * factor for factor in factors]
    if answer["unit"] == "count":
        numbers = [float(round(number)) for number in numbers]
    texts = [answer["text"], *(quantity_text(number, answer["unit"]) for number in numbers)]
    if len(set(texts)) < len(texts):
        return None
    return {**row, "options": Random(row["sample_id"]).sample(texts, len(texts))}


def blind_items(
    rows: Mapping[str, list[dict[str, Any]]],
) -> tuple[list[BlindItem], dict[str, float]]:
    """Return rows by source as items, with the rates at which answers are evened out."""
    candidates: list[Candidate] = [
        candidate(source, row) for source, own in rows.items() for row in own
    ]
    cells = Counter(cell for c in candidates if (cell := c.cell) is not None)
    rates = keep_rates(cells, {})
    weights = {
        c.sample_id: rates[cell.group, cell.answer]
        for c in candidates
        if (cell := c.cell) is not None
    }
    return [item for c in candidates if (item := c.blind) is not None], weights


def show(name: str, rows: Mapping[str, list[dict[str, Any]]], min_items: int) -> None:
    """Print what rules gain on items, before and after the control."""
    items, weights = blind_items(rows)
    print(f"\n{name}")
    print_table(kept(items, weights), HALF_DIGIT, min_items)
    print(f"{name}, after the control")
    print_table(kept(items, weights, control(items, weights, {}).rates), UNSEEN_DIGIT, min_items)


def main() -> None:
    """Print both kinds of items."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--built", type=Path, nargs="*", default=[])
    parser.add_argument("--land", type=int, default=0, help="Scenes of each archive's classes.")
    parser.add_argument("--towns", type=int, default=2000)
    parser.add_argument("--min-items", type=int, default=5000)
    arguments = parser.parse_args()
    config = BuildConfig(sources={"xbd": Path(".")}, out=Path("."))
    asked: dict[str, list[dict[str, Any]]] = {}
    for dataset in arguments.built:
        for source, paths in built_scenes(dataset).items():
            for path in paths:
                asked.setdefault(source, []).extend(asked_rows(read_asked(config, path)))
    for source in LAND if arguments.land else ():
        land = land_scenes(source, arguments.land, SEED)
        asked.setdefault(source, []).extend(drawn_rows(land, config))
    if arguments.towns:
        asked.setdefault("xbd", []).extend(drawn_rows(town_scenes(arguments.towns, SEED), config))
    ours: dict[str, list[dict[str, Any]]] = {}
    for source, rows in asked.items():
        answers = by_kind(numbers_of(rows))
        ours[source] = [item for row in rows if (item := with_options(row, answers))]
        tasks = (Counter(row["task"] for row in found) for found in (rows, ours[source]))
        print(source, "asked", *[sorted(found.items()) for found in tasks], sep="\n  ")
    show("options of other scenes", ours, arguments.min_items)
    theirs = {s: [i for row in rows if (i := released(row))] for s, rows in asked.items()}
    show("released rule", theirs, arguments.min_items)


if __name__ == "__main__":
    main()

"""How much of a dataset's questions can be answered without looking: rules fitted on one half.

Usage: python benchmarks/leaks.py [--source bigearthnet] [--scenes 10000] [--min-items 5000]
       python benchmarks/leaks.py --dataset DIR

Without --dataset the questions are those of that many planet scenes a source (label maps and
buildings only, no pictures), asked and selected as in a build, in granules of 256 scenes. Sources
are bigearthnet, chatearthnet, xbd, and survey: land cover of three to five dates.

Each rule sees task, classes, option texts and, for one half of the items, the answers. It is tested
on the other half. Printed: accuracy minus chance in points, with its upper 95 % bound; the aim is
at most 3 points for every rule on tasks with at least 5,000 items.
"""

import argparse
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.dataset as pads
from label_scenes import land_scenes, survey_scenes, town_scenes

from tasks.ask import ask_scenes
from tasks.config import TASKS, BuildConfig
from tasks.scene_table import asked_scenes, scenes_to_table
from tasks.select import Cell, is_kept, keep_rates

GRANULE_SCENES = 256
COLUMNS = [
    "sample_id",
    "task",
    "classes",
    "options",
    "answer",
    "group",
    "answer_key",
    "num_answers",
]

CLOSED = {
    "existence": ("Yes", "No"),
    "border": ("Yes", "No"),
    "change_exists": ("Yes", "No"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One multiple-choice item, or an open one whose answers are a closed set."""

    sample_id: str
    key: tuple[str, ...]
    options: tuple[str, ...]
    answer: int


def number(text: str) -> float | None:
    """Return an option's number in its base unit; None for words."""
    match = re.fullmatch(r"([\d,.]+)(?: (ha|m²|m|%))?", text)
    if match is None:
        return None
    return float(match[1].replace(",", "")) * (10_000 if match[2] == "ha" else 1)


def ranks(options: tuple[str, ...]) -> list[int]:
    """Return the rank of each option's number, all 0 for words."""
    values = [number(option) for option in options]
    if None in values:
        return [0] * len(options)
    order = sorted(values)
    return [order.index(value) for value in values]


Guess = Callable[[Item], int]


def by_letter(train: list[Item]) -> Guess:
    """Always the letter that is most often right."""
    best = Counter(item.answer for item in train).most_common(1)[0][0]
    return lambda item: min(best, len(item.options) - 1)


def by_rank(train: list[Item]) -> Guess:
    """The rank of number (smallest, second, …, largest) that is most often right."""
    best = Counter(ranks(item.options)[item.answer] for item in train).most_common(1)[0][0]
    return lambda item: ranks(item.options).index(best) if best in ranks(item.options) else 0


def by_class_answer(train: list[Item]) -> Guess:
    """The option that is most often the answer to the same question about the same classes."""
    seen: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    everywhere: Counter[str] = Counter()
    for item in train:
        seen[item.key][item.options[item.answer]] += 1
        everywhere[item.options[item.answer]] += 1

    def guess(item: Item) -> int:
        counts = seen[item.key]
        scores = [(counts[option], everywhere[option]) for option in item.options]
        return scores.index(max(scores))

    return guess


def by_class_size(train: list[Item]) -> Guess:
    """The number nearest, on a log scale, to the median answer for the same classes."""
    values: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for item in train:
        value = number(item.options[item.answer])
        if value:
            values[item.key].append(value)
            values[()].append(value)
    centre = {key: math.log(median(found)) for key, found in values.items()}

    def guess(item: Item) -> int:
        numbers = [number(option) for option in item.options]
        if not all(numbers) or () not in centre:
            return 0
        middle = centre.get(item.key, centre[()])
        gaps = [abs(math.log(value) - middle) for value in numbers if value]
        return gaps.index(min(gaps))

    return guess


def by_option_rate(train: list[Item]) -> Guess:
    """The option that is right most often when it is offered."""
    offered: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for item in train:
        offered.update(item.options)
        right[item.options[item.answer]] += 1

    def guess(item: Item) -> int:
        rates = [(right[o] + 1) / (offered[o] + len(item.options)) for o in item.options]
        return rates.index(max(rates))

    return guess


RULES = {
    "letter": by_letter,
    "rank of number": by_rank,
    "class prior: answer": by_class_answer,
    "class prior: size": by_class_size,
    "option's own rate": by_option_rate,
}


def read_items(dataset: Path) -> dict[str, list[Item]]:
    """Return the items of a dataset by task."""
    columns = ["sample_id", "task", "form", "classes", "options", "answer"]
    table = pads.dataset(dataset / "data", format="parquet").to_table(columns=columns)
    return gathered(table.to_pylist())


def gathered(rows: Iterable[dict[str, Any]]) -> dict[str, list[Item]]:
    """Return rows as items by task, where their answers are a closed set."""
    items: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        options = tuple(row["options"]) or CLOSED.get(row["task"], ())
        if options:
            answer = options.index(row["answer"]["text"])
            items[row["task"]].append(
                Item(row["sample_id"], tuple(row["classes"]), options, answer)
            )
    return items


def made_items(
    sources: list[str], num_scenes: int, seed: int, tasks: list[str]
) -> dict[str, list[Item]]:
    """Ask planet scenes of some sources and select, as a build does; return the kept items."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for source in sources:
        makers = {"xbd": town_scenes, "survey": survey_scenes}
        make = makers.get(source, partial(land_scenes, source))
        scenes = make(num_scenes, seed)
        config = BuildConfig(
            sources={source: Path(".")}, out=Path("."), seed=seed, tasks=tuple(tasks)
        )
        while granule := list(islice(scenes, GRANULE_SCENES)):
            asked = asked_scenes(scenes_to_table(granule), config.sar_rendering)
            table, _ = ask_scenes(asked, config)
            rows += [(source, row) for row in table.select(COLUMNS).to_pylist()]
    cells = [cell_of(source, row) for source, row in rows]
    rates = keep_rates(Counter(cell for cell in cells if cell is not None), {})
    kept = [
        row
        for (_, row), cell in zip(rows, cells, strict=True)
        if cell is None or is_kept(row["sample_id"], rates[cell.group, cell.answer])
    ]
    return gathered(kept)


def cell_of(source: str, row: dict[str, Any]) -> Cell | None:
    """Return the cell in which a candidate is balanced, as the build has it for one split."""
    if not row["group"]:
        return None
    return Cell(
        f"{source}|{row['task']}", f"{source}|{row['group']}", row["num_answers"], row["answer_key"]
    )


def main() -> None:
    """Print one line a task and rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--source", nargs="+", default=["bigearthnet"])
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), help="kinds of questions")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--min-items", type=int, default=5000)
    arguments = parser.parse_args()
    print(f"{'task':<16}{'rule':<22}{'items':>8}{'tested':>8}{'chance':>8}{'over':>8}{'bound':>8}")
    worst = 0.0
    found = (
        read_items(arguments.dataset)
        if arguments.dataset
        else made_items(arguments.source, arguments.scenes, arguments.seed, arguments.tasks)
    )
    for task, items in sorted(found.items()):
        train = [item for item in items if int(item.sample_id[-1], 16) % 2]
        test = [item for item in items if not int(item.sample_id[-1], 16) % 2]
        if not train or not test:
            continue
        chance = sum(1 / len(item.options) for item in test) / len(test)
        for name, fit in RULES.items():
            guess = fit(train)
            accuracy = sum(guess(item) == item.answer for item in test) / len(test)
            bound = accuracy + 1.96 * math.sqrt(accuracy * (1 - accuracy) / len(test)) - chance
            enough = len(items) >= arguments.min_items
            worst = max(worst, bound) if enough else worst
            print(
                f"{task:<16}{name:<22}{len(items):>8}{len(test):>8}{100 * chance:>8.1f}"
                f"{100 * (accuracy - chance):>8.1f}{100 * bound:>8.1f}{'' if enough else '  few'}"
            )
    print(f"worst upper bound on tasks with enough items: {100 * worst:.1f} points over chance")


if __name__ == "__main__":
    main()

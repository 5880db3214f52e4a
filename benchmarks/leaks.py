"""How much of a dataset's questions can be answered without looking: rules fitted on one half.

Usage: python benchmarks/leaks.py [--source bigearthnet] [--scenes 10000] [--min-items 5000]
       python benchmarks/leaks.py --dataset DIR
       python benchmarks/leaks.py --leaky 20000

Without --dataset the questions are those of that many planet scenes a source (label maps and
buildings only, no pictures), asked and selected as in a build, in granules of 256 scenes. Sources
are bigearthnet, chatearthnet, xbd, and survey: land cover of three to five dates.

With --leaky they are made up: that many of each of a few sets, all but one of which leak in a known
way.

Each rule sees task, classes, option texts and, for one half of the items, the answers. It is tested
on the other half. Printed: accuracy minus chance in points, with its upper 95 % bound; the aim is
at most 3 points for every rule on tasks with at least 5,000 items. Then the same once more of what
the blind control (tasks/blind_rules.py) leaves, in halves that it has not seen.
"""

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow.dataset as pads
from label_scenes import land_scenes, survey_scenes, town_scenes

from tasks.asked_rows import asked_table
from tasks.blind_rules import HALF_DIGIT, RULES, BlindItem, by_task, control, guesses
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.scene_table import asked_scenes, scenes_to_table
from tasks.select import is_kept, keep_rates
from tasks.selection import Candidate
from templates.composition import L2_QUESTIONS
from templates.item import propose
from templates.questions import L1_QUESTIONS

GRANULE_SCENES = 256
COLUMNS = [
    "sample_id",
    "tier",
    "task",
    "classes",
    "options",
    "answer",
    "rule",
    "group",
    "answer_key",
    "num_answers",
]

TASKS = [kind.task for kind in (*L1_QUESTIONS, *chain(*L2_QUESTIONS.values()))]
YES_NO = ("Yes", "No")
UNSEEN_DIGIT = HALF_DIGIT - 1  # halves of what the control leaves

Weights = dict[str, float]  # sample id -> the rate at which selection keeps it


def read_items(dataset: Path) -> tuple[list[BlindItem], Weights]:
    """Return the items of a dataset.

    All their ids lie under the rates of its build. To draw among them again, ids are hashed again,
    but for the digit that makes halves.
    """
    columns = ["sample_id", "tier", "task", "classes", "options", "answer", "rule"]
    table = pads.dataset(dataset / "data", format="parquet").to_table(columns=columns)
    rows = table.to_pylist()
    for row in rows:
        old = row["sample_id"]
        row["sample_id"] = sha256(old.encode()).hexdigest()[: len(old) - 1] + old[-1]
    return gathered(rows), {}


def gathered(rows: Iterable[dict[str, Any]]) -> list[BlindItem]:
    """Return rows as items, where their answers are a closed set."""
    found = (candidate("", row).blind for row in rows)
    return [item for item in found if item is not None]


def candidate(source: str, row: dict[str, Any]) -> Candidate:
    """Return a row as selection sees it, all being of one split; rows of shards are in no group."""
    shown = [row[name] for name in ("sample_id", "tier", "task", "classes", "options")]
    group = [row.get("group"), row.get("answer_key"), row.get("num_answers") or 0]
    values = [*shown, row["answer"]["text"], "", row["rule"], *group, None]
    return Candidate.of(GranuleId(source, "train", "b00"), values, region="", shown="")


def made_items(
    sources: list[str], num_scenes: int, seed: int, tasks: list[str]
) -> tuple[list[BlindItem], Weights]:
    """Ask planet scenes of some sources; return the candidates, with the rates of selection.

    Every kind of question is tried on every scene, those of L2 as well.
    """
    kinds = [kind for kind in (*L1_QUESTIONS, *chain(*L2_QUESTIONS.values())) if kind.task in tasks]
    candidates: list[Candidate] = []
    for source in sources:
        makers = {"xbd": town_scenes, "survey": survey_scenes}
        make = makers.get(source, partial(land_scenes, source))
        scenes = make(num_scenes, seed)
        config = BuildConfig(sources={source: Path(".")}, out=Path("."), seed=seed)
        while granule := list(islice(scenes, GRANULE_SCENES)):
            asked = asked_scenes(scenes_to_table(granule), config.sar_rendering)
            table, _ = asked_table(asked, lambda scene: propose(scene, kinds, seed), seed)
            rows = table.select(COLUMNS).to_pylist()
            candidates += [candidate(source, row) for row in rows]
    rates = keep_rates(Counter(cell for c in candidates if (cell := c.cell) is not None), {})
    weights = {
        c.sample_id: rates[cell.group, cell.answer]
        for c in candidates
        if (cell := c.cell) is not None
    }
    return [item for c in candidates if (item := c.blind) is not None], weights


def leaky_items(number: int, seed: int) -> tuple[list[BlindItem], Weights]:
    """Return items that leak by majority, rank, class, by letter and class, and not at all."""
    rng = random.Random(seed)
    words = tuple("abcdefgh")

    def majority(_: str) -> tuple[tuple[str, ...], int]:
        return YES_NO, int(rng.random() > 0.7)

    def largest(_: str) -> tuple[tuple[str, ...], int]:
        sizes = rng.sample(range(100, 1000), 4)
        best = sizes.index(max(sizes))
        return tuple(f"{size} ha" for size in sizes), best if rng.random() < 0.2 else rng.randrange(
            4
        )

    def prior(key: str) -> tuple[tuple[str, ...], int]:
        return YES_NO, int(rng.random() > (words.index(key) + 0.5) / len(words))

    def two_at_once(key: str) -> tuple[tuple[str, ...], int]:
        options = tuple(rng.sample(words, 4))
        drawn = rng.random()
        if drawn < 0.2:
            return options, 0
        return options, options.index(key) if drawn < 0.5 and key in options else rng.randrange(4)

    def fair(_: str) -> tuple[tuple[str, ...], int]:
        return tuple(rng.sample(words, 4)), rng.randrange(4)

    makers: Sequence[Callable[[str], tuple[tuple[str, ...], int]]] = (
        majority, largest, prior, two_at_once, fair,
    )  # fmt: skip
    items = [
        BlindItem(f"{rng.getrandbits(96):024x}", make.__name__, (key,), *make(key))
        for make in makers
        for key in rng.choices(words, k=number)
    ]
    return items, {}


def kept(items: Iterable[BlindItem], *rates: Weights) -> list[BlindItem]:
    """Return the items whose ids lie under the product of their rates."""
    return [
        item
        for item in items
        if is_kept(item.sample_id, math.prod(rate.get(item.sample_id, 1.0) for rate in rates))
    ]


def print_table(items: Sequence[BlindItem], half_digit: int, min_items: int) -> None:
    """Print one line a task and rule: fitted on the items of one half, tested on the other."""
    print(f"{'task':<28}{'rule':<22}{'items':>8}{'tested':>8}{'chance':>8}{'over':>8}{'bound':>8}")
    worst = 0.0
    right = guesses(items, half_digit)
    for task, group in sorted(by_task(items).items()):
        test = [item for item in group if not int(item.sample_id[half_digit], 16) % 2]
        if not test or len(test) == len(group):
            continue
        chance = sum(1 / len(item.options) for item in test) / len(test)
        for name in RULES:
            accuracy = sum(right[name][item.sample_id] for item in test) / len(test)
            bound = accuracy + 1.96 * math.sqrt(accuracy * (1 - accuracy) / len(test)) - chance
            enough = len(group) >= min_items
            worst = max(worst, bound) if enough else worst
            print(
                f"{task:<28}{name:<22}{len(group):>8}{len(test):>8}{100 * chance:>8.1f}"
                f"{100 * (accuracy - chance):>8.1f}{100 * bound:>8.1f}{'' if enough else '  few'}"
            )
    print(f"worst upper bound on tasks with enough items: {100 * worst:.1f} points over chance")


def main() -> None:
    """Print what can be guessed of the items, and of those that the blind control leaves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--leaky", type=int, help="items of each set that leaks in a known way")
    parser.add_argument("--source", nargs="+", default=["bigearthnet"])
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--tasks", nargs="+", default=TASKS, help="kinds of questions")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--min-items", type=int, default=5000)
    arguments = parser.parse_args()
    if arguments.dataset:
        items, weights = read_items(arguments.dataset)
    elif arguments.leaky:
        items, weights = leaky_items(arguments.leaky, arguments.seed)
    else:
        items, weights = made_items(
            arguments.source, arguments.scenes, arguments.seed, arguments.tasks
        )
    print_table(kept(items, weights), HALF_DIGIT, arguments.min_items)
    print("\nafter the control")
    rates = control(items, weights, {}).rates
    print_table(kept(items, weights, rates), UNSEEN_DIGIT, arguments.min_items)


if __name__ == "__main__":
    main()

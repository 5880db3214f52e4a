"""Is reasoning with masks worth it? The paper's tables 2, 3 and I on procedural scenes, small.

For each seed one model learns named classes, and goes on to write traces of a few kinds of L1
questions, with masks that nothing follows: so that all ways begin with the same words and masks.
Each way of reasoning (table 2) goes on from there, in as many steps of the same samples: in words
alone, in words beside masks, or with visual tokens after each mask that are the mask's own, its
box's or random ones; and, ours, with facts measured on the mask, alone or beside its tokens. So do
the sensors (table 3): the optical or the radar picture alone, both sensors' tokens after a mask, or
those that the question chooses; asked where both show one place, in clear scenes and in clouded
ones. Table I goes on from the named classes, with captions alone, with L1, and with L2 as well.

Questions of a held-out split are answered by each: the share that is word for word right, that of
which the words are right whatever the option's letter (small models learn letters last), beside
what guessing comes to (any option; of an open question the commonest answer to its kind in the
training split), and the IoU of the masks with the annotated ones, in order. How well named classes
of held-out scenes are segmented is told of each seed's first model.

Each run is a folder under --out and is not run again, so that what was cut off goes on; one of
other data or settings is refused. What came out of a seed is its record, `seed-N.json`: a seed
whose record has the tables is done, wherever it was run, and tables and plots are of all records
that are there: means, with the least and the most over the seeds. Runs have one thread each, one a
core or GPU at once unless --at-once says otherwise, so that seconds are those of a busy machine.

    .venv/bin/python benchmarks/ablation.py DATASET --out DIR [--seeds 0 1 2] [--tables 2 3 I]
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import mean
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pyarrow.parquet as pq  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402

from schemas.tier import Tier  # noqa: E402
from tasks.answers_page import Answered  # noqa: E402
from tasks.manifest import read_manifest  # noqa: E402
from tasks.rows import Row, read_rows  # noqa: E402
from tasks.training import learn, num_gpus  # noqa: E402
from terrascope_model.settings import TrainSettings  # noqa: E402

KINDS = ("existence", "border", "coverage", "location")  # of L1 questions
NO_CAPTIONS = {Tier.CAP.value: 0.0}
NO_L2 = {Tier.L2_SPATIAL.value: 0.0, Tier.L2_SEMANTIC.value: 0.0}
WAYS: dict[str, dict[str, Any]] = {
    "words alone": {"marked": False, "feedback": "none"},
    "words and masks": {"feedback": "none"},
    "random tokens": {"feedback": "random"},
    "box's tokens": {"feedback": "box"},
    "mask's tokens": {"feedback": "tokens"},
    "facts": {"feedback": "measure"},
    "facts and tokens": {"feedback": "both"},
}
SENSORS: dict[str, dict[str, Any]] = {
    "optical alone": {"sensors": "optical"},
    "radar alone": {"sensors": "sar"},
    "both": {"sensors": "concatenated"},
    "as the question asks": {"sensors": "adaptive"},
}
DATA: dict[str, dict[str, Any]] = {
    "captions": {"tier_weights": {Tier.L1.value: 0.0, **NO_L2}},
    "captions, L1": {"tier_weights": NO_L2},
    "captions, L1, L2": {"tier_weights": {}},
}
TABLES = {
    "2": ("Ways of reasoning", WAYS),
    "3": ("Sensors", SENSORS),
    "I": ("What is learnt from", DATA),
}
COLUMNS = {
    "2": ("right", "in words", "guessed", "answered", "IoU", "context", "seconds"),
    "3": ("right", "in words", "clear", "clouded", "guessed", "IoU", "context", "seconds"),
    "I": ("right", "in words", "L1", "L2", "guessed", "answered", "IoU"),
}
AT_ONCE = 16  # questions


Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One model: its table (None of one that others go on from), name, folder and settings."""

    table: str | None
    name: str
    out: Path
    settings: TrainSettings


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out of a way with one seed: its figures, and by task (number, right, guessed)."""

    figures: Figures
    tasks: dict[str, tuple[int, float, float]]


@dataclass(frozen=True, slots=True)
class Record:
    """What came out of a seed: IoU of named classes by group, and what was tried, by table."""

    of: dict[str, Any]
    named: dict[str, tuple[float, int]]
    tables: dict[str, dict[str, Tried]]


def main() -> None:
    """Train, try, and write tables and plots; or, with --try, try one model in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--at-once", type=int, default=0, help="Runs; 0 for one a core or GPU.")
    parser.add_argument("--named-steps", type=int, default=2000, help="Of named classes.")
    parser.add_argument("--read-steps", type=int, default=1500, help="Of traces, before a way's.")
    parser.add_argument("--steps", type=int, default=250, help="Of each way.")
    parser.add_argument("--data-steps", type=int, default=700, help="Of each mixture of table I.")
    parser.add_argument("--questions", type=int, default=240)
    parser.add_argument("--split", default="test")
    parser.add_argument("--try", dest="model", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.model:
        (table,) = given.tables
        try_model(given.dataset, given.model, table, given.split, given.questions)
        return
    due = [seed for seed in given.seeds if not {*given.tables} <= {*tables_of(given, seed)}]
    runs = {seed: list(runs_of(given, seed)) for seed in due}
    at_once = given.at_once or num_gpus() or os.cpu_count()
    with ThreadPoolExecutor(at_once) as pool:
        for some in ("named", "reading"):
            first = [run for of in runs.values() for run in of if run.table is None]
            list(pool.map(lambda run: train(given.dataset, run), named_so(first, some)))
        for seed, of_seed in runs.items():
            list(pool.map(lambda models: try_way(given, models), by_model(of_seed)))
            write_record(given, seed, of_seed)
    records = [read_record(path) for path in sorted(given.out.glob("seed-*.json"))]
    tell_named(given.out, records)
    for table in given.tables:
        write_table(given.out, table, [r.tables[table] for r in records if table in r.tables])


def named_so(runs: Sequence[Run], name: str) -> list[Run]:
    """Return the runs of a name."""
    return [run for run in runs if run.name == name]


def by_model(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs that are in tables, those of one model together."""
    models: dict[Path, list[Run]] = defaultdict(list)
    for run in runs:
        if run.table is not None:
            models[run.out].append(run)
    return list(models.values())


def runs_of(given: argparse.Namespace, seed: int) -> Iterator[Run]:
    """Yield the models of a seed, those that others go on from first; equal ones share a folder."""
    folder = given.out / f"seed-{seed}"
    others = {task: 0.0 for task in l1_tasks(given.dataset) if task not in KINDS}
    common = {"seed": seed, "rehearsed": 0.3, "eval_split": "none", "task_weights": others}
    named, reading = folder / "named", folder / "reading"
    of_named = {"stage1_steps": given.named_steps, "stage2_steps": 0, "eval_split": given.split}
    yield Run(None, "named", named, TrainSettings(seed=seed, **of_named))
    traces = {**common, "stage1_steps": 0}
    questions = {"tier_weights": {**NO_CAPTIONS, **NO_L2}}
    of_reading = {**traces, **questions, "start": str(named), "stage2_steps": given.read_steps}
    if {"2", "3"} & set(given.tables):
        yield Run(None, "reading", reading, TrainSettings(**of_reading, feedback="none"))
    folders: dict[str, Path] = {}
    for table in given.tables:
        for name, chosen in TABLES[table][1].items():
            words = name.replace("'", "").replace(",", "").replace(" ", "-")
            start, steps = (named, given.data_steps) if table == "I" else (reading, given.steps)
            way = {**traces, **questions, "start": str(start), "stage2_steps": steps, **chosen}
            settings = TrainSettings(**way)
            out = folders.setdefault(settings.model_dump_json(), folder / f"{table}-{words}")
            yield Run(table, name, out, settings)


def l1_tasks(dataset: Path) -> list[str]:
    """Return the kinds of L1 questions that a dataset has."""
    files = [file for file in read_manifest(dataset).files if file.tier == Tier.L1]
    columns = (pq.read_table(dataset / f.path, columns=["task"])["task"] for f in files)
    return sorted({task for column in columns for task in column.unique().to_pylist()})


def train(dataset: Path, run: Run) -> None:
    """Train a model, unless it is there; TrainingFailed where it is of other data or settings."""
    for line in learn(dataset, run.out, run.settings, threads=None if num_gpus() else 1):
        print(f"{run.out.parent.name} {run.out.name}  {line}", flush=True)


def try_way(given: argparse.Namespace, runs: Sequence[Run]) -> None:
    """Train a model and let it answer the questions of its tables, in a process of its own each."""
    train(given.dataset, runs[0])
    for run in runs:
        note = tried_path(run.out, str(run.table))
        if note.exists() and json.loads(note.read_text())["of"] == [given.split, given.questions]:
            continue
        subprocess.run(
            [
                *(sys.executable, str(Path(__file__).resolve()), str(given.dataset)),
                *("--out", str(given.out), "--try", str(run.out), "--tables", str(run.table)),
                *("--split", given.split, "--questions", str(given.questions)),
            ],
            env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
            check=True,
        )


def tried_path(model: Path, table: str) -> Path:
    """Return where it is written what a model made of a table's questions."""
    return model / f"tried-{table}.json"


def questions_of(dataset: Path, table: str, split: str, number: int) -> list[Row]:
    """Draw the questions of a table, kinds in turn; the same for all its models."""
    places: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for file in read_manifest(dataset).files:
        if file.split != split or file.tier == Tier.CAP:
            continue
        columns = ["sample_id", "task", "image_info"]
        for row in pq.read_table(dataset / file.path, columns=columns).to_pylist():
            sensors = {info["modality"] for info in row["image_info"]}
            of_l2 = table == "I" and file.tier != Tier.L1
            if (row["task"] in KINDS or of_l2) and (table != "3" or len(sensors) > 1):
                places[row["task"]].append((dataset / file.path, row["sample_id"]))
    for task in sorted(places):
        Random(f"{task} of {table}").shuffle(places[task])
    longest = max(map(len, places.values()))
    turns = [places[task][turn : turn + 1] for turn in range(longest) for task in sorted(places)]
    chosen = [place for some in turns for place in some][:number]
    paths = sorted({path for path, _ in chosen})
    found = {
        path: read_rows(path, {sample_id for at, sample_id in chosen if at == path})
        for path in paths
    }
    return [found[path][sample_id] for path, sample_id in chosen]


def guesser(dataset: Path) -> Callable[[Row], float]:
    """Return how probable it is that a guess answers a question."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for file in read_manifest(dataset).files:
        if file.split == "train" and file.tier != Tier.CAP:
            columns = ["task", "options", "answer"]
            for row in pq.read_table(dataset / file.path, columns=columns).to_pylist():
                if not row["options"]:
                    answers[row["task"]][row["answer"]["text"]] += 1

    def guess(row: Row) -> float:
        if row.options:
            return 1 / len(row.options)
        commonest = answers[row.task].most_common(1)
        return float(bool(commonest) and commonest[0][0] == row.answer.text)

    return guess


def try_model(dataset: Path, model: Path, table: str, split: str, number: int) -> None:
    """Let a model answer held-out questions, and write what it made of them."""
    import torch

    from flows.answers import asked, sample_of
    from terrascope_model.answer import Answerer, Asking
    from terrascope_model.fed_tokens import fed_tokens
    from terrascope_model.sensors import num_fed, seen_by

    answerer = Answerer.from_pretrained(model)
    answerer.model.to("cuda" if torch.cuda.is_available() else "cpu")
    processor = answerer.processor
    guess = guesser(dataset)
    rows = questions_of(dataset, table, split, number)

    def context(one: Answered) -> int:
        """Return how many tokens a question and its answer are, with those that were put in."""
        sample = sample_of(one.row)
        shown = seen_by(sample, processor.sensors)
        prompt = processor.encode(shown)
        number = len(prompt.ids_T) + len(processor.text_ids(one.text))
        for picture, mask_HW in one.masks:
            at = shown.pictures.index(sample.pictures[picture])
            tokens_K = fed_tokens(
                torch.from_numpy(mask_HW),
                prompt.layouts[at],
                processor.feedback,
                processor.max_region_tokens,
            )
            has_sar = prompt.sar[at] is not None
            number += num_fed(processor.sensors, len(tokens_K), has_sar=has_sar)
        return number

    tried = []
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        begun = perf_counter()
        answered = asked(answerer, some, Asking(max_new_tokens=200, max_masks=8))
        seconds = (perf_counter() - begun) / len(some)
        tried += [
            {
                "sample_id": one.row.sample_id,
                "tier": one.row.tier,
                "task": one.row.task,
                "answered": bool(one.answer),
                "right": one.right,
                "in words": one.right_in_words,
                "guessed": guess(one.row),
                "clouded": any(info.cloudy for info in one.row.image_info),
                "ious": one.ious,
                "masks": len(one.row.masks),
                "context": context(one),
                "seconds": seconds,
            }
            for one in answered
        ]
    note = {"of": [split, number], "tried": tried}
    tried_path(model, table).write_text(json.dumps(note, indent=1) + "\n")


def record_path(out: Path, seed: int) -> Path:
    """Return where a seed's record lies."""
    return out / f"seed-{seed}.json"


def tables_of(given: argparse.Namespace, seed: int) -> dict[str, dict[str, Tried]]:
    """Return the tables of a seed's record, none where there is no record."""
    path = record_path(given.out, seed)
    return read_record(path).tables if path.exists() else {}


def write_record(given: argparse.Namespace, seed: int, runs: Sequence[Run]) -> None:
    """Write what came out of a seed, from what its models wrote."""
    (named,) = named_so(runs, "named")
    groups = json.loads((named.out / "training.json").read_text())["iou"]
    tables = tables_of(given, seed) | {table: {} for table in given.tables}
    for run in runs:
        if run.table is not None:
            tables[run.table][run.name] = tried_of(run)
    steps = (given.named_steps, given.read_steps, given.steps, given.data_steps)
    record = Record(
        of={
            "dataset": json.loads((named.out / "training.json").read_text())["dataset"],
            "steps": dict(zip(("named", "read", "way", "data"), steps, strict=True)),
            "split": given.split,
            "questions": given.questions,
        },
        named={group["name"]: (group["mean_iou"], group["classes"]) for group in groups},
        tables=tables,
    )
    record_path(given.out, seed).write_text(json.dumps(asdict(record), indent=1) + "\n")


def read_record(path: Path) -> Record:
    """Return a seed's record."""
    record = json.loads(path.read_text())
    tables = {
        table: {name: Tried(**tried) for name, tried in ways.items()}
        for table, ways in record["tables"].items()
    }
    return Record(of=record["of"], named=record["named"], tables=tables)


def tried_of(run: Run) -> Tried:
    """Return the figures of a way with one seed; none where there is nothing that it is of."""
    tried = json.loads(tried_path(run.out, str(run.table)).read_text())["tried"]
    parts: dict[str, Callable[[dict[str, Any]], bool]] = {
        "right": lambda one: True,
        "L1": lambda one: one["tier"] == Tier.L1,
        "L2": lambda one: one["tier"] != Tier.L1,
        "clear": lambda one: not one["clouded"],
        "clouded": lambda one: one["clouded"],
    }
    figures: Figures = {}
    for name, belongs in parts.items():
        if of_part := [one["right"] for one in tried if belongs(one)]:
            figures[name] = mean(of_part)
    for name in ("in words", "answered", "guessed", "context", "seconds"):
        figures[name] = mean(one[name] for one in tried)
    # a mask that is due and was not marked counts 0
    due = sum(one["masks"] for one in tried)
    figures["IoU"] = sum(sum(one["ious"][: one["masks"]]) for one in tried) / max(1, due)
    tasks: dict[str, tuple[int, float, float]] = {}
    for task in sorted({one["task"] for one in tried}):
        of_task = [one for one in tried if one["task"] == task]
        right, guessed = (mean(one[name] for one in of_task) for name in ("in words", "guessed"))
        tasks[task] = (len(of_task), right, guessed)
    return Tried(figures, tasks)


def tell_named(out: Path, records: Sequence[Record]) -> None:
    """Print and write how well named classes of held-out scenes are segmented, seed by seed."""
    lines = ["| held-out classes that cover a twentieth | IoU of each seed |", "|---|---|"]
    found: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for name, (mean_iou, classes) in record.named.items():
            found[name].append(f"{mean_iou:.3f} of {classes}")
    lines += [f"| {name} | {', '.join(of_seeds)} |" for name, of_seeds in found.items()]
    text = "\n".join(lines) + "\n"
    (out / "named.md").write_text(text)
    print(text)


def write_table(out: Path, table: str, seeds: Sequence[Mapping[str, Tried]]) -> None:
    """Print a table of what came out of each seed, and write it and its plot."""
    title, names = TABLES[table]
    columns = COLUMNS[table]
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        of_way = [seed[name].figures for seed in seeds]
        cells = [told([figures[c] for figures in of_way if c in figures]) for c in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", *by_task(seeds, names)]
    text = "\n".join(lines) + "\n"
    (out / f"table-{table}.md").write_text(text)
    guessed = mean(tried.figures["guessed"] for seed in seeds for tried in seed.values())
    bars = {name: [seed[name].figures["in words"] for seed in seeds] for name in names}
    plot(out / f"table-{table}.png", title, bars, guessed)
    print(text)


def by_task(seeds: Sequence[Mapping[str, Tried]], names: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of answers that are right in words, by task, over all seeds."""
    shown = (*names, "guessed")
    lines = ["| task | questions | " + " | ".join(shown) + " |", "|---" * (len(shown) + 2) + "|"]
    for task in sorted({task for seed in seeds for tried in seed.values() for task in tried.tasks}):
        of_ways = [[seed[name].tasks[task] for seed in seeds] for name in names]
        number = sum(number for number, _, _ in of_ways[0])
        cells = [f"{mean(right for _, right, _ in of_way):.2f}" for of_way in of_ways]
        guessed = mean(guessed for _, _, guessed in of_ways[0])
        lines.append(f"| {task} | {number} | " + " | ".join(cells) + f" | {guessed:.2f} |")
    return lines


def told(values: Sequence[float]) -> str:
    """Return the mean, and the least and the most of several; "" of none."""
    if not values:
        return ""
    digits = 0 if min(values) > 10 else 3
    most = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{most}"


def plot(path: Path, title: str, values: Mapping[str, Sequence[float]], guessed: float) -> None:
    """Write a PNG of bars: a mean each, a line from the least to the most, and one of guessing."""
    left, width, row = 150, 620, 30
    image = Image.new("RGB", (left + width + 60, 60 + row * len(values)), "white")
    draw = ImageDraw.Draw(image)
    draw.text((8, 8), f"{title}: share of answers right in words; dashes: guessing", fill="black")
    top = max(guessed, *(max(seeds) for seeds in values.values())) or 1.0
    for number, (name, seeds) in enumerate(values.items()):
        y = 40 + row * number
        ends = [left + width * value / top for value in (mean(seeds), min(seeds), max(seeds))]
        draw.text((8, y + 4), name, fill="black")
        draw.rectangle([(left, y), (ends[0], y + 18)], fill="#1f5fa8")
        draw.line([(ends[1], y + 9), (ends[2], y + 9)], fill="#b5471b", width=3)
        draw.text((max(ends) + 6, y + 4), f"{mean(seeds):.3f}", fill="black")
    at, bottom = left + width * guessed / top, 40 + row * len(values)
    for y in range(36, bottom, 8):
        draw.line([(at, y), (at, y + 4)], fill="black", width=2)
    image.save(path)


if __name__ == "__main__":
    main()

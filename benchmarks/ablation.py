"""Is reasoning with masks worth it? The paper's tables 2 and I on a dataset of ours, small.

For each seed a base learns named classes (stage 1). Each way of reasoning goes on from it, in as
many steps of the same samples: in words alone, in words beside masks that nothing follows, or with
visual tokens after each mask that are the mask's own, its box's or random ones; and, ours, with
facts measured on the mask, alone or beside its tokens. Table I lets the whole method learn captions
alone, with L1, and with L2 as well. Questions of a held-out split are answered by each: the share
that is word for word right, and the IoU of its masks with the annotated ones, in order.

Each run is a folder under --out and is not run again; one of other data or settings is refused. One
run a core, each with one thread, so that seconds are those of a busy machine; with GPUs one after
the other. Plots and a table of means, with the least and the most over the seeds,
are written beside them.

    .venv/bin/python benchmarks/ablation.py DATASET --out DIR [--seeds 3] [--questions 192]
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image, ImageDraw  # noqa: E402

from tasks.training import learn, num_gpus  # noqa: E402
from terrascope_model.settings import TrainSettings  # noqa: E402

WAYS: dict[str, dict[str, Any]] = {
    "words alone": {"marked": False, "feedback": "none"},
    "words and masks": {"feedback": "none"},
    "random tokens": {"feedback": "random"},
    "box's tokens": {"feedback": "box"},
    "mask's tokens": {"feedback": "tokens"},
    "facts": {"feedback": "measure"},
    "facts and tokens": {"feedback": "both"},
}
DATA: dict[str, dict[str, Any]] = {
    "captions": {"tier_weights": {"l1": 0.0, "l2_spatial": 0.0, "l2_semantic": 0.0}},
    "captions, L1": {"tier_weights": {"l2_spatial": 0.0, "l2_semantic": 0.0}},
    "captions, L1, L2": {},
}
TABLES = {"2": ("Ways of reasoning", WAYS), "I": ("What is learnt from", DATA)}
FEW_CAPTIONS = {"tier_weights": {"cap": 0.1}}  # of table 2: they are long, and nothing asks them


@dataclass(frozen=True, slots=True)
class Run:
    """One model: its table, name and seed, the model that it goes on from, and its settings."""

    table: str
    name: str
    seed: int
    base: Path
    out: Path
    settings: TrainSettings


def main() -> None:
    """Train, try, and write tables and plots; or, with --try, try one model in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--base-steps", type=int, default=800)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--questions", type=int, default=192)
    parser.add_argument("--split", default="test")
    parser.add_argument("--try", dest="model", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.model:
        try_model(given.dataset, given.model, given.split, given.questions)
        return
    workers = 1 if num_gpus() else os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        bases = [base_of(given.out, seed, given.base_steps) for seed in range(given.seeds)]
        list(pool.map(lambda base: train(given.dataset, *base), bases))
        runs = [run for table in given.tables for run in runs_of(given, table)]
        list(pool.map(lambda run: train_and_try(given, run), runs))
    for table in given.tables:
        write_table(given.out, table, [run for run in runs if run.table == table])


def base_of(out: Path, seed: int, steps: int) -> tuple[Path, TrainSettings]:
    """Return where the base of a seed lies, and how it is trained."""
    settings = TrainSettings(seed=seed, stage1_steps=steps, stage2_steps=0, eval_split="none")
    return out / f"seed-{seed}" / "base", settings


def runs_of(given: argparse.Namespace, table: str) -> Iterator[Run]:
    """Yield the models of a table."""
    for seed in range(given.seeds):
        base, _ = base_of(given.out, seed, given.base_steps)
        for name, chosen in TABLES[table][1].items():
            more = FEW_CAPTIONS if table == "2" else {}
            folder = f"{table}-{name}".replace(" ", "-").replace("'", "").replace(",", "")
            yield Run(
                table=table,
                name=name,
                seed=seed,
                base=base,
                out=given.out / f"seed-{seed}" / folder,
                settings=TrainSettings(
                    seed=seed,
                    start=str(base),
                    stage1_steps=0,
                    stage2_steps=given.steps,
                    rehearsed=0.3,
                    **{**more, **chosen},
                ),
            )


def train(dataset: Path, out: Path, settings: TrainSettings) -> None:
    """Train a model, unless it is there; TrainingFailed where it is of other data or settings."""
    for line in learn(dataset, out, settings, threads=None if num_gpus() else 1):
        print(f"{out.parent.name} {out.name}  {line}", flush=True)


def train_and_try(given: argparse.Namespace, run: Run) -> None:
    """Train a model and let it answer, in a process of its own."""
    train(given.dataset, run.out, run.settings)
    due = [given.split, given.questions]
    note = run.out / "tried.json"
    if not note.exists() or json.loads(note.read_text())["questions"] != due:
        subprocess.run(
            [
                *(sys.executable, str(Path(__file__).resolve()), str(given.dataset)),
                *("--out", str(given.out), "--try", str(run.out), "--split", given.split),
                *("--questions", str(given.questions)),
            ],
            env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
            check=True,
        )


def try_model(dataset: Path, model: Path, split: str, number: int) -> None:
    """Let a model answer held-out questions, and write `tried.json`."""
    import torch

    from flows.answers import asked
    from tasks.answers_page import held_out_questions
    from terrascope_model.answer import Answerer, Asking

    answerer = Answerer.from_pretrained(model)
    answerer.model.to("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = answerer.processor.tokenizer
    rows = held_out_questions(dataset, split, number, seed=0)
    tried = []
    for first in range(0, len(rows), 16):
        some = rows[first : first + 16]
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
                "ious": one.ious,
                "masks": len(one.row.masks),
                "tokens": len(tokenizer(one.text)["input_ids"]),
                "seconds": seconds,
            }
            for one in answered
        ]
    note = {"questions": [split, number], "tried": tried}
    (model / "tried.json").write_text(json.dumps(note, indent=1) + "\n")


def write_table(out: Path, table: str, runs: Sequence[Run]) -> None:
    """Print a table and write it and its plot."""
    title, names = TABLES[table]
    figures = {name: figures_of([r for r in runs if r.name == name]) for name in names}
    columns = ("right", "right, L1", "right, L2", "IoU", "answered", "tokens", "seconds")
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, found in figures.items():
        cells = [told(found[column]) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", *by_task(runs, names)]
    text = "\n".join(lines) + "\n"
    (out / f"table-{table}.md").write_text(text)
    plot(
        out / f"table-{table}.png", title, {name: found["right"] for name, found in figures.items()}
    )
    print(text)


def figures_of(runs: Sequence[Run]) -> Mapping[str, list[float]]:
    """Return each figure of a way, one a seed."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        tried = json.loads((run.out / "tried.json").read_text())["tried"]
        found["right"].append(mean(one["right"] for one in tried))
        for tier, name in (("l1", "right, L1"), ("l2", "right, L2")):
            of_tier = [one["right"] for one in tried if one["tier"].startswith(tier)]
            found[name].append(mean(of_tier) if of_tier else 0.0)
        found["answered"].append(mean(one["answered"] for one in tried))
        # a mask that is due and was not marked counts 0
        found["IoU"].append(
            sum(sum(one["ious"][: one["masks"]]) for one in tried)
            / max(1, sum(one["masks"] for one in tried))
        )
        found["tokens"].append(mean(one["tokens"] for one in tried))
        found["seconds"].append(mean(one["seconds"] for one in tried))
    return found


def by_task(runs: Sequence[Run], names: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of right answers by task, over all seeds."""
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for one in json.loads((run.out / "tried.json").read_text())["tried"]:
            right[one["task"]][run.name].append(one["right"])
    lines = ["| task | questions | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for task, of_task in sorted(right.items()):
        number = max(map(len, of_task.values()))
        cells = [f"{mean(of_task[name]):.2f}" if of_task[name] else "" for name in names]
        lines.append(f"| {task} | {number} | " + " | ".join(cells) + " |")
    return lines


def told(values: Sequence[float]) -> str:
    """Return the mean, and the least and the most."""
    return f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def plot(path: Path, title: str, values: Mapping[str, Sequence[float]]) -> None:
    """Write a PNG of bars: a mean each, with a line from the least to the most."""
    left, width, row = 150, 620, 30
    image = Image.new("RGB", (left + width + 60, 50 + row * len(values)), "white")
    draw = ImageDraw.Draw(image)
    draw.text((8, 8), f"{title}: share of right answers", fill="black")
    top = max(max(seeds) for seeds in values.values()) or 1.0
    for number, (name, seeds) in enumerate(values.items()):
        y = 40 + row * number
        ends = [left + width * value / top for value in (mean(seeds), min(seeds), max(seeds))]
        draw.text((8, y + 4), name, fill="black")
        draw.rectangle([(left, y), (ends[0], y + 18)], fill="#1f5fa8")
        draw.line([(ends[1], y + 9), (ends[2], y + 9)], fill="#b5471b", width=3)
        draw.text((ends[2] + 6, y + 4), f"{mean(seeds):.3f}", fill="black")
    image.save(path)


if __name__ == "__main__":
    main()

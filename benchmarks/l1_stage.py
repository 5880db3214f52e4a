"""The question stage on one core, beside the same answers from SciPy, pycocotools and NumPy.

Usage: python benchmarks/l1_stage.py [--scenes 256] [--repeats 5]

Ours is the stage as a build runs it on one granule: read the scene table, decode its masks, measure
them, draw questions, answer and word them, pick options, cut the step masks, write the candidates,
digest the file and note it in the ledger.

The baseline gets the same scene table under `datasets.map` in one process, with the very programs
that ours tried, in order, those without a safe answer included (recorded once, before). For each it
finds the value or the rule that forbids it (`plain_answers.py` says how), takes the masks of the
steps, and writes all as Parquet. It chooses nothing, words nothing and picks no options: what it
leaves out favours it. Values and rules of both are compared before anything is timed.

Scenes are 256 x 256 with the 11 classes of ChatEarthNet, from the planet's world, in one granule.
The process is bound to one core, and both sides run in turn; printed are medians and their ratio.
"""

import argparse
import json
import math
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from label_scenes import land_scenes
from plain_answers import PlainScene, Unsafe

from schemas.program import dump_program
from schemas.value import Name, Quantity, Truth, Undefined, Value
from tasks.ask import ask_granule, read_asked
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.pool import run_in_processes
from tasks.scene_file import SCENES_AT_ONCE
from tasks.scene_table import scenes_to_table
from tasks.stage_names import INGEST, L1
from templates.asked import AskedScene
from templates.item import propose
from templates.questions import L1_QUESTIONS

GRANULE = GranuleId("chatearthnet", "train", "benchmark")
Tried = tuple[str, Value | str]  # a program as JSON, and its value or the rule it fails


class RecordedScene(AskedScene):
    """A scene that notes every program it is asked and what came of it."""

    def recorded(self, seed: int) -> list[Tried]:
        """Return all programs that the templates try, in order."""
        self._noted: list[Tried] = []
        propose(self, L1_QUESTIONS, seed)
        return self._noted

    def value(self, program: Any) -> Value:
        """Evaluate as the stage does, and note it."""
        try:
            value = super().value(program)
        except Undefined as outcome:
            self._noted.append((dump_program(program), outcome.rule))
            raise
        self._noted.append((dump_program(program), value))
        return value


def write_granule(config: BuildConfig, scenes: int) -> Path:
    """Write a scene table as ingest leaves it, and its record; return the table's path."""
    ledger = Ledger(config.out)
    path = ledger.path(INGEST, GRANULE.name, ".parquet")
    path.parent.mkdir(parents=True)
    table = scenes_to_table(list(land_scenes(GRANULE.source, scenes, seed=3)))
    pq.write_table(table, path, row_group_size=SCENES_AT_ONCE)
    rows = table.num_rows
    outputs = (output_of(config.out, path, rows),)
    ledger.store(
        Record(stage=INGEST, granule=GRANULE.name, key="", outputs=outputs, taken=rows, out=rows)
    )
    return path


def recorded(config: BuildConfig, table: Path) -> Iterator[list[Tried]]:
    """Yield what the templates try, scene by scene."""
    for scene in read_asked(config, table):
        yield RecordedScene(
            scene_id=scene.scene_id,
            measured=scene.measured,
            words=scene.words,
            images=scene.images,
            sar_rendering=scene.sar_rendering,
        ).recorded(config.seed)


def ours_s(config: BuildConfig) -> float:
    """Run the stage on the granule as if for the first time; return the seconds it took."""
    Ledger(config.out).path(L1, GRANULE.name, ".json").unlink(missing_ok=True)
    start = perf_counter()
    for _ in run_in_processes(partial(ask_granule, config), [GRANULE], config.workers):
        pass
    return perf_counter() - start


def baseline_s(source: Path, folder: Path) -> float:
    """Answer the recorded programs with the usual libraries; return the seconds it took."""
    start = perf_counter()
    scenes = datasets.Dataset.from_parquet(str(source), cache_dir=str(folder / "cache"))
    done = scenes.map(plain_row, remove_columns=scenes.column_names)
    done.to_parquet(folder / "theirs.parquet")
    return perf_counter() - start


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a scene's answers as text, and the masks of its steps."""
    scene = PlainScene(row)
    return {
        "scene_id": row["scene_id"],
        "answers": [str(plain_answer(scene, text)) for text in row["programs"]],
        "masks": [scene.codes.get(label, "") for label in row["step_labels"]],
    }


def plain_answer(scene: PlainScene, program: str) -> Any:
    """Return the value of a program, or the rule that it fails."""
    try:
        return scene.answer(json.loads(program))
    except Unsafe as outcome:
        return outcome.args[0]


def write_source(config: BuildConfig, table: Path, tried: list[list[Tried]], path: Path) -> None:
    """Write the baseline's input: the scene table with its programs and its steps' labels."""
    asked = pq.read_table(Ledger(config.out).path(L1, GRANULE.name, ".parquet")).to_pylist()
    labels: dict[str, list[str]] = {}
    for row in asked:
        labels.setdefault(row["scene_id"], []).extend(mask["label"] for mask in row["masks"])
    scenes = pq.read_table(table, columns=["scene_id", "grid", "scene_masks", "layers"])
    steps = [labels.get(scene_id, []) for scene_id in scenes.column("scene_id").to_pylist()]
    strings = pa.list_(pa.string())
    programs = pa.array([[program for program, _ in of_scene] for of_scene in tried], strings)
    scenes = scenes.append_column("programs", programs)
    pq.write_table(scenes.append_column("step_labels", pa.array(steps, strings)), path)


def check_same(source: Path, tried: list[list[Tried]]) -> None:
    """Compare all values and rules of both sides; ValueError names the first that differ."""
    for row, of_scene in zip(pq.read_table(source).to_pylist(), tried, strict=True):
        scene = PlainScene(row)
        for program, value in of_scene:
            theirs = plain_answer(scene, program)
            if not agree(value, theirs):
                raise ValueError(f"{row['scene_id']}: {program} is {value}, baseline {theirs}")


def agree(ours: Value | str, theirs: Any) -> bool:
    """Return whether two outcomes are one; numbers to nine digits."""
    match ours:
        case Quantity():
            numbers = (ours.value, ours.low, ours.high)
            return isinstance(theirs, tuple) and all(
                math.isclose(a, b, rel_tol=1e-9) for a, b in zip(numbers, theirs, strict=True)
            )
        case Truth() | Name():
            return bool(ours.value == theirs)
    return bool(ours == theirs)


def bind_to_one_core() -> None:
    """Keep this process and its threads on one core, where the system can do that."""
    pa.set_cpu_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Print medians of scenes a second and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5, help="of each side, in turn")
    arguments = parser.parse_args()
    bind_to_one_core()
    datasets.disable_progress_bars()
    datasets.disable_caching()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = BuildConfig(sources={GRANULE.source: folder}, out=folder / "dataset", workers=1)
        table = write_granule(config, arguments.scenes)
        ours_s(config)  # compiles the kernels
        tried = list(recorded(config, table))
        source = folder / "baseline.parquet"
        write_source(config, table, tried, source)
        check_same(source, tried)
        times_s = [(ours_s(config), baseline_s(source, folder)) for _ in range(arguments.repeats)]
    num_scenes, num_tried = len(tried), sum(map(len, tried))
    print(f"{num_scenes} scenes of 256 x 256, {num_tried / num_scenes:.1f} programs tried a scene")
    ours, theirs = (median(side) for side in zip(*times_s, strict=True))
    print(f"ours      {num_scenes / ours:7.1f} scenes/s")
    print(f"baseline  {num_scenes / theirs:7.1f} scenes/s   (datasets.map, one process)")
    print(f"ratio     {theirs / ours:7.1f}")
    print(f"load      {os.getloadavg()[0]:7.1f}")


if __name__ == "__main__":
    main()

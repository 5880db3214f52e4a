"""The question stage on one core, beside the same questions with SciPy, pycocotools and NumPy.

Usage: python benchmarks/l1_stage.py [--scenes 256] [--repeats 5]

Ours: read the scene table, decode its masks, measure, ask, give options, write the candidates.
Baseline: the same scenes under `datasets.map` in one process. For every scene it decodes the masks
with pycocotools, and evaluates the very programs that ours tried (recorded once) with NumPy and
scipy.ndimage (`masks.reference`, which decodes, grows and labels every mask once a scene); it
encodes the step masks with pycocotools and writes Parquet. It chooses no questions and words none:
what it leaves out favours it. Both must come to the same values.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from label_scenes import land_scenes
from pycocotools import mask as coco

from masks.reference import evaluate as evaluate_plainly
from masks.reference_scene import ReferenceScene
from schemas.program import dump_program, load_program
from schemas.value import Undefined
from tasks.ask import ask_scenes, read_asked
from tasks.config import BuildConfig
from tasks.scene_table import evidence_of, scenes_to_table
from templates.asked import AskedScene


def ours(config: BuildConfig, scenes: Path, out: Path) -> pa.Table:
    """Run the stage as a build does."""
    table, _ = ask_scenes(read_asked(config, scenes), config)
    pq.write_table(table, out, compression="zstd", compression_level=1)
    return table


def tried_programs(config: BuildConfig, scenes: Path) -> dict[str, list[str]]:
    """Return, by scene, every program that our stage evaluates, defined or not."""
    tried: dict[str, list[str]] = {}
    value = AskedScene.value

    def recording(self: AskedScene, task: str, program: Any) -> Any:
        tried.setdefault(self.scene_id, []).append(dump_program(program))
        return value(self, task, program)

    AskedScene.value = recording  # type: ignore[method-assign]
    try:
        ask_scenes(read_asked(config, scenes), config)
    finally:
        AskedScene.value = value  # type: ignore[method-assign]
    return tried


def baseline_row(row: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a scene's programs and encode the masks of its steps, with the usual libraries."""
    scene = ReferenceScene(evidence_of(row))
    values = []
    for text in row["programs"]:
        try:
            values.append(str(evaluate_plainly(load_program(text), scene)))
        except Undefined as outcome:
            values.append(outcome.rule)
    size = [row["grid"]["height"], row["grid"]["width"]]
    decoded = {
        mask["label"]: coco.decode({"size": size, "counts": mask["counts"].encode()})
        for mask in row["scene_masks"]
    }
    counts = [
        coco.encode(np.asfortranarray(decoded[label]))["counts"].decode()
        for label in row["step_labels"]
        if label in decoded
    ]
    return {"values": values, "counts": counts}


def main() -> None:
    """Print medians of scenes a second, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    datasets.disable_caching()
    with tempfile.TemporaryDirectory() as folder:
        scenes = Path(folder) / "scenes.parquet"
        table = scenes_to_table(list(land_scenes("chatearthnet", arguments.scenes, 3)))
        pq.write_table(table, scenes, compression="zstd")
        config = BuildConfig(sources={"chatearthnet": Path(folder)}, out=Path(folder))
        tried = tried_programs(config, scenes)
        asked = ours(config, scenes, Path(folder) / "ours.parquet")
        labels: dict[str, list[str]] = {}
        for scene_id, masks in zip(
            asked.column("scene_id").to_pylist(), asked.column("masks").to_pylist(), strict=True
        ):
            labels.setdefault(scene_id, []).extend(mask["label"] for mask in masks)
        ids = table.column("scene_id").to_pylist()
        source = datasets.Dataset(
            table.select(["scene_id", "grid", "scene_masks", "layers"])
            .append_column("programs", [[tried.get(i, []) for i in ids]])
            .append_column("step_labels", [[labels.get(i, []) for i in ids]])
        )
        our_s, their_s = [], []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            ours(config, scenes, Path(folder) / "ours.parquet")
            our_s.append(time.perf_counter() - start)
            start = time.perf_counter()
            done = source.map(baseline_row, remove_columns=source.column_names)
            done.to_parquet(str(Path(folder) / "theirs.parquet"))
            their_s.append(time.perf_counter() - start)
    num_scenes, num_programs = len(ids), sum(map(len, tried.values()))
    print(f"{num_scenes} scenes of 256 x 256, {num_programs} programs, {asked.num_rows} questions")
    print(f"ours      {num_scenes / median(our_s):8.1f} scenes/s (median of {arguments.repeats})")
    print(f"baseline  {num_scenes / median(their_s):8.1f} scenes/s (datasets.map, one process)")
    print(f"ratio     {median(their_s) / median(our_s):8.1f}")


if __name__ == "__main__":
    main()

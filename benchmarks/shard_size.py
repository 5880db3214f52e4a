"""Bytes a sample in a shard against one copy of its images a row.

Usage: python benchmarks/shard_size.py [DATASET]

Without a dataset: 256 scenes of 60 kB images, as many questions a scene as each line says. With
one: all of its shards as they are, then again, all and by source, with six questions of every
scene that has as many. The other side holds the same rows, written with the same compression and
row groups but every image copied into every row that carries it. Aim: at least five times smaller
at six questions a scene.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import CANDIDATE_SCHEMA, ROW_GROUP_ROWS, SCENE_SCHEMA
from tasks.shards import IMAGE_BYTES, Provenance, write_shard

NUM_SCENES = 256
IMAGE_SIZE_BYTES = 60_000  # a 256 x 256 PNG of a satellite image
MASK_SIZE_BYTES = 400  # the run-length code of one of eight classes, smooth outlines
NUM_CLASSES = 8
QUESTIONS = 6


def scene_table(num_images: int, rng: np.random.Generator) -> pa.Table:
    """Return scenes with incompressible images and masks."""
    rows = [
        {
            "scene_id": f"scene-{number:04}",
            "source": "bench",
            "split": "train",
            "place": "33UUP",
            "licence": "none",
            "images": [
                {"bytes": rng.bytes(IMAGE_SIZE_BYTES), "path": f"{number}-{image}.png"}
                for image in range(num_images)
            ],
            "image_info": [
                {
                    "role": "single",
                    "modality": "optical",
                    "rendering": "rgb",
                    "date": "2018-06-01",
                    "date_index": 0,
                    "cloudy": False,
                }
            ]
            * num_images,
            "scene_masks": [
                {
                    "kind": "class",
                    "layer": "land",
                    "label": f"class {label}",
                    "date_index": 0,
                    "counts": "".join(map(chr, rng.integers(48, 112, MASK_SIZE_BYTES))),
                    "origin": "annotated",
                    "instance_id": "",
                    "attribute": "",
                }
                for label in range(NUM_CLASSES)
            ],
            "layers": [],
            "archive_captions": [],
            "files": [{"path": f"{number}.tif", "sha256": rng.bytes(32).hex()}],
        }
        for number in range(NUM_SCENES)
    ]
    return pa.Table.from_pylist(rows, schema=SCENE_SCHEMA)


def question_table(scenes: pa.Table, per_scene: int, num_images: int) -> pa.Table:
    """Return questions whose step mask is one of the scene's masks."""
    rows = []
    for scene in scenes.select(["scene_id", "scene_masks"]).to_pylist():
        for number in range(per_scene):
            mask = scene["scene_masks"][number % NUM_CLASSES]
            program = json.dumps({"op": "mask", "layer": "land", "label": mask["label"]})
            rows.append(
                {
                    "sample_id": f"{scene['scene_id']}-{number}",
                    "scene_id": scene["scene_id"],
                    "tier": "l1",
                    "task": "area",
                    "form": "open",
                    "classes": [mask["label"]],
                    "question": f"What is the area of {mask['label']} in the image?",
                    "options": [],
                    "answer": {"text": "71 ha", "letter": "", "value": 7.1e5, "unit": "m2"},
                    "steps": [{"text": "I mark it [SEG].", "mask_index": 0, "image_index": 0}],
                    "trace": "<think>I mark it [SEG].</think><answer>71 ha</answer>",
                    "fact_spans": [],
                    "masks": [
                        {
                            "label": mask["label"],
                            "image_index": 0,
                            "size": [256, 256],
                            "counts": mask["counts"],
                            "origin": "annotated",
                            "iou": 1.0,
                            "program": program,
                        }
                    ],
                    "program": program,
                    "image_indices": list(range(num_images)),
                    "template": "area",
                    "template_version": 1,
                    "seed": 0,
                }
            )
    return pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA)


def size_with_copies(shard: Path, folder: Path) -> int:
    """Write a shard's rows again with every image in every row; return the size in bytes."""
    file = pq.ParquetFile(shard)
    leaves = [file.schema.column(i).path for i in range(len(file.schema))]
    path = folder / "copies.parquet"
    with pq.ParquetWriter(
        path,
        file.schema_arrow,
        use_dictionary=[leaf for leaf in leaves if leaf != IMAGE_BYTES],
        compression={leaf: "none" if leaf == IMAGE_BYTES else "zstd" for leaf in leaves},
        write_page_index=True,
    ) as writer:
        for number in range(file.num_row_groups):
            writer.write_table(file.read_row_group(number), row_group_size=ROW_GROUP_ROWS)
    return path.stat().st_size


def with_six_questions(shard: Path, folder: Path) -> Path | None:
    """Write a shard's scenes again with the first six questions each; None if none has as many."""
    rows = pq.read_table(shard).to_pylist()
    scenes: dict[str, dict[str, Any]] = {}
    candidates = []
    for row in rows:
        scene = scenes.setdefault(row["scene_id"], {**row, "images": [], "image_info": []})
        indices = []
        for image, info in zip(row["images"], row["image_info"], strict=True):
            if image not in scene["images"]:
                scene["images"].append(image)
                scene["image_info"].append(info)
            indices.append(scene["images"].index(image))
        scene["files"] = row["provenance"]["files"]
        candidates.append({**row, **row["provenance"], "image_indices": indices})
    taken: Counter[str] = Counter()
    num_rows = Counter(row["scene_id"] for row in rows)
    kept = []
    for candidate in candidates:
        taken[candidate["scene_id"]] += 1
        if num_rows[candidate["scene_id"]] >= QUESTIONS >= taken[candidate["scene_id"]]:
            kept.append(candidate)
    if not kept:
        return None
    return write_shard(
        folder / f"six-{shard.name}",
        pa.Table.from_pylist(list(scenes.values()), schema=SCENE_SCHEMA),
        pa.Table.from_pylist(kept, schema=CANDIDATE_SCHEMA),
        Provenance(config_digest="0" * 64, stages="{}"),
    ).path


def measure(shards: list[Path], folder: Path) -> tuple[int, int, int, int]:
    """Return scenes, rows, bytes as shards and bytes with copies."""
    scenes = rows = size = copied = 0
    for shard in shards:
        ids = pq.ParquetFile(shard).read(columns=["scene_id"]).column(0)
        scenes += len(ids.unique())
        rows += len(ids)
        size += shard.stat().st_size
        copied += size_with_copies(shard, folder)
    return scenes, rows, size, copied


def report(name: str, measured: tuple[int, int, int, int]) -> None:
    """Print one line."""
    scenes, rows, size, copied = measured
    print(
        f"{name:24} {rows / scenes:5.1f} questions a scene: {size / rows:9,.0f} bytes a sample, "
        f"with copies {copied / rows:9,.0f}: {copied / size:.2f} times smaller"
    )


def main() -> None:
    """Measure a dataset, or made-up granules of several numbers of questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?")
    dataset: Path | None = parser.parse_args().dataset
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if dataset is not None:
            shards = sorted((dataset / "data").rglob("*.parquet"))
            if not shards:
                sys.exit(f"{dataset} holds no shards under data/")
            report(dataset.name, measure(shards, folder))
            six = [path for shard in shards if (path := with_six_questions(shard, folder))]
            report(f"{dataset.name}, six each", measure(six, folder))
            for source in sorted({path.name.split("-")[1] for path in six}):
                of_source = [path for path in six if path.name.split("-")[1] == source]
                report(f"  {source}", measure(of_source, folder))
            return
        provenance = Provenance(config_digest="0" * 64, stages="{}")
        for num_images, per_scene in ((1, 1), (1, 3), (1, 6), (1, 12), (2, 6)):
            scenes = scene_table(num_images, np.random.default_rng(0))
            questions = question_table(scenes, per_scene, num_images)
            shard = write_shard(folder / "shard.parquet", scenes, questions, provenance)
            report(f"{num_images} image(s) of 60 kB", measure([shard.path], folder))


if __name__ == "__main__":
    main()

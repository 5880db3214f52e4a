"""Measure what each stage of a build by rules costs a scene: benchmarks/stage_cost.py PLANET.

One process, in seconds of its processor, so that what else the machine does counts little. Two
builds, of few and of more scenes: a stage's cost is what each further scene takes. The figures are
what `cost_model.py` reckons with.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from masks.warm_up import compile_kernels
from tasks.config import BuildConfig
from tasks.manifest import read_manifest
from tasks.stages import (
    ask_batch,
    caption_batch,
    compose_batch,
    fingerprint_batch,
    ingest_batch,
    judge_dataset,
    list_sources,
    publish_dataset,
    select_samples,
    write_batch,
)
from tasks.workspace import claimed

ARCHIVES = ("bigearthnet", "chatearthnet", "teochatlas", "xbd")


def main() -> None:
    """Build twice, and print milliseconds a further scene by stage, samples and bytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planet", type=Path, help="Folder that `terrascope planet` wrote.")
    parser.add_argument("--limits", type=int, nargs=2, default=[8, 40], help="Of every archive.")
    given = parser.parse_args()
    compile_kernels()
    with tempfile.TemporaryDirectory() as folder:
        few, more = (measured(given.planet, Path(folder) / str(n), n) for n in given.limits)
    scenes = more.scenes - few.scenes
    for stage, seconds in more.seconds.items():
        print(f"{stage:<14}{1000 * (seconds - few.seconds[stage]) / scenes:8.2f} ms a scene")
    print(f"{more.scenes} scenes, {more.samples / more.scenes:.1f} samples a scene")
    print(f"{more.bytes / more.samples / 1000:.1f} kB a sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build took by stage, and what came of it."""

    seconds: dict[str, float]
    scenes: int
    samples: int
    bytes: int


def measured(planet: Path, out: Path, limit: int) -> Built:
    """Run the stages of a build by rules, one after the other."""
    sources = {name: planet / name for name in ARCHIVES}
    config = BuildConfig(sources=sources, out=out, limit=limit, workers=1)
    spent: dict[str, float] = defaultdict(float)

    def timed(stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = process_time()
        result = work(*arguments)
        spent[stage] += process_time() - start
        return result

    with claimed(config):
        plan = timed("index", list_sources, config)
        scenes = [timed("ingest", ingest_batch, config, batch) for batch in plan.batches]
        made = [timed("captions", caption_batch, config, done, None) for done in scenes]
        made += [timed("L1", ask_batch, config, done) for done in scenes]
        made += [timed("L2", compose_batch, config, done, {}) for done in scenes]
        for done in scenes:
            timed("fingerprints", fingerprint_batch, config, done)
        timed("selection", select_samples, config, plan)
        for done in made:
            timed("shards", write_batch, config, done)
        judged = timed("gates", judge_dataset, config, plan)
        timed("publishing", publish_dataset, config, plan, judged)
    files = read_manifest(out).files
    return Built(
        seconds=spent,
        scenes=plan.num_scenes,
        samples=sum(file.rows for file in files),
        bytes=sum(file.bytes for file in files),
    )


if __name__ == "__main__":
    main()

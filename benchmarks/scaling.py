"""Time a scene and peak memory of whole builds, small against large.

Usage: python benchmarks/scaling.py [--sizes 1000 5000 20000] [--repeats 5] [--workers 2]
           [--work DIR]

Each repeat builds an archive of every size (`replicas.py`), one after the other, without Prefect,
each in a new process and an empty folder. Printed are medians: milliseconds a scene, with and
without ingest, and peak memory. A build has a fixed part (processes started, kernels loaded, the
report): so beside the whole time stands what each further scene takes, from one size to the next.
Aim: that is flat within 15 %, and memory is flat. The archives take 15 inodes a scene; `--work`
keeps them.
"""

import argparse
import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

from replicas import paint, replicate
from timed_build import Timed, build

from tasks.config import BuildConfig
from tasks.stage_names import INGEST


def run(work: Path, sizes: list[int], repeats: int, workers: int) -> list[list[Timed]]:
    """Return what was timed in every repeat, a build of each size in turn."""
    painted = paint(work / "painted")
    for scenes in sizes:
        if not (work / f"archive-{scenes}" / "metadata.parquet").is_file():
            replicate(painted, work / f"archive-{scenes}", scenes)
    found: list[list[Timed]] = []
    for _ in range(repeats):
        found.append([])
        for scenes in sizes:
            out = work / "dataset"
            sources = {"bigearthnet": work / f"archive-{scenes}"}
            config = BuildConfig(sources=sources, out=out, workers=workers)
            found[-1].append(build(config, "local", {}))
            shutil.rmtree(out)
    return found


def report(sizes: list[int], found: list[list[Timed]]) -> None:
    """Print a table of medians, one column a size, and what each further scene takes."""
    columns = list(zip(*found, strict=True))
    build_s = [median(timed.build_s for timed in column) for column in columns]
    ingest_s = [median(timed.stages_s[INGEST] for timed in column) for column in columns]
    rows = {
        "ms a scene": [1000 * s / n for s, n in zip(build_s, sizes, strict=True)],
        "ms a scene without ingest": [
            1000 * (whole - part) / n
            for whole, part, n in zip(build_s, ingest_s, sizes, strict=True)
        ],
        "ms a further scene": [
            float("nan"),
            *(
                1000 * (b - a) / (m - n)
                for (a, b), (n, m) in zip(pairwise(build_s), pairwise(sizes), strict=True)
            ),
        ],
        "MiB, main process": [median(timed.main_mib for timed in column) for column in columns],
        "MiB, workers": [median(timed.workers_mib for timed in column) for column in columns],
    }
    print(f"{'median of ' + str(len(found)):<26}" + "".join(f"{size:>10,}" for size in sizes))
    for name, values in rows.items():
        print(f"{name:<26}" + "".join(f"{value:10.2f}" for value in values))
    print(f"load {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Build and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="keep the archives here; default: a new folder")
    arguments = parser.parse_args()
    sizes = sorted(arguments.sizes)
    with tempfile.TemporaryDirectory() as name:
        work: Path = arguments.work or Path(name)
        report(sizes, run(work, sizes, arguments.repeats, arguments.workers))


if __name__ == "__main__":
    main()

"""Time a scene and peak memory of whole builds, small against large.

Usage: python benchmarks/scaling.py [--small 1000] [--large 20000] [--repeats 5] [--workers 2]
           [--work DIR]

Each repeat builds the small and the large archive (`replicas.py`), one after the other, without
Prefect, each in a new process and an empty folder. Printed are medians: milliseconds a scene with
and without ingest, peak memory, and the large build's figures over the small one's. Aim: time a
scene within 15 %, memory flat. The archives take 15 inodes a scene; `--work` keeps them.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from replicas import paint, replicate
from timed_build import Timed, build

Measured = dict[str, float]


def measured(timed: Timed, scenes: int) -> Measured:
    """Return the figures of one build."""
    return {
        "ms a scene": 1000 * timed.build_s / scenes,
        "ms a scene without ingest": 1000 * (timed.build_s - timed.ingest_s) / scenes,
        "MiB, main process": timed.main_mib,
        "MiB, workers": timed.workers_mib,
    }


def run(work: Path, sizes: tuple[int, int], repeats: int, workers: int) -> list[list[Measured]]:
    """Return the figures of every repeat, small and large in turn."""
    painted = paint(work / "painted")
    found: list[list[Measured]] = []
    for scenes in sizes:
        if not (work / f"archive-{scenes}" / "metadata.parquet").is_file():
            replicate(painted, work / f"archive-{scenes}", scenes)
    for _ in range(repeats):
        found.append([])
        for scenes in sizes:
            out = work / "dataset"
            timed = build(work / f"archive-{scenes}", out, workers, "local", {})
            found[-1].append(measured(timed, scenes))
            shutil.rmtree(out)
    return found


def main() -> None:
    """Print a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="keep the archives here; default: a new folder")
    arguments = parser.parse_args()
    sizes = (arguments.small, arguments.large)
    with tempfile.TemporaryDirectory() as name:
        work: Path = arguments.work or Path(name)
        found = run(work, sizes, arguments.repeats, arguments.workers)
    print(f"{'median of ' + str(arguments.repeats):<26} {sizes[0]:>9,} {sizes[1]:>9,} {'ratio':>7}")
    for figure in found[0][0]:
        small, large = (median(each[i][figure] for each in found) for i in (0, 1))
        ratio = f"{large / small:7.2f}" if small else f"{'-':>7}"
        print(f"{figure:<26} {small:9.2f} {large:9.2f} {ratio}")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

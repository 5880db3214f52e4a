"""Two worker processes against one: whole builds, and each stage of them.

Usage: python benchmarks/workers.py [--scenes 240] [--repeats 3] [--workers 1 2] [--planet DIR]

A planet of four archives is built with the defaults, captions, L1 and L2 by rules, without Prefect,
each time in a new process and an empty folder, with each number of workers in turn. Printed are
medians and how many times faster than the first number the others are: of the stages whose work is
done in the worker processes, of their sum, and of the whole build, in which one process lists,
selects, judges and publishes. Aim: 1.8 times with two workers, of the stages' sum.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from prefect_server import ROOT
from timed_build import Timed, build

from tasks.config import BuildConfig
from tasks.sources.registry import SOURCES


def run(planet: Path, out: Path, workers: list[int], repeats: int) -> dict[int, list[Timed]]:
    """Return what was timed with each number of workers, which take turns."""
    sources = {name: planet / name for name in SOURCES if (planet / name).is_dir()}
    found: dict[int, list[Timed]] = {number: [] for number in workers}
    for _ in range(repeats):
        for number in workers:
            config = BuildConfig(sources=sources, out=out, workers=number)
            found[number].append(build(config, "local", {}))
            shutil.rmtree(out)
    return found


def report(found: dict[int, list[Timed]]) -> None:
    """Print medians by stage, and ratios to the first number of workers."""
    first, *others = found
    stages = sorted({stage for timed in found[first] for stage in timed.stages_s})
    seconds = {
        number: {
            **{stage: median(one.stages_s[stage] for one in timed) for stage in stages},
            "these stages": median(sum(one.stages_s.values()) for one in timed),
            "whole build": median(one.build_s for one in timed),
        }
        for number, timed in found.items()
    }
    print(f"{'seconds with':<14}" + "".join(f"{number:>10}" for number in found) + " workers")
    for name, alone_s in seconds[first].items():
        ratios = "".join(f"   {alone_s / seconds[number][name]:.2f} times" for number in others)
        print(f"{name:<14}" + "".join(f"{seconds[n][name]:10.1f}" for n in found) + ratios)
    print(f"medians of {len(found[first])}, load {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Build and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=240)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--planet", type=Path, help="keep the archives here; default: a new folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        planet: Path = given.planet or Path(name) / "planet"
        if not planet.is_dir():
            command = [sys.executable, "cli.py", "planet", str(planet.resolve())]
            subprocess.run([*command, "--scenes", str(given.scenes)], cwd=ROOT, check=True)
        report(run(planet, Path(name) / "dataset", given.workers, given.repeats))


if __name__ == "__main__":
    main()

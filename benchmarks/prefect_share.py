"""Prefect's share of a build's wall time, and what building again unchanged costs.

Usage: python benchmarks/prefect_share.py [--scenes 20000] [--repeats 3] [--workers 2] [--work DIR]

A Prefect server is started on a free port, with a database of its own, and waited for. Then each
repeat builds the same archive (`replicas.py`) through Prefect against that server and with
`--engine local`, each in a new process and an empty folder, and each a second time unchanged.
Printed are medians. Share: what Prefect takes more than the local engine, over what it takes; aim
at most 5 %. Again: second build over first; aim at most 3 %. Starting the server and importing
are told apart and are in neither. Seconds more and less between two repeats of one engine are
printed, too: a difference of engines that is smaller than they are says nothing.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from prefect_server import server
from replicas import paint, replicate
from timed_build import Timed, build

from tasks.config import BuildConfig

ENGINES = ("prefect", "local")


def twice(archive: Path, out: Path, workers: int, engine: str, env: dict[str, str]) -> list[Timed]:
    """Build, and build again unchanged; RuntimeError if the second build changed something."""
    config = BuildConfig(sources={"bigearthnet": archive}, out=out, workers=workers)
    first, again = (build(config, engine, env) for _ in range(2))
    if again.changed or not first.changed:
        raise RuntimeError(f"{engine}: the first build must change {out}, the second must not")
    shutil.rmtree(out)
    return [first, again]


def report(runs: dict[str, list[list[Timed]]]) -> None:
    """Print medians and shares."""
    first = {engine: [pair[0].build_s for pair in runs[engine]] for engine in ENGINES}
    again = {engine: median(pair[1].build_s for pair in runs[engine]) for engine in ENGINES}
    for engine in ENGINES:
        whole_s, spread_s = median(first[engine]), max(first[engine]) - min(first[engine])
        imported_s = median(pair[0].import_s for pair in runs[engine])
        print(
            f"{engine:<8} first {whole_s:8.2f} s (spread {spread_s:.2f}), unchanged "
            f"{again[engine]:6.2f} s: {again[engine] / whole_s:6.2%}, imports {imported_s:.2f} s"
        )
    prefect_s, local_s = (median(first[engine]) for engine in ENGINES)
    print(f"share    {(prefect_s - local_s) / prefect_s:.2%} of the wall time")


def main() -> None:
    """Run the builds in turn and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="keep the archive here; default: a new folder")
    arguments = parser.parse_args()
    runs: dict[str, list[list[Timed]]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as name:
        work: Path = arguments.work or Path(name)
        archive = work / f"archive-{arguments.scenes}"
        if not (archive / "metadata.parquet").is_file():
            replicate(paint(work / "painted"), archive, arguments.scenes)
        with server(Path(name) / "prefect") as running:
            print(f"server   started in {running.start_s:.1f} s")
            for _ in range(arguments.repeats):
                for engine in ENGINES:
                    out = Path(name) / "dataset"
                    runs[engine].append(twice(archive, out, arguments.workers, engine, running.env))
    print(
        f"{arguments.scenes:,} scenes, {arguments.workers} workers, load {os.getloadavg()[0]:.1f}"
    )
    report(runs)


if __name__ == "__main__":
    main()

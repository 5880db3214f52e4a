"""One build in a process of its own, timed from inside and its memory watched from outside.

`build` is for the other benchmarks; this file run by itself is the process that builds.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import psutil

WATCH_EVERY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds of imports, of the whole build and of its ingest; peak memory in MiB.

    `main_mib` is the building process, `workers_mib` the sum of those that it started. Ingest is
    timed without Prefect only.
    """

    import_s: float
    build_s: float
    ingest_s: float
    main_mib: float
    workers_mib: float
    changed: bool


def build(archive: Path, out: Path, workers: int, engine: str, env: dict[str, str]) -> Timed:
    """Build a dataset from a BigEarthNet archive; CalledProcessError if that fails."""
    command = [sys.executable, __file__, str(archive), str(out), str(workers), engine]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **env}, text=True
    ) as process:
        main_mib, workers_mib = _watch(process)
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    times: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return Timed(main_mib=main_mib, workers_mib=workers_mib, **times)


def _watch(process: "subprocess.Popen[str]") -> tuple[float, float]:
    """Return the peak memory of a process and of all below it, until it ends."""
    watched = psutil.Process(process.pid)
    main_mib = workers_mib = 0.0
    while process.poll() is None:
        try:
            main_mib = max(main_mib, watched.memory_info().rss / 2**20)
            below = sum(child.memory_info().rss for child in watched.children(recursive=True))
            workers_mib = max(workers_mib, below / 2**20)
        except psutil.NoSuchProcess:
            continue  # it ended between two lines
        sleep(WATCH_EVERY_S)
    return main_mib, workers_mib


def _run(archive: Path, out: Path, workers: int, engine: str) -> dict[str, float | bool]:
    """Build here; return what was timed."""
    start = perf_counter()
    ingest_s = [0.0]
    if engine == "prefect":
        from flows.settings import settle

        settle()
        from flows.pipeline import pipeline as run
    else:
        import flows.local

        run = flows.local.build
        flows.local.ingest_batch = _timing(flows.local.ingest_batch, ingest_s)
    from tasks.config import BuildConfig

    config = BuildConfig(sources={"bigearthnet": archive}, out=out, workers=workers)
    imported = perf_counter()
    published = run(config)
    return {
        "import_s": imported - start,
        "build_s": perf_counter() - imported,
        "ingest_s": ingest_s[0],
        "changed": published.changed,
    }


def _timing(function: Any, spent_s: list[float]) -> Any:
    """Return the function with its seconds added up in `spent_s[0]`."""

    def timed(*arguments: Any) -> Any:
        start = perf_counter()
        result = function(*arguments)
        spent_s[0] += perf_counter() - start
        return result

    return timed


if __name__ == "__main__":
    _archive, _out, _workers, _engine = sys.argv[1:]
    sys.stdout.write(json.dumps(_run(Path(_archive), Path(_out), int(_workers), _engine)) + "\n")

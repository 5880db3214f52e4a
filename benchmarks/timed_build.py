"""One build in a process of its own, timed from inside and its memory watched from outside.

`build` is for the other benchmarks; this file run by itself is the process that builds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any

import psutil

from tasks.config import BuildConfig
from tasks.publish import Published

WATCH_EVERY_S = 0.05
BATCH = "_batch"  # what the name of a stage's function ends in


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds of imports, of the whole build and of its stages; peak memory in MiB.

    `main_mib` is the building process, `workers_mib` the sum of those that it started. Stages are
    those over batches of granules, named as in `tasks/stages.py`, timed without Prefect only.
    """

    import_s: float
    build_s: float
    stages_s: dict[str, float]
    main_mib: float
    workers_mib: float
    changed: bool


def build(config: BuildConfig, engine: str, env: dict[str, str]) -> Timed:
    """Build a dataset; CalledProcessError if that fails."""
    told = config.model_dump_json(exclude_unset=True)
    command = [sys.executable, __file__, told, engine]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **env}, text=True
    ) as process:
        main_mib, workers_mib = watch(process)
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    times: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return Timed(main_mib=main_mib, workers_mib=workers_mib, **times)


def watch(process: "subprocess.Popen[Any]") -> tuple[float, float]:
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


def _run(told: str, engine: str) -> dict[str, Any]:
    """Build here; return what was timed."""
    start = perf_counter()
    stages_s: dict[str, float] = {}
    if engine == "prefect":
        from flows.settings import settle

        settle()
        from flows.pipeline import pipeline

        run: Callable[[BuildConfig], Published] = pipeline
    else:
        import flows.local

        run = flows.local.build
        for name in [name for name in vars(flows.local) if name.endswith(BATCH)]:
            stage = name.removesuffix(BATCH)
            setattr(flows.local, name, _timing(getattr(flows.local, name), stage, stages_s))
    config = BuildConfig.model_validate_json(told)
    imported = perf_counter()
    published = run(config)
    return {
        "import_s": imported - start,
        "build_s": perf_counter() - imported,
        "stages_s": stages_s,
        "changed": published.changed,
    }


def _timing(function: Any, stage: str, spent_s: dict[str, float]) -> Any:
    """Return the function with its seconds added up under its stage."""

    def timed(*arguments: Any) -> Any:
        start = perf_counter()
        result = function(*arguments)
        spent_s[stage] = spent_s.get(stage, 0.0) + perf_counter() - start
        return result

    return timed


if __name__ == "__main__":
    _told, _engine = sys.argv[1:]
    sys.stdout.write(json.dumps(_run(_told, _engine)) + "\n")

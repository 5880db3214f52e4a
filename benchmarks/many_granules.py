"""The real scheduler with very many granules whose work is faked: what holds, and what does not.

Usage: python benchmarks/many_granules.py [--granules 100000] [--database sqlite|postgres]
       [--stage l1 ...] [--workers 2] [--work DIR]

*Real* are the Prefect server (its own home, a free port, SQLite or a PostgreSQL of its own) and
`flows/pipeline.py`, run against it in a process of its own: the listing of an archive of
BigEarthNet with folders and 15 files (hard links to painted ones) for each granule, every file
looked at; the plan (`foresee`), batches, mapped task runs, worker processes, keys and records of
the ledger, selection, gates over all granules, manifest, card, report, lineage, the version that is
kept, artifacts, events. *Faked* is what is done in a granule (`faked_granules.py`): reading,
asking, composing, captioning, shards, proofs and counts of a shard. Each granule gets the tables of
one real granule of one scene, as links, and candidates with ids of its own. So seconds of ingest
and questions mean nothing, and a granule has one scene where the archive has up to 256.
Near-duplicates, evening out and the blind control are off: to them copies are nothing else.

All is built, then built again unchanged: then a stage only looks whether its record stands, and the
fake looks as the real stage does. Files are written to a new folder in `--work`, by default in
memory (/dev/shm) where that has room for some sixty names a granule, else on the disk: each is
synced twice, which takes a busy disk 10 ms. Server and database are on the disk.

Printed: seconds of each part by the server's own account, task runs, events that were emitted and
that the server has, memory of the flow's process, its workers and the server (peak, and its slope
over the latter half of the time), sizes of database and manifest, and what the API answers where
the UI asks. `MISSING` says what is not there.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import monotonic, perf_counter, sleep
from typing import Any

import httpx
import numpy as np
import psutil
from faked_granules import config_of, make_one
from prefect_server import ROOT, Server, server
from replicas import paint, replicate

from flows.service.database import NAME as POSTGRES
from flows.service.database import database
from flows.service.processes import stop
from flows.settings import QUIET
from tasks.manifest import MANIFEST_NAME, read_manifest

LOOK_EVERY_S = 1.0
PAGE = 200  # what the API gives at most
SETTLED_S = 6.0  # without a new event, after which none is on its way
MOST_TASK_RUNS = 1000
NAMES = 60  # of files and folders of a granule, each a name of its own in memory, links as well
STATES_A_TASK_RUN = 3  # Pending, Running, Completed: an event each


@dataclass(slots=True)
class Memory:
    """Resident MiB of some processes over time."""

    at_s: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        half = len(self.mib) // 2
        slope = np.polyfit(self.at_s[half:], self.mib[half:], 1)[0] * 60 if half > 1 else 0.0
        return (
            f"first {self.mib[0]:.0f}, peak {max(self.mib):.0f}, last {self.mib[-1]:.0f} MiB, "
            f"slope {slope:+.1f} MiB a minute"
        )


@contextmanager
def watched(process: psutil.Process, server_pid: int) -> Iterator[dict[str, Memory]]:
    """Look at the memory of the flow's process, of those that it starts and of the server."""
    seen = {name: Memory() for name in ("flow", "workers", "server")}
    over, start = Event(), monotonic()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            try:
                of_server = psutil.Process(server_pid)
                found = {
                    "flow": [process],
                    "workers": process.children(recursive=True),
                    "server": [of_server, *of_server.children(recursive=True)],
                }
                mib = {
                    name: sum(one.memory_info().rss for one in processes) / 2**20
                    for name, processes in found.items()
                }
                for name in seen if mib["flow"] else ():  # 0 of one that ends
                    seen[name].mib.append(mib[name])
                    seen[name].at_s.append(monotonic() - start)
            except psutil.NoSuchProcess:
                continue  # it ended between two lines

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


class Asked:
    """The server's API, asked what the UI asks; what is refused or not there is noted."""

    def __init__(self, api: str) -> None:
        self._client = httpx.Client(base_url=api, timeout=120)
        self.missing: list[str] = []

    def post(self, path: str, what: dict[str, Any]) -> Any:
        """Return the answer to a question with a filter."""
        answer = self._client.post(path, json=what)
        answer.raise_for_status()
        return answer.json()

    def expect(self, what: str, found: object, due: object) -> None:
        """Note what is not as it is due."""
        if found != due:
            self.missing.append(f"{what}: {found}, due {due}")

    def settled(self) -> tuple[int, float]:
        """Wait until no event comes any more; return their number and the seconds of the wait."""
        start, last, changed = monotonic(), -1, monotonic()
        while monotonic() - changed < SETTLED_S:
            sleep(1)
            number = self.post("/events/filter", {"limit": 1})["total"]
            if number != last:
                last, changed = number, monotonic()
        return last, changed - start

    def events(self) -> Counter[str]:
        """Return how many events of each kind the server has."""
        answer = self.post("/events/count-by/event", {"filter": {}})
        return Counter({one["value"]: one["count"] for one in answer})

    def runs(self, dataset: str) -> list[dict[str, Any]]:
        """Return the runs of the flow, the oldest first, and those that they started."""
        runs = self.post("/flow_runs/filter", {"sort": "START_TIME_ASC"})
        return [run for run in runs if run["name"] == dataset]

    def below(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the runs of flows that a run started."""
        below = {"parent_flow_run_id": {"any_": [run["id"]]}}
        return list(self.post("/flow_runs/filter", {"flow_runs": below}))

    def task_runs(self, run_id: str) -> list[dict[str, Any]]:
        """Return all task runs of a flow's run, page by page as the UI does."""
        found: list[dict[str, Any]] = []
        of_run = {"flow_runs": {"id": {"any_": [run_id]}}, "sort": "END_TIME_DESC", "limit": PAGE}
        while True:
            page = self.post("/task_runs/filter", {**of_run, "offset": len(found)})
            found += page
            if len(page) < PAGE:
                return found

    def graph(self, run_id: str) -> tuple[int, int, float]:
        """Return nodes, bytes and seconds of the graph of a run; it is refused when too large."""
        start = perf_counter()
        answer = self._client.get(f"/flow_runs/{run_id}/graph-v2")
        if answer.status_code != 200:
            self.missing.append(f"graph: {answer.status_code} {answer.text[:200]}")
            return 0, 0, 0.0
        return len(answer.json()["nodes"]), len(answer.content), perf_counter() - start

    def size_of(self, run_id: str) -> int:
        """Return the bytes of a run as the UI fetches it, with its parameters."""
        return len(self._client.get(f"/flow_runs/{run_id}").content)


def run(command: Sequence[str], running: Server) -> tuple[dict[str, Any], dict[str, Memory]]:
    """Run the flow in a process of its own; CalledProcessError if that fails."""
    env = {**os.environ, **QUIET, **running.env}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        with watched(psutil.Process(process.pid), running.pid) as memory:
            answer = process.stdout.read() if process.stdout else ""
            process.wait()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return json.loads(answer.splitlines()[-1]), memory


def show_run(asked: Asked, flow_run: dict[str, Any], told: dict[str, Any]) -> int:
    """Print a run of the flow as the server tells of it; return its task runs but those of flows.

    These stand for a flow in the graph of another, and the server itself makes them.
    """
    asked.expect("state of the flow", flow_run["state_type"], "COMPLETED")
    by_name: dict[str, list[dict[str, Any]]] = {}
    number = alone = 0
    for one in (flow_run, *asked.below(flow_run)):
        asked.expect(f"state of {one['name']}", one["state_type"], "COMPLETED")
        tasks = asked.task_runs(one["id"])
        counted = asked.post("/task_runs/count", {"flow_runs": {"id": {"any_": [one["id"]]}}})
        asked.expect(f"task runs of {one['name']}, by pages and counted", len(tasks), counted)
        nodes, num_bytes, graph_s = asked.graph(one["id"])
        asked.expect(f"nodes of {one['name']}", nodes, len(tasks))
        print(
            f"  {one['name']}: {len(tasks)} task runs, graph of {nodes} nodes, "
            f"{num_bytes / 1e3:.0f} kB in {graph_s:.2f} s; the run itself "
            f"{asked.size_of(one['id']) / 1e3:,.0f} kB"
        )
        number += len(tasks)
        alone += sum(_is_alone(task) for task in tasks)
        for task in tasks:
            asked.expect(f"state of {task['name']}", task["state_type"], "COMPLETED")
            name = task["name"].split(" bigearthnet")[0]
            by_name.setdefault(name, []).append(task)
    for name, ones in sorted(
        by_name.items(), key=lambda item: min(t["start_time"] for t in item[1])
    ):
        seconds = sum(task["total_run_time"] for task in ones)
        print(f"  {name:<28} {len(ones):4d} runs, {seconds:9.2f} s")
    print(f"  {number} task runs, {told['seconds']:.1f} s, changed: {told['changed']}")
    if number > MOST_TASK_RUNS:
        asked.missing.append(f"{number} task runs, more than {MOST_TASK_RUNS}")
    return alone


def _is_alone(task: dict[str, Any]) -> bool:
    return not task["state"]["state_details"].get("child_flow_run_id")


def _begun(tasks: Sequence[dict[str, Any]]) -> str:
    return min(str(task["start_time"]) for task in tasks)


def show_events(asked: Asked, emitted: Counter[str], num_task_runs: int, log: Path) -> None:
    """Print what was emitted against what the server has."""
    total, waited_s = asked.settled()
    found = asked.events()
    for name, number in sorted(emitted.items()):
        asked.expect(f"events {name}", found[name], number)
    states = sum(number for name, number in found.items() if name.startswith("prefect.task-run."))
    asked.expect("events of task runs", states, STATES_A_TASK_RUN * num_task_runs)
    text = log.read_text(errors="replace")
    dropped, locked = text.count("dropping"), text.count("database is locked")
    asked.expect("lines of the server's log that tell of drops", dropped, 0)
    print(
        f"events: {emitted.total()} emitted by the flow's process, {total} on the server "
        f"({states} of task runs), the last {waited_s:.0f} s after its end; in the server's log "
        f"{dropped} drops, {locked} times a locked database"
    )


def show_artifacts(asked: Asked, dataset: str) -> None:
    """Print which artifacts are there."""
    found = asked.post("/artifacts/latest/filter", {"limit": PAGE})
    keys = sorted(str(artifact["key"]) for artifact in found)
    due = ("counts", "gates", "lineage", "publication", "report", "throughput")
    asked.missing += [f"artifact {name}" for name in due if f"{name}-{dataset}" not in keys]
    largest = max(len(str(artifact["data"])) for artifact in found)
    print(f"artifacts: {', '.join(keys)}; the largest {largest / 1e3:.1f} kB")


def show_dataset(out: Path, home: Path) -> None:
    """Print sizes of the database, the manifest and the folder."""
    start = perf_counter()
    manifest = read_manifest(out)
    loaded_s = perf_counter() - start
    start = perf_counter()
    digest = manifest.digest
    database_bytes = sum(
        path.lstat().st_size
        for path in (*home.glob("prefect/prefect.db*"), *home.glob(f"{POSTGRES}/data/**/*"))
        if path.is_file()
    )
    files = [len(names) for _, _, names in os.walk(out)]
    print(
        f"manifest: {(out / MANIFEST_NAME).stat().st_size / 1e6:.1f} MB, {len(manifest.files):,} "
        f"files, read in {loaded_s:.2f} s, digest {digest[:12]} in {perf_counter() - start:.2f} s\n"
        f"database: {database_bytes / 1e6:.1f} MB\nfolder: {sum(files):,} names of files"
    )


def in_memory(granules: int) -> Path | None:
    """Return a folder in memory that holds the files of so many granules, None where none does."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        return None
    free = os.statvfs(shared)  # without a limit on names it tells of none at all
    return shared if not free.f_files or free.f_favail > NAMES * granules else None


def main() -> None:
    """Build twice and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--granules", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--stage", action="append", choices=("cap_cot", "l1", "l2"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="default: in memory, else on disk")
    arguments = parser.parse_args()
    stages = arguments.stage or ["l1"]
    base: Path | None = arguments.work or in_memory(arguments.granules)
    with (
        tempfile.TemporaryDirectory(prefix="granules-", dir=base) as work_name,
        tempfile.TemporaryDirectory(prefix="prefect-") as home_name,
    ):
        work, home = Path(work_name), Path(home_name)
        archive, out, made = work / "archive", work / "many", work / "one"
        start = perf_counter()
        painted = paint((arguments.work or work) / "painted")
        replicate(painted, work / "archive-of-one", 1, apart=True)
        make_one(config_of(work / "archive-of-one", made, stages, 1))
        replicate(painted, archive, arguments.granules, apart=True)
        print(f"archive of {arguments.granules:,} granules in {perf_counter() - start:.1f} s")
        home.chmod(0o755)  # PostgreSQL runs as a user of its own
        url = database(home, arguments.database).url if arguments.database == POSTGRES else ""
        script = str(Path(__file__).with_name("faked_granules.py"))
        told = [
            str(archive),
            str(out),
            str(made),
            ",".join(stages),
            str(arguments.workers),
            "prefect",
        ]
        try:
            with server(home / "prefect", url) as running:
                print(f"server started in {running.start_s:.1f} s, load {os.getloadavg()[0]:.1f}")
                show([sys.executable, script, *told], running, out, home)
        finally:
            stop(home, POSTGRES, signal.SIGINT, 10.0)


def show(command: Sequence[str], running: Server, out: Path, home: Path) -> None:
    """Build, build again unchanged, and print what the server and the folder hold."""
    asked = Asked(running.api)
    emitted: Counter[str] = Counter()
    num_task_runs = 0
    for number, words in enumerate(("built", "built again unchanged")):
        told, memory = run(command, running)
        emitted.update(told["emitted"])
        asked.settled()
        print(f"{words}: {told['samples']:,} samples, load {os.getloadavg()[0]:.1f}")
        num_task_runs += show_run(asked, asked.runs(out.name)[number], told)
        for name, seen in memory.items():
            print(f"  memory of {name}: {seen}")
        asked.expect(f"{words}: changed", told["changed"], not number)
    show_events(asked, emitted, num_task_runs, running.log)
    show_artifacts(asked, out.name)
    show_dataset(out, home)
    for line in asked.missing:
        print(f"MISSING {line}")
    print("nothing is missing" if not asked.missing else f"{len(asked.missing)} things are missing")


if __name__ == "__main__":
    main()

"""Captions of a whole archive by a model behind HTTP: speed, cost, and what faults do to it.

The server is the protocol-true one of the tests: it reads each prompt's table and writes what is
true of it, one reply in ten with a lie. It answers after --latency-s, so many at once. Then three
in ten of its answers are faults: 429 with and without Retry-After, 503, resets, truncated and
foreign bodies, other languages, loops, empty replies, replies for another image. The baseline is
the same build without faults. Builds are whole commands without Prefect, the archives ingested
before, so that what is timed is the captions.

    .venv/bin/python benchmarks/captions.py [--scenes 240] [--latency-s 0.5] [--capacity 32]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.captions.prompted import FAULT_MIX, lying  # noqa: E402
from tests.completer.fault_server import MODEL, Behaviour, FaultServer  # noqa: E402

ARCHIVES = ("bigearthnet", "chatearthnet", "xbd")
LIES = 0.1


def main() -> None:
    """Build with and without faults in turn, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=240)
    parser.add_argument("--latency-s", type=float, default=0.5)
    parser.add_argument("--capacity", type=int, default=32)
    parser.add_argument("--share", type=float, default=0.3, help="of answers that are faults")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        planet = Path(folder) / "planet"
        run("planet", planet, "--scenes", arguments.scenes, "--seed", 7)
        seconds: dict[float, list[float]] = {0.0: [], arguments.share: []}
        for number in range(arguments.repeats):
            for share, times in seconds.items():
                out = Path(folder) / f"dataset-{number}-{share}"
                times.append(built(planet, out, share, arguments))
    quiet, disturbed = (median(times) for times in seconds.values())
    print(f"seconds      {quiet:.1f} undisturbed, {disturbed:.1f} at {arguments.share:.0%} faults")
    print(f"ratio        {disturbed / quiet:.2f}")
    print(f"load         {os.getloadavg()[0]:.1f}")


def run(*words: object) -> None:
    """Run a command of ours; its output is shown only where it fails."""
    command = [sys.executable, "-m", "cli", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def built(planet: Path, out: Path, share: float, arguments: argparse.Namespace) -> float:
    """Caption the archives once, say what became of the scenes, and return the seconds."""
    behaviour = Behaviour(
        latency_s=arguments.latency_s,
        capacity=arguments.capacity,
        rates={fault: share / len(FAULT_MIX) for fault in FAULT_MIX},
        seed=5,
    )
    sources = {name: str(planet / name) for name in ARCHIVES}
    config: dict[str, Any] = {"sources": sources, "out": str(out), "stages": ["cap_cot"]}
    path = out.with_suffix(".yaml")
    path.write_text(json.dumps(config))
    run("build", "--config", path, "--out", out, "--engine=local")  # ingests; captions by rules
    with FaultServer(behaviour, lying(LIES)) as server:
        captioner = {"kind": "url", "url": server.base_url, "model": MODEL}
        path.write_text(json.dumps({**config, "captioner": captioner}))
        start = perf_counter()
        run("build", "--config", path, "--out", out, "--engine=local")
        seconds = perf_counter() - start
        faults = server.faults.total()
        requests = server.num_requests
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    count = next(count for count in counts if count["stage"] == "cap_cot")
    ended = count["out"] + count["rejected"] + count["left_out"]
    false = sum(
        claim["verdict"] == "false"
        for file in (out / "data" / "cap").glob("*.parquet")
        for claims in pq.ParquetFile(file).read(["claims"]).column(0).to_pylist()
        for claim in claims
    )
    tallies = count["tallies"]
    print(
        f"{share:4.0%} faults  {seconds:6.1f} s  {count['taken']} scenes: {count['out']} kept, "
        f"{count['rejected']} refused, {count['left_out']} left out, "
        f"{count['taken'] - ended} lost, {false} false claims kept; {requests} requests, "
        f"{faults} faults, {tallies.get('repair turns', 0)} repairs",
        flush=True,
    )
    return seconds


if __name__ == "__main__":
    main()

"""`terrascope build` has L2 questions composed by a real vLLM, started and stopped by the build.

The model is tiny and random, so what it writes is nonsense: every reply must be refused with its
reason, every scene end, and what is left be proved.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from tasks.serving.server import running
from tasks.serving.settings import ServerSettings

pytestmark = pytest.mark.serve

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 4
ASKED = {"max_tokens": 96, "client": {"timeout_s": 120}}


def terrascope(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def planet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planet") / "planet"
    done = terrascope("planet", out, "--scenes", 32, "--seed", 3)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def configured(tmp_path: Path, planet: Path) -> Callable[..., list[object]]:
    """Return the arguments of a build of L1 by templates and L2 by a composer."""

    def arguments(**composer: Any) -> list[object]:
        config = tmp_path / "build.yaml"
        given = {"limit": LIMIT, "stages": ["l1", "l2"], "composer": {**ASKED, **composer}}
        config.write_text(json.dumps(given))  # JSON is YAML
        sources = [f"--source={name}={planet / name}" for name in ("bigearthnet", "xbd")]
        return ["build", *sources, "--config", config, "--out", tmp_path / "dataset"]

    return arguments


def count_of(dataset: Path) -> dict[str, Any]:
    manifest = json.loads((dataset / "manifest.json").read_text())
    return next(count for count in manifest["counts"] if count["stage"] == "l2")


def assert_all_is_refused_and_the_rest_is_proved(dataset: Path) -> None:
    count = count_of(dataset)
    assert count["out"] == 0
    assert count["taken"] == count["rejected"] + count["left_out"]
    assert count["tallies"]["completion tokens"] > 0
    refused = [
        row
        for path in (dataset / "quarantine").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
        if row["stage"] == "l2"
    ]
    assert len(refused) == count["rejected"]
    gates = {"cut_reply", "bad_reply", "empty_reply", "bad_program", "call_failed"}
    assert {row["reason"] for row in refused} <= gates, refused
    scenes = Counter(row["sample_id"].split("#")[0] for row in refused)
    assert len(scenes) + count["left_out"] == 2 * LIMIT
    # a prompt that the tiny model has no room for is refused; all others have their repair turn
    failed = [row for row in refused if row["reason"] == "call_failed"]
    assert all("maximum context length" in row["detail"] for row in failed)
    assert (
        count["tallies"]["replies"] == len(refused) - len(failed) == 2 * (len(scenes) - len(failed))
    )
    assert len(failed) < LIMIT
    assert all(row["detail"] for row in refused)
    assert list((dataset / "data" / "l1").glob("*.parquet"))
    assert terrascope("verify", dataset).returncode == 0


def test_a_build_starts_the_server_composes_by_it_and_leaves_nothing_of_it(
    settings: ServerSettings, configured, tmp_path: Path
) -> None:
    arguments = configured(kind="vllm", server=settings.model_dump(mode="json"))
    done = terrascope(*arguments)
    assert done.returncode == 0, done.stderr
    assert_all_is_refused_and_the_rest_is_proved(tmp_path / "dataset")
    left = [
        p
        for p in psutil.process_iter(["cmdline"])
        if settings.model in " ".join(p.info["cmdline"] or ())
    ]
    assert not left
    again = terrascope(*arguments)
    assert "(unchanged)" in again.stdout, again.stderr  # and no server was started for it


def test_a_judge_and_a_blind_model_mark_what_rules_compose(
    settings: ServerSettings, configured, tmp_path: Path
) -> None:
    """A random model keeps to its schema: it marks and guesses at random, and all of it counts."""
    with running(settings, tmp_path / "server.log") as server:
        where = {"kind": "url", "url": server.base_url, "model": server.name, **ASKED}
        done = terrascope(*configured(judge=where, blind=where))
    assert done.returncode == 0, done.stderr
    dataset = tmp_path / "dataset"
    count = count_of(dataset)
    assert count["taken"] == count["out"] + count["rejected"] + count["left_out"]
    tallies = count["tallies"]
    read = tallies.get("judge: questions marked", 0)
    unread = tallies.get("judge: replies that could not be read", 0)
    assert read + unread == count["out"] + count["rejected"] > LIMIT
    rows = [
        row
        for path in (dataset / "data").glob("l2*/*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert all(row["judged"] is None or row["judged"]["naturalness"] >= 3 for row in rows)
    assert terrascope("verify", dataset).returncode == 0

"""`terrascope build` by a real vLLM: started for the length of the build, and gone with it.

The model is tiny and random, so what it writes is refused: every scene must end so, under a gate,
and none be lost.
"""

import json
import subprocess
import sys
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
LIMIT = 6
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
def configured(tmp_path: Path, planet: Path) -> Callable[[dict[str, Any]], list[object]]:
    """Return the arguments of a build with a captioner."""

    def arguments(captioner: dict[str, Any]) -> list[object]:
        config = tmp_path / "build.yaml"
        given = {"limit": LIMIT, "stages": ["cap_cot"], "captioner": {**ASKED, **captioner}}
        config.write_text(json.dumps(given))  # JSON is YAML
        sources = [f"--source={name}={planet / name}" for name in ("bigearthnet", "xbd")]
        return ["build", *sources, "--config", config, "--out", tmp_path / "dataset"]

    return arguments


def assert_every_scene_has_an_end(dataset: Path) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    count = next(count for count in manifest["counts"] if count["stage"] == "cap_cot")
    assert count["taken"] == count["out"] + count["rejected"] + count["left_out"] == 2 * LIMIT
    assert count["rejected"] > LIMIT
    assert count["tallies"]["replies"] == 2 * count["rejected"]  # each had its repair turn
    assert count["tallies"]["completion tokens"] > 0
    refused = [
        row
        for path in (dataset / "quarantine").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
        if row["stage"] == "cap_cot"
    ]
    assert len(refused) == count["rejected"]
    gates = {"cut_reply", "bad_reply", "wrong_language", "repeated_text", "empty_reply"}
    assert {row["reason"] for row in refused} <= gates, refused


def test_a_build_starts_the_server_captions_by_it_and_leaves_nothing_of_it(
    settings: ServerSettings, configured, tmp_path: Path
) -> None:
    server = settings.model_dump(mode="json", exclude={"model"})
    arguments = configured({"server": server})
    done = terrascope(*arguments, "--captioner", "vllm", "--model", settings.model)
    assert done.returncode == 0, done.stderr
    assert_every_scene_has_an_end(tmp_path / "dataset")
    left = [
        p
        for p in psutil.process_iter(["cmdline"])
        if settings.model in " ".join(p.info["cmdline"] or ())
    ]
    assert not left
    assert not (tmp_path / "dataset" / ".work" / "pictures").exists()
    assert (tmp_path / "dataset" / ".work" / "vllm.log").stat().st_size > 0
    again = terrascope(*arguments, "--captioner", "vllm", "--model", settings.model)
    assert "(unchanged)" in again.stdout, again.stderr  # and no server was started for it


def test_a_build_by_url_runs_the_same_stages(
    settings: ServerSettings, configured, tmp_path: Path
) -> None:
    with running(settings, tmp_path / "server.log") as server:
        done = terrascope(*configured({}), "--captioner", server.base_url, "--model", server.name)
    assert done.returncode == 0, done.stderr
    assert_every_scene_has_an_end(tmp_path / "dataset")

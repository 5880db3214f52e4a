"""The whole build, by its real command: what it leaves, what it does again, what it refuses."""

import os
import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.manifest import read_manifest

ROOT = Path(__file__).resolve().parents[2]


def digests(dataset: Path) -> dict[str, str]:
    """Return the digest of every published file but the manifest, which holds the time."""
    files = [p for name in ("data", "quarantine", "report") for p in (dataset / name).rglob("*.*")]
    return {str(p.relative_to(dataset)): sha256(p.read_bytes()).hexdigest() for p in files}


def test_every_answer_is_proved_from_the_shards_alone(terrascope, dataset) -> None:
    done = terrascope("verify", dataset)
    assert done.returncode == 0, done.stdout
    samples = sum(file.rows for file in read_manifest(dataset).files)
    assert samples > 100
    assert f"proved   {samples:,} of {samples:,} samples" in done.stdout


def test_all_four_archives_gave_samples(dataset) -> None:
    sources = {file.source for file in read_manifest(dataset).files}
    assert sources == {"bigearthnet", "chatearthnet", "teochatlas", "xbd"}


def test_what_every_stage_took_and_gave_adds_up(dataset) -> None:
    manifest = read_manifest(dataset)
    for count in manifest.counts:
        assert count.taken == count.out + count.rejected + count.left_out, count
    counts = {(count.stage, count.unit): count for count in manifest.counts}
    assert counts["index", "scene"].out == counts["ingest", "scene"].taken
    assert counts["ingest", "scene"].out == counts["cap_cot", "caption"].taken
    assert counts["l1", "sample"].out == counts["shards", "sample"].taken
    assert counts["cap_cot", "caption"].out == counts["shards", "caption"].taken
    for unit, tier in (("sample", "l1"), ("caption", "cap")):
        rows = sum(file.rows for file in manifest.files if file.tier == tier)
        assert counts["shards", unit].out == rows
    refused = sum(count.rejected for count in manifest.counts)
    assert refused == sum(file.rows for file in manifest.quarantine)


def test_almost_every_scene_has_a_caption_and_no_step_of_it_is_unproved(dataset) -> None:
    count = next(c for c in read_manifest(dataset).counts if c.stage == "cap_cot")
    assert count.out > 0.8 * count.taken
    assert count.rejected == 0
    assert count.tallies["steps proved"] > 0
    assert "steps unproved" not in count.tallies


def test_scenes_without_a_question_are_counted_and_all_that_is_left_out_has_a_rule(dataset) -> None:
    counts = read_manifest(dataset).counts
    scenes = {count.stage: count for count in counts if count.unit == "scene"}
    assert scenes["l1"].taken == scenes["ingest"].out
    paths = (dataset / "data").rglob("*.parquet")
    asked = [pq.read_table(path, columns=["source", "scene_id"]).to_pylist() for path in paths]
    assert scenes["shards"].out == len({tuple(row.values()) for rows in asked for row in rows})
    for count in counts:
        assert sum(count.reasons.values()) == count.left_out


def test_a_dataset_of_procedural_archives_says_so(dataset) -> None:
    assert read_manifest(dataset).synthetic == ("bigearthnet", "chatearthnet", "teochatlas", "xbd")
    assert "are procedural" in (dataset / "README.md").read_text()


def test_two_workers_write_the_same_bytes_as_one(terrascope, dataset, sources, tmp_path) -> None:
    out = tmp_path / dataset.name
    done = terrascope("build", *sources, "--out", out, "--engine", "local", "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(dataset)


def test_another_seed_reads_nothing_again_and_asks_other_questions(
    terrascope, sources, tmp_path
) -> None:
    out = tmp_path / "dataset"
    arguments = ("build", *sources, "--out", out, "--engine", "local", "--workers", 1, "--limit", 3)
    assert terrascope(*arguments).returncode == 0
    scenes = {p: p.stat().st_mtime_ns for p in (out / ".work/ingest").glob("*.parquet")}
    before = digests(out)
    assert terrascope(*arguments, "--seed", 5).returncode == 0
    after = {p: p.stat().st_mtime_ns for p in (out / ".work/ingest").glob("*.parquet")}
    assert after == scenes
    assert digests(out) != before


def test_an_unchanged_build_leaves_every_file_alone(terrascope, dataset, sources) -> None:
    before = {p: p.stat().st_mtime_ns for p in dataset.rglob("*") if ".work" not in p.parts}
    done = terrascope("build", *sources, "--out", dataset, "--engine", "local", "--workers", 1)
    assert "(unchanged)" in done.stdout
    after = {p: p.stat().st_mtime_ns for p in dataset.rglob("*") if ".work" not in p.parts}
    assert after == before


def test_a_removed_scene_touches_only_its_own_granule(
    terrascope, dataset, planet, tmp_path
) -> None:
    copy = tmp_path / "bigearthnet"
    subprocess.run(["cp", "-a", planet / "bigearthnet", copy], check=True)
    out = tmp_path / "dataset"
    build = (
        *("build", f"--source=bigearthnet={copy}", "--out", out),
        *("--engine", "local", "--workers", 1),
    )
    assert terrascope(*build).returncode == 0
    records = {p.name: p.stat().st_mtime_ns for p in (out / ".work/ingest").glob("*.json")}
    assert len(records) > 1
    patch = sorted((copy / "BigEarthNet-S2").glob("*/*"))[0]
    subprocess.run(["rm", "-r", patch], check=True)
    assert terrascope(*build).returncode == 0
    after = {p.name: p.stat().st_mtime_ns for p in (out / ".work/ingest").glob("*.json")}
    changed = {name for name in records if after.get(name) != records[name]}
    assert len(changed) == 1
    assert terrascope("verify", out).returncode == 0


STAGES = ("ingest", "l1", "l2", "select", "shards-l1", "shards-l2_spatial")  # folders of .work


@pytest.mark.parametrize(
    ("engine", "stage", "delay_s"),
    [
        ("local", "l2", None),
        *(
            pytest.param(engine, stage, delay_s, marks=pytest.mark.full)
            for engine in ("local", "prefect")
            for stage in STAGES
            for delay_s in (0.0, 0.2, 0.6)
        ),
    ],
)
def test_a_build_killed_at_any_moment_goes_on_to_the_same_bytes(
    terrascope, dataset, sources, tmp_path, engine, stage, delay_s
) -> None:
    out = tmp_path / dataset.name
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    env = {**kept, "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-m", "cli", "build", *sources, "--out", str(out)]
    command += ["--engine", engine, "--workers", "2"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_first_file(out, stage, process)
    time.sleep(random.uniform(0, 0.5) if delay_s is None else delay_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = terrascope("build", *sources, "--out", out, "--engine", engine, env=env)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(dataset)


def _wait_for_first_file(out: Path, stage: str, process: "subprocess.Popen[bytes]") -> None:
    folder = out / ".work" / stage
    for _ in range(1200):
        if any(folder.glob("*.json")):
            return
        assert process.poll() is None, f"the build ended without a file in {folder}"
        time.sleep(0.05)
    raise AssertionError(f"no file in {folder} after a minute")


def test_a_second_build_on_one_output_is_refused(terrascope, sources, tmp_path) -> None:
    import fcntl

    out = tmp_path / "dataset"
    assert (
        terrascope("build", *sources, "--out", out, "--engine=local", "--limit=1").returncode == 0
    )
    with (out / ".work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = terrascope("build", *sources, "--out", out, "--engine=local", "--limit=1")
    assert done.returncode == 2
    assert "another build is running" in done.stderr


def test_a_foreign_folder_is_never_written_to(terrascope, sources, tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = terrascope("build", *sources, "--out", tmp_path, "--engine=local")
    assert done.returncode == 2
    assert "no dataset of this program" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_dataset_is_never_overwritten(terrascope, planet, tmp_path) -> None:
    out = tmp_path / "dataset"
    first = f"--source=bigearthnet={planet / 'bigearthnet'}"
    assert terrascope("build", first, "--out", out, "--engine=local", "--limit=1").returncode == 0
    second = f"--source=xbd={planet / 'xbd'}"
    done = terrascope("build", second, "--out", out, "--engine=local", "--limit=1")
    assert done.returncode == 2
    assert "holds another dataset" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source=bigearthnet=/no/such/folder"], "/no/such/folder is not a folder"),
        (["--source=landsat=."], "unknown source 'landsat'"),
        (["--source=bigearthnet"], "NAME=DIR"),
        (["--source=bigearthnet=."], "bigearthnet"),
        ([], "sources"),
    ],
)
def test_a_bad_command_stops_before_any_work(terrascope, tmp_path, arguments, words) -> None:
    out = tmp_path / "dataset"
    done = terrascope("build", *arguments, "--out", out, "--engine=local")
    assert done.returncode == 2
    assert words in done.stderr.replace("\n", " ")
    assert not (out / "manifest.json").exists()


def test_an_unknown_configuration_key_names_the_key(terrascope, planet, tmp_path) -> None:
    config = tmp_path / "build.yaml"
    config.write_text(f"sources: {{xbd: {planet / 'xbd'}}}\nsede: 3\n")
    done = terrascope("build", "--config", config, "--out", tmp_path / "d", "--engine=local")
    assert done.returncode == 2
    assert "unknown configuration key 'sede'" in done.stderr


def test_a_dry_run_writes_nothing(terrascope, sources, tmp_path) -> None:
    out = tmp_path / "dataset"
    done = terrascope("build", *sources, "--out", out, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing was written" in done.stdout
    assert not out.exists()


def test_inspect_and_show_work_on_what_was_built(terrascope, dataset, tmp_path) -> None:

    done = terrascope("inspect", dataset)
    assert done.returncode == 0
    assert "existence" in done.stdout
    shard = next((dataset / "data").rglob("*.parquet"))
    sample = pq.read_table(shard, columns=["sample_id"]).column(0)[0].as_py()
    picture = tmp_path / "x.png"
    assert terrascope("show", dataset, sample, "-o", picture).returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")

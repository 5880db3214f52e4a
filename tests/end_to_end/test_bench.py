"""`terrascope build --stage bench`: what is in it, what proves it, what it must not show."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from masks.reference_scene import ReferenceScene
from tasks.manifest import read_manifest
from tasks.proof import prove
from tasks.rows import Row, read_rows
from tasks.verify import verify
from templates.bench import BENCH_QUESTIONS
from terrascope_model.files import DataError
from terrascope_model.shards import Rows
from tests.end_to_end.conftest import ARCHIVES

pytestmark = pytest.mark.full
DUE = {template.task: template.options_due for template in BENCH_QUESTIONS}
CONFIG = """
stages: [bench]
bench:
  options_from: every_split
  items: {comparative_ranking: 2, building_change_estimation: 500}
"""


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "bench.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def sources(larger_planet):
    return [f"--source={name}={larger_planet / name}" for name in ARCHIVES]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, terrascope, sources):
    """Return the dataset of the same planet, which the bench is held against."""
    out = tmp_path_factory.mktemp("against") / "dataset"
    done = terrascope("build", *sources, "--out", out, "--engine", "local", "--workers", 1)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def built(configured, terrascope, sources, dataset):
    """Return the bench of the planet, held against the dataset of it, and what the build said."""
    out = configured.parent / "bench"
    options = ("--config", configured, "--out", out, "--engine", "local", "--workers", 1)
    done = terrascope("build", *sources, *options, "--against", dataset)
    assert done.returncode == 0, done.stderr
    return out, done.stdout, options


@pytest.fixture(scope="module")
def rows(built) -> list[Row]:
    found: list[Row] = []
    for file in read_manifest(built[0]).files:
        path = built[0] / file.path
        ids = pq.read_table(path, columns=["sample_id"]).column(0).to_pylist()
        found += read_rows(path, set(ids)).values()
    return found


def test_every_item_is_a_choice_on_a_test_scene(rows) -> None:
    assert {(row.tier, row.split, row.form) for row in rows} == {("bench", "test", "choice")}
    assert all(len(row.options) == DUE[row.task] for row in rows)


def test_no_more_than_wanted_are_kept_and_what_is_short_is_said(built, rows) -> None:
    tasks = Counter(row.task for row in rows)
    assert tasks["comparative_ranking"] == 2
    assert tasks["coverage_percentage"] > 2
    short = f"500 items wanted, {tasks['building_change_estimation']} reached"
    assert f"not met  building_change_estimation: {short}" in built[1]
    assert short in "".join(read_manifest(built[0]).unmet)


def test_every_item_is_proved_from_its_masks(built, rows) -> None:
    report = verify(built[0])
    assert report.ok, report.failures[:3]
    assert report.proved == len(rows) > 5


def test_an_item_of_another_split_or_with_fewer_options_is_not_proved(rows) -> None:
    row = next(row for row in rows if row.task == "coverage_percentage")
    scene = ReferenceScene(row.evidence)
    assert prove(row, scene) == []
    moved = row.model_copy(update={"split": "train"})
    assert "split" in {finding.rule for finding in prove(moved, scene)}
    keep = {row.answer.text, *row.options[:3]}
    fewer = row.model_copy(update={"options": tuple(o for o in row.options if o in keep)[:3]})
    assert "options" in {finding.rule for finding in prove(fewer, scene)}


def test_nothing_learns_from_a_bench(built) -> None:
    for split in ("train", "test"):
        with pytest.raises(DataError, match="items of a bench are not learnt from"):
            next(Rows(built[0], ("question",)).index(split, ("question",)))


def test_scenes_that_were_trained_on_are_refused_by_name(built, terrascope, sources, dataset):
    """A dataset whose test scenes count as training scenes leaves no item of them."""
    out, _, options = built
    trained = out.parent / "trained"
    shutil.copytree(dataset, trained, ignore=shutil.ignore_patterns(".work", "versions"))
    manifest = json.loads((trained / "manifest.json").read_text())
    for file in manifest["files"]:
        file["split"] = "train" if file["split"] == "test" else "validation"
    (trained / "manifest.json").write_text(json.dumps(manifest))
    done = terrascope("build", *sources, *options, "--against", trained)
    assert done.returncode == 0, done.stderr
    refused = [
        row
        for file in read_manifest(out).quarantine
        for row in pq.read_table(out / file.path).to_pylist()
        if row["reason"] == "seen_in_training"
    ]
    assert len(refused) > 20
    assert all("train of trained" in row["detail"] for row in refused)
    assert verify(out).ok

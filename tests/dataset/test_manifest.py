"""A manifest comes back as it was written, and says so when it was not."""

import json
import subprocess
from datetime import timedelta

import pytest
from pydantic import ValidationError

from tasks.manifest import (
    DataFile,
    ManifestError,
    checkout_commit,
    read_manifest,
    utc_now,
    write_manifest,
)


@pytest.fixture
def manifest(dataset):
    return read_manifest(dataset)


def edited(dataset, change):
    path = dataset / "manifest.json"
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def test_what_was_written_is_read_back(tmp_path, manifest):
    write_manifest(tmp_path / "new", manifest)
    assert read_manifest(tmp_path / "new") == manifest
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["manifest.json"]


def test_the_same_manifest_is_the_same_bytes(tmp_path, dataset, manifest):
    write_manifest(tmp_path, manifest)
    assert (tmp_path / "manifest.json").read_bytes() == (dataset / "manifest.json").read_bytes()


def test_a_folder_without_a_manifest_is_not_a_finished_dataset(tmp_path):
    with pytest.raises(ManifestError, match="has not finished; run the same build again"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_what_is_not_json_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises(ManifestError, match="is not JSON"):
        read_manifest(tmp_path)


def test_a_manifest_of_another_version_says_which(dataset):
    edited(dataset, lambda tree: tree.update(schema_version=7))
    with pytest.raises(ManifestError, match="schema version 7, this program reads 4"):
        read_manifest(dataset)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.update(note="mine"), "note: Extra inputs"),
        (lambda t: t.pop("seed"), "seed: Field required"),
        (lambda t: t["files"][0].update(rows=-1), "files.0.rows"),
        (lambda t: t["files"][0].update(rows="many"), "files.0.rows"),
        (lambda t: t["files"][0].update(sha256="abc"), "files.0.sha256"),
        (lambda t: t["files"][1].update(path="../other/x.parquet"), "files.1.path"),
        (lambda t: t["files"][1].update(path="/etc/passwd"), "files.1.path"),
        (lambda t: t["quarantine"][0].update(path="a//b"), "quarantine.0.path"),
        (lambda t: t["counts"][0].pop("rejected"), "counts.0.rejected"),
        (lambda t: t.update(created="2026-01-02T03:04:05"), "created"),
        (lambda t: t.update(rates=[{"group": "g", "answer_key": "a", "rate": 2}]), "rates.0.rate"),
    ],
)
def test_an_edit_by_hand_is_named_by_its_field(dataset, change, named):
    edited(dataset, change)
    with pytest.raises(ManifestError, match="edited by hand") as error:
        read_manifest(dataset)
    assert named in str(error.value)


def test_a_manifest_that_is_a_list_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ManifestError, match="manifest: "):
        read_manifest(tmp_path)


def test_a_path_out_of_the_dataset_cannot_be_written(manifest):
    entry = manifest.files[0].model_dump()
    with pytest.raises(ValidationError, match="not a plain path"):
        DataFile(**{**entry, "path": "data/../../x.parquet"})


def test_the_time_is_in_utc_to_the_second():
    now = utc_now()
    assert now.utcoffset() == timedelta(0)
    assert now.microsecond == 0


def test_the_commit_is_that_of_the_checkout_and_empty_elsewhere(tmp_path):
    assert checkout_commit(tmp_path) == ""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert checkout_commit(tmp_path) == ""
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = (tmp_path / ".git" / "logs" / "HEAD").read_text().split()[1]
    assert checkout_commit(tmp_path) == head
    assert len(head) == 40

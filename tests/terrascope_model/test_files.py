"""A dataset is learnt from only as its manifest says it is."""

import json
import shutil
from pathlib import Path

import pytest

from terrascope_model.files import DataError, noted


@pytest.fixture
def copied(dataset: Path, tmp_path: Path) -> Path:
    shutil.copytree(dataset, tmp_path / "copied")
    return tmp_path / "copied"


def shard_of(dataset: Path) -> Path:
    return min((dataset / "data").glob("*/*.parquet"))


def test_a_dataset_is_known_by_its_shards_wherever_it_lies(dataset: Path, copied: Path) -> None:
    assert noted(copied, check_digests=True) == noted(dataset, check_digests=False)


def test_a_shard_that_was_changed_is_named_with_both_digests(copied: Path) -> None:
    shard = shard_of(copied)
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    match = rf"{shard.name} is not as it was written: .* SHA-256 [0-9a-f]{{64}}, .* [0-9a-f]{{64}};"
    with pytest.raises(DataError, match=match):
        noted(copied, check_digests=True)
    noted(copied, check_digests=False)


def test_a_shard_that_is_missing_or_not_in_the_manifest_is_named(copied: Path) -> None:
    shard = shard_of(copied)
    extra = shard.with_name("extra.parquet")
    shutil.copy(shard, extra)
    with pytest.raises(DataError, match=r"extra\.parquet is not named by"):
        noted(copied, check_digests=False)
    extra.unlink()
    shard.unlink()
    with pytest.raises(DataError, match=rf"{shard.name} is missing, and .* names it"):
        noted(copied, check_digests=False)


def test_a_manifest_that_is_none_is_named(copied: Path) -> None:
    (copied / "manifest.json").write_text(json.dumps({"files": [{"path": "x"}]}))
    with pytest.raises(DataError, match=r"manifest\.json is no manifest \(KeyError\('sha256'\)\)"):
        noted(copied, check_digests=False)

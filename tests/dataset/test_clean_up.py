"""What no version uses is freed, and never what one does."""

import fcntl
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clean_up import remove, waste_of
from tasks.errors import ConfigError
from tasks.manifest import DataFile, Manifest, ManifestError, read_manifest, write_manifest
from tasks.versions import keep, numbered, paths_of, versions_of
from tasks.workspace import locked

NAMES = ("a", "b", "c", "d")


def placed(path: Path, content: bytes) -> None:
    """Put a file in place as every stage does: never in the file that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name("new")
    new.write_bytes(content)
    new.replace(path)


def publish(dataset: Path, contents: dict[str, bytes], **config) -> Manifest:
    """Publish a dataset of small files in place of shards; what is as it was is not written."""
    files = []
    for name, content in sorted(contents.items()):
        path = dataset / "data" / "l1" / f"{name}.parquet"
        if not path.is_file() or path.read_bytes() != content:
            placed(path, content)
        files.append(
            DataFile(
                path=path.relative_to(dataset).as_posix(),
                sha256=sha256(content).hexdigest(),
                rows=1,
                bytes=len(content),
                tier="l1",
                source="xbd",
                split="train",
                bucket=name,
            )
        )
    manifest = Manifest(
        dataset="small",
        files=tuple(files),
        counts=(),
        config=config,
        config_digest="c" * 64,
        seed=0,
        commit="",
        stages={},
        created=datetime(2026, 1, 2, tzinfo=UTC),
    )
    manifest = numbered(dataset, manifest)
    for path in paths_of(manifest):
        if not path.startswith("data/"):
            placed(dataset / path, manifest.digest.encode())
    keep(dataset, manifest)
    write_manifest(dataset, manifest)
    return manifest


def assert_whole(folder: Path) -> None:
    for file in read_manifest(folder).files:
        assert sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256


def used(folder: Path) -> int:
    """Return the bytes of a folder, each file counted once however many links it has."""
    status = [Path(at, name).lstat() for at, _, files in os.walk(folder) for name in files]
    return sum({one.st_ino: one.st_size for one in status}.values())


@settings(max_examples=60, deadline=None)
@given(
    history=st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.binary(min_size=1, max_size=9), min_size=1),
        min_size=1,
        max_size=5,
    ),
    number=st.integers(1, 6),
)
def test_whatever_was_published_the_versions_that_stay_are_whole(history, number):
    with TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        for contents in history:
            publish(dataset, contents)
        before, kept = used(dataset), versions_of(dataset)
        waste = waste_of(dataset, number)
        remove(waste)
        assert versions_of(dataset) == kept[-number:]
        for version in versions_of(dataset):
            assert_whole(version.folder)
        assert_whole(dataset)
        assert before - used(dataset) == sum(one.bytes for one in waste)
        assert waste_of(dataset, number) == []


@pytest.fixture
def dataset(tmp_path):
    publish(tmp_path / "dataset", {"a": b"first", "b": b"shared"})
    publish(tmp_path / "dataset", {"a": b"second", "b": b"shared"})
    return tmp_path / "dataset"


def gone(waste):
    return [(one.path.name, one.why) for one in waste]


def test_an_old_version_frees_only_what_it_shares_with_none(dataset):
    (old,) = waste_of(dataset, 1)
    own = sum(
        path.stat().st_size
        for path in old.path.rglob("*")
        if path.is_file() and path.stat().st_nlink == 1
    )
    assert old.why == "version 1"
    assert old.bytes == own
    assert len(b"first") <= own < used(old.path)


def test_without_a_number_every_version_stays(dataset):
    assert waste_of(dataset, None) == []


def test_work_on_granules_that_have_gone_is_freed_whatever_stage_left_it(dataset):
    work = dataset / ".work"
    placed(work / "catalogue/xbd-train-0.json", b"[]")
    stay = ["ingest/xbd-train-0.parquet", "ingest/xbd-train-0.files", "select/summary.json"]
    stay += ["l1/xbd-train-0.json", "select/xbd-train-0.parquet", "annotate/annotate-0.log"]
    go = ["ingest/xbd-train-1.parquet", "ingest/xbd-train-1.files", "l1/xbd-train-1.json"]
    go += ["l2/xbd-train-1.rejects.parquet", "select/xbd-train-1.parquet"]
    for name in (*stay, *go, "calls.sqlite", "lock"):
        placed(work / name, b"x")
    waste = waste_of(dataset, None)
    assert {one.path.relative_to(work).as_posix() for one in waste} == set(go)
    assert {one.why for one in waste} == {"of a granule that has gone"}
    remove(waste)
    assert all((work / name).is_file() for name in (*stay, "calls.sqlite", "lock"))


def test_what_a_killed_build_left_is_freed(dataset):
    placed(dataset / "data/l1/.a.parquet.part", b"half")
    placed(dataset / ".work/l1/.x.json.part", b"half")
    placed(dataset / "versions/.3-0123.part/data/l1/a.parquet", b"half")
    assert {why for _, why in gone(waste_of(dataset, None))} == {"left by a build that was killed"}
    assert len(waste_of(dataset, None)) == 3
    remove(waste_of(dataset, None))
    assert waste_of(dataset, None) == []


def test_folds_beyond_those_of_the_annotator_are_freed(tmp_path):
    dataset = tmp_path / "dataset"
    publish(dataset, {"a": b"x"}, annotator={"kind": "train", "folds": 2})
    for number in (0, 1, 2, 10):
        placed(dataset / f".work/annotator/fold-{number}/model/model.safetensors", b"weights")
    assert [name for name, _ in gone(waste_of(dataset, None))] == ["fold-10", "fold-2"]


def test_annotators_stay_where_none_is_trained_now(tmp_path):
    dataset = tmp_path / "dataset"
    publish(dataset, {"a": b"x"}, annotator={"kind": "none", "folds": 2})
    placed(dataset / ".work/annotator/fold-7/model/model.safetensors", b"weights")
    assert waste_of(dataset, None) == []


def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path):
    placed(tmp_path / "thesis/.chapter.part", b"mine")
    with pytest.raises(ManifestError, match="not a dataset"):
        waste_of(tmp_path / "thesis", 1)


def test_while_a_build_is_running_nothing_is_freed(dataset):
    (dataset / ".work").mkdir()
    with (dataset / ".work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another build is running"):
            locked(dataset).__enter__()


def test_a_copy_without_its_work_folder_is_held_by_no_build(dataset):
    with locked(dataset):
        assert not (dataset / ".work").exists()

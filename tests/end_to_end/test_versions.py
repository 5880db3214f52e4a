"""A dataset that is built again and again: what becomes another version, and what it shares."""

import errno
import os
import shutil
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.local import build
from tasks.config import BuildConfig
from tasks.lineage.told import sample_lines
from tasks.manifest import ManifestError, read_manifest
from tasks.verify import verify
from tasks.versions import versions_of


@pytest.fixture
def config(planet, tmp_path) -> BuildConfig:
    """Return what builds one archive, which may be changed, into a dataset."""
    archive = tmp_path / "bigearthnet"
    shutil.copytree(planet / "bigearthnet", archive)
    return BuildConfig(sources={"bigearthnet": archive}, out=tmp_path / "dataset", workers=1)


def changed(config: BuildConfig, **changes: object) -> BuildConfig:
    return config.model_copy(update=changes)


def withdraw_a_patch(config: BuildConfig) -> str:
    """Remove one scene's pictures from the archive; return the id of the scene."""
    patch = sorted((config.sources["bigearthnet"] / "BigEarthNet-S2").glob("*/*"))[0]
    shutil.rmtree(patch)
    return patch.name


def scenes(version: Path) -> set[str]:
    shards = (version / "data").rglob("*.parquet")
    return {
        scene_id
        for shard in shards
        for scene_id in pq.read_table(shard, columns=["scene_id"]).column(0).to_pylist()
    }


def inodes(version: Path) -> dict[str, int]:
    return {
        path.relative_to(version).as_posix(): path.stat().st_ino
        for path in sorted((version / "data").rglob("*.parquet"))
    }


def test_a_withdrawn_scene_leaves_the_next_version_and_stays_in_the_one_before(config) -> None:
    build(config)
    scene = withdraw_a_patch(config)
    assert build(config).changed
    old, new = (version.folder for version in versions_of(config.out))
    assert verify(old).ok
    assert verify(new).ok
    shared = inodes(old).items() & inodes(new).items()
    assert shared  # what lies in other granules
    assert len(shared) < len(inodes(new))
    assert scenes(old) - scenes(new) == {scene}
    assert read_manifest(config.out) == read_manifest(new)


def test_another_selection_shares_the_shards_that_it_leaves_as_they_are(config) -> None:
    build(config)
    build(changed(config, stages=("cap_cot", "l1")))
    old, new = (version.folder for version in versions_of(config.out))
    captions = {path for path in inodes(old) if path.startswith("data/cap/")}
    assert captions
    assert all(inodes(old)[path] == inodes(new)[path] for path in captions)


def test_an_unchanged_build_is_no_version(config) -> None:
    build(config)
    assert not build(config).changed
    assert not build(changed(config, keep_versions=3)).changed
    assert len(versions_of(config.out)) == 1


@pytest.mark.parametrize("moment", ["keep", "write_card", "write_manifest"])
def test_a_killed_publication_leaves_the_old_version_whole(config, monkeypatch, moment) -> None:
    build(config)
    old = read_manifest(config.out)
    other = changed(config, seed=5)
    with monkeypatch.context() as patched:
        patched.setattr(f"tasks.publish.{moment}", lambda *_, **__: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception, match="killed"):
            build(other)
    with pytest.raises(ManifestError, match="its versions are in"):
        read_manifest(config.out)
    for version in versions_of(config.out):
        assert verify(version.folder).ok
    assert read_manifest(versions_of(config.out)[0].folder) == old
    build(other)
    assert [version.number for version in versions_of(config.out)] == [1, 2]
    assert read_manifest(config.out).parents == (old.digest,)


def test_a_killed_clean_up_is_made_up_for_by_the_same_build(config, monkeypatch) -> None:
    build(config)
    other = changed(config, seed=5, keep_versions=1)
    with monkeypatch.context() as patched:
        patched.setattr("tasks.versions.remove_folder", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception, match="killed"):
            build(other)
    assert [version.number for version in versions_of(config.out)] == [1, 2]
    assert not build(other).changed
    assert [version.number for version in versions_of(config.out)] == [2]


def test_a_disk_that_fills_up_in_publishing_leaves_the_old_version_whole(
    config, monkeypatch
) -> None:
    build(config)
    old = read_manifest(config.out)
    other = changed(config, seed=5)

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tasks.publish.linked", full)
        with pytest.raises(OSError, match=r"cannot write .*/data/.*No space left .*MiB free"):
            build(other)
    (version,) = versions_of(config.out)
    assert read_manifest(version.folder) == old
    assert verify(version.folder).ok
    with pytest.raises(ManifestError, match="run the same build again"):
        read_manifest(config.out)
    assert build(other).changed
    assert verify(config.out).ok


@pytest.mark.parametrize("edit", [lambda text: text[:99], lambda text: text.replace("7", "8")])
def test_a_manifest_edited_by_hand_is_made_again_as_the_same_version(config, edit) -> None:
    build(config)
    whole = (config.out / "manifest.json").read_bytes()
    (config.out / "manifest.json").write_text(edit(whole.decode()))
    assert build(config).changed
    assert (config.out / "manifest.json").read_bytes() == whole
    assert [version.number for version in versions_of(config.out)] == [1]
    assert verify(config.out).ok


def test_a_dataset_whose_versions_are_gone_is_the_version_that_it_was(config) -> None:
    build(config)
    build(changed(config, seed=5))
    whole = (config.out / "manifest.json").read_bytes()
    shutil.rmtree(config.out / "versions")
    build(changed(config, seed=5))
    assert (config.out / "manifest.json").read_bytes() == whole
    assert [version.number for version in versions_of(config.out)] == [2]


def test_files_from_the_future_are_read_again_and_are_no_other_version(config) -> None:
    """As after a clock that was wrong: the times of files tell that they changed, not when."""
    build(config)
    before = (config.out / "manifest.json").read_bytes()
    ahead = time.time() + 10 * 365 * 86_400
    for folder in (config.sources["bigearthnet"], config.out / "data"):
        for path in folder.rglob("*"):
            os.utime(path, (ahead, ahead))
    assert not build(config).changed
    assert (config.out / "manifest.json").read_bytes() == before


def test_a_sample_of_an_unchanged_shard_was_made_in_the_run_that_wrote_it(config) -> None:
    build(config)
    first = read_manifest(config.out)
    sample_id = pq.read_table(config.out / first.files[0].path).column("sample_id")[0].as_py()
    build(changed(config, stages=("cap_cot", "l1")))
    told = list(sample_lines(config.out, sample_id))
    assert any(line.startswith("version        1 ") for line in told)
    file = next(line.split()[1] for line in told if line.startswith("file "))
    assert (config.sources["bigearthnet"] / file).is_file()


def test_no_more_versions_are_kept_than_the_configuration_says(config) -> None:
    for seed in (1, 2, 3):
        build(changed(config, seed=seed, keep_versions=2))
    assert [version.number for version in versions_of(config.out)] == [2, 3]
    assert verify(versions_of(config.out)[0].folder).ok


def test_the_commands_tell_of_versions_and_free_what_is_old(terrascope, config) -> None:
    for seed in (1, 2):
        build(changed(config, seed=seed))
    told = terrascope("lineage", config.out)
    assert told.returncode == 0, told.stderr
    assert "since version 1\n" in told.stdout
    assert "seed 1 -> 2" in told.stdout
    kept = terrascope("gc", config.out, "--keep", 1, "--dry-run")
    assert "versions/1-" in kept.stdout
    assert len(versions_of(config.out)) == 2
    freed = terrascope("gc", config.out, "--keep", 1)
    assert freed.returncode == 0, freed.stderr
    assert freed.stdout.splitlines()[-1].startswith("freed ")
    assert [version.number for version in versions_of(config.out)] == [2]
    assert verify(versions_of(config.out)[0].folder).ok
    assert not build(changed(config, seed=2)).changed

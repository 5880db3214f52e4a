"""Versions are datasets of their own, share what they have in common, and are whole or not."""

import errno
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.manifest import read_manifest
from tasks.verify import verify
from tasks.versions import before, drop_before, is_kept, keep, paths_of, versions_of
from tests.dataset.publishing import published


@pytest.fixture
def first(dataset):
    return published(dataset)


def named(dataset):
    return [f"{version.number}" for version in versions_of(dataset)]


def replaced(path: Path, content: bytes) -> None:
    """Replace a file as every stage does: never in place."""
    new = path.with_name("new")
    new.write_bytes(content)
    new.rename(path)


def test_a_version_is_a_dataset_of_its_own(dataset, first):
    (version,) = versions_of(dataset)
    assert version.folder.name == f"1-{first.digest[:12]}"
    assert read_manifest(version.folder) == first
    assert verify(version.folder).ok


def test_a_dataset_with_versions_is_as_proved_as_without(dataset, first):
    published(dataset, seed=8)
    assert verify(dataset).ok


def test_what_two_versions_share_is_there_once(dataset, first):
    published(dataset, seed=8)
    old, new = (version.folder for version in versions_of(dataset))
    for file in (*first.files, *first.quarantine):
        assert os.path.samefile(old / file.path, new / file.path)
        assert os.path.samefile(dataset / file.path, new / file.path)


def test_a_version_keeps_its_bytes_when_the_dataset_goes_on(dataset, first):
    shard, other = (file.path for file in first.files)
    before, after = ((dataset / path).read_bytes() for path in (shard, other))
    replaced(dataset / shard, after)
    published(dataset, seed=8)
    old, new = (version.folder for version in versions_of(dataset))
    assert (old / shard).read_bytes() == before
    assert (new / shard).read_bytes() == after


def test_versions_are_counted_and_each_names_the_one_before(dataset, first):
    second = published(dataset, seed=8)
    third = published(dataset, seed=9)
    assert [one.version for one in (first, second, third)] == [1, 2, 3]
    assert [one.parents for one in (first, second, third)] == [
        (),
        (first.digest,),
        (second.digest,),
    ]


def test_going_back_is_a_version_too(dataset, first):
    published(dataset, seed=8)
    again = published(dataset, seed=7)
    assert (again.version, again.digest) == (3, first.digest)
    assert named(dataset) == ["1", "2", "3"]


def test_when_where_and_in_which_run_it_was_made_is_no_other_version(dataset, first):
    later = {
        "created": first.created + timedelta(days=1),
        "commit": "d" * 40,
        "run": "1f0e",
        "config": {"sources": {"xbd": "/moved/xbd"}},
    }
    assert published(dataset, **later) == first
    assert named(dataset) == ["1"]


def test_what_is_kept_is_not_written_again(dataset, first):
    (version,) = versions_of(dataset)
    before = version.folder.stat().st_ino
    keep(dataset, first)
    assert version.folder.stat().st_ino == before


def test_killed_while_it_is_kept_leaves_the_versions_that_there_were(dataset, first, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", lambda *_: pytest.fail("killed"))
        patched.setattr("tasks.atomic.rmtree", lambda *_, **__: None)  # nobody clears up
        with pytest.raises(pytest.fail.Exception, match="killed"):
            published(dataset, seed=8)
    assert read_manifest(dataset) == first
    assert named(dataset) == ["1"]
    assert published(dataset, seed=9).version == 2
    assert named(dataset) == ["1", "2"]


def test_killed_before_its_manifest_it_is_the_same_version_afterwards(dataset, first, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("tests.dataset.publishing.write_manifest", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception, match="killed"):
            published(dataset, seed=8)
    assert verify(versions_of(dataset)[-1].folder).ok
    assert published(dataset, seed=8).version == 2
    assert named(dataset) == ["1", "2"]


def test_a_version_that_lacks_a_file_is_kept_again(dataset, first):
    (version,) = versions_of(dataset)
    (version.folder / first.files[0].path).unlink()
    assert not is_kept(dataset, first)
    keep(dataset, first)
    assert is_kept(dataset, first)
    assert verify(version.folder).ok


def test_without_hard_links_versions_are_copies_and_it_is_said(dataset, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    first = published(dataset)
    assert is_kept(dataset, first)
    assert f"{len(paths_of(first))} files are copies" in capsys.readouterr().err
    assert verify(versions_of(dataset)[0].folder).ok


def test_a_full_disk_leaves_no_version_and_says_which(dataset, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match=r"cannot write .*versions/1-"):
        published(dataset)
    assert list((dataset / "versions").iterdir()) == []


def test_only_as_many_versions_stay_as_are_asked_for(dataset, first):
    published(dataset, seed=8)
    published(dataset, seed=9)
    drop_before(dataset, 2)
    assert named(dataset) == ["2", "3"]
    assert published(dataset, seed=10).version == 4


def test_what_a_killed_removal_left_is_removed_by_the_next(dataset, first):
    published(dataset, seed=8)
    old, _ = (version.folder for version in versions_of(dataset))
    old.rename(old.with_name(f".{old.name}.gone"))
    drop_before(dataset, 1)
    assert [path.name[0] for path in (dataset / "versions").iterdir()] == ["2"]


def test_without_the_folders_of_its_versions_a_dataset_keeps_its_number(dataset, first):
    second = published(dataset, seed=8)
    shutil.rmtree(dataset / "versions")
    assert published(dataset, seed=8) == second
    assert named(dataset) == ["2"]
    shutil.rmtree(dataset / "versions")
    third = published(dataset, seed=9)
    assert (third.version, third.parents) == (3, (second.digest,))
    assert before(dataset, third) is None
    assert verify(dataset).ok


def test_where_the_latest_version_is_gone_its_number_is_not_given_again(dataset, first):
    published(dataset, seed=8)
    shutil.rmtree(versions_of(dataset)[-1].folder)
    third = published(dataset, seed=9)
    assert (third.version, third.parents) == (3, (first.digest,))


def test_a_number_is_never_given_twice(dataset, first):
    second = published(dataset, seed=8)
    (versions_of(dataset)[-1].folder / "manifest.json").write_text("{")
    third = published(dataset, seed=9)
    assert third.version == second.version + 1
    assert third.parents == (first.digest,)

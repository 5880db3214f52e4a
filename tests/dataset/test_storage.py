"""A dataset on S3-compatible storage: whole or not at all, each file once, read as one here."""

import hashlib
import json
import logging
import shutil
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pyarrow.fs
import pytest

from tasks.config import BuildConfig
from tasks.errors import ConfigError, UserError
from tasks.manifest import read_manifest
from tasks.publish import Published
from tasks.stages import store_dataset
from tasks.storage import bucket as bucket_module
from tasks.storage.address import address_of
from tasks.storage.bucket import StorageError
from tasks.storage.pull import fetched, opened, pull
from tasks.storage.push import push
from tasks.verify import verify
from tasks.versions import paths_of, versions_of
from tests.dataset.publishing import published
from tests.dataset.storage_server import BUCKET, StorageServer, serving

KEY, SECRET = "AKIAVERYSECRET4711", "very/secret+key"
TO = address_of(f"s3://{BUCKET}/sets")


@pytest.fixture(scope="module")
def server():
    with serving() as served:
        yield served


@pytest.fixture
def storage(server, monkeypatch, tmp_path):
    """Return a server with an empty bucket, that the environment points at."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("TERRASCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bucket_module, "ATTEMPTS", 1)
    server.healed()
    urlopen(Request(f"{server.url}/moto-api/reset", method="POST")).close()
    files_on(server, allow_bucket_creation=True).create_dir(BUCKET)
    server.healed()
    return server


def files_on(server: StorageServer, **options) -> pyarrow.fs.S3FileSystem:
    return pyarrow.fs.S3FileSystem(endpoint_override=server.url, request_timeout=60, **options)


@pytest.fixture
def first(dataset):
    return published(dataset)


def url_of(dataset: Path) -> str:
    return f"s3://{BUCKET}/sets/{read_manifest(dataset).dataset}"


def content_of(folder: Path) -> dict[str, bytes]:
    paths = [*paths_of(read_manifest(folder)), "manifest.json"]
    return {path: (folder / path).read_bytes() for path in paths}


def second(dataset: Path) -> None:
    """Publish another version, of which one shard is another."""
    manifest = read_manifest(dataset)
    kept = [file for file in manifest.files if file != manifest.files[-1]]
    (dataset / "manifest.json").unlink()
    published_files = {"files": tuple(kept), "created": manifest.created + timedelta(days=1)}
    from_before = manifest.model_copy(update=published_files)
    (dataset / "manifest.json").write_text(from_before.model_dump_json())
    published(dataset)


def test_what_was_pushed_is_read_as_it_was(dataset, first, storage) -> None:
    pushed = push(dataset, TO)
    assert pushed.changed
    assert pushed.shared == 0
    folder = opened(url_of(dataset))
    assert content_of(folder) == content_of(dataset)
    assert verify(folder).failures == verify(dataset).failures


def test_the_manifest_is_written_last(dataset, first, storage) -> None:
    push(dataset, TO)
    assert storage.writes[-1].endswith(f"/{first.dataset}/manifest.json")
    assert all("manifest.json" not in path for path in storage.writes[:-2])


def test_pushing_again_writes_nothing(dataset, first, storage) -> None:
    push(dataset, TO)
    storage.healed()
    again = push(dataset, TO)
    assert storage.writes == []
    assert (again.uploaded, again.changed) == (0, False)


def test_versions_share_their_files_and_both_stay_readable(dataset, first, storage) -> None:
    push(dataset, TO)
    before = content_of(dataset)
    second(dataset)
    storage.healed()
    pushed = push(dataset, TO)
    assert not any(".parquet" in path for path in storage.writes)
    data = {file.path: file.sha256 for file in read_manifest(dataset).files}
    written = {path.rpartition("/")[2].partition("?")[0] for path in storage.writes}
    assert data
    assert not written & {*data.values()}
    assert pushed.shared >= len(data)
    assert content_of(fetched(f"{url_of(dataset)}@1")) == before
    assert content_of(fetched(url_of(dataset))) == content_of(dataset)
    assert [version.number for version in versions_of(fetched(url_of(dataset)).parents[1])] == [
        1,
        2,
    ]


def test_an_older_version_does_not_become_the_latest(dataset, first, storage) -> None:
    second(dataset)
    push(dataset, TO)
    push(opened(f"{dataset}@1"), TO)
    assert read_manifest(fetched(url_of(dataset))).version == 2
    assert read_manifest(fetched(f"{url_of(dataset)}@1")).version == 1


def test_another_history_under_the_same_name_is_refused(dataset, first, storage, tmp_path) -> None:
    push(dataset, TO)
    other = tmp_path / "other"
    shutil.copytree(dataset, other, ignore=shutil.ignore_patterns("versions"))
    manifest = first.model_copy(update={"seed": first.seed + 1})
    (other / "manifest.json").write_text(manifest.model_dump_json())
    with pytest.raises(StorageError, match="holds another version 1"):
        push(other, TO)


@pytest.mark.parametrize("fault", ["refuse", "break"])
@pytest.mark.parametrize("most", [0, 3])
def test_an_upload_that_ends_early_publishes_nothing_and_goes_on(
    dataset, first, storage, fault, most
) -> None:
    storage.most, storage.fault = most, fault
    with pytest.raises(StorageError, match="cannot write objects/"):
        push(dataset, TO)
    storage.healed()
    with pytest.raises(StorageError, match=r"holds no manifest\.json"):
        fetched(url_of(dataset))
    pushed = push(dataset, TO)
    assert pushed.changed
    assert content_of(fetched(url_of(dataset))) == content_of(dataset)


def test_a_second_version_that_ends_early_leaves_the_first(dataset, first, storage) -> None:
    push(dataset, TO)
    before = content_of(dataset)
    second(dataset)
    storage.healed()
    storage.most = 1
    with pytest.raises(StorageError):
        push(dataset, TO)
    assert content_of(fetched(url_of(dataset))) == before


def test_storage_that_is_not_there_is_one_clear_line(dataset, first, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(bucket_module, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(StorageError, match=rf"s3://{BUCKET}/sets/.*: cannot list") as failure:
        push(dataset, TO)
    assert "\n" not in str(failure.value)


def test_a_bucket_that_does_not_exist_is_named(dataset, first, storage) -> None:
    with pytest.raises(StorageError, match=r"s3://nowhere/.*NO_SUCH_BUCKET"):
        push(dataset, address_of("s3://nowhere"))


def test_a_damaged_shard_is_not_pushed(dataset, first, storage) -> None:
    shard = dataset / first.files[0].path
    content = shard.read_bytes()
    shard.unlink()
    shard.write_bytes(content[:-1] + b"?")
    with pytest.raises(UserError, match="not as it was written"):
        push(dataset, TO)


def test_an_object_that_was_changed_on_storage_is_not_taken(dataset, first, storage) -> None:
    push(dataset, TO)
    shard = first.files[0]
    files = files_on(storage)
    name = f"{BUCKET}/sets/{first.dataset}/objects/{shard.sha256[:2]}/{shard.sha256}"
    with files.open_output_stream(name) as stream:
        stream.write(b"0" * shard.bytes)
    with pytest.raises(StorageError, match="not what was stored"):
        fetched(url_of(dataset))


def test_a_list_that_leads_out_of_the_dataset_is_not_followed(dataset, first, storage) -> None:
    push(dataset, TO)
    digest = hashlib.sha256(b"").hexdigest()
    files = files_on(storage)
    folder = f"{BUCKET}/sets/{first.dataset}/versions/1-{first.digest[:12]}"
    with files.open_output_stream(f"{folder}/files.json") as stream:
        stream.write(json.dumps([{"path": "../../x", "sha256": digest, "bytes": 0}]).encode())
    with pytest.raises(StorageError, match="not as it was written"):
        fetched(url_of(dataset))


def test_what_is_in_the_cache_is_not_fetched_again(dataset, first, storage, monkeypatch) -> None:
    push(dataset, TO)
    fetched(url_of(dataset))
    second(dataset)
    push(dataset, TO)
    read: list[str] = []
    plain = bucket_module.Bucket.read
    monkeypatch.setattr(
        bucket_module.Bucket, "read", lambda self, name: read.append(name) or plain(self, name)
    )
    fetched(url_of(dataset))
    assert not {file.sha256 for file in read_manifest(dataset).files} & {
        name.rpartition("/")[2] for name in read
    }


def test_pull_makes_a_folder_and_only_replaces_a_copy(dataset, first, storage, tmp_path) -> None:
    push(dataset, TO)
    copy = tmp_path / "copy"
    pull(url_of(dataset), copy)
    assert content_of(copy) == content_of(dataset)
    second(dataset)
    push(dataset, TO)
    pull(url_of(dataset), copy)
    assert content_of(copy) == content_of(dataset)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "note.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        pull(url_of(dataset), mine)
    assert (mine / "note.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "url", ["s3://", "s3://AKIA:secret@archive/x", "s3://archive/../x", "/tmp/x", "s3://a/b?key=c"]
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url) -> None:
    with pytest.raises(ConfigError, match="never from the address") as failure:
        address_of(url)
    assert "secret" not in str(failure.value)


def test_no_error_log_or_object_shows_a_key(dataset, first, storage, caplog, capfd) -> None:
    caplog.set_level(logging.DEBUG)
    storage.most = 2
    with pytest.raises(StorageError) as failure:
        push(dataset, TO)
    storage.healed()
    push(dataset, TO)
    shown = str(failure.value) + caplog.text + "".join(capfd.readouterr())
    stored = b"".join(content_of(fetched(url_of(dataset))).values()).decode("latin-1")
    for secret in (KEY, SECRET):
        assert secret not in shown
        assert secret not in stored


def test_a_build_stores_what_it_published_once(dataset, first, storage) -> None:
    published_now = Published(dataset=dataset, counts=(), gates=(), changed=True)
    config = BuildConfig(sources={"xbd": dataset}, out=dataset, storage=f"{TO}/")
    assert config.storage == str(TO)
    assert store_dataset(config, published_now)
    assert not store_dataset(config, published_now)
    assert content_of(fetched(url_of(dataset))) == content_of(dataset)
    assert not store_dataset(config.model_copy(update={"storage": ""}), published_now)

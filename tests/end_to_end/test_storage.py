"""The commands on a dataset that lies on S3-compatible storage."""

import json
import os

import pyarrow.fs
import pytest

from tests.dataset.storage_server import BUCKET, serving

pytestmark = [pytest.mark.slow, pytest.mark.full]


@pytest.fixture
def env(monkeypatch, tmp_path):
    """Return the environment of commands that find a server with an empty bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("TERRASCOPE_CACHE", str(tmp_path / "cache"))
    with serving() as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        files = pyarrow.fs.S3FileSystem(
            endpoint_override=served.url, allow_bucket_creation=True, request_timeout=60
        )
        files.create_dir(BUCKET)
        yield dict(os.environ)


def test_what_reads_a_dataset_reads_it_from_storage(terrascope, dataset, tmp_path, env) -> None:
    assert terrascope("push", dataset, f"s3://{BUCKET}/sets", env=env).returncode == 0
    url = f"s3://{BUCKET}/sets/{dataset.name}"
    proved = terrascope("verify", url, env=env)
    assert proved.returncode == 0, proved.stdout
    assert proved.stdout == terrascope("verify", dataset).stdout
    assert terrascope("inspect", url, env=env).stdout == terrascope("inspect", dataset).stdout
    copy = tmp_path / "copy"
    assert terrascope("pull", f"{url}@1", copy, env=env).returncode == 0
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (dataset, copy)]
    assert manifests[0] == manifests[1]
    none = terrascope("verify", f"{url}@7", env=env)
    assert none.returncode == 2
    assert "keeps no version 7; it has 1" in none.stderr

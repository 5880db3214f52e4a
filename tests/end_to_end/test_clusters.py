"""A cluster makes the same bytes as one process."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.clusters import cluster

pytestmark = [pytest.mark.slow, pytest.mark.full]


def digests(dataset: Path) -> dict[str, str]:
    files = [p for name in ("data", "quarantine") for p in (dataset / name).rglob("*.*")]
    return {str(p.relative_to(dataset)): sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize(("kind", "engine"), [("dask", "prefect"), ("ray", "local")])
def test_a_dataset_is_the_same_bytes_on_a_cluster(
    terrascope, dataset, sources, tmp_path, kind, engine
) -> None:
    out = tmp_path / dataset.name
    with cluster(kind) as address:
        done = terrascope(
            "build", *sources, "--out", out, "--engine", engine, "--cluster", f"{kind}={address}"
        )
        assert done.returncode == 0, done.stderr
    assert digests(out) == digests(dataset)

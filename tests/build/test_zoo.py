"""The zoo: every broken file is in quarantine with an accepted reason, and nothing good is lost."""

import json

import pyarrow.parquet as pq
import pytest

from tasks.manifest import read_manifest


@pytest.fixture(scope="module")
def zoo(tmp_path_factory, terrascope):
    """Return a planet with a zoo, the zoo's list, and the dataset built from it."""
    folder = tmp_path_factory.mktemp("zoo")
    assert (
        terrascope("planet", folder / "planet", "--scenes=32", "--seed=4", "--zoo").returncode == 0
    )
    names = ("bigearthnet", "chatearthnet", "teochatlas", "xbd")
    sources = [f"--source={name}={folder / 'planet' / name}" for name in names]
    done = terrascope("build", *sources, "--out", folder / "dataset", "--engine=local")
    assert done.returncode == 0, done.stderr
    exhibits = json.loads((folder / "planet" / "zoo.json").read_text())
    return exhibits, folder / "dataset", folder / "planet"


def refusals(dataset):
    rows = []
    for path in (dataset / "quarantine").glob("*.parquet"):
        rows += pq.read_table(path).to_pylist()
    return rows


def test_every_exhibit_is_refused_for_its_own_defect(zoo) -> None:
    exhibits, dataset, _ = zoo
    rows = refusals(dataset)
    missed = []
    for exhibit in exhibits:
        found = {
            row["reason"]
            for row in rows
            if row["source"] == exhibit["source"]
            and (exhibit["scene"] in row["sample_id"] or exhibit["scene"] in row["detail"])
        }
        if not found & set(exhibit["reasons"]):
            missed.append((exhibit["source"], exhibit["scene"], exhibit["defect"], found))
    assert missed == []


def test_the_zoo_holds_every_kind_of_defect(zoo) -> None:
    exhibits, _, _ = zoo
    assert {e["source"] for e in exhibits} == {"bigearthnet", "chatearthnet", "teochatlas", "xbd"}
    assert len({e["defect"] for e in exhibits}) >= 25


def test_no_good_scene_is_lost(zoo) -> None:
    exhibits, dataset, planet = zoo
    broken = {exhibit["scene"] for exhibit in exhibits}
    refused = {row["sample_id"] for row in refusals(dataset)}
    for source in ("bigearthnet", "chatearthnet", "xbd"):
        truth = json.loads((planet / "truth" / f"{source}.json").read_text())
        good = {scene["scene_id"] for scene in truth["scenes"]} - broken
        assert good
        assert not {name for name in refused if any(name.endswith(g) for g in good)}


def test_counts_add_up_and_the_rest_is_proved(zoo, terrascope) -> None:
    _exhibits, dataset, _ = zoo
    manifest = read_manifest(dataset)
    for count in manifest.counts:
        assert count.taken == count.out + count.rejected + count.left_out
    assert sum(file.rows for file in manifest.quarantine) == len(refusals(dataset))
    assert terrascope("verify", dataset).returncode == 0

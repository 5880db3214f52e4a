"""The zoo: every broken file is in quarantine with an accepted reason, and nothing good is lost."""

import json
from pathlib import Path

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


def names_of(exhibit):
    """Return what may name an exhibit in a refusal: its scene, its record, its file, its images."""
    names = {exhibit["scene"]}
    if exhibit["record"] >= 0:
        file = exhibit["file"].removeprefix(f"{exhibit['source']}/")
        stem = exhibit["scene"].split("#")[0]
        names |= {f"{stem}.json#{exhibit['record']}", f"{stem}-{exhibit['record']:06}"}
        names |= set() if file.endswith(".json") else {file}
    # the zoo's copies of images begin with a number of their own
    return names | {f"_{Path(image).name.split('.')[0]}" for image in exhibit["images"]}


def test_every_exhibit_is_refused_for_its_own_defect(zoo) -> None:
    exhibits, dataset, _ = zoo
    rows = refusals(dataset)
    missed = []
    for exhibit in exhibits:
        found = {
            row["reason"]
            for row in rows
            if row["source"] == exhibit["source"]
            and any(name in f"{row['sample_id']} {row['detail']}" for name in names_of(exhibit))
        }
        if not found or not found <= set(exhibit["reasons"]):
            missed.append((exhibit["source"], exhibit["scene"], exhibit["defect"], found))
    assert missed == []


def test_every_refusal_is_of_an_exhibit(zoo) -> None:
    exhibits, dataset, _ = zoo
    names = {name for exhibit in exhibits for name in names_of(exhibit)}
    rows = refusals(dataset)
    others = [r for r in rows if not any(n in f"{r['sample_id']} {r['detail']}" for n in names)]
    assert others == []
    assert len(rows) == len(exhibits)


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

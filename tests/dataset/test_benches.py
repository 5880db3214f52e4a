"""A bench as the leakage meter sees it: its scenes, each once, with what its samples show."""

from hashlib import sha256

import pyarrow.parquet as pq
import pytest

from tasks.config import load_config
from tasks.errors import ConfigError
from tasks.manifest import read_manifest
from tasks.publication.footprints import EDGES, is_plain
from tasks.publication.judge import bench_leakage
from tasks.publication.leakage import Footprint
from tasks.publication.shown_scenes import scenes_shown


def rows(dataset):
    for file in read_manifest(dataset).files:
        columns = ["source", "scene_id", "place", "grid", "images"]
        yield from pq.read_table(dataset / file.path, columns=columns).to_pylist()


def learnt(split, images=(), bounds=None):
    return Footprint(
        source="own", split=split, scene_id="a", place="p", bounds_lonlat=bounds, images=images
    )


def found(dataset, *scenes):
    return [gate.found for gate in bench_leakage(dataset, scenes)]


def test_every_scene_of_a_bench_is_seen_once_with_all_that_its_samples_show(finished):
    shown = {}
    for row in rows(finished):
        pixels = row["grid"]["height"] * row["grid"]["width"]
        images = [image["bytes"] for image in row["images"]]
        digests = {sha256(one).hexdigest() for one in images if not is_plain(one, pixels)}
        shown.setdefault((row["source"], row["scene_id"]), set()).update(digests)
    scenes = list(scenes_shown(finished))
    assert len(scenes) == 11
    assert {(s["source"], s["scene_id"]): set(s["images"]) for s in scenes} == shown
    assert any(shown.values())


def test_an_image_of_a_bench_in_training_is_refused_and_in_the_test_split_is_not(finished):
    image = next(scene["images"][0] for scene in scenes_shown(finished) if scene["images"])
    images, overlapping, touching = bench_leakage(finished, [learnt("train", (image,))])
    assert (images.found, images.holds) == (1, False)
    assert images.examples[0].startswith(("own a (train) and", "bigearthnet", "xbd"))
    assert overlapping.holds
    assert touching.limit is None
    assert found(finished, learnt("test", (image,)))[0] == 0


def test_ground_of_a_bench_in_training_is_refused_and_ground_beside_it_reported(
    finished, monkeypatch
):
    edges = dict(zip(EDGES, (10.0, 50.0, 10.1, 50.1), strict=True))
    there = {"source": "own", "scene_id": "b", "place": "p", "images": (), **edges}
    monkeypatch.setattr("tasks.publication.judge.scenes_shown", lambda folder: [there])
    assert found(finished, learnt("train", bounds=(10.05, 50.0, 10.15, 50.1))) == [0, 2, 0]
    assert found(finished, learnt("train", bounds=(10.1, 50.0, 10.2, 50.1))) == [0, 0, 2]
    assert found(finished, learnt("train", bounds=(11.0, 50.0, 11.1, 50.1))) == [0, 0, 0]


def test_a_bench_that_is_no_dataset_is_refused_before_any_work(tmp_path):
    values = {
        "sources": {"xbd": tmp_path},
        "out": tmp_path / "out",
        "gates": {"benches": [str(tmp_path / "none")]},
    }
    with pytest.raises(ConfigError, match=r"gates\.benches: .*none holds no manifest\.json"):
        load_config(None, values)

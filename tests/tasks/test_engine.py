"""Granules on a cluster: cut into batches, tried again, and failed with their names."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.config import BuildConfig, load_config
from tasks.engine import run
from tasks.engine.cluster import ATTEMPTS, Lost
from tasks.engine.run import (
    LEAST_GRANULES,
    MOST_GRANULES,
    GranuleWork,
    cut,
    hired,
    lanes_of,
    run_granules,
)
from tasks.engine.work import Seen, look
from tasks.errors import BatchFailed, ConfigError
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tests.clusters import cluster
from tests.tasks.cluster_work import dies, fails, record, tries

GRANULES = [GranuleId("xbd", "train", f"{number:03}") for number in range(20)]


class Here:
    """A cluster of three lanes in this process, that loses what is in `losing`."""

    lanes = 3

    def __init__(self, address: str) -> None:
        self.address = address
        self.seen = look([])
        self.losing: set[str] = set()
        self.batches: list[tuple[GranuleId, ...]] = []
        self.open = True
        HERE.append(self)

    def look(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        return {"worker-1": replace(look(paths), **CHANGED)}

    def run(self, work, batches) -> Iterator[list[Record] | Lost]:
        self.batches += batches
        for batch in batches:
            if self.losing & {granule.name for granule in batch}:
                yield Lost(batch=batch, error=MemoryError("worker killed"))
            else:
                yield [work(granule) for granule in batch]

    def close(self) -> None:
        self.open = False


HERE: list[Here] = []
CHANGED: dict[str, object] = {}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildConfig:
    """Return a configuration whose Dask cluster is this process."""
    HERE.clear()
    CHANGED.clear()
    monkeypatch.setattr(run, "DaskCluster", Here)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    return BuildConfig(
        sources={"xbd": tmp_path / "archive"},
        out=Path("dataset"),
        engine={"kind": "dask", "address": "tcp://here:1"},
    )


@given(st.integers(0, 200), st.integers(1, 64))
def test_batches_have_every_granule_once_in_order_and_two_to_eight(number: int, lanes: int) -> None:
    granules = [GranuleId("xbd", "train", str(n)) for n in range(number)]
    batches = cut(granules, lanes)
    assert [granule for batch in batches for granule in batch] == granules
    assert all(len(batch) <= MOST_GRANULES for batch in batches)
    assert all(len(batch) >= LEAST_GRANULES for batch in batches[:-1])


def test_work_goes_to_the_cluster_under_a_path_that_others_know(config: BuildConfig) -> None:
    with hired(config):
        assert lanes_of(config) == 3
        found = list(run_granules(record, config, GRANULES))
    assert [one.granule for one in found] == [granule.name for granule in GRANULES]
    assert {one.parts["out"] for one in found} == {str(config.out.resolve())}
    (here,) = HERE
    assert [len(batch) for batch in here.batches] == [7, 7, 6]
    assert not here.open
    assert not list((config.out / ".work").iterdir())
    assert lanes_of(config) == 1


@pytest.fixture
def here(tmp_path: Path) -> BuildConfig:
    """Return a configuration of two processes of this machine."""
    (tmp_path / "archive").mkdir()
    return BuildConfig(sources={"xbd": tmp_path / "archive"}, out=tmp_path / "out", workers=2)


def noted(config: BuildConfig, granule: GranuleId) -> Record:
    """Note in which process a granule is worked on, unless that is noted already."""
    ledger = Ledger(config.out)
    if done := ledger.done("noted", granule.name, "a key"):
        return replace(done, reused=True)
    done = Record(
        stage="noted", granule=granule.name, key="a key", outputs=(), taken=os.getpid(), out=0
    )
    ledger.store(done)
    return done


def test_what_is_done_is_found_without_a_worker(here: BuildConfig, monkeypatch) -> None:
    for granule in GRANULES:
        noted(here, granule)
    monkeypatch.setattr("tasks.pool._pool", lambda workers: pytest.fail("a worker is started"))
    found = list(run_granules(noted, here, GRANULES))
    assert [one.granule for one in found] == [granule.name for granule in GRANULES]
    assert all(one.reused for one in found)


def test_what_is_due_is_done_by_workers_alone(here: BuildConfig) -> None:
    kept = [GRANULES[0], GRANULES[1], GRANULES[7]]
    for granule in kept:
        noted(here, granule)
    found = {one.granule: one for one in run_granules(noted, here, GRANULES)}
    assert set(found) == {granule.name for granule in GRANULES}
    assert {name for name, one in found.items() if one.reused} == {one.name for one in kept}
    anew = {one.taken for one in found.values() if not one.reused}
    assert os.getpid() not in anew


def test_a_batch_that_fails_names_its_granules(config: BuildConfig) -> None:
    with hired(config):
        HERE[0].losing.add("xbd-train-008")
        with pytest.raises(BatchFailed) as failure:
            list(run_granules(record, config, GRANULES))
    said = str(failure.value)
    assert "dask cluster tcp://here:1: a batch failed again and again" in said
    assert "xbd-train-007, xbd-train-008," in said
    assert "xbd-train-006" not in said
    assert "MemoryError: worker killed" in said


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"code": "other"}, r"worker worker-1 has another version of this program"),
        ({"versions": ("pyarrow 1.0",)}, r"worker worker-1 has pyarrow 1\.0, unlike this machine"),
        ({"missing": ("/archives/xbd",)}, r"worker-1 does not see /archives/xbd; archives have"),
    ],
)
def test_a_worker_that_would_do_it_otherwise_is_refused_before_work(
    config: BuildConfig, changed: dict[str, object], match: str
) -> None:
    CHANGED.update(changed)
    with pytest.raises(ConfigError, match=match), hired(config):
        pytest.fail("work would start")
    assert not HERE[0].open


def test_a_worker_that_has_another_folder_at_the_same_path_is_refused(
    config: BuildConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Here, "look", lambda self, paths: {"w": replace(look([]), missing=(paths[0],))}
    )
    with pytest.raises(ConfigError, match=r"does not see .*/dataset as it is here"), hired(config):
        pytest.fail("work would start")


@pytest.mark.parametrize(
    "engine", [{"kind": "dask"}, {"kind": "ray", "address": ""}, {"address": "tcp://a:1"}]
)
def test_a_cluster_has_an_address_and_processes_have_none(
    tmp_path: Path, engine: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="dask and ray need an address"):
        load_config(None, {"sources": {"xbd": tmp_path}, "out": tmp_path, "engine": engine})


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch, kind: str) -> None:
    monkeypatch.setattr("tasks.config.find_spec", lambda name: None)
    engine = {"kind": kind, "address": "tcp://a:1"}
    with pytest.raises(ConfigError, match=rf"pip install -e '\.\[{kind}\]'"):
        load_config(None, {"sources": {"xbd": tmp_path}, "out": tmp_path, "engine": engine})


def test_the_engine_is_no_part_of_what_a_dataset_is(tmp_path: Path) -> None:
    plain = BuildConfig(sources={"xbd": tmp_path}, out=tmp_path)
    on_ray = BuildConfig(
        sources={"xbd": tmp_path}, out=tmp_path, engine={"kind": "ray", "address": "auto"}
    )
    assert plain.content_digest == on_ray.content_digest


@pytest.fixture(scope="module", params=["dask", "ray"])
def engine(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Return the settings of a real cluster of two workers on this machine."""
    with cluster(request.param) as address:
        yield {"kind": request.param, "address": address}


@pytest.fixture
def real(engine: dict[str, str], tmp_path: Path) -> BuildConfig:
    return BuildConfig(sources={"xbd": tmp_path}, out=tmp_path / "dataset", engine=engine)


@pytest.mark.full
@pytest.mark.slow
def test_a_batch_whose_worker_dies_is_done_elsewhere(real: BuildConfig) -> None:
    with hired(real):
        assert lanes_of(real) == 2
        found = list(run_granules(partial(dies, most=1), real, GRANULES))
    assert sorted(one.granule for one in found) == [granule.name for granule in GRANULES]
    assert tries(real) == 1


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "cause"), [(fails, "No space left on device"), (partial(dies, most=99), "")]
)
def test_a_batch_that_fails_three_times_fails_the_run(
    real: BuildConfig, work: GranuleWork, cause: str
) -> None:
    with hired(real), pytest.raises(BatchFailed, match=f"xbd-train-000, xbd-train-001: .*{cause}"):
        list(run_granules(work, real, GRANULES[:2]))
    assert tries(real) == ATTEMPTS


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_an_address_that_does_not_answer_is_said_before_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(f"tasks.engine.on_{kind}.CONNECT_S", 1.0)
    config = BuildConfig(
        sources={"xbd": tmp_path},
        out=tmp_path / "dataset",
        engine={"kind": kind, "address": "tcp://127.0.0.1:9" if kind == "dask" else "127.0.0.1:9"},
    )
    with pytest.raises(ConfigError, match=r"answers at .*127\.0\.0\.1:9"), hired(config):
        pytest.fail("work would start")
    assert not config.out.exists()

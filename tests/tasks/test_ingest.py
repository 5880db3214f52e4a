import errno
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import Grid, LabelLayer, Modality, Scene, SceneImage, SceneRef
from schemas.taxonomy import BIGEARTHNET_19
from tasks.config import ConfigError, load_config
from tasks.granules import read_catalogue, store_granule
from tasks.ingest import ingest_granule, read_scene
from tasks.ledger import Ledger
from tasks.shards import write_rejects
from tasks.sources.registry import SOURCES, Source


def ref_of(scene_id, files=("a.png",)):
    return SceneRef(
        source="xbd",
        scene_id=scene_id,
        split="train",
        place=scene_id,
        bucket="0",
        locality="0",
        files=files,
        facts={},
    )


def scene_of(ref):
    image = SceneImage(
        role="single",
        modality=Modality.OPTICAL,
        rendering="rgb_uint8_as_is",
        date="",
        date_index=0,
        encoded=b"png",
        path="a.png",
    )
    layer = LabelLayer(
        layer="land_cover",
        date_index=0,
        product="p",
        taxonomy=BIGEARTHNET_19,
        ids_HW=np.zeros((16, 16), dtype=np.uint8),
        invalid=Invalid.OTHER,
    )
    grid = Grid(height=16, width=16, pixel_size_m=None, bounds_lonlat=None, north_up=False)
    return Scene(ref=ref, licence="l", grid=grid, images=(image,), layers=(layer,), files=())


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return what ingests a source of these entries, whose reader raises where told to."""

    def run(entries, errors=None):
        def index(root):
            for entry in entries:
                if isinstance(entry, Exception):
                    raise entry
                yield entry

        def read(root, ref):
            if ref.scene_id in (errors or {}):
                raise errors[ref.scene_id]
            return scene_of(ref)

        monkeypatch.setitem(SOURCES, "xbd", Source(1, index, read))
        config = load_config(None, {"sources": {"xbd": tmp_path}, "out": tmp_path / "out"})
        (granule,) = read_catalogue(config).granules
        store_granule(Ledger(config.out), granule)
        return config, granule

    return run


def rejects_of(config):
    (path,) = config.out.rglob("*.rejects.parquet")
    return pq.read_table(path).to_pylist()


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("by zero"),
        IndexError("no band 3"),
        MemoryError(),
        OSError(errno.EIO, "disk gone"),
        RecursionError("too deep"),
        TypeError("None"),
        ValueError("a value"),
    ],
)
def test_what_a_reader_fails_on_costs_its_scene_alone_and_is_named(build, error):
    config, granule = build([ref_of("good"), ref_of("bad")], {"bad": error})
    record = ingest_granule(config, granule.id)
    assert (record.out, record.rejected) == (1, 1)
    (row,) = rejects_of(config)
    assert (row["sample_id"], row["reason"]) == ("bad", "reader_failed")
    assert row["detail"] == f"bad: {type(error).__name__}: {error}"


def test_a_refusal_keeps_its_own_reason(build, tmp_path):
    config, granule = build([ref_of("bad")], {"bad": Refusal(Reason.TOO_SMALL, "8 px")})
    with pytest.raises(Refusal) as caught:
        read_scene(config, tmp_path, granule.refs[0])
    assert caught.value.reason is Reason.TOO_SMALL


def test_an_error_of_writing_still_stops_the_build_by_name(build):
    config, granule = build([ref_of("good")])
    Ledger(config.out).path("ingest", granule.id.name, ".parquet").mkdir(parents=True)
    with pytest.raises(OSError, match=r"cannot write .*\.parquet"):
        ingest_granule(config, granule.id)


@pytest.mark.parametrize("name", ["a\0b.png", "a" * 300 + ".png", "\ud800.png"])
def test_a_name_that_no_file_can_have_counts_as_no_file(build, name):
    config, granule = build([ref_of("good", files=(name,))])
    assert ingest_granule(config, granule.id).out == 1


def test_letters_that_utf8_cannot_hold_are_stored_as_escapes(tmp_path):
    bad = os.fsdecode(b"bad\xff.png")
    rejected = Rejected(
        sample_id=bad, source="xbd", stage="index", reason=Reason.MISSING_METADATA, detail=bad
    )
    write_rejects(tmp_path / "r.parquet", [rejected])
    (row,) = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert (row["sample_id"], row["detail"]) == ("bad\\udcff.png", "bad\\udcff.png")
    assert str(Refusal(Reason.WRONG_TYPE, "a\ud800")) == "wrong_type: a\\ud800"


@pytest.mark.parametrize("error", [ValueError("no archive"), PermissionError(13, "closed")])
def test_an_index_that_cannot_begin_stops_before_any_work(build, error):
    with pytest.raises(ConfigError, match=r"source xbd: .*(no archive|closed)"):
        build([error])

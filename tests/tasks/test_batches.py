"""Granules cut into batches: few enough for a server, and little to walk through for Prefect."""

import pickle
from dataclasses import asdict

from schemas.scene import SceneRef
from tasks.granules import MAX_TASK_RUNS, Batch, Granule, GranuleId, batches

REF = SceneRef(
    source="made-up",
    scene_id="any",
    split="train",
    place="",
    bucket="a",
    locality="",
    files=(),
)
STAGES_BY_BATCHES = 12  # with an annotator; without one there are eight


def ids(number):
    return [GranuleId("made-up", "train", str(index)) for index in range(number)]


def test_a_hundred_thousand_granules_are_under_a_thousand_task_runs():
    granules = [Granule(id=one, refs=(REF,) * 256) for one in ids(100_000)]
    cut = batches(granules, lanes=1)
    assert [one for batch in cut for one in batch] == [granule.id for granule in granules]
    assert len(cut) == MAX_TASK_RUNS
    assert len(cut) * STAGES_BY_BATCHES < 1000


def test_a_small_build_is_one_batch_whatever_the_number_of_its_granules():
    (batch,) = batches([Granule(id=one, refs=(REF,)) for one in ids(2048)], lanes=1)
    assert len(batch) == 2048


def test_the_granules_of_a_batch_are_no_field_of_it():
    batch = Batch.of(ids(3))
    assert asdict(batch) == {"first": "made-up-train-0", "size": 3}
    assert list(batch) == ids(3)
    assert batch[1:] == tuple(ids(3)[1:])
    assert list(pickle.loads(pickle.dumps(batch))) == ids(3)
    assert not Batch.of(())

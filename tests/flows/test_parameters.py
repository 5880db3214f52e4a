"""What Prefect keeps of a flow's run, which the UI fetches with every list of runs."""

import json

import pytest

from flows.cap_cot import cap_cot
from flows.terra_cot import terra_cot
from tasks.config import BuildConfig
from tasks.granules import Batch, GranuleId
from tasks.stages import Done


def kept(flow, number, tmp_path):
    granules = [GranuleId("made-up", "train", f"{index:06d}") for index in range(number)]
    counts = dict.fromkeys(("taken", "out", "rejected", "left_out", "reused", "anew"), 0)
    scenes = [Done(stage="ingest", batch=Batch.of(granules), **counts)]
    config = BuildConfig(sources={"made-up": tmp_path}, out=tmp_path)
    given = flow.validate_parameters({"config": config, "scenes": scenes})
    assert given["scenes"][0] is scenes[0]  # by which Prefect knows the task that it comes from
    return flow.serialize_parameters(given)


@pytest.mark.parametrize("flow", [cap_cot, terra_cot])
def test_what_is_kept_of_a_flow_does_not_grow_with_its_granules(flow, tmp_path):
    one, many = (kept(flow, number, tmp_path)["scenes"] for number in (1, 2000))
    assert many[0]["batch"] == {"first": "made-up-train-000000", "size": 2000}
    assert len(json.dumps(many)) < len(json.dumps(one)) + 10

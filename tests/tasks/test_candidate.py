"""What would be published is gathered from records; only what holds something is read."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.rejection import Reason, Rejected
from tasks.candidate import gather
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tasks.shards import write_rejects
from tasks.small_table import table_rows

GRANULES = [GranuleId("bigearthnet", "train", bucket) for bucket in ("a", "b", "c")]
REFUSED = Rejected(
    sample_id="one",
    source="bigearthnet",
    stage="ingest",
    reason=Reason.MISSING_FILE,
    detail="no such file",
)


@pytest.fixture
def config(tmp_path):
    """Return a build of three granules of two scenes, of which one scene of `b` was refused."""
    (tmp_path / "archive").mkdir()
    found = BuildConfig(
        sources={"bigearthnet": tmp_path / "archive"}, out=tmp_path / "out", stages=("l1",)
    )
    ledger = Ledger(found.out)
    write_rejects(ledger.path("index", "all", ".rejects.parquet"), [])
    for granule in GRANULES:
        refused = int(granule.bucket == "b")
        for stage in ("ingest", "l1", "shards-l1"):
            counts = {"taken": 2, "out": 2 - refused, "rejected": refused}
            ledger.store(Record(stage=stage, granule=granule.name, key="any", outputs=(), **counts))
    write_rejects(ledger.path("ingest", GRANULES[1].name, ".rejects.parquet"), [REFUSED])
    return found


def test_of_granules_that_refused_nothing_no_table_is_read(config):
    found = gather(config, GRANULES, {"ingest": 1})  # of `a` and `c` there is no table
    (refused,) = found.quarantine
    assert (refused.path, refused.rows) == ("quarantine/bigearthnet.parquet", 1)
    assert [count.rejected for count in found.counts if count.stage == "ingest"] == [1]


def test_a_granules_table_is_read_row_by_row_with_the_columns_that_are_named(tmp_path):
    table = pa.table({"id": ["x", "y"], "answer": [{"text": "Yes"}, None], "more": [1, 2]})
    pq.write_table(table, tmp_path / "any.parquet")
    assert table_rows(tmp_path / "any.parquet") == table.to_pylist()
    assert table_rows(tmp_path / "any.parquet", ["answer", "id"]) == [
        {"id": "x", "answer": {"text": "Yes"}},
        {"id": "y", "answer": None},
    ]

"""A shard holds every question with its scene, stores a picture once, and any reader opens it."""

import resource
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pycocotools import mask as coco

from masks.reference_scene import decode_rle
from schemas.parquet import REJECT_SCHEMA, SAMPLE_SCHEMA
from tasks.shards import IMAGE_BYTES, write_rejects, write_shard


@pytest.fixture
def shard(tmp_path, granules, provenance):
    return write_shard(tmp_path / "s.parquet", granules[0].scenes, granules[0].selected, provenance)


def repeated(selected: pa.Table, times: int) -> pa.Table:
    """The same questions several times under new ids."""
    copies = []
    for copy in range(times):
        ids = pa.array([f"{i}-{copy}" for i in selected.column("sample_id").to_pylist()])
        copies.append(selected.set_column(0, "sample_id", ids))
    return pa.concat_tables(copies)


def test_every_question_is_one_row_with_its_scene(shard, granules):
    rows = pq.read_table(shard.path).to_pylist()
    scenes = {row["scene_id"]: row for row in granules[0].scenes.to_pylist()}
    questions = {row["sample_id"]: row for row in granules[0].selected.to_pylist()}
    assert shard.rows == len(rows) == len(questions)
    for row in rows:
        scene, question = scenes[row["scene_id"]], questions[row["sample_id"]]
        carried = question["image_indices"]
        assert row["images"] == [scene["images"][i] for i in carried]
        assert row["image_info"] == [scene["image_info"][i] for i in carried]
        for name in ("source", "split", "grid", "scene_masks", "layers", "archive_captions"):
            assert row[name] == scene[name]
        for name in ("question", "options", "answer", "steps", "trace", "masks", "program"):
            assert row[name] == question[name]
        assert row["provenance"]["files"] == scene["files"]
        assert row["provenance"]["template"] == question["template"]


def test_rows_of_one_scene_lie_together_in_the_order_of_the_scenes(tmp_path, granules, provenance):
    scenes, selected = granules[0].scenes, granules[0].selected
    shuffled = selected.take(np.random.default_rng(3).permutation(len(selected)))
    shard = write_shard(tmp_path / "s.parquet", scenes, shuffled, provenance)
    ids = pq.read_table(shard.path).column("scene_id").to_pylist()
    assert list(dict.fromkeys(ids)) == scenes.column("scene_id").to_pylist()
    assert ids == sorted(ids)


def test_a_picture_is_stored_once_a_row_group_however_many_questions_carry_it(
    tmp_path, granules, provenance
):
    scenes, selected = granules[0].scenes.slice(0, 1), granules[0].selected
    selected = selected.filter(pa.compute.equal(selected["scene_id"], "land-000"))
    pictures = sum(len(i["bytes"]) for i in scenes.column("images")[0].as_py())
    shard = write_shard(tmp_path / "s.parquet", scenes, repeated(selected, 10), provenance)
    metadata = pq.ParquetFile(shard.path).metadata
    stored = [
        metadata.row_group(g).column(c).total_compressed_size
        for g in range(metadata.num_row_groups)
        for c in range(metadata.num_columns)
        if metadata.row_group(g).column(c).path_in_schema == IMAGE_BYTES
    ]
    assert [metadata.row_group(g).num_rows for g in range(3)] == [64, 64, 2]
    assert all(pictures < size < pictures + 400 for size in stored[:2])


def test_a_picture_that_no_question_carries_is_not_stored(tmp_path, granules, provenance):
    scenes, selected = granules[0].scenes, granules[0].selected
    only_first = pa.array([[0]] * len(selected), pa.list_(pa.int32()))
    at = selected.schema.get_field_index("image_indices")
    optical = selected.set_column(at, "image_indices", only_first)
    shard = write_shard(tmp_path / "s.parquet", scenes, optical, provenance)
    unused = scenes.column("images")[0][1]["bytes"].as_py()
    assert unused not in shard.path.read_bytes()
    assert scenes.column("images")[0][0]["bytes"].as_py() in shard.path.read_bytes()


def test_row_groups_stay_small_enough_for_the_viewer(tmp_path, granules, provenance, monkeypatch):
    monkeypatch.setattr("tasks.shards.ROW_GROUP_IMAGE_BYTES", 3 * 60_000)  # three scenes' pictures
    scenes, selected = granules[0].scenes, granules[0].selected
    sizes = [scenes.column("images").slice(i, 1).nbytes for i in range(len(scenes))]
    assert all(50_000 < size < 60_000 for size in sizes)
    shard = write_shard(tmp_path / "s.parquet", scenes, selected, provenance)
    shown = pq.ParquetFile(shard.path)
    per_group = [
        len(set(shown.read_row_group(g, columns=["scene_id"]).column(0).to_pylist()))
        for g in range(shown.num_row_groups)
    ]
    assert per_group == [3, 3, 1]


def test_the_same_input_gives_the_same_bytes(tmp_path, granules, provenance, shard):
    scenes, selected = granules[0].scenes, granules[0].selected
    chunked = pa.concat_tables([selected.slice(0, 5), selected.slice(5)])
    again = write_shard(tmp_path / "again.parquet", scenes, chunked, provenance)
    assert again.path.read_bytes() == shard.path.read_bytes()
    assert again.sha256 == shard.sha256
    assert again.bytes == shard.path.stat().st_size


def test_the_file_has_a_page_index_plain_types_and_a_constant_writer(shard):
    file = pq.ParquetFile(shard.path)
    assert file.schema_arrow.equals(SAMPLE_SCHEMA)
    assert file.metadata.created_by == f"parquet-cpp-arrow version {pa.__version__}"
    chunks = {
        file.metadata.row_group(0).column(c).path_in_schema: file.metadata.row_group(0).column(c)
        for c in range(file.metadata.num_columns)
    }
    assert all(chunk.has_offset_index for chunk in chunks.values())
    assert chunks[IMAGE_BYTES].compression == "UNCOMPRESSED"
    assert chunks["trace"].compression == "ZSTD"
    assert chunks["task"].has_column_index
    assert not chunks[IMAGE_BYTES].has_column_index


def test_a_granule_without_selected_questions_is_a_table_without_rows(
    tmp_path, granules, provenance
):
    scenes, selected = granules[0].scenes, granules[0].selected
    shard = write_shard(tmp_path / "s.parquet", scenes, selected.slice(0, 0), provenance)
    assert pq.read_table(shard.path).schema.equals(SAMPLE_SCHEMA)
    assert shard.rows == 0


def test_a_question_on_an_unknown_scene_is_refused(tmp_path, granules, provenance):
    with pytest.raises(ValueError, match="land-003"):
        write_shard(
            tmp_path / "s.parquet",
            granules[0].scenes.slice(0, 3),
            granules[0].selected,
            provenance,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_scene_id_that_occurs_twice_is_refused(tmp_path, granules, provenance):
    twice = pa.concat_tables([granules[0].scenes, granules[0].scenes.slice(2, 1)])
    with pytest.raises(ValueError, match="land-002"):
        write_shard(tmp_path / "s.parquet", twice, granules[0].selected, provenance)


@pytest.mark.parametrize("index", [-1, 2])
def test_an_image_that_the_scene_does_not_have_is_refused(tmp_path, granules, provenance, index):
    selected = granules[0].selected.slice(0, 2)
    at = selected.schema.get_field_index("image_indices")
    wrong = selected.set_column(
        at, "image_indices", pa.array([[0, 1], [0, index]], pa.list_(pa.int32()))
    )
    with pytest.raises(ValueError, match=rf"land-000-01 carries image {index}"):
        write_shard(tmp_path / "s.parquet", granules[0].scenes, wrong, provenance)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path, granules, provenance, shard):
    before = shard.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match=r"cannot write .*s\.parquet: .*MiB free"):
            write_shard(shard.path, granules[0].scenes, granules[0].selected, provenance)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == [shard.path]
    assert shard.path.read_bytes() == before


def test_what_a_killed_run_left_behind_is_overwritten(tmp_path, granules, provenance, shard):
    (tmp_path / ".t.parquet.part").write_bytes(b"half a shard")
    again = write_shard(
        tmp_path / "t.parquet", granules[0].scenes, granules[0].selected, provenance
    )
    assert again.sha256 == shard.sha256
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.parquet", "t.parquet"]


def test_rejects_are_stored_with_their_reasons(tmp_path, rejects):
    written = write_rejects(tmp_path / "quarantine" / "r.parquet", rejects)
    table = pq.read_table(written.path)
    assert table.schema.equals(REJECT_SCHEMA)
    assert table.to_pylist() == [
        {
            "sample_id": "land-900",
            "source": "bigearthnet",
            "stage": "ingest",
            "reason": "missing_file",
            "detail": "B04.tif is not there",
        }
    ]


def test_duckdb_and_polars_read_the_same_rows(shard):
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    rows = pq.read_table(shard.path).to_pylist()
    in_polars = polars.read_parquet(shard.path)
    assert in_polars["sample_id"].to_list() == [row["sample_id"] for row in rows]
    assert in_polars["images"].to_list() == [row["images"] for row in rows]
    assert in_polars["scene_masks"].to_list() == [row["scene_masks"] for row in rows]
    in_duckdb = duckdb.sql(f"select images, answer.text, masks from '{shard.path}'").fetchall()
    assert [row[0] for row in in_duckdb] == [row["images"] for row in rows]
    assert [row[1] for row in in_duckdb] == [row["answer"]["text"] for row in rows]
    assert [row[2] for row in in_duckdb] == [row["masks"] for row in rows]


def test_datasets_shows_the_images(shard, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of that library, not ours
        loaded = datasets.load_dataset(
            "parquet", data_files=str(shard.path), split="train", cache_dir=str(tmp_path / "cache")
        )
    first = pq.read_table(shard.path).slice(0, 1).to_pylist()[0]
    shown = loaded[0]["images"][0]
    assert isinstance(shown, Image.Image)
    with Image.open(BytesIO(first["images"][0]["bytes"])) as due:
        assert np.array_equal(np.asarray(shown), np.asarray(due))
    assert loaded[0]["answer"] == first["answer"]


def test_pycocotools_decodes_every_mask_to_the_same_pixels(shard):
    for row in pq.read_table(shard.path).to_pylist():
        size = [row["grid"]["height"], row["grid"]["width"]]
        counts = [m["counts"] for m in row["scene_masks"]] + [m["counts"] for m in row["masks"]]
        for text in counts:
            decoded_HW = coco.decode({"size": size, "counts": text.encode()})
            assert np.array_equal(decoded_HW, decode_rle(text.encode(), tuple(size)))


def test_many_scenes_of_large_pictures_do_not_pile_up_in_memory(tmp_path, granules, provenance):
    """What is held at once is one row group's pictures, not one copy a question."""
    scenes, selected = granules[0].scenes, granules[0].selected
    rng = np.random.default_rng(0)
    rows = scenes.to_pylist()
    for row in rows:
        row["images"] = [{"bytes": rng.bytes(2_000_000), "path": f"{i}.png"} for i in (0, 1)]
    large = pa.Table.from_pylist(rows, schema=scenes.schema)
    del rows
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    held = pool.max_memory()
    shard = write_shard(Path(tmp_path / "s.parquet"), large, selected, provenance)
    group_bytes = 6 * 4_000_000  # 64 rows of 12 or 13 questions a scene touch six scenes at most
    assert shard.bytes < 9 * 4_000_000
    assert pool.max_memory() - max(held, before) < 4 * group_bytes

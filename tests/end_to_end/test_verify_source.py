"""A dataset beside its archives: what was changed in an archive since is found, and named."""

import json
import shutil
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from shapely import affinity, wkt

from schemas.parquet import SAMPLE_SCHEMA
from tasks.verify_source import verify_sources

ARCHIVES = ("bigearthnet", "chatearthnet", "teochatlas", "xbd")
BLOCK = (slice(0, 12), slice(0, 12))  # rows and columns in which a label map is changed


@pytest.fixture(scope="module")
def archives(planet, tmp_path_factory) -> dict[str, Path]:
    """Return copies of the four archives that may be changed."""
    root = tmp_path_factory.mktemp("archives")
    for name in ARCHIVES:
        shutil.copytree(planet / name, root / name)
    return {name: root / name for name in ARCHIVES}


def files_of(dataset: Path, source: str) -> dict[str, list[str]]:
    """Return the files of every scene of a source, by scene id."""
    files = {}
    for path in sorted((dataset / "data").rglob(f"{source}-*.parquet")):
        for row in pq.read_table(path, columns=["scene_id", "provenance"]).to_pylist():
            files[row["scene_id"]] = [file["path"] for file in row["provenance"]["files"]]
    return files


def change_bigearthnet(root: Path, files: list[str]) -> str:
    """Turn a corner of the reference map into bare rock."""
    (name,) = [file for file in files if file.endswith("_reference_map.tif")]
    with rasterio.open(root / name, "r+") as raster:
        codes_HW = raster.read(1)
        codes_HW[BLOCK] = 332
        raster.write(codes_HW, 1)
    return name


def change_chatearthnet(root: Path, files: list[str]) -> str:
    """Turn one class of a SatlasPretrain label map into another."""
    (name,) = [file for file in files if file.endswith("land_cover.png")]
    ids_HW = cv2.imread(str(root / name), cv2.IMREAD_UNCHANGED)
    ids_HW[...] = 11 - ids_HW % 11
    assert cv2.imwrite(str(root / name), ids_HW)
    return name


def change_xbd(root: Path, files: list[str]) -> str:
    """Tell another damage level of one building, in the label file of the later date."""
    (name,) = [file for file in files if file.endswith("post_disaster.json")]
    tree = json.loads((root / name).read_text())
    for buildings in tree["features"].values():
        properties = buildings[-1]["properties"]
        was_destroyed = properties["subtype"] == "destroyed"
        properties["subtype"] = "no-damage" if was_destroyed else "destroyed"
    (root / name).write_text(json.dumps(tree))
    return name


def change_teochatlas(root: Path, files: list[str]) -> str:
    """Move the polygons of all records on the same images by a pixel."""
    (name,) = [file for file in files if "#" in file]
    path = root / name.split("#")[0]
    records = json.loads(path.read_text())
    for record in records:
        if all(any(file.endswith(f"/{image}") for file in files) for image in record["video"]):
            record["polygon"] = affinity.translate(wkt.loads(record["polygon"]), 1.0, 1.0).wkt
    path.write_text(json.dumps(records))
    return name


def is_wanted(source: str, scene_id: str, files: list[str]) -> bool:
    match source:
        case "chatearthnet":
            return any(file.endswith("land_cover.png") for file in files)
        case "teochatlas":
            return scene_id.startswith("xBD")
    return True


CHANGES = {
    "bigearthnet": change_bigearthnet,
    "chatearthnet": change_chatearthnet,
    "teochatlas": change_teochatlas,
    "xbd": change_xbd,
}


def test_an_unchanged_archive_gives_every_mask_again(terrascope, dataset, sources) -> None:
    done = terrascope("verify", dataset, *sources)
    assert done.returncode == 0, done.stdout
    scenes = {scene for source in ARCHIVES for scene in files_of(dataset, source)}
    assert f"compared {len(scenes)} scenes" in done.stdout


@pytest.mark.parametrize("source", ARCHIVES)
def test_one_change_in_a_label_names_the_scene_the_mask_and_the_file(
    dataset, archives, source
) -> None:
    files = files_of(dataset, source)
    scene = next(scene for scene in sorted(files) if is_wanted(source, scene, files[scene]))
    changed = CHANGES[source](archives[source], files[scene])
    report = verify_sources(dataset, {source: archives[source]})
    assert report.scenes == len(files)
    assert {failure.sample_id for failure in report.failures} == {
        other for other, names in files.items() if changed in names
    }
    due = [(f.rule, f.expected) for f in report.failures if f.sample_id == scene]
    assert [rule for rule, expected in due if changed in expected] == ["source_digest"]
    assert any(rule == "source_mask" and expected.endswith(" px") for rule, expected in due)


def test_a_scene_that_is_gone_or_broken_is_named_and_exit_status_is_1(
    terrascope, dataset, archives
) -> None:
    root = archives["xbd"]
    gone, broken, *_ = sorted(files_of(dataset, "xbd"))[1:]  # the first was changed above
    for name in files_of(dataset, "xbd")[gone]:
        (root / name).unlink()
    post = next(n for n in files_of(dataset, "xbd")[broken] if n.endswith("post_disaster.png"))
    (root / post).write_bytes((root / post).read_bytes()[:500])
    done = terrascope("verify", dataset, f"--source=xbd={root}")
    assert done.returncode == 1
    assert f"{gone}: source_missing" in done.stdout
    assert f"{broken}: source_refused" in done.stdout
    assert f"{broken}: source_digest: expected {post} " in done.stdout


def test_a_mask_planted_in_a_shard_differs_from_the_archive(dataset, planet, tmp_path) -> None:
    copy = tmp_path / "dataset"
    shutil.copytree(dataset, copy, ignore=shutil.ignore_patterns(".work", "report"))
    shard = sorted((copy / "data").rglob("bigearthnet-*.parquet"))[0]
    rows = pq.read_table(shard).to_pylist()
    scene = rows[0]["scene_id"]
    for row in rows:
        if row["scene_id"] == scene:
            row["scene_masks"][0]["label"] = "Bare rock"
            row["layers"][0]["product"] = "another map"
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), shard, store_schema=False)
    report = verify_sources(copy, {"bigearthnet": planet / "bigearthnet"})
    assert {failure.sample_id for failure in report.failures} == {scene}
    assert {failure.rule for failure in report.failures} == {"source_layers", "source_mask"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source=own=."], "holds no sample of it"),
        (["--source=xbd=/no/such/folder"], "/no/such/folder is not a folder"),
        (["--source=xbd=docs"], "source xbd"),
    ],
)
def test_a_wrong_source_is_one_clear_line(terrascope, dataset, arguments, words) -> None:
    done = terrascope("verify", dataset, *arguments)
    assert done.returncode == 2
    assert words in done.stderr

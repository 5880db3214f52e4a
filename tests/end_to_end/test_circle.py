"""The circle of the data: captions train an annotator, its masks refine, all of it is proved."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from scipy.ndimage import binary_erosion

from masks.rle import decode, encode
from masks.shared import shared_regions
from schemas.prediction import PREDICTION_SCHEMA, fold_of
from tasks.annotation.settings import AnnotatorSettings, RefineSettings
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.manifest import Manifest, read_manifest
from tasks.stage_names import ANNOTATE, INGEST
from tasks.stages import (
    Plan,
    ask_batch,
    caption_batch,
    compose_batch,
    fingerprint_batch,
    ingest_batch,
    judge_dataset,
    list_sources,
    publish_dataset,
    refine_batch,
    select_samples,
    write_batch,
)
from tasks.verify import verify
from terrascope_model.presets import tiny
from tests.end_to_end.conftest import ARCHIVES

SHRUNK_PX = 1  # at every edge: what an annotator that is nearly right predicts


def built(planet: Path, out: Path, policy: str) -> tuple[BuildConfig, Plan]:
    """Build a dataset whose annotator predicts every class a pixel too small."""
    config = BuildConfig(
        sources={name: planet / name for name in ARCHIVES},
        out=out,
        workers=1,
        annotator=AnnotatorSettings(kind="folder", model="predicted by hand"),
        refine=RefineSettings(policy=policy),
    )
    plan = list_sources(config)
    scenes = [ingest_batch(config, batch) for batch in plan.batches]
    captioned = [caption_batch(config, done, None) for done in scenes]
    asked = [ask_batch(config, done) for done in scenes]
    asked += [compose_batch(config, done, {}) for done in scenes]
    for granule in plan.granules:
        predict_by_hand(config, granule)
    for done in asked:
        refine_batch(config, done)
    for done in scenes:
        fingerprint_batch(config, done)
    select_samples(config, plan)
    for done in (*captioned, *asked):
        write_batch(config, done)
    publish_dataset(config, plan, judge_dataset(config, plan))
    return config, plan


def predict_by_hand(config: BuildConfig, granule: GranuleId) -> None:
    ledger = Ledger(config.out)
    rows: list[dict[str, Any]] = []
    if granule.split == "train":
        columns = ["scene_id", "grid", "scene_masks"]
        for row in pq.read_table(
            ledger.path(INGEST, granule.name, ".parquet"), columns=columns
        ).to_pylist():
            size_HW = (row["grid"]["height"], row["grid"]["width"])
            for mask in row["scene_masks"]:
                if (mask["kind"], mask["origin"]) == ("class", "annotated"):
                    rows.append(predicted(row["scene_id"], mask, size_HW))
    path = ledger.path(ANNOTATE, granule.name, ".parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA), path)
    ledger.store(
        Record(
            stage=ANNOTATE,
            granule=granule.name,
            key="by hand",
            outputs=(output_of(config.out, path, len(rows)),),
            taken=len(rows),
            out=len(rows),
        )
    )


def predicted(scene_id: str, mask: dict[str, Any], size_HW: tuple[int, int]) -> dict[str, Any]:
    annotated_HW = decode(mask["counts"].encode(), size_HW)
    found_HW = binary_erosion(annotated_HW, np.ones((3, 3)), iterations=SHRUNK_PX)
    return {
        "scene_id": scene_id,
        "image_index": 0,
        "layer": mask["layer"],
        "label": mask["label"],
        "date_index": mask["date_index"],
        "outcome": "marked",
        "counts": encode(found_HW).decode(),
        "confidence": 0.9,
        "annotated_px": int(annotated_HW.sum()),
        "predicted_px": int(found_HW.sum()),
        "shared_px": int(found_HW.sum()),
        "regions_px": int(shared_regions(annotated_HW, found_HW).sum()),
    }


@pytest.fixture(
    scope="module", params=["checked", "paper", pytest.param("regions", marks=pytest.mark.full)]
)
def refined(
    request: pytest.FixtureRequest, planet: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp("circle") / request.param
    built(planet, out, request.param)
    return request.param, out


def rows_of(dataset: Path, manifest: Manifest) -> list[dict[str, Any]]:
    columns = ["split", "tier", "task", "answer", "masks"]
    return [
        row
        for file in manifest.files
        for row in pq.read_table(dataset / file.path, columns=columns).to_pylist()
    ]


@pytest.mark.slow
def test_a_refined_dataset_is_proved(refined: tuple[str, Path]) -> None:
    report = verify(refined[1])
    assert report.failures == ()
    assert report.proved == report.samples > 100


@pytest.mark.slow
def test_only_questions_on_training_scenes_are_refined(refined: tuple[str, Path]) -> None:
    _, dataset = refined
    found = {
        (row["split"] == "train", row["tier"] == "cap", mask["origin"])
        for row in rows_of(dataset, read_manifest(dataset))
        for mask in row["masks"]
    }
    assert (True, False, "intersection") in found
    assert {(train, cap) for train, cap, origin in found if origin == "intersection"} == {
        (True, False)
    }


@pytest.mark.slow
def test_the_floor_and_the_answer_decide_under_the_checked_policy(
    refined: tuple[str, Path],
) -> None:
    policy, dataset = refined
    manifest = read_manifest(dataset)
    ious = [
        mask["iou"]
        for row in rows_of(dataset, manifest)
        for mask in row["masks"]
        if mask["origin"] == "intersection"
    ]
    refine = [count for count in manifest.counts if count.stage.startswith("refine-")]
    rejected = sum(count.rejected for count in refine if count.unit != "scene")
    differing = sum(
        number
        for count in refine
        for what, number in count.tallies.items()
        if what.startswith("another answer")
    )
    quarantine = [
        row
        for file in manifest.quarantine
        for row in pq.read_table(dataset / file.path).to_pylist()
        if row["stage"].startswith("refine-")
    ]
    assert len(quarantine) == rejected
    if policy == "regions":
        assert rejected == differing
        assert min(ious) >= 0.7
        return
    assert differing > 0
    if policy == "checked":
        assert min(ious) >= 0.7
        assert rejected == differing
        assert {row["reason"] for row in quarantine} == {"refined_answer"}
        told = re.compile(r"\S+: ['\"].+ on the annotation, ")  # begins with the scene
        assert all(told.match(row["detail"]) for row in quarantine)
    else:
        assert min(ious) < 0.7
        assert rejected == 0


@pytest.mark.slow
def test_the_manifest_tells_how_every_class_was_predicted(refined: tuple[str, Path]) -> None:
    policy, dataset = refined
    classes = read_manifest(dataset).refined
    assert {one.source for one in classes} >= {"bigearthnet", "chatearthnet", "xbd"}
    for one in classes:
        assert 0 < one.marked <= one.masks
        assert one.intersected == one.masks or policy != "paper"
        assert one.kept_share < 1 or policy == "regions"


@pytest.mark.slow
def test_an_annotator_is_trained_out_of_fold_and_annotates(
    terrascope, planet: Path, tmp_path: Path
) -> None:
    """After two steps its masks are of no use: all stays as annotated, and that is counted."""
    config = tmp_path / "circle.yaml"
    training = {"stage1_steps": 2, "stage2_steps": 2, "batch_size": 4, "eval_split": "none"}
    config.write_text(yaml.safe_dump({"annotator": {"kind": "train", "training": training}}))
    names = ("bigearthnet", "chatearthnet")
    build = (
        *("build", "--config", config, "--engine", "local", "--out", tmp_path / "dataset"),
        *("--limit", 5),
        *(f"--source={name}={planet / name}" for name in names),
    )
    done = terrascope(*build)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "dataset" / "manifest.json").read_text())
    (annotated,) = (count for count in manifest["counts"] if count["stage"] == "annotate")
    assert f"annotate: {annotated['taken']} classes asked for" in done.stderr
    assert annotated["tallies"].keys() <= {"marked", "nothing", "everything", "never_learnt"}
    assert annotated["taken"] == sum(annotated["tallies"].values()) > 10
    refine = [count for count in manifest["counts"] if count["stage"].startswith("refine-")]
    assert all(count["taken"] == count["out"] for count in refine)
    assert "annotated mask stays" in str(refine)
    assert verify(tmp_path / "dataset").failures == ()
    for number in (0, 1):  # none learns on the places that it annotates
        captions = tmp_path / "dataset" / ".work" / "annotator" / f"fold-{number}" / "captions"
        learnt = [
            row["place"]
            for path in captions.glob("data/cap/*-train-*.parquet")
            for row in pq.read_table(path, columns=["place"]).to_pylist()
        ]
        assert learnt
        assert all(fold_of(place, 2) != number for place in learnt)
    again = terrascope(*build)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout
    assert "stage1" not in again.stderr


def sure(folder: Path) -> Path:
    """Return a model that has learnt nothing, and takes every class to be nearly everywhere."""
    model, processor = tiny(["Please segment the water."], seed=0)
    with torch.no_grad():
        for name, parameter in model.ground.named_parameters():
            if re.search(r"(upscale_conv2|hypernetworks_mlps.*proj_out)\.bias", name):
                parameter += 1
    model.save_pretrained(folder / "sure")
    processor.save_pretrained(folder / "sure")
    return folder / "sure"


@pytest.mark.slow
@pytest.mark.full
def test_scenes_without_labels_are_marked_and_asked_about(
    terrascope, planet: Path, tmp_path: Path
) -> None:
    """Of the training split alone; others are refused as ever, and all are counted."""
    bare = tmp_path / "bare"
    copytree(planet / "chatearthnet", bare)
    tiles = sorted(bare.glob("satlas/static/*/land_cover.png"))
    for land_cover in tiles[::2]:
        land_cover.unlink()
    config = tmp_path / "circle.yaml"
    annotator = {"kind": "folder", "model": str(sure(tmp_path)), "unlabelled": True}
    config.write_text(yaml.safe_dump({"annotator": annotator}))
    out = tmp_path / "dataset"
    sources = (f"--source=chatearthnet={bare}", f"--source=bigearthnet={planet / 'bigearthnet'}")
    build = ("build", "--config", config, "--engine", "local", "--out", out, *sources)
    done = terrascope(*build)
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(out)
    index, ingest = manifest.counts[:2]
    assert ingest.taken == index.out
    refused = [row for f in manifest.quarantine for row in pq.read_table(out / f.path).to_pylist()]
    kept_out = [row for row in refused if row["stage"] == "ingest"]
    assert {row["reason"] for row in kept_out} == {"no_label"}  # of validation and test
    marked = {file.path: file for file in manifest.files if file.bucket.endswith("-unlabelled")}
    assert {file.tier for file in marked.values()} >= {"cap", "l1"}
    assert {file.split for file in marked.values()} == {"train"}
    for path in marked:
        columns = ["masks", "scene_masks", "layers"]
        for row in pq.read_table(out / path, columns=columns).to_pylist():
            origins = {mask["origin"] for mask in (*row["masks"], *row["scene_masks"])}
            assert origins == {"predicted"}
            assert row["layers"][0]["product"].startswith("annotator ")
    assert ingest.tallies["scenes without labels"] == sum(
        row["stage"] == "mark" for row in refused
    ) + len(scenes_of(out, marked))
    assert verify(out).failures == ()
    checked = terrascope("verify", out, f"--source=chatearthnet={bare}")
    assert checked.returncode == 0, checked.stdout
    card = (out / "README.md").read_text()
    assert all(Path(path).name in card for path in marked)
    given = ("--config", config, "--out", out, *sources)
    assert "nothing to do" in terrascope("plan", *given).stdout
    assert "-unlabelled" not in terrascope("gc", out, "--dry-run").stdout
    again = terrascope(*build)
    assert "unchanged" in again.stdout


def scenes_of(dataset: Path, paths: Iterable[str]) -> set[str]:
    return {
        scene_id
        for path in paths
        for scene_id in pq.read_table(dataset / path, columns=["scene_id"])["scene_id"].to_pylist()
    }

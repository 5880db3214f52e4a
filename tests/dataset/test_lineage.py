"""Where a dataset comes from, told from its manifest alone, and where one sample of it does."""

import re
import xml.etree.ElementTree as ET
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError
from tasks.lineage.differences import Kind, differences
from tasks.lineage.drawn import svg_of
from tasks.lineage.graph import lineage_of, shards_of
from tasks.lineage.mermaid import markdown_of
from tasks.lineage.page import write_lineage
from tasks.lineage.told import dataset_lines, sample_lines
from tasks.manifest import Manifest, read_manifest, write_manifest
from tasks.rows import read_rows

ALL_STAGES: dict[str, dict[str, Any]] = {
    "ingest": {"stage": 1, "readers": {"bigearthnet": 2, "xbd": 1}},
    "cap_cot": {"stage": 1, "prompts": "cap_cot@1"},
    "l1": {"stage": 2, "seed": 0, "templates": [["existence", 3], ["area", 3]]},
    "l2": {"stage": 1, "composer": {"kind": "url"}},
    "annotator": {"stage": 1, "annotator": {"kind": "train"}},
    "annotate": {"stage": 1},
    "refine-l1": {"stage": 1},
    "refine-l2": {"stage": 1},
    "select": {"stage": 1, "mixture": {"tier": {}}},
    "shards": {"stage": 4},
}


@pytest.mark.parametrize(
    ("then", "now", "kind", "words"),
    [
        ({"stage": 1}, {"stage": 2}, Kind.CODE, "version of the stage 1 -> 2"),
        ({"seed": 0}, {"seed": 5}, Kind.CONFIGURATION, "seed 0 -> 5"),
        (
            {"templates": [["area", 3], ["border", 2]]},
            {"templates": [["area", 4], ["border", 2]]},
            Kind.TEMPLATE,
            "template area 3 -> 4",
        ),
        (
            {"templates": [["area", 3]]},
            {"templates": [["area", 3], ["trend", 1]]},
            Kind.TEMPLATE,
            "template trend 1 is new",
        ),
        ({"rules": ["farming@1"]}, {"rules": ["farming@2"]}, Kind.TEMPLATE, "rule farming 1 -> 2"),
        ({"rules": ["farming@1"]}, {"rules": []}, Kind.TEMPLATE, "rule farming 1 is gone"),
        (
            {"prompts": {"composer": "l2@1"}},
            {"prompts": {"composer": "l2@2"}},
            Kind.PROMPT,
            "prompt composer l2@1 -> l2@2",
        ),
        (
            {"captioner": {"kind": "url", "model": "small", "top_p": 0.9}},
            {"captioner": {"kind": "url", "model": "large", "top_p": 0.9}},
            Kind.MODEL,
            "captioner model small -> large",
        ),
        (
            {"captioner": {"kind": "url", "top_p": 0.9}},
            {"captioner": {"kind": "url", "top_p": 0.8}},
            Kind.CONFIGURATION,
            "captioner top_p 0.9 -> 0.8",
        ),
        ({"weights": "a" * 64}, {"weights": "b" * 64}, Kind.MODEL, f"{'a' * 12} -> {'b' * 12}"),
        (
            {"mixture": {"tier": {}}},
            {"mixture": {"tier": {"cap": 0.5}}},
            Kind.SELECTION,
            "mixture tier.cap 0.5 is new",
        ),
        ({"balance": True}, {"balance": False}, Kind.SELECTION, "balance yes -> no"),
    ],
)
def test_what_differs_is_named_in_words_and_of_a_kind(then, now, kind, words):
    (found,) = differences(then, now)
    assert found.kind == kind
    assert str(found).endswith(words)


def test_what_is_alike_differs_in_nothing():
    assert differences(ALL_STAGES["l1"], dict(ALL_STAGES["l1"])) == []


@pytest.fixture
def manifest(dataset) -> Manifest:
    return read_manifest(dataset).model_copy(
        update={"decided_by": ALL_STAGES, "annotators": ("a" * 64, "b" * 64)}
    )


def later(manifest: Manifest, **changes: object) -> Manifest:
    update = {"version": 2, "parents": (manifest.digest,), **changes}
    return manifest.model_copy(update=update)


def with_seed(seed: int) -> dict[str, dict[str, Any]]:
    return {**ALL_STAGES, "l1": {**ALL_STAGES["l1"], "seed": seed}}


def test_sources_lead_through_every_stage_to_the_dataset(manifest):
    lineage = lineage_of(manifest, None)
    keys = [node.key for node in lineage.nodes]
    assert keys[:2] == ["source bigearthnet", "source xbd"]
    assert keys[-2:] == ["shards l1", "dataset"]
    assert {
        ("source xbd", "ingest"),
        ("ingest", "l1"),
        ("cap_cot", "l2"),  # a model is given the captions
        ("cap_cot", "annotator"),
        ("annotator", "annotate"),
        ("annotate", "refine-l1"),
        ("l1", "refine-l1"),
        ("refine-l1", "select"),
        ("cap_cot", "select"),
        ("select", "shards"),
        ("shards l1", "dataset"),
    } <= set(lineage.edges)
    assert ("l1", "select") not in lineage.edges  # it is refined before
    assert len(keys) <= 30
    assert not any(node.changed for node in lineage.nodes)


def test_only_what_is_decided_otherwise_is_marked(manifest):
    other = manifest.files[0].model_copy(update={"sha256": "e" * 64})
    after = later(manifest, decided_by=with_seed(5), files=(other, *manifest.files[1:]))
    marked = {node.key for node in lineage_of(after, manifest).nodes if node.changed}
    assert marked == {"l1", "shards l1", "dataset"}
    (shards,) = shards_of(after, manifest)
    assert (shards.added, shards.removed, shards.replaced) == (0, 0, 1)


def test_the_picture_holds_every_node_once_and_no_two_lie_on_each_other(manifest):
    lineage = lineage_of(manifest, None)
    drawn = svg_of(lineage)
    assert drawn == svg_of(lineage)
    root = ET.fromstring(drawn)
    boxes = [
        [float(rectangle.get(name, "")) for name in ("x", "y", "width", "height")]
        for rectangle in root.iter("rect")
    ]
    assert len(boxes) == len(lineage.nodes)
    width, height = (float(root.get(name, "")) for name in ("width", "height"))
    for number, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        for x2, y2, w2, h2 in boxes[:number]:
            assert x >= x2 + w2 or x2 >= x + w or y >= y2 + h2 or y2 >= y + h


def test_a_name_with_signs_breaks_neither_picture_nor_diagram(manifest):
    odd = manifest.model_copy(update={"dataset": 'a <b> "c" & d;'})
    ET.fromstring(svg_of(lineage_of(odd, None)))
    (line,) = [line for line in markdown_of(odd, None).splitlines() if "version 1" in line][-1:]
    assert line.count('"') == 2


def test_the_diagram_links_each_node_to_the_run_and_names_what_changed(manifest):
    after = later(manifest, decided_by=with_seed(5), run="0c5a")
    told = markdown_of(after, manifest)
    links = re.findall(r'click (n\d+) "(.*)"', told)
    assert [name for name, _ in links] == [f"n{n}" for n in range(len(links))]
    assert {address for _, address in links} == {"/v2/runs/flow-run/0c5a"}
    assert "- l1: seed 0 -> 5\n" in told
    (marked,) = re.findall(r"class (\S+) changed", told)
    assert len(marked.split(",")) == 2  # the stage, and the dataset
    assert "click" not in markdown_of(manifest, None)


def page_of(dataset: Path, manifest: Manifest, before: Manifest | None) -> str:
    return write_lineage(dataset, manifest, before).read_text()


def test_the_page_says_what_changed_and_why_and_needs_nothing_else(dataset, manifest):
    page = page_of(dataset, later(manifest, decided_by=with_seed(5)), manifest)
    assert "<td>seed 0 -&gt; 5</td>" in page
    assert manifest.files[0].sha256 in page
    assert not re.search(r"(src|href)=", page)
    assert "This is the first version" in page_of(dataset, manifest, None)
    assert "is not kept any more" in page_of(dataset, later(manifest), None)


def test_the_page_names_neither_time_nor_run(dataset, manifest):
    page = page_of(dataset, manifest, None)
    assert page_of(dataset, manifest.model_copy(update={"run": "0c5a"}), None) == page


def test_a_sample_names_its_files_template_code_and_run(dataset, manifest):
    write_manifest(dataset, manifest.model_copy(update={"run": "0c5a"}))
    shard = manifest.files[0]
    sample_id = pq.read_table(dataset / shard.path, columns=["sample_id"]).column(0)[0].as_py()
    row = read_rows(dataset / shard.path, {sample_id})[sample_id]
    told = "\n".join(sample_lines(dataset, sample_id))
    (file,) = row.provenance.files
    assert f"{file.path}  sha256 {file.sha256}" in told
    assert f"{row.provenance.template}, version {row.provenance.template_version}" in told
    assert "ask 1, ingest 1" in told
    assert f"{shard.path}  sha256 {shard.sha256}" in told
    assert sha256((dataset / shard.path).read_bytes()).hexdigest() == shard.sha256
    assert "run            0c5a" in told


def test_a_sample_that_is_not_there_is_one_clear_line(dataset):
    with pytest.raises(UserError, match="holds no sample 'none'"):
        list(sample_lines(dataset, "none"))


def test_a_dataset_is_told_stage_by_stage(dataset, manifest):
    write_manifest(dataset, manifest)
    told = list(dataset_lines(dataset))
    assert "annotators" in told
    assert any(line.split()[:3] == ["l1", "version", "2"] for line in told)
    assert any("weights" in line and "a" * 12 in line for line in told)

"""What two versions differ in, and why: each cause worked by hand."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.comparing.causes import Cause, Side, cause_of
from tasks.comparing.compare import Change, Fate
from tasks.comparing.page import shown
from tasks.comparing.samples import Sample
from tasks.errors import UserError
from tasks.lineage.differences import Kind
from tasks.manifest import Manifest, read_manifest
from tasks.scene_list import files_digest, read_scene_list
from tasks.versions import dataset_at

STAGES: dict[str, dict[str, Any]] = {
    "ingest": {"stage": 1, "readers": {"bigearthnet": 2, "xbd": 1}},
    "cap_cot": {"stage": 1, "prompts": "cap_cot@1"},
    "l1": {"stage": 2, "seed": 0, "templates": [["area", 3], ["border", 2]]},
    "l2": {
        "stage": 1, "composer": {"kind": "rules"}, "kinds": [["nearest", 1]],
        "rules": ["farming@1", "trees@1"],
    },
    "select": {"stage": 1, "mixture": {"task": {}}},
    "shards": {"stage": 4},
}  # fmt: skip
SAMPLE = Sample(
    sample_id="0" * 24,
    scene_id="one",
    source="xbd",
    split="train",
    tier="l1",
    task="area",
    rule="",
    files="f" * 64,
    said="a",
    shard="data/l1/xbd-train-b00.parquet",
)
SCENES = {("xbd", "one"): "f" * 64, ("xbd", "two"): "e" * 64}


@pytest.fixture
def manifest(finished) -> Manifest:
    return read_manifest(finished).model_copy(update={"decided_by": STAGES})


def side(manifest: Manifest, scenes=None, refused=None, stages=None, **update) -> Side:
    decided = {**STAGES, **(stages or {})}
    return Side(
        manifest=manifest.model_copy(update={"decided_by": decided, **update}),
        scenes=SCENES if scenes is None else scenes,
        refused=refused or {},
    )


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        ({"scenes": {}}, Cause(Kind.SOURCE, "scene withdrawn")),
        (
            {"scenes": {}, "refused": {("xbd", "one"): "missing_file"}},
            Cause(Kind.SOURCE, "scene refused: missing_file"),
        ),
        ({"scenes": {("xbd", "one"): "0"}}, Cause(Kind.SOURCE, "another file of its scene")),
        # another scene's files are no cause of this one
        ({"scenes": {**SCENES, ("xbd", "two"): "0"}}, None),
        (
            {"stages": {"l1": {**STAGES["l1"], "stage": 3}}},
            Cause(Kind.CODE, "l1: version of the stage 2 -> 3"),
        ),
        (
            {"stages": {"ingest": {"stage": 1, "readers": {"bigearthnet": 2, "xbd": 2}}}},
            Cause(Kind.CODE, "ingest: reader of xbd 1 -> 2"),
        ),
        ({"stages": {"ingest": {"stage": 1, "readers": {"bigearthnet": 3, "xbd": 1}}}}, None),
        (
            {"stages": {"l1": {**STAGES["l1"], "templates": [["area", 4], ["border", 2]]}}},
            Cause(Kind.TEMPLATE, "l1: template area 3 -> 4"),
        ),
        # another template's version is no cause of this one's samples
        ({"stages": {"l1": {**STAGES["l1"], "templates": [["area", 3], ["border", 3]]}}}, None),
        (
            {"stages": {"l1": {**STAGES["l1"], "seed": 5}}},
            Cause(Kind.CONFIGURATION, "l1: seed 0 -> 5"),
        ),
        # captions are no cause of a question by template
        ({"stages": {"cap_cot": {"stage": 2, "prompts": "cap_cot@2"}}}, None),
        # of two causes the first counts: code before configuration
        (
            {"stages": {"l1": {**STAGES["l1"], "seed": 5, "stage": 3}}},
            Cause(Kind.CODE, "l1: version of the stage 2 -> 3"),
        ),
        (
            {"stages": {"select": {"stage": 1, "mixture": {"task": {"area": 0.5}}}}},
            Cause(Kind.SELECTION, "mixture task.area 0.5 is new"),
        ),
        ({"annotators": ("a" * 64,)}, Cause(Kind.MODEL, "an annotator with other weights")),
    ],
)
def test_a_removed_sample_has_the_first_cause_that_applies(manifest, now, cause):
    found = cause_of(SAMPLE, side(manifest), side(manifest, **now), in_both=False)
    none_applies = Cause(Kind.SELECTION, "the balance of what else there is")
    assert found == (cause or none_applies)


def test_an_added_sample_may_be_of_a_new_scene_or_of_one_that_was_refused(manifest):
    refused = {("xbd", "one"): "low_valid_share"}
    assert cause_of(SAMPLE, side(manifest, {}), side(manifest), in_both=False).words == "new scene"
    again = cause_of(SAMPLE, side(manifest, {}, refused), side(manifest), in_both=False)
    assert again.words == "scene no longer refused: low_valid_share"


def test_a_sample_that_only_says_otherwise_has_other_scenes_for_options(manifest):
    found = cause_of(SAMPLE, side(manifest), side(manifest), in_both=True)
    assert found.kind is Kind.OTHER_SCENES


def test_a_judgement_follows_its_own_rule_alone(manifest):
    judged = replace(SAMPLE, tier="l2_semantic", task="farming", rule="farming@1")
    others = side(manifest, stages={"l2": {**STAGES["l2"], "rules": ["farming@1", "trees@2"]}})
    own = side(manifest, stages={"l2": {**STAGES["l2"], "rules": ["farming@2", "trees@1"]}})
    assert cause_of(judged, side(manifest), others, in_both=False).kind is Kind.SELECTION
    assert cause_of(judged, side(manifest), own, in_both=False) == Cause(
        Kind.TEMPLATE, "l2: rule farming 1 -> 2"
    )


def test_what_a_model_composes_follows_the_captions(manifest):
    composed = replace(SAMPLE, tier="l2_spatial", task="nearest")
    by_model = {**STAGES["l2"], "composer": {"kind": "url"}}
    captions = {"stage": 1, "prompts": "cap_cot@2"}
    then = side(manifest, stages={"l2": by_model})
    now = side(manifest, stages={"l2": by_model, "cap_cot": captions})
    assert cause_of(composed, then, now, in_both=False) == Cause(
        Kind.PROMPT, "cap_cot: prompt cap_cot@1 -> cap_cot@2"
    )


def test_a_stage_that_is_not_made_any_more_is_the_configuration(manifest):
    now = side(manifest)
    decided = {name: stage for name, stage in STAGES.items() if name != "l1"}
    now = replace(now, manifest=now.manifest.model_copy(update={"decided_by": decided}))
    assert cause_of(SAMPLE, side(manifest), now, in_both=False) == Cause(
        Kind.CONFIGURATION, "l1 is not made any more"
    )


def test_causes_take_turns_on_the_page():
    causes = [Cause(Kind.SOURCE, "new scene"), Cause(Kind.TEMPLATE, "l1: template area 3 -> 4")]
    many = [
        Change(fate=Fate.ADDED, sample=replace(SAMPLE, sample_id=f"{n:024}"), cause=causes[n > 0])
        for n in range(9)
    ]
    drawn = shown(tuple(many), 3)
    assert [one.cause for one in drawn].count(causes[0]) == 1
    assert [one.sample.sample_id[-1] for one in drawn if one.cause == causes[1]] == ["1", "2"]
    assert len(shown(tuple(many), 100)) == 9
    assert shown((), 3) == []


def test_the_order_of_files_is_no_difference():
    one, other = {"path": "a", "sha256": "1"}, {"path": "b", "sha256": "2"}
    assert files_digest([one, other]) == files_digest([other, one])
    assert files_digest([one]) != files_digest([other])


def test_a_dataset_without_a_list_of_scenes_says_what_to_do(finished):
    with pytest.raises(UserError, match=r"scenes\.parquet, which this program writes"):
        read_scene_list(finished)


def test_a_version_that_is_not_kept_names_those_that_are(finished):
    assert dataset_at(str(finished)) == finished
    with pytest.raises(UserError, match="keeps no version 3; it has none"):
        dataset_at(f"{finished}@3")

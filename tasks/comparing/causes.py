"""Why a sample is in one version and not in another, or says something else: the first cause."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.tier import Tier
from tasks.comparing.samples import Sample
from tasks.lineage.differences import Difference, Kind, differences
from tasks.manifest import Manifest
from tasks.stage_names import (
    ANNOTATE,
    ANNOTATOR,
    BENCH,
    BENCH_WORDS,
    CAP_COT,
    INGEST,
    L2,
    MADE_BY,
    SELECT,
    SHARDS,
    refined_stage,
)

Scenes = Mapping[tuple[str, str], str]  # source and scene id -> digest of the scene's files
_TEMPLATES = ("templates", "kinds")


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """What a sample's change is put down to: of what kind, and in words."""

    kind: Kind
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two datasets: manifest, scenes that were read, and why others were refused."""

    manifest: Manifest
    scenes: Scenes
    refused: Mapping[tuple[str, str], str]  # source and scene id -> reason


def cause_of(sample: Sample, then: Side, now: Side, *, in_both: bool) -> Cause:
    """Return the first cause that applies to a sample that is not the same in two datasets.

    What may be the cause, in order: the scene's files; what decides the stages that the sample
    passed, code first; then other scenes, since options are drawn among them, or the selection.
    """
    return (
        _scene(sample, then, now)
        or _decided(sample, then.manifest, now.manifest)
        or _rest(then.manifest, now.manifest, in_both=in_both)
    )


def _scene(sample: Sample, then: Side, now: Side) -> Cause | None:
    key = sample.source, sample.scene_id
    if key not in now.scenes:
        reason = now.refused.get(key)
        return Cause(Kind.SOURCE, f"scene refused: {reason}" if reason else "scene withdrawn")
    if key not in then.scenes:
        reason = then.refused.get(key)
        words = f"scene no longer refused: {reason}" if reason else "new scene"
        return Cause(Kind.SOURCE, words)
    if then.scenes[key] != now.scenes[key]:
        return Cause(Kind.SOURCE, "another file of its scene")
    return None


def _decided(sample: Sample, then: Manifest, now: Manifest) -> Cause | None:
    passed = _passed(sample, now)
    for stage in passed:
        if (stage in then.decided_by) != (stage in now.decided_by):
            words = "is made" if stage in now.decided_by else "is not made any more"
            return Cause(Kind.CONFIGURATION, f"{stage} {words}")
    found = [(stage, one) for stage in passed for one in _of_stage(stage, sample, then, now)]
    if found:
        order = list(Kind)
        stage, first = min(found, key=lambda item: order.index(item[1].kind))
        return Cause(first.kind, f"{stage}: {first}")
    if ANNOTATE in passed and then.annotators != now.annotators:
        return Cause(Kind.MODEL, "an annotator with other weights")
    return None


def _passed(sample: Sample, now: Manifest) -> list[str]:
    """Return the stages that make what a sample says, in order."""
    made = MADE_BY[Tier(sample.tier)]
    if made == CAP_COT:
        return [INGEST, made, SHARDS]
    composer = now.decided_by.get(L2, {}).get("composer")
    by_model = isinstance(composer, dict) and composer.get("kind") != "rules"
    captions = [CAP_COT] * (made == L2 and by_model)  # a model is given the caption
    words = [BENCH_WORDS] * (made == BENCH)
    return [INGEST, *captions, made, ANNOTATOR, ANNOTATE, refined_stage(made), *words, SHARDS]


def _of_stage(stage: str, sample: Sample, then: Manifest, now: Manifest) -> Iterator[Difference]:
    """Yield what of a stage is decided otherwise and has to do with a sample."""
    for one in differences(then.decided_by.get(stage, {}), now.decided_by.get(stage, {})):
        if one.name in _TEMPLATES and one.item != sample.task:
            continue
        if one.name == "rules" and one.item != sample.rule.split("@")[0]:
            continue
        if one.name == "readers" and one.item != sample.source:
            continue
        yield one


def _rest(then: Manifest, now: Manifest, *, in_both: bool) -> Cause:
    if in_both:
        return Cause(Kind.OTHER_SCENES, "options are drawn among the scenes of its shard")
    selected = differences(then.decided_by.get(SELECT, {}), now.decided_by.get(SELECT, {}))
    words = "; ".join(map(str, selected)) or "the balance of what else there is"
    return Cause(Kind.SELECTION, words)

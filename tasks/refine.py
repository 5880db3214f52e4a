"""Refine: a step's mask becomes what annotation and prediction share, where the answer bears it.

Answers are computed on the annotation and stay so. A step's mask is what its expression on the
annotated classes shares with the same expression on the predicted ones; under a floor of IoU
between the two the annotated mask stays, and its origin says so. What the program comes to on the
refined classes has to be the answer, or the sample is refused (`policy: paper` intersects always,
and only counts such samples). Objects, boxes and classes that were not predicted stay as annotated,
and so does everything outside the training split.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from masks.evaluate import evaluate
from masks.measured import MaskHW, Measured
from masks.metrics import intersection, iou
from masks.regions import leaves, region
from masks.rle import decode, encode
from masks.shared import shared_regions
from schemas.mask import Evidence, MaskKind, Origin, SceneMask
from schemas.parquet import CANDIDATE_SCHEMA
from schemas.program import ClassMask, Valid, load_mask, load_program
from schemas.rejection import Reason, Rejected
from schemas.trace import value_text
from schemas.value import Quantity, Undefined, Value
from tasks.annotation.predictions import ClassAt, Prediction, read_predictions
from tasks.annotation.settings import Policy, RefineSettings
from tasks.answer_text import exactly, read_quantity
from tasks.atomic import placing
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_table import MEASURED_COLUMNS, evidence_of
from tasks.shards import write_rejects
from tasks.stage_names import ANNOTATE, INGEST, refined_stage

VERSION = 4
SHARED: Mapping[Policy, Callable[[MaskHW, MaskHW], MaskHW]] = {
    "checked": intersection,
    "regions": shared_regions,
    "paper": intersection,
}
REFINED_TIERS = ("l1", "l2")  # stages whose samples are refined; captions train the annotator


def candidates_stage(config: BuildConfig, stage: str) -> str:
    """Return the stage whose candidates are selected from: what was made, or refined of it."""
    return refined_stage(stage) if config.annotates and stage in REFINED_TIERS else stage


@dataclass(frozen=True, slots=True)
class RefinedMask:
    """A step's mask after refinement, and how it came about."""

    counts: str
    origin: str
    iou: float
    why: str  # in the words of the tallies


class RefinedScene:
    """A scene's annotated, predicted and refined classes; masks of expressions are cut once."""

    def __init__(
        self,
        evidence: Evidence,
        predicted: Mapping[ClassAt, Prediction],
        settings: RefineSettings,
    ) -> None:
        self.north_up = evidence.north_up
        self._settings, self._size_HW = settings, evidence.size_HW
        self._classes = {key: bool(found.counts) for key, found in predicted.items()}
        self._predicted = Measured(_with_classes(evidence, predicted))
        taken = {key: found for key, found in predicted.items() if settings.takes(found.iou)}
        self.refined = Measured(_shared(evidence, taken, settings))
        self._cut: dict[str, RefinedMask] = {}

    def cut(self, mask: Mapping[str, Any]) -> RefinedMask:
        """Return a step's mask, given as a candidate's row holds it, refined or as it was."""
        key = f"{mask['origin']} {mask['program']}"
        if key not in self._cut:
            self._cut[key] = self._refined(mask)
        return self._cut[key]

    def value(self, program: str) -> Value:
        """Return what a program, as JSON, comes to on the refined classes; Undefined if nothing."""
        return evaluate(load_program(program), self.refined)

    def _refined(self, mask: Mapping[str, Any]) -> RefinedMask:
        stays = RefinedMask(mask["counts"], mask["origin"], mask["iou"], "")
        expr = load_mask(mask["program"])
        if why := self._unfit(expr, mask["origin"]):
            return replace(stays, why=f"annotated mask stays: {why}")
        due_HW = decode(mask["counts"].encode("ascii"), self._size_HW)
        found_HW = region(expr, self._predicted).mask_HW
        if not self._settings.takes(iou(due_HW, found_HW)):
            return replace(stays, why="annotated mask stays: IoU under the floor")
        final_HW = SHARED[self._settings.policy](due_HW, found_HW)
        counts = encode(final_HW).decode("ascii")
        agreed = iou(due_HW, final_HW)
        why = "intersection" if final_HW.any() else "intersection is empty"
        return RefinedMask(counts, Origin.INTERSECTION.value, agreed, why)

    def _unfit(self, expr: Any, origin: str) -> str:
        """Return why an expression cannot be refined, "" where it can."""
        if origin != Origin.ANNOTATED:
            return "a box"
        named = [leaf for leaf in leaves(expr) if not isinstance(leaf, Valid)]
        if not named or not all(isinstance(leaf, ClassMask) for leaf in named):
            return "objects are not predicted"
        known = [self._classes.get((leaf.layer, leaf.label, leaf.date)) for leaf in named]
        if None in known:
            return "a class that is not there"
        return "" if all(known) else "a class that was never learnt, or not shown"


def refine_row(row: dict[str, Any], scene: RefinedScene) -> tuple[dict[str, Any], list[str], str]:
    """Return a candidate with refined masks, what became of each, and what else its answer is.

    The last is "" where the program still comes to the answer.
    """
    cut = [scene.cut(mask) for mask in row["masks"]]
    masks = [
        {**mask, "counts": new.counts, "origin": new.origin, "iou": new.iou}
        for mask, new in zip(row["masks"], cut, strict=True)
    ]
    why = [new.why for new in cut]
    refined = {**row, "masks": masks}
    if not any(new.origin == Origin.INTERSECTION for new in cut):
        return refined, why, ""
    return refined, why, _other_answer(row, scene)


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides refined masks but scenes, candidates and predictions."""
    return {"stage": VERSION, "refine": config.refine.model_dump(mode="json")}


def refine_granule(config: BuildConfig, granule: GranuleId, stage: str) -> Record:
    """Refine what a stage made of a granule's scenes, unless that is done already."""
    ledger = Ledger(config.out)
    name = refined_stage(stage)
    records = [ledger.load(before, granule.name) for before in (INGEST, stage, ANNOTATE)]
    assert None not in records, f"a stage before {name} has not run for {granule.name}"
    scenes, made, predicted = (record.outputs[0] for record in records if record is not None)
    parts = {**decides(config), "inputs": [out.sha256 for out in (scenes, made, predicted)]}
    key = digest_of(parts)
    done = ledger.done(name, granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    table = pq.read_table(config.out / made.path, schema=CANDIDATE_SCHEMA)
    kept, rejected, tallies = _refined_rows(
        config, granule, stage, table, config.out / scenes.path, config.out / predicted.path
    )
    path = ledger.path(name, granule.name, ".parquet")
    with placing(path) as temporary:
        written = pa.Table.from_pylist(kept, schema=CANDIDATE_SCHEMA)
        pq.write_table(written, temporary, compression="zstd", compression_level=1)
    rejects = write_rejects(ledger.path(name, granule.name, ".rejects.parquet"), rejected)
    record = Record(
        stage=name,
        granule=granule.name,
        key=key,
        parts=parts,
        outputs=(
            output_of(config.out, path, len(kept)),
            output_of(config.out, rejects.path, len(rejected)),
        ),
        taken=table.num_rows,
        out=len(kept),
        rejected=len(rejected),
        scenes=len(set(table.column("scene_id").to_pylist())),
        scenes_out=len({row["scene_id"] for row in kept}),
        tallies=dict(sorted(tallies.items())),
    )
    ledger.store(record)
    return record


def _refined_rows(
    config: BuildConfig,
    granule: GranuleId,
    stage: str,
    table: pa.Table,
    scenes: Path,
    predicted: Path,
) -> tuple[list[dict[str, Any]], list[Rejected], Counter[str]]:
    predictions = read_predictions(predicted)
    evidence = _evidence(scenes, predictions.keys())
    refined_scenes: dict[str, RefinedScene] = {}
    kept: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    tallies: Counter[str] = Counter()
    for row in table.to_pylist():
        scene_id = row["scene_id"]
        if scene_id not in predictions:
            kept.append(row)
            continue
        if scene_id not in refined_scenes:
            refined_scenes[scene_id] = RefinedScene(
                evidence[scene_id], predictions[scene_id], config.refine
            )
        refined, why, other = refine_row(row, refined_scenes[scene_id])
        tallies.update(why)
        if other:
            tallies[f"another answer: {row['task']}"] += 1
        if not other or config.refine.policy == "paper":
            kept.append(refined)
        else:
            rejected.append(_rejected(row, granule, stage, other))
    return kept, rejected, tallies


def _rejected(row: Mapping[str, Any], granule: GranuleId, stage: str, other: str) -> Rejected:
    return Rejected(
        sample_id=row["sample_id"],
        source=granule.source,
        stage=refined_stage(stage),
        reason=Reason.REFINED_ANSWER,
        detail=f"{row['scene_id']}: {row['question']!r}: {row['answer']['text']!r} on the "
        f"annotation, {other} on what annotation and prediction share",
    )


def _other_answer(row: Mapping[str, Any], scene: RefinedScene) -> str:
    """Return in words what a candidate's program comes to, "" where it is the answer."""
    answer = row["answer"]
    try:
        value = scene.value(row["program"])
        text = value_text(value, scene.north_up)
    except (Undefined, ValueError) as outcome:
        return f"undefined ({outcome})"
    if not isinstance(value, Quantity):
        return "" if text == answer["text"] else repr(text)
    if row["form"] == "open":
        low, high = answer["low"], answer["high"]
        if low <= value.value <= high:
            return ""
        number, least, most = (exactly(amount, text) for amount in (value.value, low, high))
        return f"{text!r} (exactly {number}, outside of {least} to {most})"
    own = read_quantity(answer["text"])
    others = [read_quantity(option) for option in row["options"] if option != answer["text"]]
    assert own is not None, f"{answer['text']!r} has a number"
    if not any(o and abs(value.value - o[0]) <= abs(value.value - own[0]) for o in others):
        return ""
    return f"{text!r} (exactly {exactly(value.value, text)}, nearer to another option)"


def _evidence(path: Path, scene_ids: Any) -> dict[str, Evidence]:
    rows = pq.read_table(path, columns=MEASURED_COLUMNS).to_pylist()
    return {row["scene_id"]: evidence_of(row) for row in rows if row["scene_id"] in scene_ids}


def _with_classes(evidence: Evidence, predicted: Mapping[ClassAt, Prediction]) -> Evidence:
    """Return evidence whose classes are the predicted ones, where there are such."""

    def exchanged(mask: SceneMask) -> SceneMask:
        found = predicted.get((mask.layer, mask.label, mask.date_index))
        if mask.kind is not MaskKind.CLASS or found is None or not found.counts:
            return mask
        return replace(mask, counts=found.counts.encode("ascii"), origin=Origin.PREDICTED)

    return replace(evidence, masks=tuple(map(exchanged, evidence.masks)))


def _shared(
    evidence: Evidence, predicted: Mapping[ClassAt, Prediction], settings: RefineSettings
) -> Evidence:
    """Return evidence whose classes are what annotation and prediction share, where both are."""

    def shared(mask: SceneMask) -> SceneMask:
        found = predicted.get((mask.layer, mask.label, mask.date_index))
        if mask.kind is not MaskKind.CLASS or found is None or not found.counts:
            return mask
        found_HW = decode(found.counts.encode("ascii"), evidence.size_HW)
        shared_HW = SHARED[settings.policy](decode(mask.counts, evidence.size_HW), found_HW)
        return replace(mask, counts=encode(shared_HW), origin=Origin.INTERSECTION)

    return replace(evidence, masks=tuple(map(shared, evidence.masks)))

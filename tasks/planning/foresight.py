"""Going through the stages of a build as the build does, with what is on disk alone.

A granule is done again by a stage where something that decides it differs from what its record
names. What a later stage will do is known only when the one before has come to its end: if that
comes to the same bytes, what follows is kept.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.annotation.folds import annotator_in, fold_in, fold_key, is_fitted
from tasks.assemble import shards_of
from tasks.bench_making.answers import answers_digests
from tasks.bench_making.rephrase import kept_digest, words_stage
from tasks.compose import reads_captions
from tasks.config import BuildConfig
from tasks.decided import decided_by
from tasks.digest import digest_of
from tasks.fingerprint import VERSION as FINGERPRINT_VERSION
from tasks.granules import Catalogue, Granule, GranuleId, empty_splits
from tasks.ingest import key_parts, marks_unlabelled
from tasks.ledger import Ledger, Record
from tasks.lineage.differences import differences
from tasks.planning.changed import SourceChange, changed_in, summed, withdrawn_with
from tasks.planning.plan import BuildPlan, Fate, StagePlan
from tasks.refine import candidates_stage
from tasks.selection import is_selected, selected_by
from tasks.stage_names import (
    ANNOTATE,
    ANNOTATOR,
    BENCH,
    BENCH_ASK,
    BENCH_WORDS,
    CAP_COT,
    FINGERPRINT,
    INGEST,
    L2,
    MADE_BY,
    MARK,
    SELECT,
    SHARDS,
    refined_stage,
)
from tasks.writers.due import UNANSWERED

NEW = "never done"
GONE = "what it left is gone or damaged"
OLD = "its record does not say what decided it"
OTHER = "what came before it is other"
FOLLOWS = "follows from {}, if that comes to other bytes"
_LISTED = ("files", "listing")  # told scene by scene


def foresee(config: BuildConfig, catalogue: Catalogue) -> BuildPlan:
    """Compare what decides a build with what its folder holds; nothing is written."""
    foresight = _Foresight(config, catalogue)
    making: list[str] = [s for s in dict.fromkeys(MADE_BY.values()) if s in config.stages]
    sources = foresight.ingest()
    as_read = foresight.as_read
    if CAP_COT in making:
        foresight.make(CAP_COT, catalogue.granules)
    if config.annotates:
        foresight.mark(captioned=CAP_COT in making)
    if BENCH in making:
        foresight.bench()
    for stage in making:
        if stage not in (CAP_COT, BENCH):
            foresight.make(stage, foresight.granules)
    if config.annotates:
        foresight.annotate(making)
    made = [candidates_stage(config, stage) for stage in making]
    if config.control.near_duplicates:
        foresight.fingerprint(made)
    foresight.select(made)
    if config.rephrases:
        foresight.rephrase()
    for tier, stage in MADE_BY.items():
        if stage in making:
            foresight.write(shards_of(tier), stage)
    return BuildPlan(
        sources=sources,
        stages=foresight.stages,
        gone=tuple(foresight.gone),
        as_read=as_read,
        empty=tuple(empty_splits(config, catalogue)),
    )


class _Foresight:
    """What is known of each stage and granule so far; `_left` holds None where nothing is yet."""

    def __init__(self, config: BuildConfig, catalogue: Catalogue) -> None:
        self._config = config
        self.granules = list(catalogue.granules)  # those of marked scenes are added
        self._annotators: list[list[Any]] | None = None  # None while one is to be trained
        self._ledger = Ledger(config.out)
        self._decided = decided_by(config)
        self._plans: dict[str, StagePlan] = {}
        self._left: dict[tuple[str, str], str | None] = {}  # SHA-256, of stage and granule
        named = {granule.name for granule in self._ids}
        if config.annotator.unlabelled:
            named |= {granule.unlabelled.name for granule in self._ids}
        done = sorted(self._ledger.path(INGEST, "any", "").parent.glob("*.json"))
        self.gone = [path.stem for path in done if path.stem not in named]

    @property
    def _ids(self) -> list[GranuleId]:
        return [granule.id for granule in self.granules]

    @property
    def stages(self) -> tuple[StagePlan, ...]:
        return tuple(self._plans.values())

    @property
    def as_read(self) -> frozenset[str]:
        """Names of the granules that ingest keeps."""
        return frozenset(one.name for one in self._ids if self._left[INGEST, one.name])

    def ingest(self) -> tuple[SourceChange, ...]:
        found: dict[str, list[SourceChange]] = {name: [] for name in self._config.sources}
        for granule in self.granules:
            name, parts = granule.id.name, key_parts(self._config, granule)
            done = self._ledger.done(INGEST, name, digest_of(parts))
            self._left[INGEST, name] = None if done is None else done.outputs[0].sha256
            if done is not None:
                self._note(INGEST, Fate.KEPT)
                continue
            change = changed_in(self._ledger, granule, parts["files"])
            found[granule.id.source].append(change)
            now = {**parts, "files": digest_of(parts["files"])}
            record = self._ledger.load(INGEST, name)
            self._note(INGEST, Fate.DUE, _why_read(record, now, change))
        for name in self.gone:
            lost = withdrawn_with(self._ledger, name)
            found.setdefault(lost.source, []).append(lost)
        listed = Counter({name: 0 for name in found})
        for granule in self.granules:
            listed[granule.id.source] += len(granule.refs)
        return tuple(summed(name, ones, listed[name]) for name, ones in sorted(found.items()))

    def make(self, stage: str, granules: Sequence[Granule]) -> None:
        before = {"scenes": INGEST}
        more: dict[str, Any] = {}
        if stage == L2 and reads_captions(self._config):
            before["captions"] = CAP_COT
        elif stage == L2:
            more["captions"] = ""
        scenes = sum(
            len(granule.refs)
            for granule in granules
            if self._one(stage, granule, self._decided[stage], before, more) is not Fate.KEPT
        )
        writers = {CAP_COT: self._config.captioner, L2: self._config.composer}
        if stage in writers and writers[stage].is_model and stage in self._plans:
            told = self._plans[stage]
            self._plans[stage] = StagePlan(
                stage=stage,
                fates=told.fates,
                reasons=told.reasons,
                calls=told.calls + scenes,
            )

    def bench(self) -> None:
        """Foresee the questions of a bench, and its items, whose options are of all granules."""
        self.make(BENCH_ASK, self.granules)
        waits = self._unknown(BENCH_ASK)
        digests = {} if waits else answers_digests(self._ledger, self._ids)
        for granule in self.granules:
            more = {"answers": digests.get(granule.id.source)}
            self._one(BENCH, granule, self._decided[BENCH], {"asked": BENCH_ASK}, more, waits)

    def mark(self, *, captioned: bool) -> None:
        """Foresee the annotators, and the granules of scenes that they mark."""
        self._annotators = self._named_annotators()
        if not self._config.annotator.unlabelled:
            return
        added = [found for granule in self.granules if (found := self._marked(granule))]
        self.granules += added
        if captioned:
            self.make(CAP_COT, added)

    def _marked(self, granule: Granule) -> Granule | None:
        """Return the granule of scenes without labels of another, None where there are none."""
        if not marks_unlabelled(self._config, granule.id):
            return None
        marked, read = granule.id.unlabelled, self._ledger.load(INGEST, granule.id.name)
        if self._left[INGEST, granule.id.name] is None:
            if self._ledger.load(INGEST, marked.name) is None:
                return None  # whether there will be any is not known
            self._left[INGEST, marked.name] = None
            self._note(MARK, Fate.FOLLOWING, [FOLLOWS.format(INGEST)])
            return Granule(id=marked, refs=())
        assert read is not None, "a granule that is kept has a record"
        _, _, unlabelled = read.outputs
        if not unlabelled.rows:
            return None
        parts = {"scenes": unlabelled.sha256, "annotators": self._annotators}
        decided = {**self._decided[MARK], **parts}
        done = self._ledger.done(INGEST, marked.name, digest_of(decided))
        if self._annotators is None:
            done = None
            self._note(MARK, Fate.FOLLOWING, [FOLLOWS.format(ANNOTATOR)])
        elif done is not None:
            self._note(MARK, Fate.KEPT)
        else:
            why = _why(self._ledger.load(INGEST, marked.name), self._decided[MARK])
            self._note(MARK, Fate.DUE, why or [OTHER])
        self._left[INGEST, marked.name] = None if done is None else done.outputs[0].sha256
        # which of the scenes have no labels is not listed, but how many
        return Granule(id=marked, refs=granule.refs[: unlabelled.rows])

    def annotate(self, making: Sequence[str]) -> None:
        more = {"annotators": self._annotators}
        waits = "" if self._annotators is not None else ANNOTATOR
        for granule in self.granules:
            decided = self._decided[ANNOTATE]
            self._one(ANNOTATE, granule, decided, {"scenes": INGEST}, more, waits)
        for stage in making:
            refined = refined_stage(stage)
            if refined in self._decided:
                for granule in self.granules:
                    before = {"inputs": (INGEST, stage, ANNOTATE)}
                    self._one(refined, granule, self._decided[refined], before)

    def _named_annotators(self) -> list[list[Any]] | None:
        """Return what names the annotators; None where one is still to be trained."""
        settings = self._config.annotator
        if settings.kind == "folder":
            one = annotator_in(Path(settings.model))
            return [[one.digest, sorted(one.names or ())]]
        plan = self._plans[ANNOTATOR] = StagePlan(stage=ANNOTATOR, unit="folds")
        if waits := self._unknown(INGEST, CAP_COT):
            plan.fates[Fate.FOLLOWING] = plan.reasons[FOLLOWS.format(waits)] = settings.folds
            return None
        key = fold_key(self._config, self._ledger, self._ids)
        folds = [fold_in(self._ledger, number) for number in range(settings.folds)]
        fitted = [fold for fold in folds if is_fitted(fold, key)]
        plan.fates[Fate.KEPT] = len(fitted)
        if len(fitted) < len(folds):
            plan.fates[Fate.DUE] = len(folds) - len(fitted)
            plan.reasons["not trained on these captions"] = len(folds) - len(fitted)
            return None
        found = [annotator_in(fold.model) for fold in folds]
        return [[one.digest, sorted(one.names or ())] for one in found]

    def fingerprint(self, made: Sequence[str]) -> None:
        before: dict[str, str | tuple[str, ...]] = {"scenes": INGEST, "made": tuple(made)}
        for granule in self.granules:
            self._one(FINGERPRINT, granule, {"stage": FINGERPRINT_VERSION}, before)

    def select(self, made: Sequence[str]) -> None:
        plan = self._plans[SELECT] = StagePlan(stage=SELECT, unit="selection")
        waits = self._unknown(INGEST, *made)
        then = selected_by(self._ledger)
        told = [str(one) for one in differences(then, self._decided[SELECT])] if then else []
        if not waits and is_selected(self._config, self._ledger, self._ids, made):
            plan.fates[Fate.KEPT] = 1
        elif waits and then and not told:
            plan.fates[Fate.FOLLOWING] = plan.reasons[FOLLOWS.format(waits)] = 1
        else:
            plan.fates[Fate.DUE] = 1
            plan.reasons.update(told or ([OTHER] if then else [NEW]))

    def rephrase(self) -> None:
        """Foresee the words of a bench's questions; how many calls depends on what is kept."""
        waits = "" if self._plans[SELECT].idle else SELECT
        for granule in self.granules:
            more = {} if waits else {"kept": kept_digest(self._ledger, granule.id)}
            decided = self._decided[BENCH_WORDS]
            self._one(BENCH_WORDS, granule, decided, {"items": BENCH}, more, waits)

    def write(self, shards: str, stage: str) -> None:
        made = words_stage(self._config, stage)
        config_digest = digest_of(self._config.content_of(stage))
        for granule in self.granules:
            name = granule.id.name
            record = self._ledger.load(shards, name)
            waits = next((s for s in (INGEST, made) if self._left[s, name] is None), "")
            if not waits and not self._plans[SELECT].idle:
                waits = SELECT
            if why := self._why_write(record, config_digest):
                self._note(shards, Fate.DUE, [why])
            elif waits:
                self._note(shards, Fate.FOLLOWING, [FOLLOWS.format(waits)])
            else:
                self._note(shards, Fate.KEPT)

    def _why_write(self, record: Record | None, config_digest: str) -> str:
        """Return why a shard is written again whatever is selected, "" where nothing is known."""
        if record is None:
            return NEW
        if not record.parts:
            return OLD
        if f'"{SHARDS}": {self._decided[SHARDS]["stage"]}' not in record.parts["stages"]:
            return "version of the stage"
        if record.parts["config"] != config_digest:
            return "the configuration that its rows name"
        stands = self._ledger.done(record.stage, record.granule, record.key)
        return "" if stands else GONE

    def _one(
        self,
        stage: str,
        granule: Granule,
        decided: Mapping[str, Any],
        before: Mapping[str, str | tuple[str, ...]],
        more: Mapping[str, Any] | None = None,
        waits: str = "",
    ) -> Fate:
        """Foresee a stage for one granule, and note it.

        Args:
            stage: Which stage.
            granule: Which granule.
            decided: What decides it but its input.
            before: Parts of the key that earlier stages left, with the stage, or several.
            more: Other parts of the key.
            waits: An earlier stage of which nothing is known yet; else the first of `before`.
        """
        name = granule.id.name
        inputs: dict[str, Any] = {}
        for part, stages in before.items():
            listed = (stages,) if isinstance(stages, str) else stages
            left = [self._left[one, name] for one in listed]
            inputs[part] = left[0] if isinstance(stages, str) else left
            waits = waits or next((one for one in listed if self._left[one, name] is None), "")
        parts = {**decided, **inputs, **(more or {})}
        done = None if waits else self._ledger.done(stage, name, digest_of(parts))
        if done is not None and not done.tallies.get(UNANSWERED):
            self._left[stage, name] = done.outputs[0].sha256
            return self._note(stage, Fate.KEPT)
        self._left[stage, name] = None
        if why := _why(self._ledger.load(stage, name), decided):
            return self._note(stage, Fate.DUE, why)
        if waits:
            return self._note(stage, Fate.FOLLOWING, [FOLLOWS.format(waits)])
        record = self._ledger.load(stage, name)
        same = record is not None and record.key == digest_of(parts)
        return self._note(stage, Fate.DUE, [GONE if same else OTHER])

    def _unknown(self, *stages: str) -> str:
        """Return the first of some stages of which a granule is not known yet, "" if none."""
        unknown = (s for s in stages for one in self._ids if self._left[s, one.name] is None)
        return next(unknown, INGEST if self.gone else "")

    def _note(self, stage: str, fate: Fate, why: Sequence[str] = ()) -> Fate:
        plan = self._plans.setdefault(stage, StagePlan(stage=stage))
        plan.fates[fate] += 1
        plan.reasons.update(why)
        return fate


def _why(record: Record | None, decided: Mapping[str, Any]) -> list[str]:
    """Return what of a record is decided otherwise now, or why it counts for nothing."""
    if record is None:
        return [NEW]
    if not record.parts:
        return [OLD]
    if record.tallies.get(UNANSWERED):
        return ["some calls had no reply"]
    then = {name: record.parts.get(name) for name in decided}
    return [str(one) for one in differences(then, decided)]


def _why_read(record: Record | None, now: Mapping[str, Any], change: SourceChange) -> list[str]:
    own = {name: value for name, value in now.items() if name not in _LISTED}
    told = _why(record, own)
    fates = {
        "new scenes": change.new,
        "changed scenes": change.changed,
        "withdrawn scenes": change.withdrawn,
    }
    if record is not None:
        told += [what for what, ids in fates.items() if ids]
    if record is not None and not told:
        listed = [record.parts[name] == now[name] for name in _LISTED]
        told = [GONE if all(listed) else "the source tells of its scenes otherwise"]
    return told

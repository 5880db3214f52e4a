"""Judge a dataset that is made and not published yet: every gate, with what was found."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from tasks.bench_making.trained import keep_trained, read_trained
from tasks.candidate import refused_at, tiers_of
from tasks.config import BuildConfig
from tasks.engine.run import run_granules
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.manifest import LEAKAGE, GateResult, Manifest
from tasks.publication.footprints import footprint_granule, footprint_of, read_footprints
from tasks.publication.leakage import (
    Footprint,
    Shared,
    meetings,
    overlaps,
    shared_images,
    shared_places,
)
from tasks.publication.proofs import MOST_EXAMPLES, prove_granule
from tasks.publication.settings import BENCHES, GateSettings
from tasks.publication.shares import (
    commonest_answers,
    commonest_classes,
    refused_samples,
    refused_scenes,
    split_shares,
)
from tasks.publication.shown_scenes import scenes_shown
from tasks.publication.tallies import Tallies, read_tallies, tally_granule
from tasks.stage_names import INGEST

INDEX = "index"  # the stage that lists an archive
PROOF = "proof"
TRAIN = "train"


def judge(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> Iterator[GateResult]:
    """Yield what every gate found of a dataset, of which no file needs to be in place."""
    if config.gates.verify != "off":
        yield _proof(config, granules)
    tallies = _tallies(config, granules)
    scenes = _scenes_carried(config, granules, tallies)
    yield from _leakage(config.gates, scenes)
    yield from _trained(config, scenes)
    for bench in config.gates.benches:
        yield from bench_leakage(bench, scenes)
    if config.split == "place" and not config.splits:
        yield from split_shares(config.split_shares, scenes)
    yield from _refusals(config, granules, candidate)
    yield from _balance(config.gates, tallies)


def _proof(config: BuildConfig, granules: Sequence[GranuleId]) -> GateResult:
    """Prove the samples of shards that have not been proved; the others were."""
    works = [partial(prove_granule, tier=tier) for tier in tiers_of(config)]
    records = [one for work in works for one in run_granules(work, config, granules)]
    reasons = (reason for record in records for reason in record.reasons)
    return GateResult(
        gate=PROOF,
        subject=f"samples that do not hold, of {sum(record.taken for record in records):,} proved",
        found=sum(record.rejected for record in records),
        limit=0,
        setting="verify",
        examples=tuple(sorted(reasons)[:MOST_EXAMPLES]),
    )


def _leakage(limits: GateSettings, scenes: Sequence[Footprint]) -> Iterator[GateResult]:
    overlapping, touching = overlaps(scenes)
    images, limit = shared_images(scenes), limits.shared_images
    yield _shared("images of the same bytes in two splits", images, limit, "shared_images")
    what, limit = "overlapping scenes in two splits", limits.overlapping_footprints
    yield _shared(what, overlapping, limit, "overlapping_footprints")
    yield _shared("touching scenes in two splits", touching)
    yield _shared("places in two splits", shared_places(scenes))


def _trained(config: BuildConfig, scenes: Sequence[Footprint]) -> Iterator[GateResult]:
    """What a bench's scenes share with the training scenes of datasets; nothing but an edge."""
    ledger = Ledger(config.out)
    datasets = config.bench.against if config.makes_bench else ()
    for trained in keep_trained(ledger, datasets):
        found: dict[str, dict[Footprint, str]] = defaultdict(dict)
        for met in meetings(scenes, read_trained(ledger, trained)):
            found[met.how].setdefault(met.scene, f"{met.scene} {met.how} {met.other}")
        for what, limit in (("shows an image of", 0), ("overlaps", 0), ("touches", None)):
            told = sorted(found[what].values())
            yield GateResult(
                gate=LEAKAGE,
                subject=f"scenes of which one {what} a training scene of {trained.name}",
                found=len(told),
                limit=limit,
                setting="",
                examples=tuple(told[:MOST_EXAMPLES]),
            )


def bench_leakage(bench: Path, scenes: Sequence[Footprint]) -> Iterator[GateResult]:
    """Yield what the training split shares with a bench, of which nothing may be learnt."""
    shown = [footprint_of(r, r["source"], f"bench {bench.name}") for r in scenes_shown(bench)]
    both = [*(scene for scene in scenes if scene.split == TRAIN), *shown]
    overlapping, touching = overlaps(both)
    where = f"in {TRAIN} and the bench {bench.name}"
    yield _shared(f"images of the same bytes {where}", shared_images(both), 0, BENCHES)
    yield _shared(f"overlapping scenes {where}", overlapping, 0, BENCHES)
    yield _shared(f"touching scenes {where}", touching)


def _shared(
    subject: str, shared: Shared, limit: int | None = None, setting: str = ""
) -> GateResult:
    return GateResult(
        gate=LEAKAGE,
        subject=subject,
        found=shared.number,
        limit=limit,
        setting=setting,
        examples=shared.examples,
    )


def _refusals(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> Iterator[GateResult]:
    ledger = Ledger(config.out)
    listed, refused = Counter[str](), Counter[str]()
    for granule in granules:
        ingested = ledger.load(INGEST, granule.name)
        assert ingested is not None, f"ingest has not run for {granule.name}"
        listed[granule.source] += ingested.taken
    for file in candidate.quarantine:
        table = pq.read_table(refused_at(ledger, file), columns=["source", "stage"])
        for (source, stage), number in Counter(
            zip(*table.to_pydict().values(), strict=True)
        ).items():
            refused[source] += number * (stage in (INDEX, INGEST))
            listed[source] += number * (stage == INDEX)
    yield from refused_scenes(config.gates, listed, refused)
    yield from refused_samples(config.gates, candidate.counts)


def _balance(limits: GateSettings, tallies: Mapping[GranuleId, Tallies]) -> Iterator[GateResult]:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    for granule, of_tiers in tallies.items():
        for counted in of_tiers.values():
            for (task, text), number in counted.answers.items():
                answers[task][text] += number
            if counted.classes:
                classes[granule.source].update(counted.classes)
    yield from commonest_answers(limits, answers)
    yield from commonest_classes(limits, classes)


def _tallies(config: BuildConfig, granules: Sequence[GranuleId]) -> dict[GranuleId, Tallies]:
    """Count what all shards hold; what is kept of shards that have not changed is taken."""
    for _ in run_granules(tally_granule, config, granules):
        pass
    return read_tallies(Ledger(config.out), granules)


def _scenes_carried(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    tallies: Mapping[GranuleId, Tallies],
) -> list[Footprint]:
    """Return the scenes of which there is a sample: others lie in no split of the dataset."""
    for _ in run_granules(footprint_granule, config, granules):
        pass
    ledger = Ledger(config.out)
    return [
        scene
        for granule in granules
        for carried in [set[str]().union(*(found.scenes for found in tallies[granule].values()))]
        for scene in read_footprints(ledger, granule)
        if scene.scene_id in carried
    ]

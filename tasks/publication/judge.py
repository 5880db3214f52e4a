"""Judge a dataset that is made and not published yet: every gate, with what was found."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.candidate import made_at, refused_at, tiers_of
from tasks.config import BuildConfig
from tasks.engine.run import run_granules
from tasks.granules import GranuleId
from tasks.ingest import STAGE as INGEST
from tasks.ledger import Ledger
from tasks.manifest import GateResult, Manifest
from tasks.publication.footprints import footprint_granule, read_footprints
from tasks.publication.leakage import Footprint, Shared, overlaps, shared_images, shared_places
from tasks.publication.proofs import MOST_EXAMPLES, prove_granule
from tasks.publication.settings import GateSettings
from tasks.publication.shares import (
    commonest_answers,
    commonest_classes,
    refused_samples,
    refused_scenes,
)

INDEX = "index"  # the stage that lists an archive
CHOICE = "choice"
YES_NO = ("Yes", "No")
PROOF = "proof"
LEAKAGE = "leakage"


def judge(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> Iterator[GateResult]:
    """Yield what every gate found of a dataset, of which no file needs to be in place."""
    if config.gates.verify != "off":
        yield _proof(config, granules)
    yield from _leakage(config.gates, _scenes_carried(config, granules, candidate))
    yield from _refusals(config, granules, candidate)
    yield from _balance(config, candidate)


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
    images = shared_images(scenes)
    yield _shared("images of the same bytes", images, limits.shared_images, "shared_images")
    limit = limits.overlapping_footprints
    yield _shared("overlapping scenes", overlapping, limit, "overlapping_footprints")
    yield _shared("touching scenes", touching)
    yield _shared("places", shared_places(scenes))


def _shared(what: str, shared: Shared, limit: int | None = None, setting: str = "") -> GateResult:
    return GateResult(
        gate=LEAKAGE,
        subject=f"{what} in two splits",
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


def _balance(config: BuildConfig, candidate: Manifest) -> Iterator[GateResult]:
    ledger = Ledger(config.out)
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    for file in candidate.files:
        if file.tier == Tier.CAP:
            continue  # no two captions are alike
        columns = ["task", "form", "answer", "classes"]
        for row in pq.read_table(made_at(ledger, file), columns=columns).to_pylist():
            classes[file.source].update(row["classes"])
            text = row["answer"]["text"]
            if row["form"] == CHOICE or text in YES_NO:
                answers[row["task"]][text] += 1
    yield from commonest_answers(config.gates, answers)
    yield from commonest_classes(config.gates, classes)


def _scenes_carried(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> list[Footprint]:
    """Return the scenes of which there is a sample: others lie in no split of the dataset."""
    for _ in run_granules(footprint_granule, config, granules):
        pass
    ledger = Ledger(config.out)
    carried: set[tuple[str, str]] = set()
    for file in candidate.files:
        ids = pq.read_table(made_at(ledger, file), columns=["scene_id"]).column(0).unique()
        carried.update((file.source, scene_id) for scene_id in ids.to_pylist())
    found = [scene for granule in granules for scene in read_footprints(ledger, granule)]
    return [scene for scene in found if (scene.source, scene.scene_id) in carried]

"""Judge a dataset that is made and not published yet: every gate, with what was found."""

from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow.parquet as pq

from tasks.candidate import made_at, tiers_of
from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.manifest import GateResult, Manifest
from tasks.pool import run_granules
from tasks.publication.footprints import footprint_granule, read_footprints
from tasks.publication.leakage import Footprint, Shared, overlaps, shared_images, shared_places
from tasks.publication.proofs import MOST_EXAMPLES, prove_granule
from tasks.publication.settings import GateSettings

PROOF = "proof"
LEAKAGE = "leakage"


def judge(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> Iterator[GateResult]:
    """Yield what every gate found of a dataset, of which no file needs to be in place."""
    if config.gates.verify != "off":
        yield _proof(config, granules)
    yield from _leakage(config.gates, _scenes_carried(config, granules, candidate))


def _proof(config: BuildConfig, granules: Sequence[GranuleId]) -> GateResult:
    """Prove the samples of shards that have not been proved; the others were."""
    works = [partial(prove_granule, config, tier=tier) for tier in tiers_of(config)]
    records = [one for work in works for one in run_granules(work, granules, config.workers)]
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


def _scenes_carried(
    config: BuildConfig, granules: Sequence[GranuleId], candidate: Manifest
) -> list[Footprint]:
    """Return the scenes of which there is a sample: others lie in no split of the dataset."""
    for _ in run_granules(partial(footprint_granule, config), granules, config.workers):
        pass
    ledger = Ledger(config.out)
    carried: set[tuple[str, str]] = set()
    for file in candidate.files:
        ids = pq.read_table(made_at(ledger, file), columns=["scene_id"]).column(0).unique()
        carried.update((file.source, scene_id) for scene_id in ids.to_pylist())
    found = [scene for granule in granules for scene in read_footprints(ledger, granule)]
    return [scene for scene in found if (scene.source, scene.scene_id) in carried]

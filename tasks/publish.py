"""Publishing: judged by its gates, a dataset gets its files in place and, last, its manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from tasks.annotation.shown import refined_views
from tasks.answers_page import ANSWERS_NAME
from tasks.atomic import alike, linked, placing
from tasks.candidate import gather, gathered, made_at, refused_at, stages_of, tiers_of
from tasks.card import write_card
from tasks.config import BuildConfig
from tasks.croissant import write_croissant
from tasks.granules import GranuleId
from tasks.inspect_dataset import count_rejects, gates, survey
from tasks.ledger import Ledger, sha256_of
from tasks.lineage.page import write_lineage
from tasks.manifest import (
    MANIFEST_NAME,
    DataFile,
    GateResult,
    Manifest,
    ManifestError,
    StageCount,
    read_manifest,
    write_manifest,
)
from tasks.publication.footprints import scenes_listed
from tasks.publication.judge import judge
from tasks.publication.proofs import proofs_of
from tasks.publication.tallies import read_tallies
from tasks.publication.unpublished import UNPUBLISHED_NAME, refuse
from tasks.report import write_report
from tasks.scene_list import write_scene_list
from tasks.stage_names import FINGERPRINT, FOOTPRINT, TALLY
from tasks.versions import before, drop_before, is_kept, keep, numbered, paths_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A finished dataset: its folder, its counts by stage, and whether anything changed.

    `gates` are (stage, gate, dropped, taken, share) of what its stages refused.
    """

    dataset: Path
    counts: tuple[StageCount, ...]
    gates: tuple[tuple[str, str, int, int, float], ...]
    changed: bool

    @property
    def report(self) -> Path:
        """The page to look at."""
        return self.dataset / "report" / "index.html"


def judge_candidate(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    stages: dict[str, int],
    annotators: Sequence[str] = (),
    run: str = "",
) -> tuple[GateResult, ...]:
    """Gather what the stages left on disk and judge it; what is published is not judged again.

    The arguments are those of `tasks.candidate.gather`.
    """
    candidate = gather(config, granules, stages, annotators, run)
    published = _as_published(config.out, candidate)
    if published is not None:
        return published.publication
    return tuple(judge(config, granules, candidate))


def publish(
    config: BuildConfig, granules: Sequence[GranuleId], judged: Sequence[GateResult]
) -> Published:
    """Make a finished dataset of what was judged; unchanged, it is left alone.

    Until all gates hold nothing of the dataset is touched. Then the new version is kept whole
    before its manifest says that it is published: who is killed in between leaves the versions that
    there were, or these and the new one.

    Raises:
        Unpublished: a gate does not hold; the message and a page say which and why.
    """
    candidate = gathered(config.out)
    published = _as_published(config.out, candidate)
    if published is None and not all(gate.holds for gate in judged):
        refuse(config.out, judged, by_place=config.split == "place")
    (config.out / UNPUBLISHED_NAME).unlink(missing_ok=True)
    if published is not None:
        _drop_old(config)
        return _published(config.out, published, changed=False)
    ledger = Ledger(config.out)
    manifest = numbered(config.out, candidate.model_copy(update={"publication": tuple(judged)}))
    _place_files(ledger, manifest)
    judging = [FOOTPRINT, TALLY, *map(proofs_of, tiers_of(config))]
    for stage in (*stages_of(config), "catalogue", FINGERPRINT, *judging):
        ledger.forget_others(stage, [granule.name for granule in granules])
    tallies = read_tallies(ledger, granules)
    counts = {
        file.path: tallies[GranuleId(file.source, file.split, file.bucket)][file.tier]
        for file in manifest.files
    }
    found = survey(config.out, manifest, counts)
    write_card(config.out, manifest, found)
    write_croissant(config.out, manifest, found)
    write_scene_list(config.out, scenes_listed(ledger, granules))
    refined = (
        refined_views(ledger, granules, config.refine, config.seed) if config.annotates else ()
    )
    write_report(config.out, manifest, found, counts, seed=config.seed, refined=refined)
    write_lineage(config.out, manifest, before(config.out, manifest))
    keep(config.out, manifest)
    write_manifest(config.out, manifest)
    _drop_old(config)
    return _published(config.out, manifest, changed=True)


def _drop_old(config: BuildConfig) -> None:
    if config.keep_versions is not None:
        drop_before(config.out, config.keep_versions)


def _published(dataset: Path, manifest: Manifest, *, changed: bool) -> Published:
    dropped = gates(manifest.counts, count_rejects(dataset, manifest))
    return Published(dataset=dataset, counts=manifest.counts, gates=tuple(dropped), changed=changed)


def _as_published(dataset: Path, candidate: Manifest) -> Manifest | None:
    """Return the manifest of the dataset that stands, if it is the same, however it came about."""
    try:
        found = read_manifest(dataset)
    except ManifestError:
        return None
    if not all((dataset / path).is_file() for path in paths_of(candidate)):
        return None
    ledger = Ledger(dataset)
    stand = all(_stands(ledger, file) for file in candidate.files)
    return found if stand and found.digest == candidate.digest and is_kept(dataset, found) else None


def _stands(ledger: Ledger, file: DataFile) -> bool:
    """Return whether a shard is in place; one that was made again may be the same bytes."""
    path = ledger.dataset / file.path
    same = alike(made_at(ledger, file), path)
    return same or (path.is_file() and sha256_of(path) == file.sha256)


def _place_files(ledger: Ledger, manifest: Manifest) -> None:
    """Remove the old manifest and what is no longer part of the dataset; put in place what is."""
    dataset = ledger.dataset
    (dataset / MANIFEST_NAME).unlink(missing_ok=True)
    (dataset / ANSWERS_NAME).unlink(missing_ok=True)  # of the dataset as it was
    kept = {file.path for file in (*manifest.files, *manifest.quarantine)}
    for folder in ("data", "quarantine"):
        for path in sorted((dataset / folder).rglob("*.parquet")):
            if path.relative_to(dataset).as_posix() not in kept:
                path.unlink()
    for file in manifest.files:
        if not _stands(ledger, file):
            with placing(dataset / file.path) as temporary:
                temporary.unlink(missing_ok=True)
                linked(made_at(ledger, file), temporary)
    for refused in manifest.quarantine:
        with placing(dataset / refused.path) as temporary:
            copyfile(refused_at(ledger, refused), temporary)

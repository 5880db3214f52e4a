"""What of a dataset's folder no version uses: old versions, work on what has gone, leftovers."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.assemble import shards_of
from tasks.atomic import remove_folder
from tasks.ledger import Ledger
from tasks.manifest import MARKED_BUCKET, VERSIONS, Manifest, ManifestError, read_manifest
from tasks.publication.proofs import proofs_of
from tasks.refine import REFINED_TIERS
from tasks.selection import SUMMARY
from tasks.stage_names import (
    ANNOTATE,
    ANNOTATOR,
    BENCH_ASK,
    BENCH_WORDS,
    FINGERPRINT,
    FOOTPRINT,
    INGEST,
    MADE_BY,
    MARK,
    SELECT,
    TALLY,
    refined_stage,
)
from tasks.versions import versions_of

LISTED = "catalogue"  # the folder of .work that lists what the dataset is made of
_STAGES = (  # folders of .work whose files are each of one granule
    INGEST,
    BENCH_ASK,
    BENCH_WORDS,
    *dict.fromkeys(MADE_BY.values()),
    MARK,
    ANNOTATE,
    *map(refined_stage, REFINED_TIERS),
    FINGERPRINT,
    FOOTPRINT,
    *map(proofs_of, MADE_BY),
    TALLY,
    SELECT,
    BENCH_WORDS,
    *map(shards_of, MADE_BY),
)
_SUFFIXES = (".json", ".rejects.parquet", ".unlabelled.parquet", ".parquet", ".files")
_LEFTOVER = re.compile(r"\..+\.(part|gone)")
_FOLD = re.compile(r"fold-(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """A file or folder that can go, why, and the bytes that its going frees.

    What has another hard link elsewhere frees nothing.
    """

    path: Path
    why: str
    bytes: int


def waste_of(dataset: Path, keep: int | None) -> list[Waste]:
    """Return what no version uses; versions older than the latest `keep`, if that is given.

    ManifestError where there is neither a finished dataset nor a version of one.
    """
    kept = versions_of(dataset)
    manifest = _manifest(dataset) or (read_manifest(kept[-1].folder) if kept else None)
    if manifest is None:
        read_manifest(dataset)  # says what is wrong with it
    old = kept[:-keep] if keep else []
    found = [(version.folder, f"version {version.number}") for version in old]
    found += [(path, "left by a build that was killed") for path in _leftovers(dataset)]
    found += [(path, "of a granule that has gone") for path in _of_gone_granules(dataset)]
    if manifest is not None:
        found += [(path, "of an annotator's fold too many") for path in _folds(dataset, manifest)]
    return _weighed(found)


def remove(waste: Sequence[Waste]) -> None:
    """Remove what can go; a folder goes as a whole, so who is killed leaves no half of it."""
    for one in waste:
        if one.path.is_dir():
            remove_folder(one.path)
        else:
            one.path.unlink(missing_ok=True)


def _manifest(dataset: Path) -> Manifest | None:
    try:
        return read_manifest(dataset)
    except ManifestError:
        return None


def _leftovers(dataset: Path) -> Iterator[Path]:
    """Yield hidden files and folders that a killed build left under a temporary name."""
    for folder, folders, files in os.walk(dataset):
        hidden = [name for name in (*folders, *files) if _LEFTOVER.fullmatch(name)]
        yield from (Path(folder, name) for name in sorted(hidden))
        within = Path(folder).relative_to(dataset).parts
        folders[:] = [
            name
            for name in folders
            # a version is whole, and an annotator's folders are its own
            if name not in hidden and within[:1] != (VERSIONS,) and name != ANNOTATOR
        ]


def _of_gone_granules(dataset: Path) -> Iterator[Path]:
    work = Ledger(dataset)
    listed = work.path(LISTED, "any", "").parent
    if not listed.is_dir():
        return
    listing = [path.name.removesuffix(".json") for path in listed.glob("*.json")]
    names = {SUMMARY, *listing, *(name + MARKED_BUCKET for name in listing)}
    for stage in _STAGES:
        for path in sorted(work.path(stage, "any", "").parent.glob("[!.]*")):
            suffix = next((one for one in _SUFFIXES if path.name.endswith(one)), "")
            if suffix and path.name.removesuffix(suffix) not in names:
                yield path


def _folds(dataset: Path, manifest: Manifest) -> Iterator[Path]:
    annotator = manifest.config.get("annotator")
    if not isinstance(annotator, dict) or annotator.get("kind") != "train":
        return  # what has been trained may be wanted again
    for path in sorted(Ledger(dataset).path(ANNOTATOR, "any", "").parent.glob("fold-*")):
        number = _FOLD.fullmatch(path.name)
        if number and int(number[1]) >= int(str(annotator["folds"])):
            yield path


def _weighed(found: Sequence[tuple[Path, str]]) -> list[Waste]:
    """Return what can go with the bytes of each: those of files of which it is the last link."""
    links: Counter[int] = Counter()
    waste = []
    for path, why in found:
        freed = 0
        for status in map(Path.lstat, _files(path)):
            links[status.st_ino] += 1
            freed += status.st_size * (links[status.st_ino] == status.st_nlink)
        waste.append(Waste(path=path, why=why, bytes=freed))
    return waste


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [Path(folder, name) for folder, _, files in os.walk(path) for name in files]

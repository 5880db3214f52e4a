"""The versions of a dataset: each publication that changed something, kept as a dataset of its own.

The dataset's folder is the latest version. `versions/NUMBER-DIGEST` in it holds every version, the
latest too, as hard links: files are never changed in place, so what two versions share is there
once. Where the file system has no hard links they are copies.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from tasks.atomic import GONE, alike, linked, placing_folder, remove_folder
from tasks.errors import UserError
from tasks.manifest import (
    CARD_NAME,
    CROISSANT_NAME,
    LINEAGE_NAME,
    MANIFEST_NAME,
    REPORT_NAME,
    SCENES_NAME,
    VERSIONS,
    DataFile,
    Manifest,
    ManifestError,
    read_manifest,
    write_manifest,
)
from tasks.progress import told

DIGEST_CHARS = 12  # of a digest, where a folder or a person is to tell it
_NAME = re.compile(rf"(\d+)-([0-9a-f]{{{DIGEST_CHARS}}})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version that is kept: its number, and the folder that is a dataset of its own."""

    number: int
    folder: Path


def versions_of(dataset: Path) -> list[Version]:
    """Return the versions of a dataset that are kept, the oldest first."""
    folder = dataset / VERSIONS
    if not folder.is_dir():
        return []
    return sorted(version for path in folder.iterdir() if (version := _version_in(path)))


def history_of(dataset: Path) -> list[Version]:
    """Return the versions up to a dataset that may itself be the folder of a version."""
    own = _version_in(dataset.resolve())
    if own is None or own.folder.parent.name != VERSIONS:
        return versions_of(dataset)
    siblings = versions_of(own.folder.parents[1])
    return [version for version in siblings if version.number <= own.number]


def dataset_at(name: str) -> Path:
    """Return the folder of a dataset or, of "DIR@2", of a version of it; UserError if not kept."""
    folder, at, number = name.rpartition("@")
    if not (at and number.isdigit()) or Path(name).is_dir():
        return Path(name)
    kept = {version.number: version.folder for version in versions_of(Path(folder))}
    if int(number) not in kept:
        raise UserError(
            f"{folder} keeps no version {number}; it has {', '.join(map(str, kept)) or 'none'}"
        )
    return kept[int(number)]


def _version_in(folder: Path) -> Version | None:
    named = _NAME.fullmatch(folder.name)
    return Version(int(named[1]), folder) if named else None


def readable(version: Version) -> Manifest | None:
    """Return the manifest of a version; None if it is damaged or of another schema."""
    try:
        return read_manifest(version.folder)
    except ManifestError:
        return None


def latest(dataset: Path) -> Manifest | None:
    """Return the manifest of the latest version that can be read, None without one."""
    manifests = map(readable, reversed(versions_of(dataset)))
    return next((manifest for manifest in manifests if manifest is not None), None)


def _own(dataset: Path) -> Manifest | None:
    try:
        return read_manifest(dataset)
    except ManifestError:
        return None


def numbered(dataset: Path, manifest: Manifest) -> Manifest:
    """Return a manifest as the next version, or as the latest one where that is the same.

    The dataset itself is the latest one where the folders of its versions are gone.
    """
    own = _own(dataset)
    last = latest(dataset) or own
    if last is not None and last.digest == manifest.digest:
        return last
    given = [version.number for version in versions_of(dataset)]
    given += [one.version for one in (own, last) if one is not None]
    parents = () if last is None else (last.digest,)
    return manifest.model_copy(update={"version": max(given, default=0) + 1, "parents": parents})


def before(dataset: Path, manifest: Manifest) -> Manifest | None:
    """Return the manifest of the version before, None of the first and where it is not kept."""
    for version in reversed(history_of(dataset)):
        if manifest.parents and version.number < manifest.version:
            found = readable(version)
            if found is not None and found.digest == manifest.parents[0]:
                return found
    return None


def first_with(dataset: Path, manifest: Manifest, shard: DataFile) -> Manifest:
    """Return the manifest of the version that brought a shard of a dataset, as far as it is kept.

    A shard that has been replaced and is back was brought by the version that brought it back.
    """
    brought = manifest
    for version in reversed(history_of(dataset)):
        found = readable(version)
        if version.number < manifest.version and found is not None:
            if shard not in found.files:
                break
            brought = found
    return brought


def folder_of(dataset: Path, manifest: Manifest) -> Path:
    """Return where a version of a dataset is kept."""
    return dataset / VERSIONS / name_of(manifest)


def name_of(manifest: Manifest) -> str:
    """Return how the folder of a version is called."""
    return f"{manifest.version}-{manifest.digest[:DIGEST_CHARS]}"


def paths_of(manifest: Manifest) -> list[str]:
    """Return all files of a version but its manifest, relative to the dataset."""
    listed = [file.path for file in (*manifest.files, *manifest.quarantine)]
    return [CARD_NAME, CROISSANT_NAME, SCENES_NAME, REPORT_NAME, LINEAGE_NAME, *listed]


def is_kept(dataset: Path, manifest: Manifest) -> bool:
    """Return whether a version is kept, with the very files of the dataset or as many bytes."""
    folder = folder_of(dataset, manifest)
    if not (folder / MANIFEST_NAME).is_file():
        return False
    return all(alike(dataset / path, folder / path) for path in paths_of(manifest))


def unchanging(dataset: Path) -> Path:
    """Return where a dataset is kept as a version, so that no publication replaces its files.

    It is the dataset's own folder where that version is not kept. ManifestError as in reading one.
    """
    kept = folder_of(dataset, read_manifest(dataset))
    return kept if (kept / MANIFEST_NAME).is_file() else dataset


def keep(dataset: Path, manifest: Manifest) -> None:
    """Keep a dataset, all of whose files but the manifest are in place, as a version.

    The version is there whole or not at all. OSError where it cannot be written.
    """
    if is_kept(dataset, manifest):
        return
    copied = 0
    with placing_folder(folder_of(dataset, manifest)) as folder:
        for path in paths_of(manifest):
            copied += linked(dataset / path, folder / path)
        write_manifest(folder, manifest)
    if copied:
        told(f"versions: {copied} files are copies, for they cannot be hard links here")


def drop_before(dataset: Path, number: int) -> None:
    """Remove all versions but the latest `number`, and what a killed removal left of others."""
    for version in versions_of(dataset)[:-number]:
        remove_folder(version.folder)
    for gone in sorted((dataset / VERSIONS).glob(f".*{GONE}")):
        rmtree(gone)

"""A dataset's files as its manifest says they are, before anything is learnt from them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"


class DataError(ValueError):
    """A dataset that cannot be learnt from; it names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetNote:
    """What a model was trained on: the dataset's name, and a SHA-256 over all its shards."""

    name: str
    digest: str


def noted(dataset: Path, *, check_digests: bool) -> DatasetNote:
    """Return what names a dataset's content; with `check_digests` every shard is read for it.

    DataError where there is no manifest, a shard of it is missing or differs, or one is there that
    it does not name.
    """
    path = dataset / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        files = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
        name = str(manifest["dataset"])
    except FileNotFoundError as error:
        raise DataError(
            f"{dataset} holds no {MANIFEST}: it is not a dataset, or its build has not finished; "
            "`terrascope build` makes one"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no manifest ({error!r}); build the dataset again") from error
    there = {p.relative_to(dataset).as_posix() for p in (dataset / "data").glob("*/*.parquet")}
    if missing := files.keys() - there:
        raise DataError(f"{dataset / min(missing)} is missing, and {path} names it; build it again")
    if unknown := there - files.keys():
        raise DataError(f"{dataset / min(unknown)} is not named by {path}; remove it")
    if check_digests:
        for shard, digest in files.items():
            _check(dataset / shard, digest)
    lines = "".join(f"{digest} {shard}\n" for shard, digest in sorted(files.items()))
    return DatasetNote(name=name, digest=hashlib.sha256(lines.encode()).hexdigest())


def _check(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise DataError(
            f"{path} is not as it was written: the manifest has the SHA-256 {digest}, the file "
            f"{found}; build the dataset again, or copy it again"
        )

"""A version on storage as a folder here: each file fetched once, whatever versions share it."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tasks.atomic import linked, placing, placing_folder
from tasks.errors import UserError
from tasks.manifest import MANIFEST_NAME, VERSIONS, ManifestError, read_manifest
from tasks.storage.address import SCHEME, version_asked
from tasks.storage.bucket import Bucket, StorageError
from tasks.storage.stored import AT_ONCE, OBJECTS, StoredFile, stored_files, stored_manifest
from tasks.versions import dataset_at, name_of

CACHE = "TERRASCOPE_CACHE"  # the folder of the cache; anything in it can go at any time
WORK = ".work"


def opened(name: str) -> Path:
    """Return the folder of a dataset: DIR, DIR@2, or s3://BUCKET/PREFIX/NAME[@2] fetched here."""
    return fetched(name) if name.startswith(SCHEME) else dataset_at(name)


def fetched(url: str) -> Path:
    """Return the folder in the cache of a version on storage, the latest if none is named.

    Only what the cache does not have is fetched. StorageError where there is no such version, or
    storage refuses, does not answer or holds something else than was stored.
    """
    address, number = version_asked(url)
    bucket = Bucket(address)
    content, manifest = stored_manifest(bucket, number)
    cache = cache_folder()
    place = hashlib.sha256(str(address).encode()).hexdigest()[:8]
    folder = cache / "datasets" / f"{manifest.dataset}-{place}" / VERSIONS / name_of(manifest)
    with _held(cache):
        if (folder / MANIFEST_NAME).is_file():
            return folder
        files = stored_files(bucket, manifest)
        _fetch(bucket, cache, files)
        with placing_folder(folder) as hidden:
            for one in files:
                linked(cache / OBJECTS / one.object, hidden / one.path)
            (hidden / MANIFEST_NAME).write_bytes(content)
    return folder


def pull(url: str, out: Path) -> None:
    """Make `out` the dataset that is at `url`, whole or not at all.

    UserError where `out` holds something else than a copy of that dataset.
    """
    folder = fetched(url)
    _check_place(out, read_manifest(folder).dataset)
    with placing_folder(out) as hidden:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            linked(path, hidden / path.relative_to(folder))


def cache_folder() -> Path:
    """Return where fetched files are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get(CACHE) or Path(base) / "terrascope")


@contextmanager
def _held(cache: Path) -> Iterator[None]:
    """Hold the cache: who fetches at the same time waits, and finds what was fetched."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(bucket: Bucket, cache: Path, files: Sequence[StoredFile]) -> None:
    objects = {one.object: one for one in files}
    missing = [one for one in objects.values() if not (cache / OBJECTS / one.object).is_file()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetches = [pool.submit(_fetch_one, bucket, cache, one) for one in missing]
        try:
            for fetch in as_completed(fetches):
                fetch.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch_one(bucket: Bucket, cache: Path, file: StoredFile) -> None:
    name = f"{OBJECTS}/{file.object}"
    content = bucket.read(name)
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise StorageError(
            f"{bucket.address}/{name} ({file.path}) is missing or not what was stored; remove it "
            "there and push the version again"
        )
    with placing(cache / name) as temporary:
        temporary.write_bytes(content)


def _check_place(out: Path, dataset: str) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        same = read_manifest(out).dataset == dataset and not (out / WORK).exists()
    except ManifestError:
        same = False
    if not same:
        raise UserError(
            f"{out} holds something else than a copy of the dataset {dataset}; choose an empty "
            "folder"
        )

"""A published version put on storage: what is not there yet, and its manifest last."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.ledger import sha256_of
from tasks.manifest import MANIFEST_NAME, VERSIONS, Manifest, read_manifest
from tasks.storage.address import Address
from tasks.storage.bucket import Bucket, StorageError
from tasks.storage.stored import (
    AT_ONCE,
    FILES_NAME,
    OBJECTS,
    StoredFile,
    files_text,
    stored_versions,
)
from tasks.versions import name_of, paths_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What was done: files and bytes that were uploaded, files that were there.

    `changed` says whether the version is new there, or the latest one another than before.
    """

    address: Address
    uploaded: int
    bytes: int
    shared: int
    changed: bool

    @property
    def told(self) -> str:
        """What was done, in words."""
        size = f"{self.bytes / 1e6:,.1f} MB"
        return f"storage  {self.address}: {self.uploaded} files ({size}) new, {self.shared} shared"


def push(dataset: Path, to: Address) -> Pushed:
    """Mirror the version that a dataset's folder holds to `to`, below its name.

    Whatever ends this early leaves what was there readable, and is gone on with by the next push.

    Raises:
        UserError: the folder holds no finished dataset, or a file of it is damaged.
        StorageError: storage refuses, does not answer, or holds another history of the dataset.
    """
    manifest = read_manifest(dataset)
    bucket = Bucket(to.below(manifest.dataset))
    there = stored_versions(bucket)
    name = name_of(manifest)
    if there.get(manifest.version, name) != name:
        raise StorageError(
            f"{bucket.address} holds another version {manifest.version}, "
            f"{there[manifest.version]} and not {name}: it was pushed from another folder; push "
            "to another prefix, or remove what is there"
        )
    files = _files_of(dataset, manifest)
    objects = bucket.sizes(OBJECTS)
    missing = {one.object: one for one in files if objects.get(one.object) != one.bytes}
    _upload(bucket, dataset, list(missing.values()))
    content = (dataset / MANIFEST_NAME).read_bytes()
    if manifest.version not in there:
        bucket.write(f"{VERSIONS}/{name}/{FILES_NAME}", files_text(files))
        bucket.write(f"{VERSIONS}/{name}/{MANIFEST_NAME}", content)
    is_latest = manifest.version >= max(there, default=0)
    moved = is_latest and bucket.read(MANIFEST_NAME) != content
    if moved:
        bucket.write(MANIFEST_NAME, content)
    return Pushed(
        address=bucket.address,
        uploaded=len(missing),
        bytes=sum(one.bytes for one in missing.values()),
        shared=len(files) - len(missing),
        changed=moved or manifest.version not in there,
    )


def _files_of(dataset: Path, manifest: Manifest) -> list[StoredFile]:
    """Return the files of a version: of shards what the manifest says, of pages what they are."""
    told = {file.path: file for file in (*manifest.files, *manifest.quarantine)}
    files = []
    for path in paths_of(manifest):
        size = (dataset / path).stat().st_size
        digest = told[path].sha256 if path in told else sha256_of(dataset / path)
        files.append(StoredFile(path=path, sha256=digest, bytes=size))
    return files


def _upload(bucket: Bucket, dataset: Path, files: Sequence[StoredFile]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        uploads = [pool.submit(_upload_one, bucket, dataset, one) for one in files]
        try:
            for upload in as_completed(uploads):
                upload.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _upload_one(bucket: Bucket, dataset: Path, file: StoredFile) -> None:
    """Upload a file; read whole first, so that what ends while reading leaves no half object."""
    content = (dataset / file.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UserError(
            f"{dataset / file.path} is not as it was written; `terrascope verify` says more, and "
            "building again mends it"
        )
    bucket.write(f"{OBJECTS}/{file.object}", content)

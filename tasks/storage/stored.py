"""How a dataset lies on storage: each file once, by its digest, and a list of files a version.

Below the dataset's address:

    objects/6e/6e11…                        every file of every version, named by its SHA-256
    versions/3-6e11a4eaabed/files.json      which of them the version has, under which paths
    versions/3-6e11a4eaabed/manifest.json
    manifest.json                           that of the latest version, written last
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasks.manifest import MANIFEST_NAME, VERSIONS, Manifest, PlainPath, parsed
from tasks.storage.bucket import Bucket, StorageError
from tasks.versions import name_of

OBJECTS, FILES_NAME = "objects", "files.json"
AT_ONCE = 8  # requests on their way


class StoredFile(BaseModel):
    """One file of a version: its path in the dataset, and what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: PlainPath
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)

    @property
    def object(self) -> str:
        """Name of the object, within `OBJECTS`."""
        return f"{self.sha256[:2]}/{self.sha256}"


_FILES = TypeAdapter(tuple[StoredFile, ...])


def files_text(files: Sequence[StoredFile]) -> bytes:
    """Return the list of a version's files as it is stored."""
    return _FILES.dump_json(tuple(files), indent=1) + b"\n"


def stored_versions(bucket: Bucket) -> dict[int, str]:
    """Return the versions that are whole on storage: number -> name of its folder."""
    found = bucket.sizes(VERSIONS)
    names = [name.partition("/")[0] for name in found if name.endswith(f"/{MANIFEST_NAME}")]
    return {int(name.partition("-")[0]): name for name in sorted(names)}


def stored_manifest(bucket: Bucket, version: int | None) -> tuple[bytes, Manifest]:
    """Return the manifest of a version, or of the latest, as it is stored and read."""
    name = MANIFEST_NAME
    if version is not None:
        kept = stored_versions(bucket)
        if version not in kept:
            raise StorageError(
                f"{bucket.address} keeps no version {version}; it has "
                f"{', '.join(map(str, kept)) or 'none'}"
            )
        name = f"{VERSIONS}/{kept[version]}/{MANIFEST_NAME}"
    content = bucket.read(name)
    if content is None:
        raise StorageError(
            f"{bucket.address} holds no {name}: it is no dataset, or pushing it has not come to "
            "its end; push again to go on from there"
        )
    return content, parsed(content, f"{bucket.address}/{name}")


def stored_files(bucket: Bucket, manifest: Manifest) -> tuple[StoredFile, ...]:
    """Return which files a version has."""
    name = f"{VERSIONS}/{name_of(manifest)}/{FILES_NAME}"
    try:
        return _FILES.validate_json(bucket.read(name) or b"")
    except ValidationError as error:
        raise StorageError(
            f"{bucket.address}/{name} is missing or not as it was written; push the version again"
        ) from error

"""Which model answered: a digest over its files, so that a changed weight is another model."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.serving.settings import ServerSettings

READERS = 4  # hashing leaves the interpreter free, and a disk is quicker with several readers


def model_digest(settings: ServerSettings) -> str:
    """Return what names the model's content in provenance.

    For a folder: the SHA-256, in hex, of the lines that `sha256sum` prints for its files, sorted by
    name; hidden files and folders are left out, since they hold what a download noted. For a model
    on the hub: its name and revision, which is a promise and no proof unless it is a commit.
    """
    folder = settings.folder
    if folder is None:
        return f"{settings.model}@{settings.revision or 'main'}"
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    seen = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    with ThreadPoolExecutor(READERS) as readers:
        digests = readers.map(_file_digest, (folder / name for name in seen))
        lines = [f"{digest}  {name}\n" for digest, name in zip(digests, seen, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

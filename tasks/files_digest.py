"""One digest over several files of a folder, so that a change in any of them shows."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.ledger import sha256_of

READERS = 4  # hashing leaves the interpreter free, and a disk is quicker with several readers


def files_digest(folder: Path, names: Iterable[str]) -> str:
    """Return the SHA-256, in hex, of the lines that `sha256sum` prints for files, sorted by name.

    Names are relative to the folder, with "/".
    """
    ordered = sorted(names)
    with ThreadPoolExecutor(READERS) as readers:
        digests = readers.map(sha256_of, (folder / name for name in ordered))
        lines = [f"{digest}  {name}\n" for digest, name in zip(digests, ordered, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()

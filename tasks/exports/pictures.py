"""Image files of an export: each image once, under its digest, with the very bytes of the shard."""

import hashlib
from pathlib import Path

from tasks.atomic import linked
from tasks.exports.target import Export
from tasks.rows import RowError

IMAGES = "images"
DIGEST_CHARS = 32  # of SHA-256, in hex: 128 bits
_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}


def suffix_of(encoded: bytes) -> str:
    """Return ".png" or ".jpg"; RowError for bytes that are neither."""
    for magic, suffix in _SUFFIXES.items():
        if encoded.startswith(magic):
            return suffix
    raise RowError(f"an image is neither PNG nor JPEG: it begins with {encoded[:4]!r}")


def digest_of(*encoded: bytes) -> str:
    """Return a name for one image, or for several in this order."""
    digest = hashlib.sha256(encoded[0])
    for image in encoded[1:]:
        digest = hashlib.sha256(digest.digest() + hashlib.sha256(image).digest())
    return digest.hexdigest()[:DIGEST_CHARS]


def add_picture(export: Export, encoded: bytes) -> str:
    """Write an image that is not there yet; return its name within the folder of images."""
    name = digest_of(encoded) + suffix_of(encoded)
    path = export.folder / IMAGES / name
    if add_file(path, encoded):
        export.made["images"] += 1
    return name


def add_link(export: Export, name: str, path: Path) -> None:
    """Give an image of the folder of images another name, which says its content, if it has none.

    It is a hard link, or a copy where the file system has none.
    """
    if not path.exists():
        linked(export.folder / IMAGES / name, path)


def add_file(path: Path, content: bytes) -> bool:
    """Write a file whose name says its content; return whether it was not there yet."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True

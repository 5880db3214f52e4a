"""WebDataset: tar shards, one key a sample: its images, and all else of it as `json`.

The first image is `KEY.png` or `KEY.jpg`, further ones are `KEY.1.png`, `KEY.2.png`, …; the JSON
lists them in order (`images`), with masks as COCO RLE. An image stands in the tar once for every
sample that carries it: a sample has to be whole there.
"""

import json
import tarfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

from tasks.exports.pictures import suffix_of
from tasks.exports.target import Export, split_name
from tasks.rows import Row, RowError

SHARD_BYTES = 256 << 20  # a shard ends with the sample that reaches it
_NOT_TOLD = {"images", "evidence", "words"}


def write_webdataset(export: Export) -> None:
    """Write every sample into `SPLIT-000000.tar` and on; scene masks are left out."""
    with ExitStack() as stack:
        shards: dict[str, _Shards] = {}
        for row in export.rows():
            split = split_name(row.split)
            if split not in shards:
                shards[split] = stack.enter_context(_Shards(export, split))
            shards[split].add(row)
            export.samples += 1


def members_of(row: Row) -> dict[str, bytes]:
    """Return a sample's files by what stands after its key."""
    images = {
        (f"{number}" if number else "") + suffix_of(image.bytes): image.bytes
        for number, image in enumerate(row.images)
    }
    images = {name.removeprefix("."): encoded for name, encoded in images.items()}
    told: dict[str, Any] = {
        "images": list(images),
        **row.model_dump(mode="json", exclude=_NOT_TOLD),
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return {**images, "json": text.encode()}


class _Shards:
    """The tar files of one split, one open at a time."""

    def __init__(self, export: Export, split: str) -> None:
        self._export, self._split = export, split
        self._number = 0
        self._tar: tarfile.TarFile | None = None

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._tar is not None:
            self._tar.close()

    def add(self, row: Row) -> None:
        """Append a sample; RowError where its id cannot be a key."""
        if not row.sample_id or set("./\\") & set(row.sample_id):
            raise RowError(f"the sample id {row.sample_id!r} cannot be the key of a file in a tar")
        tar = self._tar or self._open()
        for name, content in members_of(row).items():
            member = tarfile.TarInfo(f"{row.sample_id}.{name}")  # of no time and nobody
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
        if tar.offset >= SHARD_BYTES:
            tar.close()
            self._tar = None

    def _open(self) -> tarfile.TarFile:
        path: Path = self._export.folder / f"{self._split}-{self._number:06}.tar"
        self._number += 1
        self._export.made["tar shards"] += 1
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        return self._tar

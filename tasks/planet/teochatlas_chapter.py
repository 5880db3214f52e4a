"""What the kinds of TEOChatlas scenes have in common: their files, records, truth, and places."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2

from tasks.planet.tone import Image

JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
# Huffman codes alone: as small as a search for matches on such pictures, and faster
PNG = [
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One scene of the archive: all that is asked about one list of images.

    `pictures` are by path relative to `train/` or `eval/`, in order of date; `records` are pairs
    of the JSON's name in that folder and the record.
    """

    folder: str
    pictures: dict[str, Image]
    records: list[tuple[str, dict[str, Any]]]
    truth: dict[str, Any] = field(default_factory=dict)

    def save_pictures(self, out: Path) -> None:
        """Write the pictures below the archive's root; raises OSError if that fails."""
        for name, picture in self.pictures.items():
            path = out / self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            options = {".jpg": JPEG, ".png": PNG}.get(path.suffix, [])
            if not cv2.imwrite(str(path), picture[:, :, ::-1], options):
                raise OSError(f"cannot write {path}")


def json_name(folder: str, eval_name: str) -> str:
    """Return which file a record goes to: the one of train, or its own of eval."""
    return "instruct.json" if folder == "train" else eval_name

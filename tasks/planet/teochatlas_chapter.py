"""What the kinds of TEOChatlas scenes have in common: their files, records, truth, and places."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.planet.pictures import write_picture
from tasks.planet.tone import Image


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
            write_picture(path, picture)


def json_name(folder: str, eval_name: str) -> str:
    """Return which file a record goes to: the one of train, or its own of eval."""
    return "instruct.json" if folder == "train" else eval_name

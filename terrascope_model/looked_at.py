"""Who looks at a scene, and at which of its pictures."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from terrascope_model.answer import Answerer
from terrascope_model.sample import Picture

SCENES_A_READ = 16  # rows with pictures held at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """A trained model, and the names that its training asked for, None where that is not known."""

    answerer: Answerer
    names: frozenset[str] | None

    def knows(self, phrase: str) -> bool:
        """Return whether a class may be asked for by this name."""
        return self.names is None or phrase in self.names


def load_annotator(model: Mapping[str, Any], device: str) -> Annotator:
    """Return the annotator of a job's entry; ModelFolderError where the folder holds none."""
    answerer = Answerer.from_pretrained(Path(model["folder"]))
    answerer.model.to(device)
    names = model["names"]
    return Annotator(answerer=answerer, names=None if names is None else frozenset(names))


def read_scenes(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a scene table, some in memory at a time."""
    with pq.ParquetFile(path) as file:
        for table in file.iter_batches(SCENES_A_READ, columns=list(columns)):
            yield from table.to_pylist()


def best_picture(
    infos: Sequence[Mapping[str, Any]], date_index: int, sar_rendering: str
) -> int | None:
    """Return which picture of a date is looked at, None where there is none.

    A clear optical picture before a cloudy one, radar at last.
    """
    of_date = [(at, info) for at, info in enumerate(infos) if info["date_index"] == date_index]
    optical = [(at, info) for at, info in of_date if info["modality"] == "optical"]
    clear = [at for at, info in optical if not info["cloudy"]]
    radar = [at for at, info in of_date if info["rendering"].startswith(sar_rendering)]
    return next(chain(clear, (at for at, _ in optical), radar), None)


def picture_at(row: Mapping[str, Any], image_index: int) -> Picture:
    """Return a picture of a scene table's row."""
    encoded = row["images"][image_index]["bytes"]
    return Picture(
        image=Image.open(io.BytesIO(encoded)).convert("RGB"),
        modality=row["image_info"][image_index]["modality"],
    )

"""Read back what an annotator predicted of a granule's classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ClassAt = tuple[str, str, int]  # layer, class, date


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A predicted mask of a class, and how it lies to the annotated one; `counts` may be ""."""

    counts: str
    confidence: float
    annotated_px: int
    predicted_px: int
    shared_px: int
    regions_px: int

    @property
    def iou(self) -> float:
        """With the annotated mask."""
        union_px = self.annotated_px + self.predicted_px - self.shared_px
        return self.shared_px / union_px if union_px else 0.0


def read_predictions(path: Path) -> dict[str, dict[ClassAt, Prediction]]:
    """Return what was predicted of each scene, by its id, class by class."""
    found: dict[str, dict[ClassAt, Prediction]] = {}
    for row in pq.read_table(path).to_pylist():
        of_scene = found.setdefault(row["scene_id"], {})
        of_scene[row["layer"], row["label"], row["date_index"]] = prediction_of(row)
    return found


def prediction_of(row: Mapping[str, Any]) -> Prediction:
    """Return a row of `PREDICTION_SCHEMA` without its place."""
    return Prediction(
        counts=row["counts"],
        confidence=row["confidence"],
        annotated_px=row["annotated_px"],
        predicted_px=row["predicted_px"],
        shared_px=row["shared_px"],
        regions_px=row["regions_px"],
    )

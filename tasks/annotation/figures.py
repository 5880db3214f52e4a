"""How predicted masks lie to annotated ones, class by class."""

from collections.abc import Sequence
from statistics import mean

import pyarrow.parquet as pq

from tasks.annotation.predictions import Prediction, prediction_of
from tasks.annotation.settings import RefineSettings
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.manifest import RefinedClass
from tasks.stage_names import ANNOTATE


def refined_classes(
    ledger: Ledger, granules: Sequence[GranuleId], settings: RefineSettings
) -> tuple[RefinedClass, ...]:
    """Return the figures of every class that was asked for, by source."""
    by_class: dict[tuple[str, str, str], list[Prediction]] = {}
    for granule in granules:
        for row in pq.read_table(ledger.path(ANNOTATE, granule.name, ".parquet")).to_pylist():
            key = (granule.source, row["layer"], row["label"])
            by_class.setdefault(key, []).append(prediction_of(row))
    return tuple(
        _figures(*key, predictions, settings) for key, predictions in sorted(by_class.items())
    )


def _figures(
    source: str, layer: str, label: str, found: Sequence[Prediction], settings: RefineSettings
) -> RefinedClass:
    taken = [one for one in found if one.counts and settings.takes(one.iou)]
    annotated_px = sum(one.annotated_px for one in taken)
    whole = settings.policy == "regions"
    kept_px = sum(one.regions_px if whole else one.shared_px for one in taken)
    return RefinedClass(
        source=source,
        layer=layer,
        label=label,
        masks=len(found),
        marked=sum(one.predicted_px > 0 for one in found),
        mean_iou=mean(one.iou for one in found),
        intersected=len(taken),
        kept_share=kept_px / annotated_px if annotated_px else 0.0,
    )

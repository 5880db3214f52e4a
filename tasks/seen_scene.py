"""A scene as a writer is told of it: the images that are shown, its regions, what they measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from masks.regions import region as region_masks
from schemas.mask import Origin
from tasks.captions.overlay import captioner_picture
from tasks.scene_table import asked_scene
from templates.asked import AskedScene
from templates.caption_facts import CaptionFacts, facts_of
from templates.captioned import CaptionedScene
from templates.metadata import metadata_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenScene:
    """One scene, measured, with the images that a text about it is of."""

    scene_id: str
    source: str
    asked: AskedScene
    ground: CaptionedScene
    facts: CaptionFacts


def see(row: Mapping[str, Any], sar_rendering: str, drawn_by: str) -> SeenScene | str:
    """Return a scene row as a writer is told of it, or the rule by which it is left out.

    `drawn_by` is the seed by which the images are drawn, as a question's are.
    """
    asked = asked_scene(row, sar_rendering)
    if not asked.can_be_seen:
        return "no_image_at_a_labelled_date"
    if any(mask.origin is Origin.BOX for mask in asked.measured.evidence.masks):
        return "box_masks"  # a box is neither the shape nor the area of what it holds
    view = asked.view(Random(drawn_by))
    ground = CaptionedScene(
        measured=asked.measured,
        words=asked.words,
        view=view,
        metadata=metadata_of(
            row["source"],
            row["place"],
            view,
            [info["date"] for info in row["image_info"]],
            _bounds(row["grid"]),
        ),
    )
    facts = facts_of(ground)
    if not facts.regions:
        return "no_region"
    return SeenScene(
        scene_id=row["scene_id"], source=row["source"], asked=asked, ground=ground, facts=facts
    )


def pictures_of(row: Mapping[str, Any], seen: SeenScene) -> list[bytes]:
    """Return the pictures that a writer sees, one a shown image; the row must hold the images."""
    marked = [
        (facts.region, region_masks(facts.region.expr, seen.asked.measured).mask_HW)
        for facts in seen.facts.regions
    ]
    return [
        captioner_picture(
            row["images"][image.index]["bytes"],
            [found for found in marked if found[0].date_index == image.date_index],
        )
        for image in seen.ground.view.images
    ]


def _bounds(grid: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    if grid["west"] is None:
        return None
    return grid["west"], grid["south"], grid["east"], grid["north"]

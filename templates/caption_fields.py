"""What a scene's prompt is filled with: its images, metadata and measured regions, in words."""

from collections.abc import Iterator

from schemas.scene import Modality
from schemas.trace import pixel_size_text, pixels_text, quantity_text, things_text
from templates.caption_facts import CaptionFacts, RegionFacts
from templates.ground import Ground
from templates.prompts import DATES_RULE

MODALITY_WORDS = {Modality.OPTICAL: "optical, natural colours", Modality.SAR: "radar (SAR)"}
UNKNOWN = "unknown"


def whole_words(facts: CaptionFacts) -> str:
    """Return what a share is of: the image, or its labelled area where labels are missing."""
    return "the image" if facts.labelled else "the labelled area"


def prompt_fields(facts: CaptionFacts, ground: Ground) -> dict[str, str]:
    """Return the fields of `templates.prompts.CAP_COT`."""
    return {
        "images": "\n".join(_image_lines(ground)),
        "pixel_size": _pixel_size(ground),
        "place": _place(ground),
        "event": ground.metadata.disaster or "none known",
        "up": _up(ground),
        "whole": whole_words(facts),
        "regions": "\n".join(_region_line(facts, region, ground) for region in facts.regions),
        "dates_rule": DATES_RULE if ground.view.num_dates > 1 else "",
    }


def _image_lines(ground: Ground) -> Iterator[str]:
    for number, image in enumerate(ground.view.images, start=1):
        parts = [MODALITY_WORDS[image.modality]]
        parts += [sensor for sensor in (ground.metadata.sensors[number - 1],) if sensor]
        parts += [date for date in (ground.metadata.dates[image.date_index],) if date]
        parts += [image.role] if image.role in ("pre", "post") else []
        parts += ["partly cloudy"] if image.cloudy else []
        yield f"Image {number}: {', '.join(parts)}"


def _pixel_size(ground: Ground) -> str:
    if ground.pixel_size_m is None:
        return f"{UNKNOWN} (give no metres and no areas)"
    return pixel_size_text(*(round(size, 2) for size in ground.pixel_size_m))


def _place(ground: Ground) -> str:
    if ground.metadata.lon_lat is None:
        return UNKNOWN
    lon, lat = ground.metadata.lon_lat
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{abs(lat):.0f}° {north}, {abs(lon):.0f}° {east}"


def _up(ground: Ground) -> str:
    if ground.north_up:
        return "up is north, right is east."
    return "north is unknown: say upper, lower, left, right and centre, and no compass words."


def _region_line(facts: CaptionFacts, measured: RegionFacts, ground: Ground) -> str:
    region = measured.region
    image = ground.view.image_of_date(region.date_index) + 1
    parts = [f"region {region.number}: {region.land.phrase}"]
    if ground.view.num_dates > 1:
        parts.append(f"on image {image}")
    parts.append(f"{pixels_text(measured.px)} pixels")
    if measured.share is not None:
        parts.append(f"{quantity_text(measured.share, 'share')} of {whole_words(facts)}")
    if measured.area_m2 is not None and not region.counted:
        parts.append(quantity_text(measured.area_m2, "m2"))
    if measured.count is not None:
        one, many = _things(measured)
        parts.append(things_text(measured.count, one, many))
    if measured.place:
        parts.append(f"mainly in the {measured.place}")
    elif measured.spread and not region.counted:
        parts.append("spread over the image")
    if measured.borders:
        parts.append("borders " + ", ".join(f"region {number}" for number in measured.borders))
    for number, metres in measured.distances_m.items():
        parts.append(f"{quantity_text(metres, 'm')} from region {number}")
    return "; ".join(parts)


def _things(measured: RegionFacts) -> tuple[str, str]:
    land = measured.region.land
    return (land.singular, land.phrase) if measured.region.counted else ("patch", "patches")

"""What may be said of a scene beside its masks, each in a closed vocabulary.

Names of places and files come from archives, and with one's own data from anybody. None of them
reaches a prompt: a name that is not in a table here says nothing at all.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from schemas.scene import Modality
from templates.ground import Metadata
from templates.view import View

# sensor by source: reference pages of the archives, as each reader's file tells them
SENSORS: Mapping[tuple[str, Modality], str] = {
    ("bigearthnet", Modality.OPTICAL): "Sentinel-2",
    ("bigearthnet", Modality.SAR): "Sentinel-1",
    ("chatearthnet", Modality.OPTICAL): "Sentinel-2",
    ("chatearthnet", Modality.SAR): "Sentinel-1",
}
# the last word of xBD's 19 events, such as "santa-rosa-wildfire", and what it is called
DISASTERS: Mapping[str, str] = {
    "volcano": "volcanic eruption",
    "hurricane": "hurricane",
    "earthquake": "earthquake",
    "flooding": "flood",
    "tsunami": "tsunami",
    "wildfire": "wildfire",
    "bushfire": "wildfire",
    "fire": "wildfire",
    "tornado": "tornado",
}
_DISASTER_SOURCES = ("xbd", "teochatlas")


def metadata_of(
    source: str,
    place: str,
    view: View,
    dates: Sequence[str],
    bounds_lonlat: tuple[float, float, float, float] | None,
) -> Metadata:
    """Return what is known of a scene.

    Args:
        source: Name of the archive.
        place: Its tile or event, of which only the kind of a disaster is read.
        view: The images that are carried.
        dates: ISO date of each of the scene's images, "" where unknown; another text is unknown.
        bounds_lonlat: (west, south, east, north) in WGS84 degrees, None where unknown.
    """
    return Metadata(
        sensors=tuple(SENSORS.get((source, image.modality), "") for image in view.images),
        dates=_dates(view, dates),
        lon_lat=_centre(bounds_lonlat),
        disaster=_disaster(place) if source in _DISASTER_SOURCES else "",
    )


def _dates(view: View, dates: Sequence[str]) -> tuple[str, ...]:
    by_date = dict.fromkeys(range(max(view.date_indices) + 1), "")
    for image in view.images:
        by_date[image.date_index] = by_date[image.date_index] or _iso(dates[image.index])
    return tuple(by_date.values())


def _iso(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _centre(bounds: tuple[float, float, float, float] | None) -> tuple[float, float] | None:
    if bounds is None:
        return None
    west, south, east, north = bounds
    return (west + east) / 2, (south + north) / 2


def _disaster(place: str) -> str:
    words = re.split(r"[-_]", place.lower())
    return next((DISASTERS[word] for word in words if word in DISASTERS), "")

"""The nineteen disasters of xBD: where and when they struck, what kind they were, who took part.

Names, types and the split of the archive into tiers are xBD's own. Places and days are those of
the real events, to a tenth of a degree and about a month; they only lay the georeference.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaster:
    """One disaster: place in WGS84 degrees, days of the two images, tier 1 or 3 of the archive."""

    name: str
    kind: str
    longitude: float
    latitude: float
    before: date
    after: date
    tier: int


def _disaster(
    name: str, kind: str, lonlat: tuple[float, float], before: str, after: str, tier: int = 1
) -> Disaster:
    return Disaster(
        name=name,
        kind=kind,
        longitude=lonlat[0],
        latitude=lonlat[1],
        before=date.fromisoformat(before),
        after=date.fromisoformat(after),
        tier=tier,
    )


DISASTERS = (
    _disaster("guatemala-volcano", "volcano", (-90.8, 14.4), "2018-02-22", "2018-06-22"),
    _disaster("hurricane-florence", "flooding", (-78.1, 34.6), "2018-07-20", "2018-09-20"),
    _disaster("hurricane-harvey", "flooding", (-95.5, 29.7), "2016-11-07", "2017-08-31"),
    _disaster("hurricane-matthew", "wind", (-74.1, 18.2), "2015-11-16", "2016-10-08"),
    _disaster("hurricane-michael", "wind", (-85.7, 30.2), "2017-10-26", "2018-10-13"),
    _disaster("mexico-earthquake", "earthquake", (-99.2, 19.4), "2017-06-20", "2017-09-20"),
    _disaster("midwest-flooding", "flooding", (-96.1, 41.2), "2018-05-15", "2019-05-31"),
    _disaster("palu-tsunami", "tsunami", (119.8, -0.9), "2018-08-17", "2018-10-01"),
    _disaster("santa-rosa-wildfire", "fire", (-122.7, 38.5), "2017-06-11", "2017-10-11"),
    _disaster("socal-fire", "fire", (-118.8, 34.1), "2018-04-16", "2018-11-14"),
    _disaster("joplin-tornado", "wind", (-94.5, 37.1), "2009-08-08", "2011-05-29", 3),
    _disaster("lower-puna-volcano", "volcano", (-154.9, 19.5), "2018-01-02", "2018-05-23", 3),
    _disaster("moore-tornado", "wind", (-97.5, 35.3), "2013-02-10", "2013-05-22", 3),
    _disaster("nepal-flooding", "flooding", (85.2, 26.8), "2016-10-13", "2017-08-16", 3),
    _disaster("pinery-bushfire", "fire", (138.5, -34.3), "2015-10-06", "2015-12-03", 3),
    _disaster("portugal-wildfire", "fire", (-8.2, 40.0), "2017-04-08", "2017-06-24", 3),
    _disaster("sunda-tsunami", "tsunami", (105.7, -6.3), "2018-09-06", "2018-12-26", 3),
    _disaster("tuscaloosa-tornado", "wind", (-87.5, 33.2), "2010-12-30", "2011-04-29", 3),
    _disaster("woolsey-fire", "fire", (-118.7, 34.1), "2018-06-25", "2018-11-15", 3),
)


def decimal_year(day: date) -> float:
    """Return the date as the world counts it, such as 2018.5 for the second of July 2018."""
    start = date(day.year, 1, 1).toordinal()
    return day.year + (day.toordinal() - start) / (date(day.year + 1, 1, 1).toordinal() - start)


def day_of(year: float) -> date:
    """Return the day of a decimal year, the inverse of `decimal_year` to the day."""
    whole = int(year)
    start, end = date(whole, 1, 1).toordinal(), date(whole + 1, 1, 1).toordinal()
    return date.fromordinal(start + int((year - whole) * (end - start)))

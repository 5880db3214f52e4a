"""Words that are claims on their own: sensors, colours, drawings on a picture, dates, events."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FactWord:
    """A claim of one word: its kind and what it says, such as ("sensor", "Sentinel-2")."""

    kind: str
    value: str


MODALITY_WORDS: Mapping[str, str] = {
    "sar": "sar, radar, backscatter, backscattering, synthetic aperture radar, polarisation, "
    "polarization, polarimetric, vv, vh, c band, dual polarised, "
    "backscattered",
    "optical": "optical, rgb, true colour, true color, natural colour, natural color, photograph, "
    "photographs, colour photograph, color photograph, aerial photograph, "
    "photographic",
}
# families of sensors; "Landsat 8" is the eighth of its family
SENSOR_FAMILIES = (
    "Sentinel, Landsat, WorldView, GeoEye, QuickBird, IKONOS, Pleiades, SPOT, MODIS, PlanetScope, "
    "RapidEye, Gaofen, ALOS, PALSAR, RADARSAT, TerraSAR, NAIP, ASTER, VIIRS"
)
NUMBERED_SENSORS = {"SPOT"}  # names that are also words, and are read with a number only
MOST_NUMBERS = 9
COLOUR_WORDS = (
    "colour, color, coloured, colored, colours, colors, hue, hues, green, blue, brown, red, "
    "yellow, white, grey, gray, black, orange, purple, pink, beige, tan, turquoise, greenish, "
    "bluish, brownish, reddish, yellowish, whitish, greyish, grayish, violet, magenta, cyan, teal, "
    "dark green, light green, dark blue, light blue, bright green, emerald, azure, ochre, golden"
)
OVERLAY_WORDS = (
    "overlay, overlays, overlaid, overlain, overlayed, mask, masks, masked, legend, highlighted, "
    "outlined, annotation, annotations, annotated, annotated region, annotated regions, label "
    "colour, label color, label colours, label colors, colour coded, color coded, colour coding, "
    "color coding, shaded region, shaded regions, bounding box, bounding boxes, segmentation "
    "mask, segmentation, colour code, color code, colour key, color key, tinted, shaded in, "
    "coloured outline, coloured outlines, colored outline, colored outlines, outlined in, drawn "
    "in, marked in, label map, segmentation map"
)
# canonical names are those of templates.metadata.DISASTERS, with what else a text may name
DISASTER_WORDS: Mapping[str, str] = {
    "volcanic eruption": "volcano, volcanic eruption, eruption, volcanic, lava flow, lava",
    "hurricane": "hurricane, cyclone, typhoon, tropical storm",
    "earthquake": "earthquake, quake, seismic event",
    "flood": "flood, flooding, floods, inundation, floodwater, floodwaters",
    "tsunami": "tsunami",
    "wildfire": "wildfire, bushfire, forest fire, fire, wild fire, bush fire, wildfires",
    "tornado": "tornado",
    "landslide": "landslide, mudslide",
    "explosion": "explosion",
    "drought": "drought",
}
SEASONS: Mapping[str, tuple[int, ...]] = {  # months of the northern half of the Earth
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
    "winter": (12, 1, 2),
}
MONTHS = (
    "january february march april may june july august september october november december".split()
)
SEASON_WORDS: Mapping[str, str] = {
    "spring": "spring, springtime",
    "summer": "summer, summertime",
    "autumn": "autumn, in the fall",
    "winter": "winter, wintertime",
}

# states of objects, by the names of xBD's joint damage scale; "damaged" is all but the first
UNDAMAGED, MINOR, MAJOR, DESTROYED = "no-damage", "minor-damage", "major-damage", "destroyed"
DAMAGED = (MINOR, MAJOR, DESTROYED)
STATE_WORDS: Mapping[tuple[str, ...], str] = {
    (UNDAMAGED,): "undamaged, no damage, intact, unaffected, unscathed, survived, unharmed, not "
    "damaged, escaped damage, without damage, no visible damage, undestroyed, survive, standing, "
    "no signs of damage, no sign of damage, free of damage, still standing, left intact, spared",
    (MINOR,): "minor damage, slightly damaged, lightly damaged, slight damage, light damage, minor "
    "damaged, with minor damage, some damage, minimally damaged",
    (MAJOR,): "major damage, severely damaged, heavily damaged, severe damage, heavy damage, badly "
    "damaged, with major damage, seriously damaged, serious damage, significantly damaged, "
    "significant damage",
    (DESTROYED,): "destroyed, completely destroyed, collapsed, fully destroyed, totally destroyed, "
    "wiped out, razed, levelled, in ruins, destruction, ruined, entirely destroyed",
    DAMAGED: "damaged, damage, damages, affected, hit, with damage, harmed, "
    "visible damage, or destroyed, impacted, damaged or destroyed, damage or destruction",
}

# which date a clause speaks of: the place among the dates carried, -1 for the last
DATE_WORDS: Mapping[int, str] = {
    0: "before the event, before the disaster, pre event, pre disaster, before, pre event image, "
    "pre disaster image, first image, earlier image, the first date, at first, initially, first "
    "date, earlier date, before image, prior to the event, prior to the disaster, pre image, image "
    "before, before the storm, before it happened, image before the event, in the beginning, "
    "image before the disaster, first scene, first picture, earlier picture, at the first date, "
    "first frame, pre event scene, pre disaster scene, originally, before the catastrophe",
    -1: "after the event, after the disaster, post event, post disaster, after, post event image, "
    "post disaster image, last image, latest image, final image, later image, last date, later "
    "date, after image, following the event, following the disaster, post image, afterwards, "
    "image after, after the storm, final date, image after the event, image after the disaster, "
    "last scene, last picture, later picture, at the last date, most recent image, in the end, "
    "post event scene, post disaster scene, last frame, after it happened, in the aftermath, "
    "the aftermath, by the last date, after the catastrophe, by the last image",
    1: "second image, second date, second picture, second scene, second frame",
    2: "third image, third date, third picture, third scene, third frame",
    3: "fourth image, fourth date, fourth picture",
}

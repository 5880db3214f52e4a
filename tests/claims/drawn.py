"""Small scenes drawn as text, for tests of single claims; each is described by its figures."""

from tests.claims.corpus import Grounds, grounds_of

OPTICAL = {"modality": "optical", "date_index": 0, "sensor": "Sentinel-2"}
RADAR = {"modality": "sar", "date_index": 0, "sensor": "Sentinel-1"}
LETTERS = {
    "W": "water",
    "D": "developed area",
    "T": "tree",
    "S": "shrub",
    "G": "grass",
    "C": "crop",
    "B": "bare land",
    "N": "snow",
    "M": "mangroves",
    "L": "wetland",
    "?": None,
}
EUROPE = {
    "U": "Urban fabric",
    "I": "Industrial or commercial units",
    "A": "Arable land",
    "P": "Pastures",
    "K": "Complex cultivation patterns",
    "F": "Agro-forestry areas",
    "B": "Broad-leaved forest",
    "C": "Coniferous forest",
    "W": "Inland waters",
    "S": "Marine waters",
    "?": None,
}


def land(*maps: str, **changes) -> Grounds:
    """Return a scene of blocks of 10 x 10 pixels of 10 m; one text a date, its rows by spaces."""
    drawn = {
        "classes": "chatearthnet",
        "pixel_size_m": [10.0, 10.0],
        "north_up": True,
        "block_px": 10,
        "images": [{**OPTICAL, "date_index": date} for date in range(len(maps))],
        "dates": [f"201{8 + date}-06-12" for date in range(len(maps))],
        "disaster": "",
        "fully_labelled": True,
        "legend": LETTERS,
        "maps": [text.split() for text in maps],
    }
    return grounds_of({**drawn, **changes})


def europe(*maps: str, **changes) -> Grounds:
    """Return the same with the classes of BigEarthNet."""
    return land(*maps, **{"classes": "bigearthnet", "legend": EUROPE, **changes})


def town(states: str, **changes) -> Grounds:
    """Return a scene of two dates with one 10 x 10 px building a letter, five a row.

    d destroyed, j major damage, m minor damage, o undamaged, u un-classified.
    """
    names = {
        "d": "destroyed",
        "j": "major-damage",
        "m": "minor-damage",
        "o": "no-damage",
        "u": "un-classified",
    }
    objects = [
        {
            "id": f"b{number}",
            "date": date,
            "box_px": [
                5 + 20 * (number // 5),
                5 + 20 * (number % 5),
                15 + 20 * (number // 5),
                15 + 20 * (number % 5),
            ],
            "state": names[state] if date else None,
        }
        for number, state in enumerate(states)
        for date in (0, 1)
    ]
    drawn = {
        "classes": "xbd",
        "pixel_size_m": [0.5, 0.5],
        "north_up": False,
        "block_px": 1,
        "images": [{**OPTICAL, "date_index": date, "sensor": "WorldView"} for date in (0, 1)],
        "dates": ["2018-05-01", "2018-09-20"],
        "disaster": "hurricane",
        "fully_labelled": True,
        "legend": {},
        "maps": [],
        "size_px": [120, 120],
        "objects": objects,
    }
    return grounds_of({**drawn, **changes})


# 10 x 10 blocks: crops 64 %, trees 22 % (upper left and in a band below), water 8 % (lower right,
# enclosed by the band), developed 6 % (lower left corner)
FARMS = land(
    "TTTTCCCCCC "
    "TTTTCCCCCC "
    "TTTTCCCCCC "
    "CCCCCCCCCC "
    "CCCCCCCCCC "
    "CCCCCCTTTT "
    "CCCCCCTWWW "
    "DDCCCCTWWW "
    "DDCCCCTWWC "
    "DDCCCCTTTC"
)
TOWN = town("ddddmmoooo")  # 10 buildings: 4 destroyed, 2 minor damage, 4 undamaged

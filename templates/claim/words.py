"""Which words name which classes: a class's own words, words for a kind, things inside a class.

A word stands for some classes for certain and may take in others as well (docs/claims.md):
"forest" is every tree class, and may be an agro-forestry area. Classes are named here by their
common kind or, where a kind is too coarse, by their name in the archive; what a scene's layers do
not hold falls out. Plurals in -s are made (`templates.claim.classes`), all other forms are listed.
Hyphens are spaces, and articles inside a phrase may be left out or put in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.taxonomy import Common

AGRO_FORESTRY = "Agro-forestry areas"
MIXED_FARMLAND = (
    "Land principally occupied by agriculture, with significant areas of natural vegetation"
)
SPARSE_GRASS = "Natural grassland and sparsely vegetated areas"
TRANSITIONAL = "Transitional woodland, shrub"
_MIXED = (AGRO_FORESTRY, MIXED_FARMLAND)


@dataclass(frozen=True, slots=True)
class KindWords:
    """Words that stand for the classes in `certain` together, and perhaps for those in `maybe`.

    A class is meant by its `Common` kind or by its name; one whose name is in `maybe` is not
    certain, though its kind be. `inside` marks words for things that lie in such a class but are
    not all of it, such as a river.
    """

    words: str  # separated by commas
    certain: tuple[str, ...]
    maybe: tuple[str, ...] = ()
    inside: bool = False


def _inside(words: str, *classes: str) -> KindWords:
    return KindWords(words, classes, inside=True)


KIND_WORDS = (
    KindWords(
        "water, waters, water body, water bodies, waterbody, waterbodies, body of water, "
        "bodies of water, water surface, open water, water feature, water area",
        (Common.WATER,),
    ),
    KindWords(
        "tree, tree cover, forest, forest cover, forest land, forestland, forested, wooded, treed, "
        "tree covered, forest covered, wood, woods, tree canopy, canopy, tree vegetation, "
        "forestation, arboreal vegetation",
        (Common.TREE,),
        (AGRO_FORESTRY, TRANSITIONAL),
    ),
    KindWords("woodland", (Common.TREE,), (AGRO_FORESTRY, TRANSITIONAL)),
    KindWords(
        "shrub, shrubland, shrub cover, shrub vegetation, bush, bushes, bushland, scrub, "
        "scrubland, shrubbery, shrubby, shrub covered",
        (Common.SHRUB,),
    ),
    KindWords(
        "grass, grasses, grassland, grass cover, grassy, grass land, grass covered, "
        "herbaceous vegetation, herbaceous cover",
        (Common.GRASS,),
    ),
    KindWords(
        "crop, cropland, crop land, crop field, crop cover, cropped, cultivated, cultivated crop, "
        "cultivation, cropping",
        (Common.CROP,),
        _MIXED,
    ),
    KindWords(
        "farmland, farm land, agricultural, agriculture, agricultural land, agricultural field, "
        "farm field, agricultural crop, arable, farmed, farming, agricultural cover",
        (Common.CROP,),
        (*_MIXED, "Pastures"),
    ),
    KindWords("field", (Common.CROP,), (*_MIXED, Common.GRASS)),
    KindWords(
        "developed, built up, built up land, developed land, development, built environment, "
        "artificial surface, impervious surface, built surface, builtup, urban development, "
        "human development",
        (Common.BUILT,),
    ),
    KindWords(
        "urban, urban area, urban land, urbanised, urbanized, settlement, human settlement, "
        "urban settlement, urban cover",
        (Common.BUILT,),
        ("Industrial or commercial units",),
    ),
    KindWords(
        "bare land, bare, barren, bare ground, barren land, barren ground, bareland, bare surface",
        (Common.BARE,),
        (SPARSE_GRASS,),
    ),
    # a ploughed field is bare soil to the eye
    KindWords(
        "bare soil, bare earth, exposed soil, exposed earth, barren soil, exposed ground",
        (Common.BARE,),
        (SPARSE_GRASS, "Arable land"),
    ),
    KindWords("wetland, wet land", (Common.WETLAND,), ("mangroves",)),
    KindWords(
        "snow, ice, snow and ice, snow or ice, snow cover, snow covered, ice cover, snowy",
        (Common.SNOW,),
    ),
    KindWords("moss, mosses, lichen, moss and lichen, moss or lichen", (Common.MOSS,)),
    KindWords("building, structure, building footprint", (Common.BUILDING,)),
    KindWords(
        "vegetation, vegetated, greenery, green space, plant cover, vegetation cover",
        (Common.TREE, Common.SHRUB, Common.GRASS),
        (Common.CROP, Common.WETLAND, Common.MOSS, Common.MIXED),
    ),
    KindWords(
        "natural vegetation, woody vegetation",
        (Common.TREE, Common.SHRUB),
        (Common.GRASS, Common.WETLAND, Common.MOSS, Common.MIXED),
    ),
    # things that the classes hold without naming them
    _inside(
        "river, stream, creek, canal, lake, pond, reservoir, lagoon, estuary, estuaries, sea, "
        "ocean, bay, harbour, harbor, coast, coastline, shoreline, shore, waterway, tributary, "
        "tributaries, riverbank, riverbed, lakeside, dam, waterfall, fjord, inlet, strait",
        Common.WATER,
    ),
    _inside(
        "orchard, vineyard, grove, olive grove, plantation",
        Common.CROP,
        Common.TREE,
        Common.SHRUB,
        Common.MIXED,
    ),
    _inside(
        "greenhouse, rice paddy, rice paddies, paddy, paddies, rice field, wheat, wheat field, "
        "maize, corn, barley, rice, vegetable, farm, farmstead, allotment",
        Common.CROP,
        Common.MIXED,
    ),
    _inside(
        "meadow, pasture, pastureland, pasture land, lawn, prairie, steppe, savanna, savannah, "
        "grazing land",
        Common.GRASS,
        Common.CROP,
        Common.MIXED,
    ),
    _inside(
        "garden, park, golf course, hedge, hedgerow",
        Common.GRASS,
        Common.TREE,
        Common.SHRUB,
        Common.BUILT,
    ),
    _inside("pine, oak, conifer, rainforest, jungle, copse, thicket", Common.TREE, Common.SHRUB),
    _inside(
        "beach, beaches, dune, sand, sandbank, sandy, desert, rock, rocky, rock outcrop, quarry, "
        "quarries, gravel, cliff",
        Common.BARE,
        SPARSE_GRASS,
    ),
    _inside(
        "marsh, marshes, marshland, swamp, bog, peatland, peat bog, reed bed, mudflat, fen",
        Common.WETLAND,
    ),
    _inside("mangrove, mangrove forest", "mangroves"),
    _inside("moor, moorland, heath, heathland", Common.SHRUB, Common.GRASS),
    _inside("glacier, iceberg, ice sheet, snowfield", Common.SNOW),
    _inside("tundra", Common.MOSS, Common.SHRUB, Common.GRASS),
    _inside(
        "house, home, residence, dwelling, roof, rooftop, shed, church, churches, factory, "
        "factories, warehouse, school, hospital, apartment, villa, hut, skyscraper, tower, hotel",
        Common.BUILT,
        Common.BUILDING,
    ),
    _inside(
        "city, cities, town, village, hamlet, suburb, suburban, residential, neighbourhood, "
        "neighborhood, downtown, residential area, housing, city centre, city center, "
        "town centre, urban centre",
        Common.BUILT,
        Common.BUILDING,
    ),
    _inside(
        "industrial, commercial, industrial area, commercial area, airport, runway, stadium, "
        "parking lot, car park, port, power plant, solar farm, industrial site, construction site",
        Common.BUILT,
        Common.BUILDING,
    ),
)

# own words of classes beside their name, phrase and singular
OWN_WORDS: Mapping[str, str] = {
    "Urban fabric": "urban fabric, continuous urban fabric, discontinuous urban fabric",
    "Industrial or commercial units": "industrial or commercial units, industrial or commercial "
    "unit, industrial and commercial units, industrial unit, commercial unit, industrial area, "
    "commercial area, industrial and commercial area, industrial or commercial area, industrial, "
    "industrial zone, commercial zone, industrial land, industrial or commercial land",
    "Arable land": "arable land, arable, arable field, arable farmland",
    "Permanent crops": "permanent crops, permanent crop",
    "Pastures": "pasture, pastureland, pasture land, grazing land",
    "Complex cultivation patterns": "complex cultivation patterns, complex cultivation pattern, "
    "complex cultivation",
    MIXED_FARMLAND: "agricultural land with natural vegetation, land principally occupied by "
    "agriculture, agricultural land with significant natural vegetation, agricultural land mixed "
    "with natural vegetation",
    AGRO_FORESTRY: "agro forestry, agroforestry, agro forestry area, agroforestry area",
    "Broad-leaved forest": "broad leaved forest, broadleaf forest, broadleaved forest, "
    "broad leaf forest, deciduous forest, broad leaved tree, broadleaved tree, broad leaved "
    "woodland, broadleaved woodland",
    "Coniferous forest": "coniferous forest, conifer forest, coniferous tree, conifer, "
    "coniferous woodland",
    "Mixed forest": "mixed forest, mixed woodland",
    SPARSE_GRASS: "natural grassland, sparsely vegetated area, sparsely vegetated land, natural "
    "grasslands and sparsely vegetated areas, natural grassland and sparsely vegetated land",
    "Moors, heathland and sclerophyllous vegetation": "moors, moorland, heathland, heath, moor, "
    "sclerophyllous vegetation, moors and heathland, moors heathland and sclerophyllous "
    "vegetation, moors heathland or sclerophyllous vegetation, heathland and moors",
    TRANSITIONAL: "transitional woodland, transitional woodland shrub, transitional woodland or "
    "shrub, transitional woodland and shrub",
    "Beaches, dunes, sands": "beach, beaches, dune, sands, beaches dunes and sands, beaches dunes "
    "or sands, beaches and dunes",
    "Inland wetlands": "inland wetland, inland marsh, inland marshes",
    "Coastal wetlands": "coastal wetland, salt marsh, salt marshes",
    "Inland waters": "inland water, inland waters, inland water body, inland water bodies",
    "Marine waters": "marine water, marine waters",
    "water": "water, waters, water body, water bodies, waterbody, body of water, bodies of water",
    "developed area": "developed area, developed land, developed",
    "tree": "tree, tree cover",
    "shrub": "shrub, shrubland, shrub cover",
    "grass": "grass, grassland, grass cover",
    "crop": "crop, cropland, crop cover, crop land",
    "bare land": "bare land, bareland",
    "snow": "snow, snow or ice, snow and ice",
    "mangroves": "mangrove, mangrove forest, mangroves",
    "moss": "moss, moss or lichen, moss and lichen",
}

# verbs after which a small thing is said to be seen; after others it is a remark on life and use
SEEN_DOING = frozenset(
    "walk walks walking stroll strolling drive drives driving move moves moving park parked line "
    "ride riding queue queueing crowd gather gathered wait waiting".split()
)
# a thing's usual size in metres; a picture with larger pixels cannot show it
SMALL_THINGS: Mapping[str, float] = {
    **dict.fromkeys(("person", "people", "pedestrian", "crowd", "cyclist"), 0.5),
    **dict.fromkeys(("animal", "cow", "cattle", "sheep", "horse", "bird", "livestock"), 2.0),
    **dict.fromkeys(("car", "vehicle", "automobile", "motorcycle", "bicycle", "tractor"), 4.5),
    **dict.fromkeys(("truck", "bus", "buses", "van", "lorry", "lorries"), 8.0),
    **dict.fromkeys(
        ("single tree", "individual tree", "isolated tree", "lone tree", "solitary tree"), 8.0
    ),
    **dict.fromkeys(("street light", "street lamp", "lamp post", "streetlight", "signpost"), 0.5),
    **dict.fromkeys(("traffic light", "traffic sign", "road sign", "utility pole"), 0.5),
    **dict.fromkeys(("power line", "fence", "bench", "benches", "flower", "window", "door"), 1.0),
    **dict.fromkeys(("swimming pool", "rowing boat", "tent", "umbrella"), 6.0),
}

# no class shows these, at any size; roads run through every class
NEVER_SHOWN = (
    "road, street, highway, railway, motorway, railroad, bridge, track, lane, path, pathway, "
    "footpath, avenue, road network, transport network, infrastructure, cloud, cloud cover, "
    "cloudy, cloud shadow, haze, fog, smoke, field boundary, field boundaries, boundaries of "
    "fields, boundaries between fields, fields' boundaries, parcel boundary, parcel boundaries"
)

"""Sentinel-2 products over MGRS tiles, as in BigEarthNet, with the Sentinel-1 passes beside."""

from dataclasses import dataclass

PATCH_M = 1200.0
TILE_PATCHES = 90  # columns and rows of patches in a tile


@dataclass(frozen=True, slots=True, kw_only=True)
class TileProduct:
    """One tile at one time. `left_m`, `top_m`: its upper-left corner in UTM metres of its zone.

    `first_name` is what version 1 of the archive calls the product: other seconds at times, and
    hours without their leading zero.
    """

    product: str
    first_name: str
    radar_scene: str
    country: str
    epsg: int
    left_m: float
    top_m: float
    year: float
    southern: bool = False
    border: bool = False  # the map ends inside the tile
    winter: bool = False

    @property
    def tile(self) -> str:
        """MGRS name, such as "33UUP"."""
        return self.product.rsplit("_T", 1)[1]

    def patch_id(self, column: int, row: int) -> str:
        """Return the name of a patch, its indices padded to two digits."""
        return f"{self.product}_{column:02d}_{row:02d}"

    def radar_name(self, column: int, row: int) -> str:
        """Return the name of the Sentinel-1 patch, its indices unpadded."""
        return f"{self.radar_scene}_{self.tile}_{column}_{row}"

    def first_patch_name(self, column: int, row: int) -> str:
        """Return the patch's name in version 1, its indices unpadded."""
        return f"{self.first_name}_{column}_{row}"


TILES = (
    TileProduct(
        product="S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP",
        first_name="S2A_MSIL2A_20170613T101031",
        radar_scene="S1A_IW_GRDH_1SDV_20170613T165043",
        country="Austria", epsg=32633, left_m=300000, top_m=5400000, year=2017.45,
    ),
    TileProduct(
        product="S2A_MSIL2A_20170704T112111_N9999_R037_T29SND",
        first_name="S2A_MSIL2A_20170704T112103",
        radar_scene="S1A_IW_GRDH_1SDV_20170706T064300",
        country="Portugal", epsg=32629, left_m=499980, top_m=4400040, year=2017.5, southern=True,
    ),
    TileProduct(
        product="S2B_MSIL2A_20180204T094159_N9999_R036_T35VPK",
        first_name="S2B_MSIL2A_20180204T94161",
        radar_scene="S1A_IW_GRDH_1SDV_20180204T043253",
        country="Finland", epsg=32635, left_m=600000, top_m=7000020, year=2018.09, winter=True,
    ),
    TileProduct(
        product="S2B_MSIL2A_20180421T114349_N9999_R123_T29UPU",
        first_name="S2B_MSIL2A_20180421T114349",
        radar_scene="S1A_IW_GRDH_1SDV_20180420T063917",
        country="Ireland", epsg=32629, left_m=600000, top_m=5900040, year=2018.3,
    ),
    TileProduct(
        product="S2B_MSIL2A_20170914T093029_N9999_R136_T34TEP",
        first_name="S2B_MSIL2A_20170914T93030",
        radar_scene="S1A_IW_GRDH_1SDV_20170914T162451",
        country="Serbia", epsg=32634, left_m=499980, top_m=4900020, year=2017.7, border=True,
    ),
    TileProduct(
        product="S2B_MSIL2A_20170829T105019_N9999_R051_T31UER",
        first_name="S2B_MSIL2A_20170829T105019",
        radar_scene="S1A_IW_GRDH_1SDV_20170829T055029",
        country="Belgium", epsg=32631, left_m=499980, top_m=5600040, year=2017.66,
    ),
    TileProduct(
        product="S2B_MSIL2A_20170808T094029_N9999_R036_T35ULA",
        first_name="S2B_MSIL2A_20170808T094029",
        radar_scene="S1A_IW_GRDH_1SDV_20170808T043524",
        country="Lithuania", epsg=32635, left_m=300000, top_m=6100020, year=2017.6,
    ),
)  # fmt: skip

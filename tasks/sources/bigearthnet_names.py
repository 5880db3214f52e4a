"""What BigEarthNet's folder names say: sensor, time, tile and place in the tile."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.rejection import Reason, Refusal

BLOCK_PATCHES = 16  # a block of 16 x 16 patches holds at most 256 scenes
# of 1200 m: they end 400 m before the square does. The neighbour's tile begins with its square, or
# up to 60 m earlier, since tiles begin at multiples of 60 m
SQUARE_PATCHES = 83
_COLUMN_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # of MGRS, eastward
_ROW_LETTERS = "VUTSRQPNMLKJHGFEDCBA"  # southward

_PATCH_ID = re.compile(
    r"(?P<product>S2[A-D]_MSIL2A_(?P<time>\d{8}T\d{6})_N\d{4}_R\d{3}_T(?P<tile>\d{2}[A-Z]{3}))"
    r"_(?P<column>\d{2})_(?P<row>\d{2})"
)
_S1_NAME = re.compile(
    r"(?P<scene>S1[A-D]_IW_GRDH_1SDV_(?P<time>\d{8}T\d{6}))_\d{2}[A-Z]{3}_\d{1,2}_\d{1,2}"
)
_V1_PATCH = re.compile(r"S2[A-D]_MSIL2A_(?P<time>\d{8}T\d{5,6})_\d{1,2}_\d{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchId:
    """A v2 patch: `column` and `row` count 1200 m patches from the tile's upper left corner."""

    patch_id: str
    product: str
    date: str
    tile: str
    column: int
    row: int

    @property
    def place(self) -> str:
        """MGRS tile and patch, the same for every date: "T33UUP-26-57"."""
        return f"T{self.tile}-{self.column:02d}-{self.row:02d}"

    @property
    def bucket(self) -> str:
        """MGRS tile and block of 16 x 16 patches: "T33UUP-01-03"."""
        return f"T{self.tile}-{self.column // BLOCK_PATCHES:02d}-{self.row // BLOCK_PATCHES:02d}"

    @property
    def square(self) -> str:
        """The 100 km square of MGRS that the patch lies in, without latitude band: "T33-UP".

        A tile is 109.8 km wide and as high, and so reaches 9.8 km into the squares east and south
        of its own; their tiles show that strip again. All patches of one place on the ground are of
        one square, but where a zone ends.
        """
        column, row = self.tile[3], self.tile[4]
        if self.column >= SQUARE_PATCHES:
            column = _next(column, _COLUMN_LETTERS)
        if self.row >= SQUARE_PATCHES:
            row = _next(row, _ROW_LETTERS)
        return f"T{self.tile[:2]}-{column}{row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class S1Name:
    """A Sentinel-1 patch: the scene folder it lies in (v2), and its date."""

    name: str
    scene: str
    date: str


def _next(letter: str, letters: str) -> str:
    """Return the letter of the next square; one that MGRS does not have stays."""
    return letters[(letters.index(letter) + 1) % len(letters)] if letter in letters else letter


def parse_patch_id(patch_id: str) -> PatchId:
    """Parse `S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57`.

    Raises:
        Refusal: MISSING_METADATA for another form, BAD_DATE for an impossible time.
    """
    match = _PATCH_ID.fullmatch(patch_id)
    if match is None:
        raise Refusal(
            Reason.MISSING_METADATA,
            f"{patch_id}: expected S2?_MSIL2A_<time>_N????_R???_T<tile>_<column>_<row>",
        )
    return PatchId(
        patch_id=patch_id,
        product=match["product"],
        date=parse_time(match["time"], patch_id).date().isoformat(),
        tile=match["tile"],
        column=int(match["column"]),
        row=int(match["row"]),
    )


def parse_s1_name(name: str) -> S1Name:
    """Parse `S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48` (v1 and v2 alike).

    Raises:
        Refusal: MISSING_METADATA for another form, BAD_DATE for an impossible time.
    """
    match = _S1_NAME.fullmatch(name)
    if match is None:
        raise Refusal(
            Reason.MISSING_METADATA,
            f"{name}: expected S1?_IW_GRDH_1SDV_<time>_<tile>_<column>_<row>",
        )
    date = parse_time(match["time"], name).date().isoformat()
    return S1Name(name=name, scene=match["scene"], date=date)


def parse_v1_time(v1_name: str) -> datetime:
    """Return the time in a v1 patch name, as far as it means one.

    v1 names lack the hour's leading zero and may hold 61 seconds: `T94161` is 09:41:61, read as
    09:42:01. The archive's own JSON says 09:41:56, so only the date is to be trusted.

    Raises:
        Refusal: MISSING_METADATA for another form, BAD_DATE for an impossible day.
    """
    match = _V1_PATCH.fullmatch(v1_name)
    if match is None:
        raise Refusal(
            Reason.MISSING_METADATA, f"{v1_name}: expected S2?_MSIL2A_<time>_<column>_<row>"
        )
    return parse_time(match["time"], v1_name)


def parse_time(text: str, name: str) -> datetime:
    """Parse `YYYYMMDDT[H]HMMSS`; seconds and minutes over 59 carry on.

    Raises:
        Refusal: BAD_DATE naming `name`.
    """
    day, _, clock = text.partition("T")
    clock = clock.zfill(6)
    try:
        hours, minutes, seconds = int(clock[:2]), int(clock[2:4]), int(clock[4:])
        if hours > 24:
            raise ValueError(f"{hours} hours")
        if len(day) != 8:
            raise ValueError(f"{len(day)} digits of a day")
        midnight = datetime(int(day[:4]), int(day[4:6]), int(day[6:]))
        return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except ValueError as error:
        raise Refusal(Reason.BAD_DATE, f"{name}: time {text!r}: {error}") from error

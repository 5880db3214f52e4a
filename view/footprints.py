"""Where the scenes lie: their footprints, or circles where they would be too small to see."""

from dataclasses import dataclass
from math import ceil, cos, floor, log10, radians

from view.filters import Box, Filters
from view.index import Index

WIDTH, HEIGHT = 960, 560  # of the drawing, in its own units
CELL = 48  # scenes of one such square are one circle
LEAST_PX = 5  # a smaller footprint is not drawn as itself
MOST_DRAWN = 1_500
MARGIN = 0.08  # around all footprints, of their extent
LEAST_DEGREES = 0.02
_SCENES = """
select scene_id, any_value(split) as split, any_value(west) as west, any_value(south) as south,
    any_value(east) as east, any_value(north) as north, count(*) as samples
from sample where {where} group by scene_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One footprint, or the scenes of one square as a circle of radius `r` (0 of a footprint)."""

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0
    r: float = 0.0
    number: int = 1
    split: str
    title: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the grid at `at`, upright or level, called `label`."""

    at: float
    label: str
    upright: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """What is drawn; `scenes` lie in the view, others elsewhere or `nowhere`."""

    view: Box | None
    marks: tuple[Mark, ...]
    lines: tuple[Line, ...]
    scenes: int
    elsewhere: int
    nowhere: int
    out: str


def footprint_map(index: Index, filters: Filters) -> Map:
    """Return the map of the scenes that the filters leave, seen in their box or as a whole."""
    where, values = filters.but(box=None).where()
    scenes = _SCENES.format(where=where)
    nowhere, placed, *extent = index.rows(
        "select count(*) - count(west), count(west), min(west), min(south), max(east), max(north) "
        f"from ({scenes})",
        values,
    )[0]
    if not placed:
        return Map(view=None, marks=(), lines=(), scenes=0, elsewhere=0, nowhere=nowhere, out="")
    view = _shaped(filters.box or _with_margin(Box(*extent)))
    inside, inner = filters.but(box=view).where()
    drawn = _Drawing(view, filters)
    marks = drawn.marks(index, _SCENES.format(where=inside), inner)
    seen = index.number(f"select count(*) from ({_SCENES.format(where=inside)})", inner)
    return Map(
        view=view,
        marks=marks,
        lines=drawn.lines(),
        scenes=seen,
        elsewhere=placed - seen,
        nowhere=nowhere,
        out="" if filters.box is None else drawn.out(),
    )


class _Drawing:
    """Degrees to the drawing's units: longitudes as at the middle latitude, north up."""

    def __init__(self, view: Box, filters: Filters) -> None:
        self._view, self._filters = view, filters
        self._per_x = WIDTH / (view.east - view.west)
        self._per_y = HEIGHT / (view.north - view.south)

    def marks(self, index: Index, scenes: str, values: list[object]) -> tuple[Mark, ...]:
        number, width = index.rows(f"select count(*), median(east - west) from ({scenes})", values)[
            0
        ]
        if not number:
            return ()
        if number <= MOST_DRAWN and width * self._per_x >= LEAST_PX:
            rows = index.rows(f"select * from ({scenes}) order by scene_id", values)
            return tuple(self._footprint(*row) for row in rows)
        return self._circles(index, scenes, values)

    def _footprint(
        self, scene: str, split: str, west: float, south: float, east: float, north: float, n: int
    ) -> Mark:
        x, y = self._xy(west, north)
        return Mark(
            x=x,
            y=y,
            width=max(2.0, (east - west) * self._per_x),
            height=max(2.0, (north - south) * self._per_y),
            split=split,
            title=f"{scene}: {n:,} samples, {split}",
            address="." + self._filters.but(box=None, scene=scene).address(),
        )

    def _circles(self, index: Index, scenes: str, values: list[object]) -> tuple[Mark, ...]:
        rows = index.rows(
            "select x, y, count(*), mode(split), count(distinct split), avg(lon), avg(lat), "
            "min(west), min(south), max(east), max(north) from ("
            "select *, (west + east) / 2 as lon, (south + north) / 2 as lat, "
            "floor((lon - ?) * ?) as x, floor((? - lat) * ?) as y "
            f"from ({scenes})) group by x, y order by 3 desc",
            [
                self._view.west, self._per_x / CELL, self._view.north, self._per_y / CELL, *values,
            ],
        )  # fmt: skip
        return tuple(self._circle(*row) for row in rows)

    def _circle(
        self, _x: float, _y: float, number: int, split: str, splits: int, lon: float, lat: float,
        *extent: float,
    ) -> Mark:  # fmt: skip
        x, y = self._xy(lon, lat)
        inner = _with_margin(Box(*extent))
        return Mark(
            x=x,
            y=y,
            r=8 + 4 * min(4.0, log10(number)),
            number=number,
            split=split if splits == 1 else "several",
            title=f"{number:,} scenes, {split if splits == 1 else 'several splits'}: look closer",
            address="map" + self._filters.but(box=inner).address(),
        )

    def lines(self) -> tuple[Line, ...]:
        """Return a grid of some six lines each way, at round degrees."""
        view = self._view
        upright = [
            Line(at=self._xy(at, 0)[0], label=_degrees(at, "E", "W"), upright=True)
            for at in _round_steps(view.west, view.east)
        ]
        level = [
            Line(at=self._xy(0, at)[1], label=_degrees(at, "N", "S"), upright=False)
            for at in _round_steps(view.south, view.north)
        ]
        return (*upright, *level)

    def out(self) -> str:
        """Return the address of a view four times as wide."""
        wide, high = self._view.east - self._view.west, self._view.north - self._view.south
        west, south = self._view.west - 1.5 * wide, self._view.south - 1.5 * high
        east, north = self._view.east + 1.5 * wide, self._view.north + 1.5 * high
        if east - west >= 360 or north - south >= 180:
            return "map" + self._filters.but(box=None).address()
        return "map" + self._filters.but(box=_clipped(west, south, east, north)).address()

    def _xy(self, lon: float, lat: float) -> tuple[float, float]:
        return (lon - self._view.west) * self._per_x, (self._view.north - lat) * self._per_y


def _with_margin(box: Box) -> Box:
    aside = max(LEAST_DEGREES, MARGIN * (box.east - box.west))
    above = max(LEAST_DEGREES, MARGIN * (box.north - box.south))
    return _clipped(box.west - aside, box.south - above, box.east + aside, box.north + above)


def _shaped(box: Box) -> Box:
    """Return a box around another with the drawing's proportions, as far as the Earth allows."""
    middle = (box.south + box.north) / 2
    squeeze = max(0.2, cos(radians(middle)))
    wide, high = (box.east - box.west) * squeeze, box.north - box.south
    wide, high = max(wide, high * WIDTH / HEIGHT), max(high, wide * HEIGHT / WIDTH)
    across, centre = wide / squeeze / 2, (box.west + box.east) / 2
    return _clipped(centre - across, middle - high / 2, centre + across, middle + high / 2)


def _clipped(west: float, south: float, east: float, north: float) -> Box:
    return Box(max(-180.0, west), max(-90.0, south), min(180.0, east), min(90.0, north))


def _round_steps(low: float, high: float) -> list[float]:
    rough = (high - low) / 6
    power = 10.0 ** floor(log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    return [step * n for n in range(ceil(low / step), floor(high / step) + 1)]


def _degrees(at: float, positive: str, negative: str) -> str:
    at = round(at, 6)
    return f"{abs(at):g}°{positive if at > 0 else negative if at < 0 else ''}"

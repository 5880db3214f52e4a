"""A dataset that is looked at: its index, its samples, and where they come from."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tasks.lineage.graph import short
from tasks.lineage.told import dataset_lines, row_lines
from tasks.manifest import Manifest, read_manifest
from tasks.versions import first_with, unchanging
from view.asked import Paging
from view.compared import Compared
from view.filters import Filters, allowed
from view.index import Index, Place
from view.reading import Picture, Reader
from view.sample import LookedAtSample, looked_at_sample

PAGE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One sample in a list."""

    sample_id: str
    source: str
    split: str
    tier: str
    task: str
    question: str
    title: str
    answer: str
    letter: str
    verdicts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A page of the samples that filters leave; `tiers` counts them all by tier."""

    paging: Paging
    tiers: tuple[tuple[str, int], ...]
    samples: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where a sample stands among those that filters leave; `at` is 0 if it is not one of them."""

    before: str
    after: str
    at: int
    of: int


class LookedAt:
    """A dataset, and the one that it is compared with, if any; `spill` is a folder for the index.

    Both are read where they are kept as versions: a publication meanwhile replaces nothing there.
    """

    def __init__(self, dataset: Path, spill: Path, then: Path | None = None) -> None:
        self.dataset = unchanging(dataset)
        self.manifest: Manifest = read_manifest(self.dataset)
        self.digest = short(self.manifest.digest)
        self.index = Index(self.dataset, self.manifest, spill)
        self.compared = None if then is None else Compared(unchanging(then), self.dataset)
        self._reader = Reader(self.dataset, self.manifest)
        self._brought = lru_cache(maxsize=4_096)(self._brought_by)
        self._allowed = lru_cache(maxsize=1)(self._allowed_after)

    def allowed(self) -> dict[str, list[str]]:
        """Return the values that each filter may have."""
        return self._allowed(self.index.done)

    def listed(self, filters: Filters, page: int) -> ListPage:
        """Return a page of samples in the order of the shards."""
        where, values = filters.where()
        tiers = self.index.rows(
            f"select tier, count(*) from sample where {where} group by tier order by tier", values
        )
        found = sum(number for _, number in tiers)
        paging = Paging(page=page, found=found, size=PAGE, asked=filters.given)
        rows = self.index.rows(
            "select sample_id, source, split, tier, task, question, title, answer, letter, "
            f"verdicts from sample where {where} order by n limit ? offset ?",
            [*values, PAGE, paging.start],
        )
        return ListPage(
            paging=paging,
            tiers=tuple((tier, number) for tier, number in tiers),
            samples=tuple(
                Listed(**dict(zip(Listed.__slots__, (*row[:-1], tuple(row[-1])), strict=True)))
                for row in rows
            ),
        )

    def place(self, sample_id: str) -> Place | None:
        """Return where a sample lies, None where there is none."""
        return self.index.place_of(sample_id)

    def neighbours(self, place: Place, filters: Filters) -> Neighbours:
        """Return what comes before and after a sample."""
        where, values = filters.where()
        before, after, passed, own, of = self.index.rows(
            "select arg_max(sample_id, n) filter (n < ?), arg_min(sample_id, n) filter (n > ?), "
            "count(*) filter (n < ?), count(*) filter (n = ?), count(*) "
            f"from sample where {where}",
            [*[place.number] * 4, *values],
        )[0]
        return Neighbours(
            before=before or "", after=after or "", at=passed + 1 if own else 0, of=of
        )

    def sample(self, place: Place) -> LookedAtSample:
        """Return what is shown of a sample; RowError where it cannot be read."""
        row = self._reader.row(place)
        shard = self.manifest.files[place.shard]
        lines = row_lines(row, self.manifest, shard, self._brought(place.shard))
        return looked_at_sample(row, [*lines])

    def image(self, place: Place, number: int) -> bytes | None:
        """Return one of a sample's images as it is stored, None where it has not so many."""
        images = self._reader.row(place).images
        return images[number].bytes if number < len(images) else None

    def thumb(self, place: Place) -> Picture:
        """Return a sample's first image made small; RowError where it cannot be read."""
        return self._reader.thumb(place)

    def lineage(self) -> list[str]:
        """Return where the dataset comes from, in lines."""
        return [*dataset_lines(self.dataset)]

    def _allowed_after(self, done: int) -> dict[str, list[str]]:
        """Return the values that there are after so many shards, or a moment later."""
        return allowed(self.index)

    def _brought_by(self, shard: int) -> Manifest:
        return first_with(self.dataset, self.manifest, self.manifest.files[shard])

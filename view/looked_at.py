"""A dataset that is looked at: its index, its samples, and where they come from."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tasks.lineage.graph import short
from tasks.lineage.told import dataset_lines, row_lines
from tasks.manifest import Manifest, read_manifest
from tasks.versions import first_with
from view.compared import Compared
from view.filters import Filters, allowed
from view.index import Index, Place
from view.reading import Picture, Reader
from view.sample import SampleView, sample_view

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
    """A page of the samples that filters leave."""

    found: int
    page: int
    pages: int
    samples: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where a sample stands among those that filters leave; `at` is 0 if it is not one of them."""

    before: str
    after: str
    at: int
    of: int


class LookedAt:
    """A dataset, and the one that it is compared with, if any."""

    def __init__(self, dataset: Path, then: Path | None = None) -> None:
        self.dataset = dataset
        self.manifest: Manifest = read_manifest(dataset)
        self.digest = short(self.manifest.digest)
        self.index = Index(dataset, self.manifest)
        self.compared = None if then is None else Compared(then, dataset)
        self._reader = Reader(dataset, self.manifest)
        self._brought = lru_cache(maxsize=4_096)(self._brought_by)
        self._allowed: dict[str, list[str]] | None = None

    def allowed(self) -> dict[str, list[str]]:
        """Return the values that each filter may have."""
        if self._allowed is not None:
            return self._allowed
        complete = self.index.complete  # asked first: what is read meanwhile is read again
        values = allowed(self.index)
        if complete:
            self._allowed = values
        return values

    def listed(self, filters: Filters, page: int) -> ListPage:
        """Return a page of samples in the order of the shards."""
        where, values = filters.where()
        found = self.index.number(f"select count(*) from sample where {where}", values)
        rows = self.index.rows(
            "select sample_id, source, split, tier, task, question, title, answer, letter, "
            f"verdicts from sample where {where} order by n limit ? offset ?",
            [*values, PAGE, (page - 1) * PAGE],
        )
        return ListPage(
            found=found,
            page=page,
            pages=max(1, -(-found // PAGE)),
            samples=tuple(
                Listed(**dict(zip(Listed.__slots__, (*row[:-1], tuple(row[-1])), strict=True)))
                for row in rows
            ),
        )

    def place(self, sample_id: str) -> Place | None:
        """Return where a sample lies, None where there is none."""
        found = self.index.place_of(sample_id)
        return None if found is None else found[1]

    def neighbours(self, sample_id: str, filters: Filters) -> Neighbours:
        """Return what comes before and after a sample."""
        found = self.index.place_of(sample_id)
        assert found is not None, sample_id
        where, values = filters.where()
        before, after, at, of = self.index.rows(
            "select arg_max(sample_id, n) filter (n < $n), arg_min(sample_id, n) filter (n > $n), "
            "count(*) filter (n <= $n), count(*) from sample".replace("$n", "?")
            + f" where {where}",
            [found[0], found[0], found[0], *values],
        )[0]
        own = self.index.number(
            f"select count(*) from sample where n = ? and {where}", [found[0], *values]
        )
        return Neighbours(before=before or "", after=after or "", at=at if own else 0, of=of)

    def sample(self, place: Place) -> SampleView:
        """Return what is shown of a sample; RowError where it cannot be read."""
        row = self._reader.row(place)
        shard = self.manifest.files[place.shard]
        return sample_view(row, [*row_lines(row, self.manifest, shard, self._brought(place.shard))])

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

    def _brought_by(self, shard: int) -> Manifest:
        return first_with(self.dataset, self.manifest, self.manifest.files[shard])

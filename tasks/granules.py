"""Granules: a source's scenes of one split and place bucket, the unit of caching and of shards."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import InitVar, dataclass, replace
from pathlib import Path
from typing import Self, overload

from schemas.rejection import Reason, Rejected
from schemas.scene import SceneRef
from tasks.atomic import place_text
from tasks.config import BuildConfig, ConfigError
from tasks.ledger import Ledger
from tasks.manifest import MARKED_BUCKET
from tasks.place_split import SPLITS, split_of
from tasks.sources.registry import SOURCES

BATCH_SCENES = 2048  # at some milliseconds a scene and stage, ten seconds of work and more
MAX_TASK_RUNS = 80  # per stage: up to twelve go by batches, so a flow run stays under a thousand


@dataclass(frozen=True, slots=True, order=True)
class GranuleId:
    """Which granule: its source, split and place bucket."""

    source: str
    split: str
    bucket: str

    @property
    def name(self) -> str:
        """File name of the granule, without a suffix."""
        return f"{self.source}-{self.split}-{self.bucket}"

    @property
    def unlabelled(self) -> "GranuleId":
        """The granule of those of its scenes that have no labels, and are marked by a model."""
        return replace(self, bucket=f"{self.bucket}{MARKED_BUCKET}")

    @property
    def is_unlabelled(self) -> bool:
        """Whether its scenes have no labels of their own."""
        return self.bucket.endswith(MARKED_BUCKET)


@dataclass(frozen=True, eq=False)
class Batch(Sequence[GranuleId]):
    """The granules of one task run, thousands of them where they are small.

    Prefect walks through what tasks and flows are given, dataclasses field by field, and keeps what
    flows are given in its database: of a batch its first granule and its size. The granules
    themselves are no field.
    """

    first: str  # name of a granule, "" of none
    size: int
    granules: InitVar[tuple[GranuleId, ...]]

    def __post_init__(self, granules: tuple[GranuleId, ...]) -> None:
        object.__setattr__(self, "_granules", granules)

    @classmethod
    def of(cls, granules: Iterable[GranuleId]) -> Self:
        """Return the batch of some granules, in their order."""
        held = tuple(granules)
        return cls(held[0].name if held else "", len(held), held)

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> GranuleId: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[GranuleId, ...]: ...
    def __getitem__(self, index: int | slice) -> GranuleId | tuple[GranuleId, ...]:
        held: tuple[GranuleId, ...] = vars(self)["_granules"]
        return held[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Granule:
    """The scenes of one granule, in index order."""

    id: GranuleId
    refs: tuple[SceneRef, ...]

    def listing_digest(self) -> str:
        """SHA-256 over what the index says of the scenes."""
        rows = [[r.scene_id, r.place, list(r.files), sorted(r.facts.items())] for r in self.refs]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All granules of a build, what the indices already refused, and how many scenes stay unread.

    These are of splits that the build has no use for.
    """

    granules: tuple[Granule, ...]
    rejected: tuple[Rejected, ...]
    num_other_splits: int = 0

    @property
    def num_scenes(self) -> int:
        """Scenes to read."""
        return sum(len(granule.refs) for granule in self.granules)


def read_catalogue(config: BuildConfig) -> Catalogue:
    """List every source's scenes and gather them into granules, in the splits of the build.

    A scene id that a source lists twice is refused the second time.

    Raises:
        ConfigError: a source folder does not hold the archive that it is said to hold, or cannot
            be listed.
    """
    scenes: dict[GranuleId, list[SceneRef]] = defaultdict(list)
    rejected: list[Rejected] = []
    num_other_splits = 0
    for source, root in sorted(config.sources.items()):
        seen: set[str] = set()
        listed = 0
        for entry in _listed(source, root):
            if config.limit is not None and listed == config.limit:
                break
            if config.splits and _is_of_others(config, entry):
                num_other_splits += 1
                continue
            listed += 1
            if isinstance(entry, Rejected):
                rejected.append(entry)
            elif entry.scene_id in seen:
                rejected.append(_twice(entry))
            else:
                seen.add(entry.scene_id)
                split = _split(config, entry)
                granule = GranuleId(entry.source, split, entry.bucket)
                scenes[granule].append(replace(entry, split=split))
    granules = tuple(
        Granule(id=granule, refs=tuple(refs)) for granule, refs in sorted(scenes.items())
    )
    return Catalogue(granules=granules, rejected=tuple(rejected), num_other_splits=num_other_splits)


def _is_of_others(config: BuildConfig, entry: SceneRef | Rejected) -> bool:
    """Return whether a scene is of a split that the build does not read; not known of refused."""
    return isinstance(entry, SceneRef) and _split(config, entry) not in config.splits


def _split(config: BuildConfig, ref: SceneRef) -> str:
    """Return the split of a scene: the archive's, or the one that its locality is drawn for."""
    if config.split == "archive":
        return ref.split
    return split_of(ref.locality, config.split_shares)


def _listed(source: str, root: Path) -> Iterator[SceneRef | Rejected]:
    try:
        yield from SOURCES[source].index(root)
    except (ValueError, OSError) as error:
        raise ConfigError(f"source {source}: {error}") from error


def empty_splits(config: BuildConfig, catalogue: Catalogue) -> Iterator[str]:
    """Yield in words of which source a split that is drawn by place has no scene."""
    if config.split == "archive":
        return
    for source in sorted(config.sources):
        granules = [granule for granule in catalogue.granules if granule.id.source == source]
        filled = {granule.id.split for granule in granules}
        localities = len({ref.locality for granule in granules for ref in granule.refs})
        for split in config.splits or SPLITS:
            if getattr(config.split_shares, split) and split not in filled:
                yield (
                    f"no scene of {source} is in {split}: none of its {localities} tiles or events "
                    "was drawn for it; give more of them, or other split_shares"
                )


def store_granule(ledger: Ledger, granule: Granule) -> None:
    """Keep a granule's listing on disk, so that stages pass its id and never its scenes."""
    # by hand: dataclasses.asdict copies every string, a second for 10,000 scenes
    rows = [
        {
            "source": ref.source,
            "scene_id": ref.scene_id,
            "split": ref.split,
            "place": ref.place,
            "bucket": ref.bucket,
            "locality": ref.locality,
            "files": ref.files,
            "facts": dict(ref.facts),
        }
        for ref in granule.refs
    ]
    path = ledger.path("catalogue", granule.id.name, ".json")
    text = json.dumps(rows) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        place_text(path, text)


def store_other_splits(ledger: Ledger, number: int) -> None:
    """Keep on disk how many scenes are not read, being of splits that a build has no use for."""
    place_text(_other_splits_path(ledger), f"{number}\n")


def stored_other_splits(ledger: Ledger) -> int:
    """Return how many scenes of other splits the last listing passed over."""
    return int(_other_splits_path(ledger).read_text(encoding="utf-8"))


def _other_splits_path(ledger: Ledger) -> Path:
    return ledger.path("index", "all", ".other_splits")


def load_granule(ledger: Ledger, granule: GranuleId) -> Granule:
    """Return a granule as the catalogue listed it."""
    path = ledger.path("catalogue", granule.name, ".json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    refs = tuple(SceneRef(**{**row, "files": tuple(row["files"])}) for row in rows)
    return Granule(id=granule, refs=refs)


def batches(granules: Sequence[Granule], lanes: int) -> list[Batch]:
    """Cut granules into the batches of one task run each: some thousand scenes a lane, or more."""
    num_scenes = sum(len(granule.refs) for granule in granules)
    size = max(BATCH_SCENES * lanes, -(-num_scenes // MAX_TASK_RUNS))
    cut: list[list[GranuleId]] = []
    held = size
    for granule in granules:
        if held >= size:
            cut.append([])
            held = 0
        cut[-1].append(granule.id)
        held += len(granule.refs)
    return [Batch.of(batch) for batch in cut]


def _twice(ref: SceneRef) -> Rejected:
    return Rejected(
        sample_id=ref.scene_id,
        source=ref.source,
        stage="index",
        reason=Reason.DUPLICATE_ID,
        detail=f"{ref.scene_id} is listed twice; the first is kept",
    )

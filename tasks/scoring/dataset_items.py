"""A bench in the project's own layout: rows of a finished dataset, of the tier `bench` if any."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.sensors import segmented_picture
from schemas.tier import BENCH_SPLIT, Tier
from tasks.asked_pictures import asked_pictures
from tasks.errors import UserError
from tasks.manifest import DataFile, Manifest, read_manifest
from tasks.rows import RowAnswer, RowError, RowMask, open_shard, read_rows
from tasks.scoring.bench import Bench, Pictures
from tasks.scoring.item import BenchItem, TrueMask

_COLUMNS = (
    "sample_id",
    "scene_id",
    "source",
    "task",
    "question",
    "options",
    "answer",
    "masks",
    "image_info",
    "grid",
    "trace",
)
_MASKS: TypeAdapter[tuple[RowMask, ...]] = TypeAdapter(tuple[RowMask, ...])


def dataset_bench(
    dataset: Path, tier: str | None, split: str | None, tasks: Collection[str]
) -> Bench:
    """Return the questions of a dataset.

    Of the tier `bench` if not told otherwise; then of all splits, else of the split `test`.
    UserError where there are none; ManifestError where the folder holds no finished dataset.
    """
    manifest = read_manifest(dataset)
    chosen = _files(dataset, manifest, tier, split)
    items: list[BenchItem] = []
    places: dict[str, str] = {}  # item -> file
    other_ids: set[str] = set()
    for file in manifest.files:
        if file not in chosen:
            table = open_shard(dataset / file.path).read(columns=["sample_id"])
            other_ids.update(table.column(0).to_pylist())
            continue
        for item in _items(dataset / file.path):
            if tasks and item.task not in tasks:
                other_ids.add(item.item_id)
                continue
            items.append(item)
            places[item.item_id] = file.path
    if not items:
        raise UserError(
            f"{dataset} has no questions of the kinds {', '.join(tasks)}; `terrascope inspect` "
            "lists what there is"
        )
    return Bench(
        name=manifest.dataset,
        digest=manifest.digest,
        items=tuple(items),
        look=lambda wanted: _pictures(dataset, places, wanted),
        other_ids=frozenset(other_ids),
    )


def _files(
    dataset: Path, manifest: Manifest, tier: str | None, split: str | None
) -> list[DataFile]:
    counts = Counter(file.tier for file in manifest.files if file.tier != Tier.CAP)
    if tier is None and Tier.BENCH not in counts:
        raise UserError(
            f"{dataset} has no rows of the tier {Tier.BENCH.value!r}; name a tier of questions "
            f"that it has: --tier {' or --tier '.join(sorted(counts)) or '(it has none)'}"
        )
    of_tier = [file for file in manifest.files if file.tier == (tier or Tier.BENCH)]
    if tier == Tier.CAP or not of_tier:
        raise UserError(
            f"{dataset} has no questions of the tier {tier!r}; it has {', '.join(sorted(counts))}"
        )
    wanted = split or (BENCH_SPLIT if tier not in (None, Tier.BENCH) else None)
    files = [file for file in of_tier if wanted in (None, file.split)]
    if not files:
        splits = ", ".join(sorted({file.split for file in of_tier}))
        raise UserError(
            f"{dataset} has no questions of the split {wanted!r} in this tier; --split {splits}"
        )
    return files


def _items(shard: Path) -> Iterator[BenchItem]:
    for row in open_shard(shard).read(columns=list(_COLUMNS)).to_pylist():
        try:
            yield _item(row)
        except (ValidationError, ValueError) as error:
            raise RowError(f"{shard}, sample {row['sample_id']}: {error}") from error


def _item(row: Mapping[str, Any]) -> BenchItem:
    answer, masks = RowAnswer.model_validate(row["answer"]), _MASKS.validate_python(row["masks"])
    infos = row["image_info"]
    size_HW = row["grid"]["height"], row["grid"]["width"]
    other = next((mask.size for mask in masks if mask.size != size_HW), None)
    if other is not None:
        raise ValueError(f"a mask of {other} on a grid of {size_HW}")
    return BenchItem(
        item_id=row["sample_id"],
        scene_id=row["scene_id"],
        source=row["source"],
        task=row["task"],
        question=row["question"],
        options=tuple(row["options"]),
        letter=answer.letter,
        answer=answer.text,
        size_HW=size_HW,
        seen_on=tuple(segmented_picture(infos, at) for at in range(len(infos))),
        masks=tuple(
            TrueMask(
                label=mask.label, image_index=mask.image_index, counts=mask.counts.encode("ascii")
            )
            for mask in masks
        ),
        reasoning=row["trace"],
    )


def _pictures(
    dataset: Path, places: Mapping[str, str], wanted: Collection[str]
) -> Iterator[tuple[str, Pictures]]:
    by_file: dict[str, set[str]] = {}
    for item_id in wanted:
        by_file.setdefault(places[item_id], set()).add(item_id)
    for path in sorted(by_file):
        for item_id, row in read_rows(dataset / path, by_file[path]).items():
            yield item_id, asked_pictures(row)

"""What a shard holds, counted: forms of its tasks, closed answers, classes, scenes, licences."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from schemas.tier import Tier
from tasks.manifest import DataFile
from tasks.small_table import table_columns
from templates.rule import YES_NO

CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardCounts:
    """Samples by (task, form), closed answers by (task, text), classes asked about, and the rest.

    Answers and classes are those of questions: no two captions are alike.
    """

    forms: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    scenes: set[str] = field(default_factory=set)
    licences: set[str] = field(default_factory=set)

    @property
    def tasks(self) -> Counter[str]:
        """Samples by task."""
        tasks = Counter[str]()
        for (task, _), number in self.forms.items():
            tasks[task] += number
        return tasks


Counts = dict[str, ShardCounts]  # by the path of the shard in its dataset


def count_shards(dataset: Path, files: Iterable[DataFile]) -> Counts:
    """Return what shards of a dataset hold; only their small columns are read.

    Raises:
        OSError: if one is missing.
        pyarrow.ArrowException: if one is no shard; `verify` says more.
    """
    return {file.path: count_shard(dataset / file.path, file.tier) for file in files}


def count_shard(path: Path, tier: str) -> ShardCounts:
    """Return what a shard of a tier holds; raises what `count_shards` does."""
    told = ["scene_id", "licence", "task", "form"]
    scenes, licences, tasks, forms = table_columns(path, told)
    found = ShardCounts(
        forms=Counter(zip(tasks, forms, strict=True)), scenes=set(scenes), licences=set(licences)
    )
    if tier != Tier.CAP:
        texts, classes = table_columns(path, ["answer.text", "classes"])
        for task, form, text, named in zip(tasks, forms, texts, classes, strict=True):
            found.classes.update(named)
            if form == CHOICE or text in YES_NO:
                found.answers[task, text] += 1
    return found

"""What a bench holds: how many items, where options come from, what it must not show."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.form import as_form
from tasks.reviewing.consensus import LEAST, VERDICTS_DUE
from templates.bench import BENCH_QUESTIONS

BENCH_TASKS = tuple(template.task for template in BENCH_QUESTIONS)
PAPER_ITEMS = {  # 3,837 in all
    "coverage_percentage": 855,
    "absolute_area": 855,
    "comparative_ranking": 855,
    "boundary_relationship": 855,
    "distance_measurement": 129,
    "building_change_estimation": 288,
}


class BenchSettings(BaseModel):
    """A bench: its size, its options, and the datasets whose training scenes it must not show."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=as_form)

    preset: Literal["none", "paper"] = Field(
        default="none", description="paper: the published numbers of items, 3,837 in all."
    )
    total: int | None = Field(
        default=None,
        ge=1,
        description="Items in all; what `items` does not name shares the rest evenly.",
    )
    items: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default={}, description="Task -> items, for example {distance_measurement: 129}."
    )
    options_from: Literal["test", "every_split"] = Field(
        default="test",
        description="Whose answers are options: of the source's test scenes, or of all its scenes. "
        "All have to be read then; for archives whose test split alone is too small.",
    )
    against: tuple[Path, ...] = Field(
        default=(),
        description="Datasets; no item shows ground or an image of their training scenes.",
    )
    rephrase: bool = Field(
        default=False,
        description="Have the build's composer, a model, put the questions in other words; what a "
        "program does not find to ask the same keeps its template's.",
    )

    reviews: Path | None = Field(
        default=None,
        description="Folder of `terrascope review`; only items that its reviewers accept are kept.",
    )
    reviews_least: int = Field(
        default=LEAST, ge=1, le=VERDICTS_DUE, description="How many have to accept an item."
    )

    @field_validator("reviews")
    @classmethod
    def _absolute_reviews(cls, reviews: Path | None) -> Path | None:
        return None if reviews is None else reviews.resolve()

    @field_validator("against")
    @classmethod
    def _absolute(cls, against: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(root.resolve() for root in against)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        unknown = sorted(set(self.items) - set(BENCH_TASKS))
        if unknown:
            raise ValueError(
                f"items: unknown task {unknown[0]!r}; known are {', '.join(BENCH_TASKS)}"
            )
        if self.total is not None:
            if self.preset != "none":
                raise ValueError("total: a preset says how many items there are; give one of them")
            named = sum(self.items.values())
            if named > self.total or (named < self.total and len(self.items) == len(BENCH_TASKS)):
                raise ValueError(f"total: items name {named:,} and total is {self.total:,}")
        return self

    @property
    def wanted(self) -> dict[str, int]:
        """Task -> items; a task that is not in it gives all that there are."""
        if self.preset == "paper":
            return {**PAPER_ITEMS, **self.items}
        if self.total is None:
            return dict(self.items)
        others = [task for task in BENCH_TASKS if task not in self.items]
        rest = self.total - sum(self.items.values())
        shares = {
            task: rest // len(others) + (place < rest % len(others))
            for place, task in enumerate(others)
        }
        return {**self.items, **shares}

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of which there are items at all."""
        return tuple(task for task in BENCH_TASKS if self.wanted.get(task) != 0)

    def content(self) -> dict[str, Any]:
        """Return what decides the items; a dataset's name stands for its folder."""
        return {
            "wanted": self.wanted,
            "options_from": self.options_from,
            "against": [root.name for root in self.against],
            **self._reviewed(),
        }

    def _reviewed(self) -> dict[str, Any]:
        if self.reviews is None:
            return {}
        return {"reviews": self.reviews.name, "reviews_least": self.reviews_least}

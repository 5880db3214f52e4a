"""What a review has come to, as a page of Markdown and as lines."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.atomic import place_text
from tasks.reviewing.agreement import alpha, percent_agreement
from tasks.reviewing.consensus import Outcome, outcome_of
from tasks.reviewing.items import ReviewItem, items_of
from tasks.reviewing.kept import Reviews, read_reviews
from tasks.reviewing.verdict import Verdict

PAGE = "review.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far verdicts agree on `items` that have two and more; None where nothing can be said."""

    items: int
    percent: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A review of a bench as it stands; `agreement` by task, "" for all.

    `elsewhere` counts verdicts on what the bench does not hold, or held in another form.
    """

    outcomes: dict[str, Outcome]
    verdicts: dict[str, int]  # by reviewer
    agreement: dict[str, Agreement]
    said: dict[str, tuple[str, ...]]  # of items that are corrected or disputed
    elsewhere: int
    faults: tuple[str, ...]


def write_summary(bench: Path, reviews: Path, least: int) -> list[str]:
    """Write `review.md` into a folder of verdicts on a bench, and return its lines.

    Raises:
        ManifestError, RowError: a folder that is no dataset, or a shard that cannot be read.
        UserError: a dataset that is no bench, or a folder of verdicts that is not there.
    """
    lines = summary_lines(summary_of(items_of(bench), read_reviews(reviews), least))
    place_text(reviews / PAGE, "\n".join(lines) + "\n")
    return lines


def summary_of(items: Mapping[str, ReviewItem], reviews: Reviews, least: int) -> Summary:
    """Return what the verdicts on some items come to."""
    given = {id_: reviews.of(id_, item.shown) for id_, item in items.items()}
    outcomes = {id_: outcome_of([*said.values()], least) for id_, said in given.items()}
    counts = {
        name: sum(name in said for said in given.values()) for name in sorted(reviews.by_reviewer)
    }
    tasks = sorted({item.task for item in items.values()})
    units = {
        task: [_said(given[id_]) for id_, item in items.items() if task in ("", item.task)]
        for task in ("", *tasks)
    }
    return Summary(
        outcomes=outcomes,
        verdicts=counts,
        agreement={task: agreement_of(own) for task, own in units.items()},
        said={
            id_: _told(given[id_])
            for id_, outcome in outcomes.items()
            if outcome in (Outcome.CORRECTED, Outcome.DISPUTED)
        },
        elsewhere=sum(map(len, reviews.by_reviewer.values())) - sum(counts.values()),
        faults=reviews.faults,
    )


def agreement_of(units: list[list[str]]) -> Agreement:
    """Return how far reviewers agree on items, each what was said of it."""
    return Agreement(
        items=sum(len(unit) > 1 for unit in units),
        percent=percent_agreement(units),
        alpha=alpha(units),
    )


def summary_lines(found: Summary) -> list[str]:
    """Return what a review has come to, in lines of Markdown."""
    outcomes = Counter(found.outcomes.values())
    lines = ["# Review", "", f"{len(found.outcomes):,} items", ""]
    lines += _table(("outcome", "items"), [(one, f"{outcomes[one]:,}") for one in Outcome])
    lines += ["## Agreement", ""]
    lines += ["Of items with two verdicts and more; alpha is Krippendorff's, for names.", ""]
    lines += _table(
        ("task", "items", "pairs that agree", "alpha"),
        [
            (task or "all", f"{one.items:,}", _shown(one.percent, ".0%"), _shown(one.alpha, ".2f"))
            for task, one in found.agreement.items()
        ],
    )
    lines += ["## Verdicts", ""]
    lines += _table(
        ("reviewer", "verdicts"), [(_cell(name), f"{n:,}") for name, n in found.verdicts.items()]
    )
    for outcome in (Outcome.CORRECTED, Outcome.DISPUTED):
        ids = [id_ for id_ in found.said if found.outcomes[id_] is outcome]
        if ids:
            lines += [f"## {outcome.capitalize()}", ""]
            lines += [*(f"* `{id_}`: {', '.join(found.said[id_])}" for id_ in ids), ""]
    if found.elsewhere:
        lines += [f"{found.elsewhere:,} verdicts are on items that this bench holds no longer, or "
                  "in another form; they do not count.", ""]  # fmt: skip
    if found.faults:
        lines += [f"{len(found.faults):,} lines could not be read:", ""]
        lines += [*(f"* {fault}" for fault in found.faults), ""]
    return lines[:-1]


def _said(given: Mapping[str, Verdict]) -> list[str]:
    return [one.said for one in given.values()]


def _told(given: Mapping[str, Verdict]) -> tuple[str, ...]:
    return tuple(f"{_cell(name)} {one.said}" for name, one in given.items())


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    head = [columns, ("---",) * len(columns)]
    return [*(f"| {' | '.join(row)} |" for row in (*head, *rows)), ""]


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")

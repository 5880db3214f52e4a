"""Predictions in, a folder of results out: figures, tables, pages, and each item's line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.atomic import place_text
from tasks.scoring.bench import Bench
from tasks.scoring.judged import Judged, judge_all
from tasks.scoring.page import write_comparison, write_score
from tasks.scoring.paired import Compared, compare
from tasks.scoring.prediction import read_predictions
from tasks.scoring.score import RULES, Rules, Score, score
from tasks.scoring.written import (
    comparison_json,
    comparison_markdown,
    items_jsonl,
    score_json,
    score_markdown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One set of predictions, scored; `folder` holds what was written."""

    score: Score
    judged: Sequence[Judged]
    folder: Path


def score_file(bench: Bench, predictions: Path, folder: Path, rules: Rules = RULES) -> Scored:
    """Score a file of predictions; write `bench.json`, `.md`, `.html` and `items.jsonl`.

    UserError where the file cannot be read or holds no prediction for the bench.
    """
    read = read_predictions(predictions, bench.by_id(), bench.other_ids, bench.digest)
    judged = judge_all(bench.items, read, rules.boundary_tolerance)
    found = score(bench, read, judged, rules)
    place_text(folder / "items.jsonl", items_jsonl(judged))
    place_text(folder / "bench.md", score_markdown(found))
    write_score(folder / "bench.html", found, bench, read, judged)
    place_text(folder / "bench.json", score_json(found))
    return Scored(score=found, judged=judged, folder=folder)


def compare_scored(
    first: Scored, second: Scored, folder: Path, rules: Rules = RULES
) -> tuple[Compared, ...]:
    """Compare two of one bench; write `comparison.json`, `.md` and `.html`."""
    compared = compare(first.judged, second.judged, rules)
    scores = first.score, second.score
    place_text(folder / "comparison.md", comparison_markdown(scores, compared))
    write_comparison(folder / "comparison.html", scores, compared)
    place_text(folder / "comparison.json", comparison_json(scores, compared))
    return compared

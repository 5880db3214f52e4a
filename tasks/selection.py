"""Selection over all granules: which candidates are kept, and why the others are not.

One after the other: near-duplicates go; of a bench that people review, what they do not accept;
answers are evened out; what can be guessed without the images is kept less often; the mixture is
met; of a bench, what is beyond the number wanted goes. Each step counts on what those before it
leave. A candidate is kept if the hash that its id is lies under the product of its rates. A rate of
the last selection is used again unless it has moved by more than two points, so that a dataset that
grows a little changes little.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from sys import intern
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.tier import Tier
from tasks.atomic import place_text, placing
from tasks.bench_making.wanted import beyond_wanted
from tasks.blind_rules import BlindItem, RuleResult, control
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.fingerprint import read_fingerprints
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.manifest import ReviewCount
from tasks.mixture import Traits, mixture_rates, unmet
from tasks.near_duplicates import near_duplicates
from tasks.region import region_of
from tasks.reviewing.items import SHOWN_COLUMNS, shown_digest
from tasks.reviewing.selected import decides as reviews_decide
from tasks.reviewing.selected import reviewed
from tasks.select import Cell, Rates, is_kept, keep_rates, stable
from tasks.small_table import table_columns, table_rows
from tasks.stage_names import FINGERPRINT, INGEST, SELECT
from templates.rule import YES_NO
from templates.rulebook import BY_NAME as RULES_BY_NAME

VERSION = 1
SUMMARY = "summary"  # beside the decisions on each granule
DUPLICATE, THINNED, GUESSED, MIXTURE = "near-duplicate", "thinned", "guessed blind", "mixture"
BEYOND = "more than wanted"
_COLUMNS = (
    "sample_id", "tier", "task", "classes", "options", "answer.text", "template", "rule",
    "group", "answer_key", "num_answers", "guessed",
)  # fmt: skip
_DECISIONS = pa.schema(
    [
        ("sample_id", pa.string()),
        ("why", pa.string()),  # "" for what is kept
        ("blind_rate", pa.float64()),
        ("mixture_rate", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What selection looks at of one candidate, and keeps of millions: words they share, once."""

    granule: GranuleId
    sample_id: str
    tier: str
    task: str
    classes: tuple[str, ...]
    options: tuple[str, ...]
    answer: str
    template: str
    rule: str
    group: str
    answer_key: str
    num_answers: int
    guessed: bool | None
    region: str
    shown: str  # digest of what reviewers see of it, "" where there are none

    @classmethod
    def of(cls, granule: GranuleId, values: Sequence[Any], region: str, shown: str) -> Self:
        """Return what is looked at of a row, whose values stand in the order of `_COLUMNS`."""
        (sample_id, tier, task, classes, options, answer,
         template, rule, group, answer_key, num_answers, guessed) = values  # fmt: skip
        return cls(
            granule=granule,
            sample_id=sample_id,
            tier=intern(tier),
            task=intern(task),
            classes=tuple(map(intern, classes)),
            options=tuple(map(intern, options)),
            answer=intern(answer),
            template=intern(template),
            rule=intern(rule or ""),
            group=intern(group or ""),
            answer_key=intern(answer_key or ""),
            num_answers=num_answers,
            guessed=guessed,
            region=region,
            shown=shown,
        )

    @property
    def cell(self) -> Cell | None:
        """The cell in which it is balanced, None where it is not."""
        if not self.group:
            return None
        within = f"{self.granule.source}/{self.granule.split}"
        # L2 has few questions of a kind: those that lack an answer are evened out by tier
        wider = self.task if self.tier in (Tier.L1, Tier.BENCH) else self.tier
        group = f"{within}|{self.group}"
        return Cell(f"{within}|{wider}", group, self.num_answers, self.answer_key)

    @property
    def traits(self) -> Traits:
        """What a mixture tells apart."""
        return Traits(
            tier=self.tier,
            task=self.task,
            source=self.granule.source,
            class_=self.classes[0] if self.classes else "",
            answer=self.answer if self.num_answers else "",
            region=self.region,
            template=self.template,
        )

    @property
    def blind(self) -> BlindItem | None:
        """What its text shows; None where its answers are no closed set."""
        options = self.options or self._closed_set
        if not options:
            return None
        # what a rule of the rule book measures does not stand in its question
        key = () if self.tier == Tier.L2_SEMANTIC else self.classes
        return BlindItem(self.sample_id, self.task, key, options, options.index(self.answer))

    @property
    def _closed_set(self) -> tuple[str, ...]:
        """All answers that an open question can have, () where that is no closed set."""
        if self.rule:
            return RULES_BY_NAME[self.rule].choices
        return YES_NO if self.answer in YES_NO else ()


class LastRates(NamedTuple):
    """At which rates the last selection kept a candidate."""

    blind: float
    mixture: float


def select(config: BuildConfig, granules: Sequence[GranuleId], made: Sequence[str]) -> int:
    """Decide on all candidates, unless that is done already; return how many are kept.

    Args:
        config: What to build.
        granules: All granules; their candidates and fingerprints are made.
        made: Names of the stages that made candidates.
    """
    ledger = Ledger(config.out)
    summary = _read_summary(ledger)
    if is_selected(config, ledger, granules, made):
        return int(summary["kept"])
    decided = decides(config)  # before verdicts are read: what comes meanwhile is another key
    key = _key(config, decided, ledger, granules, made)
    place_text(_summary_path(ledger), json.dumps({**summary, "key": ""}))  # until all is decided
    candidates = {g: list(_candidates(config, ledger, g, made)) for g in granules}
    rated = config.control.blind or bool(config.mixture.wishes)
    last = {i: rates for g in granules for i, rates in _last_rates(ledger, g)} if rated else {}
    why: dict[str, str] = {}
    if config.control.near_duplicates:
        prints = [found for granule in granules for found in read_fingerprints(ledger, granule)]
        why |= dict.fromkeys(near_duplicates(prints), DUPLICATE)
    left = [c for own in candidates.values() for c in own if c.sample_id not in why]
    review: ReviewCount | None = None
    if config.bench.reviews is not None:
        shown = {c.sample_id: c.shown for c in left}
        found = reviewed(config.bench.reviews, config.bench.reviews_least, shown)
        review, why = found.count, why | found.why
        left = [c for c in left if c.sample_id not in why]
    balanced = _balanced(config, left, ledger)
    weights = {c.sample_id: _balance_rate(c, balanced) for c in left}
    blind, results = _blind(config, left, weights, last)
    weights = {id_: rate * blind.get(id_, 1.0) for id_, rate in weights.items()}
    mixture, not_met = _mixture(config, left, weights, last)
    for candidate in left:
        id_ = candidate.sample_id
        rate = _balance_rate(candidate, balanced)
        for name, factor in ((THINNED, 1.0), (GUESSED, blind.get(id_, 1.0)),
                             (MIXTURE, mixture.get(id_, 1.0))):  # fmt: skip
            rate *= factor
            if not is_kept(id_, rate):
                why[id_] = name
                break
    if config.makes_bench:
        rest = [(c.task, c.sample_id) for c in left if c.sample_id not in why]
        beyond, short = beyond_wanted(rest, config.bench.wanted)
        why |= dict.fromkeys(beyond, BEYOND)
        not_met += short
    kept = sum(map(len, candidates.values())) - len(why)
    for granule, own in candidates.items():
        _write_decisions(ledger, granule, own, why, blind, mixture)
    _write_summary(ledger, key, decided, kept, balanced, results, not_met, review)
    return kept


def is_selected(
    config: BuildConfig, ledger: Ledger, granules: Sequence[GranuleId], made: Sequence[str]
) -> bool:
    """Return whether all candidates are decided on as they would be now."""
    if _read_summary(ledger).get("key") != _key(config, decides(config), ledger, granules, made):
        return False
    return all(decisions_path(ledger, granule).is_file() for granule in granules)


def selected_by(ledger: Ledger) -> dict[str, Any]:
    """Return what decided the last selection, {} where there was none or it came to no end."""
    summary = _read_summary(ledger)
    return dict(summary.get("decided", {})) if summary.get("key") else {}


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides what is kept but the candidates."""
    reviews, least = config.bench.reviews, config.bench.reviews_least
    return {
        "stage": VERSION,
        "balance": config.balance,
        "control": config.control.model_dump(),
        "mixture": config.mixture.model_dump(mode="json"),
        **({"wanted": config.bench.wanted} if config.makes_bench else {}),
        **({"reviews": reviews_decide(reviews, least)} if reviews is not None else {}),
    }


def decisions_path(ledger: Ledger, granule: GranuleId) -> Any:
    """Return where the decisions on a granule's candidates stand."""
    return ledger.path(SELECT, granule.name, ".parquet")


def decisions_of(ledger: Ledger, granule: GranuleId) -> dict[str, str]:
    """Return, by sample id, why a candidate of a granule is left out, "" where it is kept."""
    ids, why = table_columns(decisions_path(ledger, granule), ["sample_id", "why"])
    return dict(zip(ids, why, strict=True))


def stored_rates(ledger: Ledger) -> Rates:
    """Return the keep rates of answers of the last selection, {} where there was none."""
    rows = _read_summary(ledger).get("rates", [])
    return {(group, answer): float(rate) for group, answer, rate in rows}


def stored_control(ledger: Ledger) -> list[dict[str, Any]]:
    """Return what each rule of the blind control gained before and after, by task."""
    return list(_read_summary(ledger).get("control", []))


def stored_unmet(ledger: Ledger) -> list[str]:
    """Return what of the mixture could not be met."""
    return list(_read_summary(ledger).get("unmet", []))


def stored_review(ledger: Ledger) -> ReviewCount | None:
    """Return how many verdicts the last selection went by, None where it went by none."""
    review = _read_summary(ledger).get("review")
    return None if review is None else ReviewCount.model_validate(review)


def _balanced(config: BuildConfig, left: Sequence[Candidate], ledger: Ledger) -> Rates:
    if not config.balance:
        return {}
    cells = Counter(cell for c in left if (cell := c.cell) is not None)
    return keep_rates(cells, stored_rates(ledger))


def _balance_rate(candidate: Candidate, balanced: Rates) -> float:
    cell = candidate.cell
    return 1.0 if cell is None else balanced.get((cell.group, cell.answer), 1.0)


def _blind(
    config: BuildConfig,
    left: Sequence[Candidate],
    weights: Mapping[str, float],
    last: Mapping[str, LastRates],
) -> tuple[dict[str, float], tuple[RuleResult, ...]]:
    if not config.control.blind:
        return {}, ()
    items = [item for c in left if (item := c.blind) is not None]
    guessed = {c.sample_id: c.guessed for c in left if c.guessed is not None}
    found = control(items, weights, {"a model without images": guessed} if guessed else {})
    return _steady(found.rates, last, "blind"), found.results


def _mixture(
    config: BuildConfig,
    left: Sequence[Candidate],
    weights: Mapping[str, float],
    last: Mapping[str, LastRates],
) -> tuple[dict[str, float], list[str]]:
    if not config.mixture.wishes:
        return {}, []
    counts: dict[Traits, float] = {}
    for candidate in left:
        traits = candidate.traits
        counts[traits] = counts.get(traits, 0.0) + weights[candidate.sample_id]
    rates = mixture_rates(counts, config.mixture)
    by_id = {c.sample_id: rates[c.traits] for c in left}
    return _steady(by_id, last, "mixture"), unmet(counts, rates, config.mixture)


def _steady(
    rates: Mapping[str, float], last: Mapping[str, LastRates], name: str
) -> dict[str, float]:
    """Return rates by sample, those of the last selection where they have hardly moved."""
    return {
        id_: stable(rate, getattr(last[id_], name) if id_ in last else None)
        for id_, rate in rates.items()
    }


def _candidates(
    config: BuildConfig, ledger: Ledger, granule: GranuleId, made: Sequence[str]
) -> Iterator[Candidate]:
    regions: dict[str, str] = {}
    if config.mixture.region:
        path = ledger.path(INGEST, granule.name, ".parquet")
        rows = table_rows(path, ["scene_id", "grid"])
        regions = {row["scene_id"]: region_of(row["grid"]) for row in rows}
    for stage in made:
        path = ledger.path(stage, granule.name, ".parquet")
        rows_of = zip(*table_columns(path, _COLUMNS), strict=True)
        (scene_ids,) = table_columns(path, ["scene_id"]) if regions else (repeat(""),)
        is_shown = config.bench.reviews is not None
        shown = map(shown_digest, table_rows(path, SHOWN_COLUMNS)) if is_shown else repeat("")
        for values, scene_id, digest in zip(rows_of, scene_ids, shown, strict=False):
            yield Candidate.of(granule, values, regions.get(scene_id, ""), digest)


def _last_rates(ledger: Ledger, granule: GranuleId) -> Iterator[tuple[str, LastRates]]:
    path = decisions_path(ledger, granule)
    if path.is_file():
        ids, *rates = table_columns(path, ["sample_id", "blind_rate", "mixture_rate"])
        yield from zip(ids, map(LastRates, *rates), strict=True)


def _write_decisions(
    ledger: Ledger,
    granule: GranuleId,
    own: Sequence[Candidate],
    why: Mapping[str, str],
    blind: Mapping[str, float],
    mixture: Mapping[str, float],
) -> None:
    ids = [c.sample_id for c in own]
    columns = [
        ids,
        [why.get(id_, "") for id_ in ids],
        [blind.get(id_, 1.0) for id_ in ids],
        [mixture.get(id_, 1.0) for id_ in ids],
    ]
    with placing(decisions_path(ledger, granule)) as temporary:
        table = pa.table(columns, schema=_DECISIONS)
        pq.write_table(table, temporary, compression="zstd")


def _key(
    config: BuildConfig,
    decided: Mapping[str, Any],
    ledger: Ledger,
    granules: Sequence[GranuleId],
    made: Sequence[str],
) -> str:
    stages = [*made, *([FINGERPRINT] if config.control.near_duplicates else [])]
    stages += [INGEST] if config.mixture.region else []
    inputs = []
    for granule in granules:
        for stage in stages:
            record = ledger.load(stage, granule.name)
            assert record is not None, f"stage {stage} has not run for {granule.name}"
            inputs.append([granule.name, stage, record.outputs[0].sha256])
    return digest_of({**decided, "inputs": inputs})


def _write_summary(
    ledger: Ledger,
    key: str,
    decided: Mapping[str, Any],
    kept: int,
    balanced: Rates,
    results: Sequence[RuleResult],
    not_met: Sequence[str],
    review: ReviewCount | None,
) -> None:
    summary = {
        "key": key,
        "decided": decided,
        "kept": kept,
        "rates": [[group, answer, rate] for (group, answer), rate in sorted(balanced.items())],
        "control": [asdict(result) for result in results],
        "unmet": list(not_met),
        "review": None if review is None else review.model_dump(),
    }
    place_text(_summary_path(ledger), json.dumps(summary, indent=0) + "\n")


def _read_summary(ledger: Ledger) -> dict[str, Any]:
    """Return what the last selection came to, {} where there was none or it is damaged."""
    try:
        return dict(json.loads(_summary_path(ledger).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _summary_path(ledger: Ledger) -> Any:
    return ledger.path(SELECT, SUMMARY, ".json")

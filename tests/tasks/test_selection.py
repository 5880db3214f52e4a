"""What selection makes of candidates written by hand: each reason, any order, run again, killed."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.tier import Tier
from tasks.config import BuildConfig
from tasks.fingerprints import text_signature
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record, output_of
from tasks.reviewing.items import shown_digest
from tasks.reviewing.kept import written_by
from tasks.reviewing.verdict import Verdict
from tasks.selection import (
    DUPLICATE,
    GUESSED,
    MIXTURE,
    THINNED,
    decisions_of,
    decisions_path,
    is_selected,
    select,
    stored_control,
    stored_review,
    stored_unmet,
)
from tasks.stage_names import FINGERPRINT

MADE = ["l1"]
TOWN, LAND = GranuleId("xbd", "train", "a"), GranuleId("chatearthnet", "train", "b")
GRANULES = [LAND, TOWN]
NUMBERS = ("1 ha", "2 ha", "3 ha", "4 ha")
Row = dict[str, Any]


def row(name: str, task: str, answer: str, options: Sequence[str] = (), **changes: Any) -> Row:
    """Return a candidate; its id is a hash of its name."""
    return {
        "sample_id": hashlib.sha256(name.encode()).hexdigest()[:24],
        "scene_id": name,
        "tier": Tier.L1.value,
        "task": task,
        "classes": ["water"],
        "options": list(options),
        "question": f"{task} of {name}?",
        "answer": {"text": answer, "letter": "A" if options else ""},
        "masks": [{"label": "water", "image_index": 0, "counts": "12"}],
        "template": task,
        "rule": "",
        "group": "",
        "answer_key": "",
        "num_answers": 0,
        "guessed": None,
        "text": f"{name} {name[::-1]} asks {task} of {answer}",  # of its fingerprint alone
        **changes,
    }


def existence(name: str, answer: str) -> Row:
    group = {"group": "existence|water", "answer_key": answer, "num_answers": 2}
    return row(name, "existence", answer, ("Yes", "No"), **group)


def candidates() -> dict[GranuleId, list[Row]]:
    """Return 40 questions of yes and 10 of no, 300 guessed, 20 counts, and one written twice."""
    rng = Random(1)
    town = [existence(f"y{n}", "Yes") for n in range(40)] + [
        existence(f"n{n}", "No") for n in range(10)
    ]
    town += [row(f"c{n}", "count", f"{n}") for n in range(20)]
    land = [
        row(f"g{n}", "area", rng.choice(NUMBERS), NUMBERS, guessed=rng.random() < 0.8)
        for n in range(300)
    ]
    words = "the same words of one scene stand here twice and nothing else does"
    land += [row(f"d{n}", "border", f"{n} m", scene_id="d", text=words) for n in range(2)]
    return {TOWN: town, LAND: land}


def write(out: Path, found: dict[GranuleId, list[Row]]) -> Ledger:
    """Write candidates and their fingerprints as their stages would."""
    ledger = Ledger(out)
    for granule, rows in found.items():
        prints = [
            {
                "sample_id": one["sample_id"],
                "place": one["scene_id"],
                "rank": 0,
                "image_hashes": [],
                "signature": text_signature(one["text"]).tolist(),
            }
            for one in rows
        ]
        plain = [{key: value for key, value in one.items() if key != "text"} for one in rows]
        for stage, made in (("l1", plain), (FINGERPRINT, prints)):
            path = ledger.path(stage, granule.name, ".parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(made), path)
            output = output_of(out, path, len(made))
            ledger.store(
                Record(
                    stage=stage,
                    granule=granule.name,
                    key="",
                    outputs=(output,),
                    taken=len(made),
                    out=len(made),
                )
            )
    return ledger


def config_of(out: Path, **changes: Any) -> BuildConfig:
    return BuildConfig.model_validate({"sources": {"xbd": out}, "out": out, **changes})


def decided(ledger: Ledger) -> dict[str, str]:
    return {id_: why for g in GRANULES for id_, why in decisions_of(ledger, g).items()}


def by_task(ledger: Ledger, found: dict[GranuleId, list[Row]]) -> dict[str, Counter[str]]:
    """Return how often each reason stands, by task."""
    reasons, counts = decided(ledger), {}
    for one in (one for rows in found.values() for one in rows):
        counts.setdefault(one["task"], Counter())[reasons[one["sample_id"]]] += 1
    return counts


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Ledger]:
    """Return a function that selects among the candidates, in a folder of its own."""
    folders: Iterator[Path] = (tmp_path / f"{number}" for number in range(9))

    def of(granules: Sequence[GranuleId] = GRANULES, **changes: Any) -> Ledger:
        out = next(folders)
        ledger = write(out, candidates())
        kept = select(config_of(out, **changes), granules, MADE)
        assert kept == list(decided(ledger).values()).count("")
        return ledger

    return of


COUNTS_OUT = {"mixture": {"task": {"count": 0}}}


def test_each_reason_is_named_where_it_is_the_first(made) -> None:
    counts = by_task(made(**COUNTS_OUT), candidates())
    assert counts["border"] == {"": 1, DUPLICATE: 1}
    assert counts["existence"].keys() == {"", THINNED}
    assert counts["area"].keys() == {"", GUESSED}
    assert counts["count"] == {MIXTURE: 20}


def test_frequent_answers_and_good_guesses_come_down_to_what_is_fair(made) -> None:
    ledger = made()
    reasons = decided(ledger)
    existing, *_ = by_task(ledger, candidates()).values()
    assert existing[""] == pytest.approx(20, abs=8)  # ten of no, about as many of yes
    assert all(reasons[one["sample_id"]] == "" for one in candidates()[TOWN][40:50])
    left = [one for one in candidates()[LAND][:300] if not reasons[one["sample_id"]]]
    assert sum(one["guessed"] for one in left) / len(left) == pytest.approx(0.25, abs=0.1)
    told = next(one for one in stored_control(ledger) if one["rule"] == "a model without images")
    assert told["before"]["over"] == pytest.approx(0.55, abs=0.05)


def test_of_two_alike_the_one_with_the_smaller_id_stays(made) -> None:
    reasons = decided(made())
    first, second = sorted(one["sample_id"] for one in candidates()[LAND][300:])
    assert (reasons[first], reasons[second]) == ("", DUPLICATE)


def test_a_weight_of_zero_keeps_none_and_leaves_the_others_as_they_are(made) -> None:
    with_all, without = made(), made(**COUNTS_OUT)
    counts = {one["sample_id"] for one in candidates()[TOWN][50:]}
    before, after = decided(with_all), decided(without)
    assert {before[id_] for id_ in counts} == {""}
    assert {after[id_] for id_ in counts} == {MIXTURE}
    assert {k: v for k, v in before.items() if k not in counts} == {
        k: v for k, v in after.items() if k not in counts
    }
    assert stored_unmet(without) == []


def test_what_is_switched_off_leaves_nothing_out(made) -> None:
    ledger = made(balance=False, control={"blind": False, "near_duplicates": False})
    assert set(decided(ledger).values()) == {""}
    assert stored_control(ledger) == []


def test_the_order_of_granules_changes_nothing(made) -> None:
    ledgers = [made(order, **COUNTS_OUT) for order in (GRANULES, GRANULES[::-1])]
    assert decided(ledgers[0]) == decided(ledgers[1])
    rows = [
        [pq.read_table(decisions_path(one, g)).to_pylist() for g in GRANULES] for one in ledgers
    ]
    assert rows[0] == rows[1]


def summary_path(ledger: Ledger) -> Path:
    return ledger.path("select", "summary", ".json")


def test_a_second_call_reads_no_candidate_and_writes_nothing(made, monkeypatch) -> None:
    ledger = made()

    def state() -> dict[Path, tuple[int, bytes]]:
        files = [path for path in ledger.dataset.rglob("*") if path.is_file()]
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before, kept = state(), list(decided(ledger).values()).count("")
    with monkeypatch.context() as patched:
        patched.setattr(pq, "read_table", lambda *_, **__: pytest.fail("it reads again"))
        assert select(config_of(ledger.dataset), GRANULES, MADE) == kept
    assert state() == before


def blanked(ledger: Ledger) -> None:
    """Leave what a selection that was killed before its summary leaves."""
    path = summary_path(ledger)
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": ""}))


def dropped(ledger: Ledger) -> None:
    decisions_path(ledger, TOWN).unlink()


def damaged(ledger: Ledger) -> None:
    summary_path(ledger).write_text("{")


@pytest.mark.parametrize("harm", [blanked, dropped, damaged])
def test_killed_or_damaged_it_decides_again_and_the_same(made, harm) -> None:
    ledger = made()
    before = decided(ledger)
    # what was written before it was killed may be of another selection: it is not taken for done
    table = pq.read_table(decisions_path(ledger, LAND))
    other = table.set_column(1, "why", pa.array(["mixture"] * len(table)))
    pq.write_table(other, decisions_path(ledger, LAND))
    harm(ledger)
    select(config_of(ledger.dataset), GRANULES, MADE)
    assert decided(ledger) == before
    assert json.loads(summary_path(ledger).read_text())["key"]


def test_another_wish_is_another_selection(made) -> None:
    ledger = made()
    before = decided(ledger)
    select(config_of(ledger.dataset, **COUNTS_OUT), GRANULES, MADE)
    assert decided(ledger) != before
    select(config_of(ledger.dataset), GRANULES, MADE)
    assert decided(ledger) == before


def test_killed_between_decisions_and_summary_the_old_summary_is_not_taken_for_theirs(
    made, monkeypatch
) -> None:
    ledger = made()
    before = decided(ledger)
    with monkeypatch.context() as patched:
        patched.setattr("tasks.selection._write_summary", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception, match="killed"):
            select(config_of(ledger.dataset, **COUNTS_OUT), GRANULES, MADE)
    assert decided(ledger) != before
    select(config_of(ledger.dataset), GRANULES, MADE)
    assert decided(ledger) == before


def review(folder: Path, name: str, said: dict[str, str], rows: dict[str, Row]) -> None:
    """Let somebody accept candidates, or correct them to a letter."""
    with written_by(folder, name) as add:
        for id_, text in said.items():
            told = {"verdict": "accept"} if text == "accept" else {"verdict": "correct"}
            letter = None if text == "accept" else text
            shown = shown_digest(rows[id_])
            add(Verdict(item=id_, shown=shown, at="2026-01-01", letter=letter, **told))


def test_of_a_bench_that_is_reviewed_only_what_people_accept_is_kept(tmp_path) -> None:
    out, reviews = tmp_path / "bench", tmp_path / "bench-reviews"
    ledger, found = write(out, candidates()), candidates()
    rows = {one["sample_id"]: one for own in found.values() for one in own}
    yes, no, unseen, corrected, disputed, changed = [one["sample_id"] for one in found[TOWN][50:56]]
    accepted = dict.fromkeys([yes, no, changed], "accept")
    review(reviews, "ann", {**accepted, corrected: "B", disputed: "accept"}, rows)
    config = config_of(out, stages=("bench",), bench={"reviews": reviews})
    assert select(config, GRANULES, MADE) == 0
    assert stored_review(ledger).verdicts == 5
    review(reviews, "bo", {**accepted, corrected: "B", disputed: "B"}, rows)
    review(reviews, "cy", {yes: "B", disputed: "C"}, rows)
    with written_by(reviews, "bo") as add:  # it was another item when bo said so
        add(Verdict(item=changed, shown="before", at="2026-01-01", verdict="accept"))
    assert select(config, GRANULES, MADE) == 2  # new verdicts are another selection
    reasons = decided(ledger)
    assert {id_ for id_, why in reasons.items() if not why} == {yes, no}
    assert reasons[corrected] == "review: corrected"
    assert reasons[disputed] == "review: disputed"
    assert reasons[changed] == reasons[unseen] == "review: open"
    told = stored_review(ledger)
    assert (told.items, told.verdicts, told.reviewers) == (5, 11, 3)
    assert told.agreement == 3 / 8  # yes 1 of 3, no 1, corrected 1, disputed 0 of 3
    strict = config_of(out, stages=("bench",), bench={"reviews": reviews, "reviews_least": 3})
    assert select(strict, GRANULES, MADE) == 0
    unreviewed = config_of(out, stages=("bench",))
    assert select(unreviewed, GRANULES, MADE) > 2
    assert stored_review(ledger) is None


def test_a_verdict_that_comes_while_it_selects_is_another_selection(tmp_path, monkeypatch) -> None:
    out, reviews = tmp_path / "bench", tmp_path / "bench-reviews"
    ledger, found = write(out, candidates()), candidates()
    rows = {one["sample_id"]: one for own in found.values() for one in own}
    late = found[TOWN][60]["sample_id"]
    review(reviews, "ann", {late: "accept"}, rows)
    config = config_of(out, stages=("bench",), bench={"reviews": reviews})
    with monkeypatch.context() as patched:

        def late_to(*_: Any) -> list[str]:
            review(reviews, "bo", {late: "accept"}, rows)
            return []

        patched.setattr("tasks.selection.near_duplicates", late_to)
        assert select(config, GRANULES, MADE) == 1
    assert not is_selected(config, ledger, GRANULES, MADE)

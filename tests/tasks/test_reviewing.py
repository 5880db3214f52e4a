"""The review of a bench: what verdicts come to, who judges what next, how far people agree."""

import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.reviewing.agreement import alpha, percent_agreement
from tasks.reviewing.consensus import VERDICTS_DUE, outcome_of
from tasks.reviewing.items import ReviewItem, shown_digest
from tasks.reviewing.kept import file_name, read_reviews, written_by
from tasks.reviewing.queue import queue_of
from tasks.reviewing.summary import summary_lines, summary_of
from tasks.reviewing.verdict import Opinion, Verdict

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), C: four observers, twelve units
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def opinion(text: str, *wrong: int) -> Opinion:
    """Return what "accept", "reject" or "B" stands for."""
    if text == "reject":
        return Opinion(verdict="reject", reason="wrong answer", wrong_masks=wrong)
    if text == "accept":
        return Opinion(verdict="accept", wrong_masks=wrong)
    return Opinion(verdict="correct", letter=text, wrong_masks=wrong)


def verdict(item: str, text: str, *wrong: int, shown: str = "s") -> Verdict:
    told = opinion(text, *wrong).model_dump()
    return Verdict(item=item, shown=shown, at="2026-01-01T00:00:00Z", **told)


def test_alpha_of_the_published_example_is_the_published_one() -> None:
    rows = [line.split() for line in PUBLISHED.strip().splitlines()]
    units = [[one for one in unit if one != "."] for unit in zip(*rows, strict=True)]
    assert alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_two_reviewers_on_two_items_worked_by_hand() -> None:
    # said: a a b / a b. pairs: (1 of 3 agree), (0 of 1); counts a 3, b 2 of n = 5
    # observed 4/2 + 2/1 = 4 of ordered pairs, expected 25 - 13 = 12: alpha = 1 - 4 * 4 / 12
    units = [["a", "a", "b"], ["a", "b"], ["b"], []]
    assert percent_agreement(units) == 1 / 4
    assert alpha(units) == pytest.approx(-1 / 3)


def test_nothing_is_said_of_agreement_where_there_is_nothing_to_compare() -> None:
    assert percent_agreement([["a"], []]) is None
    assert alpha([["a"], []]) is None
    assert alpha([["a", "a"], ["a", "a"]]) is None  # chance alone would agree as well
    assert percent_agreement([["a", "a"]]) == 1


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("", "open"),
        ("accept", "open"),
        ("accept accept", "accepted"),
        ("accept accept reject", "accepted"),
        ("accept reject", "open"),
        ("reject accept reject", "rejected"),
        ("B B accept", "corrected"),
        ("B C", "open"),
        ("B C accept", "disputed"),
        ("accept reject B", "disputed"),
        ("accept accept reject reject", "disputed"),  # a fourth came in at the same time
    ],
)
def test_two_of_three_who_say_the_same_decide(said, outcome) -> None:
    assert outcome_of([opinion(one) for one in said.split()]) == outcome


def test_how_many_have_to_say_the_same_can_be_set() -> None:
    two, mixed = [opinion("accept")] * 2, [opinion("accept"), opinion("accept"), opinion("B")]
    assert outcome_of(two, least=3) == "open"
    assert outcome_of(mixed, least=3) == "disputed"
    assert outcome_of([opinion("accept")], least=1) == "accepted"
    assert outcome_of([opinion("accept"), opinion("reject")], least=1) == "disputed"


def test_two_who_call_the_same_mask_wrong_reject_what_they_accept() -> None:
    one, same, other = opinion("accept", 0), opinion("accept", 2, 0), opinion("accept", 1)
    assert outcome_of([one, same]) == "rejected"
    assert outcome_of([one, other]) == "accepted"


@pytest.mark.parametrize(
    "told",
    [
        {"verdict": "reject"},
        {"verdict": "accept", "reason": "wrong mask"},
        {"verdict": "correct"},
        {"verdict": "correct", "letter": "BB"},
        {"verdict": "accept", "letter": "B"},
        {"verdict": "reject", "reason": "ugly"},
        {"verdict": "accept", "wrong_masks": [-1]},
        {"verdict": "accept", "wrong_masks": [0, 0]},
        {"verdict": "accept", "more": 1},
        {"verdict": "perhaps"},
        {},
    ],
)
def test_what_is_half_said_is_no_opinion(told) -> None:
    with pytest.raises(ValidationError):
        Opinion.model_validate(told)


def test_what_has_fewest_verdicts_comes_first_and_nothing_that_has_all() -> None:
    judged = {"a": ["bo", "cy", "di"], "b": ["bo"], "c": ["ann"], "d": ["bo", "cy"], "e": []}
    assert queue_of("ann", "abcde", judged, seed=0) == ["e", "b", "d"]


def test_reviewers_see_another_order_and_each_always_the_same() -> None:
    items = [f"i{n}" for n in range(30)]
    orders = [queue_of(name, items, {}, seed=0) for name in ("ann", "bo", "ann")]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == sorted(items)
    assert queue_of("ann", items, {}, seed=1) != orders[0]


@given(items=st.integers(0, 8), reviewers=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_nothing_is_shown_twice_to_one_and_all_gets_three_if_there_are_three(
    items, reviewers, seed
) -> None:
    ids, rng = [f"i{n}" for n in range(items)], Random(seed)
    names = [f"r{n}" for n in range(reviewers)]
    judged: dict[str, list[str]] = {}
    while busy := [name for name in names if queue_of(name, ids, judged, seed)]:
        name = rng.choice(busy)
        first = queue_of(name, ids, judged, seed)[0]
        assert name not in judged.get(first, [])
        judged.setdefault(first, []).append(name)
    due = min(reviewers, VERDICTS_DUE)
    assert [len(judged.get(id_, [])) for id_ in ids] == [due] * items


def test_the_last_verdict_on_an_item_counts(tmp_path) -> None:
    with written_by(tmp_path, "ann") as add:
        for one in (verdict("a", "accept"), verdict("b", "accept"), verdict("a", "reject", 1)):
            add(one)
            assert read_reviews(tmp_path).by_reviewer["ann"][one.item] == one  # on disk at once
    own = read_reviews(tmp_path).by_reviewer["ann"]
    assert [*own] == ["b", "a"]
    assert own["a"].said == "reject"
    assert own["a"].wrong_masks == (1,)


def test_a_line_that_was_cut_off_is_not_read_and_not_written_on(tmp_path) -> None:
    with written_by(tmp_path, "ann") as add:
        add(verdict("a", "accept"))
    path = tmp_path / "ann.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-1])  # all of a line but its end
    assert read_reviews(tmp_path).faults == ()
    with written_by(tmp_path, "ann") as add:
        add(verdict("b", "B"))
    assert [*read_reviews(tmp_path).by_reviewer["ann"]] == ["a", "b"]
    assert read_reviews(tmp_path).faults == ()


@pytest.mark.parametrize("harm", [b"{", b"", b"\xff\xfe", b"[]", b'{"verdict": "accept"}'])
def test_a_damaged_line_is_named_and_the_others_count(tmp_path, harm) -> None:
    with written_by(tmp_path, "ann") as add:
        for item in "abc":
            add(verdict(item, "accept"))
    path = tmp_path / "ann.jsonl"
    first, _, *rest = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([first, harm, *rest]))
    found = read_reviews(tmp_path)
    assert [*found.by_reviewer["ann"]] == ["a", "c"]
    assert len(found.faults) == 1
    assert found.faults[0].startswith("ann.jsonl, line 2: ")


def test_the_same_reviewer_reviews_once_at_a_time(tmp_path) -> None:
    again = (
        "import sys; from pathlib import Path; from tasks.reviewing.kept import written_by\n"
        "with written_by(Path(sys.argv[1]), sys.argv[2]): pass"
    )

    def other(name):
        command = [sys.executable, "-c", again, str(tmp_path), name]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with written_by(tmp_path, "ann"):
        assert "ann is reviewing into" in other("ann").stderr
        assert other("bo").returncode == 0
        with pytest.raises(UserError, match="already"), written_by(tmp_path, "ann"):
            pass
    assert other("ann").returncode == 0


@pytest.mark.parametrize("name", ["../ann", "a/b", "Łukasz", "<script>", "%2e", ".", "ann bo"])
def test_a_name_is_a_file_in_the_folder_and_comes_back(tmp_path, name) -> None:
    with written_by(tmp_path / "reviews", name) as add:
        add(verdict("a", "accept"))
    assert [path.parent for path in tmp_path.rglob("*.jsonl")] == [tmp_path / "reviews"]
    assert [*read_reviews(tmp_path / "reviews").by_reviewer] == [name]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 400])
def test_what_is_no_name_is_refused(name) -> None:
    with pytest.raises(UserError, match="--reviewer"):
        file_name(name)


def test_a_folder_that_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(UserError, match="terrascope review"):
        read_reviews(tmp_path / "none")


def test_verdicts_have_another_digest_as_soon_as_somebody_says_something_else(tmp_path) -> None:
    digests = []
    with written_by(tmp_path, "ann") as add:
        for text in ("accept", "accept", "reject", "accept"):
            add(verdict("a", text))
            digests.append(read_reviews(tmp_path).digest)
    assert [digests.index(one) for one in digests] == [0, 0, 2, 0]


def test_what_is_shown_is_question_options_answer_and_masks() -> None:
    row = {
        "question": "How much?",
        "options": ["1 ha", "2 ha"],
        "answer": {"letter": "A", "text": "1 ha", "value": 1.0},
        "masks": [{"label": "water", "image_index": 0, "counts": "abc", "iou": 1.0}],
        "trace": "",
    }
    other_mask = {**row["masks"][0], "counts": "abd"}
    other_answer = {"letter": "B", "text": "2 ha"}
    others = [
        {**row, "question": "How much now?"},
        {**row, "options": ["2 ha", "1 ha"]},
        {**row, "answer": other_answer},
        {**row, "masks": [other_mask]},
        {**row, "masks": []},
    ]
    assert len({shown_digest(one) for one in [row, *others]}) == 6
    assert shown_digest({**row, "trace": "other words"}) == shown_digest(row)


def test_a_summary_says_what_has_to_be_looked_at_again(tmp_path) -> None:
    made = {"letters": "ABCD", "right": "A", "num_masks": 1, "shown": "s"}
    items = {id_: ReviewItem(task="area" if id_ < "d" else "rank", **made) for id_ in "abcde"}
    said = {
        "ann": {"a": "accept", "b": "B", "c": "accept", "d": "reject"},
        "b|o": {"a": "accept", "b": "B", "c": "reject", "d": "reject"},
        "<cy>": {"b": "accept", "c": "C", "z": "accept"},
    }
    for name, own in said.items():
        with written_by(tmp_path, name) as add:
            for id_, text in own.items():
                add(verdict(id_, text))
    with written_by(tmp_path, "ann") as add:
        add(verdict("e", "accept", shown="as it was before"))
    (tmp_path / "di.jsonl").write_text("nonsense\n")
    found = summary_of(items, read_reviews(tmp_path), least=2)
    assert found.outcomes == {
        "a": "accepted", "b": "corrected", "c": "disputed", "d": "rejected", "e": "open",
    }  # fmt: skip
    assert Counter(found.verdicts) == {"ann": 4, "b|o": 4, "<cy>": 2, "di": 0}
    assert found.elsewhere == 2  # of z, and of e in another form
    assert found.agreement["rank"].percent == 1
    assert found.agreement[""].percent == 3 / 8  # a 1 of 1, b 1 of 3, c 0 of 3, d 1 of 1
    page = "\n".join(summary_lines(found))
    assert "| all | 4 | 38% |" in page
    assert "* `b`: &lt;cy> accept, ann correct B, b\\|o correct B" in page
    assert "* `c`: &lt;cy> correct C, ann accept, b\\|o reject" in page
    assert "<cy>" not in page
    assert "2 verdicts are on items" in page
    assert "di.jsonl, line 1" in page

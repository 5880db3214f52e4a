"""The page of a reviewer: what it shows, what it takes down, and whom it takes it from."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cli import app
from tasks.errors import UserError
from tasks.reviewing.items import items_of
from tasks.reviewing.kept import read_reviews, written_by
from tasks.reviewing.place import reviews_beside
from view.desk import Desk
from view.looked_at import LookedAt
from view.review_app import MOST_SENT_BYTES, application

HERE = "http://127.0.0.1:8101"
SCRIPT = "<script>alert(1)</script>"


class Reviewer:
    """One who looks at the page and sends what it would send."""

    def __init__(self, desk: Desk, looked_at: LookedAt) -> None:
        self.client = TestClient(application(desk, looked_at), base_url=HERE)

    def page(self, address: str = "/") -> str:
        return self.client.get(address).text

    def told(self, address: str = "/") -> dict:
        """Return what the page tells its script; {} where nothing waits."""
        found = re.search(r'id="told">(.*?)</script>', self.page(address))
        return json.loads(found[1]) if found else {}

    def send(self, told: dict, headers: dict | None = None, **said):
        """Send a verdict on what a page told, as that page would."""
        kept = {"origin": HERE, "x-review-token": told["token"], **(headers or {})}
        body = {"item": told["item"], "reason": None, "letter": None, "wrong_masks": [], **said}
        return self.client.post("/verdict", json=body, headers=kept)


@pytest.fixture(scope="module")
def looked_at(bench, spill):
    found = LookedAt(bench, spill)
    found.index.fill()
    return found


@pytest.fixture
def reviews(tmp_path) -> Path:
    return tmp_path / "bench-reviews"


@pytest.fixture
def reviewer_of(bench, looked_at, reviews) -> Iterator[Callable[[str], Reviewer]]:
    """Return a function that sits somebody down at a desk."""
    held = []

    def seated(name: str) -> Reviewer:
        desk_held = written_by(reviews, name)
        held.append(desk_held)
        return Reviewer(Desk(items_of(bench), reviews, name, desk_held.__enter__()), looked_at)

    yield seated
    for one in held:
        one.__exit__(None, None, None)


@pytest.fixture
def ann(reviewer_of) -> Reviewer:
    return reviewer_of("ann")


def test_an_item_is_shown_with_its_options_masks_program_and_reasons(ann) -> None:
    page = ann.page()
    assert "1 of 23 · 0 verdicts so far" in page
    assert page.count("data-reason=") == 5
    assert '<li class="true">' in page
    assert 'class="program"' in page
    assert 'id="drawn"' in page
    told = ann.told()
    offered = re.findall(r'data-letter="(\w)"', page)
    assert offered == [letter for letter in told["letters"] if letter != told["right"]]
    assert page.count("data-mask=") == told["masks"]


def test_a_verdict_is_on_disk_and_the_next_item_comes(ann, reviews) -> None:
    first = ann.told()
    assert (
        ann.send(first, verdict="reject", reason="bad picture", wrong_masks=[0]).status_code == 204
    )
    own = read_reviews(reviews).by_reviewer["ann"]
    assert own[first["item"]].reason == "bad picture"
    assert own[first["item"]].wrong_masks == (0,)
    second = ann.told()
    assert second["item"] != first["item"]
    assert "2 of 23 · 1 verdicts so far" in ann.page()
    assert f'id="back-one" href="/item/{first["item"]}"' in ann.page()


def test_one_goes_back_and_says_something_else(ann, reviews) -> None:
    first = ann.told()
    ann.send(first, verdict="reject", reason="bad picture")
    second = ann.told()
    ann.send(second, verdict="accept")
    again = ann.told(f"/item/{first['item']}")
    assert again["own"]["reason"] == "bad picture"
    assert "judged before" in ann.page(f"/item/{first['item']}")
    assert "back-one" not in ann.page(f"/item/{first['item']}")  # it was the first
    ann.send(again, verdict="accept")
    found = read_reviews(reviews).by_reviewer["ann"]
    assert {id_: one.said for id_, one in found.items()} == {
        first["item"]: "accept", second["item"]: "accept",
    }  # fmt: skip
    assert f'href="/item/{first["item"]}"' in ann.page()  # the last that was judged


def test_three_share_the_work_and_nothing_waits_for_a_fourth(reviewer_of, reviews, bench) -> None:
    reviewers = [reviewer_of(name) for name in ("ann", "bo", "cy")]
    fourth = reviewer_of("di")
    assert len({one.told()["item"] for one in reviewers}) > 1  # each begins elsewhere
    for one in reviewers:
        while told := one.told():
            one.send(told, verdict="accept")
    own = read_reviews(reviews).by_reviewer
    assert [len(own[name]) for name in ("ann", "bo", "cy", "di")] == [23, 23, 23, 0]
    assert "Nothing waits for you" in fourth.page()
    assert "0 judged · 69 verdicts" in fourth.page()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8102", ""])
def test_another_page_cannot_send_a_verdict(ann, reviews, origin) -> None:
    told = ann.told()
    assert ann.send(told, {"origin": origin}, verdict="accept").status_code == 403
    assert read_reviews(reviews).by_reviewer["ann"] == {}


@pytest.mark.parametrize("token", ["", "guessed", "ł"])
def test_nor_can_who_was_not_told_the_word(ann, reviews, token) -> None:
    header = {"x-review-token": token.encode()}
    assert ann.send(ann.told(), header, verdict="accept").status_code == 403
    assert read_reviews(reviews).by_reviewer["ann"] == {}


def test_the_word_of_one_run_opens_no_other(ann, reviewer_of, reviews) -> None:
    told = {**ann.told(), "token": reviewer_of("bo").told()["token"]}
    assert ann.send(told, verdict="accept").status_code == 403
    assert read_reviews(reviews).by_reviewer["ann"] == {}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_kind_is_refused(ann, reviews, kind) -> None:
    assert ann.send(ann.told(), {"content-type": kind}, verdict="accept").status_code == 400
    assert read_reviews(reviews).by_reviewer["ann"] == {}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "required"),
        ({"verdict": "maybe"}, "accept"),
        ({"verdict": "reject"}, "reason goes with reject"),
        ({"verdict": "reject", "reason": SCRIPT}, "wrong mask"),
        ({"verdict": "correct"}, "letter goes with correct"),
        ({"verdict": "correct", "letter": "H"}, "H is not offered"),
        ({"verdict": "correct", "letter": "AB"}, "pattern"),
        ({"verdict": "accept", "wrong_masks": [9]}, "the item has"),
        ({"verdict": "accept", "wrong_masks": [-1]}, "greater than or equal"),
        ({"verdict": "accept", "more": 1}, "Extra"),
        ({"verdict": "accept", "reason": "x" * MOST_SENT_BYTES}, "at most"),
    ],
)
def test_what_cannot_be_said_is_refused_and_not_written(ann, reviews, said, why) -> None:
    answer = ann.send(ann.told(), **said)
    assert answer.status_code == 400
    assert why in answer.text
    assert "<script>" not in answer.text
    assert read_reviews(reviews).by_reviewer["ann"] == {}


def test_the_letter_that_is_right_already_is_no_correction(ann, reviews) -> None:
    told = ann.told()
    assert ann.send(told, verdict="correct", letter=told["right"]).status_code == 400
    other = next(letter for letter in told["letters"] if letter != told["right"])
    assert ann.send(told, verdict="correct", letter=other).status_code == 204
    assert read_reviews(reviews).by_reviewer["ann"][told["item"]].letter == other


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null"])
def test_what_is_no_json_is_refused(ann, body) -> None:
    headers = {"origin": HERE, "x-review-token": ann.told()["token"]}
    headers["content-type"] = "application/json"
    assert ann.client.post("/verdict", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("item", ["nope", "../../etc/passwd", SCRIPT, ""])
def test_an_item_of_another_bench_is_not_found(ann, reviews, item) -> None:
    answer = ann.send({**ann.told(), "item": item}, verdict="accept")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert read_reviews(reviews).by_reviewer["ann"] == {}
    assert ann.client.get(f"/item/{item}").status_code == 404


def test_a_foreign_host_gets_no_answer(ann) -> None:
    for page in ("/", "/review.js", "/view.js"):
        answer = ann.client.get(page, headers={"host": "evil.example"}, follow_redirects=False)
        assert answer.status_code == 400
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_runs_and_reaches_nothing_but_itself(ann) -> None:
    for page in ("/", "/review.js", "/view.js", "/item/nope", "/nowhere"):
        policies = ann.client.get(page).headers.get_list("content-security-policy")
        assert len(policies) == 1
        rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
        assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
        assert rules["script-src"] == rules["connect-src"] == "'self'"
    page = ann.page()
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page)
    assert not re.findall(r"\son\w+=|\sstyle=", page)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "get"])
def test_a_verdict_is_posted_or_nothing(ann, method) -> None:
    assert getattr(ann.client, method)("/verdict").status_code in (404, 405)
    for page in ("/", "/item/x", "/view.js"):
        assert ann.client.post(page).status_code in (404, 405)


def test_a_reviewers_name_is_shown_and_not_obeyed(reviewer_of) -> None:
    page = reviewer_of(SCRIPT).page()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_verdicts_lie_beside_the_bench_and_never_in_it(tmp_path) -> None:
    bench = tmp_path / "bench"
    version = bench / "versions" / "1-abc"
    version.mkdir(parents=True)
    assert (
        reviews_beside(bench, None) == reviews_beside(version, None) == tmp_path / "bench-reviews"
    )
    assert reviews_beside(bench, tmp_path / "other") == tmp_path / "other"
    for inside in (bench, bench / "reviews", version):
        with pytest.raises(UserError, match="lies in the bench"):
            reviews_beside(version, inside)


def test_the_summary_is_printed_and_written_beside_the_verdicts(bench, ann, reviews) -> None:
    told = ann.told()
    ann.send(told, verdict="accept")
    run = CliRunner().invoke(app, ["review", str(bench), "--reviews", str(reviews), "--summary"])
    assert run.exit_code == 0, run.output
    assert "| open | 23 |" in run.output
    assert "| ann | 1 |" in (reviews / "review.md").read_text()
    command = ["review", str(bench), "--reviews", str(reviews), "--summary", "--least", "1"]
    assert "| accepted | 1 |" in CliRunner().invoke(app, command).output


def test_a_dataset_without_a_bench_has_nothing_to_review(finished) -> None:
    with pytest.raises(UserError, match="is no bench"):
        items_of(finished)
